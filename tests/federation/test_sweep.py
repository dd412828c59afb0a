"""Turns: each peer in its time, failures back off, notices bring forward but not without end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from federation.sweep import Sweep

A, B = b"a", b"b"


def sweep() -> Sweep:
    made = Sweep(every_ms=100_000, jitter=0.25, longest_ms=800_000, gap_ms=2_000)
    made.set([A, B], 0, [0.0, 0.25])
    return made


def test_peers_come_in_their_time() -> None:
    s = sweep()
    assert s.due(0) == [A]
    assert s.due(50_000) == [A, B]
    s.begin(A, 0)
    assert s.due(50_000) == [B]
    s.end(A, 1_000, 0.5, ok=True)
    assert s.next_ms() == 50_000
    assert s.due(100_999) == [B]
    assert s.due(101_000) == [B, A]


@given(st.floats(0, 1, exclude_max=True))
def test_the_interval_is_jittered_within_bounds(random: float) -> None:
    s = sweep()
    s.begin(A, 0)
    s.end(A, 0, random, ok=True)
    assert not [space for space in s.due(74_999) if space == A]
    assert A in s.due(125_000)


def test_failures_back_off_to_a_bound_and_an_answer_ends_it() -> None:
    s = sweep()
    waits, now = [], 0
    for _ in range(6):
        s.begin(A, now)
        s.end(A, now, 0.5, ok=False)
        at = next(t for t in range(now, now + 10_000_000, 100_000) if A in s.due(t))
        waits.append(at - now)
        now = at
    assert waits == [200_000, 400_000, 800_000, 800_000, 800_000, 800_000]
    s.begin(A, now)
    s.end(A, now, 0.5, ok=True)
    assert A in s.due(now + 100_000)


def test_a_failing_peer_does_not_delay_another() -> None:
    s = sweep()
    s.begin(A, 0)
    for now in range(50_000, 1_000_000, 100_000):
        assert s.due(now) == [B]
        s.begin(B, now)
        s.end(B, now, 0.5, ok=True)


def test_notices_bring_a_turn_forward_but_not_without_end() -> None:
    s = sweep()
    s.begin(A, 0)
    s.end(A, 10, 0.5, ok=True)
    for _ in range(1000):
        s.soon(A, 20)
    assert A not in s.due(1_999)
    assert A in s.due(2_000)
    s.begin(A, 2_000)
    s.soon(A, 2_001)
    s.end(A, 2_100, 0.5, ok=True)
    assert A not in s.due(3_999)
    assert A in s.due(4_000)
    s.soon(b"unknown", 0)


def test_a_peer_that_calls_is_no_longer_backed_off_from() -> None:
    s = sweep()
    for now in (0, 200_000, 600_000):
        s.begin(A, now)
        s.end(A, now, 0.5, ok=False)
    assert A not in s.due(1_399_999)
    s.alive(A, 600_000)
    s.alive(b"unknown", 600_000)
    assert A in s.due(700_000)


def test_whoever_is_no_longer_a_peer_has_no_turn() -> None:
    s = sweep()
    s.begin(A, 0)
    s.set([B], 0, [])
    s.end(A, 0, 0.5, ok=True)
    assert s.due(10**9) == [B]
    s.set([], 0, [])
    assert s.next_ms() is None
