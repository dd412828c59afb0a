"""The pages to read: Today, the six rooms, practices, spaces, members, records, the moon.

Each is a function from what the visitor may see (`Seen`) to a `Page`; handlers only pick the function. A page that nobody
may see and one that does not exist look the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aiohttp import web
from msgspec import structs

from node import ballots, health, news, record_page, today
from node.clockwork import figures_at
from node.markup import element, together
from node.names import heading_of_record, read_record
from node.notices import Notices
from node.receipts import receipt_of
from node.render_html import render, slug
from node.web.desk import Page, Seen, blocks
from node.web.keys import DESK, VISIT
from node.web.session import LOOKED, is_secure, looked
from node.words import count, money, permission
from protocol import moon as moons
from protocol.judge import rests_of
from protocol.keychain import KeyChainError, parse_space, space_name
from protocol.membership import ASSEMBLY, MEMBER, MEMBERSHIPS, founding_of, members_at, name_of
from protocol.page import Action, Block, Cell, Facts, Grid, Heading, Link, Mark, Ref, State, Text, Wheel, When, offered
from protocol.practice import FOREVER_MS, GRANTS, PROBLEMS, Grant, Practice, View
from protocol.practices import PRACTICES
from protocol.resting import Sabbatical, stood_in
from protocol.terms import ROLES, TERMS
from protocol.wire_blocks import with_live
from protocol.working import quiet_until_ms

_NEWS, _STEP, _LOOKED_AT, _NOTICES = 60, 50, 400, 12
_LATEST = 160  # records that Today gathers its lines from
_ORDER = ("decisions", "assemblies", "roles", "tripwires", "lots", "voice", "members")  # in the room of the assembly
_MANY, _BRIEF_ROWS, _BRIEF_ACTIONS = 3, 6, 2  # practices in a room from which on each is told briefly
_SHOWN = {"decisions": 5}  # so many sections stand in the room, those with nothing in them aside
_LOOKED_S = 400 * 86_400
_LEADS = {
    "assembly": "How we decide, who belongs to us, and by whose word.",
    "commons": "What we have and owe, and what stays.",
    "campaigns": "What we do together and when: surge, settle, rest.",
    "archipelago": "Who we are linked with, what we learn from each other, and how safe our records are.",
    "memory": "What was recorded here, for as long as this space lives.",
}
IN_FORCE, RESTING = State("in force", "good"), State("rests while they step back", "warn")
_TITLES = {key: key.capitalize() for key in _LEADS}


def missing() -> web.HTTPNotFound:
    """There is no such page, or none for whoever asks."""
    return web.HTTPNotFound(text="There is no such page here, or it is not for everybody to see. Log in if you are a member.")


# Today


async def home(request: web.Request) -> web.Response:
    """Today; what came since one looked the time before is marked."""
    desk = request.app[DESK]
    since_ms, cookie = looked(request, desk.home.clock.now_ms())
    response = await desk.show(request, request[VISIT], lambda seen: _today(seen, since_ms), "today", live=True, also=since_ms)
    secure = is_secure(request, desk.own_url)
    response.set_cookie(LOOKED, cookie, max_age=_LOOKED_S, path="/", httponly=True, samesite="Lax", secure=secure)
    return response


def _today(seen: Seen, since_ms: int) -> Page:
    told: list[Block] = []
    if seen.member:
        told += [Text(sentence, "warn") for sentence in seen.home.warnings()]
        told += today.for_member(seen.view, seen.member, seen.now_ms)
        if since_ms:
            noticed = Notices(seen.home.store.database).since(seen.member, since_ms, _NOTICES)
            told += today.came_due(noticed, seen.now_ms, quiet_until_ms(seen.view, seen.now_ms))
    else:
        told += today.for_visitor(seen.view, seen.now_ms)
    latest = news.latest(seen.home, seen.view.audience, _LATEST)
    told += [Heading("What changed"), news.gathered(seen.home, latest, seen.view, "", since_ms)]
    told.append(Facts([("Before that", Link("everything that was recorded", "/memory"))]))
    title = "Today" if seen.member else seen.home.name
    lead = seen.telling.exact(seen.now_ms).partition(",")[0]
    return Page(title, blocks(seen, told), lead)


# Rooms and practices


async def room(request: web.Request) -> web.Response:
    """One of the rooms with its practices."""
    name = request.path.strip("/")
    return await request.app[DESK].show(request, request[VISIT], lambda seen: _room(seen, name), name, live=True)


def _room(seen: Seen, name: str) -> Page:
    told: list[Block] = []
    if name == "archipelago":
        told += health.archipelago(seen.home, seen.now_ms)
        if seen.member:
            told += health.clock(Notices(seen.home.store.database), seen.telling)
    here = sorted((practice for practice in PRACTICES if practice.room == name), key=_place)
    for practice in here:
        whole = list(_practice(seen, practice))
        told += _first_part(whole, practice, brief=len(here) > _MANY) if len(here) > 1 else whole
    return Page(_TITLES[name], blocks(seen, _below(_TITLES[name], told)), _LEADS[name])


def _below(title: str, told: list[Block]) -> list[Block]:
    """What stands below a page's title, without a first heading that says it once more."""
    again = bool(told) and isinstance(told[0], Heading) and told[0].text == title
    return told[1:] if again else told


