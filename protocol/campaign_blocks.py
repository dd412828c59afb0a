"""What a page says about one campaign: when, who, on which terms, armed or not.

Drawn from a call and its `protocol.standing`, so it is the same whichever space looks, but for the answers on offer to it.

Example::

    for call, stands in near(view, now_ms):
        yield from about(view, call, stands, now_ms)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from protocol.body import to_flat
from protocol.page import Action, Block, Cell, Facts, Grid, Heading, Prose, Ref, Span, State, Text, Timeline, When
from protocol.practice import View
from protocol.standing import ANSWERS, CALLS, JOINS, Call, Offer, Standing, digest_of, invited_in, standing

MINUTE_MS = 60_000
SHOWN, LATEST, UNANSWERED = 40, 400, 8

_SAID = {
    "call": "called, and stands by its terms",
    "join": "joined",
    "counter": "offered other terms",
    "decline": "declined",
    "withdraw": "withdrew",
}
_PHASES = {
    "called": State("called", "calm"),
    "armed": State("armed", "good"),
    "open": State("open", "good"),
    "crest": State("at its crest", "good"),
    "consolidation": State("dispersed, consolidating", "calm"),
    "rest": State("at rest", "calm"),
    "over": State("over", "calm"),
    "lapsed": State("lapsed", "warn"),
}


def near(view: View, now_ms: int) -> list[tuple[Call, Standing]]:
    """The campaigns that count this space, by their opening, with where they stand.

    Of very many, those that it answered and the latest calls; of those not answered a few of each space, so that none can
    crowd out the others.
    """
    us, answered = view.id, {row.campaign for row in view.all(ANSWERS)}
    found = {each.id: each for each in view.everywhere(CALLS, order="-logged_ms", limit=LATEST) if us in invited_in(each)}
    for campaign in answered - found.keys():
        found.update((each.id, each) for each in view.everywhere(CALLS, id=campaign) if us in invited_in(each))
    shown: list[Call] = []
    unanswered: Counter[int] = Counter()
    for each in sorted(found.values(), key=lambda each: (each.id not in answered, -each.logged_ms, each.id)):
        unanswered[each.space] += each.id not in answered
        if unanswered[each.space] <= UNANSWERED:
            shown.append(each)
    stood = [(each, standing(view, each, now_ms)) for each in shown[:SHOWN]]
    return sorted(stood, key=lambda each: (each[1].terms.opens_ms, each[0].id))


def name_of(call: Call) -> str:
    """A campaign's name, or that it was erased."""
    return call.name or "A campaign whose name was erased"


def about(view: View, call: Call, stands: Standing, now_ms: int) -> Iterator[Block]:
    """Everything about one campaign."""
    terms = stands.terms
    yield Heading(name_of(call), 3)
    yield Facts([
        ("Phase", _PHASES[stands.phase]),
        ("Called by", Ref(stands.caller, "space")),
        ("Builds", terms.builds),
        ("Clears", call.clears or "nothing is named"),
        ("Roles needed", ", ".join(terms.roles) or "none are named"),
        ("Care", terms.care or "no plan is written"),
        ("Opens", When(terms.opens_ms)),
        ("Disperses", When(terms.disperses_ms)),
        ("Answers until", When(call.answers_until_ms)),
        ("The call", Ref(call.id, "record", name_of(call))),
        *([("Instead of", Ref(call.replaces))] if call.replaces else []),
    ])  # fmt: skip
    yield from _instead(view, call)
    if call.why:
        yield Prose(call.why)
    yield _window(call, stands, now_ms)
    yield _armed(stands)
    yield _terms(call, stands)
    yield _answers(stands)
    yield from _answering(view, call, stands, now_ms)


def _instead(view: View, call: Call) -> Iterator[Block]:
    later = [each for each in view.everywhere(CALLS, replaces=call.id) if each.id != call.id]
    for each in sorted(later, key=lambda each: (each.logged_ms, each.id)):
        yield Facts([("A later call names this one", Ref(each.id, "record", name_of(each)))])


