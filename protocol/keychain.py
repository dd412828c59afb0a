"""The key chain: who may sign a space's heads, from its founding record on.

The founding record's SHA-256 is the space's id, so it proves itself. Each rotation after it is a record signed by the
root key, or by the next root whose hash was committed before; it names the node's new keys and the last good head, and
opens an epoch. A key chain is checked without any head and without any network:

- record 0 is ``space.founded/1``, signed by the root that it names;
- record n is ``space.keys-rotated/1``, signed (with the space's id bound) by the root in force or by the key whose
  hash the chain named as next root, which then is the root; its epoch is n and its heads do not shrink.

>>> founding = Founded("Isle", bytes(32), PublicKeys(*[bytes(32)] * 4), bytes(32), bytes(32), bytes(32))
>>> founding.name
'Isle'
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Struct

from protocol import encoding, record
from protocol.keys import PublicKeys, valid_point
from protocol.practice import Digest, MemberKey, field

FOUNDED = "space.founded/1"
ROTATED = "space.keys-rotated/1"
MAX_ROTATIONS = 256
T = TypeVar("T", bound=Struct)


class KeyChainError(Exception):
    """Records that are no key chain of the space they are said to be of."""


class Founded(Struct, frozen=True, forbid_unknown_fields=True):
    """What founds a space."""

    name: Annotated[
        str, field("Name of the collective", "As others will see it.", example="Harbour House", min_length=1, max_length=80)
    ]
    founder: Annotated[MemberKey, field("First member", "The public key of whoever founds.")]
    keys: Annotated[PublicKeys, field("Keys of the node", "One a purpose.")]
    root: Annotated[Digest, field("Root key", "It signs this record; its words are on paper.", widget="key")]
    next_root: Annotated[Digest, field("Next root", "The SHA-256 of the key that can take its place.", widget="key")]
    recovery: Annotated[Digest, field("Recovery key", "What sealed copies are sealed to.", widget="key")]


class KeysRotated(Struct, frozen=True, forbid_unknown_fields=True):
    """New keys for a space, and the head from which its new epoch goes on."""

    epoch: Annotated[int, field("Epoch", "One more than the last.", ge=1, le=MAX_ROTATIONS)]
    keys: Annotated[PublicKeys, field("New keys of the node", "One a purpose.")]
    root: Annotated[Digest, field("Root key", "The key that signs this record.", widget="key")]
    next_root: Annotated[Digest, field("Next root", "The SHA-256 of the key that can take its place.", widget="key")]
    recovery: Annotated[Digest, field("Recovery key", "What sealed copies are sealed to.", widget="key")]
    size: Annotated[int, field("Last good size", "How many entries the new epoch goes on from.", ge=1)]
    head: Annotated[Digest, field("Last good root", "The tree's root at that size.", widget="key")]


class Epoch(Struct, frozen=True):
    """The keys in force from one rotation to the next, and the head that this epoch goes on from."""

    number: int
    keys: PublicKeys
    root: bytes
    next_root: bytes
    recovery: bytes
    size: int
    head: bytes


class KeyChain(Struct, frozen=True):
    """A checked key chain."""

    space: bytes
    name: str
    records: tuple[bytes, ...]
    epochs: tuple[Epoch, ...]

    @property
    def current(self) -> Epoch:
        """The epoch in force."""
        return self.epochs[-1]

    @property
    def digest(self) -> bytes:
        """SHA-256 over the chain's records, one after the other."""
        return sha256(b"".join(self.records)).digest()

    def encode(self) -> bytes:
        """The chain as one array of its records."""
        return encoding.encode(list(self.records))


def space_name(space: bytes) -> str:
    """The space's id as people meet it: ``isle:`` and lower-case base32 without padding."""
    return "isle:" + base64.b32encode(space).decode().rstrip("=").lower()


