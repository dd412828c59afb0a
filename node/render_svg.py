"""Pictures over time as inline SVG: timeline, line chart, bars.

- Sideways positions are per cent of the picture's width, heights and letters are pixels: a picture is as readable at
  390 px as at 1280 and never scales its letters.
- Colours come from classes in the style sheet alone (the policy allows no style in markup); tones also differ by shape.
- Each picture names itself (title, desc); its table twin stands beside it (`node/twin.py`).

Example::

    picture(Bars("Budget", [Bar("Food", 1200, 5000)], "EUR"), telling)
"""

from __future__ import annotations

from itertools import pairwise
from math import floor, log10

from markupsafe import Markup

from node.markup import element, together
from node.words import Telling, measure, plain, short_day
from protocol.moon import OutsideTable, cycle_at, new_moon_ms
from protocol.page import Bars, Chart, Span, Timeline

TONES = frozenset(("good", "warn", "bad", "calm"))
_PHONE_PX, _WIDE_PX, _LETTER_PX = 326, 640, 7.4
_DAY_MS = 86_400_000
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
    return len(text) * _LETTER_PX + 8 <= per_cent / 100 * width_px


# Timeline


class Scale:
    """Instants to per cent of the width."""

    def __init__(self, first_ms: int, last_ms: int) -> None:
        self.first_ms, self.last_ms = first_ms, max(last_ms, first_ms + _DAY_MS)

    def __call__(self, ms: int) -> float:
        share = (ms - self.first_ms) / (self.last_ms - self.first_ms)
        return min(max(share, 0.0), 1.0) * 98 + 1


def timeline(block: Timeline, telling: Telling) -> Markup:
    """Spans as bars under the new moons' lines, with now marked."""
    if not block.spans:
        return Markup()
    scale = _reach(block)
    top = 46
    drawn, height = _rows(block, telling, scale, top)
    moons = _moon_lines(scale, telling, height)
    now = _now_line(block.now_ms, scale, height)
    desc = f"{len(block.spans)} spans, from {telling.exact(scale.first_ms)} to {telling.exact(scale.last_ms)}."
    return svg("timeline", block.caption, height + 6, *moons, now, *drawn, desc=desc)


def _reach(block: Timeline) -> Scale:
    """From the first beginning to the last end that is a date, now within reach if it is near."""
    ends = [s.until_ms for s in block.spans if s.until_ms < block.now_ms + 4000 * _DAY_MS]
    first = min(s.since_ms for s in block.spans)
    last = max([*ends, *(s.since_ms + _DAY_MS for s in block.spans)])
    first, last = min(first, block.now_ms), max(last, block.now_ms)
    margin = (last - first) // 50
    return Scale(first - margin, last + margin)


def _rows(block: Timeline, telling: Telling, scale: Scale, top: int) -> tuple[list[Markup], int]:
    groups: dict[str, list[Span]] = {}
    for number, span in enumerate(block.spans):
        groups.setdefault(span.group or f"\0{number}", []).append(span)
    drawn, y = [], top
    for name, spans in groups.items():
        if not name.startswith("\0"):
            drawn.append(words_at(0, y + 13, name, "row haloed"))
            y += 20
        if len(spans) > 1 and (_in_one_row(spans, scale) or len(spans) > 7):
            drawn += [_bar(span, telling, scale, y, inside=True) for span in spans]
            y += 34
        else:
            for span in sorted(spans, key=lambda s: s.since_ms):
                drawn += [_label(span, scale, y + 12), _bar(span, telling, scale, y + 17, inside=False)]
                y += 40
        y += 8
    return drawn, y


def _in_one_row(spans: list[Span], scale: Scale) -> bool:
    """Whether spans follow each other and most of their labels have room inside."""
    ordered = sorted(spans, key=lambda s: s.since_ms)
    if any(after.since_ms < before.until_ms for before, after in pairwise(ordered)):
        return False
    return all(fits(s.label, scale(s.until_ms) - scale(s.since_ms), _PHONE_PX) for s in spans)


