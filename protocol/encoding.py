"""Strict deterministic CBOR: the one module that meets cbor2.

Rules (RFC 8949 section 4.2.1, narrowed):

- only unsigned and negative integers within ±(2^53−1), byte strings, UTF-8 text, arrays, maps, false, true and null;
- map keys are text, sorted by their encoded bytes, each once;
- shortest form of every length and integer; no indefinite length, no float, no tag, no other simple value;
- at most `MAX_DEPTH` containers within each other, a size cap before anything is read, nothing after the value.

A decode is accepted only if encoding the value again gives the same bytes. A tag is refused where it stands, before what is
in it is read, because a decoder resolves some of them by itself (shared references make 67 MB out of 214 bytes).

>>> encode({"b": 1, "a": [True, None, b"x"]}).hex()
'a2616183f5f64178616201'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import cbor2

Value: TypeAlias = "int | bool | str | bytes | Sequence[Value] | Mapping[str, Value] | None"

MAX_DEPTH = 16
MAX_BYTES = 65_536
MAX_INTEGER = 2**53 - 1

# Every tag that cbor2 resolves by itself: overridden so that none is, whatever stands in it. A tag unknown to it goes to
# the hook. A decoder for a tag is called before its content is read.
_BUILT_IN = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)


class EncodingError(Exception):
    """Bytes or values outside the strict encoding."""


class DecodeError(EncodingError):
    """Bytes that are not exactly one value in the strict encoding."""


class EncodeError(EncodingError):
    """A value that the strict encoding has no bytes for: ours to mend."""


def encode(value: object) -> bytes:
    """The one encoding of a value; EncodeError if it has none."""
    if not _within(value, MAX_DEPTH):
        _check(value, 0)  # slower, and says what is wrong; it also lets tuples pass
    try:
        return cbor2.dumps(value, canonical=True)
    except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can spell
        raise EncodeError("text that is not Unicode: half of a surrogate pair") from error


def decode(data: bytes, *, limit: int = MAX_BYTES) -> Value:
    """The value that these bytes are the encoding of; DecodeError for anything else."""
    if len(data) > limit:
        raise DecodeError(f"{len(data)} bytes where at most {limit} are allowed")
    return _load(data, MAX_DEPTH)


def decode_sequence(data: bytes, count: int, *, limit: int) -> list[Value]:
    """`count` values, one after the other and nothing behind (RFC 8742); DecodeError for anything else."""
    if not 0 <= count <= limit or len(data) > limit:
        raise DecodeError(f"a sequence of {count} values in {len(data)} bytes where at most {limit} are allowed")
    value = _load(_array_head(count) + data, MAX_DEPTH + 1)
    if not isinstance(value, list):
        raise DecodeError("not a sequence")
    return value


def _refuse_tag(*_: object) -> object:
    raise DecodeError("a tag")


_REFUSED = dict.fromkeys(_BUILT_IN, _refuse_tag)


def _load(data: bytes, depth: int) -> Value:
    try:
        value = cbor2.loads(
            data,
            tag_hook=_refuse_tag,
            semantic_decoders=_REFUSED,
            max_depth=depth,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
        if not _within(value, depth):
            raise DecodeError("a float, a simple value, an integer beyond 53 bits or a map key that is not text")
        again = cbor2.dumps(value, canonical=True)
    except DecodeError:
        raise
    except RecursionError as error:
        raise DecodeError("nested too deeply") from error
    except Exception as error:  # cbor2 documents CBORDecodeError, and lets others through on hostile bytes
        reason = error.__cause__ if isinstance(error.__cause__, DecodeError) else error
        raise DecodeError(f"not CBOR of this subset: {reason}") from error
    if again != data:
        raise DecodeError("not in canonical form")
    return value  # type: ignore[no-any-return]  # what _within admits is a Value


_PLAIN = frozenset((str, bytes, bool, type(None)))


def _within(value: object, depth: int) -> bool:
    """Whether a value is of the subset; called for containers only, but for the outermost value.

    `depth` is how many containers may lie within each other, this one among them.
    """
    kind = type(value)
    if kind is dict:
        for key in value:  # type: ignore[attr-defined]  # a dict
            if type(key) is not str:
                return False
        parts = value.values()  # type: ignore[attr-defined]  # a dict
    elif kind is list:
        parts = value
    else:
        parts = (value,)
    for each in parts:
        inner = type(each)
        if inner in _PLAIN:
            continue
        if inner is int:
            if not -MAX_INTEGER <= each <= MAX_INTEGER:
                return False
        elif (inner is not list and inner is not dict) or depth < 2 or not _within(each, depth - 1):
            return False
    return True


def _array_head(count: int) -> bytes:
    if count < 24:
        return bytes((0x80 + count,))
    for width, code in ((1, 0x98), (2, 0x99), (4, 0x9A)):
        if count < 1 << (8 * width):
            return bytes((code,)) + count.to_bytes(width, "big")
    raise EncodeError("a sequence of more than 2^32 values")


def _check(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise EncodeError("nested too deeply")
    if value is None or isinstance(value, bool | bytes):
        return
    if isinstance(value, str):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise EncodeError("an integer beyond 53 bits")
    elif isinstance(value, list | tuple):
        for each in value:
            _check(each, depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            if type(key) is not str:
                raise EncodeError(f"a map key that is not text: {key!r}")
            _check(each, depth + 1)
    else:
        raise EncodeError(f"no encoding for {type(value).__name__}")
