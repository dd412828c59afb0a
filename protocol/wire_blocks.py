"""What the pages of trip wires and reviews say: each wire with its figure over the cycles, and each review as a story.

The practice's own page shows the figures last written down; `with_live` adds those of this moment, which come from all
practices and so from the node. Every figure stands with what it says here and what it does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from protocol import figure, moon
from protocol.accounting import books
from protocol.drawing import FAILED, MEMBERS_SOURCE, lots_for, phase, standing
from protocol.meaning import COUNT, FIELDS, MINOR, Figure
from protocol.membership import abstain, members_at, name_of
from protocol.page import Action, Block, Cell, Chart, Facts, Grid, Heading, Prose, Ref, Series, State, Text, When
from protocol.practice import FOREVER_MS, Due, Own, View, keys
from protocol.wires import (
    ALWAYS,
    DAY_MS,
    FACILITATOR,
    FEWEST_FOR_A_LOT,
    NOTED,
    NOTINGS,
    REPORTS,
    REVIEWS,
    WIRES,
    Noted,
    Report,
    Review,
    Wire,
    counts_from_ms,
    latest_noting,
    may_report,
    open_reviews,
    others,
    reports_on,
    reviews_of,
    run,
    standing_wires,
)
from protocol.wording import counted, listed, shortened

CLOSED_SHOWN = 20
CHARTED_CYCLES = 26


def facilitators(own: Own, review: Review) -> tuple[bytes, ...]:
    """Who was drawn to report on a review."""
    return standing(own, FACILITATOR, review.id)


def sentence(wire: Wire) -> str:
    """A wire in words: ``Largest funder's share above 60 % for 2 cycles``."""
    held = f" for {counted(wire.cycles, 'cycle')}" if wire.cycles > 1 else ""
    return f"{figure.label(wire.figure)} {wire.compare} {figure.spoken(wire.figure, wire.number)}{held}"


def due(view: View, now_ms: int) -> Iterator[Due]:
    """What each open review waits for, and the report that somebody drawn has to give."""
    for review in open_reviews(view):
        wire = view.get(WIRES, review.wire)
        if wire is None:
            continue
        what, reports = sentence(wire), reports_on(view, review.id)
        if reports:
            yield Due(f"Decide on the report about “{what}”", None, reports[-1].since_ms, FOREVER_MS, reports[-1].id)
            continue
        free = may_report(view, review, drawn := facilitators(view, review), now_ms)
        if not free:
            yield Due(f"Draw by lot who reports on “{what}”", None, review.opened_ms, review.report_by_ms, review.record)
            continue
        led = [member for member in drawn if member in free]
        if led and now_ms < review.report_by_ms:
            yield from (
                Due(f"You were drawn to report on “{what}”", each, review.opened_ms, review.report_by_ms, review.record)
                for each in led
            )
            names = listed([name_of(view, each) for each in led])
            what = f"A review is open on “{what}”: tell {names} what you know"
            yield Due(what, None, review.opened_ms, review.report_by_ms, review.record)
        else:
            yield Due(f"A review waits for somebody's report on “{what}”", None, review.opened_ms, FOREVER_MS, review.record)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """How many wires stand and reviews are open, and since when the oldest waits."""
    reviews = open_reviews(view)
    return {
        "wires.standing": len(standing_wires(view)),
        "wires.reviews-open": len(reviews),
        "wires.oldest-review-days": max(0, now_ms - reviews[0].opened_ms) // DAY_MS if reviews else 0,
    }


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """How many figures are watched, and how many reviews are open."""
    return {"wires": len(standing_wires(view)), "reviews_open": len(open_reviews(view))}


# The page


def page(view: View, now_ms: int) -> Iterator[Block]:
    """The wires, each one's way over the cycles, and the reviews, open and closed."""
    yield Heading("Trip wires")
    yield Text(
        "A wire says which figure must not go too far. When it does, a review opens by itself; "
        "nobody can wave it away, and it closes with a report that the members accept."
    )
    wires = standing_wires(view)
    yield _wires(view, wires)
    yield Action("tripwire.set/1", {}, "Set a trip wire")
    yield from _open(view, now_ms)
    for wire in wires:
        yield from history(view, wire)
    yield from _closed(view)
    if wires:
        yield _meanings([wire.figure for wire in wires])


