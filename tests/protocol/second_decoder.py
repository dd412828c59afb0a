"""A second reader of the project's own formats, written from `docs/reference/protocol/` to check what the first one says.

It imports nothing of this project but that other reader: the standard library, PyNaCl for Ed25519. It is slow and plain, and
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

from tests.protocol import c2sp_checker


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
    return {name: each for name, each in words.items() if isinstance(each, str)}


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
    need(isinstance(bodies[0]["name"], str) and 1 <= len(bodies[0]["name"]) <= 80, "a name of 1 to 80 characters")
    _need_32_bytes(bodies[0], "founder")
    for number, raw in enumerate(records[1:], 1):
        last, turned = bodies[-1], open_record(raw, space)
        body = turned["body"]
        need(turned["kind"] == "space.keys-rotated/1" and turned["audience"] == 0, "not a rotation")
        need(set(body) == {"epoch", "keys", "root", "next_root", "recovery", "size", "head"}, "fields of a rotation")
        need(turned["author"] == last["root"] or sha256(turned["author"]) == last["next_root"], "signed by another key")
        need(body["root"] == turned["author"] and body["epoch"] == number, "its signer and its epoch")
        need(type(body["size"]) is int and body["size"] >= max(1, last.get("size", 0)), "a head that shrinks")
        _need_32_bytes(body, "head")
        bodies.append(body)
    for body in bodies:
        _need_32_bytes(body, "root", "next_root", "recovery")
        keys = body["keys"]
        need(set(keys) == {"identity", "log", "witness", "mirror"} and len(set(keys.values())) == 4, "four keys")
        need(all(len(key) == 32 and crypto_core_ed25519_is_valid_point(key) for key in keys.values()), "valid keys")
    return space, bodies


def _need_32_bytes(body: dict[str, Any], *names: str) -> None:
    need(all(isinstance(body[name], bytes) and len(body[name]) == 32 for name in names), "32 bytes")


# --- summary.md ----------------------------------------------------------------------------------------------------

SUMMARY_FIELDS = {"space", "epoch", "size", "time_ms", "name", "endpoints", "checkpoint", "chain", "heads", "rules", "state"}


def open_summary(raw: bytes, records: list[bytes]) -> dict[str, Any]:
    need(len(raw) <= 65_536, "a summary of more than 64 KiB")
    space, bodies = check_chain(records)
    parts = decode(raw)
    need(isinstance(parts, list) and len(parts) == 4, "not an array of four")
    protected, unprotected, payload, signature = parts
    need(protected == bytes.fromhex("a10132") and unprotected == {}, "another header")
    said = decode(payload)
    need(isinstance(said, dict) and set(said) == SUMMARY_FIELDS, "the fields of a summary")
    _need_32_bytes(said, "space", "chain", "heads", "rules")
    need(all(type(said[name]) is int and said[name] >= 0 for name in ("epoch", "size", "time_ms")), "three numbers")
    need(isinstance(said["name"], str) and 1 <= len(said["name"]) <= 80 and isinstance(said["checkpoint"], str), "texts")
    need(isinstance(said["endpoints"], list) and len(said["endpoints"]) <= 8, "at most 8 endpoints")
    need(all(isinstance(each, str) and 1 <= len(each) <= 200 for each in said["endpoints"]), "endpoints are texts")
    need(isinstance(said["state"], dict) and all(isinstance(each, dict) for each in said["state"].values()), "maps")
    need(said["space"] == space and 0 <= said["epoch"] < len(bodies), "of another space or epoch")
    keys = bodies[said["epoch"]]["keys"]
    structure = encode(["Signature1", protected, b"archipelago/summary/1" + space, payload])
    need(genuine(keys["identity"], structure, signature), "not signed by the identity key")
    if said["epoch"] == len(bodies) - 1:
        need(said["chain"] == sha256(b"".join(records)), "another key chain")
    size, _ = check_head(said["checkpoint"], space, said["epoch"], keys["log"])
    need(size == said["size"] >= 1, "another size than its checkpoint's")
    return dict(said)


def origin(space: bytes, epoch: int) -> str:
    return "isle/" + isle(space)[5:] + (f"/{epoch}" if epoch else "")


def check_head(text: str, space: bytes, epoch: int, public: bytes) -> tuple[int, bytes]:
    """(size, root) of a checkpoint that the log key signed."""
    head = c2sp_checker.read_checkpoint(text.encode())
    name = origin(space, epoch)
    need(head.origin == name, "of another log")
    verifier = c2sp_checker.Verifier(name, sha256(name.encode() + b"\n\x01" + public)[:4], 1, public)
    need(c2sp_checker.check_signature(head, verifier) is not None, "not signed by the log")
    return head.size, head.root


def epoch_of(text: str) -> int:
    """The epoch in a checkpoint's origin."""
    parts = text.split("\n", maxsplit=1)[0].split("/")
    need(len(parts) in (2, 3) and (len(parts) == 2 or (parts[2].isdigit() and parts[2][0] != "0")), "not an origin")
    return int(parts[2]) if len(parts) == 3 else 0


# --- receipt.md ----------------------------------------------------------------------------------------------------


