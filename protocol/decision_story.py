"""A decision as one readable story: what is proposed, its versions, what was said, each round, its outcome, dissent, the fuse.

The page of every record about a proposal tells the same story, so nothing is read apart from what it belongs to.

Example::

    yield from about(view, digest, now_ms)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec.structs import replace

from protocol import encoding
from protocol.deciding import (
    DISSENTS,
    END,
    JUDGEMENTS,
    MET,
    NOT_MET,
    OUTCOMES,
    PROPOSALS,
    ROUNDS,
    SAYINGS,
    THEORIES,
    VERSIONS,
    VOTES,
    Dissent,
    Outcome,
    Proposal,
    Saying,
    Theory,
    Version,
    binds,
    lapses_ms,
    leave_of,
    options_of,
    plans_of,
    said_of,
    too_few_voices,
    voices,
)
from protocol.decision_blocks import mark_of, rounds_of, stage
from protocol.fuse_blocks import fuse
from protocol.membership import name_of
from protocol.page import (
    Action,
    Block,
    Cell,
    Difference,
    Facts,
    Grid,
    Heading,
    Link,
    Planned,
    Prose,
    Ref,
    State,
    Text,
    When,
)
from protocol.practice import FOREVER_MS, PUBLIC, View, keys
from protocol.round_blocks import answering, came_to, person, taken_up, told
from protocol.voting import (
    ACCEPTED,
    ANSWERS,
    STOPS,
)
from protocol.wording import counted, listed

LINKED_BYTES = 2000  # text that a link to a form carries along
MOST_BUTTONS = 6


def about(view: View, digest: bytes, now_ms: int) -> Iterator[Block]:
    """The story of the proposal that a record is about; nothing if this node has not seen one."""
    row = proposal_about(view, digest)
    there = view.of(view.space_id(row.space)) if row else None
    if row and there:
        for block in _story(view, there, row, now_ms):  # all about it is for the same people
            yield replace(block, audience=row.scope) if isinstance(block, Action) else block


def _story(view: View, there: View, row: Proposal, now_ms: int) -> Iterator[Block]:
    ours = row.space == view.space
    yield Heading(row.title)
    yield from _head(there, row, now_ms)
    versions = sorted(there.all(VERSIONS, proposal=row.id), key=lambda each: each.number)
    yield from _text(there, versions)
    yield from _theory(there, row)
    yield from _said(there, row, versions)
    outcomes = {each.round: each for each in there.all(OUTCOMES, proposal=row.id)}
    for number, round_ in enumerate(rounds_of(there, row.id), 1):
        yield from told(there, number, round_, versions, now_ms)
        if round_.id in outcomes:
            yield from came_to(there, outcomes[round_.id], versions)
        elif ours:
            yield from answering(there, round_, versions, now_ms)
    yield from _dissent(there, row)
    decided = next((each for each in outcomes.values() if each.accepted), None)
    if decided:
        yield from fuse(there, decided, now_ms)
    if ours:
        yield from _next(there, row, versions, decided, now_ms)


def proposal_about(view: View, digest: bytes) -> Proposal | None:
    """The proposal that a record is, or is about."""
    for row in view.everywhere(PROPOSALS, id=digest):
        return row
    for round_ in view.everywhere(ROUNDS, id=digest):
        return _there(view, round_.space, round_.proposal)
    for outcome in view.everywhere(OUTCOMES, id=digest):
        return _there(view, outcome.space, outcome.proposal)
    for vote in view.all(VOTES, id=digest):
        answered = view.get(ROUNDS, vote.round)
        return view.get(PROPOSALS, answered.proposal) if answered else None
    held: list[Version | Saying | Theory | Dissent] = [*view.all(VERSIONS, id=digest), *view.all(SAYINGS, id=digest)]
    held += [*view.all(THEORIES, id=digest), *view.all(DISSENTS, id=digest)]
    judged = [view.get(OUTCOMES, each.decision) for each in view.all(JUDGEMENTS, id=digest)]
    proposal = next((each.proposal for each in (*held, *judged) if each), None)
    return view.get(PROPOSALS, proposal) if proposal else None


def _there(view: View, space: int, proposal: bytes) -> Proposal | None:
    there = view.of(view.space_id(space))
    return there.get(PROPOSALS, proposal) if there else None


# What is proposed


def _head(view: View, row: Proposal, now_ms: int) -> Iterator[Block]:
    decided = view.get(OUTCOMES, row.outcome) if row.outcome else None
    if row.withdrawn_ms <= now_ms:
        mark = State("withdrawn")
    elif decided:
        mark = mark_of(decided, now_ms)
    elif row.is_open and now_ms >= lapses_ms(view, row, now_ms):
        mark = State("lapsed: nobody touched it for long")
    else:
        mark = stage(view, row)
    pairs: list[tuple[str, Cell]] = [
        ("Stage", mark),
        ("Proposed by", person(view, row.proposer)),
        ("When", When(row.since_ms)),
    ]
    if row.binds:
        pairs.append(("Whom it binds", row.binds))
    if row.strategic:
        pairs.append(("Reach", "a strategic shift: it takes a theory of change before a call"))
    if row.renews:
        pairs.append(("Comes in the place of", Ref(row.renews, "record")))
    if row.scope != PUBLIC:
        pairs.append(("Who may read it", "not everybody: all about it stays among those for whom it was proposed"))
    yield Facts(pairs)
    if row.withdrawn:
        yield Text("Why it was withdrawn:")
        yield Prose(row.withdrawn)
    if row.why:
        yield Heading("Why", 3)
        yield Prose(row.why)


def _text(view: View, versions: Sequence[Version]) -> Iterator[Block]:
    if not versions:
        return
    last = versions[-1]
    yield Heading("What is proposed" if len(versions) == 1 else f"What is proposed, version {last.number}", 3)
    yield Prose(last.text) if last.text else Text("The words are not here: they were erased.", "warn")
    options = options_of(last)
    if options:
        yield Grid("Options", ("Number", "Option"), [[number, text] for number, text in enumerate(options, 1)])
    yield from _plans(view, last)
    for before, after in pairwise(versions):
        yield Heading(f"Version {after.number}", 3)
        pairs: list[tuple[str, Cell]] = [("Written by", person(view, after.author)), ("When", When(after.since_ms))]
        answers = keys(after.integrates)
        if answers:
            pairs.append(("Takes up", counted(len(answers), "objection or concern", "objections and concerns")))
        if after.note:
            pairs.append(("What changed, and why", after.note))
        yield Facts(pairs)
        yield Difference(
            f"What version {after.number} changed", before.text, after.text, f"version {before.number}",
            f"version {after.number}",
        )  # fmt: skip


def _plans(view: View, version: Version) -> Iterator[Block]:
    """What it gives leave for."""
    words = said_of(version)
    for number, plan in enumerate(plans_of(version)):
        chosen = f" if option {plan.option} is chosen" if plan.option else ""
        yield Planned(
            f"What may then be done, once{chosen}", plan.kind, plan.structure, words[number] if number < len(words) else {}
        )
        if plan.concerned:
            names = listed([name_of(view, member) for member in plan.concerned])
            yield Text(f"It concerns {names}: whom an act concerns has no vote on it.")


def _theory(view: View, row: Proposal) -> Iterator[Block]:
    found = view.all(THEORIES, proposal=row.id, order="-position", limit=1)
    if not found:
        return
    theory = found[0]
    yield Heading("Theory of change", 3)
    yield Facts([("Stated by", person(view, theory.author)), ("When", When(theory.since_ms))])
    for name, words in (
        ("Outcome sought", theory.sought), ("Causal path", theory.path), ("Assumptions", theory.assumptions),
        ("What would prove us wrong", theory.wrong_if), ("Who gains", theory.gains), ("Who funds it", theory.funds),
        ("Who sees it otherwise", theory.dissent),
    ):  # fmt: skip
        if words:
            yield Text(f"{name}:")
            yield Prose(words)


# What was said


def _said(view: View, row: Proposal, versions: Sequence[Version]) -> Iterator[Block]:
    sayings = sorted(view.all(SAYINGS, proposal=row.id), key=lambda each: each.position)
    by = {each.id: each for each in sayings}
    rows: list[list[Cell]] = []
    for each in sayings:
        asked = by.get(each.about) if each.about else None
        sort = f"answer to {name_of(view, asked.author)}" if asked else each.sort
        rows.append([When(each.since_ms), person(view, each.author), sort, each.words, taken_up(each.id, versions)])
    yield Heading("What was said", 3)
    yield Grid(
        "Questions, reactions, concerns and answers", ("When", "Who", "What", "In words", ""), rows,
        "Nobody has said anything yet. Questions come first, then reactions, then other versions.",
    )  # fmt: skip


def _dissent(view: View, row: Proposal) -> Iterator[Block]:
    found = sorted(view.all(DISSENTS, proposal=row.id), key=lambda each: each.position)
    if found:
        yield Heading("Dissent on record")
        rows: list[list[Cell]] = [[When(each.since_ms), person(view, each.author), each.words] for each in found]
        yield Grid("Who sees it otherwise", ("When", "Who", "In words"), rows)


# What can follow


def _next(view: View, row: Proposal, versions: Sequence[Version], decided: Outcome | None, now_ms: int) -> Iterator[Block]:
    here = {"proposal": row.id.hex()}
    yield Heading("What you can do")
    leave = leave_of(view, decided) if decided else None
    if decided and leave and leave.since_ms <= now_ms < leave.until_ms:
        yield Text("What was decided can be done now, once and exactly as it was decided, by any member.")
        yield Facts([("Carry it out", Link("the form, filled in as it was decided", f"/carry-out/{decided.id.hex()}"))])
    if decided and binds(decided, now_ms):
        yield Text("Whether it did what it was for is decided by a decision, so that nobody stops a fuse alone.")
        for verdict, text in ((MET, "Propose: it was met"), (NOT_MET, "Propose: it was not met"), (END, "Propose to end it")):
            yield Action("decision.proposed/1", _judging(decided, verdict), text)
    if row.is_open and row.withdrawn_ms > now_ms and now_ms < lapses_ms(view, row, now_ms):
        yield Action("decision.discussed/1", {**here, "sort": "question"}, "Ask")
        yield Action("decision.discussed/1", {**here, "sort": "reaction"}, "React")
        yield Action("decision.discussed/1", {**here, "sort": "concern"}, "Raise a concern")
        yield from _replies(view, row)
        yield Action("decision.amended/1", {**here, **_amendment(view, row, versions)}, "Write another version")
        if row.strategic:
            yield Action("theory.stated/1", here, "State the theory of change")
        if row.round is None:
            voting, hands = voices(view, plans_of(versions[-1]), now_ms)
            if voting < hands:
                yield Text(f"It cannot be called just now. {too_few_voices(voting, hands)}", "warn")
            else:
                called = {**here, "version": str(row.versions), "type": "majority" if options_of(versions[-1]) else "consent"}
                yield Action("decision.called/1", called, "Call for answers")
            yield Action("decision.withdrawn/1", here, "Withdraw it", who=(row.proposer,))
    elif not row.is_open and row.withdrawn_ms > now_ms:
        yield Action("decision.discussed/1", {**here, "sort": "outcome"}, "Say what follows from it")
    yield Action("dissent.recorded/1", here, "Record dissent")


def _judging(row: Outcome, verdict: str) -> dict[str, str]:
    """A proposal to judge a decision, as a form is filled."""
    said = {MET: "was met and stands until its next date", NOT_MET: "was not met", END: "ends now"}[verdict]
    structure = {"decision": row.id, "verdict": verdict}
    flat = {
        "title": f"Judge: {row.title}"[:100],
        "text": f"We say that the decision “{row.title}” {said}.",
        "plans.0.kind": "decision.judged/1",
        "plans.0.structure": encoding.encode(structure).hex(),
    }
    return flat if row.result == ACCEPTED else {}


def _replies(view: View, row: Proposal) -> Iterator[Block]:
    """A button for each of the last questions and concerns that nobody has answered."""
    sayings: Sequence[Saying] = sorted(view.all(SAYINGS, proposal=row.id), key=lambda each: each.position)
    done = {each.about for each in sayings if each.sort == "answer"}
    waiting = [each for each in sayings if each.sort in ("question", "concern") and each.id not in done]
    for each in waiting[-MOST_BUTTONS:]:
        filled = {"proposal": row.id.hex(), "sort": "answer", "about": each.id.hex()}
        yield Action("decision.discussed/1", filled, f"Answer the {each.sort} of {name_of(view, each.author)}")


def _amendment(view: View, row: Proposal, versions: Sequence[Version]) -> dict[str, str]:
    """The last text, and what was objected to and is not taken up."""
    last = versions[-1].text
    filled = {"text": last} if 0 < len(last.encode()) <= LINKED_BYTES else {}
    taken = {digest for each in versions for digest in keys(each.integrates)}
    for number, digest in enumerate(_objections(view, row, taken)):
        filled[f"integrates.{number}"] = digest.hex()
    return filled


def _objections(view: View, row: Proposal, taken: set[bytes]) -> list[bytes]:
    found: list[bytes] = []
    for round_ in rounds_of(view, row.id):
        if round_.closed_ms < FOREVER_MS:
            stops = {answer.word for answer in ANSWERS[round_.type] if answer.side == STOPS}
            found += [vote.id for vote in view.all(VOTES, round=round_.id, order="cast_ms") if vote.choice in stops]
    return [digest for digest in found if digest not in taken][:20]
