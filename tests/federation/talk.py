"""Two or more services that talk without any network, for tests."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from federation import cosignature
from federation.envelope import Verifier
from federation.event import Event
from federation.peers import Peers
from federation.session import Service
from federation.speech import Speech
from federation.storage import Log
from federation.transfer import Taken
from protocol.entry import MINUTE_MS
from protocol.keys import verify
from protocol.note import cosign, format_signature_line, parse_note
from protocol.record import ALLIES
from tests.federation.isle import NOW, Isle


class Node:
    """An isle with its service; `allies` are the spaces entitled to what is for allies."""

    def __init__(
        self, isle: Isle, *, started_ms: int = 0, strangers: int = 256, cosigns: bool = False, verifier: Verifier = verify
    ) -> None:
        self.isle, self.store, self.space = isle, isle.store, isle.space
        self.allies: set[bytes] = set()
        self.may_sign = True
        self.peers = Peers(
            isle.space,
            isle.keys.identity,
            isle.store,
            random=self.random,
            started_ms=started_ms,
            strangers=strangers,
            verifier=verifier,
        )
        self.speech = Speech(
            isle.space,
            isle.keys.identity,
            isle.store,
            sign_head=self.sign_head,
            state=lambda now_ms: {},
            rules=bytes(32),
            endpoints=("http://x",),
        )
        how: dict[str, Any] = {"cosign": self.cosign} if cosigns else {}
        self.service = Service(self.peers, speak=self.speech, entitled=self.entitled, **how)

    def random(self, size: int) -> bytes:
        """Different bytes each time, the same in each run."""
        self.isle.drawn += 1
        return sha256(self.isle.name.encode() + self.isle.drawn.to_bytes(8, "big")).digest()[:size]

    def sign_head(self) -> None:
        """Sign the head if it moved."""
        log = self.store.log(self.space)
        assert log is not None
        if self.may_sign and log.size > log.head_size:
            self.isle.sign_head()

    def entitled(self, space: bytes, peer: bytes, audience: int | tuple[bytes, ...]) -> bool:
        """Allies see what is for allies; named spaces what names them."""
        if isinstance(audience, tuple):
            return peer in audience
        return audience <= ALLIES and space == self.space and peer in self.allies

    def cosign(self, log: Log, now_ms: int) -> None:
        """Cosign as a witness, as the node's own witness does after a pull."""
        name = cosignature.name_of(self.space, "witness")
        line = format_signature_line(cosign(self.isle.keys.witness, name, parse_note(log.head).text, now_ms // 1000))
        last = self.store.witnessed(log.space)
        kept = cosignature.check(log, log.head_size, log.head_root, line, self.isle.chain)
        self.store.cosign_if_unmoved(log.space, last[0] if last else 0, log.head, log.head_size, log.head_root, kept)


def exchange(asker: Node, other: Node, now_ms: int = NOW, **how: Any) -> tuple[list[Event], int]:
    """An exchange until both have each other's word: (events of the asker, round trips)."""
    events: list[Event] = []
    for turn in (1, 2):
        peer = asker.store.peer(other.space)
        assert peer is not None
        asking = asker.service.ask_exchange(peer, now_ms, **how)
        answer = other.service.answer("exchange", asking.body, now_ms, private=True)
        talked = asker.service.end_exchange(asking, b"".join(answer.parts), now_ms)
        events += talked.events
        if not talked.again:
            return events, turn
    return events, 2


def fetch(
    puller: Node, carrier: Node, space: bytes, now_ms: int = NOW, *, private: bool = True, want: int = 8192
) -> list[Taken]:
    """Pull a log from a carrier until nothing more comes."""
    taken: list[Taken] = []
    while True:
        peer = puller.store.peer(carrier.space)
        assert peer is not None
        asking = puller.service.transfer.ask(peer, space, now_ms, want=want)
        answer = carrier.service.answer("pull", asking.body, now_ms, private=private)
        taken.append(puller.service.transfer.end(asking, b"".join(answer.parts), now_ms))
        if not taken[-1].rows and not taken[-1].again:
            return taken


def sync(asker: Node, other: Node, now_ms: int = NOW) -> int:
    """All of one sync: exchange, then everything that the plan says; returns how many rows came."""
    exchange(asker, other, now_ms)
    peer = asker.store.peer(other.space)
    assert peer is not None
    return sum(
        each.rows for target in asker.service.transfer.plan(peer, now_ms) for each in fetch(asker, other, target.space, now_ms)
    )


__all__ = ["MINUTE_MS", "NOW", "Node", "exchange", "fetch", "sync"]
