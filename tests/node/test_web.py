"""The pages over HTTP: rights, sessions, forms, proof, and what holds for every answer."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar
from aiohttp.test_utils import TestServer

from node.home import Home
from node.names import ZONE, telling_for
from node.vault import Account
from node.web import writing
from node.web.app import ACCOUNT, ANYONE, HEADERS, MEMBER, ROUTES, construct_app
from node.words import exact
from protocol import receipt
from protocol.judge import spoken_time
from protocol.keychain import space_name
from protocol.keys import SigningKey
from tests.node.sample_blocks import HOSTILE
from tests.node.test_today import DAY, House

SPOKEN = HOSTILE.replace("\x1b", "")  # control characters are refused where words are written
PASSWORD = "soup on tuesday"
BOOKING = {
    "date": "2026-03-03",
    "memo": "Rent of the mill",
    "postings.0.account": "expenses:rent",
    "postings.0.amount": "840.00",
    "postings.0.currency": "EUR",
    "postings.1.account": "assets:bank",
    "postings.1.amount": "-840.00",
    "postings.1.currency": "EUR",
}


class Isle:
    """A node with a founder, its server, and somebody at a browser."""

    def __init__(self, home: Home, server: TestServer) -> None:
        self.home, self.server = home, server
        self.founder = home.key_files.key()

    def browser(self) -> Browser:
        return Browser(self.server)

    def account(self, login: str, key: SigningKey) -> Account:
        clock = self.home.clock
        return self.home.accounts.create(login, PASSWORD, key.public, key, clock.random(40), clock.now_ms())

    def submit(self, kind: str, body: dict[str, Any], audience: int | None = None) -> bytes:
        return self.home.actions.submit(kind, body, self.founder, audience).digest


class Browser:
    """Somebody's browser: keeps cookies, says where requests come from."""

    def __init__(self, server: TestServer) -> None:
        self.base = f"http://{server.host}:{server.port}"
        self.client = ClientSession(cookie_jar=CookieJar(unsafe=True))
        self.html = ""
        self.answer: ClientResponse

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def get(self, path: str, **headers: str) -> int:
        async with self.client.get(self.base + path, headers=headers) as self.answer:
            self.html = await self.answer.text()
            return self.answer.status

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> int:
        sent = {"Origin": self.base, **headers}
        async with self.client.post(self.base + path, data=fields, headers=sent) as self.answer:
            self.html = await self.answer.text()
            return self.answer.status

    @property
    def path(self) -> str:
        return self.answer.url.path

    async def token(self, path: str = "/me") -> str:
        await self.get(path)
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.html)
        assert found
        return found[1]

    async def log_in(self, login: str = "ada", password: str = PASSWORD) -> int:
        return await self.post("/login", {"login": login, "password": password, "next": "/"})


@pytest.fixture
async def isle(tmp_path: Path) -> AsyncIterator[Isle]:
    home = Home.found(tmp_path / "mill", "The Mill", "Ada")
    server = TestServer(construct_app(home), host="127.0.0.1")
    await server.start_server()
    made = Isle(home, server)
    made.account("ada", made.founder)
    yield made
    await server.close()
    home.close()


# Rights

PATHS = {"kind": "ledger.transaction-booked/1", "practice": "ledger"}


def concrete(path: str, isle: Isle, digest: bytes) -> str:
    """A route's path with something real in it."""
    names = {**PATHS, "space": space_name(isle.home.space), "digest": digest.hex(), "member": isle.founder.public.hex()}
    return re.sub(r"\{(\w+):[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", lambda found: names[found[1]], path)


