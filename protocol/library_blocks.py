"""What the page of the library says: what binds us, what others use, how one protocol came from another.

`page` is the library as a whole; `about` is one protocol with its text, for the page of its record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from protocol import moon
from protocol.keychain import space_name
from protocol.lineage import (
    ADOPTIONS,
    IN_FORCE,
    LONGEST,
    PROTOCOLS,
    RENEWED,
    REPORTS,
    RETIRED,
    SUSPENDED,
    Adoption,
    Protocol,
    adopted,
    all_protocols,
    is_used_by,
    nearest,
    read_choices,
    settings_in_force,
    until_of,
    users,
)
from protocol.membership import title_of
from protocol.page import (
    Action,
    Block,
    Cell,
    Difference,
    Edge,
    Facts,
    Grid,
    Heading,
    Node,
    Prose,
    Ref,
    State,
    Text,
    Tree,
    When,
)
from protocol.practice import Due, View
from protocol.starter import STARTER
from protocol.wording import counted

SHOWN = 5  # protocols that the page sets beside ours at a time, the newest first
OFFERED = 100  # in a summary
LINKED_BYTES = 3000  # of a text that is filled in by a link; a form takes a longer one from the parent itself
TONES = {IN_FORCE: "good", SUSPENDED: "warn"}


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Protocols within a cycle of their fuse, and those that it ended in this cycle."""
    cycle = moon.cycle_at(now_ms)
    begins_ms, ends_ms = moon.cycle_bounds(cycle)
    for row in view.all(ADOPTIONS, order="position"):
        if row.since_ms > now_ms or row.ended_ms <= now_ms:
            continue
        if now_ms < row.until_ms <= ends_ms:
            yield Due(
                f"“{row.name}” ends at its fuse: look how it went, adopt it anew or let it go",
                None,
                begins_ms,
                row.until_ms,
                row.id,
                "A look at how it went; then that you adopt it anew, or let it end.",
            )
        elif begins_ms <= row.until_ms <= now_ms and not _open_again(view, row, now_ms):
            yield Due(
                f"“{row.name}” has ended at its fuse and binds nobody: adopt it anew, or report how it went",
                None,
                row.until_ms,
                ends_ms,
                row.id,
                "That you adopt it anew, or a report on how it went.",
                over=True,
            )


def _open_again(view: View, row: Adoption, now_ms: int) -> bool:
    return any(each.is_open(now_ms) for each in view.all(ADOPTIONS, protocol=row.protocol))


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """How many protocols bind us, from where, and how many of ours are used elsewhere."""
    here, cycle = adopted(view, now_ms), moon.cycle_at(now_ms)
    ours = view.all(PROTOCOLS)
    abroad = [
        row
        for row in ours
        if any(u.space != view.space and u.state_at(now_ms) == IN_FORCE for u in users(view, row.id, now_ms))
    ]
    return {
        "library.published": len(ours),
        "library.in-force": sum(row.state_at(now_ms) == IN_FORCE for row in here),
        "library.suspended": sum(row.state_at(now_ms) == SUSPENDED for row in here),
        "library.from-others": sum(row.origin != view.id for row in here),
        "library.used-elsewhere": len(abroad),
        "library.ending-this-cycle": sum(row.until_cycle == cycle + 1 for row in here),
        "library.parameters-set": len(settings_in_force(view, now_ms)),
        "library.reports": len(view.all(REPORTS)),
    }


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """What this space offers, the newest first, and what it has adopted."""
    newest = view.all(PROTOCOLS, order="-position", limit=OFFERED)
    return {
        "offered": [
            {"id": row.id, "name": row.name, "text": row.text_hash, "parent": row.parent, "since_ms": row.since_ms}
            for row in newest
        ],
        "adopted": [
            {
                "protocol": row.protocol, "origin": row.origin, "name": row.name, "until_cycle": row.until_cycle,
                "in_force": row.state_at(now_ms) == IN_FORCE,
            }
            for row in adopted(view, now_ms)[:OFFERED]
        ],
    }  # fmt: skip


