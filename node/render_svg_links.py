"""Pictures of what is connected, as inline SVG: flow (sankey), tree of descent, graph of links.

Positions as in `node/render_svg.py`: per cent sideways, pixels down. All three are laid out without chance, so that the same
blocks give the same picture; loops in a flow or a tree are drawn once and never followed round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import cos, pi, sin

from markupsafe import Markup
from msgspec import Struct

from node.markup import element, is_own_path, together
from node.render_svg import fitted, shortened, stretched, svg, tone, words_at
from node.twin import indented
from node.words import Telling, measure, plain
from protocol.page import Edge, Flow, Graph, Node, Stream, Tree

_TONE_SIGNS = {"good": "✓", "warn": "!", "bad": "×"}
_MOST_NODES = 40


# Flow


class _Place(Struct):
    """A node of a flow: its column, its top and how much of either side is taken."""

    column: int
    y: float
    height: float
    left: float = 0.0
    right: float = 0.0


def flow(block: Flow, telling: Telling) -> Markup:
    """Ribbons from sources to targets, as thick as their amounts."""
    streams = [s for s in block.streams if s.value > 0]
    if not streams:
        return Markup()
    columns = _columns(streams)
    worth = _worth(streams)
    last = max(columns.values())
    tallest = max(sum(worth[n] for n in columns if columns[n] == c) for c in range(last + 1))
    scale = 190 / tallest
    places: dict[str, _Place] = {}
    height = 0.0
    for column in range(last + 1):
        y = 0.0
        for name in (n for n in columns if columns[n] == column):
            tall = max(worth[name] * scale, 3.0)
            places[name] = _Place(column, y + 22, tall)
            y += tall + 32
        height = max(height, y)
    ribbons = [_ribbon(s, places, last, scale, block.unit) for s in streams]
    blocks = [_post(name, place, last) for name, place in places.items()]
    labels = [_flow_label(name, place, last, measure(worth[name], block.unit)) for name, place in places.items()]
    desc = f"{len(streams)} streams, {measure(sum(s.value for s in streams), block.unit)} in all."
    tall_px = int(height) + 4
    return svg("flow", block.caption, tall_px, stretched(tall_px, *ribbons, *blocks), *labels, desc=desc)


def _columns(streams: list[Stream]) -> dict[str, int]:
    """Each name's column: one right of the furthest source that leads to it; what leads back is not followed."""
    columns: dict[str, int] = {}
    for stream in streams:
        columns.setdefault(stream.source, 0)
        columns.setdefault(stream.target, 1)
    for _ in range(min(len(columns), 4)):
        for stream in streams:
            if columns[stream.target] <= columns[stream.source] < 3 and stream.source != stream.target:
                columns[stream.target] = columns[stream.source] + 1
    return dict(sorted(columns.items(), key=lambda item: item[1]))


def _worth(streams: list[Stream]) -> dict[str, int]:
    """The larger of what comes in and what goes out of each name."""
    into: dict[str, int] = {}
    out: dict[str, int] = {}
    for stream in streams:
        out[stream.source] = out.get(stream.source, 0) + stream.value
        into[stream.target] = into.get(stream.target, 0) + stream.value
    return {name: max(into.get(name, 0), out.get(name, 0)) for name in {**out, **into}}


def _x(column: int, last: int) -> float:
    return 986.0 * column / max(last, 1)


def _ribbon(stream: Stream, places: Mapping[str, _Place], last: int, scale: float, unit: str) -> Markup:
    source, target = places[stream.source], places[stream.target]
    thick = max(stream.value * scale, 1.0)
    x1, x2 = _x(source.column, last) + 14, _x(target.column, last)
    y1, y2 = source.y + source.right, target.y + target.left
    source.right, target.left = source.right + thick, target.left + thick
    mid = (x1 + x2) / 2
    path = (
        f"M{x1:.1f} {y1:.1f}C{mid:.1f} {y1:.1f} {mid:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        f"V{y2 + thick:.1f}C{mid:.1f} {y2 + thick:.1f} {mid:.1f} {y1 + thick:.1f} {x1:.1f} {y1 + thick:.1f}Z"
    )
    title = element("title", f"{plain(stream.source)} → {plain(stream.target)}: {measure(stream.value, unit)}")
    return element("path", title, d=path, class_="ribbon")


def _post(name: str, place: _Place, last: int) -> Markup:
    return element("rect", x=_x(place.column, last), y=place.y, width=14, height=place.height, class_="post")


