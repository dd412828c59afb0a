"""The one judgement: what has an effect, what only leaves a problem, and that nothing in a log stops a fold."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from protocol import record
from protocol.judge import AHEAD_MS, LONGEST, Stored, Verdict, spoken_time
from protocol.keys import SigningKey
from protocol.practice import (
    EVERYTHING,
    FOREVER_MS,
    GRANTS,
    KEYS,
    LATEST,
    PROBLEMS,
    Act,
    Change,
    Grant,
    Key,
    Kind,
    Own,
    Refused,
    Row,
    Table,
    field,
)
from protocol.record import ALLIES, MEMBERS, PUBLIC, Sealed
from tests.laws.memory import Memory

MINUTE_MS = 60_000
NOW = 29_000_000 * MINUTE_MS
SPACE = sha256(b"space").digest()
ADA, BEA = SigningKey(b"a" * 32), SigningKey(b"b" * 32)


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """Something said about a topic."""

    topic: Annotated[str, field("Topic", "What about", max_length=20)]
    count: Annotated[int, field("Count", "How often", ge=0)] = 1
    words: Annotated[str, field("Words", "What was said", erasable=True, max_length=10)] = ""


class Topic(Row, frozen=True):
    """A topic as it stands."""

    topic: str
    count: int
    words: str
    member: bytes


TOPICS = Table("topic", Topic, ("topic",), erasable=("words",))


def say(own: Own, act: Act[Said]) -> Iterator[Change]:
    body = act.body
    if body.topic == "refused":
        raise Refused("This topic is closed. Choose another.")
    if body.topic == "number":
        int(body.topic)
    if body.topic == "divide":
        print(1 // 0)
    if body.topic == "key":
        KINDS[body.topic]
    if body.topic == "half":
        yield TOPICS.put(Topic(act.space, "half", 1, "", act.member))
        raise Refused("Only half of it was good.")
    yield TOPICS.put(Topic(act.space, body.topic, body.count, body.words, act.member))


def take_back(own: Own, act: Act[Said]) -> Iterator[Change]:
    yield TOPICS.drop(act.body.topic)


KINDS: dict[str, Kind[Any]] = {
    kind.name: kind
    for kind in (
        Kind("topic.said/1", "Say", Said, say, weigh=lambda body: body.count),
        Kind("topic.dropped/1", "Take back", Said, take_back),
        Kind("topic.whispered/1", "Whisper", Said, say, audience=MEMBERS),
        Kind("topic.allied/1", "Tell allies", Said, say, audience=ALLIES),
        Kind("topic.shouted/1", "Shout", Said, say, needs=""),
    )
}


class Desk:
    """One log and its fold."""

    def __init__(self) -> None:
        self.store = Memory()
        self.space = self.store.meet(SPACE)
        self.count = 0
        self.log: list[Stored] = []

    def grant(self, key: SigningKey = ADA, audience: int = PUBLIC, **how: Any) -> None:
        given: dict[str, Any] = {
            "source": b"s" * 32,
            "name": "member",
            "since_ms": 0,
            "until_ms": FOREVER_MS,
            "up_to": 0,
            "paused": False,
            "why": "Founding",
        }
        given.update(how)
        self.store.write(self.space, audience, [GRANTS.put(Grant(self.space, holder=key.public, **given))])

    def take(
        self, topic: str = "bread", *, kind: str = "topic.said/1", key: SigningKey = ADA, audience: Any = PUBLIC, at_ms: int = 0,
        logged_ms: int = NOW, flag: int | None = None, genuine: bool = True, words: str = "", body: Any = None, **more: Any,
    ) -> Verdict:  # fmt: skip
        self.count += 1
        made = {"topic": topic, **more} if body is None else body
        sealed = record.seal(
            kind, at_ms or NOW - 1_000_000 + self.count, audience, made, key, SPACE, words={"words": words} if words else None, random=bytes(32),
        )  # fmt: skip
        return self.put(sealed, int(audience != PUBLIC) if flag is None else flag, logged_ms, genuine)

    def put(self, sealed: Sealed, flag: int, logged_ms: int = NOW, genuine: bool = True) -> Verdict:
        digest = sha256(sealed.raw).digest()
        stored = Stored(len(self.log), flag, logged_ms, digest, sealed.raw, sealed.annex, genuine)
        verdict = self.store.judge(self.space, stored, KINDS)
        self.store.keep(self.space, stored, verdict)
        self.log.append(stored)
        return verdict

    def rows(self, table: Table[Any] = TOPICS, audience: int = EVERYTHING) -> dict[str, Any]:
        return {
            str(key[1]): (row, held)
            for key, (row, held) in self.store.kept[table.name].items()
            if audience == EVERYTHING or held <= audience
        }

    def refused(self, why: str, *args: Any, **how: Any) -> None:
        """It leaves a problem that says why, and changes no topic."""
        topics, problems = dict(self.store.kept[TOPICS.name]), len(self.store.kept[PROBLEMS.name])
        verdict = self.take(*args, **how)
        assert why in verdict.refused
        assert [change.table for change in verdict.changes] == [PROBLEMS]
        assert dict(self.store.kept[TOPICS.name]) == topics
        assert len(self.store.kept[PROBLEMS.name]) == problems + 1
        last = self.store.kept[PROBLEMS.name][self.space, len(self.log) - 1][0]
        assert (last.reason, last.digest) == (verdict.refused, self.log[-1].digest)


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.grant()
    return made


def test_a_record_that_holds_has_its_effect_and_keeps_its_audience(desk: Desk) -> None:
    assert desk.take("bread", count=3, words="fresh").refused == ""
    assert desk.rows()["bread"] == (Topic(desk.space, "bread", 3, "fresh", ADA.public), PUBLIC)
    desk.take("salt", audience=MEMBERS)
    assert desk.rows()["salt"][1] == MEMBERS


def test_an_unknown_kind_changes_nothing_and_is_no_problem(desk: Desk) -> None:
    verdict = desk.take(kind="topic.sung/1")
    assert (verdict.refused, verdict.changes, verdict.kind) == ("", (), "topic.sung/1")
    assert desk.rows(PROBLEMS) == {}


def test_an_unknown_kind_moves_its_authors_clock_so_that_knowing_it_later_changes_no_other_verdict(desk: Desk) -> None:
    desk.take(kind="topic.sung/1", at_ms=NOW)
    desk.refused("something later already", at_ms=NOW - 1)
    desk.take("bread", at_ms=NOW + 1)
    assert "bread" in desk.rows()


def test_a_signature_that_is_not_genuine_has_no_effect_and_moves_no_clock(desk: Desk) -> None:
    desk.refused("not genuine", genuine=False, at_ms=NOW)
    assert desk.take("bread", at_ms=NOW - 5).refused == ""


def test_bytes_that_are_no_record_are_a_problem(desk: Desk) -> None:
    verdict = desk.put(Sealed(b"x" * 200, None), 0)
    assert "Not a record" in verdict.refused
    assert verdict.audience == PUBLIC
    assert desk.put(Sealed(b"", None), 1).audience == MEMBERS


@pytest.mark.parametrize(("audience", "flag"), [(PUBLIC, 1), (ALLIES, 0), (MEMBERS, 0), ([b"n" * 32], 0)])
def test_a_flag_that_says_another_audience_has_no_effect_and_shows_to_members_only(
    desk: Desk, audience: Any, flag: int
) -> None:
    desk.refused("another audience", audience=audience, flag=flag)
    assert desk.rows(PROBLEMS, ALLIES) == {}


def test_an_authors_clock_rises_within_an_audience(desk: Desk) -> None:
    desk.take("one", at_ms=NOW)
    desk.refused("something later already", "two", at_ms=NOW)
    desk.refused("something later already", "two", at_ms=NOW - 1)
    desk.take("two", at_ms=NOW + 1)
    desk.take("three", at_ms=NOW - 9, audience=MEMBERS)  # another audience, another clock
    desk.grant(BEA)
    desk.take("four", at_ms=NOW - 9, key=BEA)
    assert set(desk.rows()) == {"one", "two", "three", "four"}


def test_a_copy_of_a_record_has_no_effect(desk: Desk) -> None:
    sealed = record.seal("topic.said/1", NOW, PUBLIC, {"topic": "once"}, ADA, SPACE)
    assert desk.put(sealed, 0).refused == ""
    desk.take("once", kind="topic.dropped/1", at_ms=NOW + 1)
    assert "copy" in desk.put(sealed, 0).refused
    assert desk.rows() == {}


def test_a_refused_record_in_a_log_moves_its_authors_clock_and_one_refused_at_submit_does_not(desk: Desk) -> None:
    desk.refused("closed", "refused", at_ms=NOW)
    desk.refused("something later", "bread", at_ms=NOW)
    fold = desk.store.fold(desk.space, KINDS)
    sealed = record.seal("topic.said/1", NOW + 5, PUBLIC, {"topic": "refused"}, ADA, SPACE)
    stored = Stored(9, 0, NOW, sha256(sealed.raw).digest(), sealed.raw, None)
    with pytest.raises(Refused, match="closed"):
        fold.submit(stored, record.parse(sealed.raw))
    assert fold.finish() == []
    assert desk.take("bread", at_ms=NOW + 5).refused == ""


def test_the_clocks_outlive_the_fold(desk: Desk) -> None:
    desk.take("one", at_ms=NOW)
    desk.store.folds.clear()
    desk.refused("something later", "two", at_ms=NOW)
    assert [row.at_ms for row, _ in desk.rows(LATEST).values()] == [NOW]


def test_an_authors_clock_may_be_a_little_ahead_of_the_log_and_no_more(desk: Desk) -> None:
    desk.refused("ahead of the log", at_ms=NOW + AHEAD_MS + 1)
    assert desk.take("bread", at_ms=NOW + AHEAD_MS).refused == ""


def test_a_clock_far_ahead_does_not_shut_its_author_out(desk: Desk) -> None:
    desk.refused("ahead of the log", at_ms=2**53 - 1)
    assert desk.take("bread", at_ms=NOW).refused == ""


@pytest.mark.parametrize(
    ("kind", "audience", "holds"),
    [
        ("topic.said/1", PUBLIC, True), ("topic.said/1", MEMBERS, True), ("topic.said/1", [b"n" * 32], True),
        ("topic.allied/1", PUBLIC, False), ("topic.allied/1", ALLIES, True), ("topic.allied/1", [b"n" * 32], True), ("topic.allied/1", MEMBERS, True),
        ("topic.whispered/1", PUBLIC, False), ("topic.whispered/1", ALLIES, False), ("topic.whispered/1", [b"n" * 32], False), ("topic.whispered/1", MEMBERS, True),
    ],
)  # fmt: skip
def test_an_audience_is_narrowed_and_never_widened(desk: Desk, kind: str, audience: Any, holds: bool) -> None:
    if holds:
        assert desk.take("bread", kind=kind, audience=audience).refused == ""
    else:
        desk.refused("not for so wide an audience", kind=kind, audience=audience)


@pytest.mark.parametrize(
    "body",
    [{}, {"topic": 1}, {"topic": "x" * 21}, {"topic": "x", "more": 1}, {"topic": "x", "count": -1}, {"topic": "x", "count": "1"},
     {"topic": "x", "count": True}, {"topic": None}, {"topic": b"x"}, {"topic": "x", "words": "in the wrong place"}, {"topic": "x", "words": ""}, {"topic": ["x"]}],
)  # fmt: skip
def test_a_body_out_of_form_or_with_an_unknown_field_has_no_effect(desk: Desk, body: Any) -> None:
    desk.refused("", body=body)


def test_what_a_problem_quotes_of_a_record_is_short(desk: Desk) -> None:
    desk.refused("Not in form", body={"topic": "x", "PLANTED" * 5_000: 1})
    (row, _) = next(iter(desk.rows(PROBLEMS).values()))
    assert len(row.reason) < LONGEST + 50


def test_limits_on_words_decide_nothing_because_words_can_be_erased(desk: Desk) -> None:
    assert desk.take("bread", words="longer than ten characters").refused == ""
    sealed = record.seal(
        "topic.said/1", NOW, PUBLIC, {"topic": "salt"}, ADA, SPACE, words={"words": "x", "other": "y"}, random=bytes(32)
    )
    assert desk.put(Sealed(sealed.raw, None), 0).refused == ""
    assert desk.rows()["salt"][0].words == ""


def test_an_annex_with_unknown_words_adds_nothing(desk: Desk) -> None:
    sealed = record.seal(
        "topic.said/1", NOW, PUBLIC, {"topic": "salt"}, ADA, SPACE, words={"topic": "bread", "member": "z"}, random=bytes(32)
    )
    assert desk.put(sealed, 0).refused == ""
    assert set(desk.rows()) == {"salt"}


@pytest.mark.parametrize("topic", ["number", "divide", "key"])
def test_a_rule_that_fails_on_a_record_refuses_it_and_the_fold_goes_on(desk: Desk, topic: str) -> None:
    desk.refused("cannot make anything of this record", topic)
    assert desk.take("bread").refused == ""


def test_of_a_record_that_is_refused_half_way_nothing_stays(desk: Desk) -> None:
    desk.refused("half of it", "half")
    assert "half" not in desk.rows()


# Authority


def test_who_holds_no_grant_writes_nothing_that_needs_one(desk: Desk) -> None:
    desk.refused("not been given", key=BEA)
    assert desk.take("bread", key=BEA, kind="topic.shouted/1").refused == ""


@pytest.mark.parametrize(
    ("grant", "why"),
    [
        ({"until_ms": NOW}, "ended at"),
        ({"since_ms": NOW + 1}, "begins at"),
        ({"paused": True}, "paused"),
        ({"up_to": 1}, "covers amounts up to 0.01; this is 0.02"),
        ({"name": "assembly"}, "not been given"),
    ],
)
def test_a_grant_counts_within_its_time_and_limit(grant: dict[str, Any], why: str) -> None:
    desk = Desk()
    desk.grant(**grant)
    desk.refused(why, count=2)
    desk.grant(source=b"t" * 32)
    assert desk.take("bread", count=2).refused == ""


def test_a_grant_counts_from_its_first_to_before_its_last_moment_by_the_logs_own_time() -> None:
    desk = Desk()
    desk.grant(since_ms=NOW, until_ms=NOW + MINUTE_MS, up_to=2)
    desk.refused("begins", logged_ms=NOW - MINUTE_MS, at_ms=NOW)
    assert desk.take("bread", count=2, logged_ms=NOW, at_ms=NOW + 1).refused == ""
    desk.refused("ended", logged_ms=NOW + MINUTE_MS, at_ms=NOW + 2)


def test_the_reason_is_the_same_whatever_the_order_in_which_grants_are_read() -> None:
    reasons = set()
    for seed in range(6):
        desk = Desk()
        desk.store.random = random.Random(seed)
        for n in range(4):
            desk.grant(source=bytes([n]) * 32, until_ms=NOW - n * MINUTE_MS, why=f"Appointment {n}")
        reasons.add(desk.take("bread").refused)
    assert len(reasons) == 1


def test_what_decides_is_as_public_as_the_record() -> None:
    desk = Desk()
    desk.grant(audience=MEMBERS)
    desk.refused("not been given", audience=PUBLIC)
    desk.refused("not been given", audience=ALLIES)
    desk.refused("not been given", audience=[b"n" * 32])
    assert desk.take("bread", audience=MEMBERS).refused == ""


def test_a_key_speaks_for_its_member_while_it_is_in_force(desk: Desk) -> None:
    def give(since_ms: int, until_ms: int) -> None:
        desk.store.write(desk.space, PUBLIC, [KEYS.put(Key(desk.space, BEA.public, ADA.public, since_ms, until_ms))])

    give(NOW, NOW + MINUTE_MS)
    desk.refused("counts from", key=BEA, logged_ms=NOW - MINUTE_MS)
    assert desk.take("bread", key=BEA).refused == ""
    assert desk.rows()["bread"][0].member == ADA.public
    desk.refused("retired", key=BEA, logged_ms=NOW + MINUTE_MS)


@pytest.mark.parametrize("kind", ["topic.said/1", "topic.dropped/1"])
@pytest.mark.parametrize("audience", [ALLIES, MEMBERS, [b"n" * 32]])
def test_a_narrower_record_changes_no_more_public_row(desk: Desk, kind: str, audience: Any) -> None:
    desk.take("bread")
    desk.refused("more public than your record", kind=kind, audience=audience)


def test_named_spaces_change_their_own_rows_only(desk: Desk) -> None:
    desk.take("bread", audience=[b"n" * 32])
    desk.refused("more public", audience=[b"o" * 32])
    for other in (ALLIES, MEMBERS):  # they would change what those spaces see, by a record that they do not see
        desk.refused("more public", audience=other)
    assert desk.take("bread", audience=[b"n" * 32], count=7).refused == ""


# Whatever stands in a log


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(0, 1))
def test_no_bytes_in_a_log_stop_a_fold(raws: list[bytes], flag: int) -> None:
    desk = Desk()
    for raw in raws:
        assert desk.put(Sealed(raw, None), flag).refused


def test_mutated_records_never_stop_a_fold_and_replay_gives_the_same_rows(desk: Desk) -> None:
    chance = random.Random(7)
    for number in range(400):
        body = {"topic": chance.choice(["bread", "salt", "refused", "half", "number"]), "count": chance.randrange(5)}
        audience: Any = chance.choice([PUBLIC, ALLIES, MEMBERS, [b"n" * 32]])
        sealed = record.seal(
            chance.choice(list(KINDS)),
            NOW + number,
            audience,
            body,
            chance.choice([ADA, BEA]),
            SPACE,
            words={"words": "w"},
            random=bytes(32),
        )
        raw = bytearray(sealed.raw)
        if chance.random() < 0.4:
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        genuine = record.genuine(bytes(raw), SPACE)
        desk.put(Sealed(bytes(raw), sealed.annex), chance.randrange(2), genuine=genuine)
    again = Desk()
    again.grant()
    for stored in desk.log:
        again.store.keep(again.space, stored, again.store.judge(again.space, stored, KINDS))
    assert again.store.dump() == desk.store.dump()
    assert len(desk.rows()) >= 2


@given(st.integers(0, 253_402_300_799_999))
def test_times_are_spoken_as_the_calendar_has_them(ms: int) -> None:
    assert spoken_time(ms) == datetime.fromtimestamp(ms / 1000 // 60 * 60, UTC).strftime("%Y-%m-%d %H:%M UTC").rjust(20, "0")
    assert msgspec.json.encode(spoken_time(FOREVER_MS))
