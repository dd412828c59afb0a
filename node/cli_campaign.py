"""`campaign list`: where each campaign stands, as this node computes it from the records it holds."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from node.cli_ask import do
from node.cli_desk import AsJson, folder, grid, moment, show, silent


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verb."""
    group = typer.Typer(no_args_is_help=True, help="What is surged for together, and where it stands.")
    group.command("list")(listed)
    app.add_typer(group, name="campaign")


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """List the campaigns that this node knows of, the newest call first."""
    told = do(folder(context), "campaign.list", {}, silent)
    rows = [
        (
            each["name"],
            each["phase"],
            f"{len(each['joined'])} of {each['quorum']}",
            moment(each["opens_ms"] or 0),
            each["campaign"],
        )
        for each in told
    ]
    columns = ["Campaign", "Phase", "Joined, of quorum", "Opens (UTC)", "Call"]
    empty = "No campaign was called yet. To call one: archipelago record add campaign.called --help"
    show(told, as_json=as_json, words=lambda console: grid(console, columns, rows, empty))
