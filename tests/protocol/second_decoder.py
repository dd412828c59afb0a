"""A second reader of the project's own formats, written from `docs/reference/protocol/` to check what the first one says.

It imports nothing of this project: the standard library, and PyNaCl for Ed25519. It is slow and plain on purpose, and
refuses by `Wrong`, saying what is wrong. What C2SP and RFC 9162 define (tree, notes, tiles) is read by
`c2sp_checker.py`; here are the strict encoding, records, entries, key chains, summaries, receipts and evidence.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey


class Wrong(Exception):
    """Bytes that are not what the reference says."""


def need(condition: bool, message: str) -> None:
    if not condition:
        raise Wrong(message)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# --- encoding.md ---------------------------------------------------------------------------------------------------


def decode(data: bytes, limit: int = 65_536) -> Any:
    """Exactly one value."""
    need(len(data) <= limit, "too many bytes")
    value, end = _item(data, 0, 0)
    need(end == len(data), "bytes after the value")
    return value


def decode_sequence(data: bytes) -> list[Any]:
    values, at = [], 0
    while at < len(data):
        value, at = _item(data, at, 0)
        values.append(value)
    return values


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    need(at < len(data), "cut short")
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        need(info in (20, 21, 22), "a float or a simple value")
        return {20: False, 21: True, 22: None}[info], at
    need(major != 6, "a tag")
    number, at = _argument(data, at, info)
    if major in (0, 1):
        value = number if major == 0 else -1 - number
        need(abs(value) <= 2**53 - 1, "an integer beyond 53 bits")
        return value, at
    if major in (2, 3):
        need(at + number <= len(data), "cut short")
        raw = data[at : at + number]
        if major == 2:
            return raw, at + number
        try:
            return raw.decode("utf-8"), at + number
        except UnicodeDecodeError as error:
            raise Wrong("text that is not UTF-8") from error
    need(depth < 16, "nested too deeply")
    need(number <= len(data) - at, "cut short")
    if major == 4:
        items = []
        for _ in range(number):
            each, at = _item(data, at, depth + 1)
            items.append(each)
        return items, at
    return _map(data, at, number, depth)


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    last = b""
    for _ in range(count):
        start = at
        key, at = _item(data, at, depth + 1)
        need(isinstance(key, str), "a map key that is not text")
        need(data[start:at] > last, "keys out of order, or twice")
        last = data[start:at]
        found[key], at = _item(data, at, depth + 1)
    return found, at


def _argument(data: bytes, at: int, info: int) -> tuple[int, int]:
    if info < 24:
        return info, at
    need(info < 28, "an indefinite or reserved length")
    width = 1 << (info - 24)
    need(at + width <= len(data), "cut short")
    number = int.from_bytes(data[at : at + width], "big")
    least = {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}[width]
    need(number >= least, "not in the shortest form")
    return number, at + width


def encode(value: Any) -> bytes:
    """The one encoding of a value."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        raw = value.encode()
        return _head(3, len(raw)) + raw
    if isinstance(value, list | tuple):
        return _head(4, len(value)) + b"".join(map(encode, value))
    pairs = sorted((encode(key), encode(each)) for key, each in value.items())
    return _head(5, len(pairs)) + b"".join(key + each for key, each in pairs)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for info, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * width:
            return bytes([major << 5 | info]) + number.to_bytes(width, "big")
    raise Wrong("too long")


# --- keys.md -------------------------------------------------------------------------------------------------------


