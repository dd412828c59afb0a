"""The reference for people, generated: kinds, parameters, the API, the command line. A test holds the pages true.

    python -m node.reference docs/reference

Each page says what it was made from. Nothing here knows a kind, a parameter, a path or a verb by name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

import typer
from msgspec import Struct

from node import openapi
from node.cli import application
from node.words import AUDIENCE_NAMES
from protocol import body as bodies
from protocol.body import Field
from protocol.practice import Kind, Parameter, Practice
from protocol.practices import PRACTICES

_HEAD = "<!-- Generated: python -m node.reference docs/reference. Do not edit. -->\n\n"
_TYPES = {str: "text", int: "whole number", bool: "yes or no", bytes: "id or bytes"}
_WIDGETS = {
    "money": "amount, as decimal text",
    "instant": "time, to the minute (UTC)",
    "date": "date, YYYY-MM-DD",
    "space": "id of a space",
    "spaces": "id of a space",
    "member": "id of a member",
    "record": "digest of a record",
    "cycle": "number of a cycle of the moon",
    "text": "text, many lines",
    "key": "key or its hash",
}


def pages() -> dict[str, str]:
    """Every page by its file name."""
    made: dict[str, Callable[[], Iterator[str]]] = {
        "kinds.md": kinds,
        "parameters.md": parameters,
        "api.md": api,
        "commands.md": commands,
    }
    return {name: _HEAD + "\n".join(write()).rstrip() + "\n" for name, write in made.items()}


def write_pages(folder: Path) -> None:
    """Write every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


# Kinds


def kinds() -> Iterator[str]:
    """What can be written: every kind with its fields."""
    yield "# Kinds of record\n"
    yield _prose("""
        What a member does becomes a record of one of these kinds. A kind says which fields its body has, for whom it is at the
        widest, and which grant it takes. Fields marked *erasable* are words: they go into an annex beside the record and can be
        dropped later, and no rule ever decides by them. The rules of a released kind never change; a change of meaning is a new
        version.
    """)
    for practice in PRACTICES:
        if practice.kinds:
            yield f"## {practice.title}\n"
            yield f"{practice.about}\n"
            for kind in practice.kinds:
                yield from _kind(kind)


def _kind(kind: Kind[Any]) -> Iterator[str]:
    yield f"### {kind.name}\n"
    yield " ".join(part for part in (f"**{kind.title}.**", kind.help, kind.consequence) if part) + "\n"
    grant = f"the grant `{kind.needs}`" if kind.needs else "no grant; its rule says who may write it"
    narrower = "" if kind.in_public else ", or narrower"
    yield f"For: {AUDIENCE_NAMES[kind.audience]}{narrower}. Takes {grant}.\n"
    body: type[Struct] = kind.body
    yield from _table(("Field", "Label", "Takes", "What it is"), _rows(bodies.fields(body)))


def _rows(fields: tuple[Field, ...], path: str = "") -> Iterator[tuple[str, ...]]:
    for field in fields:
        name = f"{path}{field.name}"
        yield f"`{name}`", field.label, _takes(field), _about(field)
        if field.inner:
            yield from _rows(field.inner, f"{name}.{'N.' if field.many else ''}")


def _takes(field: Field) -> str:
    if field.choices:
        told = "one of " + ", ".join(f"`{each}`" for each in field.choices)
    elif field.inner:
        told = "fields of its own"
    else:
        told = _WIDGETS.get(field.widget) or _TYPES.get(field.type, "text")
    if field.many:
        told = f"a list: {told}" if not field.inner else "a list of rows"
    return "; ".join(part for part in (told, _limits(field), "required" if field.required else "", _erasable(field)) if part)


def _erasable(field: Field) -> str:
    return "erasable" if field.erasable else ""


def _limits(field: Field) -> str:
    least, most = field.least or (1 if field.required and field.erasable else None), field.most
    if field.type is bytes or field.widget in ("money", "instant") or (least is None and most is None):
        return ""
    if field.many:
        return f"{least or 0} to {most if most is not None else bodies.MAX_ROWS} rows"
    unit = " characters" if field.type is str else ""
    if most is None:
        return f"at least {least}{unit}"
    return f"{least or 0} to {most}{unit}" if unit or least is not None else f"at most {most}"


def _about(field: Field) -> str:
    shown = f"For example `{field.example}`." if field.example and "\n" not in field.example else ""
    return " ".join(part for part in (field.help, shown) if part)


# Parameters


def parameters() -> Iterator[str]:
    """What an adopted protocol can set."""
    yield "# Parameters\n"
    yield _prose("""
        Whole numbers that a protocol can set, once this space has adopted it, until its fuse ends. A record is bound by the
        value in force at its own place in the log; where nothing is adopted, the default holds.
    """)
    rows = [_parameter(practice, each) for practice in PRACTICES for each in practice.parameters]
    yield from _table(("Parameter", "Practice", "What it is", "Default", "From", "To"), iter(rows))


