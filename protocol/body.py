"""Fields of a body, read off its Struct; and the ways to fill one: a form, arguments, JSON.

A body is a frozen `msgspec.Struct` whose fields are annotated by `protocol.practice.field`. From flat names such as
``postings.0.amount`` (forms, arguments) or from JSON comes the same typed body; in both, money is a decimal string, bytes
are hexadecimal (ids of spaces also ``isle:…``) and instants ISO 8601 in UTC, while the record holds whole numbers and bytes.

Every refusal names the field by its label and says what to do.
"""

from __future__ import annotations

import base64
import re
import typing
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import NODEFAULT, Meta, Struct
from msgspec.structs import asdict
from msgspec.structs import fields as struct_fields

from protocol import encoding
from protocol.practice import Refused

T = TypeVar("T", bound=Struct)
MAX_ROWS = 500
_MOST = 2**53 - 1
_LONGEST_QUOTED = 80
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # all but tab and the ends of lines


class Field(Struct, frozen=True):
    """One field: `inner` are the fields of a nested struct, `many` that it repeats."""

    name: str
    label: str
    help: str
    example: str
    widget: str
    type: Any
    required: bool
    erasable: bool
    many: bool = False
    inner: tuple[Field, ...] = ()
    choices: tuple[str, ...] = ()
    least: int | None = None  # of a number, or of a length
    most: int | None = None
    pattern: str = ""
    default: Any = None


@lru_cache(maxsize=512)
def fields(body: type[Struct]) -> tuple[Field, ...]:
    """The fields of a body, in order."""
    hints = typing.get_type_hints(body, include_extras=True)
    return tuple(
        _field(
            f.name,
            hints[f.name],
            required=f.default is NODEFAULT and f.default_factory is NODEFAULT,
            default=None if f.default is NODEFAULT else f.default,
        )
        for f in struct_fields(body)
    )


@lru_cache(maxsize=512)
def erasable_fields(body: type[Struct]) -> tuple[str, ...]:
    """Names of the fields whose words go into the annex."""
    return tuple(f.name for f in fields(body) if f.erasable)


def _field(name: str, hint: Any, *, required: bool, default: Any) -> Field:
    metas: list[Meta] = []
    many = False
    while True:
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is Annotated:
            hint, *extra = args
            metas += [meta for meta in reversed(extra) if isinstance(meta, Meta)]  # outermost first
        elif origin is list or (origin is tuple and len(args) == 2 and args[1] is Ellipsis):
            many, hint = True, args[0]
        elif len(args) > 1 and type(None) in args:  # optional
            hint = next(each for each in args if each is not type(None))
        else:
            break
    extras = [meta.extra for meta in metas if meta.extra]

    def first(key: str) -> Any:
        return next((extra[key] for extra in extras if extra.get(key)), "")

    limits = [(meta.ge, meta.le, meta.min_length, meta.max_length, meta.pattern) for meta in metas]

    def limit(*at: int) -> Any:
        return next((each[i] for each in limits for i in at if each[i] is not None), None)

    return Field(
        name,
        next((meta.title for meta in metas if meta.title), ""),
        next((meta.description for meta in metas if meta.description), ""),
        first("example"),
        first("widget"),
        hint,
        required or bool(first("required")),
        bool(first("erasable")),
        many,
        fields(hint) if isinstance(hint, type) and issubclass(hint, Struct) else (),
        typing.get_args(hint) if typing.get_origin(hint) is Literal else (),
        limit(0, 2),
        limit(1, 3),
        limit(4) or "",
        default,
    )


# From text to a body


def from_flat(body: type[T], flat: Mapping[str, str]) -> T:
    """A body from flat names and text; Refused with the field's label and what to do."""
    tree: dict[str, Any] = {}
    for path, text in flat.items():
        *stem, leaf = path.split(".")
        node = tree
        for part in stem:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise Refused(f"There is no field “{_quoted(path)}” here.")
        if isinstance(node.get(leaf), dict):
            raise Refused(f"There is no field “{_quoted(path)}” here.")
        node[leaf] = text
    return from_json(body, _rows(fields(body), tree))


