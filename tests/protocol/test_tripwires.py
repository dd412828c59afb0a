"""Trip wires: figures noted in order, reviews that open by themselves, and that nobody ends alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from protocol import moon
from protocol.body import from_flat, structure_and_words, to_flat
from protocol.eligibility import eligible
from protocol.mandate import ANYBODY, act_name
from protocol.membership import MEMBERSHIPS, abstain
from protocol.practice import FOREVER_MS, GRANTS, MEMBERS, PUBLIC, SETTINGS, Grant, Setting, keys
from protocol.practices.tripwires import FiguresNoted, ReviewAccepted, Value, WireRemoved, WireSet, whom_it_concerns
from protocol.record import parse
from protocol.wires import (
    DAY_MS,
    FACILITATOR,
    MOST,
    NOTED,
    NOTINGS,
    REPORT_DAYS,
    REPORTS,
    REVIEWS,
    Review,
    counts_from_ms,
    may_report,
    next_noting,
    open_reviews,
    review_id,
    run,
    standing_wires,
)
from protocol.working import HOURS
from tests.laws.world import MINUTE_MS
from tests.protocol.wire_house import SHARE, House

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
    assert sentence in House().decide("tripwire.set/1", body)


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
    assert "takes a decision" in house.write("tripwire.set/1", WireSet(SHARE, "above", 400, 1, [first]))
    assert "listed once" in house.decide("tripwire.set/1", WireSet(SHARE, "above", 400, 1, [first, first]))
    assert "no member now" in house.decide("tripwire.set/1", WireSet(SHARE, "above", 400, 1, [b"x" * 32]))
    house.set()
    assert "stands already" in house.decide("tripwire.set/1", WireSet(SHARE, "above", 400))
    house.set(number=401)


def test_at_most_as_many_wires_stand_as_is_set() -> None:
    house = House()
    wires = [house.set(number=number) for number in range(MOST.default)]
    body = WireSet(SHARE, "above", 99)
    assert "At most 7 trip wires" in house.decide("tripwire.set/1", body)
    assert not house.decide("tripwire.removed/1", WireRemoved(wires[2].id, "Looked at enough"))
    assert not house.decide("tripwire.set/1", body)
    fewer = Setting(1, bytes(32), MOST.name, 99, 3, 0, FOREVER_MS)
    house.world.store.write(1, PUBLIC, (SETTINGS.put(fewer),))
    assert "At most 3 trip wires" in house.decide("tripwire.set/1", WireSet(SHARE, "above", 98))


@pytest.mark.parametrize("concerned", [False, True])
def test_a_wire_is_set_by_a_decision_for_exactly_this_one_and_in_public(concerned: bool) -> None:
    """Who is named has no vote on what is found, and a line that nobody agreed on brings reviews that nobody asked for."""
    house = House()
    body = WireSet(SHARE, "above", 400, 1, [house.members[3]] if concerned else [])
    for member in range(len(house.members)):
        assert house.write("tripwire.set/1", body, member).startswith("This takes a decision for exactly this act")
    house.allow("tripwire.set/1", body)
    assert "are public" in house.write("tripwire.set/1", body, audience=MEMBERS)
    for other in (replace(body, number=401), replace(body, concerned=[house.members[4]])):
        assert house.write("tripwire.set/1", other).startswith("This takes a decision for exactly this act")
    assert not house.write("tripwire.set/1", body, 5)
    (wire,) = standing_wires(house.view)
    assert wire.concerned == b"".join(body.concerned)


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


def test_a_cycle_of_which_nothing_could_be_told_is_noted_too_and_comes_back_from_a_form() -> None:
    house = House()
    house.set()
    body = FiguresNoted(house.next_moon())
    assert from_flat(FiguresNoted, to_flat(body)) == body
    assert not house.world.write("figures.noted/1", body, house.clock)
    assert not house.view.all(NOTED)


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


# Whom the figure measures


def test_whom_the_figure_measures_is_neither_drawn_nor_reports_nor_votes_though_nobody_named_them() -> None:
    house = House()
    house.work(4, 4, 60, 4)
    review = house.tripped(house.set())
    busiest = house.members[2]
    assert keys(review.concerned) == (busiest,)
    assert set(eligible(house.view, FACILITATOR, review.id, house.world.now_ms)) == {*house.members} - {busiest}
    house.draw(review, 3)
    house.world.now_ms = review.report_by_ms
    assert "concerns you" in house.report(review, 2)
    assert not house.report(review, 3)
    body = ReviewAccepted(house.last())
    assert whom_it_concerns(house.view, body) == (busiest,)
    name = act_name("review.accepted/1", structure_and_words(body)[0])  # decided with their vote
    grant = Grant(1, bytes(32), name, ANYBODY, 0, FOREVER_MS, 0, False, "The decision")
    house.world.store.write(1, PUBLIC, (GRANTS.put(grant),))
    assert "This takes a decision" in house.write("review.accepted/1", body, 3)
    assert not house.decide("review.accepted/1", body, 3)


def test_each_review_concerns_whom_its_own_figure_measures_and_money_measures_nobody() -> None:
    house = House()
    house.work(4, 60, 4, 4)
    share, money, named = house.set(), house.set("ledger.reserve", "below", 9), house.set("ledger.reserve", "below", 8, who=[3])
    said = [Value(SHARE, 833), Value("ledger.reserve", 5), Value("members.count", 6)]
    assert not house.world.write("figures.noted/1", FiguresNoted(house.next_moon(), said), house.clock)
    concerned = {review.wire: keys(review.concerned) for review in open_reviews(house.view)}
    assert concerned == {share.id: (house.members[1],), money.id: (), named.id: (house.members[3],)}


def test_hours_that_are_noted_after_the_cycle_do_not_change_whom_its_figure_measured() -> None:
    """The node was off at the new moon: somebody has noted hours since, before the figures were."""
    house = House()
    house.set()
    house.work(4, 60, 4, 4)
    ended = house.next_moon()
    row = house.view.get(HOURS, 1)
    late = replace(row, position=9, noted_cycle=ended + 1, quarters=99, logged_ms=house.world.now_ms + DAY_MS)
    house.world.store.write(1, PUBLIC, (HOURS.put(late),))
    house.world.now_ms += 2 * DAY_MS
    assert not house.note(ended, workload__top_share=833, members__count=6)
    (review,) = open_reviews(house.view)
    assert keys(review.concerned) == (house.members[1],)


@pytest.mark.parametrize(
    ("quarters", "may", "votes"),
    [
        ((8,), [0], [0]),
        ((8, 4), [1], [0, 1]),
        ((4, 4), [0, 1], [0, 1]),
        ((8, 4, 4), [1, 2], [1, 2]),
        ((8, 8, 4), [2], [0, 1, 2]),
        ((4, 4, 4), [], [0, 1, 2]),  # about all three: a lot among all
        ((8, 4, 4, 4), [], [1, 2, 3]),
    ],
)
def test_in_a_small_collective_whom_the_figure_measures_is_set_aside_as_who_is_named(
    quarters: tuple[int, ...], may: list[int], votes: list[int]
) -> None:
    house = House(len(quarters))
    house.work(*quarters)
    review = house.tripped(house.set())
    assert may_report(house.view, review, (), house.world.now_ms) == tuple(house.members[at] for at in may)
    aside = abstain(house.view, keys(review.concerned))
    assert [at for at, member in enumerate(house.members) if member not in aside] == votes


# Nobody ends a review alone


def _remove(house: House, review: Review) -> str:
    return house.decide("tripwire.removed/1", WireRemoved(review.wire, "Not wanted"))


def _looser(house: House, review: Review) -> str:
    return house.decide("tripwire.set/1", WireSet(SHARE, "above", 1000))


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
