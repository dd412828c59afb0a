"""The command line as people and scripts meet it: answers, refusals, exit codes, and what is never written."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from node.cli import main
from node.cli_desk import default_folder
from node.cli_fields import flat, row
from node.failure import Misuse
from node.home import Home
from protocol import body as bodies
from protocol.practices import KINDS


class Ran(Struct):
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a command to a node of its own."""

    def given(*args: str) -> Ran:
        capsys.readouterr()
        code = main(["-C", str(tmp_path / "isle"), *args])
        return Ran(code, *capsys.readouterr())

    return given


@pytest.fixture
def isle(run: Run) -> Run:
    """The same, founded."""
    assert run("found", "--name", "Harbour House", "--member", "Ada").code == 0
    return run


BREAD = [
    "--date", "2026-03-14", "--memo", "Flour",
    "--postings", "account=assets:cash amount=-12.50 currency=EUR",
    "--postings", '{"account": "expenses:food", "amount": "12.50", "currency": "EUR"}',
]  # fmt: skip


def test_founding_makes_a_space_a_member_and_a_kit_beside_the_folder(run: Run, tmp_path: Path) -> None:
    told = run("found", "--name", "Harbour House", "--member", "Ada", "--json").json
    assert told["space"].startswith("isle:")
    assert len(list((tmp_path / "isle-founding-kit").iterdir())) == 5
    status = run("status", "--json").json
    assert status["space"] == told["space"]
    assert (status["name"], status["size"], status["state"], status["peers"]) == ("Harbour House", 2, "running", [])
    assert "founding kit" in status["warnings"][0]


def test_status_in_words_is_today(isle: Run) -> None:
    isle("record", "add", "ledger.transaction-booked", *BREAD)
    told = isle("status")
    assert "Needs you" in told.out
    assert "For all of us" in told.out
    assert "Flour" in told.out
    assert "Ada" in told.out
    assert "\x1b" not in told.out
    assert "founding kit" in told.err


@pytest.mark.parametrize(
    ("name", "member", "field"),
    [(" ", "Ada", "--name"), ("x" * 81, "Ada", "--name"), ("Isle", ".a", "--member"), ("Isle", "a/b", "--member")],
)
def test_founding_with_an_unfit_name_says_which_and_writes_nothing(
    run: Run, tmp_path: Path, name: str, member: str, field: str
) -> None:
    ran = run("found", "--name", name, "--member", member)
    assert ran.code == 2
    assert ran.err.startswith(field)
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_node_is_an_error_that_says_what_to_run(run: Run, tmp_path: Path) -> None:
    ran = run("status")
    assert ran.code == 1
    assert "found --name" in ran.err
    assert not list(tmp_path.iterdir())


def test_founding_twice_is_refused_and_changes_nothing(isle: Run) -> None:
    before = isle("status", "--json").json
    assert isle("found", "--name", "Other", "--member", "Bo").code == 1
    assert isle("status", "--json").json == before


def test_a_record_is_added_from_options_and_shown_as_it_was_said(isle: Run) -> None:
    added = isle("record", "add", "ledger.transaction-booked", *BREAD, "--json").json
    assert added["kind"] == "ledger.transaction-booked/1"
    shown = isle("record", "show", added["digest"], "--json").json
    assert shown["body"]["memo"] == "Flour"
    assert [each["amount"] for each in shown["body"]["postings"]] == ["-12.50", "12.50"]
    assert isle("log", "show", "--json").json[-1]["digest"] == added["digest"]
    assert "Flour" in isle("record", "show", added["digest"]).out


