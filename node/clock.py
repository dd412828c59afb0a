"""The one place that reads the time and draws randomness; everything else takes them as arguments.

`Clock` is the machine's; `MovedClock` is offset from it, for the demo and for tests that move time.
"""

from __future__ import annotations

import os
import time


class Clock:
    """The machine's clock and randomness."""

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def random(self, count: int) -> bytes:
        """Bytes that nobody can guess."""
        return os.urandom(count)


class MovedClock(Clock):
    """A clock that shows another time, running on at the same pace or standing still."""

    def __init__(self, now_ms: int, *, running: bool = True) -> None:
        self._offset_ms = now_ms - super().now_ms()
        self._still_ms = None if running else now_ms

    def now_ms(self) -> int:
        """Milliseconds since 1970, as this clock shows it."""
        return super().now_ms() + self._offset_ms if self._still_ms is None else self._still_ms

    def move(self, by_ms: int) -> None:
        """Set it forward (or back)."""
        self._offset_ms += by_ms
        if self._still_ms is not None:
            self._still_ms += by_ms
