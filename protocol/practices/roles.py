"""Roles: authority that dissolves.

- A role is defined before anybody holds it: what it decides by itself, what it has to do, which kinds of records it may write
  and up to what amount, and for how many cycles. From its first term on nobody else writes those kinds; while it is vacant
  after that, it takes a decision.
- A term begins when it is given, or at the end of the one in force, and ends at a new moon. Its grants carry both instants,
  so nothing has to happen for them to be over.
- Holders come by a decision (consent or vote) or by lot. Nobody is given the next term who has held the role as often in a row
  as the protocol allows; only a whole cycle of pause begins a new row.
- A renewal is given before the end, by a decision in which the holder has no vote, with what the term achieved and why. Nor
  has whoever was given the last term a vote on being appointed once more.
- A term is given with the definition that was decided on, or that stood when its lot was opened. To define or redefine a role
  gives nobody anything and takes nothing from anybody: what it keeps to itself changes when its next term begins, and what it
  keeps no longer is open to all only where that term was decided on.
- A shadow, drawn by lot, keeps a journal for members and has a rationed call: it pauses one permission until the assembly
  resumes or revokes it, without holder and shadow as long as two others are there to decide, else with both. A pause goes on
  into a next term of the same person; what was revoked comes back with a next term that is decided on, not with one by lot.
- What decides about records of others is public: definitions, terms, calls. Journal and handover are for members only.

Example::

    Appointed("treasurer", definition, holder, "consent")     # by leave of a decision for exactly this
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protocol.drawing import drawn_for, seated, standing
from protocol.fuse import cycles_later_ms
from protocol.judge import spoken_time
from protocol.mandate import DECISION
from protocol.membership import ASSEMBLY, MEMBERSHIPS, is_live
from protocol.practice import (
    FOREVER_MS,
    GRANTS,
    MEMBERS,
    RESERVED,
    Act,
    Change,
    Grant,
    Kind,
    Own,
    Practice,
    Refused,
    Reservation,
)
from protocol.resting import resting_of
from protocol.role_blocks import about, page
from protocol.role_bodies import (
    Answered,
    Appointed,
    Called,
    Defined,
    Dissolved,
    HandedOver,
    Noted,
    Recalled,
    Renewed,
    Resigned,
    Taken,
)
from protocol.role_dues import due, figures
from protocol.terms import (
    CALLS,
    CONSECUTIVE,
    DAY_MS,
    DEFINITIONS,
    GRACE_DAYS,
    HANDOVERS,
    NOTES,
    ROLES,
    SHADOW_CALLS,
    TERM_CYCLES,
    TERMS,
    Call,
    Definition,
    Handover,
    Note,
    Role,
    Term,
    answered_without,
    as_held,
    definition_before,
    followed,
    given_later,
    holds,
    in_a_row,
    lot_subject,
    pause_ends_ms,
    spell_permissions,
    spoken_kind,
    term_of,
    terms_of,
)
from protocol.wording import counted

IN_PUBLIC = "Who may do what is public, so that others can judge what a role does. Leave the audience as it is."
WHOLE, PART_OF = "Your term as {}", "This permission of your term as {}"  # how a refusal begins


# Defining


def define(own: Own, act: Act[Defined]) -> Iterator[Change]:
    """Say what a role is from the next term on. By itself it takes nothing from anybody and gives nobody anything."""
    body, at_ms = act.body, act.logged_ms
    kinds = [each.kind for each in body.permissions]
    twice = next((kind for kind in kinds if kinds.count(kind) > 1), "")
    if twice:
        raise Refused(f"Permissions: “{spoken_kind(twice)}” is there twice. Give each kind one limit.")
    longest = own.parameter(TERM_CYCLES, at_ms)
    if body.cycles > longest:
        raise Refused(f"Cycles of a term: a term is at most {counted(longest, 'cycle')} long here. Choose fewer.")
    row = own.get(ROLES, body.role)
    here = row if row and row.ended_ms > at_ms else None
    yield ROLES.put(
        Role(
            act.space, body.role, act.digest, here.first if here else act.digest,
            here.first_position if here else act.position, body.cycles, spell_permissions(body.permissions),
            here.since_ms if here else at_ms, FOREVER_MS, body.domain, body.duties,
        )
    )  # fmt: skip
    yield DEFINITIONS.put(
        Definition(act.space, act.digest, act.position, body.role, body.cycles, spell_permissions(body.permissions))
    )


def takes_to_define(own: Own, act: Act[Defined]) -> str:
    """A role that is there already, and a kind that another role keeps to itself, are changed by a decision alone."""
    row, at_ms = own.get(ROLES, act.body.role), act.logged_ms
    kept = [one for each in act.body.permissions for one in own.all(RESERVED, kind=each.kind)]
    if (row and row.ended_ms > at_ms) or any(one.since_ms <= at_ms < one.until_ms for one in kept):
        return DECISION
    return ASSEMBLY


def dissolve(own: Own, act: Act[Dissolved]) -> Iterator[Change]:
    """End a role with all terms that were given; what it kept to itself is open to all members again."""
    row = _role(own, act.body.role, act.logged_ms)
    yield ROLES.patch(row.role, ended_ms=act.logged_ms)
    yield from _end(own, act, terms_of(own, row.role), "dissolved")
    for kept in sorted(own.all(RESERVED, role=row.role), key=lambda each: each.kind):
        yield RESERVED.drop(kept.kind, row.role)


# Giving a term


def appoint(own: Own, act: Act[Appointed]) -> Iterator[Change]:
    """Give the next term to whom the members chose."""
    body, at_ms = act.body, act.logged_ms
    row = _role(own, body.role, at_ms)
    if not is_live(own.get(MEMBERSHIPS, body.holder), at_ms):
        raise Refused("Who: that is not a member here now. Choose one who is.")
    yield from _give(own, act, _as_decided(own, row, body.definition), body.holder, body.chosen)


def take(own: Own, act: Act[Taken]) -> Iterator[Change]:
    """Take the next term by lot, with the role as it was defined when the lot was opened."""
    row = _role(own, act.body.role, act.logged_ms)
    drawn = drawn_for(own, "role", lot_subject(own, row))
    if drawn is None:
        raise Refused(f"No lot was drawn for the next term of {row.role}. Open one on the page of roles.")
    if act.member not in seated(own, drawn):
        raise Refused(f"The lot for {row.role} fell on somebody else. They take it, or decline so that the next is asked.")
    definition = definition_before(own, row, own.position_of(drawn.id) or 0)
    if definition is None:
        raise Refused(f"The lot for {row.role} was opened before the role was there. Open one anew.")
    yield from _give(own, act, definition, act.member, "lot")


def renew(own: Own, act: Act[Renewed]) -> Iterator[Change]:
    """Give the holder one more term, before the end of this one."""
    body, at_ms = act.body, act.logged_ms
    term = as_held(own, own.need(TERMS, body.term, what="term"))
    row = _role(own, term.role, at_ms)
    if act.member == term.holder:
        raise Refused("A renewal is decided and written down by others than the holder. Ask another member to do it.")
    if at_ms < term.since_ms:
        raise Refused(f"This term begins at {spoken_time(term.since_ms)}. It can be renewed only while it lasts.")
    if at_ms >= term.until_ms:
        raise Refused(f"This term ended at {spoken_time(term.until_ms)}. What was not renewed is over: appoint anew.")
    definition = _as_decided(own, row, body.definition)
    yield from _give(own, act, definition, term.holder, "renewed", body.reasons, body.achieved)


def _give(
    own: Own, act: Act[Any], given: Definition, holder: bytes, chosen: str, reasons: str = "", achieved: str = ""
) -> Iterator[Change]:
    """The next term with its grants, which nobody has to take away."""
    role, later = given.role, given_later(own, given.role, act.logged_ms)
    begins_ms, ends_ms = _span(own, act, given, later)
    previous = followed(own, role, holder, begins_ms)
    rest = resting_of(own, holder, begins_ms, role)
    if rest is not None:
        raise Refused(
            f"Who is to hold {role} steps back from it until {spoken_time(rest.until_ms)}. Choose somebody else, or lift their "
            "sabbatical by a decision first."
        )
    most = own.parameter(CONSECUTIVE, act.logged_ms)
    follow = [term for term in later if term.holder == holder and term.since_ms < pause_ends_ms(ends_ms)]
    if in_a_row(own, previous) + len(follow) >= most:
        raise Refused(
            f"The same person has held {role} for {counted(most, 'term')} in a row, as many as the protocol allows. "
            "Choose somebody else; after a cycle of pause they can be chosen again."
        )
    yield TERMS.put(
        Term(
            act.space, act.digest, act.position, role, given.id, holder, begins_ms, ends_ms, act.logged_ms, chosen,
            previous.id if previous else None, "", reasons, achieved, "",
        )
    )  # fmt: skip
    for term in follow[:1]:
        yield TERMS.patch(term.id, previous=act.digest)
    for each in given.permitted:
        paused = previous is not None and _still_rests(own, previous, each.kind, chosen)
        why = (PART_OF if paused else WHOLE).format(role)
        yield GRANTS.put(Grant(act.space, act.digest, each.kind, holder, begins_ms, ends_ms, each.up_to, paused, why))
    yield from _reserve(own, given, later, begins_ms, opens=chosen != "lot")


def _still_rests(own: Own, previous: Term, kind: str, chosen: str) -> bool:
    """Whether a permission stays at rest: it was when the term before ended, or was revoked, and no lot gives that back."""
    before = own.get(GRANTS, previous.id, kind, previous.holder)
    revoked = before is not None and before.until_ms < previous.until_ms
    return before is not None and before.paused and (chosen == "lot" or not revoked)


def _span(own: Own, act: Act[Any], given: Definition, later: tuple[Term, ...]) -> tuple[int, int]:
    """When the next term of a role begins and ends."""
    at_ms = act.logged_ms
    current = term_of(own, given.role, at_ms)
    if current and later:
        raise Refused(
            f"The next term of {given.role} is given already: it begins at {spoken_time(later[0].since_ms)}. "
            "Wait for it, or recall it."
        )
    begins_ms = current.until_ms if current else at_ms
    ends_ms = cycles_later_ms(begins_ms, min(given.cycles, own.parameter(TERM_CYCLES, at_ms)))
    return begins_ms, min([ends_ms, *(term.since_ms for term in later)])


def _reserve(own: Own, given: Definition, later: tuple[Term, ...], begins_ms: int, *, opens: bool) -> Iterator[Change]:
    """From the beginning of a term the role keeps to itself what that term may write, and nothing else any more.

    Where a lot gives the term, nobody decided on the definition; what the role kept before is then opened to nobody.
    """
    kept = {row.kind: row for row in own.all(RESERVED, role=given.role)}
    for each in given.permitted:
        held = kept.pop(each.kind, None)
        since_ms = min(held.since_ms, begins_ms) if held and held.until_ms >= begins_ms else begins_ms
        yield RESERVED.put(Reservation(given.space, each.kind, given.role, since_ms, FOREVER_MS))
    defined = (own.get(DEFINITIONS, term.definition) for term in later)
    still = {each.kind for definition in defined if definition for each in definition.permitted}
    for kind, row in sorted(kept.items()):
        if opens and row.until_ms > begins_ms and kind not in still:
            yield RESERVED.patch(kind, given.role, until_ms=begins_ms)


def _role(own: Own, role: str, at_ms: int) -> Role:
    row = own.need(ROLES, role, what="role")
    if row.ended_ms <= at_ms:
        raise Refused(f"{role} was dissolved at {spoken_time(row.ended_ms)}. Define it anew first.")
    return row


def _as_decided(own: Own, row: Role, definition: bytes) -> Definition:
    if row.id != definition:
        raise Refused(f"{row.role} was redefined after this was decided. Decide anew, so that all know what they give.")
    return own.need(DEFINITIONS, definition, what="definition of this role")


# Ending one before its time


def recall(own: Own, act: Act[Recalled]) -> Iterator[Change]:
    """End a term at once, as decided, and those that the same person was given after it."""
    yield from _end(own, act, _with_later(own, _unfinished(own, act)), "recalled")


def resign(own: Own, act: Act[Resigned]) -> Iterator[Change]:
    """Step down at once."""
    term = _unfinished(own, act)
    if term.holder != act.member:
        raise Refused("Only who holds a term steps down from it. To end somebody else's, propose a recall.")
    yield from _end(own, act, _with_later(own, term), "resigned")


def _unfinished(own: Own, act: Act[Any]) -> Term:
    term = as_held(own, own.need(TERMS, act.body.term, what="term"))
    if act.logged_ms >= term.until_ms:
        raise Refused(f"This term is over already: it ended at {spoken_time(term.until_ms)}.")
    return term


def _with_later(own: Own, term: Term) -> tuple[Term, ...]:
    """A term and those of the same role that the same person has after it, whichever was given first."""
    ours = (each for each in terms_of(own, term.role) if each.holder == term.holder)
    return tuple(each for each in ours if each.since_ms >= term.since_ms)


def _end(own: Own, act: Act[Any], terms: tuple[Term, ...], how: str) -> Iterator[Change]:
    at_ms = act.logged_ms
    for term in terms:
        if term.until_ms > at_ms:
            yield TERMS.patch(term.id, until_ms=max(at_ms, term.since_ms), ended=how, why=act.body.reasons)
            for grant in own.all(GRANTS, source=term.id, order="name"):
                if grant.until_ms > at_ms:
                    yield GRANTS.patch(term.id, grant.name, grant.holder, until_ms=at_ms)


# The shadow


def call(own: Own, act: Act[Called]) -> Iterator[Change]:
    """Pause one permission of the role until the assembly has looked."""
    body, at_ms = act.body, act.logged_ms
    term = as_held(own, own.need(TERMS, body.term, what="term"))
    _only_shadow(own, act, term)
    if not holds(term, at_ms):
        raise Refused("There is nothing to pause: this term is not in force now.")
    most = own.parameter(SHADOW_CALLS, at_ms)
    if len(own.all(CALLS, term=term.id)) >= most:
        used = "it is used" if most == 1 else "they are used"
        raise Refused(
            f"A shadow has {counted(most, 'call')} in a term here{', and ' + used if most else ''}. Tell the assembly."
        )
    grant = own.get(GRANTS, term.id, body.kind, term.holder)
    if grant is None:
        raise Refused("Which permission: the role has no such one in this term. Its page lists those that it has.")
    if grant.until_ms <= at_ms:
        raise Refused("Which permission: this one is revoked already.")
    if grant.paused:
        raise Refused("Which permission: this one is paused already, until the assembly has looked.")
    yield CALLS.put(Call(act.space, act.digest, term.id, body.kind, act.member, at_ms, "", 0, body.reasons, ""))
    for each, held in _grants_of(own, term, body.kind, at_ms):
        yield GRANTS.patch(each, held.name, held.holder, paused=True, why=PART_OF.format(term.role))


def answer(own: Own, act: Act[Answered]) -> Iterator[Change]:
    """Resume or revoke what a shadow's call paused."""
    body, at_ms = act.body, act.logged_ms
    made = own.need(CALLS, body.call, what="call of a shadow")
    if made.outcome:
        raise Refused(f"This call was answered at {spoken_time(made.answered_ms)}. A new one takes a new call.")
    term = own.need(TERMS, made.term, what="term")
    yield CALLS.patch(made.id, outcome=body.outcome, answered_ms=at_ms, answer=body.reasons)
    for each, held in _grants_of(own, term, made.kind, at_ms):
        if held.paused and body.outcome == "resume":
            yield GRANTS.patch(each, held.name, held.holder, paused=False, why=WHOLE.format(term.role))
        elif held.paused:
            yield GRANTS.patch(each, held.name, held.holder, until_ms=at_ms)


