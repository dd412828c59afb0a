"""One node's side of every talk with its peers, without any I/O: bytes, facts and the time in; bytes and events out.

As a server, `answer` takes a verb and a request's body and gives the answer's. As a client it works in pairs:
`ask_exchange`/`end_exchange` and `ask_notify`/`end_notify` here, `ask`/`end` for ranges in `transfer`; each first half
gives a request, each second takes its answer, and whoever does I/O carries the bytes between. After an exchange,
`transfer.plan` says what to pull from that peer.

Rules:

- A request or answer is opened by `federation.peers` before anything of it is looked at.
- Verify, then store: a word, a head, a range is kept only after every check; a range in one step with its head.
- Of a log, only what is audited and judged is served, and of records that are not public only those that the asker is
  entitled to, over a connection that may carry them.
- On evidence of a fork nothing more of that log is taken; a proof that does not verify convicts nobody.
- Nothing here waits, sleeps or reads a clock, and no list grows with what others send.

Source: docs/reference/protocol/federation.md.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from federation import cosignature, word
from federation.event import Event, Moved, NewCosignature, OwnHead
from federation.fault import NotHeld, Refused, Theirs
from federation.peers import Peers
from federation.pull import Forked, LogTiles
from federation.storage import Log, Peer
from federation.transfer import Entitled, Transfer
from federation.word import NOTHING, Cosigned, Exchange, Word, WordError, find_stub, parse_exchange, parse_heads, stub_of
from protocol import evidence, summary
from protocol.tree import root_at

MAX_NOTIFY = 512
MAX_REMEMBERED = 4096
VERBS = ("exchange", "pull", "notify", "evidence")

Speak = Callable[[int], bytes]
Cosign = Callable[[Log, int], None]


class Asking(Struct, frozen=True):
    """A request under way: to whom, and what its answer must fit."""

    peer: Peer
    body: bytes
    nonce: bytes
    sent_ms: int
    exchange: Exchange | None = None


class Talked(Struct, frozen=True):
    """What an exchange brought; `again` if the peer has not got our word yet."""

    events: tuple[Event, ...]
    again: bool


class Answer(Struct, frozen=True):
    """The parts of an answer's body, and what came of the request."""

    parts: list[bytes]
    events: tuple[Event, ...] = ()


def no_cosigning(log: Log, now_ms: int) -> None:
    """For a node that cosigns nothing."""


