"""Counting: against a second counter written apart from the first, over thousands of answers; and each rule by a small case."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from protocol import ballot
from protocol.deciding import OUTCOMES, Outcome
from protocol.membership import MEMBERSHIPS, Membership
from protocol.practice import FOREVER_MS, GRANTS, PUBLIC, Grant, Refused
from protocol.practices import KINDS
from protocol.proposal import Called, Cast, Closed, Proposed
from protocol.voting import (
    ACCEPTED,
    ADVISED,
    ANSWERS,
    REJECTED,
    STOPPED,
    TIED,
    TOO_FEW,
    TYPES,
    Ballot,
    Rules,
    Tally,
    count,
    offered,
    read_choice,
)
from tests.protocol.desk import Desk

HOUR_MS, NOW_MS, SPACE = 3_600_000, 1_772_000_040_000, b"a" * 32


def tally(
    type_: str, *choices: str, options: int = 0, people: int = 0, quorum: int = 50, share: int = 50, hands: int = 1
) -> Tally:
    keys = [bytes([at]) * 32 for at in range(max(people, len(choices)))]
    given = [Ballot(key, key, choice) for key, choice in zip(keys, choices, strict=False) if choice]
    return count(Rules(type_, options, quorum, share, hands), set(keys), given)


# The second counter: from events to a result, with no line in common


def second_count(
    rules: Rules, voters: Sequence[bytes], gone: set[bytes], events: Sequence[tuple[bytes, bytes, str]]
) -> tuple[str, int, int, int, int]:
    """(result, option, eligible, answered, in favour) from (hand, member, answer) in the order in which they were sent."""
    last: dict[bytes, tuple[bytes, str]] = {}
    for hand, member, answer in events:
        if not {member, hand} <= set(voters) or (hand != member and member in last and last[member][0] == member):
            continue
        last[member] = (hand, answer)
    there = [member for member in voters if member not in gone]
    papers = [last[member] for member in there if member in last]
    by = Counter(paper[1] for paper in papers)
    favour: list[bytes] = []
    result, option, sort = REJECTED, 0, rules.type
    if sort == "ranked":
        orders = [paper[1].split() for paper in papers if paper[1] != "abstain"]
        rank = [{o: (order.index(o) if o in order else 99) for o in map(str, range(1, rules.options + 1))} for order in orders]
        wins = {
            a: {b: sum(r[a] < r[b] for r in rank) for b in map(str, range(1, rules.options + 1))}
            for a in map(str, range(1, rules.options + 1))
        }
        best = [a for a in wins if all(wins[a][b] > wins[b][a] for b in wins if b != a)]
        result = ACCEPTED if best else TIED if any(any(row.values()) for row in wins.values()) else REJECTED
        option = int(best[0]) if best else 0
        if best:
            favour = [
                hand
                for hand, answer in papers
                if answer != "abstain"
                and best[0] in answer.split()
                and (answer.split()[-1] != best[0] or len(answer.split()) < rules.options)
            ]
    elif rules.options:
        named = {o: by[str(o)] for o in range(1, rules.options + 1)}
        order = sorted(named.values(), reverse=True)
        if order[0] and order[0] == order[1]:
            result = TIED
        elif order[0] > sum(order) / 2 and order[0] >= rules.share_percent * sum(order) / 100:
            result, option = ACCEPTED, next(o for o in named if named[o] == order[0])
            favour = [hand for hand, answer in papers if answer == str(option)]
    else:
        yes = {
            "consent": "agree concern",
            "consensus": "agree",
            "advice": "support",
            "majority": "yes",
            "gradients": "endorse agree reserved along",
        }[sort].split()
        no = {"consent": "", "consensus": "aside", "advice": "against", "majority": "no", "gradients": "talk oppose"}[
            sort
        ].split()
        favour = [hand for hand, answer in papers if answer in yes]
        f, a, stops = len(favour), sum(by[word] for word in no), by["object"] + by["block"]
        if sort == "advice":
            result = ADVISED
        elif stops:
            result = STOPPED
        elif sort == "consent":
            result = ACCEPTED if f else REJECTED
        elif sort == "consensus":
            result = ACCEPTED if f and f / (f + a) >= rules.share_percent / 100 else REJECTED
        else:
            result = TIED if f == a and f else ACCEPTED if f > a and f >= (f + a) * rules.share_percent / 100 else REJECTED
    if sort != "advice" and (not there or len(papers) / len(there) < rules.quorum_percent / 100):
        result, option = TOO_FEW, 0
    elif result == ACCEPTED and len(set(favour)) < rules.hands:
        result, option = REJECTED, 0
    return result, option, len(there), len(papers), len(favour)


class Booth:
    """One round in a space of its own, through the rules; some came late, some go, some are concerned."""

    def __init__(self, rng: random.Random, type_: str, options: int, hidden: Any, quorum: int, share: int) -> None:
        self.rng, self.desk, self.hidden = rng, Desk(), hidden
        people = [bytes([at + 1]) * 32 for at in range(rng.choice([1, 2, 3, 3, 5, 8, 13]))]
        self.late: set[bytes] = set(people[1:][:1]) if rng.random() < 0.3 else set()
        self.gone: set[bytes] = set()
        for at, member in enumerate(people):
            admitted = NOW_MS + HOUR_MS if member in self.late else NOW_MS - HOUR_MS
            self._put(MEMBERSHIPS.put(Membership(1, member, at + 1, member, None, admitted, admitted, FOREVER_MS, "", "", "")))
        self._put(GRANTS.put(Grant(1, b"g" * 32, "member", people[0], 0, FOREVER_MS, 0, False, "")))
        self.people, self.voters = people, [member for member in people if member not in self.late]
        labels = [f"way {number}" for number in range(options)]
        proposal = self._write("decision.proposed/1", Proposed("Title", "Text", "Why", options=labels), people[0], NOW_MS)
        secret, salt = bytes(range(32)), b"s" * 16
        self.secret = b"" if hidden == "open" else secret
        key = b"" if hidden == "open" else ballot.public_of(secret)
        call = Called(
            proposal, 1, type_, hidden, 0, quorum, share, key=key, salt=b"" if hidden == "open" else salt,  # type: ignore[arg-type]  # a literal
        )  # fmt: skip
        self.round = self._write("decision.called/1", call, people[0], NOW_MS)
        self.events: list[tuple[bytes, bytes, str]] = []
        self.others: dict[bytes, set[bytes]] = {}

    def _put(self, change: Any) -> None:
        self.desk.put(self.desk.meet(SPACE), PUBLIC, change)

    def _write(self, kind: str, body: Any, member: bytes, at_ms: int) -> bytes:
        return self.desk.write(KINDS[kind], body, space=SPACE, member=member, logged_ms=at_ms)

    def vote(self, answer: str) -> None:
        """Somebody sends something: for themselves or another, in time, again, or wrongly."""
        rng = self.rng
        hand = rng.choice(self.people)
        member = rng.choice(self.people) if rng.random() < 0.2 else hand
        if member != hand:
            self.others.setdefault(hand, set()).add(member)
            if len(self.others[hand]) > 2:
                return
        self.events.append((hand, member, answer))
        other = None if member == hand else member
        body = Cast(self.round, answer, other)
        if self.hidden != "open":
            box = ballot.seal(ballot.public_of(self.secret), self.round, member, answer, rng.randbytes(32))
            body = Cast(self.round, "", other, box if answer else rng.randbytes(112))
        try:
            self._write("vote.cast/1", body, hand, NOW_MS + 2 * HOUR_MS)
        except Refused:
            return

    def close(self) -> Outcome:
        """Some go first."""
        over_ms = NOW_MS + 8 * 24 * HOUR_MS
        self.gone = {member for member in self.people[1:] if self.rng.random() < 0.1}
        for member in self.gone:
            self._put(MEMBERSHIPS.patch(member, ended_ms=over_ms - 3 * 24 * HOUR_MS))
        digest = self._write("decision.closed/1", Closed(self.round, self.secret), self.people[0], over_ms)
        row = self.desk.view(SPACE).get(OUTCOMES, digest)
        assert row is not None
        return row


def _answers(rng: random.Random, type_: str, options: int, hidden: str) -> str:
    """Any answer that a round takes, some more likely than others; a spoiled one where nobody can see it."""
    if hidden != "open" and rng.random() < 0.05:
        return ""
    if rng.random() < 0.1:
        return "abstain"
    if type_ == "ranked":
        numbers = [str(number) for number in range(1, options + 1)]
        return " ".join(rng.sample(numbers, rng.randrange(1, options + 1)))
    if options:
        return str(min(options, rng.choice([1, 1, 2, 2, 3])))
    words = [answer.word for answer in offered(type_, 0)]
    return rng.choice([words[0], words[0], *words[:-1], *(words if rng.random() < 0.3 else [])])


@pytest.mark.parametrize("type_", TYPES)
def test_counts_equal_those_of_a_second_counter_over_thousands_of_random_answers(type_: str) -> None:
    rng = random.Random(type_)
    results: Counter[str] = Counter()
    sent = 0
    while sent < 1700:
        options = rng.choice([2, 3, 4]) if type_ == "ranked" or (type_ == "majority" and rng.random() < 0.5) else 0
        hidden = rng.choice(["open", "own", "close"])
        quorum, share = rng.choice([50, 60, 100]), rng.choice([75, 90] if type_ == "consensus" else [50, 67, 100])
        booth = Booth(rng, type_, options, hidden, quorum, share)
        for _ in range(rng.randrange(3 * len(booth.people) + 1)):
            booth.vote(_answers(rng, type_, options, hidden))
        row = booth.close()
        rules = Rules(type_, options, quorum, share, 1)
        expected = second_count(rules, booth.voters, booth.gone, booth.events)
        assert (row.result, row.option, row.eligible, row.answered, row.in_favour) == expected
        results[row.result] += 1
        sent += len(booth.events)
    assert len(results) >= {"advice": 1, "consent": 4, "consensus": 4}.get(type_, 3)
    assert min(results.values()) > 3


# Each rule by a small case


@pytest.mark.parametrize(
    ("type_", "choices", "result"),
    [
        ("consent", ("agree", "concern", "abstain"), ACCEPTED),
        ("consent", ("agree", "agree", "object"), STOPPED),
        ("consent", ("abstain", "abstain"), REJECTED),
        ("consensus", ("agree", "agree", "agree", "aside"), ACCEPTED),
        ("consensus", ("agree", "agree", "aside"), REJECTED),
        ("consensus", ("agree", "agree", "block"), STOPPED),
        ("advice", ("against", "against", "support"), ADVISED),
        ("majority", ("yes", "yes", "no"), ACCEPTED),
        ("majority", ("yes", "no"), TIED),
        ("majority", ("yes", "no", "no"), REJECTED),
        ("majority", ("abstain", "abstain"), REJECTED),
        ("gradients", ("endorse", "along", "oppose"), ACCEPTED),
        ("gradients", ("endorse", "talk"), TIED),
        ("gradients", ("endorse", "endorse", "block"), STOPPED),
    ],
)
def test_a_type_comes_to_the_result_that_its_explanation_promises(type_: str, choices: tuple[str, ...], result: str) -> None:
    share = 75 if type_ == "consensus" else 50
    assert tally(type_, *choices, share=share).result == result


def test_a_quorum_counts_who_answered_also_those_who_abstain_or_spoil() -> None:
    assert tally("majority", "yes", people=2).result == ACCEPTED
    assert tally("majority", "yes", people=3).result == TOO_FEW
    assert tally("majority", "yes", "abstain", people=4).result == ACCEPTED
    spoiled = tally("majority", "yes", "perhaps", people=4)
    assert (spoiled.result, spoiled.spoiled, spoiled.answered) == (ACCEPTED, 1, 2)
    assert tally("majority", people=0).result == TOO_FEW
    assert tally("advice", people=4).result == ADVISED


def test_a_share_of_two_thirds_takes_two_thirds_of_those_on_a_side() -> None:
    assert tally("majority", "yes", "yes", "no", share=67).result == REJECTED
    assert tally("majority", "yes", "yes", "yes", "no", "abstain", share=67).result == ACCEPTED
    assert tally("majority", "yes", "no", share=67).result == TIED


def test_of_several_options_the_one_with_more_than_half_is_chosen_and_two_that_lead_are_a_tie() -> None:
    one = tally("majority", "2", "2", "1", options=3)
    assert (one.result, one.option, one.in_favour) == (ACCEPTED, 2, 2)
    assert tally("majority", "2", "2", "1", "1", options=3).result == TIED
    assert tally("majority", "2", "2", "1", "3", "abstain", options=3).result == REJECTED


def test_ranked_takes_the_option_that_beats_each_other_one_whatever_the_order_of_the_papers() -> None:
    for papers in permutations(("1 2 3", "2 3 1", "2 1 3")):
        found = tally("ranked", *papers, options=3)
        assert (found.result, found.option) == (ACCEPTED, 2)
    circle = tally("ranked", "1 2 3", "2 3 1", "3 1 2", options=3)
    assert (circle.result, circle.option) == (TIED, 0)
    assert dict(circle.lines)["1>2"] == 2
    assert tally("ranked", "1", "2", options=2).result == TIED
    assert tally("ranked", "abstain", "abstain", options=2).result == REJECTED


def test_who_ranks_the_chosen_option_last_is_not_in_favour_of_it() -> None:
    found = tally("ranked", "1 2", "1 2", "2 1", options=2)
    assert (found.option, found.in_favour) == (1, 2)


def test_answers_in_one_hand_are_one_in_favour() -> None:
    ada, bo, cy = b"a" * 32, b"b" * 32, b"c" * 32
    rules = Rules("consent", 0, 50, 50, 2)
    alone = [Ballot(ada, ada, "agree"), Ballot(bo, ada, "agree"), Ballot(cy, ada, "agree")]
    assert count(rules, {ada, bo, cy}, alone).result == REJECTED
    assert count(rules, {ada, bo, cy}, [*alone, Ballot(cy, cy, "agree")]).result == ACCEPTED


def test_an_answer_that_a_round_does_not_offer_is_refused_with_those_it_does() -> None:
    for type_ in TYPES:
        options = 3 if type_ == "ranked" else 0
        for answer in ANSWERS[type_]:
            assert read_choice(type_, options, f" {answer.word.upper()} ") == (answer.word,)
        for wrong in ("", "perhaps", "agree agree", "0", "4", "1 1", "1 abstain"):
            with pytest.raises(Refused, match="Answer: "):
                read_choice(type_, options, wrong)
    assert read_choice("ranked", 3, "3, 1") == ("3", "1")
    assert read_choice("majority", 3, "3") == ("3",)
    with pytest.raises(Refused, match="one option, from 1 to 3"):
        read_choice("majority", 3, "1 2")
