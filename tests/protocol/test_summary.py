"""Summaries: signed, bound to one space and its keys, ordered, and derivable again by whoever holds the log."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from protocol import encoding, summary
from protocol.keychain import KeyChain
from protocol.keys import SigningKey
from protocol.note import cosign, format_signature_line
from protocol.practice import MEMBERS, PUBLIC, Practice, Row, Table, View
from protocol.practices import PRACTICES
from protocol.summary import Summary, SummaryError, recheck, rules_of, state_of
from tests.federation.isle import NOW, Isle, head
from tests.laws.memory import Memory
from tests.protocol import second_decoder

ISLE = Isle("Summing House")
ROOT = sha256(b"root").digest()


def said(isle: Isle = ISLE, **changes: Any) -> Summary:
    made = Summary(
        isle.space, isle.epoch.number, 7, NOW, isle.name, ("https://isle.example/",), head(isle, 7, ROOT), isle.chain.digest,
        sha256(b"heads").digest(), rules_of(), {"ledger": {"totals": [1, 2]}},
    )  # fmt: skip
    return replace(made, **changes)


def test_a_summary_is_opened_as_it_was_made_and_the_second_decoder_reads_the_same() -> None:
    raw = summary.make(said(), ISLE.keys.identity)
    assert summary.open(raw, ISLE.chain) == said() == summary.peek(raw)
    read = second_decoder.open_summary(raw, list(ISLE.chain.records))
    assert read == encoding.decode(encoding.encode(BUILT))
    assert summary.digest(raw) == sha256(raw).digest()


@pytest.mark.parametrize("size", [0, 1, 1000, 40_000])
def test_summaries_of_every_length_keep_the_one_layout(size: int) -> None:
    made = said(state={"library": {"text": "x" * size}} if size else {})
    raw = summary.make(made, ISLE.keys.identity)
    assert summary.open(raw, ISLE.chain) == made
    assert second_decoder.open_summary(raw, list(ISLE.chain.records))["size"] == 7


def test_cosignature_lines_travel_on_the_checkpoint() -> None:
    other = Isle("Witness House")
    note = head(ISLE, 7, ROOT)
    line = format_signature_line(cosign(other.keys.witness, "isle/x/witness", note.split("\n\n")[0] + "\n", NOW // 1000))
    raw = summary.make(said(checkpoint=note + line), ISLE.keys.identity)
    assert summary.open(raw, ISLE.chain).checkpoint.endswith(line)


def test_summaries_of_a_space_are_ordered_by_epoch_then_size_then_time() -> None:
    orders = [replace(said(), epoch=e, size=s, time_ms=t).order for e, s, t in [(0, 5, 9), (0, 6, 1), (0, 6, 2), (1, 2, 0)]]
    assert orders == sorted(orders)


def test_only_the_identity_key_of_that_space_signs_it() -> None:
    for key in (ISLE.keys.log, ISLE.keys.mirror, ISLE.root, ISLE.member, Isle("Other").keys.identity):
        with pytest.raises(SummaryError, match="not signed by the space's identity key"):
            summary.open(summary.make(said(), key), ISLE.chain)


def test_what_one_space_says_passes_for_no_other() -> None:
    other = Isle("Other House")
    with pytest.raises(SummaryError, match="another space"):
        summary.open(summary.make(said(), ISLE.keys.identity), other.chain)
    stolen = summary.make(said(space=other.space, chain=other.chain.digest), ISLE.keys.identity)
    with pytest.raises(SummaryError, match="not signed"):
        summary.open(stolen, other.chain)


def test_the_checkpoint_is_one_of_this_log_and_of_the_size_that_is_said() -> None:
    other = Isle("Other House")
    for note, why in [
        (head(other, 7, ROOT), "another log"),
        (head(ISLE, 8, ROOT), "speaks of 7 entries, and its checkpoint of 8"),
        (head(ISLE, 7, ROOT, epoch=1), "another log"),
        (head(ISLE, 7, ROOT)[:-10] + "\n", "does not hold"),
        ("", "does not hold"),
    ]:
        with pytest.raises(SummaryError, match=why):
            summary.open(summary.make(said(checkpoint=note), ISLE.keys.identity), ISLE.chain)


def turned() -> tuple[KeyChain, KeyChain, Isle]:
    isle = Isle("Turning House")
    before = isle.chain
    return before, isle.rotate(5, ROOT, "turned"), isle


def test_an_epoch_beyond_the_key_chain_asks_for_the_key_chain() -> None:
    before, after, isle = turned()
    raw = summary.make(said(isle), isle.keys.identity)
    assert summary.open(raw, after).epoch == 1
    with pytest.raises(SummaryError, match="Ask for the key chain first"):
        summary.open(raw, before)


def test_keys_that_were_replaced_sign_for_their_own_epoch_only() -> None:
    _, after, isle = turned()
    old = Isle("Turning House")  # the same space with the keys that it had
    raw = summary.make(replace(said(isle), epoch=1), old.keys.identity)
    with pytest.raises(SummaryError, match="not signed"):
        summary.open(raw, after)
    earlier = summary.open(summary.make(said(old), old.keys.identity), after)
    assert earlier.order < replace(said(isle), epoch=1).order


def test_another_key_chain_of_the_same_epoch_is_refused() -> None:
    with pytest.raises(SummaryError, match="another key chain"):
        summary.open(summary.make(said(chain=bytes(32)), ISLE.keys.identity), ISLE.chain)


def by_hand(value: Any, key: SigningKey = ISLE.keys.identity) -> bytes:
    payload = second_decoder.encode(value)
    protected = bytes.fromhex("a10132")
    structure = second_decoder.encode(["Signature1", protected, b"archipelago/summary/1" + ISLE.space, payload])
    return second_decoder.encode([protected, {}, payload, key.sign(structure)])


BUILT: dict[str, Any] = msgspec.to_builtins(said(), builtin_types=(bytes,))


def test_the_layout_is_that_of_a_cose_sign1_made_by_hand() -> None:
    assert by_hand(BUILT) == summary.make(said(), ISLE.keys.identity)


@pytest.mark.parametrize(
    "changes",
    [
        {"space": b"s" * 31}, {"space": "s"}, {"epoch": -1}, {"epoch": "0"}, {"size": 0}, {"size": -1}, {"time_ms": -1}, {"name": ""}, {"name": "x" * 81}, {"name": 5},
        {"endpoints": "x"}, {"endpoints": ["x"] * 9}, {"endpoints": [""]}, {"endpoints": ["x" * 201]}, {"checkpoint": b"x"}, {"chain": b""}, {"heads": b"h" * 33},
        {"rules": None}, {"state": []}, {"state": {"ledger": 1}}, {"more": 1},
    ],
)  # fmt: skip
def test_a_summary_out_of_form_is_refused_although_it_is_signed(changes: Mapping[str, Any]) -> None:
    with pytest.raises(SummaryError, match=r"\w+ \w+ \w+"):
        summary.open(by_hand({**BUILT, **changes}), ISLE.chain)
    with pytest.raises(second_decoder.Wrong):
        second_decoder.open_summary(by_hand({**BUILT, **changes}), list(ISLE.chain.records))


@pytest.mark.parametrize("name", sorted(BUILT))
def test_no_field_may_be_missing(name: str) -> None:
    with pytest.raises(SummaryError, match="not in form"):
        summary.open(by_hand({key: value for key, value in BUILT.items() if key != name}), ISLE.chain)


def test_no_changed_bit_and_no_other_length_is_a_summary() -> None:
    raw = summary.make(said(), ISLE.keys.identity)
    for at in range(0, len(raw) * 8, 3):
        bits = bytearray(raw)
        bits[at // 8] ^= 1 << at % 8
        with pytest.raises(SummaryError):
            summary.open(bytes(bits), ISLE.chain)
    for other in (raw[:-1], raw + b"\x00", b"", b"\xd2" + raw, raw[:5], raw[:70]):
        with pytest.raises(SummaryError, match="layout"):
            summary.open(other, ISLE.chain)


def test_a_summary_that_is_too_large_is_not_made() -> None:
    with pytest.raises(SummaryError, match="at most"):
        summary.make(said(state={"x": {"y": "z" * 65_400}}), ISLE.keys.identity)


# State


class Total(Row, frozen=True):
    """A number."""

    name: str
    amount: int


TOTALS = Table("total", Total, ("name",))


def sums(view: View, now_ms: int) -> Mapping[str, Any]:
    open_until = {row.name: row.amount for row in view.all(TOTALS) if row.amount > now_ms}
    return {"open": open_until} if open_until else {}


PRACTICE = Practice("totals", "Totals", "commons", tables=(TOTALS,), state=sums)


@pytest.fixture
def store() -> Memory:
    made = Memory()
    space = made.meet(ISLE.space)
    for audience, name, amount in ((PUBLIC, "ends", NOW + 5), (PUBLIC, "lasts", NOW + 50), (MEMBERS, "PLANTED", NOW + 50)):
        made.write(space, audience, [TOTALS.put(Total(space, name, amount))])
    return made


def test_the_state_is_derived_from_public_rows_at_the_given_time(store: Memory) -> None:
    assert state_of(store, ISLE.space, NOW, [PRACTICE]) == {"totals": {"open": {"ends": NOW + 5, "lasts": NOW + 50}}}
    assert state_of(store, ISLE.space, NOW + 5, [PRACTICE]) == {"totals": {"open": {"lasts": NOW + 50}}}
    assert state_of(store, ISLE.space, NOW + 50, [PRACTICE]) == {}
    with pytest.raises(SummaryError, match="nothing of that space"):
        state_of(store, sha256(b"unknown").digest(), NOW, [PRACTICE])


def test_a_mirror_derives_the_state_again_and_names_the_practice_that_lies(store: Memory) -> None:
    honest = said(rules=rules_of([PRACTICE]), state=state_of(store, ISLE.space, NOW, [PRACTICE]))
    assert recheck(honest, store, [PRACTICE]) == []
    assert recheck(summary.peek(summary.make(honest, ISLE.keys.identity)), store, [PRACTICE]) == []
    lies = [
        {"totals": {"open": {"ends": NOW + 6, "lasts": NOW + 50}}},
        {"totals": {"open": {"lasts": NOW + 50}}},
        {},
    ]
    for state in lies:
        assert recheck(replace(honest, state=state), store, [PRACTICE]) == ["totals"]
    assert recheck(replace(honest, state={**honest.state, "more": {}}), store, [PRACTICE]) == ["more"]
    assert recheck(replace(honest, time_ms=NOW + 7), store, [PRACTICE]) == ["totals"]


def test_other_rules_say_nothing_about_a_summary(store: Memory) -> None:
    with pytest.raises(SummaryError, match="other rules"):
        recheck(said(rules=bytes(32)), store, [PRACTICE])
    assert rules_of([PRACTICE]) != rules_of() == rules_of(PRACTICES)


def test_every_practice_says_what_a_summary_can_carry_of_a_space_that_is_empty() -> None:
    store = Memory()
    store.meet(ISLE.space)
    state = state_of(store, ISLE.space, NOW)
    assert set(state) <= {practice.name for practice in PRACTICES}
    encoding.encode(state)
