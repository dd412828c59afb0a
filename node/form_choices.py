"""What the choices of a field are called, and which words of its help belong to which of them.

A help that explains each choice by its name (``open: read by all at once. close: hidden until the end.``) is told beside the
choices, one each; what it says besides stays the help. Without that, choices are shown as they are.

Example::

    >>> explained(("open", "not-met"), "It is asked once. open: still to be seen. not-met: it failed.")
    ([('open', 'open: still to be seen'), ('not-met', 'not met: it failed')], 'It is asked once.')
    >>> explained(("above", "below"), "Above the number, or below it.")
    ([('above', 'above'), ('below', 'below')], 'Above the number, or below it.')
"""

from __future__ import annotations

import re
from collections.abc import Sequence


def named(choice: str) -> str:
    """A choice in words."""
    return choice.replace("-", " ")


def explained(choices: Sequence[str], help: str) -> tuple[list[tuple[str, str]], str]:
    """Each choice with what it is called, and what is left of the help."""
    names = "|".join(re.escape(choice) for choice in choices)
    found = list(re.finditer(rf"(?:^|(?<=[.;] ))({names}): ", help, re.IGNORECASE))
    if sorted(match[1].lower() for match in found) != sorted(choices):
        return [(choice, named(choice)) for choice in choices], help
    ends = [*(match.start() for match in found[1:]), len(help)]
    said = {match[1].lower(): help[match.end() : end].strip(" .;") for match, end in zip(found, ends, strict=True)}
    return [(choice, f"{named(choice)}: {said[choice]}") for choice in choices], help[: found[0].start()].strip()
