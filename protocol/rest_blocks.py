"""What the page of work says of rest: sabbaticals, who takes over, what hangs on one person, landing, celebrations.

Example::

    for due in rest_blocks.due(view, now_ms):   # "Your sabbatical begins at the new moon: hand over"
        ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from protocol import drawing, moon, resting, working
from protocol.campaign_blocks import name_of as campaign_name
from protocol.membership import MEMBERSHIPS, name_of
from protocol.page import Action, Block, Cell, Facts, Grid, Heading, Prose, Ref, Span, State, Text, Timeline, When
from protocol.practice import Due, View
from protocol.resting import (
    CELEBRATIONS,
    DEPENDENCIES,
    HELD,
    LOAD,
    MENTORS,
    QUESTION,
    SABBATICALS,
    WISH,
    Dependency,
    Sabbatical,
)
from protocol.wording import shortened
from protocol.working import DAY_MS

NEWCOMER = "newcomer"
NEAR_DAYS, LOOK_DAYS = 3, 7
SHOWN = 24
_WHY = {
    HELD: "held a role for long",
    LOAD: "did most of a cycle's work",
    WISH: "their own wish",
    QUESTION: "a question to them",
}


# What is due


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Sabbaticals to plan, to answer, to hand over for; plans that are missing; landing after a surge."""
    bounds = _cycle(now_ms)
    if bounds is None:
        return
    yield from _to_plan(view, now_ms, bounds)
    for row in resting.near_sabbaticals(view, now_ms):
        if row.binds:
            yield from _of_sabbatical(view, row, now_ms, bounds)
    for asked in _questions(view, now_ms):
        what = "You are asked to step back for a cycle: say yes, choose another cycle, or let it pass"
        yield Due(what, asked.member, asked.planned_ms, asked.since_ms, asked.id)
    for each in resting.open_dependencies(view, now_ms):
        yield from _of_dependency(each, now_ms)
    yield from _landing(view, now_ms)


def _cycle(now_ms: int) -> tuple[int, int] | None:
    cycle = working.cycle_of(now_ms)
    return None if cycle is None else moon.cycle_bounds(cycle)


def _to_plan(view: View, now_ms: int, bounds: tuple[int, int]) -> Iterator[Due]:
    for member, reason in resting.due_for_rest(view, now_ms).items():
        row = view.get(MEMBERSHIPS, member)
        why = "have held a role for long" if reason == HELD else "did most of the last cycle's work"
        if row:
            yield Due(f"Plan a sabbatical for {name_of(view, member)}: they {why}", None, *bounds, row.id)


def _of_sabbatical(view: View, row: Sabbatical, now_ms: int, bounds: tuple[int, int]) -> Iterator[Due]:
    if row.is_ahead(now_ms) and not row.accepted_ms:
        what = "Your sabbatical is planned: say yes, or choose another cycle"
        yield Due(what, row.member, row.planned_ms, row.since_ms, row.id)
    if row.is_ahead(now_ms) and row.since_ms == bounds[1]:
        yield Due("Your sabbatical begins at the new moon: hand over what you have", row.member, *bounds, row.id)
    drawn = drawing.standing(view, NEWCOMER, row.id)
    if _needs_lot(view, row, now_ms):
        what = f"Draw who takes over for the sabbatical of {name_of(view, row.member)}"
        yield Due(what, None, row.planned_ms, row.until_ms, row.id, role=row.role)
    for member in drawn:
        if member not in resting.stand_ins(view, row, now_ms):
            what = f"Take over while {name_of(view, row.member)} rests, or decline so that the next is asked"
            yield Due(what, member, row.planned_ms, row.until_ms, row.id)
    if drawn and view.get(MENTORS, row.id, drawn[0]) is None:
        what = f"Agree to be asked by {name_of(view, drawn[0])}, who takes over"
        yield Due(what, row.member, row.planned_ms, row.until_ms, row.id)