async def test_every_route_is_open_to_just_those_whom_its_right_names(isle: Isle) -> None:
    digest = isle.submit("ledger.account-opened/1", {"account": "assets:bank"})
    isle.account("guest", SigningKey(b"g" * 32))  # can log in, and is no member
    async with isle.browser() as nobody, isle.browser() as guest, isle.browser() as member:
        assert await guest.log_in("guest") == 200
        assert await member.log_in() == 200
        for route in ROUTES:
            if route.path in ("/live", "/logout"):
                continue
            path = concrete(route.path, isle, digest)
            for browser, role in ((nobody, ANYONE), (guest, ACCOUNT), (member, MEMBER)):
                allowed = (ANYONE, ACCOUNT, MEMBER).index(role) >= (ANYONE, ACCOUNT, MEMBER).index(route.right)
                if route.method == "GET":
                    status = await browser.get(path)
                    refused = (browser.path == "/login" and path != "/login") or status == 403
                else:
                    status = await browser.post(path, {})
                    refused = status in (401, 403) and "too old" not in browser.html
                assert refused != allowed, (route.method, path, role, status)


def test_no_two_routes_and_no_unknown_right() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    assert {route.right for route in ROUTES} == {ANYONE, ACCOUNT, MEMBER}


async def test_every_answer_carries_the_strict_policy(isle: Isle) -> None:
    digest = isle.submit("ledger.account-opened/1", {"account": "assets:bank"})
    async with isle.browser() as browser:
        for route in ROUTES:
            if route.method == "GET" and route.path != "/live":
                await browser.get(concrete(route.path, isle, digest))
                assert HEADERS.items() <= dict(browser.answer.headers).items(), route.path
                assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?! type=\"module\" src=\"/static/)", browser.html)
        assert await browser.get("/nothing/here") == 404
        assert "There is no such page here" in browser.html
        assert HEADERS.items() <= dict(browser.answer.headers).items()


# Sessions


async def test_a_session_begins_with_the_right_password_and_ends_at_once(isle: Isle) -> None:
    async with isle.browser() as browser, isle.browser() as thief:
        assert await browser.log_in(password="something else") == 422
        assert "do not go together" in browser.html
        assert await browser.log_in() == 200
        cookie = next(iter(browser.client.cookie_jar))
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        thief.client.cookie_jar.update_cookies({cookie.key: cookie.value}, browser.answer.url)
        assert await thief.get("/me") == 200
        assert thief.path == "/me"
        token = await browser.token()
        assert await browser.post("/logout", {"csrf": token}) == 200
        assert await thief.get("/me") == 200
        assert thief.path == "/login"


async def test_logging_in_anew_ends_the_session_before(isle: Isle) -> None:
    async with isle.browser() as browser, isle.browser() as old:
        await browser.log_in()
        cookie = next(iter(browser.client.cookie_jar))
        old.client.cookie_jar.update_cookies({cookie.key: cookie.value}, browser.answer.url)
        await browser.log_in()
        assert next(iter(browser.client.cookie_jar)).value != cookie.value
        await old.get("/me")
        assert old.path == "/login"


async def test_nothing_is_changed_from_another_site_or_without_the_token(isle: Isle) -> None:
    size = isle.home.log.size
    async with isle.browser() as browser:
        await browser.log_in()
        token = await browser.token()
        path = "/record/new/ledger.transaction-booked/1"
        assert await browser.post(path, {**BOOKING, "csrf": token}, Origin="https://evil.example") == 403
        assert await browser.post(path, {**BOOKING, "csrf": token}, Origin="null") == 403
        assert await browser.post(path, {**BOOKING, "csrf": token}, **{"Sec-Fetch-Site": "cross-site"}) == 403
        assert await browser.post(path, {**BOOKING, "csrf": token}, **{"Sec-Fetch-Site": "same-site"}) == 403
        assert await browser.post(path, BOOKING) == 403
        assert await browser.post(path, {**BOOKING, "csrf": "00" * 32}) == 403
        assert isle.home.log.size == size
        assert await browser.post(path, {**BOOKING, "csrf": token}, **{"Sec-Fetch-Site": "same-origin"}) == 200
    assert isle.home.log.size == size + 1


async def test_each_page_masks_the_token_anew(isle: Isle) -> None:
    async with isle.browser() as browser:
        await browser.log_in()
        assert await browser.token() != await browser.token()


async def test_after_logging_in_one_goes_on_within_this_node_only(isle: Isle) -> None:
    for there in ("//evil.example/x", "https://evil.example", "/\\evil.example"):
        async with isle.browser() as browser:
            await browser.post("/login", {"login": "ada", "password": PASSWORD, "next": there})
            assert urlsplit(str(browser.answer.url)).netloc == urlsplit(browser.base).netloc
            assert browser.path == "/"


