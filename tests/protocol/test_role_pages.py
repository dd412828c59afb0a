"""Roles: their shadows, what they hand over, what is due, pages, and the edges of time, moons and sizes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from node import render_text
from node.words import Telling, exact
from protocol import moon, terms
from protocol.body import structure_and_words
from protocol.judge import spoken_time
from protocol.mandate import act_name
from protocol.membership import MEMBERSHIPS, Membership
from protocol.page import Action, Cell, Facts, Grid, Ref, Timeline, Wheel, offered
from protocol.practice import ALLIES, FOREVER_MS, GRANTS, MEMBERS, PUBLIC
from protocol.practices import PARAMETERS, PRACTICES, roles
from protocol.practices import members as joining
from protocol.practices.roles import PRACTICE
from protocol.role_bodies import (
    Answered,
    Appointed,
    Called,
    Defined,
    HandedOver,
    Noted,
    Resigned,
    Taken,
)
from protocol.role_dues import READ_DAYS, due, figures
from protocol.starter import STARTER
from protocol.terms import CALLS, HANDOVERS, NOTES, ROLES, Permission
from tests.laws.world import DAY_MS, MINUTE_MS
from tests.protocol.role_house import BOOK, PUBLISH, WHY, Decided, RoleHouse, blocks_of, booked, watched

NEVER_DUTIES = {"member.left/1", "member.joined/1", "member.removed/1", "member.invited/1", "record.erased/1"}


@pytest.fixture
def house() -> RoleHouse:
    return RoleHouse()


@pytest.fixture
def held() -> RoleHouse:
    return watched()


def whats(house: RoleHouse) -> dict[str, bytes | None]:
    return {each.what: each.who for each in due(house.view, house.now_ms)}


# The shadow


def test_the_shadow_pauses_one_permission_until_the_assembly_has_looked(held: RoleHouse) -> None:
    term, treasurer, shadow = held.first_term(), held.all[1], held.all[2]
    assert held.write("role.called/1", Called(term.id, BOOK, WHY), held.all[3]) == (
        "This is for the shadow that was drawn for this term as treasurer, and for nobody else."
    )
    assert "the role has no such one in this term" in held.write("role.called/1", Called(term.id, PUBLISH, WHY), shadow)
    made = held.must("role.called/1", Called(term.id, BOOK, WHY), shadow)
    assert held.write(BOOK, booked(), treasurer) == (
        "This permission of your term as treasurer is paused by its shadow until the assembly has looked."
    )
    assert held.write("role.called/1", Called(term.id, BOOK, WHY), shadow) == (
        "A shadow has 1 call in a term here, and it is used. Tell the assembly."
    )
    body = Answered(made, "resume", WHY)
    assert roles.holder_and_shadow(held.view, body) == tuple(sorted((treasurer.public, shadow.public)))
    for member in (treasurer, shadow, held.founder):
        assert "This takes a decision" in held.write("role.call-answered/1", body, member)
    assert not held.as_decided("role.call-answered/1", body)
    assert not held.write(BOOK, booked(), treasurer)
    assert "This call was answered at" in held.as_decided("role.call-answered/1", Answered(made, "revoke", WHY))


def test_a_permission_that_is_revoked_is_over_for_this_term(held: RoleHouse) -> None:
    held.set_parameter(terms.SHADOW_CALLS, 2)
    term, treasurer, shadow = held.first_term(), held.all[1], held.all[2]
    made = held.must("role.called/1", Called(term.id, BOOK, WHY), shadow)
    assert "this one is paused already" in held.write("role.called/1", Called(term.id, BOOK, WHY), shadow)
    held.later(1)
    assert not held.as_decided("role.call-answered/1", Answered(made, "revoke", WHY))
    assert held.write(BOOK, booked(), treasurer) == (
        f"This permission of your term as treasurer ended at {spoken_time(held.now_ms)}. Ask for a new appointment."
    )
    assert "this one is revoked already" in held.write("role.called/1", Called(term.id, BOOK, WHY), shadow)
    assert terms.holder_of(held.view, "treasurer", held.now_ms) == treasurer.public
    assert "There is no such call of a shadow here" in held.as_decided("role.call-answered/1", Answered(term.id, "resume", WHY))


def test_an_answer_after_the_end_brings_nothing_back(held: RoleHouse) -> None:
    term, treasurer, shadow = held.first_term(), held.all[1], held.all[2]
    made = held.must("role.called/1", Called(term.id, BOOK, WHY), shadow)
    held.now_ms = term.until_ms + DAY_MS
    assert not held.as_decided("role.call-answered/1", Answered(made, "revoke", WHY))
    (grant,) = held.rows(GRANTS, source=term.id)
    assert grant.until_ms == term.until_ms
    assert f"ended at {spoken_time(term.until_ms)}" in held.write(BOOK, booked(), treasurer)


def test_a_pause_goes_on_into_a_renewed_term(held: RoleHouse) -> None:
    held.set_parameter(terms.CONSECUTIVE, 3)
    term, treasurer, shadow = held.first_term(), held.all[1], held.all[2]
    assert not held.as_decided("role.renewed/1", held.renewal(term))
    made = held.must("role.called/1", Called(term.id, BOOK, WHY), shadow)
    held.now_ms = term.until_ms
    assert "is paused by its shadow" in held.write(BOOK, booked(), treasurer)
    assert not held.as_decided("role.renewed/1", held.renewal(held.last_term()))
    held.now_ms = held.last_term().since_ms
    assert "is paused by its shadow" in held.write(BOOK, booked(), treasurer)
    assert figures(held.view, held.now_ms)["roles.paused"] == 1
    assert not held.as_decided("role.call-answered/1", Answered(made, "resume", WHY))
    assert not held.write(BOOK, booked(), treasurer)
    assert figures(held.view, held.now_ms)["roles.paused"] == 0


def test_a_call_is_rationed_and_only_for_a_term_in_force(held: RoleHouse) -> None:
    term, shadow = held.first_term(), held.all[2]
    held.set_parameter(terms.SHADOW_CALLS, 0)
    assert held.write("role.called/1", Called(term.id, BOOK, WHY), shadow) == (
        "A shadow has 0 calls in a term here. Tell the assembly."
    )
    held.set_parameter(terms.SHADOW_CALLS, 1)
    assert "There is no such term here" in held.write("role.called/1", Called(bytes(32), BOOK, WHY), shadow)
    held.now_ms = term.until_ms
    assert held.write("role.called/1", Called(term.id, BOOK, WHY), shadow) == (
        "There is nothing to pause: this term is not in force now."
    )


def test_without_a_draw_there_is_no_shadow(house: RoleHouse) -> None:
    house.define()
    term = house.give(house.all[1])
    said = "No shadow is drawn for this term as treasurer. Draw one on the page of roles."
    assert house.write("role.called/1", Called(term.id, BOOK, WHY), house.all[2]) == said
    assert house.write("shadow.noted/1", Noted(term.id, "All is well."), house.all[2]) == said


def test_the_journal_is_the_shadows_and_for_members_only(held: RoleHouse) -> None:
    term, shadow = held.first_term(), held.all[2]
    assert "for nobody else" in held.write("shadow.noted/1", Noted(term.id, "Saw it."), held.all[1])
    assert "so wide an audience" in held.write("shadow.noted/1", Noted(term.id, "Saw it."), shadow, PUBLIC)
    held.must("shadow.noted/1", Noted(term.id, "Receipts come late.", "At each month's end."), shadow)
    seen = blocks_of(PRACTICE.record(held.view, term.id, held.now_ms))
    assert "Receipts come late." in seen
    for audience in (PUBLIC, ALLIES):
        other = held.store.view(held.isle.id, audience)
        assert other.all(NOTES) == ()
        told = blocks_of(PRACTICE.record(other, term.id, held.now_ms))
        assert "Receipts" not in told
        assert "Journal" not in told
    closes_ms = term.until_ms + 14 * DAY_MS
    held.now_ms = closes_ms - MINUTE_MS
    held.must("shadow.noted/1", Noted(term.id, "The handover was thorough."), shadow)
    held.now_ms = closes_ms
    assert held.write("shadow.noted/1", Noted(term.id, "Late."), shadow) == (
        f"The journal of this term was open until {spoken_time(closes_ms)}. Tell the assembly what you saw."
    )


def test_a_substitute_is_the_shadow_once_the_first_has_gone(held: RoleHouse) -> None:
    term = held.first_term()
    held.must("member.left/1", joining.Left(), held.all[2])
    held.must("shadow.noted/1", Noted(term.id, "I take over."), held.all[3])


# Handing over


def test_only_who_held_it_hands_over_and_the_page_of_grace_says_what_is_missing(held: RoleHouse) -> None:
    term, treasurer = held.first_term(), held.all[1]
    pack = HandedOver(term.id, "Two bills", "The baker", "The drawer in the kitchen", "Ask earlier")
    assert held.write("role.handed-over/1", pack, held.all[2]) == (
        "Only who holds or held a term hands it over. Ask them, or write what you know into the minutes."
    )
    after = held.give(held.all[2])
    assert f"This term begins at {spoken_time(after.since_ms)}" in held.write(
        "role.handed-over/1", HandedOver(after.id, "Nothing"), held.all[2]
    )
    held.now_ms = term.until_ms + DAY_MS
    what = "Hand over what you held as treasurer: what is open, who is waiting, where things are"
    assert whats(held)[what] == treasurer.public
    assert "to be written" in blocks_of(PRACTICE.page(held.view, held.now_ms))
    held.must("role.handed-over/1", pack, treasurer)
    assert what not in whats(held)
    seen = blocks_of(PRACTICE.record(held.view, term.id, held.now_ms))
    assert all(words in seen for words in ("Two bills", "The baker", "The drawer in the kitchen", "Ask earlier"))
    public = held.store.view(held.isle.id, PUBLIC)
    assert public.all(HANDOVERS) == ()
    assert "drawer" not in blocks_of(PRACTICE.record(public, term.id, held.now_ms))


def test_buttons_for_holder_and_shadow_are_offered_to_them_alone(held: RoleHouse) -> None:
    term = held.first_term()
    blocks = list(PRACTICE.record(held.view, term.id, held.now_ms))
    told = [*blocks, *PRACTICE.record(held.view, held.role().id, held.now_ms), *PRACTICE.page(held.view, held.now_ms)]
    some = [block for block in told if isinstance(block, Action) and block.who is not None]
    assert {block.kind for block in some} == {"role.resigned/1", "shadow.noted/1", "role.called/1", "role.handed-over/1"}
    bodies = {
        "shadow.noted/1": Noted(term.id, "All is well."), "role.called/1": Called(term.id, BOOK, WHY),
        "role.handed-over/1": HandedOver(term.id, "Two bills"), "role.resigned/1": Resigned(term.id, WHY),
    }  # fmt: skip
    for kind, body in bodies.items():
        (who,) = {block.who for block in some if block.kind == kind}
        assert who
        for key in held.all:
            assert bool(held.write(kind, body, key)) or key.public in who, "whoever is not offered it is refused it"
            told_to = [block for block in offered(blocks, key.public) if isinstance(block, Action) and block.kind == kind]
            assert bool(told_to) == (key.public in who)
    assert not [block for block in offered(told, None) if isinstance(block, Action)]


def test_the_days_of_grace_end(held: RoleHouse) -> None:
    term = held.first_term()
    for now_ms, there in ((term.until_ms - 1, False), (term.until_ms, True), (term.until_ms + 14 * DAY_MS - 1, True),
                          (term.until_ms + 14 * DAY_MS, False)):  # fmt: skip
        assert any(each.what.startswith("Hand over") for each in due(held.view, now_ms)) is there
        told = blocks_of(PRACTICE.page(held.view, now_ms))
        assert ("Ended lately: to hand over" in told) is there


def _pack(term: terms.Term, words: str = "Two bills") -> HandedOver:
    return HandedOver(term.id, words, "The baker", "The drawer in the kitchen", "Ask earlier")


def _links(house: RoleHouse, digest: bytes, audience: int = MEMBERS) -> list[Cell]:
    """What a record's page links to as handed over before."""
    told = PRACTICE.record(house.store.view(house.isle.id, audience), digest, house.now_ms)
    return [cell for block in told if isinstance(block, Facts) for label, cell in block.pairs if label == "Handed over before"]


