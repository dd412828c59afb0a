"""What Today, news and names say, on a real node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from node import news, record_page, today
from node.clock import MovedClock
from node.clockwork import Clockwork
from node.home import Home
from node.names import noun_of, read_record, telling_for
from node.notices import Notice
from protocol import moon
from protocol.body import from_json, structure_and_words
from protocol.deciding import OUTCOMES, ROUNDS
from protocol.drawing import standing
from protocol.encoding import encode
from protocol.keys import SigningKey
from protocol.membership import FOUNDINGS
from protocol.page import Action, Block, Facts, Grid, Heading, Link, Prose, Ref, State
from protocol.practice import EVERYTHING, PUBLIC, Due
from protocol.practices import KINDS, PRACTICES
from protocol.terms import TERMS, Term

ROWS = [
    {"account": "assets:bank", "amount": "5.00", "currency": "EUR"},
    {"account": "income:fees", "amount": "-5.00", "currency": "EUR"},
]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home.found(tmp_path / "mill", "The Mill", "Ada")
    yield made
    made.close()


def book(home: Home, memo: str) -> bytes:
    body = {"date": "2026-03-03", "memo": memo, "postings": ROWS}
    return home.actions.submit("ledger.transaction-booked/1", body, home.key_files.key()).digest


def labels(grid: Grid) -> list[str]:
    return [row[0].label for row in grid.rows if isinstance(row[0], Ref | Link)]


def test_news_come_newest_first_each_once_and_under_their_own_names(home: Home) -> None:
    for memo in ("rent", "flour"):
        book(home, memo)
    found = news.latest(home, EVERYTHING, 10)
    told = labels(news.grid(found, home.view(), ""))
    assert told[:2] == ["Transaction booked: flour", "Transaction booked: rent"]
    assert len(told) == len(set(told))


def test_many_of_one_sort_are_told_in_one_line(home: Home) -> None:
    for number in range(6):
        book(home, f"booking {number}")
    told = labels(news.gathered(home, news.latest(home, EVERYTHING, 30), home.view(), ""))
    assert told[0] == "Transaction booked, 6 times"


def test_what_has_the_same_words_is_one_line_even_where_something_stands_between(home: Home) -> None:
    for memo in ("rent", "flour", "rent"):
        book(home, memo)
    told = labels(news.gathered(home, news.latest(home, EVERYTHING, 30), home.view(), ""))
    assert told[:2] == ["Transaction booked: rent, 2 times", "Transaction booked: flour"]
    assert len(told) == len(set(told))


def test_answers_and_words_are_told_under_what_they_are_about(home: Home) -> None:
    key = home.key_files.key()
    body = {"title": "A quiet hour", "text": "From two to three.", "why": "Some sleep.", "binds": "Us"}
    proposal = home.actions.submit("decision.proposed/1", body, key).digest
    for words in ("And on Sundays?", "Gladly."):
        home.actions.submit("decision.discussed/1", {"proposal": proposal.hex(), "sort": "reaction", "words": words}, key)
    line = news.gathered(home, news.latest(home, EVERYTHING, 30), home.view(), "").rows[0]
    assert line[0] == Link("2 words on “A quiet hour”", f"/record/{proposal.hex()}")
    assert line[1] == Ref(key.public, "member")


def test_what_is_for_members_is_no_news_to_others(home: Home) -> None:
    told = [each.title for each in news.latest(home, PUBLIC, 30)]
    assert told
    assert not any("Ada" in title or "named" in title for title in told)


def test_what_came_since_one_looked_is_marked(home: Home) -> None:
    book(home, "rent")
    found = news.latest(home, EVERYTHING, 10)
    grid = news.grid(found, home.view(), "", since_ms=found[0].logged_ms - 1)
    assert grid.rows[0][-1] == State("new", "good")
    assert news.grid(found, home.view(), "", since_ms=found[0].logged_ms).columns[-1] == "When"


def test_nobody_is_told_what_is_due_for_somebody_else(home: Home) -> None:
    guest = SigningKey(b"g" * 32).public
    now_ms = home.clock.now_ms()
    home.actions.submit("member.named/1", {"name": "Ada"}, home.key_files.key())
    for who in (home.key_files.key().public, guest, None):
        found = today.needs(home.view(), who, now_ms)
        assert all(each.who == who for each in found.mine)
        assert all(each.who is None for each in found.everybody)


def test_a_record_names_what_led_from_it_and_what_can_follow(home: Home) -> None:
    digest = book(home, "rent")
    body = {"transaction": digest.hex(), "reasons": "booked twice"}
    home.actions.submit("ledger.transaction-reversed/1", body, home.key_files.key())
    view = home.view()
    read = read_record(home, digest, EVERYTHING)
    assert read
    told = list(record_page.page(home, view, read, telling_for(home, view, home.clock.now_ms())))
    actions = {block.kind: block.filled for block in told if isinstance(block, Action)}
    assert actions["ledger.transaction-reversed/1"]["transaction"] == digest.hex()
    facts = dict(next(block for block in told if isinstance(block, Facts)).pairs)
    assert facts["As a record"] == State("stands", "good")


def test_hashes_are_told_under_proof_only(home: Home) -> None:
    view, now_ms = home.view(), home.clock.now_ms()
    body = {"hash": "ab" * 32, "expires_ms": (now_ms // 60_000 + 60) * 60_000}
    placed = home.actions.submit("member.invited/1", body | {"expires_ms": str(body["expires_ms"])}, home.key_files.key())
    read = read_record(home, placed.digest, EVERYTHING)
    assert read
    telling = telling_for(home, view, now_ms)
    assert "ab" * 32 not in str(list(record_page.page(home, home.view(), read, telling)))
    assert "ab" * 32 in str(record_page.proof(home, home.view(), read))


def test_names_of_records_and_kinds() -> None:
    assert noun_of("ledger.transaction-booked/1") == "transaction"
    assert noun_of("campaign.called/1") == "campaign"
    assert noun_of("campaign.residue-left/1") == "residue"


def test_a_space_and_its_members_have_names_and_others_have_none(home: Home) -> None:
    view, now_ms = home.view(), home.clock.now_ms()
    telling = telling_for(home, view, now_ms)
    assert view.all(FOUNDINGS)
    assert telling.names.label(Ref(home.space, "space")) == "The Mill"
    assert telling.names.label(Ref(home.key_files.key().public, "member")) == "Ada"
    assert telling.names.label(Ref(bytes(32), "member")) == "somebody unknown here"
    public = telling_for(home, home.view(PUBLIC), now_ms)
    assert public.names.label(Ref(home.key_files.key().public, "member")) == "member 1"


def test_while_a_rest_runs_only_what_is_for_oneself_is_told() -> None:
    def notice(number: int, who: bytes | None) -> Notice:
        return Notice(number, 1, 2, 10**13, "roles", f"What {number}", who, bytes(32), 1)

    both = (notice(1, None), notice(2, b"m" * 32))
    (_, told) = today.came_due(both, 5)
    assert isinstance(told, Grid)
    assert len(told.rows) == 2
    _, rest, mine = today.came_due(both, 5, 99)
    assert isinstance(rest, Facts)
    assert isinstance(mine, Grid)
    assert [row[0] for row in mine.rows] == [Ref(bytes(32), "record", "What 2")]


# Roles, and what is decided


MINUTE, DAY = 60_000, 86_400_000
START = moon.new_moon_ms(325) + 2 * DAY
BOOK = "ledger.transaction-booked/1"


class House:
    """A collective by a clock that stands still, whose members decide together."""

    def __init__(self, folder: Path, start_ms: int = START) -> None:
        self.clock = MovedClock(start_ms, running=False)
        self.home = Home.found(folder, "The Mill", "Ada", self.clock)
        self.people = [self.home.key_files.key()]
        self.do("member.named/1", {"name": "Ada"})

    def do(self, kind: str, body: Mapping[str, Any], who: int = 0, audience: int | None = None) -> bytes:
        return self.home.actions.submit(kind, body, self.people[who], audience).digest

    def arrive(self, name: str) -> SigningKey:
        secret, key = name.encode().ljust(16, b"."), SigningKey(name.encode().ljust(32, b"."))
        expires = self.clock.now_ms() // MINUTE * MINUTE + DAY
        self.do("member.invited/1", {"hash": sha256(secret).hexdigest(), "expires_ms": expires})
        self.people.append(key)
        self.do("member.joined/1", {"secret": secret.hex()}, len(self.people) - 1)
        self.do("member.named/1", {"name": name}, len(self.people) - 1)
        self.clock.move(2 * MINUTE)
        return key

    def decide(self, kind: str, body: Mapping[str, Any], audience: int | None = None) -> bytes:
        """Propose exactly this, call, answer, count, and do it; the proposal."""
        made = from_json(KINDS[kind].body, body)
        plan = {"kind": kind, "structure": encode(structure_and_words(made)[0]).hex()}
        said = {"title": f"On {KINDS[kind].title}", "text": "So be it", "why": "It was talked about.", "plans": [plan]}
        proposal = self.do("decision.proposed/1", said, audience=audience)
        call = {"proposal": proposal.hex(), "version": 1, "type": "majority"}
        round_ = self.do("decision.called/1", call, audience=audience)
        for who in range(len(self.people)):
            self.do("vote.cast/1", {"round": round_.hex(), "choice": "yes"}, who, audience)
        self.clock.move(8 * DAY)
        Clockwork(self.home).turn()
        self.do(kind, body)
        return proposal

    def treasurer(self, who: int, up_to: str = "100.00") -> Term:
        """Somebody becomes treasurer for this cycle, by a decision."""
        given: dict[str, Any] = {"role": "treasurer", "cycles": 1, "domain": "Money"}
        defined = self.do("role.defined/1", {**given, "permissions": [{"kind": BOOK, "up_to": up_to}]})
        holder = self.people[who].public.hex()
        asked = {"role": "treasurer", "definition": defined.hex(), "holder": holder, "chosen": "vote"}
        self.decide("role.appointed/1", asked)
        (term,) = self.home.view().all(TERMS)
        return term

    def needs(self, who: int) -> today.Needs:
        return today.needs(self.home.view(), self.people[who].public, self.clock.now_ms())

    def page(self, digest: bytes, audience: int = EVERYTHING) -> list[Block]:
        """The page of a record, as an audience sees it."""
        view = self.home.view(audience)
        read = read_record(self.home, digest, audience)
        assert read
        return list(record_page.page(self.home, view, read, telling_for(self.home, view, self.clock.now_ms())))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "mill")
    yield made
    made.home.close()


def under(told: list[Block], title: str) -> list[Block]:
    """The blocks below a heading."""
    at = next((number for number, block in enumerate(told) if isinstance(block, Heading) and block.text == title), None)
    if at is None:
        return []
    end = next((number for number in range(at + 1, len(told)) if isinstance(told[number], Heading)), len(told))
    return told[at + 1 : end]


def test_what_is_due_for_a_role_is_told_to_its_holder_and_its_shadow_once_and_to_others_as_for_all(house: House) -> None:
    house.arrive("Ben")
    term = house.treasurer(1)
    draw = "Draw a shadow for treasurer"
    assert draw in [each.what for each in house.needs(1).roles]
    assert draw in [each.what for each in house.needs(0).everybody]
    house.do("lot.opened/1", {"purpose": "shadow", "subject": term.id.hex()})
    Clockwork(house.home).turn()
    assert standing(house.home.view(), "shadow", term.id) == (house.people[0].public,)
    house.arrive("Cleo")
    house.clock.move(term.until_ms - house.clock.now_ms() - DAY)
    task = {"title": "Count the till", "category": "money", "role": "treasurer", "ends_ms": term.until_ms}
    house.do("task.offered/1", task)
    house.do("task.offered/1", {**task, "title": "Sweep", "role": ""})
    ends, lacks = "The term as treasurer ends: choose who is next", "“Count the till” still needs 1 person"
    for who in (0, 1, 2):
        found = house.needs(who)
        roles, everybody = {each.what for each in found.roles}, {each.what for each in found.everybody}
        assert not roles & everybody
        assert {ends, lacks} <= (everybody if who == 2 else roles)
        assert "“Sweep” still needs 1 person" in everybody
        told = [each.text for each in today.for_member(house.home.view(), house.people[who].public, house.clock.now_ms())
                if isinstance(each, Heading)]  # fmt: skip
        assert ("For your roles" in told) == (who != 2)
    assert "Your term as treasurer ends: write down what you hand over" in [each.what for each in house.needs(1).mine]
    house.clock.move(DAY)  # the term is over, and with it what belonged to the role
    assert [house.needs(who).roles for who in (0, 1, 2)] == [(), (), ()]


def test_a_practice_can_say_to_which_role_something_due_belongs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.treasurer(0)
    now_ms = house.clock.now_ms()
    ours = Due("Close the books", None, now_ms, now_ms + DAY, bytes(32), role="treasurer")
    told = (ours, replace(ours, role="cook", what="Buy flour"), replace(ours, role="", what="Come"))
    ledger = next(practice for practice in PRACTICES if practice.name == "ledger")
    monkeypatch.setattr(today, "PRACTICES", (replace(ledger, due=lambda view, now_ms: told),))
    found = house.needs(0)
    assert found.roles == (ours,)
    assert [each.what for each in found.everybody] == ["Buy flour", "Come"]
    assert "Close the books" in [mark.label for mark in today.marks(found, now_ms)]


def test_minutes_about_a_proposal_stand_on_each_of_its_pages_and_for_members_alone(house: House) -> None:
    house.treasurer(0)
    (round_,), (outcome,) = house.home.view().all(ROUNDS), house.home.view().all(OUTCOMES)
    proposal = outcome.proposal
    opens = house.clock.now_ms() // MINUTE * MINUTE
    called = {"opens_ms": opens, "ends_ms": opens + DAY, "purpose": "Monthly assembly"}
    assembly = house.do("assembly.called/1", called)
    item = house.do("agenda.added/1", {"title": "How it went", "subject": proposal.hex()})
    words: dict[bytes, str] = {}
    for subject in (proposal, round_.id, outcome.id, item):
        said = f"Words on {len(words)}"
        words[house.do("minutes.taken/1", {"assembly": assembly.hex(), "subject": subject.hex(), "words": said})] = said
    title = "What was said about it at assemblies"
    for digest in (proposal, round_.id, outcome.id):
        told = house.page(digest)
        assert [block.markdown for block in under(told, title) if isinstance(block, Prose)] == list(words.values())
        facts = [dict(block.pairs) for block in under(told, title) if isinstance(block, Facts)]
        assert all(each["At"] == Ref(assembly, "record", "Monthly assembly") for each in facts)
        on = [cell.id if isinstance(cell := each.get("On"), Ref) else digest for each in facts]
        assert on == [proposal, round_.id, outcome.id, item]
        led = {row[0].id for block in under(told, "What it led to") if isinstance(block, Grid) for row in block.rows
               if isinstance(row[0], Ref)}  # fmt: skip
        assert not led & words.keys()
        assert not under(house.page(digest, PUBLIC), title)
    told = house.page(item)
    assert not under(told, title)
    assert [block.markdown for block in told if isinstance(block, Prose)] == ["Words on 3"]


def test_of_what_a_record_led_to_the_latest_are_told_and_how_many_more_there_are(house: House) -> None:
    opens = house.clock.now_ms() // MINUTE * MINUTE
    assembly = house.do("assembly.called/1", {"opens_ms": opens, "ends_ms": opens + DAY, "purpose": "Monthly assembly"})
    notes = []
    for number in range(15):
        notes.append(house.do("minutes.taken/1", {"assembly": assembly.hex(), "words": f"Words {number}"}))
        house.clock.move(MINUTE)
    grid, more = under(house.page(assembly), "What it led to")
    assert isinstance(grid, Grid)
    assert [row[0].id for row in grid.rows if isinstance(row[0], Ref)] == notes[:2:-1]
    found = house.home.store.find(notes[3])
    assert found
    assert more == Facts([("Before that", Link("3 more records, in Memory", f"/memory?before={found.position}"))])


def test_the_wheel_names_what_ends_alone_and_counts_what_ends_together() -> None:
    now_ms = moon.new_moon_ms(331) + DAY
    long = "A question that was talked about at length in every round of the summer"
    whats = ((long, DAY), ("Close the books", 2 * DAY), ("Come", 3 * DAY), ("Bring a chair", 3 * DAY))
    found = today.Needs((), (), tuple(Due(what, None, now_ms, now_ms + after_ms, bytes(32)) for what, after_ms in whats))
    told = [(mark.label, mark.at_ms) for mark in today.days(found, now_ms)]
    assert told[1:] == [("Close the books", now_ms + 2 * DAY), ("2 things due", now_ms + 3 * DAY)]
    assert told[0][0].endswith("…")
    assert long.startswith(told[0][0].removesuffix("…"))
