"""Records: one layout, one signature, one purpose; words that can be erased; audiences that cannot be guessed wider."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import encoding, record
from protocol.keys import SigningKey
from protocol.record import ALLIES, MAX_ANNEX, MAX_RECORD, MEMBERS, NAMED, PUBLIC, RecordError
from tests.protocol import second_decoder
from tests.protocol.test_encoding import VALUES

KEY, OTHER = SigningKey(b"k" * 32), SigningKey(b"o" * 32)
SPACE, ELSEWHERE = sha256(b"space").digest(), sha256(b"elsewhere").digest()
RANDOM = bytes(range(32))
BODIES = st.dictionaries(st.text(max_size=20), VALUES, max_size=5)
AUDIENCES = st.one_of(
    st.sampled_from((PUBLIC, ALLIES, MEMBERS)),
    st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4, unique=True),
)
WORDS = st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=60), max_size=3)


def seal(body: dict[str, Any] | None = None, audience: Any = PUBLIC, **how: Any) -> record.Sealed:
    return record.seal("note.written/1", 1_772_000_000_000, audience, body or {"a": 1}, KEY, SPACE, random=RANDOM, **how)


def by_hand(payload: bytes, *, space: bytes = SPACE, key: SigningKey = KEY) -> bytes:
    """A record around any payload, signed: what a hostile author can make."""
    protected = bytes.fromhex("a20132045820") + key.public
    signature = key.sign(second_decoder.encode(["Signature1", protected, b"archipelago/record/1" + space, payload]))
    return second_decoder.encode([protected, {}, payload, signature])


@given(BODIES, AUDIENCES, WORDS, st.integers(0, 2**53 - 1))
def test_what_was_sealed_is_opened_and_the_second_decoder_reads_the_same(
    body: dict[str, Any], audience: Any, words: dict[str, str], at_ms: int
) -> None:
    sealed = record.seal("note.written/1", at_ms, audience, body, KEY, SPACE, words=words, random=RANDOM)
    opened = record.open(sealed.raw, SPACE)
    assert (opened.kind, opened.at_ms, opened.body, opened.author) == ("note.written/1", at_ms, body, KEY.public)
    assert opened.audience == (audience if isinstance(audience, int) else tuple(sorted(audience)))
    assert opened.nonce == (b"" if audience == PUBLIC else RANDOM[16:])
    assert opened.digest == sha256(sealed.raw).digest()
    assert record.words_of(sealed.annex, opened.annex_hash) == words
    read = second_decoder.open_record(sealed.raw, SPACE)
    assert (read["body"], read["digest"], read["annex_hash"]) == (body, opened.digest, opened.annex_hash)
    assert sealed.raw == by_hand(record.split(sealed.raw)[1])
    if sealed.annex is not None:
        assert opened.annex_hash is not None
        assert second_decoder.read_annex(sealed.annex, opened.annex_hash) == words


def test_what_is_signed_is_built_as_in_the_outside_vector(vectors: Path) -> None:
    """Theirs has another algorithm, no external_aad and its kid outside: the structure around them is the same."""
    case = json.loads((vectors / "cose" / "eddsa-sig-01.json").read_text())
    wanted = bytes.fromhex(case["intermediates"]["ToBeSign_hex"])
    plaintext = case["input"]["plaintext"].encode()
    assert second_decoder.encode(["Signature1", bytes.fromhex("a201270300"), b"", plaintext]) == wanted
    key = SigningKey(bytes.fromhex(case["input"]["sign0"]["key"]["d_hex"]))
    assert key.public.hex() == case["input"]["sign0"]["key"]["x_hex"]
    signature = cbor2.loads(bytes.fromhex(case["output"]["cbor"])).value[3]
    assert key.sign(wanted) == signature
    raw = seal().raw
    author, message, made = record.signed(raw, SPACE)
    protected = raw[3:41]
    assert message == second_decoder.encode(["Signature1", protected, b"archipelago/record/1" + SPACE, record.split(raw)[1]])
    assert cbor2.loads(protected) == {1: -19, 4: author}
    assert made == KEY.sign(message)


@pytest.mark.parametrize("size", [0, 5, 22, 23, 24, 100, 200, 254, 255, 256, 257, 1000, 65_000])
def test_payloads_of_every_length_keep_the_one_layout(size: int) -> None:
    raw = seal({"x": "a" * size}).raw
    assert record.open(raw, SPACE).body == {"x": "a" * size}
    assert second_decoder.open_record(raw, SPACE)["body"] == {"x": "a" * size}


def test_a_record_signed_for_one_space_or_purpose_passes_for_no_other() -> None:
    raw = seal().raw
    assert record.genuine(raw, SPACE)
    for space in (ELSEWHERE, b"", SPACE + b"\x00", SPACE[:31]):
        assert not record.genuine(raw, space)
        with pytest.raises(RecordError, match="not genuine"):
            record.open(raw, space)
    founding = record.seal("space.founded/1", 1, PUBLIC, {}, KEY, b"").raw
    assert record.genuine(founding, b"")
    assert not record.genuine(founding, sha256(founding).digest())


def test_no_changed_bit_is_still_genuine() -> None:
    raw = seal(audience=MEMBERS, words={"name": "x"}).raw
    for at in range(len(raw) * 8):
        bits = bytearray(raw)
        bits[at // 8] ^= 1 << at % 8
        assert not record.genuine(bytes(bits), SPACE)


def test_no_cut_or_longer_form_is_a_record() -> None:
    raw = seal().raw
    for other in (raw[:-1], raw + b"\x00", raw[1:], b"\xd2" + raw, b"", raw[:41] + b"\xa1\x01\x02" + raw[42:]):
        with pytest.raises(RecordError, match="layout"):
            record.parse(other)
    payload = record.split(raw)[1]
    longer = raw[:42] + b"\x59" + len(payload).to_bytes(2, "big") + raw[44:]
    with pytest.raises(RecordError, match="layout"):
        record.parse(longer)
    assert len(payload) < 256


@pytest.mark.parametrize(
    "payload",
    [
        [],
        ["k/1", 1, 0, {}, None],
        ["k/1", 1, 0, {}, None, b"", 0],
        {"kind": "k/1"},
        [b"k/1", 1, 0, {}, None, b""],
        ["k/1", True, 0, {}, None, b""],
        ["k/1", -1, 0, {}, None, b""],
        ["k/1", "1", 0, {}, None, b""],
        ["k/1", 1, 0, [], None, b""],
        ["k/1", 1, 0, None, None, b""],
        ["k/1", 1, 0, {}, b"", b""],
        ["k/1", 1, 0, {}, b"h" * 31, b""],
        ["k/1", 1, 0, {}, "h" * 32, b""],
        ["k/1", 1, 0, {}, None, None],
        ["k/1", 1, 0, {}, None, ""],
        ["k/1", 1, 0, {}, None, b"n" * 16],
        ["k/1", 1, 2, {}, None, b""],
        ["k/1", 1, 2, {}, None, b"n" * 15],
        ["k/1", 1, [], {}, None, b""],
        ["k/1", 1, [b"s" * 32], {}, None, b""],
    ],
)
def test_a_payload_in_another_form_is_no_record_although_it_is_signed(payload: Any) -> None:
    raw = by_hand(second_decoder.encode(payload))
    with pytest.raises(RecordError):
        record.open(raw, SPACE)
    with pytest.raises(second_decoder.Wrong):
        second_decoder.open_record(raw, SPACE)


@pytest.mark.parametrize(
    "inner",
    [
        b"\xf9\x3c\x00",
        b"\xfb" + bytes(8),
        b"\xf7",
        b"\xc1\x00",
        b"\xc0\x74" + b"2013-03-21T20:04:00Z",
        b"\xd8\x23\x61a",
        b"\xc2\x41\x01",
        b"\x9f\xff",
        b"\xa1\x01\x02",
        b"\x1b\x00\x20\x00\x00\x00\x00\x00\x00",
        b"\x18\x01",
    ],
)
@pytest.mark.parametrize("nonce", [b"\x40", b"\x50" + b"n" * 16])
def test_nothing_foreign_hides_where_a_hash_could_stand(inner: bytes, nonce: bytes) -> None:
    """The end of a body that looks like the head of a hash, so that a careless reader looks no further."""
    scope = b"\x00" if nonce == b"\x40" else b"\x02"
    tail = inner + b"\xf6" + nonce
    room = 33 - len(inner) - 2 if nonce == b"\x40" else 34 - len(inner) - 3
    key = b"X " + b"k" * max(0, room - 1)
    for gap in range(-3, 4):
        name = b"X " + b"k" * max(0, len(key) - 2 + gap)
        payload = (
            b"\x86\x63k/1\x01"
            + scope
            + b"\xa1"
            + bytes([0x60 + len(name)] if len(name) < 24 else [0x78, len(name)])
            + name
            + tail
        )
        with pytest.raises(RecordError):
            record.parse(by_hand(payload))


@pytest.mark.parametrize(
    "spoken",
    [
        3,
        7,
        15,
        16,
        2**40,
        -1,
        True,
        False,
        None,
        "0",
        {},
        [],
        [b"s" * 31],
        ["s" * 32],
        [0],
        [b"b" * 32, b"a" * 32],
        [b"a" * 32] * 2,
    ],
)
def test_an_audience_that_is_unknown_is_the_narrowest(spoken: Any) -> None:
    opened = record.open(by_hand(second_decoder.encode(["k/1", 1, spoken, {}, None, b"n" * 16])), SPACE)
    assert (opened.audience, opened.scope) == (MEMBERS, MEMBERS)
    assert second_decoder.open_record(opened.raw, SPACE)["audience"] == MEMBERS


def test_a_guess_at_a_hidden_record_cannot_be_confirmed() -> None:
    one = record.seal("k/1", 1, MEMBERS, {}, KEY, SPACE, random=b"\x01" * 32)
    two = record.seal("k/1", 1, MEMBERS, {}, KEY, SPACE, random=b"\x02" * 32)
    assert record.parse(one.raw).digest != record.parse(two.raw).digest
    for audience in (ALLIES, MEMBERS, [b"s" * 32]):
        with pytest.raises(RecordError, match="32 random bytes"):
            record.seal("k/1", 1, audience, {}, KEY, SPACE)
    with pytest.raises(RecordError, match="32 random bytes"):
        record.seal("k/1", 1, PUBLIC, {}, KEY, SPACE, words={"w": "x"}, random=b"\x01" * 16)


def test_a_record_has_at_most_64_kib_and_its_words_48() -> None:
    assert len(seal({"x": "a" * 65_000}).raw) <= MAX_RECORD
    with pytest.raises(RecordError, match="Put less into it"):
        seal({"x": "a" * 65_500})
    with pytest.raises(RecordError, match="words"):
        seal(words={"x": "a" * MAX_ANNEX})
    big = by_hand(second_decoder.encode(["k/1", 1, 0, {"x": "a" * 65_500}, None, b""]))
    with pytest.raises(RecordError, match="layout"):
        record.parse(big)


def test_words_that_were_erased_or_changed_are_none() -> None:
    sealed = seal(words={"name": "Ada"})
    named = record.parse(sealed.raw).annex_hash
    assert sealed.annex is not None
    assert record.words_of(sealed.annex, named) == {"name": "Ada"}
    assert record.words_of(None, named) == {}
    assert record.words_of(sealed.annex, None) == {}
    assert record.words_of(sealed.annex + b"\x00", named) == {}
    odds: list[Any] = [
        [RANDOM[:16]],
        [RANDOM[:16], []],
        [RANDOM[:15], {"name": "x"}],
        ["s" * 16, {"name": "x"}],
        {},
        [RANDOM[:16], {}, 1],
    ]
    for odd in odds:
        annex = encoding.encode(odd)
        assert record.words_of(annex, sha256(annex).digest()) == {}
    foreign = b"\x82\x50" + RANDOM[:16] + b"\xa1\x61a\xfb" + bytes(8)
    assert record.words_of(foreign, sha256(foreign).digest()) == {}


def test_words_leave_no_trace_in_the_record() -> None:
    assert b"PLANTED" not in seal(words={"name": "PLANTED"}).raw


def test_named_spaces_are_one_scope_whatever_the_order_and_see_only_their_own() -> None:
    a, b, c = (bytes([n]) * 32 for n in (1, 2, 3))
    one, two = seal(audience=[a, b]), seal(audience=[b, a])
    assert one.raw == two.raw
    scope = record.parse(one.raw).scope
    other = record.parse(seal(audience=[a, c]).raw).scope
    assert scope >= NAMED != other
    assert scope != other
    seen = {row for row in (PUBLIC, ALLIES, MEMBERS, scope, other) if record.sees(scope, row)}
    assert seen == {PUBLIC, scope}
    for narrow in (PUBLIC, ALLIES, MEMBERS):
        assert {row for row in (PUBLIC, ALLIES, MEMBERS, scope) if record.sees(narrow, row)} == set(range(narrow + 1))


def test_of_3_000_mutated_and_newly_signed_payloads_both_readers_take_the_same() -> None:
    chance, taken = random.Random(3_000), 0
    seeds = [record.split(seal(audience=each, words={"w": "x"}).raw)[1] for each in (PUBLIC, MEMBERS, [b"s" * 32])]
    seeds += [record.split(seal({"X " + "k" * 20: "y" * n}).raw)[1] for n in range(12)]
    for _ in range(3_000):
        payload = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 2)):
            at = chance.randrange(len(payload))
            payload[at] = chance.choice((payload[at] ^ 1 << chance.randrange(8), 0xF7, 0xFB, 0xC1, 0x40, 0x58, 0xF6, 0x20))
        raw = by_hand(bytes(payload))
        try:
            mine: object = record.open(raw, SPACE).body
        except RecordError:
            mine = None
        try:
            theirs: object = second_decoder.open_record(raw, SPACE)["body"]
        except second_decoder.Wrong:
            theirs = None
        assert mine == theirs, payload.hex()
        taken += mine is not None
    assert 300 < taken < 2_900
