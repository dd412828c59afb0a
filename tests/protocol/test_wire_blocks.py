"""What pages and dues say of trip wires and reviews, from the first wire to the closed review."""

from __future__ import annotations

from typing import Any

import pytest

from node.twin import twin
from protocol import figure
from protocol.page import Action, Chart, Grid
from protocol.practices import tripwires
from protocol.practices.tripwires import ReviewAccepted, WireSet
from protocol.wire_blocks import with_live
from protocol.wires import (
    DAY_MS,
    open_reviews,
)
from tests.protocol.wire_house import PRACTICE, House


def test_what_is_due_follows_the_review_from_the_lot_to_the_decision() -> None:
    house = House()
    review = house.tripped(house.set(cycles=1))
    wire = "workload.top-share above 400"
    said = [what.replace("Share of the busiest above 40 %", wire) for what, _ in house.due()]
    assert len(said) == 1
    assert said[0].startswith("Draw by lot who reports on")
    house.draw(review, 3, 4)
    own, everybody = house.due()
    assert own[0].startswith("You were drawn to report on")
    assert own[1] == house.members[3]
    assert everybody[0].startswith("A review is open on")
    assert everybody[1] is None
    house.world.now_ms = review.report_by_ms
    ((waits, who),) = house.due()
    assert waits.startswith("A review waits for somebody's report")
    assert who is None
    assert not house.report(review, 3)
    ((decide, who),) = house.due()
    assert decide.startswith("Decide on the report about")
    assert not house.decide("review.accepted/1", ReviewAccepted(house.last()))
    assert house.due() == []


def test_the_page_tells_a_wire_its_figures_and_its_reviews_as_a_story() -> None:
    house = House()
    assert "No figure is watched yet" in house.page()
    wire = house.set("members.count", "below", 6, 2, who=[1])
    assert "Members below 6 for 2 cycles" in house.page()
    assert "waits for a new moon" in house.page()
    for _ in range(2):
        assert not house.note(house.next_moon(), members__count=5)
    assert "review open" in house.page()
    assert "waits for the lot" in house.page()
    (review,) = open_reviews(house.view)
    house.draw(review, 3)
    assert "being looked at" in house.page()
    assert not house.report(review, 3)
    report = house.last()
    assert "waits for your decision" in house.page()
    assert not house.decide("review.accepted/1", ReviewAccepted(report))
    page = house.page()
    assert "Reviews closed" in page
    assert "past it, counted anew" in page
    charts = [block for block in PRACTICE.page(house.view, house.world.now_ms) if isinstance(block, Chart)]
    assert [len(chart.series[0].points) for chart in charts] == [2]
    for digest, words in (
        (wire.id, "Members below 6 for 2 cycles"),
        (review.record, "Wire tripped"),
        (report, "Accepted report"),
    ):
        told = house.said(list(PRACTICE.record(house.view, digest, house.world.now_ms)))
        assert words.replace("Wire tripped", "Tripped at the new moon") in told
    assert list(PRACTICE.record(house.view, bytes(32), house.world.now_ms)) == []


@pytest.mark.parametrize(
    ("name", "number", "values", "told"),
    [
        ("workload.top-share", 405, (589, 404), ("58.9 %", "40.4 %", "40.5 %")),
        ("workload.hours", 50, (50, 3), ("12.5 hours", "0.75 hours", "12.5 hours")),
        ("ledger.reserve-lasts-tenths", 5, (69, 4), ("6.9", "0.4", "0.5")),
        ("members.count", 5, (5, 1), ("5", "1", "5")),
    ],
)
def test_a_chart_of_a_figure_says_what_the_figure_says(
    name: str, number: int, values: tuple[int, int], told: tuple[str, str, str]
) -> None:
    house = House()
    house.set(name, "above", number, 3)
    for value in values:
        noted: dict[str, Any] = {"members__count": 7, name.replace(".", "__").replace("-", "_"): value}
        assert not house.note(house.next_moon(), **noted)
    (chart,) = [block for block in PRACTICE.page(house.view, house.world.now_ms) if isinstance(block, Chart)]
    rows = twin(chart).rows
    assert [row[1] for row in rows] == list(told[:2])
    assert {row[2] for row in rows} == {told[2]}
    assert [figure.spoken(name, value) for value in (*values, number)] == list(told)


