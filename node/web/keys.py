"""What the web application and its requests carry, by typed keys."""

from __future__ import annotations

from aiohttp import web

from node.web.desk import Desk
from node.web.hub import Live
from node.web.session import Visit

DESK = web.AppKey("desk", Desk)
LIVE = web.AppKey("live", Live)
VISIT = web.RequestKey("visit", Visit)
FORM: web.RequestKey[dict[str, str]] = web.RequestKey("form", dict)
