"""Ledger: what is booked balances, corrections are linked, and what pages say follows from the records."""

from __future__ import annotations

import timeit
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import moon
from protocol.accounting import (
    ACCOUNTS,
    BUDGETS,
    CLOSINGS,
    LINES,
    TRANSACTIONS,
    balance_on,
    books,
    budgets_of,
    compared,
    day_at,
    placed,
)
from protocol.body import from_flat, from_json, structure_and_words, to_flat, to_json
from protocol.page import Bars, Chart, Flow, Grid, Money, Stream
from protocol.practice import EVERYTHING, MEMBERS, PUBLIC, Act, Kind, Own, Refused
from protocol.practices import ledger
from protocol.practices.ledger import BalanceAsserted, Booked, BudgetSet, Closed, Opened, Posting, Reversed
from tests.protocol.desk import Desk

KINDS: dict[str, Kind[Any]] = {kind.name.split(".")[1].split("/")[0]: kind for kind in ledger.PRACTICE.kinds}
HOME = b"a" * 32
NOW = 1_773_500_000_000  # 2026-03-14
CYCLE = moon.cycle_at(NOW)


def booked(date: str, *postings: tuple[str, int, str], **more: Any) -> Booked:
    return Booked(date=date, postings=[Posting(*each) for each in postings], **more)


def spend(amount: int, date: str = "2026-03-10", account: str = "expenses:food", **more: Any) -> Booked:
    return booked(date, ("assets:cash", -amount, "EUR"), (account, amount, "EUR"), **more)


def earn(amount: int, date: str = "2026-03-01", account: str = "income:dues") -> Booked:
    return booked(date, (account, -amount, "EUR"), ("assets:cash", amount, "EUR"), memo="dues")


def write(desk: Desk, name: str, body: msgspec.Struct, **more: Any) -> bytes:
    return desk.write(KINDS[name], body, **{"logged_ms": NOW, **more})


def grids(desk: Desk) -> dict[str, Grid]:
    return {block.caption: block for block in ledger.page(desk.view(HOME), NOW) if isinstance(block, Grid)}


# Booking


def test_a_transaction_makes_one_row_and_one_for_each_posting() -> None:
    desk = Desk()
    digest = write(desk, "transaction-booked", spend(1250, memo="Flour", payee="Mill", budget="kitchen"))
    view = desk.view(HOME)
    (row,) = view.all(TRANSACTIONS)
    assert (row.position, row.id, row.date, row.memo, row.payee, row.amount_minor, row.currency, row.budget) == (
        0, digest, "2026-03-10", "Flour", "Mill", 1250, "EUR", "kitchen",
    )  # fmt: skip
    lines = sorted(view.all(LINES), key=lambda line: line.number)
    assert [(line.number, line.account, line.amount_minor, line.day, line.month, line.cycle) for line in lines] == [
        (0, "assets:cash", -1250, 20260310, 202603, CYCLE),
        (1, "expenses:food", 1250, 20260310, 202603, CYCLE),
    ]


def test_postings_that_do_not_sum_to_zero_in_each_currency_are_refused_and_leave_nothing() -> None:
    desk = Desk()
    body = booked("2026-03-10", ("assets:cash", -1250, "EUR"), ("expenses:food", 1250, "USD"))
    with pytest.raises(Refused, match=r"EUR do not sum to zero: 12\.50 missing"):
        write(desk, "transaction-booked", body)
    with pytest.raises(Refused, match=r"0\.01 too much"):
        write(desk, "transaction-booked", booked("2026-03-10", ("assets:cash", -1249, "EUR"), ("expenses:food", 1250, "EUR")))
    assert not any(desk.kept.values())


@given(
    st.lists(st.tuples(st.sampled_from(["EUR", "HOURS", "B2"]), st.integers(-(10**12) + 1, 10**12 - 1)), min_size=2, max_size=8)
)
def test_what_is_booked_always_sums_to_zero(drawn: list[tuple[str, int]]) -> None:
    desk = Desk()
    body = booked("2026-03-10", *((f"assets:a{number}", amount, currency) for number, (currency, amount) in enumerate(drawn)))
    right = all(amount for _, amount in drawn) and all(
        sum(amount for each, amount in drawn if each == currency) == 0 for currency, _ in drawn
    )
    if right:
        write(desk, "transaction-booked", body)
    else:
        with pytest.raises(Refused):
            write(desk, "transaction-booked", body)
    assert all(total == 0 for _, total in desk.view(HOME).sums(LINES, "amount_minor", "currency"))
    assert bool(desk.view(HOME).all(LINES)) == right


