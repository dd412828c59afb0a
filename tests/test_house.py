"""The house rules that a machine can hold: layers, sizes, names, and what may not stand in a file.

Each rule is one function from the tree to the list of what breaks it, so that a failure names file and line.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("protocol", "federation", "node")
BANNED_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "base", "common", "misc", "lib"}
AT_THE_ROOT = {
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "docs", "federation", "node", "protocol",
    "pyproject.toml", "requirements-test.lock", "requirements.lock", "tests",
}  # fmt: skip
# Written in two halves, so that this file does not break its own rule.
FOREIGN = [
    "/wo" + "rk/", "/tm" + "p/", "/ro" + "ot/", "/op" + "t/",
    "pypi" + ".org", "python" + "hosted.org", "registry." + "npmjs", "deb." + "debian.org",
]  # fmt: skip


@lru_cache(maxsize=1)
def tracked() -> tuple[Path, ...]:
    """Every file of the project, as its history knows them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:  # a copy without its history: all that lies where the project's files do
        found = (path for name in AT_THE_ROOT for path in ((ROOT / name), *(ROOT / name).rglob("*")))
        return tuple(path for path in found if path.is_file() and "__pycache__" not in path.parts)
    return tuple(ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def texts() -> Iterator[tuple[str, str]]:
    """(path, text) of every tracked file that is text."""
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            yield str(path.relative_to(ROOT)), data.decode("utf-8")


def modules(*folders: str) -> Iterator[tuple[str, ast.Module, str]]:
    """(path, syntax tree, text) of every tracked Python file, or of those under some folders."""
    for name, text in texts():
        if name.endswith(".py") and (not folders or name.split("/")[0] in folders):
            yield name, ast.parse(text), text


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of all that a module imports; a name from a package counts as its module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def test_the_layers_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"Contracts: [4-9]\d* kept, 0 broken", ran.stdout), ran.stdout


