"""A kind's form asks one question under another, keeps what was typed, and says what is wrong where it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC
from html.parser import HTMLParser
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import pytest
from msgspec import Meta, Struct

from node.body_blocks import blocks
from node.form_choices import explained
from node.form_values import add_row, to_local, to_utc
from node.forms_html import Filled, Option, confirmation, form
from node.render_html import render
from protocol.body import Field, fields, from_flat, from_json, to_flat
from protocol.practice import Digest, Kind, Refused, SpaceId, field
from protocol.practices import KINDS
from tests.node.sample_blocks import HOSTILE, TELLING, identifier


class Line(Struct, frozen=True):
    account: Annotated[str, field("Account", "Where it stands.", widget="account", example="assets:cash", min_length=3)]
    amount: Annotated[int, field("Amount", widget="money", example="-12.50")]
    currency: Annotated[str, field("Currency", pattern="^[A-Z]{3}$")]


class Sample(Struct, frozen=True, forbid_unknown_fields=True):
    title: Annotated[str, field("Title", "What it is called.", example="Rent", max_length=80)]
    lines: Annotated[list[Line], field("Lines", "They add up to nothing.", min_length=2)]
    invited: Annotated[list[SpaceId], field("Invited", "Whom you ask.", widget="spaces")]
    about: Annotated[Digest, field("About", widget="record")]
    begins_ms: Annotated[int, field("Begins", widget="instant")]
    mood: Annotated[Literal["calm", "busy"], field("Mood")] = "calm"
    open: Annotated[bool, field("Open to all", "Anybody may come.")] = False
    tags: Annotated[list[str], field("Tags")] = []
    why: Annotated[str, field("Why", widget="text", erasable=True)] = ""
    hash: Annotated[bytes, field("Hash", widget="hash"), Meta(max_length=32)] = b""


KIND = Kind("sample.made/1", "Make a sample", Sample, lambda own, act: (), consequence="It stands for good.")
SPACE = identifier("rye")


class SampleOffers:
    """What the tests' forms offer."""

    def options(self, field: Field) -> Sequence[Option]:
        return {"spaces": [(SPACE.hex(), "Isle of Rye")], "account": [("assets:cash", "assets:cash")]}.get(field.widget, [])

    def told(self, field: Field, value: str) -> str:
        return "The lunar roles" if value == identifier("roles").hex() else ""

    def hint(self, field: Field) -> str:
        return ""


