"""Ledger: money and other resources, in double entry and in the open.

- A transaction's postings sum to zero in each currency; amounts are whole minor units, never floats.
- Hours, goods and tools are currencies of their own (``HOURS``, ``BREAD``), with two decimals like any other.
- Nothing is edited: a transaction is corrected by a reversal that names it, and by booking it right.
- An account is open from its first use; opening one says what it is for, closing one ends it after a day.
- A balance assertion is a statement, not a rule. The bank says what the bank says: where it differs from what was booked
  it is shown and due until it agrees or a later one does. To refuse it would hide just what reconciling has to find, and
  what is booked later, with an earlier date, can make or break it: so it is compared when read, never when written.

Bookings are many, so they cost little: one row each and one for every posting, keyed by place in the log, and no look-up
but whether any account is closed. What follows from the rows is computed in `protocol.accounting`.

Example::

    Booked(date="2026-03-14", memo="Flour", postings=[
        Posting("assets:cash", -1250, "EUR"), Posting("expenses:food", 1250, "EUR"),
    ])
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any

from msgspec import Meta, Struct

from protocol import moon
from protocol.accounting import (
    ACCOUNTS,
    ASSERTIONS,
    BUDGETS,
    CLOSINGS,
    LINES,
    ROOTS,
    TRANSACTIONS,
    YEAR_CYCLES,
    Assertion,
    Books,
    Budget,
    Closing,
    Line,
    OpenAccount,
    Transaction,
    balance_on,
    books,
    budgets_of,
    compared,
    day_at,
    day_ms,
    day_of,
    decimal,
    funding,
    placed,
)  # fmt: skip
from protocol.page import Action, Bar, Bars, Block, Cell, Chart, Flow, Grid, Heading, Money, Ref, Series, State, Stream, Text
from protocol.practice import FOREVER_MS, Act, Change, Digest, Due, Kind, Own, Practice, Put, Refused, View, field

MOST = 10**12 - 1  # minor units of one posting: sums of millions of them stay within 64 bits
EXACT = 2**53 - 1  # what a summary can hold
LATEST = 50

# `$` alone would let a line break through at the end
ACCOUNT_PATTERN = r"^(assets|liabilities|equity|income|expenses)(:[a-z0-9][a-z0-9-]*)+$(?!\n)"
PREFIX_PATTERN = r"^(assets|liabilities|equity|income|expenses)(:[a-z0-9][a-z0-9-]*)*$(?!\n)"
CURRENCY_PATTERN = r"^[A-Z][A-Z0-9]{1,11}$(?!\n)"
PURPOSE_PATTERN = r"^[a-z0-9][a-z0-9-]{0,39}$(?!\n)"
NO_CURRENCY_PATTERN = r"^([A-Z][A-Z0-9]{1,11})?$(?!\n)"
NO_PURPOSE_PATTERN = r"^([a-z0-9][a-z0-9-]{0,39})?$(?!\n)"
NO_DATE_PATTERN = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)"
DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)"

Account = Annotated[
    str,
    field(
        "Account",
        "One of assets, liabilities, equity, income or expenses, then names after colons.",
        widget="account",
        example="assets:cash",
        max_length=120,
        pattern=ACCOUNT_PATTERN,
    ),
]
Currency = Annotated[
    str,
    field(
        "Currency",
        "A currency, or another resource: 2 to 12 capital letters and digits, a letter first.",
        example="EUR",
        pattern=CURRENCY_PATTERN,
    ),
]
Amount = Annotated[
    int,
    field("Amount", "Positive into the account, negative out of it.", widget="money", example="-12.50", ge=-MOST, le=MOST),
]
Day = Annotated[str, field("Date", "The day on which it happened.", widget="date", example="2026-03-14", pattern=DATE_PATTERN)]
Purpose = Annotated[
    str,
    field("Purpose", "A short name in small letters, digits and hyphens.", example="soup-kitchen", pattern=PURPOSE_PATTERN),
]
BlobHash = Annotated[bytes, Meta(min_length=32, max_length=32)]


# What is written


class Opened(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An account is opened, and what it is for."""

    account: Account
    currency: Annotated[
        str,
        field("Currency", "What it holds; leave it empty if it holds several.", example="EUR", pattern=NO_CURRENCY_PATTERN),
    ] = ""
    restricted: Annotated[bool, field("Restricted fund", "Money given for one purpose only, with strings attached.")] = False
    description: Annotated[str, field("Description", "What this account is for.", erasable=True, max_length=500)] = ""
    strings: Annotated[
        str,
        field("Strings", "Who gave it and what they ask for, in words.", widget="text", erasable=True, max_length=4000),
    ] = ""


