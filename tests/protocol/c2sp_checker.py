"""A second reader of tiled logs, written from the published texts alone, to check what a node serves.

It imports nothing of this project: the standard library, and PyNaCl for Ed25519. It keeps every hash in memory and
takes the slow, plain way of the definitions on purpose.

    texts: RFC 6962 section 2.1 (tree, proofs), c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles

    report = check_log(fetch, vkey, cosigner_vkeys)      fetch("checkpoint"), fetch("tile/entries/000.p/7"), … -> bytes

`fetch` is rooted at the log's prefix and returns a body or raises. CheckFailure says which file is wrong and how.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

Fetch = Callable[[str], bytes]


class CheckFailure(AssertionError):
    """Something served is not what the texts ask for."""


def require(condition: bool, message: str) -> None:
    if not condition:
        raise CheckFailure(message)


# --- RFC 6962 section 2.1, word for word -------------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry)


def split(n: int) -> int:
    """k: the largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(hashes: Sequence[bytes]) -> bytes:
    """MTH(D[n]), from the leaf hashes."""
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:]))


def path(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    n = len(hashes)
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def consistency(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D[n])."""

    def sub(m: int, hashes: Sequence[bytes], whole: bool) -> list[bytes]:
        n = len(hashes)
        if m == n:
            return [] if whole else [mth(hashes)]
        k = split(n)
        if m <= k:
            return [*sub(m, hashes[:k], whole), mth(hashes[k:])]
        return [*sub(m - k, hashes[k:], False), mth(hashes[:k])]

    return sub(m, hashes, True)


# --- c2sp.org/signed-note and tlog-checkpoint --------------------------------------------------------------------


@dataclass(frozen=True)
class Verifier:
    """What a vkey says."""

    name: str
    key_id: bytes
    kind: int
    public: bytes


def unbase64(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise CheckFailure(f"{what}: not base64") from error
    require(base64.b64encode(data).decode() == text, f"{what}: not canonical base64")
    return data


def read_vkey(vkey: str) -> Verifier:
    name, key_id, rest = vkey.split("+", 2)
    key = unbase64(rest, "vkey")
    computed = sha256(name.encode() + b"\n" + key)[:4]
    require(computed.hex() == key_id, f"vkey of {name}: its id is not its hash")
    require(len(key) == 33, f"vkey of {name}: not an Ed25519 key")
    return Verifier(name, computed, key[0], key[1:])


@dataclass(frozen=True)
class Head:
    """A checkpoint and the signature lines under it."""

    text: bytes
    origin: str
    size: int
    root: bytes
    lines: tuple[tuple[str, bytes, bytes], ...]


def read_checkpoint(data: bytes) -> Head:
    text = data.decode("utf-8")
    require(all(c == "\n" or c >= " " for c in text), "checkpoint: a control character")
    at = text.rfind("\n\n")
    require(at > 0 and text.endswith("\n"), "checkpoint: not a signed note")
    body, signatures = text[: at + 1], text[at + 2 :]
    lines = []
    for line in signatures[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        require(dash == "\u2014" and name != "" and "+" not in name, "checkpoint: a signature line of another form")
        blob = unbase64(encoded, "signature")
        require(len(blob) > 4, "checkpoint: a signature without a signature")
        lines.append((name, blob[:4], blob[4:]))
    origin, size, root, *extensions = body[:-1].split("\n")
    require(bool(origin) and all(extensions), "checkpoint: an empty line")
    require(size.isascii() and size.isdigit() and str(int(size)) == size, "checkpoint: the size is no plain decimal")
    root_hash = unbase64(root, "root")
    require(len(root_hash) == 32, "checkpoint: the root has not 32 bytes")
    return Head(body.encode(), origin, int(size), root_hash, tuple(lines))


def _genuine(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        VerifyKey(public).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def check_signature(head: Head, verifier: Verifier) -> int | None:
    """The time of a cosignature, 0 for a plain signature, None if the key has not signed; a bad one fails."""
    found = None
    for name, key_id, signature in head.lines:
        if (name, key_id) != (verifier.name, verifier.key_id):
            continue
        if verifier.kind == 1:
            require(_genuine(verifier.public, head.text, signature), f"signature of {name}: does not verify")
            found = 0
        elif verifier.kind == 4:
            require(len(signature) == 72, f"cosignature of {name}: not 8 + 64 bytes")
            time_s = int.from_bytes(signature[:8], "big")
            require(time_s < 2**63, f"cosignature of {name}: a time beyond 2^63")
            message = f"cosignature/v1\ntime {time_s}\n".encode() + head.text
            require(_genuine(verifier.public, message, signature[8:]), f"cosignature of {name}: does not verify")
            found = time_s
        else:
            raise CheckFailure(f"{name}: a key of type {verifier.kind}")
    return found


# --- c2sp.org/tlog-tiles -----------------------------------------------------------------------------------------


def tile_path(level: str, index: int, width: int) -> str:
    digits = f"{index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{name}" + ("" if width == 256 else f".p/{width}")


def pieces(count: int) -> Iterator[tuple[int, int]]:
    """(index, width) of the tiles over `count` things."""
    for index in range(count // 256):
        yield index, 256
    if count % 256:
        yield count // 256, count % 256


def read_bundle(data: bytes, width: int, where: str) -> list[bytes]:
    entries = []
    while data:
        length = int.from_bytes(data[:2], "big")
        require(len(data) >= 2 + length, f"{where}: cut short")
        entries.append(data[2 : 2 + length])
        data = data[2 + length :]
    require(len(entries) == width, f"{where}: {len(entries)} entries, {width} expected")
    return entries


@dataclass
class Report:
    """What was found to be true of a log."""

    origin: str
    size: int
    root: bytes
    entries: list[bytes] = field(repr=False)
    tiles: int
    cosigned_s: dict[str, int]


def read_entries(fetch: Fetch, size: int) -> list[bytes]:
    """Every entry of a log of this size, from its bundles."""
    entries: list[bytes] = []
    for index, width in pieces(size):
        where = tile_path("entries", index, width)
        entries += read_bundle(fetch(where), width, where)
    return entries


def check_tiles(fetch: Fetch, leaves: Sequence[bytes]) -> int:
    """How many served hash tiles were found equal to those derived from the leaf hashes; all must be."""
    checked, level, row = 0, 0, list(leaves)
    while row:
        above = []
        for index, width in pieces(len(row)):
            where = tile_path(str(level), index, width)
            hashes = row[index * 256 : index * 256 + width]
            require(fetch(where) == b"".join(hashes), f"{where}: not the hashes of the entries")
            checked += 1
            if width == 256:
                above.append(mth(hashes))
        level, row = level + 1, above
    return checked


def check_log(fetch: Fetch, vkey: str, cosigner_vkeys: Iterable[str] = (), *, origin: str | None = None) -> Report:
    """Read a whole log and derive everything served about it again; CheckFailure where it differs.

    The log's signature must be there. Cosignatures of the keys given are verified where they stand, and reported.
    """
    log = read_vkey(vkey)
    head = read_checkpoint(fetch("checkpoint"))
    require(head.origin == (log.name if origin is None else origin), f"checkpoint: origin {head.origin!r} is another")
    require(check_signature(head, log) is not None, f"checkpoint: no signature of {log.name}")
    times = {each.name: check_signature(head, each) for each in map(read_vkey, cosigner_vkeys)}
    entries = read_entries(fetch, head.size)
    leaves = [leaf(entry) for entry in entries]
    require(mth(leaves) == head.root, "checkpoint: its root is not that of the entries")
    tiles = check_tiles(fetch, leaves)
    cosigned = {name: time_s for name, time_s in times.items() if time_s is not None}
    return Report(head.origin, head.size, head.root, entries, tiles, cosigned)
