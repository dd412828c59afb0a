"""Fairness: worked examples, and sensible answers for nobody, one, two, and nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import fairness
from protocol.fairness import (
    effective_number,
    fewest_doing_half,
    gini,
    gini_corrected,
    hhi,
    hhi_normalised,
    idle,
    top_share,
)

CHAOSS = (1000, 202, 90, 33, 332, 343, 42, 433)
ALL = (gini, gini_corrected, hhi, hhi_normalised, effective_number, top_share, fewest_doing_half)


def test_the_worked_example_of_eight_people() -> None:
    assert (gini(CHAOSS), gini_corrected(CHAOSS)) == (4855, 5549)
    assert (hhi(CHAOSS), effective_number(CHAOSS)) == (2395, 418)
    assert (fewest_doing_half(CHAOSS), top_share(CHAOSS), idle(CHAOSS)) == (2, 404, 0)
    assert hhi_normalised(CHAOSS) == round((0.239503 - 1 / 8) / (1 - 1 / 8) * 10_000)


@pytest.mark.parametrize("measure", ALL)
@pytest.mark.parametrize("values", [(), (0,), (0, 0), (0,) * 500])
def test_where_there_is_nothing_there_is_no_share(
    measure: Callable[[Sequence[int]], int | None], values: tuple[int, ...]
) -> None:
    assert measure(values) is None
    assert idle(values) == len(values)


def test_one_person_has_everything_and_no_correction() -> None:
    one = (7,)
    assert (gini(one), hhi(one), effective_number(one), top_share(one), fewest_doing_half(one)) == (0, 10_000, 100, 1000, 1)
    assert gini_corrected(one) is None
    assert hhi_normalised(one) is None


def test_two_people() -> None:
    assert [each((3, 3)) for each in ALL] == [0, 0, 5000, 0, 200, 500, 1]
    assert [each((6, 0)) for each in ALL] == [5000, 10_000, 10_000, 10_000, 100, 1000, 1]
    assert idle((6, 0)) == 1


def test_exactly_half_is_half() -> None:
    assert fewest_doing_half((5, 3, 2)) == 1
    assert fewest_doing_half((4, 3, 3)) == 2


def test_who_has_nothing_counts() -> None:
    without, with_idle = gini((5, 5)), gini((5, 5, 0, 0))
    assert without == 0
    assert with_idle == 5000


@pytest.mark.parametrize("measure", [*ALL, idle])
def test_less_than_nothing_is_no_share(measure: Callable[[Sequence[int]], int | None]) -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        measure((3, -1))


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any))
@settings(max_examples=100, deadline=None)
def test_the_measures_keep_their_bounds_and_agree_with_their_definitions(values: list[int]) -> None:
    total, number = sum(values), len(values)
    by_pairs = sum(abs(a - b) for a in values for b in values) / (2 * number * total)
    shares = [value / total for value in values]
    assert gini(values) == pytest.approx(by_pairs * 10_000, abs=0.51)
    assert hhi(values) == pytest.approx(sum(share * share for share in shares) * 10_000, abs=0.51)
    for measure, most in ((gini, 10_000), (gini_corrected, 10_000), (hhi, 10_000), (hhi_normalised, 10_000), (top_share, 1000)):
        assert 0 <= (measure(values) or 0) <= most
    assert 100 <= (effective_number(values) or 0) <= 100 * number
    half = fewest_doing_half(values) or 0
    assert 2 * sum(sorted(values, reverse=True)[:half]) >= total > 2 * sum(sorted(values, reverse=True)[: half - 1])
    assert [each(values) for each in ALL] == [each(values[::-1]) for each in ALL]


def test_every_measure_is_tried_here() -> None:
    public = {name for name, value in vars(fairness).items() if callable(value) and not name.startswith("_")} - {
        "Fraction",
        "Sequence",
    }
    assert public == {each.__name__ for each in (*ALL, idle)}
