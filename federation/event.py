"""What comes of talks between nodes, for whoever runs them: pages to refresh, peers to call, warnings to show."""

from __future__ import annotations

from msgspec import Struct


class OwnHead(Struct, frozen=True):
    """What a peer holds of our own log: size and the beginning of the root, or all of it (size 0: nothing it can show).

    A head that our own log does not agree with is told only once it was seen to be signed by our key.
    """

    peer: bytes
    size: int
    root: bytes


class Moved(Struct, frozen=True):
    """A peer says that a log has moved: talk to it soon."""

    peer: bytes
    space: bytes
    size: int


class Grown(Struct, frozen=True):
    """New entries of a log, or records that were withheld before, were kept."""

    space: bytes
    size: int


class ForkSeen(Struct, frozen=True):
    """A space signed two histories; the evidence is kept."""

    space: bytes


class NewCosignature(Struct, frozen=True):
    """A peer cosigned one of our heads."""

    peer: bytes


Event = OwnHead | Moved | Grown | ForkSeen | NewCosignature
