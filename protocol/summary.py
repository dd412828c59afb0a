"""A space's summary: what it says about itself, signed, in one small value that travels between nodes.

A summary is an untagged COSE_Sign1 (RFC 9052) in one fixed layout::

    84  43 a1 01 32  a0  <payload as a byte string>  58 40 <signature>

signed by the node's *identity* key of the epoch that it names, over the Sig_structure with external_aad =
"archipelago/summary/1" ‖ the space's id. The payload is one map in the strict encoding of `protocol.encoding`, with
exactly the fields of `Summary`. Rules:

- Summaries of one space are ordered by (epoch, size, time_ms); only a later one takes the place of one that is held.
- `checkpoint` is a head of that epoch, signed by its log key, of the size that the summary names. Cosignature lines are
  carried on it; whoever counts them checks them.
- `state` is what each practice says in public, derived from the public records before `size`, at `time_ms`, by `rules`.
  Who holds the same entries and the same rules derives it again, and so catches a summary that lies.

    SummaryError: bytes that are no summary of that space, or one whose key chain is not held

>>> Summary.__struct_fields__[:4]
('space', 'epoch', 'size', 'time_ms')

Source: RFC 9052 section 4.4; docs/reference/protocol/summary.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from protocol import encoding, note
from protocol.keychain import Epoch, KeyChain, origin
from protocol.keys import SigningKey, verify
from protocol.practice import PUBLIC, Practice, Reader, View
from protocol.practices import PRACTICES

MAX_SUMMARY = 65_536
MAX_NAME = 80
MAX_ENDPOINTS = 8
MAX_ENDPOINT = 200

_PROTECTED = bytes.fromhex("43a10132")
_BEFORE_PAYLOAD = b"\x84" + _PROTECTED + b"\xa0"
_PURPOSE = b"archipelago/summary/1"


class SummaryError(Exception):
    """Bytes that are no genuine summary of the space they are said to be of."""


class Summary(Struct, frozen=True, forbid_unknown_fields=True):
    """What a space says about itself; the fields are those of the payload."""

    space: bytes
    epoch: int
    size: int
    time_ms: int
    name: str
    endpoints: tuple[str, ...]
    checkpoint: str  # a signed note, with the cosignature lines that its space knows of
    chain: bytes  # digest of the key chain
    heads: bytes  # fingerprint of all heads that its node carries
    rules: bytes  # digest of the kinds and practices by which `state` was derived
    state: dict[str, Any]  # practice -> what it says in public

    @property
    def order(self) -> tuple[int, int, int]:
        """By this, the later of two summaries of one space is told."""
        return self.epoch, self.size, self.time_ms


def rules_of(practices: Iterable[Practice] = PRACTICES) -> bytes:
    """SHA-256 over the names of practices and their kinds: two nodes with the same one derive the same state."""
    names = {practice.name: sorted(kind.name for kind in practice.kinds) for practice in practices}
    return sha256(encoding.encode(names)).digest()


def state_of(reader: Reader, space: bytes, now_ms: int, practices: Iterable[Practice] = PRACTICES) -> dict[str, Any]:
    """What each practice says in public of a space at an instant, from public rows alone; nothing where it has nothing."""
    number = reader.space_number(space)
    if number is None:
        raise SummaryError("This node holds nothing of that space to derive a state from.")
    view = View(reader, number, PUBLIC)
    said = {practice.name: msgspec.to_builtins(practice.state(view, now_ms), builtin_types=(bytes,)) for practice in practices}
    return {name: state for name, state in said.items() if state}


def recheck(summary: Summary, reader: Reader, practices: Iterable[Practice] = PRACTICES) -> list[str]:
    """The practices whose state comes out otherwise here; the reader must hold exactly the first `summary.size` entries.

    SummaryError if the summary was derived by other rules: then nothing can be said.
    """
    chosen = tuple(practices)
    if summary.rules != rules_of(chosen):
        raise SummaryError("The summary was derived by other rules than those of this node, so it cannot be derived again.")
    derived = state_of(reader, summary.space, summary.time_ms, chosen)
    names = sorted({*derived, *summary.state})
    nothing: object = None
    return [name for name in names if _bytes_of(derived.get(name, nothing)) != _bytes_of(summary.state.get(name, nothing))]


def make(summary: Summary, identity: SigningKey) -> bytes:
    """The signed bytes of a summary; SummaryError if it is larger than one may be or not in form."""
    payload = encoding.encode(msgspec.to_builtins(summary, builtin_types=(bytes,)))
    _convert(payload)
    signature = identity.sign(_to_be_signed(summary.space, payload))
    raw = _BEFORE_PAYLOAD + _byte_head(len(payload)) + payload + b"\x58\x40" + signature
    if len(raw) > MAX_SUMMARY:
        raise SummaryError(f"A summary has at most {MAX_SUMMARY} bytes; this one has {len(raw)}.")
    return raw


def digest(raw: bytes) -> bytes:
    """The SHA-256 by which nodes ask each other whether they have the same summary."""
    return sha256(raw).digest()


def peek(raw: bytes) -> Summary:
    """What a summary says, with nothing checked but its form: to learn which key chain it takes."""
    return _convert(_split(raw)[0])


def open(raw: bytes, chain: KeyChain) -> Summary:
    """The summary in these bytes: of the chain's space, signed by its keys, its checkpoint too; else SummaryError."""
    payload, signature = _split(raw)
    said = _convert(payload)
    if said.space != chain.space:
        raise SummaryError("This summary is of another space than its key chain.")
    epoch = _epoch(said, chain)
    if not verify(epoch.keys.identity, _to_be_signed(chain.space, payload), signature):
        raise SummaryError("The summary is not signed by the space's identity key.")
    try:
        head, _ = note.open_checkpoint(said.checkpoint, origin(said.space, said.epoch), epoch.keys.log)
    except note.NoteError as error:
        raise SummaryError(f"The summary's checkpoint does not hold: {error}.") from error
    if head.size != said.size:
        raise SummaryError(f"The summary speaks of {said.size} entries, and its checkpoint of {head.size}.")
    return said


