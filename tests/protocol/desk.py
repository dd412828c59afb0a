"""A store for the tests of practices: rows in dictionaries, returned in an order that means nothing.

`Desk.write` runs a kind's rule as the judge would, without authority and signatures, and puts what it yields.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from protocol.judge import require_audience
from protocol.practice import EVERYTHING, PUBLIC, Act, Asked, Change, Drop, Kind, Patch, Put, R, Table, Value, View
from protocol.record import sees
from tests.laws.memory import fits


class Desk:
    """An in-memory `Reader`, and a writer for single records."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.kept: dict[str, dict[tuple[Value, ...], tuple[Any, int]]] = defaultdict(dict)
        self.ids: dict[int, bytes] = {}
        self.numbers: dict[bytes, int] = {}
        self.logs: dict[int, list[tuple[bytes, int]]] = defaultdict(list)
        self.reads: list[tuple[str, str, tuple[str, ...]]] = []

    def meet(self, space_id: bytes) -> int:
        if space_id not in self.numbers:
            number = len(self.numbers) + 1
            self.numbers[space_id], self.ids[number] = number, space_id
        return self.numbers[space_id]

    def view(self, space_id: bytes, audience: int = EVERYTHING) -> View:
        return View(self, self.meet(space_id), audience)

    def write(
        self,
        kind: Kind[Any],
        body: Struct,
        *,
        space: bytes = b"a" * 32,
        logged_ms: int = 1_772_000_040_000,
        member: bytes = b"m" * 32,
        audience: int = PUBLIC,
        digest: bytes = b"",
    ) -> bytes:
        """The record's digest; Refused passes through and leaves nothing behind."""
        number = self.meet(space)
        position = len(self.logs[number])
        digest = digest or sha256(space + b"%d/" % position + msgspec.msgpack.encode(body)).digest()
        act = Act(number, digest, position, logged_ms, member, member, audience, body)
        require_audience(kind, audience)
        changes = tuple(kind.rule(View(self, number, audience), act))
        for change in changes:
            self.put(number, audience, change)
        self.logs[number].append((digest, audience))
        return digest

    def put(self, space: int, audience: int, change: Change) -> None:
        rows = self.kept[change.table.name]
        if isinstance(change, Put):
            assert change.row.space == space
            key = (space, *(getattr(change.row, column) for column in change.table.key))
            rows[key] = change.row, audience
        elif isinstance(change, Patch):
            key = (space, *change.key)
            row, wide = rows[key]
            rows[key] = msgspec.structs.replace(row, **change.columns), wide
        else:
            assert isinstance(change, Drop)
            del rows[space, *change.key]

    # Reader

    def _found(self, table: Table[R], where: Mapping[str, Asked], audience: int) -> list[R]:
        found = [
            row
            for row, wide in self.kept[table.name].values()
            if (audience == EVERYTHING or sees(audience, wide))
            and all(fits(getattr(row, column), asked) for column, asked in where.items())
        ]
        self.random.shuffle(found)
        return found

    def rows(self, table: Table[R], where: Mapping[str, Asked], order: str, limit: int, audience: int) -> tuple[R, ...]:
        self.reads.append(("rows", table.name, tuple(where)))
        found = self._found(table, where, audience)
        if order:
            key = order.removeprefix("-")
            found.sort(
                key=lambda row: tuple(getattr(row, c) for c in (key, "space", *table.key)), reverse=order.startswith("-")
            )
        return tuple(found[:limit] if limit else found)

    def sums(
        self, table: Table[Any], column: str, by: tuple[str, ...], where: Mapping[str, Value], audience: int
    ) -> tuple[tuple[Any, ...], ...]:
        self.reads.append(("sums", table.name, tuple(where)))
        groups: dict[tuple[Any, ...], int] = defaultdict(int)
        for row in self._found(table, where, audience):
            groups[tuple(getattr(row, each) for each in by)] += getattr(row, column)
        return tuple((*group, groups[group]) for group in sorted(groups))

    def row_audience(self, table: Table[Any], space: int, key: tuple[Value, ...]) -> int | None:
        found = self.kept[table.name].get((space, *key))
        return None if found is None else found[1]

    def position_of(self, space: int, digest: bytes, audience: int) -> int | None:
        for position, (each, wide) in enumerate(self.logs[space]):
            if each == digest and (audience == EVERYTHING or sees(audience, wide)):
                return position
        return None

    def space_id(self, space: int) -> bytes:
        return self.ids[space]

    def space_number(self, space_id: bytes) -> int | None:
        return self.numbers.get(space_id)