def test_options_json_and_dotted_names_give_the_same_body(isle: Run) -> None:
    body = {
        "date": "2026-03-14",
        "memo": "Flour",
        "postings": [
            {"account": "assets:cash", "amount": "-12.50", "currency": "EUR"},
            {"account": "expenses:food", "amount": "12.50", "currency": "EUR"},
        ],
    }
    dotted = ["--date", "2026-03-14", "--memo", "Flour"]
    for at, posting in enumerate(body["postings"]):
        for name, value in posting.items():  # type: ignore[attr-defined]  # a dictionary of text
            dotted += [f"--postings.{at}.{name}", value] if at else [f"--postings.{at}.{name}={value}"]
    shown = []
    for args in (["ledger.transaction-booked/1", *BREAD], ["ledger.transaction-booked", *dotted],
                 ["ledger.transaction-booked", "--body", json.dumps(body)]):  # fmt: skip
        digest = isle("record", "add", *args, "--json").json["digest"]
        shown.append(isle("record", "show", digest, "--json").json["body"])
    assert shown[0] == shown[1] == shown[2]


@pytest.mark.parametrize(
    ("args", "field"),
    [
        (["--memo", "Flour"], "Date"),
        (["--date", "2026-03-14"], "Postings"),
        (["--date", "2026-13-40", *BREAD[2:]], "2026-13-40"),
        ([*BREAD[:-1], '{"account": "expenses:food", "amount": "12.55", "currency": "EUR"}'], "EUR"),
        ([*BREAD[:-1], "account=expenses:food amount=12.555 currency=EUR"], "Amount"),
        ([*BREAD[:-1], "account=expenses:food amount=12.50 curency=EUR"], "curency"),
        ([*BREAD[:-1], "expenses:food"], "expenses:food"),
        ([*BREAD, "--mema", "x"], "mema"),
        ([*BREAD, "--audience", "everybody"], "--audience"),
        ([*BREAD, "--as", "Nobody"], "Nobody"),
        ([*BREAD, "--body", "{}"], "--body"),
        (["--body", "{"], "--body"),
    ],
)
def test_a_record_that_does_not_hold_names_the_field_and_nothing_is_written(isle: Run, args: list[str], field: str) -> None:
    before = isle("status", "--json").json
    ran = isle("record", "add", "ledger.transaction-booked", *args)
    assert ran.code == 2
    assert field in ran.err
    assert not ran.out
    assert isle("status", "--json").json == before
    error = json.loads(isle("record", "add", "ledger.transaction-booked", *args, "--json").err)
    assert error["code"] == 2
    assert field in error["error"]


def test_an_audience_is_narrowed_and_never_widened(isle: Run) -> None:
    digest = isle("record", "add", "ledger.transaction-booked", *BREAD, "--audience", "members", "--json").json["digest"]
    assert isle("record", "show", digest, "--json").json["audience"] == "members"
    ran = isle("record", "add", "member.named", "--name", "Ada", "--audience", "public")
    assert ran.code == 2
    assert "Audience" in ran.err


def test_what_nobody_does_alone_is_proposed_decided_and_done(isle: Run) -> None:
    wire = ("tripwire.set", "--figure", "members.count", "--compare", "below", "--number", "3", "--who", "All of us")
    alone = isle("record", "add", *wire)
    assert (alone.code, "takes a decision" in alone.err) == (2, True)
    assert "--propose" in isle("record", "add", "tripwire.set", "--help").out
    proposal = isle("record", "add", *wire, "--propose", "We want to notice when we become few.", "--json").json
    assert proposal["kind"] == "decision.proposed/1"
    said = isle("record", "show", proposal["digest"]).out
    assert "Set a trip wire" in said
    assert "We want to notice" in said
    assert "All of us" in said, "its words stand in the text"
    round_ = isle(
        "record", "add", "decision.called", "--proposal", proposal["digest"], "--version", "1", "--type", "majority", "--json"
    )
    digest = round_.json["digest"]
    assert isle("record", "add", "vote.cast", "--round", digest, "--choice", "yes").code == 0
    assert isle("record", "add", *wire).code == 2, "it is not counted yet"
    assert isle("record", "add", "decision.closed", "--round", digest).code == 0
    other = isle("record", "add", *wire[:6], "4", *wire[7:])
    assert other.code == 2, "leave was given for exactly one"
    assert isle("record", "add", *wire).code == 0
    assert isle("record", "add", *wire).code == 2