def _questions(view: View, now_ms: int) -> Iterator[Sabbatical]:
    """Those that were planned for somebody whom the record does not pick, and wait for their yes."""
    first = working.cycle_of(now_ms)
    for cycle in range(first + 1, first + 9) if first is not None else ():
        for row in sorted(view.all(SABBATICALS, cycle=cycle), key=lambda each: each.position):
            if not row.binds and row.is_ahead(now_ms):
                yield row


def _of_dependency(row: Dependency, now_ms: int) -> Iterator[Due]:
    what = row.what or "something whose words were erased"
    if not row.planned_ms:
        until_ms = row.since_ms + 30 * DAY_MS
        yield Due(f"Plan what to do, so that it hangs on nobody alone: “{what}”", None, row.since_ms, until_ms, row.id)
    elif now_ms >= row.look_ms - LOOK_DAYS * DAY_MS:
        since_ms = max(row.planned_ms, row.look_ms - LOOK_DAYS * DAY_MS)
        what = f"Look whether it still hangs on one person: “{what}”"
        yield Due(what, None, since_ms, max(row.look_ms, since_ms) + 30 * DAY_MS, row.id)


def _landing(view: View, now_ms: int) -> Iterator[Due]:
    for call, stands in working.surges(view, now_ms):
        name, set_ = campaign_name(call), resting.decompressed(view, call.id)
        if set_ is None:
            what = f"Set a day to land together after “{name}”"
            yield Due(what, None, stands.terms.disperses_ms, stands.terms.rests_ms, call.id)
        elif now_ms < set_.meets_ms:
            yield Due(f"We land together after “{name}”", None, set_.since_ms, set_.meets_ms, set_.id)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """What hangs on one person, and who rests."""
    found = resting.open_dependencies(view, now_ms)
    return {
        "work.dependencies-open": len(found),
        "work.dependencies-unplanned": sum(not 0 < row.planned_ms <= now_ms for row in found),
        "work.resting": len({row.member for row in resting.near_sabbaticals(view, now_ms, 0) if row.is_rest(now_ms)}),
    }


# The page


def page(view: View, now_ms: int) -> Iterator[Block]:
    """Rest, what hangs on one person, landing after a surge, and what we celebrate."""
    yield Heading("Rest")
    until_ms = working.quiet_until_ms(view, now_ms)
    if until_ms:
        yield Text("We settle and rest after a campaign. Notices are quiet, and nothing new has to begin.", "good")
        yield Facts([("Quiet until", When(until_ms))])
    yield from _sabbaticals(view, now_ms)
    yield from _dependencies(view, now_ms)
    yield from _decompression(view, now_ms)
    yield from _celebrations(view)


def _sabbaticals(view: View, now_ms: int) -> Iterator[Block]:
    yield Text(
        "Whoever has held a role for some cycles in a row, or carried most, steps back for one. Somebody else is drawn to take "
        "over, and may ask them. It is how we find out what hangs on one person, while all is well."
    )
    near = [*resting.near_sabbaticals(view, now_ms), *_questions(view, now_ms)]
    rows: list[list[Cell]] = [
        [
            Ref(row.id, "record", "sabbatical"), Ref(row.member, "member", name_of(view, row.member)),
            row.role or "all tasks", _WHY[row.reason], When(row.since_ms), When(row.until_ms), _state(row, now_ms),
            _taking_over(view, row, now_ms),
        ]
        for row in near
    ]  # fmt: skip
    yield Grid(
        "Who steps back", ("Record", "Who", "From", "Why", "Begins", "Ends", "", "Who takes over"), rows,
        "Nobody rests or is about to. A sabbatical is planned here, for whoever has carried something for long.",
    )  # fmt: skip
    spans = [Span(name_of(view, row.member), row.since_ms, row.until_ms, row.role or "all tasks") for row in near]
    if spans:
        yield Timeline("Sabbaticals, from new moon to new moon", spans, now_ms)
    cycle = working.cycle_of(now_ms)
    for member in resting.due_for_rest(view, now_ms):
        filled = {"member": member.hex(), "cycle": str((cycle or 0) + 1)}
        yield Action("sabbatical.planned/1", filled, f"Plan a sabbatical for {name_of(view, member)}")
    yield Action("sabbatical.wished/1", {}, "Step back for a cycle")


