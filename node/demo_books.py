"""A year of three invented ledgers: rents, dues, grants, food, repairs, hours; a reversal, budgets, statements.

All of it is made up. Amounts vary by a rule, so that every demo has the same year.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from node.demo_world import LAST, Event, Who, World, between
from protocol.accounting import balance_on, placed
from protocol.resting import resting_of

BOOK, BUDGET, OPEN = "ledger.transaction-booked/1", "ledger.budget-set/1", "ledger.account-opened/1"


def booked(
    day: float,
    isle: str,
    who: Who,
    memo: str,
    into: str,
    out: str,
    cents: int,
    *,
    payee: str = "",
    budget: str = "",
    currency: str = "EUR",
    label: str = "",
) -> Event:
    """An amount from one account into another, on a day."""

    def body(world: World) -> Mapping[str, Any]:
        amount = f"{cents // 100}.{cents % 100:02}"
        postings = [
            {"account": into, "amount": amount, "currency": currency},
            {"account": out, "amount": f"-{amount}", "currency": currency},
        ]
        return {"date": world.date(day), "memo": memo, "payee": payee, "postings": postings, "budget": budget}

    return Event(day, isle, who, BOOK, body, label)


def books() -> Iterator[Event]:
    """Every event of the three ledgers."""
    yield from _accounts()
    yield from _harbour()
    yield from _lantern()
    yield from _field()
    yield from _budgets()
    yield from _statements()


def _accounts() -> Iterator[Event]:
    opened = (
        ("harbour", "Ada", "assets:bank", False, "Our account at the credit union", ""),
        (
            "harbour",
            "Ada",
            "assets:solidarity",
            True,
            "For rent when somebody cannot pay it",
            "Given by the district's tenants' fund; only for rents of members, to be reported each year.",
        ),
        ("harbour", "Ada", "liabilities:loan", False, "What is left of the loan for the roof", ""),
        ("lantern", "Ines", "assets:bank", False, "Our account at the savings bank", ""),
        ("lantern", "Ines", "assets:till", False, "The till behind the bar", ""),
        (
            "lantern",
            "Ines",
            "assets:kitchen-fund",
            True,
            "For the soup kitchen",
            "Given by the neighbourhood foundation for food and gas of the soup kitchen; nothing else.",
        ),
        ("field", "Marta", "assets:bank", False, "The farm's account", ""),
        ("field", "Marta", "assets:box", False, "The cash box of the market stand", ""),
    )
    for isle, who, account, restricted, description, strings in opened:
        body = {"account": account, "currency": "EUR", "description": description, "restricted": restricted}
        yield Event(8.0, isle, who, OPEN, {**body, "strings": strings} if strings else body)


@cache
def _keeper(who: str) -> Who:
    """Whoever holds the books of the house by a role; before there was one, who did it anyway."""
    return lambda world: world.holder("harbour", "treasurer") or who


def _harbour() -> Iterator[Event]:
    """A housing co-op: eight rooms, a loan, and what houses need."""
    yield booked(
        9, "harbour", _keeper("Ada"), "What we brought from the old account", "assets:bank", "equity:opening", 1_240_000
    )
    yield booked(9.1, "harbour", _keeper("Ada"), "The loan for the roof", "equity:opening", "liabilities:loan", 4_800_000)
    yield booked(40, "harbour", _keeper("Ada"), "Solidarity fund", "assets:solidarity", "income:grants:tenants-fund", 300_000)
    yield from _rents()
    for month in range(12):
        yield from _bills(month, 11 + month * 30.4)
    yield from _repairs()


def _rents() -> Iterator[Event]:
    rooms = ("ground-left", "ground-right", "first-left", "first-right", "second-left", "second-right", "attic", "garden")
    for month in range(12):
        day = 11 + month * 30.4
        for number, room in enumerate(rooms):
            if (room, month) == ("attic", 6):
                yield booked(
                    day + 3,
                    "harbour",
                    _keeper("Ada"),
                    "Rent of the attic, helped out",
                    "assets:bank",
                    "assets:solidarity",
                    42_000,
                )
                continue
            rent = 38_000 + 2_500 * (number % 4)
            yield booked(
                day, "harbour", _keeper("Ada"), f"Rent, {room.replace('-', ' ')}", "assets:bank", f"income:rent:{room}", rent
            )


def _bills(month: int, day: float) -> Iterator[Event]:
    yield booked(
        day + 2, "harbour", _keeper("Ada"), "Loan, repayment", "liabilities:loan", "assets:bank", 80_000, payee="Credit union"
    )
    yield booked(
        day + 2.1,
        "harbour",
        _keeper("Ada"),
        "Loan, interest",
        "expenses:interest",
        "assets:bank",
        14_800 - month * 250,
        payee="Credit union",
    )
    energy = between(21_000, 34_000, "energy", month)
    yield booked(day + 5, "harbour", _keeper("Tomas"), "Heat and light", "expenses:energy", "assets:bank", energy)
    yield booked(
        day + 5.1, "harbour", _keeper("Tomas"), "Water", "expenses:water", "assets:bank", between(7_000, 9_500, "water", month)
    )
    for week in range(2):
        food = between(6_500, 12_000, "pantry", month, week)
        yield booked(
            day + 8 + week * 9,
            "harbour",
            _keeper("Noor"),
            "Pantry: flour, oil, lentils",
            "expenses:food:pantry",
            "assets:bank",
            food,
            budget="pantry",
        )


def _repairs() -> Iterator[Event]:
    repairs = (
        (52, "Gutter on the street side", 38_500),
        (130, "Boiler: new pump", 74_200),
        (131, "Boiler: new pump", 74_200),
        (214, "Window in the stairwell", 21_900),
        (287, "Lime and paint for the hall", 16_350),
        (351, "Lock of the cellar", 5_480),
    )
    for day, memo, cents in repairs:
        yield booked(
            day,
            "harbour",
            _keeper("Tomas"),
            memo,
            "expenses:repairs",
            "assets:bank",
            cents,
            payee="Harbour street workshop",
            budget="repairs",
            label=f"repair-{day}",
        )
    yield Event(
        133,
        "harbour",
        _keeper("Ada"),
        "ledger.transaction-reversed/1",
        lambda world: {
            "transaction": world.digest("repair-131"),
            "date": world.date(133),
            "reasons": "The pump was entered twice: the bill came by post and by mail.",
        },
    )


def _cook(world: World) -> str:
    """Who pays for the soup kitchen: while its cook rests, whoever was drawn for her."""
    resting = resting_of(world.view("lantern"), world.keys["lantern", "Yara"].public, world.clock.now_ms())
    return (world.drawn("lantern", "newcomer", resting.id) if resting else "") or "Yara"


def _lantern() -> Iterator[Event]:
    """A social centre: dues, a bar, a grant with strings, a soup kitchen each week."""
    yield booked(9, "lantern", "Ines", "What was in the old till", "assets:till", "equity:opening", 64_000)
    yield booked(9.1, "lantern", "Ines", "What was at the bank", "assets:bank", "equity:opening", 385_000)
    yield booked(
        10.5, "lantern", "Ines", "Kitchen fund, first half", "assets:kitchen-fund", "income:grants:foundation", 450_000
    )
    yield booked(
        228, "lantern", "Ines", "Kitchen fund, second half", "assets:kitchen-fund", "income:grants:foundation", 450_000
    )
    for month in range(12):
        day = 12 + month * 30.4
        dues = 900 * between(38, 52, "dues", month)
        yield booked(day, "lantern", "Ines", "Dues of this month", "assets:bank", "income:dues", dues)
        yield booked(
            day + 1, "lantern", "Ines", "Rent of the hall", "expenses:rent", "assets:bank", 95_000, payee="The district"
        )
        yield booked(
            day + 4,
            "lantern",
            "Ines",
            "Light, heat, line",
            "expenses:energy",
            "assets:bank",
            between(15_000, 26_000, "light", month),
        )
        yield booked(
            day + 20, "lantern", "Ines", "Till to the bank", "assets:bank", "assets:till", 95_000 + 5_000 * (month % 3)
        )
    for week in range(52):
        day = 13 + week * 7
        bar = between(30_000, 62_000, "bar", week)
        yield booked(day + 0.2, "lantern", "Kwame", "Bar, Friday and Saturday", "assets:till", "income:bar", bar)
        if week % 2:
            stock = between(18_000, 26_000, "stock", week)
            yield booked(
                day + 1, "lantern", "Kwame", "Drinks and coffee", "expenses:bar:stock", "assets:till", stock, budget="bar"
            )
        soup = between(11_000, 17_500, "soup", week)
        yield booked(
            day + 3,
            "lantern",
            _cook,
            "Soup kitchen, Tuesday",
            "expenses:food:soup-kitchen",
            "assets:kitchen-fund",
            soup,
            budget="soup-kitchen",
        )
    for number, day in enumerate((88, 176, 254, 333)):
        night = between(48_000, 90_000, "night", number)
        yield booked(day, "lantern", "Kwame", "Benefit night", "assets:till", "income:events", night)


def _field() -> Iterator[Event]:
    """A community farm: shares of the harvest, a market stand, seed and tools, and hours as they are."""
    yield booked(9, "field", "Marta", "What the founders put in", "assets:bank", "equity:opening", 720_000)
    yield booked(34, "field", "Marta", "Seed fund", "assets:bank", "income:grants:seed-fund", 250_000)
    for month in range(12):
        day = 12 + month * 30.4
        shares = 5_500 * between(31, 36, "shares", month // 6)
        yield booked(day, "field", "Marta", "Shares of the harvest", "assets:bank", "income:shares", shares)
        yield booked(day + 1, "field", "Marta", "Lease of the land", "expenses:lease", "assets:bank", 32_000)
        yield booked(day + 3, "field", "Marta", "Two half jobs", "expenses:wages", "assets:bank", 104_000)
        hours = 100 * between(120, 240, "hours", month)
        yield booked(
            day + 28,
            "field",
            "Pavel",
            "Hours given on work days, as noted in the shed",
            "expenses:work:fields",
            "income:hours:members",
            hours,
            currency="HOURS",
        )
    for week in range(52):
        day = 15 + week * 7
        if 2 <= week % 26 <= 19:
            stand = between(14_000, 41_000, "stand", week)
            yield booked(day, "field", "Pavel", "Market stand, Saturday", "assets:box", "income:market", stand)
        if week % 5 == 0:
            seed = between(9_000, 31_000, "seed", week)
            yield booked(
                day + 2,
                "field",
                "Marta",
                "Seed, compost, fleece",
                "expenses:seed",
                "assets:bank",
                seed,
                budget="seed",
            )
        if week % 4 == 2:
            yield booked(day + 0.5, "field", "Pavel", "Cash box to the bank", "assets:bank", "assets:box", 35_000)
    for day, memo, cents in (
        (66, "Wheel hoe", 28_900),
        (158, "Pump for the lower well", 61_500),
        (300, "Second-hand trailer", 88_000),
    ):
        yield booked(day, "field", "Marta", memo, "expenses:tools", "assets:bank", cents, budget="tools")


def _budgets() -> Iterator[Event]:
    purposes = (
        ("harbour", "Ada", "pantry", "expenses:food", 24_000),
        ("harbour", "Ada", "repairs", "expenses:repairs", 80_000),
        ("lantern", "Ines", "soup-kitchen", "expenses:food", 62_000),
        ("lantern", "Ines", "bar", "expenses:bar", 56_000),
        ("field", "Marta", "seed", "expenses:seed", 36_000),
        ("field", "Marta", "tools", "expenses:tools", 65_000),
    )
    for cycle in range(13):
        day = min(10 + cycle * 29.53, LAST - 1)
        for isle, who, purpose, account, cents in purposes:
            body = {"purpose": purpose, "account": account, "amount": f"{cents // 100}.00", "currency": "EUR"}
            yield Event(day, isle, who, BUDGET, _in_cycle(body, day))


def _in_cycle(body: Mapping[str, Any], day: float) -> Any:
    return lambda world: {**body, "cycle": world.cycle(day)}


def _statements() -> Iterator[Event]:
    for isle, who in (("harbour", "Ada"), ("lantern", "Ines"), ("field", "Marta")):
        for day in (101, 192, 283, 374):
            slip = 2_000 if (isle, day) == ("lantern", 101) else 0  # found and mended by the next statement
            yield Event(day, isle, who, "ledger.balance-asserted/1", _statement(isle, day - 1, slip))


def _statement(isle: str, day: float, slip: int) -> Any:
    def body(world: World) -> Mapping[str, Any]:
        home = world.homes[isle]
        on, _, _ = placed(world.date(day))
        cents = balance_on(home.store.view(home.space), "assets:bank", "EUR", on) - slip
        amount = f"{'-' * (cents < 0)}{abs(cents) // 100}.{abs(cents) % 100:02}"
        return {
            "account": "assets:bank",
            "date": world.date(day),
            "amount": amount,
            "currency": "EUR",
            "against": "The bank's statement of that day",
        }

    return body
