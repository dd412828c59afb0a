"""Five nodes on a bad network: whatever is lost, doubled, late, cut or crashed, honest nodes agree soon after it heals."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from msgspec.structs import replace

from federation.cosignature import name_of
from federation.word import Stub, Word, format_heads, parse_heads
from protocol import evidence, note, summary
from tests.federation.isle import Isle
from tests.simulator.world import Place, World, memoised

SEEDS = int(os.environ.get("SIMULATOR_SEEDS", "12"))
FIRST = int(os.environ.get("SIMULATOR_FIRST_SEED", "1"))


@pytest.fixture(autouse=True)
def checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check each signature once: the same bytes go to many nodes."""
    monkeypatch.setattr(note, "verify", memoised)
    monkeypatch.setattr(summary, "verify", memoised)


def live(world: World, steps: int) -> None:
    """Let things go wrong for some virtual minutes."""
    places = list(world.places.values())
    for _ in range(steps):
        chance, place = world.random.random(), world.random.choice(places)
        if chance < 0.55:
            world.write(place)
        elif chance < 0.70:
            world.down(place)
        elif chance < 0.85:
            world.part({each.space for each in world.random.sample(places, world.random.randint(1, 3))})
        else:
            world.part(set())
        world.run(world.now_ms + world.random.randint(50, 4_000))
        check_all(world)


def heal(world: World) -> None:
    """The network is whole and quiet again, and every node runs."""
    world.part(set())
    world.drop = world.double = 0.0
    world.run(world.now_ms + 16_000)
    for place in world.places.values():
        place.store.fuse = -1
    world.run(world.now_ms + 16_000)


def check_all(world: World) -> None:
    """What must hold at every instant: copies are true beginnings, and nobody has what they may not have."""
    for place in world.places.values():
        for log in place.isle.store.logs():
            origin = world.places[log.space].isle.store
            rows = place.isle.store.rows(log.space, 0, log.size)
            assert [row.digest for row in rows] == [row.digest for row in origin.rows(log.space, 0, log.size)]
            assert log.head_size <= len(origin.rows(log.space, 0, 1 << 40))
            if not log.ours:
                assert all(row.record is None for row in rows if row.flag)
        assert not place.isle.store.evidence()


def settled(world: World) -> bool:
    """Whether every node holds every log whole."""
    sizes = {space: place.isle.store.edge(space).size for space, place in world.places.items()}
    return all(place.isle.store.edge(space).size == size for place in world.places.values() for space, size in sizes.items())


def cosigners(place: Place, world: World) -> set[bytes]:
    """The spaces whose cosignature of its newest head a node has."""
    log = place.isle.store.log(place.space)
    assert log is not None
    names = {each.name for each in place.isle.store.cosignatures(place.space) if each.size == log.head_size}
    return {space for space in world.places if name_of(space, "witness") in names}


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_honest_nodes_agree_within_a_minute_after_it_heals(seed: int) -> None:
    world = World(seed, drop=0.3 * (seed % 4) / 3, double=0.2)
    live(world, 40)
    heal(world)
    healed_ms = world.now_ms
    while not settled(world):
        assert world.now_ms < healed_ms + 60_000, f"not settled: {world.counts}"
        world.run(world.now_ms + 1_000)
    check_all(world)
    world.run(world.now_ms + 30_000)
    for place in world.places.values():
        assert cosigners(place, world) == world.places.keys() - {place.space}
    assert world.counts["crash"] + world.counts["lost"] > 0


def test_a_seed_gives_the_same_run() -> None:
    def counts() -> Counter[str]:
        world = World(7, "abc")
        live(world, 15)
        return world.counts

    assert counts() == counts()


def test_doubled_and_replayed_requests_are_taken_once() -> None:
    world = World(3, "abc", drop=0.0, double=1.0, skew_ms=0)
    world.write(next(iter(world.places.values())))
    world.run(world.now_ms + 30_000)
    assert world.counts["refused Stale"] == sum(world.counts[verb] for verb in ("exchange", "pull", "notify")) // 2
    assert settled(world)


def test_the_network_is_quiet_once_all_agree() -> None:
    world = World(5, drop=0.0, double=0.0)
    world.run(world.now_ms + 60_000)
    before = Counter(world.counts)
    world.run(world.now_ms + 60_000)
    quiet = world.counts - before
    assert quiet["pull"] == quiet["notify"] == 0
    assert 20 * 60 / 5 * 0.7 < quiet["exchange"] < 20 * 60 / 5 * 1.4


