"""What every kind, table, parameter and page of the registry has to have, whatever it is for."""

from __future__ import annotations

import re
import sqlite3
import typing
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pysqlite3
import pytest
from msgspec import Struct

from node import render_html, render_json, render_text
from node.words import Telling
from protocol import body as bodies
from protocol import encoding
from protocol.body import Field
from protocol.judge import to_body
from protocol.page import (
    Action,
    Bar,
    Block,
    Cell,
    Difference,
    Edge,
    Facts,
    Flow,
    Graph,
    Grid,
    Heading,
    Mark,
    Node,
    Ref,
    Series,
    Span,
    State,
    Stream,
    Timeline,
    Tree,
    When,
)
from protocol.practice import EVERYTHING, FOREVER_MS, MEMBERS, PUBLIC, SHARED, Practice, Refused, View
from protocol.practices import KINDS, PARAMETERS, PRACTICES, TABLES
from tests.laws.examples import EXAMPLES
from tests.laws.memory import Memory
from tests.laws.world import BEGIN_MS, DAY_MS, World

ROOMS = {"today", "assembly", "commons", "campaigns", "archipelago", "memory"}
TONES = {"good", "warn", "bad", "calm"}
COLUMNS = {int, bool, str, bytes}


def every_field(fields: tuple[Field, ...], path: str = "") -> Iterator[tuple[str, Field]]:
    for each in fields:
        yield f"{path}{each.name}", each
        yield from every_field(each.inner, f"{path}{each.name}.")


def _body(name: str) -> type[Struct]:
    body: type[Struct] = KINDS[name].body
    return body


# Kinds


def test_every_kind_has_an_example_builder() -> None:
    assert not set(KINDS) - set(EXAMPLES)
    assert not set(EXAMPLES) - set(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_kind_says_what_it_is_what_it_brings_about_and_what_it_needs(name: str) -> None:
    kind = KINDS[name]
    assert re.fullmatch(r"[a-z]+\.[a-z-]+/[1-9]\d*", name)
    assert kind.title
    assert kind.title[0].isupper()
    assert kind.consequence.endswith(".")
    assert kind.help.endswith(".")
    assert kind.needs in ("", "member", "assembly", "decision", "clock")
    assert kind.audience in (0, 1, 2)
    assert "!" not in kind.title + kind.consequence + kind.help


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_field_is_labelled_with_help_or_an_example(name: str) -> None:
    for path, each in every_field(bodies.fields(_body(name))):
        assert each.label, f"{name} {path} has no label"
        assert each.help or each.example, f"{name} {path} has neither help nor example"


@pytest.mark.parametrize("name", sorted(KINDS))
def test_bodies_forbid_unknown_fields_and_erasable_words_are_top_level_text_that_may_be_empty(name: str) -> None:
    body = _body(name)
    assert body.__struct_config__.forbid_unknown_fields
    assert body.__struct_config__.frozen
    for path, each in every_field(bodies.fields(body)):
        if each.erasable:
            assert "." not in path
            assert each.type is str
            assert each.default == ""
            assert not each.pattern


def _exchanges(worlds: list[World]) -> Iterator[tuple[str, Struct]]:
    for world in worlds:
        for _, name, body in world.written:
            yield name, body


def test_every_body_comes_back_from_its_bytes(worlds: list[World]) -> None:
    seen: Counter[str] = Counter()
    for name, body in _exchanges(worlds):
        structure, words = bodies.structure_and_words(body)
        assert to_body(KINDS[name], typing.cast(Any, encoding.decode(encoding.encode(structure))), words) == body
        seen[name] += 1
    assert set(seen) | {"space.founded/1"} == set(KINDS)


def test_every_body_comes_back_from_json_and_from_a_form(worlds: list[World]) -> None:
    for name, body in _exchanges(worlds):
        kind = KINDS[name]
        assert bodies.from_json(kind.body, msgspec.json.decode(msgspec.json.encode(bodies.to_json(body)))) == body
        assert bodies.from_flat(kind.body, bodies.to_flat(body)) == body


# Practices, parameters, tables


@pytest.mark.parametrize("practice", PRACTICES, ids=lambda each: each.name)
def test_a_practice_has_a_name_a_room_and_a_sentence(practice: Practice) -> None:
    assert practice.title
    assert practice.about.endswith(".")
    assert practice.room in ROOMS
    assert not {kind.name for kind in practice.kinds if not kind.name.rpartition("/")[0]}


def test_names_are_unique_across_the_registry() -> None:
    for names in (
        [practice.name for practice in PRACTICES],
        [kind.name for practice in PRACTICES for kind in practice.kinds],
        [parameter.name for practice in PRACTICES for parameter in practice.parameters],
        [table.name for table in TABLES],
    ):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_parameters_start_within_their_bounds_and_say_what_they_are() -> None:
    for parameter in PARAMETERS.values():
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.label
        assert re.fullmatch(r"[a-z][a-z-]*\.[a-z][a-z0-9-]*", parameter.name)


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.name)
def test_the_columns_of_a_table_are_plain_and_its_keys_and_indexes_are_columns(table: Any) -> None:
    hints = typing.get_type_hints(table.row)
    names = table.row.__struct_fields__
    assert names[0] == "space"
    for name in names:
        of = get_args(hints[name]) or (hints[name],)
        assert set(of) - {type(None)} <= COLUMNS
        assert len(set(of) - {type(None)}) == 1
    for used in (table.key, table.erasable, *table.indexes, *table.shared):
        assert set(used) <= set(names) - {"space"}
    assert table.key
    assert all(hints[name] is str for name in table.erasable)
    assert not set(table.erasable) & {column for index in (table.key, *table.indexes, *table.shared) for column in index}


