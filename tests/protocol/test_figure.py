"""What a figure means: for every figure that any practice yields, in its scale, and only to a group that is large enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol import figure, meaning
from protocol.meaning import ENDINGS, KNOWN, MINOR
from protocol.practices import PRACTICES
from tests.laws.examples import EXAMPLES
from tests.laws.memory import Memory
from tests.laws.world import BEGIN_MS, Registry, World

PROTOCOL = Path(meaning.__file__).parent


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    """Histories over every kind of the registry."""
    made = [World(Registry(PRACTICES), EXAMPLES, seed) for seed in (1, 2)]
    for world in made:
        world.live(250)
    return made


def yielded(worlds: list[World]) -> dict[str, str]:
    """Every figure that a practice yields in these histories and in a space that nothing is known of; which practice."""
    views = [(Memory().view(bytes(32)), BEGIN_MS)]
    views += [(world.store.view(isle.id), world.now_ms) for world in worlds for isle in world.isles]
    return {name: practice.name for view, now_ms in views for practice in PRACTICES for name in practice.figures(view, now_ms)}


def test_every_figure_that_a_practice_yields_has_its_meaning(worlds: list[World]) -> None:
    missing = sorted(f"{name} (of {of})" for name, of in yielded(worlds).items() if figure.find(name) is None)
    assert not missing, f"say in protocol/meaning.py what these mean: {', '.join(missing)}"


def test_no_meaning_is_kept_of_a_figure_that_no_practice_yields_any_more(worlds: list[World]) -> None:
    code = "".join(path.read_text() for path in PROTOCOL.rglob("*.py") if path.name != "meaning.py")
    gone = [each.name for each in KNOWN if each.name not in yielded(worlds) and f'"{each.name}"' not in code]
    assert not gone, "take these out of protocol/meaning.py"


@pytest.mark.parametrize("each", [*KNOWN, *ENDINGS], ids=lambda each: each.name)
def test_a_meaning_is_in_whole_sentences_without_blame_and_says_what_it_does_not(each: meaning.Figure) -> None:
    assert each.label[0].isupper()
    assert each.says.endswith(".")
    assert not each.not_says or each.not_says.endswith(".")
    assert "!" not in each.label + each.says + each.not_says
    assert each.scale in meaning.SCALES
    assert 1 <= each.least <= 20
    assert each.not_says or each.least == 1, "what is kept from small groups can be misread by large ones too"
    assert all(figure.find(other) for other in each.beside)


def test_every_figure_has_a_heading_under_which_it_stands() -> None:
    first = {each.name.partition(".")[0] for each in (*meaning.KNOWN, *meaning.ENDINGS)}
    assert first == meaning.FIELDS.keys()


def test_names_are_there_once() -> None:
    names = [each.name for each in (*KNOWN, *ENDINGS)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("members.count", 1234, "1,234"),
        ("ledger.largest-funder-percent", 62, "62 %"),
        ("ledger.effective-funders-tenths", 24, "2.4"),
        ("ledger.effective-funders-tenths", 20, "2"),
        ("ledger.reserve", 500_000, "5,000.00"),
        ("ledger.reserve", -5, "-0.05"),
        ("workload.top-share", 404, "40.4 %"),
        ("workload.top-share", 400, "40 %"),
        ("workload.change", -50, "-5 %"),
        ("workload.gini", 5549, "0.5549"),
        ("workload.gini", 49, "0.0049"),
        ("workload.gini", 10_000, "1"),
        ("workload.hours", 50, "12.5 hours"),
        ("workload.hours", 4, "1 hour"),
        ("wires.oldest-review-days", 1, "1 day"),
        ("roles.longest-held", 3, "3 cycles"),
        ("garden.beds", 7, "7"),
    ],
)
def test_a_value_is_told_in_the_scale_of_its_figure(name: str, value: int, said: str) -> None:
    assert figure.spoken(name, value) == said


def test_the_gini_is_shown_only_to_eight_and_beside_plain_figures() -> None:
    beside = {"workload.top-share": 404, "workload.half": 2, "workload.idle": 1, "workload.gini": 5549}
    assert figure.hidden("workload.gini", 8, beside) == ""
    assert "fewer than 8" in figure.hidden("workload.gini", 7, beside)
    for without in ("workload.top-share", "workload.half", "workload.idle"):
        assert "beside" in figure.hidden("workload.gini", 8, {name: 1 for name in beside if name != without})


def test_every_gini_stands_beside_others_only() -> None:
    ginis = [each for each in KNOWN if "gini" in each.name]
    assert ginis
    assert all(len(each.beside) >= 2 and each.least >= 8 and "corrected" in each.label for each in ginis)


def test_a_figure_that_nobody_knows_has_no_meaning_and_perhaps_a_neighbour() -> None:
    assert figure.find("ledger.reserves") is None
    assert figure.near("ledger.reserves") == "ledger.reserve"
    assert figure.near("qqqqqq.zzzzzz") == ""
    assert figure.label("garden.beds") == "garden.beds"
    assert figure.hidden("garden.beds", 1, {}) == ""


def test_shares_are_bounded_and_a_change_is_not() -> None:
    def most(name: str) -> int | None:
        found = figure.find(name)
        assert found is not None
        return found.most

    assert (most("workload.top-share"), most("ledger.largest-funder-percent"), most("workload.gini")) == (1000, 100, 10_000)
    assert (most("workload.change"), most("members.count")) == (None, None)
    assert all(each.most is None for each in KNOWN if each.scale == MINOR)
