"""Talks between nodes: who is believed, what an exchange costs, what is pulled, what is withheld, what a fork brings."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from federation.cosignature import name_of
from federation.envelope import ANSWER, REQUEST, EnvelopeError, NotGenuine, Said, Stale, TooLarge, seal
from federation.event import ForkSeen, Grown, Moved, NewCosignature, OwnHead
from federation.fault import NotHeld, NotYet, Refused, Theirs, TooMany
from federation.peers import A_MINUTE, SILENT_MS
from federation.pull import Forked, PullError
from federation.transfer import Asking, Target
from federation.word import FORKED, NOTHING, Exchange, Stub, WordError, find_stub, format_heads, parse_heads
from protocol import evidence
from tests.federation.isle import NOW, Isle, befriend, head
from tests.federation.talk import Node, exchange, fetch, sync


def make(*names: str, count: int = 5, cosigns: bool = False) -> list[Node]:
    """Nodes that all know each other, each with some records."""
    nodes = [Node(Isle(name), cosigns=cosigns) for name in names]
    for node in nodes:
        node.isle.write(count)
        for other in nodes:
            if other is not node:
                befriend(node.isle, other.isle)
    return nodes


# What an exchange says and costs


def test_the_first_exchange_tells_all_and_the_next_is_idle() -> None:
    a, b = make("a", "b")
    events, turns = exchange(a, b)
    assert turns == 1
    assert events == [OwnHead(b.space, 0, b"")]
    peer = a.store.peer(b.space)
    assert peer is not None and peer.summary and peer.heads and peer.last_contact_ms == NOW
    back = b.store.peer(a.space)
    assert back is not None and back.summary and back.heads
    asking = a.service.ask_exchange(peer, NOW + 1)
    answer = b.service.answer("exchange", asking.body, NOW + 1, private=True)
    assert len(asking.body) + sum(map(len, answer.parts)) < 300
    assert not a.service.end_exchange(asking, answer.parts[0], NOW + 1).again


@pytest.mark.parametrize("logs", [1, 60])
def test_an_idle_exchange_is_as_small_for_many_logs(logs: int) -> None:
    a, b = make("a", "b")
    for number in range(logs):
        other = Isle(f"other {number}")
        other.write(1)
        other.sign_head()
        for node in (a, b):
            node.store.learn(other.chain)
            node.store.held[other.space] = other.store.copy().held[other.space]
            node.store.held[other.space].log = replace(node.store.held[other.space].log, ours=False)
    exchange(a, b)
    exchange(b, a)
    peer = a.store.peer(b.space)
    assert peer is not None and len(peer.heads) == 20 * (logs + 1)
    asking = a.service.ask_exchange(peer, NOW)
    assert len(asking.body) == 133
    assert len(b"".join(b.service.answer("exchange", asking.body, NOW, private=True).parts)) == 133


def test_a_new_head_and_its_records_take_two_round_trips() -> None:
    a, b = make("a", "b")
    sync(a, b)
    sync(b, a)
    sync(a, b)
    b.isle.write(100)
    _, turns = exchange(a, b)
    assert turns == 1
    peer = a.store.peer(b.space)
    assert peer is not None
    (target,) = a.service.transfer.plan(peer, NOW)
    assert target.space == b.space
    asking = a.service.transfer.ask(peer, target.space, NOW)
    answer = b.service.answer("pull", asking.body, NOW, private=True)
    taken = a.service.transfer.end(asking, b"".join(answer.parts), NOW)
    assert (taken.rows, taken.size, taken.head_size) == (100, 106, 106)
    assert taken.events == (Grown(b.space, 106),)


def test_a_node_that_lost_what_it_was_told_is_told_again() -> None:
    a, b = make("a", "b")
    exchange(a, b)
    again = Node(b.isle)
    events, turns = exchange(a, again)
    assert turns == 2
    assert events
    again.isle.write(1)
    third = Node(a.isle)
    _, turns = exchange(third, again)
    assert turns == 1


def test_an_answer_that_was_lost_is_made_good() -> None:
    a, b = make("a", "b")
    peer = a.store.peer(b.space)
    assert peer is not None
    b.service.answer("exchange", a.service.ask_exchange(peer, NOW).body, NOW, private=True)
    exchange(a, b, NOW + 1)
    known = a.store.peer(b.space)
    assert known is not None and known.summary


def test_an_older_summary_does_not_take_the_place_of_a_newer() -> None:
    a, b = make("a", "b")
    old = Node(Isle("b", store=b.store.copy()))
    b.isle.write(9)
    exchange(a, b)
    newer = a.store.peer(b.space)
    exchange(a, old, NOW + 5)
    kept = a.store.peer(b.space)
    assert newer is not None and kept is not None and kept.summary == newer.summary


def test_what_a_peer_holds_of_our_log_is_told() -> None:
    a, b = make("a", "b")
    sync(b, a)
    events, _ = exchange(a, b)
    log = a.store.log(a.space)
    assert log is not None
    assert OwnHead(b.space, log.size, log.root[:8]) in events
    events, _ = exchange(a, b)
    assert OwnHead(b.space, log.size, log.root[:8]) in events


def test_the_offset_of_a_peers_clock_is_measured() -> None:
    a, b = make("a", "b")
    peer = a.store.peer(b.space)
    assert peer is not None
    asking = a.service.ask_exchange(peer, NOW)
    answer = b.service.answer("exchange", asking.body, NOW + 90_000, private=True)
    a.service.end_exchange(asking, answer.parts[0], NOW + 200)
    met = a.store.peer(b.space)
    assert met is not None and met.offset_ms == 89_900


def test_a_cosignature_reaches_the_space_whose_head_it_is_on() -> None:
    a, b, c = make("a", "b", "c", cosigns=True)
    sync(b, a)
    events, _ = exchange(b, a)
    assert [each.name for each in a.store.cosignatures(a.space)] == [name_of(b.space, "witness")]
    events, _ = exchange(a, b)
    assert not any(isinstance(each, NewCosignature) for each in events)
    sync(c, a)
    assert {each.name for each in c.store.cosignatures(a.space)} >= {name_of(b.space, "witness"), name_of(c.space, "witness")}


# Who is believed


def body_of(
    a: Node, b: Node, *, time_ms: int = NOW, nonce: bytes = b"nonce  1", verb: str = "exchange", way: str = REQUEST
) -> bytes:
    return seal(verb, way, a.isle.keys.identity, a.space, b.space, Said(time_ms, nonce, Exchange(NOTHING, NOTHING).content()))


def test_a_request_is_taken_once() -> None:
    a, b = make("a", "b")
    body = body_of(a, b)
    b.service.answer("exchange", body, NOW, private=True)
    with pytest.raises(Stale):
        b.service.answer("exchange", body, NOW + 1000, private=True)
    restarted = Node(b.isle, started_ms=NOW + 2000)
    b.store.nonces.clear()
    with pytest.raises(Stale):
        restarted.service.answer("exchange", body, NOW + 3000, private=True)


def test_not_before_the_start_is_measured_by_the_senders_own_clock() -> None:
    a, b = make("a", "b")
    slow_ms = 60_000
    late = Node(b.isle, started_ms=NOW)
    body = body_of(a, b, time_ms=NOW + 5_000 - slow_ms)
    with pytest.raises(Stale):
        late.service.answer("exchange", body, NOW + 5_000, private=True)
    peer = b.store.peer(a.space)
    assert peer is not None
    asking = late.service.ask_exchange(peer, NOW + 5_000)
    answer = a.service.answer("exchange", asking.body, NOW + 5_000 - slow_ms, private=True)
    late.service.end_exchange(asking, answer.parts[0], NOW + 5_000)
    late.service.answer("exchange", body, NOW + 5_000, private=True)
    with pytest.raises(Stale):
        late.service.answer("exchange", body_of(a, b, time_ms=NOW - 5_000 - slow_ms, nonce=bytes(8)), NOW + 5_000, private=True)


def test_a_forged_twin_does_not_use_up_the_nonce_of_the_real_one() -> None:
    a, b = make("a", "b")
    body = body_of(a, b)
    with pytest.raises(NotGenuine):
        b.service.answer("exchange", body[:-64] + bytes(64), NOW, private=True)
    b.service.answer("exchange", body, NOW, private=True)


@pytest.mark.parametrize("off_ms", [-300_001, 300_001])
def test_a_request_from_another_time_is_refused(off_ms: int) -> None:
    a, b = make("a", "b")
    with pytest.raises(Stale):
        b.service.answer("exchange", body_of(a, b, time_ms=NOW + off_ms), NOW, private=True)


def test_nothing_is_written_for_what_is_not_genuine() -> None:
    a, b = make("a", "b")
    c = Node(Isle("c"))
    good = body_of(a, b)
    bad = [
        good[:-1], good + b"x", good[:-64] + bytes(64), b"", bytes(2_000_000), body_of(b, b), body_of(c, b), body_of(a, c),
        body_of(a, b, verb="pull"), body_of(a, b, way=ANSWER), body_of(a, b, time_ms=NOW - 400_000),
        seal("exchange", REQUEST, c.isle.keys.identity, a.space, b.space, Said(NOW, bytes(8), [NOTHING, NOTHING])),
        seal("exchange", REQUEST, a.isle.keys.log, a.space, b.space, Said(NOW, bytes(8), [NOTHING, NOTHING])),
    ]  # fmt: skip
    before = b.store.writes
    for body in bad:
        for verb in ("exchange", "pull", "notify"):
            if verb == "pull" and body == bad[8]:
                continue
            with pytest.raises(EnvelopeError):
                b.service.answer(verb, body, NOW, private=True)
    assert b.store.writes == before
    with pytest.raises(TooLarge):
        b.service.answer("pull", bytes(10_000), NOW, private=True)
    with pytest.raises(Refused):
        b.service.answer("other", good, NOW, private=True)


def test_an_answer_is_believed_only_to_its_request_and_from_its_peer() -> None:
    a, b, c = make("a", "b", "c")
    peer = a.store.peer(b.space)
    assert peer is not None
    asking, other = a.service.ask_exchange(peer, NOW), a.service.ask_exchange(peer, NOW)
    answer = b.service.answer("exchange", asking.body, NOW, private=True).parts[0]
    before = a.store.writes
    forged = seal("exchange", ANSWER, c.isle.keys.identity, b.space, a.space, Said(NOW, asking.nonce, [NOTHING, NOTHING]))
    for which, data in (
        (other, answer),
        (asking, forged),
        (asking, answer[:-64] + bytes(64)),
        (asking, b""),
        (asking, asking.body),
    ):
        with pytest.raises(EnvelopeError):
            a.service.end_exchange(which, data, NOW)
    assert a.store.writes == before
    a.service.end_exchange(asking, answer, NOW)


def test_a_word_that_does_not_hold_is_not_kept() -> None:
    a, b = make("a", "b")
    other = Node(Isle("other"))
    other.isle.write(1)
    for spoilt in (other.speech(NOW), b.speech(NOW)[:-1], b"x"):
        with pytest.raises(WordError):
            word = replace(b.service.word(a.space, NOW), summary=spoilt)
            content = Exchange(word.digest, NOTHING, word).content()
            body, _ = b.peers.request("exchange", a.space, content, NOW)
            a.service.answer("exchange", body, NOW, private=True)
    kept = a.store.peer(b.space)
    assert kept is not None and kept.summary == b""


def test_a_stranger_introduces_itself_and_gets_what_is_public() -> None:
    a = Node(Isle("a"))
    a.isle.write(2, text="open")
    a.isle.write(2, audience=1, text="planted")
    b = Node(Isle("b"))
    b.isle.write(1)
    befriend(b.isle, a.isle)
    with pytest.raises(NotGenuine):
        exchange(b, a)
    exchange(b, a, introduce=True)
    met = a.store.peer(b.space)
    assert met is not None and met.standing == 0 and met.name == "b"
    fetch(b, a, a.space)
    held = b.store.log(a.space)
    assert held is not None and (held.size, held.missing) == (5, 2)


def test_strangers_are_bounded_and_silent_ones_make_room() -> None:
    a = Node(Isle("a"), strangers=2)
    a.isle.write(1)
    strangers = [Node(Isle(f"s{number}")) for number in range(4)]
    for each in strangers:
        each.isle.write(1)
        befriend(each.isle, a.isle)
    exchange(strangers[0], a, NOW, introduce=True)
    exchange(strangers[1], a, NOW + 60_000, introduce=True)
    with pytest.raises(Refused):
        exchange(strangers[2], a, NOW + 120_000, introduce=True)
    exchange(strangers[2], a, NOW + SILENT_MS, introduce=True)
    assert a.store.peer(strangers[0].space) is None
    assert a.store.peer(strangers[1].space) is not None
    closed = Node(Isle("closed"), strangers=0)
    befriend(strangers[3].isle, closed.isle)
    with pytest.raises(Refused):
        exchange(strangers[3], closed, introduce=True)


def test_a_key_chain_of_another_space_introduces_nobody() -> None:
    a, b = Node(Isle("a")), Node(Isle("b"))
    c = Isle("c")
    befriend(b.isle, a.isle)
    body = seal(
        "exchange", REQUEST, b.isle.keys.identity, b.space, a.space,
        Said(NOW, bytes(8), Exchange(NOTHING, NOTHING, chain=c.chain.encode()).content()),
    )  # fmt: skip
    with pytest.raises(NotGenuine):
        a.service.answer("exchange", body, NOW, private=True)
    assert not a.store.peers()


def test_rotated_keys_are_taken_up_from_the_key_chain_and_old_ones_no_longer_hold() -> None:
    a, b = make("a", "b")
    exchange(a, b)
    old = Node(Isle("b", store=b.store.copy()))
    b.isle.sign_head()
    log = b.store.log(b.space)
    assert log is not None
    b.isle.rotate(log.size, log.root)
    b.store.held[b.space].log = replace(b.store.held[b.space].log, head="", head_size=0)
    b.isle.write(1)
    turned = Node(b.isle)
    with pytest.raises(NotGenuine):
        exchange(a, turned)
    exchange(a, turned, ask=True)
    sync(a, turned)
    held = a.store.log(b.space)
    assert held is not None and held.epoch == 1 and held.size == 7
    with pytest.raises(NotGenuine):
        exchange(old, a)
    exchange(turned, a)
    peer = a.store.peer(b.space)
    assert peer is not None and len(peer.chain.epochs) == 2


def test_a_key_chain_that_leaves_the_pinned_one_is_refused() -> None:
    a, b = make("a", "b")
    one, other = Isle("b"), Isle("b")
    one.rotate(1, bytes(32), "one")
    other.rotate(1, bytes(32), "other")
    peer = a.store.peer(b.space)
    assert peer is not None
    a.store.keep_peer(replace(peer, chain=one.chain))
    turned = Node(other)
    befriend(other, a.isle)
    with pytest.raises(NotGenuine, match="leaves"):
        exchange(turned, a, introduce=True)


def test_a_peer_may_ask_so_often_a_minute() -> None:
    a, b = make("a", "b")
    with pytest.raises(TooMany):
        for number in range(A_MINUTE + 1):
            b.service.answer("notify", a.peers.request("notify", b.space, [a.space, number], NOW)[0], NOW, private=True)
    b.service.answer("notify", a.peers.request("notify", b.space, [a.space, 0], NOW + 60_000)[0], NOW + 60_000, private=True)


# Notices


def test_a_notice_says_that_a_log_moved() -> None:
    a, b = make("a", "b")
    peer = a.store.peer(b.space)
    assert peer is not None
    asking = a.service.ask_notify(peer, NOW)
    assert asking is not None
    answer = b.service.answer("notify", asking.body, NOW, private=True)
    assert answer.events == (Moved(a.space, a.space, 6),)
    a.service.end_notify(asking, answer.parts[0])
    sync(b, a)
    asking = a.service.ask_notify(peer, NOW)
    assert asking is not None
    assert b.service.answer("notify", asking.body, NOW, private=True).events == ()


@pytest.mark.parametrize("content", [None, [], [b"x"], ["x", 1], [bytes(32), "1"], {"a": 1}])
def test_a_notice_in_another_form_is_refused(content: object) -> None:
    a, b = make("a", "b")
    with pytest.raises(WordError):
        b.service.answer("notify", a.peers.request("notify", b.space, content, NOW)[0], NOW, private=True)


# What is pulled, and from whom


def test_an_absent_space_is_pulled_from_whoever_carries_it() -> None:
    a, b, c = make("a", "b", "c")
    sync(b, a)
    exchange(c, b)
    gone = c.store.peer(a.space)
    assert gone is not None
    c.store.keep_peer(replace(gone, last_contact_ms=NOW))
    assert sync(c, b) == 6
    c.store.keep_peer(replace(gone, last_contact_ms=NOW, failures=3))
    assert [peer.space for peer in c.service.transfer.carriers(a.space)] == [b.space]
    assert sync(c, b) == 6
    held = c.store.log(a.space)
    assert held is not None and held.size == 6


def test_of_a_log_that_is_not_held_nothing_is_served() -> None:
    a, b = make("a", "b")
    other = Isle("other")
    a.store.learn(other.chain)
    with pytest.raises(NotHeld):
        fetch(a, b, other.space)
    b.store.learn(other.chain)
    with pytest.raises(NotYet):
        fetch(a, b, other.space)


def test_records_go_only_to_those_entitled_and_over_a_way_that_may_carry_them() -> None:
    def pulled(*, ally: bool, private: bool) -> tuple[int, bool]:
        a, b, c = make("a", "b", "c")
        a.isle.write(1, audience=1, text="for allies")
        a.isle.write(1, audience=2, text="planted-members")
        a.isle.write(1, audience=[c.space], text="planted-named")
        if ally:
            a.allies.add(b.space)
        fetch(b, a, a.space, private=private)
        log = b.store.log(a.space)
        assert log is not None and log.size == 9
        held = b"".join(row.record or b"" for row in b.store.rows(a.space, 0, 9))
        return log.missing, b"planted" in held

    assert pulled(ally=False, private=True) == (3, False)
    assert pulled(ally=True, private=False) == (3, False)
    assert pulled(ally=True, private=True) == (2, False)


def test_what_was_withheld_is_filled_in_later() -> None:
    a, b = make("a", "b")
    a.isle.write(3, audience=1, text="for allies")
    fetch(b, a, a.space)
    a.allies.add(b.space)
    peer = b.store.peer(a.space)
    assert peer is not None
    asking = b.service.transfer.ask_missing(peer, a.space, 0, NOW)
    answer = a.service.answer("pull", asking.body, NOW, private=True)
    taken = b.service.transfer.end_missing(asking, b"".join(answer.parts))
    assert (taken.rows, taken.size) == (3, 9)
    assert b.store.rows(a.space, 0, 9) == a.store.rows(a.space, 0, 9)


def test_an_honest_node_that_may_not_sign_serves_what_it_signed() -> None:
    a, b = make("a", "b")
    sync(b, a)
    a.isle.write(4)
    a.may_sign = False
    assert sync(b, a) == 0
    a.may_sign = True
    assert sync(b, a) == 4


# Forks


@pytest.mark.parametrize(("one", "other"), [(3, 3), (2, 6), (6, 2), (10, 10)])
def test_a_fork_stops_that_log_and_leaves_evidence_that_anyone_can_check(one: int, other: int) -> None:
    a, b, c = make("a", "b", "c")
    twin = Node(Isle("a", store=a.store.copy()))
    twin.isle.count = 1000
    a.isle.write(one)
    twin.isle.write(other)
    sync(b, a)
    sync(c, twin)
    exchange(b, c)
    peer = b.store.peer(c.space)
    assert peer is not None
    targets = [target for target in b.service.transfer.plan(peer, NOW) if target.space == a.space]
    assert targets
    with pytest.raises(Forked):
        fetch(b, c, a.space)
    ((space, found_ms, file),) = b.store.evidence()
    assert (space, found_ms) == (a.space, NOW)
    fork = evidence.check(file)
    assert fork.space == a.space
    log = b.store.log(a.space)
    assert log is not None and log.stopped
    with pytest.raises(PullError):
        fetch(b, a, a.space)
    assert find_stub(parse_heads(b.service.word(c.space, NOW).heads), a.space) == Stub(a.space[:8], FORKED, bytes(8))


def test_evidence_is_passed_on_and_checked_by_each() -> None:
    a, b, c, d = make("a", "b", "c", "d")
    twin = Node(Isle("a", store=a.store.copy()))
    twin.isle.count = 1000
    a.isle.write(3)
    twin.isle.write(3)
    sync(b, a)
    sync(c, twin)
    exchange(b, c)
    with pytest.raises(Forked):
        fetch(b, c, a.space)
    exchange(d, b)
    peer = d.store.peer(b.space)
    assert peer is not None
    assert Target(a.space, 0, evidence=True) in d.service.transfer.plan(peer, NOW)

    def asked(space: bytes) -> tuple[Asking, list[bytes]]:
        assert peer is not None
        asking = d.service.transfer.ask_evidence(peer, space, NOW)
        return asking, b.service.answer("evidence", asking.body, NOW, private=True).parts

    with pytest.raises(NotHeld):
        asked(c.space)
    asking, (answer,) = asked(a.space)
    for spoilt in (b"", "text", b.store.evidence()[0][2][:-1], None):
        forged = b.peers.answer("evidence", d.space, asking.nonce, spoilt, NOW)
        with pytest.raises(PullError):
            d.service.transfer.end_evidence(asking, forged, NOW)
    other, _ = asked(a.space)
    innocent = replace(other, wanted=replace(other.wanted, space=c.space))
    with pytest.raises(PullError, match="another"):
        d.service.transfer.end_evidence(
            innocent, b.peers.answer("evidence", d.space, other.nonce, b.store.evidence()[0][2], NOW), NOW
        )
    assert not d.store.evidence()
    assert d.service.transfer.end_evidence(asking, answer, NOW) == (ForkSeen(a.space),)
    log = d.store.log(a.space)
    assert log is not None and log.stopped
    assert not [target for target in d.service.transfer.plan(peer, NOW) if target.space == a.space]


def test_a_head_of_ours_that_we_do_not_know_counts_once_it_is_proved() -> None:
    a, b = make("a", "b")
    old = Node(Isle("a", store=a.store.copy()))
    a.isle.write(3)
    sync(b, a)
    events, _ = exchange(old, b)
    assert not any(isinstance(each, OwnHead) for each in events)
    peer = old.store.peer(b.space)
    assert peer is not None
    (target,) = [each for each in old.service.transfer.plan(peer, NOW) if each.space == a.space]
    assert target.probe
    asking = old.service.transfer.ask(peer, a.space, NOW, want=0)
    log = a.store.log(a.space)
    assert log is not None
    answer = b"".join(b.service.answer("pull", asking.body, NOW, private=True).parts)
    assert old.service.transfer.end_own(asking, answer) == OwnHead(b.space, 9, log.root)
    forged = Isle("c")
    forged.space = a.space
    lie = [head(forged, 1000, bytes(32)), 6, 6, [None], [], None]
    with pytest.raises(PullError):
        old.service.transfer.end_own(asking, b.peers.answer("pull", a.space, asking.nonce, lie, NOW))


def test_a_head_in_question_is_asked_for_until_it_was_shown() -> None:
    a, b, c = make("a", "b", "c")
    sync(b, a)
    exchange(b, c)
    peer = b.store.peer(c.space)
    assert peer is not None
    lie = replace(peer, heads=format_heads([Stub(a.space[:8], 6, b"x" * 8)]))
    b.store.keep_peer(lie)
    for _ in (1, 2):
        (target,) = b.service.transfer.plan(lie, NOW)
        assert target.probe
    fetch(c, a, a.space)
    assert fetch(b, c, a.space, want=0)[0].rows == 0
    assert b.service.transfer.plan(lie, NOW) == []
    assert not b.store.evidence()


def test_a_peer_that_sends_rubbish_as_a_range_convicts_nobody() -> None:
    a, b, c = make("a", "b", "c")
    sync(c, a)
    peer = b.store.peer(c.space)
    assert peer is not None
    asking = b.service.transfer.ask(peer, a.space, NOW)
    parts = c.service.answer("pull", asking.body, NOW, private=True).parts
    whole = b"".join(parts)
    for at in range(0, len(whole), 41):
        bad = bytearray(whole)
        bad[at] ^= 4
        with pytest.raises(Theirs):
            b.service.transfer.end(asking, bytes(bad), NOW)
    assert not b.store.evidence()
    assert b.service.transfer.end(asking, whole, NOW).rows == 6
