"""Values are told in words that people use, and nothing in them steers a terminal."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from node.words import count, duration, exact, iso, kind_title, local, measure, money, permission, plain, when
from protocol.judge import spoken_time
from protocol.page import When
from protocol.practice import FOREVER_MS
from tests.node.sample_blocks import DAY_MS, NOW_MS, TELLING


@pytest.mark.parametrize(
    ("away_ms", "words"),
    [
        (0, "now"),
        (-30_000, "now"),
        (60_000, "in 1 minute"),
        (-5 * 60_000, "5 minutes ago"),
        (3 * 3_600_000, "today, 15:13"),
        (DAY_MS, "tomorrow, 12:13"),
        (-DAY_MS, "yesterday, 12:13"),
        (5 * DAY_MS, "in 5 days, Sunday 12:13"),
        (-14 * DAY_MS, "14 days ago, Tuesday 12:13"),
        (20 * DAY_MS, "23 March"),
        (-400 * DAY_MS, "27 January 2025"),
        (FOREVER_MS, "for good"),
    ],
)
def test_an_instant_is_told_in_words_seen_from_now(away_ms: int, words: str) -> None:
    assert when(NOW_MS + away_ms, NOW_MS, UTC) == words


def test_the_civil_day_is_that_of_the_collective() -> None:
    late = NOW_MS + 11 * 3_600_000  # 23:13 in UTC, past midnight in Athens
    assert when(late, NOW_MS, UTC) == "today, 23:13"
    assert when(late, NOW_MS, ZoneInfo("Europe/Athens")) == "tomorrow, 01:13"
    assert exact(NOW_MS, ZoneInfo("Europe/Berlin")) == "Tuesday 3 March 2026, 13:13 CET"


def test_an_instant_outside_all_calendars_is_told_without_a_date() -> None:
    assert exact(FOREVER_MS, UTC) == "without an end"
    assert iso(FOREVER_MS) == ""
    assert TELLING.cell(When(-FOREVER_MS)) == "long ago"


def test_amounts_have_two_decimals_and_a_minus_sign() -> None:
    assert money(0, "EUR") == "0.00 EUR"
    assert money(-5, "EUR") == "−0.05 EUR"
    assert money(123_456_789, "EUR") == "1,234,567.89 EUR"


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (1250, "EUR", "12.50 EUR"),
        (1, "hours", "1 hour"),
        (3, "hours", "3 hours"),
        (40, "%", "40 %"),
        (7, "", "7"),
        (428, "‰", "42.8 %"),
        (500, "‰", "50 %"),
        (-5, "‰", "−0.5 %"),
        (1, "people", "1 person"),
        (2, "people", "2 people"),
    ],
)
def test_a_value_of_a_picture_is_told_with_its_unit(value: int, unit: str, words: str) -> None:
    assert measure(value, unit) == words


def test_counts_and_durations_have_the_right_plural() -> None:
    assert count(-1200) == "−1,200"
    assert (duration(90_000), duration(2 * DAY_MS), duration(10)) == ("1 minute", "2 days", "less than a second")


def test_what_steers_a_terminal_or_turns_the_reading_direction_is_taken_out() -> None:
    assert plain("a\x1b[2Jb\u202ec\x07\u2066d\r\ne\tf") == "a[2Jbcd\ne\tf"


def test_a_kind_that_this_node_does_not_know_still_has_a_name() -> None:
    assert kind_title("pulse.round-opened/3") == "Round opened"


ENDED_MS = 1_796_777_520_000  # 9 December 2026, 00:52 in UTC: a new moon


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Pacific/Auckland", "Wednesday 9 December 2026, 13:52"),
        ("America/Los_Angeles", "Tuesday 8 December 2026, 16:52"),
        ("UTC", "Wednesday 9 December 2026, 00:52"),
    ],
)
def test_a_refusal_tells_its_instants_on_the_civil_day_of_the_collective(zone: str, words: str) -> None:
    said = f"Your term as treasurer ended at {spoken_time(ENDED_MS)}. Ask for a new appointment."
    assert said.startswith("Your term as treasurer ended at 2026-12-09 00:52 UTC.")
    assert local(said, ZoneInfo(zone)) == f"Your term as treasurer ended on {words}. Ask for a new appointment."
    twice = f"You rest from {spoken_time(ENDED_MS)} until {spoken_time(ENDED_MS)}: choose a later day."
    assert local(twice, ZoneInfo(zone)) == f"You rest from {words} until {words}: choose a later day."


def test_what_is_no_instant_of_the_rules_stays_in_a_refusal_as_it_is() -> None:
    zone = ZoneInfo("Pacific/Auckland")
    for said in (
        "Begins: “2026-12-09 00:52 UTC” is not a time. Write it like 2026-03-14 18:00+00:00 (in UTC).",
        "It ended at 2026-02-30 00:52 UTC.",
        f"It ended at {spoken_time(FOREVER_MS)}.",
        "Nobody holds it on 2026-12-09.",
    ):
        assert local(said, zone) == said


def test_what_a_grant_lets_somebody_do_is_told_in_words() -> None:
    assert permission("ledger.transaction-booked/1") == "Book a transaction"
    for name in ("member", "assembly", "clock"):
        assert len(permission(name).split()) > 5
