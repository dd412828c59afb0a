"""Receipts: what a stranger believes of them, and what no spoiled one gets through."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from federation.pull import LogTiles
from protocol import encoding, receipt
from protocol.entry import Entry
from protocol.keychain import KeyChain, origin
from protocol.note import NoteError, cosign, format_signature_line, parse_note
from protocol.receipt import MAX_COSIGNERS, Receipt, ReceiptError
from protocol.tree import grow, prove_inclusion, root_at
from tests.federation.isle import MINUTE, NOW, Isle, head
from tests.protocol import second_decoder

NOW_S = NOW // 1000


class Log:
    """A log with public and other records, and receipts from it."""

    def __init__(self, name: str = "Receipt House") -> None:
        self.isle = Isle(name)
        self.isle.write(4, words="said aloud")
        self.isle.write(2, audience=1, words="among allies")
        self.isle.write(1, audience=[b"n" * 32])
        self.tiles = LogTiles(self.isle.store, self.isle.space)
        self.size = len(self.rows)

    @property
    def rows(self) -> list[Any]:
        return self.isle.store.rows(self.isle.space, 0, 1000)

    def note(self, size: int = 0) -> str:
        size = size or self.size
        return head(self.isle, size, root_at(size, self.tiles))

    def make(
        self, index: int, note: str = "", cosigners: list[KeyChain] | None = None, *, size: int = 0, annex: bool = True
    ) -> Receipt:
        row = self.rows[index]
        hashes = prove_inclusion(index, size or self.size, self.tiles)
        entry = Entry(row.flag, row.logged, row.digest)
        kept = row.annex if annex else None
        return receipt.make(entry, row.record, kept, index, hashes, note or self.note(size), self.isle.chain, cosigners or [])

    def text(self, index: int, *args: Any, **how: Any) -> str:
        return receipt.format(self.make(index, *args, **how))


def cosigned(note: str, other: Isle, role: str, time_s: int = NOW_S) -> str:
    key = other.keys.witness if role == "witness" else other.keys.mirror
    line = cosign(key, f"{origin(other.space, 0)}/{role}", parse_note(note).text, time_s)
    return note + format_signature_line(line)


@pytest.fixture(scope="module")
def log() -> Log:
    return Log()


@pytest.mark.parametrize("index", range(8))
def test_every_record_has_a_receipt_that_a_stranger_can_check(log: Log, index: int) -> None:
    text = log.text(index)
    checked = receipt.check(text)
    row = log.rows[index]
    assert (checked.space, checked.name, checked.epoch) == (log.isle.space, "Receipt House", 0)
    assert (checked.index, checked.size, checked.root) == (index, 8, root_at(8, log.tiles))
    assert (checked.digest, checked.logged_ms) == (row.digest, MINUTE * 60_000)
    assert checked.author == (log.isle.member if index else log.isle.root).public
    assert checked.words == ({} if index in (0, 7) else {"words": "said aloud" if index < 5 else "among allies"})
    assert (checked.cosigners, checked.unverified) == ((), ())
    read = second_decoder.open_receipt(text)
    assert (read["space"], read["index"], read["size"]) == (log.isle.space, index, 8)
    assert (read["record"]["body"], read["words"]) == (checked.body, checked.words)
    assert receipt.check(text.encode()) == checked
    assert receipt.format(receipt.parse(text)) == text


def test_it_is_a_tlog_proof_to_any_tool(log: Log) -> None:
    lines = log.text(3).split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 3"
    assert lines[6] == ""
    assert lines[7] == origin(log.isle.space, 0)


def test_a_receipt_whose_words_were_erased_still_holds(log: Log) -> None:
    checked = receipt.check(log.text(2, annex=False))
    assert checked.words == {}
    assert checked.body == receipt.check(log.text(2)).body


def test_cosignatures_count_by_spaces_and_never_the_logs_own(log: Log) -> None:
    one, two = Isle("One"), Isle("Two")
    note = log.note()
    for other, role in ((one, "witness"), (one, "mirror"), (two, "witness"), (log.isle, "witness")):
        note = cosigned(note, other, role, NOW_S + len(note))
    chains = [one.chain, two.chain, log.isle.chain]
    text = log.text(1, note, chains)
    checked = receipt.check(text)
    assert [(each.name, each.role) for each in checked.cosigners if each.space == one.space] == [
        ("One", "mirror"),
        ("One", "witness"),
    ]
    assert checked.spaces() == tuple(sorted([one.space, two.space]))
    assert checked.spaces("mirror") == (one.space,)
    assert checked.unverified == ()
    read = second_decoder.open_receipt(text)
    assert read["cosigners"] == {(each.space, each.role): each.time_s for each in checked.cosigners}


def test_a_chain_given_twice_counts_once(log: Log) -> None:
    one = Isle("One")
    checked = receipt.check(log.text(1, cosigned(log.note(), one, "witness"), [one.chain, one.chain]))
    assert len(checked.cosigners) == len(checked.spaces()) == 1


def test_cosigners_without_their_key_chain_are_listed_as_not_verified(log: Log) -> None:
    one, two = Isle("One"), Isle("Two")
    note = cosigned(cosigned(log.note(), one, "witness"), two, "mirror")
    checked = receipt.check(log.text(1, note, [two.chain]))
    assert checked.spaces() == (two.space,)
    assert checked.unverified == (f"{origin(one.space, 0)}/witness",)
    assert receipt.check(log.text(1, note)).spaces() == ()


def test_only_key_chains_of_those_who_signed_are_taken_along(log: Log) -> None:
    one, two = Isle("One"), Isle("Two")
    made = log.make(1, cosigned(log.note(), one, "witness"), [two.chain, one.chain])
    assert made.cosigners == (one.chain.records,)


def test_a_cosigner_that_has_rotated_since_still_counts(log: Log) -> None:
    one = Isle("One")
    note = cosigned(log.note(), one, "witness")
    one.rotate(5, bytes(32), "rotated one")
    checked = receipt.check(log.text(1, note, [one.chain]))
    assert [(each.role, each.time_s) for each in checked.cosigners] == [("witness", NOW_S)]


def test_a_cosignature_that_is_not_genuine_spoils_the_receipt(log: Log) -> None:
    one = Isle("One")
    line = cosigned(log.note(), one, "witness").rsplit("\n", 2)[1]
    blob = bytearray(base64.b64decode(line.rsplit(" ", 1)[1]))
    blob[20] ^= 1
    spoiled = log.note() + line.rsplit(" ", 1)[0] + " " + base64.b64encode(blob).decode() + "\n"
    with pytest.raises(ReceiptError, match="cosignature in the receipt is not genuine"):
        receipt.check(log.text(1, spoiled, [one.chain]))


def test_no_more_cosigners_are_taken_along_than_are_read() -> None:
    log = Log("Many")
    note = log.note()
    chains: list[KeyChain] = []
    for number in range(MAX_COSIGNERS + 3):
        other = Isle(f"Other {number}")
        note, chains = cosigned(note, other, "witness"), [*chains, other.chain]
    checked = receipt.check(log.text(0, note, chains))
    assert len(checked.spaces()) == MAX_COSIGNERS
    assert len(checked.unverified) == 3


# What does not get through


def test_a_record_of_another_place_is_refused(log: Log) -> None:
    made = log.make(3)
    for index in (0, 2, 4, 7, 8, 2**40):
        moved = replace(made, proof=type(made.proof)(index, made.proof.hashes, made.proof.note))
        with pytest.raises(ReceiptError, match="not where the receipt says"):
            receipt.check(receipt.format(moved))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"flag": 1}, "not where the receipt says"),
        ({"logged": MINUTE + 1}, "not where the receipt says"),
        ({"annex": b"x"}, "not those that it names"),
        ({"chain": ()}, "key chains as arrays"),
        ({"cosigners": ((b"x",),)}, "key chain of a cosigner"),
    ],
)
def test_a_changed_part_is_refused(log: Log, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ReceiptError, match=why):
        receipt.check(receipt.format(replace(log.make(3), **changes)))


def test_a_record_that_was_not_signed_by_its_author_is_refused() -> None:
    log = Log("Forging House")
    raw = bytearray(log.rows[1].record)
    raw[-1] ^= 1
    rows = log.isle.store.held[log.isle.space].rows
    log.isle.store.append([type(log.isle.founding)(bytes(raw), None)], MINUTE)
    assert rows[8].digest == sha256(bytes(raw)).digest()
    with pytest.raises(ReceiptError, match="not genuine"):
        receipt.check(log.text(8, size=9))


def test_an_entry_that_says_another_audience_is_refused() -> None:
    log = Log("Hiding House")
    store = log.isle.store
    row = log.rows[1]
    from_here = Entry(1, MINUTE, row.digest)
    edge_before = store.edge(log.isle.space)
    edge, _ = grow(edge_before, [from_here.leaf_hash()])
    held = store.held[log.isle.space]
    held.edge, held.log = edge, replace(held.log, size=9, root=edge.root())
    hashes = prove_inclusion(8, 9, log.tiles)
    made = receipt.make(from_here, row.record, None, 8, hashes, head(log.isle, 9, edge.root()), log.isle.chain)
    with pytest.raises(ReceiptError, match="another audience"):
        receipt.check(receipt.format(made))


def test_a_head_that_the_space_did_not_sign_is_refused(log: Log) -> None:
    other = Log("Other House")
    with pytest.raises(ReceiptError, match="another space"):
        receipt.check(log.text(3, other.note()))
    forger = Isle("Forger")
    forger.chain, forger.space = log.isle.chain, log.isle.space
    with pytest.raises(ReceiptError, match="not signed by the space's log key"):
        receipt.check(log.text(3, head(forger, 8, root_at(8, log.tiles))))
    with pytest.raises(ReceiptError, match="epoch that its key chain does not reach"):
        receipt.check(log.text(3, head(log.isle, 8, root_at(8, log.tiles), epoch=1)))


def test_another_spaces_key_chain_proves_nothing(log: Log) -> None:
    other = Isle("Other House")
    with pytest.raises(ReceiptError, match="another space than its key chain"):
        receipt.check(receipt.format(replace(log.make(3), chain=other.chain.records)))


def test_of_a_closed_epoch_only_the_head_counts_that_the_rotation_names() -> None:
    log = Log("Turning House")
    named, smaller, root = log.note(), log.note(6), root_at(8, log.tiles)
    log.isle.rotate(8, root, "turned")
    assert receipt.check(log.text(3, named)).epoch == 0
    with pytest.raises(ReceiptError, match="keys that the space has replaced"):
        receipt.check(log.text(3, smaller, size=6))
    log.isle.write(2)
    log.size = 10
    checked = receipt.check(log.text(3))
    assert (checked.epoch, checked.size) == (1, 10)
    assert second_decoder.open_receipt(log.text(3))["size"] == 10


def test_the_words_of_a_stranger_are_not_believed(log: Log) -> None:
    made = log.make(1)
    annex = encoding.encode([bytes(16), {"words": "never said"}])
    with pytest.raises(ReceiptError, match="not those that it names"):
        receipt.check(receipt.format(replace(made, annex=annex)))


def extra(value: Any, log: Log) -> str:
    """A receipt of record 3 with any value in its extra line."""
    lines = log.text(3).split("\n")
    lines[1] = "extra " + base64.b64encode(value if isinstance(value, bytes) else encoding.encode(value)).decode()
    return "\n".join(lines)


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: b"\xff", lambda parts: parts[:5], lambda parts: [*parts, 1], lambda parts: {}, lambda parts: [2, *parts[1:]], lambda parts: [True, *parts[1:]],
        lambda parts: [0, -1, *parts[2:]], lambda parts: [0, 2**32, *parts[2:]], lambda parts: [0, 1, "x", *parts[3:]], lambda parts: [*parts[:3], "x", *parts[4:]],
        lambda parts: [*parts[:4], [], parts[5]], lambda parts: [*parts[:4], ["x"], parts[5]], lambda parts: [*parts[:5], [[]]], lambda parts: [*parts[:5], None],
        lambda parts: [*parts[:5], [[b"x"]] * (MAX_COSIGNERS + 1)],
    ],
)  # fmt: skip
def test_an_extra_line_in_another_form_is_refused_with_a_sentence(log: Log, change: Any) -> None:
    made = log.make(3)
    parts = [made.flag, made.logged, made.raw, made.annex, list(made.chain), []]
    assert receipt.parse(extra(parts, log)) == made
    with pytest.raises(ReceiptError, match=r"\w+ \w+ \w+"):
        receipt.parse(extra(change(parts), log))


@pytest.mark.parametrize(
    "text", ["", "x", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\nindex 0\n\n", b"\xff\xfe", "index 3\n"]
)
def test_what_is_no_receipt_is_told_from_one(text: Any) -> None:
    with pytest.raises(ReceiptError, match="not a receipt"):
        receipt.check(text)


def test_a_tlog_proof_of_another_log_is_no_receipt(log: Log) -> None:
    lines = log.text(3).split("\n")
    with pytest.raises(ReceiptError, match="no record of an isle"):
        receipt.check("\n".join([lines[0], *lines[2:]]))


def test_no_changed_letter_proves_something_else(log: Log) -> None:
    text = log.text(3, cosigned(log.note(), Isle("One"), "witness"), [Isle("One").chain])
    before = receipt.check(text)
    survived = []
    for at in range(0, len(text), 5):
        changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        try:
            after = receipt.check(changed)
        except ReceiptError:
            continue
        survived.append(at)
        assert replace(after, cosigners=before.cosigners, unverified=before.unverified) == before
        assert set(after.cosigners) <= set(before.cosigners)
    assert len(survived) < 60  # a cosigner's name or key id: then its line is one of a stranger


def test_a_head_that_is_none_makes_no_receipt(log: Log) -> None:
    with pytest.raises(ReceiptError, match="is none"):
        log.make(3, "nothing")
    with pytest.raises(NoteError):
        parse_note("nothing")


def test_the_largest_record_fits_into_a_receipt() -> None:
    log = Log("Large House")
    log.isle.write(1, text="x" * 65_000, words="y" * 48_000)
    text = receipt.format(log.make(8, size=9))
    assert len(receipt.check(text).words["words"]) == 48_000
