"""Blocks to HTML: semantic, readable without style or script, every picture with its table.

- A heading of level 2 opens a section; the sections of a page stand beside each other where it is wide, and those that
  hold a picture or a wide table take the whole width.
- What others wrote is escaped by `node/markup.py`; Markdown passes `node/markdown.py`; links lead into this node only.
- Instants are `<time>` with the words inside and the exact moment as title (and in print).

Example::

    body = page([Heading("Ledger"), Facts([("In the till", Money(1250, "EUR"))])], telling)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from urllib.parse import quote, quote_plus, urlencode

from markupsafe import Markup

from node import markdown, render_svg, render_svg_links, render_svg_moon, render_svg_time
from node.body_blocks import planned
from node.markup import element, is_own_path, together
from node.render_svg import tone
from node.twin import Picture, twin
from node.words import AUDIENCE_NAMES, Telling, iso, kind_title, plain
from protocol.difference import GONE, SAME, difference
from protocol.page import (
    Action,
    Bars,
    Block,
    Cell,
    Chart,
    Difference,
    Facts,
    Flow,
    Graph,
    Grid,
    Heading,
    Link,
    Money,
    Planned,
    Prose,
    Ref,
    State,
    Text,
    Timeline,
    Tree,
    Wheel,
    When,
)

_WIDE = (Timeline, Chart, Flow, Graph, Difference)
_ENDINGS = (
    "ended", "left", "retired", "removed", "suspended", "withdrawn", "declined", "erased", "closed", "reversed", "recalled",
    "dissolved", "resigned",
)  # fmt: skip
_LINK_BYTES = 4000  # a longer address is refused by servers
_UNNAMED = element("span", "State", class_="unseen")
_FOLD_ROWS, _FOLD_WORDS = 200, 120
_SHORT_STATE = 18  # letters; longer words break over lines


def page(blocks: Iterable[Block], telling: Telling) -> Markup:
    """Blocks as the sections of a page."""
    sections: list[tuple[Heading | None, list[Block]]] = [(None, [])]
    for block in blocks:
        if isinstance(block, Heading) and block.level <= 2:
            sections.append((block, []))
        else:
            sections[-1][1].append(block)
    taken: set[str] = set()
    made = [_section(heading, held, telling, taken) for heading, held in sections if heading or held]
    return together(made, "\n")


def render(blocks: Iterable[Block], telling: Telling) -> Markup:
    """Blocks one after another, without sections; buttons that follow each other stand in one row."""
    parts: list[Markup] = []
    first = True
    for is_action, run in groupby(blocks, lambda block: isinstance(block, Action)):
        if not is_action:
            parts += [_block(block, telling) for block in run]
            continue
        actions = [block for block in run if isinstance(block, Action)]
        buttons = [action(block, second=not first or number > 0) for number, block in enumerate(actions)]
        parts.append(element("p", *buttons, class_="buttons"))
        first = False
    return together(parts, "\n")


def _section(heading: Heading | None, held: list[Block], telling: Telling, taken: set[str]) -> Markup:
    wide = any(isinstance(block, _WIDE) or (isinstance(block, Grid) and len(block.columns) > 3) for block in held)
    body = render(held, telling)
    if heading is None:
        return element("section", body, class_="opening wide")
    anchor = slug(heading.text, taken)
    title = element("h2", plain(heading.text), id=anchor)
    tall = any(isinstance(block, Wheel) for block in held)
    return element("section", title, "\n", body, aria_labelledby=anchor, class_="wide" if wide else "tall" if tall else None)


def slug(text: str, taken: set[str]) -> str:
    """An anchor for a heading, none twice on a page."""
    base = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "part"
    anchor, number = base, 2
    while anchor in taken:
        anchor, number = f"{base}-{number}", number + 1
    taken.add(anchor)
    return anchor


def _block(block: Block, telling: Telling) -> Markup:
    match block:
        case Heading():
            return element(f"h{min(max(block.level, 2), 4)}", plain(block.text))
        case Text():
            return _text(block)
        case Prose():
            return element("div", markdown.html(block.markdown), class_="prose")
        case Facts():
            return facts(block, telling)
        case Grid():
            return grid(block, telling)
        case Difference():
            return _difference(block)
        case Planned():
            return together([_block(each, telling) for each in planned(block, telling)], "\n")
        case Action():
            return action(block)
    return _figure(block, telling)


def _text(block: Text) -> Markup:
    known = tone(block.tone)
    if known == "calm":
        return element("p", plain(block.text))
    return element("p", element("span", "", class_="sign", aria_hidden="true"), plain(block.text), class_=f"note-line {known}")


# Cells


def cell(value: Cell, telling: Telling) -> Markup:
    """One value with its link, its exact time or its tone."""
    if isinstance(value, str):
        return together([plain(value)])
    if isinstance(value, When):
        return moment(value.ms, telling)
    if isinstance(value, Ref):
        return _ref(value, telling)
    if isinstance(value, Money):
        return element("data", telling.cell(value), value=f"{value.amount_minor / 100:.2f}", class_="money")
    if isinstance(value, State):
        return state(value)
    if isinstance(value, Link):
        return _own_link(value.path, plain(value.label))
    return together([telling.cell(value)])


def moment(ms: int, telling: Telling) -> Markup:
    """An instant: words inside, exact on hover."""
    return element("time", telling.when(ms), datetime=iso(ms) or None, title=telling.exact(ms))


def state(value: State) -> Markup:
    """A state: a word, with a sign of its tone before it."""
    long = " long" if len(value.word) > _SHORT_STATE else ""
    return element("span", plain(value.word), class_=f"state {tone(value.tone)}{long}")


def _ref(value: Ref, telling: Telling) -> Markup:
    return _own_link(telling.names.path(value), element("bdi", telling.cell(value)))


def _own_link(path: str, label: str | Markup) -> Markup:
    return element("a", label, href=path) if is_own_path(path) else together([label])


# Facts and tables


def facts(block: Facts, telling: Telling) -> Markup:
    """Labels with their values; what has the same label stands together."""
    told = []
    for label, run in groupby(block.pairs, key=lambda pair: pair[0]):
        values = together([cell(value, telling) for _, value in run], ", ")
        told.append(element("div", element("dt", plain(label)), element("dd", values)))
    return element("dl", *told, class_="facts")


def grid(block: Grid, telling: Telling) -> Markup:
    """A table, or a sentence when it is empty; on a narrow page each row becomes a list of facts."""
    if not block.rows:
        name = [element("strong", f"{plain(block.caption)}. ")] if block.caption else []
        return element("p", *name, plain(block.empty), class_="empty")
    columns = [plain(name) for name in block.columns]
    numeric = _numeric(block.rows, len(columns))
    head = [
        element("th", name or _UNNAMED, scope="col", role="columnheader", class_="num" if number else None)
        for name, number in zip(columns, numeric, strict=True)
    ]
    rows = [_row(row, columns, numeric, telling) for row in block.rows[:_FOLD_ROWS]]
    table = element(
        "table",
        element("caption", plain(block.caption)) if block.caption and not block.folded else "",
        element("thead", element("tr", *head, role="row"), role="rowgroup"),
        element("tbody", *rows, role="rowgroup"),
        role="table",
        class_="brief" if columns[:2] == ["What", "Who"] else None,  # on a narrow page in one line, for it tells itself
    )
    left = len(block.rows) - _FOLD_ROWS
    told = together([table, element("p", f"and {left} more, in the export.", class_="empty")]) if left > 0 else table
    if not block.folded:
        return told
    return element("details", element("summary", f"{plain(block.caption)} ({len(block.rows)})"), told, class_="fold")


def _row(row: Sequence[Cell], columns: Sequence[str], numeric: Sequence[bool], telling: Telling) -> Markup:
    cells = []
    for number, (value, column) in enumerate(zip(row, columns, strict=False)):
        told = cell(value, telling)
        if number == 0:
            cells.append(element("th", told, scope="row", role="rowheader", class_="num" if numeric[0] else None))
        else:
            cells.append(element("td", told, role="cell", data_label=column or None, class_="num" if numeric[number] else None))
    return element("tr", *cells, role="row")


def _numeric(rows: Sequence[Sequence[Cell]], many: int) -> list[bool]:
    """Which columns hold amounts or numbers alone, and so stand to the right."""
    found = []
    for column in range(many):
        held = [row[column] for row in rows if column < len(row) and row[column] not in ("", "–")]
        found.append(bool(held) and all(_is_number(value) for value in held))
    return found


def _is_number(value: Cell) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"−?\d[\d,.]*( [A-Z][A-Z0-9._-]*)?", value) is not None
    return isinstance(value, int | Money)


# Pictures


def _figure(block: Picture, telling: Telling) -> Markup:
    told = twin(block)
    picture = _picture(block, telling)
    caption = element("figcaption", plain(block.caption))
    if not picture:
        return element("p", element("strong", f"{plain(block.caption)}. "), plain(told.empty), class_="empty")
    table = grid(Grid("", told.columns, told.rows, told.empty), telling)
    fold = element("details", element("summary", "as a table"), table)
    return element("figure", caption, picture, fold, class_=type(block).__name__.lower())


def _picture(block: Picture, telling: Telling) -> Markup:
    match block:
        case Timeline():
            return render_svg_time.timeline(block, telling)
        case Chart():
            return render_svg.chart(block, telling)
        case Bars():
            return render_svg.bars(block, telling)
        case Flow():
            return render_svg_links.flow(block, telling)
        case Tree():
            return render_svg_links.tree(block, telling)
        case Graph():
            return render_svg_links.graph(block, telling)
    return render_svg_moon.wheel(block, telling)


# Words that changed


def _difference(block: Difference) -> Markup:
    found = difference(plain(block.before), plain(block.after))
    if all(piece.kind == SAME for piece in found):
        told: Markup = element("p", "The two texts are the same.", class_="empty")
    else:
        told = element(
            "div",
            *[_piece(piece.kind, piece.text) for piece in found],
            class_="difference",
            tabindex="0",
            role="group",
            aria_label=plain(block.caption),
        )
    gone = element("del", f"only in {plain(block.before_label)}")
    new = element("ins", f"only in {plain(block.after_label)}")
    key = element("p", gone, " ", new, class_="key")
    return element("figure", element("figcaption", plain(block.caption)), key, told, class_="compared")


def _piece(kind: str, text: str) -> str | Markup:
    """The words in their mark; blanks at the end stay outside it, so that marks end where words do."""
    if kind == SAME:
        return _unchanged(text)
    words = text.rstrip()
    said = element("span", "[removed: " if kind == GONE else "[added: ", class_="unseen")
    marked = element("del" if kind == GONE else "ins", said, words, element("span", "]", class_="unseen"))
    return together([marked, text[len(words) :] or " "])


def _unchanged(text: str) -> str | Markup:
    """Words that stayed; of very many the middle is folded away."""
    words = re.findall(r"\s*\S+\s*", text)
    if len(words) < _FOLD_WORDS:
        return text
    edge = _FOLD_WORDS // 4
    first, middle, last = ("".join(part) for part in (words[:edge], words[edge:-edge], words[-edge:]))
    fold = element("details", element("summary", f"{len(words) - 2 * edge} words that are the same"), middle)
    return together([first, fold, last])


# Buttons


def action(block: Action, *, second: bool = False) -> Markup:
    """A button to the form of a kind, with some fields filled in; the first of a section stands out."""
    path = f"/record/new/{quote(block.kind)}"
    filled = {name: plain(text) for name, text in block.filled.items()}
    while filled and sum(len(quote_plus(text)) for text in filled.values()) > _LINK_BYTES:
        del filled[max(filled, key=lambda name: len(filled[name]))]  # the form takes it from the record that the link names
    if block.audience and block.audience in AUDIENCE_NAMES:
        filled["audience"] = AUDIENCE_NAMES[block.audience]
    if filled:
        path += f"?{urlencode(filled)}"
    label = plain(block.label) or kind_title(block.kind)
    quiet = second or block.kind.partition("/")[0].endswith(_ENDINGS)
    return element("a", label, href=path, class_="button second" if quiet else "button")
