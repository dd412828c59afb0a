"""Roles and their terms: the rows that the practice of roles writes, and the questions that others ask of them.

- A role goes by a short name. What it may write are its permissions: kinds of records, each up to an amount.
- Whoever is given a term holds the role from its first instant until its last, and not at the last. Nothing has to happen for a
  term to be over: its grants carry the same two instants.
- Terms end at new moons. Who stops being a member holds nothing from that minute on, whatever the row of the term says.
- Terms of one person in one role are in a row unless a whole cycle lies between them.

Example::

    holder_of(view, "treasurer", now_ms)        # a member's key, or None while the role is vacant
    barred(view, "treasurer", now_ms)           # who may not take the next term
    longest_held(view, now_ms)                  # member -> cycles in a row with a role
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Struct

from protocol import moon
from protocol.membership import MEMBERSHIPS, Membership, abstain
from protocol.practice import FOREVER_MS, Least, Own, Parameter, Row, Table, field

DAY_MS = 86_400_000

TERM_CYCLES = Parameter("roles.term-cycles", 1, "Longest term of a role, in cycles", 1, 13)
CONSECUTIVE = Parameter("roles.consecutive-terms", 1, "Terms of one person in one role, in a row", 1, 12)
GRACE_DAYS = Parameter("roles.grace-days", 14, "Days to hand over after a term", 0, 60)
SHADOW_CALLS = Parameter("roles.shadow-calls", 1, "Calls that a shadow has in one term", 0, 5)

ROLE_PATTERN = r"^[a-z][a-z0-9-]{1,29}$(?!\n)"
DUTY_PATTERN = r"^[a-z]+\.[a-z-]+/[1-9][0-9]{0,3}$(?!\n)"  # never the name of a mandate, such as "assembly"


class Permission(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """That a role may write records of a kind, and up to what amount."""

    kind: Annotated[
        str,
        field(
            "Kind of record", "While the role is there, nobody else writes these.",
            widget="duty", example="ledger.transaction-booked/1", max_length=60, pattern=DUTY_PATTERN,
        ),
    ]  # fmt: skip
    up_to: Annotated[
        int,
        field("Up to", "The largest amount; 0 is without a limit.", widget="money", example="250.00", ge=0, le=2**50),
    ] = 0


class Role(Row, frozen=True):
    """A role as it was last defined; that is what the next term is given with."""

    role: str
    id: bytes  # of the latest definition
    first: bytes  # of the definition that began it
    first_position: int
    cycles: int
    permissions: str  # JSON: a list of kind and up_to
    since_ms: int
    ended_ms: int
    domain: str
    duties: str

    @property
    def permitted(self) -> tuple[Permission, ...]:
        """Its permissions as values."""
        return read_permissions(self.permissions)


class Definition(Row, frozen=True):
    """What a role was defined to be by one record."""

    id: bytes
    position: int
    role: str
    cycles: int
    permissions: str  # JSON: a list of kind and up_to

    @property
    def permitted(self) -> tuple[Permission, ...]:
        """Its permissions as values."""
        return read_permissions(self.permissions)


class Term(Row, frozen=True):
    """That somebody was given a role from one instant to another."""

    id: bytes
    position: int
    role: str
    definition: bytes  # the one that it was given with
    holder: bytes
    since_ms: int
    until_ms: int
    given_ms: int
    chosen: str  # consent, vote, lot or renewed
    previous: bytes | None  # the term of the same person that it follows in a row
    ended: str  # "": at its own end; recalled, resigned or dissolved
    reasons: str  # of a renewal
    achieved: str
    why: str  # of an end before its time


class Call(Row, frozen=True):
    """A shadow's call: one permission of the role rests until the assembly has looked."""

    id: bytes
    term: bytes
    kind: str
    caller: bytes
    since_ms: int
    outcome: str  # "": open; resume or revoke
    answered_ms: int
    reasons: str
    answer: str


class Note(Row, frozen=True):
    """A line of a shadow's journal."""

    position: int
    id: bytes
    term: bytes
    author: bytes
    at_ms: int
    observations: str
    patterns: str


