"""A backup as one encrypted file, which the node itself cannot open again once it is made.

    archipelago backup v1 ⏎
    {"space": ..., "made_ms": ..., "size": ..., "root": ..., "chain": ..., "files": [[name, bytes], ...]} ⏎    plain, signed
    80 bytes     a random key, in a sealed box to the space's recovery key (its X25519 form)
    24 bytes     header of a libsodium secretstream (XChaCha20-Poly1305) under that key
    chunks       4 bytes of length, big-endian, and the ciphertext: the files one after the other in pieces of 64 KiB,
                 the first with everything before it as additional data, the last tagged as final
    64 bytes     Ed25519 by the node's identity key over "archipelago/backup/1", the space's id and the SHA-256 of all before

So anybody can see whether a file is whole and was made by the node that its key chain names, and only three sheets of the
founding kit can open it. Names are plain file names; nothing is unpacked outside the folder that is given.

Source: libsodium, secretstream and sealed boxes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct
from nacl import bindings
from nacl.exceptions import CryptoError

from node.failure import Misuse
from protocol.keychain import KeyChain, KeyChainError, decode, space_name
from protocol.keys import SigningKey, verify

MAGIC = b"archipelago backup v1\n"
PIECE = 65_536
_SEALED, _HEADER, _SIGNATURE = 80, bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES, 64
_MOST_HEAD = 8 * 1024 * 1024
_MORE, _FINAL = (
    bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
    bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL,
)
_NAME = re.compile(r"(node\.db|seed|member-keys/[^/\x00-\x1f.][^/\x00-\x1f]{0,79})")


class BackupError(Misuse):
    """A file that is no whole backup; the message says what is wrong with it."""


class Head(Struct, frozen=True):
    """What a backup says of itself, in plain: `files` are names and sizes, in order."""

    space: str
    made_ms: int
    size: int
    root: str
    chain: str
    files: list[tuple[str, int]]

    def key_chain(self) -> KeyChain:
        """The space's key chain, checked."""
        try:
            chain = decode(bytes.fromhex(self.chain))
        except (ValueError, KeyChainError) as error:
            raise BackupError(f"The backup names no key chain that holds: {error}.") from error
        if space_name(chain.space) != self.space:
            raise BackupError("The backup's key chain is of another space than it says.")
        return chain


def write(path: Path, head: Head, folder: Path, identity: SigningKey, key: bytes) -> None:
    """Write a backup of the files that `head` lists, durably, to a new file; `key` is 32 fresh random bytes."""
    chain = head.key_chain()
    box = bindings.crypto_sign_ed25519_pk_to_curve25519(chain.current.recovery)
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    start = MAGIC + json.dumps(msgspec.to_builtins(head)).encode() + b"\n" + bindings.crypto_box_seal(key, box)
    start += bindings.crypto_secretstream_xchacha20poly1305_init_push(state, key)
    seen = sha256(start)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(start)
        aad: bytes | None = start
        for piece, last in _with_last(_pieces(folder, head.files)):
            tag = _FINAL if last else _MORE
            sealed = bindings.crypto_secretstream_xchacha20poly1305_push(state, piece, aad, tag)
            chunk = len(sealed).to_bytes(4, "big") + sealed
            seen.update(chunk)
            out.write(chunk)
            aad = None
        out.write(identity.sign(_to_be_signed(chain.space, seen.digest())))
        out.flush()
        os.fsync(out.fileno())


def check(path: Path) -> Head:
    """What a backup says of itself, after its signature: that it is whole, and made by the node that it names."""
    with path.open("rb") as file:
        head, start = _begin(file)
        seen = sha256(start)
        rest = os.fstat(file.fileno()).st_size - len(start) - _SIGNATURE
        while rest > 0:
            part = file.read(min(rest, 1 << 20))
            if not part:
                break
            rest -= len(part)
            seen.update(part)
        signature = file.read(_SIGNATURE)
    chain = head.key_chain()
    if not verify(chain.current.keys.identity, _to_be_signed(chain.space, seen.digest()), signature):
        raise BackupError("This backup is not whole: its signature does not fit it. Take another copy.")
    return head


def restore(path: Path, folder: Path, key: bytes) -> Head:
    """Unpack a backup into an empty folder with the stream's own key; BackupError if anything does not fit."""
    head = check(path)
    with path.open("rb") as file:
        _, start = _begin(file)
        state = bindings.crypto_secretstream_xchacha20poly1305_state()
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, start[-_HEADER:], key)
        pieces = _opened(file, state, start)
        held = b""
        for name, size in head.files:
            if not _NAME.fullmatch(name):
                raise BackupError(f"This backup has a file in it that no backup has: {name!r}.")
            target = folder / name
            target.parent.mkdir(mode=0o700, exist_ok=True)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                left = size
                while left:
                    held = held or next(pieces, b"")
                    if not held:
                        raise BackupError("This backup ends before all its files are there.")
                    out.write(held[:left])
                    left, held = left - len(held[:left]), held[left:]
                out.flush()
                os.fsync(out.fileno())
    return head


def stream_key(path: Path, recovery: SigningKey) -> bytes:
    """The stream's key, which the recovery key alone can take out of its box."""
    with path.open("rb") as file:
        _, start = _begin(file)
    sealed = start[-_HEADER - _SEALED : -_HEADER]
    _, secret = bindings.crypto_sign_seed_keypair(recovery.seed)
    try:
        opened: bytes = bindings.crypto_box_seal_open(
            sealed,
            bindings.crypto_sign_ed25519_pk_to_curve25519(recovery.public),
            bindings.crypto_sign_ed25519_sk_to_curve25519(secret),
        )
    except CryptoError as error:
        raise BackupError("These sheets do not open this backup: they are of another founding kit.") from error
    return opened


def _begin(file: BinaryIO) -> tuple[Head, bytes]:
    """(head, all bytes before the first chunk); the file stands behind them."""
    magic = file.read(len(MAGIC))
    line = file.readline(_MOST_HEAD)
    if magic != MAGIC or not line.endswith(b"\n"):
        raise BackupError("This is not a backup of a node.")
    try:
        head = msgspec.json.decode(line, type=Head)
    except msgspec.DecodeError as error:
        raise BackupError(f"This backup's first lines are damaged: {error}.") from error
    rest = file.read(_SEALED + _HEADER)
    if len(rest) != _SEALED + _HEADER:
        raise BackupError("This backup is cut off.")
    return head, magic + line + rest


def _opened(file: BinaryIO, state: Any, start: bytes) -> Iterator[bytes]:
    aad: bytes | None = start
    tag = _MORE
    while tag != _FINAL:
        length = int.from_bytes(file.read(4), "big")
        sealed = file.read(length)
        try:
            piece, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(state, sealed, aad)
        except (CryptoError, ValueError, RuntimeError) as error:
            raise BackupError("This backup cannot be opened: it is damaged, or sealed under another key.") from error
        aad = None
        yield piece


def _pieces(folder: Path, files: Sequence[tuple[str, int]]) -> Iterator[bytes]:
    for name, size in files:
        left = size
        with (folder / name).open("rb") as file:
            while left:
                piece = file.read(min(PIECE, left))
                if not piece:
                    raise BackupError(f"{name} became shorter while it was copied. Try again.")
                left -= len(piece)
                yield piece


def _with_last(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    held = next(pieces, b"")
    for piece in pieces:
        yield held, False
        held = piece
    yield held, True


def _to_be_signed(space: bytes, digest: bytes) -> bytes:
    return b"archipelago/backup/1" + space + digest
