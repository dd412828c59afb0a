"""Exports: other programs read them, everything is in them, and nothing that is for fewer people than asked for."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from node.cli import main
from node.export import export
from node.failure import Misuse
from node.home import Home
from protocol import body as bodies
from protocol.practices import KINDS

SECRET = "planted-where-only-members-read"


@pytest.fixture
def home(tmp_path: Path) -> Any:
    home = Home.found(tmp_path / "isle", "Harbour House", "Ada")
    key = home.key_files.key()

    def book(memo: str, amount: str, audience: int | None = None) -> None:
        postings = [
            {"account": "assets:cash", "amount": f"-{amount}", "currency": "EUR"},
            {"account": "expenses:food", "amount": amount, "currency": "EUR"},
        ]
        home.actions.submit(
            "ledger.transaction-booked/1", {"date": "2026-03-14", "memo": memo, "postings": postings}, key, audience
        )

    book('Flour; "best", for: us', "12.50")
    book("=1+1", "1.00")
    book(SECRET, "3.00", 2)
    home.actions.submit(
        "ledger.balance-asserted/1",
        {"account": "assets:cash", "date": "2026-03-14", "amount": "-13.50", "currency": "EUR", "against": "counted"},
        key,
    )
    yield home
    home.close()


def text_of(home: Home, **args: str) -> tuple[str, dict[str, Any]]:
    parts: list[str] = []
    told = export(home, lambda what, value: parts.append(value), args)
    return "".join(parts), told


def test_json_holds_every_record_and_bodies_that_can_be_written_again(home: Home) -> None:
    text, told = text_of(home, format="json", audience="members")
    whole = json.loads(text)
    assert [each["position"] for each in whole["records"]] == list(range(home.log.size))
    assert told["records"] == home.log.size
    assert told["left_out"] == 0
    for each in whole["records"]:
        body: Any = KINDS[each["kind"]].body
        assert bodies.to_json(bodies.from_json(body, each["body"])) == each["body"]


@pytest.mark.parametrize("format", ["json", "csv", "hledger", "beancount"])
def test_what_is_for_members_only_is_in_no_public_export(home: Home, format: str) -> None:
    text, told = text_of(home, format=format)
    assert SECRET not in text
    assert "3.00" not in text
    assert told["left_out"] == (1 if format in ("hledger", "beancount") else 2)
    assert SECRET in text_of(home, format=format, audience="members")[0]


def test_csv_tells_each_field_and_no_spreadsheet_takes_one_for_a_formula(home: Home) -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(home, format="csv")[0])))
    memos = [row["value"] for row in rows if row["field"] == "memo"]
    assert memos == ['Flour; "best", for: us', "'=1+1"]
    assert "-12.50" in [row["value"] for row in rows if row["field"] == "postings.0.amount"]


def test_csv_of_one_kind_has_a_column_for_each_field(home: Home) -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(home, format="csv", kind="ledger.transaction-booked")[0])))
    assert [row["postings.1.amount"] for row in rows] == ["12.50", "1.00"]


def test_hledger_accepts_the_journal(home: Home, tmp_path: Path) -> None:
    program = shutil.which("hledger")
    if program is None:
        pytest.skip("hledger is not on this machine (Debian's package hledger)")
    path = tmp_path / "out.journal"
    path.write_text(text_of(home, format="hledger")[0])
    subprocess.run([program, "-f", path, "check"], check=True, capture_output=True)
    balance = subprocess.run(
        [program, "-f", path, "balance", "-N", "expenses:food"], check=True, capture_output=True, text=True
    )
    assert "13.50 EUR" in balance.stdout


def test_bean_check_accepts_the_journal(home: Home, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("bean-check")
    path = tmp_path / "out.beancount"
    path.write_text(text_of(home, format="beancount")[0])
    subprocess.run([program, path], check=True, capture_output=True)


@pytest.mark.parametrize(
    "args",
    [
        {"format": "xml"},
        {"format": "json", "audience": "all"},
        {"format": "csv", "kind": "no.such"},
        {"format": "csv", "practice": "roles"},
        {"format": "json", "space": "isle:" + "a" * 52},
    ],
)
def test_what_cannot_be_exported_is_said(home: Home, args: dict[str, str]) -> None:
    with pytest.raises(Misuse):
        text_of(home, **args)


def test_a_file_is_for_its_owner_alone_and_none_is_left_by_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "isle")
    Home.found(Path(folder), "Harbour House", "Ada").close()
    path = tmp_path / "all.json"
    assert main(["-C", folder, "export", "--format", "json", "--output", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert main(["-C", folder, "export", "--format", "json", "--output", str(path)]) == 1
    assert json.loads(path.read_text())["name"] == "Harbour House"
    bad = tmp_path / "bad"
    assert main(["-C", folder, "export", "--format", "json", "--kind", "no.such", "--output", str(bad)]) == 2
    assert not bad.exists()
