"""Power that is over is over: random histories of roles, held beside a naive account of who may do what.

The account (`Account`) is written apart from the practice: it keeps what happened as a list and, for every question, goes through
it from the beginning. Histories go to the very edges of terms, and back in time where clocks are set back.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec import Struct

from protocol import drawing, moon, terms
from protocol.keys import SigningKey
from protocol.membership import members_at
from protocol.practice import RESTS
from protocol.practices import members
from protocol.rest_records import TakenOver, Wished
from protocol.role_bodies import Answered, Appointed, Called, Defined, Dissolved, Recalled, Renewed, Resigned, Taken
from protocol.terms import Permission, lot_subject
from tests.laws.laws import in_sqlite
from tests.laws.world import DAY_MS, MINUTE_MS
from tests.protocol.role_house import SPEND, WHY, RoleHouse, Spent

SEEDS = range(40)
STEPS = 45
MOONS = [at_ms for year in range(2020, 2040) for _, at_ms in moon.moons_of_year(year)]
ROLES = ("cook", "treasurer")


# The naive account


@dataclass
class Held:
    """A term as the account has it."""

    id: bytes
    role: str
    holder: bytes
    begins: int
    ends: int
    limits: dict[str, int]
    paused: set[str] = field(default_factory=set)
    revoked: dict[str, int] = field(default_factory=dict)


@dataclass
class Rested:
    """A cycle in which somebody steps back, as the account has it."""

    id: bytes
    holder: bytes
    role: str
    begins: int
    ends: int
    stand_in: bytes = b""


class Account:
    """What happened, and who may do what by that."""

    def __init__(self) -> None:
        self.happened: list[tuple[int, str, Any]] = []

    def rests(self, at: int, term: Held) -> list[Rested]:
        """Those in which a term lies at an instant."""
        found: dict[bytes, Rested] = {}
        for when, what, told in self.happened:
            if when <= at and what == "rested":
                found[told.id] = Rested(told.id, told.holder, told.role, told.begins, told.ends)
            elif when <= at and what == "stood in":
                found[told[0]].stand_in = told[1]
        return [
            each for each in found.values()
            if each.holder == term.holder and each.role in ("", term.role) and each.begins <= at < each.ends
        ]  # fmt: skip

    def terms(self, until: int) -> tuple[list[Held], dict[str, int], set[bytes]]:
        """(terms, when roles were dissolved, who has gone) by what was on record up to an instant."""
        held: list[Held] = []
        limits: dict[str, tuple[int, dict[str, int]]] = {}
        drawn: dict[str, tuple[int, dict[str, int]]] = {}
        dissolved: dict[str, int] = {}
        gone: set[bytes] = set()
        calls: dict[bytes, tuple[Held, str]] = {}
        for at, what, told in self.happened:
            if at > until:
                break
            if what == "defined":
                limits[told.role] = told.cycles, {each.kind: each.up_to for each in told.permissions}
            elif what == "drawn":
                drawn[told] = limits[told]
            elif what == "given":
                digest, role, holder, by_lot = told
                cycles, may = drawn[role] if by_lot else limits[role]
                held.append(self._given(held, digest, role, holder, at, cycles, dict(may), by_lot=by_lot))
            elif what == "gone":
                gone.add(told)
                for term in held:
                    if term.holder == told:
                        term.ends = min(term.ends, at)
            elif what == "dissolved":
                dissolved[told] = len(held)
                for term in held:
                    if term.role == told:
                        term.ends = min(term.ends, at)
            elif what == "ended":
                for term in _from(held, told):
                    term.ends = min(term.ends, at)
            elif what == "called":
                digest, of, kind = told
                calls[digest] = next(term for term in held if term.id == of), kind
                for term in _from(held, of):
                    if at < min(term.ends, term.revoked.get(kind, term.ends)):
                        term.paused.add(kind)
            elif what == "answered":
                digest, outcome = told
                of_, kind = calls[digest]
                for term in _from(held, of_.id):
                    if kind in term.paused and at < min(term.ends, term.revoked.get(kind, term.ends)):
                        if outcome == "resume":
                            term.paused.discard(kind)
                        else:
                            term.revoked[kind] = at
        return held, dissolved, gone

    def _given(
        self,
        held: list[Held],
        digest: bytes,
        role: str,
        holder: bytes,
        at: int,
        cycles: int,
        may: dict[str, int],
        *,
        by_lot: bool,
    ) -> Held:
        of_role = [term for term in held if term.role == role]
        begins = next((term.ends for term in of_role if term.begins <= at < term.ends), at)
        ends = MOONS[bisect_right(MOONS, begins) + cycles - 1]
        ends = min([ends, *(term.begins for term in of_role if at < term.begins < term.ends)])
        before = [term for term in of_role if term.holder == holder and term.begins < term.ends <= begins]
        paused: set[str] = set()
        if before:
            last = max(before, key=lambda term: term.ends)
            if begins < MOONS[bisect_right(MOONS, last.ends - 1) + 1]:
                paused = {kind for kind in last.paused & may.keys() if by_lot or last.revoked.get(kind, last.ends) >= last.ends}
        return Held(digest, role, holder, begins, ends, may, set(paused))

    def may(self, member: bytes, kind: str, amount: int, at: int) -> bool | None:
        """Whether a member may: True by a role, False because another's role keeps it or they have gone, None: it is not told."""
        held, dissolved, gone = self.terms(at)
        if member in gone:
            return False
        for term in held:
            if term.begins <= at < term.ends and kind in term.limits and kind not in term.paused:
                rests = self.rests(at, term)
                if member not in ({each.stand_in for each in rests} if rests else {term.holder}):
                    continue
                limit = term.limits[kind]
                if at < term.revoked.get(kind, term.ends) and (not limit or amount <= limit):
                    return True
        if not any(kind in term.limits for term in held):
            return True
        for role in ROLES:
            begun = [
                term for n, term in enumerate(held) if term.role == role and n >= dissolved.get(role, 0) and term.begins <= at
            ]
            if begun and kind in max(reversed(begun), key=lambda term: term.begins).limits:
                return False
        return None


