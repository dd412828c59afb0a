"""A space's records for other programs, as streams of text read from one moment of the database.

    json       everything: one object with the log's head and one record a line, bodies as members write them
    csv        everything: one row for each field of each record; of one kind, one row a record and a column a field
    hledger    the ledger as a journal that `hledger check` accepts
    beancount  the ledger as a journal that `bean-check` accepts

Of the ledger alone, ``practice="ledger"`` gives JSON and CSV with a transaction's postings in their places. What is for
fewer than the audience asked for is left out, and how many records that were is said.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from msgspec import Struct

from node.commands_record import audience_told, kind_named, told_body
from node.control import Say
from node.database import Connection, connect
from node.failure import Misuse
from node.home import Home
from node.tables import POSITIONS, Tables
from node.words import AUDIENCES
from protocol import journal, record
from protocol.keychain import parse_space, space_name
from protocol.practice import EVERYTHING, MEMBERS, View
from protocol.practices import PRACTICE_OF
from protocol.record import Record, RecordError, sees

FORMATS = ("json", "csv", "hledger", "beancount")
CHUNK = 65_536
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LEDGER = frozenset(kind for kind, practice in PRACTICE_OF.items() if practice.name == "ledger")
_PLACE = ("position", "logged", "kind", "for", "author", "digest")


class Entry(Struct, frozen=True):
    """One record at its place."""

    position: int
    logged_ms: int
    read: Record
    annex: bytes | None


class Source(Struct, frozen=True):
    """One space's log at one moment."""

    db: Connection
    space: bytes
    number: int
    size: int
    audience: int
    kind: str

    def entries(self, kinds: frozenset[str] = frozenset()) -> Iterator[Entry | None]:
        """The records of the kinds asked for, in order; None for each that is for fewer than the audience."""
        wanted = kinds or ({self.kind} if self.kind else None)
        low = self.number << POSITIONS
        sql = "SELECT id, logged, record, annex FROM log WHERE id>=? AND id<? AND record IS NOT NULL ORDER BY id"
        for at, logged, raw, annex in self.db.execute(sql, (low, low + self.size)):
            try:
                read = record.parse(raw)
            except RecordError:
                continue
            if wanted and read.kind not in wanted:
                continue
            seen = self.audience == EVERYTHING or sees(self.audience, read.scope)
            yield Entry(at - low, logged * 60_000, read, annex) if seen else None


def export(home: Home, say: Say, args: Mapping[str, Any]) -> dict[str, Any]:
    """Say the text bit by bit, then what it was."""
    return _export(home, say, **args)


def _export(
    home: Home, say: Say, *, format: str, audience: str = "public", practice: str = "", kind: str = "", space: str = ""
) -> dict[str, Any]:
    if format not in FORMATS:
        raise Misuse(f"--format: one of {', '.join(FORMATS)}.")
    if audience not in AUDIENCES:
        raise Misuse(f"--audience: one of {', '.join(AUDIENCES)}.")
    if practice not in ("", "ledger"):
        raise Misuse("--practice: only ledger has a form of its own. Leave it out to export everything, or name a --kind.")
    whose = parse_space(space) if space else home.space
    log = home.store.log(whose)
    if log is None:
        raise Misuse(f"--space: this node does not hold the log of {space}. archipelago peers list shows whose it holds.")
    scope = EVERYTHING if AUDIENCES[audience] == MEMBERS else AUDIENCES[audience]
    with closing(connect(home.folder / "node.db", read_only=True)) as db:
        db.execute("BEGIN")
        number = home.store.number(whose)
        (size,) = db.execute("SELECT judged FROM space WHERE number=?", (number,)).fetchone()
        source = Source(db, whose, number, size, scope, kind_named(kind) if kind else "")
        counted = {"records": 0, "left_out": 0}
        if practice or format in ("hledger", "beancount"):
            kept = journal.read(View(Tables(db), number, scope))
            counted["records"] = len(kept.transactions)
            counted["left_out"] = sum(each is None for each in source.entries(_LEDGER))
            parts: Iterable[str] = journal.FORMATS[format](kept)
        else:
            parts = _WRITERS[format](source, counted, home)
        for chunk in _chunks(parts):
            say("text", chunk)
    return {**counted, "space": space_name(whose), "format": format, "audience": audience}


def _chunks(parts: Iterable[str]) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size > CHUNK:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def _seen(source: Source, counted: dict[str, int]) -> Iterator[Entry]:
    for entry in source.entries():
        if entry is None:
            counted["left_out"] += 1
        else:
            counted["records"] += 1
            yield entry


def _json(source: Source, counted: dict[str, int], home: Home) -> Iterator[str]:
    log = home.store.need(source.space)
    head = {
        "space": space_name(source.space),
        "name": log.chain.name,
        "size": source.size,
        "exported_ms": home.clock.now_ms(),
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "records": ['
    before = "\n"
    for entry in _seen(source, counted):
        told = {
            "position": entry.position,
            "logged_ms": entry.logged_ms,
            "at_ms": entry.read.at_ms,
            "kind": entry.read.kind,
            "audience": audience_told(entry.read.audience),
            "author": entry.read.author.hex(),
            "digest": entry.read.digest.hex(),
            "body": told_body(entry.read, entry.annex),
        }
        yield before + json.dumps(told, ensure_ascii=False)
        before = ",\n"
    yield "\n]}\n"


def _csv(source: Source, counted: dict[str, int], home: Home) -> Iterator[str]:
    if not source.kind:
        yield _row([*_PLACE, "field", "value"])
        for entry in _seen(source, counted):
            place = _place(entry)
            yield from (_row([*place, name, text]) for name, text in _flat(told_body(entry.read, entry.annex)).items())
        return
    columns: dict[str, None] = {}
    for each in source.entries():
        if each is not None:
            columns |= dict.fromkeys(_flat(told_body(each.read, each.annex)))
    yield _row([*_PLACE, *columns])
    for entry in _seen(source, counted):
        fields = _flat(told_body(entry.read, entry.annex))
        yield _row([*_place(entry), *(fields.get(name, "") for name in columns)])


def _place(entry: Entry) -> list[str]:
    read = entry.read
    return [
        str(entry.position),
        str(entry.logged_ms),
        read.kind,
        audience_told(read.audience),
        read.author.hex(),
        read.digest.hex(),
    ]


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """A body as flat names and text, as forms have it."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        parts = [_flat(each, f"{path}.{name}" if path else str(name)) for name, each in pairs]
        return {name: text for part in parts for name, text in part.items()}
    return {} if value is None else {path: _safe(value) if isinstance(value, str) else json.dumps(value)}


def _safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula; a number stays one."""
    if not text.startswith(_FORMULA) or text.removeprefix("-").replace(".", "", 1).isdigit():
        return text
    return "'" + text


def _row(cells: Iterable[str]) -> str:
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerow(cells)
    return held.getvalue()


_WRITERS: dict[str, Callable[[Source, dict[str, int], Home], Iterator[str]]] = {"json": _json, "csv": _csv}
