"""What nobody does alone, over HTTP: from its form to a proposal that plans it, and from the decision back to the act."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from node.clock import MovedClock
from node.home import Home
from node.web.app import construct_app
from node.web.proposing import MAY, MUST, standing
from protocol.deciding import OUTCOMES, PROPOSALS, Outcome
from protocol.mandate import ANYBODY
from protocol.moon import cycle_at
from protocol.practice import GRANTS, PUBLIC
from protocol.practices import KINDS
from protocol.terms import TERMS
from tests.node.test_forms_html import Form
from tests.node.test_web import Browser, Isle

NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
ROLE = {"role": "keys", "domain": "Who has which key.", "duties": "Lend and note.", "cycles": "1"}


@pytest.fixture
async def isle(tmp_path: Path) -> AsyncIterator[Isle]:
    home = Home.found(tmp_path / "mill", "The Mill", "Ada", MovedClock(NOW_MS, running=False))
    server = TestServer(construct_app(home), host="127.0.0.1")
    await server.start_server()
    made = Isle(home, server)
    made.account("ada", made.founder)
    yield made
    await server.close()
    home.close()


def hidden_fields(html: str) -> dict[str, str]:
    """What a form carries along, and what is typed into it."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html)
    return {name: unescape(value) for name, value in found}


def test_whether_an_act_is_proposed_depends_on_what_one_holds(tmp_path: Path) -> None:
    home = Home.found(tmp_path / "mill", "The Mill", "Ada", MovedClock(NOW_MS, running=False))
    try:
        ada = home.key_files.key().public

        def asked(kind: str, member: bytes) -> str:
            return standing(home.view(), KINDS[kind], member, NOW_MS).proposes

        assert asked("role.appointed/1", ada) == MUST
        assert asked("role.defined/1", ada) == MAY
        assert asked("role.defined/1", bytes(32)) == MUST
        assert asked("member.named/1", ada) == ""
    finally:
        home.close()


async def test_an_appointment_goes_from_its_form_through_a_decision_to_the_act(isle: Isle) -> None:
    home, ada = isle.home, isle.founder.public
    definition = isle.submit("role.defined/1", {**ROLE, "cycles": 1}).hex()
    path = "/record/new/role.appointed/1"
    async with isle.browser() as browser:
        await browser.log_in()
        token = await browser.token(path)
        assert "Propose it to all" in browser.html
        act = {"role": "keys", "definition": definition, "holder": ada.hex(), "chosen": "vote"}
        sent = {**act, "csrf": token, "do": "propose"}
        assert await browser.post(path, sent) == 200
        assert "What is planned" in browser.html, browser.html
        assert "Appoint for a term" in browser.html
        proposal = hidden_fields(browser.html)
        assert proposal["plans.0.kind"] == "role.appointed/1"
        proposal |= {"title": "Ada keeps the keys", "why": "Somebody has to.", "text": "Ada, until the new moon."}
        assert await browser.post("/record/new/decision.proposed/1", proposal) == 200
        assert browser.path.startswith("/record/"), browser.html
        await decide(isle, browser)
        (outcome,) = home.view().all(OUTCOMES)
        assert outcome.accepted
        await browser.log_in()  # eight days later
        assert await browser.get(f"/record/{outcome.proposal.hex()}") == 200
        assert f"/carry-out/{outcome.id.hex()}" in browser.html
        assert await browser.get(f"/carry-out/{outcome.id.hex()}") == 200
        form = {**hidden_fields(browser.html), **act}
        assert "Propose it to all" not in browser.html
        assert await browser.post(path, {**form, "do": "confirmed"}) == 200
        assert browser.path.startswith("/record/"), browser.html
        assert await browser.post(path, {**form, "do": "confirmed"}) == 422
    assert [term.holder for term in home.view().all(TERMS)] == [ada]
    assert all(grant.until_ms <= home.clock.now_ms() for grant in home.view().all(GRANTS, holder=ANYBODY))


async def decide(isle: Isle, browser: Browser) -> None:
    """Ada calls for consent, gives hers, and the round is counted when it is over."""
    home = isle.home
    assert isinstance(home.clock, MovedClock)
    (proposal,) = home.view().all(PROPOSALS)
    called = isle.submit("decision.called/1", {"proposal": proposal.id.hex(), "version": 1, "type": "consent"})
    isle.submit("vote.cast/1", {"round": called.hex(), "choice": "agree"})
    home.clock.move(8 * DAY_MS)
    isle.submit("decision.closed/1", {"round": called.hex()})


@pytest.mark.parametrize(
    ("figure", "number", "said"),
    [
        ("workload.top-share", "4000", "this would trip never"),
        ("workload.gini", "400", "A Gini says little alone"),
        ("workload.top-share", "400", ""),
    ],
)
async def test_what_is_odd_about_an_act_is_said_before_it_is_proposed(isle: Isle, figure: str, number: str, said: str) -> None:
    path = "/record/new/tripwire.set/1"
    async with isle.browser() as browser:
        await browser.log_in()
        token = await browser.token(path)
        act = {"figure": figure, "compare": "above", "number": number, "cycles": "1", "who": "All of us"}
        assert await browser.post(path, {**act, "csrf": token, "do": "propose"}) == 200
        assert "What is planned" in browser.html
        assert (said in browser.html) if said else ("note-line warn" not in browser.html)
        assert "Share of the busiest" in browser.html or figure == "workload.gini"
        assert "40 %" in browser.html or number != "400" or figure == "workload.gini"