def _from(held: list[Held], digest: bytes) -> list[Held]:
    """A term, and those of the same role that the same person has after it."""
    first = next(term for term in held if term.id == digest)
    ours = [term for term in held if (term.role, term.holder) == (first.role, first.holder)]
    return [term for term in ours if term.begins >= first.begins]


# Histories


class History:
    """A house in which anything happens, and its account."""

    def __init__(self, seed: int) -> None:
        self.house = RoleHouse(others=4, seed=seed)
        self.rng = random.Random(seed)
        self.account = Account()
        self.calls: list[bytes] = []
        self.tried = {True: 0, False: 0, None: 0}
        self.house.set_parameter(terms.CONSECUTIVE, 3)
        self.house.set_parameter(terms.SHADOW_CALLS, 3)
        self.house.set_parameter(terms.TERM_CYCLES, 2)
        for role in ROLES:
            self.defined(role)

    @property
    def at(self) -> int:
        """The log's own time now."""
        return max(self.house.now_ms // MINUTE_MS * MINUTE_MS, self.house.isle.log[-1].logged_ms)

    def note(self, what: str, told: Any) -> None:
        self.account.happened.append((self.at, what, told))

    def member(self) -> SigningKey:
        here = {row.member for row in members_at(self.house.view, self.at)}
        return self.rng.choice([key for key in self.house.all if key.public in here])

    def term(self) -> Any:
        """A term that is not over, mostly."""
        rows = sorted(self.house.rows(terms.TERMS), key=lambda row: row.position)
        live = [row for row in rows if row.until_ms > self.at]
        rows = live if live and self.rng.random() < 0.9 else rows[-4:]
        return self.rng.choice(rows) if rows else None

    # What may happen

    def defined(self, role: str) -> None:
        some = [Permission(kind, self.rng.choice([0, 100])) for kind in SPEND if self.rng.random() < 0.7]
        body = Defined(role, self.rng.choice([1, 1, 2]), some, "All of it.")
        self.house.defined(body, self.house.founder)
        self.note("defined", body)

    def appointed(self, role: str) -> None:
        row, holder = self.house.role(role), self.member()
        body = Appointed(role, row.id, holder.public, "vote")
        if not self.house.as_decided("role.appointed/1", body):
            self.note("given", (self.house.isle.log[-1].digest, role, holder.public, False))

    def taken(self, role: str) -> None:
        row, holder = self.house.role(role), self.member()
        if row.ended_ms <= self.at:
            return
        subject = lot_subject(self.house.view, row)
        if not drawing.lots_for(self.house.view, "role", subject):
            self.house.draw("role", subject, [holder])
            self.note("drawn", role)
        if self.rng.random() < 0.4:
            self.defined(role)
        for key in self.house.all:
            if not self.house.write("role.taken/1", Taken(role), key):
                self.note("given", (self.house.isle.log[-1].digest, role, key.public, True))

    def renewed(self, role: str) -> None:
        term = self.term()
        if term:
            body = Renewed(term.id, self.house.role(term.role).id, WHY, WHY)
            if not self.house.as_decided("role.renewed/1", body, self.member()):
                self.note("given", (self.house.isle.log[-1].digest, term.role, term.holder, False))

    def ended(self, role: str) -> None:
        term = self.term()
        if term and self.rng.random() < 0.5:
            body: Struct = Recalled(term.id, WHY)
            if not self.house.as_decided("role.recalled/1", body, self.member()):
                self.note("ended", term.id)
        elif term:
            key = next(key for key in self.house.all if key.public == term.holder)
            if not self.house.write("role.resigned/1", Resigned(term.id), key):
                self.note("ended", term.id)

    def dissolved(self, role: str) -> None:
        if self.rng.random() < 0.3 and not self.house.as_decided("role.dissolved/1", Dissolved(role, WHY)):
            self.note("dissolved", role)
            self.house.later(0.01)
            self.defined(role)

    def called(self, role: str) -> None:
        term = self.term()
        if term is None:
            return
        shadow = self.member()
        if not drawing.lots_for(self.house.view, "shadow", term.id):
            self.house.draw("shadow", term.id, [shadow])
        kind = self.rng.choice(SPEND)
        for key in self.house.all:
            if not self.house.write("role.called/1", Called(term.id, kind, WHY), key):
                self.calls.append(self.house.isle.log[-1].digest)
                self.note("called", (self.calls[-1], term.id, kind))

    def answered(self, role: str) -> None:
        if self.calls:
            made, outcome = self.rng.choice(self.calls), self.rng.choice(["resume", "revoke"])
            body = Answered(made, outcome, WHY)  # type: ignore[arg-type]  # one of two
            if not self.house.as_decided("role.call-answered/1", body, self.member()):
                self.note("answered", (made, outcome))

    def rested(self, role: str) -> None:
        term = self.term()
        if term and self.rng.random() < 0.6:
            key = next(key for key in self.house.all if key.public == term.holder)
            cycle = moon.cycle_at(self.house.now_ms) + 1
            chosen = self.rng.choice([term.role, term.role, ""])
            if not self.house.write("sabbatical.wished/1", Wished(cycle, chosen), key):
                digest = self.house.isle.log[-1].digest
                self.note("rested", Rested(digest, key.public, chosen, MOONS[bisect_right(MOONS, self.at)], 0))
                self.account.happened[-1][2].ends = MOONS[bisect_right(MOONS, self.at) + 1]
                self.house.draw("newcomer", digest, [each for each in self.house.all if each is not key])
                if self.rng.random() < 0.6:
                    self.stood_in(role)

    def stood_in(self, role: str) -> None:
        rests = [told for _, what, told in self.account.happened if what == "rested" and self.at < told.ends]
        if rests:
            rest = self.rng.choice([rests[-1], *rests])
            for key in self.house.all:
                if not self.house.write("sabbatical.taken-over/1", TakenOver(rest.id), key):
                    self.note("stood in", (rest.id, key.public))

    def left(self, role: str) -> None:
        if self.rng.random() < 0.3 and len(members_at(self.house.view, self.at)) > 3:
            key = self.member()
            if key is not self.house.founder:
                self.house.must("member.left/1", members.Left(), key)
                self.note("gone", key.public)

    def time(self) -> None:
        """Minutes or days pass; or the very edge of a term is reached; or a clock is set back."""
        edges = {term.until_ms for term in self.house.rows(terms.TERMS)} | {
            term.since_ms for term in self.house.rows(terms.TERMS)
        }
        edges |= {edge for row in self.house.rows(RESTS) for edge in (row.since_ms, row.until_ms)}
        near = [edge + step for edge in sorted(edges) for step in (-MINUTE_MS, 0, MINUTE_MS) if edge + step > self.at]
        if near and self.rng.random() < 0.25:
            self.house.now_ms = self.rng.choice(near[:3])
        elif self.rng.random() < 0.1:
            self.house.now_ms -= self.rng.choice([MINUTE_MS, DAY_MS, 20 * DAY_MS])
        else:
            self.house.now_ms = max(self.house.now_ms, self.at) + self.rng.choice([0, 0, MINUTE_MS, DAY_MS, 3 * DAY_MS])

    def step(self) -> None:
        self.time()
        self.try_all()
        happens = (
            self.appointed, self.appointed, self.taken, self.renewed, self.renewed, self.renewed, self.ended, self.defined,
            self.dissolved, self.called, self.called, self.called, self.answered, self.left, self.rested, self.stood_in,
        )  # fmt: skip
        self.rng.choice(happens)(self.rng.choice(ROLES))
        self.try_all()

    def try_all(self) -> None:
        """Everybody who was ever here tries each duty, and the account says who may."""
        for key in self.house.all:
            kind, amount = self.rng.choice(SPEND), self.rng.choice([1, 100, 101])
            at = self.at
            expected = self.account.may(key.public, kind, amount, at)
            refused = self.house.write(kind, Spent(amount), key)
            self.tried[expected] += 1
            if expected is not None:
                assert bool(refused) != expected, (at, kind, amount, refused, self.account.terms(at)[0])


@pytest.fixture(scope="module")
def histories() -> list[History]:
    """Histories in which every single act was held beside the account."""
    made = []
    for seed in SEEDS:
        history = History(seed)
        for _ in range(STEPS):
            history.step()
        made.append(history)
    return made


def test_no_act_is_accepted_from_a_permission_that_had_lapsed_been_paused_or_recalled(histories: list[History]) -> None:
    """What is tried is compared as it happens; here it is seen that it was much, of every sort."""
    tried = {answer: sum(history.tried[answer] for history in histories) for answer in (True, False, None)}
    assert min(tried[True], tried[False]) > 3000
    assert tried[None] < sum(tried.values()) // 5
    happened = {what for history in histories for _, what, _ in history.account.happened}
    acts = {"defined", "drawn", "given", "gone", "dissolved", "ended", "called", "answered", "rested", "stood in"}
    assert happened == acts


def test_refusals_say_since_when_and_why(histories: list[History]) -> None:
    said = {reason for history in histories for _, _, reason in history.house.turned_down}
    for part in ("Your term as cook ended at", "Your term as treasurer begins at", "is paused by its shadow", "and nobody holds it now",
                 "belongs to the role", "covers amounts up to 1.00; this is 1.01", "This permission of your term as",
                 "Nobody has taken over yet", "Whoever took over does this meanwhile"):  # fmt: skip
        assert any(part in each for each in said), part


def test_folds_of_the_same_log_agree_to_the_row(histories: list[History]) -> None:
    for history in histories:
        live = history.house.store.dump()
        assert history.house.replayed().dump() == live
        assert history.house.replayed(words=False).dump().keys() == live.keys()
    for history in histories[:4]:
        assert in_sqlite(history.house) == history.house.store.dump()


@pytest.mark.parametrize("cycles", [1, 2])
def test_the_last_minute_of_a_term_holds_and_its_last_instant_does_not(cycles: int) -> None:
    for seed in range(4):
        house = RoleHouse(seed=seed)
        house.set_parameter(terms.TERM_CYCLES, 2)
        house.now_ms += random.Random(seed).randrange(40) * DAY_MS
        house.define("treasurer", cycles, Permission(SPEND[0]))
        term = house.give(house.all[1])
        assert term.until_ms == MOONS[bisect_right(MOONS, term.since_ms) + cycles - 1]
        for offset_ms, holds in ((-DAY_MS, True), (-MINUTE_MS, True), (-1, True), (0, False), (1, False), (MINUTE_MS, False)):
            house.now_ms = term.until_ms + offset_ms
            assert bool(house.write(SPEND[0], Spent(1), house.all[1])) is not holds
