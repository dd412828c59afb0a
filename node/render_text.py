"""Blocks to text for a terminal: tables by rich, pictures as tables with small bars, colours off when piped.

What others wrote is stripped of everything that could steer a terminal (`words.plain`) and never read as rich's own markup.

Example::

    write([Heading("Ledger"), Facts([("In the till", Money(1250, "EUR"))])], telling, Console())
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Line

from node.body_blocks import planned
from node.twin import indented, twin
from node.words import AUDIENCE_NAMES, Telling, is_share, kind_title, measure, plain
from protocol.difference import GONE, SAME, difference
from protocol.page import (
    Action,
    Bars,
    Block,
    Cell,
    Difference,
    Facts,
    Grid,
    Heading,
    Money,
    Planned,
    Prose,
    State,
    Text,
    Tree,
)

_STYLES = {"good": "green", "warn": "yellow", "bad": "red", "calm": ""}
_SIGNS = {"good": "✓ ", "warn": "! ", "bad": "✗ ", "calm": ""}
_BAR_WIDTH = 24


def write(blocks: Iterable[Block], telling: Telling, console: Console) -> None:
    """Blocks to a console, one after another."""
    for block in blocks:
        _block(block, telling, console)


def text(blocks: Iterable[Block], telling: Telling, width: int = 100) -> str:
    """Blocks as plain text without colours."""
    held = io.StringIO()
    write(blocks, telling, Console(file=held, width=width, color_system=None, force_terminal=False, highlight=False))
    return held.getvalue()


def _block(block: Block, telling: Telling, console: Console) -> None:
    match block:
        case Heading():
            console.print()
            console.print(Line(plain(block.text), style="bold underline" if block.level <= 2 else "bold"))
        case Text():
            console.print(_toned(block.text, block.tone))
        case Prose():
            console.print(Padding(Line(plain(block.markdown)), (0, 0, 0, 2)))
        case Facts():
            _facts(block, telling, console)
        case Grid():
            _grid(block, telling, console)
        case Bars():
            _bars(block, console)
        case Tree():
            _tree(block, console)
        case Difference():
            _difference(block, console)
        case Planned():
            for each in planned(block, telling):
                _block(each, telling, console)
        case Action():
            _action(block, console)
        case _:
            _grid(twin(block), telling, console)


def _toned(words: str, tone: str) -> Line:
    return Line(_SIGNS.get(tone, "") + plain(words), style=_STYLES.get(tone, ""))


def _cell(value: Cell, telling: Telling) -> Line:
    if isinstance(value, State):
        return _toned(value.word, value.tone)
    return Line(telling.cell(value))


def _facts(block: Facts, telling: Telling, console: Console) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, run in groupby(block.pairs, key=lambda pair: pair[0]):
        table.add_row(Line(plain(label)), Line(", ").join(_cell(value, telling) for _, value in run))
    console.print(table)


def _grid(block: Grid, telling: Telling, console: Console) -> None:
    if not block.rows:
        console.print(
            Line(f"{plain(block.caption)}: {plain(block.empty)}" if block.caption else plain(block.empty), style="dim")
        )
        return
    title = Line(plain(block.caption), style="italic") if block.caption else None
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(block.columns):
        right = all(isinstance(row[number], int | Money) for row in block.rows if number < len(row))
        table.add_column(Line(plain(name)), justify="right" if right else "left", overflow="fold")
    for row in block.rows:
        table.add_row(*[_cell(value, telling) for value in row])
    console.print(table)


def _bars(block: Bars, console: Console) -> None:
    if not block.bars:
        console.print(Line(f"{plain(block.caption)}: {twin(block).empty}", style="dim"))
        return
    rows: list[Sequence[str]] = []
    most = 0 if any(bar.limit for bar in block.bars) else max(bar.value for bar in block.bars)  # without limits: to scale
    for bar in block.bars:
        whole = bar.limit or most
        filled = min(_BAR_WIDTH, max(0, bar.value) * _BAR_WIDTH // whole) if whole > 0 else 0
        drawn = "█" * filled + "░" * (_BAR_WIDTH - filled)
        over = " over" if 0 < bar.limit < bar.value else ""
        limit = "" if most else over if is_share(block.unit) else f" of {measure(bar.limit, block.unit)}{over}"
        rows.append((plain(bar.label), drawn, measure(bar.value, block.unit) + limit))
    table = Table.grid(padding=(0, 2))
    for row in rows:
        table.add_row(*map(Line, row))
    console.print(Line(plain(block.caption), style="italic"))
    console.print(table)


def _tree(block: Tree, console: Console) -> None:
    """Descent as an indented list, each node once."""
    if not block.nodes:
        console.print(Line(f"{plain(block.caption)}: {twin(block).empty}", style="dim"))
        return
    console.print(Line(plain(block.caption), style="italic"))
    for node, depth in indented(block.nodes, block.edges):
        note = f"  ({plain(node.note)})" if node.note else ""
        branch = "   " * (depth - 1) + "└─ " if depth else ""
        console.print(Line(branch) + _toned(node.label, node.tone) + Line(note, style="dim"))


def _difference(block: Difference, console: Console) -> None:
    line = Line()
    for piece in difference(plain(block.before), plain(block.after)):
        words = piece.text.rstrip()
        blank = piece.text[len(words) :]
        if piece.kind == SAME:
            line.append(piece.text)
        elif piece.kind == GONE:
            line.append(f"[-{words}-]", style="red").append(blank or " ")
        else:
            line.append(f"{{+{words}+}}", style="green").append(blank or " ")
    console.print(
        Line(f"{plain(block.caption)}  [-{plain(block.before_label)}-] {{+{plain(block.after_label)}+}}", style="italic")
    )
    console.print(Padding(line, (0, 0, 0, 2)))


def _action(block: Action, console: Console) -> None:
    filled = "".join(f" --{name.replace('_', '-')} {_quoted(value)}" for name, value in block.filled.items())
    if block.audience and block.audience in AUDIENCE_NAMES:
        filled += f" --audience {AUDIENCE_NAMES[block.audience]}"
    label = plain(block.label) or kind_title(block.kind)
    console.print(
        Line(f"→ {label}: ", style="bold") + Line(f"archipelago record add {plain(block.kind)}{filled}"), soft_wrap=True
    )


def _quoted(words: str) -> str:
    words = plain(words).replace("\n", " ")
    return words if words.isalnum() else "'" + words.replace("'", "'\\''") + "'"
