"""A real node as a process, attacked from outside: it refuses with a status or a sentence, writes nothing, and goes on."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from rich.text import Text

from node.console import Plain
from node.web.session import own_path
from protocol.practices import KINDS
from tests.node.process import Process, answer, ran

PLANTED = "planted-9f3c"
HOST = b"Host: 127.0.0.1\r\n"
POST = b"POST /login HTTP/1.1\r\n" + HOST
CLOSE = b"Connection: close\r\n\r\n"
MANY = b"".join(b"X%d: a\r\n" % number for number in range(5000))

FRAMINGS = {
    "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "one length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a length with a sign": POST + b"Content-Length: +5\r\n\r\nhello",
    "a length beyond numbers": POST + b"Content-Length: 99999999999999999999999\r\n\r\nhello",
    "a negative chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a chunk that never ends": POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "packed chunks": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n" + CLOSE,
    "no host": b"GET / HTTP/1.1\r\n" + CLOSE,
    "an empty host": b"GET / HTTP/1.1\r\nHost: \r\n" + CLOSE,
    "a host that is none": b'GET / HTTP/1.1\r\nHost: a/b"<>\r\n' + CLOSE,
    "half a host": b"GET / HTTP/1.1\r\nHost: [::1\r\n" + CLOSE,
    "bare line feeds": b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n",
    "a folded line": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n" + CLOSE,
    "a zero byte": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n" + CLOSE,
    "a space before the colon": b"GET / HTTP/1.1\r\n" + HOST + b"X : a\r\n" + CLOSE,
    "a long header": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 9000 + b"\r\n" + CLOSE,
    "5,000 headers": b"GET / HTTP/1.1\r\n" + HOST + MANY + CLOSE,
    "no version": b"GET /\r\n\r\n",
    "a path that is none": b"GET " + PLANTED.encode() + b" HTTP/1.1\r\n" + HOST + CLOSE,
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}
PATHS = [
    f"{start}{climb * 4}{goal}"
    for start in ("/", "/static/", "/log/", "/record/", "/api/v1/")
    for climb in ("../", "%2e%2e/", "..%2f", "%2e%2e%2f", "..%5c", "....//", "%252e%252e%252f", "..;/")
    for goal in ("etc/passwd", "node.db")
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("hostile") / "isle"
    assert ran(folder, "found", "--name", "Isle", "--member", "Ana").returncode == 0
    process = Process(folder)
    try:
        yield process
    finally:
        process.end()
    assert "Traceback" not in process.said
    assert PLANTED not in process.said
    assert "127.0.0.1" not in process.said.replace(process.url, "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "still"
    assert ran(folder, "found", "--name", "Isle", "--member", "Ana").returncode == 0
    return folder


def spoken(node: Process, sent: bytes) -> bytes:
    """What comes back until the other side closes."""
    heard = b""
    with socket.create_connection(("127.0.0.1", urlsplit(node.url).port or 0), timeout=10) as wire:
        try:
            wire.sendall(sent)
            while part := wire.recv(65_536):
                heard += part
        except ConnectionError:
            pass
    return heard


# Framing and time


@pytest.mark.parametrize("sent", FRAMINGS.values(), ids=FRAMINGS)
def test_what_another_program_could_read_otherwise_is_answered_400(node: Process, sent: bytes) -> None:
    assert spoken(node, sent).split(b" ")[1:2] == [b"400"]


@pytest.mark.parametrize("path", ["/login", "/federation/v1/exchange", "/add-checkpoint"])
def test_what_is_packed_is_not_unpacked(node: Process, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/cbor\r\nContent-Encoding: gzip\r\n"
    began = time.monotonic()
    assert b" 415 " in spoken(node, head.encode() + b"Content-Length: 4\r\n" + CLOSE + b"\x1f\x8b\x08\x00")[:20]
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("path", ["/login", "/federation/v1/pull", "/federation/v1/notify", "/add-checkpoint"])
def test_a_body_that_is_too_large_is_answered_413(node: Process, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/cbor\r\nContent-Length: 99999999\r\n"
    assert b" 413 " in spoken(node, head.encode() + CLOSE)[:20]


@pytest.mark.slow
async def test_200_that_stall_and_200_that_drip_are_cut_off_within_ten_seconds_and_pages_go_on(node: Process) -> None:
    port = urlsplit(node.url).port or 0

    async def hold(number: int) -> float:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write((b"GET / HTTP/1.1\r\nX: ", POST + b"Content-Length: 1000\r\n\r\n")[number % 2])
        ended = asyncio.create_task(reader.read())
        try:
            while not ended.done():
                if number >= 200:
                    writer.write(b"a")
                await asyncio.wait([ended], timeout=0.5)
        except ConnectionError:
            pass
        await asyncio.gather(ended, return_exceptions=True)
        writer.close()
        return time.monotonic() - began

    held = [asyncio.create_task(hold(number)) for number in range(400)]
    took = []
    async with aiohttp.ClientSession() as session:
        for _ in range(30):
            began = time.monotonic()
            async with session.get(f"{node.url}/moon") as page:
                assert page.status == 200
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.1)
    assert sorted(took)[-2] < 1
    assert max(await asyncio.gather(*held)) < 12


# Pages


def test_no_path_leads_out_of_what_is_served(node: Process) -> None:
    assert len(PATHS) >= 50
    for path in PATHS:
        heard = spoken(node, f"GET {path} HTTP/1.1\r\n".encode() + HOST + CLOSE)
        assert heard.split(b" ")[1] in (b"404", b"401", b"400"), path
        assert b"root:" not in heard


@pytest.mark.parametrize("path", ["/login", "/join", "/logout", "/invite", "/record/new/member.left/1", "/me/tokens"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://evil.example"}, {"Origin": "http://[::1"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"},
     {"Sec-Fetch-Site": "cross-site", "Origin": "HERE"}],
)  # fmt: skip
async def test_what_comes_from_another_site_does_nothing(node: Process, path: str, headers: dict[str, str]) -> None:
    sent = {name: value.replace("HERE", node.url) for name, value in headers.items()}
    async with aiohttp.ClientSession() as session, session.post(node.url + path, data={"a": "b"}, headers=sent) as said:
        assert said.status == 403
        assert "Set-Cookie" not in said.headers


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:1", "", "\t//evil", "/\n/evil", "/\0"]
)
def test_logging_in_leads_to_pages_of_this_node_only(path: str) -> None:
    assert own_path(path) == "/"


async def test_a_session_that_a_stranger_chose_is_none(node: Process) -> None:
    for cookie in ("0" * 64, "f" * 64, "' OR 1=1 --".ljust(64), "\u00e9" * 32):
        headers = {"Cookie": f"session={cookie}"}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{node.url}/me", headers=headers, allow_redirects=False) as said,
        ):
            assert said.status == 303
            assert said.headers["Location"].startswith("/login")


# Commands

BODIES = ["null", "[]", "1", '"x"', "{", '{"nothing": 1}', "[" * 3000, '{"a": NaN}']
VALUES = ["", -1, 2**70, 1.5, True, [], {}, [[]], "x" * 300_000, "\ud800", "a\0b", "\x1b[2J", [{"a": 1}]]
FREE = {"member.left/1", "group.said/1", "lot.group-said/1"}  # need nothing said: an empty body, the first above, is whole


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_body_of_another_form_is_refused_with_a_sentence_and_nothing_is_written(folder: Path, kind: str) -> None:
    size = answer(folder, "status")["size"]
    for body in BODIES[1:] if kind in FREE else BODIES:
        done = ran(folder, "record", "add", kind, "--body", body)
        assert (done.returncode, done.stdout) == (2, ""), body[:40]
        assert 10 < len(done.stderr) < 1500
        assert "\x1b" not in done.stderr
    assert answer(folder, "status")["size"] == size


@pytest.mark.parametrize("value", [each for each in VALUES if each != ""], ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(
    ("kind", "field", "label"), [("member.named/1", "name", "Name"), ("member.vouched/1", "candidate", "Who")]
)
def test_a_value_of_another_form_is_refused_by_its_field(
    folder: Path, kind: str, field: str, label: str, value: object
) -> None:
    done = ran(folder, "record", "add", kind, "--body", json.dumps({field: value}))
    assert done.returncode == 2
    assert done.stderr.startswith(label)
    assert not {"\x1b", "\0", "\ud800"} & set(done.stderr)


def test_words_of_others_do_not_command_a_terminal() -> None:
    held = io.StringIO()
    Plain(file=held, force_terminal=True, width=60).print(Text("a\x1b[2Jb\x9b1mc\x07d", style="bold"))
    assert "\x1b[2J" not in held.getvalue()
    assert not {"\x9b", "\x07"} & set(held.getvalue())
    assert "a\ufffd[2Jb" in held.getvalue()


# The folder


def test_a_folder_is_founded_once(folder: Path) -> None:
    before = answer(folder, "status")["space"]
    done = ran(folder, "found", "--name", "Other", "--member", "Eve")
    assert done.returncode in (1, 2)
    assert done.stderr
    assert answer(folder, "status")["space"] == before


def test_a_second_process_on_one_folder_ends_with_a_sentence(node: Process) -> None:
    with pytest.raises(AssertionError, match="did not start"):
        Process(node.folder)
    assert ran(node.folder, "status").returncode == 0


def test_a_node_that_was_killed_starts_again_with_all_that_it_had_said_yes_to(tmp_path: Path) -> None:
    folder = tmp_path / "isle"
    ran(folder, "found", "--name", "Isle", "--member", "Ana")
    process = Process(folder)
    ran(folder, "record", "add", "member.named/1", "--name", "Ana the second")
    said = answer(folder, "status")
    process.end(signal.SIGKILL)
    again = answer(folder, "status")
    assert (again["size"], again["root"]) == (said["size"], said["root"])
    back = Process(folder)
    back.end()
    assert back.space == said["space"]
