"""The form of a kind as HTML, made from the fields of its body; it works without script.

- One question under another: label, help, example; lists are numbered rows with a button that adds one.
- What was typed stays after an error; the error is said at the top with a link to its field, and at the field.
- What the act will bring about stands before the button. A big act shows a summary first and asks once more (`confirmation`).
- Instants are typed in the collective's own time zone (`node/form_values.py`). An id that came with the link is shown by
  name and travels along unseen.

Example::

    form(KINDS["ledger.transaction-booked/1"], Filled({"memo": "Rent"}), offers, zone, token="…")
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Protocol

import msgspec
from markupsafe import Markup
from msgspec import Struct

from node.form_choices import explained, named
from node.form_values import leaves, rows_of
from node.markup import element, together
from node.words import plain
from protocol.body import Field, fields
from protocol.practice import Kind

Option = tuple[str, str]  # the value, and what it is called
_FEW = 5  # so many choices are shown at once rather than in a list
_NOTHING = Markup()
_NAMED = ("parameter", "duty", "role", "figure")  # widgets whose text is one of a few names
_UNSEEN = ("hash", "key")  # widgets whose given value says nothing to a reader


class Offers(Protocol):
    """What a form can offer to choose from, and the names of ids."""

    def options(self, field: Field) -> Sequence[Option]:
        """Values for a field, the likeliest first; empty if it is typed in."""

    def told(self, field: Field, value: str) -> str:
        """The name of what an id in a field stands for; "" if it is not known."""

    def hint(self, field: Field) -> str:
        """What helps to fill in a field just here, besides its help; "" if nothing does."""


class Filled(Struct, frozen=True):
    """A form as far as it is filled in: text by flat name, and what is wrong with it."""

    values: Mapping[str, str] = {}
    error: str = ""
    warning: str = ""
    given: frozenset[str] = frozenset()  # names that came with the link
    focus: str = ""  # the field to begin at, if not the first


class _Drawing(Struct, frozen=True):
    """What every field of one form is drawn with."""

    filled: Filled
    offers: Offers
    zone: tzinfo
    wrong: str  # the flat name of the field with the error


def form(
    kind: Kind[Any],
    filled: Filled,
    offers: Offers,
    zone: tzinfo,
    *,
    token: str,
    audiences: Sequence[Option] = (),
    path: str = "",
    plans: Markup = _NOTHING,
    proposes: str = "",
    why: str = "",
) -> Markup:
    """The whole form of a kind; `plans` is what it carries along of planned acts, `proposes` whether it can be proposed
    instead (``may``) or has to be (``must``), and `why` it has to be."""
    body: type[Struct] = kind.body
    known = [field for field in fields(body) if not _is_carried(field)]
    drawing = _Drawing(filled, offers, zone, wrong_field(known, filled))
    folded = {field.name for field in known if _is_aside(field, drawing)}
    questions = [_field(field, field.name, drawing) for field in known if field.name not in folded]
    if folded:
        inside = [_field(field, field.name, drawing) for field in known if field.name in folded]
        questions.append(element("details", element("summary", "more, if you like"), *inside))
    if len(audiences) > 1:
        questions.append(_audience(audiences, filled.values.get("audience", "")))
    elif audiences:
        questions.append(hidden("audience", audiences[0][0]))
    return element(
        "form",
        _default(proposes),
        *_summary(filled, drawing.wrong),
        hidden("csrf", token),
        *[hidden(f"given.{name}", "1") for name in sorted(filled.given)],
        *questions,
        plans,
        *([_warned(filled.warning)] if filled.warning else []),
        consequence(kind),
        _buttons(kind, proposes, why),
        method="post",
        action=path or None,
        novalidate=True,
    )


def _default(proposes: str) -> Markup:
    """What Enter in a field presses: the first button of a form, which nobody sees."""
    named = {"name": "do", "value": "propose"} if proposes == "must" else {}
    return element("button", "Send", class_="default", tabindex="-1", aria_hidden="true", **named)


def _buttons(kind: Kind[Any], proposes: str, why: str) -> Markup:
    """To write it; or to propose it to all, where nobody does it alone."""
    propose = element("button", "Propose it to all", name="do", value="propose", class_="second" if proposes == "may" else None)
    if proposes == "must":
        return together([_warned(why), element("div", propose, class_="buttons")])
    return element("div", element("button", kind.title), *([propose] if proposes else []), class_="buttons")


def _warned(words: str) -> Markup:
    """A sentence to look at first."""
    return element("p", element("span", class_="sign", aria_hidden="true"), plain(words), class_="note-line warn")


def _is_carried(field: Field) -> bool:
    """Fields that are never typed: planned acts travel along, and what is sealed the node fills in."""
    return field.widget in ("sealed", "said") or any(inner.widget == "act" for inner in field.inner)


def confirmation(kind: Kind[Any], values: Mapping[str, str], told: Markup, token: str) -> Markup:
    """The step between a big act's form and the act: what it says, what follows, and a way back."""
    carried = [hidden(name, value) for name, value in values.items() if name not in ("csrf", "do")]
    return element(
        "form",
        told,
        consequence(kind),
        hidden("csrf", token),
        *carried,
        element(
            "div",
            element("button", kind.title, name="do", value="confirmed"),
            element("button", "Change it", name="do", value="change", class_="second"),
            class_="buttons",
        ),
        method="post",
    )


