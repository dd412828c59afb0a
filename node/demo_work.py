"""Placeholder."""

from collections.abc import Iterator

from node.demo_world import Calendar, Event


def work(calendar: Calendar) -> Iterator[Event]:
    yield from ()
