"""The main job as members meet it, in a real browser: each way of using a page goes through the same story.

Protocols are published on one node, read and adopted on another; a campaign is called, joined, and arms before the eyes of
whoever watches; a transaction that does not balance is refused with what was typed kept, and one that does is written; its
receipt is verified offline by the command line.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from node.demo_fill import PASSWORD
from tests.web.conftest import DESK, PHONE, Opens, Visitor
from tests.web.hands import Hand, Keyboard, Pointer, field
from tests.web.isles import Isle, command, until

pytestmark = pytest.mark.browser

WAYS: dict[str, tuple[tuple[int, int], type[Pointer] | type[Keyboard], bool]] = {
    "phone by keyboard": (PHONE, Keyboard, True),
    "desk by pointer": (DESK, Pointer, True),
    "phone without script": (PHONE, Pointer, False),
}


class Way:
    """One way of using the pages of the nodes."""

    def __init__(self, name: str, isles: dict[str, Isle], opens: Opens) -> None:
        self.name, self.isles, self.opens = name, isles, opens
        self.size, self.hands, self.script = WAYS[name]

    def at(self, isle: str, *, login: bool = True) -> tuple[Visitor, Hand]:
        """A window at a node, of its first member or of nobody."""
        there = self.isles[isle]
        visitor: Visitor = self.opens(there, there.member if login else "", self.size, script=self.script)
        return visitor, self.hands(visitor.page)


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest, linked: dict[str, Isle], opens: Opens) -> Way:
    return Way(request.param, linked, opens)


def instant(days: float) -> str:
    """A moment from now, as a form takes it; the collectives of the demo keep UTC."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def test_a_member_logs_in_and_out_again(way: Way) -> None:
    visitor, hand = way.at("harbour", login=False)
    page = visitor.go("/")
    hand.press("Log in")
    page.wait_for_url("**/login*")
    hand.write("login", "Ada")
    hand.write("password", "not her password")
    hand.press("Log in")
    expect(page.get_by_role("alert")).to_contain_text("do not go together")
    assert field(page, "login").input_value() == "Ada"
    hand.write("password", PASSWORD)
    hand.press("Log in")
    page.wait_for_url("**/")
    expect(page.get_by_role("heading", name="Needs you")).to_be_visible()
    hand.press("Me: Ada")
    page.wait_for_url("**/me")
    hand.press("Log out")
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()


def test_a_protocol_of_one_node_is_compared_and_adopted_on_another(way: Way) -> None:
    name = f"Open ledger, {way.name}"
    visitor, hand = way.at("harbour")
    page = visitor.go("/practice/library")
    hand.press("Open ledger")
    hand.press("Fork and adapt Open ledger")
    page.wait_for_url("**/record/new/protocol.published/1*")
    hand.write("name", name)
    text = field(page, "text").input_value()
    hand.write("text", f"{text}\nWe read the ledger aloud at every full moon.")
    hand.press("Publish a protocol")
    if page.get_by_text("Look once more").count():
        hand.press("Publish a protocol")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)

    visitor, hand = way.at("lantern")
    page = visitor.page
    arrived(visitor, "/practice/library", name)
    hand.press(name)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    added = page.locator(".difference ins", has_text="full moon").first
    expect(added).to_be_visible()
    hand.press(f"Adopt {name} as it is")
    hand.write("reasons", "They did well with it, and reading aloud costs nothing.")
    hand.press("Adopt a protocol")
    expect(page.get_by_text("binds all members")).to_be_visible()
    hand.press("Adopt a protocol")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    visitor.go("/practice/library")
    row = page.get_by_role("table", name="Adopted here").get_by_role("row", name=re.compile(re.escape(name)))
    expect(row).to_contain_text("in force")


def arrived(visitor: Visitor, path: str, words: str) -> None:
    """Load a page until what another node wrote has come."""
    until(lambda: visitor.go(path).get_by_text(words).count(), f"“{words}” is at {visitor.isle.name}{path}", 20)


