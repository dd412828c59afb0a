"""Rounds: calling one, answering, and counting; the rules of three records of the practice of decisions.

- What holds for a round is written into its row when it is called, and never looked up again: type, quorum, share, until when
  answers are hidden, when it closes, whom it concerns, the fuse of what it decides.
- A member has one answer, the last one until the close. An answer that somebody else wrote down gives way to the member's own,
  never the other way round, and one member writes down few.
- Where somebody has no vote because it concerns them, what is decided gives leave for the act that was planned and binds nobody
  beyond that: nobody keeps others from voting on what is to bind them.
- It closes when its time is over, or when all have answered themselves, and is counted as of that moment: who left before does
  not count. An answer in somebody else's hand does not end it early, because it would be too late for one's own.
- Hidden answers are sealed ballots (`protocol.ballot`), opened by the secret that the closing record carries.

Example::

    Kind("vote.cast/1", "Answer a call", Cast, cast, prepare=prepare_cast)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from protocol import ballot, encoding
from protocol.deciding import (
    CARRY_OUT,
    CONSENSUS_SHARE,
    DAY_MS,
    FOR_OTHERS,
    HOUR_MS,
    KEPT,
    LEAST_HOURS,
    LONGEST_DAYS,
    OPEN,
    OUTCOMES,
    PROPOSALS,
    QUORUM,
    REVIEW,
    ROUNDS,
    SHARE,
    SUNSET,
    THEORIES,
    UNOPENED,
    VERSIONS,
    VOTE_DAYS,
    VOTES,
    Outcome,
    Plan,
    Proposal,
    Round,
    Version,
    Vote,
    electorate,
    is_over,
    lapses_ms,
    may_answer,
    may_vote,
    options_of,
    plans_of,
    spell,
    too_few_voices,
    voices,
)
from protocol.fuse import cycles_later_ms, fuse_ms
from protocol.judge import require, spoken_time
from protocol.mandate import ANYBODY, CLOCK, act_name_of
from protocol.membership import MEMBER, MEMBERSHIPS, is_live, members_at
from protocol.practice import (
    FOREVER_MS,
    GRANTS,
    KEYS,
    Act,
    Change,
    Grant,
    Own,
    Refused,
    Secrets,
    View,
    keys,
)
from protocol.proposal import (
    Called,
    Cast,
    Closed,
)
from protocol.voting import (
    ACCEPTED,
    ADVICE,
    ADVISED,
    ANSWERS,
    CONSENSUS,
    MAJORITY,
    RANKED,
    STOPS,
    Ballot,
    Tally,
    count,
    read_choice,
)
from protocol.wording import counted

MINUTE_MS = 60_000
LEAST_LEAVE_MS = 7 * DAY_MS
UNOPENED_DAYS = 7  # after which a hidden round whose secret nobody gives is closed without being counted


# Which proposal


def proposal_of(own: Own, act: Act[Any], proposal: bytes) -> Proposal:
    row = own.need(PROPOSALS, proposal, what="proposal")
    if row.scope != act.audience:
        raise Refused("Who may read it: all about a proposal is written for the same audience. Leave it as the form gives it.")
    return row


def open_proposal(own: Own, act: Act[Any], proposal: bytes) -> Proposal:
    row = proposal_of(own, act, proposal)
    if row.withdrawn_ms <= act.logged_ms:
        raise Refused("This proposal was withdrawn. Propose it anew if it is wanted.")
    if not row.is_open:
        raise Refused("This is decided already. To change it, propose something that takes its place.")
    if act.logged_ms >= lapses_ms(own, row, act.logged_ms):
        raise Refused(
            f"This proposal has lapsed: nobody touched it for {counted(own.parameter(KEPT, act.logged_ms), 'cycle')}."
            " Propose it anew."
        )
    return row


# Calling


def call(own: Own, act: Act[Called]) -> Iterator[Change]:
    """Put one version to all; what holds for the round is written down here and not looked up again."""
    body, at_ms = act.body, act.logged_ms
    row = open_proposal(own, act, body.proposal)
    version = _callable(own, row, body)
    options, plans = options_of(version), plans_of(version)
    _check_type(body, len(options), plans)
    closes_ms = _closes_ms(own, body, at_ms)
    concerned = sorted({member for plan in plans for member in plan.concerned})
    here = members_at(own, at_ms)
    voting, hands = voices(own, plans, at_ms)
    if voting < hands:
        raise Refused(too_few_voices(voting, hands))
    is_dated = bool(body.review_cycle or body.sunset_cycle or body.criteria)
    if concerned and is_dated:
        raise Refused(
            "Review, sunset, figures: whom it concerns has no vote on this, so it gives leave for the act and binds nobody"
            " beyond that. Leave them empty; what is to bind all is proposed apart."
        )
    _check_key(own, body)
    review_ms, sunset_ms = fuse_of(own, body.review_cycle, body.sunset_cycle, closes_ms, at_ms)
    quorum, share = own.parameter(QUORUM, at_ms), own.parameter(CONSENSUS_SHARE if body.type == CONSENSUS else SHARE, at_ms)
    for label, given, least in (("Quorum", body.quorum_percent, quorum), ("Share", body.share_percent, share)):
        if 0 < given < least:
            raise Refused(f"{label}: at least {least} percent here. Leave it empty, or ask for more.")
    newest = b"".join(each.member for each in here if each.admitted_ms == at_ms)
    yield ROUNDS.put(
        Round(
            act.space, act.digest, act.position, act.audience, row.id, body.version, act.member, body.type, len(options),
            body.hidden, max(quorum, body.quorum_percent), max(share, body.share_percent), hands, at_ms, closes_ms, FOREVER_MS,
            True, newest, b"".join(concerned), body.key, body.salt, own.parameter(FOR_OTHERS, at_ms),
            own.parameter(CARRY_OUT, at_ms), is_dated, review_ms, sunset_ms,
            spell(body.criteria), body.measures,
        )
    )  # fmt: skip
    yield PROPOSALS.patch(row.id, round=act.digest, touched_ms=at_ms)


def _callable(own: Own, row: Proposal, body: Called) -> Version:
    """The version that is called; Refused if it is not ready."""
    if row.round is not None:
        raise Refused("A round on this proposal is open already. Wait until it closes.")
    version = own.get(VERSIONS, row.id, body.version)
    if version is None:
        raise Refused(f"Version: this proposal has {counted(row.versions, 'version')}. Choose one of them.")
    if row.strategic and not own.all(THEORIES, proposal=row.id, limit=1):
        raise Refused("A strategic shift takes a theory of change before it can be called. State it on the proposal's page.")
    rounds = own.all(ROUNDS, proposal=row.id)
    if rounds:
        _check_integrated(own, row, max(rounds, key=lambda each: each.position), body.version)
    return version


def _check_integrated(own: Own, row: Proposal, last: Round, version: int) -> None:
    """What was objected to last time has to be taken up by a later version, each objection."""
    later = [each for each in own.all(VERSIONS, proposal=row.id) if last.version < each.number <= version]
    left = stopped(own, last) - {digest for each in later for digest in keys(each.integrates)}
    if left:
        raise Refused(
            f"{counted(len(left), 'objection').capitalize()} from the last round {'is' if len(left) == 1 else 'are'} not taken"
            " up yet. Write a version that answers each, then call that one."
        )


def stopped(own: Own, round_: Round) -> set[bytes]:
    """The answers that stop what a round is about."""
    return {vote.id for vote in own.all(VOTES, round=round_.id) if is_stop(round_.type, vote.choice)}


def is_stop(type_: str, choice: str) -> bool:
    """Whether an answer is an objection or a block."""
    return any(answer.word == choice and answer.side == STOPS for answer in ANSWERS[type_])


def _check_type(body: Called, options: int, plans: Sequence[Plan]) -> None:
    if body.type == RANKED and not options:
        raise Refused("How it is decided: ranking takes at least two options. Amend the proposal, or choose another way.")
    if options and body.type not in (RANKED, MAJORITY):
        raise Refused("How it is decided: with several options by majority or ranked. Without options every other way is open.")
    if body.type == ADVICE and plans:
        raise Refused("How it is decided: advice decides nothing, so it gives leave for no act. Choose another way.")


def _closes_ms(own: Own, body: Called, at_ms: int) -> int:
    closes_ms = body.closes_ms or at_ms + own.parameter(VOTE_DAYS, at_ms) * DAY_MS
    least = own.parameter(LEAST_HOURS, at_ms)
    if closes_ms <= at_ms:
        raise Refused("Open until: that is over already. Choose a later time.")
    if closes_ms < at_ms + least * HOUR_MS:
        raise Refused(
            f"Open until: a round is open for at least {counted(least, 'hour')} here, so that nobody is passed over."
            " It can be closed earlier when all have answered themselves."
        )
    if closes_ms > at_ms + LONGEST_DAYS * DAY_MS:
        raise Refused(f"Open until: at most {LONGEST_DAYS} days ahead. Choose an earlier time.")
    if closes_ms % MINUTE_MS:
        raise Refused("Open until: a round closes at a whole minute, as the log counts. Leave the seconds out.")
    return closes_ms


def _check_key(own: Own, body: Called) -> None:
    if body.hidden == OPEN:
        if body.key or body.salt:
            raise Refused("Answers are open, so there is no key for ballots. Leave it empty.")
    elif len(body.key) != 32 or len(body.salt) != 16:
        raise Refused("Hidden answers take a key that the node fills in. Call it on the node's own page.")
    elif own.all(ROUNDS, key=body.key, limit=1):
        raise Refused("This key has sealed another round. Call it anew: the node makes a fresh one.")


def fuse_of(own: Own, review_cycle: int, sunset_cycle: int, from_ms: int, at_ms: int) -> tuple[int, int]:
    """(review, sunset) as given, or as the protocol says."""
    longest = own.parameter(SUNSET, at_ms)
    sunset_ms = _cycle_ms("Sunset", sunset_cycle, from_ms, longest)
    soonest = own.parameter(REVIEW, at_ms)
    review_ms = _cycle_ms("Review", review_cycle, from_ms, soonest)
    if review_ms > sunset_ms:
        if review_cycle:
            raise Refused("Review: that is after the sunset, when it binds nobody any more. Choose an earlier cycle.")
        review_ms = sunset_ms
    return review_ms, sunset_ms


def _cycle_ms(label: str, cycle: int, from_ms: int, longest: int) -> int:
    if not cycle:
        return cycles_later_ms(from_ms, longest)
    try:
        return fuse_ms(cycle, from_ms, longest)
    except Refused as refusal:
        raise Refused(f"{label}: {refusal}") from refusal


# Answering


def cast(own: Own, act: Act[Cast]) -> Iterator[Change]:
    """An answer, one's own or written down for somebody; it takes the place of an earlier one."""
    body, at_ms = act.body, act.logged_ms
    round_ = _round(own, act, body.round)
    if not round_.is_open or at_ms >= round_.closes_ms:
        raise Refused(f"This round closed at {spoken_time(min(round_.closes_ms, round_.closed_ms))}. What was answered counts.")
    member = body.for_member or act.member
    _check_voter(own, round_, member, act)
    held = own.get(VOTES, round_.id, member)
    by_self = member == act.member
    if not by_self:
        _check_hand(own, round_, held, act)
    choice = _choice(round_, body)
    yield VOTES.put(
        Vote(
            act.space, round_.id, member, act.digest, act.member, by_self, choice, body.sealed, at_ms,
            held.changes + 1 if held else 0, body.reasons if round_.hidden == OPEN else "",
        )
    )  # fmt: skip


