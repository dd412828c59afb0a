"""Cosigning as witness (C2SP tlog-witness, to the status code) and as mirror."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from federation.cosignature import name_of
from federation.pull import LogTiles
from federation.storage import FOLLOW, MIRROR, Cosignature, Log
from federation.witness import AHEAD_S, BEHIND_S, FRESH_S, SIZE, Answer, add_checkpoint, cosign_as_mirror
from federation.word import format_heads, stub_of
from protocol import evidence
from protocol.note import check_cosignature, encode_base64, parse_note, parse_signature_lines
from protocol.tree import grow, leaf_hashes, prove_consistency, root_at
from tests.federation.isle import MINUTE, NOW, Isle, befriend, head
from tests.federation.memory_store import MemoryStore

NOW_S = NOW // 1000


class Scene:
    """A log that grows, and a node that follows it; `other` is a second history of the same space."""

    def __init__(self) -> None:
        self.isle, self.witness = Isle("Log House"), Isle("Witness House")
        self.witness.write()
        befriend(self.witness, self.isle)
        self.isle.write(20)
        self.tiles = LogTiles(self.isle.store, self.isle.space)

    def head(self, size: int) -> str:
        return head(self.isle, size, root_at(size, self.tiles))

    def body(self, old: int, size: int, *, note: str = "", proof: list[bytes] | None = None) -> bytes:
        path = prove_consistency(old, size, self.tiles) if proof is None else proof
        lines = "".join(f"{encode_base64(each)}\n" for each in path)
        return f"old {old}\n{lines}\n{note or self.head(size)}".encode()

    def ask(self, body: bytes, now_s: int = NOW_S) -> Answer:
        return add_checkpoint(self.witness.store, self.witness.space, self.witness.keys.witness, body, now_s)

    def send(self, old: int, size: int, **how: Any) -> Answer:
        return self.ask(self.body(old, size, **how))

    def pulled(self, size: int) -> Log:
        """The witness has taken the log up to a size, with all that hangs off it."""
        space, store = self.isle.space, self.witness.store
        held = store.log(space)
        assert held is not None
        rows = self.isle.store.rows(space, held.size, size)
        entries = [row.flag.to_bytes(1, "big") + row.logged.to_bytes(4, "big") + row.digest for row in rows]
        edge, tiles = grow(store.edge(space), leaf_hashes(entries))
        store.extend(space, held.size, rows, edge, tiles, self.head(size), size, edge.root())
        log = store.log(space)
        assert log is not None
        return log


@pytest.fixture
def scene() -> Scene:
    return Scene()


def cosigned(scene: Scene, answer: Answer, size: int) -> int:
    """The time of the one cosignature in an answer, which must hold."""
    assert (answer.status, answer.kind) == (200, "text/plain; charset=utf-8")
    assert answer.body.startswith("— ".encode())
    assert answer.body.endswith(b"\n")
    (line,) = parse_signature_lines(answer.body)
    name = name_of(scene.witness.space, "witness")
    return check_cosignature(line, name, scene.witness.keys.witness.public, parse_note(scene.head(size)).text)


def test_the_first_checkpoint_and_each_after_it_are_cosigned(scene: Scene) -> None:
    assert cosigned(scene, scene.send(0, 5), 5) == NOW_S
    assert scene.witness.store.witnessed(scene.isle.space) == (5, root_at(5, scene.tiles))
    assert cosigned(scene, scene.send(5, 8), 8) == NOW_S
    assert cosigned(scene, scene.send(8, 21), 21) == NOW_S


def test_the_same_checkpoint_again_is_cosigned_again(scene: Scene) -> None:
    scene.send(0, 5)
    assert cosigned(scene, scene.ask(scene.body(5, 5), NOW_S + 60), 5) == NOW_S + 60


def test_a_checkpoint_with_signatures_of_others_is_cosigned(scene: Scene) -> None:
    stranger = Isle("Stranger")
    extra = head(stranger, 1, bytes(32)).rsplit("\n", 2)[1]
    assert cosigned(scene, scene.send(0, 5, note=f"{scene.head(5)}{extra}\n"), 5) == NOW_S


@pytest.mark.parametrize(("old", "size"), [(0, 8), (4, 8), (6, 8), (9, 12)])
def test_another_old_size_is_a_conflict_that_tells_the_size(scene: Scene, old: int, size: int) -> None:
    scene.send(0, 5)
    assert scene.send(old, size) == Answer(409, SIZE, b"5\n")
    assert scene.witness.store.witnessed(scene.isle.space) == (5, root_at(5, scene.tiles))


def test_a_witness_that_never_cosigned_tells_size_zero(scene: Scene) -> None:
    assert scene.send(3, 8) == Answer(409, SIZE, b"0\n")


def test_the_size_comes_before_the_proof_so_that_a_client_can_ask_for_it(scene: Scene) -> None:
    scene.send(0, 5)
    assert scene.send(0, 8, proof=[bytes(32)]).status == 409


def test_another_root_of_the_size_cosigned_last_is_a_conflict(scene: Scene) -> None:
    scene.send(0, 5)
    answer = scene.send(5, 5, note=head(scene.isle, 5, b"r" * 32))
    assert (answer.status, answer.kind) == (409, SIZE)


@pytest.mark.parametrize("spoil", ["none", "one more", "changed", "of zero"])
def test_a_proof_that_does_not_verify_is_422_and_nothing_is_kept(scene: Scene, spoil: str) -> None:
    scene.send(0, 5)
    good = prove_consistency(5, 8, scene.tiles)
    proof = {"none": [], "one more": [*good, bytes(32)], "changed": [sha256(good[0]).digest(), *good[1:]]}.get(spoil, [])
    answer = scene.send(5, 8, proof=proof)
    assert answer.status == 422
    assert scene.witness.store.witnessed(scene.isle.space) == (5, root_at(5, scene.tiles))


def test_a_proof_from_size_zero_must_be_empty(scene: Scene) -> None:
    assert scene.send(0, 8, proof=[bytes(32)]).status == 422


def test_a_log_that_is_not_followed_is_404(scene: Scene) -> None:
    stranger = Isle("Stranger")
    assert scene.send(0, 5, note=head(stranger, 5, bytes(32))).status == 404
    own = scene.witness
    assert scene.send(0, 1, note=head(own, 1, own.store.edge(own.space).root())).status == 404
    from_elsewhere = head(scene.isle, 5, bytes(32)).replace("isle/", "elsewhere/")
    assert scene.send(0, 5, note=from_elsewhere).status == 404


def test_another_epoch_than_the_one_in_force_is_404(scene: Scene) -> None:
    before = scene.head(5)
    assert scene.send(0, 5, note=head(scene.isle, 5, bytes(32), epoch=1)).status == 404
    scene.witness.store.learn(scene.isle.rotate(5, root_at(5, scene.tiles)))
    assert scene.send(0, 5, note=before).status == 404
    assert scene.send(0, 8).status == 200


def test_no_signature_by_the_logs_key_is_403(scene: Scene) -> None:
    forger = Isle("Forger")
    forger.chain, forger.space = scene.isle.chain, scene.isle.space
    assert scene.send(0, 5, note=head(forger, 5, root_at(5, scene.tiles))).status == 403
    good = scene.head(5)
    text, line = good.split("\n\n")
    other = head(scene.isle, 6, root_at(6, scene.tiles)).split("\n\n")[1]
    assert scene.send(0, 5, note=f"{text}\n\n{other}").status == 403
    assert scene.send(0, 5, note=f"{text}\n\n{line}").status == 200


def test_an_old_size_beyond_the_checkpoint_is_400(scene: Scene) -> None:
    assert scene.send(9, 8, proof=[]).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"old 0\n",
        b"old 0\n\n",
        b"old 00\n\nNOTE",
        b"old 05\n\nNOTE",
        b"old -1\n\nNOTE",
        b"old +1\n\nNOTE",
        b"old \n\nNOTE",
        b"old  0\n\nNOTE",
        b"Old 0\n\nNOTE",
        b"0\n\nNOTE",
        b"old 0\r\n\r\nNOTE",
        b"old 0\nAAAA\n\nNOTE",
        b"old 0\nnot base64 of 32 bytes\n\nNOTE",
        b"old 0\n" + b"A" * 43 + b"B\n\nNOTE",
        b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\nNOTE",
        b"old 99999999999999999999\n\nNOTE",
        b"old 0\n\nNOTE\xff",
        b"old 0\n\n" + b"x" * 200_000,
    ],
)
def test_a_body_in_another_form_is_400_with_a_sentence(scene: Scene, body: bytes) -> None:
    answer = scene.ask(body.replace(b"NOTE", scene.head(5).encode()))
    assert answer.status == 400
    assert answer.body.endswith(b".\n")
    assert scene.witness.store.witnessed(scene.isle.space) is None


def test_at_most_63_lines_of_proof_are_read_as_a_proof(scene: Scene) -> None:
    assert scene.send(0, 5, proof=[bytes(32)] * 63).status == 422


class Racing(MemoryStore):
    """A store in which another request is served between the check and the keeping."""

    between: Any = None

    def cosign_if_unmoved(self, *args: Any, **how: Any) -> bool:
        then, self.between = self.between, None
        if then is not None:
            then()
        return super().cosign_if_unmoved(*args, **how)


def test_two_requests_at_once_cannot_roll_the_log_back(scene: Scene) -> None:
    scene.send(0, 5)
    store = scene.witness.store
    store.__class__ = Racing
    store.between = lambda: scene.send(5, 12)  # type: ignore[attr-defined]  # it is a Racing now
    assert scene.send(5, 8) == Answer(409, SIZE, b"12\n")
    assert store.witnessed(scene.isle.space) == (12, root_at(12, scene.tiles))


@pytest.mark.parametrize("size", [5, 8])
def test_a_checkpoint_against_what_is_held_is_kept_as_evidence_and_stops_the_log(scene: Scene, size: int) -> None:
    scene.pulled(8)
    scene.send(0, 5)
    answer = scene.send(5, size, note=head(scene.isle, size, b"r" * 32), proof=[])
    assert (answer.status, answer.kind) == (409, SIZE)
    ((space, found_ms, file),) = scene.witness.store.evidence()
    assert (space, found_ms) == (scene.isle.space, NOW)
    assert evidence.check(file).sizes == (size, 8)
    assert scene.send(5, 8).status == 404  # nothing more of it is cosigned


# As mirror


def told(scene: Scene, size: int, now_s: int = NOW_S, standing: int = FOLLOW | MIRROR) -> None:
    """The log's own node was in contact and named its newest head."""
    store, space = scene.witness.store, scene.isle.space
    peer, log = store.peer(space), store.log(space)
    assert peer is not None
    assert log is not None
    heads = format_heads([stub_of(replace(log, head_size=size, head_root=root_at(size, scene.tiles)))])
    store.keep_peer(replace(peer, heads=heads, last_contact_ms=now_s * 1000, standing=standing))


