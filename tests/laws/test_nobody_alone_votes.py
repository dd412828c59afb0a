"""Nobody alone, of votes: every way that one member has found to change a running vote or its rules, to end one, to get leave
for an act without the others, or to stop the fuse of a decision.

Rows as in `test_nobody_alone`: what Eve tries, and the sentence that she reads; an empty one says that the record holds, and
changes nothing of what it was meant to change.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest
from msgspec.structs import replace

from protocol import ballot, moon
from protocol.deciding import OUTCOMES, ROUNDS, VOTES, Outcome, Round, may_answer, stands
from protocol.practice import MEMBERS, PUBLIC
from protocol.practices import members
from protocol.proposal import Amended, Called, Cast, Closed, Dissented, Judged, Proposed, Withdrawn
from tests.laws.commune import EVE, WHY, Commune
from tests.laws.test_nobody_alone import DECIDE, Row, answers, table
from tests.laws.world import DAY_MS, MINUTE_MS
from tests.protocol.deciders import REMOVED, plan_of

CALL, CLOSE, VOTE = "decision.called/1", "decision.closed/1", "vote.cast/1"


def running(commune: Commune) -> Round:
    return min((row for row in commune.rows(ROUNDS) if row.is_open), key=lambda row: row.position)


# A round that is open


def for_all(commune: Commune) -> str:
    """Eve writes down everybody's answer, and closes."""
    for key in commune.people:
        if commune.view.get(VOTES, running(commune).id, key.public) is None:
            commune.must(
                VOTE, Cast(running(commune).id, "no", None if key is commune.people[EVE] else key.public), commune.people[EVE]
            )
    return commune.eve(CLOSE, Closed(running(commune).id))


def over_an_answer(commune: Commune) -> str:
    return commune.eve(VOTE, Cast(running(commune).id, "no", commune.people[0].public))


def too_many(commune: Commune, *, allowed: int = 0) -> str:
    """Five at most, in another round of eight, whatever is adopted after its call."""
    round_ = commune.call(commune.propose(), "majority")
    assert not allowed or not commune.adopt("decisions.votes-for-others", allowed)
    said = [commune.eve(VOTE, Cast(round_, "no", key.public)) for key in commune.people[2:]]
    return said[-1]


def twice(commune: Commune) -> str:
    """Her other device answers too: it is one answer."""
    said = commune.eve(VOTE, Cast(running(commune).id, "no")) or commune.write(
        VOTE, Cast(running(commune).id, "no"), commune.device()
    )
    assert len([row for row in commune.rows(VOTES) if row.member == commune.people[EVE].public]) == 1
    return said


def newcomer(commune: Commune) -> str:
    return commune.write(VOTE, Cast(running(commune).id, "no"), commune.join())


def for_a_newcomer(commune: Commune) -> str:
    return commune.eve(VOTE, Cast(running(commune).id, "no", commune.join().public))


def newcomers_hand(commune: Commune) -> str:
    return commune.write(VOTE, Cast(running(commune).id, "no", commune.people[4].public), commune.join())


def too_late(commune: Commune) -> str:
    commune.now_ms = running(commune).closes_ms
    return commune.eve(VOTE, Cast(running(commune).id, "no"))


def by_a_stranger(commune: Commune) -> str:
    commune.now_ms = running(commune).closes_ms
    return commune.write(CLOSE, Closed(running(commune).id), commune.new_key())


def leaves_and_closes(commune: Commune) -> str:
    commune.must("member.left/1", members.Left(), commune.people[EVE])
    commune.now_ms = running(commune).closes_ms
    return commune.eve(CLOSE, Closed(running(commune).id))


def amended(commune: Commune) -> str:
    return commune.eve("decision.amended/1", Amended(running(commune).proposal, "Something else entirely", WHY))


def shorter(commune: Commune) -> str:
    """The protocol lets rounds be short from now on: not this one."""
    said = commune.adopt("decisions.vote-hours-least", 0)
    return said or commune.eve(CLOSE, Closed(running(commune).id))


