"""A receipt: that a record stands in a space's log, and who has seen it there, checkable by a stranger offline.

It is a C2SP tlog-proof text whose extra line is one array in the strict encoding of `protocol.encoding`::

    [flag, logged, record, annex or null, [key chain records], [[key chain records of a cosigner], ...]]

Nothing in it is believed for standing there. From the record's bytes and the two numbers comes the entry, which the
inclusion proof must lead to the root in the checkpoint; the space's id is the hash of the founding record, so the key
chain proves the keys; the author's signature is checked; and each cosignature of a space whose key chain is included.

- A quorum is counted by spaces, not by signatures, and the log's own space does not count.
- Cosignatures whose key chain is not included are listed as not verified: they may be genuine.
- Of the heads of an epoch that a later rotation in the chain closed, only the one counts that the rotation names.

    ReceiptError: a text that proves nothing, and why

Source: c2sp.org/tlog-proof, tlog-cosignature; docs/reference/protocol/receipt.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct

from protocol import encoding, keychain, record, tlogproof
from protocol.entry import MINUTE_MS, Entry
from protocol.keychain import KeyChain, KeyChainError
from protocol.note import (
    COSIGNATURE,
    Checkpoint,
    Note,
    NoteError,
    VerifierKey,
    check_checkpoint,
    cosigned_s,
    lines_of,
    parse_checkpoint,
)
from protocol.tlogproof import TlogProof
from protocol.tree import ProofError, check_inclusion

MAX_RECEIPT = tlogproof.MAX_TLOG_PROOF_BYTES
MAX_COSIGNERS = 16
MAX_EXTRA = 768 * 1024
ROLES = ("witness", "mirror")
Text = str | bytes


class ReceiptError(Exception):
    """What does not prove that a record is in a log."""


class Receipt(Struct, frozen=True):
    """A receipt as read: in form, and not checked."""

    flag: int
    logged: int  # minutes since 1970
    raw: bytes
    annex: bytes | None
    chain: tuple[bytes, ...]
    cosigners: tuple[tuple[bytes, ...], ...]
    proof: TlogProof


class Cosigner(Struct, frozen=True):
    """A cosignature that was verified."""

    space: bytes
    name: str  # what that space was founded as
    role: str  # witness or mirror
    time_s: int


class Checked(Struct, frozen=True):
    """What a receipt proves."""

    space: bytes
    name: str
    epoch: int
    index: int
    size: int
    root: bytes
    logged_ms: int
    digest: bytes
    kind: str
    author: bytes
    at_ms: int
    audience: int | tuple[bytes, ...]
    body: dict[str, Any]
    words: dict[str, str]
    cosigners: tuple[Cosigner, ...]
    unverified: tuple[str, ...]  # names on cosignatures whose keys are not in the receipt

    def spaces(self, *roles: str) -> tuple[bytes, ...]:
        """The distinct other spaces that cosigned in any of these roles (in any at all if none is named)."""
        return tuple(sorted({each.space for each in self.cosigners if each.role in (roles or ROLES)}))


def make(
    entry: Entry, raw: bytes, annex: bytes | None, index: int, hashes: Sequence[bytes], note: str, chain: KeyChain,
    cosigners: Sequence[KeyChain] = (),
) -> Receipt:  # fmt: skip
    """The receipt of a record; `hashes` by `protocol.tree.prove_inclusion`, `note` the head with its cosignatures.

    Of the cosigners' key chains those are taken that have a line on the note, as far as they fit.
    """
    try:
        proof = tlogproof.tlog_proof(index, hashes, note)
    except NoteError as error:
        raise ReceiptError(f"The head for this receipt is none: {error}.") from error
    names = {line.name for line in proof.note.signatures}
    chosen = [each for each in cosigners if names & {_name(each.space, role) for role in ROLES}][:MAX_COSIGNERS]
    receipt = Receipt(entry.flag, entry.logged, raw, annex, chain.records, tuple(each.records for each in chosen), proof)
    while receipt.cosigners and len(_extra(receipt)) > MAX_EXTRA:
        receipt = Receipt(entry.flag, entry.logged, raw, annex, chain.records, receipt.cosigners[:-1], proof)
    return receipt


def format(receipt: Receipt) -> str:
    """The text of a receipt; ReceiptError if it is larger than one may be."""
    proof = receipt.proof
    try:
        return tlogproof.format_tlog_proof(TlogProof(proof.index, proof.hashes, proof.note, _extra(receipt)))
    except NoteError as error:
        raise ReceiptError(f"This receipt cannot be written: {error}.") from error


def parse(text: Text) -> Receipt:
    """The receipt that a text is, in form and not checked; ReceiptError if it is none."""
    try:
        proof = tlogproof.parse_tlog_proof(text)
    except NoteError as error:
        raise ReceiptError(f"This is not a receipt: {error}.") from error
    try:
        value = encoding.decode(proof.extra, limit=MAX_EXTRA) if proof.extra else None
    except encoding.DecodeError as error:
        raise ReceiptError(f"What this proof has in its extra line is no record of an isle: {error}.") from error
    if type(value) is not list or len(value) != 6:
        raise ReceiptError("What this proof has in its extra line is no record of an isle.")
    flag, logged, raw, annex, chain, cosigners = value
    if flag not in (0, 1) or type(flag) is not int or type(logged) is not int or not 0 <= logged < 2**32:
        raise ReceiptError("A receipt begins with the flag and the time of its entry.")
    if type(raw) is not bytes or (annex is not None and type(annex) is not bytes):
        raise ReceiptError("A receipt holds a record and its annex, or null.")
    if not _is_chain(chain) or type(cosigners) is not list or not all(_is_chain(each) for each in cosigners):
        raise ReceiptError("A receipt holds key chains as arrays of records.")
    if len(cosigners) > MAX_COSIGNERS:
        raise ReceiptError(f"A receipt holds the key chains of at most {MAX_COSIGNERS} cosigners.")
    bare = TlogProof(proof.index, proof.hashes, proof.note)
    return Receipt(flag, logged, raw, annex, tuple(chain), tuple(map(tuple, cosigners)), bare)


def check(text: Text) -> Checked:
    """What a receipt proves, with nothing but its own bytes to go by; ReceiptError says what does not hold."""
    receipt = parse(text)
    try:
        chain = keychain.check(receipt.chain)
    except KeyChainError as error:
        raise ReceiptError(f"The key chain in the receipt does not hold: {error}.") from error
    head, epoch = _head(receipt, chain)
    digest = sha256(receipt.raw).digest()
    leaf = Entry(receipt.flag, receipt.logged, digest).leaf_hash()
    try:
        check_inclusion(receipt.proof.index, head.size, leaf, receipt.proof.hashes, head.root)
    except ProofError as error:
        raise ReceiptError(f"The record is not where the receipt says: {error}.") from error
    _check_continued(chain, epoch, head)
    read = _record(receipt, chain.space, digest)
    if (read.audience != record.PUBLIC) != bool(receipt.flag):
        raise ReceiptError("The record's entry says another audience than the record, so it has no effect.")
    words = _words(receipt, read)
    cosigners, unverified = _cosigners(receipt, chain.space)
    return Checked(
        chain.space, chain.name, epoch, receipt.proof.index, head.size, head.root, receipt.logged * MINUTE_MS, digest,
        read.kind, read.author, read.at_ms, read.audience, read.body, words, cosigners, unverified,
    )  # fmt: skip


def _head(receipt: Receipt, chain: KeyChain) -> tuple[Checkpoint, int]:
    try:
        said = parse_checkpoint(receipt.proof.note.text)
        space, epoch = keychain.parse_origin(said.origin)
        if space != chain.space:
            raise ReceiptError("The head in the receipt is of another space than its key chain.")
        if epoch >= len(chain.epochs):
            raise ReceiptError("The head in the receipt is of an epoch that its key chain does not reach.")
        public = chain.epochs[epoch].keys.log
        return check_checkpoint(receipt.proof.note, keychain.origin(space, epoch), public), epoch
    except (NoteError, KeyChainError) as error:
        raise ReceiptError(f"The head in the receipt is not signed by the space's log key: {error}.") from error


def _check_continued(chain: KeyChain, epoch: int, head: Checkpoint) -> None:
    """Keys that were replaced may be in other hands: of what they signed, only the head that the chain names counts."""
    if epoch == chain.current.number:
        return
    later = chain.epochs[epoch + 1]
    if (head.size, head.root) != (later.size, later.head):
        raise ReceiptError("The head was signed by keys that the space has replaced. Ask for a receipt under its newest head.")


def _record(receipt: Receipt, space: bytes, digest: bytes) -> record.Record:
    try:
        return record.open(receipt.raw, b"" if digest == space else space)
    except record.RecordError as error:
        raise ReceiptError(f"The record in the receipt does not hold: {error}") from error


def _words(receipt: Receipt, read: record.Record) -> dict[str, str]:
    if receipt.annex is None:
        return {}
    if sha256(receipt.annex).digest() != read.annex_hash:
        raise ReceiptError("The words beside the record are not those that it names.")
    return record.words_of(receipt.annex, read.annex_hash)


def _cosigners(receipt: Receipt, own: bytes) -> tuple[tuple[Cosigner, ...], tuple[str, ...]]:
    """(cosignatures verified, names of those that were not)."""
    note, found, known = receipt.proof.note, [], set()
    for records in receipt.cosigners:
        try:
            chain = keychain.check(records)
        except KeyChainError as error:
            raise ReceiptError(f"The key chain of a cosigner in the receipt does not hold: {error}.") from error
        for role in ROLES:
            cosigned = _cosigned(note, chain, role)
            if cosigned is not None:
                known.add(_name(chain.space, role))
                found.append(Cosigner(chain.space, chain.name, role, cosigned))
    counted = tuple(sorted({each for each in found if each.space != own}, key=lambda each: (each.space, each.role)))
    origin = parse_checkpoint(note.text).origin
    return counted, tuple(sorted({line.name for line in note.signatures} - known - {origin}))


def _cosigned(note: Note, chain: KeyChain, role: str) -> int | None:
    """When a space cosigned in a role, by the key of any of its epochs; ReceiptError if a line of it is not genuine."""
    name = _name(chain.space, role)
    times = []
    try:
        for epoch in chain.epochs:
            public = epoch.keys.witness if role == "witness" else epoch.keys.mirror
            if lines_of(note, VerifierKey(name, public, COSIGNATURE)):
                times.append(cosigned_s(note, name, public))
    except NoteError as error:
        raise ReceiptError(f"A cosignature in the receipt is not genuine: {error}.") from error
    return max((each for each in times if each is not None), default=None)


def _name(space: bytes, role: str) -> str:
    return f"{keychain.origin(space, 0)}/{role}"


def _is_chain(value: object) -> bool:
    return type(value) is list and 1 <= len(value) <= keychain.MAX_ROTATIONS + 1 and all(type(each) is bytes for each in value)


def _extra(receipt: Receipt) -> bytes:
    cosigners = [list(each) for each in receipt.cosigners]
    return encoding.encode([receipt.flag, receipt.logged, receipt.raw, receipt.annex, list(receipt.chain), cosigners])