def _wires(view: View, wires: tuple[Wire, ...]) -> Grid:
    last = latest_noting(view)
    members = _members_noted(view, last.cycle) if last else 0
    noted = {row.name: row.value for row in view.all(NOTED, cycle=last.cycle)} if last else {}
    rows: list[list[Cell]] = []
    for wire in wires:
        reviews = reviews_of(view, wire.id)
        rows.append([
            Ref(wire.id, "record", sentence(wire)), _value(wire.figure, noted, members),
            _held(view, wire, reviews, noted, last.cycle if last else 0), wire.who,
        ])  # fmt: skip
    column = "At the last new moon"
    return Grid(
        "What is watched", ("Wire", column, "", "Who is to look"), rows,
        "No figure is watched yet. Choose one that would tell you early that work, money or voice lies with too few.",
    )  # fmt: skip


def _value(name: str, noted: Mapping[str, int], members: int) -> str:
    if name not in noted:
        return "not written down yet"
    return figure.hidden(name, members, noted) or figure.spoken(name, noted[name])


def _held(view: View, wire: Wire, reviews: tuple[Review, ...], noted: Mapping[str, int], cycle: int) -> State:
    if any(review.closed_ms == FOREVER_MS for review in reviews):
        return State("review open", "bad")
    if wire.figure not in noted:
        return State("waits for a new moon")
    held = run(view, wire, cycle, {}, counts_from_ms(wire, reviews))
    if held:
        return State(f"{held} of {counted(wire.cycles, 'cycle')}", "warn")
    return State("past it, counted anew", "warn") if wire.holds(noted[wire.figure]) else State("holds", "good")


def _members_noted(view: View, cycle: int) -> int:
    row = view.get(NOTED, cycle, ALWAYS[0])
    return row.value if row else 0


def history(view: View, wire: Wire) -> Iterator[Block]:
    """A wire's figure over the cycles, with the number that it must not pass."""
    rows = sorted(view.all(NOTED, name=wire.figure), key=lambda row: row.cycle)[-CHARTED_CYCLES:]
    shown = [row for row in rows if not _hidden(view, row)]
    if len(shown) < 2:
        return
    ends = [moon.new_moon_ms(row.cycle + 1) for row in shown]
    lines = [
        Series(figure.label(wire.figure), [(at, row.value) for at, row in zip(ends, shown, strict=True)]),
        Series("The wire", [(at, wire.number) for at in ends]),
    ]
    yield Chart(f"{sentence(wire)}: cycle by cycle", lines, _unit(view, wire.figure))


def _unit(view: View, name: str) -> str:
    """In which unit a chart tells a figure."""
    found = figure.find(name)
    if found is None:
        return ""
    return books(view).main_currency() or found.unit if found.scale == MINOR else found.unit


def _hidden(view: View, row: Noted) -> str:
    noted = {each.name: each.value for each in view.all(NOTED, cycle=row.cycle)}
    return figure.hidden(row.name, noted.get(ALWAYS[0], 0), noted)


def _meanings(names: list[str]) -> Grid:
    rows: list[list[Cell]] = []
    for name in sorted(set(names)):
        found = figure.find(name)
        if found:
            rows.append([found.label, found.says, found.not_says])
        else:
            rows.append([name, "This node does not know this figure.", ""])
    return Grid("What these figures mean", ("Figure", "What it says", "Bear in mind"), rows)


def with_live(view: View, live: Mapping[str, int], now_ms: int) -> Iterator[Block]:
    """The figures of this moment: those under a wire first, then all, folded by what they are about, with their meaning."""
    members = len(members_at(view, now_ms))
    wires = {wire.figure: wire for wire in standing_wires(view)}
    watched: list[list[Cell]] = []
    groups: dict[str, list[list[Cell]]] = {title: [] for title in FIELDS.values()}
    unseen: list[str] = []
    for name in sorted(live):
        found = figure.find(name)
        if found is None:
            continue
        if figure.hidden(name, members, live):
            unseen.append(found.label)
            continue
        now = figure.spoken(name, live[name])
        if name in wires:
            past = wires[name].holds(live[name])
            watched.append([found.label, now, State("past its wire", "warn") if past else State("watched", "good")])
        groups.setdefault(FIELDS.get(name.partition(".")[0], "Others"), []).append([found.label, now, *_to_watch(found)])
    yield Heading("Figures now")
    if watched:
        yield Grid("Under a wire", ("Figure", "Now", ""), watched)
    yield Text("Every figure that a wire can be set on, by what it is about:")
    for title, rows in groups.items():
        if rows:
            yield Grid(title, ("Figure", "Now", "What it says", "In a wire"), rows, folded=True)
    if unseen:
        yield Text(f"Not shown to a group of this size: {listed(unseen)}. It would be misread, or be about one person.")


def _to_watch(found: Figure) -> tuple[str, str]:
    """What a figure says and does not; and by which name and scale a wire is set on it."""
    written = found.name if found.scale == COUNT else f"{found.name}, in {found.scale}"
    return f"{found.says} {found.not_says}".strip(), written