def page(view: View, now_ms: int) -> Iterator[Block]:
    """What binds us and what it sets, what others offer beside ours, descent, and who uses what."""
    known = all_protocols(view)
    yield Heading("Protocols")
    yield _in_force(view, now_ms)
    yield from _changes(view, now_ms)
    yield _settings(view, now_ms)
    yield from _beside_ours(view, known, now_ms)
    yield _tree(view, known, now_ms)
    yield _usage(view, view.everywhere(ADOPTIONS), now_ms, "No space that this node follows has adopted a protocol yet.")
    yield _reports(view, known)
    yield Action("protocol.published/1", {}, "Publish a protocol")
    if not any(row.space == view.space for row in known.values()):
        yield from _starters()


def about(view: View, protocol: bytes, now_ms: int) -> Iterator[Block]:
    """One protocol: its text, where it came from, the difference to ours, who uses it, how it went, and what to do with it.

    Nothing for a record that is no protocol.
    """
    known = all_protocols(view)
    row = known.get(protocol)
    if row is None:
        return
    yield from _card(view, row, now_ms, alone=True)
    yield Prose(row.text)
    if row.parent and row.parent in known:
        parent = known[row.parent]
        yield Difference(
            f"What {row.name} changed", parent.text, row.text, f"{parent.name}, {title_of(view, view.space_id(parent.space))}",
            f"{row.name}, {title_of(view, view.space_id(row.space))}",
        )  # fmt: skip
    yield from _to_ours(view, row, now_ms)
    unused = "No space that this node follows has adopted it yet."
    yield _usage(view, view.everywhere(ADOPTIONS, protocol=row.id), now_ms, unused)
    yield _reports(view, {row.id: row})
    yield from _choices(view, row, now_ms)


# What binds us


def _in_force(view: View, now_ms: int) -> Grid:
    rows: list[list[Cell]] = []
    for row in adopted(view, now_ms):
        stands = row.state_at(now_ms)
        mark = State(stands, TONES.get(stands, "calm"))
        rows.append([
            Ref(row.protocol, "record", row.name), Ref(row.origin, "space", title_of(view, row.origin)), mark,
            _sets(row.settings), When(row.since_ms), When(row.until_ms), row.reasons,
        ])  # fmt: skip
    return Grid(
        "Adopted here", ("Protocol", "Published by", "", "Sets", "Since", "Until its fuse", "Why"), rows,
        "No protocol is adopted yet. A protocol says how this collective does something, so that nobody has to ask who is in "
        "charge. Adopt one for a few moons: it ends by itself.",
    )  # fmt: skip


def _changes(view: View, now_ms: int) -> Iterator[Block]:
    cycle = moon.cycle_at(now_ms)
    for row in adopted(view, now_ms):
        if row.until_cycle == cycle + 1:
            yield Action("protocol.adopted/1", _adoption_of(view, row, now_ms), f"Adopt {row.name} anew")
        report = {"protocol": row.protocol.hex()}
        yield Action("protocol.reported/1", report, f"Report on {row.name}")
        if row.state_at(now_ms) == IN_FORCE and row.until_cycle > cycle + 2:
            rests = {"adoption": row.id.hex(), "until_cycle": str(cycle + 1)}
            yield Action("protocol.suspended/1", rests, f"Suspend {row.name}")
        yield Action("protocol.retired/1", {"adoption": row.id.hex()}, f"Retire {row.name}")


def _settings(view: View, now_ms: int) -> Grid:
    by = {row.source: row for row in view.all(ADOPTIONS)}
    rows: list[list[Cell]] = [
        [
            each.name,
            each.value,
            Ref(each.source, "record", by[each.source].name if each.source in by else ""),
            When(each.until_ms),
        ]
        for each in settings_in_force(view, now_ms)
    ]
    return Grid(
        "What is set", ("Parameter", "Value", "By", "Until"), rows,
        "No protocol sets anything yet: what a protocol can set stands at its usual value.",
    )  # fmt: skip


