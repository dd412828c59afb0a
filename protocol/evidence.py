"""Evidence that a space signed two histories: one file that anyone can verify offline.

It is two heads of one log and one epoch, each signed by the log key of that epoch, which cannot both be:

- of one size, with different roots; or
- of two sizes, with a consistency proof (RFC 9162 section 2.1.4) that *verifies* to the root of the larger and starts
  from another root at the smaller size than the one that was signed for it.

A proof that does not verify convicts nobody: it is the fault of whoever served it. The file is one array in the strict
encoding of `protocol.encoding`::

    ["archipelago/fork/1", [key chain records], smaller head, larger head, other root, [proof hashes]]

The heads are signed notes as text. Of two heads of one size the other root is null and the proof empty, and that with
the smaller root comes first, so one fork has one file.

    EvidenceError: a file that convicts nobody, and why

Source: c2sp.org/tlog-checkpoint; docs/reference/protocol/evidence.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from protocol import encoding, keychain
from protocol.keychain import KeyChain, KeyChainError
from protocol.note import Checkpoint, NoteError, check_checkpoint, parse_checkpoint, parse_note
from protocol.tree import HASH_BYTES, MAX_PROOF, ProofError, check_consistency

FORM = "archipelago/fork/1"
MAX_EVIDENCE = 1024 * 1024


class EvidenceError(Exception):
    """What does not prove that a space signed two histories."""


class Fork(Struct, frozen=True):
    """A proved fork: which log, in which epoch, and the two heads that cannot both be."""

    space: bytes
    name: str
    epoch: int
    sizes: tuple[int, int]
    roots: tuple[bytes, bytes]  # as signed
    other_root: bytes | None  # what the larger head's own history has at the smaller size

    def __str__(self) -> str:
        small, large = self.sizes
        who = f"{self.name} ({keychain.space_name(self.space)}), epoch {self.epoch},"
        if small == large:
            return f"{who} signed two different histories of {small} entries."
        return f"{who} signed a history of {large} entries that does not contain the one of {small} that it signed too."


def make(chain: KeyChain, one: str, other: str, proof: Sequence[bytes] = (), root: bytes = b"") -> bytes:
    """The file for two signed heads; `root` is that at the smaller size from which `proof` leads to the larger.

    Neither is needed for heads of one size. EvidenceError if they convict nobody.
    """
    first, second = _unchecked(one), _unchecked(other)
    if (first.size, first.root) > (second.size, second.root):
        one, other = other, one
    between = None if first.size == second.size else root
    value = [FORM, list(chain.records), one, other, between, list(proof) if between is not None else []]
    data = encoding.encode(value)
    check(data)
    return data


def is_evidence(data: bytes) -> bool:
    """Whether a file says that it is evidence (it need not be any)."""
    return data.startswith(b"\x86" + encoding.encode(FORM))


def check(data: bytes) -> Fork:
    """The fork that this file proves; EvidenceError if it proves none."""
    records, one, other, between, proof = _read(data)
    try:
        chain = keychain.check(records)
    except KeyChainError as error:
        raise EvidenceError(f"The key chain in the file does not hold: {error}.") from error
    small, epoch = _head(chain, one)
    large, same = _head(chain, other)
    if epoch != same:
        raise EvidenceError("The two heads are of different epochs: one can follow the other.")
    if small.size == large.size:
        if small.root == large.root:
            raise EvidenceError("The two heads are the same.")
        if between is not None or proof or small.root > large.root:
            raise EvidenceError("Two heads of one size need no proof, and stand in the order of their roots.")
    else:
        _check_proof(small, large, between, proof)
    return Fork(chain.space, chain.name, epoch, (small.size, large.size), (small.root, large.root), between)


def _check_proof(small: Checkpoint, large: Checkpoint, between: bytes | None, proof: Sequence[bytes]) -> None:
    if small.size > large.size or between is None:
        raise EvidenceError("Two heads of different sizes stand in their order, with the root between them.")
    try:
        check_consistency(small.size, large.size, between, large.root, proof)
    except ProofError as error:
        raise EvidenceError(
            f"The proof between the heads does not verify ({error}): that is the fault of who served it, and no evidence."
        ) from error
    if between == small.root:
        raise EvidenceError("The larger head goes on from the smaller one: there is no fork.")


def _head(chain: KeyChain, text: str) -> tuple[Checkpoint, int]:
    try:
        note = parse_note(text)
        space, epoch = keychain.parse_origin(parse_checkpoint(note.text).origin)
        if space != chain.space or epoch >= len(chain.epochs):
            raise EvidenceError("A head is not of the log that the key chain is of.")
        return check_checkpoint(note, keychain.origin(space, epoch), chain.epochs[epoch].keys.log), epoch
    except (NoteError, KeyChainError) as error:
        raise EvidenceError(f"A head in the file is not signed by the log's key: {error}.") from error


def _unchecked(text: str) -> Checkpoint:
    try:
        return parse_checkpoint(parse_note(text).text)
    except NoteError as error:
        raise EvidenceError(f"What was kept as a head is none: {error}.") from error


def _read(data: bytes) -> tuple[list[bytes], str, str, bytes | None, list[bytes]]:
    try:
        value = encoding.decode(data, limit=MAX_EVIDENCE)
    except encoding.DecodeError as error:
        raise EvidenceError(f"The file is not evidence: {error}.") from error
    if type(value) is not list or len(value) != 6 or value[0] != FORM:
        raise EvidenceError("The file is not evidence of this version.")
    _, records, one, other, between, proof = value
    if type(records) is not list or not all(type(each) is bytes for each in records):
        raise EvidenceError("The file has no key chain where it belongs.")
    if type(one) is not str or type(other) is not str:
        raise EvidenceError("The file has no heads where they belong.")
    if between is not None and (type(between) is not bytes or len(between) != HASH_BYTES):
        raise EvidenceError("The root between the heads has 32 bytes.")
    if type(proof) is not list or len(proof) > MAX_PROOF or not all(type(each) is bytes for each in proof):
        raise EvidenceError("The file has no proof where it belongs.")
    return records, one, other, between, proof
