"""Who belongs to a space: the rows that the practice of members writes, and how others read them.

Membership is public as a key. What people are called lies in rows for members only, or, where somebody wants to be known by
name to the whole archipelago, in the words of their own joining record; both can be erased for good.

Example::

    name_of(view, act.member)        # "Ada", or "member 7" if no name is to be seen
    title_of(view, space_id)         # "Harbour House"
"""

from __future__ import annotations

from collections.abc import Iterable

from protocol.practice import EVERYTHING, FOREVER_MS, MEMBERS, Own, Parameter, Row, Table, View

ASSEMBLY, MEMBER = "assembly", "member"
DAY_MS = 86_400_000
ROUND_DAYS = 30
MANDATE_CYCLES = 39
WAITING = Parameter("members.waiting-days", 30, "Days in which members can stand for somebody who asks to join", 1, 180)


class Founding(Row, frozen=True):
    """The space itself, and the keys above its node's keys."""

    id: bytes
    name: str
    founder: bytes
    founded_ms: int
    mandate_ms: int  # when the founding mandate ends
    epoch: int
    root: bytes
    next_root: bytes


class Membership(Row, frozen=True):
    """One person, by their first key; `admitted_ms` is None while they still need somebody's word."""

    member: bytes
    number: int
    id: bytes
    invited_by: bytes | None
    joined_ms: int
    admitted_ms: int | None
    ended_ms: int
    ended: str  # "", "left" or "removed"
    name: str  # the public one
    why: str  # of the ending


class Vouch(Row, frozen=True):
    """That a member stands for somebody who wants to join."""

    candidate: bytes
    voucher: bytes
    id: bytes
    since_ms: int
    words: str


class Invitation(Row, frozen=True):
    """An open door for one person; only the hash of its secret is known until it is used."""

    hash: bytes
    id: bytes
    inviter: bytes
    since_ms: int
    expires_ms: int
    used_by: bytes | None


class Naming(Row, frozen=True):
    """What a member says of themselves to the other members; the latest is what counts."""

    position: int
    member: bytes
    id: bytes
    name: str
    contact: str
    languages: str


class Belonging(Row, frozen=True):
    """To which of the collective's groups a member counts themselves, for members only; the latest is what counts."""

    position: int
    member: bytes
    id: bytes
    groups: str


class Erasure(Row, frozen=True):
    """That the words of a record were erased for good."""

    record: bytes
    id: bytes
    author: bytes
    since_ms: int
    reasons: str


FOUNDINGS = Table("founding", Founding, ("id",), shared=(("id",),))
MEMBERSHIPS = Table("membership", Membership, ("member",), (("id",),), erasable=("name", "why"))
VOUCHES = Table("vouch", Vouch, ("candidate", "voucher"), (("voucher",),), erasable=("words",))
INVITATIONS = Table("invitation", Invitation, ("hash",), (("inviter",),))
NAMINGS = Table("naming", Naming, ("position",), (("member",), ("id",)), erasable=("name", "contact", "languages"))
BELONGINGS = Table("belonging", Belonging, ("position",), (("member",), ("id",)), erasable=("groups",))
ERASURES = Table("erased", Erasure, ("record",), erasable=("reasons",))


def founding_of(own: Own) -> Founding | None:
    """The space's own row, once its founding record was judged."""
    return own.get(FOUNDINGS, own.id)


def is_live(row: Membership | None, at_ms: int) -> bool:
    """Whether somebody is a member at an instant."""
    return row is not None and row.admitted_ms is not None and row.admitted_ms <= at_ms < row.ended_ms


def members_at(own: Own, at_ms: int) -> tuple[Membership, ...]:
    """Who is a member at an instant, in the order in which they came."""
    return tuple(row for row in own.all(MEMBERSHIPS, order="number") if is_live(row, at_ms))


def abstain(own: Own, concerned: Iterable[bytes]) -> tuple[bytes, ...]:
    """Who has no vote on what the assembly has to look at: whom it concerns, as long as two others are there to decide.

    With fewer, all vote, and it still takes two in favour: neither does anybody decide alone, nor does it wait for ever.
    """
    here = {row.member for row in members_at(own, FOREVER_MS - 1)}
    return tuple(sorted(set(concerned))) if len(here - set(concerned)) >= 2 else ()


def waiting_at(own: Own, at_ms: int) -> tuple[Membership, ...]:
    """Who asked to join and still needs somebody's word, in the order in which they came."""
    asked = own.all(MEMBERSHIPS, order="number", admitted_ms=None)
    return tuple(row for row in asked if row.ended_ms == FOREVER_MS and at_ms < lapses_ms(own, row, at_ms))


def lapses_ms(own: Own, row: Membership, at_ms: int) -> int:
    """Until when members can stand for somebody who asks to join."""
    return row.joined_ms + own.parameter(WAITING, at_ms) * DAY_MS


def sees_members(own: Own) -> bool:
    """Whether rows for members only are among what this view is to see."""
    return own.audience in (MEMBERS, EVERYTHING)


def naming_of(own: Own, member: bytes) -> Naming | None:
    """What a member last said of themselves, as far as it is to be seen."""
    latest = own.all(NAMINGS, member=member, order="-position", limit=1)
    return latest[0] if latest else None


def name_of(own: Own, member: bytes) -> str:
    """What somebody is called in this space: by themselves, else in public, else by their number."""
    naming = naming_of(own, member)
    if naming and naming.name:
        return naming.name
    row = own.get(MEMBERSHIPS, member)
    if row is None:
        return "somebody unknown here"
    return row.name or f"member {row.number}"


def words_of(own: Own, member: bytes) -> tuple[bytes, ...]:
    """The records that hold a member's name, contact and groups: what to erase if they wish it."""
    row = own.get(MEMBERSHIPS, member)
    found = [row.id] if row and row.name else []
    said = own.all(NAMINGS, member=member, order="position")
    found += [each.id for each in said if each.name or each.contact or each.languages]
    return (*found, *(each.id for each in own.all(BELONGINGS, member=member, order="position") if each.groups))


def said_by(own: Own, member: bytes, digest: bytes) -> bool:
    """Whether a record holds what a member said of themselves, so that its words are theirs to erase."""
    row = own.get(MEMBERSHIPS, member)
    if row is not None and row.id == digest:
        return True
    return bool(own.all(NAMINGS, id=digest, member=member) or own.all(BELONGINGS, id=digest, member=member))


def title_of(view: View, space_id: bytes) -> str:
    """What a space calls itself, or "a space not met yet"."""
    found = view.everywhere(FOUNDINGS, id=space_id)
    return found[0].name if found else "a space not met yet"
