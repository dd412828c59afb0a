"""What peers may ask of this node over HTTP: the one place of `federation` that answers requests.

    POST /federation/v1/<verb>     exchange, pull, notify, evidence: one signed body each, see `federation.envelope`

Rules:

- Only ``application/cbor`` with no Content-Encoding (415), within the verb's size (413), whole within five seconds (408).
- At most `MAX_AT_ONCE` requests are worked on at a time; more are told to come again (503).
- A refusal is a status and one sentence for the peer's operator, and one line in our log that holds no address, no name and
  nothing of what was sent.
- A reader that does not take what it asked for within ten seconds a piece is cut off.
- The heads of answers are kept small: whoever builds the application adds nothing to these routes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from federation import word
from federation.address import Guard
from federation.event import Event
from federation.fault import Ours, Theirs
from federation.outgoing import CBOR, Run
from federation.session import MAX_NOTIFY, VERBS, Answer, Service
from federation.storage import StorageError
from federation.transfer import MAX_REQUEST

BODY_DEADLINE_S = 5.0
PIECE_DEADLINE_S = 10.0
PIECE = 256 * 1024
MAX_AT_ONCE = 16
LIMITS = {"exchange": word.MAX_EXCHANGE, "pull": MAX_REQUEST, "notify": MAX_NOTIFY, "evidence": MAX_REQUEST}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger("federation")


class Refusal(Exception):
    """A request that is not looked at: status and sentence."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class Incoming:
    """The handlers; `run` is the one that the client uses too."""

    def __init__(
        self,
        service: Service,
        *,
        run: Run,
        now_ms: Callable[[], int],
        guard: Guard,
        on_event: Callable[[Event], None],
        body_deadline_s: float = BODY_DEADLINE_S,
    ) -> None:
        self.service, self._run, self._now_ms, self._guard, self._on_event = service, run, now_ms, guard, on_event
        self._body_deadline_s = body_deadline_s
        self._working = 0

    def routes(self) -> list[web.RouteDef]:
        """The routes of the peer verbs."""
        return [web.post(f"/federation/v1/{verb}", self._handler(verb)) for verb in VERBS]

    def _handler(self, verb: str) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                body = await self._body(request, LIMITS[verb])
                parts = await self._answer(verb, body, request)
            except Refusal as refusal:
                return _refuse(verb, refusal.status, type(refusal).__name__, str(refusal), close=True)
            except (Theirs, Ours) as error:
                return _refuse(verb, error.status, type(error).__name__, str(error), close=False)
            except StorageError as error:
                return _refuse(verb, 500, type(error).__name__, "This node could not do that now.", close=False)
            return await _send(request, parts)

        return handle

    async def _answer(self, verb: str, body: bytes, request: web.Request) -> list[bytes]:
        if self._working >= MAX_AT_ONCE:
            raise Refusal(503, "This node is busy. Come again in a few seconds.")
        private = self._guard.carries_private(secure=request.secure, remote=request.remote)
        self._working += 1
        try:
            answer = await self._run(self._work, verb, body, private)
        finally:
            self._working -= 1
        for event in answer.events:
            self._on_event(event)
        return answer.parts

    def _work(self, verb: str, body: bytes, private: bool) -> Answer:
        return self.service.answer(verb, body, self._now_ms(), private=private)

    async def _body(self, request: web.Request, limit: int) -> bytes:
        if request.headers.get("Content-Type") != CBOR or "Content-Encoding" in request.headers:
            raise Refusal(415, "A request between nodes is application/cbor without any Content-Encoding.")
        if (request.content_length or 0) > limit:
            raise Refusal(413, f"This request has at most {limit} bytes.")
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._body_deadline_s):
                async for piece in request.content.iter_any():
                    parts.append(piece)
                    size += len(piece)
                    if size > limit:
                        raise Refusal(413, f"This request has at most {limit} bytes.")
        except TimeoutError as error:
            raise Refusal(408, "The request did not arrive in time.") from error
        return b"".join(parts)


def routes(
    service: Service, *, run: Run, now_ms: Callable[[], int], guard: Guard, on_event: Callable[[Event], None]
) -> list[web.RouteDef]:
    """All that peers may ask of this node."""
    return Incoming(service, run=run, now_ms=now_ms, guard=guard, on_event=on_event).routes()


def _refuse(verb: str, status: int, reason: str, said: str, *, close: bool) -> web.Response:
    log.info("refused", verb=verb, status=status, reason=reason)
    response = web.Response(status=status, text=f"{said}\n")
    if close:
        response.force_close()
    return response


async def _send(request: web.Request, parts: list[bytes]) -> web.StreamResponse:
    size = sum(map(len, parts))
    if size <= PIECE:
        return web.Response(body=b"".join(parts), headers={"Content-Type": CBOR})
    response = web.StreamResponse(headers={"Content-Type": CBOR, "Content-Length": str(size)})
    await response.prepare(request)
    piece: list[bytes] = []
    held = 0
    try:
        for part in parts:
            piece.append(part)
            held += len(part)
            if held >= PIECE:
                async with asyncio.timeout(PIECE_DEADLINE_S):
                    await response.write(b"".join(piece))
                piece, held = [], 0
        async with asyncio.timeout(PIECE_DEADLINE_S):
            await response.write_eof(b"".join(piece))
    except TimeoutError:
        log.info("cut off", verb="pull", reason="slow reader")
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("a slow reader was cut off") from None
    return response
