"""Rest: the rows of sabbaticals, mentors, dependencies, decompression and celebrations, and what follows from them.

A sabbatical is one cycle in which somebody steps back from a role, or from all tasks:

- **on the schedule**: whoever by the record has held a role for so many cycles in a row, or did most of the last cycle's work.
  It binds without their yes, because the record picks them and no person does; they choose the cycle, within a limit.
- **as a wish**: somebody plans their own. It binds by their own word.
- **as a question**: planned for anybody else. It binds if they say yes before it begins, and else never happens.

A decision of the members can lift one. Whoever rests takes no new places in what they rest from and no term; what the roles
that they hold let them write is, meanwhile, for whom the lot has drawn and who has said yes (`practice.RESTS`). Hours are never
refused. Whether somebody rests is computed from rows and an instant.

Example::

    resting_of(own, member, at_ms)      # the sabbatical in which somebody is, or None
    due_for_rest(own, at_ms)            # {member: HELD or LOAD}
"""

from __future__ import annotations

from protocol import moon, working
from protocol.mandate import STAND_IN
from protocol.membership import MEMBERSHIPS, is_live
from protocol.practice import GRANTS, Own, Parameter, Row, Table
from protocol.terms import longest_held

HELD, LOAD, WISH, QUESTION = "held", "load", "wish", "question"
SABBATICAL_CYCLES = Parameter(
    "work.sabbatical-cycles", 3, "Cycles in a row with a role, after which a sabbatical is due", 1, 39
)
LOAD_PERMILLE = Parameter("work.sabbatical-share", 400, "Share of a cycle's hours, per mille, after which one is due", 1, 1000)
FEWEST_FOR_LOAD = 3  # people who noted hours: below that, somebody always does most


class Sabbatical(Row, frozen=True):
    """That somebody steps back for one cycle; `role` is empty if from all tasks."""

    id: bytes
    position: int
    member: bytes
    role: str
    reason: str  # held, load, wish or question
    cycle: int
    since_ms: int
    until_ms: int
    planned_ms: int
    accepted_ms: int  # 0 before
    moved: bool
    lifted_ms: int
    words: str

    @property
    def binds(self) -> bool:
        """Whether it happens, as far as is known: on the schedule, or by their own word."""
        return self.reason != QUESTION or self.accepted_ms > 0

    def is_rest(self, at_ms: int) -> bool:
        """Whether they rest at an instant."""
        return self.binds and self.since_ms <= at_ms < min(self.until_ms, self.lifted_ms)

    def is_ahead(self, at_ms: int) -> bool:
        """Whether it is still to begin."""
        return at_ms < self.since_ms and at_ms < self.lifted_ms

    def stands(self, at_ms: int) -> bool:
        """Whether it is ahead or running."""
        return self.is_ahead(at_ms) or self.is_rest(at_ms)


class Mentor(Row, frozen=True):
    """That who rests answers when the one who took over asks. It gives neither of them a permission."""

    sabbatical: bytes
    newcomer: bytes
    id: bytes
    mentor: bytes
    since_ms: int
    words: str


class Dependency(Row, frozen=True):
    """What turned out to hang on one person, with the plan to change that."""

    id: bytes
    position: int
    sabbatical: bytes | None
    finder: bytes
    since_ms: int
    planned_ms: int  # 0 before
    look_ms: int  # when to look whether the plan worked; 0 before
    resolved_ms: int
    what: str
    plan: str
    how: str  # of the end

    def is_open(self, at_ms: int) -> bool:
        """Whether it is known at an instant and not resolved."""
        return self.since_ms <= at_ms < self.resolved_ms


class Decompression(Row, frozen=True):
    """When and how we land together after a campaign."""

    id: bytes
    position: int
    campaign: bytes
    ritual: bytes | None  # a protocol of the library
    meets_ms: int
    since_ms: int
    place: str
    words: str


class Celebration(Row, frozen=True):
    """What was gained, and how it was marked."""

    position: int
    id: bytes
    domain: str
    about: bytes | None
    since_ms: int
    gained: str
    how: str


SABBATICALS = Table("sabbatical", Sabbatical, ("id",), (("member",), ("cycle",)), erasable=("words",))
MENTORS = Table("mentor", Mentor, ("sabbatical", "newcomer"), erasable=("words",))
DEPENDENCIES = Table(
    "dependency", Dependency, ("id",), (("sabbatical",), ("resolved_ms",)), erasable=("what", "plan", "how"),
)  # fmt: skip
DECOMPRESSIONS = Table("decompression", Decompression, ("id",), (("campaign",),), erasable=("place", "words"))
CELEBRATIONS = Table("celebration", Celebration, ("position",), (("about",),), erasable=("gained", "how"))


