"""Asking a witness for its cosignature of our newest head, as C2SP tlog-witness has it.

    old <size>                 the size of the last head that this witness cosigned
    <hash in base64>           the consistency proof from there, a line each
    <an empty line>
    <the checkpoint, a signed note>

It answers with its cosignature lines; or, if it remembers another size, with 409 and that size alone: then we ask again
from there, once.

    SubmissionError: an answer that is no cosignature of what was submitted (theirs)

Source: c2sp.org/tlog-witness.
"""

from __future__ import annotations

from federation import cosignature
from federation.cosignature import CosignatureError, name_of
from federation.fault import NotYet, Theirs
from federation.pull import LogTiles
from federation.storage import Log, Storage
from protocol.keychain import KeyChain
from protocol.note import (
    NoteError,
    decode_size,
    encode_base64,
    format_signature_line,
    parse_checkpoint,
    parse_note,
    parse_signature_lines,
)
from protocol.tree import prove_consistency


class SubmissionError(Theirs):
    """What a witness answered does not hold."""


def ask(storage: Storage, witness: bytes) -> bytes:
    """The body that asks a space's witness to cosign our newest head."""
    log = _ours(storage)
    name = name_of(witness, "witness")
    last = next((each.size for each in storage.cosignatures(log.space) if each.name == name), 0)
    return _body(storage, log, last)


def ask_again(storage: Storage, data: bytes) -> bytes:
    """The body that goes on from the size that the witness says it remembers."""
    try:
        size = decode_size(data.decode("ascii").removesuffix("\n"), "the size that the witness remembers")
    except (NoteError, UnicodeDecodeError) as error:
        raise SubmissionError("The witness did not say which size it remembers.") from error
    return _body(storage, _ours(storage), size)


def take(storage: Storage, chain: KeyChain, body: bytes, data: bytes) -> int:
    """Keep the cosignature of the space with this chain that it answered with; returns the size of the head it is on."""
    log = _ours(storage)
    try:
        head = parse_checkpoint(parse_note(body.split(b"\n\n", 1)[1]).text)
        lines = parse_signature_lines(data)
    except NoteError as error:
        raise SubmissionError(f"The witness did not answer with a cosignature: {error}.") from error
    for line in lines:
        if line.name == name_of(chain.space, "witness"):
            try:
                kept = cosignature.check(log, head.size, head.root, format_signature_line(line), chain)
            except CosignatureError as error:
                raise SubmissionError(str(error)) from error
            storage.keep_cosignature(log.space, kept)
            return head.size
    raise SubmissionError("The witness answered without a cosignature of its own.")


def _ours(storage: Storage) -> Log:
    log = next((each for each in storage.logs() if each.ours), None)
    if log is None or not log.head:
        raise NotYet("This node has signed no head yet that could be cosigned.")
    return log


def _body(storage: Storage, log: Log, old: int) -> bytes:
    if old > log.head_size:
        raise SubmissionError("The witness remembers a larger head of our log than we have. Look into that before going on.")
    proof = prove_consistency(old, log.head_size, LogTiles(storage, log.space))
    lines = "".join(f"{encode_base64(each)}\n" for each in proof)
    return f"old {old}\n{lines}\n{log.head}".encode()
