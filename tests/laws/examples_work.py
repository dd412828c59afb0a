"""Examples of work and rest: tasks, seats, swaps, hours."""

from __future__ import annotations

from typing import Any

from protocol import working
from protocol.practices import work
from protocol.terms import ROLES
from protocol.working import HOURS, SEATS, SWAPS, TASKS, Seat, Task
from tests.laws.world import DAY_MS, HOUR_MS, MINUTE_MS, Builder, World

CATEGORIES = ["kitchen", "care", "building"]


def offered(world: World) -> work.Offered:
    now = world.now_ms // MINUTE_MS * MINUTE_MS
    starts = world.rng.choice([None, now + HOUR_MS, now + 2 * DAY_MS, now + 9 * DAY_MS])
    ends = (starts or now) + world.rng.choice([HOUR_MS, 4 * HOUR_MS, 4 * HOUR_MS, 30 * HOUR_MS])
    role = world.pick(world.rows(ROLES)).role if world.rows(ROLES) and world.chance(0.3) else ""
    return work.Offered(
        title=world.words(2), about=world.words(4), place=world.words(1), category=world.rng.choice(CATEGORIES),
        seats=world.rng.choice([1, 1, 2, 3]), starts_ms=starts, role=role,
        ends_ms=None if starts is None and world.chance(0.4) else ends,
    )  # fmt: skip


def open_task(world: World) -> Task:
    """A task, mostly one that is open; what is said about it gets its audience."""
    tasks = world.rows(TASKS)
    if world.chance(0.9):
        tasks = [task for task in tasks if task.is_open(world.now_ms)]
    return _heard(world, world.pick(tasks))


def _heard(world: World, task: Task) -> Task:
    world.audience = 0
    if task.scope and world.chance(0.9):
        world.audience = {1: 1, 2: 2}.get(task.scope, sorted(world.others)[:1])
    return task


def held(world: World) -> tuple[Task, Seat]:
    """A seat that somebody holds, and they write."""
    seats = [seat for seat in world.rows(SEATS) if seat.is_held(world.now_ms)]
    seat = world.pick(seats)
    task = world.view.get(TASKS, seat.task)
    assert task
    if seat.member in world.members() and world.chance(0.95):
        world.act_as(seat.member)
    return _heard(world, task), seat


def taken(world: World) -> work.Taken:
    return work.Taken(open_task(world).id)


def released(world: World) -> work.Released:
    return work.Released(held(world)[0].id, world.words(2))


def swap_offered(world: World) -> work.SwapOffered:
    task, _ = held(world)
    return work.SwapOffered(task.id, world.rng.choice([None, world.pick(world.members())]), world.words(2))


def _asked(world: World) -> Any:
    swap = world.pick([swap for swap in world.rows(SWAPS) if swap.is_open(world.now_ms) or world.chance(0.1)])
    task = world.view.get(TASKS, swap.task)
    assert task
    _heard(world, task)
    return swap


def swap_accepted(world: World) -> work.SwapAccepted:
    swap = _asked(world)
    if swap.to in world.members():
        world.act_as(swap.to)
    return work.SwapAccepted(swap.id)


def swap_withdrawn(world: World) -> work.SwapWithdrawn:
    swap = _asked(world)
    if swap.giver in world.members() and world.chance(0.9):
        world.act_as(swap.giver)
    return work.SwapWithdrawn(swap.id)


def done(world: World) -> work.Done:
    return work.Done(task=held(world)[0].id, quarters=world.rng.choice([0, 1, 6, 12, 300]), what=world.words(3))


def closed(world: World) -> work.Closed:
    task = open_task(world)
    if task.author in world.members() and world.chance(0.8):
        world.act_as(task.author)
    return work.Closed(task.id, world.words(2))


def noted(world: World) -> work.Noted:
    quarters = world.rng.choice([1, 2, 6, 20, 60, 0, 90_000])
    return work.Noted(quarters=quarters, category=world.rng.choice(CATEGORIES), what=world.words(3))


def corrected(world: World) -> work.Corrected:
    hours = world.pick(world.rows(HOURS))
    if hours.member in world.members() and world.chance(0.9):
        world.act_as(hours.member)
    world.audience = {0: 0, 1: 1, 2: 2}.get(hours.scope, sorted(world.others)[:1])
    standing = working.standing_quarters(world.view, hours.root)
    quarters = world.rng.choice([0, standing, standing + 1, standing + 4, 250])
    return work.Corrected(hours=hours.id, quarters=quarters, reasons=world.words(3))


EXAMPLES: dict[str, Builder] = {
    "task.offered/1": offered,
    "task.taken/1": taken,
    "task.released/1": released,
    "swap.offered/1": swap_offered,
    "swap.accepted/1": swap_accepted,
    "swap.withdrawn/1": swap_withdrawn,
    "task.done/1": done,
    "task.closed/1": closed,
    "hours.noted/1": noted,
    "hours.corrected/1": corrected,
}
