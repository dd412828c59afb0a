"""Golden verdicts: for every kind a few small logs, and what each record in them changes or why it does not.

A released kind's rule never changes; these files hold it. They are language-neutral (`tests/vectors/golden/README.md`), so
another implementation can be held against them too.

    python -m tests.laws.golden                      writes the files of kinds that have none
    python -m tests.laws.golden --renew KIND ...     writes them anew: only while a kind is not released

Each log is cut down to the records that the last one needs for its verdict; behind one that holds comes one out of form.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from protocol.judge import Stored, Verdict
from protocol.practice import Change, Kind, Patch, Put, Value
from protocol.practices import KINDS, PRACTICES
from protocol.record import parse
from tests.laws.examples import EXAMPLES
from tests.laws.memory import Memory
from tests.laws.mutants import rewritten
from tests.laws.world import Isle, Registry, World

FOLDER = Path(__file__).parents[1] / "vectors" / "golden"
GOOD, BAD = 3, 4  # cases a kind
SEEDS = range(100, 108)
Case = dict[str, Any]


def path_of(kind: str) -> Path:
    """Where a kind's file is."""
    return FOLDER / f"{kind.replace('/', '-')}.json"


def judged(space: bytes, log: list[Stored], kinds: Mapping[str, Kind[Any]] = KINDS) -> list[Verdict]:
    """What each record of a log changes, from nothing."""
    store = Memory()
    number = store.meet(space)
    store.fold(number, kinds)
    verdicts = []
    for stored in log:
        verdict = store.judge(number, stored, kinds)
        store.keep(number, stored, verdict)
        verdicts.append(verdict)
    return verdicts


# To and from the files


def plain(value: Value) -> Any:
    """A value as JSON: bytes are an object with their hexadecimal digits."""
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def spoken(change: Change) -> dict[str, Any]:
    """A change as JSON; the column `space` is each store's own number and left out."""
    if isinstance(change, Put):
        names = change.row.__struct_fields__[1:]
        return {"put": change.table.name, "row": {name: plain(getattr(change.row, name)) for name in names}}
    key = [plain(part) for part in change.key]
    if isinstance(change, Patch):
        return {
            "patch": change.table.name,
            "key": key,
            "set": {name: plain(value) for name, value in sorted(change.columns.items())},
        }
    return {"drop": change.table.name, "key": key}


def told(verdict: Verdict, kind: str) -> dict[str, Any]:
    """A verdict as JSON; what records of other kinds change is left to their own files.

    The sentence of a refusal is for people and may be worded anew; that it is refused may not.
    """
    if verdict.refused:
        return {"audience": verdict.audience, "refused": verdict.refused}
    if verdict.kind != kind:
        return {"audience": verdict.audience}
    return {"audience": verdict.audience, "changes": [spoken(change) for change in verdict.changes]}


def entry(stored: Stored, verdict: Verdict, kind: str) -> dict[str, Any]:
    """One entry of a log with its verdict, as JSON."""
    return {
        "kind": parse(stored.raw).kind,
        "flag": stored.flag,
        "logged": stored.logged_ms // 60_000,
        "record": stored.raw.hex(),
        "annex": stored.annex.hex() if stored.annex else None,
        "verdict": told(verdict, kind),
    }


def read(case: Case) -> tuple[bytes, list[Stored], list[dict[str, Any]]]:
    """(space, log, verdicts as they were) of a case in a file."""
    log = []
    for position, each in enumerate(case["log"]):
        raw = bytes.fromhex(each["record"])
        annex = bytes.fromhex(each["annex"]) if each["annex"] else None
        log.append(Stored(position, each["flag"], each["logged"] * 60_000, parse(raw).digest, raw, annex))
    return bytes.fromhex(case["space"]), log, [each["verdict"] for each in case["log"]]


# Making them


def _positioned(log: list[Stored]) -> list[Stored]:
    return [replace(stored, position=position) for position, stored in enumerate(log)]


def _outcome(verdict: Verdict) -> Any:
    """What a record does, without the particulars: which tables it changes how, or for what sort of reason it does not."""
    if verdict.refused:
        return re.sub(r"[\d:-]+|\(.*", "", verdict.refused)
    return frozenset((type(change).__name__, change.table.name) for change in verdict.changes)


def _cut_down(space: bytes, log: list[Stored]) -> list[Stored]:
    """The fewest records with which the last one has the same outcome."""
    wanted = _outcome(judged(space, _positioned(log))[-1])
    for at in range(len(log) - 2, 0, -1):
        shorter = _positioned(log[:at] + log[at + 1 :])
        if _outcome(judged(space, shorter)[-1]) == wanted:
            log = shorter
    return _positioned(log)


def _out_of_form(world: World, isle: Isle, log: list[Stored]) -> list[Stored]:
    """One wrong variant of the last record, if one is found."""
    for number in range(60):
        wrong = rewritten(world, isle, log[-1], parse(log[-1].raw).at_ms + 1 + number)
        wrong = replace(wrong, position=len(log), logged_ms=log[-1].logged_ms)
        if judged(isle.id, [*log, wrong])[-1].refused.startswith("Not in form"):
            return [wrong]
    return []


@lru_cache(maxsize=16)
def lived(seed: int) -> World:
    """A history to take logs from."""
    world = World(Registry(PRACTICES), EXAMPLES, seed)
    world.live(250)
    return world


def cases(kind: str) -> list[Case]:
    """A few logs in which a record of this kind has effects of different shapes, and a few in which it has none."""
    good: dict[Any, Case] = {}
    bad: dict[Any, Case] = {}
    for seed in SEEDS:
        world = lived(seed)
        for isle in world.isles:
            for at, verdict in enumerate(judged(isle.id, isle.log)):
                shape = _outcome(verdict)
                if verdict.kind == kind and not verdict.refused and shape not in good and len(good) < GOOD:
                    log = _cut_down(isle.id, isle.log[: at + 1])
                    good[shape] = _case(isle, [*log, *_out_of_form(world, isle, log)], kind)
        for isle, stored, _ in world.turned_down:
            if parse(stored.raw).kind == kind and len(bad) < BAD:
                log = [*isle.log[: stored.position], stored]
                verdict = judged(isle.id, log)[-1]
                if verdict.refused and _outcome(verdict) not in bad:
                    bad[_outcome(verdict)] = _case(isle, _cut_down(isle.id, log), kind)
    return [*good.values(), *bad.values()]


def _case(isle: Isle, log: list[Stored], kind: str) -> Case:
    return {"space": isle.id.hex(), "log": [entry(*each, kind) for each in zip(log, judged(isle.id, log), strict=True)]}


def write(kind: str) -> None:
    """Write the file of a kind, one entry of a log on a line."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    parts = []
    for case in cases(kind):
        entries = ",\n".join(json.dumps(each, ensure_ascii=False, sort_keys=True) for each in case["log"])
        parts.append(f'{{"space": "{case["space"]}", "log": [\n{entries}\n]}}')
    text = f'{{"kind": "{kind}", "cases": [\n' + ",\n".join(parts) + "\n]}\n"
    path_of(kind).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    renewed = arguments[1:] if arguments[:1] == ["--renew"] else []
    for kind in sorted(KINDS):
        if kind in renewed or not path_of(kind).exists():
            write(kind)
            print(path_of(kind).name)


if __name__ == "__main__":
    main(sys.argv[1:])