def _state(row: Sabbatical, now_ms: int) -> State:
    if now_ms >= row.lifted_ms:
        return State("lifted")
    if not row.binds:
        return State("asked") if now_ms < row.since_ms else State("did not happen")
    if now_ms >= row.until_ms:
        return State("over")
    return State("rests", "good") if now_ms >= row.since_ms else State("planned" if not row.accepted_ms else "agreed", "good")


def _needs_lot(view: View, row: Sabbatical, now_ms: int) -> bool:
    """Whether it is agreed, and no lot was opened for who takes over, or all that were have failed."""
    return row.binds and all(drawing.phase(lot, now_ms) == drawing.FAILED for lot in drawing.lots_for(view, NEWCOMER, row.id))


def _taking_over(view: View, row: Sabbatical, now_ms: int) -> Cell:
    for member in resting.stand_ins(view, row, min(now_ms, row.until_ms - 1)):
        return Ref(member, "member", name_of(view, member))
    drawn = drawing.standing(view, NEWCOMER, row.id)
    return Ref(drawn[0], "member", f"{name_of(view, drawn[0])}, who has been drawn") if drawn else "nobody drawn yet"


def _dependencies(view: View, now_ms: int) -> Iterator[Block]:
    yield Heading("What hangs on one person", 3)
    rows: list[list[Cell]] = []
    actions: list[Block] = []
    for row in resting.open_dependencies(view, now_ms)[:SHOWN]:
        what = row.what or "words erased"
        rows.append([
            Ref(row.id, "record", what), When(row.since_ms), row.plan if row.planned_ms else State("no plan yet", "warn"),
            When(row.look_ms) if row.look_ms else "",
        ])  # fmt: skip
        at = {"dependency": row.id.hex()}
        if not row.planned_ms:
            actions.append(Action("dependency.planned/1", at, f"Plan what to do about “{shortened(what, 60)}”"))
        else:
            actions.append(Action("dependency.resolved/1", at, f"It is resolved: “{shortened(what, 60)}”"))
    yield Grid(
        "Known and not resolved", ("What", "Since", "Plan", "Look again"), rows,
        "Nothing is known to hang on one person. Write it down when something works only with one of us: no blame, a plan.",
    )  # fmt: skip
    yield from actions[:SHOWN]
    yield Action("dependency.found/1", {}, "Write down what hangs on one person")


def _decompression(view: View, now_ms: int) -> Iterator[Block]:
    rows: list[list[Cell]] = []
    actions: list[Block] = []
    for call, stands in working.surges(view, now_ms):
        row = resting.decompressed(view, call.id)
        when: Cell = When(row.meets_ms) if row else State("no day yet", "warn")
        ritual: Cell = Ref(row.ritual, "record") if row and row.ritual else ""
        rows.append([
            Ref(call.id, "record", campaign_name(call)), When(stands.terms.rests_ms), when, row.place if row else "", ritual,
            row.words if row else "",
        ])  # fmt: skip
        label = f"Set a{'nother' if row else ''} day to land after “{campaign_name(call)}”"
        actions.append(Action("decompression.set/1", {"campaign": call.id.hex()}, label))
    if rows:
        yield Heading("Landing", 3)
        yield Grid("After a campaign", ("Campaign", "Rest until", "We meet", "Where", "Ritual", "Words"), rows)
        yield from actions


