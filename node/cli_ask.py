"""Doing verbs' work on a data folder: here if no node has it open, else by asking that node.

Kept apart from `node.cli_desk`, so that commands which need no data folder (`moon`, `verify`) do not wait for a database.

Example::

    with opened(folder) as do:
        do("record.add", {...}, say)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from node import remote
from node.clock import Clock
from node.commands import perform
from node.control import NotRunning, Say, ask, is_served
from node.failure import Misuse
from node.home import Home, InUse

PATIENCE_S = 3.0
Do = Callable[[str, Mapping[str, Any], Say], Any]


@contextmanager
def opened(folder: Path) -> Iterator[Do]:
    """A way to give verbs to this folder; waits a little for a node that is about to start or to end."""
    away = None if (folder / "node.db").exists() else remote.read(folder)
    if away is not None:
        yield partial(_give_away, folder, away)
        return
    home = open_or_none(folder)
    if home is None:
        yield lambda verb, args, say: ask(folder, verb, args, say)
        return
    try:
        yield lambda verb, args, say: perform(home, verb, args, say)
    finally:
        home.close()


def _give_away(folder: Path, away: remote.Remote, verb: str, args: Mapping[str, Any], say: Say) -> Any:
    """What a member can do from a machine where no node runs: write one record."""
    if verb != "record.add":
        raise Misuse(f"This folder is of a member of {away.name}, whose node is at {away.url}. Look there for this.")
    return remote.add(folder, **args)


def open_or_none(folder: Path, clock: Clock | None = None) -> Home | None:
    """The folder opened here by this clock or the machine's, or None if a node that has it open answers."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return Home.open(folder, clock)
        except InUse:
            if is_served(folder):
                return None
            if time.monotonic() > until:
                raise NotRunning(
                    f"A process has {folder} open and does not answer. Wait for it, or end it, and try again."
                ) from None
            time.sleep(0.05)


def open_to_run(folder: Path, clock: Clock | None = None) -> Home:
    """The folder opened to stay so, by this clock; waits a little for a command that has it open."""
    home = open_or_none(folder, clock)
    if home is None:
        raise InUse(f"A node runs on {folder} already. End it first, or choose another folder with -C.")
    return home


def do(folder: Path, verb: str, args: Mapping[str, Any], say: Say) -> Any:
    """Give one verb to this folder."""
    with opened(folder) as give:
        return give(verb, args, say)
