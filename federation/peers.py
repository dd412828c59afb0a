"""Who is speaking: requests and answers are believed only under the key pinned for a space.

A peer is pinned by its key chain, whose founding record hashes to the space's id. The chain held is replaced only by one
that begins with it and goes on: a rotation, signed by the space's root. What a node says about its own keys by any other
way is not looked at. A stranger may introduce itself in an `exchange` by its chain; it then is a peer of no standing,
which gets what is public. There are at most `strangers` of them (0: none are taken); one that was silent for ten minutes
makes room for another.

    Refused              no more strangers are taken            403
    └── TooMany          more requests in a minute than agreed  429
    NotGenuine           the signature is by no key pinned      401
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from federation import envelope
from federation.envelope import ANSWER, REQUEST, WINDOW_MS, Envelope, NotGenuine, Said, Stale, Verifier
from federation.fault import Refused, TooMany
from federation.storage import Peer, Storage, StorageError
from protocol import keychain
from protocol.keychain import KeyChain, KeyChainError
from protocol.keys import SigningKey, verify

MINUTE_MS = 60_000
A_MINUTE = 1200  # requests a peer may make
SILENT_MS = 10 * MINUTE_MS
NOTED_MS = MINUTE_MS  # a contact is written down anew after this long, or
OFFSET_MS = 1000  # if a clock moved by so much

Introduce = Callable[[object], bytes | None]  # the key chain that a request's content brings


class Peers:
    """The peers of one node, as far as telling them apart goes. Time is given with every call."""

    def __init__(
        self,
        space: bytes,
        identity: SigningKey,
        storage: Storage,
        *,
        random: Callable[[int], bytes],
        started_ms: int,
        strangers: int = 256,
        verifier: Verifier = verify,
    ) -> None:
        self.space, self.storage = space, storage
        self._identity, self._random, self._verifier = identity, random, verifier
        self._started_ms, self._strangers = started_ms, strangers
        self._counts: dict[bytes, tuple[int, int]] = {}

    # Speaking

    def request(self, verb: str, receiver: bytes, content: object, now_ms: int) -> tuple[bytes, bytes]:
        """(body, nonce) of a request to a peer."""
        nonce = self._random(envelope.NONCE_BYTES)
        return envelope.seal(verb, REQUEST, self._identity, self.space, receiver, Said(now_ms, nonce, content)), nonce

    def answer(self, verb: str, receiver: bytes, nonce: bytes, content: object, now_ms: int) -> bytes:
        """The answer to a request with this nonce."""
        return envelope.seal(verb, ANSWER, self._identity, self.space, receiver, Said(now_ms, nonce, content))

    # Listening

    def open_request(
        self, verb: str, body: bytes, now_ms: int, *, limit: int, introduce: Introduce | None = None
    ) -> tuple[Peer, Said]:
        """Who sent a request, and what it says: every check of `federation.envelope` in its order."""
        read = envelope.read(body, limit=limit)
        envelope.check_time(read.said.time_ms, now_ms)
        peer = self._signer(verb, read) or self._introduced(verb, read, introduce, now_ms)
        if read.said.time_ms < self._started_ms + peer.offset_ms - OFFSET_MS:
            raise Stale("The request was made before this node started. Ask again.")
        if not self.storage.remember_nonce(peer.space, read.said.nonce, read.said.time_ms + WINDOW_MS, now_ms):
            raise Stale("This request was made before. Ask anew.")
        self._count(peer.space, now_ms)
        return peer, read.said

    def open_answer(
        self, verb: str, body: bytes, peer: Peer, nonce: bytes, *, limit: int, introduce: Introduce | None = None
    ) -> tuple[Peer, Said]:
        """What a peer answered to the request with this nonce; the peer as it is pinned now."""
        read = envelope.read(body, limit=limit)
        if read.said.nonce != nonce:
            raise NotGenuine("The answer is to another request.")
        if peer.chain.epochs and self._speaks(verb, ANSWER, read, peer.chain):
            return peer, read.said
        brought = introduce(read.said.content) if introduce else None
        if brought is None:
            raise NotGenuine("The answer is not signed by the key that is pinned for this space.")
        chain = self.longer(peer.chain, brought)
        if not self._speaks(verb, ANSWER, read, chain):
            raise NotGenuine("The answer is not signed by the key that its key chain names.")
        return self.pin(replace(peer, chain=chain)), read.said

    def longer(self, held: KeyChain, brought: bytes) -> KeyChain:
        """A key chain that begins with the one held, checked; NotGenuine if it is none."""
        try:
            chain = keychain.decode(brought, held.space)
        except KeyChainError as error:
            raise NotGenuine(f"The key chain does not hold: {error}.") from error
        if chain.records[: len(held.records)] != held.records:
            raise NotGenuine("The key chain leaves the one that is pinned.")
        return chain

    def pin(self, peer: Peer) -> Peer:
        """Keep a peer, and its key chain also where its log is held."""
        self.storage.keep_peer(peer)
        log = self.storage.log(peer.space)
        if log is not None and len(log.chain.records) < len(peer.chain.records):
            self.storage.learn(peer.chain)
        return peer

    def met(self, peer: Peer, now_ms: int, *, offset_ms: int | None = None) -> Peer:
        """Note that a peer was in contact, and how far its clock is ahead; at most once a minute if nothing changed."""
        offset = peer.offset_ms if offset_ms is None else offset_ms
        same = not peer.failures and not peer.problem and abs(offset - peer.offset_ms) < OFFSET_MS
        if same and 0 <= now_ms - peer.last_contact_ms < NOTED_MS:
            return peer
        new = replace(peer, last_contact_ms=now_ms, failures=0, problem="", offset_ms=offset)
        self.storage.keep_peer(new)
        return new

    def failed(self, space: bytes, problem: str) -> None:
        """Note that a peer was not in contact when it was called, or sent what does not hold."""
        peer = self.storage.peer(space)
        if peer is not None:
            self.storage.keep_peer(replace(peer, failures=peer.failures + 1, problem=problem))

    # Telling apart

    def _speaks(self, verb: str, way: str, read: Envelope, chain: KeyChain) -> bool:
        public = chain.current.keys.identity
        return envelope.check(read, verb, way, public, chain.space, self.space, self._verifier)

    def _signer(self, verb: str, read: Envelope) -> Peer | None:
        for peer in self.storage.peers():
            if peer.space.startswith(read.hint) and self._speaks(verb, REQUEST, read, peer.chain):
                return peer
        return None

    def _introduced(self, verb: str, read: Envelope, introduce: Introduce | None, now_ms: int) -> Peer:
        brought = introduce(read.said.content) if introduce else None
        if brought is None:
            raise NotGenuine("The request is not signed by a key that is pinned here. Introduce yourself by an exchange.")
        try:
            chain = keychain.decode(brought)
        except KeyChainError as error:
            raise NotGenuine(f"The key chain does not hold: {error}.") from error
        if chain.space == self.space or not self._speaks(verb, REQUEST, read, chain):
            raise NotGenuine("The request is not signed by the key that its key chain names.")
        held = self.storage.peer(chain.space)
        if held is not None:
            return self.pin(replace(held, chain=self.longer(held.chain, brought)))
        self._make_room(now_ms)
        return self.pin(Peer(chain.space, chain, chain.name, "", 0, now_ms, 0, 0, "", 0, b"", b""))

    def _make_room(self, now_ms: int) -> None:
        if not self._strangers:
            raise Refused("This node takes no strangers. Ask its people to add you as a peer.")
        strangers = [peer for peer in self.storage.peers() if not peer.standing and not peer.url]
        if len(strangers) < self._strangers:
            return
        silent = min(strangers, key=lambda peer: max(peer.last_contact_ms, peer.added_ms))
        if now_ms - max(silent.last_contact_ms, silent.added_ms) < SILENT_MS or self.storage.log(silent.space) is not None:
            raise Refused("This node takes no more strangers now. Ask its people to add you as a peer.")
        try:
            self.storage.forget(silent.space)
        except StorageError as error:
            raise Refused("This node takes no more strangers now. Ask its people to add you as a peer.") from error

    def _count(self, space: bytes, now_ms: int) -> None:
        since, count = self._counts.get(space, (now_ms, 0))
        if not 0 <= now_ms - since < MINUTE_MS:
            since, count = now_ms, 0
        self._counts[space] = since, count + 1
        if count >= A_MINUTE:
            raise TooMany("That is more requests than a peer may make in a minute. Wait, then ask again.")