def _grants_of(own: Own, term: Term, kind: str, at_ms: int) -> Iterator[tuple[bytes, Grant]]:
    """Grants of a kind that the holder of a term has, or will have, by this role."""
    for each in _with_later(own, term):
        grant = own.get(GRANTS, each.id, kind, each.holder)
        if grant and grant.until_ms > at_ms:
            yield each.id, grant


def note(own: Own, act: Act[Noted]) -> Iterator[Change]:
    """Write into the journal of a shadow."""
    body, at_ms = act.body, act.logged_ms
    term = as_held(own, own.need(TERMS, body.term, what="term"))
    _only_shadow(own, act, term)
    closes_ms = term.until_ms + own.parameter(GRACE_DAYS, at_ms) * DAY_MS
    if at_ms >= closes_ms:
        raise Refused(f"The journal of this term was open until {spoken_time(closes_ms)}. Tell the assembly what you saw.")
    yield NOTES.put(
        Note(act.space, act.position, act.digest, term.id, act.member, at_ms, body.observations, body.patterns)
    )  # fmt: skip


def _only_shadow(own: Own, act: Act[Any], term: Term) -> None:
    shadows = standing(own, "shadow", term.id)
    if not shadows:
        raise Refused(f"No shadow is drawn for this term as {term.role}. Draw one on the page of roles.")
    if act.member not in shadows:
        raise Refused(f"This is for the shadow that was drawn for this term as {term.role}, and for nobody else.")


