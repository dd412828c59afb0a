"""The agenda of the next assembly: it fills itself from what is due for all, and from what members added by hand.

Nothing of it is stored: each practice says what is due (`due`), and what is done is off it by itself. What one
practice says about one record is one entry. Groups stand in an order that a meeting can follow: what somebody waits for in
doubt first (reviews, paused acts), then what is to be decided, who does what, what was brought by hand, and what the rest of
the house needs.

Example::

    for entry in entries(view, now_ms):
        print(entry.group, entry.what, entry.waits_ms(now_ms))
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from node import markdown
from node.words import duration
from protocol.assembling import Assembly, Item, items_for, next_assembly
from protocol.deciding import PROPOSALS, open_rounds
from protocol.decision_dues import ANSWERS
from protocol.drawing import standing
from protocol.membership import FOUNDINGS, name_of, sees_members
from protocol.page import Block, Cell, Facts, Grid, Heading, Link, Ref, Text, When
from protocol.practice import FOREVER_MS, Due, Practice, View
from protocol.practices import PRACTICES
from protocol.terms import CALLS, TERMS
from protocol.wire_blocks import facilitators
from protocol.wires import REPORTS, may_report, open_reviews
from protocol.wording import counted

BY_HAND = "assemblies"  # what is added by hand; what that practice itself says is due is the assembly, not an entry of it
ROUNDS = "decisions"
_ORDER = ("tripwires", "roles", "decisions", BY_HAND, "lots", "work", "members", "campaigns", "links", "library", "ledger")
_NEEDS = {  # of what its practice says no more about
    "roles": "Somebody for it, by lot or by election.",
    "work": "Somebody who sees to it.",
    "members": "Your word on somebody.",
    "campaigns": "Your answer to others, or rest.",
    "links": "That you renew it, or let it go.",
    "ledger": "Somebody who looks at the numbers.",
    "residue": "Somebody who goes and looks.",
}
_MINUTE_MS, _CYCLE_MS = 60_000, 2_551_443_000  # a cycle of the moon as it is on average
_ANY = "A word from all of you."


class Entry(Struct, frozen=True):
    """One entry: about which record, what, since and until when, and what it needs."""

    link: bytes
    practice: str
    group: str
    what: str
    since_ms: int
    until_ms: int
    needs: str
    item: Item | None = None  # what was added by hand

    @property
    def key(self) -> str:
        """How the pages name it: two practices can have something to say about one record."""
        return f"{self.practice}-{self.link.hex()}"

    def waits_ms(self, now_ms: int) -> int:
        """For how long it has waited."""
        return max(0, now_ms - self.since_ms)


def entries(view: View, now_ms: int, assembly: Assembly | None = None) -> tuple[Entry, ...]:
    """Everything that is on the agenda, group after group; within one, what ends first stands first."""
    found: list[Entry] = []
    for practice in sorted(PRACTICES, key=_place):
        if practice.name == BY_HAND:
            if sees_members(view):
                found += [_by_hand(view, row) for row in items_for(view, assembly.id if assembly else None, now_ms)]
            continue
        due = [each for each in practice.due(view, now_ms) if each.who is None and each.until_ms > now_ms]
        if practice.name == ROUNDS:
            due += _rounds(view, now_ms, {each.link for each in due})
        found += _of(view, practice, due, now_ms)
    return tuple(found)


def _rounds(view: View, now_ms: int, known: Collection[bytes]) -> Iterator[Due]:
    """Open rounds, which are due for each one who has not answered, and for an assembly until all have."""
    for row in open_rounds(view):
        proposal = view.get(PROPOSALS, row.proposal)
        if proposal and now_ms < row.closes_ms and not {row.id, row.proposal} & set(known):
            yield Due(f"Answer “{proposal.title}”", None, row.called_ms, row.closes_ms, row.proposal, ANSWERS)


def _place(practice: Practice) -> tuple[int, str]:
    return (_ORDER.index(practice.name) if practice.name in _ORDER else len(_ORDER)), practice.title


def _of(view: View, practice: Practice, due: Sequence[Due], now_ms: int) -> list[Entry]:
    """What one practice says is due, each record once."""
    about: dict[bytes, list[Due]] = {}
    for each in sorted(due, key=lambda each: (each.until_ms, each.since_ms, each.what)):
        about.setdefault(each.link, []).append(each)
    return [
        Entry(
            link, practice.name, practice.title, "; ".join(dict.fromkeys(each.what for each in told)),
            min(each.since_ms for each in told), min(FOREVER_MS if each.over else each.until_ms for each in told),
            " ".join(dict.fromkeys(each.needs for each in told if each.needs)) or _needs(view, practice, link, now_ms),
        )
        for link, told in about.items()
    ]  # fmt: skip


def _needs(view: View, practice: Practice, link: bytes, now_ms: int) -> str:
    """What an entry needs whose practice does not say it, by the record that it is about."""
    if view.get(CALLS, link):
        return "Your decision: resume it, or revoke it."
    term = view.get(TERMS, link)
    if term and now_ms < term.until_ms and not standing(view, "shadow", link):
        return "A lot for its shadow, and whoever is next: by lot, by election, or by renewal."
    if term:
        return "Somebody for it: by lot, by election, or by renewal."
    if view.get(REPORTS, link):
        return "Your decision: accept the report, or not."
    review = next((each for each in open_reviews(view) if each.record == link), None)
    if review and not may_report(view, review, facilitators(view, review), now_ms):
        return "A lot for who reports."
    if review:
        return "What you know of it, and a report of whoever was drawn; after its day, of anybody."
    if view.get(FOUNDINGS, link):
        return "Your decision on how you decide from then on."
    return _NEEDS.get(practice.name, _ANY)


def _by_hand(view: View, row: Item) -> Entry:
    said = markdown.text(row.why) or f"Added by {name_of(view, row.author)}, who can say more."
    return Entry(row.id, BY_HAND, "Added by hand", row.title or "The words were erased", row.added_ms, row.until_ms, said, row)


# As a page


def page(view: View, now_ms: int) -> Iterator[Block]:
    """The next assembly and its agenda, complete, to read or to print."""
    row = next_assembly(view, now_ms)
    found = entries(view, now_ms, row)
    yield from _heading(row, now_ms)
    yield Text(summary(found, now_ms))
    for group, members in groupby(found, key=lambda entry: entry.group):
        rows = [_row(entry, now_ms) for entry in members]
        yield Heading(group)
        yield Grid("", ("What", "Has waited", "Until", "What it needs"), rows)


def _heading(row: Assembly | None, now_ms: int) -> Iterator[Block]:
    if row is None:
        yield Text("No assembly is called yet. What is due for all gathers here until there is one; anybody can call it.")
        return
    pairs: list[tuple[str, Cell]] = [
        ("Assembly", Ref(row.id, "record", row.purpose or "An assembly")), ("Begins", When(row.opens_ms)),
        ("Ends", When(row.ends_ms)),
    ]  # fmt: skip
    if row.place:
        pairs.append(("Where", row.place))
    if now_ms >= row.opens_ms:
        pairs.append(("Now", Link("it is on: run it, one item after another", "/assembly/run")))
    yield Facts(pairs)


def summary(found: Sequence[Entry], now_ms: int) -> str:
    """How much there is, in a sentence."""
    if not found:
        return "Nothing waits. What is due for all of you comes here by itself, and anybody can put something on the agenda."
    longest = max(entry.waits_ms(now_ms) for entry in found)
    return f"{counted(len(found), 'item')}. The one that has waited longest came up {waited(longest)} ago."


def waited(ms: int) -> str:
    """How long something has waited; in cycles once it is three of them."""
    if ms >= 3 * _CYCLE_MS:
        return counted(ms // _CYCLE_MS, "cycle")
    return duration(ms) if ms >= _MINUTE_MS else "a moment"


def _row(entry: Entry, now_ms: int) -> list[Cell]:
    until: Cell = When(entry.until_ms) if entry.until_ms < FOREVER_MS else "until it is done"
    return [Ref(entry.link, "record", entry.what), waited(entry.waits_ms(now_ms)), until, entry.needs]
