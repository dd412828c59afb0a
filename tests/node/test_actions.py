"""The one way in: times that rise, bulk that equals one by one, refusals that leave nothing, audiences that only narrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.storage import StorageError
from node.actions import Actions, Draft
from node.clock import Clock, MovedClock
from node.home import Home
from node.store import Placed
from protocol import body as bodies
from protocol import record
from protocol.body import Field
from protocol.encoding import encode
from protocol.keys import SigningKey
from protocol.practice import ALLIES, LATEST, MEMBERS, PROBLEMS, PUBLIC, Refused
from protocol.practices import KINDS, TABLES
from protocol.practices.ledger import Booked, Posting
from protocol.record import RecordError, parse

NOW = 1_790_000_000_000
OTHER, THIRD = b"o" * 32, b"t" * 32


class Seeded(MovedClock):
    """A clock that stands still and draws the same bytes in the same order."""

    def __init__(self, now_ms: int = NOW) -> None:
        super().__init__(now_ms, running=False)
        self._drawn = 0

    def random(self, count: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(8, "big").rjust(count, b"\x01")[-count:]


def founded(folder: Path, clock: Clock) -> tuple[Home, SigningKey]:
    home = Home.found(folder, "The Mill", "Ada", clock)
    return home, home.key_files.key()


@pytest.fixture
def clock() -> Seeded:
    return Seeded()


@pytest.fixture
def mill(tmp_path: Path, clock: Seeded) -> Iterator[tuple[Home, SigningKey]]:
    home, ada = founded(tmp_path / "mill", clock)
    yield home, ada
    home.close()


def booked(minor: int = 1250, currency: str = "EUR", memo: str = "Flour") -> Booked:
    return Booked(
        date="2026-09-20",
        memo=memo,
        postings=[Posting("expenses:food", minor, currency), Posting("assets:cash", -minor, currency)],
    )


def times(home: Home) -> list[int]:
    rows = home.store.rows(home.space, 2, home.log.size)
    return [parse(row.record).at_ms for row in rows if row.record]


def snapshot(home: Home) -> tuple[Any, ...]:
    """All that a refusal must leave as it was."""
    log = home.log
    return log.size, log.root, home.store.rows(home.space, 0, log.size + 5), home.store.tables.dump(TABLES)


# Times


def test_times_of_one_author_rise_strictly_while_the_clock_stands_still_and_when_it_falls(
    mill: tuple[Home, SigningKey], clock: Seeded
) -> None:
    home, ada = mill
    for step_ms in (0, 0, -3_600_000, 0, 1, 7_200_000, -1):
        clock.move(step_ms)
        home.actions.submit("ledger.transaction-booked/1", booked(), ada)
    found = times(home)
    assert all(one < two for one, two in pairwise(found))
    assert not home.view().all(PROBLEMS)


def test_times_rise_across_opening_anew(tmp_path: Path, clock: Seeded) -> None:
    home, ada = founded(tmp_path / "mill", clock)
    home.actions.submit("ledger.transaction-booked/1", booked(), ada)
    home.close()
    again = Home.open(tmp_path / "mill", clock)
    again.actions.submit("ledger.transaction-booked/1", booked(), ada)
    found = times(again)
    assert found[0] < found[1]
    again.close()


def test_each_audience_has_a_clock_of_its_own_so_that_a_hidden_act_shows_in_no_public_time(
    mill: tuple[Home, SigningKey],
) -> None:
    home, ada = mill
    for audience in (PUBLIC, MEMBERS, MEMBERS, MEMBERS, PUBLIC):
        home.actions.submit("ledger.transaction-booked/1", booked(), ada, audience)
    found = times(home)
    assert found[4] == found[0] + 1  # three hidden acts between them moved nothing


def test_refused_lines_use_up_no_time_that_others_need(mill: tuple[Home, SigningKey]) -> None:
    home, ada = mill
    bad = [Draft("ledger.transaction-booked/1", Booked(date="2026-09-20", postings=[Posting("assets:cash", 1, "EUR")]))]
    home.actions.submit_drafts(bad * 50, ada)
    placed = home.actions.submit("ledger.transaction-booked/1", booked(), ada)
    (row,) = home.store.rows(home.space, placed.position, placed.position + 1)
    assert row.record is not None
    assert parse(row.record).at_ms <= home.clock.now_ms() + 1


# Bulk


lines = st.lists(
    st.tuples(st.integers(-300, 300), st.sampled_from(["EUR", "HOURS", "eur"]), st.sampled_from([PUBLIC, ALLIES, MEMBERS])),
    max_size=12,
)


def rows_but_times(home: Home) -> dict[str, Any]:
    """Every row, but for what follows from the author's clock and from digests."""
    told: dict[str, Any] = {}
    for table in TABLES:
        if table is LATEST:
            continue
        names = [*table.row.__struct_fields__, "audience"]
        keep = [i for i, name in enumerate(names) if name not in ("id", "digest", "source", "prefix")]
        told[table.name] = sorted(
            [tuple(row[i] for i in keep) for row in home.store.tables.dump([table])[table.name]], key=repr
        )
    return told


