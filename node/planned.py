"""Planned acts: a proposal plans the structure of a record; how it is made of one, and the body that it stands for.

Example::

    act_of("member.removed/1", structure)       # (KINDS["member.removed/1"], Removed(member=b"..."))
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import Struct

from protocol import encoding
from protocol.body import fields, structure_and_words
from protocol.encoding import EncodingError
from protocol.judge import require_audience, to_body
from protocol.lineage import check_choices
from protocol.practice import PUBLIC, Kind, Refused, View
from protocol.practices import KINDS, PARAMETERS
from protocol.practices.library import Adopted, Published
from protocol.proposal import Amended, Proposed
from protocol.role_bodies import Defined


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
    try:
        return known, to_body(known, decoded, words or {})
    except Refused as error:
        raise Refused(
            f"“{known.title}” is planned in no form in which it can be done. Begin again from its page. {error}"
        ) from error


def is_open_to(kind: Kind[Any], scope: int) -> bool:
    """Whether a record of a kind can be for an audience, given as its number."""
    try:
        require_audience(kind, scope)
    except Refused:
        return False
    return True


def check_effect(body: Struct) -> None:
    """Refuse what would be written down and hold otherwise or for nothing: a role that is to keep what no role can, and a
    protocol that sets a parameter outside its bounds."""
    said = check_choices(body.settings, PARAMETERS) if isinstance(body, Published | Adopted) else ""
    if said:
        raise Refused(f"What it sets: {said}")
    for each in body.permissions if isinstance(body, Defined) else ():
        kind = KINDS.get(each.kind)
        if kind is None or not kind.duty:
            held = f"“{kind.title}” is for every member" if kind else f"this node knows no kind “{each.kind}”"
            duties = sorted(name for name, known in KINDS.items() if known.duty)
            near = get_close_matches(each.kind, duties, 1) or [", ".join(duties)]
            raise Refused(f"Permissions: {held}, so no role can keep it. Roles can keep, for example: {near[0]}.")


def check_plans(body: Struct, scope: int) -> None:
    """Refuse a proposal that plans what nobody can read, or what its own audience can never do: an act is done for those for
    whom it was decided."""
    for plan in body.plans if isinstance(body, Proposed | Amended) else ():
        kind, act = act_of(plan.kind, plan.structure)
        check_effect(act)
        if is_open_to(kind, scope):
            continue
        if scope != PUBLIC and kind.in_public:
            raise Refused(
                f"“{kind.title}” is for everybody to read, and so is the decision that gives leave. Propose it in public."
            )
        raise Refused(
            f"“{kind.title}” is not for so wide an audience, nor is the decision on it. Propose it for the same people."
        )
