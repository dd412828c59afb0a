"""Signed notes, and the checkpoints and cosignatures that are written as such (C2SP).

    <text, every line ended>            — <name> base64(key id ‖ signature)      one line a signature
    <an empty line>                     key id = SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]
    <signature lines>                   type 0x01: Ed25519 over the text; 0x04: cosignature/v1

A checkpoint's text is three lines, origin, size, root in base64, and perhaps more that we only carry. A cosignature is
8 bytes of time in seconds, big-endian, and an Ed25519 signature over "cosignature/v1\\ntime <seconds>\\n" and the text.

Rules:

- One note has one form: UTF-8 without control characters, canonical base64, plain decimals; all else is refused, so
  `format_note(parse_note(x)) == x`. At most 64 KiB and 64 signatures.
- A line is of a key when name and key id are both its own. Lines of other keys are carried and ignored. If a line of the
  key asked about does not verify, the note is refused, whatever else stands on it.
- What a text says counts only once a signature on it was checked.

    NoteError: a note, line, checkpoint or verifier key in another form, or a signature that is missing or not genuine

>>> parse_vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").key_id.hex()
'530d903a'
>>> format_checkpoint(Checkpoint("isle/example", 7, bytes(32))).splitlines()[:2]
['isle/example', '7']

Source: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature; docs/reference/protocol/note.md.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from protocol.keys import verify
from protocol.tree import HASH_BYTES, MAX_SIZE

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_NOTE_BYTES = 65_536
MAX_SIGNATURES = 64
MAX_NAME_BYTES = 255
MAX_TIME_S = 2**63 - 1
DASH = "\u2014"

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_DECIMAL = re.compile("0|[1-9][0-9]{0,15}")


class NoteError(ValueError):
    """A note, or a part of one, in another form than the one allowed, or a signature that is missing or not genuine."""


class Signer(Protocol):
    """A key that signs; `protocol.keys.SigningKey` is one."""

    @property
    def public(self) -> bytes:
        """The Ed25519 public key, 32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes."""


# --- the words that lines are made of ----------------------------------------------------------------------------


def decode_base64(text: str, what: str) -> bytes:
    """The bytes of canonical base64 (RFC 4648 section 4, padded); NoteError naming `what` for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise NoteError(f"{what} is not base64") from error
    if encode_base64(data) != text:
        raise NoteError(f"{what} is not written in the one form that base64 has for it")
    return data


def encode_base64(data: bytes) -> str:
    """Canonical base64."""
    return base64.b64encode(data).decode("ascii")


def decode_hash(text: str, what: str) -> bytes:
    """A SHA-256 hash from base64."""
    data = decode_base64(text, what)
    if len(data) != HASH_BYTES:
        raise NoteError(f"{what} has {len(data)} bytes, not the {HASH_BYTES} of a SHA-256 hash")
    return data


def decode_size(text: str, what: str) -> int:
    """A size or index from plain decimal digits, at most 2^53−1."""
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_SIZE:
        raise NoteError(f"{what} is not a plain decimal number up to 2^53−1")
    return int(text)


def _check_name(name: str) -> None:
    if not name or "+" in name or any(each.isspace() or each < " " for each in name):
        raise NoteError("a key's name is empty, or has a space, a plus or a control character in it")
    if len(_utf8(name)) > MAX_NAME_BYTES:
        raise NoteError(f"a key's name has more than {MAX_NAME_BYTES} bytes")


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("a note's text does not end with the end of a line")
    if _CONTROL.search(text):
        raise NoteError("a note has a control character in it")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NoteError("a note's text has no UTF-8 form") from error


# --- notes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line under a note: who signed with which key, and what they left (64 bytes, or a time and 64)."""

    name: str
    key_id: bytes
    blob: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.key_id) != 4 or not self.blob:
            raise NoteError(f"the signature line of {self.name} has no key id of 4 bytes and a signature behind it")


