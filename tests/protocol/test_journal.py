"""The ledger in other programs: what is written is accepted by the real ones, and says the same amounts."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import journal
from protocol.accounting import balance_on, decimal
from protocol.journal import FORMATS, Journal, beancount, hledger, plain, read
from protocol.practice import Kind, Refused
from protocol.practices import ledger
from protocol.practices.ledger import BalanceAsserted, Booked, Closed, Opened, Posting, Reversed
from tests.protocol.desk import Desk

KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in ledger.PRACTICE.kinds}
HOME = b"a" * 32
NOW = 1_773_500_000_000
NASTY = [
    '"', "\\", "\\\"", ";", "| |", "(17)", "* paid", "! x", "=", "date:2020-99-99", "; date: tomorrow", "\n2026-01-01 * x\n  a  1",
    "\r\n", "\x00", "\u2028", "\u202e", "  two  spaces  ", "#tag ^link", "option \"x\" \"y\"", "{{", "@@ 3 EUR", "=SUM(A1)",
    "-2+3", "end comment", "P 2026-01-01 EUR 1", "комната", "👩‍👩‍👧", "\ufeff", "'", ",", "a,b\"c", "~ monthly", "include /etc/passwd",
]  # fmt: skip


def need(program: str) -> str:
    """The path of a real program, or a skip that says which is missing."""
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.exists() else shutil.which(program)
    if not found:
        pytest.skip(f"the program {program} is not installed, so no journal can be checked by it")
    return found


def run(program: str, *arguments: str) -> str:
    """What a program says; the test fails with its words if it does not accept."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [program, *arguments], capture_output=True, env=environment, timeout=60, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(desk: Desk, name: str, body: Any, **more: Any) -> bytes:
    return desk.write(KINDS[name], body, space=HOME, logged_ms=NOW, **more)


def sample() -> Desk:
    """A ledger with one of everything."""
    desk = Desk(seed=1)
    write(desk, "ledger.account-opened/1", Opened("assets:fund", "EUR", True, 'The "roof"', "Only; for: the roof"))
    write(desk, "ledger.account-opened/1", Opened("assets:unused"))
    cash, food = "assets:cash", "expenses:food:2nd-hand"
    for day, amount in (("2026-02-01", 5000), ("2026-01-05", 700)):
        postings = [Posting("income:dues", -amount, "EUR"), Posting(cash, amount, "EUR")]
        write(
            desk, "ledger.transaction-booked/1", Booked(date=day, memo="dues; monthly", postings=postings, decision=b"d" * 32)
        )
    wrong = write(
        desk,
        "ledger.transaction-booked/1",
        Booked(
            date="2026-02-03",
            payee='Mill "&" Co',
            memo="flour",
            postings=[Posting(cash, -1250, "EUR"), Posting(food, 1250, "EUR")],
        ),
    )
    write(desk, "ledger.transaction-reversed/1", Reversed(wrong, "2026-02-04", "twice"))
    hours = [
        Posting("assets:time", 350, "B2"),
        Posting("equity:gifts", -350, "B2"),
        Posting("assets:time", 1, "TRUE"),
        Posting("equity:gifts", -1, "TRUE"),
    ]
    write(desk, "ledger.transaction-booked/1", Booked(date="2026-02-05", postings=hours, budget="kitchen", receipt=b"r" * 32))
    write(desk, "ledger.balance-asserted/1", BalanceAsserted(cash, "2026-02-04", 5700, "EUR", "bank; no. 3"))
    write(desk, "ledger.balance-asserted/1", BalanceAsserted(cash, "2026-02-03", 1, "EUR", "a typing: error"))
    write(desk, "ledger.account-closed/1", Closed(food, "2026-02-04"))
    write(desk, "ledger.account-closed/1", Closed("assets:nowhere", "2026-02-04"))
    return desk


def booked(rows: Journal) -> dict[tuple[str, str], int]:
    sums: Counter[tuple[str, str]] = Counter()
    for line in rows.lines:
        sums[line.account, line.currency] += line.amount_minor
    return {key: amount for key, amount in sums.items() if amount}


