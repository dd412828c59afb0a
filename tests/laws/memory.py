"""A second store, in dictionaries: rows, digests and the fold of several logs, written apart from the one in SQLite.

`shuffled` returns rows in an order that means nothing wherever no order was asked for, so that a rule cannot lean on one.
While a record is judged a fence stands around its space: what a rule asks beyond it is written down in `trespasses`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec.structs import astuple

from protocol.judge import Fold, Stored, Verdict
from protocol.practice import EVERYTHING, Asked, Change, Kind, Least, Patch, Put, R, Table, Value, View
from protocol.record import sees

Rows = dict[str, dict[tuple[Value, ...], tuple[Value, ...]]]  # table -> (space, *key) -> (*columns, audience)


def fits(value: Any, asked: Asked) -> bool:
    """Whether a column's value is what is asked for."""
    return bool(value >= asked.value) if isinstance(asked, Least) else bool(value == asked)


class Memory:
    """Rows of several spaces; fits `protocol.practice.Reader`."""

    def __init__(self, *, shuffled: bool = True) -> None:
        self.random = random.Random(0) if shuffled else None
        self.kept: dict[str, dict[tuple[Value, ...], tuple[Any, int]]] = defaultdict(dict)
        self.ids: dict[int, bytes] = {}
        self.numbers: dict[bytes, int] = {}
        self.places: dict[tuple[int, bytes], tuple[int, int]] = {}
        self.folds: dict[int, Fold] = {}
        self.fence = 0  # the space whose record is being judged
        self.trespasses: list[str] = []
        self.foreign: list[str] = []  # rows of another space that a record tried to change
        self.without: frozenset[str] = frozenset()  # tables that stay empty

    # Writing

    def meet(self, space_id: bytes, number: int = 0) -> int:
        """The number of a space, given now if it has none."""
        if space_id not in self.numbers:
            number = number or len(self.numbers) + 1
            self.numbers[space_id], self.ids[number] = number, space_id
        return self.numbers[space_id]

    def fold(self, space: int, kinds: Mapping[str, Kind[Any]]) -> Fold:
        """The one fold of a space's log."""
        if space not in self.folds:
            self.folds[space] = Fold(self, space, kinds)
        return self.folds[space]

    def keep(self, space: int, stored: Stored, verdict: Verdict) -> None:
        """What a record changes, the clock of its author, and where it stands."""
        self.foreign += [
            f"{verdict.kind} writes to {change.table.name} of another space"
            for change in verdict.changes
            if isinstance(change, Put) and change.row.space != space
        ]
        self.write(space, verdict.audience, verdict.changes)
        for scope, change in self.folds[space].finish():
            self.write(space, scope, (change,))
        self.places[space, stored.digest] = stored.position, verdict.audience

    def write(self, space: int, audience: int, changes: Iterable[Change]) -> None:
        """Changes of one record."""
        for change in changes:
            if change.table.name in self.without:
                continue
            rows = self.kept[change.table.name]
            if isinstance(change, Put):
                key = (change.row.space, *(getattr(change.row, column) for column in change.table.key))
                rows[key] = change.row, audience
            elif (space, *change.key) in rows:
                if isinstance(change, Patch):
                    row, held = rows[space, *change.key]
                    rows[space, *change.key] = msgspec.structs.replace(row, **change.columns), held
                else:
                    del rows[space, *change.key]

    def judge(self, space: int, stored: Stored, kinds: Mapping[str, Kind[Any]]) -> Verdict:
        """What a record in a log changes, judged behind the fence."""
        fold = self.fold(space, kinds)
        with self.fenced(space):
            return fold.take(stored)

    @contextmanager
    def fenced(self, space: int) -> Iterator[None]:
        """Watch what is asked beyond a space."""
        self.fence = space
        try:
            yield
        finally:
            self.fence = 0

    def replay(self, space_id: bytes, number: int, log: Sequence[Stored], kinds: Mapping[str, Kind[Any]]) -> None:
        """A whole log from nothing."""
        space = self.meet(space_id, number)
        for table in self.kept.values():
            for key in [key for key in table if key[0] == space]:
                del table[key]
        self.places = {at: where for at, where in self.places.items() if at[0] != space}
        self.folds.pop(space, None)
        self.fold(space, kinds)
        for stored in log:
            self.keep(space, stored, self.judge(space, stored, kinds))

    def dump(self, audience: int = EVERYTHING) -> Rows:
        """Every row that an audience sees, as plain values."""
        return {
            name: {key: (*astuple(row), held) for key, (row, held) in rows.items() if _sees(audience, held)}
            for name, rows in sorted(self.kept.items())
            if any(_sees(audience, held) for _, held in rows.values())
        }

    def view(self, space_id: bytes, audience: int = EVERYTHING) -> View:
        """What is held, seen from a space."""
        return View(self, self.meet(space_id), audience)

    # Reader

    def _step(self, what: str, space: object) -> None:
        if self.fence and space != self.fence:
            self.trespasses.append(f"a rule asks {what} of another space")

    def _found(self, table: Table[R], where: Mapping[str, Asked], audience: int) -> list[R]:
        self._step(f"for {table.name}", where.get("space"))
        found = [
            row
            for row, held in self.kept[table.name].values()
            if _sees(audience, held) and all(fits(getattr(row, column), asked) for column, asked in where.items())
        ]
        if self.random:
            self.random.shuffle(found)
        else:
            found.sort(key=lambda row: [getattr(row, column) for column in ("space", *table.key)])
        return found

    def rows(self, table: Table[R], where: Mapping[str, Asked], order: str, limit: int, audience: int) -> tuple[R, ...]:
        """See `protocol.practice.Reader`."""
        found = self._found(table, where, audience)
        if order:
            columns = (order.removeprefix("-"), "space", *table.key)
            found.sort(key=lambda row: [getattr(row, column) for column in columns], reverse=order.startswith("-"))
        return tuple(found[:limit] if limit else found)

    def sums(
        self, table: Table[Any], column: str, by: tuple[str, ...], where: Mapping[str, Value], audience: int
    ) -> tuple[tuple[Any, ...], ...]:
        """See `protocol.practice.Reader`."""
        groups: dict[tuple[Any, ...], int] = defaultdict(int)
        for row in self._found(table, where, audience):
            groups[tuple(getattr(row, each) for each in by)] += getattr(row, column)
        return tuple((*group, groups[group]) for group in sorted(groups))

    def row_audience(self, table: Table[Any], space: int, key: tuple[Value, ...]) -> int | None:
        """See `protocol.practice.Reader`."""
        found = self.kept[table.name].get((space, *key))
        return None if found is None else found[1]

    def position_of(self, space: int, digest: bytes, audience: int) -> int | None:
        """See `protocol.practice.Reader`."""
        self._step("for a position", space)
        found = self.places.get((space, digest))
        return found[0] if found and _sees(audience, found[1]) else None

    def space_id(self, space: int) -> bytes:
        """See `protocol.practice.Reader`."""
        self._step("for the id", space)
        return self.ids[space]

    def space_number(self, space_id: bytes) -> int | None:
        """See `protocol.practice.Reader`."""
        number = self.numbers.get(space_id)
        self._step("for the number", number)
        return number


def _sees(audience: int, held: int) -> bool:
    return audience == EVERYTHING or sees(audience, held)
