"""Nobody alone: every way that one member has found to end a review, to lift a pause or to renew themselves.

Each row is what Eve tries, with the sentence that she reads; an empty one says that the record holds and changes nothing of what
it was meant to change. She holds the founding mandate, as everybody here does. All goes through the real judge.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from protocol import drawing
from protocol.drawing import standing
from protocol.keys import SigningKey
from protocol.practice import MEMBERS
from protocol.practices import lots, members, tripwires
from protocol.proposal import Called as CalledFor
from protocol.proposal import Cast, Closed
from protocol.role_bodies import Answered, Defined, Dissolved, Recalled, Resigned, Taken
from protocol.terms import CALLS, TERMS, Permission, holder_of
from protocol.wires import REVIEWS, Review, open_reviews
from tests.laws.commune import BOOK, EVE, WHY, Commune
from tests.laws.world import MINUTE_MS
from tests.protocol.deciders import plan_of

DECIDE = "This takes a decision for exactly this act"
Row = tuple[str, Callable[[Commune], str], str]


def table(*rows: Row) -> pytest.MarkDecorator:
    """A test for each row, by its name."""
    return pytest.mark.parametrize(("way", "sentence"), [row[1:] for row in rows], ids=[row[0] for row in rows])


def answers(said: str, sentence: str) -> bool:
    return sentence in said if sentence else not said


# Ending a review


def review_of(commune: Commune) -> Review:
    return commune.rows(REVIEWS)[0]


def reported(commune: Commune) -> bytes:
    """The one who was drawn reports."""
    review = review_of(commune)
    return commune.report(review, commune.drawn("facilitator", review.id))


def accepted(commune: Commune) -> tripwires.ReviewAccepted:
    return tripwires.ReviewAccepted(reported(commune))


def by_another_report(commune: Commune) -> str:
    """Leave was given for one report, and is used for another."""
    review = review_of(commune)
    drawn = commune.drawn("facilitator", review.id)
    first, second = commune.report(review, drawn), commune.report(review, drawn)
    commune.decide("review.accepted/1", tripwires.ReviewAccepted(first))
    return commune.eve("review.accepted/1", tripwires.ReviewAccepted(second))


def hidden_acceptance(commune: Commune) -> str:
    body = accepted(commune)
    commune.decide("review.accepted/1", body)
    return commune.eve("review.accepted/1", body, MEMBERS)


def advised(commune: Commune) -> str:
    body = accepted(commune)
    plan = plan_of("review.accepted/1", body, commune.people[EVE].public)
    return commune.eve("decision.called/1", CalledFor(commune.propose(plan), 1, "advice"))


def second_lot(commune: Commune) -> str:
    reported(commune)
    return commune.eve("lot.opened/1", lots.Opened("facilitator", review_of(commune).id))


def declined_for_another(commune: Commune) -> str:
    """One declines for oneself only: the seat is the other's as before."""
    chosen = commune.drawn("facilitator", review_of(commune).id).public
    who = next(n for n, key in enumerate(commune.people) if key.public != chosen and n != EVE)
    lot = commune.rows(drawing.LOTS)[0].id
    said = commune.write("lot.declined/1", lots.LotDeclined(lot), commune.people[who])
    assert standing(commune.view, "facilitator", review_of(commune).id) == (chosen,)
    return said


def not_drawn(commune: Commune) -> str:
    review = review_of(commune)
    chosen = commune.drawn("facilitator", review.id)
    other = next(key for key in commune.people[2:] if key is not chosen)
    return commune.write("review.reported/1", tripwires.ReviewReported(review.wire, review.cycle, WHY, WHY), other)


def words_erased(commune: Commune) -> str:
    return commune.eve("record.erased/1", members.Erased(reported(commune), WHY))


def facilitator_removed(commune: Commune) -> str:
    chosen = commune.drawn("facilitator", review_of(commune).id)
    return commune.eve("member.removed/1", members.Removed(chosen.public, WHY))


