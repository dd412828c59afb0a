"""Where a campaign stands: computed from everybody's rows whenever it is read, and never stored.

Evidence only grows, so the order in which records arrive cannot matter:

1. An answer counts if its space is invited, its entry was logged by `answers_until` (to the minute), it names the call's
   own space, has the call's audience (or is public), and its terms open after answers are in.
2. The call is the caller's join of its own terms; a counter is a join of other terms. A join is never subtracted: a
   withdrawal or a later join of other terms is shown beside it. One space counts once for one set of terms.
3. In force are the terms that most spaces joined; of several, those with the smaller digest. Terms are the same if their
   canonical bytes are.
4. A campaign is armed when the quorum that the call named has joined the terms in force; it was armed at the minute in
   which the last of these was logged.
5. Phases follow the clock: called, armed, open, crest, consolidation, rest, over; without a quorum when the answers are
   in: lapsed.

Nothing here asks where a record came from, so it works as well with the caller's node gone.

Example::

    stands = standing(view, call, now_ms)
    stands.armed, stands.phase, stands.terms.opens_ms
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from protocol import encoding
from protocol.practice import PUBLIC, Row, Table, View, field

CALL, JOIN, COUNTER, DECLINE, WITHDRAW = "call", "join", "counter", "decline", "withdraw"
JOINS = (CALL, JOIN, COUNTER)
PHASES = ("called", "armed", "open", "crest", "consolidation", "rest", "over", "lapsed")

Instant = Annotated[int, Meta(ge=0)]
Line = Annotated[str, Meta(min_length=1, max_length=80)]


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """The window, what it builds, and how people are cared for: joined by value, as one."""

    opens_ms: Annotated[Instant, field("Opens", "When the surge begins; after the answers are in.", widget="instant")]
    crests_ms: Annotated[Instant, field("Crests", "When it is at its height.", widget="instant")]
    disperses_ms: Annotated[
        Instant, field("Disperses", "When it ends, set now: dispersing in time is no defeat.", widget="instant")
    ]
    consolidates_ms: Annotated[
        Instant, field("Consolidates until", "Until then what was built is made to last.", widget="instant")
    ]
    rests_ms: Annotated[Instant, field("Rests until", "Until then nothing new is called.", widget="instant")]
    builds: Annotated[
        str,
        field(
            "What it builds", "The seed: a concrete thing that stays. These words stay for ever, so name no person.",
            widget="text", example="A tool library in the old depot", min_length=10, max_length=500,
        ),
    ]  # fmt: skip
    roles: Annotated[
        list[Line],
        field("Roles needed", "What people are needed for, one a row. Name no person.", example="cooks", max_length=16),
    ] = []
    care: Annotated[
        str,
        field(
            "Care plan", "Food, children, rest, safety, money for those who need it. Name no person.",
            widget="text", max_length=2000,
        ),
    ] = ""  # fmt: skip

    @property
    def edges(self) -> tuple[int, int, int, int, int]:
        """The five instants in their order."""
        return self.opens_ms, self.crests_ms, self.disperses_ms, self.consolidates_ms, self.rests_ms


class Call(Row, frozen=True):
    """A call as it was made; `invited` are 32 bytes for each space, the caller among them, in order of their ids."""

    id: bytes
    position: int
    scope: int  # its audience: answers have the same
    name: str
    why: str
    clears: str
    invited: bytes
    quorum: int
    logged_ms: int
    answers_until_ms: int
    replaces: bytes | None


class Answer(Row, frozen=True):
    """What a space said to a call, itself included; `spelled` are the canonical bytes of the terms that it joined."""

    position: int
    id: bytes
    campaign: bytes
    caller: bytes
    scope: int
    said: str  # call, join, counter, decline or withdraw
    logged_ms: int
    spelled: bytes
    disperses_ms: int  # of those terms, 0 if none
    rests_ms: int
    why: str


CALLS = Table(
    "campaign_call",
    Call,
    ("id",),
    shared=(("id",), ("replaces",), ("logged_ms",)),
    erasable=("name", "why", "clears"),
)
ANSWERS = Table("campaign_answer", Answer, ("position",), indexes=(("campaign",),), shared=(("campaign",),), erasable=("why",))


def spell(terms: Terms) -> bytes:
    """The canonical bytes of terms: two spaces mean the same if these are the same."""
    return encoding.encode(msgspec.to_builtins(terms, builtin_types=(bytes,)))


@lru_cache(maxsize=1024)
def read_terms(spelled: bytes) -> Terms:
    """Terms from their canonical bytes."""
    return msgspec.convert(encoding.decode(spelled), Terms, builtin_types=(bytes,))


def digest_of(spelled: bytes) -> bytes:
    """What names a set of terms."""
    return sha256(spelled).digest()


class Offer(Struct, frozen=True):
    """One set of terms and the spaces that joined it; `reached_ms` is when the quorum had, or None."""

    digest: bytes
    terms: Terms
    spaces: tuple[bytes, ...]
    reached_ms: int | None


class Word(Struct, frozen=True):
    """One answer of a space, in the order of its log; `flaw` says why it does not count, if so.

    The row's own `space`, a number of this store, is 0, so that the same words are equal on every node.
    """

    space: bytes
    answer: Answer
    flaw: str = ""


class Standing(Struct, frozen=True):
    """Where a campaign stands by the records at hand. Spaces are 32-byte ids in order, so it is the same on every node."""

    campaign: bytes
    caller: bytes
    invited: tuple[bytes, ...]
    quorum: int
    offers: tuple[Offer, ...]  # the first is in force
    armed: bool
    armed_ms: int | None
    phase: str
    joined: tuple[bytes, ...]  # the terms in force
    declined: tuple[bytes, ...]  # their last word that counts, and they joined nothing
    withdrawn: tuple[bytes, ...]  # joined, and said later that they cannot; it subtracts nothing
    silent: tuple[bytes, ...]
    words: tuple[Word, ...]

    @property
    def terms(self) -> Terms:
        """The terms in force."""
        return self.offers[0].terms

    @property
    def terms_digest(self) -> bytes:
        """The digest of the terms in force."""
        return self.offers[0].digest


def invited_in(call: Call) -> tuple[bytes, ...]:
    """The ids of the spaces that a call counts, its own among them."""
    return tuple(call.invited[at : at + 32] for at in range(0, len(call.invited), 32))


def standing(view: View, call: Call, now_ms: int) -> Standing:
    """Where a campaign stands, from the rows that this view sees."""
    words = [(view.space_id(row.space), row) for row in view.everywhere(ANSWERS, campaign=call.id)]
    return weigh(view.space_id(call.space), call, words, now_ms)


def weigh(caller: bytes, call: Call, said: Iterable[tuple[bytes, Answer]], now_ms: int) -> Standing:
    """The same from rows and the ids of their spaces, in any order."""
    invited = invited_in(call)
    words = tuple(
        Word(space, msgspec.structs.replace(answer, space=0), _flaw(caller, call, invited, space, answer))
        for space, answer in sorted(said, key=lambda each: (each[0], each[1].position))
    )
    counted = [word for word in words if not word.flaw]
    offers = _offers(call, counted)
    armed_ms = offers[0].reached_ms if offers else None
    last = {word.space: word.answer.said for word in counted}
    stood = {word.space for word in counted if word.answer.said in JOINS}
    # a withdrawal is heard at any time, as it changes nothing but what is shown
    heard = [word for word in words if not word.flaw or (word.flaw == LATE and word.answer.said == WITHDRAW)]
    latest = {word.space: word.answer.said for word in heard}
    return Standing(
        campaign=call.id,
        caller=caller,
        invited=invited,
        quorum=call.quorum,
        offers=offers,
        armed=armed_ms is not None,
        armed_ms=armed_ms,
        phase=_phase(offers[0].terms if offers else None, armed_ms is not None, call.answers_until_ms, now_ms),
        joined=offers[0].spaces if offers else (),
        declined=tuple(space for space in invited if last.get(space) == DECLINE and space not in stood),
        withdrawn=tuple(space for space in invited if space in stood and latest.get(space) == WITHDRAW),
        silent=tuple(space for space in invited if space not in last),
        words=words,
    )


LATE = "logged after the answers were in"


def _flaw(caller: bytes, call: Call, invited: Sequence[bytes], space: bytes, answer: Answer) -> str:
    if space not in invited:
        return "not invited"
    if answer.caller != caller:
        return "names another caller"
    if answer.scope not in (call.scope, PUBLIC):
        return "for another audience than the call"
    if answer.logged_ms > call.answers_until_ms:
        return LATE
    if answer.said in JOINS and read_terms(answer.spelled).opens_ms <= call.answers_until_ms:
        return "opens before the answers are in"
    return ""


def _offers(call: Call, counted: Iterable[Word]) -> tuple[Offer, ...]:
    """The sets of terms that were joined, those in force first."""
    first: dict[bytes, dict[bytes, int]] = {}  # terms -> space -> when it first joined them
    for word in counted:
        if word.answer.said in JOINS:
            at = first.setdefault(word.answer.spelled, {})
            at[word.space] = min(word.answer.logged_ms, at.get(word.space, word.answer.logged_ms))
    offers = []
    for spelled, by in first.items():
        times = sorted(by.values())
        reached = times[call.quorum - 1] if len(times) >= call.quorum else None
        offers.append(Offer(digest_of(spelled), read_terms(spelled), tuple(sorted(by)), reached))
    return tuple(sorted(offers, key=lambda offer: (-len(offer.spaces), offer.digest)))


def _phase(terms: Terms | None, armed: bool, answers_until_ms: int, now_ms: int) -> str:
    if terms is None or not armed:
        return "called" if now_ms <= answers_until_ms + 59_999 else "lapsed"  # that minute counts to its end
    return PHASES[1 + sum(now_ms >= edge for edge in terms.edges)]