class Closed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Nothing dated later is booked to this account."""

    account: Account
    date: Annotated[Day, field("Last day", "Nothing dated after this day can be booked to it.")]
    reasons: Annotated[str, field("Reasons", "Why it is closed.", widget="text", erasable=True, max_length=2000)] = ""


class Posting(Struct, frozen=True, forbid_unknown_fields=True):
    """An amount into an account or out of it."""

    account: Account
    amount: Amount
    currency: Currency


class Booked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A transaction."""

    date: Day
    memo: Annotated[str, field("What for", "In a few words.", example="Flour for Tuesday", erasable=True, max_length=500)] = ""
    payee: Annotated[str, field("With whom", "Who was paid, or who paid.", erasable=True, max_length=200)] = ""
    postings: Annotated[
        list[Posting],
        field(
            "Postings",
            "Where it comes from and where it goes: they sum to zero in each currency.",
            min_length=2,
            max_length=64,
        ),
    ]
    budget: Annotated[
        str,
        field(
            "Budget line",
            "The purpose whose budget it comes from.",
            example="soup-kitchen",
            pattern=NO_PURPOSE_PATTERN,
        ),
    ] = ""
    decision: Annotated[Digest | None, field("Decision", "The record that decided on it.", widget="record")] = None
    receipt: Annotated[BlobHash | None, field("Receipt", "The hash of the receipt's file.")] = None


class Reversed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A transaction is taken back, whole."""

    transaction: Annotated[Digest, field("Transaction", "The record of the transaction that is taken back.", widget="record")]
    date: Annotated[
        str,
        field(
            "Date", "The day of the correction; empty: the day it is written.", widget="date",
            pattern=NO_DATE_PATTERN,
        ),
    ] = ""  # fmt: skip
    reasons: Annotated[
        str,
        field("Reasons", "What was wrong with it.", widget="text", erasable=True, required=True, max_length=2000),
    ] = ""


class BudgetSet(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """So much may go to a purpose in one cycle."""

    purpose: Purpose
    cycle: Annotated[int, field("Cycle", "The number of the moon's cycle.", example="321", ge=-1237, le=2473)]
    account: Annotated[
        str,
        field(
            "Accounts", "What is booked to this account or below it, and names no budget line, counts here.", widget="account",
            example="expenses:food", max_length=120, pattern=PREFIX_PATTERN,
        ),
    ]  # fmt: skip
    amount: Annotated[int, field("Amount", "What may be spent in that cycle.", widget="money", example="300.00", ge=0, le=MOST)]
    currency: Currency
    decision: Annotated[Digest | None, field("Decision", "The record that decided on it.", widget="record")] = None


class BalanceAsserted(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What somebody outside says stood in an account at the end of a day."""

    account: Account
    date: Annotated[Day, field("At the end of", "The last day that the statement covers.")]
    amount: Annotated[Amount, field("Balance", "As the statement says; what we owe is negative.")]
    currency: Currency
    against: Annotated[
        str,
        field("Against what", "A bank statement, or who counted the cash.", erasable=True, required=True, max_length=500),
    ] = ""


# Rules


def open_account(own: Own, act: Act[Opened]) -> Iterator[Change]:
    """Say what an account is for; one that was closed is open again."""
    body = act.body
    closed = own.get(CLOSINGS, body.account)
    if own.get(ACCOUNTS, body.account) and not closed:
        raise Refused(f"The account {body.account} is open already. Close it first if it is to mean something else.")
    if closed:
        yield CLOSINGS.drop(body.account)
    yield ACCOUNTS.put(
        OpenAccount(act.space, body.account, act.digest, body.currency, body.restricted, body.description, body.strings)
    )


