"""What pages say about decisions: proposals by stage, what binds us and until when, what is back on the agenda, what lapsed.

Example::

    yield from page(view, now_ms)
"""

from __future__ import annotations

from collections.abc import Iterator

from protocol.deciding import open_proposals, standing, stands
from protocol.page import Action, Block, Cell, Grid, Heading, Ref, State, When
from protocol.practice import View


def page(view: View, now_ms: int) -> Iterator[Block]:
    """Proposals and standing decisions."""
    yield Heading("Decisions")
    yield Action("decision.proposed/1", {}, "Propose something")
    rows: list[list[Cell]] = [
        [Ref(row.id, "record", row.title), When(row.since_ms), "a round is open" if row.round else "being talked about"]
        for row in open_proposals(view, now_ms)
    ]
    yield Grid(
        "Proposals", ("What", "Since", ""), rows,
        "Nothing is proposed. A proposal says what, why and whom it binds; others ask, amend it, and then it is called.",
    )  # fmt: skip
    held: list[list[Cell]] = [
        [Ref(row.id, "record", row.title), State(stands(row, now_ms)), When(row.review_ms), When(row.sunset_ms)]
        for row in standing(view, now_ms)
    ]
    yield Grid(
        "What binds us", ("Decision", "", "Looked at again", "Ends"), held,
        "Nothing is decided yet. What is decided holds until a date that it names, and is looked at again before.",
    )  # fmt: skip
