"""What a figure says to a group of this size: its label, its value in words, and why it is not shown.

- A figure's meaning is a row of `protocol.meaning`; a name that this node does not know has none, and is not offered.
- Values are told in their scale: 404 per mille as 40.4 %, 50 quarter hours as 12.5 hours.

Example::

    >>> spoken("ledger.largest-funder-percent", 62)
    '62 %'
    >>> spoken("ledger.effective-funders-tenths", 24)
    '2.4'
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from msgspec.structs import replace

from protocol.meaning import (
    COUNT,
    CYCLES,
    DAYS,
    ENDINGS,
    HUNDREDTHS,
    KNOWN,
    MINOR,
    PERCENT,
    PERMILLE,
    QUARTERS,
    TEN_THOUSANDTHS,
    TENTHS,
    Figure,
)
from protocol.wording import counted

DIVISORS = {PERMILLE: (10, 1), TENTHS: (10, 1), HUNDREDTHS: (100, 2), TEN_THOUSANDTHS: (10_000, 4), MINOR: (100, 2)}
FIGURES: Mapping[str, Figure] = {each.name: each for each in KNOWN}


def find(name: str) -> Figure | None:
    """The meaning of a figure, or None if this node does not know it."""
    known = FIGURES.get(name)
    if known:
        return known
    practice, _, rest = name.partition(".")
    for each in ENDINGS:
        of, _, ending = each.name.partition(".")
        if of == practice and rest.endswith(f"-{ending}"):
            return replace(each, name=name, label=f"{each.label}: {rest.removesuffix(f'-{ending}')}")
    return None


def near(name: str) -> str:
    """The known name that is most like another, or an empty text."""
    found = get_close_matches(name, FIGURES, 1, 0.5)
    return found[0] if found else ""


def label(name: str) -> str:
    """What to call a figure; its name, if this node does not know it."""
    found = find(name)
    return found.label if found else name


def spoken(name: str, value: int) -> str:
    """A figure's value in words and signs."""
    found = find(name)
    scale = found.scale if found else COUNT
    if scale == PERCENT:
        return f"{value} %"
    if scale == DAYS:
        return counted(value, "day")
    if scale == CYCLES:
        return counted(value, "cycle")
    if scale == QUARTERS:
        return "1 hour" if value == 4 else f"{_decimal(value * 25, 100, 2)} hours"
    if scale == PERMILLE:
        return f"{_decimal(value, *DIVISORS[PERMILLE])} %"
    if scale in DIVISORS:
        return _decimal(value, *DIVISORS[scale], keep=scale == MINOR)
    return f"{value:,}"


def _decimal(value: int, divisor: int, places: int, *, keep: bool = False) -> str:
    sign, size = "-" if value < 0 else "", abs(value)
    rest = f"{size % divisor:0{places}}"
    rest = rest if keep else rest.rstrip("0")
    return f"{sign}{size // divisor:,}" + (f".{rest}" if rest else "")


def hidden(name: str, members: int, others: Mapping[str, int]) -> str:
    """Why a figure is not shown to a group of this size beside these figures; empty if it is."""
    found = find(name)
    if found is None:
        return ""
    if found.least > 1 and members < found.least:
        return f"Not shown to fewer than {found.least} members: it would say more than it knows, or be about one person."
    if any(each not in others for each in found.beside):
        return "Not shown without the figures that it is to be read beside."
    return ""
