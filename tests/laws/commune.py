"""A collective in which everybody holds the founding mandate, and what one of them may try: for the tests of who decides alone.

Nothing stands in for anything: terms are given by decisions, shadows and facilitators are drawn by lot with commitments and
reveals, figures are noted by the node's own key. `Eve` is the one who tries.

    commune = Commune()
    commune.hold()                  # Eve is treasurer
    commune.eve("role.renewed/1", commune.renewal())
"""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct

from protocol import drawing, lot, moon
from protocol.deciding import Outcome
from protocol.keys import SigningKey
from protocol.lineage import Choice, hash_of
from protocol.practices import library, lots, tripwires
from protocol.practices.ledger import Booked, Posting
from protocol.practices.members import DeviceAdded
from protocol.proposal import Cast
from protocol.role_bodies import Appointed, Called, Defined, Renewed
from protocol.terms import ROLES, TERMS, Permission, Term, as_held, lot_subject
from protocol.wires import REVIEWS, Review, next_noting
from tests.laws.world import MINUTE_MS
from tests.protocol.deciders import House, plan_of

BOOK, WHY = "ledger.transaction-booked/1", "It was talked about at length in the round."
EVE, SHADOW = 1, 3
TEXT = "We do it another way from now on, all of us."


class Commune(House):
    """Some people of a founding round; the second of them is Eve."""

    def __init__(self, people: int = 6, seed: int = 3) -> None:
        super().__init__(people, seed)
        self.node = next(iter(self.isle.nodes.values()))
        self.root = next(iter(self.isle.roots.values()))

    # What Eve does

    def eve(self, kind: str, body: Struct, audience: int | None = None) -> str:
        """Eve writes it; "" or why not."""
        return self.write(kind, body, self.people[EVE], audience)

    def clock(self, kind: str, body: Struct) -> str:
        """Whoever keeps the node writes it with the node's key."""
        return self.write(kind, body, self.node)

    def as_decided(self, kind: str, body: Struct, by: int = 0) -> str:
        """The others decide on exactly this, and somebody does it."""
        self.decide(kind, body)
        return self.write(kind, body, self.people[by])

    def decided_with(self, kind: str, body: Struct, *concerned: bytes, by: int = EVE) -> str:
        """A decision on this act that names these as concerned and nobody else, by all votes; and somebody does it."""
        round_ = self.call(self.propose(plan_of(kind, body, *concerned)))
        for key in self.people:
            if key.public not in concerned:
                self.must("vote.cast/1", Cast(round_, "agree"), key)
        assert self.close(round_).accepted
        return self.write(kind, body, self.people[by])

    def in_one_hand(self, kind: str, body: Struct, hand: int = EVE) -> str:
        """A decision on this act for which one person writes down every answer; and the act."""
        concerned = self.kinds[kind].concerns(self.view, body)
        round_ = self.call(self.propose(plan_of(kind, body, *concerned)), "majority")
        for key in self.people:
            if key.public not in concerned:
                other = None if key is self.people[hand] else key.public
                self.must("vote.cast/1", Cast(round_, "yes", other), self.people[hand])
        self.now_ms = self.round(round_).closes_ms
        assert not self.close(round_).accepted
        return self.write(kind, body, self.people[hand])

    def adopt(self, name: str, value: int) -> str:
        """Eve adopts a protocol by herself, as her mandate lets her."""
        body = library.Published("Another way", "To do it another way", f"{TEXT} {self.rng.random()}")
        published = self.must("protocol.published/1", body, self.people[EVE])
        fuse = moon.cycle_at(self.now_ms) + 3
        adopted = library.Adopted(published, self.isle.id, body.name, hash_of(body.text), fuse, [Choice(name, value)], WHY)
        return self.eve("protocol.adopted/1", adopted)

    def device(self, who: int = EVE) -> SigningKey:
        """One more key for somebody."""
        key = self.new_key()
        self.must("member.device-added/1", DeviceAdded(key.public), self.people[who])
        return key

    # Roles

    def hold(self, in_a_row: int = 3) -> Term:
        """Eve is treasurer, by decision."""
        if in_a_row > 1:
            assert not self.adopt("roles.consecutive-terms", in_a_row)
        self.must("role.defined/1", self.treasurer(), self.people[0])
        assert not self.as_decided("role.appointed/1", self.appointment())
        return self.term()

    def treasurer(self, cycles: int = 1) -> Defined:
        return Defined("treasurer", cycles, [Permission(BOOK, 100_00)], "Money up to a hundred.", "Books.")

    def appointment(self, who: int = EVE) -> Appointed:
        row = self.view.need(ROLES, "treasurer", what="role")
        return Appointed("treasurer", row.id, self.people[who].public, "vote")

    def term(self) -> Term:
        """Eve's first term, as it was held."""
        given = [row for row in self.rows(TERMS) if row.holder == self.people[EVE].public]
        return as_held(self.view, min(given, key=lambda row: row.position))

    def renewal(self) -> Renewed:
        return Renewed(self.term().id, self.view.need(ROLES, "treasurer", what="role").id, WHY, WHY)

    def subject(self) -> bytes:
        """What a lot for the next term is about."""
        return lot_subject(self.view, self.view.need(ROLES, "treasurer", what="role"))

    def pause(self) -> bytes:
        """Eve is treasurer, and her shadow has called: the record of the call."""
        term = self.hold()
        shadow = self.drawn("shadow", term.id)
        return self.must("role.called/1", Called(term.id, BOOK, WHY), shadow)

    def book(self, amount_minor: int = 50_00) -> Booked:
        postings = [Posting("expenses:food", amount_minor, "EUR"), Posting("assets:cash", -amount_minor, "EUR")]
        return Booked(date="2026-01-14", memo="Flour", postings=postings)

    # Lots

    def drawn(self, purpose: str, subject: bytes) -> SigningKey:
        """A lot that everybody contributes to; who was drawn."""
        digest = self.must("lot.opened/1", lots.Opened(purpose, subject), self.people[0])  # type: ignore[arg-type]  # one of the purposes
        here = [key for key in self.people if key.public in self.members()]
        for key in here if self.row(digest).size > 1 else []:
            promise = lot.commitment(digest, key.public, self.part(key))
            self.must("lot.committed/1", lots.Committed(digest, promise), key)
        for key in here if self.row(digest).size > 1 else []:
            self.must("lot.revealed/1", lots.Revealed(digest, self.part(key)), key)
        self.must("lot.drawn/1", lots.LotDrawn(digest), self.node)
        (chosen,) = drawing.standing(self.view, purpose, subject)
        return next(key for key in self.people if key.public == chosen)

    def part(self, key: SigningKey) -> bytes:
        return sha256(b"part" + key.public).digest()

    def row(self, digest: bytes) -> drawing.Lot:
        return self.view.need(drawing.LOTS, digest, what="lot")

    # Reviews

    def trip(self, *concerned: int) -> Review:
        """A wire that concerns some has tripped."""
        body = tripwires.WireSet("members.count", "below", 9, 1, [self.people[who].public for who in concerned], "All of us")
        said = self.as_decided("tripwire.set/1", body)
        assert not said, said
        self.note()
        (review,) = self.rows(REVIEWS)
        return review

    def note(self) -> None:
        """A cycle ends, and the node notes its figures."""
        self.now_ms = moon.new_moon_ms(moon.cycle_at(self.now_ms) + 1) + MINUTE_MS
        assert not self.clock("figures.noted/1", self.figures())

    def figures(self, value: int = 6) -> tripwires.FiguresNoted:
        coming = next_noting(self.view, self.now_ms)
        cycle = coming.cycle if coming else moon.cycle_at(self.now_ms) - 1
        return tripwires.FiguresNoted(cycle, [tripwires.Value("members.count", value)])

    def report(self, review: Review, who: SigningKey) -> bytes:
        return self.must("review.reported/1", tripwires.ReviewReported(review.wire, review.cycle, WHY, WHY), who)

    # Decisions

    def settled(self) -> Outcome:
        """A decision that stands, with a review and a sunset of its own."""
        cycle = moon.cycle_at(self.now_ms)
        round_ = self.call(self.propose(), review_cycle=cycle + 2, sunset_cycle=cycle + 4)
        self.answer(round_, *["agree"] * len(self.people))
        return self.close(round_)
