"""The parts of a store that are plain keeping: spaces, heads, cosignatures, evidence, peers, nonces.

`node.store.Store` adds logs, trees and tables. Every change is one durable transaction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any

from federation.storage import Cosignature, Log, Peer, Row, StorageError
from node.database import Connection, Database
from node.tables import POSITIONS, Tables
from protocol import keychain
from protocol.keychain import KeyChain
from protocol.practice import Table
from protocol.tree import EMPTY_ROOT, Edge

_LOG = (
    "SELECT s.number, s.id, s.chain, s.epoch, s.size, s.judged, s.logged, s.ours, s.stopped, s.quota, s.missing,"
    " coalesce(h.note, ''), coalesce(h.size, 0), h.root FROM space s LEFT JOIN head h ON h.space=s.number"
)
_PEER = (
    "SELECT space, chain, name, url, standing, added_ms, last_contact_ms, failures, problem, offset_ms,"
    " coalesce(summary, x''), coalesce(heads, x'') FROM peer"
)


class Keeping(ABC):
    """Spaces, heads, cosignatures, evidence, peers and nonces over the writer's connection."""

    database: Database
    tables: Tables
    read_tables: tuple[Table[Any], ...]
    _edges: dict[int, Edge]
    _chains: dict[bytes, KeyChain]

    @abstractmethod
    def _changing(self) -> AbstractContextManager[Connection]:
        """The store's own transaction."""

    @abstractmethod
    def _root(self, number: int, size: int) -> bytes:
        """The root of a log's tree."""

    @property
    def _db(self) -> Connection:
        return self.database.writer

    # Spaces

    def number(self, space: bytes) -> int:
        """The small number of a space that is held; StorageError if it is not."""
        found = self.tables.space_number(space)
        if found is None:
            raise StorageError("This node does not hold that space.")
        return found

    def logs(self) -> list[Log]:
        """See `federation.storage.Storage`."""
        with self.database.lock:
            found = list(self._db.execute(f"{_LOG} ORDER BY s.ours DESC, s.number"))
        return [self._log(row) for row in found]

    def log(self, space: bytes) -> Log | None:
        """See `federation.storage.Storage`."""
        with self.database.lock:
            row = self._db.execute(f"{_LOG} WHERE s.id=?", (space,)).fetchone()
        return self._log(row) if row else None

    def need(self, space: bytes) -> Log:
        """One log; StorageError if it is not held."""
        found = self.log(space)
        if found is None:
            raise StorageError("This node does not hold that space.")
        return found

    def ours(self) -> Log | None:
        """This node's own log, or None before it is founded."""
        with self.database.lock:
            row = self._db.execute(f"{_LOG} WHERE s.ours=1").fetchone()
        return self._log(row) if row else None

    def _log(self, row: tuple[Any, ...]) -> Log:
        _, space, chain, epoch, size, judged, logged, ours, stopped, quota, missing, note, head_size, head_root = row
        edge = self._edges.get(row[0])
        root = edge.root() if edge is not None and edge.size == size else b""
        if not root:
            root = self._root(row[0], size)
        return Log(
            space, bool(ours), epoch, size, judged, root, logged, self._chain(chain), note, head_size, head_root or EMPTY_ROOT,
            stopped, quota, missing,
        )  # fmt: skip

    def _chain(self, data: bytes) -> KeyChain:
        chain = self._chains.get(data)
        if chain is None:
            chain = self._chains[data] = keychain.decode(data)
        return chain

    def learn(self, chain: KeyChain, *, ours: bool = False) -> None:
        """See `federation.storage.Storage`."""
        held = self.log(chain.space)
        if held and len(held.chain.records) >= len(chain.records):
            return
        if held and chain.records[: len(held.chain.records)] != held.chain.records:
            raise StorageError("That key chain leaves the one held.")
        with self._changing() as db:
            db.execute(
                "INSERT INTO space (id, chain, epoch, ours) VALUES (?,?,?,?)"
                " ON CONFLICT (id) DO UPDATE SET chain=excluded.chain, epoch=excluded.epoch",
                (chain.space, chain.encode(), chain.current.number, int(ours)),
            )
        self.tables.forget()

    def forget(self, space: bytes) -> None:
        """See `federation.storage.Storage`."""
        number = self.tables.space_number(space)
        with self._changing() as db:
            if number is not None:
                self.tables.clear(self.read_tables, number)
                db.execute("DELETE FROM log WHERE id>=? AND id<?", (number << POSITIONS, (number + 1) << POSITIONS))
                db.execute("DELETE FROM space WHERE number=?", (number,))
                self._edges.pop(number, None)
            db.execute("DELETE FROM peer WHERE space=?", (space,))
        self.tables.forget()

    def rows(self, space: bytes, start: int, end: int) -> list[Row]:
        """See `federation.storage.Storage`."""
        low = self.number(space) << POSITIONS
        sql = "SELECT flag, logged, digest, record, annex FROM log WHERE id>=? AND id<? ORDER BY id"
        with self.database.lock:
            return [Row(*row) for row in self._db.execute(sql, (low + start, low + end))]

    # Heads

    def accept_head(self, space: bytes, head: str, size: int, root: bytes) -> None:
        """See `federation.storage.Storage`."""
        with self._changing() as db:
            self._keep_head(db, self.number(space), head, size, root)

    def _keep_head(self, db: Connection, number: int, head: str, size: int, root: bytes) -> None:
        held = db.execute("SELECT size, root FROM head WHERE space=?", (number,)).fetchone()
        if held and (size < held[0] or (size == held[0] and root != held[1])):
            raise StorageError("A head that is larger, or another one of this size, was accepted already.")
        db.execute("INSERT OR REPLACE INTO head VALUES (?,?,?,?)", (number, size, root, head))

    def cosignatures(self, space: bytes) -> list[Cosignature]:
        """See `federation.storage.Storage`."""
        sql = "SELECT name, size, root, time_s, line FROM cosignature WHERE space=? ORDER BY name"
        with self.database.lock:
            return [Cosignature(*row) for row in self._db.execute(sql, (self.number(space),))]

    def keep_cosignature(self, space: bytes, cosignature: Cosignature) -> None:
        """See `federation.storage.Storage`."""
        with self._changing() as db:
            self._keep_cosignature(db, self.number(space), cosignature)

    def _keep_cosignature(self, db: Connection, number: int, new: Cosignature) -> None:
        held = db.execute("SELECT size, time_s FROM cosignature WHERE space=? AND name=?", (number, new.name)).fetchone()
        if held is None or (new.size, new.time_s) > tuple(held):
            db.execute(
                "INSERT OR REPLACE INTO cosignature VALUES (?,?,?,?,?,?)",
                (number, new.name, new.size, new.root, new.time_s, new.line),
            )

    def witnessed(self, space: bytes) -> tuple[int, bytes] | None:
        """See `federation.storage.Storage`."""
        ours = self.ours()
        if ours is None:
            return None
        sql = "SELECT size, root FROM cosignature WHERE space=? AND name=?"
        with self.database.lock:
            row = self._db.execute(sql, (self.number(space), f"{keychain.origin(ours.space, 0)}/witness")).fetchone()
        return (int(row[0]), bytes(row[1])) if row else None

    def cosign_if_unmoved(self, space: bytes, held: int, head: str, size: int, root: bytes, cosignature: Cosignature) -> bool:
        """See `federation.storage.Storage`."""
        number = self.number(space)
        with self._changing() as db:
            row = db.execute(
                "SELECT size, root FROM cosignature WHERE space=? AND name=?", (number, cosignature.name)
            ).fetchone()
            if (row[0] if row else 0) != held:
                return False
            self._keep_cosignature(db, number, cosignature)
            known = db.execute("SELECT size, root FROM head WHERE space=?", (number,)).fetchone()
            if known is None or (row and tuple(known) == tuple(row)):  # else it was not proved to go on from that one
                self._keep_head(db, number, head, size, root)
        return True

    def stop(self, space: bytes, why: str, evidence: bytes, now_ms: int) -> None:
        """See `federation.storage.Storage`."""
        with self._changing() as db:
            db.execute("UPDATE space SET stopped=? WHERE id=?", (why, space))
            db.execute("INSERT INTO evidence (space, found_ms, file) VALUES (?,?,?)", (space, now_ms, evidence))

    def evidence(self) -> list[tuple[bytes, int, bytes]]:
        """See `federation.storage.Storage`."""
        with self.database.lock:
            return list(self._db.execute("SELECT space, found_ms, file FROM evidence ORDER BY number"))

    # Peers

    def peers(self) -> list[Peer]:
        """See `federation.storage.Storage`."""
        with self.database.lock:
            found = list(self._db.execute(f"{_PEER} ORDER BY added_ms, space"))
        return [self._peer(row) for row in found]

    def peer(self, space: bytes) -> Peer | None:
        """See `federation.storage.Storage`."""
        with self.database.lock:
            row = self._db.execute(f"{_PEER} WHERE space=?", (space,)).fetchone()
        return self._peer(row) if row else None

    def _peer(self, row: tuple[Any, ...]) -> Peer:
        return Peer(row[0], self._chain(row[1]), *row[2:])

    def keep_peer(self, peer: Peer) -> None:
        """See `federation.storage.Storage`."""
        with self._changing() as db:
            db.execute(
                "INSERT OR REPLACE INTO peer VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    peer.space, peer.chain.encode(), peer.name, peer.url, peer.standing, peer.added_ms, peer.last_contact_ms,
                    peer.failures, peer.problem, peer.offset_ms, peer.summary, peer.heads,
                ),
            )  # fmt: skip

    def remember_nonce(self, peer: bytes, nonce: bytes, until_ms: int, now_ms: int) -> bool:
        """See `federation.storage.Storage`."""
        with self._changing() as db:
            db.execute("DELETE FROM nonce WHERE until_ms<?", (now_ms,))
            sql = "INSERT OR IGNORE INTO nonce VALUES (?,?,?)"
            return bool(db.execute(sql, (peer, nonce, until_ms)).rowcount)

    # Settings of this node alone

    def setting(self, name: str, default: str = "") -> str:
        """A setting of this machine."""
        with self.database.lock:
            row = self._db.execute("SELECT value FROM meta WHERE name=?", (f"set:{name}",)).fetchone()
        return str(row[0]) if row else default

    def keep_setting(self, name: str, value: str) -> None:
        """Keep a setting of this machine."""
        with self._changing() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (f"set:{name}", value))
