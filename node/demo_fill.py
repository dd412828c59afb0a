"""The demo's data folders: three collectives founded, and their year told, before their nodes are started.

Everything goes the way that it goes for anybody: `Home.found`, then `actions.submit` with each member's own key, at
moments of a clock that is moved from a year ago to now. Only the disk is not waited for after each record: a demo that a
power cut ends is made anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from node.clock import Clock, MovedClock
from node.demo_assemblies import assemblies
from node.demo_books import books
from node.demo_decisions import decisions
from node.demo_hall import hall
from node.demo_house import house
from node.demo_people import ARRIVALS, COLLECTIVES
from node.demo_roles import roles
from node.demo_story import story
from node.demo_work import work
from node.demo_world import DAY_MS, LAST, MINUTE_MS, MORNING, Calendar, Event, World
from node.home import Home

PASSWORD = "one lantern three boats"  # noqa: S105  # of invented people, on this machine, printed for whoever looks


def fill(folder: Path, clock: Clock) -> dict[str, Path]:
    """Found and fill the three collectives; where each has its data."""
    now_ms = clock.now_ms()
    start_ms = now_ms // DAY_MS * DAY_MS - LAST * DAY_MS + int(MORNING * 60) * MINUTE_MS
    moved = MovedClock(start_ms, running=False)
    homes = {each.key: Home.found(folder / each.key, each.name, each.founders[0], moved) for each in COLLECTIVES}
    try:
        for home in homes.values():
            shutil.rmtree(home.kit_folder)  # nobody is to print the sheets of an invented collective
            home.store.database.writer.execute("PRAGMA synchronous=OFF")
        world = World(homes, moved, Calendar(start_ms, now_ms))
        _live_through(world)
        give_logins(world)
        world.close()
        return {key: home.folder for key, home in homes.items()}
    finally:
        for home in homes.values():
            home.close()


def year(calendar: Calendar) -> Iterator[Event]:
    """Every event of the year but founding and arrivals, in no order; some may lie after now."""
    yield from story()
    yield from books()
    yield from roles(calendar)
    yield from decisions(calendar)
    yield from work(calendar)
    yield from house(calendar)
    yield from hall(calendar)
    yield from assemblies(calendar)


def _live_through(world: World) -> None:
    for each in COLLECTIVES:
        world.keys[each.key, each.founders[0]] = world.homes[each.key].key_files.key()
    for number, each in enumerate(COLLECTIVES):
        for later, who in enumerate(each.founders[1:]):
            world.arrive(2 + later + number / 10, each.key, who, each.founders[0])
    for each in COLLECTIVES:
        who = each.founders[0]
        contact = {"name": who, "contact": f"{who.lower()}@{each.key}.example", "languages": "English"}
        world.tell([Event(6.2, each.key, who, "member.named/1", contact)])
    now = world.calendar.now
    waiting = sorted((event for event in year(world.calendar) if event.day <= now), key=lambda event: event.day)
    for arrival in sorted(ARRIVALS, key=lambda each: each.day):
        world.tell(event for event in waiting if event.day < arrival.day)
        waiting = [event for event in waiting if event.day >= arrival.day]
        world.arrive(arrival.day, arrival.isle, arrival.who, arrival.inviter, arrival.vouchers)
    world.tell(waiting)
    world.wait(world.calendar.now_ms // MINUTE_MS * MINUTE_MS)


def give_logins(world: World) -> None:
    """An account for the first two of each collective, and the second one's key for the command line."""
    for each in COLLECTIVES:
        home = world.homes[each.key]
        for who in each.founders[:2]:
            key = world.keys[each.key, who]
            home.accounts.create(who, PASSWORD, key.public, key, home.clock.random(40), home.clock.now_ms())
        home.key_files.add(each.founders[1], world.keys[each.key, each.founders[1]])


def logins() -> Mapping[str, tuple[str, ...]]:
    """Who can log in where."""
    return {each.key: each.founders[:2] for each in COLLECTIVES}
