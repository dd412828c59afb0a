"""The registry is this folder: every module's PRACTICE, by name. A new practice is one new file."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from protocol.practice import SHARED, Kind, Parameter, Practice, Table

PRACTICES: tuple[Practice, ...] = tuple(
    import_module(f"{__name__}.{found.name}").PRACTICE
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
)
KINDS: dict[str, Kind] = {kind.name: kind for practice in PRACTICES for kind in practice.kinds}  # type: ignore[type-arg]  # kinds of many bodies
PARAMETERS: dict[str, Parameter] = {p.name: p for practice in PRACTICES for p in practice.parameters}
TABLES: tuple[Table, ...] = (*SHARED, *(table for practice in PRACTICES for table in practice.tables))  # type: ignore[type-arg]  # tables of many rows
PRACTICE_OF: dict[str, Practice] = {kind.name: practice for practice in PRACTICES for kind in practice.kinds}