def test_a_posting_of_nothing_and_a_day_that_is_none_are_refused() -> None:
    desk = Desk()
    with pytest.raises(Refused, match="moves nothing"):
        write(desk, "transaction-booked", booked("2026-03-10", ("assets:cash", 0, "EUR"), ("expenses:food", 0, "EUR")))
    for day in ("2026-02-29", "2026-13-01", "2026-00-10"):
        with pytest.raises(Refused, match="no day"):
            write(desk, "transaction-booked", spend(1, day))
    for day in ("0001-01-01", "9999-12-31", "1899-06-01"):
        with pytest.raises(Refused, match="too far away"):
            write(desk, "transaction-booked", spend(1, day))


@pytest.mark.parametrize(
    ("account", "currency", "date"),
    [
        ("assets:cash\n", "EUR", "2026-03-10"),
        ("assets", "EUR", "2026-03-10"),
        ("assets:", "EUR", "2026-03-10"),
        ("assets:-", "EUR", "2026-03-10"),
        ("assets:Cash", "EUR", "2026-03-10"),
        ("money:cash", "EUR", "2026-03-10"),
        ("assets:cash", "EUR\n", "2026-03-10"),
        ("assets:cash", "E", "2026-03-10"),
        ("assets:cash", "2E", "2026-03-10"),
        ("assets:cash", "eur", "2026-03-10"),
        ("assets:cash", "EUR", "2026-03-10\n"),
        ("assets:cash", "EUR", "20260310"),
        ("assets:cash", "EUR", "٢٠٢٦-03-10"),
    ],
)
def test_a_body_that_is_out_of_form_is_refused_before_any_rule(account: str, currency: str, date: str) -> None:
    body = {
        "date": date,
        "postings": [
            {"account": account, "amount": 1, "currency": currency},
            {"account": "equity:x", "amount": -1, "currency": "EUR"},
        ],
    }
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body, Booked)


@pytest.mark.parametrize("amount", [1.0, 10**12, -(10**12), "1.00", True, None])
def test_an_amount_is_a_whole_number_within_bounds(amount: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"account": "assets:cash", "amount": amount, "currency": "EUR"}, Posting)


def test_forms_and_json_give_the_same_body_and_back() -> None:
    body = from_json(
        Booked,
        {
            "date": "2026-03-10",
            "memo": "Soup",
            "postings": [
                {"account": "assets:cash", "amount": "-12.50", "currency": "EUR"},
                {"account": "expenses:food", "amount": "12.50", "currency": "EUR"},
            ],
        },
    )
    assert body == spend(1250, memo="Soup")
    assert from_flat(Booked, to_flat(body)) == body
    assert to_json(body)["postings"][0] == {"account": "assets:cash", "amount": "-12.50", "currency": "EUR"}


def test_a_record_of_a_booking_holds_no_words_and_no_empty_field() -> None:
    structure, words = structure_and_words(spend(1250, memo="Soup"))
    assert sorted(structure) == ["date", "postings"]
    assert words == {"memo": "Soup"}


def test_the_largest_amount_moved_is_what_a_limit_is_compared_with() -> None:
    body = booked("2026-03-10", ("assets:cash", -1250, "EUR"), ("expenses:a", 1000, "EUR"), ("expenses:b", 250, "EUR"))
    assert KINDS["transaction-booked"].weigh(body) == 1250


def test_booking_is_cheap_and_looks_nothing_up_but_closings() -> None:
    desk = Desk()
    body = spend(1250, memo="Soup")
    act = Act(desk.meet(HOME), b"d" * 32, 0, NOW, b"m" * 32, b"m" * 32, PUBLIC, body)

    class Quiet(Desk):
        def rows(self, *asked: Any) -> tuple[Any, ...]:
            return ()

    own = Own(Quiet(), act.space, PUBLIC)
    desk.write(KINDS["transaction-booked"], body)
    assert desk.reads == [("rows", "ledger_closing", ("space",))]
    each_us = min(timeit.repeat(lambda: ledger.book(own, act), number=2000, repeat=7)) / 2000 * 1e6
    assert each_us < 20, f"{each_us:.1f} microseconds a booking of two postings; it is a few on an idle machine"


