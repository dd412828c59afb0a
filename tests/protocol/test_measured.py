"""Whom a figure measures, and that a review it opens concerns them though nobody named them."""

from __future__ import annotations

import pytest

from protocol import moon
from protocol.eligibility import eligible
from protocol.meaning import KNOWN
from protocol.measured import _COUNTS, measured
from protocol.practice import PUBLIC, keys
from protocol.practices.tripwires import ReviewReported
from protocol.proposal import Proposed
from protocol.wires import FACILITATOR, concerned_by, reviews_of
from protocol.working import DONE, HOURS, SEATS, Hours, Seat
from tests.protocol.role_house import RoleHouse, blocks_of
from tests.protocol.wire_house import PRACTICE, House, filled

SHARE = "workload.top-share"


def worked(house: House, *quarters: int, cycle: int = 0) -> None:
    """What the first members noted in this cycle, in their order."""
    cycle = cycle or house.world.cycle
    at_ms = moon.new_moon_ms(cycle) + 1000
    rows = [
        filled(Hours, id=bytes([number]) * 32, position=number, member=member, quarters=each, cycle=cycle,
               noted_cycle=cycle, logged_ms=at_ms, category="care")
        for number, (member, each) in enumerate(zip(house.members, quarters, strict=False), 1)
    ]  # fmt: skip
    house.world.store.write(1, PUBLIC, tuple(HOURS.put(row) for row in rows))


def test_a_review_of_one_persons_load_is_not_led_or_judged_by_them() -> None:
    house = House()
    wire = house.set()
    assert wire.concerned == b"", "nobody was named"
    worked(house, 4, 60, 4, 4)
    review = house.tripped(wire)
    busiest = house.members[1]
    assert keys(review.concerned) == (busiest,)
    assert concerned_by(house.view, review.id) == (busiest,)
    assert busiest not in eligible(house.view, FACILITATOR, review.id, house.world.now_ms)
    house.draw(review, 0)
    body = ReviewReported(review.wire, review.cycle, "One does most.", "Share it.")
    assert "concerns you" in house.write("review.reported/1", body, 1)
    assert "Concerns, as the figure measures them" in blocks_of(PRACTICE.record(house.view, review.record, house.world.now_ms))


def test_a_review_of_one_persons_tasks_concerns_who_did_most_of_them() -> None:
    house = House()
    cycle = house.world.cycle
    at_ms = moon.new_moon_ms(cycle) + 1000
    seats = [
        filled(Seat, id=bytes([number]) * 32, position=number, member=house.members[number % 4 and 1], task=1, last_cycle=cycle,
               until_ms=at_ms, ended=DONE)
        for number in range(1, 6)
    ]  # fmt: skip
    house.world.store.write(1, PUBLIC, tuple(SEATS.put(row) for row in seats))
    end_ms = moon.new_moon_ms(cycle + 1)
    assert measured(house.view, "workload.tasks-top-share", end_ms) == (house.members[1],)
    assert measured(house.view, "workload.tasks-top-share", at_ms) == (), "that cycle is not over"
    wire = house.set(figure="workload.tasks-top-share")
    assert not house.note(house.next_moon(), workload__tasks_top_share=600)
    (review,) = reviews_of(house.view, wire.id)
    assert keys(review.concerned) == (house.members[1],)


def test_who_was_named_is_concerned_too_and_who_is_level_all_of_them() -> None:
    house = House()
    wire = house.set(who=[0])
    worked(house, 4, 60, 60, 4)
    review = house.tripped(wire)
    assert set(keys(review.concerned)) == {house.members[0], house.members[1], house.members[2]}


def test_later_hours_do_not_change_whom_an_open_review_concerns() -> None:
    house = House()
    worked(house, 4, 60, 4, 4)
    cycle = house.world.cycle
    review = house.tripped(house.set())
    worked(house, 90, 60, 4, 4, cycle=cycle)
    assert concerned_by(house.view, review.id) == (house.members[1],)


def test_a_figure_about_all_of_us_measures_nobody() -> None:
    house = House()
    worked(house, 4, 60, 4, 4)
    at_ms = moon.new_moon_ms(house.world.cycle + 1)
    assert measured(house.view, SHARE, at_ms) == (house.members[1],)
    for name in ("members.count", "workload.idle", "workload.hours", "ledger.reserve", "no.such"):
        assert measured(house.view, name, at_ms) == ()
    assert measured(house.view, SHARE, 2**60) == (), "outside the table of new moons nobody is known"


def test_roles_proposals_and_vouches_are_counted_by_person() -> None:
    house = RoleHouse(others=4)
    house.define("treasurer", 1)
    house.define("cook", 1)
    for role in ("treasurer", "cook"):
        house.give(house.all[1], role)
    assert measured(house.view, "roles.most-by-one", house.now_ms) == (house.all[1].public,)
    assert measured(house.view, "roles.longest-held", house.now_ms) == (house.all[1].public,)
    house.must("decision.proposed/1", Proposed("A door", "We paint it", "It is grey"), house.all[2])
    later = moon.new_moon_ms(moon.cycle_at(house.now_ms) + 1)
    assert measured(house.view, "voice.proposing-top-share", later) == (house.all[2].public,)
    assert measured(house.view, "voice.speaking-top-share", later) == ()


@pytest.mark.parametrize("name", sorted(_COUNTS))
def test_each_is_a_figure_that_is_offered(name: str) -> None:
    assert name in {each.name for each in KNOWN}
