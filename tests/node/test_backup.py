"""Backups: whole, encrypted, restored before they count, opened by three sheets and by nothing less."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from node import backup_file
from node.backup import OLDEST_MS, backup, inspect, verify, warning, words_of
from node.backup_file import BackupError
from node.cli import main
from node.cli_desk import silent
from node.clock import MovedClock
from node.database import connect
from node.failure import Misuse
from node.home import Home

PLANTED = "planted words that lie in the database"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A node with some records, its backup, and the sheets of its kit."""
    folder = tmp_path_factory.mktemp("backup") / "isle"
    home = Home.found(folder, "Harbour House", "Ada")
    key = home.key_files.key()
    for number in range(300):
        home.actions.submit("member.named/1", {"name": f"Ada {number}", "contact": PLANTED}, key)
    home.heads.sign()
    told = backup(home, silent, {})
    status, tables = home.status(), home.store.tables.dump(home.store.read_tables)
    home.close()
    return {**told, "folder": folder, "status": status, "tables": tables, "sheets": sorted(home.kit_folder.iterdir())}


@pytest.fixture
def file(made: dict[str, Any], tmp_path: Path) -> Path:
    return Path(shutil.copyfile(made["file"], tmp_path / "copy.backup"))


def test_three_sheets_bring_back_everything(made: dict[str, Any], tmp_path: Path) -> None:
    into = tmp_path / "back"
    told = verify(Path(made["file"]), made["sheets"][1:4], into)
    assert told["opened"]
    home = Home.open(into)
    try:
        status = home.status()
        assert [status[name] for name in ("space", "size", "root")] == [
            made["status"][name] for name in ("space", "size", "root")
        ]
        assert home.store.tables.dump(home.store.read_tables) == made["tables"]
        assert home.key_files.names() == ["Ada"]
    finally:
        home.close()
    assert not (into / "head").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".making")] == []


def test_a_backup_gives_away_nothing_and_is_for_its_owner_alone(made: dict[str, Any]) -> None:
    path = Path(made["file"])
    data = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert PLANTED.encode() not in data
    assert (made["folder"] / "seed").read_bytes() not in data
    assert b"SQLite format" not in data
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_two_sheets_or_those_of_another_kit_open_nothing(made: dict[str, Any], tmp_path: Path) -> None:
    path = Path(made["file"])
    with pytest.raises(Misuse, match="--sheet"):
        verify(path, made["sheets"][:2], None)
    other = Home.found(tmp_path / "other", "Other", "Bo")
    other.close()
    with pytest.raises(Misuse, match="another founding kit"):
        verify(path, sorted(other.kit_folder.iterdir())[:3], None)


@pytest.mark.parametrize("where", [0, 30, 900, -5000, -100, -1])
def test_a_backup_with_one_changed_bit_is_told_from_a_whole_one(file: Path, where: int) -> None:
    data = bytearray(file.read_bytes())
    data[where] ^= 1
    file.write_bytes(data)
    with pytest.raises(BackupError):
        backup_file.check(file)


@pytest.mark.parametrize("left", [0, 10, 1000, 50_000])
def test_a_backup_that_was_cut_off_is_told_from_a_whole_one(file: Path, left: int) -> None:
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(BackupError):
        backup_file.check(file)


def test_a_restored_copy_that_is_not_the_log_is_refused(made: dict[str, Any], tmp_path: Path) -> None:
    into = tmp_path / "back"
    verify(Path(made["file"]), made["sheets"][:3], into)
    head = backup_file.check(Path(made["file"]))
    inspect(into, head)
    with closing(connect(into / "node.db")) as db:
        db.execute("UPDATE log SET annex=NULL, record=(SELECT record FROM log WHERE id=(SELECT max(id) FROM log))")
    with pytest.raises(BackupError, match="record"):
        inspect(into, head)


def test_a_restored_seed_of_another_node_is_refused(made: dict[str, Any], tmp_path: Path) -> None:
    into = tmp_path / "back"
    verify(Path(made["file"]), made["sheets"][:3], into)
    (into / "seed").write_bytes(bytes(32))
    with pytest.raises(BackupError, match="seed"):
        inspect(into, backup_file.check(Path(made["file"])))


def test_a_failed_check_leaves_no_backup(tmp_path: Path) -> None:
    home = Home.found(tmp_path / "isle", "Harbour House", "Ada")
    try:
        with home.store.database.transaction() as db:
            db.execute("UPDATE log SET digest=zeroblob(32) WHERE id=(SELECT max(id) FROM log)")
        with pytest.raises(BackupError):
            backup(home, silent, {})
        assert list((tmp_path / "isle-backups").iterdir()) == []
        assert home.store.setting("backup") == ""
    finally:
        home.close()


def test_a_backup_within_the_data_folder_is_refused(tmp_path: Path) -> None:
    home = Home.found(tmp_path / "isle", "Harbour House", "Ada")
    try:
        with pytest.raises(Misuse, match="--to"):
            backup(home, silent, {"to": str(tmp_path / "isle" / "backups")})
    finally:
        home.close()


def test_an_old_backup_is_told(tmp_path: Path) -> None:
    clock = MovedClock(1_790_000_000_000, running=False)
    home = Home.found(tmp_path / "isle", "Harbour House", "Ada", clock)
    try:
        backup(home, silent, {})
        assert warning(home) == ""
        clock.move(OLDEST_MS + 3_600_000)
        assert "37 hours old" in warning(home)
    finally:
        home.close()


def test_the_commands_make_check_and_restore(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "isle"
    Home.found(folder, "Harbour House", "Ada").close()
    assert main(["-C", str(folder), "backup", "--to", str(tmp_path / "disk"), "--json"]) == 0
    file = json.loads(capsys.readouterr().out)["file"]
    assert main(["backup", "verify", file]) == 0
    assert "not opened" in capsys.readouterr().out
    sheets = [word for path in sorted((tmp_path / "isle-founding-kit").iterdir())[:3] for word in ("--sheet", str(path))]
    assert main(["backup", "verify", file, *sheets, "--into", str(tmp_path / "back")]) == 0
    assert main(["-C", str(tmp_path / "back"), "status"]) == 0
    assert main(["backup", "verify", file, *sheets, "--into", str(tmp_path / "back")]) == 2
    assert "not empty" in capsys.readouterr().err
    assert main(["backup", "verify", str(tmp_path / "nothing")]) == 2
    assert main(["backup", "verify", file, "--into", str(tmp_path / "x")]) == 2


def test_words_are_read_off_a_sheet_or_as_typed(made: dict[str, Any]) -> None:
    words = words_of(made["sheets"][0].read_text()).split()
    assert len(words) == 33
    assert words_of("alpha beta") == "alpha beta"