def test_no_import_goes_in_a_circle() -> None:
    names = {name[:-3].replace("/", ".").removesuffix(".__init__"): tree for name, tree, _ in modules(*PACKAGES)}
    graph = {name: {to for to, _ in imported(tree) if to in names and to != name} for name, tree in names.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_protocol_reads_no_clock_no_chance_and_no_file() -> None:
    banned = {
        "asyncio",
        "time",
        "random",
        "os",
        "sqlite3",
        "pysqlite3",
        "aiohttp",
        "secrets",
        "socket",
        "pathlib",
        "io",
        "threading",
    }
    calls = {"open", "input", "print", "exec", "eval", "now", "today", "utcnow", "uuid4", "uuid1"}
    broken = []
    for name, tree, _ in modules("protocol"):
        broken += [f"{name}:{line} imports {to}" for to, line in imported(tree) if to.split(".")[0] in banned]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                function = node.func
                called = function.id if isinstance(function, ast.Name) else ""
                called = (
                    function.attr
                    if isinstance(function, ast.Attribute) and function.attr in ("now", "today", "utcnow")
                    else called
                )
                if called in calls:
                    broken.append(f"{name}:{node.lineno} calls {called}")
    assert not broken


def test_cbor2_is_met_in_one_module_of_the_product() -> None:
    met = {name for name, tree, _ in modules(*PACKAGES) if any(to.split(".")[0] == "cbor2" for to, _ in imported(tree))}
    assert met <= {"protocol/encoding.py"}


def test_no_file_is_longer_than_600_lines() -> None:
    assert not [f"{name}: {text.count(chr(10))} lines" for name, _, text in modules() if text.count("\n") > 600]


def test_no_function_is_longer_than_60_lines() -> None:
    assert not [
        f"{name}:{function.lineno} {function.name}"
        for name, tree, _ in modules(*PACKAGES)
        for function in functions(tree)
        if (function.end_lineno or 0) - function.lineno >= 60
    ]


def test_folders_are_at_most_two_deep() -> None:
    assert not [name for name, _, _ in modules(*PACKAGES) if name.count("/") > 2]


def test_every_module_says_what_it_is_for() -> None:
    assert not [name for name, tree, text in modules() if text.strip() and not ast.get_docstring(tree)]


def test_no_module_has_a_name_that_says_nothing() -> None:
    names = [(name, set(Path(name).stem.split("_")) | set(Path(name).parent.parts)) for name, _, _ in modules()]
    assert not [name for name, parts in names if parts & BANNED_NAMES]


def test_imports_stand_at_the_top_are_named_and_hide_no_circle() -> None:
    broken = []
    for name, tree, text in modules(*PACKAGES):
        for function in functions(tree):
            broken += [f"{name}:{line} imports late" for _, line in imported(function)]
        broken += [f"{name}:{line} imports *" for to, line in imported(tree) if to.endswith(".*")]
        if "TYPE_CHECKING" in text:
            broken.append(f"{name} hides imports behind TYPE_CHECKING")
    assert not broken


def test_every_silenced_warning_says_which_and_why() -> None:
    marks = re.compile(r"#\s*(type:\s*ignore|noqa|pyright:|pylint:)")
    good = re.compile(r"#\s*(type:\s*ignore\[[\w, -]+\]|noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)\s+#?\s*\w.{3,}")
    assert not [
        f"{name}:{number} {line.strip()}"
        for name, _, text in modules()
        if name != "tests/test_house.py"
        for number, line in enumerate(text.splitlines(), 1)
        if marks.search(line) and not good.search(line)
    ]


@pytest.mark.parametrize("name", [name for name, _, text in modules(*PACKAGES) if ">>> " in text])
def test_examples_in_the_code_are_true(name: str) -> None:
    module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
    assert doctest.testmod(module).failed == 0


def test_nothing_is_left_to_do() -> None:
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    assert not [f"{name}: {found[0]}" for name, text in texts() if (found := marks.search(text)) and name != "LICENSE"]


def test_no_file_names_a_place_of_the_machine_it_was_written_on() -> None:
    assert not [
        f"{name}:{number} {place}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        for place in FOREIGN
        if place in line
    ]


def test_nothing_lies_at_the_root_without_a_decision() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= AT_THE_ROOT


def test_links_in_the_documentation_lead_somewhere() -> None:
    broken = []
    for name, text in texts():
        if name.endswith(".md"):
            prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
            targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", prose)
            inside = (target for target in targets if "://" not in target and not target.startswith("mailto:"))
            broken += [f"{name}: {to}" for to in inside if not (ROOT / name).parent.joinpath(to).exists()]
    assert not broken


def test_every_decision_record_is_in_the_list_and_in_the_same_form() -> None:
    folder = ROOT / "docs" / "adr"
    listed = (folder / "0001-record-decisions.md").read_text(encoding="utf-8")
    records = sorted(folder.glob("*.md"))
    for number, record in enumerate(records, 1):
        text = record.read_text(encoding="utf-8")
        assert record.name.startswith(f"{number:04}-")
        assert f"[{number}]({record.name})" in listed
        assert text.startswith(f"# {number}. ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
        assert "\nStatus: " in text


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^([a-z0-9][a-z0-9.-]*)==(\S+).*?\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", text, re.MULTILINE)
    assert len(blocks) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)), f"{name}: something is without a hash"
    return {package: version for package, version, _ in blocks}


def test_the_lock_files_pin_all_that_the_project_asks_for_and_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def asked(lines: list[str]) -> set[str]:
        return {re.split(r"[\s<>=!;\[]", line)[0].lower() for line in lines}

    run, test = _pins("requirements.lock"), _pins("requirements-test.lock")
    assert asked(project["dependencies"]) <= run.keys()
    assert asked(project["optional-dependencies"]["test"]) <= test.keys()
    assert run.items() <= test.items()
    assert "setuptools" in run


def test_the_tour_names_every_module() -> None:
    tour = (ROOT / "docs" / "tour.md").read_text()
    named = {name for line in tour.splitlines() if line.startswith("|") for name in re.findall(r"`([a-z_/*]+)`", line)}
    patterns = [re.compile(re.escape(name).replace(r"\*", ".*")) for name in named]
    for folder in ("protocol", "federation", "node"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            module = path.relative_to(ROOT / folder).with_suffix("").as_posix()
            if path.stem != "__init__":
                assert any(pattern.fullmatch(module) for pattern in patterns), f"docs/tour.md says nothing of {folder}/{module}"
