"""`export`: a space's records for other programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from node.cli_ask import do
from node.cli_desk import AsJson, folder, given, note
from node.failure import CommandError


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verb."""
    app.command("export")(export)


def export(
    context: typer.Context,
    format: Annotated[str, typer.Option("--format", metavar="json|csv|hledger|beancount", help="In what form.")],
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Into a new file; else to stdout.")] = None,
    practice: Annotated[str, typer.Option("--practice", metavar="ledger", help="The ledger alone, in a form of its own.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Records of one kind alone.")] = "",
    audience: Annotated[str, typer.Option("--audience", metavar="public|allies|members", help="Who may read it.")] = "public",
    space: Annotated[str, typer.Option("--space", metavar="ID", help="The log of another space that is held here.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write everything, or the ledger, in a form that other programs read."""
    with _file(output) as out:

        def say(what: str, value: Any) -> None:
            if what == "text":
                out.write(value)

        args = given(format=format, audience=audience, practice=practice, kind=kind, space=space)
        told = do(folder(context), "export", args, say)
    sentence = f"{told['records']} records."
    if told["left_out"]:
        sentence += f" {told['left_out']} for fewer people are left out; --audience members takes them in."
    if audience != "public":
        sentence += " It holds what is not for everybody: keep it where only they get it."
    if output and as_json:
        print(json.dumps({**told, "file": str(output)}, ensure_ascii=False))
    else:
        note(json.dumps(told, ensure_ascii=False) if as_json else sentence)


@contextmanager
def _file(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a new file that only its owner can read and that is not there if something fails."""
    if path is None:
        yield sys.stdout
        return
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"--output: {path} cannot be written ({error.strerror}). Choose a new name.") from error
    try:
        with os.fdopen(file, "w", encoding="utf-8") as out:
            yield out
    except BaseException:
        path.unlink()
        raise
