"""Self-government across nodes: a year of roles, decisions, lots and reviews, and a peer that has the same of it to the record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from node.clock import MovedClock
from node.clockwork import Clockwork
from node.commands import fingerprints
from node.home import Home
from protocol.body import from_json, structure_and_words
from protocol.drawing import COMMIT, lots_for, phase, standing
from protocol.encoding import encode
from protocol.keys import SigningKey
from protocol.practice import Refused
from protocol.practices import KINDS
from protocol.terms import TERMS
from protocol.wires import open_reviews
from tests.node.archipelago import Isle, archipelago
from tests.node.decided import decided

MINUTE, DAY, START = 60_000, 86_400_000, 1_790_000_040_000
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve")
WHY = "It was talked about at length in the round."


class Year:
    """A year of one space's self-government, cycle by cycle, with its clock."""

    def __init__(self, isle: Isle, clock: MovedClock) -> None:
        self.home, self.clock, self.people = isle.home, clock, [isle.key]
        for name in NAMES[1:]:
            key, secret = SigningKey(name.encode().ljust(32, b"-")), name.encode().ljust(16, b"-")
            until = clock.now_ms() // MINUTE * MINUTE + DAY
            self.do("member.invited/1", {"hash": sha256(secret).hexdigest(), "expires_ms": until})
            self.people.append(key)
            self.do("member.joined/1", {"secret": secret.hex()}, len(self.people) - 1)
        clock.move(2 * MINUTE)
        permission = {"kind": "ledger.transaction-booked/1", "up_to": "100.00"}
        role = {"role": "treasurer", "cycles": 1, "permissions": [permission], "domain": "Money up to a hundred"}
        self.role = self.do("role.defined/1", role)
        wire = {"figure": "members.count", "compare": "below", "number": 9, "cycles": 2, "who": "All of us"}
        decided(self.home, "tripwire.set/1", wire, self.people)
        self.turned: set[str] = set()
        self.refused: set[str] = set()

    def do(self, kind: str, body: Mapping[str, Any], who: int = 0) -> bytes:
        return self.home.actions.submit(kind, body, self.people[who]).digest

    def decide(self, kind: str, body: Mapping[str, Any], hidden: str = "open") -> None:
        """Four weeks in a minute: propose exactly this, call, answer, let the clock count, and do it."""
        known = KINDS[kind]
        made = from_json(known.body, body)
        concerned = known.concerns(self.home.view(), made)
        plan = {
            "kind": kind,
            "structure": encode(structure_and_words(made)[0]).hex(),
            "concerned": [each.hex() for each in concerned],
        }
        proposal = self.do(
            "decision.proposed/1", {"title": f"On {known.title}", "text": "So be it", "why": WHY, "plans": [plan]}
        )
        call = {"proposal": proposal.hex(), "version": 1, "type": "majority", "hidden": hidden}
        round_ = self.do("decision.called/1", call)
        for who, key in enumerate(self.people):
            if key.public not in concerned:
                self.do("vote.cast/1", {"round": round_.hex(), "choice": "no" if who == 4 else "yes"}, who)
        self.clock.move(8 * DAY)
        self.turn()
        self.do(kind, body)

    def turn(self) -> None:
        self.turned |= set(Clockwork(self.home).turn().done)

    def lot(self, purpose: str, subject: bytes) -> int:
        """Drawn from everybody's parts; who it fell on. The clock may have opened it."""
        opened = lots_for(self.home.view(), purpose, subject)
        if opened and phase(opened[-1], self.clock.now_ms()) == COMMIT:
            lot = opened[-1].id
        else:
            lot = self.do("lot.opened/1", {"purpose": purpose, "subject": subject.hex()})
        for kind in ("lot.committed/1", "lot.revealed/1"):
            for who in range(5):
                self.do(kind, {"lot": lot.hex()}, who)
        self.turn()
        (drawn,) = standing(self.home.view(), purpose, subject)
        return [key.public for key in self.people].index(drawn)

    def cycle(self, number: int) -> None:
        """A treasurer for this cycle, a shadow with a call now and then, figures at its end, and a review if there is one."""
        holder = 1 + number % 3
        body = {
            "role": "treasurer",
            "definition": self.role.hex(),
            "holder": self.people[holder].public.hex(),
            "chosen": "vote",
        }
        self.decide("role.appointed/1", body, "close" if number % 2 else "open")
        term = max(self.home.view().all(TERMS), key=lambda row: row.position)
        if number % 3 == 0:
            shadow = self.lot("shadow", term.id)
            said = {"term": term.id.hex(), "kind": "ledger.transaction-booked/1", "reasons": WHY}
            call = self.do("role.called/1", said, shadow)
            self.book(holder)
            self.decide("role.call-answered/1", {"call": call.hex(), "outcome": "resume", "reasons": WHY})
        self.book(holder)
        for review in open_reviews(self.home.view()):
            who = self.lot("facilitator", review.id)
            told = {"wire": review.wire.hex(), "cycle": review.cycle, "found": WHY, "change": WHY}
            self.decide("review.accepted/1", {"report": self.do("review.reported/1", told, who).hex()})
        self.clock.move(max(0, term.until_ms - self.clock.now_ms()))
        self.turn()
        self.book(holder)

    def book(self, who: int) -> None:
        postings = [
            {"account": "expenses:food", "amount": "5.00", "currency": "EUR"},
            {"account": "assets:cash", "amount": "-5.00", "currency": "EUR"},
        ]
        try:
            self.do("ledger.transaction-booked/1", {"date": "2026-10-01", "memo": "Flour", "postings": postings}, who)
        except Refused as refusal:
            self.refused.add(re.sub(r" at .*", "", str(refusal)))


def public_rows(home: Home, space: bytes) -> dict[str, list[tuple[object, ...]]]:
    """What a node's read tables hold of a space in public, without the number that it goes by there."""
    number = home.store.view(space).space
    home.store.tables.flush()
    return {
        table.name: sorted(
            (row[1:] for row in home.store.db.execute(f"SELECT * FROM {table.name} WHERE space={number:d} AND audience=0")),
            key=repr,
        )
        for table in home.store.read_tables
    }


async def test_two_nodes_agree_to_the_record_on_a_year_of_roles_decisions_lots_and_reviews(tmp_path: Path) -> None:
    clock = MovedClock(START, running=False)
    async with archipelago(tmp_path, ("hall", "mill"), clock) as (hall, mill):
        year = Year(hall, clock)
        for number in range(12):
            year.cycle(number)
            if number in (2, 7, 11):
                await mill.sync(hall)
                assert public_rows(mill.home, hall.home.space) == public_rows(hall.home, hall.home.space)
            if number == 3:
                await mill.stop()  # terms, rounds and a review end while it is off
            if number == 6:
                await mill.start()
        assert year.turned == {"decision.closed/1", "figures.noted/1", "lot.drawn/1", "lot.opened/1"}
        assert year.refused == {
            "Your term as treasurer ended", "This permission of your term as treasurer is paused by its shadow until the assembly has looked."
        }  # fmt: skip
        held = public_rows(mill.home, hall.home.space)
        assert (
            min(
                len(held[name])
                for name in ("role_term", "role_call", "lot", "round", "outcome", "review", "review_report", "figures_noting")
            )
            > 2
        )
        assert held["problem"] == []
        for isle in (hall, mill):
            before = fingerprints(isle.home)
            isle.home.store.rebuild()
            assert fingerprints(isle.home) == before
        assert mill.home.store.need(hall.home.space).root == hall.home.log.root
