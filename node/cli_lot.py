"""`lot`: draw from a file of names, check a draw, and what a member with a key of their own needs; all that offline.

`lot draw` without a value prints the list with its code: publish both first. With the value that became known later it prints
the draw and its receipt, a program that anybody can run. `lot verify` reads such a receipt, whether from here or from the
page of a lot, without running it; and checks a draw by RFC 3797.

Exit code 0: it holds; 1: it does not, and why; 2: it cannot be read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from node import lot_file
from node.cli_ask import do
from node.cli_desk import AsJson, facts, folder, grid, moment, note, show, silent
from node.clock import Clock
from node.failure import CommandError, Misuse
from node.lot_file import spoken
from protocol import lot as draws
from protocol.lot import Draw, Inputs

MOST_BYTES = 4 * 1024 * 1024
Output = Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write the receipt into a new file.")]


def register(app: typer.Typer, args: Sequence[str]) -> None:
    """Add the verbs."""
    group = typer.Typer(no_args_is_help=True, help="Draws by lot that anybody can check, also offline.")
    group.command("draw")(draw)
    group.command("verify")(verify)
    group.command("promise")(promise)
    group.command("list")(listed)
    group.command("receipt")(receipt)
    app.add_typer(group, name="lot")


def draw(
    file: Annotated[str, typer.Argument(metavar="FILE", help="One name a line; a group behind a semicolon. - is stdin.")],
    randomness: Annotated[
        str, typer.Option("--randomness", metavar="VALUE", help="The public value; without it, what to publish first.")
    ] = "",
    seats: Annotated[int, typer.Option("--seats", metavar="N", help="How many are drawn.")] = 1,
    quota: Annotated[
        list[str] | None, typer.Option("--quota", metavar="GROUP:LEAST[:MOST]", help="Seats of a group; may be repeated.")
    ] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Draw from a list of names by a public value."""
    names = lot_file.read_list(_read(file))
    if not names.names:
        raise Misuse("FILE: nobody is on the list. Write one name a line.")
    inputs = lot_file.inputs_of(names, seats, lot_file.read_quotas(quota or []), draws.plain(randomness))
    numbered = [{"number": number, "name": spoken(who)} for number, who in enumerate(inputs.people, 1)]
    if not inputs.public:
        told = {"code": inputs.code.hex(), "seats": seats, "people": numbered}
        show(told, as_json=as_json, words=lambda console: _to_publish(console, inputs))
        return
    drawn = inputs.draw()
    program = draws.script(inputs, drawn.drawn)
    if output is not None:
        _write(output, program)
    told = {"code": inputs.code.hex(), "people": numbered, **_told(inputs, drawn), "receipt": program}

    def words(console: Console) -> None:
        _result(console, inputs, drawn)
        if output is None:
            print(f"\n{program}", end="")
        else:
            note(f"{output} is the receipt. Check it with: archipelago lot verify {output}")

    show(told, as_json=as_json, words=words)


