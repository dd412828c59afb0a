"""Roles: defined, given, renewed by others, watched by a shadow, and over by themselves."""

from __future__ import annotations

import msgspec
import pytest

from protocol import moon, terms
from protocol.body import from_json, structure_and_words
from protocol.judge import spoken_time
from protocol.keys import SigningKey
from protocol.mandate import act_name
from protocol.practice import GRANTS, RESERVED, Refused
from protocol.practices import KINDS, roles
from protocol.practices import members as joining
from protocol.practices.roles import PRACTICE
from protocol.role_bodies import (
    Appointed,
    Called,
    Defined,
    Dissolved,
    Recalled,
    Renewed,
    Resigned,
    Taken,
)
from protocol.role_dues import due, figures
from protocol.terms import TERMS, Permission
from tests.laws.world import DAY_MS, MINUTE_MS
from tests.protocol.role_house import BOOK, PUBLISH, TAKES_DECISION, WHY, Decided, RoleHouse, blocks_of, booked, watched

NEVER_DUTIES = {"member.left/1", "member.joined/1", "member.removed/1", "member.invited/1", "record.erased/1"}


@pytest.fixture
def house() -> RoleHouse:
    return RoleHouse()


@pytest.fixture
def held() -> RoleHouse:
    return watched()


# Defining


def test_defining_takes_the_assembly_and_gives_nobody_anything(house: RoleHouse) -> None:
    guest = house.all[1]
    house.define()
    assert house.rows(TERMS) == []
    assert house.rows(RESERVED) == []
    assert not house.write(BOOK, booked(), guest), "before its first term everybody still may"
    row = house.role()
    assert (row.cycles, row.permitted) == (1, (Permission(BOOK, 100_00),))
    assert (row.domain, row.duties) == ("All money up to a hundred.", "Books.")


def test_a_role_keeps_to_itself_what_it_may_write_from_its_first_term_on(house: RoleHouse) -> None:
    house.define()
    term = house.give(house.all[1])
    assert not house.write(BOOK, booked(100_00), house.all[1])
    said = house.write(BOOK, booked(1), house.all[2])
    assert said == (
        "“Book a transaction” belongs to the role “treasurer”, which you do not hold. Ask who holds it, or propose a decision."
    )
    said = house.write(BOOK, booked(100_01), house.all[1])
    assert said == "Your term as treasurer covers amounts up to 100.00; this is 100.01."
    assert (term.since_ms, term.until_ms) == (house.now_ms, moon.after_cycles(house.now_ms, 1))


def test_a_permission_is_for_kinds_of_records_and_never_for_a_mandate() -> None:
    for name in ("assembly", "member", "clock", "decision", "act:00", "ledger.transaction-booked", "a.b/0", "a.b/1\n"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"kind": name}, Permission)
    value = {"role": "x-1", "cycles": 1, "permissions": [{"kind": "assembly"}], "domain": "All of it."}
    with pytest.raises(Refused, match="Kind of record"):
        from_json(Defined, value)


def test_a_role_has_a_short_name_a_term_and_each_kind_once(house: RoleHouse) -> None:
    twice = Defined("treasurer", 1, [Permission(BOOK), Permission(BOOK, 5)])
    assert house.write("role.defined/1", twice, house.founder) == (
        "Permissions: “transaction booked” is there twice. Give each kind one limit."
    )
    assert house.write("role.defined/1", Defined("treasurer", 2), house.founder) == (
        "Cycles of a term: a term is at most 1 cycle long here. Choose fewer."
    )
    house.set_parameter(terms.TERM_CYCLES, 3)
    house.defined(Defined("treasurer", 3), house.founder)
    for name in ("T", "treasurer\n", "a" * 31, "-x", ""):
        with pytest.raises(Refused, match="Role:"):
            from_json(Defined, {"role": name, "cycles": 1, "domain": "All"})
    with pytest.raises(Refused, match="Cycles of a term: a whole number from 1 to 39"):
        from_json(Defined, {"role": "treasurer", "cycles": 0, "domain": "All"})
    with pytest.raises(Refused, match="Domain: this is missing"):
        from_json(Defined, {"role": "treasurer", "cycles": 1})


def test_who_holds_neither_mandate_nor_decision_defines_nothing(house: RoleHouse) -> None:
    late = late_member(house)
    body = Defined("treasurer", 1)
    assert "You have not been given “assembly”" in house.write("role.defined/1", body, late)
    assert not house.as_decided("role.defined/1", body, late)


