"""Today: what needs me, my roles, and all of us, and what is near. The first page of every member, and `status` in words.

Built of blocks from what every practice says is due; nothing here is stored, so what has passed is gone by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from node.notices import Notice
from protocol import moon
from protocol.drawing import standing
from protocol.membership import founding_of, members_at
from protocol.page import Block, Cell, Facts, Grid, Heading, Link, Mark, Ref, State, Text, Wheel, When
from protocol.practice import FOREVER_MS, Due, View
from protocol.practices import PRACTICES
from protocol.resting import stood_in
from protocol.terms import held_by, roles_at, term_of
from protocol.wording import counted, shortened

_MARKS, _MARK = 9, 44  # of a wheel: how many, and how many letters long


class Needs(Struct, frozen=True):
    """What is due now, each once: for one member, for a role of theirs, and for all."""

    mine: tuple[Due, ...]
    roles: tuple[Due, ...]
    everybody: tuple[Due, ...]


def needs(view: View, member: bytes | None, now_ms: int) -> Needs:
    """What every practice says is due, by its end; what is for somebody else is left out."""
    roles = roles_with(view, member, now_ms) if member is not None else frozenset()
    mine: list[Due] = []
    ours: list[Due] = []
    everybody: list[Due] = []
    for practice in PRACTICES:
        for each in practice.due(view, now_ms):
            if each.until_ms <= now_ms:
                continue
            if each.who is None:
                (ours if each.role in roles else everybody).append(each)
            elif each.who == member:
                mine.append(each)
    return Needs(*(tuple(sorted(found, key=lambda each: (each.until_ms, each.what))) for found in (mine, ours, everybody)))


def roles_with(view: View, member: bytes, now_ms: int) -> frozenset[str]:
    """The short names of the roles that somebody holds now, stands in for, or is the shadow of."""
    held = {term.role for term in held_by(view, member, now_ms)}
    for rest in stood_in(view, member, now_ms):
        held |= {term.role for term in held_by(view, rest.member, now_ms) if rest.role in ("", term.role)}
    for row in roles_at(view, now_ms):
        term = None if row.role in held else term_of(view, row.role, now_ms)
        if term and member in standing(view, "shadow", term.id):
            held.add(row.role)
    return frozenset(held)


def marks(found: Needs, now_ms: int) -> list[Mark]:
    """What ends within this cycle, for the moon's wheel and strip."""
    return [Mark(each.what, each.until_ms) for each in _near(found, now_ms)[:_MARKS]]


def days(found: Needs, now_ms: int) -> list[Mark]:
    """What ends at each instant of this cycle, or how much, for a wheel that stands beside the list of it."""
    at: dict[int, list[str]] = {}
    for each in _near(found, now_ms):
        at.setdefault(each.until_ms, []).append(each.what)
    return [
        Mark(shortened(whats[0], _MARK) if len(whats) == 1 else f"{len(whats)} things due", until_ms)
        for until_ms, whats in list(at.items())[:_MARKS]
    ]


def _near(found: Needs, now_ms: int) -> list[Due]:
    try:
        _, ends = moon.cycle_bounds(moon.cycle_at(now_ms))
    except moon.OutsideTable:
        return []
    near = [each for each in (*found.mine, *found.roles, *found.everybody) if now_ms <= each.until_ms <= ends and not each.over]
    return sorted(near, key=lambda each: each.until_ms)


def for_member(view: View, member: bytes, now_ms: int) -> Iterator[Block]:
    """What needs this member, what their roles, and what all."""
    found = needs(view, member, now_ms)
    yield Heading("Needs you")
    yield table(found.mine, "Nothing waits for you in particular.")
    if found.roles:
        yield Heading("For your roles")
        yield table(found.roles)
    yield Heading("For all of us")
    yield table(found.everybody, "Nothing is due. What needs somebody's attention appears here by itself, with its day.")
    yield Heading("This cycle")
    yield Wheel("The moon's cycle, with what ends in it", now_ms, days(found, now_ms))


def came_due(noticed: Sequence[Notice], now_ms: int, quiet_until_ms: int = 0) -> Iterator[Block]:
    """What the clock noticed since somebody looked, newest first; nothing if there is nothing.

    While a rest runs, what is for all waits on the agenda and is not told here: only what is for this member alone.
    """
    found = [each for each in noticed if each.who is not None] if quiet_until_ms else noticed
    if not noticed:
        return
    yield Heading("Came due since you looked")
    if len(found) < len(noticed):
        yield Facts([("Rest, until", When(quiet_until_ms)), ("What came due for all", Link("waits on the agenda", "/agenda"))])
    if not found:
        return
    rows: list[list[Cell]] = [
        [
            Ref(each.link, "record", each.what),
            When(each.at_ms),
            State("open", "good") if each.alive and each.until_ms > now_ms else State("over"),
        ]
        for each in found
    ]
    yield Grid("", ("What", "Since", ""), rows)


def for_visitor(view: View, now_ms: int) -> Iterator[Block]:
    """What anybody may know of this space today."""
    found = needs(view, None, now_ms)
    here, space = members_at(view, now_ms), founding_of(view)
    if space:
        yield Text(f"A collective of {counted(len(here), 'member')}. What it shows in public is on these pages.")
    yield Heading("Open now")
    yield table(found.everybody, "Nothing is open to all at the moment.")
    yield Heading("This cycle")
    yield Wheel("The moon's cycle, with what ends in it", now_ms, days(found, now_ms))


def has_end(due: Due) -> bool:
    """Whether there is an instant until which it has to be done."""
    return due.until_ms < FOREVER_MS and not due.over


def table(due: Sequence[Due], empty: str = "") -> Grid:
    """What is due, with its day; what has none stands last."""
    rows: list[list[Cell]] = [
        [Ref(each.link, "record", each.what), When(each.until_ms) if has_end(each) else "until it is done"]
        for each in sorted(due, key=lambda each: not has_end(each))
    ]
    return Grid("", ("What", "Until"), rows, empty)
