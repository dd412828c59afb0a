"""What the pages of lots say: what is open, what was drawn, and a lot's own page, which is the receipt of its draw.

The receipt carries everything: the numbered list, the source of chance, who committed and revealed and who did not, the order,
the seats, those passed over and those who declined, and a program that recomputes it from the same data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from protocol import figure, terms, wires
from protocol import lot as lots
from protocol.drawing import (
    COMMIT,
    DECLINED,
    DRAWN,
    FAILED,
    FEWEST,
    LOTS,
    POOLS,
    PUBLIC_SOURCE,
    PURPOSES,
    QUOTAS,
    READY,
    REVEAL,
    TYPED,
    TYPING,
    WAITING,
    Lot,
    Part,
    Pool,
    groups_of,
    inputs,
    lots_for,
    numbered,
    parts_of,
    phase,
    read_quotas,
    ready_ms,
    seated,
    undrawn,
)
from protocol.judge import spoken_time
from protocol.membership import MEMBERSHIPS, name_of
from protocol.page import Action, Block, Cell, Facts, Grid, Heading, Prose, Ref, State, Text, When
from protocol.practice import FOREVER_MS, Due, View, keys
from protocol.wording import counted, listed

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
SHOWN = 50
STATES = {
    COMMIT: State("members add their parts", "warn"),
    REVEAL: State("members reveal their parts", "warn"),
    WAITING: State("waits for the public value"),
    TYPING: State("the public value is to be typed", "warn"),
    READY: State("can be drawn", "warn"),
    FAILED: State("failed", "bad"),
    DRAWN: State("drawn", "good"),
}
NEEDS = {
    COMMIT: "A part of the chance from each who has added none.",
    TYPING: "Two members who type the public value.",
    READY: "Somebody who has it drawn.",
    FAILED: "Somebody who opens it anew, if you want it still.",
}
KEEPER = (
    "Who lets this node keep their key lets it make their part too. Whoever runs the machine could then know these parts "
    "before they are revealed, and choose a part of their own to suit. One contributor who keeps their own key makes that "
    "impossible: then the keeper, too, can only hold parts back, which is seen here. With a public value there is nothing to "
    "hold back."
)
HELD_BACK = (
    "A part that is missing was committed to and never told. Whoever held it back knew the others' parts, and could work out "
    "what the draw would have been with theirs. It stops nothing, but it is here for everybody to see."
)


# In words


def spoken_for(view: View, row: Lot) -> str:
    """What a lot is for: "a shadow for the role “treasurer”"."""
    term, role = view.get(terms.TERMS, row.subject), None
    if row.purpose == "role":
        role = term.role if term else next((each.role for each in view.all(terms.ROLES, first=row.subject)), "")
        return f"the next term of the role “{role}”" if role else "a role"
    if row.purpose == "shadow" and term:
        return f"a shadow for the role “{term.role}”"
    if row.purpose == "facilitator":
        return "somebody who looks into a review"
    return PURPOSES[row.purpose]


def asks(view: View, row: Lot) -> str:
    """What a lot answers, as its title says it: "who takes treasurer", "a shadow for treasurer"."""
    term = view.get(terms.TERMS, row.subject)
    if row.purpose == "role":
        role = term.role if term else next((each.role for each in view.all(terms.ROLES, first=row.subject)), "")
        return f"who takes {role}" if role else "who takes a role"
    if row.purpose == "shadow" and term:
        return f"a shadow for {term.role}"
    review = view.get(wires.REVIEWS, row.subject) if row.purpose == "facilitator" else None
    wire = view.get(wires.WIRES, review.wire) if review else None
    if wire:
        return f"who looks into “{figure.label(wire.figure)}”"
    return "who looks into a review" if row.purpose == "facilitator" else PURPOSES[row.purpose]


def spoken_phase(row: Lot, at_ms: int) -> str:
    """Where a lot stands, for a sentence."""
    now = phase(row, at_ms)
    if now in (COMMIT, WAITING):
        what = "members add their parts" if now == COMMIT else "the public value is not known"
        return f"{what} until {spoken_time(row.commit_until_ms)}"
    if now in (REVEAL, TYPING):
        what = "members reveal their parts" if now == REVEAL else "the public value can be typed"
        return f"{what} until {spoken_time(row.reveal_until_ms)}"
    return {READY: "it can be drawn now", FAILED: "it has failed and can be opened anew", DRAWN: "it is drawn"}[now]


def subject_of(view: View, row: Lot) -> Ref:
    """The record that a lot is about."""
    if row.purpose == "facilitator":
        review = view.get(wires.REVIEWS, row.subject)
        return Ref(review.record if review else row.subject)
    return Ref(row.subject)


# Due, figures, state


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Parts to add, to reveal and to type, lots to draw, and what somebody was drawn for."""
    for row in undrawn(view):
        yield from _due_of(view, row, now_ms)
    for row in view.all(LOTS, order="-drawn_ms", limit=SHOWN):
        if row.drawn_ms and row.drawn_ms <= now_ms < row.drawn_ms + WEEK_MS:
            what = f"You were drawn for {spoken_for(view, row)}: take it on, or decline"
            for member in seated(view, row):
                yield Due(what, member, row.drawn_ms, row.drawn_ms + WEEK_MS, row.id)


