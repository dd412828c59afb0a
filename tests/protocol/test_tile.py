"""Paths and bundles of a tiled log, and what is to be published when a log grew."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import note, tile, tree
from protocol.keys import SigningKey
from protocol.note import COSIGNATURE, Checkpoint, VerifierKey
from protocol.tile import Tile, TileError
from tests.protocol import c2sp_checker as plain

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "protocol" / "tiles.md"
TILES = st.builds(
    Tile,
    st.one_of(st.just("entries"), st.integers(0, 63)),
    st.one_of(st.integers(0, 3_000), st.integers(0, 2**45 - 1)),
    st.integers(1, 256),
)


@given(TILES)
def test_a_path_parses_to_the_tile_it_was_made_of(one: Tile) -> None:
    path = tile.tile_path(*one)
    assert tile.parse_tile_path(path) == one
    assert path == plain.tile_path(str(one.level), one.number, one.width)


@given(TILES, st.integers(0, 60), st.sampled_from("0123456789x/.p -\u0660"))
def test_a_changed_path_is_no_path_or_that_of_another_tile(one: Tile, at: int, character: str) -> None:
    path = tile.tile_path(*one)
    changed = path[:at] + character + path[at + 1 :]
    try:
        other = tile.parse_tile_path(changed)
    except TileError:
        return
    assert tile.tile_path(*other) == changed
    assert (other == one) == (changed == path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/x000/x001/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/999",
        "tile/0/\u0660\u0660\u0660",
    ],
)
def test_what_is_not_written_exactly_so_is_no_path(path: str) -> None:
    with pytest.raises(TileError):
        tile.parse_tile_path(path)


@pytest.mark.parametrize(
    ("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 2**53, 1), (0, 0, 0), (0, 0, 257)]
)
def test_a_tile_that_no_log_has_gets_no_path(level: int, index: int, width: int) -> None:
    with pytest.raises(TileError):
        tile.tile_path(level, index, width)


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    tiles = list(tile.tiles_between(0, 70_000))
    level = {n: [each.width for each in tiles if each.level == n] for n in ("entries", 0, 1, 2, 3)}
    assert level["entries"] == level[0] == [256] * 273 + [112]
    assert level[1] == [256, 17]
    assert level[2] == [1]
    assert level[3] == []


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_what_is_published_step_by_step_is_what_the_whole_tree_has(first: int, more: int) -> None:
    size = first + more
    steps = {(each.level, each.number): each.width for each in tile.tiles_between(0, first)}
    for each in tile.tiles_between(first, size):
        assert each.width > steps.get((each.level, each.number), 0)
        steps[each.level, each.number] = each.width
    assert steps == {(each.level, each.number): each.width for each in tile.tiles_between(0, size)}
    assert all(tile.tile_width(size, *key) == width for key, width in steps.items())


def test_nothing_is_to_be_published_for_nothing_new() -> None:
    assert list(tile.tiles_between(0, 0)) == []
    assert list(tile.tiles_between(300, 300)) == []
    assert tile.tile_width(300, 0, 2) == 0


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=256))
def test_a_bundle_gives_back_its_entries_and_only_in_their_number(entries: list[bytes]) -> None:
    data = tile.encode_bundle(entries)
    assert tile.decode_bundle(data, len(entries)) == entries
    assert plain.read_bundle(data, len(entries), "bundle") == entries
    for wrong in (data[:-1], data + b"\x00", data + b"\x00\x00", data[1:]):
        with pytest.raises(TileError):
            tile.decode_bundle(wrong, len(entries))
    with pytest.raises(TileError):
        tile.decode_bundle(data, len(entries) + 1)
    if len(entries) > 1:
        with pytest.raises(TileError):
            tile.decode_bundle(data, len(entries) - 1)


def test_bundles_that_the_format_cannot_hold_are_refused() -> None:
    assert tile.decode_bundle(tile.encode_bundle([bytes(65_535)]), 1) == [bytes(65_535)]
    for entries in ([bytes(65_536)], [], [b""] * 257):
        with pytest.raises(TileError):
            tile.encode_bundle(entries)
    with pytest.raises(TileError):
        tile.decode_bundle(b"", 1)
    with pytest.raises(TileError):
        tile.decode_bundle(b"\x00", 1)


# --- a whole log, as files, under the eyes of the second reader --------------------------------------------------

LOG, WITNESS = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)
ORIGIN, WITNESS_NAME = "isle/example", "isle/neighbour/witness"
LOG_KEY = note.format_vkey(VerifierKey(ORIGIN, LOG.public))
WITNESS_KEY = note.format_vkey(VerifierKey(WITNESS_NAME, WITNESS.public, COSIGNATURE))
TIME_S = 1_790_000_000


class Shelf:
    """Full tiles in memory."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        return self.tiles[level, index][: width * 32]


