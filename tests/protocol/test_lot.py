"""Draws: the reference of RFC 3797, our own draw by another's hand, chance that is even, quotas, and strange lists."""

from __future__ import annotations

import hmac
import random
import re
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import lot
from protocol.lot import FULL, KEPT, Inputs, Quota, Skip

CODE = sha256(b"a lot").digest()
CHI_SQUARE_1_PERCENT = {4: 13.277, 5: 15.086, 9: 21.666}  # by degrees of freedom; NIST/SEMATECH handbook, 1.3.6.7.4
DRAWS = 100_000


def people(number: int) -> list[bytes]:
    return [sha256(b"%d" % each).digest() for each in range(number)]


def groups(members: list[bytes], *names: str) -> dict[bytes, str]:
    return {member: name for at, member in enumerate(members) if (name := names[at % len(names)])}


def parts(members: list[bytes], missing: int = 0) -> list[tuple[bytes, bytes, bytes]]:
    values = {member: sha256(member).digest() for member in members}
    return [
        (member, lot.commitment(CODE, member, value), value if at >= missing else b"")
        for at, (member, value) in enumerate(sorted(values.items()))
    ]


# RFC 3797


def test_the_reference_draw_of_rfc_3797_comes_out(vectors: Path) -> None:
    folder = vectors / "rfc3797"
    names = folder.joinpath("ref.names").read_text().splitlines()
    seeds = [line for line in folder.joinpath("ref.seeds").read_text().splitlines() if line and not line.startswith("#")]
    sources = [[int(number) for number in line.split()] for line in seeds]
    assert lot.seed_string(sources) == b"9319./2.5.8.10.12./9.18.26.34.41.45./"
    picks = list(lot.rfc3797(len(names), sources))
    wanted = re.findall(
        r"^ *(\d+) +([0-9A-F]{32}) +(\d+) +-> +(\d+) +<- *(.*)$", folder.joinpath("ref.results").read_text(), re.M
    )
    assert len(wanted) == 16
    for (rank, digest, left, number, name), pick in zip(wanted, picks, strict=False):
        assert (pick.digest.hex().upper(), pick.left, pick.number) == (digest, int(left), int(number)), rank
        assert name in ("", names[pick.number - 1])
    assert sorted(pick.number for pick in picks) == list(range(1, len(names) + 1))


def test_a_list_of_nobody_is_drawn_to_its_end_and_one_that_is_too_long_is_refused() -> None:
    assert list(lot.rfc3797(0, [[1]])) == []
    with pytest.raises(ValueError, match="at most 65,535 people"):
        list(lot.rfc3797(65_536, [[1]]))


# Our order


def test_the_order_is_that_of_hkdf_written_out_by_hand() -> None:
    members = people(20)
    chance = lot.randomness({member: bytes([at]) * 32 for at, member in enumerate(members[:3])})
    joined = b"".join(sorted(member + bytes([at]) * 32 for at, member in enumerate(members[:3])))
    assert chance == sha256(joined).digest()
    key = hmac.new(CODE, chance, sha256).digest()
    placed = {hmac.new(key, member + b"\x01", sha256).digest(): member for member in members}
    assert lot.order(CODE, chance, members) == tuple(placed[at] for at in sorted(placed))


def test_the_order_does_not_depend_on_that_of_the_list_nor_on_copies_in_it() -> None:
    members = people(30)
    assert lot.order(CODE, b"x", members) == lot.order(CODE, b"x", [*reversed(members), members[4]])


def test_another_lot_another_value_or_another_contributor_gives_another_order() -> None:
    members = people(8)
    given_by = {member: sha256(member).digest() for member in members[:3]}
    orders = {
        lot.order(CODE, lot.randomness(given_by), members),
        lot.order(lot.next_code(CODE), lot.randomness(given_by), members),
        lot.order(CODE, lot.randomness({**given_by, members[0]: bytes(32)}), members),
        lot.order(CODE, lot.randomness({**given_by, members[5]: bytes(32)}), members),
    }
    assert len(orders) == 4


def test_a_commitment_is_good_for_one_member_one_lot_and_one_value() -> None:
    one, two = people(2)
    assert len({lot.commitment(*each) for each in ((CODE, one, two), (CODE, two, two), (one, one, two), (CODE, one, one))}) == 4