REVIEW_WAYS: tuple[Row, ...] = (
    ("by the founding mandate", lambda c: c.eve("review.accepted/1", accepted(c)), DECIDE),
    ("by the node's own key", lambda c: c.clock("review.accepted/1", accepted(c)), DECIDE),
    ("by answers in one hand", lambda c: c.in_one_hand("review.accepted/1", accepted(c), 0), DECIDE),
    ("with the vote of whom it concerns", lambda c: c.decided_with("review.accepted/1", accepted(c)), DECIDE),
    ("with somebody else called concerned", lambda c: c.decided_with("review.accepted/1", accepted(c), c.people[2].public), DECIDE),
    ("by leave for another report", by_another_report, DECIDE),
    ("where nobody looks", hidden_acceptance, "are public"),
    ("by advice", advised, "advice decides nothing"),
    ("by a report of whom it concerns", lambda c: c.eve("review.reported/1", reporting(c)), "This review concerns you"),
    ("by a report before the draw", lambda c: c.write("review.reported/1", reporting(c), c.people[2]), "Draw by lot who"),
    ("by a report of somebody who was not drawn", not_drawn, "Somebody was drawn by lot to report"),
    ("by another lot", second_lot, "A draw is not repeated"),
    ("by declining for the one who was drawn", declined_for_another, ""),
    ("by removing the one who was drawn", facilitator_removed, DECIDE),
    ("by removing the wire", lambda c: c.eve("tripwire.removed/1", tripwires.WireRemoved(review_of(c).wire, WHY)), DECIDE),
    ("by removing it with the others", lambda c: c.as_decided("tripwire.removed/1", tripwires.WireRemoved(review_of(c).wire, WHY)), ""),
    ("by a wire that trips later", lambda c: c.as_decided("tripwire.set/1", tripwires.WireSet("members.count", "below", 1)), ""),
    ("by better figures of one's own", lambda c: c.eve("figures.noted/1", c.figures(99)), "You have not been given “clock”"),
    ("by noting the cycle again", lambda c: c.clock("figures.noted/1", c.figures(99)), "No figures are to be noted now"),
    ("by a protocol with fewer wires", lambda c: c.adopt("wires.most", 1), ""),
    ("by erasing the report", words_erased, ""),
)  # fmt: skip


def reporting(commune: Commune) -> tripwires.ReviewReported:
    review = review_of(commune)
    return tripwires.ReviewReported(review.wire, review.cycle, WHY, WHY)


@table(*REVIEW_WAYS)
def test_nobody_ends_a_review_alone(way: Callable[[Commune], str], sentence: str) -> None:
    commune = Commune()
    review = commune.trip(EVE)
    assert answers(way(commune), sentence)
    assert open_reviews(commune.view) == (review,)


def test_a_review_is_ended_by_a_report_that_the_others_accept() -> None:
    commune = Commune()
    commune.trip(EVE)
    assert not commune.as_decided("review.accepted/1", accepted(commune))
    assert not open_reviews(commune.view)


# Stopping what opens reviews


@pytest.mark.parametrize("whose", ["node", "root"])
def test_the_spaces_own_keys_are_no_members_device_so_that_nobody_stops_the_clock(whose: str) -> None:
    commune = Commune()
    key: SigningKey = getattr(commune, whose)
    said = commune.eve("member.device-added/1", members.DeviceAdded(key.public))
    assert said == "This key is known here already. Make a new one on the device."
    assert "not one of yours" in commune.eve("member.device-retired/1", members.DeviceRetired(key.public))
    commune.trip()  # the node's key still notes figures


# Lifting a pause


def answering(commune: Commune) -> Answered:
    """The call of Eve's shadow is answered: the permission holds again."""
    return Answered(commune.rows(CALLS)[0].id, "resume", WHY)


def shadow(commune: Commune) -> bytes:
    return commune.rows(CALLS)[0].caller


def stepped_down_and_drawn(commune: Commune) -> str:
    """Even where everybody else lets her have the role again, by lot, the permission rests."""
    commune.now_ms += MINUTE_MS
    assert not commune.eve("role.resigned/1", Resigned(commune.term().id))
    commune.drawn("role", commune.subject())
    (lot,) = commune.rows(drawing.LOTS, purpose="role")
    for key in commune.people:
        if key is not commune.people[EVE]:
            commune.must("lot.declined/1", lots.LotDeclined(lot.id), key)
    return commune.eve("role.taken/1", Taken("treasurer"))


