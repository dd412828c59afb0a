"""Trip wires and the reviews that they open: their rows, and what follows from them.

- A wire is a figure, above or below a number, for so many cycles in a row. It stands from the minute it is set.
- At each cycle's end the node writes down the figures that are under a wire, once, in order; no cycle is left out while one
  stands.
- A wire trips when all of its last cycles hold; cycles count that ended after it was set and after its last review was closed.
- A review is named by its wire and cycle, not by a record: one record of figures can open several.
- It concerns whom its wire names and whom its figure measures at that cycle's end (`protocol.measured`). That is kept in its
  row when it opens, so that nothing written later changes it.
- Who reports on it: the facilitator drawn by lot. Where none can be drawn (three people at least are needed), or none has
  reported when the time for it is over, any member whom it does not concern. If it concerns everybody, any member.

Example::

    noting = next_noting(view, now_ms)      # Noting(cycle=329, figures=("ledger.reserve", "members.count")) or None
    open_reviews(view)                      # what was tripped and is not closed
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct

from protocol import moon
from protocol.deciding import OUTCOMES, criteria_of
from protocol.figure import find
from protocol.membership import members_at
from protocol.practice import FOREVER_MS, PUBLIC, Least, Own, Parameter, Row, Table, keys

DAY_MS = 86_400_000
ABOVE, BELOW = "above", "below"
MOST_NOTED = 200  # figures of a cycle: those under wires first, then those watched longest
ALWAYS = ("members.count",)  # noted with any others, because what a figure means depends on how many there are
FACILITATOR = "facilitator"  # the purpose of the lot
FEWEST_FOR_A_LOT = 3

MOST = Parameter("wires.most", 7, "Trip wires that stand at once, at most", 1, 21)
REPORT_DAYS = Parameter("wires.report-days", 14, "Days that a facilitator has to report on a review", 1, 90)


class Wire(Row, frozen=True):
    """A figure that must not be above, or below, a number for so many cycles in a row."""

    id: bytes
    position: int
    figure: str
    compare: str
    number: int
    cycles: int
    concerned: bytes  # first keys of members, one after another
    who: str
    since_ms: int
    removed_ms: int
    removed_by: bytes  # the record, or empty
    why: str  # of the removal

    def holds(self, value: int) -> bool:
        """Whether a value is on the wrong side of the number."""
        return value > self.number if self.compare == ABOVE else value < self.number


class Noting(Row, frozen=True):
    """That the figures of a cycle were written down."""

    cycle: int
    id: bytes
    noted_ms: int


class Noted(Row, frozen=True):
    """One figure at the end of a cycle."""

    cycle: int
    name: str
    value: int


class Review(Row, frozen=True):
    """What a wire that tripped has opened; its figures are those noted for its cycle."""

    id: bytes
    wire: bytes
    cycle: int
    record: bytes  # by which the figures were noted
    value: int
    concerned: bytes  # first keys of members, one after another: those named, and those measured when it opened
    opened_ms: int
    report_by_ms: int
    report: bytes  # the one accepted, or empty
    accepted: bytes  # the record by which, or empty
    closed_ms: int


class Report(Row, frozen=True):
    """What somebody found, for the members to accept or not."""

    id: bytes
    review: bytes
    by: bytes
    since_ms: int
    found: str
    change: str


WIRES = Table("wire", Wire, ("id",), (("removed_ms",),), erasable=("who", "why"))
NOTINGS = Table("figures_noting", Noting, ("cycle",), (("id",),))
NOTED = Table("figure_noted", Noted, ("cycle", "name"), (("name",),))
REVIEWS = Table("review", Review, ("id",), (("wire",), ("closed_ms",), ("record",)))
REPORTS = Table("review_report", Report, ("id",), (("review",),), erasable=("found", "change"))


class Next(Struct, frozen=True):
    """The cycle whose figures are to be noted, when it ended, and which figures."""

    cycle: int
    ended_ms: int
    names: tuple[str, ...]

    def body(self, values: Mapping[str, int]) -> dict[str, Any]:
        """The body of ``figures.noted/1``, in JSON, from the figures of all practices at its end."""
        return {
            "cycle": self.cycle,
            "figures": [{"name": name, "value": values[name]} for name in self.names if name in values],
        }


def review_id(wire: bytes, cycle: int) -> bytes:
    """What names the review that a wire opened for a cycle."""
    return sha256(b"review" + wire + str(cycle).encode()).digest()


def standing_wires(own: Own) -> tuple[Wire, ...]:
    """The wires that stand, in the order in which they were set."""
    return tuple(sorted(own.all(WIRES, removed_ms=FOREVER_MS), key=lambda wire: wire.position))


def latest_noting(own: Own) -> Noting | None:
    """The last cycle whose figures were noted."""
    found = own.all(NOTINGS, order="-cycle", limit=1)
    return found[0] if found else None


class Watch(Struct, frozen=True):
    """A figure that is to be noted at the end of every cycle from one instant to another, the last new moon included."""

    figure: str
    since_ms: int
    until_ms: int


def watched(own: Own) -> tuple[Watch, ...]:
    """The figures under wires, and those by which decisions of everybody are to be judged."""
    found = [Watch(wire.figure, wire.since_ms, FOREVER_MS) for wire in standing_wires(own)]
    last = latest_noting(own)
    noted_ms = moon.new_moon_ms(last.cycle + 1) if last else 0
    for row in own.all(OUTCOMES, accepted=True, order="-sunset_ms", sunset_ms=Least(noted_ms)):
        until_ms = min(row.sunset_ms, row.ended_ms)
        names = (each.figure for each in criteria_of(row)) if row.scope == PUBLIC else ()
        found += [Watch(name, row.since_ms, until_ms) for name in names if find(name)]
    return tuple(found)


def next_noting(own: Own, at_ms: int) -> Next | None:
    """What is to be noted next, if its cycle has ended by then and a figure was watched in it."""
    last = latest_noting(own)
    watches = watched(own)
    cycles = [cycle for each in watches if (cycle := _first_cycle(each, last)) is not None]
    if not cycles:
        return None
    cycle = min(cycles)
    ended_ms = moon.new_moon_ms(cycle + 1)
    if at_ms < ended_ms:
        return None
    under = [each for each in watches if each.since_ms < ended_ms <= each.until_ms]
    under.sort(key=lambda each: (each.until_ms < FOREVER_MS, each.since_ms, each.figure))
    names = dict.fromkeys([*ALWAYS, *(each.figure for each in under)])
    return Next(cycle, ended_ms, tuple(sorted(list(names)[:MOST_NOTED])))


def _first_cycle(watch: Watch, last: Noting | None) -> int | None:
    """The first cycle whose end is still to be noted for a watch; None if there is none, or no new moon is known for it."""
    try:
        first = moon.cycle_at(watch.since_ms)
        cycle = max(first, last.cycle + 1) if last else first
        return cycle if moon.new_moon_ms(cycle + 1) <= watch.until_ms else None
    except moon.OutsideTable:
        return None


def counts_from_ms(wire: Wire, reviews: Iterable[Review]) -> int:
    """From when a wire's cycles count: it was set, or its last review closed."""
    return max([wire.since_ms, *(review.closed_ms for review in reviews if review.closed_ms < FOREVER_MS)])


