"""Examples of groups: named, ended, and counted to by members themselves."""

from __future__ import annotations

from protocol.practice import FOREVER_MS, PUBLIC
from protocol.practices import voice
from protocol.voicing import GROUPS
from tests.laws.world import Builder, World

NAMES = ("night-shift", "parents", "newcomers", "elders", "north", "cooks")


def group_named(world: World) -> voice.GroupNamed:
    world.audience = PUBLIC if world.chance(0.9) else None
    return voice.GroupNamed(world.pick(NAMES), world.words())


def group_ended(world: World) -> voice.GroupEnded:
    rows = world.rows(GROUPS)
    standing = [row for row in rows if row.ended_ms == FOREVER_MS]
    return voice.GroupEnded(world.pick(standing if standing and world.chance(0.9) else rows).name)


def groups_said(world: World) -> voice.GroupsSaid:
    return voice.GroupsSaid(", ".join(world.rng.sample(NAMES, world.rng.randrange(3))))


EXAMPLES: dict[str, Builder] = {
    "group.named/1": group_named,
    "group.ended/1": group_ended,
    "group.said/1": groups_said,
}