def _to_read(house: RoleHouse, now_ms: int = 0) -> list[tuple[bytes | None, bytes]]:
    """Whom what is due asks to read a handover, and which."""
    return [(each.who, each.link) for each in due(house.view, now_ms or house.now_ms) if each.what.startswith("Read what was")]


READ = "Read what was handed over for treasurer: what is open, who is waiting, where things are"


def test_what_was_handed_over_is_linked_on_the_next_term_and_on_the_role_whoever_held_it(held: RoleHouse) -> None:
    term, treasurer = held.first_term(), held.all[1]
    after = held.give(held.all[2])
    held.now_ms = after.since_ms
    assert _links(held, after.id) == _links(held, held.role().id) == [], "nothing is written yet"
    held.must("role.handed-over/1", _pack(term), treasurer)
    held.must("role.handed-over/1", _pack(term, "Two bills and a letter"), treasurer)
    pack = Ref(held.isle.log[-1].digest, "record", "by member 2")
    assert _links(held, after.id) == _links(held, held.role().id) == [pack]
    assert _links(held, term.id) == [], "nobody held it before them"
    for audience in (PUBLIC, ALLIES):
        assert _links(held, after.id, audience) == _links(held, held.role().id, audience) == []
    held.now_ms = after.until_ms
    assert _links(held, held.role().id) == [], "the term that ran last was not handed over"
    assert _links(held, after.id) == [pack]


