"""Trip wires: figures noted in order, reviews that open by themselves, and that nobody ends alone."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from node import render_text
from node.words import Telling
from protocol import moon
from protocol.body import structure_and_words
from protocol.drawing import LOTS, MEMBERS_SOURCE, POOLS, Lot, Pool
from protocol.keys import SigningKey
from protocol.mandate import ANYBODY, act_name
from protocol.membership import MEMBERSHIPS, members_at
from protocol.page import Action, Block, Chart, Grid, Ref
from protocol.practice import FOREVER_MS, GRANTS, MEMBERS, PUBLIC, SETTINGS, Grant, R, Setting
from protocol.practices import PRACTICES, tripwires
from protocol.practices.tripwires import FiguresNoted, ReviewAccepted, ReviewReported, Value, WireRemoved, WireSet
from protocol.record import parse
from protocol.wire_blocks import with_live
from protocol.wires import (
    DAY_MS,
    FACILITATOR,
    MOST,
    NOTED,
    NOTINGS,
    REPORT_DAYS,
    REPORTS,
    REVIEWS,
    WIRES,
    Review,
    Wire,
    abstain,
    counts_from_ms,
    may_report,
    next_noting,
    open_reviews,
    review_id,
    run,
    standing_wires,
)
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
        refused = self.write("tripwire.set/1", body)
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


# Setting wires


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (WireSet("workload.gini", "above", 4000), "A Gini says little alone"),
        (WireSet("workload.gini-corrected", "above", 4000), "A Gini says little alone"),
        (WireSet(SHARE, "above", 400, 1, [b"x" * 32]), "no member now"),
    ],
)
def test_a_wire_that_makes_no_sense_is_refused_with_a_sentence(body: WireSet, sentence: str) -> None:
    assert sentence in House().write("tripwire.set/1", body)


@pytest.mark.parametrize(
    "body",
    [
        WireSet("Workload", "above", 1),
        WireSet("workload.ada lovelace", "above", 1),
        WireSet(SHARE + "\n", "above", 1),
        WireSet(SHARE, "beside", 1),  # type: ignore[arg-type]  # a word that it does not take
        WireSet(SHARE, "above", 1, 0),
        WireSet(SHARE, "above", 1, 14),
    ],
)
def test_a_wire_out_of_form_is_refused(body: WireSet) -> None:
    assert House().write("tripwire.set/1", body).startswith("Not in form")


def test_the_same_member_is_not_listed_twice_and_the_same_wire_does_not_stand_twice() -> None:
    house = House()
    first = house.members[0]
    assert "listed once" in house.write("tripwire.set/1", WireSet(SHARE, "above", 400, 1, [first, first]))
    house.set()
    assert "stands already" in house.write("tripwire.set/1", WireSet(SHARE, "above", 400))
    house.set(number=401)


def test_at_most_as_many_wires_stand_as_is_set() -> None:
    house = House()
    wires = [house.set(number=number) for number in range(MOST.default)]
    body = WireSet(SHARE, "above", 99)
    assert "At most 7 trip wires" in house.write("tripwire.set/1", body)
    assert not house.decide("tripwire.removed/1", WireRemoved(wires[2].id, "Looked at enough"))
    assert not house.write("tripwire.set/1", body)
    fewer = Setting(1, bytes(32), MOST.name, 99, 3, 0, FOREVER_MS)
    house.world.store.write(1, PUBLIC, (SETTINGS.put(fewer),))
    assert "At most 3 trip wires" in house.write("tripwire.set/1", WireSet(SHARE, "above", 98))


def test_a_wire_is_set_by_who_may_act_for_the_assembly_and_in_public() -> None:
    house = House()
    body = WireSet(SHARE, "above", 400)
    assert "is public" in house.write("tripwire.set/1", body, audience=MEMBERS) or "are public" in house.write(
        "tripwire.set/1", body, audience=MEMBERS
    )
    for row in house.view.all(GRANTS, name="assembly"):
        house.world.store.write(1, PUBLIC, (GRANTS.drop(row.source, row.name, row.holder),))
    assert "You have not been given “assembly”" in house.write("tripwire.set/1", body)
    assert not house.decide("tripwire.set/1", body)


# Noting figures


def test_figures_are_noted_by_the_clock_once_a_cycle_in_order_and_when_it_has_ended() -> None:
    house = House()
    house.set()
    cycle = house.world.cycle
    assert "has not ended" in house.note(cycle, workload__top_share=1)
    house.world.now_ms = moon.new_moon_ms(cycle + 1) - MINUTE_MS
    assert next_noting(house.view, house.world.now_ms) is None
    assert "has not ended" in house.note(cycle, workload__top_share=1)
    house.world.now_ms = moon.new_moon_ms(cycle + 3)
    assert f"cycle {cycle} come next" in house.note(cycle + 1, workload__top_share=1)
    assert f"cycle {cycle} come next" in house.note(cycle - 1, workload__top_share=1)
    for member in house.members:
        assert "You have not been given “clock”" in house.note(cycle, key=house.key(member), workload__top_share=1)
    assert "are public" in house.note(cycle, audience=MEMBERS, workload__top_share=1)
    for at in range(3):
        assert not house.note(cycle + at, workload__top_share=1, members__count=6)
        assert house.note(cycle + at, workload__top_share=1)
    assert [row.cycle for row in house.view.all(NOTINGS, order="cycle")] == [cycle, cycle + 1, cycle + 2]
    assert next_noting(house.view, house.world.now_ms) is None


def test_only_what_is_under_a_wire_is_noted_each_once_and_how_many_members_there_are() -> None:
    house = House()
    house.set()
    cycle = house.next_moon()
    house.set("ledger.reserve", "below", 5)
    coming = next_noting(house.view, house.world.now_ms)
    assert coming is not None
    assert coming.names == ("members.count", SHARE)  # a wire set after the cycle's end waits for the next
    assert coming.body({SHARE: 3, "ledger.reserve": 9}) == {"cycle": cycle, "figures": [{"name": SHARE, "value": 3}]}
    assert "under no wire" in house.note(cycle, ledger__reserve=4)
    twice = FiguresNoted(cycle, [Value(SHARE, 1), Value(SHARE, 900)])
    assert "listed once" in house.world.write("figures.noted/1", twice, house.clock)
    assert not house.note(cycle, workload__top_share=1, members__count=6)
    assert sorted((row.name, row.value) for row in house.view.all(NOTED)) == [("members.count", 6), (SHARE, 1)]


def test_cycles_without_a_wire_are_not_noted_and_none_is_left_out_while_one_stands() -> None:
    house = House()
    assert next_noting(house.view, FOREVER_MS) is None
    wire = house.set()
    house.moon(1)
    assert not house.decide("tripwire.removed/1", WireRemoved(wire.id, "Enough"))
    house.next_moon()
    assert next_noting(house.view, house.world.now_ms) is None
    for _ in range(3):
        house.next_moon()
    later = house.world.cycle
    house.set()
    assert next_noting(house.view, house.world.now_ms) is None
    house.next_moon()
    coming = next_noting(house.view, house.world.now_ms)
    assert coming is not None
    assert (coming.cycle, coming.ended_ms) == (later, house.world.now_ms)


# Tripping


@pytest.mark.parametrize(
    ("compare", "cycles", "values", "trips"),
    [
        ("above", 1, [400], []),
        ("above", 1, [401], [0]),
        ("below", 1, [400], []),
        ("below", 1, [399], [0]),
        ("above", 2, [500, 500], [1]),
        ("above", 2, [500, 400, 500, 500], [3]),
        ("above", 3, [500, 500, 500, 500], [2]),
        ("above", 2, [500, None, 500], []),
        ("above", 2, [500, None, 500, 500], [3]),
        ("below", 2, [-5, -9], [1]),
    ],
)
def test_a_wire_trips_when_it_holds_for_as_many_cycles_in_a_row_as_set(
    compare: str, cycles: int, values: list[int | None], trips: list[int]
) -> None:
    house = House()
    house.set(compare=compare, cycles=cycles)
    first = house.world.cycle
    for value in values:
        said = [] if value is None else [Value(SHARE, value)]
        assert not house.world.write("figures.noted/1", FiguresNoted(house.next_moon(), said), house.clock)
    assert [cycle - first for cycle, _ in house.reviews()] == trips


def test_a_review_holds_the_figure_of_its_moment_and_when_a_report_is_due() -> None:
    house = House()
    wire = house.set(who=[2])
    review = house.tripped(wire)
    assert review.id == review_id(wire.id, review.cycle)
    assert (review.value, review.opened_ms) == (523, moon.new_moon_ms(review.cycle + 1))
    assert review.report_by_ms == review.opened_ms + REPORT_DAYS.default * DAY_MS
    assert review.concerned == house.members[2]
    assert parse(house.world.isle.log[-1].raw).kind == "figures.noted/1"
    assert review.record == house.last()


def test_a_wire_never_has_two_open_reviews_and_several_wires_open_theirs_by_one_record() -> None:
    house = House()
    one, two = house.set(), house.set(number=450)
    record = house.moon(500)
    assert len(house.view.all(REVIEWS, record=record)) == 2
    for _ in range(4):
        house.moon(900)
    assert sorted(review.wire for review in house.view.all(REVIEWS)) == sorted([one.id, two.id])


def test_after_a_review_is_closed_cycles_count_anew() -> None:
    house = House(people=2)
    wire = house.set(cycles=2)
    house.moon(500)
    house.moon(500)
    (review,) = open_reviews(house.view)
    house.close(review)
    assert counts_from_ms(wire, [replace(review, closed_ms=house.world.now_ms)]) == house.world.now_ms
    assert not open_reviews(house.view)
    house.moon(500)
    assert not open_reviews(house.view)
    house.moon(500)
    assert [open_ for _, open_ in house.reviews()] == [False, True]


def test_after_months_without_the_node_each_cycle_is_noted_and_the_review_opens_at_its_own() -> None:
    house = House()
    house.set(cycles=2)
    first = house.world.cycle
    house.world.now_ms = moon.new_moon_ms(first + 5)
    for at, value in enumerate([1, 500, 500, 500, 1]):
        assert not house.note(first + at, workload__top_share=value)
    assert house.reviews() == [(first + 2, True)]


def test_cycles_that_ended_before_the_wire_was_set_do_not_count() -> None:
    house = House()
    house.set(number=900)
    house.moon(500)
    house.moon(500)
    late = house.set(number=400, cycles=2)
    assert run(house.view, late, house.world.cycle - 1, {}, late.since_ms) == 0
    house.moon(500)
    assert not open_reviews(house.view)
    house.moon(500)
    assert [review.wire for review in open_reviews(house.view)] == [late.id]


# Who reports


def test_before_the_draw_nobody_reports_then_the_one_drawn_and_later_whoever_it_does_not_concern() -> None:
    house = House()
    review = house.tripped(house.set(who=[0]))
    assert [house.report(review, at)[:12] for at in range(3)] == ["This review ", "Draw by lot ", "Draw by lot "]
    house.draw(review, 3, 4, 5)
    assert "concerns you" in house.report(review, 0)
    assert "was drawn by lot" in house.report(review, 4)
    assert not house.report(review, 3)
    house.world.now_ms = review.report_by_ms
    assert "concerns you" in house.report(review, 0)
    assert not house.report(review, 4)
    assert len(house.view.all(REPORTS, review=review.id)) == 2


def test_if_the_one_who_was_drawn_leaves_the_next_one_reports() -> None:
    house = House()
    review = house.tripped(house.set())
    house.draw(review, 3, 4)
    gone, after = house.members[3], house.members[4]
    house.world.store.write(1, PUBLIC, (MEMBERSHIPS.patch(gone, ended_ms=house.world.now_ms),))
    assert "was drawn by lot" in house.report(review, 0)
    assert not house.report(review, house.members.index(after))


@pytest.mark.parametrize(
    ("people", "concerned", "may"),
    [(1, [], [0]), (1, [0], [0]), (2, [], [0, 1]), (2, [0], [1]), (2, [0, 1], [0, 1]), (3, [0], [1, 2]), (3, [], [])],
)
def test_in_a_collective_too_small_for_a_lot_whoever_it_does_not_concern_reports(
    people: int, concerned: list[int], may: list[int]
) -> None:
    house = House(people)
    review = house.tripped(house.set(who=concerned))
    assert may_report(house.view, review, (), house.world.now_ms) == tuple(house.members[at] for at in may)


@pytest.mark.parametrize(
    ("people", "concerned", "out"), [(1, [0], 0), (2, [0], 0), (3, [0], 1), (3, [0, 1], 0), (6, [0, 1], 2)]
)
def test_whom_it_concerns_does_not_vote_as_long_as_two_others_can(people: int, concerned: list[int], out: int) -> None:
    house = House(people)
    assert len(abstain(house.view, [house.members[at] for at in concerned])) == out


# Nobody ends a review alone


def _remove(house: House, review: Review) -> str:
    return house.decide("tripwire.removed/1", WireRemoved(review.wire, "Not wanted"))


def _looser(house: House, review: Review) -> str:
    return house.write("tripwire.set/1", WireSet(SHARE, "above", 1000))


def _better(house: House, review: Review) -> str:
    return house.note(house.next_moon(), workload__top_share=1, members__count=6)


def _report_alone(house: House, review: Review) -> str:
    return house.report(review, 3)


def _founding(house: House, review: Review) -> str:
    for row in house.view.all(GRANTS, name="assembly"):
        house.world.store.write(1, PUBLIC, (GRANTS.put(replace(row, source=row.holder, name="decision")),))
    house.report(review, 3)
    own = ReviewAccepted(house.last())
    for row in house.view.all(GRANTS, name="decision"):
        house.world.store.write(1, PUBLIC, (GRANTS.drop(row.source, row.name, row.holder),))
    return house.write("review.accepted/1", own, 3)


def _another_report(house: House, review: Review) -> str:
    """Leave for one report does not close the review with another."""
    house.report(review, 3)
    house.allow("review.accepted/1", ReviewAccepted(house.last()))
    house.report(review, 3)
    return house.write("review.accepted/1", ReviewAccepted(house.last()), 3)


def _no_report(house: House, review: Review) -> str:
    return house.decide("review.accepted/1", ReviewAccepted(review.id))


def _clock(house: House, review: Review) -> str:
    house.report(review, 3)
    return house.world.write("review.accepted/1", ReviewAccepted(house.last()), house.clock)


def _voted_by_the_concerned(house: House, review: Review) -> str:
    """A decision in which they voted gives leave for another act than this one."""
    house.report(review, 3)
    body = ReviewAccepted(house.last())
    name = act_name("review.accepted/1", structure_and_words(body)[0], ())
    grant = Grant(1, bytes(32), name, ANYBODY, 0, FOREVER_MS, 0, False, "The decision")
    house.world.store.write(1, PUBLIC, (GRANTS.put(grant),))
    return house.write("review.accepted/1", body, 3)


def _hidden(house: House, review: Review) -> str:
    house.report(review, 3)
    body = ReviewAccepted(house.last())
    house.allow("review.accepted/1", body)
    return house.write("review.accepted/1", body, 3, audience=MEMBERS)


def _again(house: House, review: Review) -> str:
    return house.note(review.cycle, workload__top_share=1, members__count=6)


def _wait(house: House, review: Review) -> str:
    house.world.now_ms += 700 * DAY_MS
    return ""


def _erase(house: House, review: Review) -> str:
    house.report(review, 3)
    house.world.store.write(1, PUBLIC, (REPORTS.patch(house.last(), found="", change=""),))
    return ""


def _leave(house: House, review: Review) -> str:
    house.draw(review, 3)
    house.world.store.write(1, PUBLIC, (MEMBERSHIPS.patch(house.members[3], ended_ms=house.world.now_ms),))
    return ""


WAYS: list[tuple[str, Callable[[House, Review], str], str]] = [
    ("the wire is removed by decision", _remove, ""),
    ("a looser wire is set", _looser, ""),
    ("the next figures are better", _better, ""),
    ("the figures are noted again", _again, "No figures are to be noted now"),
    ("the one drawn reports, and no more", _report_alone, ""),
    ("a member accepts without a decision", _founding, "This takes a decision"),
    ("a decision is used for another report", _another_report, "This takes a decision"),
    ("a decision names no report", _no_report, "There is no such report"),
    ("the node's clock accepts it", _clock, "This takes a decision"),
    ("those whom it concerns vote on it", _voted_by_the_concerned, "This takes a decision"),
    ("the acceptance is hidden", _hidden, "are public"),
    ("everybody waits for two years", _wait, ""),
    ("the report's words are erased", _erase, ""),
    ("the one drawn leaves", _leave, ""),
]


@pytest.mark.parametrize(("way", "sentence"), [(way, sentence) for _, way, sentence in WAYS], ids=[name for name, *_ in WAYS])
def test_a_review_stays_open_whatever_one_person_does(way: Callable[[House, Review], str], sentence: str) -> None:
    house = House()
    review = house.tripped(house.set(who=[0]))
    if way is not _leave:
        house.draw(review, 3, 4)
    refused = way(house, review)
    assert sentence in refused if sentence else not refused
    assert [each.id for each in open_reviews(house.view)] == [review.id]


def test_a_decision_on_a_report_closes_the_review_once() -> None:
    house = House()
    wire = house.set(who=[0])
    review = house.tripped(wire)
    house.draw(review, 3)
    assert not house.report(review, 3)
    report = house.last()
    assert not house.decide("review.accepted/1", ReviewAccepted(report), 2)
    closed = house.view.get(REVIEWS, review.id)
    assert (closed.report, closed.accepted, closed.closed_ms) == (
        report,
        house.last(),
        house.world.now_ms // MINUTE_MS * MINUTE_MS,
    )
    assert "was closed" in house.report(review, 3)
    assert "was closed" in house.decide("review.accepted/1", ReviewAccepted(report))
    assert not open_reviews(house.view)


@pytest.mark.parametrize("member", range(6))
def test_no_member_removes_a_wire_alone(member: int) -> None:
    house = House()
    wire = house.set()
    assert "This takes a decision" in house.write("tripwire.removed/1", WireRemoved(wire.id, "Not wanted"), member)
    assert not house.decide("tripwire.removed/1", WireRemoved(wire.id, "Not wanted"), member)
    assert "was removed" in house.decide("tripwire.removed/1", WireRemoved(wire.id, "Not wanted"), member)
    assert "no such trip wire" in house.decide("tripwire.removed/1", WireRemoved(bytes(32), "Not wanted"), member)
    assert not standing_wires(house.view)


# What it says


def test_what_is_due_follows_the_review_from_the_lot_to_the_decision() -> None:
    house = House()
    review = house.tripped(house.set(cycles=1))
    wire = "workload.top-share above 400"
    said = [what.replace("Share of the busiest above 40 %", wire) for what, _ in house.due()]
    assert len(said) == 1
    assert said[0].startswith("Draw by lot who reports on")
    house.draw(review, 3, 4)
    own, everybody = house.due()
    assert own[0].startswith("You were drawn to report on")
    assert own[1] == house.members[3]
    assert everybody[0].startswith("A review is open on")
    assert everybody[1] is None
    house.world.now_ms = review.report_by_ms
    ((waits, who),) = house.due()
    assert waits.startswith("A review waits for somebody's report")
    assert who is None
    assert not house.report(review, 3)
    ((decide, who),) = house.due()
    assert decide.startswith("Decide on the report about")
    assert not house.decide("review.accepted/1", ReviewAccepted(house.last()))
    assert house.due() == []


def test_the_page_tells_a_wire_its_figures_and_its_reviews_as_a_story() -> None:
    house = House()
    assert "No figure is watched yet" in house.page()
    wire = house.set("members.count", "below", 6, 2, who=[1])
    assert "Members below 6 for 2 cycles" in house.page()
    assert "waits for a new moon" in house.page()
    for _ in range(2):
        assert not house.note(house.next_moon(), members__count=5)
    assert "review open" in house.page()
    assert "waits for the lot" in house.page()
    (review,) = open_reviews(house.view)
    house.draw(review, 3)
    assert "being looked at" in house.page()
    assert not house.report(review, 3)
    report = house.last()
    assert "waits for your decision" in house.page()
    assert not house.decide("review.accepted/1", ReviewAccepted(report))
    page = house.page()
    assert "Reviews closed" in page
    assert "past it, counted anew" in page
    charts = [block for block in PRACTICE.page(house.view, house.world.now_ms) if isinstance(block, Chart)]
    assert [len(chart.series[0].points) for chart in charts] == [2]
    for digest, words in (
        (wire.id, "Members below 6 for 2 cycles"),
        (review.record, "Wire tripped"),
        (report, "Accepted report"),
    ):
        told = house.said(list(PRACTICE.record(house.view, digest, house.world.now_ms)))
        assert words.replace("Wire tripped", "Tripped at the new moon") in told
    assert list(PRACTICE.record(house.view, bytes(32), house.world.now_ms)) == []


def test_a_report_can_be_begun_from_the_page_only_by_somebody_who_may_give_it() -> None:
    house = House()
    review = house.tripped(house.set())

    def kinds() -> list[str]:
        return [block.kind for block in PRACTICE.page(house.view, house.world.now_ms) if isinstance(block, Action)]

    assert "review.reported/1" not in kinds()
    assert "lot.opened/1" in kinds()
    house.draw(review, 3)
    assert "review.reported/1" in kinds()
    assert "lot.opened/1" not in kinds()
    assert "review.accepted/1" not in kinds()
    assert not house.report(review, 3)
    assert "review.accepted/1" in kinds()


def test_live_figures_stand_with_their_meaning_and_the_gini_never_alone() -> None:
    house = House()
    house.set("members.count", "below", 7)
    told = house.said(list(with_live(house.view, {"members.count": 6, "workload.gini": 5549}, house.world.now_ms)))
    assert "Members 6 ! past its wire" in told
    assert "Not shown to a group of this size: Inequality of work" in told
    assert "5549" not in told
    assert "0.5549" not in told


def test_figures_and_summary_count_wires_and_reviews() -> None:
    house = House()
    house.set()
    house.moon(900)
    house.world.now_ms += 3 * DAY_MS
    assert PRACTICE.figures(house.view, house.world.now_ms) == {
        "wires.standing": 1,
        "wires.reviews-open": 1,
        "wires.oldest-review-days": 3,
    }
    assert PRACTICE.state(house.view, house.world.now_ms) == {"wires": 1, "reviews_open": 1}


def test_a_number_that_always_or_never_trips_is_said_before_the_wire_is_set() -> None:
    house = House()

    def advice(body: WireSet) -> str:
        return tripwires.advise_wire(house.view, body)

    assert advice(WireSet("ledger.largest-funder-percent", "above", 60)) == ""
    assert "trip never" in advice(WireSet("ledger.largest-funder-percent", "above", 600))
    assert "trip always" in advice(WireSet("ledger.largest-funder-percent", "below", 600))
    assert "Do you mean ledger.reserve" in advice(WireSet("ledger.reserves", "below", 600))


def test_a_page_of_wires_shows_a_table_of_what_their_figures_mean() -> None:
    house = House()
    house.set("members.count", "below", 3)
    (grid,) = [
        block
        for block in PRACTICE.page(house.view, house.world.now_ms)
        if isinstance(block, Grid) and block.caption == "What these figures mean"
    ]
    assert [row[0] for row in grid.rows] == ["Members"]
