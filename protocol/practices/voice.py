"""Voice: who proposes, speaks and decides, as far as it was written down; by person for members, and by named groups.

- The collective names groups in its own words; a member says to which they count themselves, for members only, or says nothing.
- What somebody said of themselves they can take back by saying it anew, and erase for good.
- Numbers tell who was written down, not who was heard. No figure is about one person, and nobody is ranked: people stand in
  the order in which they came.

Example::

    GroupNamed(group="night-shift", meaning="Who works nights or sleeps by day")
    GroupsSaid(groups="night-shift, parents")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated

from msgspec import Struct

from protocol import fairness, moon
from protocol.judge import spoken_time
from protocol.membership import ASSEMBLY, BELONGINGS, Belonging, members_at, name_of, sees_members
from protocol.page import Action, Bar, Bars, Block, Cell, Facts, Grid, Heading, Ref, State, Text, When
from protocol.practice import FOREVER_MS, MEMBERS, Act, Change, Kind, Own, Practice, Refused, View, field
from protocol.voicing import (
    GROUPS,
    MOST_GROUPS,
    TOLD_APART,
    Group,
    Voices,
    belonging,
    groups_at,
    share,
    split,
    voices,
    window,
)
from protocol.wording import counted, listed

PEOPLE = 24  # above this many, a picture of each by name says nothing: it is told by bands
BANDS = ((0, "not once"), (1, "once"), (4, "2 to 4 times"))
SLUG = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$(?!\n)"
Name = Annotated[
    str, field("Group", "In small letters and hyphens.", example="night-shift", pattern=SLUG, max_length=24, min_length=2)
]


# What is written


class GroupNamed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The collective names a group that members may count themselves to."""

    group: Name
    meaning: Annotated[
        str,
        field(
            "What it means", "Who might count themselves to it, and why you want to know.", widget="text",
            example="Who works nights or sleeps by day", erasable=True, required=True, max_length=500,
        ),
    ] = ""  # fmt: skip


class GroupEnded(Struct, frozen=True, forbid_unknown_fields=True):
    """A group is looked at no longer."""

    group: Name


