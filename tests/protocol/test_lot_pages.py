"""What a member's node fills in for a lot, and what the pages of lots say: above all the receipt of a draw."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from itertools import permutations

import msgspec
import pytest

from protocol import drawing, lot, lot_blocks
from protocol.drawing import (
    COMMIT,
    DRAWN,
    FAILED,
    READY,
    REVEAL,
    TYPING,
    WAITING,
    phase,
)
from protocol.page import Action, Cell, Facts, Grid, Prose, Ref, State
from protocol.practice import FOREVER_MS, KEYS, Key, Refused, View, keys
from protocol.practices import lots
from protocol.practices.lots import (
    Committed,
    GroupSaid,
    GroupSeats,
    LotDeclined,
    Revealed,
)
from tests.protocol.lot_house import (
    AFTER_COMMIT,
    AFTER_REVEAL,
    DAY,
    KINDS,
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

# One tap: what the node fills in


class Secrets:
    """A node's, with a seed."""

    def __init__(self, author: bytes, now_ms: int = T0) -> None:
        self.author, self.now_ms = author, now_ms

    def random(self, count: int) -> bytes:
        raise AssertionError("the value must be made again later")

    def shared(self, label: bytes) -> bytes:
        raise AssertionError("a lot has no key of the node's")

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


def test_the_receipt_holds_the_whole_draw_and_a_program_that_gives_it_again() -> None:
    house = House(7)
    quotas(house, GroupSeats("night", 1))
    house.write("lot.group-said/1", GroupSaid("night"), person(6), T0)
    digest = house.open(seats=2)
    house.commit(digest, house.members[:4])
    house.reveal(digest, house.members[1:4])
    house.draw(digest)
    order = keys(house.pool(digest).drawn)
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


def passed_over(house: House, digest: bytes, view: View | None = None) -> Sequence[Sequence[Cell]]:
    """The rows of those passed over; nobody is told to be there where nobody is."""
    told = lots.PRACTICE.record(view or house.view, digest, AFTER_REVEAL)
    (grid,) = (block for block in told if isinstance(block, Grid) and "Passed over" in block.caption)
    assert grid.empty == "Nobody was passed over."
    return grid.rows


def one_of_night_seated() -> tuple[House, bytes, bytes, bytes, tuple[bytes, ...]]:
    """A lot for two seats, one at most for the night, drawn without a skip: who has them (night first), and the substitutes.

    The first substitute is of the night too, the others are not.
    """
    for night in permutations(range(6), 2):
        house = House(6)
        quotas(house, GroupSeats("night", 0, 1))
        for number in night:
            house.write("lot.group-said/1", GroupSaid("night"), person(number), T0)
        digest = house.drawn(seats=2)
        row, pool = house.row(digest), house.pool(digest)
        skipped = drawing.inputs(row, pool, drawing.parts_of(house.view, digest)).draw().skipped
        first, second, *substitutes = keys(pool.drawn)
        at_night = [person(number) for number in night]
        if skipped or at_night != [first, substitutes[0]]:
            continue
        return house, digest, first, second, tuple(substitutes)
    raise AssertionError("no draw of this kind")


def test_who_is_passed_over_when_a_seat_moves_on_is_listed_with_the_reason_and_after_whose_declining() -> None:
    house, digest, night, other, substitutes = one_of_night_seated()
    assert passed_over(house, digest) == []
    house.write("lot.declined/1", LotDeclined(digest), other, AFTER_REVEAL)
    assert standing_other(house) == (night, substitutes[1])
    name = f"member {1 + house.members.index(other)}"
    full = "the group “night” has all the seats that it may have"
    skipped = [Ref(substitutes[0], "member"), full, Ref(other, "member", f"after {name} declined")]
    assert passed_over(house, digest) == [skipped]
    assert passed_over(house, digest, house.desk.view(b"b" * 32)) == [skipped]
    house.write("lot.declined/1", LotDeclined(digest), substitutes[1], AFTER_REVEAL)
    assert standing_other(house) == (night, substitutes[2])
    assert passed_over(house, digest) == [skipped], "for the same reason once"
    house.write("lot.declined/1", LotDeclined(digest), night, AFTER_REVEAL)
    assert standing_other(house) == (substitutes[0], substitutes[2])
    assert passed_over(house, digest) == [skipped], "so it was at that time"
    (who,) = (block for block in blocks(house, digest) if isinstance(block, Grid) and block.caption == "Who was drawn")
    assert ["substitute 1", Ref(substitutes[0], "member"), State("has the seat", "good")] in who.rows


def test_who_is_passed_over_when_somebody_left_is_listed_in_the_order_in_which_it_came() -> None:
    house, digest, night, other, substitutes = one_of_night_seated()
    house.write("lot.declined/1", LotDeclined(digest), substitutes[1], AFTER_REVEAL)
    assert passed_over(house, digest) == [], "a substitute who declines leaves no seat"
    house.leave(other, AFTER_REVEAL + DAY)
    assert standing_other(house) == (night, substitutes[2])
    name = f"member {1 + house.members.index(other)}"
    assert [row[::2] for row in passed_over(house, digest)] == [
        [Ref(substitutes[0], "member"), Ref(other, "member", f"after {name} left")]
    ]


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
        offered = [block for block in page if isinstance(block, Action) and block.filled]
        assert [block.kind for block in offered] == [kind]
        whom = {"lot.committed/1": (house.members[3],), "lot.revealed/1": tuple(sorted(house.members[:3]))}
        assert offered[0].who == whom.get(kind), "who still has a part to add, or to reveal"


def test_only_who_can_be_drawn_and_has_not_declined_is_offered_to_decline() -> None:
    house = House(4)
    digest = house.drawn()
    seat, *rest = house.members
    house.write("lot.declined/1", LotDeclined(digest), seat, AFTER_REVEAL)
    (button,) = [block for block in blocks(house, digest) if isinstance(block, Action)]
    assert button.who is not None
    assert seat not in button.who
    assert set(rest) <= set(button.who)


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
