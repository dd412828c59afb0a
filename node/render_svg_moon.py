"""The moon as inline SVG: the wheel of a cycle, its face, and the strip in every page's header.

New moon is at the top of the wheel, time goes clockwise. The face is lit on the right while it waxes, as seen from the north.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

from markupsafe import Markup

from node.markup import element, together
from node.render_svg import Scale, shortened
from node.words import Telling, plain
from protocol.moon import OutsideTable, cycle_at, cycle_bounds, phase, phase_name
from protocol.page import Mark, Wheel

_BADGE_SHARE = 0.03  # of the ring: nearer marks share a badge
_LIST_LETTERS = 120


def wheel(block: Wheel, telling: Telling) -> Markup:
    """The cycle as a circle from new moon at the top, clockwise, with now and numbered marks; their list is below."""
    try:
        begins, ends = cycle_bounds(cycle_at(block.now_ms))
    except OutsideTable:
        return Markup()
    share = (block.now_ms - begins) / (ends - begins)
    parts = [
        element("circle", cx=150, cy=150, r=112, class_="ring"),
        _arc(112, share),
        moon_disc(150, 150, 46, phase(block.now_ms)),
        _hand(share),
    ]
    for quarter, name in enumerate(("new moon", "first quarter", "full moon", "last quarter")):
        x, y = _on_ring(quarter / 4, 112)
        parts.append(element("circle", element("title", name), cx=x, cy=y, r=5, class_="quarter"))
    near = sorted((m for m in block.marks if begins <= m.at_ms <= ends), key=lambda m: m.at_ms)
    for first, together_with in _badges([(mark.at_ms - begins) / (ends - begins) for mark in near]):
        parts.append(_badge(first, near[first : together_with + 1], together_with, begins, ends))
    items = [element("li", f"{shortened(mark.label, _LIST_LETTERS)} – {telling.when(mark.at_ms)}") for mark in near]
    desc = f"{phase_name(block.now_ms).capitalize()}, {phase(block.now_ms) // 10} per cent of the cycle has passed."
    face = element(
        "svg",
        element("title", plain(block.caption)),
        element("desc", desc),
        *parts,
        class_="picture wheel",
        viewBox="0 0 300 300",
        width=300,
        height=300,
        role="img",
        aria_label=plain(block.caption),
    )
    return element("div", face, element("ol", *items, class_="marks"), class_="wheel-place") if items else face


def _badges(shares: list[float]) -> list[tuple[int, int]]:
    """(first, last) of marks that share a badge because they would lie on each other."""
    found: list[tuple[int, int]] = []
    for number, share in enumerate(shares):
        if found and share - shares[found[-1][0]] < _BADGE_SHARE:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _badge(first: int, marks: Sequence[Mark], last: int, begins: int, ends: int) -> Markup:
    """One or more marks: their numbers in a pill beside the ring."""
    x, y = _on_ring((marks[0].at_ms - begins) / (ends - begins), 134)
    told = f"{first + 1}" if first == last else f"{first + 1}–{last + 1}"
    half = 12 + 4 * (len(told) - 1)
    title = element("title", "; ".join(plain(mark.label) for mark in marks))
    pill = element("rect", title, x=x - half, y=y - 12, width=2 * half, height=24, rx=12, class_="mark")
    return together([pill, element("text", told, x=x, y=y + 4.5, class_="mark-number middle")])


def moon_disc(cx: float, cy: float, radius: float, permille: int) -> Markup:
    """The moon's face at so many permille of its cycle: lit on the right while it waxes (seen from the north)."""
    share = permille / 1000
    bulge = radius * cos(2 * pi * share)
    lit_right = share < 0.5
    outer = 1 if lit_right else 0
    inner = int((bulge < 0) == lit_right)
    path = (
        f"M{cx:.1f} {cy - radius:.1f}A{radius:.1f} {radius:.1f} 0 0 {outer} {cx:.1f} {cy + radius:.1f}"
        f"A{abs(bulge):.1f} {radius:.1f} 0 0 {inner} {cx:.1f} {cy - radius:.1f}Z"
    )
    return together([element("circle", cx=cx, cy=cy, r=radius, class_="moon-dark"), element("path", d=path, class_="moon-lit")])


def strip(now_ms: int, marks: list[tuple[str, int]], telling: Telling) -> Markup:
    """The cycle as a thin line for the header: new moon to new moon, full moon between, marks and now."""
    try:
        begins, ends = cycle_bounds(cycle_at(now_ms))
    except OutsideTable:
        return Markup()
    scale = Scale(begins, ends)
    now = scale(now_ms)
    parts = [
        element("line", x1="1%", x2="99%", y1=12, y2=12, class_="rail"),
        element("line", x1="1%", x2=f"{now:.2f}%", y1=12, y2=12, class_="gone"),
        element("circle", cx="1%", cy=12, r=4, class_="new-moon"),
        element("circle", cx="50%", cy=12, r=4, class_="full-moon"),
        element("circle", cx="99%", cy=12, r=4, class_="new-moon"),
    ]
    for label, at_ms in marks:
        if begins <= at_ms <= ends:
            x = f"{scale(at_ms):.2f}%"
            title = element("title", f"{plain(label)}: {telling.when(at_ms)}")
            parts.append(element("line", title, x1=x, x2=x, y1=5, y2=19, class_="mark"))
    parts.append(element("circle", element("title", "now"), cx=f"{now:.2f}%", cy=12, r=5, class_="now"))
    return element("svg", *parts, class_="strip", width="100%", height=24, aria_hidden="true")


def _on_ring(share: float, radius: float) -> tuple[float, float]:
    angle = 2 * pi * share
    return 150 + radius * sin(angle), 150 - radius * cos(angle)


def _arc(radius: float, share: float) -> Markup:
    x, y = _on_ring(share, radius)
    path = f"M150 {150 - radius:.1f}A{radius:.1f} {radius:.1f} 0 {int(share > 0.5)} 1 {x:.1f} {y:.1f}"
    return element("path", d=path, class_="gone")


def _hand(share: float) -> Markup:
    inner, outer = _on_ring(share, 56), _on_ring(share, 112)
    line = element("line", x1=inner[0], y1=inner[1], x2=outer[0], y2=outer[1], class_="now")
    return together([line, element("circle", element("title", "now"), cx=outer[0], cy=outer[1], r=7, class_="now-dot")])
