"""The five laws of `docs/explanation` and of `protocol.practice`, over every kind and practice there is, by name.

Each law is a function in `tests.laws.laws`; here it has to find nothing in long guided histories of the whole registry, and
has to find something in the history of a practice that breaks it on purpose (`tests.laws.rogues`).
"""

from __future__ import annotations

import pytest

from protocol.practice import MEMBERS, Practice
from protocol.practices import KINDS, PRACTICES, members
from protocol.record import parse
from tests.laws import examples_members
from tests.laws.examples import EXAMPLES
from tests.laws.laws import (
    LAWS,
    bad_records,
    grants_only,
    ladder,
    own_space_only,
    pages_by_audience,
    replay_equals_live,
    sees_own_space_only,
    time_of_its_own,
    unheard_of_times,
    words_decide_nothing,
)
from tests.laws.rogues import ROGUES, noted, practice
from tests.laws.world import Registry, World

FINDERS = {**LAWS, "unheard-of times": unheard_of_times}


def test_every_kind_is_written_in_these_histories_and_most_are_refused_too(worlds: list[World]) -> None:
    accepted = {name: sum(world.accepted[name] for world in worlds) for name in KINDS}
    assert not [name for name, count in accepted.items() if count < 5]
    refused = {name for name in KINDS if any(world.refused[name] for world in worlds)}
    assert len(refused) > len(KINDS) * 3 // 4
    assert len({reason for world in worlds for reason in world.reasons}) > len(KINDS)


def test_logs_hold_records_without_effect_and_they_stop_nothing(worlds: list[World]) -> None:
    sorts = set()
    for world in worlds:
        problems = world.store.dump()["problem"]
        assert len(problems) > 60
        sorts |= {row[-2] for row in problems.values()}
    assert len(sorts) > 15


def test_law_1_a_record_changes_rows_of_its_own_space_only(worlds: list[World]) -> None:
    assert not [found for world in worlds for found in own_space_only(world)]


def test_law_2_a_rule_sees_the_record_and_its_own_space_before_it_and_no_clock(worlds: list[World]) -> None:
    assert not [found for world in worlds for found in sees_own_space_only(world)]


def test_law_2_replay_equals_live_in_both_stores(worlds: list[World]) -> None:
    assert not [found for world in worlds for found in replay_equals_live(world)]


def test_law_3_a_log_has_a_time_of_its_own_and_nothing_that_depends_on_now_is_stored(worlds: list[World]) -> None:
    assert not [found for world in worlds for found in time_of_its_own(world)]


def test_law_4_all_authority_is_rows_of_one_table(worlds: list[World]) -> None:
    assert not [found for world in worlds for found in grants_only(world)]


def test_law_5_what_decides_is_at_least_as_public_as_the_record(worlds: list[World]) -> None:
    assert not [found for world in worlds for found in ladder(world)]


def test_law_5_pages_and_summaries_for_the_public_come_from_public_records_alone(worlds: list[World]) -> None:
    assert not [found for world in worlds for found in pages_by_audience(world)]


def test_law_5_erased_words_change_nothing_but_the_words(worlds: list[World]) -> None:
    assert not [found for world in worlds for found in words_decide_nothing(world)]


def test_no_entry_time_makes_a_rule_raise(worlds: list[World]) -> None:
    assert not [found for world in worlds for found in unheard_of_times(world)]


def test_a_kind_for_members_only_is_for_no_other_space(worlds: list[World]) -> None:
    narrow = {name for name, kind in KINDS.items() if kind.audience == MEMBERS}
    assert narrow
    for world in worlds:
        for isle in world.isles:
            without = {row[1] for row in world.store.dump().get("problem", {}).values() if row[0] == isle.number}
            for stored in isle.log:
                if stored.position not in without and parse(stored.raw).kind in narrow:
                    assert parse(stored.raw).audience == MEMBERS
    world = World(Registry(PRACTICES), EXAMPLES, 9)
    body = world.build("member.named/1")
    assert world.author
    for wide in (0, 1, [world.isles[0].id]):
        assert "so wide an audience" in world.write("member.named/1", body, world.author, wide)
    assert not world.write("member.named/1", body, world.author)


# Broken on purpose


def _notes(rogue: Practice) -> World:
    registry = Registry((members.PRACTICE, rogue))
    world = World(registry, {**examples_members.EXAMPLES, "rogue.noted/1": noted}, 7)
    for _ in range(3):
        world.live(60)
        for _ in range(10):
            world.step("rogue.noted/1")
    return world


def test_an_honest_practice_of_notes_breaks_no_law() -> None:
    world = _notes(practice())
    assert world.accepted["rogue.noted/1"] > 20
    assert not bad_records(world)
    assert not [found for law in FINDERS.values() for found in law(world)]


@pytest.mark.parametrize("name", sorted(ROGUES))
def test_a_practice_that_breaks_a_law_on_purpose_is_found(name: str) -> None:
    law, made = ROGUES[name]
    assert FINDERS[law](_notes(made()))


def test_a_record_that_is_refused_and_yet_changes_something_is_found() -> None:
    world = _notes(practice())
    world.left_behind.append("a clock")
    assert bad_records(world, 0)
