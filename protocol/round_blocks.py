"""What the story of a decision says about its rounds: the rules, who answered what, buttons to answer, and the outcome.

While a round whose answers are hidden is open, it says how many have answered and nothing else; no button carries an answer.

Example::

    yield from told(view, 1, round_, versions, now_ms)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protocol.deciding import (
    OPEN,
    ROUNDS,
    UNOPENED,
    VOTES,
    Outcome,
    Round,
    Version,
    counts_of,
    is_over,
    leave_of,
    options_of,
)
from protocol.decision_blocks import HIDDEN, WAYS, answers_in
from protocol.membership import name_of
from protocol.page import (
    Action,
    Bar,
    Bars,
    Block,
    Cell,
    Facts,
    Grid,
    Heading,
    Prose,
    Ref,
    State,
    Text,
    When,
)
from protocol.practice import View, keys
from protocol.voting import (
    ACCEPTED,
    ADVISED,
    ANSWERS,
    RANKED,
    REJECTED,
    STOPPED,
    STOPS,
    TIED,
    TOO_FEW,
    Answer,
)
from protocol.wording import counted, listed

ONE_HAND = "what somebody writes down for others counts in one hand with their own"


def person(view: View, member: bytes) -> Ref:
    """Somebody by name."""
    return Ref(member, "member", name_of(view, member))


def taken_up(digest: bytes, versions: Sequence[Version]) -> Cell:
    """That a version takes up an objection or concern."""
    number = next((each.number for each in versions if digest in keys(each.integrates)), 0)
    return State(f"taken up in version {number}", "good") if number else ""


# Rounds


def told(view: View, number: int, round_: Round, versions: Sequence[Version], now_ms: int) -> Iterator[Block]:
    """A round: its rules, and who answered what unless that is hidden still."""
    yield Heading(f"Round {number}: by {round_.type}, on version {round_.version}")
    yield Text(WAYS[round_.type])
    pairs: list[tuple[str, Cell]] = [
        ("Called by", person(view, round_.caller)), ("Open since", When(round_.called_ms)),
        ("Open until", When(round_.closes_ms)), ("Answers are", HIDDEN[round_.hidden]),
        ("Takes answers of", f"{round_.quorum_percent} percent of those who may vote"),
        ("Answered", answers_in(view, round_, now_ms)),
    ]  # fmt: skip
    if round_.type in ("majority", "gradients", "consensus"):
        pairs.append(("Takes in favour", f"{round_.share_percent} percent of those who take a side"))
    if round_.hands > 1:
        pairs.append(("Takes besides", f"answers in favour from {counted(round_.hands, 'hand')}: {ONE_HAND}"))
    concerned = keys(round_.concerned)
    if concerned:
        pairs.append(("No vote, because it concerns them", listed([name_of(view, member) for member in concerned])))
    yield Facts(pairs)
    if round_.hidden == OPEN or not round_.is_open:
        yield from _answers(view, round_, versions)


def _answers(view: View, round_: Round, versions: Sequence[Version]) -> Iterator[Block]:
    """Who answered what, with reasons; of a hidden round only once it is closed."""
    votes = sorted(view.all(VOTES, round=round_.id), key=lambda each: (each.cast_ms, each.member))
    stops = {answer.word for answer in ANSWERS[round_.type] if answer.side == STOPS}
    rows: list[list[Cell]] = []
    for vote in votes:
        told: Cell = (
            State(spoken(round_, vote.choice, versions), "warn")
            if vote.choice in stops
            else spoken(round_, vote.choice, versions)
        )
        by: Cell = "" if vote.by_self else Ref(vote.hand, "member", f"written down by {name_of(view, vote.hand)}")
        rows.append([person(view, vote.member), told, vote.reasons, by, taken_up(vote.id, versions)])
    yield Grid("Answers", ("Who", "Answer", "Reasons", "", ""), rows, "Nobody has answered yet.")


def spoken(round_: Round, choice: str, versions: Sequence[Version]) -> str:
    """An answer in words, as the round offers it."""
    if not choice:
        return "spoiled: it could not be read"
    version = next((each for each in versions if each.number == round_.version), None)
    options = options_of(version) if version else ()
    return _label(choice, ANSWERS[round_.type], options)


def _label(choice: str, answers: Sequence[Answer], options: Sequence[str]) -> str:
    """An answer in words: its label, or options by name in the order of preference."""
    known = {answer.word: answer.label for answer in answers}
    if choice in known:
        return known[choice].partition(":")[0]
    names = [options[int(part) - 1] if part.isdigit() and 0 < int(part) <= len(options) else part for part in choice.split()]
    return ", then ".join(names)


def answering(view: View, round_: Round, versions: Sequence[Version], now_ms: int) -> Iterator[Block]:
    """Buttons to answer, and to count once it can be."""
    if now_ms < round_.closes_ms:
        here = {"round": round_.id.hex()}
        answers = ANSWERS[round_.type]
        by_number = round_.options > 0
        if round_.hidden != OPEN or round_.type == RANKED:  # what is hidden does not stand in an address either
            yield Text(f"Answer: {listed([f'“{answer.word}” ({answer.label})' for answer in answers], 'or')}." if not by_number
                       else _how_numbers(round_, versions))  # fmt: skip
            yield Action("vote.cast/1", here, "Answer")
        elif by_number:
            version = next(each for each in versions if each.number == round_.version)
            for number, text in enumerate(options_of(version), 1):
                yield Action("vote.cast/1", {**here, "choice": str(number)}, text)
            yield Action("vote.cast/1", {**here, "choice": "abstain"}, "Abstain")
        else:
            for answer in answers:
                yield Action("vote.cast/1", {**here, "choice": answer.word}, answer.label.partition(":")[0])
    if is_over(view, round_, now_ms):
        yield Text("This round can be counted now.")
        yield Action("decision.closed/1", {"round": round_.id.hex()}, "Count the answers")


def _how_numbers(round_: Round, versions: Sequence[Version]) -> str:
    version = next(each for each in versions if each.number == round_.version)
    names = "; ".join(f"{number} {text}" for number, text in enumerate(options_of(version), 1))
    order = "numbers, the one you prefer first, like “2 1”" if round_.type == RANKED else "the number of one option"
    return f"Answer: {order}; or abstain. {names}."


# What came of it


def came_to(view: View, row: Outcome, versions: Sequence[Version]) -> Iterator[Block]:
    """What a round came to, in a sentence and in numbers, and the leave that it gave."""
    yield Heading("Outcome")
    version = next((each for each in versions if each.number == row.version), None)
    options = options_of(version) if version else ()
    tone = "good" if row.result == ACCEPTED else "warn" if row.result in (STOPPED, TIED, TOO_FEW, UNOPENED) else "calm"
    yield Text(_sentence(row, options), tone)
    if row.result == REJECTED and (hand := one_hand(view, row.round)):
        yield Text(f"All answers were written down by {name_of(view, hand)}, and {ONE_HAND}. Call it again.", "warn")
    yield from _counts(row, options)
    if row.spoiled:
        yield Text(
            f"{counted(row.spoiled, 'ballot')} could not be read and {'counts' if row.spoiled == 1 else 'count'} as spoiled."
        )
    if row.statement:
        yield Prose(row.statement)
    leave = leave_of(view, row)
    if leave:
        used = leave.until_ms < row.act_until_ms
        yield Facts([
            ("Leave for what was planned", State("used" if used else "given", "good")),
            ("Used" if used else "Until", When(leave.until_ms)),
        ])  # fmt: skip


def one_hand(view: View, round_: bytes) -> bytes:
    """Who wrote down all answers of a round, others' too, where it takes more hands than one; empty if nobody did."""
    row = view.get(ROUNDS, round_)
    hands = {each.hand for each in view.all(VOTES, round=round_)}
    alone = row and row.hands > 1 and len(hands) == 1 and view.all(VOTES, round=round_, by_self=False)
    return next(iter(hands)) if alone else b""