# Reviews


def _open(view: View, now_ms: int) -> Iterator[Block]:
    reviews = open_reviews(view)
    yield Heading("Reviews")
    if not reviews:
        yield Text("No review is open. One opens by itself when a figure has been past its wire for as long as was set.")
    for review in reviews:
        yield from story(view, review, now_ms)


def _closed(view: View) -> Iterator[Block]:
    wires = {wire.id: wire for wire in view.all(WIRES)}
    closed = [review for review in view.all(REVIEWS) if review.closed_ms != FOREVER_MS]
    rows: list[list[Cell]] = []
    for review in sorted(closed, key=lambda review: (-review.closed_ms, review.id))[:CLOSED_SHOWN]:
        wire, report = wires.get(review.wire), view.get(REPORTS, review.report)
        if wire:
            rows.append([
                Ref(review.record, "record", sentence(wire)), figure.spoken(wire.figure, review.value), When(review.opened_ms),
                When(review.closed_ms), Ref(review.report, "record", _short(report)),
            ])  # fmt: skip
    if rows:
        yield Grid("Reviews closed", ("What tripped", "It was", "Opened", "Closed", "Report"), rows)


def _short(report: Report | None) -> str:
    return shortened(report.change.partition("\n")[0] if report else "", 80) or "its words were erased"


def story(view: View, review: Review, now_ms: int) -> Iterator[Block]:
    """A review from the figures that opened it to the report that closed it."""
    wire = view.get(WIRES, review.wire)
    if wire is None:
        return
    yield Heading(sentence(wire), 3)
    yield Facts(_facts(view, wire, review, now_ms))
    yield from _set_aside(view, review, now_ms)
    noted = {row.name: row.value for row in view.all(NOTED, cycle=review.cycle)}
    members = noted.get(ALWAYS[0], 0)
    rows: list[list[Cell]] = [
        [figure.label(name), figure.spoken(name, value)]
        for name, value in sorted(noted.items())
        if not figure.hidden(name, members, noted)
    ]
    yield Grid("The figures of that moment", ("Figure", "It was"), rows)
    for report in reports_on(view, review.id):
        yield from _report(view, review, report)
    yield from _ways_on(view, review, now_ms)


def _facts(view: View, wire: Wire, review: Review, now_ms: int) -> list[tuple[str, Cell]]:
    ended = moon.new_moon_ms(review.cycle + 1)
    facts: list[tuple[str, Cell]] = [
        ("Tripped at the new moon", When(ended)),
        ("It was", figure.spoken(wire.figure, review.value)),
        ("Who is to look", wire.who or "the words were erased"),
    ]
    found = figure.find(wire.figure)
    facts += [(name, words) for name, words in _meaning(found) if words]
    named = keys(wire.concerned)
    for each in keys(review.concerned):
        why = "Concerns" if each in named else "Concerns, as the figure measures them"
        facts.append((why, Ref(each, "member", name_of(view, each))))
    facts += [("Drawn by lot", Ref(each, "member", name_of(view, each))) for each in facilitators(view, review)]
    if review.closed_ms != FOREVER_MS:
        return [*facts, ("Closed", When(review.closed_ms)), ("By decision", Ref(review.accepted, "record", "report accepted"))]
    return [*facts, ("Report by", When(review.report_by_ms)), ("State", _stands(view, review, now_ms))]


def _set_aside(view: View, review: Review, now_ms: int) -> Iterator[Block]:
    """What it means for those whom an open review concerns."""
    concerned = keys(review.concerned)
    if not concerned or review.closed_ms != FOREVER_MS:
        return
    if _is_about_all(view, review, now_ms):
        yield Text("It concerns everybody here, so nobody is set aside.")
    elif abstain(view, concerned):
        yield Text("Whom it concerns is set aside: they neither look into it nor vote on the report.")
    else:
        yield Text("Whom it concerns does not look into it. With fewer than two others here, everybody votes on the report.")


def _is_about_all(view: View, review: Review, now_ms: int) -> bool:
    concerned = keys(review.concerned)
    return bool(concerned) and set(others(view, concerned, now_ms)) <= set(concerned)


def _meaning(found: Figure | None) -> tuple[tuple[str, str], ...]:
    return (("What it says", found.says), ("Bear in mind", found.not_says)) if found else ()


def _stands(view: View, review: Review, now_ms: int) -> State:
    if reports_on(view, review.id):
        return State("waits for your decision", "warn")
    if not may_report(view, review, facilitators(view, review), now_ms):
        return State("waits for the lot", "warn")
    return State("report overdue", "bad") if now_ms >= review.report_by_ms else State("being looked at", "warn")


