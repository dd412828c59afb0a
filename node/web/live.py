"""Server-sent events: a page learns that something was committed, and fetches itself anew.

An event says which rooms have news, and nothing of what they are: whoever listens then asks for the page with what they
may see.

Source: HTML Standard, section 9.2.
"""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from node.web.hub import Listener
from node.web.keys import LIVE, VISIT

BEAT_S = 20.0
GATHER_S = 0.3


async def live(request: web.Request) -> web.StreamResponse:
    """The stream of one open page."""
    if request.method == "HEAD":
        return web.Response(content_type="text/event-stream")
    hub = request.app[LIVE]
    listener = hub.join(request[VISIT].audience)
    if listener is None:
        return web.Response(status=503, text="Too many pages listen already; this one stays as it is.")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    try:
        await response.prepare(request)
        await response.write(b"retry: 5000\n\n")
        while not hub.closed:
            await _next(listener, response)
    except (ConnectionResetError, asyncio.CancelledError):
        pass
    finally:
        hub.leave(listener)
    return response


async def _next(listener: Listener, response: web.StreamResponse) -> None:
    """Wait for a commit or a heart-beat, and say so."""
    try:
        await asyncio.wait_for(listener.moved.wait(), BEAT_S)
    except TimeoutError:
        await response.write(b": still here\n\n")
        return
    await asyncio.sleep(GATHER_S)  # what is committed together is told together
    listener.moved.clear()
    rooms, listener.rooms = sorted(listener.rooms), set()
    await response.write(f"event: moved\ndata: {json.dumps({'rooms': rooms})}\n\n".encode())