def test_what_a_role_keeps_is_given_to_no_other_role_without_a_decision(held: RoleHouse) -> None:
    """Else any founder could have themselves drawn for a second role with it, and go round the one there is."""
    second = Defined("keeper", 1, [Permission(PUBLISH), Permission(BOOK)])
    assert held.write("role.defined/1", second, held.founder) == TAKES_DECISION
    assert held.view.get(terms.ROLES, "keeper") is None
    assert not held.write("role.defined/1", Defined("library", 1, [Permission(PUBLISH)]), held.founder), "that is free still"
    assert not held.as_decided("role.defined/1", second, held.all[3])
    assert held.role("keeper").permitted == (Permission(PUBLISH), Permission(BOOK))


def test_a_kind_is_kept_from_a_roles_first_term_on_also_while_it_is_vacant_until_it_is_dissolved(house: RoleHouse) -> None:
    house.define()
    second = Defined("keeper", 1, [Permission(BOOK)])
    assert not house.write("role.defined/1", msgspec.structs.replace(second, role="before"), house.founder)
    house.give(house.all[1])
    assert house.write("role.defined/1", second, house.founder) == TAKES_DECISION
    house.now_ms = house.first_term().until_ms + MINUTE_MS
    assert house.write("role.defined/1", second, house.founder) == TAKES_DECISION
    assert not house.as_decided("role.dissolved/1", Dissolved("treasurer", WHY))
    assert not house.write("role.defined/1", second, house.founder)


def test_a_role_that_is_there_is_redefined_by_a_decision_alone(house: RoleHouse) -> None:
    """Also one that was never given, because a lot for it can be open."""
    row = house.define()
    wider = Defined("treasurer", 1, [Permission(BOOK)], "All money.", "Books.")
    for key in house.all:
        assert house.write("role.defined/1", wider, key) == TAKES_DECISION
    assert house.role() == row
    house.leave("role.defined/1", wider)
    other = msgspec.structs.replace(wider, permissions=[Permission(BOOK), Permission(PUBLISH)])
    assert house.write("role.defined/1", other, house.founder) == TAKES_DECISION, "the leave is for one definition"
    assert not house.write("role.defined/1", wider, house.all[3])
    assert house.role().permitted == (Permission(BOOK),)
    assert house.write("role.defined/1", wider, house.all[3]).endswith("it was used, or lapsed. Decide anew.")


def test_a_role_that_was_dissolved_is_a_new_one(house: RoleHouse) -> None:
    house.define()
    assert not house.as_decided("role.dissolved/1", Dissolved("treasurer", WHY))
    assert not house.write("role.defined/1", Defined("treasurer", 1), house.founder)


def late_member(house: RoleHouse) -> SigningKey:
    """A member who came after the founding round and holds no mandate."""
    house.later(31)
    key = house.join()
    house.must("member.vouched/1", joining.Vouched(key.public), house.all[1])
    assert key.public in house.here()
    return key


def test_redefining_changes_nothing_in_a_term_that_is_given(held: RoleHouse) -> None:
    treasurer, guest = held.all[1], held.all[2]
    held.define("treasurer", 1, Permission(BOOK, 900_00), Permission(PUBLISH))
    assert "up to 100.00" in held.write(BOOK, booked(200_00), treasurer)
    assert {row.kind for row in held.rows(RESERVED)} == {BOOK}, "what is new is kept from the next term on"
    held.now_ms = held.first_term().until_ms
    held.give(guest)
    assert not held.write(BOOK, booked(900_00), guest)
    assert {row.kind for row in held.rows(RESERVED)} == {BOOK, PUBLISH}


def test_redefining_a_role_without_a_kind_opens_it_to_nobody_before_the_next_term(held: RoleHouse) -> None:
    """Else whoever is paused could get round the assembly: define the pause away, or step down and do so."""
    treasurer, shadow = held.all[1], held.all[2]
    held.must("role.called/1", Called(held.first_term().id, BOOK, WHY), shadow)
    without = Defined("treasurer", 1, [Permission(PUBLISH)])
    assert held.write("role.defined/1", without, treasurer) == TAKES_DECISION
    held.defined(without, treasurer)
    assert "is paused by its shadow" in held.write(BOOK, booked(), treasurer)
    held.must("role.resigned/1", Resigned(held.first_term().id), treasurer)
    held.later(0.1)
    assert held.write(BOOK, booked(), treasurer)
    assert "belongs to the role" in held.write(BOOK, booked(), held.founder)
    held.give(held.all[3])
    assert not held.write(BOOK, booked(), held.founder), "given by the members' decision, without that kind"


