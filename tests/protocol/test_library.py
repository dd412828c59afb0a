"""Library: protocols published, adopted with a fuse, changed, dropped and reported on, across spaces."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct

from protocol import moon
from protocol.body import from_flat
from protocol.library_blocks import about
from protocol.lineage import (
    ADOPTIONS,
    IN_FORCE,
    LONGEST,
    PROTOCOLS,
    SUSPENDED,
    Choice,
    Protocol,
    adopted,
    all_protocols,
    check_choices,
    hash_of,
    nearest,
    related,
    root_of,
    settings_in_force,
)
from protocol.page import Action, Block, Difference, Grid, State, Text, Tree
from protocol.practice import MEMBERS, PUBLIC, View
from protocol.practices import PARAMETERS, PRACTICES, library, members
from protocol.starter import STARTER
from tests.laws.world import MINUTE_MS, Isle, Registry, World

PRACTICE = library.PRACTICE
VOUCHES = PARAMETERS["members.vouches"]
TEXT = "People come in by the word of members.\n\nTwo words are enough."


class Isles(World):
    """Two spaces, and short ways to say what they do with protocols."""

    def __init__(self) -> None:
        super().__init__(Registry(PRACTICES), {}, 21, spaces=2)
        self.one, self.two = self.isles

    def says(self, isle: Isle, kind: str, body: Struct) -> str:
        self.isle = isle
        return self.write(f"protocol.{kind}/1", body, next(iter(isle.keys.values())))

    def publish(
        self, isle: Isle, text: str = TEXT, vouches: int = 3, parent: Protocol | None = None, name: str = "Entry"
    ) -> Protocol:
        body = library.Published(
            name, "How people come in here", text, [Choice("members.vouches", vouches)], 13,
            parent.id if parent else None, self.store.ids[parent.space] if parent else None,
        )  # fmt: skip
        assert not self.says(isle, "published", body)
        return all_protocols(self.seen(isle))[isle.log[-1].digest]

    def adoption(self, row: Protocol, cycles: int = 2, **changed: Any) -> library.Adopted:
        fields: dict[str, Any] = {
            "protocol": row.id, "origin": self.store.ids[row.space], "name": row.name, "text_hash": row.text_hash,
            "until_cycle": self.cycle + cycles, "settings": [Choice("members.vouches", 3)], "reasons": "We want to",
        }  # fmt: skip
        return library.Adopted(**{**fields, **changed})

    def adopt(self, isle: Isle, row: Protocol, cycles: int = 2, **changed: Any) -> bytes:
        assert not self.says(isle, "adopted", self.adoption(row, cycles, **changed))
        return isle.log[-1].digest

    def vouches(self, isle: Isle, later_ms: int = 0) -> int:
        return self.seen(isle).parameter(VOUCHES, self.now_ms + later_ms)

    def seen(self, isle: Isle, audience: int = PUBLIC) -> View:
        return self.store.view(isle.id, audience)

    def page(self, isle: Isle) -> list[Block]:
        return list(PRACTICE.page(self.seen(isle), self.now_ms))


@pytest.fixture
def isles() -> Isles:
    return Isles()


# Adopting


def test_an_adopted_protocol_sets_a_parameter_until_its_fuse(isles: Isles) -> None:
    row = isles.publish(isles.one)
    assert isles.vouches(isles.two) == VOUCHES.default
    isles.adopt(isles.two, row)
    ends_ms = moon.new_moon_ms(isles.cycle + 2)
    assert isles.vouches(isles.two) == 3
    assert isles.vouches(isles.one) == VOUCHES.default
    assert isles.seen(isles.two).parameter(VOUCHES, ends_ms - 1) == 3
    assert isles.seen(isles.two).parameter(VOUCHES, ends_ms) == VOUCHES.default


def test_to_adopt_again_is_to_renew(isles: Isles) -> None:
    row = isles.publish(isles.one)
    first = isles.adopt(isles.two, row)
    isles.now_ms += MINUTE_MS
    isles.adopt(isles.two, row, 5, settings=[])
    assert isles.vouches(isles.two) == VOUCHES.default
    (stands,) = adopted(isles.seen(isles.two), isles.now_ms)
    assert stands.id != first
    old = isles.seen(isles.two).get(ADOPTIONS, first)
    assert old is not None
    assert old.state_at(isles.now_ms) == "renewed"


def test_the_latest_of_two_protocols_decides_and_gives_way_when_it_ends(isles: Isles) -> None:
    one, other = isles.publish(isles.one), isles.publish(isles.one, name="Other", vouches=5)
    isles.adopt(isles.two, one, 6)
    isles.adopt(isles.two, other, 1, settings=[Choice("members.vouches", 5)])
    assert isles.vouches(isles.two) == 5
    assert [row.value for row in settings_in_force(isles.seen(isles.two), isles.now_ms)] == [5]
    isles.now_ms = moon.new_moon_ms(isles.cycle + 1)
    assert isles.vouches(isles.two) == 3


@pytest.mark.parametrize(("cycles", "said"), [(0, "has to lie ahead"), (-3, "has to lie ahead"), (14, "at most 13"), (13, "")])
def test_an_adoption_always_has_a_fuse(isles: Isles, cycles: int, said: str) -> None:
    refused = isles.says(isles.two, "adopted", isles.adoption(isles.publish(isles.one), cycles))
    assert said in refused
    assert bool(refused) == bool(said)


def test_what_it_sets_is_bound_in_public_and_each_parameter_once(isles: Isles) -> None:
    row = isles.publish(isles.one)
    isles.isle = isles.two
    key = next(iter(isles.two.keys.values()))
    assert "in public" in isles.write("protocol.adopted/1", isles.adoption(row), key, MEMBERS)
    assert not isles.write("protocol.adopted/1", isles.adoption(row, settings=[]), key, MEMBERS)
    twice = [Choice("members.vouches", 2), Choice("members.vouches", 3)]
    assert "is there twice" in isles.says(isles.two, "adopted", isles.adoption(row, settings=twice))


def test_a_protocol_of_ones_own_is_adopted_as_it_was_published(isles: Isles) -> None:
    row = isles.publish(isles.two)
    changed = isles.adoption(row, text_hash=hash_of("another"))
    assert "is not that of the protocol" in isles.says(isles.two, "adopted", changed)
    unknown = isles.adoption(row, protocol=bytes(32))
    assert "no such protocol" in isles.says(isles.two, "adopted", unknown)
    isles.adopt(isles.two, row)


def test_settings_of_parameters_to_come_are_kept_and_known_ones_stay_within_bounds(isles: Isles) -> None:
    row = isles.publish(isles.one)
    isles.adopt(isles.two, row, settings=[Choice("members.vouches", 5000), Choice("roles.term-cycles", 1)])
    assert isles.vouches(isles.two) == VOUCHES.high
    assert {each.name for each in settings_in_force(isles.seen(isles.two), isles.now_ms)} == {
        "members.vouches",
        "roles.term-cycles",
    }
    said = check_choices([Choice("roles.term-cycles", 1), Choice("members.vouches", 11)], PARAMETERS)
    assert said == f"members.vouches ({VOUCHES.label}) takes a whole number from 1 to 10; this is 11."
    assert check_choices([Choice("members.vouches", 10)], PARAMETERS) == ""


def test_the_longest_fuse_is_itself_a_parameter(isles: Isles) -> None:
    row = isles.publish(isles.one)
    isles.adopt(isles.two, row, settings=[Choice(LONGEST.name, 3)])
    other = isles.publish(isles.one, name="Other")
    assert "at most 3 cycles" in isles.says(isles.two, "adopted", isles.adoption(other, 4))


def test_adopting_takes_the_assembly_and_publishing_does_not(isles: Isles) -> None:
    kinds = {kind.name: kind.needs for kind in PRACTICE.kinds}
    assert kinds == {
        "protocol.published/1": "member",
        "protocol.adopted/1": "assembly",
        "protocol.suspended/1": "assembly",
        "protocol.retired/1": "assembly",
        "protocol.reported/1": "member",
    }


# Suspending, retiring, reporting


def test_a_suspended_protocol_binds_again_by_itself(isles: Isles) -> None:
    adoption = isles.adopt(isles.two, isles.publish(isles.one), 4)
    isles.now_ms += MINUTE_MS
    assert not isles.says(isles.two, "suspended", library.Suspended(adoption, isles.cycle + 1, "Too much at once"))
    resumes_ms = moon.new_moon_ms(isles.cycle + 1)
    view = isles.seen(isles.two)
    assert [view.parameter(VOUCHES, at) for at in (isles.now_ms, resumes_ms - 1, resumes_ms)] == [2, 2, 3]
    (row,) = adopted(view, isles.now_ms)
    assert [row.state_at(at) for at in (isles.now_ms - 1, isles.now_ms, resumes_ms)] == [IN_FORCE, SUSPENDED, IN_FORCE]
    again = isles.says(isles.two, "suspended", library.Suspended(adoption, isles.cycle + 2, "Longer"))
    assert again == "This adoption is suspended. Only what is in force can be suspended."
    assert view.parameter(VOUCHES, moon.new_moon_ms(isles.cycle + 4)) == 2


def test_a_suspended_protocol_can_be_retired_and_then_never_binds_again(isles: Isles) -> None:
    adoption = isles.adopt(isles.two, isles.publish(isles.one), 4)
    assert not isles.says(isles.two, "suspended", library.Suspended(adoption, isles.cycle + 1, "Too much at once"))
    assert not isles.says(isles.two, "retired", library.Retired(adoption, "It kept people out"))
    assert isles.seen(isles.two).parameter(VOUCHES, moon.new_moon_ms(isles.cycle + 1)) == 2
    assert "binds nobody" in isles.says(isles.two, "retired", library.Retired(adoption, "Again"))


def test_a_suspension_ends_before_the_fuse(isles: Isles) -> None:
    adoption = isles.adopt(isles.two, isles.publish(isles.one), 2)
    assert "before its fuse" in isles.says(isles.two, "suspended", library.Suspended(adoption, isles.cycle + 2, "Rest"))


def test_only_who_used_a_protocol_reports_on_it(isles: Isles) -> None:
    row = isles.publish(isles.one)
    body = library.Reported(row.id, "partly", "Newcomers waited too long", "One word is enough in winter")
    assert "never adopted" in isles.says(isles.two, "reported", body)
    isles.adopt(isles.two, row)
    assert not isles.says(isles.two, "reported", body)
    grid = next(block for block in isles.page(isles.one) if isinstance(block, Grid) and block.caption == "How it went")
    assert list(grid.rows[0][4:]) == ["Newcomers waited too long", "One word is enough in winter"]


# Descent


def test_a_fork_names_what_it_was_made_from(isles: Isles) -> None:
    parent = isles.publish(isles.one)
    child = isles.publish(isles.two, TEXT.replace("Two words", "Three words"), parent=parent)
    grandchild = isles.publish(isles.one, TEXT + " More.", parent=child)
    known = all_protocols(isles.seen(isles.one))
    assert root_of(grandchild, known) == parent.id
    (tree,) = (block for block in isles.page(isles.one) if isinstance(block, Tree))
    assert {(edge.source, edge.target) for edge in tree.edges} == {
        (parent.id.hex(), child.id.hex()),
        (child.id.hex(), grandchild.id.hex()),
    }


def test_derived_from_is_both_or_neither_and_of_ones_own_it_has_to_be_there(isles: Isles) -> None:
    half = library.Published("Name", "Purpose of it", "x" * 20, parent=bytes(32))
    assert "or neither" in isles.says(isles.one, "published", half)
    unknown = library.Published("Name", "Purpose of it", "x" * 20, parent=bytes(32), parent_space=isles.one.id)
    assert "no such protocol" in isles.says(isles.one, "published", unknown)


def test_a_child_of_a_protocol_that_is_not_known_stands_alone_in_the_tree(isles: Isles) -> None:
    body = library.Published("Name", "Purpose of it", "x" * 20, parent=b"u" * 32, parent_space=b"s" * 32)
    assert not isles.says(isles.one, "published", body)
    (tree,) = (block for block in isles.page(isles.one) if isinstance(block, Tree))
    assert "has not seen" in tree.nodes[0].note
    assert not tree.edges


def test_the_difference_is_shown_to_ours_in_force_and_else_to_our_own(isles: Isles) -> None:
    theirs = isles.publish(isles.one, TEXT.replace("Two", "Three"))
    ours = isles.publish(isles.two)
    unlike = isles.publish(isles.two, "Something about soup and rota.", name="Kitchen")
    view = isles.seen(isles.two)
    assert related(theirs, ours, all_protocols(view))
    assert not related(theirs, unlike, all_protocols(view))
    assert nearest(view, theirs, isles.now_ms) == ours
    fork = isles.publish(isles.one, TEXT + "\n\nAnd bread.", parent=theirs)
    isles.adopt(isles.two, fork)
    assert nearest(view, theirs, isles.now_ms) == fork
    (shown,) = (block for block in isles.page(isles.two) if isinstance(block, Difference) and block.after == theirs.text)
    assert shown.before == fork.text
    assert shown.before_label == "Entry, Isle 1"


def test_a_text_that_is_the_same_is_said_so_and_what_it_sets_otherwise(isles: Isles) -> None:
    isles.publish(isles.two)
    isles.publish(isles.one, vouches=5)
    texts = [block.text for block in isles.page(isles.two) if isinstance(block, Text)]
    assert any("word for word that of our “Entry”, but sets members.vouches 5." in text for text in texts)


# What it says


def test_who_dropped_a_protocol_and_why_is_told_wherever_it_is_offered(isles: Isles) -> None:
    row = isles.publish(isles.one)
    adoption = isles.adopt(isles.two, row)
    isles.now_ms += MINUTE_MS
    assert not isles.says(isles.two, "retired", library.Retired(adoption, "It kept people out"))
    grid = next(block for block in isles.page(isles.one) if isinstance(block, Grid) and block.caption == "Who uses what")
    (told,) = grid.rows
    assert told[2] == State("retired", "bad")
    assert told[-1] == "It kept people out"


def test_adopting_and_forking_are_one_button_each_with_all_filled_in(isles: Isles) -> None:
    row = isles.publish(isles.one)
    actions = [block for block in isles.page(isles.two) if isinstance(block, Action)]
    as_it_is = next(block for block in actions if block.kind == "protocol.adopted/1")
    filled = from_flat(library.Adopted, {**as_it_is.filled, "reasons": "We want to"})
    assert (filled.protocol, filled.origin, filled.settings) == (row.id, isles.one.id, [Choice("members.vouches", 3)])
    assert not isles.says(isles.two, "adopted", filled)
    fork = next(block for block in actions if block.label == "Fork and adapt Entry")
    body = from_flat(library.Published, fork.filled)
    assert (body.text, body.parent, body.parent_space) == (TEXT, row.id, isles.one.id)
    assert not isles.says(isles.two, "published", body)


def test_a_text_too_long_for_a_link_is_left_to_the_form(isles: Isles) -> None:
    isles.publish(isles.one, "word " * 3000)
    fork = next(b for b in isles.page(isles.two) if isinstance(b, Action) and b.label.startswith("Fork"))
    assert "text" not in fork.filled
    assert fork.filled["parent"]


def test_one_protocol_is_told_whole_with_its_text(isles: Isles) -> None:
    parent = isles.publish(isles.one)
    child = isles.publish(isles.two, TEXT + "\n\nAnd bread.", parent=parent)
    blocks = list(about(isles.seen(isles.one), child.id, isles.now_ms))
    assert any(getattr(block, "markdown", "") == child.text for block in blocks)
    assert next(block.caption for block in blocks if isinstance(block, Difference)) == "What Entry changed"
    assert not list(about(isles.seen(isles.one), bytes(32), isles.now_ms))


def test_a_fuse_is_due_a_cycle_before_and_a_cycle_after(isles: Isles) -> None:
    row = isles.publish(isles.one)
    isles.adopt(isles.two, row, 2)
    view, cycle = isles.seen(isles.two), isles.cycle

    def said(at_ms: int) -> list[str]:
        return [due.what for due in PRACTICE.due(view, at_ms)]

    one, two, three = (moon.new_moon_ms(cycle + n) for n in (1, 2, 3))
    assert said(one - 1) == []
    assert "ends at its fuse" in said(one)[0]
    assert "has ended at its fuse" in said(two)[0]
    assert said(three) == []
    isles.now_ms = two
    isles.adopt(isles.two, row, 3)
    assert said(two) == []


def test_figures_and_state_count_what_binds_and_what_is_offered(isles: Isles) -> None:
    row = isles.publish(isles.one)
    isles.adopt(isles.two, row)
    two, one = (PRACTICE.figures(isles.seen(isle), isles.now_ms) for isle in (isles.two, isles.one))
    assert (two["library.in-force"], two["library.from-others"], two["library.parameters-set"]) == (1, 1, 1)
    assert (one["library.published"], one["library.used-elsewhere"], one["library.in-force"]) == (1, 1, 0)
    assert PRACTICE.state(isles.seen(isles.one), isles.now_ms)["offered"][0]["id"] == row.id
    assert PRACTICE.state(isles.seen(isles.two), isles.now_ms)["adopted"][0]["in_force"] is True


def test_advice_says_what_a_rule_cannot_see(isles: Isles) -> None:
    advise = {kind.name: kind.advise for kind in PRACTICE.kinds}
    row, view = isles.publish(isles.one), isles.seen(isles.two)
    assert advise["protocol.adopted/1"](view, isles.adoption(row)) == ""
    assert "has not seen" in advise["protocol.adopted/1"](view, isles.adoption(row, origin=isles.two.id))
    assert "not that of the protocol" in advise["protocol.adopted/1"](view, isles.adoption(row, text_hash=bytes(32)))
    assert "something else" in advise["protocol.adopted/1"](view, isles.adoption(row, settings=[]))
    again = library.Published("entry", "Purpose of it", "x" * 20)
    assert "here already" in advise["protocol.published/1"](isles.seen(isles.one), again)


# The starter set


def test_an_empty_library_offers_the_starter_set_to_take(isles: Isles) -> None:
    actions = [b for b in isles.page(isles.one) if isinstance(b, Action) and b.label.startswith("Take ")]
    assert len(actions) == len(STARTER) == 11
    for action in actions:
        assert not isles.says(isles.one, "published", from_flat(library.Published, action.filled))
    assert len(isles.rows(PROTOCOLS)) == 11
    assert not [b for b in isles.page(isles.one) if isinstance(b, Action) and b.label.startswith("Take ")]


@pytest.mark.parametrize("starter", STARTER, ids=lambda each: each.name)
def test_a_starter_is_a_text_to_use_with_settings_within_bounds(starter: Any) -> None:
    assert 150 <= len(starter.text.split()) <= 400
    assert starter.text.startswith("## ")
    assert "## What to watch" in starter.text or "## Why" in starter.text
    assert check_choices([Choice(name, value) for name, value in starter.settings], PARAMETERS) == ""
    assert "!" not in starter.text


def test_the_vouching_starter_says_in_words_what_it_sets(isles: Isles) -> None:
    (entry,) = (each for each in STARTER if each.name == "Entry by vouching")
    assert dict(entry.settings)[members.NEEDED.name] == 2
