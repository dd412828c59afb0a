"""Entries and records on the wire: what follows the header of a pull's answer.

A CBOR sequence (RFC 8742) in the strict encoding, one item an entry, in one fixed layout::

    84  00|01  1a <logged: 4 bytes>  <record as a byte string>  <annex as a byte string, or f6 (null)>
    58 25 <the 37 bytes of the entry>                               where the record is withheld

The annex is null where the record has none or it was erased. `logged` has its four bytes because no log is older than
February 1970. The digest is not sent: whoever reads computes it, and with it the leaves of the tree. Rows are read here
byte by byte and not by the general decoder, because this is the path of every record and takes a fifth of the time.

    RowsError: bytes that are no such rows, a time that falls, or an annex that its record does not name (theirs)

>>> row = Row(0, 29_000_000, sha256(b"r" * 120).digest(), b"r" * 120, None)
>>> data, count = write([row], lambda row: True, 1_000_000)
>>> read(b"".join(data), 0, count, 0).rows == [row]
True
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from hashlib import sha256

from msgspec import Struct

from federation.envelope import byte_head
from federation.fault import Theirs
from federation.storage import Row
from protocol.record import MAX_ANNEX, MAX_RECORD

MAX_ROW = MAX_RECORD + MAX_ANNEX + 16
WITHHELD_BYTES = 39

_WITHHELD = b"\x58\x25"
_NULL = 0xF6
_ODD_ANNEX = "An annex is not the one that its record names."
_HEADS = [byte_head(size) for size in range(4096)]
_BEFORE = struct.Struct(">HBIBH").unpack_from  # 84 flag, 1a, logged, the record's head and its size
_ENTRY = struct.Struct(">BI").pack


class RowsError(Theirs):
    """What was sent is no range of a log: the carrier's fault, or that of the space itself."""


class Read(Struct, frozen=True):
    """Rows with the entries that they are in the tree."""

    rows: list[Row]
    entries: list[bytes]


def write(rows: Iterable[Row], shown: Callable[[Row], bool], budget: int) -> tuple[list[bytes], int]:
    """(parts of the body, rows in it): as many rows as begin within `budget` bytes.

    `shown` is asked for records that are not public; where it says no, and where this node has no record, the entry
    stands alone.
    """
    parts: list[bytes] = []
    add, spent, count = parts.append, 0, 0
    for row in rows:
        if spent >= budget:
            break
        record, annex = row.record, row.annex
        count += 1
        if record is None or (row.flag and not shown(row)):
            add(_WITHHELD + _ENTRY(row.flag, row.logged) + row.digest)
            spent += WITHHELD_BYTES
            continue
        size = len(record)
        add(b"\x84\x01\x1a" if row.flag else b"\x84\x00\x1a")
        add(row.logged.to_bytes(4, "big"))
        add(_HEADS[size] if size < 4096 else byte_head(size))
        add(record)
        if annex is None:
            add(b"\xf6")
        else:
            more = len(annex)
            add(_HEADS[more] if more < 4096 else byte_head(more))
            add(annex)
            spent += more
        spent += size + 16
    return parts, count


def read(data: bytes, at: int, count: int, logged: int) -> Read:
    """`count` rows from `at` to the end of `data`; `logged` is the time of the entry before them."""
    rows: list[Row] = []
    entries: list[bytes] = []
    add, enter, before, entry, digest = rows.append, entries.append, _BEFORE, _ENTRY, sha256
    end = len(data)
    try:
        for _ in range(count):
            begins, wide, minutes, head, size = before(data, at)
            if wide == 0x1A and head == 0x59 and size > 255 and begins & 0xFFFE == 0x8400 and minutes >= 65_536:
                start = at + 10
            elif begins == 0x5825:
                at += WITHHELD_BYTES
                plain = data[at - 37 : at]
                minutes = _withheld(plain, at, end)
                if minutes < logged:
                    raise RowsError("The log's time falls from one entry to the next.")
                logged = minutes
                add(Row(plain[0], minutes, plain[5:], None, None))
                enter(plain)
                continue
            elif wide == 0x1A and begins & 0xFFFE == 0x8400 and minutes >= 65_536:
                start, size = _sized(data, at, head)
            else:
                raise RowsError("An entry is not in the layout of entries.")
            if minutes < logged:
                raise RowsError("The log's time falls from one entry to the next.")
            logged, flag, at = minutes, begins & 1, start + size
            record = data[start:at]
            mark = data[at]
            if mark == _NULL:
                annex, at = None, at + 1
            elif mark == 0x58 and data[at + 1] > 23:  # the common size of an annex, in the same lines for speed
                start, at = at + 2, at + 2 + data[at + 1]
                annex = data[start:at]
                if digest(annex).digest() not in (record[-99:-67], record[-115:-83]):
                    raise RowsError(_ODD_ANNEX)
            else:
                annex, at = _annex(data, at, record)
            found = digest(record).digest()
            add(Row(flag, minutes, found, record, annex))
            enter(entry(flag, minutes) + found)
    except (struct.error, IndexError) as error:
        raise RowsError("The entries end before their number is reached.") from error
    if at != end:
        raise RowsError("The entries do not end where they should.")
    return Read(rows, entries)


def _sized(data: bytes, at: int, head: int) -> tuple[int, int]:
    """(start, size) of a record that is shorter or longer than most; `at` is where its row begins."""
    if head == 0x58:
        start, size = at + 9, data[at + 8]
    elif head == 0x5A:
        start, size = at + 12, int.from_bytes(data[at + 8 : at + 12], "big")
    else:
        start, size = at + 8, head - 0x40
    if not 0 <= size <= MAX_RECORD or data[at + 7 : start] != byte_head(size):
        raise RowsError("A record is not in the layout of one.")
    return start, size


def _withheld(plain: bytes, at: int, end: int) -> int:
    """The time of an entry that stands alone."""
    if at > end:
        raise RowsError("The entries end before their number is reached.")
    minutes = int.from_bytes(plain[1:5], "big")
    if plain[0] > 1 or minutes < 65_536:
        raise RowsError("An entry is not in the layout of entries.")
    return minutes


def _annex(data: bytes, at: int, record: bytes) -> tuple[bytes, int]:
    """(annex, where it ends): the byte string at `at`, if the record names it by its hash.

    The hash is the last but one part of a record's payload, before the nonce (empty or 16 bytes) and the signature (66).
    """
    head = data[at]
    if head == 0x58:
        start, size = at + 2, data[at + 1]
    elif head == 0x59:
        start, size = at + 3, int.from_bytes(data[at + 1 : at + 3], "big")
    else:
        start, size = at + 1, head - 0x40
    if not 0 < size <= MAX_ANNEX or data[at:start] != byte_head(size):
        raise RowsError("An annex is not in the layout of one.")
    annex = data[start : start + size]
    if sha256(annex).digest() not in (record[-99:-67], record[-115:-83]):
        raise RowsError(_ODD_ANNEX)
    return annex, start + size
