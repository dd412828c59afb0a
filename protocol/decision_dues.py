"""What is due about decisions, their figures, and what the summary says: all of it follows from rows and a moment.

Of a round whose answers are hidden this says who has not answered yet, as it does of any other, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from protocol import moon
from protocol.criteria import failing
from protocol.deciding import (
    DAY_MS,
    IN_FORCE,
    LAPSED,
    NOT_MET,
    ON_AGENDA,
    OUTCOMES,
    THEORIES,
    Outcome,
    Proposal,
    Round,
    answered,
    is_over,
    lapses_ms,
    leave_of,
    open_proposals,
    open_rounds,
    planned,
    standing,
    stands,
    voters,
)
from protocol.membership import MEMBERSHIPS
from protocol.practice import FOREVER_MS, Due, Least, Own, View
from protocol.terms import spoken_kind
from protocol.voting import STOPPED

SOON_DAYS = 14  # before a review, and after a sunset
ANSWERS = "An answer from each who has given none."
COUNT = "Somebody who has the answers counted."
CARRY_OUT = "Somebody who does it, exactly as it was decided."
JUDGE = "A look at whether it did what it was for, and a proposal that says so."
LOOK_AGAIN = "A proposal to judge it, to decide it anew, or to end it."
ANEW = "Nothing, if nobody misses it; else a new proposal."


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Proposals to talk about, answers that are missing, rounds to count, acts to carry out, and fuses."""
    titles: dict[bytes, Proposal] = {}
    for row in open_proposals(view, now_ms):
        titles[row.id] = row
        if row.round is None:
            what = f"“{row.title}” is proposed: ask, react, amend it, or call for answers"
            yield Due(what, None, row.since_ms, lapses_ms(view, row, now_ms), row.id, _talk(view, row))
    rounds = open_rounds(view)
    members = view.all(MEMBERSHIPS) if rounds else ()
    for round_ in rounds:
        if round_.proposal in titles:
            title = titles[round_.proposal].title
            may = voters(round_, members, min(now_ms, round_.closes_ms))
            missing = may - answered(view, round_)
            yield from _round(round_, title, missing, now_ms, done=not missing and is_over(view, round_, now_ms))
    for outcome in view.all(OUTCOMES, accepted=True, order="-sunset_ms", sunset_ms=Least(now_ms - SOON_DAYS * DAY_MS)):
        yield from _outcome(view, outcome, now_ms)


def _round(round_: Round, title: str, missing: set[bytes], now_ms: int, *, done: bool) -> Iterator[Due]:
    if now_ms >= round_.closes_ms:
        yield Due(f"The round on “{title}” is over: count it", None, round_.closes_ms, FOREVER_MS, round_.id, COUNT)
    elif done:
        what = f"All have answered on “{title}”: it can be counted now"
        yield Due(what, None, round_.called_ms, round_.closes_ms, round_.id, COUNT)
    else:
        what = f"Answer the call on “{title}”"
        for member in sorted(missing):
            yield Due(what, member, round_.called_ms, round_.closes_ms, round_.id)


def _outcome(view: View, row: Outcome, now_ms: int) -> Iterator[Due]:
    state = stands(row, now_ms)
    if row.since_ms <= now_ms < row.act_until_ms:
        leave, plan = leave_of(view, row), planned(view, row)
        if leave and plan and leave.until_ms > now_ms:
            what = f"Carry out “{row.title}”: {spoken_kind(plan.kind)}"
            yield Due(what, None, row.since_ms, leave.until_ms, row.id, CARRY_OUT)
    if row.is_settled:
        yield from _left_undone(view, row, now_ms)
    elif state == IN_FORCE and now_ms >= row.review_ms - SOON_DAYS * DAY_MS:
        since_ms = max(row.since_ms, row.review_ms - SOON_DAYS * DAY_MS)
        yield Due(f"Judge “{row.title}”: did it do what it was for?", None, since_ms, row.review_ms, row.id, JUDGE)
    elif state == ON_AGENDA:
        since_ms = row.judged_ms if row.judged == NOT_MET else row.review_ms
        what = f"Back on the agenda: “{row.title}”. {why_back(view, row)}"
        yield Due(what, None, since_ms, row.sunset_ms, row.id, LOOK_AGAIN)
    elif state == LAPSED and now_ms < row.sunset_ms + SOON_DAYS * DAY_MS:
        what = f"“{row.title}” has lapsed and binds nobody: propose it anew if it is wanted"
        yield Due(what, None, row.sunset_ms, row.sunset_ms + SOON_DAYS * DAY_MS, row.id, ANEW, over=True)


def _left_undone(view: View, row: Outcome, now_ms: int) -> Iterator[Due]:
    """What was decided for one act, and nobody did."""
    leave = leave_of(view, row) if row.sunset_ms <= now_ms < row.sunset_ms + SOON_DAYS * DAY_MS else None
    if leave and leave.until_ms == row.act_until_ms:
        what = f"Nobody did what “{row.title}” decided, and the leave for it has lapsed: propose it anew if it is wanted"
        yield Due(what, None, row.sunset_ms, row.sunset_ms + SOON_DAYS * DAY_MS, row.id, ANEW, over=True)


def _talk(view: View, row: Proposal) -> str:
    """What a proposal needs that is in no round."""
    rounds = view.all(OUTCOMES, proposal=row.id)
    last = max(rounds, key=lambda each: each.position) if rounds else None
    if last and last.result == STOPPED and row.versions == last.version:
        return "Another version that takes up what was objected to."
    if last:
        return "A look at why it was not decided, and a new call."
    if row.strategic and not view.all(THEORIES, proposal=row.id, limit=1):
        return "Talk about it, and a theory of change before anybody can call."
    return "Talk about it; a call for answers, once it is ready."


def why_back(own: Own, row: Outcome) -> str:
    """Why a decision is back on the agenda, in a sentence or more: also what figures show that was not wanted."""
    why = "Nobody judged it by the day that it named."
    if row.judged == NOT_MET:
        why = "It was judged, and did not do what it was for."
    return " ".join([why, *(each.said for each in failing(own, row))])


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """How much is open, how much binds, and how much of that nobody has looked at."""
    held = standing(view, now_ms)
    try:
        since_ms = moon.new_moon_ms(moon.cycle_at(now_ms))
    except moon.OutsideTable:
        since_ms = now_ms
    ending = view.all(OUTCOMES, accepted=True, sunset_ms=Least(since_ms))
    return {
        "decisions.open": len(open_proposals(view, now_ms)),
        "decisions.rounds-open": sum(now_ms < row.closes_ms for row in open_rounds(view)),
        "decisions.standing": len(held),
        "decisions.unjudged": sum(stands(row, now_ms) == ON_AGENDA for row in held),
        "decisions.lapsed": sum(stands(row, now_ms) == LAPSED for row in ending),
    }


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """How much is proposed and how much binds, in public."""
    return {"proposed": len(open_proposals(view, now_ms)), "binding": len(standing(view, now_ms))}