# Correcting


def test_a_reversal_takes_every_line_back_and_both_name_each_other() -> None:
    desk = Desk(seed=3)
    first = write(
        desk,
        "transaction-booked",
        booked("2026-03-10", ("assets:cash", -30, "EUR"), ("expenses:a", 10, "EUR"), ("expenses:b", 20, "EUR")),
    )
    back = write(desk, "transaction-reversed", Reversed(first, reasons="typed wrong"), logged_ms=NOW)
    view = desk.view(HOME)
    rows = {row.id: row for row in view.all(TRANSACTIONS)}
    assert rows[first].reversed_by == back and rows[back].reverses == first
    assert rows[back].date == "2026-03-14" and rows[back].memo == "typed wrong"
    assert all(total == 0 for _, _, total in view.sums(LINES, "amount_minor", "account", "currency"))
    assert [(line.number, line.amount_minor) for line in sorted(view.all(LINES, position=1), key=lambda line: line.number)] == [
        (0, 30), (1, -10), (2, -20),
    ]  # fmt: skip


def test_a_transaction_is_reversed_once_and_a_reversal_never() -> None:
    desk = Desk()
    first = write(desk, "transaction-booked", spend(5))
    back = write(desk, "transaction-reversed", Reversed(first))
    with pytest.raises(Refused, match="reversed already"):
        write(desk, "transaction-reversed", Reversed(first))
    with pytest.raises(Refused, match="itself a reversal"):
        write(desk, "transaction-reversed", Reversed(back))
    with pytest.raises(Refused, match="no such transaction"):
        write(desk, "transaction-reversed", Reversed(b"x" * 32))


def test_a_record_that_is_no_transaction_cannot_be_reversed() -> None:
    desk = Desk()
    opened = write(desk, "account-opened", Opened("assets:cash"))
    with pytest.raises(Refused, match="no such transaction"):
        write(desk, "transaction-reversed", Reversed(opened))


def test_a_public_reversal_does_not_see_what_is_for_members_only() -> None:
    desk = Desk()
    hidden = write(desk, "transaction-booked", spend(5), audience=MEMBERS)
    with pytest.raises(Refused, match="no such transaction"):
        write(desk, "transaction-reversed", Reversed(hidden), audience=PUBLIC)
    write(desk, "transaction-reversed", Reversed(hidden), audience=MEMBERS)
    assert desk.view(HOME, PUBLIC).all(LINES) == ()


def test_a_reversal_at_a_moment_in_no_calendar_is_refused_not_raised() -> None:
    desk = Desk()
    first = write(desk, "transaction-booked", spend(5))
    with pytest.raises(Refused):
        write(desk, "transaction-reversed", Reversed(first), logged_ms=(2**32 - 1) * 60_000)


# Accounts


def test_booking_opens_an_account_and_closing_ends_it_after_its_day() -> None:
    desk = Desk()
    write(desk, "transaction-booked", spend(5))
    write(desk, "account-closed", Closed("expenses:food", "2026-03-12"))
    write(desk, "transaction-booked", spend(5, "2026-03-12"))
    with pytest.raises(Refused, match="closed after 2026-03-12"):
        write(desk, "transaction-booked", spend(5, "2026-03-13"))
    with pytest.raises(Refused, match="closed already"):
        write(desk, "account-closed", Closed("expenses:food", "2026-03-12"))
    write(desk, "account-opened", Opened("expenses:food"))
    write(desk, "transaction-booked", spend(5, "2026-03-13"))


def test_a_reversal_into_a_closed_account_is_refused() -> None:
    desk = Desk()
    first = write(desk, "transaction-booked", spend(5))
    write(desk, "account-closed", Closed("expenses:food", "2026-03-12"))
    with pytest.raises(Refused, match="closed after"):
        write(desk, "transaction-reversed", Reversed(first, date="2026-03-13"))
    write(desk, "transaction-reversed", Reversed(first, date="2026-03-12"))


