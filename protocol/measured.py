"""Whom a figure measures: the one or few members whose share, number or time it tells, worked out from rows.

A review that such a figure opens concerns them, so that they are neither drawn to look into it nor vote on the report
(`protocol.wires`). A figure that is about all of us, or about money, measures nobody. What a rule may not see does not
count: of hours that are for members only, a public record knows nothing.

Example::

    measured(own, "workload.top-share", at_ms)      # first keys of who did most in the last full cycle, in order
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from protocol import moon, voicing, working
from protocol.membership import VOUCHES
from protocol.practice import Own
from protocol.terms import longest_held, roles_at, term_of


def measured(own: Own, figure: str, at_ms: int) -> tuple[bytes, ...]:
    """Members whom a figure measures at an instant; several if they are level, nobody if it is about all."""
    counted = _COUNTS.get(figure)
    try:
        found = counted(own, at_ms) if counted else {}
    except moon.OutsideTable:
        return ()
    most = max(found.values(), default=0)
    return tuple(sorted(member for member, each in found.items() if each == most)) if most else ()


def _hours(own: Own, at_ms: int) -> Mapping[bytes, int]:
    return working.load(own, working.last_full_cycle(at_ms), at_ms)


def _tasks(own: Own, at_ms: int) -> Mapping[bytes, int]:
    return working.tasks_done(own, working.last_full_cycle(at_ms), at_ms)


def _proposals(own: Own, at_ms: int) -> Mapping[bytes, int]:
    return voicing.voices(own, at_ms).proposals


def _words(own: Own, at_ms: int) -> Mapping[bytes, int]:
    return voicing.voices(own, at_ms).sayings


def _roles(own: Own, at_ms: int) -> Mapping[bytes, int]:
    held = (term_of(own, row.role, at_ms) for row in roles_at(own, at_ms))
    return Counter(term.holder for term in held if term)


def _vouches(own: Own, at_ms: int) -> Mapping[bytes, int]:
    return Counter(row.voucher for row in own.all(VOUCHES))


_COUNTS: Mapping[str, Callable[[Own, int], Mapping[bytes, int]]] = {
    "workload.top-share": _hours,
    "workload.tasks-top-share": _tasks,
    "voice.proposing-top-share": _proposals,
    "voice.speaking-top-share": _words,
    "roles.most-by-one": _roles,
    "roles.longest-held": longest_held,
    "members.most-vouches-percent": _vouches,
}
