"""Figures of self-government in a large collective: 500 members, and 50,000 records of a year of it.

The year is told through the real way in (`actions.submit_drafts`, each member's own key) by a clock that is moved along. Then,
on a running server: how long Today and the agenda take when nothing of them is remembered; how long it takes to know everything
that is due; and how long the clock takes to catch up with a year in which the node was off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer
from msgspec import Struct

from node.bench_store import Figure, figure
from node.clock import Clock, MovedClock
from node.clockwork import Clockwork
from node.home import Home
from node.today import needs
from node.web.app import construct_app
from node.web.session import COOKIE
from protocol import moon
from protocol.body import from_json, structure_and_words
from protocol.drawing import standing
from protocol.encoding import encode
from protocol.keys import SigningKey
from protocol.practice import Refused
from protocol.practices.tripwires import WireSet
from protocol.terms import lot_subject, roles_at, term_of

MEMBERS, RECORDS = 500, 50_000
DAYS = 384  # thirteen cycles
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
TIMES, LOGINS = 200, 4
PASSWORD = "bench bench bench"  # noqa: S105  # of an invented member in a folder that is deleted
EACH = 8  # days from one proposal to the next
TYPES = (("majority", "yes"), ("consent", "agree"), ("gradients", "agree"))
ROLES = 20
WIRES = (("workload.top-share", 20), ("roles.vacant", 2), ("decisions.open", 3), ("members.count", 400))
WIRE = "tripwire.set/1"
AREAS = ("kitchen", "repair", "care", "garden", "door")


class Act(Struct, frozen=True):
    """One act of the year: by whom and what; `label` is by what later acts find its record."""

    who: int
    kind: str
    body: Mapping[str, Any]
    label: str = ""


class Year:
    """The collective while its year is told."""

    def __init__(self, folder: Path, members: int) -> None:
        self.clock = MovedClock(Clock().now_ms() - (DAYS + 3) * DAY_MS, running=False)
        self.home = Home.found(folder, "Five Hundred", "Bench", self.clock)
        self.keys = [self.home.key_files.key()]
        self.found: dict[str, str] = {}
        self.refused = 0
        self.parts: dict[str, tuple[int, int, int]] = {}  # who adds parts to a lot, and since which day
        for name, number in WIRES:
            self._wire({"figure": name, "compare": "above", "number": number, "cycles": 1, "who": "whoever can"})
        for number in range(1, members):
            self._arrive(number)
        for number in range(ROLES):
            body = {"role": f"role-{number}", "cycles": 1, "domain": f"What role {number} decides.", "duties": "Its duties."}
            self.write([Act(0, "role.defined/1", body)])

    def _wire(self, body: Mapping[str, Any]) -> None:
        """Decided by the one who is there."""
        plan = {"kind": WIRE, "structure": encode(structure_and_words(from_json(WireSet, body))[0]).hex()}
        proposal = {"title": "Watch it", "why": "We grow.", "text": f"Watch {body['figure']}.", "plans": [plan]}
        self.write([Act(0, "decision.proposed/1", proposal, "wire")])
        called = {"proposal": self.found["wire"], "version": 1, "type": "majority"}
        self.write([Act(0, "decision.called/1", called, "round")])
        self.write([Act(0, "vote.cast/1", {"round": self.found["round"], "choice": "yes"})])
        self.write([Act(0, "decision.closed/1", {"round": self.found["round"]})])
        self.write([Act(0, WIRE, body)])

    def _arrive(self, number: int) -> None:
        secret, key = sha256(b"%d" % number).digest()[:16], SigningKey(sha256(b"key %d" % number).digest())
        inviting = {"hash": sha256(secret).hexdigest(), "expires_ms": self.clock.now_ms() + DAY_MS}
        submit = self.home.actions.submit
        submit("member.invited/1", inviting, self.keys[0])
        submit("member.joined/1", {"secret": secret.hex()}, key)
        submit("member.named/1", {"name": f"Member {number}"}, key)
        self.keys.append(key)

    def write(self, acts: list[Act]) -> None:
        """Acts of one hour, those of one member in one durable transaction."""
        for who in dict.fromkeys(act.who for act in acts):
            ours = [act for act in acts if act.who == who]
            key, actions = self.keys[who], self.home.actions
            drafts = [actions.draft(act.kind, act.body, None, key.public) for act in ours]
            for act, placed in zip(ours, actions.submit_drafts(drafts, key), strict=True):
                if isinstance(placed, Refused):
                    self.refused += 1
                elif act.label:
                    self.found[act.label] = placed.digest.hex()

    def tell(self, records: int) -> None:
        """Live through the year, evenly; whatever the rules refuse is counted."""
        a_day = max(1, (records - self.home.log.size) // DAYS)
        clockwork = Clockwork(self.home)
        self.home.store.db.execute("PRAGMA synchronous=OFF")  # what is measured comes after
        for day in range(DAYS):
            self.clock.move(DAY_MS)
            for acts in self._day(day, a_day):
                self.write(acts)
            clockwork.turn()
        self.home.store.db.execute("PRAGMA synchronous=FULL")

    def _day(self, day: int, a_day: int) -> Iterator[list[Act]]:
        """One day: something is proposed, called, answered, done and noted."""
        many = len(self.keys)
        now_ms = self.clock.now_ms()
        began = [self._proposed(day, day % many)] if day % EACH == 0 else []
        began.append(self._task(day, (day * 7) % many, now_ms))
        yield began
        yield self._called(day, many)
        yield self._roles(day, many)
        yield self._assembly(day, many)
        votes = self._votes(day, many)
        rest = a_day - len(began) - len(votes) - 2
        yield votes
        yield [self._hours((day * 131 + number // 6 * 17) % many, day, number) for number in range(rest)]

    def _proposed(self, day: int, who: int) -> Act:
        body = {"title": f"Proposal of day {day}", "why": "It has to be decided.", "text": f"What day {day} proposes."}
        return Act(who, "decision.proposed/1", body, f"proposal {day}")

    def _called(self, day: int, many: int) -> list[Act]:
        proposal = self.found.get(f"proposal {day}")
        task = self.found.get(f"task {day}")
        acts = [Act((day * 3) % many, "task.taken/1", {"task": task})] if task else []
        if proposal:
            body = {"proposal": proposal, "version": 1, "type": TYPES[day // EACH % len(TYPES)][0]}
            acts.append(Act(day % many, "decision.called/1", body, f"round {day}"))
        return acts

    def _roles(self, day: int, many: int) -> list[Act]:
        """Each role is given by lot at the beginning of a cycle; a shadow is drawn for each term, and keeps a journal."""
        view, now_ms = self.home.view(), self.clock.now_ms()
        begun = moon.cycle_bounds(moon.cycle_at(now_ms))[0]
        passed, acts = (now_ms - begun) // DAY_MS, []
        for number, row in enumerate(roles_at(view, now_ms)):
            term = term_of(view, row.role, now_ms)
            purpose, subject = ("shadow", term.id) if term else ("role", lot_subject(view, row))
            lot = self.found.get(f"{purpose} {subject.hex()}")
            at = (number * 37 + day) % many
            if drawn := standing(view, purpose, subject):
                acts += [Act(self._who(drawn[0]), "role.taken/1", {"role": row.role})] if purpose == "role" else []
            elif lot is None and passed < 20:
                opened = {"purpose": purpose, "subject": subject.hex(), "seats": 1, "source": "members"}
                acts.append(Act(at, "lot.opened/1", opened, f"{purpose} {subject.hex()}"))
            elif lot is not None:
                parts = self.parts.setdefault(lot, (at, (at + 1) % many, day))
                kind = "lot.committed/1" if parts[2] == day else "lot.revealed/1" if day == parts[2] + 2 else ""
                acts += [Act(who, kind, {"lot": lot}) for who in parts[:2]] if kind else []
        return acts

    def _who(self, member: bytes) -> int:
        return next(number for number, key in enumerate(self.keys) if key.public == member)

    def _assembly(self, day: int, many: int) -> list[Act]:
        """Once in two weeks members meet: a list of who is there, and minutes."""
        called = self.found.get(f"assembly {day - 1}")
        if day % 14 == 0:
            opens_ms = self.clock.now_ms() + DAY_MS
            body = {"opens_ms": opens_ms, "ends_ms": opens_ms + 3 * HOUR_MS, "purpose": f"Assembly {day // 14}"}
            return [Act(day % many, "assembly.called/1", body, f"assembly {day}")]
        if called is None:
            return []
        there = [key.public.hex() for key in self.keys[day % 7 : many : 7]]
        minutes = [{"assembly": called, "words": f"Item {number}: talked about."} for number in range(6)]
        held = [Act(3, "attendance.noted/1", {"assembly": called, "members": there})]
        return held + [Act(3, "minutes.taken/1", body) for body in minutes]

    def _votes(self, day: int, many: int) -> list[Act]:
        """Seven tenths answer in the six days after the call, each in turn."""
        begun = day - day % EACH
        called = self.found.get(f"round {begun}")
        a_day = many * 7 // 10 // 6 + 1
        if called is None or day - begun >= 6:
            return []
        word = TYPES[begun // EACH % len(TYPES)][1]
        first = (begun * 41 + (day - begun) * a_day) % many
        return [Act((first + n) % many, "vote.cast/1", {"round": called, "choice": word}) for n in range(a_day)]

    def _task(self, day: int, who: int, now_ms: int) -> Act:
        begins = (now_ms // HOUR_MS + 30 + day % 90) * HOUR_MS
        body = {"title": f"Shift {day}", "category": AREAS[day % len(AREAS)], "seats": 3}
        return Act(who, "task.offered/1", {**body, "starts_ms": begins, "ends_ms": begins + 3 * HOUR_MS}, f"task {day}")

    def _hours(self, who: int, day: int, number: int) -> Act:
        body = {"quarters": 1 + (day + number) % 16, "category": AREAS[number % len(AREAS)], "what": f"evening {day}"}
        return Act(who, "hours.noted/1", body)


def society(folder: Path, *, members: int = MEMBERS, records: int = RECORDS) -> list[Figure]:
    """Tell the year in a folder that must not exist yet, and measure it."""
    year = Year(folder, members)
    try:
        year.tell(records)
        size = year.home.log.size
        of = f"{members} members, {size} records of a year; {year.refused} acts refused"
        figures = asyncio.run(_pages(year, of))
        figures.append(_due(year, of))
        figures.append(_catching_up(year, of))
        return figures
    finally:
        year.home.close()


async def _pages(year: Year, of: str) -> list[Figure]:
    """Today and the agenda over HTTP, each time built anew: every request has an address of its own, and follows a record that
    was written since the one before, so that nothing is remembered of the tables either."""
    home = year.home
    cookies = []
    for number in range(LOGINS):
        key = year.keys[number * 7]
        account = home.accounts.create(f"b{number}", PASSWORD, key.public, key, home.clock.random(40), home.clock.now_ms())
        cookies.append(home.accounts.begin(account, key, home.clock.random(72), home.clock.now_ms()))
    server = TestServer(construct_app(home), host="127.0.0.1")
    await server.start_server()
    figures = []
    try:
        for name, path in (("today", "/"), ("agenda", "/agenda")):
            times = []
            for number in range(TIMES):
                jar = {COOKIE: cookies[number % LOGINS]}
                said = {"quarters": 1, "category": AREAS[0], "what": f"{name} {number}"}
                home.actions.submit("hours.noted/1", said, year.keys[number])
                async with aiohttp.ClientSession(cookies=jar) as session:
                    began = time.perf_counter()
                    async with session.get(f"http://{server.host}:{server.port}{path}?n={number}") as answer:
                        await answer.read()
                        assert answer.status == 200, f"{path}: {answer.status}"
                    times.append((time.perf_counter() - began) * 1000)
            note = f"{of}; {TIMES} requests one by one, a record written before each; to stay under 60 ms"
            figures.append(figure(f"year_{name}_p95_ms", sorted(times)[int(TIMES * 0.95)], "ms", None, note))
    finally:
        await server.close()
    return figures


def _due(year: Year, of: str) -> Figure:
    """Everything that is due, asked of every practice; the median of fifty, the tables' answers not remembered."""
    times = []
    for _ in range(50):
        year.home.store.tables.forget()
        view = year.home.store.view(year.home.space)
        began = time.perf_counter()
        needs(view, year.keys[7].public, year.clock.now_ms())
        times.append((time.perf_counter() - began) * 1000)
    return figure("year_due_ms", sorted(times)[25], "ms", None, f"{of}; median of 50, nothing remembered; to stay under 20 ms")


def _catching_up(year: Year, of: str) -> Figure:
    """What the clock does after a year off: notice what came due, in order, and what it may do by itself."""
    Clockwork(year.home).turn()
    year.clock.move(365 * DAY_MS)
    began = time.perf_counter()
    turned = Clockwork(year.home).turn()
    seconds = time.perf_counter() - began
    return figure(
        "year_catch_up_s",
        seconds,
        "s",
        None,
        f"{of}; {turned.noticed} noticed, {len(turned.done)} acts of the clock, {turned.refused} refused; to stay under 2 s",
    )
