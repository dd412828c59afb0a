"""Assemblies: where members meet, on an agenda that fills itself.

- An assembly has a beginning and an end, set when it is called. Nobody is bound to come, and being there gives no power that
  others have not: what is decided is decided by records of its own.
- The agenda is what every practice says is due for all (`node/agenda.py`), and what members add by hand. An item added by
  hand leaves it when minutes say that it is settled, or after some cycles.
- Who was there is for members only and can be noted anew until the assembly is closed: the last list counts.
- Minutes are words on one subject or on the whole; nothing is edited, another note stands beside it.
- Some days after its end nothing is added any more, whether somebody has closed it or not.

Example::

    AssemblyCalled(opens_ms=..., ends_ms=..., place="Depot", purpose="Monthly assembly")
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from protocol.assembling import (
    ASSEMBLIES,
    ATTENDANCES,
    DAY_MS,
    HOUR_MS,
    ITEM_CYCLES,
    ITEMS,
    ITEMS_EACH,
    LONGEST_DAYS,
    MINUTES,
    MINUTES_DAYS,
    Assembly,
    Attendance,
    Item,
    Minutes,
    is_open,
    last_word_ms,
    takes_words,
)
from protocol.assembly_blocks import due, figures, page, record, state
from protocol.fuse import cycles_later_ms
from protocol.judge import spoken_time
from protocol.membership import MEMBERSHIPS, is_live
from protocol.practice import (
    FOREVER_MS,
    MEMBERS,
    Act,
    Change,
    Digest,
    Kind,
    MemberKey,
    Own,
    Practice,
    Refused,
    field,
)
from protocol.wording import counted

AHEAD_DAYS = 400
Instant = Annotated[int, Meta(ge=0)]
Which = Annotated[Digest, field("Assembly", "The record by which it was called.", widget="record")]


# What is written


class AssemblyCalled(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """An assembly is called."""

    opens_ms: Annotated[Instant, field("Begins", "When people meet.", widget="instant")]
    ends_ms: Annotated[
        Instant, field("Ends", "An end that is kept is kind to all who have children and work.", widget="instant")
    ]
    place: Annotated[
        str,
        field("Where", "Where people meet, or how they call in.", example="Depot, upper floor", erasable=True, max_length=300),
    ] = ""
    purpose: Annotated[
        str, field("What for", "In a few words.", example="Monthly assembly", erasable=True, required=True, max_length=200)
    ] = ""


class AgendaAdded(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Something is put on the agenda by hand."""

    title: Annotated[str, field("What it is about", "In one line.", erasable=True, required=True, max_length=160)] = ""
    why: Annotated[
        str,
        field("What it needs", "What you want from the others: an opinion, hands, a decision.", widget="text", erasable=True,
              max_length=2000),
    ] = ""  # fmt: skip
    assembly: Annotated[
        Digest | None, field("Assembly", "For one in particular; left empty: for the next.", widget="record")
    ] = None
    subject: Annotated[Digest | None, field("About", "A record that it is about, if there is one.", widget="record")] = None