def close_account(own: Own, act: Act[Closed]) -> Iterator[Change]:
    """End an account after a day."""
    body = act.body
    day, _, _ = placed(body.date)
    if own.get(CLOSINGS, body.account):
        raise Refused(f"The account {body.account} is closed already.")
    yield CLOSINGS.put(Closing(act.space, body.account, act.digest, day, body.reasons))


def book(own: Own, act: Act[Booked]) -> list[Change]:
    """Check that it balances and write it down: run a hundred thousand times in an import, so in few steps."""
    body, space, position = act.body, act.space, act.position
    day, month, cycle = placed(body.date)
    budget = body.budget
    changes: list[Change] = [None]  # type: ignore[list-item]  # its place is taken at the end
    sums: dict[str, int] = {}
    most, in_currency = 0, ""
    for number, posting in enumerate(body.postings):
        amount, currency, account = posting.amount, posting.currency, posting.account
        sums[currency] = sums.get(currency, 0) + amount
        if amount > most:
            most, in_currency = amount, currency
        elif not amount:
            raise Refused(f"A posting to {account} moves nothing. Leave it out, or give it an amount.")
        changes.append(Put(LINES, Line(space, position, number, account, currency, amount, day, month, cycle, budget)))
    for currency, over in sums.items():
        if over:
            raise Refused(_unbalanced(over, currency))
    if own.all(CLOSINGS, limit=1):
        _refuse_closed(own, body.postings, day)
    row = Transaction(
        space, position, act.digest, body.date, body.memo, body.payee, act.member, most, in_currency, budget,
        body.decision, body.receipt, None, None,
    )  # fmt: skip
    changes[0] = Put(TRANSACTIONS, row)
    return changes


def _unbalanced(over: int, currency: str) -> str:
    way = "too much" if over > 0 else "missing"
    return f"Postings in {currency} do not sum to zero: {decimal(abs(over))} {way}. Change an amount or add a posting."


def _refuse_closed(own: Own, postings: Iterable[Posting | Line], day: int) -> None:
    for posting in postings:
        closed = own.get(CLOSINGS, posting.account)
        if closed and day > closed.day:
            last = day_of(closed.day)
            raise Refused(f"The account {posting.account} was closed after {last}. Book to another, or open it again.")


def moved(body: Booked) -> int:
    """The largest amount moved, which is what a grant's limit is compared with."""
    return max(abs(posting.amount) for posting in body.postings)


def reverse(own: Own, act: Act[Reversed]) -> Iterator[Change]:
    """The same amounts the other way, linked both ways."""
    body = act.body
    position = own.position_of(body.transaction)
    found = None if position is None else own.get(TRANSACTIONS, position)
    if found is None:
        raise Refused("There is no such transaction here. Look it up in the ledger and reverse it from its page.")
    if found.reversed_by:
        raise Refused("This transaction is reversed already. Book what is right as a new one.")
    if found.reverses:
        raise Refused("This is itself a reversal. Book the transaction anew instead of reversing it back.")
    spoken = body.date or day_at(act.logged_ms)
    day, month, cycle = placed(spoken)
    lines = sorted(own.all(LINES, position=found.position), key=lambda line: line.number)
    _refuse_closed(own, lines, day)
    yield TRANSACTIONS.put(
        Transaction(
            act.space, act.position, act.digest, spoken, body.reasons, "", act.member, found.amount_minor, found.currency,
            found.budget, None, None, found.id, None,
        )
    )  # fmt: skip
    for line in lines:
        yield LINES.put(
            Line(
                act.space, act.position, line.number, line.account, line.currency, -line.amount_minor, day, month, cycle,
                line.budget,
            )
        )  # fmt: skip
    yield TRANSACTIONS.patch(found.position, reversed_by=act.digest)


