"""The clock that notices: what the rules let time itself do, and what came due, also while the node was off.

One turn does, in this order:

1. **What came due.** Every practice says what is due at an instant (`due`). What was not due when the clock last looked is kept
   once, with its true moment (`node/notices.py`).
2. **What the clock may do by itself**, with the node's identity key and in the order of true moments: close rounds whose time
   is over, open the lots that nobody opened within a day, draw those that are ready, note figures at the end of each cycle.
   Each is an act like any other, judged like any other; one that is refused is logged and tried again later and later.
3. **What followed from that** came due too.

Nothing here makes anything expire: permissions, terms and fuses end by their own rules, whether or not a clock runs.

While the node was off nothing was written, so what came due in that time follows from rows that are there. It is looked
at, for all practices, where that time begins, at each new moon and just before it, and now; for each practice also at the
instants that its own rows name (columns that end in ``_ms``) and just before them, and where something found due ends. So
what begins or ends at a named instant is noticed even if it is over again. Missed is only what both begins and ends at
instants that no row names, between two such looks; and, where rows name more than `MOST` instants in the missed time,
some of those that lie close together.

Example::

    Clockwork(home).turn()          # Turned(noticed=3, done=("figures.noted/1",), refused=0)
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, TypeVar

import structlog
from msgspec import Struct

from node.home import Home
from node.notices import Away, Came, Notices, mark_of
from node.tables import Tables, columns
from protocol import deciding, drawing, eligibility, moon, wires
from protocol.membership import ERASURES
from protocol.practice import Due, Practice, Refused, Table, View
from protocol.practices import PRACTICES

T = TypeVar("T")
MINUTE_MS, DAY_MS = 60_000, 86_400_000
OFF_MS = 3 * MINUTE_MS  # a longer gap between two turns means that the node was off
MOST = 100  # instants a practice that are looked at in a missed time
MOST_DEEDS = 100  # a turn
RETRY_MS = (MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS, 6 * 60 * MINUTE_MS, DAY_MS)
_STUMBLES = (ArithmeticError, LookupError, TypeError, ValueError, Refused)

log = structlog.get_logger("clock")


class Deed(Struct, frozen=True):
    """Something that the clock may do by itself, and since when."""

    at_ms: int
    kind: str
    about: bytes | int  # the round, the lot, the cycle: what it is known by when it is refused
    body: Mapping[str, Any]
    audience: int | None = None  # None: as the kind has it


Ask = Callable[[View, int], Iterable[Deed]]


class Turned(Struct, frozen=True):
    """What one turn brought."""

    noticed: int = 0
    done: tuple[str, ...] = ()
    refused: int = 0


class Looked(Struct, frozen=True):
    """What was seen due, and what of it still is, by practice."""

    came: list[Came]
    alive: dict[str, set[bytes]]


# What came due


def look(
    view: View, practices: Sequence[Practice], known: Mapping[str, set[bytes]], moments: Iterable[tuple[int, str]]
) -> Looked:
    """Everything that came due at these moments (when, which practice) and was not due the moment before."""
    by_name = {practice.name: practice for practice in practices}
    alive = {name: set(known.get(name, ())) for name in by_name}
    waiting = sorted(set(moments))
    last_ms = waiting[-1][0] if waiting else 0
    planned, added = set(waiting), dict.fromkeys(by_name, 0)
    came: list[Came] = []
    while waiting:
        at_ms, name = heapq.heappop(waiting)
        found = {mark_of(name, each): each for each in due_at(by_name[name], view, at_ms)}
        came += [Came(name, each, at_ms) for mark, each in found.items() if mark not in alive[name]]
        alive[name] = set(found)
        for each in found.values():  # what follows on its end begins there
            following = (each.until_ms, name)
            if at_ms < each.until_ms < last_ms and following not in planned and added[name] < MOST:
                added[name] += 1
                planned.add(following)
                heapq.heappush(waiting, following)
    return Looked(came, alive)


def due_at(practice: Practice, view: View, at_ms: int) -> list[Due]:
    """What a practice says is due; one that fails says nothing, so that no practice stops the clock."""
    try:
        return [each for each in practice.due(view, at_ms) if each.until_ms > at_ms]
    except _STUMBLES as error:
        log.warning("what is due could not be told", practice=practice.name, reason=type(error).__name__)
        return []


def missed_moments(
    since_ms: int, now_ms: int, practices: Sequence[Practice], named: Mapping[str, Iterable[int]]
) -> Iterator[tuple[int, str]]:
    """When to look for what came due in a missed time, by practice: see the module's docstring."""
    edges = new_moons(since_ms, now_ms)
    for practice in practices:
        own = thinned(sorted({each for each in named.get(practice.name, ()) if since_ms < each <= now_ms}), MOST)
        for instant in (*edges, *own):
            if instant - 1 > since_ms:
                yield instant - 1, practice.name
            yield instant, practice.name
        yield since_ms, practice.name
        yield now_ms, practice.name