# What others offer


def _beside_ours(view: View, known: Mapping[bytes, Protocol], now_ms: int) -> Iterator[Block]:
    """Protocols that do not bind us, the newest first, each with its difference to ours."""
    here = {row.protocol for row in adopted(view, now_ms)}
    offered = [row for row in reversed(list(known.values())) if row.id not in here]
    if not offered:
        return
    yield Heading("To read and adopt")
    for row in offered[:SHOWN]:
        yield from _card(view, row, now_ms)
        yield from _to_ours(view, row, now_ms)
        yield from _choices(view, row, now_ms)
    if len(offered) > SHOWN:
        more = len(offered) - SHOWN
        yield Text(
            f"{counted(more, 'older protocol')} {'is' if more == 1 else 'are'} in the tree below; each has a page of its own."
        )


def _card(view: View, row: Protocol, now_ms: int, *, alone: bool = False) -> Iterator[Block]:
    """One protocol in short; alone on the page of its record, which has said whose it is and since when."""
    space = view.space_id(row.space)
    used = is_used_by(view, row.id, now_ms)
    facts: list[tuple[str, Cell]] = [
        ("Protocol", Ref(row.id, "record", row.name)),
        ("Published by", Ref(space, "space", title_of(view, space))),
        ("When", When(row.since_ms)),
    ]
    facts = [] if alone else facts
    facts += [
        ("Sets", _sets(row.settings) or "nothing: it is in words only"),
        ("In force in", counted(used, "space") if used else "no space"),
        ("Meant for", counted(row.fuse_cycles, "cycle") + " at a time"),
    ]
    if row.parent and row.parent_space:
        facts.append(("Derived from", Ref(row.parent, "record")))
    yield Heading(row.name, 3)
    yield Text(row.purpose)
    yield Facts(facts)


def _to_ours(view: View, row: Protocol, now_ms: int) -> Iterator[Block]:
    ours = nearest(view, row, now_ms)
    if ours is None:
        return
    here, there = title_of(view, view.space_id(ours.space)), title_of(view, view.space_id(row.space))
    if ours.text_hash == row.text_hash:
        same = "and sets the same." if ours.settings == row.settings else f"but sets {_sets(row.settings) or 'nothing'}."
        yield Text(f"The text is word for word that of our “{ours.name}”, {same}")
        return
    yield Difference(f"{row.name}, beside ours", ours.text, row.text, f"{ours.name}, {here}", f"{row.name}, {there}")


def _choices(view: View, row: Protocol, now_ms: int) -> Iterator[Block]:
    cycle, longest = moon.cycle_at(now_ms), view.parameter(LONGEST, now_ms)
    space = space_name(view.space_id(row.space))
    filled = {
        "protocol": row.id.hex(), "origin": space, "name": row.name, "text_hash": row.text_hash.hex(),
        "until_cycle": str(cycle + min(row.fuse_cycles, longest)), **_flat(row.settings),
    }  # fmt: skip
    yield Action("protocol.adopted/1", filled, f"Adopt {row.name} as it is")
    fork = {
        "name": row.name, "purpose": row.purpose, "fuse_cycles": str(row.fuse_cycles), "parent": row.id.hex(),
        "parent_space": space, **_flat(row.settings),
    }  # fmt: skip
    if len(row.text.encode()) <= LINKED_BYTES:
        fork["text"] = row.text
    yield Action("protocol.published/1", fork, f"Fork and adapt {row.name}")


def _adoption_of(view: View, row: Adoption, now_ms: int) -> dict[str, str]:
    until = moon.cycle_at(now_ms) + view.parameter(LONGEST, now_ms)
    return {
        "protocol": row.protocol.hex(), "origin": space_name(row.origin), "name": row.name, "text_hash": row.text_hash.hex(),
        "until_cycle": str(until), **_flat(row.settings),
    }  # fmt: skip


def _flat(settings: bytes) -> dict[str, str]:
    flat: dict[str, str] = {}
    for number, each in enumerate(read_choices(settings)):
        flat[f"settings.{number}.name"], flat[f"settings.{number}.value"] = each.name, str(each.value)
    return flat


