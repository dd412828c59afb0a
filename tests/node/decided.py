"""What all members of a node decide at once, so that somebody may do it: for tests that need an act which takes a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from node.home import Home
from protocol.body import from_json, structure_and_words
from protocol.encoding import encode
from protocol.keys import SigningKey
from protocol.practices import KINDS


def decided(home: Home, kind: str, body: Mapping[str, Any], keys: Sequence[SigningKey]) -> bytes:
    """Proposed, called, agreed to by everybody, counted, and done by the first; the act's record."""
    known = KINDS[kind]
    structure = encode(structure_and_words(from_json(known.body, body))[0]).hex()

    def submit(kind: str, body: Mapping[str, Any], key: SigningKey) -> str:
        return home.actions.submit(kind, body, key).digest.hex()

    plan = {"kind": kind, "structure": structure}
    proposing = {"title": f"On {known.title}", "text": "So be it", "why": "We talked about it", "plans": [plan]}
    proposal = submit("decision.proposed/1", proposing, keys[0])
    round_ = submit("decision.called/1", {"proposal": proposal, "version": 1, "type": "majority"}, keys[0])
    for key in keys:
        submit("vote.cast/1", {"round": round_, "choice": "yes"}, key)
    submit("decision.closed/1", {"round": round_}, keys[0])
    return home.actions.submit(kind, body, keys[0]).digest