def _round(own: Own, act: Act[Any], digest: bytes) -> Round:
    row = own.need(ROUNDS, digest, what="round")
    if row.scope != act.audience:
        raise Refused("Who may read it: a round is answered for the same audience as it was called. Leave it as it is.")
    return row


def _check_voter(own: Own, round_: Round, member: bytes, act: Act[Cast]) -> None:
    whose = "You" if member == act.member else "They"
    row = own.get(MEMBERSHIPS, member)
    if act.member in keys(round_.concerned):
        raise Refused("This concerns you, so you have no vote on it. You can speak, and record dissent.")
    if member in keys(round_.concerned):
        raise Refused("This concerns them, so they have no vote on it. They can speak, and record dissent.")
    if not is_live(row, act.logged_ms):
        raise Refused(f"{whose} are no member here now, so there is no vote to count.")
    if not may_vote(round_, row, act.logged_ms):
        raise Refused(f"{whose} came after this round was called. The next one counts your voice too.")


def _check_hand(own: Own, round_: Round, held: Vote | None, act: Act[Cast]) -> None:
    """For somebody else: by who votes in it too, never over their own answer, and for few."""
    if not may_vote(round_, own.get(MEMBERSHIPS, act.member), act.logged_ms):
        raise Refused("You came after this round was called, so somebody who votes in it writes this down.")
    if held and held.by_self:
        raise Refused("They have answered themselves, and that counts. They can change it until the close.")
    if round_.for_others == 0:
        raise Refused("For somebody else: this is not done here. They answer themselves.")
    if held and held.hand == act.member:
        return
    written = [vote for vote in own.all(VOTES, round=round_.id, hand=act.member) if not vote.by_self]
    if len(written) >= round_.for_others:
        raise Refused(
            f"For somebody else: one member writes down {counted(round_.for_others, 'answer')} for others at most."
            " Another member can do it."
        )


