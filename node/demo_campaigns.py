"""The demo's campaigns: two that left something behind, one that lapsed, and the call that is made live. All made up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from node.demo_world import DAY_MS, Event, World

ISLES = ("harbour", "lantern", "field")
LIVE_NAME = "Common kitchen"


def campaigns() -> Iterator[Event]:
    """Every call, answer and residue of the year."""
    yield from _warm_rooms()
    yield from _open_harvest()
    yield from _night_market()


def window(world: World, days: tuple[float, float, float, float, float], builds: str, roles: tuple[str, ...], care: str) -> Any:
    """Terms from the days of a window."""
    names = ("opens_ms", "crests_ms", "disperses_ms", "consolidates_ms", "rests_ms")
    times = {name: world.ms(day) for name, day in zip(names, days, strict=True)}
    return {**times, "builds": builds, "roles": list(roles), "care": care}


def _called(
    day: float, isle: str, who: str, name: str, why: str, quorum: int, until: float, terms: Any, clears: str = ""
) -> Event:
    others = [each for each in ISLES if each != isle]
    return Event(
        day,
        isle,
        who,
        "campaign.called/1",
        lambda world: {
            "name": name,
            "why": why,
            "clears": clears,
            "invited": [world.space(each) for each in others],
            "quorum": quorum,
            "answers_until_ms": world.ms(until),
            "terms": terms(world),
        },
        name,
    )


def _answer(day: float, isle: str, who: str, kind: str, name: str, caller: str, terms: Any = None, why: str = "") -> Event:
    def body(world: World) -> Mapping[str, Any]:
        said: dict[str, Any] = {"campaign": world.digest(name), "caller": world.space(caller)}
        if terms:
            said["terms"] = terms(world)
        if why:
            said["why"] = why
        return said

    return Event(day, isle, who, kind, body)


def _residue(
    day: float, isle: str, who: str, campaign: str, caller: str, kind: str, domain: str, name: str, place: str, keeper: str
) -> Event:
    return Event(
        day,
        isle,
        who,
        "campaign.residue-left/1",
        lambda world: {
            "campaign": world.digest(campaign),
            "caller": world.space(caller),
            "kind": kind,
            "domain": domain,
            "name": name,
            "place": place,
            "keeper": keeper,
        },
        name,
    )


def _looked(day: float, isle: str, who: str, residue: str, found: str, note: str) -> Event:
    return Event(
        day,
        isle,
        who,
        "campaign.residue-checked/1",
        lambda world: {"residue": world.digest(residue), "found": found, "note": note},
    )


def _warm_rooms() -> Iterator[Event]:
    """A call, two joins, three things that stayed."""
    name = "Warm rooms"

    def terms(world: World) -> Any:
        return window(
            world,
            (104.5, 108.5, 115.5, 123.5, 133.5),
            "A pool of heaters and blankets that any house of ours can borrow from",
            ("cooks", "drivers", "somebody who can read a boiler"),
            "A warm room with beds for whoever was out; food at six.",
        )

    yield _called(
        97.6,
        "harbour",
        "Noor",
        name,
        "Three cold nights in a row close a dozen rooms here each winter. If heat can be carried to where people are,"
        " nobody has to move out. We are wrong if the heaters stand unused for two weeks.",
        2,
        101.5,
        terms,
        "The landlord's waiting list for repairs",
    )
    yield _answer(98.7, "lantern", "Kwame", "campaign.joined/1", name, "harbour", terms)
    yield _answer(99.4, "field", "Amina", "campaign.joined/1", name, "harbour", terms)
    yield from _kept_warm(name)


def _kept_warm(name: str) -> Iterator[Event]:
    """What stayed after it, and who looked."""
    yield _residue(
        121.6,
        "harbour",
        "Tomas",
        name,
        "harbour",
        "heater-pool",
        "energy",
        "Heaters and blankets to borrow",
        "Cellar of Harbour House",
        "Tomas",
    )
    yield _residue(
        122.4,
        "lantern",
        "Yara",
        name,
        "harbour",
        "warm-evening",
        "care",
        "A warm room on Thursdays",
        "Back room of The Lantern",
        "Yara",
    )
    yield _looked(
        217.5, "harbour", "Tomas", "Heaters and blankets to borrow", "lives", "Eleven of twelve are back, dry and labelled."
    )
    yield _looked(
        219.5,
        "lantern",
        "Hana",
        "A warm room on Thursdays",
        "ended",
        "It was spring, and nobody came any more. We open it again in autumn.",
    )
    yield _looked(322.5, "harbour", "Sol", "Heaters and blankets to borrow", "lives", "Lent four times since autumn.")


def _open_harvest() -> Iterator[Event]:
    """A call that another countered: the counter's terms came into force, with all three."""
    name = "Open harvest"
    care = "Shade, water and a cook on every field; children in the orchard with two of us."

    def early(world: World) -> Any:
        return window(
            world,
            (233.5, 237.5, 243.5, 252.5, 265.5),
            "A cold store for the whole neighbourhood's harvest",
            ("pickers", "drivers"),
            care,
        )

    def later(world: World) -> Any:
        return window(
            world,
            (236.5, 240.5, 246.5, 255.5, 268.5),
            "A cold store for the neighbourhood's harvest, and jars for all of it",
            ("pickers", "drivers", "cooks"),
            care,
        )

    yield _called(
        226.5,
        "field",
        "Marta",
        name,
        "Half of what grows is not picked because thirty hands come too late. If they come together for a week and what they"
        " pick can be kept, the winter costs less for everybody. We are wrong if it rots in the store.",
        2,
        231.5,
        early,
    )
    yield _answer(
        227.6, "lantern", "Ines", "campaign.countered/1", name, "field", later, "The hall is taken until the weekend."
    )
    yield _answer(228.7, "harbour", "Ifeoma", "campaign.joined/1", name, "field", later)
    yield _answer(229.4, "field", "Pavel", "campaign.joined/1", name, "field", later)
    yield from _kept_cold(name)


