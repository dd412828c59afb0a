"""The demo: its year holds by the rules of every kind, and three real processes arm a campaign together."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
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
from protocol.accounting import compared
from protocol.lineage import ADOPTIONS
from protocol.membership import members_at
from protocol.practice import PROBLEMS, View
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
    demo = subprocess.Popen(
        command(None, "demo", "--keep", str(tmp_path / "kept")), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
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
