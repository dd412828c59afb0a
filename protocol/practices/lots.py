"""Lots: who is chosen by chance, so that nobody chose and everybody can check.

- **The list** is computed by the rule when a lot is opened: the members of that moment in the order in which they came, without
  those whom the matter concerns. Nobody writes it, and it does not change any more.
- **The randomness** comes after the list: members commit to values of their own and reveal them when nobody can commit any
  more; or a public value is named in advance, and two members type what it was.
- **The draw** follows from both (`protocol.lot`). Whoever writes it down decides nothing. A reveal that is missing is seen and
  stops nothing, as long as two were revealed.
- **It cannot be rerun.** There is one lot for a matter. Only one that failed, because fewer than two revealed or typed the
  same, can be opened anew; whoever had committed to it and not revealed after seeing another's value has no part in that.
- **Quotas** are set by decision for all lots of a purpose, before any list; everybody says for themselves of which group they
  are.

Example::

    Opened("shadow", term)      # a shadow for this term: everybody can be drawn but its holder
    Committed(lot)              # the member's node fills in a commitment
    Revealed(lot)               # ... and later the value
    Drawn(lot)

Source: M. Blum, Coin flipping by telephone, 1981 (commit, then reveal); the draw's own sources are in `protocol.lot`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Struct

from protocol import lot as lots
from protocol.drawing import (
    COMMIT,
    DECLINED,
    DRAWN,
    FAILED,
    FEWEST,
    GROUPINGS,
    LOTS,
    MEMBERS_SOURCE,
    PARTS,
    POOLS,
    QUOTAS,
    READY,
    REVEAL,
    TYPED,
    TYPING,
    WAITING,
    Declined,
    Grouping,
    Lot,
    Part,
    Pool,
    QuotaSet,
    Typed,
    inputs,
    lots_for,
    parts_of,
    phase,
    read_quotas,
    withheld,
    write_quotas,
)
from protocol.eligibility import eligible, neglected
from protocol.judge import require, spoken_time
from protocol.lot import Quota
from protocol.lot_blocks import due, figures, page, record, spoken_phase, state
from protocol.mandate import CLOCK, DECISION
from protocol.membership import MEMBER, members_at
from protocol.practice import KEYS, Act, Change, Digest, Kind, Own, Parameter, Practice, Refused, Secrets, View, field, keys
from protocol.wording import counted

IN_PUBLIC = "Lots are public, so that anybody can check them. Leave the audience as it is."
MINUTE_MS = 60_000
ALONE = ("shadow", "role", "facilitator", "newcomer")  # one seat each
VALUE_BYTES = 32
COMMIT_MINUTES = Parameter("lots.commit-minutes", 2880, "Minutes to contribute to a lot", 5, 43_200)
REVEAL_MINUTES = Parameter("lots.reveal-minutes", 2880, "Minutes to reveal, or to type a public value", 5, 43_200)
SLUG = r"^[a-z0-9][a-z0-9-]{0,29}$(?!\n)"

Purpose = Literal["shadow", "role", "facilitator", "newcomer", "circle", "other"]
Which = Annotated[Digest, field("Lot", "The record by which it was opened.", widget="record")]


# What is written


class Opened(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody is to be chosen by lot."""

    purpose: Annotated[Purpose, field("What for", "It decides who can be drawn: nobody is, whom the matter concerns.")]
    subject: Annotated[
        Digest, field("About", "The term, the role, the review, or the record that it is about.", widget="record")
    ]
    seats: Annotated[int, field("Seats", "How many are drawn; the others become substitutes.", example="1", ge=1, le=100)] = 1
    source: Annotated[
        Literal["members", "public"],
        field("Source of chance", "Members: each adds a part of their own. Public: a value that everybody can look up later."),
    ] = "members"
    public_source: Annotated[
        str,
        field(
            "Which public value",
            "So exact that two people read the same. These words stay for ever, so name no person.",
            example="The winning numbers of the state lottery of 14 March, in the order of the draw", max_length=300,
        ),
    ] = ""  # fmt: skip
    known_ms: Annotated[
        int, field("Known from", "When the public value can be known at the earliest.", widget="instant", ge=0, le=2**52)
    ] = 0


class Committed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A member adds a part, without telling it yet."""

    lot: Which
    commitment: Annotated[
        bytes,
        field(
            "Commitment", "Leave it empty and it is made for you. To keep the value yourself: archipelago lot promise.",
            max_length=VALUE_BYTES,
        ),
    ] = b""  # fmt: skip


class Revealed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A member tells the part that they committed to."""

    lot: Which
    value: Annotated[bytes, field("Value", "Leave it empty if your commitment was made for you.", max_length=VALUE_BYTES)] = b""


