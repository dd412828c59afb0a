"""How safe this node's log is, and what it carries of others: blocks for the Archipelago room.

Durability is counted from mirrors' cosignatures ("I durably hold all entries and all public records"), by distinct space
and never by signature. Who has *seen* a record is told by any cosignature, witness's or mirror's, on a larger head.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from federation.storage import ALLY, FOLLOW, GUARDIAN, MIRROR, WITNESS, Cosignature, Log, Peer
from node.home import Home
from node.notices import Notices
from node.words import Telling, duration
from protocol.keychain import KeyChainError, parse_origin, space_name
from protocol.page import Block, Cell, Edge, Facts, Graph, Grid, Heading, Node, Ref, State, Text, When
from protocol.practice import View
from protocol.standing import CALLS, standing

MINUTE_MS = 60_000
_SPANS = 6
STANDINGS = ((FOLLOW, "follows"), (ALLY, "allied"), (MIRROR, "mirrors"), (WITNESS, "witnesses"), (GUARDIAN, "guards"))


class Holding(Struct, frozen=True):
    """What one other space is known to have seen or to hold of a log."""

    space: bytes
    duty: str  # witness or mirror
    size: int
    time_s: int


def holdings(cosignatures: list[Cosignature]) -> list[Holding]:
    """Cosignatures by the space that made them; names that are no space's are left out."""
    told = []
    for each in cosignatures:
        name, _, duty = each.name.rpartition("/")
        try:
            space, _ = parse_origin(name)
        except KeyChainError:
            continue
        told.append(Holding(space, duty, each.size, each.time_s))
    return told


def seen_by(home: Home, space: bytes, position: int) -> dict[bytes, int]:
    """Spaces that cosigned a head of this log which includes the position -> when (seconds since 1970)."""
    log = home.store.log(space)
    if log is None:
        return {}
    told: dict[bytes, int] = {}
    for each in holdings(home.store.cosignatures(space)):
        if each.size > position:
            told[each.space] = min(each.time_s, told.get(each.space, each.time_s))
    return told