# Writing


async def test_a_transaction_that_does_not_balance_is_kept_in_the_form_with_a_sentence(isle: Isle) -> None:
    size = isle.home.log.size
    async with isle.browser() as browser:
        await browser.log_in()
        path = "/record/new/ledger.transaction-booked/1"
        fields = {**BOOKING, "postings.1.amount": "-800.00", "csrf": await browser.token(path)}
        assert await browser.post(path, fields) == 422
        assert "Nothing was written yet" in browser.html
        assert 'value="Rent of the mill"' in browser.html
        assert 'value="-800.00"' in browser.html
        assert isle.home.log.size == size
        fields["postings.1.amount"] = "-840.00"
        assert await browser.post(path, fields) == 200
        assert browser.path.startswith("/record/")
        assert "Rent of the mill" in browser.html
    assert isle.home.log.size == size + 1


async def test_a_row_is_added_without_script_and_without_writing(isle: Isle) -> None:
    size = isle.home.log.size
    async with isle.browser() as browser:
        await browser.log_in()
        path = "/record/new/ledger.transaction-booked/1"
        token = await browser.token(path)
        assert "postings.2.amount" not in browser.html
        assert await browser.post(path, {**BOOKING, "csrf": token, "+": "postings"}) == 200
        assert 'name="postings.2.amount"' in browser.html
        assert re.search(r'<input[^>]*name="postings.2.account"[^>]* autofocus', browser.html)
        assert 'value="Rent of the mill"' in browser.html
    assert isle.home.log.size == size


async def test_a_big_act_is_asked_for_once_more(isle: Isle) -> None:
    size = isle.home.log.size
    path = "/record/new/ledger.budget-set/1"
    fields = {"purpose": "soup", "cycle": "331", "account": "expenses:food", "amount": "300.00", "currency": "EUR"}
    async with isle.browser() as browser:
        await browser.log_in()
        fields["csrf"] = await browser.token(path)
        assert await browser.post(path, fields) == 200
        assert "Look once more" in browser.html
        assert "300.00 EUR" in browser.html
        assert isle.home.log.size == size
        assert await browser.post(path, {**fields, "do": "change"}) == 200
        assert 'value="300.00"' in browser.html
        assert await browser.post(path, {**fields, "do": "confirmed"}) == 200
        assert browser.path.startswith("/record/")
    assert isle.home.log.size == size + 1


async def test_what_was_typed_survives_a_lost_session(isle: Isle) -> None:
    size = isle.home.log.size
    path = "/record/new/ledger.transaction-booked/1"
    async with isle.browser() as browser:
        assert await browser.post(path, BOOKING) == 401
        kept = dict(re.findall(r'type="hidden" name="(kept\.[^"]+)" value="([^"]*)"', browser.html))
        assert kept["kept.memo"] == "Rent of the mill"
        fields = {**kept, "next": path, "login": "ada", "password": PASSWORD}
        assert await browser.post("/login", fields) == 200
        assert 'value="Rent of the mill"' in browser.html
        assert f'action="{path}"' in browser.html
        assert isle.home.log.size == size
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.html)
        assert token
        assert await browser.post(path, {**BOOKING, "csrf": token[1]}) == 200
    assert isle.home.log.size == size + 1


async def test_a_form_that_is_too_long_or_no_form_is_refused(isle: Isle) -> None:
    async with isle.browser() as browser:
        assert await browser.post("/login", {"login": "x" * 300_000, "password": "y"}) == 413
        async with browser.client.post(
            f"{browser.base}/login", data=b"{}", headers={"Origin": browser.base, "Content-Type": "application/json"}
        ) as answer:
            assert answer.status == 415


# Members


