"""Signed notes, checkpoints and cosignatures: one form each, every change of them refused."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import note
from protocol.keys import SigningKey
from protocol.note import COSIGNATURE, ED25519, Checkpoint, Note, NoteError, SignatureLine, VerifierKey
from tests.protocol import c2sp_checker as plain

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "protocol" / "note.md"
LOG, WITNESS, OTHER = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3))
ORIGIN, WITNESS_NAME = "isle/example", "isle/neighbour/witness"
ROOT = plain.mth([plain.leaf(b"one"), plain.leaf(b"two")])
HEAD = Checkpoint(ORIGIN, 2, ROOT)
TEXT = note.format_checkpoint(HEAD)
TIME_S = 1_790_000_000

# The published example of c2sp.org/signed-note, as it stands there.
KNOWN_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
KNOWN_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYj"
    "OBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The published example of c2sp.org/tlog-cosignature; its keys are not published.
KNOWN_CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeM"
    "cTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mb"
    "IUBkBIfZ+qnA==\n"
)

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters=[chr(n) for n in range(32)])
NAMES = st.text(st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"], exclude_characters="+"), min_size=1, max_size=40)  # fmt: skip
LINES = st.builds(SignatureLine, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=90))
TEXTS = st.lists(st.text(CHARACTERS, max_size=30), max_size=5).map(lambda lines: "".join(f"{line}\n" for line in ["", *lines]))
NOTES = st.builds(Note, TEXTS, st.lists(LINES, min_size=1, max_size=5).map(tuple))
HEADS = st.builds(
    Checkpoint,
    st.text(CHARACTERS, min_size=1, max_size=30),
    st.integers(0, 2**53 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(st.text(CHARACTERS, min_size=1, max_size=30), max_size=3).map(tuple),
)


def cosigned() -> Note:
    return note.parse_note(note.sign(HEAD, ORIGIN, LOG)).add([note.cosign(WITNESS, WITNESS_NAME, TEXT, TIME_S)])


# --- examples that others published ------------------------------------------------------------------------------


def test_the_published_note_verifies_under_the_published_key() -> None:
    key = note.parse_vkey(KNOWN_KEY)
    assert (key.name, key.kind) == ("example.com/foo", ED25519)
    assert note.format_vkey(key) == KNOWN_KEY
    opened = note.parse_note(KNOWN_NOTE)
    note.check_note(opened, key.name, key.public)
    assert note.format_note(opened) == KNOWN_NOTE
    with pytest.raises(NoteError, match="not genuine"):
        note.check_note(note.parse_note(KNOWN_NOTE.replace("example message", "Example message")), key.name, key.public)


def test_the_published_checkpoint_is_read_with_its_cosignature() -> None:
    opened = note.parse_note(KNOWN_CHECKPOINT)
    head = note.parse_checkpoint(opened.text)
    assert (head.origin, head.size, head.extensions) == ("example.com/behind-the-sofa", 20_852_163, ())
    assert opened.signatures[1].name == "witness.example.com/w1"
    assert int.from_bytes(opened.signatures[1].blob[:8], "big") == 1_679_315_147
    assert note.format_note(opened) == KNOWN_CHECKPOINT
    assert note.format_checkpoint(head) == opened.text


# --- one form ----------------------------------------------------------------------------------------------------


@given(NOTES)
def test_a_note_parses_to_what_was_formatted_and_formats_to_what_was_parsed(one: Note) -> None:
    text = note.format_note(one)
    assert note.parse_note(text) == one
    assert note.parse_note(text.encode()) == one
    assert note.format_note(note.parse_note(text)) == text


@given(NOTES, st.integers(0, 2**16), st.integers(1, 255))
def test_a_note_with_a_changed_byte_is_refused_or_another_note(one: Note, at: int, change: int) -> None:
    data = bytearray(note.format_note(one).encode())
    data[at % len(data)] ^= change
    try:
        other = note.parse_note(bytes(data))
    except NoteError:
        return
    assert other != one
    assert note.format_note(other).encode() == bytes(data)


@given(HEADS)
def test_a_checkpoint_parses_to_what_was_formatted(head: Checkpoint) -> None:
    text = note.format_checkpoint(head)
    assert note.parse_checkpoint(text) == head
    read = plain.read_checkpoint(note.sign(head, ORIGIN, LOG).encode())
    assert (read.origin, read.size, read.root, read.text) == (head.origin, head.size, head.root, text.encode())


@given(NAMES, st.binary(min_size=32, max_size=32), st.sampled_from([ED25519, COSIGNATURE]))
def test_a_verifier_key_parses_to_what_was_formatted(name: str, public: bytes, kind: int) -> None:
    key = VerifierKey(name, public, kind)
    word = note.format_vkey(key)
    assert note.parse_vkey(word) == key
    read = plain.read_vkey(word)
    assert (read.name, read.key_id, read.kind, read.public) == (name, key.key_id, kind, public)


SOUND = note.sign(HEAD, ORIGIN, LOG)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        TEXT,
        SOUND[:-1],
        SOUND + "\n",
        SOUND + "x",
        SOUND + "— \n",
        SOUND.replace("\n\n", "\n"),
        SOUND.replace("\n\n", "\n\n\n— "),
        SOUND.replace("\n", "\r\n"),
        SOUND.replace("isle", "is\tle"),
        SOUND.replace("isle", "is\x00le"),
        SOUND.replace("—", "-"),
        SOUND.replace("— ", "—  "),
        SOUND.replace("— ", "—\u00a0"),
        SOUND.replace("— isle/example", "— "),
        SOUND.replace("— isle/example", "— isle/ex+ample"),
        SOUND.replace("— isle/example", "— isle/ex\u2003ample"),
        SOUND.replace("— isle/example", "— isle/ex\u0085ample"),
        SOUND.replace("— isle/example", "— " + "x" * 256),
        SOUND.replace("=\n", "\n"),
        SOUND[:-2] + "==\n",
        SOUND[:-1] + " \n",
        "text\n\n— name AAAAAA==\n",
        "text\n\n— name AAAAAB==\n",
        "text\n\n— name AAAAAAB=\n",
        "text\n\n— name AAAA_AAA\n",
        "text\n\n— name \u0661AAAAAAA\n",
        b"\xff\n\n" + SOUND.encode(),
        b"\xef\xbb\xbf" + SOUND.encode()[:-1],
        b"\xed\xa0\x80\n\n\xe2\x80\x94 name AAAAAAA=\n",
        "\ud800\n\n— name AAAAAAA=\n",
    ],
)
def test_what_is_no_note_is_refused(data: str | bytes) -> None:
    with pytest.raises(NoteError):
        note.parse_note(data)


def test_a_text_may_have_empty_lines_and_lines_like_signatures() -> None:
    text = "\n\n— isle/example AAAAAAA=\n\n\n"
    one = Note(text, (note.sign_text(text, ORIGIN, LOG),))
    assert note.parse_note(note.format_note(one)) == one
    note.check_note(one, ORIGIN, LOG.public)


def test_a_note_is_refused_beyond_its_limits() -> None:
    line = SignatureLine("name", bytes(4), b"x")
    most = Note("text\n", tuple(SignatureLine(f"name{n}", bytes(4), b"x") for n in range(64)))
    assert note.parse_note(note.format_note(most)) == most
    for signatures in ((), (*most.signatures, line)):
        with pytest.raises(NoteError):
            Note("text\n", signatures)
    with pytest.raises(NoteError, match="65 signature lines"):
        note.parse_note(note.format_note(most) + note.format_signature_line(line))
    rest = len(note.format_note(Note("\n", (line,))).encode())
    largest = Note("x" * (65_536 - rest) + "\n", (line,))
    assert note.parse_note(note.format_note(largest)) == largest
    with pytest.raises(NoteError, match="more than 65536"):
        note.format_note(Note("x" + largest.text, (line,)))
    with pytest.raises(NoteError, match="at most 65536"):
        note.parse_note("x" + note.format_note(largest))


@pytest.mark.parametrize(("name", "key_id", "blob"), [("n", b"", b"x"), ("n", bytes(5), b"x"), ("n", bytes(4), b"")])
def test_a_line_without_a_key_or_a_signature_is_refused(name: str, key_id: bytes, blob: bytes) -> None:
    with pytest.raises(NoteError):
        SignatureLine(name, key_id, blob)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "origin\n1\n",
        TEXT[:-1],
        "\n" + TEXT,
        TEXT + "\n",
        TEXT + "one\n\ntwo\n",
        TEXT.replace("\n2\n", "\n02\n"),
        TEXT.replace("\n2\n", "\n+2\n"),
        TEXT.replace("\n2\n", "\n-2\n"),
        TEXT.replace("\n2\n", "\n2 \n"),
        TEXT.replace("\n2\n", "\n\u0662\n"),
        TEXT.replace("\n2\n", "\n9007199254740992\n"),
        TEXT.replace("\n2\n", "\n" + "9" * 5000 + "\n"),
        TEXT.replace("=\n", "\n"),
        TEXT.replace("=\n", "==\n"),
        TEXT.replace("=\n", "=\x0b\n"),
        "origin\n2\nAAAA\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        note.parse_checkpoint(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 0, ROOT, ()),
        ("a\nb", 0, ROOT, ()),
        ("a", -1, ROOT, ()),
        ("a", 2**53, ROOT, ()),
        ("a", 0, ROOT[:31], ()),
        ("a", 0, ROOT, ("",)),
        ("a", 0, ROOT, ("x\ny",)),
    ],
)
def test_a_checkpoint_that_has_no_text_is_refused(origin: str, size: int, root: bytes, extensions: tuple[str, ...]) -> None:
    with pytest.raises(NoteError):
        Checkpoint(origin, size, root, extensions)


def test_a_control_character_in_a_checkpoint_is_never_signed() -> None:
    with pytest.raises(NoteError, match="control character"):
        note.sign(Checkpoint("a\tb", 2, ROOT), ORIGIN, LOG)


def _vkey(kind: int, public: bytes) -> str:
    return f"n+{note.key_id('n', public, kind).hex()}+{base64.b64encode(bytes([kind]) + public).decode()}"


@pytest.mark.parametrize(
    "word",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530d903a+",
        "example.com/foo+530D903A" + KNOWN_KEY[24:],
        "example.com/foo+530d903b" + KNOWN_KEY[24:],
        "example.com/fop" + KNOWN_KEY[15:],
        KNOWN_KEY[:-1],
        KNOWN_KEY + "\n",
        " " + KNOWN_KEY,
        _vkey(6, bytes(32)),
        _vkey(ED25519, bytes(31)),
        _vkey(COSIGNATURE, bytes(33)),
    ],
)
def test_what_is_no_verifier_key_is_refused(word: str) -> None:
    with pytest.raises(NoteError):
        note.parse_vkey(word)


# --- signatures --------------------------------------------------------------------------------------------------


def test_a_checkpoint_opens_for_its_origin_and_key_alone() -> None:
    assert note.open_checkpoint(SOUND, ORIGIN, LOG.public) == (HEAD, note.parse_note(SOUND))
    with pytest.raises(NoteError, match="another log"):
        note.open_checkpoint(SOUND, ORIGIN + "/1", LOG.public)
    with pytest.raises(NoteError, match="no signature"):
        note.open_checkpoint(SOUND, ORIGIN, OTHER.public)
    with pytest.raises(NoteError, match="no signature"):
        note.open_checkpoint(note.sign(HEAD, "another/name", LOG), ORIGIN, LOG.public)


def test_the_second_reader_finds_the_same_signatures_good() -> None:
    one = cosigned()
    head = plain.read_checkpoint(note.format_note(one).encode())
    log = plain.read_vkey(note.format_vkey(VerifierKey(ORIGIN, LOG.public)))
    witness = plain.read_vkey(note.format_vkey(VerifierKey(WITNESS_NAME, WITNESS.public, COSIGNATURE)))
    assert plain.check_signature(head, log) == 0
    assert plain.check_signature(head, witness) == TIME_S == note.cosigned_s(one, WITNESS_NAME, WITNESS.public)


def test_every_changed_bit_of_a_signed_checkpoint_is_refused() -> None:
    data = SOUND.encode()
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(NoteError):
            note.open_checkpoint(bytes(changed), ORIGIN, LOG.public)


def test_every_changed_bit_of_a_cosignature_line_loses_the_cosignature() -> None:
    one = cosigned()
    data = note.format_signature_line(one.signatures[1]).encode()
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        try:
            lines = note.parse_signature_lines(bytes(changed))
            found = note.cosigned_s(Note(one.text, lines), WITNESS_NAME, WITNESS.public)
        except NoteError:
            continue
        assert found is None


def test_a_cosignature_holds_for_one_text_one_time_one_key_and_one_name() -> None:
    line = note.cosign(WITNESS, WITNESS_NAME, TEXT, TIME_S)
    assert note.check_cosignature(line, WITNESS_NAME, WITNESS.public, TEXT) == TIME_S
    later = SignatureLine(line.name, line.key_id, (TIME_S + 1).to_bytes(8, "big") + line.blob[8:])
    beyond = SignatureLine(line.name, line.key_id, b"\xff" + line.blob[1:])
    plain_line = note.sign_text(TEXT, WITNESS_NAME, WITNESS)
    relabelled = SignatureLine(line.name, line.key_id, line.blob[:8] + plain_line.blob)
    for wrong in (later, beyond, plain_line, relabelled, SignatureLine(line.name, line.key_id, line.blob[:-1])):
        with pytest.raises(NoteError):
            note.check_cosignature(wrong, WITNESS_NAME, WITNESS.public, TEXT)
    for name, public, text in (
        (ORIGIN, WITNESS.public, TEXT),
        (WITNESS_NAME, OTHER.public, TEXT),
        (WITNESS_NAME, WITNESS.public, note.format_checkpoint(Checkpoint(ORIGIN, 3, ROOT))),
        (WITNESS_NAME, WITNESS.public, TEXT + "extension\n"),
    ):
        with pytest.raises(NoteError):
            note.check_cosignature(line, name, public, text)


def test_a_time_beyond_63_bits_is_refused_even_if_it_was_signed() -> None:
    for time_s, good in ((2**63 - 1, True), (2**63, False)):
        signature = WITNESS.sign(f"cosignature/v1\ntime {time_s}\n{TEXT}".encode())
        blob = time_s.to_bytes(8, "big") + signature
        line = SignatureLine(WITNESS_NAME, note.key_id(WITNESS_NAME, WITNESS.public, COSIGNATURE), blob)
        if good:
            assert note.check_cosignature(line, WITNESS_NAME, WITNESS.public, TEXT) == time_s
        else:
            with pytest.raises(NoteError):
                note.check_cosignature(line, WITNESS_NAME, WITNESS.public, TEXT)


def test_sizes_are_plain_decimals_up_to_53_bits() -> None:
    assert [note.decode_size(text, "it") for text in ("0", "7", "9007199254740991")] == [0, 7, 2**53 - 1]
    for text in ("", "00", "01", "-1", "+1", " 1", "1\n", "1_0", "0x1", "9007199254740992", "\u0661"):
        with pytest.raises(NoteError):
            note.decode_size(text, "it")


def test_a_cosignature_never_passes_for_a_signature_of_the_log() -> None:
    line = note.cosign(LOG, ORIGIN, TEXT, TIME_S)
    with pytest.raises(NoteError, match="no signature"):
        note.open_checkpoint(note.format_note(Note(TEXT, (line,))), ORIGIN, LOG.public)
    assert note.cosigned_s(note.parse_note(SOUND), ORIGIN, LOG.public) is None


def test_nothing_but_a_checkpoint_with_a_time_is_cosigned() -> None:
    for text, time_s in (("text\n", TIME_S), (TEXT, 0), (TEXT, -1), (TEXT, 2**63)):
        with pytest.raises(NoteError):
            note.cosign(WITNESS, WITNESS_NAME, text, time_s)


def test_lines_of_other_keys_are_carried_and_ignored_but_a_bad_line_of_the_key_refuses_the_note() -> None:
    one = cosigned()
    unknown = SignatureLine(ORIGIN, b"\x00\x01\x02\x03", bytes(64))
    assert note.open_checkpoint(note.format_note(one.add([unknown])), ORIGIN, LOG.public)[1].signatures[2] == unknown
    bad = SignatureLine(ORIGIN, note.key_id(ORIGIN, LOG.public), bytes(64))
    for signatures in ((*one.signatures, bad), (bad, *one.signatures)):
        with pytest.raises(NoteError, match="not genuine"):
            note.open_checkpoint(note.format_note(Note(TEXT, signatures)), ORIGIN, LOG.public)


def test_a_newer_line_of_a_key_takes_the_place_of_its_older_one() -> None:
    later = cosigned().add([note.cosign(WITNESS, WITNESS_NAME, TEXT, TIME_S + 60)])
    assert [line.name for line in later.signatures] == [ORIGIN, WITNESS_NAME]
    assert note.cosigned_s(later, WITNESS_NAME, WITNESS.public) == TIME_S + 60


def test_signature_lines_alone_parse_as_a_witness_sends_them() -> None:
    lines = cosigned().signatures
    answer = "".join(map(note.format_signature_line, lines))
    assert note.parse_signature_lines(answer.encode()) == lines
    for wrong in ("", "\n", answer[:-1], "\n" + answer, answer + "\n"):
        with pytest.raises(NoteError):
            note.parse_signature_lines(wrong)


# --- the page ----------------------------------------------------------------------------------------------------


def test_the_worked_example_on_the_page_is_what_the_code_writes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    log, witness = VerifierKey(ORIGIN, LOG.public), VerifierKey(WITNESS_NAME, WITNESS.public, COSIGNATURE)
    assert f"```text\n{note.format_vkey(log)}\n{note.format_vkey(witness)}\n```" in page
    assert f"```text\n{note.format_note(cosigned())}```" in page
    line = cosigned().signatures[1]
    shown = [
        f"key id     {line.key_id.hex()}",
        f"time       {line.blob[:8].hex()}",
        f"signature  {line.blob[8:40].hex()}",
        f"           {line.blob[40:].hex()}",
    ]
    assert "```text\n" + "\n".join(shown) + "\n```" in page


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for limit in (note.MAX_NOTE_BYTES, note.MAX_SIGNATURES, note.MAX_NAME_BYTES):
        assert f"{limit:,}" in page
