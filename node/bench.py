"""`archipelago bench`: every figure of this release in one run, each with the machine's own limit beside it.

The work W is a log of 100,000 ledger records; the start-up figure uses 1,000,000; the figures of self-government a year of
500 members in 50,000 records. All are made through the real way in.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from node import bench_store as alone
from node.bench_network import network
from node.bench_store import Figure, figure
from node.bench_year import society
from node.clock import Clock
from node.database import engine
from node.home import Home

W, MANY = 100_000, 1_000_000


def machine(found: dict[str, float]) -> dict[str, Any]:
    """What it was measured on, and what that machine does on one core."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "sqlite": engine().sqlite_version,
        **{name: round(value) for name, value in found.items()},
    }


def run(folder: Path, say: Callable[[str], None], *, size: int = W, many: int = MANY) -> dict[str, Any]:
    """Measure everything in a folder that must not exist yet, which is removed afterwards."""
    folder.mkdir(parents=True)
    try:
        say("the machine's limits")
        found = alone.limits(folder)
        say("appends, bulk and audit")
        home = Home.found(folder / "alone", "Bench", "Bench", Clock())
        figures = [alone.appends(home, found), alone.bulk(home, 50_000), alone.audit(home, found)]
        home.close()
        say(f"a log of {size:,} records, and the bare floor under it")
        home = alone.fill(folder / "served", size, "Served")
        raws = [row.record or b"" for row in home.store.rows(home.space, 0, home.log.size)]
        home.close()
        floor = alone.floor(folder, raws)
        del raws
        found["floor_records_per_s"] = floor
        say("between two processes")
        figures += asyncio.run(network(folder / "network", folder / "served", floor))
        say(f"start-up with {many:,} records")
        figures.append(start_up(folder / "many", many))
        say("a year of self-government in a collective of 500")
        figures += society(folder / "year")
        return {"machine": machine(found), "figures": [msgspec.to_builtins(each) for each in figures]}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start_up(folder: Path, size: int) -> Figure:
    """How long a node with so many records takes from the process's start to its answer; the best of three, files warm."""
    alone.fill(folder, size, "Many").close()
    seconds = min(alone.ready(folder) for _ in range(3))
    return figure("ready_with_1m_records_s", seconds, "s", None, f"{size} records; from the process's start; best of 3")


def show(told: dict[str, Any], console: Console) -> None:
    """The table."""
    table = Table(title="Figures of this run", caption=", ".join(f"{name} {value}" for name, value in told["machine"].items()))
    for name, justify in (
        ("Figure", "left"),
        ("Value", "right"),
        ("Unit", "left"),
        ("Limit", "right"),
        ("Share", "right"),
        ("How", "left"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # one of rich's words
    for each in told["figures"]:
        limit = "" if each["limit"] is None else f"{each['limit']:,.1f}"
        share = "" if each["ratio"] is None else f"{each['ratio']:.2f}"
        table.add_row(each["name"], f"{each['value']:,.2f}", each["unit"], limit, share, each["note"])
    console.print(table)
