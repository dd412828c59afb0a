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
from protocol.assembling import ASSEMBLIES, ITEMS, Minutes, minutes_on
from protocol.body import Field, fields
from protocol.deciding import OUTCOMES, ROUNDS
from protocol.decision_story import proposal_about
from protocol.judge import to_body
from protocol.membership import ERASURES, name_of
from protocol.page import Action, Block, Cell, Facts, Grid, Heading, Link, Prose, Ref, State, Text, When
from protocol.practice import KEYS, PROBLEMS, PUBLIC, Kind, Refused, Table, View
from protocol.practices import KINDS, PRACTICE_OF, TABLES
from protocol.wording import counted

MINUTE_MS = 60_000
_MOST = 12
_LOOKED_AT = 1000  # rows of a table that name one record
_OTHER_IDS = {"id", "key", "holder", "member"}  # columns of ids that are not of records that came before


def page(home: Home, view: View, read: Read, telling: Telling) -> Iterator[Block]:
    """Everything about a record but its proof."""
    own = view.of(read.found.space)
    if own is None:
        return
    yield Facts(_facts(own, read, telling))
    told, minutes = _told(view, read, telling.now_ms), _minutes(view, read.record.digest)
    if told:
        yield Heading("What it says")
        yield from told
    else:
        yield from _says(own, read, telling)
    yield from _at_assemblies(view, read.record.digest, minutes)
    yield from _led_to(home, view, read, {note.id for note in minutes})
    if not told and read.found.space == view.id:
        yield from _follow(read)


def _told(view: View, read: Read, now_ms: int) -> list[Block]:
    """What the practice itself says about the record, without the title that the page has already."""
    practice = PRACTICE_OF.get(read.record.kind)
    told = list(practice.record(view, read.record.digest, now_ms)) if practice else []
    return told[1:] if told and isinstance(told[0], Heading) else told


def _facts(own: View, read: Read, telling: Telling) -> list[tuple[str, Cell]]:
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
        pairs.append(("Why not", telling.local(problem.reason)))
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
        yield Text(telling.local(str(refusal)), "bad")
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


# What was said about it at assemblies


def _minutes(view: View, digest: bytes) -> list[Minutes]:
    """What was written down at our assemblies on a record, or on any of the proposal that it belongs to, in order."""
    if view.get(ITEMS, digest):
        return []  # the page of an item has them already
    about = {digest}
    row = proposal_about(view, digest)
    there = view.of(view.space_id(row.space)) if row else None
    if row and there:
        about |= {row.id, *(each.id for each in there.all(ROUNDS, proposal=row.id))}
        about |= {each.id for each in there.all(OUTCOMES, proposal=row.id)}
    about |= {item.id for subject in list(about) for item in view.all(ITEMS, subject=subject)}
    return sorted((note for each in about for note in minutes_on(view, each)), key=lambda note: note.position)


def _at_assemblies(view: View, digest: bytes, minutes: Sequence[Minutes]) -> Iterator[Block]:
    if not minutes:
        return
    yield Heading("What was said about it at assemblies")
    if len(minutes) > _MOST:
        yield Text(f"The latest {_MOST} of {len(minutes):,} minutes. Those before stand on the pages of their assemblies.")
    for note in minutes[-_MOST:]:
        row, item = view.get(ASSEMBLIES, note.assembly), view.get(ITEMS, note.subject) if note.subject else None
        at = Ref(note.assembly, "record", row.purpose if row else "")
        pairs: list[tuple[str, Cell]] = [("At", at), ("When", When(note.taken_ms))]
        if note.subject and note.subject != digest:
            pairs.append(("On", Ref(note.subject, "record", item.title if item else "")))
        pairs.append(("Written by", Ref(note.author, "member", name_of(view, note.author))))
        yield Prose(note.words) if note.words else Text("The words were erased.")
        yield Facts([*pairs, ("The minutes", Ref(note.id, "record", "as they were recorded"))])


# What it led to


def _led_to(home: Home, view: View, read: Read, told: set[bytes]) -> Iterator[Block]:
    """Records whose rows name this one, by the indexes that practices declare, the latest first; what is told already not."""
    digest = read.record.digest
    ids = {each for table in TABLES for each in _naming(view, table, digest)} - {digest} - told
    found = [there for each in ids if (there := home.store.find(each, view.audience)) and there.row.record is not None]
    found.sort(key=lambda each: (each.row.logged, each.space == view.id, each.position), reverse=True)
    rows: list[list[Cell]] = []
    for each in found[:_MOST]:
        later = read_record(home, each.row.digest, view.audience)
        if later:
            label = title_of_record(home, later, view.audience)
            rows.append([
                Ref(each.row.digest, "record", label), Ref(each.space, "space"), When(each.row.logged * MINUTE_MS)
            ])  # fmt: skip
    if rows:
        yield Heading("What it led to")
        yield Grid("", ("What", "Where", "When"), rows)
    if len(found) > _MOST:
        earlier = counted(len(found) - _MOST, "more record")
        if {each.space for each in found} == {home.space}:
            yield Facts([("Before that", Link(f"{earlier}, in Memory", f"/memory?before={found[_MOST - 1].position}"))])
        else:
            yield Text(f"Before that it led to {earlier}, which are not listed here.")


def _naming(view: View, table: Table[Any], digest: bytes) -> Iterator[bytes]:
    """Ids of rows that hold a digest in an indexed column other than their own id: the latest, where there are very many."""
    types = columns(table)
    if "id" not in types:
        return
    shared = {index[0] for index in table.shared}
    for name in sorted(shared | {index[0] for index in table.indexes} - _OTHER_IDS):
        if types[name].startswith("BLOB") and name not in _OTHER_IDS:
            where: dict[str, Any] = {name: digest}
            look_up = view.everywhere if name in shared else view.all
            order = "-position" if "position" in types else ""
            for row in look_up(table, order=order, limit=_LOOKED_AT, **where):
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