async def test_a_cycle_that_is_over_is_not_asked_for_once_more(isle: Isle) -> None:
    cycle = cycle_at(isle.home.clock.now_ms())
    async with isle.browser() as browser:
        await browser.log_in()
        await browser.get(f"/record/new/review.reported/1?cycle={cycle - 1}&wire={'ab' * 32}")
        assert f'<input type="hidden" name="cycle" value="{cycle - 1}">' in browser.html
        assert '<select id="f-cycle"' not in browser.html
        await browser.get(f"/record/new/sabbatical.planned/1?cycle={cycle + 1}")
        assert '<select id="f-cycle"' in browser.html
        assert f'<option value="{cycle + 1}" selected>' in browser.html


async def test_there_is_nothing_to_carry_out_before_a_decision(isle: Isle) -> None:
    async with isle.browser() as browser:
        await browser.log_in()
        assert await browser.get(f"/carry-out/{'00' * 32}") == 422
        assert "nothing to carry out" in browser.html


async def test_the_words_of_a_planned_act_come_along_and_need_not_be_written_twice(isle: Isle) -> None:
    path = "/record/new/role.defined/1"
    async with isle.browser() as browser:
        await browser.log_in()
        token = await browser.token(path)
        assert await browser.post(path, {**ROLE, "csrf": token, "do": "propose"}) == 200
        proposal = {**hidden_fields(browser.html), "title": "Somebody for the keys", "why": "We lose them."}
        assert "Who has which key." in proposal["said"]
        proposal["text"] = "A role for the keys."
        assert await browser.post("/record/new/decision.proposed/1", proposal) == 200
        assert "Lend and note." in browser.html
        await decide(isle, browser)
        (outcome,) = isle.home.view().all(OUTCOMES)
        await browser.log_in()
        assert await browser.get(f"/carry-out/{outcome.id.hex()}") == 200
        assert "Who has which key." in browser.html


def link_to(html: str, label: str) -> str:
    """Where the first button of that name leads."""
    found = re.search(r'href="([^"]+)"[^>]*>\s*' + re.escape(label), html)
    assert found, html
    return unescape(found[1])


class Member:
    """Somebody who goes by the buttons of pages and sends forms as they come, with what is typed over."""

    def __init__(self, isle: Isle, browser: Browser) -> None:
        self.isle, self.browser = isle, browser

    async def press(self, label: str, **typed: str) -> None:
        """From a button to its form, and from there to the record."""
        assert await self.browser.get(link_to(self.browser.html, label)) == 200, label
        await self.send(**typed)

    async def send(self, **typed: str) -> None:
        """The form that is shown, as far as the page of the record that it becomes."""
        sent = {**Form(self.browser.html).sent, **typed, "do": "confirmed"}
        action = re.search(r'<form method="post" action="(/record/[^"]+)"', self.browser.html)
        path = action[1] if action else self.browser.path
        assert await self.browser.post(path, sent) == 200, self.browser.html
        assert self.browser.path.startswith("/record/"), self.browser.html

    async def settle(self) -> Outcome:
        """On the page of a proposal just made: call for consent, give it, and wait until it is counted."""
        clock = self.isle.home.clock
        assert isinstance(clock, MovedClock)
        page = self.browser.path
        await self.press("Call for answers")
        assert await self.browser.get(page) == 200
        await self.press("Consent")
        clock.move(8 * DAY_MS)
        await self.browser.log_in()
        assert await self.browser.get(page) == 200
        await self.press("Count the answers")
        assert await self.browser.get(page) == 200
        (outcome,) = self.isle.home.view().all(OUTCOMES, proposal=bytes.fromhex(page.rpartition("/")[2]))
        assert outcome.accepted
        return outcome


async def test_what_members_decide_among_themselves_is_judged_among_themselves_by_its_own_buttons(isle: Isle) -> None:
    home = isle.home
    assert isinstance(home.clock, MovedClock)
    async with isle.browser() as browser:
        member = Member(isle, browser)
        await browser.log_in()
        assert await browser.get("/record/new/decision.proposed/1") == 200
        await member.send(title="Quiet hours", text="From ten.", why="Two of us sleep there.", audience="members")
        decided = await member.settle()
        about = f"/record/{decided.proposal.hex()}"
        home.clock.move(decided.review_ms - home.clock.now_ms() + DAY_MS)
        await browser.log_in()
        assert await browser.get(about) == 200
        assert await browser.get(link_to(browser.html, "Propose: it was met")) == 200
        assert Form(browser.html).sent["audience"] == "members"
        await member.send(title="It is quiet now", why="We asked.")
        leave = await member.settle()
        assert await browser.get(link_to(browser.html, "the form, filled in as it was decided")) == 200
        assert "Propose it to all" not in browser.html
        await member.send(found="All of us say so.")
        judged = home.view().get(OUTCOMES, decided.id)
        assert judged
        assert judged.reviews == 1
    public = home.view(PUBLIC)
    assert not public.all(PROPOSALS)
    assert not public.get(OUTCOMES, leave.id)
