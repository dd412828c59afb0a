"""Examples of decisions: proposals, debate, versions, calls, answers, closings, judgements, dissent.

Rounds that hide their answers are made here as a node makes them: the secret of a round follows from its label.
"""

from __future__ import annotations

from hashlib import sha256

from protocol import ballot
from protocol.deciding import (
    OUTCOMES,
    PROPOSALS,
    ROUNDS,
    SAYINGS,
    THEORIES,
    VERSIONS,
    VOTES,
    Plan,
    Proposal,
    Round,
    answered,
    binds,
    electorate,
    open_proposals,
    options_of,
    plans_of,
)
from protocol.encoding import encode
from protocol.practice import MEMBERS
from protocol.proposal import (
    Amended,
    Called,
    Cast,
    Closed,
    Discussed,
    Dissented,
    Judged,
    Proposed,
    Stated,
    Withdrawn,
)
from protocol.voting import ANSWERS, MAJORITY, RANKED, offered
from tests.laws.world import DAY_MS, HOUR_MS, Builder, Unready, World


def secret_of(proposal: bytes, salt: bytes) -> bytes:
    """What a node would derive for a round."""
    return sha256(ballot.label(proposal, salt)).digest()


def plan(world: World, option: int = 0) -> Plan:
    """An act that nobody could do alone, or one that anybody may."""
    member = world.pick(world.members())
    if world.chance(0.5):
        return Plan("member.removed/1", encode({"member": member}), option, [member])
    return Plan("protocol.retired/1", encode({"adoption": world.rng.randbytes(32)}), option)


def proposed(world: World) -> Proposed:
    options = [f"way {n}" for n in range(1, world.rng.choice([2, 3, 4]) + 1)] if world.chance(0.3) else []
    if world.chance(0.1):
        options = ["alone"]
    world.audience = MEMBERS if world.chance(0.15) else None
    plans = [plan(world, 1 if options else 0)] if world.chance(0.4) else []
    return Proposed(
        f"Title {world.words(1)}", world.words(9), world.words(5), world.words(2), world.chance(0.2), options, plans
    )


def live_proposal(world: World) -> Proposal:
    """One that is open, and now and then any; the audience is set to its own."""
    rows = list(open_proposals(world.view, world.now_ms)) if world.chance(0.9) else world.rows(PROPOSALS)
    if not rows:
        world.act_as(world.pick(world.members()))
        assert world.author
        digest = world.first("decision.proposed/1", proposed(world), world.author, world.audience)
        rows = world.rows(PROPOSALS, id=digest)
    row = world.pick(rows)
    world.audience = row.scope
    return row


def discussed(world: World) -> Discussed:
    row = live_proposal(world)
    said = [each.id for each in world.rows(SAYINGS, proposal=row.id)]
    sort = world.rng.choice(["question", "reaction", "concern", "answer", "outcome"] if said else ["question", "concern"])
    about = world.rng.choice(said) if sort == "answer" and world.chance(0.9) else None
    return Discussed(row.id, sort, world.words(), about)  # type: ignore[arg-type]  # one of the literals


def stated(world: World) -> Stated:
    return Stated(live_proposal(world).id, *(world.words() for _ in range(6)))


def amended(world: World) -> Amended:
    row = live_proposal(world)
    raised = [each.id for each in world.rows(SAYINGS, proposal=row.id) if each.sort == "concern"]
    raised += [vote.id for each in world.rows(ROUNDS, proposal=row.id) for vote in world.rows(VOTES, round=each.id)]
    some = world.rng.sample(raised, min(len(raised), 12)) if world.chance(0.9) else [world.rng.randbytes(32)]
    changes = world.chance(0.2)
    return Amended(row.id, world.words(8), world.words(), some, changes, ["this", "that"] if changes else [])


def called(world: World) -> Called:
    row = live_proposal(world)
    if row.strategic and world.chance(0.8) and not world.rows(THEORIES, proposal=row.id):
        raise Unready
    number = row.versions if world.chance(0.9) else 1
    version = world.view.need(VERSIONS, row.id, number, what="version")
    fitting = [MAJORITY, RANKED] if options_of(version) else ["consent", "consensus", "advice", "majority", "gradients"]
    if plans_of(version) and "advice" in fitting:
        fitting.remove("advice")
    type_ = world.rng.choice(fitting if world.chance(0.9) else sorted(ANSWERS))
    hidden = world.rng.choice(["open", "open", "own", "close"])
    salt = world.rng.randbytes(16) if hidden != "open" else b""
    key = ballot.public_of(secret_of(row.id, salt)) if salt else b""
    closes_ms = world.now_ms + world.rng.choice([26 * HOUR_MS, 3 * DAY_MS, 9 * DAY_MS, HOUR_MS, -DAY_MS])
    review = world.cycle + world.rng.choice([1, 2, 3, 9]) if world.chance(0.4) else 0
    return Called(
        row.id, number, type_, hidden, closes_ms if world.chance(0.8) else 0, world.rng.choice([0, 0, 60, 5]),  # type: ignore[arg-type]  # literals
        review_cycle=review, key=key, salt=salt, measures=world.words(),
    )  # fmt: skip


