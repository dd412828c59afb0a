"""The Merkle tree of a log: RFC 9162 section 2.1 over SHA-256, its hashes kept in C2SP tiles of 256.

    leaf hash  = SHA-256(0x00 ‖ entry)          node hash = SHA-256(0x01 ‖ left ‖ right)
    empty root = SHA-256("")                    a tree of n > 1 leaves splits at the largest power of two below n

Rules:

- A tile of level L holds up to 256 hashes, each the root of 256^L leaves; a level rises only from full tiles. Only full
  tiles are worth storing, each with its root (`FullTile`): the roots of level L are the hashes of level L+1, so a
  partial tile of any level can be read back from the roots (or, on level 0, the leaf hashes) that came last.
- `Edge` is all that growing needs: the partial tiles and the roots in them. `Frontier` is less: only what a root needs.
- Whoever keeps the hashes answers `TileReader.read_tile`; a proof reads each tile once and O(log n) of them.
- `prove_…` makes a proof from stored tiles and trusts them; `check_…` trusts nothing but the root given to it.
  Old size 0 is consistent with every tree, by an empty proof and no other (C2SP tlog-witness).

    ProofError (a proof that does not hold)       TreeError (stored tiles or arguments that cannot be right: ours)

>>> edge, full = grow(Edge.empty(), [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")])
>>> tiles = EdgeReader(edge, NoTiles())
>>> check_inclusion(1, 3, leaf_hash(b"b"), prove_inclusion(1, 3, tiles), edge.root())
>>> check_consistency(2, 3, root_at(2, tiles), edge.root(), prove_consistency(2, 3, tiles))

Source: RFC 9162 sections 2.1.1 to 2.1.4; c2sp.org/tlog-tiles; docs/reference/protocol/tree.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

HASH_BYTES = 32
TILE_WIDTH = 256
TILE_BYTES = TILE_WIDTH * HASH_BYTES
TILE_HEIGHT = 8
MAX_SIZE = 2**53 - 1
MAX_PROOF = 63
EMPTY_ROOT = sha256(b"").digest()


class ProofError(ValueError):
    """A proof that does not lead to the root it was checked against."""


class TreeError(ValueError):
    """Tiles, hashes or sizes that no tree has: a fault of who stored or called, not of a peer."""


class TileReader(Protocol):
    """What a proof needs of whoever keeps the hashes."""

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` (1 to 256) hashes of a tile, 32 bytes each; the tile may have grown further since."""