async def practice(request: web.Request) -> web.Response:
    """One practice of this space."""
    found = _practice_named(request.match_info["practice"])

    def build(seen: Seen) -> Page:
        return Page(found.title, blocks(seen, _below(found.title, list(_practice(seen, found)))), found.about)

    return await request.app[DESK].show(request, request[VISIT], build, found.room, live=True)


def _practice(seen: Seen, practice: Practice) -> Iterator[Block]:
    """A practice's page, without buttons for somebody who cannot use them."""
    yield from offered(practice.page(seen.view, seen.now_ms), seen.member or None)
    if practice.name == "campaigns":
        yield from health.campaigns_seen(seen.home, seen.view, seen.now_ms)
    if practice.name == "tripwires":
        yield from with_live(seen.view, figures_at(seen.view, PRACTICES, seen.now_ms), seen.now_ms)


def _place(practice: Practice) -> tuple[int, str]:
    """Where a practice stands in its room: what needs people first."""
    return (_ORDER.index(practice.name) if practice.name in _ORDER else len(_ORDER)), practice.title


def _first_part(told: list[Block], practice: Practice, *, brief: bool) -> list[Block]:
    """Of a practice that shares its room the first section, of decisions also what is open, and where the others are.

    Where many share it (`brief`) it is what there is in words and one table, and pictures stay on the practice's own page.
    """
    path = f"/practice/{practice.name}"
    opened = [number for number, block in enumerate(told) if isinstance(block, Heading) and block.level <= 2] or [0]
    sections = [told[start:end] for start, end in zip(opened, [*opened[1:], len(told)], strict=True)]
    most = _SHOWN.get(practice.name, 1)
    shown = [part for number, part in enumerate(sections) if not number or (number < most and _holds(part))]
    if brief:
        briefly = [block for part in shown for block in _briefly(part)]
        return [*briefly, Facts([("More", Link(f"all of {practice.title}", path))])]
    if len(sections) < 2:
        return told
    later = [part[0].text for part in sections if part not in shown and isinstance(part[0], Heading)]
    rows: list[tuple[str, Cell]] = [(title, Link(f"in {practice.title}", f"{path}#{slug(title, set())}")) for title in later]
    return [*told[: opened[0]], *(block for part in shown for block in part), Facts(rows)]


