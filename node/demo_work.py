"""The Lantern's work in the demo's year: who does how much, the wire that trips, the rest that follows. All made up.

One of them cooks more and more. In two cycles in a row it is over two fifths of all hours: a review opens by itself, somebody
is drawn to look, and she rests for a moon while another cooks. Towards the end it begins again, and a review is open now.
Numbers of cycles count back from now. Long Field's work days are here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from node.demo_acts import Matter, decided, lot_drawn, naming
from node.demo_people import here
from node.demo_world import Body, Calendar, Event, Who, World, between
from protocol import wires

HALL, COOK = "lantern", "Yara"
HEAVY, REST = (8, 7, 2, 1), 5  # cycles in which one does most, and the one in which she rests
CARE = {
    "Ines": "coordination", "Kwame": "bar", "Yara": "kitchen", "Olek": "building", "Femi": "kitchen", "Dario": "bar",
    "Hana": "care", "Rui": "teaching",
}  # fmt: skip
WHAT = {
    "coordination": "Letters, phone, the list of keys",
    "bar": "Barrels, glasses, the float",
    "kitchen": "Shopping and peeling",
    "building": "The stage, and the door of the cellar",
    "care": "Sat with people after closing",
    "teaching": "German and forms, on Mondays",
}


def work(calendar: Calendar) -> Iterator[Event]:
    """Hours, shifts, the wire and its reviews, a sabbatical, landing and celebrating."""
    for cycle in range(12, -1, -1):
        yield from _hours(calendar, cycle)
        yield from _shifts(calendar, cycle)
        yield from _work_day(calendar, cycle)
    yield from _swapped(calendar)
    yield from _wire(calendar)
    yield from _review(calendar)
    yield from _sabbatical(calendar)
    yield from _dependencies(calendar)
    yield from _landed(calendar)
    yield from _again(calendar)
    yield from _now(calendar)


# Hours and shifts


def _hours(calendar: Calendar, cycle: int) -> Iterator[Event]:
    """What each noted in a cycle, coarsely, some days before its end."""
    for who in here(HALL, calendar.moon(cycle) + 10):
        quarters = between(8, 26, "hours", cycle, who)
        if who == COOK:
            if cycle == REST:
                continue
            quarters = between(180, 205, "heavy", cycle) if cycle in HEAVY else between(24, 34, "light", cycle)
        if who == "Olek" and cycle in (11, 6, 3):
            continue
        category = CARE[who]
        day = (calendar.moon(cycle - 1) if cycle else calendar.now) - between(15, 60, "noted", cycle, who) / 10
        if day > calendar.moon(cycle):
            body = {"quarters": quarters, "category": category, "what": WHAT[category]}
            yield Event(day, HALL, who, "hours.noted/1", body)


def shift(day: float, isle: str, who: Who, label: str, begins: float, hours: float, seats: int, **words: str) -> Event:
    """A shift that is offered."""

    def body(world: World) -> Mapping[str, Any]:
        return {"starts_ms": world.ms(begins), "ends_ms": world.ms(begins) + int(hours * 3_600_000), "seats": seats, **words}

    return Event(day, isle, who, "task.offered/1", body, label)


def _task(label: str, **more: Any) -> Body:
    return naming({"task": label}, **more)


def worked(day: float, isle: str, who: Who, label: str, begins: float, quarters: int, how: str = "") -> Iterator[Event]:
    """Somebody takes part and says when it is done."""
    yield Event(day, isle, who, "task.taken/1", _task(label))
    yield Event(begins + 0.2, isle, who, "task.done/1", _task(label, quarters=quarters, **({"what": how} if how else {})))


def _cook(cycle: int, others: tuple[str, ...]) -> Who:
    """Who cooks in a cycle: while one rests, whoever was drawn, if they are not there anyway."""
    if cycle != REST:
        return COOK

    def drawn(world: World) -> str:
        who = world.drawn(HALL, "newcomer", world.digests["rest: done"])
        return "" if who in others else who

    return drawn


def _shifts(calendar: Calendar, cycle: int) -> Iterator[Event]:
    """The soup kitchen and the bar, once a cycle as shifts."""
    begins = calendar.tuesday(calendar.moon(cycle) + 9, 11.5)
    if begins + 0.3 > calendar.now:
        return
    offered, label = calendar.moon(cycle) + 4.2, f"soup {cycle}"
    people = here(HALL, offered)
    others = tuple(who for who in ("Olek", "Hana", "Femi", "Ines") if who in people)[cycle % 2 : cycle % 2 + 2]
    yield shift(
        offered, HALL, "Ines", label, begins, 4, 3, title="Soup kitchen on Tuesday", category="kitchen",
        place="The back kitchen", about="Peeling from half past eleven, people come at one.",
    )  # fmt: skip
    yield from worked(offered + 0.4, HALL, _cook(cycle, others), label, begins, 18, "Sixty-one bowls.")
    for number, who in enumerate(others):
        yield from worked(offered + 1.1 + number / 3, HALL, who, label, begins, between(8, 14, label, who), "Peeled and poured")
    bar, label = calendar.at(begins + 3, 19), f"bar {cycle}"
    if bar + 0.3 > calendar.now or cycle == 3:
        return
    yield shift(
        offered + 0.1, HALL, "Kwame", label, bar, 6, 2, title="Bar and door on Friday", category="bar", place="Front room",
    )  # fmt: skip
    for number, each in enumerate(("Kwame", "Dario" if "Dario" in people else "Olek")):
        yield from worked(offered + 0.9 + number / 3, HALL, each, label, bar, between(16, 24, label, each))


def _swapped(calendar: Calendar) -> Iterator[Event]:
    """One cannot, asks who takes over, and somebody does; and a task that only needed somebody to begin."""
    day, label = calendar.moon(3) + 5.2, "bar 3"
    begins = calendar.at(day + 6, 19)
    yield shift(day, HALL, "Kwame", label, begins, 6, 2, title="Bar and door on Friday", category="bar", place="Front room")
    yield from worked(day + 0.8, HALL, "Kwame", label, begins, 22)
    yield Event(day + 1.1, HALL, "Dario", "task.taken/1", _task(label))
    asked = "My sister comes that night. I do yours the week after."
    yield Event(day + 3.6, HALL, "Dario", "swap.offered/1", _task(label, words=asked), "swap")
    yield Event(day + 4.2, HALL, "Hana", "swap.accepted/1", naming({"swap": "swap"}))
    yield Event(begins + 0.22, HALL, "Hana", "task.done/1", _task(label, quarters=20, what="Quiet, and home before one."))
    door = {"title": "Paint the back door", "category": "building", "seats": 1, "about": "The paint is in the cellar. Green."}
    yield Event(day + 0.3, HALL, "Olek", "task.offered/1", door, "door")
    yield Event(day + 9.3, HALL, "Rui", "task.taken/1", _task("door"))
    yield Event(day + 12.4, HALL, "Rui", "task.done/1", _task("door", quarters=10, what="Two coats. The hinge needs oil."))


def _work_day(calendar: Calendar, cycle: int) -> Iterator[Event]:
    """A work day on the field each cycle."""
    begins, label = calendar.at(calendar.moon(cycle) + 17, 9), f"work day {cycle}"
    offered = begins - 6.4
    if begins + 0.3 > calendar.now:
        return
    titles = ("Weeding between the rows", "Fence along the brook", "Compost, turned", "Mulch for the beds")
    yield shift(
        offered, "field", "Pavel", label, begins, 5, 4, title=titles[cycle % 4], category="fields", place="By the gate",
        about="Soup at noon. Children are welcome.",
    )  # fmt: skip
    people = here("field", offered)
    for number in range(3):
        who = people[(cycle + number * 2) % len(people)]
        if who not in (people[(cycle + each * 2) % len(people)] for each in range(number)):
            yield from worked(offered + 0.7 + number, "field", who, label, begins, between(12, 20, label, who))


# The wire and its reviews


def _wire(calendar: Calendar) -> Iterator[Event]:
    def body(world: World) -> Mapping[str, Any]:
        kitchen = [world.key(HALL, who) for who in (COOK, "Femi")]
        return {
            "figure": "workload.top-share", "compare": "above", "number": 400, "cycles": 2, "concerned": kitchen,
            "who": "Whoever opens up on Thursdays helps the one who is drawn",
        }  # fmt: skip

    yield from decided(
        Matter(
            isle=HALL, label="top share", day=calendar.moon(9) + 5.3, who="Olek", title="When one carries two fifths, we look",
            text="If one of us notes over two fifths of all hours, two moons long, a review opens. Not led by the kitchen.",
            why="In the winter somebody did it all until they could not. We saw it when it was over.",
            talk=(
                (0.8, "Kwame", "question", "And if somebody likes it?"),
                (1.2, "Olek", "answer", "Then the review says so. It asks; it does not forbid."),
            ),
            answers={"Ines": ("concern", "Those who write their hours down will look worse than those who do not.")},
            act=("tripwire.set/1", body), by="Dario", measures="We have talked before somebody is worn out.",
        )
    )  # fmt: skip


def _review_of(calendar: Calendar, cycle: int) -> Any:
    return lambda world: wires.review_id(world.digests["top share: done"], calendar.back(cycle))


def _facilitator(calendar: Calendar, cycle: int) -> Who:
    return lambda world: world.drawn(HALL, wires.FACILITATOR, _review_of(calendar, cycle)(world))


def _review(calendar: Calendar) -> Iterator[Event]:
    """The first review: drawn, reported, accepted."""
    opened, of = calendar.moon(6), 7
    yield from lot_drawn(
        opened + 0.8, HALL, wires.FACILITATOR, _review_of(calendar, of), ("Ines", "Kwame", "Hana"), "review: lot", hours=20
    )
    found = (
        "The soup kitchen takes twelve hours a week more than a year ago, and one pair of hands took them all. Nobody asked for"
        " it and nobody looked away: it grew. The figure does not show that the others' hours were long not written down."
    )
    change = (
        "One moon of rest for who cooks, with somebody drawn. Recipes and phone numbers on paper. A look again in some moons."
    )
    yield Event(
        opened + 8.1, HALL, _facilitator(calendar, of), "review.reported/1",
        naming({"wire": "top share: done"}, cycle=calendar.back(of), found=found, change=change), "report",
    )  # fmt: skip
    yield from decided(
        Matter(
            isle=HALL, label="report accepted", day=opened + 8.5, who="Hana", title="The review of our hours",
            text="We take the report as it is, and do what it says.", why="A review ends when we accept what it found.",
            talk=((0.3, "Kwame", "reaction", "It is kind and it is true."),), called=0.5, open=3.0, by="Olek",
            act=("review.accepted/1", naming({"report": "report"})),
        )
    )  # fmt: skip


def _again(calendar: Calendar) -> Iterator[Event]:
    """The second review, open now: somebody is drawn, and has not reported."""
    yield from lot_drawn(
        calendar.moon(0) + 1.1,
        HALL,
        wires.FACILITATOR,
        _review_of(calendar, 1),
        ("Rui", "Dario", "Olek"),
        "second lot",
        hours=20,
    )


# Rest


def _sabbatical(calendar: Calendar) -> Iterator[Event]:
    day = calendar.moon(6) + 9.0
    words = "You taught four of us to cook for sixty. Now let us find out whether we can."

    def body(world: World) -> Mapping[str, Any]:
        return {"member": world.key(HALL, COOK), "cycle": calendar.back(REST), "words": words}

    yield from decided(
        Matter(
            isle=HALL, label="rest", day=day, who="Ines", title="A moon of rest for who has cooked most",
            text="From the next new moon, for one moon. Somebody is drawn to cook; she answers when she is asked.",
            why="The report asks for it, and so do her shoulders.", called=0.5, open=3.0, by="Kwame",
            act=("sabbatical.planned/1", body),
        )
    )  # fmt: skip
    yield Event(day + 4.6, HALL, COOK, "sabbatical.accepted/1", naming({"sabbatical": "rest: done"}))
    yield from lot_drawn(
        day + 5.2, HALL, "newcomer", lambda world: world.digests["rest: done"], ("Olek", "Hana", "Dario"), "newcomer", hours=18
    )
    asked = "Ask me on Mondays, by phone. I do not come by: I would only lift the lids."

    def mentor(world: World) -> Mapping[str, Any]:
        sabbatical = world.digests["rest: done"]
        newcomer = world.key(HALL, world.drawn(HALL, "newcomer", sabbatical))
        return {"sabbatical": sabbatical.hex(), "newcomer": newcomer, "words": asked}

    def newcomer(world: World) -> str:
        return world.drawn(HALL, "newcomer", world.digests["rest: done"])

    yield Event(day + 9.6, HALL, newcomer, "sabbatical.taken-over/1", naming({"sabbatical": "rest: done"}))
    yield Event(day + 10.3, HALL, COOK, "mentor.agreed/1", mentor)


def _dependencies(calendar: Calendar) -> Iterator[Event]:
    """What turned out to hang on one person."""
    begins = calendar.moon(REST)
    found = (
        (6.2, "Olek", "gas", "The gas firm delivers only to a voice that it knows. We cooked on two flames for a week."),
        (11.4, "Femi", "lists", "Who must not have nuts or milk was in one head. Nothing happened; it could have."),
        (15.3, "Ines", "market", "The market gives us what is left over because of a friendship, and not because of us."),
    )
    for later, who, label, what in found:
        yield Event(
            begins + later, HALL, who, "dependency.found/1",
            naming({"sabbatical": "rest: done"}, what=what), label,
        )  # fmt: skip
    for later, who, label, look, plan in (
        (8.1, "Dario", "gas", 3, "Two of us go there together, and the contract gets three names."),
        (16.2, "Femi", "lists", -1, "A card for everybody who wants one, in the tin by the stove. We try it for a season."),
    ):
        yield Event(
            begins + later, HALL, who, "dependency.planned/1",
            naming({"dependency": label}, look_cycle=calendar.back(look), plan=plan),
        )  # fmt: skip
    how = "Three names are on the contract, and the last two deliveries came for Rui."
    yield Event(
        calendar.moon(3) + 2.2, HALL, "Dario", "dependency.resolved/1",
        naming({"dependency": "gas"}, how=how),
    )  # fmt: skip


def _landed(calendar: Calendar) -> Iterator[Event]:
    """Landing after the surges, and what was gained."""
    for day, who, campaign, meets, words in (
        (112.6, "Kwame", "Warm rooms", 118.4, "Bring a blanket, and nothing to plan."),
        (244.3, "Hana", "Open harvest", 249.4, "Soup, a fire, and whoever wants to sing."),
    ):

        def body(world: World, campaign: str = campaign, meets: float = meets, words: str = words) -> Mapping[str, Any]:
            told = {"campaign": world.digest(campaign), "meets_ms": world.ms(meets), "place": "The hall, chairs in a ring"}
            return {**told, "ritual": world.digest("Decompression"), "words": words}

        yield Event(day, HALL, who, "decompression.set/1", body)
    gained = (
        (136.4, "Olek", "care", "A warm room on Thursdays", "A room in which anybody can sit and be warm, each Thursday."),
        (271.6, "Dario", "food", "Four hundred jars that go round", "We can keep what grows: four hundred jars, and hands."),
    )
    for day, who, domain, about, words in gained:
        yield Event(
            day, HALL, who, "celebration.held/1",
            naming({"about": about}, domain=domain, gained=words, how="Cake, and one sentence each."),
        )  # fmt: skip
    small = {"domain": "money", "gained": "The bar has paid a month's rent by itself.", "how": "Somebody rang the bell twice."}
    yield Event(calendar.moon(3) + 18.3, HALL, "Kwame", "celebration.held/1", small)
    store = {"domain": "food", "gained": "Our own potatoes until April, in our own store.", "how": "We ate some."}
    yield Event(calendar.moon(2) + 12.2, "field", "Luka", "celebration.held/1", store)


# Now


def _now(calendar: Calendar) -> Iterator[Event]:
    """Shifts of the coming week, with places that are free, and a task that waits."""
    now = calendar.now
    soup, bar = calendar.tuesday(now + 0.4, 11.5), calendar.at(now + 4, 19)
    yield shift(
        now - 3.1, HALL, "Ines", "soup ahead", soup, 4, 3, title="Soup kitchen on Tuesday", category="kitchen",
        place="The back kitchen", about="Peeling from half past eleven, people come at one.",
    )  # fmt: skip
    yield Event(now - 2.2, HALL, "Hana", "task.taken/1", _task("soup ahead"))
    yield shift(now - 2.9, HALL, "Kwame", "bar ahead", bar, 6, 2, title="Bar and door", category="bar", place="Front room")
    yield Event(now - 2.0, HALL, "Dario", "task.taken/1", _task("bar ahead"))
    yield Event(now - 0.9, HALL, "Dario", "swap.offered/1", _task("bar ahead", words="I have a fever. Anybody?"))
    paper = {
        "title": "Put the hall's recipes on paper",
        "category": "kitchen",
        "seats": 2,
        "about": "Ask, write, taste, correct.",
    }
    yield Event(now - 6.4, HALL, "Femi", "task.offered/1", paper)
    yield shift(
        now - 3.4, "field", "Pavel", "mulch ahead", calendar.at(now + 3, 9), 5, 4, title="Mulch for the beds",
        category="fields", place="By the gate", about="Soup at noon. Children are welcome.",
    )  # fmt: skip
    yield Event(now - 1.6, "field", "Zeyn", "task.taken/1", _task("mulch ahead"))
