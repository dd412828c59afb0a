"""Who may use which route: a table over every route of a running node, and who asks. A route without a row fails.

Also what a request must carry that changes something, what a session's cookie may do, and what every answer says besides.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from msgspec import Struct

from node.demo_fill import PASSWORD
from node.home import Home
from node.station import Station
from node.web.app import construct_app
from tests.web.isles import Isle
from tests.web.places import entries, last_of, member_page

OWN = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
BOOK = "/record/new/ledger.transaction-booked/1"
TURN = "ledger.transaction-booked/1"

# (a path, then what these get: nobody known, an account whose holder is no member, a member). A form is sent without its token.
Row = tuple[str, tuple[int, int, int]]
ALL, LOG_IN, ACCOUNT = (200, 200, 200), (303, 403, 200), (303, 200, 200)
REFUSED = (401, 403, 403)  # nobody is asked to log in; a member's form without its token is not taken
TABLE: dict[str, Row] = {
    "GET /": ("/", ALL),
    "GET /assembly": ("/assembly", ALL),
    "GET /commons": ("/commons", ALL),
    "GET /campaigns": ("/campaigns", ALL),
    "GET /archipelago": ("/archipelago", ALL),
    "GET /memory": ("/memory", ALL),
    "GET /moon": ("/moon", ALL),
    "GET /agenda": ("/agenda", ALL),
    "GET /assembly/run": ("/assembly/run", LOG_IN),
    "POST /assembly/run": ("/assembly/run", REFUSED),
    "GET /carry-out/{digest}": ("/carry-out/PUBLIC", (303, 403, 422)),
    "GET /practice/{practice}": ("/practice/ledger", ALL),
    "GET /space": ("/space", ALL),
    "GET /space/{space}": ("/space/SPACE", ALL),
    "GET /space/{space}/{practice}": ("/space/SPACE/ledger", ALL),
    "GET /member/{member}": ("/member/MEMBER", ALL),
    "GET /record/{digest}": ("/record/PUBLIC", ALL),
    "GET /record/{digest}/receipt": ("/record/PUBLIC/receipt", ALL),
    "GET /record/new/{kind}": (BOOK, LOG_IN),
    "POST /record/new/{kind}": (BOOK, REFUSED),
    "GET /login": ("/login", (200, 303, 303)),
    "POST /login": ("/login", (422, 422, 422)),
    "POST /logout": ("/logout", (303, 403, 403)),
    "GET /invite": ("/invite", LOG_IN),
    "POST /invite": ("/invite", REFUSED),
    "GET /join": ("/join", ALL),
    "POST /join": ("/join", (422, 422, 422)),
    "GET /me": ("/me", ACCOUNT),
    "POST /me/tokens": ("/me/tokens", REFUSED),
    "POST /me/tokens/revoke": ("/me/tokens/revoke", REFUSED),
    "GET /live": ("/live", ALL),
    "GET /static/{name}": ("/static/style.css", ALL),
    # programs: a cookie opens nothing here, only a token does
    "GET /api/v1/openapi.json": ("/api/v1/openapi.json", ALL),
    "GET /api/v1/status": ("/api/v1/status", (401, 401, 401)),
    "GET /api/v1/kinds": ("/api/v1/kinds", (401, 401, 401)),
    "GET /api/v1/log": ("/api/v1/log", (401, 401, 401)),
    "GET /api/v1/records/{digest}": ("/api/v1/records/PUBLIC", (401, 401, 401)),
    "GET /api/v1/receipts/{digest}": ("/api/v1/receipts/PUBLIC", (401, 401, 401)),
    "GET /api/v1/practices/{practice}": ("/api/v1/practices/ledger", (401, 401, 401)),
    "POST /api/v1/records/{kind}": (f"/api/v1/records/{TURN}", (401, 401, 401)),
    # other nodes: by signature alone
    "POST /federation/v1/exchange": ("/federation/v1/exchange", (415, 415, 415)),
    "POST /federation/v1/pull": ("/federation/v1/pull", (415, 415, 415)),
    "POST /federation/v1/notify": ("/federation/v1/notify", (415, 415, 415)),
    "POST /federation/v1/evidence": ("/federation/v1/evidence", (415, 415, 415)),
    "POST /add-checkpoint": ("/add-checkpoint", (400, 400, 400)),
    "GET /.well-known/archipelago": ("/.well-known/archipelago", ALL),
    "GET /log/{tail}": ("/log/SPACE/checkpoint", ALL),
}
ROLES = ("nobody", "account", "member")


class Answer(Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    cookies: list[str]
    text: str


def ask(isle: Isle, method: str, path: str, headers: Mapping[str, str] | None = None, body: str | None = None) -> Answer:
    """One request, without following anything."""
    connection = http.client.HTTPConnection(urlsplit(isle.url).netloc, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}))
        got = connection.getresponse()
        stream = got.headers.get_content_type() == "text/event-stream"
        text = got.readline() if stream else got.read()
        return Answer(got.status, dict(got.headers), got.headers.get_all("Set-Cookie") or [], text.decode("utf-8", "replace"))
    finally:
        connection.close()


def as_role(isle: Isle, role: str) -> dict[str, str]:
    """The headers of somebody's browser."""
    login = {"nobody": "", "account": "Passing", "member": isle.member}[role]
    return {"Cookie": f"session={isle.sessions[login]}"} if login else {}


