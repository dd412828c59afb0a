"""Examples of links: offered, accepted, renewed and ended."""

from __future__ import annotations

import msgspec

from protocol.practice import PUBLIC
from protocol.practices import links
from tests.laws.world import Builder, World


def terms(world: World) -> links.Terms:
    """Some terms for the next few cycles."""
    duties = world.rng.sample(["guardian", "mirror", "witness"], world.rng.randrange(4))
    until = world.cycle + world.rng.choice([1, 2, 2, 3, 13, 0, 80])
    return links.Terms(world.words(3), world.rng.choice(["allies", "public"]), until, duties)  # type: ignore[arg-type]  # of three words


def offered(world: World) -> links.Offered:
    return links.Offered(world.pick(world.others if world.chance(0.95) else [world.isle.id]), terms(world))


def accepted(world: World) -> links.Accepted:
    if not links.offers_to_us(world.view, world.now_ms):
        here = world.isle.id
        with world.at(world.pick([isle for isle in world.isles if isle.id != here])):
            world.first("link.offered/1", links.Offered(here, terms(world)), world.able("link.offered/1"), PUBLIC)
    space, row = world.pick(links.offers_to_us(world.view, world.now_ms))
    return links.Accepted(space, row.id, links.terms_of(row) if world.chance(0.9) else terms(world))


def live(world: World) -> links.Link:
    """What this space stands by now; it offers a link first if there is nothing."""
    if not any(links.is_live(row, world.now_ms) for row in world.rows(links.LINKS)):
        world.first(
            "link.offered/1", links.Offered(world.pick(world.others), terms(world)), world.able("link.offered/1"), PUBLIC
        )
    return world.pick([row for row in world.rows(links.LINKS) if links.is_live(row, world.now_ms)])


def renewed(world: World) -> links.Renewed:
    row = live(world)
    later = msgspec.structs.replace(links.terms_of(row), until_cycle=row.until_cycle + world.rng.choice([1, 1, 2, 0]))
    return links.Renewed(row.other, later)


def ended(world: World) -> links.Ended:
    row = live(world) if world.chance(0.8) else world.pick(world.rows(links.LINKS))
    return links.Ended(row.other, world.words(4))


EXAMPLES: dict[str, Builder] = {
    "link.offered/1": offered,
    "link.accepted/1": accepted,
    "link.renewed/1": renewed,
    "link.ended/1": ended,
}
