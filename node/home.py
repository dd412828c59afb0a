"""A node's data folder, opened: the composition root that every face (pages, commands, API, demo) stands on.

    DIR/node.db          the database (and its -wal and -shm)
    DIR/head             the newest head signed, outside the database and its backups
    DIR/seed             the node's seed
    DIR/member-keys/     keys of members who work on this machine's command line
    DIR/lock             held by the one process that has the folder open
    DIR-founding-kit/    five sheets to print and move away

One process at a time. A command that finds the folder open talks to the running node instead (`node.control`).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from federation.storage import Log
from node.actions import Actions
from node.audit import Audit
from node.clock import Clock
from node.head import HeadFile
from node.heads import Heads
from node.store import Store
from node.tables import Tables
from node.vault import Accounts, KeyFiles, check_name, new_node_seed, node_keys
from protocol import kit, record
from protocol.keychain import FOUNDED, Founded, space_name
from protocol.keys import NodeKeys, SigningKey
from protocol.practice import EVERYTHING, Refused, View

T = TypeVar("T")


class HomeError(Exception):
    """A data folder cannot be opened or founded; the message says what to do."""


class InUse(HomeError):
    """Another process has the folder open."""


class Home:
    """An opened data folder with a founded space."""

    def __init__(self, folder: Path, clock: Clock, lock: int) -> None:
        self.folder, self.clock, self._lock = folder, clock, lock
        self.keys: NodeKeys = node_keys(folder)
        self.store = Store(folder / "node.db")
        log = self.store.ours()
        if log is None:
            raise HomeError(f"{folder} holds no founded space. Run: archipelago -C {folder} found --name NAME --member NAME")
        self.space, self.name = log.space, log.chain.name
        self.key_files, self.accounts = KeyFiles(folder), Accounts(self.store.database)
        self.actions = Actions(self.store, self.space, clock, self.keys.identity.seed)
        self.heads = Heads(self.store, self.keys, HeadFile(folder / "head"), clock)
        self.audit = Audit(self.store)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="read")
        self.after_audit: Callable[[bytes], None] = lambda space: None  # on the auditing thread
        self._auditing = ThreadPoolExecutor(1, thread_name_prefix="settle")
        self._reader = Tables(self.store.database.reader())

    # Opening and founding

    @staticmethod
    def open(folder: Path, clock: Clock | None = None) -> Home:
        """Open a founded data folder; InUse if a process has it open, HomeError if there is none."""
        if not (folder / "node.db").exists():
            raise HomeError(f"There is no node in {folder}. Run: archipelago -C {folder} found --name NAME --member NAME")
        lock = _take_lock(folder)
        try:
            return Home(folder, clock or Clock(), lock)
        except BaseException:
            os.close(lock)
            raise

    @staticmethod
    def found(folder: Path, name: str, member: str, clock: Clock | None = None) -> Home:
        """Found a space: keys, kit, founding record, first member. The folder must hold no node yet."""
        clock = clock or Clock()
        if (folder / "node.db").exists():
            raise HomeError(f"{folder} holds a node already. Choose another folder with -C.")
        kit_folder = folder.with_name(folder.name + "-founding-kit")
        if kit_folder.exists():
            raise HomeError(f"{kit_folder} is there already. Move it away first: it may be the only copy of somebody's keys.")
        made, seed, founder = kit.make(clock.random(kit.ENTROPY_BYTES)), clock.random(32), SigningKey(clock.random(32))
        root, following, recovery = (SigningKey(each) for each in (made.root_seed, made.next_root_seed, made.recovery_seed))
        committed, keys = sha256(following.public).digest(), NodeKeys.derive(seed).public
        structure = _checked(Founded(name.strip(), founder.public, keys, root.public, committed, recovery.public))
        sealed = record.seal(FOUNDED, clock.now_ms(), record.PUBLIC, structure, root, b"")
        check_name(member)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _take_lock(folder)
        try:
            if (folder / "seed").exists() or KeyFiles(folder).names():
                raise HomeError(f"{folder} holds keys of a node already. Choose another folder with -C, or move them away.")
            _write_kit(
                kit_folder, made.sheets(name, space_name(sha256(sealed.raw).digest()))
            )  # first: nothing else has these keys
            new_node_seed(folder, seed)
            KeyFiles(folder).add(member, founder)
            store = Store(folder / "node.db")
            store.found(sealed, clock.now_ms())
            store.close()
            home = Home(folder, clock, lock)
        except BaseException:
            os.close(lock)
            raise
        home.actions.submit("member.named/1", {"name": member}, founder)
        return home

    @property
    def kit_folder(self) -> Path:
        """Where the founding kit was written; a warning stands until it is moved."""
        return self.folder.with_name(self.folder.name + "-founding-kit")

    def close(self) -> None:
        """Close everything and let the folder go."""
        self._auditing.shutdown(cancel_futures=True)
        self._writing.shutdown()
        self._reading.shutdown()
        self.audit.close()
        self.actions.close()
        self.store.close()
        os.close(self._lock)

    # Reading and writing off the event loop

    def view(self, audience: int = EVERYTHING) -> View:
        """This space's view on the reader's connection; for use within `read`, or where there is no event loop."""
        self._reader.refresh()
        return View(self._reader, self._reader.space_number(self.space) or 0, audience)

    @property
    def version(self) -> int:
        """Changes when anything was committed; pages may be remembered while it stands."""
        self._reader.refresh()
        return self._reader.version

    async def read(self, work: Callable[[View], T], audience: int = EVERYTHING) -> T:
        """Run this with a view, on the reading thread."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, lambda: work(self.view(audience)))

    async def write(self, work: Callable[[], T]) -> T:
        """Run this on the writing thread."""
        return await asyncio.get_running_loop().run_in_executor(self._writing, work)

    def audit_soon(self, space: bytes) -> Future[int]:
        """Check and settle what was pulled of a log, on a thread of its own."""
        return self._auditing.submit(self._audit, space)

    def _audit(self, space: bytes) -> int:
        log = self.store.log(space)
        if log is None or log.judged == log.size:
            return 0
        settled = self.audit.catch_up(space)
        self.after_audit(space)
        return settled

    # What it is

    @property
    def log(self) -> Log:
        """Our own log as it stands."""
        found = self.store.ours()
        if found is None:
            raise HomeError("This node's space is gone from its database. Restore it from a backup or from its peers.")
        return found

    def status(self) -> dict[str, Any]:
        """What `archipelago status --json` prints."""
        log = self.log
        return {
            "space": space_name(self.space),
            "name": self.name,
            "size": log.size,
            "root": log.root.hex(),
            "state": "recovering" if self.heads.recovering else "running",
            "why": self.heads.recovering,
            "peers": [self._peer_status(peer) for peer in self.store.peers()],
            "warnings": self.warnings(),
        }

    def _peer_status(self, peer: Any) -> dict[str, Any]:
        held = self.store.log(peer.space)
        return {
            "space": space_name(peer.space),
            "name": peer.name,
            "size": held.size if held else 0,
            "in_tables": held.judged if held else 0,
            "last_contact_ms": peer.last_contact_ms,
            "url": peer.url,
            "offset_ms": peer.offset_ms,
            "problem": peer.problem,
        }

    def warnings(self) -> list[str]:
        """What the keeper of this node should do, in sentences."""
        told = []
        if self.kit_folder.exists():
            told.append(
                f"The founding kit still lies in {self.kit_folder}. Print its sheets, hand them out, delete the folder."
            )
        if self.heads.recovering:
            told.append(self.heads.recovering)
        return told


def _checked(body: Founded) -> dict[str, Any]:
    structure: dict[str, Any] = msgspec.to_builtins(body, builtin_types=(bytes,))
    try:
        msgspec.convert(structure, Founded, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise Refused("Name of the collective: takes from 1 to 80 characters.") from error
    return structure


def _take_lock(folder: Path) -> int:
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise InUse(f"Another process has {folder} open.") from error
    return file


def _write_kit(folder: Path, sheets: tuple[str, ...]) -> None:
    folder.mkdir(mode=0o700)
    for number, sheet in enumerate(sheets, 1):
        path = folder / f"sheet-{number}-of-{len(sheets)}.txt"
        path.write_text(sheet)
        path.chmod(0o600)