async def routes(folder: Path) -> set[str]:
    """Every way into a node."""
    home = Home.found(folder, "Isle", "Ada")
    station = Station(home, ["http://127.0.0.1:1"])
    app = construct_app(home)
    app.add_routes(station.routes())
    found = {
        f"{each.method} {each.resource.canonical}" for each in app.router.routes() if each.resource and each.method != "HEAD"
    }
    await station.close()
    home.close()
    return found


async def test_every_route_has_its_row(tmp_path: Path) -> None:
    assert await routes(tmp_path / "isle") == set(TABLE)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", TABLE)
def test_a_route_gives_what_the_table_says(isles: dict[str, Isle], route: str, role: str) -> None:
    isle = isles["harbour"]
    path, statuses = TABLE[route]
    method = route.partition(" ")[0]
    path = path.replace("SPACE", isle.space).replace("PUBLIC", last_of(isle, TURN))
    path = path.replace("/member/MEMBER", member_page(isle))
    sent = OWN if method == "POST" else {}
    got = ask(isle, method, path, {**as_role(isle, role), **sent}, "" if method == "POST" else None)
    assert got.status == statuses[ROLES.index(role)], got.text[:300]
    if method == "GET" and got.status == 303 and role == "nobody":
        assert got.headers["Location"] == f"/login?next={path}"


@pytest.mark.parametrize("name", ["/", "/me", "/nowhere", BOOK, "/static/style.css", "/record/" + "0" * 64, "/login"])
def test_every_answer_carries_the_strict_policy(isles: dict[str, Isle], name: str) -> None:
    got = ask(isles["harbour"], "GET", name)
    policy = got.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert got.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/me", "/live", "/nowhere"])
def test_asking_for_the_head_alone_is_like_asking_for_the_page(isles: dict[str, Isle], path: str) -> None:
    isle = isles["harbour"]
    head, got = ask(isle, "HEAD", path), ask(isle, "GET", path)
    assert (head.status, head.headers["Content-Type"]) == (got.status, got.headers["Content-Type"])
    assert not head.text


# What changes something must come from here


FOREIGN: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {},
)


@pytest.mark.parametrize("path", [TABLE[route][0] for route in TABLE if route.startswith("POST ") and "/v1/" not in route][:-1])
@pytest.mark.parametrize("headers", FOREIGN, ids=[" ".join(each.values()) or "bare" for each in FOREIGN])
def test_what_another_site_sends_is_refused(isles: dict[str, Isle], path: str, headers: dict[str, str]) -> None:
    isle = isles["harbour"]
    sent = {**as_role(isle, "member"), **headers, "Content-Type": OWN["Content-Type"]}
    form = {"csrf": token(isle), "login": isle.member, "password": PASSWORD, "days": "7", "label": "x", "scope": "read"}
    got = ask(isle, "POST", path, sent, urlencode(form))
    assert got.status == 403, got.text[:300]
    assert not got.cookies
    assert "nothing was done" in got.text


