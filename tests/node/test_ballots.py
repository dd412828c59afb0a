"""Hidden answers on a real node: sealed on the way in, shown to those whose own is in if the round says so, opened at the close."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from node.ballots import opened, shown_to
from node.clock import MovedClock
from node.clockwork import Clockwork
from node.export import export
from node.home import Home
from protocol.deciding import OUTCOMES, ROUNDS, VOTES, Round
from protocol.keys import SigningKey
from protocol.page import Grid
from protocol.practice import Refused

DAY, START = 86_400_000, 1_790_000_000_000
ANSWERS = ("endorse", "along", "oppose")


class Mill:
    """A node with a few members, and a round on it."""

    def __init__(self, folder: Path, hidden: str) -> None:
        self.clock = MovedClock(START, running=False)
        self.home = Home.found(folder, "The Mill", "Ada", self.clock)
        self.people = [self.home.key_files.key()]
        for at in range(3):
            self.people.append(self.arrive(bytes([at + 1]) * 32))
        self.clock.move(2 * 60_000)
        body = {"title": "A kettle", "text": "We buy a kettle.", "why": "Ours leaks."}
        self.proposal = self.submit("decision.proposed/1", body)
        call = {"proposal": self.proposal.hex(), "version": 1, "type": "gradients", "hidden": hidden}
        self.called = self.submit("decision.called/1", call)

    def arrive(self, seed: bytes) -> SigningKey:
        key, secret = SigningKey(seed), seed[:16]
        expires = (self.clock.now_ms() + DAY) // 60_000 * 60_000
        self.submit("member.invited/1", {"hash": sha256(secret).hexdigest(), "expires_ms": expires})
        self.home.actions.submit("member.joined/1", {"secret": secret.hex()}, key)
        return key

    def submit(self, kind: str, body: dict[str, Any], who: int = 0) -> bytes:
        return self.home.actions.submit(kind, body, self.people[who]).digest

    def vote(self, who: int, choice: str, **more: Any) -> bytes:
        return self.submit("vote.cast/1", {"round": self.called.hex(), "choice": choice, **more}, who)

    @property
    def round(self) -> Round:
        row = self.home.view().get(ROUNDS, self.called)
        assert row is not None
        return row

    def shown(self, who: int) -> dict[bytes, str]:
        blocks = list(shown_to(self.home, self.home.view(), self.called, self.people[who].public))
        return {row[0].id: row[1] for block in blocks if isinstance(block, Grid) for row in block.rows}  # type: ignore[union-attr,misc]  # who and what


@pytest.fixture(params=["own", "close"])
def mill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mill]:
    made = Mill(tmp_path / "mill", request.param)
    yield made
    made.home.close()


def test_an_answer_is_sealed_on_the_way_in_and_stands_nowhere_in_the_clear(mill: Mill, tmp_path: Path) -> None:
    for who, answer in enumerate(ANSWERS):
        mill.vote(who, answer)
    mill.vote(0, ANSWERS[1], for_member=mill.people[3].public.hex())
    rows = mill.home.view().all(VOTES)
    assert {(row.choice, len(row.sealed), row.reasons) for row in rows} == {("", 112, "")}
    said: list[str] = []
    for form in ("json", "csv"):
        export(mill.home, lambda _, text: said.append(text), {"format": form, "audience": "members"})
    assert said
    kept = "".join(said).encode() + b"".join(path.read_bytes() for path in (tmp_path / "mill").glob("node.db*"))
    assert mill.called in kept
    found = [kept[max(0, kept.find(answer.encode()) - 60) :][:140] for answer in ANSWERS if answer.encode() in kept]
    assert not found


def test_own_shows_the_others_answers_to_those_whose_own_is_in_and_close_to_nobody(mill: Mill) -> None:
    mill.vote(1, "along")
    assert mill.shown(0) == {}
    mill.vote(0, "endorse")
    seen = mill.shown(0)
    if mill.round.hidden == "own":
        assert seen == {mill.people[1].public: "I do not like it and will go along", mill.people[0].public: "Wholehearted yes"}
        assert mill.shown(2) == {}
        assert list(shown_to(mill.home, mill.home.view(), mill.called, None)) == []
    else:
        assert seen == {}
        assert opened(mill.home, mill.home.view(), mill.round) == {}


def test_reasons_would_give_an_answer_away(mill: Mill) -> None:
    with pytest.raises(Refused, match="reasons would give yours away"):
        mill.vote(0, "oppose", reasons="It is too dear")
    with pytest.raises(Refused, match="one of endorse"):
        mill.vote(0, "perhaps")


def test_the_secret_comes_only_when_the_round_is_over_and_then_the_answers_are_counted(mill: Mill) -> None:
    for who, choice in enumerate(("endorse", "along", "oppose")):
        mill.vote(who, choice)
    draft = mill.home.actions.draft("decision.closed/1", {"round": mill.called.hex()})
    assert draft.body.secret == b""  # type: ignore[attr-defined]  # of this kind's body
    with pytest.raises(Refused, match="open until"):
        mill.submit("decision.closed/1", {"round": mill.called.hex()})
    mill.clock.move(8 * DAY)
    outcome = mill.home.view().get(OUTCOMES, mill.submit("decision.closed/1", {"round": mill.called.hex()}))
    assert outcome is not None
    assert (outcome.result, outcome.in_favour, outcome.answered) == ("accepted", 2, 3)
    assert mill.shown(0) == {}


def test_the_clock_opens_and_counts_what_is_over(mill: Mill) -> None:
    for who in range(3):
        mill.vote(who, "endorse")
    mill.clock.move(8 * DAY)
    assert "decision.closed/1" in Clockwork(mill.home).turn().done
    (outcome,) = mill.home.view().all(OUTCOMES)
    assert (outcome.result, outcome.spoiled) == ("accepted", 0)
