"""Placeholder."""

from collections.abc import Iterator

from node.demo_world import Calendar, Event


def assemblies(calendar: Calendar) -> Iterator[Event]:
    yield from ()
