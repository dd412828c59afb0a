"""What the page of work says: what is open, who does what, hours in the open, and what of it is due.

- People stand in order of their names, never of their hours: nothing here ranks anybody.
- In a large group hours are told by how many people noted how much, not person by person.
- Figures are of the last full cycle. Where nothing was noted there is no share, so those figures are left out; and so are
  shares of tasks where very few were done.
- Nobody is reminded of hours that they did not note.

Example::

    figures(view, now_ms)["workload.half"]      # the fewest people who together did half of it
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from protocol import fairness, moon, voicing, working
from protocol.figure import FIGURES, hidden
from protocol.judge import spoken_time
from protocol.membership import members_at, name_of, sees_members
from protocol.page import (
    Action,
    Bar,
    Bars,
    Block,
    Cell,
    Chart,
    Facts,
    Grid,
    Heading,
    Prose,
    Ref,
    Series,
    Span,
    State,
    Text,
    Timeline,
    When,
)
from protocol.practice import Due, View
from protocol.wording import counted, in_hours
from protocol.working import DAY_MS, DONE, HOURS, TASKS, Open, Seat, Swap, Task

NEAR_DAYS, OPEN_DAYS, SHOWN_DAYS = 3, 7, 14
SHOWN, BUTTONS, SHIFTS, LATEST, LACKING = 40, 12, 24, 12, 12
PEOPLE = 24  # above this many, hours are told by bands
CYCLES = 13
BANDS = ((0, "nothing noted"), (20, "up to 5 hours"), (60, "5 to 15 hours"), (160, "15 to 40 hours"))
SMALL = 6
HALF = "workload.half"


# What is due


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Shifts and tasks of mine that are near, places that somebody asks me to take over, and shifts that lack people."""
    yield from _mine(view, now_ms)
    yield from _asked(view, now_ms)
    yield from _lacking(view, now_ms)


def _mine(view: View, now_ms: int) -> Iterator[Due]:
    for task, seat in working.held(view, now_ms):
        moment = task.starts_ms or task.ends_ms
        if not moment - NEAR_DAYS * DAY_MS <= now_ms < task.ends_ms or task.ended:
            continue
        what = f"Your shift “{task.name}”" if task.is_shift else f"You took “{task.name}”: its day is near"
        if not task.dated:
            what = f"You took “{task.name}”: it lapses at the new moon, unless you say that it is done"
        yield Due(what, seat.member, moment - NEAR_DAYS * DAY_MS, task.ends_ms, task.id)


def _asked(view: View, now_ms: int) -> Iterator[Due]:
    for swap in working.open_swaps(view, now_ms):
        task = view.get(TASKS, swap.task)
        if task and not task.ended:
            what = f"Take over “{task.name}” from {name_of(view, swap.giver)}, or leave it"
            yield Due(what, swap.whom, swap.since_ms, swap.until_ms, swap.id)


def _lacking(view: View, now_ms: int) -> Iterator[Due]:
    """The nearest that lack people; where there are many, the page of work has the others."""
    return islice(_all_lacking(view, now_ms), LACKING)


def _all_lacking(view: View, now_ms: int) -> Iterator[Due]:
    for each in working.open_tasks(view, now_ms, 1):
        task, days = each.task, OPEN_DAYS if each.task.is_shift else NEAR_DAYS
        moment = task.starts_ms or task.ends_ms
        if each.free and task.dated and moment - days * DAY_MS <= now_ms < moment:
            needs = f"“{task.name}” still needs {counted(each.free, 'person', 'people')}"
            yield Due(needs, None, moment - days * DAY_MS, moment, task.id, role=task.role)