def _choice(round_: Round, body: Cast) -> str:
    if round_.hidden == OPEN:
        if body.sealed:
            raise Refused("Answers in this round are open, so there is nothing to seal. Answer in a word.")
        return " ".join(read_choice(round_.type, round_.options, body.choice))
    if body.choice or len(body.sealed) != ballot.SIZE:
        raise Refused("Answers in this round are sealed. Answer on the round's page, where it is done for you.")
    return ""


# Closing


def close(own: Own, act: Act[Closed]) -> Iterator[Change]:
    """Count a round that is over, or that all have answered themselves; what follows holds from this minute on."""
    body, at_ms = act.body, act.logged_ms
    _check_closer(own, act)
    round_ = _round(own, act, body.round)
    if not round_.is_open:
        raise Refused(f"This round was counted already, at {spoken_time(round_.closed_ms)}.")
    over_ms = min(at_ms, round_.closes_ms)
    voting = electorate(own, round_, over_ms)
    missing = len(may_answer(own, round_, over_ms))
    if at_ms < round_.closes_ms and missing:
        raise Refused(
            f"This round is open until {spoken_time(round_.closes_ms)}, and {counted(missing, 'member')} may still answer."
            " It closes then by itself."
        )
    votes = own.all(VOTES, round=round_.id)
    choices = _opened(round_, votes, body.secret, at_ms)
    if round_.hidden != OPEN and choices is not None:
        yield from (VOTES.patch(round_.id, vote.member, choice=choices[vote.member]) for vote in _in_order(votes))
    given = [Ballot(vote.member, vote.hand, (choices or {}).get(vote.member, "")) for vote in votes]
    tally = count(round_.rules, voting, given)
    if choices is None:
        tally = replace(tally, result=UNOPENED, option=0)
    yield ROUNDS.patch(round_.id, is_open=False, closed_ms=at_ms)
    yield from _settle(own, act, round_, tally, over_ms)


