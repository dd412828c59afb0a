"""Decisions: proposals, debate, rounds of answers, outcomes with a fuse, and leave for exactly what was decided.

- A proposal has versions; anybody may write one. A call puts one of them to all by rules that nobody changes (`polling`).
- A strategic shift takes a theory of change before it can be called. What was objected to is called anew only in a later
  version that takes up each objection; an objection ends when its author answers otherwise.
- An outcome that is accepted has a fuse, and gives leave for the act that was planned, once, for a while (`protocol.mandate`).
  The act is for those for whom it was decided: what members decided among themselves gives no leave for anything public. It
  takes two hands in favour where there are two members.
- Nobody stops a fuse alone: judging a decision takes a decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from protocol import encoding
from protocol.criteria import failing, met_from_ms
from protocol.deciding import (
    DISSENTS,
    END,
    JUDGEMENTS,
    MET,
    OUTCOMES,
    PARAMETERS,
    PROPOSALS,
    ROUNDS,
    SAYINGS,
    TABLES,
    THEORIES,
    VERSIONS,
    VOTES,
    Dissent,
    Judgement,
    Outcome,
    Plan,
    Proposal,
    Saying,
    Theory,
    Version,
    binds,
    plans_of,
    spell,
    stands,
)
from protocol.decision_blocks import page
from protocol.decision_dues import due, figures, state
from protocol.decision_story import about
from protocol.figure import find, near
from protocol.judge import spoken_time
from protocol.mandate import DECISION
from protocol.polling import (
    call,
    cast,
    close,
    fuse_of,
    is_stop,
    open_proposal,
    prepare_call,
    prepare_cast,
    prepare_close,
    proposal_of,
    stopped,
)
from protocol.practice import (
    FOREVER_MS,
    PUBLIC,
    Act,
    Change,
    Kind,
    Own,
    Practice,
    Refused,
    View,
)
from protocol.proposal import (
    Amended,
    Called,
    Cast,
    Closed,
    Discussed,
    Dissented,
    Judged,
    Proposed,
    Stated,
    Withdrawn,
)
from protocol.record import NAMED
from protocol.wording import counted

# Proposing and talking


def propose(own: Own, act: Act[Proposed]) -> Iterator[Change]:
    """Something to decide on, in its first version."""
    body, at_ms = act.body, act.logged_ms
    if act.audience >= NAMED:
        raise Refused("Who decides has to see it: a proposal is for everybody, for allies or for members. Choose one of these.")
    if body.strategic and act.audience != PUBLIC:
        raise Refused("A strategic shift is public, and so is how it is meant to work. Leave the audience as it is.")
    _check_options(body.options, body.plans)
    if body.renews is not None:
        own.need(OUTCOMES, body.renews, what="decision to renew")
    yield PROPOSALS.put(
        Proposal(
            act.space, act.digest, act.position, act.audience, act.member, body.title, body.strategic, body.renews, at_ms,
            at_ms, 1, None, None, True, FOREVER_MS, body.why, body.binds, "",
        )
    )  # fmt: skip
    yield VERSIONS.put(
        Version(
            act.space, act.digest, 1, act.digest, act.member, at_ms, spell(body.options), spell(body.plans), b"", body.text, "",
            body.said,
        )
    )  # fmt: skip


def amend(own: Own, act: Act[Amended]) -> Iterator[Change]:
    """A new version; those before it stay."""
    body, at_ms = act.body, act.logged_ms
    row = open_proposal(own, act, body.proposal)
    last = own.need(VERSIONS, row.id, row.versions, what="version")
    if body.changes_act:
        _check_options(body.options, body.plans)
        options, plans, said = spell(body.options), spell(body.plans), body.said
    elif body.options or body.plans:
        raise Refused("Other options or another act: set this, or leave options and planned acts empty: then they stay.")
    else:
        options, plans, said = last.options, last.plans, last.said
    for each in body.integrates:
        if not _is_raised(own, row, each):
            raise Refused("Answers: this is no objection or concern about this proposal. Choose it from the proposal's page.")
    number = row.versions + 1
    yield VERSIONS.put(
        Version(
            act.space, row.id, number, act.digest, act.member, at_ms, options, plans, b"".join(dict.fromkeys(body.integrates)),
            body.text, body.note, said,
        )
    )  # fmt: skip
    yield PROPOSALS.patch(row.id, versions=number, touched_ms=at_ms)


def _is_raised(own: Own, row: Proposal, digest: bytes) -> bool:
    if any(each.proposal == row.id for each in own.all(SAYINGS, id=digest)):
        return True
    rounds = [own.get(ROUNDS, vote.round) for vote in own.all(VOTES, id=digest)]
    return any(round_ is not None and round_.proposal == row.id for round_ in rounds)


def discuss(own: Own, act: Act[Discussed]) -> Iterator[Change]:
    """A question, a reaction, a concern, an answer, or words on the outcome."""
    body, at_ms = act.body, act.logged_ms
    row = proposal_of(own, act, body.proposal)
    if body.sort == "answer" and body.about is None:
        raise Refused("About: an answer names the question or concern that it answers. Begin from its button.")
    if body.about is not None and not _is_raised(own, row, body.about):
        raise Refused("About: this was not said about this proposal. Choose it from the proposal's page.")
    if body.sort == "outcome" and row.is_open:
        raise Refused("What it is: nothing is decided yet, so there is no outcome to speak of. Choose another.")
    yield SAYINGS.put(Saying(act.space, row.id, act.position, act.digest, body.sort, act.member, at_ms, body.about, body.words))
    if row.is_open:
        yield PROPOSALS.patch(row.id, touched_ms=at_ms)


def state_theory(own: Own, act: Act[Stated]) -> Iterator[Change]:
    """How a strategic shift is meant to work; the latest one is what counts."""
    body, at_ms = act.body, act.logged_ms
    row = open_proposal(own, act, body.proposal)
    yield THEORIES.put(
        Theory(
            act.space, row.id, act.position, act.digest, act.member, at_ms, body.sought, body.path, body.assumptions,
            body.wrong_if, body.gains, body.funds, body.dissent,
        )
    )  # fmt: skip
    yield PROPOSALS.patch(row.id, touched_ms=at_ms)


def dissent(own: Own, act: Act[Dissented]) -> Iterator[Change]:
    """That somebody does not share it: at any time, also long after."""
    row = proposal_of(own, act, act.body.proposal)
    yield DISSENTS.put(Dissent(act.space, row.id, act.position, act.digest, act.member, act.logged_ms, act.body.words))


def withdraw(own: Own, act: Act[Withdrawn]) -> Iterator[Change]:
    """Who proposed it takes it back, but not out of a round that is open."""
    row = open_proposal(own, act, act.body.proposal)
    if row.proposer != act.member:
        raise Refused("A proposal is withdrawn by who made it. You can record dissent, or answer the call.")
    if row.round is not None:
        raise Refused("A round is open, and nobody stops it alone. It closes by itself; until then answers can be changed.")
    yield PROPOSALS.patch(row.id, is_open=False, withdrawn_ms=act.logged_ms, withdrawn=act.body.reasons)


def _check_options(options: Sequence[str], plans: Sequence[Plan]) -> None:
    if len(options) == 1 or len(set(options)) != len(options):
        raise Refused("Options: at least two, each another; or none, for yes or no.")
    if len({plan.option for plan in plans}) != len(plans):
        raise Refused("Planned act: each option leads to one act at most.")
    known = range(1, len(options) + 1) if options else (0,)
    for plan in plans:
        if plan.option not in known:
            raise Refused("Planned act: there is no such option. Use its number, or 0 where there are none.")
        try:
            structure = encoding.decode(plan.structure)
        except encoding.EncodingError as error:
            raise Refused(
                "Planned act: it is not as its form gave it. Begin from the button on the page of what you propose."
            ) from error
        if not isinstance(structure, dict):
            raise Refused("Planned act: it is not as its form gave it. Begin from the button on the page of what you propose.")


# At the fuse


def judge(own: Own, act: Act[Judged]) -> Iterator[Change]:
    """What members found when they looked at a decision again."""
    body, at_ms = act.body, act.logged_ms
    row = own.need(OUTCOMES, body.decision, what="decision")
    if row.scope != act.audience:
        raise Refused("Who may read it: a decision is judged for the same audience as it was made. Leave it as it is.")
    if not binds(row, at_ms):
        raise Refused(f"This decision is {stands(row, at_ms)}, so there is nothing to judge. Propose it anew if it is wanted.")
    if body.verdict != MET and (body.review_cycle or body.sunset_cycle):
        raise Refused("Next review: only what was met gets a later date. Leave both dates empty.")
    if body.verdict == MET:
        _by_its_figures(own, row, at_ms)
    judged: dict[str, Any] = {
        "judged": body.verdict, "judged_ms": at_ms, "judged_by": act.digest, "reviews": row.reviews + 1, "found": body.found,
    }  # fmt: skip
    judged["is_settled"] = False
    if body.verdict == MET:
        judged["review_ms"], judged["sunset_ms"] = fuse_of(own, body.review_cycle, body.sunset_cycle, at_ms, at_ms)
    if body.verdict == END:
        judged["ended_ms"] = at_ms
    yield OUTCOMES.patch(row.id, **judged)
    yield JUDGEMENTS.put(
        Judgement(
            act.space, row.id, act.position, act.digest, act.member, body.verdict, at_ms,
            judged.get("review_ms", row.review_ms), judged.get("sunset_ms", row.sunset_ms), body.found,
        )
    )  # fmt: skip


def _by_its_figures(own: Own, row: Outcome, at_ms: int) -> None:
    """What figures were to show, no word stands in for."""
    if at_ms < met_from_ms(row):
        raise Refused(
            f"Figures are to show at its date whether it is met. From {spoken_time(met_from_ms(row))} on, when they are known, "
            "it can be judged as that."
        )
    for each in failing(own, row):
        raise Refused(f"{each.said} So it is not met: judge it as that, let it end, or decide anew with other criteria.")


# Advice before a record is written


def advise_call(view: View, body: Called) -> str:
    """Whether figures are meant that this node does not know, or nothing says how to tell whether it worked."""
    for each in body.criteria:
        if find(each.figure) is None:
            like = f" Do you mean {near(each.figure)}?" if near(each.figure) else ""
            return f"Nobody measures {each.figure} here, so it cannot help to judge.{like}"
    version = view.get(VERSIONS, body.proposal, body.version)
    lasts = body.type != "advice" and version is not None and not plans_of(version)
    if lasts and not body.criteria and not body.measures.strip():
        return "Nothing says by what you will tell whether it works. A sentence or a figure now helps to judge it at its date."
    return ""


def advise_cast(view: View, body: Cast) -> str:
    """Whether an objection says why, so that it can be taken up."""
    round_ = view.get(ROUNDS, body.round)
    if round_ and is_stop(round_.type, body.choice.strip().lower()) and not body.reasons.strip():
        return "An objection without reasons is hard to take up. Say what would be harmed, and how."
    return ""


def advise_amendment(view: View, body: Amended) -> str:
    """Whether there are objections that this version does not take up."""
    rounds = sorted(view.all(ROUNDS, proposal=body.proposal), key=lambda row: row.position)
    left = stopped(view, rounds[-1]) - set(body.integrates) if rounds and not rounds[-1].is_open else set()
    if left:
        return f"{counted(len(left), 'objection').capitalize()} from the last round would not be taken up by this version."
    return ""


KINDS = (
    Kind(
        "decision.proposed/1", "Propose something", Proposed, propose,
        consequence="Everybody can ask, react and write other versions. Nothing is decided before somebody calls for it.",
        help="Say what is to be decided, why, and whom it binds.",
    ),
    Kind(
        "decision.discussed/1", "Say something about a proposal", Discussed, discuss,
        consequence="It stays readable beside what is decided.",
        help="Ask, react, raise a concern, or answer.",
    ),
    Kind(
        "theory.stated/1", "State a theory of change", Stated, state_theory,
        consequence="It stands beside the proposal for good, and shows later whether we were right.",
        help="Say how a strategic shift is meant to work, and what would prove it wrong.",
    ),
    Kind(
        "decision.amended/1", "Write another version", Amended, amend, advise_amendment,
        consequence="The versions before it stay readable; a call names the one that is decided on.",
        help="Change what is proposed, and say which objections and concerns that takes up.",
    ),
    Kind(
        "decision.called/1", "Call for answers", Called, call, advise_call, prepare=prepare_call,
        consequence="From this minute the rules of the round are fixed: nobody changes them, and nobody stops it alone.",
        help="Put one version to all, by consent, consensus, advice, majority, gradients or ranked.",
    ),
    Kind(
        "vote.cast/1", "Answer a call", Cast, cast, advise_cast, prepare=prepare_cast,
        consequence="It counts once. You can change it until the round closes.",
        help="Give your answer, or write down that of somebody who told you.",
    ),
    Kind(
        "decision.closed/1", "Close a round", Closed, close, needs="", prepare=prepare_close,
        consequence="The answers are counted, and what was decided holds from this minute on.",
        help="Count a round whose time is over, or that all have answered themselves.",
    ),
    Kind(
        "decision.judged/1", "Judge a decision", Judged, judge, needs=DECISION,
        consequence="If met, it stands until the next date. If not, it is back on the agenda, and ends at its sunset.",
        help="Say whether a decision did what it was for.",
    ),
    Kind(
        "decision.withdrawn/1", "Withdraw a proposal", Withdrawn, withdraw,
        consequence="Nobody can call for it any more. What was said stays readable.",
        help="Take back what you proposed.",
    ),
    Kind(
        "dissent.recorded/1", "Record dissent", Dissented, dissent,
        consequence="It stands beside the decision for good, under your name.",
        help="Say that you see it otherwise, at any time.",
    ),
)  # fmt: skip

PRACTICE = Practice(
    name="decisions",
    title="Decisions",
    room="assembly",
    about="What we decide, how it came about, until when it holds, and what we say when its time is over.",
    tables=TABLES,
    kinds=KINDS,
    parameters=PARAMETERS,
    due=due,
    figures=figures,
    state=state,
    page=page,
    record=about,
)
