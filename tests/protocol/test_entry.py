"""Entries: 37 bytes, one form."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.entry import SIZE, Entry, EntryError
from tests.protocol import c2sp_checker, second_decoder

DIGESTS = st.binary(min_size=32, max_size=32)


@given(st.integers(0, 1), st.integers(0, 2**32 - 1), DIGESTS)
def test_an_entry_comes_back_from_its_bytes_and_is_the_leaf_that_a_stranger_hashes(
    flag: int, logged: int, digest: bytes
) -> None:
    entry = Entry(flag, logged, digest)
    data = entry.encode()
    assert Entry.decode(data) == entry
    assert second_decoder.read_entry(data) == (flag, logged, digest)
    assert entry.leaf_hash() == c2sp_checker.leaf(data)
    assert entry.logged_ms == logged * 60_000


@given(st.binary(max_size=80))
def test_both_readers_take_the_same_bytes_for_entries(data: bytes) -> None:
    taken = len(data) == SIZE and data[0] < 2
    if taken:
        assert Entry.decode(data).encode() == data
    else:
        with pytest.raises(EntryError, match="37 bytes"):
            Entry.decode(data)
        with pytest.raises(second_decoder.Wrong):
            second_decoder.read_entry(data)


@pytest.mark.parametrize("first", [2, 3, 128, 255])
def test_an_unknown_flag_is_no_entry(first: int) -> None:
    with pytest.raises(EntryError):
        Entry.decode(bytes([first]) + bytes(36))


def test_entries_that_differ_anywhere_are_different_leaves() -> None:
    digest = sha256(b"x").digest()
    entries = [Entry(0, 5, digest), Entry(1, 5, digest), Entry(0, 6, digest), Entry(0, 5, bytes(32))]
    assert len({entry.leaf_hash() for entry in entries}) == 4


@pytest.mark.parametrize("logged", [-1, 2**32])
def test_a_time_beyond_four_bytes_has_no_entry(logged: int) -> None:
    with pytest.raises(OverflowError):
        Entry(0, logged, bytes(32)).encode()
