"""What a figure means: its label, its scale, what it says and what it does not, and from which group size it is shown.

- Figures are whole numbers; the scale says of what (`PERMILLE`: 400 is 40 %). A trip wire's number is in the same scale.
- Small groups first: below `least` members a figure is not shown, because it would be misread, or would be about a person.
- `beside` are figures without which one is not shown: a Gini never stands alone.
- Every figure that a practice yields has its meaning here; a test asks for it by name. A name that begins with a collective's
  own words (``representation.night-shift-…``) is found by its ending.

Example::

    >>> spoken("ledger.largest-funder-percent", 62)
    '62 %'
    >>> spoken("ledger.effective-funders-tenths", 24)
    '2.4'
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from msgspec import Struct

from protocol.wording import counted

COUNT, PERCENT, PERMILLE, TENTHS, HUNDREDTHS, TEN_THOUSANDTHS, MINOR, DAYS, CYCLES, QUARTERS = (
    "count", "percent", "per mille", "tenths", "hundredths", "ten thousandths", "minor units", "days", "cycles",
    "quarter hours",
)  # fmt: skip
DIVISORS = {PERMILLE: (10, 1), TENTHS: (10, 1), HUNDREDTHS: (100, 2), TEN_THOUSANDTHS: (10_000, 4), MINOR: (100, 2)}
MOST = {PERCENT: 100, PERMILLE: 1000, TEN_THOUSANDTHS: 10_000}
UNITS = {PERCENT: "%", PERMILLE: "‰", DAYS: "days", CYCLES: "cycles"}


class Figure(Struct, frozen=True):
    """The meaning of one figure."""

    name: str
    label: str
    scale: str
    says: str
    not_says: str = ""
    least: int = 1  # members
    beside: tuple[str, ...] = ()

    @property
    def fewest(self) -> int:
        """The least that it can be, where `most` is a limit."""
        return 0

    @property
    def most(self) -> int | None:
        """The most that it can be, or None."""
        return MOST.get(self.scale)

    @property
    def unit(self) -> str:
        """The unit of a chart of it: a sign, a plural word, or the scale in words."""
        return UNITS.get(self.scale, "" if self.scale == COUNT else f"({self.scale})")


def _of(practice: str, *rows: tuple[str, str, str, str, str] | tuple[str, str, str, str, str, int]) -> tuple[Figure, ...]:
    return tuple(Figure(f"{practice}.{row[0]}", *row[1:]) for row in rows)


KNOWN: tuple[Figure, ...] = (
    *_of(
        "members",
        ("count", "Members", COUNT, "How many people belong to the collective now.", "Not how many of them come."),
        ("waiting", "People at the door", COUNT, "How many ask to join and still need somebody's word.", ""),
        ("assembly", "Holders of the founding mandate", COUNT, "How many can act for the assembly until decisions do.", ""),
        ("came-this-cycle", "Members who came", COUNT, "How many were let in since the last new moon.", ""),
        ("went-this-cycle", "Members who went", COUNT, "How many left or were removed since the last new moon.", "Not why."),
        ("invitations-open", "Open invitations", COUNT, "How many invitations somebody can still use.", ""),
        (
            "most-vouches-percent", "Vouches by the busiest", PERCENT,
            "How many of all vouches come from the one who gave most: whether many were let in by few.",
            "Not that anything is wrong: somebody has to open the door, and in a young group it is often the same person.", 6,
        ),
    ),
    *_of(
        "links",
        ("count", "Links", COUNT, "How many spaces are linked with this one.", "Not how well the link works."),
        ("allied", "Allies", COUNT, "How many spaces may read what is written for allies.", ""),
        ("guardians", "Guardians", COUNT, "How many links keep sealed copies for each other.", ""),
        ("mirrors", "Mirrors", COUNT, "How many links hold each other's whole log.", "Not whether their copy is up to date."),
        ("witnesses", "Witnesses", COUNT, "How many links confirm each other's heads.", ""),
        ("offers-open", "Open offers of links", COUNT, "How many offers wait for an answer, on either side.", ""),
        ("ending", "Links about to end", COUNT, "How many links end within a cycle and are not renewed.", ""),
    ),
    *_of(
        "library",
        ("published", "Protocols published", COUNT, "How many protocols this collective has published.", ""),
        ("in-force", "Protocols in force", COUNT, "How many adopted protocols bind us now.", "Not whether we live by them."),
        ("suspended", "Protocols suspended", COUNT, "How many adopted protocols are set aside for a while.", ""),
        ("from-others", "Protocols from elsewhere", COUNT, "How many of those in use came from other collectives.", ""),
        ("used-elsewhere", "Ours in use elsewhere", COUNT, "How many of our protocols others have in force.", ""),
        ("ending-this-cycle", "Protocols about to end", COUNT, "How many end at the next new moon.", ""),
        ("parameters-set", "Settings changed", COUNT, "How many settings of this node a protocol has set.", ""),
        ("reports", "Reports on protocols", COUNT, "How often we said what happened when we used one.", ""),
    ),
    *_of(
        "campaigns",
        ("called", "Campaigns called", COUNT, "How many near calls count us and are not armed.", ""),
        ("armed", "Campaigns armed", COUNT, "How many have their quorum and wait for their window.", ""),
        ("open", "Campaigns open", COUNT, "How many windows are open now.", ""),
        ("settling", "Campaigns settling", COUNT, "How many are over and call for settling or rest.", "Not who is tired."),
        ("answers-due", "Answers due", COUNT, "How many calls wait for our answer.", ""),
    ),
    *_of(
        "residue",
        ("living", "What stays and lives", COUNT, "How many things that stayed after campaigns live.", "Not how well."),
        ("ended", "What stayed and ended", COUNT, "How many things that stayed have ended.", "An end is no failure."),
        ("checks-overdue", "Looks overdue", COUNT, "How many things nobody has looked at in time.", ""),
    ),
    *_of(
        "ledger",
        (
            "reserve", "Reserve", MINOR, "What we have less what we owe, in the currency of most accounts; 500000 is 5,000.00.",
            "Not what is free to spend: some of it may have strings.",
        ),
        (
            "reserve-unrestricted", "Reserve without strings", MINOR,
            "The reserve less what was given for one purpose only; 500000 is 5,000.00.", "",
        ),
        ("spent-this-cycle", "Spent in this cycle", MINOR, "What was booked as expenses since the last new moon.", ""),
        (
            "largest-funder-percent", "Largest funder's share", PERCENT,
            "How much of the income of the last 13 cycles came by the largest account of income.",
            "Not that they steer us, but what would be missing without them. Two funders in one account look like one.",
        ),
        (
            "effective-funders-tenths", "Effective number of funders", TENTHS,
            "As if by so many funders of equal size: 24 is 2.4. Ten of whom one gives nearly all count little more than 1.",
            "Not how many people give.",
        ),
        ("budgets-overdrawn", "Budgets overdrawn", COUNT, "How many budgets of this cycle have spent more than was set.", ""),
        ("statements-differing", "Statements that differ", COUNT, "How many statements do not say what the ledger says.", ""),
    ),
    *_of(
        "wires",
        ("standing", "Trip wires", COUNT, "How many figures are watched.", "Not that nothing else matters."),
        ("reviews-open", "Reviews open", COUNT, "How many reviews wait for a report that members accept.", ""),
        ("oldest-review-days", "Longest open review", DAYS, "Since how many days the oldest open review waits.", ""),
    ),
)  # fmt: skip
FIGURES: Mapping[str, Figure] = {each.name: each for each in KNOWN}
ENDINGS: tuple[Figure, ...] = ()
"""Figures whose names begin with words of the collective's own: `name` is ``practice.`` and the ending."""


def find(name: str) -> Figure | None:
    """The meaning of a figure, or None if this node does not know it."""
    known = FIGURES.get(name)
    if known:
        return known
    practice, _, rest = name.partition(".")
    for each in ENDINGS:
        of, _, ending = each.name.partition(".")
        if of == practice and rest.endswith(f"-{ending}"):
            return Figure(name, f"{each.label}: {rest.removesuffix(f'-{ending}')}", *_rest(each))
    return None


def _rest(each: Figure) -> tuple[str, str, str, int, tuple[str, ...]]:
    return each.scale, each.says, each.not_says, each.least, each.beside


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
        return f"{_decimal(value * 25, 100, 2)} hours"
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
    if members < found.least:
        return f"Not shown to fewer than {found.least} members: it would say more than it knows, or be about one person."
    if any(each not in others for each in found.beside):
        return "Not shown without the figures that it is to be read beside."
    return ""
