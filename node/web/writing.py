"""The form of each kind, and what becomes of it: more rows, a sentence that says what is wrong, a summary, a record.

    GET  /record/new/<kind>?memo=…      the form, filled in with what the link carries
    POST /record/new/<kind>             "+" adds a row; a big act asks once more; then it is written and its page shown

What was typed is kept in every case. Kinds that need a secret made here have pages of their own (`node/web/door.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from markupsafe import Markup
from msgspec import Struct

from node.actions import Actions, Draft
from node.body_blocks import blocks as body_blocks
from node.form_values import add_row, to_local, to_utc
from node.forms_html import Filled, Option, confirmation, form, hidden
from node.markup import element, together
from node.names import Read, known_as, read_record
from node.planned import is_open_to
from node.render_html import render
from node.web.desk import Page, Seen
from node.web.keys import DESK, VISIT
from node.web.offers import SeenOffers
from node.web.proposing import PROPOSED, Standing, carried_out, planned, planned_kinds, plans_in_words, standing
from node.web.session import Visit, check_token
from node.web.typed import typed
from node.words import AUDIENCE_NAMES, AUDIENCES, local
from protocol.body import fields, from_flat, to_flat
from protocol.judge import to_body
from protocol.keys import SigningKey
from protocol.practice import Kind, Refused
from protocol.practices import KINDS, PRACTICE_OF

OWN_PAGES = {"member.invited/1": "/invite", "member.joined/1": "/join"}
NOT_HERE = {"space.founded/1", "space.keys-rotated/1"}  # written by commands, with keys that no page holds
_GIVEN = "given."
_OURS = ("csrf", "do", "+", "audience", "decided")


def kind_of(request: web.Request) -> Kind[Any]:
    """The kind that the path names."""
    kind = KINDS.get(request.match_info["kind"])
    if kind is None or kind.name in NOT_HERE:
        raise web.HTTPNotFound(text="There is no such form here. What can be written is on the pages of the practices.")
    return kind


async def blank(request: web.Request) -> web.StreamResponse:
    """The form, filled in with what the link carries."""
    kind, desk = kind_of(request), request.app[DESK]
    if kind.name in OWN_PAGES:
        raise web.HTTPSeeOther(OWN_PAGES[kind.name])
    body: type[Struct] = kind.body
    given = {name: value for name, value in request.query.items() if value}
    visit = request[VISIT]
    values = await desk.look(visit, lambda seen: _from_before(seen, kind, given))
    return await show(request, visit, kind, Filled(to_local(body, values, desk.zone), given=frozenset(given)))


def _from_before(seen: Seen, kind: Kind[Any], given: Mapping[str, str]) -> dict[str, str]:
    """What the link carries; if it names a record of the same kind, of which this one is a version, then with its words."""
    known = fields(_body(kind))
    named = {name.partition(".")[0] for name in given}
    for field in known:
        read = _named(seen, given.get(field.name, "")) if field.widget == "record" else None
        if read is None or read.record.kind != kind.name:
            continue
        try:
            before = to_flat(to_body(kind, read.record.body, read.words))
        except Refused:
            continue
        versions = {each.name for each in known if each.widget in ("record", "space") and not each.required}
        return {**{name: text for name, text in before.items() if name.partition(".")[0] not in named | versions}, **given}
    return dict(given)


def _named(seen: Seen, text: str) -> Read | None:
    try:
        return read_record(seen.home, bytes.fromhex(text), seen.view.audience) if len(text) == 64 else None
    except ValueError:
        return None


async def carry_out(request: web.Request) -> web.StreamResponse:
    """The form of the act that a decision gave leave for, filled in as it was decided."""
    desk, outcome = request.app[DESK], bytes.fromhex(request.match_info["digest"])
    kind, values, scope = await desk.look(request[VISIT], lambda seen: carried_out(seen.view, outcome))
    filled = {**to_local(_body(kind), values, desk.zone), "decided": outcome.hex(), "audience": AUDIENCE_NAMES.get(scope, "")}
    return await show(request, request[VISIT], kind, Filled(filled, given=frozenset(values)), f"/record/new/{kind.name}")


async def show(request: web.Request, visit: Visit, kind: Kind[Any], filled: Filled, path: str = "") -> web.Response:
    """The form as far as it is filled in; `path` is where it is sent, if that is not this page."""
    desk = request.app[DESK]
    audiences = _offered(kind, filled.values)
    decided = filled.values.get("decided", "")

    def build(seen: Seen) -> Page:
        stands = standing(seen.view, kind, seen.member, seen.now_ms) if seen.member and not decided else Standing()
        plans = plans_in_words(filled.values, seen.view, seen.telling) if kind.name == PROPOSED else Markup()
        made = form(
            kind, filled, SeenOffers(seen, filled.values), desk.zone, token=seen.token, audiences=audiences, path=path,
            plans=together([plans, _narrowed(kind, audiences), hidden("decided", decided) if decided else Markup()]),
            proposes=stands.proposes, why=seen.telling.local(stands.why),
        )  # fmt: skip
        return Page(kind.title, element("section", made, class_="wide"), kind.help, 422 if filled.error else 200)

    return await desk.show(request, visit, build, PRACTICE_OF[kind.name].room)


async def filled_in(request: web.Request) -> web.StreamResponse:
    """What was sent: one more row, a refusal, a summary, or a record."""
    kind, visit, values = kind_of(request), request[VISIT], await typed(request)
    if visit.session is None:
        raise web.HTTPUnauthorized()
    check_token(visit.session, values.get("csrf", ""))
    return await go_on(request, visit, kind, values)


async def go_on(
    request: web.Request, visit: Visit, kind: Kind[Any], values: Mapping[str, str], path: str = ""
) -> web.StreamResponse:
    """What becomes of a form that a member has sent."""
    desk, body = request.app[DESK], _body(kind)
    kept = {name: value for name, value in values.items() if name not in _OURS and not name.startswith(_GIVEN)}
    given = frozenset(name.removeprefix(_GIVEN) for name in values if name.startswith(_GIVEN))
    decided = {"decided": values["decided"]} if values.get("decided") else {}
    shown = Filled({**kept, **decided, "audience": values.get("audience", "")}, given=given)
    if "+" in values:
        more = add_row(fields(body), shown.values, values["+"])
        added = next(iter(more.keys() - shown.values.keys()), "")
        return await show(request, visit, kind, Filled(more, given=given, focus=added))
    if values.get("do") == "change":
        return await show(request, visit, kind, shown, path)
    assert visit.session is not None
    key = visit.session.key
    try:
        audience = _audience(kind, values.get("audience", ""))
        draft = Draft(kind.name, from_flat(body, to_utc(body, kept, desk.zone)), audience)
        if values.get("do") == "propose":
            proposal = await desk.look(visit, lambda seen: planned(seen.view, kind, draft.body, values.get("audience", "")))
            return await show(request, visit, KINDS[PROPOSED], proposal, f"/record/new/{PROPOSED}")
        advice = await desk.home.write(lambda: _advice(desk.home.actions, draft, key))
        if values.get("do") != "confirmed" and (is_big(kind) or advice):
            return await _confirm(request, visit, kind, draft, values, advice)
        placed = await desk.home.write(lambda: desk.home.actions.submit(kind.name, draft.body, key, draft.audience))
    except Refused as refusal:
        return await show(request, visit, kind, Filled(shown.values, local(str(refusal), desk.zone), given=given))
    raise web.HTTPSeeOther(f"/record/{placed.digest.hex()}")


def _advice(actions: Actions, draft: Draft, key: SigningKey) -> str:
    """What may be wrong with it, as it will be written."""
    return actions.advise(actions.draft(draft.kind, draft.body, draft.audience, key.public))


async def _confirm(
    request: web.Request, visit: Visit, kind: Kind[Any], draft: Draft, values: Mapping[str, str], advice: str
) -> web.Response:
    def build(seen: Seen) -> Page:
        told = render(body_blocks(draft.body, seen.telling), seen.telling)
        said = seen.telling.local(advice)
        warned = element("p", element("span", class_="sign", aria_hidden="true"), said, class_="note-line warn")
        body = confirmation(kind, values, together([told, warned if advice else Markup()]), seen.token)
        return Page(kind.title, element("section", body, class_="wide"), "Look once more before it is written.")

    return await request.app[DESK].show(request, visit, build, PRACTICE_OF[kind.name].room)


def is_big(kind: Kind[Any]) -> bool:
    """Whether an act binds more than its author, or cannot be gone back on by a later one: it is asked for once more."""
    return kind.needs not in ("", "member") or kind.for_good


def _body(kind: Kind[Any]) -> type[Struct]:
    body: type[Struct] = kind.body
    return body


def _offered(kind: Kind[Any], values: Mapping[str, str]) -> list[Option]:
    """The audiences to choose from, the widest first: those of the kind and of what it plans; if it is decided, that one."""
    kinds = [kind, *(KINDS[name] for name in planned_kinds(values) if name in KINDS)]
    chosen = values.get("audience", "") if values.get("decided") else ""
    return [
        (name, known_as(value).capitalize())
        for name, value in AUDIENCES.items()
        if all(is_open_to(each, value) for each in kinds) and chosen in ("", name)
    ]


def _narrowed(kind: Kind[Any], audiences: list[Option]) -> Markup:
    """For whom it will be, where that is settled and narrower than the kind has it."""
    if len(audiences) != 1 or audiences[0][0] == AUDIENCE_NAMES[kind.audience]:
        return Markup()
    return element("p", f"Who may read it: {known_as(AUDIENCES[audiences[0][0]])}.", class_="help")


def _audience(kind: Kind[Any], name: str) -> int | None:
    if name in ("", AUDIENCE_NAMES[kind.audience]):
        return None
    if name not in AUDIENCES:
        raise Refused(f"Who may read it: choose one of {', '.join(AUDIENCES)}.")
    return AUDIENCES[name]
