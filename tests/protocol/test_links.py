"""Links: two rows that name each other, what follows from them, and their end."""

from __future__ import annotations

import pytest

from protocol import moon
from protocol.membership import title_of
from protocol.page import Action, Graph, Grid
from protocol.practice import MEMBERS, PUBLIC, View
from protocol.practices import PRACTICES, links
from tests.laws.world import DAY_MS, MINUTE_MS, Isle, Registry, World

PRACTICE = links.PRACTICE
PURPOSE = "We carry each other's logs"


class Isles(World):
    """Three spaces, and short ways to say what they do."""

    def __init__(self) -> None:
        super().__init__(Registry(PRACTICES), {}, 11, spaces=3)
        self.one, self.two, self.three = self.isles

    def says(self, isle: Isle, kind: str, body: links.Offered | links.Accepted | links.Renewed | links.Ended) -> str:
        self.isle = isle
        return self.write(f"link.{kind}/1", body, next(iter(isle.keys.values())))

    def terms(self, cycles: int = 3, shares: str = "allies", duties: tuple[str, ...] = ("mirror", "witness")) -> links.Terms:
        return links.Terms(PURPOSE, shares, self.cycle + cycles, list(duties))  # type: ignore[arg-type]  # in words

    def link(self, one: Isle, two: Isle, terms: links.Terms | None = None) -> None:
        by = terms or self.terms()
        assert not self.says(one, "offered", links.Offered(two.id, by))
        assert not self.says(two, "accepted", links.Accepted(one.id, one.log[-1].digest, by))

    def seen(self, isle: Isle, audience: int = PUBLIC) -> View:
        return self.store.view(isle.id, audience)


@pytest.fixture
def isles() -> Isles:
    return Isles()


def test_an_offer_alone_is_no_link(isles: Isles) -> None:
    assert not isles.says(isles.one, "offered", links.Offered(isles.two.id, isles.terms()))
    assert links.linked(isles.seen(isles.one), isles.now_ms) == set()
    assert links.linked(isles.seen(isles.two), isles.now_ms) == set()
    assert [space for space, _ in links.offers_to_us(isles.seen(isles.two), isles.now_ms)] == [isles.one.id]
    assert len(links.offers_by_us(isles.seen(isles.one), isles.now_ms)) == 1


def test_accepted_by_the_same_terms_it_is_a_link_for_both(isles: Isles) -> None:
    isles.link(isles.one, isles.two)
    for here, there in ((isles.one, isles.two), (isles.two, isles.one)):
        view = isles.seen(here)
        assert links.linked(view, isles.now_ms) == links.allied(view, isles.now_ms) == {there.id}
        assert links.duties(view, isles.now_ms) == {there.id: {"mirror", "witness"}}
        assert not links.offers_to_us(view, isles.now_ms)
    assert links.linked(isles.seen(isles.three), isles.now_ms) == set()


def test_other_terms_make_no_link(isles: Isles) -> None:
    assert not isles.says(isles.one, "offered", links.Offered(isles.two.id, isles.terms(3)))
    offer = isles.one.log[-1].digest
    assert not isles.says(isles.two, "accepted", links.Accepted(isles.one.id, offer, isles.terms(2)))
    assert links.linked(isles.seen(isles.one), isles.now_ms) == set()
    assert len(links.offers_to_us(isles.seen(isles.one), isles.now_ms)) == 1


def test_the_order_of_duties_means_nothing(isles: Isles) -> None:
    assert not isles.says(isles.one, "offered", links.Offered(isles.two.id, isles.terms(duties=("witness", "mirror"))))
    other = links.Accepted(isles.one.id, isles.one.log[-1].digest, isles.terms(duties=("mirror", "witness")))
    assert not isles.says(isles.two, "accepted", other)
    assert links.linked(isles.seen(isles.two), isles.now_ms) == {isles.one.id}


def test_two_offers_of_the_same_terms_are_a_link_too(isles: Isles) -> None:
    for here, there in ((isles.one, isles.two), (isles.two, isles.one)):
        assert not isles.says(here, "offered", links.Offered(there.id, isles.terms()))
    assert links.linked(isles.seen(isles.one), isles.now_ms) == {isles.two.id}


