"""Figures between two processes over loopback: replication, an idle exchange, an increment, pages under load.

The serving side is the real command (`archipelago run`), the pulling side a process of its own (`node.bench_peer`). Bytes
on the wire are counted by a relay between them, in a pass of its own, so that the timed pass has no relay in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from node.bench_store import BOOKED, Figure, booking, figure
from node.clock import Clock
from node.home import Home
from node.web.session import COOKIE
from protocol import body as bodies
from protocol.keychain import space_name

PAGES_S = 10
RATE = 200


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    """A node of this folder as a process; its address."""
    port = free_port()
    command = ["-m", "node.cli", "-C", str(folder), "run", "--host", "127.0.0.1", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=PIPE, stderr=PIPE)
    url = f"http://127.0.0.1:{port}"
    try:
        await _until_up(url)
        yield url
    finally:
        process.terminate()
        await process.communicate()


async def _until_up(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(300):
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{url}/.well-known/archipelago") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
    raise RuntimeError("the serving node did not come up within 15 seconds")


class Puller:
    """The pulling process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @staticmethod
    async def start(folder: Path) -> Puller:
        """Found a node there and start a process on it."""
        Home.found(folder, "Puller", "Bench", Clock()).close()
        return Puller(
            await asyncio.create_subprocess_exec(sys.executable, "-m", "node.bench_peer", str(folder), stdin=PIPE, stdout=PIPE)
        )

    async def do(self, *words: str) -> dict[str, Any]:
        """One command and its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(" ".join(words).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the pulling process ended during: {' '.join(words)}")
        found: dict[str, Any] = json.loads(line)
        return found

    async def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


class Relay:
    """Carries bytes to a node and back, and counts them."""

    def __init__(self, url: str) -> None:
        self._port = int(url.rpartition(":")[2])
        self.bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Listen; the address to call instead of the node's."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        for one, other in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(self._carry(one, other))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(262_144):
                self.bytes += len(data)
                writer.write(data)
                await writer.drain()
            writer.close()

    async def stop(self) -> None:
        """Close it."""
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def network(folder: Path, served: Path, floor: float) -> list[Figure]:
    """All figures between two processes; `served` holds the log of the work W, `floor` is the bare floor in this run."""
    home = Home.open(served)
    space, size = space_name(home.space), home.log.size
    rows = home.store.rows(home.space, 0, size)
    payload = sum(len(row.record or b"") + len(row.annex or b"") for row in rows)
    cookie = _session(home)
    home.close()
    found: list[Figure] = []
    async with serving(served) as url:
        found += await _replicate(folder / "direct", url, space, size, floor)
        found += await _through_relay(folder / "relayed", url, space, payload, served)
        found.append(await _pages(url, cookie))
    return found


def _session(home: Home) -> str:
    """A session on the served node, as logging in makes one."""
    now_ms, key = home.clock.now_ms(), home.key_files.key()
    known = [account for account in home.accounts.all() if account.login == "Bench"]
    random = home.clock.random
    account = known[0] if known else home.accounts.create("Bench", random(16).hex(), key.public, key, random(40), now_ms)
    return home.accounts.begin(account, key, random(72), now_ms)


async def _replicate(folder: Path, url: str, space: str, size: int, floor: float) -> list[Figure]:
    puller = await Puller.start(folder)
    await puller.do("add", url, space)
    report = await puller.do("sync", space)
    settled = await puller.do("settle", space)
    memory = await puller.do("memory")
    await puller.stop()
    if report["records"] != size or settled["settled"] != size:
        raise RuntimeError(f"of {size} records {report['records']} were pulled and {settled['settled']} settled")
    whole = report["seconds"] + settled["seconds"]
    return [
        figure(
            "replicate_records_per_s",
            size / report["seconds"],
            "records/s",
            floor,
            "verified and durable; limit: the bare floor",
        ),
        figure("replicate_in_tables_per_s", size / whole, "records/s", floor, "pulled, audited, judged and in tables"),
        figure(
            "replicate_peak_rss_mib", memory["mib"], "MiB", None, "the pulling process and those that check signatures for it"
        ),
    ]


async def _through_relay(folder: Path, url: str, space: str, payload: int, served: Path) -> list[Figure]:
    relay = Relay(url)
    through = await relay.start()
    puller = await Puller.start(folder)
    await puller.do("add", through, space)
    before = relay.bytes
    await puller.do("sync", space)
    ratio = (relay.bytes - before) / payload
    idle = await _idle(puller, relay, space)
    increments = [await _increment(puller, space, served) for _ in range(7)]
    await puller.stop()
    await relay.stop()
    return [
        figure("replicate_wire_ratio", ratio, "bytes a byte of records", 1.0, "all bytes both ways, HTTP's too"),
        *idle,
        figure("increment_100_ms", statistics.median(increments), "ms", None, "median of 7, two round trips, durable"),
    ]


async def _idle(puller: Puller, relay: Relay, space: str) -> list[Figure]:
    for _ in range(6):  # each has news of the other until both have said all
        report = await puller.do("sync", space)
    before = relay.bytes
    report = await puller.do("sync", space)
    wire = relay.bytes - before
    return [
        figure("idle_exchange_bytes", report["bytes_sent"] + report["bytes_received"], "bytes", None, "bodies, both ways"),
        figure("idle_exchange_wire_bytes", wire, "bytes", None, "with HTTP's heads, both ways"),
        figure("idle_exchange_round_trips", report["round_trips"], "round trips"),
    ]


async def _increment(puller: Puller, space: str, served: Path) -> float:
    lines = "\n".join(json.dumps(bodies.to_json(booking(number).body)) for number in range(100))
    command = ["-m", "node.cli", "-C", str(served), "record", "add", BOOKED, "-", "--json"]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    _, errors = await process.communicate(lines.encode())
    if process.returncode:
        raise RuntimeError(f"adding 100 records failed: {errors.decode()}")
    report = await puller.do("sync", space)
    if report["records"] != 100:
        raise RuntimeError(f"of 100 new records {report['records']} came")
    return float(report["seconds"]) * 1000


async def _pages(url: str, cookie: str) -> Figure:
    """The ledger's page, 200 requests a second whatever comes back, timed from when each was due."""
    times: list[float] = []
    failures = 0
    async with aiohttp.ClientSession(cookies={COOKIE: cookie}, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(due: float) -> None:
            nonlocal failures
            async with session.get(f"{url}/practice/ledger", allow_redirects=False) as answer:
                await answer.read()
                failures += answer.status != 200
            times.append(time.perf_counter() - due)

        await ask(time.perf_counter())
        times.clear()
        began = time.perf_counter()
        asked = []
        for number in range(PAGES_S * RATE):
            due = began + number / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked.append(asyncio.create_task(ask(due)))
        await asyncio.gather(*asked)
    if failures:
        raise RuntimeError(f"{failures} of {len(times)} pages were not answered")
    p95 = sorted(times)[int(len(times) * 0.95)] * 1000
    return figure("page_p95_ms", p95, "ms", None, f"the ledger's page, {RATE} requests a second for {PAGES_S} s, open loop")
