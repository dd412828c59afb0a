"""Nodes on real sockets: what a sync costs, what is refused and how, and how long a bad peer can hold us."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO

import aiohttp
import pytest
from aiohttp import web
from msgspec.structs import replace
from structlog.testing import capture_logs

from federation import pull
from federation.address import AddressError, Guard
from federation.cosignature import name_of
from federation.envelope import NotGenuine
from federation.event import ForkSeen, Grown, Moved
from federation.fault import Refused, Theirs, Unreachable
from federation.outgoing import Answered
from federation.storage import ALLY, FOLLOW
from protocol.keychain import space_name
from protocol.note import cosign, format_signature_line, parse_note
from tests.federation.isle import NOW, Isle, befriend
from tests.federation.talk import Node, fetch
from tests.federation.wire import Clock, Wired, serve


@asynccontextmanager
async def pair(count: int = 5) -> AsyncIterator[tuple[Wired, Wired]]:
    """Two nodes that know each other and each other's address."""
    a, b = Node(Isle("a")), Node(Isle("b"))
    clock = Clock()
    for node in (a, b):
        node.isle.write(count)
    async with Wired(a, clock=clock) as one, Wired(b, clock=clock) as other:
        befriend(a.isle, b.isle, url=other.url)
        befriend(b.isle, a.isle, url=one.url)
        yield one, other


async def test_a_sync_brings_everything_and_an_idle_one_costs_next_to_nothing() -> None:
    async with pair(count=3000) as (a, b):
        report = await a.client.sync(b.space)
        assert report.records == 3001
        assert Grown(b.space, 3001) in a.events
        await b.client.sync(a.space)
        await a.client.sync(b.space)
        idle = await a.client.sync(b.space)
        assert (idle.round_trips, idle.records) == (1, 0)
        assert idle.bytes_sent + idle.bytes_received < 300
        assert idle.bytes_sent + idle.bytes_received + idle.head_bytes < 700
        b.node.isle.write(100)
        more = await a.client.sync(b.space)
        assert (more.round_trips, more.records) == (2, 100)


async def test_ranges_are_fetched_ahead_and_all_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "MAX_WANT", 300)
    async with pair(count=2000) as (a, b):
        report = await a.client.sync(b.space)
        assert (report.records, report.round_trips) == (2001, 8)


async def test_ranges_that_are_cut_by_their_size_all_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "BUDGET", 20_000)
    async with pair(count=1000) as (a, b):
        report = await a.client.sync(b.space)
        assert report.records == 1001
        assert report.round_trips < 20


async def test_many_nodes_ask_at_once() -> None:
    async with pair(count=500) as (a, b):
        others = [Node(Isle(f"n{number}")) for number in range(6)]
        for node in others:
            node.isle.write(1)
            befriend(node.isle, b.node.isle, url=b.url)
        wired = [await Wired(node).__aenter__() for node in others]
        reports = await asyncio.gather(*(each.client.sync(b.space) for each in wired), a.client.sync(b.space))
        assert [report.records for report in reports] == [501] * 7
        for each in wired:
            await each.__aexit__()


async def test_a_notice_tells_that_there_is_news() -> None:
    async with pair() as (a, b):
        await a.client.notify(b.space)
        assert Moved(a.space, a.space, 6) in b.events
        await b.client.notify_all()
        assert Moved(b.space, b.space, 6) in a.events


async def test_a_peer_is_added_by_its_id_and_nobody_else_answers_for_it() -> None:
    a, b = Node(Isle("a")), Node(Isle("b"))
    for node in (a, b):
        node.isle.write(3)
    async with Wired(a) as one, Wired(b) as other:
        with pytest.raises(Theirs):
            await one.client.add_peer(other.url, Isle("c").space, FOLLOW)
        assert not a.store.peers()
        peer = await one.client.add_peer(other.url + "/", b.space, FOLLOW | ALLY)
        assert (peer.name, peer.url, peer.standing) == ("b", other.url, FOLLOW | ALLY)
        assert (await one.client.sync(b.space)).records == 4
        met = b.store.peer(a.space)
        assert met is not None and met.standing == 0
        await other.client.add_peer(one.url, a.space, FOLLOW)
        with pytest.raises(Refused):
            await one.client.add_peer(other.url, a.space, FOLLOW)


