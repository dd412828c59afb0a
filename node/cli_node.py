"""`found`, `status` and `rebuild`: a node as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from node.cli_ask import do, opened
from node.cli_desk import AsJson, facts, folder, grid, moment, note, out, progress, show, silent
from node.failure import FAILED, Misuse
from node.home import Home
from protocol.keychain import space_name


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verbs."""
    app.command("found")(found)
    app.command("status")(status)
    app.command("rebuild")(rebuild)


def found(
    context: typer.Context,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the collective is called, as others will see it.")],
    member: Annotated[str, typer.Option("--member", metavar="NAME", help="You, the first member, as the others call you.")],
    as_json: AsJson = False,
) -> None:
    """Found a space: its keys, its founding kit, its first record and its first member."""
    if not 1 <= len(name.strip()) <= 80 or not name.isprintable():
        raise Misuse("--name: write a name of 1 to 80 characters.")
    if not re.fullmatch(r"[^/.][^/]{0,79}", member) or not member.isprintable() or member != member.strip():
        raise Misuse("--member: write a name of 1 to 80 characters, without a slash, not beginning with a dot.")
    home = Home.found(folder(context), name, member)
    try:
        told = {
            "space": space_name(home.space),
            "name": home.name,
            "member": member,
            "folder": str(home.folder),
            "kit": str(home.kit_folder),
        }
    finally:
        home.close()
    show(told, as_json=as_json, words=lambda console: _founded(console, told))


def _founded(console: Console, told: dict[str, Any]) -> None:
    console.print(f"{told['name']} is founded, and {told['member']} is its first member.")
    facts(console, [("Id", told["space"]), ("Data", told["folder"]), ("Founding kit", told["kit"])])
    console.print(
        "Print the five sheets of the kit, give them to five people, and delete that folder. Any three bring the space back.",
        markup=False,
    )


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Today: how this node stands, what is due, what is new."""
    with opened(folder(context)) as do:
        told = do("status", {}, silent)
        if as_json:
            show(told, as_json=True, words=lambda console: None)
            return
        console = out()
        due = do("today", {"width": console.width, "colours": console.is_terminal}, silent)
    _standing(console, told)
    print(due, end="")
    for sentence in told["warnings"]:
        note(f"\n{sentence}")


def _standing(console: Console, told: dict[str, Any]) -> None:
    console.print(told["name"], style="bold")
    facts(
        console,
        [("Id", told["space"]), ("State", told["state"]), ("Records", told["size"]), ("Root of its log", told["root"])],
    )
    rows = [(each["name"], each["size"], moment(each["last_contact_ms"]) or "never", each["problem"]) for each in told["peers"]]
    console.print()
    empty = "Linked with nobody yet. Ask another node for its invitation, then: archipelago peers add INVITATION"
    grid(console, ["Peer", "Records held", "Last contact (UTC)", ""], rows, empty)


def rebuild(context: typer.Context, as_json: AsJson = False) -> None:
    """Drop the tables, replay the logs, and say whether the tables are the same as before."""
    with progress("Replaying") as say:
        told = do(folder(context), "rebuild", {}, say)
    sentence = f"Replayed {told['records']} records in {told['seconds']} s."
    if told["same"]:
        sentence += " All tables are the same as before."
    else:
        sentence += f" These tables differ from what they were: {', '.join(told['changed'])}."
        sentence += " What the log says stands now; please report it, as they should never differ."
    show(told, as_json=as_json, words=lambda console: console.print(sentence))
    if not told["same"]:
        raise typer.Exit(FAILED)
