"""What a node keeps besides read tables: spaces, log, tree, heads, peers, accounts, sessions, outbox, notices. By migrations.

Read tables are not here: they are derived from the practices, and dropped and replayed when those change.
"""

from __future__ import annotations

import sqlite_utils
from sqlite_utils import Migrations

MIGRATIONS = Migrations("node")

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- A space whose log this node holds. `size` entries are durable and verified; of the first `audited`
-- the authors' signatures were checked, and the first `judged` are in the tables.
CREATE TABLE space (
    number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, chain BLOB NOT NULL, epoch INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0, audited INTEGER NOT NULL DEFAULT 0,
    judged INTEGER NOT NULL DEFAULT 0, logged INTEGER NOT NULL DEFAULT 0,
    ours INTEGER NOT NULL DEFAULT 0, stopped TEXT NOT NULL DEFAULT '', quota INTEGER NOT NULL DEFAULT 2000000,
    missing INTEGER NOT NULL DEFAULT 0
);

-- id = space number * 2^40 + position. A record is NULL where it is withheld from us, an annex also where it was erased.
CREATE TABLE log (
    id INTEGER PRIMARY KEY, flag INTEGER NOT NULL, logged INTEGER NOT NULL, digest BLOB NOT NULL,
    record BLOB, annex BLOB, genuine INTEGER
);

-- Full tiles of 256 hashes, each with its root: those roots are the hashes of the level above.
CREATE TABLE tile (
    space INTEGER NOT NULL REFERENCES space(number) ON DELETE CASCADE, level INTEGER NOT NULL, number INTEGER NOT NULL,
    hashes BLOB NOT NULL, root BLOB NOT NULL, PRIMARY KEY (space, level, number)
) WITHOUT ROWID;

-- The newest signed head accepted (or, for our own log, signed) in the space's epoch.
CREATE TABLE head (
    space INTEGER PRIMARY KEY REFERENCES space(number) ON DELETE CASCADE, size INTEGER NOT NULL, root BLOB NOT NULL,
    note TEXT NOT NULL
);

-- The newest cosignature of each witness and mirror on a head of a log.
CREATE TABLE cosignature (
    space INTEGER NOT NULL REFERENCES space(number) ON DELETE CASCADE, name TEXT NOT NULL,
    size INTEGER NOT NULL, root BLOB NOT NULL, time_s INTEGER NOT NULL, line TEXT NOT NULL, PRIMARY KEY (space, name)
) WITHOUT ROWID;

CREATE TABLE evidence (
    number INTEGER PRIMARY KEY, space BLOB NOT NULL, found_ms INTEGER NOT NULL, file BLOB NOT NULL
);

CREATE TABLE peer (
    space BLOB PRIMARY KEY, chain BLOB NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL, standing INTEGER NOT NULL DEFAULT 0,
    added_ms INTEGER NOT NULL, last_contact_ms INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '', offset_ms INTEGER NOT NULL DEFAULT 0, summary BLOB, heads BLOB
) WITHOUT ROWID;

-- A member's key, sealed under their password (argon2id), or their public key alone.
CREATE TABLE account (
    number INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, member BLOB NOT NULL, public BLOB NOT NULL,
    sealed BLOB, hash TEXT NOT NULL,
    created_ms INTEGER NOT NULL, failures INTEGER NOT NULL DEFAULT 0,
    failed_ms INTEGER NOT NULL DEFAULT 0, seen_ms INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE session (
    hash BLOB PRIMARY KEY, account INTEGER NOT NULL REFERENCES account(number) ON DELETE CASCADE, csrf TEXT NOT NULL,
    sealed BLOB NOT NULL, created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE token (
    hash BLOB PRIMARY KEY, account INTEGER NOT NULL REFERENCES account(number) ON DELETE CASCADE, label TEXT NOT NULL,
    scopes TEXT NOT NULL, sealed BLOB NOT NULL, created_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Effects of a commit, kept until they are done.
CREATE TABLE outbox (number INTEGER PRIMARY KEY, effect TEXT NOT NULL, data BLOB NOT NULL);

-- Nonces of peers' requests, until their time is over.
CREATE TABLE nonce (
    peer BLOB NOT NULL, nonce BLOB NOT NULL, until_ms INTEGER NOT NULL, PRIMARY KEY (peer, nonce)
) WITHOUT ROWID;
"""


@MIGRATIONS(name="0001-first")
def first(db: sqlite_utils.Database) -> None:
    """Everything that the first release keeps."""
    for statement in _FIRST.split(";\n"):
        if statement.strip():
            db.execute(statement)


@MIGRATIONS(name="0002-root")
def root(db: sqlite_utils.Database) -> None:
    """Beside our own log the root of its tree as of the last commit, so that a bit flipped at rest is seen before signing."""
    db.execute("ALTER TABLE space ADD COLUMN root BLOB")


_CLOCK = """
-- What the clock noticed. `mark` is what it is known by; `alive` while it was still due when the clock last looked.
CREATE TABLE notice (
    number INTEGER PRIMARY KEY, mark BLOB NOT NULL, at_ms INTEGER NOT NULL, noticed_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL, practice TEXT NOT NULL, what TEXT NOT NULL, who BLOB, link BLOB NOT NULL,
    alive INTEGER NOT NULL
);

CREATE UNIQUE INDEX notice_once ON notice (mark, at_ms);

CREATE INDEX notice_alive ON notice (alive) WHERE alive=1;

CREATE INDEX notice_noticed ON notice (noticed_ms);

-- Times in which the clock did not run.
CREATE TABLE away (since_ms INTEGER PRIMARY KEY, until_ms INTEGER NOT NULL);
"""


@MIGRATIONS(name="0003-clock")
def clock(db: sqlite_utils.Database) -> None:
    """What the clock noticed, and when it was off."""
    for statement in _CLOCK.split(";\n"):
        if statement.strip():
            db.execute(statement)


def migrate(db: sqlite_utils.Database) -> None:
    """Bring the file to this release's schema; each step in a transaction of its own."""
    MIGRATIONS.apply(db)
