"""Cosigning heads of other spaces' logs, without I/O.

As a **witness** ("it extends the one I saw"), by C2SP tlog-witness, for any log that this node follows. A request is ::

    old <size>
    <hash in base64>        the consistency proof, a line each, at most 63
    <an empty line>
    <the checkpoint, a signed note>

and the answers, in the order in which they are looked for:

    400  not in this form, or the old size is beyond the checkpoint's
    404  the origin is of no log that this node follows, or of an epoch that its key chain does not have now
    403  no signature by the log key that the key chain names
    409  the last head cosigned here has another size than `old`: its size, as ``text/x.tlog.size``;
         also if it has this size and another root
    422  the proof does not lead from the head cosigned last to this one
    200  one cosignature line; the new head is remembered before it is given out

What was remembered is compared and replaced in one atomic step of the store, so two requests at once cannot both pass.

If the checkpoint contradicts a head of that log that is held here, the two are kept as evidence and the log is stopped (409).

As a **mirror** ("I durably hold all entries, all public records and their blobs, but for what was erased") a node cosigns the
head of a log that it holds whole and audited, with every public record, unless

- the log says a time ahead of this node's clock, or has new entries dated before this node's last cosignature: so a node
  cannot back-date what others have seen (but for `BEHIND_S`, because clocks differ and news take a while); or
- the log's own node did not name this head as its newest within `FRESH_S`: else entries that it logs meanwhile would
  seem to be dated back when they arrive.

Source: c2sp.org/tlog-witness, c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

from msgspec import Struct

from federation.cosignature import name_of
from federation.pull import LogTiles
from federation.storage import Cosignature, Log, Storage
from federation.word import WordError, find_stub, parse_heads
from protocol import evidence
from protocol.evidence import EvidenceError
from protocol.keychain import KeyChainError, origin, parse_origin
from protocol.keys import SigningKey
from protocol.note import (
    Checkpoint,
    Note,
    NoteError,
    check_note,
    cosign,
    decode_hash,
    decode_size,
    format_note,
    format_signature_line,
    parse_checkpoint,
    parse_note,
)
from protocol.tree import EMPTY_ROOT, MAX_PROOF, ProofError, check_consistency, prove_consistency, root_at

MAX_BODY = 128 * 1024
PLAIN, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"
AHEAD_S = 120  # a log may say the minute that has just begun, and clocks differ a little
FRESH_S = 600  # how old the word of the log's own node may be that this head is its newest
BEHIND_S = FRESH_S + 300  # and its clock may be five minutes behind
STEP = 512  # rows read from the store at a time


class Answer(Struct, frozen=True):
    """What to answer to a request."""

    status: int
    kind: str
    body: bytes


class _Refused(Exception):
    """A request that is not cosigned."""

    def __init__(self, status: int, said: str, kind: str = PLAIN) -> None:
        super().__init__(said)
        self.answer = Answer(status, kind, f"{said}\n".encode())


def add_checkpoint(storage: Storage, space: bytes, witness: SigningKey, body: bytes, now_s: int) -> Answer:
    """The answer to a request to cosign; `space` and `witness` are this node's id and witness key."""
    try:
        old, proof, note, head = _parse(body)
        log = _followed(storage, note, head)
        return _cosign(storage, log, name_of(space, "witness"), witness, (old, proof, note, head), now_s)
    except _Refused as refused:
        return refused.answer


def _parse(body: bytes) -> tuple[int, list[bytes], Note, Checkpoint]:
    if len(body) > MAX_BODY:
        raise _Refused(400, "The request is too large.")
    top, between, rest = body.partition(b"\n\n")
    try:
        first, *lines = top.decode("ascii").split("\n")
        if not between or not first.startswith("old ") or len(lines) > MAX_PROOF:
            raise NoteError("a request begins with the old size and at most 63 lines of proof")
        old = decode_size(first.removeprefix("old "), "the old size")
        proof = [decode_hash(line, "a hash of the proof") for line in lines]
        note = parse_note(rest)
        head = parse_checkpoint(note.text)
    except (NoteError, UnicodeDecodeError) as error:
        raise _Refused(400, f"Not in form: {error}.") from error
    if old > head.size:
        raise _Refused(400, "The old size is beyond that of the checkpoint.")
    return old, proof, note, head


