"""The ledger for other programs: journals for hledger and Beancount, CSV and JSON, as streams of text.

- Every transaction of the ledger is one of the journal, in the order of its dates; a reversal and what it takes back name
  each other (a link in Beancount, tags in hledger).
- Names are made valid for each program, one to one: Beancount wants capitals (``Assets:Cash``), and quotes and words that
  it would read as something else are escaped; hledger reads ``;`` as the start of a comment, so words hold none.
- A statement becomes a balance assertion of the program where it holds, and a comment where it does not: a journal that a
  program refuses helps nobody. Beancount asserts at the beginning of a day and with the accounts below; hledger at the end
  of one and without them: each is asserted by its own rule.
- In CSV a text that a spreadsheet would take for a formula has an apostrophe before it.

Example::

    for text in FORMATS["hledger"](read(view)):
        out.write(text)

Sources: hledger 1.25 manual, "Journal format"; Beancount Language Syntax (beancount 3).
"""

from __future__ import annotations

import csv as spreadsheet
import json as notation
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from msgspec import Struct

from protocol.accounting import (
    ACCOUNTS,
    ASSERTIONS,
    CLOSINGS,
    LINES,
    TRANSACTIONS,
    Assertion,
    Closing,
    Line,
    OpenAccount,
    Transaction,
    day_of,
    decimal,
)
from protocol.practice import View

Entry = tuple[Transaction, Sequence[Line]]
Format = Callable[["Journal"], Iterator[str]]

_BEANCOUNT_WORDS = {"TRUE", "FALSE", "NULL"}  # read as values where a currency is meant
_FORMULA = ("=", "+", "-", "@")


class Journal(Struct, frozen=True):
    """The rows that a journal is written from, in any order."""

    transactions: Sequence[Transaction]
    lines: Sequence[Line]
    accounts: Sequence[OpenAccount] = ()
    closings: Sequence[Closing] = ()
    assertions: Sequence[Assertion] = ()

    def entries(self) -> list[Entry]:
        """Transactions with their lines, by date and then by place in the log."""
        held: dict[int, list[Line]] = defaultdict(list)
        for line in self.lines:
            held[line.position].append(line)
        return [
            (each, sorted(held[each.position], key=lambda line: line.number))
            for each in sorted(self.transactions, key=lambda each: (each.date, each.position))
        ]


def read(view: View) -> Journal:
    """The rows of one space that this view sees."""
    return Journal(view.all(TRANSACTIONS), view.all(LINES), view.all(ACCOUNTS), view.all(CLOSINGS), view.all(ASSERTIONS))


# What both journals need


class Asserted(Struct, frozen=True):
    """A statement beside what is booked up to its day: in the account alone, and with those below it."""

    assertion: Assertion
    alone: int
    with_below: int


def asserted(journal: Journal) -> list[Asserted]:
    """The statements, by day, each beside what is booked up to the end of it."""
    moves: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for line in journal.lines:
        moves[line.account, line.currency][line.day] += line.amount_minor
    told = []
    for each in sorted(journal.assertions, key=lambda a: (a.day, a.position)):
        sums = {
            account: sum(amount for day, amount in by.items() if day <= each.day)
            for (account, currency), by in moves.items()
            if currency == each.currency and (account == each.account or account.startswith(each.account + ":"))
        }
        told.append(Asserted(each, sums.get(each.account, 0), sum(sums.values())))
    return told


def plain(text: str) -> str:
    """Words on one line: what is no letter, mark, number or sign becomes a space."""
    kept = "".join(" " if unicodedata.category(letter)[0] in "CZ" and letter != "\u200d" else letter for letter in text)
    return " ".join(kept.split())


def _by_day(entries: Iterable[Entry], stated: Iterable[Asserted]) -> Iterator[Entry | Asserted]:
    """Transactions and statements by date; a statement after all that is booked on its day."""
    waiting = list(stated)
    for entry in entries:
        while waiting and str(day_of(waiting[0].assertion.day)) < entry[0].date:
            yield waiting.pop(0)
        yield entry
    yield from waiting


# hledger


