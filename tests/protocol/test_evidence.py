"""Evidence of a fork: it convicts who signed two histories, and nobody else."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from protocol import encoding, evidence
from protocol.evidence import EvidenceError
from protocol.tree import Edge, EdgeReader, NoTiles, grow, leaf_hash, prove_consistency, root_at
from tests.federation.isle import Isle, head
from tests.protocol import second_decoder


def reader(leaves: int, word: str) -> EdgeReader:
    """A tree of at most 255 leaves."""
    edge, _ = grow(Edge.empty(), [leaf_hash(f"{word} {n}".encode()) for n in range(leaves)])
    return EdgeReader(edge, NoTiles())


ISLE = Isle("Forked House")
OURS, THEIRS = reader(40, "ours"), reader(60, "theirs")


def two_sizes(small: int = 40, large: int = 60) -> tuple[str, str, list[bytes], bytes]:
    """A head of our history, a larger one of theirs, the proof within theirs, and their root at the smaller size."""
    one, other = head(ISLE, small, root_at(small, OURS)), head(ISLE, large, root_at(large, THEIRS))
    return one, other, prove_consistency(small, large, THEIRS), root_at(small, THEIRS)


def test_two_heads_of_one_size_with_different_roots_convict_in_whichever_order_they_came() -> None:
    one, other = head(ISLE, 40, OURS.edge.root()), head(ISLE, 40, root_at(40, THEIRS))
    file = evidence.make(ISLE.chain, one, other)
    assert file == evidence.make(ISLE.chain, other, one)
    fork = evidence.check(file)
    assert (fork.space, fork.epoch, fork.sizes) == (ISLE.space, 0, (40, 40))
    assert set(fork.roots) == {OURS.edge.root(), root_at(40, THEIRS)}
    assert evidence.is_evidence(file)
    assert "two different histories of 40" in str(fork)
    assert second_decoder.check_fork(file) == (ISLE.space, 0, (40, 40))


@pytest.mark.parametrize(("small", "large"), [(40, 60), (32, 60), (1, 2), (7, 60), (32, 33)])
def test_a_proof_that_verifies_to_another_root_at_the_smaller_size_convicts(small: int, large: int) -> None:
    one, other, proof, root = two_sizes(small, large)
    file = evidence.make(ISLE.chain, other, one, proof, root)
    assert evidence.check(file).sizes == (small, large)
    assert evidence.check(file).other_root == root
    assert second_decoder.check_fork(file) == (ISLE.space, 0, (small, large))


def test_a_proof_that_does_not_verify_convicts_nobody() -> None:
    one, other, proof, root = two_sizes()
    for spoiled in (proof[:-1], [*proof, bytes(32)], [sha256(each).digest() for each in proof], []):
        with pytest.raises(EvidenceError, match="no evidence"):
            evidence.make(ISLE.chain, one, other, spoiled, root)
    with pytest.raises(EvidenceError, match="no evidence"):
        evidence.make(ISLE.chain, one, other, proof, sha256(root).digest())


def test_two_heads_of_one_history_convict_nobody() -> None:
    one, other = head(ISLE, 30, root_at(30, OURS)), head(ISLE, 40, root_at(40, OURS))
    with pytest.raises(EvidenceError, match="no fork"):
        evidence.make(ISLE.chain, one, other, prove_consistency(30, 40, OURS), root_at(30, OURS))
    with pytest.raises(EvidenceError, match="the same"):
        evidence.make(ISLE.chain, one, one)


def test_heads_that_the_log_did_not_sign_convict_nobody() -> None:
    other = Isle("Other House")
    one = head(ISLE, 40, OURS.edge.root())
    with pytest.raises(EvidenceError, match="not of the log"):
        evidence.make(ISLE.chain, one, head(other, 40, root_at(40, THEIRS)))
    forged = head(ISLE, 40, root_at(40, THEIRS)).rsplit(" ", 1)[0]
    with pytest.raises(EvidenceError, match="signed"):
        evidence.make(ISLE.chain, one, forged + " " + one.rsplit(" ", 1)[1])
    with pytest.raises(EvidenceError, match="is none"):
        evidence.make(ISLE.chain, one, "nothing")


def test_heads_of_two_epochs_convict_nobody() -> None:
    isle = Isle("Turning House")
    one = head(isle, 40, OURS.edge.root())
    chain = isle.rotate(30, root_at(30, OURS), "turned")
    with pytest.raises(EvidenceError, match="different epochs"):
        evidence.make(chain, one, head(isle, 40, root_at(40, THEIRS)))


def changed(file: bytes, at: int, value: Any) -> bytes:
    parts = list(encoding.decode(file, limit=evidence.MAX_EVIDENCE))  # type: ignore[arg-type]  # an array
    parts[at] = value
    return encoding.encode(parts)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, "archipelago/fork/2"),
        (1, []),
        (1, [b"x"]),
        (1, "x"),
        (2, 5),
        (3, b""),
        (4, b"short"),
        (4, None),
        (5, [1]),
        (5, None),
    ],
)
def test_a_file_in_another_form_is_refused_with_a_sentence(at: int, value: Any) -> None:
    file = evidence.make(ISLE.chain, *two_sizes())
    with pytest.raises(EvidenceError, match=r"\w+ \w+ \w+"):
        evidence.check(changed(file, at, value))
    with pytest.raises((second_decoder.Wrong, AssertionError)):
        second_decoder.check_fork(changed(file, at, value))


def test_no_changed_bit_of_a_file_still_convicts_otherwise() -> None:
    file = evidence.make(ISLE.chain, *two_sizes())
    before = evidence.check(file)
    for at in range(0, len(file) * 8, 7):
        bits = bytearray(file)
        bits[at // 8] ^= 1 << at % 8
        try:
            assert evidence.check(bytes(bits)) == before
        except EvidenceError:
            continue
