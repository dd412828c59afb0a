"""A space of a few members for tests of roles, with short ways to decide and to draw.

Decisions and draws have practices of their own. Here one record each stands in for them (`STAND_INS`), so that logs hold all that
there is and can be replayed: ``stand.decided/1`` gives leave for one exact act, ``stand.drawn/1`` is a lot that fell, ``stand.set/1``
a protocol that is adopted. `SPEND` are two duties without any rules of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Struct

from protocol.body import structure_and_words
from protocol.drawing import LOTS, MEMBERS_SOURCE, POOLS, Lot, Pool
from protocol.keys import SigningKey
from protocol.mandate import ANYBODY, act_name
from protocol.membership import members_at
from protocol.practice import (
    FOREVER_MS,
    GRANTS,
    SETTINGS,
    Act,
    Change,
    Digest,
    Grant,
    Kind,
    Own,
    Parameter,
    Practice,
    Setting,
    field,
)
from protocol.practices import PRACTICES, ledger, members
from protocol.role_bodies import Appointed, Defined, Renewed, Taken
from protocol.terms import ROLES, TERMS, Permission, Role, Term, as_held, lot_subject
from tests.laws.world import DAY_MS, MINUTE_MS, Registry, World

SPEND = ("stand.lent/1", "stand.spent/1")
BOOK = "ledger.transaction-booked/1"
PUBLISH = "protocol.published/1"
WHY = "It was talked about at length in the round."
DECISION = "The decision “so be it”"
TAKES_DECISION = "This takes a decision for exactly this act, by others than those whom it concerns. Propose it first."


class Decided(Struct, frozen=True, forbid_unknown_fields=True):
    """Leave for one exact act."""

    name: Annotated[str, field("Name", "Of the act.")]


class Drawn(Struct, frozen=True, forbid_unknown_fields=True):
    """A lot that fell."""

    purpose: Annotated[str, field("Purpose", "What for.")]
    subject: Annotated[Digest, field("Subject", "About what.")]
    order: Annotated[list[bytes], field("Order", "Members as they were drawn.")]
    seats: Annotated[int, field("Seats", "How many.")] = 1


class Set(Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter gets a value."""

    name: Annotated[str, field("Name", "Of the parameter.")]
    value: Annotated[int, field("Value", "What it is.")]


