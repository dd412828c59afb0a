"""A range of a log, proved and checked: what `pull` carries.

The request's content is ``[space, start, want, [sizes], epochs]``: entries from `start`, at most `want` (8,192); proofs
from each of these sizes to the head; and how many epochs of the key chain the asker knows. The answer is a CBOR sequence
(RFC 8742): an envelope whose content is ::

    [note, start, end, [[root, path] or null, ...], path, chain or null]

and then the rows [start, end) as in `federation.rows`. `note` is the newest signed head with its cosignatures. For each
size that was asked about stand the tree's root at that size, as the carrier has it, and the consistency proof from there
to the head (null beyond the head); then the proof from `end` to the head; then the key chain if it has more epochs than
the asker knows. An answer holds fewer rows than asked for where they would pass 4 MiB, or where the carrier has not more.

Whoever pulls (`check`) believes nothing but the key chain, and keeps a range only if, in this order:

1. the head is signed by the log key that the chain gives for the current epoch, under that epoch's origin;
2. it is consistent with the last head accepted, and with the head from which the epoch goes on;
3. the rows, behind the tree as it is held, give a root at `end` that is consistent with the head.

A head of the same size with another root, or a proof that *verifies* to one signed root and shows another than the one
signed before, is `Forked`: evidence. A proof that does not verify is the carrier's fault and convicts nobody.

    PullError            the answer does not verify: ask another carrier
    └── Forked           it shows two signed heads that cannot both be: stop, keep the evidence

Source: RFC 9162 section 2.1.4; c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from federation import rows
from federation.fault import NotYet, Theirs
from federation.storage import Log, Row, Storage
from protocol.keychain import KeyChainError, origin, parse_origin
from protocol.note import (
    Checkpoint,
    Note,
    NoteError,
    check_checkpoint,
    format_note,
    parse_checkpoint,
    parse_note,
    parse_signature_line,
)
from protocol.tree import (
    EMPTY_ROOT,
    Edge,
    FullTile,
    ProofError,
    check_consistency,
    grow,
    leaf_hashes,
    prove_consistency,
    root_at,
)

MAX_WANT = 8192
MAX_SIZES = 4
BUDGET = 4 * 1024 * 1024
MAX_HEADER = 512 * 1024
MAX_ANSWER = MAX_HEADER + BUDGET + rows.MAX_ROW
STEP = 512  # rows read from the store at a time


class PullError(Theirs):
    """An answer that does not verify; nothing of it is kept."""


class Forked(PullError):
    """Two signed heads of one log that cannot both be; `proof` and `root` are set where their sizes differ."""

    def __init__(self, space: bytes, one: str, other: str, proof: Sequence[bytes] | None, root: bytes) -> None:
        super().__init__("This space has signed two histories. Nothing more of it is taken; the evidence is kept.")
        self.space, self.one, self.other, self.proof, self.root = space, one, other, proof, root


class Wanted(Struct, frozen=True, array_like=True):
    """What a pull asks for."""

    space: bytes
    start: int
    want: int
    sizes: tuple[int, ...]
    epochs: int

    def content(self) -> list[Any]:
        """The request's content."""
        return [self.space, self.start, self.want, list(self.sizes), self.epochs]


class Header(Struct, frozen=True):
    """The header of an answer, in form but not checked."""

    note: str
    start: int
    end: int
    proofs: tuple[tuple[bytes, list[bytes]] | None, ...]
    path: list[bytes]
    chain: bytes | None


class Range(Struct, frozen=True):
    """A checked range: ready for `Storage.extend`."""

    start: int
    rows: list[Row]
    edge: Edge
    tiles: list[FullTile]
    note: str
    head: Checkpoint
    newer: bool  # the head is larger than the one accepted before


class LogTiles:
    """The tiles of one log in a store, for `protocol.tree`."""

    def __init__(self, storage: Storage, space: bytes) -> None:
        self._storage, self._space = storage, space

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """The first hashes of a tile."""
        return self._storage.read_tile(self._space, level, index, width)


# The request


