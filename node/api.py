"""The JSON API under ``/api/v1``: what the pages show and do, for programs, with bearer tokens that have scopes.

A token acts for one member and can ``read``, or ``read`` and ``write``. Records are written through the one way in
(`node.actions`), so the same sentences refuse them. ``/api/v1/openapi.json`` describes all of it and needs no token.

- Every route but that names its scope; `_answering` is the only way to a handler, so that none can forget to ask.
- A token is good as long as its member is a member of this space: who has left reads nothing with it.
- Every answer that is not the one asked for is ``{"error": sentence}`` with a status.

Example::

    curl -H "Authorization: Bearer TOKEN" http://localhost:8400/api/v1/status
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Struct

from federation.storage import StorageError
from node.database import FAILURES
from node.home import Home
from node.names import telling_for
from node.openapi import document
from node.receipts import receipt_of
from node.render_json import json as blocks_json
from node.vault import Account
from node.words import AUDIENCE_NAMES, AUDIENCES
from protocol import body as bodies
from protocol import record
from protocol.judge import to_body
from protocol.keychain import space_name
from protocol.keys import SigningKey
from protocol.membership import MEMBERSHIPS, is_live
from protocol.practice import Refused, View
from protocol.practices import KINDS, PRACTICES
from protocol.record import RecordError

VERSION = "1"
log = structlog.get_logger("api")
MOST_BYTES = 256 * 1024
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiError(Exception):
    """An answer other than the one asked for."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Caller(Struct, frozen=True):
    """Who a token speaks for."""

    account: Account
    key: SigningKey
    scopes: frozenset[str]


CALLER = web.RequestKey("caller", Caller)


class Api:
    """The routes, over one node."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def routes(self) -> list[web.RouteDef]:
        """Every route, each with the scope that it takes."""
        reading: Mapping[str, Handler] = {
            "/api/v1/status": self.status,
            "/api/v1/kinds": self.kinds,
            "/api/v1/log": self.log,
            "/api/v1/records/{digest:[0-9a-f]{64}}": self.record,
            "/api/v1/receipts/{digest:[0-9a-f]{64}}": self.receipt,
            "/api/v1/practices/{practice:[a-z-]+}": self.practice,
        }
        return [
            web.get("/api/v1/openapi.json", self._answering("", self.openapi)),
            *(web.get(path, self._answering("read", handler)) for path, handler in reading.items()),
            web.post("/api/v1/records/{kind:[a-z.-]+/[0-9]{1,3}}", self._answering("write", self.write)),
        ]

    def _answering(self, scope: str, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                if scope:
                    request[CALLER] = await self._caller(request, scope)
                return await handler(request)
            except ApiError as error:
                return web.json_response(
                    {"error": str(error)}, status=error.status, headers=_ASK if error.status == 401 else None
                )
            except Refused as refusal:
                return web.json_response({"error": str(refusal)}, status=422)
            except _FAILED as error:
                log.error("the api failed", reason=type(error).__name__)
                return web.json_response({"error": "This node could not read or write its data. Nothing was done."}, status=500)

        return answer

    async def _caller(self, request: web.Request, scope: str) -> Caller:
        said = request.headers.get("Authorization", "")
        if not said.startswith("Bearer "):
            raise ApiError(401, "Send a token: Authorization: Bearer TOKEN. Make one on your page under keys and devices.")
        token = said.removeprefix("Bearer ").strip()
        known = _TOKEN.fullmatch(token) is not None
        found = await self.home.write(lambda: self.home.accounts.token(token)) if known else None
        if found is None:
            raise ApiError(401, "This token is not known here, or was revoked. Make a new one.")
        caller = Caller(*found)
        if scope not in caller.scopes:
            raise ApiError(403, f"This token may not {scope}. Make one with that scope.")
        member, now_ms = caller.account.member, self.home.clock.now_ms()
        if not await self.home.read(lambda view: is_live(view.get(MEMBERSHIPS, member), now_ms)):
            raise ApiError(403, "This token's member is not a member of this space now, so it opens nothing.")
        return caller

    async def openapi(self, request: web.Request) -> web.Response:
        """The description of all this."""
        return web.json_response(document(VERSION))

    async def status(self, request: web.Request) -> web.Response:
        """How this node stands."""
        return web.json_response(await self.home.write(self.home.status))

    async def kinds(self, request: web.Request) -> web.Response:
        """The kinds of record and their fields."""
        told = [
            {
                "kind": kind.name,
                "title": kind.title,
                "needs": kind.needs,
                "audience": AUDIENCE_NAMES[kind.audience],
                "schema": document(VERSION)["components"]["schemas"][kind.name.replace("/", ".")],
            }
            for kind in KINDS.values()
        ]
        return web.json_response(told)

    async def log(self, request: web.Request) -> web.Response:
        """Entries of our log, oldest first."""
        start, limit = _number(request, "start", 0, 2**53), _number(request, "limit", 100, 1000)

        def read() -> list[dict[str, Any]]:
            log = self.home.log
            rows = self.home.store.rows(self.home.space, start, min(start + limit, log.size))
            return [
                {
                    "position": at,
                    "public": row.flag == 0,
                    "logged_ms": row.logged * 60_000,
                    "digest": row.digest.hex(),
                    **_kind(row.record),
                }
                for at, row in enumerate(rows, start)
            ]

        return web.json_response(await self.home.write(read))

    async def record(self, request: web.Request) -> web.Response:
        """One record."""
        digest = bytes.fromhex(request.match_info["digest"])
        return web.json_response(await self.home.write(lambda: told_record(self.home, digest)))

    async def receipt(self, request: web.Request) -> web.Response:
        """A record's receipt."""
        digest = bytes.fromhex(request.match_info["digest"])
        return web.Response(text=await self.home.write(lambda: _receipt(self.home, digest)))

    async def practice(self, request: web.Request) -> web.Response:
        """A practice's page as blocks."""
        name, now_ms = request.match_info["practice"], self.home.clock.now_ms()
        practice = next((each for each in PRACTICES if each.name == name), None)
        if practice is None:
            raise ApiError(404, f"There is no practice “{name}”. There is: {', '.join(each.name for each in PRACTICES)}.")

        def draw(view: View) -> bytes:
            return blocks_json(practice.page(view, now_ms), telling_for(self.home, view, now_ms))

        return web.Response(body=await self.home.read(draw), content_type="application/json")

    async def write(self, request: web.Request) -> web.Response:
        """Write a record of a kind."""
        name, caller = request.match_info["kind"], request[CALLER]
        kind = KINDS.get(name)
        if kind is None:
            raise ApiError(404, f"This node knows no kind “{name}”. See /api/v1/kinds.")
        if request.content_type != "application/json":
            raise ApiError(400, "Send the body as application/json.")
        value = await _json(request)
        audience = request.query.get("audience")
        if audience is not None and audience not in AUDIENCES:
            raise ApiError(400, f"audience: one of {', '.join(AUDIENCES)}.")
        spoken = None if audience is None else AUDIENCES[audience]
        placed = await self.home.write(lambda: self.home.actions.submit(name, value, caller.key, spoken))
        told = {"digest": placed.digest.hex(), "position": placed.position, "logged_ms": placed.logged_ms}
        return web.json_response(told, status=201)