async def test_somebody_is_invited_and_joins_in_a_browser(isle: Isle) -> None:
    async with isle.browser() as ada, isle.browser() as ben:
        await ada.log_in()
        token = await ada.token("/invite")
        assert await ada.post("/invite", {"csrf": token, "days": "7"}) == 200
        link = re.search(r"/join\?invitation=([0-9a-f]{32})", ada.html)
        assert link
        assert "<svg" in ada.html
        assert await ben.get(link[0]) == 200
        assert f'value="{link[1]}"' in ben.html
        assert await ben.post("/join", {"secret": link[1], "login": "Ben", "password": "short"}) == 422
        assert await ben.post("/join", {"secret": link[1], "login": "ada", "password": PASSWORD}) == 422
        assert "is taken on this node" in ben.html
        assert await ben.post("/join", {"secret": link[1], "login": "Ben", "password": PASSWORD}) == 200
        assert await ben.get("/me") == 200
        assert "You are not a member" not in ben.html
        assert await ada.get("/assembly") == 200
        assert "Ben" in ada.html
        async with isle.browser() as late:
            assert await late.post("/join", {"secret": link[1], "login": "Cleo", "password": PASSWORD}) == 422
            assert "has been used" in late.html


async def test_names_of_members_are_not_shown_to_visitors(isle: Isle) -> None:
    digest = isle.submit("member.named/1", {"name": "Ada", "contact": "ada@mill.example"})
    async with isle.browser() as nobody, isle.browser() as ada:
        await ada.log_in()
        for path in ("/assembly", "/memory", "/", f"/member/{isle.founder.public.hex()}"):
            await nobody.get(path)
            assert "Ada" not in nobody.html, path
            await ada.get(path)
            assert "Ada" in ada.html, path
        assert await nobody.get(f"/record/{digest.hex()}") == 404
        assert await nobody.get(f"/record/{digest.hex()}/receipt") == 404
        assert await ada.get(f"/record/{digest.hex()}") == 200
        assert "ada@mill.example" in ada.html


async def test_a_token_for_a_program_is_shown_once_and_can_be_revoked(isle: Isle) -> None:
    async with isle.browser() as ada:
        await ada.log_in()
        csrf = await ada.token()
        assert await ada.post("/me/tokens", {"csrf": csrf, "label": "the till", "scope": "read"}) == 200
        made = re.search(r'class="hash">([0-9a-f]{64})<', ada.html)
        assert made
        assert await ada.get("/api/v1/status", Authorization=f"Bearer {made[1]}") == 200
        await ada.get("/me")
        assert made[1] not in ada.html
        assert await ada.post("/me/tokens/revoke", {"csrf": csrf, "label": "the till"}) == 200
        assert await ada.get("/api/v1/status", Authorization=f"Bearer {made[1]}") == 401


# Records


async def test_a_receipt_from_the_page_proves_the_record(isle: Isle) -> None:
    async with isle.browser() as ada:
        await ada.log_in()
        path = "/record/new/ledger.transaction-booked/1"
        await ada.post(path, {**BOOKING, "csrf": await ada.token(path)})
        page = ada.path
        assert await ada.get(f"{page}/receipt") == 200
        assert "attachment" in ada.answer.headers["Content-Disposition"]
        checked = receipt.check(ada.html)
        assert checked.digest.hex() == page.rpartition("/")[2]
        assert checked.space == isle.home.space
        assert checked.words["memo"] == "Rent of the mill"


async def test_hostile_words_come_out_as_words_on_every_page(isle: Isle) -> None:
    body = {
        "name": SPOKEN[:40],
        "purpose": f"A purpose with {SPOKEN}",
        "text": f"Twenty letters at least. {SPOKEN} [x](javascript:alert(1)) <img src=x onerror=alert(1)>",
        "settings": [],
        "fuse_cycles": 3,
    }
    digest = isle.submit("protocol.published/1", body)
    memo = {"date": "2026-03-03", "memo": SPOKEN, "payee": '"><svg onload=alert(1)>'}
    rows = [{"account": "assets:bank", "amount": amount, "currency": "EUR"} for amount in ("1.00", "-1.00")]
    isle.submit("ledger.transaction-booked/1", {**memo, "postings": rows})
    async with isle.browser() as ada:
        await ada.log_in()
        for path in ("/", "/commons", "/archipelago", "/memory", f"/record/{digest.hex()}", "/practice/library"):
            await ada.get(path)
            assert not re.search(r"<script(?! type=\"module\")|<img|<svg onload|href=\"javascript", ada.html), path
            assert "\u202e" not in ada.html, path


