"""The project's own vectors and the pages that state the formats: our code writes them, the second decoder reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from protocol import encoding, evidence, keychain, receipt, record, summary
from protocol.encoding import DecodeError
from protocol.entry import Entry, EntryError
from protocol.evidence import EvidenceError
from protocol.keychain import KeyChainError
from protocol.keys import SigningKey, derive, valid_point, verify
from protocol.receipt import ReceiptError
from protocol.record import RecordError
from protocol.summary import SummaryError
from tests.protocol import c2sp_checker, second_decoder
from tests.protocol.make_vectors import FOLDER, MADE, plain, text_of, unplain
from tests.protocol.second_decoder import Wrong

PAGES = Path(__file__).parents[2] / "docs" / "reference" / "protocol"
BLOCK = re.compile(r"^```vector (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def unhex(values: list[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in values]


@pytest.mark.parametrize("name", sorted(MADE))
def test_our_code_writes_the_vectors_as_they_stand(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == text_of(name)


def test_there_are_no_other_files_of_vectors() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MADE)


def refuses(ours: type[Exception], call: Callable[[], object], theirs: Callable[[], object]) -> None:
    with pytest.raises(ours):
        call()
    with pytest.raises((Wrong, c2sp_checker.CheckFailure)):
        theirs()


def test_encodings() -> None:
    vectors = read("encoding")
    for case in vectors["accepted"]:
        value, data = unplain(case["value"]), bytes.fromhex(case["hex"])
        assert encoding.decode(data) == second_decoder.decode(data) == value
        assert encoding.encode(value) == second_decoder.encode(value) == data
    for case in vectors["refused"]:
        data = bytes.fromhex(case["hex"])
        refuses(DecodeError, lambda data=data: encoding.decode(data), lambda data=data: second_decoder.decode(data))  # type: ignore[misc]  # bound now


def test_keys() -> None:
    vectors = read("keys")
    seed = bytes.fromhex(vectors["derived"]["seed"])
    for purpose, each in vectors["derived"]["keys"].items():
        assert second_decoder.hkdf(seed, f"archipelago/key/{purpose}").hex() == each["seed"] == derive(seed, purpose).seed.hex()
        assert SigningKey(bytes.fromhex(each["seed"])).public.hex() == each["public"]
    public, message, signature = (bytes.fromhex(vectors["signature"][name]) for name in ("public", "message", "signature"))
    assert verify(public, message, signature)
    assert second_decoder.genuine(public, message, signature)
    for case in vectors["no_keys"]:
        assert not valid_point(bytes.fromhex(case["public"])), case["why"]


def test_records() -> None:
    vectors = read("record")
    for case in vectors["records"]:
        raw, space = bytes.fromhex(case["record"]), bytes.fromhex(case["space"])
        ours, theirs = record.open(raw, space), second_decoder.open_record(raw, space)
        for name in ("author", "kind", "at_ms", "body", "nonce", "digest"):
            said = unplain(case[name]) if name in ("kind", "at_ms", "body") else bytes.fromhex(case[name])
            assert getattr(ours, name) == theirs[name] == said
        assert plain(ours.audience) == plain(theirs["audience"]) == case["audience"]
        annex = bytes.fromhex(case["annex"]) if case["annex"] else None
        assert record.words_of(annex, ours.annex_hash) == case["words"]
        assert (second_decoder.read_annex(annex, theirs["annex_hash"]) if annex else {}) == case["words"]
        assert record.signed(raw, space)[1].hex() == case["to_be_signed"]
        assert sha256(raw).hexdigest() == case["digest"]
    for case in vectors["refused"]:
        raw, space = bytes.fromhex(case["record"]), bytes.fromhex(case["space"])
        refuses(RecordError, lambda a=(raw, space): record.open(*a), lambda a=(raw, space): second_decoder.open_record(*a))  # type: ignore[misc]  # bound now


def test_entries() -> None:
    vectors = read("entry")
    for case in vectors["entries"]:
        data = bytes.fromhex(case["entry"])
        said = (case["flag"], case["logged"], bytes.fromhex(case["digest"]))
        assert second_decoder.read_entry(data) == said
        assert Entry.decode(data) == Entry(*said)
        assert c2sp_checker.leaf(data).hex() == case["leaf_hash"] == Entry(*said).leaf_hash().hex()
    for case in vectors["refused"]:
        data = bytes.fromhex(case["entry"])
        refuses(EntryError, lambda data=data: Entry.decode(data), lambda data=data: second_decoder.read_entry(data))  # type: ignore[misc]  # bound now


def test_key_chains() -> None:
    vectors = read("keychain")
    for case in vectors["chains"]:
        records = unhex(case["records"])
        chain, (space, bodies) = keychain.check(records), second_decoder.check_chain(records)
        assert (space.hex(), second_decoder.isle(space), bodies[0]["name"]) == (
            case["space"],
            case["space_name"],
            case["founded_as"],
        )
        assert (chain.space, chain.name, chain.digest.hex()) == (space, bodies[0]["name"], case["digest"])
        assert second_decoder.decode(bytes.fromhex(case["encoded"])) == records
        assert len(chain.epochs) == len(bodies) == len(case["epochs"])
        for epoch, body, said in zip(chain.epochs, bodies, case["epochs"], strict=True):
            assert {name: each.hex() for name, each in body["keys"].items()} == said["keys"]
            assert (epoch.number, epoch.root.hex(), epoch.size, epoch.head.hex()) == (
                said["number"],
                said["root"],
                said["size"],
                said["head"],
            )
            assert second_decoder.origin(space, said["number"]) == said["origin"] == keychain.origin(space, epoch.number)
    for case in vectors["refused"]:
        records = unhex(case["records"])
        refuses(KeyChainError, lambda r=records: keychain.check(r), lambda r=records: second_decoder.check_chain(r))  # type: ignore[misc]  # bound now


def test_summaries() -> None:
    vectors = read("summary")
    for case in vectors["summaries"]:
        raw, records = bytes.fromhex(case["summary"]), unhex(case["key_chain"])
        assert second_decoder.open_summary(raw, records) == unplain(case["payload"])
        assert summary.open(raw, keychain.check(records)).order == tuple(
            unplain(case["payload"])[n] for n in ("epoch", "size", "time_ms")
        )
        assert sha256(raw).hexdigest() == case["digest"]
    for case in vectors["refused"]:
        raw, records = bytes.fromhex(case["summary"]), unhex(case["key_chain"])
        refuses(
            SummaryError,
            lambda a=(raw, records): summary.open(a[0], keychain.check(a[1])),  # type: ignore[misc]  # bound now
            lambda a=(raw, records): second_decoder.open_summary(*a),  # type: ignore[misc]  # bound now
        )


def test_receipts() -> None:
    vectors = read("receipt")
    for case in vectors["receipts"]:
        ours, theirs = receipt.check(case["receipt"]), second_decoder.open_receipt(case["receipt"])
        assert (ours.space.hex(), ours.index, ours.size, ours.digest.hex()) == (
            case["space"],
            case["index"],
            case["size"],
            case["digest"],
        )
        assert (theirs["space"], theirs["index"], theirs["size"]) == (ours.space, ours.index, ours.size)
        assert theirs["record"]["digest"] == ours.digest
        assert ours.logged_ms == case["logged"] * 60_000
        assert ours.words == theirs["words"] == case["words"]
        said = {(bytes.fromhex(space), role): at for space, roles in case["cosigned_by"].items() for role, at in roles.items()}
        assert {(each.space, each.role): each.time_s for each in ours.cosigners} == theirs["cosigners"] == said
    for case in vectors["refused"]:
        text = case["receipt"]
        refuses(ReceiptError, lambda text=text: receipt.check(text), lambda text=text: second_decoder.open_receipt(text))  # type: ignore[misc]  # bound now


def test_evidence() -> None:
    vectors = read("evidence")
    for case in vectors["forks"]:
        data = bytes.fromhex(case["file"])
        fork = evidence.check(data)
        assert second_decoder.check_fork(data) == (fork.space, fork.epoch, fork.sizes)
        assert (fork.space.hex(), fork.epoch, list(fork.sizes)) == (case["space"], case["epoch"], case["sizes"])
    for case in vectors["refused"]:
        data = bytes.fromhex(case["file"])
        refuses(EvidenceError, lambda data=data: evidence.check(data), lambda data=data: second_decoder.check_fork(data))  # type: ignore[misc]  # bound now


# The pages


def blocks() -> dict[str, str]:
    """The vectors that the pages of this file's formats show, by the path under which the files have them."""
    found: dict[str, str] = {}
    for name in MADE:
        for path, text in BLOCK.findall((PAGES / f"{name}.md").read_text()):
            assert path.split("/")[0] == name
            found[path] = text
    return found


def at(path: str) -> Any:
    """The value at a path such as record/records/0/payload."""
    name, *steps = path.split("/")
    value = read(name)
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def test_every_page_shows_vectors() -> None:
    shown = {path.split("/")[0] for path in blocks()}
    assert shown == set(MADE)


@pytest.mark.parametrize("path", sorted(blocks()))
def test_the_pages_show_what_the_files_have(path: str) -> None:
    """Spaces and ends of lines between bytes are for the eye; a remark stands behind a semicolon."""
    shown, value = blocks()[path], at(path)
    if re.search(r"\n.*\n\n— ", shown) or shown.startswith("c2sp"):
        assert shown == value
    else:
        assert "".join(re.sub(r";.*", "", shown).split()) == value


def test_the_index_names_every_page_and_links_lead_somewhere() -> None:
    index = (PAGES / "index.md").read_text()
    assert {path.name for path in PAGES.glob("*.md")} - {"index.md"} == set(re.findall(r"\]\((\w+\.md)\)", index)) - {
        "index.md"
    }
    for page in PAGES.glob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
