"""Success in figures: noted for every decision that names them, and no word makes met what they do not show."""

from __future__ import annotations

import pytest

from protocol import moon, wires
from protocol.body import from_json
from protocol.criteria import compared, failing, met_from_ms
from protocol.deciding import OUTCOMES, Criterion, Outcome, binds, stands
from protocol.meaning import KNOWN
from protocol.practice import MEMBERS, PUBLIC
from protocol.practices import PRACTICES, tripwires
from protocol.practices.decisions import advise_call
from protocol.proposal import Called, Judged
from protocol.wires import NOTED, REVIEWS, next_noting, watched
from tests.laws.commune import WHY, Commune
from tests.laws.world import DAY_MS, MINUTE_MS
from tests.protocol.deciders import plan_of
from tests.protocol.role_house import blocks_of

JUDGED = "decision.judged/1"
MANY = Criterion("members.count", "at-least", 9)
FEW = Criterion("members.count", "at-least", 3)
NOBODY_MEASURES = Criterion("weather.rain", "at-most", 4)


@pytest.fixture
def commune() -> Commune:
    return Commune()


def made(commune: Commune, *criteria: Criterion, audience: int = PUBLIC, reviewed: int = 2) -> Outcome:
    """A decision that is to show in figures, is looked at after so many new moons, and ends two later."""
    proposal = commune.propose(audience=audience)
    cycle = moon.cycle_at(commune.now_ms)
    dates = {"review_cycle": cycle + reviewed, "sunset_cycle": cycle + reviewed + 2}
    round_ = commune.call(proposal, audience=audience, criteria=list(criteria), **dates)
    commune.answer(round_, *["agree"] * len(commune.people))
    return commune.close(round_)


def judge(commune: Commune, row: Outcome, verdict: str = "met", audience: int = PUBLIC) -> str:
    cycle = moon.cycle_at(commune.now_ms)
    dates = (cycle + 2, cycle + 4) if verdict == "met" else (0, 0)
    body = Judged(row.id, verdict, *dates, WHY)  # type: ignore[arg-type]  # one of three
    commune.decide(JUDGED, body, audience)
    return commune.write(JUDGED, body, commune.people[0], audience)


def told(commune: Commune, row: Outcome) -> str:
    practice = next(each for each in PRACTICES if each.name == "decisions")
    return blocks_of(practice.record(commune.view, row.id, commune.now_ms))


def test_the_clock_notes_the_figures_of_decisions_without_any_wire(commune: Commune) -> None:
    assert next_noting(commune.view, commune.now_ms + 90 * DAY_MS) is None
    row = made(commune, MANY)
    assert [(each.figure, each.until_ms) for each in watched(commune.view)] == [(MANY.figure, row.sunset_ms)]
    assert "it will be at the next new moon" in told(commune, row)
    commune.note()
    assert [each.value for each in compared(commune.view, row)] == [6]
    assert next_noting(commune.view, commune.now_ms) is None, "each cycle once"
    while commune.now_ms < row.sunset_ms:
        commune.note()
    assert next_noting(commune.view, commune.now_ms + 900 * DAY_MS) is None, "from its sunset on nobody asks any more"
    cycles = [noted.cycle for noted in sorted(commune.rows(NOTED), key=lambda noted: noted.cycle)]
    assert moon.new_moon_ms(cycles[-1] + 1) == row.sunset_ms, "the last is noted at the sunset itself"


