"""Decisions as they stand: the rows that the practice of decisions writes, and what follows from them.

A proposal has versions; a round asks about one of them by rules that are frozen when it opens; its outcome has a fuse. Where an
outcome stands is computed from its row and a moment, never stored:

- in force until its review; then "back on the agenda" unless members have judged it met and named a later date;
- from its sunset on it is "lapsed" and binds nobody, whether or not anybody noticed.

A decision for one act, called without a date or figures of its own, is "settled" when the time to do it is over: what the act
brings about (a term, an adoption, another decision's next date) has its own end, and nobody judges a judgement.

Who may vote: members admitted before the round opened and not gone when it closed, without those whom a planned act concerns.
Times are minutes of the log, so those admitted in the very minute of the call, before it, are kept by name.

Example::

    for row in standing(view, now_ms):                  # what binds us, and until when
        print(row.title, stands(row, now_ms))
    waiting = electorate(own, round_, now_ms) - answered(own, round_)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
from msgspec import Struct

from protocol import encoding, moon
from protocol.mandate import ANYBODY
from protocol.membership import MEMBERSHIPS, Membership, is_live, members_at
from protocol.practice import FOREVER_MS, GRANTS, Grant, Least, MemberKey, Own, Parameter, Row, Table, field, keys
from protocol.voting import Rules
from protocol.wording import counted

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
CYCLE_MS = 30 * DAY_MS  # no cycle of the moon is as long
LONGEST_DAYS = 60

QUORUM = Parameter(
    "decisions.quorum-percent", 50, "Share of those who may vote that has to answer, in percent", low=10, high=100
)
SHARE = Parameter("decisions.majority-percent", 50, "Share in favour that a majority takes, in percent", low=50, high=100)
CONSENSUS_SHARE = Parameter(
    "decisions.consensus-percent", 75, "Share that agrees rather than stands aside, in percent", low=50, high=100
)
VOTE_DAYS = Parameter("decisions.vote-days", 7, "Days for which a round is open if none are named", low=1, high=LONGEST_DAYS)
LEAST_HOURS = Parameter("decisions.vote-hours-least", 24, "Hours for which a round is open at least", low=0, high=720)
REVIEW = Parameter("decisions.review-cycles", 3, "Cycles after which a decision is looked at again, at most", low=1, high=39)
SUNSET = Parameter("decisions.sunset-cycles", 13, "Cycles after which a decision ends, at most", low=1, high=39)
CARRY_OUT = Parameter("decisions.carry-out-cycles", 1, "Cycles within which what was decided has to be done", low=1, high=13)
FOR_OTHERS = Parameter(
    "decisions.votes-for-others", 5, "Votes that one member may write down for others in a round", low=0, high=100
)
KEPT = Parameter("decisions.proposal-cycles", 3, "Cycles after which a proposal that nobody touches lapses", low=1, high=39)
PARAMETERS = (QUORUM, SHARE, CONSENSUS_SHARE, VOTE_DAYS, LEAST_HOURS, REVIEW, SUNSET, CARRY_OUT, FOR_OTHERS, KEPT)

OPEN, OWN, CLOSE = "open", "own", "close"  # until when answers are hidden
IN_FORCE, ON_AGENDA, LAPSED, ENDED, SETTLED = "in force", "back on the agenda", "lapsed", "ended", "settled"
MET, NOT_MET, END = "met", "not-met", "end"
UNOPENED = "could not be opened"


# What is both written and read


class Plan(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An act that an outcome gives leave for, once."""

    kind: Annotated[
        str,
        field(
            "Kind", "Of the record that is to be written.",
            widget="kind", example="member.removed/1", min_length=3, max_length=60, pattern=r"^[a-z]+\.[a-z-]+/[1-9]\d*$(?!\n)",
        ),
    ]  # fmt: skip
    structure: Annotated[
        bytes,
        field(
            "What exactly", "As the form of that kind gave it; not to be typed.", widget="act", min_length=1, max_length=16_384
        ),
    ]
    option: Annotated[
        int, field("Option", "The number of the option that leads to it; 0 if the proposal has none.", ge=0, le=12)
    ] = 0
    concerned: Annotated[
        list[MemberKey], field("Whom it concerns", "They have no vote on it.", widget="member", max_length=100)
    ] = []


