"""What becomes of decisions: the fuse, judgements, the story that a page tells; and rounds with sealed answers."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from node.twin import twin
from protocol import ballot, moon
from protocol.deciding import (
    JUDGEMENTS,
    OUTCOMES,
    PROPOSALS,
    VOTES,
    Criterion,
    Outcome,
    Round,
    binds,
    open_proposals,
    standing,
    stands,
)
from protocol.decision_blocks import fuses
from protocol.page import Heading, Prose, Timeline
from protocol.practice import EVERYTHING, MEMBERS, PUBLIC
from protocol.practices.decisions import PRACTICE
from protocol.proposal import (
    Amended,
    Called,
    Cast,
    Closed,
    Discussed,
    Dissented,
    Judged,
    Stated,
)
from tests.laws.world import DAY_MS, MINUTE_MS
from tests.protocol.deciders import House, plan_of, removal, secret_for, votes


@pytest.fixture
def house() -> House:
    return House()


# At the fuse


def accepted(house: House, **more: Any) -> Outcome:
    round_ = house.call(house.propose(), **more)
    house.answer(round_, *["agree"] * len(house.people))
    return house.close(round_)


def latest(house: House, row: Outcome) -> Outcome:
    return house.outcome(row.id)


def test_a_decision_is_back_on_the_agenda_by_itself_and_binds_nobody_after_its_sunset(house: House) -> None:
    row = accepted(house)
    assert row.review_ms == moon.after_cycles(house.now_ms + 7 * DAY_MS, 3)
    assert row.sunset_ms == moon.after_cycles(house.now_ms + 7 * DAY_MS, 13)
    for at_ms, word, holds in (
        (row.since_ms, "in force", True), (row.review_ms - 1, "in force", True), (row.review_ms, "back on the agenda", True),
        (row.sunset_ms - 1, "back on the agenda", True), (row.sunset_ms, "lapsed", False),
    ):  # fmt: skip
        assert (stands(row, at_ms), binds(row, at_ms)) == (word, holds)
    assert dues(house, row.review_ms - DAY_MS) == [f"Judge “{row.title}”: did it do what it was for?"]
    assert dues(house, row.review_ms) == [f"Back on the agenda: “{row.title}”. Nobody judged it by the day that it named."]
    assert dues(house, row.sunset_ms) == [f"“{row.title}” has lapsed and binds nobody: propose it anew if it is wanted"]
    assert dues(house, row.sunset_ms + 15 * DAY_MS) == []


def dues(house: House, at_ms: int) -> list[str]:
    return [due.what for due in PRACTICE.due(house.view, at_ms) if due.since_ms <= at_ms < due.until_ms]


def judge(house: House, body: Judged, by: int = 1) -> str:
    house.decide("decision.judged/1", body)
    return house.write("decision.judged/1", body, house.people[by])


def test_nobody_stops_a_fuse_alone_and_what_was_met_stands_until_its_next_date(house: House) -> None:
    row = accepted(house)
    for verdict in ("met", "not-met", "end"):
        for key in house.people:
            assert "takes a decision" in house.write("decision.judged/1", Judged(row.id, verdict, found="So"), key)
    house.later(days=100)
    assert stands(row, house.now_ms) == "back on the agenda"
    assert not judge(house, Judged(row.id, "met", house.cycle + 2, house.cycle + 5, "It works"))
    now = latest(house, row)
    assert (stands(now, house.now_ms), now.reviews) == ("in force", 1)
    assert now.review_ms == moon.new_moon_ms(house.cycle + 2)
    assert stands(now, now.review_ms) == "back on the agenda"
    assert stands(now, moon.new_moon_ms(house.cycle + 5)) == "lapsed"


def test_what_was_not_met_is_back_on_the_agenda_at_once_and_what_is_ended_binds_nobody(house: House) -> None:
    row = accepted(house)
    assert not judge(house, Judged(row.id, "not-met", found="It does not"))
    assert stands(latest(house, row), house.now_ms) == "back on the agenda"
    assert "It was judged, and did not do what it was for" in dues(house, house.now_ms)[0]
    assert "only what was met" in judge(house, Judged(row.id, "end", house.cycle + 1))
    assert not judge(house, Judged(row.id, "end", found="No more"))
    assert stands(latest(house, row), house.now_ms) == "ended"
    assert "is ended, so there is nothing to judge" in judge(house, Judged(row.id, "met", found="Late"))


def test_each_judgement_is_told_in_the_story_and_leads_to_it(house: House) -> None:
    row = accepted(house)
    assert not judge(house, Judged(row.id, "met", house.cycle + 2, house.cycle + 5, "It works so far"))
    assert not judge(house, Judged(row.id, "not-met", found="It does no longer"))
    told = list(PRACTICE.record(house.view, row.proposal, house.now_ms))
    assert [block.markdown for block in told if isinstance(block, Prose)][-2:] == ["It works so far", "It does no longer"]
    for each in house.view.all(JUDGEMENTS, decision=row.id):
        assert next(iter(PRACTICE.record(house.view, each.id, house.now_ms))) == Heading(row.title)


def test_however_much_is_decided_and_proposed_nothing_is_crowded_off_the_agenda(house: House) -> None:
    first = house.propose()
    house.answer(house.call(first), *["agree"] * 5)
    row = house.close(house.proposal(first).round or b"")
    asked = house.propose()
    round_ = house.call(asked)
    for number in range(450):  # each binds longer than the first; each was touched later than the one in a round
        later = replace(row, id=number.to_bytes(32, "big"), review_ms=row.review_ms + DAY_MS, sunset_ms=row.sunset_ms + DAY_MS)
        noise = replace(house.proposal(asked), id=number.to_bytes(32, "little"), round=None, touched_ms=house.now_ms + 1)
        house.store.write(1, PUBLIC, (OUTCOMES.put(later), PROPOSALS.put(noise)))
    assert {asked, *(number.to_bytes(32, "little") for number in range(450))} == {
        each.id for each in open_proposals(house.view, house.now_ms)
    }
    assert any(each.link == round_ for each in PRACTICE.due(house.view, house.now_ms))
    house.now_ms = row.review_ms + 1
    assert standing(house.view, house.now_ms)[0].id == row.id
    assert len(standing(house.view, house.now_ms)) == 451
    (due,) = [each for each in PRACTICE.due(house.view, house.now_ms) if each.link == row.id]
    assert due.what.startswith("Back on the agenda")
    assert PRACTICE.figures(house.view, house.now_ms)["decisions.standing"] == 451


def test_a_fuse_names_its_decision_once(house: House) -> None:
    row = accepted(house)
    spans = fuses([row])
    assert {span.label for span in spans} == {span.group for span in spans} == {row.title}
    assert twin(Timeline("", spans, house.now_ms)).columns == ["What", "From", "Until", "Note"]


def test_a_judgement_dates_ahead_and_after_the_sunset_nothing_is_judged(house: House) -> None:
    row = accepted(house)
    assert "Review: The fuse has to lie ahead" in judge(house, Judged(row.id, "met", house.cycle))
    house.now_ms = row.sunset_ms
    assert "is lapsed" in judge(house, Judged(row.id, "met", found="Late"))


def test_a_decision_for_one_act_is_settled_by_it_unless_it_names_a_date(house: House) -> None:
    row = accepted(house)
    body = Judged(row.id, "met", found="It works")
    house.decide("decision.judged/1", body)
    (settled,) = [each for each in house.view.all(OUTCOMES) if each.act_kind == "decision.judged/1"]
    assert settled.is_settled
    assert stands(settled, settled.act_until_ms) == "settled"
    assert "Nobody did what" in " ".join(dues(house, settled.act_until_ms))
    house.must("decision.judged/1", body, house.people[0])
    assert "Nobody did what" not in " ".join(dues(house, settled.act_until_ms))
    plan = plan_of("decision.judged/1", body)
    round_ = house.call(house.propose(plan), review_cycle=house.cycle + 2)
    house.answer(round_, *["agree"] * 5)
    assert not house.close(round_).is_settled
    _, plan = removal(house, 4)
    dated = Called(house.propose(plan), 1, "consent", review_cycle=house.cycle + 2)
    assert "whom it concerns has no vote on this" in house.write("decision.called/1", dated, house.people[0])


def test_a_criterion_on_a_figure_that_nobody_knows_is_said_to_be_that(house: House) -> None:
    criteria = [Criterion("members.count", "at-least", 3), Criterion("weather.rain", "at-most", 4)]
    row = accepted(house, criteria=criteria, measures="Fewer arguments")
    told = text_of(house, row.id)
    assert "nobody measures this here" in told
    assert "Members" in told
    assert "not noted" in told
    assert "Fewer arguments" in told


def text_of(house: House, digest: bytes, audience: int = EVERYTHING) -> str:
    view = house.store.view(house.isle.id, audience)
    return str(msgspec.json.encode(list(PRACTICE.record(view, digest, house.now_ms))).decode())


def test_the_page_of_anything_about_a_proposal_tells_its_whole_story(house: House) -> None:
    proposal = house.propose(strategic=True, binds="All who have a key")
    house.must("theory.stated/1", Stated(proposal, "Nobody waits", "Keys", "Trust", "Losses", "All", "Us"), house.people[1])
    question = house.must("decision.discussed/1", Discussed(proposal, "question", "Who pays?"), house.people[1])
    house.must("decision.discussed/1", Discussed(proposal, "answer", "We do", question), house.people[0])
    first = house.call(proposal)
    house.must("vote.cast/1", Cast(first, "object", reasons="It would cost too much"), house.people[2])
    house.answer(first, "agree", "agree")
    objection = votes(house, first)[house.people[2].public].id
    house.later(days=8)
    house.close(first)
    amended = Amended(proposal, "We have two copies made", "Because of the price", [objection])
    version = house.must("decision.amended/1", amended, house.people[1])
    second = house.call(proposal, version=2, measures="Nobody waits at the door")
    house.answer(second, *["agree"] * 5)
    outcome = house.close(second)
    dissent = house.must("dissent.recorded/1", Dissented(proposal, "I would have kept one"), house.people[3])
    stories = {
        text_of(house, digest) for digest in (proposal, question, first, version, second, outcome.id, dissent, objection)
    }
    assert len(stories) == 1
    (story,) = stories
    in_order = [
        "A second key", "One was lost", "We have two copies made", "Because of the price", "Difference", "Losses", "Who pays?",
        "Round 1", "It would cost too much", "taken up in version 2", "There were objections", "Round 2", "It is accepted",
        "I would have kept one", "Until when it holds", "Nobody waits at the door", "Propose: it was met",
    ]  # fmt: skip
    at = [story.index(part) for part in in_order]
    assert at == sorted(at)


# Hidden rounds


def sealed_call(house: House, hidden: Any = "close", type_: Any = "majority", **more: Any) -> Round:
    proposal = house.propose(**more)
    salt = house.rng.randbytes(16)
    secret = sha256(ballot.label(proposal, salt)).digest()
    digest = house.call(proposal, type_, hidden=hidden, key=ballot.public_of(secret), salt=salt)
    return house.round(digest)


def sealed(house: House, round_: Round, who: int, choice: str) -> Cast:
    member = house.people[who].public
    return Cast(round_.id, "", None, ballot.seal(round_.key, round_.id, member, choice, house.rng.randbytes(32)))


def test_sealed_answers_are_opened_and_counted_by_the_secret_and_a_spoiled_one_as_spoiled(house: House) -> None:
    round_ = sealed_call(house)
    for who, choice in enumerate(("yes", "yes", "no")):
        house.must("vote.cast/1", sealed(house, round_, who, choice), house.people[who])
    copied = votes(house, round_.id)[house.people[0].public].sealed
    house.must("vote.cast/1", Cast(round_.id, "", None, copied), house.people[3])
    secret = secret_for(round_)
    assert "open until" in house.write("decision.closed/1", Closed(round_.id, secret), house.people[0])
    house.later(days=8)
    for wrong, said in ((b"", "opened by the node"), (bytes(32), "not the secret"), (secret[:-1], "not the secret")):
        assert said in house.write("decision.closed/1", Closed(round_.id, wrong), house.people[0])
    outcome = house.close(round_.id, secret=secret)
    assert (outcome.result, outcome.in_favour, outcome.answered, outcome.spoiled) == ("accepted", 2, 4, 1)
    assert sorted(vote.choice for vote in votes(house, round_.id).values()) == ["", "no", "yes", "yes"]


def test_in_a_hidden_round_an_answer_in_the_clear_is_refused_and_in_an_open_one_a_sealed(house: House) -> None:
    round_ = sealed_call(house)
    for body in (
        Cast(round_.id, "yes"),
        Cast(round_.id),
        Cast(round_.id, "", None, b"short"),
        replace(sealed(house, round_, 0, "yes"), choice="yes"),
    ):
        assert "are sealed" in house.write("vote.cast/1", body, house.people[0])
    open_ = house.call(house.propose(), "majority")
    assert "nothing to seal" in house.write("vote.cast/1", Cast(open_, "yes", None, b"x" * 112), house.people[0])
    assert "Answer: one of yes, no, abstain" in house.write("vote.cast/1", Cast(open_, "agree"), house.people[0])
    house.later(days=8)
    assert "no secret to give" in house.write("decision.closed/1", Closed(open_, bytes(32)), house.people[0])


def test_words_beside_a_sealed_answer_are_not_kept_where_pages_look(house: House) -> None:
    round_ = sealed_call(house)
    house.must("vote.cast/1", replace(sealed(house, round_, 0, "no"), reasons="It is too dear"), house.people[0])
    assert votes(house, round_.id)[house.people[0].public].reasons == ""
    assert "too dear" not in text_of(house, round_.id)


def test_a_key_seals_one_round_only(house: House) -> None:
    round_ = sealed_call(house)
    other = Called(house.propose(), 1, "majority", "close", key=round_.key, salt=round_.salt)
    assert "has sealed another round" in house.write("decision.called/1", other, house.people[0])


def test_a_hidden_round_whose_secret_nobody_gives_ends_uncounted_after_a_week(house: House) -> None:
    round_ = sealed_call(house)
    for who in range(4):
        house.must("vote.cast/1", sealed(house, round_, who, "yes"), house.people[who])
    house.now_ms = round_.closes_ms + 7 * DAY_MS - MINUTE_MS
    assert "opened by the node" in house.write("decision.closed/1", Closed(round_.id), house.people[0])
    house.later(hours=1)
    outcome = house.close(round_.id)
    assert (outcome.result, outcome.accepted) == ("could not be opened", False)


@pytest.mark.parametrize("hidden", ["own", "close"])
def test_two_histories_that_differ_only_in_sealed_answers_say_the_same_until_the_close(hidden: str) -> None:
    """Pages, dues, figures, state, rows but for the boxes, and lengths of records: to the byte."""

    def lived(choices: Sequence[str]) -> tuple[House, Round]:
        house = House(5)
        round_ = sealed_call(house, hidden)
        for who, choice in enumerate(choices):
            house.later(hours=1)
            house.must("vote.cast/1", sealed(house, round_, who, choice), house.people[who])
        return house, round_

    (one, round_), (two, _) = lived(["yes", "yes", "no"]), lived(["no", "abstain", "yes"])
    for audience in (PUBLIC, MEMBERS, EVERYTHING):
        for at_ms in (one.now_ms, round_.closes_ms, round_.closes_ms + DAY_MS):
            assert said(one, audience, at_ms, round_.id) == said(two, audience, at_ms, round_.id)
    assert [len(each.raw) for each in one.isle.log] == [len(each.raw) for each in two.isle.log]
    assert [each.logged_ms for each in one.isle.log] == [each.logged_ms for each in two.isle.log]
    for left, right in zip(one.view.all(VOTES), two.view.all(VOTES), strict=True):
        assert replace(left, sealed=b"", id=b"") == replace(right, sealed=b"", id=b"")
    one.now_ms = two.now_ms = round_.closes_ms
    outcomes = [house.close(round_.id, secret=secret_for(round_)).result for house in (one, two)]
    assert outcomes == ["accepted", "tied"]


def said(house: House, audience: int, at_ms: int, digest: bytes) -> bytes:
    view = house.store.view(house.isle.id, audience)
    stories = [list(PRACTICE.record(view, each, at_ms)) for each in (digest, *(vote.id for vote in house.view.all(VOTES)))]
    told = [list(PRACTICE.page(view, at_ms)), list(PRACTICE.due(view, at_ms))]
    more = [dict(PRACTICE.figures(view, at_ms)), dict(PRACTICE.state(view, at_ms))]
    return msgspec.json.encode([stories, told, more])
