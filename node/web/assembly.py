"""The agenda as a page, and running an assembly from a phone that is passed around.

    GET  /agenda                       complete, to read and to print
    GET  /assembly/run?at=<step>       who is here, one item after another, the end
    POST /assembly/run                 writes down what the step asks for and goes on

Running it works without script: each step is a page with the way back and on, a form with thumb-sized buttons, and nothing
that is lost when the phone goes dark. Everything is written with the key of the member who is logged in, as records like any
others; an answer in a round that is given for somebody else is recorded as that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from aiohttp import web
from markupsafe import Markup
from msgspec import Struct

from node import agenda as agendas
from node.agenda import BY_HAND, Entry
from node.forms_html import hidden
from node.markup import element, together
from node.render_html import render
from node.web import hands
from node.web.desk import Page, Seen, blocks
from node.web.keys import DESK, VISIT
from node.web.session import check_token
from node.web.typed import typed
from node.words import local
from protocol.assembling import ASSEMBLIES, Assembly, Minutes, assembly_to_write, minutes_of, next_assembly, there
from protocol.membership import members_at, name_of
from protocol.page import Action, Block, Cell, Facts, Prose, Ref, Text, When
from protocol.practice import FOREVER_MS, MEMBERS, Refused
from protocol.practices import PRACTICES

HERE, END = "here", "end"
PATH = "/assembly/run"
_BY_NAME = {practice.name: practice for practice in PRACTICES}


# The agenda


async def agenda(request: web.Request) -> web.Response:
    """The agenda of the next assembly."""
    return await request.app[DESK].show(request, request[VISIT], _agenda, "assembly", live=True)


def _agenda(seen: Seen) -> Page:
    told: list[Block] = list(agendas.page(seen.view, seen.now_ms))
    if seen.member:
        row = next_assembly(seen.view, seen.now_ms)
        buttons: list[Block] = [
            Action("agenda.added/1", {"assembly": row.id.hex()} if row else {}, "Put something on the agenda"),
            Action("assembly.called/1", {}, "Call an assembly"),
        ]
        told[1:1] = buttons if row is None else buttons[:1]
    return Page("Agenda", blocks(seen, told), "What the next assembly is for. It fills itself from what is due for all.")


# Running an assembly


class Step(Struct, frozen=True):
    """One step: who is here, an item, or the end."""

    key: str
    title: str
    entry: Entry | None = None


class Run(Struct, frozen=True):
    """An assembly while it is run: its steps, and where one is."""

    row: Assembly
    steps: tuple[Step, ...]
    at: int

    @property
    def step(self) -> Step:
        """The step at hand."""
        return self.steps[self.at]

    def path(self, by: int) -> str:
        """The way to a step before or after."""
        return f"{PATH}?at={quote(self.steps[self.at + by].key)}" if 0 <= self.at + by < len(self.steps) else ""


class Typed(Struct, frozen=True):
    """What was typed into a step that was refused, and why."""

    values: Mapping[str, str] = {}
    error: str = ""


async def run(request: web.Request) -> web.Response:
    """One step of the assembly that is on."""
    return await _show(request, request.query.get("at", HERE), Typed())


async def ran(request: web.Request) -> web.StreamResponse:
    """Write down what a step asked for, and go on."""
    visit, values = request[VISIT], await typed(request)
    assert visit.session is not None
    check_token(visit.session, values.get("csrf", ""))
    desk, key, at = request.app[DESK], visit.session.key, values.get("at", HERE)
    actions = desk.home.actions
    try:
        run_, acts = await desk.look(visit, lambda seen: _acts(seen, at, values))
        for kind, body, audience in acts:
            await desk.home.write(partial(actions.submit, kind, body, key, audience))
    except Refused as refusal:
        return await _show(request, at, Typed(values, local(str(refusal), desk.zone)))
    raise web.HTTPSeeOther(_onward(run_, values))


def _onward(run_: Run, values: Mapping[str, str]) -> str:
    if values.get("do") == "close":
        return f"/record/{run_.row.id.hex()}"
    return (run_.path(1) if values.get("do") in ("here", "on") else "") or run_.path(0)


async def _show(request: web.Request, at: str, held: Typed) -> web.Response:
    return await request.app[DESK].show(request, request[VISIT], lambda seen: _page(seen, at, held), "assembly")


def found(seen: Seen, at: str) -> Run | None:
    """The assembly whose minutes can be taken now, at a step; a step that is gone is the first again."""
    row = assembly_to_write(seen.view, seen.now_ms)
    if row is None:
        return None
    items = [Step(entry.key, entry.what, entry) for entry in agendas.entries(seen.view, seen.now_ms, row)]
    steps = (Step(HERE, "Who is here"), *items, Step(END, "The end"))
    return Run(row, steps, next((number for number, step in enumerate(steps) if step.key == at), 0))


def _page(seen: Seen, at: str, held: Typed) -> Page:
    run_ = found(seen, at)
    if run_ is not None and at != run_.step.key and held.values:  # what was typed can be kept as minutes of the whole
        run_ = found(seen, END)
    if run_ is None:
        return _none(seen)
    if at not in (HERE, run_.step.key) and not held.error:
        held = Typed(held.values, "What you were at is no longer on the agenda. What was written down is kept.")
    parts = [_way(run_, "the way through the agenda"), _told(run_, held), *_body(seen, run_, held), _list(run_)]
    where = "Before the first item" if run_.at == 0 else f"Item {run_.at} of {len(run_.steps) - 2}"
    lead = "The last thing" if run_.step.key == END else where
    purpose = run_.row.purpose or "An assembly"
    body = element("section", *parts, class_="wide run")
    return Page(run_.step.title, body, f"{purpose}. {lead}.", 422 if held.error and held.values else 200)


def _none(seen: Seen) -> Page:
    row = next_assembly(seen.view, seen.now_ms)
    told: list[Block] = [Text("No assembly is on now. One can be run from an hour before it begins, until it is closed.")]
    if row:
        told.append(Facts([("The next one", Ref(row.id, "record", row.purpose)), ("Begins", When(row.opens_ms))]))
    told.append(Action("assembly.called/1", {}, "Call an assembly"))
    return Page("Running an assembly", blocks(seen, told))


def _way(run_: Run, label: str) -> Markup:
    """Back and on, as wide as a thumb."""
    back, on = run_.path(-1), run_.path(1)
    left = element("a", "Back", href=back, rel="prev", class_="button second", accesskey="b") if back else Markup()
    right = element("a", "Next", href=on, rel="next", class_="button", accesskey="n") if on else Markup()
    return element("nav", left, right, class_="way", aria_label=label)


def _told(run_: Run, held: Typed) -> Markup:
    if not held.error:
        return Markup()
    said = element("p", held.error)
    return element("div", element("h2", "That did not work", id="summary-title"), said, class_="summary", role="alert")


def _list(run_: Run) -> Markup:
    """Every step, to jump to."""
    links = []
    for step in run_.steps:
        here = "step" if step is run_.step else None
        links.append(element("li", element("a", step.title, href=f"{PATH}?at={quote(step.key)}", aria_current=here)))
    return element("details", element("summary", "the whole agenda"), element("ol", *links, start="0"))


def _body(seen: Seen, run_: Run, held: Typed) -> list[Markup]:
    if run_.step.key == HERE:
        return [_who_is_here(seen, run_)]
    if run_.step.entry is None:
        return [_minutes_so_far(seen, run_, None), _minutes_form(seen, run_, held), _closing_form(seen, run_, held)]
    return _item(seen, run_, run_.step.entry, held)


def _form(seen: Seen, run_: Run, *parts: Markup | str) -> Markup:
    return element(
        "form",
        hidden("csrf", seen.token),
        hidden("assembly", run_.row.id.hex()),
        hidden("at", run_.step.key),
        *parts,
        method="post",
        action=PATH,
    )


def _who_is_here(seen: Seen, run_: Run) -> Markup:
    """A box for each member, those noted already ticked."""
    here: set[bytes | None] = {*there(seen.view, run_.row.id)} or {seen.member}
    people = sorted((name_of(seen.view, row.member).casefold(), row.member) for row in members_at(seen.view, seen.now_ms))
    boxes = [_box(f"here.{member.hex()}", name_of(seen.view, member), chosen=member in here) for _, member in people]
    said = element("p", "Tick everybody who is here. It can be changed until the assembly is closed, and only members see it.")
    button = element("button", "Note who is here, and begin", name="do", value="here")
    legend = element("legend", "Members", class_="unseen")
    return _form(seen, run_, said, element("fieldset", legend, *boxes), element("div", button, class_="buttons"))


def _box(name: str, label: str, *, chosen: bool) -> Markup:
    at = f"f-{name.replace('.', '-')}"
    box = element("input", type="checkbox", id=at, name=name, value="1", checked=chosen)
    return element("div", box, element("label", label, for_=at), class_="choice")


def _item(seen: Seen, run_: Run, entry: Entry, held: Typed) -> list[Markup]:
    pairs: list[tuple[str, Cell]] = [
        ("From", entry.group),
        ("Has waited", agendas.waited(entry.waits_ms(seen.now_ms))),
        ("Until", When(entry.until_ms) if entry.until_ms < FOREVER_MS else "it is done"),
        ("Page", Ref(entry.link, "record", "all about it, and what can be done")),
    ]
    need = Prose(entry.needs) if entry.item else Text(entry.needs)
    parts = [render([Facts(pairs), need], seen.telling), _story(seen, entry)]
    voting = hands.round_at(seen.view, entry.link, seen.now_ms)
    if voting is not None:
        parts += hands.forms(seen, voting, _present(seen, run_), lambda *inside: _form(seen, run_, *inside), held.values)
    return [*parts, _minutes_so_far(seen, run_, entry.link), _minutes_form(seen, run_, held)]


def _present(seen: Seen, run_: Run) -> list[bytes]:
    """Whoever was noted as here, the one who holds the phone's session first."""
    here = sorted(there(seen.view, run_.row.id), key=lambda member: name_of(seen.view, member).casefold())
    mine = [seen.member] if seen.member else []
    return [*mine, *(member for member in here if member != seen.member)]