async def test_an_address_says_whose_it_is() -> None:
    space = Isle("b").space

    async def known(_: web.Request) -> web.Response:
        return web.json_response({"space": space_name(space), "name": "b", "endpoints": [], "keys": {}})

    async def odd(request: web.Request) -> web.Response:
        if request.path.startswith("/elsewhere"):
            raise web.HTTPFound("/.well-known/archipelago")
        return web.json_response(["no"])

    app = web.Application()
    app.add_routes([web.get("/.well-known/archipelago", known), web.get("/{rest:.*}", odd)])
    runner, url = await serve(app)
    async with Wired(Node(Isle("a"))) as a:
        found = await a.client.look(url + "/")
        assert (found.space, found.name, found.url) == (space, "b", url)
        for path in ("/odd", "/elsewhere"):
            with pytest.raises(Theirs):
                await a.client.look(url + path)
        with pytest.raises(AddressError):
            await a.client.look("nonsense")
    await runner.cleanup()


async def test_nothing_is_called_that_the_guard_does_not_let() -> None:
    async with pair() as (_, b):
        a = Node(Isle("closed"))
        a.isle.write(1)
        async with Wired(a, guard=Guard()) as closed:
            for host in ("2130706433", "0x7f.1", "127.1"):
                befriend(a.isle, b.node.isle, url=b.url.replace("127.0.0.1", host))
                with pytest.raises((AddressError, Unreachable)):
                    await closed.client.sync(b.space)
            for host in ("localhost", "127.0.0.1"):
                befriend(a.isle, b.node.isle, url=b.url.replace("127.0.0.1", host))
                with pytest.raises(AddressError):
                    await closed.client.sync(b.space)
            peer = a.store.peer(b.space)
            assert peer is not None and peer.failures == 1 and "open internet" in peer.problem


async def test_what_went_wrong_is_noted_with_the_peer_and_mended_by_the_next_sync() -> None:
    async with pair() as (a, b):
        peer = a.node.store.peer(b.space)
        assert peer is not None
        a.node.store.keep_peer(replace(peer, url="http://127.0.0.1:9"))
        for _ in (1, 2):
            with pytest.raises(Unreachable):
                await a.client.sync(b.space)
        failed = a.node.store.peer(b.space)
        assert failed is not None and failed.failures == 2 and failed.problem
        a.node.store.keep_peer(replace(failed, url=b.url))
        await a.client.sync(b.space)
        mended = a.node.store.peer(b.space)
        assert mended is not None and mended.failures == 0 and not mended.problem
        with pytest.raises(Refused, match="add"):
            await a.client.sync(Isle("unknown").space)


async def test_an_absent_space_comes_from_another_and_a_fork_is_told() -> None:
    async with pair() as (a, b):
        gone = Node(Isle("gone"))
        gone.isle.write(50)
        twin = Node(Isle("gone", store=gone.store.copy()))
        twin.isle.count = 1000
        for each in (gone, twin):
            befriend(each.isle, a.node.isle)
            befriend(each.isle, b.node.isle)
        befriend(b.node.isle, gone.isle)
        fetch(b.node, gone, gone.space)
        befriend(a.node.isle, gone.isle, url="")
        report = await a.client.sync(b.space)
        assert report.records == 6 + 51
        gone.isle.write(1)
        twin.isle.write(1)
        fetch(b.node, gone, gone.space)
        fetch(a.node, twin, gone.space)
        await a.client.sync(b.space)
        assert ForkSeen(gone.space) in a.events
        assert (await a.client.sync(b.space)).round_trips == 1