def test_a_link_that_shares_public_records_only_makes_no_ally(isles: Isles) -> None:
    isles.link(isles.one, isles.two, isles.terms(shares="public"))
    view = isles.seen(isles.one)
    assert (links.linked(view, isles.now_ms), links.allied(view, isles.now_ms)) == ({isles.two.id}, set())
    assert links.duties(view, isles.now_ms)[isles.two.id] == {"mirror", "witness"}


def test_a_link_ends_at_its_new_moon_without_anybody_acting(isles: Isles) -> None:
    isles.link(isles.one, isles.two)
    ends_ms = moon.new_moon_ms(isles.cycle + 3)
    view = isles.seen(isles.one)
    assert links.allied(view, ends_ms - 1) == {isles.two.id}
    assert links.allied(view, ends_ms) == set()


def test_one_side_is_enough_to_end_a_link(isles: Isles) -> None:
    isles.link(isles.one, isles.two)
    isles.now_ms += DAY_MS
    assert not isles.says(isles.two, "ended", links.Ended(isles.one.id, "We are too few"))
    assert links.allied(isles.seen(isles.one), isles.now_ms) == set()
    assert links.allied(isles.seen(isles.one), isles.now_ms - DAY_MS) == {isles.two.id}
    assert "no link or offer to end" in isles.says(isles.two, "ended", links.Ended(isles.one.id, "Again"))


def test_a_renewal_holds_when_both_stand_by_it_and_the_old_terms_until_then(isles: Isles) -> None:
    isles.link(isles.one, isles.two, isles.terms(1))
    longer = isles.terms(4)
    assert not isles.says(isles.one, "renewed", links.Renewed(isles.two.id, longer))
    ends_ms = moon.new_moon_ms(isles.cycle + 1)
    view = isles.seen(isles.one)
    assert links.allied(view, ends_ms - 1) == {isles.two.id}
    assert links.allied(view, ends_ms) == set()
    due = [each.what for each in PRACTICE.due(isles.seen(isles.two), isles.now_ms)]
    assert any("has renewed the link with us" in what for what in due)
    assert not isles.says(isles.two, "renewed", links.Renewed(isles.one.id, longer))
    assert links.allied(view, ends_ms) == {isles.two.id}


def test_what_ended_is_offered_anew_and_not_renewed(isles: Isles) -> None:
    isles.link(isles.one, isles.two, isles.terms(1))
    isles.now_ms = moon.new_moon_ms(isles.cycle + 1)
    assert "nothing to renew" in isles.says(isles.one, "renewed", links.Renewed(isles.two.id, isles.terms(3)))
    isles.link(isles.one, isles.two, isles.terms(3))
    assert "ends later" in isles.says(isles.one, "renewed", links.Renewed(isles.two.id, isles.terms(3)))
    assert links.linked(isles.seen(isles.one), isles.now_ms) == {isles.two.id}


@pytest.mark.parametrize(("cycles", "said"), [(0, "has to lie ahead"), (14, "at most 13 cycles"), (13, "")])
def test_a_link_has_a_fuse(isles: Isles, cycles: int, said: str) -> None:
    refused = isles.says(isles.one, "offered", links.Offered(isles.two.id, isles.terms(cycles)))
    assert said in refused
    assert bool(refused) == bool(said)


def test_a_link_is_public_with_another_space_and_offered_once(isles: Isles) -> None:
    assert "no link with itself" in isles.says(isles.one, "offered", links.Offered(isles.one.id, isles.terms()))
    body = links.Offered(isles.two.id, isles.terms())
    isles.isle = isles.one
    key = next(iter(isles.one.keys.values()))
    assert "has to see it" in isles.write("link.offered/1", body, key, MEMBERS)
    assert not isles.write("link.offered/1", body, key)
    assert "already" in isles.write("link.offered/1", body, key)
    doubled = links.Offered(isles.two.id, isles.terms(duties=("mirror", "mirror")))
    assert "once" in isles.write("link.offered/1", doubled, key)


