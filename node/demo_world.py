"""A year told through the real paths: events in the order of their days, each one act of a member of one collective.

An event is written with the member's own key by `actions.submit`, at its own moment of a moved clock; nothing is put into
a table. What a later event refers to (a protocol, a call, an offer) it finds by the label that the earlier one left.

Example::

    world.tell([Event(12.5, "harbour", "Noor", "member.named/1", {"name": "Noor"})])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Any

from msgspec import Struct

from node.clock import MovedClock
from node.home import Home
from protocol.accounting import day_at
from protocol.keychain import space_name
from protocol.keys import SigningKey
from protocol.moon import cycle_at
from protocol.practice import Refused

DAY_MS, MINUTE_MS = 86_400_000, 60_000
Body = Mapping[str, Any] | Callable[["World"], Mapping[str, Any]]


class Event(Struct, frozen=True):
    """One act: on which day (counted from the first), in which collective, by whom, and what."""

    day: float
    isle: str
    who: str
    kind: str
    body: Body
    label: str = ""
    audience: str = ""


class DemoError(Exception):
    """The demo's story does not hold; the message says where."""


class World:
    """The collectives of the demo while their year is told."""

    def __init__(self, homes: Mapping[str, Home], clock: MovedClock, start_ms: int) -> None:
        self.homes, self.clock, self.start_ms = homes, clock, start_ms
        self.digests: dict[str, bytes] = {}
        self.keys: dict[tuple[str, str], SigningKey] = {}

    # When

    def ms(self, day: float) -> int:
        """The minute of a day of the story."""
        return (self.start_ms + int(day * DAY_MS)) // MINUTE_MS * MINUTE_MS

    def date(self, day: float) -> str:
        """Its date."""
        return day_at(self.ms(day))

    def cycle(self, day: float) -> int:
        """The moon's cycle in which it lies."""
        return cycle_at(self.ms(day))

    # What was said before

    def digest(self, label: str) -> str:
        """The record that an earlier event left under this label."""
        return self.digests[label].hex()

    def space(self, isle: str) -> str:
        """A collective's id."""
        return space_name(self.homes[isle].space)

    # Telling

    def tell(self, events: Iterable[Event]) -> int:
        """Write these events in the order of their days; how many records that were."""
        told = 0
        ordered = sorted(events, key=lambda event: event.day)
        for (day, isle, who), group in groupby(ordered, key=lambda event: (event.day, event.isle, event.who)):
            self._move(day)
            told += self._write(isle, who, list(group))
        return told

    def _move(self, day: float) -> None:
        ahead = self.ms(day) - self.clock.now_ms()
        if ahead > 0:
            self.clock.move(ahead)

    def _write(self, isle: str, who: str, events: list[Event]) -> int:
        """What one member did at one moment, in one durable transaction."""
        home = self.homes[isle]
        drafts = []
        for event in events:
            body = event.body(self) if callable(event.body) else event.body
            drafts.append(home.actions.draft(event.kind, body, {"": None, "members": 2, "allies": 1}[event.audience]))
        for event, placed in zip(events, home.actions.submit_drafts(drafts, self.keys[isle, who]), strict=True):
            if isinstance(placed, Refused):
                raise DemoError(f"Day {event.day}, {isle}, {who}, {event.kind}: {placed}")
            if event.label:
                self.digests[event.label] = placed.digest
        return len(events)

    def arrive(self, day: float, isle: str, who: str, inviter: str, vouchers: Sequence[str] = ()) -> None:
        """Somebody comes in by an invitation, and by the words of others where they are needed."""
        self._move(day)
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


def between(low: int, high: int, *about: object) -> int:
    """A number that looks like chance and is the same each time."""
    return low + int.from_bytes(sha256(repr(about).encode()).digest()[:4], "big") % (high - low + 1)
