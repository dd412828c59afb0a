"""Read tables in SQLite: changes wait and go in by `executemany`; a read of a table first lets its own changes in.

Rarely written tables (grants, keys, settings) are read for every record, so answers are remembered until the table is
next written: replay then costs a look-up in a dictionary, not a statement. A reader on another connection forgets when
the file changes (`PRAGMA data_version`). Every table gets a last column `audience`: that of the act which wrote the row.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any

from msgspec.structs import astuple, fields

from node.database import Connection
from protocol.practice import EVERYTHING, Asked, Change, Least, Patch, Put, R, Table, Value
from protocol.record import NAMED

_TYPES = {int: "INTEGER", bool: "INTEGER", bytes: "BLOB", str: "TEXT"}
_REMEMBERED = 4096
POSITIONS = 40  # bits of a log row's id below the space's number


def columns(table: Table[Any]) -> dict[str, str]:
    """Column names and SQL types of a table's rows."""
    hints = typing.get_type_hints(table.row)

    def sql(kind: Any) -> str:
        options = [each for each in typing.get_args(kind) if each is not type(None)]
        return _TYPES[options[0] if options else kind] + ("" if options else " NOT NULL")

    return {f.name: sql(hints[f.name]) for f in fields(table.row)}


def ddl(table: Table[Any]) -> list[str]:
    """The statements that create a table and its indexes."""
    cols = ", ".join(f"{name} {kind}" for name, kind in columns(table).items())
    keys = ", ".join(("space", *table.key))
    made = [f"CREATE TABLE {table.name} ({cols}, audience INTEGER NOT NULL, PRIMARY KEY ({keys})) WITHOUT ROWID"]
    for number, index in enumerate(table.indexes):
        made.append(f"CREATE INDEX {table.name}_{number} ON {table.name} (space, {', '.join(index)})")
    for number, index in enumerate(table.shared):
        made.append(f"CREATE INDEX {table.name}_shared_{number} ON {table.name} ({', '.join(index)})")
    types = columns(table)
    for number, total in enumerate(table.totals):
        by = ", ".join(f"{name} {types[name]}" for name in total.by)
        keys = ", ".join(("space", *total.by, "audience"))
        made.append(
            f"CREATE TABLE {total_name(table, number)} (space INTEGER NOT NULL, {by}, audience INTEGER NOT NULL,"
            f" {total.column} INTEGER NOT NULL, PRIMARY KEY ({keys})) WITHOUT ROWID"
        )
    return made


def total_name(table: Table[Any], number: int) -> str:
    """The name of the table that keeps a table's total."""
    return f"{table.name}_total_{number}"


def names(tables: Iterable[Table[Any]]) -> list[str]:
    """Every read table by name, totals among them."""
    return ["digest", *(name for t in tables for name in (t.name, *(total_name(t, n) for n in range(len(t.totals)))))]


DIGESTS = (
    "CREATE TABLE digest (prefix INTEGER NOT NULL, id INTEGER NOT NULL, audience INTEGER NOT NULL, PRIMARY KEY (prefix, id))"
    " WITHOUT ROWID"
)


def all_ddl(tables: Iterable[Table[Any]]) -> list[str]:
    """The statements for every read table, the index of digests among them."""
    return [DIGESTS, *(statement for table in tables for statement in ddl(table))]


def fingerprint(tables: Iterable[Table[Any]], kinds: Iterable[str]) -> str:
    """Changes when tables or kinds do: then read tables are dropped and replayed."""
    return sha256("\n".join([*all_ddl(tables), *sorted(kinds)]).encode()).hexdigest()


def prefix_of(digest: bytes) -> int:
    """The first eight bytes of a digest as SQLite's signed integer."""
    return int.from_bytes(digest[:8], "big", signed=True)