class ValueTyped(Struct, frozen=True, forbid_unknown_fields=True):
    """A member types the public value as they read it."""

    lot: Which
    value: Annotated[
        str,
        field("Value", "Exactly as it was published. Spaces more or less do not matter.", example="7 12 23 31 40 44",
              min_length=1, max_length=200),
    ]  # fmt: skip


class LotDrawn(Struct, frozen=True, forbid_unknown_fields=True):
    """The draw is written down; everything in it follows from what was written before."""

    lot: Which


class LotDeclined(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody who was drawn does not want to."""

    lot: Which
    reasons: Annotated[str, field("Reasons", "You need not give any.", widget="text", erasable=True, max_length=2000)] = ""


class GroupSeats(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one group has of the seats."""

    group: Annotated[str, field("Group", "In small letters and hyphens.", example="night-shift", pattern=SLUG)]
    least: Annotated[int, field("At least", "Seats that are kept for it.", example="1", ge=0, le=100)] = 0
    most: Annotated[int, field("At most", "Seats that it may have; 0 is no limit.", example="2", ge=0, le=100)] = 0


class QuotasSet(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Quotas for all lots of a purpose that are opened from now on."""

    purpose: Annotated[Purpose, field("What for", "The lots that they are for.")]
    quotas: Annotated[
        list[GroupSeats], field("Quotas", "Groups that the collective names itself. None: no quotas any more.", max_length=20)
    ] = []


class GroupSaid(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A member says which group they are of."""

    group: Annotated[
        str,
        field("Group", "One of those that have quotas; empty: none. It is public and stays, so say only what may be known.",
              example="night-shift", pattern=r"^([a-z0-9][a-z0-9-]{0,29})?$(?!\n)"),
    ] = ""  # fmt: skip


# Rules


def open_lot(own: Own, act: Act[Opened]) -> Iterator[Change]:
    """Open a lot: list, source of chance and quotas are fixed from here on. By any member; a neglected one by the clock."""
    body, at_ms = act.body, act.logged_ms
    _member_or_clock(own, act)
    if not _holds(own, act, MEMBER) and not _is_neglected(own, body, at_ms):
        raise Refused("The clock opens what nobody opened within a day, with parts from members, and nothing else.")
    attempt = 1 + _failed_before(own, body, at_ms)
    people = eligible(own, body.purpose, body.subject, at_ms)
    if not people:
        raise Refused(
            "Nobody can be drawn for this: everybody is concerned by it, or may not take it now. Decide it otherwise."
        )
    _check_seats(body, len(people))
    decided = own.get(QUOTAS, body.purpose)
    quotas = read_quotas(decided.quotas) if decided else ()
    kept = sum(quota.least for quota in quotas)
    if kept > body.seats:
        raise Refused(f"Seats: the quotas for this keep {counted(kept, 'seat')}. Open it with as many, or decide on others.")
    said = {row.member: row.said for row in own.all(GROUPINGS)} if quotas else {}
    names = {quota.group for quota in quotas}
    groups = "\n".join(group if (group := said.get(member, "")) in names else "" for member in people) if quotas else ""
    here = [row.member for row in members_at(own, at_ms)]
    commit_ms, reveal_ms = _times(own, body, at_ms)
    yield LOTS.put(
        Lot(
            act.space, act.digest, body.purpose, body.subject, act.member, body.seats, len(people), body.source,
            body.public_source, write_quotas(quotas), attempt, len(here), at_ms, commit_ms, reveal_ms, 0, 0, "", 0, b"",
        )
    )  # fmt: skip
    yield POOLS.put(Pool(act.space, act.digest, b"".join(people), groups, b"".join(here), b"", 0, b""))


def _member_or_clock(own: Own, act: Act[Any]) -> None:
    if not _holds(own, act, CLOCK):
        require(own, act.member, MEMBER, 0, act.logged_ms)


def _holds(own: Own, act: Act[Any], name: str) -> bool:
    try:
        require(own, act.member, name, 0, act.logged_ms)
    except Refused:
        return False
    return True


def _is_neglected(own: Own, body: Opened, at_ms: int) -> bool:
    """Whether it is as the clock opens it: one of those that nobody thought of, with nothing chosen in it."""
    found = ((each.purpose, each.subject) for each in neglected(own, at_ms))
    return body == Opened(body.purpose, body.subject) and (body.purpose, body.subject) in found


def _failed_before(own: Own, body: Opened, at_ms: int) -> int:
    """How many lots for the same have failed; Refused if there is one that did not."""
    before = lots_for(own, body.purpose, body.subject)
    for each in before:
        now = phase(each, at_ms)
        if now == DRAWN:
            raise Refused(f"This was drawn at {spoken_time(each.drawn_ms)}. A draw is not repeated: see its page.")
        if now != FAILED:
            raise Refused("A lot for this is open already. Contribute to that one: a second would let somebody choose.")
    return len(before)


def _check_seats(body: Opened, size: int) -> None:
    if body.seats > 1 and body.purpose in ALONE:
        raise Refused("Seats: for this one person is drawn. The others are substitutes.")
    if body.seats > size:
        raise Refused(f"Seats: there are {body.seats}, and only {counted(size, 'person', 'people')} can be drawn. Take fewer.")


def _times(own: Own, body: Opened, at_ms: int) -> tuple[int, int]:
    """Until when members commit, or when the public value is known; and until when they reveal or type."""
    after = own.parameter(REVEAL_MINUTES, at_ms) * MINUTE_MS
    if body.source == MEMBERS_SOURCE:
        if body.public_source or body.known_ms:
            raise Refused("Which public value: this lot takes its chance from members. Leave it empty, or choose “public”.")
        until_ms = at_ms + own.parameter(COMMIT_MINUTES, at_ms) * MINUTE_MS
    else:
        if len(body.public_source.strip()) < 10:
            raise Refused("Which public value: say exactly which, and where it will be published.")
        if body.known_ms <= at_ms:
            raise Refused("Known from: the value must not be known yet. Name one that is published later.")
        until_ms = body.known_ms // MINUTE_MS * MINUTE_MS + (MINUTE_MS if body.known_ms % MINUTE_MS else 0)
        if until_ms > at_ms + _FARTHEST_MS:
            raise Refused("Known from: that is more than a year ahead. Name a value that is published sooner.")
    return until_ms, until_ms + after


_FARTHEST_MS = 366 * 86_400_000


def commit(own: Own, act: Act[Committed]) -> Iterator[Change]:
    """Add a part that nobody knows yet. When all have, nobody has to wait any longer."""
    row, at_ms = _lot_in(own, act, COMMIT), act.logged_ms
    _contributes(own, row, act.member)
    if len(act.body.commitment) != VALUE_BYTES:
        raise Refused("Commitment: 32 bytes are needed. Leave it empty on the node's own page, and it is made for you.")
    if own.get(PARTS, row.id, act.member):
        raise Refused("You have committed already. It cannot be changed: that is what makes it count.")
    for earlier in lots_for(own, row.purpose, row.subject):
        if act.member in withheld(own, earlier):
            raise Refused(
                "You committed to the lot before this one and did not reveal after others had. "
                "Others contribute this time, or type a public value."
            )
    yield PARTS.put(Part(act.space, row.id, act.member, act.digest, act.body.commitment, at_ms, b"", 0))
    closed = {"commit_until_ms": at_ms} if row.committed + 1 == row.contributors else {}
    yield LOTS.patch(row.id, committed=row.committed + 1, **closed)


def reveal(own: Own, act: Act[Revealed]) -> Iterator[Change]:
    """Tell one's part, now that nobody can commit any more."""
    row, at_ms, value = _lot_in(own, act, REVEAL), act.logged_ms, act.body.value
    part = own.get(PARTS, row.id, act.member)
    if part is None:
        raise Refused("You did not commit to this lot while it was time, so there is nothing to reveal.")
    if part.value:
        raise Refused("You have revealed already.")
    if len(value) != VALUE_BYTES or lots.commitment(row.id, act.member, value) != part.commitment:
        raise Refused("Value: it is not the one that you committed to. Only that one counts.")
    yield PARTS.patch(row.id, act.member, value=value, revealed_ms=at_ms)
    closed = {"reveal_until_ms": at_ms} if row.revealed + 1 == row.committed else {}
    yield LOTS.patch(row.id, revealed=row.revealed + 1, **closed)


def type_value(own: Own, act: Act[ValueTyped]) -> Iterator[Change]:
    """Say what the public value was. It counts when two have said the same."""
    row, at_ms, value = _lot_in(own, act, TYPING), act.logged_ms, lots.plain(act.body.value)
    _contributes(own, row, act.member)
    if not value:
        raise Refused("Value: this is empty. Type what was published.")
    if own.get(TYPED, row.id, act.member):
        raise Refused("You have typed it already. If you mistook it, two others type what was published.")
    yield TYPED.put(Typed(act.space, row.id, act.member, act.digest, value, at_ms))
    if any(each.value == value for each in own.all(TYPED, lot=row.id)):
        yield LOTS.patch(row.id, typed=value, reveal_until_ms=at_ms)


def draw(own: Own, act: Act[LotDrawn]) -> Iterator[Change]:
    """Write down what follows. By any member, or by the node's clock."""
    _member_or_clock(own, act)
    row = _lot_in(own, act, READY)
    pool = own.need(POOLS, row.id, what="lot")
    all_of_it = inputs(row, pool, parts_of(own, row.id))
    drawn = all_of_it.draw()
    yield POOLS.patch(row.id, drawn=b"".join(drawn.drawn), chosen=len(drawn.chosen), randomness=all_of_it.chance())
    yield LOTS.patch(row.id, drawn_ms=act.logged_ms, drawn_by=act.digest)


def decline(own: Own, act: Act[LotDeclined]) -> Iterator[Change]:
    """Leave the seat, or the place among the substitutes, to the next."""
    row = _lot_in(own, act, DRAWN)
    pool = own.need(POOLS, row.id, what="lot")
    if act.member not in keys(pool.people):
        raise Refused("You were not on the list of this lot, so there is nothing to decline.")
    if own.get(DECLINED, row.id, act.member):
        raise Refused("You have declined already. The next in the draw has moved up.")
    yield DECLINED.put(Declined(act.space, row.id, act.member, act.digest, act.logged_ms, act.body.reasons))


def set_quotas(own: Own, act: Act[QuotasSet]) -> Iterator[Change]:
    """Set the quotas for lots of a purpose; those that are open already keep theirs."""
    body = act.body
    doubled = [group for group, number in Counter(each.group for each in body.quotas).items() if number > 1]
    if doubled:
        raise Refused(f"Quotas: “{doubled[0]}” is there twice. Each group has one line.")
    for each in body.quotas:
        if each.most and each.most < each.least:
            raise Refused(f"Quotas: “{each.group}” has more seats at least than at most. Change one of them.")
        if not each.most and not each.least:
            raise Refused(f"Quotas: “{each.group}” has neither a least nor a most. Set one, or leave the group out.")
    quotas = write_quotas(tuple(Quota(each.group, each.least, each.most) for each in body.quotas))
    yield QUOTAS.put(QuotaSet(act.space, body.purpose, act.digest, quotas, act.logged_ms))


def say_group(own: Own, act: Act[GroupSaid]) -> Iterator[Change]:
    """Say which group one is of, for lots that are opened from now on."""
    named = {quota.group for row in own.all(QUOTAS) for quota in read_quotas(row.quotas)}
    if act.body.group and act.body.group not in named:
        there = ", ".join(sorted(named)) or "none yet"
        raise Refused(f"Group: no quota names “{act.body.group}”. There are: {there}.")
    yield GROUPINGS.put(Grouping(act.space, act.member, act.digest, act.body.group, act.logged_ms))


def advise_group(view: View, body: GroupSaid) -> str:
    """That to name none takes back what was said."""
    return "" if body.group else "You name no group. In lots that are opened from then on you count to none."


def _lot_in(own: Own, act: Act[Any], wanted: str) -> Lot:
    """The lot that an act is about, if it is in the phase that the act is for."""
    row = own.need(LOTS, act.body.lot, what="lot")
    now = phase(row, act.logged_ms)
    if now != wanted and row.size < FEWEST and wanted in (COMMIT, REVEAL, TYPING):
        raise Refused("Only one person can be drawn here, so chance decides nothing and no parts are needed.")
    if now != wanted:
        raise Refused(_NOT_NOW.get((wanted, now)) or f"This lot is at another point: {spoken_phase(row, act.logged_ms)}.")
    return row


_NOT_NOW = {
    (REVEAL, COMMIT): "It is too early to reveal: others can still commit, and must not know your value. Come back later.",
    (COMMIT, REVEAL): "It is too late to commit: others have begun to reveal, and a value chosen now would not be chance.",
    (TYPING, WAITING): "The value is not known yet. Type it when it has been published.",
    (READY, FAILED): "Fewer than two contributed, so it would not be chance. Open the lot anew.",
    (READY, COMMIT): "It is too early to draw: members can still commit.",
    (READY, REVEAL): "It is too early to draw: members who committed can still reveal.",
    (READY, WAITING): "It is too early to draw: the public value is not known yet.",
    (READY, TYPING): "Two members have to type the same public value first.",
    (READY, DRAWN): "This lot is drawn. A draw is not repeated.",
    (DRAWN, READY): "This lot is not drawn yet, so there is nothing to decline.",
}


def _contributes(own: Own, row: Lot, member: bytes) -> None:
    pool = own.need(POOLS, row.id, what="lot")
    if member not in keys(pool.contributors):
        raise Refused("You came after this lot was opened. Those who were here then contribute to it.")


# What a member's node fills in


def own_value(secrets: Secrets, lot: bytes, member: bytes) -> bytes:
    """The part of a member whose key lies on this node: another for each lot and each member, and always the same."""
    return secrets.derive(b"lot" + lot + member)


def prepare_commitment(view: View, body: Committed, secrets: Secrets) -> Committed:
    """A commitment to the value that this node can make again for the member."""
    member = _speaks_for(view, secrets)
    if body.commitment or not member:
        return body
    value = own_value(secrets, body.lot, member)
    return msgspec.structs.replace(body, commitment=lots.commitment(body.lot, member, value))


def prepare_reveal(view: View, body: Revealed, secrets: Secrets) -> Revealed:
    """The value to a commitment that this node made; not before it is time, so that it is not told by mistake."""
    member, row = _speaks_for(view, secrets), view.get(LOTS, body.lot)
    if body.value or not member or row is None or phase(row, secrets.now_ms) != REVEAL:
        return body
    part, value = view.get(PARTS, body.lot, member), own_value(secrets, body.lot, member)
    if part and part.commitment != lots.commitment(body.lot, member, value):
        raise Refused("Value: this node did not make your commitment. Give the value that you keep yourself.")
    return msgspec.structs.replace(body, value=value)


def _speaks_for(view: View, secrets: Secrets) -> bytes:
    key = view.get(KEYS, secrets.author) if secrets.author else None
    return key.member if key else secrets.author


KINDS = (
    Kind(
        "lot.opened/1", "Open a lot", Opened, open_lot, needs="", in_public=IN_PUBLIC,
        consequence="The list of who can be drawn is fixed and public. Then members add their parts. A draw is not repeated.",
        help="Have somebody chosen by chance, in a way that anybody can check.",
    ),
    Kind(
        "lot.committed/1", "Add your part to a lot", Committed, commit, prepare=prepare_commitment, in_public=IN_PUBLIC,
        consequence="You are bound to a value that nobody else knows yet. Reveal it when the time for it has come.",
        help="Commit to a random value of your own, so that nobody can steer the draw.",
    ),
    Kind(
        "lot.revealed/1", "Reveal your part of a lot", Revealed, reveal, prepare=prepare_reveal, in_public=IN_PUBLIC,
        consequence="Your value is public and counts in the draw.",
        help="Tell the value that you committed to.",
    ),
    Kind(
        "lot.typed/1", "Type the public value of a lot", ValueTyped, type_value, in_public=IN_PUBLIC,
        consequence="When two members have typed the same, it counts, for good.",
        help="Say what the public value was that was named in advance.",
    ),
    Kind(
        "lot.drawn/1", "Draw a lot", LotDrawn, draw, needs="", in_public=IN_PUBLIC,
        consequence="Seats and substitutes follow from what is published. Drawing decides nothing, and cannot be repeated.",
        help="Write down the draw when all contributions are in, or their time is over.",
    ),
    Kind(
        "lot.declined/1", "Decline after a draw", LotDeclined, decline, in_public=IN_PUBLIC, for_good=True,
        consequence="The next in the draw moves up. You cannot take it back.",
        help="Say that you do not take the seat that you were drawn for.",
    ),
    Kind(
        "lot.quotas-set/1", "Set quotas for lots", QuotasSet, set_quotas, needs=DECISION, in_public=IN_PUBLIC,
        consequence="All lots of this purpose that are opened from now on keep to it. Each one passed over is listed.",
        help="Decide how many seats each group has, at least and at most.",
    ),
    Kind(
        "lot.group-said/1", "Say your group for lots", GroupSaid, say_group, advise=advise_group, in_public=IN_PUBLIC,
        consequence="It is public, and counts for lots that are opened from now on. You can change it.",
        help="Say which of the groups with quotas you are of.",
    ),
)  # fmt: skip

PRACTICE = Practice(
    name="lots",
    title="Lots",
    room="assembly",
    about="Who is chosen by chance: the list, where the chance comes from, the draw, and how to check it.",
    tables=(LOTS, POOLS, PARTS, TYPED, DECLINED, GROUPINGS, QUOTAS),
    kinds=KINDS,
    parameters=(COMMIT_MINUTES, REVEAL_MINUTES),
    due=due,
    figures=figures,
    state=state,
    page=page,
    record=record,
)