def test_however_many_figures_decisions_name_those_of_wires_are_noted_first_and_reviews_open(
    commune: Commune, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [each.name for each in KNOWN if each.name != MANY.figure]
    assert len(names) > 60
    for at in range(0, len(names), 12):
        made(commune, *(Criterion(name, "at-least", 0) for name in names[at : at + 12]))
    wire = tripwires.WireSet(MANY.figure, "above", 5, 1, who="All of us")
    assert not commune.as_decided("tripwire.set/1", wire)
    ended_ms = moon.new_moon_ms(moon.cycle_at(commune.now_ms) + 1)
    coming = next_noting(commune.view, ended_ms)
    assert coming is not None
    assert coming.names == tuple(sorted([*names, MANY.figure]))
    commune.now_ms = ended_ms + MINUTE_MS
    values = dict.fromkeys(coming.names, 6)
    body = from_json(tripwires.FiguresNoted, coming.body(values))
    monkeypatch.setattr(wires, "MOST_NOTED", 40)
    fewer = next_noting(commune.view, ended_ms)
    assert fewer is not None
    assert (len(fewer.names), MANY.figure in fewer.names, set(fewer.names) <= set(coming.names)) == (40, True, True)
    monkeypatch.undo()
    assert not commune.clock("figures.noted/1", body)
    assert [each.value for each in commune.rows(REVIEWS)] == [6]


def test_figures_of_a_decision_among_members_are_not_noted_in_public(commune: Commune) -> None:
    row = made(commune, MANY, audience=MEMBERS)
    assert watched(commune.view) == ()
    assert "not noted: this is not public" in told(commune, row)
    commune.now_ms = row.review_ms + MINUTE_MS
    assert not judge(commune, row, audience=MEMBERS), "then the members alone judge"


def test_what_the_figures_do_not_show_is_not_met_by_anybodys_word(commune: Commune) -> None:
    row = made(commune, MANY)
    commune.note()
    assert len(failing(commune.view, row)) == 1
    while commune.now_ms < row.review_ms:
        commune.note()
    said = judge(commune, row)
    assert "was to be at least 9, and was 6 in cycle" in said
    assert "judge it as that, let it end, or decide anew" in said
    row = commune.outcome(row.id)
    assert stands(row, commune.now_ms) == "back on the agenda"
    assert "was to be at least 9, and was 6 in cycle" in told(commune, row)
    due = next(each for each in PRACTICES if each.name == "decisions").due(commune.view, commune.now_ms)
    assert any("was to be at least 9, and was 6" in each.what for each in due), "the agenda says why"
    assert not judge(commune, row, "not-met")
    commune.now_ms = row.sunset_ms
    assert not binds(commune.outcome(row.id), commune.now_ms)


def test_what_the_figures_show_is_judged_as_met_in_the_last_cycle_before_the_date_and_not_earlier(commune: Commune) -> None:
    row = made(commune, FEW, NOBODY_MEASURES, reviewed=3)
    commune.note()
    assert commune.now_ms < met_from_ms(row) == moon.new_moon_ms(moon.cycle_at(row.review_ms) - 1)
    assert "From " in (said := judge(commune, row))
    assert "when they are known, it can be judged as that" in said
    assert not judge(commune, row, "not-met"), "that it is not met can be said at any time"
    while commune.now_ms < met_from_ms(row):
        commune.note()
    assert not judge(commune, row)
    assert stands(commune.outcome(row.id), commune.now_ms) == "in force"


def test_without_figures_among_the_criteria_nothing_is_asked_of_them(commune: Commune) -> None:
    row = made(commune, NOBODY_MEASURES)
    assert met_from_ms(row) == 0
    assert not judge(commune, row)
    assert next_noting(commune.view, commune.now_ms + 90 * DAY_MS) is None
    assert commune.rows(OUTCOMES)


def test_a_wire_and_a_decision_on_one_figure_have_it_noted_once(commune: Commune) -> None:
    made(commune, MANY)
    assert not commune.as_decided("tripwire.set/1", tripwires.WireSet("members.count", "below", 2))
    coming = next_noting(commune.view, moon.new_moon_ms(moon.cycle_at(commune.now_ms) + 1))
    assert coming is not None
    assert coming.names.count("members.count") == 1


def test_whoever_calls_is_asked_how_one_will_tell_whether_it_works(commune: Commune) -> None:
    proposal = commune.propose()
    for body, asked in (
        (Called(proposal, 1, "consent"), True),
        (Called(proposal, 1, "consent", measures="Nobody waits for a key."), False),
        (Called(proposal, 1, "consent", criteria=[FEW]), False),
        (Called(proposal, 1, "advice"), False),
        (Called(commune.propose(plan_of("role.defined/1", commune.treasurer())), 1, "consent"), False),
    ):
        assert ("by what you will tell" in advise_call(commune.view, body)) == asked
