"""Examples of lots: opened for what there is just then, contributed to, drawn and declined."""

from __future__ import annotations

from protocol import lot as draws
from protocol import resting, terms, wires
from protocol.drawing import (
    COMMIT,
    DRAWN,
    FAILED,
    FEWEST,
    LOTS,
    PARTS,
    POOLS,
    QUOTAS,
    READY,
    REVEAL,
    TYPING,
    WAITING,
    Lot,
    phase,
    read_quotas,
)
from protocol.keys import SigningKey
from protocol.practice import keys
from protocol.practices import lots
from tests.laws.world import DAY_MS, MINUTE_MS, Builder, Unready, World

GROUPS = ("day-shift", "night-shift")


def value_of(lot: bytes, member: bytes) -> bytes:
    """The part of a member, made again when it is to be revealed."""
    return draws.next_code(lot + member)


def opened(world: World) -> lots.Opened:
    failed = [row for row in world.rows(LOTS) if phase(row, world.now_ms) == FAILED]
    if failed and world.chance(0.3):
        row = world.pick(failed)
        return lots.Opened(row.purpose, row.subject, row.seats)  # type: ignore[arg-type]  # as it was opened before
    running = [row.id for row in world.rows(terms.TERMS) if terms.holds(row, world.now_ms)]
    vacant = [terms.lot_subject(world.view, row) for row in world.rows(terms.ROLES)]
    reviews = [row.id for row in world.rows(wires.REVIEWS)]
    away = [row.id for row in world.rows(resting.SABBATICALS) if row.stands(world.now_ms)]
    records = [stored.digest for stored in world.isle.log[-9:]]
    found = {
        "shadow": running,
        "role": vacant,
        "facilitator": reviews,
        "newcomer": away,
        "circle": records,
        "other": records,
    }
    purpose = world.pick([name for name, subjects in found.items() if subjects])
    seats = 1 if purpose in lots.ALONE or world.chance(0.3) else world.rng.choice([2, 3, 9])
    if world.chance(0.4):
        source = f"The number published on {world.words(2)}"
        return lots.Opened(purpose, world.pick(found[purpose]), seats, "public", source, _later(world))  # type: ignore[arg-type]  # one of the purposes
    return lots.Opened(purpose, world.pick(found[purpose]), seats)  # type: ignore[arg-type]  # one of the purposes


def _later(world: World) -> int:
    return world.now_ms // MINUTE_MS * MINUTE_MS + world.rng.choice([MINUTE_MS, MINUTE_MS, DAY_MS, 0])


def lot_in(world: World, wanted: str) -> Lot:
    """A lot in this phase, now and then in another; if there is none, members go through one until there is."""
    rows = world.rows(LOTS)
    there = [row for row in rows if phase(row, world.now_ms) == wanted]
    if rows and world.chance(0.15):
        return world.pick(rows)
    if there:
        return world.pick(there)
    source = "public" if wanted == TYPING or (wanted in (READY, DRAWN) and world.chance(0.3)) else "members"
    row = _open(world, source)
    if row.size >= FEWEST and wanted != COMMIT:
        _contribute(world, row, wanted)
    if wanted == DRAWN:
        world.write("lot.drawn/1", lots.LotDrawn(row.id), world.pick(_signers(world)), 0)
    row = next(each for each in world.rows(LOTS) if each.id == row.id)
    if phase(row, world.now_ms) != wanted:
        raise Unready
    return row


def _signers(world: World) -> list[SigningKey]:
    """A key of each member."""
    return [world.pick(found) for member in world.members() if (found := world.keys_of(member))]


def _open(world: World, source: str) -> Lot:
    subject, known = world.pick(world.isle.log).digest, world.now_ms // MINUTE_MS * MINUTE_MS + 2 * MINUTE_MS
    more = ("public", f"The number published on {world.words(2)}", known) if source == "public" else ()
    body = lots.Opened(world.rng.choice(["circle", "other"]), subject, 1, *more)
    if world.write("lot.opened/1", body, world.pick(_signers(world)), 0):
        raise Unready
    return next(
        row for row in world.rows(LOTS) if row.subject == subject and phase(row, world.now_ms) in (COMMIT, WAITING, READY)
    )