class NoTiles:
    """The reader of a tree that has no full tile yet."""

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """TreeError always."""
        raise TreeError(f"tile {index} of level {level} (width {width}) is not stored")


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The leaf hashes of many entries, in order."""
    digest = sha256
    return [digest(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def _append(size: int, peaks: Sequence[bytes], hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """The peaks of `size` hashes and these behind them.

    Peaks are the roots of the complete subtrees, left to right: one for each set bit of the size.
    """
    digest = sha256
    high, low, row = list(peaks), [], list(hashes)
    while row:
        if size & 1:
            row.insert(0, high.pop())
        if len(row) & 1:
            low.append(row.pop())
        pairs = iter(row)
        row = [digest(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
        size >>= 1
    low.reverse()
    return (*high, *low)


def _fold(peaks: Sequence[bytes]) -> bytes:
    """The root over peaks, left to right."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in peaks[-2::-1]:
        root = node_hash(peak, root)
    return root


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise TreeError(f"a tree of {size} leaves: sizes go from 0 to 2^53−1")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if hashes and set(map(len, hashes)) != {HASH_BYTES}:
        raise TreeError("a hash that has not 32 bytes")


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: enough to go on growing and to know the root, and no more."""

    size: int
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _check_size(self.size)
        _check_hashes(self.hashes)
        if len(self.hashes) != self.size.bit_count():
            raise TreeError(f"the edge of a tree of {self.size} has {self.size.bit_count()} hashes")

    @staticmethod
    def empty() -> Frontier:
        """The tree without leaves."""
        return Frontier(0, ())

    def extend(self, leaf_hashes: Iterable[bytes]) -> Frontier:
        """This tree with more leaves behind."""
        leaves = leaf_hashes if isinstance(leaf_hashes, list | tuple) else list(leaf_hashes)
        _check_hashes(leaves)
        return Frontier(self.size + len(leaves), _append(self.size, self.hashes, leaves))

    def root(self) -> bytes:
        """The root hash."""
        return _fold(self.hashes)


@dataclass(frozen=True, slots=True)
class FullTile:
    """256 hashes that will never change, and their root, which is hash number `index` of the next level."""

    level: int
    index: int
    hashes: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class Edge:
    """The partial tile of each level, lowest first, and the peaks within it. Made by `empty`, `load` and `grow`."""

    size: int
    tiles: tuple[bytes, ...]
    peaks: tuple[tuple[bytes, ...], ...]

    @staticmethod
    def empty() -> Edge:
        """The tree without leaves."""
        return Edge(0, (), ())

    @staticmethod
    def load(size: int, reader: TileReader) -> Edge:
        """The edge of a stored tree, from its partial tiles; compare `root()` with a signed head to know it is whole."""
        _check_size(size)
        tiles, peaks = [], []
        for level, width in enumerate(_widths(size)):
            tile = _read(reader, level, size >> 8 * (level + 1), width) if width else b""
            tiles.append(tile)
            peaks.append(_append(0, (), _split(tile)))
        return Edge(size, tuple(tiles), tuple(peaks))

    @property
    def frontier(self) -> Frontier:
        """The same tree without its tiles."""
        return Frontier(self.size, tuple(peak for level in reversed(self.peaks) for peak in level))

    def root(self) -> bytes:
        """The root hash."""
        return _fold([peak for level in reversed(self.peaks) for peak in level])


class EdgeReader:
    """A tree's tiles from its edge (the partial ones) and a store of the full ones."""

    __slots__ = ("edge", "stored")

    def __init__(self, edge: Edge, stored: TileReader) -> None:
        self.edge = edge
        self.stored = stored

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes of a tile."""
        edge = self.edge
        if level < len(edge.tiles) and index == edge.size >> 8 * (level + 1):
            tile = edge.tiles[level]
        else:
            tile = self.stored.read_tile(level, index, TILE_WIDTH)
        return tile[: width * HASH_BYTES]


def _widths(size: int) -> list[int]:
    """The width of the partial tile of each level; 0 where there is none."""
    widths = []
    while size:
        widths.append(size % TILE_WIDTH)
        size //= TILE_WIDTH
    return widths


def _split(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def _read(reader: TileReader, level: int, index: int, width: int) -> bytes:
    tile = reader.read_tile(level, index, width)
    if len(tile) != width * HASH_BYTES:
        raise TreeError(f"tile {index} of level {level} has {len(tile)} bytes where {width * HASH_BYTES} were asked for")
    return tile


def grow(edge: Edge, leaves: Sequence[bytes]) -> tuple[Edge, list[FullTile]]:
    """The tree with more leaf hashes behind, and the tiles that became full by it, each level in order."""
    _check_hashes(leaves)
    _check_size(edge.size + len(leaves))
    tiles, peaks = list(edge.tiles), list(edge.peaks)
    full: list[FullTile] = []
    row, level = leaves, 0
    while row:
        if level == len(tiles):
            tiles.append(b"")
            peaks.append(())
        count = edge.size >> TILE_HEIGHT * level
        index, width = count // TILE_WIDTH, count % TILE_WIDTH
        tile, tops, at = tiles[level], peaks[level], 0
        roots: list[bytes] = []
        while len(row) - at >= TILE_WIDTH - width:
            until = at + TILE_WIDTH - width
            part = row[at:until]
            root = _append(width, tops, part)[0]
            full.append(FullTile(level, index, tile + b"".join(part), root))
            roots.append(root)
            tile, tops, width, at, index = b"", (), 0, until, index + 1
        rest = row[at:]
        tiles[level] = tile + b"".join(rest)
        peaks[level] = _append(width, tops, rest)
        row, level = roots, level + 1
    return Edge(edge.size + len(leaves), tuple(tiles), tuple(peaks)), full


class _Hashes:
    """Roots of ranges of leaves in a tree of one size, each tile read once."""

    def __init__(self, size: int, reader: TileReader) -> None:
        self._size = size
        self._reader = reader
        self._tiles: dict[tuple[int, int], bytes] = {}

    def _tile(self, level: int, index: int) -> bytes:
        tile = self._tiles.get((level, index))
        if tile is None:
            width = min(TILE_WIDTH, (self._size >> TILE_HEIGHT * level) - index * TILE_WIDTH)
            tile = self._tiles[level, index] = _read(self._reader, level, index, width)
        return tile

    def _complete(self, start: int, height: int) -> bytes:
        """The root of the 2^height leaves from `start`, a multiple of that."""
        level, within = divmod(height, TILE_HEIGHT)
        index, offset = divmod(start >> TILE_HEIGHT * level, TILE_WIDTH)
        tile = self._tile(level, index)
        part = tile[offset * HASH_BYTES : (offset + (1 << within)) * HASH_BYTES]
        return _append(0, (), _split(part))[0]

    def root(self, start: int, end: int) -> bytes:
        """The root of the leaves from `start` to `end`, as the tree's own splits meet them."""
        peaks = []
        while start < end:
            height = (end - start).bit_length() - 1
            peaks.append(self._complete(start, height))
            start += 1 << height
        return _fold(peaks)