def ask(log: Log, start: int, want: int = MAX_WANT) -> Wanted:
    """What to ask a carrier for, to go on from `start`."""
    sizes = [log.head_size] if log.head else []
    epoch = log.chain.current
    if epoch.number and epoch.size not in sizes:
        sizes.append(epoch.size)
    return Wanted(log.space, start, want, tuple(sizes), len(log.chain.epochs))


def parse_wanted(content: object) -> Wanted:
    """The request in an envelope's content; PullError if it is none."""
    if type(content) is list and len(content) == 5:
        space, start, want, sizes, epochs = content
        counts = [start, want, epochs, *sizes] if type(sizes) is list and len(sizes) <= MAX_SIZES else [None]
        if type(space) is bytes and len(space) == 32 and all(type(each) is int and each >= 0 for each in counts):
            if want > MAX_WANT:
                raise PullError(f"A pull asks for at most {MAX_WANT} entries.")
            return Wanted(space, start, want, tuple(sizes), epochs)
    raise PullError("A pull asks for a space, a start, a number, sizes and a number of epochs.")


# The answer, made


def make(storage: Storage, log: Log, wanted: Wanted, shown: Callable[[Row], bool]) -> tuple[list[Any], list[bytes]]:
    """(the header's content, parts of the rows) from a log that is held whole up to its head; NotYet if it is not."""
    if not log.head or log.size < log.head_size:
        raise NotYet("This node has no whole copy of that log yet. Ask again later, or ask another.")
    tiles = LogTiles(storage, log.space)
    start, limit = wanted.start, min(log.judged, log.head_size, wanted.start + wanted.want)
    parts: list[bytes] = []
    end, left = start, BUDGET
    while end < limit and left > 0:
        step = min(STEP, limit - end)
        more, count = rows.write(storage.rows(log.space, end, end + step), shown, left)
        parts += more
        left -= sum(map(len, more))
        end += count
        if count < step:
            break
    proofs = [_proof(size, log.head_size, tiles) for size in wanted.sizes]
    path = prove_consistency(end, log.head_size, tiles) if end <= log.head_size else []
    chain = log.chain.encode() if len(log.chain.epochs) > wanted.epochs else None
    return [with_cosignatures(storage, log), start, end, proofs, path, chain], parts


def _proof(size: int, head: int, tiles: LogTiles) -> list[Any] | None:
    if size > head:
        return None
    return [root_at(size, tiles), prove_consistency(size, head, tiles)]


def with_cosignatures(storage: Storage, log: Log) -> str:
    """The newest head with every cosignature that is on exactly this head."""
    lines = [each.line for each in storage.cosignatures(log.space) if (each.size, each.root) == (log.head_size, log.head_root)]
    if not lines:
        return log.head
    parsed = [parse_signature_line(line if line.endswith("\n") else line + "\n") for line in lines]
    return format_note(parse_note(log.head).add(parsed))


# The answer, checked


def parse_header(content: object) -> Header:
    """The header in an envelope's content; PullError if it is none."""
    if type(content) is list and len(content) == 6:
        text, start, end, proofs, path, chain = content
        if (
            type(text) is str
            and type(start) is int
            and type(end) is int
            and 0 <= start <= end <= start + MAX_WANT
            and type(proofs) is list
            and len(proofs) <= MAX_SIZES
            and _is_path(path)
            and (chain is None or type(chain) is bytes)
        ):
            return Header(text, start, end, tuple(_parse_proof(each) for each in proofs), path, chain)
    raise PullError("The answer's header is not in form.")


def _is_path(value: object) -> bool:
    return type(value) is list and all(type(each) is bytes for each in value)


def _parse_proof(value: object) -> tuple[bytes, list[bytes]] | None:
    if value is None:
        return None
    if type(value) is list and len(value) == 2 and type(value[0]) is bytes and _is_path(value[1]):
        return value[0], value[1]
    raise PullError("The answer's header is not in form.")


