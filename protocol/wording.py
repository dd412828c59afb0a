"""Counts and lists in words, for the sentences of pages, dues and refusals.

>>> counted(1, "member"), counted(5, "member"), counted(2, "copy", "copies")
('1 member', '5 members', '2 copies')
>>> listed(["food", "rooms", "hands"])
'food, rooms and hands'
"""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, one: str, many: str = "") -> str:
    """A count with its word in the right number."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Parts as one phrase."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
