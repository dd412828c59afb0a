"""A collective whose figures, reviews and lots a test can bring about, behind the judge as on a node."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct

from node import render_text
from node.words import Telling
from protocol import moon
from protocol.body import structure_and_words
from protocol.drawing import LOTS, MEMBERS_SOURCE, POOLS, Lot, Pool
from protocol.keys import SigningKey
from protocol.mandate import ANYBODY, act_name
from protocol.membership import MEMBERSHIPS, members_at
from protocol.page import Block, Ref
from protocol.practice import FOREVER_MS, GRANTS, PUBLIC, Grant, R
from protocol.practices import PRACTICES, tripwires
from protocol.practices.tripwires import FiguresNoted, ReviewAccepted, ReviewReported, Value, WireSet
from protocol.wires import (
    DAY_MS,
    FACILITATOR,
    REVIEWS,
    WIRES,
    Review,
    Wire,
    open_reviews,
)
from protocol.working import HOURS, Hours
from tests.laws.examples import EXAMPLES
from tests.laws.world import MINUTE_MS, Registry, World

SHARE = "workload.top-share"
PRACTICE = tripwires.PRACTICE


class Names:
    def label(self, ref: Ref) -> str:
        return "somebody"

    def path(self, ref: Ref) -> str:
        return "/record/x"


def filled(row: type[R], **columns: Any) -> R:
    """A row of space 1 with these columns, the others at nothing."""
    hints = typing.get_type_hints(row)
    nothing = {int: 0, str: "", bytes: b"", bool: False}
    rest = {name: nothing.get(hints[name]) for name in row.__struct_fields__}
    return row(**{**rest, "space": 1, **columns})


class House:
    """One space of some members, behind the judge; what decisions and lots would bring about is put into its rows."""

    def __init__(self, people: int = 6) -> None:
        self.world = World(Registry(PRACTICES), EXAMPLES, 5, spaces=1)
        while len(self.members) < people:
            self.world.step_here("member.invited/1")
            self.world.step_here("member.joined/1")
        self.world.now_ms = moon.new_moon_ms(self.world.cycle + 1) + DAY_MS
        while len(self.members) > people:
            gone = self.members[-1]
            self.world.store.write(1, PUBLIC, (MEMBERSHIPS.patch(gone, ended_ms=self.world.now_ms),))
        assert len(self.members) == people

    @property
    def view(self) -> Any:
        return self.world.view

    @property
    def members(self) -> list[bytes]:
        return [row.member for row in members_at(self.view, self.world.now_ms)]

    @property
    def clock(self) -> SigningKey:
        return next(iter(self.world.isle.nodes.values()))

    def key(self, member: bytes) -> SigningKey:
        return self.world.keys_of(member)[0]

    def write(self, kind: str, body: Struct, member: int = 0, audience: int | None = None) -> str:
        return self.world.write(kind, body, self.key(self.members[member]), audience)

    def last(self) -> bytes:
        return self.world.isle.log[-1].digest

    def decide(self, kind: str, body: Struct, member: int = 0) -> str:
        """An act for which a decision has just given leave."""
        self.allow(kind, body)
        return self.write(kind, body, member)

    def allow(self, kind: str, body: Struct) -> None:
        concerned = self.world.kinds[kind].concerns(self.view, body)
        name = act_name(kind, structure_and_words(body)[0], concerned)
        now_ms = self.world.now_ms
        grant = Grant(
            1, sha256(name.encode()).digest(), name, ANYBODY, now_ms - MINUTE_MS, FOREVER_MS, 0, False, "The decision"
        )
        self.world.store.write(1, PUBLIC, (GRANTS.put(grant),))

    def set(
        self, figure: str = SHARE, compare: Any = "above", number: int = 400, cycles: int = 1, who: Sequence[int] = ()
    ) -> Wire:
        body = WireSet(figure, compare, number, cycles, [self.members[at] for at in who], "The care circle")
        refused = self.decide("tripwire.set/1", body)
        assert not refused, refused
        wire = self.view.get(WIRES, self.last())
        assert wire is not None
        return wire  # type: ignore[no-any-return]  # of a view that may hold anything

    def next_moon(self) -> int:
        """To the minute of the next new moon; the cycle that ended."""
        ended = self.world.cycle
        self.world.now_ms = moon.new_moon_ms(ended + 1)
        return ended

    def note(self, cycle: int, *, key: SigningKey | None = None, audience: int | None = None, **values: int) -> str:
        said = [Value(name.replace("__", ".").replace("_", "-"), value) for name, value in values.items()]
        return self.world.write("figures.noted/1", FiguresNoted(cycle, said), key or self.clock, audience)

    def moon(self, share: int) -> bytes:
        """A cycle ends with this share; the record of its figures."""
        refused = self.note(self.next_moon(), workload__top_share=share, members__count=len(self.members))
        assert not refused, refused
        return self.last()

    def tripped(self, wire: Wire) -> Review:
        self.moon(523)
        (review,) = [each for each in open_reviews(self.view) if each.wire == wire.id]
        return review

    def work(self, *quarters: int, after_ms: int = 1000) -> None:
        """What the first members noted in public in this cycle, in their order, so long after its new moon."""
        cycle = moon.cycle_at(self.world.now_ms)
        logged_ms = moon.new_moon_ms(cycle) + after_ms
        rows = [
            filled(
                Hours, id=bytes([number]) * 32, position=number, member=member, quarters=each, cycle=cycle,
                noted_cycle=moon.cycle_at(logged_ms), logged_ms=logged_ms, category="care",
            )
            for number, (member, each) in enumerate(zip(self.members, quarters, strict=False), 1)
        ]  # fmt: skip
        self.world.store.write(1, PUBLIC, tuple(HOURS.put(row) for row in rows))

    def draw(self, review: Review, *members: int) -> None:
        people = [self.members[at] for at in members]
        lot = filled(
            Lot, id=sha256(review.id).digest(), purpose=FACILITATOR, subject=review.id, seats=1, size=len(people), attempt=1,
            source=MEMBERS_SOURCE, committed=2, revealed=2, drawn_ms=review.opened_ms,
        )  # fmt: skip
        pool = filled(Pool, lot=lot.id, people=b"".join(sorted(people)), drawn=b"".join(people), chosen=1)
        self.world.store.write(1, PUBLIC, (LOTS.put(lot), POOLS.put(pool)))

    def report(self, review: Review, member: int = 0) -> str:
        return self.write("review.reported/1", ReviewReported(review.wire, review.cycle, "One does most.", "Share it."), member)

    def close(self, review: Review) -> None:
        assert not self.report(review, 1)
        assert not self.decide("review.accepted/1", ReviewAccepted(self.last()))

    def reviews(self) -> list[tuple[int, bool]]:
        rows = sorted(self.view.all(REVIEWS), key=lambda review: review.cycle)
        return [(review.cycle, review.closed_ms == FOREVER_MS) for review in rows]

    def said(self, blocks: Sequence[Block]) -> str:
        return " ".join(render_text.text(list(blocks), Telling(Names(), self.world.now_ms)).split())

    def page(self) -> str:
        return self.said(list(tripwires.PRACTICE.page(self.view, self.world.now_ms)))

    def due(self) -> list[tuple[str, bytes | None]]:
        return [(each.what, each.who) for each in PRACTICE.due(self.view, self.world.now_ms)]