def _contribute(world: World, row: Lot, wanted: str) -> None:
    """Everybody adds a part, so that nobody has to wait; but for a reveal, or where somebody withholds theirs."""
    if row.source == "public":
        world.now_ms = max(world.now_ms, row.commit_until_ms)
        for key in _signers(world)[:2] if wanted != TYPING else ():
            world.write("lot.typed/1", lots.ValueTyped(row.id, "7 12 23"), key, 0)
        return
    pool, fold = world.view.get(POOLS, row.id), world.members()
    able = [member for member in keys(pool.contributors) if pool and member in fold] if pool else []
    for name in ("lot.committed/1", "lot.revealed/1"):
        for member in able:
            value = value_of(row.id, member)
            promise = draws.commitment(row.id, member, value)
            body = lots.Committed(row.id, promise) if name == "lot.committed/1" else lots.Revealed(row.id, value)
            world.write(name, body, world.pick(world.keys_of(member)), 0)
        if wanted == REVEAL:
            return
        if len(able) > FEWEST and world.chance(0.2):
            able = able[1:]
    late = next(each for each in world.rows(LOTS) if each.id == row.id)
    world.now_ms = max(world.now_ms, late.reveal_until_ms)


def committed(world: World) -> lots.Committed:
    row = lot_in(world, COMMIT)
    pool = world.view.get(POOLS, row.id)
    there = {part.member for part in world.rows(PARTS, lot=row.id)}
    left = [member for member in keys(pool.contributors) if member not in there] if pool else []
    member = world.pick(left if left and world.chance(0.9) else world.members())
    world.act_as(member)
    world.audience = 0
    return lots.Committed(row.id, draws.commitment(row.id, member, value_of(row.id, member)))


def revealed(world: World) -> lots.Revealed:
    row = lot_in(world, REVEAL)
    part = world.pick([part for part in world.rows(PARTS, lot=row.id) if not part.value or world.chance(0.2)])
    world.act_as(part.member)
    world.audience = 0
    value = value_of(row.id, part.member) if world.chance(0.9) else world.rng.randbytes(32)
    return lots.Revealed(row.id, value)


def typed(world: World) -> lots.ValueTyped:
    row = lot_in(world, TYPING)
    world.audience = 0
    return lots.ValueTyped(row.id, world.rng.choice(["7 12 23", "7  12 23", "7 12 32"]))


def drawn(world: World) -> lots.LotDrawn:
    row = lot_in(world, READY)
    world.audience = 0
    return lots.LotDrawn(row.id)


def declined(world: World) -> lots.LotDeclined:
    row = lot_in(world, DRAWN)
    pool = world.view.get(POOLS, row.id)
    world.act_as(world.pick(keys(pool.people) if pool else ()))
    world.audience = 0
    return lots.LotDeclined(row.id, world.words(2))


def quotas_set(world: World) -> lots.QuotasSet:
    quotas = [lots.GroupSeats(group, world.rng.choice([0, 1]), world.rng.choice([0, 1, 2])) for group in GROUPS]
    world.audience = 0
    return lots.QuotasSet(world.rng.choice(["circle", "other"]), quotas[: world.rng.randrange(1, 3)])


def group_said(world: World) -> lots.GroupSaid:
    named = sorted({quota.group for row in world.rows(QUOTAS) for quota in read_quotas(row.quotas)})
    return lots.GroupSaid(world.rng.choice([*named, *named, "", GROUPS[0]]))


EXAMPLES: dict[str, Builder] = {
    "lot.opened/1": opened,
    "lot.committed/1": committed,
    "lot.revealed/1": revealed,
    "lot.typed/1": typed,
    "lot.drawn/1": drawn,
    "lot.declined/1": declined,
    "lot.quotas-set/1": quotas_set,
    "lot.group-said/1": group_said,
}