@dataclass(frozen=True, slots=True)
class Note:
    """A text, its last line ended, and the signature lines under it."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def __post_init__(self) -> None:
        _check_text(self.text)
        _utf8(self.text)
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise NoteError(f"a note with {len(self.signatures)} signatures; it has 1 to {MAX_SIGNATURES}")

    def add(self, lines: Iterable[SignatureLine]) -> Note:
        """This note with more lines; a line of a key that has one already takes its place."""
        kept = {(line.name, line.key_id): line for line in (*self.signatures, *lines)}
        return Note(self.text, tuple(kept.values()))


def format_signature_line(line: SignatureLine) -> str:
    """The line, ended."""
    return f"{DASH} {line.name} {encode_base64(line.key_id + line.blob)}\n"


def parse_signature_line(text: str) -> SignatureLine:
    """A signature line, with its end."""
    parts = text.split(" ")
    if len(parts) != 3 or parts[0] != DASH or not parts[2].endswith("\n"):
        raise NoteError("a signature line is not a dash, a name and base64")
    data = decode_base64(parts[2][:-1], "a signature")
    return SignatureLine(parts[1], data[:4], data[4:])


def parse_signature_lines(data: str | bytes) -> tuple[SignatureLine, ...]:
    """One or more signature lines and nothing else, such as a witness answers."""
    text = decode_text(data)
    if not text.endswith("\n"):
        raise NoteError("the last signature line does not end")
    lines = text[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"{len(lines)} signature lines; a note has at most {MAX_SIGNATURES}")
    return tuple(parse_signature_line(line + "\n") for line in lines)


def format_note(note: Note) -> str:
    """The signed note; NoteError if it is larger than a note may be."""
    text = f"{note.text}\n{''.join(map(format_signature_line, note.signatures))}"
    if len(_utf8(text)) > MAX_NOTE_BYTES:
        raise NoteError(f"the note has more than {MAX_NOTE_BYTES} bytes")
    return text


def parse_note(data: str | bytes) -> Note:
    """The note that these bytes, or this text, are. No signature has been checked."""
    whole = decode_text(data)
    at = whole.rfind("\n\n")
    if at < 0:
        raise NoteError("a note without the empty line before its signatures")
    return Note(whole[: at + 1], parse_signature_lines(whole[at + 2 :]))


def decode_text(data: str | bytes, limit: int = MAX_NOTE_BYTES) -> str:
    """The text of UTF-8 bytes, or a text as it is; NoteError beyond the limit in bytes."""
    raw = _utf8(data) if isinstance(data, str) else data
    if len(raw) > limit:
        raise NoteError(f"{len(raw)} bytes where at most {limit} are allowed")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise NoteError("bytes that are not UTF-8") from error


# --- keys --------------------------------------------------------------------------------------------------------


def key_id(name: str, public: bytes, kind: int = ED25519) -> bytes:
    """The 4 bytes by which a signature line names a key of this type."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and an Ed25519 public key, for plain signatures (kind 0x01) or cosignatures (0x04)."""

    name: str
    public: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.kind not in (ED25519, COSIGNATURE) or len(self.public) != 32:
            raise NoteError(f"the verifier key of {self.name} is not an Ed25519 key of type 0x01 or 0x04")

    @property
    def key_id(self) -> bytes:
        """The 4 bytes by which lines name it."""
        return key_id(self.name, self.public, self.kind)


def format_vkey(key: VerifierKey) -> str:
    """The verifier key as one word: name+id+key."""
    return f"{key.name}+{key.key_id.hex()}+{encode_base64(bytes([key.kind]) + key.public)}"


def parse_vkey(text: str) -> VerifierKey:
    """The verifier key that a word is; its id must be the right one."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise NoteError("a verifier key is not a name, an id and a key with a plus between")
    data = decode_base64(parts[2], "a verifier key")
    key = VerifierKey(parts[0], data[1:], data[0] if data else 0)
    if key.key_id.hex() != parts[1]:
        raise NoteError(f"the verifier key of {key.name} has another id than its name and key give")
    return key


# --- signatures --------------------------------------------------------------------------------------------------


def sign_text(text: str, name: str, key: Signer) -> SignatureLine:
    """A plain Ed25519 signature of a text."""
    _check_text(text)
    return SignatureLine(name, key_id(name, key.public), key.sign(_utf8(text)))


def check_signature(line: SignatureLine, name: str, public: bytes, text: str) -> None:
    """NoteError unless the line is a genuine signature of this text by this key."""
    _check_line(line, VerifierKey(name, public))
    if not verify(public, _utf8(text), line.blob):
        raise NoteError(f"the signature of {name} on the note is not genuine")


def cosign(key: Signer, name: str, text: str, time_s: int) -> SignatureLine:
    """A cosignature of a checkpoint's text, dated in seconds since 1970."""
    parse_checkpoint(text)
    if not 1 <= time_s <= MAX_TIME_S:
        raise NoteError("a cosignature needs the time at which it is made")
    signature = key.sign(_cosigned(text, time_s))
    return SignatureLine(name, key_id(name, key.public, COSIGNATURE), time_s.to_bytes(8, "big") + signature)


