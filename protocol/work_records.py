"""What is written about work, and whether it holds: tasks and shifts, places in them, swaps, hours.

- **Nobody is assigned.** A place in a task is taken by the person's own record and given back by it. A swap is a question; the
  place stays with who asks until somebody accepts.
- **Hours** are noted by people of themselves, in whole quarter hours, with or without a task: care and listening are work
  too. Categories are words that the collective uses. A correction names what it corrects and says why.
- **What is offered ends**: a shift at its end, a task on its day, and what has no day lapses at a new moon.
- What is said about a task has the task's own audience, so that everybody who sees it sees the same free places.
- Whoever rests takes no new places in what they rest from, by sign-up or swap, neither while they rest nor for a shift within
  it; places that they have stay theirs to give away.

Example::

    Offered(title="Kitchen on Friday", category="kitchen", seats=2, starts_ms=..., ends_ms=...)
    Noted(quarters=6, category="care", what="Sat with somebody after the meeting")
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Struct

from protocol import working
from protocol.fuse import cycles_later_ms
from protocol.judge import spoken_time
from protocol.membership import MEMBERSHIPS, is_live
from protocol.practice import FOREVER_MS, Act, Change, Digest, MemberKey, Own, Refused, View, field
from protocol.resting import resting_of
from protocol.terms import roles_at
from protocol.wording import counted, in_hours
from protocol.working import (
    ACCEPTED,
    CLOSED,
    DAY_MS,
    DONE,
    FARTHEST_DAYS,
    HOURS,
    LAPSED,
    LONGEST_SHIFT_MS,
    MINUTE_MS,
    MOST_HOURS,
    MOST_IN_A_CYCLE,
    PASSED,
    RELEASED,
    SEATS,
    SWAPS,
    TAKEN_BACK,
    TASK_CYCLES,
    TASKS,
    Hours,
    Seat,
    Swap,
    Task,
)

SLUG = r"^[a-z0-9][a-z0-9-]{1,39}$(?!\n)"
ROLE = r"^(|[a-z][a-z0-9-]{1,29})$(?!\n)"
CATEGORIES = "kitchen, care, listening, building, coordination, money, teaching"

TaskId = Annotated[Digest, field("Task", "The record that offered it.", widget="record")]
Category = Annotated[
    str, field("Category", f"{CATEGORIES}, or a word of your own in small letters.", example="care", pattern=SLUG)
]
Quarters = Annotated[
    int, field("Quarter hours", "Roughly, in quarters of an hour: 6 is an hour and a half.", example="6", ge=0, le=100_000)
]


# What is written


class Offered(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Something is to be done, and people can take part in it."""

    title: Annotated[str, field("What", "In a few words.", erasable=True, required=True, max_length=120)] = ""
    about: Annotated[str, field("More", "What to know, and whom to ask.", widget="text", erasable=True, max_length=4000)] = ""
    place: Annotated[str, field("Where", "Where people meet.", erasable=True, max_length=300)] = ""
    category: Category
    seats: Annotated[int, field("People", "How many it takes.", example="2", ge=1, le=60)] = 1
    starts_ms: Annotated[
        int | None, field("Begins", "For a shift. Leave it empty if it can be done at any time.", widget="instant")
    ] = None
    ends_ms: Annotated[
        int | None, field("Ends", "When the shift ends, or the day by which it is to be done.", widget="instant")
    ] = None
    role: Annotated[
        str, field("Role", "The short name of the role that it belongs to, if any.", example="treasurer", pattern=ROLE)
    ] = ""


class Taken(Struct, frozen=True, forbid_unknown_fields=True):
    """I do this, or a part of it."""

    task: TaskId