def test_a_report_can_be_begun_from_the_page_only_by_somebody_who_may_give_it() -> None:
    house = House()
    review = house.tripped(house.set())

    def kinds() -> list[str]:
        return [block.kind for block in PRACTICE.page(house.view, house.world.now_ms) if isinstance(block, Action)]

    assert "review.reported/1" not in kinds()
    assert "lot.opened/1" in kinds()
    house.draw(review, 3)
    assert "review.reported/1" in kinds()
    assert "lot.opened/1" not in kinds()
    assert "review.accepted/1" not in kinds()
    assert not house.report(review, 3)
    assert "review.accepted/1" in kinds()


@pytest.mark.parametrize(
    ("quarters", "said", "who"),
    [
        ((8, 4, 4, 4), "they neither look into it nor vote on the report", ""),
        ((8, 4), "everybody votes on the report", "Any member whom it does not concern can report"),
        ((4, 4), "It concerns everybody here, so nobody is set aside", "Any member can report"),
    ],
)
def test_the_page_of_a_review_says_who_is_set_aside_and_why(quarters: tuple[int, ...], said: str, who: str) -> None:
    house = House(len(quarters))
    house.work(*quarters)
    wire = house.set()
    assert "set aside" not in house.page()
    review = house.tripped(wire)
    told = house.said(list(PRACTICE.record(house.view, review.record, house.world.now_ms)))
    assert "as the figure measures them" in told
    assert said in told
    assert who in told


def test_a_review_that_concerns_nobody_or_is_closed_sets_nobody_aside() -> None:
    house = House(people=2)
    house.tripped(house.set())  # no hours are noted, so the figure measures nobody
    assert "Concerns" not in house.page()
    assert "set aside" not in house.page()
    house = House(people=2)
    house.work(8, 4)
    review = house.tripped(house.set())
    assert "votes on the report" in house.page()
    house.close(review)
    told = house.said(list(PRACTICE.record(house.view, review.record, house.world.now_ms)))
    assert "as the figure measures them" in told
    assert "votes on the report" not in told


def test_live_figures_stand_with_their_meaning_and_the_gini_never_alone() -> None:
    house = House()
    house.set("members.count", "below", 7)
    told = house.said(list(with_live(house.view, {"members.count": 6, "workload.gini": 5549}, house.world.now_ms)))
    assert "Members 6 ! past its wire" in told
    grids = [block for block in with_live(house.view, {"members.count": 6}, house.world.now_ms) if isinstance(block, Grid)]
    assert [(grid.caption, grid.folded) for grid in grids] == [("Under a wire", False), ("Members", True)]
    assert "Not shown to a group of this size: Inequality of work" in told
    assert "5549" not in told
    assert "0.5549" not in told


def test_figures_and_summary_count_wires_and_reviews() -> None:
    house = House()
    house.set()
    house.moon(900)
    house.world.now_ms += 3 * DAY_MS
    assert PRACTICE.figures(house.view, house.world.now_ms) == {
        "wires.standing": 1,
        "wires.reviews-open": 1,
        "wires.oldest-review-days": 3,
    }
    assert PRACTICE.state(house.view, house.world.now_ms) == {"wires": 1, "reviews_open": 1}


def test_a_number_that_always_or_never_trips_is_said_before_the_wire_is_set() -> None:
    house = House()

    def advice(body: WireSet) -> str:
        return tripwires.advise_wire(house.view, body)

    assert advice(WireSet("ledger.largest-funder-percent", "above", 60)) == ""
    assert "trip never" in advice(WireSet("ledger.largest-funder-percent", "above", 600))
    assert "trip always" in advice(WireSet("ledger.largest-funder-percent", "below", 600))
    assert "Do you mean ledger.reserve" in advice(WireSet("ledger.reserves", "below", 600))


def test_a_page_of_wires_shows_a_table_of_what_their_figures_mean() -> None:
    house = House()
    house.set("members.count", "below", 3)
    (grid,) = [
        block
        for block in PRACTICE.page(house.view, house.world.now_ms)
        if isinstance(block, Grid) and block.caption == "What these figures mean"
    ]
    assert [row[0] for row in grid.rows] == ["Members"]