def _check_closer(own: Own, act: Act[Closed]) -> None:
    try:
        require(own, act.member, CLOCK, 0, act.logged_ms)
    except Refused:
        require(own, act.member, MEMBER, 0, act.logged_ms)


def _in_order(votes: Sequence[Vote]) -> list[Vote]:
    return sorted(votes, key=lambda vote: vote.member)


def _opened(round_: Round, votes: Sequence[Vote], secret: bytes, at_ms: int) -> dict[bytes, str] | None:
    """Answers by member; None if they are sealed and nobody gave the secret in a week."""
    if round_.hidden == OPEN:
        if secret:
            raise Refused("Answers in this round were open, so there is no secret to give. Leave it empty.")
        return {vote.member: vote.choice for vote in votes}
    if not secret:
        if at_ms < round_.closes_ms + UNOPENED_DAYS * DAY_MS:
            raise Refused("The ballots are opened by the node that called the round. Close it on that node's page.")
        return None
    if len(secret) != 32 or ballot.public_of(secret) != round_.key:
        raise Refused("This is not the secret of this round. Close it on the page of the node that called it.")
    opened = {vote.member: ballot.open_(secret, round_.id, vote.member, vote.sealed) for vote in votes}
    return {member: _readable(round_, choice) for member, choice in opened.items()}


