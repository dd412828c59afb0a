"""What a ledger's rows hold and what follows from them: balances, budgets spent, statements compared.

- Amounts are whole minor units with two decimals; there is no float anywhere.
- A day belongs to the cycle of the moon in which it begins, in UTC.
- Everything that pages show comes from one sum over the lines (by cycle, account, currency and budget), which a store
  remembers until the next booking; only a statement asks for its account's days.
- A line counts towards the budget that its transaction names; if it names none, towards that whose account it is below.

The rules by which rows come about are in `protocol.practices.ledger`; other programs' journals in `protocol.journal`.

Example::

    kept = books(view)
    kept.balances["assets:cash", "EUR"]   # 1250: 12.50 EUR
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache

from msgspec import Struct

from protocol import moon
from protocol.practice import Refused, Row, Table, Total, View

DAY_MS = 86_400_000
FIRST_CYCLE, LAST_CYCLE = -10_000, 10_000
YEAR_CYCLES, PACE_CYCLES = 13, 3
ROOTS = ("assets", "liabilities", "equity", "income", "expenses")


class OpenAccount(Row, frozen=True):
    """An account that was opened in so many words."""

    account: str
    id: bytes
    currency: str
    restricted: bool
    description: str
    strings: str


class Closing(Row, frozen=True):
    """That an account takes nothing dated later than a day (as YYYYMMDD)."""

    account: str
    id: bytes
    day: int
    reasons: str


class Transaction(Row, frozen=True):
    """One transaction; `amount_minor` is the largest amount it moves."""

    position: int
    id: bytes
    date: str
    memo: str
    payee: str
    member: bytes
    amount_minor: int
    currency: str
    budget: str
    decision: bytes | None
    receipt: bytes | None
    reverses: bytes | None
    reversed_by: bytes | None


class Line(Row, frozen=True):
    """One posting of the transaction at a position; `day` as YYYYMMDD, `month` as YYYYMM, `cycle` of the moon."""

    position: int
    number: int
    account: str
    currency: str
    amount_minor: int
    day: int
    month: int
    cycle: int
    budget: str


class Budget(Row, frozen=True):
    """A budget as set; of several for one purpose, cycle and currency the latest is in force."""

    position: int
    id: bytes
    purpose: str
    cycle: int
    account: str
    amount_minor: int
    currency: str
    decision: bytes | None


class Assertion(Row, frozen=True):
    """A statement of what stood in an account, without those below it, at the end of a day."""

    position: int
    id: bytes
    account: str
    day: int
    amount_minor: int
    currency: str
    against: str


ACCOUNTS = Table("ledger_account", OpenAccount, ("account",), erasable=("description", "strings"))
CLOSINGS = Table("ledger_closing", Closing, ("account",), erasable=("reasons",))
TRANSACTIONS = Table("ledger_transaction", Transaction, ("position",), erasable=("memo", "payee"))
LINES = Table(
    "ledger_line",
    Line,
    ("position", "number"),
    totals=(
        Total("amount_minor", ("cycle", "account", "currency", "budget")),
        Total("amount_minor", ("account", "currency", "day")),
    ),
)
BUDGETS = Table("ledger_budget", Budget, ("position",), indexes=(("cycle",),))
ASSERTIONS = Table("ledger_assertion", Assertion, ("position",), erasable=("against",))


# Days and amounts


@lru_cache(maxsize=65_536)
def placed(day: str) -> tuple[int, int, int]:
    """(YYYYMMDD, YYYYMM, cycle) of a date; Refused if there is no such day."""
    try:
        found = date.fromisoformat(day)
        cycle = moon.cycle_at(day_ms(found))
    except moon.OutsideTable:
        years = f"{moon.FIRST_YEAR + 1} to {moon.LAST_YEAR}"
        raise Refused(f"The date {day} is too far away. Choose one in the years {years}.") from None
    except ValueError:
        raise Refused(f"There is no day {day}. Write the date as year-month-day, such as 2026-03-14.") from None
    month = found.year * 100 + found.month
    return month * 100 + found.day, month, cycle


def day_ms(day: date) -> int:
    """The instant at which a day begins, in UTC."""
    return (day.toordinal() - 719_163) * DAY_MS


def day_at(ms: int) -> str:
    """The date of an instant, in UTC; Refused if no calendar has it."""
    try:
        return date.fromordinal(719_163 + ms // DAY_MS).isoformat()
    except (ValueError, OverflowError):
        raise Refused("This moment is in no calendar. Give the date.") from None


def day_of(number: int) -> date:
    """The day of a YYYYMMDD."""
    return date(number // 10_000, number // 100 % 100, number % 100)


def decimal(amount_minor: int) -> str:
    """An amount as text with two decimals."""
    return f"{'-' * (amount_minor < 0)}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02}"


# What follows


class Books(Struct, frozen=True):
    """What one sum over all lines says; `cells` are (cycle, account, currency, budget, amount)."""

    cells: Sequence[tuple[int, str, str, str, int]]
    balances: Mapping[tuple[str, str], int]  # (account, currency)

    def main_currency(self) -> str:
        """The currency in which most accounts are held, three letters first; empty if nothing was booked."""
        held: dict[str, int] = defaultdict(int)
        for _, currency in self.balances:
            held[currency] += 1
        return min(held, key=lambda currency: (len(currency) != 3, -held[currency], currency), default="")

    def total(self, root: str, currency: str, since_cycle: int = FIRST_CYCLE, until_cycle: int = LAST_CYCLE) -> int:
        """Sum of all accounts of a root, in cycles from `since_cycle` to `until_cycle`."""
        return sum(self.by_account(root, currency, since_cycle, until_cycle).values())

    def by_account(
        self, root: str, currency: str, since_cycle: int = FIRST_CYCLE, until_cycle: int = LAST_CYCLE
    ) -> dict[str, int]:
        """Sum of each account of a root."""
        sums: dict[str, int] = defaultdict(int)
        for cycle, account, each, _, amount in self.cells:
            if each == currency and account.startswith(root) and since_cycle <= cycle <= until_cycle:
                sums[account] += amount
        return {account: amount for account, amount in sorted(sums.items()) if amount}

    def spent(self, budget: Budget) -> int:
        """What counts towards a budget: what names it, and what names none but is booked at or below its accounts."""
        below = budget.account + ":"
        return sum(
            amount
            for cycle, account, currency, named, amount in self.cells
            if cycle == budget.cycle
            and currency == budget.currency
            and (not named or named == budget.purpose)
            and (account == budget.account or account.startswith(below) or (named and account.startswith("expenses:")))
        )


def books(view: View) -> Books:
    """Everything that pages, figures and dues need, from one remembered sum."""
    cells = view.sums(LINES, "amount_minor", "cycle", "account", "currency", "budget")
    balances: dict[tuple[str, str], int] = defaultdict(int)
    for _, account, currency, _, amount in cells:
        balances[account, currency] += amount
    return Books(cells, dict(sorted(balances.items())))


def budgets_of(view: View, cycle: int) -> list[Budget]:
    """The budgets in force in a cycle, by purpose."""
    latest = {(b.purpose, b.currency): b for b in sorted(view.all(BUDGETS, cycle=cycle), key=lambda b: b.position)}
    return [latest[key] for key in sorted(latest)]


def funding(view: View, kept: Books, cycle: int) -> dict[str, int]:
    """What we have, how much of it has strings, and on how many funders of the last year it rests, as figures.

    All in the currency that most accounts are held in; a year is 13 cycles, and a funder is an account of income.
    """
    main = kept.main_currency()
    income = [-amount for amount in kept.by_account("income:", main, cycle - YEAR_CYCLES + 1, cycle).values() if amount < 0]
    total = sum(income)
    restricted = {row.account for row in view.all(ACCOUNTS, restricted=True)}
    held = sum(amount for (account, currency), amount in kept.balances.items() if account in restricted and currency == main)
    assets = kept.total("assets:", main)
    reserve = assets + kept.total("liabilities:", main)
    spent = kept.total("expenses:", main, cycle - PACE_CYCLES, cycle - 1)
    figures = {
        "ledger.reserve": reserve,
        "ledger.reserve-unrestricted": reserve - held,
        "ledger.strings-percent": min(100, max(0, held) * 100 // assets) if assets > 0 else 0,
        "ledger.spent-this-cycle": kept.total("expenses:", main, cycle, cycle),
        "ledger.largest-funder-percent": max(income) * 100 // total if total else 0,
        "ledger.effective-funders-tenths": total * total * 10 // sum(each * each for each in income) if total else 0,
    }
    if spent > 0:
        figures["ledger.reserve-lasts-tenths"] = max(0, reserve - held) * PACE_CYCLES * 10 // spent
    return figures


class Compared(Struct, frozen=True):
    """An assertion beside what was booked up to its day."""

    assertion: Assertion
    booked_minor: int
    latest: bool  # no later statement on the same account and currency

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self.booked_minor == self.assertion.amount_minor


def compared(view: View, limit: int = 0) -> list[Compared]:
    """The latest assertions, newest day first, each beside what was booked."""
    found = sorted(view.all(ASSERTIONS, order="-position", limit=limit), key=lambda a: (a.day, a.position), reverse=True)
    seen: set[tuple[str, str]] = set()
    told = []
    for each in found:
        at = (each.account, each.currency)
        told.append(Compared(each, balance_on(view, each.account, each.currency, each.day), at not in seen))
        seen.add(at)
    return told


def balance_on(view: View, account: str, currency: str, day: int) -> int:
    """What is booked in an account, without those below it, up to the end of a day (YYYYMMDD)."""
    daily = view.sums(LINES, "amount_minor", "day", "currency", account=account)
    return sum(amount for on, each, amount in daily if each == currency and on <= day)
