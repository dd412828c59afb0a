"""Rest: who steps back when, that nobody is picked and nobody clings, and quiet after a surge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from protocol import mandate, moon, resting, working
from protocol.drawing import LOTS, POOLS, Lot, Pool
from protocol.eligibility import eligible
from protocol.lineage import PROTOCOLS, Protocol
from protocol.membership import MEMBERSHIPS, Membership
from protocol.page import Action, Block, Facts, Grid, Prose
from protocol.practice import FOREVER_MS, MEMBERS, PUBLIC, SETTINGS, Due, Kind, Refused, Setting
from protocol.practices import campaigns
from protocol.practices.work import PRACTICE
from protocol.rest_records import (
    Accepted,
    CelebrationHeld,
    DecompressionSet,
    DependencyFound,
    DependencyPlanned,
    DependencyResolved,
    Lifted,
    MentorAgreed,
    Moved,
    Planned,
    Wished,
)
from protocol.resting import HELD, LOAD, LOAD_PERMILLE, QUESTION, SABBATICAL_CYCLES, SABBATICALS, WISH, Sabbatical
from protocol.standing import Terms
from protocol.terms import ROLES, TERMS, Role, Term
from protocol.work_records import Noted, Offered, Taken, advise_offer
from protocol.working import DAY_MS, HOUR_MS, MINUTE_MS
from tests.protocol.desk import Desk

KINDS: dict[str, Kind[Any]] = {kind.name.partition("/")[0]: kind for kind in (*PRACTICE.kinds, *campaigns.PRACTICE.kinds)}
A, B = b"a" * 32, b"b" * 32
CYCLE = 330
NOW = moon.new_moon_ms(CYCLE) + 5 * DAY_MS
ADA, BO, CY, DEE = (name.encode() * 32 for name in "mnop")


def house(members: Sequence[bytes] = (ADA, BO, CY)) -> Desk:
    desk = Desk()
    for number, member in enumerate(members):
        row = Membership(desk.meet(A), member, number, member, None, 0, 0, FOREVER_MS, "", member[:1].decode(), "")
        desk.put(desk.meet(A), PUBLIC, MEMBERSHIPS.put(row))
    return desk


def write(desk: Desk, name: str, body: Struct, member: bytes = ADA, at_ms: int = NOW, **more: Any) -> bytes:
    return desk.write(KINDS[name], body, space=more.pop("space", A), member=member, logged_ms=at_ms, **more)


def refused(desk: Desk, name: str, body: Struct, member: bytes = ADA, at_ms: int = NOW, **more: Any) -> str:
    """The sentence of the refusal, and that nothing changed by it."""
    before = {table: dict(rows) for table, rows in desk.kept.items() if rows}
    with pytest.raises(Refused) as refusal:
        write(desk, name, body, member, at_ms, **more)
    assert before == {table: dict(rows) for table, rows in desk.kept.items() if rows}
    return str(refusal.value)


def role_held(desk: Desk, member: bytes, cycles: int, role: str = "treasurer") -> None:
    """A role that somebody has held for so many cycles, this one counted."""
    desk.put(desk.meet(A), PUBLIC, ROLES.put(Role(1, role, A, A, 0, 1, "[]", 0, FOREVER_MS, "", "")))
    for number in range(cycles):
        since_ms, until_ms = moon.cycle_bounds(CYCLE - number)
        term = Term(
            1,
            b"%031d" % number + member[:1],
            number,
            role,
            A,
            member,
            since_ms,
            until_ms,
            since_ms,
            "consent",
            None,
            "",
            "",
            "",
            "",
        )
        desk.put(desk.meet(A), PUBLIC, TERMS.put(term))


def loads(desk: Desk, cycle: int, *quarters: int) -> None:
    for member, count in zip((ADA, BO, CY), quarters, strict=False):
        if count:
            write(desk, "hours.noted", Noted(quarters=count, category="care"), member, moon.new_moon_ms(cycle) + DAY_MS)


def row_of(desk: Desk) -> Sabbatical:
    (row,) = desk.view(A).all(SABBATICALS)
    return row


def planned(desk: Desk, member: bytes = ADA, cycle: int = CYCLE + 1, by: bytes = BO) -> bytes:
    return write(desk, "sabbatical.planned", Planned(member, cycle), by)


def dues(desk: Desk, now_ms: int = NOW, who: bytes | None = None) -> list[str]:
    found: list[Due] = list(PRACTICE.due(desk.view(A), now_ms))
    return [due.what for due in found if due.since_ms <= now_ms < due.until_ms and due.who == who]


def page(desk: Desk, now_ms: int = NOW) -> list[Block]:
    return list(PRACTICE.page(desk.view(A), now_ms))


def labels(blocks: Sequence[Block]) -> list[str]:
    return [block.label for block in blocks if isinstance(block, Action)]


# Who is to step back


def test_who_held_a_role_for_three_cycles_is_due_for_rest_and_who_held_it_for_two_is_not() -> None:
    desk = house()
    role_held(desk, ADA, 3)
    assert resting.due_for_rest(desk.view(A), NOW) == {ADA: HELD}
    assert "Plan a sabbatical for m: they have held a role for long" in dues(desk)
    shorter = house()
    role_held(shorter, ADA, 2)
    assert resting.due_for_rest(shorter.view(A), NOW) == {}
    shorter.put(1, PUBLIC, SETTINGS.put(Setting(1, b"p" * 32, SABBATICAL_CYCLES.name, 0, 2, 0, FOREVER_MS)))
    assert resting.due_for_rest(shorter.view(A), NOW) == {ADA: HELD}


@pytest.mark.parametrize(
    ("quarters", "due"),
    [
        ((80, 40, 40), True),
        ((79, 60, 60), False),  # below two fifths
        ((80, 80, 10), False),  # two of them
        ((80, 40), False),  # of two, one always does most
        ((0, 0, 0), False),
    ],
)
def test_who_did_most_of_the_last_full_cycle_is_due_for_rest(quarters: tuple[int, ...], due: bool) -> None:
    desk = house()
    loads(desk, CYCLE - 1, *quarters)
    loads(desk, CYCLE, 1, 1, 200)  # the cycle that runs says nothing yet
    assert resting.due_for_rest(desk.view(A), NOW) == ({ADA: LOAD} if due else {})


def test_a_protocol_sets_from_which_share_on() -> None:
    desk = house()
    loads(desk, CYCLE - 1, 80, 40, 40)
    desk.put(1, PUBLIC, SETTINGS.put(Setting(1, b"p" * 32, LOAD_PERMILLE.name, 0, 501, 0, FOREVER_MS)))
    assert resting.due_for_rest(desk.view(A), NOW) == {}


def test_a_plan_binds_whom_the_record_picks_and_asks_anybody_else() -> None:
    desk = house()
    role_held(desk, ADA, 3)
    planned(desk)
    begins = moon.new_moon_ms(CYCLE + 1)
    assert row_of(desk).reason == HELD
    view = desk.view(A)
    assert resting.resting_of(view, ADA, begins)
    assert not resting.resting_of(view, ADA, begins - 1)
    assert not resting.resting_of(view, ADA, moon.new_moon_ms(CYCLE + 2))
    other = house()
    planned(other)
    assert row_of(other).reason == QUESTION
    assert not resting.resting_of(other.view(A), ADA, begins)
    assert "You are asked to step back for a cycle: say yes, choose another cycle, or let it pass" in dues(other, who=ADA)
    ready = ("Your sabbatical is planned", "Draw who takes over")
    assert not [each for each in [*dues(other, who=ADA), *dues(other)] if each.startswith(ready)], "nobody has said yes"
    assert any(each.startswith(ready[0]) for each in dues(desk, who=ADA))
    assert any(each.startswith(ready[1]) for each in dues(desk))
    write(other, "sabbatical.accepted", Accepted(row_of(other).id))
    assert resting.resting_of(other.view(A), ADA, begins)
    assert any(each.startswith(ready[1]) for each in dues(other))
    assert "said yes already" in refused(other, "sabbatical.accepted", Accepted(row_of(other).id))


def test_silence_does_not_stop_a_rest_that_the_record_asks_for() -> None:
    desk = house()
    role_held(desk, ADA, 3)
    planned(desk)
    begins = moon.new_moon_ms(CYCLE + 1)
    task = write(desk, "task.offered", Offered(title="x", category="money"), BO, begins)
    assert "You rest from" in refused(desk, "task.taken", Taken(task), ADA, begins)


def test_one_who_is_to_rest_moves_it_once_within_reach_and_cannot_talk_it_away() -> None:
    desk = house()
    role_held(desk, ADA, 3)
    planned(desk)
    (row,) = [row_of(desk)]
    for cycle in (CYCLE, CYCLE + 1, CYCLE + 4):
        assert "can be moved once" in refused(desk, "sabbatical.moved", Moved(row.id, cycle))
    assert "for the one who is to rest" in refused(desk, "sabbatical.moved", Moved(row.id, CYCLE + 2), BO)
    write(desk, "sabbatical.moved", Moved(row.id, CYCLE + 3))
    assert (row_of(desk).since_ms, row_of(desk).until_ms) == moon.cycle_bounds(CYCLE + 3)
    assert "moved once already" in refused(desk, "sabbatical.moved", Moved(row.id, CYCLE + 2))
    assert KINDS["sabbatical.lifted"].needs == mandate.DECISION
    assert KINDS["sabbatical.lifted"].concerns(desk.view(A), Lifted(row.id)) == (ADA,)
    assert KINDS["sabbatical.planned"].concerns(desk.view(A), Planned(ADA, CYCLE + 1)) == (ADA,)
    assert KINDS["sabbatical.planned"].needs == "assembly"


def test_what_has_begun_is_not_moved_and_what_is_over_not_lifted() -> None:
    desk = house()
    row = write(desk, "sabbatical.wished", Wished(CYCLE + 1))
    begins, ends = moon.cycle_bounds(CYCLE + 1)
    assert "It began at" in refused(desk, "sabbatical.moved", Moved(row, CYCLE + 2), ADA, begins)
    assert "nothing to lift" in refused(desk, "sabbatical.lifted", Lifted(row), BO, ends)
    write(desk, "sabbatical.lifted", Lifted(row), BO, begins + DAY_MS)
    assert not resting.resting_of(desk.view(A), ADA, begins + DAY_MS)
    assert "nothing to lift" in refused(desk, "sabbatical.lifted", Lifted(row), BO, begins + 2 * DAY_MS)


@pytest.mark.parametrize("cycle", [CYCLE, CYCLE - 1, CYCLE + 7, 2484, -1237])
def test_a_rest_begins_at_a_new_moon_within_reach(cycle: int) -> None:
    assert "one rests from a new moon" in refused(house(), "sabbatical.wished", Wished(cycle))
    assert "one rests from a new moon" in refused(house(), "sabbatical.planned", Planned(ADA, cycle), BO)


def test_plans_that_cannot_be_are_refused_in_words() -> None:
    desk = house()
    assert "not a member here" in refused(desk, "sabbatical.planned", Planned(DEE, CYCLE + 1))
    assert "no such role" in refused(desk, "sabbatical.wished", Wished(CYCLE + 1, "treasurer"))
    assert "is public" in refused(desk, "sabbatical.wished", Wished(CYCLE + 1), audience=MEMBERS)
    write(desk, "sabbatical.wished", Wished(CYCLE + 1))
    assert "planned for cycle 331 already" in refused(desk, "sabbatical.wished", Wished(CYCLE + 2))
    assert "no such sabbatical" in refused(desk, "sabbatical.accepted", Accepted(b"?" * 32))


def test_who_rested_is_not_asked_again_at_once() -> None:
    desk = house()
    role_held(desk, ADA, 3)
    planned(desk)
    assert resting.due_for_rest(desk.view(A), NOW) == {}  # it stands
    loads(desk, CYCLE + 4, 200, 10, 10)
    loads(desk, CYCLE + 5, 200, 10, 10)
    assert resting.due_for_rest(desk.view(A), moon.new_moon_ms(CYCLE + 4) + DAY_MS) == {}
    assert resting.due_for_rest(desk.view(A), moon.new_moon_ms(CYCLE + 5) + DAY_MS) == {ADA: LOAD}


def test_a_wish_to_rest_from_something_small_does_not_put_off_the_rest_that_is_due() -> None:
    desk = house()
    role_held(desk, BO, 1, "gardener")
    role_held(desk, ADA, 3)
    write(desk, "sabbatical.wished", Wished(CYCLE + 1, "gardener"))
    assert resting.due_for_rest(desk.view(A), NOW) == {ADA: HELD}


# Who takes over, and who may be asked


def drawn(desk: Desk, subject: bytes, *people: bytes) -> None:
    """A lot for who takes over, as it is once it was drawn."""
    lot = Lot(
        1, b"l" * 32, "newcomer", subject, BO, 1, len(people), "members", "", "", 1, 2, NOW, NOW, NOW, 2, 2, "", NOW, b"d" * 32
    )
    desk.put(1, PUBLIC, LOTS.put(lot))
    everybody = b"".join(people)
    desk.put(1, PUBLIC, POOLS.put(Pool(1, lot.id, everybody, "", everybody, everybody, 1, b"")))


def test_the_one_who_rests_agrees_to_be_asked_by_whom_the_lot_has_drawn() -> None:
    desk = house()
    row = write(desk, "sabbatical.wished", Wished(CYCLE + 1))
    body = MentorAgreed(row, CY)
    assert "Nobody has been drawn" in refused(desk, "mentor.agreed", body)
    assert "Draw who takes over for the sabbatical of m" in dues(desk)
    drawn(desk, row, CY, BO)
    assert "somebody else" in refused(desk, "mentor.agreed", MentorAgreed(row, BO))
    assert "The mentor is the one who rests" in refused(desk, "mentor.agreed", body, CY)
    assert "Agree to be asked by o, who takes over" in dues(desk, who=ADA)
    write(desk, "mentor.agreed", body)
    assert "agreed to this already" in refused(desk, "mentor.agreed", body)
    assert "is over" in refused(desk, "mentor.agreed", body, ADA, moon.new_moon_ms(CYCLE + 2))
    assert "Draw who takes over for the sabbatical of m" not in dues(desk)


def test_who_rests_then_cannot_be_drawn_to_take_over() -> None:
    desk = house((ADA, BO, CY, DEE))
    row = write(desk, "sabbatical.wished", Wished(CYCLE + 1))
    write(desk, "sabbatical.wished", Wished(CYCLE + 1), CY)
    assert eligible(desk.view(A), "newcomer", row, NOW) == (BO, DEE)
    with pytest.raises(Refused, match="is over"):
        eligible(desk.view(A), "newcomer", row, moon.new_moon_ms(CYCLE + 2))
    with pytest.raises(Refused, match="no such sabbatical"):
        eligible(desk.view(A), "newcomer", b"?" * 32, NOW)


def test_in_a_collective_of_one_a_rest_is_possible_and_nobody_can_be_drawn() -> None:
    desk = house([ADA])
    row = write(desk, "sabbatical.wished", Wished(CYCLE + 1))
    assert eligible(desk.view(A), "newcomer", row, NOW) == ()
    assert page(desk)


# What hangs on one person


def test_a_dependency_is_due_until_it_has_a_plan_and_again_when_it_is_time_to_look() -> None:
    desk = house()
    found = write(desk, "dependency.found", DependencyFound("The cold store"))
    assert dues(desk) == ["Plan what to do, so that it hangs on nobody alone: “The cold store”"]
    for cycle in (CYCLE, CYCLE + 14):
        assert "Choose a cycle from 331 to 343" in refused(
            desk, "dependency.planned", DependencyPlanned(dependency=found, look_cycle=cycle, plan="x")
        )
    write(desk, "dependency.planned", DependencyPlanned(dependency=found, look_cycle=CYCLE + 2, plan="Teach two"))
    look = moon.new_moon_ms(CYCLE + 2)
    assert dues(desk) == []
    assert dues(desk, look - 7 * DAY_MS) == ["Look whether it still hangs on one person: “The cold store”"]
    assert PRACTICE.figures(desk.view(A), NOW)["work.dependencies-open"] == 1
    assert PRACTICE.figures(desk.view(A), NOW)["work.dependencies-unplanned"] == 0
    write(desk, "dependency.resolved", DependencyResolved(found, "Three of us can"), BO, look)
    assert PRACTICE.figures(desk.view(A), look)["work.dependencies-open"] == 0
    assert PRACTICE.figures(desk.view(A), look - 1)["work.dependencies-open"] == 1
    assert "resolved already" in refused(desk, "dependency.resolved", DependencyResolved(found, "x"), at_ms=look)
    assert "no such dependency" in refused(desk, "dependency.resolved", DependencyResolved(b"?" * 32, "x"))
    assert "no such sabbatical" in refused(desk, "dependency.found", DependencyFound("x", b"?" * 32))


# After a surge

OPENS = NOW + 3 * DAY_MS
WINDOW = Terms(
    OPENS, OPENS + DAY_MS, OPENS + 5 * DAY_MS, OPENS + 8 * DAY_MS, OPENS + 12 * DAY_MS, "A tool library that stays", [], ""
)
CALL = b"#" * 32


def surge(*, armed: bool = True, joined: bool = True) -> Desk:
    desk = house()
    body = campaigns.Called(
        name="Spring",
        why="because",
        invited=[B if joined else A],
        quorum=2,
        answers_until_ms=NOW + DAY_MS,
        terms=WINDOW,
        clears="",
    )
    write(desk, "campaign.called", body, space=A if joined else B, digest=CALL)
    if joined and armed:
        write(desk, "campaign.joined", campaigns.Joined(CALL, A, WINDOW), space=B)
    return desk


def test_notices_are_quiet_from_dispersal_until_the_rest_is_over() -> None:
    desk = surge()
    quiet = [
        (edge, working.is_quiet(desk.view(A), edge))
        for edge in (WINDOW.crests_ms, WINDOW.disperses_ms - 1, WINDOW.disperses_ms, WINDOW.rests_ms - 1, WINDOW.rests_ms)
    ]
    assert [told for _, told in quiet] == [False, False, True, True, False]
    assert working.quiet_until_ms(desk.view(A), WINDOW.disperses_ms) == WINDOW.rests_ms


def test_a_campaign_that_never_armed_that_we_left_or_did_not_join_makes_nothing_quiet() -> None:
    at_ms = WINDOW.disperses_ms + HOUR_MS
    assert not working.is_quiet(surge(armed=False).view(A), at_ms)
    assert not working.is_quiet(surge(joined=False).view(A), at_ms)
    left = surge()
    write(left, "campaign.withdrawn", campaigns.Withdrawn(CALL, A, "we cannot"), at_ms=NOW + HOUR_MS)
    assert not working.is_quiet(left.view(A), at_ms)
    assert working.is_quiet(left.view(B), at_ms)


def test_a_day_to_land_together_is_due_after_a_surge_and_then_told() -> None:
    desk, after = surge(), WINDOW.disperses_ms + HOUR_MS
    assert dues(desk, after) == ["Set a day to land together after “Spring”"]
    assert "Set a day to land after “Spring”" in labels(page(desk, after))
    body = DecompressionSet(campaign=CALL, meets_ms=after + DAY_MS)
    for meets, sentence in (
        (after + 1, "whole minutes"),
        (after, "is past"),
        (WINDOW.rests_ms + 30 * DAY_MS + MINUTE_MS, "not long after its rest"),
    ):
        assert sentence in refused(desk, "decompression.set", replace(body, meets_ms=meets), at_ms=after)
    assert "once it has dispersed" in refused(desk, "decompression.set", replace(body, meets_ms=OPENS))
    assert "no such campaign" in refused(desk, "decompression.set", replace(body, campaign=b"?" * 32), at_ms=after)
    assert "neither published nor adopted" in refused(desk, "decompression.set", replace(body, ritual=b"?" * 32), at_ms=after)
    protocol = Protocol(1, b"r" * 32, 0, "Landing", "x", "y", A, b"", 0, None, None, ADA, 0)
    desk.put(1, PUBLIC, PROTOCOLS.put(protocol))
    write(desk, "decompression.set", replace(body, ritual=protocol.id), at_ms=after)
    assert dues(desk, after) == ["We land together after “Spring”"]
    assert any(isinstance(block, Facts) and block.pairs[0][0] == "Quiet until" for block in page(desk, after))


def test_offering_a_shift_into_a_rest_says_so_and_does_not_forbid_it() -> None:
    desk = surge()
    starts = WINDOW.disperses_ms + DAY_MS
    body = Offered(title="x", category="kitchen", starts_ms=starts, ends_ms=starts + HOUR_MS)
    assert "We rest after a campaign until" in advise_offer(desk.view(A), body)
    write(desk, "task.offered", body)
    assert not advise_offer(desk.view(A), replace(body, starts_ms=WINDOW.rests_ms))
    assert not advise_offer(desk.view(A), replace(body, starts_ms=None))


# Celebrations and pages


def test_what_was_gained_is_shown_newest_first_and_goes_back_to_a_record_of_ours() -> None:
    desk = house()
    first = write(desk, "celebration.held", CelebrationHeld(domain="food", gained="A first meal"))
    write(desk, "celebration.held", CelebrationHeld(domain="tools", gained="The pump runs", about=first))
    assert "no such record" in refused(desk, "celebration.held", CelebrationHeld(domain="food", gained="x", about=b"?" * 32))
    (grid,) = [block for block in page(desk) if isinstance(block, Grid) and block.caption.startswith("Gained")]
    assert [row[1] for row in grid.rows] == ["tools", "food"]


def test_the_page_of_a_sabbatical_tells_it_whole() -> None:
    desk = house()
    row = write(desk, "sabbatical.wished", Wished(CYCLE + 1, words="The sea"))
    write(desk, "dependency.found", DependencyFound("The cold store", row))
    blocks = list(PRACTICE.record(desk.view(A), row, NOW))
    assert {"Choose another cycle", "Draw who takes over", "Lift it by a decision"} <= set(labels(blocks))
    assert next(block.markdown for block in blocks if isinstance(block, Prose)) == "The sea"
    (grid,) = [block for block in blocks if isinstance(block, Grid)]
    assert len(grid.rows) == 1
    over = list(PRACTICE.record(desk.view(A), row, moon.new_moon_ms(CYCLE + 2)))
    assert labels(over) == []


def test_who_is_due_is_told_on_the_page_with_a_button_that_is_filled() -> None:
    desk = house()
    role_held(desk, ADA, 3)
    (button,) = [block for block in page(desk) if isinstance(block, Action) and block.kind == "sabbatical.planned/1"]
    assert button.filled == {"member": ADA.hex(), "cycle": "331"}
    assert row_wish(desk) == WISH


def row_wish(desk: Desk) -> str:
    write(desk, "sabbatical.wished", Wished(CYCLE + 1), BO)
    return row_of(desk).reason
