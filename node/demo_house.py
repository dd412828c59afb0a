"""Harbour House's work in the demo's year: a house day each cycle, and who does what in between. All made up.

It is spread over many hands here, and one thing is known to hang on one person all the same: the boiler. A trip wire watches
the budgets.
"""

from __future__ import annotations

from collections.abc import Iterator

from node.demo_acts import Matter, decided, naming
from node.demo_people import here
from node.demo_work import shift, worked
from node.demo_world import Calendar, Event, between

HOUSE = "harbour"
DOES = {
    "Ada": ("coordination", "Letters to the city, and the list of rooms"),
    "Noor": ("money", "Receipts sorted and entered"),
    "Tomas": ("building", "Gutters, the boiler, a door that stuck"),
    "Lena": ("kitchen", "Bread, and the shelf of what is shared"),
    "Ifeoma": ("care", "With the children on Wednesdays"),
    "Jakob": ("garden", "Water, slugs, the hedge"),
    "Mina": ("building", "Paint in the stairwell"),
    "Sol": ("kitchen", "Shopping for the week, by cargo bike"),
}
HOUSE_DAYS = ("Cellar and bicycles", "Windows, inside and out", "The garden before the frost", "Stairwell, top to bottom")


def house(calendar: Calendar) -> Iterator[Event]:
    """Hours, the house days, what hangs on one person, and what is open now."""
    for cycle in range(11, -1, -1):
        yield from _hours(calendar, cycle)
        yield from _house_day(calendar, cycle)
    yield from _boiler(calendar)
    yield from _line(calendar)
    yield from _now(calendar)


def _hours(calendar: Calendar, cycle: int) -> Iterator[Event]:
    """What most of them noted in a cycle, coarsely, some days before its end."""
    people = here(HOUSE, calendar.moon(cycle) + 8)
    for number, who in enumerate(people):
        if (number + cycle) % 4 == 0:
            continue  # not everybody writes it down every time
        day = (calendar.moon(cycle - 1) if cycle else calendar.now) - between(12, 70, "house", cycle, who) / 10
        if day > calendar.moon(cycle) and who in here(HOUSE, day):
            category, what = DOES[who]
            body = {"quarters": between(14, 34, "quarters", cycle, who), "category": category, "what": what}
            yield Event(day, HOUSE, who, "hours.noted/1", body)


def _house_day(calendar: Calendar, cycle: int) -> Iterator[Event]:
    """All who can, for a morning; three or four of them say so before."""
    begins, label = calendar.at(calendar.moon(cycle) + 13, 10), f"house day {cycle}"
    if begins + 0.3 > calendar.now:
        return
    offered = begins - 8.3
    people = here(HOUSE, offered)
    yield shift(
        offered, HOUSE, people[cycle % len(people)], label, begins, 4, 5, title=f"House day: {HOUSE_DAYS[cycle % 4]}",
        category="building", place="The yard", about="Breakfast at nine for whoever wants it.",
    )  # fmt: skip
    for number in range(4 - cycle % 2):
        who = people[(cycle + 1 + number) % len(people)]
        if who in here(HOUSE, begins + 1):
            quarters = between(8, 16, label, who)
            yield from worked(offered + 0.8 + number * 1.3, HOUSE, who, label, begins, quarters, "Until the soup was ready")


def _boiler(calendar: Calendar) -> Iterator[Event]:
    """One thing that hangs on one person, found on a cold morning."""
    begins = calendar.moon(2)
    found = "When Tomas was away, nobody could light the boiler. It was eleven degrees in the kitchen until Sunday."
    yield Event(begins + 9.2, HOUSE, "Ifeoma", "dependency.found/1", {"what": found}, "boiler")
    plan = "Mina and Jakob light it twice while he looks on; then there is a page with pictures beside it."
    yield Event(
        begins + 12.4, HOUSE, "Mina", "dependency.planned/1",
        naming({"dependency": "boiler"}, look_cycle=calendar.back(-2), plan=plan),
    )  # fmt: skip


def _line(calendar: Calendar) -> Iterator[Event]:
    """A trip wire that has not tripped."""
    wire = {
        "figure": "ledger.budgets-overdrawn", "compare": "above", "number": 1, "cycles": 2,
        "who": "Whoever keeps the books, with somebody who never has",
    }  # fmt: skip
    yield from decided(
        Matter(
            isle=HOUSE, label="overdrawn", day=calendar.moon(4) + 6.2, who="Noor", title="When two budgets run over, we look",
            text="If more than one budget is overdrawn at two new moons in a row, a review opens. Once is weather.",
            why="In spring we found out in the third month that the repairs had eaten the garden.",
            talk=(
                (0.7, "Jakob", "question", "Which two?"),
                (1.1, "Noor", "answer", "Any. The books say which; the wire only says that we look."),
            ),
            act=("tripwire.set/1", wire), by="Mina", measures="Nobody hears of an overdrawn budget by chance.",
        )
    )  # fmt: skip


def _now(calendar: Calendar) -> Iterator[Event]:
    """The next house day, with places that are free, and a task that waits for somebody."""
    now = calendar.now
    yield shift(
        now - 2.6, HOUSE, "Jakob", "house ahead", calendar.at(now + 5, 10), 4, 5, title="House day: windows before the winter",
        category="building", place="The yard", about="Breakfast at nine for whoever wants it.",
    )  # fmt: skip
    for later, who in ((0.5, "Sol"), (1.1, "Tomas")):
        yield Event(now - 2.6 + later, HOUSE, who, "task.taken/1", naming({"task": "house ahead"}))
    page = {"title": "A page with pictures beside the boiler", "category": "building", "seats": 2, "about": "Ask Tomas first."}
    yield Event(now - 4.4, HOUSE, "Mina", "task.offered/1", page)
