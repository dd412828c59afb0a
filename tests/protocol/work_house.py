"""A small house for the tests of work: its members, what they write, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import Struct

from protocol import moon
from protocol.membership import MEMBERSHIPS, Membership
from protocol.page import Action, Block
from protocol.practice import FOREVER_MS, PUBLIC, Due, Kind, Refused
from protocol.practices.work import PRACTICE
from protocol.work_records import (
    Noted,
    Offered,
    Taken,
)
from protocol.working import DAY_MS, HOUR_MS
from tests.protocol.desk import Desk

KINDS: dict[str, Kind[Any]] = {kind.name.partition("/")[0]: kind for kind in PRACTICE.kinds}
A = b"a" * 32
CYCLE = 330
BEGINS = moon.new_moon_ms(CYCLE)
NOW = BEGINS + 5 * DAY_MS
ADA, BO, CY, DEE = (name.encode() * 32 for name in "mnop")
WORK = [1000, 202, 90, 33, 332, 343, 42, 433]  # CHAOSS, contributor absence factor


def house(members: Sequence[bytes] = (ADA, BO, CY), admitted_ms: int = 0) -> Desk:
    desk = Desk()
    for member in members:
        admit(desk, member, admitted_ms)
    return desk


def admit(desk: Desk, member: bytes, admitted_ms: int = 0, ended_ms: int = FOREVER_MS) -> None:
    number = desk.meet(A)
    row = Membership(number, member, 0, member, None, admitted_ms, admitted_ms, ended_ms, "", member[:1].decode(), "")
    desk.put(number, PUBLIC, MEMBERSHIPS.put(row))


def write(desk: Desk, name: str, body: Struct, member: bytes = ADA, at_ms: int = NOW, **more: Any) -> bytes:
    return desk.write(KINDS[name], body, space=A, member=member, logged_ms=at_ms, **more)


def refused(desk: Desk, name: str, body: Struct, member: bytes = ADA, at_ms: int = NOW, **more: Any) -> str:
    """The sentence of the refusal, and that nothing changed by it."""
    before = {table: dict(rows) for table, rows in desk.kept.items() if rows}
    with pytest.raises(Refused) as refusal:
        write(desk, name, body, member, at_ms, **more)
    assert before == {table: dict(rows) for table, rows in desk.kept.items() if rows}
    return str(refusal.value)


TASK = Offered(title="Mend the pump", category="building", ends_ms=NOW + 10 * DAY_MS)
SHIFT = Offered(
    title="Kitchen", category="kitchen", seats=2, starts_ms=NOW + 2 * DAY_MS, ends_ms=NOW + 2 * DAY_MS + 3 * HOUR_MS
)


def offered(desk: Desk, body: Offered = TASK, **more: Any) -> bytes:
    return write(desk, "task.offered", body, **more)


def taken(desk: Desk, body: Offered = TASK, member: bytes = ADA) -> bytes:
    task = offered(desk, body)
    write(desk, "task.taken", Taken(task), member)
    return task


def dues(desk: Desk, now_ms: int = NOW) -> list[Due]:
    return [due for due in PRACTICE.due(desk.view(A), now_ms) if due.since_ms <= now_ms]


def page(desk: Desk, now_ms: int = NOW) -> list[Block]:
    return list(PRACTICE.page(desk.view(A), now_ms))


def labels(blocks: Sequence[Block]) -> list[str]:
    return [block.label for block in blocks if isinstance(block, Action)]


def note(desk: Desk, quarters: int, member: bytes = ADA, at_ms: int = NOW, category: str = "care", **more: Any) -> bytes:
    return write(desk, "hours.noted", Noted(quarters=quarters, category=category), member, at_ms, **more)


def figures(desk: Desk, now_ms: int) -> dict[str, int]:
    return dict(PRACTICE.figures(desk.view(A), now_ms))


def crowd(count: int) -> list[bytes]:
    return [b"member %025d" % number for number in range(count)]


def worked(values: Sequence[int], cycle: int = CYCLE) -> Desk:
    """A house in which each noted so many quarter hours in a cycle, by records of at most 60 hours."""
    people = crowd(len(values))
    desk = house(people)
    for member, value in zip(people, values, strict=True):
        for at in range(0, value, 240):
            note(desk, min(240, value - at), member, moon.new_moon_ms(cycle) + DAY_MS)
    return desk
