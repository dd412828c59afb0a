"""A pulled range: whatever is not under a signed, consistent head is refused; a fork shows itself as evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from federation import pull
from federation.fault import NotYet, Theirs
from federation.pull import Forked, PullError, Wanted
from federation.rows import RowsError
from federation.storage import Cosignature, Row
from protocol.note import NoteError, cosign, format_signature_line, parse_note
from protocol.tree import check_consistency
from tests.federation.isle import Isle, befriend, head
from tests.federation.memory_store import MemoryStore


def asked(puller: Isle, source: Isle, want: int = pull.MAX_WANT) -> Wanted:
    log = puller.store.log(source.space)
    assert log is not None
    return pull.ask(log, log.size, want)


def answer(
    source: Isle, wanted: Wanted, shown: Callable[[Row], bool] = lambda _: True, of: bytes | None = None
) -> tuple[list[Any], bytes]:
    log = source.store.log(of or source.space)
    assert log is not None
    content, parts = pull.make(source.store, log, wanted, shown)
    return content, b"".join(parts)


def take(puller: Isle, source: Isle, wanted: Wanted, content: list[Any], data: bytes) -> pull.Range | None:
    log = puller.store.log(source.space)
    assert log is not None
    found = pull.check(puller.store, log, puller.store.edge(source.space), wanted, pull.parse_header(content), data, 0)
    if found:
        puller.store.extend(
            source.space, found.start, found.rows, found.edge, found.tiles, found.note, found.head.size, found.head.root
        )
    return found


def pull_all(puller: Isle, source: Isle, want: int = pull.MAX_WANT) -> int:
    rounds = 0
    while True:
        wanted = asked(puller, source, want)
        content, data = answer(source, wanted)
        found = take(puller, source, wanted, content, data)
        rounds += 1
        if found is None or not found.rows:
            return rounds


@pytest.fixture
def pair() -> tuple[Isle, Isle]:
    source, puller = Isle("source"), Isle("puller")
    source.write(20, words="hello")
    source.sign_head()
    befriend(puller, source)
    return source, puller


@pytest.mark.parametrize(("count", "want"), [(1, 8192), (255, 8192), (256, 100), (257, 256), (700, 37), (1500, 600)])
def test_a_log_arrives_whole_in_ranges(count: int, want: int) -> None:
    source, puller = Isle("source"), Isle("puller")
    source.write(count)
    source.sign_head()
    befriend(puller, source)
    pull_all(puller, source, want)
    ours, theirs = puller.store.log(source.space), source.store.log(source.space)
    assert ours is not None and theirs is not None
    assert (ours.size, ours.root, ours.head) == (theirs.size, theirs.root, theirs.head)
    assert puller.store.rows(source.space, 0, count + 1) == source.store.rows(source.space, 0, count + 1)
    source.write(3)
    source.sign_head()
    assert pull_all(puller, source) == 2


def test_a_log_arrives_from_whoever_carries_it(pair: tuple[Isle, Isle]) -> None:
    source, carrier = pair
    pull_all(carrier, source)
    third = Isle("third")
    befriend(third, source)
    wanted = asked(third, source)
    content, data = answer(carrier, wanted, of=source.space)
    take(third, source, wanted, content, data)
    log = third.store.log(source.space)
    assert log is not None and log.size == 21


def test_a_carrier_serves_only_what_was_judged_and_is_whole() -> None:
    source = Isle("source")
    source.write(20)
    source.sign_head()
    carrier = Isle("carrier", store=MemoryStore(Isle("carrier").chain, audited=False))
    befriend(carrier, source)
    wanted = asked(carrier, source, 10)
    content, data = answer(source, wanted)
    take(carrier, source, wanted, content, data)
    with pytest.raises(NotYet):
        answer(carrier, Wanted(source.space, 0, 100, (), 1), of=source.space)
    pull_all(carrier, source)
    content, data = answer(carrier, Wanted(source.space, 0, 100, (), 1), of=source.space)
    assert content[1:3] == [0, 0] and data == b""
    carrier.store.held[source.space].log = replace(carrier.store.held[source.space].log, judged=7)
    content, data = answer(carrier, Wanted(source.space, 0, 100, (), 1), of=source.space)
    assert content[1:3] == [0, 7]
    third = Isle("third")
    befriend(third, source)
    assert take(third, source, Wanted(source.space, 0, 100, (), 1), content, data) is not None


def test_nothing_is_kept_of_a_range_in_which_any_byte_was_changed(pair: tuple[Isle, Isle]) -> None:
    source, puller = pair
    wanted = asked(puller, source)
    content, data = answer(source, wanted)
    for at in range(0, len(data), 23):
        bad = bytearray(data)
        bad[at] ^= 1
        with pytest.raises((PullError, RowsError)):
            take(puller, source, wanted, content, bytes(bad))
    log = puller.store.log(source.space)
    assert log is not None and log.size == 0 and log.head == ""


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: [c[0].replace("21", "22"), *c[1:]],
        lambda c: [c[0], 1, *c[2:]],
        lambda c: [c[0], c[1], 20, *c[3:]],
        lambda c: [c[0], c[1], 22, *c[3:]],
        lambda c: [c[0], c[1], c[2], [[bytes(32), []]], *c[4:]],
        lambda c: [*c[:4], [bytes(32)], c[5]],
        lambda c: c[:5],
        lambda c: {},
        lambda c: [b"", *c[1:]],
        lambda c: [c[0], c[1], c[1] + 9000, *c[3:]],
        lambda c: [*c[:4], [1], c[5]],
        lambda c: [*c[:3], [1], *c[4:]],
    ],
)
def test_a_header_that_is_spoilt_is_refused(pair: tuple[Isle, Isle], spoil: Callable[[Any], Any]) -> None:
    source, puller = pair
    wanted = asked(puller, source)
    content, data = answer(source, wanted)
    with pytest.raises(Theirs):
        take(puller, source, wanted, spoil(content), data)


def test_a_head_of_another_key_or_log_is_refused(pair: tuple[Isle, Isle]) -> None:
    source, puller = pair
    wanted = asked(puller, source)
    content, data = answer(source, wanted)
    log = source.store.log(source.space)
    assert log is not None
    other = Isle("other")
    forged = head(other, log.size, log.root)
    with pytest.raises(PullError, match="signed"):
        take(puller, source, wanted, [forged, *content[1:]], data)
    other.space = source.space
    with pytest.raises(PullError, match="signed"):
        take(puller, source, wanted, [head(other, log.size, log.root), *content[1:]], data)


def forks(count_one: int, count_other: int, common: int = 10) -> tuple[Isle, Isle]:
    """Two copies of one space that went on by themselves."""
    one = Isle("forked")
    one.write(common)
    one.sign_head()
    other = Isle("forked", store=one.store.copy())
    other.count = 1000
    one.write(count_one)
    other.write(count_other)
    one.sign_head()
    other.sign_head()
    return one, other


@pytest.mark.parametrize(("mine", "theirs"), [(5, 5), (5, 9), (5, 30), (9, 5), (30, 3), (6, 7)])
def test_a_fork_is_seen_and_proved(mine: int, theirs: int) -> None:
    one, other = forks(mine, theirs, common=9)
    puller = Isle("puller")
    befriend(puller, one)
    pull_all(puller, one)
    wanted = asked(puller, other)
    content, data = answer(other, wanted)
    with pytest.raises(Forked) as caught:
        take(puller, other, wanted, content, data)
    fork = caught.value
    smaller, s = pull.open_head(one.store.log(one.space), fork.one)[1], fork.root  # type: ignore[arg-type]  # there is one
    larger = pull.open_head(one.store.log(one.space), fork.other)[1]  # type: ignore[arg-type]  # there is one
    if fork.proof is None:
        assert smaller.size == larger.size and smaller.root != larger.root
    else:
        check_consistency(smaller.size, larger.size, s, larger.root, fork.proof)
        assert smaller.root != s


def test_a_proof_that_does_not_verify_convicts_nobody(pair: tuple[Isle, Isle]) -> None:
    source, puller = pair
    pull_all(puller, source)
    source.write(9)
    source.sign_head()
    wanted = asked(puller, source)
    content, data = answer(source, wanted)
    root, path = content[3][0]
    for proof in (None, [root, path[:-1]], [root, [*path[:-1], bytes(32)]], [bytes(32), path], [root, [b"short"]]):
        with pytest.raises(PullError) as caught:
            take(puller, source, wanted, [*content[:3], [proof], *content[4:]], data)
        assert not isinstance(caught.value, Forked)
    assert take(puller, source, wanted, content, data) is not None


def test_an_older_head_brings_nothing_and_harms_nothing(pair: tuple[Isle, Isle]) -> None:
    source, puller = pair
    old = Isle("source", store=source.store.copy())
    source.write(9)
    source.sign_head()
    pull_all(puller, source)
    wanted = asked(puller, old)
    content, data = answer(old, wanted)
    assert take(puller, old, wanted, content, data) is None
    log = puller.store.log(source.space)
    assert log is not None and log.size == 30


def test_a_new_epoch_goes_on_from_the_head_that_it_names(pair: tuple[Isle, Isle]) -> None:
    source, puller = pair
    pull_all(puller, source)
    log = source.store.log(source.space)
    assert log is not None
    chain = source.rotate(log.size, log.root)
    source.store.held[source.space].log = replace(source.store.held[source.space].log, head="", head_size=0)
    source.write(4)
    source.sign_head()
    wanted = asked(puller, source)
    content, data = answer(source, wanted)
    with pytest.raises(PullError, match="signed"):
        take(puller, source, wanted, content, data)
    assert content[5] == chain.encode()
    puller.store.learn(chain)
    wanted = asked(puller, source)
    content, data = answer(source, wanted)
    assert content[5] is None
    assert take(puller, source, wanted, content, data) is not None
    fresh = Isle("fresh")
    befriend(fresh, source)
    pull_all(fresh, source, 6)
    held = fresh.store.log(source.space)
    assert held is not None and held.size == 25


def test_an_epoch_that_leaves_what_is_held_is_refused_but_is_no_fork(pair: tuple[Isle, Isle]) -> None:
    source, puller = pair
    early = source.store.copy()
    source.write(5)
    source.sign_head()
    pull_all(puller, source)
    back = Isle("source", store=early)
    log = early.log(back.space)
    assert log is not None
    chain = back.rotate(log.size, log.root)
    early.held[back.space].log = replace(early.held[back.space].log, head="", head_size=0)
    back.count = 500
    back.write(9)
    back.sign_head()
    puller.store.learn(chain)
    wanted = asked(puller, back)
    content, data = answer(back, wanted)
    with pytest.raises(PullError, match="anew") as caught:
        take(puller, back, wanted, content, data)
    assert not isinstance(caught.value, Forked)


def test_an_epoch_that_does_not_hold_the_head_its_rotation_names_is_refused(pair: tuple[Isle, Isle]) -> None:
    source, puller = pair
    chain = source.rotate(10, bytes(32))
    source.store.held[source.space].log = replace(source.store.held[source.space].log, head="", head_size=0)
    source.write(4)
    source.sign_head()
    puller.store.learn(chain)
    wanted = asked(puller, source)
    assert wanted.sizes == (10,)
    content, data = answer(source, wanted)
    with pytest.raises(PullError, match="key chain names"):
        take(puller, source, wanted, content, data)


def test_what_a_peer_may_not_see_is_withheld_and_the_tree_still_verifies() -> None:
    source, puller = Isle("source"), Isle("puller")
    source.write(3)
    source.write(3, audience=2, text="planted-secret", words="planted-words")
    source.write(3)
    source.sign_head()
    befriend(puller, source)
    wanted = asked(puller, source)
    content, data = answer(source, wanted, lambda row: False)
    assert b"planted" not in data
    assert take(puller, source, wanted, content, data) is not None
    log = puller.store.log(source.space)
    assert log is not None and (log.size, log.missing) == (10, 3)


def test_an_answer_holds_at_most_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    source, puller = Isle("source"), Isle("puller")
    source.write(40, text="x" * 1000)
    source.sign_head()
    befriend(puller, source)
    monkeypatch.setattr(pull, "BUDGET", 5000)
    assert pull_all(puller, source) > 8
    log = puller.store.log(source.space)
    assert log is not None and log.size == 41


def test_the_head_carries_the_cosignatures_on_it(pair: tuple[Isle, Isle]) -> None:
    source, puller = pair
    log = source.store.log(source.space)
    assert log is not None
    note = parse_note(log.head)
    name = "isle/witness-of-tests/witness"
    line = format_signature_line(cosign(puller.keys.witness, name, note.text, 1_700_000_000))
    source.store.keep_cosignature(source.space, Cosignature(name, log.head_size, log.head_root, 1_700_000_000, line))
    source.store.keep_cosignature(source.space, Cosignature(name + "2", 3, bytes(32), 1_700_000_000, line))
    content, _ = answer(source, asked(puller, source))
    assert [each.name for each in parse_note(content[0]).signatures] == [note.signatures[0].name, name]
    with pytest.raises(NoteError):
        parse_note(content[0] + "x")


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        [bytes(32), 0, 1, []],
        [bytes(31), 0, 1, [], 0],
        [bytes(32), -1, 1, [], 0],
        [bytes(32), 0, 8193, [], 0],
        [bytes(32), 0, 1, [1] * 5, 0],
        [bytes(32), 0, 1, [-1], 0],
        [bytes(32), 0, 1, 5, 0],
        [bytes(32), True, 1, [], 0],
    ],
)
def test_a_request_in_another_form_is_refused(content: object) -> None:
    with pytest.raises(PullError):
        pull.parse_wanted(content)


def test_a_request_reads_back() -> None:
    wanted = Wanted(bytes(32), 5, 8192, (3, 4), 1)
    assert pull.parse_wanted(wanted.content()) == wanted
