"""What is written about rest, and whether it holds: sabbaticals, mentors, dependencies, landing after a surge, celebrations.

- **Nobody is picked.** The assembly plans a sabbatical; whether it binds, the record decides (`resting.due_for_rest`): who held
  a role for so many cycles in a row, or did most of the last cycle's work, steps back. For anybody else a plan is a question.
- **The schedule is real, the cycle is theirs.** Who is to rest says yes, or moves it once, to a cycle within reach; silence
  does not stop it, else those who most need to let go would simply not answer. The members can lift it by a decision in
  which the one concerned has no vote. Anybody may plan a sabbatical for themselves.
- **A mentor is asked, not steering**: agreeing gives no permission and takes none.
- What is said about rest is public, because it binds acts that are.

Example::

    Planned(member=..., cycle=332, role="treasurer")
    DependencyFound(what="Only one of us knows how to open the cold store", sabbatical=...)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from protocol import drawing, moon
from protocol.fuse import cycles_later_ms
from protocol.judge import spoken_time
from protocol.lineage import ADOPTIONS, PROTOCOLS
from protocol.mandate import STAND_IN
from protocol.membership import MEMBERSHIPS, is_live
from protocol.practice import FOREVER_MS, GRANTS, RESTS, Act, Change, Digest, Grant, MemberKey, Own, Refused, Rest, field
from protocol.resting import (
    CELEBRATIONS,
    DECOMPRESSIONS,
    DEPENDENCIES,
    MENTORS,
    QUESTION,
    SABBATICALS,
    WISH,
    Celebration,
    Decompression,
    Dependency,
    Mentor,
    Sabbatical,
    due_for_rest,
    sabbaticals_of,
)
from protocol.standing import ANSWERS, JOINS
from protocol.terms import roles_at
from protocol.wording import counted
from protocol.working import DAY_MS, MINUTE_MS, cycle_in

PLANNED_AHEAD, MOVED_BY = 6, 2  # cycles
LOOK_AHEAD = 13
LANDING_DAYS = 30  # after the rest is over, at the latest
ROLE = r"^(|[a-z][a-z0-9-]{1,29})$(?!\n)"
SLUG = r"^[a-z0-9][a-z0-9-]{1,39}$(?!\n)"
DOMAINS = "food, housing, care, energy, water, tools, communication, money, decision, safety, learning, culture"
IN_PUBLIC = "What is said about rest is public, because it binds what is. Leave the audience as it is."
NEWCOMER = "newcomer"

Cycle = Annotated[
    int, field("Cycle", "The cycle in which they rest, from its new moon to the next.", widget="cycle", example="332",
               ge=-1237, le=2484),
]  # fmt: skip
RoleName = Annotated[
    str, field("Role", "The short name of the role that they rest from; empty: all tasks.", example="treasurer", pattern=ROLE)
]
SabbaticalId = Annotated[Digest, field("Sabbatical", "The record that planned it.", widget="record")]
DependencyId = Annotated[Digest, field("Dependency", "The record that wrote it down.", widget="record")]


# What is written


class Planned(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody is to step back for a cycle."""

    member: Annotated[MemberKey, field("Who", "Who has held a role for long, or carried most.", widget="member")]
    cycle: Cycle
    role: RoleName = ""
    words: Annotated[
        str, field("Words", "What you would like to tell them.", widget="text", erasable=True, max_length=2000)
    ] = ""