ROUND_WAYS: tuple[Row, ...] = (
    ("by closing it", lambda c: c.eve(CLOSE, Closed(running(c).id)), "members may still answer"),
    ("by the node's own key", lambda c: c.clock(CLOSE, Closed(running(c).id)), "members may still answer"),
    ("by writing down all answers", for_all, "2 members may still answer"),
    ("by closing it from outside", by_a_stranger, "You have not been given “member”"),
    ("by leaving and closing", leaves_and_closes, "This key was retired"),
    ("by withdrawing the proposal", lambda c: c.eve("decision.withdrawn/1", Withdrawn(running(c).proposal, WHY)), "withdrawn by who made it"),
    ("by amending it", amended, ""),
    ("by another call", lambda c: c.eve(CALL, Called(running(c).proposal, 1, "consent")), "is open already"),
    ("by erasing what is proposed", lambda c: c.eve("record.erased/1", members.Erased(running(c).proposal, WHY)), ""),
    ("by a lower quorum", lambda c: c.adopt("decisions.quorum-percent", 10), ""),
    ("by a lower share", lambda c: c.adopt("decisions.majority-percent", 50), ""),
    ("by more answers for others", lambda c: too_many(c, allowed=100), "5 answers for others at most"),
    ("by a shorter time", shorter, "members may still answer"),
    ("by a longer leave", lambda c: c.adopt("decisions.carry-out-cycles", 13), ""),
    ("over somebody's own answer", over_an_answer, "They have answered themselves"),
    ("for too many", too_many, "5 answers for others at most"),
    ("by voting twice", twice, ""),
    ("by somebody invited meanwhile", newcomer, "came after this round was called"),
    ("for somebody invited meanwhile", for_a_newcomer, "They came after this round was called"),
    ("in the hand of somebody invited meanwhile", newcomers_hand, "You came after this round was called"),
    ("by an answer where nobody looks", lambda c: c.eve(VOTE, Cast(running(c).id, "no"), MEMBERS), "answered for the same audience"),
    ("by closing it where nobody looks", lambda c: c.eve(CLOSE, Closed(running(c).id), MEMBERS), "for the same audience"),
    ("by an answer too late", too_late, "This round closed at"),
    ("by removing a voter", lambda c: c.eve(REMOVED, members.Removed(c.people[4].public, WHY)), DECIDE),
)  # fmt: skip
FROZEN = (
    "type",
    "version",
    "quorum_percent",
    "share_percent",
    "closes_ms",
    "for_others",
    "carry_cycles",
    "sunset_ms",
    "hands",
    "is_open",
)


@table(*ROUND_WAYS)
def test_nobody_changes_or_ends_a_running_round_alone(way: Callable[[Commune], str], sentence: str) -> None:
    commune = Commune(8)
    digest = commune.call(commune.propose(), "majority", quorum_percent=60, share_percent=60)
    before = commune.round(digest)
    commune.now_ms += MINUTE_MS
    commune.answer(digest, "yes", "", "yes", "yes", "", "yes", "yes")
    assert answers(way(commune), sentence)
    row = commune.round(digest)
    assert [getattr(row, name) for name in FROZEN] == [getattr(before, name) for name in FROZEN]
    assert may_answer(commune.view, row, row.called_ms) >= {commune.people[4].public}
    commune.now_ms = row.closes_ms
    if commune.people[0].public in commune.members():
        outcome = commune.close(digest)
        assert (outcome.version, outcome.result, outcome.in_favour) == (1, "accepted", 5)


