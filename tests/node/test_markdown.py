"""Members' text becomes few and harmless tags, whatever they wrote."""

from __future__ import annotations

import re

import pytest

from node.markdown import TAGS, html

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://tracker.example/p.png)",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](//evil.example)",
    "[x](/\\evil.example)",
    "[x](https://ok.example 'onclick=alert(1)')",
    "<a href='vbscript:x' style='position:fixed'>y</a>",
    "<svg onload=alert(1)><style>*{display:none}</style>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "`<b>` ```\n<i>\n```",
    "<iframe src=//evil.example></iframe>\n\n<form action=/record/new><button>go</button></form>",
    "[a]: javascript:alert(1)\n\n[a]",
    ">" * 300 + " deep",
    "*" * 5000,
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_only_the_few_tags_and_two_attributes_ever_come_out(attack: str) -> None:
    made = str(html(attack))
    for tag, attributes in re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)([^>]*)>", made):
        assert tag in TAGS
        assert set(re.findall(r"([a-zA-Z-]+)=", attributes)) <= {"href", "rel", "start"}
    for target in re.findall(r'href="([^"]*)"', made):
        assert re.match(r"https?://|mailto:|/(?![/\\])|$", target), target


def test_there_are_at_most_fourteen_tags() -> None:
    assert len(TAGS) <= 14


def test_headings_begin_under_those_of_the_page() -> None:
    assert html("# One\n\n## Two\n\n### Three") == "<h3>One</h3>\n<h3>Two</h3>\n<h4>Three</h4>\n"


def test_links_out_say_nothing_about_where_they_come_from() -> None:
    assert 'rel="nofollow noopener noreferrer"' in html("[list](https://isle.example)")


def test_a_line_break_that_a_member_typed_stays_one() -> None:
    assert "<br>" in html("one\ntwo")
