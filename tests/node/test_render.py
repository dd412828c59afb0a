"""The same blocks, told three ways: as a page, in a terminal, as JSON."""

from __future__ import annotations

import io
import json
import re
import typing
from html.parser import HTMLParser

import pytest
from markupsafe import escape
from rich.console import Console

from node import render_html, render_json, render_svg, render_svg_time, render_text
from node.twin import twin
from protocol import page
from protocol.encoding import encode
from protocol.page import (
    Bar,
    Bars,
    Block,
    Chart,
    Edge,
    Flow,
    Graph,
    Grid,
    Heading,
    Money,
    Node,
    Ref,
    Series,
    Span,
    Stream,
    Timeline,
    Tree,
)
from protocol.practices import decisions
from tests.node.sample_blocks import DAY_MS, HOSTILE, NOW_MS, TELLING, every_block
from tests.protocol import deciders

PICTURES = (page.Timeline, page.Chart, page.Bars, page.Flow, page.Tree, page.Graph, page.Wheel)
BLOCKS = every_block()
PAGE = str(render_html.page(BLOCKS, TELLING))


class Outline(HTMLParser):
    """Open and closed tags, to see that they pair."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in ("br", "hr", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_sample_holds_every_block_there_is() -> None:
    assert {type(block) for block in BLOCKS} == set(typing.get_args(Block))


def test_a_planned_act_is_told_as_its_form_has_it_in_each_of_the_three() -> None:
    words = render_text.text(BLOCKS, TELLING)
    (told, other) = [each for each in render_json.value(BLOCKS, TELLING) if each["type"] == "Planned"]
    for where in (PAGE, words, str(told)):
        assert "What may then be done, once: Set a budget" in where
        assert "250.00" in where
        assert "25000" not in where and "25,000" not in where
        assert "Amount" in where
    assert "cannot be read here" in str(other)


def test_a_planned_role_and_a_planned_wire_are_told_in_words() -> None:
    role = {"role": "cook", "cycles": 1, "permissions": [{"kind": "ledger.transaction-booked/1"}]}
    wire = {"figure": "workload.top-share", "compare": "above", "number": 405, "cycles": 2}
    met = {"decision": b"d" * 32, "verdict": "met"}
    for kind, structure, said in (
        ("role.defined/1", role, ("Book a transaction", "without a limit")),
        ("tripwire.set/1", wire, ("Share of the busiest", "40.5 %")),
        ("decision.judged/1", met, ("met",)),
    ):
        told = render_text.text([page.Planned("Then", kind, encode(structure))], TELLING)
        assert all(each in told for each in said), told
        assert "/1" not in told and "workload." not in told and "2000" not in told


def test_tags_pair_and_no_id_is_there_twice() -> None:
    outline = Outline()
    outline.feed(PAGE)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids)) > 5


def test_what_others_wrote_never_becomes_markup() -> None:
    assert "<script" not in PAGE
    assert "alert(1)" in PAGE
    assert not re.search(r"\son\w+=|javascript:", PAGE)


def test_the_strict_policy_finds_no_style_or_script_in_a_page() -> None:
    assert not re.search(r"<style|\sstyle=", PAGE)


def test_every_picture_has_a_name_a_description_and_its_table() -> None:
    for block in BLOCKS:
        if isinstance(block, PICTURES):
            told = str(render_html.render([block], TELLING))
            opening, title = re.search(r"<svg ([^>]*)>(<title>[^<]+</title>)", told).groups()  # type: ignore[union-attr]  # a picture is there
            assert ('role="group"' if "<a " in told else 'role="img"') in opening
            assert f'aria-label="{escape(block.caption)}"' in opening
            assert title == f"<title>{escape(block.caption)}</title>"
            assert "<summary>as a table</summary><table" in told
            for row in twin(block).rows:
                assert str(render_html.cell(row[0], TELLING)) in told


def test_pictures_without_anything_to_draw_say_so() -> None:
    empty: list[Block] = [
        Timeline("T", [], NOW_MS),
        Chart("C", [], "EUR"),
        Bars("B", []),
        Flow("F", []),
        Tree("D", [], []),
        Graph("G", [], []),
    ]
    for block in empty:
        told = str(render_html.render([block], TELLING))
        assert "<svg" not in told
        assert 'class="empty"' in told
        assert render_text.text([block], TELLING).strip()


def test_instants_are_words_with_the_exact_moment_behind() -> None:
    told = str(render_html.moment(NOW_MS + 5 * DAY_MS, TELLING))
    assert told == (
        '<time datetime="2026-03-08T12:13:20Z" title="Sunday 8 March 2026, 12:13 UTC">in 5 days, Sunday 12:13</time>'
    )


def test_links_lead_only_into_this_node() -> None:
    for path in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""):
        assert "<a" not in str(render_html.cell(page.Link("there", path), TELLING))
        assert "<a" not in str(render_html.render([Tree("t", [Node("a", "A", "", path)], [])], TELLING))


def test_a_narrow_page_can_name_each_fact_of_a_row() -> None:
    told = str(render_html.render([Grid("Balances", ("Account", "Balance"), [["till", Money(5, "EUR")]])], TELLING))
    assert 'data-label="Balance"' in told
    assert '<th scope="row" role="rowheader">till</th>' in told
    assert 'class="num"' in told


def test_a_button_carries_what_is_filled_in() -> None:
    told = str(render_html.action(page.Action("ledger.transaction-booked/1", {"memo": "a&b=c"}, "Book")))
    assert 'href="/record/new/ledger.transaction-booked/1?memo=a%26b%3Dc"' in told


def test_a_budget_that_is_overspent_says_over() -> None:
    told = str(render_svg.bars(Bars("B", [Bar("Travel", 130, 90)], "EUR"), TELLING))
    assert "1.30 of 0.90 EUR, over" in told


def test_a_share_of_a_whole_is_told_in_per_cent_alone() -> None:
    shares = Bars("B", [Bar("of words", 428, 1000)], "‰")
    assert ">42.8 %</text>" in str(render_svg.bars(shares, TELLING))
    assert [list(row) for row in twin(shares).rows] == [["of words", "42.8 %"]]
    assert "1,000" not in render_text.text([shares], TELLING)


def test_the_table_of_bars_is_headed_by_what_they_show() -> None:
    budget = twin(Bars("B", [Bar("Travel", 130, 90)], "EUR"))
    assert list(budget.columns) == ["What", "Used", "Of", "Left"]
    assert len(budget.rows[0]) == 4
    answers = Bars("A", [Bar("Agree", 6, 7), Bar("Block", 0, 7)], columns=("Answer", "Votes", "Of"))
    assert list(twin(answers).columns) == ["Answer", "Votes", "Of"]
    assert [list(row) for row in twin(answers).rows] == [["Agree", "6", "7"], ["Block", "0", "7"]]
    told = str(render_html.render([answers], TELLING))
    assert 'data-label="Votes"' in told
    assert "Left" not in told


def test_what_a_round_came_to_is_headed_as_answers_and_not_as_a_budget() -> None:
    house = deciders.House()
    round_ = house.call(house.propose(), "consent")
    house.answer(round_, "agree", "agree", "concern")
    house.later(days=40)
    outcome = house.close(round_)
    blocks = decisions.PRACTICE.record(house.view, outcome.id, house.now_ms)
    (bars,) = [block for block in blocks if isinstance(block, Bars)]
    assert list(twin(bars).columns) == ["Answer", "Votes", "Of"]
    assert {(row[1], row[2]) for row in twin(bars).rows} >= {("2", "3"), ("1", "3")}


def test_values_of_one_label_stand_together_under_it() -> None:
    facts = page.Facts([("Concerns", "Yara"), ("Concerns", "Hana"), ("Since", "May")])
    told = str(render_html.facts(facts, TELLING))
    assert "<dt>Concerns</dt><dd>Yara, Hana</dd>" in told
    assert re.search(r"Concerns +Yara, Hana\n", render_text.text([facts], TELLING))


def test_a_folded_table_shows_its_caption_and_how_much_is_in_it() -> None:
    grid = Grid("Money", ("Figure", "Now"), [["Reserve", "5"], ["Spent", "3"]], folded=True)
    told = str(render_html.render([grid], TELLING))
    assert "<summary>Money (2)</summary>" in told
    assert "<caption>" not in told
    assert "Reserve" in render_text.text([grid], TELLING)


def test_a_long_state_may_break_over_lines() -> None:
    assert 'class="state warn long"' in str(render_html.state(page.State("waits for your decision", "warn")))
    assert 'class="state warn"' in str(render_html.state(page.State("vacant", "warn")))


def test_terms_one_after_another_share_a_row_and_each_name_is_said_where_a_phone_has_room() -> None:
    names = ["Amina", "Amina", "Birk", "Marta", "Noa", "Pavel", "Zeyn", "Luka", "Birk"]
    spans = [Span(name, NOW_MS + n * 30 * DAY_MS, NOW_MS + (n + 1) * 30 * DAY_MS, "", "cook") for n, name in enumerate(names)]
    told = str(render_svg_time.timeline(Timeline("t", spans, NOW_MS), TELLING))
    bars = set(re.findall(r'<rect [^>]*?y="(\d+)"', told))
    assert len(bars) == 1
    named = re.findall(r'<text [^>]*class="([^"]*)">(\w+)<', told)
    on_phone = [name for kind, name in named if kind.startswith(("note", "within")) and "roomy" not in kind]
    assert sorted(on_phone) == sorted(names[1:]), "two terms of Amina's after each other are named once"


def test_spans_at_once_and_names_without_room_have_rows_of_their_own() -> None:
    spans = [Span("Kitchen", NOW_MS, NOW_MS + 9 * DAY_MS, "", "g"), Span("Door", NOW_MS + DAY_MS, NOW_MS + 5 * DAY_MS, "", "g")]
    told = str(render_svg_time.timeline(Timeline("t", spans, NOW_MS), TELLING))
    assert len(set(re.findall(r'<rect [^>]*?y="(\d+)"', told))) == 2


def test_a_bar_that_is_called_as_its_row_is_not_named_again() -> None:
    spans = [Span("Soup", NOW_MS, NOW_MS + DAY_MS, "", "Soup"), Span("ends", NOW_MS + DAY_MS, NOW_MS + 9 * DAY_MS, "", "Soup")]
    assert str(render_svg_time.timeline(Timeline("t", spans, NOW_MS), TELLING)).count(">Soup</text>") == 1


def test_the_line_of_now_goes_through_no_name() -> None:
    spans = [Span("Bar and door", NOW_MS + 4 * DAY_MS, NOW_MS + 5 * DAY_MS, "", "kitchen and bar")]
    told = str(render_svg_time.timeline(Timeline("t", spans, NOW_MS), TELLING))
    lines = [tuple(map(int, found)) for found in re.findall(r'<line [^>]*?y1="(\d+)" y2="(\d+)" class="now[ a-z]*"', told)]
    foot = int(re.search(r'y="(\d+)" class="row haloed', told)[1])  # type: ignore[index]  # the row's name is there
    assert lines
    assert not any(top < foot - 5 < bottom for top, bottom in lines)


def test_loops_and_strangers_in_flows_and_trees_are_drawn_once() -> None:
    nodes = [Node("a", "A"), Node("b", "B"), Node("c", "C")]
    edges = [Edge("a", "b"), Edge("b", "a"), Edge("b", "c"), Edge("c", "c"), Edge("x", "a"), Edge("a", "y")]
    told = str(render_html.render([Tree("t", nodes, edges), Graph("g", nodes, edges)], TELLING))
    assert told.count('class="point calm"') == 6
    flow = str(render_html.render([Flow("f", [Stream("a", "b", 5), Stream("b", "a", 3), Stream("a", "a", 2)], "EUR")], TELLING))
    assert flow.count('class="ribbon"') == 3


def test_what_is_called_as_its_row_is_named_once_even_if_it_stands_alone_there() -> None:
    spans = [Span("Soup", NOW_MS, NOW_MS + 9 * DAY_MS, "until it is looked at again", "Soup", "good")]
    told = str(render_svg_time.timeline(Timeline("t", spans, NOW_MS), TELLING))
    assert told.count(">Soup</text>") == 1
    assert ">until it is looked at again" not in told


def test_a_timeline_outside_the_table_of_moons_still_draws() -> None:
    far = 2**51 + 5
    told = str(render_svg_time.timeline(Timeline("t", [Span("for ever", NOW_MS, far)], NOW_MS), TELLING))
    assert "for ever" in told


@pytest.mark.parametrize("values", [[0], [5, 5], [-3, 10**12], [0, 1], [-1], [7, -7, 3]])
def test_a_chart_of_any_values_draws_within_its_frame(values: list[int]) -> None:
    points = [(NOW_MS + n * DAY_MS, value) for n, value in enumerate(values)]
    told = str(render_svg.chart(Chart("c", [Series("s", points)], ""), TELLING))
    for x, y in re.findall(r"(-?\d+\.\d),(-?\d+\.\d)", told):
        assert 0 <= float(x) <= 1000
        assert 0 <= float(y) <= 190


def test_a_terminal_gets_no_colour_when_piped_and_no_steering_from_others() -> None:
    held = io.StringIO()
    render_text.write(BLOCKS, TELLING, Console(file=held, width=100))
    assert "\x1b" not in held.getvalue()
    assert "\u202e" not in held.getvalue()
    assert "alert(1)" in held.getvalue()
    assert "[-Monday.-] {+Tuesday," in re.sub(r"\s+", " ", held.getvalue())


def test_rich_markup_in_others_words_is_not_read() -> None:
    told = render_text.text([Heading("[bold red]x[/]"), Grid("c", ("[link=http://x]a[/link]",), [["[blink]b"]])], TELLING)
    assert "[bold red]x[/]" in told
    assert "[blink]b" in told


def test_json_has_every_block_with_ids_as_hexadecimal_and_amounts_as_decimals() -> None:
    told = json.loads(render_json.json(BLOCKS, TELLING))
    assert [block["type"] for block in told] == [type(block).__name__ for block in BLOCKS]
    pairs = dict(told[2]["pairs"])
    assert pairs["In the till"] == {"type": "Money", "amount": "1250.50", "currency": "EUR"}
    assert len(pairs["Treasurer"]["id"]) == 64
    assert pairs["Term ends"]["iso"] == "2026-03-18T12:13:20Z"
    assert HOSTILE not in render_json.json(BLOCKS, TELLING).decode()


def test_a_name_is_kept_apart_from_the_direction_of_its_sentence() -> None:
    assert "<bdi>member 0000</bdi>" in str(render_html.cell(Ref(bytes(32), "member"), TELLING))


def test_a_link_to_a_form_never_grows_too_long_for_a_server() -> None:
    told = str(render_html.action(page.Action("protocol.published/1", {"name": "Ours", "text": "é " * 3000}, "Fork")))
    assert len(told) < 5000
    assert "name=Ours" in told
    assert "text=" not in told