def _due_of(view: View, row: Lot, now_ms: int) -> Iterator[Due]:
    if now_ms < row.opened_ms:
        return
    for_what, now = spoken_for(view, row), phase(row, now_ms)
    if now == COMMIT:
        yield Due(f"Add your part to the lot for {for_what}", None, row.opened_ms, row.commit_until_ms, row.id, NEEDS[COMMIT])
    elif now == REVEAL:
        for part in parts_of(view, row.id):
            if not part.value:
                what = f"Reveal your part of the lot for {for_what}"
                yield Due(what, part.member, row.commit_until_ms, row.reveal_until_ms, row.id)
    elif now == TYPING:
        what = f"Two members are to type the public value of the lot for {for_what}"
        yield Due(what, None, row.commit_until_ms, row.reveal_until_ms, row.id, NEEDS[TYPING])
    elif now == READY:
        since_ms = ready_ms(row)
        yield Due(f"The lot for {for_what} can be drawn", None, since_ms, since_ms + WEEK_MS, row.id, NEEDS[READY])
    elif now == FAILED and now_ms < row.reveal_until_ms + WEEK_MS and lots_for(view, row.purpose, row.subject)[-1] == row:
        what = f"The lot for {for_what} failed: open it anew, or let it be"
        until_ms = row.reveal_until_ms + WEEK_MS
        yield Due(what, None, row.commit_until_ms, until_ms, row.id, NEEDS[FAILED], over=True)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """Lots that are under way, and parts that were held back from those that failed lately."""
    phases = [phase(row, now_ms) for row in undrawn(view)]
    return {"lots.open": sum(each != FAILED for each in phases), "lots.failed": phases.count(FAILED)}


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """How many lots are under way."""
    return {"open": sum(phase(row, now_ms) != FAILED for row in undrawn(view))}


# The page of all lots


def page(view: View, now_ms: int) -> Iterator[Block]:
    """What is open and what to do, what was drawn, and the quotas."""
    yield Heading("Lots")
    yield Text(
        "Who is drawn by lot, nobody has chosen. The list is fixed first, then the members make the chance together, "
        "and everybody can work out the result again."
    )
    waiting = [row for row in undrawn(view) if phase(row, now_ms) != FAILED]
    yield Grid(
        "Under way", ("Lot", "", "Can be drawn", "Parts", "Until"), [_open_row(view, row, now_ms) for row in waiting],
        "No lot is under way. A lot is opened for the shadow of a role, for a role, or for whoever looks into a review; "
        "the button for it is on their pages.",
    )  # fmt: skip
    for row in waiting:
        yield from _actions(view, row, now_ms, spoken_for(view, row))
    drawn = [row for row in view.all(LOTS, order="-drawn_ms", limit=SHOWN) if row.drawn_ms]
    told: list[list[Cell]] = [[_named(view, row), _first(seated(view, row)), When(row.drawn_ms)] for row in drawn]
    yield Grid("Drawn", ("Lot", "Who has the seat", "When"), told, "Nothing was drawn yet.")
    failed = [row for row in undrawn(view) if phase(row, now_ms) == FAILED]
    if failed:
        rows: list[list[Cell]] = [[_named(view, row), row.committed, row.revealed] for row in failed]
        yield Grid("Failed: fewer than two contributed", ("Lot", "Committed", "Revealed"), rows)
    yield from _quotas(view)
    yield Action("lot.opened/1", {}, "Open a lot")


