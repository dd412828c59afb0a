"""Coming in and going out: log in, log out, invite, join.

A member who joins here gets a key that is made on this machine and sealed under their password; nobody else can open it,
the keeper of the node included, but for what is typed into a page while they control it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TypeVar

import segno
from aiohttp import web
from markupsafe import Markup

from node import invitation
from node.markup import element
from node.vault import LEAST_PASSWORD, Account, VaultError
from node.web import writing
from node.web.desk import Desk, Page, Seen
from node.web.keys import DESK, VISIT
from node.web.plain_forms import Question, ask
from node.web.session import Visit, check_token, drop, is_secure, keep, own_path
from node.web.typed import typed
from node.words import local
from protocol.keys import SigningKey
from protocol.membership import MEMBERSHIPS, is_live
from protocol.practice import Refused
from protocol.practices import KINDS

T = TypeVar("T")
DAY_MS = 86_400_000
_LOGIN = (
    Question("login", "Name", "The one you chose when you joined.", autocomplete="username"),
    Question("password", "Password", type="password", autocomplete="current-password"),
)
_DAYS = (("1", "one day"), ("7", "a week"), ("14", "two weeks"))
_JOIN = (
    Question("secret", "Invitation", "The link or the line that you were sent; it is for one person."),
    Question("login", "Name", "What the others call you. Members see it; other spaces never do.", autocomplete="username"),
    Question(
        "password",
        "Password",
        f"At least {LEAST_PASSWORD} characters. A few words in a row are easy to keep in mind.",
        type="password",
        autocomplete="new-password",
    ),
)
_KEPT = "kept."


# Log in


async def login(request: web.Request) -> web.StreamResponse:
    """The form to log in."""
    visit = request[VISIT]
    if visit.session:
        raise web.HTTPSeeOther("/")
    return await show_login(request, {}, next_path=own_path(request.query.get("next", "/")))


async def show_login(
    request: web.Request, kept: Mapping[str, str], *, next_path: str, error: str = "", login: str = "", status: int = 200
) -> web.Response:
    """The form to log in; what was typed elsewhere travels along."""
    carried = {"next": next_path, **{f"{_KEPT}{name}": value for name, value in kept.items()}}
    lead = "Your session is over. Log in, and what you typed will be there again." if kept else ""

    def build(seen: Seen) -> Page:
        body = ask("/login", _LOGIN, "Log in", values={"login": login}, kept=carried, error=error)
        more = element("p", "You have an invitation? ", element("a", "Join with it", href="/join"), ".")
        return Page("Log in", element("section", body, more, class_="wide"), lead, status)

    return await request.app[DESK].show(request, Visit(), build)


async def log_in(request: web.Request) -> web.StreamResponse:
    """Check name and password; go on to where one wanted to be."""
    desk, values = request.app[DESK], await typed(request)
    kept = {name.removeprefix(_KEPT): value for name, value in values.items() if name.startswith(_KEPT)}
    next_path = own_path(values.get("next", "/"))
    name, password, now_ms = values.get("login", ""), values.get("password", ""), desk.home.clock.now_ms()
    try:
        account, key = await run(desk, lambda: desk.home.accounts.unlock(name, password, now_ms))
    except VaultError as error:
        return await show_login(request, kept, next_path=next_path, error=str(error), login=name, status=422)
    if kept and next_path.startswith("/record/new/"):
        return await _go_on(request, desk, account, key, kept, next_path)
    response = web.Response(status=303, headers={"Location": next_path})
    await begin(request, response, account, key)
    return response


async def _go_on(
    request: web.Request, desk: Desk, account: Account, key: SigningKey, kept: Mapping[str, str], path: str
) -> web.StreamResponse:
    """The form that was sent when the session was over, filled in again; nothing is written before it is sent once more."""
    kind = KINDS.get(path.removeprefix("/record/new/"))
    if kind is None:
        raise web.HTTPSeeOther("/")
    session_id = await _begin(desk, account, key)
    visit = await recognised(desk, session_id)
    values = {name: value for name, value in kept.items() if name != "csrf"}
    response = await writing.go_on(request, visit, kind, {**values, "do": "change"}, path)
    keep(response, session_id, secure=is_secure(request, desk.own_url))
    return response


async def log_out(request: web.Request) -> web.StreamResponse:
    """The session is gone at once."""
    desk, visit = request.app[DESK], request[VISIT]
    values = await typed(request)
    response = web.Response(status=303, headers={"Location": "/"})
    if visit.session:
        check_token(visit.session, values.get("csrf", ""))
        number, session_id = visit.session.account.number, visit.session_id
        if values.get("everywhere"):
            await run(desk, lambda: desk.home.accounts.end_all(number))
        else:
            await run(desk, lambda: desk.home.accounts.end(session_id))
    drop(response, secure=is_secure(request, desk.own_url))
    return response


async def recognised(desk: Desk, session_id: str) -> Visit:
    """Who a session belongs to."""
    home = desk.home
    now_ms = home.clock.now_ms()
    loop = asyncio.get_running_loop()
    session = await loop.run_in_executor(desk.accounts, lambda: home.accounts.resume(session_id, now_ms))
    if session is None:
        return Visit()
    member = session.account.member
    live = await home.read(lambda view: is_live(view.get(MEMBERSHIPS, member), now_ms))
    return Visit(session, session_id, live)


async def begin(request: web.Request, response: web.StreamResponse, account: Account, key: SigningKey) -> None:
    """A new session for somebody who has just proved who they are; the old one ends."""
    desk, visit = request.app[DESK], request[VISIT]
    if visit.session:
        await run(desk, lambda: desk.home.accounts.end(visit.session_id))
    keep(response, await _begin(desk, account, key), secure=is_secure(request, desk.own_url))


async def _begin(desk: Desk, account: Account, key: SigningKey) -> str:
    home = desk.home
    return await run(desk, lambda: home.accounts.begin(account, key, home.clock.random(72), home.clock.now_ms()))


async def run(desk: Desk, work: Callable[[], T]) -> T:
    """Run this where at most two password hashes run at a time."""
    return await asyncio.get_running_loop().run_in_executor(desk.slow, work)


# Invite and join


async def invite(request: web.Request) -> web.Response:
    """The form to open a door for one person."""
    return await _show_invite(request, Markup(), "")


async def _show_invite(request: web.Request, made: Markup, error: str) -> web.Response:
    kind = KINDS["member.invited/1"]

    def build(seen: Seen) -> Page:
        question = Question("days", "Good for", "Send it soon: after that nobody can join with it.", options=_DAYS)
        body = ask(
            "/invite", [question], "Make an invitation", values={"days": "7"}, kept={"csrf": seen.token}, error=error,
            before=kind.consequence,
        )  # fmt: skip
        return Page(kind.title, element("section", made, body, class_="wide"), kind.help, 422 if error else 200)

    return await request.app[DESK].show(request, request[VISIT], build, "assembly")


async def make_invitation(request: web.Request) -> web.Response:
    """Open the door and show what to send, this once."""
    desk, visit, values = request.app[DESK], request[VISIT], await typed(request)
    assert visit.session is not None
    check_token(visit.session, values.get("csrf", ""))
    home, key = desk.home, visit.session.key
    if values.get("days") not in dict(_DAYS):
        return await _show_invite(request, Markup(), "Good for: choose one of those given.")
    secret = home.clock.random(16)
    expires_ms = (home.clock.now_ms() + int(values["days"]) * DAY_MS) // 60_000 * 60_000
    body = {"hash": sha256(secret).hexdigest(), "expires_ms": expires_ms}
    try:
        await home.write(lambda: home.actions.submit("member.invited/1", body, key))
    except Refused as refusal:
        return await _show_invite(request, Markup(), local(str(refusal), desk.zone))
    address = desk.own_url or f"{'https' if is_secure(request, desk.own_url) else 'http'}://{request.host}"
    return await _show_invite(request, _invitation(home.space, secret, address), "")


def _invitation(space: bytes, secret: bytes, address: str) -> Markup:
    link = f"{address.rstrip('/')}/join?invitation={secret.hex()}"
    line = invitation.format(invitation.Join(space, secret, address))
    drawn = Markup(segno.make(link, error="m").svg_inline(scale=4, svgclass="qr", lineclass=None))  # noqa: S704  # segno's own
    return element(
        "div",
        element("h2", "Send this to one person"),
        element("p", "It is shown only now. Whoever has it can join, once; send it on a way that others do not read."),
        element("p", element("code", link)),
        element("figure", drawn, element("figcaption", "The same, to be read by a telephone")),
        element("details", element("summary", "for the command line"), element("p", element("code", line))),
    )


async def join(request: web.Request) -> web.Response:
    """The form to come in."""
    given = request.query.get("invitation", "")
    return await _show_join(request, {"secret": given}, "")


async def _show_join(request: web.Request, values: Mapping[str, str], error: str) -> web.Response:
    kind = KINDS["member.joined/1"]

    def build(seen: Seen) -> Page:
        body = ask("/join", _JOIN, f"Join {seen.home.name}", values=values, error=error, before=kind.consequence)
        lead = "For somebody whom a member has invited."
        return Page(f"Join {seen.home.name}", element("section", body, class_="wide"), lead, 422 if error else 200)

    return await request.app[DESK].show(request, request[VISIT], build)


async def come_in(request: web.Request) -> web.StreamResponse:
    """Make a key, join with it, seal it under the password, and begin a session."""
    desk, values = request.app[DESK], await typed(request)
    name, password = values.get("login", "").strip(), values.get("password", "")
    try:
        secret = _secret(values.get("secret", ""))
        _check_new(desk, name, password)
        account, key = await run(desk, lambda: _join(desk, secret, name, password))
    except (Refused, VaultError) as error:
        return await _show_join(request, values, local(str(error), desk.zone))
    response = web.Response(status=303, headers={"Location": "/"})
    await begin(request, response, account, key)
    return response


def _secret(given: str) -> bytes:
    """The secret in a link, in a line for the command line, or bare."""
    text = given.strip()
    if text.startswith("archipelago:"):
        read = invitation.parse(text)
        if not isinstance(read, invitation.Join):
            raise Refused("Invitation: this one links nodes. Ask for one that is for you.")
        return read.secret
    bare = text.rpartition("invitation=")[2]
    try:
        found = bytes.fromhex(bare)
    except ValueError:
        found = b""
    if len(found) != 16:
        raise Refused("Invitation: it is not complete. Copy the whole link again.")
    return found


def _check_new(desk: Desk, name: str, password: str) -> None:
    """Refuse before the invitation is used what would be refused after."""
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise Refused("Name: write one of 1 to 80 characters.")
    if any(each.login == name for each in desk.home.accounts.all()):
        raise Refused(f"Name: “{name}” is taken on this node. Choose another.")
    if len(password) < LEAST_PASSWORD:
        raise Refused(f"Password: at least {LEAST_PASSWORD} characters. A few words in a row are easy to keep in mind.")


def _join(desk: Desk, secret: bytes, name: str, password: str) -> tuple[Account, SigningKey]:
    home = desk.home
    key = SigningKey(home.clock.random(32))
    home.actions.submit("member.joined/1", {"secret": secret.hex(), "name": ""}, key)
    account = home.accounts.create(name, password, key.public, key, home.clock.random(40), home.clock.now_ms())
    with home.store.database.lock:
        row = home.store.view(home.space).get(MEMBERSHIPS, key.public)
    if is_live(row, home.clock.now_ms()):
        home.actions.submit("member.named/1", {"name": name}, key)
    return account, key
