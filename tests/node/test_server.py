"""The door in front of the application: who stalls, drips or sends odd framings is cut off, and nobody else notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from node.server import Doors, ServerError, bind, listen

SOON_S = 0.3


@pytest_asyncio.fixture
async def server() -> AsyncIterator[int]:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=(await request.read()).decode())

    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(3 * SOON_S)
        return web.Response(text="slow")

    app = web.Application()
    app.add_routes([web.get("/", echo), web.post("/", echo), web.get("/slow", slow)])
    where = bind("127.0.0.1", 0)
    port: int = where.getsockname()[1]
    up = await listen(app, where, head_deadline_s=SOON_S, body_deadline_s=SOON_S)
    yield port
    await up.close()


async def talk(server: int, *pieces: bytes, pause_s: float = 0.0) -> tuple[bytes, float]:
    """What comes back for these bytes, until the other side closes, and how long that took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server)
    began = time.monotonic()
    heard = asyncio.create_task(_listen(reader))
    for piece in pieces:
        if not heard.done():
            writer.write(piece)
            await asyncio.sleep(pause_s)
    answer = await asyncio.wait_for(heard, 10)
    took = time.monotonic() - began
    writer.close()
    return answer, took


async def _listen(reader: asyncio.StreamReader) -> bytes:
    heard = b""
    try:
        while part := await reader.read(65_536):
            heard += part
    except ConnectionError:
        pass
    return heard


@pytest.mark.parametrize("start", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_connection_without_a_whole_head_is_cut_off(server: int, start: bytes) -> None:
    answer, took = await talk(server, start)
    assert answer == b""
    assert took < 10 * SOON_S


async def test_a_head_that_drips_is_cut_off(server: int) -> None:
    answer, took = await talk(server, b"GET / HTTP/1.1\r\nHost: x\r\n", *[b"a"] * 40, pause_s=SOON_S / 8)
    assert answer == b""
    assert took < 20 * SOON_S


async def test_a_second_head_that_drips_is_cut_off_too(server: int) -> None:
    first = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    answer, took = await talk(server, first, *[b"G", b"E"] * 20, pause_s=SOON_S / 8)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1") == 1
    assert took < 20 * SOON_S


async def test_a_body_that_does_not_come_is_answered_408(server: int) -> None:
    answer, took = await talk(server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert answer.startswith(b"HTTP/1.1 408")
    assert took < 10 * SOON_S


async def test_compressed_and_oversized_bodies_are_not_read(server: int) -> None:
    zipped = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    assert (await talk(server, zipped))[0].startswith(b"HTTP/1.1 415")
    large = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
    assert (await talk(server, large))[0].startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "probe",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_odd_framings_are_refused(server: int, probe: bytes) -> None:
    answer, _ = await talk(server, probe)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))


async def test_a_slow_answer_on_a_kept_connection_is_not_cut_off(server: int) -> None:
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server}", connector=connector) as session:
        for _ in range(2):
            async with session.get("/slow") as answer:
                assert await answer.text() == "slow"
        await asyncio.sleep(2 * SOON_S)  # idle is no offence
        async with session.post("/", data=b"still here") as answer:
            assert await answer.text() == "still here"
        assert len(connector._conns) == 1


async def test_others_are_served_while_many_stall(server: int) -> None:
    stalled = [asyncio.create_task(talk(server, b"GET /")) for _ in range(50)]
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{server}/") as answer:
        assert answer.status == 200
    await asyncio.gather(*stalled)


def test_one_connection_too_many_is_turned_away() -> None:
    doors = Doors(most=1)

    class Wire(asyncio.Transport):
        pass

    first, second = Wire(), Wire()
    assert doors.enter(None, first)  # type: ignore[arg-type]  # only counted
    assert not doors.enter(None, second)  # type: ignore[arg-type]  # only counted
    assert doors.leave(first)
    assert doors.enter(None, second)  # type: ignore[arg-type]  # only counted


async def test_a_port_that_is_taken_is_said(server: int) -> None:
    with pytest.raises(ServerError, match="--port"):
        bind("127.0.0.1", server)
