"""Write `protocol/new_moons.py`: the shipped table of new moons, worked out once with `ephem`.

Run it only to check how the table came about (`python tests/protocol/make_new_moons.py` prints the module; comparing it
with the file that is kept must show no difference). The table is part of what nodes agree on, so it is never
made anew with another library or another `ephem`: two nodes with two tables would end terms at two instants.
"""

from __future__ import annotations

from itertools import pairwise

import ephem

FIRST, LAST = "1900/1/1", "2201/1/1"
SHORTEST_MIN = 42_000  # 29 days 4 hours: below the shortest lunation of the table
PER_LINE = 50

HEADER = '''"""New moons from the last of 1899 to the first of 2201: minutes of each lunation, as data.

Made by `tests/protocol/make_new_moons.py` with `ephem`, to the nearest minute, and never changed. `FIRST_MINUTE` is
the first new moon in minutes since 1970 (UTC), `FIRST_CYCLE` its cycle. `LENGTHS` gives, two base-36 digits each, by how
many minutes a lunation is longer than `SHORTEST_MIN`: the next new moon is that much later. Read by `protocol/moon.py`.
"""

'''


def instants() -> list[int]:
    """Minutes since 1970 of every new moon that the table holds."""
    epoch, day = float(ephem.Date("1970/1/1")), 1440
    found = [ephem.previous_new_moon(ephem.Date(FIRST))]
    while found[-1] < ephem.Date(LAST):
        found.append(ephem.next_new_moon(ephem.Date(found[-1] + 1)))
    return [round((float(moon) - epoch) * day) for moon in found]


def base36(number: int) -> str:
    """Two digits, 0-9a-z."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[number // 36] + digits[number % 36]


def module() -> str:
    """The text of `protocol/new_moons.py`."""
    minutes = instants()
    zero = minutes.index(round((float(ephem.next_new_moon("2000/1/1")) - float(ephem.Date("1970/1/1"))) * 1440))
    codes = [base36(after - before - SHORTEST_MIN) for before, after in pairwise(minutes)]
    lines = ["".join(codes[i : i + PER_LINE]) for i in range(0, len(codes), PER_LINE)]
    head = f"{HEADER}FIRST_CYCLE = {-zero}\nFIRST_MINUTE = {minutes[0]}\nSHORTEST_MIN = {SHORTEST_MIN}\n"
    return "\n".join([head + 'LENGTHS = """', *lines, '"""\n'])


if __name__ == "__main__":
    print(module(), end="")
