"""The five laws as functions from a history to the sentences that say where it broke one.

Each takes a `World` that has lived, with whatever registry it was made of: so the same lines hold the laws for all practices
there are, and are seen to find a practice that breaks them on purpose.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import msgspec
from msgspec.structs import astuple

from node.database import engine
from node.tables import Tables, all_ddl
from protocol import encoding
from protocol.judge import STUMBLED, Fold, Stored, to_body
from protocol.mandate import ANYBODY, EXACT, act_name
from protocol.practice import GRANTS, KEYS, MEMBERS, PUBLIC, Act, Own, Practice, Refused, View
from protocol.record import NAMED, RecordError, parse, sees
from tests.laws.memory import Memory, Rows
from tests.laws.mutants import far_ahead, mutants
from tests.laws.world import DAY_MS, World

OPEN = {"space.founded/1", "space.keys-rotated/1", "member.joined/1"}
"""Kinds that take no grant: the rule of each asks for a secret or a root key instead."""
EITHER = {"decision.closed/1", "lot.opened/1", "lot.drawn/1"}
"""Kinds that a member or the node's clock may write: the rule of each asks for one of the two grants."""


def differences(one: Rows, two: Rows, what: str) -> list[str]:
    """Where two dumps differ, in a few words each."""
    found = []
    for name in sorted(one.keys() | two.keys()):
        left, right = one.get(name, {}), two.get(name, {})
        keys = sorted(left.keys() | right.keys(), key=repr)
        found += [
            f"{what}: {name} {_short(left.get(key))} or {_short(right.get(key))}"
            for key in keys
            if left.get(key) != right.get(key)
        ]
    return found


# 1. A record changes rows of its own space only


def own_space_only(world: World) -> list[str]:
    """Tables are a union of independent folds, one a log: alone, together, in any order."""
    broken = sorted(set(world.store.foreign))
    live = world.store.dump()
    for isle in world.isles:
        alone = world.replayed(only=isle.number).dump()
        ours = {name: {key: row for key, row in rows.items() if key[0] == isle.number} for name, rows in live.items()}
        broken += differences({name: rows for name, rows in ours.items() if rows}, alone, "alone")
    world.isles.reverse()
    try:
        broken += differences(live, world.replayed().dump(), "in another order of logs")
    finally:
        world.isles.reverse()
    return broken


# 2. A rule sees the record and its own space before it, never a clock, never another space


def sees_own_space_only(world: World) -> list[str]:
    """Nothing was asked beyond the space, and at another hour, with other chance, all comes out the same."""
    broken = sorted(set(world.store.trespasses))
    live = world.store.dump()
    for moment in (1.0, 4e9):
        random.seed(moment)
        with (
            mock.patch.object(time, "time", return_value=moment),
            mock.patch.object(time, "time_ns", return_value=int(moment * 10**9)),
            mock.patch.object(time, "monotonic", return_value=moment),
        ):
            broken += differences(live, world.replayed().dump(), "at another hour")
    return broken


def replay_equals_live(world: World) -> list[str]:
    """The log alone gives the tables, in this store and in the one in SQLite."""
    live = world.store.dump()
    return [
        *differences(live, world.replayed().dump(), "replayed"),
        *differences(live, in_sqlite(world), "in SQLite"),
    ]


def in_sqlite(world: World) -> Rows:
    """The same logs through the node's own tables."""
    db = engine().connect(":memory:", isolation_level=None)
    try:
        db.execute("CREATE TABLE space (number INTEGER PRIMARY KEY, id BLOB)")
        db.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, digest BLOB)")
        for statement in all_ddl(world.registry.tables):
            db.execute(statement)
        tables = Tables(db)
        for isle in world.isles:
            db.execute("INSERT INTO space VALUES (?, ?)", (isle.number, isle.id))
        for isle in world.isles:
            fold = Fold(tables, isle.number, world.kinds)
            for stored in isle.log:
                db.execute("INSERT INTO log VALUES (?, ?)", ((isle.number << 40) + stored.position, stored.digest))
                verdict = fold.take(stored)
                tables.write(isle.number, verdict.audience, verdict.changes)
                tables.index(isle.number, stored.position, stored.digest, verdict.audience)
            for scope, change in fold.finish():
                tables.write(isle.number, scope, (change,))
        dump = tables.dump(world.registry.tables)
    finally:
        db.close()
    rows: Rows = {}
    for table in world.registry.tables:
        at = [table.row.__struct_fields__.index(column) for column in ("space", *table.key)]
        if dump[table.name]:
            rows[table.name] = {tuple(row[i] for i in at): row for row in dump[table.name]}
    return rows