def _story(seen: Seen, entry: Entry) -> Markup:
    """What its own page says, folded."""
    practice = _BY_NAME[entry.practice]
    told = [each for each in practice.record(seen.view, entry.link, seen.now_ms) if not isinstance(each, Action)]
    if entry.practice == BY_HAND or not told:
        return Markup()
    return element("details", element("summary", "what it says"), render(told, seen.telling))


def _minutes_so_far(seen: Seen, run_: Run, subject: bytes | None) -> Markup:
    """What was written down here already."""
    notes = [note for note in minutes_of(seen.view, run_.row.id) if note.subject == subject and note.words]
    if not notes:
        return Markup()
    said: list[Block] = []
    for note in notes:
        said += [Prose(note.words), Facts([("Written by", Ref(note.author, "member")), ("When", When(note.taken_ms))])]
    return together([element("h2", "Written down so far"), render(said, seen.telling)])


def _minutes_form(seen: Seen, run_: Run, held: Typed) -> Markup:
    entry = run_.step.entry
    words = held.values.get("words", "")
    area = element("textarea", words, id="f-words", name="words", rows="5", aria_describedby="f-words-help")
    said = element("span", "What was said and agreed. Empty: nothing is written down.", class_="help", id="f-words-help")
    field = element("div", element("label", "Minutes", for_="f-words"), said, area, class_="field")
    settled = (
        [_box("settled", "This is settled: take it off the agenda", chosen="settled" in held.values)]
        if entry and entry.item
        else []
    )
    on = element("button", "Save, and on to the next", name="do", value="on") if run_.path(1) else Markup()
    save = element("button", "Save", name="do", value="save", class_="second" if run_.path(1) else None)
    return _form(seen, run_, field, *settled, element("div", on, save, class_="buttons"))


