"""Harbour House's decisions in the demo's year: every way to decide, every end that a decision can have. All made up.

Some are in force; one was met and goes on; one is back on the agenda because nobody looked; some lapsed at their sunset; one
was ended; one was objected to and came back better. Numbers of cycles count back from now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from node.demo_acts import Matter, answered, decided, judged, lot_drawn, naming, proposed, round_of, said
from node.demo_world import Calendar, Event, Who, World

HOUSE, TREASURER = "harbour", "treasurer"
BOOKED = "ledger.transaction-booked/1"


def decisions(calendar: Calendar) -> Iterator[Event]:
    """Every decision of the house, and the role that came of one."""
    yield from _early(calendar)
    yield from _house(calendar)
    yield from _kept_up(calendar)
    yield from _lately(calendar)
    yield from _dogs(calendar)
    yield from _treasurer(calendar)
    yield from _groups()
    yield from _now(calendar)


# The first half


def _early(calendar: Calendar) -> Iterator[Event]:
    """What was decided for a while, and is over."""
    back = calendar.back
    yield from decided(
        Matter(
            isle=HOUSE, label="shoes", day=calendar.moon(11) + 9.3, who="Lena", title="Shoes off in the stairwell",
            text="Shoes stay on the shelf by the door, until the new floor is dry. Guests get felt slippers.",
            why="The oil needs three months, and the pram needs the other side.", binds="Everybody who lives here.",
            talk=((0.8, "Tomas", "question", "And the coal?"), (1.2, "Lena", "answer", "Coal may wear shoes.")),
            answers={"Tomas": ("concern", "I shall forget. Do not be cross.")}, review=back(8), sunset=back(8),
            measures="The floor has no marks in spring.",
        )
    )  # fmt: skip
    yield from decided(
        Matter(
            isle=HOUSE, label="boiler", day=calendar.moon(9) + 6.4, who="Tomas", title="Who looks at the boiler",
            text="I ask the workshop in Harbour street, and not the firm that built it: half the price, and they come on foot.",
            why="It knocks at night. I decide this one; I want your advice first.", type="advice",
            answers={
                "Ada": ("support", "They mended the bakery's, and it still runs."),
                "Ifeoma": ("against", "The firm has the plans. Ask them for a copy before."),
                "Lena": "abstain",
            },
        )
    )  # fmt: skip
    yield said(calendar.moon(9) + 13.6, HOUSE, "Tomas", "boiler", "outcome", "The workshop comes, and I got the plans first.")
    yield from decided(
        Matter(
            isle=HOUSE, label="kitchen money", day=calendar.moon(8) + 5.2, who="Ifeoma", title="Forty a month for the kitchen",
            text="Each of us puts forty a month into the pantry. Who cannot says so to one of us, and that is that.",
            why="The jar is empty by the twentieth, and the same three fill it.", review=back(5), sunset=back(2),
            answers={"Noor": ("concern", "Forty is a lot in the month of the heating bill.")},
            measures="The jar lasts until the last day.", criteria=(("ledger.budgets-overdrawn", "at-most", 1),),
        )
    )  # fmt: skip
    found = "The pantry has its own line in the budget now, and nobody has put anything into the jar since. Let it go."
    yield from decided(
        judged(calendar.moon(6) + 10.4, HOUSE, "Ada", "kitchen money", "The kitchen jar: let it go", found, 0, 0, "end")
    )
    yield from decided(
        Matter(
            isle=HOUSE, label="guest room", day=calendar.moon(5) + 5.3, who="Jakob", title="The attic is a guest room",
            text="Whoever is passing sleeps there, three nights, for nothing. The list hangs on the door.",
            why="Two of us slept on the kitchen bench this month.", type="majority", review=back(3), sunset=back(1),
            answers={"Lena": "no", "Tomas": ("no", "The stairs creak, and I sleep below."), "Mina": "abstain"},
            measures="Nobody has slept on the bench.",
        )
    )  # fmt: skip


def _house(calendar: Calendar) -> Iterator[Event]:
    """A strategic shift: its theory of change, dissent on record, and two looks at it since."""
    day = calendar.moon(6) + 4.4
    buying = Matter(
        isle=HOUSE, label="buying", day=day, who="Noor", title="We buy the house, together with other houses",
        text="We found a house association with two other houses. It owns; we live and decide. Nobody can sell a share.",
        why="The owner wants to sell within two years. Alone we cannot, and with an investor we would not.",
        binds="All of us, and whoever lives here after us.", strategic=True, type="consensus", called=5.2, open=7.0,
        talk=(
            (1.2, "Tomas", "question", "What if one of the other houses fails?"),
            (2.1, "Noor", "answer", "Then we carry it for a year, or let it go by our own rules. It stands in the draft."),
            (3.3, "Lena", "concern", "I came here because nothing was for ever. A house that cannot be sold is for ever."),
        ),
        answers={
            "Lena": ("aside", "Not with me, and I will not stand in the door."),
            "Jakob": ("agree", "I put in my savings, if they are safe there."),
        },
        review=calendar.back(3), sunset=calendar.back(-6),
        measures="The association is founded, and the owner talks to it rather than to others.",
    )  # fmt: skip
    yield from decided(buying)
    theory = {
        "sought": "Rents follow what the house costs, and no longer what the street fetches.",
        "path": "A shared owner makes banks listen. Listening makes a loan. The loan buys; rents pay it back in thirty years.",
        "assumptions": "The owner keeps to two years. Two other houses want the same. Interest stays below five in a hundred.",
        "wrong_if": "By the next summer no second house has signed, or the owner has let somebody measure the attic.",
        "gains": "Whoever rents here, now and later. The cost: a loan that binds us, and evenings for two years.",
        "funds": "The tenants' fund lends a tenth and wants a yearly report. Friends lend a tenth without interest.",
        "dissent": "Lena sees a house that is for ever as a weight on those who come later.",
    }
    yield Event(day + 4.1, HOUSE, "Noor", "theory.stated/1", naming({"proposal": "buying"}, **theory))
    weight = "What cannot be sold cannot be left either. I want this to be readable when somebody is tired of it."
    yield Event(day + 13.3, HOUSE, "Lena", "dissent.recorded/1", naming({"proposal": "buying"}, words=weight))
    first = "One house has signed. The owner has answered our letter, in full sentences."
    yield from decided(
        judged(
            calendar.moon(4) + 12.3,
            HOUSE,
            "Noor",
            "buying",
            "Buying the house: a first look",
            first,
            calendar.back(1),
            calendar.back(-6),
        )
    )
    second = "The association is founded, with three houses. The bank has asked for numbers, and we had them."
    yield from decided(
        judged(
            calendar.moon(2) + 10.2,
            HOUSE,
            "Mina",
            "buying",
            "Buying the house: a second look",
            second,
            calendar.back(-1),
            calendar.back(-6),
        )
    )


# What holds now


def _kept_up(calendar: Calendar) -> Iterator[Event]:
    """One that was met and goes on, and one that nobody looked at."""
    back = calendar.back
    yield from decided(
        Matter(
            isle=HOUSE, label="laundry", day=calendar.moon(3) + 4.4, who="Mina", title="Laundry by the list, not by the nose",
            text="The machine has a list: two runs a day each, nothing after ten, the filter on Sundays by whoever comes last.",
            why="Three of us wash at seven in the evening and one has a child who sleeps at seven.",
            talk=((1.0, "Ada", "reaction", "And a pencil on a string, please."),),
            answers={"Jakob": ("concern", "I work nights. Ten is when I get up.")}, absent=("Lena",),
            review=back(0), sunset=back(-3), measures="Nobody knocks on anybody's door about it for a month.",
        )
    )  # fmt: skip
    found = "One knock in two months, and that was about the filter. Jakob washes at noon now and likes it."
    yield from decided(
        judged(
            calendar.moon(2) + 6.4,
            HOUSE,
            "Ifeoma",
            "laundry",
            "The laundry list: does it do what it is for?",
            found,
            back(-1),
            back(-5),
        )
    )
    yield from decided(
        Matter(
            isle=HOUSE, label="sunday kitchen", day=calendar.moon(3) + 6.1, who="Sol", title="Open kitchen on Sundays",
            text="On Sundays from noon whoever rings is fed. Two of us cook, two wash up, the list is by the oven.",
            why="The street has no bench and no café that one can sit in without paying.",
            talk=(
                (0.6, "Tomas", "question", "Every Sunday, or every other?"),
                (0.9, "Sol", "answer", "Every. I do the first three."),
            ),
            answers={"Noor": ("concern", "Sol does the first three, and who the next thirty?")}, absent=("Ada",),
            review=back(0), sunset=back(-4), measures="At least ten come, and four of us have cooked.",
            criteria=(("ledger.budgets-overdrawn", "at-most", 1),),
        )
    )  # fmt: skip


def _lately(calendar: Calendar) -> Iterator[Event]:
    """A choice from four, a vote in eight steps, and one with sealed answers."""
    back = calendar.back
    yield from decided(
        Matter(
            isle=HOUSE, label="garden room", day=calendar.moon(1) + 5.1, who="Jakob", title="What becomes of the garden room",
            text="It is empty since the roof is tight. Rank what you would like; what wins against each other one is done.",
            why="An empty room fills itself, with boxes.", type="ranked",
            options=("A workshop", "A room to be quiet in", "A second bath", "Rented out, to pay the roof"),
            answers={
                "Ada": "2 1 3 4", "Noor": "1 2 4", "Tomas": "1 3 2 4", "Ifeoma": "2 1 4 3", "Jakob": "1 2 3 4", "Mina": "3 1 2",
                "Sol": "2 1", "Lena": "4 1",
            },
            review=back(-2), sunset=back(-8), measures="It is used on four days of a week.",
        )
    )  # fmt: skip
    yield from decided(
        Matter(
            isle=HOUSE, label="heat pump", day=calendar.moon(1) + 12.2, who="Tomas", title="A heat pump in the cellar",
            text="We order it for next summer, from the reserve and the energy loan. I look after it for the first winter.",
            why="The pump of the boiler was the second part in two years. The third will be the boiler.", type="gradients",
            talk=(
                (0.5, "Ifeoma", "question", "Does one hear it in the garden room?"),
                (1.1, "Tomas", "answer", "Less than the fridge. I have sat beside one for an hour."),
            ),
            answers={
                "Ada": "agree", "Ifeoma": ("reserved", "If it stands on rubber."), "Jakob": "along", "Mina": "endorse",
                "Sol": ("talk", "I would like to see the second offer first."), "Lena": "abstain",
            },
            review=back(-2), sunset=back(-9), measures="The bill of next winter is a third lower.",
            criteria=(("ledger.spent-this-cycle", "at-most", 450_000),),
        )
    )  # fmt: skip
    yield from decided(
        Matter(
            isle=HOUSE, label="rooms", day=calendar.moon(1) + 3.3, who="Mina", title="Rooms that become free go by lot",
            text="Not by who has waited longest: by lot, from all who would like it and say so within a week.",
            why="Waiting is something one has to be able to afford.", type="majority", hidden="close",
            answers={"Tomas": "no", "Ada": "no", "Jakob": "abstain"}, absent=("Lena",),
            review=back(-1), sunset=back(-7), measures="Nobody has moved twice before somebody has moved once.",
        )
    )  # fmt: skip


def _dogs(calendar: Calendar) -> Iterator[Event]:
    """An objection, and the version that took it up."""
    day = calendar.moon(2) + 20.6
    first = Matter(
        isle=HOUSE, label="dogs", day=day, who="Sol", title="A dog may live here", text="Whoever wants to may have a dog.",
        why="I am asked to take one in for good.", called=1.4, open=3.0, absent=("Lena",),
        answers={"Tomas": ("object", "I cannot breathe in a room in which a dog was. The kitchen would be closed for me.")},
    )  # fmt: skip
    again = Matter(
        isle=HOUSE, label="dogs", day=day, who="Sol", title="", text="", why="", called=8.5, open=3.0, absent=("Lena", "Ada"),
        answers={"Tomas": ("agree", "Thank you. The stairs are fine with me.")},
        review=calendar.back(-2), sunset=calendar.back(-6), measures="Tomas cooks as often as before.",
    )  # fmt: skip
    yield proposed(first)
    yield from round_of(first)
    yield said(day + 5.1, HOUSE, "Sol", "dogs", "reaction", "I did not know that. I go and think.")
    amended = {
        "text": "One dog may live here, on the second floor and in the garden. Never in the kitchen, the bath or the workshop.",
        "note": "The kitchen stays as it is, for those who cannot breathe beside a dog. One dog, not any number.",
    }
    yield Event(
        day + 6.2, HOUSE, "Sol", "decision.amended/1",
        lambda world: {
            "proposal": world.digest("dogs"), **amended, "integrates": [world.digest("dogs: round 1: Tomas")],
        },
    )  # fmt: skip
    yield from round_of(again, 2)


# A role that came of one


def _treasurer(calendar: Calendar) -> Iterator[Event]:
    """Who books: from its first term on the holder alone, up to an amount."""
    role = {
        "role": TREASURER,
        "cycles": 1,
        "permissions": [{"kind": BOOKED, "up_to": "1000.00"}, {"kind": "ledger.transaction-reversed/1", "up_to": "0.00"}],
        "domain": "Pays what is decided or in the budget. What costs more than a thousand comes before the assembly.",
        "duties": "Each bill within a week. On the last Sunday of the moon: the books read aloud, with cake.",
    }
    yield from decided(
        Matter(
            isle=HOUSE, label="treasurer", day=calendar.moon(2) + 19.5, who="Ada", title="One of us books, a moon at a time",
            text=f"{role['domain']}\n\n{role['duties']}",
            why="Three of us book, and twice the same bill was entered. I have done most of it for a year.",
            talk=((0.7, "Noor", "reaction", "I take the first moon, if Ada sits beside me once."),), absent=("Lena", "Jakob"),
            act=("role.defined/1", role), by="Ifeoma", measures="No bill is entered twice, and two of us know how it goes.",
        )
    )  # fmt: skip
    yield from _appointed(calendar.moon(1) + 0.5, "Noor", "treasurer 1", "Tomas", 0.6, 1.5)
    yield from _appointed(calendar.moon(0) - 8.4, "Ada", "treasurer 0", "Ifeoma", 1.5, 4.0)
    term = "treasurer 1"
    yield from lot_drawn(
        calendar.moon(1) + 3.2,
        HOUSE,
        "shadow",
        lambda world: world.digests[term],
        ("Mina", "Sol", "Jakob"),
        "treasurer 1: shadow",
    )
    shadow: Who = lambda world: world.drawn(HOUSE, "shadow", world.digests[term])  # noqa: E731  # a name for what it gives
    noted = {"observations": "Every bill has its receipt. Two were paid on the day before they were due.", "patterns": ""}
    yield Event(calendar.moon(1) + 16.2, HOUSE, shadow, "shadow.noted/1", naming({"term": term}, **noted))
    left = {
        "open_matters": "The energy firm's yearly bill: they have the wrong number of the meter.",
        "waiting": "The tenants' fund waits for its report until the end of the year.",
        "places": "Receipts: the green box. The bank's card: in the safe, in person.",
        "otherwise": "I would begin with the rents, and not with the box.",
    }
    yield Event(calendar.moon(0) - 0.3, HOUSE, "Noor", "role.handed-over/1", naming({"term": term}, **left))


def _appointed(day: float, who: str, label: str, by: str, called: float, open_: float) -> Iterator[Event]:
    def body(world: World) -> Mapping[str, Any]:
        definition = world.digest("treasurer: done")
        return {"role": TREASURER, "definition": definition, "holder": world.key(HOUSE, who), "chosen": "consent"}

    matter = Matter(
        isle=HOUSE, label=f"who is {label}", day=day, who=by, title="Who keeps the books for the next moon",
        text=f"{who} keeps the books until the new moon after.", why="The house pays forty bills a moon.",
        called=called, open=open_, absent=("Jakob",), act=("role.appointed/1", body),
    )  # fmt: skip
    for event in decided(matter):
        done = event.label == f"{matter.label}: done"
        yield Event(event.day, event.isle, event.who, event.kind, event.body, label) if done else event


# Groups, and now


def _groups() -> Iterator[Event]:
    named = (
        ("night-shift", "Who works at night or sleeps by day: we want to see whether assemblies leave them out."),
        ("parents", "Who has children here, every day or every other."),
    )
    for number, (group, meaning) in enumerate(named):
        yield Event(226.4 + number / 100, HOUSE, "Ada", "group.named/1", {"group": group, "meaning": meaning})
    of = {
        "Jakob": "night-shift",
        "Noor": "parents",
        "Tomas": "night-shift, parents",
        "Mina": "night-shift",
        "Ifeoma": "parents",
    }
    for number, (who, groups) in enumerate(of.items()):
        yield Event(227.3 + number / 7, HOUSE, who, "group.said/1", {"groups": groups})


def _now(calendar: Calendar) -> Iterator[Event]:
    """What is open when somebody comes in: a round, a proposal in talk, a lot that waits for parts."""
    now = calendar.now
    hall = Matter(
        isle=HOUSE, label="bicycles", day=now - 6.2, who="Ifeoma", title="Bicycles out of the hall",
        text="They go into the garden room's porch, on hooks. I build the hooks, if two of you hold the ladder.",
        why="The fire inspector was kind, and will not be kind twice.", binds="Whoever has a bicycle.", type="gradients",
        talk=(
            (0.7, "Jakob", "question", "Is the porch locked at night?"),
            (1.3, "Ifeoma", "answer", "It will be. Keys for all of us, and one on the hook by the stove."),
        ),
        called=3.9, open=6.4, within=2.1, absent=("Ada", "Noor"),
        answers={"Tomas": ("agree", "Hooks for eleven."), "Jakob": ("reserved", "If it is dry there."), "Sol": "endorse"},
        measures="The hall is free at the next inspection.",
    )  # fmt: skip
    yield from decided(hall)
    oven = Matter(
        isle=HOUSE, label="oven", day=now - 4.7, who="Sol", title="A second oven for the open kitchen",
        text="A used one, from the bakery that closes. It would stand under the window.",
        why="On Sundays bread and stew want the same one.", binds="The repairs budget, once.",
    )  # fmt: skip
    yield proposed(oven)
    yield said(now - 3.6, HOUSE, "Mina", "oven", "question", "Does the wiring carry two?", label="wiring")
    yield said(
        now - 1.4, HOUSE, "Tomas", "oven", "concern", "The kitchen is back on the agenda first. Then the oven.", label="first"
    )
    label = "treasurer 0: shadow"
    yield Event(now - 0.7, HOUSE, "Ifeoma", "lot.opened/1", naming({"subject": "treasurer 0"}, purpose="shadow"), label)
    for later, who in ((0.04, "Ifeoma"), (0.33, "Mina"), (0.51, "Sol")):
        yield Event(now - 0.7 + later, HOUSE, who, "lot.committed/1", naming({"lot": label}))
    yield answered(now - 0.1, HOUSE, "Jakob", "bicycles: round 1", ("agree", "I have looked: it is dry there."))