def test_whoever_proposed_it_does_not_stop_the_round_either() -> None:
    commune = Commune()
    proposal = commune.must("decision.proposed/1", Proposed("A key", "We copy it", "Lost"), commune.people[EVE])
    commune.call(proposal)
    assert "nobody stops it alone" in commune.eve("decision.withdrawn/1", Withdrawn(proposal, WHY))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"quorum_percent": 10}, "Quorum: at least 50 percent here"),
        ({"type": "majority", "share_percent": 10}, "Share: at least 50 percent here"),
        ({"closes_ms": 1}, "Open until: that is over already"),
        ({"version": 2}, "this proposal has 1 version"),
        ({"sunset_cycle": 2484}, "Sunset: A fuse is at most 13 cycles long here"),
    ],
)
def test_nobody_calls_by_weaker_rules_than_the_protocol_has(more: dict[str, object], sentence: str) -> None:
    commune = Commune()
    body = replace(Called(commune.propose(), 1, "consent"), **more)
    assert sentence in commune.eve(CALL, body)


# Leave for an act


def removal(commune: Commune, who: int = 4) -> members.Removed:
    return members.Removed(commune.people[who].public, WHY)


def called_concerned(commune: Commune, *concerned: bytes) -> str:
    """A decision on the removal, in which those who are named have no vote and all others have."""
    return commune.decided_with(REMOVED, removal(commune), *concerned)


def used_twice(commune: Commune) -> str:
    """One leave for one booking: the second, word by word the same, is another."""
    commune.pause()
    body = commune.book(300_00)
    assert not commune.as_decided("ledger.transaction-booked/1", body)
    return commune.eve("ledger.transaction-booked/1", body)


def two_minutes(commune: Commune) -> str:
    """Eve lets rounds be a minute long, with next to no quorum, and calls one for herself alone."""
    for name, value in (("vote-hours-least", 0), ("quorum-percent", 10), ("votes-for-others", 100)):
        assert not commune.adopt(f"decisions.{name}", value)
    plan = plan_of(REMOVED, removal(commune), removal(commune).member)
    round_ = commune.call(commune.propose(plan), "majority", closes_ms=commune.now_ms + 2 * MINUTE_MS)
    for key in commune.people:
        if key is not commune.people[4]:
            commune.must(VOTE, Cast(round_, "yes", None if key is commune.people[EVE] else key.public), commune.people[EVE])
    commune.now_ms += 3 * MINUTE_MS
    commune.close(round_)
    return commune.eve(REMOVED, removal(commune))


def with_a_newcomer(commune: Commune) -> str:
    """Eve invites somebody while the round is open, who writes down answers for her."""
    plan = plan_of(REMOVED, removal(commune), removal(commune).member)
    round_ = commune.call(commune.propose(plan), "majority")
    puppet = commune.join()
    commune.must(VOTE, Cast(round_, "yes"), commune.people[EVE])
    commune.write(VOTE, Cast(round_, "yes"), puppet)
    for key in commune.people:
        commune.write(VOTE, Cast(round_, "yes", key.public), puppet)
        commune.write(VOTE, Cast(round_, "yes", key.public), commune.people[EVE])
    commune.now_ms = commune.round(round_).closes_ms
    commune.close(round_)
    return commune.eve(REMOVED, removal(commune))


def in_members_only(commune: Commune, audience: int) -> str:
    """What members decided among themselves gives no leave for what is public, and it cannot be done among them."""
    plan = plan_of(REMOVED, removal(commune), removal(commune).member)
    round_ = commune.call(commune.propose(plan, audience=MEMBERS), audience=MEMBERS)
    for key in commune.people:
        if key is not commune.people[4]:
            commune.must(VOTE, Cast(round_, "agree"), key, MEMBERS)
    assert commune.close(round_).accepted
    return commune.eve(REMOVED, removal(commune), audience)


