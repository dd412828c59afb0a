"""Keys and accounts on this machine.

- The node's seed lies in ``seed`` in the data folder, readable by its owner alone.
- A member who works on the command line has a key file in ``member-keys/``; one who wants only a password has their key
  sealed under it in the database: the key for the seal comes from the password by argon2id (64 MiB, 3 passes), so a right
  password is one that opens the seal, and neither the password nor a hash of it is kept.
- A session seals the member's key again, under the session's own random id. Only a hash of the id is kept, so whoever
  takes the disk can open neither.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from msgspec import Struct
from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from node.database import Database
from protocol.keys import NodeKeys, SigningKey

IDLE_MS = 12 * 3_600_000
ABSOLUTE_MS = 14 * 86_400_000
LEAST_PASSWORD = 10
SCOPES = ("read", "write")
_OPS, _MEMORY = 3, 64 * 1024 * 1024
_SLOW_AFTER, _SLOWEST_MS = 5, 60_000


class VaultError(Exception):
    """A key or an account cannot be used; the message says what to do."""


class Account(Struct, frozen=True):
    """Somebody who can log in."""

    number: int
    login: str
    member: bytes
    public: bytes


class Session(Struct, frozen=True):
    """Somebody who is logged in; `key` signs for them."""

    account: Account
    key: SigningKey
    csrf: str
    created_ms: int


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(data)


def new_node_seed(folder: Path, seed: bytes) -> NodeKeys:
    """Keep a new node's seed; refuses to overwrite one."""
    write_private(folder / "seed", seed)
    return NodeKeys.derive(seed)


def node_keys(folder: Path) -> NodeKeys:
    """The node's keys from its data folder."""
    try:
        return NodeKeys.derive((folder / "seed").read_bytes())
    except (OSError, ValueError) as error:
        raise VaultError(f"The node's seed in {folder} cannot be read ({error}). Put it back from the last backup.") from error


def check_name(name: str) -> None:
    """VaultError unless a member's key can lie on this machine under this name."""
    if not re.fullmatch(r"[^\x00-\x1f/.][^\x00-\x1f/]{0,79}", name):
        raise VaultError(
            f"“{name}” cannot be a member's name here: write 1 to 80 characters, no slash, not beginning with a dot."
        )


