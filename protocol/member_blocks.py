"""What the page of members says: who is here, who waits for whose word, and who let whom in.

The graph of vouches and the names are for members; everybody else sees keys as numbers and counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from protocol import moon
from protocol.membership import (
    ASSEMBLY,
    DAY_MS,
    INVITATIONS,
    MEMBERSHIPS,
    NAMINGS,
    ROUND_DAYS,
    VOUCHES,
    Membership,
    founding_of,
    lapses_ms,
    members_at,
    name_of,
    naming_of,
    sees_members,
    waiting_at,
)
from protocol.page import Action, Block, Cell, Edge, Facts, Graph, Grid, Heading, Node, Ref, State, Text, When
from protocol.practice import FOREVER_MS, GRANTS, KEYS, Due, View
from protocol.wording import counted, listed

NEAR_CYCLES = 2


def due(view: View, now_ms: int) -> Iterator[Due]:
    """People who wait for a word, members without a name, a mandate that comes to its end."""
    for row in waiting_at(view, now_ms):
        what = f"Stand for {name_of(view, row.member)}, who asks to join, or let the request lapse"
        yield Due(what, None, row.joined_ms, lapses_ms(view, row, now_ms), row.id)
    if sees_members(view):
        named = {row.member for row in view.all(NAMINGS)}
        for row in members_at(view, now_ms):
            if row.member not in named:
                yield Due("Tell the other members what to call you", row.member, row.admitted_ms or 0, FOREVER_MS, row.id)
    space = founding_of(view)
    if space and now_ms < space.mandate_ms:
        since_ms = moon.new_moon_ms(moon.cycle_at(space.mandate_ms) - NEAR_CYCLES)
        if now_ms >= since_ms:
            what = "The founding mandate ends: agree on how the assembly decides from then on"
            yield Due(what, None, since_ms, space.mandate_ms, space.id)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """How many are here, came and went in this cycle; whether many were let in by few."""
    since_ms = moon.new_moon_ms(moon.cycle_at(now_ms))
    rows = view.all(MEMBERSHIPS)
    let_in = Counter(row.voucher for row in view.all(VOUCHES))
    return {
        "members.count": len(members_at(view, now_ms)),
        "members.waiting": len(waiting_at(view, now_ms)),
        "members.assembly": len(_holders(view, now_ms)),
        "members.came-this-cycle": sum(row.admitted_ms is not None and since_ms <= row.admitted_ms <= now_ms for row in rows),
        "members.went-this-cycle": sum(bool(row.admitted_ms) and since_ms <= row.ended_ms <= now_ms for row in rows),
        "members.invitations-open": sum(not row.used_by and now_ms < row.expires_ms for row in view.all(INVITATIONS)),
        "members.most-vouches-percent": max(let_in.values()) * 100 // sum(let_in.values()) if let_in else 0,
    }


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """Since when the space exists and how many belong to it."""
    space = founding_of(view)
    return {"members": len(members_at(view, now_ms)), "founded_ms": space.founded_ms if space else 0}


def page(view: View, now_ms: int) -> Iterator[Block]:
    """The members, those at the door, open invitations, and by whose word everybody came."""
    space, here = founding_of(view), members_at(view, now_ms)
    yield Heading("Members")
    if space is None:
        yield Text("Nobody has founded this space yet. Its founding record names the first member; others come by invitation.")
        return
    facts: list[tuple[str, Cell]] = [("Founded", When(space.founded_ms)), ("Members", len(here))]
    round_ms = space.founded_ms + ROUND_DAYS * DAY_MS
    if now_ms < round_ms:
        facts.append(("Founding round until", When(round_ms)))
    if now_ms < space.mandate_ms:
        facts.append(("Founding mandate until", When(space.mandate_ms)))
    yield Facts(facts)
    if now_ms < round_ms:
        yield Text("This is the founding round: whoever comes in now is a member at once and holds the founding mandate too.")
    yield Action("member.invited/1", {}, "Invite somebody")
    yield _here(view, here, now_ms)
    yield from _at_the_door(view, now_ms)
    yield from _invitations(view, now_ms)
    if sees_members(view):
        yield from _vouches(view, now_ms)
    yield _gone(view, now_ms)
    yield Action("member.named/1", {}, "Say who you are")
    yield Action("member.left/1", {}, "Leave")


def _here(view: View, here: tuple[Membership, ...], now_ms: int) -> Grid:
    assembly, keys = _holders(view, now_ms), Counter(
        row.member for row in view.all(KEYS) if row.since_ms <= now_ms < row.until_ms
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for row in here:
        naming = naming_of(view, row.member)
        by: Cell = Ref(row.invited_by, "member", name_of(view, row.invited_by)) if row.invited_by else "founded the space"
        rows.append([
            Ref(row.member, "member", name_of(view, row.member)), When(row.admitted_ms or row.joined_ms), by,
            naming.contact if naming else "", naming.languages if naming else "", counted(keys[row.member], "device"),
            State("founding mandate", "good") if row.member in assembly else "",
        ])  # fmt: skip
    return Grid(
        "Who is here", ("Who", "Member since", "Invited by", "Contact", "Languages", "Keys", ""), rows,
        "Nobody is a member any more. What was done here stays readable.",
    )  # fmt: skip


def _at_the_door(view: View, now_ms: int) -> Iterator[Block]:
    waiting = waiting_at(view, now_ms)
    rows: list[list[Cell]] = []
    for row in waiting:
        by = [name_of(view, each.voucher) for each in view.all(VOUCHES, candidate=row.member, order="since_ms")]
        rows.append([
            Ref(row.member, "member", name_of(view, row.member)), When(row.joined_ms), listed(by),
            When(lapses_ms(view, row, now_ms)),
        ])  # fmt: skip
    yield Grid(
        "Who asks to join", ("Who", "Since", "Who stands for them", "Lapses"), rows,
        "Nobody is waiting. After the founding round, members who know somebody say so here before they are let in.",
    )  # fmt: skip
    for row in waiting:
        yield Action("member.vouched/1", {"candidate": row.member.hex()}, f"Stand for {name_of(view, row.member)}")


def _invitations(view: View, now_ms: int) -> Iterator[Block]:
    waiting = [row for row in view.all(INVITATIONS, order="expires_ms") if not row.used_by and now_ms < row.expires_ms]
    if waiting:
        rows: list[list[Cell]] = [
            [Ref(row.id, "record", "invitation"), Ref(row.inviter, "member", name_of(view, row.inviter)), When(row.expires_ms)]
            for row in waiting
        ]
        yield Grid("Open invitations", ("Record", "By", "Good until"), rows)


def _vouches(view: View, now_ms: int) -> Iterator[Block]:
    """By whose word everybody came; for members only."""
    rows = view.all(MEMBERSHIPS, order="number")
    given = view.all(VOUCHES, order="since_ms")
    if not given:
        return
    here = {row.member for row in members_at(view, now_ms)}
    nodes = [
        Node(row.member.hex(), name_of(view, row.member), "" if row.member in here else row.ended or "asks to join",
             tone="calm" if row.member in here else "warn")
        for row in rows
    ]  # fmt: skip
    edges = [Edge(row.voucher.hex(), row.candidate.hex(), "stands for") for row in given]
    yield Graph("By whose word everybody came", nodes, edges)
    most = Counter(row.voucher for row in given).most_common()
    top = sorted(name_of(view, who) for who, count in most if count == most[0][1])
    if len(given) >= 5:
        each = "each of " if len(top) > 1 else ""
        yield Text(
            f"Of {counted(len(given), 'word')} given, {most[0][1]} came from {each}{listed(top)}."
            " Many let in by few is worth a look; it says nothing about the people who came."
        )


def _gone(view: View, now_ms: int) -> Grid:
    rows: list[list[Cell]] = [
        [Ref(row.member, "member", name_of(view, row.member)), When(row.ended_ms), row.ended, row.why]
        for row in view.all(MEMBERSHIPS, order="-ended_ms")
        if row.ended_ms <= now_ms
    ]
    empty = "Nobody has left. What somebody did stands when they go."
    return Grid("Who has gone", ("Who", "When", "How", "In words"), rows, empty)


def _holders(view: View, now_ms: int) -> set[bytes]:
    return {row.holder for row in view.all(GRANTS, name=ASSEMBLY) if row.since_ms <= now_ms < row.until_ms}
