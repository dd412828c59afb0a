"""The calls that this node makes to others: the one place of the project that opens outgoing connections to peers.

Rules:

- Where a call may go is decided by `federation.address` on the address that is dialled; no redirect is followed, no cookie
  kept, no proxy taken from the environment, nothing decompressed.
- Small requests have ten seconds in all; a pull goes on while at least 16 KiB a second come. Every answer has a cap in bytes.
- One sync a peer and one pull a log at a time; while a range is checked and kept, the next is on its way.
- What the other side did wrong is noted with the peer and raised; it is never retried within the same sync, but that a
  kept connection may have been closed meanwhile, and that a peer who does not know us is given our key chain once.

All calls into `Service` and its storage go through `run`, which runs them off the event loop, one after the other.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from federation import pull, submission, transfer, word
from federation.address import AddressError, Guard, check_url
from federation.envelope import OVERHEAD, EnvelopeError, NotGenuine
from federation.event import Event, ForkSeen, OwnHead
from federation.fault import Ours, Refused, Theirs, Unreachable
from federation.pull import Forked, PullError
from federation.session import MAX_NOTIFY, Service
from federation.storage import Log, Peer, StorageError
from federation.transfer import Target
from protocol import evidence
from protocol.keychain import KeyChain, KeyChainError, parse_space

DEADLINE_S = 10.0
PACE = 16 * 1024  # bytes a second that a long answer has to come in at
MAX_PLAIN = 64 * 1024
CBOR = "application/cbor"

T = TypeVar("T")


class Run(Protocol):
    """Runs a function off the event loop, one after the other with all others given to it."""

    def __call__(self, function: Callable[..., T], /, *args: Any) -> Awaitable[T]:
        """The function's result."""


class Answered(Refused):
    """The other side refused; `code` is the status it gave."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"The other node refused ({code}): {said or 'without a reason'}")
        self.code = code


class Found(Struct, frozen=True):
    """What an address says of the node there: a hint until its key chain was checked."""

    space: bytes
    name: str
    url: str


class SyncReport(Struct, frozen=True):
    """What a sync cost and brought; bytes are those of bodies, `head_bytes` those of HTTP's heads both ways."""

    round_trips: int
    bytes_sent: int
    bytes_received: int
    head_bytes: int
    records: int
    seconds: float


class _Tally:
    """Counts of one sync."""

    def __init__(self) -> None:
        self.round_trips = self.sent = self.received = self.heads = self.records = 0
        self.began = time.monotonic()

    def report(self) -> SyncReport:
        return SyncReport(
            self.round_trips, self.sent, self.received, self.heads, self.records, round(time.monotonic() - self.began, 6)
        )


class _Fetch(Struct):
    """A range on its way."""

    asking: transfer.Asking
    answer: asyncio.Future[bytes]

    async def cancel(self) -> None:
        self.answer.cancel()
        await asyncio.gather(self.answer, return_exceptions=True)


