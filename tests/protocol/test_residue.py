"""Residue: what stayed is in a register, and looked at again."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct

from protocol import moon
from protocol.page import Action, Grid
from protocol.practice import Kind, Refused
from protocol.practices import residue
from protocol.practices.residue import CHECK_CYCLES, RESIDUES, ResidueChecked, ResidueLeft
from tests.protocol.desk import Desk

KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in residue.PRACTICE.kinds}
DAY, MINUTE = 86_400_000, 60_000
T0 = 29_500_000 * MINUTE
A, B = b"a" * 32, b"b" * 32
CAMPAIGN = b"#" * 32
NEXT = moon.after_cycles(T0, CHECK_CYCLES.default)


def write(desk: Desk, name: str, body: Struct, space: bytes = A, at_ms: int = T0) -> bytes:
    return desk.write(KINDS[name], body, space=space, logged_ms=at_ms)


def left(desk: Desk, space: bytes = A, name: str = "Tool library") -> bytes:
    body = ResidueLeft(campaign=CAMPAIGN, caller=B, kind="tool-library", domain="tools", name=name, place="depot", keeper="Ada")
    return write(desk, "campaign.residue-left/1", body, space)


def test_what_stayed_is_due_for_a_look_a_week_before_its_new_moon() -> None:
    desk = Desk()
    digest = left(desk)
    assert not list(residue.due(desk.view(A), NEXT - 7 * DAY - 1))
    (due,) = residue.due(desk.view(A), NEXT - 7 * DAY)
    assert (due.what, due.until_ms, due.link) == ("Look whether “Tool library” still lives", NEXT, digest)
    assert not list(residue.due(desk.view(B), NEXT))
    write(desk, "campaign.residue-checked/1", ResidueChecked(digest, "lives", "used daily"), at_ms=NEXT - DAY)
    assert not list(residue.due(desk.view(A), NEXT))


def test_what_ended_is_no_longer_looked_at_and_can_live_again() -> None:
    desk = Desk()
    digest = left(desk)
    write(desk, "campaign.residue-checked/1", ResidueChecked(digest, "ended"))
    assert not list(residue.due(desk.view(A), NEXT))
    assert residue.figures(desk.view(A), NEXT) == {"residue.living": 0, "residue.ended": 1, "residue.checks-overdue": 0}
    write(desk, "campaign.residue-checked/1", ResidueChecked(digest, "lives"))
    assert residue.figures(desk.view(A), NEXT)["residue.living"] == 1
    assert residue.state(desk.view(A), NEXT) == {"living": {"tools": 1}}


def test_only_residue_of_ones_own_is_looked_at() -> None:
    desk = Desk()
    digest = left(desk)
    with pytest.raises(Refused, match="no such residue of ours"):
        write(desk, "campaign.residue-checked/1", ResidueChecked(digest, "ended"), B)


def test_the_register_shows_ours_and_that_of_all_spaces() -> None:
    desk = Desk()
    left(desk, A)
    left(desk, B, "")
    blocks = list(residue.page(desk.view(A), NEXT))
    grids = {block.caption: block for block in blocks if isinstance(block, Grid)}
    assert len(grids["Ours"].rows) == len(grids["Across the archipelago"].rows) == 1
    assert [block.kind for block in blocks if isinstance(block, Action)] == ["campaign.residue-checked/1"]


def test_a_look_far_beyond_the_table_of_moons_is_still_due_some_day() -> None:
    desk = Desk()
    body = ResidueLeft(campaign=CAMPAIGN, caller=B, kind="tool-library", domain="tools")
    write(desk, "campaign.residue-left/1", body, at_ms=(2**32 - 1) * MINUTE)
    (row,) = desk.view(A).all(RESIDUES)
    assert residue.check_due_ms(desk.view(A), row, T0) > row.checked_ms
