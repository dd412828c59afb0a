"""The form of every kind, without script: it can be sent, says what is missing, and keeps what was typed.

And what a form must not do: lose what somebody wrote because their session was over.
"""

from __future__ import annotations

import pytest
from msgspec import Struct
from playwright.sync_api import expect

from node.demo_fill import PASSWORD
from protocol.body import fields
from protocol.practices import KINDS
from tests.web.conftest import PHONE, Opens
from tests.web.hands import Pointer, field
from tests.web.isles import Isle
from tests.web.places import sideways

pytestmark = pytest.mark.browser

APART = {"space.founded/1", "space.keys-rotated/1", "member.invited/1", "member.joined/1"}  # written elsewhere
NEEDS_NOTHING = {"member.left/1", "lot.group-said/1"}  # a summary to confirm comes at once
ONE_LINE = {"agenda.added/1", "member.named/1", "dependency.found/1"}  # one line of words is all that they need


def test_the_form_of_every_kind_works_without_script(isles: dict[str, Isle], opens: Opens) -> None:
    visitor = opens(isles["field"], "Marta", PHONE, script=False)  # who goes by another name afterwards
    page = visitor.page
    written = set()
    for name, kind in KINDS.items():
        if name in APART:
            continue
        visitor.go(f"/record/new/{name}")
        assert sideways(page) == [], name
        body: type[Struct] = kind.body
        known = fields(body)
        words = next((each for each in known if each.widget == "text" or (each.type is str and each.erasable)), None)
        if words and not field(page, words.name).is_visible():
            page.locator("summary", has_text="more").first.click()
        if words:
            field(page, words.name).fill("What was typed is kept")
        page.locator("form .buttons button").first.click()
        if name in NEEDS_NOTHING:
            expect(page.get_by_text("Look once more")).to_be_visible()
            continue
        alert = page.get_by_role("alert")
        if alert.count():
            assert any(each.label in alert.inner_text() for each in known), f"{name}: {alert.inner_text()}"
            if words:
                assert field(page, words.name).input_value() == "What was typed is kept", name
        else:
            asked = page.get_by_text("Look once more").count()
            assert asked or page.get_by_text("stands", exact=True).count(), name
            written |= set() if asked else {name}
    assert written == ONE_LINE, "nothing is written that says nothing"


def test_rows_are_added_without_script_and_what_was_typed_stays(isles: dict[str, Isle], opens: Opens) -> None:
    visitor = opens(isles["harbour"], "Ada", PHONE, script=False)
    page, hand = visitor.go("/record/new/ledger.transaction-booked/1"), Pointer(visitor.page)
    hand.write("memo", "Three postings")
    hand.write("postings.1.amount", "-12.50")
    hand.press("Add a row")
    expect(field(page, "postings.2.amount")).to_be_visible()
    assert field(page, "memo").input_value() == "Three postings"
    assert field(page, "postings.1.amount").input_value() == "-12.50"


def test_what_was_typed_outlives_a_session(isles: dict[str, Isle], opens: Opens) -> None:
    visitor = opens(isles["harbour"], "Ada", PHONE)
    page, hand = visitor.go("/record/new/ledger.transaction-booked/1"), Pointer(visitor.page)
    hand.write("memo", "Written while the session ended")
    visitor.context.clear_cookies()
    before = visitor.isle.asked("status")["size"]
    hand.press("Book a transaction")
    expect(page.get_by_text("what you typed will be there again")).to_be_visible()
    hand.write("login", "Ada")
    hand.write("password", PASSWORD)
    hand.press("Log in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Book a transaction")
    assert field(page, "memo").input_value() == "Written while the session ended"
    assert visitor.isle.asked("status")["size"] == before


def test_somebody_joins_by_an_invitation_without_script(isles: dict[str, Isle], opens: Opens) -> None:
    inviter = opens(isles["empty"], "Bo", PHONE, script=False)
    page, hand = inviter.go("/invite"), Pointer(inviter.page)
    hand.press("Make an invitation")
    link = next(text for text in page.locator("code").all_inner_texts() if text.startswith("http"))
    guest = opens(isles["empty"], "", PHONE, script=False)
    guest.page.goto(link)
    hand = Pointer(guest.page)
    hand.write("login", "Cy")
    hand.write("password", "short")
    hand.press("Join New Quay")
    expect(guest.page.get_by_role("alert")).to_contain_text("Password")
    assert field(guest.page, "login").input_value() == "Cy"
    hand.write("password", "a few words in a row")
    hand.press("Join New Quay")
    expect(guest.page.get_by_role("heading", name="Needs you")).to_be_visible()
    again = opens(isles["empty"], "", PHONE, script=False)
    again.page.goto(link)
    hand = Pointer(again.page)
    hand.write("login", "Di")
    hand.write("password", "a few words in a row")
    hand.press("Join New Quay")
    expect(again.page.get_by_role("alert")).to_contain_text("has been used")
