"""Receipts from what a node holds: of its own records and of others', with the cosignatures on the head that it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.witness import cosign_as_mirror
from node.receipts import receipt_of
from protocol import receipt
from protocol.practice import Refused
from protocol.record import parse
from tests.node.linked import Archipelago
from tests.node.test_audience import exchange, take


@pytest.fixture(scope="module")
def spaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archipelago]:
    made = Archipelago(tmp_path_factory.mktemp("receipts"))
    for site in made.sites:
        site.home.heads.sign()
    for one in made.sites:
        for other in made.sites:
            if one is not other:
                exchange(one, other)
                while take(one, other, other.space).rows:
                    pass
    yield made
    made.close()


def test_every_record_that_is_held_has_a_receipt_whoever_carries_it(spaces: Archipelago) -> None:
    proved = 0
    for site in spaces.sites:
        for log in site.home.store.logs():
            for position, row in enumerate(site.home.store.rows(log.space, 0, log.judged)):
                if row.record is None:
                    continue
                found = receipt.check(receipt_of(site.home, row.digest))
                assert (found.space, found.index, found.digest) == (log.space, position, row.digest)
                assert found.kind == parse(row.record).kind
                proved += 1
    assert proved > 400


def test_a_record_that_is_withheld_from_us_has_none_here(spaces: Archipelago) -> None:
    one, other = spaces.sites[0], spaces.sites[1]
    hidden = [row for row in one.home.store.rows(other.space, 0, 200) if row.record is None]
    assert hidden
    for row in hidden:
        with pytest.raises(Refused, match="no such record"):
            receipt_of(one.home, row.digest)


def test_a_cosignature_on_the_head_goes_along_with_the_key_chain_that_proves_it(spaces: Archipelago) -> None:
    mirror, other = spaces.sites[0], spaces.sites[2]
    log = mirror.home.store.need(other.space)
    assert cosign_as_mirror(mirror.home.store, mirror.space, mirror.home.keys.mirror, log, spaces.clock.now_ms() // 1000)
    found = receipt.check(receipt_of(mirror.home, other.space))
    assert [(each.space, each.role) for each in found.cosigners] == [(mirror.space, "mirror")]
    assert found.spaces("mirror") == (mirror.space,)
    assert not found.unverified


def test_a_record_beyond_every_head_waits_for_one(tmp_path: Path) -> None:
    apart = Archipelago(tmp_path)
    one = apart.sites[0]
    one.home.heads.recovering = "This node waits for its peers."
    last = one.home.store.rows(one.space, one.home.log.size - 1, one.home.log.size)[0]
    with pytest.raises(Refused, match="waits for its peers"):
        receipt_of(one.home, last.digest)
    one.home.heads.recovering = ""
    assert receipt.check(receipt_of(one.home, last.digest)).size == one.home.log.size
    apart.close()
