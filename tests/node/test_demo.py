"""The demo: its year holds by the rules of every kind, and three real processes arm a campaign together."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.request import urlopen

import pytest

from node.clock import Clock, MovedClock
from node.commands import fingerprints, perform
from node.demo_fill import PASSWORD, fill, logins
from node.demo_people import COLLECTIVES
from node.demo_world import DAY_MS, LAST
from node.failure import Misuse
from node.home import Home
from protocol import assembling, deciding, drawing, resting, terms, wires, working
from protocol.accounting import compared, day_at
from protocol.lineage import ADOPTIONS
from protocol.membership import members_at, name_of
from protocol.practice import FOREVER_MS, PROBLEMS, Refused, View, keys
from protocol.practices.residue import RESIDUES
from tests.node.process import alive, command


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Home]]:
    """The three data folders as the demo makes them."""
    folders = fill(tmp_path_factory.mktemp("demo"), Clock())
    opened = {key: Home.open(folder) for key, folder in folders.items()}
    yield opened
    for home in opened.values():
        home.close()


def view_of(home: Home) -> View:
    return home.store.view(home.space)


def test_the_year_leaves_no_problem_behind_and_replays_to_the_same_tables(homes: dict[str, Home]) -> None:
    for home in homes.values():
        assert view_of(home).all(PROBLEMS) == ()
        before = fingerprints(home)
        home.store.rebuild()
        assert fingerprints(home) == before


def test_the_year_is_about_a_year_long_and_ends_before_now(homes: dict[str, Home]) -> None:
    now_ms = Clock().now_ms()
    for home in homes.values():
        rows = home.store.rows(home.space, 0, home.log.size)
        logged = [row.logged * 60_000 for row in rows]
        assert logged == sorted(logged)
        assert now_ms - (LAST + 1) * DAY_MS <= logged[0]
        assert logged[-1] <= now_ms
        assert logged[-1] - logged[0] > 300 * DAY_MS
        assert home.log.size > 150


def test_it_tells_of_members_protocols_money_and_what_stayed(homes: dict[str, Home]) -> None:
    now_ms = Clock().now_ms()
    for each in COLLECTIVES:
        view = view_of(homes[each.key])
        assert len(members_at(view, now_ms)) > len(each.founders)
        assert len(view.all(ADOPTIONS)) >= 3
        assert any(row.origin != view.id for row in view.all(ADOPTIONS))
        assert len(view.all(RESIDUES)) >= 1
        latest = [row for row in compared(view) if row.latest]
        assert latest
        assert all(row.agrees for row in latest)


def named(view: View, members: Iterable[bytes]) -> list[str]:
    return [name_of(view, member) for member in members]


def stand(home: Home) -> dict[str, set[str]]:
    """Where each decision of a collective stands, by its title."""
    found: dict[str, set[str]] = {}
    for row in view_of(home).all(deciding.OUTCOMES):
        found.setdefault(row.title, set()).add(deciding.stands(row, home.clock.now_ms()))
    return found


def test_coordination_goes_round_with_the_moon_and_was_nobodys_for_one(homes: dict[str, Home]) -> None:
    home = homes["field"]
    view, now_ms = view_of(home), home.clock.now_ms()
    given = terms.terms_of(view, "coordination")
    assert len(given) == 10
    assert {term.chosen for term in given} == {"consent", "lot"}
    assert len({term.holder for term in given}) >= 4
    gaps = [after.since_ms - before.until_ms for before, after in pairwise(given)]
    assert sum(gap > 25 * DAY_MS for gap in gaps) == 1
    assert all(after.holder != before.holder for before, after in pairwise(given))
    assert given[-1].since_ms <= now_ms < given[-1].until_ms
    assert len([each for each in given[:-1] if drawing.standing(view, "shadow", each.id)]) == 9
    assert len(view.all(terms.NOTES)) >= 16
    assert len(view.all(terms.HANDOVERS)) >= 8
    assert [call.outcome for call in view.all(terms.CALLS)] == ["resume"]
    assert view.all(drawing.DECLINED)


def test_decisions_have_come_to_every_end_that_they_can_have(homes: dict[str, Home]) -> None:
    told = stand(homes["harbour"])
    assert told["Shoes off in the stairwell"] == {deciding.LAPSED}
    assert told["The attic is a guest room"] == {deciding.LAPSED}
    assert told["Forty a month for the kitchen"] == {deciding.ENDED}
    assert told["Open kitchen on Sundays"] == {deciding.ON_AGENDA}
    assert told["A dog may live here"] == {"objected to", deciding.IN_FORCE}
    for title in (
        "Laundry by the list, not by the nose",
        "We buy the house, together with other houses",
        "A heat pump in the cellar",
    ):
        assert told[title] == {deciding.IN_FORCE}
    rows = view_of(homes["harbour"]).all(deciding.OUTCOMES)
    assert {row.type for row in rows} == {"consent", "consensus", "advice", "majority", "gradients", "ranked"}
    assert {row.judged for row in rows} == {"", deciding.MET, deciding.END}
    assert {row.hidden for home in homes.values() for row in view_of(home).all(deciding.ROUNDS)} == {"open", "own", "close"}
    assert view_of(homes["harbour"]).all(deciding.THEORIES)
    assert view_of(homes["harbour"]).all(deciding.DISSENTS)


def test_who_books_is_the_treasurer_alone(homes: dict[str, Home]) -> None:
    home = homes["harbour"]
    view, now_ms = view_of(home), home.clock.now_ms()
    assert named(view, (term.holder for term in terms.terms_of(view, "treasurer"))) == ["Noor", "Ada"]
    body = {
        "date": day_at(now_ms), "memo": "A bulb",
        "postings": [
            {"account": "expenses:repairs", "amount": "3.00", "currency": "EUR"},
            {"account": "assets:bank", "amount": "-3.00", "currency": "EUR"},
        ],
    }  # fmt: skip
    with pytest.raises(Refused, match=r"belongs to the role “treasurer”|ended at"):
        home.actions.submit("ledger.transaction-booked/1", body, home.key_files.key("Noor"))


def test_too_much_on_one_pair_of_hands_opened_a_review_and_brought_rest(homes: dict[str, Home]) -> None:
    view = view_of(homes["lantern"])
    reviews = sorted(view.all(wires.REVIEWS), key=lambda row: row.cycle)
    assert len(reviews) == 2
    assert [row.closed_ms < FOREVER_MS for row in reviews] == [True, False]
    assert all(row.value > 400 for row in reviews)
    reporter = view.all(wires.REPORTS)[0].by
    assert reporter not in keys(reviews[0].concerned)
    (rest,) = view.all(resting.SABBATICALS)
    assert (name_of(view, rest.member), rest.reason) == ("Yara", resting.LOAD)
    assert rest.accepted_ms
    assert working.load(view, rest.cycle, homes["lantern"].clock.now_ms()).get(rest.member, 0) == 0
    assert len(view.all(resting.MENTORS)) == 1
    assert {bool(row.is_open(FOREVER_MS - 1)) for row in view.all(resting.DEPENDENCIES)} == {True, False}
    assert len(view.all(resting.DECOMPRESSIONS)) == 2
    assert len(view.all(resting.CELEBRATIONS)) >= 3


def test_each_has_roles_that_went_round_with_shadows_and_handovers_and_a_trip_wire(homes: dict[str, Home]) -> None:
    for home in homes.values():
        view, now_ms = view_of(home), home.clock.now_ms()
        (wire,) = wires.standing_wires(view)
        assert view.all(wires.NOTED, name=wire.figure)
        assert wire.figure == "workload.top-share" or not wires.reviews_of(view, wire.id), "the others hold their line"
        held = [row.role for row in terms.roles_at(view, now_ms) if terms.term_of(view, row.role, now_ms)]
        assert held
        for role in held:
            given = terms.terms_of(view, role)
            assert len({term.holder for term in given}) >= 2
            assert drawing.standing(view, "shadow", given[0].id)
            assert view.all(terms.HANDOVERS, term=given[0].id)
    host = terms.terms_of(view_of(homes["lantern"]), "host")
    assert {term.chosen for term in host} == {"consent", "lot"}


def test_something_is_open_in_each_for_who_comes_in(homes: dict[str, Home]) -> None:
    for key, home in homes.items():
        view, now_ms = view_of(home), home.clock.now_ms()
        rounds = deciding.open_rounds(view)
        assert rounds
        waiting = deciding.electorate(view, rounds[0], now_ms) - deciding.answered(view, rounds[0])
        assert set(logins()[key]) <= set(named(view, waiting))
        assert now_ms < rounds[0].closes_ms
        assert any(row.round is None for row in deciding.open_proposals(view, now_ms))
        ahead = assembling.next_assembly(view, now_ms)
        assert ahead is not None
        assert 0 < ahead.opens_ms - now_ms < 8 * DAY_MS
        assert assembling.shares(view, now_ms)
    for key, purpose in (("harbour", "shadow"), ("field", "role")):
        view, now_ms = view_of(homes[key]), homes[key].clock.now_ms()
        assert purpose in [row.purpose for row in drawing.undrawn(view) if drawing.phase(row, now_ms) == drawing.COMMIT]
    field = view_of(homes["field"])
    assert terms.term_of(field, "seed-keeper", homes["field"].clock.now_ms()) is None
    for key in ("lantern", "field"):
        shifts = working.open_tasks(view_of(homes[key]), homes[key].clock.now_ms())
        assert any(each.task.is_shift and each.free for each in shifts)


def test_the_clock_closed_every_round_and_drew_every_lot_at_its_true_moment(homes: dict[str, Home]) -> None:
    for home in homes.values():
        view, now_ms = view_of(home), home.clock.now_ms()
        for row in view.all(deciding.OUTCOMES):
            assert row.since_ms - row.closed_ms < 60_000
        under_way = {drawing.COMMIT, drawing.REVEAL, drawing.DRAWN}
        assert all(drawing.phase(row, now_ms) in under_way for row in view.all(drawing.LOTS))
        assert not home.store.database.writer.execute("SELECT * FROM away").fetchall()


@pytest.mark.parametrize("days", [7.1, 13.3, 22.9])
def test_the_year_can_be_told_on_any_day_of_the_moon(days: float, tmp_path: Path) -> None:
    now = MovedClock(Clock().now_ms() + int(days * DAY_MS), running=False)
    for folder in fill(tmp_path, now).values():
        home = Home.open(folder, now)
        assert view_of(home).all(PROBLEMS) == ()
        home.close()


def test_no_kit_is_left_and_the_logins_work(homes: dict[str, Home]) -> None:
    for key, names in logins().items():
        home = homes[key]
        assert not home.kit_folder.exists()
        account, signing = home.accounts.unlock(names[0], PASSWORD, Clock().now_ms())
        assert account.member == signing.public
        assert home.key_files.names() == list(names)


def test_three_processes_arm_a_campaign_and_leave_nothing_behind() -> None:
    ran = subprocess.run(
        command(None, "demo", "--once", "--json"),
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        stdin=subprocess.DEVNULL,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert len(told["nodes"]) == 3
    assert {each["campaign_state"] for each in told["nodes"]} == {"armed"}
    assert len({each["space"] for each in told["nodes"]}) == 3
    for each in told["nodes"]:
        heads = {space: {head["space"]: (head["size"], head["root"]) for head in held} for space, held in told["heads"].items()}
        assert {of[each["space"]] for of in heads.values()} == {(each["size"], each["root"])}, "all three hold the same head"
        assert told["cosignatures"][each["space"]]
        with pytest.raises(OSError):
            urlopen(each["url"], timeout=2)
    assert told["seconds"] > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_the_demo_ends_its_nodes_end_too(number: int, tmp_path: Path) -> None:
    started_behind = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]  # as a shell does: the interrupt is ignored at first
    demo = subprocess.Popen(
        [*started_behind, *command(None, "demo", "--keep", str(tmp_path / "kept"))], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert demo.stderr is not None
        while "Making them known" not in (line := demo.stderr.readline()):
            assert line, "the demo ended before its nodes were up"
        children = [int(each) for each in Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split()]
        assert len(children) == 3
        demo.send_signal(number)
        demo.communicate(timeout=30)
    finally:
        demo.kill()
        demo.communicate()
    until = time.monotonic() + 15
    while any(alive(child) for child in children):
        assert time.monotonic() < until, "a node of the demo is still there"
        time.sleep(0.05)


def test_the_clock_of_a_node_that_was_not_started_for_it_is_not_moved(tmp_path: Path) -> None:
    home = Home.found(tmp_path / "node", "Mill", "Ada")
    try:
        with pytest.raises(Misuse, match="no command moves"):
            perform(home, "clock.move", {"by_ms": 1}, lambda what, value: None)
    finally:
        home.close()


def test_a_movable_clock_goes_ahead_and_never_back(tmp_path: Path) -> None:
    home = Home.found(tmp_path / "node", "Mill", "Ada", MovedClock(1_790_000_000_000, running=False))
    try:
        told = perform(home, "clock.move", {"by_ms": 60_000}, lambda what, value: None)
        assert told == {"now_ms": 1_790_000_060_000}
        with pytest.raises(Misuse, match="ahead only"):
            perform(home, "clock.move", {"by_ms": -1}, lambda what, value: None)
    finally:
        home.close()
