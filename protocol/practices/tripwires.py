"""Trip wires: a figure that the members watch, and the review that opens by itself when it goes too far.

- A wire says which figure, above or below which number, for how many cycles in a row, who is to look, and whom it concerns.
  It is set, and removed, by decision alone.
- At the end of each cycle the node itself writes the figures down (``figures.noted/1``), in order, once; nobody else can.
- A wire that trips opens a review with the figures of that moment. A wire has one open review at most.
- The review is led by somebody drawn by lot from those whom it does not concern, and closed only by a report that the
  members accept, by decision. Removing the wire, better figures, or anybody's word do not close it. Those whom its figure
  measures are concerned, though nobody named them.
- No figure is on a person. The Gini is no wire: it is read beside other figures or not at all.
- What decides is public; the words of a wire, a report and a removal can be erased.

Example::

    WireSet(figure="ledger.reserve", compare="below", number=500_000, cycles=2, who="The finance circle")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from msgspec import Struct

from protocol import figure, moon
from protocol.judge import spoken_time
from protocol.mandate import DECISION
from protocol.meaning import Figure
from protocol.measured import measured
from protocol.membership import MEMBERSHIPS, abstain, is_live
from protocol.practice import (
    FOREVER_MS,
    Act,
    Change,
    Digest,
    Kind,
    MemberKey,
    Own,
    Practice,
    Refused,
    View,
    field,
    keys,
)
from protocol.wire_blocks import due, facilitators, figures, page, record, state
from protocol.wires import (
    DAY_MS,
    MOST,
    MOST_NOTED,
    NOTED,
    NOTINGS,
    REPORT_DAYS,
    REPORTS,
    REVIEWS,
    WIRES,
    Next,
    Noted,
    Noting,
    Report,
    Review,
    Wire,
    concerned_by,
    counts_from_ms,
    may_report,
    next_noting,
    review_id,
    reviews_of,
    run,
    standing_wires,
)

IN_PUBLIC = "Trip wires and reviews are public, because the decision that closes a review is. Leave the audience."
NAME = r"^[a-z]{1,20}\.[a-z][a-z0-9-]{0,59}$(?!\n)"
FARTHEST = 2**53 - 1
HOLDERS = 20

WireRecord = Annotated[Digest, field("Trip wire", "The record by which it was set.", widget="record")]
Number = Annotated[int, field("Number", "In the figure's own scale.", example="400", ge=-FARTHEST, le=FARTHEST)]
CycleNumber = Annotated[int, field("Cycle", "By its number.", widget="cycle", example="329", ge=-1237, le=2484)]
Words = Annotated[str, field("Reasons", "In a few sentences.", widget="text", erasable=True, required=True, max_length=4000)]


# What is written


class WireSet(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """From now on a figure is watched."""

    figure: Annotated[
        str,
        field(
            "Figure",
            "By its name, as the page of trip wires lists it.",
            widget="figure",
            example="ledger.reserve",
            pattern=NAME,
        ),
    ]
    compare: Annotated[Literal["above", "below"], field("Trips when it is", "Above the number, or below it.", example="above")]
    number: Annotated[
        int,
        field(
            "Number", "In the figure's own scale, as the page of trip wires says: 40 % of a figure in per mille is 400.",
            example="400", ge=-FARTHEST, le=FARTHEST,
        ),
    ]  # fmt: skip
    cycles: Annotated[
        int, field("Cycles in a row", "For how many cycle ends it has to hold before it trips.", example="2", ge=1, le=13)
    ] = 1
    concerned: Annotated[
        list[MemberKey],
        field(
            "Whom it concerns", "Members who are not drawn to look and do not vote on the report. Leave it empty if nobody is.",
            widget="member", max_length=HOLDERS,
        ),
    ] = []  # fmt: skip
    who: Annotated[
        str,
        field(
            "Who is to look", "Who helps the one who is drawn, in words.", example="The care circle",
            erasable=True, required=True, max_length=300,
        ),
    ] = ""  # fmt: skip


class WireRemoved(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A figure is watched no longer; what it has opened stays open."""

    wire: WireRecord
    reasons: Words = ""


class Value(Struct, frozen=True, forbid_unknown_fields=True):
    """One figure."""

    name: Annotated[str, field("Figure", "By its name.", widget="figure", example="ledger.reserve", pattern=NAME)]
    value: Number