def _open_row(view: View, row: Lot, now_ms: int) -> list[Cell]:
    now = phase(row, now_ms)
    if row.source == PUBLIC_SOURCE:
        parts = "a public value"
    elif now == COMMIT:
        parts = f"{row.committed} of {row.contributors}"
    else:
        parts = f"{row.revealed} of {row.committed} revealed"
    until_ms = row.commit_until_ms if now in (COMMIT, WAITING) else row.reveal_until_ms
    until: Cell = When(until_ms) if now != READY else ""
    return [_named(view, row), STATES[now], counted(row.size, "person", "people"), parts, until]


def _named(view: View, row: Lot) -> Ref:
    return Ref(row.id, "record", f"For {spoken_for(view, row)}")


def _first(members: tuple[bytes, ...]) -> Cell:
    if len(members) == 1:
        return Ref(members[0], "member")
    return counted(len(members), "person", "people") if members else State("nobody is left", "warn")


def _quotas(view: View) -> Iterator[Block]:
    rows: list[list[Cell]] = [
        [f"For {PURPOSES[row.purpose]}", quota.group, quota.least, quota.most or "no limit", Ref(row.id)]
        for row in view.all(QUOTAS, order="purpose")
        for quota in read_quotas(row.quotas)
    ]
    yield Grid(
        "Quotas", ("Lots", "Group", "At least", "At most", "Set by"), rows,
        "No quotas are set. By a decision, groups that the collective names itself can have seats kept for them.",
    )  # fmt: skip
    if rows:
        yield Action("lot.group-said/1", {}, "Say which group you are of")


# The page of one lot


def record(view: View, digest: bytes, now_ms: int) -> Iterator[Block]:
    """The receipt of a lot, wherever it was opened."""
    found = view.everywhere(LOTS, id=digest)
    own = view.of(view.space_id(found[0].space)) if found else None
    pool = own.get(POOLS, digest) if own else None
    if own is None or pool is None:
        return
    row, parts, now = found[0], parts_of(own, digest), phase(found[0], now_ms)
    yield Heading(f"Lot for {spoken_for(own, row)}")
    yield Facts(_facts(own, row, now, pool))
    yield from _sentences(row, now)
    if own.id == view.id:
        yield from _actions(own, row, now_ms, "")
    if now == DRAWN:
        yield from _seats(own, row, pool, parts)
    yield _contributions(own, row, parts, now)
    if now == DRAWN and row.source != PUBLIC_SOURCE and any(not part.value for part in parts):
        yield Text(HELD_BACK, "warn")
    if row.source != PUBLIC_SOURCE and row.size >= FEWEST:
        yield Text(KEEPER)
    yield _list(row, pool)
    earlier = [each for each in lots_for(own, row.purpose, row.subject) if each.id != digest]
    if earlier:
        rows: list[list[Cell]] = [[_named(own, each), STATES[phase(each, now_ms)], When(each.opened_ms)] for each in earlier]
        yield Grid("Other lots for the same", ("Lot", "", "Opened"), rows)
    if now == DRAWN:
        yield from _check(row, pool, parts)


def _facts(own: View, row: Lot, now: str, pool: Pool) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [
        ("About", subject_of(own, row)),
        ("State", STATES[now]),
        ("Opened", When(row.opened_ms)),
        ("Seats", row.seats),
        ("Can be drawn", counted(row.size, "person", "people")),
    ]
    if row.quotas:
        pairs.append(("Quotas", listed([_spoken_quota(quota) for quota in read_quotas(row.quotas)])))
    if row.source == PUBLIC_SOURCE:
        pairs += [("Chance comes from", row.public_source), ("Known from", When(row.commit_until_ms))]
        pairs += [("The value was", row.typed)] if row.typed else [("To be typed until", When(row.reveal_until_ms))]
    elif row.size >= FEWEST:
        pairs += [("Chance comes from", "parts that members add and reveal")]
        pairs += [("Parts could be added until", When(row.commit_until_ms)), ("Revealed until", When(row.reveal_until_ms))]
    if row.attempt > 1:
        pairs.append(("Attempt", row.attempt))
    if row.drawn_ms:
        pairs += [("Drawn", When(row.drawn_ms)), ("Written down in", Ref(row.drawn_by))]
    return pairs


