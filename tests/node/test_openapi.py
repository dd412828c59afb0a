"""The schemas of the API: what members of an archipelago wrote fits them, is accepted by the node, and rubbish does not fit.

A history over every kind is lived in memory (`tests.laws.world`); the first record of each kind is then given to a real node
in the state just before it, as JSON, as a program would.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from node.api import Api
from node.clock import MovedClock
from node.home import Home
from node.openapi import document
from node.planned import check_effect, check_plans
from node.server import bind, listen
from node.store import Placed, Store
from node.vault import write_private
from node.words import AUDIENCE_NAMES
from protocol import body as bodies
from protocol.judge import Stored, to_body
from protocol.practice import KEYS, Refused
from protocol.practices import KINDS, PRACTICES
from protocol.record import Record, Sealed, parse, words_of
from tests.laws.examples import EXAMPLES
from tests.laws.world import Isle, Registry, World

# Signed by the root key on paper, by somebody who is not a member yet and so has no token, or by the node's own clock.
NOT_BY_TOKEN = {"space.founded/1", "space.keys-rotated/1", "member.joined/1", "figures.noted/1"}
SCHEMAS: dict[str, Any] = document("1")["components"]["schemas"]


# A small reading of JSON Schema, written for these tests only.


def faults(schema: dict[str, Any], value: Any, at: str = "body") -> Iterator[str]:
    """What of a value does not fit a schema."""
    known = {"title", "description", "examples", "enum", "type", "properties", "required", "additionalProperties", "items"}
    assert schema.keys() <= known | {"maxItems", "minItems", "minLength", "maxLength", "minimum", "maximum", "pattern"}
    if "enum" in schema:
        if value not in schema["enum"]:
            yield f"{at}: none of the choices"
        return
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    if not isinstance(value, kinds[schema["type"]]) or (schema["type"] == "integer" and isinstance(value, bool)):
        yield f"{at}: not {schema['type']}"
        return
    if isinstance(value, dict):
        yield from (f"{at}: lacks {name}" for name in schema["required"] if name not in value)
        yield from (f"{at}: has {name}" for name in value if name not in schema["properties"])
        for name, inner in schema["properties"].items():
            if name in value:
                yield from faults(inner, value[name], f"{at}.{name}")
    elif isinstance(value, list):
        yield from _within(at, len(value), schema.get("minItems"), schema.get("maxItems"))
        for each in value:
            yield from faults(schema["items"], each, at)
    elif isinstance(value, str):
        yield from _within(at, len(value), schema.get("minLength"), schema.get("maxLength"))
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{at}: {value!r} is not like {schema['pattern']}"
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from _within(at, value, schema.get("minimum"), schema.get("maximum"))


def _within(at: str, number: int, least: int | None, most: int | None) -> Iterator[str]:
    if (least is not None and number < least) or (most is not None and number > most):
        yield f"{at}: {number} is not from {least} to {most}"


def schema_of(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMAS[kind.replace("/", ".")]
    return found


def as_json(stored: Stored) -> dict[str, Any]:
    """A record's body as a program would write it: what is left out is left out."""
    read = parse(stored.raw)
    body = to_body(KINDS[read.kind], read.body, words_of(stored.annex, read.annex_hash))
    told: dict[str, Any] = _without_nothing(bodies.to_json(body))
    return told


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nothing(each) for name, each in value.items() if each is not None}
    return [_without_nothing(each) for each in value] if isinstance(value, list) else value


# The history


@dataclass(frozen=True)
class Example:
    """The first record of a kind in some space's log."""

    isle: Isle
    stored: Stored


def first_of_each(world: World) -> dict[str, Example]:
    """For each kind the first record that a node takes from its own members, for an audience a call of the API can name,
    whose words were not erased since."""
    found: dict[str, Example] = {}
    for isle in world.isles:
        for stored in isle.log:
            read = parse(stored.raw)
            if read.scope in AUDIENCE_NAMES and (stored.annex is not None or read.annex_hash is None) and is_taken(read):
                found.setdefault(read.kind, Example(isle, stored))
    return found


def is_taken(read: Record) -> bool:
    """Whether a node would draft it: histories also hold what only a peer's log has, such as settings outside their bounds."""
    try:
        body = to_body(KINDS[read.kind], read.body, {})
        check_effect(body)
        check_plans(body, read.scope)
    except Refused:
        return False
    return True


