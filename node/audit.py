"""Authors' signatures, checked behind the durable log and on every core, then judged into tables.

A pulled range is durable as soon as its entries hash into a signed head; who wrote each record is checked here, and only
then is it judged. While one chunk is being judged, the signatures of the next are checked: of a few on threads, for
libsodium lets go of the interpreter's lock; of a large backlog by processes (`node.verifier`), which do not wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from federation.storage import StorageError
from node.store import Store
from node.verifier import Verifier
from protocol.judge import Stored
from protocol.record import genuine

CHUNK = 2048
LARGE = 8192  # so many records are worth the start of processes

Check = Callable[[bytes, Sequence[bytes]], bytes]  # one byte a record: 1 genuine, 0 not


def _check_here(space: bytes, records: Sequence[bytes]) -> bytes:
    return bytes(genuine(raw, space) for raw in records)


def _check(space: bytes, part: Sequence[Stored], check: Check) -> list[Stored]:
    first = int(bool(part) and part[0].position == 0)
    records = [one.raw for one in part[first:]]
    try:
        told = check(space, records)
    except (OSError, ValueError):  # a process that is gone is not waited for: what it was asked is checked here
        told = _check_here(space, records)
    told = _check_here(b"", [one.raw for one in part[:first]]) + told
    return [one if good else msgspec.structs.replace(one, genuine=False) for one, good in zip(part, told, strict=True)]


class Audit:
    """Checks and settles what stands in logs but not yet in tables."""

    def __init__(self, store: Store, cores: int = 0) -> None:
        self.store = store
        self.cores = cores or os.cpu_count() or 1
        self.beside_mib = 0.0  # what the processes of the last large backlog held at most, all together
        self._pool = ThreadPoolExecutor(self.cores, thread_name_prefix="audit")

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(cancel_futures=True)

    def check(self, space: bytes, stored: Sequence[Stored]) -> list[Stored]:
        """The same records, each with whether its author's signature is genuine."""
        return self._join(self._begin(space, stored, [_check_here] * self.cores))

    def catch_up(self, space: bytes, *, progress: Callable[[int, int], None] | None = None) -> int:
        """Audit and settle one log as far as it goes; how many entries were settled."""
        log = self.store.need(space)
        if log.size - log.judged < LARGE or self.cores < 2:
            return self._catch_up(space, log.judged, [_check_here] * self.cores, progress)
        verifiers = [Verifier() for _ in range(self.cores - 1)]  # one core is for judging
        try:
            return self._catch_up(space, log.judged, [each.check for each in verifiers], progress)
        finally:
            self.beside_mib = sum(each.peak_mib() for each in verifiers)
            for each in verifiers:
                each.close()

    def _catch_up(self, space: bytes, start: int, checks: Sequence[Check], progress: Callable[[int, int], None] | None) -> int:
        at, ahead = start, self._load(space, start, checks)
        while ahead:
            end, filled, jobs = ahead
            following = self._load(space, end, checks)
            try:
                self.store.settle(space, at, self._join(jobs), end, filled)
            except StorageError:
                if following:
                    self._join(following[2])
                break  # the space was replayed or forgotten meanwhile: what is left is told anew
            at, ahead = end, following
            if progress:
                progress(at, self.store.need(space).size)
        return at - start

    def _load(self, space: bytes, start: int, checks: Sequence[Check]) -> tuple[int, int, list[Future[list[Stored]]]] | None:
        """Begin to check the next chunk: (its end, `Store.filled` as it was read, what will be told)."""
        with self.store.database.lock:
            log = self.store.log(space)
            end = min(start + CHUNK, log.size) if log else start
            if end <= start:
                return None
            return end, self.store.filled(space), self._begin(space, list(self.store.stored(space, start, end)), checks)

    def _begin(self, space: bytes, stored: Sequence[Stored], checks: Sequence[Check]) -> list[Future[list[Stored]]]:
        size = max(1, -(-len(stored) // len(checks)))
        parts = [stored[i : i + size] for i in range(0, len(stored), size)]
        return [self._pool.submit(_check, space, part, check) for part, check in zip(parts, checks, strict=False)]

    @staticmethod
    def _join(jobs: Sequence[Future[list[Stored]]]) -> list[Stored]:
        return [one for job in jobs for one in job.result()]