class KeyFiles:
    """The key files of members who work on this machine's command line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "member-keys"

    def add(self, name: str, key: SigningKey) -> None:
        """Keep a member's key; refuses a name that is taken."""
        check_name(name)
        try:
            write_private(self._folder / name, key.seed.hex().encode())
        except FileExistsError as error:
            raise VaultError(f"There is a key for “{name}” on this machine. Choose another name.") from error

    def remove(self, name: str) -> None:
        """Drop a key that nothing was signed with: its owner could not join."""
        (self._folder / name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Whose keys lie here, the oldest first."""
        if not self._folder.is_dir():
            return []
        return [path.name for path in sorted(self._folder.iterdir(), key=lambda path: (path.stat().st_mtime_ns, path.name))]

    def key(self, name: str = "") -> SigningKey:
        """A member's key: the only or first one if no name is given."""
        names = self.names()
        if not names:
            raise VaultError("No member's key lies on this machine. Log in to the page, or found a space first.")
        chosen = name or names[0]
        if chosen not in names:
            raise VaultError(f"No key of “{chosen}” lies on this machine. There is: {', '.join(names)}.")
        return SigningKey(bytes.fromhex((self._folder / chosen).read_text()))


class Accounts:
    """Who can log in, and who is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, login: str, password: str, member: bytes, key: SigningKey, random: bytes, now_ms: int) -> Account:
        """A new account whose key is sealed under the password; `random` is 40 bytes for salt and nonce."""
        if not re.fullmatch(r"[^\x00-\x1f]{1,80}", login.strip()):
            raise VaultError("Login: write a name of 1 to 80 characters.")
        if len(password) < LEAST_PASSWORD:
            raise VaultError(f"Password: at least {LEAST_PASSWORD} characters. A few words in a row are easy to keep in mind.")
        salt, nonce = random[:16], random[16:40]
        sealed = SecretBox(_stretch(password, salt)).encrypt(key.seed, nonce)
        with self._database.transaction() as db:
            if db.execute("SELECT 1 FROM account WHERE login=?", (login.strip(),)).fetchone():
                raise VaultError(f"Login: “{login}” is taken on this node. Choose another.")
            number = db.execute(
                "INSERT INTO account (login, member, public, sealed, hash, created_ms) VALUES (?,?,?,?,?,?)",
                (login.strip(), member, key.public, bytes(sealed), salt.hex(), now_ms),
            ).lastrowid
        return Account(int(number or 0), login.strip(), member, key.public)

    def all(self) -> list[Account]:
        """Every account."""
        with self._database.lock:
            return [Account(*row) for row in self._database.writer.execute("SELECT number, login, member, public FROM account")]

    def unlock(self, login: str, password: str, now_ms: int) -> tuple[Account, SigningKey]:
        """The account and its key, if the password opens the seal. Slow on purpose; run it off the event loop."""
        with self._database.lock:
            row = self._database.writer.execute(
                "SELECT number, login, member, public, sealed, hash, failures, failed_ms FROM account WHERE login=?",
                (login.strip(),),
            ).fetchone()
        salt = bytes.fromhex(row[5]) if row else bytes(16)
        wait_ms = min(_SLOWEST_MS, 1000 << max(0, row[6] - _SLOW_AFTER)) if row and row[6] >= _SLOW_AFTER else 0
        if row and now_ms < row[7] + wait_ms:
            raise VaultError(f"Too many tries. Wait {-(-(row[7] + wait_ms - now_ms) // 1000)} seconds, then try once more.")
        secret = _stretch(password, salt)
        try:
            seed = SecretBox(secret).decrypt(row[4] if row else bytes(72))
        except CryptoError as error:
            self._count_failure(login, now_ms)
            raise VaultError("Name and password do not go together. Try again, or ask somebody to invite you anew.") from error
        with self._database.transaction() as db:
            db.execute("UPDATE account SET failures=0, seen_ms=? WHERE number=?", (now_ms, row[0]))
        return Account(*row[:4]), SigningKey(seed)

    def _count_failure(self, login: str, now_ms: int) -> None:
        with self._database.transaction() as db:
            db.execute("UPDATE account SET failures=failures+1, failed_ms=? WHERE login=?", (now_ms, login.strip()))

    # Sessions

    def begin(self, account: Account, key: SigningKey, random: bytes, now_ms: int) -> str:
        """A new session; `random` is 72 bytes. Returns the id for the cookie, which is kept nowhere."""
        session_id = random[:32].hex()
        sealed = SecretBox(_session_key(session_id)).encrypt(key.seed, random[32:56])
        with self._database.transaction() as db:
            db.execute("DELETE FROM session WHERE used_ms<? OR created_ms<?", (now_ms - IDLE_MS, now_ms - ABSOLUTE_MS))
            db.execute(
                "INSERT INTO session (hash, account, csrf, sealed, created_ms, used_ms) VALUES (?,?,?,?,?,?)",
                (_session_hash(session_id), account.number, random[56:72].hex(), bytes(sealed), now_ms, now_ms),
            )
        return session_id

    def resume(self, session_id: str, now_ms: int) -> Session | None:
        """The session with this id, if it is not over; notes at most once a minute that it was used."""
        with self._database.lock:
            row = self._database.writer.execute(
                "SELECT a.number, a.login, a.member, a.public, s.sealed, s.csrf, s.created_ms, s.used_ms FROM session s"
                " JOIN account a ON a.number=s.account WHERE s.hash=?",
                (_session_hash(session_id),),
            ).fetchone()
        if row is None or now_ms - row[7] > IDLE_MS or now_ms - row[6] > ABSOLUTE_MS:
            return None
        if now_ms - row[7] > 60_000:
            with self._database.transaction() as db:
                db.execute("UPDATE session SET used_ms=? WHERE hash=?", (now_ms, _session_hash(session_id)))
        seed = SecretBox(_session_key(session_id)).decrypt(row[4])
        return Session(Account(*row[:4]), SigningKey(seed), row[5], row[6])

    def end(self, session_id: str) -> None:
        """Log out: the session is gone at once."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM session WHERE hash=?", (_session_hash(session_id),))

    def end_all(self, account: int) -> None:
        """Log out everywhere."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM session WHERE account=?", (account,))

    # Tokens for programs

    def issue_token(
        self, account: Account, key: SigningKey, label: str, scopes: Sequence[str], random: bytes, now_ms: int
    ) -> str:
        """A bearer token for a program that acts for this member; `random` is 56 bytes. Shown once, kept nowhere."""
        unknown = set(scopes) - set(SCOPES)
        if unknown or not scopes:
            raise VaultError(f"Scopes: choose among {', '.join(SCOPES)}.")
        if not 1 <= len(label.strip()) <= 80:
            raise VaultError("Label: say in 1 to 80 characters what the token is for.")
        token = random[:32].hex()
        sealed = SecretBox(_session_key(token)).encrypt(key.seed, random[32:56])
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO token (hash, account, label, scopes, sealed, created_ms) VALUES (?,?,?,?,?,?)",
                (_session_hash(token), account.number, label.strip(), " ".join(sorted(set(scopes))), bytes(sealed), now_ms),
            )
        return token

    def token(self, token: str) -> tuple[Account, SigningKey, frozenset[str]] | None:
        """Who a token acts for and what it may do, or None if it is not one."""
        with self._database.lock:
            row = self._database.writer.execute(
                "SELECT a.number, a.login, a.member, a.public, t.sealed, t.scopes FROM token t"
                " JOIN account a ON a.number=t.account WHERE t.hash=?",
                (_session_hash(token),),
            ).fetchone()
        if row is None:
            return None
        return Account(*row[:4]), SigningKey(SecretBox(_session_key(token)).decrypt(row[4])), frozenset(row[5].split())

    def tokens(self, account: int) -> list[tuple[str, str, int]]:
        """(label, scopes, created_ms) of an account's tokens."""
        with self._database.lock:
            sql = "SELECT label, scopes, created_ms FROM token WHERE account=? ORDER BY created_ms"
            return list(self._database.writer.execute(sql, (account,)))

    def revoke_tokens(self, account: int, label: str) -> None:
        """The tokens with this label are gone at once."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM token WHERE account=? AND label=?", (account, label))


def _stretch(password: str, salt: bytes) -> bytes:
    return pwhash.argon2id.kdf(32, password.encode(), salt, opslimit=_OPS, memlimit=_MEMORY)


def _session_hash(session_id: str) -> bytes:
    return sha256(b"archipelago/session/" + session_id.encode()).digest()


def _session_key(session_id: str) -> bytes:
    return sha256(b"archipelago/session-key/" + session_id.encode()).digest()
