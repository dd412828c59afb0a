"""Long Field's roles in the demo's year: coordination that goes round with the moon, and who keeps the seeds. All made up.

Terms go by the number of cycles before now: term 10 begins with the tenth new moon back, term 0 is the one in force. Term 4
is nobody's: at harvest the role was vacant for a moon.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from node.demo_acts import About, Matter, decided, lot_drawn, naming, proposed, said
from node.demo_story import starter
from node.demo_world import Calendar, Event, Who, World
from protocol import terms

FIELD, ROLE, SEEDS = "field", "coordination", "seed-keeper"
FIRST, VACANT, BY_LOT = 10, 4, (9, 6, 2)
CALLED, DECLINED = 7, 6  # the term in which the shadow called, and the one in which who was drawn had no time
CALLS = "assembly.called/1"
CANDIDATES: Mapping[int, tuple[str, ...]] = {
    10: ("Marta", "Pavel"),
    8: ("Amina", "Luka"),
    7: ("Pavel", "Noa"),
    5: ("Noa", "Marta"),
    3: ("Zeyn", "Pavel"),
    1: ("Luka", "Birk"),
    0: ("Amina", "Noa"),
    -1: ("Birk", "Pavel"),
}
DRAWERS = (("Marta", "Luka", "Amina"), ("Pavel", "Amina", "Marta"), ("Luka", "Marta", "Pavel"))
SEEN = (
    ("The list of who waters was ready on Sunday, every week. Two calls to the water board were made without asking.", ""),
    ("Newcomers are asked last what they think. It is not meant so; the round simply begins on the other side.", "Third time."),
    ("A hard week, carried well. Nobody else knew where the key of the pump house was.", "Keys, again."),
    ("Decisions on the field are taken on the field. It works as long as everybody is there on Thursdays.", ""),
    ("Good evenings, short and with an end. The minutes lay there the next morning.", ""),
)
LEFT = (
    ("The offer for fleece is still open.", "The dairy waits for our answer.", "The blue folder hangs behind the door."),
    ("Who mends the gate is not settled.", "", "Keys of the pump house: on the nail by the seed shelf."),
    ("Two work days have no cook yet.", "The school wants to come in spring.", "Phone list in the drawer of the long table."),
)


def roles(calendar: Calendar) -> Iterator[Event]:
    """Everything about roles at Long Field, and what else was decided there."""
    yield from decided(_defined(ROLE, 33.3, "Marta"))
    for term in range(FIRST, -1, -1):
        if term != VACANT:
            yield from _given(calendar, term)
            yield from _shadowed(calendar, term)
            yield from _handed_over(calendar, term)
    yield from _paused(calendar)
    yield from _seeds(calendar)
    yield from _again(calendar)
    yield from _line(calendar)
    yield from _now(calendar)


def _defined(role: str, day: float, who: str) -> Matter:
    words = {
        ROLE: (
            "A role for what one person has to hold together",
            "Since the well broke, everybody asks somebody else who calls whom. One of us at a time, for a moon.",
            "Calls assemblies, and keeps the list of what was promised. Decides nothing that costs more than a day.",
            "Sunday: the list for the week. Before the moon is over: hand over, in an evening, with tea.",
            [{"kind": CALLS}],
        ),
        SEEDS: (
            "Somebody who keeps the seeds",
            "Three of us dried beans this year and none of us knows how many. A role of duties, without any say over others.",
            "Drying, labelling, swapping. What is sown is decided by all.",
            "Label with year and field. Bring a bag to each assembly from the first frost on.",
            [],
        ),
    }
    title, why, domain, duties, permissions = words[role]
    body = {"role": role, "cycles": 1, "permissions": permissions, "domain": domain, "duties": duties}
    return Matter(
        isle=FIELD,
        label=role,
        day=day,
        who=who,
        title=title,
        text=f"{domain}\n\n{duties}",
        why=why,
        binds="Whoever holds it, for a moon at a time.",
        talk=((0.7, "Luka", "question", "And if nobody wants to?"), (1.4, "Amina", "answer", "Then a lot. I would take it.")),
        answers={"Luka": ("concern", "That it is always the same who have time.")},
        act=("role.defined/1", body),
        measures="Nobody has held it twice in a row, and nobody asks whom to ask.",
        sunset=0,
    )


# Terms


def _label(term: int, role: str = ROLE) -> str:
    return f"{role} {term}"


def _holder(term: int, role: str = ROLE) -> Who:
    """Who was given a term."""

    def name(world: World) -> str:
        row = world.view(FIELD).get(terms.TERMS, world.digests[_label(term, role)])
        return world.name(FIELD, row.holder) if row else ""

    return name


def _shadow(term: int) -> Who:
    return lambda world: world.drawn(FIELD, "shadow", world.digests[_label(term)])


def _given(calendar: Calendar, term: int) -> Iterator[Event]:
    begins = calendar.moon(term)
    if term in BY_LOT:
        yield from _by_lot(ROLE, term, begins - 9.2, begins - 4.3, DRAWERS[term % 3])
        return
    late = term == FIRST or term == VACANT - 1
    matter = _chosen(calendar, term, begins - (3.6 if late else 9.4))
    for event in decided(matter):
        yield _named(event, matter, _label(term))


def _named(event: Event, matter: Matter, label: str) -> Event:
    """What was done by a decision, under the label of what it brought about."""
    if event.label != f"{matter.label}: done":
        return event
    return Event(event.day, event.isle, event.who, event.kind, event.body, label)


def _chosen(calendar: Calendar, term: int, day: float) -> Matter:
    label, date = f"who coordinates {term}", calendar.spoken(calendar.moon(term))

    def choose(world: World) -> str:
        barred = world.names(FIELD, terms.barred(world.view(FIELD), ROLE, world.clock.now_ms()))
        return next(who for who in CANDIDATES[term] if who not in barred)

    def holder(world: World) -> str:
        return world.settle(label, lambda: choose(world))

    def body(world: World) -> Mapping[str, Any]:
        definition = world.digest(f"{ROLE}: done")
        return {"role": ROLE, "definition": definition, "holder": world.key(FIELD, holder(world)), "chosen": "consent"}

    proposer = ("Luka", "Marta", "Amina")[term % 3]
    return Matter(
        isle=FIELD,
        label=label,
        day=day,
        who=proposer,
        title=f"Coordination from {date}",
        text=lambda world: f"{holder(world)} coordinates for a moon. We asked, and the answer was yes.",
        why="The term in force ends by itself, and the list for the week has to lie somewhere.",
        talk=((1.1, "Noa" if calendar.moon(term) > 70 else "Pavel", "reaction", _REACTIONS[term % 4]),),
        called=2.0,
        open=3.5,
        absent=("Zeyn",) if term % 2 else ("Luka",),
        act=("role.appointed/1", body),
    )


_REACTIONS = (
    "Gladly. And this time somebody else cooks on Thursdays.",
    "I am for it. Please begin with the keys.",
    "Good. Then I have an evening free for the fence.",
    "Yes, and let us help with the lists in the first week.",
)


def _next_term(role: str) -> About:
    """What a lot for the next term of a role is about."""

    def subject(world: World) -> bytes:
        view = world.view(FIELD)
        return terms.lot_subject(view, view.need(terms.ROLES, role, what="role"))

    return subject


def _by_lot(role: str, term: int, opens: float, taken: float, who: Sequence[str]) -> Iterator[Event]:
    label, subject = f"{_label(term, role)}: lot", _next_term(role)
    yield from lot_drawn(opens, FIELD, "role", subject, who, label)
    drawn: Who = lambda world: world.drawn(FIELD, "role", subject(world))  # noqa: E731  # a name for what it gives
    yield Event(taken, FIELD, drawn, "role.taken/1", {"role": role}, _label(term, role))


# Shadows


def _shadowed(calendar: Calendar, term: int) -> Iterator[Event]:
    """A shadow by lot, and what they wrote."""
    begins, label = calendar.moon(term), _label(term)
    yield from lot_drawn(
        begins + (3.3 if term in (FIRST, VACANT - 1) else 0.9),
        FIELD,
        "shadow",
        lambda world: world.digests[label],
        DRAWERS[(term + 1) % 3],
        f"{label}: shadow",
        hours=18,
    )
    if term == DECLINED:
        why = "My mother is ill this month. Next time gladly."
        yield Event(
            begins + 7.7, FIELD, _shadow(term), "lot.declined/1",
            naming({"lot": f"{label}: shadow"}, reasons=why),
        )  # fmt: skip
    for number, later in enumerate((12.3, 20.4)):
        observed, patterns = SEEN[(2 * term + number) % len(SEEN)]
        note = {"observations": observed, **({"patterns": patterns} if patterns else {})}
        yield Event(begins + later, FIELD, _shadow(term), "shadow.noted/1", naming({"term": label}, **note))


def _handed_over(calendar: Calendar, term: int) -> Iterator[Event]:
    if term in (0, 8):  # one is in force, and one never came to it
        return
    open_, waiting, places = LEFT[term % 3]
    words = {
        "open_matters": open_,
        "waiting": waiting,
        "places": places,
        "otherwise": "I would ask for help in the first week.",
    }
    later = 1.3 if term % 2 else -0.6
    yield Event(
        calendar.moon(term - 1) + later, FIELD, _holder(term), "role.handed-over/1", naming({"term": _label(term)}, **words)
    )


def _paused(calendar: Calendar) -> Iterator[Event]:
    """Two more assemblies in one week; the shadow calls, and the assembly looks."""
    begins, label = calendar.moon(CALLED), _label(CALLED)
    for number, (later, purpose) in enumerate(((4.5, "The pump, again"), (5.2, "Who is on the stand"))):
        opens = begins + 10 + number * 2

        def body(world: World, opens: float = opens, purpose: str = purpose) -> Mapping[str, Any]:
            return {"opens_ms": world.ms(opens), "ends_ms": world.ms(opens + 0.1), "place": "The barn", "purpose": purpose}

        yield Event(begins + later, FIELD, _holder(CALLED), CALLS, body, f"extra assembly {number}")
    reasons = "Three evenings within nine days, two of them called from one day to the next. Half of us milk at that hour."
    yield Event(
        begins + 8.4, FIELD, _shadow(CALLED), "role.called/1", naming({"term": label}, kind=CALLS, reasons=reasons), "call"
    )
    yield Event(
        begins + 9.1, FIELD, _holder(CALLED), "assembly.closed/1",
        naming({"assembly": "extra assembly 1"}, closing="Called off: it can wait for the next one."),
    )  # fmt: skip
    heard = "We looked at it together. One assembly a moon is the rule; for more, three of us ask for it. It goes on."
    yield from decided(
        Matter(
            isle=FIELD,
            label="the call is answered",
            day=begins + 9.4,
            who="Amina",
            title="The shadow has called: assemblies",
            text="Coordination may call assemblies again. More than one in a moon takes three who ask for it.",
            why="A shadow's call pauses; what it pauses is for all of us to look at.",
            talk=((0.3, "Luka", "reaction", "Thank you for calling. I had begun not to come."),),
            called=0.6,
            open=3.0,
            by="Luka",
            act=("role.call-answered/1", naming({"call": "call"}, outcome="resume", reasons=heard)),
        )
    )


# Seeds


def _digest_of(label: str) -> About:
    return lambda world: world.digests[label]


def _seeds(calendar: Calendar) -> Iterator[Event]:
    """A role of duties: a term by consent, a moon of nobody, a term by lot, and nobody again."""
    yield from decided(_defined(SEEDS, calendar.moon(4) + 8.2, "Luka"))
    matter = Matter(
        isle=FIELD,
        label="who keeps the seeds",
        day=calendar.moon(3) + 0.8,
        who="Marta",
        title="Seeds until the next moon",
        text="Birk keeps the seeds for a moon, and asks Zeyn about the beans.",
        why="The beans are dry and the mice know it.",
        called=0.7,
        open=2.5,
        act=(
            "role.appointed/1",
            lambda world: {
                "role": SEEDS,
                "definition": world.digest(f"{SEEDS}: done"),
                "holder": world.key(FIELD, "Birk"),
                "chosen": "consent",
            },
        ),
    )
    for event in decided(matter):
        yield _named(event, matter, _label(3, SEEDS))
    for term, day in ((3, calendar.moon(3) + 4.6), (1, calendar.moon(1) + 1.3)):
        label = _label(term, SEEDS)
        yield from lot_drawn(day, FIELD, "shadow", _digest_of(label), DRAWERS[term % 3], f"{label}: shadow", hours=18)
    yield Event(
        calendar.moon(2) + 0.9, FIELD, "Birk", "role.handed-over/1",
        naming({"term": _label(3, SEEDS)}, open_matters="Nine bags without a label. Kale, I think.", places="Tins, loft"),
    )  # fmt: skip
    yield from _by_lot(SEEDS, 1, calendar.moon(1) - 4.4, calendar.moon(1) + 0.6, ("Amina", "Zeyn", "Luka"))


def _again(calendar: Calendar) -> Iterator[Event]:
    """Before the first adoption of the protocol ends by itself, it is decided on anew."""
    protocol = starter("Lunar roles")

    def body(world: World) -> Mapping[str, Any]:
        return {
            "protocol": world.digest("Lunar roles"),
            "origin": world.space(FIELD),
            "name": "Lunar roles",
            "text_hash": sha256(protocol["text"].encode()).hexdigest(),
            "until_cycle": world.calendar.back(-10),
            "settings": protocol["settings"],
            "reasons": "A year of it: eight of us have held something, and the harvest showed what a moon of nobody is like.",
        }

    yield from decided(
        Matter(
            isle=FIELD,
            label="lunar roles again",
            day=calendar.moon(2) + 6.3,
            who="Noa",
            title="Another year of lunar roles",
            text="We keep them as they are, until next year's harvest is in.",
            why="They end by themselves if we say nothing, and saying nothing is how we got the well.",
            talk=(
                (0.9, "Pavel", "question", "Two moons each, perhaps? One is short when it rains."),
                (1.3, "Noa", "answer", "I would rather have one and a good handover."),
            ),
            answers={"Pavel": ("concern", "A moon is short. I shall say so again.")},
            act=("protocol.adopted/1", body),
            by="Zeyn",
        )
    )


def _line(calendar: Calendar) -> Iterator[Event]:
    """A trip wire that has not tripped: that the same do not hold everything."""
    wire = {"figure": "roles.longest-held", "compare": "above", "number": 3, "cycles": 1, "who": "All who have held none yet"}
    yield from decided(
        Matter(
            isle=FIELD, label="longest", day=calendar.moon(5) + 7.4, who="Zeyn", title="Four moons in a row, and we look",
            text="If somebody has held a role for more than three moons in a row, a review opens, and not to blame them.",
            why="Terms end here, and still it can be the same hands that pick them up again.",
            talk=((0.8, "Marta", "reaction", "I held the water list for six years. Nobody asked, I least of all."),),
            act=("tripwire.set/1", wire), by="Noa", measures="We have asked before it is a habit.",
        )
    )  # fmt: skip


# Now


def _now(calendar: Calendar) -> Iterator[Event]:
    """What is open when somebody comes in: who is next, a lot that waits for parts, a proposal in talk."""
    now = calendar.now
    soon = _chosen(calendar, -1, now - 4.4)
    matter = Matter(
        isle=FIELD, label=soon.label, day=soon.day, who="Luka", title=soon.title, text=soon.text, why=soon.why,
        talk=((0.9, "Noa", "reaction", "Gladly, if the seeds stay with somebody else."),), called=1.6, open=5.4, within=2.4,
        absent=("Marta", "Pavel"), act=soon.act,
    )  # fmt: skip
    yield from decided(matter)
    label, subject = f"{_label(0, SEEDS)}: lot", _next_term(SEEDS)
    opened = {"purpose": "role"}
    yield Event(now - 0.62, FIELD, "Noa", "lot.opened/1", lambda world: {**opened, "subject": subject(world).hex()}, label)
    for later, who in ((0.05, "Noa"), (0.21, "Luka"), (0.48, "Birk")):
        yield Event(now - 0.6 + later, FIELD, who, "lot.committed/1", naming({"lot": label}))
    sheep = Matter(
        isle=FIELD, label="sheep", day=now - 6.3, who="Zeyn", title="Sheep under the apple trees",
        text="Six sheep of the dairy graze in the orchard from April to July. They keep the grass short; we keep the fence.",
        why="Mowing the orchard took nine days this year, and the dairy looks for a summer place.",
        binds="Whoever is on the orchard list: the fence is looked at each morning.",
    )  # fmt: skip
    yield proposed(sheep)
    yield said(
        now - 5.1, FIELD, "Amina", "sheep", "question", "Who looks after them when the dairy is closed in May?", label="may"
    )
    yield said(
        now - 4.2, FIELD, "Zeyn", "sheep", "answer", "Their son comes. I asked him, and he said twice a day.", about="may"
    )
    yield said(
        now - 1.3, FIELD, "Luka", "sheep", "concern", "Young bark. Three winters ago goats cost us four trees.", label="bark"
    )
