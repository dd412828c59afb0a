"""Campaigns: surge and settle, together, with no space at the centre.

A call, and each answer to it, carries its terms **by value**: so no record waits for one of another log, and all nodes
that hold the same records compute the same standing (`protocol.standing`), whichever space has fallen silent.

- A call names the spaces that it counts, its quorum, until when answers count, and a window with a seed: what it builds.
- It is public or for just the spaces that it names (its own among them); answers have the same audience.
- A join is never taken back; a withdrawal is shown beside it. What changes later is a new call that names the old one.
- From the dispersal of terms that a space joined until their rest is over it makes no new call, unless it withdrew, its
  assembly lifts that rest, or its protocol says that rest does not bind. Whether those terms were armed its own log
  cannot tell: for a campaign that lapsed the rest is lifted in the same way.
- Nothing ranks or names people or targets; what stands in terms stays for ever, other words can be erased.

Example::

    Called(name="Spring", why="...", invited=[other], quorum=2, answers_until_ms=..., terms=Terms(...))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from msgspec import Struct

from protocol.campaign_blocks import about, name_of, near
from protocol.judge import spoken_time
from protocol.page import Action, Block, Cell, Edge, Graph, Grid, Heading, Node, Ref, Span, State, Text, Timeline, When
from protocol.practice import (
    PUBLIC,
    Act,
    Change,
    Digest,
    Due,
    Kind,
    Least,
    Own,
    Parameter,
    Practice,
    Refused,
    Row,
    SpaceId,
    Table,
    View,
    field,
)
from protocol.record import scope_of
from protocol.standing import (
    ANSWERS,
    CALL,
    CALLS,
    COUNTER,
    DECLINE,
    JOIN,
    JOINS,
    WITHDRAW,
    Answer,
    Call,
    Standing,
    Terms,
    invited_in,
    spell,
    standing,
)

DAY_MS, MINUTE_MS = 86_400_000, 60_000
FARTHEST_DAYS = 400  # how far ahead a window may open, and how long it may take to settle
MOST_ANSWERS = 24  # of one space to one call
SHOWN = 40
LONGEST = Parameter("campaigns.longest-days", 30, "Longest window, in days from opening to dispersal", 1, 30)
REST_BINDS = Parameter("campaigns.rest-binds", 1, "Whether rest forbids new calls: 1 yes, 0 no", 0, 1)

Campaign = Annotated[Digest, field("Campaign", "The record of the call.", widget="record")]
Caller = Annotated[SpaceId, field("Called by", "The space whose call it is.", widget="space")]
Moment = Annotated[int, field("", widget="instant", ge=0)]


# What is written


class Called(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A call to spaces to surge together and to settle."""

    name: Annotated[str, field("Name", "What people will call it.", erasable=True, required=True, max_length=80)] = ""
    why: Annotated[
        str,
        field(
            "Why and how", "The theory of change: what we want to come about, by what path, and what would prove us wrong.",
            widget="text", erasable=True, required=True, max_length=8000,
        ),
    ] = ""  # fmt: skip
    clears: Annotated[
        str,
        field("What it clears", "What stands in the way and is to go.", widget="text", erasable=True, max_length=2000),
    ] = ""
    invited: Annotated[
        list[SpaceId],
        field("Invited spaces", "Those whose answers count; we are counted in.", widget="spaces", min_length=1, max_length=63),
    ]
    quorum: Annotated[int, field("Quorum", "How many of these spaces, ours counted, arm it.", example="3", ge=2, le=64)]
    answers_until_ms: Annotated[
        Moment, field("Answers until", "The last minute in which answers count; before it opens.", widget="instant")
    ]
    terms: Annotated[Terms, field("Terms", "Spaces join exactly these, or counter with others.")]
    replaces: Annotated[Digest | None, field("Instead of", "The call that this one changes, if any.", widget="record")] = None


class Joined(Struct, frozen=True, forbid_unknown_fields=True):
    """We join these exact terms."""

    campaign: Campaign
    caller: Caller
    terms: Annotated[Terms, field("Terms", "As they stand: another word makes them other terms.")]