# The real programs


def hledger_balances(path: Path) -> dict[tuple[str, str], int]:
    told = run(need("hledger"), "-f", str(path), "balance", "--flat", "--layout", "bare", "-O", "csv", "--no-total", "-E")
    rows = list(csv.reader(told.splitlines()))[1:]
    return {(account, currency): int(amount.replace(".", "")) for account, currency, amount in rows if amount.strip("-0.")}


def test_hledger_accepts_one_of_everything_and_adds_up_the_same(tmp_path: Path) -> None:
    path, rows = tmp_path / "a.journal", read(sample().view(HOME))
    path.write_text("".join(hledger(rows)), encoding="utf-8")
    run(need("hledger"), "-f", str(path), "check")
    assert hledger_balances(path) == booked(rows)


def test_beancount_accepts_one_of_everything(tmp_path: Path) -> None:
    path = tmp_path / "a.beancount"
    path.write_text("".join(beancount(read(sample().view(HOME)))), encoding="utf-8")
    assert run(need("bean-check"), str(path)) == ""


def test_both_programs_see_a_statement_as_a_real_assertion(tmp_path: Path) -> None:
    """Break the amount of each assertion in the text: the programs must notice."""
    rows = read(sample().view(HOME))
    for program, arguments, text, right in (
        ("hledger", ("check", "-f"), "".join(hledger(rows)), "= 57.00 EUR"),
        ("bean-check", (), "".join(beancount(rows)), "balance Assets:Cash  57.00 EUR"),
    ):
        assert text.count(right) == 1
        path = tmp_path / f"broken.{program}"
        path.write_text(text.replace(right, right.replace("57", "58")), encoding="utf-8")
        with pytest.raises(AssertionError, match=r"58\.00"):
            run(need(program), *arguments, str(path))


accounts = st.from_regex(r"(assets|liabilities|equity|income|expenses)(:[a-z0-9][a-z0-9-]{0,6}){1,3}", fullmatch=True)
currencies = st.one_of(
    st.sampled_from(["EUR", "HOURS", "TRUE", "FALSE", "NULL", "P1", "H2O"]),
    st.from_regex(r"[A-Z][A-Z0-9]{1,11}", fullmatch=True),
)
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))
days = st.dates(min_value=date(1950, 1, 1), max_value=date(2150, 1, 1)).map(str)
bookings = st.tuples(
    days, texts, texts, st.lists(st.tuples(accounts, accounts, st.integers(1, 10**12 - 1), currencies), min_size=1, max_size=3)
)


@st.composite
def ledgers(draw: st.DrawFn) -> Journal:
    """A ledger of drawn bookings, some reversed, with statements that hold and some that do not."""
    desk = Desk()
    for day, memo, payee, moves in draw(st.lists(bookings, min_size=1, max_size=30)):
        postings = [
            posting
            for source, target, amount, currency in moves
            for posting in (Posting(source, -amount, currency), Posting(target, amount, currency))
        ]
        digest = write(desk, "ledger.transaction-booked/1", Booked(date=day, memo=memo, payee=payee, postings=postings))
        if draw(st.integers(0, 4)) == 0:
            write(desk, "ledger.transaction-reversed/1", Reversed(digest, draw(days), draw(texts)))
        source, _, _, currency = moves[0]
        if draw(st.booleans()):
            on = draw(st.sampled_from([day, "2149-12-31", "1950-01-01"]))
            amount = balance_on(desk.view(HOME), source, currency, int(on.replace("-", ""))) + draw(st.sampled_from([0, 0, 1]))
            if abs(amount) < 10**12:
                write(desk, "ledger.balance-asserted/1", BalanceAsserted(source, on, amount, currency, draw(texts)))
        if draw(st.integers(0, 3)) == 0:
            try:
                write(desk, "ledger.account-opened/1", Opened(source, "", draw(st.booleans()), draw(texts), draw(texts)))
                write(desk, "ledger.account-closed/1", Closed(source, "2151-01-01"))
            except Refused:
                pass
    return read(desk.view(HOME))


