"""Blocks to JSON: the same facts, ids as hexadecimal, instants and amounts both exact and as words.

Example::

    value([Facts([("In the till", Money(1250, "EUR"))])], telling)
    # [{'type': 'Facts', 'pairs': [['In the till', {'type': 'Money', 'amount': '12.50', 'currency': 'EUR'}]]}]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from node.body_blocks import planned
from node.words import Telling, iso, plain
from protocol.body import decimal
from protocol.page import Block, Money, Planned, Ref, When


def value(blocks: Iterable[Block], telling: Telling) -> list[dict[str, Any]]:
    """Blocks as JSON values."""
    return [_told(block, telling) for block in blocks]


def json(blocks: Iterable[Block], telling: Telling) -> bytes:
    """Blocks as one JSON list."""
    return msgspec.json.encode(value(blocks, telling))


def _told(given: Any, telling: Telling) -> Any:
    if isinstance(given, When):
        return {"type": "When", "ms": given.ms, "iso": iso(given.ms), "words": telling.when(given.ms)}
    if isinstance(given, Ref):
        label, path = telling.cell(given), telling.names.path(given)
        return {"type": "Ref", "what": given.what, "id": given.id.hex(), "label": label, "path": path}
    if isinstance(given, Money):
        return {"type": "Money", "amount": decimal(given.amount_minor), "currency": given.currency}
    if isinstance(given, Planned):
        told = value(planned(given, telling), telling)
        return {
            "type": "Planned",
            "lead": plain(given.lead),
            "kind": given.kind,
            "structure": given.structure.hex(),
            "told": told,
        }
    if isinstance(given, Struct):
        held = {f.name: _told(getattr(given, f.name), telling) for f in fields(given)}
        return {"type": type(given).__name__, **held} if given.__struct_config__.tag else held
    if isinstance(given, bytes):
        return given.hex()
    if isinstance(given, str):
        return plain(given)
    if isinstance(given, Mapping):
        return {name: _told(each, telling) for name, each in given.items()}
    if isinstance(given, list | tuple):
        return [_told(each, telling) for each in given]
    return given
