"""Where a campaign stands: the same on every node that holds the same records, whatever the order they came in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from protocol.practice import MEMBERS, PUBLIC, Kind, Refused
from protocol.practices import campaigns
from protocol.practices.campaigns import Called, Countered, Declined, Joined, Withdrawn
from protocol.record import scope_of
from protocol.standing import CALLS, Call, Standing, Terms, digest_of, spell, standing
from tests.protocol.desk import Desk

KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in campaigns.PRACTICE.kinds}
DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
T0 = 29_500_000 * MINUTE
A, B, C, D, E = (bytes([letter]) * 32 for letter in b"abcde")
UNTIL = T0 + 5 * DAY


def window(shift_days: int = 0, builds: str = "A tool library that stays") -> Terms:
    opens = UNTIL + DAY + shift_days * DAY
    return Terms(opens, opens + 5 * DAY, opens + 9 * DAY, opens + 14 * DAY, opens + 20 * DAY, builds)


TERMS = {"x": window(), "y": window(1), "z": window(0, "A kitchen that stays open")}
CALL = Called(name="Spring", why="because " * 6, invited=[B, C], quorum=2, answers_until_ms=UNTIL, terms=TERMS["x"])
CALL_ID = b"#" * 32


def record(said: str) -> tuple[str, Struct]:
    """`x`, `y`, `z`: join those terms; `-`: decline; `~`: withdraw; `#`: the call."""
    if said == "#":
        return "campaign.called/1", CALL
    if said == "-":
        return "campaign.declined/1", Declined(CALL_ID, A)
    if said == "~":
        return "campaign.withdrawn/1", Withdrawn(CALL_ID, A)
    if said == "x":
        return "campaign.joined/1", Joined(CALL_ID, A, TERMS["x"])
    return "campaign.countered/1", Countered(CALL_ID, A, TERMS[said])


def tell(desk: Desk, space: bytes, said: str, at_ms: int = T0 + HOUR) -> bool:
    """Write one record into a space's log; whether it held."""
    kind, body = record(said)
    try:
        desk.write(KINDS[kind], body, space=space, logged_ms=at_ms, digest=CALL_ID if said == "#" else b"")
    except Refused:
        return False
    return True


def stand(desk: Desk, now_ms: int = T0 + 2 * HOUR) -> Standing:
    view = desk.view(C)
    (call,) = view.everywhere(CALLS, id=CALL_ID)
    return standing(view, call, now_ms)


def oracle(logs: Sequence[tuple[bytes, Sequence[str]]], quorum: int = 2) -> tuple[bytes, tuple[bytes, ...], bool]:
    """(terms in force, who joined them, armed) told from the words alone, by the definition."""
    joins: dict[str, set[bytes]] = defaultdict(set)
    for space, log in logs:
        for said in log:
            if said in "#xyz":
                joins["x" if said == "#" else said].add(space)
    most = max(len(spaces) for spaces in joins.values())
    digests = {digest_of(spell(TERMS[name])): name for name, spaces in joins.items() if len(spaces) == most}
    first = min(digests)
    return first, tuple(sorted(joins[digests[first]])), most >= quorum


def interleavings(*logs: Sequence[str]) -> Iterator[tuple[int, ...]]:
    """Every order in which the records of some logs can arrive: the log from which each next one comes."""

    def walk(left: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if not any(left):
            yield ()
        for log, count in enumerate(left):
            if count:
                for rest in walk((*left[:log], count - 1, *left[log + 1 :])):
                    yield (log, *rest)

    return walk(tuple(len(log) for log in logs))


WORDS = ("x", "y", "z", "-", "~")
OTHERS = [(), *((one,) for one in WORDS), *product(WORDS, WORDS)]
CALLERS = [("#",), ("#", "y"), ("#", "z"), ("#", "~"), ("#", "-"), ("#", "x")]


def held(logs: Sequence[tuple[bytes, Sequence[str]]]) -> tuple[Desk, list[tuple[bytes, list[str]]]]:
    """A node that holds all of these logs, and what of them held by the rules."""
    desk = Desk()
    return desk, [(space, [said for said in log if tell(desk, space, said)]) for space, log in logs]


def test_every_small_history_of_three_logs_stands_as_the_definition_says() -> None:
    armed = 0
    for caller, second, third in product(CALLERS, OTHERS, OTHERS):
        desk, kept = held([(A, caller), (B, second), (C, third)])
        stands = stand(desk)
        assert (stands.terms_digest, stands.joined, stands.armed) == oracle(kept), (caller, second, third)
        armed += stands.armed
    assert 3000 < armed < len(CALLERS) * len(OTHERS) ** 2


def test_every_interleaving_of_three_logs_gives_one_standing() -> None:
    histories = [(a, b, c) for a in CALLERS for b in OTHERS for c in OTHERS if len(a) == len(b) == len(c) == 2]
    for caller, second, third in histories[::29]:
        logs = [(A, caller), (B, second), (C, third)]
        expected, page = None, b""
        for number, order in enumerate(interleavings(caller, second, third)):
            desk, at = Desk(seed=number), [0, 0, 0]
            for space in (C, B, A) if number % 2 else (A, B, C):  # each node numbers spaces in its own way
                desk.meet(space)
            for log in order:
                tell(desk, logs[log][0], logs[log][1][at[log]])
                at[log] += 1
            stands = stand(desk)
            drawn = msgspec.json.encode(list(campaigns.page(desk.view(C), T0 + 2 * HOUR)))
            expected, page = expected or stands, page or drawn
            assert (stands, drawn) == (expected, page), (caller, second, third, order)


def test_while_records_arrive_no_join_is_ever_lost() -> None:
    for order in interleavings(("#", "~"), ("x", "~"), ("y", "x")):
        desk, at = Desk(), [0, 0, 0]
        before: set[tuple[bytes, bytes]] = set()
        logs = [(A, ("#", "~")), (B, ("x", "~")), (C, ("y", "x"))]
        for log in order:
            tell(desk, logs[log][0], logs[log][1][at[log]])
            at[log] += 1
            if at[0]:
                now = {(offer.digest, space) for offer in stand(desk).offers for space in offer.spaces}
                assert before <= now
                before = now


said = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 7 * 24 * 60)), max_size=4)