def test_a_term_that_was_cut_short_or_never_began_hands_over_as_well_as_others(held: RoleHouse) -> None:
    term, treasurer = held.first_term(), held.all[1]
    pack = Ref(held.must("role.handed-over/1", _pack(term), treasurer), "record", "by member 2")
    held.later(1)
    held.must("member.left/1", joining.Left(), treasurer)
    held.later(1)
    never = held.give(held.all[3])
    held.must("role.resigned/1", Resigned(never.id), held.all[3])
    assert held.last_term().since_ms == held.last_term().until_ms
    held.later(1)
    assert _links(held, held.role().id) == [pack], "while it is vacant too"
    after = held.give(held.all[2])
    assert _links(held, after.id) == _links(held, held.role().id) == [pack]
    assert _to_read(held) == [(held.all[2].public, pack.id)]


def test_a_term_whose_holder_left_before_it_began_is_not_the_one_before(held: RoleHouse) -> None:
    term, treasurer = held.first_term(), held.all[1]
    pack = Ref(held.must("role.handed-over/1", _pack(term), treasurer), "record", "by member 2")
    held.give(held.all[3])
    held.must("member.left/1", joining.Left(), held.all[3])
    held.now_ms = term.until_ms + DAY_MS
    assert _links(held, held.role().id) == [pack]
    assert _links(held, held.give(held.all[2]).id) == [pack]


