"""Protocols across spaces: the rows of the library, what is in force where, and who derives from whom.

A protocol is published in one space and adopted in others by value: an adoption carries what it sets and the hash of the
text, so a space is bound by its own record alone, whether or not anybody still holds the one it came from.

Example::

    for each in adopted(view, now_ms):      # in force here
        print(each.name, each.state_at(now_ms))
    ours = nearest(view, other, now_ms)     # what to show the difference to
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Struct

from protocol import encoding
from protocol.practice import FOREVER_MS, SETTINGS, Own, Parameter, Row, Setting, Table, View, field

IN_FORCE, SUSPENDED, ENDED, RETIRED, RENEWED = "in force", "suspended", "ended", "retired", "renewed"
LONGEST = Parameter("library.longest-fuse-cycles", 13, "Longest fuse of an adopted protocol, in cycles", 1, 39)
MOST = 1_000_000_000
PARAMETER_PATTERN = r"^[a-z][a-z-]*\.[a-z][a-z0-9-]*$(?!\n)"


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter and the value that a protocol gives it."""

    name: Annotated[
        str,
        field(
            "Parameter", "What it sets, as the reference names it.",
            widget="parameter", example="members.vouches", max_length=60, pattern=PARAMETER_PATTERN,
        ),
    ]  # fmt: skip
    value: Annotated[int, field("Value", "A whole number within the parameter's bounds.", example="3", ge=-MOST, le=MOST)]


class Protocol(Row, frozen=True):
    """A protocol as it was published; its text is public for good."""

    id: bytes
    position: int
    name: str
    purpose: str
    text: str
    text_hash: bytes
    settings: bytes  # canonical bytes of the list of choices
    fuse_cycles: int
    parent: bytes | None
    parent_space: bytes | None
    author: bytes
    since_ms: int


class Adoption(Row, frozen=True):
    """That this space has adopted a protocol until its fuse, or until it was suspended, retired or adopted anew."""

    id: bytes
    position: int
    protocol: bytes
    origin: bytes
    name: str
    text_hash: bytes
    settings: bytes
    source: bytes  # under which its settings stand: its own id, or that of its last suspension
    since_ms: int
    until_ms: int
    until_cycle: int
    suspended_ms: int
    resumes_ms: int
    ended_ms: int
    ended: str  # "", "retired" or "renewed"
    reasons: str
    why: str  # of the suspension or the end

    def state_at(self, at_ms: int) -> str:
        """In one word, at an instant at or after its adoption."""
        if at_ms >= self.ended_ms:
            return self.ended
        if at_ms >= self.until_ms:
            return ENDED
        return SUSPENDED if self.suspended_ms <= at_ms < self.resumes_ms else IN_FORCE

    def is_open(self, at_ms: int) -> bool:
        """Whether it is in force or will be again by itself."""
        return at_ms < min(self.until_ms, self.ended_ms)


class Report(Row, frozen=True):
    """What happened where a protocol was used."""

    position: int
    id: bytes
    protocol: bytes
    outcome: str
    since_ms: int
    happened: str
    change: str


PROTOCOLS = Table("protocol", Protocol, ("id",), shared=(("id",),))
ADOPTIONS = Table("adoption", Adoption, ("id",), (("protocol",),), shared=(("protocol",),), erasable=("reasons", "why"))
REPORTS = Table("report", Report, ("position",), shared=(("protocol",),), erasable=("happened", "change"))


def spell(choices: Iterable[Choice]) -> bytes:
    """The canonical bytes of what a protocol sets, in order of the names."""
    return encoding.encode([msgspec.to_builtins(each) for each in sorted(choices, key=lambda each: each.name)])


@lru_cache(maxsize=1024)
def read_choices(spelled: bytes) -> tuple[Choice, ...]:
    """What a protocol sets, from its canonical bytes."""
    return msgspec.convert(encoding.decode(spelled), tuple[Choice, ...])


def hash_of(text: str) -> bytes:
    """What names a text wherever it was adopted."""
    return sha256(text.encode()).digest()


def check_choices(choices: Iterable[Choice], known: Mapping[str, Parameter]) -> str:
    """A sentence if a known parameter would be set outside its bounds, else "". Unknown ones are kept, without effect yet."""
    for each in choices:
        found = known.get(each.name)
        if found and not found.low <= each.value <= found.high:
            return f"{each.name} ({found.label}) takes a whole number from {found.low} to {found.high}; this is {each.value}."
    return ""


# What is in force


def adopted(own: Own, now_ms: int) -> tuple[Adoption, ...]:
    """What this space has adopted and is in force or suspended, those first that were adopted first."""
    return tuple(row for row in own.all(ADOPTIONS, order="position") if row.is_open(now_ms))


def settings_in_force(own: Own, now_ms: int) -> tuple[Setting, ...]:
    """One for each parameter that a protocol sets now: the latest adoption alive decides."""
    latest: dict[str, Setting] = {}
    for row in own.all(SETTINGS, order="position"):
        if row.since_ms <= now_ms < row.until_ms:
            latest[row.name] = row
    return tuple(latest[name] for name in sorted(latest))


# Descent


def all_protocols(view: View) -> dict[bytes, Protocol]:
    """Every protocol that this node knows, those first that were published first."""
    found = sorted(view.everywhere(PROTOCOLS), key=lambda row: (row.since_ms, row.id))
    return {row.id: row for row in found}


def root_of(protocol: Protocol, known: Mapping[bytes, Protocol]) -> bytes:
    """The first ancestor, as far as it is known; an unknown parent counts as the root of its children."""
    seen, at = {protocol.id}, protocol
    while at.parent and at.parent not in seen:
        seen.add(at.parent)
        if at.parent not in known:
            return at.parent
        at = known[at.parent]
    return at.id


def related(one: Protocol, two: Protocol, known: Mapping[bytes, Protocol]) -> bool:
    """Whether they have an ancestor in common, or go by the same name (as two spaces' starter sets do)."""
    return root_of(one, known) == root_of(two, known) or one.name.casefold() == two.name.casefold()


def nearest(view: View, other: Protocol, now_ms: int) -> Protocol | None:
    """Of this space's protocols the one to compare another with: the latest in force, or else the latest of its own."""
    known = all_protocols(view)
    in_force = [known[row.protocol] for row in adopted(view, now_ms) if row.protocol in known]
    own = [row for row in known.values() if row.space == view.space]
    for group in (in_force, own):
        kin = [row for row in group if row.id != other.id and related(row, other, known)]
        if kin:
            return max(kin, key=lambda row: (row.since_ms, row.id))
    return None


def users(view: View, protocol: bytes, now_ms: int) -> tuple[Adoption, ...]:
    """Every space's adoptions of a protocol so far, the latest last."""
    found = [row for row in view.everywhere(ADOPTIONS, protocol=protocol) if row.since_ms <= now_ms]
    return tuple(sorted(found, key=lambda row: (row.since_ms, row.id)))


def is_used_by(view: View, protocol: bytes, now_ms: int) -> int:
    """How many spaces have it in force."""
    return len({row.space for row in users(view, protocol, now_ms) if row.state_at(now_ms) == IN_FORCE})


def until_of(row: Adoption) -> int:
    """When an adoption ended or will end."""
    return min(row.until_ms, row.ended_ms, FOREVER_MS)
