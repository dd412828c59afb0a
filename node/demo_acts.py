"""What several chapters of the demo's story are made of: decisions that go the whole way, lots, words in between.

Example::

    yield from decided(Matter(isle="harbour", label="quiet", day=40.5, who="Noor", title="Quiet after ten", ...))
    yield from lot_drawn(41.2, "field", "shadow", about, ("Marta", "Luka", "Noa"), "a shadow")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from node.demo_people import here
from node.demo_world import Body, Event, Who, World, between

About = Callable[[World], bytes]
USUAL = {"consent": "agree", "consensus": "agree", "advice": "support", "majority": "yes", "gradients": "endorse"}
Answer = str | tuple[str, str]  # a choice, or a choice with reasons


class Matter(Struct, frozen=True, kw_only=True):
    """A proposal with one round about it, and what is done when it is accepted."""

    isle: str
    label: str
    day: float
    who: Who
    title: str
    text: str | Callable[[World], str]
    why: str
    binds: str = ""
    talk: Sequence[tuple[float, str, str, str]] = ()  # (days later, who, what it is, words); an answer is to the one before
    strategic: bool = False
    options: Sequence[str] = ()
    act: tuple[str, Body] | None = None
    by: Who = ""  # who does it
    type: str = "consent"
    hidden: str = "open"
    called: float = 2.2  # days after the proposal
    open: float = 4.0  # days
    review: int = 0  # cycles; 0 is as the protocol says
    sunset: int = 0
    measures: str = ""
    criteria: Sequence[tuple[str, str, int]] = ()
    answers: Mapping[str, Answer] = {}
    absent: Sequence[str] = ()
    within: float = 0.0  # days in which those who answer do; 0: as long as it is open

    @property
    def closes(self) -> float:
        """The day on which its round closes."""
        return self.day + self.called + self.open

    @property
    def done(self) -> float:
        """The day on which what was decided is done."""
        return self.closes + 0.11


def decided(matter: Matter) -> Iterator[Event]:
    """From the proposal to what is done; the clock closes the round."""
    yield proposed(matter)
    for number, (later, who, sort, words) in enumerate(matter.talk):
        label = f"{matter.label}: said {number}"
        about = f"{matter.label}: said {number - 1}" if sort == "answer" else ""
        yield said(matter.day + later, matter.isle, who, matter.label, sort, words, about, label)
    yield from round_of(matter)
    if matter.act:
        kind, body = matter.act
        yield Event(matter.done, matter.isle, matter.by or matter.who, kind, body, f"{matter.label}: done")


def proposed(matter: Matter) -> Event:
    """The proposal alone."""

    def body(world: World) -> Mapping[str, Any]:
        told: dict[str, Any] = {
            "title": matter.title,
            "text": matter.text(world) if callable(matter.text) else matter.text,
            "why": matter.why,
            "binds": matter.binds,
            "strategic": matter.strategic,
            "options": list(matter.options),
        }
        if matter.act:
            told["plans"] = [world.plan(matter.isle, *matter.act)]
        return told

    return Event(matter.day, matter.isle, matter.who, "decision.proposed/1", body, matter.label)


def said(day: float, isle: str, who: Who, proposal: str, sort: str, words: str, about: str = "", label: str = "") -> Event:
    """A question, a reaction, a concern, an answer or words on the outcome; it is known by its words."""

    def body(world: World) -> Mapping[str, Any]:
        told = {"proposal": world.digest(proposal), "sort": sort, "words": words}
        return {**told, "about": world.digest(about)} if about else told

    return Event(day, isle, who, "decision.discussed/1", body, label)


def round_of(matter: Matter, version: int = 1) -> Iterator[Event]:
    """A call on one version, and what people answer, each at another time."""
    label, begins = f"{matter.label}: round {version}", matter.day + matter.called

    def body(world: World) -> Mapping[str, Any]:
        return {
            "proposal": world.digest(matter.label),
            "version": version,
            "type": matter.type,
            "hidden": matter.hidden,
            "closes_ms": world.ms(matter.closes),
            "review_cycle": matter.review,
            "sunset_cycle": matter.sunset,
            "measures": matter.measures,
            "criteria": [
                {"figure": figure, "compare": compare, "number": str(number)} for figure, compare, number in matter.criteria
            ],
        }

    yield Event(begins, matter.isle, matter.who, "decision.called/1", body, label)
    for who in here(matter.isle, begins):
        if who not in matter.absent:
            day = begins + (matter.within or matter.open) * between(60, 930, label, who) / 1000
            answer = matter.answers.get(who) or USUAL.get(matter.type, "abstain")
            yield answered(day, matter.isle, who, label, answer)


def answered(day: float, isle: str, who: str, round_: str, answer: Answer) -> Event:
    """An answer, unless it concerns who would give it."""
    choice, reasons = answer if isinstance(answer, tuple) else (answer, "")

    def body(world: World) -> Mapping[str, Any] | None:
        if not world.may_answer(isle, round_, who):
            return None
        told = {"round": world.digest(round_), "choice": choice}
        return {**told, "reasons": reasons} if reasons else told

    return Event(day, isle, who, "vote.cast/1", body, f"{round_}: {who}")


def judged(
    day: float, isle: str, who: str, proposal: str, title: str, found: str, review: int, sunset: int, verdict: str = "met"
) -> Matter:
    """That a decision is looked at again, by a decision."""

    def body(world: World) -> Mapping[str, Any]:
        dates = {"review_cycle": review, "sunset_cycle": sunset} if verdict == "met" else {}
        return {"decision": world.outcome(isle, proposal).id.hex(), "verdict": verdict, "found": found, **dates}

    return Matter(
        isle=isle,
        label=f"{proposal}: looked at on {day:.0f}",
        day=day,
        who=who,
        title=title,
        text=found,
        why="Its time to be looked at is near, and what nobody looks at ends by itself.",
        called=0.15,
        open=3.0,
        act=("decision.judged/1", body),
    )


def naming(records: Mapping[str, str], **more: Any) -> Body:
    """What is written about records that were written before: each field with the label of its record, and the rest."""
    return lambda world: {**{field: world.digest(label) for field, label in records.items()}, **more}


# Lots


def lot_drawn(
    day: float, isle: str, purpose: str, about: About, who: Sequence[str], label: str, *, hours: float = 30.0
) -> Iterator[Event]:
    """A lot is opened, some add their parts and reveal them; the clock draws. The first opens it.

    It takes two days in which parts are added, and two in which they are revealed.
    """
    yield Event(day, isle, who[0], "lot.opened/1", lambda world: {"purpose": purpose, "subject": about(world).hex()}, label)
    for number, each in enumerate(who):
        later = hours / 24 * between(5, 95, label, each) / 100
        yield Event(day + later, isle, each, "lot.committed/1", naming({"lot": label}))
        yield Event(day + 2.01 + later + number / 100, isle, each, "lot.revealed/1", naming({"lot": label}))
