"""Edges of size in self-government: a collective of one, of two, of three, of five hundred, and roles that nobody can take."""

from __future__ import annotations

from typing import Literal

import pytest

from protocol import moon
from protocol.deciding import VOTES, Vote, electorate
from protocol.drawing import LOTS, POOLS
from protocol.keys import SigningKey
from protocol.lot import commitment as lot_commitment
from protocol.membership import MEMBER, MEMBERSHIPS, Membership
from protocol.page import Action, Text
from protocol.practice import FOREVER_MS, GRANTS, KEYS, PUBLIC, Grant, Key, keys
from protocol.practices import PRACTICES, lots, members, roles, tripwires
from protocol.proposal import Called, Cast, Closed
from protocol.role_bodies import Answered, Resigned, Taken
from protocol.role_bodies import Called as ShadowCalled
from protocol.terms import TERMS, holder_of
from protocol.wires import open_reviews
from tests.laws.commune import BOOK, WHY, Commune
from tests.laws.world import DAY_MS, MINUTE_MS
from tests.protocol.deciders import REMOVED, plan_of

ANSWERED = "role.call-answered/1"


class Crowd(Commune):
    """A few who act, and so many beside them who are only there."""

    def __init__(self, size: int) -> None:
        super().__init__(4)
        self.many = [SigningKey(self.rng.randbytes(32)) for _ in range(size - 4)]
        for number, key in enumerate(self.many, 5):
            who, at_ms = key.public, self.now_ms - DAY_MS // 2
            row = Membership(1, who, number, who, self.people[0].public, at_ms, at_ms, FOREVER_MS, "", "", "")
            grant = Grant(1, who, MEMBER, who, at_ms, FOREVER_MS, 0, False, "Your membership")
            self.store.write(
                1, PUBLIC, (MEMBERSHIPS.put(row), KEYS.put(Key(1, who, who, at_ms, FOREVER_MS)), GRANTS.put(grant))
            )
            self.isle.keys[who] = key

    def vote(self, round_: bytes, choices: list[str]) -> None:
        """What the many answer, as rows: records of theirs are like any others."""
        for key, choice in zip(self.many, choices, strict=False):
            row = Vote(1, round_, key.public, key.public, key.public, True, choice, b"", self.now_ms, 0, "")
            self.store.write(1, PUBLIC, (VOTES.put(row),))


# One


def one() -> Commune:
    commune = Commune(1)
    commune.people.append(commune.people[0])  # Eve is the only one there is
    del commune.people[0]
    commune.people.append(commune.people[0])
    return commune


def test_a_collective_of_one_holds_a_role_for_a_term_and_then_nobody_can() -> None:
    """Nobody is left who could decide on a next term, or be drawn for it: the sentence says so, and a pause of a cycle helps."""
    commune = one()
    commune.must("role.defined/1", commune.treasurer(), commune.people[0])
    body = commune.appointment()
    round_ = commune.call(commune.propose(plan_of("role.appointed/1", body)))
    commune.must("vote.cast/1", Cast(round_, "agree"), commune.people[0])
    assert commune.close(round_).accepted
    assert not commune.eve("role.appointed/1", body)
    term = commune.term()
    assert not commune.eve(BOOK, commune.book())
    plan = plan_of("role.renewed/1", commune.renewal(), commune.people[0].public)
    nobody = "0 members may vote on this, because the others are concerned; it takes 1 person in favour."
    assert nobody in commune.eve("decision.called/1", Called(commune.propose(plan), 1, "consent"))
    assert "Nobody can be drawn for this" in commune.eve("lot.opened/1", lots.Opened("shadow", term.id))
    assert "Nobody can be drawn for this" in commune.eve("lot.opened/1", lots.Opened("role", commune.subject()))
    commune.now_ms = term.until_ms
    assert "Your term as treasurer ended" in commune.eve(BOOK, commune.book())
    assert "Nobody can be drawn for this" in commune.eve("lot.opened/1", lots.Opened("role", commune.subject()))
    commune.now_ms = moon.after_cycles(term.until_ms, 1)
    lot = commune.must("lot.opened/1", lots.Opened("role", commune.subject()), commune.people[0])
    assert not commune.clock("lot.drawn/1", lots.LotDrawn(lot))
    assert not commune.eve("role.taken/1", Taken("treasurer"))
    assert not commune.eve(BOOK, commune.book())