@given(st.lists(said, min_size=5, max_size=5), st.integers(2, 4), st.integers(0, 10**6), st.integers(0, 30))
def test_larger_histories_stand_alike_on_nodes_that_met_them_in_other_orders(
    drawn: list[list[tuple[str, int]]], quorum: int, seed: int, now_days: int
) -> None:
    spaces = (A, B, C, D, E)
    body = msgspec.structs.replace(CALL, invited=[B, C, D], quorum=quorum)  # E is not invited
    logs = [(space, sorted(log, key=lambda each: each[1])) for space, log in zip(spaces, drawn, strict=True)]
    nodes = []
    for number, order in enumerate((spaces, spaces[::-1])):
        desk = Desk(seed + number)
        for space in order:
            desk.meet(space)
        desk.write(KINDS["campaign.called/1"], body, space=A, logged_ms=T0, digest=CALL_ID)
        for space in order:
            for each, minute in dict(logs)[space]:
                tell(desk, space, each, T0 + minute * MINUTE)
        nodes.append(stand(desk, T0 + now_days * DAY))
    assert nodes[0] == nodes[1]
    counted = {
        (word.space, digest_of(word.answer.spelled))
        for word in nodes[0].words
        if word.answer.spelled and word.answer.logged_ms <= UNTIL and word.space != E
    }
    by_terms = {offer.digest: offer.spaces for offer in nodes[0].offers}
    assert {(space, digest) for digest, joined in by_terms.items() for space in joined} == counted
    assert nodes[0].armed == (max(len(joined) for joined in by_terms.values()) >= quorum)


@given(st.permutations(["#", "x", "y"]), st.integers(1, 3))
def test_with_the_callers_later_records_lost_the_others_still_agree(words: list[str], kept: int) -> None:
    """The caller's node is gone: each of the others holds the call and what came before the loss, and no more."""
    nodes = []
    for seed in range(3):
        desk = Desk(seed)
        for each in ("#", "y", "z")[:kept]:
            tell(desk, A, each)
        for each in words:
            if each != "#":
                tell(desk, B, each)
                tell(desk, C, each)
        nodes.append(stand(desk))
    assert nodes[0] == nodes[1] == nodes[2]
    assert nodes[0].armed and {B, C} <= set(nodes[0].joined)


# What counts


def test_an_answer_counts_to_the_minute_in_which_answers_end() -> None:
    for late, armed in ((0, True), (MINUTE, False)):
        desk = Desk()
        tell(desk, A, "#")
        tell(desk, B, "x", UNTIL + late)
        stands = stand(desk, UNTIL + HOUR)
        assert stands.armed == armed
        assert stands.phase == ("armed" if armed else "lapsed")
        assert [bool(word.flaw) for word in stands.words] == [False, not armed]


def test_a_space_counts_once_for_one_set_of_terms() -> None:
    desk = Desk()
    tell(desk, A, "#")
    for each in ("y", "z", "y"):
        assert tell(desk, B, each)
    stands = stand(desk)
    assert not stands.armed and [len(offer.spaces) for offer in stands.offers] == [1, 1, 1]


def test_of_terms_with_equally_many_joins_the_smaller_digest_is_in_force() -> None:
    desk = Desk()
    tell(desk, A, "#")
    tell(desk, B, "y")
    stands = stand(desk)
    assert stands.terms_digest == min(digest_of(spell(TERMS[each])) for each in "xy")