def parse_space(text: str) -> bytes:
    """The 32 bytes of an id; KeyChainError with what to do if it is none."""
    spelled = text.strip().removeprefix("isle:").upper()
    try:
        space = base64.b32decode(spelled + "=" * (-len(spelled) % 8))
    except ValueError as error:
        raise KeyChainError(f"“{text}” is not a space's id. It looks like isle: and 52 letters and digits.") from error
    if len(space) != 32 or space_name(space) != "isle:" + spelled.lower():
        raise KeyChainError(f"“{text}” is not a space's id. It looks like isle: and 52 letters and digits.")
    return space


def origin(space: bytes, epoch: int) -> str:
    """The origin line of the space's checkpoints in an epoch."""
    name = "isle/" + space_name(space).removeprefix("isle:")
    return name if epoch == 0 else f"{name}/{epoch}"


def parse_origin(text: str) -> tuple[bytes, int]:
    """(space, epoch) of an origin line; KeyChainError if it is none of ours, to the letter."""
    parts = text.split("/")
    if len(parts) in (2, 3) and parts[0] == "isle" and (len(parts) == 2 or re.fullmatch("[1-9][0-9]{0,2}", parts[2])):
        space, epoch = parse_space("isle:" + parts[1]), int(parts[2]) if len(parts) == 3 else 0
        if origin(space, epoch) == text:
            return space, epoch
    raise KeyChainError("not the origin of a space's log")


def decode(data: bytes, space: bytes | None = None) -> KeyChain:
    """The chain in these bytes, checked; of the given space, if one is given."""
    try:
        value = encoding.decode(data, limit=4 * 1024 * 1024)
    except encoding.DecodeError as error:
        raise KeyChainError(f"a key chain is an array of records: {error}") from error
    if not isinstance(value, list) or not all(isinstance(each, bytes) for each in value):
        raise KeyChainError("a key chain is an array of records")
    return check(value, space)


def check(records: Sequence[Any], space: bytes | None = None) -> KeyChain:
    """The key chain that these records are, or KeyChainError saying which rule they break."""
    if not 1 <= len(records) <= MAX_ROTATIONS + 1:
        raise KeyChainError("a key chain has a founding record and at most 256 rotations")
    first = _open(records[0], b"", FOUNDED)
    found = first.digest
    if space is not None and found != space:
        raise KeyChainError("this key chain is of another space")
    body = _convert(first.body, Founded)
    if first.author != body.root:
        raise KeyChainError("a founding record is signed by the root that it names")
    _check_keys(body.keys)
    epochs = [Epoch(0, body.keys, body.root, body.next_root, body.recovery, 0, sha256(b"").digest())]
    for raw in records[1:]:
        last = epochs[-1]
        signed = _open(raw, found, ROTATED)
        turned = _convert(signed.body, KeysRotated)
        if signed.author != last.root and sha256(signed.author).digest() != last.next_root:
            raise KeyChainError("a rotation is signed by the root or by the next root named before")
        if turned.root != signed.author or turned.epoch != last.number + 1 or turned.size < last.size:
            raise KeyChainError("a rotation names its signer, the next epoch, and a head that is not smaller")
        _check_keys(turned.keys)
        epochs.append(
            Epoch(turned.epoch, turned.keys, turned.root, turned.next_root, turned.recovery, turned.size, turned.head)
        )
    return KeyChain(found, body.name, tuple(records), tuple(epochs))


def _open(raw: Any, space: bytes, kind: str) -> record.Record:
    if type(raw) is not bytes:
        raise KeyChainError("a key chain is an array of records")
    try:
        opened = record.open(raw, space)
    except record.RecordError as error:
        raise KeyChainError(f"a record of the key chain is not genuine: {error}") from error
    if opened.kind != kind or opened.audience != record.PUBLIC:
        raise KeyChainError(f"a key chain holds a public {kind} here, not {opened.kind}")
    return opened


def _check_keys(keys: PublicKeys) -> None:
    named = (keys.identity, keys.log, keys.witness, keys.mirror)
    if len(set(named)) != len(named) or not all(valid_point(key) for key in named):
        raise KeyChainError("the node's four keys are valid and each another")


def _convert(body: dict[str, Any], into: type[T]) -> T:
    try:
        return msgspec.convert(body, into, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise KeyChainError(f"a record of the key chain is not in form: {error}") from error