def set_budget(own: Own, act: Act[BudgetSet]) -> Iterator[Change]:
    """What a purpose may take in a cycle, from now on."""
    body = act.body
    yield BUDGETS.put(
        Budget(
            act.space, act.position, act.digest, body.purpose, body.cycle, body.account, body.amount, body.currency,
            body.decision,
        )
    )  # fmt: skip


def assert_balance(own: Own, act: Act[BalanceAsserted]) -> Iterator[Change]:
    """A statement, kept as it was made."""
    body = act.body
    day, _, _ = placed(body.date)
    yield ASSERTIONS.put(
        Assertion(act.space, act.position, act.digest, body.account, day, body.amount, body.currency, body.against)
    )


# Advice before a record is written


def advise_booking(view: View, body: Booked) -> str:
    """What an account was opened for, where it is booked to in something else."""
    for posting in body.postings:
        row = view.get(ACCOUNTS, posting.account)
        if row and row.currency and row.currency != posting.currency:
            return f"The account {posting.account} was opened for {row.currency}; this is {posting.currency}."
    return ""


def advise_closing(view: View, body: Closed) -> str:
    """What is left in an account that is about to be closed."""
    if not body.account.startswith(("assets", "liabilities")):
        return ""
    sums = view.sums(LINES, "amount_minor", "currency", account=body.account)
    left = [f"{decimal(amount)} {currency}" for currency, amount in sums if amount]
    return f"There is {' and '.join(left)} left in {body.account}. Book it elsewhere before the last day." if left else ""


def advise_assertion(view: View, body: BalanceAsserted) -> str:
    """Whether what was booked says the same."""
    day, _, _ = placed(body.date)
    booked = balance_on(view, body.account, body.currency, day)
    if booked == body.amount:
        return ""
    off, way = abs(booked - body.amount), "less" if booked < body.amount else "more"
    return f"By what is booked, {decimal(booked)} {body.currency} stood there: {decimal(off)} {way} than the statement says."


