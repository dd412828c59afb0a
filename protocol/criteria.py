"""Success in figures: what a decision said that figures would show, beside what was noted of them.

A decision whose criteria are comparisons is met by these, and not by anybody's word: it is judged as met in the last cycle
before its date or later, and only if each figure, as it was last noted, is what was wanted. A figure that nobody measures, or
that was not noted yet, leaves it to the members. Figures are noted in public, so those of a decision for fewer people are noted
only where a trip wire stands on them.

Example::

    for each in failing(own, outcome):
        each.said               # "Reserve was to be at least 5,000.00, and was 1.00 in cycle 330."
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from protocol import moon
from protocol.deciding import Criterion, Outcome, criteria_of
from protocol.figure import find, label, spoken
from protocol.practice import Own
from protocol.wires import NOTED


class Compared(Struct, frozen=True):
    """One criterion with its figure as it was last noted; `cycle` and `value` are None before."""

    criterion: Criterion
    cycle: int | None
    value: int | None

    @property
    def wanted(self) -> str:
        """What it was to be, in words."""
        return f"{self.criterion.compare.replace('-', ' ')} {spoken(self.criterion.figure, self.criterion.number)}"

    @property
    def holds(self) -> bool | None:
        """Whether it is what was wanted; None if nobody knows."""
        if self.value is None:
            return None
        number = self.criterion.number
        return self.value >= number if self.criterion.compare == "at-least" else self.value <= number

    @property
    def said(self) -> str:
        """What was wanted and what was found, as a sentence."""
        if self.value is None:
            return f"{label(self.criterion.figure)} was to be {self.wanted}, and was not noted yet."
        found = spoken(self.criterion.figure, self.value)
        return f"{label(self.criterion.figure)} was to be {self.wanted}, and was {found} in cycle {self.cycle}."


def compared(own: Own, row: Outcome) -> Iterator[Compared]:
    """Each criterion of a decision with what was last noted of its figure."""
    for each in criteria_of(row):
        noted = own.all(NOTED, name=each.figure, order="-cycle", limit=1) if find(each.figure) else ()
        yield Compared(each, noted[0].cycle, noted[0].value) if noted else Compared(each, None, None)


def failing(own: Own, row: Outcome) -> tuple[Compared, ...]:
    """The criteria that are not met by what was last noted."""
    return tuple(each for each in compared(own, row) if each.holds is False)


def met_from_ms(row: Outcome) -> int:
    """From when it can be judged as met: the last cycle before its date, if figures are among its criteria."""
    if not any(find(each.figure) for each in criteria_of(row)):
        return 0
    try:
        return moon.new_moon_ms(moon.cycle_at(row.review_ms - 1))
    except moon.OutsideTable:
        return 0
