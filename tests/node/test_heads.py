"""Heads: none is signed that does not extend the last, over damaged, older, copied and put-back databases."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import ClientSession

from federation.storage import ALLY, Peer, StorageError
from node.clock import MovedClock
from node.head import SLOT, HeadFile
from node.home import Home
from node.server import bind, listen
from node.store import Store
from node.web.app import construct_app
from protocol.keychain import origin
from protocol.keys import SigningKey
from protocol.note import Checkpoint, open_checkpoint
from protocol.practices.ledger import Booked, Posting
from protocol.tree import check_consistency, prove_consistency, root_at

NOW = 1_790_000_000_000
FILES = ("node.db", "node.db-wal", "node.db-shm")


class Mill:
    """A node in a folder that is opened, closed, copied and put back."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, MovedClock(NOW, running=False)
        self.home = Home.found(folder, "The Mill", "Ada", self.clock)

    @property
    def ada(self) -> SigningKey:
        return self.home.key_files.key()

    def write(self, count: int = 1) -> None:
        for _ in range(count):
            body = Booked(
                date="2026-09-20", memo="x", postings=[Posting("expenses:food", 5, "EUR"), Posting("assets:cash", -5, "EUR")]
            )
            self.home.actions.submit("ledger.transaction-booked/1", body, self.ada)

    def close(self) -> None:
        self.home.close()

    def reopen(self) -> Home:
        self.home = Home.open(self.folder, self.clock)
        return self.home

    def keep(self, *names: str) -> Callable[[], None]:
        """Copies some files of the closed folder, and gives what puts them back."""
        kept = self.folder.with_name("kept")
        shutil.copytree(self.folder, kept)

        def put_back() -> None:
            for name in names:
                (self.folder / name).unlink(missing_ok=True)
                if (kept / name).exists():
                    shutil.copy(kept / name, self.folder / name)

        return put_back

    def damage(self, statement: str, *values: object) -> None:
        """Change the database behind the node's back, as a failing disk does."""
        with self.home.store.database.transaction() as db:
            db.execute(statement, values)

    def head(self, note: str) -> Checkpoint:
        return open_checkpoint(note, origin(self.home.space, 0), self.home.keys.log.public)[0]

    def know_peer(self, other: Home) -> None:
        log = other.log
        self.home.store.keep_peer(
            Peer(other.space, log.chain, other.name, "http://127.0.0.1:1", ALLY, NOW, 0, 0, "", 0, b"", b"")
        )


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    return Mill(tmp_path / "mill")


@pytest.fixture
def peer(tmp_path: Path) -> Home:
    home = Home.found(tmp_path / "peer", "The Quay", "Bo")
    home.close()
    return home


class _Tiles:
    def __init__(self, store: Store, space: bytes) -> None:
        self._store, self._space = store, space

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        return self._store.read_tile(self._space, level, index, width)


# Signing


def test_each_head_extends_the_one_before_it_and_the_head_file_is_never_behind_a_signed_note(mill: Mill) -> None:
    last = mill.head(mill.home.heads.sign())
    for count in (1, 2, 300, 1):
        mill.write(count)
        now = mill.head(mill.home.heads.sign())
        tiles = _Tiles(mill.home.store, mill.home.space)
        check_consistency(last.size, now.size, last.root, now.root, prove_consistency(last.size, now.size, tiles))
        signed = HeadFile(mill.folder / "head").read()
        assert signed is not None
        assert (signed.size, signed.root) == (now.size, now.root) == (mill.home.log.size, mill.home.log.root)
        last = now
    mill.close()


def test_a_head_is_signed_once_while_nothing_moves(mill: Mill) -> None:
    assert mill.home.heads.sign() == mill.home.heads.sign()
    signed = HeadFile(mill.folder / "head").read()
    assert signed is not None
    assert signed.counter == 0
    mill.close()