class Countered(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """We offer other terms, and join those."""

    campaign: Campaign
    caller: Caller
    terms: Annotated[Terms, field("Terms", "What you would join instead.")]
    why: Annotated[str, field("Why", "What the others should know.", widget="text", erasable=True, max_length=2000)] = ""


class Declined(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """We do not join."""

    campaign: Campaign
    caller: Caller
    why: Annotated[str, field("Why", "If you like to say so.", widget="text", erasable=True, max_length=2000)] = ""


class Withdrawn(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """We joined, and find that we cannot."""

    campaign: Campaign
    caller: Caller
    why: Annotated[
        str, field("Why", "So that the others can plan.", widget="text", erasable=True, required=True, max_length=2000)
    ] = ""


class Pledged(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When that campaign reaches that phase, this of ours begins."""

    campaign: Campaign
    caller: Caller
    phase: Annotated[
        Literal["armed", "open", "crest", "consolidation", "rest", "over"], field("Phase", "When it has come so far.")
    ]
    opens: Annotated[Digest | None, field("Opens", "The call of ours that then opens, if any.", widget="record")] = None
    does: Annotated[
        str, field("What we do then", "Or who is called.", widget="text", erasable=True, required=True, max_length=1000)
    ] = ""


class RestLifted(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Members decide against their own rule: new calls may be made before the rest is over."""

    campaign: Campaign
    reasons: Annotated[
        str,
        field(
            "Reasons",
            "Why rest can wait, or that it never armed.",
            widget="text",
            erasable=True,
            required=True,
            max_length=2000,
        ),
    ] = ""


# What is read, besides calls and answers


class Window(Row, frozen=True):
    """The terms that a space joined last for a campaign: when it surges and rests, as its own log knows it."""

    campaign: bytes
    caller: bytes
    opens_ms: int
    disperses_ms: int
    rests_ms: int
    withdrawn: bool
    lifted: bool


class Pledge(Row, frozen=True):
    """That something of ours begins when a campaign reaches a phase."""

    id: bytes
    position: int
    campaign: bytes
    caller: bytes
    phase: str
    opens: bytes | None
    does: str


WINDOWS = Table("campaign_window", Window, ("campaign",), indexes=(("rests_ms",),))
PLEDGES = Table("campaign_pledge", Pledge, ("id",), shared=(("campaign",),), erasable=("does",))


# Rules: of a space's own records, by its own log


def check_terms(own: Own, terms: Terms, at_ms: int) -> None:
    """Refuse a window that is not one."""
    if any(edge % MINUTE_MS for edge in terms.edges):
        raise Refused("The window's times are whole minutes. Leave the seconds out.")
    if any(later <= sooner for sooner, later in pairwise(terms.edges)):
        raise Refused("The window's times must follow each other: opens, crests, disperses, consolidates, rests.")
    longest = own.parameter(LONGEST, at_ms)
    if terms.disperses_ms - terms.opens_ms > longest * DAY_MS:
        raise Refused(f"From opening to dispersal are at most {longest} days. Disperse sooner, and call again after the rest.")
    if terms.opens_ms <= at_ms:
        raise Refused(f"The window would open at {spoken_time(terms.opens_ms)}, which is past. Choose an opening ahead.")
    if terms.opens_ms > at_ms + FARTHEST_DAYS * DAY_MS or terms.rests_ms > terms.disperses_ms + FARTHEST_DAYS * DAY_MS:
        raise Refused(
            f"A window opens within {FARTHEST_DAYS} days and has settled {FARTHEST_DAYS} days after. Choose nearer times."
        )
    for text in (terms.builds, terms.care, *terms.roles):
        if text != text.strip() or any(ord(letter) < 32 and letter != "\n" for letter in text):
            raise Refused("What the terms say begins and ends with a word: leave out blanks there, so that others can join it.")


def refuse_at_rest(own: Own, at_ms: int) -> None:
    """Refuse a new call between the dispersal of terms that this space joined and the end of their rest."""
    if not own.parameter(REST_BINDS, at_ms):
        return
    for window in own.all(WINDOWS, order="-rests_ms", rests_ms=Least(at_ms + 1)):
        if window.disperses_ms <= at_ms < window.rests_ms and not (window.withdrawn or window.lifted):
            raise Refused(
                f"We consolidate and rest until {spoken_time(window.rests_ms)} after a campaign that we joined. "
                "Wait until then, or have the assembly lift the rest."
            )


def call(own: Own, act: Act[Called]) -> Iterator[Change]:
    """A call, which is the caller's join of its own terms too."""
    body, at_ms = act.body, act.logged_ms
    refuse_at_rest(own, at_ms)
    check_terms(own, body.terms, at_ms)
    invited = sorted({own.id, *body.invited})
    if len(set(body.invited)) != len(body.invited):
        raise Refused("A space is invited twice. Name each once.")
    if not 2 <= body.quorum <= len(invited):
        raise Refused(f"With {len(invited)} spaces, ours counted, the quorum is from 2 to {len(invited)}.")
    if body.answers_until_ms % MINUTE_MS:
        raise Refused("Answers count until a whole minute. Leave the seconds out.")
    if not at_ms < body.answers_until_ms < body.terms.opens_ms:
        raise Refused("Answers count until a time after now and before the window opens. Choose one between.")
    if act.audience not in (PUBLIC, scope_of(tuple(invited))):
        raise Refused("A call is public, or for just the spaces that it names, ours among them. Choose one of these audiences.")
    yield CALLS.put(
        Call(
            act.space, act.digest, act.position, act.audience, body.name, body.why, body.clears, b"".join(invited),
            body.quorum, at_ms, body.answers_until_ms, body.replaces,
        )
    )  # fmt: skip
    yield from _joined(act, CALL, act.digest, own.id, body.terms)


def join(own: Own, act: Act[Joined]) -> Iterator[Change]:
    """Join exact terms."""
    yield from _stand_by(own, act, JOIN)


def counter(own: Own, act: Act[Countered]) -> Iterator[Change]:
    """Join other terms."""
    yield from _stand_by(own, act, COUNTER, act.body.why)


def _stand_by(own: Own, act: Act[Joined] | Act[Countered], said: str, why: str = "") -> Iterator[Change]:
    body = act.body
    before = _said(own, act)
    check_terms(own, body.terms, act.logged_ms)
    if before and before[-1].said in JOINS and before[-1].spelled == spell(body.terms):
        raise Refused("We stand by these very terms already.")
    yield from _joined(act, said, body.campaign, body.caller, body.terms, why)


def _joined(act: Act[Any], said: str, campaign: bytes, caller: bytes, terms: Terms, why: str = "") -> Iterator[Change]:
    yield ANSWERS.put(
        Answer(
            act.space, act.position, act.digest, campaign, caller, act.audience, said, act.logged_ms, spell(terms),
            terms.disperses_ms, terms.rests_ms, why,
        )
    )  # fmt: skip
    yield WINDOWS.put(Window(act.space, campaign, caller, terms.opens_ms, terms.disperses_ms, terms.rests_ms, False, False))


def decline(own: Own, act: Act[Declined]) -> Iterator[Change]:
    """Say no."""
    before = _said(own, act)
    if before and before[-1].said == DECLINE:
        raise Refused("We have declined already.")
    if before and before[-1].said in JOINS:
        raise Refused("We have joined this campaign. Withdraw instead, so that the others can plan.")
    yield _without_terms(act, DECLINE)


def withdraw(own: Own, act: Act[Withdrawn]) -> Iterator[Change]:
    """Say that we cannot after all; our join stays."""
    before = _said(own, act)
    if not before or before[-1].said not in JOINS:
        raise Refused("We stand by no terms of this campaign, so there is nothing to withdraw. You can decline.")
    yield _without_terms(act, WITHDRAW)
    if own.get(WINDOWS, act.body.campaign):
        yield WINDOWS.patch(act.body.campaign, withdrawn=True)


def _without_terms(act: Act[Declined] | Act[Withdrawn], said: str) -> Change:
    body = act.body
    return ANSWERS.put(
        Answer(
            act.space, act.position, act.digest, body.campaign, body.caller, act.audience, said, act.logged_ms, b"", 0, 0,
            body.why,
        )
    )  # fmt: skip


def _said(own: Own, act: Act[Any]) -> list[Answer]:
    """What we said to this call before, in order; Refused where more would be noise."""
    body = act.body
    if body.caller == own.id and not own.get(CALLS, body.campaign):
        raise Refused("There is no such call of ours. Look it up among the campaigns and answer from its page.")
    before = sorted(own.all(ANSWERS, campaign=body.campaign), key=lambda answer: answer.position)
    if len(before) >= MOST_ANSWERS:
        raise Refused(
            f"We have answered this call {MOST_ANSWERS} times. Talk to the others, and make a new call that replaces it."
        )
    return before


def pledge(own: Own, act: Act[Pledged]) -> Iterator[Change]:
    """Tie something of ours to a phase of a campaign."""
    body = act.body
    if body.opens is not None:
        own.need(CALLS, body.opens, what="call of ours")
        if body.opens == body.campaign:
            raise Refused("A campaign cannot open itself. Choose another call of ours, or none.")
    yield PLEDGES.put(
        Pledge(act.space, act.digest, act.position, body.campaign, body.caller, body.phase, body.opens, body.does)
    )


def lift_rest(own: Own, act: Act[RestLifted]) -> Iterator[Change]:
    """Let new calls be made before the rest is over."""
    window = own.need(WINDOWS, act.body.campaign, what="campaign that we joined")
    if window.lifted or window.withdrawn or act.logged_ms >= window.rests_ms:
        raise Refused("There is no rest to lift: it is over, lifted already, or we withdrew.")
    yield WINDOWS.patch(window.campaign, lifted=True)


# Advice before a record is written: may look at other spaces


def advise_answer(view: View, body: Joined | Countered | Declined | Withdrawn) -> str:
    """Why an answer would not count, as far as this node knows."""
    found = view.everywhere(CALLS, id=body.campaign)
    if not found or view.space_id(found[0].space) != body.caller:
        return "This node has not seen that call from that space. Check the address that you have it from."
    (call,) = found
    if view.id not in invited_in(call):
        return "We are not among the spaces that this call counts: the answer will be shown, but not counted."
    if isinstance(body, Withdrawn):
        return ""
    if isinstance(body, Joined | Countered) and body.terms.opens_ms <= call.answers_until_ms:
        return "These terms open before the answers are in, so they will not count. Choose a later opening."
    if call.scope != PUBLIC:
        return "This call is for the spaces that it names. Give the answer the same audience, or be public: no other counts."
    return ""


# What it says


def reached(stands: Standing, phase: str) -> bool:
    """Whether a campaign has come as far as a phase."""
    order = ("called", "armed", "open", "crest", "consolidation", "rest", "over")
    return stands.phase != "lapsed" and order.index(stands.phase) >= order.index(phase)


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Answers, pledges whose moment has come, and rest."""
    stood = near(view, now_ms)
    for call, stands in stood:
        if view.id in stands.silent and now_ms < call.answers_until_ms + MINUTE_MS:
            yield Due(f"Answer the call “{name_of(call)}”", None, call.logged_ms, call.answers_until_ms, call.id)
        ours = view.get(WINDOWS, call.id)
        resting = stands.phase in ("consolidation", "rest") and ours and not (ours.withdrawn or ours.lifted)
        if resting:
            what = f"We settle and rest after “{name_of(call)}”: no new call of ours until then"
            yield Due(what, None, stands.terms.disperses_ms, stands.terms.rests_ms, call.id)
    by_id = {call.id: stands for call, stands in stood}
    for pledge in sorted(view.all(PLEDGES), key=lambda each: each.position):
        stands_or_none = by_id.get(pledge.campaign)
        if stands_or_none and reached(stands_or_none, pledge.phase):
            since = _began_ms(stands_or_none, pledge.phase)
            until = max(stands_or_none.terms.rests_ms, since + LONGEST.high * DAY_MS)
            if now_ms < until:
                what = f"We pledged for this moment: {pledge.does or 'the words were erased'}"
                yield Due(what, None, since, until, pledge.id)


def _began_ms(stands: Standing, phase: str) -> int:
    edges = dict(zip(("open", "crest", "consolidation", "rest", "over"), stands.terms.edges, strict=True))
    return edges.get(phase, stands.armed_ms or 0)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """Campaigns by phase, and answers that are due."""
    stood = near(view, now_ms)
    phases = [stands.phase for _, stands in stood]
    return {
        "campaigns.called": phases.count("called"),
        "campaigns.armed": phases.count("armed"),
        "campaigns.open": phases.count("open") + phases.count("crest"),
        "campaigns.settling": phases.count("consolidation") + phases.count("rest"),
        "campaigns.answers-due": sum(view.id in stands.silent and stands.phase == "called" for _, stands in stood),
    }


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """Our calls whose answers are open and the windows that we joined, by our own public records alone."""
    calls = sorted(view.all(CALLS), key=lambda each: each.position)
    windows = sorted(view.all(WINDOWS), key=lambda each: (each.opens_ms, each.campaign))
    return {
        "calls": [
            {"id": each.id, "quorum": each.quorum, "spaces": len(invited_in(each)), "answers_until_ms": each.answers_until_ms}
            for each in calls
            if now_ms < each.answers_until_ms + MINUTE_MS
        ][:SHOWN],
        "windows": [
            {
                "campaign": each.campaign, "caller": each.caller, "opens_ms": each.opens_ms,
                "disperses_ms": each.disperses_ms, "rests_ms": each.rests_ms,
            }
            for each in windows
            if now_ms < each.rests_ms and not each.withdrawn
        ][:SHOWN],
    }  # fmt: skip


def page(view: View, now_ms: int) -> Iterator[Block]:
    """The windows that are near, each campaign that is not over, the chain of pledges, and what was."""
    stood = near(view, now_ms)
    current = [each for each in stood if each[1].phase not in ("over", "lapsed")]
    yield Heading("Campaigns")
    yield Action("campaign.called/1", {}, "Call a campaign")
    if not current:
        yield Text(
            "No campaign is under way that counts us. A call says why, what it builds and when it ends; "
            "the spaces that it names answer each for itself."
        )
    else:
        yield Timeline("Windows", [_surge(call, stands) for call, stands in current], now_ms)
    for call, stands in current:
        yield from about(view, call, stands, now_ms)
        yield from _ways_on(view, call, stands)
    yield from _chain(view, stood)
    yield from _past(stood)


def record(view: View, digest: bytes, now_ms: int) -> Iterator[Block]:
    """The page of a call: the campaign as it stands, and what can be done about it."""
    for call in view.everywhere(CALLS, id=digest):
        stands = standing(view, call, now_ms)
        yield from about(view, call, stands, now_ms)
        if view.id in stands.invited:
            yield from _ways_on(view, call, stands)


def _surge(call: Call, stands: Standing) -> Span:
    tone = "good" if stands.armed else "calm"
    return Span(name_of(call), stands.terms.opens_ms, stands.terms.disperses_ms, stands.phase, tone=tone)


def _ways_on(view: View, call: Call, stands: Standing) -> Iterator[Block]:
    """What can be done about it after its answers."""
    at = {"campaign": call.id.hex(), "caller": stands.caller.hex()}
    ours = view.get(WINDOWS, call.id)
    if stands.phase in ("consolidation", "rest") and ours and not ours.lifted and not ours.withdrawn:
        yield Text("We settle and rest: no new call of ours until it is over. Let what was built take root.")
        yield Action("campaign.rest-lifted/1", {"campaign": call.id.hex()}, "Lift the rest")
    if stands.phase in ("open", "crest", "consolidation", "rest"):
        yield Action("campaign.residue-left/1", at, "Enter what stays")
    if stands.phase not in ("over", "lapsed"):
        yield Action("campaign.pledged/1", at, "Tie something of ours to it")


def _chain(view: View, stood: list[tuple[Call, Standing]]) -> Iterator[Block]:
    """Chain reactions: which campaign sets off what, and whether its moment has come."""
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    rows: list[list[Cell]] = []
    names = {call.id: name_of(call) for call, _ in stood}
    for call, stands in stood:
        for pledge in sorted(view.everywhere(PLEDGES, campaign=call.id), key=lambda each: each.id):
            come = reached(stands, pledge.phase)
            space = view.space_id(pledge.space)
            target = (pledge.opens or pledge.id).hex()
            label = names.get(pledge.opens or b"", pledge.does or "words erased")
            nodes[call.id.hex()] = Node(call.id.hex(), name_of(call), stands.phase, f"/record/{call.id.hex()}")
            nodes.setdefault(target, Node(target, label, "", f"/record/{target}", "good" if come else "calm"))
            edges.append(Edge(call.id.hex(), target, f"when {pledge.phase}"))
            mark = State("its moment has come", "good") if come else State("waits")
            rows.append([Ref(space, "space"), names[call.id], pledge.phase, Ref(pledge.id, "record", pledge.does), mark])
    if edges:
        yield Heading("Chain reactions", 3)
        yield Graph("What sets off what", [nodes[each] for each in sorted(nodes)], edges)
        yield Grid("Pledges", ["Space", "When this campaign", "is at", "we do", ""], rows)


def _past(stood: list[tuple[Call, Standing]]) -> Iterator[Block]:
    rows: list[list[Cell]] = [
        [
            Ref(call.id, "record", name_of(call)),
            Ref(stands.caller, "space"),
            When(stands.terms.opens_ms),
            State("it surged and settled", "good") if stands.phase == "over" else State("never armed"),
            stands.terms.builds,
        ]
        for call, stands in reversed(stood)
        if stands.phase in ("over", "lapsed")
    ]
    if rows:
        yield Grid("What was", ["Campaign", "Called by", "Opened", "", "To build"], rows)


PRACTICE = Practice(
    name="campaigns",
    title="Campaigns",
    room="campaigns",
    about="What we do together with others and when: a window with an end, something that stays, and rest after it.",
    tables=(CALLS, ANSWERS, WINDOWS, PLEDGES),
    kinds=(
        Kind(
            "campaign.called/1", "Call a campaign", Called, call, duty=True, for_good=True,
            consequence="The spaces that it names are asked to answer; we stand by these terms.",
            help="Say why, what it builds, when it opens and when it ends, and whom you ask.",
        ),
        Kind(
            "campaign.joined/1", "Join a campaign", Joined, join, advise_answer, duty=True, for_good=True,
            consequence="We count for these terms for good; a withdrawal later is shown beside it.",
            help="Join the terms exactly as they stand.",
        ),
        Kind(
            "campaign.countered/1", "Offer other terms", Countered, counter, advise_answer, duty=True, for_good=True,
            consequence="We count for these other terms; the others can join them.",
            help="Say on which terms you would join, and join those.",
        ),
        Kind(
            "campaign.declined/1", "Decline a campaign", Declined, decline, advise_answer, duty=True,
            consequence="The others see that we do not join.",
            help="Say that we do not join, so that nobody waits for us.",
        ),
        Kind(
            "campaign.withdrawn/1", "Withdraw from a campaign", Withdrawn, withdraw, advise_answer,
            consequence="It is shown beside our join, which stays counted.",
            help="Say that we cannot after all, so that the others can plan.",
        ),
        Kind(
            "campaign.pledged/1", "Pledge a chain reaction", Pledged, pledge,
            consequence="When that campaign comes so far, we are all reminded.",
            help="Tie something of ours to a phase of a campaign.",
        ),
        Kind(
            "campaign.rest-lifted/1", "Lift the rest", RestLifted, lift_rest, needs="assembly",
            consequence="New calls of ours are possible before the rest after this campaign is over.",
            help="Decide against our own rule of rest after one campaign.",
        ),
    ),
    parameters=(LONGEST, REST_BINDS),
    due=due,
    figures=figures,
    state=state,
    page=page,
    record=record,
)  # fmt: skip
