"""Histories that the law tests share; none of them changes one."""

from __future__ import annotations

import pytest

from protocol.practices import PRACTICES
from tests.laws.examples import EXAMPLES
from tests.laws.laws import bad_records
from tests.laws.world import Registry, World

SEEDS = (1, 2, 3, 4)
STEPS = 600


@pytest.fixture(scope="session")
def worlds() -> list[World]:
    """Histories over every kind of the registry, with bad records in every log."""
    made = []
    for seed in SEEDS:
        world = World(Registry(PRACTICES), EXAMPLES, seed)
        world.live(STEPS)
        broken = bad_records(world)
        assert not broken
        made.append(world)
    return made
