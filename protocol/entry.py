"""A log's entry: 37 bytes that commit to a record without holding it.

    flag (1 byte: 0 public, 1 not) ‖ logged (4 bytes: minutes since 1970, big-endian) ‖ SHA-256 of the record (32 bytes)

Entries are the leaves of the log's Merkle tree (RFC 9162). `logged` never falls from entry to entry; it is the log's own
time, on which terms and closings are measured. A record can be withheld while its entry stands.

>>> Entry(0, 29_000_000, bytes(32)).encode().hex()[:12]
'0001ba814000'
"""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct

SIZE = 37
MINUTE_MS = 60_000


class EntryError(Exception):
    """Bytes that are no entry of a log."""


class Entry(Struct, frozen=True):
    """One entry; `logged` in minutes since 1970."""

    flag: int
    logged: int
    digest: bytes

    @property
    def logged_ms(self) -> int:
        """The entry's time in milliseconds since 1970."""
        return self.logged * MINUTE_MS

    def encode(self) -> bytes:
        """The 37 bytes."""
        return self.flag.to_bytes(1, "big") + self.logged.to_bytes(4, "big") + self.digest

    @staticmethod
    def decode(data: bytes) -> Entry:
        """The entry of 37 bytes; EntryError for anything else."""
        if len(data) != SIZE or data[0] > 1:
            raise EntryError("a log's entry has 37 bytes and begins with 0 or 1")
        return Entry(data[0], int.from_bytes(data[1:5], "big"), data[5:])

    def leaf_hash(self) -> bytes:
        """The entry's hash as a leaf of the tree."""
        return sha256(b"\x00" + self.encode()).digest()
