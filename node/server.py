"""An aiohttp application behind a door that hostile connections do not hold open.

- aiohttp's parser in C is the one used; a Python fallback would read other framings, so the node does not start on it.
- A connection that has sent no whole request head within 10 seconds is cut off, from its first byte on and between
  requests; an idle one after 5 minutes. A body, but those between nodes, which have a rule of their own, is there within 5
  seconds or the request is answered 408 and the connection closed.
- Nothing that is compressed is unpacked: a request with a Content-Encoding is answered 415.
- A request names one host that can be one, speaks HTTP/1.0 or 1.1, and is framed by a length or in plain chunks; else 400.
- At most `MOST_CONNECTIONS` at a time; the newest is turned away.
- After an answer aiohttp reads on for 2 seconds at most; nothing is written about who asked for what, and no answer says
  with what it was made. What is refused before it is a request costs one line, which holds nothing of what was sent; a
  fault of ours is told with where it happened, without what it was about.

Example::

    listening = await listen(app, bind("127.0.0.1", 8400))
    ...
    await listening.close()
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import sys
import traceback
import weakref
from collections.abc import MutableMapping
from typing import Any

import structlog
from aiohttp import http_exceptions, http_parser, web
from aiohttp.typedefs import Handler

HEAD_DEADLINE_S = 10.0
BODY_DEADLINE_S = 5.0
IDLE_S = 300.0
MOST_CONNECTIONS = 512
MOST_BODY = 256 * 1024
PEERS = "/federation/"  # bodies between nodes: their own sizes and deadline
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")

log = structlog.get_logger("server")


class ServerError(Exception):
    """The server cannot run as it is; the message says what to do."""


class Door(asyncio.Protocol):
    """One connection: hands everything on to aiohttp's protocol, and cuts off whoever does not get a request out."""

    def __init__(self, inner: asyncio.Protocol, doors: Doors) -> None:
        self._inner, self._doors = inner, doors
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._doors.enter(self, transport):
            transport.abort()
            return
        self._wait()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if not self.busy and self._timer is None:
            self._wait()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        if self._transport is not None and self._doors.leave(self._transport):
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def begin(self) -> None:
        """A whole request head is here."""
        self.busy = True
        self._rest()

    def end(self) -> None:
        """The request was answered."""
        self.busy = False

    def _wait(self) -> None:
        self._rest()
        self._timer = asyncio.get_running_loop().call_later(self._doors.head_deadline_s, self._cut_off)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut_off(self) -> None:
        self._timer = None
        if self._transport is not None:
            self._transport.abort()


class Doors:
    """All connections of one server."""

    def __init__(self, head_deadline_s: float = HEAD_DEADLINE_S, most: int = MOST_CONNECTIONS) -> None:
        self.head_deadline_s, self.most = head_deadline_s, most
        self._held: weakref.WeakKeyDictionary[asyncio.BaseTransport, Door] = weakref.WeakKeyDictionary()

    def enter(self, door: Door, transport: asyncio.Transport) -> bool:
        """Whether there is room for one more."""
        if len(self._held) >= self.most:
            return False
        self._held[transport] = door
        return True

    def leave(self, transport: asyncio.Transport) -> bool:
        """Whether it had been let in."""
        if transport not in self._held:
            return False
        del self._held[transport]
        return True

    def of(self, request: web.Request) -> Door | None:
        """The door by which a request came."""
        transport = request.transport
        return self._held.get(transport) if transport is not None else None

    def middleware(self, body_deadline_s: float) -> Any:
        """Notes when requests begin and end, and has their bodies here in time."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            door = self.of(request)
            if door is not None:
                door.begin()
            try:
                refused = _framed(request) or await _take_body(request, body_deadline_s)
                return refused if refused is not None else await handler(request)
            finally:
                if door is not None:
                    door.end()

        return guard


def _framed(request: web.Request) -> web.Response | None:
    """What to answer to a request that another program could read otherwise than this one; None if there is no such."""
    if request.version not in ((1, 0), (1, 1)):
        return _refuse(400, "This node speaks HTTP/1.0 and HTTP/1.1.")
    host = request.headers.get("Host")
    if not _HOST.fullmatch(host or "") and (host is not None or request.version == (1, 1)):
        return _refuse(400, "The request does not say for which host it is.")
    if request.headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
        return _refuse(400, "Send the body in plain chunks or with its length.")
    return None


async def _take_body(request: web.Request, deadline_s: float) -> web.Response | None:
    """Read the body to its end, or what to answer instead."""
    if not request.can_read_body or request.path.startswith(PEERS):
        return None
    if "Content-Encoding" in request.headers:
        return _refuse(415, "Send the body as it is, without Content-Encoding.")
    if (request.content_length or 0) > MOST_BODY:
        return _refuse(413, f"A body has at most {MOST_BODY} bytes.")
    try:
        async with asyncio.timeout(deadline_s):
            await request.read()
    except TimeoutError:
        return _refuse(408, "The body did not arrive in time.")
    except web.HTTPRequestEntityTooLarge:
        return _refuse(413, f"A body has at most {MOST_BODY} bytes.")
    return None


async def _say_less(request: web.Request, response: web.StreamResponse) -> None:
    """Nobody needs to know what this node is built with."""
    response.headers.pop("Server", None)


def _refuse(status: int, sentence: str) -> web.Response:
    response = web.Response(status=status, text=f"{sentence}\n")
    response.force_close()
    return response


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """What aiohttp writes of a request, without address, content and, where the fault is not ours, without the way there."""

    def log(self, level: int, msg: object, *args: object, **_: Any) -> None:
        """One line; of a fault of ours also the lines of code that led to it."""
        error = sys.exc_info()[1]
        if level < logging.WARNING:
            return
        if error is None or isinstance(error, http_exceptions.HttpProcessingError):
            log.info("refused", status=400, reason=type(error).__name__ if error else "request")
            return
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
        log.error("a request failed", reason=type(error).__name__, where=where[-6:])

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """As it is."""
        return msg, kwargs


class Listening:
    """A server that is up."""

    def __init__(self, runner: web.AppRunner, server: asyncio.Server) -> None:
        self._runner, self._server = runner, server

    async def close(self) -> None:
        """Take no more connections, let requests end (2 seconds), close all."""
        self._server.close()
        await self._runner.cleanup()
        await self._server.wait_closed()


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens; ServerError if the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise ServerError(f"{host}:{port} cannot be listened on ({error.strerror}). Choose another with --port.") from error


async def listen(
    app: web.Application,
    where: socket.socket,
    *,
    head_deadline_s: float = HEAD_DEADLINE_S,
    body_deadline_s: float = BODY_DEADLINE_S,
) -> Listening:
    """Serve an application that is not frozen yet on a socket from `bind`, which is closed with it."""
    fast: Any = http_parser.HttpRequestParser
    if fast is http_parser.HttpRequestParserPy:
        raise ServerError("aiohttp runs without its parser in C here. Install aiohttp from a wheel for this machine.")
    doors = Doors(head_deadline_s)
    app.middlewares.insert(0, doors.middleware(body_deadline_s))
    app.on_response_prepare.append(_say_less)
    runner = web.AppRunner(
        app, access_log=None, logger=_Quiet(logging.getLogger(__name__)), auto_decompress=False, lingering_time=2.0,
        keepalive_timeout=IDLE_S, shutdown_timeout=2.0,
    )  # fmt: skip
    await runner.setup()
    inner: Any = runner.server
    server = await asyncio.get_running_loop().create_server(lambda: Door(inner(), doors), sock=where)
    return Listening(runner, server)
