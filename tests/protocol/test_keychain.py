"""Key chains: the id proves the founding record, and that proves everything after it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from protocol import encoding, keychain, record
from protocol.keychain import (
    FOUNDED,
    MAX_ROTATIONS,
    ROTATED,
    KeyChainError,
    check,
    decode,
    origin,
    parse_origin,
    parse_space,
    space_name,
)
from protocol.keys import NodeKeys, SigningKey
from tests.federation.isle import NOW, Isle
from tests.protocol import second_decoder
from tests.protocol.test_keys import SMALL_ORDER

ROOT, NEXT, AFTER, MEMBER = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3, 4))
Body = dict[str, Any]


def keys(seed: int) -> dict[str, bytes]:
    public = NodeKeys.derive(bytes([seed]) * 32).public
    return {"identity": public.identity, "log": public.log, "witness": public.witness, "mirror": public.mirror}


def hashed(key: SigningKey) -> bytes:
    return sha256(key.public).digest()


def founding(signer: SigningKey = ROOT, kind: str = FOUNDED, audience: int = 0, space: bytes = b"", **changes: Any) -> bytes:
    body: Body = {
        "name": "House", "founder": MEMBER.public, "keys": keys(7), "root": ROOT.public, "next_root": hashed(NEXT), "recovery": b"r" * 32,
    }  # fmt: skip
    body.update(changes)
    body = {name: value for name, value in body.items() if value is not None}
    return record.seal(kind, NOW, audience, body, signer, space, random=bytes(32)).raw


FIRST = founding()
SPACE = sha256(FIRST).digest()


def rotation(signer: SigningKey = NEXT, kind: str = ROTATED, audience: int = 0, space: bytes = SPACE, **changes: Any) -> bytes:
    body: Body = {
        "epoch": 1, "keys": keys(8), "root": signer.public, "next_root": hashed(AFTER), "recovery": b"r" * 32, "size": 5, "head": b"h" * 32,
    }  # fmt: skip
    body.update(changes)
    body = {name: value for name, value in body.items() if value is not None}
    return record.seal(kind, NOW, audience, body, signer, space, random=bytes(32)).raw


def test_a_chain_gives_its_space_and_the_keys_of_each_epoch() -> None:
    chain = check([FIRST, rotation(), rotation(AFTER, epoch=2, size=9, keys=keys(9))], SPACE)
    assert (chain.space, chain.name, [each.number for each in chain.epochs]) == (SPACE, "House", [0, 1, 2])
    assert [each.keys.log for each in chain.epochs] == [keys(n)["log"] for n in (7, 8, 9)]
    assert (chain.current.size, chain.current.root) == (9, AFTER.public)
    assert chain.digest == sha256(b"".join(chain.records)).digest()
    space, bodies = second_decoder.check_chain(list(chain.records))
    assert (space, bodies[2]["keys"]) == (SPACE, keys(9))
    assert decode(chain.encode(), SPACE) == chain


def test_the_root_in_force_may_rotate_the_nodes_keys_and_stay() -> None:
    chain = check([FIRST, rotation(ROOT), rotation(ROOT, epoch=2)])
    assert chain.current.root == ROOT.public


def test_once_the_next_root_has_signed_the_old_one_may_not() -> None:
    check([FIRST, rotation(NEXT), rotation(NEXT, epoch=2)])
    with pytest.raises(KeyChainError, match="signed by the root"):
        check([FIRST, rotation(NEXT), rotation(ROOT, epoch=2)])


REFUSED: dict[str, tuple[Callable[[], list[bytes]], str]] = {
    "nothing": (list, "founding record"),
    "not signed by the root it names": (lambda: [founding(MEMBER)], "signed by the root"),
    "founded for a space": (lambda: [founding(space=b"s" * 32)], "not genuine"),
    "founded in private": (lambda: [founding(audience=2)], "public"),
    "another kind": (lambda: [founding(kind="space.founded/2")], "not space.founded/2"),
    "no founder": (lambda: [founding(founder=None)], "not in form"),
    "an unknown field": (lambda: [founding(more=1)], "not in form"),
    "no name": (lambda: [founding(name="")], "not in form"),
    "a short root": (lambda: [founding(recovery=b"r" * 31)], "not in form"),
    "one key for two purposes": (lambda: [founding(keys={**keys(7), "log": keys(7)["identity"]})], "four keys"),
    "a key that is no point": (lambda: [founding(keys={**keys(7), "log": bytes.fromhex(SMALL_ORDER[2])})], "four keys"),
    "a key of 31 bytes": (lambda: [founding(keys={**keys(7), "log": b"k" * 31})], "four keys"),
    "a fifth key": (lambda: [founding(keys={**keys(7), "more": b"k" * 32})], "not in form"),
    "founded twice": (lambda: [FIRST, FIRST], "not genuine"),
    "rotated by a stranger": (lambda: [FIRST, rotation(MEMBER)], "signed by the root"),
    "rotated by the next but one": (lambda: [FIRST, rotation(AFTER)], "signed by the root"),
    "rotated for another space": (lambda: [FIRST, rotation(space=b"s" * 32)], "not genuine"),
    "rotated in private": (lambda: [FIRST, rotation(audience=1)], "public"),
    "another root than its signer": (lambda: [FIRST, rotation(root=AFTER.public)], "names its signer"),
    "an epoch left out": (lambda: [FIRST, rotation(epoch=2)], "next epoch"),
    "an epoch twice": (lambda: [FIRST, rotation(), rotation(AFTER, epoch=1)], "next epoch"),
    "a head that shrinks": (lambda: [FIRST, rotation(), rotation(AFTER, epoch=2, size=4)], "not smaller"),
    "from size zero": (lambda: [FIRST, rotation(size=0)], "not in form"),
    "in another order": (lambda: [FIRST, rotation(AFTER, epoch=2), rotation()], "signed by the root"),
    "rotation first": (lambda: [rotation(), FIRST], "not genuine"),
    "not a record": (lambda: [b"x" * 200], "layout"),
    "too many": (lambda: [FIRST] * (MAX_ROTATIONS + 2), "at most 256"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_chain_with_a_fault_is_refused_and_says_which(name: str) -> None:
    made, why = REFUSED[name]
    with pytest.raises(KeyChainError, match=why):
        check(made())
    with pytest.raises(second_decoder.Wrong):
        second_decoder.check_chain(made())


def test_a_chain_of_another_space_is_refused() -> None:
    with pytest.raises(KeyChainError, match="another space"):
        check([FIRST], sha256(b"other").digest())


@pytest.mark.parametrize("value", [None, "x", b"x", {}, [1], ["x"], [None], [[]], [b"x"], [], {"records": []}])
def test_bytes_in_another_form_are_no_chain(value: Any) -> None:
    with pytest.raises(KeyChainError):
        decode(encoding.encode(value))
    with pytest.raises(KeyChainError, match="array of records"):
        decode(encoding.encode([FIRST])[:-1])


@pytest.mark.parametrize("value", [1, "x", None, [], {}])
def test_records_that_are_no_bytes_are_refused_and_crash_nothing(value: Any) -> None:
    with pytest.raises(KeyChainError):
        check([value])
    with pytest.raises(KeyChainError):
        check([FIRST, value])


def test_no_changed_bit_of_a_chain_keeps_its_space() -> None:
    chain = check([FIRST, rotation()])
    whole = chain.encode()
    for at in range(0, len(whole) * 8, 5):
        bits = bytearray(whole)
        bits[at // 8] ^= 1 << at % 8
        with pytest.raises(KeyChainError):
            decode(bytes(bits), SPACE)


def test_ids_and_origins_come_back_and_have_one_spelling() -> None:
    name = space_name(SPACE)
    assert name.startswith("isle:")
    assert len(name) == 57
    assert second_decoder.isle(SPACE) == name
    assert parse_space(name) == parse_space(name[5:]) == parse_space(f" {name}\n") == SPACE
    for epoch in (0, 1, 9, 10, 256):
        assert parse_origin(origin(SPACE, epoch)) == (SPACE, epoch)
        assert second_decoder.origin(SPACE, epoch) == origin(SPACE, epoch)


@pytest.mark.parametrize(
    "text",
    ["", "isle:", "isle:abc", "x" * 52, "isle:" + "1" * 52, "isle:" + "a" * 51 + "b", "isle:" + "a" * 53, "Ada", "é" * 52],
)
def test_what_is_no_id_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(KeyChainError, match="isle: and 52 letters and digits"):
        parse_space(text)


@pytest.mark.parametrize("end", ["/0", "/00", "/01", "/-1", "/", "/1/2", "/1000", "/x", "/²", "/witness", "x", "\n"])
def test_an_origin_has_one_spelling(end: str) -> None:
    with pytest.raises(KeyChainError):
        parse_origin(origin(SPACE, 0) + end)


@pytest.mark.parametrize("start", ["", "isle", "isle:", "Isle/", "ISLE/", "isle//", "/isle/", "log/"])
def test_an_origin_begins_in_one_way(start: str) -> None:
    with pytest.raises(KeyChainError):
        parse_origin(start + space_name(SPACE)[5:])


def test_upper_case_and_prefix_are_no_origin() -> None:
    for text in (f"isle/{space_name(SPACE)[5:].upper()}", f"isle/{space_name(SPACE)}", f"isle/ {space_name(SPACE)[5:]}"):
        with pytest.raises(KeyChainError):
            parse_origin(text)


def test_a_rotation_of_a_real_node_is_a_chain() -> None:
    isle = Isle("Turning")
    isle.write(3)
    log = isle.store.log(isle.space)
    assert log is not None
    chain = isle.rotate(log.size, log.root)
    assert chain.current.head == log.root
    assert keychain.decode(chain.encode()) == chain