def test_in_a_collective_of_one_a_review_is_closed_by_the_one_who_is_there() -> None:
    commune = one()
    wire = tripwires.WireSet("members.count", "below", 9, 1, [], "Me")
    assert "takes a decision" in commune.eve("tripwire.set/1", wire)
    assert not commune.as_decided("tripwire.set/1", wire)
    commune.note()
    (review,) = open_reviews(commune.view)
    assert "too few" in commune.eve("lot.opened/1", lots.Opened("facilitator", review.id))
    report = commune.report(review, commune.people[0])
    accepted = tripwires.ReviewAccepted(report)
    assert "takes a decision" in commune.eve("review.accepted/1", accepted)
    round_ = commune.call(commune.propose(plan_of("review.accepted/1", accepted)))
    commune.must("vote.cast/1", Cast(round_, "agree"), commune.people[0])
    assert commune.close(round_).accepted
    assert not commune.eve("review.accepted/1", accepted)


# Two and three


def paused(people: int) -> tuple[Commune, bytes, SigningKey]:
    """Eve is treasurer, and her shadow has called: (commune, the call, the shadow)."""
    commune = Commune(people)
    commune.must("role.defined/1", commune.treasurer(), commune.people[0])
    assert not commune.as_decided("role.appointed/1", commune.appointment())
    term = commune.term()
    shadow = commune.drawn("shadow", term.id)
    return commune, commune.must("role.called/1", ShadowCalled(term.id, BOOK, WHY), shadow), shadow


@pytest.mark.parametrize("people", [2, 3, 4, 5])
@pytest.mark.parametrize("outcome", ["resume", "revoke"])
def test_a_shadows_call_is_answered_however_few_there_are(people: int, outcome: Literal["resume", "revoke"]) -> None:
    """Without holder and shadow as long as two others are there to decide; else all decide, and nobody alone."""
    commune, made, _ = paused(people)
    answer = Answered(made, outcome, WHY)
    concerned = commune.kinds[ANSWERED].concerns(commune.view, answer)
    assert len(concerned) == (2 if people > 3 else 0)
    told = list(roles.PRACTICE.record(commune.view, made, commune.now_ms))
    assert [block.kind for block in told if isinstance(block, Action)] == [ANSWERED] * 2
    who_votes = (
        "Holder and shadow have no vote on it." if people > 3 else f"You are {people} members, too few to decide without"
    )
    assert any(isinstance(block, Text) and block.text.startswith(who_votes) for block in told)
    assert "takes a decision" in commune.eve(ANSWERED, answer)
    round_ = commune.call(commune.propose(plan_of(ANSWERED, answer, *sorted(concerned))), "majority")
    for key in commune.people:
        if key.public not in concerned:
            commune.must("vote.cast/1", Cast(round_, "yes"), key)
    assert commune.close(round_).accepted
    assert not commune.eve(ANSWERED, answer)
    booked = commune.eve(BOOK, commune.book())
    assert not booked if outcome == "resume" else "ended at" in booked