class Criterion(Struct, frozen=True, forbid_unknown_fields=True):
    """A comparison on a figure, by which a decision is judged later."""

    figure: Annotated[
        str,
        field(
            "Figure", "As the page of figures names it.",
            widget="figure", example="ledger.reserve", max_length=60, pattern=r"^[a-z]+\.[a-z][a-z0-9-]*$(?!\n)",
        ),
    ]  # fmt: skip
    compare: Annotated[
        str, field("Comparison", "At least, or at most, this number.", example="at-least", pattern=r"^at-(least|most)$(?!\n)")
    ]
    number: Annotated[int, field("Number", "A whole number, in the unit of the figure.", example="500000")]


# Rows


class Proposal(Row, frozen=True):
    """Something to decide on, with its latest version's number and its round, if one is open."""

    id: bytes
    position: int
    scope: int  # the audience for which all about it is written
    proposer: bytes
    title: str
    strategic: bool
    renews: bytes | None
    since_ms: int
    touched_ms: int
    versions: int
    round: bytes | None
    outcome: bytes | None  # the one by which it was decided
    is_open: bool  # neither decided nor withdrawn
    withdrawn_ms: int
    why: str
    binds: str
    withdrawn: str


class Version(Row, frozen=True):
    """What is proposed, word by word, with its options and what it plans."""

    proposal: bytes
    number: int
    id: bytes
    author: bytes
    since_ms: int
    options: bytes  # canonical bytes of a list of labels
    plans: bytes  # of a list of `Plan`
    integrates: bytes  # records, one after another
    text: str
    note: str
    said: str  # the words of planned acts, as `said_of` reads them


class Saying(Row, frozen=True):
    """A question, a reaction, a concern, an answer, or words on the outcome."""

    proposal: bytes
    position: int
    id: bytes
    sort: str
    author: bytes
    since_ms: int
    about: bytes | None
    words: str


class Theory(Row, frozen=True):
    """How a strategic shift is meant to work."""

    proposal: bytes
    position: int
    id: bytes
    author: bytes
    since_ms: int
    sought: str
    path: str
    assumptions: str
    wrong_if: str
    gains: str
    funds: str
    dissent: str


class Dissent(Row, frozen=True):
    """That somebody does not share it, on record."""

    proposal: bytes
    position: int
    id: bytes
    author: bytes
    since_ms: int
    words: str


class Round(Row, frozen=True):
    """One version put to all, by rules that nobody changes until it is closed."""

    id: bytes
    position: int
    scope: int  # the audience for which all about it is written
    proposal: bytes
    version: int
    caller: bytes
    type: str
    options: int
    hidden: str
    quorum_percent: int
    share_percent: int
    hands: int
    called_ms: int
    closes_ms: int
    closed_ms: int
    is_open: bool
    newest: bytes  # members admitted in the minute of the call, before it
    concerned: bytes
    key: bytes
    salt: bytes
    for_others: int
    carry_cycles: int
    is_dated: bool  # it names a review, a sunset or figures itself
    review_ms: int
    sunset_ms: int
    criteria: bytes  # canonical bytes of a list of `Criterion`
    measures: str

    @property
    def rules(self) -> Rules:
        """By what it is counted."""
        return Rules(self.type, self.options, self.quorum_percent, self.share_percent, self.hands)


class Vote(Row, frozen=True):
    """A member's answer in a round: the last one."""

    round: bytes
    member: bytes
    id: bytes
    hand: bytes  # who wrote it down
    by_self: bool
    choice: str  # empty while it is sealed
    sealed: bytes
    cast_ms: int
    changes: int
    reasons: str


class Outcome(Row, frozen=True):
    """What a round came to, and the fuse of what it decided."""

    id: bytes
    position: int
    scope: int  # the audience for which all about it is written
    proposal: bytes
    round: bytes
    version: int
    title: str
    type: str
    result: str
    option: int
    counts: bytes  # canonical bytes of a list of [answer, number]
    eligible: int
    answered: int
    spoiled: int
    in_favour: int
    closed_ms: int  # when the round was over
    since_ms: int  # when it was counted
    accepted: bool
    act: str  # the name of the grant that it gave
    act_kind: str
    act_until_ms: int
    is_settled: bool  # by its act: no review is due
    review_ms: int
    sunset_ms: int
    ended_ms: int
    criteria: bytes
    judged: str
    judged_ms: int
    judged_by: bytes
    reviews: int
    measures: str
    statement: str
    found: str  # by the last judgement


