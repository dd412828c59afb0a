"""Nodes of tests on real sockets: a server and a client each, on a free port of loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import web

from federation import witness
from federation.address import Guard
from federation.event import Event
from federation.incoming import Incoming
from federation.outgoing import Client
from tests.federation.isle import NOW
from tests.federation.talk import Node


class Clock:
    """A clock that tests set; it moves a millisecond with each look."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        self.now += 1
        return self.now


class Wired:
    """A node with its server and client. Use it as an asynchronous context."""

    def __init__(self, node: Node, *, clock: Clock | None = None, guard: Guard | None = None, deadline_s: float = 2.0) -> None:
        self.node, self.space, self.clock = node, node.space, clock or Clock()
        self.guard, self.deadline_s = guard or Guard(loopback=True), deadline_s
        self.events: list[Event] = []
        self._thread = ThreadPoolExecutor(1)

    def run(self, function: Callable[..., Any], /, *args: Any) -> asyncio.Future[Any]:
        """Off the loop, one after the other."""
        return asyncio.get_running_loop().run_in_executor(self._thread, function, *args)

    async def __aenter__(self) -> Wired:
        incoming = Incoming(
            self.node.service,
            run=self.run,
            now_ms=self.clock,
            guard=self.guard,
            on_event=self.events.append,
            body_deadline_s=0.3,
        )
        app = web.Application()
        app.add_routes([*incoming.routes(), web.post("/add-checkpoint", self._add_checkpoint)])
        self.runner, self.url = await serve(app)
        self.client = Client(
            self.node.service,
            run=self.run,
            now_ms=self.clock,
            guard=self.guard,
            on_event=self.events.append,
            deadline_s=self.deadline_s,
        )
        return self

    async def _add_checkpoint(self, request: web.Request) -> web.Response:
        isle, body = self.node.isle, await request.read()
        answer = witness.add_checkpoint(isle.store, isle.space, isle.keys.witness, body, self.clock() // 1000)
        return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.kind})

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        await self.runner.cleanup()
        self._thread.shutdown()


async def serve(app: web.Application) -> tuple[web.AppRunner, str]:
    """Run an application on a free port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, auto_decompress=False, lingering_time=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    return runner, f"http://127.0.0.1:{port}"