@pytest.mark.parametrize(("people", "votes", "result"), [
    (2, {"holder": "yes"}, "not accepted"),
    (2, {"shadow": "yes"}, "not accepted"),
    (2, {"holder": "yes", "shadow": "no"}, "tied"),
    (3, {"holder": "yes"}, "too few answers"),
    (3, {"holder": "yes", "shadow": "no"}, "tied"),
    (3, {"holder": "yes", "third": "abstain"}, "not accepted"),
    (3, {"holder": "yes", "shadow": "no", "third": "no"}, "not accepted"),
    (3, {"holder": "yes", "shadow": "no", "third": "yes"}, "accepted"),
    (3, {"shadow": "yes", "third": "yes"}, "accepted"),
])  # fmt: skip
def test_among_two_or_three_neither_holder_nor_shadow_answers_the_call_alone(
    people: int, votes: dict[str, str], result: str
) -> None:
    commune, made, shadow = paused(people)
    holder = commune.people[1]
    third = next((key for key in commune.people if key not in (holder, shadow)), None)
    who = {"holder": holder, "shadow": shadow, "third": third or holder}
    answer = Answered(made, "resume", WHY)
    round_ = commune.call(commune.propose(plan_of(ANSWERED, answer)), "majority")
    for name, choice in votes.items():
        commune.must("vote.cast/1", Cast(round_, choice), who[name])
    commune.now_ms = commune.round(round_).closes_ms
    assert commune.close(round_).result == result
    assert bool(commune.eve(ANSWERED, answer)) == (result != "accepted")


def test_who_decided_on_a_call_among_three_does_not_count_once_there_are_enough_others() -> None:
    """The holder and a third person decide; before it is carried out somebody is admitted: the others look anew."""
    commune, made, shadow = paused(3)
    third = next(key for key in commune.people if key not in (commune.people[1], shadow))
    answer = Answered(made, "resume", WHY)
    round_ = commune.call(commune.propose(plan_of(ANSWERED, answer)), "majority")
    for key in (commune.people[1], third):
        commune.must("vote.cast/1", Cast(round_, "yes"), key)
    commune.now_ms = commune.round(round_).closes_ms
    assert commune.close(round_).accepted
    commune.join()
    assert "takes a decision" in commune.eve(ANSWERED, answer)
    assert len(commune.kinds[ANSWERED].concerns(commune.view, answer)) == 2
    commune.must("member.left/1", members.Left(), third)
    assert commune.kinds[ANSWERED].concerns(commune.view, answer) == ()


@pytest.mark.parametrize(
    ("people", "votes", "result"),
    [
        (1, ["agree"], "accepted"),
        (2, ["agree", ""], "accepted"),
        (3, ["agree", "", ""], "too few answers"),
        (3, ["agree", "agree", ""], "accepted"),
        (3, ["abstain", "abstain", "abstain"], "not accepted"),
        (3, ["agree", "agree", "object"], "objected to"),
        (4, ["agree", "agree", "", ""], "accepted"),
        (5, ["agree", "agree", "", "", ""], "too few answers"),
    ],
)
def test_half_of_those_who_may_vote_have_to_answer_rounded_in_nobodys_favour(
    people: int, votes: list[str], result: str
) -> None:
    commune = Commune(people)
    round_ = commune.call(commune.propose())
    commune.answer(round_, *votes)
    commune.now_ms = commune.round(round_).closes_ms
    assert commune.close(round_).result == result


def test_when_all_others_have_left_before_the_close_the_round_is_of_those_who_are_there() -> None:
    commune = Commune(3)
    round_ = commune.call(
        commune.propose(plan_of(REMOVED, members.Removed(commune.people[0].public, WHY), commune.people[0].public))
    )
    commune.answer(round_, "", "agree")
    commune.must("member.left/1", members.Left(), commune.people[2])
    outcome = commune.close(round_)
    assert (outcome.eligible, outcome.result) == (1, "not accepted"), "it took two in favour when it was called"


def test_everybody_concerned_is_nobody_to_decide() -> None:
    commune = Commune(3)
    plan = plan_of("decision.withdrawn/1", members.Left(), *sorted(key.public for key in commune.people))
    assert "0 members may vote on this" in commune.eve("decision.called/1", Called(commune.propose(plan), 1, "majority"))


# Roles that nobody can take


