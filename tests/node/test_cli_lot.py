"""`archipelago lot`: a draw from a file and its receipt, checks of draws of ours and of the IETF, and lots of a space."""

from __future__ import annotations

import html
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from node import commands_member, lot_file, markdown
from node.cli import main
from node.clock import MovedClock
from node.failure import Misuse
from node.home import Home
from protocol import lot
from protocol.practice import Refused
from protocol.practices.lots import COMMIT_MINUTES, REVEAL_MINUTES

MINUTE = 60_000
NAMES = "# who wants to\nAda; night\nBen\nCleo;night\nDan\nEve\tnight\n\nFay\n"


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code in (0, 1), self.err
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a command, with a data folder that is not there."""

    def given(*args: str | Path) -> Ran:
        capsys.readouterr()
        code = main(["-C", str(tmp_path / "isle"), "lot", *map(str, args)])
        return Ran(code, *capsys.readouterr())

    return given


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names"
    path.write_text(NAMES, encoding="utf-8")
    return path


# Draw


def test_first_the_list_is_published_with_a_code_that_binds_it(run: Run, names: Path) -> None:
    told = run("draw", names, "--seats", "2", "--json").json
    assert [each["name"] for each in told["people"]] == ["Ada", "Ben", "Cleo", "Dan", "Eve", "Fay"]
    assert told["code"] == run("draw", names, "--seats", "2", "--randomness", "7", "--json").json["code"]
    others = [("--seats", "3"), ("--seats", "2", "--quota", "night:1"), ("--seats", "2", "--quota", "night:2")]
    codes = {run("draw", names, *other, "--json").json["code"] for other in others}
    assert len({told["code"], *codes}) == 4
    words = run("draw", names, "--seats", "2")
    assert "Publish this" in words.out
    assert told["code"] in words.out


def test_a_draw_prints_order_seats_skips_substitutes_and_a_receipt(run: Run, names: Path) -> None:
    told = run("draw", names, "--randomness", "7 12 23", "--seats", "3", "--quota", "night:1:1", "--json").json
    assert sorted(told["order"]) == ["Ada", "Ben", "Cleo", "Dan", "Eve", "Fay"]
    assert len(told["chosen"]) == 3
    assert sum(name in ("Ada", "Cleo", "Eve") for name in told["chosen"]) == 1
    assert sorted(told["chosen"] + told["substitutes"]) == sorted(told["order"])
    words = run("draw", names, "--randomness", " 7  12 23", "--seats", "3", "--quota", "night:1:1").out
    for name in told["order"]:
        assert name in words
    assert words.count("Passed over: ") == len(told["passed_over"])
    assert told["receipt"] in words


def test_the_receipt_of_a_draw_runs_in_a_bare_python_and_verifies(run: Run, names: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "draw.py"
    drawn = run("draw", names, "--randomness", "7 12 23", "--seats", "2", "--output", receipt, "--json").json
    ran = subprocess.run([sys.executable, "-I", "-S", receipt], capture_output=True, text=True, check=True)
    assert [bytes.fromhex(line.split()[-1]).decode() for line in ran.stdout.splitlines() if line.startswith("seat")] == drawn[
        "chosen"
    ]
    assert ran.stdout.splitlines()[-1] == "as published"
    told = run("verify", receipt, "--json").json
    assert told["holds"]
    assert told["chosen"] == drawn["chosen"]
    assert "This draw holds" in run("verify", receipt).out
    assert run("draw", names, "--randomness", "8", "--output", receipt).code == 1, "a receipt is never written over"


def test_a_receipt_in_which_something_was_changed_does_not_hold(run: Run, names: Path, tmp_path: Path) -> None:
    good = run("draw", names, "--randomness", "7 12 23", "--json").json["receipt"]
    receipt = tmp_path / "draw.py"
    other = "Its code is not that of this list"
    for old, new, why in (
        ("PUBLIC = '7", "PUBLIC = '8", "The draw comes out otherwise"),
        (b"Ben".hex(), b"Bob".hex(), other),
        ('CODE = "', 'CODE = "00', other),
    ):
        assert old in good
        receipt.write_text(good.replace(old, new), encoding="utf-8")
        ran = run("verify", receipt)
        assert ran.code == 1
        assert f"It does not hold. {why}" in ran.out


def test_a_code_that_was_looked_for_after_the_chance_was_known_does_not_hold(run: Run, names: Path, tmp_path: Path) -> None:
    listed = lot_file.inputs_of(lot_file.read_list(names.read_text(encoding="utf-8")), 1, (), "7 12 23")
    wanted = b"Dan"
    codes = (number.to_bytes(32, "big") for number in range(10_000))
    ground = next(each for code in codes if (each := replace(listed, code=code)).draw().chosen == (wanted,))
    receipt = tmp_path / "draw.py"
    receipt.write_text(lot.script(ground, [wanted]), encoding="utf-8")
    told = run("verify", receipt, "--json")
    assert (told.code, told.json["holds"], told.json["chosen"]) == (1, False, ["Dan"])


def test_a_value_is_told_to_be_too_long_before_there_is_a_receipt_that_nobody_can_check(run: Run, names: Path) -> None:
    fits = "9" * (lot.LONGEST_LITERAL - 2)
    assert run("draw", names, "--randomness", fits).code == 0
    assert "longer than 4000 characters" in run("draw", names, "--randomness", fits + "9").err
    assert "not text in UTF-8" in run("draw", names, "--randomness", "\udcff").err


def test_a_long_list_is_read_in_one_go_and_a_file_without_an_end_is_not_read_to_it(run: Run) -> None:
    many = "\n".join(f"Name {number}" for number in range(200_000))
    assert len(lot_file.read_list(many).names) == 200_000
    for verb in ("draw", "verify"):
        assert "larger than a list of a draw can be" in run(verb, "/dev/zero").err


def test_a_receipt_with_a_value_that_was_not_committed_to_does_not_hold(run: Run, tmp_path: Path) -> None:
    member, code = b"m" * 32, b"c" * 32
    promised = lot.Inputs(code, 1, [member], parts=[(member, lot.commitment(code, member, b"1" * 32), b"2" * 32)])
    receipt = tmp_path / "draw.py"
    receipt.write_text(lot.script(promised, [member]), encoding="utf-8")
    told = run("verify", receipt, "--json")
    assert (told.code, told.json["holds"]) == (1, False)
    assert "another value than the one committed to" in told.json["why"]


@pytest.mark.parametrize(
    ("text", "args", "says"),
    [
        ("", (), "nobody is on the list"),
        ("# only this\n", (), "nobody is on the list"),
        ("Ada\nBen\n Ada \n", (), "Line 3: “Ada” is on the list twice"),
        ("Ada; Night Shift\n", (), "Line 1: the group"),
        ("Ada\n", ("--seats", "0"), "--seats"),
        ("Ada\n", ("--quota", "night"), "is not a quota"),
        ("Ada\n", ("--quota", "night:3:1"), "more seats at least than at most"),
        ("Ada\n", ("--quota", "night:1", "--quota", "night:1"), "a group is there twice"),
        ("Ada\n", ("--quota", "night:2"), "keep 2 seats"),
        ("Ada\n", ("--quota", "night:1"), "nobody on the list is of the group “night”"),
        ("Ada\nBen\n", ("--seats", "3"), "there are 3 seats, and 2 names on the list"),
        ("Ada\n; night\n", (), "Line 2: there is a group and no name"),
    ],
)
def test_a_list_that_cannot_be_drawn_from_is_refused_with_a_sentence(
    run: Run, tmp_path: Path, text: str, args: tuple[str, ...], says: str
) -> None:
    path = tmp_path / "list"
    path.write_text(text, encoding="utf-8")
    ran = run("draw", path, "--randomness", "7", *args)
    assert ran.code == 2
    assert says in ran.err


def test_a_list_is_the_same_whatever_editor_wrote_it() -> None:
    one = lot_file.read_list("\ufeffZoé\r\nAda\r\n")
    assert one == lot_file.read_list("Zoe\u0301\nAda")


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"CODE = 1", b"hello\n" * 99, b"'\\ud800'"])
def test_what_is_no_receipt_is_said_to_be_none(run: Run, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "draw.py"
    path.write_bytes(data)
    ran = run("verify", path)
    assert ran.code == 2
    assert ran.err.startswith("FILE: ")
    assert run("verify", tmp_path / "nothing").code == 2
    assert run("verify", path, path).code == 2


# RFC 3797


def test_the_reference_draw_of_rfc_3797_verifies(run: Run, vectors: Path) -> None:
    files = [vectors / "rfc3797" / name for name in ("ref.names", "ref.seeds", "ref.results")]
    told = run("verify", "--rfc3797", *files, "--json")
    assert told.code == 0
    assert (told.json["holds"], told.json["checked"]) == (True, 16)
    assert [each["number"] for each in told.json["order"]][:10] == [17, 7, 2, 16, 25, 23, 8, 24, 19, 13]
    assert "These results hold: all 16 ranks" in run("verify", "--rfc3797", *files).out
    assert "Kasczynski" in run("verify", "--rfc3797", *files[:2]).out


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("-> 17 <- Lee", "-> 18 <- Lee", "Rank 1: it is number 17, Lee"),
        ("<- Lee", "<- Doc", "Rank 1: number 17 is Lee, and not Doc"),
        ("990DD0A5", "990DD0A6", "Rank 1: the hash"),
        ("   16  3269", "   26  3269", "Rank 26: the list has 25 names"),
    ],
)
def test_results_that_were_changed_do_not_hold(run: Run, vectors: Path, tmp_path: Path, old: str, new: str, says: str) -> None:
    folder = vectors / "rfc3797"
    results = tmp_path / "results"
    text = (folder / "ref.results").read_text()
    assert old in text
    results.write_text(text.replace(old, new))
    ran = run("verify", "--rfc3797", folder / "ref.names", folder / "ref.seeds", results)
    assert ran.code == 1
    assert f"It does not hold. {says}" in ran.out


def test_files_that_are_not_as_rfc_3797_has_them_are_refused(run: Run, tmp_path: Path) -> None:
    good, bad, empty = tmp_path / "good", tmp_path / "bad", tmp_path / "empty"
    good.write_text("1 2 3\n")
    bad.write_text("one two\n")
    empty.write_text("# nothing\n")
    for files in ([good], [good, bad], [good, empty], [good, good, bad], [good, good, empty]):
        assert run("verify", "--rfc3797", *files).code == 2
    with pytest.raises(Misuse, match="65,535"):
        lot_file.picks([""] * 65_536, [[1]])


# With a key of one's own


def test_a_promise_is_the_commitment_of_a_value(run: Run) -> None:
    about, who = "ab" * 32, "cd" * 32
    told = run("promise", about, who, "--json").json
    wanted = lot.commitment(bytes.fromhex(about), bytes.fromhex(who), bytes.fromhex(told["value"]))
    assert bytes.fromhex(told["commitment"]) == wanted
    assert told["value"] != run("promise", about, who, "--json").json["value"]
    given = run("promise", about, who, "--value", "ef" * 32)
    assert "ef" * 32 in given.out
    assert "Keep the value" in given.err
    for args in (("x", who), (about, "ab"), (about, who, "--value", "00")):
        assert run("promise", *args).code == 2


# Lots of a space


def test_a_lot_goes_from_opening_to_its_receipt_on_a_node_with_one_tap_each(run: Run, tmp_path: Path) -> None:
    clock = MovedClock(1_790_000_000_000, running=False)
    home = Home.found(tmp_path / "isle", "Harbour House", "Ada", clock)
    try:
        for name in ("Ben", "Cleo"):
            invitation = commands_member.invite(home, url="https://isle.example")["invitation"]
            commands_member.join(home, given=invitation, member=name)
        keys = {name: home.key_files.key(name) for name in ("Ada", "Ben", "Cleo")}
        opened = home.actions.submit("lot.opened/1", {"purpose": "other", "subject": home.space.hex()}, keys["Ada"]).digest
        body = {"lot": opened.hex()}
        for name in ("Ada", "Ben"):
            home.actions.submit("lot.committed/1", body, keys[name])
        with pytest.raises(Refused, match="too early to reveal"):
            home.actions.submit("lot.revealed/1", body, keys["Ada"])
        clock.move(COMMIT_MINUTES.default * MINUTE)
        for name in ("Ada", "Ben"):
            home.actions.submit("lot.revealed/1", body, keys[name])
        clock.move(REVEAL_MINUTES.default * MINUTE)
        home.actions.submit("lot.drawn/1", body, keys["Cleo"])
    finally:
        home.close()
    (row,) = run("list", "--json").json
    assert (row["phase"], row["committed"], row["revealed"], len(row["seated"])) == ("drawn", 2, 2, 1)
    assert "for something else" in run("list").out
    receipt = tmp_path / "draw.py"
    assert run("receipt", row["lot"], "--output", receipt).code == 0
    assert run("verify", receipt, "--json").json["holds"]
    assert run("receipt", row["lot"]).out == receipt.read_text(encoding="utf-8")
    assert "2 of 2 parts revealed" in run("verify", receipt).out
    for wrong in ("x", "ab" * 32):
        assert run("receipt", wrong).code == 2


def test_the_program_on_the_page_of_a_lot_survives_being_copied_from_there() -> None:
    member, other, code = b"m" * 32, b"n" * 32, b"c" * 32
    inputs = lot.Inputs(code, 1, [member, other], public='it\'s <b>7</b> & `8` "9"')
    page = markdown.html(f"```python\n{lot.script(inputs, inputs.draw().drawn)}```")
    copied = html.unescape(page.partition("<pre><code>")[2].partition("</code></pre>")[0])
    ran = subprocess.run([sys.executable, "-I", "-S", "-"], input=copied, capture_output=True, text=True, check=True)
    assert ran.stdout == lot.printed(inputs, inputs.draw().drawn)
    assert ran.stdout.endswith("\nas published\n")
