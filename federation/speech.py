"""What a node says of itself: its newest head and a summary that stays the same, byte for byte, while nothing moves.

An idle exchange is two digests each way only if nobody's summary changes for no reason. So a summary is made anew only
when the head, its cosignatures, the key chain, the heads carried, the name or the endpoints changed; or when what the
practices say has changed, which is looked at again every ten minutes, because windows open and close by time alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from federation.pull import with_cosignatures
from federation.storage import Storage
from federation.word import format_heads, stub_of
from protocol import encoding, summary
from protocol.keys import SigningKey
from protocol.summary import Summary

LOOK_AGAIN_MS = 10 * 60_000

State = Callable[[int], dict[str, Any]]


class Speech:
    """The summaries of one node: call it with the time for the newest one, b"" while no head is signed."""

    def __init__(
        self,
        space: bytes,
        identity: SigningKey,
        storage: Storage,
        *,
        sign_head: Callable[[], object],
        state: State,
        rules: bytes,
        endpoints: Sequence[str],
    ) -> None:
        """`sign_head` signs our head as it stands and keeps it, if it may; `state` is `protocol.summary.state_of`."""
        self.space, self.storage, self.endpoints = space, storage, tuple(endpoints)
        self._identity, self._sign_head, self._state, self._rules = identity, sign_head, state, rules
        self._made: tuple[object, bytes, int, bytes] = (None, b"", 0, b"")  # of what, state, looked at, summary

    def __call__(self, now_ms: int) -> bytes:
        """Sign our head if it moved, and give our newest summary."""
        self._sign_head()
        logs = self.storage.logs()
        log = next((each for each in logs if each.space == self.space), None)
        if log is None or not log.head:
            return b""
        heads = sha256(format_heads(stub_of(each) for each in logs if each.head)).digest()
        checkpoint = with_cosignatures(self.storage, log)
        of = (checkpoint, heads, log.chain.digest, self.endpoints)
        held_of, held_state, looked_ms, held = self._made
        if of == held_of and 0 <= now_ms - looked_ms < LOOK_AGAIN_MS:
            return held
        state = self._state(now_ms)
        encoded = encoding.encode(state)
        if of != held_of or encoded != held_state:
            held = summary.make(
                Summary(
                    self.space, log.chain.current.number, log.head_size, now_ms, log.chain.name, self.endpoints, checkpoint,
                    log.chain.digest, heads, self._rules, state,
                ),
                self._identity,
            )  # fmt: skip
        self._made = (of, encoded, now_ms, held)
        return held