def _sentence(row: Outcome, options: Sequence[str]) -> str:
    turnout = f"{row.answered} of {row.eligible} answered"
    if row.result == ACCEPTED:
        what = f"“{options[row.option - 1]}” is chosen" if row.option else "It is accepted"
        return f"{what}: {counted(row.in_favour, 'person', 'people')} in favour, {turnout}."
    return {
        REJECTED: f"It is not accepted: not enough were in favour. {turnout}.",
        STOPPED: f"There were objections, so it does not hold as it is. {turnout}. Another version can take them up.",
        TIED: f"A tie: nothing is decided. {turnout}. Talk on, and call again.",
        TOO_FEW: f"Too few answered for it to count: {turnout}. It can be called again.",
        ADVISED: f"Advice was heard: {row.in_favour} for it, {turnout}. Who proposed decides, and says what follows.",
        UNOPENED: f"The sealed answers could not be opened, so nothing is decided. {turnout}. Call it again.",
    }[row.result]


def _counts(row: Outcome, options: Sequence[str]) -> Iterator[Block]:
    counts = counts_of(row)
    pairs = [line for line in counts if ">" in line[0]]
    if pairs:
        by = dict(pairs)
        cells: list[list[Cell]] = []
        for one in range(1, len(options) + 1):
            for other in range(one + 1, len(options) + 1):
                cells += [[options[one - 1], by[f"{one}>{other}"], by[f"{other}>{one}"], options[other - 1]]]
        yield Grid("Each two options compared", ("Option", "rank it higher", "rank this higher", "Option"), cells)
        return
    if row.answered:
        bars = [Bar(_label(word, ANSWERS[row.type], options), number, row.answered) for word, number in counts]
        yield Bars("Answers by what they say", bars, columns=("Answer", "Votes", "Of"))