def told_record(home: Home, digest: bytes) -> dict[str, Any]:
    """What a record says and where it stands, as JSON; ApiError 404 if it is not held, or not by us."""
    found = home.store.find(digest)
    if found is None or found.row.record is None:
        raise ApiError(404, "There is no such record here.")
    told = {
        "digest": digest.hex(),
        "space": space_name(found.space),
        "position": found.position,
        "logged_ms": found.row.logged * 60_000,
        "raw": found.row.record.hex(),
    }
    try:
        return told | _read(found.row.record, found.row.annex)
    except RecordError:  # bytes that are no record, in the log of a space that let them in
        return told | {"kind": "", "body": None}


def _read(raw: bytes, annex: bytes | None) -> dict[str, Any]:
    read = record.parse(raw)
    words = record.words_of(annex, read.annex_hash)
    kind = KINDS.get(read.kind)
    try:
        body: Any = bodies.to_json(to_body(kind, read.body, words)) if kind else None
    except Refused:
        body = None
    return {
        "at_ms": read.at_ms,
        "kind": read.kind,
        "author": read.author.hex(),
        "audience": list(map(space_name, read.audience)) if isinstance(read.audience, tuple) else AUDIENCE_NAMES[read.audience],
        "body": body,
        "erased": bool(read.annex_hash) and not words,
    }


_FAILED: tuple[type[Exception], ...] = (StorageError, OSError, *FAILURES)
_TOKEN = re.compile("[0-9a-f]{64}")


def _receipt(home: Home, digest: bytes) -> str:
    if home.store.find(digest) is None:
        raise ApiError(404, "There is no such record here.")
    return receipt_of(home, digest)


_ASK = {"WWW-Authenticate": "Bearer"}


def _kind(raw: bytes | None) -> dict[str, str]:
    if raw is None:
        return {}
    try:
        return {"kind": record.parse(raw).kind}
    except RecordError:
        return {}


async def _json(request: web.Request) -> Any:
    try:
        data = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise ApiError(413, f"A body has at most {MOST_BYTES} bytes.") from error
    if len(data) > MOST_BYTES:
        raise ApiError(413, f"A body has at most {MOST_BYTES} bytes.")
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ApiError(400, f"The body is not JSON: {error}.") from error


def _number(request: web.Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 20 or int(text) > most:
        raise ApiError(400, f"{name}: a whole number from 0 to {most}.")
    return int(text)
