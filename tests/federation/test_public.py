"""The public face: what is served is what a stranger can derive, and nothing that is not public is in it."""

from __future__ import annotations

import base64
import json
from hashlib import sha256

import pytest
from msgspec.structs import replace

from federation.public import Answer, Public
from federation.storage import Cosignature
from protocol.keychain import decode as decode_chain
from protocol.keychain import origin, space_name
from protocol.note import COSIGNATURE, VerifierKey, cosign, format_signature_line, format_vkey
from protocol.record import Sealed
from tests.federation.isle import MINUTE, NOW, Isle, befriend
from tests.protocol import second_decoder
from tests.protocol.c2sp_checker import Report, check_log


class Face:
    """An isle and what it shows to anybody."""

    def __init__(self, name: str = "Open House") -> None:
        self.isle = Isle(name)
        self.summary = b""
        self.refreshed = 0
        self.public = Public(
            self.isle.store, endpoints=("https://open.example/",), refresh=self.refresh, summary=lambda: self.summary
        )

    def refresh(self) -> None:
        self.refreshed += 1

    def path(self, name: str) -> str:
        return f"/log/{space_name(self.isle.space)[5:]}/{name}"

    def get(self, name: str, etag: str = "") -> Answer:
        return self.public.get(self.path(name), etag)

    def body(self, name: str) -> bytes:
        answer = self.get(name)
        assert answer.status == 200, (name, answer)
        return answer.body

    def checked(self, *cosigners: str) -> Report:
        name = origin(self.isle.space, self.isle.epoch.number)
        return check_log(self.body, format_vkey(VerifierKey(name, self.isle.keys.log.public)), cosigners)


