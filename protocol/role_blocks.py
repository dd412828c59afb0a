"""What the page of roles says: who holds what until when, what is vacant or paused, what is to be handed over.

`page` is all roles together; `about` is the page of one role, one term or one call of a shadow, for the page of its record.
Journals and handovers are for members only and are not there for anybody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protocol.body import decimal
from protocol.drawing import standing
from protocol.membership import members_at, name_of, sees_members
from protocol.page import Action, Block, Cell, Facts, Grid, Heading, Mark, Prose, Ref, Span, State, Text, Timeline, Wheel, When
from protocol.practice import GRANTS, RESERVED, Grant, Reservation, View
from protocol.resting import resting_of, stand_ins
from protocol.role_dues import can_renew, cycle_ends_ms, handover_of, has_lot, is_missing, left_before, open_calls
from protocol.terms import (
    CALLS,
    DAY_MS,
    DEFINITIONS,
    GRACE_DAYS,
    NOTES,
    ROLES,
    SHADOW_CALLS,
    TERMS,
    Call,
    Definition,
    Handover,
    Permission,
    Role,
    Term,
    answered_without,
    as_held,
    every_term,
    given_later,
    holds,
    in_a_row,
    lot_subject,
    roles_at,
    spoken_kind,
    term_of,
    terms_of,
)
from protocol.wording import counted, listed

SHOWN_CYCLES = 13
NO_PERMISSIONS = "duties alone"
CHOSEN = {"consent": "by consent", "vote": "by vote", "lot": "by lot", "renewed": "by renewal"}
ENDED = {"": "at its end", "recalled": "recalled", "resigned": "stepped down", "dissolved": "the role was dissolved",
         "left": "left the space", "removed": "is no longer a member"}  # fmt: skip
OUTCOMES = {"": ("rests", "warn"), "resume": ("resumed", "good"), "revoke": ("revoked", "bad")}


# All roles


def page(view: View, now_ms: int) -> Iterator[Block]:
    """Who holds what, what is vacant or paused, what is to be handed over, and who held what over time."""
    rows, terms = roles_at(view, now_ms), every_term(view)
    yield Heading("Roles")
    yield _who_holds_what(view, rows, now_ms)
    yield Action("role.defined/1", {}, "Define a role")
    yield from _vacant(view, rows, now_ms)
    yield from _paused(view, now_ms)
    yield from _handovers(view, terms, now_ms)
    if terms:
        yield Wheel("This cycle, with the terms that end in it", now_ms, _marks(view, terms, now_ms))
        yield _timeline(view, terms, now_ms)


def _who_holds_what(view: View, rows: Sequence[Role], now_ms: int) -> Grid:
    cells: list[list[Cell]] = []
    for row in rows:
        term = term_of(view, row.role, now_ms)
        name = Ref(row.id, "record", row.role)
        if term is None:
            later = given_later(view, row.role, now_ms)
            cells.append(
                [name, State("vacant", "warn"), When(later[0].since_ms) if later else "", "", "", _spoken(row.permitted)]
            )
            continue
        cells.append([
            name, _holding(view, term, now_ms), When(term.since_ms), When(term.until_ms), _shadow(view, term, now_ms),
            _held(view, term, now_ms),
        ])  # fmt: skip
    return Grid(
        "Who holds what", ("Role", "Who", "From", "Until", "Shadow", "May write, and nobody else"), cells,
        "No role is defined yet. A role says what somebody decides alone and for how long; it ends by itself at the new moon. "
        "Define one for what always the same people do.",
    )  # fmt: skip


def _holding(view: View, term: Term, now_ms: int) -> Ref:
    """Who holds a term; that they step back just now is said beside the name."""
    rests = resting_of(view, term.holder, now_ms, term.role)
    return Ref(term.holder, "member", f"{name_of(view, term.holder)} (steps back now)") if rests else _member(view, term.holder)


def _vacant(view: View, rows: Sequence[Role], now_ms: int) -> Iterator[Block]:
    empty = [row for row in rows if term_of(view, row.role, now_ms) is None and not given_later(view, row.role, now_ms)]
    if not empty:
        return
    kept = [row.role for row in empty if any(each.since_ms <= now_ms < each.until_ms for each in _kept(view, row))]
    yield Heading("Vacant", 3)
    if kept:
        keeps = "it keeps to itself" if len(kept) == 1 else "they keep to themselves"
        yield Text(f"As long as nobody holds {listed(kept, 'or')}, what {keeps} takes a decision each time.", "warn")
    for row in empty:
        yield from give_actions(view, row, now_ms)


def give_actions(view: View, row: Role, now_ms: int) -> Iterator[Action]:
    """How the next term of a role can be given."""
    subject = lot_subject(view, row)
    if drawn := standing(view, "role", subject):
        yield Action("role.taken/1", {"role": row.role}, f"Take {row.role}, as the lot has drawn", who=drawn)
    elif not has_lot(view, "role", subject, now_ms):
        filled = {"purpose": "role", "subject": subject.hex(), "seats": "1"}
        yield Action("lot.opened/1", filled, f"Draw who takes {row.role} by lot")
    elected = {"role": row.role, "definition": row.id.hex(), "chosen": "consent"}
    yield Action("role.appointed/1", elected, f"Propose an election for {row.role}")


def _paused(view: View, now_ms: int) -> Iterator[Block]:
    made = open_calls(view, now_ms)
    if not made:
        return
    yield Grid(
        "What rests until the assembly has looked", ("Role", "What", "Since", "Called by", "Reasons"),
        [
            [
                Ref(term.id, "record", term.role), spoken_kind(each.kind), When(each.since_ms), _member(view, each.caller),
                each.reasons,
            ]
            for each, term in made
        ],
    )  # fmt: skip
    for each, term in made:
        yield from _answers(view, each, term, now_ms)


def _answers(view: View, made: Call, term: Term, now_ms: int) -> Iterator[Block]:
    """How the assembly looks at a call, and who has a vote on it."""
    here = len(members_at(view, now_ms))
    if answered_without(view, made):
        yield Text("Holder and shadow have no vote on it.")
    elif here > 1:
        yield Text(
            f"You are {counted(here, 'member')}, too few to decide without holder and shadow. So both vote too, and it takes"
            " two people in favour: nobody answers it alone."
        )
    told = f"“{spoken_kind(made.kind)}” for {term.role}"
    yield Action("role.call-answered/1", {"call": made.id.hex(), "outcome": "resume"}, f"Propose to resume {told}")
    yield Action("role.call-answered/1", {"call": made.id.hex(), "outcome": "revoke"}, f"Propose to revoke {told}")


def _handovers(view: View, terms: Sequence[Term], now_ms: int) -> Iterator[Block]:
    """Terms that ended within the days of grace, and whether they were handed over."""
    grace_ms = view.parameter(GRACE_DAYS, now_ms) * DAY_MS
    over = [term for term in terms if term.since_ms < term.until_ms <= now_ms < term.until_ms + grace_ms]
    if not over or not sees_members(view):
        return
    cells: list[list[Cell]] = []
    for term in sorted(over, key=lambda each: (-each.until_ms, each.position)):
        missing = is_missing(view, term, term_of(view, term.role, now_ms), now_ms)
        written = handover_of(view, term)
        told: Cell = Ref(written.id, "record", "handed over") if written else State("to be written", "warn") if missing else ""
        cells.append([
            Ref(term.id, "record", term.role), _member(view, term.holder), When(term.until_ms),
            When(term.until_ms + grace_ms), told,
        ])  # fmt: skip
    yield Grid("Ended lately: to hand over", ("Role", "Who", "Ended", "Time to hand over until", ""), cells)


def _marks(view: View, terms: Sequence[Term], now_ms: int) -> list[Mark]:
    ends_ms = cycle_ends_ms(now_ms)
    near = [term for term in terms if now_ms <= term.until_ms <= ends_ms and term.since_ms < term.until_ms]
    return [Mark(f"{term.role} ends", term.until_ms) for term in sorted(near, key=lambda each: (each.until_ms, each.role))]


def _timeline(view: View, terms: Sequence[Term], now_ms: int) -> Timeline:
    """Who held what: the last year of moons, and what is given already."""
    from_ms = now_ms - SHOWN_CYCLES * 30 * DAY_MS
    shown = [term for term in terms if term.since_ms < term.until_ms and term.until_ms > from_ms]
    spans = [
        Span(
            name_of(view, term.holder), term.since_ms, term.until_ms, _how(term, now_ms), term.role,
            "good" if holds(term, now_ms) else "warn" if term.ended else "calm",
        )
        for term in sorted(shown, key=lambda each: (each.role, each.since_ms, each.position))
    ]  # fmt: skip
    return Timeline("Who held what, and when", spans, now_ms)


# One role, one term, one call


def about(view: View, digest: bytes, now_ms: int) -> Iterator[Block]:
    """The page of a role, a term or a shadow's call; nothing for any other record."""
    found = view.all(ROLES, id=digest)
    earlier, term, made = view.get(DEFINITIONS, digest), view.get(TERMS, digest), view.get(CALLS, digest)
    if found:
        yield from _role(view, found[0], now_ms)
    elif earlier:
        yield from _earlier(view, earlier)
    elif term:
        yield from _term(view, as_held(view, term), now_ms)
    elif made:
        yield from _call(view, made, now_ms)


