"""Counts and lists in words, for the sentences of pages, dues and refusals.

>>> counted(1, "member"), counted(5, "member"), counted(2, "copy", "copies")
('1 member', '5 members', '2 copies')
>>> listed(["food", "rooms", "hands"])
'food, rooms and hands'
>>> shortened("Who must not have nuts or milk", 20)
'Who must not have…'
>>> in_hours(6), in_hours(4), in_hours(-1)
('1.5 hours', '1 hour', '-0.25 hours')
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


def shortened(text: str, most: int) -> str:
    """A text of at most so many letters; a longer one ends at a word, with a sign that it goes on."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    if not text[most - 1].isspace() and head.rfind(" ") > most // 2:
        head = head[: head.rfind(" ")]
    return head.rstrip(" ,;:.–") + "…"


def in_hours(quarters: int) -> str:
    """Whole quarter hours, told in hours."""
    sign, (whole, rest) = "-" if quarters < 0 else "", divmod(abs(quarters), 4)
    return f"{sign}{whole:,}{('', '.25', '.5', '.75')[rest]} {'hour' if quarters == 4 else 'hours'}"
