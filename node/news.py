"""What was recorded lately, newest first, each once: for Today and for the room of Memory.

Only what was audited and judged is told, from every log that this node carries, as far as the audience may see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from msgspec import Struct

from federation.storage import Log
from node.home import Home
from node.names import Read, title_of_record
from node.store import Found
from node.words import kind_done
from protocol.keychain import space_name
from protocol.page import Cell, Grid, Link, Ref, State, When
from protocol.practice import EVERYTHING, KEYS, View
from protocol.practices import PRACTICE_OF
from protocol.record import PUBLIC, RecordError, parse, sees, words_of

MINUTE_MS = 60_000
_STEP, _MANY, _LINES = 64, 4, 20


class News(Struct, frozen=True):
    """One record that was written lately."""

    read: Read
    title: str
    logged_ms: int
    ours: bool


def latest(home: Home, audience: int, limit: int) -> list[News]:
    """The latest records of every log, newest first."""
    found: list[News] = []
    for log in home.store.logs():
        found += _latest_of(home, log, audience, limit, log.judged)
    found.sort(key=lambda each: (-each.logged_ms, not each.ours, -each.read.found.position))
    return found[:limit]


def of_space(home: Home, space: bytes, audience: int, limit: int, before: int | None = None) -> list[News]:
    """The latest records of one log, newest first, from under a position."""
    log = home.store.need(space)
    return list(_latest_of(home, log, audience, limit, log.judged if before is None else min(log.judged, before)))


def _latest_of(home: Home, log: Log, audience: int, limit: int, end: int) -> Iterator[News]:
    told = 0
    while end > 0 and told < limit:
        start = max(0, end - _STEP)
        for position, row in reversed(list(enumerate(home.store.rows(log.space, start, end), start))):
            if told >= limit or row.record is None or (row.flag and audience == PUBLIC):
                continue
            try:
                record = parse(row.record)
            except RecordError:
                continue
            if audience != EVERYTHING and not sees(audience, record.scope):
                continue
            told += 1
            read = Read(Found(log.space, position, row, record.scope), record, words_of(row.annex, record.annex_hash))
            yield News(read, title_of_record(home, read, audience), row.logged * MINUTE_MS, log.ours)
        end = start


def grid(
    news: Iterable[News], view: View, caption: str, *, since_ms: int = 0, spaces: bool = True, gathered: bool = False
) -> Grid:
    """News as a table; what came since an instant is marked. `gathered` tells many of one sort in one line."""
    rows: list[list[Cell]] = []
    runs = _runs(news, view) if gathered else ([each] for each in news)
    for run in islice(runs, _LINES) if gathered else runs:
        each = run[0]
        record = each.read.record
        fresh = State("new", "good") if since_ms and each.logged_ms > since_ms else ""
        where: list[Cell] = [Ref(each.read.found.space, "space")] if spaces else []
        author = author_of(view, each)
        by: Cell = Ref(author, "member") if author else "the space's own keys"
        what: Cell = Ref(record.digest, "record", each.title)
        if len(run) > 1:
            what = Link(f"{kind_done(record.kind)}, {len(run)} times", _practice_path(each))
        rows.append([what, by, *where, When(each.logged_ms), fresh])
    columns = ["What", "Who", *(["Where"] if spaces else []), "When", ""]
    empty = "Nothing was recorded yet. What members do here appears in this place, newest first."
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Grid(caption, columns, rows, empty)


def _runs(news: Iterable[News], view: View) -> Iterator[list[News]]:
    """Neighbours of one kind, author and space together if they are many, else each alone."""

    def sort(each: News) -> tuple[str, bytes | None, bytes]:
        return each.read.record.kind, author_of(view, each), each.read.found.space

    for _, found in groupby(news, sort):
        run = list(found)
        if len(run) < _MANY:
            yield from ([each] for each in run)
        else:
            yield run


def _practice_path(news: News) -> str:
    practice = PRACTICE_OF.get(news.read.record.kind)
    if practice is None:
        return "/memory"
    return f"/practice/{practice.name}" if news.ours else f"/space/{space_name(news.read.found.space)}/{practice.name}"


def author_of(view: View, news: News) -> bytes | None:
    """The member who wrote it, or None if the space's own keys did."""
    other = view.of(news.read.found.space)
    key = other.get(KEYS, news.read.record.author) if other else None
    return key.member if key else None
