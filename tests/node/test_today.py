"""What Today, news and names say, on a real node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node import news, record_page, today
from node.home import Home
from node.names import noun_of, read_record, telling_for
from node.notices import Notice
from protocol.keys import SigningKey
from protocol.membership import FOUNDINGS
from protocol.page import Action, Facts, Grid, Link, Ref, State
from protocol.practice import EVERYTHING, PUBLIC

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
