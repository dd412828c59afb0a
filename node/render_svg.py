"""Pictures over time as inline SVG: line chart, bars; and what all pictures are drawn with.

- Sideways positions are per cent of the picture's width, heights and letters are pixels: a picture is as readable at
  390 px as at 1280 and never scales its letters.
- Colours come from classes in the style sheet alone (the policy allows no style in markup); tones also differ by shape.
- Each picture names itself (title, desc); its table twin stands beside it (`node/twin.py`).

Example::

    picture(Bars("Budget", [Bar("Food", 1200, 5000)], "EUR"), telling)
"""

from __future__ import annotations

from math import floor, log10

from markupsafe import Markup

from node.markup import element, together
from node.words import Telling, is_share, measure, plain, short_day
from protocol.page import Bars, Chart
from protocol.wording import shortened as at_a_word

TONES = frozenset(("good", "warn", "bad", "calm"))
PHONE_PX, WIDE_PX, LETTER_PX = 326, 640, 7.4
DAY_MS = 86_400_000
_LINES = 6  # styles of lines in the style sheet


def svg(name: str, caption: str, height: int, *parts: str | Markup, desc: str = "") -> Markup:
    """A picture as wide as its place, with a name and a description for those who do not see it."""
    named = [element("title", plain(caption)), *([element("desc", plain(desc))] if desc else [])]
    role = "group" if any("<a " in part for part in parts) else "img"  # an image can hold nothing that takes the focus
    return element(
        "svg", *named, *parts, class_=f"picture {name}", width="100%", height=height, role=role, aria_label=plain(caption)
    )


def stretched(height: int, *parts: Markup, y: int = 0) -> Markup:
    """A part whose width is 1000 units whatever the picture's own, for lines and ribbons; heights stay pixels."""
    return element(
        "svg",
        *parts,
        x="0",
        y=y,
        width="100%",
        height=height,
        viewBox=f"0 0 1000 {height}",
        preserveAspectRatio="none",
        class_="stretched",
    )


def words_at(x: float, y: float, text: str, class_: str = "", anchor: str = "start") -> Markup:
    """Text at a per cent of the width and a height in pixels."""
    return element("text", plain(text), x=f"{x:.2f}%", y=y, class_=f"{class_} {anchor}".strip())


def tone(name: str) -> str:
    """A tone that the style sheet knows."""
    return name if name in TONES else "calm"


def fits(text: str, per_cent: float, width_px: int) -> bool:
    """Whether a text has room in so many per cent of a width."""
    return len(text) * LETTER_PX + 8 <= per_cent / 100 * width_px


# Sideways in time


class Scale:
    """Instants to per cent of the width."""

    def __init__(self, first_ms: int, last_ms: int) -> None:
        self.first_ms, self.last_ms = first_ms, max(last_ms, first_ms + DAY_MS)

    def __call__(self, ms: int) -> float:
        share = (ms - self.first_ms) / (self.last_ms - self.first_ms)
        return min(max(share, 0.0), 1.0) * 98 + 1


# Line chart


def chart(block: Chart, telling: Telling) -> Markup:
    """Lines over time; each drawn in its own pattern, named below."""
    points = [point for line in block.series for point in line.points]
    if not points:
        return Markup()
    scale = Scale(min(ms for ms, _ in points), max(ms for ms, _ in points))
    ticks = _ticks(min(0, *(v for _, v in points)), max(0, *(v for _, v in points)))
    top, plot = 14, 190

    def y(value: int) -> float:
        return plot * (1 - (value - ticks[0]) / (ticks[-1] - ticks[0]))

    grid: list[Markup] = []
    names: list[Markup] = []
    for value in ticks:
        at = top + y(value)
        grid.append(element("line", x1="0", x2="100%", y1=at, y2=at, class_="axis" if value == 0 else "grid"))
        names.append(words_at(0, at - 4, measure(value, block.unit).replace(".00 ", " "), "tick haloed"))
    lines = []
    for number, line in enumerate(block.series):
        path = " ".join(f"{scale(ms) * 10:.1f},{y(value):.1f}" for ms, value in line.points)
        drawn = f"line line-{number % _LINES}"
        if len(line.points) == 1:
            ms, value = line.points[0]
            grid.append(element("circle", cx=f"{scale(ms):.2f}%", cy=top + y(value), r=4, class_=f"dot line-{number % _LINES}"))
        lines.append(element("polyline", points=path, class_=drawn))
    dates = [words_at(scale(ms), top + plot + 18, short_day(ms, telling.zone), "tick", anchor) for ms, anchor in _dates(scale)]
    desc = "; ".join(
        f"{line.label}: from {measure(line.points[0][1], block.unit)} to {measure(line.points[-1][1], block.unit)}"
        for line in block.series
        if line.points
    )
    picture = svg(
        "chart", block.caption, top + plot + 26, *grid, stretched(plot, *lines, y=top), *names, *dates, desc=f"{desc}."
    )
    return together([picture, _legend(block)])