def check(storage: Storage, log: Log, edge: Edge, wanted: Wanted, header: Header, data: bytes, at: int) -> Range | None:
    """The range whose rows stand in `data` from `at`, checked against the log as it is held, whose tree has this edge.

    None if the carrier's head is older than the one held: it has nothing for us. PullError, RowsError, Forked otherwise.
    """
    if header.start != wanted.start or edge.size != wanted.start or header.end > wanted.start + wanted.want:
        raise PullError("The answer is about another range than was asked for.")
    note, head = open_head(log, header.note)
    if not _follows(storage, log, wanted, header, note, head):
        return None
    read = rows.read(data, at, header.end - header.start, log.logged)
    grown, tiles = grow(edge, leaf_hashes(read.entries)) if read.rows else (edge, [])
    try:
        check_consistency(grown.size, head.size, grown.root(), head.root, header.path)
    except ProofError as error:
        raise PullError(f"The entries are not those under the signed head: {error}.") from error
    return Range(header.start, read.rows, grown, tiles, header.note, head, head.size > log.head_size or not log.head)


def open_head(log: Log, text: str) -> tuple[Note, Checkpoint]:
    """A head of this log in its current epoch, its signature checked against the key chain; PullError otherwise."""
    epoch = log.chain.current
    try:
        note = parse_note(text)
        head = check_checkpoint(note, origin(log.space, epoch.number), epoch.keys.log)
    except NoteError as error:
        raise PullError(f"The head is not signed by this log's key: {error}.") from error
    if head.size < epoch.size or (head.size == epoch.size and epoch.number and head.root != epoch.head):
        raise PullError("The head is not one that the current epoch can have.")
    return note, head


def _follows(storage: Storage, log: Log, wanted: Wanted, header: Header, note: Note, head: Checkpoint) -> bool:
    """Whether the head is the one accepted or goes on from it; False if it is an older one of ours."""
    if len(header.proofs) != len(wanted.sizes):
        raise PullError("The answer does not prove what was asked for.")
    given = dict(zip(wanted.sizes, header.proofs, strict=True))
    epoch = log.chain.current
    held_epoch = _epoch_of(log.head) if log.head else epoch.number
    if held_epoch != epoch.number and log.head_size > epoch.size:
        raise PullError("This space went on in a new epoch from before the copy held here. Unfollow it and follow it anew.")
    if log.head and head.size < log.head_size:
        _look_back(storage, log, note, head)
        return False
    if log.head and head.size == log.head_size:
        if head.root != log.head_root:
            raise Forked(log.space, log.head, format_note(note), None, b"")
    elif log.head and log.head_size:
        _check_proof(log, log.head_size, log.head_root, given.get(log.head_size), head, note, held_epoch == epoch.number)
    if epoch.number and head.size > epoch.size:
        _check_proof(log, epoch.size, epoch.head, given.get(epoch.size), head, note, False)
    return True


def _check_proof(
    log: Log, size: int, root: bytes, given: tuple[bytes, list[bytes]] | None, head: Checkpoint, note: Note, convicts: bool
) -> None:
    """That the tree under the head extends (size, root); Forked if it is proved to extend another one of that size."""
    if given is None:
        raise PullError("The answer does not prove that its head goes on from the one held.")
    theirs, path = given
    try:
        check_consistency(size, head.size, theirs, head.root, path)
    except ProofError as error:
        raise PullError(f"The answer does not prove that its head goes on from the one held: {error}.") from error
    if theirs != root:
        if convicts:
            raise Forked(log.space, log.head, format_note(note), path, theirs)
        raise PullError("The head does not go on from the one that the key chain names.")


def _look_back(storage: Storage, log: Log, note: Note, head: Checkpoint) -> None:
    """Forked if an older head is not one that our own copy of the log went through."""
    if head.size > log.size or log.size < log.head_size:
        return
    tiles = LogTiles(storage, log.space)
    ours = root_at(head.size, tiles) if head.size else EMPTY_ROOT
    if ours != head.root and _epoch_of(log.head) == log.chain.current.number:
        raise Forked(log.space, format_note(note), log.head, prove_consistency(head.size, log.head_size, tiles), ours)


def _epoch_of(text: str) -> int:
    """The epoch of an accepted head."""
    try:
        return parse_origin(parse_checkpoint(parse_note(text).text).origin)[1]
    except (NoteError, KeyChainError) as error:
        raise PullError(f"A head that was accepted cannot be read: {error}.") from error
