"""Envelopes: what is signed is bound to sender, receiver, verb and direction, and nothing else passes."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import VerifyKey

from federation import envelope
from federation.envelope import ANSWER, REQUEST, EnvelopeError, Said, Stale, TooLarge
from protocol.keys import SigningKey

KEY, OTHER = SigningKey(bytes(32)), SigningKey(bytes([7] * 32))
A, B, C = (sha256(name).digest() for name in (b"a", b"b", b"c"))
NOW = 1_800_000_000_000
SAID = Said(NOW, b"12345678", [b"x" * 16, b"y" * 16])


def sealed(verb: str = "exchange", way: str = REQUEST) -> bytes:
    return envelope.seal(verb, way, KEY, A, B, SAID)


def test_an_envelope_is_these_bytes() -> None:
    data = sealed()
    payload = (
        b"\x84\x44"
        + A[:4]
        + b"\x1b"
        + NOW.to_bytes(8, "big")
        + b"\x48"
        + b"12345678"
        + b"\x82\x50"
        + b"x" * 16
        + b"\x50"
        + b"y" * 16
    )
    assert data[:-64] == bytes.fromhex("8443a10132a0 58") + bytes([len(payload)]) + payload + b"\x58\x40"
    aad = b"archipelago/exchange-request/1" + A + B
    signed = b"\x84\x6aSignature1\x43\xa1\x01\x32\x58" + bytes([len(aad)]) + aad + b"\x58" + bytes([len(payload)]) + payload
    VerifyKey(KEY.public).verify(signed, data[-64:])
    assert len(data) == 133


def test_an_envelope_reads_back() -> None:
    data = sealed()
    read = envelope.read(data, limit=1000)
    assert read.said == SAID
    assert read.hint == A[:4]
    assert envelope.measure(data + b"more") == len(data)
    assert envelope.check(read, "exchange", REQUEST, KEY.public, A, B)


@pytest.mark.parametrize(
    ("verb", "way", "key", "sender", "receiver"),
    [
        ("pull", REQUEST, KEY, A, B),
        ("exchange", ANSWER, KEY, A, B),
        ("exchange", REQUEST, OTHER, A, B),
        ("exchange", REQUEST, KEY, A[:4] + C[4:], B),
        ("exchange", REQUEST, KEY, C, B),
        ("exchange", REQUEST, KEY, A, C),
        ("exchange", REQUEST, KEY, B, A),
    ],
)
def test_a_signature_speaks_for_one_verb_direction_sender_and_receiver(
    verb: str, way: str, key: SigningKey, sender: bytes, receiver: bytes
) -> None:
    assert not envelope.check(envelope.read(sealed(), limit=1000), verb, way, key.public, sender, receiver)


@given(at=st.integers(0, 132), flip=st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, flip: int) -> None:
    data = bytearray(sealed())
    data[at] ^= flip
    try:
        read = envelope.read(bytes(data), limit=1000)
    except EnvelopeError:
        return
    assert not envelope.check(read, "exchange", REQUEST, KEY.public, A, B)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for whole in (data, sealed()[:6] + data):
        with pytest.raises(EnvelopeError):
            envelope.read(whole, limit=150)


def test_what_is_too_large_is_refused_first() -> None:
    with pytest.raises(TooLarge):
        envelope.read(bytes(101), limit=100)


def test_bytes_behind_or_missing_are_refused() -> None:
    for data in (sealed() + b"\x00", sealed()[:-1], b""):
        with pytest.raises(EnvelopeError):
            envelope.read(data, limit=1000)


def test_a_length_in_a_longer_form_is_refused() -> None:
    data = sealed()
    with pytest.raises(EnvelopeError, match="layout"):
        envelope.read(data[:6] + b"\x59\x00" + data[7:], limit=1000)


@pytest.mark.parametrize(
    "payload", ["a0", "80", "84434142431b000001a3185c50004831323334353637380", "f6", "8444414243440148313233343536373801ff"]
)
def test_a_payload_in_another_form_is_refused(payload: str) -> None:
    body = bytes.fromhex(payload if len(payload) % 2 == 0 else payload + "0")
    with pytest.raises(EnvelopeError, match="payload"):
        envelope.read(
            bytes.fromhex("8443a10132a0") + envelope.byte_head(len(body)) + body + b"\x58\x40" + bytes(64), limit=1000
        )


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 65_535, 65_536, 70_000])
def test_payloads_of_every_size_are_measured(size: int) -> None:
    data = envelope.seal("pull", ANSWER, KEY, A, B, Said(NOW, bytes(8), bytes(size)))
    assert envelope.measure(data) == len(data)
    read = envelope.read(data, limit=100_000)
    assert read.said.content == bytes(size)
    assert len(data) - size < envelope.OVERHEAD


def test_time_is_within_five_minutes() -> None:
    for off_ms in (-300_000, 0, 300_000):
        envelope.check_time(NOW + off_ms, NOW)
    for off_ms in (-300_001, 300_001):
        with pytest.raises(Stale):
            envelope.check_time(NOW + off_ms, NOW)
