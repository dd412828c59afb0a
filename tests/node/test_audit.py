"""Authors' signatures are checked behind the durable log, by threads and by processes alike."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from federation.storage import Row
from node import audit
from node.audit import Audit
from node.store import Store
from node.verifier import Verifier, frame, serve
from protocol.entry import Entry
from protocol.judge import Stored
from protocol.practice import PROBLEMS
from protocol.record import parse
from protocol.tree import grow, leaf_hash
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


def withheld_from(writer: Writer, tmp_path: Path, rows: list[Row], hidden: int) -> Store:
    """A peer that has all of a log but one record, and has checked nothing of it."""
    had = [Row(row.flag, row.logged, row.digest, None, None) if at == hidden else row for at, row in enumerate(rows)]
    peer, log = store_at(tmp_path / "peer.db"), writer.store.need(writer.space)
    peer.learn(log.chain)
    leaves = [leaf_hash(Entry(row.flag, row.logged, row.digest).encode()) for row in had]
    edge, tiles = grow(peer.edge(writer.space), leaves)
    peer.extend(writer.space, 0, had, edge, tiles, "head", log.size, log.root)
    return peer


def with_one_forged(writer: Writer, at: int) -> list[Row]:
    for number in range(30):
        writer.note(f"n{number}", "words")
    rows = list(writer.store.rows(writer.space, 0, writer.store.need(writer.space).size))
    bad = forged(rows[at].record or b"")
    rows[at] = Row(rows[at].flag, rows[at].logged, parse(bad).digest, bad, rows[at].annex)
    return rows


def test_what_comes_into_a_log_while_its_beginning_is_checked_is_checked_too(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = with_one_forged(writer, 20)
    peer = withheld_from(writer, tmp_path, rows, 20)
    begun, go, real = threading.Event(), threading.Event(), audit._check_here

    def slowly(space: bytes, records: Sequence[bytes]) -> bytes:
        begun.set()
        assert go.wait(20)
        return real(space, records)

    monkeypatch.setattr(audit, "_check_here", slowly)
    checker = Audit(peer, cores=2)
    beside = threading.Thread(target=checker.catch_up, args=(writer.space,))
    beside.start()
    assert begun.wait(20)
    assert peer.fill(writer.space, 20, [rows[20]]) == 1
    go.set()
    beside.join()
    checker.catch_up(writer.space)
    for _ in range(2):
        assert [problem.position for problem in peer.view(writer.space).all(PROBLEMS)] == [20]
        assert len(peer.view(writer.space).all(NOTES)) == 29
        peer.rebuild()
    checker.close()
    peer.close()


def test_what_comes_into_a_log_while_it_is_replayed_is_checked_first(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = with_one_forged(writer, 20)
    peer = withheld_from(writer, tmp_path, rows, 20)
    checker = Audit(peer, cores=2)
    checker.catch_up(writer.space)
    real, begun = peer.stored, threading.Event()

    def slowly(space: bytes, start: int, end: int) -> Iterator[Stored]:
        begun.set()
        time.sleep(0.2)
        return real(space, start, end)

    monkeypatch.setattr(peer, "stored", slowly)
    beside = threading.Thread(target=peer.refold, args=(writer.space,))
    beside.start()
    assert begun.wait(20)
    assert peer.fill(writer.space, 20, [rows[20]]) == 1
    beside.join()
    monkeypatch.setattr(peer, "stored", real)
    assert peer.view(writer.space).get(NOTES, rows[20].digest) is None
    checker.catch_up(writer.space)
    assert [problem.position for problem in peer.view(writer.space).all(PROBLEMS)] == [20]
    checker.close()
    peer.close()


def test_a_question_to_the_writers_tables_waits_while_they_are_written(writer: Writer) -> None:
    """Else it would let in changes that are just being put there, and some of them would be lost."""
    writer.note("n", "words")
    view, told = writer.store.view(writer.space), []
    asks: list[Callable[[], object]] = [
        lambda: view.all(NOTES), lambda: view.sums(NOTES, "struck", "topic"), lambda: view.position_of(bytes(32)), lambda: view.id,
        lambda: view.space_number(bytes(32)),
    ]  # fmt: skip
    with writer.store.database.lock:
        threads = [threading.Thread(target=lambda ask=ask: told.append(ask())) for ask in asks]
        for each in threads:
            each.start()
            each.join(0.05)
        assert not told
    for each in threads:
        each.join(20)
    assert len(told) == len(asks)


# Processes that fail


def test_a_process_that_dies_is_not_waited_for(writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "LARGE", 1)
    monkeypatch.setattr(audit, "CHUNK", 16)
    made: list[Verifier] = []

    class Mortal(Verifier):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)
            if len(made) == 1:
                self._process.kill()
                self._process.wait()

    monkeypatch.setattr(audit, "Verifier", Mortal)
    rows = with_one_forged(writer, 20)
    peer = withheld_from(writer, tmp_path, rows, -1)
    checker = Audit(peer, cores=4)
    assert checker.catch_up(writer.space) == 31
    assert [problem.position for problem in peer.view(writer.space).all(PROBLEMS)] == [20]
    assert len(made) == 3
    assert all(each._process.poll() is not None for each in made)
    checker.close()
    peer.close()


@pytest.mark.parametrize(
    "line",
    ["print('hello')", "import sys; sys.stdout.buffer.write(b'\\1' * 4000); sys.stdout.flush()"],
    ids=["a sentence", "ones"],
)
def test_what_else_a_process_prints_is_no_answer(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(line)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    raws = [forged(writer.seal("note.written/1", {"topic": f"n{number}"}).raw) for number in range(9)]
    verifier = Verifier()
    try:
        with pytest.raises(OSError, match="is gone, or says what is no answer"):
            verifier.check(writer.space, raws)
    finally:
        verifier.close()


def test_a_process_takes_no_program_from_the_folder_that_it_is_started_in(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "protocol").mkdir()
    (tmp_path / "protocol" / "__init__.py").write_text("")
    (tmp_path / "protocol" / "record.py").write_text("def genuine(raw, space):\n    return True\n")
    monkeypatch.chdir(tmp_path)
    verifier = Verifier()
    try:
        bad = forged(writer.seal("note.written/1", {"topic": "n"}).raw)
        assert verifier.check(writer.space, [bad]) == b"\0"
    finally:
        verifier.close()
