"""One record's page as blocks: what it says, by whom, when, in force or not, what it led to, and what can follow.

Digests and places in the log are told under "proof" only; see `proof`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from node.body_blocks import blocks, hashes
from node.health import holdings, proof_facts, seen_by
from node.home import Home
from node.names import Read, known_as, noun_of, read_record, title_of_record
from node.planned import is_open_to
from node.tables import columns
from node.words import Telling, kind_done
from protocol.body import Field, fields
from protocol.judge import to_body
from protocol.membership import ERASURES
from protocol.page import Action, Block, Cell, Facts, Grid, Heading, Ref, State, Text, When
from protocol.practice import KEYS, PROBLEMS, PUBLIC, Kind, Refused, Table, View
from protocol.practices import KINDS, PRACTICE_OF, TABLES

MINUTE_MS = 60_000
_MOST = 12
_OTHER_IDS = {"id", "key", "holder", "member"}  # columns of ids that are not of records that came before


def page(home: Home, view: View, read: Read, telling: Telling) -> Iterator[Block]:
    """Everything about a record but its proof."""
    own = view.of(read.found.space)
    if own is None:
        return
    yield Facts(_facts(own, read))
    told = _told(view, read, telling.now_ms)
    if told:
        yield Heading("What it says")
        yield from told
        yield from _led_to(home, view, read)
        return
    yield from _says(own, read, telling)
    yield from _led_to(home, view, read)
    if read.found.space == view.id:
        yield from _follow(read)


def _told(view: View, read: Read, now_ms: int) -> list[Block]:
    """What the practice itself says about the record, without the title that the page has already."""
    practice = PRACTICE_OF.get(read.record.kind)
    told = list(practice.record(view, read.record.digest, now_ms)) if practice else []
    return told[1:] if told and isinstance(told[0], Heading) else told


def _facts(own: View, read: Read) -> list[tuple[str, Cell]]:
    record, found = read.record, read.found
    key = own.get(KEYS, record.author)
    problem = own.get(PROBLEMS, found.position)
    state = State("it has no effect", "bad") if problem else State("stands", "good")
    pairs: list[tuple[str, Cell]] = [
        ("What", kind_done(record.kind)),
        ("By", Ref(key.member, "member") if key else "the space's own keys"),
        ("Of", Ref(found.space, "space")),
        ("Recorded", When(found.row.logged * MINUTE_MS)),
        ("Who may read it", known_as(record.audience)),
        ("As a record", state),
    ]
    if problem:
        pairs.append(("Why not", problem.reason))
    return pairs


def _says(own: View, read: Read, telling: Telling) -> Iterator[Block]:
    yield Heading("What it says")
    kind = KINDS.get(read.record.kind)
    if kind is None:
        yield Text("This node does not know this kind of record. It is kept as it came and changes nothing here.", "warn")
        return
    try:
        said = blocks(to_body(kind, read.record.body, read.words), telling)
    except Refused as refusal:
        yield Text(str(refusal), "bad")
        return
    yield from said
    if read.record.annex_hash and not read.words:
        erased = own.get(ERASURES, read.record.digest)
        if erased:
            yield Facts([("Its words were erased by", Ref(erased.id)), ("Erased", When(erased.since_ms))])
        else:
            yield Text("Its words are not here: they were erased, or were never given to this node.", "warn")
    elif not said:
        yield Text("Nothing beyond the act itself.")


# What it led to


def _led_to(home: Home, view: View, read: Read) -> Iterator[Block]:
    """Records whose rows name this one, by the indexes that practices declare."""
    digest = read.record.digest
    found = {each for table in TABLES for each in _naming(view, table, digest)} - {digest}
    rows: list[tuple[int, list[Cell]]] = []
    for each in found:
        later = read_record(home, each, view.audience)
        if later:
            at_ms = later.found.row.logged * MINUTE_MS
            label = title_of_record(home, later, view.audience)
            rows.append((at_ms, [Ref(each, "record", label), Ref(later.found.space, "space"), When(at_ms)]))
    if rows:
        rows.sort(key=lambda row: row[0])
        yield Heading("What it led to")
        yield Grid("", ("What", "Where", "When"), [row for _, row in rows[:_MOST]])


def _naming(view: View, table: Table[Any], digest: bytes) -> Iterator[bytes]:
    """Ids of rows that hold a digest in an indexed column other than their own id."""
    types = columns(table)
    if "id" not in types:
        return
    shared = {index[0] for index in table.shared}
    for name in sorted(shared | {index[0] for index in table.indexes} - _OTHER_IDS):
        if types[name].startswith("BLOB") and name not in _OTHER_IDS:
            where: dict[str, Any] = {name: digest}
            look_up = view.everywhere if name in shared else view.all
            for row in look_up(table, limit=_MOST, **where):
                yield row.id


# What can follow


def _follow(read: Read) -> Iterator[Block]:
    """Buttons to the kinds of the same practice that are about a record of this kind and need little more."""
    practice, scope = PRACTICE_OF.get(read.record.kind), read.record.scope
    actions = [
        Action(kind.name, filled, kind.title, scope if is_open_to(kind, scope) else PUBLIC)
        for kind in (practice.kinds if practice else ())
        if (filled := _about(kind, read)) is not None
    ]
    if actions:
        yield Heading("What can follow")
        yield from actions


def _about(kind: Kind[Any], read: Read) -> dict[str, str] | None:
    body: type[Struct] = kind.body
    known = fields(body)
    noun = noun_of(read.record.kind)
    if not any(field.name == noun and field.widget == "record" and field.required for field in known):
        return None
    filled = {noun: read.record.digest.hex()}
    for field in known:
        if field.widget == "space" and field.required:
            filled[field.name] = read.found.space.hex()
        elif field.required and field.name != noun and not _is_simple(field):
            return None
    return filled


def _is_simple(field: Field) -> bool:
    return bool(field.choices) or (not field.inner and not field.many and field.type in (str, bool) and not field.pattern)


# Proof


def proof(home: Home, view: View, read: Read) -> Sequence[Block]:
    """Where it stands in its log and who has seen it there."""
    log = home.store.log(read.found.space)
    if log is None:
        return []
    seen = seen_by(home, read.found.space, read.found.position)
    rows: list[list[Cell]] = [[Ref(space, "space"), When(at_s * 1000)] for space, at_s in sorted(seen.items())]
    kind = KINDS.get(read.record.kind)
    try:
        hidden = hashes(to_body(kind, read.record.body, read.words)) if kind else []
    except Refused:
        hidden = []
    return [
        proof_facts(log, read.found.position, holdings(home.store.cosignatures(read.found.space))),
        Facts([
            ("SHA-256 of the record", read.record.digest.hex()),
            ("Signed by", read.record.author.hex()),
            ("Kind", read.record.kind),
            ("Author's clock", When(read.record.at_ms)),
            *hidden,
        ]),
        Grid("Which spaces have confirmed seeing it", ("Space", "When"), rows, "No other space has confirmed it yet."),
    ]  # fmt: skip