class Client:
    """Calls to the peers of one node. Make it within a running event loop, and close it."""

    def __init__(
        self,
        service: Service,
        *,
        run: Run,
        now_ms: Callable[[], int],
        guard: Guard,
        on_event: Callable[[Event], None],
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.service, self.storage, self._deadline_s = service, service.storage, deadline_s
        self._run, self._now_ms, self._on_event = run, now_ms, on_event
        self._syncs: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._pulls: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)
        connector = aiohttp.TCPConnector(socket_factory=guard.dial, limit=64, limit_per_host=4, keepalive_timeout=300)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=deadline_s, sock_read=deadline_s),
            read_bufsize=256 * 1024,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    # Syncs

    async def sync(self, space: bytes) -> SyncReport:
        """Talk to a peer and pull what it has and we lack. Raises what went wrong, after noting it with the peer."""
        async with self._syncs[space]:
            peer = await self._peer(space)
            tally = _Tally()
            try:
                await self._exchange(peer, tally)
                peer = await self._peer(space)
                for target in await self._run(self.service.transfer.plan, peer, self._now_ms()):
                    await self._pull(peer, target, tally)
            except (Theirs, AddressError, StorageError) as error:
                await self._run(self.service.peers.failed, space, str(error))
                raise
            return tally.report()

    async def notify(self, space: bytes) -> None:
        """Tell a peer that our own log moved. Best effort: what goes wrong is for the next sync to find."""
        peer = await self._peer(space)
        asking = await self._run(self.service.ask_notify, peer, self._now_ms())
        if asking is not None:
            data = await self._post(peer, "notify", asking.body, MAX_NOTIFY, _Tally())
            await self._run(self.service.end_notify, asking, data)

    async def notify_all(self) -> None:
        """Tell every peer that our own log moved, all at once."""
        peers = [peer for peer in await self._run(self.storage.peers) if peer.url]
        await asyncio.gather(*(self._try_notify(peer.space) for peer in peers))

    async def _try_notify(self, space: bytes) -> None:
        try:
            await self.notify(space)
        except (Theirs, Ours, StorageError):
            return

    async def fill(self, space: bytes, carrier: bytes) -> int:
        """Ask a carrier for records of a log that were withheld from us before; returns how many came."""
        async with self._pulls[space]:
            peer, log, start, count = await self._peer(carrier), await self._log(space), 0, 0
            tally = _Tally()
            while start < log.size:
                asking = await self._run(self.service.transfer.ask_missing, peer, space, start, self._now_ms())
                data = await self._post(peer, "pull", asking.body, pull.MAX_ANSWER, tally)
                taken = await self._run(self.service.transfer.end_missing, asking, data)
                self._tell(taken.events)
                count += taken.rows
                if taken.size <= start:
                    break
                start = taken.size
            return count

    async def _exchange(self, peer: Peer, tally: _Tally) -> None:
        known = bool(peer.summary)
        try:
            again = await self._exchange_once(peer, tally, introduce=not known)
        except (Answered, NotGenuine) as error:
            if isinstance(error, Answered) and error.code != NotGenuine.status:
                raise
            again = await self._exchange_once(peer, tally, introduce=True)
        if again:
            await self._exchange_once(await self._peer(peer.space), tally, introduce=False)

    async def _exchange_once(self, peer: Peer, tally: _Tally, *, introduce: bool) -> bool:
        for attempt in (1, 2):
            asking = await self._run(self._ask_exchange, peer, introduce)
            try:
                data = await self._post(peer, "exchange", asking.body, word.MAX_EXCHANGE, tally)
            except Unreachable as error:
                if attempt == 1 and isinstance(error.__cause__, aiohttp.ServerDisconnectedError | ConnectionResetError):
                    continue
                raise
            talked = await self._run(self.service.end_exchange, asking, data, self._now_ms())
            self._tell(talked.events)
            return talked.again
        raise Unreachable("The other node closed the connection twice.")

    def _ask_exchange(self, peer: Peer, introduce: bool) -> Any:
        return self.service.ask_exchange(peer, self._now_ms(), introduce=introduce, ask=introduce)

    # Pulls

    async def _pull(self, peer: Peer, target: Target, tally: _Tally) -> None:
        """Pull one log from a carrier as far as it goes; a fork of it is told and kept, and ends only this log's pull."""
        async with self._pulls[target.space]:
            if target.evidence:
                self._tell(await self._evidence(peer, target.space, tally))
            elif target.space == self.service.space:
                self._tell((await self._own_head(peer, tally),))
            else:
                try:
                    await self._pull_ranges(peer, target, tally)
                except Forked:
                    self._tell((ForkSeen(target.space),))

    async def _evidence(self, peer: Peer, space: bytes, tally: _Tally) -> tuple[Event, ...]:
        asking = await self._run(self.service.transfer.ask_evidence, peer, space, self._now_ms())
        data = await self._post(peer, "evidence", asking.body, evidence.MAX_EVIDENCE + OVERHEAD, tally)
        return await self._run(self.service.transfer.end_evidence, asking, data, self._now_ms())

    async def _own_head(self, peer: Peer, tally: _Tally) -> OwnHead:
        """Have a peer prove a head of our own log that ours does not agree with; one that it cannot show counts for nothing."""
        try:
            log = await self._log(self.service.space)
            fetch = await self._fetch(peer, log.space, log.size, 0, tally)
            return await self._run(self.service.transfer.end_own, fetch.asking, await fetch.answer)
        except (Answered, EnvelopeError, PullError):
            return OwnHead(peer.space, 0, b"")

    async def _pull_ranges(self, peer: Peer, target: Target, tally: _Tally) -> None:
        log = await self._log(target.space)
        want = 0 if target.probe else pull.MAX_WANT
        following: _Fetch | None = await self._fetch(peer, log.space, log.size, want, tally)
        try:
            while following is not None:
                asking, data = following.asking, await following.answer
                reached, following = asking.wanted.start + asking.wanted.want, None
                if want and reached < target.size:  # on its way while this one is checked and kept
                    following = await self._fetch(peer, log.space, reached, want, tally)
                taken = await self._run(self.service.transfer.end, asking, data, self._now_ms())
                del data
                self._tell(taken.events)
                tally.records += taken.rows
                if taken.size != reached and following is not None:
                    await following.cancel()
                    following, want = None, taken.rows or want  # as many as fit into one answer
                if taken.again or (taken.rows and taken.size < taken.head_size and following is None):
                    following = await self._fetch(peer, log.space, taken.size, want, tally)
        finally:
            if following is not None:
                await following.cancel()

    async def _fetch(self, peer: Peer, space: bytes, start: int, want: int, tally: _Tally) -> _Fetch:
        asking = await self._run(self._ask_range, peer, space, start, want)
        return _Fetch(asking, asyncio.ensure_future(self._post(peer, "pull", asking.body, pull.MAX_ANSWER, tally)))

    def _ask_range(self, peer: Peer, space: bytes, start: int, want: int) -> transfer.Asking:
        return self.service.transfer.ask(peer, space, self._now_ms(), start=start, want=want)

    # New peers

    async def look(self, url: str) -> Found:
        """What space an address says it is of. Only a hint: show the id and ask, or compare it with an invitation's."""
        base = check_url(url)
        status, data = await self._plain("GET", f"{base}/.well-known/archipelago", None)
        if status != 200:
            raise Answered(status, "there is no node of an archipelago at this address")
        try:
            said = msgspec.json.decode(data, type=dict[str, Any])
            return Found(parse_space(str(said["space"])), str(said["name"]), base)
        except (msgspec.DecodeError, KeyError, KeyChainError) as error:
            raise Refused("What is at this address does not say which space it is of.") from error

    async def add_peer(self, url: str, trust: bytes, standing: int) -> Peer:
        """Pin the space `trust` at an address: its key chain must hash to that id, and its node sign with that chain's key."""
        base = check_url(url)
        if trust == self.service.space:
            raise Refused("That is this node itself.")
        now_ms = self._now_ms()
        held = await self._run(self.storage.peer, trust)
        if held is not None:
            peer = msgspec.structs.replace(held, url=base)
        else:
            unknown = KeyChain(trust, "", (), ())
            peer = Peer(trust, unknown, "", base, 0, now_ms, 0, 0, "", 0, b"", b"")
        asking = await self._run(self._ask_exchange, peer, True)
        data = await self._post(peer, "exchange", asking.body, word.MAX_EXCHANGE, _Tally())
        talked = await self._run(self._end_introduction, asking, data, base, standing)
        self._tell(talked.events)
        return await self._peer(trust)

    def _end_introduction(self, asking: Any, data: bytes, url: str, standing: int) -> Any:
        talked = self.service.end_exchange(asking, data, self._now_ms())
        peer = self.storage.peer(asking.peer.space)
        assert peer is not None
        self.storage.keep_peer(msgspec.structs.replace(peer, name=peer.chain.name, url=url, standing=peer.standing | standing))
        self.storage.learn(peer.chain)
        return talked

    # Witnesses

    async def submit_checkpoint(self, space: bytes) -> int:
        """Ask a peer to cosign our newest head, by C2SP tlog-witness; returns the size that it has cosigned."""
        peer = await self._peer(space)
        body = await self._run(submission.ask, self.storage, peer.space)
        status, data = await self._plain("POST", f"{peer.url}/add-checkpoint", body)
        if status == 409:
            body = await self._run(submission.ask_again, self.storage, data)
            status, data = await self._plain("POST", f"{peer.url}/add-checkpoint", body)
        if status != 200:
            raise Answered(status, _spoken(data))
        return await self._run(submission.take, self.storage, peer.chain, body, data)

    # One request

    async def _post(self, peer: Peer, verb: str, body: bytes, limit: int, tally: _Tally) -> bytes:
        """The body of the answer to one request; Answered if it was refused, Unreachable if none came in time."""
        url = f"{peer.url}/federation/v1/{verb}"
        tally.round_trips += 1
        tally.sent += len(body)
        status, kind, data = await self._request("POST", url, body, CBOR, limit, tally)
        tally.received += len(data)
        if status != 200:
            raise Answered(status, _spoken(data[:400]))
        if kind != CBOR:
            raise Refused("The other node answered in another form than it should.")
        return data

    async def _plain(self, method: str, url: str, body: bytes | None) -> tuple[int, bytes]:
        status, _, data = await self._request(method, url, body, "text/plain; charset=utf-8", MAX_PLAIN, _Tally())
        return status, data

    async def _request(
        self, method: str, url: str, body: bytes | None, kind: str, limit: int, tally: _Tally
    ) -> tuple[int, str, bytes]:
        headers = {"Content-Type": kind} if body is not None else {}
        try:
            async with asyncio.timeout(self._deadline_s) as deadline:
                async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
                    tally.heads += _head_bytes(response)
                    if "Content-Encoding" in response.headers:
                        raise Refused("The other node answered in another form than it should.")
                    cap = limit if response.status == 200 else min(limit, MAX_PLAIN)
                    data = await self._read(response, cap, deadline)
                    return response.status, response.headers.get("Content-Type", ""), data
        except AddressError:
            raise
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            refused = _address_error(error)
            if refused is not None:
                raise refused from error
            raise Unreachable(f"The other node did not answer ({type(error).__name__}).") from error

    async def _read(self, response: aiohttp.ClientResponse, cap: int, deadline: asyncio.Timeout) -> bytes:
        """The body, while it comes at the least pace and is within its cap."""
        if (response.content_length or 0) > cap:
            raise Refused("The other node's answer is larger than it may be.")
        parts, size = [], 0
        begins = asyncio.get_running_loop().time()
        async for chunk in response.content.iter_any():
            parts.append(chunk)
            size += len(chunk)
            if size > cap:
                raise Refused("The other node's answer is larger than it may be.")
            deadline.reschedule(begins + self._deadline_s + size / PACE)
        return b"".join(parts)

    # Small things

    async def _peer(self, space: bytes) -> Peer:
        peer = await self._run(self.storage.peer, space)
        if peer is None or not peer.url:
            raise Refused("That space is no peer whose address is known. Add it first: archipelago peers add ADDRESS")
        return peer

    async def _log(self, space: bytes) -> Log:
        log = await self._run(self.storage.log, space)
        if log is None:
            raise Refused("This node does not hold that space.")
        return log

    def _tell(self, events: tuple[Event, ...]) -> None:
        for event in events:
            self._on_event(event)


def _address_error(error: BaseException) -> AddressError | None:
    """The guard's own refusal, where the connector wrapped it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, AddressError):
            return seen
        inner = getattr(seen, "os_error", None)
        seen = inner if isinstance(inner, BaseException) and inner is not seen else (seen.__cause__ or seen.__context__)
    return None


def _head_bytes(response: aiohttp.ClientResponse) -> int:
    """The size of HTTP's heads, request and answer."""
    asked, line = response.request_info, len(f"{response.method} {response.url.raw_path_qs} HTTP/1.1\r\n")
    request = line + sum(len(name) + len(value) + 4 for name, value in asked.headers.items()) + 2
    status = len(f"HTTP/1.1 {response.status} {response.reason or ''}\r\n")
    return request + status + sum(len(name) + len(value) + 4 for name, value in response.raw_headers) + 2


def _spoken(data: bytes) -> str:
    """A refusal's text, fit for a line on a page."""
    return "".join(each for each in data.decode(errors="replace") if each.isprintable())[:200].strip()