class Form(HTMLParser):
    """What a browser would send, and what is labelled and described."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.ids: set[str] = set()
        self.labelled: set[str] = set()
        self.described: set[str] = set()
        self.controls: list[dict[str, str]] = []
        self.text: str | None = None
        self.select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        self.ids |= {held["id"]} if "id" in held else set()
        self.labelled |= {held["for"]} if tag == "label" else set()
        self.described |= set(held.get("aria-describedby", "").split())
        if tag in ("input", "select", "textarea") and held.get("type") != "hidden":
            self.controls.append(held)
        if tag == "input" and (held.get("type") not in ("checkbox", "radio") or "checked" in held):
            self.sent[held["name"]] = held.get("value", "")
        if tag == "textarea":
            self.text = held["name"]
        if tag == "select":
            self.select = held["name"]
            self.sent[self.select] = ""
        if tag == "option" and "selected" in held:
            self.sent[self.select] = held["value"]

    def handle_data(self, data: str) -> None:
        if self.text:
            self.sent[self.text] = data.removeprefix("\n")
            self.text = None


def drawn(filled: Filled, kind: Kind = KIND) -> str:  # type: ignore[type-arg]  # kinds of many bodies
    return str(form(kind, filled, SampleOffers(), UTC, token="t0ken"))


SHOWN = "".join(each for each in HOSTILE if each == "\n" or each.isprintable())  # what a member can write
VALUES = {
    "title": 'Rent & "light"',
    "lines.0.account": "assets:cash",
    "lines.0.amount": "-12.50",
    "lines.0.currency": "EUR",
    "lines.1.account": "expenses:rent",
    "lines.1.amount": "12.50",
    "lines.1.currency": "EUR",
    "lines.2.account": "",
    "invited.0": SPACE.hex(),
    "about": identifier("roles").hex(),
    "begins_ms": "2026-03-14T18:00",
    "mood": "busy",
    "open": "yes",
    "tags.0": "mill",
    "why": SHOWN,
}


def test_what_was_typed_comes_back_as_it_was() -> None:
    sent = Form(drawn(Filled(VALUES))).sent
    for name, value in VALUES.items():
        assert sent[name] == value
    assert sent["csrf"] == "t0ken"


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_field_of_every_kind_has_a_label_and_its_help_is_tied_to_it(name: str) -> None:
    held = Form(drawn(Filled(), KINDS[name]))
    for control in held.controls:
        assert control.get("id") in held.labelled, control
    assert held.described <= held.ids


def test_choices_that_the_help_explains_are_told_beside_themselves() -> None:
    told = drawn(Filled(), KINDS["link.offered/1"])
    assert "mirror: hold the whole log</label>" in told
    assert 'value="mirror"' in told
    assert "Each for the other.</span>" in told
    assert explained(("met", "not-met"), "met: it stands.") == ([("met", "met"), ("not-met", "not met")], "met: it stands.")


def test_a_body_that_fills_a_form_comes_back_the_same() -> None:
    body = from_flat(Sample, to_utc(Sample, VALUES, UTC))
    filled = to_local(Sample, to_flat(body), UTC)
    sent = {name: value for name, value in Form(drawn(Filled(filled))).sent.items() if name != "csrf"}
    assert from_flat(Sample, to_utc(Sample, sent, UTC)) == body


def test_an_error_is_said_at_the_top_and_at_its_field() -> None:
    values = {**VALUES, "lines.1.amount": "a lot"}
    with pytest.raises(Refused) as refused:
        from_flat(Sample, to_utc(Sample, values, UTC))
    told = drawn(Filled(values, str(refused.value)))
    assert 'role="alert"' in told
    target = re.search(r'class="summary".*?href="#([^"]+)"', told, re.DOTALL)
    assert target
    assert f'id="{target[1]}"' in told
    assert f'id="{target[1]}-error"' in told
    assert 'aria-invalid="true"' in told


def test_a_missing_answer_is_pointed_at_in_the_row_where_it_is_missing() -> None:
    told = drawn(Filled({**VALUES, "lines.1.account": "", "lines.1.amount": "1"}, "Account: this is missing. Where it stands."))
    assert 'href="#f-lines-1-account"' in told


def test_an_error_about_no_field_is_still_said() -> None:
    told = drawn(Filled(VALUES, "You have not been given “assembly”."))
    assert "You have not been given “assembly”." in told
    assert "aria-invalid" not in told


def test_a_list_shows_as_many_rows_as_it_takes_and_one_more_when_asked() -> None:
    assert "f-lines-1-account" in drawn(Filled())
    assert "f-lines-2-account" not in drawn(Filled())
    more = add_row(fields(Sample), {"lines.1.account": ""}, "lines")
    assert "f-lines-2-account" in drawn(Filled(more))
    again = add_row(fields(Sample), more, "lines")
    assert "f-lines-3-account" in drawn(Filled(again))
    assert add_row(fields(Sample), {}, "title") == {}
    assert add_row(fields(Sample), {}, "nothing.here") == {}


def test_enter_in_a_field_sends_the_form_and_does_not_add_a_row() -> None:
    buttons = re.findall(r"<button[^>]*>", drawn(Filled()))
    assert 'class="default"' in buttons[0]
    assert "name=" not in buttons[0]


def test_rows_without_end_are_not_drawn() -> None:
    assert drawn(Filled({"lines.999.account": "x"})).count("<fieldset") <= 520


def test_an_id_that_came_with_the_link_is_shown_by_name_and_travels_along() -> None:
    filled = Filled({"about": identifier("roles").hex(), "hash": "aa"}, given=frozenset({"about", "hash"}))
    told = drawn(filled)
    assert "The lunar roles" in told
    assert Form(told).sent["about"] == identifier("roles").hex()
    assert not any(control["name"] in ("about", "hash") for control in Form(told).controls)


def test_the_consequence_stands_before_the_button() -> None:
    told = drawn(Filled())
    assert told.index("It stands for good.") < told.rindex("<button")


def test_a_big_act_is_summed_up_and_can_be_changed() -> None:
    body = from_flat(Sample, to_utc(Sample, VALUES, UTC))
    told = str(confirmation(KIND, VALUES, render(blocks(body, TELLING), TELLING), "t0ken"))
    assert {**VALUES, "csrf": "t0ken"}.items() <= Form(told).sent.items()
    assert 'name="do" value="confirmed"' in told
    assert 'name="do" value="change"' in told
    assert "<script" not in told
    assert "12.50 EUR" in told


def test_instants_are_typed_in_the_time_zone_of_the_collective() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert to_utc(Sample, {"begins_ms": "2026-07-01T18:00"}, berlin) == {"begins_ms": "2026-07-01T16:00+00:00"}
    assert to_local(Sample, {"begins_ms": "2026-07-01 16:00"}, berlin) == {"begins_ms": "2026-07-01T18:00"}
    assert to_utc(Sample, {"begins_ms": "soon", "title": "2026-07-01"}, berlin) == {"begins_ms": "soon", "title": "2026-07-01"}


def test_what_a_body_says_leaves_out_what_is_empty() -> None:
    told = str(render(blocks(from_json(KINDS["member.named/1"].body, {"name": "Ada"}), TELLING), TELLING))
    assert "Ada" in told
    assert "Languages" not in told
