"""Decisions: proposed, talked about, called, answered, closed, and then leave for exactly one act; and at the fuse."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from msgspec import Struct

from protocol import ballot, encoding
from protocol.body import structure_and_words
from protocol.deciding import OUTCOMES, PROPOSALS, ROUNDS, Outcome, Plan, Proposal, Round
from protocol.keys import SigningKey
from protocol.mandate import ANYBODY
from protocol.membership import MEMBERSHIPS
from protocol.practice import GRANTS, PUBLIC
from protocol.practices import PRACTICES, members
from protocol.proposal import Called, Cast, Closed, Proposed
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