def second_role() -> Defined:
    """Another role that keeps what the treasurer keeps."""
    return Defined("purse", 1, [Permission(BOOK, 0)], "All money.", "Books.")


def redefined_and_drawn(commune: Commune) -> str:
    """The permission is decided out of the role, she steps down, and the lot falls on somebody: nobody may by that."""
    commune.now_ms += MINUTE_MS
    empty = Defined("treasurer", 1, [], "Nothing", "Nothing")
    assert DECIDE in commune.eve("role.defined/1", empty)
    assert not commune.as_decided("role.defined/1", empty)
    assert not commune.eve("role.resigned/1", Resigned(commune.term().id))
    commune.must("role.taken/1", Taken("treasurer"), commune.drawn("role", commune.subject()))
    return commune.eve(BOOK, commune.book())


def renewed(commune: Commune) -> str:
    """The others give her one more term, and it begins."""
    said = commune.as_decided("role.renewed/1", commune.renewal())
    commune.now_ms = commune.term().until_ms
    return said


def shadow_leaves(commune: Commune) -> str:
    return commune.write("member.left/1", members.Left(), next(k for k in commune.people if k.public == shadow(commune)))


def hidden_answer(commune: Commune) -> str:
    commune.decide("role.call-answered/1", answering(commune))
    return commune.eve("role.call-answered/1", answering(commune), MEMBERS)


def with_another_key(commune: Commune) -> str:
    return commune.write(BOOK, commune.book(), commune.device())


def leave_for_more(commune: Commune) -> str:
    """A decision on one booking is no leave for another."""
    commune.decide(BOOK, commune.book(1_00))
    return commune.eve(BOOK, commune.book(2_00))


RESTS = "is paused by its shadow until the assembly has looked"
PAUSE_WAYS: tuple[Row, ...] = (
    ("by booking all the same", lambda c: c.eve(BOOK, c.book()), RESTS),
    ("by booking with another device", with_another_key, RESTS),
    ("by booking where nobody looks", lambda c: c.eve(BOOK, c.book(), MEMBERS), RESTS),
    ("by leave for another booking", leave_for_more, RESTS),
    ("by the founding mandate", lambda c: c.eve("role.call-answered/1", answering(c)), DECIDE),
    ("by the node's own key", lambda c: c.clock("role.call-answered/1", answering(c)), DECIDE),
    ("by answers in one hand", lambda c: c.in_one_hand("role.call-answered/1", answering(c), 0), DECIDE),
    ("with one's own vote", lambda c: c.decided_with("role.call-answered/1", answering(c), shadow(c)), DECIDE),
    ("with the shadow's vote", lambda c: c.decided_with("role.call-answered/1", answering(c), c.people[EVE].public), DECIDE),
    ("where nobody looks", hidden_answer, "is public"),
    ("by redefining the role", lambda c: c.eve("role.defined/1", c.treasurer()), DECIDE),
    ("by another role with its kind", lambda c: c.eve("role.defined/1", second_role()), DECIDE),
    ("by dissolving it", lambda c: c.eve("role.dissolved/1", Dissolved("treasurer", WHY)), DECIDE),
    ("by appointing anew", lambda c: c.eve("role.appointed/1", c.appointment()), DECIDE),
    ("by stepping down and being drawn", stepped_down_and_drawn, ""),
    ("by a next term", renewed, ""),
    ("by a protocol without calls", lambda c: c.adopt("roles.shadow-calls", 0), ""),
    ("by another lot for a shadow", lambda c: c.eve("lot.opened/1", lots.Opened("shadow", c.term().id)), "A draw is not repeated"),
    ("by removing the shadow", lambda c: c.eve("member.removed/1", members.Removed(shadow(c), WHY)), DECIDE),
    ("by the shadow's leaving", shadow_leaves, ""),
    ("by erasing the call", lambda c: c.eve("record.erased/1", members.Erased(answering(c).call, WHY)), ""),
)  # fmt: skip


