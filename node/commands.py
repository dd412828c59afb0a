"""Every verb of the command line that works on an opened data folder, by name.

`Verb.run` takes a `Home`, a way to say how far it is, and plain values; it gives back what `--json` prints. It runs in the
command's own process, or in a running node's on the thread that `where` names: verbs that submit on the writing
thread, verbs that look at tables on the reading thread, long ones that take care of themselves on one of their own.

Example::

    VERBS["status"].run(home, say, {})
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from msgspec import Struct

from node import commands_campaign, commands_lot, commands_member, commands_record
from node.backup import backup, warning
from node.clock import MovedClock
from node.commands_today import today_text
from node.control import Say
from node.export import export
from node.failure import Misuse
from node.home import Home
from node.notices import Notices
from protocol.keychain import space_name

READ, WRITE, APART = "read", "write", "apart"


class Verb(Struct, frozen=True):
    """What does a verb's work, and on which thread of a running node."""

    run: Callable[[Home, Say, Mapping[str, Any]], Any]
    where: str = READ


def _quietly(work: Callable[..., Any]) -> Callable[[Home, Say, Mapping[str, Any]], Any]:
    """A verb that is done at once and has nothing to say meanwhile."""
    return lambda home, say, args: work(home, **args)


def status(home: Home) -> dict[str, Any]:
    """How this node stands."""
    told = home.status()
    told["clock_ran_ms"] = Notices(home.store.database).ran_ms()
    told["warnings"] += [sentence for sentence in (warning(home),) if sentence]
    return told


def heads(home: Home) -> dict[str, Any]:
    """The newest signed heads of all logs held here, and who has cosigned ours."""
    log = home.log
    told = [
        {"space": space_name(each.space), "size": each.head_size, "root": each.head_root.hex()}
        for each in home.store.logs()
        if each.head
    ]
    cosigned = [
        {"by": each.name.rpartition("/")[0], "as": each.name.rpartition("/")[2], "size": each.size, "time_s": each.time_s}
        for each in home.store.cosignatures(home.space)
    ]
    return {"size": log.head_size, "heads": told, "cosignatures": cosigned}


def fingerprints(home: Home) -> dict[str, str]:
    """A hash over every row of each read table, in the order of keys."""
    told = {}
    with home.store.database.lock:
        home.store.tables.flush()
        keyed = {table.name: ("space", *table.key) for table in home.store.read_tables}
        for name, keys in {**keyed, "digest": ("prefix", "id")}.items():
            seen = sha256()
            for row in home.store.db.execute(f"SELECT * FROM {name} ORDER BY {', '.join(keys)}"):
                seen.update(repr(row).encode())
            told[name] = seen.hexdigest()
    return told


def rebuild(home: Home, say: Say, args: Mapping[str, Any]) -> dict[str, Any]:
    """Drop every read table, replay the logs, and say whether the tables are the same as before."""
    before, began = fingerprints(home), time.monotonic()
    logs = home.store.logs()
    whole, done = sum(log.judged for log in logs), 0
    for log in logs:
        home.store.refold(log.space)
        done += log.judged
        say("progress", {"done": done, "of": whole})
    seconds = time.monotonic() - began
    after = fingerprints(home)
    changed = sorted(name for name in after if after[name] != before.get(name))
    return {"records": whole, "seconds": round(seconds, 3), "same": not changed, "changed": changed, "tables": after}


def move_clock(home: Home, *, by_ms: int) -> dict[str, int]:
    """Set the clock ahead on a node that was started with one that can be moved: in the demo, and in tests."""
    if not isinstance(home.clock, MovedClock):
        raise Misuse("This node goes by its machine's clock, which no command moves. The demo's clocks can be moved.")
    if by_ms < 0:
        raise Misuse("A clock is set ahead only: give a time that is not negative.")
    home.clock.move(by_ms)
    return {"now_ms": home.clock.now_ms()}


VERBS: dict[str, Verb] = {
    "status": Verb(_quietly(status)),
    "today": Verb(_quietly(today_text)),
    "record.add": Verb(_quietly(commands_record.add), WRITE),
    "record.add-many": Verb(_quietly(commands_record.add_many), WRITE),
    "record.show": Verb(_quietly(commands_record.show)),
    "receipt": Verb(_quietly(commands_record.receipt), WRITE),
    "log.show": Verb(_quietly(commands_record.log)),
    "campaign.list": Verb(_quietly(commands_campaign.campaigns)),
    "lot.list": Verb(_quietly(commands_lot.lots)),
    "lot.receipt": Verb(_quietly(commands_lot.program)),
    "heads": Verb(_quietly(heads)),
    "invite": Verb(_quietly(commands_member.invite), WRITE),
    "join": Verb(_quietly(commands_member.join), WRITE),
    "password": Verb(_quietly(commands_member.give_login), APART),
    "clock.move": Verb(_quietly(move_clock), WRITE),
    "rebuild": Verb(rebuild, WRITE),
    "export": Verb(export, APART),
    "backup": Verb(backup, APART),
}


def perform(home: Home, verb: str, args: Mapping[str, Any], say: Say) -> Any:
    """Do a verb's work here."""
    found = VERBS.get(verb)
    if found is None:
        raise Misuse(f"This node knows no verb “{verb}”. Is the command of another release than the node? Use the same.")
    return found.run(home, say, args)
