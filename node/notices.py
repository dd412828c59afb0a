"""What the clock noticed, kept once each: what came due, for whom, at which true moment, and when it was noticed.

Rows of this machine, not of the record: nothing follows from them, and each node keeps its own. Beside them stand the
times in which the node was off. Rules:

- A notice is known by its mark (practice, for whom, about which record, in which words, numbers aside). While it goes on being
  due it is not kept again; nor when it comes again with the same beginning, as after a clock was set back.
- When it was noticed never goes backwards: a clock that was set back does not write itself before what it knows.
- Words come from the record. When words anywhere are erased, those of all that is over are forgotten here too.
- What is long over is dropped after `KEPT_DAYS`.

Example::

    notices.keep(came, alive, now_ms)
    notices.since(member, looked_ms, 12)         # newest first: for the member, and for all
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

from msgspec import Struct

from node.database import Database
from protocol.practice import Due

KEPT_DAYS = 400
DAY_MS = 86_400_000
_SPANS = 60
_COLUMNS = "number, at_ms, noticed_ms, until_ms, practice, what, who, link, alive"


class Notice(Struct, frozen=True):
    """One thing that came due; `alive` is 1 while it still is, as far as the clock last saw."""

    number: int
    at_ms: int
    noticed_ms: int
    until_ms: int
    practice: str
    what: str  # "" once its words were forgotten
    who: bytes | None
    link: bytes
    alive: int


class Away(Struct, frozen=True):
    """A time in which the clock did not run."""

    since_ms: int
    until_ms: int


class Came(Struct, frozen=True):
    """Something that a practice said is due, at the moment at which it was looked at."""

    practice: str
    due: Due
    seen_ms: int

    @property
    def at_ms(self) -> int:
        """When it came due, as far as can be: never after the moment at which it was seen."""
        return max(0, min(self.due.since_ms, self.seen_ms))

    @property
    def mark(self) -> bytes:
        """What it is known by."""
        return mark_of(self.practice, self.due)


def mark_of(practice: str, due: Due) -> bytes:
    """What something due is known by: numbers in its words may change while it waits."""
    words = re.sub(r"\d+", "", due.what)
    parts = (practice.encode(), due.who or b"", due.link, words.encode())
    return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


class Notices:
    """The notices of one node, on the writer's connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # What came due

    def alive(self) -> dict[str, set[bytes]]:
        """By practice, the marks of what was due when the clock last looked."""
        found: dict[str, set[bytes]] = {}
        with self._database.lock:
            rows = list(self._database.writer.execute("SELECT practice, mark FROM notice WHERE alive=1"))
        for practice, mark in rows:
            found.setdefault(practice, set()).add(mark)
        return found

    def keep(self, came: Iterable[Came], alive: Mapping[str, Iterable[bytes]], now_ms: int) -> int:
        """Keep what came due, in the order of its true moments, and what is due now; how many of them are new."""
        ordered = sorted(came, key=lambda each: (each.at_ms, each.seen_ms, each.practice, each.due.link))
        marks = {mark for each in alive.values() for mark in each}
        with self._database.transaction() as db:
            (last,) = db.execute("SELECT coalesce(max(noticed_ms), 0) FROM notice").fetchone()
            noticed_ms, new = max(now_ms, last), 0
            for each in ordered:
                due = each.due
                row = (each.mark, each.at_ms, noticed_ms, due.until_ms, each.practice, due.what, due.who, due.link, 0)
                sql = (
                    "INSERT OR IGNORE INTO notice (mark, at_ms, noticed_ms, until_ms, practice, what, who, link, alive)"
                    " VALUES (?,?,?,?,?,?,?,?,?)"
                )
                new += db.execute(sql, row).rowcount
            db.execute("UPDATE notice SET alive=0 WHERE alive=1")
            newest = "SELECT max(number) FROM notice WHERE mark=?"
            db.executemany(f"UPDATE notice SET alive=1 WHERE number=({newest})", [(mark,) for mark in sorted(marks)])
            db.execute("DELETE FROM notice WHERE alive=0 AND noticed_ms<?", (now_ms - KEPT_DAYS * DAY_MS,))
        return new

    def since(self, member: bytes | None, since_ms: int, limit: int) -> list[Notice]:
        """What was noticed after an instant, for a member and for all, by its true moment, the newest first."""
        sql = (
            f"SELECT {_COLUMNS} FROM notice WHERE noticed_ms>? AND (who IS NULL OR who=?)"
            " ORDER BY at_ms DESC, number DESC LIMIT ?"
        )
        with self._database.lock:
            rows = list(self._database.writer.execute(sql, (since_ms, member or b"", limit)))
        return [Notice(*row) for row in rows]

    def forget_words(self) -> None:
        """Words were erased somewhere: whatever is over keeps none, and is known by no words either."""
        with self._database.transaction() as db:
            db.execute("UPDATE notice SET what='', mark=randomblob(32) WHERE alive=0")

    # When the clock ran

    def ran_ms(self) -> int:
        """When the clock last ran, or 0: the latest instant that it ever showed."""
        with self._database.lock:
            row = self._database.writer.execute("SELECT value FROM meta WHERE name='clock:ran'").fetchone()
        return int(row[0]) if row else 0

    def ran(self, now_ms: int, away: Away | None = None) -> None:
        """The clock runs at this instant; `away` is for how long it did not."""
        with self._database.transaction() as db:
            if away is not None:
                db.execute("INSERT OR REPLACE INTO away VALUES (?,?)", (away.since_ms, away.until_ms))
                kept = f"SELECT since_ms FROM away ORDER BY since_ms DESC LIMIT {_SPANS:d}"
                db.execute(f"DELETE FROM away WHERE since_ms NOT IN ({kept})")
            db.execute("INSERT OR REPLACE INTO meta VALUES ('clock:ran', ?)", (str(now_ms),))

    def away(self, limit: int) -> list[Away]:
        """The times in which the clock did not run, the latest first."""
        with self._database.lock:
            rows = list(
                self._database.writer.execute("SELECT since_ms, until_ms FROM away ORDER BY since_ms DESC LIMIT ?", (limit,))
            )
        return [Away(*row) for row in rows]

    # How many erasures were seen

    def erasures(self) -> int:
        """How many erasures the clock knew of when it last forgot words."""
        with self._database.lock:
            row = self._database.writer.execute("SELECT value FROM meta WHERE name='clock:erased'").fetchone()
        return int(row[0]) if row else 0

    def keep_erasures(self, count: int) -> None:
        """So many erasures are known."""
        with self._database.transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES ('clock:erased', ?)", (str(count),))