class GroupsSaid(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A member says to which groups they count themselves."""

    groups: Annotated[
        str,
        field(
            "Your groups", "Names with commas; leave it empty for none. Members only see it; you can erase it for good.",
            example="night-shift, parents", erasable=True, max_length=400,
        ),
    ] = ""  # fmt: skip


# Rules


def name_group(own: Own, act: Act[GroupNamed]) -> Iterator[Change]:
    """Name a group, or say anew what it means."""
    body, at_ms = act.body, act.logged_ms
    named = [row for row in own.all(GROUPS) if row.ended_ms == FOREVER_MS]
    if any(row.name == body.group for row in named):
        raise Refused(f"The group {body.group} is named already. End it first if its meaning is to change.")
    if len(named) >= MOST_GROUPS:
        raise Refused(f"There are {MOST_GROUPS} groups, which is as many as anybody can look at. End one first.")
    yield GROUPS.put(Group(act.space, body.group, act.digest, body.meaning, at_ms, FOREVER_MS))


def end_group(own: Own, act: Act[GroupEnded]) -> Iterator[Change]:
    """Look at a group no longer."""
    row = own.need(GROUPS, act.body.group, what="group")
    if row.ended_ms != FOREVER_MS:
        raise Refused(f"This group was ended at {spoken_time(row.ended_ms)}.")
    yield GROUPS.patch(row.name, ended_ms=act.logged_ms)


def say_groups(own: Own, act: Act[GroupsSaid]) -> Iterator[Change]:
    """Say where one belongs; what was said before counts no longer."""
    yield BELONGINGS.put(Belonging(act.space, act.position, act.member, act.digest, act.body.groups))


def advise_groups(view: View, body: GroupsSaid) -> str:
    """Names that are no groups; and that to name none takes back what was said."""
    if not split(body.groups):
        return "You name no group. From then on you count to none, whatever you said before."
    named = {row.name for row in view.all(GROUPS) if row.ended_ms == FOREVER_MS}
    unknown = [name for name in split(body.groups) if name not in named]
    if not unknown:
        return ""
    there = f"There are: {', '.join(sorted(named))}." if named else "No group is named yet."
    return f"Nobody has named {listed(unknown, 'or')} as a group, so it does not count. {there}"


# What it says


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """How many take part, how much comes from the busiest, and from each group that is large enough."""
    try:
        heard = voices(view, now_ms)
    except moon.OutsideTable:
        return {}
    here = [row.member for row in members_at(view, now_ms)]
    taking_part = {*heard.proposals, *heard.sayings, *heard.votes}
    told: dict[str, int | None] = {
        "voice.proposers": len(heard.proposals),
        "voice.speakers": len(heard.sayings),
        "voice.silent": sum(member not in taking_part for member in here),
        "voice.turnout": heard.answered * 1000 // heard.eligible if heard.eligible else None,
    }
    for top, half, counts in (
        ("voice.proposing-top-share", "voice.proposing-half", heard.proposals),
        ("voice.speaking-top-share", "voice.speaking-half", heard.sayings),
    ):
        if share(counts, here) is not None:
            everybody = [counts.get(member, 0) for member in here]
            told[top], told[half] = fairness.top_share(everybody), fairness.fewest_doing_half(everybody)
    for group, people in belonging(view, now_ms).items():
        told[f"voice.{group}-of-members"] = len(people) * 1000 // len(here)
        told[f"voice.{group}-of-proposals"] = share(heard.proposals, people)
        told[f"voice.{group}-of-words"] = share(heard.sayings, people)
        told[f"voice.{group}-of-votes"] = share(heard.votes, people)
    return {name: value for name, value in told.items() if value is not None}


def page(view: View, now_ms: int) -> Iterator[Block]:
    """Who took part in the last full cycles: in sum, and for members by named group and by person."""
    yield Heading("Voice")
    yield Text(
        "Who proposed, spoke and voted in the last three full cycles. It shows what was written down, not who was listened to: "
        "a room where two people talk and one writes looks like one voice here."
    )
    try:
        heard = voices(view, now_ms)
        since_ms, until_ms = window(now_ms)
    except moon.OutsideTable:
        return
    yield Facts([
        ("From", When(since_ms)), ("Until", When(until_ms)),
        ("Proposals", f"{sum(heard.proposals.values())}, by {counted(len(heard.proposals), 'member')}"),
        ("Words on them", f"{sum(heard.sayings.values())}, by {counted(len(heard.sayings), 'member')}"),
        ("Decisions", f"{heard.decisions}, answered by {heard.answered} of {heard.eligible} asked"),
    ])  # fmt: skip
    if sees_members(view):
        yield from _groups(view, heard, now_ms)
        yield from _people(view, heard, now_ms)


def _groups(view: View, heard: Voices, now_ms: int) -> Iterator[Block]:
    yield Heading("By the groups we named", 3)
    large = belonging(view, now_ms)
    here = len(members_at(view, now_ms))
    rows: list[list[Cell]] = []
    for row in groups_at(view, now_ms):
        told: Cell = State("told apart", "good") if row.name in large else State("not told apart")
        rows.append([Ref(row.id, "record", row.name), row.meaning, told])
    yield Grid(
        "Groups", ("Group", "What it means", ""), rows,
        "No group is named. Name those of whom you want to know whether they are heard: night workers, parents, newcomers.",
    )  # fmt: skip
    if rows:
        yield Text(TOLD_APART)
    for group, people in sorted(large.items()):
        bars = [Bar("of the members", len(people) * 1000 // here, 1000)]
        for label, counts in (("of proposals", heard.proposals), ("of words", heard.sayings), ("of votes", heard.votes)):
            part = share(counts, people)
            if part is not None:
                bars.append(Bar(label, part, 1000))
        yield Bars(f"Share of {group}", bars, "‰")
    yield Action("group.named/1", {}, "Name a group")
    yield Action("group.said/1", {}, "Say which groups you count yourself to")


def _people(view: View, heard: Voices, now_ms: int) -> Iterator[Block]:
    yield Heading("By person", 3)
    here = [(row.member, name_of(view, row.member)) for row in members_at(view, now_ms)]
    for caption, did, counts in (
        ("Proposals by person", "proposed", heard.proposals),
        ("Words on proposals by person", "spoke on proposals", heard.sayings),
        ("Votes by person", "voted", heard.votes),
    ):
        if counts and len(here) <= PEOPLE:
            yield Bars(caption, [Bar(name, counts.get(member, 0), 0) for member, name in here])
        elif counts:
            often = Counter(sum(counts.get(member, 0) > most for most, _ in BANDS) for member, _ in here)
            labels = [*(label for _, label in BANDS), "more often"]
            bars = [Bar(label, often[number], 0) for number, label in enumerate(labels)]
            yield Bars(f"How many people {did} how often", bars, "people")
    rows: list[list[Cell]] = [
        [
            Ref(member, "member", name), heard.proposals.get(member, 0), heard.sayings.get(member, 0),
            heard.votes.get(member, 0),
        ]
        for member, name in here
    ]  # fmt: skip
    yield Grid(
        "In the order in which they came",
        ("Who", "Proposed", "Spoke on proposals", "Voted"),
        rows,
        "Nobody is here.",
    )


PRACTICE = Practice(
    name="voice",
    title="Voice",
    room="assembly",
    about="Who proposes, speaks and decides, and whether the groups that the collective named are heard.",
    tables=(GROUPS,),  # who counts themselves to a group is a row of members, who can erase it
    kinds=(
        Kind(
            "group.named/1", "Name a group", GroupNamed, name_group, needs=ASSEMBLY,
            consequence="Members can count themselves to it, or not. Nobody is counted by others.",
            help="Name a group of whom the collective wants to know whether it is heard.",
        ),
        Kind(
            "group.ended/1", "End a group", GroupEnded, end_group, needs=ASSEMBLY,
            consequence="The group is not looked at any longer. What members said of themselves stays until they erase it.",
            help="Look at a group no longer.",
        ),
        Kind(
            "group.said/1", "Say your groups", GroupsSaid, say_groups, advise=advise_groups, audience=MEMBERS,
            consequence="Members see it. It counts in shares of three people and more, and you can erase it for good.",
            help="Say to which of the collective's groups you count yourself.",
        ),
    ),
    figures=figures,
    page=page,
)  # fmt: skip