# Pages


async def test_every_room_and_practice_is_there_for_all_and_within_its_weight(isle: Isle) -> None:
    async with isle.browser() as nobody, isle.browser() as ada:
        await ada.log_in()
        await nobody.get("/")
        extra = 0
        for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', nobody.html):
            async with nobody.client.get(
                nobody.base + path, headers={"Accept-Encoding": "gzip"}, auto_decompress=False
            ) as answer:
                extra += len(await answer.read())
                assert "immutable" in answer.headers["Cache-Control"]
        for path in ("/", "/assembly", "/commons", "/campaigns", "/archipelago", "/memory", "/moon", "/space"):
            for browser in (nobody, ada):
                assert await browser.get(path) == 200
                assert browser.html.count("<h1>") == 1
                assert len(browser.html.encode()) + extra < 60_000, path


async def test_a_page_that_has_not_changed_is_not_sent_twice(isle: Isle) -> None:
    async with isle.browser() as nobody:
        await nobody.get("/campaigns")
        tag = nobody.answer.headers["ETag"]
        status = await nobody.get("/campaigns", **{"If-None-Match": tag})
        assert status in (200, 304)  # 200 if a minute has just begun
        isle.submit("ledger.account-opened/1", {"account": "assets:bank"})
        assert await nobody.get("/campaigns", **{"If-None-Match": tag}) == 200


async def test_an_open_page_hears_of_a_commit_and_of_no_more_than_its_room(isle: Isle) -> None:
    async with isle.browser() as nobody, nobody.client.get(f"{nobody.base}/live") as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert await stream.content.readline() == b"retry: 5000\n"
        await stream.content.readline()
        isle.submit("ledger.account-opened/1", {"account": "assets:bank", "description": "a secret of ours"})
        assert await stream.content.readline() == b"event: moved\n"
        data = await stream.content.readline()
        assert b'"commons"' in data
        assert b"secret" not in data


async def test_a_form_for_a_version_of_a_record_begins_with_its_words(isle: Isle) -> None:
    text = "We read the ledger aloud. " * 200
    body = {"name": "Open ledger", "purpose": "So that nobody has to ask", "text": text, "settings": [], "fuse_cycles": 7}
    digest = isle.submit("protocol.published/1", body)
    async with isle.browser() as ada:
        await ada.log_in()
        link = f"parent={digest.hex()}&parent_space={isle.home.space.hex()}&name=Ours"
        assert await ada.get(f"/record/new/protocol.published/1?{link}") == 200
        assert "We read the ledger aloud." in ada.html
        assert 'value="Ours"' in ada.html
        assert 'value="7"' in ada.html
        assert "Open ledger" in ada.html  # the parent, by name


@asynccontextmanager
async def opened(house: House, zone: str = "UTC") -> AsyncIterator[Isle]:
    """A house of several members at its address, in a time zone."""
    house.home.store.keep_setting(ZONE, zone)
    server = TestServer(construct_app(house.home), host="127.0.0.1")
    await server.start_server()
    made = Isle(house.home, server)
    made.account("ada", made.founder)
    try:
        yield made
    finally:
        await server.close()
        house.home.close()