# Figures


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """How the work of the last full cycle was shared, and how many tasks need people now."""
    told = {"work.open-tasks": sum(each.free > 0 for each in working.open_tasks(view, now_ms))}
    try:
        cycle = working.last_full_cycle(now_ms)
        values = list(working.shares(view, cycle, now_ms).values())
        before = sum(working.load(view, cycle - 1, now_ms).values())
        done = list(working.shares_of_tasks(view, cycle, now_ms).values())
        done_before = sum(working.tasks_done(view, cycle - 1, now_ms).values())
    except moon.OutsideTable:
        return told
    enough = sum(done) >= voicing.FEWEST_SAID
    measured = {
        "workload.top-share": fairness.top_share(values),
        HALF: fairness.fewest_doing_half(values),
        "workload.gini": fairness.gini_corrected(values),
        "workload.tasks-top-share": fairness.top_share(done) if enough else None,
        "workload.tasks-half": fairness.fewest_doing_half(done) if enough else None,
    }
    return {
        **told,
        "workload.hours": sum(values),
        "workload.change": working.change(sum(values), before),
        "workload.idle": fairness.idle(values),
        "workload.tasks": sum(done),
        "workload.tasks-change": working.change(sum(done), done_before),
        "workload.tasks-idle": fairness.idle(done),
        **{name: value for name, value in measured.items() if value is not None},
    }


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """How many tasks are open, as far as anybody may see them."""
    return {"open_tasks": len(working.open_tasks(view, now_ms))}


# The page


def page(view: View, now_ms: int) -> Iterator[Block]:
    """What is open, the coming shifts, and hours."""
    yield Heading("Work and rest")
    found = working.open_tasks(view, now_ms)
    yield from _open(view, found)
    yield from _swaps(view, now_ms)
    yield from _shifts(view, found, now_ms)
    yield from _hours(view, now_ms)


def _open(view: View, found: tuple[Open, ...]) -> Iterator[Block]:
    yield Grid(
        "What is open", ("What", "When", "Where", "Category", "People", "Who"),
        [_open_row(view, each) for each in found[:SHOWN]],
        "Nothing is open. Offer what has to be done, and people take part by their own word; nobody is put into anything.",
    )  # fmt: skip
    if len(found) > SHOWN:
        yield Text(f"{counted(len(found) - SHOWN, 'more task')} further ahead not shown here.")
    yield Action("task.offered/1", {}, "Offer a task or a shift")
    for each in [each for each in found if each.free][:BUTTONS]:
        yield Action("task.taken/1", {"task": each.task.id.hex()}, f"Take part in “{each.task.name}”")


def _open_row(view: View, each: Open) -> list[Cell]:
    task = each.task
    people: Cell = f"{len(each.seats)} of {task.seats}"
    if not each.free:
        people = State("complete", "good")
    return [
        Ref(task.id, "record", task.name), When(task.starts_ms or task.ends_ms), task.place, task.category, people,
        _names(view, each.seats),
    ]  # fmt: skip


def _names(view: View, seats: tuple[Seat, ...]) -> str:
    return ", ".join(name_of(view, seat.member) for seat in seats)


def _swaps(view: View, now_ms: int) -> Iterator[Block]:
    rows: list[list[Cell]] = []
    actions: list[Block] = []
    for swap in working.open_swaps(view, now_ms)[:SHOWN]:
        task = view.get(TASKS, swap.task)
        if task and not task.ended:
            rows.append(_swap_row(view, swap, task))
            whom = (swap.whom,) if swap.whom else None
            actions.append(Action("swap.accepted/1", {"swap": swap.id.hex()}, f"Take over “{task.name}”", who=whom))
    if rows:
        yield Grid("Who takes over?", ("What", "When", "Asks", "Whom", "Words"), rows)
        yield from actions[:BUTTONS]


def _swap_row(view: View, swap: Swap, task: Task) -> list[Cell]:
    whom: Cell = Ref(swap.whom, "member", name_of(view, swap.whom)) if swap.whom else "anybody"
    return [
        Ref(swap.id, "record", task.name), When(task.starts_ms or task.ends_ms),
        Ref(swap.giver, "member", name_of(view, swap.giver)), whom, swap.words,
    ]  # fmt: skip


def _shifts(view: View, found: tuple[Open, ...], now_ms: int) -> Iterator[Block]:
    coming = [each for each in found if each.task.is_shift and each.task.starts_ms < now_ms + SHOWN_DAYS * DAY_MS]
    if coming:
        spans = [
            Span(
                each.task.name, each.task.starts_ms, each.task.ends_ms,
                _names(view, each.seats) or "nobody yet", each.task.category, "warn" if each.free else "good",
            )
            for each in coming[:SHIFTS]
        ]  # fmt: skip
        yield Timeline("The shifts of the next two weeks", spans, now_ms)


# Hours