def _role(view: View, row: Role, now_ms: int) -> Iterator[Block]:
    terms, current = terms_of(view, row.role), term_of(view, row.role, now_ms)
    yield Heading(row.role)
    yield from _prose("What it decides by itself", row.domain)
    yield from _prose("What it has to do", row.duties)
    facts: list[tuple[str, Cell]] = [("A term lasts", counted(row.cycles, "cycle"))]
    if row.ended_ms <= now_ms:
        facts.append(("Dissolved", When(row.ended_ms)))
    elif current:
        facts += [
            ("Held by", _member(view, current.holder)), *_rest(view, current, now_ms), ("Until", When(current.until_ms)),
            ("Shadow", _shadow(view, current, now_ms)),
            ("This term", Ref(current.id, "record", f"given {_how(current, now_ms)}")),
        ]  # fmt: skip
    else:
        facts.append(("Held by", State("nobody", "warn")))
    yield Facts([*facts, *_left_before(view, row.role, current.since_ms if current else now_ms)])
    anew = current is not None and current.definition != row.id
    if anew or row.permitted or not current:  # else the term of now says that it has none
        yield _may(row.permitted, "What it may write from the next term on" if anew else "What it may write, and nobody else")
    if row.ended_ms > now_ms:
        if current:
            yield from _current(view, row, current, now_ms)
        if not given_later(view, row.role, now_ms):
            yield from give_actions(view, row, now_ms)
        redefined = {"role": row.role, "cycles": str(row.cycles), "domain": row.domain, "duties": row.duties}
        for number, each in enumerate(row.permitted):
            redefined[f"permissions.{number}.kind"] = each.kind
            redefined[f"permissions.{number}.up_to"] = decimal(each.up_to)
        yield Action("role.defined/1", {name: text for name, text in redefined.items() if text}, f"Redefine {row.role}")
        yield Action("role.dissolved/1", {"role": row.role}, f"Propose to dissolve {row.role}")
    yield from _learnt(view, terms, current, now_ms)
    yield _past(view, terms, now_ms)
    if terms:
        yield _timeline(view, terms, now_ms)


