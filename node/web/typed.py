"""What a form sent, read with a deadline and within limits.

Source of the limits: a body that drips in for minutes, or is inflated by the server, is a way to hold a node up; so bodies
are short, plain and whole within five seconds.
"""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from aiohttp import web

from node.web.keys import FORM

DEADLINE_S = 5.0
MOST_BYTES = 256 * 1024
MOST_FIELDS = 4000


class Unreadable(Exception):
    """A request whose body is not read; the message says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


async def typed(request: web.Request) -> dict[str, str]:
    """The fields of a form by name; of a name that comes twice the last."""
    if FORM not in request:
        request[FORM] = await _form(request)
    return request[FORM]


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded" or request.headers.get("Content-Encoding"):
        raise Unreadable(415, "This page takes forms only. Send the form from its page.")
    try:
        data = await asyncio.wait_for(_read(request), DEADLINE_S)
    except TimeoutError as error:
        raise Unreadable(408, "The form took too long to arrive, so nothing was done. Try again.") from error
    try:
        pairs = parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Unreadable(400, "The form could not be read, so nothing was done. Open its page anew.") from error
    return dict(pairs)


async def _read(request: web.Request) -> bytes:
    """The body, which whoever guards the connection may have read already."""
    try:
        data = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_much() from error
    if len(data) > MOST_BYTES:
        raise _too_much()
    return data


def _too_much() -> Unreadable:
    return Unreadable(413, f"A form has at most {MOST_BYTES // 1024} kB; this one has more. Put less into it.")
