"""The web application: one table of routes, each with the right that it takes, and what holds for all of them.

- Every route names its right; `_guard` is the only way to a handler, so that none can forget to ask.
- Requests that change something are checked for where they come from before anything else (`node/web/session.py`).
- Every answer carries the strict policy: styles, scripts and forms of this node alone, no frame, nothing inline.
- Whatever goes wrong is told as a page: what happened, what was kept, what to do now.

    web.run_app(construct_app(Home.open(folder)))
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import structlog
from aiohttp import web
from msgspec import Struct

from federation.storage import StorageError
from node.api import Api
from node.database import FAILURES
from node.home import Home
from node.markup import element
from node.vault import VaultError
from node.web import assembly, door, me, pages, writing
from node.web.desk import STATIC_TYPES, Desk, Page, Seen
from node.web.hub import Live
from node.web.keys import DESK, LIVE, VISIT
from node.web.live import live
from node.web.session import Foreign, Visit, check_source, is_secure, session_id_of
from node.web.typed import MOST_BYTES, Unreadable, typed
from protocol.practice import Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANYONE, ACCOUNT, MEMBER = "anyone", "account", "member"
READS = ("GET", "HEAD")  # all others may change something
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_YEAR_S = 31_536_000
log = structlog.get_logger("web")


class Route(Struct, frozen=True):
    """A way in, and the right that it takes."""

    method: str
    path: str
    handler: Handler
    right: str


class Routed(Protocol):
    """What brings more routes: the federation's public and peer faces, which guard themselves."""

    def routes(self) -> Iterable[web.RouteDef]:
        """The routes."""


_DIGEST = "[0-9a-f]{64}"
_KIND = "[a-z][a-z.-]{0,60}/[0-9]{1,3}"
_SPACE = "isle:[a-z2-7]{52}"
_PRACTICE = "[a-z][a-z-]{0,40}"

ROUTES = (
    Route("GET", "/", pages.home, ANYONE),
    *(Route("GET", f"/{name}", pages.room, ANYONE) for name in ("assembly", "commons", "campaigns", "archipelago")),
    Route("GET", "/memory", pages.memory, ANYONE),
    Route("GET", "/moon", pages.moon, ANYONE),
    Route("GET", "/agenda", assembly.agenda, ANYONE),
    Route("GET", "/assembly/run", assembly.run, MEMBER),
    Route("POST", "/assembly/run", assembly.ran, MEMBER),
    Route("GET", f"/practice/{{practice:{_PRACTICE}}}", pages.practice, ANYONE),
    Route("GET", "/space", pages.space, ANYONE),
    Route("GET", f"/space/{{space:{_SPACE}}}", pages.space, ANYONE),
    Route("GET", f"/space/{{space:{_SPACE}}}/{{practice:{_PRACTICE}}}", pages.space, ANYONE),
    Route("GET", f"/member/{{member:{_DIGEST}}}", pages.member, ANYONE),
    Route("GET", f"/record/{{digest:{_DIGEST}}}", pages.record, ANYONE),
    Route("GET", f"/record/{{digest:{_DIGEST}}}/receipt", pages.receipt, ANYONE),
    Route("GET", f"/record/new/{{kind:{_KIND}}}", writing.blank, MEMBER),
    Route("POST", f"/record/new/{{kind:{_KIND}}}", writing.filled_in, MEMBER),
    Route("GET", f"/carry-out/{{digest:{_DIGEST}}}", writing.carry_out, MEMBER),
    Route("GET", "/login", door.login, ANYONE),
    Route("POST", "/login", door.log_in, ANYONE),
    Route("POST", "/logout", door.log_out, ANYONE),
    Route("GET", "/invite", door.invite, MEMBER),
    Route("POST", "/invite", door.make_invitation, MEMBER),
    Route("GET", "/join", door.join, ANYONE),
    Route("POST", "/join", door.come_in, ANYONE),
    Route("GET", "/me", me.me, ACCOUNT),
    Route("POST", "/me/tokens", me.make_token, MEMBER),
    Route("POST", "/me/tokens/revoke", me.revoke_token, ACCOUNT),
    Route("GET", "/live", live, ANYONE),
)


