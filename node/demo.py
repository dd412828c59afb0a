"""The demo archipelago: three nodes as three processes on this machine, with a year behind them, arm a campaign together.

1. three data folders are founded and their year is told (`node.demo_fill`);
2. each is started as a process of its own, `archipelago run`, on loopback; each ends when this process does, however;
3. they are made peers of each other, follow, mirror and witness each other;
4. The Lantern calls a campaign, the other two join it, each on its own node; then all three are asked where it stands.

Whatever is done after the start is done by giving commands to the running nodes, as anybody would.
"""

from __future__ import annotations

import json
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from node.clock import Clock
from node.control import ask
from node.demo_campaigns import LIVE_NAME, live_call
from node.demo_fill import fill
from node.demo_people import COLLECTIVES
from node.failure import CommandError

PORTS = (8401, 8402, 8403)
READY_S, ARMED_S, SETTLED_S, END_S = 30.0, 60.0, 10.0, 5.0
CALLER = "lantern"
Say = Callable[[str], None]


class DemoFailed(CommandError):
    """The demo did not come to its end; the message says where it stopped."""


class Isle(Struct):
    """One node of the demo while it runs."""

    key: str
    name: str
    founder: str
    folder: Path
    url: str
    space: str
    process: subprocess.Popen[str]

    def give(self, verb: str, **args: Any) -> Any:
        """Give a command to this node."""
        return ask(self.folder, verb, args, lambda what, value: None)


