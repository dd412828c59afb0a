"""Who listens for commits: open pages, each with one flag and the rooms that have news since it was told.

There is no queue: a slow page misses nothing but repeats. At most `MOST` listen at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from node.home import Home
from protocol.practices import PRACTICE_OF
from protocol.record import PUBLIC, RecordError, parse

MOST = 200
_LOOK_BACK = 64


class Live:
    """Who listens, and what has moved since each was told."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listening: set[Listener] = set()
        self._sizes = {log.space: log.judged for log in home.store.logs()}
        self.closed = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen to commits from now on."""
        self._loop = loop
        self.home.store.listeners.append(self._committed)

    def close(self) -> None:
        """Let every listener go."""
        self.closed = True
        if self._committed in self.home.store.listeners:
            self.home.store.listeners.remove(self._committed)
        for listener in self._listening:
            listener.moved.set()

    def _committed(self, space: bytes) -> None:
        """Called in whichever thread has committed."""
        if self._loop is not None and not self.closed:
            public, every = self._rooms(space)
            self._loop.call_soon_threadsafe(self._tell, public, every)

    def _rooms(self, space: bytes) -> tuple[set[str], set[str]]:
        """The rooms of what is new in a log: those that anybody may know of, and all."""
        log = self.home.store.log(space)
        if log is None:
            return {"archipelago"}, {"archipelago"}
        since = self._sizes.get(space, 0)
        self._sizes[space] = log.judged
        if log.judged <= since:
            return {"archipelago"}, {"archipelago"}
        public, every = set(), set()
        for row in self.home.store.rows(space, max(since, log.judged - _LOOK_BACK), log.judged):
            try:
                practice = PRACTICE_OF.get(parse(row.record).kind) if row.record else None
            except RecordError:
                continue
            if practice:
                every.add(practice.room)
                if not row.flag:
                    public.add(practice.room)
        return public | {"memory", "today"}, every | {"memory", "today"}

    def _tell(self, public: Iterable[str], every: Iterable[str]) -> None:
        for listener in self._listening:
            listener.rooms.update(public if listener.audience == PUBLIC else every)
            listener.moved.set()

    def join(self, audience: int) -> Listener | None:
        """One more listener, or None if there are too many."""
        if len(self._listening) >= MOST or self.closed:
            return None
        listener = Listener(audience)
        self._listening.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """One less."""
        self._listening.discard(listener)


class Listener:
    """One open page."""

    def __init__(self, audience: int) -> None:
        self.audience = audience
        self.moved = asyncio.Event()
        self.rooms: set[str] = set()