@pytest.fixture(scope="module")
def world() -> World:
    """A history that goes on until it has a record of every kind."""
    made = World(Registry(PRACTICES), EXAMPLES, 2)
    for _ in range(20):
        made.live(50)
        if len(made.written) > 200 and first_of_each(made).keys() == KINDS.keys():
            break
    return made


@pytest.fixture(scope="module")
def examples(world: World) -> dict[str, Example]:
    found = first_of_each(world)
    missing = KINDS.keys() - found.keys()
    assert not missing, "kinds of which a long history has no record: see tests/laws/examples.py"
    return found


def test_every_body_that_was_ever_accepted_fits_the_schema_of_its_kind(world: World) -> None:
    count = 0
    for isle in world.isles:
        for stored in isle.log:
            read = parse(stored.raw)
            if stored.annex is None and read.annex_hash is not None:
                continue
            assert not list(faults(schema_of(read.kind), as_json(stored), read.kind))
            count += 1
    assert count > 200


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_body_with_anything_wrong_does_not_fit(examples: dict[str, Example], kind: str) -> None:
    schema, good = schema_of(kind), as_json(examples[kind].stored)
    assert list(faults(schema, {**good, "unknown": "x"}))
    for name, inner in schema["properties"].items():
        if name in schema["required"]:
            assert list(faults(schema, {other: good[other] for other in good if other != name}))
        wrong = [1] if inner.get("type") != "array" else "x"
        assert list(faults(schema, {**good, name: wrong}))
        with pytest.raises(Refused):
            bodies.from_json(KINDS[kind].body, {**good, name: wrong})


def test_examples_in_the_schemas_fit_them() -> None:
    def every(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield schema
        for inner in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
            yield from every(inner)

    shown = [(each, example) for root in SCHEMAS.values() for each in every(root) for example in each.get("examples", ())]
    assert len(shown) > 20
    for schema, example in shown:
        assert not list(faults(schema, example))


# At a node


def homes(folder: Path, examples: dict[str, Example]) -> Iterator[tuple[str, Home, Example]]:
    """For each kind a node of the space, in the state just before its first record."""
    for kind, example in examples.items():
        at = folder / kind.replace("/", "-")
        at.mkdir(parents=True)
        write_private(at / "seed", b"s" * 32)
        before = example.isle.log[: example.stored.position]
        if not before:
            continue
        store = Store(at / "node.db")
        store.found(Sealed(before[0].raw, None), before[0].logged_ms)
        for time in sorted({each.logged_ms for each in before[1:]}):
            sealed = [Sealed(each.raw, each.annex) for each in before[1:] if each.logged_ms == time]
            assert all(isinstance(told, Placed) for told in store.append(example.isle.id, sealed, time))
        store.close()
        yield kind, Home.open(at, MovedClock(example.stored.logged_ms, running=False)), example


async def test_the_first_record_of_every_kind_is_accepted_as_json(
    tmp_path: Path, examples: dict[str, Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.vault._OPS", 1)
    monkeypatch.setattr("node.vault._MEMORY", 8192)
    accepted = set()
    asked = {kind: example for kind, example in examples.items() if kind not in NOT_BY_TOKEN}
    for kind, home, example in homes(tmp_path, asked):
        read = parse(example.stored.raw)
        key = example.isle.keys[read.author]
        row = home.view().get(KEYS, key.public)
        account = home.accounts.create("one", "soup on tuesday", row.member if row else key.public, key, bytes(40), 0)
        token = home.accounts.issue_token(account, key, "test", ["write"], bytes(56), 0)
        where, app = bind("127.0.0.1", 0), web.Application()
        app.add_routes(Api(home).routes())
        listening = await listen(app, where)
        url = f"http://127.0.0.1:{where.getsockname()[1]}/api/v1/records/{kind}?audience={AUDIENCE_NAMES[read.scope]}"
        async with ClientSession() as client:
            answer = await client.post(url, json=as_json(example.stored), headers={"Authorization": f"Bearer {token}"})
            assert answer.status == 201, (kind, await answer.text())
        accepted.add(kind)
        await listening.close()
        home.close()
    assert accepted == KINDS.keys() - NOT_BY_TOKEN
