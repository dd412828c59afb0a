"""The project's own vectors: examples of every format, byte by byte, in files that any language can read.

``python -m tests.protocol.make_vectors`` writes `tests/vectors/*.json` anew. That is only right where a format has a new
version: the files are what other implementations were built against. `test_vectors.py` holds our code and the second decoder
to them. Bytes are hexadecimal; within a value they are ``{"hex": "…"}``. Every key is the Ed25519 key of a seed that is one
byte, 32 times, and is told by that byte.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from protocol import encoding, evidence, keychain, receipt, record, summary
from protocol.entry import Entry
from protocol.keychain import FOUNDED, ROTATED, KeyChain, origin, space_name
from protocol.keys import PURPOSES, NodeKeys, SigningKey, derive
from protocol.note import Checkpoint, cosign, format_signature_line, parse_note, sign
from protocol.record import Sealed
from protocol.summary import Summary
from protocol.tree import Edge, EdgeReader, NoTiles, grow, prove_consistency, prove_inclusion, root_at

FOLDER = Path(__file__).parents[1] / "vectors"
AT_MS = 1_772_000_000_000
LOGGED = AT_MS // 60_000
RANDOM = bytes(range(32))
ROOT, NEXT, AFTER, MEMBER, NODE, TURNED, WITNESS_ROOT, WITNESS_NODE = range(1, 9)  # seeds


def key(seed: int) -> SigningKey:
    """The key of a seed that is this byte, 32 times."""
    return SigningKey(bytes([seed]) * 32)


def plain(value: Any) -> Any:
    """A value as JSON, bytes as {"hex": …}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def unplain(value: Any) -> Any:
    """The value behind its JSON."""
    if isinstance(value, dict):
        if set(value) == {"hex"}:
            return bytes.fromhex(value["hex"])
        return {name: unplain(each) for name, each in value.items()}
    return [unplain(each) for each in value] if isinstance(value, list) else value


# --- the formats, one after the other ----------------------------------------------------------------------------

REFUSED_ENCODINGS = {
    "": "nothing",
    "0000": "two values",
    "1800": "an integer in a longer form than it needs",
    "1b0020000000000000": "an integer beyond 2^53 - 1",
    "3b001fffffffffffff": "an integer below -(2^53 - 1)",
    "5800": "a length in a longer form than it needs",
    "61ff": "text that is not UTF-8",
    "9fff": "an indefinite length",
    "a2616201616101": "keys out of order",
    "a2616101616102": "a key twice",
    "a10101": "a key that is not text",
    "c11a514b67b0": "a tag",
    "f7": "a simple value other than false, true and null",
    "f93c00": "a float",
    "8181818181818181818181818181818181" + "00": "seventeen containers within each other",
}


def of_encoding() -> dict[str, Any]:
    values: list[Any] = [
        0, 23, 24, 255, 256, 65_535, 65_536, 2**32, 2**53 - 1, -1, -24, -25, -(2**53 - 1), False, True, None, b"", b"\x01\x02\x03",
        "", "isle", "ü水𐍈", [], [1, [2, [3]]], {}, {"b": 1, "a": [True, None, b"x"], "aa": "longer keys come later"},
    ]  # fmt: skip
    refused = [{"hex": data, "why": why} for data, why in REFUSED_ENCODINGS.items()]
    return {"accepted": [{"value": plain(value), "hex": encoding.encode(value).hex()} for value in values], "refused": refused}


def of_keys() -> dict[str, Any]:
    seed = bytes(range(32))
    derived = {purpose: derive(seed, purpose) for purpose in PURPOSES}
    message = b"archipelago"
    return {
        "derived": {
            "seed": seed.hex(),
            "keys": {purpose: {"seed": each.seed.hex(), "public": each.public.hex()} for purpose, each in derived.items()},
        },
        "signature": {
            "seed": (bytes([ROOT]) * 32).hex(),
            "public": key(ROOT).public.hex(),
            "message": message.hex(),
            "signature": key(ROOT).sign(message).hex(),
        },
        "no_keys": [
            {"public": "01" + "00" * 31, "why": "the neutral point"},
            {"public": "00" * 32, "why": "a point of order 4"},
            {"public": "ec" + "ff" * 30 + "7f", "why": "a point of order 2"},
            {"public": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "why": "a point of order 8"},
            {"public": "ee" + "ff" * 30 + "7f", "why": "another spelling of the neutral point"},
            {"public": "02" + "00" * 31, "why": "no point at all"},
        ],
    }


