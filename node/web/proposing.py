"""Proposing what nobody may do alone, and carrying out what was decided: one act, filled in once, on its way both times.

    the form of a kind -> "Propose it" -> the form of a proposal that plans exactly that act -> rounds, outcome
    the decision's page -> "Carry it out" -> the form of the kind, filled in as it was decided -> the act, judged by its leave

What is planned travels as the structure of the act (`protocol.mandate`), never typed; a form shows it in words.

    GET /carry-out/<outcome>      the form of the act that an accepted proposal gives leave for
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from node.body_blocks import blocks as body_blocks
from node.form_values import rows_of
from node.forms_html import Filled, hidden
from node.markup import element, together
from node.planned import act_of, proposal_of
from node.render_html import render
from node.words import Telling
from protocol.body import fields, to_flat
from protocol.deciding import OUTCOMES, VERSIONS, plans_of, said_of
from protocol.judge import require_kind, roles_with
from protocol.mandate import DECISION
from protocol.page import Text
from protocol.practice import Kind, Refused, View
from protocol.practices import KINDS

PROPOSED = "decision.proposed/1"
PLANS, SAID = "plans", "said"
MAY, MUST = "may", "must"
ALONE = "Nobody does this alone. Propose it: once it is decided, any member can carry it out from the decision’s page."


# Whether to propose


class Standing(Struct, frozen=True):
    """Whether somebody ``may`` propose what they can also write, ``must`` because they cannot, or neither; and why."""

    proposes: str = ""
    why: str = ""


def standing(view: View, kind: Kind[Any], member: bytes, now_ms: int) -> Standing:
    """How somebody stands to a kind of record just now."""
    if kind.needs == DECISION:
        return Standing(MUST, ALONE)
    try:
        require_kind(view, kind, member, 0, now_ms)
    except Refused as refusal:
        return Standing(MUST, f"{refusal} Or propose it: once it is decided, any member can do it, exactly so and once.")
    plain = kind.needs in ("", "member", "clock") and not roles_with(view, kind, now_ms)
    return Standing() if plain else Standing(MAY)


# From an act to a proposal


def planned(view: View, kind: Kind[Any], body: Struct, audience: str = "") -> Filled:
    """The form of a proposal that plans this act: what is to be done travels along, its words stand in the text."""
    return Filled({**proposal_of(view, kind, body), "audience": audience})


def planned_kinds(values: Mapping[str, str]) -> list[str]:
    """The kinds of the acts that a proposal's form plans."""
    return [text for name, text in sorted(values.items()) if name.startswith(f"{PLANS}.") and name.endswith(".kind")]


def plans_in_words(values: Mapping[str, str], view: View, telling: Telling) -> Markup:
    """What a proposal's form plans, in words, and the hidden fields by which it travels."""
    body: type[Struct] = KINDS[PROPOSED].body
    field = next((each for each in fields(body) if each.name == PLANS), None)
    if field is None or not any(name.startswith(f"{PLANS}.") for name in values):
        return Markup()
    carried = [hidden(name, text) for name, text in sorted(values.items()) if name.startswith(f"{PLANS}.") or name == SAID]
    told = [_plan_in_words(values, f"{PLANS}.{number}", view, telling) for number in rows_of(field, PLANS, values)]
    said = element("p", "Once it is accepted, any member may do this, once, exactly as it stands here:", class_="help")
    return element("fieldset", element("legend", "What is planned"), said, *told, *carried)


def _plan_in_words(values: Mapping[str, str], path: str, view: View, telling: Telling) -> Markup:
    try:
        kind, body = act_of(values.get(f"{path}.kind", ""), bytes.fromhex(values.get(f"{path}.structure", "")))
    except ValueError:
        return element("p", "What was planned cannot be read here. Begin again from the page of what you propose.")
    except Refused as refusal:
        return element("p", telling.local(str(refusal)))
    advice = kind.advise(view, body)
    warned = [Text(telling.local(advice), "warn")] if advice else []
    return together([element("p", element("strong", kind.title)), render([*body_blocks(body, telling), *warned], telling)])


# From a decision to the act


def carried_out(view: View, outcome: bytes) -> tuple[Kind[Any], dict[str, str], int]:
    """The kind that a decision gave leave for, its form's values, and for whom; Refused if there is nothing to carry out."""
    row = view.get(OUTCOMES, outcome)
    version = view.get(VERSIONS, row.proposal, row.version) if row else None
    plan = next((each for each in plans_of(version) if each.option == row.option), None) if row and version else None
    if plan is None or version is None or not row or not row.accepted:
        raise Refused("There is nothing to carry out here. Look at the decision's page for what it brought about.")
    plans, said = plans_of(version), said_of(version)
    at = plans.index(plan)
    kind, body = act_of(plan.kind, plan.structure, said[at] if at < len(said) else {})
    return kind, to_flat(body), row.scope
