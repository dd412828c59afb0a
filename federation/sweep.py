"""Which peer to talk to next, and when: every few minutes each, jittered, backing off from those that do not answer.

Correctness rests on this alone; a notice from a peer only brings its turn forward, and not more often than every few
seconds. One slow or dead peer does not delay the others: each has a turn of its own. No clock and no chance in here: the
time and a random number in [0, 1) are arguments.

>>> sweep = Sweep(every_ms=1000, jitter=0)
>>> sweep.set([b"a"], 0, [0.5]); sweep.due(1000)
[b'a']
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

MAX_DOUBLINGS = 10


class Turn(Struct):
    """When a peer's turn comes, and how it went."""

    at_ms: int
    began_ms: int
    failures: int = 0
    running: bool = False
    soon: bool = False  # asked for while running


class Sweep:
    """The turns of all peers."""

    def __init__(
        self, *, every_ms: int = 180_000, jitter: float = 0.25, longest_ms: int = 3_600_000, gap_ms: int = 2_000
    ) -> None:
        """`every_ms` plus or minus `jitter`; doubling to `longest_ms` on failures; turns by notice at least `gap_ms` apart."""
        self.every_ms, self.jitter, self.longest_ms, self.gap_ms = every_ms, jitter, longest_ms, gap_ms
        self._turns: dict[bytes, Turn] = {}

    def set(self, spaces: Iterable[bytes], now_ms: int, random: Iterable[float]) -> None:
        """These are the peers to talk to; new ones get a first turn within one interval (given a random number each)."""
        wanted = set(spaces)
        for gone in self._turns.keys() - wanted:
            del self._turns[gone]
        for new, chance in zip(sorted(wanted - self._turns.keys()), random, strict=False):
            self._turns[new] = Turn(now_ms + int(chance * 2 * self.every_ms), now_ms - self.gap_ms)

    def due(self, now_ms: int) -> list[bytes]:
        """The peers whose turn has come, longest waiting first."""
        waiting = [(turn.at_ms, space) for space, turn in self._turns.items() if not turn.running and turn.at_ms <= now_ms]
        return [space for _, space in sorted(waiting)]

    def next_ms(self) -> int | None:
        """When the next turn comes; None if there is nobody to talk to."""
        return min((turn.at_ms for turn in self._turns.values() if not turn.running), default=None)

    def begin(self, space: bytes, now_ms: int) -> None:
        """A peer's turn begins."""
        turn = self._turns.get(space)
        if turn is not None:
            turn.running, turn.began_ms, turn.soon = True, now_ms, False

    def end(self, space: bytes, now_ms: int, random: float, *, ok: bool) -> None:
        """A peer's turn is over; its next is set."""
        turn = self._turns.get(space)
        if turn is None:
            return
        turn.running = False
        turn.failures = 0 if ok else min(turn.failures + 1, MAX_DOUBLINGS)
        wait_ms = min(self.every_ms << turn.failures, max(self.longest_ms, self.every_ms))
        turn.at_ms = now_ms + int(wait_ms * (1 + self.jitter * (2 * random - 1)))
        if turn.soon and ok:
            turn.soon = False
            turn.at_ms = min(turn.at_ms, max(now_ms, turn.began_ms + self.gap_ms))

    def soon(self, space: bytes, now_ms: int) -> None:
        """Bring a peer's turn forward, because it has news or is back."""
        turn = self._turns.get(space)
        if turn is None:
            return
        if turn.running:
            turn.soon = True
        turn.at_ms = min(turn.at_ms, max(now_ms, turn.began_ms + self.gap_ms))

    def alive(self, space: bytes, now_ms: int) -> None:
        """A peer that did not answer has called: it does not wait longer than any other."""
        turn = self._turns.get(space)
        if turn is not None and turn.failures:
            turn.failures = 0
            turn.at_ms = min(turn.at_ms, now_ms + self.every_ms)
