"""Authority besides membership: one exact act by a decision's leave, once; and kinds that a role keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated

import pytest
from msgspec import Struct

from protocol import record
from protocol.body import structure_and_words
from protocol.judge import Stored, Verdict
from protocol.keys import SigningKey
from protocol.mandate import ANYBODY, DECISION, act_name
from protocol.practice import (
    FOREVER_MS,
    GRANTS,
    PUBLIC,
    RESERVED,
    SHARED,
    Act,
    Change,
    Grant,
    Kind,
    MemberKey,
    Own,
    Refused,
    Reservation,
    field,
)
from tests.laws.memory import Memory

MINUTE_MS = 60_000
NOW = 29_000_000 * MINUTE_MS
SPACE = sha256(b"space").digest()
ADA, BEA, CAN = SigningKey(b"a" * 32), SigningKey(b"b" * 32), SigningKey(b"c" * 32)


class Gone(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody's term ends."""

    who: Annotated[MemberKey, field("Who")]
    words: Annotated[str, field("Words", erasable=True)] = ""


class Paid(Struct, frozen=True, forbid_unknown_fields=True):
    """Something is paid."""

    amount_minor: Annotated[int, field("Amount")]


def nothing(own: Own, act: Act[Gone] | Act[Paid]) -> Iterator[Change]:
    return iter(())


def refuses(own: Own, act: Act[Paid]) -> Iterator[Change]:
    raise Refused("No.")


def whom(own: Own, body: Gone) -> tuple[bytes, ...]:
    return (body.who,)


KINDS: dict[str, Kind] = {  # type: ignore[type-arg]  # kinds of many bodies
    kind.name: kind
    for kind in (
        Kind("term.ended/1", "End a term", Gone, nothing, needs=DECISION, concerns=whom),
        Kind("money.paid/1", "Pay", Paid, nothing, weigh=lambda body: body.amount_minor, duty=True),
        Kind("money.moved/1", "Move", Paid, nothing),
        Kind("money.burnt/1", "Burn", Paid, refuses, needs=DECISION),
    )
}


class Space:
    """One log in memory."""

    def __init__(self) -> None:
        self.store = Memory()
        self.number = self.store.meet(SPACE)
        self.clock = NOW
        self.position = 0
        for who in (ADA, BEA, CAN):
            self.grant("member", who.public)

    def grant(
        self, name: str, holder: bytes, *, since: int = 0, until: int = FOREVER_MS, up_to: int = 0, paused: bool = False
    ) -> None:
        source = sha256(f"{name}{since}{until}".encode()).digest()
        row = Grant(self.number, source, name, holder, since, until, up_to, paused, "The decision “Go”")
        self.store.write(self.number, PUBLIC, (GRANTS.put(row),))

    def act(self, kind: str, body: Struct, who: SigningKey = ADA, *, at: int | None = None) -> Verdict:
        self.clock += 1
        structure, words = structure_and_words(body)
        raw = record.seal(kind, self.clock, PUBLIC, structure, who, SPACE, words=words, random=bytes(32))
        stored = Stored(self.position, 0, NOW if at is None else at, sha256(raw.raw).digest(), raw.raw, raw.annex)
        verdict = self.store.judge(self.number, stored, KINDS)
        self.store.keep(self.number, stored, verdict)
        self.position += 1
        return verdict


def leave(kind: str, body: Struct, *concerned: bytes) -> str:
    return act_name(kind, structure_and_words(body)[0], concerned)


@pytest.fixture
def space() -> Space:
    return Space()


def test_nobody_writes_what_takes_a_decision_without_one(space: Space) -> None:
    space.grant("assembly", ADA.public)
    assert "takes a decision" in space.act("term.ended/1", Gone(CAN.public)).refused


def test_a_decision_gives_leave_for_exactly_one_act_and_once(space: Space) -> None:
    space.grant(leave("term.ended/1", Gone(CAN.public), CAN.public), ANYBODY)
    assert "takes a decision" in space.act("term.ended/1", Gone(BEA.public)).refused
    assert space.act("term.ended/1", Gone(CAN.public, "in other words"), BEA).refused == ""
    assert "was used" in space.act("term.ended/1", Gone(CAN.public), ADA).refused