def test_acts_are_proposed_one_by_one(isle: Run) -> None:
    ran = isle("record", "add", "tripwire.set", "--propose", "We want to notice.", "-")
    assert ran.code == 2
    assert "one by one" in ran.err


@pytest.mark.parametrize(
    "args", [["frob"], ["record", "add", "no.such-kind"], ["moon"], ["moon", "soon"], ["moon", "3000"], ["-Q"]]
)
def test_what_no_command_knows_is_exit_code_2(isle: Run, args: list[str]) -> None:
    ran = isle(*args)
    assert ran.code == 2
    assert ran.err.strip()


def test_every_kind_is_a_command_with_an_option_for_each_field(isle: Run) -> None:
    assert KINDS
    listed = isle("record", "add", "--help").out
    for name, kind in KINDS.items():
        bare = name.rpartition("/")[0]
        assert bare in listed
        told = isle("record", "add", bare, "--help")
        assert told.code == 0
        body: type[Struct] = kind.body
        for field in bodies.fields(body):
            assert f"--{field.name.replace('_', '-')}" in told.out.replace("--with-", "--")


def test_the_moon_of_a_year_needs_no_folder(run: Run, tmp_path: Path) -> None:
    told = run("moon", "2026", "--json").json
    assert told[0] == {"cycle": 322, "new_moon": "2026-01-18T19:52:00Z"}
    assert len(told) == 12
    assert not list(tmp_path.iterdir())


def test_an_invitation_lets_one_person_in_and_no_second(isle: Run) -> None:
    invitation = isle("invite", "--json").json["invitation"]
    joined = isle("join", invitation, "--member", "Bo", "--json").json
    assert joined["admitted"]
    assert isle("record", "add", "ledger.transaction-booked", *BREAD, "--as", "Bo").code == 0
    again = isle("join", invitation, "--member", "Cy")
    assert again.code == 2
    assert "used" in again.err
    assert isle("record", "add", "ledger.transaction-booked", *BREAD, "--as", "Cy").code == 2


def test_an_invitation_is_printed_to_the_letter(isle: Run) -> None:
    for more in ([], ["--peer"]):
        line = isle("invite", "--url", "https://isle.example", *more).out.strip()
        assert line.startswith("archipelago:")
        assert line.endswith("@https://isle.example")
        assert line.isascii()


def test_joining_under_a_name_that_is_taken_leaves_the_other_key_alone(isle: Run) -> None:
    invitation = isle("invite", "--json").json["invitation"]
    assert isle("join", invitation, "--member", "Ada").code == 2
    assert isle("record", "add", "ledger.transaction-booked", *BREAD, "--as", "Ada").code == 0
    assert isle("join", invitation, "--member", "Bo").code == 0


def test_an_invitation_that_was_cut_off_or_is_for_another_space_is_refused(isle: Run) -> None:
    invitation = isle("invite", "--json").json["invitation"]
    assert isle("join", invitation[:60], "--member", "Bo").code == 2
    other = "archipelago:join:" + "a" * 52 + invitation[69:]
    assert "-C" in isle("join", other, "--member", "Bo").err


def test_a_receipt_holds_without_the_node_and_not_with_one_changed_letter(isle: Run, tmp_path: Path) -> None:
    space = isle("status", "--json").json["space"]
    digest = isle("record", "add", "ledger.transaction-booked", *BREAD, "--json").json["digest"]
    file = tmp_path / "receipt"
    assert isle("receipt", digest, "--output", str(file)).code == 0
    told = isle("verify", str(file), "--json").json
    assert (told["holds"], told["space"], told["digest"], told["body"]["memo"]) == (True, space, digest, "Flour")
    assert isle("verify", str(file), "--space", space).code == 0
    assert isle("verify", str(file), "--space", "isle:" + "a" * 52).code == 1
    text = file.read_text()
    assert isle("receipt", digest).out == text
    at = text.index("extra ") + 400
    file.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
    assert isle("verify", str(file)).code == 1
    assert isle("receipt", digest, "--output", str(file)).code == 1


