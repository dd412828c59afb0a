"""Work: places that only their holders take, swaps, what is due, and the pages."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from protocol import moon, work_blocks, working
from protocol.body import from_flat
from protocol.membership import BELONGINGS, Belonging
from protocol.page import Action, Bars, Chart, Grid, Text, Timeline
from protocol.practice import FOREVER_MS, MEMBERS, PUBLIC, Refused
from protocol.practices.work import PRACTICE
from protocol.resting import SABBATICALS, WISH, Sabbatical
from protocol.terms import ROLES, Role
from protocol.voicing import GROUPS, TOLD_APART, Group
from protocol.work_records import (
    Closed,
    Done,
    Offered,
    Released,
    SwapAccepted,
    SwapOffered,
    SwapWithdrawn,
    Taken,
)
from protocol.working import DAY_MS, HOUR_MS, HOURS, MINUTE_MS, SEATS, SWAPS, TASKS
from tests.protocol.desk import Desk
from tests.protocol.work_house import (
    ADA,
    BEGINS,
    BO,
    CY,
    CYCLE,
    DEE,
    KINDS,
    NOW,
    SHIFT,
    TASK,
    A,
    admit,
    crowd,
    dues,
    figures,
    house,
    labels,
    note,
    offered,
    page,
    refused,
    taken,
    worked,
    write,
)

# Offering


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"starts_ms": NOW, "ends_ms": NOW + HOUR_MS}, "The shift would begin"),
        ({"starts_ms": NOW - DAY_MS, "ends_ms": NOW + HOUR_MS}, "which is past"),
        ({"ends_ms": NOW}, "It would end"),
        ({"ends_ms": -(2**40) * MINUTE_MS}, "which is past"),
        ({"starts_ms": NOW + HOUR_MS}, "Say when the shift ends too"),
        ({"starts_ms": NOW + HOUR_MS, "ends_ms": NOW + HOUR_MS}, "end before it begins"),
        ({"starts_ms": NOW + 2 * HOUR_MS, "ends_ms": NOW + HOUR_MS}, "end before it begins"),
        ({"starts_ms": NOW + HOUR_MS, "ends_ms": NOW + 25 * HOUR_MS + MINUTE_MS}, "at most 24 hours"),
        ({"ends_ms": NOW + HOUR_MS + 1}, "whole minutes"),
        ({"ends_ms": NOW + 401 * DAY_MS}, "more than 400 days ahead"),
        ({"ends_ms": 2**62 // MINUTE_MS * MINUTE_MS}, "more than 400 days ahead"),
        ({"role": "treasurer"}, "no such role"),
    ],
)
def test_a_task_or_shift_at_no_sensible_time_is_refused_in_words(fields: dict[str, Any], sentence: str) -> None:
    body = replace(Offered(title="x", category="kitchen"), **fields)
    assert sentence in refused(house(), "task.offered", body)


def test_a_shift_may_be_a_whole_day_and_a_task_for_a_role_that_there_is() -> None:
    desk = house()
    desk.put(desk.meet(A), PUBLIC, ROLES.put(Role(1, "treasurer", A, A, 0, 1, "[]", 0, FOREVER_MS, "", "")))
    offered(desk, replace(SHIFT, starts_ms=NOW + HOUR_MS, ends_ms=NOW + 25 * HOUR_MS, role="treasurer"))
    assert desk.view(A).all(TASKS)[0].is_shift


def test_what_has_no_day_lapses_at_the_third_new_moon() -> None:
    desk = house()
    task = offered(desk, Offered(title="x", category="tools"))
    ends_ms = moon.new_moon_ms(CYCLE + 3)
    assert not refused(desk, "task.taken", Taken(b"?" * 32)).startswith("This ended")
    assert "ended at" in refused(desk, "task.taken", Taken(task), BO, ends_ms)
    write(desk, "task.taken", Taken(task), BO, ends_ms - MINUTE_MS)
    assert not working.open_tasks(desk.view(A), ends_ms)
    assert working.open_tasks(desk.view(A), ends_ms - 1)


@pytest.mark.parametrize("seats", ["0", "-1", "61", "many"])
def test_a_number_of_people_that_is_none_is_refused_with_what_it_takes(seats: str) -> None:
    with pytest.raises(Refused, match="People"):
        from_flat(Offered, {"title": "x", "category": "kitchen", "seats": seats})


# Taking, giving back


def test_a_place_is_ones_own_word_and_taken_once() -> None:
    desk = house()
    task = taken(desk)
    (seat,) = desk.view(A).all(SEATS)
    assert seat.member == ADA
    assert "a place in this already" in refused(desk, "task.taken", Taken(task))
    assert not any("member" in kind.body.__struct_fields__ for name, kind in KINDS.items() if name.startswith("task."))


def test_no_more_people_than_it_takes() -> None:
    desk = house()
    task = taken(desk)
    assert refused(desk, "task.taken", Taken(task), BO).startswith("Its place is taken")
    task = taken(desk, SHIFT)
    write(desk, "task.taken", Taken(task), BO)
    assert refused(desk, "task.taken", Taken(task), CY).startswith("All 2 places are taken")


def test_who_gives_a_place_back_frees_it_and_can_take_it_again() -> None:
    desk = house()
    task = taken(desk)
    assert "no place in this task" in refused(desk, "task.released", Released(task), BO)
    write(desk, "task.released", Released(task))
    assert "no place in this task" in refused(desk, "task.released", Released(task))
    write(desk, "task.taken", Taken(task), BO, NOW + MINUTE_MS)
    assert "Its place is taken" in refused(desk, "task.taken", Taken(task), at_ms=NOW + MINUTE_MS)


def test_what_is_said_about_a_task_is_for_those_who_see_the_task() -> None:
    desk = house()
    task = offered(desk)
    assert "same audience" in refused(desk, "task.taken", Taken(task), audience=MEMBERS)
    hidden = offered(desk, audience=MEMBERS)
    assert "no such task" in refused(desk, "task.taken", Taken(hidden))
    write(desk, "task.taken", Taken(hidden), audience=MEMBERS)


# Swaps


def test_a_place_stays_with_who_asks_until_somebody_accepts() -> None:
    desk = house()
    task = taken(desk)
    swap = write(desk, "swap.offered", SwapOffered(task, None, "my knee"))
    assert [seat.member for seat in desk.view(A).all(SEATS) if seat.is_held(NOW)] == [ADA]
    write(desk, "swap.accepted", SwapAccepted(swap), BO, NOW + MINUTE_MS)
    held = [seat.member for seat in desk.view(A).all(SEATS) if seat.is_held(NOW + MINUTE_MS)]
    assert held == [BO]
    assert "Nobody is asked any more" in refused(desk, "swap.accepted", SwapAccepted(swap), CY, NOW + MINUTE_MS)


def test_nobody_swaps_with_themselves_or_for_somebody_else() -> None:
    desk = house()
    task = taken(desk, SHIFT)
    write(desk, "task.taken", Taken(task), CY)
    assert "take over from yourself" in refused(desk, "swap.offered", SwapOffered(task, ADA))
    assert "not a member here" in refused(desk, "swap.offered", SwapOffered(task, DEE))
    assert "a place in this already" in refused(desk, "swap.offered", SwapOffered(task, CY))
    assert "no place in this task" in refused(desk, "swap.offered", SwapOffered(task), BO)
    swap = write(desk, "swap.offered", SwapOffered(task))
    assert "your own place" in refused(desk, "swap.accepted", SwapAccepted(swap))
    assert "a place in this already" in refused(desk, "swap.accepted", SwapAccepted(swap), CY)
    assert "Who asked can take it back" in refused(desk, "swap.withdrawn", SwapWithdrawn(swap), BO)


def test_only_the_one_who_is_asked_accepts_and_a_new_question_replaces_the_last() -> None:
    desk = house()
    task = taken(desk)
    to_bo = write(desk, "swap.offered", SwapOffered(task, BO))
    assert "asked of somebody else" in refused(desk, "swap.accepted", SwapAccepted(to_bo), CY)
    to_cy = write(desk, "swap.offered", SwapOffered(task, CY))
    assert "Nobody is asked any more" in refused(desk, "swap.accepted", SwapAccepted(to_bo), BO)
    write(desk, "swap.withdrawn", SwapWithdrawn(to_cy))
    assert "Nobody is asked any more" in refused(desk, "swap.accepted", SwapAccepted(to_cy), CY)
    assert [seat.member for seat in desk.view(A).all(SEATS) if seat.is_held(NOW)] == [ADA]


@pytest.mark.parametrize("how", ["task.released", "task.done"])
def test_a_question_who_takes_over_ends_with_the_place(how: str) -> None:
    desk = house()
    task = taken(desk)
    swap = write(desk, "swap.offered", SwapOffered(task))
    write(desk, how, Released(task) if how == "task.released" else Done(task=task, quarters=2))
    assert "Nobody is asked any more" in refused(desk, "swap.accepted", SwapAccepted(swap), BO)
    assert not working.open_swaps(desk.view(A), NOW)


def test_nobody_takes_over_what_is_over() -> None:
    desk = house()
    task = taken(desk, SHIFT)
    swap = write(desk, "swap.offered", SwapOffered(task))
    after = SHIFT.ends_ms or 0
    assert "Nobody is asked any more" in refused(desk, "swap.accepted", SwapAccepted(swap), BO, after)
    assert "This ended at" in refused(desk, "swap.offered", SwapOffered(task), at_ms=after)


# Done and closed


def test_a_task_is_done_when_each_of_its_people_has_said_so() -> None:
    desk = house()
    task = taken(desk, replace(TASK, seats=2))
    write(desk, "task.taken", Taken(task), BO)
    write(desk, "task.done", Done(task=task, quarters=6))
    assert desk.view(A).all(TASKS)[0].ended == ""
    assert "All 2 places are taken" in refused(desk, "task.taken", Taken(task), CY)
    write(desk, "task.done", Done(task=task, quarters=0), BO)
    assert desk.view(A).all(TASKS)[0].ended == "done"
    assert [(row.member, row.quarters, row.category) for row in desk.view(A).all(HOURS)] == [(ADA, 6, "building")]
    assert "done already" in refused(desk, "task.taken", Taken(task), CY)


def test_a_shift_is_done_once_it_has_begun_and_even_after_its_end() -> None:
    desk = house()
    task = taken(desk, SHIFT)
    assert "The shift begins at" in refused(desk, "task.done", Done(task=task, quarters=4))
    assert "no place" in refused(desk, "task.done", Done(task=task, quarters=4), BO)
    write(desk, "task.done", Done(task=task, quarters=4), at_ms=(SHIFT.ends_ms or 0) + DAY_MS)
    assert "no place" in refused(desk, "task.done", Done(task=task, quarters=4), at_ms=(SHIFT.ends_ms or 0) + DAY_MS)


def test_who_offered_a_task_closes_it_and_anybody_once_they_have_gone() -> None:
    desk = house()
    task = taken(desk, TASK, BO)
    assert "Who offered it" in refused(desk, "task.closed", Closed(task), BO)
    admit(desk, ADA, ended_ms=NOW)
    write(desk, "task.closed", Closed(task), CY)
    assert "nothing to close" in refused(desk, "task.closed", Closed(task), CY)
    assert "it was closed" in refused(desk, "task.taken", Taken(task), CY)
    write(desk, "task.done", Done(task=task, quarters=3), BO)  # what they did counts
    assert desk.view(A).all(TASKS)[0].ended == "closed"


# What is due


def test_my_shift_is_due_to_me_within_three_days_and_to_nobody_else() -> None:
    desk = house()
    taken(desk, SHIFT, BO)
    mine = [due for due in dues(desk) if due.who == BO]
    assert [due.what for due in mine] == ["Your shift “Kitchen”"]
    assert (mine[0].since_ms, mine[0].until_ms) == ((SHIFT.starts_ms or 0) - 3 * DAY_MS, SHIFT.ends_ms)
    assert not [due for due in dues(desk, (SHIFT.starts_ms or 0) - 3 * DAY_MS - 1) if due.who]
    assert not [due for due in dues(desk, SHIFT.ends_ms or 0) if due.who]


def test_a_task_is_due_near_its_day_and_an_undated_one_before_it_lapses() -> None:
    desk = house()
    taken(desk)
    taken(desk, Offered(title="Sort the tools", category="tools"), BO)
    assert not dues(desk)
    (near,) = dues(desk, (TASK.ends_ms or 0) - 2 * DAY_MS)
    assert (near.what, near.who) == ("You took “Mend the pump”: its day is near", ADA)
    (last,) = dues(desk, moon.new_moon_ms(CYCLE + 3) - DAY_MS)
    assert last.who == BO
    assert "lapses at the new moon" in last.what


def test_shifts_that_lack_people_are_due_to_all_and_hours_are_not_asked_for() -> None:
    desk = house()
    task = offered(desk, SHIFT)
    assert [(due.what, due.who) for due in dues(desk)] == [("“Kitchen” still needs 2 people", None)]
    write(desk, "task.taken", Taken(task), BO)
    assert "“Kitchen” still needs 1 person" in [due.what for due in dues(desk)]
    write(desk, "task.taken", Taken(task), CY)
    assert all(due.who for due in dues(desk))
    assert not dues(desk, (SHIFT.ends_ms or 0) + DAY_MS)


def test_of_many_shifts_that_lack_people_the_nearest_are_due() -> None:
    desk = house()
    for hours in range(40, 10, -1):
        offered(
            desk, replace(SHIFT, title=f"Shift {hours}", starts_ms=NOW + hours * HOUR_MS, ends_ms=NOW + (hours + 3) * HOUR_MS)
        )
    told = [due.what for due in dues(desk)]
    assert (len(told), told[0], told[-1]) == (12, "“Shift 11” still needs 2 people", "“Shift 22” still needs 2 people")


def test_who_is_asked_to_take_over_is_told() -> None:
    desk = house()
    task = taken(desk)
    write(desk, "swap.offered", SwapOffered(task, BO))
    assert [(due.what, due.who) for due in dues(desk)] == [("Take over “Mend the pump” from m, or leave it", BO)]


# Rest of those who work


def rest(desk: Desk, member: bytes = ADA, role: str = "", cycle: int = CYCLE) -> None:
    since_ms, until_ms = moon.cycle_bounds(cycle)
    row = Sabbatical(desk.meet(A), b"s" * 32, 0, member, role, WISH, cycle, since_ms, until_ms, 0, 1, False, FOREVER_MS, "")
    desk.put(desk.meet(A), PUBLIC, SABBATICALS.put(row))


def test_who_rests_takes_no_new_place_and_hears_until_when() -> None:
    desk = house()
    rest(desk)
    task = offered(desk, member=BO)
    told = refused(desk, "task.taken", Taken(task))
    assert "You rest from" in told
    assert "leave this one to others" in told
    write(desk, "task.taken", Taken(task), BO)
    swap = write(desk, "swap.offered", SwapOffered(task, ADA), BO)
    assert "You rest from" in refused(desk, "swap.accepted", SwapAccepted(swap))
    note(desk, 8)  # hours are never refused to who rests
    later = offered(desk, Offered(title="x", category="tools"), member=BO)
    write(desk, "task.taken", Taken(later), ADA, moon.new_moon_ms(CYCLE + 1))


def test_a_shift_within_a_rest_to_come_is_not_taken_and_one_before_it_is() -> None:
    desk, edge = house(), moon.new_moon_ms(CYCLE + 1)
    rest(desk, cycle=CYCLE + 1)
    within = offered(desk, replace(SHIFT, starts_ms=edge, ends_ms=edge + HOUR_MS))
    before = offered(desk, replace(SHIFT, starts_ms=edge - HOUR_MS, ends_ms=edge + HOUR_MS))
    assert "You rest from" in refused(desk, "task.taken", Taken(within))
    write(desk, "task.taken", Taken(before))


def test_a_rest_from_a_role_is_from_its_tasks_only() -> None:
    desk = house()
    desk.put(desk.meet(A), PUBLIC, ROLES.put(Role(1, "treasurer", A, A, 0, 1, "[]", 0, FOREVER_MS, "", "")))
    rest(desk, role="treasurer")
    assert "from the role “treasurer”" in refused(desk, "task.taken", Taken(offered(desk, replace(TASK, role="treasurer"))))
    write(desk, "task.taken", Taken(offered(desk)))


# Pages


def test_the_page_of_nothing_teaches_and_that_of_one_person_holds() -> None:
    blocks = page(Desk())
    assert any(isinstance(block, Grid) and "Offer what has to be done" in block.empty for block in blocks)
    desk = house([ADA])
    taken(desk)
    note(desk, 6)
    assert any(isinstance(block, Bars) and [bar.value for bar in block.bars] == [6] for block in page(desk))
    assert figures(desk, moon.new_moon_ms(CYCLE + 1))["workload.half"] == 1
    assert not dues(desk)


def test_the_page_offers_free_places_and_shows_the_coming_shifts() -> None:
    desk = house()
    offered(desk)
    taken(desk, SHIFT)
    blocks = page(desk)
    assert {"Take part in “Mend the pump”", "Take part in “Kitchen”"} <= set(labels(blocks))
    (shifts,) = [block for block in blocks if isinstance(block, Timeline)]
    assert [(span.label, span.note) for span in shifts.spans] == [("Kitchen", "m")]


def test_a_large_group_is_told_in_bands_and_a_small_one_with_care() -> None:
    desk = worked([4] * 10 + [30] * 10 + [100] * 10 + [200] * 10 + [0])
    now_ms = BEGINS + 2 * DAY_MS
    bars = [block for block in page(desk, now_ms) if isinstance(block, Bars)]
    assert [bar.value for bar in bars[0].bars] == [1, 10, 10, 10, 10]
    assert not [block for block in page(desk, now_ms) if isinstance(block, Text) and "one illness" in block.text]
    few = worked([4, 4])
    assert [block for block in page(few, now_ms) if isinstance(block, Text) and "one illness" in block.text]


def test_people_stand_in_order_of_their_names() -> None:
    desk = house()
    for quarters, member in ((1, CY), (9, BO), (5, ADA)):
        note(desk, quarters, member)
    (bars, _) = [block for block in page(desk) if isinstance(block, Bars)]
    assert [(bar.label, bar.value) for bar in bars.bars] == [("m", 5), ("n", 9), ("o", 1)]


def test_past_cycles_are_drawn_without_the_one_that_runs() -> None:
    desk = worked([4, 8])
    note(desk, 6, crowd(2)[0], moon.new_moon_ms(CYCLE + 2) + DAY_MS)
    note(desk, 99, crowd(2)[0], moon.new_moon_ms(CYCLE + 3) + DAY_MS)
    (hours,) = [block for block in page(desk, moon.new_moon_ms(CYCLE + 3) + 2 * DAY_MS) if isinstance(block, Chart)]
    assert [value for _, value in hours.series[0].points] == [12, 0, 6]


def test_how_few_did_half_is_drawn_for_enough_people_alone() -> None:
    for people, drawn in ((2, False), (4, True)):
        desk = worked([4] * people)
        for cycle in (CYCLE + 1, CYCLE + 2):
            for member in crowd(people):
                note(desk, 4, member, moon.new_moon_ms(cycle) + DAY_MS)
        blocks = page(desk, moon.new_moon_ms(CYCLE + 3) + 2 * DAY_MS)
        half = [block for block in blocks if isinstance(block, Chart) and "half" in block.caption]
        said = [block.text for block in blocks if isinstance(block, Text) and "did half" in block.text]
        assert bool(half) == drawn
        assert len(said) == 1
        if drawn:
            assert {value for _, value in half[0].series[0].points} == {2}


def test_cycles_in_which_nobody_noted_anything_or_too_few_were_there_have_no_half() -> None:
    desk, people = worked([4, 4, 4]), crowd(5)
    for member in people[3:]:
        admit(desk, member, moon.new_moon_ms(CYCLE + 1))
    for cycle in (CYCLE + 1, CYCLE + 3):
        for member in people:
            note(desk, 4, member, moon.new_moon_ms(cycle) + DAY_MS)
    blocks = page(desk, moon.new_moon_ms(CYCLE + 4) + DAY_MS)
    (half,) = [block for block in blocks if isinstance(block, Chart) and "half" in block.caption]
    assert half.series[0].points == [(moon.new_moon_ms(CYCLE + 1), 3), (moon.new_moon_ms(CYCLE + 3), 3)]
    said = " ".join(block.text for block in blocks if isinstance(block, Text))
    assert "If it is 2, two people did half" in said
    assert "It does not say what would happen if they left" in said
    assert "is not told of cycles with fewer than 4: it would be about one person" in said


def named_group(desk: Desk, *members: bytes) -> None:
    """A group of the collective's, and who says that they count themselves to it."""
    desk.put(desk.meet(A), PUBLIC, GROUPS.put(Group(1, "night", A, "Who works at night", 0, FOREVER_MS)))
    for at, member in enumerate(members):
        desk.put(desk.meet(A), MEMBERS, BELONGINGS.put(Belonging(1, at, member, bytes([at]) * 32, "night")))


