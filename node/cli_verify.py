"""`verify FILE`: check a receipt or evidence of a fork, offline, with nothing but the file. Needs no data folder.

Exit code 0: it holds; 1: it does not, and why; 2: it is neither, or cannot be read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from node.cli_desk import AsJson, facts, moment, show
from protocol import body as bodies
from protocol import evidence, receipt, tlogproof
from protocol.evidence import EvidenceError
from protocol.judge import to_body
from protocol.keychain import KeyChainError, parse_space, space_name
from protocol.practice import Refused
from protocol.practices import KINDS
from protocol.receipt import Checked, ReceiptError

MOST_BYTES = 2 * 1024 * 1024


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verb."""
    app.command("verify")(verify)


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A receipt, or evidence of a fork; - reads standard input.")],
    space: Annotated[str, typer.Option("--space", metavar="ID", help="The space it has to be of.")] = "",
    as_json: AsJson = False,
) -> None:
    """Check a receipt or evidence of a fork, offline."""
    data = _read(file)
    wanted = _space(space)
    try:
        if data.startswith(tlogproof.PREFIX.encode()):
            told, words = _receipt(receipt.check(data), wanted)
        elif evidence.is_evidence(data):
            told, words = _fork(evidence.check(data), wanted)
        else:
            raise typer.BadParameter("this is neither a receipt nor evidence of a fork.", param_hint="FILE")
    except (ReceiptError, EvidenceError) as error:
        sentence = f"It does not hold. {error}"
        show({"holds": False, "why": str(error)}, as_json=as_json, words=lambda console: console.print(sentence))
        raise typer.Exit(1) from error
    show(told, as_json=as_json, words=words)


def _read(file: str) -> bytes:
    try:
        data = sys.stdin.buffer.read(MOST_BYTES) if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read ({error.strerror}).", param_hint="FILE") from error
    if len(data) >= MOST_BYTES:
        raise typer.BadParameter("it is larger than a receipt can be.", param_hint="FILE")
    return data


def _space(given: str) -> bytes:
    try:
        return parse_space(given) if given else b""
    except KeyChainError as error:
        raise typer.BadParameter(str(error), param_hint="--space") from error


def _receipt(found: Checked, wanted: bytes) -> tuple[dict[str, Any], Any]:
    if wanted and found.space != wanted:
        raise ReceiptError(f"It is of {space_name(found.space)}, not of the space that was asked for.")
    told = {
        "holds": True,
        "what": "receipt",
        "space": space_name(found.space),
        "name": found.name,
        "epoch": found.epoch,
        "position": found.index,
        "size": found.size,
        "root": found.root.hex(),
        "logged_ms": found.logged_ms,
        "digest": found.digest.hex(),
        "kind": found.kind,
        "author": found.author.hex(),
        "body": _body(found),
        "cosigned_by": [
            {"space": space_name(each.space), "name": each.name, "as": each.role, "time_s": each.time_s}
            for each in found.cosigners
        ],
        "not_verified": list(found.unverified),
    }

    def words(console: Console) -> None:
        kind = KINDS.get(found.kind)
        console.print("This receipt holds.", style="bold")
        pairs = [
            ("Record", kind.title if kind else found.kind),
            ("Space", f"{found.name}, {space_name(found.space)}"),
            ("Place", f"entry {found.index} of a log with {found.size}, since {moment(found.logged_ms)} UTC"),
            ("Signed by", found.author.hex()),
            ("Digest", found.digest.hex()),
        ]
        seen = [f"{each.name} as {each.role}, {moment(each.time_s * 1000)} UTC" for each in found.cosigners]
        pairs += [("Seen by", each) for each in seen] or [("Seen by", "nobody else yet, as far as this receipt says")]
        pairs += [("Not verified", f"{each}: its keys are not in this receipt") for each in found.unverified]
        facts(console, pairs)
        if isinstance(told["body"], dict):
            console.print()
            facts(console, [(name, _plain(value)) for name, value in told["body"].items() if value not in (None, "", [])])
        console.print(
            "\nThe id is the hash of the space's founding record: compare it with the id that you know that space by.",
            markup=False,
        )

    return told, words


def _body(found: Checked) -> Any:
    kind = KINDS.get(found.kind)
    try:
        return bodies.to_json(to_body(kind, found.body, found.words)) if kind else None
    except Refused:
        return None


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_plain, value))
    return "  ".join(f"{name} {_plain(each)}" for name, each in value.items()) if isinstance(value, dict) else str(value)


def _fork(found: evidence.Fork, wanted: bytes) -> tuple[dict[str, Any], Any]:
    if wanted and found.space != wanted:
        raise EvidenceError(f"It is about {space_name(found.space)}, not about the space that was asked for.")
    told = {
        "holds": True,
        "what": "fork",
        "space": space_name(found.space),
        "name": found.name,
        "epoch": found.epoch,
        "sizes": list(found.sizes),
        "roots": [root.hex() for root in found.roots],
    }
    return told, lambda console: console.print(f"This evidence holds: {found}")
