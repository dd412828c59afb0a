"""Fuses: what a space decides ends at a new moon that it names in advance, unless it is decided anew.

A fuse is written as the number of the cycle at whose beginning it ends. It lies ahead of the record that sets it, and not
further ahead than an adopted protocol allows.

>>> fuse_ms(322, 1_767_225_600_000, 13) == moon.new_moon_ms(322)
True
"""

from __future__ import annotations

from protocol import moon
from protocol.practice import Refused


def fuse_ms(until_cycle: int, at_ms: int, longest: int) -> int:
    """The instant at which it ends; Refused if that is not ahead, or more than `longest` cycles ahead."""
    try:
        now, ends_ms = moon.cycle_at(at_ms), moon.new_moon_ms(until_cycle)
    except moon.OutsideTable as error:
        raise Refused(str(error)) from error
    if until_cycle <= now:
        raise Refused(f"The fuse has to lie ahead: this is cycle {now}. Choose a cycle from {now + 1} to {now + longest}.")
    if until_cycle > now + longest:
        span = "1 cycle" if longest == 1 else f"{longest} cycles"
        raise Refused(f"A fuse is at most {span} long here. Choose a cycle from {now + 1} to {now + longest}.")
    return ends_ms


def cycles_later_ms(at_ms: int, cycles: int) -> int:
    """The new moon that ends so many cycles, that of the instant being the first; Refused outside the table."""
    try:
        return moon.after_cycles(at_ms, cycles)
    except moon.OutsideTable as error:
        raise Refused(str(error)) from error
