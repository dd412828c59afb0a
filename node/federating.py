"""This node's side of federation, put together: what it says of itself, who may have which records, what it cosigns.

`federation` knows the talk; what it needs of this machine comes from here: its signed head and public state, the links that
entitle a peer to allies' records, and mirror cosignatures for those whom we have promised them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from federation.event import Event, ForkSeen, Grown, OwnHead
from federation.peers import Peers
from federation.session import Service
from federation.speech import Speech
from federation.storage import MIRROR, Log
from federation.witness import cosign_as_mirror
from node.home import Home
from protocol.practice import ALLIES, PUBLIC, View
from protocol.practices.links import allied
from protocol.summary import rules_of, state_of


class Entitlement:
    """Who may have which of the records that are not public."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def may_have(self, space: bytes, peer: bytes, audience: int | tuple[bytes, ...]) -> bool:
        """Whether a peer may have a space's record of this audience, by the record itself or by our copy of that log."""
        if audience == PUBLIC or peer == space:
            return True
        if isinstance(audience, tuple):
            return peer in audience
        if audience != ALLIES:
            return False
        with self.home.store.database.lock:
            number = self.home.store.tables.space_number(space)
            return number is not None and peer in allied(View(self.home.store.tables, number), self.home.clock.now_ms())


class Mirroring:
    """Cosigns, for those whom we mirror, the heads up to which we durably hold everything."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def cosign(self, log: Log, now_ms: int) -> None:
        """Cosign the head of a log that is held whole, if we have promised its space to mirror it."""
        peer = self.home.store.peer(log.space)
        if peer is not None and peer.standing & MIRROR:
            cosign_as_mirror(self.home.store, self.home.space, self.home.keys.mirror, log, now_ms // 1000)

    def audited(self, space: bytes) -> None:
        """The same, once what was pulled of a log was audited."""
        log = self.home.store.log(space)
        if log is not None:
            self.cosign(log, self.home.clock.now_ms())


def service_of(home: Home, endpoints: Sequence[str] = (), *, strangers: int = 256) -> Service:
    """The talks of this node; call it, like the store, from the writing thread."""
    peers = Peers(
        home.space,
        home.keys.identity,
        home.store,
        random=home.clock.random,
        started_ms=home.clock.now_ms(),
        strangers=strangers,
    )

    def state(now_ms: int) -> dict[str, Any]:
        with home.store.database.lock:
            return state_of(home.store.tables, home.space, now_ms)

    speech = Speech(
        home.space,
        home.keys.identity,
        home.store,
        sign_head=home.heads.sign,
        state=state,
        rules=rules_of(),
        endpoints=endpoints,
    )
    mirroring = Mirroring(home)
    home.after_audit = mirroring.audited
    return Service(peers, speak=speech, entitled=Entitlement(home).may_have, cosign=mirroring.cosign)


def settle_event(home: Home, event: Event) -> None:
    """What this machine does about something that a talk brought: hear of our own head, audit what has grown."""
    if isinstance(event, OwnHead):
        home.heads.heard(event.peer, event.size, event.root)
    elif isinstance(event, Grown):
        home.audit_soon(event.space)
    elif isinstance(event, ForkSeen):
        peer = home.store.peer(event.space)
        if peer is not None:
            home.store.keep_peer(replace(peer, problem="This space has signed two histories; the evidence is kept."))