class Judgement(Row, frozen=True):
    """What members found when they looked at a decision again; a decision keeps the last one beside itself."""

    decision: bytes
    position: int
    id: bytes
    author: bytes
    verdict: str
    since_ms: int
    review_ms: int  # as it stands from then on
    sunset_ms: int
    found: str


PROPOSALS = Table(
    "proposal",
    Proposal,
    ("id",),
    (("is_open", "touched_ms"), ("proposer",), ("since_ms",)),
    shared=(("id",),),
    erasable=("why", "binds", "withdrawn"),
)
VERSIONS = Table("version", Version, ("proposal", "number"), (("id",),), erasable=("text", "note", "said"))
SAYINGS = Table("saying", Saying, ("proposal", "position"), (("id",), ("since_ms",)), erasable=("words",))
THEORIES = Table(
    "theory",
    Theory,
    ("proposal", "position"),
    (("id",),),
    erasable=("sought", "path", "assumptions", "wrong_if", "gains", "funds", "dissent"),
)
DISSENTS = Table("dissent", Dissent, ("proposal", "position"), (("id",),), erasable=("words",))
ROUNDS = Table("round", Round, ("id",), (("proposal",), ("is_open",), ("key",)), (("id",),), ("measures",))
VOTES = Table("vote", Vote, ("round", "member"), (("id",), ("round", "hand")), erasable=("reasons",))
OUTCOMES = Table(
    "outcome",
    Outcome,
    ("id",),
    (("accepted", "sunset_ms"), ("proposal",), ("round",), ("since_ms",)),
    shared=(("id",),),
    erasable=("measures", "statement", "found"),
)
JUDGEMENTS = Table("judgement", Judgement, ("decision", "position"), (("id",),), erasable=("found",))
TABLES = (PROPOSALS, VERSIONS, SAYINGS, THEORIES, DISSENTS, ROUNDS, VOTES, OUTCOMES, JUDGEMENTS)


# Lists in a column


def spell(values: Iterable[Struct | str]) -> bytes:
    """A list of plans, criteria or labels as canonical bytes."""
    return encoding.encode([value if isinstance(value, str) else _plain(value) for value in values])


def _plain(value: Struct) -> object:
    return msgspec.to_builtins(value, builtin_types=(bytes,))


def plans_of(version: Version) -> tuple[Plan, ...]:
    """What a version plans to be done."""
    return tuple(msgspec.convert(encoding.decode(version.plans), list[Plan], builtin_types=(bytes,)))


def said_of(version: Version) -> tuple[dict[str, str], ...]:
    """The words of the planned acts, one after another, as far as they are there and can be read."""
    try:
        return tuple(msgspec.json.decode(version.said, type=list[dict[str, str]]))
    except (msgspec.DecodeError, UnicodeEncodeError):
        return ()


def options_of(version: Version) -> tuple[str, ...]:
    """What a version offers to choose from; none where it is the proposal itself."""
    return tuple(msgspec.convert(encoding.decode(version.options), list[str]))


def criteria_of(row: Round | Outcome) -> tuple[Criterion, ...]:
    """By which figures it is judged."""
    return tuple(msgspec.convert(encoding.decode(row.criteria), list[Criterion]))


def counts_of(outcome: Outcome) -> tuple[tuple[str, int], ...]:
    """How many gave each answer."""
    return tuple(msgspec.convert(encoding.decode(outcome.counts), list[tuple[str, int]]))


# Who may vote


def may_vote(round_: Round, row: Membership | None, at_ms: int) -> bool:
    """Whether a member belongs to the electorate of a round at an instant."""
    return row is not None and row.member in voters(round_, (row,), at_ms)


def voters(round_: Round, rows: Iterable[Membership], at_ms: int) -> set[bytes]:
    """Those of some members who may vote in a round and have not gone by an instant."""
    newest, concerned = set(keys(round_.newest)), set(keys(round_.concerned))
    return {
        row.member
        for row in rows
        if is_live(row, at_ms)
        and row.admitted_ms is not None
        and (row.admitted_ms < round_.called_ms or row.member in newest)
        and row.member not in concerned
    }


def electorate(own: Own, round_: Round, at_ms: int) -> set[bytes]:
    """Who may vote, of those who have not gone by an instant."""
    return voters(round_, own.all(MEMBERSHIPS), at_ms)


