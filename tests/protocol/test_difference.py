"""The word-by-word difference of two texts."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.difference import GONE, NEW, SAME, Piece, difference, share_percent

TEXTS = st.lists(st.sampled_from(["we ", "meet\n", "at ", "the\n\n", "moon ", "  ", "\n"]), max_size=40).map("".join)


def joined(pieces: tuple[Piece, ...], *kinds: str) -> str:
    return "".join(piece.text for piece in pieces if piece.kind in kinds)


@given(TEXTS, TEXTS)
def test_same_and_new_are_the_later_text_letter_for_letter(before: str, after: str) -> None:
    pieces = difference(before, after)
    assert joined(pieces, SAME, NEW) == after
    assert joined(pieces, SAME, GONE).split() == before.split()


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert difference(text, text) == ((Piece("same", text),) if text else ())
    assert share_percent(text, text) == 100


@given(TEXTS, TEXTS)
def test_neighbours_are_of_different_kinds(before: str, after: str) -> None:
    pieces = difference(before, after)
    assert all(one.kind != two.kind for one, two in pairwise(pieces))
    assert all(piece.text for piece in pieces)


def test_a_changed_word_is_told_alone() -> None:
    text = "A term lasts one cycle. Then the permission is gone."
    pieces = difference(text, text.replace("one cycle", "two cycles"))
    assert [(p.kind, p.text) for p in pieces] == [
        (SAME, "A term lasts "),
        (GONE, "one cycle. "),
        (NEW, "two cycles. "),
        (SAME, "Then the permission is gone."),
    ]


def test_wrapping_lines_anew_is_no_difference_but_a_new_paragraph_is() -> None:
    assert [p.kind for p in difference("one two\nthree four", "one\ntwo three\nfour")] == [SAME]
    assert {p.kind for p in difference("one two three four five", "one two three\n\nfour five")} == {SAME, GONE, NEW}


def test_the_fewest_words_are_told() -> None:
    """Held against the longest common subsequence, computed the plain way."""
    rng = random.Random(7)
    for _ in range(40):
        one, two = ([rng.choice("abcd") for _ in range(rng.randrange(24))] for _ in range(2))
        table = [[0] * (len(two) + 1) for _ in range(len(one) + 1)]
        for i, left in enumerate(one):
            for j, right in enumerate(two):
                table[i + 1][j + 1] = table[i][j] + 1 if left == right else max(table[i][j + 1], table[i + 1][j])
        common = table[-1][-1]
        pieces = difference(" ".join(one), " ".join(two))
        told = len(joined(pieces, SAME).split())
        assert told == common or common * 4 < min(len(one), len(two))


def test_texts_with_little_in_common_are_told_as_one_gone_and_one_new() -> None:
    pieces = difference("soup on every Tuesday for all who come", "no vote binds before its review in the spring")
    assert [piece.kind for piece in pieces] == [GONE, NEW]


def test_paragraphs_that_stayed_are_found_when_the_rest_was_written_anew() -> None:
    rng = random.Random(3)

    def words(count: int) -> str:
        return " ".join("".join(rng.choices("abcdefgh", k=6)) for _ in range(count))

    kept = words(40)
    pieces = difference(f"{words(900)}\n\n{kept}\n\n{words(900)}", f"{words(900)}\n\n{kept}\n\n{words(900)}")
    assert kept in joined(pieces, SAME)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a b " * 10_000, "b c " * 10_000),
        ("\n" * 40_000, "\n\nx " * 10_000),
        (" ".join(f"x{n}" for n in range(8_000)), " ".join(f"y{n}" for n in range(8_000))),
        (" ".join(f"x{n % 7}" for n in range(8_000)), " ".join(f"x{n % 11}" for n in range(8_000))),
        ("\n\n".join(f"x{n}" for n in range(8_000)), "\n\n".join(f"x{n * 7 % 8_009}" for n in range(8_000))),
    ],
)
def test_no_pair_of_texts_takes_long(before: str, after: str) -> None:
    began = time.process_time()
    pieces = difference(before, after)
    assert time.process_time() - began < 5
    assert joined(pieces, SAME, NEW) == after
