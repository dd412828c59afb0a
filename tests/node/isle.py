"""A tiny space for tests of the store: one practice of notes, so that nothing here depends on the real practices."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from node.store import Placed, Store
from protocol import record
from protocol.keychain import FOUNDED, Founded
from protocol.keys import NodeKeys, SigningKey
from protocol.practice import FOREVER_MS, GRANTS, SHARED, Act, Change, Digest, Grant, Kind, Own, Refused, Row, Table, field
from protocol.record import Sealed

NOW = 1_790_000_000_000
MEMBER, STRANGER, ROOT = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3))


class Written(Struct, frozen=True, forbid_unknown_fields=True):
    """A note."""

    topic: Annotated[str, field("Topic", "What it is about", max_length=20)]
    words: Annotated[str, field("Words", "What it says", erasable=True, max_length=50)] = ""


class Struck(Struct, frozen=True, forbid_unknown_fields=True):
    """A note is struck out."""

    note: Annotated[Digest, field("Note", "Which one")]


class Erased(Struct, frozen=True, forbid_unknown_fields=True):
    """Words are erased."""

    record: Annotated[Digest, field("Record", "Whose words")]


class Note(Row, frozen=True):
    """A note as it stands."""

    id: bytes
    topic: str
    words: str
    struck: bool = False


NOTES = Table("note", Note, ("id",), (("topic",),), (("topic",),), ("words",))


def found(own: Own, act: Act[Founded]) -> Iterator[Change]:
    """The founder is a member."""
    yield GRANTS.put(Grant(act.space, act.digest, "member", act.body.founder, act.logged_ms, FOREVER_MS, 0, False, "Founding"))


def write(own: Own, act: Act[Written]) -> Iterator[Change]:
    """Topics are small letters."""
    if not act.body.topic.islower():
        raise Refused("Topic: write it in small letters.")
    yield NOTES.put(Note(act.space, act.digest, act.body.topic, act.body.words))


def strike(own: Own, act: Act[Struck]) -> Iterator[Change]:
    """Only a note that this audience sees can be struck."""
    own.need(NOTES, act.body.note, what="note")
    yield NOTES.patch(act.body.note, struck=True)


def erase(own: Own, act: Act[Erased]) -> Iterator[Change]:
    """The store drops the annex."""
    return iter(())


KINDS: dict[str, Kind[Any]] = {
    kind.name: kind
    for kind in (
        Kind(FOUNDED, "Found", Founded, found, needs=""),
        Kind("note.written/1", "Write a note", Written, write),
        Kind("note.struck/1", "Strike a note", Struck, strike),
        Kind("record.erased/1", "Erase words", Erased, erase),
    )
}
TABLES: tuple[Table[Any], ...] = (*SHARED, NOTES)


def store_at(path: Path) -> Store:
    """A store that knows notes only."""
    return Store(path, kinds=KINDS, tables=TABLES)


def founded(store: Store, number: int = 0) -> bytes:
    """Found a space in this store and give its id."""
    keys = NodeKeys.derive(bytes([40 + number]) * 32).public
    body = Founded(f"Isle {number}", MEMBER.public, keys, ROOT.public, sha256(b"next").digest(), ROOT.public)
    sealed = record.seal(FOUNDED, NOW, 0, msgspec.to_builtins(body, builtin_types=(bytes,)), ROOT, b"")
    return store.found(sealed, NOW).digest


class Writer:
    """Seals records of one space with a rising clock."""

    def __init__(self, store: Store, space: bytes) -> None:
        self.store, self.space, self.at_ms = store, space, NOW

    def seal(
        self, kind: str, body: dict[str, Any], key: SigningKey = MEMBER, audience: int = 0, words: dict[str, str] | None = None
    ) -> Sealed:
        """A record a second later than the last."""
        self.at_ms += 1000
        return record.seal(
            kind, self.at_ms, audience, body, key, self.space, words=words, random=bytes(31) + bytes([self.at_ms % 251])
        )

    def add(self, *sealed: Sealed) -> list[Placed | Refused]:
        """Append at the writer's time."""
        return self.store.append(self.space, sealed, self.at_ms)

    def note(self, topic: str, words: str = "", key: SigningKey = MEMBER, audience: int = 0) -> Placed | Refused:
        """Write a note."""
        return self.add(self.seal("note.written/1", {"topic": topic}, key, audience, {"words": words} if words else None))[0]
