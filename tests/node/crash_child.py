"""Children that are killed while they write; each acknowledges on a pipe only what has returned as durable."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from node.audit import Audit
from node.clock import Clock
from node.home import Home
from node.store import Store
from protocol.entry import Entry
from protocol.tree import grow, leaf_hash

BOOKING = {
    "date": "2026-01-02",
    "memo": "soup",
    "postings": [
        {"account": "assets:cash", "amount": "-1.00", "currency": "EUR"},
        {"account": "expenses:food", "amount": "1.00", "currency": "EUR"},
    ],
}


def append_for_ever(folder: str, acknowledge: Connection) -> None:
    """Book and sign heads until killed."""
    home = Home.open(Path(folder), Clock())
    key = home.key_files.key()
    while True:
        placed = home.actions.submit("ledger.transaction-booked/1", BOOKING, key)
        acknowledge.send(("record", placed.position, placed.digest))
        if placed.position % 7 == 0:
            home.heads.sign()
            acknowledge.send(("head", home.log.head_size, home.log.head_root))


def pull_for_ever(source: str, target: str, step: int, acknowledge: Connection) -> None:
    """Take a log from another store's file, range by range, audit it, and forget it again, until killed."""
    origin, store = Store(Path(source)), Store(Path(target))
    (log, *_) = origin.logs()
    audit = Audit(store, cores=1)
    while True:
        store.learn(log.chain)
        at = store.need(log.space).size
        if at == log.size:
            acknowledge.send(("whole", at, b""))
            store.forget(log.space)
            continue
        rows = origin.rows(log.space, at, min(at + step, log.size))
        leaves = [leaf_hash(Entry(row.flag, row.logged, row.digest).encode()) for row in rows]
        edge, tiles = grow(store.edge(log.space), leaves)
        store.extend(log.space, at, rows, edge, tiles, log.head, log.size, log.root)
        acknowledge.send(("range", edge.size, b""))
        audit.catch_up(log.space)
        acknowledge.send(("judged", edge.size, b""))
