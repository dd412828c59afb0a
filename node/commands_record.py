"""What the verbs about records do, given an opened data folder: add one, add many, show one, show the log.

Each is one function from a `Home` and plain values to plain values, so that it runs in the command's own process or in
that of a node that has the folder open (`node.control`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from node.actions import Draft
from node.failure import Misuse
from node.home import Home
from node.planned import proposal_of
from node.receipts import receipt_of
from node.words import AUDIENCE_NAMES, AUDIENCES
from protocol import body as bodies
from protocol import record
from protocol.judge import to_body
from protocol.keychain import parse_space, space_name
from protocol.practice import Refused
from protocol.practices import KINDS
from protocol.record import RecordError

PROPOSED = "decision.proposed/1"
MOST_SHOWN = 100_000


def kind_named(name: str) -> str:
    """The full name of a kind, which may be given without its version: then the newest."""
    if name in KINDS:
        return name
    versions = [(int(known.rpartition("/")[2]), known) for known in KINDS if known.rpartition("/")[0] == name]
    if not versions:
        raise Misuse(f"This node knows no kind “{name}”. See: archipelago record add --help")
    return max(versions)[1]


def audience_named(spoken: str) -> int | tuple[bytes, ...] | None:
    """An audience as the command line has it: public, allies, members, or ids of spaces with commas; empty: the kind's."""
    if not spoken:
        return None
    if spoken in AUDIENCES:
        return AUDIENCES[spoken]
    if "isle:" not in spoken:
        raise Misuse(f"--audience: “{spoken}” is none. Choose public, allies or members, or ids of spaces with commas between.")
    return tuple(sorted(parse_space(each) for each in spoken.split(",")))


def audience_told(audience: int | tuple[bytes, ...]) -> str:
    """An audience in words, as `audience_named` reads it."""
    return ",".join(map(space_name, audience)) if isinstance(audience, tuple) else AUDIENCE_NAMES[audience]


def digest_given(text: str) -> bytes:
    """The 32 bytes of a digest."""
    try:
        digest = bytes.fromhex(text.strip())
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise Misuse(f"DIGEST: “{text}” is not one. It has 64 hexadecimal digits; archipelago log show lists them.")
    return digest


def add(
    home: Home,
    *,
    kind: str,
    body: Any = None,
    flat: Mapping[str, str] | None = None,
    member: str = "",
    audience: str = "",
    propose: str = "",
) -> dict[str, Any]:
    """Write one record, from a body as JSON or from flat names and text; or propose it to all, for the reason given."""
    name = kind_named(kind)
    filled = bodies.from_flat(KINDS[name].body, flat or {}) if body is None else bodies.from_json(KINDS[name].body, body)
    spoken, key = audience_named(audience), home.key_files.key(member)
    draft = home.actions.draft(name, filled, spoken, key.public)
    advice = home.actions.advise(draft)
    if propose:
        proposal = {**proposal_of(home.view(), KINDS[name], draft.body), "why": propose}
        spoken = max(KINDS[name].audience, KINDS[PROPOSED].audience) if spoken is None else spoken
        name = PROPOSED
        draft = home.actions.draft(name, bodies.from_flat(KINDS[name].body, proposal), spoken, key.public)
    placed = home.actions.submit(name, draft.body, key, spoken)
    return {
        "kind": name,
        "digest": placed.digest.hex(),
        "position": placed.position,
        "logged_ms": placed.logged_ms,
        "advice": advice,
    }


def add_many(
    home: Home, *, kind: str, lines: Sequence[str], first: int = 1, member: str = "", audience: str = ""
) -> dict[str, Any]:
    """Write many records of one kind, each line a body as JSON; one durable transaction for what holds."""
    name, key, spoken = kind_named(kind), home.key_files.key(member), audience_named(audience)
    refused: list[dict[str, Any]] = []
    drafts: list[Draft] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            drafts.append(home.actions.draft(name, _value(line), spoken, key.public))
            numbers.append(number)
        except Refused as refusal:
            refused.append({"line": number, "error": str(refusal)})
    accepted, last = 0, b""
    for number, placed in zip(numbers, home.actions.submit_drafts(drafts, key, bulk=True), strict=True):
        if isinstance(placed, Refused):
            refused.append({"line": number, "error": str(placed)})
        else:
            accepted, last = accepted + 1, placed.digest
    return {"accepted": accepted, "refused": sorted(refused, key=lambda each: each["line"]), "last": last.hex()}


def _value(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise Refused(f"This line is not JSON: {error}.") from error
    except RecursionError as error:
        raise Refused("This line is nested too deeply. No kind has fields so deep.") from error


def show(home: Home, *, digest: str) -> dict[str, Any]:
    """One record: what it says, by whom, and where it stands."""
    given = digest_given(digest)
    found = home.store.find(given)
    if found is None or found.row.record is None:
        raise Misuse("DIGEST: there is no such record here. archipelago log show lists those of this space.")
    read = record.parse(found.row.record)
    return {
        "digest": digest,
        "space": space_name(found.space),
        "position": found.position,
        "logged_ms": found.row.logged * 60_000,
        "at_ms": read.at_ms,
        "kind": read.kind,
        "author": read.author.hex(),
        "audience": audience_told(read.audience),
        "body": told_body(read, found.row.annex),
        "erased": bool(read.annex_hash) and not record.words_of(found.row.annex, read.annex_hash),
        "bytes": len(read.raw),
    }


def receipt(home: Home, *, digest: str) -> str:
    """The text of a record's receipt."""
    return receipt_of(home, digest_given(digest))


def told_body(read: record.Record, annex: bytes | None) -> Any:
    """A record's body as JSON with its words; the bare structure, ids as hexadecimal, if this node does not know its form."""
    kind = KINDS.get(read.kind)
    try:
        if kind is not None:
            return bodies.to_json(to_body(kind, read.body, record.words_of(annex, read.annex_hash)))
    except Refused:
        pass
    return _plain(read.body)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def log(home: Home, *, start: int | None = None, limit: int = 50, space: str = "") -> list[dict[str, Any]]:
    """Entries of a log, oldest first: the last ones unless a start is given."""
    of = parse_space(space) if space else home.space
    held = home.store.log(of)
    if held is None:
        raise Misuse(f"--space: this node does not hold the log of {space}. archipelago peers list shows whose it holds.")
    if not 1 <= limit <= MOST_SHOWN:
        raise Misuse(f"--limit: a number from 1 to {MOST_SHOWN}.")
    since = max(0, held.size - limit) if start is None else start
    return [
        {
            "position": at,
            "digest": row.digest.hex(),
            "logged_ms": row.logged * 60_000,
            "public": not row.flag,
            **_head(row.record),
        }
        for at, row in enumerate(home.store.rows(of, since, min(since + limit, held.size)), since)
    ]


def _head(raw: bytes | None) -> dict[str, Any]:
    if raw is None:
        return {"kind": None, "author": None, "audience": None}
    try:
        read = record.parse(raw)
    except RecordError:
        return {"kind": None, "author": None, "audience": None}
    return {"kind": read.kind, "author": read.author.hex(), "audience": audience_told(read.audience)}