def test_with_one_node_gone_for_good_the_others_agree_on_what_any_of_them_has() -> None:
    world = World(11, drop=0.1)
    gone = next(iter(world.places.values()))
    world.run(world.now_ms + 10_000)
    others = [place for place in world.places.values() if place is not gone]
    world.cut = {frozenset((gone.space, place.space)) for place in others[1:]}
    world.write(gone)
    size = gone.isle.store.edge(gone.space).size
    while others[0].isle.store.edge(gone.space).size < size:
        world.run(world.now_ms + 1_000)
    gone.crash()
    world.run(world.now_ms + 60_000)
    assert size > 2
    assert {place.isle.store.edge(gone.space).size for place in others} == {size}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_space_that_shows_two_histories_is_found_out_by_all(seed: int) -> None:
    """One of five runs twice from one copy, each half shown to other peers: soon all honest nodes hold evidence."""
    world = World(seed, drop=0.1)
    world.run(world.now_ms + 15_000)
    first, *rest = world.places.values()
    twin = Isle("a", store=first.isle.store.copy())
    twin.count = 1000
    other = Place(world, twin, first.offset_ms)
    other.start()
    half = {place.space for place in rest[:2]}
    first.isle.write(3 + seed)
    twin.write(5)
    shown = {place.space: (first if place.space in half else other) for place in rest}
    world.behind = lambda asker, asked: shown.get(asker.space, asked) if asked is first else asked
    began_ms = world.now_ms
    while not (all(place.isle.store.evidence() for place in rest) and settled_without(world, first.space)):
        assert world.now_ms < began_ms + 120_000, world.counts
        world.run(world.now_ms + 1_000)
    for place in rest:
        ((space, _, file),) = place.isle.store.evidence()
        assert space == first.space
        assert evidence.check(file).space == first.space
        log = place.isle.store.log(first.space)
        assert log is not None and log.stopped


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_of_five_that_send_rubbish_old_answers_and_lies_harm_nobody(seed: int) -> None:
    """One garbles or repeats what it answers, one tells of heads that it has not: the others agree, and convict nobody."""
    world = World(seed, drop=0.05, skew_ms=0)
    garbler, liar, *honest = world.places.values()
    old: list[bytes] = []

    def said(place: Place, answer: bytes) -> bytes:
        if place is not garbler or world.random.random() < 0.2:
            return answer
        old.append(answer)
        if world.random.random() < 0.5:
            return world.random.choice(old)
        garbled = bytearray(answer)
        garbled[world.random.randrange(len(garbled))] ^= 1 << world.random.randrange(8)
        return bytes(garbled)

    assert liar.node is not None
    service = liar.node.service
    tell = service.word

    def lie(peer: bytes, now_ms: int) -> Word:
        stubs = parse_heads(tell(peer, now_ms).heads)
        told = [Stub(each.space, each.size + world.random.choice([0, 0, 1, 1000]), world.random.randbytes(8)) for each in stubs]
        return replace(tell(peer, now_ms), heads=format_heads(told))

    service.word = lie  # type: ignore[method-assign]  # it lies
    world.said = said
    for _ in range(20):
        world.write(world.random.choice(honest))
        world.run(world.now_ms + 3_000)
    world.run(world.now_ms + 60_000)
    for place in honest:
        assert not place.isle.store.evidence()
        for other in honest:
            size = other.isle.store.edge(other.space).size
            assert place.isle.store.rows(other.space, 0, size)[-1:] != []
            assert [row.digest for row in place.isle.store.rows(other.space, 0, size)] == [
                row.digest for row in other.isle.store.rows(other.space, 0, size)
            ]
    assert sum(world.counts[f"failed {name}"] for name in ("EnvelopeError", "NotGenuine", "PullError", "RowsError")) > 10


def settled_without(world: World, space: bytes) -> bool:
    """Whether all other logs are whole everywhere but on the node in question."""
    sizes = {each: place.isle.store.edge(each).size for each, place in world.places.items() if each != space}
    rest = [place for place in world.places.values() if place.space != space]
    return all(place.isle.store.edge(each).size == size for place in rest for each, size in sizes.items())
