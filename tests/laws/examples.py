"""For every kind, a builder of bodies that fit the state of a `World` just then.

Builders of one practice are in one module, `tests/laws/examples_*.py`, in a dictionary `EXAMPLES` from the kind's name to a
function that takes the world and returns a body (or raises `Unready`). A builder may call `world.act_as(member)`, or set
`world.author` and `world.audience`; else the author holds what the kind needs, and the audience is the kind's own.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from tests import laws
from tests.laws.world import Builder

EXAMPLES: dict[str, Builder] = {}
for _found in sorted(pkgutil.iter_modules(laws.__path__), key=lambda module: module.name):
    if _found.name.startswith("examples_"):
        EXAMPLES.update(import_module(f"tests.laws.{_found.name}").EXAMPLES)