def taken(name: str) -> bool:
    """Whether some SQLite reads a name otherwise than as a name, where the store writes it without quotes."""
    statements = (
        f"CREATE TABLE {name} ({name} INTEGER NOT NULL, beside BLOB, PRIMARY KEY ({name})) WITHOUT ROWID",
        f"CREATE INDEX {name}_0 ON {name} (beside, {name})",
        f"INSERT INTO {name} ({name}, beside) VALUES (1, NULL)",
        f"UPDATE {name} SET {name}=2 WHERE {name}=1",
        f"SELECT {name}, SUM({name}) FROM {name} INDEXED BY {name}_0 WHERE beside IS NULL AND {name}=2 GROUP BY {name} ORDER BY {name} DESC",
    )
    for made in (sqlite3, pysqlite3):
        db = made.connect(":memory:")
        try:
            for statement in statements:
                db.execute(statement)
            if db.execute(f"SELECT {name} FROM {name}").fetchall() != [(2,)]:
                return True
        except made.Error:
            return True
        finally:
            db.close()
    return False


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.name)
def test_no_name_of_a_table_or_a_column_is_a_word_that_sqlite_keeps_to_itself(table: Any) -> None:
    assert not [name for name in (table.name, *table.row.__struct_fields__) if taken(name)]


def test_words_that_sqlite_keeps_to_itself_are_found() -> None:
    words = ("to", "group", "order", "index", "from", "check", "default", "values", "when", "current_time", "limit", "case")
    assert not [word for word in words if not taken(word)]


def test_a_practice_lists_its_tables_and_no_shared_one() -> None:
    for practice in PRACTICES:
        assert not set(practice.tables) & set(SHARED)


# Pages


def _well_formed(blocks: list[Block]) -> None:
    assert isinstance(blocks[0], Heading), "a page begins with its heading"
    for block in blocks:
        assert isinstance(block, Block)
        if isinstance(block, Grid):
            assert block.empty.endswith(".")
            for row in block.rows:
                assert len(row) == len(block.columns), block.caption
                for cell in row:
                    _cell(cell)
        elif isinstance(block, Facts):
            for label, cell in block.pairs:
                assert label
                _cell(cell)
        elif isinstance(block, Tree | Graph):
            _linked(block.nodes, block.edges)
        elif isinstance(block, Timeline):
            assert all(span.since_ms <= span.until_ms and isinstance(span, Span) for span in block.spans)
        elif isinstance(block, Flow):
            assert all(isinstance(each, Stream) and each.value > 0 for each in block.streams)
        elif isinstance(block, Action):
            _action(block)
        _captioned(block)


