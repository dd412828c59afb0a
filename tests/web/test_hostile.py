"""What others wrote is text on every page, whatever they wrote: planted in every field that takes words, and typed into forms.

One space whose every name and word is hostile is filled through the way that everybody goes, and all its pages are opened in
a browser. Nothing may run, nothing may become an element, and what was written must be there to read.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Page

from node.demo_fill import PASSWORD
from node.home import Home
from node.words import plain
from protocol.keys import SigningKey
from protocol.practice import Refused
from tests.web.conftest import DESK, Opens, Visitor
from tests.web.hostile import HOSTILE
from tests.web.isles import Isle, running, sessions
from tests.web.places import entries

pytestmark = pytest.mark.browser

DAY_MS = 86_400_000
BOOKED = "ledger.transaction-booked/1"
FORMS = (BOOKED, "campaign.called/1", "protocol.published/1", "member.named/1", "link.offered/1", "protocol.adopted/1")
_LOOK = """() => ({
    stung: window.stung,
    blocked: window.blocked,
    made: [...document.querySelectorAll("main :is(img, script, iframe, object, embed, video, audio, style, base, meta, link, math, marquee)")].map((each) => each.outerHTML),
    listening: [...document.querySelectorAll("*")].filter((each) => [...each.attributes].some((at) => at.name.startsWith("on"))).map((each) => each.outerHTML),
    leading: [...document.querySelectorAll("[href], [action], [formaction]")]
        .map((each) => each.getAttribute("href") || each.getAttribute("action") || each.getAttribute("formaction"))
        .filter((path) => path && !/^[/#?]/.test(path)),
})"""


def write(home: Home) -> None:
    """Every string in every kind of record that has words."""
    founder = home.key_files.key()
    now_ms = home.clock.now_ms() // 60_000 * 60_000
    for number, drafts in enumerate(zip(*(list(each) for each in (bookings(), protocols(), accounts())), strict=True)):
        made = [home.actions.draft(kind, body) for kind, body in drafts]
        for placed in home.actions.submit_drafts(made, founder):
            assert not isinstance(placed, Refused), f"{number}: {placed}"
    everything = "\n\n".join(f"{string}\n\n- {string}\n\n`{string}`" for string in HOSTILE)
    whole = {"name": "All of them", "purpose": "To see that none does anything.", "text": everything}
    home.actions.submit("protocol.published/1", whole, founder)
    for string in HOSTILE[::4]:
        home.actions.submit("campaign.called/1", call(string, now_ms), founder)
        come_in(home, string, founder)


def bookings() -> Iterator[tuple[str, dict[str, Any]]]:
    for string in HOSTILE:
        postings = [
            {"account": "assets:cash", "amount": "-1.00", "currency": "EUR"},
            {"account": "expenses:food", "amount": "1.00", "currency": "EUR"},
        ]
        yield BOOKED, {"date": "2026-03-14", "memo": string, "payee": string, "postings": postings}


def protocols() -> Iterator[tuple[str, dict[str, Any]]]:
    for string in HOSTILE:
        text = f"# {string}\n\n{string}\n\n- {string}\n\n> {string}\n\n`{string}`\n\n    {string}"
        yield "protocol.published/1", {"name": string[:80].strip(), "purpose": string.ljust(10, "."), "text": text}


def accounts() -> Iterator[tuple[str, dict[str, Any]]]:
    for number, string in enumerate(HOSTILE):
        yield (
            "ledger.account-opened/1",
            {"account": f"assets:box-{number}", "restricted": True, "description": string, "strings": string},
        )


def call(string: str, now_ms: int) -> dict[str, Any]:
    names = ("opens_ms", "crests_ms", "disperses_ms", "consolidates_ms", "rests_ms")
    terms: dict[str, Any] = {name: now_ms + day * DAY_MS for name, day in zip(names, (3, 4, 5, 6, 7), strict=True)}
    words = plain(string).strip()
    terms |= {"builds": words.ljust(10, "."), "roles": [words[:80].strip()], "care": words}
    return {
        "name": string[:80], "why": string, "clears": string, "invited": ["11" * 32], "quorum": 2,
        "answers_until_ms": now_ms + 2 * DAY_MS, "terms": terms,
    }  # fmt: skip


def come_in(home: Home, string: str, founder: SigningKey) -> None:
    """Somebody joins under a hostile name."""
    secret, key = home.clock.random(16), SigningKey(home.clock.random(32))
    door = {"hash": sha256(secret).hexdigest(), "expires_ms": (home.clock.now_ms() + DAY_MS) // 60_000 * 60_000}
    home.actions.submit("member.invited/1", door, founder)
    home.actions.submit("member.joined/1", {"secret": secret.hex(), "name": string[:80]}, key)
    home.actions.submit("member.named/1", {"name": string[:80], "contact": string, "languages": string}, key)


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Isle]:
    """A running node where every word is hostile."""
    folder = tmp_path_factory.mktemp("reef") / "reef"
    home = Home.found(folder, HOSTILE[0], "Ada")
    try:
        write(home)
        key = home.key_files.key()
        home.accounts.create(HOSTILE[6], PASSWORD, key.public, key, home.clock.random(40), home.clock.now_ms())
        home.actions.submit("member.named/1", {"name": HOSTILE[6], "contact": HOSTILE[1], "languages": HOSTILE[2]}, key)
    finally:
        home.close()
    with running({"reef": (folder, sessions(folder))}) as isles:
        yield isles["reef"]


def unharmed(visitor: Visitor) -> None:
    """Nothing ran and nothing was made of it."""
    found = visitor.page.evaluate(_LOOK)
    where = visitor.page.url
    assert found["stung"] is None, f"a string ran at {where}"
    assert found["blocked"] == [], f"the policy had to stop something at {where}"
    assert found["made"] == [], f"a string became an element at {where}"
    assert found["listening"] == [], f"a string became a listener at {where}"
    assert found["leading"] == [], f"a link leads elsewhere at {where}"


def read(page: Page) -> str:
    """What the page says, without regard to where lines break."""
    return "".join(page.locator("main").inner_text().split())


def test_every_page_of_a_hostile_space_shows_its_words_as_text(reef: Isle, opens: Opens) -> None:
    visitor = opens(reef, reef.member)
    ids = [entry["digest"] for entry in entries(reef.folder)]
    members = sorted({entry["author"] for entry in entries(reef.folder) if entry["kind"] == "member.joined/1"})
    rooms = ["/", "/assembly", "/commons", "/campaigns", "/archipelago", "/memory", "/me", "/invite", "/moon", "/space"]
    practices = [f"/practice/{name}" for name in ("campaigns", "ledger", "library", "links", "members", "residue")]
    records = [f"/record/{digest}" for digest in ids[:: max(1, len(ids) // 25)]]
    for path in (*rooms, *practices, *records, *(f"/member/{each}" for each in members[:4])):
        visitor.go(path)
        unharmed(visitor)
    said = read(visitor.go("/practice/ledger"))
    missing = [string for string in HOSTILE if "".join(plain(string).split()) not in said]
    assert not missing


def test_a_protocol_text_is_rendered_without_any_of_it(reef: Isle, opens: Opens) -> None:
    visitor = opens(reef, reef.member)
    digests = [entry["digest"] for entry in entries(reef.folder) if entry["kind"] == "protocol.published/1"]
    for digest in [*digests[::6], digests[-1]]:
        visitor.go(f"/record/{digest}")
        unharmed(visitor)
    assert "window.stung=1" in read(visitor.page)


def test_what_a_link_or_a_form_brings_is_text_too(reef: Isle, opens: Opens) -> None:
    visitor = opens(reef, reef.member)
    for number, string in enumerate(HOSTILE):
        kind = FORMS[number % len(FORMS)]
        names = (
            "memo",
            "payee",
            "name",
            "why",
            "text",
            "purpose",
            "contact",
            "postings.0.account",
            "terms.builds",
            "reasons",
            "date",
            "quorum",
        )
        visitor.go(f"/record/new/{kind}?{urlencode(dict.fromkeys(names, string))}")
        unharmed(visitor)
        if number % 3 == 0:
            visitor.page.locator("form .buttons button").first.click()
            unharmed(visitor)


def test_who_is_not_logged_in_brings_nothing_in_either(reef: Isle, opens: Opens) -> None:
    visitor = opens(reef, "", DESK)
    for string in HOSTILE[::14]:
        for path in (f"/login?next={quote(string)}", f"/join?invitation={quote(string)}"):
            page = visitor.go(path)
            unharmed(visitor)
            page.locator("main input:not([type=hidden], [type=password])").last.fill(plain(string))
            page.locator("form .buttons button").first.click()
            unharmed(visitor)
        visitor.go(f"/{quote(string, safe='')}", 404)
        unharmed(visitor)
        visitor.go(f"/memory?before={quote(string)}")
        unharmed(visitor)


def test_the_strings_would_do_harm_if_they_were_not_text(opens: Opens, reef: Isle) -> None:
    visitor = opens(reef)
    stung = 0
    for string in HOSTILE:
        visitor.page.goto("about:blank")
        visitor.page.set_content(f"<main>{string}</main>", wait_until="commit")
        visitor.page.wait_for_timeout(20)
        stung += visitor.page.evaluate("Boolean(window.stung)")
    visitor.troubles.clear()  # pictures that are not there are meant here
    assert stung >= 10