def _label(span: Span, scale: Scale, y: int) -> Markup:
    """The label stands over its bar, on the side where there is room; the note follows where the page is wide."""
    begin, end = scale(span.since_ms), scale(span.until_ms)
    text: list[str | Markup] = [plain(span.label)]
    if span.note:
        text.append(element("tspan", f" · {plain(span.note)}", class_="note roomy"))
    left = fits(span.label, 100 - begin, _PHONE_PX)
    x, anchor = (begin, "start") if left else (end, "end") if fits(span.label, end, _PHONE_PX) else (0.0, "start")
    return element("text", *text, x=f"{x:.2f}%", y=y, class_=f"label haloed {anchor}")


def _bar(span: Span, telling: Telling, scale: Scale, y: int, *, inside: bool) -> Markup:
    begin, end = scale(span.since_ms), scale(span.until_ms)
    width, height = max(end - begin, 0.8), 24 if inside else 13
    told = f"{plain(span.label)}: {telling.when(span.since_ms)} – {telling.when(span.until_ms)}"
    title = element("title", f"{told}. {plain(span.note)}" if span.note else told)
    bar = element(
        "rect", title, x=f"{begin:.2f}%", y=y, width=f"{width:.2f}%", height=height, rx=3, class_=f"span {tone(span.tone)}"
    )
    if not inside or not fits(span.label, width, _WIDE_PX):
        return bar
    roomy = "" if fits(span.label, width, _PHONE_PX) else " roomy"
    return together([bar, words_at(begin + width / 2, y + 17, span.label, f"within{roomy}", "middle")])


def _moon_lines(scale: Scale, telling: Telling, height: int) -> list[Markup]:
    """A line at each new moon; dates at so many of them as a narrow page has room for."""
    try:
        first, last = cycle_at(scale.first_ms) + 1, cycle_at(scale.last_ms)
    except OutsideTable:
        return []
    if last - first > 40:
        return _year_lines(scale, telling, height)
    step = max(1, -(-(last - first + 1) // 5))
    drawn = []
    for cycle in range(first, last + 1):
        at = new_moon_ms(cycle)
        x = scale(at)
        dated = (cycle - first) % step == 0
        drawn.append(element("line", x1=f"{x:.2f}%", x2=f"{x:.2f}%", y1=18, y2=height, class_="moon"))
        drawn.append(
            element("circle", element("title", f"New moon: {telling.exact(at)}"), cx=f"{x:.2f}%", cy=24, r=5, class_="new-moon")
        )
        if dated:
            anchor = "start" if x < 6 else "end" if x > 94 else "middle"
            drawn.append(words_at(x, 12, short_day(at, telling.zone), "tick", anchor))
    return drawn


def _year_lines(scale: Scale, telling: Telling, height: int) -> list[Markup]:
    """For many years: five lines with their dates."""
    drawn = []
    for part in range(5):
        at = scale.first_ms + (scale.last_ms - scale.first_ms) * (2 * part + 1) // 10
        x = scale(at)
        drawn.append(element("line", x1=f"{x:.2f}%", x2=f"{x:.2f}%", y1=18, y2=height, class_="moon"))
        drawn.append(words_at(x, 12, telling.when(at), "tick", "middle"))
    return drawn


def _now_line(now_ms: int, scale: Scale, height: int) -> Markup:
    x = scale(now_ms)
    anchor = "end" if x > 88 else "start"
    line = element("line", x1=f"{x:.2f}%", x2=f"{x:.2f}%", y1=32, y2=height, class_="now")
    return together([line, words_at(x + (0.8 if anchor == "start" else -0.8), 43, "now", "now-word", anchor)])


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
        if bar.limit:
            told = f"{told.removesuffix(' ' + block.unit)} of {measure(bar.limit, block.unit)}" + (", over" if over else "")
        used, limit = max(bar.value, 0) / reach * 100, max(bar.limit, 0) / reach * 100
        title = element("title", f"{plain(bar.label)}: {told}")
        room = max(4, int(_PHONE_PX / _LETTER_PX) - len(told) - 2)
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
    return text[: max(1, letters - 1)].rstrip() + "…"