async def test_what_was_withheld_is_asked_for_again() -> None:
    async with pair() as (a, b):
        b.node.isle.write(4, audience=1)
        await a.client.sync(b.space)
        b.node.allies.add(a.space)
        assert await a.client.fill(b.space, b.space) == 4
        log = a.node.store.log(b.space)
        assert log is not None and log.missing == 0


async def test_a_witness_is_asked_and_its_cosignature_kept() -> None:
    witness = Isle("witness")
    asked: list[str] = []

    async def add(request: web.Request) -> web.Response:
        text = await request.text()
        asked.append(text.splitlines()[0])
        if text.startswith("old 0\n") and len(asked) == 1:
            return web.Response(status=409, text="3\n", content_type="text/x.tlog.size")
        note = parse_note(text.split("\n\n", 1)[1])
        return web.Response(
            text=format_signature_line(cosign(witness.keys.witness, name_of(witness.space, "witness"), note.text, NOW // 1000))
        )

    app = web.Application()
    app.add_routes([web.post("/add-checkpoint", add)])
    runner, url = await serve(app)
    async with pair() as (a, _):
        a.node.speech(NOW)
        befriend(a.node.isle, witness, url=url)
        assert await a.client.submit_checkpoint(witness.space) == 6
        assert asked == ["old 0", "old 3"]
        (kept,) = a.node.store.cosignatures(a.space)
        assert (kept.name, kept.size) == (name_of(witness.space, "witness"), 6)
        a.node.isle.write(1)
        a.node.speech(NOW)
        assert await a.client.submit_checkpoint(witness.space) == 7
        assert asked[-1] == "old 6"
    await runner.cleanup()


async def test_nodes_witness_each_other() -> None:
    async with pair() as (a, b):
        a.node.speech(NOW)
        peer = a.node.store.peer(b.space)
        assert peer is not None
        for count in (6, 9):
            assert await a.client.submit_checkpoint(b.space) == count
            (kept,) = a.node.store.cosignatures(a.space)
            assert (kept.name, kept.size) == (name_of(b.space, "witness"), count)
            a.node.isle.write(3)
            a.node.speech(NOW)
        b.node.store.forget(a.space)
        with pytest.raises(Answered) as caught:
            await a.client.submit_checkpoint(b.space)
        assert caught.value.code == 404


# What is refused


async def raw(url: str, body: bytes, **headers: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=BytesIO(body), headers={"Content-Type": "application/cbor", **headers}) as response,
    ):
        return response.status, await response.text(errors="replace")


async def test_bad_requests_get_a_status_and_one_line_and_change_nothing() -> None:
    async with pair() as (a, b):
        peer = a.node.store.peer(b.space)
        assert peer is not None
        good = a.node.service.ask_exchange(peer, NOW).body
        late = a.node.service.ask_exchange(peer, NOW - 400_000).body
        url, before = f"{b.url}/federation/v1/exchange", b.node.store.writes
        cases: list[tuple[int, bytes, dict[str, str]]] = [
            (415, good, {"Content-Type": "text/plain"}),
            (415, good, {"Content-Encoding": "gzip"}),
            (413, bytes(1024 * 1024 + 1), {}),
            (400, b"planted", {}),
            (401, good[:-64] + bytes(64), {}),
            (409, late, {}),
        ]
        with capture_logs() as lines:
            for status, body, headers in cases:
                assert (await raw(url, body, **headers))[0] == status
            assert (await raw(f"{b.url}/federation/v1/pull", bytes(1000)))[0] == 413
        assert b.node.store.writes == before
        assert len(lines) == len(cases) + 1
        assert all(set(line) == {"event", "log_level", "verb", "status", "reason"} for line in lines)
        assert (await raw(url, good))[0] == 200
        assert (await raw(url, good))[0] == 409
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert response.status == 405


async def test_a_body_that_drips_is_cut_off() -> None:
    async with pair() as (_, b):
        host, port = b.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /federation/v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Type: application/cbor\r\nContent-Length: 1000\r\n\r\n"
        )
        began = time.monotonic()
        for _ in range(4):
            writer.write(b"x")
            await asyncio.sleep(0.1)
        assert b" 408 " in await reader.readline()
        await reader.read()
        assert time.monotonic() - began < 3
        writer.close()
        await writer.wait_closed()


