"""Who is asking: sessions by cookie, and the three checks that a request which changes something came from our own page.

- The cookie holds a random id; only its hash is kept (`node.vault`). It is `HttpOnly`, `SameSite=Lax`, and over https
  `Secure` under the name ``__Host-session``.
- A request that changes something must come from this site: `Sec-Fetch-Site` says so, or, where a browser sends none,
  `Origin` is this host. Within a session the form's token must be that of the session too.
- The token is masked anew for each page, so that compressing a page tells nothing about it.

Source: OWASP's page on cross-site request forgery, as read in 2025; RFC 6265bis for cookie prefixes.
"""

from __future__ import annotations

import hmac
import re
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import Struct

from node.vault import ABSOLUTE_MS, Session
from protocol.practice import EVERYTHING, PUBLIC

COOKIE, SECURE_COOKIE, LOOKED = "session", "__Host-session", "looked"
_SAME_LOOK_MS = 1_800_000
_TOKEN_BYTES = 16


class Foreign(Exception):
    """A request that changes something and does not come from our own page; the message says what to do."""


class Visit(Struct, frozen=True):
    """Who is asking for a page: nobody known, an account, or a member of this space."""

    session: Session | None = None
    session_id: str = ""
    live: bool = False  # the account's member is one now

    @property
    def member(self) -> bytes | None:
        """The id of the member who asks."""
        return self.session.account.member if self.session else None

    @property
    def audience(self) -> int:
        """What they may see."""
        return EVERYTHING if self.live else PUBLIC


def is_secure(request: web.Request, own_url: str) -> bool:
    """Whether the browser talks to us over https, itself or through the proxy that our own address names."""
    known = urlsplit(own_url)
    return request.secure or (known.scheme == "https" and known.netloc.lower() == request.host.lower())


def session_id_of(request: web.Request, *, secure: bool) -> str:
    """The id in the cookie, or ""."""
    found = request.cookies.get(SECURE_COOKIE if secure else COOKIE, "")
    return found if len(found) == 64 and found.isascii() else ""


def keep(response: web.StreamResponse, session_id: str, *, secure: bool) -> None:
    """Give the browser its session."""
    name = SECURE_COOKIE if secure else COOKIE
    age_s = ABSOLUTE_MS // 1000
    response.set_cookie(name, session_id, max_age=age_s, path="/", httponly=True, samesite="Lax", secure=secure)


def drop(response: web.StreamResponse, *, secure: bool) -> None:
    """Take the session's cookie back."""
    name = SECURE_COOKIE if secure else COOKIE
    response.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=secure)


def check_source(request: web.Request) -> None:
    """Foreign unless the request comes from a page of this site."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site == "same-origin":
            return
    elif request.headers.get("Origin", "").lower() in (f"http://{request.host}".lower(), f"https://{request.host}".lower()):
        return
    raise Foreign("This did not come from a page of this node, so nothing was done. Open the page here and send it again.")


def check_token(session: Session, given: str) -> None:
    """Foreign unless the token of the form is that of the session."""
    if not hmac.compare_digest(unmasked(given), session.csrf.encode()):
        raise Foreign(
            "This page was opened before you logged in, or is too old. Nothing was done: look at it and send it again."
        )


def masked(csrf: str, random: bytes) -> str:
    """The session's token under a random mask of 16 bytes."""
    secret = bytes.fromhex(csrf)
    return (random[:_TOKEN_BYTES] + bytes(a ^ b for a, b in zip(random, secret, strict=False))).hex()


def unmasked(token: str) -> bytes:
    """The token behind its mask, as text in bytes; empty if it is not one."""
    try:
        both = bytes.fromhex(token)
    except ValueError:
        return b""
    if len(both) != 2 * _TOKEN_BYTES:
        return b""
    return bytes(a ^ b for a, b in zip(both[:_TOKEN_BYTES], both[_TOKEN_BYTES:], strict=True)).hex().encode()


def looked(request: web.Request, now_ms: int) -> tuple[int, str]:
    """When this browser looked at Today the time before (0: never), and the cookie's new value.

    Looking again within half an hour is the same look, so that what is new does not vanish at the next click.
    """
    found = re.fullmatch(r"(\d{1,15})-(\d{1,15})", request.cookies.get(LOOKED, ""))
    before, last = (int(found[1]), int(found[2])) if found else (0, 0)
    if now_ms - last > _SAME_LOOK_MS:
        before = last
    return before, f"{before}-{now_ms}"


def own_path(path: str) -> str:
    """A path to go on to after logging in: of this node, or the first page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