def test_an_account_that_is_open_cannot_be_opened_over() -> None:
    desk = Desk()
    write(desk, "account-opened", Opened("assets:fund", "EUR", True, "Roof", "for the roof only"))
    with pytest.raises(Refused, match="open already"):
        write(desk, "account-opened", Opened("assets:fund"))
    (row,) = desk.view(HOME).all(ACCOUNTS)
    assert (row.restricted, row.strings) == (True, "for the roof only")
    assert not desk.view(HOME).all(CLOSINGS)


def test_strings_of_a_restricted_fund_are_shown_and_their_erasure_is_said() -> None:
    desk = Desk()
    write(desk, "account-opened", Opened("assets:fund", "EUR", True, "Roof", "for the roof only"))
    write(desk, "account-opened", Opened("assets:other", "EUR", True))
    words = {row[0]: row[2] for row in grids(desk)["Balances"].rows}
    assert words["assets:fund"] == "Roof. Restricted: for the roof only"
    assert words["assets:other"] == "Restricted: the strings were erased"


def test_advice_warns_of_another_currency_of_what_is_left_and_of_a_difference() -> None:
    desk = Desk()
    write(desk, "account-opened", Opened("assets:cash", "USD"))
    view = desk.view(HOME)
    assert "opened for USD" in ledger.advise_booking(view, spend(5))
    write(desk, "transaction-booked", earn(500))
    assert "5.00 EUR left" in ledger.advise_closing(view, Closed("assets:cash", "2026-03-12"))
    assert not ledger.advise_closing(view, Closed("income:dues", "2026-03-12"))
    assert not ledger.advise_assertion(view, BalanceAsserted("assets:cash", "2026-03-12", 500, "EUR"))
    assert "1.00 less" in ledger.advise_assertion(view, BalanceAsserted("assets:cash", "2026-03-12", 600, "EUR"))
    assert "1.00 more" in ledger.advise_assertion(view, BalanceAsserted("assets:cash", "2026-03-12", 400, "EUR"))


# Reading


def test_a_day_belongs_to_the_cycle_in_which_it_begins() -> None:
    begins = moon.new_moon_ms(CYCLE)
    day = begins // 86_400_000 * 86_400_000
    spoken = day_at(day)
    assert placed(spoken)[2] == CYCLE - 1
    assert placed(day_at(day + 86_400_000))[2] == CYCLE


def test_a_budget_counts_what_names_it_and_what_lies_below_it_unnamed() -> None:
    desk = Desk()
    write(desk, "budget-set", BudgetSet("kitchen", CYCLE, "expenses:food", 5000, "EUR"))
    write(desk, "budget-set", BudgetSet("tools", CYCLE, "expenses:tools", 900, "EUR"))
    for body in (
        spend(100),
        spend(20, account="expenses:food:bread"),
        spend(3, account="expenses:foodbank"),
        spend(4, account="expenses:tools", budget="kitchen"),
        spend(1000, budget="tools"),
        spend(7, "2025-12-24"),
        booked("2026-03-10", ("assets:hours", -9, "HOURS"), ("expenses:food", 9, "HOURS")),
    ):
        write(desk, "transaction-booked", body)
    kept = books(desk.view(HOME))
    kitchen, tools = budgets_of(desk.view(HOME), CYCLE)
    assert (kept.spent(kitchen), kept.spent(tools)) == (124, 1000)
    assert [due.what for due in ledger.due(desk.view(HOME), NOW)] == [
        "The budget for tools is overdrawn by 1.00 EUR in this cycle"
    ]


def test_of_several_budgets_for_one_purpose_the_latest_is_in_force() -> None:
    desk = Desk(seed=5)
    for amount in (100, 300, 200):
        write(desk, "budget-set", BudgetSet("kitchen", CYCLE, "expenses:food", amount, "EUR"))
    assert [budget.amount_minor for budget in budgets_of(desk.view(HOME), CYCLE)] == [200]
    assert len(desk.view(HOME).all(BUDGETS)) == 3