def _closing_form(seen: Seen, run_: Run, held: Typed) -> Markup:
    words = held.values.get("closing", "")
    area = element("textarea", words, id="f-closing", name="closing", rows="3", aria_describedby="f-closing-help")
    said = element("span", "How it was, in a sentence or two. It may be left empty.", class_="help", id="f-closing-help")
    field = element("div", element("label", "Closing words", for_="f-closing"), said, area, class_="field")
    follows = element(
        "p", "Nothing is added to this assembly after that. What is not done waits for the next.", class_="consequence"
    )
    button = element("button", "Close the assembly", name="do", value="close")
    return together([
        element("h2", "Close it"), _form(seen, run_, field, follows, element("div", button, class_="buttons"))
    ])  # fmt: skip


# What is written


Act = tuple[str, dict[str, Any], int]


def _acts(seen: Seen, at: str, values: Mapping[str, str]) -> tuple[Run, list[Act]]:
    """The records that a step's form asks for."""
    run_ = found(seen, at)
    if run_ is None:
        raise Refused("No assembly is on now, so nothing was written down. Call one, or look at its page.")
    if values.get("assembly") != run_.row.id.hex():
        raise Refused(
            "This page was of another assembly than the one that is on now, so nothing was written down. Open it anew."
        )
    if run_.step.key != at:
        raise Refused("What you were at is no longer on the agenda, so nothing was written down. Go on with the next item.")
    make: Callable[[Seen, Run, Mapping[str, str]], list[Act]] | None = {
        "here": _attendance, "on": _minutes, "save": _minutes, "close": _closing, "vote": _vote,
    }.get(values.get("do", "on"))  # fmt: skip
    if make is None:
        raise Refused("This button is not known here. Open the page anew.")
    return run_, make(seen, run_, values)


