"""A running node: pages, peers, the socket for commands, and turns by the clock, until it is told to stop.

    own commit  -> peers are told, witnesses asked            (a moment later, several commits as one)
    every second-> the peers whose turn has come are talked to (`federation.sweep`), each in a task of its own
    every 5 s   -> the clock notices what came due, and does what it may (`node.clockwork`), on a thread of its own
    SIGINT, SIGTERM -> no new requests, running ones end, connections and files are closed, the process ends

The scheduler keeps its jobs in memory only: what is due follows from the tables at every start.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC
from typing import Any

import structlog
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from msgspec import Struct

from federation.event import Event, Grown, Moved
from federation.fault import Ours, Theirs
from federation.storage import MIRROR, StorageError
from federation.sweep import Sweep
from node import control
from node.clockwork import Clockwork
from node.commands import APART, READ, VERBS, perform
from node.commands_peer import PEER_VERBS
from node.control import Say
from node.database import FAILURES
from node.home import Home
from node.sealed import SealedDoor
from node.server import bind, listen
from node.station import ALLOWED, URL, Station
from node.web.app import construct_app

QUIET_S = 0.15  # after a commit of ours, before peers are told: an import is many commits
TICK_S = 1.0
MOVED = "clock.move"
CLOCK_S = 5.0
GAP_MS = 300  # between two talks with a peer that has news

_FAILED: tuple[type[Exception], ...] = (StorageError, *FAILURES)
log = structlog.get_logger("node")


class Settings(Struct, frozen=True):
    """How a node runs."""

    host: str = "127.0.0.1"
    port: int = 8400
    url: str = ""  # where others find it; empty: it is on this machine alone
    allowed: tuple[str, ...] = ()  # networks besides the open internet that it may call
    sweep_s: float = 180.0
    alone: str = ""  # why heads may be signed without asking peers first
    tied: bool = False  # end when standard input ends


class Running:
    """One node while it runs."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self.home, self.settings = home, settings
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved: asyncio.TimerHandle | None = None
        self._size = home.log.size
        self._sweep = Sweep(every_ms=int(settings.sweep_s * 1000), gap_ms=GAP_MS)
        self._scheduler = AsyncIOScheduler(jobstores={"default": MemoryJobStore()}, timezone=UTC)
        self._chance = random.SystemRandom().random
        self.clockwork = Clockwork(home, write=self._write_for_clock)
        self._clock_thread = ThreadPoolExecutor(1, thread_name_prefix="clock")
        self._clock_stops = False
        self._open = AsyncExitStack()
        self.url = settings.url

    async def start(self) -> None:
        """Bring everything up; ServerError if the address cannot be had."""
        home, settings = self.home, self.settings
        home.store.keep_setting(URL, settings.url)
        home.store.keep_setting(ALLOWED, " ".join(settings.allowed))
        if settings.alone:
            home.store.keep_setting("alone", f"{home.clock.now_ms()} {settings.alone}")
            home.heads.alone()
        where = bind(settings.host, settings.port)
        self._open.callback(where.close)
        self.url = settings.url or f"http://{settings.host}:{where.getsockname()[1]}"
        self.station = Station(home, [self.url], on_event=self._on_event)
        self._open.push_async_callback(self.station.close)
        self._open.push_async_callback(self._end_tasks)
        app = construct_app(home, self.station)
        app.add_routes(SealedDoor(home).routes())
        listening = await listen(app, where)
        self._open.push_async_callback(listening.close)
        commands = await control.serve(home.folder, self._perform)
        self._open.callback(control.leave, home.folder)
        self._open.callback(commands.close)
        home.store.listeners.append(self._committed)
        self._open.callback(home.store.listeners.remove, self._committed)
        await self._set_turns()
        for peer in home.store.peers():
            self._sweep.soon(peer.space, home.clock.now_ms())
        self._open.push_async_callback(self._stop_clock)
        home.store.listeners.append(self.clockwork.moved)
        self._open.callback(home.store.listeners.remove, self.clockwork.moved)
        self._scheduler.add_job(self._tick, "interval", seconds=TICK_S, max_instances=1, coalesce=True)
        self._scheduler.add_job(self._turn_clock, "interval", seconds=CLOCK_S, max_instances=1, coalesce=True)
        self._scheduler.start()
        self._open.callback(self._scheduler.shutdown, wait=False)
        for each in home.store.logs():  # what a crash left between being durable and being in the tables
            if each.judged < each.size:
                home.audit_soon(each.space)
        self._task(self._turn_clock())

    async def stop(self) -> None:
        """Bring down what was brought up, the last first."""
        if self._moved is not None:
            self._moved.cancel()
        await self._open.aclose()

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Turns

    async def _tick(self) -> None:
        await self._set_turns()
        await self._talk_to_due()

    async def _talk_to_due(self) -> None:
        for space in self._sweep.due(self.home.clock.now_ms()):
            self._sweep.begin(space, self.home.clock.now_ms())
            self._task(self._turn(space))

    async def _set_turns(self) -> None:
        peers = [peer.space for peer in await self.home.write(self.home.store.peers) if peer.url]
        self._sweep.set(peers, self.home.clock.now_ms(), [self._chance() for _ in peers])

    async def _turn(self, space: bytes) -> None:
        ok = False
        try:
            await self.station.sync(space)
            ok = True
        except (Theirs, Ours, StorageError) as error:
            log.info("sync failed", reason=type(error).__name__)
        finally:
            self._sweep.end(space, self.home.clock.now_ms(), self._chance(), ok=ok)

    def _task(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _turn_clock(self) -> None:
        """What came due, and what the clock may do; a failure of the disk is for the next turn."""
        if self._clock_stops:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._clock_thread, self.clockwork.turn)
        except _FAILED as error:
            log.warning("the clock did not turn", reason=type(error).__name__)

    def _write_for_clock(self, work: Callable[[], Any]) -> Any:
        """Called on the clock's thread: what it writes is written on the writing thread, like all else."""
        return asyncio.run_coroutine_threadsafe(self.home.write(work), self._loop).result()

    async def _stop_clock(self) -> None:
        """Let a turn that has begun come to its end, and keep until when the clock ran."""
        self._clock_stops = True
        await self._loop.run_in_executor(self._clock_thread, lambda: None)
        self._clock_thread.shutdown(wait=False)  # a turn writes by way of the loop, so the loop never waits for the thread
        await self.home.write(self.clockwork.stop)

    # What happens

    def _committed(self, space: bytes) -> None:
        """After a commit, on the writing thread."""
        if space == self.home.space:
            self._loop.call_soon_threadsafe(self._own_log_moved)

    def _own_log_moved(self) -> None:
        if self._moved is None:
            self._moved = self._loop.call_later(QUIET_S, self._tell)

    def _tell(self) -> None:
        self._moved = None
        self._task(self._tell_peers())

    async def _tell_peers(self) -> None:
        size = (await self.home.write(lambda: self.home.log)).size
        if size == self._size:
            return
        self._size = size
        await self.station.client.notify_all()
        await self.station.ask_witnesses()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Moved):
            self._task(self._hear(event.peer))
        elif isinstance(event, Grown):
            peer = self.home.store.peer(event.space)
            if peer is not None and peer.standing & MIRROR:
                self._task(self._hear(event.space))  # our cosignature is news to them

    async def _hear(self, space: bytes) -> None:
        """Talk to a peer that has news, or for which there is some: now, or as soon as the last talk is a moment ago."""
        await self._set_turns()  # it may have been added just now
        self._sweep.soon(space, self.home.clock.now_ms())
        await self._talk_to_due()
        await asyncio.sleep(GAP_MS / 1000)
        await self._talk_to_due()

    # Commands

    async def _perform(self, verb: str, args: Mapping[str, Any], say: Say) -> Any:
        if verb in PEER_VERBS:
            return await PEER_VERBS[verb](self.station, say, args)
        where = VERBS[verb].where if verb in VERBS else READ
        if where == APART:
            return await asyncio.to_thread(perform, self.home, verb, args, say)
        if where == READ:
            return await self.home.read(lambda view: perform(self.home, verb, args, say))
        told = await self.home.write(lambda: perform(self.home, verb, args, say))
        if verb == MOVED:
            await self._turn_clock()  # whoever sets it ahead finds what has come due
        return told


def _until_the_end(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        stop.set()


async def run(home: Home, settings: Settings, ready: Callable[[str], None]) -> None:
    """Run a node until SIGINT or SIGTERM; `ready` is told its address."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if settings.tied:
        loop.add_reader(sys.stdin.fileno(), _until_the_end, stop)
    running = Running(home, settings)
    try:
        await running.start()
        ready(running.url)
        await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        await running.stop()