def _epoch(said: Summary, chain: KeyChain) -> Epoch:
    if said.epoch >= len(chain.epochs):
        raise SummaryError("The summary is of an epoch beyond the key chain held here. Ask for the key chain first.")
    if said.epoch == chain.current.number and said.chain != chain.digest:
        raise SummaryError("The summary names another key chain of that epoch than the one held here.")
    return chain.epochs[said.epoch]


def _convert(payload: bytes) -> Summary:
    try:
        value = encoding.decode(payload)
        said = msgspec.convert(value, Summary, builtin_types=(bytes,))
    except encoding.DecodeError as error:
        raise SummaryError(f"A summary's payload is {error}.") from error
    except msgspec.ValidationError as error:
        raise SummaryError(f"A summary is not in form: {error}.") from error
    if {len(said.space), len(said.chain), len(said.heads), len(said.rules)} != {32}:
        raise SummaryError("A summary names its space, key chain, heads and rules by 32 bytes each.")
    if not said.epoch >= 0 or said.size < 1 or said.time_ms < 0:
        raise SummaryError("A summary has an epoch, a size of at least one, and a time.")
    if not 1 <= len(said.name) <= MAX_NAME:
        raise SummaryError(f"A summary's name has 1 to {MAX_NAME} characters.")
    if len(said.endpoints) > MAX_ENDPOINTS or not all(1 <= len(each) <= MAX_ENDPOINT for each in said.endpoints):
        raise SummaryError(f"A summary has at most {MAX_ENDPOINTS} endpoints of at most {MAX_ENDPOINT} characters.")
    if not all(isinstance(each, Mapping) for each in said.state.values()):
        raise SummaryError("A summary's state is a map for each practice.")
    return said


def _split(raw: bytes) -> tuple[bytes, bytes]:
    """(payload, signature) of the one layout; SummaryError for anything else."""
    if len(raw) <= MAX_SUMMARY and raw.startswith(_BEFORE_PAYLOAD):
        for width, code in ((0, b""), (1, b"\x58"), (2, b"\x59")):
            start = len(_BEFORE_PAYLOAD) + max(1, width + len(code))
            payload, tail = raw[start:-66], raw[-66:]
            if tail[:2] == b"\x58\x40" and raw[len(_BEFORE_PAYLOAD) : start] == _byte_head(len(payload)) and len(tail) == 66:
                return payload, tail[2:]
    raise SummaryError("These bytes are not in the layout of a summary.")


def _to_be_signed(space: bytes, payload: bytes) -> bytes:
    aad = _PURPOSE + space
    return b"".join((b"\x84\x6aSignature1", _PROTECTED, _byte_head(len(aad)), aad, _byte_head(len(payload)), payload))


def _byte_head(size: int) -> bytes:
    if size < 24:
        return bytes((0x40 + size,))
    if size < 256:
        return bytes((0x58, size))
    return b"\x59" + size.to_bytes(2, "big") if size < 65_536 else b"\x5a" + size.to_bytes(4, "big")


def _bytes_of(value: object) -> bytes:
    return encoding.encode(value)
