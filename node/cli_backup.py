"""`backup` and `backup verify`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from node.backup import verify
from node.cli_ask import do
from node.cli_desk import AsJson, folder, given, moment, progress, show


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verbs."""
    group = typer.Typer(help="Make an encrypted backup and check it, or check one made before.")
    group.callback(invoke_without_command=True)(backup)
    group.command("verify")(verified)
    app.add_typer(group, name="backup")


def backup(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help="Where it goes; else DIR-backups.")] = None,
    as_json: AsJson = False,
) -> None:
    """Copy everything into one encrypted file, open it again, and check what came out."""
    if context.invoked_subcommand:
        return
    with progress("Copying") as say:
        told = do(folder(context), "backup", given(to=str(to.absolute()) if to else ""), say)
    sentence = (
        f"{told['file']} holds everything up to record {told['size']}. Restored into a folder of its own and checked there:"
        f" {told['checked']}. Only three sheets of the founding kit open it; whether they do, backup verify --sheet shows."
    )
    show(told, as_json=as_json, words=lambda console: console.print(sentence))


def verified(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    sheet: Annotated[list[Path] | None, typer.Option("--sheet", metavar="FILE", help="A sheet of the kit; give three.")] = None,
    into: Annotated[Path | None, typer.Option("--into", metavar="DIR", help="Keep what comes out as a data folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check that a backup is whole; with three sheets of the founding kit, open, restore and check it."""
    told = verify(file, sheet or [], into)
    sentence = f"{told['space']} up to record {told['size']}, made {moment(told['made_ms'])} UTC. Checked: {told['checked']}."
    if told.get("restored"):
        sentence += f" Restored into {told['restored']}."
    show(told, as_json=as_json, words=lambda console: console.print(sentence))