def test_a_statement_that_differs_is_kept_shown_and_due_until_a_later_one_agrees() -> None:
    desk = Desk()
    write(desk, "transaction-booked", earn(1000, "2026-03-01"))
    write(desk, "transaction-booked", spend(300, "2026-03-10"))
    write(desk, "balance-asserted", BalanceAsserted("assets:cash", "2026-03-05", 1000, "EUR", "bank"))
    wrong = write(desk, "balance-asserted", BalanceAsserted("assets:cash", "2026-03-10", 650, "EUR", "cash box"))
    told = {each.assertion.day: (each.booked_minor, each.agrees, each.latest) for each in compared(desk.view(HOME))}
    assert told == {20260305: (1000, True, False), 20260310: (700, False, True)}
    (found,) = ledger.due(desk.view(HOME), NOW)
    assert found.link == wrong and "6.50 EUR" in found.what
    write(desk, "transaction-booked", spend(50, "2026-03-09"))
    assert not list(ledger.due(desk.view(HOME), NOW))
    write(desk, "transaction-booked", spend(1, "2026-03-09"))
    write(desk, "balance-asserted", BalanceAsserted("assets:cash", "2026-03-12", 649, "EUR", "counted again"))
    assert not list(ledger.due(desk.view(HOME), NOW))


def test_a_statement_is_about_the_account_alone_and_its_currency() -> None:
    desk = Desk()
    write(desk, "transaction-booked", booked("2026-03-01", ("assets:cash:box", 5, "EUR"), ("equity:x", -5, "EUR")))
    write(desk, "transaction-booked", booked("2026-03-01", ("assets:cash", 7, "EUR"), ("equity:x", -7, "EUR")))
    write(desk, "transaction-booked", booked("2026-03-01", ("assets:cash", 9, "USD"), ("equity:x", -9, "USD")))
    assert balance_on(desk.view(HOME), "assets:cash", "EUR", 20260301) == 7
    assert balance_on(desk.view(HOME), "assets:cash", "EUR", 20260228) == 0


def test_figures_tell_reserve_and_funding_in_whole_numbers() -> None:
    desk = Desk()
    write(desk, "account-opened", Opened("assets:fund", "EUR", True))
    write(desk, "transaction-booked", earn(3000))
    write(desk, "transaction-booked", earn(1000, account="income:grant"))
    write(desk, "transaction-booked", earn(9999, "2020-01-01", "income:long-ago"))
    write(desk, "transaction-booked", spend(500))
    write(desk, "transaction-booked", booked("2026-03-11", ("assets:cash", -100, "EUR"), ("assets:fund", 100, "EUR")))
    write(desk, "transaction-booked", booked("2026-03-11", ("liabilities:loan", -200, "EUR"), ("assets:cash", 200, "EUR")))
    assert ledger.figures(desk.view(HOME), NOW) == {
        "ledger.reserve": 13499,
        "ledger.reserve-unrestricted": 13399,
        "ledger.strings-percent": 0,
        "ledger.spent-this-cycle": 500,
        "ledger.largest-funder-percent": 75,
        "ledger.effective-funders-tenths": 16,
        "ledger.budgets-overdrawn": 0,
        "ledger.statements-differing": 0,
    }


def test_how_much_has_strings_and_how_long_the_rest_lasts() -> None:
    desk = Desk()
    write(desk, "account-opened", Opened("assets:fund", "EUR", True))
    write(desk, "transaction-booked", booked("2026-01-11", ("assets:fund", 3000, "EUR"), ("income:grant", -3000, "EUR")))
    write(desk, "transaction-booked", booked("2026-01-11", ("assets:cash", 9300, "EUR"), ("income:gifts", -9300, "EUR")))
    assert "ledger.reserve-lasts-tenths" not in ledger.figures(desk.view(HOME), NOW)
    write(desk, "transaction-booked", booked("2026-01-12", ("expenses:rent", 300, "EUR"), ("assets:cash", -300, "EUR")))
    later = NOW + 30 * 86_400_000
    found = ledger.figures(desk.view(HOME), later)
    assert found["ledger.strings-percent"] == 25
    assert found["ledger.reserve-lasts-tenths"] == 900  # 90 cycles of 1.00 each
    write(desk, "transaction-booked", booked("2026-01-13", ("assets:cash", -9000, "EUR"), ("liabilities:loan", 9000, "EUR")))
    assert ledger.figures(desk.view(HOME), later)["ledger.strings-percent"] == 100


def test_an_empty_ledger_has_figures_and_a_page_that_teaches() -> None:
    desk = Desk()
    assert set(ledger.figures(desk.view(HOME), NOW).values()) == {0}
    assert grids(desk)["Balances"].rows == []
    assert "Nothing is booked" in grids(desk)["Balances"].empty


