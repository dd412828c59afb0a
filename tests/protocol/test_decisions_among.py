"""Decisions for fewer than everybody: judged, carried out and seen by those among whom they were made, and by nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.deciding import JUDGEMENTS, OUTCOMES, PROPOSALS, Outcome, leave_of, stands
from protocol.decision_story import about
from protocol.keys import SigningKey
from protocol.mandate import ANYBODY
from protocol.membership import ERASURES
from protocol.moon import new_moon_ms
from protocol.page import Action
from protocol.practice import ALLIES, EVERYTHING, GRANTS, MEMBERS, PUBLIC
from protocol.practices.assemblies import AssemblyCalled, MinutesTaken
from protocol.practices.decisions import PRACTICE
from protocol.practices.ledger import Booked, Posting
from protocol.practices.members import Erased, Named
from protocol.proposal import Discussed, Judged, Proposed
from protocol.role_bodies import Defined
from protocol.terms import TERMS, Permission
from tests.laws.commune import BOOK, WHY, Commune
from tests.laws.world import DAY_MS, MINUTE_MS

JUDGED, ERASED, TAKEN = "decision.judged/1", "record.erased/1", "minutes.taken/1"
AMONG = pytest.mark.parametrize("whom", [ALLIES, MEMBERS])


@pytest.fixture
def commune() -> Commune:
    return Commune()


def made(commune: Commune, whom: int) -> Outcome:
    """A decision for some, with a review and a sunset."""
    proposal = commune.propose(audience=whom)
    round_ = commune.call(proposal, audience=whom, review_cycle=commune.cycle + 2, sunset_cycle=commune.cycle + 4)
    commune.answer(round_, *["agree"] * len(commune.people))
    return commune.close(round_)


@AMONG
def test_a_decision_is_judged_by_a_decision_among_those_for_whom_it_was_made(commune: Commune, whom: int) -> None:
    row = made(commune, whom)
    commune.now_ms = row.review_ms + MINUTE_MS
    assert stands(row, commune.now_ms) == "back on the agenda"
    body = Judged(row.id, "met", commune.cycle + 2, commune.cycle + 5, WHY)
    assert "takes a decision" in commune.eve(JUDGED, body, whom)
    commune.decide(JUDGED, body, whom)
    assert commune.eve(JUDGED, body), "in public there is no such leave"
    assert not commune.eve(JUDGED, body, whom)
    now = commune.outcome(row.id)
    assert (stands(now, commune.now_ms), now.review_ms) == ("in force", new_moon_ms(body.review_cycle))
    assert "Decide anew" in commune.eve(JUDGED, body, whom)
    public = commune.store.view(commune.isle.id, PUBLIC)
    assert not public.all(PROPOSALS)
    assert not public.all(OUTCOMES)
    assert not public.all(JUDGEMENTS)
    assert not public.all(GRANTS, holder=ANYBODY), "that something was decided is not told by its leave"


@AMONG
def test_what_is_not_met_and_what_is_ended_are_judged_there_too(commune: Commune, whom: int) -> None:
    row = made(commune, whom)
    for verdict, state in (("not-met", "back on the agenda"), ("end", "ended")):
        body = Judged(row.id, verdict, found=WHY)  # type: ignore[arg-type]  # one of two
        commune.decide(JUDGED, body, whom)
        assert not commune.eve(JUDGED, body, whom)
        assert stands(commune.outcome(row.id), commune.now_ms) == state


def test_a_public_decision_gives_no_leave_among_members_and_the_other_way_round(commune: Commune) -> None:
    hidden, open_ = made(commune, MEMBERS), commune.settled()
    for row, decided, written in ((hidden, PUBLIC, MEMBERS), (open_, MEMBERS, PUBLIC)):
        body = Judged(row.id, "end", found=WHY)
        commune.decide(JUDGED, body, decided)
        for whom in (decided, written):
            assert commune.eve(JUDGED, body, whom)
        assert commune.outcome(row.id).reviews == 0


@AMONG
def test_everything_that_the_page_offers_is_for_the_same_people(commune: Commune, whom: int) -> None:
    row = made(commune, whom)
    commune.must("decision.discussed/1", Discussed(row.proposal, "outcome", WHY), commune.people[0], whom)
    offered = [block for block in about(commune.view, row.proposal, commune.now_ms) if isinstance(block, Action)]
    assert {block.label for block in offered} >= {"Propose: it was met", "Propose: it was not met", "Propose to end it"}
    assert {block.audience for block in offered} == {whom}
    round_ = commune.call(commune.propose(audience=whom), audience=whom)
    page: list[Any] = list(PRACTICE.page(commune.view, commune.now_ms))
    answers = [block for block in page if isinstance(block, Action) and block.filled.get("round") == round_.hex()]
    assert [block.audience for block in answers] == [whom]


def test_words_for_members_alone_are_erased_by_a_decision_among_them_after_the_founding_mandate(commune: Commune) -> None:
    named = commune.must("member.named/1", Named("Somebody else's name"), commune.people[2])
    commune.now_ms += 40 * 31 * DAY_MS
    body = Erased(named, WHY)
    assert "ended at" in commune.eve(ERASED, body, MEMBERS)
    commune.decide(ERASED, body, MEMBERS)
    assert not commune.eve(ERASED, body, MEMBERS)
    assert commune.view.get(ERASURES, named)


def with_role(commune: Commune, permission: Permission) -> SigningKey:
    """Somebody holds a role that keeps this to itself."""
    commune.must("role.defined/1", Defined("treasurer", 1, [permission], WHY, WHY), commune.people[0])
    assert not commune.as_decided("role.appointed/1", commune.appointment())
    return commune.people[1]


def test_a_booking_for_members_alone_above_the_roles_limit_is_decided_among_them(commune: Commune) -> None:
    holder = with_role(commune, Permission(BOOK, 100_00))
    body = Booked(date="2026-01-14", postings=[Posting("expenses:food", 200_00, "EUR"), Posting("assets:cash", -200_00, "EUR")])
    assert "covers amounts up to 100.00" in commune.write(BOOK, body, holder, MEMBERS)
    commune.decide(BOOK, body, MEMBERS)
    assert commune.write(BOOK, body, holder, PUBLIC)
    assert not commune.write(BOOK, body, holder, MEMBERS)


def test_what_only_members_read_can_be_decided_while_the_role_for_it_is_vacant(commune: Commune) -> None:
    with_role(commune, Permission(TAKEN))
    day_ms = commune.rows(TERMS)[0].until_ms
    call = AssemblyCalled(opens_ms=day_ms - DAY_MS, ends_ms=day_ms - DAY_MS // 2, purpose=WHY)
    assembly = commune.must("assembly.called/1", call, commune.people[0])
    commune.now_ms = day_ms
    body = MinutesTaken(assembly=assembly, words=WHY)
    assert "nobody holds it now" in commune.write(TAKEN, body, commune.people[2])
    commune.decide(TAKEN, body)
    assert not commune.write(TAKEN, body, commune.people[2])
    leave = [
        leave_of(commune.view, row) for row in commune.store.view(commune.isle.id, EVERYTHING).all(OUTCOMES, act_kind=TAKEN)
    ]
    assert [each and each.until_ms <= commune.now_ms for each in leave] == [True]


def test_a_proposal_is_not_for_named_spaces_and_a_strategic_one_is_public(commune: Commune) -> None:
    body = Proposed("A second key", "We have a copy made", "One was lost")
    named = [bytes([7]) * 32]
    assert "Choose one of these" in commune.write("decision.proposed/1", body, commune.people[0], named)
    shift = Proposed("We buy", "We buy the house", "The rent", strategic=True)
    for whom in (ALLIES, MEMBERS):
        assert "A strategic shift is public" in commune.write("decision.proposed/1", shift, commune.people[0], whom)
        assert not commune.write("decision.proposed/1", body, commune.people[0], whom)
    assert not commune.write("decision.proposed/1", shift, commune.people[0])