def hand_over(own: Own, act: Act[HandedOver]) -> Iterator[Change]:
    """Leave to the next holder what they need to know."""
    body = act.body
    term = as_held(own, own.need(TERMS, body.term, what="term"))
    if act.member != term.holder:
        raise Refused("Only who holds or held a term hands it over. Ask them, or write what you know into the minutes.")
    if act.logged_ms < term.since_ms:
        raise Refused(f"This term begins at {spoken_time(term.since_ms)}. There is nothing to hand over yet.")
    yield HANDOVERS.put(
        Handover(
            act.space, act.position, act.digest, term.id, act.member, act.logged_ms, body.open_matters, body.waiting,
            body.places, body.otherwise,
        )
    )  # fmt: skip


# Whom it concerns


def who_held_it_last(own: Own, body: Appointed) -> tuple[bytes, ...]:
    """Whoever was given the last term, held the last one, or holds the one before a gap, has no vote on having the next too."""
    given = terms_of(own, body.role)
    held = sorted((term for term in given if term.until_ms > term.since_ms), key=lambda term: term.since_ms)
    before_gap = held[-2:-1] if len(held) > 1 and held[-2].until_ms < held[-1].since_ms else []
    last = [*given[-1:], *held[-1:], *before_gap]
    return (body.holder,) if any(term.holder == body.holder for term in last) else ()