def _rest(view: View, term: Term, now_ms: int) -> list[tuple[str, Cell]]:
    """That who holds a term steps back just now, and who does it meanwhile, in a view that may see it."""
    row = resting_of(view, term.holder, now_ms, term.role) if holds(term, now_ms) else None
    if row is None:
        return []
    found = stand_ins(view, row, now_ms)
    meanwhile: Cell = _member(view, found[0]) if found else State("nobody has taken over", "warn")
    return [
        ("Steps back until", When(row.until_ms)), ("Meanwhile", meanwhile), ("As planned", Ref(row.id, "record", "sabbatical")),
    ]  # fmt: skip


def _earlier(view: View, earlier: Definition) -> Iterator[Block]:
    """A definition that another has taken the place of."""
    row = view.get(ROLES, earlier.role)
    yield Heading(earlier.role)
    yield Text("This role was defined anew since. Terms that were given with this definition keep it until their end.")
    facts: list[tuple[str, Cell]] = [("A term lasted", counted(earlier.cycles, "cycle"))]
    if row:
        facts.append(("As it is now", Ref(row.id, "record", row.role)))
    yield Facts(facts)
    yield _may(earlier.permitted, "What it might write")


def _current(view: View, row: Role, term: Term, now_ms: int) -> Iterator[Block]:
    """What is in force in the term of now, and what can be done with it."""
    yield from _in_this_term(view, term, now_ms)
    yield from _shadow_actions(view, term, now_ms)
    if can_renew(view, term, now_ms) and not given_later(view, row.role, now_ms):
        yield Action("role.renewed/1", {"term": term.id.hex(), "definition": row.id.hex()}, f"Propose to renew {row.role}")
    yield Action("role.recalled/1", {"term": term.id.hex()}, f"Propose a recall from {row.role}")
    yield Action("role.resigned/1", {"term": term.id.hex()}, f"Step down from {row.role}", who=(term.holder,))


