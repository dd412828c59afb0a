"""A new practice with a new kind is one new file: form, API, pages, judgement and replay follow from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

GARDENS = '''
"""Gardens: what was planted where."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Struct

from protocol.page import Block, Grid, Heading
from protocol.practice import Act, Change, Kind, Own, Practice, Refused, Row, Table, View, field


class Planted(Struct, frozen=True, forbid_unknown_fields=True):
    bed: Annotated[str, field("Bed", "Where.", example="north", pattern=r"^[a-z]+$")]
    seeds: Annotated[int, field("Seeds", "How many.", example="12", ge=1, le=999)]


class Bed(Row, frozen=True):
    bed: str
    seeds: int


BEDS = Table("garden_bed", Bed, ("bed",))


def plant(own: Own, act: Act[Planted]) -> Iterator[Change]:
    if own.get(BEDS, act.body.bed):
        raise Refused("This bed is full. Choose another.")
    yield BEDS.put(Bed(act.space, act.body.bed, act.body.seeds))


def page(view: View, now_ms: int) -> Iterator[Block]:
    yield Heading("Gardens")
    yield Grid("Beds", ("Bed", "Seeds"), [[row.bed, row.seeds] for row in view.all(BEDS, order="bed")], "Nothing is planted.")


PRACTICE = Practice(
    "gardens", "Gardens", "commons", "What grows where.", (BEDS,),
    (Kind("garden.planted/1", "Plant a bed", Planted, plant, consequence="It grows.", help="Say what was planted."),),
    page=page,
)
'''

SCRIPT = """
import sys
from pathlib import Path
from node import render_html, render_json, render_text
from node.clock import Clock
from node.home import Home
from node.openapi import document
from node.words import Telling
from protocol.practice import Refused
from protocol.practices import KINDS, PRACTICES

assert "garden.planted/1" in KINDS
assert "garden.planted/1" in str(document("1"))


class Names:
    def label(self, ref): return "somebody"
    def path(self, ref): return ""


home = Home.found(Path(sys.argv[1]), "Harbour", "Ada", Clock())
key = home.key_files.key("Ada")
home.actions.submit("garden.planted/1", {"bed": "north", "seeds": 12}, key)
for wrong in ({"bed": "north", "seeds": 3}, {"bed": "south", "seeds": 0}, {"bed": "south"}):
    try:
        home.actions.submit("garden.planted/1", wrong, key)
    except Refused as refusal:
        print(refusal)
(gardens,) = (practice for practice in PRACTICES if practice.name == "gardens")
blocks = list(gardens.page(home.store.view(home.space), 0))
telling = Telling(Names(), 0)
for told in (render_html.page(blocks, telling), render_text.text(blocks, telling), render_json.json(blocks, telling).decode()):
    assert "north" in told and "12" in told, told
before = home.store.tables.dump(home.store.read_tables)
home.store.rebuild()
assert home.store.tables.dump(home.store.read_tables) == before
assert before["garden_bed"]
home.close()
"""


def test_a_new_kind_is_one_new_file(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "protocol", tmp_path / "protocol", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "protocol" / "practices" / "gardens.py").write_text(GARDENS, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "data")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "This bed is full. Choose another.",
        "Seeds: a whole number from 1 to 999. For example: 12.",
        "Seeds: this is missing. How many.",
    ]
