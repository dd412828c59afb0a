"""A stranger with keys of its own sends signed nonsense to a running node: a status each, one line each, nothing stored."""

from __future__ import annotations

import os

import aiohttp
import pytest
from structlog.testing import capture_logs

from federation.address import AddressError, check_url
from federation.envelope import ANSWER, REQUEST, Said, seal
from federation.word import NOTHING, Exchange
from protocol.keys import SigningKey
from tests.federation.isle import NOW, Isle
from tests.federation.talk import Node
from tests.federation.wire import Wired

NONSENSE: tuple[object, ...] = (
    None, True, -1, 2**53 - 1, "", "x", b"", bytes(8), bytes(600), [], [[]], [None] * 4, {}, {"a": 1}, [[[[[[]]]]]], [bytes(32)] * 3,
)  # fmt: skip


class Mallory(Isle):
    """A space that is founded as it should be, and says what it likes."""

    def says(
        self, to: bytes, verb: str, content: object, *, at_ms: int = NOW, way: str = REQUEST, key: SigningKey | None = None,
        sender: bytes = b"",
    ) -> bytes:  # fmt: skip
        """An envelope with anything in it."""
        said = Said(at_ms, os.urandom(8), content)
        return seal(verb, way, key or self.keys.identity, sender or self.space, to, said)

    def hello(self) -> list[object]:
        """An exchange's content that introduces this space."""
        log = self.store.log(self.space)
        assert log is not None
        content = Exchange(NOTHING, NOTHING, None, log.chain.encode(), True).content()
        assert isinstance(content, list)
        return content


async def told(url: str, verb: str, body: bytes) -> int:
    headers = {"Content-Type": "application/cbor"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/federation/v1/{verb}", data=body, headers=headers) as answer,
    ):
        await answer.read()
        return answer.status


async def test_signed_nonsense_is_refused_with_a_status_and_one_line_and_nothing_of_it_is_stored() -> None:
    node, mallory = Node(Isle("a")), Mallory("mallory")
    node.isle.write(3)
    mallory.write(3)
    async with Wired(node) as a:
        assert await told(a.url, "exchange", mallory.says(a.space, "exchange", mallory.hello())) == 200
        peers, size = len(node.store.peers()), len(node.store.logs())
        sent = [(verb, each) for verb in ("exchange", "pull", "notify", "evidence") for each in NONSENSE]
        sent += [("exchange", [*mallory.hello()[:at], each, *mallory.hello()[at + 1 :]]) for at in range(2) for each in NONSENSE
                 if not isinstance(each, bytes)]  # fmt: skip
        with capture_logs() as lines:
            for verb, each in sent:
                assert await told(a.url, verb, mallory.says(a.space, verb, each)) in (400, 403, 404, 413), (verb, each)
        assert len(lines) == len(sent)
        assert (len(node.store.peers()), len(node.store.logs())) == (peers, size)
        assert await told(a.url, "exchange", mallory.says(a.space, "exchange", mallory.hello())) == 200


async def test_what_is_old_early_misaddressed_or_signed_by_another_key_is_refused() -> None:
    node, mallory, other = Node(Isle("a")), Mallory("mallory"), Isle("other")
    node.isle.write(1)
    mallory.write(1)
    async with Wired(node) as a:
        hello, me = mallory.hello(), a.space
        good = mallory.says(me, "exchange", hello)
        cases = [
            (409, mallory.says(me, "exchange", hello, at_ms=0)),
            (409, mallory.says(me, "exchange", hello, at_ms=NOW - 301_000)),
            (409, mallory.says(me, "exchange", hello, at_ms=NOW + 301_000)),
            (409, mallory.says(me, "exchange", hello, at_ms=2**53 - 1)),
            (401, mallory.says(other.space, "exchange", hello)),
            (401, mallory.says(me, "notify", hello)),
            (401, mallory.says(me, "exchange", hello, way=ANSWER)),
            (401, mallory.says(me, "exchange", hello, key=mallory.keys.log)),
            (401, mallory.says(me, "exchange", hello, sender=a.space)),
            (401, mallory.says(me, "exchange", hello, sender=other.space)),
            *((400, good[:size]) for size in (0, 1, 6, 7, 8, 20, len(good) - 1)),
            (400, good + b"x"),
        ]
        for status, body in cases:
            assert await told(a.url, "exchange", body) == status
        assert not node.store.peers()
        assert [await told(a.url, "exchange", good) for _ in range(3)] == [200, 409, 409]


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "http://a..b/", "http://..:80", f"http://{'a' * 64}.example", "http://x:99999", "ftp://x", "http://x@y",
     "http://x/?y", "file:///etc/passwd", "", "http://", "http://a.onion", "http:// /"],
)  # fmt: skip
def test_what_is_no_address_is_told_so(url: str) -> None:
    with pytest.raises(AddressError):
        check_url(url)
