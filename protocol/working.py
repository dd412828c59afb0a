"""Work: the rows of tasks, seats and hours, and what follows from them.

- A task has seats. A seat is one row for as long as somebody holds it, and is only ever taken by that person: nothing here
  puts anybody into a task but their own record.
- Every task has an end: a shift its own, a task its day, and what has no day lapses after some cycles. So what is open now
  ends in one of the next cycles (`Task.last_cycle`), and is found without walking through all that ever was.
- Hours are whole quarter hours in the cycle in which they are noted. A correction is one more row, with the difference, in
  the cycle of what it corrects; `noted_cycle` says in which cycle it was written. Sums are kept as rows are written.
- After a campaign that was armed and that this space stood by to the end, notices are quiet from its dispersal until its rest
  is over. Nothing is stored for that: it follows from `protocol.standing`.
- A figure of a moment looks at rows logged up to that moment, and at the last full cycle before it: a cycle that has just
  begun says nothing about who carries how much.

Example::

    load(view, 330, now_ms)             # {member: quarter hours}, of cycle 330
    open_tasks(view, now_ms)            # tasks and shifts that are not over, by their end
    is_quiet(view, now_ms)              # whether notices can wait
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct

from protocol import moon
from protocol.membership import members_at
from protocol.practice import Own, Parameter, Refused, Row, Table, Total, View
from protocol.standing import ANSWERS, CALLS, JOINS, Call, Standing, standing

K = TypeVar("K", bytes, str)
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
AHEAD_CYCLES = 14  # a task ends within so many cycles from when it is offered
LATE_CYCLES = 3  # a part that is said to be done later than that after its task's end is counted nowhere
FARTHEST_DAYS = 400
LONGEST_SHIFT_MS = DAY_MS
MOST_IN_A_CYCLE = 1920  # quarter hours of one person: sixteen hours on each of thirty days
TASK_CYCLES = Parameter("work.task-cycles", 3, "Cycles after which a task without a day lapses", 1, 13)
MOST_HOURS = Parameter("work.most-hours", 60, "Most hours that one record may note", 1, 300)

DONE, CLOSED, RELEASED, PASSED = "done", "closed", "released", "passed"
ACCEPTED, TAKEN_BACK, LAPSED = "accepted", "taken back", "lapsed"


class Task(Row, frozen=True):
    """Something to be done: a shift if `starts_ms` is not 0."""

    position: int
    id: bytes
    author: bytes
    scope: int  # its audience: what is said about it has the same
    since_ms: int
    starts_ms: int
    ends_ms: int
    last_cycle: int  # the cycle in which it ends
    dated: bool  # whether its end is a day that somebody named
    seats: int
    category: str
    role: str  # the short name of the role that it belongs to, or empty
    ended_ms: int
    ended: str  # "", "done" or "closed"
    title: str
    about: str
    place: str

    @property
    def is_shift(self) -> bool:
        """Whether it has a beginning of its own."""
        return self.starts_ms > 0

    def is_open(self, at_ms: int) -> bool:
        """Whether seats in it can be taken at an instant."""
        return self.since_ms <= at_ms < min(self.ends_ms, self.ended_ms)

    @property
    def name(self) -> str:
        """What it is called, or what it is if its words were erased."""
        return self.title or ("A shift whose words were erased" if self.is_shift else "A task whose words were erased")


class Seat(Row, frozen=True):
    """That somebody has taken part of a task, by their own word."""

    position: int
    id: bytes
    task: int
    member: bytes
    last_cycle: int  # of the task
    since_ms: int
    until_ms: int
    ended: str  # "", "released", "passed" or "done"

    def is_held(self, at_ms: int) -> bool:
        """Whether the seat is theirs at an instant and the work not done."""
        return self.since_ms <= at_ms < self.until_ms

    def is_filled(self, at_ms: int) -> bool:
        """Whether the seat is not free any more: held, or its part done."""
        return self.since_ms <= at_ms and (at_ms < self.until_ms or self.ended == DONE)


class Swap(Row, frozen=True):
    """That somebody asks who takes over their seat; `whom` is one person, or None for anybody."""

    position: int
    id: bytes
    seat: int
    task: int
    giver: bytes
    whom: bytes | None
    last_cycle: int
    since_ms: int
    until_ms: int  # the task's end
    ended_ms: int
    ended: str  # "", "accepted", "taken back" or "lapsed"
    by: bytes | None
    words: str

    def is_open(self, at_ms: int) -> bool:
        """Whether it can be accepted at an instant."""
        return self.since_ms <= at_ms < min(self.until_ms, self.ended_ms)


class Hours(Row, frozen=True):
    """Hours that somebody noted of themselves, or a correction of them by a difference."""

    position: int
    id: bytes
    root: int  # the position of what is corrected, in the end; its own if it corrects nothing
    member: bytes
    cycle: int
    noted_cycle: int
    quarters: int
    category: str
    scope: int
    logged_ms: int
    task: int | None
    what: str


TASKS = Table("task", Task, ("position",), (("last_cycle", "ended"),), erasable=("title", "about", "place"))
SEATS = Table("task_seat", Seat, ("position",), (("task",), ("member", "last_cycle"), ("last_cycle", "ended")))
SWAPS = Table(
    "task_swap", Swap, ("position",), (("seat",), ("task",), ("last_cycle", "ended")), erasable=("words",),
)  # fmt: skip
HOURS = Table(
    "hours", Hours, ("position",), (("root",), ("cycle", "noted_cycle"), ("task",), ("member",)), erasable=("what",),
    totals=(
        Total("quarters", ("cycle", "category", "noted_cycle")),  # the shorter one first: it answers sums by cycle alone
        Total("quarters", ("cycle", "member", "noted_cycle")),
    ),
)  # fmt: skip


# One task


def task_of(own: Own, digest: bytes) -> Task:
    """A task by the record that offered it; Refused if there is none that may be seen."""
    position = own.position_of(digest)
    found = None if position is None else own.get(TASKS, position)
    if found is None:
        raise Refused("There is no such task here. Look it up among the open tasks and try again.")
    return found


def seats_of(own: Own, task: int) -> tuple[Seat, ...]:
    """Every seat of a task that was ever taken, in order."""
    return own.all(SEATS, order="position", task=task)


def seat_of(own: Own, task: int, member: bytes, at_ms: int) -> Seat | None:
    """The seat that somebody holds in a task, if they do."""
    return next((seat for seat in seats_of(own, task) if seat.member == member and seat.is_held(at_ms)), None)


def open_swap(own: Own, seat: int, at_ms: int) -> Swap | None:
    """The question who takes over a seat, if it stands."""
    return next((swap for swap in own.all(SWAPS, seat=seat) if swap.is_open(at_ms)), None)


def last_cycle(ends_ms: int) -> int:
    """The cycle in which something ends; what ends at a new moon ends in the cycle before it."""
    return cycle_in(ends_ms - 1)


def cycle_in(at_ms: int) -> int:
    """The cycle of an instant; Refused outside the table of new moons."""
    try:
        return moon.cycle_at(at_ms)
    except moon.OutsideTable as error:
        raise Refused(str(error)) from error


# All that is open


class Open(Struct, frozen=True):
    """A task that is open, with those who are in it."""

    task: Task
    seats: tuple[Seat, ...]  # held or done

    @property
    def free(self) -> int:
        """How many seats nobody has taken."""
        return max(0, self.task.seats - len(self.seats))


def open_tasks(view: View, at_ms: int, cycles: int = AHEAD_CYCLES) -> tuple[Open, ...]:
    """Tasks and shifts that are open at an instant and end within so many cycles after this one, by when they are due."""
    first = cycle_of(at_ms)
    if first is None:
        return ()
    tasks: list[Task] = []
    seats: dict[int, list[Seat]] = defaultdict(list)
    for cycle in range(first, first + cycles + 1):
        found = [task for task in view.all(TASKS, last_cycle=cycle) if task.is_open(at_ms)]
        tasks += found
        for seat in view.all(SEATS, last_cycle=cycle) if found else ():
            if seat.is_filled(at_ms):
                seats[seat.task].append(seat)
    tasks.sort(key=lambda task: (task.starts_ms or task.ends_ms, task.position))
    return tuple(Open(task, tuple(sorted(seats[task.position], key=lambda seat: seat.position))) for task in tasks)


def held(view: View, at_ms: int) -> tuple[tuple[Task, Seat], ...]:
    """Seats that are held in tasks which end in this cycle or the next, by when they are due."""
    found = []
    for cycle in near_cycles(at_ms):
        seats = [seat for seat in view.all(SEATS, last_cycle=cycle, ended="") if seat.is_held(at_ms)]
        tasks = {task.position: task for task in view.all(TASKS, last_cycle=cycle)} if seats else {}
        found += [(tasks[seat.task], seat) for seat in seats if seat.task in tasks]
    return tuple(sorted(found, key=lambda each: (each[0].starts_ms or each[0].ends_ms, each[1].position)))


def open_swaps(view: View, at_ms: int) -> tuple[Swap, ...]:
    """Questions who takes over, of tasks that end in this cycle or the next."""
    found = [
        swap for cycle in near_cycles(at_ms) for swap in view.all(SWAPS, last_cycle=cycle, ended="") if swap.is_open(at_ms)
    ]
    return tuple(sorted(found, key=lambda swap: swap.position))


def near_cycles(at_ms: int) -> tuple[int, ...]:
    """The cycle of an instant and the next."""
    cycle = cycle_of(at_ms)
    return () if cycle is None else (cycle, cycle + 1)


def cycle_of(at_ms: int) -> int | None:
    """The cycle of an instant, or None outside the table of new moons."""
    try:
        return moon.cycle_at(at_ms)
    except moon.OutsideTable:
        return None


# Who did how much


def noted(own: Own, member: bytes, cycle: int) -> int:
    """Quarter hours of somebody in a cycle, by all that is known."""
    sums = own.sums(HOURS, "quarters", "member", cycle=cycle, member=member)
    return int(sums[0][1]) if sums else 0


def standing_quarters(own: Own, root: int) -> int:
    """What a note of hours comes to with its corrections."""
    return sum(row.quarters for row in own.all(HOURS, root=root))


def load(own: Own, cycle: int, at_ms: int) -> dict[bytes, int]:
    """Quarter hours of a cycle by member, from rows logged up to an instant."""
    return _load(own, cycle, at_ms, "member", lambda row: row.member)


def load_by_category(own: Own, cycle: int, at_ms: int) -> dict[str, int]:
    """Quarter hours of a cycle by category, from rows logged up to an instant."""
    return _load(own, cycle, at_ms, "category", lambda row: row.category)


def _load(own: Own, cycle: int, at_ms: int, column: str, key_of: Callable[[Hours], K]) -> dict[K, int]:
    now = moon.cycle_at(at_ms)
    sums: dict[K, int] = defaultdict(int)
    for key, noted_cycle, quarters in own.sums(HOURS, "quarters", column, "noted_cycle", cycle=cycle):
        if noted_cycle < now:
            sums[key] += quarters
    for row in own.all(HOURS, cycle=cycle, noted_cycle=now):  # the cycle of that instant may hold later ones too
        if row.logged_ms <= at_ms:
            sums[key_of(row)] += row.quarters
    return {key: quarters for key, quarters in sums.items() if quarters}


def tasks_done(own: Own, cycle: int, at_ms: int) -> dict[bytes, int]:
    """How many parts of tasks each said were done in a cycle, up to an instant; somebody who did none is not in it."""
    begins_ms, ends_ms = moon.cycle_bounds(cycle)
    return Counter(
        seat.member
        for last in range(cycle - LATE_CYCLES, cycle + AHEAD_CYCLES + 1)  # the cycles in which such a task can end
        for seat in own.all(SEATS, last_cycle=last, ended=DONE)
        if begins_ms <= seat.until_ms < ends_ms and seat.until_ms <= at_ms
    )


def last_full_cycle(at_ms: int) -> int:
    """The last cycle that is over at an instant; the last minute of a cycle counts as its end."""
    return moon.cycle_at(at_ms + MINUTE_MS) - 1


def shares(own: Own, cycle: int, at_ms: int) -> dict[bytes, int]:
    """`load` with a 0 for everybody who was a member throughout that cycle and noted nothing."""
    return _with_all(own, cycle, load(own, cycle, at_ms))


def shares_of_tasks(own: Own, cycle: int, at_ms: int) -> dict[bytes, int]:
    """`tasks_done` with a 0 for everybody who was a member throughout that cycle and did none."""
    return _with_all(own, cycle, tasks_done(own, cycle, at_ms))


def _with_all(own: Own, cycle: int, did: Mapping[bytes, int]) -> dict[bytes, int]:
    begins_ms, ends_ms = moon.cycle_bounds(cycle)
    there = (row.member for row in members_at(own, ends_ms - 1) if (row.admitted_ms or 0) <= begins_ms)
    return {**dict.fromkeys(there, 0), **did}


def most_loaded(quarters: Mapping[bytes, int]) -> bytes | None:
    """Who noted most, if that is one person."""
    most = max(quarters.values(), default=0)
    top = [member for member, each in quarters.items() if each == most]
    return top[0] if most and len(top) == 1 else None


def change(now: int, before: int) -> int:
    """By how many per mille something grew; from nothing to something is 1000."""
    if not before:
        return 1000 if now else 0
    return (now - before) * 1000 // before


# After a surge


def surges(view: View, now_ms: int) -> tuple[tuple[Call, Standing], ...]:
    """Campaigns that we stood by, dispersed and not yet over with their rest; those that disperse first come first."""
    near = {row.campaign for row in view.all(ANSWERS) if row.said in JOINS and row.disperses_ms <= now_ms < row.rests_ms}
    found = []
    for campaign in sorted(near):
        for call in view.everywhere(CALLS, id=campaign):
            stands = standing(view, call, now_ms)
            ours = view.id in stands.joined and view.id not in stands.withdrawn
            if ours and stands.phase in ("consolidation", "rest"):
                found.append((call, stands))
    return tuple(sorted(found, key=lambda each: (each[1].terms.disperses_ms, each[0].id)))


def quiet_until_ms(view: View, now_ms: int) -> int:
    """When the last rest that runs now is over; 0 if none does."""
    return max((stands.terms.rests_ms for _, stands in surges(view, now_ms)), default=0)


def is_quiet(view: View, now_ms: int) -> bool:
    """Whether notices can wait: from a campaign's dispersal until its rest is over."""
    return quiet_until_ms(view, now_ms) > 0
