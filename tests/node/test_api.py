"""The JSON API over HTTP: tokens and scopes, refusals with sentences, and every kind as its schema says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from federation.storage import Row, StorageError
from node import openapi
from node.api import Api
from node.clock import MovedClock
from node.home import Home
from node.server import bind, listen
from node.web.app import construct_app
from protocol import receipt, record
from protocol.entry import Entry
from protocol.keys import SigningKey
from protocol.practice import ALLIES, MEMBERS, PUBLIC
from protocol.practices import KINDS, PRACTICES
from protocol.record import parse
from protocol.tree import grow, leaf_hash

NOW = 1_790_000_000_000
TALE = {
    "date": "2026-09-20",
    "memo": "Flour",
    "postings": [
        {"account": "expenses:food", "amount": "12.50", "currency": "EUR"},
        {"account": "assets:cash", "amount": "-12.50", "currency": "EUR"},
    ],
}
BOOK = "/api/v1/records/ledger.transaction-booked/1"


class Mill:
    """A node behind its real door, and programs that talk to it."""

    def __init__(self, home: Home, port: int, client: ClientSession) -> None:
        self.home, self.port, self.client = home, port, client
        self.ada = home.key_files.key()

    def account(self, login: str, key: SigningKey, member: bytes = b"") -> None:
        self.home.accounts.create(login, "soup on tuesday", member or key.public, key, self.home.clock.random(40), NOW)

    def token(self, login: str, key: SigningKey, *scopes: str) -> str:
        account = next(each for each in self.home.accounts.all() if each.login == login)
        return self.home.accounts.issue_token(account, key, "a test", scopes, self.home.clock.random(56), NOW)

    async def ask(self, method: str, path: str, token: str = "", **how: Any) -> tuple[int, Any]:
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **how.pop("headers", {})}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.client.request(method, url, headers=headers, **how) as self.answer:
            text = await self.answer.text()
            return self.answer.status, await self.answer.json() if "json" in self.answer.content_type else text

    answer: ClientResponse


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are not what is tested here."""
    monkeypatch.setattr("node.vault._OPS", 1)
    monkeypatch.setattr("node.vault._MEMORY", 8192)


@pytest.fixture
async def mill(tmp_path: Path) -> AsyncIterator[Mill]:
    home = Home.found(tmp_path / "mill", "The Mill", "Ada", MovedClock(NOW, running=False))
    where = bind("127.0.0.1", 0)
    listening = await listen(construct_app(home), where)
    async with ClientSession() as client:
        made = Mill(home, where.getsockname()[1], client)
        made.account("ada", made.ada)
        yield made
    await listening.close()
    home.close()


READING = ("/api/v1/status", "/api/v1/kinds", "/api/v1/log", "/api/v1/practices/ledger")


def sentence(told: Any) -> str:
    said = str(told["error"])
    assert said.endswith(".")
    return said


# Tokens


def every_route(home: Home) -> Iterator[tuple[str, str]]:
    for route in Api(home).routes():
        path = route.path.replace("{kind:[a-z.-]+/[0-9]{1,3}}", "ledger.transaction-booked/1")
        path = path.replace("{digest:[0-9a-f]{64}}", home.space.hex()).replace("{practice:[a-z-]+}", "ledger")
        assert "{" not in path, "a new route needs a line here"
        yield route.method, path


async def test_every_route_but_the_description_takes_a_token_with_its_scope(mill: Mill) -> None:
    reads, writes = mill.token("ada", mill.ada, "read"), mill.token("ada", mill.ada, "write")
    for method, path in every_route(mill.home):
        body = {"json": TALE} if method == "POST" else {}
        if path.endswith("openapi.json"):
            assert (await mill.ask(method, path))[0] == 200
            continue
        for bad in ("", "x", "0" * 64, "\u00e4" * 64, reads[:-1], reads + " x"):
            status, told = await mill.ask(method, path, bad, **body)
            assert status == 401, path
            assert "token" in sentence(told)
            assert mill.answer.headers["WWW-Authenticate"] == "Bearer"
        good, wrong = (writes, reads) if method == "POST" else (reads, writes)
        status, told = await mill.ask(method, path, wrong, **body)
        assert status == 403, path
        assert "scope" in sentence(told)
        assert (await mill.ask(method, path, good, **body))[0] in (200, 201), path
    assert mill.home.log.size == 3  # one act got in


