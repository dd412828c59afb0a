"""Small forms that are no kind's: log in, join, invite, tokens. One question under another, like all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from msgspec import Struct

from node.forms_html import hidden
from node.markup import element


class Question(Struct, frozen=True):
    """One question."""

    name: str
    label: str
    help: str = ""
    type: str = "text"
    autocomplete: str = "off"
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True


def ask(
    path: str,
    questions: Sequence[Question],
    button: str,
    *,
    values: Mapping[str, str] | None = None,
    kept: Mapping[str, str] | None = None,
    error: str = "",
    before: str = "",
    second: bool = False,
) -> Markup:
    """A form with its questions; `kept` travels along unseen, `before` is said before the button."""
    filled = values or {}
    wrong = _wrong(questions, error)
    shown = [_question(each, filled.get(each.name, ""), error if each.name == wrong else "") for each in questions]
    return element(
        "form",
        *_summary(error, wrong),
        *[hidden(name, value) for name, value in (kept or {}).items()],
        *shown,
        *([element("p", before, class_="consequence")] if before else []),
        element("div", element("button", button, class_="second" if second else None), class_="buttons"),
        method="post",
        action=path,
        novalidate=True,
    )


def _wrong(questions: Sequence[Question], error: str) -> str:
    label = error.partition(":")[0]
    return next((each.name for each in questions if error and each.label == label), "")


def _summary(error: str, wrong: str) -> list[Markup]:
    if not error:
        return []
    said: Markup | str = element("a", error, href=f"#q-{wrong}") if wrong else error
    title = element("h2", "That did not work", id="summary-title")
    listed = element("ul", element("li", said))
    return [
        element(
            "div", title, listed, class_="summary", role="alert", tabindex="-1", autofocus=True, aria_labelledby="summary-title"
        )
    ]


def _question(question: Question, value: str, error: str) -> Markup:
    at = f"q-{question.name}"
    described = " ".join([*([f"{at}-help"] if question.help else []), *([f"{at}-error"] if error else [])]) or None
    said = [element("span", question.help, class_="help", id=f"{at}-help")] if question.help else []
    if error:
        told = error.partition(":")[2].strip() or error
        said.append(element("strong", told[:1].upper() + told[1:], class_="error", id=f"{at}-error"))
    if question.options:
        options = [element("option", told, value=each, selected=each == value) for each, told in question.options]
        control = element("select", *options, id=at, name=question.name, aria_describedby=described)
    else:
        control = element(
            "input",
            id=at,
            name=question.name,
            type=question.type,
            value=None if question.type == "password" else value,
            autocomplete=question.autocomplete,
            required=question.required,
            aria_describedby=described,
            aria_invalid="true" if error else None,
            autocapitalize="off" if question.autocomplete == "username" else None,
        )
    optional = [] if question.required else [" ", element("span", "(may be left empty)", class_="optional")]
    label = element("label", question.label, *optional, for_=at)
    return element("div", label, *said, control, class_="field wrong" if error else "field")