def _briefly(part: list[Block]) -> list[Block]:
    """Of a section what is said and its first table, a few rows of it, and a button or two."""
    kept: list[Block] = []
    grids = actions = 0
    for block in part:
        if isinstance(block, Grid):
            grids += 1
            if grids > 1:
                break
            kept.append(structs.replace(block, rows=block.rows[:_BRIEF_ROWS]))
        elif isinstance(block, Action):
            actions += 1
            kept += [block] if actions <= _BRIEF_ACTIONS else []
        elif isinstance(block, Heading) and block.level > 2:
            break
        elif isinstance(block, Heading | Text | Facts):
            kept.append(block)
    return kept


def _holds(part: list[Block]) -> bool:
    """Whether a section has a row to show."""
    return any(isinstance(block, Grid) and block.rows for block in part)


def _practice_named(name: str) -> Practice:
    found = next((each for each in PRACTICES if each.name == name), None)
    if found is None:
        raise missing()
    return found


# Memory


async def memory(request: web.Request) -> web.Response:
    """Everything that was recorded, newest first, a part at a time."""
    before = request.query.get("before", "")
    start = int(before) if before.isdecimal() and len(before) < 16 else None
    return await request.app[DESK].show(request, request[VISIT], lambda seen: _memory(seen, start), "memory", live=True)


def _memory(seen: Seen, start: int | None) -> Page:
    found = news.of_space(seen.home, seen.home.space, seen.view.audience, _STEP, start)
    told: list[Block] = [Heading("Our record"), news.grid(found, seen.view, "", spaces=False)]
    if found and found[-1].read.found.position > 0:
        earlier = found[-1].read.found.position
        told.append(Facts([("Earlier", Link(f"before record {count(earlier)}", f"/memory?before={earlier}"))]))
    return Page("Memory", blocks(seen, told), _LEADS["memory"])


# Spaces


async def space(request: web.Request) -> web.Response:
    """This space, or another one that this node carries."""
    desk = request.app[DESK]
    named = request.match_info.get("space", space_name(desk.home.space))
    asked = request.match_info.get("practice", "")
    found = _practice_named(asked) if asked else None
    try:
        wanted = parse_space(named)
    except KeyChainError as error:
        raise missing() from error
    return await desk.show(request, request[VISIT], lambda seen: _space(seen, wanted, found), "archipelago", live=True)


def _space(seen: Seen, wanted: bytes, practice: Practice | None) -> Page:
    view = seen.view.of(wanted)
    log = seen.home.store.log(wanted)
    if view is None or log is None:
        return _unmet(seen, wanted)
    if practice:
        shown = list(offered(practice.page(view, seen.now_ms), None))
        return Page(f"{practice.title} of {log.chain.name}", blocks(seen, shown), practice.about)
    peer = seen.home.store.peer(wanted)
    founding = founding_of(view)
    pairs: list[tuple[str, Cell]] = [
        ("Founded", When(founding.founded_ms) if founding else "not read yet"),
        ("Members", len(members_at(view, seen.now_ms))),
        ("Records held here", log.size),
    ]
    if log.missing:
        pairs.append(("Withheld from us", log.missing))
    if peer:
        pairs += [
            ("Standing", health.standing_words(peer.standing)),
            ("Last heard", When(peer.last_contact_ms) if peer.last_contact_ms else "never"),
        ]
    told: list[Block] = [
        Facts(pairs),
        Text(health.durability(health.holdings(seen.home.store.cosignatures(wanted)), log.size, seen.now_ms)),
    ]
    if log.stopped:
        told.append(Text(f"Nothing more of this log is taken: {log.stopped}", "bad"))
    rows: list[list[Cell]] = [[Link(each.title, _practice_path(seen, wanted, each)), each.about] for each in PRACTICES]
    told += [Heading("What it does"), Grid("", ("Practice", "What belongs there"), rows)]
    problems = view.all(PROBLEMS, order="-position", limit=30)
    empty = "None. Every record of this log holds, as far as it was audited."
    told += [
        Heading("Records without effect"),
        Grid("", ("Record", "Why"), [[Ref(each.digest), seen.telling.local(each.reason)] for each in problems], empty),
    ]
    proof = element("details", element("summary", "proof"), render([Facts([("Id", space_name(wanted))])], seen.telling))
    return Page(log.chain.name, together([blocks(seen, told), element("section", proof, class_="wide")]))