# Who rests


def sabbaticals_of(own: Own, member: bytes) -> tuple[Sabbatical, ...]:
    """Every sabbatical that was planned for somebody, the earliest plan first."""
    return tuple(sorted(own.all(SABBATICALS, member=member), key=lambda row: row.position))


def resting_of(own: Own, member: bytes, at_ms: int, role: str = "") -> Sabbatical | None:
    """The sabbatical that keeps somebody from new tasks at an instant: from those of this role, or from all."""
    rows = sabbaticals_of(own, member)
    return next((row for row in rows if row.is_rest(at_ms) and (not row.role or row.role == role)), None)


def stand_ins(own: Own, row: Sabbatical, at_ms: int) -> tuple[bytes, ...]:
    """Who has taken over and stands in, or will when it begins: one, or nobody."""
    return tuple(grant.holder for grant in own.all(GRANTS, source=row.id, order="holder") if grant.until_ms > at_ms)


def stood_in(own: Own, member: bytes, at_ms: int) -> tuple[Sabbatical, ...]:
    """The sabbaticals that run at an instant and in which somebody stands in for who rests."""
    held = [grant for grant in own.all(GRANTS, holder=member, name=STAND_IN) if grant.since_ms <= at_ms < grant.until_ms]
    found = [own.get(SABBATICALS, grant.source) for grant in held]
    return tuple(row for row in found if row and row.is_rest(at_ms))


def near_sabbaticals(own: Own, at_ms: int, ahead: int = 13) -> tuple[Sabbatical, ...]:
    """Those that run now or are ahead, by their beginning."""
    first = working.cycle_of(at_ms)
    if first is None:
        return ()
    rows = [row for cycle in range(first, first + ahead + 1) for row in own.all(SABBATICALS, cycle=cycle)]
    return tuple(sorted((row for row in rows if row.stands(at_ms)), key=lambda row: (row.cycle, row.position)))


def due_for_rest(own: Own, at_ms: int) -> dict[bytes, str]:
    """For whom the record says that a sabbatical is due, and why; not for whom one stands or was not long ago."""
    cycles = own.parameter(SABBATICAL_CYCLES, at_ms)
    found = {member: HELD for member, count in longest_held(own, at_ms).items() if count >= cycles}
    top = _top_of_last_cycle(own, at_ms)
    if top is not None:
        found.setdefault(top, LOAD)
    return {
        member: reason
        for member, reason in sorted(found.items())
        if is_live(own.get(MEMBERSHIPS, member), at_ms) and not _rested(own, member, at_ms, cycles)
    }


def _top_of_last_cycle(own: Own, at_ms: int) -> bytes | None:
    try:
        quarters = working.load(own, working.last_full_cycle(at_ms), at_ms)
    except moon.OutsideTable:
        return None
    top = working.most_loaded(quarters)
    if top is None or len(quarters) < FEWEST_FOR_LOAD:
        return None
    return top if quarters[top] * 1000 >= own.parameter(LOAD_PERMILLE, at_ms) * sum(quarters.values()) else None


def _rested(own: Own, member: bytes, at_ms: int, cycles: int) -> bool:
    """Whether a sabbatical stands, or one was within so many cycles."""
    now = working.cycle_of(at_ms) or 0
    rows = [row for row in sabbaticals_of(own, member) if not row.role or row.reason in (HELD, LOAD)]
    rested = (row for row in rows if row.binds and row.until_ms <= min(at_ms, row.lifted_ms))
    return any(row.stands(at_ms) for row in rows) or any(now - row.cycle <= cycles for row in rested)


# What hangs on one person


def open_dependencies(own: Own, at_ms: int) -> tuple[Dependency, ...]:
    """Those that are known at an instant and not resolved, the oldest first."""
    return tuple(sorted((row for row in own.all(DEPENDENCIES) if row.is_open(at_ms)), key=lambda row: row.position))


# After a surge


def decompressed(own: Own, campaign: bytes) -> Decompression | None:
    """What was set last for landing after a campaign."""
    return max(own.all(DECOMPRESSIONS, campaign=campaign), key=lambda row: row.position, default=None)