def _window(call: Call, stands: Standing, now_ms: int) -> Timeline:
    terms = stands.terms
    spans = [
        Span("answers", call.logged_ms, call.answers_until_ms, "", "before", "calm"),
        Span("rises", terms.opens_ms, terms.crests_ms, "", "surge", "good"),
        Span("crests", terms.crests_ms, terms.disperses_ms, "", "surge", "warn"),
        Span("consolidates", terms.disperses_ms, terms.consolidates_ms, "", "settle", "calm"),
        Span("rests", terms.consolidates_ms, terms.rests_ms, "", "settle", "calm"),
    ]
    return Timeline(f"The window of {name_of(call)}", spans, now_ms)


def _armed(stands: Standing) -> Text:
    count, needed = len(stands.joined), stands.quorum
    spaces = f"{count} of the {len(stands.invited)} spaces joined the terms in force"
    if stands.armed and stands.phase == "over":
        return Text(f"It was armed: {spaces}, and {needed} were needed. It has surged, settled and rested.", "good")
    if stands.armed:
        return Text(f"It is armed: {spaces}, and {needed} were needed. No withdrawal changes that.", "good")
    if stands.phase == "lapsed":
        return Text(f"It was not armed in time: {spaces}, and {needed} were needed. What comes next is a new call.", "warn")
    return Text(f"It is not armed yet: {spaces}, and {needed} are needed.")


def _terms(call: Call, stands: Standing) -> Grid:
    rows: list[list[Cell]] = []
    for number, offer in enumerate(stands.offers, 1):
        word = State("in force", "good" if stands.armed else "calm") if number == 1 else ""
        terms = offer.terms
        rows.append([
            f"Terms {number}", len(offer.spaces), When(terms.opens_ms), When(terms.crests_ms), When(terms.disperses_ms),
            When(terms.consolidates_ms), When(terms.rests_ms), terms.builds, word,
        ])  # fmt: skip
    columns = ["Terms", "Joined by", "Opens", "Crests", "Disperses", "Consolidates until", "Rests until", "Builds", ""]
    return Grid(f"Terms on offer for {name_of(call)}", columns, rows)


def _answers(stands: Standing) -> Grid:
    numbers = {offer.digest: f"Terms {number}" for number, offer in enumerate(stands.offers, 1)}
    rows: list[list[Cell]] = []
    for word in stands.words:
        answer = word.answer
        terms: Cell = numbers.get(digest_of(answer.spelled), "others") if answer.said in JOINS else ""
        counts = State(word.flaw, "warn") if word.flaw else State("counts", "good") if answer.said in JOINS else ""
        said = Ref(answer.id, "record", _SAID[answer.said])
        rows.append([Ref(word.space, "space"), said, terms, When(answer.logged_ms), answer.why, counts])
    rows += [[Ref(space, "space"), "has not answered", "", "", "", ""] for space in stands.silent]
    return Grid("Answers", ["Space", "Said", "Terms", "Logged", "Why", ""], rows)


def _answering(view: View, call: Call, stands: Standing, now_ms: int) -> Iterator[Block]:
    """Buttons for a space that may answer now."""
    us = view.id
    if us not in stands.invited:
        return
    at = {"campaign": call.id.hex(), "caller": stands.caller.hex()}
    stood = any(us in offer.spaces for offer in stands.offers)
    if now_ms < call.answers_until_ms + MINUTE_MS:
        for number, offer in enumerate(stands.offers, 1):
            if us not in offer.spaces:
                yield _joining(at, offer, number, len(stands.offers))
        filled = {**at, **_flat(stands.offers[0])}
        yield Action("campaign.countered/1", filled, "Offer other terms")
        if us in stands.silent:
            yield Action("campaign.declined/1", at, "Decline")
    if stood and us not in stands.withdrawn and stands.phase not in ("rest", "over", "lapsed"):
        yield Action("campaign.withdrawn/1", at, "Withdraw")


def _joining(at: dict[str, str], offer: Offer, number: int, offers: int) -> Action:
    label = "Join as it stands" if offers == 1 else f"Join terms {number}"
    return Action("campaign.joined/1", {**at, **_flat(offer)}, label)


def _flat(offer: Offer) -> dict[str, str]:
    return {f"terms.{name}": text for name, text in to_flat(offer.terms).items()}
