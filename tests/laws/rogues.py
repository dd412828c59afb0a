"""Practices that break a law on purpose, each a few lines away from an honest one: the laws have to find every one of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any

from msgspec import Struct

from protocol import moon
from protocol.page import Block, Heading, Text
from protocol.practice import EVERYTHING, Act, Change, Kind, Own, Practice, Refused, Row, Table, View, field
from tests.laws.world import World


class Noted(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A note."""

    value: Annotated[int, field("Value", "A small number.", ge=-100, le=100)]
    words: Annotated[str, field("Words", "What else there is to say.", erasable=True)] = ""


class Note(Row, frozen=True):
    """A note as a row."""

    position: int
    value: int
    words: str


NOTES = Table("note", Note, ("position",), erasable=("words",))
BARE = Table("note", Note, ("position",))


def noted(world: World) -> Noted:
    """A note like any other."""
    return Noted(world.rng.randrange(100), world.words(world.rng.randrange(3)))


def _put(act: Act[Noted], value: int, words: str | None = None, space: int = 0, table: Table[Note] = NOTES) -> Change:
    said = act.body.words if words is None else words
    return table.put(Note(space or act.space, act.position, value, said))


def honest(own: Own, act: Act[Noted]) -> Iterator[Change]:
    """The sum of one's own space so far."""
    yield _put(act, act.body.value + sum(row.value for row in own.all(NOTES)) % 1000)


def writes_to_a_neighbour(own: Own, act: Act[Noted]) -> Iterator[Change]:
    yield _put(act, act.body.value, space=1 + act.space % 3)


def reads_a_neighbour(own: Own, act: Act[Noted]) -> Iterator[Change]:
    yield _put(act, len(View(own._reader, own.space).everywhere(NOTES)))


def reads_the_clock(own: Own, act: Act[Noted]) -> Iterator[Change]:
    yield _put(act, int(time.time()))


def draws_by_chance(own: Own, act: Act[Noted]) -> Iterator[Change]:
    yield _put(act, random.randrange(10**6))


def leans_on_an_order(own: Own, act: Act[Noted]) -> Iterator[Change]:
    rows = own.all(NOTES)
    yield _put(act, rows[0].value + 1 if rows else act.body.value)


def looks_below_the_ladder(own: Own, act: Act[Noted]) -> Iterator[Change]:
    yield _put(act, len(own.seen_by(EVERYTHING).all(NOTES)))


def counts_the_words(own: Own, act: Act[Noted]) -> Iterator[Change]:
    yield _put(act, len(act.body.words))


def refuses_by_words(own: Own, act: Act[Noted]) -> Iterator[Change]:
    if not act.body.words:
        raise Refused("Say more.")
    yield _put(act, act.body.value)


def keeps_words_as_if_they_were_structure(own: Own, act: Act[Noted]) -> Iterator[Change]:
    yield _put(act, act.body.value, table=BARE)


def trusts_the_calendar(own: Own, act: Act[Noted]) -> Iterator[Change]:
    yield _put(act, moon.cycle_at(act.logged_ms))


class Remembers:
    """Figures that keep the moment they were last asked about."""

    def __init__(self) -> None:
        self.last_ms = 0

    def __call__(self, view: View, now_ms: int) -> Mapping[str, int]:
        passed, self.last_ms = now_ms - self.last_ms, now_ms
        return {"rogue.since": passed}


def tells_all(view: View, now_ms: int) -> Iterator[Block]:
    """A page that looks past the audience it is for."""
    rows = View(view._reader, view.space, EVERYTHING).all(NOTES)
    yield Heading("Notes")
    yield Text(f"There are {len(rows)}.")


Rule = Callable[[Own, Act[Any]], Iterable[Change]]


def practice(rule: Rule = honest, *, needs: str = "member", table: Table[Note] = NOTES, **more: Any) -> Practice:
    """The practice of notes, with one thing wrong."""
    kind = Kind("rogue.noted/1", "Note something", Noted, rule, needs=needs, consequence="It is noted.", help="A note.")
    return Practice("rogue", "Notes", "memory", "Notes.", tables=(table,), kinds=(kind,), **more)


# name -> (the law that has to find it, the practice)
ROGUES: dict[str, tuple[str, Callable[[], Practice]]] = {
    "writes to a neighbour": ("own space only", lambda: practice(writes_to_a_neighbour)),
    "reads a neighbour": ("own space only", lambda: practice(reads_a_neighbour)),
    "looks over the fence": ("sees own space only", lambda: practice(reads_a_neighbour)),
    "reads the clock": ("sees own space only", lambda: practice(reads_the_clock)),
    "draws by chance": ("replay equals live", lambda: practice(draws_by_chance)),
    "leans on an order": ("replay equals live", lambda: practice(leans_on_an_order)),
    "remembers when it was asked": ("time of its own", lambda: practice(figures=Remembers())),
    "takes no grant": ("grants only", lambda: practice(needs="")),
    "looks below the ladder": ("ladder", lambda: practice(looks_below_the_ladder)),
    "tells all": ("pages by audience", lambda: practice(page=tells_all)),
    "counts the words": ("words decide nothing", lambda: practice(counts_the_words)),
    "refuses by words": ("words decide nothing", lambda: practice(refuses_by_words)),
    "keeps words": ("words decide nothing", lambda: practice(keeps_words_as_if_they_were_structure, table=BARE)),
    "trusts the calendar": ("unheard-of times", lambda: practice(trusts_the_calendar)),
}