class Spent(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a role may keep to itself."""

    amount_minor: Annotated[int, field("Amount", "How much.")]


def set_(own: Own, act: Act[Set]) -> Iterator[Change]:
    """As an adopted protocol would."""
    yield SETTINGS.put(Setting(act.space, act.digest, act.body.name, act.position, act.body.value, act.logged_ms, FOREVER_MS))


def spend(own: Own, act: Act[Spent]) -> Iterator[Change]:
    """Whoever may, may."""
    return iter(())


def decided(own: Own, act: Act[Decided]) -> Iterator[Change]:
    """Give leave."""
    yield GRANTS.put(
        Grant(act.space, act.digest, act.body.name, ANYBODY, act.logged_ms, act.logged_ms + 40 * DAY_MS, 0, False, DECISION)
    )


def drawn(own: Own, act: Act[Drawn]) -> Iterator[Change]:
    """Write down what came out."""
    body, at_ms = act.body, act.logged_ms
    yield LOTS.put(
        Lot(
            act.space, act.digest, body.purpose, body.subject, act.member, body.seats, len(body.order), MEMBERS_SOURCE, "", "", 1,
            len(body.order), at_ms, at_ms, at_ms, 2, 2, "", at_ms, act.digest,
        )
    )  # fmt: skip
    people = b"".join(body.order)
    pool = Pool(
        space=act.space, lot=act.digest, people=people, grouped="", contributors=people, drawn=people, chosen=body.seats,
        randomness=bytes(32),
    )  # fmt: skip
    yield POOLS.put(pool)


STAND_INS = Practice(
    "stand", "Stand-ins", "assembly", "Instead of decisions and lots.",
    kinds=(
        Kind("stand.decided/1", "Decide", Decided, decided, needs="member"),
        Kind("stand.drawn/1", "Draw", Drawn, drawn, needs="member"),
        Kind("stand.set/1", "Set", Set, set_, needs="member"),
        *(Kind(name, "Spend", Spent, spend, weigh=lambda body: body.amount_minor, duty=True) for name in SPEND),
    ),
)  # fmt: skip
REGISTRY = Registry((*PRACTICES, STAND_INS))


class RoleHouse(World):
    """One space with a founder and others of the founding round."""

    def __init__(self, others: int = 3, seed: int = 5) -> None:
        super().__init__(REGISTRY, {}, seed, spaces=1)
        self.now_ms = self.now_ms // MINUTE_MS * MINUTE_MS
        self.founder = next(iter(self.isle.keys.values()))
        self.all = [self.founder, *(self.join() for _ in range(others))]

    def join(self) -> SigningKey:
        """One more member."""
        secret, key = self.rng.randbytes(16), SigningKey(self.rng.randbytes(32))
        until_ms = self.now_ms // MINUTE_MS * MINUTE_MS + DAY_MS
        for kind, body, author in (
            ("member.invited/1", members.Invited(sha256(secret).digest(), until_ms), self.founder),
            ("member.joined/1", members.Joined(secret), key),
        ):
            said = self.write(kind, body, author)
            assert not said, said
        self.isle.keys[key.public] = key
        return key

    def later(self, days: float) -> None:
        """Time passes."""
        self.now_ms += int(days * DAY_MS)

    # What happens

    def must(self, kind: str, body: Struct, author: SigningKey) -> bytes:
        """Write what has to hold; its digest."""
        said = self.write(kind, body, author)
        assert not said, f"{kind}: {said}"
        return self.isle.log[-1].digest

    def leave(self, kind: str, body: Struct) -> None:
        """The members decide on exactly this act."""
        known = self.kinds[kind]
        name = act_name(kind, structure_and_words(body)[0], known.concerns(self.view, body))
        self.must("stand.decided/1", Decided(name), self.founder)

    def as_decided(self, kind: str, body: Struct, author: SigningKey | None = None) -> str:
        """The same, and somebody does it; "" or the sentence of the refusal."""
        self.leave(kind, body)
        return self.write(kind, body, author or self.founder)

    def draw(self, purpose: str, subject: bytes, order: Sequence[SigningKey]) -> bytes:
        """A lot falls on these, in this order."""
        return self.must("stand.drawn/1", Drawn(purpose, subject, [key.public for key in order]), self.founder)

    def define(self, role: str = "treasurer", cycles: int = 1, *permissions: Permission) -> Role:
        """A role that may book up to 100.00, if nothing else is said."""
        chosen = list(permissions) or [Permission(BOOK, 100_00)]
        self.defined(Defined(role, cycles, chosen, "All money up to a hundred.", "Books."), self.founder)
        return self.role(role)

    def defined(self, body: Defined, author: SigningKey) -> None:
        """Define a role; by decision where it is there already, or keeps what another role keeps."""
        said = self.write("role.defined/1", body, author)
        if said:
            said = self.as_decided("role.defined/1", body, author)
        assert not said, said

    def give(self, holder: SigningKey, role: str = "treasurer", *, lot: bool = False) -> Term:
        """A term by decision, or by lot."""
        row = self.role(role)
        if lot:
            self.draw("role", lot_subject(self.view, row), [holder])
            self.must("role.taken/1", Taken(role), holder)
        else:
            said = self.as_decided("role.appointed/1", Appointed(role, row.id, holder.public, "consent"))
            assert not said, said
        return self.term(self.isle.log[-1].digest)

    # What is

    def role(self, role: str = "treasurer") -> Role:
        """The row of a role."""
        return self.view.need(ROLES, role, what="role")

    def term(self, digest: bytes) -> Term:
        """A term as it was held."""
        return as_held(self.view, self.view.need(TERMS, digest, what="term"))

    def first_term(self) -> Term:
        """The term that was given first."""
        return self.term(min(self.rows(TERMS), key=lambda term: term.position).id)

    def last_term(self) -> Term:
        """The term that was given last."""
        return self.term(max(self.rows(TERMS), key=lambda term: term.position).id)

    def renewal(self, term: Term) -> Renewed:
        """A renewal of a term, with what is to be said."""
        return Renewed(term.id, self.role(term.role).id, "The books are in order at last.", WHY)

    def set_parameter(self, parameter: Parameter, value: int) -> None:
        """An adopted protocol sets this."""
        self.must("stand.set/1", Set(parameter.name, value), self.founder)

    def here(self) -> list[bytes]:
        """Who is a member now."""
        return [row.member for row in members_at(self.view, self.now_ms)]


def blocks_of(found: Iterable[object]) -> str:
    """What blocks hold, as text to look into."""
    return msgspec.json.encode(list(found), enc_hook=str).decode()


def booked(amount_minor: int = 50_00) -> ledger.Booked:
    """A transaction of so much."""
    return ledger.Booked(
        date="2026-03-14", memo="Flour",
        postings=[ledger.Posting("expenses:food", amount_minor, "EUR"), ledger.Posting("assets:cash", -amount_minor, "EUR")],
    )  # fmt: skip


def watched() -> RoleHouse:
    """The second of four holds the role of treasurer; a shadow is drawn: the third, then the fourth."""
    house = RoleHouse()
    house.define()
    house.draw("shadow", house.give(house.all[1]).id, house.all[2:])
    return house