def test_a_role_that_everybody_has_just_held_is_refused_to_all_with_what_to_do() -> None:
    commune = Commune(3)
    commune.must("role.defined/1", commune.treasurer(), commune.people[0])
    for who in (0, 1, 2):  # each for a moment, so that nobody's whole cycle of pause is over
        assert not commune.as_decided("role.appointed/1", commune.appointment(who))
        commune.now_ms += MINUTE_MS
        term = max(commune.rows(TERMS), key=lambda row: row.position)
        commune.must("role.resigned/1", Resigned(term.id), commune.people[who])
    assert holder_of(commune.view, "treasurer", commune.now_ms) is None
    for who in (0, 1, 2):
        said = commune.as_decided("role.appointed/1", commune.appointment(who))
        assert "Choose somebody else; after a cycle of pause they can be chosen again." in said
    assert "Nobody can be drawn for this" in commune.eve("lot.opened/1", lots.Opened("role", commune.subject()))
    assert "Your term as treasurer ended at" in commune.eve(BOOK, commune.book())
    assert not commune.as_decided(BOOK, commune.book()), "until then it takes a decision"


def test_whoever_was_drawn_and_all_substitutes_declining_leaves_a_role_to_a_decision() -> None:
    commune = Commune(3)
    commune.must("role.defined/1", commune.treasurer(), commune.people[0])
    commune.drawn("role", commune.subject())
    (lot,) = commune.rows(LOTS)
    for key in commune.people:
        commune.must("lot.declined/1", lots.LotDeclined(lot.id), key)
    for key in commune.people:
        assert "fell on somebody else" in commune.write("role.taken/1", Taken("treasurer"), key)
    assert "A draw is not repeated" in commune.eve("lot.opened/1", lots.Opened("role", commune.subject()))
    assert not commune.as_decided("role.appointed/1", commune.appointment())


# Five hundred


def test_five_hundred_vote_with_the_quorum_at_its_edge() -> None:
    for more, result in ((0, "too few answers"), (1, "accepted")):
        crowd = Crowd(500)
        round_ = crowd.call(crowd.propose(), "majority")
        crowd.answer(round_, "yes", "no", "yes", "yes")
        crowd.vote(round_, ["yes", "no", "yes"] * 81 + ["abstain"] * 2 + ["abstain"] * more)
        assert len(electorate(crowd.view, crowd.round(round_), crowd.now_ms)) == 500
        assert f"{251 - more} members may still answer" in crowd.eve("decision.closed/1", Closed(round_))
        crowd.now_ms = crowd.round(round_).closes_ms
        outcome = crowd.close(round_)
        assert (outcome.eligible, outcome.answered, outcome.result) == (500, 249 + more, result)


def test_of_five_hundred_one_is_drawn_from_two_parts_and_all_others_are_substitutes() -> None:
    crowd = Crowd(500)
    subject = crowd.isle.log[-1].digest
    lot = crowd.must("lot.opened/1", lots.Opened("other", subject), crowd.people[0])
    for key in crowd.people[:2]:
        promise = lot_commitment(lot, key.public, crowd.part(key))
        crowd.must("lot.committed/1", lots.Committed(lot, promise), key)
    crowd.now_ms += 2 * DAY_MS + MINUTE_MS
    for key in crowd.people[:2]:
        crowd.must("lot.revealed/1", lots.Revealed(lot, crowd.part(key)), key)
    assert not crowd.clock("lot.drawn/1", lots.LotDrawn(lot))
    pool = crowd.view.need(POOLS, lot, what="lot")
    assert len(keys(pool.drawn)) == len(set(keys(pool.drawn))) == 500


def test_pages_and_dues_of_five_hundred_are_told() -> None:
    crowd = Crowd(500)
    round_ = crowd.call(crowd.propose(), "majority")
    for practice in PRACTICES:
        assert list(practice.page(crowd.view, crowd.now_ms))
    due = [each for practice in PRACTICES for each in practice.due(crowd.view, crowd.now_ms) if each.link == round_]
    assert len(due) == 500
