"""Stepping back from a role is real: what it lets its holder write rests for that cycle, and whom the lot has drawn may write it."""

from __future__ import annotations

import pytest

from node.today import roles_with
from node.web.pages import grants
from protocol import moon
from protocol.eligibility import eligible
from protocol.keys import SigningKey
from protocol.practice import GRANTS, RESTS
from protocol.practices import members
from protocol.rest_records import Accepted, Lifted, Moved, Planned, TakenOver, Wished
from protocol.role_bodies import Appointed, Called, Recalled
from protocol.terms import TERM_CYCLES, lot_subject
from protocol.work_records import Noted
from tests.laws.world import DAY_MS, MINUTE_MS
from tests.protocol.role_house import BOOK, WHY, RoleHouse, blocks_of, booked

TAKE_OVER = "sabbatical.taken-over/1"
BELONGS = "belongs to the role “treasurer”, which you do not hold"


class Resting:
    """The second of five is treasurer for three cycles, and steps back in the second of these."""

    def __init__(self, role: str = "treasurer") -> None:
        self.house = RoleHouse(others=4)
        self.house.set_parameter(TERM_CYCLES, 3)
        self.house.define("treasurer", 3)
        self.holder, self.newcomer, self.next, self.other = self.house.all[1:5]
        self.term = self.house.give(self.holder)
        self.begins_ms, self.ends_ms = moon.cycle_bounds(moon.cycle_at(self.house.now_ms) + 1)
        self.id = self.house.must("sabbatical.wished/1", Wished(moon.cycle_at(self.begins_ms), role), self.holder)

    def draw(self) -> None:
        self.house.draw("newcomer", self.id, [self.newcomer, self.next])

    def take_over(self, who: SigningKey | None = None) -> str:
        return self.house.write(TAKE_OVER, TakenOver(self.id), who or self.newcomer)

    def book(self, who: SigningKey, amount: int = 50_00) -> str:
        return self.house.write(BOOK, booked(amount), who)


@pytest.fixture
def resting() -> Resting:
    return Resting()


def test_from_the_new_moon_to_the_next_the_holder_may_not_and_who_took_over_may(resting: Resting) -> None:
    house = resting.house
    resting.draw()
    assert not resting.take_over()
    house.now_ms = resting.begins_ms - MINUTE_MS
    assert not resting.book(resting.holder), "the rest has not begun"
    assert BELONGS in resting.book(resting.newcomer)
    house.now_ms = resting.begins_ms
    said = resting.book(resting.holder)
    assert said.startswith("Your term as treasurer rests until ")
    assert said.endswith(", while you step back. Whoever took over does this meanwhile.")
    assert not resting.book(resting.newcomer, 100_00)
    assert BELONGS in resting.book(resting.newcomer, 100_01), "up to the same amount"
    assert BELONGS in resting.book(resting.next), "drawn second, and not asked"
    house.now_ms = resting.ends_ms - MINUTE_MS
    assert not resting.book(resting.newcomer)
    house.now_ms = resting.ends_ms
    assert BELONGS in resting.book(resting.newcomer)
    assert not resting.book(resting.holder), "and then it is theirs again"


def test_until_somebody_takes_over_nobody_may_and_the_sentence_says_so(resting: Resting) -> None:
    resting.draw()
    resting.house.now_ms = resting.begins_ms
    assert resting.book(resting.holder).endswith("Nobody has taken over yet.")
    assert BELONGS in resting.book(resting.newcomer)
    assert not resting.take_over()
    assert not resting.book(resting.newcomer)


def test_only_whom_the_lot_has_drawn_takes_over_and_only_while_there_is_something_to(resting: Resting) -> None:
    assert "Nobody has been drawn" in resting.take_over()
    resting.draw()
    for who in (resting.holder, resting.next, resting.other):
        assert "The lot has drawn somebody else" in resting.take_over(who)
    assert not resting.take_over()
    assert "taken over already" in resting.take_over()
    resting.house.now_ms = resting.ends_ms
    assert "is over" in resting.take_over()


