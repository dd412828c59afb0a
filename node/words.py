"""How values are told in words: instants, money, counts, names.

- Dates come in words first ("in 5 days, Thursday 18:00"), exact where there is room for it (`exact`: hover, print).
- Words and civil days go by the collective's own time zone; what is compared between nodes stays in milliseconds.
- Amounts have two decimals and their currency behind; a minus is a minus sign.
- `plain` takes out of others' text what could steer a terminal or turn the reading direction of a page.

Example::

    >>> from datetime import UTC
    >>> when(1_772_300_000_000, 1_771_900_000_000, UTC)
    'in 4 days, Saturday 17:33'
    >>> money(-125_050, "EUR")
    '−1,250.50 EUR'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Protocol

from protocol.mandate import CLOCK, STAND_IN
from protocol.membership import ASSEMBLY, MEMBER
from protocol.page import Cell, Link, Money, Ref, State, When
from protocol.practice import ALLIES, MEMBERS, PUBLIC
from protocol.practices import KINDS
from protocol.wording import counted, in_hours

AUDIENCES = {"public": PUBLIC, "allies": ALLIES, "members": MEMBERS}
AUDIENCE_NAMES = {value: name for name, value in AUDIENCES.items()}
MINUTE_MS = 60_000
_NEAR_DAYS = 14
_SAME_YEAR_DAYS = 300
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_CURRENCY = re.compile(r"[A-Z][A-Z0-9'._-]{1,23}")
_INSTANT = re.compile(r"“[^”]*”|(\bat )?\b([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}) UTC\b")  # words in quotes stay
_MAY = {
    MEMBER: "All that members may: propose, answer, and write what no role keeps to itself",
    ASSEMBLY: "What otherwise takes a decision: define roles, adopt protocols, make links, set budgets",
    CLOCK: "Count rounds and draw lots once their time has come",
    STAND_IN: "What the roles of who steps back let them write, meanwhile",
}


class Names(Protocol):
    """What people call records, members and spaces here, and where their pages are."""

    def label(self, ref: Ref) -> str:
        """The petname of a member or space, the title of a record; never empty."""

    def path(self, ref: Ref) -> str:
        """The path of its page on this node, or "" if it has none."""


@dataclass(frozen=True)
class Telling:
    """To whom and when something is told: names, the present moment and the time zone."""

    names: Names
    now_ms: int
    zone: tzinfo = UTC

    def when(self, ms: int) -> str:
        """An instant in words."""
        return when(ms, self.now_ms, self.zone)

    def on(self, ms: int) -> str:
        """An instant as part of a sentence: "on 14 March", "today"."""
        told = self.when(ms)
        return told if told[0].islower() or " ago" in told else f"on {told}"

    def exact(self, ms: int) -> str:
        """An instant to the minute, with weekday and zone."""
        return exact(ms, self.zone)

    def local(self, sentence: str) -> str:
        """A sentence of the rules with its instants as the collective tells them."""
        return local(sentence, self.zone)

    def cell(self, cell: Cell) -> str:
        """The words of one cell."""
        if isinstance(cell, str):
            return plain(cell)
        if isinstance(cell, When):
            return self.when(cell.ms)
        if isinstance(cell, Ref):
            return plain(cell.label) or plain(self.names.label(cell))
        if isinstance(cell, Money):
            return money(cell.amount_minor, cell.currency)
        if isinstance(cell, Link):
            return plain(cell.label)
        if isinstance(cell, State):
            return plain(cell.word)
        return count(cell)


def plain(text: str) -> str:
    """Text without characters that steer a terminal or turn the reading direction."""
    return _STEERING.sub("", text.replace("\r\n", "\n")) if _STEERING.search(text) else text


def count(number: int) -> str:
    """A whole number with thousands set apart."""
    return f"{number:,}".replace("-", "−")


def money(amount_minor: int, currency: str) -> str:
    """An amount with two decimals and its currency."""
    sign = "−" if amount_minor < 0 else ""
    whole, minor = divmod(abs(amount_minor), 100)
    return f"{sign}{whole:,}.{minor:02} {plain(currency)}"


def measure(value: int, unit: str) -> str:
    """A value of a picture: of a currency (capitals) in minor units, quarter hours in hours, else a number and a plain word."""
    if _CURRENCY.fullmatch(unit):
        return money(value, unit)
    if not unit:
        return count(value)
    if unit == "quarter hours":
        return in_hours(value).replace("-", "−")
    if unit == "%":
        return f"{count(value)} %"
    if unit in ("‰", "tenths"):  # a share is told in per cent, which more people read
        whole, tenth = divmod(abs(value), 10)
        return f"{'−' if value < 0 else ''}{count(whole)}{f'.{tenth}' if tenth else ''}{' %' if unit == '‰' else ''}"
    if unit == "people":
        return counted(value, "person", unit)
    return counted(value, unit.removesuffix("s"), unit) if unit.endswith("s") else f"{count(value)} {plain(unit)}"


def is_share(unit: str) -> bool:
    """Whether a unit is of a whole, so that nobody has to be told of how much."""
    return unit in ("%", "‰")


def duration(ms: int) -> str:
    """A length of time in its largest fitting unit, rounded down."""
    for unit_ms, one in ((86_400_000, "day"), (3_600_000, "hour"), (MINUTE_MS, "minute"), (1000, "second")):
        if ms >= unit_ms:
            return counted(ms // unit_ms, one)
    return "less than a second"


def when(ms: int, now_ms: int, zone: tzinfo) -> str:
    """An instant in words, seen from now."""
    away, ahead = abs(ms - now_ms), ms > now_ms
    if away < MINUTE_MS:
        return "now"
    if away < 60 * MINUTE_MS:
        return _toward(counted(away // MINUTE_MS, "minute"), ahead)
    moment, here = _civil(ms, zone), _civil(now_ms, zone)
    if moment is None or here is None:
        return "for good" if ahead else "long ago"
    clock = f"{moment:%H:%M}"
    days = (moment.date() - here.date()).days
    near = {0: f"today, {clock}", 1: f"tomorrow, {clock}", -1: f"yesterday, {clock}"}
    if days in near:
        return near[days]
    if abs(days) <= _NEAR_DAYS:
        return f"{_toward(counted(abs(days), 'day'), ahead)}, {_WEEKDAYS[moment.weekday()]} {clock}"
    return _day(moment.date(), here.date())


def exact(ms: int, zone: tzinfo) -> str:
    """An instant to the minute: "Thursday 14 March 2026, 18:00 CET"."""
    moment = _civil(ms, zone)
    if moment is None:
        return "without an end" if ms > 0 else "before all dates"
    return f"{_full(moment)} {moment:%Z}"


def local(sentence: str, zone: tzinfo) -> str:
    """A sentence of the rules, which say instants in UTC ("ended at 2026-12-09 00:52 UTC"), as it is told in a time zone:
    "ended on Wednesday 9 December 2026, 13:52". What stands in quotes are words of members and stays."""

    def told(found: re.Match[str]) -> str:
        if not found[2]:
            return found[0]
        try:
            moment = datetime.fromisoformat(found[2]).replace(tzinfo=UTC).astimezone(zone)
        except (OverflowError, ValueError):
            return found[0]
        return f"{'on ' if found[1] else ''}{_full(moment)}"

    return _INSTANT.sub(told, sentence)


def short_day(ms: int, zone: tzinfo) -> str:
    """The day of an instant for an axis: "14 Mar"."""
    moment = _civil(ms, zone)
    return f"{moment.day} {_MONTHS[moment.month - 1][:3]}" if moment else "–"


def iso(ms: int) -> str:
    """An instant for machines, in UTC; empty when it lies outside all calendars."""
    moment = _civil(ms, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def day(text: str, now_ms: int, zone: tzinfo) -> str:
    """A date "YYYY-MM-DD" in words; what is not a date stays as it is."""
    here = _civil(now_ms, zone)
    try:
        return _day(date.fromisoformat(text), here.date()) if here else text
    except ValueError:
        return plain(text)


def kind_title(kind: str) -> str:
    """What a member does with a kind, or its name told plainly when this node does not know it."""
    known = KINDS.get(kind)
    if known is not None:
        return known.title
    return plain(kind).partition("/")[0].rpartition(".")[2].replace("-", " ").capitalize()


def kind_done(kind: str) -> str:
    """What a record of a kind did, by its name: "ledger.transaction-booked/1" -> "Transaction booked"."""
    first, _, rest = plain(kind).partition("/")[0].partition(".")
    return (rest if "-" in rest else f"{first} {rest}").replace("-", " ").strip().capitalize()


def permission(name: str) -> str:
    """What a grant of this name lets somebody do."""
    return _MAY.get(name) or kind_title(name)


def _toward(span: str, ahead: bool) -> str:
    return f"in {span}" if ahead else f"{span} ago"


def _day(moment: date, here: date) -> str:
    words = f"{moment.day} {_MONTHS[moment.month - 1]}"
    return words if abs((moment - here).days) < _SAME_YEAR_DAYS else f"{words} {moment.year}"


def _full(moment: datetime) -> str:
    return f"{_WEEKDAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M}"


@lru_cache(maxsize=4096)
def _civil(ms: int, zone: tzinfo) -> datetime | None:
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).astimezone(zone)
    except (OverflowError, ValueError):
        return None