def shares_of_groups(desk: Desk, now_ms: int, audience: int = MEMBERS) -> list[list[tuple[str, int]]]:
    blocks = PRACTICE.page(desk.view(A, audience), now_ms)
    found = [block for block in blocks if isinstance(block, Bars) and "share of night" in block.caption]
    assert all(block.caption.startswith("Work of the last full cycle") for block in found)
    return [[(bar.label, bar.value) for bar in block.bars] for block in found]


AFTER = moon.new_moon_ms(CYCLE + 1) + DAY_MS


@pytest.mark.parametrize(("people", "told"), [(2, False), (3, True), (4, False)])
def test_hours_of_the_last_full_cycle_are_told_by_named_groups_that_are_large_enough(people: int, told: bool) -> None:
    desk = worked([8, 8, 8, 1, 1, 1])
    named_group(desk, *crowd(6)[:people])
    note(desk, 200, crowd(6)[5], AFTER)  # in the cycle that runs
    wanted = [[("of the members", 500), ("of the hours", 889)]] if told else []
    assert shares_of_groups(desk, AFTER) == wanted, "two, or all but two, would be about somebody"
    assert not shares_of_groups(desk, NOW), "nothing was noted in the cycle before"
    assert not shares_of_groups(desk, AFTER, PUBLIC), "who may not see members is told nothing of groups"


