"""A record: what one member did, signed by them, for a stated audience.

A record is an untagged COSE_Sign1 (RFC 9052) in one fixed layout::

    84                                   array of 4
      58 26 a2 01 32 04 58 20 <author>   protected: {1: -19 (Ed25519, RFC 9864), 4: the author's public key}
      a0                                 unprotected: {}
      <payload as a byte string>
      58 40 <signature>

Protected headers are compared as these bytes and never decoded: another shape is another version. The signature is over
the Sig_structure with external_aad = "archipelago/record/1" ‖ the space's id; of a founding record, which makes that id,
with "archipelago/record/1" alone. The payload is, in the strict encoding of `protocol.encoding`::

    [kind, at_ms, audience, body, annex hash or null, nonce]

`audience` is 0 (public), 1 (allies), 2 (members) or a sorted list of space ids; anything else is read as members only.
`nonce` is empty in public records and 16 random bytes in others, so that nobody can confirm a guess. The annex,
``[salt, {field: words}]``, lies beside the record and can be dropped; the record holds its SHA-256 only.
A record has at most 64 KiB, an annex 48 KiB. Signing is separate from knowing: `parse` reads, `open` also checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any

from msgspec import Struct

from protocol import encoding
from protocol.keys import SigningKey, verify

MAX_RECORD = 65_536
MAX_ANNEX = 49_152
PUBLIC, ALLIES, MEMBERS = 0, 1, 2
NAMED = 16  # audience numbers from here on stand for one list of named spaces

_BEFORE_AUTHOR = bytes.fromhex("845826a2013204 5820".replace(" ", ""))
_PURPOSE = b"archipelago/record/1"
_SIGNATURE1 = b"\x84\x6aSignature1"


class RecordError(Exception):
    """Bytes that are not a genuine record."""


class Record(Struct, frozen=True):
    """A record as read; `audience` is what it says, `scope` the number by which rows of it are kept apart."""

    raw: bytes
    digest: bytes
    author: bytes
    kind: str
    at_ms: int
    audience: int | tuple[bytes, ...]
    body: dict[str, Any]
    annex_hash: bytes | None
    nonce: bytes

    @property
    def scope(self) -> int:
        """0, 1 or 2; for named spaces a number from 16 on that is the same on every node."""
        return scope_of(self.audience)


class Sealed(Struct, frozen=True):
    """A record's bytes and those of its annex, if it has one.

    `read` and `words` are what was sealed, for the node that has just made these bytes and need not read them again;
    nobody else has them, and a record that comes from elsewhere never does.
    """

    raw: bytes
    annex: bytes | None
    read: Record | None = None
    words: Mapping[str, str] | None = None


def scope_of(audience: int | tuple[bytes, ...]) -> int:
    """The audience as a number: itself, or one made from the list of spaces."""
    if isinstance(audience, int):
        return audience
    return NAMED + int.from_bytes(sha256(b"".join(audience)).digest()[:5], "big")


def sees(scope: int, row: int) -> bool:
    """Whether an act of this scope may be decided by a row of that one: what is at least as public as itself."""
    return row <= scope if scope < NAMED else row in (PUBLIC, scope)


def seal(
    kind: str,
    at_ms: int,
    audience: int | Sequence[bytes],
    body: Mapping[str, Any],
    author: SigningKey,
    space: bytes,
    *,
    words: Mapping[str, str] | None = None,
    random: bytes = b"",
) -> Sealed:
    """A signed record. `space` is empty for a founding record; `random` gives 32 bytes for salt and nonce if needed.

    `words` are the erasable fields. Raises RecordError if the record or its annex would be too large.
    """
    annex = None
    if (words or audience != PUBLIC) and len(random) != 32:
        raise RecordError("sealing words or a record that is not public takes 32 random bytes")
    if words:
        annex = encoding.encode([random[:16], dict(words)])
        if len(annex) > MAX_ANNEX:
            raise RecordError(f"The words of a record have at most {MAX_ANNEX} bytes; these have {len(annex)}.")
    spoken = audience if isinstance(audience, int) else sorted(audience)
    nonce = b"" if audience == PUBLIC else random[16:]
    annex_hash = sha256(annex).digest() if annex else None
    payload = encoding.encode([kind, at_ms, spoken, body, annex_hash, nonce])
    protected = _BEFORE_AUTHOR[1:] + author.public
    signature = author.sign(_to_be_signed(protected, space, payload))
    raw = b"\x84" + protected + b"\xa0" + _bytes_head(len(payload)) + payload + b"\x58\x40" + signature
    if len(raw) > MAX_RECORD:
        raise RecordError(f"A record has at most {MAX_RECORD} bytes; this one has {len(raw)}. Put less into it.")
    read = Record(raw, sha256(raw).digest(), author.public, kind, at_ms, _audience(spoken), dict(body), annex_hash, nonce)
    return Sealed(raw, annex, read, dict(words or {}))


def split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """(author, payload, signature) of a record's bytes; RecordError if they are not in the one layout."""
    if len(raw) > MAX_RECORD or len(raw) < 110 or not raw.startswith(_BEFORE_AUTHOR) or raw[41] != 0xA0:
        raise RecordError("not in the layout of a record")
    head = raw[42]
    if head == 0x58:
        start, size, least = 44, raw[43], 24
    elif head == 0x59:
        start, size, least = 45, int.from_bytes(raw[43:45], "big"), 256
    elif 0x40 <= head < 0x58:
        start, size, least = 43, head - 0x40, 0
    else:
        raise RecordError("not in the layout of a record")
    end = start + size
    if size < least or len(raw) != end + 66 or raw[end : end + 2] != b"\x58\x40":
        raise RecordError("not in the layout of a record")
    return raw[9:41], raw[start:end], raw[end + 2 :]


