"""Examples of the library: protocols published, adopted, suspended, retired and reported on."""

from __future__ import annotations

from protocol.lineage import ADOPTIONS, IN_FORCE, PROTOCOLS, Adoption, Choice, adopted, hash_of, read_choices
from protocol.practice import PUBLIC, Parameter
from protocol.practices import library
from tests.laws.world import Builder, Unready, World

SETTABLE = (
    ("members.vouches", 1, 3),
    ("members.invitation-days", 1, 90),
    ("members.waiting-days", 1, 60),
    ("library.longest-fuse-cycles", 3, 39),
    ("links.longest-cycles", 3, 39),
    ("roles.term-cycles", 1, 3),
)


def choices(world: World) -> list[Choice]:
    """Some parameters with values, now and then out of bounds."""
    some = world.rng.sample(SETTABLE, world.rng.randrange(3))
    return [Choice(name, world.rng.choice([low, high, high + 1000])) for name, low, high in some]


def published(world: World) -> library.Published:
    parent = world.rng.choice([None, *world.everywhere(PROTOCOLS)])
    text = f"{world.words(12)}\n\n{world.words(4)}"
    return library.Published(
        world.words(2), world.words(4), text if parent is None else f"{parent.text}\n{world.words()}", choices(world),
        world.rng.randrange(1, 14), parent.id if parent else None, world.view.space_id(parent.space) if parent else None,
    )  # fmt: skip


def adopted_(world: World) -> library.Adopted:
    row = world.pick(world.everywhere(PROTOCOLS))
    here = adopted(world.view, world.now_ms)
    if here and world.chance(0.3):  # a renewal
        last = world.pick(here)
        row = next((each for each in world.everywhere(PROTOCOLS) if each.id == last.protocol), row)
    text_hash = row.text_hash if world.chance(0.9) else hash_of("another text")
    settings = list(read_choices(row.settings)) if world.chance(0.7) else choices(world)
    until = world.cycle + world.rng.choice([1, 2, 3, 3, 13, 0, 50])
    return library.Adopted(row.id, world.view.space_id(row.space), row.name, text_hash, until, settings, world.words(4))


def adopt(world: World, chosen: list[Choice]) -> None:
    """A protocol of the space's own is adopted for some cycles; one is published first if there is none."""
    if "protocol.adopted/1" not in world.kinds:
        raise Unready
    if not world.rows(PROTOCOLS):
        world.first("protocol.published/1", published(world), world.able("protocol.published/1"), PUBLIC)
    row = world.pick(world.rows(PROTOCOLS))
    body = library.Adopted(row.id, world.isle.id, row.name, row.text_hash, world.cycle + 3, chosen, world.words(4))
    world.first("protocol.adopted/1", body, world.able("protocol.adopted/1"), PUBLIC)


def let(world: World, parameter: Parameter, least: int) -> None:
    """See that a parameter is at least this, by a protocol that is adopted first."""
    if world.view.parameter(parameter, world.now_ms) < least:
        adopt(world, [Choice(parameter.name, least)])


def in_force(world: World) -> list[Adoption]:
    """Adoptions in force that end later than in the next cycle; a protocol is adopted first if there is none."""
    for _ in range(2):
        found = [row for row in adopted(world.view, world.now_ms) if row.state_at(world.now_ms) == IN_FORCE]
        later = [row for row in found if row.until_cycle > world.cycle + 2]
        if not later:
            adopt(world, [])
    return later


def suspended(world: World) -> library.Suspended:
    row = world.pick(in_force(world) if world.chance(0.8) else world.rows(ADOPTIONS))
    return library.Suspended(row.id, world.cycle + world.rng.choice([1, 1, 2, 9]), world.words(4))


def retired(world: World) -> library.Retired:
    row = world.pick(adopted(world.view, world.now_ms) if world.chance(0.8) else world.rows(ADOPTIONS))
    return library.Retired(row.id, world.words(4))


def reported(world: World) -> library.Reported:
    row = world.pick(world.rows(ADOPTIONS) if world.chance(0.9) else world.everywhere(ADOPTIONS))
    outcome = world.rng.choice(["worked", "partly", "failed"])
    return library.Reported(row.protocol, outcome, world.words(5), world.words(2))  # type: ignore[arg-type]  # one of three


EXAMPLES: dict[str, Builder] = {
    "protocol.published/1": published,
    "protocol.adopted/1": adopted_,
    "protocol.suspended/1": suspended,
    "protocol.retired/1": retired,
    "protocol.reported/1": reported,
}
