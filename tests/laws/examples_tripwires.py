"""Examples of trip wires: set, removed; figures noted by the clock; reviews reported on and closed."""

from __future__ import annotations

from protocol import moon
from protocol.practices import tripwires
from protocol.wire_blocks import facilitators
from protocol.wires import WIRES, may_report, next_noting, open_reviews, reports_on, standing_wires
from tests.laws.world import MINUTE_MS, Builder, Unready, World

NAMES = ("members.count", "links.count", "workload.top-share", "ledger.reserve")


def wire_set(world: World) -> tripwires.WireSet:
    name = world.pick(NAMES) if world.chance(0.97) else "workload.gini"
    compare = world.rng.choice(["above", "below"])
    concerned = world.rng.sample(world.members(), min(len(world.members()), world.rng.choice([0, 0, 0, 1])))
    return tripwires.WireSet(name, compare, world.rng.randrange(-1, 9), world.rng.choice([1, 1, 2]), concerned, world.words())  # type: ignore[arg-type]  # of two words


def wire_removed(world: World) -> tripwires.WireRemoved:
    standing = standing_wires(world.view)
    wire = world.pick(standing if len(standing) > 3 else world.rows(WIRES))
    if len(standing) < 3:
        raise Unready
    return tripwires.WireRemoved(wire.id, world.words())


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
    review = world.pick(open_reviews(world.view))
    free = may_report(world.view, review, facilitators(world.view, review), world.now_ms)
    if free and world.chance(0.8):
        world.act_as(world.pick(free))
    return tripwires.ReviewReported(review.wire, review.cycle, world.words(8), world.words(5))


def review_accepted(world: World) -> tripwires.ReviewAccepted:
    review = world.pick(open_reviews(world.view))
    return tripwires.ReviewAccepted(world.pick(reports_on(world.view, review.id)).id)


EXAMPLES: dict[str, Builder] = {
    "tripwire.set/1": wire_set,
    "tripwire.removed/1": wire_removed,
    "figures.noted/1": figures_noted,
    "review.reported/1": review_reported,
    "review.accepted/1": review_accepted,
}
