"""What people call records, members and spaces on this node, and where their pages are.

A record goes by the words that its author gave it (a campaign's name, what a transaction is for), else by what its kind
does. Nothing is named to somebody who may not see it: names come through a view with its audience.

Example::

    telling = telling_for(home, view, now_ms)
    telling.names.label(Ref(campaign, "record"))   # "Winter kitchen"
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from node.home import Home
from node.store import Found
from node.words import Telling, kind_done, plain
from protocol import figure
from protocol.drawing import LOTS
from protocol.keychain import space_name
from protocol.lot_blocks import asks
from protocol.membership import MEMBERSHIPS, name_of, title_of
from protocol.page import Ref
from protocol.practice import View
from protocol.record import Record, RecordError, parse, words_of

DIGEST_BYTES = 32
ZONE = "zone"  # the setting that names the collective's time zone
_TITLES = ("name", "title", "memo", "purpose", "what", "account", "topic", "role")
_LOT, _A_LOT = "lot.opened/1", "A lot: {}"
_STEPS = 3  # so far one looks for what a record is about
_LONGEST = 90


class Read(Struct, frozen=True):
    """A record that is held, opened: where it stands, what it says, and its erasable words."""

    found: Found
    record: Record
    words: dict[str, str]

    @property
    def title(self) -> str:
        """What it goes by."""
        given = {**self.record.body, **self.words}
        if self.record.kind == _LOT:
            return _A_LOT.format(given.get("purpose", ""))
        for name in _TITLES:
            text = given.get(name)
            if isinstance(text, str) and text.strip():
                told = " ".join(plain(text).split())
                return told if len(told) <= _LONGEST else told[: _LONGEST - 1].rstrip() + "…"
        return kind_done(self.record.kind)


def read_record(home: Home, digest: bytes, audience: int) -> Read | None:
    """A record that this audience may see, opened; None if there is none."""
    found = home.store.find(digest, audience)
    if found is None or found.row.record is None:
        return None
    try:
        record = parse(found.row.record)
    except RecordError:
        return None
    return Read(found, record, words_of(found.row.annex, record.annex_hash))


def title_of_record(home: Home, read: Read, audience: int) -> str:
    """What a record goes by; one that says nothing of itself goes by what it is about ("Campaign joined: Winter kitchen")."""
    done, about = kind_done(read.record.kind), subject_of_record(home, read, audience)
    return f"{done}: {about}" if about else done


def heading_of_record(home: Home, read: Read, audience: int) -> str:
    """What stands over a record's own page: its own words, or what it is and what it is about."""
    own = _own_title(home, read, audience)
    if own and read.record.kind == _LOT:
        return _A_LOT.format(own)
    return own or title_of_record(home, read, audience)


def subject_of_record(home: Home, read: Read, audience: int) -> str:
    """A record's own words, else those of what it is about, else the member that it names; "" if there are none."""
    own = _own_title(home, read, audience)
    if own:
        return own
    about = about_record(home, read, audience)
    return _own_title(home, about, audience) if about else _member_named(home, read, audience)


def about_record(home: Home, read: Read, audience: int) -> Read | None:
    """The record that another is about and that goes by words of its own: the proposal of an answer, the lot of a part."""
    for _ in range(_STEPS):
        named = [read.record.body.get(noun_of(read.record.kind)), *read.record.body.values()]
        digests = [each for each in named if isinstance(each, bytes) and len(each) == DIGEST_BYTES]
        other = next((found for each in digests if (found := read_record(home, each, audience))), None)
        if other is None:
            return None
        if _own_title(home, other, audience):
            return other
        read = other
    return None


def _own_title(home: Home, read: Read, audience: int) -> str:
    """The words that a record goes by itself; of a lot what it asks; "" if it has none."""
    if read.record.kind == _LOT:
        view = home.view(audience)
        for row in view.everywhere(LOTS, id=read.record.digest):
            there = view.of(view.space_id(row.space))
            return asks(there, row) if there else ""
    watched = read.record.body.get("figure")
    if isinstance(watched, str):
        return figure.label(watched)
    return "" if read.title == kind_done(read.record.kind) else read.title


def _member_named(home: Home, read: Read, audience: int) -> str:
    """The name of the first member of its space whom a record names."""
    there = home.view(audience).of(read.found.space)
    for each in read.record.body.values():
        if there and isinstance(each, bytes) and len(each) == DIGEST_BYTES and there.get(MEMBERSHIPS, each):
            return name_of(there, each)
    return ""


def noun_of(kind: str) -> str:
    """What a record of a kind is called in other bodies: "ledger.transaction-booked/1" -> "transaction"."""
    first, _, rest = plain(kind).partition("/")[0].partition(".")
    return rest.rpartition("-")[0] if "-" in rest else first


class HomeNames:
    """Names as one view sees them."""

    def __init__(self, home: Home, view: View) -> None:
        self._home, self._view = home, view
        self._known: dict[tuple[str, bytes], str] = {}

    def label(self, ref: Ref) -> str:
        """See `node.words.Names`."""
        at = (ref.what, ref.id)
        if at not in self._known:
            self._known[at] = self._look_up(ref) or ref.id.hex()[:8]
        return self._known[at]

    def path(self, ref: Ref) -> str:
        """See `node.words.Names`."""
        return path_of(ref)

    def _look_up(self, ref: Ref) -> str:
        if ref.what == "member":
            return self._member(ref.id)
        if ref.what == "space":
            return self._space(ref.id)
        read = read_record(self._home, ref.id, self._view.audience)
        return heading_of_record(self._home, read, self._view.audience) if read else "a record that is not here"

    def _member(self, member: bytes) -> str:
        if self._view.get(MEMBERSHIPS, member):
            return name_of(self._view, member)
        for log in self._home.store.logs():
            other = self._view.of(log.space)
            if other and other.get(MEMBERSHIPS, member):
                return f"{name_of(other, member)} of {log.chain.name}"
        return "somebody unknown here"

    def _space(self, space: bytes) -> str:
        if self._view.space_number(space) is not None:
            return title_of(self._view, space)
        peer = self._home.store.peer(space)
        return peer.name if peer else "a space not met yet"


def path_of(ref: Ref) -> str:
    """The path of the page of a record, member or space."""
    return f"/space/{space_name(ref.id)}" if ref.what == "space" else f"/{ref.what}/{ref.id.hex()}"


def zone_of(home: Home) -> tzinfo:
    """The collective's time zone."""
    try:
        return ZoneInfo(home.store.setting(ZONE, "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def telling_for(home: Home, view: View, now_ms: int, zone: tzinfo | None = None) -> Telling:
    """To tell values to whoever sees this view."""
    return Telling(HomeNames(home, view), now_ms, zone or zone_of(home))


def known_as(value: Any) -> str:
    """An audience in words."""
    if isinstance(value, tuple):
        return "only the spaces that it names"
    return {0: "everybody", 1: "this space and its allies"}.get(value, "members of this space only")
