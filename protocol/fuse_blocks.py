"""What the story of a decision says about its fuse: until when it holds, as a picture; every judgement; success in figures.

A decision that was judged twice shows both judgements, in order, with what was found each time and the dates that followed.

Example::

    yield from fuse(view, outcome, now_ms)
"""

from __future__ import annotations

from collections.abc import Iterator

from protocol.criteria import Compared, compared
from protocol.deciding import END, JUDGEMENTS, MET, NOT_MET, ON_AGENDA, Judgement, Outcome, criteria_of
from protocol.decision_blocks import FUSE, fuses, mark_of
from protocol.decision_dues import why_back
from protocol.figure import find, label, spoken
from protocol.page import Block, Cell, Facts, Grid, Heading, Prose, Ref, State, Text, Timeline, When
from protocol.practice import PUBLIC, View
from protocol.round_blocks import person

VERDICTS = {
    MET: "it did what it was for, and stands",
    NOT_MET: "it did not do what it was for, and is back on the agenda",
    END: "it ended",
}


def fuse(view: View, row: Outcome, now_ms: int) -> Iterator[Block]:
    """Until when a decision holds, how it was judged so far, and by what it is judged."""
    yield Heading("Until when it holds")
    mark = mark_of(row, now_ms)
    facts: list[tuple[str, Cell]] = [
        ("State", mark), ("Looked at again", When(row.review_ms)), ("Ends by itself", When(row.sunset_ms)),
    ]  # fmt: skip
    if row.ended_ms <= now_ms:
        facts.append(("Ended by a decision", When(row.ended_ms)))
    yield Facts(facts)
    if row.is_settled and not row.act:
        yield Text("Somebody had no vote on this, because an act that was planned concerned them. So it binds nobody.")
    elif row.is_settled:
        yield Text(
            "This decision is for one act and names no date of its own, so it is settled when the time to do it is over. What"
            " the act brings about has its own end."
        )
    if mark.word == ON_AGENDA:
        yield Text(why_back(view, row), "warn")
    yield Timeline(f"Its fuse: {FUSE}", fuses([row]), now_ms)
    for each in sorted(view.all(JUDGEMENTS, decision=row.id), key=lambda each: each.position):
        yield from _judgement(view, each)
    if row.measures:
        yield Heading("By what we said we would tell whether it works", 3)
        yield Prose(row.measures)
    criteria = criteria_of(row)
    if criteria:
        rows = [_criterion(each, row) for each in compared(view, row)]
        yield Grid("Success in figures", ("Figure", "Wanted", "Last noted", ""), rows)
        yield Text(
            "These are noted at each new moon. It is judged as met in the last cycle before its date or later, and only if each"
            " figure, as it was last noted, is what was wanted."
        )


def _judgement(view: View, row: Judgement) -> Iterator[Block]:
    """One look at a decision: what was found, and the dates that followed."""
    yield Heading(f"Judged: {VERDICTS[row.verdict]}", 3)
    facts: list[tuple[str, Cell]] = [
        ("When", When(row.since_ms)), ("Written by", person(view, row.author)), ("Record", Ref(row.id)),
    ]  # fmt: skip
    if row.verdict == MET:
        facts += [("To be looked at again", When(row.review_ms)), ("To end", When(row.sunset_ms))]
    yield Facts(facts)
    if row.found:
        yield Prose(row.found)


def _criterion(each: Compared, row: Outcome) -> list[Cell]:
    """A comparison with what was last noted; a figure that nobody knows is said to be that."""
    name = each.criterion.figure
    if find(name) is None:
        return [name, each.wanted, "", State("nobody measures this here", "warn")]
    if each.value is None:
        first = "not noted yet: it will be at the next new moon" if row.scope == PUBLIC else "not noted: this is not public"
        return [label(name), each.wanted, first, ""]
    said = f"{spoken(name, each.value)} in cycle {each.cycle}"
    return [label(name), each.wanted, said, State("met", "good") if each.holds else State("not met", "warn")]
