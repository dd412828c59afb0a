"""Hours: noted by oneself, corrected in the open, and the figures that follow from them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from protocol import moon, working
from protocol.body import from_json
from protocol.membership import members_at
from protocol.practice import FOREVER_MS, MEMBERS, PUBLIC, SETTINGS, Refused, Setting
from protocol.wording import in_hours, shortened
from protocol.work_records import (
    Corrected,
    Done,
    Noted,
    Released,
    Taken,
)
from protocol.working import DAY_MS, HOUR_MS, HOURS, MOST_HOURS, MOST_IN_A_CYCLE
from tests.protocol.desk import Desk
from tests.protocol.work_house import (
    ADA,
    BEGINS,
    BO,
    CY,
    CYCLE,
    DEE,
    NOW,
    SHIFT,
    TASK,
    WORK,
    A,
    admit,
    crowd,
    figures,
    house,
    note,
    offered,
    refused,
    taken,
    worked,
    write,
)

# Hours


def test_hours_that_are_none_or_nobody_works_are_refused_in_words() -> None:
    desk = house()
    assert "0 is nothing to note" in refused(desk, "hours.noted", Noted(quarters=0, category="care"))
    assert "less than nothing" in refused(desk, "hours.noted", Noted(quarters=-4, category="care"))
    assert "60.25 hours in one record" in refused(desk, "hours.noted", Noted(quarters=241, category="care"))
    assert "an hour is 4" in refused(desk, "hours.noted", Noted(quarters=10**9, category="care"))
    task = taken(desk)
    assert "less than nothing" in refused(desk, "task.done", Done(task=task, quarters=-1))
    assert "in one record" in refused(desk, "task.done", Done(task=task, quarters=10**9))
    for quarters in (-1, 10**9, "x", None):
        with pytest.raises(Refused, match="Quarter hours"):
            from_json(Noted, {"quarters": quarters, "category": "care"})
    note(desk, 240)


def test_nobody_notes_more_than_sixteen_hours_a_day_in_a_cycle() -> None:
    desk = house()
    for _ in range(MOST_IN_A_CYCLE // 240):
        note(desk, 240)
    assert "480 hours in one cycle" in refused(desk, "hours.noted", Noted(quarters=1, category="care"))
    note(desk, 240, BO)
    note(desk, 240, ADA, moon.new_moon_ms(CYCLE + 1))


def test_a_correction_adds_the_difference_only_to_what_was_noted_in_a_cycle() -> None:
    desk = house()
    for _ in range(7):
        note(desk, 240)
    last = note(desk, 200)
    write(desk, "hours.corrected", Corrected(hours=last, quarters=240))
    assert working.noted(desk.view(A), ADA, CYCLE) == MOST_IN_A_CYCLE
    write(desk, "hours.corrected", Corrected(hours=last, quarters=1))
    note(desk, 239)
    assert "480 hours in one cycle" in refused(desk, "hours.corrected", Corrected(hours=last, quarters=2))


def test_a_protocol_sets_how_much_one_record_may_note() -> None:
    desk = house()
    desk.put(desk.meet(A), PUBLIC, SETTINGS.put(Setting(1, b"p" * 32, MOST_HOURS.name, 0, 1, 0, FOREVER_MS)))
    assert "the 1 hour that" in refused(desk, "hours.noted", Noted(quarters=5, category="care"))
    note(desk, 4)


def test_a_correction_is_ones_own_names_what_it_corrects_and_leaves_it_readable() -> None:
    desk = house()
    first = note(desk, 40)
    assert "somebody else's hours" in refused(desk, "hours.corrected", Corrected(hours=first, quarters=4), BO)
    assert "stand at 10 hours already" in refused(desk, "hours.corrected", Corrected(hours=first, quarters=40))
    assert "no such hours" in refused(desk, "hours.corrected", Corrected(hours=b"?" * 32, quarters=1))
    assert "in one record" in refused(desk, "hours.corrected", Corrected(hours=first, quarters=999))
    assert "same audience" in refused(desk, "hours.corrected", Corrected(hours=first, quarters=1), audience=MEMBERS)
    second = write(desk, "hours.corrected", Corrected(hours=first, quarters=4))
    write(desk, "hours.corrected", Corrected(hours=second, quarters=6))
    rows = sorted(desk.view(A).all(HOURS), key=lambda row: row.position)
    assert [row.quarters for row in rows] == [40, -36, 2]
    assert working.load(desk.view(A), CYCLE, NOW) == {ADA: 6}
    write(desk, "hours.corrected", Corrected(hours=first, quarters=0))
    assert working.load(desk.view(A), CYCLE, NOW) == {}


def test_a_correction_asks_for_reasons_when_it_is_written() -> None:
    with pytest.raises(Refused, match="Reasons: this is missing"):
        from_json(Corrected, {"hours": "00" * 32, "quarters": 1})


def test_a_correction_counts_in_the_cycle_of_what_it_corrects_from_when_it_was_written() -> None:
    desk, after = house(), moon.new_moon_ms(CYCLE + 1)
    first = note(desk, 40)
    write(desk, "hours.corrected", Corrected(hours=first, quarters=8), at_ms=after + DAY_MS)
    view = desk.view(A)
    assert working.load(view, CYCLE, after) == {ADA: 40}
    assert working.load(view, CYCLE, after + DAY_MS) == {ADA: 8}
    assert working.load(view, CYCLE, after + 40 * DAY_MS) == {ADA: 8}
    assert working.load(view, CYCLE + 1, after + 40 * DAY_MS) == {}


@pytest.mark.parametrize(
    ("quarters", "told"),
    [(0, "0 hours"), (1, "0.25 hours"), (4, "1 hour"), (6, "1.5 hours"), (5000, "1,250 hours"), (-5, "-1.25 hours")],
)
def test_quarter_hours_are_told_in_hours(quarters: int, told: str) -> None:
    assert in_hours(quarters) == told


# Figures


def test_figures_of_the_worked_example_of_chaoss() -> None:
    found = figures(worked(WORK), moon.new_moon_ms(CYCLE + 1))
    assert {name: value for name, value in found.items() if name.startswith("workload.")} == {
        "workload.top-share": 404,
        "workload.half": 2,
        "workload.idle": 0,
        "workload.gini": 5549,
        "workload.hours": 2475,
        "workload.change": 1000,
        "workload.tasks": 0,
        "workload.tasks-idle": len(WORK),
        "workload.tasks-change": 0,
    }


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], {"hours": 0, "change": 0, "idle": 0}),
        ([0, 0, 0], {"hours": 0, "change": 0, "idle": 3}),
        ([7], {"hours": 7, "change": 1000, "idle": 0, "top-share": 1000, "half": 1}),
        ([5, 5], {"hours": 10, "change": 1000, "idle": 0, "top-share": 500, "half": 1, "gini": 0}),
        ([8, 0], {"hours": 8, "change": 1000, "idle": 1, "top-share": 1000, "half": 1, "gini": 10_000}),
    ],
)
def test_figures_of_nobody_of_one_of_two_and_of_nothing(values: list[int], told: dict[str, int]) -> None:
    found = figures(worked(values), moon.new_moon_ms(CYCLE + 1))
    workload = {name.removeprefix("workload."): value for name, value in found.items() if name.startswith("workload.")}
    assert workload == {"tasks": 0, "tasks-change": 0, "tasks-idle": len(values), **told}


def test_figures_of_a_past_cycle_end_are_the_same_whenever_they_are_asked() -> None:
    desk, end = worked([40, 20, 20]), moon.new_moon_ms(CYCLE + 1)
    people = crowd(3)
    then = figures(desk, end)
    first = next(row.id for row in desk.view(A).all(HOURS) if row.member == people[0])
    write(desk, "hours.corrected", Corrected(hours=first, quarters=1), people[0], end + DAY_MS)
    note(desk, 200, people[1], end)
    offered(desk, replace(TASK, ends_ms=end + 9 * DAY_MS), at_ms=end + DAY_MS)
    admit(desk, BO, end + DAY_MS)
    assert figures(desk, end) == then
    assert figures(desk, end - 1)["workload.top-share"] == then["workload.top-share"] == 500
    assert figures(desk, end + DAY_MS)["workload.top-share"] == 488  # 20 of 41


def test_work_that_has_just_begun_to_be_noted_says_nothing_of_how_it_is_shared() -> None:
    desk = worked([10, 10, 10])
    note(desk, 200, crowd(3)[0], moon.new_moon_ms(CYCLE + 1) + HOUR_MS)
    assert figures(desk, moon.new_moon_ms(CYCLE + 1) + 2 * HOUR_MS)["workload.top-share"] == 333


def test_who_came_in_the_middle_of_a_cycle_is_not_idle_in_it_and_who_left_counts_if_they_worked() -> None:
    desk = worked([10, 10])
    admit(desk, CY, BEGINS + 10 * DAY_MS)
    admit(desk, DEE, 0, BEGINS + 10 * DAY_MS)
    note(desk, 20, DEE, BEGINS + DAY_MS)
    found = figures(desk, moon.new_moon_ms(CYCLE + 1))
    assert (found["workload.idle"], found["workload.hours"]) == (0, 40)


def test_the_change_of_hours_is_of_one_full_cycle_to_the_next() -> None:
    desk = worked([40, 40])
    note(desk, 60, crowd(2)[0], moon.new_moon_ms(CYCLE + 1) + DAY_MS)
    assert figures(desk, moon.new_moon_ms(CYCLE + 2))["workload.change"] == -250
    assert figures(desk, moon.new_moon_ms(CYCLE + 3))["workload.change"] == -1000


def finished(desk: Desk, member: bytes, at_ms: int, **more: Any) -> None:
    """Somebody takes a task, and says at once that it is done."""
    task = offered(desk, replace(TASK, **more) if more else TASK, at_ms=min(at_ms, NOW))
    write(desk, "task.taken", Taken(task), member, min(at_ms, NOW))
    write(desk, "task.done", Done(task=task, quarters=0), member, at_ms)


def test_tasks_done_are_figures_too_with_no_share_where_very_few_were_done() -> None:
    desk, end = house(), moon.new_moon_ms(CYCLE + 1)
    for _ in range(4):
        finished(desk, ADA, NOW)
    found = figures(desk, end)
    assert (found["workload.tasks"], found["workload.hours"]) == (4, 0), "a task of no hours counts as one"
    assert not {"workload.tasks-top-share", "workload.tasks-half"} & found.keys()
    finished(desk, BO, end - HOUR_MS)
    taken(desk, TASK, CY)  # and not done
    found = figures(desk, end)
    names = ("workload.tasks", "workload.tasks-top-share", "workload.tasks-half")
    assert [found[name] for name in names] == [5, 800, 1]
    there = {row.member for row in members_at(desk.view(A), end - 1) if (row.admitted_ms or 0) <= moon.new_moon_ms(CYCLE)}
    assert found["workload.tasks-idle"] == len(there - {ADA, BO}), "somebody who came in that cycle is not counted as idle"
    assert found["workload.tasks-change"] == 1000
    assert figures(desk, NOW)["workload.tasks"] == 0, "they are of the last full cycle"
    later = figures(desk, moon.new_moon_ms(CYCLE + 2))
    assert (later["workload.tasks"], later["workload.tasks-change"]) == (0, -1000)


def test_each_part_of_a_task_counts_when_it_was_said_to_be_done_however_far_its_end() -> None:
    desk = house()
    shift = offered(desk, SHIFT)
    for member in (ADA, BO):
        write(desk, "task.taken", Taken(shift), member)
        write(desk, "task.done", Done(task=shift, quarters=4), member, SHIFT.starts_ms or 0)
    finished(desk, CY, NOW, ends_ms=NOW + 400 * DAY_MS)  # long before its day
    late, later = moon.new_moon_ms(CYCLE + working.LATE_CYCLES) + DAY_MS, moon.new_moon_ms(CYCLE + 4) + DAY_MS
    finished(desk, CY, late)
    finished(desk, CY, later)
    view = desk.view(A)
    assert working.tasks_done(view, CYCLE, later) == {ADA: 1, BO: 1, CY: 1}
    assert working.tasks_done(view, CYCLE, NOW) == {CY: 1}, "as it was then"
    assert working.tasks_done(view, CYCLE + working.LATE_CYCLES, later) == {CY: 1}
    assert working.tasks_done(view, CYCLE + 4, later) == {}, "so late it counts nowhere"


def test_open_tasks_are_counted_as_they_were() -> None:
    desk = house()
    task = offered(desk)
    offered(desk, SHIFT)
    assert figures(desk, NOW)["work.open-tasks"] == 2
    write(desk, "task.taken", Taken(task), BO, NOW + HOUR_MS)
    assert figures(desk, NOW + HOUR_MS)["work.open-tasks"] == 1
    write(desk, "task.released", Released(task), BO, NOW + 2 * HOUR_MS)
    assert figures(desk, NOW + 3 * DAY_MS)["work.open-tasks"] == 1  # the shift is over
    assert [figures(desk, NOW + hours * HOUR_MS)["work.open-tasks"] for hours in (0, 1, 2)] == [2, 1, 2]


@pytest.mark.parametrize(
    ("text", "most", "told"),
    [
        ("Nothing happened; it could have.", 40, "Nothing happened; it could have."),
        ("Nothing happened; it could have.", 12, "Nothing…"),
        ("Nothing happened; it could have.", 18, "Nothing happened…"),
        ("Donaudampfschifffahrt", 10, "Donaudamp…"),
    ],
)
def test_a_text_that_is_too_long_ends_at_a_word(text: str, most: int, told: str) -> None:
    assert shortened(text, most) == told
    assert len(told) <= most
