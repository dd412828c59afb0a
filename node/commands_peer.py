"""What the verbs about peers do: look at an address, add, list, remove, sync. They call out, so they are asynchronous.

A peer is pinned by its space's id. An invitation brings the id; an address alone only says one, which is shown to
whoever adds it and trusted by their word (`--trust`, `--trust-first-use`, or yes at the question).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from federation.fault import Ours, Theirs
from federation.storage import ALLY, FOLLOW, MIRROR, WITNESS, Peer, StorageError
from node import invitation
from node.control import Say
from node.failure import CommandError, Misuse
from node.home import Home
from node.station import Station
from protocol.body import to_json
from protocol.keychain import parse_space, space_name
from protocol.keys import SigningKey
from protocol.moon import cycle_at
from protocol.practice import Refused
from protocol.practices.links import LONGEST, Terms, bonds, offers_to_us

PURPOSE = "We carry each other's logs, and tell each other first when something goes wrong."
STANDINGS = ((FOLLOW, "follow"), (ALLY, "ally"), (MIRROR, "mirror"), (WITNESS, "witness"))
"""What this node does for a peer, in words."""


async def look(station: Station, *, given: str) -> dict[str, Any]:
    """What an invitation or an address says: the space's id is a fact in an invitation and a claim at an address."""
    read = invitation.parse(given)
    if isinstance(read, invitation.Join):
        raise Misuse("INVITATION: this one is for a person. For it: archipelago join INVITATION --member NAME")
    if isinstance(read, invitation.Link) and not read.url:
        raise Misuse("INVITATION: it has no address in it. Ask for the address too, and give that with --trust and the id.")
    found = await _calling(station.client.look(read.url))
    sure = isinstance(read, invitation.Link)
    if isinstance(read, invitation.Link) and found.space != read.space:
        raise Misuse(
            f"INVITATION: it is for {space_name(read.space)}, but {read.url} says it is {space_name(found.space)}."
            " Ask for the invitation anew; do not trust that address."
        )
    return {"space": space_name(found.space), "name": found.name, "url": read.url, "sure": sure}


