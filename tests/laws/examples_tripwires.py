"""Examples of trip wires: set, removed; figures noted by the clock; reviews reported on and closed."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct

from protocol import moon
from protocol.practices import tripwires
from protocol.wire_blocks import facilitators
from protocol.wires import WIRES, Review, may_report, next_noting, open_reviews, reports_on, standing_wires
from tests.laws.world import MINUTE_MS, Builder, Unready, World

T = TypeVar("T", bound=Struct)
NAMES = ("members.count", "links.count", "workload.top-share", "ledger.reserve")


def wire_set(world: World) -> tripwires.WireSet:
    name = world.pick(NAMES) if world.chance(0.97) else "workload.gini"
    compare = world.rng.choice(["above", "below"])
    concerned = world.rng.sample(world.members(), min(len(world.members()), world.rng.choice([0, 0, 0, 1])))
    body = tripwires.WireSet(name, compare, world.rng.randrange(-1, 9), world.rng.choice([1, 1, 2]), concerned, world.words())  # type: ignore[arg-type]  # of two words
    return _decided(world, "tripwire.set/1", body)


def wire_removed(world: World) -> tripwires.WireRemoved:
    standing = standing_wires(world.view)
    if len(standing) < 2 and world.chance(0.8):
        raise Unready
    wire = world.pick(standing if standing and world.chance(0.9) else world.rows(WIRES))
    return _decided(world, "tripwire.removed/1", tripwires.WireRemoved(wire.id, world.words()))


def figures_noted(world: World) -> tripwires.FiguresNoted:
    coming = next_noting(world.view, world.now_ms)
    if coming is None and standing_wires(world.view) and world.chance(0.5):
        world.now_ms = moon.new_moon_ms(world.cycle + 1) + world.rng.choice([0, MINUTE_MS])
        coming = next_noting(world.view, world.now_ms)
    if coming is None:
        raise Unready
    values = [tripwires.Value(name, world.rng.randrange(-5, 12)) for name in coming.names if world.chance(0.95)]
    if world.chance(0.05):
        values.append(tripwires.Value("links.ending", 1))
    return tripwires.FiguresNoted(coming.cycle + (0 if world.chance(0.9) else world.rng.choice([-1, 1])), values)


def review_reported(world: World) -> tripwires.ReviewReported:
    review = world.pick(open_reviews(world.view) or _tripped(world))
    if world.chance(0.5):
        world.now_ms = max(world.now_ms, review.report_by_ms)
    free = may_report(world.view, review, facilitators(world.view, review), world.now_ms)
    if free and world.chance(0.8):
        world.act_as(world.pick(free))
    return tripwires.ReviewReported(review.wire, review.cycle, world.words(8), world.words(5))


def _tripped(world: World) -> tuple[Review, ...]:
    """Reviews that open because the first wire goes too far at the next new moon."""
    wire = world.pick(standing_wires(world.view))
    while (coming := next_noting(world.view, world.now_ms)) is None:
        world.now_ms = moon.new_moon_ms(world.cycle + 1)
    too_far = wire.number + (1 if wire.compare == "above" else -1)
    body = tripwires.FiguresNoted(coming.cycle, [tripwires.Value(name, too_far) for name in coming.names])
    clock = world.pick([key for holder in world.holders("clock") for key in world.keys_of(holder)])
    world.write("figures.noted/1", body, clock)
    return open_reviews(world.view)


def review_accepted(world: World) -> tripwires.ReviewAccepted:
    reports = [report for review in open_reviews(world.view) for report in reports_on(world.view, review.id)]
    if not reports:
        review = world.pick(open_reviews(world.view) or _tripped(world))
        world.now_ms = max(world.now_ms, review.report_by_ms)
        by = world.pick(may_report(world.view, review, (), world.now_ms))
        said = tripwires.ReviewReported(review.wire, review.cycle, world.words(), world.words())
        world.write("review.reported/1", said, world.pick(world.keys_of(by)))
        reports = list(reports_on(world.view, review.id))
    body = tripwires.ReviewAccepted(world.pick(reports).id)
    return _decided(world, "review.accepted/1", body)


def _decided(world: World, kind: str, body: T) -> T:
    """Mostly with the leave of a decision."""
    if world.chance(0.9):
        world.decide(kind, body)
    return body


EXAMPLES: dict[str, Builder] = {
    "tripwire.set/1": wire_set,
    "tripwire.removed/1": wire_removed,
    "figures.noted/1": figures_noted,
    "review.reported/1": review_reported,
    "review.accepted/1": review_accepted,
}