class FiguresNoted(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The figures under wires, as they stood when a cycle ended; none, if none could be told."""

    cycle: CycleNumber
    figures: Annotated[
        list[Value], field("Figures", "Those under a wire, and how many members there are.", max_length=MOST_NOTED)
    ] = []


class ReviewReported(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was found about a wire that tripped."""

    wire: WireRecord
    cycle: Annotated[CycleNumber, field("Cycle", "At whose end the wire tripped.")]
    found: Annotated[
        str,
        field(
            "What you found", "What the figure shows here, what it does not, and what is behind it. Name no person.",
            widget="text", erasable=True, required=True, max_length=8000,
        ),
    ] = ""  # fmt: skip
    change: Annotated[
        str,
        field("What should change", "Or why nothing should.", widget="text", erasable=True, required=True, max_length=8000),
    ] = ""


class ReviewAccepted(Struct, frozen=True, forbid_unknown_fields=True):
    """The members accept a report, and with it the review is closed."""

    report: Annotated[Digest, field("Report", "The record of the report.", widget="record")]


# Rules

GINI = (
    "A Gini says little alone, and in a small group it is nearly always high. "
    "Watch the share of the one who does most, or how few do half."
)
STANDS = "Exactly this wire stands already. Set another number, or leave it as it is."


def is_gini(name: str) -> bool:
    """Whether a figure is a Gini, which is never watched alone."""
    return "gini" in name.partition(".")[2].split("-")


def stands_already(own: Own, body: WireSet) -> bool:
    """Whether exactly this wire stands."""
    same = (body.figure, body.compare, body.number, body.cycles)
    return any((wire.figure, wire.compare, wire.number, wire.cycles) == same for wire in standing_wires(own))


def set_wire(own: Own, act: Act[WireSet]) -> Iterator[Change]:
    """Watch a figure from this minute on."""
    body, at_ms = act.body, act.logged_ms
    _cycle_at(at_ms)
    if is_gini(body.figure):
        raise Refused(GINI)
    if len(set(body.concerned)) != len(body.concerned):
        raise Refused("Whom it concerns: each member is listed once.")
    if not all(is_live(own.get(MEMBERSHIPS, member), at_ms) for member in body.concerned):
        raise Refused("Whom it concerns: one of them is no member now. Name members only.")
    standing = standing_wires(own)
    most = own.parameter(MOST, at_ms)
    if len(standing) >= most:
        raise Refused(f"At most {most} trip wires stand at once, so that each is looked at. Remove one first, by decision.")
    if stands_already(own, body):
        raise Refused(STANDS)
    yield WIRES.put(
        Wire(
            act.space, act.digest, act.position, body.figure, body.compare, body.number, body.cycles,
            b"".join(sorted(body.concerned)), body.who, at_ms, FOREVER_MS, b"", "",
        )
    )  # fmt: skip


def remove_wire(own: Own, act: Act[WireRemoved]) -> Iterator[Change]:
    """Watch it no longer."""
    wire = own.need(WIRES, act.body.wire, what="trip wire")
    if wire.removed_ms != FOREVER_MS:
        raise Refused(f"This trip wire was removed at {spoken_time(wire.removed_ms)}.")
    yield WIRES.patch(wire.id, removed_ms=act.logged_ms, removed_by=act.digest, why=act.body.reasons)


def note_figures(own: Own, act: Act[FiguresNoted]) -> Iterator[Change]:
    """Write down a cycle's figures, and open a review for every wire that trips by them."""
    body, at_ms = act.body, act.logged_ms
    coming = next_noting(own, at_ms)
    if coming is None:
        raise Refused("No figures are to be noted now: no wire stands, or this cycle has not ended.")
    if body.cycle != coming.cycle:
        raise Refused(f"The figures of cycle {coming.cycle} come next. Each cycle is noted once, in order.")
    values = {each.name: each.value for each in body.figures}
    if len(values) != len(body.figures):
        raise Refused("Figures: each is listed once.")
    for name in values:
        if name not in coming.names:
            raise Refused(f"Figures: “{name}” was under no wire in this cycle, so it is not written down.")
    yield NOTINGS.put(Noting(act.space, body.cycle, act.digest, at_ms))
    for each in body.figures:
        yield NOTED.put(Noted(act.space, body.cycle, each.name, each.value))
    yield from _open_reviews(own, act, coming, values)


def _open_reviews(own: Own, act: Act[FiguresNoted], coming: Next, values: Mapping[str, int]) -> Iterator[Change]:
    for wire in standing_wires(own):
        reviews = reviews_of(own, wire.id)
        if wire.figure not in values or any(review.closed_ms == FOREVER_MS for review in reviews):
            continue
        if run(own, wire, coming.cycle, values, counts_from_ms(wire, reviews)) < wire.cycles:
            continue
        by_ms = act.logged_ms + own.parameter(REPORT_DAYS, act.logged_ms) * DAY_MS
        concerned = {*keys(wire.concerned), *measured(own, wire.figure, coming.ended_ms)}
        yield REVIEWS.put(
            Review(
                act.space, review_id(wire.id, coming.cycle), wire.id, coming.cycle, act.digest, values[wire.figure],
                b"".join(sorted(concerned)), act.logged_ms, by_ms, b"", b"", FOREVER_MS,
            )
        )  # fmt: skip


def report_review(own: Own, act: Act[ReviewReported]) -> Iterator[Change]:
    """Say what was found; the review stays open until the members accept a report."""
    body, at_ms = act.body, act.logged_ms
    review = own.need(REVIEWS, review_id(body.wire, body.cycle), what="review")
    _still_open(review)
    free = may_report(own, review, facilitators(own, review), at_ms)
    if act.member not in free:
        if act.member in keys(review.concerned):
            raise Refused("This review concerns you, so somebody else reports on it. Tell them what you know.")
        if free:
            raise Refused(
                "Somebody was drawn by lot to report on this. "
                f"Tell them what you know; from {spoken_time(review.report_by_ms)} on, anybody not concerned can report."
            )
        raise Refused("Draw by lot who is to report on this first.")
    yield REPORTS.put(Report(act.space, act.digest, review.id, act.member, at_ms, body.found, body.change))


def accept_report(own: Own, act: Act[ReviewAccepted]) -> Iterator[Change]:
    """Close the review with a report that the members have accepted."""
    report = own.need(REPORTS, act.body.report, what="report")
    review = own.need(REVIEWS, report.review, what="review")
    _still_open(review)
    yield REVIEWS.patch(review.id, report=report.id, accepted=act.digest, closed_ms=act.logged_ms)


def whom_it_concerns(own: Own, body: ReviewAccepted) -> tuple[bytes, ...]:
    """Members who do not vote on a report."""
    report = own.get(REPORTS, body.report)
    return abstain(own, concerned_by(own, report.review)) if report else ()


def _still_open(review: Review) -> None:
    if review.closed_ms != FOREVER_MS:
        raise Refused(f"This review was closed at {spoken_time(review.closed_ms)}, with a report that the members accepted.")


def _cycle_at(at_ms: int) -> int:
    try:
        return moon.cycle_at(at_ms)
    except moon.OutsideTable as error:
        raise Refused(str(error)) from error


# Advice before a record is written


def advise_wire(view: View, body: WireSet) -> str:
    """Whether this node knows the figure, and how the number reads; and what would be refused."""
    if is_gini(body.figure):
        return GINI
    if stands_already(view, body):
        return STANDS
    found = figure.find(body.figure)
    if found is None:
        near = figure.near(body.figure)
        return f"This node knows no figure “{body.figure}”. " + (f"Do you mean {near}?" if near else "Look it up on the page.")
    if found.most is not None and not found.fewest <= body.number <= found.most:
        return (
            f"{found.label} is always from {found.fewest} to {found.most} ({found.scale}), "
            f"so this would trip {'always' if _always(found, body) else 'never'}."
        )
    return ""


def _always(found: Figure, body: WireSet) -> bool:
    return (body.number < found.fewest) == (body.compare == "above")


PRACTICE = Practice(
    name="tripwires",
    title="Trip wires",
    room="assembly",
    about="Figures that the members watch, and the reviews that open by themselves when one goes too far.",
    tables=(WIRES, NOTINGS, NOTED, REVIEWS, REPORTS),
    kinds=(
        Kind(
            "tripwire.set/1", "Set a trip wire", WireSet, set_wire, advise=advise_wire, needs=DECISION, in_public=IN_PUBLIC,
            consequence="At each cycle's end the node writes this figure down in public, and opens a review if it trips.",
            help="Say which figure is watched, and when a review opens by itself.",
        ),
        Kind(
            "tripwire.removed/1", "Remove a trip wire", WireRemoved, remove_wire, needs=DECISION, in_public=IN_PUBLIC,
            consequence="The figure is not watched any longer. A review that is open stays open.",
            help="Stop watching a figure, with reasons.",
        ),
        Kind(
            "figures.noted/1", "Note a cycle's figures", FiguresNoted, note_figures, needs="clock", in_public=IN_PUBLIC,
            consequence="The figures stand for this cycle, and a wire that trips by them opens a review.",
            help="Written by the node itself at each cycle's end.",
        ),
        Kind(
            "review.reported/1", "Report on a review", ReviewReported, report_review, in_public=IN_PUBLIC,
            consequence="The members decide whether they accept the report. Until they do, the review stays open.",
            help="Say what the figure shows here, and what should change.",
        ),
        Kind(
            "review.accepted/1", "Accept a report", ReviewAccepted, accept_report, needs=DECISION, concerns=whom_it_concerns,
            in_public=IN_PUBLIC,
            consequence="The review is closed with this report.",
            help="Close a review with a report that the members have decided to accept.",
        ),
    ),
    parameters=(MOST, REPORT_DAYS),
    due=due,
    figures=figures,
    state=state,
    page=page,
    record=record,
)  # fmt: skip
