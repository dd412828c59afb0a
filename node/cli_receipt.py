"""`receipt DIGEST`: a record with its proof, as one small file that a stranger can check."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from node.cli_ask import do
from node.cli_desk import AsJson, folder, note, show, silent
from node.failure import CommandError


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verb."""
    app.command("receipt")(receipt)


def receipt(
    context: typer.Context,
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="64 hexadecimal digits; log show lists them.")],
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Into a new file; else to stdout.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a receipt of a record, to check with verify on any machine. It holds the record, words and all."""
    text = do(folder(context), "receipt", {"digest": digest}, silent)
    if output is None:
        show({"digest": digest, "receipt": text}, as_json=as_json, words=lambda console: print(text, end=""))
        return
    try:
        with output.open("x", encoding="utf-8", newline="\n") as out:
            out.write(text)
    except OSError as error:
        raise CommandError(f"--output: {output} cannot be written ({error.strerror}). Choose a new name.") from error
    show(
        {"digest": digest, "file": str(output)},
        as_json=as_json,
        words=lambda console: note(f"{output} holds the record and its proof. Check it with: archipelago verify {output}"),
    )