def test_the_next_holder_and_their_shadow_are_to_read_what_was_handed_over(held: RoleHouse) -> None:
    term, treasurer = held.first_term(), held.all[1]
    pack = held.must("role.handed-over/1", _pack(term), treasurer)
    after = held.give(held.all[2])
    held.draw("shadow", after.id, [held.all[3]])
    both = [(held.all[2].public, pack), (held.all[3].public, pack)]
    ends_ms = after.since_ms + READ_DAYS * DAY_MS
    for now_ms, whom in ((after.since_ms - 1, []), (after.since_ms, both), (ends_ms - 1, both), (ends_ms, [])):
        assert _to_read(held, now_ms) == whom
    asked = [each for each in due(held.view, after.since_ms) if each.link == pack]
    assert {(each.what, each.since_ms, each.until_ms) for each in asked} == {(READ, after.since_ms, ends_ms)}
    for audience in (PUBLIC, ALLIES):
        other = held.store.view(held.isle.id, audience)
        assert not any(each.what == READ for each in due(other, after.since_ms)), "nobody else knows that there is one"


def test_who_comes_late_or_reads_of_a_late_handover_has_as_many_days(held: RoleHouse) -> None:
    term, treasurer = held.first_term(), held.all[1]
    after = held.give(held.all[2])
    held.now_ms = after.since_ms + 12 * DAY_MS
    assert _to_read(held) == []
    pack = held.must("role.handed-over/1", _pack(term), treasurer)
    assert _to_read(held) == [(held.all[2].public, pack)]
    held.later(READ_DAYS)
    assert _to_read(held) == []
    held.draw("shadow", after.id, [held.all[3]])
    assert _to_read(held) == [(held.all[3].public, pack)]
    assert _to_read(held, after.until_ms) == [], "the term is over"