class Handover(Row, frozen=True):
    """What the holder of a term leaves to the next one."""

    position: int
    id: bytes
    term: bytes
    author: bytes
    at_ms: int
    open_matters: str
    waiting: str
    places: str
    otherwise: str


ROLES = Table("role", Role, ("role",), (("id",), ("first",)), erasable=("domain", "duties"))
DEFINITIONS = Table("role_definition", Definition, ("id",), (("role", "position"),))
TERMS = Table("role_term", Term, ("id",), (("role", "position"), ("holder",)), erasable=("reasons", "achieved", "why"))
CALLS = Table("role_call", Call, ("id",), (("term",), ("outcome",)), erasable=("reasons", "answer"))
NOTES = Table("shadow_note", Note, ("position",), (("term",),), erasable=("observations", "patterns"))
HANDOVERS = Table(
    "role_handover", Handover, ("position",), (("term",),), erasable=("open_matters", "waiting", "places", "otherwise")
)


# Permissions


def spell_permissions(permissions: list[Permission]) -> str:
    """Permissions as text, in the order in which they were given."""
    return msgspec.json.encode(permissions).decode()


def read_permissions(text: str) -> tuple[Permission, ...]:
    """Permissions from their text."""
    return msgspec.json.decode(text, type=tuple[Permission, ...])


# Who holds what


def holds(term: Term, at_ms: int) -> bool:
    """Whether an instant is within a term: its first is, its last is not."""
    return term.since_ms <= at_ms < term.until_ms


def as_held(own: Own, term: Term) -> Term:
    """A term as it was really held: it is over for who is no longer a member."""
    return _cut(term, own.get(MEMBERSHIPS, term.holder))


def _cut(term: Term, member: Membership | None) -> Term:
    if member is None or member.ended_ms >= term.until_ms:
        return term
    return msgspec.structs.replace(term, until_ms=max(member.ended_ms, term.since_ms), ended=member.ended)


def terms_of(own: Own, role: str) -> tuple[Term, ...]:
    """The terms of a role as they were held, in the order in which they were given."""
    return tuple(as_held(own, term) for term in own.all(TERMS, role=role, order="position"))


def recent_terms(own: Own, role: str, after_ms: int) -> tuple[Term, ...]:
    """The terms of a role that were to end after an instant, as they were held, in the order in which they were given."""
    return tuple(as_held(own, term) for term in own.all(TERMS, role=role, order="position", until_ms=Least(after_ms + 1)))


def every_term(own: Own) -> tuple[Term, ...]:
    """The terms of all roles as they were held, in the order in which they were given."""
    here = {row.member: row for row in own.all(MEMBERSHIPS)}
    return tuple(_cut(term, here.get(term.holder)) for term in own.all(TERMS, order="position"))


def roles_at(own: Own, at_ms: int) -> tuple[Role, ...]:
    """The roles that there are at an instant, by name."""
    return tuple(row for row in own.all(ROLES, order="role") if row.since_ms <= at_ms < row.ended_ms)


def answered_without(own: Own, made: Call) -> tuple[bytes, ...]:
    """Who has no vote on a shadow's call: holder and shadow, as long as two others are there to decide."""
    term = own.get(TERMS, made.term)
    return abstain(own, (term.holder, made.caller)) if term else ()


def term_of(own: Own, role: str, at_ms: int) -> Term | None:
    """The term in which a role is held at an instant, or None while it is vacant."""
    given = (as_held(own, term) for term in own.all(TERMS, role=role, order="position") if holds(term, at_ms))
    return next((term for term in given if holds(term, at_ms)), None)


def holder_of(own: Own, role: str, at_ms: int) -> bytes | None:
    """Who holds a role at an instant, or None while it is vacant."""
    term = term_of(own, role, at_ms)
    return term.holder if term else None


def held_by(own: Own, member: bytes, at_ms: int) -> tuple[Term, ...]:
    """The terms that a member holds at an instant, in the order in which they were given."""
    ours = (as_held(own, term) for term in own.all(TERMS, holder=member, order="position") if holds(term, at_ms))
    return tuple(term for term in ours if holds(term, at_ms))