def hledger(journal: Journal) -> Iterator[str]:
    """A journal that `hledger check` accepts."""
    currencies = sorted({line.currency for line in journal.lines} | {each.currency for each in journal.assertions})
    yield "; Amounts have two decimals. A tag after a semicolon names a record of the ledger.\n"
    for currency in currencies:
        yield f"commodity 1000.00 {_quoted(currency)}\n"
    for account in _named(journal):
        yield f"account {account}\n"
    opened = {each.account: each for each in journal.accounts}
    for account in sorted(opened):
        row = opened[account]
        words = [row.description, f"restricted: {row.strings}" if row.restricted else ""]
        yield from (f"; {account}, {_hledger_comment(each)}\n" for each in words if plain(each))
    for closing in sorted(journal.closings, key=lambda each: each.account):
        yield f"; {closing.account} is closed after {day_of(closing.day)}\n"
    for each in _by_day(journal.entries(), asserted(journal)):
        yield "\n"
        yield from _hledger_statement(each) if isinstance(each, Asserted) else _hledger_entry(*each)


def _hledger_entry(transaction: Transaction, lines: Sequence[Line]) -> Iterator[str]:
    payee, memo = _hledger_words(transaction.payee).replace("|", "/"), _hledger_words(transaction.memo)
    described = f"{payee} | {memo}" if payee else memo
    yield f"{transaction.date} * ({transaction.position}) {described}".rstrip() + "\n"
    for name, value in _references(transaction).items():
        yield f"    ; {name}: {value}\n"
    for line in lines:
        yield f"    {line.account}  {decimal(line.amount_minor)} {_quoted(line.currency)}\n"


def _hledger_statement(each: Asserted) -> Iterator[str]:
    said = each.assertion
    amount = f"{decimal(said.amount_minor)} {_quoted(said.currency)}"
    words = _hledger_words(said.against)
    if each.alone == said.amount_minor:
        yield f"{day_of(said.day)} * ({said.position}) Statement {words}".rstrip() + "\n"
        yield f"    {said.account}  0.00 {_quoted(said.currency)} = {amount}\n"
    else:
        booked = f"{decimal(each.alone)} {_quoted(said.currency)}"
        yield f"; {day_of(said.day)} statement of {said.account} says {amount}, booked is {booked}, {_hledger_comment(words)}\n"


def _hledger_words(text: str) -> str:
    return plain(text).replace(";", ",")


def _hledger_comment(text: str) -> str:
    """Words in a comment hold no colon, which would make a tag of the word before it."""
    return _hledger_words(text).replace(":", "")


def _quoted(currency: str) -> str:
    return currency if currency.isalpha() else f'"{currency}"'


def _named(journal: Journal) -> list[str]:
    return sorted(
        {line.account for line in journal.lines}
        | {each.account for each in journal.accounts}
        | {each.account for each in journal.assertions}
    )


def _references(transaction: Transaction) -> Mapping[str, str]:
    """The records that a transaction names, by what they are to it."""
    named = {
        "record": transaction.id,
        "reverses": transaction.reverses,
        "reversed-by": transaction.reversed_by,
        "decision": transaction.decision,
        "receipt": transaction.receipt,
    }
    found = {name: digest.hex() for name, digest in named.items() if digest}
    return {**found, "budget": transaction.budget} if transaction.budget else found


# Beancount


def beancount(journal: Journal) -> Iterator[str]:
    """A journal that `bean-check` accepts."""
    yield 'option "title" "Ledger"\n\n'
    yield from _opens(journal)
    for each in _by_day(journal.entries(), asserted(journal)):
        yield "\n"
        yield from _beancount_statement(each) if isinstance(each, Asserted) else _beancount_entry(*each)
    yield from _closes(journal)


def _opens(journal: Journal) -> Iterator[str]:
    """Each account is opened on the day of its first use, which is what a day before it would be for."""
    first: dict[str, int] = {}
    for account, day in [
        *((line.account, line.day) for line in journal.lines),
        *((each.account, each.day) for each in journal.assertions),
    ]:
        first[account] = min(day, first.get(account, day))
    start = min(first.values(), default=19_700_101)
    opened = {each.account: each for each in journal.accounts}
    for account in _named(journal):
        yield f"{day_of(first.get(account, start))} open {bean_account(account)}\n"
        row = opened.get(account)
        if row and plain(row.description):
            yield f"  description: {bean_text(row.description)}\n"
        if row and row.restricted:
            yield f"  restricted: {bean_text(row.strings)}\n"


