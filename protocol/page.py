"""Blocks of data that a page is made of.

A practice says what a page holds; it never writes markup. One renderer (`node/render_*.py`) turns the same blocks into
HTML, into text for a terminal and into JSON. Every picture (timeline, chart, flow, tree, graph, wheel) can be told as a
table, so a renderer can always give its twin.

Example::

    yield Heading("Ledger")
    yield Grid("Balances", ("Account", "Balance"), [["assets:cash", Money(1250, "EUR")]])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct


class When(Struct, frozen=True, tag=True):
    """An instant in milliseconds since 1970, shown in the collective's own time zone, in words first."""

    ms: int


class Ref(Struct, frozen=True, tag=True):
    """A record, member or space by its 32 bytes, shown by title or petname and linked.

    `what` is one of ``record``, ``member``, ``space``.
    """

    id: bytes
    what: str = "record"
    label: str = ""  # overrides the petname; empty asks the renderer to look one up


class Money(Struct, frozen=True, tag=True):
    """An amount in minor units of a currency or commodity (two decimals)."""

    amount_minor: int
    currency: str


class Link(Struct, frozen=True, tag=True):
    """A link inside this node, by path."""

    label: str
    path: str


class State(Struct, frozen=True, tag=True):
    """A state in a word, told apart by more than colour. `tone` is one of ``good``, ``warn``, ``bad``, ``calm``."""

    word: str
    tone: str = "calm"


Cell = str | int | When | Ref | Money | Link | State


class Heading(Struct, frozen=True, tag=True):
    """A heading; level 2 opens a section of the page, level 3 a part of a section."""

    text: str
    level: int = 2


class Text(Struct, frozen=True, tag=True):
    """A paragraph in plain words; `tone` as in `State`."""

    text: str
    tone: str = "calm"


class Prose(Struct, frozen=True, tag=True):
    """Text that a member wrote, as Markdown; renderers treat it as hostile."""

    markdown: str


class Facts(Struct, frozen=True, tag=True):
    """Labels with one value each; of a label that comes again at once, the values stand together under it."""

    pairs: Sequence[tuple[str, Cell]]


class Grid(Struct, frozen=True, tag=True):
    """A table. `empty` is what to say when there is no row; `folded` shows its caption alone until somebody opens it."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str = "Nothing yet."
    folded: bool = False


class Span(Struct, frozen=True):
    """One bar of a timeline; `group` puts several bars in one row."""

    label: str
    since_ms: int
    until_ms: int
    note: str = ""
    group: str = ""
    tone: str = "calm"


class Timeline(Struct, frozen=True, tag=True):
    """Spans of time against the moon's rhythm, with now marked."""

    caption: str
    spans: Sequence[Span]
    now_ms: int


class Series(Struct, frozen=True):
    """One line of a chart: (instant in ms, value) in order."""

    label: str
    points: Sequence[tuple[int, int]]


class Chart(Struct, frozen=True, tag=True):
    """Values over time. `unit` is a currency (values in minor units), ``quarter hours`` (told in hours) or a plain word."""

    caption: str
    series: Sequence[Series]
    unit: str = ""


class Bar(Struct, frozen=True):
    """A part of a whole: used `value` of `limit`; a limit of 0 is none."""

    label: str
    value: int
    limit: int


class Bars(Struct, frozen=True, tag=True):
    """Bars beside each other. `unit` as in `Chart`; `columns` head the table of bars with a limit, four or without the last."""

    caption: str
    bars: Sequence[Bar]
    unit: str = ""
    columns: Sequence[str] = ("What", "Used", "Of", "Left")


class Stream(Struct, frozen=True):
    """An amount that goes from one side of a flow picture to the other."""

    source: str
    target: str
    value: int


class Flow(Struct, frozen=True, tag=True):
    """Where something comes from and where it goes. `unit` as in `Chart`."""

    caption: str
    streams: Sequence[Stream]
    unit: str = ""


class Node(Struct, frozen=True):
    """One point of a tree or graph."""

    id: str
    label: str
    note: str = ""
    path: str = ""
    tone: str = "calm"


class Edge(Struct, frozen=True):
    """A line from one node to another."""

    source: str
    target: str
    label: str = ""


class Tree(Struct, frozen=True, tag=True):
    """Descent: each node under its parent."""

    caption: str
    nodes: Sequence[Node]
    edges: Sequence[Edge]  # parent -> child


class Graph(Struct, frozen=True, tag=True):
    """Who is linked with whom."""

    caption: str
    nodes: Sequence[Node]
    edges: Sequence[Edge]


class Mark(Struct, frozen=True):
    """An instant on the wheel of the cycle."""

    label: str
    at_ms: int


class Wheel(Struct, frozen=True, tag=True):
    """The current cycle of the moon with now and what falls in it."""

    caption: str
    now_ms: int
    marks: Sequence[Mark]


class Difference(Struct, frozen=True, tag=True):
    """Two texts, told word by word."""

    caption: str
    before: str
    after: str
    before_label: str = "before"
    after_label: str = "after"


class Planned(Struct, frozen=True, tag=True):
    """An act that is planned, told as its form has it: the record's structure, its erasable words, and what leads to it."""

    lead: str
    kind: str
    structure: bytes
    words: Mapping[str, str] = {}


class Action(Struct, frozen=True, tag=True):
    """A button to the form of a kind, with some fields filled in.

    `filled` maps flat field names (``postings.0.account``) to text, as forms use them; `audience` is for whom the record will
    be, where that is narrower than its kind has it. `who` are the ids of those members who can do it just now, where it is for
    some alone: others are not offered it. It is no rule; what somebody may write is judged when they write it.
    """

    kind: str
    filled: Mapping[str, str] = {}
    label: str = ""
    audience: int = 0
    who: tuple[bytes, ...] | None = None


Block = (
    Heading
    | Text
    | Prose
    | Facts
    | Grid
    | Timeline
    | Chart
    | Bars
    | Flow
    | Tree
    | Graph
    | Wheel
    | Difference
    | Planned
    | Action
)


def offered(blocks: Iterable[Block], member: bytes | None) -> Iterator[Block]:
    """Blocks without the buttons that are for others; for nobody (None) without any."""
    for block in blocks:
        if not isinstance(block, Action) or (member is not None and (block.who is None or member in block.who)):
            yield block


Json = dict[str, Any]
