"""Proofs of inclusion as text: one form each, and nothing changed passes."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import note, tlogproof, tree
from protocol.keys import SigningKey
from protocol.note import Checkpoint, Note, NoteError
from protocol.tlogproof import TlogProof
from protocol.tree import Edge, EdgeReader, NoTiles, ProofError
from tests.protocol import c2sp_checker as plain

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "protocol" / "note.md"
LOG, WITNESS = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)
ORIGIN, WITNESS_NAME = "isle/example", "isle/neighbour/witness"
ENTRIES = [b"entry %d" % n for n in range(100)]
LEAVES = [plain.leaf(entry) for entry in ENTRIES]


def made(index: int = 73, size: int = 100, extra: bytes = b"extra") -> TlogProof:
    edge, _ = tree.grow(Edge.empty(), LEAVES[:size])
    head = note.sign(Checkpoint(ORIGIN, size, edge.root()), ORIGIN, LOG)
    hashes = tree.prove_inclusion(index, size, EdgeReader(edge, NoTiles()))
    return tlogproof.tlog_proof(index, hashes, head, extra)


def test_a_proof_is_checked_with_nothing_but_the_entry_and_the_logs_key() -> None:
    parsed = tlogproof.parse_tlog_proof(tlogproof.format_tlog_proof(made()))
    head = tlogproof.check_tlog_proof(parsed, LEAVES[73], ORIGIN, LOG.public)
    assert head == Checkpoint(ORIGIN, 100, plain.mth(LEAVES))
    assert parsed.extra == b"extra"


def test_the_text_has_the_lines_of_the_specification() -> None:
    one = made(2, 4)
    assert tlogproof.format_tlog_proof(one).split("\n")[:6] == [
        "c2sp.org/tlog-proof@v1",
        "extra ZXh0cmE=",
        "index 2",
        base64.b64encode(LEAVES[3]).decode(),
        base64.b64encode(plain.mth(LEAVES[:2])).decode(),
        "",
    ]
    assert tlogproof.format_tlog_proof(one).endswith("\n\n" + note.format_note(one.note))


def test_cosignatures_travel_with_the_proof() -> None:
    one = made()
    line = note.cosign(WITNESS, WITNESS_NAME, one.note.text, 1_790_000_000)
    cosigned = TlogProof(one.index, one.hashes, one.note.add([line]), one.extra)
    parsed = tlogproof.parse_tlog_proof(tlogproof.format_tlog_proof(cosigned))
    tlogproof.check_tlog_proof(parsed, LEAVES[73], ORIGIN, LOG.public)
    assert note.cosigned_s(parsed.note, WITNESS_NAME, WITNESS.public) == 1_790_000_000


@given(
    st.integers(0, 2**53 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
    st.binary(max_size=200),
)
def test_a_proof_parses_to_what_was_formatted(index: int, hashes: tuple[bytes, ...], extra: bytes) -> None:
    one = TlogProof(index, hashes, made(0, 1).note, extra)
    text = tlogproof.format_tlog_proof(one)
    assert tlogproof.parse_tlog_proof(text) == one
    assert tlogproof.parse_tlog_proof(text.encode()) == one


def test_a_proof_in_a_tree_of_one_has_no_hash_lines() -> None:
    one = made(0, 1, b"")
    assert tlogproof.format_tlog_proof(one).startswith("c2sp.org/tlog-proof@v1\nindex 0\n\nisle/example\n1\n")
    tlogproof.check_tlog_proof(one, LEAVES[0], ORIGIN, LOG.public)


def test_every_changed_bit_of_a_proof_is_refused_but_those_of_its_extra_data() -> None:
    sound = made(5, 7)
    data = tlogproof.format_tlog_proof(sound).encode()
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        try:
            other = tlogproof.parse_tlog_proof(bytes(changed))
            tlogproof.check_tlog_proof(other, LEAVES[5], ORIGIN, LOG.public)
        except (NoteError, ProofError):
            continue
        assert TlogProof(other.index, other.hashes, other.note, sound.extra) == sound
        assert other.extra != sound.extra


def test_a_proof_of_another_leaf_log_or_key_is_refused() -> None:
    one = made()
    with pytest.raises(ProofError):
        tlogproof.check_tlog_proof(one, LEAVES[74], ORIGIN, LOG.public)
    with pytest.raises(ProofError):
        tlogproof.check_tlog_proof(TlogProof(74, one.hashes, one.note), LEAVES[73], ORIGIN, LOG.public)
    with pytest.raises(NoteError):
        tlogproof.check_tlog_proof(one, LEAVES[73], "isle/another", LOG.public)
    with pytest.raises(NoteError):
        tlogproof.check_tlog_proof(one, LEAVES[73], ORIGIN, WITNESS.public)


SOUND = tlogproof.format_tlog_proof(made(5, 7))


@pytest.mark.parametrize(
    "data",
    [
        "",
        SOUND[1:],
        "\n" + SOUND,
        SOUND[:-1],
        SOUND + "\n",
        SOUND.replace("@v1", "@v2"),
        SOUND.replace("\n", "\r\n"),
        SOUND.replace("extra ZXh0cmE=\n", "extra \n"),
        SOUND.replace("extra ZXh0cmE=\n", "extra\n"),
        SOUND.replace("extra ZXh0cmE=\n", "extra ZXh0cmE=\nextra ZXh0cmE=\n"),
        SOUND.replace("extra ZXh0cmE=\n", "extra ZXh0cmF=\n"),
        SOUND.replace("extra ZXh0cmE=\n", "extra  ZXh0cmE=\n"),
        SOUND.replace("extra ZXh0cmE=\nindex 5\n", "index 5\nextra ZXh0cmE=\n"),
        SOUND.replace("index 5\n", ""),
        SOUND.replace("index 5", "index 05"),
        SOUND.replace("index 5", "index  5"),
        SOUND.replace("index 5", "index -5"),
        SOUND.replace("index 5", "index \u0665"),
        SOUND.replace("index 5", "index 9007199254740992"),
        SOUND.replace("index 5\n", "index 5\n\n"),
        SOUND.replace("index 5\n", "index 5\nAAAA\n"),
        SOUND.replace("index 5\n", "index 5\n" + base64.b64encode(bytes(32)).decode() + " \n"),
        SOUND.replace("index 5\n", "index 5\n" + (base64.b64encode(bytes(32)).decode() + "\n") * 64),
        SOUND.replace("\n\nisle", "\nisle"),
        SOUND.replace("\n\nisle", "\n\n\nisle"),
        SOUND.replace("\n7\n", "\nseven\n"),
        SOUND.encode() + b"\xff",
        SOUND + "\ud800",
        "c2sp.org/tlog-proof@v1\n\n\n",
        "c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\n\n",
    ],
)
def test_what_is_no_proof_is_refused(data: str | bytes) -> None:
    with pytest.raises(NoteError):
        tlogproof.parse_tlog_proof(data)


def test_a_proof_is_refused_beyond_its_limits() -> None:
    one = made(5, 7)
    for index, hashes in ((-1, ()), (2**53, ()), (0, (b"",)), (0, (bytes(32),) * 64)):
        with pytest.raises(NoteError):
            TlogProof(index, hashes, one.note)
    with pytest.raises(NoteError):
        TlogProof(0, (), Note("no checkpoint\n", one.note.signatures))
    with pytest.raises(NoteError, match="more than 1048576"):
        tlogproof.format_tlog_proof(TlogProof(0, (), one.note, bytes(800_000)))
    with pytest.raises(NoteError, match="at most 1048576"):
        tlogproof.parse_tlog_proof(SOUND + "x" * 2**20)


def test_the_worked_example_on_the_page_is_a_proof_that_holds() -> None:
    page = PAGE.read_text(encoding="utf-8")
    edge, _ = tree.grow(Edge.empty(), [plain.leaf(b"one"), plain.leaf(b"two")])
    hashes = tree.prove_inclusion(1, 2, EdgeReader(edge, NoTiles()))
    one = tlogproof.tlog_proof(1, hashes, note.sign(Checkpoint(ORIGIN, 2, edge.root()), ORIGIN, LOG), b"extra")
    tlogproof.check_tlog_proof(one, plain.leaf(b"two"), ORIGIN, LOG.public)
    assert f"```text\n{tlogproof.format_tlog_proof(one)}```" in page
    assert f"{tlogproof.MAX_TLOG_PROOF_BYTES:,}" in page