def _sets(settings: bytes) -> str:
    return ", ".join(f"{each.name} {each.value}" for each in read_choices(settings))


# Descent and use


def _tree(view: View, known: Mapping[bytes, Protocol], now_ms: int) -> Tree:
    """Every protocol under the one it was made from, with how many spaces have it in force."""
    here = {row.protocol for row in adopted(view, now_ms) if row.state_at(now_ms) == IN_FORCE}
    nodes = []
    for row in known.values():
        used = is_used_by(view, row.id, now_ms)
        notes = [
            title_of(view, view.space_id(row.space)),
            f"in force in {counted(used, 'space')}" if used else "in force nowhere",
        ]
        if row.parent and row.parent not in known:
            notes.append("from one that this node has not seen")
        nodes.append(Node(row.id.hex(), row.name, ", ".join(notes), tone="good" if row.id in here else "calm"))
    edges = [Edge(row.parent.hex(), row.id.hex()) for row in known.values() if row.parent in known and row.parent]
    return Tree("Which protocol came from which", nodes, edges)


def _usage(view: View, adoptions: Iterable[Adoption], now_ms: int, unused: str) -> Grid:
    """Who has used what, and who dropped it and why; an adoption that was renewed is told by its renewal."""
    rows: list[list[Cell]] = []
    for row in sorted(adoptions, key=lambda row: (row.name.casefold(), row.protocol, -row.since_ms, row.id)):
        stands, space = row.state_at(now_ms), view.space_id(row.space)
        if stands == RENEWED or row.since_ms > now_ms:
            continue
        tone = "bad" if stands == RETIRED else TONES.get(stands, "calm")
        rows.append([
            Ref(row.protocol, "record", row.name), Ref(space, "space", title_of(view, space)), State(stands, tone),
            When(_since(view, row)), When(until_of(row)), row.why,
        ])  # fmt: skip
    return Grid(
        "Who uses what", ("Protocol", "Space", "", "Since", "Until", "Why not any more"), rows, unused,
    )  # fmt: skip


def _since(view: View, row: Adoption) -> int:
    """Since when a space has used a protocol without a break, renewals counted."""
    since_ms = row.since_ms
    earlier = [each for each in view.everywhere(ADOPTIONS, protocol=row.protocol) if each.space == row.space]
    for each in sorted(earlier, key=lambda each: -each.position):
        if each.ended == RENEWED and each.ended_ms == since_ms:
            since_ms = each.since_ms
    return since_ms


def _reports(view: View, known: Mapping[bytes, Protocol]) -> Grid:
    tones = {"worked": "good", "partly": "warn", "failed": "bad"}
    rows: list[list[Cell]] = []
    for protocol in known.values():
        for row in sorted(view.everywhere(REPORTS, protocol=protocol.id), key=lambda row: (-row.since_ms, row.id)):
            space = view.space_id(row.space)
            rows.append([
                Ref(protocol.id, "record", protocol.name), Ref(space, "space", title_of(view, space)),
                State(row.outcome, tones.get(row.outcome, "calm")), When(row.since_ms), row.happened, row.change,
            ])  # fmt: skip
    return Grid(
        "How it went", ("Protocol", "Space", "", "When", "What happened", "What they would change"), rows,
        "Nobody has reported yet. What happened when a protocol was used helps the next space more than its text.",
    )  # fmt: skip


def _starters() -> Iterator[Block]:
    yield Heading("A set to start from")
    yield Text("Nothing is published here yet. Take one of these, change what does not fit, and publish it as yours.")
    for each in STARTER:
        filled = {"name": each.name, "purpose": each.purpose, "text": each.text, "fuse_cycles": str(each.fuse_cycles)}
        for number, (name, value) in enumerate(each.settings):
            filled[f"settings.{number}.name"], filled[f"settings.{number}.value"] = name, str(value)
        yield Action("protocol.published/1", filled, f"Take {each.name}")
