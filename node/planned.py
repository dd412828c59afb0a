"""A planned act, read: what a proposal plans is the structure of a record, and this is the body that it stands for.

Example::

    act_of("member.removed/1", structure)       # (KINDS["member.removed/1"], Removed(member=b"..."))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocol import encoding
from protocol.encoding import EncodingError
from protocol.judge import to_body
from protocol.practice import Kind, Refused
from protocol.practices import KINDS


def act_of(kind: str, structure: bytes, words: Mapping[str, str] | None = None) -> tuple[Kind[Any], Any]:
    """The kind and the body of a planned act, with these of its words; Refused if it cannot be read here."""
    known = KINDS.get(kind)
    try:
        decoded = encoding.decode(structure)
    except EncodingError:
        decoded = None
    if known is None or not isinstance(decoded, Mapping):
        raise Refused(
            "What was planned cannot be read here, so it cannot be done. Begin again from the page of what you propose."
        )
    return known, to_body(known, decoded, words or {})