def _shadow_actions(view: View, term: Term, now_ms: int) -> Iterator[Action]:
    shadow = standing(view, "shadow", term.id)
    if not shadow:
        if not has_lot(view, "shadow", term.id, now_ms) and len(members_at(view, now_ms)) > 1:
            filled = {"purpose": "shadow", "subject": term.id.hex(), "seats": "1"}
            yield Action("lot.opened/1", filled, f"Draw a shadow for {term.role}")
        return
    yield Action("shadow.noted/1", {"term": term.id.hex()}, "Write into the journal", who=shadow)
    left = view.parameter(SHADOW_CALLS, now_ms) - len(view.all(CALLS, term=term.id))
    for grant in _grants(view, term) if left > 0 else ():
        if not grant.paused and now_ms < grant.until_ms:
            filled = {"term": term.id.hex(), "kind": grant.name}
            yield Action("role.called/1", filled, f"Pause “{spoken_kind(grant.name)}”", who=shadow)


def _in_this_term(view: View, term: Term, now_ms: int) -> Iterator[Block]:
    rows: list[list[Cell]] = []
    steps_back = resting_of(view, term.holder, now_ms, term.role)
    for grant in _grants(view, term):
        over, rests = grant.until_ms <= now_ms, grant.paused or steps_back
        state = State("over", "calm") if over else State("rests", "warn") if rests else State("in force", "good")
        if not over and now_ms < grant.since_ms:
            state = State("to come")
        rows.append([spoken_kind(grant.name), _limit(grant.up_to), state, When(grant.until_ms)])
    yield Grid(
        "Permissions of this term", ("What", "Up to", "", "Until"), rows, "This role is one of duties, without permissions."
    )


def _term(view: View, term: Term, now_ms: int) -> Iterator[Block]:
    row = view.get(ROLES, term.role)
    yield Heading(f"A term as {term.role}")
    facts: list[tuple[str, Cell]] = [
        ("Role", Ref(row.id, "record", term.role) if row else term.role), ("Held by", _member(view, term.holder)),
        *_rest(view, term, now_ms),
        ("From", When(term.since_ms)), ("Until", When(term.until_ms)), ("Given", _how(term, now_ms)),
        ("Defined as", Ref(term.definition, "record", "at that time")),
        ("Terms in a row", in_a_row(view, term)), ("Shadow", _shadow(view, term, now_ms)),
    ]  # fmt: skip
    if term.previous:
        facts.append(("The one before", Ref(term.previous, "record", "term before")))
    yield Facts([*facts, *_left_before(view, term.role, term.since_ms)])
    yield from _prose("What the term before achieved", term.achieved)
    yield from _prose("Why it was renewed", term.reasons)
    yield from _prose("Why it ended before its time", term.why)
    if holds(term, now_ms) and row:
        yield from _current(view, row, term, now_ms)
    else:
        yield from _in_this_term(view, term, now_ms)
    calls = view.all(CALLS, term=term.id, order="since_ms")
    if calls:
        yield Grid(
            "Calls of the shadow", ("What", "When", "Reasons", ""),
            [[Ref(each.id, "record", spoken_kind(each.kind)), When(each.since_ms), each.reasons, State(*OUTCOMES[each.outcome])]
             for each in calls],
        )  # fmt: skip
    yield from _for_members(view, term, now_ms)


def _for_members(view: View, term: Term, now_ms: int) -> Iterator[Block]:
    """The shadow's journal and the handover, in a view that may see them."""
    if not sees_members(view) or now_ms < term.since_ms:
        return
    yield _journal(view, term)
    yield Heading("Handover", 3)
    pack = handover_of(view, term)
    if pack:
        yield from _pack(view, pack)
    else:
        yield Text(
            "Not written yet. It takes half a page: what is open, who is waiting, where things are, what you would change."
        )
    yield Action("role.handed-over/1", {"term": term.id.hex()}, f"Hand over {term.role}", who=(term.holder,))


def _learnt(view: View, terms: Sequence[Term], current: Term | None, now_ms: int) -> Iterator[Block]:
    """What a role's shadow writes in the term of now, and what was last handed over, in a view that may see them."""
    if not sees_members(view):
        return
    if current:
        yield _journal(view, current)
    begun = sorted((term for term in terms if term.since_ms <= now_ms), key=lambda each: (each.since_ms, each.position))
    for term in reversed(begun):
        pack = handover_of(view, term)
        if pack:
            yield Heading("The last handover", 3)
            yield Facts(
                [("Of the term", Ref(term.id, "record", f"of {name_of(view, term.holder)}")), ("Began", When(term.since_ms))]
            )
            yield from _pack(view, pack)
            return


def _journal(view: View, term: Term) -> Grid:
    notes = view.all(NOTES, term=term.id, order="position")
    return Grid(
        "Journal of the shadow", ("When", "By", "What was seen", "What comes again"),
        [[When(each.at_ms), _member(view, each.author), each.observations, each.patterns] for each in notes],
        "Nothing is written yet. The shadow notes what they see, so that the next holder and the assembly can learn from it.",
    )  # fmt: skip