def _hours(view: View, now_ms: int) -> Iterator[Block]:
    yield Heading("Hours")
    yield Text(
        "People note their own hours, roughly, in the cycle in which they write them down. Care and listening are work too. "
        "The numbers say nothing about who tried harder, and much work is never noted."
    )
    yield Action("hours.noted/1", {}, "Note hours")
    cycle = working.cycle_of(now_ms)
    if cycle is None:
        return
    people, kinds = working.load(view, cycle, now_ms), working.load_by_category(view, cycle, now_ms)
    if 0 < len(people) < SMALL:
        yield Text(
            "So few people noted hours that one trip or one illness changes the picture. Talk about it rather than count."
        )
    yield from _by_person(view, people, cycle, now_ms)
    bars = [Bar(kind.replace("-", " "), kinds[kind], 0) for kind in sorted(kinds)]
    yield Bars("Hours of this cycle by category", bars, "quarter hours")
    yield from _by_group(view, now_ms)
    yield from _over_time(view, cycle, now_ms)
    yield from _latest(view)


def _by_person(view: View, people: Mapping[bytes, int], cycle: int, now_ms: int) -> Iterator[Block]:
    if len(people) <= PEOPLE:
        named = sorted((name_of(view, member), quarters) for member, quarters in people.items())
        yield Bars("Hours of this cycle by person", [Bar(name, quarters, 0) for name, quarters in named], "quarter hours")
        return
    counts = Counter(_band(quarters) for quarters in working.shares(view, cycle, now_ms).values())
    labels = [*(label for _, label in BANDS), "more than 40 hours"]
    bars = [Bar(label, counts[number], 0) for number, label in enumerate(labels)]
    yield Bars("How many people noted how much in this cycle", bars, "people")