def consequence(kind: Kind[Any]) -> Markup:
    """What the act will bring about."""
    return element("p", plain(kind.consequence), class_="consequence") if kind.consequence else Markup()


def hidden(name: str, value: str) -> Markup:
    """A value that travels along."""
    return element("input", type="hidden", name=name, value=value)


# Errors


def wrong_field(known: Sequence[Field], filled: Filled) -> str:
    """The flat name of the field that an error speaks of, by the label with which it begins; "" if of none."""
    label = filled.error.partition(":")[0]
    named = [(path, field) for path, field in leaves(known, "", filled.values) if field.label == label]
    empty = [path for path, field in named if not field.inner and not filled.values.get(path, "").strip()]
    if "missing" in filled.error and empty:
        return empty[0]
    return named[0][0] if named else ""


def _summary(filled: Filled, wrong: str) -> list[Markup]:
    if not filled.error:
        return []
    said: Markup | str = element("a", plain(filled.error), href=f"#{field_id(wrong)}") if wrong else plain(filled.error)
    title = element("h2", "Nothing was written yet", id="summary-title")
    return [
        element(
            "div", title, element("ul", element("li", said)), class_="summary", role="alert", tabindex="-1", autofocus=True,
            aria_labelledby="summary-title",
        )
    ]  # fmt: skip


def field_id(path: str) -> str:
    """The anchor of a field."""
    return f"f-{path.replace('.', '-')}"


# Fields


def _is_aside(field: Field, drawing: _Drawing) -> bool:
    """Ids that may be left empty and are: seldom wanted, so folded away."""
    aside = field.type is bytes and not field.many and not field.required and not field.inner
    return aside and not drawing.filled.values.get(field.name) and field.name != drawing.wrong


def _field(field: Field, path: str, drawing: _Drawing) -> Markup:
    if field.many and field.choices:
        names, left = explained(field.choices, field.help)
        return _check_list(msgspec.structs.replace(field, help=left), path, names, drawing)
    if field.many and not field.inner:
        options = drawing.offers.options(field)
        return _check_list(field, path, options, drawing) if options and field.type is bytes else _list(field, path, drawing)
    if field.many:
        return _list(field, path, drawing)
    if field.inner:
        inside = [_field(inner, f"{path}.{inner.name}", drawing) for inner in field.inner]
        return element(
            "fieldset", element("legend", plain(field.label)), *_help(field, path, drawing), *inside, id=field_id(path)
        )
    value = drawing.filled.values.get(path, "")
    if value and path in drawing.filled.given:
        fixed = _fixed(field, path, value, drawing)
        if fixed is not None:
            return fixed
    if field.choices:
        return _choices(field, path, value, drawing)
    if field.widget == "answer" and (answers := list(drawing.offers.options(field))):
        boxes = [_box("radio", path, f"{path}-{n}", each, each[0] == value) for n, each in enumerate(answers)]
        return _group(field, path, boxes, drawing)
    if field.type is bool:
        return _yes_or_no(field, path, value, drawing)
    return _question(field, path, _control(field, path, value, drawing), drawing)