@table(*PAUSE_WAYS)
def test_nobody_lifts_a_pause_alone(way: Callable[[Commune], str], sentence: str) -> None:
    commune = Commune()
    commune.pause()
    assert answers(way(commune), sentence)
    assert RESTS in commune.eve(BOOK, commune.book())
    assert not any(row.outcome for row in commune.rows(CALLS))


def test_nobody_opens_what_a_role_keeps_by_redefining_it_and_a_lot() -> None:
    commune = Commune()
    commune.pause()
    assert "of your term as treasurer ended at" in redefined_and_drawn(commune)
    stranger = commune.join()
    assert "“treasurer”, and nobody holds it now" in commune.write(BOOK, commune.book(), stranger)
    assert not commune.as_decided(BOOK, commune.book())


def test_a_pause_is_lifted_by_the_others_and_the_permission_holds_again() -> None:
    commune = Commune()
    commune.pause()
    assert not commune.as_decided("role.call-answered/1", answering(commune))
    assert not commune.eve(BOOK, commune.book())


def test_what_was_revoked_comes_back_with_a_next_term_that_the_others_decide_on_and_not_by_lot() -> None:
    for by_lot in (False, True):
        commune = Commune()
        commune.pause()
        assert not commune.as_decided("role.call-answered/1", Answered(commune.rows(CALLS)[0].id, "revoke", WHY))
        assert "This permission of your term as treasurer ended at" in commune.eve(BOOK, commune.book())
        commune.now_ms += MINUTE_MS
        assert not (stepped_down_and_drawn if by_lot else renewed)(commune)
        assert answers(commune.eve(BOOK, commune.book()), RESTS if by_lot else "")


# Renewing oneself


def drawn_by_another(commune: Commune) -> str:
    """The lot falls on somebody else, and Eve takes the role."""
    seed = 3
    while commune.drawn("role", commune.subject()) is commune.people[EVE]:
        seed += 1
        commune = Commune(seed=seed)
        commune.hold()
    return commune.eve("role.taken/1", Taken("treasurer"))


def lot_again(commune: Commune) -> str:
    commune.drawn("role", commune.subject())
    return commune.eve("lot.opened/1", lots.Opened("role", commune.subject()))


def own_vote(commune: Commune) -> str:
    round_ = commune.call(commune.propose(plan_of("role.renewed/1", commune.renewal(), commune.people[EVE].public)))
    return commune.eve("vote.cast/1", Cast(round_, "agree"))


def others_votes(commune: Commune) -> str:
    round_ = commune.call(commune.propose(plan_of("role.renewed/1", commune.renewal(), commune.people[EVE].public)))
    return commune.eve("vote.cast/1", Cast(round_, "agree", commune.people[2].public))


def stepped_down_and_appointed(commune: Commune) -> str:
    """Her vote would count, had she stepped down: she held it last all the same."""
    assert not commune.eve("role.resigned/1", Resigned(commune.term().id))
    return commune.decided_with("role.appointed/1", commune.appointment())


def successor_stepped_down(commune: Commune) -> str:
    """Somebody else had the next term and gave it back before it began: still it was she who held the last one."""
    assert not commune.as_decided("role.appointed/1", commune.appointment(2))
    following = max(commune.rows(TERMS), key=lambda row: row.position)
    assert not commune.write("role.resigned/1", Resigned(following.id), commune.people[2])
    return commune.decided_with("role.appointed/1", commune.appointment())


def came_back(commune: Commune) -> str:
    """Whoever leaves and comes back under another key holds nothing of what they held."""
    assert not commune.eve("member.left/1", members.Left())
    return commune.write(BOOK, commune.book(), commune.join())


def held_on(commune: Commune) -> str:
    device = commune.device()
    commune.now_ms = commune.term().until_ms
    return commune.write(BOOK, commune.book(), device)


