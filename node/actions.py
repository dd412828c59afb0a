"""The one way in: what a member does becomes a record here, whether it comes from a page, a command, the API or an import.

    body -> prepared by its kind -> seal with the member's key -> judge -> store: one transaction -> tell whoever listens

`submit` writes one record and returns when it is durable; `submit_many` writes many in durable batches, each judged and
signed like the one. Both refuse with the sentence that the member reads, and then nothing is written.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec import Struct

from node.clock import Clock
from node.planned import check_effect, check_plans
from node.store import Placed, Store
from node.words import AUDIENCE_NAMES, AUDIENCES
from protocol import ballot, record
from protocol import body as bodies
from protocol.keys import SigningKey
from protocol.practice import EVERYTHING, LATEST, Kind, Refused, unchanged
from protocol.practices import KINDS
from protocol.record import RecordError, Sealed, scope_of

BATCH = 2000
_SLACK_MS = 600_000


class Draft(Struct, frozen=True):
    """What is to become a record."""

    kind: str
    body: Struct
    audience: int | tuple[bytes, ...] | None = None  # None: as the kind has it


class Lent:
    """What this node lends to an act before it is sealed: `protocol.practice.Secrets`."""

    def __init__(self, clock: Clock, secret: bytes, author: bytes) -> None:
        self._clock, self._secret, self._author = clock, secret, author

    @property
    def now_ms(self) -> int:
        """The node's own time."""
        return self._clock.now_ms()

    @property
    def author(self) -> bytes:
        """The public key that is about to sign."""
        return self._author

    def random(self, count: int) -> bytes:
        """Bytes that nobody can guess."""
        return self._clock.random(count)

    def derive(self, label: bytes) -> bytes:
        """32 bytes that only this node can make, and always makes again from the same label."""
        if not self._secret:
            raise Refused("This takes a node with its seed. Write it on the node's own page.")
        return hmac.digest(self._secret, b"archipelago/act/1" + label, "sha256")

    def shared(self, label: bytes) -> bytes:
        """The public key to what this node derives."""
        return ballot.public_of(self.derive(label))


class Actions:
    """Acts of members of one space, on one store."""

    def __init__(self, store: Store, space: bytes, clock: Clock, secret: bytes = b"") -> None:
        self.store, self.space, self.clock, self._secret = store, space, clock, secret
        self._latest: dict[tuple[bytes, int], int] = {}
        self._signers = ThreadPoolExecutor(2, thread_name_prefix="sign")

    def kind(self, name: str) -> Kind[Any]:
        """The kind with this name; Refused with those there are."""
        kind = KINDS.get(name)
        if kind is None:
            raise Refused(f"This node knows no kind “{name}”. It knows: {', '.join(sorted(KINDS))}.")
        return kind

    def draft(
        self,
        kind: str,
        value: Mapping[str, Any] | Struct,
        audience: int | Sequence[bytes] | None = None,
        author: bytes = b"",
    ) -> Draft:
        """A draft from JSON as members write it, or from a body, filled in by its kind; Refused names the field.

        `author` is the public key that is to sign, for kinds whose filling differs from one to the other.
        """
        known = self.kind(kind)
        body = value if isinstance(value, Struct) else bodies.from_json(known.body, value)
        if known.prepare is not unchanged:
            body = known.prepare(self.store.view(self.space, EVERYTHING), body, Lent(self.clock, self._secret, author))
        spoken = audience if audience is None else _spoken(audience)
        if isinstance(spoken, int) and spoken < known.audience:
            raise Refused(
                f"Audience: “{known.title}” is for {AUDIENCE_NAMES[known.audience]} at the widest."
                " It can be narrowed, not widened."
            )
        check_effect(body)
        check_plans(body, known.audience if spoken is None else scope_of(spoken))
        return Draft(kind, body, spoken)

    def advise(self, draft: Draft) -> str:
        """What may be wrong with it, as far as this node sees; "" if nothing."""
        return str(self.kind(draft.kind).advise(self.store.view(self.space, EVERYTHING), draft.body))

    def submit(
        self, kind: str, value: Mapping[str, Any] | Struct, key: SigningKey, audience: int | Sequence[bytes] | None = None
    ) -> Placed:
        """Write one record; durable when this returns. Refused if it does not hold."""
        (told,) = self.submit_drafts([self.draft(kind, value, audience, key.public)], key)
        if isinstance(told, Refused):
            raise told
        return told

    def submit_drafts(self, drafts: Sequence[Draft], key: SigningKey, *, bulk: bool = False) -> list[Placed | Refused]:
        """Write records in one durable transaction; for each its place, or why it was refused."""
        with self.store.database.lock:
            now_ms = self.clock.now_ms()
            jobs = [self._dated(draft, key, now_ms - _SLACK_MS if bulk else now_ms) for draft in drafts]
            try:
                if len(jobs) < 64:
                    sealed = self._seal_all(jobs)
                else:  # signing lets go of the interpreter's lock
                    half = -(-len(jobs) // 2)
                    parts = self._signers.map(self._seal_all, (jobs[:half], jobs[half:]))
                    sealed = [one for part in parts for one in part]
                told = iter(self.store.append(self.space, [one for one in sealed if isinstance(one, Sealed)], now_ms))
                return [next(told) if isinstance(one, Sealed) else one for one in sealed]
            finally:
                self._latest.clear()

    def submit_many(self, drafts: Iterable[Draft], key: SigningKey) -> Iterable[Placed | Refused]:
        """Write many records in durable batches; what one batch says comes out before the next is begun."""
        batch: list[Draft] = []
        for draft in drafts:
            batch.append(draft)
            if len(batch) == BATCH:
                yield from self.submit_drafts(batch, key, bulk=True)
                batch = []
        if batch:
            yield from self.submit_drafts(batch, key, bulk=True)

    def close(self) -> None:
        """Let the signing threads go."""
        self._signers.shutdown()

    def _dated(
        self, draft: Draft, key: SigningKey, from_ms: int
    ) -> tuple[Draft, int | tuple[bytes, ...], SigningKey, int, bytes]:
        kind = KINDS[draft.kind]
        audience = kind.audience if draft.audience is None else draft.audience
        at = (key.public, scope_of(audience))
        last = self._latest.get(at)
        if last is None:
            row = self.store.view(self.space).get(LATEST, *at)
            last = row.at_ms if row else -1
        at_ms = self._latest[at] = max(from_ms, last + 1)
        return draft, audience, key, at_ms, self.clock.random(32)

    def _seal_all(
        self, jobs: Sequence[tuple[Draft, int | tuple[bytes, ...], SigningKey, int, bytes]]
    ) -> list[Sealed | Refused]:
        return [self._seal(*job) for job in jobs]

    def _seal(
        self, draft: Draft, audience: int | tuple[bytes, ...], key: SigningKey, at_ms: int, random: bytes
    ) -> Sealed | Refused:
        structure, words = bodies.structure_and_words(draft.body)
        try:
            return record.seal(draft.kind, at_ms, audience, structure, key, self.space, words=words, random=random)
        except RecordError as error:
            return Refused(str(error))


def _spoken(audience: int | Sequence[bytes]) -> int | tuple[bytes, ...]:
    """An audience as a record says it; Refused if it is none, because a record would be read as for members only then."""
    if isinstance(audience, int):
        if isinstance(audience, bool) or audience not in AUDIENCE_NAMES:
            raise Refused(f"Audience: one of {', '.join(AUDIENCES)}, or a list of spaces.")
        return audience
    named = tuple(sorted(set(audience)))
    if not named or any(len(space) != 32 for space in named):
        raise Refused("Audience: name at least one space, each by its id.")
    return named
