"""What the verbs about this node's lots do: list them, and give the program that works a draw out again."""

from __future__ import annotations

from typing import Any

from node.failure import Misuse
from node.home import Home
from protocol import lot as draws
from protocol.drawing import DRAWN, LOTS, POOLS, inputs, parts_of, phase, seated
from protocol.lot_blocks import spoken_for
from protocol.membership import name_of
from protocol.practice import keys


def lots(home: Home) -> list[dict[str, Any]]:
    """Every lot of this space, the newest first."""
    view, now_ms = home.view(), home.clock.now_ms()
    return [
        {
            "lot": row.id.hex(),
            "for": spoken_for(view, row),
            "phase": phase(row, now_ms),
            "can_be_drawn": row.size,
            "seats": row.seats,
            "committed": row.committed,
            "revealed": row.revealed,
            "attempt": row.attempt,
            "opened_ms": row.opened_ms,
            "drawn_ms": row.drawn_ms,
            "seated": [name_of(view, member) for member in seated(view, row)] if row.drawn_ms else [],
        }
        for row in sorted(view.all(LOTS), key=lambda row: view.position_of(row.id) or 0, reverse=True)
    ]


def program(home: Home, *, lot: str) -> str:
    """The receipt of a draw: a program with all its data, that needs nothing but Python."""
    view = home.view()
    try:
        row = view.get(LOTS, bytes.fromhex(lot))
    except ValueError as error:
        raise Misuse(f"LOT: “{lot}” is not an id. lot list shows them.") from error
    pool = view.get(POOLS, row.id) if row else None
    if row is None or pool is None:
        raise Misuse("LOT: there is no such lot here. lot list shows them.")
    if phase(row, home.clock.now_ms()) != DRAWN:
        raise Misuse("LOT: this lot is not drawn yet, so there is nothing to check.")
    return draws.script(inputs(row, pool, parts_of(view, row.id)), keys(pool.drawn))