def verify(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="A receipt; with --rfc3797: names seeds results.")],
    rfc3797: Annotated[bool, typer.Option("--rfc3797", help="Check a draw of the IETF.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a draw, offline. Nothing in the files is run."""
    if rfc3797:
        _verify_rfc3797(files, as_json=as_json)
        return
    if len(files) != 1:
        raise Misuse("FILE: give one receipt. For names, seeds and results add --rfc3797.")
    try:
        inputs, numbers = draws.read_script(_read(files[0]))
    except ValueError as error:
        raise Misuse(f"FILE: this is not the receipt of a draw ({error}).") from error
    drawn = inputs.draw()
    why = ""
    if inputs.broken():
        why = f"{spoken(inputs.broken()[0])} revealed another value than the one committed to."
    elif not lot_file.is_bound(inputs):
        why = (
            "Its code is not that of this list, its seats and its quotas, so it was not published before the chance was known."
        )
    elif inputs.numbers(drawn.drawn) != numbers:
        why = "The draw comes out otherwise than it was published."
    told = {"holds": not why, "why": why, **_told(inputs, drawn)}

    def words(console: Console) -> None:
        console.print(f"It does not hold. {why}" if why else "This draw holds: it comes out as it was published.", style="bold")
        _result(console, inputs, drawn)

    show(told, as_json=as_json, words=words)
    if why:
        raise typer.Exit(1)


def promise(
    lot: Annotated[str, typer.Argument(metavar="LOT", help="The lot, 64 hexadecimal digits.")],
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Your first key, 64 hexadecimal digits.")],
    value: Annotated[
        str, typer.Option("--value", metavar="HEX", help="32 bytes of your own, such as from dice; else they are made here.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a commitment with a value of your own, for a key that no node keeps."""
    about, who = (_bytes(text, name) for text, name in ((lot, "LOT"), (member, "MEMBER")))
    own = _bytes(value, "--value") if value else Clock().random(32)
    told = {"value": own.hex(), "commitment": draws.commitment(about, who, own).hex()}

    def words(console: Console) -> None:
        facts(console, [("Commitment", told["commitment"]), ("Value", told["value"])])
        note("Give the commitment now. Keep the value to yourself until it is time to reveal it; it cannot be made again.")

    show(told, as_json=as_json, words=words)


def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """List the lots of this space, the newest first."""
    told = do(folder(context), "lot.list", {}, silent)
    rows = [
        (f"for {each['for']}", each["phase"], ", ".join(each["seated"]), moment(each["opened_ms"]), each["lot"])
        for each in told
    ]
    columns = ["Lot", "Phase", "Has the seat", "Opened (UTC)", "Id"]
    show(told, as_json=as_json, words=lambda console: grid(console, columns, rows, "No lot was opened yet."))


def receipt(
    context: typer.Context,
    lot: Annotated[str, typer.Argument(metavar="LOT", help="Its id; lot list shows them.")],
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Give the program that works a draw of this space out again."""
    text = do(folder(context), "lot.receipt", {"lot": lot}, silent)
    if output is not None:
        _write(output, text)
    show({"lot": lot, "receipt": text}, as_json=as_json, words=lambda console: print("" if output else text, end=""))


# Words


def _told(inputs: Inputs, drawn: Draw) -> dict[str, Any]:
    return {
        "seats": inputs.seats,
        "randomness": inputs.chance().hex(),
        "order": [spoken(label) for label in drawn.order],
        "chosen": [spoken(label) for label in drawn.chosen],
        "passed_over": [{"who": spoken(skip.label), "why": draws.reason(skip)} for skip in drawn.skipped],
        "substitutes": [spoken(label) for label in drawn.substitutes],
        "missing": [spoken(member) for member, _, value in inputs.parts if not value],
    }


def _to_publish(console: Console, inputs: Inputs) -> None:
    grid(console, ("No.", "Name", "Group"), _numbered(inputs), "")
    facts(console, [("Seats", inputs.seats), *_quotas(inputs), ("Code", inputs.code.hex())])
    console.print(
        "\nPublish this, and which public value will decide, before anybody can know it. Then draw with --randomness."
    )


def _numbered(inputs: Inputs) -> list[tuple[int, str, str]]:
    return [(number, spoken(who), inputs.groups.get(who, "")) for number, who in enumerate(inputs.people, 1)]


def _quotas(inputs: Inputs) -> list[tuple[str, str]]:
    return [("Quota", f"{quota.group}: at least {quota.least}, at most {quota.most or 'no limit'}") for quota in inputs.quotas]


def _result(console: Console, inputs: Inputs, drawn: Draw) -> None:
    chance = inputs.public or f"{sum(bool(value) for _, _, value in inputs.parts)} of {len(inputs.parts)} parts revealed"
    facts(console, [("Code", inputs.code.hex()), ("Chance", chance), *_quotas(inputs)])
    number = {who: at for at, who in enumerate(inputs.people, 1)}
    rows = [(f"seat {at}", number[who], spoken(who)) for at, who in enumerate(drawn.chosen, 1)]
    rows += [(f"substitute {at}", number[who], spoken(who)) for at, who in enumerate(drawn.substitutes, 1)]
    console.print()
    grid(console, ("Drawn as", "No.", "Name"), rows, "Nobody was on the list.")
    for skip in drawn.skipped:
        console.print(f"Passed over: {spoken(skip.label)}, because {draws.reason(skip)}.")


# RFC 3797


def _verify_rfc3797(files: Sequence[str], *, as_json: bool) -> None:
    if len(files) not in (2, 3):
        raise Misuse("FILE: with --rfc3797 give a file of names, one of seeds, and one of results, if there is one.")
    names = lot_file.read_list(_read(files[0])).names
    if not names:
        raise Misuse("Names: nobody is on the list. Write one name a line.")
    sources = lot_file.read_seeds(_read(files[1]))
    if not sources:
        raise Misuse("Seeds: there is no source of randomness in this file.")
    drawn = lot_file.picks(names, sources)
    results = lot_file.read_results(_read(files[2])) if len(files) == 3 else ()
    if len(files) == 3 and not results:
        raise Misuse("Results: there is no line of results in this file.")
    why = lot_file.contradiction(names, drawn, results)
    told = {
        "holds": not why if results else None,
        "why": why,
        "key": draws.seed_string(sources).decode(),
        "checked": len(results),
        "order": [
            {"rank": rank, "number": pick.number, "name": names[pick.number - 1], "md5": pick.digest.hex().upper()}
            for rank, pick in enumerate(drawn, 1)
        ],
    }

    def words(console: Console) -> None:
        if results:
            good = f"These results hold: all {len(results)} ranks are as the seeds give them."
            console.print(f"It does not hold. {why}" if why else good, style="bold")
        rows = [(rank, pick.number, names[pick.number - 1]) for rank, pick in enumerate(drawn, 1)]
        grid(console, ("Rank", "No.", "Name"), rows, "Nobody was on the list.")

    show(told, as_json=as_json, words=words)
    if why:
        raise typer.Exit(1)


# Files


def _read(file: str) -> str:
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MOST_BYTES)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(MOST_BYTES)
    except OSError as error:
        raise Misuse(f"FILE: {file} cannot be read ({error.strerror}).") from error
    if len(data) >= MOST_BYTES:
        raise Misuse(f"FILE: {file} is larger than a list of a draw can be.")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Misuse(f"FILE: {file} is not text in UTF-8.") from error


def _write(output: Path, text: str) -> None:
    try:
        with output.open("x", encoding="utf-8", newline="\n") as out:
            out.write(text)
    except OSError as error:
        raise CommandError(f"--output: {output} cannot be written ({error.strerror}). Choose a new name.") from error


def _bytes(text: str, name: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise Misuse(f"{name}: 64 hexadecimal digits are needed.")
    return found
