"""A record's receipt, from what this node holds: its head with every cosignature on it, and the proof that leads there.

The newest signed head that holds the record is taken as it is, because peers may have cosigned it already; only if there
is none is a new one signed.
"""

from __future__ import annotations

from collections.abc import Sequence

from federation.storage import Cosignature, Log, StorageError
from node.health import holdings
from node.home import Home
from node.store import Found, Store
from protocol import receipt
from protocol.entry import Entry
from protocol.keychain import KeyChain
from protocol.practice import Refused
from protocol.receipt import ReceiptError
from protocol.tree import prove_inclusion


def receipt_of(home: Home, digest: bytes) -> str:
    """The text of a record's receipt; Refused if the record is not here or no head holds it yet."""
    found = home.store.find(digest)
    if found is None or found.row.record is None:
        raise Refused("There is no such record here.")
    log = _with_head(home, found)
    lines = [each for each in home.store.cosignatures(log.space) if (each.size, each.root) == (log.head_size, log.head_root)]
    note = log.head.rstrip("\n") + "\n" + "".join(each.line.rstrip("\n") + "\n" for each in lines)
    row = found.row
    assert row.record is not None
    try:
        made = receipt.make(
            Entry(row.flag, row.logged, row.digest),
            row.record,
            row.annex,
            found.position,
            prove_inclusion(found.position, log.head_size, _Tiles(home.store, log.space)),
            note,
            log.chain,
            _chains(home, lines),
        )
        return receipt.format(made)
    except ReceiptError as error:
        raise Refused(str(error)) from error


def _with_head(home: Home, found: Found) -> Log:
    """The record's log with an accepted head that holds it."""
    log = home.store.need(found.space)
    if log.ours and log.head_size <= found.position:
        try:
            home.heads.sign()
        except StorageError as error:
            raise Refused(str(error)) from error
        log = home.store.need(found.space)
    if not found.position < log.head_size <= log.size:
        why = home.heads.recovering if log.ours else ""
        raise Refused(why or "No signed head holds this record yet. Try again when its space has been heard from.")
    return log


def _chains(home: Home, lines: Sequence[Cosignature]) -> list[KeyChain]:
    """Key chains of the spaces that cosigned, so that a stranger can check them."""
    chains = []
    for space in sorted({each.space for each in holdings(list(lines))}):
        held = home.store.log(space) or home.store.peer(space)
        if held is not None:
            chains.append(held.chain)
    return chains


class _Tiles:
    """The tiles of one log, for `protocol.tree`."""

    def __init__(self, store: Store, space: bytes) -> None:
        self._store, self._space = store, space

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """The hashes of a tile."""
        return self._store.read_tile(self._space, level, index, width)
