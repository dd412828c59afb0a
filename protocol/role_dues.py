"""What is due about roles, and their figures: terms that end, handovers, shadows, vacancies, and pauses.

Nothing of it is stored: each follows from the rows and an instant, so what has passed is gone by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from protocol import moon
from protocol.drawing import FAILED, drawn_for, lots_for, phase, seated, standing
from protocol.membership import MEMBERSHIPS, is_live, members_at
from protocol.practice import FOREVER_MS, GRANTS, Due, View
from protocol.terms import (
    CALLS,
    CONSECUTIVE,
    DAY_MS,
    GRACE_DAYS,
    HANDOVERS,
    ROLES,
    TERMS,
    Call,
    Handover,
    Term,
    as_held,
    holds,
    in_a_row,
    longest_held,
    lot_subject,
    recent_terms,
    roles_at,
    spoken_kind,
    term_of,
    terms_of,
)

SOON_DAYS = 7
READ_DAYS = 10  # in which a new holder and their shadow are asked to read what was handed over


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Terms that end, handovers to write and to read, shadows to draw, vacant roles, and pauses that wait for the assembly."""
    alone = len(members_at(view, now_ms)) < 2
    for row in view.all(ROLES, order="role"):
        terms = recent_terms(view, row.role, now_ms - view.parameter(GRACE_DAYS, now_ms) * DAY_MS - 1)
        current = next((term for term in terms if holds(term, now_ms)), None)
        if current:
            yield from _ending(view, current, terms, now_ms)
            yield from _to_read(view, current, now_ms)
            if not alone and not has_lot(view, "shadow", current.id, now_ms):
                yield Due(f"Draw a shadow for {row.role}", None, current.since_ms, current.until_ms, current.id, role=row.role)
        elif row.ended_ms > now_ms and not any(now_ms < term.since_ms < term.until_ms for term in terms):
            since_ms = max([row.since_ms, *(term.until_ms for term in terms if term.until_ms <= now_ms)])
            runs = has_lot(view, "role", lot_subject(view, row), now_ms)
            way = "a lot for it has been opened" if runs else "draw by lot, or propose an election"
            yield Due(f"Nobody holds {row.role}: {way}", None, since_ms, cycle_ends_ms(now_ms), row.id)
        yield from _to_hand_over(view, terms, current, now_ms)
    for made, term in open_calls(view, now_ms):
        what = f"Look at the pause of “{spoken_kind(made.kind)}” in {term.role}: resume or revoke it"
        yield Due(what, None, made.since_ms, term.until_ms, made.id, role=term.role)


def _ending(view: View, current: Term, terms: Sequence[Term], now_ms: int) -> Iterator[Due]:
    since_ms = max(current.since_ms, current.until_ms - SOON_DAYS * DAY_MS)
    later = [term for term in terms if now_ms < term.since_ms < term.until_ms]
    if now_ms < since_ms:
        return
    if not any(term.holder == current.holder for term in later):
        what = f"Your term as {current.role} ends: write down what you hand over"
        yield Due(what, current.holder, since_ms, current.until_ms, current.id)
    if not later:
        renewal = ", or renew it with reasons" if can_renew(view, current, now_ms) else ""
        what = f"The term as {current.role} ends: choose who is next{renewal}"
        yield Due(what, None, since_ms, current.until_ms, current.id, role=current.role)


def _to_hand_over(view: View, terms: Sequence[Term], current: Term | None, now_ms: int) -> Iterator[Due]:
    grace_ms = view.parameter(GRACE_DAYS, now_ms) * DAY_MS
    for term in terms:
        over = term.since_ms < term.until_ms <= now_ms < term.until_ms + grace_ms
        if over and is_missing(view, term, current, now_ms):
            what = f"Hand over what you held as {term.role}: what is open, who is waiting, where things are"
            yield Due(what, term.holder, term.until_ms, term.until_ms + grace_ms, term.id)


def _to_read(view: View, current: Term, now_ms: int) -> Iterator[Due]:
    """What the term before left, for the holder and the shadow of this one: from when there is something for them to read."""
    pack = left_before(view, current.role, current.since_ms)
    if pack is None:
        return
    drawn = drawn_for(view, "shadow", current.id)
    shadows = [(member, drawn.drawn_ms) for member in seated(view, drawn)] if drawn else []
    what = f"Read what was handed over for {current.role}: what is open, who is waiting, where things are"
    for member, from_ms in [(current.holder, current.since_ms), *shadows]:
        since_ms = max(current.since_ms, pack.at_ms, from_ms)
        until_ms = min(current.until_ms, since_ms + READ_DAYS * DAY_MS)
        if member != pack.author and since_ms <= now_ms < until_ms:
            yield Due(what, member, since_ms, until_ms, pack.id)


def left_before(view: View, role: str, before_ms: int) -> Handover | None:
    """The handover of the term that ran last before an instant, whoever held it; None if none was written."""
    begun = [term for term in view.all(TERMS, role=role, order="-since_ms") if term.since_ms < before_ms]
    ran = next((term for each in begun if (term := as_held(view, each)).since_ms < term.until_ms), None)
    return handover_of(view, ran) if ran else None


def handover_of(view: View, term: Term) -> Handover | None:
    """What was last handed over of a term, as far as this view may see it."""
    return next(iter(view.all(HANDOVERS, term=term.id, order="-position", limit=1)), None)


def is_missing(view: View, term: Term, current: Term | None, now_ms: int) -> bool:
    """Whether the handover of a term that is over is still to be written, by somebody who is here and has not gone on."""
    if current and current.holder == term.holder:
        return False
    return is_live(view.get(MEMBERSHIPS, term.holder), now_ms) and handover_of(view, term) is None


def has_lot(view: View, purpose: str, subject: bytes, now_ms: int) -> bool:
    """Whether a lot for this was drawn or is under way."""
    return any(phase(lot, now_ms) != FAILED for lot in lots_for(view, purpose, subject))


def can_renew(view: View, term: Term, now_ms: int) -> bool:
    """Whether the protocol allows one more term in a row."""
    return in_a_row(view, term) < view.parameter(CONSECUTIVE, now_ms)


def open_calls(view: View, now_ms: int) -> tuple[tuple[Call, Term], ...]:
    """Calls of shadows that the assembly has not answered, each with the term in which the permission rests now."""
    found = []
    for made in view.all(CALLS, outcome="", order="since_ms"):
        called = view.get(TERMS, made.term)
        for term in terms_of(view, called.role) if called else ():
            grant = view.get(GRANTS, term.id, made.kind, term.holder)
            if called and term.holder == called.holder and holds(term, now_ms) and grant and grant.paused:
                found.append((made, term))
    return tuple(found)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """How many roles are held, vacant, paused and without a shadow; how much one person holds, and for how long."""
    rows = roles_at(view, now_ms)
    held = [term for row in rows if (term := term_of(view, row.role, now_ms))]
    return {
        "roles.held": len(held),
        "roles.vacant": len(rows) - len(held),
        "roles.most-by-one": max(Counter(term.holder for term in held).values(), default=0),
        "roles.paused": len(open_calls(view, now_ms)),
        "roles.without-shadow": sum(not standing(view, "shadow", term.id) for term in held),
        "roles.longest-held": max(longest_held(view, now_ms).values(), default=0),
    }


def cycle_ends_ms(now_ms: int) -> int:
    """The next new moon, or never where none is known any more."""
    try:
        return moon.cycle_bounds(moon.cycle_at(now_ms))[1]
    except moon.OutsideTable:
        return FOREVER_MS
