"""The agenda fills itself, is complete on one page, and an assembly can be run from a phone without script."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from node import agenda
from node.clock import MovedClock
from node.clockwork import Clockwork
from node.home import Home
from node.web.app import construct_app
from protocol import moon
from protocol.assembling import items_at, minutes_of, there
from protocol.deciding import VOTES, open_rounds
from protocol.encoding import encode
from protocol.keys import SigningKey
from protocol.membership import members_at, name_of
from protocol.practice import PUBLIC, Due, View
from protocol.practices import PRACTICE_OF, PRACTICES
from tests.node.test_web import Browser, Isle

HOUR, DAY = 3_600_000, 86_400_000
START = moon.new_moon_ms(325) + 3 * DAY


@pytest.fixture
async def isle(tmp_path: Path) -> AsyncIterator[Isle]:
    """A node with its founder and two more members, by a clock that stands still."""
    home = Home.found(tmp_path / "mill", "The Mill", "Ada", MovedClock(START, running=False))
    server = TestServer(construct_app(home), host="127.0.0.1")
    await server.start_server()
    made = Isle(home, server)
    made.account("ada", made.founder)
    made.submit("member.named/1", {"name": "Ada"})
    for name in ("Ben", "Cleo"):
        arrive(made, name)
    clock_of(made).move(2 * 60_000)  # who came is a member before the next is called
    yield made
    await server.close()
    home.close()


def clock_of(isle: Isle) -> MovedClock:
    assert isinstance(isle.home.clock, MovedClock)
    return isle.home.clock


def arrive(isle: Isle, name: str) -> None:
    secret, key = name.encode().ljust(16, b"."), SigningKey(name.encode().ljust(32, b"."))
    expires = (isle.home.clock.now_ms() + DAY) // 60_000 * 60_000
    isle.submit("member.invited/1", {"hash": sha256(secret).hexdigest(), "expires_ms": expires})
    isle.home.actions.submit("member.joined/1", {"secret": secret.hex()}, key)
    isle.home.actions.submit("member.named/1", {"name": name}, key)


def member(isle: Isle, name: str) -> bytes:
    view = isle.home.view()
    return next(row.member for row in members_at(view, isle.home.clock.now_ms()) if name_of(view, row.member) == name)


def called(isle: Isle, in_ms: int = 0) -> str:
    opens = (isle.home.clock.now_ms() + in_ms) // 60_000 * 60_000
    body = {"opens_ms": opens, "ends_ms": opens + 2 * HOUR, "purpose": "Monthly assembly", "place": "Depot"}
    return isle.submit("assembly.called/1", body).hex()


def added(isle: Isle, title: str, **more: Any) -> str:
    return isle.submit("agenda.added/1", {"title": title, **more}).hex()


def round_opened(isle: Isle, **more: Any) -> bytes:
    """A proposal with an open round; the round's record."""
    body = {"title": "A kettle", "text": "We buy a kettle.", "why": "Ours leaks.", "binds": "Us", **more}
    proposal = isle.submit("decision.proposed/1", body)
    closes = (isle.home.clock.now_ms() + 3 * DAY) // 60_000 * 60_000
    asked = {"proposal": proposal.hex(), "type": "consent", "version": 1, "closes_ms": closes, "measures": "There is tea."}
    return isle.submit("decision.called/1", asked)


# The agenda


def test_an_empty_agenda_says_what_comes_there(isle: Isle) -> None:
    assert agenda.entries(isle.home.view(), START) == ()
    assert "comes here by itself" in agenda.summary((), START)


def test_what_is_due_for_all_is_on_the_agenda_and_the_assembly_itself_is_not(isle: Isle) -> None:
    called(isle, DAY)
    round_ = round_opened(isle)
    item = added(isle, "Keys of the depot", why="Who has them?")
    found = agenda.entries(isle.home.view(), isle.home.clock.now_ms())
    proposal = open_rounds(isle.home.view())[0].proposal
    assert {entry.practice for entry in found} == {"decisions", "assemblies"}
    assert {entry.link for entry in found} >= {bytes.fromhex(item)}
    due = PRACTICE_OF["decision.called/1"].due(isle.home.view(), isle.home.clock.now_ms())
    assert {each.who for each in due} >= {isle.founder.public, member(isle, "Ben")}, "each of them is asked to answer"
    assert sum(entry.practice == "decisions" for entry in found) == 1, "and the assembly once"
    assert [entry.what for entry in found if entry.practice == "decisions"] == ["Answer “A kettle”"]
    assert {entry.link for entry in found} & {round_, proposal}
    assert len({entry.link for entry in found}) == len(found)


