"""`demo`: three nodes on this machine that arm a campaign together, to look at or once for a script."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from node.cli_desk import AsJson, grid, note, out, show
from node.demo import Isle, archipelago, arm, move
from node.demo_fill import PASSWORD, logins
from node.failure import FAILED
from node.logs import to_standard_error

MOST_DAYS = 400


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verb."""
    app.command("demo")(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End as soon as all three say that the campaign is armed.")] = False,
    keep: Annotated[Path | None, typer.Option("--keep", metavar="DIR", help="Keep the data in a new folder.")] = None,
    ahead: Annotated[
        int,
        typer.Option("--ahead", metavar="DAYS", min=0, max=MOST_DAYS, help="Once it has armed, set the three clocks ahead."),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Start three invented collectives on this machine; one calls a campaign, two join, it arms."""
    to_standard_error(warnings_only=True)
    began = time.monotonic()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # background jobs start with SIGINT ignored
        signal.signal(number, _interrupt)
    try:
        with archipelago(note, keep.absolute() if keep else None) as isles:
            seen = arm(isles, note, began)
            told = msgspec.to_builtins(seen)
            show(told, as_json=as_json, words=lambda console: _summary(console, told))
            if ahead:
                _go_ahead(isles, ahead)
            if not once:
                _welcome(out(), isles)
                _watch(isles, ended)
    except KeyboardInterrupt:
        note("The three nodes are ended.")


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _watch(isles: Sequence[Isle], ended: threading.Event) -> None:
    """Until Ctrl-C, or until a node ends by itself."""
    lines = Lines()
    while not ended.wait(0.5):
        for line in lines.typed():
            _on_line(isles, line)
        for isle in isles:
            if isle.process.poll() is not None:
                note(f"The node of {isle.name} has ended by itself; so do the others.")
                raise typer.Exit(FAILED)


class Lines:
    """Whole lines that somebody types while the demo runs; none where nobody can."""

    def __init__(self) -> None:
        self._waiting = DefaultSelector()
        if sys.stdin.isatty():
            self._waiting.register(sys.stdin, EVENT_READ)

    def typed(self) -> list[str]:
        """What was typed since the last look."""
        return [sys.stdin.readline().strip() for _ in self._waiting.select(0)] if self._waiting.get_map() else []


def _on_line(isles: Sequence[Isle], line: str) -> None:
    if line.isdecimal() and 0 < int(line) <= MOST_DAYS:
        _go_ahead(isles, int(line))
    elif line:
        note(f"To set the clocks ahead, type a number of days from 1 to {MOST_DAYS}.")


def _go_ahead(isles: Sequence[Isle], days: int) -> None:
    now_ms = move(isles, days * 86_400_000)
    day = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%A %d %B %Y, %H:%M UTC")
    note(f"For the three it is now {day}. What came due meanwhile is on their pages.")


def _summary(console: Console, told: dict[str, Any]) -> None:
    rows = [
        (each["name"], each["url"], each["size"], each["campaign_state"], _signed(told["cosignatures"][each["space"]]))
        for each in told["nodes"]
    ]
    console.print()
    grid(console, ["Collective", "Address", "Records", "Campaign", "Its head is cosigned by"], rows, "")


def _signed(cosignatures: Sequence[dict[str, Any]]) -> str:
    spaces = {each["by"] for each in cosignatures}
    return f"{len(spaces)} others" if len(spaces) != 1 else "1 other"


def _welcome(console: Console, isles: Sequence[Isle]) -> None:
    console.print("\nEverything in these three is invented. Log in as")
    for isle in isles:
        console.print(f"  {' or '.join(logins()[isle.key])} at {isle.url}")
    console.print(f"with the password: {PASSWORD}\n")
    for line in _LOOK:
        console.print(f"  {line}")
    ahead = "Type a number of days and Enter: the three clocks go ahead by them. " if sys.stdin.isatty() else ""
    console.print(f"\n{ahead}Ctrl-C ends all three.")


_LOOK = (
    "Today        what is due, what is near, what changed",
    "Assembly     rounds that wait for an answer, decisions with their end, roles that go round, a review that opened itself",
    "Campaigns    the call that has just been armed, who joined, who has seen it",
    "Archipelago  who carries whose log up to where; protocols that wandered between the three",
    "Commons      a year of money in the open, budgets, who works how much, what stayed after two campaigns",
    "any record   its proof, and a receipt that `archipelago verify` checks without any node",
)