def test_a_campaign_called_on_one_node_is_joined_on_another_and_arms_while_somebody_watches(way: Way) -> None:
    name = f"Warm floor, {way.name}"
    caller, hand = way.at("harbour")
    caller.go("/campaigns")
    hand.press("Call a campaign")
    call(hand, name)
    hand.press("Call a campaign")
    expect(caller.page.get_by_text("Look once more")).to_be_visible()
    hand.press("Call a campaign")
    expect(caller.page.get_by_role("heading", level=1)).to_have_text(name)
    watched = caller.go("/campaigns")
    assert "It is not armed yet" in told_of(watched, name)
    watched.evaluate("window.sameDocument = true")

    joiner, hand = way.at("lantern")
    arrived(joiner, "/campaigns", name)
    hand.press("Join as it stands")
    expect(joiner.page).to_have_url(re.compile("campaign.joined"))
    hand.press("Join a campaign")
    hand.press("Join a campaign")
    expect(joiner.page.get_by_text("stands", exact=True)).to_be_visible()

    if way.script:
        until(lambda: "It is armed" in told_of(watched, name), "the page of the caller says so by itself")
        assert watched.evaluate("window.sameDocument"), "the page was loaded anew"
    else:
        until(lambda: "It is armed" in told_of(caller.go("/campaigns"), name), "the caller's page says so when it is opened")


def call(hand: Hand, name: str) -> None:
    """Fill in a call to The Lantern."""
    hand.write("name", name)
    hand.write("why", "If the floor is warm, people stay after the meeting. We are wrong if nobody does in a month.")
    hand.choose("invited.0", "The Lantern")
    hand.write("quorum", "2")
    hand.write("answers_until_ms", instant(2))
    for day, moment in ((4, "opens"), (6, "crests"), (8, "disperses"), (12, "consolidates"), (16, "rests")):
        hand.write(f"terms.{moment}_ms", instant(day))
    hand.write("terms.builds", "A floor of old carpets that any of us can borrow")


def told_of(page: Page, name: str) -> str:
    """What a page of campaigns says under the heading with this name."""
    found: str = page.get_by_role("heading", name=name, exact=True).first.evaluate(
        """(heading) => {
            let said = "";
            for (let next = heading.nextElementSibling; next && next.tagName !== heading.tagName; next = next.nextElementSibling)
                said += next.innerText + "\\n";
            return said;
        }"""
    )
    return found


def test_a_transaction_is_booked_once_it_balances_and_its_receipt_holds_offline(way: Way, tmp_path: Path) -> None:
    memo = f"Flour and oil, {way.name}"
    visitor, hand = way.at("harbour")
    page = visitor.go("/practice/ledger")
    hand.press("Book a transaction")
    hand.write("date", datetime.now(UTC).strftime("%Y-%m-%d"))
    hand.write("memo", memo)
    hand.write("postings.0.account", "expenses:food:pantry")
    hand.write("postings.0.amount", "12.50")
    hand.write("postings.0.currency", "EUR")
    hand.write("postings.1.account", "assets:bank")
    hand.write("postings.1.amount", "-12.05")
    hand.write("postings.1.currency", "EUR")
    before = visitor.isle.asked("status")["size"]
    hand.press("Book a transaction")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("in EUR do not sum to zero: 0.45 too much")
    assert "Postings" in alert.inner_text()
    for name, typed in (("memo", memo), ("postings.0.amount", "12.50"), ("postings.1.amount", "-12.05")):
        assert field(page, name).input_value() == typed
    assert visitor.isle.asked("status")["size"] == before
    hand.write("postings.1.amount", "-12.50")
    hand.press("Book a transaction")
    expect(page.get_by_role("heading", level=1)).to_have_text(memo)
    assert visitor.isle.asked("status")["size"] == before + 1

    hand.press("proof")
    with page.expect_download() as loading:
        hand.press("Download the receipt")
    receipt = tmp_path / "receipt.txt"
    loading.value.save_as(receipt)
    verified = command(tmp_path, "verify", str(receipt))
    assert verified.returncode == 0, verified.stderr
    receipt.write_text(receipt.read_text().replace("A", "B", 1))
    assert command(tmp_path, "verify", str(receipt)).returncode != 0
