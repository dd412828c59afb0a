"""Hidden votes: nothing of one that is open can be learnt anywhere.

Two nodes are made alike to the last random byte; their histories differ in nothing but what is answered in two hidden
rounds. All that either can be asked must then be the same, and as long, except for what hangs on sealed bytes: digests, hashes
over them, signatures. These are taken out of answers by their form; their lengths stay.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from node.actions import Lent
from node.clock import MovedClock
from node.clockwork import Clockwork
from node.export import export
from node.home import Home
from node.sealed import take
from node.station import Station
from node.web.app import ROUTES, construct_app
from node.web.hub import Live
from protocol import ballot
from protocol.deciding import OUTCOMES, ROUNDS
from protocol.encoding import encode
from protocol.keychain import space_name
from protocol.keys import SigningKey
from protocol.practice import PROBLEMS, PUBLIC, Refused
from protocol.practices import PRACTICES
from protocol.record import parse, seal

MINUTE, DAY, START = 60_000, 86_400_000, 1_790_000_040_000
WHY = "It was talked about at length in the round."
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve")
ONE = {"gradients": ("endorse", "oppose", "talk", "along"), "ranked": ("1 2 3", "3", "2 1", "abstain")}
TWO = {"gradients": ("along", "abstain", "reserved", "oppose"), "ranked": ("3 1", "2 3 1", "abstain", "1")}
READ = ("text/html", "text/plain", "application/json")  # of bytes that are no text the lengths are compared
FORMS = ("vote.cast/1", "decision.closed/1", "decision.called/1", "decision.amended/1", "decision.judged/1")


class Even(MovedClock):
    """A clock that stands still, and whose chance is the same for every node that asks as often."""

    def __init__(self) -> None:
        super().__init__(START, running=False)
        self._drawn = 0

    def random(self, count: int) -> bytes:
        """Bytes that come again in every run."""
        self._drawn += 1
        return b"".join(sha256(b"%d.%d" % (self._drawn, each)).digest() for each in range(-(-count // 32)))[:count]


class Hall:
    """A node of five members with two hidden rounds."""

    def __init__(self, folder: Path, hidden: str) -> None:
        self.clock, self.hidden = Even(), hidden
        self.home = Home.found(folder, "The Hall", NAMES[0], self.clock)
        self.people = [self.home.key_files.key(), *(self.arrive(name) for name in NAMES[1:])]
        self.clock.move(2 * MINUTE)
        self.sessions = {name: self.session(name, key) for name, key in zip(NAMES, self.people, strict=True)}
        self.rounds = {
            "gradients": self.call("gradients", hidden, []),
            "ranked": self.call("ranked", hidden, ["Red", "Green", "Blue"]),
        }

    def arrive(self, name: str) -> SigningKey:
        key, secret = SigningKey(name.encode().ljust(32, b".")), name.encode().ljust(16, b".")
        self.submit(
            "member.invited/1", {"hash": sha256(secret).hexdigest(), "expires_ms": START + DAY}, self.home.key_files.key()
        )
        self.submit("member.joined/1", {"secret": secret.hex()}, key)
        self.submit("member.named/1", {"name": name}, key)
        return key

    def session(self, name: str, key: SigningKey) -> str:
        accounts, clock = self.home.accounts, self.clock
        account = accounts.create(name, "soup on tuesday", key.public, key, clock.random(40), clock.now_ms())
        self.token = accounts.issue_token(account, key, "a test", ("read",), clock.random(56), clock.now_ms())
        return accounts.begin(account, key, clock.random(72), clock.now_ms())

    def submit(self, kind: str, body: Mapping[str, Any], key: SigningKey) -> bytes:
        return self.home.actions.submit(kind, body, key).digest

    def call(self, type_: str, hidden: str, options: Sequence[str]) -> str:
        body = {"title": f"A door by {type_}", "text": "We paint the door.", "why": "It is grey.", "options": list(options)}
        proposal = self.submit("decision.proposed/1", body, self.people[1])
        return self.submit(
            "decision.called/1", {"proposal": proposal.hex(), "version": 1, "type": type_, "hidden": hidden}, self.people[1]
        ).hex()

    def answer(self, answers: Mapping[str, Sequence[str]], *, all_of_them: bool) -> None:
        """The first four answer, one of them in another's hand; one answers twice; all others too, if said so."""
        for type_, choices in answers.items():
            for who, choice in enumerate(choices):
                body: dict[str, Any] = {"round": self.rounds[type_], "choice": choice}
                if who == 3:
                    body["for_member"] = self.people[3].public.hex()
                self.submit("vote.cast/1", body, self.people[who if who < 3 else 1])
                self.clock.move(7 * MINUTE)
            self.submit("vote.cast/1", {"round": self.rounds[type_], "choice": choices[1]}, self.people[0])
            for who in (3, 4) if all_of_them else ():
                self.submit("vote.cast/1", {"round": self.rounds[type_], "choice": choices[who - 3]}, self.people[who])
        self.turned = Clockwork(self.home).turn()

    def secrets(self) -> list[bytes]:
        """What would open the ballots, as a page would write it."""
        lent = Lent(self.clock, self.home.keys.identity.seed, b"")
        rounds = self.home.view().all(ROUNDS)
        return [lent.derive(ballot.label(each.proposal, each.salt)).hex().encode() for each in rounds]

    def rows(self) -> Iterator[tuple[object, ...]]:
        """What everybody has who carries this log: all but what is sealed, and what hangs on that."""
        for row in self.home.store.rows(self.home.space, 0, self.home.log.size):
            assert row.record is not None
            read = parse(row.record)
            body = {name: value for name, value in read.body.items() if name != "sealed"}
            yield row.flag, row.logged, len(row.record), row.annex, read.kind, read.author, read.audience, read.at_ms, body

    # What can be asked

    def pages(self, visitor: str) -> Iterator[str]:
        """Every path that a page of this node has."""
        digests = [row.digest.hex() for row in self.home.store.rows(self.home.space, 0, self.home.log.size)]
        filled = {
            "practice": [practice.name for practice in PRACTICES],
            "space": [space_name(self.home.space)],
            "member": [key.public.hex() for key in self.people],
            "digest": digests[-10:],
            "kind": [f"{kind}?round={self.rounds['gradients']}" for kind in FORMS],
        }
        for route in ROUTES:
            bare = re.sub(r"\{(\w+):[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", r"{\1}", route.path)
            names = re.findall(r"\{(\w+)\}", bare)
            if route.method == "GET" and route.path != "/live":
                each = {**filled, "practice": ["decisions", "voice"]} if len(names) == 2 else filled
                yield from (
                    bare.format(**dict(zip(names, chosen, strict=True))) for chosen in product(*(each[name] for name in names))
                )
        told = ["status", "kinds", "log?limit=1000", *(f"practices/{practice.name}" for practice in PRACTICES)]
        told += [f"{what}/{digest}" for what in ("records", "receipts") for digest in digests[-3:]]
        yield from (f"/api/v1/{each}" for each in told)
        spelled = space_name(self.home.space).removeprefix("isle:")
        yield from (f"/log/{spelled}/{each}" for each in ("checkpoint", "summary", "keychain"))
        yield "/.well-known/archipelago"