LEAVE_WAYS: tuple[Row, ...] = (
    ("with nobody called concerned", lambda c: called_concerned(c), DECIDE),
    ("with somebody else called concerned", lambda c: called_concerned(c, c.people[5].public), DECIDE),
    ("with one more called concerned", lambda c: called_concerned(c, *sorted((c.people[4].public, c.people[5].public))), DECIDE),
    ("by answers in one hand", lambda c: c.in_one_hand(REMOVED, removal(c)), DECIDE),
    ("by leave that was used", used_twice, "it was used, or lapsed. Decide anew."),
    ("by a round of two minutes", two_minutes, DECIDE),
    ("with a newcomer of one's own", with_a_newcomer, DECIDE),
    ("by a decision among members only", lambda c: in_members_only(c, PUBLIC), DECIDE),
    ("by that decision, among members only", lambda c: in_members_only(c, MEMBERS), "Membership is public as a key"),
)  # fmt: skip


@table(*LEAVE_WAYS)
def test_nobody_gets_leave_for_an_act_without_the_others(way: Callable[[Commune], str], sentence: str) -> None:
    commune = Commune()
    assert answers(way(commune), sentence)
    assert commune.people[4].public in commune.members()


def test_of_two_neither_decides_about_the_other() -> None:
    commune = Commune(2)
    plan = plan_of(REMOVED, removal(commune, 1), removal(commune, 1).member)
    assert "1 member may vote on this" in commune.eve(CALL, Called(commune.propose(plan), 1, "consent"))


# Stopping a fuse


def decision(commune: Commune) -> Outcome:
    return min(commune.rows(OUTCOMES), key=lambda row: row.position)


def met(commune: Commune) -> Judged:
    """Found to be met, which moves the dates."""
    return Judged(decision(commune).id, "met", 0, 0, WHY)


def judged_hidden(commune: Commune) -> str:
    commune.decide("decision.judged/1", met(commune))
    return commune.eve("decision.judged/1", met(commune), MEMBERS)


def judged_otherwise(commune: Commune) -> str:
    """Decided that it was not met, and written down that it was."""
    commune.decide("decision.judged/1", replace(met(commune), verdict="not-met"))
    return commune.eve("decision.judged/1", met(commune))


def renewed_by_words(commune: Commune) -> str:
    return commune.eve("decision.proposed/1", Proposed("Again", "As before", WHY, renews=decision(commune).id))


def after_the_sunset(commune: Commune) -> str:
    commune.decide("decision.judged/1", met(commune))
    commune.now_ms = decision(commune).sunset_ms
    return commune.eve("decision.judged/1", met(commune))


def called_again(commune: Commune) -> str:
    return commune.eve(CALL, Called(decision(commune).proposal, 1, "consent"))


FUSE_WAYS: tuple[Row, ...] = (
    ("by the founding mandate", lambda c: c.eve("decision.judged/1", met(c)), DECIDE),
    ("by the node's own key", lambda c: c.clock("decision.judged/1", met(c)), DECIDE),
    ("by answers in one hand", lambda c: c.in_one_hand("decision.judged/1", met(c)), DECIDE),
    ("by a decision on another finding", judged_otherwise, DECIDE),
    ("where nobody looks", judged_hidden, "judged for the same audience"),
    ("after the sunset", after_the_sunset, "gave leave for this until"),
    ("by calling it again", called_again, "This is decided already"),
    ("by counting it again", lambda c: c.eve(CLOSE, Closed(decision(c).round)), "This round was counted already"),
    ("by amending it", lambda c: c.eve("decision.amended/1", Amended(decision(c).proposal, "Other", WHY)), "This is decided already"),
    ("by withdrawing it", lambda c: c.write("decision.withdrawn/1", Withdrawn(decision(c).proposal, WHY), c.people[0]), "decided already"),
    ("by proposing it again", renewed_by_words, ""),
    ("by erasing what was said", lambda c: c.eve("record.erased/1", members.Erased(decision(c).id, WHY)), ""),
    ("by erasing what was proposed", lambda c: c.eve("record.erased/1", members.Erased(decision(c).proposal, WHY)), ""),
    ("by a protocol with later sunsets", lambda c: c.adopt("decisions.sunset-cycles", 39), ""),
    ("by a protocol with later reviews", lambda c: c.adopt("decisions.review-cycles", 39), ""),
    ("by dissent", lambda c: c.eve("dissent.recorded/1", Dissented(decision(c).proposal, WHY)), ""),
)  # fmt: skip