@pytest.fixture
def face() -> Face:
    return Face()


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 65_536, 65_537])
def test_the_whole_log_derives_to_its_checkpoint_under_a_strangers_eyes(size: int) -> None:
    face = Face()
    face.isle.write(0)
    cheap = [Sealed(face.isle.founding.raw, None)]
    count = size - 1
    if size > 300:  # the same record again and again: its entries are as good as any
        step = 4096
        for start in range(0, count, step):
            face.isle.store.append(cheap * min(step, count - start), MINUTE + start // step)
    else:
        face.isle.write(count)
    face.isle.sign_head()
    report = face.checked()
    log = face.isle.store.log(face.isle.space)
    assert log is not None
    assert (report.size, report.root) == (size, log.root)
    assert second_decoder.read_entry(report.entries[0])[2] == face.isle.space


def test_cosignatures_stand_under_the_checkpoint(face: Face) -> None:
    face.isle.write(4)
    note = face.isle.sign_head()
    other = Isle("Witness House")
    name = f"{origin(other.space, 0)}/witness"
    line = cosign(other.keys.witness, name, note.split("\n\n")[0] + "\n", NOW // 1000)
    log = face.isle.store.log(face.isle.space)
    assert log is not None
    face.isle.store.keep_cosignature(
        log.space, Cosignature(name, log.head_size, log.head_root, NOW // 1000, format_signature_line(line))
    )
    vkey = format_vkey(VerifierKey(name, other.keys.witness.public, COSIGNATURE))
    assert face.checked(vkey).cosigned_s == {name: NOW // 1000}
    face.isle.write(1)
    face.isle.sign_head()
    assert face.checked(vkey).cosigned_s == {}  # it was on another head


def test_records_come_with_their_annexes_and_can_be_read_by_the_second_decoder(face: Face) -> None:
    face.isle.write(3, words="spoken in public")
    face.isle.sign_head()
    read = second_decoder.decode_sequence(face.body("records/0"))
    assert len(read) == 4
    assert sha256(read[0][0]).digest() == face.isle.space
    for raw, annex in read[1:]:
        record = second_decoder.open_record(raw, face.isle.space)
        assert second_decoder.read_annex(annex, record["annex_hash"]) == {"words": "spoken in public"}


def test_bundles_hold_256_positions_and_end_with_the_log(face: Face) -> None:
    face.isle.write(300)
    face.isle.sign_head()
    assert len(second_decoder.decode_sequence(face.body("records/0"))) == 256
    assert len(second_decoder.decode_sequence(face.body("records/1"))) == 45
    assert face.get("records/2").status == 404


def everything(face: Face) -> bytes:
    """All bytes that anybody can get."""
    names = ["checkpoint", "summary", "keychain", "records/0", "records/1", "tile/0/000.p/9", "tile/entries/000.p/9"]
    answers = [face.get(name) for name in names] + [face.public.get("/.well-known/archipelago")]
    return b"".join(answer.body + repr(answer.headers).encode() for answer in answers)


@pytest.mark.parametrize("audience", [1, 2, [b"n" * 32]])
def test_what_is_not_public_is_in_no_answer(face: Face, audience: int | list[bytes]) -> None:
    face.isle.write(2, text="said to all")
    face.isle.write(4, audience=audience, text="PLANTED BODY", words="PLANTED WORDS")
    face.isle.write(2)
    face.isle.sign_head()
    assert face.checked().size == 9
    shown = everything(face)
    assert b"said to all" in shown
    assert b"PLANTED" not in shown
    assert second_decoder.decode_sequence(face.body("records/0"))[3:7] == [None] * 4


@pytest.mark.parametrize(("flag", "audience"), [(0, 2), (1, 0)])
def test_a_record_whose_entry_says_another_audience_is_not_served(face: Face, flag: int, audience: int) -> None:
    face.isle.write(1, audience=audience, text="PLANTED", words="PLANTED")
    rows = face.isle.store.held[face.isle.space].rows
    rows[1] = replace(rows[1], flag=flag)
    face.isle.sign_head()
    assert b"PLANTED" not in everything(face)


def test_only_what_was_audited_is_served() -> None:
    face = Face()
    face.isle.write(300)
    face.isle.sign_head()
    held = face.isle.store.held[face.isle.space]
    held.log = replace(held.log, judged=200)
    assert face.get("checkpoint").status == 404
    assert b"audited" in face.get("checkpoint").body
    assert face.get("tile/entries/000").status == 404
    assert face.get("tile/0/000").status == 404
    assert face.get("tile/0/000.p/200").status == 200
    assert face.get("tile/0/000.p/201").status == 404
    assert len(second_decoder.decode_sequence(face.body("records/0"))) == 200


def test_entries_beyond_the_signed_head_are_not_served(face: Face) -> None:
    face.isle.write(4)
    face.isle.sign_head()
    face.isle.write(4)
    assert face.get("tile/entries/000.p/5").status == 200
    assert face.get("tile/entries/000.p/6").status == 404
    assert len(second_decoder.decode_sequence(face.body("records/0"))) == 5
    assert face.checked().size == 5


def test_a_log_without_a_head_has_a_checkpoint_later(face: Face) -> None:
    assert face.get("checkpoint").status == 404
    assert face.get("records/0").status == 404


def test_our_head_is_signed_before_it_is_served_and_no_other_is(face: Face) -> None:
    face.isle.write(1)
    face.isle.sign_head()
    face.get("checkpoint")
    assert face.refreshed == 1
    other = Isle("Carried House")
    befriend(face.isle, other)
    face.public.get(f"/log/{space_name(other.space)[5:]}/checkpoint")
    assert face.refreshed == 1


def test_the_hint_is_json_with_the_names_that_scripts_rely_on(face: Face) -> None:
    answer = face.public.get("/.well-known/archipelago")
    said = json.loads(answer.body)
    assert answer.headers["Content-Type"] == "application/json"
    assert set(said) == {"space", "name", "endpoints", "keys"}
    assert (said["space"], said["name"]) == (space_name(face.isle.space), "Open House")
    assert said["endpoints"] == ["https://open.example/"]
    keys = face.isle.keys.public
    assert {name: base64.b64decode(each, validate=True) for name, each in said["keys"].items()} == {
        "identity": keys.identity, "log": keys.log, "witness": keys.witness, "mirror": keys.mirror,
    }  # fmt: skip


def test_the_key_chain_and_the_summary_are_served(face: Face) -> None:
    assert decode_chain(face.body("keychain"), face.isle.space) == face.isle.chain
    assert face.get("summary").status == 404
    face.summary = b"our summary"
    assert face.body("summary") == b"our summary"
    other = Isle("Carried House")
    befriend(face.isle, other)
    peer = face.isle.store.peer(other.space)
    assert peer is not None
    name = f"/log/{space_name(other.space)[5:]}/summary"
    assert face.public.get(name).status == 404
    face.isle.store.keep_peer(replace(peer, summary=b"theirs"))
    assert face.public.get(name).body == b"theirs"


def test_tiles_may_be_kept_for_ever_and_all_else_is_asked_for_again(face: Face) -> None:
    face.isle.write(300)
    face.isle.sign_head()
    for name in ("tile/0/000", "tile/entries/000", "tile/0/001.p/45", "tile/1/000.p/1"):
        assert "immutable" in face.get(name).headers["Cache-Control"]
        assert face.get(name).headers["Content-Type"] == "application/octet-stream"
    assert face.get("checkpoint").headers["Content-Type"] == "text/plain; charset=utf-8"
    for name in ("checkpoint", "records/0", "keychain"):
        answer = face.get(name)
        assert "max-age=5" in answer.headers["Cache-Control"]
        again = face.get(name, answer.headers["ETag"])
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
        assert face.get(name, '"another"').status == 200


def test_an_erasure_changes_a_bundle_and_its_etag(face: Face) -> None:
    face.isle.write(2, words="to be erased")
    face.isle.sign_head()
    before = face.get("records/0")
    rows = face.isle.store.held[face.isle.space].rows
    rows[1] = replace(rows[1], annex=None)
    after = face.get("records/0", before.headers["ETag"])
    assert after.status == 200
    assert after.body.count(b"to be erased") == 1 == before.body.count(b"to be erased") - 1
    assert second_decoder.decode_sequence(after.body)[1][1] is None


def test_each_epoch_has_its_own_prefix(face: Face) -> None:
    face.isle.write(4)
    face.isle.sign_head()
    log = face.isle.store.log(face.isle.space)
    assert log is not None
    face.isle.rotate(log.size, log.root)
    face.isle.write(3)
    face.isle.sign_head()
    assert face.get("checkpoint").status == 404
    assert face.get("0/checkpoint").status == 404
    assert face.get("2/checkpoint").status == 404
    assert face.get("1/checkpoint").status == 200
    name = origin(face.isle.space, 1)
    vkey = format_vkey(VerifierKey(name, face.isle.keys.log.public))
    assert check_log(lambda path: face.body(f"1/{path}"), vkey).size == 8


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "x", "checkpoint/", "checkpoint ", "Checkpoint", "checkpoint\n", "summary/x", "records", "records/", "records/00", "records/01", "records/-1",
        "records/+0", "records/0/", "records/0.p/1", "records/1" + "0" * 30, "records/٣", "tile", "tile/", "tile/0", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/64/000",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/05", "tile/0/x000/000", "tile/0/000/000", "tile/entries/../../checkpoint", "tile/data/000", "tile/-1/000",
        "tile/1/000", "tile/entries/001", "tile/entries/000.p/6", "../checkpoint", "..%2fcheckpoint", "./checkpoint", "//checkpoint", "records/../checkpoint", "blobs/00",
        "0/checkpoint", "1/checkpoint", "000/checkpoint", "1000/checkpoint", "-1/checkpoint", "keychain?x", "\x00", "checkpoint\x00",
    ],
)  # fmt: skip
def test_any_other_path_is_404_with_a_sentence(face: Face, name: str) -> None:
    face.isle.write(4)
    face.isle.sign_head()
    answer = face.get(name)
    assert answer.status == 404
    assert answer.body.endswith(b".\n")


@pytest.mark.parametrize(
    "path",
    ["", "/", "/log", "/log/", "/log/x/checkpoint", "/log//checkpoint", "/.well-known/", "/.well-known/archipelago/", "//.well-known/archipelago",
     "/.well-known/../.well-known/archipelago", "/log/../../etc/passwd", "/log/" + "a" * 52, "/log/" + "a" * 52 + "/checkpoint", "/log/" + "7" * 52 + "/checkpoint",
     "/log/isle:/checkpoint", "/log/" + "A" * 52 + "/checkpoint"],
)  # fmt: skip
def test_a_path_of_no_log_is_404(face: Face, path: str) -> None:
    assert face.public.get(path).status == 404


def test_a_space_is_written_in_one_way_with_or_without_its_prefix(face: Face) -> None:
    face.isle.write(1)
    face.isle.sign_head()
    name = space_name(face.isle.space)
    assert face.public.get(f"/log/{name}/checkpoint").status == 200
    assert face.public.get(f"/log/{name.upper()}/checkpoint").status == 404
    last = "abcdefghijklmnopqrstuvwxyz234567"
    other = name[:-1] + last[last.index(name[-1]) ^ 1]  # the same 32 bytes to a careless reader of base32
    assert face.public.get(f"/log/{other}/checkpoint").status == 404