async def test_me_tells_in_words_what_one_may_how_much_until_when_and_by_which_role(tmp_path: Path) -> None:
    house = House(tmp_path / "mill")
    term = house.treasurer(0, "250.00")
    async with opened(house) as isle, isle.browser() as ada, isle.browser() as nobody:
        await ada.log_in()
        assert await ada.get("/me") == 200
        assert await nobody.get(f"/member/{isle.founder.public.hex()}") == 200
        until = telling_for(house.home, house.home.view(), house.clock.now_ms()).when(term.until_ms)
        for html in (ada.html, nobody.html):
            row = next(part for part in html.split("<tr>") if "Book a transaction" in part)
            assert f'href="/record/{term.definition.hex()}"' in row
            assert "the role “treasurer”" in row
            assert "250.00" in row
            assert until in row
            assert "All that members may" in html
            assert "What otherwise takes a decision" in html
            assert not re.search(r">(member|assembly|ledger\.transaction-booked/1)<", html)
        assert "Due for your roles" not in ada.html
        house.clock.move(term.until_ms - house.clock.now_ms() - DAY)
        await ada.log_in()
        await ada.get("/me")
        assert "Due for your roles" in ada.html
        assert await ada.get("/") == 200
        assert "For your roles" in ada.html


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
async def test_refusals_tell_instants_as_the_other_pages_do(tmp_path: Path, zone: str) -> None:
    house = House(tmp_path / "mill")
    term = house.treasurer(0)
    ended = exact(term.until_ms, ZoneInfo(zone)).rpartition(" ")[0]
    house.clock.move(term.until_ms - house.clock.now_ms() + DAY)
    async with opened(house, zone) as isle, isle.browser() as ada:
        await ada.log_in()
        path = "/record/new/ledger.transaction-booked/1"
        token = await ada.token(path)
        assert f"Your term as treasurer ended on {ended}. Ask for a new appointment." in ada.html  # before it is filled in
        assert " UTC" not in ada.html
        sent = {**BOOKING, "date": "2026-05-01", "csrf": token, "do": "confirmed"}
        assert await ada.post(path, sent) == 422
        alert = re.search(r'role="alert".*?</div>', ada.html)
        assert alert
        assert f"Your term as treasurer ended on {ended}. Ask" in alert[0]
        account, key = isle.home.accounts.unlock("ada", PASSWORD, house.clock.now_ms())
        random, scopes = isle.home.clock.random(56), ["read", "write"]
        made = isle.home.accounts.issue_token(account, key, "till", scopes, random, house.clock.now_ms())
        rows = [{"account": "assets:bank", "amount": amount, "currency": "EUR"} for amount in ("8.00", "-8.00")]
        body = {"date": "2026-05-01", "memo": "Rent", "postings": rows}
        headers = {"Authorization": f"Bearer {made}"}
        url = f"{ada.base}/api/v1/records/ledger.transaction-booked/1"
        async with ada.client.post(url, json=body, headers=headers) as answer:
            told = (await answer.json())["error"]
        assert f"ended at {spoken_time(term.until_ms)}" in told  # programs are told UTC


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
async def test_a_record_without_effect_says_why_in_the_time_of_the_collective(tmp_path: Path, zone: str) -> None:
    house = House(tmp_path / "mill")
    digest = house.do("ledger.account-opened/1", {"account": "assets:bank"})
    found = house.home.store.find(digest)
    assert found
    at_ms = house.clock.now_ms()
    with house.home.store.database.transaction() as db:
        row = (house.home.view().space, found.position, digest, "", f"Your term ended at {spoken_time(at_ms)}.", 0)
        db.execute("INSERT INTO problem (space, position, digest, kind, reason, audience) VALUES (?,?,?,?,?,?)", row)
    told = f"Your term ended on {exact(at_ms, ZoneInfo(zone)).rpartition(' ')[0]}."
    async with opened(house, zone) as isle, isle.browser() as nobody:
        for path in (f"/record/{digest.hex()}", "/space"):
            assert await nobody.get(path) == 200
            assert told in nobody.html


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
async def test_what_may_be_wrong_is_said_in_the_time_of_the_collective(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    house = House(tmp_path / "mill")
    rests_ms = house.clock.now_ms() + DAY
    monkeypatch.setattr(writing, "_advice", lambda *_: f"We rest until {spoken_time(rests_ms)}. Choose a later day.")
    async with opened(house, zone) as isle, isle.browser() as ada:
        await ada.log_in()
        path = "/record/new/ledger.transaction-booked/1"
        assert await ada.post(path, {**BOOKING, "csrf": await ada.token(path)}) == 200
        assert f"We rest until {exact(rests_ms, ZoneInfo(zone)).rpartition(' ')[0]}. Choose a later day." in ada.html
