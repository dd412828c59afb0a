"""Read tables: what is asked is what was written, by the index, for the audience; totals are the sums of the rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.database import Database
from node.schema import migrate
from node.tables import Tables, all_ddl, ddl
from protocol.practice import EVERYTHING, PUBLIC, Least, Row, Table, Total, Value
from protocol.practices import TABLES
from protocol.record import ALLIES, MEMBERS, NAMED


class Line(Row, frozen=True):
    """A line of an account."""

    position: int
    account: str
    day: int
    amount: int
    words: str | None = None


LINES = Table(
    "line", Line, ("position",), (("account", "day"),), (("account",),), ("words",), (Total("amount", ("account", "day")),)
)
PLAIN = Table("plain", Line, ("account", "position"), (("day",),))


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    database = Database(tmp_path / "node.db")
    migrate(database.tidy)
    for statement in all_ddl((LINES, PLAIN)):
        database.writer.execute(statement)
    yield Tables(database.writer)
    database.close()


def test_totals_are_the_sums_of_the_rows_for_each_audience_however_they_are_flushed(tables: Tables) -> None:
    rng = random.Random(4)
    rows = []
    for position in range(400):
        scope = rng.choice([PUBLIC, ALLIES, MEMBERS])
        row = Line(rng.choice([1, 2]), position, rng.choice("abc"), rng.randrange(3), rng.randrange(-50, 50))
        rows.append((scope, row))
        tables.write(row.space, scope, [LINES.put(row)])
        if rng.random() < 0.1:
            tables.flush()
    for audience in (PUBLIC, ALLIES, MEMBERS, EVERYTHING):
        seen = [row for scope, row in rows if scope <= audience]
        for by in (("account",), ("account", "day"), ("space", "account")):
            expected: Counter[tuple[object, ...]] = Counter()
            for row in seen:
                expected[tuple(getattr(row, name) for name in by)] += row.amount
            told = tables.sums(LINES, "amount", by, {}, audience)
            assert {tuple(each[:-1]): each[-1] for each in told} == dict(expected)
        by_position = tables.sums(LINES, "amount", ("position",), {"space": 1}, audience)  # no total has it: from the rows
        assert sum(each[-1] for each in by_position) == sum(row.amount for row in seen if row.space == 1)


def test_what_is_summed_is_neither_patched_nor_dropped(tables: Tables) -> None:
    tables.write(1, PUBLIC, [LINES.put(Line(1, 1, "a", 1, 5))])
    tables.write(1, PUBLIC, [LINES.patch(1, words="said")])
    for change in (LINES.patch(1, amount=6), LINES.patch(1, day=2), LINES.drop(1)):
        with pytest.raises(AssertionError, match="summed"):
            tables.write(1, PUBLIC, [change])


def test_a_record_cannot_write_a_row_of_another_space(tables: Tables) -> None:
    with pytest.raises(AssertionError, match="own space only"):
        tables.write(2, PUBLIC, [LINES.put(Line(1, 1, "a", 1, 5))])


def test_rows_come_ordered_limited_and_only_for_those_who_may_see_them(tables: Tables) -> None:
    for position, scope in enumerate((PUBLIC, ALLIES, MEMBERS, NAMED + 7, NAMED + 8)):
        tables.write(1, scope, [PLAIN.put(Line(1, position, "a", 9 - position, scope))])

    def positions(audience: int, order: str = "", limit: int = 0) -> list[int]:
        return [row.position for row in tables.rows(PLAIN, {"space": 1}, order, limit, audience)]

    assert positions(PUBLIC) == [0]
    assert positions(ALLIES) == [0, 1]
    assert positions(MEMBERS) == [0, 1, 2]
    assert positions(NAMED + 7) == [0, 3]
    assert positions(EVERYTHING) == [0, 1, 2, 3, 4]
    assert positions(EVERYTHING, "day") == [4, 3, 2, 1, 0]
    assert positions(EVERYTHING, "-day", 2) == [0, 1]


def test_a_column_is_asked_for_from_a_value_on_and_by_the_index_that_ends_in_it(tables: Tables) -> None:
    for position in range(6):
        tables.write(1 + position // 5, PUBLIC, [LINES.put(Line(1 + position // 5, position, "ab"[position % 2], position, 0))])
    asked: list[str] = []
    tables.db.set_trace_callback(asked.append)
    found = tables.rows(LINES, {"space": 1, "account": "a", "day": Least(2)}, "day", 0, EVERYTHING)
    tables.db.set_trace_callback(None)
    assert [row.day for row in found] == [2, 4]
    plan = " ".join(str(row) for row in tables.db.execute("EXPLAIN QUERY PLAN " + asked[-1]))
    assert "account=? AND day>?" in plan and "TEMP B-TREE" not in plan
    assert [row.day for row in tables.rows(LINES, {"account": "a", "day": Least(3)}, "", 0, EVERYTHING)] == [4]
    assert [row.day for row in tables.rows(LINES, {"account": "a", "day": 3}, "", 0, EVERYTHING)] == []
    assert tables.rows(LINES, {"space": 1, "account": "a", "day": Least(5)}, "", 0, EVERYTHING) == ()


def test_a_remembered_answer_is_forgotten_when_its_table_is_written(tables: Tables) -> None:
    where: dict[str, Value] = {"space": 1, "account": "a"}
    assert tables.rows(PLAIN, where, "", 0, EVERYTHING) == ()
    tables.write(1, PUBLIC, [PLAIN.put(Line(1, 1, "a", 1, 5))])
    assert len(tables.rows(PLAIN, where, "", 0, EVERYTHING)) == 1
    tables.write(1, PUBLIC, [PLAIN.patch("a", 1, amount=6)])
    assert tables.rows(PLAIN, where, "", 0, EVERYTHING)[0].amount == 6
    tables.write(1, PUBLIC, [PLAIN.drop("a", 1)])
    assert tables.rows(PLAIN, where, "", 0, EVERYTHING) == ()


def test_a_reader_sees_what_was_committed_since_it_last_looked(tmp_path: Path) -> None:
    database = Database(tmp_path / "node.db")
    migrate(database.tidy)
    for statement in all_ddl((PLAIN,)):
        database.writer.execute(statement)
    writer, reader = Tables(database.writer), Tables(database.reader())
    reader.refresh()
    assert reader.rows(PLAIN, {"space": 1}, "", 0, EVERYTHING) == ()
    with database.transaction():
        writer.write(1, PUBLIC, [PLAIN.put(Line(1, 1, "a", 1, 5))])
        writer.flush()
        reader.refresh()
        assert reader.rows(PLAIN, {"space": 1}, "", 0, EVERYTHING) == ()
    reader.refresh()
    assert len(reader.rows(PLAIN, {"space": 1}, "", 0, EVERYTHING)) == 1
    database.close()


@pytest.mark.parametrize("name", ["account", "day"])
def test_a_read_by_an_index_names_that_index(tables: Tables, name: str) -> None:
    table = LINES if name == "account" else PLAIN
    asked: list[str] = []
    tables.db.set_trace_callback(asked.append)
    tables.rows(table, {"space": 1, name: 1}, "", 0, EVERYTHING)
    tables.db.set_trace_callback(None)
    assert "INDEXED BY" in asked[-1]
    plan = " ".join(str(row) for row in tables.db.execute("EXPLAIN QUERY PLAN " + asked[-1]))
    assert f"{name}=?" in plan and "SCAN" not in plan


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_of_every_practice_can_be_created(table: Table[Row], tables: Tables) -> None:
    for statement in ddl(table):
        tables.db.execute(statement)
    tables.rows(table, {"space": 1}, "", 0, PUBLIC)
