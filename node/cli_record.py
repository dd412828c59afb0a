"""`record add` with one sub-command a kind, derived from its body, and `record show`.

``record add KIND`` takes fields as options, or ``--body JSON``; ``record add KIND -`` reads one JSON body a line from
standard input, writes them in durable batches, and says which lines were refused and why.
"""

from __future__ import annotations

import inspect
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from node.cli_ask import opened
from node.cli_desk import AsJson, Member, facts, folder, given, moment, note, show, silent
from node.cli_fields import flat, parameters
from node.failure import WRONG, Misuse
from protocol import body as bodies
from protocol.practice import Kind
from protocol.practices import KINDS

BATCH = 2000
_SHOWN = 20
_OPEN = {"allow_extra_args": True, "ignore_unknown_options": True}


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verbs."""
    group = typer.Typer(no_args_is_help=True, help="Write a record, or look at one.")
    group.add_typer(_adding(args), name="add")
    group.command("show")(shown)
    app.add_typer(group, name="record")


def _adding(args: Sequence[str]) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help="Write a record of a kind; see KIND --help for its fields.")
    newest: dict[str, int] = {}
    for name in KINDS:
        bare, _, version = name.rpartition("/")
        newest[bare] = max(newest.get(bare, 0), int(version))
    wanted = [word for word in args if word in KINDS or word in newest]  # building one is quicker than building all
    for name, kind in sorted(KINDS.items()):
        bare, _, version = name.rpartition("/")
        latest = int(version) == newest[bare]
        if wanted and not {name, bare} & set(wanted):
            continue
        act = _command(kind)
        told = " ".join(part for part in (f"{kind.title}.", kind.help, kind.consequence) if part)
        group.command(name, help=told, hidden=latest, context_settings=_OPEN)(act)
        if latest:
            group.command(bare, help=told, context_settings=_OPEN)(act)
    return group


def _command(kind: Kind[Any]) -> Callable[..., None]:
    """The function of one kind, with an option for each of its fields."""
    body_type: type[Struct] = kind.body
    fields = bodies.fields(body_type)

    def act(context: typer.Context, member: str, audience: str, body: str, propose: str, as_json: bool, **options: Any) -> None:
        rest = list(context.args)
        if rest[-1:] == ["-"] and (len(rest) < 2 or not rest[-2].startswith("--")):
            if body or len(rest) > 1 or any(options.values()):
                raise Misuse("-: what comes from standard input is the whole body. Leave the fields out.")
            if propose:
                raise Misuse("--propose: acts are proposed one by one. Leave - out.")
            _add_many(folder(context), kind.name, member, audience, as_json=as_json)
            return
        filled = flat(fields, options, rest)
        if body and filled:
            raise Misuse("--body: it is the whole body. Leave the fields out, or leave --body out.")
        what = {"body": _json(body)} if body else {"flat": filled}
        _add_one(
            folder(context),
            {"kind": kind.name, **what, **given(member=member, audience=audience, propose=propose)},
            as_json=as_json,
        )

    act.__doc__ = kind.help
    act.__signature__ = inspect.Signature([*_SHARED, *parameters(fields)])  # type: ignore[attr-defined]  # read by typer
    return act


def _every(
    context: typer.Context,
    *,
    member: Member = "",
    audience: Annotated[
        str,
        typer.Option("--audience", metavar="public|allies|members|IDS", help="Narrower than the kind has it, never wider."),
    ] = "",
    body: Annotated[
        str, typer.Option("--body", metavar="JSON", help="The whole body as JSON; - reads it from standard input.")
    ] = "",
    propose: Annotated[
        str,
        typer.Option("--propose", metavar="WHY", help="Propose exactly this to all, for that reason, instead of doing it."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """The parameters that all kinds have."""


_SHARED = list(inspect.signature(_every, eval_str=True).parameters.values())


def _json(text: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as error:
        raise Misuse(f"--body: this is not JSON: {error}.") from error
    except RecursionError as error:
        raise Misuse("--body: this is nested too deeply. No kind has fields so deep.") from error


def _add_one(data: Path, args: dict[str, Any], *, as_json: bool) -> None:
    with opened(data) as do:
        told = do("record.add", args, silent)
    if told["advice"]:
        note(told["advice"])
    show(told, as_json=as_json, words=lambda console: console.print(f"{told['digest']} at {told['position']}"))


def _add_many(data: Path, kind: str, member: str, audience: str, *, as_json: bool) -> None:
    began = time.monotonic()
    accepted, refused, last = 0, [], ""
    args = {"kind": kind, **given(member=member, audience=audience)}
    with opened(data) as do, _bar() as bar:
        for first, lines in _batches():
            told = do("record.add-many", {**args, "lines": lines, "first": first}, silent)
            accepted, last = accepted + told["accepted"], told["last"] or last
            refused += told["refused"]
            for each in told["refused"][: max(0, _SHOWN + len(told["refused"]) - len(refused))]:
                note(f"Line {each['line']}: {each['error']}")
            bar(accepted + len(refused), sum(map(len, lines)))
    seconds = time.monotonic() - began
    if len(refused) > _SHOWN:
        note(f"... and {len(refused) - _SHOWN} more lines were refused.")
    sentence = f"{accepted} records written in {seconds:.1f} s, {len(refused)} lines refused."
    answer = {"accepted": accepted, "refused": refused, "last": last, "seconds": round(seconds, 3)}
    show(answer, as_json=as_json, words=lambda console: console.print(sentence))
    if refused:
        raise typer.Exit(WRONG)


def _batches() -> Iterator[tuple[int, list[str]]]:
    """(number of the first line, lines) from standard input."""
    first = 1
    while lines := list(islice(sys.stdin, BATCH)):
        yield first, lines
        first += len(lines)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """How far it is, how fast, and for how long yet; nothing where standard error is no terminal."""
    console = Console(stderr=True)
    status = os.fstat(sys.stdin.fileno())
    whole = status.st_size if stat.S_ISREG(status.st_mode) else None
    columns = (BarColumn(), TextColumn("{task.fields[done]} records, {task.fields[rate]:.0f} a second"), TimeRemainingColumn())
    began = time.monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=whole, done=0, rate=0.0)

        def say(done: int, size: int) -> None:
            progress.update(task, advance=size, done=done, rate=done / max(1e-3, time.monotonic() - began))

        yield say


def shown(
    context: typer.Context,
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="64 hexadecimal digits; log show lists them.")],
    as_json: AsJson = False,
) -> None:
    """Show a record: what it says, by whom, and where it stands."""
    with opened(folder(context)) as do:
        told = do("record.show", {"digest": digest}, silent)
    show(told, as_json=as_json, words=lambda console: _record(console, told))


def _record(console: Console, told: dict[str, Any]) -> None:
    kind = KINDS.get(told["kind"])
    console.print(kind.title if kind else told["kind"], style="bold")
    facts(
        console,
        [
            ("Kind", told["kind"]),
            ("Space", told["space"]),
            ("Position", told["position"]),
            ("Logged (UTC)", moment(told["logged_ms"])),
            ("Signed by", told["author"]),
            ("For", told["audience"]),
        ],
    )
    console.print()
    body = told["body"] if isinstance(told["body"], dict) else {}
    facts(console, [(name, _words(value)) for name, value in body.items() if value not in (None, "", [])])
    if told["erased"]:
        console.print("Its words were erased, or are not here.")


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_words, value))
    if isinstance(value, dict):
        return "  ".join(f"{name} {_words(each)}" for name, each in value.items())
    return str(value)