def test_the_summary_says_totals_of_public_entries_only() -> None:
    desk = Desk()
    write(desk, "transaction-booked", earn(1000))
    write(desk, "transaction-booked", spend(300), audience=MEMBERS)
    assert ledger.state(desk.view(HOME, PUBLIC), NOW) == {"totals": {"assets": {"EUR": 1000}, "income": {"EUR": -1000}}}


def test_totals_too_large_for_a_summary_are_held_at_its_bound() -> None:
    desk = Desk()
    most = ledger.MOST
    many = [("assets:a", most, "EUR")] * 32 + [("equity:b", -most, "EUR")] * 32
    for _ in range(300):
        write(desk, "transaction-booked", booked("2026-03-10", *many))
    assert ledger.state(desk.view(HOME), NOW)["totals"]["assets"]["EUR"] == 2**53 - 1


def test_the_page_reads_sums_and_few_rows_only_however_many_are_booked() -> None:
    desk = Desk()
    for number in range(120):
        write(desk, "transaction-booked", spend(number + 1))
    write(desk, "balance-asserted", BalanceAsserted("assets:cash", "2026-03-12", 0, "EUR", "bank"))
    desk.reads.clear()
    blocks = list(ledger.page(desk.view(HOME), NOW))
    assert ("rows", "ledger_line", ("space",)) not in desk.reads
    assert sum(how == "sums" for how, _, _ in desk.reads) == 2
    assert not [read for read in desk.reads if read[:2] == ("rows", "ledger_line")]
    latest = next(block for block in blocks if isinstance(block, Grid) and block.caption == "Booked last")
    assert len(latest.rows) == 50 and latest.rows[0][3] == Money(120, "EUR")


def test_pictures_follow_the_records() -> None:
    desk = Desk()
    write(desk, "transaction-booked", earn(1000, "2026-01-02"))
    write(desk, "transaction-booked", spend(300))
    write(desk, "budget-set", BudgetSet("kitchen", CYCLE, "expenses:food", 5000, "EUR"))
    blocks = list(ledger.page(desk.view(HOME), NOW))
    (chart,) = [block for block in blocks if isinstance(block, Chart)]
    assert [value for _, value in chart.series[0].points] == [1000, 1000, 700]
    assert chart.series[0].points[-1][0] == NOW
    (flow,) = [block for block in blocks if isinstance(block, Flow)]
    assert list(flow.streams) == [
        Stream("income:dues", "in common", 1000), Stream("in common", "expenses:food", 300), Stream("in common", "kept", 700),
    ]  # fmt: skip
    (bars,) = [block for block in blocks if isinstance(block, Bars)]
    assert (bars.bars[0].value, bars.bars[0].limit) == (300, 5000)


def test_every_flow_carries_in_what_it_carries_out() -> None:
    desk = Desk()
    write(desk, "transaction-booked", earn(100))
    write(desk, "transaction-booked", spend(300))
    (flow,) = [block for block in ledger.page(desk.view(HOME), NOW) if isinstance(block, Flow)]
    into = sum(stream.value for stream in flow.streams if stream.target == "in common")
    assert into == sum(stream.value for stream in flow.streams if stream.source == "in common") == 300


def test_erased_words_change_nothing_else() -> None:
    with_words, without = Desk(), Desk()
    for desk, words in ((with_words, True), (without, False)):
        first = write(desk, "transaction-booked", spend(5, **({"memo": "x", "payee": "y"} if words else {})), digest=b"1" * 32)
        write(desk, "transaction-reversed", Reversed(first, reasons="z" if words else ""), digest=b"2" * 32)
        write(desk, "account-opened", Opened("assets:a", "", True, *(("d", "s") if words else ())), digest=b"3" * 32)
        write(desk, "account-closed", Closed("assets:a", "2026-03-12", "r" if words else ""), digest=b"4" * 32)
    for table in ledger.PRACTICE.tables:
        blank = dict.fromkeys(table.erasable, "")
        told = [
            sorted(
                (msgspec.structs.replace(row, **blank) for row in desk.view(HOME, EVERYTHING).all(table)),
                key=lambda row: tuple(getattr(row, column) for column in table.key),
            )
            for desk in (with_words, without)
        ]
        assert told[0] == told[1], table.name
