"""What else The Lantern decided in the demo's year, who hosts, the groups that it looks at, what is open now. All made up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from node.demo_acts import About, Matter, decided, lot_drawn, naming, proposed, said
from node.demo_world import Calendar, Event, Who, World
from protocol import terms

HALL, HOST = "lantern", "host"
HOSTS = (("Ines", "Olek", "Rui"), ("Kwame", "Femi", "Hana"))
SEEN = {
    3: "Everybody was greeted, and the two who came about the roof were not sent from one to the next.",
    2: "The door was late twice. Both times somebody had said that somebody else would come.",
    1: "Guests were told where the tea is, and that they may make it. They did.",
    0: "A calm start. The list of who opens hangs where one sees it.",
}
LEFT = {
    3: {"open_matters": "The bell does not ring when it rains.", "places": "Spare key: the tin behind the fuse box."},
    2: {"open_matters": "Whom we call when the lock jams.", "waiting": "The choir waits for a Wednesday."},
    1: {
        "open_matters": "Chairs: eleven are lent out, the list is in the drawer.",
        "otherwise": "I would ask two more to help.",
    },
}


def hall(calendar: Calendar) -> Iterator[Event]:
    """Decisions, groups, and now."""
    yield from _decisions(calendar)
    yield from _host(calendar)
    yield from _groups()
    yield from _now(calendar)


def _decisions(calendar: Calendar) -> Iterator[Event]:
    yield from decided(
        Matter(
            isle=HALL, label="midnight", day=calendar.moon(10) + 4.3, who="Olek", title="The door closes at midnight",
            text="On Fridays and Saturdays the last song is at half past eleven, and the door is shut at twelve.",
            why="Two neighbours have knocked, kindly. The third one will write.", type="majority",
            answers={"Kwame": ("no", "The bar lives from the last hour."), "Femi": "abstain"},
            review=calendar.back(7), sunset=calendar.back(2), measures="Nobody knocks for three moons.",
        )
    )  # fmt: skip
    yield from decided(
        Matter(
            isle=HALL, label="free soup", day=calendar.moon(4) + 6.1, who="Femi", title="Soup without a jar",
            text="No jar on the table at the soup kitchen. Who wants to give finds the number at the door.",
            why="Some have stopped coming, and one of them told me why.",
            talk=(
                (0.9, "Kwame", "question", "And if the fund runs dry?"),
                (1.5, "Femi", "answer", "Then we say so, at the bar."),
            ),
            answers={"Ines": ("concern", "The foundation counts what comes in. I write to them.")},
            review=calendar.back(1), sunset=calendar.back(-4), measures="More come than a year ago.",
        )
    )  # fmt: skip
    yield from decided(
        Matter(
            isle=HALL, label="keys", day=calendar.moon(2) + 8.2, who="Rui", title="A key for whoever opens up",
            text="Six keys instead of three; who opens up twice a month has one, and hands it on when they do not.",
            why="On two Mondays we stood before the door.",
            talk=(
                (0.5, "Kwame", "question", "Who keeps the list?"),
                (0.9, "Femi", "answer", "It hangs inside the door, with a pencil."),
                (1.4, "Olek", "reaction", "Then the lock is next. It is older than me."),
            ),
            answers={"Ines": ("concern", "Six keys is six pockets."), "Yara": "abstain"},
            review=calendar.back(-1), sunset=calendar.back(-7), measures="Nobody has stood before the door.",
        )
    )  # fmt: skip
    yield from decided(
        Matter(
            isle=HALL, label="ceiling", day=calendar.moon(1) + 12.3, who="Dario", title="The ceiling before the lights",
            text="What the benefit nights bring goes into the ceiling first. The lights wait.",
            why="Something fell, and nobody stood there.", type="gradients",
            talk=(
                (0.6, "Hana", "question", "Do we have to close while it is done?"),
                (1.2, "Dario", "answer", "Two Mondays, and nobody comes on Mondays but the lessons."),
                (1.6, "Rui", "concern", "The lessons are on Mondays. We could sit in the kitchen."),
            ),
            answers={
                "Kwame": "reserved", "Olek": ("along", "I had those lights in my head."), "Rui": "agree", "Hana": "agree",
            },
            review=calendar.back(-2), sunset=calendar.back(-8), measures="The inspector has been there, and nothing falls.",
        )
    )  # fmt: skip


# Who hosts: a role of duties, without any say over others


def _host(calendar: Calendar) -> Iterator[Event]:
    """Defined, then given by election and by lot in turn; each with a shadow, each handed over."""
    role = {
        "role": HOST, "cycles": 1, "domain": "The front room on open evenings: who opens, who closes, what a guest is told.",
        "duties": "Is there when the door opens, or sees to it that somebody is. Knows where the keys are.",
    }  # fmt: skip
    yield from decided(
        Matter(
            isle=HALL, label="host", day=calendar.moon(4) + 11.2, who="Hana", title="One of us hosts, a moon at a time",
            text=f"{role['domain']}\n\n{role['duties']}", why="Guests ask the one who looks least busy. That is always Yara.",
            talk=((0.8, "Kwame", "question", "With a say over the bar?"), (1.3, "Hana", "answer", "With none. A face.")),
            act=("role.defined/1", role), by="Olek", measures="Six of us have hosted by next summer.",
        )
    )  # fmt: skip
    yield from _elected(calendar, 3, calendar.moon(3) + 0.6, ("Hana", "Femi"), "Olek")
    yield from _by_lot(calendar.moon(2) - 4.4, calendar.moon(2) + 0.4, "host 2")
    yield from _elected(calendar, 1, calendar.moon(1) - 7.3, ("Dario", "Olek"), "Femi")
    yield from _by_lot(calendar.moon(0) - 4.4, calendar.moon(0) + 0.5, "host 0")
    for term in (3, 2, 1, 0):
        label = f"host {term}"
        begins = calendar.moon(term) + (6.1 if term == 3 else 1.4)
        yield from lot_drawn(
            begins, HALL, "shadow", _record(label), HOSTS[term % 2], f"{label}: shadow", hours=18
        )  # fmt: skip
        seen = naming({"term": label}, observations=SEEN[term])
        yield Event(begins + 9.2, HALL, _shadow(label), "shadow.noted/1", seen)
        if term:
            left = naming({"term": label}, **LEFT[term])
            yield Event(calendar.moon(term - 1) - 0.4, HALL, _holder(label), "role.handed-over/1", left)


def _record(label: str) -> About:
    return lambda world: world.digests[label]


def _next_term(world: World) -> bytes:
    view = world.view(HALL)
    return terms.lot_subject(view, view.need(terms.ROLES, HOST, what="role"))


def _holder(label: str) -> Who:
    return lambda world: world.name(HALL, world.view(HALL).need(terms.TERMS, world.digests[label], what="term").holder)


def _shadow(label: str) -> Who:
    return lambda world: world.drawn(HALL, "shadow", world.digests[label])


def _elected(calendar: Calendar, term: int, day: float, who: Sequence[str], by: str) -> Iterator[Event]:
    label, until = f"host {term}", calendar.spoken(calendar.moon(term - 1))

    def choose(world: World) -> str:
        barred = world.names(HALL, terms.barred(world.view(HALL), HOST, world.clock.now_ms()))
        return next(each for each in who if each not in barred)

    def holder(world: World) -> str:
        return world.settle(label, lambda: choose(world))

    def body(world: World) -> Mapping[str, Any]:
        definition = world.digest("host: done")
        return {"role": HOST, "definition": definition, "holder": world.key(HALL, holder(world)), "chosen": "consent"}

    matter = Matter(
        isle=HALL, label=f"who is {label}", day=day, who=by, title=f"Who hosts until {until}",
        text=lambda world: f"{holder(world)} hosts until the new moon after, and asks for help when it is full.",
        why="The last one hands over at the new moon, and the door is to be opened on that Friday too.",
        called=0.7, open=3.5, act=("role.appointed/1", body),
    )  # fmt: skip
    for event in decided(matter):
        done = event.label == f"{matter.label}: done"
        yield Event(event.day, event.isle, event.who, event.kind, event.body, label) if done else event


def _by_lot(opens: float, taken: float, label: str) -> Iterator[Event]:
    yield from lot_drawn(opens, HALL, "role", _next_term, HOSTS[0], f"{label}: lot")
    drawn: Who = lambda world: world.drawn(HALL, "role", _next_term(world))  # noqa: E731  # a name for what it gives
    yield Event(taken, HALL, drawn, "role.taken/1", {"role": HOST}, label)


def _groups() -> Iterator[Event]:
    named = (
        ("parents", "Who has children at home: assemblies end late, and we want to see whom that leaves out."),
        ("night-shift", "Who works at night, here or elsewhere."),
    )
    for number, (group, meaning) in enumerate(named):
        yield Event(233.3 + number / 100, HALL, "Ines", "group.named/1", {"group": group, "meaning": meaning})
    of = {"Ines": "parents", "Kwame": "night-shift", "Yara": "parents", "Olek": "parents", "Dario": "night-shift"}
    for number, (who, groups) in enumerate({**of, "Femi": "night-shift, parents"}.items()):
        yield Event(234.4 + number / 6, HALL, who, "group.said/1", {"groups": groups})
    yield Event(265.3, HALL, "Rui", "group.said/1", {"groups": "night-shift"})


def _now(calendar: Calendar) -> Iterator[Event]:
    """A round with sealed answers that waits for some, and two proposals in talk."""
    now = calendar.now
    yield from decided(
        Matter(
            isle=HALL, label="thursday soup", day=now - 6.6, who="Hana", title="Soup on Thursdays too",
            text="A second day, small: thirty bowls, in the warm room. The cook of Thursdays is never the cook of Tuesdays.",
            why="The warm room opens again, and people ask what smells so good on Tuesdays.",
            binds="Whoever signs up for Thursdays; the kitchen fund, up to sixty a week.",
            talk=(
                (0.6, "Olek", "question", "Is it four hands, or again two?"),
                (1.4, "Hana", "answer", "Four, and none of them cooks on Tuesday. It stands in the text now."),
            ),
            type="majority", hidden="own", called=4.1, open=6.2, within=2.2, absent=("Ines", "Kwame"),
            answers={"Yara": "no", "Rui": "abstain"}, measures="Eight different people have cooked by spring.",
        )
    )  # fmt: skip
    quiet = Matter(
        isle=HALL, label="quiet evening", day=now - 5.4, who="Rui", title="One quiet evening a week",
        text="On Wednesdays the hall is open and nothing happens: no bar, no stage, tea on the stove.",
        why="Some of us come for the others, and not for the band.",
    )  # fmt: skip
    yield proposed(quiet)
    yield said(now - 4.6, HALL, "Dario", "quiet evening", "question", "Who has the key on Wednesdays?", label="key")
    yield said(now - 3.7, HALL, "Rui", "quiet evening", "answer", "I do, and Hana when I teach.", about="key")
    yield said(now - 1.1, HALL, "Femi", "quiet evening", "reaction", "I would come. I would bring my knitting.")
