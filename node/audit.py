"""Authors' signatures, checked behind the durable log and on every core, then judged into tables.

A pulled range is durable as soon as its entries hash into a signed head; who wrote each record is checked here, and only
then is it judged. While one chunk is being judged, the signatures of the next are checked: libsodium lets go of the
interpreter's lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from federation.storage import StorageError
from node.store import Store
from protocol.judge import Stored
from protocol.record import genuine

CHUNK = 2048


def _check(space: bytes, part: Sequence[Stored]) -> list[Stored]:
    return [
        one if genuine(one.raw, space if one.position else b"") else msgspec.structs.replace(one, genuine=False) for one in part
    ]


class Audit:
    """Checks and settles what stands in logs but not yet in tables."""

    def __init__(self, store: Store, cores: int = 0) -> None:
        self.store = store
        self.cores = cores or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self.cores, thread_name_prefix="audit")

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(cancel_futures=True)

    def check(self, space: bytes, stored: Sequence[Stored]) -> list[Stored]:
        """The same records, each with whether its author's signature is genuine."""
        return self._join(self._begin(space, stored))

    def catch_up(self, space: bytes, *, progress: Callable[[int, int], None] | None = None) -> int:
        """Audit and settle one log as far as it goes; how many entries were settled."""
        log = self.store.need(space)
        start = at = log.judged
        ahead = self._load(space, at)
        while ahead:
            end, jobs = ahead
            following = self._load(space, end)
            try:
                self.store.settle(space, at, self._join(jobs), end)
            except StorageError:
                break  # the space was replayed or forgotten meanwhile: what is left is told anew
            at, ahead = end, following
            if progress:
                progress(at, self.store.need(space).size)
        return at - start

    def _load(self, space: bytes, start: int) -> tuple[int, list[Future[list[Stored]]]] | None:
        with self.store.database.lock:
            log = self.store.log(space)
            end = min(start + CHUNK, log.size) if log else start
            if end <= start:
                return None
            return end, self._begin(space, list(self.store.stored(space, start, end)))

    def _begin(self, space: bytes, stored: Sequence[Stored]) -> list[Future[list[Stored]]]:
        size = max(1, -(-len(stored) // self.cores))
        return [self._pool.submit(_check, space, stored[i : i + size]) for i in range(0, len(stored), size)]

    @staticmethod
    def _join(jobs: Sequence[Future[list[Stored]]]) -> list[Stored]:
        return [one for job in jobs for one in job.result()]
