"""Who lives in the demo's three collectives, who came later and who went. Every name is made up.

Example::

    here("harbour", 200.0)      # ["Ada", "Noor", "Tomas", "Lena", "Ifeoma", "Jakob", "Mina"]
"""

from __future__ import annotations

from msgspec import Struct


class Collective(Struct, frozen=True):
    """One collective as it is founded; its first member is the one who founds."""

    key: str
    name: str
    founders: tuple[str, ...]


class Arrival(Struct, frozen=True):
    """Somebody who came later: by whose invitation, and by whose words besides."""

    day: float
    isle: str
    who: str
    inviter: str
    vouchers: tuple[str, ...]


COLLECTIVES = (
    Collective("harbour", "Harbour House", ("Ada", "Noor", "Tomas", "Lena", "Ifeoma")),
    Collective("lantern", "The Lantern", ("Ines", "Kwame", "Yara", "Olek")),
    Collective("field", "Long Field", ("Marta", "Pavel", "Amina", "Luka")),
)
ARRIVALS = (
    Arrival(72.4, "harbour", "Jakob", "Noor", ("Ada",)),
    Arrival(161.5, "harbour", "Mina", "Lena", ("Tomas",)),
    Arrival(252.6, "harbour", "Sol", "Ifeoma", ("Noor",)),
    Arrival(57.3, "lantern", "Femi", "Yara", ("Kwame",)),
    Arrival(84.5, "lantern", "Dario", "Kwame", ("Ines",)),
    Arrival(131.4, "lantern", "Hana", "Yara", ("Olek",)),
    Arrival(262.7, "lantern", "Rui", "Ines", ("Kwame", "Yara")),
    Arrival(47.4, "field", "Noa", "Marta", ("Luka",)),
    Arrival(110.3, "field", "Zeyn", "Pavel", ("Marta",)),
    Arrival(205.6, "field", "Birk", "Amina", ("Luka", "Marta")),
)
LEAVINGS = {("harbour", "Lena"): 318.5}


def here(isle: str, day: float) -> list[str]:
    """Who lives there on a day of the story, in the order in which they came."""
    founders = next(each.founders for each in COLLECTIVES if each.key == isle)
    later = [each.who for each in sorted(ARRIVALS, key=lambda each: each.day) if each.isle == isle and each.day < day]
    return [who for who in (*founders, *later) if LEAVINGS.get((isle, who), day + 1) > day]
