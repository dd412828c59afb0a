"""The public face of a node: what anybody may GET, without I/O. The same tree of files can lie on any static server.

    /.well-known/archipelago                 a hint, as JSON: space, name, endpoints, public keys
    /log/<space>/                            each log this node holds (from epoch 1 on: /log/<space>/<epoch>/)
        checkpoint                           the newest head, with cosignatures (C2SP tlog-checkpoint)
        tile/<L>/<N>[.p/<W>]                 hashes (C2SP tlog-tiles)
        tile/entries/<N>[.p/<W>]             the 37-byte entries
        records/<n>                          256 positions: [record, annex or null] each, or null: a CBOR sequence
        summary                              the space's newest summary
        keychain                             its founding record and rotations

Rules:

- Only what was audited is served: a head that goes beyond it waits, tiles end at the head that is served.
- A record that is not public is never in any answer: its place in `records` is null, as that of one not held.
- Tiles never change, so they may be kept for ever. Everything else is checked again by its ETag: an erasure changes bundles.
- A path is one of these to the byte, or it is 404: there are no dots, no doubled slashes, no other spellings.

Source: c2sp.org/tlog-tiles, c2sp.org/tlog-checkpoint; docs/reference/protocol/index.md.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from hashlib import sha256

from msgspec import Struct

from federation.pull import with_cosignatures
from federation.storage import Log, Row, Storage, StorageError
from protocol import encoding
from protocol.entry import Entry
from protocol.keychain import KeyChainError, parse_space, space_name
from protocol.record import PUBLIC, RecordError, parse
from protocol.tile import TileError, encode_bundle, parse_tile_path, tile_width
from protocol.tree import TILE_WIDTH

FOR_EVER = "public, max-age=31536000, immutable"
AGAIN = "public, max-age=5, must-revalidate"
OCTETS, TEXT, JSON, CBOR_SEQUENCE = (
    "application/octet-stream",
    "text/plain; charset=utf-8",
    "application/json",
    "application/cbor-seq",
)
_LOG = re.compile(r"/log/(?:isle:)?([a-z2-7]{52})/(?:([1-9][0-9]{0,2})/)?(.+)")
_RECORDS = re.compile(r"records/(0|[1-9][0-9]{0,9})")


class Answer(Struct, frozen=True):
    """What to answer to a GET."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def _plain(status: int, sentence: str) -> Answer:
    return Answer(status, {"Content-Type": TEXT}, f"{sentence}\n".encode())


def _is_public(row: Row) -> bool:
    """Whether entry and record both say so: what only one of them calls public stays here."""
    if row.flag or row.record is None:
        return False
    try:
        return parse(row.record).audience == PUBLIC
    except RecordError:
        return False


NOT_FOUND = _plain(404, "There is nothing of that name here.")


class Public:
    """Answers from a store; `refresh` signs our head if it moved, `summary` gives our newest summary."""

    def __init__(
        self, storage: Storage, *, endpoints: tuple[str, ...], refresh: Callable[[], object], summary: Callable[[], bytes]
    ) -> None:
        self.storage, self.endpoints, self._refresh, self._summary = storage, endpoints, refresh, summary

    def get(self, path: str, etag: str = "") -> Answer:
        """The answer to a GET of a path, as it stands in the request; `etag` is what If-None-Match names."""
        if path == "/.well-known/archipelago":
            return self._checked(self._well_known(), JSON, etag)
        found = _LOG.fullmatch(path)
        if found is None:
            return NOT_FOUND
        try:
            log = self.storage.log(parse_space(found[1]))
        except KeyChainError:
            return NOT_FOUND
        if log is None or log.chain.current.number != int(found[2] or 0):
            return NOT_FOUND
        return self._of_log(log, found[3], etag)

    def _of_log(self, log: Log, name: str, etag: str) -> Answer:
        if name.startswith("tile/"):
            return self._tile(log, name)
        if name == "keychain":
            return self._checked(log.chain.encode(), OCTETS, etag)
        if name == "summary":
            peer = self.storage.peer(log.space)
            said = self._summary() if log.ours else peer.summary if peer is not None else b""
            return self._checked(said, OCTETS, etag) if said else NOT_FOUND
        if name == "checkpoint":
            return self._checkpoint(log, etag)
        found = _RECORDS.fullmatch(name)
        return self._records(log, int(found[1]), etag) if found else NOT_FOUND

    def _well_known(self) -> bytes:
        ours = next((log for log in self.storage.logs() if log.ours), None)
        if ours is None:
            raise StorageError("This node has no space of its own.")
        keys = ours.chain.current.keys
        said = {
            "space": space_name(ours.space),
            "name": ours.chain.name,
            "endpoints": list(self.endpoints),
            "keys": {
                purpose: base64.b64encode(getattr(keys, purpose)).decode()
                for purpose in ("identity", "log", "witness", "mirror")
            },
        }
        return json.dumps(said, ensure_ascii=False).encode()

    def _checkpoint(self, log: Log, etag: str) -> Answer:
        if log.ours:
            self._refresh()
            log = self.storage.log(log.space) or log
        if not log.head or log.head_size > log.judged:
            return _plain(404, "The head of this log is not yet audited here. Ask again, or ask another who carries it.")
        return self._checked(with_cosignatures(self.storage, log).encode(), TEXT, etag)

    def _tile(self, log: Log, path: str) -> Answer:
        try:
            level, number, width = parse_tile_path(path)
        except TileError:
            return NOT_FOUND
        if width > tile_width(min(log.head_size, log.judged), level, number):
            return NOT_FOUND
        if level == "entries":
            start = number * TILE_WIDTH
            rows = self.storage.rows(log.space, start, start + width)
            data = encode_bundle(Entry(row.flag, row.logged, row.digest).encode() for row in rows)
        else:
            data = self.storage.read_tile(log.space, level, number, width)
        return Answer(200, {"Content-Type": OCTETS, "Cache-Control": FOR_EVER}, data)

    def _records(self, log: Log, number: int, etag: str) -> Answer:
        start = number * TILE_WIDTH
        end = min(start + TILE_WIDTH, log.head_size, log.judged)
        if start >= end:
            return NOT_FOUND
        rows = self.storage.rows(log.space, start, end)
        parts = [[row.record, row.annex] if _is_public(row) else None for row in rows]
        return self._checked(b"".join(map(encoding.encode, parts)), CBOR_SEQUENCE, etag)

    def _checked(self, data: bytes, kind: str, etag: str) -> Answer:
        """An answer that may be asked for again by its ETag."""
        tag = f'"{sha256(data).hexdigest()[:32]}"'
        headers = {"Content-Type": kind, "Cache-Control": AGAIN, "ETag": tag}
        return Answer(304, headers, b"") if etag == tag else Answer(200, headers, data)