def from_json(body: type[T], value: Any) -> T:
    """A body from JSON as members write it (money as decimal strings, bytes as hex); Refused names the field."""
    if not isinstance(value, Mapping):
        raise Refused("A body is an object with the fields of its kind.")
    shaped = _struct(fields(body), value, "")
    try:
        made = msgspec.convert(shaped, body, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise Refused(_say(body, str(error))) from error
    _ask_for_words(fields(body), made)
    return made


def to_json(body: Struct) -> dict[str, Any]:
    """A body as members read and write it: money as decimal strings, bytes as hex."""
    return {f.name: _show(f, getattr(body, f.name)) for f in fields(type(body))}


def to_flat(body: Struct) -> dict[str, str]:
    """A body as flat names and text, to fill a form with."""
    flat: dict[str, str] = {}

    def lay(path: str, value: Any) -> None:
        if isinstance(value, dict):
            for name, each in value.items():
                lay(f"{path}.{name}" if path else name, each)
        elif isinstance(value, list):
            for number, each in enumerate(value):
                lay(f"{path}.{number}", each)
        elif value is not None:
            flat[path] = str(value)

    lay("", to_json(body))
    return flat


def structure_and_words(body: Struct) -> tuple[dict[str, Any], dict[str, str]]:
    """What of a body goes into the record and what into its annex."""
    whole: dict[str, Any] = msgspec.to_builtins(body, builtin_types=(bytes,))
    words = {name: whole.pop(name, "") for name in erasable_fields(type(body))}
    return whole, {name: text for name, text in words.items() if text}


def canonical(body: Struct) -> bytes:
    """The canonical bytes of a struct, by whose hash spaces mean the same value."""
    return encoding.encode(msgspec.to_builtins(body, builtin_types=(bytes,)))


def minor(text: str, label: str) -> int:
    """Minor units of a decimal with at most two places; Refused says how to write it."""
    found = re.fullmatch(r"([+-]?)(\d{1,12})(?:[.,](\d{1,2}))?", text.strip())
    if not found:
        raise Refused(f"{label}: “{_quoted(text)}” is not an amount. Write it like 12.50 or -12.50, with at most two decimals.")
    sign, whole, cents = found.groups()
    amount = int(whole) * 100 + int((cents or "").ljust(2, "0") or 0)
    return -amount if sign == "-" else amount


def decimal(amount_minor: int) -> str:
    """Minor units as a decimal string."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02}"


def _rows(known: tuple[Field, ...], tree: Mapping[str, Any]) -> dict[str, Any]:
    """Numbered rows of a flat tree to lists; what was left empty is left out."""
    shaped: dict[str, Any] = {}
    by_name = {f.name: f for f in known}
    for name, given in tree.items():
        f = by_name.get(name)
        if f is None:
            raise Refused(f"There is no field “{_quoted(name)}” here. It has: {', '.join(by_name)}.")
        value = _many(f, given) if f.many else _one(f, given)
        if value is not None:
            shaped[name] = value
    return shaped


def _many(f: Field, given: Any) -> Any:
    if isinstance(given, str):
        return [part for part in re.split(r"[\s,]+", given) if part] or None
    if not all(re.fullmatch("[0-9]{1,6}", key) for key in given):
        raise Refused(f"{f.label}: rows are numbered from 0.")
    rows = [_one(f, given[key]) for key in sorted(given, key=int)]
    return [row for row in rows if row not in (None, {})] or None


def _one(f: Field, given: Any) -> Any:
    if f.inner:
        if isinstance(given, str):
            raise Refused(f"{f.label}: has fields of its own: {', '.join(i.name for i in f.inner)}.")
        return _rows(f.inner, given) or None
    if isinstance(given, dict):
        raise Refused(f"{f.label}: is one value.")
    return given.replace("\r\n", "\n") if given.strip() else None


def _struct(known: tuple[Field, ...], value: Mapping[str, Any], path: str) -> dict[str, Any]:
    by_name = {f.name: f for f in known}
    for name in value:
        if name not in by_name:
            raise Refused(f"There is no field “{_quoted(path + str(name))}” here. It has: {', '.join(by_name)}.")
    shaped = {}
    for f in known:
        if f.name in value and value[f.name] is not None:
            shaped[f.name] = _typed(f, value[f.name], path)
        elif f.required and not f.erasable:
            raise Refused(f"{f.label}: this is missing. {f.help or 'Fill it in.'}".strip())
    return shaped


def _typed(f: Field, value: Any, path: str) -> Any:
    if f.many:
        if not isinstance(value, list):
            raise Refused(f"{f.label}: is a list.")
        if len(value) > MAX_ROWS:
            raise Refused(f"{f.label}: has at most {MAX_ROWS} rows.")
        one = msgspec.structs.replace(f, many=False)
        return [_typed(one, each, path) for each in value]
    if f.inner:
        if not isinstance(value, Mapping):
            raise Refused(f"{f.label}: has fields of its own: {', '.join(i.name for i in f.inner)}.")
        return _struct(f.inner, value, f"{path}{f.name}.")
    if f.type is bytes:
        return _bytes(f, value)
    if f.type is int:
        return _number(f, value)
    if f.type is bool and isinstance(value, str):
        return value.lower() in ("1", "on", "true", "yes")
    if f.type is str:
        _check_text(f, value)
    return value


def _check_text(f: Field, value: Any) -> None:
    if not isinstance(value, str):
        raise Refused(f"{f.label}: is text.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"{f.label}: half of a character is in it. Write it anew.") from error
    if _CONTROL.search(value):
        raise Refused(f"{f.label}: it holds a character that cannot be shown. Write it anew, without.")


def _quoted(value: object) -> str:
    """What was written, to be said again in a sentence: not at any length, and nothing that no terminal can show."""
    text = _CONTROL.sub("\ufffd", str(value).encode(errors="replace").decode())
    return text if len(text) <= _LONGEST_QUOTED else text[: _LONGEST_QUOTED - 1] + "…"


def _bytes(f: Field, value: Any) -> bytes:
    text = str(value).strip()
    if text.startswith("isle:"):
        spelled = text[5:].upper()
        try:
            return base64.b32decode(spelled + "=" * (-len(spelled) % 8))
        except ValueError:
            pass
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Refused(f"{f.label}: “{_quoted(text)}” is not an id. Copy it from the page of what you mean.") from error


def _number(f: Field, value: Any) -> int:
    if f.widget == "money" and not isinstance(value, bool):
        if isinstance(value, float):
            raise Refused(f'{f.label}: write amounts as text, like "12.50".')
        return minor(str(value), f.label)
    if f.widget == "instant" and isinstance(value, str) and not value.strip().isdigit():
        return _instant(f, value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Refused(f"{f.label}: is a whole number.")
    try:
        number = int(value)
    except ValueError as error:
        raise Refused(f"{f.label}: “{_quoted(value)}” is not a whole number.") from error
    if abs(number) > _MOST:
        raise Refused(f"{f.label}: {_wanted(f) if f.most is not None else f'a whole number of at most {_MOST}.'}")
    return number


def _instant(f: Field, value: str) -> int:
    try:
        moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise Refused(f"{f.label}: “{_quoted(value)}” is not a time. Write it like 2026-03-14 18:00+00:00 (in UTC).") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) // 60 * 60_000


def _show(f: Field, value: Any) -> Any:
    if value is None:
        return None
    if f.many:
        one = msgspec.structs.replace(f, many=False)
        return [_show(one, each) for each in value]
    if f.inner:
        held = asdict(value) if isinstance(value, Struct) else value
        return {inner.name: _show(inner, held[inner.name]) for inner in f.inner}
    if isinstance(value, bytes):
        return value.hex()
    if f.widget == "money":
        return decimal(value)
    if f.widget == "instant":
        return _clock_time(value)
    return value


def _clock_time(ms: int) -> str:
    """An instant as it is written; the bare number where no calendar reaches, because a body may come from anybody."""
    try:
        return (datetime(1970, 1, 1) + timedelta(milliseconds=ms)).strftime("%Y-%m-%d %H:%M")
    except OverflowError:
        return str(ms)


def _ask_for_words(known: tuple[Field, ...], body: Struct) -> None:
    for f in known:
        if not f.erasable:
            continue
        words = getattr(body, f.name)
        if f.required and not words.strip():
            raise Refused(f"{f.label}: this is missing. {f.help or 'Fill it in.'}".strip())


def _say(body: type[Struct], error: str) -> str:
    """A sentence for members from msgspec's: which field, and what it takes."""
    found = re.search(r"at `\$\.?([^`]*)`", error)
    path = re.sub(r"\[\d*\.*\]", "", found.group(1)) if found else ""
    missing = re.search(r"missing required field `([^`]+)`", error)
    if missing:
        path = f"{path}.{missing.group(1)}".strip(".")
    known, f = fields(body), None
    for part in path.split("."):
        f = next((each for each in known if each.name == part), f)
        known = f.inner if f else ()
    if f is None:
        return f"Not in form: {error}."
    if missing:
        return f"{f.label}: this is missing. {f.help or 'Fill it in.'}"
    return f"{f.label}: {_wanted(f)}{' For example: ' + f.example + '.' if f.example else ''}"


def _wanted(f: Field) -> str:
    if f.choices:
        return f"choose one of {', '.join(map(str, f.choices))}."
    if f.type is int:
        if f.least is not None and f.most is not None:
            return f"a whole number from {f.least} to {f.most}."
        return f"a whole number of at least {f.least}." if f.least is not None else "a whole number."
    if f.many:
        return f"from {f.least or 0} to {f.most or MAX_ROWS} rows."
    if f.pattern:
        return "not in the form it takes."
    if f.type is bytes:
        return "an id of 32 bytes. Copy it from the page of what you mean."
    size = f"from {f.least or 0} to {f.most} characters" if f.most else f"at least {f.least or 0} characters"
    return f"takes {size}."