def _practice_path(seen: Seen, wanted: bytes, practice: Practice) -> str:
    if wanted == seen.home.space:
        return f"/practice/{practice.name}"
    return f"/space/{space_name(wanted)}/{practice.name}"


def _unmet(seen: Seen, wanted: bytes) -> Page:
    peer = seen.home.store.peer(wanted)
    if peer is None:
        raise missing()
    said = "This node knows the space and holds nothing of its log yet. It asks again by itself every few minutes."
    return Page(peer.name, blocks(seen, [Text(said), Text(peer.problem, "warn")] if peer.problem else [Text(said)]))


# Members


async def member(request: web.Request) -> web.Response:
    """What is known of a member here."""
    wanted = bytes.fromhex(request.match_info["member"])
    return await request.app[DESK].show(request, request[VISIT], lambda seen: _member(seen, wanted), "assembly", live=True)


def _member(seen: Seen, wanted: bytes) -> Page:
    views = [seen.view, *(seen.view.of(log.space) for log in seen.home.store.logs() if not log.ours)]
    view = next((each for each in views if each and each.get(MEMBERSHIPS, wanted)), seen.view)
    row = view.get(MEMBERSHIPS, wanted)
    if row is None:
        raise missing()
    name = name_of(view, wanted)
    pairs: list[tuple[str, Cell]] = [
        ("Of", Ref(view.id, "space")),
        ("Came", When(row.joined_ms)),
        ("Invited by", Ref(row.invited_by, "member") if row.invited_by else "founded the space"),
        ("Joined with", Ref(row.id)),
    ]
    if row.ended_ms < FOREVER_MS:
        pairs.append(("Went", When(row.ended_ms)))
    elif row.admitted_ms is None:
        pairs.append(("State", State("waits for somebody's word", "warn")))
    told: list[Block] = [Facts(pairs), *grants(view, seen.now_ms, wanted)]
    mine = news.of_space(seen.home, view.id, seen.view.audience, _LOOKED_AT)
    theirs = [each for each in mine if news.author_of(seen.view, each) == wanted][:_NEWS]
    told += [Heading("Lately"), news.grid(theirs, seen.view, "", spaces=False)]
    return Page(name, blocks(seen, told))


def grants(view: View, now_ms: int, wanted: bytes, title: str = "What they may do") -> Iterable[Block]:
    """What somebody may do here in words: up to what amount, from where they have it, and until when."""
    held = _held(view, now_ms, wanted)
    rows = [_grant_row(view, row, RESTING if rests_of(view, row, now_ms) else IN_FORCE) for row in held]
    for rest in stood_in(view, wanted, now_ms):
        theirs = _held(view, now_ms, rest.member)
        covered = [row for row in theirs if any(each.id == rest.id for each in rests_of(view, row, now_ms))]
        held += covered
        rows += [_grant_row(view, row, IN_FORCE, rest) for row in covered]
    columns = ["What", "Up to", "From", "Since", "Until", "State"]
    if not any(row.up_to for row in held):
        columns, rows = [columns[0], *columns[2:]], [[row[0], *row[2:]] for row in rows]
    yield Heading(title)
    yield Grid("", columns, rows, "Nothing at present.")


def _held(view: View, now_ms: int, wanted: bytes) -> list[Grant]:
    held = [row for row in view.all(GRANTS, holder=wanted) if row.since_ms <= now_ms < row.until_ms]
    return sorted(held, key=lambda row: ("/" in row.name, -row.until_ms, permission(row.name)))


