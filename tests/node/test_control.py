"""Verbs given to a node that runs: the same answers as without one, refusals included, and only for its owner."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node import control
from node.cli_ask import do
from node.cli_desk import silent
from node.commands import perform
from node.control import Answered, NotRunning, Say, ask
from node.home import Home


class Running:
    """A node that holds its folder open and answers on its socket, in a thread with an event loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self._up, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def start(self) -> None:
        self._thread.start()
        assert self._up.wait(10)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        home = Home.open(self.folder)

        async def do_it(verb: str, args: Any, say: Say) -> Any:
            self.asked.append(verb)
            if verb == "fail":
                raise ZeroDivisionError
            return await home.write(lambda: perform(home, verb, args, say))

        server = await control.serve(self.folder, do_it)
        self._up.set()
        await self._stop.wait()
        server.close()
        await server.wait_closed()
        control.leave(self.folder)
        home.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Home.found(tmp_path / "isle", "Harbour House", "Ada").close()
    return tmp_path / "isle"


@pytest.fixture
def running(folder: Path) -> Iterator[Running]:
    node = Running(folder)
    node.start()
    yield node
    node.end()


def test_a_running_node_answers_what_the_folder_would(folder: Path) -> None:
    alone = do(folder, "status", {}, silent)
    node = Running(folder)
    node.start()
    try:
        assert do(folder, "status", {}, silent) == alone
        assert node.asked == ["status"]
    finally:
        node.end()
    assert do(folder, "status", {}, silent) == alone
    assert not (folder / control.NAME).exists()


def test_refusals_come_through_with_their_sentence_and_code(running: Running) -> None:
    args = {"kind": "member.named", "flat": {"name": ""}}
    with pytest.raises(Answered, match="Name: this is missing") as refused:
        ask(running.folder, "record.add", args, silent)
    assert refused.value.code == 2


def test_progress_comes_before_the_answer(running: Running) -> None:
    told: list[tuple[str, Any]] = []
    answer = ask(running.folder, "rebuild", {}, lambda what, value: told.append((what, value)))
    assert answer["same"]
    assert told == [("progress", {"done": 2, "of": 2})]


def test_the_socket_is_for_its_owner_alone(running: Running) -> None:
    assert stat.S_IMODE((running.folder / control.NAME).stat().st_mode) == 0o600


def test_a_folder_deep_down_has_a_socket_too(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.parent.mkdir(parents=True)
    Home.found(deep, "Deep", "Ada").close()
    node = Running(deep)
    node.start()
    try:
        assert ask(deep, "status", {}, silent)["name"] == "Deep"
    finally:
        node.end()


def test_a_folder_held_by_a_process_that_does_not_answer_is_said(folder: Path) -> None:
    home = Home.open(folder)
    try:
        with pytest.raises(NotRunning, match="does not answer"):
            do(folder, "status", {}, silent)
    finally:
        home.close()


def test_garbage_on_the_socket_ends_that_connection_only(running: Running) -> None:
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(os.fspath(running.folder / control.NAME))
        wire.sendall(b"GET / HTTP/1.1\r\n")
        assert wire.recv(100) == b""
    assert ask(running.folder, "status", {}, silent)["state"] == "running"


def test_a_verb_of_another_release_is_refused(running: Running) -> None:
    with pytest.raises(Answered, match="frob"):
        ask(running.folder, "frob", {}, silent)
