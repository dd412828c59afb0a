"""A node's way to talk to others: the talks, the calls, and what this machine does about what they bring.

The command line makes one for a single `sync`; a running node keeps one. Everything that touches the store goes through the
home's writing thread, one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog
from aiohttp import web

from federation import incoming
from federation.address import Guard
from federation.event import Event, Moved
from federation.fault import Ours, Theirs
from federation.outgoing import Client, SyncReport
from federation.storage import WITNESS, StorageError
from node.faces import Faces
from node.federating import service_of, settle_event
from node.home import Home
from protocol.practices.links import linked

T = TypeVar("T")
URL, ALLOWED = "url", "allowed"  # settings: this node's own address, and networks besides the open internet that it calls

log = structlog.get_logger("station")


def guard_of(home: Home) -> Guard:
    """Which addresses this node calls: those of its own machine only as long as it has no address of its own elsewhere."""
    allowed = home.store.setting(ALLOWED).split()
    return Guard(loopback=not home.store.setting(URL), listed=allowed)


class Station:
    """Service, client and events of one node; make it within a running event loop, and close it."""

    def __init__(self, home: Home, endpoints: Sequence[str], *, on_event: Callable[[Event], None] | None = None) -> None:
        self.home, self.guard = home, guard_of(home)
        self._told = on_event
        self._settling: set[asyncio.Task[None]] = set()
        self._asked: dict[bytes, tuple[int, int]] = {}  # what was missing of a log when it was last asked for
        self.service = service_of(home, endpoints)
        self._faces = Faces(home, self.service, tuple(endpoints))
        self.client = Client(self.service, run=self.run, now_ms=home.clock.now_ms, guard=self.guard, on_event=self._on_event)

    async def close(self) -> None:
        """Close every connection; what was begun is finished."""
        await self.client.close()
        if self._settling:
            await asyncio.gather(*self._settling, return_exceptions=True)

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run this on the writing thread."""
        return await self.home.write(lambda: function(*args))

    def routes(self) -> list[web.RouteDef]:
        """What peers may ask of this node, and anybody of its public face."""
        return [
            *incoming.routes(
                self.service, run=self.run, now_ms=self.home.clock.now_ms, guard=self.guard, on_event=self._on_event
            ),
            *self._faces.routes(),
        ]

    def _on_event(self, event: Event) -> None:
        task = asyncio.ensure_future(self._settle(event))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self, event: Event) -> None:
        if not isinstance(event, Moved):
            await self.home.write(lambda: settle_event(self.home, event))
        if self._told is not None:
            self._told(event)

    # Syncs

    async def sync(self, space: bytes) -> SyncReport:
        """Talk to a peer, pull what is missing, and have what came checked and in the tables."""
        try:
            report = await self.client.sync(space)
        except (Theirs, Ours, StorageError):
            self.home.heads.unreachable(space)
            raise
        while self._settling:
            await asyncio.gather(*self._settling)
        await self.audited()
        await self._ask_for_withheld(space)
        return report

    async def _ask_for_withheld(self, space: bytes) -> None:
        """Ask an ally, once for each state of our copy, for what was withheld before the link stood."""
        held = await self.home.write(lambda: self.home.store.log(space))
        if held is None or not held.missing or self._asked.get(space) == (held.size, held.missing):
            return
        if space not in await self.home.read(lambda view: linked(view, self.home.clock.now_ms())):
            return
        self._asked[space] = (held.size, held.missing)
        if await self.client.fill(space, space):
            await asyncio.wrap_future(self.home.audit_soon(space))

    async def audited(self) -> None:
        """Wait until every log is in the tables as far as it is held."""
        logs = await self.home.write(self.home.store.logs)
        for each in logs:
            if each.judged < each.size:
                await asyncio.wrap_future(self.home.audit_soon(each.space))

    async def ask_witnesses(self) -> None:
        """Have our newest head cosigned by those who promised to; what fails is for the next time."""
        peers = [peer for peer in await self.home.write(self.home.store.peers) if peer.url and peer.standing & WITNESS]
        done = await asyncio.gather(*(self.client.submit_checkpoint(peer.space) for peer in peers), return_exceptions=True)
        for failure in done:
            if isinstance(failure, Exception):
                log.info("not witnessed", reason=type(failure).__name__)