def voices(own: Own, plans: Sequence[Plan], at_ms: int) -> tuple[int, int]:
    """(how many members may vote on what plans these acts, how many people in favour that takes) if it is called now."""
    concerned = {member for plan in plans for member in plan.concerned}
    here = [row.member for row in members_at(own, at_ms)]
    return sum(member not in concerned for member in here), 2 if plans and len(here) > 1 else 1


def too_few_voices(voting: int, hands: int) -> str:
    """Why nothing can be decided, and what to do."""
    return (
        f"{counted(voting, 'member').capitalize()} may vote on this, because the others are concerned; it takes"
        f" {counted(hands, 'person', 'people')} in favour. Win somebody who can look at it from outside."
    )


def answered(own: Own, round_: Round) -> set[bytes]:
    """Whose answer is in, whatever it says."""
    return {member for member, _ in own.sums(VOTES, "changes", "member", round=round_.id)}


# Where things stand


def leave_of(own: Own, row: Outcome) -> Grant | None:
    """The leave that an outcome gave for one act; its end is moved to the moment at which it was used."""
    return own.get(GRANTS, row.id, row.act, ANYBODY) if row.act else None


def planned(own: Own, row: Outcome) -> Plan | None:
    """The act that an accepted outcome gives leave for."""
    version = own.get(VERSIONS, row.proposal, row.version) if row.act else None
    return next((plan for plan in plans_of(version) if plan.option == row.option), None) if version else None


def stands(row: Outcome, at_ms: int) -> str:
    """Where an outcome stands at an instant, in one phrase."""
    if not row.accepted:
        return row.result
    if at_ms >= row.ended_ms:
        return ENDED
    if at_ms >= row.sunset_ms:
        return SETTLED if row.is_settled else LAPSED
    return ON_AGENDA if row.judged == NOT_MET or at_ms >= row.review_ms else IN_FORCE


def binds(row: Outcome, at_ms: int) -> bool:
    """Whether it binds anybody at an instant."""
    return stands(row, at_ms) in (IN_FORCE, ON_AGENDA)


def standing(own: Own, at_ms: int) -> tuple[Outcome, ...]:
    """The decisions that bind at an instant, those that end first first."""
    found = own.all(OUTCOMES, accepted=True, order="sunset_ms", sunset_ms=Least(at_ms + 1))
    return tuple(row for row in found if binds(row, at_ms))


def lapses_ms(own: Own, row: Proposal, at_ms: int) -> int:
    """When a proposal that nobody touches lapses; never while a round is open."""
    if row.round is not None:
        return FOREVER_MS
    cycles = own.parameter(KEPT, at_ms)
    try:
        return moon.after_cycles(row.touched_ms, cycles)
    except moon.OutsideTable:
        return row.touched_ms + cycles * CYCLE_MS


def may_answer(own: Own, round_: Round, at_ms: int) -> set[bytes]:
    """Who has not answered yet, or only by somebody else's hand: before the end of its time a round waits for them."""
    spoken = {member for member, _ in own.sums(VOTES, "changes", "member", round=round_.id, by_self=True)}
    return electorate(own, round_, at_ms) - spoken


def is_over(own: Own, round_: Round, at_ms: int) -> bool:
    """Whether a round can be counted: its time is over, or all have answered themselves."""
    return at_ms >= round_.closes_ms or not may_answer(own, round_, at_ms)


def open_proposals(own: Own, at_ms: int) -> tuple[Proposal, ...]:
    """What is neither decided nor withdrawn nor lapsed, the oldest first."""
    touched_ms = at_ms - (own.parameter(KEPT, at_ms) + 1) * CYCLE_MS
    found = {row.id: row for row in own.all(PROPOSALS, is_open=True, touched_ms=Least(touched_ms))}
    found |= {row.id: row for each in open_rounds(own) if (row := own.get(PROPOSALS, each.proposal))}
    alive = [row for row in found.values() if at_ms < lapses_ms(own, row, at_ms)]
    return tuple(sorted(alive, key=lambda row: (row.since_ms, row.position)))


def open_rounds(own: Own) -> tuple[Round, ...]:
    """Rounds that are not closed, by their end."""
    return tuple(sorted(own.all(ROUNDS, is_open=True), key=lambda row: (row.closes_ms, row.position)))