def new_moons(since_ms: int, now_ms: int) -> list[int]:
    """The new moons after an instant, up to another; none outside the table."""
    try:
        first, last = moon.cycle_at(since_ms) + 1, moon.cycle_at(now_ms)
    except moon.OutsideTable:
        return []
    return [moon.new_moon_ms(cycle) for cycle in range(first, last + 1)]


def thinned(instants: list[int], most: int) -> list[int]:
    """At most so many of them: those that are closest to the one before are left out."""
    if len(instants) <= most:
        return instants
    gaps = sorted(((after - before, after) for before, after in pairwise(instants)), reverse=True)
    return sorted([instants[0], *(after for _, after in gaps[: most - 1])])


def named_instants(tables: Tables, table: Table[Any], space: int, since_ms: int, now_ms: int) -> set[int]:
    """The instants after one and up to another that the rows of a table name, of all spaces where it is shared."""
    found: set[int] = set()
    where = "" if table.shared else f" AND space={space:d}"
    for column in columns(table):
        if column.endswith("_ms"):
            sql = f"SELECT DISTINCT {column} FROM {table.name} WHERE {column}>? AND {column}<=?{where} LIMIT {MOST * 40:d}"
            found.update(each for (each,) in tables.db.execute(sql, (since_ms, now_ms)))
    return found


# What the clock may do


def rounds_to_close(view: View, now_ms: int) -> Iterator[Deed]:
    """Rounds whose time is over."""
    for round_ in deciding.open_rounds(view):
        if round_.closes_ms <= now_ms:
            yield Deed(round_.closes_ms, "decision.closed/1", round_.id, {"round": round_.id.hex()}, round_.scope)


def lots_to_draw(view: View, now_ms: int) -> Iterator[Deed]:
    """Lots in which nothing can change any more what comes out."""
    for lot in drawing.ready(view, now_ms):
        yield Deed(drawing.ready_ms(lot), "lot.drawn/1", lot.id, {"lot": lot.id.hex()})


def lots_to_open(view: View, now_ms: int) -> Iterator[Deed]:
    """Lots for shadows, reviews and whoever takes over that nobody opened within a day."""
    for each in eligibility.neglected(view, now_ms):
        about = sha256(each.purpose.encode() + each.subject).digest()
        yield Deed(each.since_ms, "lot.opened/1", about, {"purpose": each.purpose, "subject": each.subject.hex()})


def figures_to_note(view: View, now_ms: int) -> Iterator[Deed]:
    """The next cycle whose figures are not noted, as every practice tells them at its end."""
    following = wires.next_noting(view, now_ms)
    if following is not None:
        values = figures_at(view, PRACTICES, following.ended_ms)
        yield Deed(following.ended_ms, "figures.noted/1", following.cycle, following.body(values))


DEEDS: tuple[Ask, ...] = (rounds_to_close, lots_to_open, lots_to_draw, figures_to_note)


def figures_at(view: View, practices: Sequence[Practice], at_ms: int) -> dict[str, int]:
    """Every practice's figures at an instant; one that fails has none."""
    found: dict[str, int] = {}
    for practice in practices:
        try:
            found.update(practice.figures(view, at_ms))
        except _STUMBLES as error:
            log.warning("figures could not be told", practice=practice.name, reason=type(error).__name__)
    return found


# Turns


