"""Carrying logs from node to node: what to pull from whom, ranges taken, ranges given. Without I/O.

A log is pulled from its own space's node where that can be reached. One that cannot, or that tells of less than others
know of it, is pulled from whoever tells of a larger head: trust is in the signatures, so anybody can carry it. A peer
that tells of a head which ours does not agree with is asked for it once (a probe): if two heads cannot both be, their
space has signed two histories, and that is kept.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from federation import cosignature, pull, rows
from federation.envelope import OVERHEAD, measure
from federation.event import Event, ForkSeen, Grown, OwnHead
from federation.fault import NotHeld
from federation.peers import Peers
from federation.pull import Forked, LogTiles, PullError, Wanted
from federation.storage import Log, Peer, Row
from federation.word import FORKED, Stub, WordError, find_stub, parse_heads, stub_of
from protocol import evidence
from protocol.keychain import origin
from protocol.note import Note, VerifierKey, format_note, lines_of
from protocol.record import RecordError, parse
from protocol.tree import root_at

MAX_REQUEST = 512
ABSENT_MS = 15 * 60_000  # a space not met for so long is pulled from others too
MAX_PROBED = 4096

Entitled = Callable[[bytes, bytes, "int | tuple[bytes, ...]"], bool]


class Asking(Struct, frozen=True):
    """A pull under way."""

    peer: Peer
    wanted: Wanted
    body: bytes
    nonce: bytes


class Taken(Struct, frozen=True):
    """What a pull brought: rows kept, and the log's size and head now; `again` if its key chain went on."""

    rows: int
    size: int
    head_size: int
    again: bool = False
    behind: bool = False  # the carrier's head is older than ours
    events: tuple[Event, ...] = ()


class Target(Struct, frozen=True):
    """A log to pull from a peer, up to the size that it tells; or only its head, or the evidence that it has of a fork."""

    space: bytes
    size: int
    probe: bool = False
    evidence: bool = False