def founding(root: int, next_root: int, node: int, name: str) -> Sealed:
    """A founding record."""
    body = {
        "name": name,
        "founder": key(MEMBER).public,
        "keys": _keys(node),
        "root": key(root).public,
        "next_root": sha256(key(next_root).public).digest(),
        "recovery": sha256(b"recovery").digest(),
    }
    return record.seal(FOUNDED, AT_MS, 0, body, key(root), b"")


def _keys(node: int) -> dict[str, bytes]:
    made: dict[str, bytes] = msgspec.to_builtins(NodeKeys.derive(bytes([node]) * 32).public, builtin_types=(bytes,))
    return made


HOUSE = founding(ROOT, NEXT, NODE, "Harbour House")
SPACE = sha256(HOUSE.raw).digest()
CHAIN = keychain.check([HOUSE.raw])


def sealed(at: int, audience: int | list[bytes], words: dict[str, str] | None = None) -> Sealed:
    """A record of the house's member."""
    return record.seal(
        "note.written/1",
        AT_MS + at,
        audience,
        {"text": f"note {at}", "count": at},
        key(MEMBER),
        SPACE,
        words=words,
        random=RANDOM,
    )


RECORDS: dict[str, tuple[Sealed, dict[str, str]]] = {
    "public": (sealed(1, 0), {}),
    "public with words": (sealed(2, 0, {"words": "said aloud"}), {"words": "said aloud"}),
    "for allies": (sealed(3, 1), {}),
    "for members, with words": (sealed(4, 2, {"words": "said among us"}), {"words": "said among us"}),
    "for two named spaces": (sealed(5, [b"\x22" * 32, b"\x11" * 32]), {}),
}


def of_record() -> dict[str, Any]:
    cases = []
    for name, (each, words) in {"founding": (HOUSE, {}), **RECORDS}.items():
        read = record.parse(each.raw)
        author, payload, signature = record.split(each.raw)
        space = b"" if name == "founding" else SPACE
        cases.append(
            {
                "name": name,
                "space": space.hex(),
                "author": author.hex(),
                "kind": read.kind,
                "at_ms": read.at_ms,
                "audience": plain(read.audience),
                "body": plain(read.body),
                "words": words,
                "nonce": read.nonce.hex(),
                "annex": each.annex.hex() if each.annex else None,
                "payload": payload.hex(),
                "to_be_signed": record.signed(each.raw, space)[1].hex(),
                "signature": signature.hex(),
                "record": each.raw.hex(),
                "digest": read.digest.hex(),
            }
        )
    raw = RECORDS["public"][0].raw
    protected_inside = raw[:41] + b"\xa1\x04\x41\x01" + raw[42:]
    refused = [
        {"record": (raw[:-1] + bytes([raw[-1] ^ 1])).hex(), "space": SPACE.hex(), "why": "the signature is another"},
        {"record": raw.hex(), "space": "", "why": "it was signed for a space"},
        {"record": raw.hex(), "space": "00" * 32, "why": "it was signed for another space"},
        {"record": ("d2" + raw.hex()), "space": SPACE.hex(), "why": "it is tagged"},
        {"record": protected_inside.hex(), "space": SPACE.hex(), "why": "something is unprotected"},
        {"record": (raw + b"\x00").hex(), "space": SPACE.hex(), "why": "a byte behind it"},
    ]
    return {"records": cases, "refused": refused}


