"""A member's own folder on a machine where no node runs: their key, and where the space's node is.

    DIR/remote             JSON: the space's id and name, and the node's address
    DIR/member-keys/       the member's key, as in a node's folder

What they write is sealed here and sent to the node (`node.sealed`), which never sees the key. What a kind fills in by itself
is filled in here too: a hidden answer goes into its sealed box on this machine, and the part that is promised to a lot is drawn
from the member's own key (`node.lending`). Who the node is, is checked by the space's key chain, whose first record hashes to
the id in the invitation.

Example::

    join(folder, invitation, "Noor", "", clock)
    add(folder, kind="ledger.transaction-booked/1", body={...})
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from federation.envelope import EnvelopeError
from node import lending
from node.actions import Lent
from node.clock import Clock
from node.commands_record import audience_named, kind_named
from node.failure import CommandError, Misuse
from node.invitation import Join
from node.planned import check_plans
from node.vault import KeyFiles
from protocol import body as bodies
from protocol import encoding, record
from protocol.keychain import KeyChain, KeyChainError, decode, parse_space, space_name
from protocol.keys import SigningKey
from protocol.practice import Refused, View, unchanged
from protocol.practices import KINDS

NAME = "remote"
TIMEOUT_S = 10.0
MOST_BYTES = 4 * 1024 * 1024


class Remote(Struct, frozen=True):
    """Where a member's space lives."""

    space: bytes
    name: str
    url: str


