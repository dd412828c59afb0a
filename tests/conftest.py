"""What all tests share: Hypothesis' profile, the seed in sight, and the test material from outside.

Environment: ``CI`` makes Hypothesis choose the same examples each time; ``HYPOTHESIS_EXAMPLES`` sets how many a property
gets (50). After a failure the last lines say the seed that repeats the run; Hypothesis prints a blob for its own part.
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Say the seed of a run that failed, also where the head of the run is not shown."""
    if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        seed = config.getoption("randomly_seed", None)
        terminalreporter.write_line(f"To repeat this order and these random numbers: --randomly-seed={seed}")