def test_if_the_head_file_cannot_be_written_no_note_leaves(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    before = mill.home.heads.sign()
    mill.write()

    def full(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr("node.head.os.fdatasync", full)
        with pytest.raises(OSError, match="no space"):
            mill.home.heads.sign()
        assert mill.home.log.head == before
    assert mill.head(mill.home.heads.sign()).size == mill.home.log.size
    mill.close()


# A flipped bit


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE log SET record=CAST(substr(record,1,60)||x'00'||substr(record,62) AS BLOB) WHERE id&1023=3", ()),
        ("UPDATE log SET record=NULL WHERE id&1023=3", ()),
        ("UPDATE log SET digest=CAST(x'00'||substr(digest,2) AS BLOB) WHERE id&1023=3", ()),
        ("UPDATE log SET logged=logged+1 WHERE id&1023=3", ()),
        ("UPDATE log SET flag=1-flag WHERE id&1023=3", ()),
        ("DELETE FROM log WHERE id&1023=3", ()),
    ],
    ids=["record", "record gone", "digest", "time", "flag", "entry gone"],
)
@pytest.mark.parametrize("opened_anew", [False, True])
def test_a_flipped_bit_in_what_is_about_to_be_signed_stops_the_signature(
    mill: Mill, statement: str, values: tuple[object, ...], opened_anew: bool
) -> None:
    before = mill.home.heads.sign()
    mill.write(5)
    mill.damage(statement, *values)
    if opened_anew:
        mill.close()
        try:
            mill.reopen()
        except StorageError:
            return  # not even opened: nothing can be signed
        before_writing = mill.home.log.size
        with suppress(StorageError):
            mill.write()
        assert mill.home.log.size == before_writing or mill.home.log.head == before
    told = ""
    try:
        told = mill.home.heads.sign()
    except StorageError as error:
        assert "Nothing is signed" in str(error)
    assert told in ("", before)
    assert mill.home.log.head == before
    signed = HeadFile(mill.folder / "head").read()
    assert signed is not None
    assert signed.size == mill.head(before).size
    mill.close()


@pytest.mark.parametrize("column", ["logged=logged+1", "digest=CAST(x'00'||substr(digest,2) AS BLOB)"])
def test_a_flipped_bit_in_what_was_signed_before_is_seen_at_the_next_start(mill: Mill, column: str) -> None:
    mill.write(5)
    mill.home.heads.sign()
    mill.damage(f"UPDATE log SET {column} WHERE id&1023=3")
    mill.close()
    home = mill.reopen()
    assert home.heads.recovering
    before = home.log.head
    with pytest.raises(StorageError, match="Nothing is written"):
        mill.write()
    assert home.heads.sign() == before
    assert home.status()["state"] == "recovering"
    mill.close()


# Copies put back


def test_a_database_put_back_from_an_older_copy_is_recovering_and_signs_nothing(mill: Mill) -> None:
    mill.write(2)
    mill.home.heads.sign()
    mill.close()
    put_back = mill.keep(*FILES)
    home = mill.reopen()
    mill.write(3)
    latest = mill.head(home.heads.sign())
    mill.close()
    put_back()
    home = mill.reopen()
    assert "signs nothing" in home.heads.recovering
    assert home.status()["state"] == "recovering"
    assert home.heads.recovering in home.warnings()
    mill.write(9)  # further than what was signed, on another history
    note = home.heads.sign()
    assert mill.head(note).size < latest.size
    home.heads.alone()
    assert mill.head(home.heads.sign()).size < latest.size
    signed = HeadFile(mill.folder / "head").read()
    assert signed is not None
    assert signed.root == latest.root
    mill.close()
    assert mill.reopen().heads.recovering  # also when its other history is longer by now
    mill.close()


def test_a_database_that_is_ahead_of_its_head_file_signs_on(mill: Mill) -> None:
    mill.home.heads.sign()
    mill.write(4)  # committed and acknowledged, and the node stopped before it signed
    mill.close()
    home = mill.reopen()
    assert not home.heads.recovering
    assert mill.head(home.heads.sign()).size == home.log.size
    mill.close()


