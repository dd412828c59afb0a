"""Names and bundles of a tiled log: what is served, and under which path (C2SP tlog-tiles).

    tile/<level>/<index>[.p/<width>]      up to 256 hashes of 32 bytes; level 0 to 63
    tile/entries/<index>[.p/<width>]      the same number of entries, each: length (2 bytes, big-endian) ‖ entry

Rules:

- The index is written in groups of three digits, all but the last led by `x`: 1234067 is `x001/x234/067`.
- `.p/<width>` stands only on a partial tile (1 to 255); a full one has 256 hashes and no suffix.
- Every tile has one path: what is not written exactly so is no path.
- A tree of size s has at level l as many hashes as s / 256^l, rounded down; the last tile is partial if 256 does not
  divide them. An empty tile has no path.

    TileError (a path or a bundle that is none)

>>> tile_path(0, 1234067), tile_path("entries", 273, 112)
('tile/0/x001/x234/067', 'tile/entries/273.p/112')
>>> [tile_path(*tile) for tile in tiles_between(0, 257)]
['tile/entries/000', 'tile/0/000', 'tile/entries/001.p/1', 'tile/0/001.p/1', 'tile/1/000.p/1']

Source: c2sp.org/tlog-tiles; docs/reference/protocol/tiles.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from protocol.tree import MAX_SIZE, TILE_HEIGHT, TILE_WIDTH

MAX_LEVEL = 63
MAX_ENTRY = 65_535

Level: TypeAlias = int | Literal["entries"]

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class TileError(ValueError):
    """A path that names no tile, or bytes that are no bundle of entries."""


class Tile(NamedTuple):
    """One tile or bundle: its level, its number within the level, and how many hashes or entries it has."""

    level: Level
    number: int
    width: int


def tile_path(level: Level, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile below the log's prefix, without a leading slash."""
    if level != "entries" and not 0 <= level <= MAX_LEVEL:
        raise TileError(f"level {level}: levels go from 0 to {MAX_LEVEL}")
    if not 1 <= width <= TILE_WIDTH:
        raise TileError(f"width {width}: tiles have 1 to {TILE_WIDTH} hashes")
    if not 0 <= index <= MAX_SIZE // TILE_WIDTH:
        raise TileError(f"tile number {index} is not within any log")
    name = f"{index % 1000:03}"
    while index >= 1000:
        index //= 1000
        name = f"x{index % 1000:03}/{name}"
    return f"tile/{level}/{name}" + ("" if width == TILE_WIDTH else f".p/{width}")


def parse_tile_path(path: str) -> Tile:
    """The tile that a path names; TileError for anything else."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise TileError("not the path of a tile")
    level: Level = "entries" if match[1] == "entries" else int(match[1])
    tile = Tile(level, int(match[2].replace("x", "").replace("/", "")), int(match[3] or TILE_WIDTH))
    if tile_path(*tile) != path:
        raise TileError("not the one path of its tile")
    return tile


def tile_width(size: int, level: Level, index: int) -> int:
    """How many hashes or entries the tile has in a tree of this size: 0 (there is none yet) to 256."""
    count = size if level == "entries" else size >> TILE_HEIGHT * level
    return max(0, min(TILE_WIDTH, count - index * TILE_WIDTH))


def tiles_between(old: int, size: int) -> Iterator[Tile]:
    """The tiles and bundles that a tree of this size has and one of the old size had not, or not so wide."""
    level = 0
    while count := size >> TILE_HEIGHT * level:
        before = old >> TILE_HEIGHT * level
        for number in range(before // TILE_WIDTH, -(-count // TILE_WIDTH) if count > before else 0):
            width = tile_width(size, level, number)
            if level == 0:
                yield Tile("entries", number, width)
            yield Tile(level, number, width)
        level += 1


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """The bytes of a bundle of 1 to 256 entries."""
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise TileError(f"an entry of {len(entry)} bytes; a bundle holds entries up to {MAX_ENTRY}")
        parts.append(len(entry).to_bytes(2, "big") + entry)
    if not 1 <= len(parts) <= TILE_WIDTH:
        raise TileError(f"a bundle of {len(parts)} entries; bundles have 1 to {TILE_WIDTH}")
    return b"".join(parts)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle; TileError if it has not exactly these."""
    entries: list[bytes] = []
    at, end = 0, len(data)
    while at < end and len(entries) < width:
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at != end or len(entries) != width:
        raise TileError(f"not a bundle of {width} entries: it is cut short, or holds more, or fewer")
    return entries
