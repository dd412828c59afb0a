"""Real nodes for the browser's tests: data folders filled by the demo's own year, each served by a process of its own.

- `harbour`, `lantern` and `field` have a year behind them, as `make run` shows it; `empty` was founded a minute ago.
- They are started as anybody starts one: ``archipelago run``, on a free port, and linked by ``archipelago peers add``.
- A session is made before the start, so that only the tests of logging in pay for the slow password.

Example::

    with running({"harbour": (folder / "harbour", sessions(folder / "harbour"))}) as isles:
        isles["harbour"].url
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from node.clock import Clock
from node.demo_fill import PASSWORD, fill
from node.home import Home
from protocol.keys import SigningKey

STANDING = ("--ally", "--mirror", "--witness")


class Isle(Struct, frozen=True):
    """One running node and who can log in there."""

    name: str
    folder: Path
    url: str
    space: str
    sessions: dict[str, str]  # the cookie of a session that is open, by login

    @property
    def member(self) -> str:
        """The login of its first member."""
        return next(iter(self.sessions))

    def run(self, *args: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Give a command to this node."""
        return command(self.folder, *args, given=given)

    def asked(self, *args: str) -> Any:
        """What a command answers as JSON."""
        ran = self.run(*args, "--json")
        assert ran.returncode == 0, f"archipelago {' '.join(args)}: {ran.stderr or ran.stdout}"
        return json.loads(ran.stdout)


def command(folder: Path, *args: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line as a program."""
    line = [sys.executable, "-m", "node.cli", "-C", str(folder), *args]
    return subprocess.run(line, input=given, capture_output=True, text=True, check=False, timeout=60)


# Filling


def year(folder: Path) -> dict[str, dict[str, str]]:
    """The demo's three collectives with their year, in folders by their keys; the sessions of those who can log in."""
    return {key: sessions(path) for key, path in fill(folder, Clock()).items()}


def bare(folder: Path, name: str, member: str) -> dict[str, str]:
    """A space founded just now, and the session of its one member."""
    home = Home.found(folder, name, member)
    try:
        key = home.key_files.key()
        home.accounts.create(member, PASSWORD, key.public, key, home.clock.random(40), home.clock.now_ms())
    finally:
        home.close()
    return sessions(folder)


def sessions(folder: Path) -> dict[str, str]:
    """A session for everybody who can log in to the node in this folder, and for `Passing`, who is no member."""
    home = Home.open(folder)
    try:
        passing = SigningKey(home.clock.random(32))
        keys, now_ms = {key.public: key for key in map(home.key_files.key, home.key_files.names())}, home.clock.now_ms()
        keys[passing.public] = passing
        home.accounts.create("Passing", PASSWORD, passing.public, passing, home.clock.random(40), now_ms)
        return {
            account.login: home.accounts.begin(account, keys[account.public], home.clock.random(72), now_ms)
            for account in home.accounts.all()
        }
    finally:
        home.close()


# Running


@contextmanager
def running(folders: dict[str, tuple[Path, dict[str, str]]], *options: str) -> Iterator[dict[str, Isle]]:
    """Start a process for each folder, with these options of `run`, wait until all are there, and end them all afterwards."""
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        for name, (folder, _) in folders.items():
            processes[name] = _start(folder, options)
        yield {
            name: Isle(name, folder, **_address(processes[name], folder), sessions=known)
            for name, (folder, known) in folders.items()
        }
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for process in processes.values():
            _end(process)


def _start(folder: Path, options: Sequence[str] = ()) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "node.cli", "-C", str(folder), "run", "--port", "0", "--allow", "127.0.0.0/8", "--json"]
    line += options
    with _log(folder).open("w") as log:
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True)


def _log(folder: Path) -> Path:
    return folder.with_suffix(".log")


def _address(process: subprocess.Popen[str], folder: Path) -> dict[str, str]:
    """What a node says once it is there."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the node did not start: {_log(folder).read_text()[-2000:]}"
    told = json.loads(line)
    return {"url": told["url"], "space": told["space"]}


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
    if process.stdout is not None:
        process.stdout.close()


def until(holds: Callable[[], Any], what: str, seconds: float = 15.0) -> Any:
    """Wait until something holds; what it gave."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.05)


def link(isles: Sequence[Isle]) -> None:
    """Make nodes peers of each other, and wait until each has what the others have."""
    pairs = [(here, there) for here in isles for there in isles if here != there]
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda pair: pair[0].asked("peers", "add", f"{pair[1].url}/#{pair[1].space}", *STANDING), pairs))
    for isle in isles:
        until(partial(_has_all, isle), f"{isle.name} has what its peers have")


def _has_all(isle: Isle) -> bool:
    return all(peer["in_tables"] for peer in isle.asked("status")["peers"])
