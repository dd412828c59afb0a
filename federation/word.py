"""What two nodes tell each other in an `exchange`: the word of each, and digests by which they see that nothing is new.

A node's *word* to a peer is ``[summary, heads, cosigned]``:

- `summary`: its signed summary (`protocol.summary`), as bytes;
- `heads`: 20 bytes for each log it carries, in the order of ids: the first 8 bytes of the space's id, the size (4 bytes,
  big-endian) and the first 8 bytes of the root of the newest head that it accepted; a size of 2^32−1 and a root of zeros
  say that the space has signed two histories, and that the evidence can be had;
- `cosigned`: its newest cosignatures of the peer's own heads, ``[size, root, line]`` each.

Its digest is the first 16 bytes of the SHA-256 of the word in the strict encoding. The content of an exchange, either
way, is ``[digest of my word, digest of your word as I last got it]`` and behind it, if there is more to say, a map::

    word:   the word itself            chain:  the sender's key chain (bytes)
    ask:    true: send me your key chain

So where nothing is new, an exchange is two digests each way.

    WordError: a content, a word or a list of heads in another form (theirs)

>>> [stub.size for stub in parse_heads(format_heads([Stub(bytes(8), 7, bytes(8))]))]
[7]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any

from msgspec import Struct

from federation.fault import Theirs
from federation.storage import Log
from protocol import encoding

DIGEST_BYTES = 16
STUB_BYTES = 20
MAX_HEADS = 8192
MAX_COSIGNED = 4
MAX_EXCHANGE = 1024 * 1024
NOTHING = bytes(DIGEST_BYTES)
FORKED = 2**32 - 1  # in place of a size: there is evidence


class WordError(Theirs):
    """An exchange that is not in form."""


class Stub(Struct, frozen=True):
    """A head in short: beginning of the space's id, size, beginning of the root."""

    space: bytes
    size: int
    root: bytes

    def is_of(self, space: bytes) -> bool:
        """Whether it is about this space."""
        return space.startswith(self.space)


class Cosigned(Struct, frozen=True, array_like=True):
    """A cosignature of one of the receiver's own heads."""

    size: int
    root: bytes
    line: str


class Word(Struct, frozen=True):
    """All that a node has to say to one peer."""

    summary: bytes
    heads: bytes
    cosigned: tuple[Cosigned, ...]

    def content(self) -> list[Any]:
        """The word as it is encoded."""
        return [self.summary, self.heads, [[each.size, each.root, each.line] for each in self.cosigned]]

    @property
    def digest(self) -> bytes:
        """The 16 bytes that stand for it."""
        return sha256(encoding.encode(self.content())).digest()[:DIGEST_BYTES]


class Exchange(Struct, frozen=True):
    """The content of an exchange's request or answer."""

    mine: bytes  # digest of the sender's word
    got: bytes  # digest of the receiver's word, as the sender last got it
    word: Word | None = None
    chain: bytes | None = None
    ask: bool = False

    def content(self) -> list[Any]:
        """The content as it is encoded."""
        more: dict[str, Any] = {}
        if self.word is not None:
            more["word"] = self.word.content()
        if self.chain is not None:
            more["chain"] = self.chain
        if self.ask:
            more["ask"] = True
        return [self.mine, self.got, more] if more else [self.mine, self.got]


def parse_exchange(content: object) -> Exchange:
    """The exchange in an envelope's content; WordError if it is none, or a word is not the one that its digest names."""
    if type(content) is not list or len(content) not in (2, 3):
        raise WordError("An exchange has two digests, and perhaps more.")
    mine, got, more = content if len(content) == 3 else (*content, {})
    if not all(type(each) is bytes and len(each) == DIGEST_BYTES for each in (mine, got)) or type(more) is not dict:
        raise WordError("An exchange has two digests of 16 bytes, and perhaps more.")
    if not more.keys() <= {"word", "chain", "ask"} or more.get("ask", True) is not True or (len(content) == 3 and not more):
        raise WordError("An exchange says more than is known here.")
    chain = more.get("chain")
    if chain is not None and type(chain) is not bytes:
        raise WordError("A key chain is sent as bytes.")
    word = _parse_word(more["word"]) if "word" in more else None
    if word is not None and word.digest != mine:
        raise WordError("The word is not the one that its digest names.")
    return Exchange(mine, got, word, chain, "ask" in more)


def _parse_word(value: object) -> Word:
    if type(value) is list and len(value) == 3:
        summary, heads, cosigned = value
        if type(summary) is bytes and type(heads) is bytes and type(cosigned) is list and len(cosigned) <= MAX_COSIGNED:
            parse_heads(heads)
            return Word(summary, heads, tuple(_parse_cosigned(each) for each in cosigned))
    raise WordError("A word has a summary, a list of heads, and cosignatures.")


def _parse_cosigned(value: object) -> Cosigned:
    if type(value) is list and len(value) == 3:
        size, root, line = value
        if type(size) is int and size >= 0 and type(root) is bytes and len(root) == 32 and type(line) is str:
            return Cosigned(size, root, line)
    raise WordError("A cosignature is sent with its size, root and line.")


def stub_of(log: Log) -> Stub:
    """The short form of a log's newest accepted head, or the sign that there is evidence of a fork."""
    if log.stopped:
        return Stub(log.space[:8], FORKED, bytes(8))
    return Stub(log.space[:8], log.head_size, log.head_root[:8])


def format_heads(stubs: Iterable[Stub]) -> bytes:
    """The list of heads, in the order of ids."""
    parts = sorted(each.space + each.size.to_bytes(4, "big") + each.root for each in stubs)
    return b"".join(parts[:MAX_HEADS])


def parse_heads(data: bytes) -> list[Stub]:
    """The heads in a list; WordError if it is none."""
    if len(data) % STUB_BYTES or len(data) > MAX_HEADS * STUB_BYTES:
        raise WordError("A list of heads has 20 bytes a head.")
    cut = [data[at : at + STUB_BYTES] for at in range(0, len(data), STUB_BYTES)]
    if any(one > two for one, two in pairwise(cut)):
        raise WordError("A list of heads is in the order of ids.")
    return [Stub(each[:8], int.from_bytes(each[8:12], "big"), each[12:]) for each in cut]


def find_stub(stubs: Sequence[Stub], space: bytes) -> Stub | None:
    """The head of one space in a list."""
    return next((each for each in stubs if each.is_of(space)), None)
