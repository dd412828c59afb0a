"""Promises that are kept by what is not there; and that every promise on the page of promises has its test."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest
from apscheduler.jobstores.memory import MemoryJobStore

from node.home import Home
from node.runner import Running, Settings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "security.md"
_NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


@lru_cache(maxsize=1)
def promises() -> list[tuple[str, str]]:
    """(promise, cell of its tests) of every row of the page."""
    rows = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 2 and cells[1] != "test" and not set(cells[0]) <= set("-"):
            rows.append((cells[0], cells[1]))
    return rows


@lru_cache(maxsize=64)
def named_in(name: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / name).read_text(encoding="utf-8"))
    found = {node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return {node.name for node in found}


@pytest.mark.parametrize(("promise", "named"), promises(), ids=lambda text: text[:60])
def test_every_promise_names_tests_and_each_of_them_is_there(promise: str, named: str) -> None:
    found = _NAMED.findall(named)
    assert found, f"no test is named for: {promise}"
    assert _NAMED.sub("", named).strip(" ,") == "", "only tests stand in that column"
    for file, test in found:
        assert test in named_in(file), f"{file} has no {test}"


def test_the_page_says_what_is_not_kept() -> None:
    assert len(promises()) > 50
    assert "## Not kept yet" in PAGE.read_text(encoding="utf-8")


MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "code", "codeop"}
CALLS = {"eval", "exec", "compile", "__import__"}


def _runs(node: ast.AST) -> bool:
    """Whether this brings in or calls what can execute data."""
    match node:
        case ast.Import(names=names):
            return bool({alias.name.split(".")[0] for alias in names} & MODULES)
        case ast.ImportFrom(module=module):
            return (module or "").split(".")[0] in MODULES
        case ast.Call(func=ast.Name(id=name)):
            return name in CALLS
        case ast.keyword(arg=name):
            return name == "shell"
    return False


def test_nothing_of_the_product_can_run_what_it_reads() -> None:
    """No pickle and its like, no eval, no shell."""
    assert all(map(_runs, (ast.parse("import pickle").body[0], ast.parse("eval(x)", mode="eval").body)))
    assert not [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        for name in ("protocol", "federation", "node")
        for path in (ROOT / name).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _runs(node)
    ]


async def test_the_scheduler_keeps_its_jobs_in_memory(tmp_path: Path) -> None:
    home = Home.found(tmp_path / "mill", "The Mill", "Ada")
    running = Running(home, Settings(port=0))
    await running.start()
    stores = running._scheduler._jobstores
    assert {name: type(store) for name, store in stores.items()} == {"default": MemoryJobStore}
    await running.stop()
    home.close()
