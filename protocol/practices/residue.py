"""Residue: what stayed after a campaign, where, who keeps it, and whether it still lives.

The measure of a campaign is what is there afterwards. Each thing that stayed is one entry of a register across the
archipelago; every few cycles somebody looks whether it still lives. Names, places and keepers are erasable words.

Example::

    ResidueLeft(campaign=..., caller=..., kind="tool-library", domain="tools", name="Tool library", keeper="Ada")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from msgspec import Struct

from protocol import moon
from protocol.campaign_blocks import name_of
from protocol.page import Action, Block, Cell, Grid, Heading, Ref, State, Text, When
from protocol.practice import Act, Change, Digest, Due, Kind, Own, Parameter, Practice, Row, SpaceId, Table, View, field
from protocol.standing import CALLS

DAY_MS = 86_400_000
SHOWN = 200
SLUG = r"^[a-z0-9][a-z0-9-]{1,39}$(?!\n)"
DOMAINS = "food, housing, care, energy, water, tools, communication, money, decision, safety, learning, culture"
CHECK_CYCLES = Parameter("residue.check-cycles", 3, "Cycles after which residue is looked at again", 1, 39)

Campaign = Annotated[Digest, field("Campaign", "The record of the call.", widget="record")]
Caller = Annotated[SpaceId, field("Called by", "The space whose call it is.", widget="space")]


# What is written


class ResidueLeft(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Something that stayed after a campaign."""

    campaign: Campaign
    caller: Caller
    kind: Annotated[str, field("Kind", "In small letters and hyphens.", example="tool-library", pattern=SLUG)]
    domain: Annotated[
        str, field("Sovereignty", f"Where it makes us freer: {DOMAINS}, or a word of your own.", example="tools", pattern=SLUG)
    ]
    name: Annotated[str, field("What stayed", "In a few words.", erasable=True, required=True, max_length=120)] = ""
    place: Annotated[str, field("Where", "Where it is to be found.", erasable=True, max_length=300)] = ""
    keeper: Annotated[str, field("Who keeps it", "Whom to ask.", erasable=True, max_length=120)] = ""


class ResidueChecked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody looked whether it still lives."""

    residue: Annotated[Digest, field("Residue", "The record of what stayed.", widget="record")]
    found: Annotated[Literal["lives", "ended"], field("Found", "Whether it still lives.")]
    note: Annotated[str, field("Note", "What you saw.", widget="text", erasable=True, max_length=2000)] = ""


# What is read


class Residue(Row, frozen=True):
    """What stayed, where, who keeps it, and when somebody looked last."""

    id: bytes
    position: int
    campaign: bytes
    caller: bytes
    kind: str
    domain: str
    name: str
    place: str
    keeper: str
    left_ms: int
    checked_ms: int
    lives: bool
    note: str


RESIDUES = Table("residue", Residue, ("id",), shared=(("campaign",),), erasable=("name", "place", "keeper", "note"))


# Rules


def leave_residue(own: Own, act: Act[ResidueLeft]) -> Iterator[Change]:
    """Enter what stayed into the register."""
    body, at_ms = act.body, act.logged_ms
    yield RESIDUES.put(
        Residue(
            act.space, act.digest, act.position, body.campaign, body.caller, body.kind, body.domain, body.name, body.place,
            body.keeper, at_ms, at_ms, True, "",
        )
    )  # fmt: skip


def check_residue(own: Own, act: Act[ResidueChecked]) -> Iterator[Change]:
    """Write down whether it still lives."""
    body = act.body
    own.need(RESIDUES, body.residue, what="residue of ours")
    yield RESIDUES.patch(body.residue, checked_ms=act.logged_ms, lives=body.found == "lives", note=body.note)


# What it says


def check_due_ms(view: View, residue: Residue, now_ms: int) -> int:
    """When residue is to be looked at again: so many new moons after the last look."""
    cycles = view.parameter(CHECK_CYCLES, now_ms)
    try:
        return moon.after_cycles(residue.checked_ms, cycles)
    except moon.OutsideTable:
        return residue.checked_ms + cycles * 30 * DAY_MS


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Residue of ours that is to be looked at within a week, or should have been."""
    for residue in sorted(view.all(RESIDUES, lives=True), key=lambda each: each.position):
        until = check_due_ms(view, residue, now_ms)
        if now_ms >= until - 7 * DAY_MS:
            what = f"Look whether “{residue.name or residue.kind}” still lives"
            yield Due(what, None, until - 7 * DAY_MS, until, residue.id)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """What lives, what ended, and looks that are overdue."""
    ours = view.all(RESIDUES)
    living = [each for each in ours if each.lives]
    return {
        "residue.living": len(living),
        "residue.ended": len(ours) - len(living),
        "residue.checks-overdue": sum(now_ms >= check_due_ms(view, each, now_ms) for each in living),
    }


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """How many things of ours live, by the sovereignty that they add to."""
    counts: dict[str, int] = {}
    for each in view.all(RESIDUES, lives=True):
        counts[each.domain] = counts.get(each.domain, 0) + 1
    return {"living": dict(sorted(counts.items()))}


