"""What else The Lantern decided in the demo's year, the groups that it looks at, and what is open there now. All made up."""

from __future__ import annotations

from collections.abc import Iterator

from node.demo_acts import Matter, decided, proposed, said
from node.demo_world import Calendar, Event

HALL = "lantern"


def hall(calendar: Calendar) -> Iterator[Event]:
    """Decisions, groups, and now."""
    yield from _decisions(calendar)
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
