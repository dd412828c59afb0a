"""What every page is made with: templates, static files by content, the header, and pages remembered while nothing changes.

Pages are built on the reading thread (`Home.read`) with a view of what whoever asks may see. A page without a form is
remembered, compressed, until something is committed or the minute is over.
"""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

from node import render_html, render_svg_moon
from node.commands_member import URL
from node.health import durability, holdings
from node.home import Home
from node.names import telling_for, zone_of
from node.today import marks, needs
from node.web.session import Visit, masked
from node.words import Telling, count
from protocol import moon
from protocol.membership import members_at, name_of
from protocol.page import Block
from protocol.practice import EVERYTHING, PUBLIC, View
from protocol.wording import counted

T = TypeVar("T")
ROOMS = (
    ("/", "Today", "today"),
    ("/assembly", "Assembly", "assembly"),
    ("/commons", "Commons", "commons"),
    ("/campaigns", "Campaigns", "campaigns"),
    ("/archipelago", "Archipelago", "archipelago"),
    ("/memory", "Memory", "memory"),
)
STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ACCENTS = ("sea", "moss", "plum", "rust")
ACCENT = "accent"  # the setting that names the collective's colour
_FOLDER = Path(__file__).parent.parent
_REMEMBERED = 256
_MINUTE_MS = 60_000


@dataclass(frozen=True)
class Seen:
    """What a page is built from: the space as whoever asks may see it, and the present moment."""

    home: Home
    view: View
    telling: Telling
    visit: Visit
    token: str

    @property
    def now_ms(self) -> int:
        """The present moment."""
        return self.telling.now_ms

    @property
    def member(self) -> bytes | None:
        """The member who asks, if it is one now."""
        return self.visit.member if self.visit.live else None


class Page(Struct, frozen=True):
    """What stands on a page below its header."""

    title: str
    body: Markup
    lead: str = ""
    status: int = 200
    aside: Markup = Markup()


class _Made(Struct, frozen=True):
    """A finished page."""

    status: int
    html: bytes
    packed: bytes
    tag: str


class Desk:
    """The pages' workshop over one node."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.zone: tzinfo = zone_of(home)
        self.own_url = home.store.setting(URL)  # this node's address as its keeper set it, or ""
        chosen = home.store.setting(ACCENT, ACCENTS[0])
        self.accent = chosen if chosen in ACCENTS[1:] else ""
        self.slow = ThreadPoolExecutor(2, thread_name_prefix="passwords")  # two password hashes at a time
        self.accounts = ThreadPoolExecutor(1, thread_name_prefix="sessions")
        self.static = {path.name: path.read_bytes() for path in sorted((_FOLDER / "static").iterdir()) if path.is_file()}
        self._tags = {name: sha256(data).hexdigest()[:12] for name, data in self.static.items()}
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._made: OrderedDict[tuple[Any, ...], _Made] = OrderedDict()
        self._made_at: tuple[int, int] = (-1, -1)

    def close(self) -> None:
        """Let the threads go."""
        self.slow.shutdown()
        self.accounts.shutdown()

    def static_path(self, name: str) -> str:
        """The address of a static file, which changes with its content."""
        return f"/static/{name}?v={self._tags[name]}"

    # Building

    async def look(self, visit: Visit, work: Callable[[Seen], T]) -> T:
        """Run this on the reading thread with what the visitor may see."""
        now_ms = self.home.clock.now_ms()
        token = masked(visit.session.csrf, self.home.clock.random(16)) if visit.session else ""

        def see(view: View) -> T:
            seen = view if visit.live else self.home.view(PUBLIC)
            return work(Seen(self.home, seen, telling_for(self.home, seen, now_ms, self.zone), visit, token))

        return await self.home.read(see, EVERYTHING)

    async def show(
        self,
        request: web.Request,
        visit: Visit,
        build: Callable[[Seen], Page],
        room: str = "",
        *,
        live: bool = False,
        also: int = 0,
    ) -> web.Response:
        """A page, remembered if it is a `live` one (which holds no form); `also` is what it depends on besides."""
        if not live:
            made = await self.look(visit, lambda seen: self._finish(seen, build(seen), room, live=False))
            return _answer(request, made)
        key = (request.path_qs, visit.member or b"", visit.live, also)

        def remembered(seen: Seen) -> _Made:
            now = (self.home.version, seen.now_ms // _MINUTE_MS)
            if now != self._made_at:
                self._made.clear()
                self._made_at = now
            found = self._made.get(key)
            if found is None:
                found = self._made[key] = self._finish(seen, build(seen), room, live=True)
                if len(self._made) > _REMEMBERED:
                    self._made.popitem(last=False)
            return found

        return _answer(request, await self.look(visit, remembered))

    def _finish(self, seen: Seen, page: Page, room: str, *, live: bool) -> _Made:
        session = seen.visit.session
        html = self._templates.get_template("page.html").render(
            title=page.title,
            lead=page.lead,
            body=page.body,
            aside=page.aside,
            house=self.home.name,
            rooms=ROOMS,
            room=room,
            member=name_of(seen.view, seen.member) if seen.member else session.account.login if session else "",
            moon=_moon(seen),
            accent=self.accent,
            static=self.static_path,
            footing=_footing(seen),
            live=live,
        )
        data = html.encode()
        return _Made(page.status, data, gzip.compress(data, 5, mtime=0), f'"{sha256(data).hexdigest()[:20]}"')


def blocks(seen: Seen, told: Iterable[Block]) -> Markup:
    """Blocks as the sections of a page."""
    return render_html.page(told, seen.telling)


def _answer(request: web.Request, made: _Made) -> web.Response:
    headers = {"ETag": made.tag, "Vary": "Cookie, Accept-Encoding", "Cache-Control": "private, no-cache"}
    if made.status == 200 and request.headers.get("If-None-Match") == made.tag:
        return web.Response(status=304, headers=headers)
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    body = made.packed if packed else made.html
    return web.Response(status=made.status, body=body, content_type="text/html", charset="utf-8", headers=headers)


def _moon(seen: Seen) -> dict[str, Any]:
    """The strip in the header and its words."""
    now_ms = seen.now_ms
    try:
        begins, ends = moon.cycle_bounds(moon.cycle_at(now_ms))
    except moon.OutsideTable:
        return {}
    near = marks(needs(seen.view, seen.member, now_ms), now_ms)
    day = (now_ms - begins) // 86_400_000 + 1
    words = f"{moon.phase_name(now_ms).capitalize()}, day {day} of this cycle. New moon {seen.telling.when(ends)}."
    return {"strip": render_svg_moon.strip(now_ms, [(mark.label, mark.at_ms) for mark in near], seen.telling), "words": words}


def _footing(seen: Seen) -> str:
    log = seen.home.log
    held = holdings(seen.home.store.cosignatures(log.space))
    members = counted(len(members_at(seen.view, seen.now_ms)), "member")
    return f"{members}, {count(log.size)} records. {durability(held, log.size, seen.now_ms)}"
