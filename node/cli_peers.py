"""`peers add`, `peers list`, `peers remove` and `sync`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from node.cli_ask import open_or_none
from node.cli_desk import AsJson, Member, folder, given, grid, moment, show, silent
from node.commands_peer import PEER_VERBS
from node.control import ask
from node.failure import CommandError, Misuse
from node.home import Home
from node.station import URL, Station


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verbs."""
    group = typer.Typer(no_args_is_help=True, help="The nodes that this one talks to.")
    group.command("add")(add)
    group.command("list")(listed)
    group.command("remove")(removed)
    app.add_typer(group, name="peers")
    app.command("sync")(synced)


def _do(data: Path, *steps: tuple[str, Mapping[str, Any]]) -> Any:
    """Give verbs to this folder: to the node that has it open, or to a station of our own for as long as it takes."""
    home = open_or_none(data)
    if home is None:
        return [ask(data, verb, args, silent) for verb, args in steps][-1]
    try:
        return asyncio.run(_alone(home, steps))
    finally:
        home.close()


async def _alone(home: Home, steps: Sequence[tuple[str, Mapping[str, Any]]]) -> Any:
    station = Station(home, [each for each in (home.store.setting(URL),) if each])
    try:
        told = None
        for verb, args in steps:
            told = await PEER_VERBS[verb](station, silent, args)
        return told
    finally:
        await station.close()


def add(
    context: typer.Context,
    invitation: Annotated[str, typer.Argument(metavar="INVITATION|URL", help="Their invitation, or their node's address.")],
    trust: Annotated[str, typer.Option("--trust", metavar="ID", help="The space's id, as they told you.")] = "",
    trust_first_use: Annotated[bool, typer.Option("--trust-first-use", help="Take the id that is found there.")] = False,
    ally: Annotated[bool, typer.Option("--ally", help="Offer them a link, or accept theirs.")] = False,
    mirror: Annotated[bool, typer.Option("--mirror", help="Hold all of their log, and say so under their heads.")] = False,
    witness: Annotated[bool, typer.Option("--witness", help="Cosign each other's heads.")] = False,
    purpose: Annotated[str, typer.Option("--purpose", help="What the link is for.")] = "",
    cycles: Annotated[int, typer.Option("--cycles", min=0, help="For how many cycles of the moon the link holds.")] = 0,
    member: Member = "",
    as_json: AsJson = False,
) -> None:
    """Follow another node, and with --ally link with it."""
    data = folder(context)
    found = _do(data, ("peers.look", {"given": invitation}))
    _trusted(found, trust, first_use=trust_first_use)
    args = {"url": found["url"], "space": found["space"], "ally": ally, "mirror": mirror, "witness": witness}
    told = _do(data, ("peers.add", {**args, **given(purpose=purpose, cycles=cycles, member=member)}))
    show(told, as_json=as_json, words=lambda console: _added(console, told))


def _trusted(found: Mapping[str, Any], trust: str, *, first_use: bool) -> None:
    """Whether the id that was found is the one that is meant."""
    if trust and trust.strip() != found["space"]:
        raise Misuse(f"--trust: {found['url']} is not {trust}, it says {found['space']}. Nothing was added.")
    if trust or first_use or found["sure"]:
        return
    if not sys.stdin.isatty():
        raise Misuse(
            f"--trust: {found['url']} says it is {found['space']} ({found['name']}). Compare that with what they told you,"
            " and give it with --trust; or take it as it is with --trust-first-use."
        )
    typer.echo(f"{found['url']} says it is {found['name']}, {found['space']}.", err=True)
    if not typer.confirm("Is this the id that they told you?", err=True):
        raise CommandError("Nothing was added.")


def _added(console: Console, told: Mapping[str, Any]) -> None:
    console.print(f"{told['name']} is followed now ({', '.join(told['standing'])}).")
    if link := told.get("link"):
        words = {
            "offered": "A link was offered. It holds once they accept it.",
            "accepted": "Their offer was accepted: the link holds.",
        }
        console.print(words.get(link, f"Link: {link}."))


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """Whom this node talks to, and how it stands with each."""
    told = _do(folder(context), ("peers.list", {}))
    rows = [
        (each["name"], each["url"], ", ".join(each["standing"]), each["size"], moment(each["last_contact_ms"]), each["problem"])
        for each in told
    ]
    columns = ["Name", "Address", "We", "Records held", "Last contact (UTC)", ""]
    empty = "Nobody yet. Ask another node for its invitation, then: archipelago peers add INVITATION"
    show(told, as_json=as_json, words=lambda console: grid(console, columns, rows, empty))


def removed(
    context: typer.Context,
    peer: Annotated[str, typer.Argument(metavar="PEER", help="Its name, id or address.")],
    as_json: AsJson = False,
) -> None:
    """Unfollow: forget a peer and everything of its log that is held here."""
    told = _do(folder(context), ("peers.remove", {"peer": peer}))
    show(told, as_json=as_json, words=lambda console: console.print(f"{told['name']} is no longer followed."))


def synced(
    context: typer.Context,
    peer: Annotated[str, typer.Argument(metavar="[PEER]", help="Its name, id or address; all if none is given.")] = "",
    as_json: AsJson = False,
) -> None:
    """Talk to peers now, and say what it cost and brought."""
    told = _do(folder(context), ("sync", given(peer=peer)))
    rows = [
        (each["name"], each["error"])
        if each["error"]
        else (each["name"], each["records"], each["round_trips"], each["bytes"], f"{each['seconds']:.3f}")
        for each in told
    ]
    columns = ["Peer", "Records", "Round trips", "Bytes", "Seconds"]
    show(told, as_json=as_json, words=lambda console: grid(console, columns, rows, "There is nobody to talk to yet."))
    if any(each["error"] for each in told):
        raise typer.Exit(1)