def mirror(scene: Scene, log: Log, now_s: int = NOW_S) -> Cosignature | None:
    return cosign_as_mirror(scene.witness.store, scene.witness.space, scene.witness.keys.mirror, log, now_s)


def test_a_head_that_is_held_whole_is_cosigned_as_mirror_once(scene: Scene) -> None:
    log = scene.pulled(10)
    told(scene, 10)
    made = mirror(scene, log)
    assert made is not None
    assert (made.name, made.size, made.time_s) == (name_of(scene.witness.space, "mirror"), 10, NOW_S)
    (line,) = parse_signature_lines(made.line)
    check_cosignature(line, made.name, scene.witness.keys.mirror.public, parse_note(log.head).text)
    assert scene.witness.store.cosignatures(scene.isle.space) == [made]
    assert mirror(scene, log, NOW_S + 60) is None


def test_what_is_not_held_is_not_cosigned_as_mirror(scene: Scene) -> None:
    log = scene.pulled(10)
    told(scene, 10)
    for less in ({"size": 9, "judged": 9}, {"judged": 9}, {"head": ""}, {"stopped": "forked"}, {"ours": True}):
        assert mirror(scene, replace(log, **less)) is None
    assert scene.witness.store.cosignatures(scene.isle.space) == []


@pytest.mark.parametrize(("public", "allowed"), [(True, False), (False, True)])
def test_a_public_record_that_is_withheld_keeps_a_mirror_from_cosigning(scene: Scene, public: bool, allowed: bool) -> None:
    scene.isle.write(1, audience=0 if public else 1, logged=MINUTE)
    log = scene.pulled(22)
    held = scene.witness.store.held[log.space]
    held.rows[21] = replace(held.rows[21], record=None)
    told(scene, 22)
    assert (mirror(scene, replace(log, missing=1)) is not None) == allowed


