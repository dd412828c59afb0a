"""Counting: what a round of answers comes to, by its type. Pure: the same answers give the same outcome on every node.

- Only members of the electorate count, each with one answer: their last. Who abstains, or whose ballot is spoiled, has answered
  (for the quorum) and is on no side.
- First the quorum, then what stops (an objection, a block), then ties, then the share, then how many hands are in favour.
- consent: accepted unless somebody objects; a concern is written down, and who stands aside is on no side.
- consensus: nobody blocks, and of those who agree or stand aside at least a share agrees.
- advice: nothing is accepted or rejected; who proposed decides with the advice.
- majority: more than half, and at least the share, of those who take a side. With several options, each names one.
- gradients: eight steps; nobody blocks, and more than half, at least the share, of those on a side are in favour.
- ranked: each two options are compared; the one that more people rank higher, against every other, is chosen. If there is
  none, it is a tie and nothing is decided. Options that somebody leaves out stand below those named, none above another.
- Hands: how many people gave the answers in favour. Answers that one person writes down for others are of that person's hand.

Example::

    count(Rules("majority", 0, 50, 50, 1), {a, b, c}, [Ballot(a, a, "yes"), Ballot(b, b, "yes"), Ballot(c, c, "no")]).result

Source of the comparison by pairs: M. J. A. N. de Condorcet, Essai sur l'application de l'analyse (1785), as in any textbook.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from protocol.practice import Refused

CONSENT, CONSENSUS, ADVICE, MAJORITY, GRADIENTS, RANKED = TYPES = (
    "consent",
    "consensus",
    "advice",
    "majority",
    "gradients",
    "ranked",
)
FOR, AGAINST, NEITHER, STOPS = "for", "against", "neither", "stops"
ACCEPTED, REJECTED, STOPPED, TIED, TOO_FEW, ADVISED = (
    "accepted",
    "not accepted",
    "objected to",
    "tied",
    "too few answers",
    "advice heard",
)
ABSTAIN = "abstain"
MOST_OPTIONS = 12


class Answer(Struct, frozen=True):
    """One of the answers that a type offers."""

    word: str  # as it is written in a record
    label: str
    side: str


_ABSTAINS = Answer(ABSTAIN, "Abstain", NEITHER)
ANSWERS: Mapping[str, tuple[Answer, ...]] = {
    CONSENT: (
        Answer("agree", "Consent", FOR),
        Answer("concern", "Consent, with a concern on record", FOR),
        Answer("aside", "Stand aside: not with me, but go on", NEITHER),
        _ABSTAINS,
        Answer("object", "Object: this would harm us, and I say how", STOPS),
    ),
    CONSENSUS: (
        Answer("agree", "Agree", FOR),
        Answer("aside", "Stand aside: not with me, but go on", AGAINST),
        _ABSTAINS,
        Answer("block", "Block: this goes against what we are", STOPS),
    ),
    ADVICE: (
        Answer("support", "Advise for it", FOR),
        Answer("against", "Advise against it", AGAINST),
        _ABSTAINS,
    ),
    MAJORITY: (Answer("yes", "Yes", FOR), Answer("no", "No", AGAINST), _ABSTAINS),
    GRADIENTS: (
        Answer("endorse", "Wholehearted yes", FOR),
        Answer("agree", "Yes, with a small remark", FOR),
        Answer("reserved", "Yes, with reservations", FOR),
        _ABSTAINS,
        Answer("talk", "Needs more talk first", AGAINST),
        Answer("along", "I do not like it and will go along", FOR),
        Answer("oppose", "No, and I will not help with it", AGAINST),
        Answer("block", "Block: this must not happen", STOPS),
    ),
    RANKED: (_ABSTAINS,),
}


class Rules(Struct, frozen=True):
    """By what a round is counted; frozen when it opens."""

    type: str
    options: int  # how many there are to choose from; 0: the proposal itself
    quorum_percent: int
    share_percent: int
    hands: int  # people in favour that it takes at least


class Ballot(Struct, frozen=True):
    """One member's answer, and who wrote it down; an answer that cannot be read is "" and spoiled."""

    member: bytes
    hand: bytes
    choice: str


class Tally(Struct, frozen=True):
    """What the count came to; `lines` are counts by answer, by option, or for a pair "1>2" how many rank 1 above 2."""

    result: str
    option: int  # the one chosen; 0: the proposal itself, or none
    lines: tuple[tuple[str, int], ...]
    eligible: int
    answered: int
    spoiled: int
    in_favour: int
    hands: int


def offered(type_: str, options: int) -> tuple[Answer, ...]:
    """The answers in words that a round offers; ranked rounds and those with options take numbers besides."""
    return (_ABSTAINS,) if type_ == MAJORITY and options else ANSWERS[type_]


def read_choice(type_: str, options: int, text: str) -> tuple[str, ...]:
    """An answer as it counts: one word, or options by number, the first preferred; Refused says what it takes."""
    parts = tuple(part for part in re.split(r"[\s,]+", text.strip().lower()) if part)
    words = [answer.word for answer in offered(type_, options)]
    if len(parts) == 1 and parts[0] in words:
        return parts
    by_number = type_ == RANKED or (type_ == MAJORITY and options > 0)
    if not by_number:
        raise Refused(f"Answer: one of {', '.join(words)}.")
    known = {str(number) for number in range(1, options + 1)}
    if type_ == MAJORITY and len(parts) != 1:
        raise Refused(f"Answer: the number of one option, from 1 to {options}, or {ABSTAIN}.")
    if not parts or not known.issuperset(parts) or len(set(parts)) != len(parts):
        raise Refused(
            f"Answer: the numbers of options, 1 to {options}, the one you prefer first, each at most once, like “2 1”;"
            f" or {ABSTAIN}."
        )
    return parts


