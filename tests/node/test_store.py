"""One transaction for log, tree and tables; two ways in, one way through; the log is the truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from federation.storage import Row, StorageError
from node.audit import Audit
from node.database import Connection, connect
from node.store import Placed, Store
from protocol.entry import Entry
from protocol.practice import PROBLEMS, PUBLIC, Refused
from protocol.record import MEMBERS, Sealed, parse
from protocol.tree import Edge, grow, leaf_hash
from tests.node.isle import NOTES, NOW, STRANGER, TABLES, Writer, founded, store_at


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = store_at(tmp_path / "node.db")
    yield made
    made.close()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Store]:
    made = store_at(tmp_path / "peer.db")
    yield made
    made.close()


@pytest.fixture
def writer(store: Store) -> Writer:
    return Writer(store, founded(store))


def placed(told: Placed | Refused) -> Placed:
    assert isinstance(told, Placed), told
    return told


def hand_over(source: Store, target: Store, space: bytes, step: int = 300, rows: list[Row] | None = None) -> None:
    """What a pull does after it has verified: extend range by range, then audit."""
    log = source.need(space)
    target.learn(log.chain)
    rows = rows or source.rows(space, 0, log.size)
    for start in range(target.need(space).size, len(rows), step):
        part = rows[start : start + step]
        leaves = [leaf_hash(Entry(row.flag, row.logged, row.digest).encode()) for row in part]
        edge, tiles = grow(target.edge(space), leaves)
        target.extend(space, start, part, edge, tiles, "head", log.size, log.root)
    audit = Audit(target, cores=2)
    audit.catch_up(space)
    audit.close()


def root_from_rows(store: Store, space: bytes) -> bytes:
    rows = store.rows(space, 0, store.need(space).size)
    return grow(Edge.empty(), [leaf_hash(Entry(r.flag, r.logged, r.digest).encode()) for r in rows])[0].root()


def test_a_record_is_in_log_tree_and_tables_at_once_and_after_opening_anew(writer: Writer, tmp_path: Path) -> None:
    one = placed(writer.note("soup", "for all"))
    store = writer.store
    assert store.need(writer.space).root == root_from_rows(store, writer.space)
    store.close()
    again = store_at(tmp_path / "node.db")
    found = again.find(one.digest)
    assert found is not None and (found.position, found.space) == (1, writer.space)
    note = again.view(writer.space).get(NOTES, one.digest)
    assert note is not None and note.words == "for all"
    assert again.need(writer.space).root == root_from_rows(again, writer.space)
    again.close()


def test_what_is_refused_leaves_nothing_behind_and_the_rest_of_the_batch_stands(writer: Writer) -> None:
    before = writer.store.tables.dump(TABLES)
    refused = writer.note("SOUP")
    assert isinstance(refused, Refused) and "small letters" in str(refused)
    assert isinstance(writer.note("soup", key=STRANGER), Refused)
    assert writer.store.tables.dump(TABLES) == before and writer.store.need(writer.space).size == 1
    good, bad, more = (writer.seal("note.written/1", {"topic": topic}) for topic in ("a", "B", "c"))
    told = writer.add(good, bad, more)
    assert [type(one) for one in told] == [Placed, Refused, Placed]
    assert [placed(told[0]).position, placed(told[2]).position] == [1, 2]


def test_a_record_written_before_the_authors_last_is_refused_and_has_no_effect_in_a_log(writer: Writer, peer: Store) -> None:
    early = writer.seal("note.written/1", {"topic": "early"})
    writer.note("late")
    (told,) = writer.add(early)
    assert isinstance(told, Refused) and "something later" in str(told)
    replayed = writer.store.rows(writer.space, 1, 2)[0]
    rows = [*writer.store.rows(writer.space, 0, 2), replayed]
    hand_over(writer.store, peer, writer.space, rows=rows)
    view = peer.view(writer.space)
    assert len(view.all(NOTES)) == 1
    assert [problem.position for problem in view.all(PROBLEMS)] == [2]


def test_a_peers_tables_equal_ours_and_a_rebuild_equals_both(writer: Writer, peer: Store) -> None:
    for number in range(600):
        writer.note(f"n{number % 7}", f"word {number}" if number % 3 else "", audience=MEMBERS if number % 5 == 0 else PUBLIC)
    hand_over(writer.store, peer, writer.space, step=256)
    live = writer.store.tables.dump(TABLES)
    assert len(live["note"]) == 600
    assert peer.tables.dump(TABLES) == live
    writer.store.rebuild()
    assert writer.store.tables.dump(TABLES) == live
    assert peer.need(writer.space).root == writer.store.need(writer.space).root


def test_tiles_and_the_edge_are_those_of_the_records(writer: Writer) -> None:
    for number in range(700):
        writer.note(f"n{number}")
    store, space = writer.store, writer.space
    rows = store.rows(space, 0, 701)
    leaves = [leaf_hash(Entry(r.flag, r.logged, r.digest).encode()) for r in rows]
    assert store.read_tile(space, 0, 1, 256) == b"".join(leaves[256:512])
    assert store.read_tile(space, 0, 2, 100) == b"".join(leaves[512:612])
    assert store.read_tile(space, 1, 0, 2) == b"".join(grow(Edge.empty(), leaves[at : at + 256])[0].root() for at in (0, 256))
    with pytest.raises(StorageError, match="no tile"):
        store.read_tile(space, 0, 2, 256)


def test_a_forged_signature_has_no_effect_but_a_problem_that_survives_a_rebuild(writer: Writer, peer: Store) -> None:
    writer.note("soup")
    rows = writer.store.rows(writer.space, 0, 2)
    raw = bytearray(rows[1].record or b"")
    raw[-1] ^= 1
    forged = Row(0, rows[1].logged, parse(bytes(raw)).digest, bytes(raw), None)
    hand_over(writer.store, peer, writer.space, rows=[rows[0], forged])
    for _ in range(2):
        view = peer.view(writer.space)
        assert not view.all(NOTES)
        assert [problem.reason for problem in view.all(PROBLEMS)] == ["The author's signature is not genuine."]
        peer.rebuild()


@pytest.mark.parametrize(
    ("flag", "audience"),
    [(1, PUBLIC), (0, MEMBERS)],
    ids=["public record in a hidden entry", "hidden record in a public entry"],
)
def test_an_entry_that_says_another_audience_than_its_record_has_no_effect(
    writer: Writer, peer: Store, flag: int, audience: int
) -> None:
    writer.note("soup", audience=audience)
    rows = writer.store.rows(writer.space, 0, 2)
    lying = msgspec.structs.replace(rows[1], flag=flag)
    hand_over(writer.store, peer, writer.space, rows=[rows[0], lying])
    view = peer.view(writer.space)
    assert not view.all(NOTES)
    assert "another audience" in view.all(PROBLEMS)[0].reason
    assert not peer.view(writer.space, PUBLIC).all(PROBLEMS)


def test_a_narrow_record_cannot_change_a_public_row_nor_a_public_one_lean_on_a_narrow_one(writer: Writer) -> None:
    public, hidden = placed(writer.note("public")), placed(writer.note("hidden", audience=MEMBERS))
    (told,) = writer.add(writer.seal("note.struck/1", {"note": public.digest}, audience=MEMBERS))
    assert isinstance(told, Refused) and "more public" in str(told)
    (told,) = writer.add(writer.seal("note.struck/1", {"note": hidden.digest}))
    assert isinstance(told, Refused) and "no such note" in str(told)
    (told,) = writer.add(writer.seal("note.struck/1", {"note": hidden.digest}, audience=MEMBERS))
    assert isinstance(told, Placed)
    assert [note.topic for note in writer.store.view(writer.space, PUBLIC).all(NOTES)] == ["public"]


def test_a_withheld_record_has_no_effect_until_it_is_given_and_then_the_tables_equal_ours(writer: Writer, peer: Store) -> None:
    writer.note("soup")
    writer.note("secret", "words", audience=MEMBERS)
    writer.note("bread")
    rows = writer.store.rows(writer.space, 0, 4)
    withheld = [row if row.flag == 0 else msgspec.structs.replace(row, record=None, annex=None) for row in rows]
    hand_over(writer.store, peer, writer.space, rows=withheld)
    assert [note.topic for note in peer.view(writer.space).all(NOTES, order="topic")] == ["bread", "soup"]
    assert peer.need(writer.space).missing == 1
    assert peer.fill(writer.space, 0, rows) == 1
    audit = Audit(peer, cores=1)
    audit.catch_up(writer.space)
    audit.close()
    assert peer.tables.dump(TABLES) == writer.store.tables.dump(TABLES)
    assert peer.need(writer.space).missing == 0


def test_records_of_another_digest_do_not_fill_a_gap(writer: Writer, peer: Store) -> None:
    writer.note("secret", audience=MEMBERS)
    rows = writer.store.rows(writer.space, 0, 2)
    hand_over(writer.store, peer, writer.space, rows=[rows[0], msgspec.structs.replace(rows[1], record=None)])
    other = parse(writer.seal("note.written/1", {"topic": "other"}, audience=MEMBERS).raw)
    assert peer.fill(writer.space, 1, [Row(1, rows[1].logged, other.digest, other.raw, None)]) == 0


def test_erased_words_are_gone_from_log_and_tables_and_a_rebuild_changes_nothing(writer: Writer, tmp_path: Path) -> None:
    one = placed(writer.note("soup", "a very private word"))
    writer.add(writer.seal("record.erased/1", {"record": one.digest}))
    note = writer.store.view(writer.space).get(NOTES, one.digest)
    assert note is not None and (note.topic, note.words) == ("soup", "")
    assert writer.store.rows(writer.space, 1, 2)[0].annex is None
    live = writer.store.tables.dump(TABLES)
    writer.store.rebuild()
    assert writer.store.tables.dump(TABLES) == live
    assert writer.store.need(writer.space).root == root_from_rows(writer.store, writer.space)


def test_a_record_can_name_one_of_its_own_batch_as_it_could_one_by_one(writer: Writer) -> None:
    written = writer.seal("note.written/1", {"topic": "soup"}, words={"words": "a very private word"})
    digest = parse(written.raw).digest
    told = writer.add(
        written,
        writer.seal("note.written/1", {"topic": "bread"}),
        writer.seal("record.erased/1", {"record": digest}),
        writer.seal("note.struck/1", {"note": digest}),
    )
    assert [placed(each).position for each in told] == [1, 2, 3, 4]
    assert [row.annex for row in writer.store.rows(writer.space, 1, 5)] == [None] * 4
    note = writer.store.view(writer.space).get(NOTES, digest)
    assert note is not None
    assert (note.words, note.struck) == ("", True)
    live = writer.store.tables.dump(TABLES)
    writer.store.rebuild()
    assert writer.store.tables.dump(TABLES) == live
    assert writer.store.need(writer.space).root == root_from_rows(writer.store, writer.space)


def test_while_words_are_erased_whoever_reads_sees_every_row_before_or_after(writer: Writer, tmp_path: Path) -> None:
    placed_first = placed(writer.note("soup", "a very private word"))
    for number in range(300):
        writer.note(f"n{number}")
    reader = connect(tmp_path / "node.db", read_only=True)
    seen = []

    transaction = writer.store.database.transaction

    @contextmanager
    def watched() -> Iterator[Connection]:
        with transaction() as db:
            yield db
        seen.append(reader.execute("SELECT count(*), sum(words<>'') FROM note").fetchone())

    writer.store.database.transaction = watched  # type: ignore[method-assign]  # looks after each commit
    writer.add(writer.seal("record.erased/1", {"record": placed_first.digest}))
    assert seen == [(301, 0)]
    reader.close()


def test_bytes_of_a_record_in_anothers_log_do_not_take_its_place(writer: Writer, peer: Store, tmp_path: Path) -> None:
    copyist = store_at(tmp_path / "copyist.db")
    thief = Writer(copyist, founded(copyist, 3))
    one = placed(writer.note("soup", "for all"))
    stolen = writer.store.rows(writer.space, 1, 2)[0]
    hand_over(copyist, peer, thief.space, rows=[copyist.rows(thief.space, 0, 1)[0], stolen])  # met first
    found = peer.find(one.digest)
    assert found is not None
    assert found.space == thief.space
    hand_over(writer.store, peer, writer.space)
    found = peer.find(one.digest)
    assert found is not None
    assert (found.space, found.position) == (writer.space, one.position)
    copyist.close()


def test_entries_that_do_not_go_on_or_exceed_the_quota_or_would_change_our_own_log_are_refused(
    writer: Writer, peer: Store
) -> None:
    for number in range(5):
        writer.note(f"n{number}")
    space, store = writer.space, writer.store
    log, rows = store.need(space), store.rows(space, 0, 6)
    peer.learn(log.chain)
    edge, tiles = grow(Edge.empty(), [leaf_hash(Entry(r.flag, r.logged, r.digest).encode()) for r in rows])
    with pytest.raises(StorageError, match="go on"):
        peer.extend(space, 1, rows, edge, tiles, "head", 6, log.root)
    peer.db.execute("UPDATE space SET quota=5")
    with pytest.raises(StorageError, match="quota"):
        peer.extend(space, 0, rows, edge, tiles, "head", 6, log.root)
    assert peer.need(space).size == 0 and not peer.rows(space, 0, 6)
    with pytest.raises(StorageError, match="from outside"):
        store.extend(space, 6, rows, edge, tiles, "head", 6, log.root)


def test_an_accepted_head_never_goes_back(writer: Writer) -> None:
    store, space = writer.store, writer.space
    store.accept_head(space, "head 5", 5, b"r" * 32)
    for size, root in ((4, b"r" * 32), (5, b"q" * 32)):
        with pytest.raises(StorageError, match="accepted already"):
            store.accept_head(space, "other", size, root)
    assert store.need(space).head == "head 5"


def test_forgetting_a_space_leaves_no_row_of_it_and_others_untouched(writer: Writer, peer: Store, tmp_path: Path) -> None:
    ours = founded(peer, 1)
    writer.note("soup", "words")
    hand_over(writer.store, peer, writer.space)
    number = peer.number(writer.space)
    peer.forget(writer.space)
    for name, rows in peer.tables.dump(TABLES).items():
        assert all(row[0] != number for row in rows if name != "digest"), name
    assert peer.log(writer.space) is None and peer.need(ours).size == 1
    assert peer.db.execute("SELECT count(*) FROM log").fetchone() == (1,)
    assert peer.db.execute("SELECT count(*) FROM tile").fetchone() == (0,)


def test_time_in_the_log_never_falls_even_if_the_clock_does(writer: Writer) -> None:
    writer.at_ms = NOW + 3_600_000
    first = placed(writer.note("soup"))
    (second,) = writer.store.append(writer.space, [writer.seal("note.written/1", {"topic": "bread"})], NOW)
    assert placed(second).logged_ms == first.logged_ms


def test_other_practices_are_dropped_and_replayed_at_the_next_start(writer: Writer, tmp_path: Path) -> None:
    writer.note("soup")
    writer.store.close()
    fewer = {name: kind for name, kind in writer.store.kinds.items() if name != "note.written/1"}
    other = Store(tmp_path / "node.db", kinds=fewer, tables=TABLES)
    assert not other.view(writer.space).all(NOTES) and other.need(writer.space).judged == 2
    other.close()
    again = store_at(tmp_path / "node.db")
    assert len(again.view(writer.space).all(NOTES)) == 1
    again.close()


def test_an_unknown_kind_is_refused_here_and_kept_without_effect_from_a_peer(writer: Writer, peer: Store) -> None:
    strange = writer.seal("weather.seen/1", {"rain": True})
    (told,) = writer.add(strange)
    assert isinstance(told, Refused) and "no kind" in str(told)
    read = parse(strange.raw)
    rows = [*writer.store.rows(writer.space, 0, 1), Row(0, NOW // 60_000, read.digest, strange.raw, None)]
    hand_over(writer.store, peer, writer.space, rows=rows)
    assert peer.find(read.digest) is not None
    assert not peer.view(writer.space).all(PROBLEMS)


def test_bytes_that_are_no_record_are_a_problem_and_stop_nothing(writer: Writer, peer: Store) -> None:
    writer.note("soup")
    rows = writer.store.rows(writer.space, 0, 2)
    junk = b"\x00" * 200
    hand_over(
        writer.store, peer, writer.space, rows=[rows[0], Row(0, rows[0].logged, sha256(junk).digest(), junk, None), rows[1]]
    )
    view = peer.view(writer.space)
    assert [note.topic for note in view.all(NOTES)] == ["soup"]
    assert view.all(PROBLEMS)[0].reason.startswith("Not a record")


def test_sealed_bytes_are_what_a_peer_gets(writer: Writer) -> None:
    sealed: Sealed = writer.seal("note.written/1", {"topic": "soup"}, words={"words": "for all"})
    writer.add(sealed)
    row = writer.store.rows(writer.space, 1, 2)[0]
    assert (row.record, row.annex) == (sealed.raw, sealed.annex)