def of_entry() -> dict[str, Any]:
    entries = [
        Entry(0, LOGGED, SPACE),
        Entry(1, LOGGED + 1, record.parse(RECORDS["for allies"][0].raw).digest),
        Entry(0, 0, bytes(32)),
    ]
    return {
        "entries": [
            {
                "flag": e.flag,
                "logged": e.logged,
                "digest": e.digest.hex(),
                "entry": e.encode().hex(),
                "leaf_hash": e.leaf_hash().hex(),
            }
            for e in entries
        ],
        "refused": [
            {"entry": "02" + "00" * 36, "why": "an unknown flag"},
            {"entry": "00" * 36, "why": "36 bytes"},
            {"entry": "00" * 38, "why": "38 bytes"},
        ],
    }


def rotation(signer: int, after: int, node: int, epoch: int, size: int, head: bytes) -> bytes:
    """A rotation of the house's keys."""
    body = {
        "epoch": epoch,
        "keys": _keys(node),
        "root": key(signer).public,
        "next_root": sha256(key(after).public).digest(),
        "recovery": sha256(b"recovery").digest(),
        "size": size,
        "head": head,
    }
    return record.seal(ROTATED, AT_MS + 9, 0, body, key(signer), SPACE).raw


def turned() -> KeyChain:
    """The house's key chain after a rotation by its next root."""
    return keychain.check([HOUSE.raw, rotation(NEXT, AFTER, TURNED, 1, 6, tree().edge.root())])


def of_keychain() -> dict[str, Any]:
    first, second = turned().records
    cases = []
    for name, chain in {"founded": CHAIN, "rotated once": turned()}.items():
        epochs = [
            {
                "number": e.number,
                "keys": {purpose: getattr(e.keys, purpose).hex() for purpose in PURPOSES},
                "root": e.root.hex(),
                "size": e.size,
                "head": e.head.hex(),
                "origin": origin(chain.space, e.number),
            }
            for e in chain.epochs
        ]
        cases.append(
            {
                "name": name,
                "records": [each.hex() for each in chain.records],
                "encoded": chain.encode().hex(),
                "space": chain.space.hex(),
                "space_name": space_name(chain.space),
                "founded_as": chain.name,
                "digest": chain.digest.hex(),
                "epochs": epochs,
            }
        )
    stranger = rotation(AFTER, AFTER, TURNED, 1, 6, bytes(32))
    skipped = rotation(NEXT, AFTER, TURNED, 2, 6, bytes(32))
    refused = [
        ([], "no founding record"),
        ([second, first], "another order"),
        ([first, stranger], "a rotation by neither root nor next root"),
        ([first, skipped], "an epoch left out"),
        ([first, first], "two founding records"),
    ]
    return {
        "chains": cases,
        "refused": [{"records": [each.hex() for each in records], "why": why} for records, why in refused],
    }


def entries() -> list[Entry]:
    """The house's log: its founding and the records above."""
    every = [HOUSE, *(each for each, _ in RECORDS.values())]
    return [Entry(int(record.parse(e.raw).audience != 0), LOGGED + n, sha256(e.raw).digest()) for n, e in enumerate(every)]


def tree(last: bytes = b"") -> EdgeReader:
    """The tree of the house's log; `last` makes another history of it."""
    leaves = [entry.leaf_hash() for entry in entries()] + ([sha256(last).digest()] * 2 if last else [])
    if last:
        leaves[3] = sha256(last).digest()
    return EdgeReader(grow(Edge.empty(), leaves)[0], NoTiles())


def head(size: int, root: bytes) -> str:
    """A head signed by the house's log key."""
    name = origin(SPACE, 0)
    return sign(Checkpoint(name, size, root), name, NodeKeys.derive(bytes([NODE]) * 32).log)


def witness() -> KeyChain:
    """The key chain of a space that cosigns."""
    return keychain.check([founding(WITNESS_ROOT, NEXT, WITNESS_NODE, "Lantern House").raw])


