"""Backups: made while the node runs, encrypted to the recovery key, restored and checked before they count as made.

The job, in this order; if a step fails there is no backup and the sentence says which:

1. copy the database by SQLite's online backup, so that the copy is of one moment, and the seed and members' key files;
2. write them to one encrypted file (`node.backup_file`); the head file is never in it, so that a restored node sees
   that it is behind what was signed;
3. read that file back, open it with the random key that is still in memory, unpack it into another folder, and check what
   came out: SQLite's own check, every entry and record against the log's tree, the signed head against the log's key, the
   seed against the key chain.

What that cannot show is that the sheets of the founding kit open the file, because their key is not on this machine: for
that `backup verify FILE --sheet` three times does the same with the sheets. Authors' signatures are not checked again:
they were when the records came in, and a peer that takes them checks them anew.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from node import backup_file
from node.backup_file import BackupError, Head
from node.control import Say
from node.database import connect
from node.failure import CommandError, Misuse
from node.home import Home
from node.store import Store
from node.vault import node_keys
from protocol import kit
from protocol.entry import Entry
from protocol.keychain import origin, space_name
from protocol.keys import SigningKey
from protocol.kit import KitError
from protocol.note import open_checkpoint
from protocol.tree import Edge, NoTiles, grow, leaf_hash

LAST = "backup"  # the setting that holds when the last verified backup was made
OLDEST_MS = 36 * 3_600_000
_STEP = 8192
_CHECKED = "database, every record and entry against the log's tree, the signed head, the seed"


def backup(home: Home, say: Say, args: Mapping[str, Any]) -> dict[str, Any]:
    """Make a backup in a folder (default: DIR-backups beside the data folder) and check it."""
    return _backup(home, say, **args)


def _backup(home: Home, say: Say, *, to: str = "") -> dict[str, Any]:
    target = Path(to) if to else home.folder.with_name(home.folder.name + "-backups")
    if target.resolve().is_relative_to(home.folder.resolve()):
        raise Misuse("--to: a backup inside the data folder is lost with it. Choose a folder outside, best on another disk.")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = home.clock.random(32)
    made_ms = home.clock.now_ms()
    with _workshop(target) as work:
        copy, back = work / "copy", work / "back"
        copy.mkdir()
        back.mkdir()
        _copy_database(home.folder / "node.db", copy / "node.db", say)
        head = _head(home, copy, made_ms)
        path = target / f"{head.space[5:13]}-{head.size}-{datetime.fromtimestamp(made_ms / 1000, UTC):%Y%m%dT%H%M%SZ}.backup"
        part = work / "part"
        backup_file.write(part, head, copy, home.keys.identity, key)
        shutil.rmtree(copy)
        backup_file.restore(part, back, key)
        inspect(back, head)
        if path.exists():
            raise CommandError(f"{path} is there already. Wait a second and try again.")
        part.replace(path)
    home.store.keep_setting(LAST, str(made_ms))
    return {**_told(head, path), "checked": _CHECKED}


def warning(home: Home) -> str:
    """What to say of a node whose last verified backup is old; "" if all is well."""
    last = home.store.setting(LAST)
    if last and home.clock.now_ms() - int(last) > OLDEST_MS:
        hours = (home.clock.now_ms() - int(last)) // 3_600_000
        return f"The last verified backup is {hours} hours old. Make a new one: archipelago backup"
    return ""


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A folder that only its owner can read, gone afterwards whatever happens."""
    work = Path(tempfile.mkdtemp(prefix=".making-", dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _copy_database(source: Path, target: Path, say: Say) -> None:
    def far(status: int, left: int, whole: int) -> None:
        say("progress", {"done": whole - left, "of": whole})

    with closing(connect(source, read_only=True)) as db, closing(connect(target)) as copy:
        db.backup(copy, pages=4096, progress=far)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, no companions
        copy.execute("DELETE FROM session")  # who is logged in is nothing to bring back


def _head(home: Home, copy: Path, made_ms: int) -> Head:
    """What the backup will say of itself, from the copy and the files that go with it."""
    shutil.copyfile(home.folder / "seed", copy / "seed")
    (copy / "member-keys").mkdir(mode=0o700)
    for name in home.key_files.names():
        shutil.copyfile(home.folder / "member-keys" / name, copy / "member-keys" / name)
    files = [path for path in sorted(copy.rglob("*")) if path.is_file()]
    with closing(Store(copy / "node.db")) as store:
        log = store.ours()
    if log is None:
        raise CommandError("The copy of the database holds no space. Nothing was backed up.")
    _only_files(copy)
    return Head(
        space_name(log.space), made_ms, log.size, log.root.hex(), log.chain.encode().hex(),
        [(str(path.relative_to(copy)), path.stat().st_size) for path in files],
    )  # fmt: skip


def _only_files(copy: Path) -> None:
    for left in copy.glob("node.db-*"):
        left.unlink()


def inspect(folder: Path, head: Head) -> None:
    """Check an unpacked backup against what its head says; BackupError names what does not fit."""
    with closing(connect(folder / "node.db", read_only=True)) as db:
        if db.execute("PRAGMA integrity_check").fetchone() != ("ok",) or db.execute("PRAGMA foreign_key_check").fetchone():
            raise BackupError("The restored database does not pass SQLite's own check. Is a disk failing?")
    with closing(Store(folder / "node.db")) as store:
        log = store.ours()
        if log is None or (space_name(log.space), log.size, log.root.hex()) != (head.space, head.size, head.root):
            raise BackupError("The restored database does not hold the log that was copied.")
        for each in store.logs():
            _check_tree(store, each.space, each.size, each.root)
        if log.head:
            name = origin(log.space, log.epoch)
            point, _ = open_checkpoint(log.head, name, log.chain.current.keys.log)
            if (point.size, point.root) != (log.head_size, log.head_root) or _root(store, log.space, point.size) != point.root:
                raise BackupError("The restored log is not the one whose head was signed.")
    if node_keys(folder).public != log.chain.current.keys:
        raise BackupError("The restored seed does not make the keys that the space's key chain names.")


def _check_tree(store: Store, space: bytes, size: int, root: bytes) -> None:
    if _root(store, space, size, records=True) != root:
        raise BackupError("The restored entries do not hash into the root of the log's tree.")


def _root(store: Store, space: bytes, size: int, *, records: bool = False) -> bytes:
    """The root of the first entries, hashed anew from what was restored."""
    edge = Edge.load(0, NoTiles())
    for start in range(0, size, _STEP):
        rows = store.rows(space, start, min(start + _STEP, size))
        if records and any(row.record is not None and sha256(row.record).digest() != row.digest for row in rows):
            raise BackupError("A restored record is not the one that the log names.")
        edge, _ = grow(edge, [leaf_hash(Entry(row.flag, row.logged, row.digest).encode()) for row in rows])
    return edge.root()


# Checking one later


def verify(file: Path, sheets: Sequence[Path], into: Path | None) -> dict[str, Any]:
    """Check a backup; with three sheets of the kit also open it, restore it and check what came out."""
    try:
        head = backup_file.check(file)
    except OSError as error:
        raise Misuse(f"FILE: {file} cannot be read ({error.strerror}).") from error
    told = _told(head, file)
    if not sheets:
        if into:
            raise Misuse("--into: to restore a backup, give three sheets of the founding kit with --sheet.")
        return {**told, "opened": False, "checked": "whole, and signed by the node of that space; not opened"}
    recovery = SigningKey(_recovery(sheets))
    if recovery.public != head.key_chain().current.recovery:
        raise Misuse("--sheet: these sheets are of another founding kit than this backup's space has.")
    key = backup_file.stream_key(file, recovery)
    if into and into.exists() and any(into.iterdir()):
        raise Misuse(f"--into: {into} is not empty. Choose a new folder.")
    with _workshop(into.parent if into else file.parent) as work:
        backup_file.restore(file, work, key)
        inspect(work, head)
        if into:
            _only_files(work)
            into.mkdir(mode=0o700, exist_ok=True)
            for each in work.iterdir():
                each.replace(into / each.name)
    return {**told, "opened": True, "checked": _CHECKED, "restored": str(into) if into else None}


def _recovery(sheets: Sequence[Path]) -> bytes:
    lists = []
    for path in sheets:
        try:
            lists.append(words_of(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise Misuse(f"--sheet: {path} cannot be read ({error}).") from error
    try:
        return kit.combine(lists)
    except KitError as error:
        raise Misuse(f"--sheet: {error}") from error


def words_of(text: str) -> str:
    """The recovery key's word list from a sheet as it was printed, or the words alone as somebody typed them."""
    _, found, rest = text.partition("RECOVERY KEY")
    if not found:
        return text
    numbered = re.findall(r"(\d{1,2})\s+([a-z]+)", rest.partition("\n")[2])
    return " ".join(word for _, word in sorted(((int(number), word) for number, word in numbered)))


def _told(head: Head, file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "bytes": file.stat().st_size if file.exists() else 0,
        "space": head.space,
        "size": head.size,
        "root": head.root,
        "made_ms": head.made_ms,
    }
