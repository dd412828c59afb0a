"""What a node tells members whose key is on a machine of their own, so that they can fill in there what nobody types.

    POST /api/v1/sealed/lend   application/cbor: an envelope (`federation.envelope`) of the verb "lend", by the member's key

The content asks for one row by its key, or for the public key of what the node alone can derive:

    [member's key, "row", table, [key columns]]     answered by {column: value}, or null
    [member's key, "shared", label]                 answered by 32 bytes (`protocol.practice.Secrets.shared`)

The answer is an envelope by the node's identity key, which the member checks against the space's key chain. Only members
of this moment are told anything, and nothing that would open a ballot leaves the node. A request that is sent a second
time within five minutes is answered a second time: it changes nothing.

Example, on the member's machine::

    view, secrets = from_afar(space, key, clock, ask)      # `ask` sends bytes to the node and gives its answer
    body = kind.prepare(view, body, secrets)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from federation.envelope import ANSWER, REQUEST, EnvelopeError, Said, check, check_time, read, seal
from node.actions import Lent
from node.clock import Clock
from node.home import Home
from protocol.keys import SigningKey
from protocol.membership import MEMBERSHIPS, is_live
from protocol.practice import EVERYTHING, KEYS, Asked, Refused, Row, Table, Value, View
from protocol.practices import TABLES

PATH = "/api/v1/sealed/lend"
MOST_BYTES = 4096
MOST_ANSWER = 262_144
ROW, SHARED = "row", "shared"

R = TypeVar("R", bound=Row)
Ask = Callable[[bytes], bytes]

_VERB = "lend"
_BY_NAME: Mapping[str, Table[Any]] = {table.name: table for table in TABLES}


# At the node


def lend(home: Home, data: bytes) -> bytes:
    """The answer to a member's question, signed; EnvelopeError or Refused with a sentence."""
    envelope = read(data, limit=MOST_BYTES)
    content, now_ms = envelope.said.content, home.clock.now_ms()
    if not isinstance(content, list) or len(content) < 3 or type(content[0]) is not bytes or len(content[0]) != 32:
        raise EnvelopeError("A question has the member's key, what is asked for, and by which name.")
    asker: bytes = content[0]
    check_time(envelope.said.time_ms, now_ms)
    view = home.store.view(home.space, EVERYTHING)
    known = view.get(KEYS, asker)
    speaks = known is not None and known.since_ms <= now_ms < known.until_ms
    if known is None or not speaks or not is_live(view.get(MEMBERSHIPS, known.member), now_ms):
        raise Refused("This space does not know the key that signed it as a member's. Join first, with an invitation.")
    if not check(envelope, _VERB, REQUEST, asker, asker, home.space):
        raise EnvelopeError("The signature is not genuine, or is for another space.")
    said = Said(now_ms, envelope.said.nonce, _answer(home, view, content[1:]))
    return seal(_VERB, ANSWER, home.keys.identity, home.space, asker, said)


def _answer(home: Home, view: View, asked: list[Any]) -> object:
    match asked:
        case ["shared", bytes(label)]:
            return Lent(home.clock, home.keys.identity.seed, b"").shared(label)
        case ["row", str(name), list(key)] if name in _BY_NAME and len(key) == len(_BY_NAME[name].key):
            if not all(type(each) in (bytes, int, str) for each in key):
                raise EnvelopeError("The key of a row has bytes, whole numbers and text.")
            row = view.get(_BY_NAME[name], *key)
            return None if row is None else msgspec.structs.asdict(row)
    raise EnvelopeError("This node does not know what is asked for. It may be older than the program that asks.")


# At the member's


class _Afar:
    """Rows of one space by their keys, asked of its node: as much of `protocol.practice.Reader` as filling in takes."""

    def __init__(self, space: bytes, question: Callable[..., object]) -> None:
        self._space, self._question = space, question

    def rows(self, table: Table[R], where: Mapping[str, Asked], order: str, limit: int, audience: int) -> tuple[R, ...]:
        """The one row with this key."""
        if where.keys() != {"space", *table.key}:
            raise Refused(_ELSEWHERE)
        told = self._question(ROW, table.name, [where[name] for name in table.key])
        if told is None:
            return ()
        if not isinstance(told, dict) or tuple(sorted(told)) != tuple(sorted(table.row.__struct_fields__)):
            raise Refused("The node is of another version than this program. Bring both up to date.")
        try:
            row = msgspec.convert(_with_truths(told, table), table.row, builtin_types=(bytes,))
        except msgspec.ValidationError as error:
            raise Refused("What the node tells is no such row. Bring it up to date, or ask who keeps it.") from error
        if any(getattr(row, name) != where[name] for name in table.key):
            raise Refused("The node told of something else than was asked. Ask who keeps it.")
        return (row,)

    def sums(self, table: Table[Any], column: str, by: tuple[str, ...], where: Mapping[str, Value], audience: int) -> Any:
        """Not from here."""
        raise Refused(_ELSEWHERE)

    def row_audience(self, table: Table[Any], space: int, key: tuple[Value, ...]) -> int | None:
        """Not from here."""
        raise Refused(_ELSEWHERE)

    def position_of(self, space: int, digest: bytes, audience: int) -> int | None:
        """Not from here."""
        raise Refused(_ELSEWHERE)

    def space_id(self, space: int) -> bytes:
        """The one space there is."""
        return self._space

    def space_number(self, space_id: bytes) -> int | None:
        """The one space there is."""
        return 0 if space_id == self._space else None


def _with_truths(told: dict[str, Any], table: Table[Any]) -> dict[str, Any]:
    """A row as it is told, with 0 and 1 as the truth values that they stand for in tables."""
    truths = {each.name for each in msgspec.structs.fields(table.row) if each.type is bool}
    return {name: bool(value) if name in truths and value in (0, 1) else value for name, value in told.items()}


class _Apart(Lent):
    """Secrets of a member's own machine; what is the node's is asked of it."""

    def __init__(self, clock: Clock, key: SigningKey, question: Callable[..., object]) -> None:
        super().__init__(clock, key.seed, key.public)
        self._question = question

    def shared(self, label: bytes) -> bytes:
        """The node's answer."""
        told = self._question(SHARED, label)
        if type(told) is not bytes or len(told) != 32:
            raise Refused("The node gave no key. Bring it up to date.")
        return told


def from_afar(space: bytes, identity: bytes, key: SigningKey, clock: Clock, ask: Ask) -> tuple[View, Lent]:
    """What `Kind.prepare` takes, on a machine where no node runs.

    `identity` is the public key by which the space's node signs; `ask` sends an envelope to it and returns its answer.
    EnvelopeError if an answer is not the node's own, or is to another question.
    """

    def question(*asked: object) -> object:
        nonce = clock.random(8)
        said = Said(clock.now_ms(), nonce, [key.public, *asked])
        answer = read(ask(seal(_VERB, REQUEST, key, key.public, space, said)), limit=MOST_ANSWER)
        if answer.said.nonce != nonce or not check(answer, _VERB, ANSWER, identity, space, key.public):
            raise EnvelopeError("The answer is not by the node of your space. Nothing was written.")
        return answer.said.content

    return View(_Afar(space, question), 0), _Apart(clock, key, question)


_ELSEWHERE = "This is filled in by the node. Write it on the node's own page, or wait: what is due, the node's clock does."
