"""`archipelago moon YEAR`: the new moons of a year, from the table that all nodes share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from node.cli_desk import AsJson, grid, moment, show
from protocol.moon import moons_of_year


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verb."""
    app.command("moon")(moon)


def moon(year: Annotated[int, typer.Argument(metavar="YEAR", help="From 1900 to 2200.")], as_json: AsJson = False) -> None:
    """The new moons of a year, in UTC: when each cycle begins."""
    moons = moons_of_year(year)
    told = [{"cycle": cycle, "new_moon": _iso(ms)} for cycle, ms in moons]
    rows = [(cycle, moment(ms)) for cycle, ms in moons]
    show(told, as_json=as_json, words=lambda console: grid(console, ["Cycle", "New moon (UTC)"], rows, "None."))


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