def test_nobody_is_to_read_what_they_wrote_themselves(held: RoleHouse) -> None:
    held.set_parameter(terms.CONSECUTIVE, 2)
    term, treasurer = held.first_term(), held.all[1]
    pack = held.must("role.handed-over/1", _pack(term), treasurer)
    assert not held.as_decided("role.renewed/1", held.renewal(term))
    held.now_ms = term.until_ms
    assert _to_read(held) == []
    held.draw("shadow", held.last_term().id, [held.all[3]])
    assert _to_read(held) == [(held.all[3].public, pack)]


def test_the_page_of_a_role_shows_members_the_journal_of_now_and_the_last_handover(held: RoleHouse) -> None:
    term, treasurer, shadow = held.first_term(), held.all[1], held.all[2]
    held.must("shadow.noted/1", Noted(term.id, "Receipts come late."), shadow)
    assert "Receipts come late." in _role_page(held)
    assert "The last handover" not in _role_page(held)
    held.must("role.handed-over/1", _pack(term), treasurer)
    after = held.give(shadow)
    held.now_ms = after.since_ms
    told = _role_page(held)
    assert "Receipts come late." not in told, "that was the shadow of the term before"
    assert "Journal of the shadow" in told
    assert all(words in told for words in ("The last handover", "Two bills", "The baker", "The drawer", "Ask earlier"))
    held.must("role.handed-over/1", _pack(after, "A new stove"), shadow)
    assert "A new stove" in _role_page(held)
    assert "Two bills" not in _role_page(held)
    for audience in (PUBLIC, ALLIES):
        told = _role_page(held, audience)
        assert "treasurer" in told
        assert not any(words in told for words in ("Journal", "handover", "A new stove"))
    held.now_ms = after.until_ms
    assert "Journal of the shadow" not in _role_page(held), "nobody holds it"
    assert "A new stove" in _role_page(held)


def _role_page(house: RoleHouse, audience: int = MEMBERS) -> str:
    return blocks_of(PRACTICE.record(house.store.view(house.isle.id, audience), house.role().id, house.now_ms))


def test_everything_about_authority_is_public_and_words_for_members_stay_there(held: RoleHouse) -> None:
    term = held.first_term()
    said = "Who may do what is public, so that others can judge what a role does. Leave the audience as it is."
    for kind, body, author in (
        ("role.defined/1", Defined("cook", 1), held.founder),
        ("role.taken/1", Taken("treasurer"), held.all[2]),
        ("role.resigned/1", Resigned(term.id), held.all[1]),
        ("role.called/1", Called(term.id, BOOK, WHY), held.all[2]),
    ):
        for audience in (ALLIES, MEMBERS, [bytes(32)]):
            assert held.write(kind, body, author, audience) == said
    assert {kind.name for kind in PRACTICE.kinds if kind.audience == MEMBERS} == {"shadow.noted/1", "role.handed-over/1"}


