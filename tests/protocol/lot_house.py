"""A space with members and hands to write with, for the tests of lots."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct

from protocol import drawing, lot, membership, terms, wires
from protocol.drawing import (
    LOTS,
    POOLS,
    standing,
)
from protocol.membership import Membership
from protocol.page import Text
from protocol.practice import FOREVER_MS, GRANTS, KEYS, Grant, Key, Kind, View
from protocol.practices import lots
from protocol.practices.lots import (
    COMMIT_MINUTES,
    REVEAL_MINUTES,
    Committed,
    GroupSaid,
    GroupSeats,
    LotDrawn,
    Opened,
    QuotasSet,
    Revealed,
    ValueTyped,
)
from tests.protocol.desk import Desk

KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in lots.PRACTICE.kinds}
MINUTE, DAY = 60_000, 86_400_000
T0 = 29_500_000 * MINUTE
HERE = b"a" * 32
CLOCK = b"!" * 32
AFTER_COMMIT = T0 + COMMIT_MINUTES.default * MINUTE
AFTER_REVEAL = AFTER_COMMIT + REVEAL_MINUTES.default * MINUTE


def person(number: int) -> bytes:
    return sha256(b"person %d" % number).digest()


def value(member: bytes, about: bytes = b"") -> bytes:
    return sha256(member + about).digest()


class House:
    """A space with so many members, and hands to write with."""

    def __init__(self, size: int) -> None:
        self.desk = Desk()
        self.number = self.desk.meet(HERE)
        self.members = [person(each) for each in range(size)]
        for member in self.members:
            self.join(member)
        self.put(GRANTS.put(Grant(self.number, bytes(32), "clock", CLOCK, 0, FOREVER_MS, 0, False, "The node's clock")))
        self.record = self.desk.write(KINDS["lot.group-said/1"], GroupSaid(), space=HERE, logged_ms=T0, member=person(0))

    def put(self, change: Any) -> None:
        self.desk.put(self.number, 0, change)

    def join(self, member: bytes, at_ms: int = T0 - DAY) -> None:
        row = Membership(
            self.number,
            member,
            1 + len(self.view.all(membership.MEMBERSHIPS)),
            member,
            None,
            at_ms,
            at_ms,
            FOREVER_MS,
            "",
            "",
            "",
        )
        self.put(membership.MEMBERSHIPS.put(row))
        self.put(KEYS.put(Key(self.number, member, member, at_ms, FOREVER_MS)))
        self.put(GRANTS.put(Grant(self.number, member, "member", member, at_ms, FOREVER_MS, 0, False, "Membership")))

    def leave(self, member: bytes, at_ms: int) -> None:
        self.put(membership.MEMBERSHIPS.patch(member, ended_ms=at_ms, ended="left"))

    @property
    def view(self) -> View:
        return self.desk.view(HERE)

    def write(self, kind: str, body: Struct, member: bytes, at_ms: int, audience: int = 0) -> bytes:
        return self.desk.write(KINDS[kind], body, space=HERE, logged_ms=at_ms, member=member, audience=audience)

    def open(
        self, at_ms: int = T0, purpose: Any = "other", subject: bytes = b"", seats: int = 1, by: int = 0, **more: Any
    ) -> bytes:
        body = Opened(purpose, subject or self.record, seats, **more)
        return self.write("lot.opened/1", body, self.members[by], at_ms)

    def commit(self, digest: bytes, members: Sequence[bytes], at_ms: int = T0) -> None:
        for member in members:
            promise = lot.commitment(digest, member, value(member, digest))
            self.write("lot.committed/1", Committed(digest, promise), member, at_ms)

    def reveal(self, digest: bytes, members: Sequence[bytes], at_ms: int = AFTER_COMMIT) -> None:
        for member in members:
            self.write("lot.revealed/1", Revealed(digest, value(member, digest)), member, at_ms)

    def type(self, digest: bytes, member: bytes, words: str, at_ms: int) -> None:
        self.write("lot.typed/1", ValueTyped(digest, words), member, at_ms)

    def draw(self, digest: bytes, at_ms: int = AFTER_REVEAL, member: bytes = CLOCK) -> None:
        self.write("lot.drawn/1", LotDrawn(digest), member, at_ms)

    def row(self, digest: bytes) -> drawing.Lot:
        row = self.view.get(LOTS, digest)
        assert row
        return row

    def pool(self, digest: bytes) -> drawing.Pool:
        pool = self.view.get(POOLS, digest)
        assert pool
        return pool

    def drawn(self, seats: int = 1, at_ms: int = T0, **more: Any) -> bytes:
        """A lot that everybody contributed to, drawn at once."""
        digest = self.open(at_ms, seats=seats, **more)
        if len(self.members) > 1:
            self.commit(digest, self.members, at_ms)
            self.reveal(digest, self.members, at_ms)
        self.draw(digest, at_ms)
        return digest


def standing_other(house: House) -> tuple[bytes, ...]:
    return standing(house.view, "other", house.record)


def term(house: House, holder: bytes, until_ms: int = T0 + 20 * DAY, position: int = 7) -> bytes:
    digest = sha256(b"term%d" % position).digest()
    given = T0 - DAY
    row = terms.Term(
        house.number, digest, position, "treasurer", bytes(32), holder, given, until_ms, given, "vote", None, "", "", "", ""
    )
    house.put(terms.TERMS.put(row))
    role = terms.Role(house.number, "treasurer", bytes(32), bytes(32), 1, 1, "[]", T0 - 2 * DAY, FOREVER_MS, "", "")
    house.put(terms.ROLES.put(role))
    return digest


def review(house: House, *concerned: bytes) -> bytes:
    digest = wires.review_id(b"w" * 32, 300)
    row = wires.Review(
        house.number, digest, b"w" * 32, 300, b"r" * 32, 9, b"".join(concerned), T0, T0 + 14 * DAY, b"", b"", FOREVER_MS
    )
    house.put(wires.REVIEWS.put(row))
    return digest


def quotas(house: House, *of: GroupSeats, at_ms: int = T0) -> None:
    house.write("lot.quotas-set/1", QuotasSet("other", list(of)), person(0), at_ms)


def blocks(house: House, digest: bytes, now_ms: int = AFTER_REVEAL) -> list[Any]:
    return list(lots.PRACTICE.record(house.view, digest, now_ms))


def told(house: House, digest: bytes, now_ms: int = AFTER_REVEAL) -> list[str]:
    return [block.text for block in blocks(house, digest, now_ms) if isinstance(block, Text)]
