"""The clock notices what came due, once, in order and at its true moment, also while the node was off; and does what it may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from node.clock import MovedClock
from node.clockwork import MOST, Clockwork, Deed, look, missed_moments, thinned
from node.home import Home
from node.notices import Notices
from protocol import drawing, moon, wires
from protocol.practice import FOREVER_MS, Due, Practice, Refused, View
from protocol.practices import PRACTICES
from tests.node.decided import decided

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = moon.new_moon_ms(325) + 3 * DAY
LINK = b"l" * 32


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(START, running=False)


@pytest.fixture
def home(tmp_path: Path, clock: MovedClock) -> Iterator[Home]:
    made = Home.found(tmp_path / "mill", "The Mill", "Ada", clock)
    yield made
    made.close()


def practice(name: str, spans: list[tuple[str, int, int]], **others: Any) -> Practice:
    """A practice in which these things are due from one instant to another."""

    def due(view: View, now_ms: int) -> Iterator[Due]:
        for what, since_ms, until_ms in spans:
            if since_ms <= now_ms < until_ms:
                yield Due(what, None, since_ms, until_ms, LINK)

    return Practice(name, name.title(), "assembly", due=due, **others)


def turning(home: Home, *practices: Practice, **others: Any) -> Clockwork:
    return Clockwork(home, practices=practices, **others)


def told(home: Home, since_ms: int = 0) -> list[tuple[str, int]]:
    """What was noticed, the earliest first."""
    return [(each.what, each.at_ms) for each in reversed(Notices(home.store.database).since(None, since_ms, 100))]


def assembly(home: Home, in_ms: int, hours: int = 2) -> str:
    opens = home.clock.now_ms() + in_ms
    body = {"opens_ms": opens, "ends_ms": opens + hours * HOUR, "purpose": "Monthly assembly"}
    return home.actions.submit("assembly.called/1", body, home.key_files.key()).digest.hex()


# Noticing


def test_what_is_due_is_kept_once_while_it_lasts(home: Home, clock: MovedClock) -> None:
    works = turning(home, practice("p", [("Answer", START - HOUR, START + DAY)]))
    assert works.turn().noticed == 1
    for _ in range(5):
        clock.move(MINUTE)
        assert works.turn().noticed == 0
    assert told(home) == [("Answer", START - HOUR)]


def test_numbers_in_the_words_make_it_no_other_notice(home: Home, clock: MovedClock) -> None:
    waiting = {"n": 5}

    def due(view: View, now_ms: int) -> Iterator[Due]:
        yield Due(f"{waiting['n']} of 9 have answered", None, now_ms, FOREVER_MS, LINK)

    works = turning(home, Practice("p", "P", "assembly", due=due))
    works.turn()
    waiting["n"] = 6
    clock.move(MINUTE)
    assert works.turn().noticed == 0


def test_what_came_and_went_while_the_node_was_off_is_noticed_in_order_at_its_true_moment(
    home: Home, clock: MovedClock
) -> None:
    """An assembly that was called for the day after, while the node is off for a season."""
    Clockwork(home).turn()
    assembly(home, DAY)
    clock.move(MINUTE)
    Clockwork(home).turn()
    known = clock.now_ms()
    clock.move(90 * DAY)
    found = [each for each in _noticed(home, clock, known) if "Monthly" in each[0]]
    assert [what for what, _ in found] == [
        "Monthly assembly is on",
        "Monthly assembly is over: enter who was there and what was said, and close it",
    ]
    assert [at_ms for _, at_ms in found] == [START + DAY, START + DAY + 2 * HOUR]


def _noticed(home: Home, clock: MovedClock, since_ms: int) -> list[tuple[str, int]]:
    Clockwork(home).turn()
    return told(home, since_ms)


def test_all_practices_are_told_in_one_order_of_true_moments(home: Home, clock: MovedClock) -> None:
    moons = [moon.new_moon_ms(moon.cycle_at(START) + number) for number in (1, 2, 3)]
    early = practice("a", [("third", moons[2], moons[2] + DAY), ("first", moons[0], moons[0] + DAY)])
    late = practice("b", [("second", moons[1], moons[1] + DAY)])
    works = turning(home, late, early)
    works.turn()
    clock.move(120 * DAY)
    works.turn()
    assert told(home) == [("first", moons[0]), ("second", moons[1]), ("third", moons[2])]
    kept = sorted(works.notices.since(None, 0, 10), key=lambda each: each.number)
    assert [each.what for each in kept] == ["first", "second", "third"]


def test_what_follows_on_the_end_of_something_due_is_noticed_too(home: Home, clock: MovedClock) -> None:
    edge = START + 5 * DAY + 1234
    works = turning(home, practice("p", [("Term ends", START - DAY, edge), ("Grace", edge, edge + DAY)]))
    works.turn()
    clock.move(20 * DAY)
    works.turn()
    assert told(home) == [("Term ends", START - DAY), ("Grace", edge)]


def test_what_ends_at_an_instant_that_a_row_names_is_seen_just_before_it(home: Home) -> None:
    """It begins a week before, at an instant that no row names, between two new moons."""
    ends = moon.new_moon_ms(326) + 15 * DAY
    one = practice("p", [("Look again", ends - 7 * DAY, ends)])
    moments = missed_moments(START, ends + 5 * DAY, [one], {"p": [ends]})
    (came,) = look(home.view(), [one], {}, moments).came
    assert (came.due.what, came.at_ms) == ("Look again", ends - 7 * DAY)


def test_being_off_or_on_brings_the_same_notices(tmp_path: Path) -> None:
    """One node runs through, another is off the whole time: they notice the same, at the same true moments."""
    found = []
    for name, steps in (("on", 60), ("off", 1)):
        clock = MovedClock(START, running=False)
        home = Home.found(tmp_path / name, "The Mill", "Ada", clock)
        works = Clockwork(home)
        assembly(home, 2 * DAY)
        works.turn()
        for _ in range(steps):
            clock.move(60 * DAY // steps)
            works.turn()
        found.append(sorted(told(home)))
        home.close()
    assert found[0] == found[1]


def test_a_clock_set_back_repeats_nothing_and_goes_not_before_what_it_knows(home: Home, clock: MovedClock) -> None:
    works = turning(home, practice("p", [("one", START, FOREVER_MS), ("two", START + DAY, FOREVER_MS)]))
    clock.move(2 * DAY)
    works.turn()
    before = [each.noticed_ms for each in works.notices.since(None, 0, 10)]
    clock.move(-DAY - HOUR)  # "two" is not due at that time
    works.turn()
    clock.move(3 * DAY)
    works.turn()
    kept = works.notices.since(None, 0, 10)
    assert [(each.what, each.at_ms) for each in kept] == [("two", START + DAY), ("one", START)]
    assert [each.noticed_ms for each in kept] == before
    assert all(each.alive for each in kept)
    assert works.notices.ran_ms() == clock.now_ms()


def test_a_clock_set_back_dates_what_is_new_after_what_it_knows(home: Home, clock: MovedClock) -> None:
    spans = [("one", START, FOREVER_MS)]
    works = turning(home, practice("p", spans))
    works.turn()
    clock.move(-DAY)
    spans.append(("two", START - 2 * DAY, FOREVER_MS))
    works.turn()
    two, one = sorted(works.notices.since(None, 0, 10), key=lambda each: -each.number)
    assert (one.what, two.what) == ("one", "two")
    assert two.noticed_ms >= one.noticed_ms


def test_the_clock_keeps_when_it_ran_and_when_it_was_off(home: Home, clock: MovedClock) -> None:
    works = turning(home)
    works.turn()
    for _ in range(3):
        clock.move(MINUTE)
        works.turn()
    off = clock.now_ms()
    assert (works.notices.ran_ms(), works.notices.away(5)) == (off, [])
    clock.move(5 * DAY)
    turning(home).turn()
    (away,) = works.notices.away(5)
    assert (away.since_ms, away.until_ms) == (off, off + 5 * DAY)


def test_nothing_is_looked_at_while_neither_the_minute_nor_the_log_moves(home: Home, clock: MovedClock) -> None:
    looked: list[int] = []

    def due(view: View, now_ms: int) -> Iterator[Due]:
        looked.append(now_ms)
        return iter(())

    works = turning(home, Practice("p", "P", "assembly", due=due))
    home.store.listeners.append(works.moved)
    for _ in range(3):
        works.turn()
    assert len(looked) == 1
    assembly(home, DAY)
    works.turn()
    assert len(looked) == 2


def test_a_practice_that_fails_does_not_stop_the_clock(home: Home) -> None:
    def due(view: View, now_ms: int) -> Iterator[Due]:
        raise KeyError("no")

    works = turning(home, Practice("bad", "Bad", "assembly", due=due), practice("good", [("Answer", START, FOREVER_MS)]))
    assert works.turn().noticed == 1


def test_erased_words_are_forgotten_in_what_is_over(home: Home, clock: MovedClock) -> None:
    key = home.key_files.key()
    works = Clockwork(home)
    digest = assembly(home, HOUR)
    works.turn()
    clock.move(2 * DAY)
    works.turn()
    assert any("Monthly" in what for what, _ in told(home))
    home.actions.submit("record.erased/1", {"record": digest}, key)
    clock.move(MINUTE)
    works.turn()
    assert not any("Monthly" in what for what, _ in told(home))


def test_only_the_widest_of_too_many_instants_are_looked_at() -> None:
    assert thinned([1, 2, 3], 3) == [1, 2, 3]
    assert thinned([0, 1, 2, 100, 101, 500], 3) == [0, 100, 500]
    moments = list(missed_moments(0, 10**6, [practice("p", [])], {"p": range(1, 10**4)}))
    assert len(set(moments)) <= 2 * MOST + 2


def test_moments_are_looked_at_in_order_whichever_practice_names_them(home: Home) -> None:
    seen: list[int] = []

    def due(view: View, now_ms: int) -> Iterator[Due]:
        seen.append(now_ms)
        return iter(())

    both = [Practice(name, name, "assembly", due=due) for name in ("a", "b")]
    look(home.view(), both, {}, [(5, "a"), (3, "b"), (9, "a"), (4, "a")])
    assert seen == [3, 4, 5, 9]


# Doing


def deed(at_ms: int, about: int = 0, **body: Any) -> Deed:
    """An act that stands for those of the clock: figures of a cycle."""
    return Deed(at_ms, "figures.noted/1", about, body)


class Writing:
    """Stands in for `Actions`: what the clock would write."""

    def __init__(self, home: Home, refuse: set[int] | None = None) -> None:
        self.written: list[tuple[str, Mapping[str, Any], bytes]] = []

        def submit(kind: str, body: Mapping[str, Any], key: Any, audience: int | None) -> None:
            if body.get("cycle") in (refuse or set()):
                self.written.append(("refused", body, key.public))
                raise Refused("Not like that.")
            self.written.append((kind, body, key.public))

        self.submit = submit


def test_the_clock_acts_in_the_order_of_true_moments_with_the_nodes_own_key(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = Writing(home)
    monkeypatch.setattr(home, "actions", writing)

    def ask(view: View, now_ms: int) -> Iterator[Deed]:
        done = {body["cycle"] for _, body, _ in writing.written}
        for cycle in (7, 5, 6):
            if cycle not in done:
                yield deed(START - (10 - cycle) * DAY, cycle, cycle=cycle)

    turned = turning(home, deeds=(ask,)).turn()
    assert [body["cycle"] for _, body, _ in writing.written] == [5, 6, 7]
    assert {key for _, _, key in writing.written} == {home.keys.identity.public}
    assert (len(turned.done), turned.refused) == (3, 0)
    assert not turning(home, deeds=(ask,)).turn().done


def test_what_is_refused_is_tried_again_later_and_later(home: Home, clock: MovedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    writing = Writing(home, {1})
    monkeypatch.setattr(home, "actions", writing)
    works = turning(home, deeds=(lambda view, now_ms: [deed(START, 1, cycle=1)],))
    assert works.turn().refused == 1
    for _ in range(8 * 60):
        clock.move(MINUTE)
        works.turn()
    assert 3 <= len(writing.written) <= 6


def test_one_refused_act_does_not_hold_up_the_others(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    writing = Writing(home, {1})
    monkeypatch.setattr(home, "actions", writing)

    def ask(view: View, now_ms: int) -> Iterator[Deed]:
        if ("figures.noted/1", {"cycle": 2}, home.keys.identity.public) not in writing.written:
            yield deed(START, 2, cycle=2)
        yield deed(START - DAY, 1, cycle=1)

    turned = turning(home, deeds=(ask,)).turn()
    assert (turned.done, turned.refused) == (("figures.noted/1",), 1)


def test_a_node_that_is_recovering_writes_nothing_by_itself(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    writing = Writing(home)
    monkeypatch.setattr(home, "actions", writing)
    home.heads.recovering = "It is behind its head file."
    assert not turning(home, deeds=(lambda view, now_ms: [deed(START, 1, cycle=1)],)).turn().done
    assert not writing.written


def test_figures_of_every_missed_cycle_are_noted_in_order_and_a_wire_trips_by_them(home: Home, clock: MovedClock) -> None:
    wire = {"figure": "members.count", "compare": "below", "number": 5, "cycles": 2, "who": "All of us"}
    decided(home, "tripwire.set/1", wire, [home.key_files.key()])
    first = moon.cycle_at(clock.now_ms())
    clock.move(100 * DAY)
    turned = Clockwork(home).turn()
    noted = [row.cycle for row in home.view().all(wires.NOTINGS, order="cycle")]
    assert noted == list(range(first, moon.cycle_at(clock.now_ms())))
    assert turned.done == ("figures.noted/1",) * len(noted)
    assert len(noted) > 2
    assert len(wires.open_reviews(home.view())) == 1
    assert any("review" in what.lower() for what, _ in told(home))
    assert not Clockwork(home).turn().done


def test_a_lot_that_is_ready_is_drawn(home: Home) -> None:
    subject = assembly(home, DAY)
    home.actions.submit("lot.opened/1", {"purpose": "other", "subject": subject}, home.key_files.key())
    assert Clockwork(home).turn().done == ("lot.drawn/1",)
    assert drawing.standing(home.view(), "other", bytes.fromhex(subject)) == (home.key_files.key().public,)


def test_a_turn_is_bounded(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "actions", Writing(home))
    turned = turning(home, deeds=(lambda view, now_ms: [deed(START, 1, cycle=1)],)).turn()
    assert len(turned.done) == 100


def test_every_practice_is_told_apart_by_its_name() -> None:
    assert len({each.name for each in PRACTICES}) == len(PRACTICES)
    assert replace(PRACTICES[0]).name == PRACTICES[0].name
