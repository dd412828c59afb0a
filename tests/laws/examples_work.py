"""Examples of work and rest: tasks, seats, swaps, hours; sabbaticals, mentors, dependencies, landing, celebrations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol import drawing, rest_records, resting, work_records, working
from protocol.keys import SigningKey
from protocol.lineage import PROTOCOLS
from protocol.practices import lots
from protocol.resting import DEPENDENCIES, SABBATICALS, Sabbatical
from protocol.standing import ANSWERS, JOINS, Answer
from protocol.terms import ROLES
from protocol.working import HOURS, SEATS, SWAPS, TASKS, Seat, Task
from tests.laws.examples_campaigns import new_call, scopes
from tests.laws.world import DAY_MS, HOUR_MS, MINUTE_MS, Builder, Unready, World

CATEGORIES = ["kitchen", "care", "building"]


def offered(world: World) -> work_records.Offered:
    now = world.now_ms // MINUTE_MS * MINUTE_MS
    starts = world.rng.choice([None, now + HOUR_MS, now + 2 * DAY_MS, now + 9 * DAY_MS])
    ends = (starts or now) + world.rng.choice([HOUR_MS, 4 * HOUR_MS, 4 * HOUR_MS, 30 * HOUR_MS])
    role = world.pick(world.rows(ROLES)).role if world.rows(ROLES) and world.chance(0.3) else ""
    return work_records.Offered(
        title=world.words(2), about=world.words(4), place=world.words(1), category=world.rng.choice(CATEGORIES),
        seats=world.rng.choice([1, 1, 2, 3]), starts_ms=starts, role=role,
        ends_ms=None if starts is None and world.chance(0.4) else ends,
    )  # fmt: skip


def open_task(world: World) -> Task:
    """A task, mostly one that is open; what is said about it gets its audience."""
    tasks = world.rows(TASKS)
    if world.chance(0.95):
        tasks = [task for task in tasks if task.is_open(world.now_ms)]
    return _heard(world, world.pick(tasks or [_new_task(world)]))


def _new_task(world: World) -> Task:
    """Somebody offers a task, so that there is one to do something about."""
    body = work_records.Offered(title=world.words(2), category="kitchen", seats=2)
    if world.write("task.offered/1", body, _key_of(world), 0):
        raise Unready
    return world.rows(TASKS)[-1]


def _key_of(world: World) -> SigningKey:
    return world.keys_of(world.pick(world.members()))[0]


def _heard(world: World, task: Task) -> Task:
    world.audience = 0
    if task.scope and world.chance(0.9):
        world.audience = {1: 1, 2: 2}.get(task.scope, sorted(world.others)[:1])
    return task


def held(world: World) -> tuple[Task, Seat]:
    """A seat that somebody holds, and they write."""
    seats = [seat for seat in world.rows(SEATS) if seat.is_held(world.now_ms)]
    if not seats or world.chance(0.2):
        world.write("task.taken/1", work_records.Taken(_new_task(world).id), _key_of(world), 0)
        seats = [seat for seat in world.rows(SEATS) if seat.is_held(world.now_ms)][-1:]
    seat = world.pick(seats)
    task = world.view.get(TASKS, seat.task)
    assert task
    if seat.member in world.members() and world.chance(0.95):
        world.act_as(seat.member)
    return _heard(world, task), seat


def taken(world: World) -> work_records.Taken:
    return work_records.Taken(open_task(world).id)


def released(world: World) -> work_records.Released:
    return work_records.Released(held(world)[0].id, world.words(2))


def swap_offered(world: World) -> work_records.SwapOffered:
    task, _ = held(world)
    return work_records.SwapOffered(task.id, world.rng.choice([None, world.pick(world.members())]), world.words(2))


def _asked(world: World) -> Any:
    swaps = [swap for swap in world.rows(SWAPS) if swap.is_open(world.now_ms) or world.chance(0.1)]
    if not swaps:
        found, seat = held(world)
        world.write("swap.offered/1", work_records.SwapOffered(found.id), world.pick(world.keys_of(seat.member)), found.scope)
        swaps = [swap for swap in world.rows(SWAPS) if swap.is_open(world.now_ms)]
        world.act_as(world.pick(world.members()))
    swap = world.pick(swaps)
    task = world.view.get(TASKS, swap.task)
    assert task
    _heard(world, task)
    return swap


def swap_accepted(world: World) -> work_records.SwapAccepted:
    swap = _asked(world)
    if swap.whom in world.members():
        world.act_as(swap.whom)
    return work_records.SwapAccepted(swap.id)


def swap_withdrawn(world: World) -> work_records.SwapWithdrawn:
    swap = _asked(world)
    if swap.giver in world.members() and world.chance(0.9):
        world.act_as(swap.giver)
    return work_records.SwapWithdrawn(swap.id)


def done(world: World) -> work_records.Done:
    return work_records.Done(task=held(world)[0].id, quarters=world.rng.choice([0, 1, 6, 12, 300]), what=world.words(3))


def closed(world: World) -> work_records.Closed:
    task = open_task(world)
    if task.author in world.members() and world.chance(0.8):
        world.act_as(task.author)
    return work_records.Closed(task.id, world.words(2))


def noted(world: World) -> work_records.Noted:
    quarters = world.rng.choice([1, 2, 6, 20, 60, 0, 90_000])
    return work_records.Noted(quarters=quarters, category=world.rng.choice(CATEGORIES), what=world.words(3))


def corrected(world: World) -> work_records.Corrected:
    hours = world.pick(world.rows(HOURS))
    if hours.member in world.members() and world.chance(0.9):
        world.act_as(hours.member)
    world.audience = {0: 0, 1: 1, 2: 2}.get(hours.scope, sorted(world.others)[:1])
    standing = working.standing_quarters(world.view, hours.root)
    quarters = world.rng.choice([0, standing, standing + 1, standing + 4, 250])
    return work_records.Corrected(hours=hours.id, quarters=quarters, reasons=world.words(3))


# Rest


def _role(world: World) -> str:
    names = [row.role for row in world.rows(ROLES) if row.since_ms <= world.now_ms < row.ended_ms]
    return world.pick(names) if names and world.chance(0.3) else ""


def planned(world: World) -> rest_records.Planned:
    world.audience = 0
    due = sorted(resting.due_for_rest(world.view, world.now_ms))
    member = world.pick(due) if due and world.chance(0.7) else world.pick(world.members())
    return rest_records.Planned(member, world.cycle + world.rng.choice([1, 1, 2, 6, 0, 7]), _role(world), world.words(3))


def wished(world: World) -> rest_records.Wished:
    world.audience = 0
    return rest_records.Wished(world.cycle + world.rng.choice([1, 2, 3, 0]), _role(world), world.words(2))


def _sabbatical(world: World, wanted: Callable[[Sabbatical], bool], planning: bool = True) -> Sabbatical:
    """A sabbatical of this sort; if there is none, somebody wishes for one, or the assembly asks somebody."""
    rows = [row for row in world.rows(SABBATICALS) if wanted(row) and row.member in world.members()]
    if not rows:
        key, cycle = world.keys_of(world.pick(world.holders("assembly") or world.members()))[0], world.cycle + 1
        asked = rest_records.Planned(world.pick(world.members()), cycle)
        if planning:
            world.write("sabbatical.planned/1", asked, key, 0)
        else:
            world.write("sabbatical.wished/1", rest_records.Wished(cycle), key, 0)
        rows = [row for row in world.rows(SABBATICALS) if wanted(row) and row.member in world.members()]
    world.audience = 0
    return world.pick(rows)


def _its_member(world: World, row: Sabbatical) -> Sabbatical:
    if world.chance(0.95):
        world.act_as(row.member)
    return row


def accepted(world: World) -> rest_records.Accepted:
    row = _sabbatical(world, lambda each: each.is_ahead(world.now_ms) and not each.accepted_ms)
    return rest_records.Accepted(_its_member(world, row).id)


def moved(world: World) -> rest_records.Moved:
    row = _its_member(world, _sabbatical(world, lambda each: each.is_ahead(world.now_ms) and not each.moved))
    return rest_records.Moved(row.id, row.cycle + world.rng.choice([1, 1, 2, 3, 0]), world.words(2))


def lifted(world: World) -> rest_records.Lifted:
    row = _sabbatical(world, lambda each: each.stands(world.now_ms), planning=False)
    return rest_records.Lifted(row.id, world.words(2))


def mentor_agreed(world: World) -> rest_records.MentorAgreed:
    """Somebody rests; who takes over is drawn now, by a public value, if nobody was."""
    row = _sabbatical(world, lambda each: each.stands(world.now_ms), planning=False)
    if not drawing.standing(world.view, "newcomer", row.id):
        _draw_newcomer(world, row)
    drawn = drawing.standing(world.view, "newcomer", row.id)
    newcomer = world.pick(drawn) if world.chance(0.95) else world.pick(world.members())
    _its_member(world, row)
    world.audience = 0
    return rest_records.MentorAgreed(row.id, newcomer, world.words(2))


def _draw_newcomer(world: World, row: Sabbatical) -> None:
    keys = [world.keys_of(member)[0] for member in world.members()]
    known = world.now_ms // MINUTE_MS * MINUTE_MS + 2 * MINUTE_MS
    opened = lots.Opened("newcomer", row.id, 1, "public", world.words(2), known)
    if world.write("lot.opened/1", opened, keys[0], 0):
        raise Unready
    lot = drawing.lots_for(world.view, "newcomer", row.id)[-1]
    world.now_ms = max(world.now_ms, lot.commit_until_ms)
    for key in keys[:2] if lot.size >= drawing.FEWEST else ():
        world.write("lot.typed/1", lots.ValueTyped(lot.id, "7 12 23"), key, 0)
    world.write("lot.drawn/1", lots.LotDrawn(lot.id), keys[0], 0)


def taken_over(world: World) -> rest_records.TakenOver:
    row = _sabbatical(world, lambda each: each.binds and each.stands(world.now_ms), planning=False)
    if not drawing.standing(world.view, "newcomer", row.id):
        _draw_newcomer(world, row)
    drawn = drawing.standing(world.view, "newcomer", row.id)
    taker = world.pick(drawn) if world.chance(0.95) else world.pick(world.members())
    world.act_as(taker)
    world.audience = 0
    return rest_records.TakenOver(row.id)


def dependency_found(world: World) -> rest_records.DependencyFound:
    rows = world.rows(SABBATICALS)
    return rest_records.DependencyFound(world.words(3), world.pick(rows).id if rows and world.chance(0.6) else None)


def _dependency(world: World) -> bytes:
    """A dependency, mostly an open one; what is said about it has its audience."""
    rows = [row for row in world.rows(DEPENDENCIES) if row.is_open(world.now_ms) or world.chance(0.1)]
    row = world.pick(rows)
    held = world.store.kept[DEPENDENCIES.name][world.isle.number, row.id][1]
    world.audience = {0: 0, 1: 1, 2: 2}.get(held, sorted(world.others)[:1])
    return row.id


def dependency_planned(world: World) -> rest_records.DependencyPlanned:
    look = world.cycle + world.rng.choice([1, 3, 13, 0, 14])
    return rest_records.DependencyPlanned(dependency=_dependency(world), look_cycle=look, plan=world.words(3))


def dependency_resolved(world: World) -> rest_records.DependencyResolved:
    return rest_records.DependencyResolved(_dependency(world), world.words(2))


def _last_joined(world: World) -> Answer:
    """What this space stands by in a campaign, mostly one that is not long over; it calls one first if there is none."""
    joined = [row for row in world.rows(ANSWERS) if row.said in JOINS]
    if joined and world.chance(0.1):
        return world.pick(joined)
    last = {row.campaign: row for row in sorted(joined, key=lambda row: row.position)}.values()
    ahead = [row for row in last if row.rests_ms > world.now_ms]
    return world.pick(ahead or world.rows(ANSWERS, campaign=new_call(world, world.isle).id))


def decompression_set(world: World) -> rest_records.DecompressionSet:
    row = _last_joined(world)
    rituals = [protocol.id for protocol in world.rows(PROTOCOLS)]
    ritual = world.rng.choice([None, *rituals[:2]]) if world.chance(0.9) else world.rng.randbytes(32)
    when = max(row.disperses_ms, world.now_ms // MINUTE_MS * MINUTE_MS) + world.rng.choice(
        [DAY_MS, DAY_MS, 2 * DAY_MS, -DAY_MS]
    )
    world.audience = scopes(world)[row.scope]
    return rest_records.DecompressionSet(
        campaign=row.campaign, meets_ms=max(0, when), ritual=ritual, place=world.words(1), words=world.words(2)
    )


def celebration_held(world: World) -> rest_records.CelebrationHeld:
    about = world.rng.choice([None, world.pick(world.isle.log).digest])
    domain = world.rng.choice(["food", "care", "tools"])
    return rest_records.CelebrationHeld(domain=domain, about=about, gained=world.words(3), how=world.words(2))


EXAMPLES: dict[str, Builder] = {
    "sabbatical.planned/1": planned,
    "sabbatical.wished/1": wished,
    "sabbatical.accepted/1": accepted,
    "sabbatical.moved/1": moved,
    "sabbatical.lifted/1": lifted,
    "sabbatical.taken-over/1": taken_over,
    "mentor.agreed/1": mentor_agreed,
    "dependency.found/1": dependency_found,
    "dependency.planned/1": dependency_planned,
    "dependency.resolved/1": dependency_resolved,
    "decompression.set/1": decompression_set,
    "celebration.held/1": celebration_held,
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
