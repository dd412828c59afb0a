"""A proof of inclusion as one small text that can be checked offline (C2SP tlog-proof).

    c2sp.org/tlog-proof@v1
    extra <base64>                     only if there is extra data; it is not authenticated by anything here
    index <decimal>
    <base64 of a hash>                 no, one or more lines, the leaf's sibling first
                                       an empty line
    <the checkpoint, a signed note, as it was issued>

Rules: one form for each proof, so `format_tlog_proof(parse_tlog_proof(x)) == x`; at most 1 MiB, 63 hashes. Parsing
checks no signature and no hash; `check_tlog_proof` does, for a log whose origin and key are known from elsewhere. Who
cosigned is asked of its note (`protocol.note.cosigned_s`).

    NoteError (another form)        ProofError (the hashes do not lead to the checkpoint's root)

>>> PREFIX
'c2sp.org/tlog-proof@v1\\n'

Source: c2sp.org/tlog-proof; docs/reference/protocol/note.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.note import (
    Checkpoint,
    Note,
    NoteError,
    check_checkpoint,
    decode_base64,
    decode_hash,
    decode_size,
    decode_text,
    encode_base64,
    format_note,
    parse_checkpoint,
    parse_note,
)
from protocol.tree import HASH_BYTES, MAX_PROOF, MAX_SIZE, check_inclusion

PREFIX = "c2sp.org/tlog-proof@v1\n"
MAX_TLOG_PROOF_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class TlogProof:
    """Entry `index` of the tree in the checkpoint, the hashes that lead there, and bytes of the application's own."""

    index: int
    hashes: tuple[bytes, ...]
    note: Note
    extra: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_SIZE:
            raise NoteError("a proof for an entry beyond every log")
        if len(self.hashes) > MAX_PROOF or any(len(each) != HASH_BYTES for each in self.hashes):
            raise NoteError(f"a proof is at most {MAX_PROOF} hashes of {HASH_BYTES} bytes")
        parse_checkpoint(self.note.text)


def format_tlog_proof(proof: TlogProof) -> str:
    """The text of a proof; NoteError if it is larger than a proof may be."""
    extra = [f"extra {encode_base64(proof.extra)}"] if proof.extra else []
    lines = [*extra, f"index {proof.index}", *map(encode_base64, proof.hashes), ""]
    text = PREFIX + "".join(f"{line}\n" for line in lines) + format_note(proof.note)
    if len(text.encode()) > MAX_TLOG_PROOF_BYTES:
        raise NoteError(f"the proof has more than {MAX_TLOG_PROOF_BYTES} bytes")
    return text


def parse_tlog_proof(data: str | bytes) -> TlogProof:
    """The proof that a text is; nothing in it has been checked but its form."""
    head, note = _halves(data)
    lines = head.split("\n")
    extra = b""
    if lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0)[6:], "a proof's extra line")
        if not extra:
            raise NoteError("a proof with an extra line and nothing in it")
    if not lines or not lines[0].startswith("index "):
        raise NoteError("a proof without its index line")
    index = decode_size(lines[0][6:], "a proof's index")
    return TlogProof(index, tuple(decode_hash(line, "a proof's hash") for line in lines[1:]), parse_note(note), extra)


def _halves(data: str | bytes) -> tuple[str, str]:
    """The lines between the first one and the first empty one, and what follows."""
    text = decode_text(data, MAX_TLOG_PROOF_BYTES)
    if not text.startswith(PREFIX):
        raise NoteError("not a tlog-proof of version 1: its first line is another")
    head, empty, note = text[len(PREFIX) :].partition("\n\n")
    if not empty:
        raise NoteError("a proof without the empty line before its checkpoint")
    return head, note


def check_tlog_proof(proof: TlogProof, leaf_hash: bytes, origin: str, public: bytes) -> Checkpoint:
    """The checkpoint in whose tree the leaf was proved to be, signed by the log with this origin and key.

    NoteError if the checkpoint is not that log's; ProofError if the leaf is not where the proof says.
    """
    checkpoint = check_checkpoint(proof.note, origin, public)
    check_inclusion(proof.index, checkpoint.size, leaf_hash, proof.hashes, checkpoint.root)
    return checkpoint


def tlog_proof(index: int, hashes: Sequence[bytes], note: str | bytes, extra: bytes = b"") -> TlogProof:
    """The proof of entry `index`, from `protocol.tree.prove_inclusion` and the signed note of the tree's head."""
    return TlogProof(index, tuple(hashes), parse_note(note), extra)
