"""The pulling side of the network figures, as a process of its own: opens a node's folder, pulls a peer's log, and says
what it took, one JSON line for each command read from standard input.

    add URL SPACE     pin the peer at this address
    sync SPACE        one sync: round trips, bytes, records, seconds until verified and durable
    settle SPACE      audit, judge and write to tables what was pulled: seconds
    memory            the most memory that this process had, in MiB
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from federation.address import Guard
from federation.event import Event, OwnHead
from federation.outgoing import Client
from federation.storage import FOLLOW
from node.federating import service_of
from node.home import Home
from node.verifier import peak_mib
from protocol.keychain import parse_space


async def main(folder: str) -> None:
    """Read commands until the input ends."""
    home = Home.open(Path(folder))
    loop = asyncio.get_running_loop()

    async def run(function: Callable[..., Any], /, *args: Any) -> Any:
        return await home.write(lambda: function(*args))

    def on_event(event: Event) -> None:
        if isinstance(event, OwnHead):
            home.heads.heard(event.peer, event.size, event.root)

    service = await home.write(lambda: service_of(home))
    client = Client(service, run=run, now_ms=home.clock.now_ms, guard=Guard(loopback=True), on_event=on_event)

    async def sync(space: str) -> dict[str, Any]:
        report = await client.sync(parse_space(space))
        return {name: getattr(report, name) for name in report.__struct_fields__}

    async def settle(space: str) -> dict[str, Any]:
        began = time.perf_counter()
        settled = await asyncio.wrap_future(home.audit_soon(parse_space(space)))
        return {"settled": settled, "seconds": time.perf_counter() - began}

    async def add(url: str, space: str) -> dict[str, Any]:
        await client.add_peer(url, parse_space(space), FOLLOW)
        return {}

    async def memory() -> dict[str, Any]:
        return {"mib": peak_mib() + home.audit.beside_mib}

    verbs: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {"add": add, "sync": sync, "settle": settle, "memory": memory}
    try:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            verb, *args = line.split()
            sys.stdout.write(json.dumps(await verbs[verb](*args)) + "\n")
            sys.stdout.flush()
    finally:
        await client.close()
        home.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
