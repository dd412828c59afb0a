"""What differs between two texts, word by word, as data that any renderer can tell.

- A text is words, each with the white space after it. Words are compared, and ends of paragraphs; how lines are wrapped is not.
- Pieces come in reading order: those of kind ``same`` and ``new`` are the later text, letter for letter; ``same`` and ``gone``
  have the words of the earlier one.
- It takes a bounded number of steps whatever the texts are. Texts that have little in common are told as one gone and one new,
  paragraph by paragraph where paragraphs agree: hundreds of single words between each other help nobody.

>>> [(piece.kind, piece.text) for piece in difference("two members vouch", "three members vouch")]
[('gone', 'two '), ('new', 'three '), ('same', 'members vouch')]

Source: Eugene W. Myers, An O(ND) Difference Algorithm and Its Variations, Algorithmica 1, 1986.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from msgspec import Struct

SAME, GONE, NEW = "same", "gone", "new"
MOST_STEPS = 800  # edits that are looked for word by word: about 0.3 million steps at most
LEAST_SHARE = 4  # less than one word in four in common: not worth telling word by word

_WORD = re.compile(r"\S+\s*|\s+")
_PARAGRAPH = re.compile(r"(?:(?!\n[^\S\n]*\n).)+(?:\s*\n)?|\s+", re.DOTALL)

Match = tuple[int, int, int]  # from here in the earlier, from here in the later, so many


class Piece(Struct, frozen=True):
    """Some words that are in both texts, only in the earlier, or only in the later."""

    kind: Literal["same", "gone", "new"]
    text: str


@lru_cache(maxsize=256)
def difference(before: str, after: str) -> tuple[Piece, ...]:
    """The pieces, in reading order; neighbours are of different kinds."""
    one, two = _WORD.findall(before), _WORD.findall(after)
    found = _matches(one, two)
    if found is not None and not _alike(found, len(one), len(two)):
        found = None
    if found is None:
        one, two = _PARAGRAPH.findall(before), _PARAGRAPH.findall(after)
        found = _matches(one, two) or []
    return _pieces(one, two, found)


def share_percent(before: str, after: str) -> int:
    """How much of the two texts together is the same, by words."""
    pieces = difference(before, after)
    words = {kind: sum(len(piece.text.split()) for piece in pieces if piece.kind == kind) for kind in (SAME, GONE, NEW)}
    total = 2 * words[SAME] + words[GONE] + words[NEW]
    return 200 * words[SAME] // total if total else 100


def _key(token: str) -> str:
    word = token.rstrip()
    return word + "\n" if token.count("\n", len(word)) > 1 else word


def _alike(found: Sequence[Match], one: int, two: int) -> bool:
    return sum(many for _, _, many in found) * LEAST_SHARE >= min(one, two)


def _matches(one: Sequence[str], two: Sequence[str]) -> list[Match] | None:
    """Runs of tokens that are the same, by the fewest edits; None if that takes too many."""
    left, right = [_key(token) for token in one], [_key(token) for token in two]
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    stop = 0
    while stop < min(len(left), len(right)) - start and left[-1 - stop] == right[-1 - stop]:
        stop += 1
    middle = _shortest(left[start : len(left) - stop], right[start : len(right) - stop])
    if middle is None:
        return None
    found = [(0, 0, start)] if start else []
    found += [(at + start, to + start, many) for at, to, many in middle]
    return [*found, (len(left) - stop, len(right) - stop, stop)] if stop else found


def _shortest(left: Sequence[str], right: Sequence[str]) -> list[Match] | None:
    """Myers' greedy search forwards, keeping each round's furthest points, then the way back."""
    rounds: list[dict[int, int]] = []
    furthest = {1: 0}
    for edits in range(min(MOST_STEPS, len(left) + len(right)) + 1):
        rounds.append(dict(furthest))
        for line in range(-edits, edits + 1, 2):
            down = line == -edits or (line != edits and furthest.get(line - 1, -1) < furthest.get(line + 1, -1))
            x = furthest[line + 1] if down else furthest[line - 1] + 1
            while x < len(left) and 0 <= x - line < len(right) and left[x] == right[x - line]:
                x += 1
            furthest[line] = x
            if x >= len(left) and x - line >= len(right):
                return _way_back(rounds, len(left), len(right))
    return None


def _way_back(rounds: Sequence[dict[int, int]], x: int, y: int) -> list[Match]:
    found: list[Match] = []
    for edits in range(len(rounds) - 1, -1, -1):
        furthest, line = rounds[edits], x - y
        down = line == -edits or (line != edits and furthest.get(line - 1, -1) < furthest.get(line + 1, -1))
        from_x = furthest[line + 1] if down else furthest[line - 1]
        begins = 0 if not edits else from_x if down else from_x + 1
        if x > begins:
            found.append((begins, begins - line, x - begins))
        x, y = from_x, from_x - (line + 1 if down else line - 1)
    return found[::-1]


def _pieces(one: Sequence[str], two: Sequence[str], found: Sequence[Match]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    at = to = 0
    for one_at, two_at, many in (*found, (len(one), len(two), 0)):
        parts: tuple[tuple[Literal["same", "gone", "new"], str], ...] = (
            ("gone", "".join(one[at:one_at])),
            ("new", "".join(two[to:two_at])),
            ("same", "".join(two[two_at : two_at + many])),
        )
        for kind, text in parts:
            if not text:
                continue
            if pieces and pieces[-1].kind == kind:
                pieces[-1] = Piece(kind, pieces[-1].text + text)
            else:
                pieces.append(Piece(kind, text))
        at, to = one_at + many, two_at + many
    return tuple(pieces)
