"""Whether a record holds, and what it changes: the same lines at submit, in replay, and for a peer's log.

A `Fold` takes one log's records in their order. For each, in this order:

1. its author's signature must be genuine and its bytes a record, else it is a problem;
2. its entry's flag must say what its audience says (0 for public);
3. the author's clock must be later than that of the author's last act for the same audience, and not ahead of the log;
4. an unknown kind changes nothing else: who knows it later comes to the same verdict on what follows it;
5. its audience must be neither wider nor narrower than its kind allows, its body must be in form, with no unknown field;
6. its author must hold the grant that the kind needs, at the entry's own time (`logged`), or a decision must have given
   leave for exactly this act, which is used up by it (`protocol.mandate`);
7. the kind's rule says what changes, seeing only rows at least as public as the record;
8. no change may touch a row that is more public than the record.

What fails from 1 on has no effect but a row in `problem`. A fold never raises on what stands in a log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from protocol import record
from protocol.body import decimal, erasable_fields
from protocol.mandate import ANYBODY, DECISION, STAND_IN, act_name
from protocol.practice import (
    GRANTS,
    KEYS,
    LATEST,
    PROBLEMS,
    RESERVED,
    RESTS,
    Act,
    Change,
    Grant,
    Kind,
    Latest,
    Own,
    Problem,
    Put,
    Reader,
    Refused,
    Rest,
)
from protocol.record import ALLIES, MEMBERS, PUBLIC, Record, RecordError
from protocol.terms import TERMS

AHEAD_MS = 11 * 60_000  # a clock may be ten minutes ahead, and `logged` is a whole minute


LONGEST = 200  # characters of a sentence that quotes a record
STUMBLED = "cannot make anything of this record"  # said of a rule that fails, which tests look for


class Stored(Struct, frozen=True):
    """A record at its place in a log, as a store holds it."""

    position: int
    flag: int
    logged_ms: int
    digest: bytes
    raw: bytes
    annex: bytes | None
    genuine: bool = True  # the author's signature was checked and stands


class Verdict(Struct, frozen=True):
    """What a record changes, and the audience of the rows."""

    audience: int
    changes: tuple[Change, ...]
    refused: str = ""  # why it has no effect
    kind: str = ""


def require(own: Own, member: bytes, name: str, amount: int, at_ms: int) -> None:
    """Refuse unless a grant in force at that instant covers it; the sentence says which grant and since when."""
    reason = f"You have not been given “{name}”. A role or a decision can give it."
    if name == DECISION:
        reason = "This takes a decision for exactly this act, by others than those whom it concerns. Propose it first."
    for grant in sorted(own.all(GRANTS, holder=member, name=name), key=lambda each: (each.until_ms, each.source)):
        if at_ms >= grant.until_ms:
            reason = f"{grant.why} ended at {spoken_time(grant.until_ms)}. Ask for a new appointment."
        elif at_ms < grant.since_ms:
            reason = f"{grant.why} begins at {spoken_time(grant.since_ms)}."
        elif grant.paused:
            reason = f"{grant.why} is paused by its shadow until the assembly has looked."
        elif rests := rests_of(own, grant, at_ms):
            found = [each for row in rests for each in own.all(GRANTS, source=row.id) if each.since_ms <= at_ms < each.until_ms]
            meanwhile = "Whoever took over does this meanwhile." if found else "Nobody has taken over yet."
            until_ms = max(row.until_ms for row in rests)
            reason = f"{grant.why} rests until {spoken_time(until_ms)}, while you step back. {meanwhile}"
        elif amount > grant.up_to > 0:
            reason = f"{grant.why} covers amounts up to {decimal(grant.up_to)}; this is {decimal(amount)}."
        else:
            return
    raise Refused(reason)


def rests_of(own: Own, grant: Grant, at_ms: int) -> tuple[Rest, ...]:
    """The rests in which a grant lies that came with the term of a role; no other grant rests."""
    if "/" not in grant.name:
        return ()
    rests = [row for row in own.all(RESTS, holder=grant.holder) if row.since_ms <= at_ms < row.until_ms]
    term = own.get(TERMS, grant.source) if rests else None
    return tuple(row for row in rests if term and row.role in ("", term.role))


def _stands_in(own: Own, member: bytes, name: str, amount: int, at_ms: int) -> bool:
    """Whether somebody stands in for who rests from a grant: they may what that grant lets its holder write, and no more."""
    for ours in own.all(GRANTS, holder=member, name=STAND_IN):
        rest = own.get(RESTS, ours.source) if ours.since_ms <= at_ms < ours.until_ms else None
        for grant in own.all(GRANTS, holder=rest.holder, name=name) if rest else ():
            covers = (
                not grant.paused and grant.since_ms <= at_ms < grant.until_ms and (not grant.up_to or amount <= grant.up_to)
            )
            if covers and rest in rests_of(own, grant, at_ms):
                return True
    return False


def authority(own: Own, kind: Kind[Any], act: Act[Any], structure: Mapping[str, Any]) -> tuple[Change, ...]:
    """Refuse an act that nothing allows; else what it uses up: the leave that a decision gave for exactly this act."""
    needs = kind.takes(own, act) if kind.takes else kind.needs
    if not needs:
        return ()
    try:
        require_kind(own, kind, act.member, kind.weigh(act.body), act.logged_ms, needs)
    except Refused:
        if needs == "member" and not roles_with(own, kind, act.logged_ms):
            raise  # membership is lost: no decision stands in for it
        leave = _exact(own, kind, act, structure)
        if leave is None:
            raise
        return (GRANTS.patch(leave.source, leave.name, ANYBODY, until_ms=act.logged_ms),)
    return ()


def require_kind(own: Own, kind: Kind[Any], member: bytes, amount: int, at_ms: int, needs: str = "") -> None:
    """Refuse unless somebody may write a kind at an instant by what they hold: a role's grant where a role keeps the kind,
    else what the kind needs, or this act of it."""
    roles = roles_with(own, kind, at_ms)
    if roles:
        _require_role(own, kind, member, amount, at_ms, roles)
    elif needs or kind.needs:
        require(own, member, needs or kind.needs, amount, at_ms)


def roles_with(own: Own, kind: Kind[Any], at_ms: int) -> tuple[str, ...]:
    """The roles that keep a kind to themselves at an instant."""
    rows = own.all(RESERVED, kind=kind.name) if kind.duty else ()
    return tuple(sorted(row.role for row in rows if row.since_ms <= at_ms < row.until_ms))


def _require_role(own: Own, kind: Kind[Any], member: bytes, amount: int, at_ms: int, roles: tuple[str, ...]) -> None:
    """A kind that roles keep to themselves: by a grant of its own name, and by nothing else."""
    try:
        require(own, member, kind.name, amount, at_ms)
    except Refused as refusal:
        if _stands_in(own, member, kind.name, amount, at_ms):
            return
        if own.all(GRANTS, holder=member, name=kind.name, limit=1):
            raise
        named = " or ".join(f"“{role}”" for role in roles)
        if any(row.since_ms <= at_ms < row.until_ms for row in own.all(GRANTS, name=kind.name)):
            raise Refused(
                f"“{kind.title}” belongs to the role {named}, which you do not hold. Ask who holds it, or propose a decision."
            ) from refusal
        raise Refused(
            f"“{kind.title}” belongs to the role {named}, and nobody holds it now. Draw who takes it by lot, or propose an "
            "election; until then it takes a decision."
        ) from refusal


def _exact(own: Own, kind: Kind[Any], act: Act[Any], structure: Mapping[str, Any]) -> Grant | None:
    """The leave for exactly this act that is in force now, if its author is a member; Refused if it was, and is over."""
    name = act_name(kind.name, structure, kind.concerns(own, act.body))
    given = sorted(own.all(GRANTS, holder=ANYBODY, name=name), key=lambda each: (each.until_ms, each.source))
    if not given:
        return None
    require(own, act.member, "member", 0, act.logged_ms)
    for leave in given:
        if leave.since_ms <= act.logged_ms < leave.until_ms:
            return leave
    raise Refused(
        f"{given[-1].why} gave leave for this until {spoken_time(given[-1].until_ms)}: it was used, or lapsed. Decide anew."
    )


def require_audience(kind: Kind[Any], scope: int) -> None:
    """Refuse a record whose audience is wider than its kind allows, or narrower."""
    if (scope if scope < record.NAMED else ALLIES) < kind.audience:  # named spaces are others too
        raise Refused(f"“{kind.title}” is not for so wide an audience. Leave the audience as the form gives it.")
    if kind.in_public and scope != PUBLIC:
        raise Refused(kind.in_public)


def spoken_time(ms: int) -> str:
    """An instant as text in UTC, by the proleptic Gregorian calendar, without a clock or a time zone table."""
    days, rest = divmod(ms // 60_000, 1440)
    z = days + 719_468
    era, doe = divmod(z, 146_097)
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    return (
        f"{yoe + era * 400 + (month <= 2):04}-{month:02}-{doy - (153 * mp + 2) // 5 + 1:02} {rest // 60:02}:{rest % 60:02} UTC"
    )


class Fold:
    """One log's records on their way into tables. Clocks of authors are kept here and written by `finish`."""

    def __init__(self, reader: Reader, space: int, kinds: Mapping[str, Kind[Any]]) -> None:
        self.reader, self.space, self.kinds = reader, space, kinds
        self._space_id = reader.space_id(space)
        self._owns: dict[int, Own] = {}
        self._clocks: dict[tuple[bytes, int], int] = {}
        self._moved: set[tuple[bytes, int]] = set()

    def take(self, stored: Stored) -> Verdict:
        """What this record changes. Never raises on what the record holds."""
        hidden = MEMBERS if stored.flag else PUBLIC
        try:
            read = record.parse(stored.raw)
        except RecordError as error:
            return self._problem(stored, hidden, "", f"Not a record: {error}.")
        if not stored.genuine:
            return self._problem(
                stored, max(hidden, min(read.scope, MEMBERS)), read.kind, "The author's signature is not genuine."
            )
        try:
            return self.judge(stored, read)
        except Refused as refusal:
            scope = read.scope if (read.audience != PUBLIC) == bool(stored.flag) else MEMBERS
            return self._problem(stored, scope, read.kind, str(refusal))

    def submit(self, stored: Stored, read: Record, words: Mapping[str, str] | None = None) -> Verdict:
        """As `judge`; a record that is refused leaves no trace, because it will not be in the log."""
        at = (read.author, read.scope)
        clock, moved = self._clocks.get(at), at in self._moved
        try:
            return self.judge(stored, read, words)
        except Refused:
            if clock is None:
                self._clocks.pop(at, None)
            else:
                self._clocks[at] = clock
            if not moved:
                self._moved.discard(at)
            raise

    def judge(self, stored: Stored, read: Record, words: Mapping[str, str] | None = None) -> Verdict:
        """What this record changes; Refused with the sentence for its author if it does not hold.

        `words` are those of its annex, where the caller has them without reading it.
        """
        scope = read.scope
        if (read.audience != PUBLIC) != bool(stored.flag):
            raise Refused("Its entry says another audience than the record.")
        own = self.own(scope)
        self._tick(own, read, stored.logged_ms)
        kind = self.kinds.get(read.kind)
        if kind is None:
            return Verdict(scope, (), "", read.kind)
        require_audience(kind, scope)
        body = to_body(kind, read.body, record.words_of(stored.annex, read.annex_hash) if words is None else words)
        act = Act(
            self.space, stored.digest, stored.position, stored.logged_ms, read.author,
            self.member(own, read.author, stored.logged_ms), scope, body,
        )  # fmt: skip
        changes = _changes(kind, own, act, read.body)
        if scope != PUBLIC:
            self._refuse_wider(changes, scope)
        return Verdict(scope, changes, "", read.kind)

    def finish(self) -> list[tuple[int, Change]]:
        """The authors' clocks that moved, as (audience, change): write them with the rest of the batch."""
        moved: list[tuple[int, Change]] = [
            (scope, LATEST.put(Latest(self.space, key, scope, self._clocks[key, scope]))) for key, scope in sorted(self._moved)
        ]
        self._moved.clear()
        return moved

    def own(self, scope: int) -> Own:
        """This space's rows as an act of this scope may see them."""
        own = self._owns.get(scope)
        if own is None:
            own = self._owns[scope] = Own(self.reader, self.space, scope)
        return own

    def member(self, own: Own, author: bytes, at_ms: int) -> bytes:
        """The member for whom a key speaks at an instant: itself if no row says otherwise."""
        row = own.get(KEYS, author)
        if row is None:
            return author
        if at_ms < row.since_ms:
            raise Refused(f"This key counts from {spoken_time(row.since_ms)}. Sign with another of your devices.")
        if at_ms >= row.until_ms:
            raise Refused(f"This key was retired at {spoken_time(row.until_ms)}. Sign with another of your devices.")
        return row.member

    def _tick(self, own: Own, read: Record, logged_ms: int) -> None:
        if read.at_ms > logged_ms + AHEAD_MS:
            raise Refused(
                "The author's clock is ahead of the log by more than ten minutes. Set the clock right and write it anew."
            )
        at = (read.author, read.scope)
        last = self._clocks.get(at)
        if last is None:
            row = own.get(LATEST, *at)
            last = row.at_ms if row else -1
        if read.at_ms <= last:
            raise Refused("The author has written something later already: this is a copy, or out of order. Write it anew.")
        self._clocks[at] = read.at_ms
        self._moved.add(at)

    def _refuse_wider(self, changes: tuple[Change, ...], scope: int) -> None:
        for change in changes:
            if isinstance(change, Put):
                row = change.row
                key = tuple(getattr(row, column) for column in change.table.key)
            else:
                key = change.key
            held = self.reader.row_audience(change.table, self.space, key)
            if held is not None and held != scope and not scope < held < record.NAMED:  # others see what named spaces see
                raise Refused("This is more public than your record. Write it for the same audience as what it changes.")

    def _problem(self, stored: Stored, scope: int, kind: str, reason: str) -> Verdict:
        row = Problem(self.space, stored.position, stored.digest, kind, reason)
        return Verdict(scope, (PROBLEMS.put(row),), reason, kind)


def _changes(kind: Kind[Any], own: Own, act: Act[Any], structure: Mapping[str, Any]) -> tuple[Change, ...]:
    """What it uses up and what the rule says; one that fails on what a record holds refuses it: no record stops a fold."""
    try:
        return authority(own, kind, act, structure) + tuple(kind.rule(own, act))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise Refused(f"The rules of “{kind.title}” {STUMBLED}.") from error


def to_body(kind: Kind[Any], structure: Mapping[str, Any], words: Mapping[str, str]) -> Any:
    """The body of a kind from the record's structure and the annex's words; Refused if the structure is not in form.

    Words are taken as they are: no limit on them can make a record fail, because they can be erased.
    """
    into: type[Struct] = kind.body
    erasable = erasable_fields(into)
    for name in erasable:
        if name in structure:
            raise Refused(f"“{name}” belongs into the annex, where it can be erased.")
    try:
        body = msgspec.convert(structure, into, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise Refused(f"Not in form: {str(error)[:LONGEST]}.") from error
    if not erasable or not words:
        return body
    return msgspec.structs.replace(body, **{name: words[name] for name in erasable if name in words})
