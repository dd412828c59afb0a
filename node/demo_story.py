"""The demo's three collectives and what they did in a year, but for their books. Every name and event in it is made up.

Harbour House is a housing co-op, The Lantern a social centre, Long Field a community farm. They found themselves, let
people in, publish and adopt protocols, take some over from each other and change them, link, surge twice together and
keep what was built, and once fail to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from node.demo_campaigns import campaigns
from node.demo_world import Event, World
from protocol.starter import STARTER


def story() -> Iterator[Event]:
    """Every event but arrivals and bookings."""
    yield from _protocols()
    yield from _links()
    yield from campaigns()
    yield Event(
        318.5,
        "harbour",
        "Lena",
        "member.left/1",
        {"words": "I am moving to the hills for a year. Thank you for the kitchen, and for the arguments in it."},
    )


# Protocols


def _protocols() -> Iterator[Event]:
    first = {
        "harbour": ("Ada", ("Consent decisions", "Open ledger", "Entry by vouching", "Fuses and trip wires")),
        "lantern": ("Ines", ("Flash campaign", "Conflict assembly", "Decompression")),
        "field": ("Marta", ("Lunar roles", "Reverse sabbatical")),
    }
    for isle, (who, names) in first.items():
        for number, name in enumerate(names):
            yield Event(18 + number / 10, isle, who, "protocol.published/1", starter(name), name)
    yield _adopted(
        22.1, "harbour", "Noor", "Consent decisions", "harbour", 13, "We tried it for three weeks and want to go on."
    )
    yield _adopted(22.2, "harbour", "Noor", "Open ledger", "harbour", 13, "So that nobody has to ask the treasurer.")
    yield _adopted(22.3, "harbour", "Noor", "Entry by vouching", "harbour", 13, "People came in through friends anyway.")
    yield _adopted(23.1, "lantern", "Kwame", "Flash campaign", "lantern", 13, "A surge with an end, and rest after it.")
    yield _adopted(23.2, "lantern", "Kwame", "Conflict assembly", "lantern", 6, "After the winter we had.")
    yield _adopted(24.1, "field", "Pavel", "Lunar roles", "field", 12, "Nobody should water the seedlings for ever.")
    yield _adopted(61.5, "lantern", "Olek", "Open ledger", "harbour", 13, "Harbour House has had good months with it.")
    yield _adopted(62.5, "field", "Amina", "Consent decisions", "harbour", 13, "Majorities left a third of us in the barn.")
    yield Event(140.5, "lantern", "Hana", "protocol.published/1", _three_vouches, "Entry by three")
    yield _adopted(143.5, "lantern", "Yara", "Entry by three", "lantern", 8, "Two were not enough to know somebody.")
    yield _adopted(168.5, "field", "Amina", "Entry by three", "lantern", 8, "We like how The Lantern changed it.")
    yield _adopted(98.5, "harbour", "Tomas", "Flash campaign", "lantern", 10, "Before we join one, its rules bind us too.")
    yield from _second_thoughts()


def _second_thoughts() -> Iterator[Event]:
    """What was suspended, retired and reported on."""
    yield Event(
        212.5,
        "field",
        "Luka",
        "protocol.suspended/1",
        lambda world: {
            "adoption": world.digest("field adopts Lunar roles"),
            "until_cycle": world.cycle(212.5) + 2,
            "reasons": "Harvest: for two moons whoever is on the field decides on the field.",
        },
    )
    yield Event(
        120.5,
        "lantern",
        "Kwame",
        "protocol.retired/1",
        lambda world: {
            "adoption": world.digest("lantern adopts Conflict assembly"),
            "reasons": "Drawing before talking made it harder for two of us. We look for another way.",
        },
    )
    yield _reported(
        118.5,
        "lantern",
        "Yara",
        "Conflict assembly",
        "partly",
        "We drew for an hour and talked for ten minutes. Two people felt looked at.",
        "Talk first, in pairs.",
    )
    yield _reported(
        180.5,
        "field",
        "Amina",
        "Consent decisions",
        "worked",
        "Eleven decisions in four months, one block, and that one was right.",
        "Say aloud when a round begins.",
    )
    yield _reported(
        276.5,
        "harbour",
        "Mina",
        "Flash campaign",
        "worked",
        "It ended on the day it said. The heaters are still here.",
        "Ask for cooks before asking for posters.",
    )


def starter(name: str) -> Mapping[str, Any]:
    """A protocol of the starter set, as it is published."""
    found = next(each for each in STARTER if each.name == name)
    return {
        "name": found.name,
        "purpose": found.purpose,
        "text": found.text,
        "settings": [{"name": parameter, "value": value} for parameter, value in found.settings],
        "fuse_cycles": found.fuse_cycles,
    }


def _three_vouches(world: World) -> Mapping[str, Any]:
    """A fork: the same with three members instead of two, said in its words too."""
    parent = starter("Entry by vouching")
    text = parent["text"]
    for before, after in (
        ("A second member vouches", "A second and a third member vouch"),
        ("Two words are enough; the assembly may ask for three", "Three words are enough; the assembly may ask for four"),
    ):
        assert before in text, "the starter's words have changed"
        text = text.replace(before, after)
    return {
        **parent,
        "name": "Entry by three",
        "purpose": "People come in by the word of three members, one of whom cooks with them first.",
        "text": text
        + "\n## What we changed\n\nThree instead of two, and before the third says a word they have cooked together.\n",
        "settings": [
            {"name": each["name"], "value": 3 if each["name"] == "members.vouches" else each["value"]}
            for each in parent["settings"]
        ],
        "parent": world.digest("Entry by vouching"),
        "parent_space": world.space("harbour"),
    }


def _adopted(day: float, isle: str, who: str, name: str, origin: str, cycles: int, reasons: str) -> Event:
    def body(world: World) -> Mapping[str, Any]:
        published = _three_vouches(world) if name == "Entry by three" else starter(name)
        return {
            "protocol": world.digest(name),
            "origin": world.space(origin),
            "name": name,
            "text_hash": sha256(published["text"].encode()).hexdigest(),
            "until_cycle": world.cycle(day) + cycles,
            "settings": published["settings"],
            "reasons": reasons,
        }

    return Event(day, isle, who, "protocol.adopted/1", body, f"{isle} adopts {name}")


def _reported(day: float, isle: str, who: str, name: str, outcome: str, happened: str, change: str) -> Event:
    return Event(
        day,
        isle,
        who,
        "protocol.reported/1",
        lambda world: {"protocol": world.digest(name), "outcome": outcome, "happened": happened, "change": change},
    )


# Links


def _links() -> Iterator[Event]:
    tools = "We carry each other's logs, lend tools, and tell each other first when something goes wrong."
    table = "Vegetables for the soup kitchen, hands for the harvest, and each other's logs."
    roof = "Work days on the roof and in the fields, and each other's logs."
    yield from _link(30.5, "harbour", "Ada", "lantern", "Ines", tools, 30.5, 5)
    yield from _link(60.5, "lantern", "Kwame", "field", "Marta", table, 60.5, 13)
    yield from _link(81.5, "field", "Pavel", "harbour", "Noor", roof, 81.5, 12)
    for day, cycles in ((140.5, 6), (281.5, 9)):
        for isle, who, other, later in (("harbour", "Noor", "lantern", 0.0), ("lantern", "Yara", "harbour", 3.2)):
            yield Event(day + later, isle, who, "link.renewed/1", _renewal(other, tools, day, cycles))


def _terms(world: World, purpose: str, day: float, cycles: int) -> Mapping[str, Any]:
    return {"purpose": purpose, "shares": "allies", "duties": ["mirror", "witness"], "until_cycle": world.cycle(day) + cycles}


def _link(
    day: float, one: str, who: str, other: str, friend: str, purpose: str, from_day: float, cycles: int
) -> Iterator[Event]:
    label = f"{one} offers {other}"
    yield Event(
        day,
        one,
        who,
        "link.offered/1",
        lambda world: {"other": world.space(other), "terms": _terms(world, purpose, from_day, cycles)},
        label,
    )
    yield Event(
        day + 2.8,
        other,
        friend,
        "link.accepted/1",
        lambda world: {
            "other": world.space(one),
            "offer": world.digest(label),
            "terms": _terms(world, purpose, from_day, cycles),
        },
    )


def _renewal(other: str, purpose: str, day: float, cycles: int) -> Any:
    return lambda world: {"other": world.space(other), "terms": _terms(world, purpose, day, cycles)}