def root_of(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root to which an inclusion path leads (RFC 9162 section 2.1.3), by the recursion of its definition."""
    if size == 1:
        need(not path, "a path too long")
        return leaf
    need(bool(path), "a path too short")
    half = c2sp_checker.split(size)
    if index < half:
        return sha256(b"\x01" + root_of(index, half, leaf, path[:-1]) + path[-1])
    return sha256(b"\x01" + path[-1] + root_of(index - half, size - half, leaf, path[:-1]))


def open_receipt(text: str) -> dict[str, Any]:
    """What a receipt proves: its record, where it stands, and (space, role) -> time of every cosignature verified."""
    first, extra, index_line, rest = text.split("\n", 3)
    need(first == "c2sp.org/tlog-proof@v1" and extra[:6] == "extra " and index_line[:6] == "index ", "a tlog-proof")
    hashes_part, _, note = rest.partition("\n\n") if not rest.startswith("\n") else ("", "", rest[1:])
    hashes = [c2sp_checker.unbase64(line, "a hash") for line in hashes_part.split("\n") if line]
    index = int(index_line[6:])
    parts = decode(c2sp_checker.unbase64(extra[6:], "extra"), 768 * 1024)
    need(isinstance(parts, list) and len(parts) == 6, "six parts")
    flag, logged, raw, annex, records, cosigners = parts
    space, bodies = check_chain(records)
    epoch = epoch_of(note)
    need(epoch < len(bodies), "an epoch that the chain does not reach")
    size, root = check_head(note, space, epoch, bodies[epoch]["keys"]["log"])
    if epoch < len(bodies) - 1:
        need((bodies[epoch + 1]["size"], bodies[epoch + 1]["head"]) == (size, root), "a head of a closed epoch")
    need(0 <= index < size, "no such entry")
    leaf = sha256(b"\x00" + bytes([flag]) + logged.to_bytes(4, "big") + sha256(raw))
    need(root_of(index, size, leaf, hashes) == root, "not where it says")
    record = open_record(raw, b"" if sha256(raw) == space else space)
    need((record["audience"] != 0) == bool(flag), "another audience than its entry")
    words = read_annex(annex, record["annex_hash"]) if annex is not None else {}
    found: dict[tuple[bytes, str], int] = {}
    for each in cosigners:
        other, theirs = check_chain(each)
        for role in ("witness", "mirror"):
            for body in theirs:
                time_s = cosigned(note, f"{origin(other, 0)}/{role}", body["keys"][role])
                if time_s is not None and other != space:
                    found[other, role] = time_s
    return {"space": space, "index": index, "size": size, "record": record, "words": words, "cosigners": found}


def cosigned(note: str, name: str, public: bytes) -> int | None:
    verifier = c2sp_checker.Verifier(name, sha256(name.encode() + b"\n\x04" + public)[:4], 4, public)
    return c2sp_checker.check_signature(c2sp_checker.read_checkpoint(note.encode()), verifier)


# --- evidence.md ---------------------------------------------------------------------------------------------------


def check_fork(data: bytes) -> tuple[bytes, int, tuple[int, int]]:
    """(space, epoch, sizes) of a proved fork."""
    parts = decode(data, 1024 * 1024)
    need(isinstance(parts, list) and len(parts) == 6 and parts[0] == "archipelago/fork/1", "not evidence")
    _, records, one, other, between, proof = parts
    need(isinstance(records, list) and isinstance(one, str) and isinstance(other, str), "not in form")
    need(all(isinstance(each, bytes) for each in records) and isinstance(proof, list), "not in form")
    space, bodies = check_chain(records)
    epoch = epoch_of(one)
    need(epoch == epoch_of(other) and epoch < len(bodies), "two epochs")
    log = bodies[epoch]["keys"]["log"]
    (small, small_root), (large, large_root) = check_head(one, space, epoch, log), check_head(other, space, epoch, log)
    if small == large:
        need(small_root < large_root and between is None and not proof, "two heads of one size")
    else:
        need(small < large and isinstance(between, bytes) and len(between) == 32, "two heads in order")
        need(all(isinstance(each, bytes) and len(each) == 32 for each in proof), "hashes")
        need(between != small_root, "no fork")
        need(roots_of(small, large, between, list(proof)) == (between, large_root), "a proof that does not verify")
    return space, epoch, (small, large)


def roots_of(old: int, size: int, seed: bytes, proof: list[bytes]) -> tuple[bytes, bytes]:
    """(old root, root) by a consistency proof, by the recursion of RFC 6962 section 2.1.2 read backwards."""

    def sub(old: int, size: int, whole: bool) -> tuple[bytes, bytes]:
        if old == size:
            if whole:
                return seed, seed
            need(bool(proof), "a proof too short")
            last = proof.pop(0)
            return last, last
        half = c2sp_checker.split(size)
        if old <= half:
            before, after = sub(old, half, whole)
            need(bool(proof), "a proof too short")
            return before, sha256(b"\x01" + after + proof.pop(0))
        before, after = sub(old - half, size - half, False)
        need(bool(proof), "a proof too short")
        left = proof.pop(0)
        return sha256(b"\x01" + left + before), sha256(b"\x01" + left + after)

    roots = sub(old, size, True)
    need(not proof, "a proof too long")
    return roots