def published(size: int, steps: int = 1) -> dict[str, bytes]:
    """Every file of a log whose entries are those of `entry`, published in equal steps."""
    files: dict[str, bytes] = {}
    shelf, edge = Shelf(), tree.Edge.empty()
    for step in range(1, steps + 1):
        until = size * step // steps
        before = edge.size
        edge, full = tree.grow(edge, [tree.leaf_hash(entry(n)) for n in range(before, until)])
        shelf.tiles |= {(each.level, each.index): each.hashes for each in full}
        reader = tree.EdgeReader(edge, shelf)
        for level, number, width in tile.tiles_between(before, until):
            path = tile.tile_path(level, number, width)
            if level == "entries":
                files[path] = tile.encode_bundle(entry(n) for n in range(number * 256, number * 256 + width))
            else:
                files[path] = reader.read_tile(level, number, width)
    signed = note.parse_note(note.sign(Checkpoint(ORIGIN, size, edge.root()), ORIGIN, LOG))
    cosigned = signed.add([note.cosign(WITNESS, WITNESS_NAME, signed.text, TIME_S)])
    files["checkpoint"] = note.format_note(cosigned).encode()
    return files


def entry(number: int) -> bytes:
    return b"%037d" % number


@pytest.mark.parametrize(("size", "steps"), [(0, 1), (1, 1), (256, 1), (257, 3), (700, 7), (66_000, 2)])
def test_the_second_reader_finds_a_published_log_whole(size: int, steps: int) -> None:
    report = plain.check_log(published(size, steps).__getitem__, LOG_KEY, [WITNESS_KEY])
    assert report.entries == [entry(n) for n in range(size)]
    assert report.cosigned_s == {WITNESS_NAME: TIME_S}
    assert (report.origin, report.size) == (ORIGIN, size)
    assert report.tiles == sum(each.level != "entries" for each in tile.tiles_between(0, size))


def test_the_second_reader_sees_damage_in_any_file_of_a_log() -> None:
    sound = published(700)
    for path in sound:
        for at in (0, len(sound[path]) // 2, len(sound[path]) - 2):
            damaged = bytearray(sound[path])
            damaged[at] ^= 1
            with pytest.raises((plain.CheckFailure, UnicodeDecodeError)):
                plain.check_log({**sound, path: bytes(damaged)}.__getitem__, LOG_KEY, [WITNESS_KEY])
        missing = {name: data for name, data in sound.items() if name != path}
        with pytest.raises(KeyError):
            plain.check_log(missing.__getitem__, LOG_KEY, [WITNESS_KEY])


def test_the_second_reader_refuses_a_log_of_another_key_or_name() -> None:
    fetch = published(3).__getitem__
    for name, key in ((ORIGIN, WITNESS), ("isle/another", LOG)):
        with pytest.raises(plain.CheckFailure):
            plain.check_log(fetch, note.format_vkey(VerifierKey(name, key.public)))
    stranger = note.format_vkey(VerifierKey(WITNESS_NAME, LOG.public, COSIGNATURE))
    assert plain.check_log(fetch, LOG_KEY, [stranger]).cosigned_s == {}


# --- the page ----------------------------------------------------------------------------------------------------


def worked_example() -> str:
    """The files of a log of three one-byte entries, as the page shows them."""
    entries = [bytes([n]) for n in range(3)]
    leaves = b"".join(map(plain.leaf, entries))
    lines = [
        f"{plain.tile_path('entries', 0, 3)}",
        f"    {tile.encode_bundle(entries).hex(' ')}",
        f"{plain.tile_path('0', 0, 3)}",
        *(f"    {leaves[at : at + 32].hex()}" for at in (0, 32, 64)),
    ]
    return "".join(f"{line}\n" for line in lines)


def test_the_worked_example_on_the_page_is_what_the_code_writes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"```text\n{worked_example()}```" in page
    new = "".join(f"{tile.tile_path(*each)}\n" for each in tile.tiles_between(3, 257))
    assert f"```text\n{new}```" in page
