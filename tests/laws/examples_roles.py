"""Examples of roles: defined, given by decision and by lot, renewed, watched, paused, handed over, and over before their time."""

from __future__ import annotations

from protocol import lot as draws
from protocol import role_bodies as bodies
from protocol.drawing import COMMIT, POOLS, lots_for, phase, standing
from protocol.keys import SigningKey
from protocol.membership import ASSEMBLY
from protocol.practice import MEMBERS, PUBLIC, keys
from protocol.practices import KINDS, lots
from protocol.role_dues import open_calls
from protocol.terms import (
    CALLS,
    CONSECUTIVE,
    DEFINITIONS,
    SHADOW_CALLS,
    TERMS,
    Permission,
    Role,
    Term,
    as_held,
    barred,
    given_later,
    holds,
    lot_subject,
    roles_at,
)
from tests.laws.examples_library import let
from tests.laws.world import Builder, Unready, World

NAMES = ("cook", "keeper", "spokes", "treasurer")
REASONS = 5  # words, so that they are long enough


def duties() -> list[str]:
    """Kinds that roles may hold."""
    return sorted(name for name, kind in KINDS.items() if kind.duty)


def key_of(world: World, member: bytes) -> SigningKey:
    """One of a member's keys."""
    return world.pick(world.keys_of(member))


def any_key(world: World) -> SigningKey:
    """A key of some member."""
    return key_of(world, world.pick(world.members()))


# What is there, or is made first


def a_role(world: World) -> Role:
    """A role that is there; one is defined first if there is none."""
    if not roles_at(world.view, world.now_ms):
        author = key_of(world, world.pick(world.holders(ASSEMBLY)))
        body = bodies.Defined(world.pick(NAMES), 1, [Permission(world.pick(duties()))], world.words())
        world.first("role.defined/1", body, author, PUBLIC)
    return world.pick(roles_at(world.view, world.now_ms))


def terms_in_force(world: World) -> list[Term]:
    """Terms that hold now."""
    held = (as_held(world.view, term) for term in world.rows(TERMS))
    return [term for term in held if holds(term, world.now_ms)]


def a_term(world: World) -> Term:
    """A term in force; now and then another; one is given first if there is none."""
    if world.chance(0.05) and world.rows(TERMS):
        return world.pick(world.rows(TERMS))
    if not terms_in_force(world):
        body = an_appointment(world, a_role(world))
        world.decide("role.appointed/1", body)
        world.first("role.appointed/1", body, any_key(world), PUBLIC)
    return world.pick(terms_in_force(world))


def an_appointment(world: World, row: Role) -> bodies.Appointed:
    """Somebody who may take the next term of a role."""
    kept_out = barred(world.view, row.role, world.now_ms)
    able = [member for member in world.members() if member not in kept_out]
    return bodies.Appointed(row.role, row.id, world.pick(able), world.rng.choice(["consent", "vote"]))


def fallen(world: World, purpose: str, subject: bytes) -> bytes:
    """Who fills the seat of a lot for this; all that it takes is done first."""
    if not lots_for(world.view, purpose, subject):
        world.first("lot.opened/1", lots.Opened(purpose, subject, 1), any_key(world), PUBLIC)  # type: ignore[arg-type]  # of several
    row = world.pick(lots_for(world.view, purpose, subject))
    pool = world.view.get(POOLS, row.id)
    if phase(row, world.now_ms) == COMMIT and pool:
        able = [member for member in keys(pool.contributors) if member in world.members()]
        for member in able:
            value = draws.next_code(row.id + member)
            body = lots.Committed(row.id, draws.commitment(row.id, member, value))
            world.write("lot.committed/1", body, key_of(world, member), PUBLIC)
        for member in able:
            value = draws.next_code(row.id + member)
            world.write("lot.revealed/1", lots.Revealed(row.id, value), key_of(world, member), PUBLIC)
    if not row.drawn_ms:
        world.first("lot.drawn/1", lots.LotDrawn(row.id), any_key(world), PUBLIC)
    return world.pick(standing(world.view, purpose, subject))


# Builders


def defined(world: World) -> bodies.Defined:
    some = [
        Permission(kind, world.rng.choice([0, 0, 50_00])) for kind in world.rng.sample(duties(), world.rng.choice([0, 1, 1, 2]))
    ]
    if some and world.chance(0.05):
        some.append(some[0])
    body = bodies.Defined(
        world.pick(NAMES), world.rng.choice([1, 1, 1, 2, 3]), some, world.words(), world.rng.choice(["", world.words()])
    )
    there = body.role in {row.role for row in roles_at(world.view, world.now_ms)}
    if (there or any(world.kept(each.kind) for each in some)) and world.chance(0.8):
        world.decide("role.defined/1", body)
    return body