def test_what_is_decided_on_a_definition_does_not_hold_for_another(house: RoleHouse) -> None:
    old = house.define()
    body = Appointed("treasurer", old.id, house.all[1].public, "vote")
    house.leave("role.appointed/1", body)
    house.define("treasurer", 1, Permission(BOOK))
    assert house.write("role.appointed/1", body, house.founder) == (
        "treasurer was redefined after this was decided. Decide anew, so that all know what they give."
    )


def test_dissolving_ends_terms_and_opens_what_was_kept(held: RoleHouse) -> None:
    assert "This takes a decision" in held.write("role.dissolved/1", Dissolved("treasurer", WHY), held.founder)
    assert not held.as_decided("role.dissolved/1", Dissolved("treasurer", WHY))
    assert held.first_term().until_ms == held.now_ms
    assert held.first_term().ended == "dissolved"
    assert held.rows(RESERVED) == []
    assert not held.write(BOOK, booked(), held.all[3])
    assert "treasurer was dissolved at" in held.as_decided("role.dissolved/1", Dissolved("treasurer", WHY), held.all[1])
    row = held.role()
    body = Appointed("treasurer", row.id, held.all[3].public, "vote")
    assert "Define it anew first" in held.as_decided("role.appointed/1", body)
    again = held.define()
    assert again.first != row.first
    assert again.since_ms == held.now_ms
    assert terms.lot_subject(held.view, again) == again.first


def test_what_roles_may_hold_locks_nobody_out() -> None:
    duties = {name for name, kind in KINDS.items() if kind.duty}
    assert {BOOK, PUBLISH, "campaign.called/1", "ledger.transaction-reversed/1"} <= duties
    assert not duties & NEVER_DUTIES
    assert not {
        name for name in duties if name.split(".")[0] in ("role", "shadow", "lot", "decision", "vote", "member", "tripwire")
    }
    assert all(KINDS[name].needs == "member" for name in duties)


# Giving


def test_nobody_is_appointed_without_a_decision_for_exactly_that(house: RoleHouse) -> None:
    row = house.define()
    body = Appointed("treasurer", row.id, house.all[1].public, "consent")
    assert house.write("role.appointed/1", body, house.founder) == TAKES_DECISION
    house.leave("role.appointed/1", body)
    for other in (
        msgspec.structs.replace(body, holder=house.all[2].public),
        msgspec.structs.replace(body, chosen="vote"),
    ):
        assert house.write("role.appointed/1", other, house.founder) == TAKES_DECISION
    assert not house.write("role.appointed/1", body, house.all[3])
    house.must("role.resigned/1", Resigned(house.last_term().id), house.all[1])
    again = house.write("role.appointed/1", body, house.all[3])
    assert again == TAKES_DECISION, "it was used, and once more they have no vote on it"


def test_only_members_are_appointed_and_only_to_roles_there_are(house: RoleHouse) -> None:
    row = house.define()
    stranger = Appointed("treasurer", row.id, bytes(32), "vote")
    assert house.as_decided("role.appointed/1", stranger) == "Who: that is not a member here now. Choose one who is."
    house.must("member.left/1", joining.Left(), house.all[3])
    gone = Appointed("treasurer", row.id, house.all[3].public, "vote")
    assert "not a member here now" in house.as_decided("role.appointed/1", gone)
    unknown = Appointed("cook", row.id, house.all[1].public, "vote")
    assert "There is no such role here" in house.as_decided("role.appointed/1", unknown)


def test_a_term_given_while_one_lasts_begins_at_its_end(held: RoleHouse) -> None:
    now = held.first_term()
    after = held.give(held.all[2])
    assert (after.since_ms, after.until_ms) == (now.until_ms, moon.after_cycles(now.until_ms, 1))
    body = Appointed("treasurer", held.role().id, held.all[3].public, "vote")
    assert held.as_decided("role.appointed/1", body) == (
        f"The next term of treasurer is given already: it begins at {spoken_time(after.since_ms)}. Wait for it, or recall it."
    )
    assert "begins at" in held.write(BOOK, booked(), held.all[2])
    held.now_ms = now.until_ms - MINUTE_MS
    assert not held.write(BOOK, booked(), held.all[1])
    held.now_ms = now.until_ms
    assert not held.write(BOOK, booked(), held.all[2])
    assert f"Your term as treasurer ended at {spoken_time(now.until_ms)}" in held.write(BOOK, booked(), held.all[1])


