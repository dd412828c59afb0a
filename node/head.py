"""The head file: the newest head this node has signed, durable before that head leaves the node.

It lies beside the database, not in it and not in its backups, so a database that was put back from a copy is seen to be
behind. Two slots are written in turn, in place, each with its own hash: a torn write spoils one slot only, and no rename
or directory sync is needed. The file also lists the peers, so that a node with no database left knows whom to ask.

A slot is 64 KiB: SHA-256 of what follows, length (4 bytes), then [counter, space, epoch, size, root, peers] in CBOR,
with peers as [space, url, identity key] each.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from federation.storage import StorageError
from protocol import encoding

SLOT = 65_536


class HeadFileError(StorageError):
    """The head file cannot be read or written; the message says what to do."""


class KnownPeer(Struct, frozen=True, array_like=True):
    """Whom to ask when the database is gone."""

    space: bytes
    url: str
    identity: bytes


class Signed(Struct, frozen=True, array_like=True):
    """The newest head that this node signed, and its peers at that time."""

    counter: int
    space: bytes
    epoch: int
    size: int
    root: bytes
    peers: tuple[KnownPeer, ...] = ()


class HeadFile:
    """The two slots."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Signed | None:
        """The newer slot that is whole, or None if nothing was ever signed."""
        if not self.path.exists():
            return None
        data = self.path.read_bytes()
        found = [slot for slot in (_decode(data[:SLOT]), _decode(data[SLOT : 2 * SLOT])) if slot]
        if not found and data.strip(b"\x00"):
            raise HeadFileError(
                f"{self.path} holds no readable head. The node does not sign before its peers have said how far its log went."
            )
        return max(found, key=lambda slot: slot.counter, default=None)

    def write(self, space: bytes, epoch: int, size: int, root: bytes, peers: Sequence[KnownPeer]) -> None:
        """Make a head durable; returns when it is. Never goes back in size within an epoch."""
        last = self.read()
        if last and last.space == space and (epoch, size) < (last.epoch, last.size):
            raise HeadFileError(f"A head of size {last.size} was signed; size {size} would go behind it.")
        signed = Signed(last.counter + 1 if last else 0, space, epoch, size, root, tuple(peers))
        body = _encode(signed)
        while len(body) > SLOT:
            signed = msgspec.structs.replace(signed, peers=signed.peers[: len(signed.peers) // 2])
            body = _encode(signed)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.pwrite(file, body, (signed.counter % 2) * SLOT)
            os.fdatasync(file)
        finally:
            os.close(file)


def _encode(signed: Signed) -> bytes:
    body = encoding.encode(msgspec.to_builtins(signed, builtin_types=(bytes,)))
    counted = len(body).to_bytes(4, "big") + body
    return sha256(counted).digest() + counted


def _decode(slot: bytes) -> Signed | None:
    if len(slot) < 36:
        return None
    length = int.from_bytes(slot[32:36], "big")
    counted = slot[32 : 36 + length]
    if len(counted) != 4 + length or sha256(counted).digest() != slot[:32]:
        return None
    try:
        value: Any = encoding.decode(counted[4:])
        return msgspec.convert(value, Signed, builtin_types=(bytes,))
    except (encoding.DecodeError, msgspec.ValidationError):
        return None