def _kept_cold(name: str) -> Iterator[Event]:
    """What stayed after it, and who looked."""
    yield _residue(
        251.5,
        "field",
        "Luka",
        name,
        "field",
        "cold-store",
        "food",
        "Cold store in the old dairy",
        "Long Field, by the gate",
        "Luka",
    )
    yield _residue(
        253.5,
        "lantern",
        "Dario",
        name,
        "field",
        "jar-library",
        "food",
        "Four hundred jars that go round",
        "Kitchen of The Lantern",
        "Dario",
    )
    yield _looked(
        349.5, "field", "Birk", "Cold store in the old dairy", "lives", "Full to the door; the seal needs a new strip."
    )


def _night_market() -> Iterator[Event]:
    """A call that found no quorum: it lapsed, and that is data too."""
    name = "Night market"

    def terms(world: World) -> Any:
        return window(
            world,
            (303.5, 304.5, 305.5, 309.5, 314.5),
            "A stall for repairs that stays in the square",
            ("stall keepers",),
            "Ear plugs and tea.",
        )

    yield _called(
        293.5,
        "lantern",
        "Rui",
        name,
        "If the square is ours for three nights, a repair stall can stay there for good.",
        3,
        299.5,
        terms,
    )
    yield _answer(296.5, "harbour", "Jakob", "campaign.declined/1", name, "lantern", None, "Too soon after the harvest for us.")


def live_call(world_ms: int, others: list[str]) -> Mapping[str, Any]:
    """The call that is made before the viewer's eyes, from now."""

    def at(days: float) -> int:
        return (world_ms + int(days * DAY_MS)) // 60_000 * 60_000

    terms = {
        "opens_ms": at(5),
        "crests_ms": at(9),
        "disperses_ms": at(14),
        "consolidates_ms": at(22),
        "rests_ms": at(32),
        "builds": "A kitchen on wheels that feeds two hundred, kept by all three of us",
        "roles": ["cooks", "drivers", "a welder"],
        "care": "Nobody cooks two days in a row; children eat first.",
    }
    return {
        "name": LIVE_NAME,
        "why": "Whoever cooks for a crowd borrows pots from four houses. If the pots are ours and on wheels, any of us can feed"
        " the others within an hour. We are wrong if it has not rolled three times by spring.",
        "clears": "Borrowing pots",
        "invited": others,
        "quorum": 3,
        "answers_until_ms": at(2),
        "terms": terms,
    }