def _split_point(count: int) -> int:
    """The largest power of two below a count of two or more."""
    return 1 << (count - 1).bit_length() - 1


def root_at(size: int, reader: TileReader) -> bytes:
    """The root of the tree when it had this size."""
    _check_size(size)
    return _Hashes(size, reader).root(0, size)


def prove_inclusion(index: int, size: int, reader: TileReader) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root of the tree of this size, leaf's sibling first."""
    _check_size(size)
    if not 0 <= index < size:
        raise TreeError(f"a tree of {size} has no entry {index}")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split_point(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    hashes = _Hashes(size, reader)
    return [hashes.root(*each) for each in reversed(ranges)]


def prove_consistency(old: int, size: int, reader: TileReader) -> list[bytes]:
    """The hashes that show the tree of this size to be the tree of the old size with leaves behind it."""
    _check_size(size)
    if not 0 <= old <= size:
        raise TreeError(f"a tree of {size} cannot extend one of {old}")
    if old in (0, size):
        return []
    ranges = []
    start, end = 0, size
    while old != end:
        middle = start + _split_point(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, end))
    hashes = _Hashes(size, reader)
    return [hashes.root(*each) for each in reversed(ranges)]


def _check_proof(proof: Sequence[bytes], *hashes: bytes) -> None:
    if len(proof) > MAX_PROOF:
        raise ProofError(f"a proof of {len(proof)} hashes; no proof has more than {MAX_PROOF}")
    if any(len(each) != HASH_BYTES for each in (*proof, *hashes)):
        raise ProofError("a proof or a root with a hash that has not 32 bytes")


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root of the tree of this size that has the leaf hash at `index`, if the proof is right (RFC 9162 2.1.3.2)."""
    _check_proof(proof, leaf)
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"a tree of {size} has no entry {index}")
    node, last, root = index, size - 1, leaf
    for each in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long for a tree of this size")
        if node & 1 or node == last:
            root = node_hash(each, root)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            root = node_hash(root, each)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("the inclusion proof is too short for a tree of this size")
    return root


def check_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """ProofError unless the tree with this size and root has this leaf hash at `index`."""
    if root_from_inclusion(index, size, leaf_hash, proof) != root:
        raise ProofError(f"the inclusion proof of entry {index} does not lead to the root of the tree of {size}")


def check_consistency(old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> None:
    """ProofError unless the tree (size, root) is the tree (old, old_root) with leaves behind it (RFC 9162 2.1.4.2)."""
    _check_proof(proof, old_root, root)
    if not 0 <= old <= size <= MAX_SIZE:
        raise ProofError(f"a tree of {size} cannot extend one of {old}")
    if old == 0 and old_root != EMPTY_ROOT:
        raise ProofError("an empty tree has one root only, and this is another")
    if old in (0, size):
        if proof:
            raise ProofError("a consistency proof that has nothing to prove must be empty")
        if old == size and old_root != root:
            raise ProofError(f"two different roots for one tree of {size}")
        return
    if (old_root, root) != _consistent_roots(old, size, old_root, proof):
        raise ProofError(f"the tree of {size} does not extend the tree of {old}, by this proof")


def _consistent_roots(old: int, size: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The two roots, 0 < old < size, that a consistency proof leads to; the old root seeds it if old is a power of two."""
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        raise ProofError("the consistency proof is empty")
    node, last = old - 1, size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    before = after = path[0]
    for each in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long for trees of these sizes")
        if node & 1 or node == last:
            before, after = node_hash(each, before), node_hash(each, after)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            after = node_hash(after, each)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("the consistency proof is too short for trees of these sizes")
    return before, after