def _fixed(field: Field, path: str, value: str, drawing: _Drawing) -> Markup | None:
    """A value that came with the link: by name and unchangeable, or unseen if it would say nothing."""
    ahead = dict(drawing.offers.options(field)) if field.widget == "cycle" and path != drawing.wrong else {}
    past = ahead and value not in ahead
    if field.widget in _UNSEEN or past:  # a cycle that is over is not chosen anew: it belongs to what the link is about
        return hidden(path, value)
    if field.type is not bytes or path == drawing.wrong:
        return None
    told = drawing.offers.told(field, value)
    if not told:
        return None
    return element("p", element("span", plain(field.label), class_="label"), plain(told), hidden(path, value), class_="field")


def _question(field: Field, path: str, control: Markup, drawing: _Drawing) -> Markup:
    optional = [] if field.required else [" ", element("span", "(may be left empty)", class_="optional")]
    label = element("label", plain(field.label), *optional, for_=field_id(path))
    wrong = " wrong" if path == drawing.wrong else ""
    return element("div", label, *_help(field, path, drawing), control, class_=f"field{wrong}")


def _help(field: Field, path: str, drawing: _Drawing) -> list[Markup]:
    """Help and example, within a list beside the first row alone; and what is wrong."""
    repeats = _help_id(path) != f"{field_id(path)}-help"
    hint = drawing.offers.hint(field)
    parts = [plain(text) for text in (field.help, hint) if text]
    if field.widget == "instant":
        parts.append(f"Times are in {_zone_name(drawing.zone)}.")
    if field.example and not field.inner and not field.choices:
        parts.append(f"For example: {plain(field.example).rstrip('.')}.")
    said = [element("span", " ".join(parts), class_="help", id=_help_id(path))] if parts and not repeats else []
    if path == drawing.wrong:
        said.append(element("strong", _without_label(drawing.filled.error), class_="error", id=f"{field_id(path)}-error"))
    return said


def _help_id(path: str) -> str:
    """Where a field's help stands: in a list with its like in the first row."""
    return f"{field_id(re.sub(r'[.][0-9]+[.]', '.0.', path))}-help"


def _without_label(error: str) -> str:
    said = error.partition(":")[2].strip() or error
    return plain(said[:1].upper() + said[1:])


def _zone_name(zone: tzinfo) -> str:
    return str(zone).replace("_", " ")


def _described(field: Field, path: str, drawing: _Drawing) -> str | None:
    helped = field.help or (field.example and not field.choices) or field.widget == "instant" or drawing.offers.hint(field)
    said = [_help_id(path)] if helped else []
    if path == drawing.wrong:
        said.append(f"{field_id(path)}-error")
    return " ".join(said) or None


def _control(field: Field, path: str, value: str, drawing: _Drawing) -> Markup:
    shared: dict[str, Any] = {
        "id": field_id(path),
        "name": path,
        "required": field.required,
        "aria_describedby": _described(field, path, drawing),
        "aria_invalid": "true" if path == drawing.wrong else None,
        "autofocus": path == drawing.filled.focus,
    }
    if field.widget == "text":
        return element("textarea", "\n" + value, rows=6, maxlength=field.most if field.erasable else None, **shared)
    options = list(drawing.offers.options(field))
    if options and (field.type is not str or field.widget in _NAMED):
        return _select(options, value, field.required, shared)
    listed = f"{field_id(path)}-list" if options else None
    box = element("input", value=value, list=listed, autocomplete="off", **_input_kind(field), **shared)
    if not options:
        return box
    return together([box, element("datalist", *[_option(each, "") for each in options], id=listed)])


def _input_kind(field: Field) -> dict[str, Any]:
    if field.widget == "date":
        return {"type": "date"}
    if field.widget == "instant":
        return {"type": "datetime-local"}
    if field.widget == "money":
        return {"type": "text", "inputmode": "text", "class_": "amount"}
    if field.type is int:
        return {"type": "number", "inputmode": "numeric", "min": field.least, "max": field.most, "step": 1}
    return {"type": "text", "maxlength": field.most if field.type is str else None}