def test_a_head_file_that_is_ahead_of_the_database_by_one_signature_is_no_reason_to_recover(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    mill.write(2)

    def stop(*_: object) -> None:
        raise OSError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(mill.home.store, "accept_head", stop)
        with pytest.raises(OSError, match="power"):
            mill.home.heads.sign()
    mill.close()
    home = mill.reopen()
    assert not home.heads.recovering
    assert mill.head(home.heads.sign()).size == home.log.size
    mill.close()


def test_a_head_file_of_which_nothing_can_be_read_signs_nothing(mill: Mill) -> None:
    mill.home.heads.sign()
    mill.write()
    mill.home.heads.sign()
    mill.close()
    path = mill.folder / "head"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    data[SLOT + 40] ^= 1
    path.write_bytes(data)
    home = mill.reopen()
    assert "no readable head" in home.heads.recovering
    before = home.log.head
    mill.write()
    home.heads.alone()
    assert home.heads.sign() == before
    mill.close()


# What peers say


def test_a_node_with_peers_asks_before_its_first_signature_after_a_start(mill: Mill, peer: Home, tmp_path: Path) -> None:
    other = Home.open(tmp_path / "peer")
    first = mill.home.heads.sign()
    mill.know_peer(other)
    other.close()
    mill.write(2)
    mill.close()
    home = mill.reopen()
    assert not home.heads.may_sign
    assert home.heads.sign() == first
    home.heads.heard(other.space, 0, b"")
    assert mill.head(home.heads.sign()).size == home.log.size
    mill.close()


def test_if_no_peer_can_be_reached_nothing_is_signed_until_somebody_says_alone(mill: Mill, peer: Home, tmp_path: Path) -> None:
    other = Home.open(tmp_path / "peer")
    first = mill.home.heads.sign()
    mill.know_peer(other)
    other.close()
    mill.write(2)
    mill.close()
    home = mill.reopen()
    home.heads.unreachable(other.space)
    assert home.heads.sign() == first
    home.heads.alone()
    assert mill.head(home.heads.sign()).size == home.log.size
    mill.close()


def test_a_peer_that_holds_more_of_our_log_makes_us_recover_even_if_the_whole_machine_was_put_back(
    mill: Mill, peer: Home, tmp_path: Path
) -> None:
    other = Home.open(tmp_path / "peer")
    mill.know_peer(other)
    other.close()
    first = mill.home.heads.sign()
    mill.close()
    put_back = mill.keep(*FILES, "head")
    mill.reopen()
    mill.home.heads.alone()
    mill.write(3)
    latest = mill.head(mill.home.heads.sign())
    mill.close()
    put_back()
    home = mill.reopen()
    assert not home.heads.recovering  # head file and database agree: only the peer knows better
    mill.write(5)
    assert home.heads.sign() == first
    home.heads.heard(other.space, latest.size, latest.root[:11])
    assert "does not extend" in home.heads.recovering
    home.heads.alone()
    assert home.heads.sign() == first
    mill.close()


def test_a_peer_that_names_a_larger_size_makes_us_recover_and_one_that_is_behind_does_not(mill: Mill) -> None:
    mill.write(6)
    home = mill.home
    tiles = _Tiles(home.store, home.space)
    home.heads.heard(b"p" * 32, 3, root_at(3, tiles)[:11])
    assert not home.heads.recovering
    home.heads.heard(b"p" * 32, home.log.size + 1, b"r" * 11)
    assert f"holds {home.log.size + 1} records" in home.heads.recovering
    assert home.heads.sign() == ""
    mill.close()


def test_a_space_that_never_signed_anything_may_begin_without_asking(mill: Mill, peer: Home, tmp_path: Path) -> None:
    other = Home.open(tmp_path / "peer")
    mill.know_peer(other)
    other.close()
    mill.close()
    assert mill.reopen().heads.sign()
    mill.close()


# What people are told


async def test_a_damaged_log_is_told_as_a_page_and_as_an_answer_and_nothing_is_written(mill: Mill) -> None:
    mill.write(2)
    mill.damage("UPDATE log SET logged=logged+1 WHERE id&1023=3")
    mill.close()
    home = mill.reopen()
    key, now_ms = mill.ada, mill.clock.now_ms()
    account = home.accounts.create("ada", "soup on tuesday", key.public, key, bytes(40), now_ms)
    token = home.accounts.issue_token(account, key, "test", ["write"], bytes(56), now_ms)
    session = home.accounts.begin(account, key, bytes(72), now_ms)
    where = bind("127.0.0.1", 0)
    listening = await listen(construct_app(home), where)
    url = f"http://127.0.0.1:{where.getsockname()[1]}"
    async with ClientSession() as client:
        body = {"account": "assets:till"}
        headers = {"Authorization": f"Bearer {token}"}
        async with client.post(f"{url}/api/v1/records/ledger.account-opened/1", json=body, headers=headers) as answer:
            assert answer.status == 500
            assert "Nothing was done" in (await answer.json())["error"]
        form = f"{url}/record/new/ledger.account-opened/1"
        async with client.get(form, headers={"Cookie": f"session={session}"}) as answer:
            found = re.search(r'name="csrf" value="([0-9a-f]+)"', await answer.text())
            assert found
        sent = {"csrf": found[1], "account": "assets:till", "do": "write"}
        async with client.post(form, data=sent, headers={"Cookie": f"session={session}", "Origin": url}) as answer:
            assert answer.status == 500
            assert "Nothing was changed" in await answer.text()
    assert home.log.size == 4
    await listening.close()
    mill.close()