def test_a_question_rests_nothing_until_they_say_yes() -> None:
    resting = Resting()
    house = resting.house
    other = resting.other
    house.define("cook", 3)
    body = Planned(other.public, moon.cycle_at(resting.begins_ms), "cook")
    asked = house.must("sabbatical.planned/1", body, house.founder)
    house.draw("newcomer", asked, [resting.next])
    assert house.view.get(RESTS, asked) is None
    assert "does not bind yet" in house.write(TAKE_OVER, TakenOver(asked), resting.next)
    house.must("sabbatical.accepted/1", Accepted(asked), other)
    assert house.view.need(RESTS, asked, what="rest").since_ms == resting.begins_ms
    assert not house.write(TAKE_OVER, TakenOver(asked), resting.next)


def test_moved_it_rests_then_and_lifted_it_is_over_at_once_for_both(resting: Resting) -> None:
    house = resting.house
    resting.draw()
    assert not resting.take_over()
    later = moon.cycle_at(resting.begins_ms) + 1
    house.must("sabbatical.moved/1", Moved(resting.id, later, "Harvest."), resting.holder)
    house.now_ms = resting.begins_ms
    assert not resting.book(resting.holder), "moved"
    house.now_ms = resting.ends_ms
    assert "rests until" in resting.book(resting.holder)
    assert not resting.book(resting.newcomer), "their yes holds for the other cycle too"
    house.now_ms += DAY_MS
    assert not house.as_decided("sabbatical.lifted/1", Lifted(resting.id, WHY))
    assert not resting.book(resting.holder)
    assert BELONGS in resting.book(resting.newcomer)


def test_who_stands_in_has_no_more_than_the_holder_would(resting: Resting) -> None:
    house = resting.house
    resting.draw()
    assert not resting.take_over()
    house.draw("shadow", resting.term.id, [resting.other])
    house.now_ms = resting.begins_ms + MINUTE_MS
    assert not resting.book(resting.newcomer)
    house.must("role.called/1", Called(resting.term.id, BOOK, WHY), resting.other)
    assert BELONGS in resting.book(resting.newcomer), "what the shadow paused rests for both"
    house = (again := Resting()).house
    again.draw()
    assert not again.take_over()
    house.now_ms = again.begins_ms + MINUTE_MS
    assert not house.as_decided("role.recalled/1", Recalled(again.term.id, WHY))
    assert "nobody holds it now" in again.book(again.newcomer), "a term that is over has nobody who stands in"


def test_who_left_does_not_stand_in(resting: Resting) -> None:
    resting.draw()
    assert not resting.take_over()
    resting.house.now_ms = resting.begins_ms
    assert not resting.book(resting.newcomer)
    resting.house.must("member.left/1", members.Left(), resting.newcomer)
    assert resting.book(resting.newcomer)
    assert not resting.take_over(resting.next), "and the next who was drawn takes over"
    assert not resting.book(resting.next)


def test_a_rest_from_everything_is_one_from_every_role_and_one_from_a_role_is_not() -> None:
    for role, refused in (("", True), ("treasurer", True), ("cook", False)):
        resting = Resting.__new__(Resting)
        house = resting.house = RoleHouse(others=4)
        house.set_parameter(TERM_CYCLES, 3)
        house.define("treasurer", 3)
        house.define("cook", 3)
        house.give(house.all[1])
        begins_ms, _ = moon.cycle_bounds(moon.cycle_at(house.now_ms) + 1)
        house.must("sabbatical.wished/1", Wished(moon.cycle_at(begins_ms), role), house.all[1])
        house.now_ms = begins_ms
        assert bool(resting.book(house.all[1])) == refused, role


def test_membership_does_not_rest() -> None:
    resting = Resting("")
    house = resting.house
    house.now_ms = resting.begins_ms
    assert not house.write("hours.noted/1", Noted(quarters=4, category="care", what="Sat and read"), resting.holder)
    assert all("/" in row.name for row in house.rows(GRANTS, holder=resting.holder.public) if row.source == resting.term.id)


def test_who_steps_back_is_given_no_term_that_begins_then_and_is_not_drawn_for_one() -> None:
    resting = Resting("")
    house = resting.house
    house.define("cook", 1)
    house.now_ms = resting.begins_ms
    row = house.role("cook")
    said = house.as_decided("role.appointed/1", Appointed("cook", row.id, resting.holder.public, "consent"))
    assert said.startswith("Who is to hold cook steps back from it until ")
    assert resting.holder.public not in eligible(house.view, "role", lot_subject(house.view, row), house.now_ms)
    house.give(resting.other, "cook")
    shadows = eligible(house.view, "shadow", house.last_term().id, house.now_ms)
    assert resting.holder.public not in shadows
    assert len(shadows) == 3
    house.now_ms = resting.ends_ms
    assert resting.holder.public in eligible(house.view, "role", lot_subject(house.view, row), house.now_ms)