class Transfer:
    """Ranges of logs, asked for and served."""

    def __init__(
        self,
        peers: Peers,
        *,
        entitled: Entitled,
        make_evidence: Callable[[Forked], bytes],
        cosign: Callable[[Log, int], None],
        refresh: Callable[[int], object],
    ) -> None:
        """`refresh` signs our own newest head if it may; `cosign` is given a log that is held whole up to its head."""
        self.peers, self.storage, self.space = peers, peers.storage, peers.space
        self._entitled, self._make_evidence, self._cosign, self._refresh = entitled, make_evidence, cosign, refresh
        self._probed: set[tuple[bytes, Stub]] = set()

    # What to pull, and from whom

    def plan(self, peer: Peer, now_ms: int) -> list[Target]:
        """What to pull from a peer by the heads that it told: its own log, logs of absent spaces, heads in question."""
        stubs = _heads(peer)
        targets = []
        for log in self.storage.logs():
            if log.space == peer.space:
                self._cosign_if_missed(log, now_ms)
            stub = None if log.stopped else find_stub(stubs, log.space)
            if stub is None:
                continue
            if log.ours:
                if not self.agrees_with_ours(stub):
                    targets.append(Target(log.space, stub.size, probe=True))
            elif stub.size == FORKED:
                targets.append(Target(log.space, 0, evidence=True))
            elif self._agrees(log, stub) is False:
                if (peer.space, stub) not in self._probed:
                    targets.append(Target(log.space, stub.size, probe=True))
            elif stub.size > min(log.size, log.head_size) and self._fit(peer, log.space, stub, now_ms):
                targets.append(Target(log.space, stub.size))
        return sorted(targets, key=lambda target: (target.probe, target.space != peer.space))

    def _fit(self, peer: Peer, space: bytes, stub: Stub, now_ms: int) -> bool:
        """Whether to pull from this peer: it is the space itself, or that is absent, or tells of less than is known of it."""
        if space == peer.space or self.absent(space, now_ms):
            return True
        own = self.storage.peer(space)
        told = find_stub(_heads(own), space) if own is not None else None
        return told is not None and told.size < stub.size  # or it went back behind what it signed

    def carriers(self, space: bytes) -> list[Peer]:
        """The peers that tell of a larger head of a log than we hold, the space itself first, then the largest."""
        log = self.storage.log(space)
        if log is None or log.ours or log.stopped:
            return []
        told = [(find_stub(_heads(peer), space), peer) for peer in self.storage.peers() if peer.url]
        more = [(stub.size, peer) for stub, peer in told if stub is not None and log.size < stub.size < FORKED]
        return [peer for _, peer in sorted(more, key=lambda each: (each[1].space != space, -each[0], each[1].space))]

    def absent(self, space: bytes, now_ms: int) -> bool:
        """Whether a space's own node cannot be called, or did not answer lately."""
        peer = self.storage.peer(space)
        return peer is None or not peer.url or peer.failures > 0 or now_ms - peer.last_contact_ms > ABSENT_MS

    def _agrees(self, log: Log, stub: Stub) -> bool | None:
        """Whether a head told is one that our copy went through; None if our copy does not reach there."""
        if not log.head:
            return None
        if stub.size == log.head_size:
            return stub == stub_of(log)
        if stub.size > log.size or log.size < log.head_size:
            return None
        return not stub.size or root_at(stub.size, LogTiles(self.storage, log.space)).startswith(stub.root)

    def agrees_with_ours(self, stub: Stub) -> bool:
        """Whether a head told of our own log is one that it went through."""
        log = self._need(self.space)
        if stub.size > log.size:
            return False
        return not stub.size or root_at(stub.size, LogTiles(self.storage, log.space)).startswith(stub.root)

    def _cosign_if_missed(self, log: Log, now_ms: int) -> None:
        """Cosign a head that is held whole and was not cosigned when it came, because this node stopped just then."""
        if log.stopped or not log.head or log.size != log.head_size:
            return
        ours = {cosignature.name_of(self.space, duty) for duty in cosignature.DUTIES}
        if not any(each.name in ours and each.size == log.head_size for each in self.storage.cosignatures(log.space)):
            self._cosign(log, now_ms)

    def _settle(self, asking: Asking, log: Log) -> None:
        """Remember that a head told was asked for and shown, so that it is not asked for again."""
        peer = self.storage.peer(asking.peer.space)
        stub = find_stub(_heads(peer), log.space) if peer is not None else None
        if stub is None:
            return
        if len(self._probed) >= MAX_PROBED:
            self._probed.clear()
        self._probed.add((asking.peer.space, stub))

    # Taking

    def ask(self, peer: Peer, space: bytes, now_ms: int, *, start: int | None = None, want: int = pull.MAX_WANT) -> Asking:
        """A pull from a carrier: from where our copy ends, or from `start` where an answer under way will bring it."""
        log = self._need(space)
        wanted = pull.ask(log, log.size if start is None else start, want)
        body, nonce = self.peers.request("pull", peer.space, wanted.content(), now_ms)
        return Asking(peer, wanted, body, nonce)

    def end(self, asking: Asking, data: bytes, now_ms: int) -> Taken:
        """Check an answer and keep its range; see `federation.pull` for what it may raise."""
        header, at = self._open(asking, data)
        log = self._need(asking.wanted.space)
        if log.stopped:
            raise PullError("Nothing more of that log is taken: its space has signed two histories.")
        if header.chain is not None and self._learn(log, header.chain):
            return Taken(0, log.size, log.head_size, again=True)
        try:
            found = pull.check(self.storage, log, self.storage.edge(log.space), asking.wanted, header, data, at)
        except Forked as fork:
            self.storage.stop(log.space, str(fork), self._make_evidence(fork), now_ms)
            raise
        if not asking.wanted.want:
            self._settle(asking, log)
        if found is None:
            return Taken(0, log.size, log.head_size, behind=True)
        note, head = pull.open_head(log, found.note)
        kept = _alone(log, note) if found.newer else log.head
        if found.rows:
            self.storage.extend(log.space, found.start, found.rows, found.edge, found.tiles, kept, head.size, head.root)
        elif found.newer:
            self.storage.accept_head(log.space, kept, head.size, head.root)
        cosignature.collect(self.storage, log, note, head)
        if found.edge.size == head.size and (found.rows or found.newer):
            self._cosign(self._need(log.space), now_ms)
        events = (Grown(log.space, found.edge.size),) if found.rows else ()
        return Taken(len(found.rows), found.edge.size, head.size, events=events)

    def ask_missing(self, peer: Peer, space: bytes, start: int, now_ms: int) -> Asking:
        """A pull of a range that is held, for the records in it that were withheld before."""
        log = self._need(space)
        wanted = Wanted(space, start, min(pull.MAX_WANT, log.size - start), (), len(log.chain.epochs))
        body, nonce = self.peers.request("pull", peer.space, wanted.content(), now_ms)
        return Asking(peer, wanted, body, nonce)

    def end_missing(self, asking: Asking, data: bytes) -> Taken:
        """Keep the records of a range that are new; their digests must be those held. `size` is where the range ended."""
        header, at = self._open(asking, data)
        log = self._need(asking.wanted.space)
        if header.start != asking.wanted.start or header.end > log.size:
            raise PullError("The answer is about another range than was asked for.")
        read = rows.read(data, at, header.end - header.start, 0)
        new = self.storage.fill(log.space, header.start, read.rows) if read.rows else 0
        events = (Grown(log.space, log.size),) if new else ()
        return Taken(new, header.end, log.head_size, events=events)

    def _open(self, asking: Asking, data: bytes) -> tuple[pull.Header, int]:
        at = measure(data)
        _, said = self.peers.open_answer("pull", data[:at], asking.peer, asking.nonce, limit=pull.MAX_HEADER + OVERHEAD)
        return pull.parse_header(said.content), at

    def _learn(self, log: Log, brought: bytes) -> bool:
        """Take a key chain that goes on from the one held; whether it was longer."""
        chain = self.peers.longer(log.chain, brought)
        if len(chain.records) == len(log.chain.records):
            return False
        self.storage.learn(chain)
        return True

    def _need(self, space: bytes) -> Log:
        log = self.storage.log(space)
        if log is None:
            raise NotHeld("This node does not hold that space.")
        return log

    def end_own(self, asking: Asking, data: bytes) -> OwnHead:
        """The head of our own log that a peer showed, seen to be signed by our key: what our log has to agree with."""
        header, _ = self._open(asking, data)
        _, head = pull.open_head(self._need(self.space), header.note)
        return OwnHead(asking.peer.space, head.size, head.root)

    # Evidence

    def ask_evidence(self, peer: Peer, space: bytes, now_ms: int) -> Asking:
        """Ask a peer for the evidence that a space has signed two histories."""
        wanted = Wanted(space, 0, 0, (), 0)
        body, nonce = self.peers.request("evidence", peer.space, [space], now_ms)
        return Asking(peer, wanted, body, nonce)

    def end_evidence(self, asking: Asking, data: bytes, now_ms: int) -> tuple[Event, ...]:
        """Check the evidence and stop that log; PullError if it convicts nobody, or somebody else."""
        limit = evidence.MAX_EVIDENCE + OVERHEAD
        _, said = self.peers.open_answer("evidence", data, asking.peer, asking.nonce, limit=limit)
        file, space = said.content, asking.wanted.space
        if type(file) is not bytes:
            raise PullError("Evidence is sent as bytes.")
        try:
            fork = evidence.check(file)
        except evidence.EvidenceError as error:
            raise PullError(f"The evidence convicts nobody: {error}") from error
        log = self._need(space)
        if fork.space != space:
            raise PullError("The evidence is about another space than was asked for.")
        if log.stopped or log.ours:
            return ()
        self.storage.stop(space, str(fork), file, now_ms)
        return (ForkSeen(space),)

    def answer_evidence(self, body: bytes, now_ms: int) -> list[bytes]:
        """The answer to a peer that asks for evidence."""
        peer, said = self.peers.open_request("evidence", body, now_ms, limit=MAX_REQUEST)
        if type(said.content) is not list or len(said.content) != 1:
            raise PullError("Evidence is asked for by the space that it is about.")
        file = next((file for space, _, file in self.storage.evidence() if space == said.content[0]), None)
        if file is None:
            raise NotHeld("This node has no evidence about that space.")
        return [self.peers.answer("evidence", peer.space, said.nonce, file, now_ms)]

    # Serving

    def answer(self, body: bytes, now_ms: int, *, private: bool) -> list[bytes]:
        """The parts of the answer to a pull; `private` if the connection may carry what is not public."""
        peer, said = self.peers.open_request("pull", body, now_ms, limit=MAX_REQUEST)
        wanted = pull.parse_wanted(said.content)
        log = self._need(wanted.space)
        if log.ours:
            self._refresh(now_ms)
            log = self._need(wanted.space)

        def shown(row: Row) -> bool:
            return private and row.record is not None and self._may_have(log.space, peer.space, row.record)

        content, parts = pull.make(self.storage, log, wanted, shown)
        return [self.peers.answer("pull", peer.space, said.nonce, content, now_ms), *parts]

    def _may_have(self, space: bytes, peer: bytes, raw: bytes) -> bool:
        try:
            return self._entitled(space, peer, parse(raw).audience)
        except RecordError:
            return False


def _heads(peer: Peer) -> list[Stub]:
    try:
        return parse_heads(peer.heads)
    except WordError:
        return []


def _alone(log: Log, note: Note) -> str:
    """A head with the signature of its log only: cosignatures are kept apart, once they were checked."""
    epoch = log.chain.current
    key = VerifierKey(origin(log.space, epoch.number), epoch.keys.log)
    return format_note(Note(note.text, tuple(lines_of(note, key)[:1])))