@pytest.mark.parametrize("data", [b"", b"hello", b"archipelago backup v1\n"])
def test_a_file_that_is_no_receipt_is_not_taken_for_one(run: Run, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    ran = run("verify", str(tmp_path / "file"))
    assert ran.code == 2
    assert "FILE" in ran.err
    assert run("verify", str(tmp_path / "none")).code == 2


def test_a_receipt_of_what_is_not_here_is_refused(isle: Run) -> None:
    assert isle("receipt", "ab").code == 2
    assert isle("receipt", "ab" * 32).code == 2


def test_rebuilding_gives_the_same_tables(isle: Run) -> None:
    isle("record", "add", "ledger.transaction-booked", *BREAD)
    told = isle("rebuild", "--json").json
    assert told["same"]
    assert told["records"] == 3


def test_a_member_gets_a_login_for_the_pages_once(isle: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert isle("password").code == 2
    for nothing in ("", "\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(nothing))
        ran = isle("password")
        assert (ran.code, "The password is empty" in ran.err) == (2, True)
    monkeypatch.setattr("sys.stdin", io.StringIO("three words in a row\n"))
    assert isle("password", "Ada", "--json").json["login"] == "Ada"
    home = Home.open(tmp_path / "isle")
    try:
        account, key = home.accounts.unlock("Ada", "three words in a row", home.clock.now_ms())
        assert (account.member, key.public) == (home.key_files.key().public,) * 2
    finally:
        home.close()
    monkeypatch.setattr("sys.stdin", io.StringIO("four words in a row\n"))
    assert "taken" in isle("password").err


def test_many_records_come_as_lines_and_refused_ones_are_told_by_number(isle: Run, tmp_path: Path) -> None:
    good = {
        "date": "2026-03-14",
        "postings": [
            {"account": "assets:cash", "amount": "-1.00", "currency": "EUR"},
            {"account": "expenses:food", "amount": "1.00", "currency": "EUR"},
        ],
    }
    bad = {**good, "date": "yesterday"}
    lines = [json.dumps(each) for each in [*[good] * 3, bad, good]] + ["{", ""]
    ran = _process(tmp_path, ["record", "add", "ledger.transaction-booked", "-", "--json"], "\n".join(lines))
    told = json.loads(ran.stdout)
    assert ran.returncode == 2
    assert told["accepted"] == 4
    assert [each["line"] for each in told["refused"]] == [4, 6]
    assert "Date" in told["refused"][0]["error"]
    assert "Line 4: Date" in ran.stderr
    assert isle("status", "--json").json["size"] == 6
    whole = _process(tmp_path, ["record", "add", "ledger.transaction-booked", "-"], json.dumps(good))
    assert whole.returncode == 0


def _process(tmp_path: Path, args: Sequence[str], given: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "node.cli", "-C", str(tmp_path / "isle"), *args]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("verb", [["moon", "2026"], ["verify", "/nothing/here"]])
def test_a_command_that_needs_no_node_starts_without_a_database_or_a_web_server(verb: list[str]) -> None:
    code = f"import sys; from node.cli import main; main({verb}); print([m for m in sys.modules if m in sys.argv])"
    heavy = ["sqlite_utils", "aiohttp", "pysqlite3", "jinja2", "apscheduler"]
    began = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("[]\n")
    assert time.monotonic() - began < 10  # far from what it takes, on any machine


def test_the_data_folder_is_where_the_desktop_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert default_folder() == Path("/srv/data/archipelago")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/ada")
    assert default_folder() == Path("/home/ada/.local/share/archipelago")


def test_rows_are_read_as_words_or_json() -> None:
    assert row('a=1 b="x y"') == {"a": "1", "b": "x y"}
    assert row('{"a": 1, "b": {"c": [2]}}') == {"a": "1", "b.c.0": "2"}
    with pytest.raises(Misuse, match="quotation"):
        row('a="x')
    with pytest.raises(Misuse, match="missing"):
        flat((), {}, ["--a.b"])