def construct_app(home: Home, service: Routed | None = None) -> web.Application:
    """The application over one node; `service` brings the routes of the federation."""
    desk, hub = Desk(home), Live(home)
    app = web.Application(
        middlewares=[_with_headers],
        client_max_size=MOST_BYTES,
        handler_args={"auto_decompress": False, "lingering_time": 2.0},
    )
    app[DESK], app[LIVE] = desk, hub
    app.add_routes([web.route(each.method, each.path, _guard(each)) for each in ROUTES])
    app.add_routes([web.get("/static/{name:[a-z-]+[.](?:css|js|svg)}", _static)])
    app.add_routes(Api(home).routes())
    if service is not None:
        app.add_routes(list(service.routes()))

    async def start(app: web.Application) -> None:
        hub.start(asyncio.get_running_loop())

    async def shut(app: web.Application) -> None:
        hub.close()

    async def clean(app: web.Application) -> None:
        desk.close()

    app.on_startup.append(start)
    app.on_shutdown.append(shut)
    app.on_cleanup.append(clean)
    return app


def _guard(route: Route) -> Handler:
    """The only way to a page's handler: who asks, from where, and with what right."""

    async def answer(request: web.Request) -> web.StreamResponse:
        desk = request.app[DESK]
        request[VISIT] = Visit()
        try:
            if request.method not in READS:
                check_source(request)
            session_id = session_id_of(request, secure=is_secure(request, desk.own_url))
            if session_id:
                request[VISIT] = await door.recognised(desk, session_id)
            return await _admitted(request, route)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return await _failed(request, error.status, error.text or error.reason)
        except Foreign as error:
            return await _failed(request, 403, str(error))
        except Unreadable as error:
            return await _failed(request, error.status, str(error))
        except (Refused, VaultError) as error:
            return await _failed(request, 422, str(error))
        except _FAILED:
            log.exception("a page failed")
            return await _failed(request, 500, "This node could not read or write its data. Nothing was changed; try again.")

    return answer


async def _admitted(request: web.Request, route: Route) -> web.StreamResponse:
    visit = request[VISIT]
    if route.right != ANYONE and visit.session is None:
        if request.method not in READS:
            return await door.show_login(request, await typed(request), next_path=request.path, status=401)
        raise web.HTTPSeeOther(f"/login?next={request.rel_url.raw_path_qs}")
    if route.right == MEMBER and not visit.live:
        said = "This takes a member of this space, and you are not one now. On your page it says why."
        raise web.HTTPForbidden(text=said)
    return await route.handler(request)


_FAILED: tuple[type[Exception], ...] = (StorageError, OSError, *FAILURES)
_TITLES = {401: "Log in first", 403: "Not done", 404: "Not here", 422: "Not done"}


async def _failed(request: web.Request, status: int, sentence: str) -> web.Response:
    """A page that says what went wrong."""

    def build(seen: Seen) -> Page:
        back = element("p", element("a", "To Today", href="/", class_="button second"))
        body = element("section", element("p", seen.telling.local(sentence)), back, class_="wide")
        return Page(_TITLES.get(status, "Something went wrong"), body, "", status)

    return await request.app[DESK].show(request, request[VISIT], build)


async def _static(request: web.Request) -> web.Response:
    """A style sheet, script or picture of ours; its address changes with its content, so it is kept for a year."""
    name = request.match_info["name"]
    data = request.app[DESK].static.get(name)
    if data is None:
        raise web.HTTPNotFound(text="There is no such file here.")
    headers = {"Cache-Control": f"public, max-age={_YEAR_S}, immutable"}
    kind = STATIC_TYPES["." + name.rpartition(".")[2]]
    response = web.Response(body=data, content_type=kind, charset="utf-8", headers=headers)
    response.enable_compression()
    return response


@web.middleware
async def _with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The strict policy on every answer, errors and redirects among them; a path that nobody knows gets a page."""
    if request.path.startswith("/federation/"):  # between nodes every byte counts, and nothing is shown
        return await handler(request)
    request[VISIT] = Visit()
    try:
        response = await handler(request)
    except web.HTTPNotFound:
        if request.path.startswith(("/api/", "/log/", "/federation/", "/.well-known/")):
            raise
        response = await _failed(request, 404, "There is no such page here. The rooms above lead everywhere.")
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    return response
