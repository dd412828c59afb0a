"""A small world of nodes on a virtual clock and network: all chance from one seed, no socket, no thread, no waiting.

The nodes run the real code of `federation` (`Service`, `Transfer`, `Peers`, `Sweep`) over stores in memory. The network
drops, delays, doubles and reorders what it carries, and can be cut in parts; a node can crash between any two writes to its
store, before or after the write was durable, and comes back with what was durable and nothing else. Clocks differ.

`World.run` goes on until a virtual instant. What went on is counted in `World.counts`; a seed gives the same run each time.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Generator
from functools import lru_cache
from itertools import count
from random import Random
from typing import Any

from federation.envelope import NotGenuine
from federation.event import Event, Moved, OwnHead
from federation.fault import Ours, Theirs, Unreachable
from federation.pull import Forked
from federation.storage import FOLLOW, StorageError
from federation.sweep import Sweep
from protocol.keys import verify
from tests.federation.isle import NOW, Isle, befriend
from tests.federation.memory_store import MemoryStore
from tests.federation.talk import Node

TIMEOUT_MS = 10_000
TICK_MS = 500
WRITES = (
    "learn", "extend", "fill", "accept_head", "stop", "forget", "keep_cosignature", "cosign_if_unmoved", "keep_peer", "remember_nonce",
)  # fmt: skip

Ask = tuple[bytes, str, bytes]
Conversation = Generator[Ask, bytes, int]

memoised = lru_cache(maxsize=200_000)(verify)


class Crash(Exception):
    """The machine stopped."""


class Refusal(Theirs):
    """What a refused request comes back as."""


class Fragile:
    """A store whose machine can stop at its next writes: before one is durable, or right after."""

    def __init__(self, store: MemoryStore) -> None:
        self.store, self.fuse, self.after = store, -1, False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        return self._watched(found) if name in WRITES else found

    def _watched(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any) -> Any:
            self.fuse -= 1
            if self.fuse == 0 and not self.after:
                raise Crash
            done = write(*args)
            if self.fuse == 0:
                raise Crash
            return done

        return watched


class Place:
    """Where a node runs, or lies crashed: what is durable (`isle`) and what is not (`node`, `sweep`)."""

    def __init__(self, world: World, isle: Isle, offset_ms: int) -> None:
        self.world, self.isle, self.space, self.offset_ms = world, isle, isle.space, offset_ms
        self.life = 0
        self.node: Node | None = None
        self.sweep = Sweep()

    @property
    def now_ms(self) -> int:
        """This machine's clock."""
        return self.world.now_ms + self.offset_ms

    def start(self) -> None:
        """Start, with nothing but what is durable."""
        self.life += 1
        self.store = Fragile(self.isle.store)
        fragile, self.isle.store = self.isle.store, self.store  # type: ignore[assignment]  # it delegates
        self.node = Node(self.isle, started_ms=self.now_ms, cosigns=True, verifier=memoised)
        self.isle.store = fragile
        self.sweep = Sweep(every_ms=5_000, jitter=0.25, longest_ms=20_000, gap_ms=500)
        urls = [peer.space for peer in self.isle.store.peers()]
        self.sweep.set(urls, self.now_ms, [self.world.random.random() / 2 for _ in urls])

    def crash(self) -> None:
        """Stop at once."""
        self.node, self.life = None, self.life + 1
        self.world.counts["crash"] += 1