def check_cosignature(line: SignatureLine, name: str, public: bytes, text: str) -> int:
    """The time in seconds of a genuine cosignature of this text by this key; NoteError if it is none."""
    _check_line(line, VerifierKey(name, public, COSIGNATURE))
    time_s = int.from_bytes(line.blob[:8], "big")
    if time_s > MAX_TIME_S or not verify(public, _cosigned(text, time_s), line.blob[8:]):
        raise NoteError(f"the cosignature of {name} on the checkpoint is not genuine")
    return time_s


def _cosigned(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n".encode() + _utf8(text)


def _check_line(line: SignatureLine, key: VerifierKey) -> None:
    if (line.name, line.key_id) != (key.name, key.key_id):
        raise NoteError(f"a signature line that is not of the key of {key.name}")


def lines_of(note: Note, key: VerifierKey) -> list[SignatureLine]:
    """The lines that claim to be of this key."""
    return [line for line in note.signatures if (line.name, line.key_id) == (key.name, key.key_id)]


def check_note(note: Note, name: str, public: bytes) -> None:
    """NoteError unless the key has signed the note, every line of that key genuine."""
    lines = lines_of(note, VerifierKey(name, public))
    if not lines:
        raise NoteError(f"the note has no signature of {name}")
    for line in lines:
        check_signature(line, name, public, note.text)


def cosigned_s(note: Note, name: str, public: bytes) -> int | None:
    """When this key last cosigned the note, in seconds; None if it has not; NoteError if a line of it is not genuine."""
    lines = lines_of(note, VerifierKey(name, public, COSIGNATURE))
    return max((check_cosignature(line, name, public, note.text) for line in lines), default=None)


# --- checkpoints -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its name, how many entries, the root over them, and lines that we only carry."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(line and "\n" not in line for line in (self.origin, *self.extensions)):
            raise NoteError("a checkpoint has an empty line or one of two")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise NoteError("a checkpoint without a size up to 2^53−1 and a root of 32 bytes")


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """The text that is signed."""
    lines = (checkpoint.origin, str(checkpoint.size), encode_base64(checkpoint.root), *checkpoint.extensions)
    text = "".join(f"{line}\n" for line in lines)
    _check_text(text)
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text is."""
    _check_text(text)
    lines = text[:-1].split("\n")
    if len(lines) < 3:
        raise NoteError("a checkpoint with fewer than three lines")
    size, root = decode_size(lines[1], "a checkpoint's size"), decode_hash(lines[2], "a checkpoint's root")
    return Checkpoint(lines[0], size, root, tuple(lines[3:]))


def sign(checkpoint: Checkpoint, name: str, key: Signer) -> str:
    """The checkpoint as a signed note; logs sign under their origin as name."""
    text = format_checkpoint(checkpoint)
    return format_note(Note(text, (sign_text(text, name, key),)))


def check_checkpoint(note: Note, origin: str, public: bytes) -> Checkpoint:
    """The checkpoint that a note is, of the log with this origin, signed by this key under that name; else NoteError."""
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise NoteError("the checkpoint is of another log than the one asked for")
    check_note(note, origin, public)
    return checkpoint


def open_checkpoint(data: str | bytes, origin: str, public: bytes) -> tuple[Checkpoint, Note]:
    """The checkpoint and the whole note that it came in, parsed and checked as by `check_checkpoint`."""
    note = parse_note(data)
    return check_checkpoint(note, origin, public), note