# What is due, figures and pages


def test_what_is_due_before_and_after_the_end(house: RoleHouse) -> None:
    assert whats(house) == {}
    house.define()
    assert whats(house) == {"Nobody holds treasurer: draw by lot, or propose an election": None}
    term = house.give(house.all[1])
    assert whats(house) == {"Draw a shadow for treasurer": None}
    house.draw("shadow", term.id, [house.all[2]])
    assert whats(house) == {}
    house.now_ms = term.until_ms - 7 * DAY_MS
    mine, all_of_us = (
        "Your term as treasurer ends: write down what you hand over",
        "The term as treasurer ends: choose who is next",
    )
    assert whats(house) == {mine: house.all[1].public, all_of_us: None}
    house.set_parameter(terms.CONSECUTIVE, 2)
    assert f"{all_of_us}, or renew it with reasons" in whats(house)
    assert not house.as_decided("role.renewed/1", house.renewal(term))
    assert whats(house) == {}
    made = house.must("role.called/1", Called(term.id, BOOK, WHY), house.all[2])
    assert list(whats(house)) == ["Look at the pause of “transaction booked” in treasurer: resume or revoke it"]
    assert [each.link for each in due(house.view, house.now_ms)] == [made]


def test_figures_count_what_is_held_vacant_paused_and_unwatched(held: RoleHouse) -> None:
    held.define("cook", 1)
    held.define("spokes", 1, Permission("campaign.called/1"))
    held.give(held.all[1], "cook")
    assert figures(held.view, held.now_ms) == {
        "roles.held": 2,
        "roles.vacant": 1,
        "roles.most-by-one": 2,
        "roles.paused": 0,
        "roles.without-shadow": 1,
        "roles.longest-held": 1,
    }


def test_how_long_somebody_has_held_a_role_counts_cycles_without_a_break(house: RoleHouse) -> None:
    for role in ("cook", "spokes"):
        house.define(role, 1, Permission(PUBLISH))
    begun = house.now_ms
    first = house.give(house.all[1], "cook")
    house.now_ms = first.until_ms
    second = house.give(house.all[1], "spokes")
    assert terms.longest_held(house.view, begun) == {house.all[1].public: 1}
    assert terms.longest_held(house.view, house.now_ms) == {house.all[1].public: 2}
    house.now_ms = second.until_ms
    assert terms.longest_held(house.view, house.now_ms) == {}
    house.now_ms = moon.after_cycles(house.now_ms, 1)
    house.give(house.all[1], "cook")
    assert terms.longest_held(house.view, house.now_ms) == {house.all[1].public: 1}
    assert terms.longest_held(house.view, 10**15) == {}


def _every_page(house: RoleHouse, now_ms: int) -> Iterator[list[object]]:
    yield list(PRACTICE.page(house.view, now_ms))
    for stored in house.isle.log:
        yield list(PRACTICE.record(house.view, stored.digest, now_ms))


def test_pages_hold_pictures_and_buttons_that_work(held: RoleHouse) -> None:
    held.set_parameter(terms.CONSECUTIVE, 2)
    held.define("cook", 1)
    held.must("role.called/1", Called(held.first_term().id, BOOK, WHY), held.all[2])
    telling = Telling(_Names(), held.now_ms)
    found = [block for blocks in _every_page(held, held.now_ms) for block in blocks]
    assert any(isinstance(block, Wheel) and block.marks for block in found)
    assert any(isinstance(block, Timeline) and block.spans for block in found)
    offered = {block.kind for block in found if isinstance(block, Action)}
    assert offered == {
        "role.defined/1", "role.appointed/1", "role.dissolved/1", "role.renewed/1", "role.recalled/1", "role.resigned/1",
        "role.call-answered/1", "role.handed-over/1", "shadow.noted/1", "lot.opened/1",
    }  # fmt: skip
    for blocks in _every_page(held, held.now_ms):
        assert render_text.text(blocks, telling) or not blocks  # type: ignore[arg-type]  # blocks, as objects


