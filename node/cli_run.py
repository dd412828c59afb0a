"""`run`: start the node and keep it running."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated

import typer

from federation.address import AddressError, check_url
from node.cli_ask import open_to_run
from node.cli_desk import AsJson, folder, note
from node.clock import Clock, MovedClock
from node.failure import CommandError, Misuse
from node.logs import to_standard_error
from node.runner import Settings, run
from node.server import ServerError
from protocol.keychain import space_name


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verb."""
    app.command("run")(running)


def running(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8400,
    url: Annotated[str, typer.Option("--url", help="Where others find this node, such as https://isle.example")] = "",
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="NETWORK", help="A network it may call, such as 192.168.1.0/24."),
    ] = None,
    sweep: Annotated[float, typer.Option("--sweep", min=1, help="Seconds between talks with each peer.")] = 180.0,
    alone: Annotated[str, typer.Option("--alone", metavar="REASON", help="Sign heads without asking peers first.")] = "",
    tied: Annotated[bool, typer.Option("--tied", hidden=True, help="End when standard input ends.")] = False,
    movable: Annotated[
        bool,
        typer.Option("--movable-clock", hidden=True, help="Let clock.move set the clock ahead: for the demo and for tests."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the node: its pages, its talks with others, until Ctrl-C."""
    to_standard_error(warnings_only=as_json)
    try:
        settings = Settings(host, port, check_url(url) if url else "", tuple(allow or ()), sweep, alone, tied)
    except AddressError as error:
        raise Misuse(f"--url: {error}") from error
    home = open_to_run(folder(context), MovedClock(Clock().now_ms()) if movable else None)

    def ready(address: str) -> None:
        told = {"url": address, "space": space_name(home.space), "name": home.name}
        print(json.dumps(told) if as_json else f"{home.name} is at {address} (Ctrl-C ends it)", flush=True)
        for sentence in home.warnings():
            note(sentence)

    try:
        asyncio.run(run(home, settings, ready))
    except ServerError as error:
        raise CommandError(str(error)) from error
    finally:
        home.close()