class Clockwork:
    """The clock of one node. `turn` runs on a thread of its own; what it writes goes through `write`."""

    def __init__(
        self,
        home: Home,
        *,
        write: Callable[[Callable[[], Any]], Any] = lambda work: work(),
        practices: Sequence[Practice] = PRACTICES,
        deeds: Sequence[Ask] = DEEDS,
    ) -> None:
        self.home, self.practices, self.deeds = home, tuple(practices), tuple(deeds)
        self.notices = Notices(home.store.database)
        self._write = write
        self._tables = Tables(home.store.database.reader())
        self._moved, self._minute = True, -1
        self._refused: dict[tuple[str, bytes | int], tuple[int, int]] = {}  # how often, and not before when again

    def moved(self, space: bytes) -> None:
        """Something was committed: the next turn looks, whatever the time."""
        self._moved = True

    def turn(self) -> Turned:
        """Notice and do what the moment brings; nothing if neither the minute nor anything else has changed."""
        now_ms = self.home.clock.now_ms()
        if not self._moved and now_ms // MINUTE_MS == self._minute:
            return Turned()
        self._moved, self._minute = False, now_ms // MINUTE_MS
        ran_ms = self.notices.ran_ms()
        noticed = self._notice(ran_ms, now_ms)
        done, refused = self._do(now_ms)
        if done:
            noticed += self._notice(now_ms, now_ms)
        self._forget()
        if now_ms >= ran_ms + MINUTE_MS or not ran_ms:
            away = Away(ran_ms, now_ms) if ran_ms and now_ms - ran_ms > OFF_MS else None
            self._write(lambda: self.notices.ran(now_ms, away))
        if noticed or done or refused:
            log.debug("the clock turned", noticed=noticed, done=len(done), refused=refused)
        return Turned(noticed, tuple(done), refused)

    def stop(self) -> None:
        """The node stops: what is kept is that the clock ran until now."""
        now_ms = self.home.clock.now_ms()
        if now_ms > self.notices.ran_ms() > 0:
            self.notices.ran(now_ms)

    def _view(self) -> View:
        self._tables.refresh()
        return View(self._tables, self._tables.space_number(self.home.space) or 0)

    def _notice(self, ran_ms: int, now_ms: int) -> int:
        view, known = self._view(), self.notices.alive()
        if ran_ms and now_ms - ran_ms > OFF_MS:
            moments: Iterable[tuple[int, str]] = missed_moments(
                ran_ms, now_ms, self.practices, self._named(view, ran_ms, now_ms)
            )
        else:
            moments = ((now_ms, practice.name) for practice in self.practices)
        seen = look(view, self.practices, known, moments)
        gone = {name: marks for name, marks in known.items() if marks != seen.alive.get(name, set())}
        if not seen.came and not gone:
            return 0
        return int(self._write(lambda: self.notices.keep(seen.came, seen.alive, now_ms)))

    def _named(self, view: View, since_ms: int, now_ms: int) -> dict[str, set[int]]:
        return {
            practice.name: {
                instant
                for table in practice.tables
                for instant in named_instants(self._tables, table, view.space, since_ms, now_ms)
            }
            for practice in self.practices
        }

    def _forget(self) -> None:
        """Where words were erased since, let go of those that were kept."""
        count = len(self._view().everywhere(ERASURES))
        if count != self.notices.erasures():
            self._write(self.notices.forget_words)
            self._write(lambda: self.notices.keep_erasures(count))

    # Deeds

    def _do(self, now_ms: int) -> tuple[list[str], int]:
        """What may be done by now, one after another, each on what the one before it left."""
        done: list[str] = []
        refused = 0
        if self.home.heads.recovering:
            return done, refused
        for _ in range(MOST_DEEDS):
            deed = self._next(now_ms)
            if deed is None:
                break
            if self._submit(deed, now_ms):
                done.append(deed.kind)
            else:
                refused += 1
        return done, refused

    def _next(self, now_ms: int) -> Deed | None:
        view = self._view()
        open_: list[Deed] = []
        for ask in self.deeds:
            try:
                open_ += ask(view, now_ms)
            except _STUMBLES as error:
                log.warning("what the clock may do could not be told", reason=type(error).__name__)
        due = [each for each in open_ if self._refused.get((each.kind, each.about), (0, 0))[1] <= now_ms]
        return min(due, key=lambda each: (each.at_ms, each.kind, str(each.about)), default=None)

    def _submit(self, deed: Deed, now_ms: int) -> bool:
        actions, key = self.home.actions, self.home.keys.identity
        at = (deed.kind, deed.about)
        try:
            self._write(lambda: actions.submit(deed.kind, deed.body, key, deed.audience))
        except Refused as refusal:
            times = self._refused.get(at, (0, 0))[0]
            self._refused[at] = (times + 1, now_ms + RETRY_MS[min(times, len(RETRY_MS) - 1)])
            log.warning("an act of the clock was refused", kind=deed.kind, reason=str(refusal))
            return False
        self._refused.pop(at, None)
        return True
