"""Who gets to see what: nothing that is not for somebody is in any byte that they are given, and yet they verify the whole tree.

Every word of the history is different, so the tests look for each in all bytes that leave: answers to peers, the public face,
pages for visitors, summaries, exports, logs, and the databases of others after they took what they could get.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from federation.public import Public
from federation.transfer import Taken
from node.export import FORMATS, export
from node.faces import Faces
from node.federating import Entitlement
from node.server import bind, listen
from node.web.app import ANYONE, ROUTES, construct_app
from protocol.keychain import origin, space_name
from protocol.note import VerifierKey, format_vkey
from protocol.practice import ALLIES, MEMBERS, PUBLIC
from protocol.practices import PRACTICES
from protocol.practices.links import allied
from protocol.record import parse
from protocol.tile import tile_path, tiles_between
from tests.node.linked import Archipelago, Secret, Site
from tests.protocol.c2sp_checker import check_log


@pytest.fixture(scope="module")
def spaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archipelago]:
    made = Archipelago(tmp_path_factory.mktemp("spaces"))
    _everybody_takes_what_they_can_get(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def secrets(spaces: Archipelago) -> list[Secret]:
    return [secret for site in spaces.sites for secret in spaces.secrets(site)]


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Archipelago]:
    """One for a test that changes something."""
    made = Archipelago(tmp_path)
    _everybody_takes_what_they_can_get(made)
    yield made
    made.close()


# Talks


def exchange(asker: Site, other: Site) -> list[bytes]:
    """An exchange of heads and summaries; every byte that passed, to either side."""
    passed = []
    for _ in range(2):
        peer = asker.home.store.peer(other.space)
        assert peer is not None
        now_ms = asker.home.clock.now_ms()
        asking = asker.service.ask_exchange(peer, now_ms)
        answer = b"".join(other.service.answer("exchange", asking.body, now_ms, private=True).parts)
        passed += [asking.body, answer]
        if not asker.service.end_exchange(asking, answer, now_ms).again:
            break
    return passed


def answer_to(asker: Site, carrier: Site, space: bytes, *, private: bool = True, start: int = 0) -> bytes:
    """All that a carrier answers to a pull of a whole log."""
    peer = asker.home.store.peer(carrier.space)
    assert peer is not None
    now_ms = asker.home.clock.now_ms()
    asking = asker.service.transfer.ask(peer, space, now_ms, start=start)
    return b"".join(carrier.service.answer("pull", asking.body, now_ms, private=private).parts)


def take(asker: Site, carrier: Site, space: bytes) -> Taken:
    """Pull what is missing of a log, check it, keep it and audit it."""
    peer = asker.home.store.peer(carrier.space)
    assert peer is not None
    now_ms = asker.home.clock.now_ms()
    asking = asker.service.transfer.ask(peer, space, now_ms)
    answer = b"".join(carrier.service.answer("pull", asking.body, now_ms, private=True).parts)
    taken = asker.service.transfer.end(asking, answer, now_ms)
    asker.home.audit.catch_up(space)
    return taken


def _everybody_takes_what_they_can_get(made: Archipelago) -> None:
    for site in made.everyone:
        site.home.heads.sign()
    for _ in range(2):
        for asker in made.everyone:
            for other in made.everyone:
                if asker is not other:
                    exchange(asker, other)
                    while take(asker, other, other.space).rows:
                        pass


def may_see(asker: Site, secret: Secret, spaces: Archipelago) -> bool:
    """The rule, said once more for this test: the space itself, the spaces that are named, allies by both sides' records."""
    if asker.space == secret.space:
        return True
    if isinstance(secret.audience, tuple):
        return asker.space in secret.audience
    if secret.audience != ALLIES:
        return False
    whose = next(site for site in spaces.sites if site.space == secret.space)
    return asker.space in allied(whose.home.store.view(whose.space), spaces.clock.now_ms())


def holds(site: Site, secret: Secret) -> bool:
    found = site.home.store.find(secret.digest)
    return found is not None and found.row.record is not None


# What is planted


