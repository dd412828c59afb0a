"""The three collectives' assemblies in the demo's year, on Tuesday evenings, and the next one. All made up.

At Long Field whoever coordinates calls them, so that there was none in the moon in which nobody did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from node.demo_acts import naming
from node.demo_people import here
from node.demo_roles import FIRST, ROLE, VACANT
from node.demo_world import Calendar, Event, Who, World, between

PLACES = {"harbour": "The big kitchen", "lantern": "The hall, chairs in a ring", "field": "The barn, by the stove"}
HOUR = {"harbour": 18.0, "lantern": 18.5, "field": 17.0}  # of UTC
HOURS, CLOSE = 2, 0.125  # how long one lasts; when it is closed, in days of the story
OPENERS = {"harbour": ("Ada", "Noor", "Ifeoma"), "lantern": ("Ines", "Kwame", "Olek"), "field": ("Marta", "Pavel", "Amina")}
ITEMS = {
    "harbour": (
        ("Who has the key of the cellar", "Three of us think that they have it."),
        ("The drain in the yard", "Hands for a Saturday, and a long brush."),
        ("Visit of the tenants' fund", "They come in autumn and would like to see the stairwell."),
        ("Noise from the workshop below", "Somebody who goes and talks to them before we write."),
    ),
    "lantern": (
        ("Glasses", "We are down to thirty. Where do they go?"),
        ("The stage light", "An opinion: mend it, or do without?"),
        ("Somebody slept in the hall", "What we do when it is cold and somebody asks."),
        ("Posters on the door", "Whose are they, and who takes them down?"),
    ),
    "field": (
        ("The hedge by the road", "Hands before the birds come."),
        ("Share prices for next year", "A number that we can say aloud."),
        ("The neighbour's drift", "Who goes and asks what they spray, and when?"),
        ("A place for children", "Shade, water, and somebody each work day."),
    ),
}
SAID = {
    "harbour": (
        "We went round the house first and then talked. The books were read aloud; nobody had a question, and there was cake.",
        "Long about the stairs, short about the rest. Two of us had not spoken by nine, so we began the last round with them.",
        "What came back onto the agenda was looked at first. One thing ends, one goes on, one waits for somebody to measure.",
    ),
    "lantern": (
        "The till, the rota, the back door. We stopped in time, and those with children were home by eight.",
        "Half the evening was about one sentence on a poster. It was worth it; the poster is down.",
        "We read the hours aloud and said nothing for a minute. Then we talked about who cooks.",
    ),
    "field": (
        "Outside, because it was warm. The list for the water is done; whoever forgets, feeds the geese.",
        "Rain, so all were there. We heard the shadow's notes and changed the order of the round.",
        "Shares, the gate, the seeds. Nobody wanted the minutes, so we drew a straw.",
    ),
}
CLOSED = ("Thank you for coming. Soup is left.", "", "We ended ten minutes early and nobody minded.")


def assemblies(calendar: Calendar) -> Iterator[Event]:
    """Every assembly of the year, and the one that is called for next Tuesday."""
    for isle in OPENERS:
        for cycle in range(12, -1, -1):
            opens = calendar.tuesday(calendar.moon(cycle) + 8.6, HOUR[isle])
            if _is_held(isle, cycle) and opens > 12 and opens + 8 < calendar.now:
                yield from _assembly(calendar, isle, cycle, opens)
        yield from _next(calendar, isle)


def _is_held(isle: str, cycle: int) -> bool:
    """The Lantern meets every other moon; Long Field did not while nobody coordinated."""
    return not (isle == "lantern" and cycle % 2) and not (isle == "field" and cycle == VACANT)


def _caller(isle: str, cycle: int) -> Who:
    if isle == "field" and cycle <= FIRST:
        return lambda world: world.holder("field", ROLE)
    return OPENERS[isle][cycle % 3]


def _called(day: float, isle: str, who: Who, label: str, opens: float, purpose: str) -> Event:
    def body(world: World) -> Mapping[str, Any]:
        times = {"opens_ms": world.ms(opens), "ends_ms": world.ms(opens) + HOURS * 3_600_000}
        return {**times, "place": PLACES[isle], "purpose": purpose}

    return Event(day, isle, who, "assembly.called/1", body, label)


def _purpose(calendar: Calendar, opens: float) -> str:
    return f"Assembly of {calendar.spoken(opens).partition(' ')[2]}"


def _assembly(calendar: Calendar, isle: str, cycle: int, opens: float) -> Iterator[Event]:
    """Called, filled, held, written down, closed."""
    label, people = f"{isle} assembly {cycle}", here(isle, opens)
    yield _called(max(calendar.moon(cycle) + 3.6, 9.3), isle, _caller(isle, cycle), label, opens, _purpose(calendar, opens))
    came = [who for who in people if between(0, 99, label, who) < 74] or people[:3]
    if len(came) < 3:
        came = people[:3]
    scribe, number = came[cycle % len(came)], 12 - cycle
    title, why = ITEMS[isle][number % 4]
    yield Event(
        opens - 2.3, isle, came[0], "agenda.added/1",
        naming({"assembly": label}, title=title, why=why), f"{label}: item",
    )  # fmt: skip
    yield Event(
        opens + 0.01, isle, scribe, "attendance.noted/1",
        lambda world: {"assembly": world.digest(label), "members": [world.key(isle, who) for who in came]},
    )  # fmt: skip
    other = next(who for who in came if who != scribe)
    settled = f"{scribe} and {other} see to it, and say next time how it went."
    yield Event(
        opens + 0.05, isle, scribe, "minutes.taken/1",
        naming({"assembly": label, "subject": f"{label}: item"}, settled=True, words=settled),
    )  # fmt: skip
    said, closing = SAID[isle][number % 3], CLOSED[number % 3]
    yield Event(opens + 0.08, isle, scribe, "minutes.taken/1", naming({"assembly": label}, words=said))
    yield Event(
        opens + CLOSE, isle, scribe, "assembly.closed/1",
        naming({"assembly": label}, **({"closing": closing} if closing else {})),
    )  # fmt: skip


def _next(calendar: Calendar, isle: str) -> Iterator[Event]:
    """The one for next Tuesday, with something on its agenda by hand."""
    now, label = calendar.now, f"{isle} assembly ahead"
    opens = calendar.tuesday(now + 0.4, HOUR[isle])
    yield _called(now - 3.3, isle, _caller(isle, 0), label, opens, _purpose(calendar, opens))
    people = here(isle, now)
    for number, later in enumerate((2.4, 1.2)):
        title, why = ITEMS[isle][(number + 1) % 4]
        yield Event(
            now - later, isle, people[number + 3], "agenda.added/1",
            naming({"assembly": label}, title=title, why=why),
        )  # fmt: skip