def _spoken_quota(quota: lots.Quota) -> str:
    limits = [f"at least {quota.least}"] if quota.least else []
    limits += [f"at most {quota.most}"] if quota.most else []
    return f"{quota.group} {listed(limits)}"


def _sentences(row: Lot, now: str) -> Iterator[Block]:
    if row.size < FEWEST:
        yield Text("Only one person can be drawn here, so chance decides nothing.")
    elif now == FAILED and row.source == PUBLIC_SOURCE:
        yield Text("No two members typed the same value in time, so nothing was drawn. The lot can be opened anew.", "warn")
    elif now == FAILED:
        yield Text("Fewer than two revealed a part, so it would not be chance. The lot can be opened anew.", "warn")
    elif now == COMMIT:
        yield Text("Add your part now. When everybody has, or when the time is over, the parts are revealed.")
    elif now == REVEAL:
        yield Text("Whoever added a part reveals it now. When all have, or when the time is over, it can be drawn.")


def _actions(own: View, row: Lot, now_ms: int, for_what: str) -> Iterator[Block]:
    end = f" (lot for {for_what})" if for_what else ""
    filled = {"lot": row.id.hex()}
    match phase(row, now_ms):
        case "commit":
            free = set(keys(own.need(POOLS, row.id, what="lot").contributors)) - {part.member for part in parts_of(own, row.id)}
            yield Action("lot.committed/1", filled, f"Add my part{end}", who=tuple(sorted(free)))
        case "reveal":
            hidden = tuple(part.member for part in parts_of(own, row.id) if not part.value)
            yield Action("lot.revealed/1", filled, f"Reveal my part{end}", who=hidden)
        case "typing":
            yield Action("lot.typed/1", filled, f"Type the public value{end}")
        case "ready":
            yield Action("lot.drawn/1", filled, f"Draw{end}")
        case "failed":
            if lots_for(own, row.purpose, row.subject)[-1].id == row.id:
                again = {"purpose": row.purpose, "subject": row.subject.hex(), "seats": str(row.seats)}
                yield Action("lot.opened/1", again, f"Open the lot anew{end}")
        case "drawn":
            gone = {each.member for each in own.all(DECLINED, lot=row.id)}
            asked = tuple(member for member in keys(own.need(POOLS, row.id, what="lot").people) if member not in gone)
            yield Action("lot.declined/1", filled, f"I was drawn and decline{end}", who=asked)


def _seats(own: View, row: Lot, pool: Pool, parts: tuple[Part, ...]) -> Iterator[Block]:
    drawn = inputs(row, pool, parts).draw()
    now = seated(own, row)
    rows: list[list[Cell]] = []
    for number, member in enumerate(keys(pool.drawn), 1):
        if number <= pool.chosen or member in now:
            place = f"seat {number}" if number <= pool.chosen else f"substitute {number - pool.chosen}"
            rows.append([place, Ref(member, "member"), _fate(own, row, member, now)])
    yield Grid("Who was drawn", ("Place", "Who", ""), rows)
    if pool.chosen < row.seats:
        yield Text(f"The quotas left {counted(row.seats - pool.chosen, 'seat')} without anybody.", "warn")
    if row.quotas:
        skipped: list[list[Cell]] = [[Ref(skip.label, "member"), lots.reason(skip), "at the draw"] for skip in drawn.skipped]
        skipped += _skipped_since(own, row, pool)
        yield Grid("Passed over for the quotas, in order", ("Who", "Why", "When"), skipped, "Nobody was passed over.")
    gone = sorted(own.all(DECLINED, lot=row.id), key=lambda each: (each.declined_ms, each.member))
    if gone:
        told: list[list[Cell]] = [[Ref(each.member, "member"), When(each.declined_ms), each.reasons] for each in gone]
        yield Grid("Who declined", ("Who", "When", "Reasons"), told)