def durability(held: list[Holding], size: int, now_ms: int) -> str:
    """In words: how many spaces hold everything, up to where, and how fresh that is."""
    mirrors = {each.space: each for each in held if each.duty == "mirror"}
    if not mirrors:
        return "No other space has yet confirmed that it holds this log. If this machine is lost, so is what it knows."
    least = min(each.size for each in mirrors.values())
    fresh = max(0, now_ms // 1000 - max(each.time_s for each in mirrors.values())) // 60
    spaces = "1 space holds" if len(mirrors) == 1 else f"{len(mirrors)} spaces hold"
    age = "less than a minute" if fresh == 0 else "1 minute" if fresh == 1 else f"{fresh} minutes"
    behind = "" if least == size else f" of {size:,}"
    return f"{spaces} everything up to record {least:,}{behind}; the freshest confirmation is {age} old."


def standing_words(standing: int) -> str:
    """A peer's standing in words."""
    return ", ".join(word for bit, word in STANDINGS if standing & bit) or "known"


def archipelago(home: Home, now_ms: int) -> Iterator[Block]:
    """Who carries whom up to where, witnessed by whom, last contact, clock offset."""
    logs, peers = home.store.logs(), {peer.space: peer for peer in home.store.peers()}
    if not logs:
        return
    ours = logs[0]
    held = {log.space: holdings(home.store.cosignatures(log.space)) for log in logs}
    yield Heading("How safe our log is")
    yield Text(durability(held[ours.space], ours.size, now_ms))
    if home.heads.recovering:
        yield Text(home.heads.recovering, "bad")
    yield Graph("Who is linked with whom", list(_nodes(logs, peers, ours)), list(_edges(logs, peers, ours, held)))
    yield Grid(
        "What this node carries",
        ("Space", "Holds up to", "In tables", "Witnessed by", "Mirrored by", "State"),
        [_carried(log, held[log.space]) for log in logs],
    )
    yield Grid(
        "Peers",
        ("Space", "Standing", "Last contact", "Their clock", "State"),
        [_peer(peer, now_ms) for peer in peers.values()],
        "No peer yet. Add one with an invitation: archipelago peers add INVITATION",
    )
    found = home.store.evidence()
    if found:
        yield Heading("Evidence", 3)
        yield Text(
            "Two heads of one log contradict each other. Nothing more of it is taken until the space has healed it.", "bad"
        )
        yield Grid("Forked logs", ("Space", "Found"), [[Ref(space, "space"), When(found_ms)] for space, found_ms, _ in found])


def clock(notices: Notices, telling: Telling) -> Iterator[Block]:
    """When the clock last ran, and when this node was off."""
    ran_ms = notices.ran_ms()
    yield Heading("The clock", 3)
    if not ran_ms:
        yield Text("The clock has not run yet. It runs every few seconds while the node is on, and catches up when it was off.")
        return
    if ran_ms > telling.now_ms + MINUTE_MS:
        behind = duration(ran_ms - telling.now_ms)
        said = f"The clock of this machine was set back by {behind}. Nothing is noticed twice; look whether it is right now."
        yield Text(said, "warn")
    away = notices.away(_SPANS)
    last = f"The clock last ran {told if (told := telling.on(min(ran_ms, telling.now_ms))) != 'now' else 'a moment ago'}."
    if away:
        since, until = telling.exact(away[0].since_ms), telling.exact(away[0].until_ms)
        last += f" It was off from {since} to {until}; what came due in that time was noticed then."
    yield Text(last)
    rows: list[list[Cell]] = [
        [When(each.since_ms), When(each.until_ms), duration(each.until_ms - each.since_ms)] for each in away[1:]
    ]
    if rows:
        yield Grid("When it was off before", ("From", "Until", "For"), rows)


def campaigns_seen(home: Home, view: View, now_ms: int) -> Iterator[Block]:
    """For each campaign that is not over: who is known to have seen the call, and how far each clock is from ours."""
    peers = {peer.space: peer for peer in home.store.peers()}
    for call in view.everywhere(CALLS):
        stands = standing(view, call, now_ms)
        if stands.phase in ("over", "lapsed"):
            continue
        caller = view.space_id(call.space)
        seen = seen_by(home, caller, call.position)
        rows: list[list[Cell]] = []
        for space in stands.invited:
            own_copy = space in (caller, home.space) or space in {*stands.joined, *stands.declined, *stands.withdrawn}
            known = own_copy or space in seen
            when: Cell = When(seen[space] * 1000) if space in seen else "by its own answer" if own_copy else "not that we know"
            state = State("seen", "good") if known else State("not yet", "warn")
            clock = "ours" if space == home.space else _clock(peers.get(space))
            rows.append([Ref(space, "space"), state, when, clock])
        yield Heading(f"Who has seen “{call.name or 'this call'}”", 3)
        yield Text(
            "A space has seen a call once it has cosigned a head of the caller's log that holds it, or has answered."
            " Windows open by each node's own clock; the last column says how far a clock is from ours."
        )
        yield Grid("Seen by", ("Space", "Call", "Since", "Its clock"), rows)


def _clock(peer: Peer | None) -> str:
    if peer is None or not peer.last_contact_ms:
        return "not measured"
    if abs(peer.offset_ms) < 1000:
        return "within a second of ours"
    return f"{abs(peer.offset_ms) / 1000:.1f} s {'ahead of' if peer.offset_ms > 0 else 'behind'} ours"


def proof_facts(log: Log, position: int, held: list[Holding]) -> Facts:
    """The proof of one record in short, for its page."""
    seen = sorted({each.space for each in held if each.size > position})
    pairs: list[tuple[str, Cell]] = [
        ("Place in the log", f"{position} of {log.size}"),
        ("Signed head", f"up to record {log.head_size}" if log.head else "none yet"),
        ("Cosigned by", f"{len(seen)} other {'space' if len(seen) == 1 else 'spaces'}"),
    ]
    return Facts(pairs)


def _carried(log: Log, held: list[Holding]) -> list[Cell]:
    state = (
        State("stopped: " + log.stopped, "bad")
        if log.stopped
        else State("whole" if log.size == log.judged else "auditing", "good")
    )
    if log.missing and not log.stopped:
        state = State(f"{log.missing} withheld from us", "calm")
    return [
        Ref(log.space, "space"),
        log.size,
        log.judged,
        len({each.space for each in held if each.duty == "witness"}),
        len({each.space for each in held if each.duty == "mirror"}),
        state,
    ]


def _peer(peer: Peer, now_ms: int) -> list[Cell]:
    contact: Cell = When(peer.last_contact_ms) if peer.last_contact_ms else "never"
    late = now_ms - peer.last_contact_ms > 15 * MINUTE_MS
    state = State(peer.problem, "bad") if peer.problem else State("quiet", "warn") if late else State("in touch", "good")
    return [Ref(peer.space, "space"), standing_words(peer.standing), contact, _clock(peer), state]


def _nodes(logs: list[Log], peers: dict[bytes, Peer], ours: Log) -> Iterator[Node]:
    for log in logs:
        name = space_name(log.space)
        tone = "good" if log.space == ours.space else "bad" if log.stopped else "calm"
        yield Node(name, log.chain.name, f"{log.size:,} records", f"/space/{name}", tone)
    for peer in peers.values():
        if all(log.space != peer.space for log in logs):
            name = space_name(peer.space)
            yield Node(name, peer.name, "nothing held", f"/space/{name}", "warn")


def _edges(logs: list[Log], peers: dict[bytes, Peer], ours: Log, held: dict[bytes, list[Holding]]) -> Iterator[Edge]:
    known = {log.space for log in logs} | set(peers)
    for peer in peers.values():
        yield Edge(space_name(ours.space), space_name(peer.space), standing_words(peer.standing))
    for log in logs:
        for each in held[log.space]:
            if each.space in known and ours.space not in (each.space, log.space):
                yield Edge(space_name(each.space), space_name(log.space), f"{each.duty} up to {each.size:,}")