def test_what_is_added_by_hand_is_for_members_and_leaves_when_it_is_settled(isle: Isle) -> None:
    row, item = called(isle), added(isle, "Keys of the depot")
    now = isle.home.clock.now_ms()
    assert [entry.what for entry in agenda.entries(isle.home.view(), now)] == ["Keys of the depot"]
    assert agenda.entries(isle.home.view(PUBLIC), now) == ()
    isle.submit("minutes.taken/1", {"assembly": row, "subject": item, "settled": True, "words": "Ben has them."})
    assert agenda.entries(isle.home.view(), now) == ()


def test_how_long_something_waits_is_said_in_words() -> None:
    assert agenda.waited(100) == "a moment"
    assert agenda.waited(5 * DAY) == "5 days"
    assert agenda.waited(100 * DAY) == "3 cycles"


async def test_the_agenda_is_one_complete_page(isle: Isle) -> None:
    called(isle, DAY)
    added(isle, "Keys of the depot", why="Who has them?")
    async with isle.browser() as browser:
        assert await browser.get("/agenda") == 200
        assert "Keys of the depot" not in browser.html
        await browser.log_in()
        assert await browser.get("/agenda") == 200
        for words in ("Monthly assembly", "Depot", "Keys of the depot", "Who has them?", "1 item"):
            assert words in browser.html
        assert await browser.get("/assembly") == 200
        assert 'href="/agenda"' in browser.html


# Running it


def by_hand(item: str) -> str:
    return f"assemblies-{item}"