def test_a_gap_before_a_term_that_is_given_is_filled_up_to_it(held: RoleHouse) -> None:
    after = held.give(held.all[2])
    held.must("role.resigned/1", Resigned(held.rows(TERMS, holder=held.all[1].public)[0].id), held.all[1])
    held.later(0.5)
    between = held.give(held.all[3])
    assert (between.since_ms, between.until_ms) == (held.now_ms, after.since_ms)
    assert terms.holder_of(held.view, "treasurer", after.since_ms) == held.all[2].public
    assert terms.holder_of(held.view, "treasurer", after.since_ms - 1) == held.all[3].public


def test_nobody_holds_a_role_more_often_in_a_row_than_the_protocol_allows(held: RoleHouse) -> None:
    first, again = held.first_term(), held.all[1]
    body = Appointed("treasurer", held.role().id, again.public, "vote")
    said = (
        "The same person has held treasurer for 1 term in a row, as many as the protocol allows. "
        "Choose somebody else; after a cycle of pause they can be chosen again."
    )
    assert terms.barred(held.view, "treasurer", held.now_ms) == (again.public,)
    assert held.as_decided("role.appointed/1", body) == said
    pause_ms = moon.after_cycles(first.until_ms, 1)
    held.now_ms = pause_ms - MINUTE_MS
    assert held.as_decided("role.appointed/1", body) == said
    held.now_ms = pause_ms
    assert terms.barred(held.view, "treasurer", held.now_ms) == ()
    assert not held.as_decided("role.appointed/1", body)
    assert held.last_term().previous is None


def test_somebody_else_in_between_does_not_make_up_for_a_pause(held: RoleHouse) -> None:
    held.later(0.1)
    held.must("role.resigned/1", Resigned(held.first_term().id), held.all[1])
    held.later(0.1)
    held.give(held.all[2])
    held.must("role.resigned/1", Resigned(held.last_term().id), held.all[2])
    held.later(0.1)
    body = Appointed("treasurer", held.role().id, held.all[1].public, "vote")
    assert "as many as the protocol allows" in held.as_decided("role.appointed/1", body)


def test_who_was_drawn_takes_the_role(house: RoleHouse) -> None:
    house.define()
    drawn, other = house.all[2], house.all[3]
    assert house.write("role.taken/1", Taken("treasurer"), drawn) == (
        "No lot was drawn for the next term of treasurer. Open one on the page of roles."
    )
    house.draw("role", terms.lot_subject(house.view, house.role()), [drawn, other])
    assert house.write("role.taken/1", Taken("treasurer"), other) == (
        "The lot for treasurer fell on somebody else. They take it, or decline so that the next is asked."
    )
    assert not house.write("role.taken/1", Taken("treasurer"), drawn)
    assert house.last_term().chosen == "lot"
    assert "No lot was drawn for the next term" in house.write("role.taken/1", Taken("treasurer"), drawn), (
        "each vacancy has a lot"
    )
    assert not house.write(BOOK, booked(), drawn)


def test_who_was_drawn_takes_the_role_as_it_stood_when_the_lot_was_opened(house: RoleHouse) -> None:
    house.define()
    house.draw("role", terms.lot_subject(house.view, house.role()), [house.all[2]])
    house.define("treasurer", 1, Permission(BOOK), Permission(PUBLISH))
    house.must("role.taken/1", Taken("treasurer"), house.all[2])
    (grant,) = house.rows(GRANTS, source=house.last_term().id)
    assert (grant.name, grant.up_to) == (BOOK, 100_00)


def test_redefining_does_not_give_a_second_draw(house: RoleHouse) -> None:
    first = terms.lot_subject(house.view, house.define())
    assert terms.lot_subject(house.view, house.define("treasurer", 1, Permission(BOOK))) == first
    found = terms.role_of_subject(house.view, first)
    assert found is not None
    assert found.role == "treasurer"
    term = house.give(house.all[1])
    assert terms.lot_subject(house.view, house.role()) == term.id
    assert terms.role_of_subject(house.view, first) is None
    assert terms.role_of_subject(house.view, term.id) == house.role()


# Renewal


