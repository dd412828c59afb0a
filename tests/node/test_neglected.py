"""Shadows, reviews and who takes over: the clock opens their lots where nobody does within a day, and opens nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from node.clock import MovedClock
from node.clockwork import Clockwork
from node.home import Home
from protocol import moon
from protocol.drawing import FAILED, LOTS, Lot, phase
from protocol.eligibility import GRACE_MS, neglected
from protocol.keys import SigningKey
from protocol.practice import Refused
from protocol.wires import open_reviews
from tests.laws.world import DAY_MS, MINUTE_MS
from tests.node.decided import decided
from tests.protocol.role_house import RoleHouse

START = moon.new_moon_ms(330) + DAY_MS
OPENED = "lot.opened/1"


class Round:
    """Five people on a node."""

    def __init__(self, folder: Path) -> None:
        self.clock = MovedClock(START, running=False)
        self.home = Home.found(folder, "The Round", "Ada", self.clock)
        self.people = [self.home.key_files.key()]
        for number in range(1, 5):
            secret, key = bytes([number]) * 16, SigningKey(bytes([number]) * 32)
            self.do("member.invited/1", {"hash": sha256(secret).hexdigest(), "expires_ms": START + DAY_MS})
            self.do("member.joined/1", {"secret": secret.hex()}, key)
            self.people.append(key)

    def do(self, kind: str, body: dict[str, Any], key: SigningKey | None = None) -> bytes:
        self.clock.move(2 * MINUTE_MS)
        return self.home.actions.submit(kind, body, key or self.people[0]).digest

    def turn(self) -> tuple[str, ...]:
        return Clockwork(self.home).turn().done

    def lots(self) -> tuple[Lot, ...]:
        return self.home.view().all(LOTS, order="opened_ms")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Round]:
    made = Round(tmp_path / "round")
    yield made
    made.home.close()


def test_who_takes_over_is_drawn_for_whether_or_not_anybody_thinks_of_it(house: Round) -> None:
    rest = house.do("sabbatical.wished/1", {"cycle": 331}, house.people[1])
    house.clock.move(GRACE_MS - MINUTE_MS)
    assert house.turn() == ()
    house.clock.move(MINUTE_MS)
    assert house.turn() == (OPENED,)
    (lot,) = house.lots()
    assert (lot.purpose, lot.subject, lot.source, lot.size) == ("newcomer", rest, "members", 4)
    assert house.turn() == (), "once"
    house.clock.move(30 * DAY_MS)
    house.turn()
    (lot,) = house.lots()
    assert phase(lot, house.clock.now_ms()) == FAILED, "nobody added a part; another one is for people to open"


def test_a_review_that_opened_by_itself_gets_its_lot_by_itself(house: Round) -> None:
    wire = {"figure": "members.count", "compare": "below", "number": 9, "cycles": 1, "who": "All of us"}
    decided(house.home, "tripwire.set/1", wire, house.people)
    house.clock.move(moon.new_moon_ms(332) + 3 * DAY_MS - house.clock.now_ms())
    house.turn()
    (review,) = open_reviews(house.home.view())
    assert house.lots() == ()
    house.clock.move(review.opened_ms + GRACE_MS - house.clock.now_ms())
    assert house.turn() == (OPENED,)
    assert [(lot.purpose, lot.subject) for lot in house.lots()] == [("facilitator", review.id)]


def test_a_member_who_was_quicker_opened_it_and_the_clock_opens_no_second(house: Round) -> None:
    rest = house.do("sabbatical.wished/1", {"cycle": 331}, house.people[1])
    house.do(OPENED, {"purpose": "newcomer", "subject": rest.hex()}, house.people[2])
    house.clock.move(2 * DAY_MS)
    assert OPENED not in house.turn()
    assert len(house.lots()) == 1


@pytest.mark.parametrize(
    "more", [{}, {"source": "public", "public_source": "The lottery of 14 March", "known_ms": START + 9 * DAY_MS}]
)
def test_the_clock_opens_nothing_else(house: Round, more: dict[str, Any]) -> None:
    rest = house.do("sabbatical.wished/1", {"cycle": 331}, house.people[1])
    clock = house.home.keys.identity
    for body in ({"purpose": "other", "subject": house.home.space.hex()}, {"purpose": "newcomer", "subject": rest.hex()}):
        with pytest.raises(Refused, match="opens what nobody opened within a day"):
            house.do(OPENED, {**body, **more}, clock)
    house.clock.move(2 * DAY_MS)
    if more:
        with pytest.raises(Refused, match="with parts from members, and nothing else"):
            house.do(OPENED, {"purpose": "newcomer", "subject": rest.hex(), **more}, clock)
    with pytest.raises(Refused, match="have not been given"):
        house.do(OPENED, {"purpose": "newcomer", "subject": rest.hex()}, SigningKey(b"x" * 32))
    assert house.lots() == ()


def test_a_shadow_is_wanted_from_a_day_after_the_term_began() -> None:
    house = RoleHouse()
    house.define()
    term = house.give(house.all[1])
    assert not list(neglected(house.view, term.since_ms + GRACE_MS - 1))
    (found,) = neglected(house.view, term.since_ms + GRACE_MS)
    assert (found.purpose, found.subject, found.since_ms) == ("shadow", term.id, term.since_ms + GRACE_MS)
    assert not list(neglected(house.view, term.until_ms))
    house.draw("shadow", term.id, house.all[2:])
    assert not list(neglected(house.view, term.since_ms + GRACE_MS))


def test_one_alone_has_no_shadow_to_draw() -> None:
    house = RoleHouse(others=0)
    house.define()
    term = house.give(house.founder)
    assert not list(neglected(house.view, term.since_ms + GRACE_MS))
