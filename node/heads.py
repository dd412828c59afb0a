"""Signing this node's heads, so that none is ever signed that does not extend the last.

Before a head leaves: the entries since the last signed head are read back and hashed again (a flipped bit is caught here),
the new root must follow from the last signed one, the head file is made durable, and only then is the note signed and kept.

A node whose log is behind its own head file, or behind what a peer has of it, signs nothing: it is `recovering`, and says
why in a sentence. After every start a node with peers asks them first (`asked`), because a snapshot of the whole machine
rolls the head file back together with the database; ``alone`` overrides that, and the node keeps the reason that whoever
started it so has given.
"""

from __future__ import annotations

from hashlib import sha256

from federation.storage import StorageError
from node.clock import Clock
from node.head import HeadFile, HeadFileError, KnownPeer
from node.store import Store
from protocol.entry import Entry
from protocol.keychain import origin
from protocol.keys import NodeKeys
from protocol.note import Checkpoint, sign
from protocol.tree import grow, leaf_hash, root_at

STEP = 8192


class Heads:
    """The signer of our own log's heads."""

    def __init__(self, store: Store, keys: NodeKeys, file: HeadFile, clock: Clock) -> None:
        self.store, self.keys, self.file, self.clock = store, keys, file, clock
        self.recovering = self._behind()
        self._unasked: set[bytes] = {peer.space for peer in store.peers() if peer.url}
        self._answered = False
        log = store.ours()
        self._first = not self.recovering and log is not None and not log.head and file.read() is None  # none was ever signed

    def _behind(self) -> str:
        log = self.store.ours()
        if log is None:
            return ""
        if self.store.committed_root(log.space) not in (None, log.root):
            return "The stored log is not the one that was committed. The node signs nothing; restore the last verified backup."
        try:
            signed = self.file.read()
        except HeadFileError as error:
            return str(error)
        if signed is None or signed.space != log.space or signed.epoch < log.epoch:
            return ""
        if signed.size > log.size:
            return (
                f"This database ends at record {log.size}, but the node has signed {signed.size}."
                " It signs nothing until its peers have given back what is missing."
            )
        if root_at(signed.size, _Tiles(self.store, log.space)) != signed.root:
            return (
                "This database is not the one whose head was signed. The node signs nothing; restore the last verified backup."
            )
        return ""

    # What peers say of our log

    def heard(self, peer: bytes, size: int, root: bytes) -> None:
        """A peer has told the highest head of our log that it holds: its size and the first bytes of its root (0: none)."""
        log = self.store.ours()
        self._unasked.discard(peer)
        self._answered = True
        if log is None or not size:
            return
        if size > log.size:
            self.recovering = (
                f"A peer holds {size} records of this space's log; this database has {log.size}."
                " It signs nothing until they are here again."
            )
        elif not root_at(size, _Tiles(self.store, log.space)).startswith(root):
            self.recovering = "A peer holds a head of this log that this database does not extend. The node signs nothing."

    def unreachable(self, peer: bytes) -> None:
        """A peer was asked and did not answer."""
        self._unasked.discard(peer)

    @property
    def may_sign(self) -> bool:
        """Whether heads may be signed: not behind, and peers (if there are any) have been asked since the start."""
        if self.recovering:
            return False
        return self._first or (not self._unasked and (self._answered or not self._has_peers()))

    def alone(self) -> None:
        """Sign without asking anybody: for whoever knows that no other copy of this node ran."""
        self._unasked.clear()
        self._answered = True

    def _has_peers(self) -> bool:
        return any(peer.url for peer in self.store.peers())

    # Signing

    def sign(self) -> str:
        """The signed head of our log as it stands; "" if nothing was ever signed and nothing may be now."""
        with self.store.database.lock:
            log = self.store.ours()
            if log is None:
                raise StorageError("This node has no space of its own.")
            if log.head and log.head_size == log.size:
                return log.head
            if not self.may_sign:
                return log.head
            self._reread(log.space, log.head_size, log.head_root, log.size, log.root)
            peers = [
                KnownPeer(peer.space, peer.url, peer.chain.current.keys.identity) for peer in self.store.peers() if peer.url
            ]
            self.file.write(log.space, log.epoch, log.size, log.root, peers)
            name = origin(log.space, log.epoch)
            note = sign(Checkpoint(name, log.size, log.root), name, self.keys.log)
            self.store.accept_head(log.space, note, log.size, log.root)
            return note

    def _reread(self, space: bytes, old: int, old_root: bytes, size: int, root: bytes) -> None:
        """Recompute the new root from what is on disk; StorageError if it is not what the last head grows into."""
        edge = self.store.load_edge(space, old)
        if old and edge.root() != old_root:
            raise StorageError("The stored tree no longer has the root that was signed. Nothing is signed; restore a backup.")
        for start in range(old, size, STEP):
            rows = self.store.rows(space, start, min(start + STEP, size))
            for row in rows:
                if row.record is None or sha256(row.record).digest() != row.digest:
                    raise StorageError("A stored record is damaged. Nothing is signed; restore a backup.")
            edge, _ = grow(edge, [leaf_hash(Entry(row.flag, row.logged, row.digest).encode()) for row in rows])
        if edge.root() != root:
            raise StorageError("The stored entries do not hash into the tree in memory. Nothing is signed; restart the node.")
        if self.store.committed_root(space) not in (None, root):
            raise StorageError("The stored entries are not those that were committed. Nothing is signed; restore a backup.")


class _Tiles:
    """The tiles of one log, for `protocol.tree`."""

    def __init__(self, store: Store, space: bytes) -> None:
        self._store, self._space = store, space

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """The hashes of a tile."""
        return self._store.read_tile(self._space, level, index, width)