# 3. A log has a time of its own; what depends on now is never stored


def time_of_its_own(world: World) -> list[str]:
    """Whoever acted held a grant at the minute of the entry; and what is said of a moment does not depend on when one asks."""
    broken = _without_a_grant_in_force(world)
    store = world.replayed(shuffled=False)
    before = store.dump()
    moments = [
        world.now_ms - 90 * DAY_MS,
        world.now_ms - DAY_MS,
        world.now_ms,
        world.now_ms + 40 * DAY_MS,
        world.now_ms + 2000 * DAY_MS,
    ]
    said: dict[tuple[str, str, int], Any] = {}
    for moment in (*moments, *reversed(moments)):
        for practice in world.registry.practices:
            for name, answer in _answers(practice, store.view(world.isles[0].id), moment):
                first = said.setdefault((practice.name, name, moment), answer)
                if first != answer:
                    broken.append(f"{practice.name}.{name} of one moment says another thing when asked again")
    return broken + differences(before, store.dump(), "asking changed")


def _answers(practice: Practice, view: View, now_ms: int) -> Iterator[tuple[str, Any]]:
    yield "due", tuple(practice.due(view, now_ms))
    yield "figures", dict(practice.figures(view, now_ms))
    yield "state", encoding.encode(practice.state(view, now_ms))
    yield "page", msgspec.json.encode(list(practice.page(view, now_ms)))


def _without_a_grant_in_force(world: World) -> list[str]:
    """Told from the rows just before each record, by other lines than the judge's."""
    broken = []
    for isle in world.isles:
        store = Memory()
        store.meet(isle.id, isle.number)
        store.fold(isle.number, world.kinds)
        for stored in isle.log:
            at_ms = stored.logged_ms
            granted = {
                (row.holder, row.name)
                for row, _ in store.kept[GRANTS.name].values()
                if row.since_ms <= at_ms < row.until_ms and not row.paused
            }
            speaks = {row.key: row.member for row, _ in store.kept[KEYS.name].values() if row.since_ms <= at_ms < row.until_ms}
            who = speaks.get(author := _author(stored), author)
            names = _names_of_authority(store, isle.number, stored, world, who)
            verdict = store.judge(isle.number, stored, world.kinds)
            store.keep(isle.number, stored, verdict)
            if verdict.refused or verdict.kind not in world.kinds:
                continue
            if world.kinds[verdict.kind].needs and not granted & {
                (ANYBODY if name.startswith(EXACT) else who, name) for name in names
            }:
                broken.append(f"{verdict.kind} was written by somebody who held none of: {', '.join(sorted(names))}")
    return broken


def _author(stored: Stored) -> bytes:
    try:
        return parse(stored.raw).author
    except RecordError:
        return b""


def _names_of_authority(store: Memory, space: int, stored: Stored, world: World, member: bytes) -> set[str]:
    """The grants each of which lets a record be written: what its kind needs, its kind by name, or leave for exactly it."""
    try:
        read = parse(stored.raw)
        kind = world.kinds[read.kind]
        own, body = Own(store, space, read.scope), to_body(kind, read.body, {})
        concerned = kind.concerns(own, body)
        act = Act(space, stored.digest, stored.position, stored.logged_ms, read.author, member, read.scope, body)
        needs = kind.takes(own, act) if kind.takes else kind.needs
    except (RecordError, Refused, KeyError):
        return set()
    return {needs, kind.name, act_name(kind.name, read.body, concerned)}


# 4. All authority is rows of one table


def grants_only(world: World) -> list[str]:
    """Without rows in `grants` nobody can do anything, but for kinds that ask for a secret or a root key."""
    broken = [
        f"{name} takes no grant" for name, kind in sorted(world.kinds.items()) if not kind.needs and name not in OPEN | EITHER
    ]
    store = world.replayed(without=[GRANTS.name])
    for isle in world.isles:
        refused = {row.position for row, _ in store.kept["problem"].values() if row.space == isle.number}
        for stored in isle.log:
            name = parse(stored.raw).kind if stored.genuine else ""
            if name in world.kinds and name not in OPEN and stored.position not in refused:
                broken.append(f"{name} has effect without any grant")
    return sorted(set(broken))


