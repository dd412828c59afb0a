"""Sealed ballots: an answer that nobody reads before its round is closed, and everybody can count after.

A round that hides its answers names a public key. A ballot is 64 bytes under libsodium's sealed box (112 bytes with its
overhead, whatever the answer): a tag that binds it to this round and this member, and the answer as text, filled up with zeros.
At the close the key's 32-byte secret is published; with it anybody opens every ballot and counts again.

- The box is that of ``crypto_box_seal`` (X25519, XSalsa20-Poly1305; nonce = BLAKE2b-192 of both public keys), made with given
  randomness.
- A ballot that does not open, or whose tag names another round or member, is spoiled: a copy of somebody's counts for nobody.
- What it does not do: whoever holds the node's seed can open ballots before the close. It hides them from pages, peers,
  exports and other members, not from a keeper of the node who means to look.

>>> public = public_of(bytes(32))
>>> box = seal(public, b"r" * 32, b"m" * 32, "agree", bytes(range(32)))
>>> len(box), open_(bytes(32), b"r" * 32, b"m" * 32, box), open_(bytes(32), b"r" * 32, b"x" * 32, box)
(112, 'agree', '')

Source: libsodium, "Sealed boxes" (doc.libsodium.org/public-key_cryptography/sealed_boxes).
"""

from __future__ import annotations

import hmac
from hashlib import blake2b, sha256

from nacl import bindings
from nacl.exceptions import CryptoError

from protocol.practice import Refused

SIZE = 112
_TEXT = 32
_TAG = b"archipelago/ballot/1"
_LABEL = b"archipelago/ballot-key/1"


def label(proposal: bytes, salt: bytes) -> bytes:
    """From what a node derives the secret of one round; the salt is drawn for it, so no round shares a key with another."""
    return _LABEL + proposal + salt


def public_of(secret: bytes) -> bytes:
    """The key to which the ballots of a round are sealed, from its 32-byte secret."""
    return bindings.crypto_box_seed_keypair(secret)[0]


def seal(public: bytes, round_: bytes, member: bytes, choice: str, random: bytes) -> bytes:
    """A member's answer in a sealed box; `random` gives 32 bytes."""
    text = choice.encode()
    if len(text) > _TEXT:
        raise Refused("Answer: that is too long. Write a word, or numbers like “2 1 3”.")
    once, key = bindings.crypto_box_seed_keypair(random)
    try:
        box = bindings.crypto_box(_tag(round_, member) + text.ljust(_TEXT, b"\0"), _nonce(once, public), public, key)
    except CryptoError as error:
        raise Refused("The key of this round cannot seal a ballot, so nobody can vote in it. Ask for a new call.") from error
    return once + box


def open_(secret: bytes, round_: bytes, member: bytes, box: bytes) -> str:
    """The answer in a sealed box; "" if it is spoiled."""
    public, key = bindings.crypto_box_seed_keypair(secret)
    try:
        plain = bindings.crypto_box_seal_open(box, public, key)
        text = plain[_TEXT:].rstrip(b"\0").decode()
    except (CryptoError, TypeError, ValueError):
        return ""
    return text if len(plain) == 2 * _TEXT and hmac.compare_digest(plain[:_TEXT], _tag(round_, member)) else ""


def _tag(round_: bytes, member: bytes) -> bytes:
    return sha256(_TAG + round_ + member).digest()


def _nonce(once: bytes, public: bytes) -> bytes:
    return blake2b(once + public, digest_size=24).digest()
