"""Decisions: proposed, talked about, called, answered, closed, and then leave for exactly one act."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from protocol.deciding import (
    OUTCOMES,
    VERSIONS,
    Criterion,
    Plan,
    counts_of,
    open_proposals,
    plans_of,
)
from protocol.keys import SigningKey
from protocol.mandate import ANYBODY
from protocol.membership import MEMBERSHIPS, name_of
from protocol.page import Text
from protocol.practice import GRANTS, MEMBERS, PUBLIC
from protocol.practices import members
from protocol.practices.tripwires import WireRemoved, WireSet
from protocol.proposal import (
    Amended,
    Called,
    Cast,
    Closed,
    Discussed,
    Dissented,
    Proposed,
    Stated,
    Withdrawn,
)
from protocol.round_blocks import came_to
from tests.laws.world import DAY_MS, HOUR_MS
from tests.protocol.deciders import REMOVED, House, plan_of, removal, votes


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


# Who answers, and how often


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
    assert "3 members may still answer" in house.write("decision.closed/1", Closed(round_), house.people[0])
    house.later(days=8)
    outcome = house.close(round_)
    assert (outcome.result, outcome.in_favour, outcome.answered) == ("not accepted", 4, 4)
    why = "All answers were written down by 1, and what somebody writes down for others counts in one hand with their own."
    said = [block.text for block in came_to(house.view, outcome, ()) if isinstance(block, Text)]
    name = name_of(house.view, house.people[0].public)
    assert any(each.startswith(why.replace("by 1", f"by {name}")) for each in said), said
    assert "takes a decision" in house.write(REMOVED, body, house.people[0])


# A collective of one, two, three


def test_a_collective_of_one_decides_alone_until_there_are_two() -> None:
    house = House(1)
    wire = WireSet("members.count", "below", 3, 1)
    setting = house.call(house.propose(plan_of("tripwire.set/1", wire)))
    house.answer(setting, "agree")
    assert house.close(setting).accepted
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


def test_among_members_only_all_is_members_only_and_no_public_act_follows(house: House) -> None:
    body, plan = removal(house, 4)
    decided = house.call(house.propose(plan, audience=MEMBERS), audience=MEMBERS)
    house.answer(decided, *["agree"] * 4)
    assert house.close(decided).accepted
    assert "takes a decision" in house.write(REMOVED, body, house.people[0])
    assert "Membership is public" in house.write(REMOVED, body, house.people[0], MEMBERS)
    assert house.people[4].public in house.members()
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


def test_advice_asks_for_reasons_of_an_objection_and_tells_what_a_version_leaves_out(house: House) -> None:
    proposal = house.propose()
    call = Called(proposal, 1, "consent", criteria=[Criterion("members.cuont", "at-least", 3)])
    kinds = house.kinds
    assert "Do you mean members.count?" in kinds["decision.called/1"].advise(house.view, call)
    round_ = house.call(proposal)
    advise = kinds["vote.cast/1"].advise
    assert "Say what would be harmed" in advise(house.view, Cast(round_, "Object"))
    assert advise(house.view, Cast(round_, "object", reasons="It is too dear")) == ""
    house.answer(round_, "object", *["agree"] * 4)
    house.close(round_)
    version = Amended(proposal, "Other words", "Other words")
    assert "1 objection from the last round" in kinds["decision.amended/1"].advise(house.view, version)
