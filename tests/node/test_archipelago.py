"""Nodes together: a campaign without its caller, an ally's records, and the same answers whoever asks whom first."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from node.clock import MovedClock
from node.health import campaigns_seen, seen_by
from protocol.moon import cycle_at
from protocol.page import Grid, Ref
from protocol.practices.links import allied
from protocol.standing import CALLS, Standing, standing
from tests.node.archipelago import Isle, archipelago

NOW = 1_790_000_040_000
DAY = 86_400_000


def terms(now_ms: int) -> dict[str, Any]:
    day = now_ms // 60_000 * 60_000
    return {
        "opens_ms": day + 3 * DAY,
        "crests_ms": day + 5 * DAY,
        "disperses_ms": day + 9 * DAY,
        "consolidates_ms": day + 15 * DAY,
        "rests_ms": day + 22 * DAY,
        "builds": "A tool library in the old depot",
        "roles": ["cooks"],
        "care": "Children eat first.",
    }


def call(isle: Isle, invited: list[Isle], quorum: int, now_ms: int) -> bytes:
    body = {
        "name": "Common kitchen",
        "why": "Whoever cooks for a crowd borrows pots from four houses, and so nobody cooks for a crowd.",
        "clears": "Borrowed pots",
        "invited": [each.home.space.hex() for each in invited],
        "quorum": quorum,
        "answers_until_ms": now_ms // 60_000 * 60_000 + 2 * DAY,
        "terms": terms(now_ms),
    }
    return isle.home.actions.submit("campaign.called/1", body, isle.key).digest


def join(isle: Isle, campaign: bytes, caller: Isle, now_ms: int) -> None:
    body = {"campaign": campaign.hex(), "caller": caller.home.space.hex(), "terms": terms(now_ms)}
    isle.home.actions.submit("campaign.joined/1", body, isle.key)


def stands(isle: Isle, campaign: bytes, now_ms: int) -> Standing:
    view = isle.home.view()
    (found,) = view.everywhere(CALLS, id=campaign)
    return standing(view, found, now_ms)


async def test_with_the_callers_node_gone_for_good_the_others_arm_run_and_close_the_campaign(tmp_path: Path) -> None:
    clock = MovedClock(NOW, running=False)
    async with archipelago(tmp_path, ("caller", "second", "third", "fourth"), clock) as (caller, second, third, fourth):
        campaign = call(caller, [caller, second, third, fourth], 3, clock.now_ms())
        clock.move(60_000)
        await second.sync(caller)
        await caller.stop()  # and never again
        called = clock.now_ms() - 60_000
        join(second, campaign, caller, called)
        for one, other in itertools.permutations((second, third, fourth), 2):  # third and fourth have the call from second
            await one.sync(other)
        join(third, campaign, caller, called)
        clock.move(60_000)
        for _ in range(2):
            for one, other in itertools.permutations((second, third, fourth), 2):
                await one.sync(other)
        told = [stands(isle, campaign, clock.now_ms()) for isle in (second, third, fourth)]
        assert told[0].armed and told[0] == told[1] == told[2]
        seen = [block for block in campaigns_seen(second.home, second.home.view(), clock.now_ms()) if isinstance(block, Grid)]
        clocks = {row[0].id: row[3] for row in seen[0].rows if isinstance(row[0], Ref)}
        assert clocks[second.home.space] == "ours" and clocks[third.home.space] == "within a second of ours"
        assert set(told[0].joined) == {caller.home.space, second.home.space, third.home.space}
        for days, phase in ((4, "open"), (6, "crest"), (10, "consolidation"), (17, "rest"), (23, "over")):
            phases = {stands(isle, campaign, NOW + days * DAY).phase for isle in (second, third, fourth)}
            assert phases == {phase}
        await caller.start()  # only so that closing what is closed is no error


async def test_records_for_allies_reach_them_alone_and_also_those_written_before_the_link(tmp_path: Path) -> None:
    clock = MovedClock(NOW, running=False)
    async with archipelago(tmp_path, ("one", "ally", "other"), clock) as (one, ally, other):
        booking = {
            "date": "2026-09-01",
            "memo": "PLANTED for allies",
            "postings": [
                {"account": "assets:cash", "amount": "-1.00", "currency": "EUR"},
                {"account": "expenses:food", "amount": "1.00", "currency": "EUR"},
            ],
        }
        placed = one.home.actions.submit("ledger.transaction-booked/1", booking, one.key, 1)
        for isle in (ally, other):
            await isle.sync(one)
            row = isle.home.store.rows(one.home.space, placed.position, placed.position + 1)[0]
            assert (row.digest, row.record, row.annex) == (placed.digest, None, None)
        link(one, ally, clock)
        link(ally, one, clock)
        await one.sync(ally)
        clock.move(60_000)
        await ally.sync(one)
        await other.sync(one)
        assert allied(ally.home.view(), clock.now_ms()) == {one.home.space}
        given = ally.home.store.rows(one.home.space, placed.position, placed.position + 1)[0]
        assert given.record is not None and given.annex is not None and b"PLANTED" in given.annex
        assert ally.home.store.find(placed.digest) is not None
        still = other.home.store.rows(one.home.space, placed.position, placed.position + 1)[0]
        assert still.record is None
        assert not any(b"PLANTED" in path.read_bytes() for path in other.home.folder.glob("node.db*"))
        assert one.home.log.root == ally.home.store.need(one.home.space).root == other.home.store.need(one.home.space).root


def link(one: Isle, other: Isle, clock: MovedClock) -> None:
    body = {
        "other": other.home.space.hex(),
        "terms": {"purpose": "Look after each other", "shares": "allies", "duties": [], "until_cycle": cycle_at(NOW) + 3},
    }
    one.home.actions.submit("link.offered/1", body, one.key)


async def test_a_witness_and_a_mirror_are_seen_on_the_page_of_the_log(tmp_path: Path) -> None:
    clock = MovedClock(NOW, running=False)
    async with archipelago(tmp_path, ("one", "two"), clock) as (one, two):
        await two.sync(one)
        await one.station.ask_witnesses()
        await one.sync(two)
        names = {each.name.rpartition("/")[2] for each in one.home.store.cosignatures(one.home.space)}
        assert names == {"witness", "mirror"}
        assert set(seen_by(one.home, one.home.space, 0)) == {two.home.space}
        assert one.home.status()["peers"][0]["size"] == two.home.log.size


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[:4])
async def test_whoever_asks_whom_first_the_same_tables_come_out(tmp_path: Path, order: tuple[int, ...]) -> None:
    clock = MovedClock(NOW, running=False)
    async with archipelago(tmp_path, ("a", "b", "c"), clock) as isles:
        campaign = call(isles[0], isles, 2, clock.now_ms())
        for isle in isles[1:]:
            join(isle, campaign, isles[0], clock.now_ms())
        for _ in range(2):
            for number in order:
                for other in isles:
                    if other is not isles[number]:
                        await isles[number].sync(other)
        told = {repr(stands(isle, campaign, clock.now_ms())) for isle in isles}
        assert len(told) == 1 and stands(isles[0], campaign, clock.now_ms()).armed
        for isle in isles:
            live = isle.home.store.tables.dump(isle.home.store.read_tables)
            isle.home.store.rebuild()
            assert isle.home.store.tables.dump(isle.home.store.read_tables) == live
