"""The strict encoding: what it takes, what it refuses, and how quickly it refuses what was made to hurt."""

from __future__ import annotations

import gc
import json
import random
import time
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import encoding
from protocol.encoding import MAX_DEPTH, MAX_INTEGER, DecodeError, EncodeError, decode, encode
from tests.protocol import second_decoder

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-MAX_INTEGER, MAX_INTEGER),
    st.text(max_size=40),
    st.binary(max_size=40),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(st.text(max_size=30), inner, max_size=6),
    ),
    max_leaves=30,
)


def subset(value: Any) -> bool:
    """Whether a decoded value of the outside vectors is one that our subset has."""
    if isinstance(value, float):
        return False
    if isinstance(value, dict):
        return all(isinstance(key, str) and subset(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(subset, value))
    return not isinstance(value, int) or abs(value) <= MAX_INTEGER


def test_outside_vectors_are_taken_exactly_where_the_subset_has_them(vectors: Path) -> None:
    cases = json.loads((vectors / "cbor" / "appendix_a.json").read_text())
    assert len(cases) == 82
    taken = 0
    for case in cases:
        data = bytes.fromhex(case["hex"])
        first = data[0] >> 5
        wanted = case["roundtrip"] and first != 6 and "decoded" in case and subset(case["decoded"])
        if first == 5 and isinstance(case.get("decoded"), dict) and not all(isinstance(k, str) for k in cbor2.loads(data)):
            wanted = False  # JSON cannot say that a key was an integer
        if wanted:
            assert decode(data) == case["decoded"]
            assert encode(case["decoded"]) == data
            assert second_decoder.decode(data) == case["decoded"]
            taken += 1
        elif "decoded" not in case and case["hex"] in ("40", "4401020304"):
            assert encode(decode(data)) == data  # byte strings, which JSON cannot say
            taken += 1
        else:
            with pytest.raises(DecodeError):
                decode(data)
            with pytest.raises(second_decoder.Wrong):
                second_decoder.decode(data)
    assert taken > 30


@given(VALUES)
def test_every_value_comes_back_from_its_bytes_and_the_second_decoder_agrees(value: Any) -> None:
    data = encode(value)
    assert decode(data) == value
    assert second_decoder.decode(data) == value


@given(st.dictionaries(st.text(max_size=40), st.integers(0, 5), max_size=8), st.randoms(use_true_random=False))
def test_the_order_in_which_a_map_was_filled_does_not_matter(value: dict[str, int], shuffle: random.Random) -> None:
    items = list(value.items())
    shuffle.shuffle(items)
    assert encode(dict(items)) == encode(value)


def seeds() -> list[bytes]:
    values: list[Any] = [
        {"a": 1, "bb": [True, None, b"x" * 40], "ccc": {"d": "é" * 20}},
        ["ledger.booked/1", 1_772_000_000_000, 0, {"postings": [{"amount": -1250, "account": "a:b"}]}, b"h" * 32, b""],
        [[], {}, "", b"", 0, -1, 23, 24, 255, 256, 65_535, 65_536, 2**32, MAX_INTEGER, -MAX_INTEGER],
        [[[[[[[["deep"]]]]]]]],
    ]
    return [encode(value) for value in values]


def mutate(chance: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(out)) if out else 0
        match chance.randrange(5):
            case 0 if out:
                out[at] ^= 1 << chance.randrange(8)
            case 1 if out:
                out[at] = chance.choice((0x18, 0x1B, 0x3B, 0x5F, 0x80, 0x9F, 0xA1, 0xC1, 0xD8, 0xF7, 0xF9, 0xFB, 0xFF))
            case 2:
                out.insert(at, chance.randrange(256))
            case 3 if out:
                del out[at]
            case _:
                out += chance.randbytes(chance.randint(1, 9))
    return bytes(out)


def test_of_20_000_mutated_encodings_only_those_are_taken_that_encode_back_to_the_same_bytes() -> None:
    chance, pool, taken = random.Random(20_000), seeds(), 0
    for _ in range(20_000):
        data = mutate(chance, chance.choice(pool))
        try:
            value = decode(data)
        except DecodeError:
            with pytest.raises(second_decoder.Wrong):
                second_decoder.decode(data)
            continue
        taken += 1
        assert encode(value) == data
        assert second_decoder.decode(data) == value
    assert 500 < taken < 15_000  # neither blind nor deaf


def shared_references(levels: int = 26) -> bytes:
    """Each list holds the one before it twice, by reference: small here, huge when written out."""
    data = b"\xd8\x1c\x80"
    for level in range(levels):
        data = (
            b"\xd8\x1c\x82"
            + data
            + b"\xd8\x1d"
            + (bytes([levels - level]) if levels - level < 24 else b"\x18" + bytes([levels - level]))
        )
    return data


def colliding_keys(count: int) -> bytes:
    """A map of integers that a hash table puts into one place: multiples of 2^61 − 1."""
    pairs = b"".join(b"\xc2\x4a" + ((2**61 - 1) * n).to_bytes(10, "big") + b"\x00" for n in range(1, count + 1))
    return b"\xb9" + count.to_bytes(2, "big") + pairs


BOMBS = {
    "shared references": shared_references(),
    "colliding keys": colliding_keys(4_500),
    "small colliding keys": b"\xb9\x0f\xa0" + b"".join(b"\x1b" + (n << 48).to_bytes(8, "big") + b"\x00" for n in range(4_000)),
    "nested arrays": b"\x81" * 65_000 + b"\x00",
    "nested maps": b"\xa1\x61a" * 20_000 + b"\x00",
    "an array said to be huge": b"\x9b\x00\x1f\xff\xff\xff\xff\xff\xff",
    "a map said to be huge": b"\xbb\x00\x0f\xff\xff\xff\xff\xff\xff",
    "bytes said to be huge": b"\x5b\x00\x1f\xff\xff\xff\xff\xff\xff",
    "text said to be 4 GiB": b"\x7a\xff\xff\xff\xff",
    "nested indefinite arrays": b"\x9f" * 60_000,
    "a bignum": b"\xc2\x59\xff\x00" + b"\xff" * 0xFF00,
    "a decimal fraction with a huge exponent": b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
    "a bigfloat with a huge exponent": b"\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
    "a regular expression": b"\xd8\x23\x78\x1e" + b"((((((a{999}){999}){999}){999}" .ljust(30, b")"),
    "tags within tags": b"\xc1" * 60_000 + b"\x00",
    "thousands of empty arrays": b"\x99\xff\x00" + b"\x80" * 0xFEFF,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_was_made_to_hurt_is_refused_within_milliseconds(name: str) -> None:
    best = 1.0
    gc.disable()  # its work depends on what else is in memory, not on these bytes
    try:
        for _ in range(3):
            before = time.thread_time()
            with pytest.raises(DecodeError):
                decode(BOMBS[name])
            best = min(best, time.thread_time() - before)
    finally:
        gc.enable()
    assert best < 0.05


def test_the_largest_value_that_is_allowed_is_read_within_milliseconds() -> None:
    data = b"\x99\xff\x00" + b"\x80" * 0xFF00
    before = time.thread_time()
    assert len(decode(data)) == 0xFF00  # type: ignore[arg-type]  # a list
    assert time.thread_time() - before < 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "cut short|not CBOR"),
        ("0000", "canonical|after"),
        ("1800", "canonical"),
        ("190017", "canonical"),
        ("1b0020000000000000", "53 bits"),
        ("3b001fffffffffffff", "53 bits"),
        ("3b0020000000000000", "53 bits"),
        ("5800", "canonical"),
        ("9800", "canonical"),
        ("a2616201616101", "canonical"),
        ("a2616101616102", "not CBOR|canonical"),
        ("a2626161016162 02".replace(" ", ""), "canonical"),
        ("a10101", "must be a text"),
        ("a1416101", "not text"),
        ("81a1f601", "must be a text"),
        ("a180f6", "must be a text"),
        ("61ff", "not CBOR"),
        ("62c328", "not CBOR"),
        ("63eda080", "not CBOR"),
        ("f7", "simple"),
        ("e0", "simple"),
        ("f8ff", "simple"),
        ("f93c00", "float"),
        ("fb3ff0000000000000", "float"),
        ("c000", "a tag"),
        ("d81c00", "a tag"),
        ("d9ffff00", "a tag"),
        ("da0001000000", "a tag"),
        ("5f4101ff", "indefinite"),
        ("bfff", "indefinite"),
        ("1c", "unknown unsigned"),
        ("ff", "break code"),
    ],
)
def test_what_is_outside_the_subset_is_refused_with_its_reason(data: str, why: str) -> None:
    with pytest.raises(DecodeError, match=why):
        decode(bytes.fromhex(data))
    with pytest.raises(second_decoder.Wrong):
        second_decoder.decode(bytes.fromhex(data))