@asynccontextmanager
async def served(hall: Hall) -> AsyncIterator[str]:
    """Its pages, its API and its public face."""
    station = Station(hall.home, ["http://hall.example"])
    server = TestServer(construct_app(hall.home, station), host="127.0.0.1")
    await server.start_server()
    try:
        yield f"http://{server.host}:{server.port}"
    finally:
        await server.close()
        await station.close()


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are not what is tested here."""
    monkeypatch.setattr("node.vault._OPS", 1)
    monkeypatch.setattr("node.vault._MEMORY", 8192)


@pytest.fixture(params=["close", "own"])
def halls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Hall, Hall]]:
    made = Hall(tmp_path / "one", request.param), Hall(tmp_path / "two", request.param)
    yield made
    for hall in made:
        hall.home.close()


_HEX = re.compile("[0-9a-f]{64}")
_FORMS = re.compile(rb"[0-9a-f]{8,}|[A-Za-z0-9+/_-]{40,}={0,2}|isle:[a-z2-7]{4,}")


def without_digests(said: bytes) -> bytes:
    """What is said, with signs of the same number for whatever hangs on bytes that are sealed."""
    return _FORMS.sub(lambda found: b"#" * len(found[0]), said)


async def asked(hall: Hall, url: str, visitor: str) -> dict[str, bytes]:
    """All that a visitor can get, by where it is: by its place in the list, because addresses hold digests."""
    headers = {"Cookie": f"session={hall.sessions[visitor]}", "Authorization": f"Bearer {hall.token}"} if visitor else {}
    found: dict[str, bytes] = {}
    async with ClientSession(auto_decompress=True) as client:
        for number, path in enumerate(hall.pages(visitor)):
            async with client.get(url + path, headers=headers, allow_redirects=False) as got:
                name = f"{number} {_HEX.sub('#', path)}"
                said, type_ = await got.read(), got.content_type
                found[name] = b"%d %s\n" % (got.status, type_.encode()) + (said if type_ in READ else bytes(len(said)))
    return found


@pytest.mark.parametrize(
    ("halls", "all_of_them", "visitors"),
    [("close", False, ("", "Eve")), ("close", True, ("Ada",)), ("own", False, ("Eve", "Ada"))],
    indirect=["halls"],
)
async def test_nothing_of_an_open_hidden_vote_can_be_learnt_from_any_page(
    halls: tuple[Hall, Hall], visitors: tuple[str, ...], *, all_of_them: bool
) -> None:
    for hall, answers in zip(halls, (ONE, TWO), strict=True):
        hall.answer(answers, all_of_them=all_of_them)
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(served(hall)) for hall in halls]
        for visitor in visitors:
            one, two = [await asked(hall, url, visitor) for hall, url in zip(halls, urls, strict=True)]
            assert one.keys() == two.keys()
            differing = {name for name in one if without_digests(one[name]) != without_digests(two[name])}
            seen_by_own = halls[0].hidden == "own" and visitor == "Ada"
            assert {name.split("/")[1] for name in differing} == ({"record"} if seen_by_own else set())
            if not seen_by_own:
                assert not [
                    secret for hall in halls for secret in hall.secrets() if secret in b"".join([*one.values(), *two.values()])
                ]


def test_nothing_of_an_open_hidden_vote_can_be_learnt_from_records_exports_or_notices(halls: tuple[Hall, Hall]) -> None:
    told = []
    for hall, answers in zip(halls, (ONE, TWO), strict=True):
        hall.answer(answers, all_of_them=True)
        exported: list[str] = []
        for form in ("json", "csv"):
            for audience in ("public", "members"):
                export(hall.home, lambda _, text: exported.append(text), {"format": form, "audience": audience})
        notices = [
            hall.home.store.db.execute(
                "SELECT at_ms, noticed_ms, until_ms, practice, what, who FROM notice ORDER BY number"
            ).fetchall()
        ]
        view, now_ms = hall.home.view(), hall.clock.now_ms()
        figures = [(practice.figures(view, now_ms), practice.state(view, now_ms)) for practice in PRACTICES]
        told.append((hall.turned, [without_digests(each.encode()) for each in exported], notices, figures))
    assert told[0] == told[1]
    for left, right in zip(*(hall.rows() for hall in halls), strict=True):
        assert left == right


def _hear(hub: Live, into: list[object], space: bytes) -> None:
    into.append([sorted(rooms) for rooms in hub._rooms(space)])


def test_an_open_page_hears_the_same_of_either_history(halls: tuple[Hall, Hall]) -> None:
    heard: list[list[object]] = []
    for hall, answers in zip(halls, (ONE, TWO), strict=True):
        hub, here = Live(hall.home), list[object]()
        hall.home.store.listeners.append(partial(_hear, hub, here))
        hall.answer(answers, all_of_them=True)
        heard.append(here)
    assert heard[0] == heard[1]
    assert len(heard[0]) == 14


def test_at_the_close_both_are_counted_as_they_were_answered(halls: tuple[Hall, Hall]) -> None:
    """What was the same before differs now: the test above would see it."""
    came_to = []
    for hall, answers in zip(halls, (ONE, TWO), strict=True):
        hall.answer(answers, all_of_them=False)
        hall.clock.move(9 * DAY)
        assert Clockwork(hall.home).turn().done == ("decision.closed/1", "decision.closed/1")
        rows = hall.home.view().all(OUTCOMES, order="position")
        came_to.append([(row.type, row.counts, row.spoiled, row.answered) for row in rows])
        assert not hall.home.view().all(PROBLEMS)
    assert came_to[0] != came_to[1]
    assert all(row[2:] == (0, 4) for hall in came_to for row in hall)


@pytest.mark.parametrize("halls", ["close"], indirect=True)
def test_whoever_calls_a_hidden_round_cannot_have_it_sealed_to_a_key_of_their_own(halls: tuple[Hall, Hall]) -> None:
    """With a key of one's own on a machine of one's own, a record arrives as it was sealed: the node looks at whose key it names."""
    hall, caller = halls[0], halls[0].people[4]
    row = hall.home.view().get(ROUNDS, bytes.fromhex(hall.rounds["ranked"]))
    assert row is not None
    proposal = hall.submit("decision.proposed/1", {"title": "A door", "text": "We paint it.", "why": "It is grey."}, caller)
    for key in (ballot.public_of(b"k" * 32), row.key, b""):
        structure = {"proposal": proposal, "version": 1, "type": "consent", "hidden": "close", "key": key, "salt": b"s" * 16}
        made = seal("decision.called/1", hall.clock.now_ms() + 1, PUBLIC, structure, caller, hall.home.space, random=bytes(32))
        with pytest.raises(Refused, match="are sealed to this node, so that whoever calls cannot read them"):
            take(hall.home, encode([made.raw, made.annex]))
    own = {"proposal": proposal.hex(), "version": 1, "type": "consent", "hidden": "close", "key": (b"k" * 32).hex()}
    called = hall.home.view().get(ROUNDS, hall.submit("decision.called/1", own, caller))
    assert called is not None
    secret = Lent(hall.clock, hall.home.keys.identity.seed, b"").derive(ballot.label(called.proposal, called.salt))
    assert ballot.public_of(secret) == called.key