@pytest.mark.parametrize("size", [0, 1, 3, 500])
def test_lists_of_any_size_are_drawn_to_the_last(size: int) -> None:
    members = people(size)
    drawn = lot.draw(CODE, b"chance", members, 3)
    assert sorted(drawn.drawn) == sorted(members)
    assert len(drawn.chosen) == min(3, size)
    assert drawn.skipped == ()
    assert drawn.substitutes == lot.order(sha256(CODE).digest(), b"chance", set(members) - set(drawn.chosen))


def test_a_public_value_counts_whatever_the_spaces_around_it() -> None:
    assert lot.public_randomness("  7 12\t23 \n") == lot.public_randomness("7 12 23") == sha256(b"7 12 23").digest()


# Quotas

A, B, C, D, E = (bytes([each]) for each in b"ABCDE")


def test_a_full_group_is_passed_over_and_a_seat_is_kept_for_another() -> None:
    of = {A: "north", B: "north", C: "north", D: "south", E: "east"}
    full = lot.choose([A, B, C, D, E], 3, [Quota("north", 0, 2)], of)
    assert full == lot.Choice((A, B, D), (Skip(C, FULL, "north"),))
    kept = lot.choose([A, B, C, D, E], 3, [Quota("south", 1), Quota("east", 1)], of)
    assert kept == lot.Choice((A, D, E), (Skip(B, KEPT, "east, south"), Skip(C, KEPT, "east, south")))
    assert lot.reason(kept.skipped[0]) == "the seats left are kept for: east, south"
    assert lot.reason(full.skipped[0]) == "the group “north” has all the seats that it may have"


def test_a_group_with_too_few_people_does_not_leave_seats_empty() -> None:
    of = {A: "north", B: "", C: "", D: "south"}
    assert lot.choose([A, B, C, D], 3, [Quota("south", 3), Quota("west", 2)], of).chosen == (A, B, D)


def test_where_groups_may_have_no_more_seats_stay_empty() -> None:
    assert lot.choose([A, B, C], 3, [Quota("north", 0, 1)], dict.fromkeys([A, B, C], "north")).chosen == (A,)