def test_a_time_ahead_of_the_mirrors_clock_is_not_cosigned(scene: Scene) -> None:
    log = scene.pulled(10)
    early = MINUTE * 60 - AHEAD_S - 1
    told(scene, 10, early)
    assert mirror(scene, log, early) is None
    assert mirror(scene, log, early + 1) is not None


def test_an_entry_dated_back_behind_a_cosignature_is_not_cosigned(scene: Scene) -> None:
    first = scene.pulled(10)
    told(scene, 10)
    assert mirror(scene, first, NOW_S + BEHIND_S + 59) is None  # nobody has said for so long that this head is the newest
    told(scene, 10, NOW_S + BEHIND_S + 60)
    assert mirror(scene, first, NOW_S + BEHIND_S + 60) is not None
    log = scene.pulled(21)  # its new entries say a time that the mirror has long seen past
    told(scene, 21, NOW_S + 2 * BEHIND_S)
    assert mirror(scene, log, NOW_S + 2 * BEHIND_S) is None


def test_an_entry_written_while_the_cosignature_was_made_does_not_end_mirroring(scene: Scene) -> None:
    first = scene.pulled(10)
    told(scene, 10, NOW_S + 61)
    assert mirror(scene, first, NOW_S + 61 + FRESH_S - 60) is not None  # a minute or more after the entries to come
    log = scene.pulled(21)
    told(scene, 21, NOW_S + FRESH_S)
    assert mirror(scene, log, NOW_S + FRESH_S + 60) is not None


def test_a_head_that_came_from_a_carrier_waits_for_the_word_of_its_own_node(scene: Scene) -> None:
    log = scene.pulled(10)
    assert mirror(scene, log) is None  # never in contact
    told(scene, 10, NOW_S - FRESH_S - 1)
    assert mirror(scene, log) is None  # too long ago
    told(scene, 12)
    assert mirror(scene, log) is None  # it has more by now
    told(scene, 9)
    assert mirror(scene, log) is not None  # what it wrote since then