class Released(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """I cannot after all: the place is free again."""

    task: TaskId
    why: Annotated[str, field("Why", "Only if you like to say so.", widget="text", erasable=True, max_length=1000)] = ""


class SwapOffered(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who takes over my place?"""

    task: TaskId
    to: Annotated[MemberKey | None, field("Whom", "One person whom you ask; empty: anybody.", widget="member")] = None
    words: Annotated[str, field("Words", "What they should know.", widget="text", erasable=True, max_length=1000)] = ""


class SwapAccepted(Struct, frozen=True, forbid_unknown_fields=True):
    """I take over the place of who asked."""

    swap: Annotated[Digest, field("Swap", "The record that asked who takes over.", widget="record")]


class SwapWithdrawn(Struct, frozen=True, forbid_unknown_fields=True):
    """I keep my place after all."""

    swap: Annotated[Digest, field("Swap", "The record by which you asked who takes over.", widget="record")]


class Done(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """My part of a task is done."""

    task: TaskId
    quarters: Quarters
    what: Annotated[
        str, field("How it went", "What the next ones should know.", widget="text", erasable=True, max_length=2000)
    ] = ""


class Closed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A task is not needed any more, or done well enough."""

    task: TaskId
    why: Annotated[str, field("Why", "In a few words.", widget="text", erasable=True, max_length=1000)] = ""


class Noted(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Work that I did without a task."""

    quarters: Quarters
    category: Category
    what: Annotated[str, field("What", "A few words. Name nobody whom you cared for.", erasable=True, max_length=500)] = ""


class Corrected(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Hours of mine were other than I noted."""

    hours: Annotated[Digest, field("Hours", "The record that noted them.", widget="record")]
    quarters: Annotated[
        int, field("Quarter hours", "What it should have been; 0 takes them back.", example="6", ge=0, le=100_000)
    ]
    reasons: Annotated[
        str, field("Reasons", "What was wrong with it.", widget="text", erasable=True, required=True, max_length=1000)
    ] = ""


# Rules: tasks


def offer(own: Own, act: Act[Offered]) -> Iterator[Change]:
    """Offer a task or a shift."""
    body, at_ms = act.body, act.logged_ms
    _check_times(body.starts_ms, body.ends_ms, at_ms)
    if body.role and all(role.role != body.role for role in roles_at(own, at_ms)):
        raise Refused("Role: there is no such role now. Choose one from the page of roles, or leave it empty.")
    ends_ms = cycles_later_ms(at_ms, own.parameter(TASK_CYCLES, at_ms)) if body.ends_ms is None else body.ends_ms
    yield TASKS.put(
        Task(
            act.space, act.position, act.digest, act.member, act.audience, at_ms, body.starts_ms or 0, ends_ms,
            working.last_cycle(ends_ms), body.ends_ms is not None, body.seats, body.category, body.role, FOREVER_MS, "",
            body.title, body.about, body.place,
        )
    )  # fmt: skip


def _check_times(starts_ms: int | None, ends_ms: int | None, at_ms: int) -> None:
    for ms in (starts_ms, ends_ms):
        if ms is None:
            continue
        if ms % MINUTE_MS:
            raise Refused("Times are whole minutes. Leave the seconds out.")
        if ms > at_ms + FARTHEST_DAYS * DAY_MS:
            raise Refused(f"That is more than {FARTHEST_DAYS} days ahead. Choose a nearer day and offer it again later.")
        if ms <= at_ms:
            what = "The shift would begin" if ms is starts_ms else "It would end"
            raise Refused(
                f"{what} at {spoken_time(max(ms, 0))}, which is past. For work that is done, note your hours instead."
            )
    if starts_ms is None:
        return
    if ends_ms is None:
        raise Refused("Say when the shift ends too, so that people know what they sign up for.")
    if ends_ms <= starts_ms:
        raise Refused("The shift would end before it begins. Look at the two times again.")
    if ends_ms - starts_ms > LONGEST_SHIFT_MS:
        raise Refused("A shift is at most 24 hours long. Offer several, so that people can rest between them.")


def take(own: Own, act: Act[Taken]) -> Iterator[Change]:
    """Take a seat: always one's own word."""
    task = _task(own, act, act.body.task)
    _refuse_if_over(task, act.logged_ms)
    _refuse_while_resting(own, act, task)
    if working.seat_of(own, task.position, act.member, act.logged_ms):
        raise Refused("You have a place in this already.")
    seats = working.seats_of(own, task.position)
    if sum(seat.is_filled(act.logged_ms) for seat in seats) >= task.seats:
        taken = "Its place is taken" if task.seats == 1 else f"All {task.seats} places are taken"
        raise Refused(f"{taken}. The page of work shows what else is open.")
    yield _seat(act, task)


def _seat(act: Act[Any], task: Task) -> Change:
    return SEATS.put(
        Seat(act.space, act.position, act.digest, task.position, act.member, task.last_cycle, act.logged_ms, FOREVER_MS, "")
    )


def release(own: Own, act: Act[Released]) -> Iterator[Change]:
    """Give a seat back; no reason is asked for."""
    task = _task(own, act, act.body.task)
    yield from _leave(own, act, _held(own, act, task), RELEASED)


def _leave(own: Own, act: Act[Any], seat: Seat, how: str) -> Iterator[Change]:
    """A seat ends, and with it the question who takes it over."""
    yield SEATS.patch(seat.position, until_ms=act.logged_ms, ended=how)
    swap = working.open_swap(own, seat.position, act.logged_ms)
    if swap:
        yield SWAPS.patch(swap.position, ended_ms=act.logged_ms, ended=LAPSED)


def done(own: Own, act: Act[Done]) -> Iterator[Change]:
    """Say that one's part is done, with the hours that it took; the last part ends the task."""
    body, at_ms = act.body, act.logged_ms
    task = _task(own, act, body.task)
    seat = _held(own, act, task)
    if at_ms < task.starts_ms:
        raise Refused(f"The shift begins at {spoken_time(task.starts_ms)}. Say that it is done once it is.")
    yield from _leave(own, act, seat, DONE)
    if body.quarters:
        _check_quarters(own, act, body.quarters, working.cycle_in(at_ms))
        yield _hours(act, act.position, working.cycle_in(at_ms), body.quarters, task.category, task.position, body.what)
    finished = sum(each.ended == DONE for each in working.seats_of(own, task.position)) + 1
    if finished >= task.seats and not task.ended:
        yield TASKS.patch(task.position, ended_ms=at_ms, ended=DONE)


def close(own: Own, act: Act[Closed]) -> Iterator[Change]:
    """End a task that was offered; what people did in it stands, and can still be noted."""
    task = _task(own, act, act.body.task)
    if task.ended:
        raise Refused("This is over already: there is nothing to close.")
    if act.member != task.author and is_live(own.get(MEMBERSHIPS, task.author), act.logged_ms):
        raise Refused("Who offered it can close it. Ask them; if you cannot do your part, give your place back.")
    yield TASKS.patch(task.position, ended_ms=act.logged_ms, ended=CLOSED)


def _task(own: Own, act: Act[Any], digest: bytes) -> Task:
    """The task that an act is about; what is said about it is for those who see it, no more and no fewer."""
    task = working.task_of(own, digest)
    if act.audience != task.scope:
        raise Refused("What is said about a task is for those who see the task. Write it for the same audience.")
    return task


def _refuse_if_over(task: Task, at_ms: int) -> None:
    if task.ended:
        raise Refused("This is done already." if task.ended == DONE else "This is not needed any more: it was closed.")
    if at_ms >= task.ends_ms:
        raise Refused(f"This ended at {spoken_time(task.ends_ms)}. If it is still to be done, offer it again.")


def _refuse_while_resting(own: Own, act: Act[Any], task: Task) -> None:
    """Refuse new work to whoever rests now, or rests when the shift is."""
    for at_ms in (act.logged_ms, max(act.logged_ms, task.starts_ms)):
        row = resting_of(own, act.member, at_ms, task.role)
        if row:
            what = f" from the role “{row.role}”" if row.role else ""
            raise Refused(
                f"You rest{what} from {spoken_time(row.since_ms)} until {spoken_time(min(row.until_ms, row.lifted_ms))}: "
                "leave this one to others. What you know you can tell when somebody asks."
            )


def _held(own: Own, act: Act[Any], task: Task) -> Seat:
    seat = working.seat_of(own, task.position, act.member, act.logged_ms)
    if seat is None:
        raise Refused("You have no place in this task. Whoever does the work takes a place first.")
    return seat


# Rules: swaps


def offer_swap(own: Own, act: Act[SwapOffered]) -> Iterator[Change]:
    """Ask who takes over one's seat; a new question replaces the last."""
    body, at_ms = act.body, act.logged_ms
    task = _task(own, act, body.task)
    seat = _held(own, act, task)
    _refuse_if_over(task, at_ms)
    if body.to == act.member:
        raise Refused("Whom: you would take over from yourself. Ask somebody else, or anybody.")
    if body.to is not None and not is_live(own.get(MEMBERSHIPS, body.to), at_ms):
        raise Refused("Whom: they are not a member here. Ask somebody else, or anybody.")
    if body.to is not None and working.seat_of(own, task.position, body.to, at_ms):
        raise Refused("Whom: they have a place in this already. Ask somebody else, or anybody.")
    before = working.open_swap(own, seat.position, at_ms)
    if before:
        yield SWAPS.patch(before.position, ended_ms=at_ms, ended=TAKEN_BACK)
    yield SWAPS.put(
        Swap(
            act.space, act.position, act.digest, seat.position, task.position, act.member, body.to, task.last_cycle, at_ms,
            task.ends_ms, FOREVER_MS, "", None, body.words,
        )
    )  # fmt: skip


def accept_swap(own: Own, act: Act[SwapAccepted]) -> Iterator[Change]:
    """Take over a seat: it goes from one to the other in this very record."""
    swap, task = _swap(own, act, act.body.swap)
    at_ms = act.logged_ms
    if act.member == swap.giver:
        raise Refused("This is your own place. To keep it, take the question back.")
    if swap.whom is not None and swap.whom != act.member:
        raise Refused("This was asked of somebody else. If you would like to do it, tell them.")
    _refuse_if_over(task, at_ms)
    _refuse_while_resting(own, act, task)
    if working.seat_of(own, task.position, act.member, at_ms):
        raise Refused("You have a place in this already.")
    yield SEATS.patch(swap.seat, until_ms=at_ms, ended=PASSED)
    yield SWAPS.patch(swap.position, ended_ms=at_ms, ended=ACCEPTED, by=act.member)
    yield _seat(act, task)


def withdraw_swap(own: Own, act: Act[SwapWithdrawn]) -> Iterator[Change]:
    """Take the question back: the seat was one's own all the time."""
    swap, _ = _swap(own, act, act.body.swap)
    if act.member != swap.giver:
        raise Refused("Who asked can take it back.")
    yield SWAPS.patch(swap.position, ended_ms=act.logged_ms, ended=TAKEN_BACK)


def _swap(own: Own, act: Act[Any], digest: bytes) -> tuple[Swap, Task]:
    position = own.position_of(digest)
    swap = None if position is None else own.get(SWAPS, position)
    task = own.get(TASKS, swap.task) if swap else None
    if swap is None or task is None:
        raise Refused("There is no such question here. Look it up on the page of work.")
    _task(own, act, task.id)
    if not swap.is_open(act.logged_ms):
        raise Refused("Nobody is asked any more: it was accepted, taken back, or the task is over.")
    return swap, task


# Rules: hours


def note(own: Own, act: Act[Noted]) -> Iterator[Change]:
    """Note hours of one's own."""
    body, cycle = act.body, working.cycle_in(act.logged_ms)
    if not body.quarters:
        raise Refused("Quarter hours: 0 is nothing to note. A quarter of an hour is 1.")
    _check_quarters(own, act, body.quarters, cycle)
    yield _hours(act, act.position, cycle, body.quarters, body.category, None, body.what)


def correct(own: Own, act: Act[Corrected]) -> Iterator[Change]:
    """Correct hours of one's own by a row with the difference."""
    body = act.body
    position = own.position_of(body.hours)
    named = None if position is None else own.get(HOURS, position)
    first = named and own.get(HOURS, named.root)
    if first is None:
        raise Refused("There are no such hours here. Open the record that noted them and correct it from there.")
    if first.member != act.member:
        raise Refused("These are somebody else's hours. Only they can correct them; talk to them.")
    if act.audience != first.scope:
        raise Refused("A correction is for those who see what it corrects. Write it for the same audience.")
    difference = body.quarters - working.standing_quarters(own, first.position)
    if not difference:
        raise Refused(f"They stand at {in_hours(body.quarters)} already.")
    if difference > 0:
        _check_quarters(own, act, body.quarters, first.cycle, difference)
    yield _hours(act, first.position, first.cycle, difference, first.category, first.task, "")


def _check_quarters(own: Own, act: Act[Any], quarters: int, cycle: int, more: int | None = None) -> None:
    """Refuse what nobody works: in one record, or in one cycle. Below 0 the form does not let through."""
    most = own.parameter(MOST_HOURS, act.logged_ms)
    if quarters < 0:
        raise Refused("Quarter hours: this is less than nothing. To take hours back, correct the record that noted them.")
    if quarters > most * 4:
        raise Refused(
            f"{in_hours(quarters)} in one record is more than the {counted(most, 'hour')} that one may note at once. "
            "The number is in quarters of an hour: an hour is 4."
        )
    if working.noted(own, act.member, cycle) + (quarters if more is None else more) > MOST_IN_A_CYCLE:
        raise Refused(
            f"With this you would have noted more than {in_hours(MOST_IN_A_CYCLE)} in one cycle, which is sixteen a day. "
            "Look whether something was noted twice, and correct it."
        )


def _hours(act: Act[Any], root: int, cycle: int, quarters: int, category: str, task: int | None, what: str) -> Change:
    return HOURS.put(
        Hours(
            act.space, act.position, act.digest, root, act.member, cycle, working.cycle_in(act.logged_ms), quarters, category,
            act.audience, act.logged_ms, task, what,
        )
    )  # fmt: skip


# Advice before a record is written


def advise_offer(view: View, body: Offered) -> str:
    """Whether the shift lies in a rest."""
    if body.starts_ms and working.is_quiet(view, body.starts_ms):
        until_ms = working.quiet_until_ms(view, body.starts_ms)
        return f"We rest after a campaign until {spoken_time(until_ms)}. If it can wait, choose a later day."
    return ""