class _Names:
    def label(self, ref: Ref) -> str:
        return "somebody"

    def path(self, ref: Ref) -> str:
        return ""


def test_pages_of_every_record_say_what_it_is(held: RoleHouse) -> None:
    old = held.role().id
    term = held.first_term()
    made = held.must("role.called/1", Called(term.id, BOOK, WHY), held.all[2])
    held.define("treasurer", 1, Permission(PUBLISH))
    told = {name: blocks_of(PRACTICE.record(held.view, digest, held.now_ms)) for name, digest in (
        ("role", held.role().id), ("before", old), ("term", term.id), ("call", made), ("none", bytes(32)),
    )}  # fmt: skip
    assert "What it may write from the next term on" in told["role"]
    assert "defined anew since" in told["before"]
    assert "A term as treasurer" in told["term"]
    assert "rests" in told["term"]
    assert "A shadow's call" in told["call"]
    assert told["none"] == "[]"


# Parameters


def test_what_the_starter_set_names_are_parameters_within_their_bounds() -> None:
    (lunar,) = [each for each in STARTER if each.name == "Lunar roles"]
    assert {parameter.name for parameter in PRACTICE.parameters} == {name for name, _ in lunar.settings}
    for name, value in lunar.settings:
        parameter = PARAMETERS[name]
        assert parameter.low <= value == parameter.default <= parameter.high


# Edges: time, moons, sizes


def test_a_term_that_ends_at_a_new_moon_ends_everywhere_at_once_and_each_page_tells_its_own_day(held: RoleHouse) -> None:
    term = held.first_term()
    held.now_ms = term.until_ms - 3 * DAY_MS
    told = {}
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        telling = Telling(_Names(), held.now_ms, ZoneInfo(zone))
        told[zone] = render_text.text(list(PRACTICE.page(held.view, held.now_ms)), telling)
        assert telling.when(term.until_ms) in told[zone]
    auckland, angeles = (exact(term.until_ms, ZoneInfo(zone)) for zone in told)
    assert auckland.partition(",")[0] != angeles.partition(",")[0]
    assert moon.new_moon_ms(moon.cycle_at(term.until_ms)) == term.until_ms
    assert exact(term.until_ms, UTC).partition(",")[0] in (auckland.partition(",")[0], angeles.partition(",")[0])


@pytest.mark.parametrize("at", ["2028-02-29T12:00", "2100-02-28T12:00", "2096-02-29T00:00"])
def test_leap_days_are_days_like_others(at: str) -> None:
    house = RoleHouse()
    row = house.define()
    house.now_ms = int(datetime.fromisoformat(at + "+00:00").timestamp()) * 1000
    body = Appointed("treasurer", row.id, house.all[1].public, "vote")
    assert not house.as_decided("role.appointed/1", body, house.all[2])
    term = house.last_term()
    assert term.since_ms == house.now_ms
    assert term.until_ms == min(ms for _, ms in moon.moons_of_year(house_year(house)) if ms > house.now_ms)
    house.now_ms = term.until_ms
    assert house.write(BOOK, booked(), house.all[1])


def house_year(house: RoleHouse) -> int:
    return int(spoken_time(house.now_ms)[:4])