@table(*FUSE_WAYS)
def test_nobody_stops_a_fuse_alone(way: Callable[[Commune], str], sentence: str) -> None:
    commune = Commune()
    before = commune.settled()
    commune.now_ms += DAY_MS
    assert answers(way(commune), sentence)
    after = decision(commune)
    assert (after.review_ms, after.sunset_ms, after.ended_ms) == (before.review_ms, before.sunset_ms, before.ended_ms)
    told = [stands(after, at) for at in (before.review_ms - 1, before.review_ms, before.sunset_ms - 1, before.sunset_ms)]
    assert told == ["in force", "back on the agenda", "back on the agenda", "lapsed"]


def test_an_adoption_ends_at_its_fuse_and_is_not_suspended_past_it() -> None:
    commune = Commune()
    commune.adopt("decisions.vote-days", 9)
    adopted = commune.isle.log[-1].digest
    beyond = moon.cycle_at(commune.now_ms) + 3
    body = commune.kinds["protocol.suspended/1"].body(adopted, beyond, WHY)
    assert "that is not before its fuse" in commune.eve("protocol.suspended/1", body)


# Hidden answers


def test_nobody_opens_sealed_answers_early_or_with_another_key() -> None:
    commune = Commune()
    proposal, salt = commune.propose(), commune.rng.randbytes(16)
    secret = sha256(ballot.label(proposal, salt)).digest()
    digest = commune.call(proposal, "majority", hidden="close", key=ballot.public_of(secret), salt=salt)
    for key in commune.people:
        box = ballot.seal(ballot.public_of(secret), digest, key.public, "yes", commune.rng.randbytes(32))
        if key is not commune.people[4]:
            commune.must(VOTE, Cast(digest, "", None, box), key)
    assert "1 member may still answer" in commune.eve(CLOSE, Closed(digest, secret))
    copied = commune.rows(VOTES)[0].sealed
    commune.must(VOTE, Cast(digest, "", None, copied), commune.people[4])
    assert "not the secret of this round" in commune.eve(CLOSE, Closed(digest, bytes(32)))
    assert "opened by the node that called the round" in commune.eve(CLOSE, Closed(digest))
    outcome = commune.close(digest, secret=secret)
    assert (outcome.in_favour, outcome.spoiled) == (5, 1)


# Keeping others from voting


@pytest.mark.parametrize("by_options", [False, True])
def test_nobody_keeps_others_from_voting_on_what_is_to_bind_them(*, by_options: bool) -> None:
    """Four are called concerned, by an act that is never meant: what the other two decide binds nobody."""
    commune = Commune()
    others = [key.public for key in commune.people[2:]]
    if by_options:
        acts = [plan_of(REMOVED, members.Removed(who, WHY), who, option=n) for n, who in enumerate(others, 2)]
        proposal = commune.propose(*acts, options=["Eve has the house", *(f"Somebody goes, {n}" for n in range(4))])
    else:
        proposal = commune.propose(plan_of("member.left/1", members.Left(), *sorted(others)))
    cycle = moon.cycle_at(commune.now_ms)
    for more in ({"review_cycle": cycle + 2}, {"sunset_cycle": cycle + 5}):
        said = commune.eve(CALL, replace(Called(proposal, 1, "majority"), **more))
        assert "gives leave for the act and binds nobody beyond that" in said
    round_ = commune.call(proposal, "majority")
    commune.answer(round_, *["1" if by_options else "yes"] * 2)
    outcome = commune.close(round_)
    assert (outcome.accepted, outcome.eligible, outcome.is_settled) == (True, 2, True)
    assert stands(outcome, commune.now_ms if by_options else outcome.act_until_ms) == "settled"