def _parameter(practice: Practice, each: Parameter) -> tuple[str, ...]:
    return f"`{each.name}`", practice.title, each.label, str(each.default), str(each.low), str(each.high)


# API


def api() -> Iterator[str]:
    """The JSON API, from its OpenAPI page."""
    page = openapi.document("1")
    yield "# JSON API\n"
    yield _prose(f"""
        {page["info"]["description"]} A node describes all of this itself, without a token, at `/api/v1/openapi.json`
        (OpenAPI {page["openapi"]}).
    """)
    yield _prose("""
        Send a token with every other request: `Authorization: Bearer TOKEN`. Members make tokens on their own page, with the
        scope `read`, or `read` and `write`; a token acts for its member and opens nothing once they have left. What is refused
        is answered with a status and `{"error": "a sentence"}`.
    """)
    yield from _table(("Status", "Means"), iter(_STATUSES))
    rows, schemas = [], page["components"]["schemas"]
    for path, verbs in page["paths"].items():
        for verb, operation in verbs.items():
            rows.append((f"`{verb.upper()} {path}`", operation["summary"], _asked(operation)))
    yield "## Paths\n"
    yield from _table(("Path", "What it is", "Parameters"), iter(rows))
    yield "## Writing\n"
    yield _prose("""
        The body of a `POST` is that of the kind, as JSON; [kinds.md](kinds.md) has every field. With `?audience=` it can be
        narrowed. The answer is 201 and says where the record stands:
    """)
    yield from _table(("Field", "Type"), ((f"`{n}`", each["type"]) for n, each in schemas["Placed"]["properties"].items()))


_STATUSES = (
    ("200, 201", "done; 201: written, and durable"),
    ("400", "the request cannot be read"),
    ("401", "no token, or none that is known here"),
    ("403", "the token lacks the scope, or its member is no member now"),
    ("404", "there is no such thing here"),
    ("413", "the body is too large"),
    ("422", "refused by a rule: the sentence says which field and what to do; nothing was written"),
    ("500", "this node could not read or write its data; nothing was written"),
)


def _asked(operation: Mapping[str, Any]) -> str:
    return ", ".join(f"`{each['name']}` ({each['in']})" for each in operation.get("parameters", ()))


# Commands


def commands() -> Iterator[str]:
    """The command line."""
    root = typer.main.get_command(application(()))
    yield "# Commands\n"
    yield _prose("""
        `archipelago [-C DIR] COMMAND …`. Each takes `--json` where it tells anything, and `--help`. A command that finds the
        node running talks to it; else it opens the data folder itself. Exit codes: 0 done, 1 it could not be done, 2 it was
        asked for wrongly and nothing was written.
    """)
    for words, command in _commands(root, ()):
        yield f"## archipelago {' '.join(words)}\n"
        yield f"{_flat(command.help or '')}\n"
        rows = [row for each in command.params if (row := _parameter_row(each)) is not None]
        if rows:
            yield from _table(("Argument", "What it is"), iter(rows))
    yield "## archipelago record add KIND\n"
    yield _prose("""
        One command for each kind: its options are the fields in [kinds.md](kinds.md), named with `--` and hyphens, lists as
        repeated options. `--body JSON` gives the whole body; `-` reads one JSON body a line from standard input, writes them in
        durable batches and says which were refused. `--audience` narrows, `--as MEMBER` says whose key signs.
    """)


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every verb but those of single kinds, with the words that call it."""
    for name, inner in getattr(command, "commands", {}).items():
        if inner.hidden or words == ("record", "add") or (*words, name) == ("record", "add"):
            continue
        if getattr(inner, "commands", None):
            if inner.invoke_without_command:
                yield (*words, name), inner
            yield from _commands(inner, (*words, name))
        else:
            yield (*words, name), inner


def _parameter_row(parameter: Any) -> tuple[str, str] | None:
    if getattr(parameter, "hidden", False) or parameter.name == "help":
        return None
    value = parameter.metavar or ("" if getattr(parameter, "is_flag", False) else str(parameter.name).upper())
    if parameter.param_type_name == "argument":
        return f"`{value if parameter.required or value.startswith('[') else f'[{value}]'}`", _flat(
            getattr(parameter, "help", "") or ""
        )
    spelled = ", ".join(f"`{each}`" for each in parameter.opts)
    return spelled + (f" `{value}`" if value else ""), _flat(parameter.help or "")


# Markdown


def _prose(text: str) -> str:
    return fill(_flat(text), 120, break_long_words=False, break_on_hyphens=False) + "\n"


def _table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield _line(columns)
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield _line(row)
    yield ""


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_flat(cell).replace("|", "\\|") for cell in cells) + " |"


def _flat(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
