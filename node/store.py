"""One node's store: logs, trees, heads and read tables, changed together in one durable transaction or not at all.

Two ways in, one way through:

- `append` takes what members of this space submit: judged first, and only what holds is appended;
- `extend` takes a verified range of a peer's log: durable at once, then audited (`node.audit`) and settled by `settle`,
  which runs the same judgement and writes the same tables. Nothing is served or shown before that.

The log is the truth: `rebuild` drops the read tables and replays it. Fits `federation.storage.Storage`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from federation.storage import Row, StorageError
from node.database import Connection, Database
from node.keeping import Keeping
from node.schema import migrate
from node.tables import POSITIONS, Locked, Tables, all_ddl, fingerprint, names, prefix_of
from protocol import keychain
from protocol.entry import MINUTE_MS, Entry
from protocol.judge import Fold, Stored, Verdict
from protocol.keychain import KeyChain
from protocol.practice import EVERYTHING, Kind, Refused, Table, View
from protocol.practices import KINDS, TABLES
from protocol.record import PUBLIC, Record, Sealed, parse, sees
from protocol.tree import Edge, FullTile, grow, leaf_hash

CHUNK = 4096
ERASED = "record.erased/1"


class Placed(Struct, frozen=True):
    """A record that was appended, and what it changed."""

    position: int
    digest: bytes
    logged_ms: int
    verdict: Verdict


class Found(Struct, frozen=True):
    """A record at its place, and the audience of what it changed."""

    space: bytes
    position: int
    row: Row
    scope: int


class Store(Keeping):
    """The store; `kinds` and `tables` are the registry's unless a test gives others."""

    def __init__(
        self,
        path: Path,
        *,
        kinds: Mapping[str, Kind[Any]] = KINDS,
        tables: Sequence[Table[Any]] = TABLES,
        remember: bool = True,
    ) -> None:
        self.kinds, self.read_tables = kinds, tuple(tables)
        self.database = Database(path)
        migrate(self.database.tidy)
        self.tables = Tables(self.database.writer, remember=remember)
        self._edges: dict[int, Edge] = {}
        self._chains: dict[bytes, KeyChain] = {}
        self._filled: dict[int, int] = {}  # how often records that were withheld came into a log
        self.listeners: list[Callable[[bytes], None]] = []  # told, after a commit, which space's log or tables moved
        self._prepare()

    @property
    def db(self) -> Connection:
        """The writer's connection."""
        return self.database.writer

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    def view(self, space: bytes, audience: int = EVERYTHING) -> View:
        """Everything held, seen from a space, on the writer's connection: for any thread, which waits its turn."""
        return View(Locked(self.tables, self.database.lock), self.number(space), audience)

    # Read tables

    def _prepare(self) -> None:
        """Create the read tables, or drop and replay them if the practices are not those they were made for."""
        now = fingerprint(self.read_tables, self.kinds)
        row = self.db.execute("SELECT value FROM meta WHERE name='tables'").fetchone()
        if row is None or row[0] != now:
            self._make_tables(now)
        for log in self.logs():
            self._replay(log.space)  # all of it if the tables are new, the rest if a rebuild was cut off

    def _make_tables(self, now: str) -> None:
        with self._changing() as db:
            for (name,) in list(db.execute("SELECT value FROM meta WHERE name LIKE 'table:%'")):
                db.execute(f"DROP TABLE IF EXISTS {name}")
            db.execute("DELETE FROM meta WHERE name LIKE 'table:%'")
            for statement in all_ddl(self.read_tables):
                db.execute(statement)
            for name in names(self.read_tables):
                db.execute("INSERT INTO meta VALUES (?, ?)", (f"table:{name}", name))
            db.execute("INSERT OR REPLACE INTO meta VALUES ('tables', ?)", (now,))
            db.execute("UPDATE space SET judged=0")

    def rebuild(self) -> None:
        """Drop every row of every read table and replay the logs."""
        for log in self.logs():
            self.refold(log.space)

    def refold(self, space: bytes) -> None:
        """Drop one space's rows and replay its log as far as it was audited."""
        number = self.number(space)
        with self._changing() as db:
            self.tables.clear(self.read_tables, number)
            db.execute("UPDATE space SET judged=0 WHERE number=?", (number,))
        self._replay(space)

    def _replay(self, space: bytes) -> None:
        sql = "SELECT judged, audited FROM space WHERE number=?"
        while True:
            with self.database.lock:  # what is audited now is what is judged: nothing comes into the log between
                judged, audited = self.db.execute(sql, (self.number(space),)).fetchone()
                end = min(judged + CHUNK, audited)
                if judged >= end:
                    return
                self.settle(space, judged, list(self.stored(space, judged, end)), end, self.filled(space))

    def _fold_anew(self, db: Connection, number: int, space: bytes, size: int) -> None:
        """Drop and replay our own rows within a transaction: whoever reads meanwhile sees all of them, before or after."""
        self.tables.clear(self.read_tables, number)
        fold = Fold(self.tables, number, self.kinds)
        for start in range(0, size, CHUNK):
            for one in list(self.stored(space, start, min(start + CHUNK, size))):
                self._apply(db, number, one, fold.take(one))
            self.tables.flush()
        self._write_clocks(fold)

    # Ways in

    def append(self, space: bytes, sealed: Iterable[Sealed], now_ms: int) -> list[Placed | Refused]:
        """Append the records that hold, in order and in one transaction; for each its place, or why it was refused."""
        number = self.number(space)
        with self._changing() as db:
            log = self.need(space)
            if self.committed_root(space) not in (None, log.root):
                raise StorageError("The stored log is not the one that was committed. Nothing is written; restore a backup.")
            logged = max(log.logged, now_ms // MINUTE_MS)
            fold = Fold(self.tables, number, self.kinds)
            told: list[Placed | Refused] = []
            rows: list[Row] = []
            erased, kept, waiting = False, 0, set[bytes]()
            for one in sealed:
                read = one.read or parse(one.raw)
                if waiting and any(type(value) is bytes and value in waiting for value in read.body.values()):
                    self._insert(number, log.size + kept, rows[kept:])  # it names one of this batch: let it be found
                    kept = len(rows)
                    waiting.clear()
                position = log.size + len(rows)
                flag = int(read.audience != PUBLIC)
                stored = Stored(position, flag, logged * MINUTE_MS, read.digest, one.raw, one.annex)
                try:
                    verdict = self._submit(fold, stored, read, one.words)
                except Refused as refusal:
                    told.append(refusal)
                    continue
                erased = self._apply(db, number, stored, verdict) or erased
                rows.append(Row(flag, logged, read.digest, one.raw, one.annex))
                waiting.add(read.digest)
                told.append(Placed(position, read.digest, stored.logged_ms, verdict))
            if rows:
                self._write_clocks(fold)
                self._insert(number, log.size + kept, rows[kept:])
                edge = self._grow(number, log.size, [Entry(r.flag, r.logged, r.digest).encode() for r in rows])
                size = log.size + len(rows)
                sql = "UPDATE space SET size=?, audited=?, judged=?, logged=?, root=? WHERE number=?"
                db.execute(sql, (size, size, size, logged, edge.root(), number))
            if erased:
                self._fold_anew(db, number, space, size)  # the words that were read from the annex go too
        if rows:
            self._edges[number] = edge
            self._tell(space)
        return told

    def _submit(self, fold: Fold, stored: Stored, read: Record, words: Mapping[str, str] | None) -> Verdict:
        if read.kind not in self.kinds:
            raise Refused(f"This node knows no kind “{read.kind}”. Look up its spelling in the reference.")
        return fold.submit(stored, read, words)

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
        """See `federation.storage.Storage`."""
        number = self.number(space)
        with self._changing() as db:
            log = self.need(space)
            if log.ours or log.stopped:
                raise StorageError("This log takes no entries from outside.")
            if start != log.size or edge.size != start + len(rows):
                raise StorageError("These entries do not go on where the log ends.")
            if edge.size > log.quota:
                raise StorageError(f"The space has used its quota of {log.quota} entries. Raise it, or unfollow the space.")
            self._insert(number, start, rows)
            self._keep_tiles(number, tiles)
            missing = sum(row.record is None for row in rows)
            db.execute(
                "UPDATE space SET size=?, logged=?, missing=missing+? WHERE number=?",
                (edge.size, rows[-1].logged if rows else log.logged, missing, number),
            )
            self._keep_head(db, number, head, size, root)
        self._edges[number] = edge
        self._tell(space)

    def fill(self, space: bytes, start: int, rows: Sequence[Row]) -> int:
        """See `federation.storage.Storage`. The space is replayed if anything was new."""
        number, new = self.number(space), 0
        with self._changing() as db:
            for position, row in enumerate(rows, start):
                if row.record is None:
                    continue
                new += db.execute(
                    "UPDATE log SET record=?, annex=?, genuine=NULL WHERE id=? AND digest=? AND record IS NULL",
                    (row.record, row.annex, (number << POSITIONS) + position, row.digest),
                ).rowcount
            if new:
                self.tables.clear(self.read_tables, number)
                db.execute("UPDATE space SET audited=0, judged=0, missing=missing-? WHERE number=?", (new, number))
                self._filled[number] = self._filled.get(number, 0) + 1
        if new:
            self._tell(space)
        return new

    def filled(self, space: bytes) -> int:
        """How often records came into the midst of a log since the node began; it goes with what `stored` gave then."""
        return self._filled.get(self.number(space), 0)

    def settle(self, space: bytes, start: int, stored: Sequence[Stored], end: int, filled: int) -> None:
        """Judge records whose signatures were checked, [start, end) of a log; those withheld from us are not among `stored`.

        StorageError if the log was judged further or something came into it (`filled`) since they were read.
        """
        number = self.number(space)
        with self._changing() as db:
            if self.filled(space) != filled:
                raise StorageError("Records came into the log meanwhile. What was read of it is checked anew.")
            fold = Fold(self.tables, number, self.kinds)
            erased = False
            for one in stored:
                if not one.genuine:
                    db.execute("UPDATE log SET genuine=0 WHERE id=?", ((number << POSITIONS) + one.position,))
                verdict = fold.take(one)
                erased = self._apply(db, number, one, verdict) or erased
            self._write_clocks(fold)
            sql = "UPDATE space SET judged=?, audited=max(audited, ?) WHERE number=? AND judged=?"
            done = db.execute(sql, (end, end, number, start)).rowcount
            if not done:
                raise StorageError("The log was judged further meanwhile.")
        if erased:
            self.refold(space)
        self._tell(space)

    def stored(self, space: bytes, start: int, end: int) -> Iterator[Stored]:
        """Records of [start, end) at their places, but for those withheld from us."""
        low = self.number(space) << POSITIONS
        sql = (
            "SELECT id, flag, logged, digest, record, annex, genuine FROM log"
            " WHERE id>=? AND id<? AND record IS NOT NULL ORDER BY id"
        )
        for at, flag, logged, digest, raw, annex, genuine in self.db.execute(sql, (low + start, low + end)):
            yield Stored(at - low, flag, logged * MINUTE_MS, digest, raw, annex, genuine is None or bool(genuine))

    # Tree

    def edge(self, space: bytes) -> Edge:
        """See `federation.storage.Storage`."""
        number = self.number(space)
        with self.database.lock:
            (size,) = self.db.execute("SELECT size FROM space WHERE number=?", (number,)).fetchone()
            return self._edge(number, size)

    def _edge(self, number: int, size: int) -> Edge:
        edge = self._edges.get(number)
        if edge is None or edge.size != size:
            edge = self._edges[number] = Edge.load(size, _Reader(self, number))
        return edge

    def _root(self, number: int, size: int) -> bytes:
        return self._edge(number, size).root()

    def committed_root(self, space: bytes) -> bytes | None:
        """The root of our own log's tree as it was when its last records were committed; None if none were yet."""
        with self.database.lock:
            row = self.db.execute("SELECT root FROM space WHERE id=?", (space,)).fetchone()
        return row[0] if row else None

    def load_edge(self, space: bytes, size: int) -> Edge:
        """The tree at an earlier size, from what is stored."""
        with self.database.lock:
            return Edge.load(size, _Reader(self, self.number(space)))

    def read_tile(self, space: bytes, level: int, index: int, width: int) -> bytes:
        """See `federation.storage.Storage`."""
        return self._tile(self.number(space), level, index, width)

    def _tile(self, number: int, level: int, index: int, width: int) -> bytes:
        found = self.db.execute(
            "SELECT hashes FROM tile WHERE space=? AND level=? AND number=?", (number, level, index)
        ).fetchone()
        if found:
            tile: bytes = found[0]
            return tile[: width * 32]
        if level == 0:
            low = (number << POSITIONS) + index * 256
            rows = self.db.execute("SELECT flag, logged, digest FROM log WHERE id>=? AND id<? ORDER BY id", (low, low + width))
            hashes = b"".join(leaf_hash(Entry(*row).encode()) for row in rows)
        else:
            sql = "SELECT root FROM tile WHERE space=? AND level=? AND number>=? AND number<? ORDER BY number"
            hashes = b"".join(root for (root,) in self.db.execute(sql, (number, level - 1, index * 256, index * 256 + width)))
        if len(hashes) != width * 32:
            raise StorageError(f"The tree has no tile of width {width} at level {level}, number {index}.")
        return hashes

    def _grow(self, number: int, size: int, entries: Sequence[bytes]) -> Edge:
        edge, full = grow(self._edge(number, size), [leaf_hash(entry) for entry in entries])
        self._keep_tiles(number, full)
        return edge

    def _keep_tiles(self, number: int, tiles: Sequence[FullTile]) -> None:
        self.db.executemany(
            "INSERT OR REPLACE INTO tile VALUES (?,?,?,?,?)", [(number, t.level, t.index, t.hashes, t.root) for t in tiles]
        )

    def find(self, digest: bytes, audience: int = EVERYTHING) -> Found | None:
        """A judged record by its digest, in the log that it was signed for; only if there is none, where its bytes lie too.

        Anybody can put the bytes of another space's record into their own log. There they are not genuine and change
        nothing, and they are not found in the place of the real one either.
        """
        copy = None
        with self.database.lock:
            self.tables.flush("digest")
            for at, scope in list(self.db.execute("SELECT id, audience FROM digest WHERE prefix=?", (prefix_of(digest),))):
                sql = "SELECT flag, logged, digest, record, annex, genuine FROM log WHERE id=? AND digest=?"
                row = self.db.execute(sql, (at, digest)).fetchone()
                if row is None or (audience != EVERYTHING and not sees(audience, scope)):
                    continue
                found = Found(self.tables.space_id(at >> POSITIONS), at & ((1 << POSITIONS) - 1), Row(*row[:5]), scope)
                if row[5] is None or row[5]:
                    return found
                copy = copy or found
        return copy

    # Within a transaction

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        try:
            with self.database.transaction() as db:
                yield db
                self.tables.flush()
        except BaseException:
            self.tables.abandon()
            self._edges.clear()
            raise

    def _insert(self, number: int, start: int, rows: Sequence[Row]) -> None:
        low = (number << POSITIONS) + start
        self.db.executemany(
            "INSERT INTO log (id, flag, logged, digest, record, annex) VALUES (?,?,?,?,?,?)",
            [(low + i, row.flag, row.logged, row.digest, row.record, row.annex) for i, row in enumerate(rows)],
        )

    def _apply(self, db: Connection, number: int, stored: Stored, verdict: Verdict) -> bool:
        """Queue a record's changes; True if it took words out of the log, so that the space is to be replayed."""
        self.tables.write(number, verdict.audience, verdict.changes)
        self.tables.index(number, stored.position, stored.digest, verdict.audience)
        if verdict.kind != ERASED or verdict.refused:
            return False
        digest = parse(stored.raw).body.get("record")
        position = self.tables.position_of(number, digest, EVERYTHING) if isinstance(digest, bytes) else None
        if position is None:
            return False
        sql = "UPDATE log SET annex=NULL WHERE id=? AND annex IS NOT NULL"
        return bool(db.execute(sql, ((number << POSITIONS) + position,)).rowcount)

    def _write_clocks(self, fold: Fold) -> None:
        for scope, change in fold.finish():
            self.tables.write(fold.space, scope, (change,))

    def _tell(self, space: bytes) -> None:
        for listener in self.listeners:
            listener(space)

    # Founding

    def found(self, sealed: Sealed, now_ms: int) -> Placed:
        """Begin this node's own log with its founding record; its key chain is checked like anybody's."""
        chain = keychain.check([sealed.raw])
        if self.db.execute("SELECT 1 FROM space WHERE ours=1").fetchone():
            raise StorageError("This data folder has a space already.")
        self.learn(chain, ours=True)
        (placed,) = self.append(chain.space, [sealed], now_ms)
        if isinstance(placed, Refused):
            self.forget(chain.space)
            raise placed
        return placed


class _Reader:
    """The tiles of one log, for `protocol.tree`."""

    def __init__(self, store: Store, number: int) -> None:
        self._store, self._number = store, number

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """The hashes of a tile."""
        return self._store._tile(self._number, level, index, width)
