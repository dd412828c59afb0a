"""The reference is what the code says: made anew, it is the same; nothing that can be written, set, asked or called is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from node import reference
from node.cli import MODULES
from protocol.practices import KINDS, PARAMETERS

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages()


@pytest.mark.parametrize("name", ["api.md", "commands.md", "kinds.md", "parameters.md"])
def test_the_page_is_what_the_code_says_today(pages: dict[str, str], name: str) -> None:
    kept = (FOLDER / name).read_text(encoding="utf-8")
    assert kept == pages[name], "run: python -m node.reference docs/reference"


def test_every_kind_parameter_and_verb_has_its_place(pages: dict[str, str]) -> None:
    assert [name for name in KINDS if f"### {name}\n" not in pages["kinds.md"]] == []
    assert [name for name in KINDS if f"`POST /api/v1/records/{name}`" not in pages["api.md"]] == []
    assert [name for name in PARAMETERS if f"`{name}`" not in pages["parameters.md"]] == []
    assert [verb for verb in MODULES if f"## archipelago {verb}" not in pages["commands.md"]] == []


def test_tables_have_a_cell_in_every_column_that_explains(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        width = 0
        for line in page.splitlines():
            if not line.startswith("|"):
                width = 0
                continue
            cells = line.replace("\\|", "").strip("|").split("|")
            width = width or len(cells)
            assert len(cells) == width, f"{name}: {line}"
            assert cells[0].strip(), f"{name}: {line}"


def test_pages_are_written_into_a_folder_that_may_not_be_there_yet(tmp_path: Path, pages: dict[str, str]) -> None:
    reference.write_pages(tmp_path / "made")
    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "made").iterdir()} == pages
