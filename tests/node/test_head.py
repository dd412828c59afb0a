"""The head file: durable, never going back, and whole after a torn write."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.head import SLOT, HeadFile, HeadFileError, KnownPeer

SPACE = b"s" * 32
PEER = KnownPeer(b"p" * 32, "https://peer.example", b"i" * 32)


def test_what_was_written_is_read_with_the_peers(tmp_path: Path) -> None:
    file = HeadFile(tmp_path / "head")
    assert file.read() is None
    file.write(SPACE, 0, 5, b"r" * 32, [PEER])
    file.write(SPACE, 0, 6, b"q" * 32, [PEER])
    read = HeadFile(tmp_path / "head").read()
    assert read is not None
    assert (read.size, read.root, read.peers) == (6, b"q" * 32, (PEER,))


def test_a_smaller_head_of_the_same_epoch_is_refused_and_the_larger_stays(tmp_path: Path) -> None:
    file = HeadFile(tmp_path / "head")
    file.write(SPACE, 0, 5, b"r" * 32, [])
    with pytest.raises(HeadFileError, match="behind"):
        file.write(SPACE, 0, 4, b"q" * 32, [])
    file.write(SPACE, 1, 4, b"q" * 32, [])  # a new epoch may go on from less
    read = file.read()
    assert read is not None and (read.epoch, read.size) == (1, 4)


@pytest.mark.parametrize("torn", [0, 1, 40, 70])
def test_a_torn_write_spoils_one_slot_and_the_other_is_read(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "head"
    file = HeadFile(path)
    for size in (5, 6, 7):
        file.write(SPACE, 0, size, bytes([size]) * 32, [])
    data = bytearray(path.read_bytes())
    data[torn] ^= 1  # counter 2, size 7, is in slot 0
    path.write_bytes(data)
    read = file.read()
    assert read is not None and read.size == 6


def test_with_both_slots_spoiled_nothing_is_guessed(tmp_path: Path) -> None:
    path = tmp_path / "head"
    file = HeadFile(path)
    file.write(SPACE, 0, 5, b"r" * 32, [])
    file.write(SPACE, 0, 6, b"r" * 32, [])
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    data[SLOT + 10] ^= 1
    path.write_bytes(data)
    with pytest.raises(HeadFileError, match="no readable head"):
        file.read()


def test_more_peers_than_a_slot_holds_are_cut_and_the_head_stays_readable(tmp_path: Path) -> None:
    file = HeadFile(tmp_path / "head")
    file.write(SPACE, 0, 5, b"r" * 32, [PEER] * 2000)
    read = file.read()
    assert read is not None and read.size == 5 and 0 < len(read.peers) < 2000
