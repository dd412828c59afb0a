"""The Merkle tree against the plain definitions of RFC 6962 and 9162, outside vectors, and damage of every kind."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import tree
from protocol.tree import Edge, EdgeReader, Frontier, FullTile, NoTiles, ProofError, TreeError
from tests.protocol import c2sp_checker as plain

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "protocol" / "tree.md"
LEAVES = [tree.leaf_hash(b"%d" % n) for n in range(66_000)]
BOUNDARIES = (255, 256, 257, 511, 512, 513)


class Shelf:
    """A store of full tiles that counts what is read."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.reads: list[tuple[int, int]] = []

    def keep(self, full: list[FullTile]) -> None:
        for tile in full:
            assert (tile.level, tile.index) not in self.tiles
            assert tile.root == plain.mth([tile.hashes[at : at + 32] for at in range(0, 8192, 32)])
            self.tiles[tile.level, tile.index] = tile.hashes

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        self.reads.append((level, index))
        return self.tiles[level, index][: width * 32]


def grown(size: int) -> tuple[Edge, Shelf, EdgeReader]:
    shelf = Shelf()
    edge, full = tree.grow(Edge.empty(), LEAVES[:size])
    shelf.keep(full)
    return edge, shelf, EdgeReader(edge, shelf)


@pytest.fixture(scope="module")
def large() -> tuple[Edge, Shelf, EdgeReader]:
    return grown(65_800)


# --- growing -----------------------------------------------------------------------------------------------------


def test_hashes_are_those_of_the_rfc() -> None:
    assert tree.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert tree.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree.node_hash(LEAVES[0], LEAVES[1]) == plain.mth(LEAVES[:2])
    assert tree.leaf_hashes([b"", b"x"]) == [plain.leaf(b""), plain.leaf(b"x")]


def test_one_append_at_a_time_gives_the_root_and_every_tile_after_each() -> None:
    edge, frontier, shelf = Edge.empty(), Frontier.empty(), Shelf()
    for size in range(1, 600):
        edge, full = tree.grow(edge, [LEAVES[size - 1]])
        shelf.keep(full)
        frontier = frontier.extend([LEAVES[size - 1]])
        assert edge.root() == frontier.root()
        assert edge.frontier == frontier
        if size < 130 or size % 37 == 0 or size in BOUNDARIES:
            assert edge.root() == plain.mth(LEAVES[:size])
            reader = EdgeReader(edge, shelf)
            _check_every_tile(size, reader)
            assert Edge.load(size, reader) == edge
            assert tree.root_at(size, reader) == edge.root()


def _check_every_tile(size: int, reader: EdgeReader) -> None:
    def fetch(path: str) -> bytes:
        found = re.fullmatch(r"tile/(\d)/(\d{3})(?:\.p/(\d+))?", path)
        assert found
        return reader.read_tile(int(found[1]), int(found[2]), int(found[3] or 256))

    assert plain.check_tiles(fetch, LEAVES[:size]) > 0


def test_the_frontier_has_a_root_for_every_size_to_130_and_at_the_boundaries() -> None:
    for size in (*range(131), *BOUNDARIES, 65_535, 65_536, 65_537):
        assert Frontier.empty().extend(LEAVES[:size]).root() == plain.mth(LEAVES[:size]), size


@given(st.lists(st.integers(0, 700), max_size=8))
def test_growing_in_any_batches_gives_the_same_tree_as_growing_at_once(batches: list[int]) -> None:
    edge, frontier, tiles = Edge.empty(), Frontier.empty(), []
    for batch in batches:
        leaves = LEAVES[edge.size : edge.size + batch]
        edge, full = tree.grow(edge, leaves)
        frontier = frontier.extend(iter(leaves))
        tiles += full
    once, full = tree.grow(Edge.empty(), LEAVES[: edge.size])
    assert edge == once
    assert edge.frontier == frontier
    assert sorted(tiles, key=lambda tile: (tile.level, tile.index)) == full


def test_the_roots_of_full_tiles_are_the_hashes_of_the_level_above(large: tuple[Edge, Shelf, EdgeReader]) -> None:
    _, full = tree.grow(Edge.empty(), LEAVES[:65_800])
    above = b"".join(tile.root for tile in full if tile.level == 0)
    assert above[:8192] == large[1].tiles[1, 0]
    assert above[8192:] == large[0].tiles[1]


