"""Keys: Ed25519 by PyNaCl (libsodium) only, one verifier for everything.

A public key is checked once as a point of the main subgroup; with that, all twelve known odd signatures on which
libraries differ are refused (https://eprint.iacr.org/2020/1244). A node's keys come from one seed, one a purpose, by
HKDF-SHA-256 (RFC 5869) with an empty salt and `info` = "archipelago/key/" + purpose.

>>> key = derive(bytes(32), "log")
>>> verify(key.public, b"message", key.sign(b"message"))
True
"""

from __future__ import annotations

import hmac
from functools import lru_cache
from hashlib import sha256
from typing import Annotated

from msgspec import Meta, Struct
from nacl import bindings
from nacl.exceptions import BadSignatureError

PURPOSES = ("identity", "log", "witness", "mirror")


class SigningKey:
    """An Ed25519 key pair from its 32-byte seed."""

    __slots__ = ("_secret", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise ValueError("an Ed25519 seed has 32 bytes")
        self.seed = seed
        self.public, self._secret = bindings.crypto_sign_seed_keypair(seed)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of a message."""
        return bindings.crypto_sign(message, self._secret)[:64]

    def __repr__(self) -> str:
        return f"SigningKey({self.public.hex()[:8]}…)"


@lru_cache(maxsize=65_536)
def valid_point(public: bytes) -> bool:
    """Whether these 32 bytes are a public key that may be trusted to mean one thing."""
    return len(public) == 32 and bool(bindings.crypto_core_ed25519_is_valid_point(public))


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the 64-byte signature over the message is genuine under the public key."""
    if len(signature) != 64 or not valid_point(public):
        return False
    try:
        bindings.crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


def derive_bytes(seed: bytes, info: str, length: int = 32) -> bytes:
    """HKDF-SHA-256 with an empty salt: up to 8,160 bytes for one use of a seed."""
    key = hmac.digest(bytes(32), seed, "sha256")
    out, block = b"", b""
    for counter in range(1, -(-length // sha256().digest_size) + 1):
        block = hmac.digest(key, block + info.encode() + bytes([counter]), "sha256")
        out += block
    return out[:length]


def derive(seed: bytes, purpose: str) -> SigningKey:
    """The signing key for one purpose of a seed."""
    return SigningKey(derive_bytes(seed, f"archipelago/key/{purpose}"))


class PublicKeys(Struct, frozen=True, forbid_unknown_fields=True):
    """A node's public keys, 32 bytes each, as its key chain names them."""

    identity: Annotated[bytes, Meta(title="Identity", description="Signs what the node says to its peers.")]
    log: Annotated[bytes, Meta(title="Log", description="Signs the heads of the log.")]
    witness: Annotated[bytes, Meta(title="Witness", description="Cosigns heads of others: they extend the one it saw.")]
    mirror: Annotated[bytes, Meta(title="Mirror", description="Cosigns heads of others: it holds all that they cover.")]


class NodeKeys(Struct, frozen=True):
    """A node's signing keys, one a purpose."""

    identity: SigningKey
    log: SigningKey
    witness: SigningKey
    mirror: SigningKey

    @staticmethod
    def derive(seed: bytes) -> NodeKeys:
        """All keys of a node from its 32-byte seed."""
        return NodeKeys(*(derive(seed, purpose) for purpose in PURPOSES))

    @property
    def public(self) -> PublicKeys:
        """The public halves."""
        return PublicKeys(self.identity.public, self.log.public, self.witness.public, self.mirror.public)