def test_leave_that_was_decided_with_those_concerned_is_none(space: Space) -> None:
    space.grant(leave("term.ended/1", Gone(CAN.public)), ANYBODY)
    assert "by others than those" in space.act("term.ended/1", Gone(CAN.public)).refused


def test_leave_lasts_from_its_first_instant_to_before_its_last(space: Space) -> None:
    name = leave("term.ended/1", Gone(CAN.public), CAN.public)
    space.grant(name, ANYBODY, since=NOW, until=NOW + 2 * MINUTE_MS)
    assert space.act("term.ended/1", Gone(CAN.public), at=NOW - MINUTE_MS).refused
    assert "lapsed" in space.act("term.ended/1", Gone(CAN.public), at=NOW + 2 * MINUTE_MS).refused
    assert space.act("term.ended/1", Gone(CAN.public), at=NOW + MINUTE_MS).refused == ""


def test_leave_is_for_members_only(space: Space) -> None:
    space.grant(leave("term.ended/1", Gone(CAN.public), CAN.public), ANYBODY)
    stranger = SigningKey(b"s" * 32)
    assert "“member”" in space.act("term.ended/1", Gone(CAN.public), stranger).refused


def test_an_act_that_its_rule_refuses_does_not_use_up_the_leave(space: Space) -> None:
    name = leave("money.burnt/1", Paid(1))
    space.grant(name, ANYBODY)
    assert space.act("money.burnt/1", Paid(1)).refused == "No."
    (kept,) = space.store.view(SPACE).all(GRANTS, name=name)
    assert kept.until_ms == FOREVER_MS


def test_what_a_role_keeps_takes_its_grant_and_not_membership(space: Space) -> None:
    assert space.act("money.paid/1", Paid(5)).refused == ""
    space.store.write(space.number, PUBLIC, (RESERVED.put(Reservation(space.number, "money.paid/1", "treasurer", NOW)),))
    assert "belongs to the role “treasurer”" in space.act("money.paid/1", Paid(5)).refused
    space.grant("money.paid/1", BEA.public, up_to=100)
    assert space.act("money.paid/1", Paid(100), BEA).refused == ""
    assert "up to 1.00; this is 1.01" in space.act("money.paid/1", Paid(101), BEA).refused
    assert "belongs to the role" in space.act("money.paid/1", Paid(5), ADA).refused


def test_a_decision_gives_leave_for_one_act_of_what_a_role_keeps(space: Space) -> None:
    space.store.write(space.number, PUBLIC, (RESERVED.put(Reservation(space.number, "money.paid/1", "treasurer", NOW)),))
    space.grant(leave("money.paid/1", Paid(7)), ANYBODY)
    assert space.act("money.paid/1", Paid(7)).refused == ""
    assert space.act("money.paid/1", Paid(7)).refused


def test_only_duties_can_be_kept_by_a_role(space: Space) -> None:
    space.store.write(space.number, PUBLIC, (RESERVED.put(Reservation(space.number, "money.moved/1", "treasurer", NOW)),))
    assert space.act("money.moved/1", Paid(5)).refused == ""


def test_the_shared_tables_hold_what_roles_keep() -> None:
    assert RESERVED in SHARED


def test_a_kind_can_take_one_thing_for_some_acts_and_another_for_others() -> None:
    space = Space()
    known = Kind(
        "money.kept/1", "Keep", Paid, nothing, takes=lambda own, act: "member" if act.body.amount_minor < 10 else "assembly"
    )
    KINDS[known.name] = known
    try:
        assert space.act("money.kept/1", Paid(9)).refused == ""
        assert "“assembly”" in space.act("money.kept/1", Paid(10)).refused
        space.grant(leave("money.kept/1", Paid(10)), ANYBODY)
        assert space.act("money.kept/1", Paid(10)).refused == ""
    finally:
        del KINDS[known.name]