def token(isle: Isle, login: str = "") -> str:
    """The token of a form in a member's page."""
    who = {"Cookie": f"session={isle.sessions[login or isle.member]}"}
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', ask(isle, "GET", BOOK, who).text)
    assert found
    return found[1]


def test_a_token_of_another_session_or_none_is_refused_and_its_own_is_taken(isles: dict[str, Isle]) -> None:
    isle = isles["harbour"]
    first, second = list(isle.sessions)[:2]
    sent = {**OWN, "Cookie": f"session={isle.sessions[first]}"}
    for wrong in ("", "00" * 32, token(isle, second), "zz"):
        assert ask(isle, "POST", BOOK, sent, urlencode({"csrf": wrong})).status == 403
    assert ask(isle, "POST", BOOK, sent, urlencode({"csrf": token(isle, first)})).status == 422
    assert token(isle, first) != token(isle, first), "a token is masked anew for each page"


def test_a_body_that_is_no_form_or_too_large_is_refused(isles: dict[str, Isle]) -> None:
    isle = isles["harbour"]
    who = as_role(isle, "member")
    json = {**who, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
    assert ask(isle, "POST", BOOK, json, "{}").status == 415
    assert ask(isle, "POST", BOOK, {**who, **OWN}, "memo=" + "x" * 300_000).status == 413


# Sessions


def log_in(isle: Isle, password: str, headers: Mapping[str, str] | None = None, **more: str) -> Answer:
    """Send the form to log in."""
    form = urlencode({"login": isle.member, "password": password, **more})
    return ask(isle, "POST", "/login", {**OWN, **(headers or {})}, form)


def test_a_session_is_a_new_random_cookie_that_scripts_and_other_sites_do_not_get(isles: dict[str, Isle]) -> None:
    isle = isles["empty"]
    assert not log_in(isle, "not the password").cookies
    first = log_in(isle, PASSWORD)
    assert first.status == 303
    (cookie,) = [each for each in first.cookies if each.startswith("session=")]
    value, *flags = cookie.split("; ")
    assert re.fullmatch("session=[0-9a-f]{64}", value)
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(flags)
    assert not any(flag.startswith("Domain") for flag in flags)
    second = log_in(isle, PASSWORD, {"Cookie": value})
    assert not any(each.startswith(value) for each in second.cookies), "logging in gives a new session"
    assert ask(isle, "GET", "/me", {"Cookie": value}).status == 303, "and ends the old one"


def test_a_session_is_gone_at_once_when_one_logs_out(isles: dict[str, Isle]) -> None:
    isle = isles["empty"]
    (cookie,) = [each.partition(";")[0] for each in log_in(isle, PASSWORD).cookies if each.startswith("session=")]
    page = ask(isle, "GET", "/me", {"Cookie": cookie})
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)
    assert found
    out = ask(isle, "POST", "/logout", {**OWN, "Cookie": cookie}, urlencode({"csrf": found[1]}))
    assert out.status == 303
    assert ask(isle, "GET", "/me", {"Cookie": cookie}).status == 303


@pytest.mark.parametrize(
    "where", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "\t//evil.example"]
)
def test_logging_in_leads_nowhere_else(isles: dict[str, Isle], where: str) -> None:
    got = log_in(isles["empty"], PASSWORD, next=where)
    assert got.headers["Location"] == "/"


def test_what_is_for_members_is_seen_by_members_alone(isles: dict[str, Isle]) -> None:
    isle = isles["harbour"]
    narrow = next(each for each in entries(isle.folder) if each["audience"] == "members")
    for path in (f"/record/{narrow['digest']}", f"/record/{narrow['digest']}/receipt"):
        assert ask(isle, "GET", path, as_role(isle, "member")).status == 200
        for role in ("nobody", "account"):
            got = ask(isle, "GET", path, as_role(isle, role))
            assert got.status == 404
            assert got.text.count("Not here"), "it looks as if there was no such record"
    assert "noor@harbour.example" in ask(isle, "GET", "/assembly", as_role(isle, "member")).text
    for role in ("nobody", "account"):
        assert "noor@harbour.example" not in ask(isle, "GET", "/assembly", as_role(isle, role)).text
