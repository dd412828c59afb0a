"""The database is opened strictly or not at all."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pysqlite3
import pytest

from node import database
from node.database import Database, DatabaseError, connect


def test_the_pragmas_hold_on_every_connection(tmp_path: Path) -> None:
    opened = Database(tmp_path / "node.db")
    for db in (opened.writer, opened.reader()):
        read = [
            db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
        ]
        assert read == ["wal", 2, 1, 0]
    opened.close()


def test_a_library_that_can_corrupt_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    monkeypatch.setattr(pysqlite3, "sqlite_version_info", (3, 51, 2))
    with pytest.raises(DatabaseError, match="pysqlite3"):
        connect(tmp_path / "node.db")
    assert database.OLDEST == (3, 51, 3)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    opened = Database(tmp_path / "node.db")
    opened.writer.execute("CREATE TABLE t (x)")
    with pytest.raises(pysqlite3.OperationalError, match="readonly"):
        opened.reader().execute("INSERT INTO t VALUES (1)")
    opened.close()


def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    opened = Database(tmp_path / "node.db")
    opened.writer.execute("CREATE TABLE t (x)")

    def fail() -> None:
        with opened.transaction() as db:
            db.execute("INSERT INTO t VALUES (1)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert opened.writer.execute("SELECT count(*) FROM t").fetchone() == (0,)
    opened.close()
