"""What the page of decisions says: open rounds, proposals by stage, what binds us and until when, what is back, what is over.

Of a round whose answers are hidden a page says how many have answered, and nothing that differs by what they answered.

Example::

    yield from page(view, now_ms)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protocol.deciding import (
    CLOSE,
    ENDED,
    IN_FORCE,
    LAPSED,
    ON_AGENDA,
    OPEN,
    OUTCOMES,
    OWN,
    PROPOSALS,
    ROUNDS,
    SETTLED,
    Outcome,
    Proposal,
    Round,
    answered,
    binds,
    electorate,
    open_proposals,
    open_rounds,
    standing,
    stands,
)
from protocol.decision_dues import why_back
from protocol.membership import name_of
from protocol.page import Action, Block, Cell, Grid, Heading, Ref, Span, State, Text, Timeline, When
from protocol.practice import FOREVER_MS, View
from protocol.voting import ADVICE, CONSENSUS, CONSENT, GRADIENTS, MAJORITY, RANKED, STOPPED, TIED, TYPES
from protocol.wording import counted

SHOWN = 30
LATEST = 400  # outcomes, the newest first, among which those that are over are looked for
WAYS = {
    CONSENT: "Holds unless somebody objects because it would harm us. A concern is written down and stops nothing. Objections"
    " are taken up in another version.",
    CONSENSUS: "Everybody can live with it: nobody blocks, and of those who agree or stand aside most agree.",
    ADVICE: "Those who know or are affected are heard; who proposed decides. It gives leave for nothing.",
    MAJORITY: "More than half of those who say yes or no, or name an option; or a larger share. A tie decides nothing.",
    GRADIENTS: "Eight steps from a wholehearted yes to a block. Nobody blocks, and more are in favour than against.",
    RANKED: "Options in the order in which you prefer them. The one that more people rank higher, against each other one, is"
    " chosen. If there is none, it is a tie and decides nothing.",
}
HIDDEN = {
    OPEN: "read by all at once",
    OWN: "hidden from those who have not answered",
    CLOSE: "hidden until the round is over",
}
LOOKED_AT, ENDS = "until it is looked at again", "then until it ends by itself"
FUSE = "in a plain line until it is looked at again, dashed until it ends by itself"
_TONES = {IN_FORCE: "good", ON_AGENDA: "warn", LAPSED: "calm", SETTLED: "good", ENDED: "calm", STOPPED: "warn", TIED: "warn"}


def mark_of(row: Outcome, now_ms: int) -> State:
    """Where an outcome stands, as a mark."""
    word = stands(row, now_ms)
    return State(word, _TONES.get(word, "calm"))


def page(view: View, now_ms: int) -> Iterator[Block]:
    """Rounds, proposals, what binds us, what is back on the agenda, what has ended, and the ways to decide."""
    yield Heading("Decisions")
    yield Text(
        "A proposal says what, why and whom it binds. Others ask, react and amend it; then somebody calls for answers. What is"
        " decided holds until a date that it names itself, and is looked at again before."
    )
    yield Action("decision.proposed/1", {}, "Propose something")
    yield from _rounds(view, now_ms)
    yield from _proposals(view, now_ms)
    yield from _back(view, now_ms)
    yield from _binding(view, now_ms)
    yield from _past(view, now_ms)
    yield Heading("Ways to decide")
    yield Grid("What each way means", ("Way", "In words"), [[type_, WAYS[type_]] for type_ in TYPES])


def answers_in(view: View, round_: Round, now_ms: int) -> str:
    """How many of those who may vote have answered."""
    may = electorate(view, round_, min(now_ms, round_.closes_ms, round_.closed_ms))
    return f"{len(may & answered(view, round_))} of {len(may)}"


def _rounds(view: View, now_ms: int) -> Iterator[Block]:
    rows: list[list[Cell]] = []
    rounds = [(row, view.get(PROPOSALS, row.proposal)) for row in open_rounds(view)]
    for round_, proposal in rounds:
        if proposal:
            over = now_ms >= round_.closes_ms
            mark = State("over, to be counted", "warn") if over else State("open", "good")
            rows.append([
                Ref(proposal.id, "record", proposal.title), mark, round_.type, answers_in(view, round_, now_ms),
                When(round_.closes_ms), HIDDEN[round_.hidden],
            ])  # fmt: skip
    yield Heading("Waiting for answers")
    yield Grid(
        "Open rounds", ("What", "", "Way", "Answered", "Until", "Answers are"), rows,
        "No round is open. When a proposal is ready, anybody can call for answers on its page.",
    )  # fmt: skip
    for round_, proposal in rounds:
        if proposal and now_ms < round_.closes_ms:
            yield Action("vote.cast/1", {"round": round_.id.hex()}, f"Answer: {proposal.title}", round_.scope)


def stage(view: View, row: Proposal) -> State:
    """How far a proposal is."""
    if row.round is not None:
        return State("a round is open", "good")
    rounds = view.all(OUTCOMES, proposal=row.id)
    if not rounds:
        return State("being talked about")
    last = max(rounds, key=lambda each: each.position)
    if last.result == STOPPED:
        later = row.versions > last.version
        return State("taken up, to be called again" if later else "objected to, wants another version", "warn")
    return State(f"{last.result}, can be called again", "warn")


def _proposals(view: View, now_ms: int) -> Iterator[Block]:
    rows: list[list[Cell]] = [
        [
            Ref(row.id, "record", row.title), stage(view, row), Ref(row.proposer, "member", name_of(view, row.proposer)),
            When(row.since_ms), counted(row.versions, "version"), "strategic" if row.strategic else "",
        ]
        for row in open_proposals(view, now_ms)
    ]  # fmt: skip
    yield Heading("Proposals")
    yield Grid(
        "What is proposed", ("What", "Stage", "By", "Since", "Text", ""), rows,
        "Nothing is proposed. Begin with something small that is decided anyway, so that the next one can look it up.",
    )  # fmt: skip


def _back(view: View, now_ms: int) -> Iterator[Block]:
    back = [row for row in standing(view, now_ms) if stands(row, now_ms) == ON_AGENDA]
    rows: list[list[Cell]] = [[Ref(row.id, "record", row.title), why_back(view, row), When(row.sunset_ms)] for row in back]
    yield Heading("Back on the agenda")
    yield Grid(
        "What has to be looked at again", ("Decision", "Why", "Ends by itself"), rows,
        "Nothing. A decision that nobody judges by its day comes here by itself, and ends at its sunset.",
    )  # fmt: skip


def _binding(view: View, now_ms: int) -> Iterator[Block]:
    held = standing(view, now_ms)
    rows: list[list[Cell]] = [
        [
            Ref(row.id, "record", row.title), mark_of(row, now_ms), When(row.since_ms), When(row.review_ms),
            When(row.sunset_ms), counted(row.reviews, "time") if row.reviews else "not yet",
        ]
        for row in held
    ]  # fmt: skip
    yield Heading("What binds us")
    yield Grid(
        "Standing decisions", ("Decision", "", "Since", "Looked at again", "Ends", "Judged"), rows,
        "Nothing is decided yet. What is decided stands here until its sunset.",
    )  # fmt: skip
    if held:
        yield Timeline(f"Decisions and their fuses: {FUSE}", fuses(held[:SHOWN]), now_ms)


def fuses(rows: Sequence[Outcome]) -> list[Span]:
    """From the decision to its review, and from there to its sunset, in one row under its title."""
    spans = []
    for row in rows:
        review_ms = min(max(row.since_ms, row.review_ms), row.sunset_ms)
        spans.append(Span(row.title, row.since_ms, max(row.since_ms, review_ms), LOOKED_AT, row.title, "good"))
        if row.sunset_ms > review_ms >= row.since_ms:
            spans.append(Span(row.title, review_ms, row.sunset_ms, ENDS, row.title, "warn"))
    return spans


def _past(view: View, now_ms: int) -> Iterator[Block]:
    latest = view.all(OUTCOMES, order="-since_ms", limit=LATEST)
    over = [row for row in latest if row.since_ms <= now_ms and not binds(row, now_ms)][:SHOWN]
    rows: list[list[Cell]] = [
        [Ref(row.id, "record", row.title), mark_of(row, now_ms), row.type, When(row.since_ms), _ended(row)] for row in over
    ]
    yield Heading("No longer, and not")
    yield Grid(
        "What has lapsed or ended, and what was not accepted", ("What", "", "Way", "Counted", "Ended"), rows,
        "Nothing has ended. An end is no failure: what is missed can be proposed anew.",
    )  # fmt: skip


def _ended(row: Outcome) -> Cell:
    ended_ms = min(row.sunset_ms, row.ended_ms)
    return When(ended_ms) if row.accepted and ended_ms < FOREVER_MS else ""


def rounds_of(view: View, proposal: bytes) -> list[Round]:
    """The rounds on a proposal, in order."""
    return sorted(view.all(ROUNDS, proposal=proposal), key=lambda row: row.position)