def given_later(own: Own, role: str, at_ms: int) -> tuple[Term, ...]:
    """Terms that were given already and have not begun, the nearest first."""
    given = (as_held(own, term) for term in own.all(TERMS, role=role) if at_ms < term.since_ms)
    later = (term for term in given if term.since_ms < term.until_ms)
    return tuple(sorted(later, key=lambda term: (term.since_ms, term.position)))


# In a row


def pause_ends_ms(until_ms: int) -> int:
    """When a whole cycle lies behind the end of a term; never, where no new moon is known any more."""
    try:
        return moon.after_cycles(until_ms - 1, 2)
    except moon.OutsideTable:
        return FOREVER_MS


def followed(own: Own, role: str, holder: bytes, begins_ms: int) -> Term | None:
    """The term of the same person that one beginning then would follow in a row."""
    given = (as_held(own, term) for term in own.all(TERMS, role=role) if term.holder == holder)
    ours = [term for term in given if term.since_ms < term.until_ms <= begins_ms]
    last = max(ours, key=lambda term: (term.until_ms, term.position), default=None)
    return last if last and begins_ms < pause_ends_ms(last.until_ms) else None


def in_a_row(own: Own, term: Term | None) -> int:
    """How many terms of one person in a row end with this one."""
    count = 0
    while term:
        count += 1
        term = own.get(TERMS, term.previous) if term.previous else None
    return count


def next_begins_ms(own: Own, role: str, at_ms: int) -> int:
    """When a term given at an instant begins: at once if the role is vacant, else at the end of the one in force."""
    current = term_of(own, role, at_ms)
    return current.until_ms if current else at_ms


def barred(own: Own, role: str, at_ms: int) -> tuple[bytes, ...]:
    """Who may not take the next term, because they have held the role as often in a row as the protocol allows."""
    most, begins_ms = own.parameter(CONSECUTIVE, at_ms), next_begins_ms(own, role, at_ms)
    holders = sorted({term.holder for term in own.all(TERMS, role=role)})
    return tuple(each for each in holders if in_a_row(own, followed(own, role, each, begins_ms)) >= most)


def longest_held(own: Own, at_ms: int) -> dict[bytes, int]:
    """For each member with a role in this cycle: how many cycles in a row, this one counted, they have held one."""
    try:
        now = moon.cycle_at(at_ms)
        held: dict[bytes, set[int]] = {}
        for term in every_term(own):
            until_ms = min(term.until_ms, at_ms + 1)
            if term.since_ms < until_ms:
                cycles = range(moon.cycle_at(term.since_ms), moon.cycle_at(until_ms - 1) + 1)
                held.setdefault(term.holder, set()).update(cycles)
    except moon.OutsideTable:
        return {}
    return {member: count for member, cycles in sorted(held.items()) if (count := _back_from(now, cycles))}


def _back_from(cycle: int, cycles: set[int]) -> int:
    count = 0
    while cycle - count in cycles:
        count += 1
    return count


# Lots for roles


def lot_subject(own: Own, row: Role) -> bytes:
    """What a lot for the next term of a role is about: the last term given, or the role's first definition before any.

    A draw cannot be rerun, so that each vacancy has one; a redefinition does not give another.
    """
    given = [term for term in own.all(TERMS, role=row.role, order="-position", limit=1) if term.position > row.first_position]
    return given[0].id if given else row.first


def role_of_subject(own: Own, subject: bytes) -> Role | None:
    """The role whose next term a lot about this subject is for; None if there is none, or that term is given already."""
    term = own.get(TERMS, subject)
    row = own.get(ROLES, term.role) if term else next(iter(own.all(ROLES, first=subject)), None)
    return row if row and row.ended_ms == FOREVER_MS and lot_subject(own, row) == subject else None


def definition_before(own: Own, row: Role, position: int) -> Definition | None:
    """How a role was defined when a record was written."""
    defined = own.all(DEFINITIONS, role=row.role, order="-position")
    return next((each for each in defined if row.first_position <= each.position < position), None)


# In words


def spoken_kind(kind: str) -> str:
    """A kind in words, by its name: "ledger.transaction-booked/1" -> "transaction booked"."""
    first, _, rest = kind.partition("/")[0].partition(".")
    return (rest if "-" in rest else f"{first} {rest}").replace("-", " ").strip()
