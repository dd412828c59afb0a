"""A node as a process: it answers commands while it runs, links with others, and ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node import control
from node.home import Home
from tests.node.process import Process, answer, command, ran

BREAD = [
    "--date", "2026-03-14", "--memo", "Flour",
    "--postings", "account=assets:cash amount=-12.50 currency=EUR",
    "--postings", "account=expenses:food amount=12.50 currency=EUR",
]  # fmt: skip
Start = Callable[[str], Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Found a node and start it; all are ended after the test."""
    running: list[Process] = []

    def go(name: str) -> Process:
        if not (tmp_path / name).exists():
            Home.found(tmp_path / name, name.title(), "Ada").close()
        running.append(Process(tmp_path / name, "--sweep", "2"))
        return running[-1]

    yield go
    for each in running:
        if each.process.poll() is None:
            each.end(signal.SIGKILL)


def test_commands_reach_the_running_node_and_it_ends_cleanly(start: Start) -> None:
    node = start("harbour")
    added = answer(node.folder, "record", "add", "ledger.transaction-booked", *BREAD)
    assert answer(node.folder, "record", "show", added["digest"])["body"]["memo"] == "Flour"
    assert answer(node.folder, "status")["size"] == 3
    refused = ran(node.folder, "record", "add", "ledger.transaction-booked", "--date", "2026-03-14")
    assert (refused.returncode, refused.stderr.startswith("Postings")) == (2, True)
    assert stat.S_IMODE((node.folder / control.NAME).stat().st_mode) == 0o600
    assert answer(node.folder, "rebuild")["same"]
    assert json.loads(ran(node.folder, "export", "--format", "json").stdout)["size"] == 3
    assert node.end(signal.SIGINT) == 0
    assert not (node.folder / control.NAME).exists()
    assert answer(node.folder, "status")["size"] == 3
    assert "Flour" not in node.said


def test_a_second_node_on_the_same_folder_or_port_is_refused(start: Start, tmp_path: Path) -> None:
    node = start("harbour")
    again = ran(node.folder, "run", "--port", "0")
    assert again.returncode == 1
    assert "already" in again.stderr
    Home.found(tmp_path / "other", "Other", "Bo").close()
    taken = ran(tmp_path / "other", "run", "--port", node.url.rpartition(":")[2])
    assert taken.returncode == 1
    assert "--port" in taken.stderr
    assert answer(node.folder, "status")["state"] == "running"


def test_two_nodes_find_each_other_by_invitation_and_link(start: Start) -> None:
    harbour, lantern = start("harbour"), start("lantern")
    invitation = answer(harbour.folder, "invite", "--peer", "--url", harbour.url)["invitation"]
    added = answer(lantern.folder, "peers", "add", invitation, "--ally", "--mirror", "--witness")
    assert (added["space"], added["link"]) == (harbour.space, "offered")
    accepted = answer(harbour.folder, "peers", "add", lantern.url, "--trust", lantern.space, "--ally", "--mirror", "--witness")
    assert accepted["link"] == "accepted"
    digest = answer(harbour.folder, "record", "add", "ledger.transaction-booked", *BREAD)["digest"]
    (report,) = answer(lantern.folder, "sync", "Harbour")
    assert report["round_trips"] >= 1
    assert report["bytes"] > 0
    assert answer(lantern.folder, "record", "show", digest)["space"] == harbour.space
    root = answer(harbour.folder, "status")["root"]
    (peer,) = answer(lantern.folder, "peers", "list")
    assert peer["standing"] == ["follow", "ally", "mirror", "witness"]
    assert [each["digest"] for each in answer(lantern.folder, "log", "show", "--space", harbour.space)][-1] == digest
    assert root == answer(harbour.folder, "status")["root"]
    assert answer(lantern.folder, "peers", "remove", "Harbour")["space"] == harbour.space
    assert answer(lantern.folder, "peers", "list") == []


def test_news_travel_without_anybody_asking(start: Start) -> None:
    harbour, lantern = start("harbour"), start("lantern")
    for one, other in ((harbour, lantern), (lantern, harbour)):
        answer(one.folder, "peers", "add", other.url, "--trust-first-use")
    digest = answer(harbour.folder, "record", "add", "ledger.transaction-booked", *BREAD)["digest"]
    until = time.monotonic() + 30
    while ran(lantern.folder, "record", "show", digest).returncode:
        assert time.monotonic() < until, "the record did not arrive"


def test_an_address_is_trusted_by_nobody_but_whoever_adds_it(start: Start, tmp_path: Path) -> None:
    harbour, lantern = start("harbour"), start("lantern")
    asked = ran(lantern.folder, "peers", "add", harbour.url)
    assert asked.returncode == 2
    assert harbour.space in asked.stderr
    wrong = ran(lantern.folder, "peers", "add", harbour.url, "--trust", lantern.space)
    assert wrong.returncode == 2
    assert "Nothing was added" in wrong.stderr
    other = f"archipelago:link:{lantern.space.removeprefix('isle:')}@{harbour.url}"
    assert "do not trust" in ran(harbour.folder, "peers", "add", other).stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = ran(lantern.folder, "peers", "add", f"http://127.0.0.1:{free.getsockname()[1]}", "--trust-first-use")
    assert nobody.returncode == 1
    assert answer(lantern.folder, "peers", "list") == []


def test_peers_and_sync_work_while_our_own_node_does_not_run(start: Start, tmp_path: Path) -> None:
    harbour = start("harbour")
    home = tmp_path / "lantern"
    Home.found(home, "Lantern", "Ines").close()
    answer(home, "peers", "add", harbour.url, "--trust", harbour.space)
    digest = answer(harbour.folder, "record", "add", "ledger.transaction-booked", *BREAD)["digest"]
    (report,) = answer(home, "sync")
    assert report["records"] == 1
    assert answer(home, "record", "show", digest)["body"]["memo"] == "Flour"
    harbour.end()
    gone = ran(home, "sync", "Harbour")
    assert gone.returncode == 1
    assert "did not answer" in gone.stderr


def test_a_node_comes_back_after_being_killed(start: Start) -> None:
    node = start("harbour")
    digest = answer(node.folder, "record", "add", "ledger.transaction-booked", *BREAD)["digest"]
    node.end(signal.SIGKILL)
    assert (node.folder / control.NAME).exists()  # what a dead node leaves is in nobody's way
    assert answer(node.folder, "record", "show", digest)["position"] == 2
    again = start("harbour")
    assert answer(again.folder, "status")["size"] == 3


def test_a_tied_node_ends_with_its_standard_input(tmp_path: Path) -> None:
    Home.found(tmp_path / "isle", "Isle", "Ada").close()
    tied = subprocess.Popen(
        command(tmp_path / "isle", "run", "--port", "0", "--tied"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert tied.stdout is not None
    assert "Isle is at" in tied.stdout.readline()
    tied.communicate(timeout=15)
    assert tied.returncode == 0
    assert not os.path.exists(tmp_path / "isle" / control.NAME)