def _followed(storage: Storage, note: Note, head: Checkpoint) -> Log:
    try:
        space, epoch = parse_origin(head.origin)
    except KeyChainError as error:
        raise _Refused(404, "This node follows no log of that origin.") from error
    log = storage.log(space)
    if log is None or log.ours or log.stopped or log.chain.current.number != epoch or head.origin != origin(space, epoch):
        raise _Refused(404, "This node follows no log of that origin.")
    try:
        check_note(note, head.origin, log.chain.current.keys.log)
    except NoteError as error:
        raise _Refused(403, "The checkpoint is not signed by the key of that log.") from error
    return log


def _cosign(
    storage: Storage,
    log: Log,
    name: str,
    witness: SigningKey,
    asked: tuple[int, list[bytes], Note, Checkpoint],
    now_s: int,
) -> Answer:
    old, proof, note, head = asked
    _stop_if_forked(storage, log, note, head, now_s)
    held, root = storage.witnessed(log.space) or (0, EMPTY_ROOT)
    if old != held:
        raise _Refused(409, str(held), SIZE)
    if old == head.size and root != head.root:
        raise _Refused(409, str(held), SIZE)
    try:
        check_consistency(old, head.size, root, head.root, proof)
    except ProofError as error:
        raise _Refused(422, "The proof does not lead to this checkpoint.") from error
    line = cosign(witness, name, note.text, now_s)
    cosignature = Cosignature(name, head.size, head.root, now_s, format_signature_line(line))
    if not storage.cosign_if_unmoved(log.space, held, format_note(note), head.size, head.root, cosignature):
        now_held, _ = storage.witnessed(log.space) or (0, EMPTY_ROOT)
        raise _Refused(409, str(now_held), SIZE)
    return Answer(200, PLAIN, format_signature_line(line).encode())


def _stop_if_forked(storage: Storage, log: Log, note: Note, head: Checkpoint, now_s: int) -> None:
    """Refuse, and keep the evidence, if our whole copy of the log went through another root at the size of this head."""
    if not log.head or log.size < log.head_size or not 0 < head.size <= log.head_size:
        return
    tiles = LogTiles(storage, log.space)
    ours = root_at(head.size, tiles)
    if ours == head.root:
        return
    proof = prove_consistency(head.size, log.head_size, tiles)
    try:
        file = evidence.make(log.chain, format_note(note), log.head, proof, ours)
    except EvidenceError:  # the head held is of an epoch before: the new one goes on from elsewhere
        return
    storage.stop(log.space, "This space has signed two histories.", file, now_s * 1000)
    held, _ = storage.witnessed(log.space) or (0, EMPTY_ROOT)
    raise _Refused(409, str(held), SIZE)


def cosign_as_mirror(storage: Storage, space: bytes, mirror: SigningKey, log: Log, now_s: int) -> Cosignature | None:
    """Cosign the head of a log that is held whole, and keep the cosignature; None if that may not be said.

    `space` and `mirror` are this node's id and mirror key.
    """
    if not log.head or log.stopped or log.ours or log.judged != log.size or log.size != log.head_size:
        return None
    if log.logged * 60 > now_s + AHEAD_S or not _is_fresh(storage, log, now_s):
        return None
    name = name_of(space, "mirror")
    last = next((each for each in storage.cosignatures(log.space) if each.name == name), None)
    if last is not None and (last.size >= log.size or _dated_back(storage, log, last)):
        return None
    if log.missing and not _has_public(storage, log):
        return None
    note = parse_note(log.head)
    line = cosign(mirror, name, note.text, now_s)
    made = Cosignature(name, log.size, log.head_root, now_s, format_signature_line(line))
    storage.keep_cosignature(log.space, made)
    return made


def _is_fresh(storage: Storage, log: Log, now_s: int) -> bool:
    """Whether the log's own node was in contact a short while ago and then had no more than this head."""
    peer = storage.peer(log.space)
    if peer is None or now_s - peer.last_contact_ms // 1000 > FRESH_S:
        return False
    try:
        told = find_stub(parse_heads(peer.heads), log.space)
    except WordError:
        return False
    return told is not None and told.size <= log.head_size


def _dated_back(storage: Storage, log: Log, last: Cosignature) -> bool:
    """Whether an entry after the head cosigned last says a time before that cosignature; times never fall within a log."""
    (first, *_) = storage.rows(log.space, last.size, last.size + 1)
    return (first.logged + 1) * 60 <= last.time_s - BEHIND_S


def _has_public(storage: Storage, log: Log) -> bool:
    """Whether every record that the entries call public is held."""
    starts = range(0, log.size, STEP)
    return all(
        row.flag or row.record for start in starts for row in storage.rows(log.space, start, min(start + STEP, log.size))
    )
