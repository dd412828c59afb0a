"""Examples of assemblies: calls, items added by hand, who was there, minutes, closings."""

from __future__ import annotations

from protocol.assembling import ASSEMBLIES, ITEMS, Assembly, is_open, takes_words
from protocol.practice import FOREVER_MS
from protocol.practices import assemblies
from tests.laws.world import DAY_MS, HOUR_MS, MINUTE_MS, Builder, World


def called(world: World) -> assemblies.AssemblyCalled:
    opens = world.now_ms // MINUTE_MS * MINUTE_MS + world.rng.choice([0, 0, HOUR_MS, DAY_MS, 9 * DAY_MS, -2 * HOUR_MS])
    ends = opens + world.rng.choice([2 * HOUR_MS, 2 * HOUR_MS, DAY_MS, 5 * DAY_MS, 0])
    world.audience = world.rng.choice([0, 0, 1, 2])
    return assemblies.AssemblyCalled(opens_ms=opens, ends_ms=ends, place=world.words(2), purpose=world.words(2))


def an_assembly(world: World) -> Assembly:
    """Mostly one that something can be written down about now; if there is none, members meet."""
    rows = world.rows(ASSEMBLIES)
    fitting = [row for row in rows if takes_words(world.view, row, world.now_ms // MINUTE_MS * MINUTE_MS)]
    if rows and world.chance(0.1):
        return world.pick(rows)
    if fitting:
        return world.pick(fitting)
    opens = world.now_ms // MINUTE_MS * MINUTE_MS
    body = assemblies.AssemblyCalled(opens_ms=opens, ends_ms=opens + 2 * HOUR_MS, place=world.words(2), purpose=world.words(2))
    digest = world.first("assembly.called/1", body, world.able("assembly.called/1"), world.rng.choice([0, 0, 2]))
    return world.view.need(ASSEMBLIES, digest, what="assembly")


def added(world: World) -> assemblies.AgendaAdded:
    ahead = [row for row in world.rows(ASSEMBLIES) if world.chance(0.1) or world.now_ms < min(row.ends_ms, row.closed_ms)]
    named = world.pick(ahead).id if ahead and world.chance(0.5) else None
    about = world.rng.choice([None, world.rng.randbytes(32)])
    return assemblies.AgendaAdded(title=world.words(2), why=world.words(5), assembly=named, subject=about)


def noted(world: World) -> assemblies.AttendanceNoted:
    here = world.members()
    came = world.rng.sample(here, world.rng.randrange(1, len(here) + 1)) if here else []
    if world.chance(0.1):
        came.append(world.rng.choice([world.rng.randbytes(32), *came]))
    return assemblies.AttendanceNoted(an_assembly(world).id, came)


def taken(world: World) -> assemblies.MinutesTaken:
    items = [row for row in world.rows(ITEMS) if world.chance(0.1) or is_open(row, world.now_ms)]
    about = world.pick(items).id if items and world.chance(0.6) else world.rng.choice([None, world.rng.randbytes(32)])
    settled = world.chance(0.5) if about else world.chance(0.05)
    return assemblies.MinutesTaken(assembly=an_assembly(world).id, subject=about, settled=settled, words=world.words(6))


def closed(world: World) -> assemblies.AssemblyClosed:
    ahead = [row for row in world.rows(ASSEMBLIES) if row.closed_ms == FOREVER_MS and world.now_ms < row.opens_ms]
    row = world.pick(ahead) if ahead and world.chance(0.2) else an_assembly(world)  # called off, or over
    world.audience = row.scope if world.chance(0.9) else 0
    return assemblies.AssemblyClosed(assembly=row.id, closing=world.words(3))


EXAMPLES: dict[str, Builder] = {
    "assembly.called/1": called,
    "agenda.added/1": added,
    "attendance.noted/1": noted,
    "minutes.taken/1": taken,
    "assembly.closed/1": closed,
}
