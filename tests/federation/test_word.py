"""Words and their digests: an exchange says the same thing in one form only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.word import Cosigned, Exchange, Stub, Word, WordError, find_stub, format_heads, parse_exchange, parse_heads
from protocol import encoding

WORD = Word(
    b"summary",
    format_heads([Stub(b"b" * 8, 9, b"r" * 8), Stub(b"a" * 8, 2**32 - 1, b"s" * 8)]),
    (Cosigned(5, bytes(32), "line"),),
)
D = bytes(16)


@pytest.mark.parametrize(
    "exchange",
    [
        Exchange(D, D),
        Exchange(WORD.digest, D, WORD),
        Exchange(WORD.digest, D, WORD, b"chain", True),
        Exchange(D, D, None, b"c"),
        Exchange(D, D, ask=True),
    ],
)
def test_an_exchange_reads_back(exchange: Exchange) -> None:
    assert parse_exchange(encoding.decode(encoding.encode(exchange.content()))) == exchange


def test_nothing_new_is_two_digests() -> None:
    assert len(encoding.encode(Exchange(D, D).content())) == 35


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        [D],
        [D, D, {}],
        [D, D[:15]],
        [D, "x"],
        [D, D, []],
        [D, D, {"other": 1}],
        [D, D, {"ask": False}],
        [D, D, {"chain": "x"}],
        [D, D, {"word": WORD.content()}],
        [D, D, {}, {}],
        [D, D, {"word": None}],
        [D, D, {"word": [b"", b"", []], "more": 1}],
    ],
)
def test_another_form_is_refused(content: object) -> None:
    with pytest.raises(WordError):
        parse_exchange(content)


@pytest.mark.parametrize(
    "word",
    [
        [],
        [b"", b"x", []],
        [b"", b"", {}],
        [1, b"", []],
        [b"", b"", [[1, bytes(32)]]],
        [b"", b"", [[-1, bytes(32), ""]]],
        [b"", b"", [[1, bytes(31), ""]]],
        [b"", b"", [[1, bytes(32), ""]] * 5],
        [b"", bytes(20) + b"\xff" * 20 + bytes(20), []],
    ],
)
def test_a_word_in_another_form_is_refused(word: list[Any]) -> None:
    with pytest.raises(WordError):
        parse_exchange([D, D, {"word": word}])


@given(
    st.lists(
        st.tuples(st.binary(min_size=8, max_size=8), st.integers(0, 2**32 - 1), st.binary(min_size=8, max_size=8)), max_size=20
    )
)
def test_heads_read_back_in_the_order_of_ids(parts: list[tuple[bytes, int, bytes]]) -> None:
    stubs = [Stub(*each) for each in parts]
    assert parse_heads(format_heads(stubs)) == sorted(stubs, key=lambda s: (s.space, s.size, s.root))
    assert format_heads(parse_heads(format_heads(stubs))) == format_heads(reversed(stubs))


def test_a_head_is_found_by_the_beginning_of_its_space() -> None:
    stubs = parse_heads(WORD.heads)
    found = find_stub(stubs, b"b" * 32)
    assert found is not None and found.size == 9
    assert find_stub(stubs, b"c" * 32) is None
