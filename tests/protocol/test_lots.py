"""Lots as records: who can be drawn, chance that nobody chooses alone, draws that are not repeated, seats that are passed on."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct

from protocol import drawing, eligibility, lot, lot_blocks
from protocol.drawing import (
    COMMIT,
    FAILED,
    READY,
    REVEAL,
    TYPING,
    WAITING,
    phase,
    seated,
    standing,
)
from protocol.lot import Quota
from protocol.page import Grid, Ref, State
from protocol.practice import MEMBERS, Refused, keys
from protocol.practices.lots import (
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
from tests.protocol.lot_house import (
    AFTER_COMMIT,
    AFTER_REVEAL,
    DAY,
    KINDS,
    MINUTE,
    T0,
    House,
    blocks,
    person,
    quotas,
    review,
    standing_other,
    term,
    told,
    value,
)

# The list


def test_the_list_is_the_members_of_that_moment_in_the_order_in_which_they_came() -> None:
    house = House(5)
    house.leave(person(2), T0 - 1)
    house.join(person(9), T0)
    digest = house.open()
    house.join(person(10), T0 + MINUTE)
    assert keys(house.pool(digest).people) == tuple(map(person, (0, 1, 3, 4, 9)))
    assert [each.number for each in drawing.numbered(house.pool(digest))] == [1, 2, 3, 4, 5]


def test_nobody_is_on_the_list_whom_the_matter_concerns() -> None:
    house = House(6)
    running = term(house, person(3))
    looked = review(house, person(0), person(5))
    shadow = house.open(purpose="shadow", subject=running)
    facilitator = house.open(purpose="facilitator", subject=looked)
    role = house.open(purpose="role", subject=running)
    assert person(3) not in keys(house.pool(shadow).people)
    assert house.row(shadow).size == 5
    assert keys(house.pool(facilitator).people) == tuple(map(person, (1, 2, 3, 4)))
    assert person(3) not in keys(house.pool(role).people), "one term in a row is allowed, and they hold it"


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
    assert len(set(keys(house.pool(digest).drawn))) == 500


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
    order = keys(house.pool(digest).drawn)
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


def test_quotas_take_a_decision_and_nobody_says_the_group_of_another() -> None:
    assert KINDS["lot.quotas-set/1"].needs == "decision"
    assert list(GroupSaid.__struct_fields__) == ["group"]
    assert "quotas" not in Opened.__struct_fields__
    with pytest.raises(Refused, match="no quota names “night”"):
        House(3).write("lot.group-said/1", GroupSaid("night"), person(0), T0)


def test_to_say_no_group_is_asked_about_once_more() -> None:
    advise = KINDS["lot.group-said/1"].advise
    assert "You name no group" in advise(House(3).view, GroupSaid())
    assert advise(House(3).view, GroupSaid("night")) == ""


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
    assert grid.rows == [[Ref(skip.label, "member"), lot.reason(skip), "at the draw"] for skip in drawn.skipped]
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
