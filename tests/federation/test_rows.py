"""Rows on the wire: the fast reader takes exactly what the strict decoder takes in this layout."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import rows
from federation.rows import RowsError
from federation.storage import Row
from protocol import encoding, record
from protocol.entry import Entry
from protocol.keys import SigningKey

KEY = SigningKey(bytes(32))
SPACE = sha256(b"space").digest()


def row(
    size: int = 300,
    *,
    flag: int = 0,
    logged: int = 29_000_000,
    words: str = "",
    audience: int | None = None,
    withheld: bool = False,
) -> Row:
    sealed = record.seal(
        "note.written/1", 1, (0 if flag == 0 else 1) if audience is None else audience, {"t": "x" * size}, KEY, SPACE,
        words={"w": words} if words else None, random=bytes(32),
    )  # fmt: skip
    raw = None if withheld else sealed.raw
    return Row(flag, logged, sha256(sealed.raw).digest(), raw, None if withheld else sealed.annex)


def written(many: list[Row], *, shown: bool = True) -> bytes:
    parts, count = rows.write(many, lambda _: shown, 1 << 30)
    assert count == len(many)
    return b"".join(parts)


MANY = [
    row(1),
    row(80),
    row(300, words="a"),
    row(5000, words="w" * 300),
    row(9, flag=1, words="n" * 30),
    row(2, withheld=True),
    row(60_000),
]


def test_rows_read_back() -> None:
    read = rows.read(b"head" + written(MANY), 4, len(MANY), 0)
    assert read.rows == MANY
    assert read.entries == [Entry(r.flag, r.logged, r.digest).encode() for r in MANY]


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 65_535, 65_536])
def test_records_of_every_size_are_carried(size: int) -> None:
    """Also such as no node would write: what is under a signed head is kept, and judged later."""
    raw = bytes(size)
    one = Row(0, 29_000_000, sha256(raw).digest(), raw, None)
    data = written([one, row(3)])
    assert rows.read(data, 0, 2, 0).rows[0] == one
    assert encoding.decode_sequence(data, 2, limit=1 << 20)[0] == [0, 29_000_000, raw, None]


def test_a_record_beyond_the_largest_or_with_a_length_in_a_longer_form_is_refused() -> None:
    for head in ("5a00010001", "5800", "5817", "590017", "5900ff", "5a0000ffff", "40" * 3, "78"):
        raw = bytes(65_537 if head == "5a00010001" else 23)
        with pytest.raises(RowsError):
            rows.read(bytes.fromhex("84001a01ba8140") + bytes.fromhex(head) + raw + b"\xf6", 0, 1, 0)


def test_the_strict_decoder_reads_the_same() -> None:
    values = encoding.decode_sequence(written(MANY), len(MANY), limit=1 << 20)
    again = [
        Entry(r.flag, r.logged, r.digest).encode() if r.record is None else [r.flag, r.logged, r.record, r.annex] for r in MANY
    ]
    assert values == again


@given(at=st.integers(0, 900), flip=st.integers(1, 255))
def test_what_the_reader_takes_is_canonical(at: int, flip: int) -> None:
    """A changed byte is refused, or gives other rows in the very same canonical bytes."""
    few = [row(1), row(200, words="abc"), row(0, withheld=True)]
    data = bytearray(written(few))
    data[at % len(data)] ^= flip
    try:
        read = rows.read(bytes(data), 0, 3, 0)
    except RowsError:
        return
    assert read.rows != few
    assert written(read.rows) == bytes(data)
    encoding.decode_sequence(bytes(data), 3, limit=1 << 20)


@given(st.binary(max_size=300), st.integers(0, 5))
def test_any_bytes_are_read_or_refused(data: bytes, count: int) -> None:
    for whole in (data, written([row(1)]) + data):
        try:
            read = rows.read(whole, 0, count, 0)
        except RowsError:
            continue
        assert written(read.rows) == whole


@pytest.mark.parametrize("cut", [1, 2, 10, 100, 400])
def test_cut_short_or_too_long_is_refused(cut: int) -> None:
    data = written(MANY[:2])
    for bad in (data[:-cut], data + data[:cut]):
        with pytest.raises(RowsError):
            rows.read(bad, 0, 2, 0)


@pytest.mark.parametrize("withheld", [False, True])
def test_a_time_that_falls_is_refused(withheld: bool) -> None:
    with pytest.raises(RowsError, match="falls"):
        rows.read(written([row(logged=29_000_000), row(logged=28_999_999, withheld=withheld)]), 0, 2, 0)
    with pytest.raises(RowsError, match="falls"):
        rows.read(written([row(logged=29_000_000, withheld=withheld)]), 0, 1, 29_000_001)


def test_an_annex_of_another_record_is_refused() -> None:
    one, other = row(10, words="mine"), row(10, words="theirs")
    swapped = Row(one.flag, one.logged, one.digest, one.record, other.annex)
    with pytest.raises(RowsError, match="names"):
        rows.read(written([swapped]), 0, 1, 0)
    none = row(10)
    with pytest.raises(RowsError, match="names"):
        rows.read(written([Row(0, none.logged, none.digest, none.record, other.annex)]), 0, 1, 0)


def test_an_annex_of_every_audience_is_taken() -> None:
    for audience in (0, 1, 2):
        one = row(10, flag=int(audience > 0), words="mine", audience=audience)
        assert rows.read(written([one]), 0, 1, 0).rows == [one]


def test_what_is_not_shown_stands_as_its_entry_alone() -> None:
    secret = row(10, flag=1, words="secret")
    data = written([secret, row(3)], shown=False)
    assert secret.record is not None
    assert secret.record not in data
    assert rows.read(data, 0, 2, 0).rows[0] == Row(1, secret.logged, secret.digest, None, None)


def test_the_budget_cuts_after_the_row_that_reaches_it() -> None:
    many = [row(1000)] * 10
    parts, count = rows.write(many, lambda _: True, 3000)
    assert count == 3
    assert rows.read(b"".join(parts), 0, 3, 0).rows == many[:3]
