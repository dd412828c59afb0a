"""Answers in an open round, taken one person after another at an assembly.

Whoever is logged in gives their own answer; for somebody else it is recorded as taken for them, and how many one member may
take is a rule of the round (`decisions.votes-for-others`). In a round with hidden answers only shows who has answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from node.forms_html import hidden
from node.markup import element
from node.web.desk import Seen
from protocol.deciding import OPEN, VERSIONS, VOTES, Round, answered, may_vote, open_rounds, options_of
from protocol.membership import MEMBERSHIPS, name_of
from protocol.polling import is_stop
from protocol.practice import Refused, View
from protocol.round_blocks import ONE_HAND, one_hand
from protocol.voting import offered

Wrap = Callable[..., Markup]


def round_at(view: View, link: bytes, now_ms: int) -> Round | None:
    """The open round that something on the agenda is about: the round itself, or that of the proposal."""
    for row in open_rounds(view):
        if link in (row.id, row.proposal) and now_ms < row.closes_ms:
            return row
    return None


def forms(seen: Seen, row: Round, people: Sequence[bytes], wrap: Wrap, typed: Mapping[str, str]) -> list[Markup]:
    """For each person who is here and may vote a folded form, one's own unfolded."""
    may = [member for member in people if may_vote(row, seen.view.get(MEMBERSHIPS, member), seen.now_ms)]
    done = answered(seen.view, row)
    waiting = sum(member not in done for member in may)
    said = "Everybody here has answered." if not waiting else f"{waiting} of {len(may)} who are here have not answered."
    if hand := one_hand(seen.view, row.id):
        said += f" All are written down by {name_of(seen.view, hand)} so far, and {ONE_HAND}: let one more give theirs."
    persons = [_person(seen, row, member, member in done, wrap, typed) for member in may]
    return [element("h2", "Answers"), element("p", said), *persons]


def _person(seen: Seen, row: Round, member: bytes, has: bool, wrap: Wrap, typed: Mapping[str, str]) -> Markup:
    mine = member == seen.member
    refused = typed.get("for") == member.hex()
    name = f"{name_of(seen.view, member)} (you)" if mine else name_of(seen.view, member)
    mark = element(
        "span", _state(seen, row, member) if has else "has not answered", class_=f"state {'good' if has else 'warn'}"
    )
    at = f"v-{member.hex()[:16]}"
    choices = _choices(seen, row, at, typed.get("choice", "") if refused else "")
    reasons = element("textarea", typed.get("reasons", "") if refused else "", id=f"{at}-reasons", name="reasons", rows="2")
    why = element("div", element("label", "Reasons (an objection needs them)", for_=f"{at}-reasons"), reasons, class_="field")
    label = "Give my answer" if mine else f"Write it down for {name}"
    button = element("div", element("button", label, name="do", value="vote"), class_="buttons")
    inside = wrap(hidden("for", member.hex()), *choices, *([why] if row.hidden == OPEN else []), button)
    summary = element("summary", name, " ", mark)
    return element("details", summary, inside, open=refused or (mine and not has), class_="person")


def _state(seen: Seen, row: Round, member: bytes) -> str:
    """What somebody answered, where that is open to all; else that they did."""
    vote = seen.view.get(VOTES, row.id, member)
    if row.hidden != OPEN or vote is None or not vote.choice:
        return "has answered"
    known = {answer.word: answer.label for answer in offered(row.type, row.options)}
    return known.get(vote.choice, vote.choice)


def _choices(seen: Seen, row: Round, at: str, chosen: str) -> list[Markup]:
    """The answers that the round offers, each as wide as a thumb; ranked ones are typed as numbers."""
    words = [(answer.word, answer.label) for answer in offered(row.type, row.options)]
    version = seen.view.get(VERSIONS, row.proposal, row.version) if row.options else None
    numbered = list(enumerate(options_of(version), 1)) if version else []
    if row.type == "ranked":
        told = "; ".join(f"{number} {text}" for number, text in numbered)
        field = element("input", id=f"{at}-choice", name="choice", value=chosen, inputmode="numeric", autocomplete="off")
        said = element("span", f"Numbers, the one preferred first: {told}. Or: abstain.", class_="help")
        return [element("div", element("label", "Answer", for_=f"{at}-choice"), said, field, class_="field")]
    words = [*((str(number), text) for number, text in numbered), *words]
    boxes = []
    for number, (word, label) in enumerate(words):
        box = element(
            "input", type="radio", id=f"{at}-{number}", name="choice", value=word, checked=word == chosen, required=True
        )
        boxes.append(element("div", box, element("label", label, for_=f"{at}-{number}"), class_="choice"))
    return [element("fieldset", element("legend", "Answer"), *boxes)]


def act(seen: Seen, row: Round, values: Mapping[str, str]) -> tuple[str, dict[str, Any], int]:
    """The record of an answer, as typed."""
    person, choice = values.get("for", ""), values.get("choice", "").strip()
    if not choice:
        raise Refused("Answer: choose one.")
    if row.hidden == OPEN and is_stop(row.type, choice.lower()) and not values.get("reasons", "").strip():
        raise Refused("Reasons: an objection says what would be harmed, and how, so that it can be taken up.")
    body: dict[str, Any] = {"round": row.id.hex(), "choice": choice}
    if seen.member is None or person != seen.member.hex():
        body["for_member"] = person
    if values.get("reasons", "").strip():
        body["reasons"] = values["reasons"].strip()
    return "vote.cast/1", body, row.scope
