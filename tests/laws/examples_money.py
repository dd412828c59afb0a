"""Examples of the ledger: accounts, transactions, reversals, budgets and statements."""

from __future__ import annotations

from protocol.accounting import ACCOUNTS, CLOSINGS, TRANSACTIONS, day_at
from protocol.practices import ledger
from protocol.record import scope_of
from tests.laws.world import DAY_MS, Builder, World

NAMES = ("assets:cash", "assets:bank", "expenses:food", "expenses:rent", "income:gifts", "income:grant", "liabilities:loan")
CURRENCIES = ("EUR", "EUR", "EUR", "HOURS")


def day(world: World) -> str:
    return day_at(world.now_ms - world.rng.choice([0, 0, 1, 3, 40]) * DAY_MS)


def opened(world: World) -> ledger.Opened:
    return ledger.Opened(
        world.rng.choice(NAMES),
        world.rng.choice(["", "EUR"]),
        world.chance(0.3),
        world.words(2),
        world.rng.choice(["", world.words(3)]),
    )


def closed(world: World) -> ledger.Closed:
    account = world.rng.choice(NAMES)
    here = {row.account for row in world.rows(CLOSINGS)}
    if account in here and world.chance(0.8):
        account = world.pick([name for name in NAMES if name not in here])
    return ledger.Closed(account, day(world), world.words(2))


def booked(world: World) -> ledger.Booked:
    currency, amount = world.rng.choice(CURRENCIES), world.rng.choice([1, 1250, 99_999, 10**11])
    one, two, three = world.rng.sample(NAMES, 3)
    over = world.rng.choice([0, 0, 0, 0, 0, 1])
    postings = [ledger.Posting(one, -amount, currency), ledger.Posting(two, amount + over, currency)]
    if world.chance(0.3):
        postings += [ledger.Posting(three, 500, "EUR"), ledger.Posting(one, -500, "EUR")]
    return ledger.Booked(
        date=day(world), memo=world.words(2), payee=world.words(1), postings=postings, budget=world.rng.choice(["", "kitchen"])
    )


def reversed_(world: World) -> ledger.Reversed:
    rows = [row for row in world.rows(TRANSACTIONS) if not (row.reversed_by or row.reverses) or world.chance(0.1)]
    row = world.pick(rows)
    found = world.store.kept[TRANSACTIONS.name][world.isle.number, row.position]
    if found[1] in (0, 1, 2):
        world.audience = found[1]
    else:
        world.audience = next([each] for each in world.others if scope_of((each,)) == found[1])
    return ledger.Reversed(row.id, world.rng.choice(["", day(world)]), world.words(3))


def budget_set(world: World) -> ledger.BudgetSet:
    purpose = world.rng.choice(["kitchen", "rent"])
    return ledger.BudgetSet(purpose, world.cycle + world.rng.choice([0, 0, 1]), "expenses", 30_000, "EUR")


def balance_asserted(world: World) -> ledger.BalanceAsserted:
    return ledger.BalanceAsserted(world.rng.choice(NAMES), day(world), world.rng.choice([0, 1250]), "EUR", world.words(2))


def reopened(world: World) -> ledger.Opened:
    """An account that was closed is opened again half the time, so that books do not end up all closed."""
    shut = world.rows(CLOSINGS)
    if shut and world.chance(0.5):
        return ledger.Opened(world.pick(shut).account, "", False, world.words(2))
    known = {row.account for row in world.rows(ACCOUNTS)}
    new = [name for name in NAMES if name not in known]
    return ledger.Opened(world.pick(new), "EUR", False, world.words(2), world.words(2)) if new else opened(world)


EXAMPLES: dict[str, Builder] = {
    "ledger.account-opened/1": reopened,
    "ledger.account-closed/1": closed,
    "ledger.transaction-booked/1": booked,
    "ledger.transaction-reversed/1": reversed_,
    "ledger.budget-set/1": budget_set,
    "ledger.balance-asserted/1": balance_asserted,
}