async def add(
    station: Station, *, url: str, space: str, ally: bool = False, mirror: bool = False, witness: bool = False,
    purpose: str = "", cycles: int = 0, member: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Pin a space at an address, take over what was asked for it, talk to it once, and offer or accept a link."""
    standing = FOLLOW | (ALLY if ally else 0) | (MIRROR if mirror else 0) | (WITNESS if witness else 0)
    key = station.home.key_files.key(member) if ally else None
    peer = await _calling(station.client.add_peer(url, parse_space(space), standing))
    await _calling(station.sync(peer.space))
    await station.audited()
    told = {"space": space_name(peer.space), "name": peer.chain.name, "url": peer.url, "standing": standing_told(standing)}
    if key is None:
        return told
    duties = [name for name, asked in (("mirror", mirror), ("witness", witness)) if asked]
    linked = await station.home.write(lambda: _link(station.home, peer.space, key, purpose.strip() or PURPOSE, cycles, duties))
    return {**told, "link": linked}


def _link(home: Home, other: bytes, key: SigningKey, purpose: str, cycles: int, duties: list[str]) -> str:
    """Accept what they have offered, or offer it."""
    now_ms = home.clock.now_ms()
    view = home.store.view(home.space)
    if any(bond.other == other for bond in bonds(view, now_ms)):
        return "linked already"
    for space, row in offers_to_us(view, now_ms):
        if space == other:
            terms = {
                "purpose": row.purpose,
                "shares": row.shares,
                "duties": sorted(row.owed),
                "until_cycle": row.until_cycle,
            }
            home.actions.submit("link.accepted/1", {"other": other.hex(), "offer": row.id.hex(), "terms": terms}, key)
            return "accepted"
    until = cycle_at(now_ms) + (cycles or view.parameter(LONGEST, now_ms))
    offered = Terms(purpose=purpose, shares="allies", duties=sorted(duties), until_cycle=until)  # type: ignore[arg-type]  # names of duties, from the flags
    try:
        home.actions.submit("link.offered/1", {"other": other.hex(), "terms": to_json(offered)}, key)
    except Refused as refusal:
        return f"not offered: {refusal}"
    return "offered"


async def peers(station: Station) -> list[dict[str, Any]]:
    """Whom this node talks to, and how it stands with each."""
    return [_told(station.home, peer) for peer in await station.home.write(station.home.store.peers)]


def _told(home: Home, peer: Peer) -> dict[str, Any]:
    held = home.store.log(peer.space)
    return {
        "space": space_name(peer.space),
        "name": peer.name,
        "url": peer.url,
        "standing": standing_told(peer.standing),
        "size": held.size if held else 0,
        "in_tables": held.judged if held else 0,
        "last_contact_ms": peer.last_contact_ms,
        "offset_ms": peer.offset_ms,
        "failures": peer.failures,
        "problem": peer.problem or (held.stopped if held else ""),
    }


def standing_told(standing: int) -> list[str]:
    """The standing's names."""
    return [name for bit, name in STANDINGS if standing & bit]


async def remove(station: Station, *, peer: str) -> dict[str, Any]:
    """Unfollow: forget a peer, and its log, tables and heads."""
    found = await _peer(station, peer)
    await station.home.write(lambda: station.home.store.forget(found.space))
    return {"space": space_name(found.space), "name": found.name}


async def sync(station: Station, *, peer: str = "") -> list[dict[str, Any]]:
    """Talk to one peer or to all, and say what it cost and brought."""
    if peer:
        chosen = [await _peer(station, peer)]
    else:
        chosen = [each for each in await station.home.write(station.home.store.peers) if each.url]
    told = list(await asyncio.gather(*(_synced(station, each) for each in chosen)))
    await station.audited()
    if len(told) == 1 and told[0]["error"]:
        raise CommandError(told[0]["error"])
    return told


async def _synced(station: Station, peer: Peer) -> dict[str, Any]:
    told: dict[str, Any] = {"space": space_name(peer.space), "name": peer.name, "error": ""}
    try:
        report = await station.sync(peer.space)
    except (Theirs, Ours, StorageError) as error:
        return {**told, "error": str(error)}
    return {
        **told,
        "round_trips": report.round_trips,
        "bytes": report.bytes_sent + report.bytes_received,
        "bytes_sent": report.bytes_sent,
        "bytes_received": report.bytes_received,
        "head_bytes": report.head_bytes,
        "records": report.records,
        "seconds": report.seconds,
    }


async def _peer(station: Station, given: str) -> Peer:
    """The peer that somebody means: by id, name or address."""
    all_peers = await station.home.write(station.home.store.peers)
    wanted = given.strip().rstrip("/")
    found = [each for each in all_peers if wanted in (space_name(each.space), each.name, each.url)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(each.name or space_name(each.space) for each in all_peers) or "nobody yet"
    raise Misuse(f"PEER: “{given}” is {'several' if found else 'none'} of those that this node knows: {known}.")


async def _calling(work: Awaitable[Any]) -> Any:
    """What a call brought; what went wrong on the way as a sentence of the command."""
    try:
        return await work
    except (Theirs, Ours) as error:
        raise CommandError(str(error)) from error


def _verb(work: Callable[..., Awaitable[Any]]) -> Callable[[Station, Say, Mapping[str, Any]], Awaitable[Any]]:
    return lambda station, say, args: work(station, **args)


PEER_VERBS: dict[str, Callable[[Station, Say, Mapping[str, Any]], Awaitable[Any]]] = {
    "peers.look": _verb(look),
    "peers.add": _verb(add),
    "peers.list": _verb(peers),
    "peers.remove": _verb(remove),
    "sync": _verb(sync),
}