def _readable(round_: Round, choice: str) -> str:
    """An answer as it counts; "" if it is spoiled."""
    try:
        return " ".join(read_choice(round_.type, round_.options, choice))
    except Refused:
        return ""


def _leave_until(at_ms: int, cycles: int) -> int:
    """The new moon until which what was decided can be done: never within a week, when few would come to it."""
    until_ms = cycles_later_ms(at_ms, cycles)
    return until_ms if until_ms - at_ms >= LEAST_LEAVE_MS else cycles_later_ms(at_ms, cycles + 1)


def _settle(own: Own, act: Act[Closed], round_: Round, tally: Tally, over_ms: int) -> Iterator[Change]:
    """The outcome, what becomes of the proposal, and leave for the act that was planned."""
    at_ms = act.logged_ms
    proposal = own.need(PROPOSALS, round_.proposal, what="proposal")
    version = own.need(VERSIONS, round_.proposal, round_.version, what="version")
    accepted = tally.result == ACCEPTED
    plan = next((plan for plan in plans_of(version) if accepted and plan.option == tally.option), None)
    name = act_name_of(plan.kind, plan.structure, plan.concerned) if plan else ""
    until_ms = min(round_.sunset_ms, _leave_until(at_ms, round_.carry_cycles)) if plan else 0
    settled = bool(round_.concerned) or (plan is not None and not round_.is_dated)
    over_by_ms = until_ms or at_ms
    review_ms, sunset_ms = (over_by_ms, over_by_ms) if settled else (round_.review_ms, round_.sunset_ms)
    yield OUTCOMES.put(
        Outcome(
            act.space, act.digest, act.position, act.audience, proposal.id, round_.id, version.number, proposal.title,
            round_.type, tally.result, tally.option, encoding.encode([list(line) for line in tally.lines]), tally.eligible,
            tally.answered, tally.spoiled, tally.in_favour, over_ms, at_ms, accepted, name, plan.kind if plan else "", until_ms,
            settled, review_ms, sunset_ms, FOREVER_MS, round_.criteria, "", 0, b"", 0, round_.measures, act.body.statement, "",
        )
    )  # fmt: skip
    decided = accepted or tally.result == ADVISED
    yield PROPOSALS.patch(
        proposal.id, round=None, touched_ms=at_ms, is_open=not decided, outcome=act.digest if decided else None
    )
    if name and until_ms > at_ms:
        why = f"The decision “{proposal.title}”"
        yield GRANTS.put(Grant(act.space, act.digest, name, ANYBODY, at_ms, until_ms, 0, False, why))


# On the author's node


def prepare_call(view: View, body: Called, secrets: Secrets) -> Called:
    """A key for the ballots of this round, if they are to be sealed."""
    if body.hidden == OPEN:
        return replace(body, key=b"", salt=b"")
    salt = secrets.random(16)
    return replace(body, salt=salt, key=secrets.shared(ballot.label(body.proposal, salt)))


def prepare_cast(view: View, body: Cast, secrets: Secrets) -> Cast:
    """The answer into a sealed box, if the round hides it."""
    round_ = view.get(ROUNDS, body.round)
    if round_ is None or round_.hidden == OPEN or not (secrets.author and body.choice):
        return body
    if body.reasons.strip():
        raise Refused(
            "Reasons: answers are hidden in this round, and reasons would give yours away. Leave them for afterwards."
        )
    choice = " ".join(read_choice(round_.type, round_.options, body.choice))
    key = view.get(KEYS, secrets.author)
    member = body.for_member or (key.member if key else secrets.author)
    return replace(body, choice="", sealed=ballot.seal(round_.key, round_.id, member, choice, secrets.random(32)))


def prepare_close(view: View, body: Closed, secrets: Secrets) -> Closed:
    """The secret of the ballots, once the round is over or all have answered."""
    round_ = view.get(ROUNDS, body.round)
    if round_ is None or round_.hidden == OPEN or not round_.is_open:
        return body
    if not is_over(view, round_, secrets.now_ms):
        return body
    secret = secrets.derive(ballot.label(round_.proposal, round_.salt))
    return replace(body, secret=secret) if ballot.public_of(secret) == round_.key else body
