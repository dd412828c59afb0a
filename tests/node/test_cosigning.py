"""The witness's one step in the real store: compared and replaced at once, and no accepted head is lost by it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from federation.cosignature import name_of
from federation.storage import Cosignature
from node.store import Store
from tests.federation.isle import NOW, Isle
from tests.node.isle import founded, store_at

ROOTS = [sha256(bytes([n])).digest() for n in range(30)]


class Witness:
    """A store with a space of its own that follows another's log."""

    def __init__(self, store: Store) -> None:
        self.store, self.own, self.space = store, founded(store), Isle("Followed").space
        store.learn(Isle("Followed").chain)

    def cosign(self, held: int, size: int, root: bytes = b"") -> bool:
        root = root or ROOTS[size]
        made = Cosignature(name_of(self.own, "witness"), size, root, NOW // 1000 + size, f"line {size}")
        return self.store.cosign_if_unmoved(self.space, held, f"head {size}", size, root, made)

    @property
    def head(self) -> tuple[str, int]:
        log = self.store.log(self.space)
        assert log is not None
        return log.head, log.head_size


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    store = store_at(tmp_path / "node.db")
    yield Witness(store)
    store.close()


def test_a_head_is_cosigned_only_from_the_size_that_was_cosigned_last(witness: Witness) -> None:
    assert not witness.cosign(3, 5)
    assert witness.store.witnessed(witness.space) is None
    assert witness.cosign(0, 5)
    assert not witness.cosign(0, 7)
    assert witness.cosign(5, 7)
    assert witness.store.witnessed(witness.space) == (7, ROOTS[7])
    assert [each.line for each in witness.store.cosignatures(witness.space)] == ["line 7"]


def test_it_is_kept_when_the_store_is_opened_anew(witness: Witness, tmp_path: Path) -> None:
    witness.cosign(0, 5)
    witness.store.close()
    again = store_at(tmp_path / "node.db")
    assert again.witnessed(witness.space) == (5, ROOTS[5])
    again.close()


def test_a_head_that_goes_on_from_the_accepted_one_is_accepted(witness: Witness) -> None:
    witness.cosign(0, 5)
    assert witness.head == ("head 5", 5)
    witness.cosign(5, 7)
    assert witness.head == ("head 7", 7)


@pytest.mark.parametrize("accepted", [3, 6])
def test_a_head_that_was_not_proved_to_go_on_from_the_accepted_one_does_not_take_its_place(
    witness: Witness, accepted: int
) -> None:
    witness.store.accept_head(witness.space, "pulled", accepted, ROOTS[accepted])
    witness.cosign(0, 5)
    witness.cosign(5, 9)
    assert witness.head == ("pulled", accepted)
    assert witness.store.witnessed(witness.space) == (9, ROOTS[9])


def test_nor_does_one_that_goes_on_from_another_root_of_its_size(witness: Witness) -> None:
    witness.store.accept_head(witness.space, "pulled", 5, ROOTS[5])
    witness.cosign(0, 5, b"r" * 32)
    witness.cosign(5, 9)
    assert witness.head == ("pulled", 5)