def cosigned(note: str) -> str:
    """The head with cosignatures by the other space, as witness and as mirror."""
    keys, text = NodeKeys.derive(bytes([WITNESS_NODE]) * 32), parse_note(note).text
    for role, each in (("witness", keys.witness), ("mirror", keys.mirror)):
        note += format_signature_line(cosign(each, f"{origin(witness().space, 0)}/{role}", text, AT_MS // 1000 + 60))
    return note


def of_summary() -> dict[str, Any]:
    said = Summary(
        SPACE, 0, 6, AT_MS + 60_000, "Harbour House", ("https://harbour.example/",), head(6, tree().edge.root()), CHAIN.digest,
        sha256(b"heads").digest(), sha256(b"rules").digest(), {"residue": {"living": {"food": 2}}},
    )  # fmt: skip
    raw = summary.make(said, NodeKeys.derive(bytes([NODE]) * 32).identity)
    return {
        "summaries": [
            {
                "key_chain": [each.hex() for each in CHAIN.records],
                "payload": plain(msgspec.to_builtins(said, builtin_types=(bytes,))),
                "summary": raw.hex(),
                "digest": summary.digest(raw).hex(),
            }
        ],
        "refused": [
            {
                "summary": summary.make(said, NodeKeys.derive(bytes([NODE]) * 32).log).hex(),
                "key_chain": [CHAIN.records[0].hex()],
                "why": "signed by another key of the node",
            },
            {"summary": raw.hex(), "key_chain": [witness().records[0].hex()], "why": "the key chain is of another space"},
        ],
    }


def of_receipt() -> dict[str, Any]:
    cases = []
    every = {"founding": (HOUSE, {}), **RECORDS}
    for index, (name, (each, words)) in enumerate(every.items()):
        note = cosigned(head(6, tree().edge.root())) if index % 2 else head(6, tree().edge.root())
        hashes = prove_inclusion(index, 6, tree())
        made = receipt.make(entries()[index], each.raw, each.annex, index, hashes, note, CHAIN, [witness()])
        cosigners = dict.fromkeys(("mirror", "witness"), AT_MS // 1000 + 60) if index % 2 else {}
        cases.append(
            {
                "name": name,
                "receipt": receipt.format(made),
                "space": SPACE.hex(),
                "index": index,
                "size": 6,
                "digest": sha256(each.raw).hexdigest(),
                "logged": entries()[index].logged,
                "words": words,
                "cosigned_by": {witness().space.hex(): cosigners} if cosigners else {},
            }
        )
    text = str(cases[1]["receipt"])
    refused = [
        {"receipt": text.replace("index 1", "index 2"), "why": "another place in the log"},
        {"receipt": text.replace("extra ", "extra A", 1), "why": "another extra line"},
    ]
    return {"receipts": cases, "refused": refused}


def of_evidence() -> dict[str, Any]:
    ours, theirs = tree(), tree(b"another history")
    same = evidence.make(CHAIN, head(6, ours.edge.root()), head(6, root_at(6, theirs)))
    proof = prove_consistency(6, 8, theirs)
    larger = evidence.make(CHAIN, head(6, ours.edge.root()), head(8, theirs.edge.root()), proof, root_at(6, theirs))
    parts: Any = encoding.decode(larger, limit=evidence.MAX_EVIDENCE)
    good = encoding.encode([*parts[:2], head(6, root_at(6, theirs)), *parts[3:]])
    return {
        "forks": [
            {"name": "one size", "file": same.hex(), "space": SPACE.hex(), "epoch": 0, "sizes": [6, 6]},
            {"name": "two sizes", "file": larger.hex(), "space": SPACE.hex(), "epoch": 0, "sizes": [6, 8]},
        ],
        "refused": [
            {"file": encoding.encode([*parts[:5], proof[:-1]]).hex(), "why": "a proof that does not verify convicts nobody"},
            {"file": good.hex(), "why": "the larger head goes on from the smaller one"},
        ],
    }


MADE = {
    "encoding": of_encoding,
    "keys": of_keys,
    "record": of_record,
    "entry": of_entry,
    "keychain": of_keychain,
    "summary": of_summary,
    "receipt": of_receipt,
    "evidence": of_evidence,
}


def text_of(name: str) -> str:
    """The file of one format."""
    return json.dumps(MADE[name](), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in MADE:
        (FOLDER / f"{name}.json").write_text(text_of(name))