def test_the_history_has_enough_that_is_not_for_everybody(spaces: Archipelago, secrets: list[Secret]) -> None:
    heard = [MEMBERS if secret.audience == MEMBERS else ALLIES if secret.audience == ALLIES else -1 for secret in secrets]
    assert min(heard.count(MEMBERS), heard.count(ALLIES), heard.count(-1)) >= 8
    kinds = set()
    for site in spaces.sites:
        for secret in spaces.secrets(site):
            found = site.home.store.find(secret.digest)
            assert found is not None
            assert secret.shows_in(found.row.record or b"")
            kinds.add(parse(found.row.record or b"").kind)
    assert sum(b"planted" in needle for secret in secrets for needle in secret.needles) >= 30
    assert len(kinds) >= 12


# To peers


def test_a_pull_gives_a_peer_just_the_records_that_are_for_it_from_whoever_carries_them(
    spaces: Archipelago, secrets: list[Secret]
) -> None:
    given = withheld = 0
    for asker in spaces.everyone:
        for carrier in spaces.everyone:
            for site in spaces.sites:
                if asker is carrier or carrier.home.store.need(site.space).size == 0:
                    continue
                answer = answer_to(asker, carrier, site.space)
                for secret in secrets:
                    shown = secret.shows_in(answer)
                    if secret.space != site.space or not may_see(asker, secret, spaces):
                        assert not shown, secret
                        withheld += 1
                    elif holds(carrier, secret):
                        assert shown, secret
                        given += 1
    assert given > 50
    assert withheld > 500


def test_over_a_connection_that_may_not_carry_it_nothing_leaves_that_is_not_public(
    spaces: Archipelago, secrets: list[Secret]
) -> None:
    for asker in spaces.everyone:
        for carrier in spaces.sites:
            if asker is not carrier:
                answer = answer_to(asker, carrier, carrier.space, private=False)
                assert not any(secret.shows_in(answer) for secret in secrets)


def test_exchanges_summaries_and_notices_hold_nothing_that_is_not_public(spaces: Archipelago, secrets: list[Secret]) -> None:
    passed = []
    for asker in spaces.everyone:
        for other in spaces.everyone:
            if asker is other:
                continue
            passed += exchange(asker, other)
            peer, now_ms = asker.home.store.peer(other.space), spaces.clock.now_ms()
            assert peer is not None
            passed += [peer.summary, peer.heads]
            notice = asker.service.ask_notify(peer, now_ms)
            if notice is not None:
                passed.append(notice.body)
    assert len(b"".join(passed)) > 5000
    assert not any(secret.shows_in(b"".join(passed)) for secret in secrets)


def test_what_a_stranger_has_on_its_disk_holds_nothing_that_is_not_public(spaces: Archipelago, secrets: list[Secret]) -> None:
    for site in spaces.everyone:
        site.home.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    folder = spaces.stranger.home.folder
    data = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert len(data) > 100_000
    assert not any(secret.shows_in(data) for secret in secrets)
    for site in spaces.sites:
        assert spaces.stranger.home.store.need(site.space).judged == site.home.log.size  # and it has the whole log


def test_what_is_for_members_only_is_on_no_disk_but_its_own(spaces: Archipelago, secrets: list[Secret]) -> None:
    for site in spaces.everyone:
        site.home.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        data = b"".join(path.read_bytes() for path in site.home.folder.rglob("*") if path.is_file())
        for secret in secrets:
            if not may_see(site, secret, spaces):
                assert not secret.shows_in(data), secret


def test_an_outsider_verifies_every_tree_whole_although_records_are_withheld(spaces: Archipelago) -> None:
    for site in spaces.sites:
        mine, theirs = spaces.stranger.home.store.need(site.space), site.home.log
        assert (mine.size, mine.root, mine.stopped) == (theirs.size, theirs.root, "")
        assert mine.missing > 0
        name = origin(site.space, 0)
        fetch = partial(_fetch, face_of(site), site.space)
        report = check_log(fetch, format_vkey(VerifierKey(name, site.home.keys.log.public)))
        assert (report.size, report.root) == (theirs.size, theirs.root)


