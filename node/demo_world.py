"""A year told through the real paths: events in the order of their days, each one act of a member of one collective.

An event is written with the member's own key by `actions.submit`, at its own moment of a moved clock; nothing is put into
a table. What a later event refers to (a protocol, a call, an offer) it finds by the label that the earlier one left. On the
way to a day the node's own clock does what it may, at the true moments: it closes rounds, draws lots, notes figures.

Example::

    world.tell([Event(12.5, "harbour", "Noor", "member.named/1", {"name": "Noor"})])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from itertools import groupby
from typing import Any

from msgspec import Struct

from node.clock import MovedClock
from node.clockwork import Clockwork
from node.home import Home
from protocol import deciding, drawing, encoding, moon, terms, wires
from protocol.accounting import day_at
from protocol.body import from_json, structure_and_words
from protocol.keychain import space_name
from protocol.keys import SigningKey
from protocol.membership import MEMBERSHIPS
from protocol.practice import FOREVER_MS, Refused, View
from protocol.practices import KINDS

LAST = 380  # the story's last day begins while the demo is started
DAY_MS, MINUTE_MS = 86_400_000, 60_000
MORNING = 8 + 1 / 6  # a day of the story begins when people have had their coffee, in hours of UTC
AWAKE, LATE = 0.64, 0.9999  # of a day: from then on until half past eleven
TUESDAY, EVENING = 5, 17.5  # days since 1970 modulo 7; hours of UTC
Body = Mapping[str, Any] | Callable[["World"], Mapping[str, Any] | None]
Who = str | Callable[["World"], str]


class Event(Struct, frozen=True):
    """One act: on which day (counted from the first), in which collective, by whom, and what.

    Who and what may be worked out when it is told; "" or None then leaves it out.
    """

    day: float
    isle: str
    who: Who
    kind: str
    body: Body
    label: str = ""
    audience: str = ""


class Calendar(Struct, frozen=True):
    """Days of the story, and what they are in the moon's cycles; `now_ms` is where the story ends."""

    start_ms: int
    now_ms: int

    def ms(self, day: float) -> int:
        """The minute of a day of the story; the whole of a day is the time in which people are awake."""
        whole, part = divmod(day, 1)
        since_ms = round((whole + part * AWAKE) * DAY_MS) + 500  # an hour is not a sum of parts of days to the millisecond
        return (self.start_ms + since_ms) // MINUTE_MS * MINUTE_MS

    def day(self, ms: int) -> float:
        """The day of the story at an instant; of one in the night, the last moment before it."""
        whole, part = divmod((ms - self.start_ms) / DAY_MS, 1)
        return whole + min(part / AWAKE, LATE)

    @property
    def now(self) -> float:
        """The day on which the story ends, to the minute before."""
        return self.day(self.now_ms - MINUTE_MS)

    def at(self, day: float, hour: float) -> float:
        """The same day at an hour in UTC."""
        return day // 1 + (hour - MORNING) / 24 / AWAKE

    def date(self, day: float) -> str:
        """Its date."""
        return day_at(self.ms(day))

    def spoken(self, day: float) -> str:
        """Its date as people say it."""
        on = date.fromisoformat(self.date(day))
        return f"{on.day} {on:%B}"

    def cycle(self, day: float) -> int:
        """The moon's cycle in which it lies."""
        return moon.cycle_at(self.ms(day))

    def back(self, cycles: int) -> int:
        """The cycle so many before that of now."""
        return moon.cycle_at(self.now_ms) - cycles

    def moon(self, cycles: int) -> float:
        """The day, from the new moon on, with which the cycle so many before that of now began."""
        at_ms = moon.new_moon_ms(self.back(cycles))
        day = self.day(at_ms + MINUTE_MS)
        return day if self.ms(day) >= at_ms else day // 1 + 1

    def tuesday(self, day: float, hour: float = EVENING) -> float:
        """The first Tuesday at an hour from a day on."""
        first = day // 1 if self.at(day, hour) >= day else day // 1 + 1
        since_1970 = self.ms(first) // DAY_MS
        return self.at(first + (TUESDAY - since_1970) % 7, hour)