def test_growing_by_nothing_changes_nothing(large: tuple[Edge, Shelf, EdgeReader]) -> None:
    assert tree.grow(large[0], []) == (large[0], [])
    assert large[0].frontier.extend([]) == large[0].frontier


@pytest.mark.parametrize("hashes", [[b""], [bytes(31)], [bytes(32), bytes(33)]])
def test_a_hash_of_another_length_is_refused_when_growing(hashes: list[bytes]) -> None:
    with pytest.raises(TreeError):
        tree.grow(Edge.empty(), hashes)
    with pytest.raises(TreeError):
        Frontier.empty().extend(hashes)


def test_a_frontier_whose_hashes_do_not_fit_its_size_is_refused() -> None:
    with pytest.raises(TreeError):
        Frontier(3, (LEAVES[0],))
    with pytest.raises(TreeError):
        Frontier(-1, ())
    with pytest.raises(TreeError):
        Frontier(2**53, (LEAVES[0],))


# --- proofs ------------------------------------------------------------------------------------------------------


def test_every_proof_for_every_size_to_130_is_that_of_the_rfc_and_holds() -> None:
    _, _, reader = grown(131)
    for size in range(131):
        root = plain.mth(LEAVES[:size])
        assert tree.root_at(size, reader) == root
        for index in range(size):
            proof = tree.prove_inclusion(index, size, reader)
            assert proof == plain.path(index, LEAVES[:size])
            tree.check_inclusion(index, size, LEAVES[index], proof, root)
            assert tree.root_from_inclusion(index, size, LEAVES[index], proof) == root
        for old in range(size + 1):
            proof = tree.prove_consistency(old, size, reader)
            assert proof == (plain.consistency(old, LEAVES[:size]) if old else [])
            tree.check_consistency(old, size, plain.mth(LEAVES[:old]), root, proof)


@pytest.mark.parametrize("size", [*BOUNDARIES, 65_535, 65_536, 65_537])
def test_proofs_at_tile_boundaries_are_those_of_the_rfc_and_hold(size: int, large: tuple[Edge, Shelf, EdgeReader]) -> None:
    reader = large[2]
    root = plain.mth(LEAVES[:size])
    assert tree.root_at(size, reader) == root
    places = [n for n in (0, 254, 255, 256, 257, 511, 512, size - 2, size - 1) if n < size]
    for index in random.Random(size).sample(places, 4):
        proof = tree.prove_inclusion(index, size, reader)
        assert proof == plain.path(index, LEAVES[:size])
        tree.check_inclusion(index, size, LEAVES[index], proof, root)
        old = index + 1
        proof = tree.prove_consistency(old, size, reader)
        assert proof == plain.consistency(old, LEAVES[:size])
        tree.check_consistency(old, size, plain.mth(LEAVES[:old]), root, proof)


def test_a_proof_reads_each_tile_once_and_few_of_them(large: tuple[Edge, Shelf, EdgeReader]) -> None:
    edge, shelf, reader = large
    for place in (0, 255, 256, 40_000, 65_535, 65_536, 65_799):
        for prove in (tree.prove_inclusion, tree.prove_consistency):
            shelf.reads.clear()
            prove(place, edge.size, reader)
            assert len(shelf.reads) == len(set(shelf.reads)) <= 4


def test_arguments_that_no_tree_has_are_refused_before_a_tile_is_read() -> None:
    reader = NoTiles()
    for index, size in ((0, 0), (3, 3), (-1, 3), (0, 2**53)):
        with pytest.raises(TreeError):
            tree.prove_inclusion(index, size, reader)
    for old, size in ((4, 3), (-1, 3), (1, 2**53)):
        with pytest.raises(TreeError):
            tree.prove_consistency(old, size, reader)
    with pytest.raises(TreeError, match="not stored"):
        tree.prove_inclusion(0, 2, reader)


def test_old_size_0_needs_an_empty_proof_and_the_empty_root() -> None:
    root = plain.mth(LEAVES[:7])
    tree.check_consistency(0, 7, tree.EMPTY_ROOT, root, [])
    tree.check_consistency(0, 0, tree.EMPTY_ROOT, tree.EMPTY_ROOT, [])
    for old, size, old_root, new_root, proof in (
        (0, 7, root, root, []),
        (0, 7, tree.EMPTY_ROOT, root, [root]),
        (0, 0, tree.EMPTY_ROOT, root, []),
        (0, 0, root, root, []),
        (0, 7, tree.EMPTY_ROOT, b"short", []),
    ):
        with pytest.raises(ProofError):
            tree.check_consistency(old, size, old_root, new_root, proof)


