"""Lots as records: who can be drawn, chance that nobody chooses alone, draws that are not repeated, seats that are passed on."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from protocol import drawing, eligibility, lot, lot_blocks, membership, terms, wires
from protocol.drawing import (
    COMMIT,
    DRAWN,
    FAILED,
    LOTS,
    POOLS,
    READY,
    REVEAL,
    TYPING,
    WAITING,
    phase,
    seated,
    standing,
)
from protocol.lot import Quota
from protocol.membership import Membership
from protocol.page import Action, Facts, Grid, Prose, Ref, State, Text
from protocol.practice import FOREVER_MS, GRANTS, KEYS, MEMBERS, Grant, Key, Kind, Refused, View
from protocol.practices import lots
from protocol.practices.lots import (
    COMMIT_MINUTES,
    REVEAL_MINUTES,
    Committed,
    GroupSaid,
    GroupSeats,
    LotDeclined,
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


# The list


def test_the_list_is_the_members_of_that_moment_in_the_order_in_which_they_came() -> None:
    house = House(5)
    house.leave(person(2), T0 - 1)
    house.join(person(9), T0)
    digest = house.open()
    house.join(person(10), T0 + MINUTE)
    assert drawing.keys(house.pool(digest).people) == tuple(map(person, (0, 1, 3, 4, 9)))
    assert [each.number for each in drawing.numbered(house.pool(digest))] == [1, 2, 3, 4, 5]


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


def test_nobody_is_on_the_list_whom_the_matter_concerns() -> None:
    house = House(6)
    running = term(house, person(3))
    looked = review(house, person(0), person(5))
    shadow = house.open(purpose="shadow", subject=running)
    facilitator = house.open(purpose="facilitator", subject=looked)
    role = house.open(purpose="role", subject=running)
    assert person(3) not in drawing.keys(house.pool(shadow).people)
    assert house.row(shadow).size == 5
    assert drawing.keys(house.pool(facilitator).people) == tuple(map(person, (1, 2, 3, 4)))
    assert person(3) not in drawing.keys(house.pool(role).people), "one term in a row is allowed, and they hold it"


def test_what_is_over_or_unknown_gets_no_lot() -> None:
    house = House(4)
    over = term(house, person(3), T0)
    for purpose, subject, says in (
        ("shadow", over, "This term is over"),
        ("shadow", b"x" * 32, "no such term"),
        ("role", b"x" * 32, "No role waits"),
        ("facilitator", b"x" * 32, "no such review"),
        ("other", b"x" * 32, "no such public record"),
        ("facilitator", review(house, person(0), person(1)), "too few whom it does not concern"),
    ):
        with pytest.raises(Refused, match=says):
            house.open(purpose=purpose, subject=subject)


def test_every_purpose_says_who_can_be_drawn() -> None:
    assert set(eligibility._ASIDE) == set(drawing.PURPOSES)


def test_a_lot_for_nobody_is_refused_and_so_are_more_seats_than_people() -> None:
    house = House(1)
    with pytest.raises(Refused, match="Nobody can be drawn"):
        house.open(purpose="shadow", subject=term(house, person(0)))
    with pytest.raises(Refused, match="only 1 person can be drawn"):
        house.open(seats=2)
    with pytest.raises(Refused, match="one person is drawn"):
        house = House(5)
        house.open(purpose="shadow", subject=term(house, person(0)), seats=2)


# A collective of one, of three, of five hundred


def test_in_a_collective_of_one_chance_decides_nothing_and_the_page_says_so() -> None:
    house = House(1)
    digest = house.open()
    assert phase(house.row(digest), T0) == READY
    with pytest.raises(Refused, match="chance decides nothing"):
        house.commit(digest, [person(0)])
    assert "Only one person can be drawn here, so chance decides nothing." in told(house, digest, T0)
    house.draw(digest, T0, person(0))
    assert standing_other(house) == (person(0),)


def test_three_who_are_all_there_draw_within_one_minute() -> None:
    house = House(3)
    digest = house.drawn()
    assert house.row(digest).drawn_ms == T0
    (chosen,) = standing_other(house)
    values = {member: value(member, digest) for member in house.members}
    assert chosen == lot.order(digest, lot.randomness(values), house.members)[0]


def test_five_hundred_are_drawn_from_two_reveals() -> None:
    house = House(500)
    digest = house.open(seats=30)
    house.commit(digest, house.members[:3])
    house.reveal(digest, house.members[:2])
    house.draw(digest)
    assert len(standing_other(house)) == 30
    assert len(set(drawing.keys(house.pool(digest).drawn))) == 500


# Commit, then reveal


def test_nobody_commits_once_reveals_are_open_nor_reveals_while_others_can_commit() -> None:
    house = House(5)
    digest = house.open()
    house.commit(digest, house.members[:2], AFTER_COMMIT - MINUTE)
    with pytest.raises(Refused, match="too early to reveal"):
        house.reveal(digest, house.members[:1], AFTER_COMMIT - MINUTE)
    with pytest.raises(Refused, match="too late to commit"):
        house.commit(digest, house.members[2:3], AFTER_COMMIT)
    house.reveal(digest, house.members[:1])
    with pytest.raises(Refused, match="another point"):
        house.reveal(digest, house.members[1:2], AFTER_REVEAL)


def test_when_the_last_has_committed_nobody_can_commit_any_more_and_reveals_begin() -> None:
    house = House(3)
    digest = house.open()
    house.commit(digest, house.members[:2])
    assert phase(house.row(digest), T0) == COMMIT
    house.join(person(9), T0)
    with pytest.raises(Refused, match="came after this lot was opened"):
        house.commit(digest, [person(9)])
    house.commit(digest, house.members[2:])
    assert phase(house.row(digest), T0) == REVEAL


def test_only_the_value_that_was_committed_to_counts_and_only_once() -> None:
    house = House(3)
    digest = house.open()
    house.commit(digest, house.members)
    for wrong in (b"", b"x" * 32, value(person(1), digest)):
        with pytest.raises(Refused, match="not the one that you committed to"):
            house.write("lot.revealed/1", Revealed(digest, wrong), person(0), T0)
    house.reveal(digest, house.members[:1], T0)
    with pytest.raises(Refused, match="revealed already"):
        house.reveal(digest, house.members[:1], T0)


def test_a_commitment_cannot_be_changed_copied_or_left_empty() -> None:
    house = House(3)
    digest = house.open()
    with pytest.raises(Refused, match="32 bytes are needed"):
        house.write("lot.committed/1", Committed(digest), person(0), T0)
    house.commit(digest, house.members[:2])
    with pytest.raises(Refused, match="committed already"):
        house.commit(digest, house.members[:1])
    copied = lot.commitment(digest, person(0), value(person(0), digest))
    house.write("lot.committed/1", Committed(digest, copied), person(2), T0)
    with pytest.raises(Refused, match="not the one that you committed to"):
        house.write("lot.revealed/1", Revealed(digest, value(person(0), digest)), person(2), T0)


def test_who_did_not_commit_has_nothing_to_reveal() -> None:
    house = House(4)
    digest = house.open()
    house.commit(digest, house.members[:3])
    with pytest.raises(Refused, match="nothing to reveal"):
        house.reveal(digest, [person(3)])


def test_a_missing_reveal_is_seen_and_does_not_stop_the_draw() -> None:
    house = House(4)
    digest = house.open()
    house.commit(digest, house.members[:3])
    house.reveal(digest, house.members[:2])
    with pytest.raises(Refused, match="members who committed can still reveal"):
        house.draw(digest, AFTER_REVEAL - MINUTE)
    house.draw(digest)
    values = {member: value(member, digest) for member in house.members[:2]}
    assert standing_other(house)[0] == lot.order(digest, lot.randomness(values), house.members)[0]
    (parts,) = (block for block in blocks(house, digest) if isinstance(block, Grid) and block.caption == "Parts of the chance")
    assert [row[-1] for row in parts.rows if row[0] == Ref(person(2), "member")] == [State("missing", "bad")]
    assert lot_blocks.HELD_BACK in told(house, digest)


def test_a_draw_by_hand_takes_a_member_or_the_clock() -> None:
    house = House(3)
    digest = house.open()
    house.commit(digest, house.members, T0)
    house.reveal(digest, house.members, T0)
    with pytest.raises(Refused, match="You have not been given “member”"):
        house.draw(digest, T0, b"stranger" * 4)
    house.draw(digest, T0, person(1))
    assert house.row(digest).drawn_ms == T0


# What cannot be rerun, and what may be opened anew


def test_a_draw_is_never_repeated() -> None:
    house = House(3)
    digest = house.drawn()
    with pytest.raises(Refused, match="A draw is not repeated"):
        house.draw(digest)
    for at_ms in (T0, AFTER_REVEAL, AFTER_REVEAL + 400 * DAY):
        with pytest.raises(Refused, match="A draw is not repeated"):
            house.open(at_ms)
    house.write("lot.declined/1", LotDeclined(digest), standing_other(house)[0], T0)
    with pytest.raises(Refused, match="A draw is not repeated"):
        house.open()


def test_there_is_one_lot_at_a_time_for_a_matter_and_a_ready_one_is_drawn() -> None:
    house = House(3)
    digest = house.open()
    with pytest.raises(Refused, match="open already"):
        house.open(by=1)
    house.commit(digest, house.members[:2])
    house.reveal(digest, house.members[:2])
    with pytest.raises(Refused, match="open already"):
        house.open(AFTER_REVEAL + DAY)


@pytest.mark.parametrize(("commits", "reveals"), [(0, 0), (1, 1), (1, 0), (3, 1), (3, 0)])
def test_a_lot_without_two_reveals_is_not_drawn_and_may_be_opened_anew(commits: int, reveals: int) -> None:
    house = House(4)
    digest = house.open()
    house.commit(digest, house.members[:commits])
    if commits > 1:
        house.reveal(digest, house.members[:reveals])
    with pytest.raises(Refused, match="Fewer than two contributed"):
        house.draw(digest)
    assert phase(house.row(digest), AFTER_REVEAL) == FAILED
    assert (phase(house.row(digest), AFTER_COMMIT) == FAILED) == (commits < 2 or commits == reveals == 1)
    again = house.open(AFTER_REVEAL)
    assert house.row(again).attempt == 2
    assert standing_other(house) == ()


def test_who_held_back_to_make_a_lot_fail_has_no_part_in_the_next() -> None:
    house = House(4)
    digest = house.open()
    house.commit(digest, house.members[:3])
    house.reveal(digest, house.members[:1])
    again = house.open(AFTER_REVEAL)
    for member in house.members[1:3]:
        with pytest.raises(Refused, match="did not reveal after others had"):
            house.commit(again, [member], AFTER_REVEAL)
    house.commit(again, [person(0), person(3)], AFTER_REVEAL)


def test_where_nobody_had_revealed_nobody_had_seen_anything_and_all_take_part_again() -> None:
    house = House(3)
    digest = house.open()
    house.commit(digest, house.members)
    again = house.open(AFTER_REVEAL + DAY)
    house.commit(again, house.members, AFTER_REVEAL + DAY)
    assert phase(house.row(again), AFTER_REVEAL + DAY) == REVEAL


# A public value


def public(house: House, known_ms: int = T0 + DAY) -> bytes:
    return house.open(
        source="public", public_source="The winning numbers of Saturday, in the order of the draw", known_ms=known_ms
    )


def test_a_public_value_counts_when_two_typed_the_same() -> None:
    house = House(4)
    digest = public(house)
    assert phase(house.row(digest), T0) == WAITING
    with pytest.raises(Refused, match="not known yet"):
        house.type(digest, person(0), "7 12", T0 + DAY - MINUTE)
    house.type(digest, person(0), "7 12", T0 + DAY)
    with pytest.raises(Refused, match="typed it already"):
        house.type(digest, person(0), "7 12", T0 + DAY)
    house.type(digest, person(1), "7 21", T0 + DAY)
    with pytest.raises(Refused, match="Two members have to type"):
        house.draw(digest, T0 + DAY)
    assert phase(house.row(digest), T0 + DAY) == TYPING
    house.type(digest, person(2), " 7   12 ", T0 + DAY)
    house.draw(digest, T0 + DAY)
    assert standing_other(house)[0] == lot.order(digest, lot.public_randomness("7 12"), house.members)[0]


def test_a_public_value_that_nobody_typed_in_time_is_over() -> None:
    house = House(4)
    digest = public(house)
    late = T0 + DAY + REVEAL_MINUTES.default * MINUTE
    house.type(digest, person(0), "7 12", T0 + DAY)
    with pytest.raises(Refused, match="another point"):
        house.type(digest, person(1), "7 12", late)
    assert phase(house.row(digest), late) == FAILED
    house.open(late)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"source": "public", "known_ms": T0 + DAY}, "say exactly which"),
        ({"source": "public", "public_source": "numbers of Saturday", "known_ms": T0}, "must not be known yet"),
        ({"source": "public", "public_source": "numbers of Saturday"}, "must not be known yet"),
        ({"source": "public", "public_source": "numbers of Saturday", "known_ms": 1}, "must not be known yet"),
        ({"source": "public", "public_source": "numbers of Saturday", "known_ms": T0 + 900 * DAY}, "more than a year ahead"),
        ({"public_source": "numbers of Saturday"}, "takes its chance from members"),
        ({"known_ms": T0 + DAY}, "takes its chance from members"),
    ],
)
def test_a_source_of_chance_that_is_known_or_unclear_is_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        House(3).open(**more)


# Seats are passed on


def test_who_declines_or_leaves_is_followed_by_the_next_in_the_draw() -> None:
    house = House(5)
    digest = house.drawn(seats=2)
    order = drawing.keys(house.pool(digest).drawn)
    assert standing_other(house) == order[:2]
    house.write("lot.declined/1", LotDeclined(digest, "no time"), order[0], T0)
    assert standing_other(house) == order[1:3]
    house.leave(order[2], T0 + DAY)
    assert standing_other(house) == (order[1], order[3])
    house.write("lot.declined/1", LotDeclined(digest), order[4], T0 + DAY)
    house.write("lot.declined/1", LotDeclined(digest), order[3], T0 + DAY)
    assert standing_other(house) == (order[1],)
    house.leave(order[1], T0 + 2 * DAY)
    assert standing_other(house) == ()
    assert seated(house.view, house.row(digest)) == ()


def test_only_who_was_on_the_list_declines_once_and_after_the_draw() -> None:
    house = House(3)
    digest = house.open()
    with pytest.raises(Refused, match="another point"):
        house.write("lot.declined/1", LotDeclined(digest), person(0), T0)
    house.commit(digest, house.members)
    house.reveal(digest, house.members, T0)
    house.draw(digest, T0)
    house.join(person(9), T0)
    with pytest.raises(Refused, match="not on the list"):
        house.write("lot.declined/1", LotDeclined(digest), person(9), T0)
    house.write("lot.declined/1", LotDeclined(digest), person(0), T0)
    with pytest.raises(Refused, match="declined already"):
        house.write("lot.declined/1", LotDeclined(digest), person(0), T0)


def test_before_the_draw_and_for_what_was_never_drawn_nobody_stands() -> None:
    house = House(3)
    assert standing_other(house) == ()
    house.open()
    assert standing_other(house) == ()
    assert standing(house.view, "shadow", house.record) == ()


# Quotas


def quotas(house: House, *of: GroupSeats, at_ms: int = T0) -> None:
    house.write("lot.quotas-set/1", QuotasSet("other", list(of)), person(0), at_ms)


def test_quotas_take_a_decision_and_nobody_says_the_group_of_another() -> None:
    assert KINDS["lot.quotas-set/1"].needs == "decision"
    assert list(GroupSaid.__struct_fields__) == ["group"]
    assert "quotas" not in Opened.__struct_fields__
    with pytest.raises(Refused, match="no quota names “night”"):
        House(3).write("lot.group-said/1", GroupSaid("night"), person(0), T0)


def test_quotas_and_groups_are_those_of_the_moment_of_opening_and_each_skip_is_listed() -> None:
    house = House(8)
    quotas(house, GroupSeats("night", 1, 1))
    for member in house.members[:2]:
        house.write("lot.group-said/1", GroupSaid("night"), member, T0)
    digest = house.open(seats=3)
    house.write("lot.group-said/1", GroupSaid(""), person(0), T0)
    quotas(house)
    assert drawing.groups_of(house.pool(digest)) == dict.fromkeys(house.members[:2], "night")
    house.commit(digest, house.members)
    house.reveal(digest, house.members, T0)
    house.draw(digest, T0)
    seats = standing_other(house)
    assert len(seats) == 3
    assert sum(member in house.members[:2] for member in seats) == 1
    drawn = drawing.inputs(house.row(digest), house.pool(digest), drawing.parts_of(house.view, digest)).draw()
    (grid,) = (block for block in blocks(house, digest) if isinstance(block, Grid) and "Passed over" in block.caption)
    assert [row[0] for row in grid.rows] == [Ref(skip.label, "member") for skip in drawn.skipped]
    night = next(member for member in seats if member in house.members[:2])
    house.write("lot.declined/1", LotDeclined(digest), night, T0)
    after = standing_other(house)
    assert set(seats) - {night} < set(after)
    assert sum(member in house.members[:2] for member in after) == 1, "the seat stays with the group"


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ([GroupSeats("night", 1), GroupSeats("night", 2)], "there twice"),
        ([GroupSeats("night", 2, 1)], "more seats at least than at most"),
        ([GroupSeats("night")], "neither a least nor a most"),
    ],
)
def test_quotas_that_contradict_themselves_are_refused(of: list[GroupSeats], says: str) -> None:
    with pytest.raises(Refused, match=says):
        quotas(House(3), *of)


def test_a_lot_with_fewer_seats_than_its_quotas_keep_is_refused() -> None:
    house = House(5)
    quotas(house, GroupSeats("night", 2), GroupSeats("day", 1))
    with pytest.raises(Refused, match="keep 3 seats"):
        house.open(seats=2)


def test_quotas_come_back_from_their_column() -> None:
    several = (Quota("night", 1, 0), Quota("2-day", 0, 3))
    assert drawing.read_quotas(drawing.write_quotas(several)) == several
    assert drawing.read_quotas(drawing.write_quotas(())) == ()


# Public, and nothing else


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("lot.opened/1", Opened("other", b"x" * 32)),
        ("lot.committed/1", Committed(b"x" * 32)),
        ("lot.revealed/1", Revealed(b"x" * 32)),
        ("lot.typed/1", ValueTyped(b"x" * 32, "7")),
        ("lot.drawn/1", LotDrawn(b"x" * 32)),
        ("lot.declined/1", LotDeclined(b"x" * 32)),
        ("lot.quotas-set/1", QuotasSet("other")),
        ("lot.group-said/1", GroupSaid()),
    ],
)
def test_a_hidden_lot_would_be_a_second_one(kind: str, body: Struct) -> None:
    with pytest.raises(Refused, match="Lots are public"):
        House(3).write(kind, body, person(0), T0, MEMBERS)


@pytest.mark.parametrize("kind", ["lot.committed/1", "lot.revealed/1", "lot.typed/1", "lot.drawn/1", "lot.declined/1"])
def test_an_unknown_lot_is_refused_with_a_sentence(kind: str) -> None:
    body = ValueTyped(b"x" * 32, "7") if kind == "lot.typed/1" else KINDS[kind].body(b"x" * 32)
    with pytest.raises(Refused, match="There is no such lot here"):
        House(3).write(kind, body, person(0), T0)


# One tap: what the node fills in


class Secrets:
    """A node's, with a seed."""

    def __init__(self, author: bytes, now_ms: int = T0) -> None:
        self.author, self.now_ms = author, now_ms

    def random(self, count: int) -> bytes:
        raise AssertionError("the value must be made again later")

    def derive(self, label: bytes) -> bytes:
        return sha256(b"seed" + label).digest()


