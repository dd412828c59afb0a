"""Real nodes with the history of a `tests.laws.world`, whose words are all different, so that each can be looked for.

spaces = Archipelago(tmp_path)          three spaces that know each other, and a stranger whom nobody is linked with
spaces.secrets(isle)                    what of a space's log is not for everybody, and how to know its bytes again
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from federation.session import Service
from federation.storage import FOLLOW, Peer
from node.clock import MovedClock
from node.federating import service_of
from node.home import Home
from node.store import Placed, Store
from node.vault import write_private
from protocol import body as bodies
from protocol.keys import SigningKey
from protocol.moon import cycle_at
from protocol.practice import GRANTS, KEYS, MEMBERS, PUBLIC
from protocol.practices import PRACTICES
from protocol.practices.links import Terms
from protocol.record import Sealed, parse, words_of
from tests.laws.examples import EXAMPLES
from tests.laws.world import Isle, Registry, World

LINKED = "We carry each other's logs in this test"


class Whispering(World):
    """A history in which half of what can be narrowed is, and every erasable field has words that stand nowhere else."""

    def __init__(self, seed: int) -> None:
        self.seeds: list[bytes] = []
        self.marks = 0
        super().__init__(Registry(PRACTICES), EXAMPLES, seed)

    def found(self) -> Isle:
        drawn = random.Random()
        drawn.setstate(self.rng.getstate())
        isle = super().found()
        self.seeds.append([drawn.randbytes(32) for _ in range(4)][3])  # the node's, after root, next root and founder
        return isle

    def build(self, kind: str) -> Struct:
        body = super().build(kind)
        narrower: list[int | list[bytes]] = [1, MEMBERS, MEMBERS, [self.pick(self.others)] if self.others else MEMBERS]
        if self.audience is None and self.kinds[kind].audience == PUBLIC and self.chance(0.5):
            self.audience = self.rng.choice(narrower)
        marked = {name: self._mark() for name in bodies.erasable_fields(type(body))}
        return replace(body, **marked) if marked else body

    def _mark(self) -> str:
        self.marks += 1
        return f"planted {self.marks:06}"


@dataclass
class Site:
    """One node."""

    home: Home
    service: Service
    keys: dict[bytes, SigningKey] = field(default_factory=dict)

    @property
    def space(self) -> bytes:
        return self.home.space

    def key_of(self, grant: str) -> SigningKey:
        """A key of somebody who holds a grant now: their first, if it still speaks for them."""
        view, now_ms = self.home.store.view(self.space), self.home.clock.now_ms()
        for row in view.all(GRANTS, name=grant):
            if row.since_ms <= now_ms < row.until_ms:
                for key in sorted(view.all(KEYS, member=row.holder), key=lambda key: key.key != row.holder):
                    if key.since_ms <= now_ms < key.until_ms:
                        return self.keys[key.key]
        raise AssertionError(f"nobody holds {grant} any more: give the history another seed")


class Secret(Struct, frozen=True):
    """A record that is not for everybody, and byte strings that stand in it and in no other record."""

    space: bytes
    digest: bytes
    audience: int | tuple[bytes, ...]
    needles: tuple[bytes, ...]

    def shows_in(self, data: bytes) -> bool:
        """Whether any of it is in these bytes."""
        return any(needle in data for needle in self.needles)


class Archipelago:
    """Three spaces with a history, and a stranger; the first two are allies."""

    def __init__(self, folder: Path, seed: int = 5, steps: int = 260) -> None:
        self.world = Whispering(seed)
        self.world.live(steps)
        self.clock = MovedClock(self.world.now_ms, running=False)
        self.sites = [self._settle(folder / str(n), isle, seed) for n, (isle, seed) in enumerate(self._isles())]
        home = Home.found(folder / "stranger", "The Stranger", "Nobody", self.clock)
        self.stranger = Site(home, service_of(home))
        self._link(self.sites[0], self.sites[1])
        self._link(self.sites[1], self.sites[0])
        self.clock.move(60_000)
        self._introduce()

    @property
    def everyone(self) -> list[Site]:
        return [*self.sites, self.stranger]

    def close(self) -> None:
        for site in self.everyone:
            site.home.close()

    def _isles(self) -> Iterator[tuple[Isle, bytes]]:
        return zip(self.world.isles, self.world.seeds, strict=True)

    def _settle(self, folder: Path, isle: Isle, seed: bytes) -> Site:
        folder.mkdir(parents=True)
        write_private(folder / "seed", seed)
        store = Store(folder / "node.db")
        store.found(Sealed(isle.log[0].raw, None), isle.log[0].logged_ms)
        for each in isle.log[1:]:
            (told,) = store.append(isle.id, [Sealed(each.raw, each.annex)], each.logged_ms)
            assert isinstance(told, Placed)
        store.close()
        home = Home.open(folder, self.clock)
        return Site(home, service_of(home), dict(isle.keys))

    def _link(self, one: Site, other: Site) -> None:
        until = cycle_at(self.clock.now_ms()) + 1
        terms = Terms(purpose=LINKED, shares="allies", until_cycle=until)
        one.home.actions.submit(
            "link.offered/1", {"other": other.space.hex(), "terms": bodies.to_json(terms)}, one.key_of("assembly")
        )

    def _introduce(self) -> None:
        for one in self.everyone:
            one.home.heads.alone()
            for other in self.everyone:
                if other is not one:
                    chain = other.home.log.chain
                    one.home.store.keep_peer(
                        Peer(other.space, chain, other.home.name, "http://127.0.0.1:1", FOLLOW, 1, 0, 0, "", 0, b"", b"")
                    )
                    one.home.store.learn(chain)

    # What is not for everybody

    def secrets(self, site: Site) -> list[Secret]:
        """What of a site's own log is not for everybody."""
        records = [part for each in self.sites for part in _records(each)]
        found = []
        for row in site.home.store.rows(site.space, 0, site.home.log.size):
            assert row.record is not None
            read = parse(row.record)
            if read.audience == PUBLIC:
                continue
            words = {text.encode() for text in _strings([read.body, words_of(row.annex, read.annex_hash)])}
            told = sorted(text for text in words if _UNIQUE.match(text) and sum(text in part for part in records) == 1)
            salt = (row.annex[2:18],) if row.annex else ()  # after the heads of an array of two and of sixteen bytes
            found.append(Secret(site.space, read.digest, read.audience, (read.raw[-64:], read.nonce, *salt, *told)))
        return found


_UNIQUE = re.compile(rb"planted \d{6}|word\d+ word\d+")


def _records(site: Site) -> Iterator[bytes]:
    """Each record with its annex: what authors have put into several of them is looked for in none."""
    for row in site.home.store.rows(site.space, 0, site.home.log.size):
        yield (row.record or b"") + (row.annex or b"")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
