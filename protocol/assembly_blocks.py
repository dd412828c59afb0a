"""What the pages of assemblies say: what is due, how many come, the next one, those before, their minutes.

Who was there, what was put on the agenda by hand and what was written down is for members; others see when assemblies are,
if they were called in public.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from protocol.assembling import (
    ASSEMBLIES,
    DAY_MS,
    ITEMS,
    Assembly,
    Item,
    Minutes,
    assembly_to_write,
    held_before,
    is_called_off,
    is_on,
    is_open,
    items_at,
    last_word_ms,
    minutes_of,
    minutes_on,
    next_assembly,
    shares,
    takes_words,
    there,
)
from protocol.membership import founding_of, members_at, name_of, sees_members
from protocol.page import Action, Block, Cell, Facts, Grid, Heading, Link, Prose, Ref, State, Text, When
from protocol.practice import FOREVER_MS, MEMBERS, Due, View


def purpose_of(row: Assembly) -> str:
    """What an assembly is called."""
    return row.purpose or "An assembly"


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Assemblies that are called or on, and those whose minutes are still to be closed."""
    for row in sorted(view.all(ASSEMBLIES, closed_ms=FOREVER_MS), key=lambda row: (row.opens_ms, row.position)):
        if row.called_ms <= now_ms < row.opens_ms:
            yield Due(f"{purpose_of(row)} begins: come, and put on the agenda what you want to talk about", None, row.called_ms,
                      row.opens_ms, row.id)  # fmt: skip
        elif is_on(row, now_ms):
            yield Due(f"{purpose_of(row)} is on", None, row.opens_ms, row.ends_ms, row.id)
        elif row.ends_ms <= now_ms < last_word_ms(view, row, now_ms) and sees_members(view):
            what = f"{purpose_of(row)} is over: enter who was there and what was said, and close it"
            yield Due(what, None, row.ends_ms, last_word_ms(view, row, now_ms), row.id)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """How many come, how long ago the last one was, and what waits on the agenda by hand."""
    last = shares(view, now_ms)
    held = held_before(view, now_ms, 1)
    space = founding_of(view)
    since_ms = held[0].opens_ms if held else space.founded_ms if space else now_ms
    waiting = items_at(view, now_ms)
    return {
        "attendance.last": last[0][1] if last else 0,
        "attendance.mean-share": sum(came * 1000 // members for _, came, members in last) // len(last) if last else 0,
        "assemblies.days-since": max(0, now_ms - since_ms) // DAY_MS,
        "agenda.by-hand": len(waiting),
        "agenda.oldest-days": max(((now_ms - row.added_ms) // DAY_MS for row in waiting), default=0),
    }


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """When the next assembly is, if it was called in public."""
    row = next_assembly(view, now_ms)
    return {"next": {"opens_ms": row.opens_ms, "ends_ms": row.ends_ms}} if row else {}


def page(view: View, now_ms: int) -> Iterator[Block]:
    """The next assembly, the way to its agenda, and those before with how many came."""
    yield Heading("Assemblies")
    row = next_assembly(view, now_ms)
    if row is None:
        yield Text("No assembly is called. What is due for all waits on the agenda until there is one; anybody can call it.")
    else:
        yield Facts(_facts(view, row, now_ms))
    yield Facts([("Agenda", Link("what is due for all, and what was added", "/agenda"))])
    yield Action("assembly.called/1", {}, "Call an assembly")
    yield Action("agenda.added/1", {"assembly": row.id.hex()} if row else {}, "Put something on the agenda")
    rows: list[list[Cell]] = []
    for each in held_before(view, now_ms):
        if is_on(each, now_ms):
            continue
        came = len(there(view, each.id))
        share: Cell = f"{came} of {max(came, len(members_at(view, each.opens_ms)))}" if came else "not noted"
        rows.append([Ref(each.id, "record", purpose_of(each)), When(each.opens_ms), share, _stands(view, each, now_ms)])
    columns = ["Assembly", "Began", "Who came", ""]
    if not sees_members(view):
        columns, rows = [columns[0], columns[1], columns[3]], [[row[0], row[1], row[3]] for row in rows]
    yield Grid("Before", columns, rows, "None was held yet. Each leaves its minutes here.")


def _stands(view: View, row: Assembly, now_ms: int) -> State:
    if is_called_off(row):
        return State("called off", "warn")
    if row.closed_ms <= now_ms:
        return State("closed")
    if now_ms < row.opens_ms:
        return State("called", "good")
    if is_on(row, now_ms):
        return State("on", "good")
    return State("minutes open", "warn") if now_ms < last_word_ms(view, row, now_ms) else State("over")


def _facts(view: View, row: Assembly, now_ms: int) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [
        ("Assembly", Ref(row.id, "record", purpose_of(row))), ("State", _stands(view, row, now_ms)),
        ("Begins", When(row.opens_ms)), ("Ends", When(row.ends_ms)),
    ]  # fmt: skip
    if row.place:
        pairs.append(("Where", row.place))
    return [*pairs, ("Called by", Ref(row.caller, "member"))]


def record(view: View, digest: bytes, now_ms: int) -> Iterator[Block]:
    """The page of an assembly with its minutes, or of an item with what was said about it."""
    row, item = view.get(ASSEMBLIES, digest), view.get(ITEMS, digest)
    if row is not None:
        yield from _assembly(view, row, now_ms)
    elif item is not None:
        yield from _item(view, item, now_ms)


def _assembly(view: View, row: Assembly, now_ms: int) -> Iterator[Block]:
    yield Facts(_facts(view, row, now_ms))
    if row.closing:
        yield Prose(row.closing)
    if takes_words(view, row, now_ms):
        yield Facts([("Run it", Link("one item after another, from a phone passed around", "/assembly/run"))])
    if now_ms < last_word_ms(view, row, now_ms):
        if now_ms < row.ends_ms:
            yield Action("agenda.added/1", {"assembly": row.id.hex()}, "Put something on the agenda")
        label = "Close it" if now_ms >= row.opens_ms else "Call it off"
        yield Action("assembly.closed/1", {"assembly": row.id.hex(), **_audience(row)}, label)
    if not sees_members(view):
        yield Text("Who was there and what was said is for members only.")
        return
    came = there(view, row.id)
    yield Heading("Who was there")
    yield Grid("", ("Member",), [[Ref(each, "member", name_of(view, each))] for each in came], "Not noted yet.")
    yield Heading("Minutes")
    notes = minutes_of(view, row.id)
    if not notes:
        yield Text("Nothing was written down yet.")
    for note in notes:
        yield from _note(view, note, with_subject=True)


def _note(view: View, note: Minutes, *, with_subject: bool) -> Iterator[Block]:
    pairs: list[tuple[str, Cell]] = []
    if with_subject and note.subject:
        item = view.get(ITEMS, note.subject)
        pairs.append(("About", Ref(note.subject, "record", item.title if item else "")))
    if not with_subject:
        pairs.append(("At", Ref(note.assembly, "record")))
    pairs += [("Written by", Ref(note.author, "member", name_of(view, note.author))), ("When", When(note.taken_ms))]
    if note.settled:
        pairs.append(("State", State("settled", "good")))
    yield Prose(note.words) if note.words else Text("The words were erased.")
    yield Facts(pairs)


def _item(view: View, item: Item, now_ms: int) -> Iterator[Block]:
    settled = item.settled_ms <= now_ms
    mark = State("settled", "good") if settled else State("on the agenda") if is_open(item, now_ms) else State("lapsed", "warn")
    pairs: list[tuple[str, Cell]] = [
        ("State", mark), ("Added by", Ref(item.author, "member", name_of(view, item.author))), ("Added", When(item.added_ms)),
        ("Settled" if settled else "Stays until", When(item.settled_ms if settled else item.until_ms)),
    ]  # fmt: skip
    if item.subject:
        pairs.append(("About", Ref(item.subject)))
    yield Facts(pairs)
    if item.why:
        yield Prose(item.why)
    yield Heading("What was said about it")
    notes = minutes_on(view, item.id)
    if not notes:
        yield Text("Nothing yet. Minutes that are taken on it at an assembly stand here.")
    for note in notes:
        yield from _note(view, note, with_subject=False)
    writing = assembly_to_write(view, now_ms)
    if writing and is_open(item, now_ms):
        filled = {"assembly": writing.id.hex(), "subject": item.id.hex()}
        yield Action("minutes.taken/1", filled, "Write down what was said")


def _audience(row: Assembly) -> dict[str, str]:
    """Closing is for the same people as the call."""
    return {1: {"audience": "allies"}, MEMBERS: {"audience": "members"}}.get(row.scope, {})
