"""The shipped table of new moons and the cycles that are read from it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import moon, new_moons
from tests.protocol import make_new_moons

CYCLES = st.integers(new_moons.FIRST_CYCLE, new_moons.FIRST_CYCLE + 3722)


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_cycle_0_began_at_the_first_new_moon_of_2000() -> None:
    assert moon.new_moon_ms(0) == _ms("2000-01-06T18:14:00+00:00")
    assert moon.moons_of_year(2000)[0] == (0, moon.new_moon_ms(0))


def test_the_shipped_table_is_what_ephem_gives() -> None:
    assert Path(new_moons.__file__).read_text(encoding="utf-8") == make_new_moons.module()


def test_new_moons_agree_with_the_naval_observatory_to_two_minutes(vectors: Path) -> None:
    lines = (vectors / "moon" / "usno_phases.txt").read_text(encoding="ascii").split("\n")
    official = [_ms(line[2:].strip()) for line in lines if line.startswith("0 ")]
    assert len(official) > 30
    for instant in official:
        cycle = moon.cycle_at(instant + 7 * 86_400_000)
        assert abs(moon.new_moon_ms(cycle) - instant) <= 120_000


def test_first_and_last_quarters_and_full_moons_fall_near_their_share_of_the_cycle(vectors: Path) -> None:
    lines = (vectors / "moon" / "usno_phases.txt").read_text(encoding="ascii").split("\n")
    for line in filter(None, lines):
        quarter, instant = int(line[0]), _ms(line[2:].strip())
        if quarter:
            assert abs(moon.phase(instant) - 250 * quarter) < 40
            assert moon.phase_name(instant) == moon.PHASES[2 * quarter]


@given(CYCLES)
def test_a_cycle_holds_its_first_instant_and_not_its_last(cycle: int) -> None:
    begins, ends = moon.cycle_bounds(cycle)
    assert moon.cycle_at(begins) == moon.cycle_at(ends - 1) == cycle
    assert moon.cycle_at(begins - 1 if cycle > new_moons.FIRST_CYCLE else begins) <= cycle
    assert moon.phase(begins) == 0
    assert moon.phase(ends - 1) == 999
    assert 29 * 86_400_000 < ends - begins < 30 * 86_400_000
    assert begins % 60_000 == 0


@given(CYCLES, st.integers(1, 13))
def test_a_term_of_some_cycles_ends_with_the_last_of_them(cycle: int, cycles: int) -> None:
    begins, ends = moon.cycle_bounds(cycle)
    try:
        term_ends = moon.new_moon_ms(cycle + cycles)
    except moon.OutsideTable:
        return
    assert moon.after_cycles(begins, cycles) == moon.after_cycles(ends - 1, cycles) == term_ends


def test_every_year_of_the_table_has_its_twelve_or_thirteen_new_moons_and_none_is_lost() -> None:
    found: list[tuple[int, int]] = []
    for year in range(moon.FIRST_YEAR, moon.LAST_YEAR + 1):
        moons = moon.moons_of_year(year)
        assert len(moons) in (12, 13)
        assert all(datetime.fromtimestamp(ms / 1000, UTC).year == year for _, ms in moons)
        found += moons
    assert [cycle for cycle, _ in found] == list(range(found[0][0], found[-1][0] + 1))


def test_every_instant_of_the_years_of_the_table_has_a_cycle() -> None:
    for text in ("1900-01-01T00:00:00+00:00", "1969-12-31T23:59:59+00:00", "2200-12-31T23:59:59+00:00"):
        begins, ends = moon.cycle_bounds(moon.cycle_at(_ms(text)))
        assert begins <= _ms(text) < ends


def test_outside_the_table_the_error_names_what_can_be_chosen() -> None:
    for ask in (
        lambda: moon.new_moon_ms(new_moons.FIRST_CYCLE - 1),
        lambda: moon.new_moon_ms(10_000),
        lambda: moon.cycle_at(_ms("1890-01-01T00:00:00+00:00")),
        lambda: moon.cycle_at(_ms("2201-03-01T00:00:00+00:00")),
        lambda: moon.moons_of_year(1899),
        lambda: moon.moons_of_year(2201),
    ):
        with pytest.raises(moon.OutsideTable, match=r"Choose .*2200"):
            ask()


def test_the_words_for_a_phase_go_round_the_cycle() -> None:
    begins, ends = moon.cycle_bounds(300)
    seen = [moon.phase_name(begins + (ends - begins) * i // 8) for i in range(8)]
    assert seen == list(moon.PHASES)
    assert moon.phase_name(ends - 1) == "new moon"


def test_the_table_is_small_and_read_in_milliseconds() -> None:
    assert Path(new_moons.__file__).stat().st_size < 20_000
    code = (
        "import bisect, datetime, functools, time\nt = time.perf_counter()\n"
        "from protocol import moon\nmoon.new_moon_ms(0)\nprint(time.perf_counter() - t)"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) for _ in range(5)
    ]
    assert min(times) < 0.005