def fields(html: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', html))


async def step(browser: Browser, at: str, **values: str) -> int:
    """Fill in a step's form and send it."""
    await browser.get(f"/assembly/run?at={at}")
    return await browser.post("/assembly/run", {**fields(browser.html), "at": at, **values})


async def test_without_an_assembly_the_page_says_how_to_come_by_one(isle: Isle) -> None:
    async with isle.browser() as browser:
        await browser.log_in()
        assert await browser.get("/assembly/run") == 200
        assert "No assembly is on now" in browser.html
        assert "/record/new/assembly.called/1" in browser.html
        assert await browser.post("/assembly/run", {"csrf": await browser.token(), "do": "here", "at": "here"}) == 422 or (
            "No assembly is on now" in browser.html
        )


async def test_an_assembly_is_run_from_who_is_here_to_its_end(isle: Isle) -> None:
    row, first, second = called(isle), added(isle, "Keys of the depot"), added(isle, "A kettle")
    ada, ben = isle.founder.public, member(isle, "Ben")
    async with isle.browser() as browser:
        await browser.log_in()
        assert await step(browser, "here", do="here", **{f"here.{ada.hex()}": "1", f"here.{ben.hex()}": "1"}) == 200
        assert there(isle.home.view(), bytes.fromhex(row)) == tuple(sorted((ada, ben)))
        assert "Keys of the depot" in browser.html
        assert await step(browser, by_hand(first), do="on", words="Ben has one, Ada the other.", settled="1") == 200
        assert "A kettle" in browser.html
        assert await step(browser, by_hand(second), do="save", words="We wait for an offer.") == 200
        assert "We wait for an offer." in browser.html
        assert await step(browser, "end", do="close", closing="Calm.") == 200
        assert browser.path == f"/record/{row}"
        for words in ("Calm.", "Ben has one, Ada the other.", "We wait for an offer.", "closed"):
            assert words in browser.html
    assert [each.title for each in items_at(isle.home.view(), isle.home.clock.now_ms())] == ["A kettle"]


async def test_a_page_of_an_assembly_that_is_over_closes_and_writes_nothing_of_the_next(isle: Isle) -> None:
    row, item = called(isle), added(isle, "Keys of the depot")
    async with isle.browser() as browser:
        await browser.log_in()
        held = {}
        for at in ("here", by_hand(item), "end"):
            await browser.get(f"/assembly/run?at={at}")
            held[at] = fields(browser.html)
        isle.submit("assembly.closed/1", {"assembly": row})
        other = called(isle)
        size = isle.home.log.size
        ada = isle.founder.public.hex()
        for at, values in (
            ("here", {"do": "here", f"here.{ada}": "1"}), (by_hand(item), {"do": "save", "words": "Long talk."}),
            ("end", {"do": "save", "words": "Long talk."}), ("end", {"do": "close", "closing": "Calm."}),
        ):  # fmt: skip
            await browser.post("/assembly/run", {**held[at], "at": at, **values})
            assert "of another assembly than the one that is on now" in browser.html
            assert values.get("words", "") in browser.html
        assert isle.home.log.size == size
        assert await step(browser, "end", do="close", closing="Calm.") == 200
        assert browser.path == f"/record/{other}"


async def test_minutes_of_a_button_that_was_pressed_twice_are_written_once(isle: Isle) -> None:
    row, item = called(isle), by_hand(added(isle, "Keys of the depot"))
    async with isle.browser() as browser:
        await browser.log_in()
        for words in ("Ben has one.", "Ben has one.", "So has Ada.", "Ben has one."):
            assert await step(browser, item, do="save", words=words) == 200
    notes = minutes_of(isle.home.view(), bytes.fromhex(row))
    assert [note.words for note in notes] == ["Ben has one.", "So has Ada.", "Ben has one."]


async def test_nothing_is_written_where_nothing_was_said(isle: Isle) -> None:
    row, first = called(isle), added(isle, "Keys of the depot")
    size = isle.home.log.size
    async with isle.browser() as browser:
        await browser.log_in()
        assert await step(browser, by_hand(first), do="on", words="  ") == 200
    assert isle.home.log.size == size
    assert not minutes_of(isle.home.view(), bytes.fromhex(row))


async def test_what_was_typed_survives_a_refusal(isle: Isle) -> None:
    row, first = called(isle), added(isle, "Keys of the depot")
    async with isle.browser() as browser:
        await browser.log_in()
        await browser.get(f"/assembly/run?at={by_hand(first)}")
        held = fields(browser.html)
        isle.submit("minutes.taken/1", {"assembly": row, "subject": first, "settled": True, "words": "Done."})
        assert await browser.post("/assembly/run", {**held, "at": by_hand(first), "do": "on", "words": "Long talk."}) == 422
        assert "no longer on the agenda" in browser.html
        assert "Long talk." in browser.html


async def test_a_step_of_another_site_or_of_nobody_is_not_taken(isle: Isle) -> None:
    called(isle)
    async with isle.browser() as browser:
        await browser.log_in()
        assert await browser.post("/assembly/run", {"do": "here", "at": "here", "csrf": "0" * 64}) == 403
    async with isle.browser() as browser:
        await browser.get("/assembly/run")
        assert browser.path == "/login"


async def test_answers_are_taken_for_those_who_are_here_and_recorded_as_taken_for_them(isle: Isle) -> None:
    row = called(isle)
    round_opened(isle)
    round_ = open_rounds(isle.home.view())[0]
    ada, ben, cleo = isle.founder.public, member(isle, "Ben"), member(isle, "Cleo")
    isle.submit("attendance.noted/1", {"assembly": row, "members": [ada.hex(), ben.hex()]})
    (entry,) = [each for each in agenda.entries(isle.home.view(), isle.home.clock.now_ms()) if each.practice == "decisions"]
    async with isle.browser() as browser:
        await browser.log_in()
        await browser.get(f"/assembly/run?at={entry.key}")
        assert "Write it down for Ben" in browser.html
        assert "Cleo" not in browser.html
        assert "2 of 2 who are here have not answered" in browser.html
        assert await step(browser, entry.key, do="vote", **{"for": ben.hex(), "choice": "agree"}) == 200
        assert await step(browser, entry.key, do="vote", **{"for": ada.hex(), "choice": "concern", "reasons": "Which?"}) == 200
        assert "Everybody here has answered" in browser.html
        assert "All are written down by" not in browser.html, "nothing is planned, so it takes one hand"
        assert await step(browser, entry.key, do="vote", **{"for": ada.hex()}) == 422
        assert await step(browser, entry.key, do="vote", **{"for": ben.hex(), "choice": "object", "reasons": " "}) == 422
        assert "what would be harmed" in browser.html
    votes = {vote.member: vote for vote in isle.home.view().all(VOTES, round=round_.id)}
    assert (votes[ben].choice, votes[ben].by_self, votes[ben].hand) == ("agree", False, ada)
    assert (votes[ada].choice, votes[ada].by_self, votes[ada].reasons) == ("concern", True, "Which?")
    assert cleo not in votes


def test_the_clock_closes_a_round_whose_time_is_over(isle: Isle) -> None:
    round_opened(isle)
    early = Clockwork(isle.home).turn()
    assert (early.done, early.refused) == ((), 0)
    clock_of(isle).move(30 * DAY)
    turned = Clockwork(isle.home).turn()
    assert "decision.closed/1" in turned.done
    assert not open_rounds(isle.home.view())
    assert not Clockwork(isle.home).turn().done


# Today


async def test_today_says_what_came_due_since_one_looked(isle: Isle) -> None:
    clock = clock_of(isle)
    called(isle, 2 * DAY)
    async with isle.browser() as browser:
        await browser.log_in()
        await browser.get("/")
        assert "Came due since you looked" not in browser.html
        Clockwork(isle.home).turn()
        clock.move(10 * DAY)
        Clockwork(isle.home).turn()
        await browser.log_in()
        await browser.get("/")
        assert "Came due since you looked" in browser.html
        assert "Monthly assembly is on" in browser.html
        await browser.get("/archipelago")
        assert "The clock last ran" in browser.html
        assert "It was off from" in browser.html


async def test_answers_in_one_hand_are_said_to_be_that_while_somebody_can_still_give_theirs(isle: Isle) -> None:
    called(isle)
    wire = {"figure": "members.count", "compare": "below", "number": 3, "cycles": 1}
    round_opened(isle, plans=[{"kind": "tripwire.set/1", "structure": encode(wire).hex()}])
    ada, ben = isle.founder.public, member(isle, "Ben")
    isle.submit("attendance.noted/1", {"assembly": called(isle), "members": [ada.hex(), ben.hex()]})
    (entry,) = [each for each in agenda.entries(isle.home.view(), isle.home.clock.now_ms()) if each.practice == "decisions"]
    warned = "All are written down by Ada so far"
    async with isle.browser() as browser:
        await browser.log_in()
        assert await step(browser, entry.key, do="vote", **{"for": ada.hex(), "choice": "agree"}) == 200
        assert warned not in browser.html
        assert await step(browser, entry.key, do="vote", **{"for": ben.hex(), "choice": "agree"}) == 200
        assert warned in browser.html
        isle.home.actions.submit(
            "vote.cast/1",
            {"round": open_rounds(isle.home.view())[0].id.hex(), "choice": "agree"},
            SigningKey(b"Ben".ljust(32, b".")),
        )
        await browser.get(f"/assembly/run?at={entry.key}")
        assert warned not in browser.html


async def test_every_step_is_reached_also_where_two_practices_say_something_about_one_record(
    isle: Isle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A campaign's call is due to the campaigns and, for what is to follow, to work."""
    record, now_ms = bytes.fromhex(called(isle)), isle.home.clock.now_ms()
    added(isle, "Keys of the depot")

    def twice(view: View, at_ms: int) -> list[Due]:
        return [Due("Look after it", None, now_ms, now_ms + DAY, record)]

    named = [replace(each, due=twice) if each.name in ("work", "campaigns") else each for each in PRACTICES]
    monkeypatch.setattr(agenda, "PRACTICES", tuple(named))
    async with isle.browser() as browser:
        await browser.log_in()
        await browser.get("/assembly/run")
        seen = []
        while on := re.search(r'href="([^"]*)" rel="next"', browser.html):
            seen.append(on[1])
            assert len(seen) == len(set(seen)) < 20, seen
            await browser.get(on[1])
    assert [each.rpartition("=")[2] for each in seen[-3:]] == [f"work-{record.hex()}", f"campaigns-{record.hex()}", "end"]
