"""Keys: one verifier with one verdict, and keys derived as RFC 5869 says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.keys import PURPOSES, NodeKeys, SigningKey, derive, derive_bytes, valid_point, verify
from tests.protocol import second_decoder

ORDER = 2**252 + 27_742_317_777_372_353_535_851_937_790_883_648_493

# Every encoding of a point whose order divides 8 (RFC 8032 section 5.1.3 reads y modulo p, so some have two).
SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


def test_outside_vectors_get_the_verdicts_they_ask_for(vectors: Path) -> None:
    groups = json.loads((vectors / "wycheproof" / "ed25519_test.json").read_text())["testGroups"]
    seen = []
    for group in groups:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            assert verify(public, message, signature) == (case["result"] == "valid"), case
            assert second_decoder.genuine(public, message, signature) == (case["result"] == "valid"), case
            seen.append(case["result"])
    assert (len(seen), seen.count("valid")) == (151, 88)


@pytest.mark.parametrize("public", SMALL_ORDER)
def test_a_key_that_would_accept_signatures_made_without_it_is_no_key(public: str) -> None:
    key = bytes.fromhex(public)
    assert not valid_point(key)
    for point in SMALL_ORDER:
        assert not verify(key, b"anything", bytes.fromhex(point) + bytes(32))


def test_a_key_with_a_part_of_small_order_is_no_key() -> None:
    mixed = bytes.fromhex("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d")
    assert not valid_point(mixed)
    assert not valid_point(b"\xff" * 32)
    assert not valid_point(bytes(31))
    assert not valid_point(bytes(33))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_a_signature_holds_for_its_message_and_for_no_other_bit_of_it(seed: bytes, message: bytes, bit: int) -> None:
    key = SigningKey(seed)
    signature = key.sign(message)
    assert verify(key.public, message, signature)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not verify(key.public, message, bytes(flipped))
    assert not verify(key.public, message + b"\x00", signature)
    assert not verify(key.public, message, signature + b"\x00")
    assert not verify(key.public, message, signature[:63])


def test_a_signature_has_one_form_only() -> None:
    key = SigningKey(b"s" * 32)
    signature = key.sign(b"m")
    other = int.from_bytes(signature[32:], "little") + ORDER
    assert other < 2**256
    assert not verify(key.public, b"m", signature[:32] + other.to_bytes(32, "little"))


def test_derived_bytes_are_those_of_rfc_5869() -> None:
    """RFC 5869 appendix A.3: SHA-256, no salt, no info."""
    wanted = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    assert derive_bytes(b"\x0b" * 22, "", 42).hex() == wanted


def test_each_purpose_has_a_key_of_its_own_and_the_second_decoder_derives_the_same() -> None:
    seed = bytes(range(32))
    keys = NodeKeys.derive(seed)
    public = [getattr(keys.public, purpose) for purpose in PURPOSES]
    assert len({*public, SigningKey(seed).public}) == 5
    for purpose, each in zip(PURPOSES, public, strict=True):
        assert derive(seed, purpose).public == each
        assert SigningKey(second_decoder.hkdf(seed, f"archipelago/key/{purpose}")).public == each


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(bytes(size))


def test_a_key_never_shows_its_secret() -> None:
    key = SigningKey(b"\x77" * 32)
    assert "7777" not in repr(key)
    assert "7777" not in repr(NodeKeys(key, key, key, key))