def test_a_former_ally_gets_nothing_from_the_moment_that_the_link_has_ended(spaces: Archipelago) -> None:
    one, two = spaces.sites[:2]
    may = Entitlement(one.home).may_have
    assert may(one.space, two.space, ALLIES)
    now_ms = spaces.clock.now_ms()
    late = 40 * 30 * 86_400_000
    spaces.clock.move(late)  # every link has ended by its own fuse
    try:
        assert not may(one.space, two.space, ALLIES)
    finally:
        spaces.clock.move(-late)
    assert spaces.clock.now_ms() == now_ms
    assert not may(one.space, two.space, MEMBERS)
    assert not may(one.space, two.space, 7)
    assert not may(one.space, spaces.stranger.space, ALLIES)
    assert may(one.space, spaces.stranger.space, PUBLIC)


# To anybody


def log_path(space: bytes) -> str:
    return f"/log/{space_name(space).removeprefix('isle:')}/"


def face_of(site: Site) -> Public:
    def summary() -> bytes:
        return site.service.word(site.space, site.home.clock.now_ms()).summary

    return Public(site.home.store, endpoints=("https://isle.example",), refresh=site.home.heads.sign, summary=summary)


def test_the_public_face_of_a_node_holds_nothing_that_is_not_public_of_any_log_it_carries(
    spaces: Archipelago, secrets: list[Secret]
) -> None:
    for site in spaces.everyone:
        face, served = face_of(site), [b""]
        for log in site.home.store.logs():
            tiles = [tile_path(*tile) for tile in tiles_between(0, log.head_size)]
            for name in ("checkpoint", "keychain", "summary", "records/0", *tiles):
                answer = face.get(log_path(log.space) + name)
                assert answer.status == 200, name
                served.append(answer.body)
        served.append(face.get("/.well-known/archipelago").body)
        assert len(b"".join(served)) > 10_000
        for secret in secrets:
            assert not secret.shows_in(b"".join(served)), secret


def _fetch(face: Public, space: bytes, path: str) -> bytes:
    answer = face.get(log_path(space) + path)
    assert answer.status == 200
    return answer.body


def _keep(said: list[str], what: str, value: str) -> None:
    said.append(value)


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_exported_for_an_audience_holds_nothing_that_is_narrower(
    spaces: Archipelago, secrets: list[Secret], format: str
) -> None:
    wide = {"public": (), "allies": (ALLIES,), "members": ()}
    for site, (audience, besides) in product(spaces.sites, wide.items()):
        said: list[str] = []
        told = export(site.home, partial(_keep, said), {"format": format, "audience": audience})
        data = "".join(said).encode()
        assert told["audience"] == audience
        if audience != "members":
            hidden = [secret for secret in secrets if secret.audience not in besides]
            assert not any(secret.shows_in(data) for secret in hidden)
        elif format == "json":
            assert all(secret.shows_in(data) for secret in secrets if secret.space == site.space and _has_words(secret))


def _has_words(secret: Secret) -> bool:
    return any(b"planted" in needle for needle in secret.needles)


def concrete(path: str, site: Site, secrets: list[Secret]) -> Iterator[str]:
    """A route's path with everything in it that there is."""
    rows = site.home.store.rows(site.space, 0, site.home.log.size)
    members = {row.author for row in map(_record, rows)}
    values: dict[str, list[str]] = {
        "digest": [row.digest.hex() for row in rows] + [secret.digest.hex() for secret in secrets],
        "practice": [each.name for each in PRACTICES],
        "space": [space_name(log.space) for log in site.home.store.logs()],
        "member": [member.hex() for member in sorted(members)],
    }
    names = re.findall(r"\{(\w+):", path)
    bare = re.sub(r"\{(\w+):[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", r"{\1}", path)
    for each in product(*(values[name] for name in names)):
        yield bare.format(**dict(zip(names, each, strict=True)))


def _record(row: Any) -> Any:
    return parse(row.record)


