"""Where the lines go that a running node logs: to standard error, because standard output holds what was asked for.

Example::

    to_standard_error(warnings_only=as_json)    # a program that reads along gets no lines it did not ask for
"""

from __future__ import annotations

import logging
import sys

import structlog


def to_standard_error(*, warnings_only: bool) -> None:
    """For this process, from now on."""
    level = logging.WARNING if warnings_only else logging.INFO
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level), logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
