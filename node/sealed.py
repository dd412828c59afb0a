"""The way in for members who keep their key on a machine of their own: a record sealed there, taken here like any other.

    POST /api/v1/sealed        application/cbor: [record, annex or null], in the strict encoding

The record's own signature is its authority, so there is no token and no session. Checked before anything is written, and
before the signature, which is what costs: size and form, that this space knows the author's key (or that somebody joins),
and that the words are those that the record names; then the signature, then the one judgement. Answers are JSON: 201 with
digest, position and time, or a sentence with 400 (no record), 403 (a key that is not known here) or 422 (it does not hold).
"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from msgspec import Struct

from federation.envelope import EnvelopeError
from node import lending
from node.ballots import is_sealed_here
from node.home import Home
from node.planned import check_plans
from node.store import Placed
from protocol import encoding, record
from protocol.body import erasable_fields, fields
from protocol.deciding import OPEN
from protocol.encoding import DecodeError
from protocol.judge import to_body
from protocol.practice import KEYS, Refused
from protocol.practices import KINDS
from protocol.proposal import Amended, Proposed
from protocol.record import Record, RecordError, Sealed

PATH = "/api/v1/sealed"
MOST_BYTES = record.MAX_RECORD + record.MAX_ANNEX + 16
JOINED, CALLED = "member.joined/1", "decision.called/1"


class Unknown(Refused):
    """A key that this space does not know."""


class Unfit(Refused):
    """Bytes that are no record, or not one with these words."""


def take(home: Home, data: bytes) -> Placed:
    """Write a record that was sealed elsewhere; Refused with the sentence for whoever sealed it."""
    raw, annex = _parts(data)
    try:
        read = record.parse(raw)
    except RecordError as error:
        raise Unfit(f"This is not a record: {error}.") from error
    if home.store.view(home.space).get(KEYS, read.author) is None and read.kind != JOINED:
        raise Unknown("This space does not know the key that signed it. Join first, with an invitation.")
    _check_words(read, annex)
    if not record.genuine(raw, home.space):
        raise Unfit("The signature is not genuine, or is for another space.")
    known = KINDS.get(read.kind)
    if known is not None and known.body in (Proposed, Amended):
        check_plans(to_body(known, read.body, record.words_of(annex, read.annex_hash)), record.scope_of(read.audience))
    if read.kind == CALLED and read.body.get("hidden", OPEN) != OPEN and not is_sealed_here(home, read.body):
        raise Refused(
            "Hidden answers are sealed to this node, so that whoever calls cannot read them. Call it on its own page."
        )
    with home.store.database.lock:
        (placed,) = home.store.append(home.space, [Sealed(raw, annex)], home.clock.now_ms())
    if isinstance(placed, Refused):
        raise placed
    return placed


def _parts(data: bytes) -> tuple[bytes, bytes | None]:
    if len(data) > MOST_BYTES:
        raise Unfit(f"A sealed record has at most {MOST_BYTES} bytes.")
    try:
        value = encoding.decode(data, limit=MOST_BYTES)
    except DecodeError as error:
        raise Unfit(f"This is not in the strict encoding: {error}.") from error
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], bytes):
        raise Unfit("Send a record and its annex, or null.")
    raw, annex = value
    if annex is not None and not isinstance(annex, bytes):
        raise Unfit("Send a record and its annex, or null.")
    return raw, annex


def _check_words(read: Record, annex: bytes | None) -> None:
    """The words that come with it are those that it names, and none that its kind asks for is missing."""
    words = record.words_of(annex, read.annex_hash)
    if (annex is not None or read.annex_hash is not None) and not words:
        raise Unfit("The words that came with it are not those that the record names.")
    kind = KINDS.get(read.kind)
    if kind is None:
        return
    body: type[Struct] = kind.body
    if unknown := set(words) - set(erasable_fields(body)):
        raise Unfit(f"There is no field “{min(unknown)}” among the words of this kind.")
    for field in fields(body):
        text = words.get(field.name, "")
        if field.erasable and field.required and not text.strip():
            raise Refused(f"{field.label}: this is missing. {field.help or 'Fill it in.'}")
        if field.erasable and field.most is not None and len(text) > field.most:
            raise Refused(f"{field.label}: takes at most {field.most} characters.")


class SealedDoor:
    """The routes, over one node."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def routes(self) -> list[web.RouteDef]:
        """To take what was sealed, and to lend what that takes."""
        return [web.post(PATH, self.post), web.post(lending.PATH, self.lend)]

    async def post(self, request: web.Request) -> web.Response:
        """Take a sealed record."""
        if request.content_type != "application/cbor":
            return _answer(400, {"error": "Send a record and its annex as application/cbor."})
        data = await request.read()
        try:
            placed = await self.home.write(lambda: take(self.home, data))
        except Refused as refusal:
            status = 403 if isinstance(refusal, Unknown) else 400 if isinstance(refusal, Unfit) else 422
            return _answer(status, {"error": str(refusal)})
        told = {"digest": placed.digest.hex(), "position": placed.position, "logged_ms": placed.logged_ms}
        return _answer(201, told)

    async def lend(self, request: web.Request) -> web.Response:
        """Answer what a member asks before they seal."""
        if request.content_type != "application/cbor":
            return _answer(400, {"error": "Ask with an envelope as application/cbor."})
        data = await request.read()
        try:
            told = await self.home.write(lambda: lending.lend(self.home, data))
        except (Refused, EnvelopeError) as refusal:
            return _answer(403 if isinstance(refusal, Refused) else refusal.status, {"error": str(refusal)})
        return web.Response(body=told, content_type="application/cbor")


def _answer(status: int, value: dict[str, Any]) -> web.Response:
    return web.json_response(value, status=status)