def _captioned(block: Block) -> None:
    for held in ("series", "bars", "marks"):
        for each in getattr(block, held, ()):
            assert isinstance(each, Series | Bar | Mark)
            assert each.label
    if isinstance(block, Grid | Tree | Graph | Timeline | Flow | Difference):
        assert block.caption


def _cell(cell: Cell) -> None:
    assert isinstance(cell, Cell)
    if isinstance(cell, Ref):
        assert len(cell.id) == 32
        assert cell.what in ("record", "member", "space")
    if isinstance(cell, State):
        assert cell.word
        assert cell.tone in TONES
    if isinstance(cell, When):
        assert 0 < cell.ms <= FOREVER_MS
    if isinstance(cell, str):
        assert not re.search(r"[0-9a-f]{24}", cell), "a hash is no word"
        assert not re.search(r"\b1 \w+s\b", cell), f"a wrong plural: {cell}"


def _linked(nodes: Any, edges: Any) -> None:
    ids = [node.id for node in nodes]
    assert len(ids) == len(set(ids))
    for node in nodes:
        assert isinstance(node, Node)
        assert node.label
        assert node.tone in TONES
    for edge in edges:
        assert isinstance(edge, Edge)
        assert {edge.source, edge.target} <= set(ids)


def _action(block: Action) -> None:
    """The form takes what is filled in: at most something is missing that a member has to say."""
    kind = KINDS[block.kind]
    assert block.label or not block.filled
    try:
        bodies.from_flat(kind.body, block.filled)
    except Refused as refusal:
        assert "this is missing" in str(refusal), f"{block.kind}: {refusal}"


class _Names:
    def label(self, ref: Ref) -> str:
        return "somebody"

    def path(self, ref: Ref) -> str:
        return "/record/x"


def _pages(view: View, now_ms: int) -> Iterator[tuple[str, list[Block]]]:
    for practice in PRACTICES:
        yield practice.name, list(practice.page(view, now_ms))


def test_every_page_is_well_formed_and_renders_in_all_three_forms(worlds: list[World]) -> None:
    for world in worlds[:2]:
        store = world.replayed(shuffled=False)
        for isle, audience, later in zip(world.isles, (EVERYTHING, MEMBERS, PUBLIC), (0, 20, 400), strict=True):
            now_ms = world.now_ms + later * DAY_MS
            telling = Telling(_Names(), now_ms)
            for name, blocks in _pages(store.view(isle.id, audience), now_ms):
                _well_formed(blocks)
                assert "<" in render_html.page(blocks, telling), name
                assert render_text.text(blocks, telling), name
                assert msgspec.json.decode(render_json.json(blocks, telling)), name


def test_every_page_of_a_space_that_was_never_heard_of_teaches_what_belongs_there() -> None:
    store = Memory()
    view = store.view(bytes(32))
    telling = Telling(_Names(), BEGIN_MS)
    for practice in PRACTICES:
        assert list(practice.due(view, BEGIN_MS)) == []
        assert all(isinstance(value, int) for value in practice.figures(view, BEGIN_MS).values())
        encoding.encode(practice.state(view, BEGIN_MS))
        blocks = list(practice.page(view, BEGIN_MS))
        _well_formed(blocks)
        said = render_text.text(blocks, telling)
        assert len(said.split()) > 12, practice.name
        assert not store.kept.get("problem")


def test_figures_are_whole_numbers_named_after_their_practice_and_dues_have_a_span(worlds: list[World]) -> None:
    for world in worlds:
        view = world.store.view(world.isles[0].id)
        for practice in PRACTICES:
            for name, value in practice.figures(view, world.now_ms).items():
                assert re.fullmatch(r"[a-z]+\.[a-z][a-z0-9-]*", name)
                assert type(value) is int
            for due in practice.due(view, world.now_ms):
                assert due.what
                assert due.since_ms <= due.until_ms
                assert len(due.link) == 32
                assert not re.search(r"\b1 \w+s\b", due.what)


def test_no_practice_says_the_same_thing_is_due_twice(worlds: list[World]) -> None:
    for world in worlds:
        for isle in world.isles:
            view = world.store.view(isle.id)
            dues = [due for practice in PRACTICES for due in practice.due(view, world.now_ms)]
            assert len({(due.what, due.who, due.link) for due in dues}) == len(dues)