def test_who_lets_the_node_keep_their_key_gives_one_tap_and_their_own_value() -> None:
    house = House(3)
    digest = house.open()
    house.put(KEYS.put(Key(house.number, b"device" + bytes(26), person(2), T0, FOREVER_MS)))
    by = {person(0): person(0), person(1): person(1), b"device" + bytes(26): person(2)}
    made = {}
    for author, member in by.items():
        body = KINDS["lot.committed/1"].prepare(house.view, Committed(digest), Secrets(author))
        assert KINDS["lot.committed/1"].prepare(house.view, body, Secrets(author)) == body
        house.write("lot.committed/1", body, member, T0)
    for author, member in by.items():
        body = KINDS["lot.revealed/1"].prepare(house.view, Revealed(digest), Secrets(author))
        house.write("lot.revealed/1", body, member, T0)
        made[member] = body.value
    assert len(set(made.values())) == 3
    house.draw(digest, T0)
    assert standing_other(house)[0] == lot.order(digest, lot.randomness(made), house.members)[0]


def test_the_node_tells_no_value_before_it_is_time_and_fills_in_nothing_for_whom_it_does_not_know() -> None:
    house = House(3)
    digest = house.open()
    prepare = KINDS["lot.revealed/1"].prepare
    house.write(
        "lot.committed/1", KINDS["lot.committed/1"].prepare(house.view, Committed(digest), Secrets(person(0))), person(0), T0
    )
    assert prepare(house.view, Revealed(digest), Secrets(person(0))).value == b""
    assert prepare(house.view, Revealed(digest), Secrets(person(0), AFTER_REVEAL)).value == b""
    assert KINDS["lot.committed/1"].prepare(house.view, Committed(digest), Secrets(b"")).commitment == b""
    assert prepare(house.view, Revealed(b"x" * 32), Secrets(person(0))).value == b""