class World:
    """Nodes, clock and network."""

    def __init__(
        self,
        seed: int,
        names: str = "abcde",
        *,
        drop: float = 0.1,
        double: float = 0.1,
        delay_ms: tuple[int, int] = (2, 400),
        skew_ms: int = 30_000,
    ) -> None:
        self.random, self.now_ms, self.counts = Random(seed), NOW, Counter[str]()
        self.drop, self.double, self.delay_ms = drop, double, delay_ms
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = count()
        self.cut: set[frozenset[bytes]] = set()
        self.behind: Callable[[Place, Place], Place] = lambda asker, asked: asked  # who really answers to whom
        self.said: Callable[[Place, bytes], bytes] = lambda place, answer: answer  # what a node really answers
        isles = [Isle(name) for name in names]
        for isle in isles:
            isle.write(1)
            for other in isles:
                if other is not isle:
                    befriend(isle, other, FOLLOW)
        self.places = {isle.space: Place(self, isle, self.random.randint(-skew_ms, skew_ms)) for isle in isles}
        for place in self.places.values():
            place.start()
            self.after(0, lambda place=place: self._tick(place))  # type: ignore[misc]  # bound now

    # Time

    def after(self, wait_ms: int, what: Callable[[], None]) -> None:
        """Do something later."""
        heapq.heappush(self._events, (self.now_ms + wait_ms, next(self._serial), what))

    def run(self, until_ms: int) -> None:
        """Go on until an instant."""
        while self._events and self._events[0][0] <= until_ms:
            self.now_ms, _, what = heapq.heappop(self._events)
            what()
        self.now_ms = until_ms

    def _tick(self, place: Place) -> None:
        if place.node is not None:
            for space in place.sweep.due(place.now_ms):
                self._sync(place, space)
        self.after(TICK_MS, lambda: self._tick(place))

    # What happens to nodes

    def write(self, place: Place) -> None:
        """A member acts, and the peers are told."""
        if place.node is None:
            return
        place.isle.write(self.random.randint(1, 5), audience=self.random.choice([0, 0, 0, 1, 2]))
        for space in [peer.space for peer in place.isle.store.peers()]:
            self._begin(place, self._notice(place, space), lambda ok: None)

    def down(self, place: Place) -> None:
        """Crash at once or at one of the next writes, and come back some seconds later."""
        if place.node is None:
            return
        if self.random.random() < 0.7:
            place.store.fuse, place.store.after = self.random.randint(1, 6), self.random.random() < 0.5
        else:
            self._crash(place)

    def _crash(self, place: Place) -> None:
        place.crash()
        self.after(self.random.randint(500, 15_000), place.start)

    def part(self, some: set[bytes]) -> None:
        """Cut the network between these and the others."""
        self.cut = {frozenset((one, other)) for one in some for other in self.places.keys() - some}

    # Conversations: what `federation.outgoing` does over sockets

    def _sync(self, place: Place, space: bytes) -> None:
        place.sweep.begin(space, place.now_ms)
        sweep = place.sweep
        self._begin(place, self._talk(place, space), lambda ok: sweep.end(space, place.now_ms, self.random.random(), ok=ok))

    def _talk(self, place: Place, space: bytes) -> Conversation:
        node, rows = place.node, 0
        assert node is not None
        for introduce in (False, True):
            known = place.isle.store.peer(space)
            assert known is not None
            asking = node.service.ask_exchange(known, place.now_ms, introduce=introduce, ask=introduce)
            try:
                talked = node.service.end_exchange(asking, (yield space, "exchange", asking.body), place.now_ms)
            except (NotGenuine, Refusal):
                if introduce:
                    raise
                continue
            self._tell(place, talked.events)
            if not talked.again:
                break
        peer = place.isle.store.peer(space)
        assert peer is not None
        for target in node.service.transfer.plan(peer, place.now_ms):
            if target.evidence:
                asked = node.service.transfer.ask_evidence(peer, target.space, place.now_ms)
                node.service.transfer.end_evidence(asked, (yield space, "evidence", asked.body), place.now_ms)
                continue
            want = 0 if target.probe else self.random.choice([3, 50, 8192])
            while True:
                asked = node.service.transfer.ask(peer, target.space, place.now_ms, want=want)
                answer = yield space, "pull", asked.body
                if place.isle.store.edge(target.space).size != asked.wanted.start:
                    break  # another conversation was quicker
                try:
                    taken = node.service.transfer.end(asked, answer, place.now_ms)
                except Forked:
                    self.counts["fork"] += 1
                    break
                rows += taken.rows
                if not taken.rows and not taken.again:
                    break
        return rows

    def _notice(self, place: Place, space: bytes) -> Conversation:
        node = place.node
        assert node is not None
        peer = place.isle.store.peer(space)
        asking = node.service.ask_notify(peer, place.now_ms) if peer is not None else None
        if asking is not None:
            node.service.end_notify(asking, (yield space, "notify", asking.body))
        return 0

    def _begin(self, place: Place, talk: Conversation, done: Callable[[bool], None]) -> None:
        self._step(place, place.life, talk, None, done)

    def _step(
        self, place: Place, life: int, talk: Conversation, given: bytes | Exception | None, done: Callable[[bool], None]
    ) -> None:
        if place.life != life:
            return
        try:
            space, verb, body = talk.throw(given) if isinstance(given, Exception) else talk.send(given)  # type: ignore[arg-type]  # None begins
        except StopIteration as end:
            self.counts["rows"] += end.value
            done(True)
        except Crash:
            self._crash(place)
        except (Theirs, Ours, StorageError) as error:
            self.counts[f"failed {type(error).__name__}"] += 1
            done(False)
        else:
            self._ask(place, life, space, verb, body, lambda answer: self._step(place, life, talk, answer, done))

    def _ask(
        self, place: Place, life: int, space: bytes, verb: str, body: bytes, then: Callable[[bytes | Exception], None]
    ) -> None:
        open_, served = [True], [False]

        def once(answer: bytes | Exception) -> None:
            if open_[0]:
                open_[0] = False
                then(answer)

        def arrive() -> None:
            again, served[0] = served[0], True
            self._serve(
                place, self.behind(place, target), verb, body, _nobody if again else once
            )  # a copy is answered to whoever sent it

        target = self.places[space]
        self.after(TIMEOUT_MS, lambda: once(Unreachable("too late")))
        self._carry(place, target, arrive)

    def _serve(self, asker: Place, place: Place, verb: str, body: bytes, once: Callable[[bytes | Exception], None]) -> None:
        if place.node is None:
            return
        self.counts[verb] += 1
        answer: bytes | Exception
        try:
            done = place.node.service.answer(verb, body, place.now_ms, private=True)
            answer = self.said(place, b"".join(done.parts))
            self._tell(place, done.events)
        except Crash:
            self._crash(place)
            return
        except (Theirs, Ours, StorageError) as error:
            self.counts[f"refused {type(error).__name__}"] += 1
            answer = Refusal(str(error))
        self._carry(place, asker, lambda: once(answer))

    def _tell(self, place: Place, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, Moved):
                place.sweep.soon(event.peer, place.now_ms)
            elif isinstance(event, OwnHead):
                place.sweep.alive(event.peer, place.now_ms)

    def _carry(self, one: Place, other: Place, deliver: Callable[[], None]) -> None:
        """Carry something over the network, or not, or twice."""
        for _ in range(1 + (self.random.random() < self.double)):
            if frozenset((one.space, other.space)) in self.cut or self.random.random() < self.drop:
                self.counts["lost"] += 1
                continue
            self.after(self.random.randint(*self.delay_ms), deliver)


def _nobody(answer: bytes | Exception) -> None:
    """Where the answer to a copy of a request goes."""
