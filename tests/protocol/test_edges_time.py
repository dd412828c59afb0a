"""Edges of time in self-government: the past, leap days, time zones, clocks set back, and the end of the table of moons.

What is asked for is a sentence that says what to do, or the right result; never a failure, and never that something is there again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import Struct
from msgspec.structs import replace

from node.form_values import to_local, to_utc
from protocol import moon
from protocol.deciding import ROUNDS, binds, is_over, stands
from protocol.judge import STUMBLED, spoken_time
from protocol.practice import MEMBERS, PUBLIC
from protocol.practices import PRACTICES, lots, tripwires
from protocol.practices.assemblies import AssemblyCalled
from protocol.practices.members import Invited
from protocol.proposal import Called, Cast, Closed
from protocol.role_bodies import Called as ShadowCalled
from protocol.role_bodies import Defined, Resigned
from protocol.terms import CALLS, TERMS, holder_of
from protocol.wires import NOTINGS, next_noting
from tests.laws.commune import BOOK, WHY, Commune
from tests.laws.world import DAY_MS, MINUTE_MS

OURS = ("assemblies", "decisions", "lots", "roles", "tripwires", "voice", "work")
LAST_MS = moon.new_moon_ms(2485)  # the last new moon that is known


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


# The past, and nothing at all


@pytest.mark.parametrize(
    ("kind", "body", "sentence"),
    [
        ("decision.called/1", Called(bytes(32), 1, "consent", closes_ms=1), "Open until: that is over already"),
        ("decision.called/1", Called(bytes(32), 1, "consent", review_cycle=1), "Review: The fuse has to lie ahead: this is cycle"),
        ("decision.called/1", Called(bytes(32), 1, "consent", sunset_cycle=1), "Sunset: The fuse has to lie ahead: this is cycle"),
        ("decision.called/1", Called(bytes(32), 0, "consent"), "Not in form"),
        ("member.invited/1", Invited(bytes(32), 1), "Good until: that is over already"),
        ("assembly.called/1", AssemblyCalled(opens_ms=1, ends_ms=2), "Begins: this lies in the past"),
        ("lot.opened/1", lots.Opened("other", bytes(32), 1, "public", "The numbers of the lottery", 1), "must not be known yet"),
        ("lot.opened/1", lots.Opened("other", bytes(32), 0), "Not in form"),
        ("role.defined/1", Defined("cook", 0, []), "Not in form"),
        ("role.defined/1", Defined("cook", -1, []), "Not in form"),
        ("tripwire.set/1", tripwires.WireSet("members.count", "below", 9, 0), "Not in form"),
    ],
)  # fmt: skip
def test_what_lies_in_the_past_or_lasts_no_time_is_refused_with_a_sentence(kind: str, body: Any, sentence: str) -> None:
    commune = Commune()
    if isinstance(body, Called):
        body = replace(body, proposal=commune.propose())
    if isinstance(body, lots.Opened):
        body = replace(body, subject=commune.isle.log[-1].digest)
    assert sentence in commune.eve(kind, body)


def test_no_protocol_makes_a_term_or_a_fuse_of_no_time() -> None:
    """A parameter below its bound counts as the bound: a term of one cycle, a round of no less than it says."""
    commune = Commune()
    for name in ("roles.term-cycles", "decisions.sunset-cycles", "decisions.review-cycles", "decisions.carry-out-cycles"):
        assert not commune.adopt(name, 0)
    term = commune.hold(in_a_row=1)
    assert term.until_ms == moon.new_moon_ms(moon.cycle_at(commune.now_ms) + 1)
    outcome = commune.close(_answered(commune))
    assert outcome.since_ms < outcome.review_ms <= outcome.sunset_ms


def _answered(commune: Commune, **more: Any) -> bytes:
    round_ = commune.call(commune.propose(), **more)
    commune.answer(round_, *["agree"] * len(commune.people))
    return round_


def test_a_term_given_in_the_last_minute_of_a_cycle_is_that_minute_and_one_at_the_new_moon_a_whole_cycle() -> None:
    for offset_ms in (-MINUTE_MS, 0, MINUTE_MS):
        commune = Commune()
        commune.now_ms = moon.new_moon_ms(330) + offset_ms
        minute = (commune.now_ms // MINUTE_MS) * MINUTE_MS
        term = commune.hold(in_a_row=1)
        expected = moon.new_moon_ms(330 if minute < moon.new_moon_ms(330) else 331)
        assert term.until_ms == expected
        assert not commune.eve(BOOK, commune.book())
        commune.now_ms = term.until_ms
        assert "Your term as treasurer ended" in commune.eve(BOOK, commune.book())


def test_a_round_closes_at_a_whole_minute_so_that_pages_and_the_log_agree_when() -> None:
    commune = Commune(3)
    proposal, closes_ms = commune.propose(), commune.now_ms // MINUTE_MS * MINUTE_MS + 2 * DAY_MS
    for more_ms in (1, 30_000, MINUTE_MS - 1):
        called = Called(proposal, 1, "consent", closes_ms=closes_ms + more_ms)
        assert "closes at a whole minute" in commune.eve("decision.called/1", called)
    round_ = commune.call(proposal, closes_ms=closes_ms)
    commune.now_ms = closes_ms - 1  # the log's own time is the minute's beginning
    commune.answer(round_, "agree", "agree")
    assert not is_over(commune.view, commune.round(round_), commune.now_ms)
    assert "1 member may still answer" in commune.eve("decision.closed/1", Closed(round_))
    commune.now_ms = closes_ms
    assert is_over(commune.view, commune.round(round_), commune.now_ms)
    assert "This round closed" in commune.write("vote.cast/1", Cast(round_, "object"), commune.people[2])
    assert commune.close(round_).accepted


# Leap days and time zones


@pytest.mark.parametrize("year", [2000, 2024, 2028, 2096, 2100, 2104, 2200])
def test_instants_are_said_right_around_the_end_of_february(year: int) -> None:
    begin = datetime(year, 2, 27, tzinfo=UTC)
    for hours in range(0, 24 * 5, 7):
        moment = begin + timedelta(hours=hours, minutes=13)
        assert spoken_time(int(moment.timestamp() * 1000)) == moment.strftime("%Y-%m-%d %H:%M UTC")


def test_a_term_over_a_leap_day_ends_at_its_new_moon_as_any_other() -> None:
    commune = Commune()
    commune.now_ms = at("2028-02-28T12:00")
    term = commune.hold(in_a_row=1)
    assert term.until_ms == moon.new_moon_ms(moon.cycle_at(at("2028-02-29T12:00")) + 1)
    commune.now_ms = at("2028-02-29T23:59")
    assert (not commune.eve(BOOK, commune.book())) == (commune.now_ms < term.until_ms)


@pytest.mark.parametrize(
    ("zone", "typed", "means"),
    [
        ("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59+00:00"),
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30+00:00"),  # there is no such time there: half an hour on
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30+00:00"),  # it comes twice: the first
        ("Pacific/Auckland", "2026-04-05T02:30", "2026-04-04T13:30+00:00"),
        ("America/Los_Angeles", "2028-02-29T18:00", "2028-03-01T02:00+00:00"),
        ("Asia/Kathmandu", "2026-12-31T23:59", "2026-12-31T18:14+00:00"),
        ("Europe/Berlin", "2026-02-30T12:00", "2026-02-30T12:00"),  # no such day: as it was typed, for the form to refuse
        ("Europe/Berlin", "9999-12-31T23:59", "9999-12-31T22:59+00:00"),
        ("America/Los_Angeles", "9999-12-31T23:59", "9999-12-31T23:59"),
    ],
)
def test_the_end_of_a_round_is_read_in_the_zone_in_which_it_was_typed(zone: str, typed: str, means: str) -> None:
    found = to_utc(Called, {"closes_ms": typed, "type": typed}, ZoneInfo(zone))
    assert found == {"closes_ms": means, "type": typed}
    if means.endswith("+00:00") and "02:30" not in typed:
        assert to_local(Called, found, ZoneInfo(zone))["closes_ms"] == typed


# Clocks set back


def test_a_clock_set_back_brings_back_no_term_no_pause_no_leave_and_no_round() -> None:
    commune = Commune()
    commune.pause()
    term = commune.term()
    round_ = _answered(commune)
    outcome = commune.close(round_)
    commune.now_ms = outcome.sunset_ms
    commune.must("agenda.added/1", commune.kinds["agenda.added/1"].body(title="Something"), commune.people[0])
    commune.now_ms = term.since_ms + MINUTE_MS
    assert "treasurer ended at" in commune.eve(BOOK, commune.book())
    assert "This term is over already" in commune.eve("role.resigned/1", Resigned(term.id))
    assert "counted already" in commune.eve("decision.closed/1", Closed(round_))
    shadow = next(key for key in commune.people if key.public == commune.rows(CALLS)[0].caller)
    assert "not in force now" in commune.write("role.called/1", ShadowCalled(term.id, BOOK, WHY), shadow)
    assert stands(commune.outcome(outcome.id), commune.isle.log[-1].logged_ms) == "lapsed"
    given = commune.call(commune.propose())
    assert commune.round(given).called_ms >= outcome.sunset_ms, "the log's own time does not go back"


def test_a_term_that_ended_while_nobody_was_there_is_over_and_every_cycle_is_noted_once() -> None:
    commune = Commune()
    commune.hold()
    assert not commune.as_decided("tripwire.set/1", tripwires.WireSet("members.count", "below", 2))
    commune.now_ms += 400 * DAY_MS
    while next_noting(commune.view, commune.now_ms):
        assert not commune.clock("figures.noted/1", commune.figures())
    cycles = sorted(row.cycle for row in commune.rows(NOTINGS))
    assert cycles == list(range(cycles[0], moon.cycle_at(commune.now_ms)))
    assert holder_of(commune.view, "treasurer", commune.now_ms) is None
    assert "ended at" in commune.eve(BOOK, commune.book())


# Beyond the table of moons


@pytest.mark.parametrize("before_ms", [14 * 30 * DAY_MS, 40 * DAY_MS, MINUTE_MS, 0, -MINUTE_MS, -400 * DAY_MS])
def test_at_the_end_of_the_table_of_moons_there_are_sentences_and_pages(before_ms: int) -> None:
    """Whatever is asked then either holds or is refused in words; nothing stumbles, and what was there is told."""
    commune = Commune()
    term, outcome = commune.hold(), commune.settled()
    assert not commune.as_decided("tripwire.set/1", tripwires.WireSet("members.count", "below", 9))
    round_ = commune.call(commune.propose(), "majority")
    commune.now_ms = LAST_MS - before_ms
    cycle = 2484
    tried: list[tuple[str, Struct]] = [
        ("role.defined/1", commune.treasurer(13)),
        ("role.defined/1", commune.treasurer()),
        ("decision.called/1", Called(commune.propose(), 1, "consent")),
        ("decision.called/1", Called(commune.propose(), 1, "consent", review_cycle=cycle, sunset_cycle=cycle)),
        ("tripwire.set/1", tripwires.WireSet("members.count", "below", 8, 13)),
        ("agenda.added/1", commune.kinds["agenda.added/1"].body(title="Something")),
        ("lot.opened/1", lots.Opened("other", commune.isle.log[-1].digest)),
        ("role.appointed/1", commune.appointment()),
    ]
    for kind, body in tried:
        said = commune.eve(kind, body)
        assert STUMBLED not in said
        assert not said or len(said.split()) > 4
    commune.close(round_)
    assert not binds(outcome, commune.now_ms)
    assert holder_of(commune.view, "treasurer", commune.now_ms) is None
    assert "ended at" in commune.eve(BOOK, commune.book())
    for practice in (each for each in PRACTICES if each.name in OURS):
        for audience in (PUBLIC, MEMBERS):
            view = commune.store.view(commune.isle.id, audience)
            assert list(practice.page(view, commune.now_ms)) is not None
            assert list(practice.due(view, commune.now_ms)) is not None
            assert dict(practice.figures(view, commune.now_ms)) is not None
            assert dict(practice.state(view, commune.now_ms)) is not None
    assert all(row.until_ms <= LAST_MS for row in commune.rows(TERMS))
    assert term in [commune.term()]
    assert [row.is_open for row in commune.rows(ROUNDS) if row.id == round_] == [False]
