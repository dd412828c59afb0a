"""Mandates: what a decision lets be done, once, by whichever member does it; and which acts a role keeps to itself.

- A decision that is accepted gives a grant to `ANYBODY`, by the name of one exact act (`act_name`): its kind, its structure,
  and the members whom it concerns. Whoever is a member may then write that act and no other, once; the grant ends with it.
- Words are not part of the name: they can be erased, and how something is said is left to who says it.
- Whom an act concerns (`Kind.concerns`) is part of the name, so that a decision in which they had a vote does not cover it.
- A kind that takes a decision (`DECISION`) is in nobody's hands: no grant by that name is ever given.
- A kind that is a duty (`Kind.duty`) belongs to a role as long as there is one with it (`RESERVED`); membership is not enough
  then. While its holder steps back (`RESTS`), whoever has a `STAND_IN` of the same source may what they might.

Example::

    act_name("role.recalled/1", {"term": b"..."}, [holder])     # "act:5c0f..."
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from protocol import encoding

ANYBODY = bytes(32)
CLOCK, DECISION, STAND_IN = "clock", "decision", "stand-in"
EXACT = "act:"


def act_name(kind: str, structure: Mapping[str, Any], concerned: Iterable[bytes] = ()) -> str:
    """The name of the grant for one exact act; EncodingError if its structure cannot stand in a record."""
    return act_name_of(kind, encoding.encode(dict(structure)), concerned)


def act_name_of(kind: str, structure: bytes, concerned: Iterable[bytes] = ()) -> str:
    """As `act_name`, from the structure's canonical bytes."""
    return EXACT + sha256(encoding.encode([kind, structure, sorted(set(concerned))])).hexdigest()
