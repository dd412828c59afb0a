"""Decisions: proposed, talked about, called, answered, closed, and then leave for exactly one act; and at the fuse."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace

from protocol import ballot, encoding, moon
from protocol.body import structure_and_words
from protocol.deciding import (
    OUTCOMES,
    PROPOSALS,
    ROUNDS,
    VERSIONS,
    VOTES,
    Criterion,
    Outcome,
    Plan,
    Proposal,
    Round,
    Vote,
    binds,
    counts_of,
    open_proposals,
    plans_of,
    stands,
)
from protocol.keys import SigningKey
from protocol.mandate import ANYBODY
from protocol.membership import MEMBERSHIPS
from protocol.practice import EVERYTHING, FOREVER_MS, GRANTS, MEMBERS, PUBLIC, SETTINGS, Setting
from protocol.practices import PRACTICES, members
from protocol.practices.decisions import PRACTICE
from protocol.practices.tripwires import WireRemoved, WireSet
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
from tests.laws.world import DAY_MS, HOUR_MS, MINUTE_MS, Registry, World

REMOVED = "member.removed/1"


class House(World):
    """One space of some people, and short ways to say what they decide."""

    def __init__(self, people: int = 5, seed: int = 3) -> None:
        super().__init__(Registry(PRACTICES), {}, seed, spaces=1)
        self.people = [next(iter(self.isle.keys.values()))]
        for _ in range(people - 1):
            self.people.append(self.join())
        self.later(days=1)

    def later(self, *, days: float = 0, hours: float = 0) -> None:
        self.now_ms += int(days * DAY_MS + hours * HOUR_MS)

    def join(self) -> SigningKey:
        key, secret = self.new_key(), self.rng.randbytes(16)
        until = self.now_ms // MINUTE_MS * MINUTE_MS + 7 * DAY_MS
        self.must("member.invited/1", members.Invited(sha256(secret).digest(), until), self.people[0])
        self.must("member.joined/1", members.Joined(secret), key)
        return key

    def must(self, kind: str, body: Struct, author: SigningKey, audience: int | None = None) -> bytes:
        said = self.write(kind, body, author, audience)
        assert not said, said
        return self.isle.log[-1].digest

    def propose(self, *plans: Plan, options: Sequence[str] = (), audience: int = PUBLIC, **more: Any) -> bytes:
        body = Proposed("A second key", "We have a copy made", "One was lost", options=list(options), plans=list(plans), **more)
        return self.must("decision.proposed/1", body, self.people[0], audience)

    def call(self, proposal: bytes, type_: Any = "consent", **more: Any) -> bytes:
        audience = more.pop("audience", PUBLIC)
        return self.must("decision.called/1", Called(proposal, more.pop("version", 1), type_, **more), self.people[0], audience)

    def answer(self, round_: bytes, *choices: str) -> None:
        """What the first members answer, in their order; "" for none."""
        for key, choice in zip(self.people, choices, strict=False):
            if choice:
                self.must("vote.cast/1", Cast(round_, choice), key, self.round(round_).scope)

    def close(self, round_: bytes, by: SigningKey | None = None, secret: bytes = b"") -> Outcome:
        self.must("decision.closed/1", Closed(round_, secret), by or self.people[0], self.round(round_).scope)
        return self.outcome(self.isle.log[-1].digest)

    def set(self, name: str, value: int) -> None:
        """As a protocol that was adopted does."""
        row = Setting(1, sha256(name.encode()).digest(), name, len(self.isle.log), value, self.now_ms, FOREVER_MS)
        self.store.write(1, PUBLIC, (SETTINGS.put(row),))

    def round(self, digest: bytes) -> Round:
        row = self.view.get(ROUNDS, digest)
        assert row is not None
        return row

    def proposal(self, digest: bytes) -> Proposal:
        row = self.view.get(PROPOSALS, digest)
        assert row is not None
        return row

    def outcome(self, digest: bytes) -> Outcome:
        row = self.view.get(OUTCOMES, digest)
        assert row is not None
        return row


def plan_of(kind: str, body: Struct, *concerned: bytes, option: int = 0) -> Plan:
    return Plan(kind, encoding.encode(structure_and_words(body)[0]), option, list(concerned))


def removal(house: House, who: int) -> tuple[members.Removed, Plan]:
    body = members.Removed(house.people[who].public, "Reasons")
    return body, plan_of(REMOVED, body, house.people[who].public)


@pytest.fixture
def house() -> House:
    return House()


# The thread from a proposal to one act


def test_what_is_decided_may_be_done_once_by_any_member_and_nothing_else_may(house: House) -> None:
    body, plan = removal(house, 4)
    other = members.Removed(house.people[3].public, "Reasons")
    round_ = house.call(house.propose(plan))
    assert "takes a decision" in house.write(REMOVED, body, house.people[1])
    house.answer(round_, "agree", "agree", "concern", "abstain")
    outcome = house.close(round_)
    assert (outcome.result, outcome.accepted, outcome.eligible, outcome.answered, outcome.in_favour) == (
        "accepted", True, 4, 4, 3,
    )  # fmt: skip
    assert "takes a decision" in house.write(REMOVED, other, house.people[1])
    house.must(REMOVED, members.Removed(body.member, "In other words"), house.people[2])
    assert not house.view.need(MEMBERSHIPS, body.member, what="member").ended_ms > house.now_ms
    assert "it was used, or lapsed" in house.write(REMOVED, body, house.people[1])


def test_the_leave_lapses_if_nobody_uses_it(house: House) -> None:
    body, plan = removal(house, 4)
    round_ = house.call(house.propose(plan))
    house.answer(round_, "agree", "agree", "agree", "agree")
    outcome = house.close(round_)
    (grant,) = house.view.all(GRANTS, holder=ANYBODY)
    assert (grant.until_ms, grant.since_ms) == (outcome.act_until_ms, outcome.since_ms)
    house.now_ms = grant.until_ms
    assert "gave leave for this until" in house.write(REMOVED, body, house.people[1])


@pytest.mark.parametrize("choices", [("agree", "object"), ("agree",), ("abstain", "abstain", "abstain"), ("agree", "abstain")])
def test_without_consent_of_two_there_is_no_leave(house: House, choices: tuple[str, ...]) -> None:
    body, plan = removal(house, 4)
    round_ = house.call(house.propose(plan))
    house.answer(round_, *choices)
    house.later(days=8)
    assert not house.close(round_).accepted
    assert "takes a decision" in house.write(REMOVED, body, house.people[0])


def test_the_clock_closes_a_round_and_a_stranger_does_not(house: House) -> None:
    round_ = house.call(house.propose())
    (clock,) = house.isle.nodes.values()
    assert "open until" in house.write("decision.closed/1", Closed(round_), clock)
    house.later(days=7)
    assert "not been given" in house.write("decision.closed/1", Closed(round_), SigningKey(bytes(32)))
    assert house.close(round_, clock).result == "too few answers"
    assert "counted already" in house.write("decision.closed/1", Closed(round_), clock)


def secret_for(round_: Round) -> bytes:
    return sha256(ballot.label(round_.proposal, round_.salt)).digest()


# Who answers, and how often


def votes(house: House, round_: bytes) -> dict[bytes, Vote]:
    return {vote.member: vote for vote in house.view.all(VOTES, round=round_)}


def test_a_changed_answer_counts_once_and_as_the_last(house: House) -> None:
    round_ = house.call(house.propose(), "majority")
    house.answer(round_, "no", "yes", "yes")
    for choice in ("yes", "no", "yes"):
        house.answer(round_, choice)
    assert votes(house, round_)[house.people[0].public].changes == 3
    house.later(days=8)
    assert "closed at" in house.write("vote.cast/1", Cast(round_, "no"), house.people[0])
    outcome = house.close(round_)
    assert (outcome.answered, outcome.in_favour, dict(counts_of(outcome))) == (3, 3, {"yes": 3, "no": 0, "abstain": 0})


def test_who_came_after_the_call_is_not_asked_and_who_came_in_its_minute_before_it_is() -> None:
    house = House(2)
    before = house.join()
    round_ = house.call(house.propose())
    after = house.join()
    assert house.round(round_).called_ms == house.view.need(MEMBERSHIPS, after.public, what="member").admitted_ms
    assert "came after this round was called" in house.write("vote.cast/1", Cast(round_, "agree"), after)
    assert not house.write("vote.cast/1", Cast(round_, "agree"), before)
    assert "They came after" in house.write("vote.cast/1", Cast(round_, "agree", after.public), before)
    house.later(days=1)
    late = house.join()
    assert "came after" in house.write("vote.cast/1", Cast(round_, "object"), late)
    house.later(days=8)
    assert house.close(round_).eligible == 3


def test_who_left_before_the_close_does_not_count_for_the_quorum_or_the_result(house: House) -> None:
    round_ = house.call(house.propose(), "majority")
    house.answer(round_, "yes", "no")
    house.must("member.left/1", members.Left(), house.people[1])
    house.must("member.left/1", members.Left(), house.people[4])
    house.later(days=8)
    outcome = house.close(round_)
    assert (outcome.result, outcome.eligible, outcome.answered) == ("too few answers", 3, 1)


def test_who_left_after_the_time_was_over_counts_though_it_was_counted_later(house: House) -> None:
    round_ = house.call(house.propose(), "majority")
    house.answer(round_, "yes", "yes", "no")
    house.later(days=8)
    house.must("member.left/1", members.Left(), house.people[1])
    house.later(days=20)
    outcome = house.close(round_)
    assert (outcome.result, outcome.eligible, outcome.in_favour) == ("accepted", 5, 2)
    assert outcome.closed_ms == house.round(round_).closes_ms < outcome.since_ms


def test_whom_it_concerns_has_no_vote_and_writes_down_nobody_elses(house: House) -> None:
    _, plan = removal(house, 4)
    round_ = house.call(house.propose(plan))
    assert "This concerns you" in house.write("vote.cast/1", Cast(round_, "object"), house.people[4])
    for_other = Cast(round_, "object", house.people[3].public)
    assert "This concerns you" in house.write("vote.cast/1", for_other, house.people[4])
    for_them = Cast(round_, "object", house.people[4].public)
    assert "This concerns them" in house.write("vote.cast/1", for_them, house.people[0])


def test_an_answer_written_down_for_somebody_gives_way_to_their_own_and_never_the_other_way_round(house: House) -> None:
    round_ = house.call(house.propose(), "majority")
    ada, bo, cy = house.people[:3]
    house.must("vote.cast/1", Cast(round_, "yes", cy.public), ada)
    row = votes(house, round_)[cy.public]
    assert (row.by_self, row.hand, row.choice) == (False, ada.public, "yes")
    house.must("vote.cast/1", Cast(round_, "abstain", cy.public), bo)
    house.must("vote.cast/1", Cast(round_, "no"), cy)
    assert votes(house, round_)[cy.public].by_self
    assert "They have answered themselves" in house.write("vote.cast/1", Cast(round_, "yes", cy.public), ada)
    assert votes(house, round_)[cy.public].choice == "no"


def test_one_member_writes_down_few_answers_and_none_where_the_protocol_says_so() -> None:
    house = House(9)
    round_ = house.call(house.propose(), "majority")
    for other in house.people[1:6]:
        house.must("vote.cast/1", Cast(round_, "yes", other.public), house.people[0])
    sixth = Cast(round_, "yes", house.people[6].public)
    assert "5 answers for others at most" in house.write("vote.cast/1", sixth, house.people[0])
    house.must("vote.cast/1", Cast(round_, "no", house.people[1].public), house.people[0])
    house.must("vote.cast/1", sixth, house.people[1])
    house.set("decisions.votes-for-others", 0)
    other_round = house.call(house.propose())
    assert "not done here" in house.write("vote.cast/1", Cast(other_round, "agree", house.people[1].public), house.people[0])


def test_nobody_gets_leave_with_answers_in_one_hand(house: House) -> None:
    body, plan = removal(house, 4)
    round_ = house.call(house.propose(plan))
    house.answer(round_, "agree")
    for other in house.people[1:4]:
        house.must("vote.cast/1", Cast(round_, "agree", other.public), house.people[0])
    outcome = house.close(round_)
    assert (outcome.result, outcome.in_favour, outcome.answered) == ("not accepted", 4, 4)
    assert "takes a decision" in house.write(REMOVED, body, house.people[0])


# A collective of one, two, three


def test_a_collective_of_one_decides_alone_until_there_are_two() -> None:
    house = House(1)
    wire = WireSet("members.count", "below", 3, 1)
    house.must("tripwire.set/1", wire, house.people[0])
    body = WireRemoved(house.isle.log[-1].digest, "Enough")
    plan = plan_of("tripwire.removed/1", body)
    first = house.propose(plan)
    round_ = house.call(first)
    house.join()
    house.answer(round_, "agree")
    assert house.close(round_).accepted
    again = house.call(house.propose(plan))
    house.answer(again, "agree")
    assert "1 member may still answer" in house.write("decision.closed/1", Closed(again), house.people[0])
    house.later(days=8)
    assert house.close(again).result == "not accepted"


def test_of_two_nobody_decides_about_the_other_and_of_three_two_do() -> None:
    two = House(2)
    _, plan = removal(two, 1)
    call = Called(two.propose(plan), 1, "consent")
    assert "1 member may vote on this" in two.write("decision.called/1", call, two.people[0])
    three = House(3)
    body, plan = removal(three, 2)
    round_ = three.call(three.propose(plan))
    three.answer(round_, "agree", "agree")
    assert three.close(round_).accepted
    assert not three.write(REMOVED, body, three.people[1])


# Calling


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"closes_ms": 1}, "over already"),
        ({"closes_ms": "soon"}, "at least 24 hours"),
        ({"closes_ms": "far"}, "At most 60 days".lower()),
        ({"version": 2}, "has 1 version"),
        ({"quorum_percent": 49}, "at least 50 percent"),
        ({"share_percent": 20}, "at least 50 percent"),
        ({"review_cycle": 3}, "Review: The fuse has to lie ahead"),
        ({"sunset_cycle": 3}, "Sunset: The fuse has to lie ahead"),
        ({"review_cycle": 2000}, "Review: A fuse is at most 3 cycles long"),
        ({"sunset_cycle": 2000}, "Sunset: A fuse is at most 13 cycles long"),
        ({"review_cycle": "+3", "sunset_cycle": "+2"}, "after the sunset"),
        ({"key": b"k" * 32}, "Answers are open"),
        ({"hidden": "close"}, "take a key"),
        ({"hidden": "close", "key": b"k" * 32}, "take a key"),
        ({"type": "ranked"}, "at least two options"),
    ],
)
def test_a_call_that_cannot_be_is_refused_with_what_to_do(house: House, more: dict[str, Any], said: str) -> None:
    moments = {"soon": house.now_ms + HOUR_MS, "far": house.now_ms + 61 * DAY_MS}
    fields = {name: moments.get(str(value), value) for name, value in more.items()}
    for name, value in fields.items():
        if isinstance(value, str) and value.startswith("+"):
            fields[name] = house.cycle + int(value)
    body = Called(**{"proposal": house.propose(), "version": 1, "type": "consent", **fields})
    assert said in house.write("decision.called/1", body, house.people[0])


def test_several_options_are_called_by_majority_or_ranked_and_advice_gives_leave_for_nothing(house: House) -> None:
    several = house.propose(options=["this", "that"])
    assert "by majority or ranked" in house.write("decision.called/1", Called(several, 1, "consent"), house.people[0])
    round_ = house.call(several, "ranked")
    house.answer(round_, "2 1", "2", "1 2")
    house.later(days=8)
    assert (house.close(round_).option) == 2
    _, plan = removal(house, 4)
    planned = house.propose(plan)
    assert "advice decides nothing" in house.write("decision.called/1", Called(planned, 1, "advice"), house.people[0])


def test_what_an_option_plans_is_allowed_only_if_it_is_chosen(house: House) -> None:
    body, plan = removal(house, 4)
    other = members.Removed(house.people[3].public)
    plans = [replace(plan, option=2), plan_of(REMOVED, other, house.people[3].public, option=1)]
    round_ = house.call(house.propose(*plans, options=["one", "two"]), "majority")
    house.answer(round_, "2", "2", "1")
    assert house.close(round_).option == 2
    assert "takes a decision" in house.write(REMOVED, other, house.people[0])
    assert not house.write(REMOVED, body, house.people[0])


def test_the_rules_of_a_round_stay_whatever_is_adopted_or_written_after_the_call(house: House) -> None:
    proposal = house.propose()
    round_ = house.call(proposal, "majority")
    before = house.round(round_)
    house.set("decisions.quorum-percent", 100)
    house.set("decisions.majority-percent", 100)
    house.must("decision.amended/1", Amended(proposal, "Another text", "Better"), house.people[1])
    assert "open already" in house.write("decision.called/1", Called(proposal, 2, "consent"), house.people[1])
    assert "nobody stops it alone" in house.write("decision.withdrawn/1", Withdrawn(proposal, "No"), house.people[0])
    assert house.round(round_) == before
    house.answer(round_, "yes", "yes", "no")
    house.later(days=8)
    outcome = house.close(round_)
    assert (outcome.accepted, outcome.version) == (True, 1)


def test_a_strategic_shift_is_called_only_with_a_theory_of_change(house: House) -> None:
    proposal = house.propose(strategic=True)
    assert "theory of change" in house.write("decision.called/1", Called(proposal, 1, "consent"), house.people[0])
    house.must("theory.stated/1", Stated(proposal, "More", "Steps", "That", "If not", "All", "Us"), house.people[1])
    house.call(proposal)


# Objections, versions, debate


def test_an_objection_stops_it_until_it_is_withdrawn_or_a_later_version_takes_it_up(house: House) -> None:
    proposal = house.propose()
    round_ = house.call(proposal)
    house.answer(round_, "agree", "agree", "object")
    objection = votes(house, round_)[house.people[2].public].id
    house.later(days=8)
    assert house.close(round_).result == "objected to"
    again = Called(proposal, 1, "consent")
    assert "1 objection from the last round is not taken up yet" in house.write("decision.called/1", again, house.people[0])
    majority = Called(proposal, 1, "majority")
    assert "not taken up yet" in house.write("decision.called/1", majority, house.people[0])
    house.must("decision.amended/1", Amended(proposal, "Another text", "A detail"), house.people[0])
    assert "not taken up yet" in house.write("decision.called/1", replace(again, version=2), house.people[0])
    house.must("decision.amended/1", Amended(proposal, "And another", "What was objected", [objection]), house.people[0])
    second = house.call(proposal, version=3)
    house.answer(second, "agree", "agree", "object")
    house.answer(second, "", "", "concern")
    house.later(days=8)
    outcome = house.close(second)
    assert (outcome.result, outcome.version, outcome.in_favour) == ("accepted", 3, 3)


def test_a_version_keeps_options_and_acts_unless_it_says_otherwise_and_takes_up_only_what_was_raised(house: House) -> None:
    _, plan = removal(house, 4)
    proposal = house.propose(plan)
    house.must("decision.amended/1", Amended(proposal, "Other words", "Words"), house.people[1])
    rows = {row.number: row for row in house.view.all(VERSIONS, proposal=proposal)}
    assert plans_of(rows[2]) == plans_of(rows[1]) == (plan,)
    wrong = Amended(proposal, "Other words", "Words", options=["a", "b"])
    assert "Other options or another act: set this" in house.write("decision.amended/1", wrong, house.people[1])
    house.must("decision.amended/1", Amended(proposal, "Words", "No act", changes_act=True), house.people[1])
    rows = {row.number: row for row in house.view.all(VERSIONS, proposal=proposal)}
    assert plans_of(rows[3]) == ()
    stray = Amended(proposal, "Words", "Stray", [house.isle.log[1].digest])
    assert "no objection or concern" in house.write("decision.amended/1", stray, house.people[1])


def test_debate_answers_what_was_asked_and_an_outcome_is_spoken_of_only_after_it(house: House) -> None:
    proposal, other = house.propose(), house.propose()
    question = house.must("decision.discussed/1", Discussed(proposal, "question", "Who pays?"), house.people[1])
    bare = Discussed(proposal, "answer", "We do")
    assert "names the question" in house.write("decision.discussed/1", bare, house.people[0])
    elsewhere = Discussed(other, "answer", "We do", question)
    assert "not said about this proposal" in house.write("decision.discussed/1", elsewhere, house.people[0])
    house.must("decision.discussed/1", Discussed(proposal, "answer", "We do", question), house.people[0])
    early = Discussed(proposal, "outcome", "So be it")
    assert "nothing is decided yet" in house.write("decision.discussed/1", early, house.people[0])
    house.answer(house.call(proposal), *["agree"] * 5)
    house.close(house.proposal(proposal).round or b"")
    house.must("decision.discussed/1", early, house.people[0])
    house.must("dissent.recorded/1", Dissented(proposal, "Not for me"), house.people[3])
    house.later(days=800)
    house.must("dissent.recorded/1", Dissented(proposal, "Still not"), house.people[3])


def test_a_proposal_is_withdrawn_by_who_made_it_and_lapses_if_nobody_touches_it(house: House) -> None:
    proposal, other = house.propose(), house.propose()
    assert "by who made it" in house.write("decision.withdrawn/1", Withdrawn(proposal, "No"), house.people[1])
    house.must("decision.withdrawn/1", Withdrawn(proposal, "No"), house.people[0])
    assert "was withdrawn" in house.write("decision.called/1", Called(proposal, 1, "consent"), house.people[0])
    house.later(days=120)
    assert "has lapsed: nobody touched it for 3 cycles" in house.write(
        "decision.called/1", Called(other, 1, "consent"), house.people[0]
    )
    assert open_proposals(house.view, house.now_ms) == ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"options": ["one"]}, "at least two"),
        ({"options": ["same", "same"]}, "at least two"),
        ({"plans": [Plan(REMOVED, b"\xa0", 1)]}, "no such option"),
        ({"plans": [Plan(REMOVED, b"\xa0"), Plan(REMOVED, b"\xa0")]}, "one act at most"),
        ({"plans": [Plan(REMOVED, b"\xff")]}, "not as its form gave it"),
        ({"plans": [Plan(REMOVED, b"\x01")]}, "not as its form gave it"),
        ({"renews": bytes(32)}, "no such decision to renew"),
    ],
)
def test_a_proposal_that_cannot_be_carried_out_is_refused(house: House, body: dict[str, Any], said: str) -> None:
    assert said in house.write("decision.proposed/1", Proposed("Title", "Text", "Why", **body), house.people[0])


def test_among_members_only_all_is_members_only_and_no_act_follows(house: House) -> None:
    _, plan = removal(house, 4)
    planned = Proposed("Title", "Text", "Why", plans=[plan])
    assert "decided in public" in house.write("decision.proposed/1", planned, house.people[0], MEMBERS)
    proposal = house.propose(audience=MEMBERS)
    assert "no such proposal" in house.write("decision.called/1", Called(proposal, 1, "consent"), house.people[0])
    round_ = house.call(proposal, audience=MEMBERS)
    house.answer(round_, "agree", "agree", "agree")
    public = house.call(house.propose())
    narrower = house.write("vote.cast/1", Cast(public, "agree"), house.people[0], MEMBERS)
    assert "for the same audience" in narrower
    house.later(days=8)
    assert house.close(round_).accepted
    assert not house.store.view(house.isle.id, PUBLIC).all(OUTCOMES)


# At the fuse


def accepted(house: House, **more: Any) -> Outcome:
    round_ = house.call(house.propose(), **more)
    house.answer(round_, *["agree"] * len(house.people))
    return house.close(round_)


def latest(house: House, row: Outcome) -> Outcome:
    return house.outcome(row.id)


def test_a_decision_is_back_on_the_agenda_by_itself_and_binds_nobody_after_its_sunset(house: House) -> None:
    row = accepted(house)
    assert row.review_ms == moon.after_cycles(house.now_ms + 7 * DAY_MS, 3)
    assert row.sunset_ms == moon.after_cycles(house.now_ms + 7 * DAY_MS, 13)
    for at_ms, word, holds in (
        (row.since_ms, "in force", True), (row.review_ms - 1, "in force", True), (row.review_ms, "back on the agenda", True),
        (row.sunset_ms - 1, "back on the agenda", True), (row.sunset_ms, "lapsed", False),
    ):  # fmt: skip
        assert (stands(row, at_ms), binds(row, at_ms)) == (word, holds)
    assert dues(house, row.review_ms - DAY_MS) == [f"Judge “{row.title}”: did it do what it was for?"]
    assert dues(house, row.review_ms) == [f"Back on the agenda: “{row.title}”. Nobody judged it by the day that it named."]
    assert dues(house, row.sunset_ms) == [f"“{row.title}” has lapsed and binds nobody: propose it anew if it is wanted"]
    assert dues(house, row.sunset_ms + 15 * DAY_MS) == []


def dues(house: House, at_ms: int) -> list[str]:
    return [due.what for due in PRACTICE.due(house.view, at_ms) if due.since_ms <= at_ms < due.until_ms]


def judge(house: House, body: Judged, by: int = 1) -> str:
    house.decide("decision.judged/1", body)
    return house.write("decision.judged/1", body, house.people[by])


def test_nobody_stops_a_fuse_alone_and_what_was_met_stands_until_its_next_date(house: House) -> None:
    row = accepted(house)
    for verdict in ("met", "not-met", "end"):
        for key in house.people:
            assert "takes a decision" in house.write("decision.judged/1", Judged(row.id, verdict, found="So"), key)
    house.later(days=100)
    assert stands(row, house.now_ms) == "back on the agenda"
    assert not judge(house, Judged(row.id, "met", house.cycle + 2, house.cycle + 5, "It works"))
    now = latest(house, row)
    assert (stands(now, house.now_ms), now.reviews) == ("in force", 1)
    assert now.review_ms == moon.new_moon_ms(house.cycle + 2)
    assert stands(now, now.review_ms) == "back on the agenda"
    assert stands(now, moon.new_moon_ms(house.cycle + 5)) == "lapsed"


def test_what_was_not_met_is_back_on_the_agenda_at_once_and_what_is_ended_binds_nobody(house: House) -> None:
    row = accepted(house)
    assert not judge(house, Judged(row.id, "not-met", found="It does not"))
    assert stands(latest(house, row), house.now_ms) == "back on the agenda"
    assert "It was judged, and did not do what it was for" in dues(house, house.now_ms)[0]
    assert "only what was met" in judge(house, Judged(row.id, "end", house.cycle + 1))
    assert not judge(house, Judged(row.id, "end", found="No more"))
    assert stands(latest(house, row), house.now_ms) == "ended"
    assert "is ended, so there is nothing to judge" in judge(house, Judged(row.id, "met", found="Late"))


def test_a_judgement_dates_ahead_and_after_the_sunset_nothing_is_judged(house: House) -> None:
    row = accepted(house)
    assert "Review: The fuse has to lie ahead" in judge(house, Judged(row.id, "met", house.cycle))
    house.now_ms = row.sunset_ms
    assert "is lapsed" in judge(house, Judged(row.id, "met", found="Late"))


def test_a_decision_for_one_act_is_settled_by_it_unless_it_names_a_date(house: House) -> None:
    row = accepted(house)
    body = Judged(row.id, "met", found="It works")
    house.decide("decision.judged/1", body)
    (settled,) = [each for each in house.view.all(OUTCOMES) if each.act_kind == "decision.judged/1"]
    assert settled.is_settled
    assert stands(settled, settled.act_until_ms) == "settled"
    assert "Nobody did what" in " ".join(dues(house, settled.act_until_ms))
    house.must("decision.judged/1", body, house.people[0])
    assert "Nobody did what" not in " ".join(dues(house, settled.act_until_ms))
    _, plan = removal(house, 4)
    round_ = house.call(house.propose(plan), review_cycle=house.cycle + 2)
    house.answer(round_, *["agree"] * 4)
    assert not house.close(round_).is_settled


def test_a_criterion_on_a_figure_that_nobody_knows_is_said_to_be_that(house: House) -> None:
    criteria = [Criterion("members.count", "at-least", 3), Criterion("weather.rain", "at-most", 4)]
    row = accepted(house, criteria=criteria, measures="Fewer arguments")
    told = text_of(house, row.id)
    assert "nobody measures this here" in told
    assert "Members" in told
    assert "not noted" in told
    assert "Fewer arguments" in told


def text_of(house: House, digest: bytes, audience: int = EVERYTHING) -> str:
    view = house.store.view(house.isle.id, audience)
    return str(msgspec.json.encode(list(PRACTICE.record(view, digest, house.now_ms))).decode())


def test_the_page_of_anything_about_a_proposal_tells_its_whole_story(house: House) -> None:
    proposal = house.propose(strategic=True, binds="All who have a key")
    house.must("theory.stated/1", Stated(proposal, "Nobody waits", "Keys", "Trust", "Losses", "All", "Us"), house.people[1])
    question = house.must("decision.discussed/1", Discussed(proposal, "question", "Who pays?"), house.people[1])
    house.must("decision.discussed/1", Discussed(proposal, "answer", "We do", question), house.people[0])
    first = house.call(proposal)
    house.must("vote.cast/1", Cast(first, "object", reasons="It would cost too much"), house.people[2])
    house.answer(first, "agree", "agree")
    objection = votes(house, first)[house.people[2].public].id
    house.later(days=8)
    house.close(first)
    amended = Amended(proposal, "We have two copies made", "Because of the price", [objection])
    version = house.must("decision.amended/1", amended, house.people[1])
    second = house.call(proposal, version=2, measures="Nobody waits at the door")
    house.answer(second, *["agree"] * 5)
    outcome = house.close(second)
    dissent = house.must("dissent.recorded/1", Dissented(proposal, "I would have kept one"), house.people[3])
    stories = {
        text_of(house, digest) for digest in (proposal, question, first, version, second, outcome.id, dissent, objection)
    }
    assert len(stories) == 1
    (story,) = stories
    in_order = [
        "A second key", "One was lost", "We have two copies made", "Because of the price", "Difference", "Losses", "Who pays?",
        "Round 1", "It would cost too much", "taken up in version 2", "There were objections", "Round 2", "It is accepted",
        "I would have kept one", "Until when it holds", "Nobody waits at the door", "Propose: it was met",
    ]  # fmt: skip
    at = [story.index(part) for part in in_order]
    assert at == sorted(at)


# Hidden rounds


def sealed_call(house: House, hidden: Any = "close", type_: Any = "majority", **more: Any) -> Round:
    proposal = house.propose(**more)
    salt = house.rng.randbytes(16)
    secret = sha256(ballot.label(proposal, salt)).digest()
    digest = house.call(proposal, type_, hidden=hidden, key=ballot.public_of(secret), salt=salt)
    return house.round(digest)


def sealed(house: House, round_: Round, who: int, choice: str) -> Cast:
    member = house.people[who].public
    return Cast(round_.id, "", None, ballot.seal(round_.key, round_.id, member, choice, house.rng.randbytes(32)))


def test_sealed_answers_are_opened_and_counted_by_the_secret_and_a_spoiled_one_as_spoiled(house: House) -> None:
    round_ = sealed_call(house)
    for who, choice in enumerate(("yes", "yes", "no")):
        house.must("vote.cast/1", sealed(house, round_, who, choice), house.people[who])
    copied = votes(house, round_.id)[house.people[0].public].sealed
    house.must("vote.cast/1", Cast(round_.id, "", None, copied), house.people[3])
    secret = secret_for(round_)
    assert "open until" in house.write("decision.closed/1", Closed(round_.id, secret), house.people[0])
    house.later(days=8)
    for wrong, said in ((b"", "opened by the node"), (bytes(32), "not the secret"), (secret[:-1], "not the secret")):
        assert said in house.write("decision.closed/1", Closed(round_.id, wrong), house.people[0])
    outcome = house.close(round_.id, secret=secret)
    assert (outcome.result, outcome.in_favour, outcome.answered, outcome.spoiled) == ("accepted", 2, 4, 1)
    assert sorted(vote.choice for vote in votes(house, round_.id).values()) == ["", "no", "yes", "yes"]


def test_in_a_hidden_round_an_answer_in_the_clear_is_refused_and_in_an_open_one_a_sealed(house: House) -> None:
    round_ = sealed_call(house)
    for body in (
        Cast(round_.id, "yes"),
        Cast(round_.id),
        Cast(round_.id, "", None, b"short"),
        replace(sealed(house, round_, 0, "yes"), choice="yes"),
    ):
        assert "are sealed" in house.write("vote.cast/1", body, house.people[0])
    open_ = house.call(house.propose(), "majority")
    assert "nothing to seal" in house.write("vote.cast/1", Cast(open_, "yes", None, b"x" * 112), house.people[0])
    assert "Answer: one of yes, no, abstain" in house.write("vote.cast/1", Cast(open_, "agree"), house.people[0])
    house.later(days=8)
    assert "no secret to give" in house.write("decision.closed/1", Closed(open_, bytes(32)), house.people[0])


def test_a_key_seals_one_round_only(house: House) -> None:
    round_ = sealed_call(house)
    other = Called(house.propose(), 1, "majority", "close", key=round_.key, salt=round_.salt)
    assert "has sealed another round" in house.write("decision.called/1", other, house.people[0])


def test_a_hidden_round_whose_secret_nobody_gives_ends_uncounted_after_a_week(house: House) -> None:
    round_ = sealed_call(house)
    for who in range(4):
        house.must("vote.cast/1", sealed(house, round_, who, "yes"), house.people[who])
    house.now_ms = round_.closes_ms + 7 * DAY_MS - MINUTE_MS
    assert "opened by the node" in house.write("decision.closed/1", Closed(round_.id), house.people[0])
    house.later(hours=1)
    outcome = house.close(round_.id)
    assert (outcome.result, outcome.accepted) == ("could not be opened", False)


@pytest.mark.parametrize("hidden", ["own", "close"])
def test_two_histories_that_differ_only_in_sealed_answers_say_the_same_until_the_close(hidden: str) -> None:
    """Pages, dues, figures, state, rows but for the boxes, and lengths of records: to the byte."""

    def lived(choices: Sequence[str]) -> tuple[House, Round]:
        house = House(5)
        round_ = sealed_call(house, hidden)
        for who, choice in enumerate(choices):
            house.later(hours=1)
            house.must("vote.cast/1", sealed(house, round_, who, choice), house.people[who])
        return house, round_

    (one, round_), (two, _) = lived(["yes", "yes", "no"]), lived(["no", "abstain", "yes"])
    for audience in (PUBLIC, MEMBERS, EVERYTHING):
        for at_ms in (one.now_ms, round_.closes_ms, round_.closes_ms + DAY_MS):
            assert said(one, audience, at_ms, round_.id) == said(two, audience, at_ms, round_.id)
    assert [len(each.raw) for each in one.isle.log] == [len(each.raw) for each in two.isle.log]
    assert [each.logged_ms for each in one.isle.log] == [each.logged_ms for each in two.isle.log]
    for left, right in zip(one.view.all(VOTES), two.view.all(VOTES), strict=True):
        assert replace(left, sealed=b"", id=b"") == replace(right, sealed=b"", id=b"")
    one.now_ms = two.now_ms = round_.closes_ms
    outcomes = [house.close(round_.id, secret=secret_for(round_)).result for house in (one, two)]
    assert outcomes == ["accepted", "tied"]


def said(house: House, audience: int, at_ms: int, digest: bytes) -> bytes:
    view = house.store.view(house.isle.id, audience)
    stories = [list(PRACTICE.record(view, each, at_ms)) for each in (digest, *(vote.id for vote in house.view.all(VOTES)))]
    told = [list(PRACTICE.page(view, at_ms)), list(PRACTICE.due(view, at_ms))]
    more = [dict(PRACTICE.figures(view, at_ms)), dict(PRACTICE.state(view, at_ms))]
    return msgspec.json.encode([stories, told, more])