@given(st.randoms(use_true_random=False), st.integers(1, 12), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_quotas_are_kept_and_nobody_loses_a_seat_when_somebody_else_declines(
    chance: random.Random, size: int, seats: int
) -> None:
    members = people(size)
    of = {member: chance.choice(["north", "south", ""]) for member in members}
    quotas = [
        Quota(name, least, chance.choice([0, least + 1])) for name in ("north", "south") if (least := chance.randrange(3)) >= 0
    ]
    if sum(quota.least for quota in quotas) > seats:
        return
    drawn = lot.draw(CODE, chance.randbytes(32), members, seats, quotas, of)
    able = list(drawn.drawn)
    before = set(drawn.chosen)
    while able:
        chosen = lot.choose(able, seats, quotas, of).chosen
        assert before <= set(chosen)
        for quota in quotas:
            held = sum(of[member] == quota.group for member in chosen)
            assert held >= min(quota.least, sum(of[member] == quota.group for member in able))
            assert not quota.most or held <= quota.most
        gone = chance.choice(chosen or able)
        able.remove(gone)
        before = set(chosen) - {gone}


# The draw is even


def _chi_square(counts: list[int]) -> float:
    expected = sum(counts) / len(counts)
    return sum((count - expected) ** 2 / expected for count in counts)


def test_a_hundred_thousand_draws_are_even() -> None:
    members = people(10)
    first: Counter[bytes] = Counter()
    last: Counter[bytes] = Counter()
    for number in range(DRAWS):
        drawn = lot.order(CODE, sha256(b"%d" % number).digest(), members)
        first[drawn[0]] += 1
        last[drawn[-1]] += 1
    for counts in (first, last):
        assert _chi_square([counts[member] for member in members]) < CHI_SQUARE_1_PERCENT[9]


def test_a_hundred_thousand_draws_with_quotas_are_even_within_each_group() -> None:
    members = people(11)
    of = {member: "north" if at < 5 else "south" for at, member in enumerate(members)}
    quotas = [Quota("north", 1, 1), Quota("south", 1)]
    seated: Counter[bytes] = Counter()
    for number in range(DRAWS):
        ordered = lot.order(CODE, sha256(b"q%d" % number).digest(), members)
        seated.update(lot.choose(ordered, 3, quotas, of).chosen)
    north, south = members[:5], members[5:]
    assert sum(seated[member] for member in north) == DRAWS
    assert sum(seated[member] for member in south) == 2 * DRAWS
    assert _chi_square([seated[member] for member in north]) < CHI_SQUARE_1_PERCENT[4]
    assert _chi_square([seated[member] for member in south]) < CHI_SQUARE_1_PERCENT[5]


def test_substitutes_are_even_and_by_a_code_of_their_own() -> None:
    members = people(6)
    counts: Counter[bytes] = Counter()
    for number in range(20_000):
        counts[lot.draw(CODE, sha256(b"s%d" % number).digest(), members, 1).substitutes[0]] += 1
    assert _chi_square([counts[member] for member in members]) < CHI_SQUARE_1_PERCENT[5]


def test_a_draw_that_is_not_even_would_be_seen() -> None:
    assert _chi_square([10_000] * 9 + [10_600]) > CHI_SQUARE_1_PERCENT[9]


# Recomputed by a program in a bare Python


def bare(program: str) -> str:
    ran = subprocess.run([sys.executable, "-I", "-S", "-"], input=program, capture_output=True, text=True, check=False)
    assert not ran.returncode, ran.stderr
    return ran.stdout


MEMBERS = people(40)
MANY = (Quota("north", 3, 3), Quota("south", 1), Quota("nobody", 4))


@pytest.mark.parametrize(
    "inputs",
    [
        Inputs(CODE, 1, MEMBERS, parts=parts(MEMBERS[:5])),
        Inputs(CODE, 5, MEMBERS, MANY, groups(MEMBERS, "north", "south", ""), parts(MEMBERS[:5], missing=2)),
        Inputs(CODE, 60, MEMBERS, MANY, groups(MEMBERS, "north", "south", "east"), parts(MEMBERS[:2])),
        Inputs(CODE, 2, MEMBERS, public="7 12 23"),
        Inputs(CODE, 2, MEMBERS, public='it\'s “7” \\ "12" ``` é \N{NEW MOON SYMBOL} \x00'),
        Inputs(CODE, 3, people(500), parts=parts(people(500), missing=100)),
        Inputs(CODE, 1, people(1)),
        Inputs(CODE, 1, []),
    ],
)
def test_the_printed_program_gives_the_same_draw_without_any_package(inputs: Inputs) -> None:
    drawn = inputs.draw().drawn
    program = lot.script(inputs, drawn)
    told = bare(program)
    assert told == lot.printed(inputs, drawn)
    assert told.splitlines()[-1] == "as published"
    read, numbers = lot.read_script(program)
    assert read.draw() == inputs.draw()
    assert numbers == inputs.numbers(drawn)


def test_the_program_is_short_and_shows_what_was_not_drawn_so() -> None:
    inputs = Inputs(CODE, 1, MEMBERS, parts=parts(MEMBERS[:5]))
    assert lot.script(Inputs(CODE, 1, []), ()).count("\n") < 55
    drawn = inputs.draw().drawn
    told = bare(lot.script(inputs, (drawn[1], drawn[0], *drawn[2:])))
    assert told.splitlines()[-1] == "not as published"


def test_the_program_stops_at_a_value_that_was_not_committed_to() -> None:
    (member, promise, value), *rest = parts(MEMBERS[:3])
    inputs = Inputs(CODE, 1, MEMBERS, parts=[(member, promise, value[::-1]), *rest])
    assert inputs.broken() == (member,)
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-"], input=lot.script(inputs, ()), capture_output=True, text=True, check=False
    )
    assert "another value than the one committed to" in ran.stderr


@pytest.mark.parametrize(
    "change",
    [
        ("CODE = ", "CODE_ = "),
        ("SEATS = 1", "SEATS = one"),
        ("PUBLIC = ''", "PUBLIC = open('x')"),
        ("PUBLIC = ''", "PUBLIC = 'x\\'"),
        ("PUBLIC = ''", "PUBLIC = '" + "x" * 5000 + "'"),
        (MEMBERS[0].hex(), MEMBERS[1].hex()),
        (MEMBERS[0].hex(), "zz"),
        (MEMBERS[0].hex(), f"{MEMBERS[0].hex()} a b"),
    ],
)
def test_what_is_no_such_program_is_not_read(change: tuple[str, str]) -> None:
    program = lot.script(Inputs(CODE, 1, MEMBERS), MEMBERS)
    assert change[0] in program
    with pytest.raises(ValueError):  # each says something else
        lot.read_script(program.replace(*change, 1))
