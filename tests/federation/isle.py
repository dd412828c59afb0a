"""A space for tests: its keys, key chain, and a store in memory with a log that grows and is signed."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from federation.storage import FOLLOW, Peer, Storage
from protocol import record
from protocol.keychain import FOUNDED, ROTATED, Epoch, Founded, KeyChain, KeysRotated, check, origin
from protocol.keys import NodeKeys, SigningKey
from protocol.note import Checkpoint, sign
from protocol.record import Sealed
from tests.federation.memory_store import MemoryStore

MINUTE = 29_700_000
NOW = MINUTE * 60_000


def _as_map(body: msgspec.Struct) -> dict[str, object]:
    made: dict[str, object] = msgspec.to_builtins(body, builtin_types=(bytes,))
    return made


class Isle:
    """One space, its node's keys and its store."""

    def __init__(self, name: str, *, store: MemoryStore | None = None) -> None:
        seed = sha256(name.encode()).digest()
        self.name, self.keys = name, NodeKeys.derive(seed)
        self.root, self.next_root = SigningKey(sha256(seed + b"root").digest()), SigningKey(sha256(seed + b"next").digest())
        self.member = SigningKey(sha256(seed + b"member").digest())
        body = Founded(
            name,
            self.member.public,
            self.keys.public,
            self.root.public,
            sha256(self.next_root.public).digest(),
            sha256(seed + b"r").digest(),
        )
        self.founding = record.seal(FOUNDED, NOW - 1_000_000_000, 0, _as_map(body), self.root, b"")
        self.chain = check([self.founding.raw])
        self.space = self.chain.space
        self.store = store or MemoryStore(self.chain)
        self.count = self.drawn = 0

    def record(
        self, text: str = "", *, audience: int | list[bytes] = 0, words: str = "", kind: str = "note.written/1"
    ) -> Sealed:
        """A record by this space's member."""
        self.count += 1
        random = sha256(self.space + self.count.to_bytes(8, "big")).digest()
        return record.seal(
            kind, NOW - 900_000_000 + self.count, audience, {"text": text or f"{self.name} {self.count}"}, self.member, self.space,
            words={"words": words} if words else None, random=random,
        )  # fmt: skip

    def write(self, count: int = 1, *, logged: int = MINUTE, **how: object) -> None:
        """Append records to the space's own log."""
        first = [self.founding] if not self.store.rows(self.space, 0, 1) else []
        self.store.append([*first, *(self.record(**how) for _ in range(count))], logged)  # type: ignore[arg-type]  # passed on

    def sign_head(self) -> str:
        """Sign the log's head as it stands and keep it."""
        log = self.store.log(self.space)
        assert log is not None
        note = head(self, log.size, log.root)
        self.store.accept_head(self.space, note, log.size, log.root)
        return note

    def rotate(self, size: int, root: bytes, name: str = "rotated") -> KeyChain:
        """New keys by the next root, going on from a head."""
        self.keys = NodeKeys.derive(sha256(name.encode()).digest())
        root_key, self.next_root = self.next_root, SigningKey(sha256(name.encode() + b"next").digest())
        body = KeysRotated(
            self.chain.current.number + 1,
            self.keys.public,
            root_key.public,
            sha256(self.next_root.public).digest(),
            bytes(32),
            size,
            root,
        )
        rotation = record.seal(ROTATED, NOW, 0, _as_map(body), root_key, self.space)
        self.chain = check([*self.chain.records, rotation.raw])
        self.store.learn(self.chain)
        return self.chain

    @property
    def epoch(self) -> Epoch:
        """The epoch in force."""
        return self.chain.current


def head(isle: Isle, size: int, root: bytes, epoch: int | None = None) -> str:
    """A head signed by a space's log key."""
    name = origin(isle.space, isle.epoch.number if epoch is None else epoch)
    return sign(Checkpoint(name, size, root), name, isle.keys.log)


def befriend(isle: Isle, other: Isle, standing: int = FOLLOW, url: str = "http://peer") -> None:
    """Make `other` a peer of `isle` whose log it follows."""
    isle.store.keep_peer(Peer(other.space, other.chain, other.name, url, standing, NOW, 0, 0, "", 0, b"", b""))
    isle.store.learn(other.chain)


def fits(store: MemoryStore) -> Storage:
    """The store, as federation sees it: a type checker reads here that it fits."""
    return store