@settings(max_examples=12)
@given(lines)
def test_bulk_gives_the_same_log_and_tables_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, given_lines: Sequence[tuple[int, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("bulk")
    told = []
    for name, bulk in (("one", False), ("many", True)):
        home, ada = founded(folder / name, Seeded())
        drafts = [Draft("ledger.transaction-booked/1", booked(minor, unit), audience) for minor, unit, audience in given_lines]
        if bulk:
            answers = list(home.actions.submit_many(drafts, ada))
        else:
            answers = [home.actions.submit_drafts([draft], ada)[0] for draft in drafts]
        said = [str(each) if isinstance(each, Refused) else each.position for each in answers]
        told.append((said, home.log.size, rows_but_times(home)))
        home.store.rebuild()
        assert rows_but_times(home) == told[-1][2]
        home.close()
    assert told[0] == told[1]


def test_bulk_is_told_batch_by_batch_and_what_was_told_is_durable(
    mill: tuple[Home, SigningKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, ada = mill
    monkeypatch.setattr("node.actions.BATCH", 3)
    drawn = iter([Draft("ledger.transaction-booked/1", booked(minor)) for minor in range(1, 8)])
    telling = iter(home.actions.submit_many(drawn, ada))
    first = next(telling)
    assert isinstance(first, Placed)
    assert home.log.size == 2 + 3
    assert len(list(drawn)) == 4  # the rest was not drawn yet


def test_one_line_that_is_too_large_is_refused_and_the_rest_of_its_batch_stands(mill: tuple[Home, SigningKey]) -> None:
    home, ada = mill
    huge = Booked(date="2026-09-20", memo="x" * 60_000, postings=booked().postings)
    drafts = [Draft("ledger.transaction-booked/1", each) for each in (booked(1), huge, booked(2))]
    told = list(home.actions.submit_many(drafts, ada))
    assert [type(each) for each in told] == [Placed, Refused, Placed]
    assert "at most" in str(told[1])
    assert [each.position for each in told if isinstance(each, Placed)] == [2, 3]


# Refusals


def role(kind: str) -> dict[str, Any]:
    return {"role": "cook", "cycles": 1, "permissions": [{"kind": kind}], "domain": "What we eat."}


def protocol(name: str, value: int) -> dict[str, Any]:
    said = {"name": "Doors", "purpose": "Who comes in, and how.", "text": "We open the door to each other."}
    return {**said, "settings": [{"name": name, "value": value}]}


def planning(kind: str, structure: dict[str, Any]) -> dict[str, Any]:
    plan = {"kind": kind, "structure": encode(structure).hex()}
    return {"title": "A plan", "text": "It is for us.", "why": "It was asked for.", "plans": [plan]}


@pytest.mark.parametrize(
    ("kind", "body", "sentence"),
    [
        ("ledger.transaction-booked/1", {"date": "yesterday", "memo": "x", "postings": []}, "Date"),
        ("ledger.transaction-booked/1", {"date": "2026-09-20", "memo": "x"}, "Postings"),
        (
            "ledger.transaction-booked/1",
            {"date": "2026-09-20", "memo": "x", "postings": [{"account": "assets:cash", "amount": 12.5, "currency": "EUR"}]},
            "Amount",
        ),
        ("ledger.transaction-booked/1", {"date": "2026-09-20", "memo": "x", "wrong": 1}, "wrong"),
        ("weather.seen/1", {}, "knows no kind"),
        (
            "role.defined/1",
            role("ledger.transaction-book/1"),
            "no kind “ledger.transaction-book/1”.*: ledger.transaction-booked/1",
        ),
        ("role.defined/1", role("vote.cast/1"), "is for every member, so no role can keep it"),
        ("protocol.published/1", protocol("members.vouches", 11), "takes a whole number from 1 to 10; this is 11"),
        ("decision.proposed/1", planning("protocol.published/1", protocol("members.vouches", 11)), "this is 11"),
        ("decision.proposed/1", planning("member.removed/1", {}), "“Remove a member” is planned in no form"),
        ("decision.proposed/1", planning("weather.seen/1", {}), "cannot be read here"),
        (
            "decision.proposed/1",
            planning("role.defined/1", {"role": "cook", "cycles": 1, "permissions": [{"kind": "vote.cast/1"}]}),
            "no role can keep it",
        ),
        ("member.named/1", {"name": ""}, "Name"),
        ("ledger.transaction-booked/1", ["not", "an", "object"], "an object"),
    ],
)
def test_a_body_out_of_form_is_refused_by_field_and_leaves_nothing(
    mill: tuple[Home, SigningKey], kind: str, body: Any, sentence: str
) -> None:
    home, ada = mill
    before = snapshot(home)
    with pytest.raises(Refused, match=sentence):
        home.actions.submit(kind, body, ada)
    assert snapshot(home) == before


scraps = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.integers(min_value=2**53), st.floats(allow_nan=True),
        st.text(st.characters(), max_size=20), st.just("\ud800"), st.just("9" * 5000), st.just("9999-12-31"), st.just("isle:"),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=400)
@given(st.data())
def test_whatever_is_written_into_a_body_it_becomes_one_or_a_sentence_that_can_be_shown(data: st.DataObject) -> None:
    kind = KINDS[data.draw(st.sampled_from(sorted(KINDS)))]
    body: type[msgspec.Struct] = kind.body
    known = bodies.fields(body)
    value = {each.name: data.draw(_scrap(each)) for each in known if data.draw(st.integers(0, 9))}
    try:
        made = bodies.from_json(body, value)
        structure, words = bodies.structure_and_words(made)
        record.seal(kind.name, NOW, PUBLIC, structure, SigningKey(b"a" * 32), OTHER, words=words, random=bytes(32))
    except (Refused, RecordError) as refusal:
        said = str(refusal)
        assert said.endswith((".", "?"))
        assert len(said) < 1200
        said.encode()


def _scrap(known: Field) -> st.SearchStrategy[Any]:
    if known.many:
        one = msgspec.structs.replace(known, many=False)
        return st.one_of(st.lists(_scrap(one), max_size=3), scraps)
    if known.inner:
        return st.one_of(st.fixed_dictionaries({each.name: _scrap(each) for each in known.inner}), scraps)
    return scraps


def test_a_record_that_does_not_hold_leaves_nothing(mill: tuple[Home, SigningKey]) -> None:
    home, ada = mill
    before = snapshot(home)
    for body, key in (
        (
            Booked(date="2026-09-20", memo="x", postings=[Posting("assets:cash", 5, "EUR"), Posting("assets:bank", -4, "EUR")]),
            ada,
        ),
        (booked(), SigningKey(b"s" * 32)),  # a stranger
    ):
        with pytest.raises(Refused):
            home.actions.submit("ledger.transaction-booked/1", body, key)
        assert snapshot(home) == before


def test_a_store_that_fails_within_the_transaction_leaves_nothing_and_goes_on_afterwards(
    mill: tuple[Home, SigningKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, ada = mill
    before = snapshot(home)

    def fail(*_: object) -> None:
        raise OSError("no space left")

    for step in ("_write_clocks", "_insert", "_keep_tiles"):
        with monkeypatch.context() as broken:
            broken.setattr(home.store, step, fail)
            with pytest.raises(OSError, match="no space"):
                home.actions.submit("ledger.transaction-booked/1", booked(), ada)
        assert snapshot(home) == before, step
    assert home.actions.submit("ledger.transaction-booked/1", booked(), ada).position == before[0]
    assert home.heads.sign()


def test_a_full_disk_is_a_sentence_and_nothing_of_the_record_is_kept(mill: tuple[Home, SigningKey]) -> None:
    home, ada = mill
    before = snapshot(home)
    db = home.store.db
    (pages,), (most,) = db.execute("PRAGMA page_count").fetchone(), db.execute("PRAGMA max_page_count").fetchone()
    db.execute(f"PRAGMA max_page_count={pages}")
    large = [Draft("ledger.transaction-booked/1", booked(memo="x" * 400)) for _ in range(200)]
    with pytest.raises(StorageError, match=r"Nothing was kept: .*full"):
        list(home.actions.submit_many(large, ada))
    assert snapshot(home) == before
    db.execute(f"PRAGMA max_page_count={most}")
    assert home.actions.submit("ledger.transaction-booked/1", booked(), ada).position == before[0]
    assert home.heads.sign()


# Audiences


@pytest.mark.parametrize("audience", [PUBLIC, ALLIES, [OTHER]])
def test_an_audience_cannot_be_widened(mill: tuple[Home, SigningKey], audience: int | list[bytes]) -> None:
    home, ada = mill
    before = snapshot(home)
    assert KINDS["member.named/1"].audience == MEMBERS
    with pytest.raises(Refused, match="udience"):
        home.actions.submit("member.named/1", {"name": "Ada L."}, ada, audience)
    assert snapshot(home) == before


def test_nor_by_a_draft_that_was_made_by_hand(mill: tuple[Home, SigningKey]) -> None:
    home, ada = mill
    body = home.actions.draft("member.named/1", {"name": "Ada L."}).body
    for audience in (PUBLIC, ALLIES, (OTHER,)):
        (told,) = home.actions.submit_drafts([Draft("member.named/1", body, audience)], ada)
        assert isinstance(told, Refused)
        assert "audience" in str(told)


@pytest.mark.parametrize(
    ("given_audience", "heard"),
    [(None, PUBLIC), (ALLIES, ALLIES), (MEMBERS, MEMBERS), ([THIRD, OTHER, OTHER], (OTHER, THIRD))],
)
def test_a_narrowed_record_says_its_audience_and_its_entry_says_that_it_is_not_public(
    mill: tuple[Home, SigningKey], given_audience: int | list[bytes] | None, heard: int | tuple[bytes, ...]
) -> None:
    home, ada = mill
    placed = home.actions.submit("ledger.transaction-booked/1", booked(), ada, given_audience)
    (row,) = home.store.rows(home.space, placed.position, placed.position + 1)
    assert row.record is not None
    assert parse(row.record).audience == heard
    assert row.flag == int(heard != PUBLIC)


@pytest.mark.parametrize("audience", [-1, 3, 7, 16, 2**40, [], [b"short"], True])
def test_an_audience_that_is_none_is_refused_rather_than_read_as_another(
    mill: tuple[Home, SigningKey], audience: int | list[bytes]
) -> None:
    home, ada = mill
    before = snapshot(home)
    with pytest.raises(Refused, match="Audience"):
        home.actions.submit("ledger.transaction-booked/1", booked(), ada, audience)
    assert snapshot(home) == before


def test_acts_on_a_space_that_is_not_held_are_refused(mill: tuple[Home, SigningKey]) -> None:
    home, ada = mill
    actions = Actions(home.store, OTHER, home.clock)
    with pytest.raises(StorageError, match="does not hold that space"):
        actions.submit("ledger.transaction-booked/1", booked(), ada)
    actions.close()