def test_depth_and_size_are_held_on_both_ways() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert decode(encode(deep)) == deep
    assert second_decoder.decode(encode(deep)) == deep
    with pytest.raises(EncodeError, match="deeply"):
        encode([deep])
    for head in (b"\x81", b"\xa1\x61a"):
        with pytest.raises(DecodeError, match="nesting depth"):
            decode(head + encode(deep))
        with pytest.raises(second_decoder.Wrong):
            second_decoder.decode(head + encode(deep))
    with pytest.raises(DecodeError, match="at most 10 are allowed"):
        decode(encode("0123456789"), limit=10)
    assert decode(encode("012345678"), limit=10) == "012345678"


@pytest.mark.parametrize(
    "value", [1.0, 2**53, -(2**53), {1: 2}, {b"a": 1}, {None: 1}, object(), {1, 2}, [float("nan")], {"a": {3: 4}}, "\ud800"]
)
def test_a_value_without_an_encoding_is_refused(value: object) -> None:
    with pytest.raises(EncodeError):
        encode(value)


@given(st.lists(VALUES, max_size=6))
def test_a_sequence_comes_back_and_takes_nothing_more_or_less(values: list[Any]) -> None:
    data = b"".join(map(encode, values))
    assert encoding.decode_sequence(data, len(values), limit=65_536) == values
    assert second_decoder.decode_sequence(data) == values
    for count in (len(values) + 1, len(values) - 1):
        with pytest.raises(DecodeError):
            encoding.decode_sequence(data, count, limit=65_536)