class Service:
    """The talks of one node. All state that must outlive a crash is in its storage."""

    def __init__(self, peers: Peers, *, speak: Speak, entitled: Entitled, cosign: Cosign = no_cosigning) -> None:
        """`speak` signs our newest head if it may, keeps it, and gives our newest summary (the same while nothing moves).

        `entitled(space, peer, audience)` says whether a peer may have a space's record of an audience; `cosign` is given
        each log that has come to be held whole up to its head.
        """
        self.peers, self.storage, self.space, self._speak = peers, peers.storage, peers.space, speak
        self.transfer = Transfer(peers, entitled=entitled, make_evidence=self._evidence, cosign=cosign, refresh=speak)
        self._got: dict[bytes, bytes] = {}  # digest of each peer's word as we last got it
        self._given: dict[bytes, bytes] = {}  # digest of our word as each peer last got it

    def answer(self, verb: str, body: bytes, now_ms: int, *, private: bool) -> Answer:
        """Answer a request; `private` if the connection may carry what is not public. See `federation.fault` for errors."""
        if verb == "exchange":
            return self._answer_exchange(body, now_ms)
        if verb == "pull":
            return Answer(self.transfer.answer(body, now_ms, private=private))
        if verb == "notify":
            return self._answer_notify(body, now_ms)
        if verb == "evidence":
            return Answer(self.transfer.answer_evidence(body, now_ms))
        raise Refused("This node does not know that request.")

    def _evidence(self, fork: Forked) -> bytes:
        log = self.storage.log(fork.space)
        if log is None:
            raise NotHeld("This node does not hold that space.")
        return evidence.make(log.chain, fork.one, fork.other, fork.proof or (), fork.root)

    # Exchange

    def word(self, peer: bytes, now_ms: int) -> Word:
        """All that we have to say to a peer."""
        spoken = self._speak(now_ms)
        stubs = [stub_of(log) for log in self.storage.logs() if log.head]
        return Word(spoken, word.format_heads(stubs), tuple(self._cosignatures_for(peer)))

    def _cosignatures_for(self, peer: bytes) -> list[Cosigned]:
        log = self.storage.log(peer)
        if log is None or log.ours:
            return []
        names = [cosignature.name_of(self.space, duty) for duty in cosignature.DUTIES]
        kept = self.storage.cosignatures(peer)
        return [Cosigned(each.size, each.root, each.line) for each in kept if each.name in names]

    def ask_exchange(self, peer: Peer, now_ms: int, *, introduce: bool = False, ask: bool = False) -> Asking:
        """An exchange with a peer: with our key chain if we are not known there, asking for theirs if ours is not theirs."""
        mine = self.word(peer.space, now_ms)
        fresh = self._given.get(peer.space) != mine.digest
        exchange = Exchange(
            mine.digest, self._got.get(peer.space, NOTHING), mine if fresh else None, self._chain() if introduce else None, ask
        )
        body, nonce = self.peers.request("exchange", peer.space, exchange.content(), now_ms)
        return Asking(peer, body, nonce, now_ms, exchange)

    def end_exchange(self, asking: Asking, data: bytes, now_ms: int) -> Talked:
        """Take the answer to an exchange."""
        asked = asking.exchange
        assert asked is not None
        peer, said = self.peers.open_answer(
            "exchange", data, asking.peer, asking.nonce, limit=word.MAX_EXCHANGE, introduce=_chain_in if asked.ask else None
        )
        answer = parse_exchange(said.content)
        events = self._hear(peer.space, answer)
        self._given[peer.space] = answer.got
        middle_ms = (asking.sent_ms + now_ms) // 2
        met = self.peers.met(self._known(peer.space), now_ms, offset_ms=said.time_ms - middle_ms)
        return Talked((*events, *self._own_head(met)), answer.got != asked.mine and asked.word is None)

    def _answer_exchange(self, body: bytes, now_ms: int) -> Answer:
        peer, said = self.peers.open_request("exchange", body, now_ms, limit=word.MAX_EXCHANGE, introduce=_chain_in)
        asked = parse_exchange(said.content)
        events = self._hear(peer.space, asked)
        met = self.peers.met(self._known(peer.space), now_ms)
        mine = self.word(peer.space, now_ms)
        answer = Exchange(
            mine.digest,
            self._got.get(peer.space, NOTHING),
            mine if asked.got != mine.digest else None,
            self._chain() if asked.ask else None,
        )
        self._given[peer.space] = mine.digest  # if this answer is lost, their next one says so
        sealed = self.peers.answer("exchange", peer.space, said.nonce, answer.content(), now_ms)
        return Answer([sealed], (*events, *self._own_head(met)))

    def _chain(self) -> bytes | None:
        log = self.storage.log(self.space)
        return log.chain.encode() if log is not None else None

    def _hear(self, space: bytes, said: Exchange) -> list[Event]:
        """Check and keep a peer's word."""
        if said.word is None:
            return []
        peer = self._known(space)
        newer = self._newer_summary(peer, said.word.summary)
        events: list[Event] = []
        for each in said.word.cosigned:
            events += self._hear_cosignature(peer, each)
        self.storage.keep_peer(replace(peer, summary=newer, heads=said.word.heads))
        if len(self._got) > MAX_REMEMBERED:
            self._got.clear()
            self._given.clear()
        self._got[space] = said.mine
        return events

    def _newer_summary(self, peer: Peer, told: bytes) -> bytes:
        """The newer of the summary kept and the one told, which must be genuine."""
        if told == peer.summary:
            return told
        if not told:
            return peer.summary
        try:
            order = summary.open(told, peer.chain).order
        except summary.SummaryError as error:
            raise WordError(f"The summary does not hold: {error}") from error
        return told if not peer.summary or summary.peek(peer.summary).order <= order else peer.summary

    def _hear_cosignature(self, peer: Peer, told: Cosigned) -> list[Event]:
        """Keep a peer's cosignature of a head of ours, if it is genuine; one of a head that is not ours is passed over."""
        log = self.storage.log(self.space)
        if log is None or not 0 < told.size <= log.size:
            return []
        if root_at(told.size, LogTiles(self.storage, log.space)) != told.root:
            return []
        kept = cosignature.check(log, told.size, told.root, told.line, peer.chain)
        before = {each.name: each.line for each in self.storage.cosignatures(log.space)}
        if before.get(kept.name) == kept.line:
            return []
        self.storage.keep_cosignature(log.space, kept)
        return [NewCosignature(peer.space)]

    def _own_head(self, peer: Peer) -> tuple[OwnHead, ...]:
        """What a peer says it holds of our own log; nothing where ours does not agree: that is to be proved first."""
        stub = find_stub(parse_heads(peer.heads), self.space)
        if stub is None:
            return (OwnHead(peer.space, 0, b""),)
        return (OwnHead(peer.space, stub.size, stub.root),) if self.transfer.agrees_with_ours(stub) else ()

    def _known(self, space: bytes) -> Peer:
        peer = self.storage.peer(space)
        if peer is None:
            raise NotHeld("That space is no peer of this node.")
        return peer

    # Notify

    def ask_notify(self, peer: Peer, now_ms: int) -> Asking | None:
        """Tell a peer that our own log has moved; None if it has no head."""
        self._speak(now_ms)
        log = self.storage.log(self.space)
        if log is None or not log.head:
            return None
        body, nonce = self.peers.request("notify", peer.space, [self.space, log.head_size], now_ms)
        return Asking(peer, body, nonce, now_ms)

    def end_notify(self, asking: Asking, data: bytes) -> None:
        """Take the answer to a notice."""
        _, said = self.peers.open_answer("notify", data, asking.peer, asking.nonce, limit=MAX_NOTIFY)
        if said.content is not None:
            raise WordError("A notice is answered by nothing.")

    def _answer_notify(self, body: bytes, now_ms: int) -> Answer:
        peer, said = self.peers.open_request("notify", body, now_ms, limit=MAX_NOTIFY)
        content = said.content
        if type(content) is not list or len(content) != 2 or type(content[0]) is not bytes or type(content[1]) is not int:
            raise WordError("A notice names a space and a size.")
        space, size = content
        log = self.storage.log(space)
        events = (Moved(peer.space, space, size),) if log is not None and not log.ours and size > log.head_size else ()
        return Answer([self.peers.answer("notify", peer.space, said.nonce, None, now_ms)], events)


def _chain_in(content: object) -> bytes | None:
    """The key chain that an exchange brings."""
    try:
        return parse_exchange(content).chain
    except Theirs:
        return None