@contextmanager
def archipelago(say: Say, keep: Path | None = None) -> Iterator[list[Isle]]:
    """Three nodes, filled, running and linked; ended when this is left, their data deleted unless it is to be kept."""
    folder = keep or Path(tempfile.mkdtemp(prefix="archipelago-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise DemoFailed(f"{folder} is not empty. Choose a new folder for the demo's data.")
    isles: list[Isle] = []
    try:
        say("Founding three collectives and telling their year ...")
        folders = fill(folder, Clock())
        say("Starting their nodes ...")
        isles += _start(folders, _ports(say))
        say("Making them known to each other ...")
        _link(isles)
        yield isles
    finally:
        _end(isles)
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _ports(say: Say) -> list[int]:
    """The usual ports, or free ones where they are taken."""
    chosen = []
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                probe.bind(("127.0.0.1", 0))
                say(f"Port {port} is taken here; {probe.getsockname()[1]} is used instead.")
            chosen.append(probe.getsockname()[1])
    return chosen


def _start(folders: Mapping[str, Path], ports: Sequence[int]) -> list[Isle]:
    isles: list[Isle] = []
    try:
        for each, port in zip(COLLECTIVES, ports, strict=True):
            command = [sys.executable, "-m", "node.cli", "-C", str(folders[each.key])]
            command += ["run", "--port", str(port), "--sweep", "15", "--tied", "--movable-clock", "--json"]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own
            isles.append(Isle(each.key, each.name, each.founders[0], folders[each.key], "", "", process))
        for isle in isles:
            told = json.loads(_line(isle))
            isle.url, isle.space = told["url"], told["space"]
    except BaseException:
        _end(isles)
        raise
    return isles


def _line(isle: Isle) -> str:
    """What a node prints when it is up."""
    assert isle.process.stdout is not None
    with selectors.DefaultSelector() as waiting:
        waiting.register(isle.process.stdout, selectors.EVENT_READ)
        if waiting.select(READY_S) and (line := isle.process.stdout.readline()):
            return line
    raise DemoFailed(f"The node of {isle.name} did not start. Look above for what it said.")


def _end(isles: Sequence[Isle]) -> None:
    """End every process that was started, by asking and then without asking."""
    for isle in isles:
        with suppress(OSError):
            assert isle.process.stdin is not None
            isle.process.stdin.close()  # a tied node ends with its standard input
        isle.process.terminate()
    until = time.monotonic() + END_S
    for isle in isles:
        try:
            isle.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            isle.process.kill()
            isle.process.wait()
        if isle.process.stdout is not None:
            isle.process.stdout.close()


def _link(isles: Sequence[Isle]) -> None:
    for isle in isles:
        for other in isles:
            if other is not isle:
                isle.give("peers.add", url=other.url, space=other.space, ally=True, mirror=True, witness=True)


def move(isles: Sequence[Isle], by_ms: int) -> int:
    """Set the clocks of all three ahead, as one; what time it is for them now, in milliseconds since 1970."""
    return max(int(isle.give("clock.move", by_ms=by_ms)["now_ms"]) for isle in isles)


# Live


class Seen(Struct, frozen=True):
    """What the three said in the end."""

    nodes: list[dict[str, Any]]
    seconds: float
    heads: dict[str, list[dict[str, Any]]]
    cosignatures: dict[str, list[dict[str, Any]]]


def arm(isles: Sequence[Isle], say: Say, began: float) -> Seen:
    """Call a campaign on one node, join it on the others, and wait until all three say that it is armed."""
    caller = next(isle for isle in isles if isle.key == CALLER)
    others = [isle for isle in isles if isle is not caller]
    body = live_call(Clock().now_ms(), [isle.space for isle in others])
    call = caller.give("record.add", kind="campaign.called", body=body, member=caller.founder)["digest"]
    say(f"{caller.name} has called “{LIVE_NAME}”.")
    for isle in others:
        _until(partial(_knows, isle, call), f"{isle.name} has not heard of the call")
        joined = {"campaign": call, "caller": caller.space, "terms": body["terms"]}
        isle.give("record.add", kind="campaign.joined", body=joined, member=isle.founder)
        say(f"{isle.name} has joined.")
    _until(lambda: _agreed(isles, call), "the three do not agree that the campaign is armed")
    seconds = round(time.monotonic() - began, 3)
    say(f"All three say that it is armed, {seconds:.1f} s after the start.")
    with suppress(DemoFailed):  # what is not cosigned yet will be, and is told as it is
        _until(lambda: all(_cosigned(isle) for isle in isles), "not every head is cosigned", SETTLED_S)
    return _seen(isles, call, seconds)


def _until(holds: Callable[[], bool], what_not: str, patience_s: float = ARMED_S) -> None:
    until = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > until:
            raise DemoFailed(f"After {patience_s:.0f} s {what_not}.")
        time.sleep(0.1)


def _state(isle: Isle, call: str) -> dict[str, Any] | None:
    found: list[dict[str, Any]] = [each for each in isle.give("campaign.list") if each["campaign"] == call]
    return found[0] if found else None


def _knows(isle: Isle, call: str) -> bool:
    return _state(isle, call) is not None


def _agreed(isles: Sequence[Isle], call: str) -> bool:
    told = [_state(isle, call) for isle in isles]
    armed = [(each["terms"], each["armed_ms"], tuple(each["joined"])) for each in told if each and each["phase"] == "armed"]
    return len(armed) == len(isles) and len(set(armed)) == 1 and len(armed[0][2]) == len(isles)


def _cosigned(isle: Isle) -> bool:
    told = isle.give("heads")
    return any(each["size"] == told["size"] for each in told["cosignatures"])


def _seen(isles: Sequence[Isle], call: str, seconds: float) -> Seen:
    nodes, heads, cosignatures = [], {}, {}
    for isle in isles:
        status, told, state = isle.give("status"), isle.give("heads"), _state(isle, call)
        nodes.append(
            {
                "space": isle.space,
                "name": isle.name,
                "url": isle.url,
                "size": status["size"],
                "root": status["root"],
                "campaign_state": state["phase"] if state else "unknown",
            }
        )
        heads[isle.space], cosignatures[isle.space] = told["heads"], told["cosignatures"]
    return Seen(nodes, seconds, heads, cosignatures)