def choice_in(world: World, round_: Round, *, willing: bool = False) -> str:
    """An answer that fits a round; a willing one lets it pass."""
    if round_.type == RANKED or (round_.type == MAJORITY and round_.options):
        numbers = [str(number) for number in range(1, round_.options + 1)]
        if not willing:
            world.rng.shuffle(numbers)
        return " ".join(numbers) if round_.type == RANKED else numbers[0]
    answers = offered(round_.type, round_.options)
    return answers[0].word if willing else world.rng.choice(answers).word


def vote_in(world: World, round_: Round, member: bytes, choice: str, for_member: bytes | None = None) -> Cast:
    """A vote as the node makes it: sealed where answers are hidden."""
    if round_.hidden == "open":
        return Cast(round_.id, choice, for_member, b"", world.words(2))
    box = ballot.seal(round_.key, round_.id, for_member or member, choice, world.rng.randbytes(32))
    return Cast(round_.id, "", for_member, box)


def cast(world: World) -> Cast:
    rounds = world.rows(ROUNDS)
    if world.chance(0.95):
        rounds = [row for row in rounds if row.is_open and world.now_ms < row.closes_ms]
    if not rounds:
        call, author = called(world), world.author
        assert author
        rounds = world.rows(ROUNDS, id=world.first("decision.called/1", call, author, world.audience))
    round_ = world.pick(rounds)
    world.audience = round_.scope
    voting = sorted(electorate(world.view, round_, world.now_ms))
    other = None
    if voting and world.chance(0.9):
        world.act_as(world.pick(voting))
        waiting = sorted(set(voting) - answered(world.view, round_) - {world.member})
        other = world.pick(waiting) if waiting and world.chance(0.15) else None
    choice = choice_in(world, round_, willing=world.chance(0.7))
    return vote_in(world, round_, world.member, choice, other)


def closed(world: World) -> Closed:
    rounds = [row for row in world.rows(ROUNDS) if row.is_open]
    if not rounds:
        raise Unready
    over = [row for row in rounds if row.closes_ms <= world.now_ms]
    over += [row for row in rounds if not electorate(world.view, row, world.now_ms) - answered(world.view, row)]
    round_ = world.pick(over if over and world.chance(0.9) else rounds)
    world.audience = round_.scope
    if not over:
        _all_answer(world, round_)
    return Closed(round_.id, _secret(world, round_), world.words(2))


def _secret(world: World, round_: Round) -> bytes:
    if round_.hidden == "open":
        return b""
    secret = secret_of(round_.proposal, round_.salt)
    return secret if world.chance(0.95) else bytes(32)


def _all_answer(world: World, round_: Round) -> None:
    """Whoever has not answered does."""
    author, member = world.author, world.member
    for each in sorted(electorate(world.view, round_, world.now_ms) - answered(world.view, round_)):
        body = vote_in(world, round_, each, choice_in(world, round_, willing=True))
        world.write("vote.cast/1", body, world.keys_of(each)[0], round_.scope)
    world.author, world.member = author, member


def judged(world: World) -> Judged:
    held = [row for row in world.rows(OUTCOMES) if row.scope == 0]
    row = world.pick([row for row in held if binds(row, world.now_ms)] if world.chance(0.9) else held)
    verdict = world.rng.choice(["met", "met", "not-met", "end"])
    review = world.cycle + world.rng.choice([1, 2, 30]) if world.chance(0.4) else 0
    return Judged(row.id, verdict, review, 0, world.words())  # type: ignore[arg-type]  # one of the literals


def withdrawn(world: World) -> Withdrawn:
    row = live_proposal(world)
    if row.proposer in world.members() and world.chance(0.7):
        world.act_as(row.proposer)
    return Withdrawn(row.id, world.words())


def dissented(world: World) -> Dissented:
    row = world.pick(world.rows(PROPOSALS))
    world.audience = row.scope
    return Dissented(row.id, world.words())


EXAMPLES: dict[str, Builder] = {
    "decision.proposed/1": proposed,
    "decision.discussed/1": discussed,
    "theory.stated/1": stated,
    "decision.amended/1": amended,
    "decision.called/1": called,
    "vote.cast/1": cast,
    "decision.closed/1": closed,
    "decision.judged/1": judged,
    "decision.withdrawn/1": withdrawn,
    "dissent.recorded/1": dissented,
}