def genuine(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(public) != 32 or len(signature) != 64 or not crypto_core_ed25519_is_valid_point(public):
        return False
    try:
        VerifyKey(public).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def hkdf(seed: bytes, info: str) -> bytes:
    """32 bytes by RFC 5869 with SHA-256 and an empty salt, by hand."""

    def mac(key: bytes, message: bytes) -> bytes:
        padded = key.ljust(64, b"\x00")
        inner = sha256(bytes(byte ^ 0x36 for byte in padded) + message)
        return sha256(bytes(byte ^ 0x5C for byte in padded) + inner)

    return mac(mac(bytes(32), seed), info.encode() + b"\x01")


def isle(space: bytes) -> str:
    return "isle:" + base64.b32encode(space).decode().rstrip("=").lower()


# --- record.md, entry.md -------------------------------------------------------------------------------------------


def open_cose(raw: bytes, aad: bytes) -> tuple[bytes, bytes]:
    """(kid, payload) of a COSE_Sign1 in our one shape, its signature checked."""
    parts = decode(raw, 4 * 1024 * 1024)
    need(isinstance(parts, list) and len(parts) == 4, "not an array of four")
    protected, unprotected, payload, signature = parts
    need(isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(signature, bytes), "not COSE_Sign1")
    need(len(protected) == 38 and protected[:6] == bytes.fromhex("a20132045820"), "another protected header")
    need(unprotected == {}, "something unprotected")
    structure = encode(["Signature1", protected, aad, payload])
    need(genuine(protected[6:], structure, signature), "the signature does not stand")
    return protected[6:], payload


def open_record(raw: bytes, space: bytes) -> dict[str, Any]:
    need(len(raw) <= 65_536, "a record of more than 64 KiB")
    author, payload = open_cose(raw, b"archipelago/record/1" + space)
    parts = decode(payload)
    need(isinstance(parts, list) and len(parts) == 6, "a payload of six parts")
    kind, at_ms, audience, body, annex_hash, nonce = parts
    need(type(kind) is str and type(at_ms) is int and at_ms >= 0 and type(body) is dict, "kind, time, body")
    need(annex_hash is None or (type(annex_hash) is bytes and len(annex_hash) == 32), "the annex's hash")
    named = (
        type(audience) is list
        and bool(audience)
        and all(type(each) is bytes and len(each) == 32 for each in audience)
        and sorted(set(audience)) == audience
    )
    if not named and (type(audience) is not int or audience not in (0, 1, 2)):
        audience = 2
    need(type(nonce) is bytes and len(nonce) == (0 if audience == 0 and type(audience) is int else 16), "the nonce")
    return {
        "author": author,
        "kind": kind,
        "at_ms": at_ms,
        "audience": audience,
        "body": body,
        "annex_hash": annex_hash,
        "nonce": nonce,
        "digest": sha256(raw),
    }


def read_annex(annex: bytes, annex_hash: bytes) -> dict[str, str]:
    need(len(annex) <= 49_152 and sha256(annex) == annex_hash, "not the annex that the record names")
    value = decode(annex)
    need(isinstance(value, list) and len(value) == 2, "an annex of two parts")
    salt, words = value
    need(isinstance(salt, bytes) and len(salt) == 16 and isinstance(words, dict), "salt and words")
    need(all(isinstance(each, str) for each in words.values()), "words are text")
    return dict(words)


def read_entry(data: bytes) -> tuple[int, int, bytes]:
    need(len(data) == 37 and data[0] in (0, 1), "an entry has 37 bytes and begins with 0 or 1")
    return data[0], int.from_bytes(data[1:5], "big"), data[5:]


# --- keychain.md ---------------------------------------------------------------------------------------------------


def check_chain(records: list[bytes]) -> tuple[bytes, list[dict[str, Any]]]:
    """(space, [founding body, rotation bodies …])."""
    need(1 <= len(records) <= 257, "between 1 and 257 records")
    space = sha256(records[0])
    first = open_record(records[0], b"")
    need(first["kind"] == "space.founded/1" and first["audience"] == 0, "not a founding record")
    bodies = [first["body"]]
    fields = {"name", "founder", "keys", "root", "next_root", "recovery"}
    need(set(bodies[0]) == fields and bodies[0]["root"] == first["author"], "not signed by the root it names")
    for number, raw in enumerate(records[1:], 1):
        last, turned = bodies[-1], open_record(raw, space)
        body = turned["body"]
        need(turned["kind"] == "space.keys-rotated/1" and turned["audience"] == 0, "not a rotation")
        need(set(body) == {"epoch", "keys", "root", "next_root", "recovery", "size", "head"}, "fields of a rotation")
        need(turned["author"] == last["root"] or sha256(turned["author"]) == last["next_root"], "signed by another key")
        need(body["root"] == turned["author"] and body["epoch"] == number, "its signer and its epoch")
        need(body["size"] >= last.get("size", 0), "a head that shrinks")
        bodies.append(body)
    for body in bodies:
        keys = body["keys"]
        need(set(keys) == {"identity", "log", "witness", "mirror"} and len(set(keys.values())) == 4, "four keys")
        need(all(len(key) == 32 and crypto_core_ed25519_is_valid_point(key) for key in keys.values()), "valid keys")
    return space, bodies
