"""One whole cycle of self-government in a real browser, on the demo's Harbour House with the clock moved.

A proposal is talked about, amended and consented to; a role is defined and given by lot, its shadow drawn by lot and uses the
call; what is paused is refused, the assembly lets it go on; at the new moon the term is over and the act is refused; the
decision's fuse brings it back on the agenda; a trip wire opens a review. At the width of a phone: by keys alone, and without
script. What others do meanwhile (their answers) they do on the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from node import demo_fill
from node.clock import Clock
from node.control import Answered, ask
from node.demo_fill import PASSWORD, fill
from node.demo_world import World
from protocol import moon
from tests.web.conftest import PHONE, Opens, Visitor
from tests.web.hands import Hand, Keyboard, Pointer, field
from tests.web.isles import Isle, running
from tests.web.places import grave, sideways

pytestmark = pytest.mark.browser

DAY_MS = 86_400_000
PUBLISHING = "/record/new/protocol.published/1"
WAYS: dict[str, tuple[type[Pointer] | type[Keyboard], bool]] = {
    "by-keyboard": (Keyboard, True),
    "without-script": (Pointer, False),
}
READ = "We have read it and it is good."
WATCHED = {"by-keyboard": "Standing decisions", "without-script": "Members"}
HERE = ("Ada", "Noor", "Tomas", "Ifeoma", "Jakob", "Mina", "Sol")


@pytest.fixture
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Isle]:
    """Harbour House with its year, where everybody can log in, run with a clock that can be moved."""
    folder = tmp_path_factory.mktemp("cycle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_fill, "give_logins", everybody)
        home = fill(folder, Clock())["harbour"]
    with running({"harbour": (home, {})}, "--movable-clock") as isles:
        yield isles["harbour"]


def everybody(world: World) -> None:
    """An account and a key file for each who lives at Harbour House."""
    home = world.homes["harbour"]
    for who in HERE:
        key = world.keys["harbour", who]
        home.accounts.create(who, PASSWORD, key.public, key, home.clock.random(40), home.clock.now_ms())
        if who not in home.key_files.names():
            home.key_files.add(who, key)


class Cycle:
    """Somebody after somebody at one node, each with a phone."""

    def __init__(self, name: str, isle: Isle, opens: Opens) -> None:
        self.name, self.isle, self.opens = name, isle, opens
        self.hands, self.script = WAYS[name]

    def at(self, who: str, path: str = "/") -> tuple[Page, Hand]:
        """A fresh window of somebody who logs in now; sessions do not outlive the days that pass here."""
        visitor: Visitor = self.opens(self.isle, "", PHONE, script=self.script)
        hand = self.hands(visitor.page)
        page = visitor.go(f"/login?next={path}")
        hand.write("login", who)
        hand.write("password", PASSWORD)
        hand.press("Log in")
        page.wait_for_url(lambda url: "/login" not in url)
        return page, hand

    def give(self, verb: str, **args: Any) -> Any:
        """Give a command to the running node."""
        return ask(self.isle.folder, verb, args, lambda what, value: None)

    def ahead(self, days: float) -> None:
        """So much time passes; the node's clock notices by itself."""
        self.give("clock.move", by_ms=int(days * DAY_MS))

    def now_ms(self) -> int:
        """The node's time."""
        return int(self.give("clock.move", by_ms=0)["now_ms"])

    def to_new_moon(self) -> None:
        """Until a quarter of an hour into the next cycle."""
        now_ms = self.now_ms()
        self.ahead((moon.cycle_bounds(moon.cycle_at(now_ms))[1] - now_ms) / DAY_MS + 0.01)

    def answered(self, round_: str, word: str, *who: str) -> None:
        """What others answer, by commands."""
        for each in who:
            self.give("record.add", kind="vote.cast", body={"round": round_, "choice": word}, member=each)


@pytest.fixture(params=list(WAYS))
def cycle(request: pytest.FixtureRequest, harbour: Isle, opens: Opens) -> Cycle:
    return Cycle(request.param, harbour, opens)


def of_record(page: Page) -> str:
    """The digest in the address of a record's page."""
    try:
        page.wait_for_url(re.compile("/record/[0-9a-f]{64}"))
    except Exception:
        print(page.url, page.get_by_role("main").inner_text()[:1500])
        raise
    return page.url.rpartition("/")[2]


def twice(hand: Hand, page: Page, words: str) -> str:
    """A big act: the button, the summary, the button again; the record that was written."""
    hand.press(words)
    expect(page.get_by_text("Look once more")).to_be_visible()
    hand.press(words)
    return of_record(page)


@pytest.mark.timeout(420)
def test_a_whole_cycle(cycle: Cycle) -> None:
    proposal = consented(cycle)
    cycle.to_new_moon()
    role, term, holder = given_by_lot(cycle)
    shadow_calls(cycle, role, term, holder)
    wired(cycle)
    term_ends(cycle, role, holder)
    review_opens(cycle)
    fuse_burns(cycle, proposal)


