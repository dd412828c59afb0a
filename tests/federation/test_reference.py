"""The reference page's bytes: our code writes them, and a decoder written from the page alone reads them.

To write them anew after a change of format: ``python -m tests.federation.test_reference``.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey as Nacl

from federation import envelope, rows, word
from federation.envelope import ANSWER, REQUEST, Said
from federation.pull import Wanted
from federation.storage import Row
from federation.word import FORKED, Cosigned, Exchange, Stub, Word
from protocol import encoding
from protocol.keys import SigningKey

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "protocol" / "federation.md"
BLOCK = re.compile(r"```vector ([a-z-]+)\n(.*?)```", re.DOTALL)
A, B, ROOT = sha256(b"a").digest(), sha256(b"b").digest(), sha256(b"root").digest()
KEY_A, KEY_B = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)
TIME, NONCE = 1_800_000_000_000, bytes(range(1, 9))


def ours() -> dict[str, bytes]:
    """The vectors, by our code."""
    heads = word.format_heads([Stub(A[:8], 5, ROOT[:8]), Stub(B[:8], FORKED, bytes(8))])
    spoken = Word(b"summary", heads, (Cosigned(5, ROOT, "line"),))
    nothing = bytes(16)
    first, second = b"r" * 110, b"s" * 300
    parts, _ = rows.write(
        [
            Row(0, 30_000_000, sha256(first).digest(), first, None),
            Row(1, 30_000_000, sha256(first).digest(), None, None),
            Row(0, 30_000_000, sha256(second).digest(), second, None),
        ],
        lambda row: True,
        1 << 20,
    )
    return {
        "heads": heads,
        "word": encoding.encode(spoken.content()),
        "digest": spoken.digest,
        "exchange-request": envelope.seal(
            "exchange", REQUEST, KEY_A, A, B, Said(TIME, NONCE, Exchange(spoken.digest, nothing).content())
        ),
        "exchange-answer": envelope.seal(
            "exchange", ANSWER, KEY_B, B, A, Said(TIME, NONCE, Exchange(nothing, spoken.digest).content())
        ),
        "pull-request": envelope.seal("pull", REQUEST, KEY_A, A, B, Said(TIME, NONCE, Wanted(A, 0, 10, (0,), 1).content())),
        "rows": b"".join(parts),
        "notify-request": envelope.seal("notify", REQUEST, KEY_A, A, B, Said(TIME, NONCE, [A, 7])),
    }


def page() -> dict[str, bytes]:
    """The vectors on the page."""
    return {name: bytes.fromhex(text) for name, text in BLOCK.findall(PAGE.read_text())}


class Second:
    """A reader of the page's CBOR and envelopes that shares no line with the project's own."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def item(self) -> Any:
        """The next item."""
        first = self.take(1)[0]
        kind, low = divmod(first, 32)
        if first in (0xF4, 0xF5, 0xF6):
            return {0xF4: False, 0xF5: True, 0xF6: None}[first]
        number = low if low < 24 else int.from_bytes(self.take(2 ** (low - 24)), "big")
        if kind == 0:
            return number
        if kind == 2:
            return self.take(number)
        if kind == 3:
            return self.take(number).decode()
        if kind == 4:
            return [self.item() for _ in range(number)]
        assert kind == 5, f"an item of kind {kind}"
        return {self.item(): self.item() for _ in range(number)}

    def take(self, size: int) -> bytes:
        """The next bytes."""
        self.at += size
        assert self.at <= len(self.data)
        return self.data[self.at - size : self.at]

    @staticmethod
    def envelope(data: bytes, verb: str, way: str, sender: bytes, receiver: bytes, seed: bytes) -> Any:
        """The content of an envelope, its signature checked."""
        protected, unprotected, payload, signature = Second(data).item()
        assert (protected, unprotected) == (b"\xa1\x01\x32", {})
        aad = f"archipelago/{verb}-{way}/1".encode() + sender + receiver
        signed = b"\x84\x6aSignature1\x43\xa1\x01\x32"
        for part in (aad, payload):
            signed += (bytes([0x58, len(part)]) if len(part) < 256 else b"\x59" + len(part).to_bytes(2, "big")) + part
        Nacl(seed).verify_key.verify(signed, signature)
        hint, time_ms, nonce, content = Second(payload).item()
        assert (hint, time_ms, nonce) == (sender[:4], TIME, NONCE)
        return content


@pytest.mark.parametrize("name", sorted(ours()))
def test_our_code_writes_the_pages_bytes(name: str) -> None:
    assert page()[name].hex() == ours()[name].hex()


def test_the_page_has_no_other_vectors() -> None:
    assert page().keys() == ours().keys()


def test_a_second_reader_understands_the_words_of_the_page() -> None:
    read = page()
    summary, heads, cosigned = Second(read["word"]).item()
    assert (summary, heads, cosigned) == (b"summary", read["heads"], [[5, ROOT, "line"]])
    assert sorted([A[:8] + bytes([0, 0, 0, 5]) + ROOT[:8], B[:8] + b"\xff" * 4 + bytes(8)]) == [heads[:20], heads[20:]]
    assert sha256(read["word"]).digest()[:16] == read["digest"]


def test_a_second_reader_understands_the_envelopes_of_the_page() -> None:
    read = page()
    said = Second.envelope(read["exchange-request"], "exchange", "request", A, B, b"\x01" * 32)
    assert said == [read["digest"], bytes(16)]
    assert Second.envelope(read["exchange-answer"], "exchange", "answer", B, A, b"\x02" * 32) == said[::-1]
    assert Second.envelope(read["pull-request"], "pull", "request", A, B, b"\x01" * 32) == [A, 0, 10, [0], 1]
    assert Second.envelope(read["notify-request"], "notify", "request", A, B, b"\x01" * 32) == [A, 7]
    assert len(read["exchange-request"]) == len(read["exchange-answer"]) == 133


def test_a_second_reader_understands_the_rows_of_the_page() -> None:
    reader = Second(page()["rows"])
    first, entry, second = reader.item(), reader.item(), reader.item()
    assert reader.at == len(reader.data)
    assert first == [0, 30_000_000, b"r" * 110, None]
    assert entry == b"\x01" + (30_000_000).to_bytes(4, "big") + sha256(b"r" * 110).digest()
    assert second == [0, 30_000_000, b"s" * 300, None]


def _wrapped(data: bytes) -> str:
    text = data.hex()
    return "\n".join(text[at : at + 120] for at in range(0, len(text), 120))


if __name__ == "__main__":
    made = ours()
    PAGE.write_text(BLOCK.sub(lambda match: f"```vector {match[1]}\n{_wrapped(made[match[1]])}\n```", PAGE.read_text()))
