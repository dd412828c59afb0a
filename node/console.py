"""A terminal that no words of others can command.

Whatever is printed may have been written by a stranger: a name that holds an escape sequence would clear the screen, change
the title of the window or hide a line. So every control character but the end of a line and the tab is shown as �.

Example::

    Plain(highlight=False).print(Text(name))
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_SHOWN = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "�")


def harmless(words: str) -> str:
    """The words, with � for each character that a terminal would obey."""
    return words.translate(_SHOWN)


class Plain(Console):
    """A console whose colours and moves are its own alone."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The pieces of what is printed, each harmless."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else Segment(harmless(piece.text), piece.style)
