"""What all tests share: Hypothesis' profile, the seed in sight, and the test material from outside.

Environment: ``CI`` makes Hypothesis choose the same examples each time; ``HYPOTHESIS_EXAMPLES`` sets how many a property
gets (50). To repeat a failure, give ``--randomly-seed=N`` of the run's head again, and the blob that Hypothesis prints.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

OUTSIDE = Path(__file__).parents[2] / "shared" / "vectors"

settings.register_profile(
    "archipelago",
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "50")),
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("archipelago")


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder with test material that nobody of this project wrote; without it the test skips and says so."""
    if not OUTSIDE.is_dir():
        pytest.skip("the test material from outside is not beside this checkout (../shared/vectors)")
    return OUTSIDE