class AttendanceNoted(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is at an assembly."""

    assembly: Which
    members: Annotated[
        list[MemberKey],
        field("Who is here", "Everybody who is here now or was before; a later list takes the place of this one.",
              widget="member", min_length=1, max_length=600),
    ]  # fmt: skip


class MinutesTaken(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What was said at an assembly."""

    assembly: Which
    subject: Annotated[
        Digest | None, field("About", "The item it belongs to; left empty: the assembly as a whole.", widget="record")
    ] = None
    settled: Annotated[bool, field("This is settled", "Takes an item that was added by hand off the agenda.")] = False
    words: Annotated[
        str,
        field("Minutes", "What was said and agreed, so that somebody who was not there understands it.", widget="text",
              erasable=True, required=True, max_length=20_000),
    ] = ""  # fmt: skip


class AssemblyClosed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """An assembly is closed, or called off before it begins."""

    assembly: Which
    closing: Annotated[
        str, field("Closing words", "How it was, or why it is called off.", widget="text", erasable=True, max_length=4000)
    ] = ""


# Rules


def call(own: Own, act: Act[AssemblyCalled]) -> Iterator[Change]:
    """Call an assembly."""
    body, at_ms = act.body, act.logged_ms
    if body.opens_ms < at_ms - HOUR_MS:
        raise Refused("Begins: this lies in the past. An assembly that has begun can be entered for an hour.")
    if body.opens_ms > at_ms + AHEAD_DAYS * DAY_MS:
        raise Refused(f"Begins: this is more than {AHEAD_DAYS} days ahead. Call it when it is nearer.")
    if body.ends_ms <= body.opens_ms:
        raise Refused("Ends: an assembly ends after it has begun.")
    longest = own.parameter(LONGEST_DAYS, at_ms)
    if body.ends_ms > body.opens_ms + longest * DAY_MS:
        raise Refused(f"Ends: an assembly lasts at most {counted(longest, 'day')} here.")
    yield ASSEMBLIES.put(
        Assembly(
            act.space, act.digest, act.position, act.audience, act.member, at_ms, body.opens_ms, body.ends_ms, FOREVER_MS,
            body.place, body.purpose, "",
        )
    )  # fmt: skip


def add(own: Own, act: Act[AgendaAdded]) -> Iterator[Change]:
    """Put something on the agenda."""
    body, at_ms = act.body, act.logged_ms
    if body.assembly is not None:
        row = own.need(ASSEMBLIES, body.assembly, what="assembly")
        if at_ms >= min(row.ends_ms, row.closed_ms):
            raise Refused("Assembly: that one is over. Leave it empty, and it is for the next.")
    most = own.parameter(ITEMS_EACH, at_ms)
    mine = own.all(ITEMS, author=act.member, settled_ms=FOREVER_MS)
    if sum(is_open(row, at_ms) for row in mine) >= most:
        raise Refused(f"You have {counted(most, 'item')} on the agenda already. Let one be settled first.")
    until_ms = cycles_later_ms(at_ms, own.parameter(ITEM_CYCLES, at_ms))
    yield ITEMS.put(
        Item(
            act.space, act.digest, act.position, body.assembly, body.subject, act.member, at_ms, until_ms, FOREVER_MS,
            body.title, body.why,
        )
    )  # fmt: skip


def note_attendance(own: Own, act: Act[AttendanceNoted]) -> Iterator[Change]:
    """Write down who is there; those who are not on the list any more were not."""
    body, at_ms = act.body, act.logged_ms
    row = _open(own, body.assembly, at_ms)
    listed = set(body.members)
    if len(listed) != len(body.members):
        raise Refused("Who is here: each is listed once.")
    for member in body.members:
        if not is_live(own.get(MEMBERSHIPS, member), at_ms):
            raise Refused("Who is here: one of them is not a member now. Guests can be named in the minutes.")
    before = {each.member for each in own.all(ATTENDANCES, assembly=row.id)}
    for member in sorted(before - listed):
        yield ATTENDANCES.drop(row.id, member)
    for member in sorted(listed - before):
        yield ATTENDANCES.put(Attendance(act.space, row.id, member, act.digest, at_ms))


def take_minutes(own: Own, act: Act[MinutesTaken]) -> Iterator[Change]:
    """Write down what was said, and whether an item is settled by it."""
    body, at_ms = act.body, act.logged_ms
    row = _open(own, body.assembly, at_ms)
    if body.settled:
        item = own.get(ITEMS, body.subject) if body.subject else None
        if item is None:
            raise Refused(
                "This is settled: only an item that was added by hand can be. All else leaves the agenda when it is done."
            )
        if not is_open(item, at_ms):
            raise Refused("This is settled: it is no longer on the agenda. Leave this off, and write the minutes.")
        yield ITEMS.patch(item.id, settled_ms=at_ms)
    yield MINUTES.put(
        Minutes(act.space, act.position, act.digest, row.id, body.subject, act.member, at_ms, body.settled, body.words)
    )


def close(own: Own, act: Act[AssemblyClosed]) -> Iterator[Change]:
    """Close an assembly, or call it off."""
    row = own.need(ASSEMBLIES, act.body.assembly, what="assembly")
    _refuse_over(own, row, act.logged_ms)
    yield ASSEMBLIES.patch(row.id, closed_ms=act.logged_ms, closing=act.body.closing)


def _open(own: Own, digest: bytes, at_ms: int) -> Assembly:
    """The assembly, if something can be written down about it now."""
    row = own.need(ASSEMBLIES, digest, what="assembly")
    _refuse_over(own, row, at_ms)
    if not takes_words(own, row, at_ms):
        raise Refused(f"This assembly begins at {spoken_time(row.opens_ms)}. From an hour before, this can be written down.")
    return row


def _refuse_over(own: Own, row: Assembly, at_ms: int) -> None:
    if row.closed_ms <= at_ms:
        raise Refused(f"This assembly was closed at {spoken_time(row.closed_ms)}. What is left goes to the next one.")
    if at_ms >= last_word_ms(own, row, at_ms):
        days = counted(own.parameter(MINUTES_DAYS, at_ms), "day")
        raise Refused(f"This assembly ended at {spoken_time(row.ends_ms)}, and {days} later nothing is added any more.")


PRACTICE = Practice(
    name="assemblies",
    title="Assemblies",
    room="assembly",
    about="When we meet, who was there, what was on the agenda and what was written down.",
    tables=(ASSEMBLIES, ITEMS, ATTENDANCES, MINUTES),
    kinds=(
        Kind(
            "assembly.called/1", "Call an assembly", AssemblyCalled, call, duty=True,
            consequence="It stands on everybody's first page until it begins, and its agenda fills itself from what is due.",
            help="Say when and where people meet. If the place is not for everybody, choose who may read it.",
        ),
        Kind(
            "agenda.added/1", "Put something on the agenda", AgendaAdded, add, audience=MEMBERS,
            consequence="It stands on the agenda until minutes say that it is settled, or its cycles are over.",
            help="Add what does not come onto the agenda by itself.",
        ),
        Kind(
            "attendance.noted/1", "Write down who is here", AttendanceNoted, note_attendance, audience=MEMBERS, duty=True,
            consequence="Members see who was there. A later list takes the place of this one until the assembly is closed.",
            help="Everybody who is at the assembly.",
        ),
        Kind(
            "minutes.taken/1", "Take minutes", MinutesTaken, take_minutes, audience=MEMBERS, duty=True,
            consequence="Members can read it on the page of the assembly and of what it is about. It is not edited later.",
            help="Write down what was said at an assembly, on one item or on all of it.",
        ),
        Kind(
            "assembly.closed/1", "Close an assembly", AssemblyClosed, close, duty=True,
            consequence="Nothing is added to it after that. What is not settled is on the agenda of the next.",
            help="Close it when everything is written down, or call it off before it begins.",
        ),
    ),
    parameters=(MINUTES_DAYS, LONGEST_DAYS, ITEM_CYCLES, ITEMS_EACH),
    due=due,
    figures=figures,
    state=state,
    page=page,
    record=record,
)  # fmt: skip