def _report(view: View, review: Review, report: Report) -> Iterator[Block]:
    mark = "Accepted report" if report.id == review.report else "Report"
    yield Facts([(mark, Ref(report.id, "record", "read it")), ("By", Ref(report.by, "member", name_of(view, report.by))),
                 ("On", When(report.since_ms))])  # fmt: skip
    yield Prose(report.found or "The words of this report were erased.")
    if report.change:
        yield Text("What should change:")
        yield Prose(report.change)


def _ways_on(view: View, review: Review, now_ms: int) -> Iterator[Block]:
    if review.closed_ms != FOREVER_MS:
        return
    reports = reports_on(view, review.id)
    if reports:
        yield Action("review.accepted/1", {"report": reports[-1].id.hex()}, "Propose to accept the report")
    free = may_report(view, review, drawn := facilitators(view, review), now_ms)
    if free:
        filled = {"wire": review.wire.hex(), "cycle": str(review.cycle)}
        yield Action("review.reported/1", filled, "Report on it anew" if reports else "Report on it", who=tuple(free))
    here = others(view, keys(review.concerned), now_ms)
    if now_ms >= review.report_by_ms or len(here) < FEWEST_FOR_A_LOT:
        whom = "" if _is_about_all(view, review, now_ms) else " whom it does not concern"
        yield Text(f"Any member{whom} can report on it.")
    elif not drawn:
        yield Text("Somebody is drawn by lot to report on it, from those whom it does not concern.")
        if not any(phase(lot, now_ms) != FAILED for lot in lots_for(view, FACILITATOR, review.id)):
            filled = {"purpose": FACILITATOR, "subject": review.id.hex(), "seats": "1", "source": MEMBERS_SOURCE}
            yield Action("lot.opened/1", filled, "Draw who reports on it")


# Pages of single records


def record(view: View, digest: bytes, now_ms: int) -> Iterator[Block]:
    """The page of a wire, of a cycle's figures, of a report, or of its acceptance."""
    wire = view.get(WIRES, digest)
    if wire:
        yield from _wire_page(view, wire)
    for noting in view.all(NOTINGS, id=digest):
        yield from _noting_page(view, noting.cycle, digest, now_ms)
    report = view.get(REPORTS, digest)
    review = view.get(REVIEWS, report.review) if report else None
    if review:
        yield Heading("The review")
        yield from story(view, review, now_ms)


def _wire_page(view: View, wire: Wire) -> Iterator[Block]:
    yield Heading("Trip wire")
    facts: list[tuple[str, Cell]] = [
        ("Trips when", sentence(wire)), ("Who is to look", wire.who or "the words were erased"), ("Since", When(wire.since_ms)),
    ]  # fmt: skip
    facts += [("Concerns", Ref(each, "member", name_of(view, each))) for each in keys(wire.concerned)]
    if wire.removed_ms != FOREVER_MS:
        facts += [("Removed", When(wire.removed_ms)), ("Why", wire.why or "the words were erased")]
    yield Facts(facts)
    yield _meanings([wire.figure])
    yield from history(view, wire)
    rows: list[list[Cell]] = []
    for review in reviews_of(view, wire.id):
        end: Cell = State("open", "warn") if review.closed_ms == FOREVER_MS else When(review.closed_ms)
        was = figure.spoken(wire.figure, review.value)
        rows.append([Ref(review.record, "record", f"cycle {review.cycle}"), was, When(review.opened_ms), end])
    yield Grid("Its reviews", ("Figures of", "It was", "Opened", "Closed"), rows, "It has not tripped so far.")
    if wire.removed_ms == FOREVER_MS:
        yield Action("tripwire.removed/1", {"wire": wire.id.hex()}, "Propose to remove it")


def _noting_page(view: View, cycle: int, digest: bytes, now_ms: int) -> Iterator[Block]:
    yield Heading(f"The figures of cycle {cycle}")
    noted = {row.name: row.value for row in view.all(NOTED, cycle=cycle)}
    members = noted.get(ALWAYS[0], 0)
    rows: list[list[Cell]] = [
        [figure.label(name), _value(name, noted, members), name] for name in sorted(noted)
    ]  # fmt: skip
    yield Facts([("Cycle ended", When(moon.new_moon_ms(cycle + 1)))])
    yield Grid("Figures", ("Figure", "It was", "Its name"), rows, "Nothing was under a wire.")
    reviews = view.all(REVIEWS, record=digest)
    if not reviews:
        yield Text("No wire tripped by them.")
    for review in sorted(reviews, key=lambda each: each.id):
        yield from story(view, review, now_ms)