def test_a_withdrawal_is_shown_beside_the_join_even_when_it_comes_late() -> None:
    desk = Desk()
    tell(desk, A, "#")
    tell(desk, B, "x")
    tell(desk, B, "~", UNTIL + DAY)
    stands = stand(desk, UNTIL + 2 * DAY)
    assert stands.armed and stands.joined == (A, B) and stands.withdrawn == (B,)


def test_it_was_armed_when_the_last_join_that_it_took_was_logged() -> None:
    desk = Desk()
    tell(desk, A, "#", T0)
    tell(desk, C, "x", T0 + 3 * HOUR)
    tell(desk, B, "x", T0 + 2 * HOUR)
    assert stand(desk).armed_ms == T0 + 2 * HOUR


def test_joining_again_does_not_move_the_moment_of_arming() -> None:
    desk = Desk()
    tell(desk, A, "#", T0)
    for each, hours in (("x", 2), ("~", 3), ("x", 4)):
        assert tell(desk, B, each, T0 + hours * HOUR)
    assert stand(desk).armed_ms == T0 + 2 * HOUR


def test_a_call_lapses_when_the_last_minute_of_answers_is_over() -> None:
    desk = Desk()
    tell(desk, A, "#")
    assert stand(desk, UNTIL + MINUTE - 1).phase == "called"
    assert stand(desk, UNTIL + MINUTE).phase == "lapsed"


def test_silence_and_refusal_are_told_apart() -> None:
    desk = Desk()
    tell(desk, A, "#")
    tell(desk, B, "-")
    stands = stand(desk)
    assert (stands.declined, stands.silent) == ((B,), (C,))


def test_answers_for_another_audience_from_the_uninvited_or_to_another_caller_do_not_count() -> None:
    desk = Desk()
    tell(desk, A, "#")
    join = KINDS["campaign.joined/1"]
    desk.write(join, Joined(CALL_ID, A, TERMS["x"]), space=B, logged_ms=T0 + HOUR, audience=MEMBERS)
    desk.write(join, Joined(CALL_ID, D, TERMS["x"]), space=C, logged_ms=T0 + HOUR)
    desk.write(join, Joined(CALL_ID, A, TERMS["x"]), space=D, logged_ms=T0 + HOUR)
    early = msgspec.structs.replace(TERMS["x"], opens_ms=UNTIL)
    desk.write(KINDS["campaign.countered/1"], Countered(CALL_ID, A, early), space=C, logged_ms=T0 + HOUR)
    stands = stand(desk)
    assert not stands.armed and stands.joined == (A,)
    assert sorted(word.flaw for word in stands.words) == [
        "", "for another audience than the call", "names another caller", "not invited", "opens before the answers are in",
    ]  # fmt: skip


def test_a_call_for_named_spaces_counts_answers_for_the_same_spaces_and_public_ones() -> None:
    scope = scope_of(tuple(sorted((A, B, C))))
    desk = Desk()
    desk.write(KINDS["campaign.called/1"], CALL, space=A, logged_ms=T0, digest=CALL_ID, audience=scope)
    join = KINDS["campaign.joined/1"]
    desk.write(join, Joined(CALL_ID, A, TERMS["x"]), space=B, logged_ms=T0 + HOUR, audience=scope)
    desk.write(join, Joined(CALL_ID, A, TERMS["x"]), space=C, logged_ms=T0 + HOUR, audience=PUBLIC)
    assert stand(desk).joined == (A, B, C)


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        (0, "armed"),
        (1, "open"),
        (2, "crest"),
        (3, "consolidation"),
        (4, "rest"),
        (5, "over"),
    ],
)
def test_phases_follow_the_clock_to_the_millisecond(at: int, phase: str) -> None:
    desk = Desk()
    tell(desk, A, "#")
    tell(desk, B, "x")
    edges = (T0, *TERMS["x"].edges)
    assert stand(desk, edges[at]).phase == phase
    if at < 5:
        assert stand(desk, edges[at + 1] - 1).phase == phase


def test_the_same_words_and_times_are_the_same_terms_on_every_node() -> None:
    assert spell(TERMS["x"]) == spell(msgspec.convert(msgspec.to_builtins(TERMS["x"]), Terms))
    assert len({spell(each) for each in TERMS.values()}) == 3


def test_a_call_row_counts_its_caller_once_even_if_it_invites_itself() -> None:
    desk = Desk()
    body = msgspec.structs.replace(CALL, invited=[A, B, C])
    desk.write(KINDS["campaign.called/1"], body, space=A, logged_ms=T0, digest=CALL_ID)
    rows: tuple[Call, ...] = desk.view(B).everywhere(CALLS)
    assert rows[0].invited == A + B + C