def _attendance(seen: Seen, run_: Run, values: Mapping[str, str]) -> list[Act]:
    ticked = sorted(name.removeprefix("here.") for name in values if name.startswith("here."))
    if not ticked:
        raise Refused("Who is here: tick at least one.")
    if ticked == sorted(member.hex() for member in there(seen.view, run_.row.id)):
        return []
    return [("attendance.noted/1", {"assembly": run_.row.id.hex(), "members": ticked}, MEMBERS)]


def _minutes(seen: Seen, run_: Run, values: Mapping[str, str]) -> list[Act]:
    words, entry = values.get("words", "").strip(), run_.step.entry
    settled = "settled" in values and entry is not None and entry.item is not None
    if not words and not settled:
        return []
    about = entry.link if entry else None
    if any(each.subject == about and each.words == words and each.author == seen.member for each in _latest(seen, run_)):
        return []  # the button was pressed twice
    body: dict[str, Any] = {"assembly": run_.row.id.hex(), "words": words or "Settled."}
    if entry:
        body["subject"] = entry.link.hex()
    return [("minutes.taken/1", {**body, "settled": True} if settled else body, MEMBERS)]


def _latest(seen: Seen, run_: Run) -> Sequence[Minutes]:
    """What was last written down."""
    return minutes_of(seen.view, run_.row.id)[-1:]


def _closing(seen: Seen, run_: Run, values: Mapping[str, str]) -> list[Act]:
    row = seen.view.get(ASSEMBLIES, run_.row.id)
    assert row is not None
    said = values.get("closing", "").strip()
    return [("assembly.closed/1", {"assembly": row.id.hex(), **({"closing": said} if said else {})}, row.scope)]


def _vote(seen: Seen, run_: Run, values: Mapping[str, str]) -> list[Act]:
    entry = run_.step.entry
    voting = hands.round_at(seen.view, entry.link, seen.now_ms) if entry else None
    if voting is None:
        raise Refused("This round is closed, so nothing was written down. What was answered counts.")
    return [hands.act(seen, voting, values)]