# --- refusals ----------------------------------------------------------------------------------------------------


def mutations(proof: list[bytes]) -> Iterator[list[bytes]]:
    for at, each in enumerate(proof):
        for bit in (0, 7, 255):
            flipped = bytearray(each)
            flipped[bit // 8] ^= 1 << bit % 8
            yield [*proof[:at], bytes(flipped), *proof[at + 1 :]]
        yield proof[:at] + proof[at + 1 :]
        yield [*proof[:at], each, *proof[at:]]
        yield [*proof[:at], each[:31], *proof[at + 1 :]]
        yield [*proof[:at], LEAVES[0], *proof[at:]]
    for at in range(len(proof) - 1):
        yield [*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]]
    yield [*proof, bytes(32)]
    yield [*proof, *[bytes(32)] * 64]


@pytest.mark.parametrize("size", [1, 2, 3, 8, 13, 255, 256, 257, 700])
def test_every_change_of_an_inclusion_proof_is_refused(size: int) -> None:
    _, _, reader = grown(size)
    root = plain.mth(LEAVES[:size])
    for index in {0, size // 2, size - 1}:
        proof = tree.prove_inclusion(index, size, reader)
        for changed in mutations(proof):
            with pytest.raises(ProofError):
                tree.check_inclusion(index, size, LEAVES[index], changed, root)
        for other, leaf, new_root in (
            (index + 1, LEAVES[index], root),
            (index - 1, LEAVES[index], root),
            (index, LEAVES[index + 1], root),
            (index, LEAVES[index][:31], root),
            (index, LEAVES[index], plain.mth(LEAVES[: size + 1])),
            (index, LEAVES[index], b""),
        ):
            with pytest.raises(ProofError):
                tree.check_inclusion(other, size, leaf, proof, new_root)


@pytest.mark.parametrize(("old", "size"), [(1, 2), (3, 7), (4, 7), (7, 8), (6, 8), (255, 257), (256, 700), (300, 700)])
def test_every_change_of_a_consistency_proof_is_refused(old: int, size: int) -> None:
    _, _, reader = grown(size)
    old_root, root = plain.mth(LEAVES[:old]), plain.mth(LEAVES[:size])
    proof = tree.prove_consistency(old, size, reader)
    for changed in mutations(proof):
        with pytest.raises(ProofError):
            tree.check_consistency(old, size, old_root, root, changed)
    for before, after, first, second in (
        (old, size, root, root),
        (old, size, old_root, old_root),
        (old, size, root, old_root),
        (size, old, root, old_root),
        (size, size, old_root, root),
        (old + 1, size, old_root, root),
        (old - 1, size, old_root, root),
        (-1, size, old_root, root),
        (old, 2**53, old_root, root),
    ):
        with pytest.raises(ProofError):
            tree.check_consistency(before, after, first, second, proof)


def test_no_root_is_given_for_an_inclusion_proof_of_another_length() -> None:
    _, _, reader = grown(13)
    proof = tree.prove_inclusion(5, 13, reader)
    for changed, why in (
        ([*proof, bytes(32)], "too long"),
        (proof[:-1], "too short"),
        ([*proof, *[bytes(32)] * 60], "more than 63"),
        ([proof[0][:31], *proof[1:]], "not 32 bytes"),
    ):
        with pytest.raises(ProofError, match=why):
            tree.root_from_inclusion(5, 13, LEAVES[5], changed)


def test_a_history_that_was_rewritten_has_no_consistency_proof() -> None:
    other = [*LEAVES[:3], tree.leaf_hash(b"rewritten"), *LEAVES[4:40]]
    edge, _ = tree.grow(Edge.empty(), other)
    proof = tree.prove_consistency(20, 40, EdgeReader(edge, NoTiles()))
    tree.check_consistency(20, 40, plain.mth(other[:20]), edge.root(), proof)
    with pytest.raises(ProofError, match="does not extend"):
        tree.check_consistency(20, 40, plain.mth(LEAVES[:20]), edge.root(), proof)


def test_a_damaged_tile_gives_a_failing_check_and_another_root() -> None:
    size, index = 70_000 - 4_300, 40_000
    edge, shelf, _ = grown(size)
    root = edge.root()
    for where, at in (((0, index // 256), 3), ((1, 0), 17)):
        sound = shelf.tiles[where]
        damaged = bytearray(sound)
        damaged[at * 32] ^= 1
        shelf.tiles[where] = bytes(damaged)
        proof = tree.prove_inclusion(index, size, EdgeReader(edge, shelf))
        with pytest.raises(ProofError):
            tree.check_inclusion(index, size, LEAVES[index], proof, root)
        proof = tree.prove_consistency(index, size, EdgeReader(edge, shelf))
        with pytest.raises(ProofError):
            tree.check_consistency(index, size, plain.mth(LEAVES[:index]), root, proof)
        shelf.tiles[where] = sound
    partial = bytearray(edge.tiles[0])
    partial[0] ^= 1
    broken = Edge(size, (bytes(partial), *edge.tiles[1:]), edge.peaks)
    assert Edge.load(size, EdgeReader(broken, shelf)).root() != root


def test_a_tile_that_was_cut_short_is_an_error_of_the_store() -> None:
    edge, shelf, reader = grown(600)
    shelf.tiles[0, 1] = shelf.tiles[0, 1][:-1]
    with pytest.raises(TreeError, match="tile 1 of level 0 has 8191 bytes where 8192"):
        tree.prove_inclusion(300, 600, reader)
    short = EdgeReader(Edge(600, (b"", *edge.tiles[1:]), edge.peaks), shelf)
    with pytest.raises(TreeError):
        Edge.load(600, short)


# --- the page ----------------------------------------------------------------------------------------------------


def worked_example() -> str:
    """The block of the reference page, hashed by the second reader."""
    leaves = [plain.leaf(bytes([n])) for n in range(5)]
    blocks = [
        ("leaf hashes of the entries 00, 01, 02, 03, 04", leaves),
        ("root at size 0", [plain.mth([])]),
        ("root at size 3", [plain.mth(leaves[:3])]),
        ("root at size 5", [plain.mth(leaves)]),
        ("inclusion proof of entry 2 in the tree of 5", plain.path(2, leaves)),
        ("consistency proof from size 3 to size 5", plain.consistency(3, leaves)),
    ]
    return "".join(f"{title}\n" + "".join(f"    {each.hex()}\n" for each in hashes) for title, hashes in blocks)


def test_the_worked_example_on_the_page_is_what_both_readers_compute() -> None:
    example = worked_example()
    assert f"```text\n{example}```" in PAGE.read_text(encoding="utf-8")
    edge, _ = tree.grow(Edge.empty(), tree.leaf_hashes(bytes([n]) for n in range(5)))
    reader = EdgeReader(edge, NoTiles())
    ours = [
        *tree.leaf_hashes(bytes([n]) for n in range(5)),
        *(tree.root_at(size, reader) for size in (0, 3, 5)),
        *tree.prove_inclusion(2, 5, reader),
        *tree.prove_consistency(3, 5, reader),
    ]
    assert [each.hex() for each in ours] == re.findall("^    ([0-9a-f]{64})$", example, re.MULTILINE)


# --- from outside ------------------------------------------------------------------------------------------------


def _files(vectors: Path, what: str) -> list[dict[str, Any]]:
    files = sorted((vectors / "merkle" / what).rglob("*.json"))
    assert len(files) == 98
    return [json.loads(file.read_text()) for file in files]


def _hashes(values: list[str] | None) -> list[bytes]:
    return [base64.b64decode(value) for value in values or []]


def test_every_inclusion_vector_from_outside_has_its_verdict(vectors: Path) -> None:
    for case in _files(vectors, "inclusion"):
        leaf, root = _hashes([case["leafHash"], case["root"]])
        arguments = (case["leafIdx"], case["treeSize"], leaf, _hashes(case["proof"]), root)
        if case["wantErr"]:
            with pytest.raises(ProofError):
                tree.check_inclusion(*arguments)
        else:
            tree.check_inclusion(*arguments)


def test_every_consistency_vector_from_outside_has_its_verdict(vectors: Path) -> None:
    for case in _files(vectors, "consistency"):
        old_root, root = _hashes([case["root1"], case["root2"]])
        if case["desc"] == "sizes are equal (one) and proof is empty":  # its two equal roots are 12 bytes of prose
            with pytest.raises(ProofError, match="not 32 bytes"):
                tree.check_consistency(1, 1, old_root, root, [])
            old_root, root = sha256(old_root).digest(), sha256(root).digest()
        arguments = (case["size1"], case["size2"], old_root, root, _hashes(case["proof"]))
        if case["wantErr"]:
            with pytest.raises(ProofError):
                tree.check_consistency(*arguments)
        else:
            tree.check_consistency(*arguments)