def test_a_value_that_the_node_did_not_make_is_given_by_the_member() -> None:
    house = House(3)
    digest = house.open()
    house.commit(digest, house.members)
    prepare = KINDS["lot.revealed/1"].prepare
    with pytest.raises(Refused, match="this node did not make your commitment"):
        prepare(house.view, Revealed(digest), Secrets(person(0)))
    own = Revealed(digest, value(person(0), digest))
    assert prepare(house.view, own, Secrets(person(0))) == own


def test_each_lot_has_another_value_of_the_same_member() -> None:
    assert lots.own_value(Secrets(b""), b"l" * 32, person(0)) != lots.own_value(Secrets(b""), b"k" * 32, person(0))


# What it says


def blocks(house: House, digest: bytes, now_ms: int = AFTER_REVEAL) -> list[Any]:
    return list(lots.PRACTICE.record(house.view, digest, now_ms))


def told(house: House, digest: bytes, now_ms: int = AFTER_REVEAL) -> list[str]:
    return [block.text for block in blocks(house, digest, now_ms) if isinstance(block, Text)]


def test_the_receipt_holds_the_whole_draw_and_a_program_that_gives_it_again() -> None:
    house = House(7)
    quotas(house, GroupSeats("night", 1))
    house.write("lot.group-said/1", GroupSaid("night"), person(6), T0)
    digest = house.open(seats=2)
    house.commit(digest, house.members[:4])
    house.reveal(digest, house.members[1:4])
    house.draw(digest)
    order = drawing.keys(house.pool(digest).drawn)
    house.write("lot.declined/1", LotDeclined(digest, "no time"), order[0], AFTER_REVEAL)
    said = blocks(house, digest)
    grids = {block.caption: block for block in said if isinstance(block, Grid)}
    assert [row[1] for row in grids["Who can be drawn, as fixed when the lot was opened"].rows] == [
        Ref(member, "member") for member in house.members
    ]
    assert [row[1] for row in grids["Who was drawn"].rows][:2] == [Ref(member, "member") for member in order[:2]]
    assert [row[0] for row in grids["Who declined"].rows] == [Ref(order[0], "member")]
    assert len(grids["Parts of the chance"].rows) == 4
    assert lot_blocks.KEEPER in told(house, digest)
    (program,) = (block.markdown for block in said if isinstance(block, Prose))
    code = re.fullmatch(r"```python\n(.*)```", program, re.S)
    assert code
    ran = subprocess.run([sys.executable, "-I", "-S", "-"], input=code[1], capture_output=True, text=True, check=True)
    lines = ran.stdout.splitlines()
    number = {member: at for at, member in enumerate(house.members, 1)}
    assert [line for line in lines if line.startswith("s")] == [
        f"{'seat' if place < 2 else 'substitute'} {number[member]} {member.hex()}" for place, member in enumerate(order)
    ]
    assert lines[-1] == "as published"


