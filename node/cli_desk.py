"""What the commands share: which data folder, asking it or the node that has it open, and how answers are shown.

Answers go to standard output, as words or with ``--json`` as one JSON value; progress, warnings and errors go to standard
error. Colours and bars appear on a terminal only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from node.console import Plain

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Member = Annotated[
    str, typer.Option("--as", metavar="MEMBER", help="Whose key signs it; the first on this machine if not given.")
]

_PIPED = 240  # columns where no terminal says how many it has


def default_folder() -> Path:
    """Where the data lies if nobody says otherwise."""
    kept = os.environ.get("XDG_DATA_HOME", "")
    return (Path(kept) if kept.startswith("/") else Path.home() / ".local" / "share") / "archipelago"


def folder(context: typer.Context) -> Path:
    """The data folder that was named before the verb."""
    named: Path = context.obj
    return named


def out() -> Console:
    """The console for answers: what others wrote is never read as markup or as the name of a picture."""
    if sys.stdout.isatty():
        return Plain(highlight=False, markup=False, emoji=False)
    return Plain(highlight=False, markup=False, emoji=False, width=_PIPED, soft_wrap=True)


def err() -> Console:
    """The console for all that is not the answer."""
    return Plain(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def note(sentence: str) -> None:
    """A sentence beside the answer."""
    err().print(Text(sentence))


def show(value: Any, *, as_json: bool, words: Callable[[Console], None]) -> None:
    """The answer, as JSON or in words."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
    else:
        words(out())


def facts(console: Console, pairs: Sequence[tuple[str, Any]]) -> None:
    """Labels with one value each."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in pairs:
        table.add_row(label, Text(str(value)))
    console.print(table)


def grid(console: Console, columns: Sequence[str], rows: Sequence[Sequence[Any]], empty: str) -> None:
    """A table, or a sentence where it would be empty."""
    if not rows:
        console.print(Text(empty, style="dim"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console.print(table)


@contextmanager
def progress(label: str) -> Iterator[Callable[[str, Any], None]]:
    """A bar on standard error for work that says how far it is; nothing where that is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None)

        def say(what: str, value: Any) -> None:
            if what == "progress":
                bar.update(task, completed=value["done"], total=value["of"] or None)

        yield say


def silent(what: str, value: Any) -> None:
    """For verbs that have nothing to say meanwhile."""


def moment(ms: int) -> str:
    """An instant in UTC, to the minute."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}" if ms else ""


def given(**values: Any) -> Mapping[str, Any]:
    """Arguments of a verb without those that were not given."""
    return {name: value for name, value in values.items() if value not in (None, "")}