def test_a_group_is_large_enough_among_those_who_were_there_in_that_cycle() -> None:
    desk = worked([8, 8, 1, 1, 1])
    admit(desk, ADA, AFTER)
    named_group(desk, *crowd(5)[:2], ADA)
    assert not shares_of_groups(desk, AFTER), "of the three one came later, so it would be about two"
    note(desk, 8, ADA, BEGINS + DAY_MS)  # a guest then
    assert shares_of_groups(desk, AFTER) == [[("of the members", 500), ("of the hours", 889)]]


def test_tasks_done_are_told_by_named_groups_and_the_page_says_when_a_group_is_told_apart() -> None:
    desk, people = worked([1, 1, 1, 1, 1, 1]), crowd(6)
    named_group(desk, *people[:3])
    for member in (*people[:4], people[0]):
        write(desk, "task.done", Done(task=taken(desk, TASK, member), quarters=0), member)
    assert shares_of_groups(desk, AFTER) == [[("of the members", 500), ("of the hours", 500), ("of the tasks done", 800)]]
    rules = [block.text for block in page(desk, AFTER) if isinstance(block, Text) and TOLD_APART in block.text]
    assert len(rules) == 1
    assert "at least 3 members" in rules[0]
    assert not [block for block in page(worked([1])) if isinstance(block, Text) and TOLD_APART in block.text]