def read(folder: Path) -> Remote | None:
    """What lies in a member's folder, or None if it is not one."""
    try:
        told = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return Remote(parse_space(told["space"]), told["name"], told["url"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, KeyChainError) as error:
        raise CommandError(f"{folder / NAME} cannot be read ({error}). Join anew in another folder.") from error


def join(folder: Path, invitation: Join, member: str, public_name: str, clock: Clock) -> dict[str, Any]:
    """Become a member of a space whose node is elsewhere, under a key that stays here."""
    if not invitation.url:
        raise Misuse("INVITATION: it has no address in it. Ask for one that has, or join on the node's own machine.")
    here = read(folder)
    if here is not None and here.space != invitation.space:
        raise Misuse(f"This folder is of a member of {here.name}. Choose another with -C.")
    remote = _meet(invitation)
    key, files = SigningKey(clock.random(32)), KeyFiles(folder)
    files.add(member, key)
    try:
        joined = {"secret": invitation.secret.hex(), "name": public_name}
        _send(remote, _seal(remote, "member.joined/1", joined, key, "", clock))
    except BaseException:
        files.remove(member)
        raise
    told = {"space": space_name(remote.space), "name": remote.name, "url": remote.url}
    (folder / NAME).write_text(json.dumps(told) + "\n", encoding="utf-8")
    return {"member": member, "key": key.public.hex(), "admitted": _named(remote, member, key, clock), **told}


def _named(remote: Remote, member: str, key: SigningKey, clock: Clock) -> bool:
    """Tell the others one's name, which members alone can: whether we are one already."""
    try:
        _send(remote, _seal(remote, "member.named/1", {"name": member}, key, "", clock))
    except Refused:
        return False
    return True


def add(
    folder: Path,
    *,
    kind: str,
    body: Any = None,
    flat: Mapping[str, str] | None = None,
    member: str = "",
    audience: str = "",
    propose: str = "",
) -> dict[str, Any]:
    """Seal one record here and send it to the space's node."""
    if propose:
        raise Misuse("--propose: whom an act concerns is known on the node. Propose it there, on the page of what it is.")
    remote = read(folder)
    if remote is None:
        raise CommandError(f"There is no node in {folder}, and nobody has joined one from it.")
    name = kind_named(kind)
    filled = bodies.from_flat(KINDS[name].body, flat or {}) if body is None else body
    told = _send(remote, _seal(remote, name, filled, KeyFiles(folder).key(member), audience, Clock()))
    return {"kind": name, "advice": "", **told}


def _seal(remote: Remote, kind: str, value: Any, key: SigningKey, audience: str, clock: Clock) -> bytes:
    known = KINDS[kind]
    body = value if isinstance(value, Struct) else bodies.from_json(known.body, value)
    if known.prepare is not unchanged:
        view, secrets = _lent(remote, key, clock)
        try:
            body = known.prepare(view, body, secrets)
        except EnvelopeError as error:
            raise CommandError(str(error)) from error
    named = audience_named(audience)
    spoken = known.audience if named is None else named
    check_plans(body, record.scope_of(spoken))
    structure, words = bodies.structure_and_words(body)
    sealed = record.seal(kind, clock.now_ms(), spoken, structure, key, remote.space, words=words, random=clock.random(32))
    return encoding.encode([sealed.raw, sealed.annex])


# Talking to the node


def _meet(invitation: Join) -> Remote:
    """The node at the invitation's address, if the key chain that it serves is that of the space invited to."""
    chain = _chain(invitation.space, invitation.url)
    if chain is None:
        raise CommandError(f"{invitation.url} is not the node of the space that invites you. Ask for the invitation anew.")
    return Remote(invitation.space, chain.name, invitation.url)


def _chain(space: bytes, url: str) -> KeyChain | None:
    """The key chain served there, if it is that of this space."""
    status, data = _call("GET", url, f"/log/{space_name(space).removeprefix('isle:')}/keychain")
    try:
        return decode(data, space) if status == 200 else None
    except KeyChainError:
        return None


def _lent(remote: Remote, key: SigningKey, clock: Clock) -> tuple[View, Lent]:
    """The node's rows and keys, as filling in a body takes them."""
    chain = _chain(remote.space, remote.url)
    if chain is None:
        raise CommandError(f"{remote.url} is not the node of {remote.name} now. Nothing was written.")

    def ask(data: bytes) -> bytes:
        status, answer = _call("POST", remote.url, lending.PATH, data)
        if status == 200:
            return answer
        raise _refusal(remote, status, answer)

    return lending.from_afar(remote.space, chain.current.keys.identity, key, clock, ask)


def _send(remote: Remote, data: bytes) -> dict[str, Any]:
    status, answer = _call("POST", remote.url, "/api/v1/sealed", data)
    try:
        told: dict[str, Any] = json.loads(answer)
    except ValueError:
        told = {}
    if status == 201 and isinstance(told, dict):
        return told
    raise _refusal(remote, status, answer)


def _refusal(remote: Remote, status: int, answer: bytes) -> Refused | CommandError:
    """What the node says is wrong; else that it does not answer as it should."""
    try:
        told = json.loads(answer)
    except ValueError:
        told = {}
    sentence = str(told.get("error", "")) if isinstance(told, dict) else ""
    if status in (400, 401, 403, 409, 413, 422) and sentence:
        return Refused("".join(each for each in sentence[:500] if each.isprintable()))
    return CommandError(f"The node at {remote.url} did not take it (status {status}). Nothing was written; try again later.")


def _near(host: str) -> bool:
    """Whether plain HTTP to this host stays on this machine, in this house, or within Tor."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith(".onion")


def _call(method: str, url: str, path: str, data: bytes | None = None) -> tuple[int, bytes]:
    """One request without redirects, cookies or proxies."""
    split = urlsplit(url)
    if split.scheme != "https" and not _near(split.hostname or ""):
        raise Misuse(f"{url} would carry your words in the open. Ask for an address that begins with https.")
    kind = HTTPSConnection if split.scheme == "https" else HTTPConnection
    wire = kind(split.hostname or "", split.port, timeout=TIMEOUT_S)
    try:
        wire.request(method, split.path + path, body=data, headers={"Content-Type": "application/cbor"} if data else {})
        answer = wire.getresponse()
        return answer.status, answer.read(MOST_BYTES)
    except (OSError, HTTPException) as error:
        raise CommandError(f"The node at {url} did not answer ({type(error).__name__}). Nothing was written.") from error
    finally:
        wire.close()