def test_a_renewal_takes_reasons_a_decision_and_somebody_else(held: RoleHouse) -> None:
    held.set_parameter(terms.CONSECUTIVE, 2)
    term, treasurer = held.first_term(), held.all[1]
    body = held.renewal(term)
    for missing in ("achieved", "reasons"):
        value = {"term": term.id.hex(), "definition": held.role().id.hex(), "achieved": WHY, "reasons": WHY}
        with pytest.raises(Refused, match="this is missing"):
            from_json(Renewed, {name: text for name, text in value.items() if name != missing})
        with pytest.raises(Refused, match="from 20 to"):
            from_json(Renewed, {**value, missing: "Fine."})
    assert "This takes a decision" in held.write("role.renewed/1", body, held.founder)
    assert roles.the_holder(held.view, body) == (treasurer.public,)
    assert held.as_decided("role.renewed/1", body, treasurer) == (
        "A renewal is decided and written down by others than the holder. Ask another member to do it."
    )
    assert not held.write("role.renewed/1", body, held.all[3])
    after = held.last_term()
    assert (after.since_ms, after.previous, after.chosen) == (term.until_ms, term.id, "renewed")
    assert (after.achieved, after.reasons) == (body.achieved, WHY)
    assert terms.in_a_row(held.view, after) == 2
    held.now_ms = term.until_ms
    assert not held.write(BOOK, booked(), treasurer), "it goes on without a gap"
    assert "2 terms in a row" in held.as_decided("role.renewed/1", held.renewal(after))


def test_a_decision_in_which_the_holder_had_a_vote_renews_nothing(held: RoleHouse) -> None:
    held.set_parameter(terms.CONSECUTIVE, 2)
    body = held.renewal(held.first_term())
    held.must("stand.decided/1", Decided(act_name("role.renewed/1", structure_and_words(body)[0], ())), held.founder)
    assert "by others than those whom it concerns" in held.write("role.renewed/1", body, held.founder)


def test_only_a_term_in_force_is_renewed_and_only_within_the_limit(held: RoleHouse) -> None:
    term = held.first_term()
    assert "as many as the protocol allows" in held.as_decided("role.renewed/1", held.renewal(term))
    held.set_parameter(terms.CONSECUTIVE, 3)
    assert "There is no such term here" in held.as_decided("role.renewed/1", Renewed(bytes(32), held.role().id, WHY, WHY))
    stale = Renewed(term.id, bytes(32), WHY, WHY)
    assert "was redefined after this was decided" in held.as_decided("role.renewed/1", stale)
    assert not held.as_decided("role.renewed/1", held.renewal(term))
    after = held.last_term()
    assert "It can be renewed only while it lasts" in held.as_decided("role.renewed/1", held.renewal(after))
    assert "The next term of treasurer is given already" in held.as_decided("role.renewed/1", held.renewal(term))
    held.now_ms = after.until_ms
    assert held.as_decided("role.renewed/1", held.renewal(after)) == (
        f"This term ended at {spoken_time(after.until_ms)}. What was not renewed is over: appoint anew."
    )


# The end


def test_a_term_is_over_at_its_last_instant_without_anybody_acting(held: RoleHouse) -> None:
    term, treasurer = held.first_term(), held.all[1]
    held.now_ms = term.until_ms - MINUTE_MS
    assert not held.write(BOOK, booked(), treasurer)
    size = len(held.isle.log)
    held.now_ms = term.until_ms
    assert held.write(BOOK, booked(), treasurer) == (
        f"Your term as treasurer ended at {spoken_time(term.until_ms)}. Ask for a new appointment."
    )
    assert held.write(BOOK, booked(), held.all[3]) == (
        "“Book a transaction” belongs to the role “treasurer”, and nobody holds it now. Draw who takes it by lot, or propose an "
        "election; until then it takes a decision."
    )
    assert not held.as_decided(BOOK, booked(7_00), held.all[3]), "the members themselves always may"
    assert len(held.isle.log) == size + 2


def test_a_recall_takes_a_decision_without_the_holder_and_ends_what_was_given_after_it(held: RoleHouse) -> None:
    held.set_parameter(terms.CONSECUTIVE, 2)
    term, treasurer = held.first_term(), held.all[1]
    assert not held.as_decided("role.renewed/1", held.renewal(term))
    body = Recalled(term.id, WHY)
    assert roles.the_holder(held.view, body) == (treasurer.public,)
    assert "This takes a decision" in held.write("role.recalled/1", body, held.founder)
    held.later(1)
    assert not held.as_decided("role.recalled/1", body)
    assert held.term(term.id).until_ms == held.now_ms
    assert held.term(term.id).why == WHY
    assert f"ended at {spoken_time(held.now_ms)}" in held.write(BOOK, booked(), treasurer)
    held.now_ms = held.last_term().since_ms + DAY_MS
    assert "ended at" in held.write(BOOK, booked(), treasurer)
    assert f"This term is over already: it ended at {spoken_time(held.term(term.id).until_ms)}." in held.as_decided(
        "role.recalled/1", Recalled(term.id, WHY)
    )