def called_so(page: Page, pattern: str) -> str:
    """The words of the first link in the page that begins so."""
    return page.get_by_role("main").get_by_role("link", name=re.compile(pattern)).first.inner_text()


def fine(cycle: Cycle, page: Page) -> None:
    """Nothing grave by the axe rules, which need a page that can run a script; and nothing wider than the phone."""
    if cycle.script:
        assert not grave(page)
        assert not sideways(page)


def consented(cycle: Cycle) -> str:
    """Proposed, questioned, amended, called and consented to; it stands until a date that it names."""
    title = f"A quiet hour, {cycle.name}"
    page, hand = cycle.at("Ada", "/practice/decisions")
    hand.press("Propose something")
    hand.write("title", title)
    hand.write("text", "From nine in the evening it is quiet in the kitchen.")
    hand.write("why", "Two of us sleep beside it.")
    hand.press("Propose something")
    proposal = of_record(page)

    page, hand = cycle.at("Noor", f"/record/{proposal}")
    hand.press("Raise a concern")
    hand.write("words", "The dishwasher runs at ten.")
    hand.press("Say something about a proposal")
    of_record(page)

    page, hand = cycle.at("Ada", f"/record/{proposal}")
    expect(page.get_by_text("The dishwasher runs at ten.")).to_be_visible()
    hand.press("Write another version")
    assert "From nine" in field(page, "text").input_value()
    hand.write("text", "From half past ten in the evening it is quiet in the kitchen.")
    hand.write("note", "Half past ten, for the dishwasher.")
    hand.press("Write another version")
    of_record(page)
    page.goto(f"{cycle.isle.url}/record/{proposal}")
    expect(page.locator(".difference ins").first).to_be_visible()
    hand.press("Call for answers")
    assert field(page, "type").input_value() == "consent"
    hand.write("measures", "Nobody is woken by the kitchen any more.")
    hand.press("Call for answers")
    called = of_record(page)

    page, hand = cycle.at("Noor", f"/record/{proposal}")
    hand.press("Consent")
    hand.press("Answer a call")
    of_record(page)
    cycle.answered(called, "agree", "Ada", "Ifeoma", "Jakob", "Sol")
    cycle.ahead(7.1)
    page, hand = cycle.at("Ada", f"/record/{proposal}")
    expect(page.get_by_role("main")).to_contain_text("in force")
    fine(cycle, page)
    return proposal


def given_by_lot(cycle: Cycle) -> tuple[str, str, str]:
    """A role is defined, drawn by lot from all, and taken; its name, its term and who holds it."""
    role = f"archive-{cycle.name}"
    page, hand = cycle.at("Ada", "/practice/roles")
    hand.press("Define a role")
    hand.write("role", role)
    hand.write("cycles", "1")
    hand.choose("permissions.0.kind", "Publish a protocol")
    hand.write("domain", "What is published in our name.")
    twice(hand, page, "Define a role")
    page.goto(f"{cycle.isle.url}/practice/roles")
    hand.press(f"Draw who takes {role} by lot")
    hand.press("Open a lot")
    lot = of_record(page)
    drawn(cycle, lot)
    holder = seated(cycle, lot)
    page, hand = cycle.at(holder, "/practice/roles")
    hand.press(f"Take {role}, as the lot has drawn")
    hand.press("Take a role by lot")
    return role, of_record(page), holder


def drawn(cycle: Cycle, lot: str) -> None:
    """Two members add a part each, time passes, they reveal them, and the clock draws."""
    for words, button in (("Add my part", "Add your part to a lot"), ("Reveal my part", "Reveal your part of a lot")):
        for who in ("Noor", "Tomas"):
            page, hand = cycle.at(who, f"/record/{lot}")
            hand.press(words)
            hand.press(button)
            of_record(page)
        cycle.ahead(2.1 if words == "Add my part" else 0.1)


def seated(cycle: Cycle, lot: str) -> str:
    """Whom the lot fell on, as its page says."""
    page, _ = cycle.at("Ada", f"/record/{lot}")
    told = page.get_by_role("table", name="Who was drawn").get_by_role("row").nth(1).inner_text()
    return next(who for who in HERE if who in told)


def shadow_calls(cycle: Cycle, role: str, term: str, holder: str) -> None:
    """The shadow is drawn and pauses an act of the role; it is refused until the assembly has decided that it may go on."""
    page, hand = cycle.at("Ada", f"/record/{term}")
    hand.press(f"Draw a shadow for {role}")
    hand.press("Open a lot")
    lot = of_record(page)
    drawn(cycle, lot)
    shadow = seated(cycle, lot)
    assert shadow != holder
    published(cycle, holder, "Before the call")

    page, hand = cycle.at(shadow, f"/record/{term}")
    hand.press(called_so(page, "^Pause “"))
    hand.write("reasons", "Two texts went out that nobody had read before.")
    twice(hand, page, "Use the shadow's call")
    refused(cycle, holder, "While it rests", "paused")

    page, hand = cycle.at("Ada", "/practice/roles")
    hand.press(called_so(page, "^Propose to resume"))
    hand.write("reasons", READ)
    page, hand = decided(cycle, page, hand, f"The archive may go on, {cycle.name}", without=(holder, shadow))
    hand.write("reasons", READ)
    twice(hand, page, "Answer a shadow's call")
    published(cycle, holder, "After the assembly has looked")