async def test_no_page_that_a_visitor_can_open_holds_what_is_not_public(spaces: Archipelago, secrets: list[Secret]) -> None:
    for site in spaces.sites[:2]:
        where = bind("127.0.0.1", 0)
        listening = await listen(construct_app(site.home, _Faced(site)), where)
        seen = opened = 0
        async with ClientSession(f"http://127.0.0.1:{where.getsockname()[1]}") as client:
            for route in ROUTES:
                if route.method != "GET" or route.right != ANYONE or route.path == "/live":
                    continue
                for path in concrete(route.path, site, secrets):
                    async with client.get(path) as answer:
                        data = await answer.read()
                        data += repr(answer.headers).encode()
                    seen += len(data)
                    opened += answer.status == 200
                    told = [secret for secret in secrets if secret.shows_in(data)]
                    assert not told, (path, told)
        await listening.close()
        assert opened > 100
        assert seen > 500_000


class _Faced:
    """The public face's routes, as a running node adds them."""

    def __init__(self, site: Site) -> None:
        self._faces = Faces(site.home, site.service, ("https://isle.example",))

    def routes(self) -> Any:
        return self._faces.routes()


# Logs


async def test_no_log_line_holds_a_name_a_body_a_token_or_an_address(
    apart: Archipelago, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    spaces, secrets = apart, [secret for site in apart.sites for secret in apart.secrets(site)]
    monkeypatch.setattr("node.vault._OPS", 1)
    monkeypatch.setattr("node.vault._MEMORY", 8192)
    site, key = spaces.sites[2], spaces.sites[2].key_of("member")
    now_ms = spaces.clock.now_ms()
    account = site.home.accounts.create("Zebulon", "zebulons password", key.public, key, spaces.clock.random(40), now_ms)
    token = site.home.accounts.issue_token(account, key, "test", ["read", "write"], spaces.clock.random(56), now_ms)
    where = bind("127.0.0.1", 0)
    with caplog.at_level(logging.DEBUG), capture_logs() as lines:
        listening = await listen(construct_app(site.home, _Faced(site)), where)
        async with ClientSession(f"http://127.0.0.1:{where.getsockname()[1]}") as client:
            await _provoke(client, token, site, secrets, monkeypatch)
        await listening.close()
        exchange(site, spaces.sites[0])
        take(site, spaces.sites[0], spaces.sites[0].space)
    said = repr(lines) + caplog.text
    assert "the api failed" in said
    spoken = [needle.decode() for secret in secrets for needle in secret.needles if needle.startswith(b"planted")]
    for word in (*spoken, "secret word", "Zebulon", "zebulon", token, "127.0.0.1", key.public.hex(), key.seed.hex()):
        assert word not in said, word


async def _provoke(
    client: ClientSession, token: str, site: Site, secrets: list[Secret], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ought to work, and what fails in every way there is."""
    headers = {"Authorization": f"Bearer {token}"}
    path = "/api/v1/records/ledger.account-opened/1?audience=members"
    good = {"account": "assets:zebulon-till", "description": "secret word"}
    assert (await client.post(path, json=good, headers=headers)).status == 201
    assert (await client.post(path, json={**good, "secret word": 1}, headers=headers)).status == 422
    assert (await client.post(path, data=b"secret word", headers=headers)).status == 400

    def fail(*_: object) -> None:
        raise OSError("secret word")

    with monkeypatch.context() as broken:
        broken.setattr(site.home.store, "_insert", fail)
        answer = await client.post(path, json={**good, "account": "assets:zebulon-two"}, headers=headers)
        assert answer.status == 500
        assert "secret word" not in await answer.text()
    for digest in [secret.digest.hex() for secret in secrets[:20]]:
        await client.get(f"/api/v1/records/{digest}", headers=headers)
        await client.get(f"/record/{digest}")
    await client.get("/no/such/page/Zebulon?secret word")
    await client.post("/login", data={"login": "Zebulon", "password": "secret word"}, headers={"Origin": str(client._base_url)})
    await client.post("/add-checkpoint", data=b"secret word")