def test_the_receipt_is_the_same_from_another_space() -> None:
    house = House(3)
    digest = house.drawn()
    elsewhere = house.desk.view(b"b" * 32)
    said = list(lots.PRACTICE.record(elsewhere, digest, AFTER_REVEAL))
    assert any(isinstance(block, Prose) for block in said)
    assert not any(isinstance(block, Action) for block in said)
    assert list(lots.PRACTICE.record(elsewhere, b"x" * 32, AFTER_REVEAL)) == []


@pytest.mark.parametrize(
    ("at_ms", "kind"),
    [(T0, "lot.committed/1"), (AFTER_COMMIT, "lot.revealed/1"), (AFTER_REVEAL, "lot.drawn/1")],
)
def test_the_page_offers_what_can_be_done_now(at_ms: int, kind: str) -> None:
    house = House(4)
    digest = house.open()
    house.commit(digest, house.members[:3])
    if kind == "lot.drawn/1":
        house.reveal(digest, house.members[:2])
    for page in (lots.PRACTICE.page(house.view, at_ms), blocks(house, digest, at_ms)):
        offered = [block.kind for block in page if isinstance(block, Action) and block.filled]
        assert offered == [kind]


def test_a_failed_lot_says_why_and_offers_another() -> None:
    house = House(4)
    digest = house.open()
    house.commit(digest, house.members[:1])
    assert any("Fewer than two revealed" in text for text in told(house, digest))
    again = [block for block in blocks(house, digest) if isinstance(block, Action)]
    assert [(block.kind, block.filled["subject"]) for block in again] == [("lot.opened/1", house.record.hex())]
    second = house.open(AFTER_REVEAL)
    assert not [block for block in blocks(house, digest) if isinstance(block, Action)]
    assert any(isinstance(block, Facts) and ("Attempt", 2) in block.pairs for block in blocks(house, second))