def _flow_label(name: str, place: _Place, last: int, amount: str) -> Markup:
    anchor = "start" if place.column == 0 else "end" if place.column == last else "middle"
    x = 100.0 * place.column / max(last, 1)
    room = max(6, 44 // (last + 1) - 2)
    whole = element("tspan", f" {amount}", class_="note roomy")
    return element(
        "text",
        element("title", f"{plain(name)}: {amount}"),
        *fitted(name, room, room + 16),
        whole,
        x=f"{x:.2f}%",
        y=place.y - 6,
        class_=f"label {anchor}",
    )


# Tree


def tree(block: Tree, telling: Telling) -> Markup:
    """Descent as an indented list: each node under its parent, joined by lines."""
    if not block.nodes:
        return Markup()
    placed = indented(block.nodes, block.edges)
    rows = {node.id: row for row, (node, _) in enumerate(placed)}
    depths = {node.id: depth for node, depth in placed}
    parents = _first_parent(block.edges, depths)
    drawn: list[Markup] = []
    for node, depth in placed:
        parent = parents.get(node.id)
        if depth and parent is not None:
            drawn.append(_elbow(depths[parent], rows[parent], depth, rows[node.id]))
    drawn += [_leaf(node, depth, row) for row, (node, depth) in enumerate(placed)]
    desc = f"{len(placed)} in all, {max(depths.values()) + 1} generations."
    return svg("tree", block.caption, len(placed) * _ROW + 4, *drawn, desc=desc)


_ROW, _INDENT, _DEEPEST = 48, 22, 7


def _first_parent(edges: Iterable[Edge], depths: Mapping[str, int]) -> dict[str, str]:
    found: dict[str, str] = {}
    for edge in edges:
        if edge.source in depths and depths.get(edge.target) == depths[edge.source] + 1:
            found.setdefault(edge.target, edge.source)
    return found


def _elbow(parent_depth: int, parent_row: int, depth: int, row: int) -> Markup:
    x1, x2 = (8 + _INDENT * min(d, _DEEPEST) for d in (parent_depth, depth))
    y1, y2 = parent_row * _ROW + 24, row * _ROW + 16
    return element("path", d=f"M{x1} {y1}V{y2}H{x2 - 8}", class_="branch")


def _leaf(node: Node, depth: int, row: int) -> Markup:
    x, y = 8 + _INDENT * min(depth, _DEEPEST), row * _ROW + 16
    room = 38 - 3 * min(depth, _DEEPEST)
    sign = _TONE_SIGNS.get(node.tone, "")
    parts = [element("circle", cx=x, cy=y, r=8, class_=f"point {tone(node.tone)}")]
    if sign:
        parts.append(element("text", sign, x=x, y=y + 4, class_="sign middle"))
    label = element("text", *fitted(node.label, room, room + 30), x=x + 16, y=y + 5, class_="label")
    parts.append(_linked(label, node))
    if node.note:
        parts.append(element("text", *fitted(node.note, room + 4, room + 34), x=x + 16, y=y + 22, class_="note"))
    return together(parts)


def _linked(drawn: Markup, node: Node) -> Markup:
    named = element("title", f"{plain(node.label)}. {plain(node.note)}" if node.note else plain(node.label))
    if is_own_path(node.path):
        return element("a", named, drawn, href=node.path)
    return element("g", named, drawn)


# Graph


def graph(block: Graph, telling: Telling) -> Markup:
    """Nodes on a ring, lines between those that are linked; nobody is the middle. Of one alone there is no picture."""
    nodes = list(block.nodes)[:_MOST_NODES]
    if len(nodes) < 2:
        return Markup()
    height = min(250 + 12 * len(nodes), 460)
    at = _ring(len(nodes), height)
    where = {node.id: place for node, place in zip(nodes, at, strict=True)}
    lines = [_edge(edge, where, nodes) for edge in block.edges if edge.source in where and edge.target in where]
    points = [_point(node, x, y, height) for node, (x, y) in zip(nodes, at, strict=True)]
    left = len(block.nodes) - len(nodes)
    more = [words_at(100, height - 4, f"and {left} more in the table", "note", "end")] if left else []
    desc = f"{len(block.nodes)} points, {len(block.edges)} lines."
    return svg("graph", block.caption, height, *lines, *points, *more, desc=desc)


def _ring(many: int, height: int) -> list[tuple[float, float]]:
    """Places in (per cent, pixels), from the top clockwise; two stand side by side, three on a triangle."""
    if many == 1:
        return [(50.0, height / 2)]
    turn = -pi / 2 if many == 2 else 0.0
    tall = (height - 110) / 2
    return [(50 + 33 * sin(2 * pi * n / many + turn), height / 2 - tall * cos(2 * pi * n / many + turn)) for n in range(many)]


def _edge(edge: Edge, where: Mapping[str, tuple[float, float]], nodes: list[Node]) -> Markup:
    labels = {node.id: node.label for node in nodes}
    (x1, y1), (x2, y2) = where[edge.source], where[edge.target]
    told = f"{plain(labels[edge.source])} – {plain(labels[edge.target])}" + (f": {plain(edge.label)}" if edge.label else "")
    return element("line", element("title", told), x1=f"{x1:.2f}%", y1=y1, x2=f"{x2:.2f}%", y2=y2, class_="edge")


def _point(node: Node, x: float, y: float, height: int) -> Markup:
    sign = _TONE_SIGNS.get(node.tone, "")
    below = y >= height / 2 - 1
    name_y, note_y = (y + 30, y + 46) if below else (y - 34, y - 18)
    parts = [element("circle", cx=f"{x:.2f}%", cy=y, r=11, class_=f"point {tone(node.tone)}")]
    if sign:
        parts.append(words_at(x, y + 4.5, sign, "sign", "middle"))
    side = min(max(x, 18), 82)
    if not node.note and not below:
        name_y = y - 18
    parts.append(words_at(side, name_y, shortened(node.label, 18), "label haloed", "middle"))
    if node.note:
        parts.append(words_at(side, note_y, shortened(node.note, 24), "note haloed", "middle"))
    return _linked(together(parts), node)
