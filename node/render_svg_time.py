"""A timeline as inline SVG: bars of spans under the lines of the new moons, with now marked.

- Spans of one group that follow each other stand in one row. Their names are inside the bars where there is room, else
  below them, on up to three lines, each under its own bar; what one bar after another is called is said once.
- Everything else has a row of its own, its name over the bar.
- No line is drawn through a name: the line of now is left out where one stands.

Example::

    timeline(Timeline("Who held what", [Span("Ada", since_ms, until_ms, group="treasurer")], now_ms), telling)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup
from msgspec import Struct

from node.markup import element, together
from node.render_svg import DAY_MS, LETTER_PX, PHONE_PX, WIDE_PX, Scale, fits, fitted, svg, tone, words_at
from node.words import Telling, plain, short_day
from protocol.moon import OutsideTable, cycle_at, new_moon_ms
from protocol.page import Span, Timeline

_TOP, _LINE, _LINES, _MANY = 46, 16, 3, 7
_LETTERS_PHONE, _LETTERS_WIDE = int(PHONE_PX / LETTER_PX), int(WIDE_PX / LETTER_PX)


class _Strip(Struct, frozen=True):
    """Where a name stands: from and to, in per cent of the width and in pixels down, on a narrow or a wide page."""

    width_px: int
    left: float
    right: float
    top: int
    bottom: int


class _Run(Struct, frozen=True):
    """Bars one after another that are called the same."""

    label: str
    begin: float
    end: float


class _Sheet:
    """What is drawn so far, and how far down."""

    def __init__(self) -> None:
        self.bars: list[Markup] = []
        self.names: list[Markup] = []
        self.strips: list[_Strip] = []
        self.y = _TOP

    def stands(self, x: float, anchor: str, y: int, label: str, class_: str = "") -> None:
        """A name stands here, with its foot at `y`; `class_` says whether on narrow or wide pages alone."""
        for width_px, other in ((PHONE_PX, "roomy"), (WIDE_PX, "narrow")):
            if other not in class_:
                wide = len(label) * LETTER_PX / width_px * 100
                left = x if anchor == "start" else x - wide
                self.strips.append(_Strip(width_px, left - 0.5, left + wide + 0.5, y - 14, y + 4))


def timeline(block: Timeline, telling: Telling) -> Markup:
    """Spans as bars under the new moons' lines, with now marked."""
    if not block.spans:
        return Markup()
    scale, sheet = _reach(block), _Sheet()
    for name, spans in _groups(block.spans).items():
        if not name.startswith("\0"):
            sheet.names.append(words_at(0, sheet.y + 13, name, "row haloed"))
            sheet.stands(0, "start", sheet.y + 13, name)
            sheet.y += 20
        if not _together(sheet, spans, scale, telling, name):
            _apart(sheet, spans, scale, telling)
        sheet.y += 8
    moons = _moon_lines(scale, telling, sheet.y)
    now = _now_line(scale(block.now_ms), sheet)
    desc = f"{len(block.spans)} spans, from {telling.exact(scale.first_ms)} to {telling.exact(scale.last_ms)}."
    return svg("timeline", block.caption, sheet.y + 6, *moons, now, *sheet.bars, *sheet.names, desc=desc)


def _reach(block: Timeline) -> Scale:
    """From the first beginning to the last end that is a date, now within reach if it is near."""
    ends = [s.until_ms for s in block.spans if s.until_ms < block.now_ms + 4000 * DAY_MS]
    first = min(s.since_ms for s in block.spans)
    last = max([*ends, *(s.since_ms + DAY_MS for s in block.spans)])
    first, last = min(first, block.now_ms), max(last, block.now_ms)
    margin = (last - first) // 50
    return Scale(first - margin, last + margin)


def _groups(spans: Sequence[Span]) -> dict[str, list[Span]]:
    groups: dict[str, list[Span]] = {}
    for number, span in enumerate(spans):
        groups.setdefault(span.group or f"\0{number}", []).append(span)
    return {name: sorted(held, key=lambda span: span.since_ms) for name, held in groups.items()}


# In one row


def _together(sheet: _Sheet, spans: Sequence[Span], scale: Scale, telling: Telling, name: str) -> bool:
    """Draw spans in one row, if they have room there; one that has a name of its own gets a line for it."""
    overlap = any(after.since_ms < before.until_ms for before, after in pairwise(spans))
    if (len(spans) < 2 and spans[0].label != name) or (overlap and len(spans) <= _MANY):
        return False
    runs = [run for run in _runs(spans, scale) if run.label != name]
    narrow, roomy = _levels(runs, PHONE_PX), _levels(runs, WIDE_PX)
    if None in narrow and len(spans) <= _MANY:
        return False
    sheet.bars += [_bar(span, telling, scale, sheet.y, 24) for span in spans]
    for run, on_phone, on_desk in zip(runs, narrow, roomy, strict=True):
        if on_phone == on_desk:
            _name(sheet, run, on_phone, "")
        else:
            _name(sheet, run, on_phone, " narrow")
            _name(sheet, run, on_desk, " roomy")
    lines = 1 + max((level for level in (*narrow, *roomy) if level is not None), default=-1)
    sheet.y += 26 + _LINE * lines + (8 if not lines else 2)
    return True


