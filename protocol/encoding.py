"""Strict deterministic CBOR: the one module that meets cbor2.

Rules (RFC 8949 section 4.2.1, narrowed):

- only unsigned and negative integers within ±(2^53−1), byte strings, UTF-8 text, arrays, maps, false, true and null;
- map keys are text, sorted by their encoded bytes, each once;
- shortest form of every length and integer; no indefinite length, no float, no tag, no other simple value;
- at most `MAX_DEPTH` containers within each other, a size cap before anything is read, nothing after the value.

A decode is accepted only if encoding the value again gives the same bytes. Tags are refused before any value is built,
because a decoder resolves some of them by itself (shared references make 67 MB out of 214 bytes).

>>> encode({"b": 1, "a": [True, None, b"x"]}).hex()
'a2616183f5f64178616201'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import cbor2

Value: TypeAlias = "int | bool | str | bytes | Sequence[Value] | Mapping[str, Value] | None"

MAX_DEPTH = 16
MAX_BYTES = 65_536
MAX_INTEGER = 2**53 - 1

# A first byte that our subset never has (tags, floats, other simple values, reserved and indefinite lengths), or an
# integer of more than 53 bits. If this stands nowhere in the bytes, no item can begin with it, and the walk before
# building is not needed: only the keys are left to look at.
_FOREIGN = re.compile(
    rb"[\x1c-\x1f\x3c-\x3f\x5c-\x5f\x7c-\x7f\x9c-\x9f\xbc-\xf3\xf7-\xff]|[\x1b\x3b](?!\x00[\x00-\x1f])", re.DOTALL
)
_NOT_CONTAINER = bytes(set(range(256)) - set(range(0x80, 0xBC)))


class EncodingError(Exception):
    """Bytes or values outside the strict encoding."""


class DecodeError(EncodingError):
    """Bytes that are not exactly one value in the strict encoding."""


class EncodeError(EncodingError):
    """A value that the strict encoding has no bytes for: ours to mend."""


def encode(value: object) -> bytes:
    """The one encoding of a value; EncodeError if it has none."""
    _check(value, 0)
    try:
        return cbor2.dumps(value, canonical=True)
    except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can spell
        raise EncodeError("text that is not Unicode: half of a surrogate pair") from error


def decode(data: bytes, *, limit: int = MAX_BYTES, opaque: tuple[int, int] = (0, 0)) -> Value:
    """The value that these bytes are the encoding of; DecodeError for anything else.

    `opaque` is a span that the caller expects to lie within byte strings (hashes, salts), and makes sure of in the value
    that comes back: it is not searched for foreign bytes, of which random ones would be full.
    """
    if len(data) > limit:
        raise DecodeError(f"{len(data)} bytes where at most {limit} are allowed")
    start, end = opaque
    if (
        _FOREIGN.search(data, 0, start)
        or _FOREIGN.search(data, end)
        or len((data[:start] + data[end:]).translate(None, _NOT_CONTAINER)) > MAX_DEPTH
    ):
        _walk(data)
        return _load(data)
    value = _load(data)
    _check_keys(value)
    return value


def decode_sequence(data: bytes, count: int, *, limit: int) -> list[Value]:
    """`count` values, one after the other and nothing behind (RFC 8742); DecodeError for anything else."""
    if not 0 <= count <= limit or len(data) > limit:
        raise DecodeError(f"a sequence of {count} values in {len(data)} bytes where at most {limit} are allowed")
    whole = _head(4, count) + data
    _walk(whole)
    value = _load(whole)
    if not isinstance(value, list):
        raise DecodeError("not a sequence")
    return value


def _load(data: bytes) -> Value:
    try:
        value = cbor2.loads(data, max_depth=MAX_DEPTH + 1, allow_indefinite=False, allow_duplicate_keys=False)
        again = cbor2.dumps(value, canonical=True)
    except RecursionError as error:
        raise DecodeError("nested too deeply") from error
    except Exception as error:  # cbor2 documents CBORDecodeError, and lets others through on hostile bytes
        raise DecodeError(f"not CBOR: {type(error).__name__}") from error
    if again != data:
        raise DecodeError("not in canonical form")
    return value  # type: ignore[no-any-return]  # what _walk and the round trip admit is a Value


def _check_keys(value: object) -> None:
    kind = type(value)
    if kind is list:
        for each in value:  # type: ignore[attr-defined]  # a list
            inner = type(each)
            if inner is list or inner is dict:
                _check_keys(each)
    elif kind is dict:
        for key, each in value.items():  # type: ignore[attr-defined]  # a dict
            if type(key) is not str:
                raise DecodeError("a map key that is not text")
            inner = type(each)
            if inner is list or inner is dict:
                _check_keys(each)


def _head(major: int, argument: int) -> bytes:
    for width, code in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if argument < 24:
            return bytes([major << 5 | argument])
        if argument < 1 << (8 * width):
            return bytes([major << 5 | code]) + argument.to_bytes(width, "big")
    raise EncodeError("a length beyond 64 bits")


def _walk(data: bytes) -> None:
    """Refuse, item by item and without building a value, whatever is outside the subset."""
    position, end = 0, len(data)
    open_items: list[int] = [1]  # items still to come in each open container
    in_map: list[bool] = [False]
    while open_items:
        if open_items[-1] == 0:
            open_items.pop()
            in_map.pop()
            continue
        if position >= end:
            raise DecodeError("cut short")
        key = in_map[-1] and open_items[-1] % 2 == 0
        open_items[-1] -= 1
        first = data[position]
        major, info = first >> 5, first & 31
        position += 1
        if key and major != 3:
            raise DecodeError("a map key that is not text")
        if major == 7:
            if info not in (20, 21, 22):
                raise DecodeError("a float or a simple value")
            continue
        if major == 6:
            raise DecodeError("a tag")
        if info < 24:
            argument = info
        elif info < 28:
            width = 1 << (info - 24)
            argument = int.from_bytes(data[position : position + width], "big")
            position += width
        else:
            raise DecodeError("an indefinite length")
        if major < 2:
            if argument > MAX_INTEGER - major:
                raise DecodeError("an integer beyond 53 bits")
        elif major < 4:
            position += argument
        else:
            if len(open_items) > MAX_DEPTH:
                raise DecodeError("nested too deeply")
            if argument > end - position:
                raise DecodeError("cut short")
            open_items.append(argument * (major - 3))
            in_map.append(major == 5)
    if position != end:
        raise DecodeError("bytes after the value" if position < end else "cut short")


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
