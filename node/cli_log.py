"""`log show`: the entries of a log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from node.cli_ask import do
from node.cli_desk import AsJson, folder, given, grid, moment, show, silent


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verbs."""
    group = typer.Typer(no_args_is_help=True, help="The log that everything stands in.")
    group.command("show")(shown)
    app.add_typer(group, name="log")


def shown(
    context: typer.Context,
    start: Annotated[int | None, typer.Option("--start", min=0, help="From this position on; else the last entries.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
    space: Annotated[str, typer.Option("--space", metavar="ID", help="The log of another space that is held here.")] = "",
    as_json: AsJson = False,
) -> None:
    """List entries of the log, oldest first."""
    told = do(folder(context), "log.show", given(start=start, limit=limit, space=space), silent)
    rows = [
        (each["position"], moment(each["logged_ms"]), each["kind"] or "withheld", each["audience"] or "", each["digest"])
        for each in told
    ]
    columns = ["Position", "Logged (UTC)", "Kind", "For", "Digest"]
    show(told, as_json=as_json, words=lambda console: grid(console, columns, rows, "Nothing there."))
