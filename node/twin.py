"""Every picture told as a table: the same facts for those who read rather than look, and for terminals.

Example: a `Bars` block becomes a `Grid` with one row a bar: what, used, of, left, or under the block's own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from node.words import is_share, measure
from protocol.moon import OutsideTable, cycle_at, cycle_bounds, phase_name
from protocol.page import Bars, Cell, Chart, Edge, Flow, Graph, Grid, Node, State, Timeline, Tree, Wheel, When

Picture = Timeline | Chart | Bars | Flow | Tree | Graph | Wheel

TONE_WORDS = {"good": "good", "warn": "look at this", "bad": "wrong", "calm": ""}
_NEVER_MS = 2**51


def twin(block: Picture) -> Grid:
    """The table that says what the picture says."""
    match block:
        case Timeline():
            return _timeline(block)
        case Chart():
            return _chart(block)
        case Bars():
            return _bars(block)
        case Flow():
            return _flow(block)
        case Tree():
            return _linked(block.caption, block.nodes, _parents(block), "From")
        case Graph():
            return _linked(block.caption, block.nodes, _neighbours(block), "Linked with")
    return _wheel(block)


def until(ms: int) -> Cell:
    """An end in words; what lies past all calendars has none."""
    return "without an end" if ms >= _NEVER_MS else When(ms)


def _timeline(block: Timeline) -> Grid:
    grouped = any(span.group not in ("", span.label) for span in block.spans)  # a row that says what its spans say says it once
    noted = any(span.note for span in block.spans)
    columns = [*(["Row"] if grouped else []), "What", "From", "Until", *(["Note"] if noted else [])]
    rows: list[list[Cell]] = [
        [
            *([span.group] if grouped else []),
            span.label,
            When(span.since_ms),
            until(span.until_ms),
            *([span.note] if noted else []),
        ]
        for span in block.spans
    ]
    return Grid(block.caption, columns, rows, "Nothing in this stretch of time.")


def _chart(block: Chart) -> Grid:
    """One row an instant, one column a line; a line without a value there says nothing."""
    moments = sorted({ms for line in block.series for ms, _ in line.points})
    held = [dict(line.points) for line in block.series]
    rows: list[list[Cell]] = [
        [When(ms), *(measure(values[ms], block.unit) if ms in values else "" for values in held)] for ms in moments
    ]
    return Grid(block.caption, ["When", *(line.label for line in block.series)], rows, "No values yet.")


def _bars(block: Bars) -> Grid:
    if not any(bar.limit for bar in block.bars):
        plain: list[list[Cell]] = [[bar.label, measure(bar.value, block.unit)] for bar in block.bars]
        return Grid(block.caption, ["What", "How much"], plain, "Nothing to compare yet.")
    if is_share(block.unit):
        shares: list[list[Cell]] = [[bar.label, measure(bar.value, block.unit)] for bar in block.bars]
        return Grid(block.caption, ["What", "Share"], shares, "Nothing to compare yet.")
    rows: list[list[Cell]] = [
        [
            bar.label,
            *(measure(each, block.unit) for each in (bar.value, bar.limit, bar.limit - bar.value)[: len(block.columns) - 1]),
        ]
        for bar in block.bars
    ]
    return Grid(block.caption, block.columns, rows, "Nothing to compare yet.")


def _flow(block: Flow) -> Grid:
    rows: list[list[Cell]] = [[s.source, s.target, measure(s.value, block.unit)] for s in block.streams]
    return Grid(block.caption, ["From", "To", "Amount"], rows, "Nothing has flowed yet.")


def _linked(caption: str, nodes: Sequence[Node], beside: dict[str, list[str]], column: str) -> Grid:
    toned = any(TONE_WORDS.get(node.tone) for node in nodes)
    rows: list[list[Cell]] = [
        [
            node.label,
            node.note,
            ", ".join(beside.get(node.id, ())) or "–",
            *([State(TONE_WORDS.get(node.tone, "") or "–", node.tone)] if toned else []),
        ]
        for node in nodes
    ]
    return Grid(
        caption,
        ["What", "Note", column, *(["State"] if toned else [])],
        rows,
        "It is drawn as soon as there is more than one to connect.",
    )


def _parents(block: Tree) -> dict[str, list[str]]:
    labels = {node.id: node.label for node in block.nodes}
    found: dict[str, list[str]] = {}
    for edge in block.edges:
        found.setdefault(edge.target, []).append(labels.get(edge.source, edge.source))
    return found


def indented(nodes: Iterable[Node], edges: Iterable[Edge]) -> list[tuple[Node, int]]:
    """Nodes in reading order with their depth; every node once, whatever loops there are."""
    known = {node.id: node for node in nodes}
    children: dict[str, list[str]] = {}
    below = set()
    for edge in edges:
        if edge.source in known and edge.target in known and edge.target not in below and edge.source != edge.target:
            children.setdefault(edge.source, []).append(edge.target)
            below.add(edge.target)
    placed: list[tuple[Node, int]] = []
    seen: set[str] = set()
    for start in [*(id for id in known if id not in below), *known]:
        stack = [(start, 0)]
        while stack:
            id, depth = stack.pop()
            if id in seen:
                continue
            seen.add(id)
            placed.append((known[id], depth))
            stack += [(child, depth + 1) for child in reversed(children.get(id, ()))]
    return placed


def _neighbours(block: Graph) -> dict[str, list[str]]:
    labels = {node.id: node.label for node in block.nodes}
    found: dict[str, list[str]] = {}
    for edge in block.edges:
        said = f" ({edge.label})" if edge.label else ""
        found.setdefault(edge.source, []).append(f"{labels.get(edge.target, edge.target)}{said}")
        found.setdefault(edge.target, []).append(f"{labels.get(edge.source, edge.source)}{said}")
    return found


def _wheel(block: Wheel) -> Grid:
    rows: list[list[Cell]] = []
    try:
        begins, ends = cycle_bounds(cycle_at(block.now_ms))
        rows += [["The cycle began", When(begins)], [f"Now: {phase_name(block.now_ms)}", When(block.now_ms)]]
        rows += [[mark.label, When(mark.at_ms)] for mark in sorted(block.marks, key=lambda mark: mark.at_ms)]
        rows.append(["The next new moon", When(ends)])
    except OutsideTable:
        rows += [[mark.label, When(mark.at_ms)] for mark in block.marks]
    return Grid(block.caption, ["What", "When"], rows)