# 5. The ladder, and words that decide nothing


def ladder(world: World) -> list[str]:
    """Only the records that an audience sees, replayed, give exactly the rows that it sees."""
    broken = []
    live = world.store
    scopes = {_scope(stored) for isle in world.isles for stored in isle.log}
    for audience in sorted({PUBLIC, 1, MEMBERS} | {scope for scope in scopes if scope >= NAMED}):
        seen = world.replayed(keep=_seen_by(audience)).dump(audience)
        broken += differences(live.dump(audience), seen, f"for audience {audience}")
    return broken


def pages_by_audience(world: World) -> list[str]:
    """What is said to the public is the same from all records as from the public ones alone."""
    broken = []
    whole, public = world.replayed(shuffled=False), world.replayed(shuffled=False, keep=_seen_by(PUBLIC))
    for isle in world.isles:
        for practice in world.registry.practices:
            answers = [list(_answers(practice, store.view(isle.id, PUBLIC), world.now_ms)) for store in (whole, public)]
            for (name, one), (_, two) in zip(*answers, strict=True):
                if one != two:
                    broken.append(f"{practice.name}.{name} tells the public what it should not know")
    return broken


def words_decide_nothing(world: World) -> list[str]:
    """With every annex erased the rows are the same but for the words, and no word is left."""
    columns = {
        table.name: [table.row.__struct_fields__.index(column) for column in table.erasable] for table in world.registry.tables
    }
    live, erased = world.store.dump(), world.replayed(words=False).dump()
    broken = differences(_blank(live, columns), _blank(erased, columns), "without words")
    for name, rows in erased.items():
        broken += [f"{name} still has words" for row in rows.values() if any(row[at] for at in columns[name])]
    return broken


def _blank(rows: Rows, columns: dict[str, list[int]]) -> Rows:
    return {
        name: {key: tuple("" if at in columns[name] else value for at, value in enumerate(row)) for key, row in held.items()}
        for name, held in rows.items()
    }


def _scope(stored: Stored) -> int:
    """Who sees it: of what is no record, or not genuine, or flagged otherwise, the narrower of what entry and record say."""
    hidden = MEMBERS if stored.flag else PUBLIC
    try:
        read = parse(stored.raw)
    except RecordError:
        return hidden
    if not stored.genuine:
        return max(hidden, min(read.scope, MEMBERS))
    return read.scope if (read.audience != PUBLIC) == bool(stored.flag) else MEMBERS


def _seen_by(audience: int) -> Callable[[Stored], bool]:
    return lambda stored: sees(audience, _scope(stored))


# What is refused


def bad_records(world: World, number: int = 60) -> list[str]:
    """A wrong record in a log changes nothing but the list of problems (and the clock of its author), and stops nothing."""
    broken = [f"refused, and yet {change}" for change in world.left_behind]
    for isle in world.isles:
        for stored in mutants(world, isle, number):
            before = _but_problems(world.store)
            verdict = world.force(isle, stored)
            if verdict.refused:
                broken += differences(before, _but_problems(world.store), "a bad record")
    return broken


def unheard_of_times(world: World) -> list[str]:
    """A record dated at the last minute that an entry can say is judged like any other, and nothing is raised."""
    broken = []
    for isle in world.isles:
        store = world.replayed(only=isle.number)
        for stored in far_ahead(world, isle):
            try:
                refused = store.judge(isle.number, stored, world.kinds).refused
                if STUMBLED in refused:
                    broken.append(f"{parse(stored.raw).kind} at the end of time: {refused}")
            except Exception as error:
                broken.append(f"{parse(stored.raw).kind} at the end of time raises {type(error).__name__}: {error}")
    return broken


def _but_problems(store: Memory) -> Rows:
    return {
        name: {key: (*astuple(row), held) for key, (row, held) in rows.items()}
        for name, rows in store.kept.items()
        if name not in ("problem", "latest") and rows
    }


def _short(row: object) -> str:
    text = repr(row)
    return text if len(text) < 200 else text[:200] + "…"


LAWS: dict[str, Callable[[World], list[str]]] = {
    "own space only": own_space_only,
    "sees own space only": sees_own_space_only,
    "replay equals live": replay_equals_live,
    "time of its own": time_of_its_own,
    "grants only": grants_only,
    "ladder": ladder,
    "pages by audience": pages_by_audience,
    "words decide nothing": words_decide_nothing,
}