def dues(house: House, now_ms: int) -> list[tuple[str, bytes | None]]:
    return [(due.what, due.who) for due in lots.PRACTICE.due(house.view, now_ms)]


def test_what_is_due_follows_the_lot() -> None:
    house = House(4)
    digest = house.open()
    assert dues(house, T0 - 1) == []
    assert dues(house, T0) == [("Add your part to the lot for something else", None)]
    house.commit(digest, house.members[:3])
    house.reveal(digest, house.members[:1])
    assert {who for _, who in dues(house, AFTER_COMMIT)} == set(house.members[1:3])
    house.reveal(digest, house.members[1:2])
    assert dues(house, AFTER_REVEAL) == [("The lot for something else can be drawn", None)]
    house.draw(digest)
    assert dues(house, AFTER_REVEAL) == [
        ("You were drawn for something else: take it on, or decline", standing_other(house)[0])
    ]
    assert dues(house, AFTER_REVEAL + 8 * DAY) == []


def test_a_failed_lot_is_due_for_a_while_and_then_let_be() -> None:
    house = House(4)
    house.open()
    assert [what for what, _ in dues(house, AFTER_REVEAL)] == ["The lot for something else failed: open it anew, or let it be"]
    assert lots.PRACTICE.figures(house.view, AFTER_REVEAL) == {"lots.open": 0, "lots.failed": 1}
    assert dues(house, AFTER_REVEAL + 8 * DAY) == []


