"""Examples of campaigns: calls, answers, pledges, rest lifted, and what stayed."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from protocol.practices import campaigns, residue
from protocol.record import scope_of
from protocol.standing import ANSWERS, CALLS, JOINS, Answer, Call, Terms, read_terms
from tests.laws.world import DAY_MS, HOUR_MS, MINUTE_MS, Builder, Isle, Unready, World


def terms(world: World, from_ms: int) -> Terms:
    """A window that opens some time after an instant, now and then too long."""
    days = world.rng.choice([2, 5, 14, 14, 40])
    opens = (from_ms + world.rng.choice([1, 3]) * DAY_MS) // MINUTE_MS * MINUTE_MS
    ends = opens + days * DAY_MS
    return Terms(opens, opens + DAY_MS, ends, ends + 2 * DAY_MS, ends + 4 * DAY_MS, world.words(3), ["cooks"], world.words(2))


def scopes(world: World) -> dict[int, int | Sequence[bytes]]:
    """Each audience by the number by which rows are kept apart."""
    every = sorted(isle.id for isle in world.isles)
    lists = [[one, two] for one in every for two in every if one < two] + [every] + [[one] for one in every]
    return {0: 0, 1: 1, 2: 2, **{scope_of(tuple(each)): each for each in lists}}


def called(world: World) -> campaigns.Called:
    until = world.now_ms // MINUTE_MS * MINUTE_MS + world.rng.choice([2 * HOUR_MS, DAY_MS, 6 * DAY_MS])
    invited = world.rng.sample(world.others, world.rng.randrange(1, len(world.others) + 1))
    if world.chance(0.3):
        world.audience = sorted([world.isle.id, *invited])
    else:
        world.audience = 0
    return campaigns.Called(
        name=world.words(2), why=world.words(6), clears=world.words(1), invited=invited, quorum=world.rng.choice([2, 2, 2, 3]),
        answers_until_ms=until, terms=terms(world, until), replaces=world.rng.choice([None, world.rng.randbytes(32)]),
    )  # fmt: skip


def call_to_answer(world: World) -> tuple[Call, bytes]:
    """A call, mostly one whose answers are still open, and its caller; the answer gets its audience.

    If there is none, somebody calls first.
    """
    calls = world.everywhere(CALLS)
    if not calls or world.chance(0.9):
        calls = [call for call in calls if world.now_ms < call.answers_until_ms] or [new_call(world, world.pick(world.isles))]
    call = world.pick(calls)
    if world.chance(0.9):
        world.audience = scopes(world)[call.scope]
    return call, world.view.space_id(call.space)


def new_call(world: World, isle: Isle) -> Call:
    """A space calls."""
    with world.at(isle):
        body = called(world)
        digest = world.first("campaign.called/1", body, world.able("campaign.called/1"), world.audience)
        return world.view.need(CALLS, digest, what="call")


def offers(world: World, call: Call) -> list[Terms]:
    """The terms on the table."""
    return [read_terms(row.spelled) for row in world.everywhere(ANSWERS, campaign=call.id) if row.said in JOINS]


def joined(world: World) -> campaigns.Joined:
    call, caller = call_to_answer(world)
    return campaigns.Joined(call.id, caller, world.pick(offers(world, call)))


def countered(world: World) -> campaigns.Countered:
    call, caller = call_to_answer(world)
    other = terms(world, max(call.answers_until_ms, world.now_ms))
    if world.chance(0.3):
        other = replace(world.pick(offers(world, call)), builds=world.words(4))
    return campaigns.Countered(call.id, caller, other, world.words(2))


def declined(world: World) -> campaigns.Declined:
    call, caller = call_to_answer(world)
    return campaigns.Declined(call.id, caller, world.words(2))


def ours(world: World) -> Answer:
    """Something that this space said to a call."""
    return world.pick(world.rows(ANSWERS))


def withdrawn(world: World) -> campaigns.Withdrawn:
    said = ours(world)
    world.audience = scopes(world).get(said.scope, 0)
    return campaigns.Withdrawn(said.campaign, said.caller, world.words(3))


def pledged(world: World) -> campaigns.Pledged:
    call = world.pick(world.everywhere(CALLS))
    phase = world.rng.choice(["armed", "open", "rest"])
    opens = world.rng.choice([None, *(row.id for row in world.rows(CALLS))])
    return campaigns.Pledged(call.id, world.view.space_id(call.space), phase, opens, world.words(3))  # type: ignore[arg-type]  # one of the phases


def rest_lifted(world: World) -> campaigns.RestLifted:
    windows = world.rows(campaigns.WINDOWS)
    resting = [row for row in windows if not (row.withdrawn or row.lifted or row.rests_ms <= world.now_ms)]
    if not resting:  # what is called rests one day, so that can be lifted already
        resting = world.rows(campaigns.WINDOWS, campaign=new_call(world, world.isle).id)
    window = world.pick(windows if windows and world.chance(0.1) else resting)
    held = world.store.kept[campaigns.WINDOWS.name][world.isle.number, window.campaign][1]
    world.audience = scopes(world).get(held, 0)
    return campaigns.RestLifted(window.campaign, world.words(3))


def residue_left(world: World) -> residue.ResidueLeft:
    call = world.pick(world.everywhere(CALLS))
    return residue.ResidueLeft(
        campaign=call.id, caller=world.view.space_id(call.space), kind="tool-library", domain="tools", name=world.words(2),
        place=world.words(1), keeper=world.words(1),
    )  # fmt: skip


def residue_checked(world: World) -> residue.ResidueChecked:
    rows = world.rows(residue.RESIDUES)
    if not rows:
        raise Unready
    digest = world.pick(rows).id if world.chance(0.9) else world.rng.randbytes(32)
    return residue.ResidueChecked(digest, world.rng.choice(["lives", "ended"]), world.words(2))


EXAMPLES: dict[str, Builder] = {
    "campaign.called/1": called,
    "campaign.joined/1": joined,
    "campaign.countered/1": countered,
    "campaign.declined/1": declined,
    "campaign.withdrawn/1": withdrawn,
    "campaign.pledged/1": pledged,
    "campaign.rest-lifted/1": rest_lifted,
    "campaign.residue-left/1": residue_left,
    "campaign.residue-checked/1": residue_checked,
}
