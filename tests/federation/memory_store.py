"""A store in memory that fits `federation.storage.Storage`: every call is whole or nothing, like the real one.

`copy` gives what a disk would hold at that moment, for crashes and for restarts from an old copy.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from federation.storage import Cosignature, Log, Peer, Row, StorageError
from protocol.entry import Entry
from protocol.keychain import KeyChain, origin
from protocol.record import Sealed, parse
from protocol.tree import EMPTY_ROOT, Edge, EdgeReader, FullTile, NoTiles, grow, leaf_hashes


@dataclass
class Held:
    """One log."""

    log: Log
    rows: list[Row] = field(default_factory=list)
    edge: Edge = field(default_factory=Edge.empty)
    tiles: dict[tuple[int, int], FullTile] = field(default_factory=dict)
    cosignatures: dict[str, Cosignature] = field(default_factory=dict)

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """A full tile."""
        full = self.tiles.get((level, index))
        return full.hashes[: width * 32] if full else NoTiles().read_tile(level, index, width)


class MemoryStore:
    """Logs, heads, peers and nonces in dictionaries. `audited`: whether entries count as judged as they come in."""

    def __init__(self, chain: KeyChain, *, audited: bool = True) -> None:
        self.space, self.audited = chain.space, audited
        self.held: dict[bytes, Held] = {}
        self.known: dict[bytes, Peer] = {}
        self.nonces: dict[tuple[bytes, bytes], int] = {}
        self.kept_evidence: list[tuple[bytes, int, bytes]] = []
        self.writes = 0
        self.learn(chain)

    def copy(self) -> MemoryStore:
        """Everything as it is now: values are frozen, so containers are enough."""
        other = copy.copy(self)
        other.held = {
            space: Held(held.log, list(held.rows), held.edge, dict(held.tiles), dict(held.cosignatures))
            for space, held in self.held.items()
        }
        other.known, other.nonces, other.kept_evidence = dict(self.known), dict(self.nonces), list(self.kept_evidence)
        return other

    def _need(self, space: bytes) -> Held:
        held = self.held.get(space)
        if held is None:
            raise StorageError("This node does not hold that space.")
        return held

    # Our own log

    def append(self, sealed: Sequence[Sealed], logged: int) -> None:
        """Append to our own log, as a node does when its members act."""
        held = self._need(self.space)
        rows = []
        for each in sealed:
            read = parse(each.raw)
            rows.append(Row(int(read.audience != 0), logged, read.digest, each.raw, each.annex))
        edge, tiles = grow(held.edge, leaf_hashes(Entry(row.flag, row.logged, row.digest).encode() for row in rows))
        self._take(held, rows, edge, tiles)

    def _take(self, held: Held, rows: Sequence[Row], edge: Edge, tiles: Sequence[FullTile]) -> None:
        held.rows += rows
        held.edge = edge
        held.tiles.update({(tile.level, tile.index): tile for tile in tiles})
        held.log = replace(
            held.log,
            size=edge.size,
            root=edge.root(),
            logged=rows[-1].logged if rows else held.log.logged,
            judged=edge.size if self.audited else held.log.judged,
            missing=held.log.missing + sum(row.record is None for row in rows),
        )
        self.writes += 1

    # Logs

    def logs(self) -> list[Log]:
        """See Storage."""
        return [held.log for held in self.held.values()]

    def log(self, space: bytes) -> Log | None:
        """See Storage."""
        held = self.held.get(space)
        return held.log if held else None

    def learn(self, chain: KeyChain) -> None:
        """See Storage."""
        held = self.held.get(chain.space)
        if held is None:
            log = Log(
                chain.space, chain.space == self.space, chain.current.number, 0, 0, EMPTY_ROOT, 0, chain, "", 0, EMPTY_ROOT, "",
                2_000_000, 0,
            )  # fmt: skip
            self.held[chain.space] = Held(log)
        elif len(held.log.chain.records) < len(chain.records):
            if chain.records[: len(held.log.chain.records)] != held.log.chain.records:
                raise StorageError("That key chain leaves the one held.")
            held.log = replace(held.log, chain=chain, epoch=chain.current.number)
        self.writes += 1

    def rows(self, space: bytes, start: int, end: int) -> list[Row]:
        """See Storage."""
        return self._need(space).rows[start:end]

    def read_tile(self, space: bytes, level: int, index: int, width: int) -> bytes:
        """See Storage."""
        held = self._need(space)
        return EdgeReader(held.edge, held).read_tile(level, index, width)

    def edge(self, space: bytes) -> Edge:
        """See Storage."""
        return self._need(space).edge

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
        """See Storage."""
        held = self._need(space)
        if held.log.ours or held.log.stopped:
            raise StorageError("This log takes no entries from outside.")
        if start != held.log.size or edge.size != start + len(rows) or edge.size > held.log.quota:
            raise StorageError("These entries do not go on where the log ends, or pass its quota.")
        self.accept_head(space, head, size, root)
        self._take(held, rows, edge, tiles)

    def fill(self, space: bytes, start: int, rows: Sequence[Row]) -> int:
        """See Storage."""
        held, new = self._need(space), 0
        for position, row in enumerate(rows, start):
            old = held.rows[position]
            if old.record is None and row.record is not None and row.digest == old.digest:
                held.rows[position], new = row, new + 1
        held.log = replace(held.log, missing=held.log.missing - new)
        return new

    def accept_head(self, space: bytes, head: str, size: int, root: bytes) -> None:
        """See Storage."""
        held = self._need(space)
        if size < held.log.head_size or (held.log.head and size == held.log.head_size and root != held.log.head_root):
            raise StorageError("A head that is larger, or another one of this size, was accepted already.")
        held.log = replace(held.log, head=head, head_size=size, head_root=root)
        self.writes += 1

    def stop(self, space: bytes, why: str, evidence: bytes, now_ms: int) -> None:
        """See Storage."""
        held = self._need(space)
        held.log = replace(held.log, stopped=why)
        self.kept_evidence.append((space, now_ms, evidence))
        self.writes += 1

    def evidence(self) -> list[tuple[bytes, int, bytes]]:
        """See Storage."""
        return list(self.kept_evidence)

    def forget(self, space: bytes) -> None:
        """See Storage."""
        self.held.pop(space, None)
        self.known.pop(space, None)

    # Cosignatures

    def cosignatures(self, space: bytes) -> list[Cosignature]:
        """See Storage."""
        return sorted(self._need(space).cosignatures.values(), key=lambda each: each.name)

    def keep_cosignature(self, space: bytes, cosignature: Cosignature) -> None:
        """See Storage."""
        kept = self._need(space).cosignatures
        old = kept.get(cosignature.name)
        if old is None or (cosignature.size, cosignature.time_s) > (old.size, old.time_s):
            kept[cosignature.name] = cosignature
            self.writes += 1

    def cosign_if_unmoved(self, space: bytes, held: int, head: str, size: int, root: bytes, cosignature: Cosignature) -> bool:
        """See Storage."""
        last = self.witnessed(space)
        if (last[0] if last else 0) != held:
            return False
        self._need(space).cosignatures[cosignature.name] = cosignature
        self.writes += 1
        return True

    def witnessed(self, space: bytes) -> tuple[int, bytes] | None:
        """See Storage."""
        ours = self._need(space).cosignatures.get(f"{origin(self.space, 0)}/witness")
        return (ours.size, ours.root) if ours else None

    # Peers

    def peers(self) -> list[Peer]:
        """See Storage."""
        return list(self.known.values())

    def peer(self, space: bytes) -> Peer | None:
        """See Storage."""
        return self.known.get(space)

    def keep_peer(self, peer: Peer) -> None:
        """See Storage."""
        self.known[peer.space] = peer
        self.writes += 1

    def remember_nonce(self, peer: bytes, nonce: bytes, until_ms: int, now_ms: int) -> bool:
        """See Storage."""
        self.nonces = {each: until for each, until in self.nonces.items() if until >= now_ms}
        if (peer, nonce) in self.nonces:
            return False
        self.nonces[peer, nonce] = until_ms
        self.writes += 1
        return True