def _legend(block: Chart) -> Markup:
    """The lines' names, each beside a piece of its line and with its last value."""
    items = []
    for number, line in enumerate(block.series):
        sample = element(
            "svg",
            element("line", x1=0, x2=28, y1=6, y2=6, class_=f"line line-{number % _LINES}"),
            width=28,
            height=12,
            aria_hidden="true",
        )
        last = f" {measure(line.points[-1][1], block.unit)}" if line.points else ""
        items.append(element("li", sample, " ", plain(line.label), element("b", last)))
    return element("ul", *items, class_="legend")


def _ticks(low: int, high: int) -> list[int]:
    """Round values from at or below the lowest to at or above the highest, at most six."""
    spread = max(high - low, 4)
    rough = spread / 4
    size = 10 ** floor(log10(rough))
    step = next(int(m * size) or 1 for m in (1, 2, 5, 10) if m * size >= rough)
    first = low // step
    return [n * step for n in range(first, -(-high // step) + 1)] if high > low else [first * step, (first + 1) * step]


def _dates(scale: Scale) -> list[tuple[int, str]]:
    reach = scale.last_ms - scale.first_ms
    return [(scale.first_ms, "start"), (scale.first_ms + reach // 2, "middle"), (scale.last_ms, "end")]


# Bars


def bars(block: Bars, telling: Telling) -> Markup:
    """Used of a limit, one bar under another; what is over its limit says so."""
    if not block.bars:
        return Markup()
    reach = max(1, *(max(bar.value, bar.limit) for bar in block.bars))
    drawn: list[Markup] = []
    for number, bar in enumerate(block.bars):
        y = number * 46
        over = bar.limit > 0 and bar.value > bar.limit
        told = measure(bar.value, block.unit)
        if bar.limit and not is_share(block.unit):
            told = f"{told.removesuffix(' ' + block.unit)} of {measure(bar.limit, block.unit)}"
        told += ", over" if over else ""
        used, limit = max(bar.value, 0) / reach * 100, max(bar.limit, 0) / reach * 100
        title = element("title", f"{plain(bar.label)}: {told}")
        room = max(4, int(PHONE_PX / LETTER_PX) - len(told) - 2)
        drawn += [
            element("text", *fitted(bar.label, room, room + 26), x="0", y=y + 14, class_="label start"),
            words_at(100, y + 14, told, "value", "end"),
            element("rect", x=0, y=y + 21, width=f"{limit:.2f}%", height=12, rx=3, class_="track"),
            element(
                "rect", title, x=0, y=y + 21, width=f"{used:.2f}%", height=12, rx=3, class_=f"span {'bad' if over else 'calm'}"
            ),
        ]
        if over:
            drawn.append(element("line", x1=f"{limit:.2f}%", x2=f"{limit:.2f}%", y1=y + 18, y2=y + 36, class_="limit"))
    return svg("bars", block.caption, len(block.bars) * 46, *drawn)


def fitted(text: str, narrow: int, roomy: int) -> list[str | Markup]:
    """A text for so many letters on a narrow page and so many on a wide one."""
    short, long = shortened(text, narrow), shortened(text, roomy)
    if short == long:
        return [long]
    return [element("tspan", short, class_="narrow"), element("tspan", long, class_="roomy")]


def shortened(text: str, letters: int) -> str:
    """A text cut to so many letters, with a sign that it was; of an account its end stays, which tells it from others."""
    text = plain(text)
    if len(text) <= letters:
        return text
    if ":" in text and " " not in text:
        return "…" + text[1 - max(2, letters) :].lstrip(":-")
    return at_a_word(text, letters)