# What it says


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Budgets overdrawn in this cycle, and statements that differ from what was booked."""
    cycle = moon.cycle_at(now_ms)
    kept = books(view)
    for budget in budgets_of(view, cycle):
        over = kept.spent(budget) - budget.amount_minor
        if over > 0:
            what = f"The budget for {budget.purpose} is overdrawn by {decimal(over)} {budget.currency} in this cycle"
            yield Due(what, None, moon.new_moon_ms(cycle), moon.new_moon_ms(cycle + 1), budget.id)
    for each in compared(view, LATEST):
        if each.latest and not each.agrees:
            said = each.assertion
            what = (
                f"The statement of {day_of(said.day)} says {decimal(said.amount_minor)} {said.currency} in {said.account}, "
                f"the ledger {decimal(each.booked_minor)}: find the difference"
            )
            yield Due(what, None, day_ms(day_of(said.day) + timedelta(days=1)), FOREVER_MS, said.id)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """Reserve and funding of the last 13 cycles, in the currency that most accounts are held in."""
    kept, cycle = books(view), moon.cycle_at(now_ms)
    return {
        **funding(view, kept, cycle),
        "ledger.budgets-overdrawn": sum(kept.spent(b) > b.amount_minor for b in budgets_of(view, cycle)),
        "ledger.statements-differing": sum(each.latest and not each.agrees for each in compared(view, LATEST)),
    }


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """Totals of public entries by root and currency: what a summary says."""
    totals: dict[str, dict[str, int]] = {}
    for (account, currency), amount in books(view).balances.items():
        of = totals.setdefault(account.partition(":")[0], {})
        of[currency] = of.get(currency, 0) + amount
    return {
        "totals": {
            root: {currency: max(-EXACT, min(EXACT, amount)) for currency, amount in sorted(of.items())}
            for root, of in sorted(totals.items())
        }
    }


def page(view: View, now_ms: int) -> Iterator[Block]:
    """Balances, their way over the cycles, where it comes from and goes to, budgets, statements, what was booked last."""
    kept, cycle = books(view), moon.cycle_at(now_ms)
    main = kept.main_currency()
    yield Heading("Ledger")
    yield Action("ledger.transaction-booked/1", {}, "Book a transaction")
    yield _balances(view, kept)
    if main:
        yield _over_cycles(kept, main, cycle, now_ms)
        yield from _sources_and_purposes(kept, main, cycle)
    yield from _budget_bars(view, kept, cycle)
    yield Action("ledger.budget-set/1", {"cycle": str(cycle)}, "Set a budget")
    yield _statements(view)
    yield Action("ledger.balance-asserted/1", {}, "Compare with a statement")
    yield _latest(view)
    yield Action("ledger.account-opened/1", {}, "Open an account")


def _balances(view: View, kept: Books) -> Grid:
    opened = {row.account: row for row in view.all(ACCOUNTS)}
    closed = {row.account: row for row in view.all(CLOSINGS)}
    unused = [(account, row.currency) for account, row in opened.items() if not any(a == account for a, _ in kept.balances)]
    rows: list[list[Cell]] = []
    for account, currency in sorted([*kept.balances, *unused], key=lambda at: (ROOTS.index(at[0].partition(":")[0]), at)):
        row = opened.get(account)
        words = row.description if row else ""
        if row and row.restricted:
            said = f"Restricted: {row.strings or 'the strings were erased'}"
            words = f"{words.rstrip('. ')}. {said}" if words else said
        amount = kept.balances.get((account, currency), 0)
        mark: Cell = ""
        if account in closed:
            mark = State("closed", "warn" if amount and account.startswith(("assets", "liabilities")) else "calm")
        rows.append([account, Money(amount, currency) if currency else "", words, mark])
    return Grid(
        "Balances", ["Account", "Balance", "What for", ""], rows,
        "Nothing is booked yet. What we have and owe stands here once the first transaction is in.",
    )  # fmt: skip


def _over_cycles(kept: Books, currency: str, now_cycle: int, now_ms: int) -> Chart:
    """Balances of the largest assets at the end of each of the last cycles, and now."""
    moves: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for cycle, account, each, _, amount in kept.cells:
        if each == currency and account.startswith("assets:"):
            moves[account][cycle] += amount
    largest = sorted(moves, key=lambda account: (-abs(kept.balances[account, currency]), account))[:6]
    first = max(min((min(by) for by in moves.values()), default=now_cycle), now_cycle - YEAR_CYCLES)
    lines = []
    for account in largest:
        standing = sum(amount for cycle, amount in moves[account].items() if cycle < first)
        points = []
        for cycle in range(first, now_cycle + 1):
            standing += moves[account].get(cycle, 0)
            points.append((min(moon.new_moon_ms(cycle + 1), now_ms), standing))
        lines.append(Series(account, points))
    return Chart(f"What we have in {currency}, at the end of each cycle", lines, currency)


def _sources_and_purposes(kept: Books, currency: str, now_cycle: int) -> Iterator[Block]:
    """Sources to one pot and from it to purposes: which money paid for what, nobody booked."""
    since = now_cycle - YEAR_CYCLES + 1
    pot = "in common"
    sources = {a: -n for a, n in kept.by_account("income:", currency, since, now_cycle).items() if n < 0}
    purposes = {a: n for a, n in kept.by_account("expenses:", currency, since, now_cycle).items() if n > 0}
    if not sources and not purposes:
        return
    came, went = sum(sources.values()), sum(purposes.values())
    streams = [Stream(account, pot, amount) for account, amount in sources.items()]
    if went > came:
        streams.append(Stream("from what we had", pot, went - came))
    streams += [Stream(pot, account, amount) for account, amount in purposes.items()]
    if came > went:
        streams.append(Stream(pot, "kept", came - went))
    yield Flow(f"From sources to purposes in {currency}, the last {YEAR_CYCLES} cycles", streams, currency)
    if sources:
        largest = max(sources, key=lambda account: (sources[account], account))
        share = sources[largest] * 100 // came
        yield Text(f"The largest source, {largest}, gave {share} % of what came in. {len(sources)} sources gave something.")


def _budget_bars(view: View, kept: Books, cycle: int) -> Iterator[Block]:
    standing = budgets_of(view, cycle)
    for currency in sorted({budget.currency for budget in standing}):
        bars = [Bar(b.purpose, max(0, kept.spent(b)), b.amount_minor) for b in standing if b.currency == currency]
        yield Bars(f"Budgets of this cycle in {currency}: spent of what was set", bars, currency)
    rows: list[list[Cell]] = [
        [Ref(b.id, "record", b.purpose), b.account, Money(b.amount_minor, b.currency), Money(kept.spent(b), b.currency),
         Money(b.amount_minor - kept.spent(b), b.currency)]
        for b in standing
    ]  # fmt: skip
    empty = "No budget is set for this cycle. A budget says what a purpose may take, so that nobody has to ask each time."
    yield Grid("Budgets of this cycle", ["Purpose", "Accounts", "Set", "Spent", "Left"], rows, empty)


def _statements(view: View) -> Grid:
    rows: list[list[Cell]] = []
    for each in compared(view, LATEST):
        said = each.assertion
        word = State("agrees", "good") if each.agrees else State("differs", "bad" if each.latest else "warn")
        rows.append([
            Ref(said.id, "record", str(day_of(said.day))), said.account, Money(said.amount_minor, said.currency),
            Money(each.booked_minor, said.currency), said.against, word,
        ])  # fmt: skip
    return Grid(
        "Compared with statements", ["End of", "Account", "Statement", "Booked", "Against", ""], rows,
        "No statement was compared yet. Compare the bank's or the cash box's balance with what is booked, with its date.",
    )  # fmt: skip


def _latest(view: View) -> Grid:
    rows: list[list[Cell]] = []
    for each in view.all(TRANSACTIONS, order="-position", limit=LATEST):
        mark: Cell = State("reversed", "warn") if each.reversed_by else State("reversal") if each.reverses else ""
        words = each.memo or "words erased"
        amount = Money(each.amount_minor, each.currency)
        rows.append([Ref(each.id, "record", each.date), words, each.payee, amount, each.budget, mark])
    return Grid("Booked last", ["Date", "What for", "With whom", "Amount", "Budget line", ""], rows, "Nothing is booked yet.")


PRACTICE = Practice(
    name="ledger",
    title="Ledger",
    room="commons",
    about="What we have, owe, earn and spend, in double entry: every figure leads to the records that made it.",
    tables=(ACCOUNTS, CLOSINGS, TRANSACTIONS, LINES, BUDGETS, ASSERTIONS),
    kinds=(
        Kind(
            "ledger.account-opened/1", "Open an account", Opened, open_account, duty=True,
            consequence="Everybody sees what this account is for, and what strings come with it.",
            help="Say what an account is for. Booking to one that was not opened works too.",
        ),
        Kind(
            "ledger.account-closed/1", "Close an account", Closed, close_account, advise_closing, duty=True,
            consequence="Nothing dated later can be booked to this account.",
            help="End an account that is no longer used.",
        ),
        Kind(
            "ledger.transaction-booked/1", "Book a transaction", Booked, book, advise_booking, weigh=moved,
            duty=True,
            consequence="It stands in the ledger for good; only a reversal can take it back.",
            help="Write down what went from where to where.",
        ),
        Kind(
            "ledger.transaction-reversed/1", "Reverse a transaction", Reversed, reverse, duty=True,
            consequence="The same amounts are booked the other way; both stay in the ledger, linked.",
            help="Take a whole transaction back and say why. Then book what is right.",
        ),
        Kind(
            "ledger.budget-set/1", "Set a budget", BudgetSet, set_budget, needs="assembly",
            consequence="It replaces the budget of that purpose in that cycle, if there is one.",
            help="Say what a purpose may take in one cycle of the moon.",
        ),
        Kind(
            "ledger.balance-asserted/1", "Compare with a statement", BalanceAsserted, assert_balance, advise_assertion,
            consequence="If it differs from what is booked, that is shown to all until somebody finds out why.",
            help="Put down what the bank, or whoever counted, says stood in an account at the end of a day.",
        ),
    ),
    due=due,
    figures=figures,
    state=state,
    page=page,
)  # fmt: skip
