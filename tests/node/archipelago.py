"""Whole nodes in one process: homes, stations and real HTTP on loopback, for tests of what crosses them."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from federation.storage import ALLY, FOLLOW, MIRROR, WITNESS
from node.clock import Clock
from node.home import Home
from node.station import Station

ALL_DUTIES = FOLLOW | ALLY | MIRROR | WITNESS


class Isle:
    """One node, up or down."""

    def __init__(self, folder: Path, name: str, clock: Clock) -> None:
        self.home = Home.found(folder, name, "Ana", clock)
        self.key = self.home.key_files.key()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Open the node to others."""
        self.station = Station(self.home, [self.url])
        app = web.Application()
        app.add_routes(self.station.routes())
        self._runner = web.AppRunner(app, access_log=None, lingering_time=2.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Close it to others."""
        await self.station.close()
        await self._runner.cleanup()

    async def follow(self, other: Isle, standing: int = ALL_DUTIES) -> None:
        """Pin another node."""
        await self.station.client.add_peer(other.url, other.home.space, standing)

    async def sync(self, other: Isle) -> int:
        """Talk to another node; how many records came."""
        report = await self.station.sync(other.home.space)
        await self.station.audited()
        return report.records


@asynccontextmanager
async def archipelago(folder: Path, names: tuple[str, ...], clock: Clock) -> AsyncIterator[list[Isle]]:
    """Nodes that all know each other."""
    isles = [Isle(folder / name, name, clock) for name in names]
    for isle in isles:
        await isle.start()
    for isle in isles:
        for other in isles:
            if other is not isle:
                await isle.follow(other)
    try:
        yield isles
    finally:
        for isle in isles:
            await isle.stop()
            isle.home.close()