def test_a_term_to_come_is_recalled_alone(held: RoleHouse) -> None:
    now, after = held.first_term(), held.give(held.all[2])
    assert not held.as_decided("role.recalled/1", Recalled(after.id, WHY))
    assert not held.write(BOOK, booked(), held.all[1])
    assert held.term(after.id).until_ms == held.term(after.id).since_ms == now.until_ms
    held.now_ms = now.until_ms
    assert held.write(BOOK, booked(), held.all[2])


def test_a_role_whose_next_term_was_recalled_before_it_began_is_vacant_at_the_end_of_this_one(held: RoleHouse) -> None:
    now, after = held.first_term(), held.give(held.all[2])
    assert not held.as_decided("role.recalled/1", Recalled(after.id, WHY))
    assert after.since_ms == now.until_ms
    vacant = "Nobody holds treasurer: draw by lot, or propose an election"
    for at_ms, there in ((now.until_ms - 1, False), (now.until_ms, True)):
        assert any(each.what == vacant for each in due(held.view, at_ms)) is there
    held.must("role.resigned/1", Resigned(now.id), held.all[1])
    assert [each.since_ms for each in due(held.view, held.now_ms) if each.what == vacant] == [held.now_ms]


def test_the_holder_steps_down_and_nobody_for_them(held: RoleHouse) -> None:
    term, treasurer = held.first_term(), held.all[1]
    assert held.write("role.resigned/1", Resigned(term.id), held.founder) == (
        "Only who holds a term steps down from it. To end somebody else's, propose a recall."
    )
    assert not held.write("role.resigned/1", Resigned(term.id, "I am tired."), treasurer)
    assert held.write("role.resigned/1", Resigned(term.id), treasurer) == (
        f"This term is over already: it ended at {spoken_time(held.now_ms)}."
    )
    assert held.write(BOOK, booked(), treasurer)


def test_who_leaves_holds_nothing_and_the_page_says_so(held: RoleHouse) -> None:
    term, treasurer = held.first_term(), held.all[1]
    held.later(1)
    held.must("member.left/1", joining.Left(), treasurer)
    assert held.write(BOOK, booked(), treasurer)
    gone = held.term(term.id)
    assert (gone.until_ms, gone.ended) == (held.now_ms, "left")
    assert held.rows(TERMS)[0].until_ms > held.now_ms, "what they did stands as it was written"
    assert terms.holder_of(held.view, "treasurer", held.now_ms) is None
    assert terms.held_by(held.view, treasurer.public, held.now_ms) == ()
    assert figures(held.view, held.now_ms)["roles.vacant"] == 1
    assert "vacant" in blocks_of(PRACTICE.page(held.view, held.now_ms))
    held.give(held.all[2])
    assert not held.write(BOOK, booked(), held.all[2])


def test_a_term_before_one_that_was_given_earlier_counts_in_a_row_and_its_pause_goes_on(house: RoleHouse) -> None:
    house.set_parameter(terms.CONSECUTIVE, 1)
    house.define()
    first, eve = house.all[1], house.all[2]
    term = house.give(first)
    given = house.give(eve)
    assert given.since_ms == term.until_ms
    house.now_ms += MINUTE_MS
    assert not house.as_decided("role.recalled/1", Recalled(term.id, WHY))
    body = Appointed("treasurer", house.role().id, eve.public, "consent")
    assert "1 term in a row" in house.as_decided("role.appointed/1", body)
    house.set_parameter(terms.CONSECUTIVE, 2)
    rest = house.give(eve)
    assert (rest.until_ms, house.term(given.id).previous) == (given.since_ms, rest.id)
    house.draw("shadow", rest.id, [house.all[3]])
    house.must("role.called/1", Called(rest.id, BOOK, WHY), house.all[3])
    house.now_ms = given.since_ms + MINUTE_MS
    assert "is paused by its shadow" in house.write(BOOK, booked(), eve)