def test_lots_are_named_after_what_they_are_for() -> None:
    house = House(6)
    running = term(house, person(0))
    for purpose, subject, name in (
        ("shadow", running, "a shadow for the role “treasurer”"),
        ("role", running, "the next term of the role “treasurer”"),
        ("facilitator", review(house, person(0)), "somebody who looks into a review"),
    ):
        row = house.row(house.open(purpose=purpose, subject=subject))
        assert lot_blocks.spoken_for(house.view, row) == name
        assert len(lot_blocks.subject_of(house.view, row).id) == 32


def test_each_phase_has_its_words() -> None:
    house = House(4)
    row = house.row(house.open())
    later = msgspec.structs.replace(row, committed=3, revealed=2)
    moments = [(row, T0), (later, AFTER_COMMIT), (later, AFTER_REVEAL), (row, AFTER_REVEAL)]
    drawn = msgspec.structs.replace(row, drawn_ms=T0)
    public_row = msgspec.structs.replace(row, source="public")
    moments += [(drawn, T0), (public_row, T0), (public_row, AFTER_COMMIT)]
    assert {phase(*each) for each in moments} == {COMMIT, REVEAL, READY, FAILED, DRAWN, WAITING, TYPING}
    assert len({lot_blocks.spoken_phase(*each) for each in moments}) == 7
    assert set(lot_blocks.STATES) == {phase(*each) for each in moments}
