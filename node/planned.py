"""Planned acts: a proposal plans the structure of a record; how it is made of one, and the body that it stands for.

Example::

    act_of("member.removed/1", structure)       # (KINDS["member.removed/1"], Removed(member=b"..."))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from protocol import encoding
from protocol.body import fields, structure_and_words
from protocol.encoding import EncodingError
from protocol.judge import require_audience, to_body
from protocol.practice import PUBLIC, Kind, Refused, View
from protocol.practices import KINDS
from protocol.proposal import Amended, Proposed


def proposal_of(view: View, kind: Kind[Any], body: Struct) -> dict[str, str]:
    """A proposal that plans this act, by flat names: the act travels along as it is, its words stand in the text."""
    structure, words = structure_and_words(body)
    flat = {"plans.0.kind": kind.name, "plans.0.structure": encoding.encode(structure).hex()}
    for number, member in enumerate(kind.concerns(view, body)):
        flat[f"plans.0.concerned.{number}"] = member.hex()
    labels = {field.name: field.label for field in fields(type(body))}
    said = {name: text for name, text in words.items() if text}
    if said:
        flat["said"] = msgspec.json.encode([said]).decode()
    text = "\n\n".join(f"**{labels[name]}.** {each}" for name, each in said.items())
    return {**flat, "title": kind.title, "text": text or f"{kind.title}, exactly as it stands below."}


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


def is_open_to(kind: Kind[Any], scope: int) -> bool:
    """Whether a record of a kind can be for an audience, given as its number."""
    try:
        require_audience(kind, scope)
    except Refused:
        return False
    return True


def check_plans(body: Struct, scope: int) -> None:
    """Refuse a proposal that plans what its own audience can never do: an act is done for those for whom it was decided."""
    for plan in body.plans if isinstance(body, Proposed | Amended) else ():
        kind = KINDS.get(plan.kind)
        if kind is None or is_open_to(kind, scope):
            continue
        if scope != PUBLIC and kind.in_public:
            raise Refused(
                f"“{kind.title}” is for everybody to read, and so is the decision that gives leave. Propose it in public."
            )
        raise Refused(
            f"“{kind.title}” is not for so wide an audience, nor is the decision on it. Propose it for the same people."
        )