def _skipped_since(own: View, row: Lot, pool: Pool) -> Iterator[list[Cell]]:
    """Who was passed over since the draw, each once as long as the reason stands, and after whose going."""
    order, quotas, groups, out = keys(pool.drawn), read_quotas(row.quotas), groups_of(pool), set[bytes]()
    before = {(skip.label, skip.why) for skip in lots.choose(order, row.seats, quotas, groups).skipped}
    for member, word in _gone(own, row, order):
        out.add(member)
        found = lots.choose([each for each in order if each not in out], row.seats, quotas, groups).skipped
        after = Ref(member, "member", f"after {name_of(own, member)} {word}")
        for skip in found:
            if (skip.label, skip.why) not in before:
                yield [Ref(skip.label, "member"), lots.reason(skip), after]
        before = {(skip.label, skip.why) for skip in found}


def _gone(own: View, row: Lot, order: tuple[bytes, ...]) -> Iterator[tuple[bytes, str]]:
    """Those who were drawn and declined or are no longer members, as it came about, and how."""
    found: list[tuple[int, int, bytes, str]] = []
    for member in order:
        said, here = own.get(DECLINED, row.id, member), own.get(MEMBERSHIPS, member)
        if said:
            found.append((said.declined_ms, own.position_of(said.id) or 0, member, "declined"))
        if here and here.ended_ms != FOREVER_MS:
            found.append((here.ended_ms, 0, member, "left" if here.ended == "left" else "was removed"))
    yield from ((member, word) for _, _, member, word in sorted(found))


def _fate(own: View, row: Lot, member: bytes, now: tuple[bytes, ...]) -> State:
    if member in now:
        return State("has the seat", "good")
    if own.get(DECLINED, row.id, member):
        return State("declined, the next moved up")
    here = own.get(MEMBERSHIPS, member)
    if here is None or here.ended_ms != FOREVER_MS:
        return State("no longer a member, the next moved up")
    return State("passed over for the quotas")


def _contributions(own: View, row: Lot, parts: tuple[Part, ...], now: str) -> Grid:
    if row.source == PUBLIC_SOURCE:
        counts = State("counts", "good")
        typed = sorted(own.all(TYPED, lot=row.id), key=lambda each: (each.typed_ms, each.member))
        rows: list[list[Cell]] = [
            [Ref(each.member, "member"), each.value, counts if each.value == row.typed else "", When(each.typed_ms)]
            for each in typed
        ]
        return Grid("The public value, as members typed it", ("Who", "Value", "", "When"), rows, "Nobody has typed it yet.")
    missing = State("missing", "bad") if now in (READY, DRAWN, FAILED) else State("not yet")
    told: list[list[Cell]] = [
        [Ref(part.member, "member"), When(part.committed_ms), When(part.revealed_ms) if part.value else missing]
        for part in sorted(parts, key=lambda part: (part.committed_ms, part.member))
    ]
    empty = "Nobody has added a part yet." if row.size >= FEWEST else "None were needed."
    return Grid("Parts of the chance", ("Who", "Committed", "Revealed"), told, empty)


def _list(row: Lot, pool: Pool) -> Grid:
    places: dict[bytes, str] = {}
    for number, member in enumerate(keys(pool.drawn), 1):
        places[member] = f"seat {number}" if number <= pool.chosen else f"substitute {number - pool.chosen}"
    columns, rows = ["No.", "Who"], []
    if row.quotas:
        columns.append("Group")
    if places:
        columns.append("Drawn as")
    for each in numbered(pool):
        cells: list[Cell] = [each.number, Ref(each.member, "member")]
        if row.quotas:
            cells.append(each.group or "none")
        if places:
            cells.append(places[each.member])
        rows.append(cells)
    return Grid("Who can be drawn, as fixed when the lot was opened", columns, rows)


def _check(row: Lot, pool: Pool, parts: tuple[Part, ...]) -> Iterator[Block]:
    yield Heading("Check it yourself", 3)
    yield Text(
        "This program holds the list and all parts, and works out the draw again. It needs Python and nothing else, no "
        "network and no trust in this node. Save it as draw.py and run: python3 -I -S draw.py"
    )
    yield Prose(f"```python\n{lots.script(inputs(row, pool, parts), keys(pool.drawn))}```")