few = settings(max_examples=6, suppress_health_check=list(HealthCheck))


@few
@given(ledgers())
def test_hledger_accepts_whatever_can_be_booked(tmp_path_factory: pytest.TempPathFactory, rows: Journal) -> None:
    path = tmp_path_factory.mktemp("hledger") / "a.journal"
    path.write_text("".join(hledger(rows)), encoding="utf-8")
    run(need("hledger"), "-f", str(path), "check")
    assert hledger_balances(path) == booked(rows)


@few
@given(ledgers())
def test_beancount_accepts_whatever_can_be_booked(tmp_path_factory: pytest.TempPathFactory, rows: Journal) -> None:
    path = tmp_path_factory.mktemp("beancount") / "a.beancount"
    path.write_text("".join(beancount(rows)), encoding="utf-8")
    assert run(need("bean-check"), str(path)) == ""


def test_every_nasty_text_passes_through_both_programs(tmp_path: Path) -> None:
    desk = Desk()
    for text in NASTY:
        body = Booked(
            date="2026-02-01", memo=text, payee=text, postings=[Posting("assets:a", 1, "EUR"), Posting("equity:b", -1, "EUR")]
        )
        write(desk, "ledger.transaction-booked/1", body)
        write(desk, "ledger.balance-asserted/1", BalanceAsserted("assets:a", "2026-02-01", len(NASTY), "EUR", text))
        write(desk, "ledger.balance-asserted/1", BalanceAsserted("assets:a", "2026-02-01", 99, "EUR", text))
    write(desk, "ledger.account-opened/1", Opened("assets:a", "", True, "".join(NASTY), "".join(NASTY)))
    rows = read(desk.view(HOME))
    for program, arguments, lines in (("hledger", ("check", "-f"), hledger(rows)), ("bean-check", (), beancount(rows))):
        path = tmp_path / program
        path.write_text("".join(lines), encoding="utf-8")
        run(need(program), *arguments, str(path))


def test_each_program_asserts_a_statement_by_its_own_rule_about_accounts_below(tmp_path: Path) -> None:
    desk = Desk()
    for account, amount in (("assets:bank", 700), ("assets:bank:savings", 50)):
        postings = [Posting(account, amount, "EUR"), Posting("equity:x", -amount, "EUR")]
        write(desk, "ledger.transaction-booked/1", Booked(date="2026-02-01", memo="start", postings=postings))
    for amount in (700, 750):
        write(desk, "ledger.balance-asserted/1", BalanceAsserted("assets:bank", "2026-02-01", amount, "EUR", "bank"))
    write(desk, "ledger.account-closed/1", Closed("assets:bank", "2026-02-01"))
    rows = read(desk.view(HOME))
    first, second = "".join(hledger(rows)), "".join(beancount(rows))
    assert "= 7.00 EUR" in first and "= 7.50 EUR" not in first
    assert "balance Assets:Bank  7.50 EUR" in second and "balance Assets:Bank  7.00 EUR" not in second
    for program, arguments, text in (("hledger", ("check", "-f"), first), ("bean-check", (), second)):
        path = tmp_path / program
        path.write_text(text, encoding="utf-8")
        run(need(program), *arguments, str(path))


def test_words_arrive_in_hledger_whole_though_a_semicolon_starts_a_comment(tmp_path: Path) -> None:
    desk = Desk()
    postings = [Posting("assets:a", 1, "EUR"), Posting("equity:b", -1, "EUR")]
    write(desk, "ledger.transaction-booked/1", Booked(date="2026-02-01", memo="flour; salt", payee="A|B", postings=postings))
    path = tmp_path / "a.journal"
    path.write_text("".join(hledger(read(desk.view(HOME)))), encoding="utf-8")
    (row, _) = csv.DictReader(run(need("hledger"), "-f", str(path), "print", "-O", "csv").splitlines())
    assert row["description"] == "A/B | flour, salt"


