"""Our log as a stranger finds it at /log/<space>/: checked by a program that was written from the C2SP pages alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.public import FOR_EVER, Public
from federation.storage import Cosignature
from node.bench_store import booking
from node.clock import Clock
from node.head import HeadFile
from node.heads import Heads
from node.home import Home
from node.store import Store
from protocol.keychain import origin, space_name
from protocol.keys import SigningKey
from protocol.note import COSIGNATURE, VerifierKey, cosign, format_signature_line, format_vkey, parse_note
from protocol.record import Sealed
from tests.protocol.c2sp_checker import CheckFailure, check_log

WITNESS = SigningKey(b"w" * 32)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home.found(tmp_path / "isle", "Isle", "Ana", Clock())
    yield made
    made.close()


def public(home: Home) -> Public:
    return Public(home.store, endpoints=("https://isle.example",), refresh=home.heads.sign, summary=lambda: b"")


def fetch_from(face: Public, space: bytes, path: str) -> bytes:
    answer = face.get(f"/log/{space_name(space).removeprefix('isle:')}/{path}")
    if answer.status != 200:
        raise CheckFailure(f"{path}: {answer.status}")
    return answer.body


def grow_to(home: Home, size: int) -> None:
    key, more = home.key_files.key(), size - home.log.size
    assert len(list(home.actions.submit_many((booking(number) for number in range(more)), key))) == more


def check(home: Home, size: int) -> None:
    face, name = public(home), origin(home.space, 0)
    vkey = format_vkey(VerifierKey(name, home.keys.log.public))
    witness = format_vkey(VerifierKey("isle.example/witness", WITNESS.public, COSIGNATURE))
    report = check_log(lambda path: fetch_from(face, home.space, path), vkey, [witness])
    log = home.log
    assert (report.size, report.root, report.origin) == (size, log.root, name)
    assert [entry[5:] for entry in report.entries] == [row.digest for row in home.store.rows(home.space, 0, size)]


@pytest.mark.parametrize("size", [255, 256, 257])
def test_a_stranger_derives_the_whole_log_to_its_checkpoint(home: Home, size: int) -> None:
    grow_to(home, size)
    check(home, size)


def test_the_smallest_log_is_its_founding_record_alone(tmp_path: Path) -> None:
    home = Home.found(tmp_path / "isle", "Isle", "Ana", Clock())
    founding, chain, keys = home.store.rows(home.space, 0, 1)[0], home.log.chain, home.keys
    home.close()
    store = Store(tmp_path / "one.db")
    store.found(Sealed(founding.record or b"", None), founding.logged * 60_000)
    heads = Heads(store, keys, HeadFile(tmp_path / "head"), Clock())
    face = Public(store, endpoints=(), refresh=heads.sign, summary=lambda: b"")
    report = check_log(
        lambda path: fetch_from(face, chain.space, path), format_vkey(VerifierKey(origin(chain.space, 0), keys.log.public))
    )
    assert report.size == 1
    store.close()


@pytest.mark.slow
def test_a_log_that_fills_a_tile_of_tiles_and_one_more_is_derived_too(home: Home) -> None:
    grow_to(home, 65_536)
    check(home, 65_536)
    grow_to(home, 65_537)
    check(home, 65_537)


def test_cosignatures_under_the_checkpoint_verify_for_a_stranger(home: Home) -> None:
    text = parse_note(home.heads.sign()).text
    log = home.log
    line = format_signature_line(cosign(WITNESS, "isle.example/witness", text, 1_760_000_000))
    home.store.keep_cosignature(
        home.space, Cosignature("isle.example/witness", log.head_size, log.head_root, 1_760_000_000, line)
    )
    face = public(home)
    keys = [format_vkey(VerifierKey("isle.example/witness", WITNESS.public, COSIGNATURE))]
    vkey = format_vkey(VerifierKey(origin(home.space, 0), home.keys.log.public))
    report = check_log(lambda path: fetch_from(face, home.space, path), vkey, keys)
    assert report.cosigned_s == {"isle.example/witness": 1_760_000_000}


def test_a_damaged_tile_or_entry_is_seen_by_the_stranger(home: Home) -> None:
    grow_to(home, 300)
    face = public(home)
    vkey = format_vkey(VerifierKey(origin(home.space, 0), home.keys.log.public))
    for damaged in ("tile/0/000", "tile/entries/000"):

        def fetch(path: str, damaged: str = damaged) -> bytes:
            body = bytearray(fetch_from(face, home.space, path))
            if path == damaged:
                body[100] ^= 1
            return bytes(body)

        with pytest.raises(CheckFailure):
            check_log(fetch, vkey)


def test_tiles_may_be_kept_for_ever_and_the_rest_is_asked_for_again_by_its_etag(home: Home) -> None:
    grow_to(home, 260)
    face, base = public(home), f"/log/{space_name(home.space)}"
    assert face.get(f"{base}/checkpoint").headers["Cache-Control"] != FOR_EVER
    assert face.get(f"{base}/tile/0/000").headers["Cache-Control"] == FOR_EVER
    for name in ("checkpoint", "records/0", "keychain"):
        tag = face.get(f"{base}/{name}").headers["ETag"]
        again = face.get(f"{base}/{name}", tag)
        assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/", "/log/", "/log/../seed", "/log/{}/", "/log/{}/../node.db", "/log/{}/tile/0/000/../000", "/log/{}//checkpoint", "/log/{}/tile/0/0",
        "/log/{}/tile/0/000.p/0", "/log/{}/tile/0/000.p/257", "/log/{}/tile/64/000", "/log/{}/tile/entries/x000/000", "/log/{}/records/00",
        "/log/{}/records/-1", "/log/{}/records/99999999999", "/log/{}/records/1", "/log/{}/1/checkpoint", "/log/{}/checkpoint/", "/log/{}/%2e%2e/seed",
        "/log/" + "a" * 52 + "/checkpoint", "/log/{}/blobs/x", "/.well-known/archipelago/", "/log/{}/tile/0/001", "/log/{}/tile/1/000",
    ],
)  # fmt: skip
def test_any_other_path_is_not_found(home: Home, path: str) -> None:
    assert public(home).get(path.format(space_name(home.space))).status == 404


def test_records_that_are_not_public_are_in_no_answer(home: Home) -> None:
    key = home.key_files.key()
    home.actions.submit("member.named/1", {"name": "PLANTED-IN-A-NAME", "contact": "PLANTED-CONTACT"}, key)
    home.actions.submit_drafts([booking(7)], key)
    face, base = public(home), f"/log/{space_name(home.space)}"
    bodies = b"".join(
        face.get(f"{base}/{name}").body
        for name in (
            "checkpoint",
            "records/0",
            "keychain",
            f"tile/entries/000.p/{home.log.size}",
            f"tile/0/000.p/{home.log.size}",
        )
    )
    assert b"PLANTED" not in bodies and b"kitchen, evening 7" in bodies