async def test_a_cookie_or_a_token_in_the_address_opens_nothing(mill: Mill) -> None:
    token = mill.token("ada", mill.ada, "read", "write")
    status, _ = await mill.ask(
        "GET", f"/api/v1/status?token={token}&access_token={token}", headers={"Cookie": f"session={token}"}
    )
    assert status == 401


async def test_a_revoked_token_opens_nothing_from_then_on(mill: Mill) -> None:
    token = mill.token("ada", mill.ada, "read")
    assert (await mill.ask("GET", "/api/v1/status", token))[0] == 200
    account = mill.home.accounts.all()[0]
    mill.home.accounts.revoke_tokens(account.number, "a test")
    assert (await mill.ask("GET", "/api/v1/status", token))[0] == 401


async def test_a_token_of_somebody_who_is_no_member_or_no_longer_one_opens_nothing(mill: Mill) -> None:
    guest = SigningKey(b"g" * 32)
    mill.account("guest", guest)
    token = mill.token("ada", mill.ada, "read", "write")
    strange = mill.token("guest", guest, "read", "write")
    for path in READING:
        status, told = await mill.ask("GET", path, strange)
        assert status == 403
        assert "not a member" in sentence(told)
    assert (await mill.ask("POST", BOOK, strange, json=TALE))[0] == 403
    assert (await mill.ask("POST", "/api/v1/records/member.left/1", token, json={}))[0] == 201
    assert (await mill.ask("GET", "/api/v1/log", token))[0] == 403


# Writing


async def test_a_record_is_written_in_its_members_name_and_read_back_as_it_was_given(mill: Mill) -> None:
    token = mill.token("ada", mill.ada, "read", "write")
    status, placed = await mill.ask("POST", BOOK, token, json=TALE)
    assert status == 201
    status, told = await mill.ask("GET", f"/api/v1/records/{placed['digest']}", token)
    assert status == 200
    assert {name: told["body"][name] for name in TALE} == TALE
    assert told["author"] == mill.ada.public.hex()
    assert (told["position"], told["logged_ms"]) == (placed["position"], placed["logged_ms"])
    assert told["audience"] == "public"
    assert parse(bytes.fromhex(told["raw"])).digest.hex() == placed["digest"]


@pytest.mark.parametrize(("said", "audience"), [("public", PUBLIC), ("allies", ALLIES), ("members", MEMBERS)])
async def test_the_audience_can_be_narrowed(mill: Mill, said: str, audience: int) -> None:
    token = mill.token("ada", mill.ada, "read", "write")
    status, placed = await mill.ask("POST", f"{BOOK}?audience={said}", token, json=TALE)
    assert status == 201
    row = mill.home.store.rows(mill.home.space, placed["position"], placed["position"] + 1)[0]
    assert row.record is not None
    assert parse(row.record).audience == audience
    assert (await mill.ask("GET", f"/api/v1/records/{placed['digest']}", token))[1]["audience"] == said


async def test_the_audience_cannot_be_widened(mill: Mill) -> None:
    token = mill.token("ada", mill.ada, "write")
    for said in ("public", "allies"):
        status, told = await mill.ask("POST", f"/api/v1/records/member.named/1?audience={said}", token, json={"name": "Ada"})
        assert status == 422
        assert "narrowed, not widened" in sentence(told)


