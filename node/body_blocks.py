"""What a body says, as blocks: for a record's page and for the summary before a big act.

Fields come under the labels that the form has; long text as prose, rows as a table, ids as links by name, amounts with their
currency, instants and cycles in words. Empty fields are left out.

Example::

    blocks(Named("Ada", "", "English"), telling)   # Facts: Name: Ada, Languages: English
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from node.form_choices import named
from node.planned import act_of
from node.words import Telling, count, day, permission
from protocol import figure, moon
from protocol.body import Field, decimal, fields
from protocol.page import Block, Cell, Facts, Grid, Heading, Money, Planned, Prose, Ref, Text, When
from protocol.practice import Refused
from protocol.wording import listed

_IDS = {"record": "record", "member": "member", "space": "space", "spaces": "space"}


def blocks(body: Struct, telling: Telling) -> list[Block]:
    """The blocks that tell a body."""
    return list(_told(fields(type(body)), asdict(body), telling))


def _told(known: Sequence[Field], values: Mapping[str, Any], telling: Telling) -> Iterator[Block]:
    pairs: list[tuple[str, Cell]] = []
    later: list[Block] = []
    for field in known:
        value = values.get(field.name)
        if value in (None, "", (), []) or _is_hash(field) or field.widget == "said":
            continue
        if field.widget == "cycle" and value == 0:  # left to the protocol that is adopted
            continue
        if any(inner.widget == "act" for inner in field.inner):
            later += [block for one in value for block in _planned(asdict(one), telling)]
        elif field.many:
            later += _many(field, list(value), telling)
        elif field.inner:
            held = asdict(value) if isinstance(value, Struct) else value
            later += [Heading(field.label, 3), *_told(field.inner, held, telling)]
        elif field.widget == "text":
            later += [Text(f"{field.label}:"), Prose(value)]
        else:
            pairs.append((field.label, cell(field, values, telling)))
    if pairs:
        yield Facts(pairs)
    yield from later


def planned(plan: Planned, telling: Telling) -> Iterator[Block]:
    """An act that is planned, as it would be written."""
    try:
        kind, body = act_of(plan.kind, plan.structure, plan.words)
    except Refused as refusal:
        yield Text(telling.local(str(refusal)), "warn")
        return
    yield Heading(f"{plan.lead}: {kind.title}", 3)
    yield from blocks(body, telling)


def _planned(plan: Mapping[str, Any], telling: Telling) -> Iterator[Block]:
    yield from planned(Planned("What is planned", plan["kind"], plan["structure"]), telling)
    if plan["concerned"]:
        yield Grid("Whom it concerns: they have no vote on it", [""], [[Ref(member, "member")] for member in plan["concerned"]])


def _many(field: Field, values: list[Any], telling: Telling) -> Iterator[Block]:
    one = msgspec.structs.replace(field, many=False)
    if not field.inner:
        cells = [cell(one, {one.name: value}, telling) for value in values]
        if all(isinstance(each, str) for each in cells):
            yield Facts([(field.label, listed([str(each) for each in cells]))])
        else:
            yield Grid(field.label, [""], [[each] for each in cells])
        return
    shown = [inner for inner in field.inner if inner.name != "currency" or not _has_amount(field)]
    rows: list[list[Cell]] = []
    for value in values:
        held = asdict(value) if isinstance(value, Struct) else value
        rows.append([cell(inner, held, telling) for inner in shown])
    yield Grid(field.label, [inner.label for inner in shown], rows)


def hashes(body: Struct) -> list[tuple[str, Cell]]:
    """Hashes and keys in a body, which say something under "proof" only."""
    return [(f.label, getattr(body, f.name).hex()) for f in fields(type(body)) if _is_hash(f) and getattr(body, f.name)]


def _is_hash(field: Field) -> bool:
    return field.type is bytes and field.widget not in _IDS and not field.many


def _has_amount(field: Field) -> bool:
    return any(inner.widget == "money" for inner in field.inner)


def cell(field: Field, values: Mapping[str, Any], telling: Telling) -> Cell:
    """One field's value; an amount looks for its currency among its neighbours."""
    value = values.get(field.name)
    if value is None:
        return ""
    if field.widget in _IDS:
        return Ref(value, _IDS[field.widget])
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field.widget == "duty":
        return permission(str(value))
    if field.name == "up_to" and not value:
        return "without a limit"
    if field.widget == "money":
        currency = values.get("currency")
        return Money(value, currency) if isinstance(currency, str) else decimal(value)
    if field.widget == "instant":
        return When(value)
    if field.widget == "cycle":
        return new_moon(value, telling)
    if field.widget == "date":
        return day(value, telling.now_ms, telling.zone)
    if field.choices:
        return named(str(value))
    if field.widget == "figure":
        return figure.label(str(value))
    if field.name in ("number", "value") and isinstance(values.get("figure", values.get("name")), str):
        return figure.spoken(values.get("figure", values.get("name")), value)
    return count(value) if isinstance(value, int) else str(value)


def new_moon(cycle: int, telling: Telling) -> str:
    """A cycle's beginning in words."""
    try:
        return f"the new moon {telling.on(moon.new_moon_ms(cycle))}"
    except moon.OutsideTable:
        return f"cycle {cycle}"
