"""Cosignatures of heads by other spaces: whose they are and whether they hold.

A space cosigns under ``isle/<its id>/witness`` ("it extends the one I saw") and ``isle/<its id>/mirror`` ("I durably hold
it all"), each with its own key from its key chain. One space counts once for each, however many lines it leaves.

    CosignatureError: a line that is not a genuine cosignature of that space (theirs)

>>> name_of(bytes(32), "witness").endswith("/witness")
True
"""

from __future__ import annotations

from federation.fault import Theirs
from federation.storage import Cosignature, Log, Storage
from protocol.keychain import KeyChain, KeyChainError, origin, parse_origin
from protocol.note import (
    Checkpoint,
    Note,
    NoteError,
    SignatureLine,
    check_cosignature,
    format_checkpoint,
    format_signature_line,
    parse_signature_line,
)

DUTIES = ("witness", "mirror")


class CosignatureError(Theirs):
    """A cosignature that is not genuine, or not of the space that sent it."""


def name_of(space: bytes, duty: str) -> str:
    """The name under which a space cosigns."""
    return f"{origin(space, 0)}/{duty}"


def parse_name(name: str) -> tuple[bytes, str] | None:
    """(space, duty) of a cosigner's name, or None if it is none of ours."""
    start, _, duty = name.rpartition("/")
    if duty not in DUTIES:
        return None
    try:
        space, epoch = parse_origin(start)
    except KeyChainError:
        return None
    return (space, duty) if epoch == 0 else None


def check(log: Log, size: int, root: bytes, line: str, chain: KeyChain) -> Cosignature:
    """The cosignature in a line, of the head (size, root) of a log in its current epoch, by the space with this chain."""
    text = format_checkpoint(Checkpoint(origin(log.space, log.chain.current.number), size, root))
    try:
        return _check(text, size, root, parse_signature_line(line), chain)
    except NoteError as error:
        raise CosignatureError(f"The cosignature does not hold: {error}.") from error


def _check(text: str, size: int, root: bytes, line: SignatureLine, chain: KeyChain) -> Cosignature:
    named = parse_name(line.name)
    if named is None or named[0] != chain.space:
        raise CosignatureError("The cosignature is in the name of another space.")
    keys = chain.current.keys
    public = keys.witness if named[1] == "witness" else keys.mirror
    time_s = check_cosignature(line, line.name, public, text)
    return Cosignature(line.name, size, root, time_s, format_signature_line(line))


def collect(storage: Storage, log: Log, note: Note, head: Checkpoint) -> None:
    """Keep the cosignatures under a verified head of all spaces whose key chain is known here; others are passed over."""
    held = {each.name: each for each in storage.cosignatures(log.space)}
    for line in note.signatures:
        named = parse_name(line.name)
        if named is None:
            continue
        known = storage.peer(named[0]) or storage.log(named[0])
        old = held.get(line.name)
        if known is None or (old is not None and old.line == format_signature_line(line)):
            continue
        try:
            storage.keep_cosignature(log.space, _check(note.text, head.size, head.root, line, known.chain))
        except (NoteError, CosignatureError):
            continue
