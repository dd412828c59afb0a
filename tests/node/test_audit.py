"""Authors' signatures are checked behind the durable log, by threads and by processes alike."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from node import audit
from node.audit import Audit
from node.store import Store
from node.verifier import Verifier, frame, serve
from protocol.practice import PROBLEMS
from protocol.record import parse
from tests.node.isle import NOTES, TABLES, Writer, founded, store_at
from tests.node.test_store import hand_over


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    store = store_at(tmp_path / "node.db")
    yield Writer(store, founded(store))
    store.close()


def forged(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


def test_a_frame_is_answered_with_one_byte_a_record(writer: Writer) -> None:
    raws = [writer.seal("note.written/1", {"topic": f"n{number}"}).raw for number in range(3)]
    founding = writer.store.rows(writer.space, 0, 1)[0].record or b""
    asked = (
        frame(writer.space, [raws[0], forged(raws[1]), b"junk", raws[2]]) + frame(b"", [founding]) + frame(b"x" * 32, [raws[0]])
    )
    told = io.BytesIO()
    serve(io.BytesIO(asked), told)
    assert told.getvalue() == bytes([1, 0, 0, 1, 1, 0])


def test_a_verifier_process_says_the_same_and_ends(writer: Writer) -> None:
    raws = [writer.seal("note.written/1", {"topic": f"n{number}"}).raw for number in range(40)]
    raws[7] = forged(raws[7])
    verifier = Verifier()
    try:
        for _ in range(2):
            told = verifier.check(writer.space, raws)
            assert [number for number, good in enumerate(told) if not good] == [7]
    finally:
        verifier.close()


def test_threads_that_share_a_verifier_each_get_their_own_answer(writer: Writer) -> None:
    raws = [writer.seal("note.written/1", {"topic": f"n{number}"}).raw for number in range(40)]
    asked = [[*raws[:bad], forged(raws[bad]), *raws[bad + 1 :]] for bad in range(40)] * 5
    verifier = Verifier()
    try:
        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(lambda records: verifier.check(writer.space, records), asked))
    finally:
        verifier.close()
    assert [[number for number, good in enumerate(one) if not good] for one in told] == [[bad] for bad in range(40)] * 5


@pytest.mark.parametrize("large", [1, 10**9], ids=["processes", "threads"])
def test_a_backlog_is_settled_alike_by_threads_and_processes(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(audit, "LARGE", large)
    monkeypatch.setattr(audit, "CHUNK", 16)
    for number in range(50):
        writer.note(f"n{number}", "words" if number % 3 else "")
    rows = writer.store.rows(writer.space, 0, 51)
    bad = forged(rows[20].record or b"")
    rows[20] = type(rows[20])(rows[20].flag, rows[20].logged, parse(bad).digest, bad, rows[20].annex)
    peer: Store = store_at(tmp_path / "peer.db")
    hand_over(writer.store, peer, writer.space, rows=rows)
    view = peer.view(writer.space)
    assert len(view.all(NOTES)) == 49
    assert [problem.position for problem in view.all(PROBLEMS)] == [20]
    live = peer.tables.dump(TABLES)
    peer.rebuild()
    assert peer.tables.dump(TABLES) == live
    checker = Audit(peer, cores=2)
    assert checker.catch_up(writer.space) == 0
    checker.close()
    peer.close()
