"""Answers of an open round that are hidden from those who have not answered: shown to a member whose own answer is in.

Ballots lie sealed in the record; the node opens them with the key that it derives from its seed, for this page alone. Nothing
is kept, and rounds that are hidden until their close are opened for nobody.

Example::

    list(shown_to(home, view, digest, member))      # [] before their own answer is in
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from node.actions import Lent
from node.home import Home
from protocol import ballot
from protocol.deciding import OWN, ROUNDS, VERSIONS, VOTES, Round
from protocol.decision_story import proposal_about
from protocol.page import Block, Cell, Grid, Heading, Text
from protocol.practice import View
from protocol.round_blocks import person, spoken


def shown_to(home: Home, view: View, digest: bytes, member: bytes | None) -> Iterator[Block]:
    """What others have answered so far, on the page of anything about that proposal; nothing to whoever has not answered."""
    row = proposal_about(view, digest)
    round_ = view.get(ROUNDS, row.round) if row and row.round and row.space == view.space else None
    if member is None or row is None or round_ is None or view.get(VOTES, round_.id, member) is None:
        return
    answers = opened(home, view, round_)
    version = view.get(VERSIONS, row.id, round_.version)
    if not answers or version is None:
        return
    rows: list[list[Cell]] = [[person(view, each), spoken(round_, choice, [version])] for each, choice in answers.items()]
    yield Heading("Answers so far")
    yield Text("You see them because yours is in. Until the round closes you can change it.")
    yield Grid("Who has answered what", ("Who", "Answer"), rows)


def opened(home: Home, view: View, round_: Round) -> dict[bytes, str]:
    """Answers by member in the order in which they came; nothing of a round that is hidden from all, or sealed elsewhere."""
    if round_.hidden != OWN or not round_.is_open:
        return {}
    secret = _lent(home).derive(ballot.label(round_.proposal, round_.salt))
    if ballot.public_of(secret) != round_.key:
        return {}
    votes = view.all(VOTES, round=round_.id, order="cast_ms")
    return {vote.member: ballot.open_(secret, round_.id, vote.member, vote.sealed) for vote in votes}


def is_sealed_here(home: Home, body: Mapping[str, Any]) -> bool:
    """Whether the ballots of a round that is to be called are sealed to this node, and not to whoever calls it."""
    values = [body.get(name) for name in ("proposal", "salt", "key")]
    proposal, salt, key = (value if isinstance(value, bytes) else b"" for value in values)
    return _lent(home).shared(ballot.label(proposal, salt)) == key


def _lent(home: Home) -> Lent:
    return Lent(home.clock, home.keys.identity.seed, b"")