RENEWAL_WAYS: tuple[Row, ...] = (
    ("by the founding mandate", lambda c: c.eve("role.renewed/1", c.renewal()), DECIDE),
    ("by the node's own key", lambda c: c.clock("role.renewed/1", c.renewal()), DECIDE),
    ("in one's own hand", lambda c: c.as_decided("role.renewed/1", c.renewal(), EVE), "written down by others than the holder"),
    ("with one's own vote", lambda c: c.decided_with("role.renewed/1", c.renewal(), by=0), DECIDE),
    ("with somebody else called concerned", lambda c: c.decided_with("role.renewed/1", c.renewal(), c.people[4].public, by=0), DECIDE),
    ("by answers in one hand", lambda c: c.in_one_hand("role.renewed/1", c.renewal(), 0), DECIDE),
    ("by voting", own_vote, "This concerns you"),
    ("by writing down the others' answers", others_votes, "This concerns you"),
    ("by appointing oneself", lambda c: c.eve("role.appointed/1", c.appointment()), DECIDE),
    ("by an appointment with one's own vote", lambda c: c.decided_with("role.appointed/1", c.appointment(), by=0), DECIDE),
    ("by stepping down and one's own vote", stepped_down_and_appointed, DECIDE),
    ("when the next one stepped down before their term began", successor_stepped_down, DECIDE),
    ("by a lot that fell on somebody else", drawn_by_another, "fell on somebody else"),
    ("by drawing again", lot_again, "A draw is not repeated"),
    ("by redefining the term as longer", lambda c: c.eve("role.defined/1", c.treasurer()), DECIDE),
    ("by another role with the same kind", lambda c: c.eve("role.defined/1", second_role()), DECIDE),
    ("by a protocol with longer terms", lambda c: c.adopt("roles.term-cycles", 13), ""),
    ("by dissolving and defining anew", lambda c: c.eve("role.dissolved/1", Dissolved("treasurer", WHY)), DECIDE),
    ("by leaving and coming back", came_back, "belongs to the role"),
    ("by another device after the end", held_on, "Your term as treasurer ended at"),
)  # fmt: skip


@table(*RENEWAL_WAYS)
def test_nobody_renews_themselves(way: Callable[[Commune], str], sentence: str) -> None:
    commune = Commune()
    term = commune.hold()
    assert answers(way(commune), sentence)
    assert [row.until_ms for row in commune.rows(TERMS) if row.until_ms > term.until_ms] == []
    commune.now_ms = term.until_ms
    assert commune.eve(BOOK, commune.book())


def test_nobody_ends_anothers_next_term_to_stay_themselves() -> None:
    commune = Commune()
    commune.hold()
    assert not commune.as_decided("role.appointed/1", commune.appointment(4))
    given = next(row for row in commune.rows(TERMS) if row.holder == commune.people[4].public)
    assert DECIDE in commune.eve("role.recalled/1", Recalled(given.id, WHY))
    assert "Only who holds a term steps down" in commune.eve("role.resigned/1", Resigned(given.id))
    assert DECIDE in commune.eve("member.removed/1", members.Removed(given.holder, WHY))
    commune.now_ms = given.since_ms
    assert holder_of(commune.view, "treasurer", commune.now_ms) == given.holder


@pytest.mark.parametrize("people", [2, 3])
def test_in_a_tiny_collective_nobody_renews_themselves_with_one_friend(people: int) -> None:
    commune = Commune(people)
    commune.hold()
    plan = plan_of("role.renewed/1", commune.renewal(), commune.people[EVE].public)
    proposal = commune.propose(plan)
    if people == 2:
        said = commune.eve("decision.called/1", CalledFor(proposal, 1, "consent"))
        assert said.startswith("1 member may vote on this, because the others are concerned; it takes 2 people in favour.")
        return
    round_ = commune.call(proposal)
    commune.must("vote.cast/1", Cast(round_, "agree"), commune.people[0])
    commune.must("vote.cast/1", Cast(round_, "agree", commune.people[2].public), commune.people[0])
    assert "1 member may still answer" in commune.eve("decision.closed/1", Closed(round_))
    commune.now_ms = commune.round(round_).closes_ms
    assert commune.close(round_).result == "not accepted"
    assert DECIDE in commune.write("role.renewed/1", commune.renewal(), commune.people[0])