def signed(raw: bytes, space: bytes) -> tuple[bytes, bytes, bytes]:
    """(public key, message, signature) to hand to a verifier; RecordError if the layout is wrong."""
    author, payload, signature = split(raw)
    return author, _to_be_signed(raw[1:41], space, payload), signature


def genuine(raw: bytes, space: bytes) -> bool:
    """Whether the author's signature stands; `space` is empty for a founding record."""
    try:
        author, message, signature = signed(raw, space)
    except RecordError:
        return False
    return verify(author, message, signature)


def parse(raw: bytes) -> Record:
    """Read a record without checking its signature; RecordError if it is not one."""
    author, payload, _ = split(raw)
    try:
        fields = encoding.decode(payload)
    except encoding.DecodeError as error:
        raise RecordError(f"a record's payload is {error}") from error
    if type(fields) is not list or len(fields) != 6:
        raise RecordError("a record's payload has six parts")
    kind, at_ms, audience, body, annex_hash, nonce = fields
    if type(kind) is not str or type(at_ms) is not int or at_ms < 0 or type(body) is not dict:
        raise RecordError("a record's payload begins with kind, time, audience and body")
    if annex_hash is not None and (type(annex_hash) is not bytes or len(annex_hash) != 32):
        raise RecordError("a record names its annex by 32 bytes or none")
    heard = _audience(audience)
    if type(nonce) is not bytes or len(nonce) != (0 if heard == PUBLIC else 16):
        raise RecordError("a record has a nonce of 16 bytes unless it is public")
    return Record(raw, sha256(raw).digest(), author, kind, at_ms, heard, body, annex_hash, nonce)


def open(raw: bytes, space: bytes) -> Record:
    """Read a record and check its author's signature; RecordError if either fails."""
    record = parse(raw)
    if not genuine(raw, space):
        raise RecordError("The author's signature is not genuine.")
    return record


def words_of(annex: bytes | None, annex_hash: bytes | None) -> dict[str, str]:
    """The erasable words of a record: empty if they were erased or are not those that the record names."""
    if annex is None or annex_hash is None or len(annex) > MAX_ANNEX or sha256(annex).digest() != annex_hash:
        return {}
    try:
        value = encoding.decode(annex)
    except encoding.DecodeError:
        return {}
    if (
        type(value) is not list
        or len(value) != 2
        or type(value[0]) is not bytes
        or len(value[0]) != 16
        or type(value[1]) is not dict
    ):
        return {}
    return {name: words for name, words in value[1].items() if type(words) is str}


def _audience(spoken: object) -> int | tuple[bytes, ...]:
    if type(spoken) is int and spoken in (PUBLIC, ALLIES):
        return spoken
    if type(spoken) is not list or not spoken or not all(type(each) is bytes and len(each) == 32 for each in spoken):
        return MEMBERS
    return tuple(spoken) if all(one < two for one, two in pairwise(spoken)) else MEMBERS


def _to_be_signed(protected: bytes, space: bytes, payload: bytes) -> bytes:
    aad = _PURPOSE + space
    return b"".join((_SIGNATURE1, protected, _bytes_head(len(aad)), aad, _bytes_head(len(payload)), payload))


def _bytes_head(size: int) -> bytes:
    if size < 24:
        return bytes((0x40 + size,))
    if size < 256:
        return bytes((0x58, size))
    if size < 65_536:
        return b"\x59" + size.to_bytes(2, "big")
    return b"\x5a" + size.to_bytes(4, "big")
