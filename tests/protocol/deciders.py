"""A space of some people, and short ways to say what they decide: for the tests of decisions."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct

from protocol import ballot, encoding
from protocol.body import structure_and_words
from protocol.deciding import (
    OUTCOMES,
    PROPOSALS,
    ROUNDS,
    VOTES,
    Outcome,
    Plan,
    Proposal,
    Round,
    Vote,
)
from protocol.keys import SigningKey
from protocol.practice import FOREVER_MS, PUBLIC, SETTINGS, Setting
from protocol.practices import PRACTICES, members
from protocol.proposal import (
    Called,
    Cast,
    Closed,
    Proposed,
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


def votes(house: House, round_: bytes) -> dict[bytes, Vote]:
    return {vote.member: vote for vote in house.view.all(VOTES, round=round_)}


def secret_for(round_: Round) -> bytes:
    return sha256(ballot.label(round_.proposal, round_.salt)).digest()
