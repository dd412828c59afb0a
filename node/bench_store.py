"""Figures of one node alone: the machine's limits, the bare floor, appends, bulk, audit, start-up.

Each figure is taken in the run that prints it, with the limit beside it taken a moment before on the same machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from node.actions import Draft
from node.clock import Clock
from node.database import connect
from node.home import Home
from protocol import encoding
from protocol.body import from_json
from protocol.entry import Entry
from protocol.judge import Stored
from protocol.keys import SigningKey, verify
from protocol.practices import KINDS
from protocol.tree import Edge, grow, leaf_hash

BOOKED = "ledger.transaction-booked/1"


class Figure(Struct, frozen=True):
    """One measured figure; `limit` is the machine's own in the same run, and `ratio` the share of it (None: no limit)."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    ratio: float | None = None
    note: str = ""


def figure(name: str, value: float, unit: str, limit: float | None = None, note: str = "") -> Figure:
    """A figure with its share of the limit."""
    return Figure(name, round(value, 4), unit, limit and round(limit, 4), limit and round(value / limit, 4), note)


def booking(number: int) -> Draft:
    """One record of the work W: a ledger transaction with two postings, about 310 bytes with its words."""
    amount = f"{1 + number % 900}.{number % 100:02}"
    body = {
        "date": f"2026-{1 + number % 12:02}-{1 + number % 28:02}",
        "memo": f"kitchen, evening {number}",
        "postings": [
            {"account": "assets:cash", "amount": f"-{amount}", "currency": "EUR"},
            {"account": f"expenses:purpose-{number % 40}", "amount": amount, "currency": "EUR"},
        ],
    }
    return Draft(BOOKED, from_json(KINDS[BOOKED].body, body))


def per_second(count: int, work: Iterator[object]) -> float:
    """How many a second it takes to run through `count` pieces of work."""
    began = time.perf_counter()
    for _ in work:
        pass
    return count / (time.perf_counter() - began)


def limits(folder: Path) -> dict[str, float]:
    """What this machine does on one core with nothing around it."""
    key, message = SigningKey(bytes(32)), bytes(310)
    signature = key.sign(message)
    small = encoding.encode([1, 29_000_000, message, None])
    entry = Entry(0, 29_000_000, bytes(32)).encode()
    db = connect(folder / "limits.db")
    db.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, record BLOB NOT NULL)")

    def commits(start: int) -> Iterator[object]:
        for number in range(start, start + 400):
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO bare VALUES (?,?)", (number, message))
            yield db.execute("COMMIT")

    found = {
        "commits_per_s": max(per_second(400, commits(start)) for start in (0, 400, 800)),
        "verifications_per_s": per_second(4000, (verify(key.public, message, signature) for _ in range(4000))),
        "decodes_per_s": per_second(50_000, (encoding.decode(small) for _ in range(50_000))),
        "leaves_per_s": 200_000 / _timed(lambda: grow(Edge.empty(), [leaf_hash(entry) for _ in range(200_000)])),
    }
    db.close()
    return found


def _timed(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]  # a callable without arguments
    return time.perf_counter() - began


def floor(folder: Path, raws: list[bytes]) -> float:
    """Records a second of the bare floor: one signed head checked, each record hashed and inserted, one durable commit."""
    key = SigningKey(bytes(32))
    signature = key.sign(b"head")
    db = connect(folder / "floor.db")
    db.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, digest BLOB NOT NULL, record BLOB NOT NULL)")
    began = time.perf_counter()
    verify(key.public, b"head", signature)
    for start in range(0, len(raws), 8192):
        db.execute("BEGIN IMMEDIATE")
        part = raws[start : start + 8192]
        db.executemany(
            "INSERT INTO bare VALUES (?,?,?)", [(start + i, sha256(raw).digest(), raw) for i, raw in enumerate(part)]
        )
        db.execute("COMMIT")
    seconds = time.perf_counter() - began
    db.close()
    return len(raws) / seconds


def appends(home: Home, found: dict[str, float], count: int = 1000) -> Figure:
    """One-by-one durable appends through `actions`, beside bare durable commits."""
    key, drafts = home.key_files.key(), [booking(number) for number in range(count)]
    rate = per_second(count, (home.actions.submit_drafts([draft], key) for draft in drafts))
    return figure("append_per_s", rate, "records/s", found["commits_per_s"], "limit: bare durable SQLite commits")


def bulk(home: Home, count: int) -> Figure:
    """Bulk appends, each judged and signed, durable in batches."""
    key, drafts = home.key_files.key(), [booking(number) for number in range(count)]
    rate = per_second(count, iter(home.actions.submit_many(drafts, key)))
    return figure("bulk_append_per_s", rate, "records/s", None, f"{count} records, each judged and signed")


def audit(home: Home, found: dict[str, float]) -> Figure:
    """Authors' signatures checked, beside libsodium's rate on all cores."""
    stored: list[Stored] = list(home.store.stored(home.space, 1, 20_001))
    rate = len(stored) / _timed(lambda: home.audit.check(home.space, stored))
    cores = os.cpu_count() or 1
    note = f"limit: one core's verifications times {cores} cores"
    return figure("audit_signatures_per_s", rate, "signatures/s", found["verifications_per_s"] * cores, note)


def fill(folder: Path, size: int, name: str) -> Home:
    """A founded space with this many bookings, through the real way in."""
    home = Home.found(folder, name, "Bench", Clock())
    key = home.key_files.key()
    for _ in home.actions.submit_many((booking(number) for number in range(size)), key):
        pass
    home.heads.sign()
    return home


def ready(folder: Path) -> float:
    """Seconds from starting a process to its saying that the node of this folder is open."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "node.cli", "-C", str(folder), "status", "--json"]
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 our own command, no input in it
    seconds = time.perf_counter() - began
    json.loads(done.stdout)
    return seconds