def _pack(view: View, pack: Handover) -> Iterator[Block]:
    yield Facts([("Written", When(pack.at_ms)), ("By", _member(view, pack.author))])
    yield from _prose("What is open", pack.open_matters)
    yield from _prose("Who is waiting", pack.waiting)
    yield from _prose("Where things are", pack.places)
    yield from _prose("What I would do differently", pack.otherwise)


def _left_before(view: View, role: str, before_ms: int) -> list[tuple[str, Cell]]:
    """A link to what the term before left, whoever held it, where it was written and may be seen."""
    pack = left_before(view, role, before_ms)
    return [("Handed over before", Ref(pack.id, "record", f"by {name_of(view, pack.author)}"))] if pack else []


def _call(view: View, made: Call, now_ms: int) -> Iterator[Block]:
    term = view.get(TERMS, made.term)
    yield Heading("A shadow's call")
    facts: list[tuple[str, Cell]] = [
        ("What rests", spoken_kind(made.kind)), ("Called by", _member(view, made.caller)), ("Since", When(made.since_ms)),
        ("Answer", State(*OUTCOMES[made.outcome])),
    ]  # fmt: skip
    if made.outcome:
        facts.append(("Answered", When(made.answered_ms)))
    if term:
        facts.insert(0, ("Term", Ref(term.id, "record", term.role)))
    yield Facts(facts)
    yield from _prose("Reasons", made.reasons)
    yield from _prose("What the assembly said", made.answer)
    for each, held in open_calls(view, now_ms):
        if each.id == made.id:
            yield from _answers(view, each, held, now_ms)


def _past(view: View, terms: Sequence[Term], now_ms: int) -> Grid:
    over = [term for term in reversed(terms) if term.since_ms < term.until_ms <= now_ms]
    return Grid(
        "Past terms", ("Who", "From", "Until", "Given", "Ended"),
        [
            [Ref(term.id, "record", name_of(view, term.holder)), When(term.since_ms), When(term.until_ms),
             CHOSEN.get(term.chosen, term.chosen), ENDED.get(term.ended, term.ended)]
            for term in over
        ],
        "No term has ended yet.",
    )  # fmt: skip


# Parts


def _kept(view: View, row: Role) -> tuple[Reservation, ...]:
    return view.all(RESERVED, role=row.role)


def _grants(view: View, term: Term) -> tuple[Grant, ...]:
    return view.all(GRANTS, source=term.id, order="name")


def _may(permissions: Sequence[Permission], caption: str) -> Grid:
    rows: list[list[Cell]] = [[spoken_kind(each.kind), _limit(each.up_to)] for each in permissions]
    return Grid(caption, ("What", "Up to"), rows, "This role is one of duties, without permissions.")


def _spoken(permissions: Sequence[Permission]) -> str:
    if not permissions:
        return NO_PERMISSIONS
    return listed([spoken_kind(each.kind) + (f" up to {_limit(each.up_to)}" if each.up_to else "") for each in permissions])


def _held(view: View, term: Term, now_ms: int) -> str:
    """What a term may write now."""
    grants = [grant for grant in _grants(view, term) if now_ms < grant.until_ms]
    rests = listed([spoken_kind(grant.name) for grant in grants if grant.paused])
    told = _spoken([Permission(grant.name, grant.up_to) for grant in grants if not grant.paused])
    return f"{told}; {rests} rests" if rests and told != NO_PERMISSIONS else f"{rests} rests" if rests else told


def _limit(up_to: int) -> str:
    return decimal(up_to) if up_to else "without a limit"


def _member(view: View, member: bytes) -> Ref:
    return Ref(member, "member", name_of(view, member))


def _shadow(view: View, term: Term, now_ms: int) -> Cell:
    shadows = standing(view, "shadow", term.id)
    if shadows:
        return _member(view, shadows[0])
    if has_lot(view, "shadow", term.id, now_ms):
        return "the lot is under way"
    return State("not drawn", "warn") if holds(term, now_ms) else "none was drawn"


def _how(term: Term, now_ms: int) -> str:
    given = CHOSEN.get(term.chosen, term.chosen)
    return f"{given}; {ENDED.get(term.ended, term.ended)}" if term.ended and term.until_ms <= now_ms else given


def _prose(label: str, words: str) -> Iterator[Block]:
    if words.strip():
        yield Text(f"{label}:")
        yield Prose(words)