def run(own: Own, wire: Wire, until_cycle: int, values: Mapping[str, int], since_ms: int) -> int:
    """How many cycles in a row up to this one hold, at most as many as the wire asks for.

    `values` are those of the cycle itself, which are not in rows yet when it is being noted.
    """
    count = 0
    for cycle in range(until_cycle, until_cycle - wire.cycles, -1):
        if cycle == until_cycle and wire.figure in values:
            value: int | None = values[wire.figure]
        else:
            row = own.get(NOTED, cycle, wire.figure)
            value = row.value if row else None
        if value is None or not wire.holds(value) or moon.new_moon_ms(cycle + 1) <= since_ms:
            break
        count += 1
    return count


def reviews_of(own: Own, wire: bytes) -> tuple[Review, ...]:
    """Every review that a wire has opened, the earliest first."""
    return tuple(sorted(own.all(REVIEWS, wire=wire), key=lambda review: review.cycle))


def open_reviews(own: Own) -> tuple[Review, ...]:
    """The reviews that are not closed, the earliest first."""
    return tuple(sorted(own.all(REVIEWS, closed_ms=FOREVER_MS), key=lambda review: (review.opened_ms, review.id)))


def reports_on(own: Own, review: bytes) -> tuple[Report, ...]:
    """What was reported on a review, the earliest first."""
    return tuple(sorted(own.all(REPORTS, review=review), key=lambda report: (report.since_ms, report.id)))


def concerned_by(own: Own, review: bytes) -> tuple[bytes, ...]:
    """Whom a review concerns: they are not drawn to look, and do not report."""
    row = own.get(REVIEWS, review)
    return keys(row.concerned) if row else ()


def others(own: Own, concerned: Sequence[bytes], at_ms: int) -> tuple[bytes, ...]:
    """The members whom it does not concern; all of them, if it concerns everybody."""
    here = tuple(row.member for row in members_at(own, at_ms))
    return tuple(member for member in here if member not in concerned) or here


def may_report(own: Own, review: Review, drawn: Sequence[bytes], at_ms: int) -> tuple[bytes, ...]:
    """Who may report on a review at an instant, given who fills the facilitator's seat; nobody before the draw."""
    free = others(own, keys(review.concerned), at_ms)
    if at_ms >= review.report_by_ms or len(free) < FEWEST_FOR_A_LOT:
        return free
    return tuple(member for member in drawn if member in free)
