"""The command `archipelago`: which verb lies in which module, and what a failure looks like.

    archipelago [-C DIR] VERB ...

Only the module of the verb that was given is imported: `moon` does not wait for a database, nor `status` for a web
server. Exit codes: 0 done, 1 it did not work, 2 it was asked wrongly (`node.failure`). With ``--json`` an error is one
JSON object on standard error, else a sentence.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from node.cli_desk import default_folder, note

MODULES = {
    "found": "cli_node",
    "run": "cli_run",
    "status": "cli_node",
    "moon": "cli_moon",
    "invite": "cli_member",
    "join": "cli_member",
    "password": "cli_member",
    "peers": "cli_peers",
    "sync": "cli_peers",
    "campaign": "cli_campaign",
    "lot": "cli_lot",
    "record": "cli_record",
    "log": "cli_log",
    "receipt": "cli_receipt",
    "verify": "cli_verify",
    "export": "cli_export",
    "backup": "cli_backup",
    "rebuild": "cli_node",
    "demo": "cli_demo",
    "bench": "cli_bench",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments; the exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in args
    try:
        told = application(args)(args, prog_name="archipelago", standalone_mode=False)
    except TyperException as error:
        return _fail(error.format_message(), error.exit_code, as_json=as_json)
    except Abort:
        return _fail("Nothing was done.", 1, as_json=as_json)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        known = import_module("node.failure").told(error)
        if known is None:
            raise
        return _fail(*known, as_json=as_json)
    return told if isinstance(told, int) else 0


def application(args: Sequence[str]) -> typer.Typer:
    """The commands that these arguments can be about: one module's, or all of them for help."""
    made = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="A small node for an autonomous collective: its protocols, its ledger, its links with others.",
    )
    made.callback()(_every)
    verb = _verb(args)
    wanted = [MODULES[verb]] if verb in MODULES else list(dict.fromkeys(MODULES.values()))
    for name in wanted:
        import_module(f"node.{name}").register(made, args)
    return made


def _verb(args: Sequence[str]) -> str:
    """The first argument that is neither an option of the command itself nor the value of one."""
    rest = iter(args)
    for each in rest:
        if each == "-C":
            next(rest, None)
        elif not each.startswith("-"):
            return each
    return ""


def _every(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Option(
            "-C", metavar="DIR", help="The data folder. Default: archipelago in your folder for data.", show_default=False
        ),
    ] = None,
) -> None:
    context.obj = (folder or default_folder()).expanduser().absolute()


def _fail(sentence: str, code: int, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": sentence, "code": code}, ensure_ascii=False), file=sys.stderr)
    else:
        note(sentence)
    return code


if __name__ == "__main__":
    sys.exit(main())