def dissolved(world: World) -> bodies.Dissolved:
    return bodies.Dissolved(a_role(world).role, world.words(REASONS))


def appointed(world: World) -> bodies.Appointed:
    row = a_role(world)
    if given_later(world.view, row.role, world.now_ms) and world.chance(0.9):
        raise Unready
    body = an_appointment(world, row)
    earlier = [each.id for each in world.rows(DEFINITIONS, role=row.role)]
    definition = body.definition if world.chance(0.95) else world.pick(earlier)
    holder = body.holder if world.chance(0.9) else world.pick(world.members())
    return bodies.Appointed(body.role, definition, holder, body.chosen)


def taken(world: World) -> bodies.Taken:
    row = a_role(world)
    if given_later(world.view, row.role, world.now_ms):
        raise Unready
    drawn = fallen(world, "role", lot_subject(world.view, row))
    world.act_as(drawn if world.chance(0.9) else world.pick(world.members()))
    world.audience = PUBLIC
    return bodies.Taken(row.role)


def renewed(world: World) -> bodies.Renewed:
    if world.chance(0.9):
        let(world, CONSECUTIVE, 12)
    term = a_term(world)
    row = next((each for each in roles_at(world.view, world.now_ms) if each.role == term.role), None)
    if row is None:
        raise Unready
    others = [member for member in world.members() if member != term.holder]
    world.act_as(world.pick(others if world.chance(0.9) else world.members()))
    return bodies.Renewed(term.id, row.id, world.words(REASONS), world.words(REASONS))


def recalled(world: World) -> bodies.Recalled:
    return bodies.Recalled(a_term(world).id, world.words(REASONS))


def resigned(world: World) -> bodies.Resigned:
    term = a_term(world)
    world.act_as(term.holder if world.chance(0.9) else world.pick(world.members()))
    return bodies.Resigned(term.id, world.rng.choice(["", world.words()]))


def as_shadow(world: World) -> Term:
    """A term, about which its shadow is to write something."""
    term = a_term(world)
    shadow = fallen(world, "shadow", term.id)
    world.act_as(shadow if world.chance(0.9) else world.pick(world.members()))
    return term


def noted(world: World) -> bodies.Noted:
    term = as_shadow(world)
    world.audience = MEMBERS
    return bodies.Noted(term.id, world.words(), world.rng.choice(["", world.words()]))


def called(world: World) -> bodies.Called:
    let(world, SHADOW_CALLS, 5)
    term = as_shadow(world)
    definition = world.view.get(DEFINITIONS, term.definition)
    held = [each.kind for each in definition.permitted] if definition else []
    world.audience = PUBLIC
    return bodies.Called(term.id, world.pick(held if held and world.chance(0.9) else duties()), world.words(REASONS))


def answered(world: World) -> bodies.Answered:
    waiting = [made.id for made, _ in open_calls(world.view, world.now_ms)]
    if not waiting:
        body = called(world)
        author, world.author, world.audience = world.author, None, None
        waiting = [world.first("role.called/1", body, author, PUBLIC)] if author else []
        world.act_as(world.pick(world.members()))
    known = waiting if world.chance(0.95) else [made.id for made in world.rows(CALLS)]
    return bodies.Answered(world.pick(known), world.rng.choice(["resume", "revoke"]), world.words(REASONS))


def handed_over(world: World) -> bodies.HandedOver:
    a_term(world)
    term = world.pick([term for term in world.rows(TERMS) if term.holder in world.members()])
    world.act_as(term.holder if world.chance(0.9) else world.pick(world.members()))
    world.audience = MEMBERS
    return bodies.HandedOver(term.id, world.words(), world.words(), world.words(), world.words())


EXAMPLES: dict[str, Builder] = {
    "role.defined/1": defined,
    "role.dissolved/1": dissolved,
    "role.appointed/1": appointed,
    "role.taken/1": taken,
    "role.renewed/1": renewed,
    "role.recalled/1": recalled,
    "role.resigned/1": resigned,
    "shadow.noted/1": noted,
    "role.called/1": called,
    "role.call-answered/1": answered,
    "role.handed-over/1": handed_over,
}
