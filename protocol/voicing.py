"""Voice: who proposes, who speaks and who votes, by the rows of decisions; and by the groups that the collective named.

- Looked at are the last three full cycles before a moment: in a small group one cycle holds too little to say anything.
- A proposal, a saying on one, and a vote of one's own count once each. What nobody wrote down is not in here.
- Groups are named by the collective. To which of them somebody counts themselves, they alone say, for members only, in words
  that they can erase for good. Nothing is decided by it.
- A group is told apart only if it has three people and leaves out three, so that no number is about one person.

Example::

    heard = voices(view, now_ms)
    heard.proposals[member]          # how many this member made
    share(heard.proposals, belonging["night-shift"])   # per mille of all
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping

from msgspec import Struct

from protocol import moon
from protocol.deciding import OUTCOMES, PROPOSALS, SAYINGS, VOTES
from protocol.membership import BELONGINGS, members_at
from protocol.practice import Least, Own, Row, Table, View

CYCLES = 3
FEWEST_IN_GROUP = 3
FEWEST_SAID = 5  # below that nobody's share is told
MOST_GROUPS = 12
TOLD_APART = (
    f"A group is told apart if at least {FEWEST_IN_GROUP} members count themselves to it and {FEWEST_IN_GROUP} do not, "
    "so that no number is about one person."
)


class Group(Row, frozen=True):
    """A group that the collective has named."""

    name: str
    id: bytes
    meaning: str
    since_ms: int
    ended_ms: int


GROUPS = Table("voice_group", Group, ("name",), erasable=("meaning",))


class Voices(Struct, frozen=True):
    """How often each member proposed, spoke and voted; and of the votes that were possible, how many were cast."""

    proposals: Mapping[bytes, int]
    sayings: Mapping[bytes, int]
    votes: Mapping[bytes, int]
    decisions: int
    eligible: int
    answered: int


def window(now_ms: int) -> tuple[int, int]:
    """From when to when is looked at; OutsideTable where no new moon is known."""
    cycle = moon.cycle_at(now_ms)
    return moon.new_moon_ms(cycle - CYCLES), moon.new_moon_ms(cycle)


def voices(own: Own, now_ms: int) -> Voices:
    """Who was heard in the last full cycles."""
    since_ms, until_ms = window(now_ms)

    from_then = Least(since_ms)
    proposals = Counter(row.proposer for row in own.all(PROPOSALS, since_ms=from_then) if row.since_ms < until_ms)
    sayings = Counter(row.author for row in own.all(SAYINGS, since_ms=from_then) if row.since_ms < until_ms)
    outcomes = [row for row in own.all(OUTCOMES, since_ms=from_then) if row.since_ms < until_ms]
    votes: Counter[bytes] = Counter()
    for row in outcomes:
        votes.update({member: 1 for member, _ in own.sums(VOTES, "changes", "member", round=row.round, by_self=True)})
    return Voices(
        proposals, sayings, votes, len(outcomes), sum(row.eligible for row in outcomes), sum(row.answered for row in outcomes)
    )


def groups_at(view: View, now_ms: int) -> tuple[Group, ...]:
    """The groups that the collective has named, by their names."""
    found = [row for row in view.all(GROUPS) if row.since_ms <= now_ms < row.ended_ms]
    return tuple(sorted(found, key=lambda row: row.name))


def split(text: str) -> tuple[str, ...]:
    """The names of groups in a member's own words."""
    return tuple(dict.fromkeys(part for part in re.split(r"[\s,;]+", text.strip().lower()) if part))


def belonging(view: View, now_ms: int, among: Collection[bytes] | None = None) -> dict[str, set[bytes]]:
    """Who counts themselves to which group, of the groups that are large enough to be told apart, and leave enough out.

    `among` are those of whom something is told, if it is not all members: the group is large enough among them.
    """
    here = [row.member for row in members_at(view, now_ms) if among is None or row.member in among]
    named: dict[str, set[bytes]] = {row.name: set() for row in groups_at(view, now_ms)}
    for member in here:
        latest = view.all(BELONGINGS, member=member, order="-position", limit=1)
        for name in split(latest[0].groups) if latest else ():
            if name in named:
                named[name].add(member)
    return {
        name: people
        for name, people in named.items()
        if len(people) >= FEWEST_IN_GROUP and len(here) - len(people) >= FEWEST_IN_GROUP
    }


def share(counts: Mapping[bytes, int], people: Collection[bytes]) -> int | None:
    """How much of what was said came from these people, per mille; None where too little was said."""
    total = sum(counts.values())
    if total < FEWEST_SAID:
        return None
    return (sum(counts.get(member, 0) for member in people) * 2000 + total) // (2 * total)  # halves up, as shares of work are
