"""A page with every block, as a practice might make it, with hostile words in some of them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from node.words import Telling
from protocol.encoding import encode
from protocol.moon import cycle_at, new_moon_ms
from protocol.page import (
    Action,
    Bar,
    Bars,
    Block,
    Chart,
    Difference,
    Edge,
    Facts,
    Flow,
    Graph,
    Grid,
    Heading,
    Link,
    Mark,
    Money,
    Node,
    Planned,
    Prose,
    Ref,
    Series,
    Span,
    State,
    Stream,
    Text,
    Timeline,
    Tree,
    Wheel,
    When,
)

NOW_MS = 1_772_540_000_000  # 3 March 2026, 12:13 UTC
DAY_MS = 86_400_000
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


@dataclass(frozen=True)
class SampleNames:
    """Names made from ids."""

    def label(self, ref: Ref) -> str:
        return f"{ref.what} {ref.id.hex()[:4]}"

    def path(self, ref: Ref) -> str:
        return f"/{ref.what}/{ref.id.hex()}"


TELLING = Telling(SampleNames(), NOW_MS)


def identifier(word: str) -> bytes:
    return sha256(word.encode()).digest()


def _cycle_spans() -> list[Span]:
    cycle = cycle_at(NOW_MS)
    holders = ("Ada", "Ben", "Cleo")
    return [
        Span(name, new_moon_ms(cycle - 2 + n), new_moon_ms(cycle - 1 + n), "by lot", "Treasurer", "good" if n == 2 else "calm")
        for n, name in enumerate(holders)
    ]


def _campaign_spans() -> list[Span]:
    opens = NOW_MS + 3 * DAY_MS
    return [
        Span("Opening to crest", opens, opens + 8 * DAY_MS, "kitchen open daily", "Winter kitchen", "calm"),
        Span("Crest to dispersal", opens + 8 * DAY_MS, opens + 14 * DAY_MS, "", "Winter kitchen", "good"),
        Span("Consolidation", opens + 14 * DAY_MS, opens + 30 * DAY_MS, "the tool shelf stays", "Winter kitchen", "warn"),
        Span("Rest", opens + 30 * DAY_MS, opens + 44 * DAY_MS, "no new call", "Winter kitchen", "calm"),
        Span("A call without a group", NOW_MS - 9 * DAY_MS, NOW_MS + 2 * DAY_MS, HOSTILE, "", "bad"),
    ]


BUDGET = {"purpose": "tea", "cycle": 325, "account": "expenses:tea", "amount": 25000, "currency": "EUR"}
BEFORE = (
    "We meet every second Monday.\nWhoever holds the till may spend up to 100 EUR without asking.\n\nA term lasts three cycles."
)
AFTER = "We meet every second Tuesday, in the mill.\nWhoever holds the till may spend up to 50 EUR without asking.\n\nA term lasts one cycle."


def every_block() -> list[Block]:
    """One of each, in an order that makes a page."""
    months = [NOW_MS - n * 30 * DAY_MS for n in range(12, -1, -1)]
    return [
        Text("The till holds less than is set aside for this cycle.", "warn"),
        Heading("What stands"),
        Facts(
            [
                ("Treasurer", Ref(identifier("ada"), "member", "Ada")),
                ("Term ends", When(NOW_MS + 15 * DAY_MS)),
                ("In the till", Money(125_050, "EUR")),
                ("State", State("in force", "good")),
                ("Protocol", Link("Lunar roles", "/commons")),
                ("Members", 23),
            ]
        ),
        Action("ledger.transaction-booked/1", {"memo": "rent & light"}, "Book a transaction"),
        Heading("In words"),
        Prose(
            "# From the call\n\nThe kitchen opens at *noon*. Bring **bowls**, see [the list](https://isle.example/list).\n\n- soup\n- bread\n\n> Whoever "
            "cooks does not wash up.\n\n" + HOSTILE
        ),
        Text("The budget was kept.", "good"),
        Text("One record of a neighbour does not hold.", "bad"),
        Heading("Bookings"),
        Grid(
            "Latest bookings",
            ("When", "What", "By", "State", "Amount"),
            [
                [
                    When(NOW_MS - 3_600_000),
                    "Rent of the mill for March",
                    Ref(identifier("ben"), "member", "Ben"),
                    State("booked", "calm"),
                    Money(-84_000, "EUR"),
                ],
                [
                    When(NOW_MS - 2 * DAY_MS),
                    "Membership fees",
                    Ref(identifier("cleo"), "member"),
                    State("matched", "good"),
                    Money(46_000, "EUR"),
                ],
                [
                    When(NOW_MS - 40 * DAY_MS),
                    HOSTILE,
                    Ref(identifier("x"), "record"),
                    State("to look at", "warn"),
                    Money(1_250, "EUR"),
                ],
                [
                    When(NOW_MS - 400 * DAY_MS),
                    "Gift",
                    Ref(identifier("y"), "space", "Isle of Rye"),
                    State("reversed", "bad"),
                    Money(10_000, "EUR"),
                ],
            ],
        ),
        Grid(
            "Reversals", ("When", "What"), [], "Nothing was reversed. A wrong booking is put right by a reversal that names it."
        ),
        Heading("Over time"),
        Timeline("Windows and terms", [*_cycle_spans(), *_campaign_spans()], NOW_MS),
        Chart(
            "Balances at the end of each month",
            [
                Series("Till", [(ms, 40_000 + 9_000 * n % 70_000) for n, ms in enumerate(months)]),
                Series("Bank", [(ms, 250_000 - 14_000 * n) for n, ms in enumerate(months)]),
                Series("Owed to us", [(ms, -20_000 + 5_000 * n) for n, ms in enumerate(months)]),
            ],
            "EUR",
        ),
        Heading("Budgets"),
        Bars(
            "Budgets of this cycle",
            [
                Bar("Food", 24_050, 60_000),
                Bar("Rent and everything around the old mill building", 84_000, 84_000),
                Bar("Travel", 13_000, 9_000),
                Bar("Tools", 0, 20_000),
            ],
            "EUR",
        ),
        Heading("Moon"),
        Wheel(
            "This cycle",
            NOW_MS,
            [
                Mark("Assembly", NOW_MS + 5 * DAY_MS),
                Mark("Ada's term ends", new_moon_ms(cycle_at(NOW_MS) + 1) - 60_000),
                Mark("Window opens", NOW_MS + 3 * DAY_MS),
            ],
        ),
        Heading("Flow"),
        Flow(
            "From sources to purposes this year",
            [
                Stream("Membership fees", "Rent", 300_000),
                Stream("Membership fees", "Food", 160_000),
                Stream("Gifts", "Food", 90_000),
                Stream("Gifts", "Reserve", 40_000),
                Stream("Kitchen evenings", "Reserve", 25_000),
                Stream("Kitchen evenings", "Tools", 12_000),
            ],
            "EUR",
        ),
        Heading("Lineage"),
        Tree(
            "Descent of protocols",
            [
                Node("a", "Lunar roles", "Isle of Rye, in force", "/record/aa", "good"),
                Node("b", "Lunar roles with a shadow", "Mill, in force until 4 May", "/record/bb", "good"),
                Node("c", "Roles by lot for a season", "dropped: too long", "", "bad"),
                Node(
                    "d",
                    "Lunar roles, and a very long name that does not fit on a telephone",
                    "Harbour, review is due",
                    "/record/dd",
                    "warn",
                ),
                Node("e", "Open ledger", "starter", "/record/ee"),
            ],
            [Edge("a", "b"), Edge("a", "c"), Edge("b", "d")],
        ),
        Heading("Archipelago"),
        Graph(
            "Who is linked with whom",
            [
                Node("m", "Mill", "we, 1,204 records", "/space", "good"),
                Node("r", "Isle of Rye", "heard 2 minutes ago", "/space/1", "good"),
                Node("h", "Harbour", "silent since Monday", "/space/2", "warn"),
                Node("g", "Garden on the hill", "3 records behind", "/space/3"),
                Node("l", "Lantern", "fork", "", "bad"),
            ],
            [Edge("m", "r", "allies"), Edge("m", "h", "allies"), Edge("r", "g", "follows"), Edge("r", "h"), Edge("h", "l")],
        ),
        Heading("What changed"),
        Difference("House rules, word by word", BEFORE, AFTER, "ours", "theirs"),
        Planned("What may then be done, once", "ledger.budget-set/1", encode(BUDGET)),
        Planned("What may then be done, once", "weather.changed/1", b"\xff"),
    ]
