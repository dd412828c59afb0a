"""Killed at any moment: nothing acknowledged is lost, nothing half-written is seen, and no head goes back."""

from __future__ import annotations

import multiprocessing
import random
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from node.clock import Clock
from node.home import Home
from node.store import Store
from protocol.entry import Entry
from protocol.record import genuine
from protocol.tree import Edge, grow, leaf_hash
from tests.node.crash_child import BOOKING, append_for_ever, pull_for_ever

POINTS = 100  # of each kind
SPAWN = multiprocessing.get_context("forkserver")
SPAWN.set_forkserver_preload(["tests.node.crash_child"])


def root_of(store: Store, space: bytes, size: int) -> bytes:
    """The root from the stored records alone."""
    edge = Edge.empty()
    rows = store.rows(space, 0, size)
    assert len(rows) == size
    assert all(row.record is not None and sha256(row.record).digest() == row.digest for row in rows)
    return grow(edge, [leaf_hash(Entry(r.flag, r.logged, r.digest).encode()) for r in rows])[0].root()


def run_and_kill(rng: random.Random, target: Any, *args: Any) -> list[tuple[str, int, bytes]]:
    """Start a child, kill it at a seeded moment after its first acknowledgement, and give what it acknowledged."""
    ours, theirs = SPAWN.Pipe(duplex=False)
    child = SPAWN.Process(target=target, args=(*args, theirs), daemon=True)
    child.start()
    theirs.close()
    told: list[tuple[str, int, bytes]] = []
    try:
        assert ours.poll(20), "the child acknowledged nothing"
        time.sleep(rng.random() * 0.04)
        child.kill()
        child.join()
        while ours.poll():
            told.append(ours.recv())
    except EOFError:
        pass
    return told


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_was_acknowledged_is_there_after_every_kill_and_no_signed_head_goes_back(tmp_path: Path) -> None:
    rng = random.Random(20261125)
    folder = tmp_path / "isle"
    home = Home.found(folder, "Isle", "Ana", Clock())
    space = home.space
    home.close()
    best_head = (0, b"")
    for _ in range(POINTS):
        told = run_and_kill(rng, append_for_ever, str(folder))
        began = time.monotonic()
        home = Home.open(folder, Clock())
        assert time.monotonic() - began < 3
        log = home.log
        assert log.size == log.judged
        assert home.store.edge(space).root() == root_of(home.store, space, log.size)
        for what, position, proof in told:
            if what == "record":
                assert home.store.rows(space, position, position + 1)[0].digest == proof
                found = home.store.find(proof)
                assert found is not None and found.position == position
            else:
                best_head = max(best_head, (position, proof))
        assert log.head_size >= best_head[0]
        assert not home.heads.recovering
        if best_head[0]:
            assert root_of(home.store, space, best_head[0]) == best_head[1]
        (integrity,) = home.store.db.execute("PRAGMA quick_check").fetchone()
        assert integrity == "ok"
        home.close()
    home = Home.open(folder, Clock())
    live = home.store.tables.dump(home.store.read_tables)
    home.store.rebuild()
    assert home.store.tables.dump(home.store.read_tables) == live
    home.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_pull_killed_at_any_moment_leaves_whole_ranges_and_tables_that_replay_alike(tmp_path: Path) -> None:
    rng = random.Random(1)
    home = Home.found(tmp_path / "isle", "Isle", "Ana", Clock())
    key = home.key_files.key()
    told = list(home.actions.submit_many((home.actions.draft("ledger.transaction-booked/1", BOOKING) for _ in range(700)), key))
    assert len(told) == 700
    home.heads.sign()
    space = home.space
    whole = home.store.tables.dump(home.store.read_tables)
    home.close()
    source, target = tmp_path / "isle" / "node.db", tmp_path / "peer.db"
    for _ in range(POINTS):
        acknowledged = run_and_kill(rng, pull_for_ever, str(source), str(target), rng.choice([1, 50, 256, 300]))
        store = Store(target)
        log = store.log(space)
        last = acknowledged[-1]
        if log is not None:
            assert log.judged <= log.size
            assert store.edge(space).root() == root_of(store, space, log.size)
            if last[0] in ("range", "judged"):
                assert log.size >= last[1] or log.size == 0  # it may have been forgotten anew since
            assert all(genuine(r.record or b"", space) for r in store.rows(space, 1, min(log.size, 5)))
        store.close()
    store = Store(target)
    log = store.log(space)
    if log is not None and log.judged == len(whole["digest"]):
        assert store.tables.dump(store.read_tables)["problem"] == whole["problem"]
    store.close()
