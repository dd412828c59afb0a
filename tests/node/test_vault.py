"""Keys and accounts: what is on the disk opens nothing without a password or a cookie."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.database import Database
from node.schema import migrate
from node.vault import ABSOLUTE_MS, IDLE_MS, Accounts, KeyFiles, VaultError, new_node_seed, node_keys
from protocol.keys import SigningKey

NOW = 1_760_000_000_000
KEY = SigningKey(b"k" * 32)


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    database = Database(tmp_path / "node.db")
    migrate(database.tidy)
    yield Accounts(database)
    database.close()


def test_the_right_password_gives_the_key_and_a_wrong_one_a_sentence(accounts: Accounts) -> None:
    accounts.create("Ana", "many small islands", KEY.public, KEY, os.urandom(40), NOW)
    account, key = accounts.unlock("Ana", "many small islands", NOW)
    assert (account.login, key.seed) == ("Ana", KEY.seed)
    for login, password in (("Ana", "many small island"), ("Bob", "many small islands")):
        with pytest.raises(VaultError, match="do not go together"):
            accounts.unlock(login, password, NOW)


def test_guessing_is_slowed_and_the_owner_gets_in_after_the_wait(accounts: Accounts) -> None:
    accounts.create("Ana", "many small islands", KEY.public, KEY, os.urandom(40), NOW)
    for _ in range(6):
        with pytest.raises(VaultError):
            accounts.unlock("Ana", "wrong password", NOW)
    with pytest.raises(VaultError, match="Wait"):
        accounts.unlock("Ana", "many small islands", NOW)
    accounts.unlock("Ana", "many small islands", NOW + 120_000)


def test_a_session_ends_by_logout_by_idling_and_after_two_weeks(accounts: Accounts) -> None:
    account = accounts.create("Ana", "many small islands", KEY.public, KEY, os.urandom(40), NOW)
    first, second = (accounts.begin(account, KEY, os.urandom(72), NOW) for _ in range(2))
    resumed = accounts.resume(first, NOW + 1000)
    assert resumed is not None and resumed.key.seed == KEY.seed
    accounts.end(first)
    assert accounts.resume(first, NOW + 1001) is None
    assert accounts.resume(second, NOW + IDLE_MS + 1) is None
    at = NOW
    while at < NOW + ABSOLUTE_MS - IDLE_MS:
        at += IDLE_MS - 1
        assert accounts.resume(second, at) is not None
    assert accounts.resume(second, NOW + ABSOLUTE_MS + 1) is None


def test_the_file_holds_neither_the_seed_nor_the_password_nor_the_session_id(accounts: Accounts, tmp_path: Path) -> None:
    account = accounts.create("Ana", "many small islands", KEY.public, KEY, os.urandom(40), NOW)
    session_id = accounts.begin(account, KEY, os.urandom(72), NOW)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (KEY.seed, KEY.seed.hex().encode(), b"many small islands", session_id.encode(), bytes.fromhex(session_id)):
        assert secret not in held


@pytest.mark.parametrize(
    ("login", "password"), [("", "long enough indeed"), ("Ana", "short"), ("a" * 81, "long enough indeed")]
)
def test_a_bad_login_or_password_is_refused_by_name(accounts: Accounts, login: str, password: str) -> None:
    with pytest.raises(VaultError, match=r"Login|Password"):
        accounts.create(login, password, KEY.public, KEY, os.urandom(40), NOW)


def test_a_login_is_taken_once(accounts: Accounts) -> None:
    accounts.create("Ana", "many small islands", KEY.public, KEY, os.urandom(40), NOW)
    with pytest.raises(VaultError, match="taken"):
        accounts.create("Ana", "many other islands", KEY.public, KEY, os.urandom(40), NOW)


def test_seeds_and_key_files_are_for_their_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    new_node_seed(tmp_path, b"n" * 32)
    assert stat.S_IMODE((tmp_path / "seed").stat().st_mode) == 0o600
    assert node_keys(tmp_path).log.public != node_keys(tmp_path).identity.public
    with pytest.raises(FileExistsError):
        new_node_seed(tmp_path, b"m" * 32)
    files = KeyFiles(tmp_path)
    files.add("Ana", KEY)
    assert files.key().seed == files.key("Ana").seed == KEY.seed
    with pytest.raises(VaultError, match="Choose another"):
        files.add("Ana", KEY)
    with pytest.raises(VaultError, match="There is: Ana"):
        files.key("Bob")
    for name in ("../x", ".hidden", "", "a/b"):
        with pytest.raises(VaultError, match="cannot be"):
            files.add(name, KEY)