def test_advice_says_what_a_rule_cannot_see(isles: Isles) -> None:
    advise = {kind.name: kind.advise for kind in PRACTICE.kinds}
    view = isles.seen(isles.two)
    assert "has not met" in advise["link.offered/1"](view, links.Offered(bytes(32), isles.terms()))
    assert not isles.says(isles.one, "offered", links.Offered(isles.two.id, isles.terms()))
    offer = isles.one.log[-1].digest
    assert "has not seen" in advise["link.accepted/1"](view, links.Accepted(isles.one.id, bytes(32), isles.terms()))
    assert "no link" in advise["link.accepted/1"](view, links.Accepted(isles.one.id, offer, isles.terms(2)))
    assert advise["link.accepted/1"](view, links.Accepted(isles.one.id, offer, isles.terms())) == ""


def test_an_end_within_a_cycle_is_due_until_it_is_renewed(isles: Isles) -> None:
    isles.link(isles.one, isles.two, isles.terms(2))
    view = isles.seen(isles.one)
    assert not list(PRACTICE.due(view, isles.now_ms))
    isles.now_ms = moon.new_moon_ms(isles.cycle + 1)
    (due,) = PRACTICE.due(view, isles.now_ms)
    assert due.what == f"The link with {title_of(view, isles.two.id)} ends: renew it, or let it go"
    assert (due.since_ms, due.until_ms) == moon.cycle_bounds(isles.cycle)
    assert PRACTICE.figures(view, isles.now_ms)["links.ending"] == 1
    renew = next(
        block for block in PRACTICE.page(view, isles.now_ms) if isinstance(block, Action) and block.kind == "link.renewed/1"
    )
    assert renew.filled["terms.until_cycle"] == str(isles.cycle + 13)
    assert not isles.says(isles.one, "renewed", links.Renewed(isles.two.id, isles.terms(3)))
    assert not list(PRACTICE.due(view, isles.now_ms))


def test_the_page_offers_to_accept_what_was_offered_word_for_word(isles: Isles) -> None:
    assert not isles.says(isles.one, "offered", links.Offered(isles.two.id, isles.terms()))
    view = isles.seen(isles.two)
    (accept,) = (
        block for block in PRACTICE.page(view, isles.now_ms) if isinstance(block, Action) and block.kind == "link.accepted/1"
    )
    assert accept.filled["terms.purpose"] == PURPOSE
    assert accept.filled["offer"] == isles.one.log[-1].digest.hex()
    isles.now_ms += MINUTE_MS
    assert not isles.says(isles.two, "accepted", links.Accepted(isles.one.id, isles.one.log[-1].digest, isles.terms()))
    grid = next(block for block in PRACTICE.page(view, isles.now_ms) if isinstance(block, Grid))
    assert len(grid.rows) == 1


def test_the_map_shows_links_among_others_too(isles: Isles) -> None:
    isles.link(isles.two, isles.three)
    (graph,) = (block for block in PRACTICE.page(isles.seen(isles.one), isles.now_ms) if isinstance(block, Graph))
    (edge,) = graph.edges
    assert {edge.source, edge.target} == {isles.two.id.hex(), isles.three.id.hex()}
    assert edge.label == "mirror and witness"
    assert {node.label for node in graph.nodes} == {"Isle 1", "Isle 2", "Isle 3"}


def test_figures_and_state_say_what_this_space_stands_by(isles: Isles) -> None:
    isles.link(isles.one, isles.two)
    assert not isles.says(isles.one, "offered", links.Offered(isles.three.id, isles.terms(duties=())))
    figures = PRACTICE.figures(isles.seen(isles.one), isles.now_ms)
    assert (figures["links.count"], figures["links.mirrors"], figures["links.guardians"]) == (1, 1, 0)
    assert figures["links.offers-open"] == 1
    state = PRACTICE.state(isles.seen(isles.one), isles.now_ms)
    assert {each["space"] for each in state["stands_by"]} == {isles.two.id, isles.three.id}