def count(rules: Rules, electorate: Collection[bytes], ballots: Iterable[Ballot]) -> Tally:
    """What the answers of the electorate come to; of a member's answers the last one counts."""
    held = {ballot.member: ballot for ballot in ballots if ballot.member in electorate}
    read = {member: _read(rules, ballot.choice) for member, ballot in held.items()}
    spoiled = sum(choice is None for choice in read.values())
    chosen = {member: choice for member, choice in read.items() if choice}
    lines = _lines(rules, list(chosen.values()))
    result, option = _outcome(rules, dict(lines), list(chosen.values()))
    favour = [member for member, choice in chosen.items() if _favours(rules, option, choice)]
    hands = len({held[member].hand for member in favour})
    if rules.type != ADVICE and (not electorate or len(held) * 100 < rules.quorum_percent * len(electorate)):
        result, option = TOO_FEW, 0
    elif result == ACCEPTED and hands < rules.hands:
        result, option = REJECTED, 0
    return Tally(result, option, lines, len(electorate), len(held), spoiled, len(favour), hands)


def _read(rules: Rules, choice: str) -> tuple[str, ...] | None:
    try:
        return read_choice(rules.type, rules.options, choice)
    except Refused:
        return None


def _lines(rules: Rules, chosen: Sequence[tuple[str, ...]]) -> tuple[tuple[str, int], ...]:
    """How often each answer was given, in the order in which they are offered."""
    given = Counter(choice[0] for choice in chosen if rules.type != RANKED or choice[0] == ABSTAIN)
    numbers = [str(number) for number in range(1, rules.options + 1)]
    lines: list[tuple[str, int]] = []
    if rules.type == RANKED:
        lines += [(f"{a}>{b}", sum(_above(a, b, choice) for choice in chosen)) for a in numbers for b in numbers if a != b]
    elif rules.options:
        lines += [(number, given[number]) for number in numbers]
    return (*lines, *((answer.word, given[answer.word]) for answer in offered(rules.type, rules.options)))


def _above(a: str, b: str, choice: tuple[str, ...]) -> bool:
    """Whether an answer ranks one option above another; what is left out stands below what is named."""
    return a in choice and (b not in choice or choice.index(a) < choice.index(b))


def _outcome(rules: Rules, lines: Mapping[str, int], chosen: Sequence[tuple[str, ...]]) -> tuple[str, int]:
    """The result but for quorum and hands, and the option."""
    if rules.type == RANKED:
        return _by_pairs(rules.options, lines)
    if rules.options:
        return _by_most(rules, lines)
    sides: Counter[str] = Counter()
    for answer in ANSWERS[rules.type]:
        sides[answer.side] += lines[answer.word]
    if rules.type == ADVICE:
        return ADVISED, 0
    if sides[STOPS]:
        return STOPPED, 0
    if rules.type == CONSENT:
        return (ACCEPTED if sides[FOR] else REJECTED), 0
    sided = sides[FOR] + sides[AGAINST]
    if rules.type == CONSENSUS:
        return (ACCEPTED if sides[FOR] and sides[FOR] * 100 >= rules.share_percent * sided else REJECTED), 0
    return _share(rules, sides[FOR], sided, tied=sided > 0 and sides[FOR] == sides[AGAINST]), 0


def _share(rules: Rules, favour: int, sided: int, *, tied: bool) -> str:
    if tied:
        return TIED
    return ACCEPTED if favour * 2 > sided and favour * 100 >= rules.share_percent * sided else REJECTED


def _by_most(rules: Rules, lines: Mapping[str, int]) -> tuple[str, int]:
    """Of several options the one that most people name, if enough do."""
    counts = {number: lines[str(number)] for number in range(1, rules.options + 1)}
    most = max(counts.values())
    first = [number for number, named in counts.items() if named == most]
    result = _share(rules, most, sum(counts.values()), tied=most > 0 and len(first) > 1)
    return result, first[0] if result == ACCEPTED else 0


def _by_pairs(options: int, lines: Mapping[str, int]) -> tuple[str, int]:
    """The option that more people rank higher, against each other one."""
    numbers = range(1, options + 1)
    for one in numbers:
        if all(lines[f"{one}>{other}"] > lines[f"{other}>{one}"] for other in numbers if other != one):
            return ACCEPTED, one
    return (TIED if any(lines[f"{a}>{b}"] for a in numbers for b in numbers if a != b) else REJECTED), 0


def _favours(rules: Rules, option: int, choice: tuple[str, ...]) -> bool:
    """Whether an answer is in favour of what was chosen; of a ranked option if it stands above another."""
    if rules.type == RANKED:
        numbers = [str(number) for number in range(1, rules.options + 1)]
        return option > 0 and any(_above(str(option), other, choice) for other in numbers if other != str(option))
    if rules.options:
        return choice[0] == str(option)
    return any(answer.side == FOR and answer.word == choice[0] for answer in ANSWERS[rules.type])