def _grant_row(view: View, row: Grant, state: State, rest: Sabbatical | None = None) -> list[Cell]:
    """What one grant lets somebody do; in a sabbatical, whoever stands in for its holder."""
    until_ms = min(row.until_ms, rest.until_ms) if rest else row.until_ms
    given: Cell = Ref(rest.id, "record", f"standing in for {name_of(view, rest.member)}") if rest else _given_by(view, row)
    return [
        permission(row.name),
        money(row.up_to, "").strip() if row.up_to else "without a limit" if "/" in row.name else "",
        given,
        When(max(row.since_ms, rest.since_ms) if rest else row.since_ms),
        When(until_ms) if until_ms < FOREVER_MS else "while a member",
        State("paused", "warn") if row.paused else state,
    ]


def _given_by(view: View, row: Grant) -> Cell:
    """From where somebody has a permission, linked: the role as it is now, else the record that it came with."""
    term = view.get(TERMS, row.source)
    role = view.get(ROLES, term.role) if term else None
    if term:
        return Ref(role.id if role else term.id, "record", f"the role “{term.role}”")
    return Ref(row.source, "record", {MEMBER: "membership", ASSEMBLY: "the founding mandate"}.get(row.name, row.why))


# Records


async def record(request: web.Request) -> web.Response:
    """One record with its proof."""
    digest = bytes.fromhex(request.match_info["digest"])
    return await request.app[DESK].show(request, request[VISIT], lambda seen: _record(seen, digest), live=True)


def _record(seen: Seen, digest: bytes) -> Page:
    read = read_record(seen.home, digest, seen.view.audience)
    if read is None:
        raise missing()
    told = list(offered(record_page.page(seen.home, seen.view, read, seen.telling), seen.member or None))
    if told and isinstance(told[-1], Heading):
        told.pop()
    told += ballots.shown_to(seen.home, seen.view, digest, seen.member)
    receipt = element(
        "a", "Download the receipt", href=f"/record/{digest.hex()}/receipt", class_="button second", download=True
    )
    said = element("p", "The receipt proves this record to anybody, offline: archipelago verify FILE.")
    proof = element(
        "details",
        element("summary", "proof"),
        render(record_page.proof(seen.home, seen.view, read), seen.telling),
        said,
        element("p", receipt),
    )
    title = heading_of_record(seen.home, read, seen.view.audience)
    return Page(title, together([blocks(seen, told), element("section", proof, class_="wide proof")]))


async def receipt(request: web.Request) -> web.Response:
    """A record's receipt, to keep."""
    digest, desk = bytes.fromhex(request.match_info["digest"]), request.app[DESK]
    visit = request[VISIT]
    found = await desk.look(visit, lambda seen: read_record(seen.home, digest, seen.view.audience))
    if found is None:
        raise missing()
    text = await desk.home.write(lambda: receipt_of(desk.home, digest))
    name = f"receipt-{digest.hex()[:12]}.txt"
    return web.Response(text=text, headers={"Content-Disposition": f'attachment; filename="{name}"'})


# The moon


async def moon(request: web.Request) -> web.Response:
    """The cycle as a page."""
    return await request.app[DESK].show(request, request[VISIT], _moon, "today", live=True)


def _moon(seen: Seen) -> Page:
    cycle = moons.cycle_at(seen.now_ms)
    due = today.needs(seen.view, seen.member, seen.now_ms)
    marks: list[Mark] = today.marks(due, seen.now_ms)
    rows: list[list[Cell]] = [
        [each, When(moons.new_moon_ms(each)), When(moons.new_moon_ms(each + 1))] for each in range(cycle, cycle + 13)
    ]
    told: list[Block] = [
        Heading("This cycle"), Wheel("The moon's cycle, with what ends in it", seen.now_ms, marks),
        Heading("Cycles to come"), Grid("", ("Cycle", "New moon", "Ends"), rows),
    ]  # fmt: skip
    return Page("The moon", blocks(seen, told), "A cycle runs from one new moon to the next. Terms and fuses end with it.")
