"""The page about oneself: what the node knows of whoever is logged in, their keys, tokens and sessions."""

from __future__ import annotations

from aiohttp import web
from markupsafe import Markup

from node import today
from node.markup import element, together
from node.render_html import grid as grid_html
from node.vault import SCOPES, VaultError
from node.web import pages
from node.web.desk import Page, Seen, blocks
from node.web.door import run
from node.web.keys import DESK, VISIT
from node.web.plain_forms import Question, ask
from node.web.session import Visit, check_token
from node.web.typed import typed
from protocol.membership import MEMBERSHIPS, naming_of
from protocol.page import Action, Block, Cell, Facts, Grid, Heading, State, Text, When
from protocol.practice import FOREVER_MS, KEYS


async def me(request: web.Request) -> web.Response:
    """What the node knows of whoever is logged in, and their keys, tokens and sessions."""
    return await show_me(request, request[VISIT])


async def show_me(request: web.Request, visit: Visit, made: Markup | str = "", error: str = "") -> web.Response:
    """The page about oneself; `made` is a token that is shown this once."""
    desk = request.app[DESK]
    assert visit.session is not None
    number = visit.session.account.number
    tokens = await run(desk, lambda: desk.home.accounts.tokens(number))
    return await desk.show(request, visit, lambda seen: _me(seen, tokens, made, error), "me")


def _me(seen: Seen, tokens: list[tuple[str, str, int]], made: Markup | str, error: str) -> Page:
    visit = seen.visit
    assert visit.session is not None
    member = visit.session.account.member
    told: list[Block] = []
    naming = naming_of(seen.view, member) if visit.live else None
    if not visit.live:
        told.append(Text(_not_yet(seen, member), "warn"))
    pairs: list[tuple[str, Cell]] = [("Logs in as", visit.session.account.login)]
    if naming:
        pairs += [("Called", naming.name), ("Contact", naming.contact or "–"), ("Languages", naming.languages or "–")]
    told += [Facts(pairs)]
    if visit.live:
        told += [
            Action("member.named/1", {}, "Change what members see of you"),
            *pages.grants(seen.view, seen.now_ms, member, "What you may do"),
        ]
        found = today.needs(seen.view, member, seen.now_ms)
        told += [Heading("Due for you"), today.table(found.mine, "Nothing waits for you.")]
        if found.roles:
            told += [Heading("Due for your roles"), today.table(found.roles)]
        told += [
            Heading("Keys and devices"),
            _devices(seen, member),
            Facts([("Your first key", member.hex())]),
        ]
        told += [Action("member.device-added/1", {}, "Add a device"), Action("member.left/1", {}, "Leave this space")]
    parts = [blocks(seen, told), _tokens(seen, tokens, made, error), _sessions(seen.token)]
    return Page("Me", together(parts))


def _not_yet(seen: Seen, member: bytes) -> str:
    row = seen.view.get(MEMBERSHIPS, member)
    if row is not None and row.ended_ms == FOREVER_MS:
        return (
            "You have asked to join. You are a member as soon as enough members stand for you; nothing more is needed of you."
        )
    return "You are not a member of this space now. You see what everybody sees."


def _devices(seen: Seen, member: bytes) -> Grid:
    rows: list[list[Cell]] = []
    for number, row in enumerate(seen.view.all(KEYS, member=member), 1):
        live = row.since_ms <= seen.now_ms < row.until_ms
        state = State("in use", "good") if live else State("retired", "calm")
        rows.append([f"Key {number}", When(row.since_ms), state])
    return Grid("Keys that speak for you", ("Key", "Since", "State"), rows)


def _tokens(seen: Seen, tokens: list[tuple[str, str, int]], made: Markup | str, error: str) -> Markup:
    questions = (
        Question("label", "What it is for", "So that you know later what to revoke."),
        Question("scope", "What it may do", options=(("read", "read"), ("read write", "read and write in your name"))),
    )
    parts: list[Markup | str] = [element("h2", "Programs that act for you", id="programs"), made]
    rows: list[list[Cell]] = [[label, scopes, When(created_ms)] for label, scopes, created_ms in tokens]
    parts.append(grid_html(Grid("", ("Token", "May", "Made"), rows, "No program has a token of yours."), seen.telling))
    for label in dict.fromkeys(label for label, _, _ in tokens):
        kept = {"csrf": seen.token, "label": label}
        parts.append(ask("/me/tokens/revoke", [], f"Revoke “{label}”", kept=kept, second=True))
    parts.append(ask("/me/tokens", questions, "Make a token", kept={"csrf": seen.token}, error=error, second=True))
    return element("section", *parts, aria_labelledby="programs")


def _sessions(token: str) -> Markup:
    here = ask("/logout", [], "Log out", kept={"csrf": token}, second=True)
    everywhere = ask("/logout", [], "Log out everywhere", kept={"csrf": token, "everywhere": "yes"}, second=True)
    title = element("h2", "Log out", id="sessions")
    return element("section", title, element("div", here, everywhere, class_="buttons"), aria_labelledby="sessions")


async def make_token(request: web.Request) -> web.Response:
    """A token for a program, shown this once."""
    desk, visit, values = request.app[DESK], request[VISIT], await typed(request)
    assert visit.session is not None
    check_token(visit.session, values.get("csrf", ""))
    home, session = desk.home, visit.session
    scopes = [scope for scope in SCOPES if scope in values.get("scope", "").split()]
    label = values.get("label", "")
    try:
        token = await run(
            desk,
            lambda: home.accounts.issue_token(
                session.account, session.key, label, scopes, home.clock.random(56), home.clock.now_ms()
            ),
        )
    except VaultError as error:
        return await show_me(request, visit, error=str(error).replace("Label:", "What it is for:"))
    said = element("p", "Copy it now; it is shown only this once: ", element("code", token, class_="hash"))
    return await show_me(request, visit, made=said)


async def revoke_token(request: web.Request) -> web.StreamResponse:
    """Tokens with a label are gone at once."""
    desk, visit, values = request.app[DESK], request[VISIT], await typed(request)
    assert visit.session is not None
    check_token(visit.session, values.get("csrf", ""))
    number, label = visit.session.account.number, values.get("label", "")
    await run(desk, lambda: desk.home.accounts.revoke_tokens(number, label))
    raise web.HTTPSeeOther("/me")