def decided(cycle: Cycle, page: Page, hand: Hand, title: str, without: tuple[str, ...]) -> tuple[Page, Hand]:
    """From the form of what nobody does alone to the same form, once it is decided by those whom it does not concern."""
    hand.press("Propose it to all")
    expect(page.get_by_text("What is planned")).to_be_visible()
    hand.write("title", title)
    assert field(page, "text").input_value().strip()
    hand.write("why", "Nobody is to decide this alone.")
    hand.press("Propose something")
    proposal = of_record(page)
    page.goto(f"{cycle.isle.url}/record/{proposal}")
    hand.press("Call for answers")
    hand.press("Call for answers")
    called = of_record(page)
    cycle.answered(called, "agree", *(who for who in HERE if who not in without))
    cycle.ahead(7.1)
    page, hand = cycle.at("Ada", f"/record/{proposal}")
    hand.press("the form, filled in as it was decided")
    return page, hand


def wired(cycle: Cycle) -> None:
    """Members agree on a line, while all is calm: here one that this house has crossed already."""
    page, hand = cycle.at("Ada", "/practice/tripwires")
    hand.press("Set a trip wire")
    hand.choose("figure", WATCHED[cycle.name])
    hand.choose("compare", "above")
    hand.write("number", "0")
    hand.write("who", "Whoever cooked last week")
    page, hand = decided(cycle, page, hand, f"A line for the kitchen, {cycle.name}", without=())
    twice(hand, page, "Set a trip wire")


def term_ends(cycle: Cycle, role: str, holder: str) -> None:
    """At the new moon the term is over, and so is what it allowed; the page says what to hand over."""
    cycle.to_new_moon()
    refused(cycle, holder, "After the term", "ended")
    page, _ = cycle.at(holder, "/")
    expect(page.get_by_role("main")).to_contain_text(f"Hand over what you held as {role}")


def review_opens(cycle: Cycle) -> None:
    """The figures noted at the cycle's end have opened a review: somebody is drawn, reports, and members accept that."""
    page, hand = cycle.at("Ada", "/agenda")
    hand.press(called_so(page, f"Draw by lot who reports on “{WATCHED[cycle.name]}"))
    review = of_record(page)
    hand.press("Draw who reports on it")
    hand.press("Open a lot")
    lot = of_record(page)
    drawn(cycle, lot)
    drawn_one = seated(cycle, lot)
    page, hand = cycle.at(drawn_one, f"/record/{review}")
    hand.press("Report on it")
    hand.write("found", "We grew, and nobody had said so aloud.")
    hand.write("change", "Nothing: we go on as we are.")
    hand.press("Report on a review")
    of_record(page)
    page, hand = cycle.at("Ada", f"/record/{review}")
    hand.press("Propose to accept the report")
    page, hand = decided(cycle, page, hand, f"The report is accepted, {cycle.name}", without=())
    twice(hand, page, "Accept a report")
    page.goto(f"{cycle.isle.url}/record/{review}")
    expect(page.get_by_role("main")).to_contain_text("Accepted report")
    fine(cycle, page)


def fuse_burns(cycle: Cycle, proposal: str) -> None:
    """Nobody has judged the decision by its day: it is back on the agenda by itself."""
    for _ in range(3):
        cycle.to_new_moon()
    page, _ = cycle.at("Ada", f"/record/{proposal}")
    expect(page.get_by_role("main")).to_contain_text("back on the agenda")
    page, _ = cycle.at("Ada", "/agenda")
    expect(page.get_by_role("main")).to_contain_text(f"A quiet hour, {cycle.name}")


def published(cycle: Cycle, who: str, name: str) -> None:
    """What the role alone may do, done by who holds it."""
    page, hand = cycle.at(who, PUBLISHING)
    hand.write("name", f"{name}, {cycle.name}")
    hand.write("purpose", "So that we know.")
    hand.write("text", "We read it aloud before it goes out.")
    hand.press("Publish a protocol")
    of_record(page)


def refused(cycle: Cycle, who: str, name: str, why: str) -> None:
    """The form says why one may not, and the node refuses it to whoever writes it all the same."""
    page, _ = cycle.at(who, PUBLISHING)
    expect(page.get_by_role("main")).to_contain_text(why)
    expect(page.get_by_role("button", name="Propose it to all")).to_be_visible()
    body = {"name": f"{name}, {cycle.name}", "purpose": "So that we know.", "text": "We do it all the same, because we can."}
    with pytest.raises(Answered, match=why):
        cycle.give("record.add", kind="protocol.published", body=body, member=who)
