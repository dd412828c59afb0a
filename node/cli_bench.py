"""`bench`: every figure of this release in one run, each beside the machine's own limit."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from node.bench import MANY, W, run
from node.bench import show as table
from node.cli_desk import AsJson, note, show
from node.logs import to_standard_error


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verb."""
    app.command("bench")(bench)


def bench(
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write the figures as JSON, too.")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", metavar="DIR", help="Measure on the disk of this folder.")] = None,
    size: Annotated[int, typer.Option("--size", min=1, help="Records of the log that is passed between two processes.")] = W,
    many: Annotated[int, typer.Option("--many", min=1, help="Records of the node whose start is timed.")] = MANY,
    as_json: AsJson = False,
) -> None:
    """Measure this machine and this node on it. Takes some minutes, and 2 GB of disk while it runs."""
    to_standard_error(warnings_only=True)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="archipelago-bench-", dir=folder) as made:
        told = run(Path(made) / "run", lambda step: note(f"Measuring {step} ..."), size=size, many=many)
    if output:
        output.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    show(told, as_json=as_json, words=lambda console: table(told, console))