def test_beyond_the_table_of_moons_nothing_is_given_and_nothing_breaks(held: RoleHouse) -> None:
    held.now_ms = 7_300_000_000 * MINUTE_MS // 60  # in the year 2201
    with pytest.raises(moon.OutsideTable):
        moon.cycle_at(held.now_ms)
    held.must("stand.decided/1", _leave(held), held.all[3])
    said = held.write("role.appointed/1", Appointed("treasurer", held.role().id, held.all[3].public, "vote"), held.all[3])
    assert "outside the table of new moons" in said
    assert terms.barred(held.view, "treasurer", held.now_ms) == ()
    assert "ended at" in held.write(BOOK, booked(), held.all[1])
    assert list(due(held.view, held.now_ms))
    assert figures(held.view, held.now_ms)["roles.held"] == 0
    assert all(blocks is not None for blocks in _every_page(held, held.now_ms))


def _leave(house: RoleHouse) -> msgspec.Struct:
    body = Appointed("treasurer", house.role().id, house.all[3].public, "vote")
    return Decided(act_name("role.appointed/1", structure_and_words(body)[0]))


def test_a_clock_that_is_set_back_brings_no_term_back(held: RoleHouse) -> None:
    term, treasurer = held.first_term(), held.all[1]
    held.now_ms = term.until_ms
    assert held.write(BOOK, booked(), treasurer)
    held.must("member.named/1", joining.Named("Ada"), held.founder)
    held.now_ms = term.since_ms + MINUTE_MS
    assert f"ended at {spoken_time(term.until_ms)}" in held.write(BOOK, booked(), treasurer), "the log's own time goes on"


def test_a_collective_of_one_can_hold_a_role_and_has_no_shadow() -> None:
    house = RoleHouse(others=0)
    house.define()
    term = house.give(house.founder)
    assert not house.write(BOOK, booked(), house.founder)
    assert whats(house) == {}, "there is nobody to draw"
    house.now_ms = term.until_ms
    assert house.write(BOOK, booked(), house.founder)
    assert "Nobody holds treasurer: draw by lot, or propose an election" in whats(house)


def test_a_collective_of_three_goes_round_without_anybody_twice_in_a_row() -> None:
    house = RoleHouse(others=2)
    house.define()
    for turn in range(7):
        term = house.give(house.all[turn % 3])
        assert terms.barred(house.view, "treasurer", house.now_ms) == (term.holder,) or turn == 0
        house.now_ms = term.until_ms
    assert [each.holder for each in terms.terms_of(house.view, "treasurer")] == [house.all[n % 3].public for n in range(7)]


def test_a_collective_of_five_hundred_looks_up_who_holds_what() -> None:
    house = RoleHouse(others=3)
    for number in range(500):
        key = number.to_bytes(32)
        row = Membership(house.isle.number, key, 10 + number, key, None, 0, 0, FOREVER_MS, "", "", "")
        house.store.write(house.isle.number, PUBLIC, (MEMBERSHIPS.put(row),))
    names = [f"role-{number}" for number in range(40)]
    for name in names:
        house.define(name, 1)
        holder = house.all[1]
        house.give(holder, name)
    assert figures(house.view, house.now_ms)["roles.most-by-one"] == 40
    (grid,) = [b for b in PRACTICE.page(house.view, house.now_ms) if isinstance(b, Grid) and b.caption == "Who holds what"]
    assert len(grid.rows) == 40
    assert len(terms.held_by(house.view, house.all[1].public, house.now_ms)) == 40


def test_logs_of_roles_are_the_same_in_every_fold(held: RoleHouse) -> None:
    made = held.must("role.called/1", Called(held.first_term().id, BOOK, WHY), held.all[2])
    assert not held.as_decided("role.call-answered/1", Answered(made, "revoke", WHY))
    assert held.replayed().dump() == held.store.dump()
    erased = held.replayed(words=False)
    (row,) = erased.view(held.isle.id).all(ROLES)
    assert (row.domain, row.duties) == ("", "")
    (call,) = erased.view(held.isle.id).all(CALLS)
    assert (call.reasons, call.answer, call.outcome) == ("", "", "revoke")


def test_roles_are_a_practice_of_the_registry() -> None:
    assert PRACTICE in PRACTICES
