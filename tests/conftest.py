"""What all tests share: Hypothesis' profile, the seed in sight, and the test material from outside.

Environment: ``CI`` makes Hypothesis repeatable and without a deadline; ``HYPOTHESIS_EXAMPLES`` sets how many examples
a property gets (50). A failure is repeated with ``-p randomly -p "randomly_seed=N"`` as printed in the head of the run,
and with the blob that Hypothesis prints.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Verbosity, settings

OUTSIDE = Path(__file__).parents[2] / "shared" / "vectors"

settings.register_profile(
    "archipelago",
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "50")),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
    verbosity=Verbosity.normal,
)
settings.load_profile("archipelago")


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder with test material that nobody of this project wrote; without it the test skips and says so."""
    if not OUTSIDE.is_dir():
        pytest.skip("the test material from outside is not beside this checkout (../shared/vectors)")
    return OUTSIDE