def test_where_few_are_left_who_rest_are_drawn_as_shadows_all_the_same() -> None:
    house = RoleHouse(others=2)
    house.define("cook", 1)
    cycle = moon.cycle_at(house.now_ms) + 1
    house.must("sabbatical.wished/1", Wished(cycle), house.all[1])
    house.now_ms = moon.new_moon_ms(cycle)
    term = house.give(house.all[2], "cook")
    assert set(eligible(house.view, "shadow", term.id, house.now_ms)) == {house.founder.public, house.all[1].public}


def test_the_page_of_the_sabbatical_offers_to_take_over_and_says_who_did(resting: Resting) -> None:
    house = resting.house
    practice = next(each for each in house.registry.practices if each.name == "work")

    def told() -> str:
        return blocks_of(practice.record(house.view, resting.id, house.now_ms))

    def due() -> list[str]:
        found = practice.due(house.view, house.now_ms)
        return [each.what for each in found if each.who == resting.newcomer.public]

    assert "Take over, as the lot has drawn" not in told()
    resting.draw()
    assert "Take over, as the lot has drawn" in told()
    assert any(what.startswith("Take over while ") for what in due())
    assert not resting.take_over()
    assert "Take over, as the lot has drawn" not in told()
    assert not any(what.startswith("Take over while ") for what in due())


def test_pages_say_who_steps_back_until_when_and_who_does_it_meanwhile(resting: Resting) -> None:
    house = resting.house
    practice = next(each for each in house.registry.practices if each.name == "roles")

    def told(digest: bytes) -> str:
        return blocks_of(practice.record(house.view, digest, house.now_ms))

    pages = (house.role().id, resting.term.id)
    assert not any("Steps back until" in told(digest) for digest in pages), "it has not begun"
    house.now_ms = resting.begins_ms
    for digest in pages:
        assert "nobody has taken over" in told(digest)
        assert "in force" not in told(digest)
    assert "(steps back now)" in blocks_of(practice.page(house.view, house.now_ms))
    resting.draw()
    assert not resting.take_over()
    for digest in pages:
        assert "Meanwhile" in told(digest)
        assert "nobody has taken over" not in told(digest)
    house.now_ms = resting.ends_ms
    assert not any("Steps back until" in told(digest) for digest in pages)


def test_what_one_may_says_what_rests_and_what_one_does_meanwhile_for_somebody(resting: Resting) -> None:
    house = resting.house
    resting.draw()
    assert not resting.take_over()

    def told(who: SigningKey) -> str:
        return blocks_of(list(grants(house.view, house.now_ms, who.public)))

    assert "rests while they step back" not in told(resting.holder)
    assert "standing in for" not in told(resting.newcomer), "it has not begun"
    house.now_ms = resting.begins_ms
    assert "rests while they step back" in told(resting.holder)
    assert "standing in for" in told(resting.newcomer)
    assert "Book a transaction" in told(resting.newcomer)
    assert "Book a transaction" not in told(resting.next)
    assert roles_with(house.view, resting.newcomer.public, house.now_ms) == {"treasurer"}, "what is due for it is theirs too"
    house.now_ms = resting.ends_ms
    assert "standing in for" not in told(resting.newcomer)
    assert roles_with(house.view, resting.newcomer.public, house.now_ms) == frozenset()


def test_a_rest_from_one_role_leaves_the_other_as_it_is(resting: Resting) -> None:
    house = resting.house
    house.define("cook", 3)
    house.give(resting.holder, "cook")
    resting.draw()
    assert not resting.take_over()
    house.now_ms = resting.begins_ms
    assert roles_with(house.view, resting.newcomer.public, house.now_ms) == {"treasurer"}
    practice = next(each for each in house.registry.practices if each.name == "roles")
    assert "Steps back until" not in blocks_of(practice.record(house.view, house.role("cook").id, house.now_ms))
