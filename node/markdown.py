"""Members' Markdown to HTML: hostile until it has passed two walls.

markdown-it-py (CommonMark, raw HTML off, no pictures) makes the tags; nh3 then lets only the few in `TAGS` through, with
links to https, http, mail and pages of this node alone. Headings begin at the third level, under those of the page.

Source: CommonMark 0.31; the walls are traps 14 of the project's security notes.
"""

from __future__ import annotations

import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from node.words import plain

TAGS = frozenset(("p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "code", "pre", "h3", "h4", "hr"))
_SCHEMES = {"https", "http", "mailto"}
_MAX_NESTING = 20

_OWN_PATH = re.compile(r"/(?:[A-Za-z0-9][^\\\s]*)?")

_PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": _MAX_NESTING})
_PARSER.disable(["image", "html_block", "html_inline"])


@lru_cache(maxsize=512)
def html(markdown: str) -> Markup:
    """Safe HTML of a member's text."""
    tokens = _PARSER.parse(plain(markdown))
    for token in tokens:
        _lower_heading(token)
    made = _PARSER.renderer.render(tokens, _PARSER.options, {})
    clean = nh3.clean(
        made,
        tags=set(TAGS),
        attributes={"a": {"href"}, "ol": {"start"}},
        attribute_filter=_keep,
        url_schemes=_SCHEMES,
        url_relative=_own_path,
        link_rel="nofollow noopener noreferrer",
    )
    return Markup(clean)  # noqa: S704  # cleaned by nh3 just above


@lru_cache(maxsize=512)
def text(markdown: str) -> str:
    """The words of a member's text in one line, without its marks, for a cell of a table."""
    said: list[str] = []
    for token in _PARSER.parse(plain(markdown)):
        if token.children:
            said.append("".join(each.content or " " * (each.type in ("softbreak", "hardbreak")) for each in token.children))
        elif token.type in ("fence", "code_block"):
            said.append(token.content)
    return " ".join(" ".join(said).split())


def _keep(tag: str, name: str, value: str) -> str | None:
    return value if (tag, name) in {("a", "href"), ("a", "rel"), ("ol", "start")} else None


def _own_path(url: str) -> str | None:
    return url if _OWN_PATH.fullmatch(url) else None


def _lower_heading(token: Token) -> None:
    if token.type in ("heading_open", "heading_close"):
        token.tag = "h3" if token.tag in ("h1", "h2") else "h4"
