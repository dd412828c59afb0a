"""Records that a careless, old or hostile node might put into its log: copies, forgeries, and bodies that are a little wrong."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from random import Random
from typing import Any

from msgspec.structs import replace

from protocol.encoding import MAX_INTEGER, EncodingError
from protocol.judge import Stored
from protocol.practice import MEMBERS, PUBLIC
from protocol.record import RecordError, genuine, parse, seal
from tests.laws.world import Isle, World

INTEGERS = (0, 1, -1, 2**31, MAX_INTEGER, -MAX_INTEGER)


def mutants(world: World, isle: Isle, number: int) -> Iterator[Stored]:
    """Wrong records that go on where the log of a space ends; the caller puts each into the log."""
    rng, models = world.rng, [stored for stored in isle.log if stored.genuine]
    for _ in range(number):
        model = rng.choice(models)
        yield rng.choice((_copied, _elsewhere, _flipped, _cut, rewritten, rewritten, rewritten, _redated, _widened))(
            world, isle, model
        )


def far_ahead(world: World, isle: Isle) -> Iterator[Stored]:
    """One good record of each kind in the log, dated at the last minute that an entry can say."""
    seen: set[str] = set()
    for stored in reversed([stored for stored in isle.log if stored.genuine]):
        read = parse(stored.raw)
        if read.kind not in seen:
            seen.add(read.kind)
            last = _signed(world, isle, stored, dict(read.body), (2**32 - 1) * 60_000 - 1)
            yield replace(last, logged_ms=(2**32 - 1) * 60_000)


def _place(isle: Isle, raw: bytes, model: Stored, flag: int | None = None) -> Stored:
    space = b"" if raw == isle.log[0].raw else isle.id
    return Stored(
        len(isle.log), model.flag if flag is None else flag, isle.log[-1].logged_ms, sha256(raw).digest(), raw, model.annex,
        genuine(raw, space),
    )  # fmt: skip


def _copied(world: World, isle: Isle, model: Stored) -> Stored:
    return _place(isle, model.raw, model)


def _elsewhere(world: World, isle: Isle, model: Stored) -> Stored:
    other = world.rng.choice(world.rng.choice(world.isles).log)
    return _place(isle, other.raw, other)


def _flipped(world: World, isle: Isle, model: Stored) -> Stored:
    return _place(isle, model.raw, model, 1 - model.flag)


def _cut(world: World, isle: Isle, model: Stored) -> Stored:
    raw = bytearray(model.raw[: world.rng.randrange(len(model.raw)) + 1])
    raw[world.rng.randrange(len(raw))] ^= 1 << world.rng.randrange(8)
    return _place(isle, bytes(raw), model)


def rewritten(world: World, isle: Isle, model: Stored, at_ms: int | None = None) -> Stored:
    """The model with one thing in its body changed, signed anew: now, or at an instant."""
    body: dict[str, Any] = dict(parse(model.raw).body)
    _spoil(body, world.rng)
    return _signed(world, isle, model, body, at_ms)


def _redated(world: World, isle: Isle, model: Stored) -> Stored:
    at_ms = world.rng.choice([0, world.now_ms - 10**9, world.now_ms + 11 * 60_000, world.now_ms + 10**9, MAX_INTEGER])
    return _signed(world, isle, model, dict(parse(model.raw).body), at_ms)


def _widened(world: World, isle: Isle, model: Stored) -> Stored:
    return _signed(world, isle, model, dict(parse(model.raw).body), None, world.rng.choice([PUBLIC, MEMBERS]))


def _signed(
    world: World, isle: Isle, model: Stored, body: dict[str, Any], at_ms: int | None, audience: int | None = None
) -> Stored:
    """Like the model, signed by one of the space's keys: mostly its author's."""
    read, rng = parse(model.raw), world.rng
    keys = {**isle.keys, **isle.roots, **isle.nodes}
    author = keys[read.author if rng.random() < 0.7 else rng.choice(sorted(keys))]
    heard = read.audience if audience is None else audience
    if at_ms is None:
        last = max((at for (key, _), at in isle.clocks.items() if key == author.public), default=0)
        at_ms = max(world.now_ms, last + 1)
    try:
        raw = seal(read.kind, at_ms, heard, body, author, isle.id, random=rng.randbytes(32)).raw
    except (RecordError, EncodingError):
        raw = model.raw
    return replace(_place(isle, raw, model, int(heard != PUBLIC)), annex=None)


def _spoil(body: Any, rng: Random) -> None:
    """Change one thing, somewhere."""
    if not body:
        return
    at = rng.choice(sorted(body)) if isinstance(body, dict) else rng.randrange(len(body))
    value = body[at]
    if isinstance(value, dict | list) and value and rng.random() < 0.7:
        body[at] = value = dict(value) if isinstance(value, dict) else list(value)
        _spoil(value, rng)
        return
    new = rng.choice(INTEGERS)
    choices: list[Any] = [None, "", "x", "x" * 3000, b"", rng.randbytes(32), new, True, [], {}, [value, value]]
    if isinstance(value, int) and not isinstance(value, bool):
        choices += [value + 1, value - 1, new, new, new]
    if isinstance(value, str):
        choices += [value + "\n", value.upper(), value + ":x", " " + value]
    body[at] = rng.choice(choices)
    if isinstance(body, dict):
        if rng.random() < 0.1:
            del body[at]
        elif rng.random() < 0.1:
            body["more"] = 1