def test_an_empty_ledger_is_a_journal_too(tmp_path: Path) -> None:
    rows = Journal((), ())
    for program, arguments, lines in (("hledger", ("check", "-f"), hledger(rows)), ("bean-check", (), beancount(rows))):
        path = tmp_path / program
        path.write_text("".join(lines), encoding="utf-8")
        run(need(program), *arguments, str(path))
    assert json.loads("".join(FORMATS["json"](rows))) == []
    assert len(list(FORMATS["csv"](rows))) == 1


# What stands in the text


def test_a_reversal_and_what_it_takes_back_name_each_other() -> None:
    rows = read(sample().view(HOME))
    back = next(each for each in rows.transactions if each.reverses)
    assert back.reverses
    text = "".join(beancount(rows))
    assert text.count(f"^{back.reverses.hex()}") == text.count(f"^{back.id.hex()}") == 2
    told = "".join(hledger(rows))
    assert f"reverses: {back.reverses.hex()}" in told and f"reversed-by: {back.id.hex()}" in told


def test_transactions_come_in_the_order_of_their_dates() -> None:
    rows = read(sample().view(HOME))
    dates = [line[:10] for line in "".join(hledger(rows)).splitlines() if line[:2] == "20"]
    assert dates == sorted(dates) and len(dates) == 6


def test_a_statement_that_does_not_hold_is_a_comment() -> None:
    rows = read(sample().view(HOME))
    assert "; 2026-02-03 statement of assets:cash says 0.01 EUR, booked is 44.50 EUR, a typing error\n" in list(hledger(rows))
    assert "; 2026-02-03 statement of Assets:Cash says 0.01 EUR, booked is 44.50 EUR\n" in list(beancount(rows))


@given(st.lists(accounts, unique=True, max_size=20), st.lists(currencies, unique=True, max_size=20))
def test_different_names_stay_different(names: list[str], symbols: list[str]) -> None:
    assert len({journal.bean_account(each) for each in names}) == len(names)
    assert len({journal.bean_currency(each) for each in symbols}) == len(symbols)


@given(texts)
def test_plain_words_are_one_line_without_edges(text: str) -> None:
    assert plain(text) == plain(plain(text))
    assert plain(text).splitlines() in ([], [plain(text)]) and plain(text) == plain(text).strip()


def test_csv_has_a_row_for_each_posting_and_no_formula() -> None:
    desk = Desk()
    for text in NASTY:
        postings = [Posting("assets:a", -1205, "EUR"), Posting("equity:b", 1205, "EUR")]
        write(desk, "ledger.transaction-booked/1", Booked(date="2026-02-01", memo=text, payee=text, postings=postings))
    rows = read(desk.view(HOME))
    told = list(csv.DictReader(io.StringIO("".join(FORMATS["csv"](rows)), newline="")))
    assert len(told) == 2 * len(NASTY)
    assert [row["amount"] for row in told[:2]] == ["-12.05", "12.05"]
    for row, text in zip(told[::2], NASTY, strict=True):
        assert row["memo"].removeprefix("'") == text.removeprefix("'")
        assert row["memo"].lstrip()[:1] not in ("=", "+", "-", "@")


def test_json_holds_every_transaction_with_decimal_strings() -> None:
    rows = read(sample().view(HOME))
    told = json.loads("".join(FORMATS["json"](rows)))
    assert len(told) == len(rows.transactions)
    sums: Counter[tuple[str, str]] = Counter()
    for each in told:
        for posting in each["postings"]:
            sums[posting["account"], posting["currency"]] += int(posting["amount"].replace(".", ""))
    assert {key: amount for key, amount in sums.items() if amount} == booked(rows)


@given(st.integers(-(10**15), 10**15))
def test_decimals_say_the_amount_exactly(amount: int) -> None:
    text = decimal(amount)
    assert int(text.replace(".", "")) == amount and text[-3] == "."
