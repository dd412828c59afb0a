"""Lots as they stand: the rows that the practice of lots writes, and the questions that other practices ask of them.

A lot goes through these phases; each follows from its row and an instant, and is never stored:

- ``commit``: contributors commit to a value of their own. Ends when its time is over, or all have committed.
- ``reveal``: they reveal it. Ends when its time is over, or all who committed have revealed.
- ``waiting``, ``typing``: instead, where a public value was named: it is not known yet; two members are to type the same.
- ``ready``: anybody may have it drawn; nothing can change what comes out. Where one person could be drawn, that is at once.
- ``failed``: fewer than two revealed, or no two typed the same. Only then may a lot for the same be opened anew.
- ``drawn``: for good.

Example::

    standing(own, "shadow", term)       # the members who fill the seats now; () before the draw
    phase(lot, now_ms)                  # "reveal"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from protocol import lot as lots
from protocol.lot import Quota
from protocol.membership import MEMBERSHIPS
from protocol.practice import FOREVER_MS, Own, Row, Table, keys

COMMIT, REVEAL, WAITING, TYPING, READY, FAILED, DRAWN = "commit", "reveal", "waiting", "typing", "ready", "failed", "drawn"
MEMBERS_SOURCE, PUBLIC_SOURCE = "members", "public"
FEWEST = 2  # contributions, or witnesses, where two people or more could be drawn
PURPOSES = {
    "shadow": "a shadow",
    "role": "a role",
    "facilitator": "a facilitator",
    "newcomer": "who takes over",
    "circle": "a circle",
    "other": "something else",
}


class Lot(Row, frozen=True):
    """One lot: what for, how many seats, where its randomness comes from, and until when."""

    id: bytes
    purpose: str
    subject: bytes
    opener: bytes
    seats: int
    size: int  # how many can be drawn
    source: str
    public_source: str  # which public value, in words
    quotas: str  # `write_quotas`
    attempt: int  # 1, unless earlier ones for the same failed
    contributors: int  # how many may commit
    opened_ms: int
    commit_until_ms: int  # or: when the public value is known
    reveal_until_ms: int
    committed: int
    revealed: int
    typed: str  # the public value, once two members typed the same
    drawn_ms: int  # 0 before
    drawn_by: bytes  # the record of the draw, or empty


class Pool(Row, frozen=True):
    """Who can be drawn, by their numbers, and everybody as they were drawn: in a table of its own because it is long."""

    lot: bytes
    people: bytes  # first keys, one after another, in the order in which they came here
    grouped: str  # the group of each, one a line, where there are quotas
    contributors: bytes  # first keys of those who may commit, or type: the members when the lot was opened
    drawn: bytes  # first keys as they were drawn, or empty
    chosen: int  # how many of them got a seat
    randomness: bytes


class Part(Row, frozen=True):
    """What a member adds to the randomness of a lot."""

    lot: bytes
    member: bytes
    id: bytes
    commitment: bytes
    committed_ms: int
    value: bytes  # empty before it is revealed
    revealed_ms: int


class Typed(Row, frozen=True):
    """The public value as a member read it."""

    lot: bytes
    member: bytes
    id: bytes
    value: str
    typed_ms: int


class Declined(Row, frozen=True):
    """That somebody who was drawn does not want to."""

    lot: bytes
    member: bytes
    id: bytes
    declined_ms: int
    reasons: str


class Grouping(Row, frozen=True):
    """The group to which a member says they belong, among those that the collective named; empty: none."""

    member: bytes
    id: bytes
    said: str
    since_ms: int


class QuotaSet(Row, frozen=True):
    """The quotas for lots of a purpose, as decided."""

    purpose: str
    id: bytes
    quotas: str
    since_ms: int


LOTS = Table("lot", Lot, ("id",), (("subject", "purpose"), ("drawn_ms",)), shared=(("id",),))
POOLS = Table("lot_pool", Pool, ("lot",))
PARTS = Table("lot_part", Part, ("lot", "member"), (("lot",),))
TYPED = Table("lot_typed", Typed, ("lot", "member"), (("lot",),))
DECLINED = Table("lot_declined", Declined, ("lot", "member"), (("lot",),), erasable=("reasons",))
GROUPINGS = Table("lot_group", Grouping, ("member",))
QUOTAS = Table("lot_quota", QuotaSet, ("purpose",))


# Who fills the seats


def standing(own: Own, purpose: str, subject: bytes) -> tuple[bytes, ...]:
    """The members who fill the seats of a lot now: whoever declined or left is replaced by the next; () before the draw."""
    drawn = drawn_for(own, purpose, subject)
    return seated(own, drawn) if drawn else ()


def drawn_for(own: Own, purpose: str, subject: bytes) -> Lot | None:
    """The lot for this that was drawn, if there is one: there is never more than one."""
    return next((lot for lot in lots_for(own, purpose, subject) if lot.drawn_ms), None)


def lots_for(own: Own, purpose: str, subject: bytes) -> tuple[Lot, ...]:
    """Every lot for this, those that failed too, the earliest first."""
    return tuple(sorted(own.all(LOTS, subject=subject, purpose=purpose), key=lambda lot: lot.attempt))


def seated(own: Own, drawn: Lot) -> tuple[bytes, ...]:
    """The members who fill the seats of a lot that was drawn."""
    pool = own.get(POOLS, drawn.id)
    if pool is None:
        return ()
    able = (member for member in keys(pool.drawn) if is_able(own, drawn, member))
    if not drawn.quotas:
        return tuple(member for _, member in zip(range(drawn.seats), able, strict=False))
    return lots.choose(tuple(able), drawn.seats, read_quotas(drawn.quotas), groups_of(pool)).chosen


def is_able(own: Own, drawn: Lot, member: bytes) -> bool:
    """Whether somebody who was drawn is still a member and has not declined."""
    row = own.get(MEMBERSHIPS, member)
    return row is not None and row.ended_ms == FOREVER_MS and own.get(DECLINED, drawn.id, member) is None


# Where a lot stands


def phase(row: Lot, at_ms: int) -> str:
    """The phase at an instant."""
    if row.drawn_ms:
        return DRAWN
    if row.size < FEWEST or row.typed:
        return READY
    if row.source == PUBLIC_SOURCE:
        return WAITING if at_ms < row.commit_until_ms else TYPING if at_ms < row.reveal_until_ms else FAILED
    if at_ms < row.commit_until_ms:
        return COMMIT
    if row.committed < FEWEST:
        return FAILED
    if at_ms < row.reveal_until_ms:
        return REVEAL
    return READY if row.revealed >= FEWEST else FAILED


def undrawn(own: Own) -> tuple[Lot, ...]:
    """Lots that were not drawn, the earliest first; those that failed are among them."""
    return tuple(sorted(own.all(LOTS, drawn_ms=0), key=lambda lot: (lot.opened_ms, lot.id)))


def ready(own: Own, at_ms: int) -> tuple[Lot, ...]:
    """Lots that can be drawn now: for whoever has the clock see to it."""
    return tuple(lot for lot in undrawn(own) if phase(lot, at_ms) == READY)


def ready_ms(row: Lot) -> int:
    """From when a lot that is ready could be drawn: the moment to date a draw at that nobody was there for."""
    if row.size < FEWEST:
        return row.opened_ms
    return row.reveal_until_ms


def parts_of(own: Own, digest: bytes) -> tuple[Part, ...]:
    """Who contributes to a lot, in the order of their keys."""
    return tuple(sorted(own.all(PARTS, lot=digest), key=lambda part: part.member))


def withheld(own: Own, row: Lot) -> tuple[bytes, ...]:
    """Who committed to a lot that failed and did not reveal, although somebody else did: they had seen another's value."""
    parts = parts_of(own, row.id)
    if row.drawn_ms or not any(part.value for part in parts):
        return ()
    return tuple(part.member for part in parts if not part.value)


