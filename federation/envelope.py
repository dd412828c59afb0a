"""The signed body of every request and answer between nodes.

An envelope is an untagged COSE_Sign1 (RFC 9052) in one fixed layout::

    84  43 a1 01 32  a0  <payload as a byte string>  58 40 <signature>

The protected header {1: -19} (Ed25519, RFC 9864) is compared as these bytes. The signature is by the *identity* key of
the sender over the Sig_structure with

    external_aad = "archipelago/<verb>-request/1" or "archipelago/<verb>-answer/1" ‖ sender's id ‖ receiver's id

so that nothing said to one space, in one verb or in one direction passes for anything else; the ids are not sent.
The payload is, in the strict encoding of `protocol.encoding`::

    [hint, time_ms, nonce, content]

`hint` is the first four bytes of the sender's id, `nonce` 8 random bytes; an answer repeats the nonce of its request.
Whoever receives a request checks in this order, and processes nothing before all of it holds:

1. size; 2. layout and canonical form; 3. time: within five minutes of the own clock; 4. the signature, by the current
identity key of a space that is pinned and whose id begins with the hint; 5. time: not before this process started, by the
sender's clock, whose offset is known from its own answers; 6. that the nonce was not used (after the signature: nobody
can use up the nonces of others).

    EnvelopeError            theirs (`federation.fault`): the request is not processed
    ├── TooLarge             more bytes than the verb allows
    ├── Stale                time or nonce: a copy, or a wrong clock
    └── NotGenuine           no pinned key made this signature

>>> key, a, b = SigningKey(bytes(32)), bytes(32), bytes([1] * 32)
>>> sealed = seal("notify", REQUEST, key, a, b, Said(1_800_000_000_000, bytes(8), None))
>>> check(read(sealed, limit=1000), "notify", REQUEST, key.public, a, b)
True
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from federation.fault import Theirs
from protocol import encoding
from protocol.keys import SigningKey, verify

Verifier = Callable[[bytes, bytes, bytes], bool]

REQUEST, ANSWER = "request", "answer"
HINT_BYTES, NONCE_BYTES = 4, 8
WINDOW_MS = 5 * 60_000
OVERHEAD = 128  # more than an envelope adds to its content

_PROTECTED = bytes.fromhex("43a10132")
_BEFORE_PAYLOAD = b"\x84" + _PROTECTED + b"\xa0"
_SIGNATURE_HEAD = b"\x58\x40"
_SIGNATURE1 = b"\x84\x6aSignature1" + _PROTECTED


class EnvelopeError(Theirs):
    """A body that is not processed: theirs to mend."""


class TooLarge(EnvelopeError):
    """More bytes than the verb allows."""

    status = 413


class Stale(EnvelopeError):
    """A time outside the window, or a nonce used before."""

    status = 409


class NotGenuine(EnvelopeError):
    """A signature that no key pinned for the sender made."""

    status = 401


class Said(Struct, frozen=True):
    """What an envelope says, and when."""

    time_ms: int
    nonce: bytes
    content: object


class Envelope(Struct, frozen=True):
    """An envelope as read, its signature not yet checked. Use only what was decoded from its payload."""

    payload: bytes
    signature: bytes
    hint: bytes
    said: Said


def seal(verb: str, way: str, key: SigningKey, sender: bytes, receiver: bytes, said: Said) -> bytes:
    """The bytes of an envelope, signed by the sender's identity key."""
    payload = encoding.encode([sender[:HINT_BYTES], said.time_ms, said.nonce, said.content])
    signature = key.sign(_to_be_signed(verb, way, sender, receiver, payload))
    return _BEFORE_PAYLOAD + byte_head(len(payload)) + payload + _SIGNATURE_HEAD + signature


def measure(data: bytes) -> int:
    """How many bytes the envelope at the beginning of `data` has; EnvelopeError if none begins there."""
    start, size = _payload_at(data)
    return start + size + len(_SIGNATURE_HEAD) + 64


def read(data: bytes, *, limit: int) -> Envelope:
    """Read an envelope without checking its signature: size, layout, canonical form."""
    if len(data) > limit:
        raise TooLarge(f"The body has {len(data)} bytes where at most {limit} are taken.")
    start, size = _payload_at(data)
    end = start + size
    if len(data) != end + 66 or data[end : end + 2] != _SIGNATURE_HEAD:
        raise EnvelopeError("The body is not in the layout of a signed request.")
    payload = data[start:end]
    try:
        fields = encoding.decode(payload, limit=limit)
    except encoding.DecodeError as error:
        raise EnvelopeError(f"The body's payload is not in the strict encoding: {error}.") from error
    if type(fields) is not list or len(fields) != 4:
        raise EnvelopeError("The body's payload has four parts: hint, time, nonce and content.")
    hint, time_ms, nonce, content = fields
    if type(hint) is not bytes or len(hint) != HINT_BYTES or type(nonce) is not bytes or len(nonce) != NONCE_BYTES:
        raise EnvelopeError("The body's payload begins with a hint of 4 bytes, a time, and a nonce of 8 bytes.")
    if type(time_ms) is not int or time_ms < 0:
        raise EnvelopeError("The body's time is a count of milliseconds since 1970.")
    return Envelope(payload, data[end + 2 :], hint, Said(time_ms, nonce, content))


def check(
    envelope: Envelope, verb: str, way: str, public: bytes, sender: bytes, receiver: bytes, verifier: Verifier = verify
) -> bool:
    """Whether this key made the signature, from this sender to this receiver, in this verb and direction."""
    if envelope.hint != sender[:HINT_BYTES]:
        return False
    return verifier(public, _to_be_signed(verb, way, sender, receiver, envelope.payload), envelope.signature)


def check_time(time_ms: int, now_ms: int) -> None:
    """Stale unless a request's time is within the window."""
    if abs(time_ms - now_ms) > WINDOW_MS:
        raise Stale("The request's time is more than five minutes from this node's clock. Set the clocks right.")


def _to_be_signed(verb: str, way: str, sender: bytes, receiver: bytes, payload: bytes) -> bytes:
    aad = f"archipelago/{verb}-{way}/1".encode() + sender + receiver
    return b"".join((_SIGNATURE1, byte_head(len(aad)), aad, byte_head(len(payload)), payload))


def byte_head(size: int) -> bytes:
    """The bytes before a byte string of this size, in the shortest form."""
    if size < 24:
        return bytes((0x40 + size,))
    if size < 1 << 8:
        return bytes((0x58, size))
    if size < 1 << 16:
        return b"\x59" + size.to_bytes(2, "big")
    return b"\x5a" + size.to_bytes(4, "big")


def _payload_at(data: bytes) -> tuple[int, int]:
    """(start, size) of the payload of the envelope at the beginning of `data`."""
    if len(data) < 8 or not data.startswith(_BEFORE_PAYLOAD):
        raise EnvelopeError("The body is not in the layout of a signed request.")
    first = data[6]
    width = {0x58: 1, 0x59: 2, 0x5A: 4}.get(first, 0)
    if width == 0 and not 0x40 <= first < 0x58:
        raise EnvelopeError("The body is not in the layout of a signed request.")
    size = int.from_bytes(data[7 : 7 + width], "big") if width else first - 0x40
    if len(data) < 7 + width or data[6 : 7 + width] != byte_head(size):
        raise EnvelopeError("The body is not in the layout of a signed request.")
    return 7 + width, size
