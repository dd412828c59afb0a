"""The moon's cycles: the rhythm that all nodes share without asking each other.

- A cycle runs from one new moon to the next: it holds its first instant and not its last.
- Cycle 0 began with the new moon of 2000-01-06 18:14 UTC; those before have negative numbers.
- New moons are read from a shipped table (`protocol/new_moons.py`, to the minute, 1900 to 2200) and never computed, so
  that a term ends at the same millisecond on every node, whatever its machine or the age of its libraries.
- All instants are milliseconds since 1970 in UTC. Which civil day that is, each collective's own time zone says.

Example::

    >>> new_moon_ms(0)  # 2000-01-06 18:14 UTC
    947182440000
    >>> cycle_at(947182440000), cycle_at(947182439999)
    (0, -1)

Source: the table was made with PyEphem (VSOP87 and a lunar theory after Moshier); the tests hold it against the
United States Naval Observatory's phases. Numbers of cycles as in Jean Meeus, Astronomical Algorithms, chapter 49.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from functools import lru_cache

from protocol.new_moons import FIRST_CYCLE, FIRST_MINUTE, LENGTHS, SHORTEST_MIN

FIRST_YEAR, LAST_YEAR = 1900, 2200

PHASES = (
    "new moon",
    "waxing crescent",
    "first quarter",
    "waxing gibbous",
    "full moon",
    "waning gibbous",
    "last quarter",
    "waning crescent",
)


class OutsideTable(ValueError):
    """An instant, year or cycle for which no new moon is known; the message names the limits."""


@lru_cache(maxsize=1)
def _table() -> tuple[int, ...]:
    """Every known new moon in ms, in order."""
    digits = LENGTHS.replace("\n", "")
    minute = FIRST_MINUTE
    found = [minute * 60_000]
    for at in range(0, len(digits), 2):
        minute += SHORTEST_MIN + int(digits[at : at + 2], 36)
        found.append(minute * 60_000)
    return tuple(found)


def new_moon_ms(cycle: int) -> int:
    """The instant at which a cycle begins."""
    table, index = _table(), cycle - FIRST_CYCLE
    if not 0 <= index < len(table):
        last = FIRST_CYCLE + len(table) - 1
        raise OutsideTable(
            f"Cycle {cycle} is outside the table of new moons. Choose a cycle from {FIRST_CYCLE} to {last} "
            f"(the years {FIRST_YEAR} to {LAST_YEAR})."
        )
    return table[index]


def cycle_at(ms: int) -> int:
    """The cycle that holds an instant: it began at or before it, and the next has not begun."""
    table = _table()
    if not table[0] <= ms < table[-1]:
        raise OutsideTable(
            f"This moment ({ms} ms since 1970) is outside the table of new moons. "
            f"Choose one in the years {FIRST_YEAR} to {LAST_YEAR}."
        )
    return FIRST_CYCLE + bisect_right(table, ms) - 1


def cycle_bounds(cycle: int) -> tuple[int, int]:
    """Where a cycle begins and where the next one does."""
    return new_moon_ms(cycle), new_moon_ms(cycle + 1)


def after_cycles(ms: int, cycles: int) -> int:
    """The new moon that ends a term of so many cycles, that of the instant being the first (1: the next new moon)."""
    return new_moon_ms(cycle_at(ms) + cycles)


def moons_of_year(year: int) -> list[tuple[int, int]]:
    """(cycle, instant) of each new moon in a year of UTC."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise OutsideTable(f"The year {year} is outside the table of new moons. Choose one from {FIRST_YEAR} to {LAST_YEAR}.")
    table = _table()
    first, end = (bisect_left(table, _year_ms(y)) for y in (year, year + 1))
    return [(FIRST_CYCLE + index, table[index]) for index in range(first, end)]


def phase(ms: int) -> int:
    """How much of its cycle has passed, in permille: 0 at the new moon, about 500 at the full, below 1000.

    It is a share of the time, which is what terms and windows go by; the true half moon is up to a day from 250 or 750.
    """
    begins, ends = cycle_bounds(cycle_at(ms))
    return (ms - begins) * 1000 // (ends - begins)


def phase_name(ms: int) -> str:
    """The phase in words, each an eighth of the cycle around its middle."""
    return PHASES[(phase(ms) * 8 + 500) // 1000 % 8]


def _year_ms(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000