# Hostile servers

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def redirect(request: web.Request) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "http://127.0.0.1:9/"})


async def stall(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/cbor"})
    await response.prepare(request)
    for _ in range(100):
        await response.write(b"x")
        await asyncio.sleep(0.05)
    return response


async def flood(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/cbor"})
    await response.prepare(request)
    for _ in range(40):
        await response.write(bytes(100_000))
    return response


async def boast(request: web.Request) -> web.StreamResponse:
    return web.Response(body=bytes(2 * 1024 * 1024), headers={"Content-Type": "application/cbor"})


async def squeeze(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"x", headers={"Content-Type": "application/cbor", "Content-Encoding": "gzip"})


async def babble(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"x" * 200, headers={"Content-Type": "application/cbor"})


async def page(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>")


async def fail(request: web.Request) -> web.StreamResponse:
    return web.Response(status=500, text="\x1b[31mplanted" + "x" * 5000)


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize("behaviour", [redirect, stall, drip, flood, boast, squeeze, babble, page, fail, hang_up])
async def test_a_hostile_server_is_left_in_time_and_nothing_of_it_is_kept(behaviour: Behaviour) -> None:
    app = web.Application()
    app.add_routes([web.post("/{rest:.*}", behaviour)])
    runner, url = await serve(app)
    a, b = Node(Isle("a")), Node(Isle("b"))
    a.isle.write(1)
    async with Wired(a, deadline_s=0.5) as one:
        befriend(a.isle, b.isle, url=url)
        began = time.monotonic()
        with pytest.raises(Theirs):
            await one.client.sync(b.space)
        assert time.monotonic() - began < 3
        peer = a.store.peer(b.space)
        assert peer is not None and peer.failures == 1 and peer.summary == b"" and len(peer.problem) < 400
        assert peer.problem.isprintable()
    await runner.cleanup()


async def test_an_answer_that_says_it_is_compressed_is_not_read() -> None:
    async with pair() as (a, b):

        async def on(request: web.Request) -> web.Response:
            async with aiohttp.ClientSession() as session:
                headers = {"Content-Type": "application/cbor"}
                async with session.post(b.url + request.path, data=await request.read(), headers=headers) as answer:
                    return web.Response(body=await answer.read(), headers={**headers, **extra})

        app = web.Application()
        app.add_routes([web.post("/{rest:.*}", on)])
        runner, url = await serve(app)
        befriend(a.node.isle, b.node.isle, url=url)
        extra = {"Content-Encoding": "identity"}
        with pytest.raises(Refused, match="another form"):
            await a.client.sync(b.space)
        extra = {}
        await a.client.sync(b.space)
        await runner.cleanup()


async def test_one_that_does_not_know_us_is_told_our_key_chain_once() -> None:
    async with pair() as (a, b):
        peer = a.node.store.peer(b.space)
        assert peer is not None
        await a.client.sync(b.space)
        b.node.store.forget(a.space)
        report = await a.client.sync(b.space)
        assert report.round_trips >= 2
        assert b.node.store.peer(a.space) is not None


async def test_a_refusal_says_why() -> None:
    async with pair() as (_, b):
        a = Node(Isle("x"))
        a.isle.write(1)
        b.node.peers._strangers = 0
        async with Wired(a) as stranger:
            befriend(a.isle, b.node.isle, url=b.url)
            with pytest.raises(Answered, match="no strangers") as caught:
                await stranger.client.sync(b.space)
            assert caught.value.code == 403
    assert issubclass(NotGenuine, Theirs)