def _closes(journal: Journal) -> Iterator[str]:
    """An account is closed the day after its last use, when a statement of that day may still be asserted."""
    last: dict[str, int] = {}
    used = [(line.account, line.day) for line in journal.lines] + [(each.account, each.day) for each in journal.assertions]
    for account, day in used:
        last[account] = max(day, last.get(account, 0))
    named = {*last, *(each.account for each in journal.accounts)}
    for closing in sorted(journal.closings, key=lambda each: each.account):
        if closing.account in named:
            day = max(closing.day, last.get(closing.account, 0))
            yield f"\n{_day_after(day)} close {bean_account(closing.account)}\n"


def _beancount_entry(transaction: Transaction, lines: Sequence[Line]) -> Iterator[str]:
    payee = f"{bean_text(transaction.payee)} " if plain(transaction.payee) else ""
    links = [transaction.id, transaction.reverses, transaction.reversed_by]
    linked = "".join(f" ^{digest.hex()}" for digest in links if digest)
    yield f"{transaction.date} * {payee}{bean_text(transaction.memo)}{linked}\n"
    for name, value in _references(transaction).items():
        yield f"  {name}: {bean_text(value)}\n"
    for line in lines:
        yield f"  {bean_account(line.account)}  {decimal(line.amount_minor)} {bean_currency(line.currency)}\n"


def _beancount_statement(each: Asserted) -> Iterator[str]:
    said = each.assertion
    account, currency = bean_account(said.account), bean_currency(said.currency)
    amount = f"{decimal(said.amount_minor)} {currency}"
    if each.with_below == said.amount_minor:
        yield f"{_day_after(said.day)} balance {account}  {amount}\n"
        yield f"  against: {bean_text(said.against)}\n"
    else:
        yield f"; {day_of(said.day)} statement of {account} says {amount}, booked is {decimal(each.with_below)} {currency}\n"


def _day_after(day: int) -> date:
    return day_of(day) + timedelta(days=1)


def bean_account(account: str) -> str:
    """An account as Beancount writes it: each part with a capital, which keeps different accounts different."""
    return ":".join(part[0].upper() + part[1:] for part in account.split(":"))


def bean_currency(currency: str) -> str:
    """A currency as Beancount reads it: no word that means a value, which a hyphen tells apart from all others."""
    return f"{currency}-X" if currency in _BEANCOUNT_WORDS else currency


def bean_text(text: str) -> str:
    """Words as a string of Beancount."""
    return '"' + plain(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


# Spreadsheets and programs

_COLUMNS = (
    "position", "date", "record", "payee", "memo", "account", "amount", "currency", "budget", "reverses", "reversed_by",
    "decision", "receipt",
)  # fmt: skip


def csv(journal: Journal) -> Iterator[str]:
    """One row for each posting, with its transaction's words; commas, quotes and line breaks as RFC 4180 has them."""
    yield _row(_COLUMNS)
    for transaction, lines in journal.entries():
        digests = [
            _hex(each) for each in (transaction.reverses, transaction.reversed_by, transaction.decision, transaction.receipt)
        ]
        words = [_cell(transaction.payee), _cell(transaction.memo)]
        for line in lines:
            amount = decimal(line.amount_minor)
            yield _row([
                str(transaction.position), transaction.date, transaction.id.hex(), *words, line.account, amount,
                line.currency, transaction.budget, *digests,
            ])  # fmt: skip


def _row(cells: Sequence[str]) -> str:
    line = _Line()
    spreadsheet.writer(line).writerow(cells)
    return "".join(line)


class _Line(list[str]):
    """What a writer of spreadsheets asks for."""

    write = list.append


def _cell(text: str) -> str:
    return "'" + text if text.lstrip().startswith(_FORMULA) else text


def _hex(digest: bytes | None) -> str:
    return digest.hex() if digest else ""


def json(journal: Journal) -> Iterator[str]:
    """One array of transactions as objects; amounts are decimal strings."""
    yield "["
    for number, (transaction, lines) in enumerate(journal.entries()):
        told = {
            "position": transaction.position,
            "date": transaction.date,
            "payee": transaction.payee,
            "memo": transaction.memo,
            **{name.replace("-", "_"): value for name, value in _references(transaction).items()},
            "postings": [
                {"account": line.account, "amount": decimal(line.amount_minor), "currency": line.currency} for line in lines
            ],
        }
        yield (",\n" if number else "\n") + notation.dumps(told, ensure_ascii=False)
    yield "\n]\n"


FORMATS: dict[str, Format] = {"hledger": hledger, "beancount": beancount, "csv": csv, "json": json}