def _by_group(view: View, now_ms: int) -> Iterator[Block]:
    """How much of the last full cycle's hours and tasks came from the groups that the collective named."""
    if not sees_members(view) or not voicing.groups_at(view, now_ms):
        return
    try:
        cycle = working.last_full_cycle(now_ms)
        hours, tasks = working.shares(view, cycle, now_ms), working.tasks_done(view, cycle, now_ms)
    except moon.OutsideTable:
        return
    here = {row.member for row in members_at(view, now_ms)} & (hours.keys() | tasks.keys())
    yield Text(
        f"{voicing.TOLD_APART} For work, those count who were members throughout the last full cycle, noted hours or did a "
        "task in it."
    )
    for group, people in sorted(voicing.belonging(view, now_ms, here).items()):
        bars = [Bar("of the members", len(people) * 1000 // len(here), 1000)]
        for label, counts in (("of the hours", hours), ("of the tasks done", tasks)):
            part = voicing.share({member: counts.get(member, 0) for member in here}, people)
            if part is not None:
                bars.append(Bar(label, part, 1000))
        if len(bars) > 1:
            yield Bars(f"Work of the last full cycle: share of {group}", bars, "‰")


def _band(quarters: int) -> int:
    return sum(quarters > most for most, _ in BANDS)


def _over_time(view: View, cycle: int, now_ms: int) -> Iterator[Block]:
    sums = {each: quarters for each, quarters in view.sums(HOURS, "quarters", "cycle") if cycle - CYCLES <= each < cycle}
    if len(sums) < 2:
        return
    points = [(moon.new_moon_ms(each), sums.get(each, 0)) for each in range(min(sums), cycle)]
    yield Chart("Hours of past cycles, by their first day", [Series("noted", points)], "quarter hours")
    yield from _halves(view, range(min(sums), cycle), now_ms)


def _halves(view: View, cycles: Iterable[int], now_ms: int) -> Iterator[Block]:
    """How few did half of it, of the cycles with enough people for the figure of that name."""
    found = [(each, list(working.shares(view, each, now_ms).values())) for each in cycles]
    large = [(each, values) for each, values in found if not hidden(HALF, len(values), {})]
    halves = [(each, fairness.fewest_doing_half(values)) for each, values in large]
    points = [(moon.new_moon_ms(each), half) for each, half in halves if half is not None]  # where nothing was noted, none
    if len(points) > 1:
        yield Chart("The fewest people who did half of it", [Series("did half", points)], "people")
        yield Text(
            "If it is 2, two people did half of what was noted. It does not say what would happen if they left, and what "
            "nobody writes down is not in it."
        )
    if len(large) < len(found):
        yield Text(
            f"How few people did half of it is not told of cycles with fewer than {FIGURES[HALF].least}: it would be about "
            "one person."
        )


def _latest(view: View) -> Iterator[Block]:
    rows: list[list[Cell]] = [
        [
            Ref(row.id, "record", row.what or row.category), Ref(row.member, "member", name_of(view, row.member)),
            in_hours(row.quarters), row.category, State("correction") if row.root != row.position else "", When(row.logged_ms),
        ]
        for row in view.all(HOURS, order="-position", limit=LATEST)
    ]  # fmt: skip
    yield Grid(
        "Noted last", ("What", "Who", "Hours", "Category", "", "When"), rows,
        "Nobody has noted hours yet. Noting them shows what is carried, by whom, and when somebody needs rest.",
    )  # fmt: skip


# Records


def record(view: View, digest: bytes, now_ms: int) -> Iterator[Block]:
    """The page of a task: when, who is in it, and what can be done."""
    position = view.position_of(digest)
    task = None if position is None else view.get(TASKS, position)
    if task is not None:
        yield from _about(view, task, now_ms)


def _about(view: View, task: Task, now_ms: int) -> Iterator[Block]:
    seats = working.seats_of(view, task.position)
    filled = sum(seat.is_filled(now_ms) for seat in seats)
    yield Heading(task.name, 3)
    times: list[tuple[str, Cell]] = [("Begins", When(task.starts_ms)), ("Ends", When(task.ends_ms))]
    undated: list[tuple[str, Cell]] = [("By" if task.dated else "Lapses", When(task.ends_ms))]
    yield Facts([
        ("State", _state(task, filled, now_ms)),
        *(times if task.is_shift else undated),
        ("Where", task.place or "nothing is said"),
        ("Category", task.category),
        ("Role", task.role or "none"),
        ("People", f"{filled} of {task.seats}"),
        ("Offered by", Ref(task.author, "member", name_of(view, task.author))),
    ])  # fmt: skip
    if task.about:
        yield Prose(task.about)
    yield _seats(view, task, seats, now_ms)
    at = {"task": task.id.hex()}
    if task.is_open(now_ms) and filled < task.seats:
        yield Action("task.taken/1", at, "Take part")
    held = tuple(seat.member for seat in seats if seat.is_held(now_ms))
    if held:
        if now_ms >= task.starts_ms:
            yield Action("task.done/1", at, "My part is done", who=held)
        yield Action("swap.offered/1", at, "Ask who takes over my place", who=held)
        yield Action("task.released/1", at, "Give my place back", who=held)
    if not task.ended:
        yield Action("task.closed/1", at, "Close it")
    yield from _again(task, now_ms)


def _state(task: Task, filled: int, now_ms: int) -> State:
    if task.ended:
        return State(task.ended, "good" if task.ended == DONE else "calm")
    if now_ms >= task.ends_ms:
        return State("its time is over")
    return State("complete", "good") if filled >= task.seats else State("needs people", "warn")


def _seats(view: View, task: Task, seats: tuple[Seat, ...], now_ms: int) -> Grid:
    hours = Counter[bytes]()
    for row in view.all(HOURS, task=task.position):
        hours[row.member] += row.quarters
    rows: list[list[Cell]] = [
        [
            Ref(seat.member, "member", name_of(view, seat.member)), When(seat.since_ms),
            State("takes part", "good") if seat.is_held(now_ms) else State(seat.ended),
            in_hours(hours[seat.member]) if seat.ended == DONE and hours[seat.member] else "",
        ]
        for seat in seats
        if seat.since_ms <= now_ms
    ]  # fmt: skip
    return Grid("Who takes part", ("Who", "Since", "", "Hours"), rows, "Nobody yet. A place is taken by one's own word.")


def _again(task: Task, now_ms: int) -> Iterator[Block]:
    """The same a week later, for shifts that come again."""
    if not task.is_shift or task.starts_ms + 7 * DAY_MS <= now_ms:
        return
    filled = {
        "title": task.title, "about": task.about, "place": task.place, "category": task.category, "seats": str(task.seats),
        "starts_ms": _written(task.starts_ms + 7 * DAY_MS), "ends_ms": _written(task.ends_ms + 7 * DAY_MS), "role": task.role,
    }  # fmt: skip
    yield Action("task.offered/1", {name: text for name, text in filled.items() if text}, "Offer it again, a week later")


def _written(ms: int) -> str:
    """An instant as forms take it."""
    return spoken_time(ms).removesuffix(" UTC")