def _celebrations(view: View) -> Iterator[Block]:
    yield Heading("What we celebrate", 3)
    rows: list[list[Cell]] = [
        [
            Ref(row.id, "record", row.gained or "words erased"), row.domain.replace("-", " "), row.how,
            Ref(row.about) if row.about else "", When(row.since_ms),
        ]
        for row in view.all(CELEBRATIONS, order="-position", limit=SHOWN)
    ]  # fmt: skip
    yield Grid(
        "Gained, small ones too", ("What", "Sovereignty", "How", "About", "When"), rows,
        "Nothing is written down yet. A repaired pump, a first meal without buying anything: it counts.",
    )  # fmt: skip
    yield Action("celebration.held/1", {}, "Celebrate what was gained")


# Records


def record(view: View, digest: bytes, now_ms: int) -> Iterator[Block]:
    """The page of a sabbatical: when, who takes over, who is asked, what showed in it."""
    row = view.get(SABBATICALS, digest)
    if row is None:
        return
    yield Heading("A sabbatical", 3)
    mentors = view.all(MENTORS, sabbatical=row.id)
    yield Facts([
        ("Who", Ref(row.member, "member", name_of(view, row.member))),
        ("Steps back from", f"the role “{row.role}”" if row.role else "all tasks"),
        ("Why", _WHY[row.reason]),
        ("Begins", When(row.since_ms)),
        ("Ends", When(min(row.until_ms, row.lifted_ms))),
        ("State", _state(row, now_ms)),
        ("Who takes over", _taking_over(view, row, now_ms)),
        *[("Can be asked", mentor.words or "yes") for mentor in mentors],
    ])  # fmt: skip
    if row.words:
        yield Prose(row.words)
    yield Text(
        "While they rest they take no new places in this, are given no term, and what their role lets them write rests too. "
        "Whoever takes over may write it meanwhile, up to the same amounts; the one who rests answers when asked, and repairs "
        "nothing quietly."
    )
    yield from _shown(view, row, now_ms)
    yield from _ways_on(view, row, now_ms)


def _shown(view: View, row: Sabbatical, now_ms: int) -> Iterator[Block]:
    found = sorted(view.all(DEPENDENCIES, sabbatical=row.id), key=lambda each: each.position)
    rows: list[list[Cell]] = [
        [
            Ref(each.id, "record", each.what or "words erased"), each.plan,
            State("open", "warn") if each.is_open(now_ms) else State("resolved", "good"), each.how,
        ]
        for each in found
    ]  # fmt: skip
    empty = "Nothing so far. What breaks without one of us is written here, without blame."
    yield Grid("What turned out to hang on one person", ("What", "Plan", "", "How it ended"), rows, empty)


def _ways_on(view: View, row: Sabbatical, now_ms: int) -> Iterator[Block]:
    at = {"sabbatical": row.id.hex()}
    if row.is_ahead(now_ms):
        if not row.accepted_ms:
            yield Action("sabbatical.accepted/1", at, "Say yes", who=(row.member,))
        if not row.moved:
            yield Action("sabbatical.moved/1", at, "Choose another cycle", who=(row.member,))
    if not row.stands(now_ms):
        return
    drawn = drawing.standing(view, NEWCOMER, row.id)
    if _needs_lot(view, row, now_ms):
        yield Action("lot.opened/1", {"purpose": NEWCOMER, "subject": row.id.hex(), "seats": "1"}, "Draw who takes over")
    asked = tuple(member for member in drawn if member not in resting.stand_ins(view, row, now_ms))
    if row.binds and asked:
        yield Action("sabbatical.taken-over/1", at, "Take over, as the lot has drawn", who=asked)
    for member in drawn:
        if view.get(MENTORS, row.id, member) is None:
            filled = {**at, "newcomer": member.hex()}
            yield Action("mentor.agreed/1", filled, f"Agree to be asked by {name_of(view, member)}", who=(row.member,))
    yield Action("dependency.found/1", at, "Write down what hangs on one person")
    yield Action("sabbatical.lifted/1", at, "Lift it by a decision")
