"""One SQLite file: opened strictly, written by one connection, read by others.

- SQLite older than 3.51.3 can corrupt a database in WAL mode; the node refuses to start on it.
- WAL, ``synchronous=FULL`` (an acknowledged commit survives a power cut), foreign keys on, ``trusted_schema`` off: each is
  set and then read back.
- Nothing that came from outside is ever opened here; only records that were verified are replayed into it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pysqlite3
import sqlite_utils

from federation.storage import StorageError

OLDEST = (3, 51, 3)
_PRAGMAS = (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0))


class DatabaseError(StorageError):
    """The database cannot be used as it is; the message says what to do."""


FAILURES: tuple[type[Exception], ...] = (sqlite3.Error, pysqlite3.Error)  # what a full or failing disk raises
Connection = sqlite3.Connection  # typed by the standard library, whichever of the two made it


def engine() -> Any:
    """Python's own sqlite3 if its library is new enough, else pysqlite3's; DatabaseError if neither is."""
    for module in (sqlite3, pysqlite3):
        if module.sqlite_version_info >= OLDEST:
            return module
    raise DatabaseError(
        f"SQLite {pysqlite3.sqlite_version} can corrupt a database in WAL mode."
        " Install pysqlite3 0.6.1 or newer, which brings its own."
    )


def connect(path: Path, *, read_only: bool = False) -> Connection:
    """A connection with the pragmas set and read back; autocommit, so that transactions are begun in words."""
    db: Connection = engine().connect(
        str(path), isolation_level=None, check_same_thread=False, timeout=10.0, cached_statements=512
    )
    for name, value in _PRAGMAS:
        db.execute(f"PRAGMA {name}={value}")
        (found,) = db.execute(f"PRAGMA {name}").fetchone()
        if found != value:
            raise DatabaseError(f"The database would not take {name}={value} (it says {found}). Is its disk read-only?")
    db.execute("PRAGMA cache_size=-32768")
    db.execute("PRAGMA wal_autocheckpoint=2000")
    if read_only:
        db.execute("PRAGMA query_only=1")
    return db


class Database:
    """The writer's connection with its lock, and connections for readers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = connect(path)
        self.tidy = sqlite_utils.Database(self.writer)
        self.lock = threading.RLock()
        self._readers: list[Connection] = []

    def reader(self) -> Connection:
        """A new connection that can only read; closed with the database."""
        db = connect(self.path, read_only=True)
        self._readers.append(db)
        return db

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The one writer in one durable transaction: all of it or nothing. Not to be nested."""
        with self.lock:
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                yield self.writer
                self.writer.execute("COMMIT")
            except FAILURES as error:
                self._roll_back()
                raise DatabaseError(f"Nothing was kept: {error}. Look whether the disk is full or failing.") from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self.writer.in_transaction:
            self.writer.execute("ROLLBACK")

    def close(self) -> None:
        """Fold the WAL back and close every connection."""
        with self.lock:
            for db in self._readers:
                db.close()
            self._readers.clear()
            self.writer.close()
