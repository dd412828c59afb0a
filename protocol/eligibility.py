"""Who can be drawn: the list of a lot, worked out by rule from what the lot is about.

- For the shadow of a term, all members but its holder.
- For the next term of a role, all who may take it: not who has held it as often in a row as the protocol allows, nor who steps
  back from it when it begins.
- For whoever looks into a review, all whom it does not concern.
- For shadows and reviews, who rests from everything is left in peace, as long as two others can be drawn.
- For whoever takes over during a sabbatical, all who do not rest then.
- For anything else, all members.

A shadow, whoever looks into a review and whoever takes over are drawn whether or not anybody thinks of it: if no lot for them
was opened within a day, the node's clock may open it (`neglected`). Somebody who wants another source of chance is quicker.

Example::

    eligible(own, "shadow", term, now_ms)       # first keys, in the order in which they came
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from protocol import drawing, resting, terms, wires
from protocol.membership import members_at
from protocol.practice import Own, Refused


def eligible(own: Own, purpose: str, subject: bytes, at_ms: int) -> tuple[bytes, ...]:
    """Who can be drawn for this: members in the order in which they came, without those whom it concerns."""
    aside = _ASIDE[purpose](own, subject, at_ms)
    left = tuple(row.member for row in members_at(own, at_ms) if row.member not in aside)
    awake = tuple(member for member in left if not resting.resting_of(own, member, at_ms))
    return awake if purpose in _IN_PEACE and len(awake) >= FEWEST_AWAKE else left


def _aside_of_shadow(own: Own, subject: bytes, at_ms: int) -> tuple[bytes, ...]:
    term = own.need(terms.TERMS, subject, what="term of a role")
    if at_ms >= terms.as_held(own, term).until_ms:
        raise Refused("This term is over, so it needs no shadow. Open a lot for the term that is in force.")
    return (term.holder,)


def _aside_of_role(own: Own, subject: bytes, at_ms: int) -> tuple[bytes, ...]:
    role = terms.role_of_subject(own, subject)
    if role is None:
        raise Refused("No role waits for its next term there. Open the lot from the page of the role.")
    begins_ms = terms.next_begins_ms(own, role.role, at_ms)
    here = (row.member for row in members_at(own, at_ms))
    resting_then = (member for member in here if resting.resting_of(own, member, begins_ms, role.role))
    return (*terms.barred(own, role.role, at_ms), *resting_then)


def _aside_of_review(own: Own, subject: bytes, at_ms: int) -> tuple[bytes, ...]:
    review = own.need(wires.REVIEWS, subject, what="review")
    if at_ms >= review.closed_ms:
        raise Refused("This review is closed, so nobody has to look into it any more.")
    concerned = wires.concerned_by(own, subject)
    free = wires.others(own, concerned, at_ms)
    if len(free) < wires.FEWEST_FOR_A_LOT:
        raise Refused("There are too few whom it does not concern for a lot. Any of them can report on the review.")
    return tuple(row.member for row in members_at(own, at_ms) if row.member not in free)


def _aside_of_sabbatical(own: Own, subject: bytes, at_ms: int) -> tuple[bytes, ...]:
    row = own.need(resting.SABBATICALS, subject, what="sabbatical")
    if not row.stands(at_ms):
        raise Refused("This sabbatical is over, or does not bind yet. Nobody has to take over.")
    others = (each for each in own.all(resting.SABBATICALS, cycle=row.cycle) if each.binds and at_ms < each.lifted_ms)
    return tuple(sorted({row.member, *(each.member for each in others)}))


def _aside_of_record(own: Own, subject: bytes, at_ms: int) -> tuple[bytes, ...]:
    if own.position_of(subject) is None:
        raise Refused("About: there is no such public record here. Name the record that the lot is about.")
    return ()


FEWEST_AWAKE = 2
_IN_PEACE = ("shadow", "facilitator")
_ASIDE: Mapping[str, Callable[[Own, bytes, int], tuple[bytes, ...]]] = {
    "shadow": _aside_of_shadow,
    "role": _aside_of_role,
    "facilitator": _aside_of_review,
    "newcomer": _aside_of_sabbatical,
    "circle": _aside_of_record,
    "other": _aside_of_record,
}


# Lots that nobody opened

GRACE_MS = 86_400_000


class Neglected(Struct, frozen=True):
    """A lot that should have been opened by now, and from when on the clock may do it."""

    purpose: str
    subject: bytes
    since_ms: int


def neglected(own: Own, at_ms: int) -> Iterator[Neglected]:
    """The lots that nobody opened within a day: for running terms, open reviews, and sabbaticals that bind.

    One that was opened and failed is for people to open again. Nor is one of these where nobody can be drawn, or one alone.
    """
    for each in _wanted(own, at_ms):
        if each.since_ms <= at_ms and not drawing.lots_for(own, each.purpose, each.subject):
            try:
                found = eligible(own, each.purpose, each.subject, at_ms)
            except Refused:
                continue
            if found:
                yield each


def _wanted(own: Own, at_ms: int) -> Iterator[Neglected]:
    for role in terms.roles_at(own, at_ms):
        term = terms.term_of(own, role.role, at_ms)
        if term:
            yield Neglected("shadow", term.id, term.since_ms + GRACE_MS)
    for review in wires.open_reviews(own):
        yield Neglected("facilitator", review.id, review.opened_ms + GRACE_MS)
    for row in resting.near_sabbaticals(own, at_ms):
        if row.binds:
            yield Neglected("newcomer", row.id, max(row.planned_ms, row.accepted_ms) + GRACE_MS)