def page(view: View, now_ms: int) -> Iterator[Block]:
    """The register: ours with what is due, then everybody's that this node knows."""
    yield Heading("Residue")
    yield Text("What stayed after campaigns. A thing that nobody looked at for a while may have ended quietly.")
    everybody = sorted(view.everywhere(RESIDUES), key=lambda each: (-each.left_ms, each.id))[:SHOWN]
    names = {call.id: name_of(call) for each in everybody for call in view.everywhere(CALLS, id=each.campaign)}
    ours = [each for each in everybody if each.space == view.space]
    rows = [[*_row(each, names), When(check_due_ms(view, each, now_ms)) if each.lives else ""] for each in ours]
    columns = ["What", "Kind", "Sovereignty", "Where", "Who keeps it", "From", ""]
    empty = "Nothing is entered yet. After a campaign, enter what stays: a tool library, a childcare circle, a mesh network."
    yield Grid("Ours", [*columns, "Look again by"], rows, empty)
    yield from (
        Action("campaign.residue-checked/1", {"residue": each.id.hex()}, f"Look at “{each.name or each.kind}”")
        for each in ours
        if each.lives and now_ms >= check_due_ms(view, each, now_ms) - 7 * DAY_MS
    )
    elsewhere = [each for each in everybody if each.space != view.space]
    told = [[Ref(view.space_id(each.space), "space"), *_row(each, names)] for each in elsewhere]
    yield Grid("Across the archipelago", ["Space", *columns], told, "No other space that we follow has entered any.")


def _row(each: Residue, names: Mapping[bytes, str]) -> list[Cell]:
    from_campaign = Ref(each.campaign, "record", names.get(each.campaign, ""))
    alive = State("lives", "good") if each.lives else State("ended")
    what = Ref(each.id, "record", each.name or each.kind)
    return [what, each.kind, each.domain, each.place, each.keeper, from_campaign, alive]


PRACTICE = Practice(
    name="residue",
    title="Residue",
    room="commons",
    about="What stays after campaigns, where it is, who keeps it, and whether it still lives.",
    tables=(RESIDUES,),
    kinds=(
        Kind(
            "campaign.residue-left/1", "Enter what stays", ResidueLeft, leave_residue,
            consequence="It stands in the register of all who follow us.",
            help="Enter a thing that stayed after a campaign.",
        ),
        Kind(
            "campaign.residue-checked/1", "Look at what stayed", ResidueChecked, check_residue,
            consequence="The register says when somebody looked last, and what they found.",
            help="Say whether a thing of ours still lives.",
        ),
    ),
    parameters=(CHECK_CYCLES,),
    due=due,
    figures=figures,
    state=state,
    page=page,
)  # fmt: skip