def the_holder(own: Own, body: Renewed | Recalled) -> tuple[bytes, ...]:
    """The holder of a term has no vote on it."""
    term = own.get(TERMS, body.term)
    return (term.holder,) if term else ()


def holder_and_shadow(own: Own, body: Answered) -> tuple[bytes, ...]:
    """Neither who called nor whose permission rests has a vote on the call, where two others are there."""
    made = own.get(CALLS, body.call)
    return answered_without(own, made) if made else ()


PRACTICE = Practice(
    name="roles",
    title="Roles",
    room="assembly",
    about="Who may do what, from when to when: authority that ends by itself unless others give it again.",
    tables=(ROLES, DEFINITIONS, TERMS, CALLS, NOTES, HANDOVERS),
    kinds=(
        Kind(
            "role.defined/1", "Define a role", Defined, define, needs="assembly", takes=takes_to_define, in_public=IN_PUBLIC,
            consequence="From the next term on, only its holder writes these kinds. Terms given already stay as they are.",
            help="Write down what a role decides, has to do and may write, before anybody holds it.",
        ),
        Kind(
            "role.dissolved/1", "Dissolve a role", Dissolved, dissolve, needs=DECISION, in_public=IN_PUBLIC,
            consequence="Its terms end this minute, and what it kept to itself is open to all members again.",
            help="End a role that is no longer needed.",
        ),
        Kind(
            "role.appointed/1", "Appoint for a term", Appointed, appoint, needs=DECISION, concerns=who_held_it_last,
            in_public=IN_PUBLIC,
            consequence="They hold the role from now, or after the term in force, until the new moon that ends their own.",
            help="Give the next term of a role to the member whom you chose. Who held it last has no vote on holding it again.",
        ),
        Kind(
            "role.taken/1", "Take a role by lot", Taken, take, in_public=IN_PUBLIC,
            consequence="You hold the role from now, or after the term in force, until the new moon that ends your own.",
            help="Take the next term of a role if the lot fell on you.",
        ),
        Kind(
            "role.renewed/1", "Renew a term", Renewed, renew, needs=DECISION, concerns=the_holder, in_public=IN_PUBLIC,
            consequence="The holder has one more term after this one. Without it the permissions end with the term.",
            help="Give the holder one more term, with what this one achieved and why. The holder has no vote on it.",
        ),
        Kind(
            "role.recalled/1", "Recall from a role", Recalled, recall, needs=DECISION, concerns=the_holder, in_public=IN_PUBLIC,
            consequence="Their permissions end this minute. What they did stands.",
            help="End somebody's term before its time. The holder has no vote on it.",
        ),
        Kind(
            "role.resigned/1", "Step down from a role", Resigned, resign, in_public=IN_PUBLIC, for_good=True,
            consequence="Your permissions end this minute. What you did stands, and you can still hand over.",
            help="End your own term before its time.",
        ),
        Kind(
            "shadow.noted/1", "Write into the shadow's journal", Noted, note, audience=MEMBERS,
            consequence="Members read it; no other space does.",
            help="Keep a journal of what you see as the shadow of a role.",
        ),
        Kind(
            "role.called/1", "Use the shadow's call", Called, call, in_public=IN_PUBLIC, for_good=True,
            consequence="This permission rests from this minute until the assembly has looked. The call is used up.",
            help="As the shadow, ask the assembly to look: it is no veto, and it is counted.",
        ),
        Kind(
            "role.call-answered/1", "Answer a shadow's call", Answered, answer, needs=DECISION, concerns=holder_and_shadow,
            in_public=IN_PUBLIC,
            consequence="The permission holds again, or is over for this term, from this minute.",
            help="Resume or revoke what a call paused. Where two others are there, holder and shadow have no vote on it.",
        ),
        Kind(
            "role.handed-over/1", "Hand over a role", HandedOver, hand_over, audience=MEMBERS,
            consequence="Members read it; no other space does.",
            help="Write down what whoever comes next needs to know.",
        ),
    ),
    parameters=(CONSECUTIVE, GRACE_DAYS, SHADOW_CALLS, TERM_CYCLES),
    due=due,
    figures=figures,
    page=page,
    record=about,
)  # fmt: skip