def _select(options: Sequence[Option], value: str, required: bool, shared: dict[str, Any]) -> Markup:
    """A list to choose from; a value that is not in it stays choosable."""
    known = list(options)
    if value and value not in {each for each, _ in known}:
        known.insert(0, (value, value))
    empty = element("option", "Choose" if required else "None", value="")
    return element("select", empty, *[_option(each, value) for each in known], **shared)


def _option(option: Option, chosen: str) -> Markup:
    return element("option", plain(option[1]), value=option[0], selected=option[0] == chosen)


def _yes_or_no(field: Field, path: str, value: str, drawing: _Drawing) -> Markup:
    box = _box("checkbox", path, path, ("yes", field.label), value.lower() in ("1", "on", "true", "yes"))
    return element("div", box, *_help(field, path, drawing), class_="field")


def _choices(field: Field, path: str, value: str, drawing: _Drawing) -> Markup:
    """One of a few: all shown; of many: a list."""
    if len(field.choices) > _FEW:
        names = [(choice, named(choice)) for choice in field.choices]
        shared = {"id": field_id(path), "name": path, "aria_describedby": _described(field, path, drawing)}
        return _question(field, path, _select(names, value, field.required, shared), drawing)
    names, left = explained(field.choices, field.help)
    boxes = [_box("radio", path, f"{path}-{n}", each, each[0] == value) for n, each in enumerate(names)]
    return _group(msgspec.structs.replace(field, help=left), path, boxes, drawing)


def _check_list(field: Field, path: str, options: Sequence[Option], drawing: _Drawing) -> Markup:
    """Several of what is known; what is chosen but not known is kept."""
    held = {value for name, value in drawing.filled.values.items() if re.fullmatch(rf"{re.escape(path)}\.\d+", name)}
    known = [*options, *((value, value) for value in sorted(held - {each for each, _ in options}) if value)]
    boxes = [_box("checkbox", f"{path}.{n}", f"{path}.{n}", each, each[0] in held) for n, each in enumerate(known)]
    return _group(field, path, boxes, drawing)


def _box(kind: str, name: str, path: str, option: Option, chosen: bool) -> Markup:
    box = element("input", type=kind, name=name, id=field_id(path), value=option[0], checked=chosen)
    return element("div", box, element("label", plain(option[1]), for_=field_id(path)), class_="choice")


def _group(field: Field, path: str, inside: Sequence[Markup], drawing: _Drawing) -> Markup:
    legend = element("legend", plain(field.label))
    wrong = "wrong" if path == drawing.wrong else None
    described = _described(field, path, drawing)
    return element(
        "fieldset", legend, *_help(field, path, drawing), *inside, id=field_id(path), class_=wrong, aria_describedby=described
    )


def _list(field: Field, path: str, drawing: _Drawing) -> Markup:
    one = msgspec.structs.replace(field, many=False, required=False, help="", example="")
    rows = []
    for number in rows_of(field, path, drawing.filled.values):
        at = f"{path}.{number}"
        if field.inner:
            inside = [_field(inner, f"{at}.{inner.name}", drawing) for inner in field.inner]
            legend = element("legend", f"Row {number + 1}")
            rows.append(element("fieldset", legend, element("div", *inside, class_="row-fields")))
        elif at in drawing.filled.given and (fixed := _fixed(one, at, drawing.filled.values.get(at, ""), drawing)):
            rows.append(fixed)
        else:
            control = _control(one, at, drawing.filled.values.get(at, ""), drawing)
            label = element("label", f"{plain(field.label)}, {number + 1}", class_="unseen", for_=field_id(at))
            rows.append(element("div", label, control, class_="field"))
    add = element("button", "Add a row", name="+", value=path, class_="second")
    hint = element("span", "Rows left empty are not written.", class_="help")
    return element("div", _group(field, path, [*rows, add, hint], drawing), class_="rows")


def _audience(audiences: Sequence[Option], chosen: str) -> Markup:
    options = [_option(each, chosen) for each in audiences]
    select = element("select", *options, id="f-audience", name="audience", aria_describedby="f-audience-help")
    said = element("span", "It can be narrowed here and never widened later.", class_="help", id="f-audience-help")
    return element("div", element("label", "Who may read it", for_="f-audience"), said, select, class_="field")
