"""What is typed into a form, between the page and the body: rows, instants, and which field a name means.

Flat names are those of `protocol.body`: ``postings.0.amount``. A form shows instants in the collective's own time zone
(``2026-03-14T18:00``), a link and a body have them in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from msgspec import Struct

from protocol.body import MAX_ROWS, Field, fields


def add_row(known: Sequence[Field], values: Mapping[str, str], path: str) -> dict[str, str]:
    """The values with one more empty row in a list."""
    field = find(known, path)
    if field is None or not field.many:
        return dict(values)
    number = min(len(rows_of(field, path, values)), MAX_ROWS)
    first = f".{field.inner[0].name}" if field.inner else ""
    return {**values, f"{path}.{number}{first}": ""}


def to_utc(body: type[Struct], values: Mapping[str, str], zone: tzinfo) -> dict[str, str]:
    """Instants as typed in a time zone, in UTC; what is no instant stays as it is."""
    return {name: _in_utc(text, zone) if _is_instant(body, name) else text for name, text in values.items()}


def to_local(body: type[Struct], values: Mapping[str, str], zone: tzinfo) -> dict[str, str]:
    """Instants in UTC, as a form shows them in a time zone."""
    return {name: _in_zone(text, zone) if _is_instant(body, name) else text for name, text in values.items()}


def _is_instant(body: type[Struct], name: str) -> bool:
    field = find(fields(body), name)
    return field is not None and field.widget == "instant"


def _in_utc(text: str, zone: tzinfo) -> str:
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=moment.tzinfo or zone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M+00:00")
    except (ValueError, OverflowError):
        return text


def _in_zone(text: str, zone: tzinfo) -> str:
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    except (ValueError, OverflowError):
        return text


def find(known: Sequence[Field], path: str) -> Field | None:
    """The field that a flat name means, rows aside."""
    found: Field | None = None
    for part in path.split("."):
        if part.isdigit():
            continue
        found = next((field for field in known if field.name == part), None)
        if found is None:
            return None
        known = found.inner
    return found


def rows_of(field: Field, path: str, values: Mapping[str, str]) -> range:
    """The rows of a list that are to be shown: those that were, and at least as many as it takes."""
    numbers = [int(found[1]) for name in values if (found := re.match(rf"{re.escape(path)}\.(\d{{1,3}})(?:\.|$)", name))]
    least = max(field.least or 1, 1) if field.required else 1
    return range(min(max([*(n + 1 for n in numbers), min(least, 4)]), MAX_ROWS))


def leaves(known: Sequence[Field], before: str, values: Mapping[str, str]) -> Iterator[tuple[str, Field]]:
    """Every field with its flat name, rows as they are filled."""
    for field in known:
        path = f"{before}{field.name}"
        yield path, field
        if field.many:
            for number in rows_of(field, path, values):
                yield from leaves(field.inner, f"{path}.{number}.", values)
        else:
            yield from leaves(field.inner, f"{path}.", values)