def test_the_page_of_a_task_has_what_can_be_done_and_a_shift_comes_again() -> None:
    desk = house()
    task = offered(desk, SHIFT)
    view = desk.view(A)
    before = list(PRACTICE.record(view, task, NOW))
    assert labels(before) == ["Take part", "Close it", "Offer it again, a week later"]
    again = [block for block in before if isinstance(block, Action)][-1]
    wanted = replace(SHIFT, starts_ms=(SHIFT.starts_ms or 0) + 7 * DAY_MS, ends_ms=(SHIFT.ends_ms or 0) + 7 * DAY_MS)
    assert from_flat(Offered, again.filled) == wanted
    write(desk, "task.taken", Taken(task))
    assert "My part is done" not in labels(list(PRACTICE.record(view, task, NOW)))
    assert "My part is done" in labels(list(PRACTICE.record(view, task, SHIFT.starts_ms or 0)))
    assert not list(PRACTICE.record(view, b"?" * 32, NOW))


def test_words_that_were_erased_leave_a_page_that_holds() -> None:
    desk = house()
    task = taken(desk, replace(SHIFT, title=""))
    write(desk, "swap.offered", SwapOffered(task))
    assert "A shift whose words were erased" in str(msgspec.json.encode(page(desk)), "utf-8")
    assert all(due.what for due in dues(desk))


def test_reading_a_house_with_many_hours_does_not_walk_through_them() -> None:
    desk = worked([4] * 30)
    desk.reads.clear()
    figures(desk, moon.new_moon_ms(CYCLE + 1))
    list(work_blocks.due(desk.view(A), NOW))
    walked = [(table, where) for how, table, where in desk.reads if how == "rows" and set(where) == {"space"}]
    assert not [table for table, _ in walked if table in (HOURS.name, TASKS.name, SEATS.name, SWAPS.name)]
