"""What anybody may ask of this node over HTTP without signing in: the public face of `federation`, and cosignatures.

GET  /.well-known/archipelago, /log/<space>/…      `federation.public`
POST /add-checkpoint                               `federation.witness`, C2SP tlog-witness
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from federation import witness
from federation.public import Public
from federation.session import Service
from node.home import Home

BODY_DEADLINE_S = 5.0


class Faces:
    """The routes, over one node; answers are made on the writing thread, where the store is."""

    def __init__(self, home: Home, service: Service, endpoints: tuple[str, ...]) -> None:
        self.home = home
        self._public = Public(
            home.store,
            endpoints=endpoints,
            refresh=home.heads.sign,
            summary=lambda: service.word(home.space, home.clock.now_ms()).summary,
        )

    def routes(self) -> list[web.RouteDef]:
        """Every route of the public face."""
        return [
            web.get("/.well-known/archipelago", self.get),
            web.get("/log/{tail:.+}", self.get),
            web.post("/add-checkpoint", self.add_checkpoint),
        ]

    async def get(self, request: web.Request) -> web.Response:
        """A file of the public face; the path is taken as it was sent."""
        path = request.raw_path.partition("?")[0]
        answer = await self.home.write(lambda: self._public.get(path, request.headers.get("If-None-Match", "")))
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def add_checkpoint(self, request: web.Request) -> web.Response:
        """Cosign a head of a log that this node follows, or say why not."""
        try:
            async with asyncio.timeout(BODY_DEADLINE_S):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408, text="The request did not arrive in time.\n")
        home = self.home
        answer = await home.write(
            lambda: witness.add_checkpoint(home.store, home.space, home.keys.witness, body, home.clock.now_ms() // 1000)
        )
        return web.Response(status=answer.status, headers={"Content-Type": answer.kind}, body=answer.body)