@lru_cache(maxsize=1024)
def _select(table: Table[Any], asked: tuple[tuple[str, str], ...], order: str, limit: int, scope: str) -> str:
    names = [name for name, _ in asked]
    tests = [f"{name}{test}" for name, test in asked]
    if scope:
        tests.append(scope)
    sql = f"SELECT {', '.join(table.row.__struct_fields__)} FROM {table.name}{_index(table, names)}"
    if tests:
        sql += " WHERE " + " AND ".join(tests)
    way = " DESC" if order.startswith("-") else ""
    first = order.removeprefix("-")
    keys = [key for key in (first, *(("space", *table.key) if "space" not in names else table.key)) if key]
    sql += " ORDER BY " + ", ".join(f"{key}{way}" for key in dict.fromkeys(keys))
    return sql + (f" LIMIT {limit:d}" if limit else "")


def _test(value: Asked) -> str:
    if value is None:
        return " IS NULL"
    return ">=?" if isinstance(value, Least) else "=?"


def _index(table: Table[Any], names: list[str]) -> str:
    """Name the index: with `space` first in every key, SQLite's guess can be a walk through the whole space."""
    asked = set(names) - {"space"}
    if asked and asked == set(table.key[: len(asked)]) and "space" in names:
        return ""
    declared = table.indexes if "space" in names else table.shared
    for number, index in enumerate(declared):
        if asked and asked == set(index[: len(asked)]):
            return f" INDEXED BY {table.name}_{'' if 'space' in names else 'shared_'}{number}"
    return ""


def _scope(audience: int) -> str:
    if audience == EVERYTHING:
        return ""
    return f"audience<={audience:d}" if audience < NAMED else f"audience IN (0, {audience:d})"


class Locked:
    """A reader that lends its tables to one thread at a time: those of a writer, which other threads may ask too."""

    def __init__(self, tables: Tables, lock: AbstractContextManager[Any]) -> None:
        self._tables, self._lock = tables, lock

    def rows(self, table: Table[R], where: Mapping[str, Asked], order: str, limit: int, audience: int) -> tuple[R, ...]:
        """See `protocol.practice.Reader`."""
        with self._lock:
            return self._tables.rows(table, where, order, limit, audience)

    def sums(
        self, table: Table[Any], column: str, by: tuple[str, ...], where: Mapping[str, Value], audience: int
    ) -> tuple[tuple[Any, ...], ...]:
        """See `protocol.practice.Reader`."""
        with self._lock:
            return self._tables.sums(table, column, by, where, audience)

    def row_audience(self, table: Table[Any], space: int, key: tuple[Value, ...]) -> int | None:
        """See `protocol.practice.Reader`."""
        with self._lock:
            return self._tables.row_audience(table, space, key)

    def position_of(self, space: int, digest: bytes, audience: int) -> int | None:
        """See `protocol.practice.Reader`."""
        with self._lock:
            return self._tables.position_of(space, digest, audience)

    def space_id(self, space: int) -> bytes:
        """See `protocol.practice.Reader`."""
        with self._lock:
            return self._tables.space_id(space)

    def space_number(self, space_id: bytes) -> int | None:
        """See `protocol.practice.Reader`."""
        with self._lock:
            return self._tables.space_number(space_id)


