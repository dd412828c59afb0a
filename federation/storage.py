"""What federation asks of a store: logs, heads, cosignatures, peers. `node.store.Store` fits it, and a simulator's too.

Calls are synchronous and quick or clearly bulk; whoever does I/O runs them off the event loop. Every call that changes
something is one durable transaction: when it returns, it is kept; if it raises, nothing of it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from protocol.keychain import KeyChain
from protocol.tree import Edge, FullTile

FOLLOW, ALLY, MIRROR, WITNESS, GUARDIAN = 1, 2, 4, 8, 16  # bits of a peer's standing, as this node has set them


class StorageError(Exception):
    """The store could not keep something; nothing of it was kept."""


class Row(Struct, frozen=True):
    """One entry with what hangs off it; `record` is None where it is withheld, `annex` also where it was erased."""

    flag: int
    logged: int  # minutes since 1970
    digest: bytes
    record: bytes | None
    annex: bytes | None


class Log(Struct, frozen=True):
    """One space's log as this node holds it.

    `size` entries are durable and verified against a signed head, the first `judged` are audited and in tables, and only
    those may be served to others. `head` is the newest accepted signed head (a signed note), which may be larger.
    """

    space: bytes
    ours: bool
    epoch: int
    size: int
    judged: int
    root: bytes  # of the first `size` entries
    logged: int
    chain: KeyChain
    head: str  # "" if none was accepted yet
    head_size: int
    head_root: bytes
    stopped: str  # why nothing more is taken (evidence of a fork), or ""
    quota: int  # entries
    missing: int  # entries whose record is withheld from us


class Cosignature(Struct, frozen=True):
    """The newest cosignature of one witness or mirror on a log's head."""

    name: str  # isle/<id>/witness or isle/<id>/mirror
    size: int
    root: bytes
    time_s: int
    line: str


class Peer(Struct, frozen=True):
    """A space whose node this one talks to."""

    space: bytes
    chain: KeyChain
    name: str
    url: str  # "" if it can only call us
    standing: int
    added_ms: int
    last_contact_ms: int
    failures: int
    problem: str
    offset_ms: int  # their clock minus ours
    summary: bytes  # their newest signed summary, b"" if none
    heads: bytes  # the list of heads that they last told us, b"" if none


class Storage(Protocol):
    """The store, as federation sees it."""

    # Logs

    def logs(self) -> list[Log]:
        """Every log held, ours first."""

    def log(self, space: bytes) -> Log | None:
        """One log, or None."""

    def learn(self, chain: KeyChain) -> None:
        """Hold this space from now on (an empty log), or take a longer key chain of one that is held."""

    def rows(self, space: bytes, start: int, end: int) -> list[Row]:
        """Entries [start, end) of a log."""

    def read_tile(self, space: bytes, level: int, index: int, width: int) -> bytes:
        """Hashes of a tile (see `protocol.tree.TileReader`), computed from below where the tile is not full."""

    def edge(self, space: bytes) -> Edge:
        """The right edge of the log's tree at its size."""

    def extend(
        self,
        space: bytes,
        start: int,
        rows: Sequence[Row],
        edge: Edge,
        tiles: Sequence[FullTile],
        head: str,
        size: int,
        root: bytes,
    ) -> None:
        """Keep entries [start, start + len(rows)) that were verified against the accepted `head` (of that size and root).

        `edge` is the tree after them and `tiles` the full tiles that they completed, both as `protocol.tree.grow` gave them
        from `self.edge(space)`: the caller has verified them, the store does not hash again.
        """

    def fill(self, space: bytes, start: int, rows: Sequence[Row]) -> int:
        """Keep records that were withheld before (digests must match those held); returns how many were new."""

    def accept_head(self, space: bytes, head: str, size: int, root: bytes) -> None:
        """Keep a verified, consistent head; refuses (StorageError) one smaller than the last."""

    def stop(self, space: bytes, why: str, evidence: bytes, now_ms: int) -> None:
        """Take nothing more of this log and keep the evidence file."""

    def evidence(self) -> list[tuple[bytes, int, bytes]]:
        """(space, found_ms, file) of every evidence kept."""

    def forget(self, space: bytes) -> None:
        """Unfollow: remove the space's log, rows, heads and peer."""

    # Cosignatures

    def cosignatures(self, space: bytes) -> list[Cosignature]:
        """The newest of each name on this log."""

    def keep_cosignature(self, space: bytes, cosignature: Cosignature) -> None:
        """Keep it if it is on a larger head, or later on the same, than that of the same name."""

    def cosign_if_unmoved(self, space: bytes, held: int, head: str, size: int, root: bytes, cosignature: Cosignature) -> bool:
        """In one step: keep it if the last head this node cosigned as witness has size `held` (0: none); else False."""

    def witnessed(self, space: bytes) -> tuple[int, bytes] | None:
        """(size, root) of the last head of this log that this node cosigned as witness."""

    # Peers

    def peers(self) -> list[Peer]:
        """Every peer, by when they were added."""

    def peer(self, space: bytes) -> Peer | None:
        """One peer, or None."""

    def keep_peer(self, peer: Peer) -> None:
        """Add or replace a peer."""

    def remember_nonce(self, peer: bytes, nonce: bytes, until_ms: int, now_ms: int) -> bool:
        """False if this nonce of this peer is remembered already; forgets those whose time is over."""
