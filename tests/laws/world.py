"""A small archipelago for the laws: spaces with members and keys, and histories of what they do.

A history is guided, because blind random bodies are almost never accepted: for each kind there is a builder that makes a body
which fits the state just then (`tests.laws.examples`), and still is wrong now and then. It says `Unready` where nothing fits.

    world = World(REGISTRY, EXAMPLES, seed=1)
    world.live(200)
    world.accepted["link.accepted/1"]
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar

from msgspec import Struct

from protocol import encoding, moon
from protocol.body import structure_and_words
from protocol.deciding import Plan
from protocol.judge import Stored, Verdict
from protocol.keychain import FOUNDED, Founded
from protocol.keys import NodeKeys, SigningKey
from protocol.mandate import DECISION
from protocol.membership import members_at
from protocol.practice import (
    EVERYTHING,
    GRANTS,
    KEYS,
    MEMBERS,
    PUBLIC,
    RESERVED,
    SHARED,
    Kind,
    Practice,
    R,
    Refused,
    Table,
    View,
)
from protocol.proposal import Called, Cast, Closed, Proposed
from protocol.record import parse, seal
from tests.laws.memory import Memory

T = TypeVar("T")
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
BEGIN_MS = moon.new_moon_ms(320) + MINUTE_MS
ERASED = "record.erased/1"


class Unready(Exception):
    """A builder has nothing to build from just now."""


@dataclass(frozen=True)
class Registry:
    """Some practices and what follows from them."""

    practices: tuple[Practice, ...]

    @property
    def kinds(self) -> dict[str, Kind[Any]]:
        """Every kind by its name."""
        return {kind.name: kind for practice in self.practices for kind in practice.kinds}

    @property
    def tables(self) -> tuple[Table[Any], ...]:
        """Every table, the shared ones first."""
        return (*SHARED, *(table for practice in self.practices for table in practice.tables))


@dataclass
class Isle:
    """One space: its log, and every key that was ever made for it."""

    id: bytes
    number: int
    log: list[Stored] = field(default_factory=list)
    keys: dict[bytes, SigningKey] = field(default_factory=dict)
    roots: dict[bytes, SigningKey] = field(default_factory=dict)  # by public key
    nodes: dict[bytes, SigningKey] = field(default_factory=dict)  # identity keys that the clock signs with, by public key
    secrets: dict[bytes, bytes] = field(default_factory=dict)  # of invitations, by hash
    clocks: dict[tuple[bytes, int], int] = field(default_factory=dict)


Builder = Callable[["World"], Struct]


class World:
    """Spaces, members and a moment. Builders read `view`, `rng`, `now_ms`, `isle`, `isles`, `member`; and may set `author`
    (a signing key) and `audience` for the record that is about to be written."""

    def __init__(self, registry: Registry, examples: Mapping[str, Builder], seed: int, spaces: int = 3) -> None:
        self.registry, self.examples = registry, dict(examples)
        self.kinds = registry.kinds
        self.rng = random.Random(seed)
        self.now_ms = BEGIN_MS + self.rng.randrange(20) * DAY_MS
        self.store = Memory()
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.reasons: set[str] = set()
        self.turned_down: list[tuple[Isle, Stored, str]] = []  # its position is where it would have stood
        self.left_behind: list[object] = []  # what a refused record would have changed
        self.written: list[tuple[Isle, str, Struct]] = []  # what was accepted
        self.begun: Counter[str] = Counter()
        self.isles: list[Isle] = []
        self.isle = Isle(b"", 0)
        self.member = b""
        self.author: SigningKey | None = None
        self.audience: int | Sequence[bytes] | None = None
        for _ in range(spaces):
            self.found()
            for kind in ("member.invited/1", "member.joined/1") * 5:
                if kind in self.examples:
                    self.step_here(kind)
        self.begun = self.accepted.copy()  # what `live` does not count among what it tried

    # What builders read

    @property
    def view(self) -> View:
        """Everything, seen from the space at hand."""
        return self.store.view(self.isle.id)

    @property
    def cycle(self) -> int:
        """The moon's cycle now."""
        return moon.cycle_at(self.now_ms)

    @property
    def others(self) -> list[bytes]:
        """The ids of the other spaces."""
        return [isle.id for isle in self.isles if isle.id != self.isle.id]

    def rows(self, table: Table[R], **where: Any) -> list[R]:
        """Rows of the space at hand, in order of their keys."""
        return sorted(self.view.all(table, **where), key=lambda row: [getattr(row, column) for column in table.key])

    def everywhere(self, table: Table[R], **where: Any) -> list[R]:
        """Rows of every space, in order of spaces and keys."""
        return sorted(
            self.view.everywhere(table, **where), key=lambda row: [getattr(row, column) for column in ("space", *table.key)]
        )

    def members(self) -> list[bytes]:
        """Who is a member of the space at hand now."""
        return [row.member for row in members_at(self.view, self.now_ms)]

    def holders(self, name: str) -> list[bytes]:
        """Who holds a grant in the space at hand now."""
        rows = self.rows(GRANTS, name=name)
        return sorted({row.holder for row in rows if row.since_ms <= self.now_ms < row.until_ms and not row.paused})

    def kept(self, kind: str) -> bool:
        """Whether a role keeps a kind to itself now."""
        rows = self.rows(RESERVED, kind=kind) if self.kinds[kind].duty else []
        return any(row.since_ms <= self.now_ms < row.until_ms for row in rows)

    def keys_of(self, member: bytes) -> list[SigningKey]:
        """The keys that speak for a member now."""
        rows = self.rows(KEYS, member=member)
        speaking = [self.isle.keys[row.key] for row in rows if row.since_ms <= self.now_ms < row.until_ms]
        return speaking or [key for public, key in self.isle.nodes.items() if public == member]

    def able(self, kind: str) -> SigningKey:
        """A key of somebody who may write a kind now: a holder of the role that keeps it, or of what it needs."""
        needs = kind if self.kept(kind) else self.kinds[kind].needs
        return self.pick(self.keys_of(self.pick(self.holders(needs))))

    @contextmanager
    def at(self, isle: Isle) -> Iterator[None]:
        """Be in another space for a moment; who is about to write, and for whom, stays as it was."""
        before = self.isle, self.member, self.author, self.audience
        self.isle, self.audience = isle, None
        try:
            yield
        finally:
            self.isle, self.member, self.author, self.audience = before

    def new_key(self) -> SigningKey:
        """A fresh key, remembered for the space at hand."""
        key = SigningKey(self.rng.randbytes(32))
        self.isle.keys[key.public] = key
        return key

    def pick(self, from_what: Sequence[T]) -> T:
        """One of these; `Unready` if there is none."""
        if not from_what:
            raise Unready
        return self.rng.choice(from_what)

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return self.rng.random() < share

    def act_as(self, member: bytes) -> None:
        """Sign what is about to be written with a key of this member."""
        self.author, self.member = self.pick(self.keys_of(member)), member

    def words(self, least: int = 3) -> str:
        """Some words, never the same twice."""
        return " ".join(f"word{self.rng.randrange(10**6)}" for _ in range(least))

    # What happens

    def found(self) -> Isle:
        """One more space, founded by its founding record."""
        root, after, founder = (SigningKey(self.rng.randbytes(32)) for _ in range(3))
        node = NodeKeys.derive(self.rng.randbytes(32))
        body = Founded(
            f"Isle {len(self.isles) + 1}", founder.public, node.public, root.public,
            sha256(after.public).digest(), self.rng.randbytes(32),
        )  # fmt: skip
        raw = seal(FOUNDED, self.now_ms, PUBLIC, structure_and_words(body)[0], root, b"").raw
        isle = Isle(sha256(raw).digest(), len(self.isles) + 1)
        isle.keys[founder.public] = founder
        isle.roots = {root.public: root, after.public: after}
        isle.nodes = {node.identity.public: node.identity}
        self.isles.append(isle)
        self.isle = isle
        self.store.meet(isle.id)
        self._take(Stored(0, 0, self._logged(isle), isle.id, raw, None))
        isle.clocks[root.public, PUBLIC] = self.now_ms
        return isle

    def write(self, kind: str, body: Struct, author: SigningKey, audience: int | Sequence[bytes] | None = None) -> str:
        """Write a record through the same judgement as a node; "" or the sentence of its refusal."""
        isle = self.isle
        wide = self.kinds[kind].audience if audience is None else audience
        structure, words = structure_and_words(body)
        scope = wide if isinstance(wide, int) else -1
        at_ms = max(self.now_ms, isle.clocks.get((author.public, scope), 0) + 1)
        sealed = seal(kind, at_ms, wide, structure, author, isle.id, words=words, random=self.rng.randbytes(32))
        digest = sha256(sealed.raw).digest()
        stored = Stored(len(isle.log), int(wide != PUBLIC), self._logged(isle), digest, sealed.raw, sealed.annex)
        reason = self._take(stored)
        if not reason:
            isle.clocks[author.public, scope] = at_ms
            self.written.append((isle, kind, body))
        return reason

    def force(self, isle: Isle, stored: Stored) -> Verdict:
        """Put a record into a log against all rules, as a hostile space may."""
        verdict = self.store.judge(isle.number, stored, self.kinds)
        self.store.keep(isle.number, stored, verdict)
        isle.log.append(stored)
        return verdict

    def _take(self, stored: Stored) -> str:
        isle, read = self.isle, parse(stored.raw)
        fold = self.store.fold(isle.number, self.kinds)
        try:
            with self.store.fenced(isle.number):
                verdict = fold.submit(stored, read)
        except Refused as refusal:
            self.left_behind += fold.finish()
            self.refused[read.kind] += 1
            self.reasons.add(str(refusal))
            self.turned_down.append((isle, stored, str(refusal)))
            return str(refusal)
        self.store.keep(isle.number, stored, verdict)
        isle.log.append(stored)
        self.accepted[read.kind] += 1
        if read.kind == ERASED:
            self._drop_words(isle, read.body["record"])
        return ""

    def _drop_words(self, isle: Isle, digest: bytes) -> None:
        """What a store does on an erasure: the annex goes, and the space is replayed."""
        isle.log = [_without_words(each) if each.digest == digest else each for each in isle.log]
        self.store.replay(isle.id, isle.number, isle.log, self.kinds)

    def _logged(self, isle: Isle) -> int:
        minute = self.now_ms // MINUTE_MS * MINUTE_MS
        return max(minute, isle.log[-1].logged_ms) if isle.log else minute

    def build(self, kind: str) -> Struct:
        """A body for the state as it is, with an author chosen for it; `Unready` if there is nothing to build from."""
        self.author = self.audience = None
        needs = self.kinds[kind].needs or "member"
        needs = "member" if needs == DECISION else needs  # any member carries out what was decided
        needs = kind if self.kept(kind) and self.holders(kind) else needs
        self.member = self.pick(self.holders(needs) if self.chance(0.9) else self.members())
        self.author = self.pick(self.keys_of(self.member))
        return self.examples[kind](self)

    def decide(self, kind: str, body: Struct, audience: int | Sequence[bytes] | None = None) -> None:
        """Let members decide on exactly this, so that any of them may write it next: propose, call, consent, close.

        It is decided for those for whom it is to be written.

        `Unready` if they cannot. Whom it concerns has no vote; who is about to write it, and for whom, stays as it was.
        """
        if "decision.proposed/1" not in self.kinds:
            raise Unready
        concerned = self.kinds[kind].concerns(self.view, body)
        voting = [member for member in self.members() if member not in concerned]
        if len(voting) < min(2, len(self.members())):
            raise Unready
        keys = [self.keys_of(member)[0] for member in voting]
        plan = Plan(kind, encoding.encode(structure_and_words(body)[0]), 0, list(concerned))
        title = f"Decision {len(self.isle.log)}"
        proposed = Proposed(title, self.words(), self.words(), plans=[plan])
        whom = self.kinds[kind].audience if audience is None else audience
        proposal = self.first("decision.proposed/1", proposed, keys[0], whom)
        call = Called(proposal, 1, "consent", closes_ms=self.now_ms + 31 * DAY_MS, measures=self.words())
        round_ = self.first("decision.called/1", call, keys[0], whom)
        for key in keys:
            self.first("vote.cast/1", Cast(round_, "agree"), key, whom)
        self.first("decision.closed/1", Closed(round_), keys[0], whom)

    def first(self, kind: str, body: Struct, author: SigningKey, audience: int | Sequence[bytes] | None = None) -> bytes:
        """Write what has to come before something else; its digest. `Unready` if it is refused. `live` does not count it."""
        refused = self.write(kind, body, author, audience)
        if refused:
            raise Unready(refused)
        self.begun[kind] += 1
        return self.isle.log[-1].digest

    def step(self, kind: str = "") -> bool:
        """Something happens somewhere; False if nothing could or it was refused."""
        self.isle = self.rng.choice(self.isles)
        return self.step_here(kind or self.rng.choice(sorted(self.examples.keys() & self.kinds.keys())))

    def step_here(self, name: str) -> bool:
        """The same in the space at hand."""
        try:
            body = self.build(name)
        except Unready:
            return False
        audience = self.audience
        if audience is None and self.chance(0.15):
            narrower: list[int | Sequence[bytes]] = [1, MEMBERS, sorted(self.others)[:1]]
            audience = self.rng.choice(narrower)
        assert self.author is not None
        decided = self.kinds[name].needs == DECISION or (self.kept(name) and not self.holders(name))
        if decided and self.chance(0.9):
            try:
                self.decide(name, body, None if self.kinds[name].in_public else audience)
            except Unready:
                return False
        return not self.write(name, body, self.author, audience)

    def pass_time(self) -> None:
        """Minutes to days pass; now and then to the very edge of a cycle."""
        self.now_ms += self.rng.choice([0, 0, 0, MINUTE_MS, HOUR_MS, HOUR_MS, 20 * HOUR_MS, 3 * DAY_MS])
        if self.chance(0.03):
            edge = moon.new_moon_ms(self.cycle + 1) + self.rng.choice([-MINUTE_MS, 0, MINUTE_MS])
            self.now_ms = max(self.now_ms, edge)

    def live(self, steps: int) -> None:
        """A history: kinds that were seldom accepted so far are tried more often."""
        names = sorted(self.examples.keys() & self.kinds.keys())
        for _ in range(steps):
            self.pass_time()
            tried = [self.accepted[name] - self.begun[name] + self.refused[name] / 4 for name in names]
            weights = [1 / (1 + count) for count in tried]
            for name in self.rng.choices(names, weights, k=6):
                if self.step(name):
                    break

    def replayed(
        self,
        *,
        shuffled: bool = True,
        keep: Callable[[Stored], bool] = lambda stored: True,
        words: bool = True,
        only: int = 0,
        without: Sequence[str] = (),
    ) -> Memory:
        """Another store with these logs: some records, with or without their words, one space or all, some tables empty."""
        store = Memory(shuffled=shuffled)
        store.without = frozenset(without)
        for isle in self.isles:
            store.meet(isle.id, isle.number)
        for isle in self.isles:
            if only in (0, isle.number):
                log = [each if words else _without_words(each) for each in isle.log if keep(each)]
                store.replay(isle.id, isle.number, log, self.kinds)
        return store


def _without_words(stored: Stored) -> Stored:
    return Stored(stored.position, stored.flag, stored.logged_ms, stored.digest, stored.raw, None, stored.genuine)


def everything(store: Memory) -> list[tuple[str, Any]]:
    """A store's rows in one order, to compare and to show."""
    return sorted((name, key, row) for name, rows in store.dump(EVERYTHING).items() for key, row in rows.items())  # type: ignore[misc]  # rows of many shapes
