"""Assemblies: called with an end, an agenda by hand, who came, minutes, and an end that needs nobody."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct

from protocol import assembly_blocks, moon
from protocol.assembling import ASSEMBLIES, ITEM_CYCLES, ITEMS_EACH, MINUTES_DAYS, items_at, items_for, next_assembly, there
from protocol.membership import MEMBERSHIPS, Membership
from protocol.page import Action, Grid, Link, Prose
from protocol.practice import FOREVER_MS, MEMBERS, PUBLIC, Kind, Refused, View
from protocol.practices import assemblies
from protocol.practices.assemblies import AgendaAdded, AssemblyCalled, AssemblyClosed, AttendanceNoted, MinutesTaken
from tests.protocol.desk import Desk

KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in assemblies.PRACTICE.kinds}
DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
T0 = 29_500_000 * MINUTE
A = b"a" * 32
ADA, BEN, CLEO, DAN = (bytes([n]) * 32 for n in (1, 2, 3, 4))


@pytest.fixture
def desk() -> Desk:
    """A space with three members, and a fourth who has left."""
    made = Desk()
    number = made.meet(A)
    for at, member in enumerate((ADA, BEN, CLEO, DAN)):
        ended = T0 - DAY if member == DAN else FOREVER_MS
        row = Membership(number, member, at, bytes([at]) * 32, None, T0 - 90 * DAY, T0 - 90 * DAY, ended, "", "", "")
        made.put(number, PUBLIC, MEMBERSHIPS.put(row))
    return made


def write(desk: Desk, name: str, body: Struct, at_ms: int = T0, member: bytes = ADA) -> bytes:
    kind = KINDS[name]
    return desk.write(kind, body, space=A, logged_ms=at_ms, member=member, audience=kind.audience)


def call(desk: Desk, in_ms: int = DAY, hours: int = 2) -> bytes:
    body = AssemblyCalled(opens_ms=T0 + in_ms, ends_ms=T0 + in_ms + hours * HOUR, place="Depot", purpose="Monthly assembly")
    return write(desk, "assembly.called/1", body)


def view(desk: Desk, audience: int = MEMBERS) -> View:
    return desk.view(A, audience)


@pytest.mark.parametrize(
    ("opens", "ends", "sentence"),
    [
        (-2 * HOUR, HOUR, "in the past"),
        (HOUR, HOUR, "after it has begun"),
        (HOUR, 0, "after it has begun"),
        (HOUR, 5 * DAY, "at most 3 days"),
        (500 * DAY, 500 * DAY + HOUR, "400 days ahead"),
    ],
)
def test_an_assembly_has_a_beginning_ahead_and_an_end_after_it(desk: Desk, opens: int, ends: int, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        write(desk, "assembly.called/1", AssemblyCalled(opens_ms=T0 + opens, ends_ms=T0 + ends))


def test_the_next_one_is_the_one_that_is_on_or_opens_first(desk: Desk) -> None:
    late, soon = call(desk, 9 * DAY), call(desk, DAY)
    at = next_assembly(view(desk), T0)
    assert at is not None
    assert at.id == soon
    after = next_assembly(view(desk), T0 + 2 * DAY)
    assert after is not None
    assert after.id == late
    assert next_assembly(view(desk), T0 + 20 * DAY) is None


def test_who_is_there_is_a_list_of_members_and_the_last_list_counts(desk: Desk) -> None:
    row = call(desk, HOUR)
    write(desk, "attendance.noted/1", AttendanceNoted(row, [ADA, BEN]), T0 + HOUR)
    write(desk, "attendance.noted/1", AttendanceNoted(row, [CLEO, BEN]), T0 + HOUR)
    assert there(view(desk), row) == (BEN, CLEO)
    assert there(view(desk, PUBLIC), row) == ()
    with pytest.raises(Refused, match="not a member now"):
        write(desk, "attendance.noted/1", AttendanceNoted(row, [DAN]), T0 + HOUR)
    with pytest.raises(Refused, match="listed once"):
        write(desk, "attendance.noted/1", AttendanceNoted(row, [ADA, ADA]), T0 + HOUR)


def test_nothing_is_written_down_before_it_begins_nor_after_it_is_closed_nor_days_later(desk: Desk) -> None:
    row = call(desk, DAY)
    said = MinutesTaken(assembly=row, words="We met.")
    with pytest.raises(Refused, match="begins at"):
        write(desk, "minutes.taken/1", said, T0)
    write(desk, "minutes.taken/1", said, T0 + DAY - HOUR)
    ends = T0 + DAY + 2 * HOUR
    last = ends + MINUTES_DAYS.default * DAY
    write(desk, "minutes.taken/1", said, last - MINUTE)
    with pytest.raises(Refused, match="nothing is added any more"):
        write(desk, "minutes.taken/1", said, last)
    write(desk, "assembly.closed/1", AssemblyClosed(assembly=row), ends)
    with pytest.raises(Refused, match="was closed at"):
        write(desk, "minutes.taken/1", said, ends)
    with pytest.raises(Refused, match="was closed at"):
        write(desk, "assembly.closed/1", AssemblyClosed(assembly=row), ends)


def test_what_is_added_by_hand_stays_until_it_is_settled_or_its_cycles_are_over(desk: Desk) -> None:
    row = call(desk, HOUR)
    kept = write(desk, "agenda.added/1", AgendaAdded(title="Keys of the depot"))
    settled = write(desk, "agenda.added/1", AgendaAdded(title="A kettle"))
    assert [each.id for each in items_at(view(desk), T0)] == [kept, settled]
    write(desk, "minutes.taken/1", MinutesTaken(assembly=row, subject=kept, words="Talked."), T0 + HOUR)
    write(desk, "minutes.taken/1", MinutesTaken(assembly=row, subject=settled, settled=True, words="Bought."), T0 + HOUR)
    assert [each.id for each in items_at(view(desk), T0 + HOUR)] == [kept]
    gone = moon.after_cycles(T0, ITEM_CYCLES.default)
    assert items_at(view(desk), gone - 1)
    assert not items_at(view(desk), gone)
    with pytest.raises(Refused, match="no longer on the agenda"):
        write(desk, "minutes.taken/1", MinutesTaken(assembly=row, subject=settled, settled=True, words="Again."), T0 + HOUR)
    with pytest.raises(Refused, match="added by hand"):
        write(desk, "minutes.taken/1", MinutesTaken(assembly=row, subject=b"x" * 32, settled=True, words="x"), T0 + HOUR)


def test_nobody_fills_the_agenda_alone(desk: Desk) -> None:
    for number in range(ITEMS_EACH.default):
        write(desk, "agenda.added/1", AgendaAdded(title=f"Item {number}"))
    with pytest.raises(Refused, match="12 items"):
        write(desk, "agenda.added/1", AgendaAdded(title="One more"))
    write(desk, "agenda.added/1", AgendaAdded(title="Mine"), member=BEN)


def test_what_was_added_for_an_assembly_that_is_over_goes_to_the_next(desk: Desk) -> None:
    first, second = call(desk, HOUR), call(desk, 9 * DAY)
    named = write(desk, "agenda.added/1", AgendaAdded(title="For the first", assembly=first))
    later = write(desk, "agenda.added/1", AgendaAdded(title="For the second", assembly=second))
    whichever = write(desk, "agenda.added/1", AgendaAdded(title="For the next"))
    assert [each.id for each in items_for(view(desk), first, T0)] == [named, whichever]
    assert [each.id for each in items_for(view(desk), second, T0 + DAY)] == [named, later, whichever]
    with pytest.raises(Refused, match="that one is over"):
        write(desk, "agenda.added/1", AgendaAdded(title="Too late", assembly=first), T0 + DAY)


def test_what_is_due_follows_the_assembly_and_ends_by_itself(desk: Desk) -> None:
    row = call(desk, DAY)
    ends = T0 + DAY + 2 * HOUR

    def told(at_ms: int, audience: int = MEMBERS) -> list[str]:
        return [each.what for each in assembly_blocks.due(view(desk, audience), at_ms) if each.link == row]

    assert "begins" in told(T0)[0]
    assert told(T0 + DAY) == ["Monthly assembly is on"]
    assert "close it" in told(ends)[0]
    assert not told(ends, PUBLIC)
    assert not told(ends + MINUTES_DAYS.default * DAY)
    write(desk, "assembly.closed/1", AssemblyClosed(assembly=row), ends)
    assert not told(ends)


def test_the_share_that_comes_is_of_those_who_were_members_then(desk: Desk) -> None:
    assert assembly_blocks.figures(view(desk), T0)["attendance.last"] == 0
    for at, came in ((HOUR, [ADA]), (9 * DAY, [ADA, BEN, CLEO])):
        write(desk, "attendance.noted/1", AttendanceNoted(call(desk, at), came), T0 + at)
    call(desk, 20 * DAY)  # nobody was noted there, so it counts for nothing
    told = assembly_blocks.figures(view(desk), T0 + 21 * DAY)
    assert told["attendance.last"] == 3
    assert told["attendance.mean-share"] == (333 + 1000) * 1000 // 2000
    assert told["assemblies.days-since"] == 1


def test_an_assembly_that_was_called_off_was_not_held(desk: Desk) -> None:
    row = call(desk, 9 * DAY)
    write(desk, "assembly.closed/1", AssemblyClosed(assembly=row, closing="Snow."), T0 + DAY)
    assert next_assembly(view(desk), T0 + 2 * DAY) is None
    (grid,) = [block for block in assembly_blocks.page(view(desk), T0 + 10 * DAY) if isinstance(block, Grid)]
    assert not grid.rows


def test_closing_is_for_the_audience_of_the_call(desk: Desk) -> None:
    body = AssemblyCalled(opens_ms=T0 + HOUR, ends_ms=T0 + 2 * HOUR)
    row = desk.write(KINDS["assembly.called/1"], body, space=A, logged_ms=T0, member=ADA, audience=MEMBERS)
    held = view(desk).get(ASSEMBLIES, row)
    assert held is not None
    assert held.scope == MEMBERS
    buttons = [each for each in assemblies.PRACTICE.record(view(desk), row, T0 + HOUR) if isinstance(each, Action)]
    closing = next(each for each in buttons if each.kind == "assembly.closed/1")
    assert closing.filled == {"assembly": row.hex(), "audience": "members"}


def test_the_page_of_an_assembly_holds_its_minutes_and_hides_them_from_others(desk: Desk) -> None:
    row = call(desk, HOUR)
    item = write(desk, "agenda.added/1", AgendaAdded(title="A kettle", why="Ours leaks."))
    write(desk, "minutes.taken/1", MinutesTaken(assembly=row, subject=item, words="We buy one."), T0 + HOUR)
    told = list(assemblies.PRACTICE.record(view(desk), row, T0 + HOUR))
    assert Prose("We buy one.") in told
    assert Prose("We buy one.") not in assemblies.PRACTICE.record(view(desk, PUBLIC), row, T0 + HOUR)
    assert Prose("We buy one.") in assemblies.PRACTICE.record(view(desk), item, T0 + HOUR)


def test_an_empty_page_says_that_anybody_can_call_one_and_leads_to_the_agenda(desk: Desk) -> None:
    told = list(assembly_blocks.page(view(desk), T0))
    assert any("anybody can call it" in getattr(block, "text", "") for block in told)
    assert any(isinstance(pair[1], Link) and pair[1].path == "/agenda" for each in told for pair in getattr(each, "pairs", ()))
