"""What was recorded lately, newest first, each once: for Today and for the room of Memory.

Gathered, as Today tells it, all answers to one proposal are one line, and so is whatever else has the same words.

Only what was audited and judged is told, from every log that this node carries, as far as the audience may see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from federation.storage import Log
from node.home import Home
from node.names import Read, about_record, path_of, subject_of_record, title_of_record
from node.store import Found
from node.words import kind_done
from protocol.keychain import space_name
from protocol.membership import name_of
from protocol.page import Cell, Grid, Link, Ref, State, When
from protocol.practice import EVERYTHING, KEYS, View
from protocol.practices import PRACTICE_OF
from protocol.record import PUBLIC, RecordError, parse, sees, words_of
from protocol.wording import counted, listed

MINUTE_MS = 60_000
_STEP, _MANY, _LINES, _NAMES = 64, 4, 20, 3
_GATHERED = {  # kinds of which single ones are no news: how many, and of what
    "vote.cast/1": ("answer", "answers", "to “{}”"),
    "decision.discussed/1": ("word", "words", "on “{}”"),
    "lot.committed/1": ("part", "parts", "added to the lot: {}"),
    "lot.revealed/1": ("part", "parts", "revealed of the lot: {}"),
    "task.taken/1": ("seat", "seats", "taken: {}"),
}


class News(Struct, frozen=True):
    """One record that was written lately."""

    read: Read
    title: str
    logged_ms: int
    ours: bool
    path: str = ""  # where its line leads, if not to its record


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


def grid(news: Iterable[News], view: View, caption: str, *, since_ms: int = 0, spaces: bool = True) -> Grid:
    """News as a table, each record in a line; what came since an instant is marked."""
    return _grid(([each] for each in news), view, caption, since_ms, spaces=spaces)


def gathered(home: Home, news: Iterable[News], view: View, caption: str, since_ms: int = 0) -> Grid:
    """News as a table that tells what belongs together in one line, under the newest of it."""
    return _grid(_runs(_together(home, news, view), view)[:_LINES], view, caption, since_ms, spaces=True)


def _grid(runs: Iterable[Sequence[News]], view: View, caption: str, since_ms: int, *, spaces: bool) -> Grid:
    rows: list[list[Cell]] = []
    for run in runs:
        each = run[0]
        fresh = State("new", "good") if since_ms and each.logged_ms > since_ms else ""
        where: list[Cell] = [Ref(each.read.found.space, "space")] if spaces else []
        what: Cell = Link(each.title, each.path) if each.path else Ref(each.read.record.digest, "record", each.title)
        rows.append([what, _authors(run, view), *where, When(each.logged_ms), fresh])
    columns = ["What", "Who", *(["Where"] if spaces else []), "When", ""]
    empty = "Nothing was recorded yet. What members do here appears in this place, newest first."
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Grid(caption, columns, rows, empty)


def _authors(run: Sequence[News], view: View) -> Cell:
    """Who wrote it: by name if they are few and of this space."""
    authors = list(dict.fromkeys(author_of(view, each) for each in run))
    if len(authors) == 1:
        return Ref(authors[0], "member") if authors[0] else "the space's own keys"
    there = view.of(run[0].read.found.space)
    if there and run[0].ours and len(authors) <= _NAMES:
        return listed([name_of(there, each) if each else "the space" for each in authors])
    return counted(len(authors), "person", "people")


def _together(home: Home, news: Iterable[News], view: View) -> list[list[News]]:
    """What is about the same, or has the same words, in one list where the newest of it stands."""
    found: dict[tuple[bytes, str, str], list[News]] = {}
    for each in news:
        record = each.read.record
        about = about_record(home, each.read, view.audience) if record.kind in _GATHERED else None
        said = about.record.digest.hex() if about else each.title
        if said == kind_done(record.kind):
            said = record.digest.hex()  # it says nothing of itself, so nothing is the same
        found.setdefault((each.read.found.space, record.kind, said), []).append(each)
    return [_one_line(home, run, view) for run in found.values()]


def _one_line(home: Home, run: list[News], view: View) -> list[News]:
    """The list with the title of all of it on its first."""
    first, record = run[0], run[0].read.record
    if record.kind in _GATHERED:
        about = about_record(home, first.read, view.audience)
        one, many, of = _GATHERED[record.kind]
        subject = subject_of_record(home, about or first.read, view.audience)
        if subject:
            told = f"{counted(len(run), one, many)} {of.format(subject)}"
            path = path_of(Ref(about.record.digest)) if about and len(run) > 1 else ""
            return [replace(first, title=told, path=path), *run[1:]]
    return [replace(first, title=f"{first.title}, {len(run)} times"), *run[1:]] if len(run) > 1 else run


def _runs(lines: Iterable[list[News]], view: View) -> list[list[News]]:
    """Neighbours of one kind, author and space in one line if they are many."""

    def sort(line: list[News]) -> tuple[str, bytes | None, bytes]:
        return line[0].read.record.kind, author_of(view, line[0]), line[0].read.found.space

    told: list[list[News]] = []
    for _, found in groupby(lines, sort):
        run = list(found)
        if len(run) < _MANY:
            told += run
            continue
        every = [each for line in run for each in line]
        title = f"{kind_done(every[0].read.record.kind)}, {len(every)} times"
        told.append([replace(every[0], title=title, path=_practice_path(every[0])), *every[1:]])
    return told


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