def _runs(spans: Sequence[Span], scale: Scale) -> list[_Run]:
    runs: list[_Run] = []
    for span in spans:
        begin, end = scale(span.since_ms), scale(span.until_ms)
        if runs and runs[-1].label == span.label and begin - runs[-1].end < 0.3:
            runs[-1] = _Run(span.label, runs[-1].begin, end)
        else:
            runs.append(_Run(span.label, begin, end))
    return runs


def _levels(runs: Sequence[_Run], width_px: int) -> list[int | None]:
    """For each name the line below the bars on which it has room: -1 inside its bar, None nowhere."""
    taken = [-1.0] * _LINES
    found: list[int | None] = []
    for run in runs:
        if fits(run.label, run.end - run.begin, width_px):
            found.append(-1)
            continue
        wide = (len(run.label) * LETTER_PX + 8) / width_px * 100
        left = run.begin if run.begin + wide <= 100 else run.end - wide
        level = next((level for level in range(_LINES) if taken[level] <= left), None) if left >= 0 else None
        if level is not None:
            taken[level] = left + wide
        found.append(level)
    return found


def _name(sheet: _Sheet, run: _Run, level: int | None, class_: str) -> None:
    """A run's name, inside its bar or under it with a line that leads there."""
    if level is None:
        return
    if level < 0:
        sheet.names.append(words_at((run.begin + run.end) / 2, sheet.y + 17, run.label, f"within{class_}", "middle"))
        return
    width_px = WIDE_PX if "roomy" in class_ else PHONE_PX
    starts = run.begin + (len(run.label) * LETTER_PX + 8) / width_px * 100 <= 100
    x, anchor = (run.begin, "start") if starts else (run.end, "end")
    y = sheet.y + 24 + 14 + _LINE * level
    if level:
        sheet.bars.append(element("line", x1=f"{x:.2f}%", x2=f"{x:.2f}%", y1=sheet.y + 24, y2=y - 12, class_=f"leader{class_}"))
    sheet.names.append(words_at(x, y, run.label, f"note haloed{class_}", anchor))
    sheet.stands(x, anchor, y, run.label, class_)


# One under another


def _apart(sheet: _Sheet, spans: Sequence[Span], scale: Scale, telling: Telling) -> None:
    """Each span in a row of its own: its name over the bar, on the side where there is room; the note where it is wide."""
    for span in spans:
        begin, end = scale(span.since_ms), scale(span.until_ms)
        left = fits(span.label, 100 - begin, PHONE_PX)
        x, anchor = (begin, "start") if left else (end, "end") if fits(span.label, end, PHONE_PX) else (0.0, "start")
        text = fitted(span.label, _LETTERS_PHONE, _LETTERS_WIDE)
        if span.note:
            text.append(element("tspan", f" · {plain(span.note)}", class_="note roomy"))
        sheet.names.append(element("text", *text, x=f"{x:.2f}%", y=sheet.y + 12, class_=f"label haloed {anchor}"))
        sheet.stands(x, anchor, sheet.y + 12, span.label)
        sheet.bars.append(_bar(span, telling, scale, sheet.y + 17, 13))
        sheet.y += 40


def _bar(span: Span, telling: Telling, scale: Scale, y: int, height: int) -> Markup:
    begin, end = scale(span.since_ms), scale(span.until_ms)
    told = f"{plain(span.label)}: {telling.when(span.since_ms)} – {telling.when(span.until_ms)}"
    title = element("title", f"{told}. {plain(span.note)}" if span.note else told)
    width = max(end - begin, 0.8)
    return element(
        "rect", title, x=f"{begin:.2f}%", y=y, width=f"{width:.2f}%", height=height, rx=3, class_=f"span {tone(span.tone)}"
    )


# Lines from top to bottom


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


def _now_line(x: float, sheet: _Sheet) -> Markup:
    """The line of now, through no name: in pieces on a narrow page, perhaps in others on a wide one."""
    narrow, roomy = _pieces(x, sheet, PHONE_PX), _pieces(x, sheet, WIDE_PX)
    drawn = [_piece(x, *piece, "now") for piece in narrow if piece in roomy]
    drawn += [_piece(x, *piece, "now narrow") for piece in narrow if piece not in roomy]
    drawn += [_piece(x, *piece, "now roomy") for piece in roomy if piece not in narrow]
    anchor = "end" if x > 88 else "start"
    return together([*drawn, words_at(x + (0.8 if anchor == "start" else -0.8), 43, "now", "now-word", anchor)])


def _pieces(x: float, sheet: _Sheet, width_px: int) -> list[tuple[int, int]]:
    found, y = [], 32
    for strip in sorted(sheet.strips, key=lambda strip: strip.top):
        if strip.width_px == width_px and strip.left <= x <= strip.right:
            if strip.top > y:
                found.append((y, strip.top))
            y = max(y, strip.bottom)
    return [*found, (y, sheet.y)] if sheet.y > y else found


def _piece(x: float, top: int, bottom: int, class_: str) -> Markup:
    return element("line", x1=f"{x:.2f}%", x2=f"{x:.2f}%", y1=top, y2=bottom, class_=class_)