_JSON = {"Content-Type": "application/json"}
BAD: list[tuple[str, dict[str, Any], int, str]] = [
    (BOOK, {"json": {**TALE, "date": "soon"}}, 422, "Date"),
    (BOOK, {"json": {**TALE, "postings": TALE["postings"][:1]}}, 422, "Postings"),
    (BOOK, {"json": {**TALE, "colour": "red"}}, 422, "colour"),
    (BOOK, {"json": {"date": "2026-09-20"}}, 422, "Postings"),
    (BOOK, {"json": []}, 422, "object"),
    (BOOK, {"data": b"null", "headers": _JSON}, 422, "object"),
    (BOOK, {"data": b"{", "headers": _JSON}, 400, "not JSON"),
    (BOOK, {"data": b"", "headers": _JSON}, 400, "not JSON"),
    (BOOK, {"data": b'{"memo": "\\ud800"}', "headers": _JSON}, 400, "not JSON"),
    (BOOK, {"data": b"[" * 100_000, "headers": _JSON}, 400, "not JSON"),
    (BOOK, {"data": b"\xff\xfe", "headers": _JSON}, 400, "not JSON"),
    (BOOK, {"data": b"date=x", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400, "application/json"),
    (BOOK, {"data": b"{}", "headers": {"Content-Type": "text/plain"}}, 400, "application/json"),
    (BOOK + "?audience=everybody", {"json": TALE}, 400, "audience"),
    ("/api/v1/records/weather.seen/1", {"json": {}}, 404, "no kind"),
    ("/api/v1/records/ledger.transaction-booked/2", {"json": TALE}, 404, "no kind"),
    ("/api/v1/records/space.founded/1", {"json": {}}, 422, "missing"),
]


async def test_what_cannot_be_written_is_refused_with_a_sentence_and_leaves_nothing(mill: Mill) -> None:
    token, size = mill.token("ada", mill.ada, "write"), mill.home.log.size
    for path, how, status, says in BAD:
        got, told = await mill.ask("POST", path, token, **how)
        assert (got, says in sentence(told)) == (status, True), (path, how, told)
        assert mill.home.log.size == size


async def test_a_body_that_is_too_large_is_refused_unread(mill: Mill) -> None:
    token = mill.token("ada", mill.ada, "write")
    status, told = await mill.ask("POST", BOOK, token, json={**TALE, "memo": "x" * 300_000})
    assert status == 413
    assert "at most" in str(told)
    assert mill.home.log.size == 2


async def test_a_failing_disk_is_an_answer_and_nothing_of_the_record_is_kept(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = mill.token("ada", mill.ada, "read", "write")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(mill.home.store, "_insert", fail)
        status, told = await mill.ask("POST", BOOK, token, json=TALE)
    assert status == 500
    assert "no space" not in sentence(told)
    assert (await mill.ask("POST", BOOK, token, json=TALE))[0] == 201
    assert mill.home.log.size == 3


# Reading


async def test_what_is_not_there_is_404_with_a_sentence(mill: Mill) -> None:
    token = mill.token("ada", mill.ada, "read")
    for path in ("/api/v1/records/" + "00" * 32, "/api/v1/receipts/" + "00" * 32, "/api/v1/practices/alchemy"):
        status, told = await mill.ask("GET", path, token)
        assert status == 404, path
        assert "no" in sentence(told)


async def test_the_log_is_told_in_pages_with_what_is_hidden_marked(mill: Mill) -> None:
    token = mill.token("ada", mill.ada, "read", "write")
    for said in ("public", "members", "public"):
        await mill.ask("POST", f"{BOOK}?audience={said}", token, json=TALE)
    status, told = await mill.ask("GET", "/api/v1/log?start=2&limit=2", token)
    assert status == 200
    assert [(each["position"], each["public"], each["kind"]) for each in told] == [
        (2, True, "ledger.transaction-booked/1"),
        (3, False, "ledger.transaction-booked/1"),
    ]
    assert (await mill.ask("GET", "/api/v1/log?start=99", token)) == (200, [])
    for query in ("start=-1", "limit=1001", "start=x", "limit=", "start=%D9%A3", "start=1.5", "start=" + "9" * 5000):
        status, told = await mill.ask("GET", f"/api/v1/log?{query}", token)
        assert status == 400, query
        assert "whole number" in sentence(told)


async def test_a_receipt_by_the_api_is_one_that_a_stranger_can_check(mill: Mill) -> None:
    token = mill.token("ada", mill.ada, "read", "write")
    _, placed = await mill.ask("POST", BOOK, token, json=TALE)
    status, text = await mill.ask("GET", f"/api/v1/receipts/{placed['digest']}", token)
    assert status == 200
    checked = receipt.check(text)
    assert (checked.digest.hex(), checked.index, checked.words) == (placed["digest"], placed["position"], {"memo": "Flour"})


async def test_where_no_head_may_be_signed_the_receipt_says_why(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    token = mill.token("ada", mill.ada, "read")
    mill.home.heads.recovering = "This node waits for its peers."
    status, told = await mill.ask("GET", f"/api/v1/receipts/{mill.home.space.hex()}", token)
    assert (status, sentence(told)) == (422, "This node waits for its peers.")
    mill.home.heads.recovering = ""

    def damaged() -> str:
        raise StorageError("A stored record is damaged.")

    monkeypatch.setattr(mill.home.heads, "sign", damaged)
    status, told = await mill.ask("GET", f"/api/v1/receipts/{mill.home.space.hex()}", token)
    assert (status, sentence(told)) == (422, "A stored record is damaged.")


async def test_every_practice_is_told_as_blocks(mill: Mill) -> None:
    token = mill.token("ada", mill.ada, "read")
    for practice in PRACTICES:
        status, told = await mill.ask("GET", f"/api/v1/practices/{practice.name}", token)
        assert status == 200
        assert told[0]["type"] == "Heading"


async def test_whatever_a_peer_has_let_into_its_log_is_told(mill: Mill, tmp_path: Path) -> None:
    quay = Home.found(tmp_path / "quay", "The Quay", "Bo", mill.home.clock)
    bo, store = quay.key_files.key(), mill.home.store
    far = record.seal("member.invited/1", NOW, PUBLIC, {"hash": bytes(32), "expires_ms": 2**53 - 1}, bo, quay.space)
    junk, strange = b"\x84" * 200, record.seal("weather.seen/1", NOW + 1, PUBLIC, {"rain": True}, bo, quay.space)
    rows = quay.store.rows(quay.space, 0, 1)
    rows += [Row(0, NOW // 60_000, sha256(raw).digest(), raw, None) for raw in (far.raw, junk, strange.raw)]
    store.learn(quay.log.chain)
    edge, tiles = grow(store.edge(quay.space), [leaf_hash(Entry(r.flag, r.logged, r.digest).encode()) for r in rows])
    store.extend(quay.space, 0, rows, edge, tiles, "a head", len(rows), edge.root())
    mill.home.audit.catch_up(quay.space)
    quay.close()
    token, told = mill.token("ada", mill.ada, "read"), []
    for row in rows[1:]:
        status, one = await mill.ask("GET", f"/api/v1/records/{row.digest.hex()}", token)
        assert status == 200
        told.append((one["kind"], one["body"] and one["body"]["expires_ms"]))
    assert told == [("member.invited/1", str(2**53 - 1)), ("", None), ("weather.seen/1", None)]


async def test_the_kinds_are_told_with_their_schemas(mill: Mill) -> None:
    status, told = await mill.ask("GET", "/api/v1/kinds", mill.token("ada", mill.ada, "read"))
    assert status == 200
    assert {each["kind"] for each in told} == set(KINDS)
    assert {each["audience"] for each in told} <= {"public", "allies", "members"}
    assert all(each["schema"]["type"] == "object" for each in told)


# The description


async def test_the_description_has_every_route_and_every_route_is_in_it(mill: Mill) -> None:
    _, page = await mill.ask("GET", "/api/v1/openapi.json")
    assert page == openapi.document("1")
    told = {(verb.upper(), path) for path, verbs in page["paths"].items() for verb in verbs}
    real = set()
    for route in Api(mill.home).routes():
        if route.path.endswith("openapi.json"):
            continue
        if "{kind" in route.path:
            real |= {(route.method, f"/api/v1/records/{name}") for name in KINDS}
        else:
            real.add((route.method, re.sub(r"\{(\w+):.*\}", r"{\1}", route.path)))
    assert told == real


def test_the_description_is_in_the_form_of_openapi_3_1() -> None:
    page = openapi.document("1")
    assert page["openapi"].startswith("3.1.")
    assert {"title", "version"} <= page["info"].keys()
    ids = []
    for path, verbs in page["paths"].items():
        for operation in verbs.values():
            ids.append(operation["operationId"])
            named = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))
            assert all(each["required"] for each in operation.get("parameters", []) if each["in"] == "path")
            assert all(
                re.fullmatch(r"[1-5][0-9]{2}", code) and each["description"] for code, each in operation["responses"].items()
            )
            assert operation["security"] == [{"token": []}]
    assert len(set(ids)) == len(ids)
    for target in re.findall(r"'\$ref': '([^']+)'", repr(page)):
        node: Any = page
        for part in target.removeprefix("#/").split("/"):
            node = node[part]
        assert node["type"] == "object"
