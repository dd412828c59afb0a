"""Assemblies: when members meet, who was there, what was put on the agenda by hand, and what was written down.

An assembly decides nothing by itself: what is decided there are records of their own. It gathers people at a time, and
keeps who was there and what was said. Like anything else here it ends by itself: some days after its end nothing is added
any more, whether somebody closed it or not.

Example::

    next_assembly(view, now_ms)          # the one that is on, or the one that opens first
    items_at(view, now_ms)               # what was added by hand and is not settled
    there(view, assembly.id)             # the members who were noted as present
"""

from __future__ import annotations

from protocol.membership import members_at
from protocol.practice import FOREVER_MS, Own, Parameter, Row, Table

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
EARLY_MS = HOUR_MS  # people come before it begins
LOOKED_AT = 3  # assemblies that the mean attendance is made of
_SHOWN = 40

MINUTES_DAYS = Parameter("assemblies.minutes-days", 7, "Days after an assembly in which minutes can still be taken", 0, 60)
LONGEST_DAYS = Parameter("assemblies.longest-days", 3, "Longest assembly, in days", 1, 30)
ITEM_CYCLES = Parameter("assemblies.item-cycles", 3, "Cycles after which an item added by hand leaves the agenda", 1, 39)
ITEMS_EACH = Parameter("assemblies.items-each", 12, "Most items that one member can have on the agenda", 1, 200)


class Assembly(Row, frozen=True):
    """One assembly; `closed_ms` is far ahead until somebody closes it, and before `opens_ms` if it was called off."""

    id: bytes
    position: int
    scope: int  # its audience: closing it has the same
    caller: bytes
    called_ms: int
    opens_ms: int
    ends_ms: int
    closed_ms: int
    place: str
    purpose: str
    closing: str


class Item(Row, frozen=True):
    """Something that a member put on the agenda, for one assembly or for the next."""

    id: bytes
    position: int
    assembly: bytes | None
    subject: bytes | None
    author: bytes
    added_ms: int
    until_ms: int
    settled_ms: int
    title: str
    why: str


class Attendance(Row, frozen=True):
    """That a member was at an assembly."""

    assembly: bytes
    member: bytes
    id: bytes
    noted_ms: int


class Minutes(Row, frozen=True):
    """What was written down at an assembly, on a subject or on all of it."""

    position: int
    id: bytes
    assembly: bytes
    subject: bytes | None
    author: bytes
    taken_ms: int
    settled: bool
    words: str


ASSEMBLIES = Table("assembly", Assembly, ("id",), (("closed_ms",),), erasable=("place", "purpose", "closing"))
ITEMS = Table("agenda_item", Item, ("id",), (("settled_ms",), ("author", "settled_ms")), erasable=("title", "why"))
ATTENDANCES = Table("attendance", Attendance, ("assembly", "member"), (("member",),))
MINUTES = Table("minutes", Minutes, ("position",), (("assembly",), ("subject",)), erasable=("words",))


def is_called_off(row: Assembly) -> bool:
    """Whether it was closed before it began."""
    return row.closed_ms < row.opens_ms - EARLY_MS


def is_on(row: Assembly, at_ms: int) -> bool:
    """Whether people meet at this instant."""
    return row.opens_ms <= at_ms < min(row.ends_ms, row.closed_ms)


def last_word_ms(own: Own, row: Assembly, at_ms: int) -> int:
    """Until when attendance and minutes can be entered."""
    return min(row.closed_ms, row.ends_ms + own.parameter(MINUTES_DAYS, at_ms) * DAY_MS)


def takes_words(own: Own, row: Assembly, at_ms: int) -> bool:
    """Whether attendance and minutes can be entered at this instant."""
    return row.opens_ms - EARLY_MS <= at_ms < last_word_ms(own, row, at_ms)


def next_assembly(own: Own, at_ms: int) -> Assembly | None:
    """The one that is on, else the one that opens first; None if none is called."""
    ahead = [row for row in own.all(ASSEMBLIES, closed_ms=FOREVER_MS) if at_ms < row.ends_ms]
    return min(ahead, key=lambda row: (row.opens_ms, row.position), default=None)


def assembly_to_write(own: Own, at_ms: int) -> Assembly | None:
    """The one whose minutes can be taken now: the latest that has begun."""
    open_ = [row for row in own.all(ASSEMBLIES, closed_ms=FOREVER_MS) if takes_words(own, row, at_ms)]
    return max(open_, key=lambda row: (row.opens_ms, row.position), default=None)


def held_before(own: Own, at_ms: int, limit: int = _SHOWN) -> tuple[Assembly, ...]:
    """Assemblies that have begun and were not called off, the latest first."""
    rows = own.all(ASSEMBLIES, order="-opens_ms")
    return tuple(row for row in rows if row.opens_ms <= at_ms and not is_called_off(row))[:limit]


def is_open(item: Item, at_ms: int) -> bool:
    """Whether an item added by hand is on the agenda."""
    return item.added_ms <= at_ms < min(item.until_ms, item.settled_ms)


def items_at(own: Own, at_ms: int) -> tuple[Item, ...]:
    """What was added by hand and is neither settled nor too old, in the order in which it was added."""
    rows = own.all(ITEMS, settled_ms=FOREVER_MS)
    return tuple(sorted((row for row in rows if is_open(row, at_ms)), key=lambda row: row.position))


def items_for(own: Own, assembly: bytes | None, at_ms: int) -> tuple[Item, ...]:
    """The items for one assembly: those that name it, and those that name none or one that is over."""
    ahead = {row.id for row in own.all(ASSEMBLIES, closed_ms=FOREVER_MS) if at_ms < row.ends_ms}
    return tuple(row for row in items_at(own, at_ms) if row.assembly == assembly or row.assembly not in ahead)


def there(own: Own, assembly: bytes) -> tuple[bytes, ...]:
    """The members who were noted as present, in order of their keys."""
    return tuple(sorted(row.member for row in own.all(ATTENDANCES, assembly=assembly)))


def minutes_of(own: Own, assembly: bytes) -> tuple[Minutes, ...]:
    """What was written down at an assembly, in order."""
    return own.all(MINUTES, order="position", assembly=assembly)


def minutes_on(own: Own, subject: bytes) -> tuple[Minutes, ...]:
    """What was written down on a subject, in order."""
    return own.all(MINUTES, order="position", subject=subject)


def shares(own: Own, at_ms: int) -> tuple[tuple[Assembly, int, int], ...]:
    """(assembly, how many were there, how many were members) of the latest whose attendance was noted."""
    found: list[tuple[Assembly, int, int]] = []
    for row in held_before(own, at_ms):
        came = len(own.all(ATTENDANCES, assembly=row.id))
        if came:
            found.append((row, came, max(came, len(members_at(own, row.opens_ms)))))
        if len(found) == LOOKED_AT:
            break
    return tuple(found)
