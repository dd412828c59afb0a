"""Options of a command from the fields of a kind's body, and a body's flat names from what was given.

A field is an option of its name; one that repeats is given several times. A row of a nested list is written as one word,
``--postings "account=assets:cash amount=-12.50 currency=EUR"`` (or as a JSON object), or field by field with dots,
``--postings.0.account assets:cash``. Values are text, read by `protocol.body` like those of a form.

>>> row("account=assets:cash amount=-12.50 memo='Flour and salt'")
{'account': 'assets:cash', 'amount': '-12.50', 'memo': 'Flour and salt'}
"""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from node.failure import Misuse
from protocol.body import Field

TAKEN = {"as", "audience", "body", "json", "help", "propose"}


def option_name(field: Field) -> str:
    """How a field is called on the command line."""
    name = field.name.replace("_", "-")
    return f"with-{name}" if name in TAKEN else name


def parameters(fields: Sequence[Field]) -> list[inspect.Parameter]:
    """One option a field, for a function's signature."""
    return [_parameter(field) for field in fields]


def _parameter(field: Field) -> inspect.Parameter:
    kind: Any = list[str] | None if field.many else bool | None if field.type is bool else str | None
    name = f"--{option_name(field)}"
    option = typer.Option(
        f"{name}/--no-{option_name(field)}" if kind == bool | None else name,
        metavar=_metavar(field) if kind != bool | None else None,
        help=_help(field),
        show_default=False,
    )
    return inspect.Parameter(
        f"field_{field.name}", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


def _metavar(field: Field) -> str:
    if field.inner:
        return '"' + " ".join(f"{each.name}=" for each in field.inner) + '"'
    if field.choices:
        return "|".join(field.choices)
    return {"money": "AMOUNT", "date": "DATE", "instant": "TIME", "record": "DIGEST", "space": "ID", "spaces": "ID"}.get(
        field.widget, "NUMBER" if field.type is int else "TEXT"
    )


def _help(field: Field) -> str:
    told = f"{field.label}. {field.help}".strip()
    if field.example:
        told += f" For example {field.example}"
    if field.many:
        told += " Can be given several times."
    return told if field.required else f"{told} (may be left out)"


def flat(fields: Sequence[Field], options: Mapping[str, Any], rest: Sequence[str]) -> dict[str, str]:
    """Flat names and text, as a form has them, from a command's options and what else stood there."""
    told: dict[str, str] = dict(_dotted(rest))
    for field in fields:
        value = options.get(f"field_{field.name}")
        if value is None or value == []:
            continue
        if field.type is bool:
            told[field.name] = "yes" if value else "no"
        elif field.many:
            told |= _rows(field, value)
        elif field.inner:
            told |= {f"{field.name}.{name}": text for name, text in row(value).items()}
        else:
            told[field.name] = value
    return told


def _rows(field: Field, given: Sequence[str]) -> dict[str, str]:
    if field.inner:
        return {f"{field.name}.{at}.{name}": text for at, each in enumerate(given) for name, text in row(each).items()}
    if len(given) == 1 and field.type is bytes:
        return {field.name: given[0]}  # ids may come with commas between
    return {f"{field.name}.{at}": text for at, text in enumerate(given)}


def row(text: str) -> dict[str, str]:
    """The fields of one row: ``name=value`` words, quoted as in a shell, or a JSON object."""
    if text.lstrip().startswith("{"):
        return _flattened(_object(text), "")
    try:
        words = [word.partition("=") for word in shlex.split(text)]
    except ValueError as error:
        raise Misuse(f"“{text}”: a quotation mark is not closed.") from error
    if bare := [name for name, equals, _ in words if not equals]:
        raise Misuse(f"“{bare[0]}” has no field's name before it. Write a row like account=assets:cash amount=-12.50")
    return {name: value for name, _, value in words}


def _object(text: str) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise Misuse(f"“{text}” is not JSON: {error}.") from error
    return value


def _flattened(value: Any, path: str) -> dict[str, str]:
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        parts = [_flattened(each, f"{path}.{name}" if path else str(name)) for name, each in pairs]
        return {name: text for part in parts for name, text in part.items()}
    return {} if value is None else {path: value if isinstance(value, str) else json.dumps(value)}


def _dotted(rest: Sequence[str]) -> list[tuple[str, str]]:
    """(flat name, text) of options with dots in their names, which no command can list beforehand."""
    told, words = [], iter(rest)
    for word in words:
        if not word.startswith("--"):
            raise Misuse(f"“{word}” stands alone. Give values as --field value; see --help.")
        name, equals, text = word.removeprefix("--").partition("=")
        if not equals:
            following = next(words, None)
            if following is None:
                raise Misuse(f"--{name}: its value is missing.")
            text = following
        told.append((name, text))
    return told