def inputs(row: Lot, pool: Pool, parts: tuple[Part, ...]) -> lots.Inputs:
    """All that the draw of this lot depends on."""
    return lots.Inputs(
        row.id,
        row.seats,
        keys(pool.people),
        read_quotas(row.quotas),
        groups_of(pool),
        [(part.member, part.commitment, part.value) for part in parts],
        row.typed,
    )


# How lists are kept in one column


class Numbered(Struct, frozen=True):
    """One person of a list with their number and group."""

    number: int
    member: bytes
    group: str


def numbered(pool: Pool) -> Iterator[Numbered]:
    """The list of a lot with its numbers, from 1."""
    groups = groups_of(pool)
    for number, member in enumerate(keys(pool.people), 1):
        yield Numbered(number, member, groups.get(member, ""))


def groups_of(pool: Pool) -> Mapping[bytes, str]:
    """The group of each who has one."""
    named = zip(keys(pool.people), pool.grouped.split("\n"), strict=False)
    return {member: group for member, group in named if group}


def write_quotas(quotas: tuple[Quota, ...]) -> str:
    """Quotas as text: ``north:2:0,south:1:3``."""
    return ",".join(f"{quota.group}:{quota.least}:{quota.most}" for quota in quotas)


def read_quotas(text: str) -> tuple[Quota, ...]:
    """Quotas from text."""
    split = (each.split(":") for each in text.split(",") if each)
    return tuple(Quota(group, int(least), int(most)) for group, least, most in split)