class DemoError(Exception):
    """The demo's story does not hold; the message says where."""


class World:
    """The collectives of the demo while their year is told."""

    def __init__(self, homes: Mapping[str, Home], clock: MovedClock, calendar: Calendar) -> None:
        self.homes, self.clock, self.calendar = homes, clock, calendar
        self.digests: dict[str, bytes] = {}
        self.keys: dict[tuple[str, str], SigningKey] = {}
        self.ms, self.date, self.cycle = calendar.ms, calendar.date, calendar.cycle
        self._clocks = {isle: Clockwork(home, practices=()) for isle, home in homes.items()}
        self._coming: dict[str, int] = {}
        self._settled: dict[str, str] = {}

    # What was said before

    def digest(self, label: str) -> str:
        """The record that an earlier event left under this label."""
        return self.digests[label].hex()

    def space(self, isle: str) -> str:
        """A collective's id."""
        return space_name(self.homes[isle].space)

    def view(self, isle: str) -> View:
        """A collective's tables as they are by now."""
        home = self.homes[isle]
        return home.store.view(home.space)

    # Who

    def key(self, isle: str, who: str) -> str:
        """A member's key, as records write it."""
        return self.keys[isle, who].public.hex()

    def name(self, isle: str, member: bytes) -> str:
        """What a member is called in the story."""
        return next((who for (at, who), key in self.keys.items() if at == isle and key.public == member), "")

    def names(self, isle: str, members: Iterable[bytes]) -> list[str]:
        """The same for several."""
        return [self.name(isle, member) for member in members]

    def holder(self, isle: str, role: str) -> str:
        """Who holds a role now, or ""."""
        held = terms.holder_of(self.view(isle), role, self.clock.now_ms())
        return self.name(isle, held) if held else ""

    def drawn(self, isle: str, purpose: str, about: bytes) -> str:
        """Who fills the first seat of a lot now, or ""."""
        seats = drawing.standing(self.view(isle), purpose, about)
        return self.name(isle, seats[0]) if seats else ""

    def settle(self, label: str, choose: Callable[[], str]) -> str:
        """What was chosen when this was first asked; it stays."""
        if label not in self._settled:
            self._settled[label] = choose()
        return self._settled[label]

    # Decisions

    def plan(self, isle: str, kind: str, body: Body, option: int = 0) -> dict[str, Any]:
        """An act as a proposal plans it."""
        made = from_json(KINDS[kind].body, body(self) if callable(body) else body)
        concerned = KINDS[kind].concerns(self.view(isle), made)
        structure = encoding.encode(structure_and_words(made)[0])
        return {"kind": kind, "structure": structure.hex(), "option": option, "concerned": [each.hex() for each in concerned]}

    def may_answer(self, isle: str, round_: str, who: str) -> bool:
        """Whether somebody has a vote in a round."""
        view, member = self.view(isle), self.keys[isle, who].public
        row = view.get(deciding.ROUNDS, self.digests[round_])
        return row is not None and deciding.may_vote(row, view.get(MEMBERSHIPS, member), self.clock.now_ms())

    def outcome(self, isle: str, proposal: str) -> deciding.Outcome:
        """What the latest round on a proposal came to."""
        rows = self.view(isle).all(deciding.OUTCOMES, proposal=self.digests[proposal])
        if not rows:
            raise DemoError(f"{isle}: nothing came of “{proposal}” yet")
        return max(rows, key=lambda row: row.position)

    # Telling

    def tell(self, events: Iterable[Event]) -> int:
        """Write these events in the order of their days; how many records that were."""
        told = 0
        ordered = sorted(events, key=lambda event: event.day)
        for (day, isle, who), group in groupby(ordered, key=lambda event: (event.day, event.isle, event.who)):
            self.move(day)
            told += self._write(isle, who, list(group))
        return told

    def move(self, day: float) -> None:
        """Let time pass until a day; what the nodes' clocks may do on the way is done at its true moment."""
        self.wait(self.ms(day))

    def wait(self, until_ms: int) -> None:
        """The same until an instant."""
        while True:
            isle = min(self.homes, key=self._comes)
            at_ms = -(-self._comes(isle) // MINUTE_MS) * MINUTE_MS
            if at_ms > until_ms:
                break
            self._set(at_ms)
            self._turn(isle)
        self._set(until_ms)

    def _set(self, at_ms: int) -> None:
        ahead = at_ms - self.clock.now_ms()
        if ahead > 0:
            self.clock.move(ahead)

    def _turn(self, isle: str) -> None:
        clockwork = self._clocks[isle]
        clockwork.stop()  # it ran until here: nobody was away
        clockwork.moved(self.homes[isle].space)
        turned = clockwork.turn()
        if turned.refused or not turned.done:
            raise DemoError(f"{isle}: the clock could not do what is due at {self.clock.now_ms()}")
        self._coming.pop(isle, None)

    def _comes(self, isle: str) -> int:
        """When a node's clock has to do something next."""
        if isle not in self._coming:
            view = self.view(isle)
            rounds = [row.closes_ms for row in deciding.open_rounds(view)]
            lots = [row for row in drawing.undrawn(view) if drawing.phase(row, drawing.ready_ms(row)) == drawing.READY]
            noting = wires.next_noting(view, FOREVER_MS)
            ends = [noting.ended_ms] if noting else []
            self._coming[isle] = min([*rounds, *map(drawing.ready_ms, lots), *ends, FOREVER_MS])
        return self._coming[isle]

    def _write(self, isle: str, by: Who, events: Sequence[Event]) -> int:
        """What one member did at one moment, in one durable transaction."""
        who = by(self) if callable(by) else by
        home, written, drafts = self.homes[isle], [], []
        for event in events:
            try:
                body = event.body(self) if callable(event.body) else event.body
                if who and body is not None:
                    audience = {"": None, "members": 2, "allies": 1}[event.audience]
                    drafts.append(home.actions.draft(event.kind, body, audience, self.keys[isle, who].public))
                    written.append(event)
            except (LookupError, Refused) as error:
                raise DemoError(f"Day {event.day:.2f}, {isle}, {who}, {event.kind} {event.label}: {error!r}") from error
        for event, placed in zip(
            written, home.actions.submit_drafts(drafts, self.keys[isle, who]) if drafts else [], strict=True
        ):
            if isinstance(placed, Refused):
                raise DemoError(f"Day {event.day:.2f}, {isle}, {who}, {event.kind} {event.label}: {placed}")
            if event.label:
                self.digests[event.label] = placed.digest
        self._coming.pop(isle, None)
        return len(written)

    def arrive(self, day: float, isle: str, who: str, inviter: str, vouchers: Sequence[str] = ()) -> None:
        """Somebody comes in by an invitation, and by the words of others where they are needed."""
        self.move(day)
        home = self.homes[isle]
        secret, key = home.clock.random(16), SigningKey(home.clock.random(32))
        expires_ms = self.ms(day + 7)
        inviting = {"hash": sha256(secret).hexdigest(), "expires_ms": expires_ms}
        home.actions.submit("member.invited/1", inviting, self.keys[isle, inviter])
        home.actions.submit("member.joined/1", {"secret": secret.hex()}, key)
        for voucher in vouchers:
            words = {"candidate": key.public.hex(), "words": "We have worked side by side for some weeks."}
            home.actions.submit("member.vouched/1", words, self.keys[isle, voucher])
        self.keys[isle, who] = key
        contact = {"name": who, "contact": f"{who.lower()}@{isle}.example", "languages": "English"}
        home.actions.submit("member.named/1", contact, key)

    def close(self) -> None:
        """The story is told: the nodes' clocks ran until now."""
        for clockwork in self._clocks.values():
            clockwork.stop()


def between(low: int, high: int, *about: object) -> int:
    """A number that looks like chance and is the same each time."""
    return low + int.from_bytes(sha256(repr(about).encode()).digest()[:4], "big") % (high - low + 1)
