"""How unequally something is shared: work, money, words. Whole numbers in, whole numbers out.

- What was shared is one number of at least 0 for each person; those who have nothing count, so hand them in as 0.
- Where nothing was shared, or nobody is there, there is no share: the answer is None, never 0.
- One person alone has everything: a top share of 1,000, a Herfindahl index of 10,000, a Gini of 0.
- The Gini coefficient of a small group is never shown without its correction n / (n - 1), which needs two people, and never
  alone: the same number comes from very different groups.

Example, of eight people (the contributions from the CHAOSS project's page on the contributor absence factor):

    >>> work = (1000, 202, 90, 33, 332, 343, 42, 433)
    >>> fewest_doing_half(work), top_share(work)
    (2, 404)
    >>> gini(work), gini_corrected(work), hhi(work), effective_number(work)
    (4855, 5549, 2395, 418)

Sources: C. Gini 1912; G. Deltas, The small-sample bias of the Gini coefficient, 2003; O. C. Herfindahl 1950; M. Laakso and
R. Taagepera, Effective number of parties, 1979; CHAOSS, metric Contributor Absence Factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def gini(values: Sequence[int]) -> int | None:
    """Gini coefficient in ten-thousandths: 0 where all have the same; None where there is nothing."""
    exact = _gini(values)
    return None if exact is None else _rounded(exact * 10_000)


def gini_corrected(values: Sequence[int]) -> int | None:
    """The same for a small group, times n / (n - 1): 10,000 where one has everything; None below two people."""
    exact = _gini(values)
    if exact is None or len(values) < 2:
        return None
    return _rounded(exact * 10_000 * len(values) / (len(values) - 1))


def hhi(values: Sequence[int]) -> int | None:
    """Herfindahl-Hirschman index, from 10,000 / n to 10,000: the chance in ten-thousandths that two parts are one person's."""
    exact = _concentration(values)
    return None if exact is None else _rounded(exact * 10_000)


def hhi_normalised(values: Sequence[int]) -> int | None:
    """The same from 0 (all have the same) to 10,000 (one has everything), whatever the number; None below two people."""
    exact, number = _concentration(values), len(values)
    if exact is None or number < 2:
        return None
    return _rounded((exact - Fraction(1, number)) / (1 - Fraction(1, number)) * 10_000)


def effective_number(values: Sequence[int]) -> int | None:
    """How many people with equal parts would be as concentrated, in hundredths; None where there is nothing."""
    exact = _concentration(values)
    return None if exact is None else _rounded(100 / exact)


def top_share(values: Sequence[int]) -> int | None:
    """The part of whoever has most, in thousandths; None where there is nothing."""
    total = _total(values)
    return _rounded(Fraction(max(values) * 1000, total)) if total else None


def fewest_doing_half(values: Sequence[int]) -> int | None:
    """The fewest people who together have at least half of it; None where there is nothing."""
    total, held = _total(values), 0
    for number, value in enumerate(sorted(values, reverse=True), 1):
        held += value
        if held and 2 * held >= total:
            return number
    return None


def idle(values: Sequence[int]) -> int:
    """How many have nothing of it."""
    _total(values)
    return sum(value == 0 for value in values)


def _gini(values: Sequence[int]) -> Fraction | None:
    """(2 * sum of rank * value) / (n * total) - (n + 1) / n, ranks from 1 in rising order."""
    total, number = _total(values), len(values)
    if not total:
        return None
    ranked = sum(rank * value for rank, value in enumerate(sorted(values), 1))
    return Fraction(2 * ranked, number * total) - Fraction(number + 1, number)


def _concentration(values: Sequence[int]) -> Fraction | None:
    """The sum of squared shares."""
    total = _total(values)
    return Fraction(sum(value * value for value in values), total * total) if total else None


def _total(values: Sequence[int]) -> int:
    if any(value < 0 for value in values):
        raise ValueError("A share of something cannot be less than nothing.")
    return sum(values)


def _rounded(exact: Fraction) -> int:
    """To the nearest whole number, halves up, so that every machine agrees."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
