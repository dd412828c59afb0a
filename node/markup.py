"""Elements of HTML and SVG, built so that text can never become markup by accident.

`element` escapes every child and value that is not `Markup` already; nothing else in the node puts tags together.
Names of attributes are written as Python words: ``class_``, ``for_``, ``data_label`` (becomes ``data-label``). A value of
None or False leaves the attribute out, True gives it without a value.

Example::

    >>> element("p", "2 < 3 ", element("b", "really"), class_="sum")
    Markup('<p class="sum">2 &lt; 3 <b>really</b></p>')
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Value = str | int | float | bool | None
_VOID = frozenset(("br", "hr", "img", "input", "link", "meta"))


def element(tag: str, *children: str | Markup, **attributes: Value) -> Markup:
    """One element with its children."""
    opening = f"<{tag}{_attributes(attributes)}>" if attributes else f"<{tag}>"
    if tag in _VOID:
        return Markup(opening)  # noqa: S704  # every value was escaped
    return Markup(f"{opening}{''.join([escape(child) for child in children])}</{tag}>")  # noqa: S704  # every child was escaped


def together(parts: Iterable[str | Markup], between: str = "") -> Markup:
    """Parts one after another; text among them is escaped."""
    return Markup(between.join([escape(part) for part in parts]))  # noqa: S704  # every part was escaped


def is_own_path(path: str) -> bool:
    """Whether a path leads to a page of this node, and not, however it is spelled, to another host."""
    return path.startswith("/") and not path.startswith(("//", "/\\"))


def _attributes(attributes: dict[str, Value]) -> str:
    parts = []
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        spelled = name.rstrip("_").replace("_", "-")
        if value is True:
            parts.append(f" {spelled}")
        elif isinstance(value, float):
            parts.append(f' {spelled}="{value:.2f}"')
        else:
            parts.append(f' {spelled}="{escape(value)}"')
    return "".join(parts)