class Tables:
    """The reader and the writer of read tables over one connection; a writer's transaction is the caller's."""

    def __init__(self, db: Connection, *, remember: bool = True) -> None:
        self.db, self.remember = db, remember
        self._waiting: dict[str, list[tuple[str, list[tuple[Any, ...]]]]] = {}
        self._known: dict[str, dict[Any, Any]] = {}
        self._puts: dict[str, str] = {}
        self._totals: dict[
            str, list[tuple[str, Callable[[tuple[Any, ...]], tuple[Any, ...]], int, dict[tuple[Any, ...], int]]]
        ] = {}
        self._numbers: dict[bytes, int] = {}
        self._ids: dict[int, bytes] = {}
        self._version = -1

    # Reading

    def refresh(self) -> None:
        """Forget what was remembered if another connection has written since."""
        (version,) = self.db.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            self.forget()

    def forget(self) -> None:
        """Forget every remembered answer."""
        self._known.clear()
        self._numbers.clear()
        self._ids.clear()

    @property
    def version(self) -> int:
        """Rises when another connection has written; the same number means the same tables."""
        return self._version

    def rows(self, table: Table[R], where: Mapping[str, Asked], order: str, limit: int, audience: int) -> tuple[R, ...]:
        """See `protocol.practice.Reader`."""
        if table.name in self._waiting:
            self.flush(table.name)
        known = self._known.get(table.name)
        if known is None or len(known) > _REMEMBERED:
            known = self._known[table.name] = {}
        asked = (tuple(where.items()), order, limit, audience)
        found = known.get(asked)
        if found is None:
            shape = tuple((name, _test(value)) for name, value in where.items())
            sql = _select(table, shape, order, limit, _scope(audience))
            values = [each.value if isinstance(each, Least) else each for each in where.values() if each is not None]
            kind = table.row
            found = tuple([kind(*row) for row in self.db.execute(sql, values)])
            if self.remember:
                known[asked] = found
        return found

    def sums(
        self, table: Table[Any], column: str, by: tuple[str, ...], where: Mapping[str, Value], audience: int
    ) -> tuple[tuple[Any, ...], ...]:
        """See `protocol.practice.Reader`."""
        if table.name in self._waiting:
            self.flush(table.name)
        known = self._known.setdefault(table.name, {})
        asked = ("sums", column, by, tuple(where.items()), audience)
        found = known.get(asked)
        if found is None:
            source = _source(table, column, {*by, *where})
            tests = [f"{name} IS NULL" if value is None else f"{name}=?" for name, value in where.items()]
            tests += [scope] if (scope := _scope(audience)) else []
            group = ", ".join(by)
            sql = f"SELECT {group}{', ' if group else ''}sum({column}) FROM {source}"
            sql += f" WHERE {' AND '.join(tests)}" if tests else ""
            sql += f" GROUP BY {group} ORDER BY {group}" if group else ""
            found = tuple(self.db.execute(sql, [value for value in where.values() if value is not None]))
            if self.remember:
                known[asked] = found
        return found

    def row_audience(self, table: Table[Any], space: int, key: tuple[Value, ...]) -> int | None:
        """See `protocol.practice.Reader`."""
        self.flush(table.name)
        found = self.db.execute(f"SELECT audience FROM {table.name} WHERE {_keys(table)}", (space, *key)).fetchone()
        return None if found is None else int(found[0])

    def position_of(self, space: int, digest: bytes, audience: int) -> int | None:
        """See `protocol.practice.Reader`."""
        self.flush("digest")
        low, high = space << POSITIONS, (space + 1) << POSITIONS
        sql = "SELECT id FROM digest WHERE prefix=? AND id>=? AND id<?" + (
            f" AND {_scope(audience)}" if audience != EVERYTHING else ""
        )
        for (at,) in self.db.execute(sql, (prefix_of(digest), low, high)):
            found = self.db.execute("SELECT digest FROM log WHERE id=?", (at,)).fetchone()
            if found and found[0] == digest:
                return int(at) - low
        return None

    def space_id(self, space: int) -> bytes:
        """See `protocol.practice.Reader`."""
        found = self._ids.get(space)
        if found is None:
            (found,) = self.db.execute("SELECT id FROM space WHERE number=?", (space,)).fetchone()
            self._ids[space] = found
        return found

    def space_number(self, space_id: bytes) -> int | None:
        """See `protocol.practice.Reader`."""
        found = self._numbers.get(space_id)
        if found is None:
            row = self.db.execute("SELECT number FROM space WHERE id=?", (space_id,)).fetchone()
            if row is None:
                return None
            found = self._numbers[space_id] = int(row[0])
        return found

    # Writing

    def write(self, space: int, audience: int, changes: Iterable[Change]) -> None:
        """Queue a record's changes; they are in the table when it is next read, or at `flush`."""
        for change in changes:
            table = change.table
            if isinstance(change, Put):
                row: tuple[Any, ...] = astuple(change.row)
                if row[0] != space:
                    raise AssertionError(f"{table.name}: a record changes rows of its own space only")
                row = (*row, audience)
                sql = self._puts.get(table.name) or self._put_sql(table)
                if table.totals:
                    self._count(table, row)
            elif isinstance(change, Patch):
                if not set(change.columns) <= set(table.row.__struct_fields__) - {"space", *table.key}:
                    raise AssertionError(f"{table.name}: a patch sets columns that are no key")
                if any(name in (total.column, *total.by) for total in table.totals for name in change.columns):
                    raise AssertionError(f"{table.name}: what is summed is never patched")
                sql = f"UPDATE {table.name} SET {', '.join(f'{c}=?' for c in change.columns)} WHERE {_keys(table)}"
                row = (*change.columns.values(), space, *change.key)
            elif table.totals:
                raise AssertionError(f"{table.name}: rows that are summed are never dropped")
            else:
                sql, row = f"DELETE FROM {table.name} WHERE {_keys(table)}", (space, *change.key)
            self._wait(table.name, sql, row)

    def index(self, space: int, position: int, digest: bytes, audience: int) -> None:
        """Queue a judged record for the index of digests."""
        sql = "INSERT OR REPLACE INTO digest VALUES (?,?,?)"
        self._wait("digest", sql, (prefix_of(digest), (space << POSITIONS) + position, audience))

    def _wait(self, name: str, sql: str, row: tuple[Any, ...]) -> None:
        runs = self._waiting.get(name)
        if runs is None:
            self._waiting[name] = [(sql, [row])]
            self._known.pop(name, None)
        elif runs[-1][0] == sql:
            runs[-1][1].append(row)
        else:
            runs.append((sql, [row]))

    def _put_sql(self, table: Table[Any]) -> str:
        names = (*table.row.__struct_fields__, "audience")
        way = "INSERT" if table.totals else "INSERT OR REPLACE"
        sql = f"{way} INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        self._puts[table.name] = sql
        return sql

    def _count(self, table: Table[Any], row: tuple[Any, ...]) -> None:
        counted = self._totals.get(table.name)
        if counted is None:
            fields_ = table.row.__struct_fields__
            counted = self._totals[table.name] = []
            for number, total in enumerate(table.totals):
                keys = ", ".join(("space", *total.by, "audience"))
                marks = ", ".join("?" * (len(total.by) + 3))
                sql = (
                    f"INSERT INTO {total_name(table, number)} ({keys}, {total.column}) VALUES ({marks})"
                    f" ON CONFLICT DO UPDATE SET {total.column}={total.column}+excluded.{total.column}"
                )
                at = (0, *(fields_.index(name) for name in total.by), len(fields_))
                counted.append((sql, itemgetter(*at), fields_.index(total.column), {}))
        for _, key_of, value_at, sums in counted:
            key = key_of(row)
            sums[key] = sums.get(key, 0) + row[value_at]

    def flush(self, name: str | None = None) -> None:
        """Let waiting changes in, of one table or of all."""
        for table in [name] if name else list(self._waiting):
            for sql, rows in self._waiting.pop(table, ()):
                self.db.executemany(sql, rows)
            for sql, _, _, sums in self._totals.pop(table, ()):
                self.db.executemany(sql, [(*key, value) for key, value in sums.items()])

    def abandon(self) -> None:
        """Drop what waits and what is remembered: the transaction was rolled back."""
        self._waiting.clear()
        self._totals.clear()
        self.forget()

    def clear(self, tables: Iterable[Table[Any]], space: int) -> None:
        """Remove one space's rows from every table."""
        self.abandon()
        for name in names(tables)[1:]:
            self.db.execute(f"DELETE FROM {name} WHERE space=?", (space,))
        self.db.execute("DELETE FROM digest WHERE id>=? AND id<?", (space << POSITIONS, (space + 1) << POSITIONS))

    def dump(self, tables: Iterable[Table[Any]]) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table in key order, to compare."""
        self.flush()
        told = {
            t.name: list(self.db.execute(f"SELECT * FROM {t.name} ORDER BY {', '.join(('space', *t.key))}")) for t in tables
        }
        for name in names(tables):
            if name not in told:
                told[name] = sorted(self.db.execute(f"SELECT * FROM {name}"))
        return told


def _source(table: Table[Any], column: str, asked: set[str]) -> str:
    """The smallest table that has what a sum asks for: a total if one is kept by all of it, else the rows themselves."""
    for number, total in enumerate(table.totals):
        if total.column == column and asked <= {"space", *total.by}:
            return total_name(table, number)
    return table.name


def _keys(table: Table[Any]) -> str:
    return " AND ".join(f"{column}=?" for column in ("space", *table.key))