class Wished(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """I step back for a cycle."""

    cycle: Cycle
    role: RoleName = ""
    words: Annotated[
        str, field("Words", "What the others should know, if anything.", widget="text", erasable=True, max_length=2000)
    ] = ""


class Accepted(Struct, frozen=True, forbid_unknown_fields=True):
    """I step back as planned."""

    sabbatical: SabbaticalId


class Moved(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """I step back in another cycle."""

    sabbatical: SabbaticalId
    cycle: Cycle
    reasons: Annotated[str, field("Reasons", "Why then.", widget="text", erasable=True, required=True, max_length=1000)] = ""


class Lifted(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The members decide that somebody need not step back, or may come back sooner."""

    sabbatical: SabbaticalId
    reasons: Annotated[str, field("Reasons", "Why.", widget="text", erasable=True, required=True, max_length=2000)] = ""


class TakenOver(Struct, frozen=True, forbid_unknown_fields=True):
    """I take over while somebody rests."""

    sabbatical: SabbaticalId


class MentorAgreed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """I answer when the one who took over asks me."""

    sabbatical: SabbaticalId
    newcomer: Annotated[MemberKey, field("Who takes over", "Whom you will answer.", widget="member")]
    words: Annotated[
        str, field("How to ask you", "When and how, so that it stays a rest.", widget="text", erasable=True, max_length=1000)
    ] = ""


class DependencyFound(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something turned out to hang on one person."""

    what: Annotated[
        str,
        field("What", "What did not work, or only one of us can. Say what, not who.", widget="text", erasable=True,
              required=True, max_length=2000),
    ] = ""  # fmt: skip
    sabbatical: Annotated[Digest | None, field("Sabbatical", "The one in which it showed, if any.", widget="record")] = None


class DependencyPlanned(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How it is to hang on one person no longer."""

    dependency: DependencyId
    look_cycle: Annotated[
        int,
        field("Look again", "The cycle at whose new moon we look whether it worked.", widget="cycle", example="334",
              ge=-1237, le=2484),
    ]  # fmt: skip
    plan: Annotated[
        str,
        field("Plan", "Teach a second person, write it down, or do without it.", widget="text", erasable=True, required=True,
              max_length=2000),
    ] = ""  # fmt: skip


class DependencyResolved(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """It does not hang on one person any more."""

    dependency: DependencyId
    how: Annotated[str, field("How", "What helped.", widget="text", erasable=True, required=True, max_length=2000)] = ""


class DecompressionSet(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """When and how we land together after a campaign."""

    campaign: Annotated[Digest, field("Campaign", "The record of its call.", widget="record")]
    meets_ms: Annotated[int, field("When", "When you meet, after it has dispersed.", widget="instant", ge=0)]
    ritual: Annotated[
        Digest | None, field("Ritual", "A protocol of the library, published or adopted here, if you use one.", widget="record")
    ] = None
    place: Annotated[str, field("Where", "Where you meet.", erasable=True, max_length=300)] = ""
    words: Annotated[str, field("Words", "What to bring, whom to ask.", widget="text", erasable=True, max_length=2000)] = ""


class CelebrationHeld(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """We celebrated something that was gained, a small one too."""

    domain: Annotated[
        str, field("Sovereignty", f"Where it makes us freer: {DOMAINS}, or a word of your own.", example="food", pattern=SLUG)
    ]
    about: Annotated[Digest | None, field("About", "A record of ours that it goes back to, if any.", widget="record")] = None
    gained: Annotated[str, field("What was gained", "In a sentence.", erasable=True, required=True, max_length=300)] = ""
    how: Annotated[str, field("How", "How you marked it, if you like.", widget="text", erasable=True, max_length=2000)] = ""


# Rules: sabbaticals


def plan(own: Own, act: Act[Planned]) -> Iterator[Change]:
    """Plan a sabbatical for somebody; whether it binds, the record decides."""
    body, at_ms = act.body, act.logged_ms
    if not is_live(own.get(MEMBERSHIPS, body.member), at_ms):
        raise Refused("Who: they are not a member here. Choose somebody from the list.")
    reason = due_for_rest(own, at_ms).get(body.member, QUESTION)
    yield from _sabbatical(own, act, body.member, reason)


def wish(own: Own, act: Act[Wished]) -> Iterator[Change]:
    """Plan one's own."""
    yield from _sabbatical(own, act, act.member, WISH)


def _sabbatical(own: Own, act: Act[Planned] | Act[Wished], member: bytes, reason: str) -> Iterator[Change]:
    body, at_ms = act.body, act.logged_ms
    if body.role and all(role.role != body.role for role in roles_at(own, at_ms)):
        raise Refused("Role: there is no such role now. Choose one from the page of roles, or leave it empty.")
    since_ms, until_ms = _cycle_ahead(body.cycle, at_ms, PLANNED_AHEAD)
    for row in sabbaticals_of(own, member):
        if row.stands(at_ms) and (row.role == body.role or not row.role):
            raise Refused(f"One is planned for cycle {row.cycle} already. It can be moved, or lifted by a decision.")
    row = Sabbatical(
        act.space, act.digest, act.position, member, body.role, reason, body.cycle, since_ms, until_ms, at_ms,
        at_ms if reason == WISH else 0, False, FOREVER_MS, body.words,
    )  # fmt: skip
    yield SABBATICALS.put(row)
    if row.binds:
        yield _rest(row)


def _rest(row: Sabbatical) -> Change:
    """From its beginning to its end, what the roles of who rests let them write is for whoever takes over."""
    return RESTS.put(Rest(row.space, row.id, row.member, row.role, row.since_ms, row.until_ms))


def _standing_in(own: Own, row: Sabbatical, at_ms: int) -> tuple[Grant, ...]:
    """The grants with which somebody stands in, or is about to."""
    return tuple(grant for grant in own.all(GRANTS, source=row.id, order="holder") if grant.until_ms > at_ms)


def _cycle_ahead(cycle: int, at_ms: int, longest: int) -> tuple[int, int]:
    now = cycle_in(at_ms)
    if not now < cycle <= now + longest:
        raise Refused(f"Cycle: this is cycle {now}, and one rests from a new moon. Choose from {now + 1} to {now + longest}.")
    return _bounds(cycle)


def _bounds(cycle: int) -> tuple[int, int]:
    try:
        return moon.cycle_bounds(cycle)
    except moon.OutsideTable as error:
        raise Refused(str(error)) from error


def accept(own: Own, act: Act[Accepted]) -> Iterator[Change]:
    """Say yes to it."""
    row = _ahead(own, act, act.body.sabbatical)
    if row.accepted_ms:
        raise Refused("You have said yes already.")
    yield SABBATICALS.patch(row.id, accepted_ms=act.logged_ms)
    if not row.binds:
        yield _rest(row)


def move(own: Own, act: Act[Moved]) -> Iterator[Change]:
    """Say yes to another cycle, once."""
    row = _ahead(own, act, act.body.sabbatical)
    if row.moved:
        raise Refused("It was moved once already. If that does not do either, ask the members to decide on it.")
    now, last = cycle_in(act.logged_ms), row.cycle + MOVED_BY
    if act.body.cycle == row.cycle or not now < act.body.cycle <= last:
        raise Refused(
            f"Cycle: it is planned for cycle {row.cycle} and can be moved once, by at most {counted(MOVED_BY, 'cycle')} later. "
            f"Choose another one from {now + 1} to {last}."
        )
    since_ms, until_ms = _bounds(act.body.cycle)
    yield SABBATICALS.patch(
        row.id, cycle=act.body.cycle, since_ms=since_ms, until_ms=until_ms, moved=True, accepted_ms=act.logged_ms
    )
    yield _rest(msgspec.structs.replace(row, since_ms=since_ms, until_ms=until_ms))
    for grant in _standing_in(own, row, act.logged_ms):
        yield GRANTS.patch(grant.source, grant.name, grant.holder, since_ms=since_ms, until_ms=until_ms)


def _ahead(own: Own, act: Act[Any], digest: bytes) -> Sabbatical:
    row = own.need(SABBATICALS, digest, what="sabbatical")
    if row.member != act.member:
        raise Refused("This is for the one who is to rest. Talk to them.")
    if not row.is_ahead(act.logged_ms):
        over = act.logged_ms >= row.lifted_ms
        raise Refused("It was lifted." if over else f"It began at {spoken_time(row.since_ms)}, so nothing of it changes now.")
    return row


def lift(own: Own, act: Act[Lifted]) -> Iterator[Change]:
    """End one before its time, or before it begins."""
    row = own.need(SABBATICALS, act.body.sabbatical, what="sabbatical")
    if act.logged_ms >= min(row.until_ms, row.lifted_ms):
        raise Refused("There is nothing to lift: it is over, or lifted already.")
    yield SABBATICALS.patch(row.id, lifted_ms=act.logged_ms)
    if row.binds:
        yield RESTS.patch(row.id, until_ms=max(act.logged_ms, row.since_ms))
    yield from _ended(own, row, act.logged_ms)


def _ended(own: Own, row: Sabbatical, at_ms: int) -> Iterator[Change]:
    """Whoever stood in does so no longer."""
    for grant in _standing_in(own, row, at_ms):
        yield GRANTS.patch(grant.source, grant.name, grant.holder, until_ms=max(at_ms, grant.since_ms))


def take_over(own: Own, act: Act[TakenOver]) -> Iterator[Change]:
    """Whom the lot has drawn takes over, by their own yes."""
    row, at_ms = own.need(SABBATICALS, act.body.sabbatical, what="sabbatical"), act.logged_ms
    if not row.binds or at_ms >= min(row.until_ms, row.lifted_ms):
        raise Refused("This sabbatical is over, or does not bind yet. There is nothing to take over.")
    drawn = drawing.standing(own, NEWCOMER, row.id)
    if not drawn:
        raise Refused("Nobody has been drawn to take over yet. Open the lot on the sabbatical's page first.")
    if act.member not in drawn:
        raise Refused("The lot has drawn somebody else. They take over, or decline so that the next is asked.")
    if any(grant.holder == act.member for grant in _standing_in(own, row, at_ms)):
        raise Refused("You have taken over already.")
    yield from _ended(own, row, at_ms)
    begins_ms = max(row.since_ms, at_ms)
    yield GRANTS.put(Grant(act.space, row.id, STAND_IN, act.member, begins_ms, row.until_ms, 0, False, "Standing in"))


def concerns_planned(own: Own, body: Planned) -> tuple[bytes, ...]:
    """Who is to rest has no vote on it."""
    return (body.member,)


def concerns_lifted(own: Own, body: Lifted) -> tuple[bytes, ...]:
    """Who rests has no vote on coming back."""
    row = own.get(SABBATICALS, body.sabbatical)
    return (row.member,) if row else ()


def agree_to_mentor(own: Own, act: Act[MentorAgreed]) -> Iterator[Change]:
    """Who rests agrees to be asked by the one who was drawn."""
    body, at_ms = act.body, act.logged_ms
    row = own.need(SABBATICALS, body.sabbatical, what="sabbatical")
    if row.member != act.member:
        raise Refused("The mentor is the one who rests: they know what the newcomer does not. Ask them.")
    if at_ms >= min(row.until_ms, row.lifted_ms):
        raise Refused("This sabbatical is over. You can talk to each other without a record.")
    drawn = drawing.standing(own, NEWCOMER, row.id)
    if not drawn:
        raise Refused("Nobody has been drawn to take over yet. Open the lot on the sabbatical's page first.")
    if body.newcomer not in drawn:
        raise Refused("Who takes over: the lot has drawn somebody else. Their name stands on the sabbatical's page.")
    if own.get(MENTORS, row.id, body.newcomer):
        raise Refused("You have agreed to this already.")
    yield MENTORS.put(Mentor(act.space, row.id, body.newcomer, act.digest, act.member, at_ms, body.words))


# Rules: dependencies


def find_dependency(own: Own, act: Act[DependencyFound]) -> Iterator[Change]:
    """Write down what hangs on one person."""
    body = act.body
    if body.sabbatical is not None:
        own.need(SABBATICALS, body.sabbatical, what="sabbatical")
    yield DEPENDENCIES.put(
        Dependency(
            act.space, act.digest, act.position, body.sabbatical, act.member, act.logged_ms, 0, 0, FOREVER_MS, body.what, "", ""
        )
    )


def plan_dependency(own: Own, act: Act[DependencyPlanned]) -> Iterator[Change]:
    """Plan how to change that; a later plan takes the place of an earlier one."""
    row, body = _open_dependency(own, act, act.body.dependency), act.body
    now = cycle_in(act.logged_ms)
    if not now < body.look_cycle <= now + LOOK_AHEAD:
        raise Refused(f"Look again: this is cycle {now}. Choose a cycle from {now + 1} to {now + LOOK_AHEAD}.")
    look_ms = cycles_later_ms(act.logged_ms, body.look_cycle - now)
    yield DEPENDENCIES.patch(row.id, planned_ms=act.logged_ms, look_ms=look_ms, plan=body.plan)


def resolve_dependency(own: Own, act: Act[DependencyResolved]) -> Iterator[Change]:
    """Say that it is over, and how."""
    row = _open_dependency(own, act, act.body.dependency)
    yield DEPENDENCIES.patch(row.id, resolved_ms=act.logged_ms, how=act.body.how)


def _open_dependency(own: Own, act: Act[Any], digest: bytes) -> Dependency:
    row = own.need(DEPENDENCIES, digest, what="dependency")
    if not row.is_open(act.logged_ms):
        raise Refused("This is resolved already. If it has come back, write it down anew.")
    return row


# Rules: after a surge, and what was gained


def set_decompression(own: Own, act: Act[DecompressionSet]) -> Iterator[Change]:
    """Set a day on which to land together."""
    body, at_ms = act.body, act.logged_ms
    joined = [row for row in own.all(ANSWERS, campaign=body.campaign) if row.said in JOINS]
    if not joined:
        raise Refused("There is no such campaign that we joined. Look it up among the campaigns and try again.")
    last = max(joined, key=lambda row: row.position)
    latest_ms = last.rests_ms + LANDING_DAYS * DAY_MS
    if body.meets_ms % MINUTE_MS:
        raise Refused("When: times are whole minutes. Leave the seconds out.")
    if body.meets_ms <= at_ms:
        raise Refused(f"When: {spoken_time(body.meets_ms)} is past. Choose a time ahead.")
    if not last.disperses_ms <= body.meets_ms <= latest_ms:
        raise Refused(
            f"When: one lands once it has dispersed, at {spoken_time(last.disperses_ms)}, and not long after its rest. "
            f"Choose a time until {spoken_time(latest_ms)}."
        )
    if body.ritual is not None and own.get(PROTOCOLS, body.ritual) is None and not own.all(ADOPTIONS, protocol=body.ritual):
        raise Refused("Ritual: this protocol is neither published nor adopted here. Adopt it first, or leave it empty.")
    yield DECOMPRESSIONS.put(
        Decompression(
            act.space, act.digest, act.position, body.campaign, body.ritual, body.meets_ms, at_ms, body.place, body.words
        )
    )


def celebrate(own: Own, act: Act[CelebrationHeld]) -> Iterator[Change]:
    """Write down what was gained."""
    body = act.body
    if body.about is not None and own.position_of(body.about) is None:
        raise Refused("About: there is no such record of ours. Leave it empty, or copy it from its page.")
    yield CELEBRATIONS.put(
        Celebration(act.space, act.position, act.digest, body.domain, body.about, act.logged_ms, body.gained, body.how)
    )
