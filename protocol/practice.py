"""The values a practice is made of, and what a practice may see.

A practice is one file in `protocol/practices/` that ends in ``PRACTICE = Practice(...)``; everything else (tables,
forms, arguments, API, pages, documentation, tests of the laws) is derived from that value. Rules:

- Every table's first column is `space`, a small number by which the store names a space. A record changes rows of its
  own space only, so tables are a union of independent folds, one a log, and the order in which logs arrive is no matter.
- `Kind.rule` sees the act and its own space *before* it (`Own`), never a clock, never another space. It raises
  `Refused`, or says what changes. Submit, replay and a peer's log run the same lines.
- `due`, `figures` and `page` see everything this node holds (`View`) and take the time as an argument.
- Words are erasable, structure is not: a field marked ``erasable`` is text, has the default "" and never decides anything.
- What decides about a record must be at least as public as the record. The store keeps an audience beside every row
  (that of the act that wrote it); a rule reads through it and never sees a row that is narrower than its act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Generic, Protocol, TypeVar

from msgspec import Meta, Struct

from protocol.page import Block

FOREVER_MS = 2**52
PUBLIC, ALLIES, MEMBERS = 0, 1, 2  # each sees what stands before it; from 16 on: one list of named spaces
EVERYTHING = 2**31
KEY_BYTES = 32

Value = str | int | bytes | bool | None


class Least(Struct, frozen=True):
    """In place of a column's value: not equal to it, but at least so much. It goes last, where an index ends in the column."""

    value: int


Asked = Value | Least
Digest = Annotated[bytes, Meta(min_length=32, max_length=32, extra={"widget": "record"})]
SpaceId = Annotated[bytes, Meta(min_length=32, max_length=32, extra={"widget": "space"})]
MemberKey = Annotated[bytes, Meta(min_length=32, max_length=32, extra={"widget": "member"})]


def keys(joined: bytes) -> tuple[bytes, ...]:
    """Keys or digests, 32 bytes each, that a column holds one after another."""
    return tuple(joined[at : at + KEY_BYTES] for at in range(0, len(joined), KEY_BYTES))


def field(
    label: str,
    help: str = "",
    *,
    widget: str = "",
    example: str = "",
    erasable: bool = False,
    required: bool = False,
    **limits: Any,
) -> Meta:
    """Label, help, example, limits and widget of a body's field, for forms, arguments and documentation alike.

    `erasable` puts the words into the annex; `required` asks for them at submit although the field has a default.
    Widgets: ``text`` (many lines), ``date``, ``instant``, ``money`` (decimal in, minor units kept), ``record``,
    ``member``, ``space``, ``spaces``, ``kind``, ``parameter``, ``account``.
    """
    extra = {"widget": widget, "example": example, "erasable": erasable, "required": required}
    return Meta(title=label, description=help, extra=extra, **limits)


class Refused(Exception):
    """A record that its kind's rules do not allow; the message is the sentence that the member reads."""


class Row(Struct, frozen=True):
    """One row of a read table; subclasses add columns (int, bool, str, bytes, or one of them or None)."""

    space: int


R = TypeVar("R", bound=Row)
B = TypeVar("B", bound=Struct)


class Total(Struct, frozen=True):
    """Sums of a column by others, kept as rows are written, so that `Own.sums` over them does not read every row."""

    column: str
    by: tuple[str, ...]


class Table(Struct, Generic[R], frozen=True, eq=False):
    """A read table: its row type is its columns; keys and indexes begin with `space` without being told.

    `shared` are indexes across spaces, for `View.everywhere`; `erasable` are the columns that hold
    words of an annex. The store adds a last column `audience` by itself.
    """

    name: str
    row: type[R]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    shared: tuple[tuple[str, ...], ...] = ()
    erasable: tuple[str, ...] = ()
    totals: tuple[Total, ...] = ()  # a row is then written once, and what is summed never patched

    def put(self, row: R) -> Put:
        """Write this whole row (insert or replace)."""
        return Put(self, row)

    def patch(self, *key: Value, **columns: Value) -> Patch:
        """Set some columns of the row with this key (without `space`)."""
        return Patch(self, key, columns)

    def drop(self, *key: Value) -> Drop:
        """Remove the row with this key (without `space`)."""
        return Drop(self, key)


class Put(Struct, frozen=True):
    """Write one whole row."""

    table: Table[Any]
    row: Row


class Patch(Struct, frozen=True):
    """Set some columns of one row."""

    table: Table[Any]
    key: tuple[Value, ...]
    columns: dict[str, Value]


class Drop(Struct, frozen=True):
    """Remove one row."""

    table: Table[Any]
    key: tuple[Value, ...]


Change = Put | Patch | Drop


class Act(Struct, Generic[B], frozen=True):
    """A record at its place in a log. At submit it is sealed first, so that this is complete then too."""

    space: int
    digest: bytes
    position: int
    logged_ms: int  # the log's own time, to the minute: never before that of any record before it
    author: bytes  # the key that signed
    member: bytes  # the member whose key it is (their first key), or the author's key itself
    audience: int  # 0, 1, 2; from 16 on: named spaces
    body: B


class Grant(Row, frozen=True):
    """That a member may do something from one instant to another. All authority is rows of this table."""

    source: bytes
    name: str
    holder: bytes
    since_ms: int
    until_ms: int
    up_to: int
    paused: bool
    why: str


class Key(Row, frozen=True):
    """That a key speaks for a member, from one instant to another."""

    key: bytes
    member: bytes
    since_ms: int
    until_ms: int


class Latest(Row, frozen=True):
    """The author's clock of the latest act of a key within an audience: the next must be later."""

    key: bytes
    scope: int  # the audience
    at_ms: int


class Setting(Row, frozen=True):
    """That an adopted protocol sets a parameter from one instant to another."""

    source: bytes
    name: str
    position: int
    value: int
    since_ms: int
    until_ms: int


class Problem(Row, frozen=True):
    """A record that is in a log but against its kind's rules."""

    position: int
    digest: bytes
    kind: str
    reason: str


class Reservation(Row, frozen=True):
    """That a kind of record belongs to a role for a time: only grants by the kind's own name let anybody write it then."""

    kind: str
    role: str
    since_ms: int
    until_ms: int = FOREVER_MS


class Rest(Row, frozen=True):
    """That what a role lets its holder write rests for a time, or what all their roles do if `role` is empty.

    Whoever takes over meanwhile holds a grant `STAND_IN` with the same source.
    """

    id: bytes
    holder: bytes
    role: str
    since_ms: int
    until_ms: int


GRANTS = Table("grants", Grant, ("source", "name", "holder"), (("holder", "name"), ("name",)))
KEYS = Table("member_key", Key, ("key",), (("member",),))
LATEST = Table("latest", Latest, ("key", "scope"))
SETTINGS = Table("setting", Setting, ("source", "name"), (("name",),))
PROBLEMS = Table("problem", Problem, ("position",))
RESERVED = Table("reserved", Reservation, ("kind", "role"), (("role",),))
RESTS = Table("rests", Rest, ("id",), (("holder",),))
SHARED = (GRANTS, KEYS, LATEST, SETTINGS, PROBLEMS, RESERVED, RESTS)


class Parameter(Struct, frozen=True):
    """A whole number that an adopted protocol can set, between `low` and `high`."""

    name: str
    default: int
    label: str
    low: int = 0
    high: int = 1000


class Reader(Protocol):
    """What a store offers: rows whose columns equal, sums by group, and the ids behind its small numbers."""

    def rows(self, table: Table[R], where: Mapping[str, Asked], order: str, limit: int, audience: int) -> tuple[R, ...]:
        """Rows whose columns equal `where` and that `audience` may see, ordered by a column ("-": falling), then by key.

        A column is at least what a `Least` says. `limit` 0 means all. `audience` is 0 to 2, a number from 16 for one list of
        named spaces, or EVERYTHING.
        """

    def sums(
        self, table: Table[Any], column: str, by: tuple[str, ...], where: Mapping[str, Value], audience: int
    ) -> tuple[tuple[Any, ...], ...]:
        """(*by, sum of column) for each group, ordered by group."""

    def row_audience(self, table: Table[Any], space: int, key: tuple[Value, ...]) -> int | None:
        """The audience of one row, or None if there is no such row."""

    def position_of(self, space: int, digest: bytes, audience: int) -> int | None:
        """The position of a judged record in its log, or None if there is none that `audience` may see."""

    def space_id(self, space: int) -> bytes:
        """The 32-byte id of a space."""

    def space_number(self, space_id: bytes) -> int | None:
        """The small number of a space, or None if this store has not met it."""


class Own:
    """One space's tables, and no other's: what decides whether a record holds."""

    def __init__(self, reader: Reader, space: int, audience: int = EVERYTHING) -> None:
        self._reader, self.space, self.audience = reader, space, audience

    @property
    def id(self) -> bytes:
        """This space's 32-byte id."""
        return self._reader.space_id(self.space)

    def all(self, table: Table[R], *, order: str = "", limit: int = 0, **where: Asked) -> tuple[R, ...]:
        """Rows of this space whose columns equal the given values, or are at least them (`Least`)."""
        return self._reader.rows(table, {"space": self.space, **where}, order, limit, self.audience)

    def get(self, table: Table[R], *key: Value) -> R | None:
        """The row with this key (without `space`), or None."""
        where = {"space": self.space, **dict(zip(table.key, key, strict=True))}
        found = self._reader.rows(table, where, "", 0, self.audience)
        return found[0] if found else None

    def need(self, table: Table[R], *key: Value, what: str) -> R:
        """The row, or a refusal that names what is missing."""
        row = self.get(table, *key)
        if row is None:
            raise Refused(f"There is no such {what} here. Look it up on its page and try again.")
        return row

    def sums(self, table: Table[Any], column: str, *by: str, **where: Value) -> tuple[tuple[Any, ...], ...]:
        """(*by, sum of column) of this space's rows, for each group in order."""
        return self._reader.sums(table, column, by, {"space": self.space, **where}, self.audience)

    def position_of(self, digest: bytes) -> int | None:
        """Where in its own log this record stands, if it came before and this audience may see it."""
        return self._reader.position_of(self.space, digest, self.audience)

    def seen_by(self, audience: int) -> Own:
        """This space as a wider audience sees it."""
        return Own(self._reader, self.space, audience)

    def parameter(self, parameter: Parameter, at_ms: int) -> int:
        """The value in force at an instant by the records so far: the latest adoption still alive, or the default."""
        alive = [s for s in self.all(SETTINGS, name=parameter.name) if s.since_ms <= at_ms < s.until_ms]
        if not alive:
            return parameter.default
        value = max(alive, key=lambda s: s.position).value
        return min(max(value, parameter.low), parameter.high)


class View(Own):
    """Everything this node holds, seen from one space."""

    def everywhere(self, table: Table[R], *, order: str = "", limit: int = 0, **where: Asked) -> tuple[R, ...]:
        """Rows of every space whose columns equal the given values, or are at least them (`Least`)."""
        return self._reader.rows(table, where, order, limit, self.audience)

    def space_id(self, space: int) -> bytes:
        """The 32-byte id behind a row's `space`."""
        return self._reader.space_id(space)

    def space_number(self, space_id: bytes) -> int | None:
        """The small number of a space, or None if this node has not met it."""
        return self._reader.space_number(space_id)

    def of(self, space_id: bytes) -> View | None:
        """The same tables seen from another space, or None if this node has not met it."""
        number = self._reader.space_number(space_id)
        return None if number is None else View(self._reader, number, self.audience)


class Due(Struct, frozen=True):
    """Something that needs somebody's attention: `who` is a member's id, or None for all."""

    what: str
    who: bytes | None
    since_ms: int
    until_ms: int
    link: bytes  # digest of the record it is about
    needs: str = ""  # what an assembly can do about it
    over: bool = False  # it has ended already: it is told until then, and nothing happens at that instant
    role: str = ""  # the short name of the role whose it is to see to it first


class Secrets(Protocol):
    """What a node lends to an act before it is sealed. Nothing of it decides whether the act holds."""

    @property
    def now_ms(self) -> int:
        """The node's own time."""

    @property
    def author(self) -> bytes:
        """The public key that is about to sign; empty where it is not known yet."""

    def random(self, count: int) -> bytes:
        """Bytes that nobody can guess."""

    def derive(self, label: bytes) -> bytes:
        """32 bytes that only this node can make, and always makes again from the same label."""

    def shared(self, label: bytes) -> bytes:
        """The X25519 public key, 32 bytes, to what the *space's node* derives from a label; it can be told to anybody."""


def _no_advice(view: View, body: Any) -> str:
    return ""


def _nobody(own: Own, body: Any) -> tuple[bytes, ...]:
    return ()


def unchanged(view: View, body: Any, secrets: Secrets) -> Any:
    """What most kinds do to a body before it is sealed: nothing."""
    return body


def _no_weight(body: Any) -> int:
    return 0


def _nothing_due(view: View, now_ms: int) -> Iterable[Due]:
    return ()


def _no_figures(view: View, now_ms: int) -> Mapping[str, int]:
    return {}


def _no_state(view: View, now_ms: int) -> Mapping[str, Any]:
    return {}


def _no_blocks(view: View, now_ms: int) -> Iterable[Block]:
    return ()


def _nothing_more(view: View, digest: bytes, now_ms: int) -> Iterable[Block]:
    return ()


class Kind(Struct, Generic[B], frozen=True):
    """One kind of record; `name` is ``noun.past-tense/version``."""

    name: str
    title: str  # what a member does with it: "Book a transaction"
    body: type[B]
    rule: Callable[[Own, Act[B]], Iterable[Change]]  # raises Refused, or says what changes
    advise: Callable[[View, B], str] = _no_advice  # at submit only: may look at other spaces; warns, never decides
    needs: str = "member"  # the name of the grant that it takes to write it; empty: none
    weigh: Callable[[B], int] = _no_weight  # what a grant's limit is compared with
    audience: int = PUBLIC  # the widest; a record may narrow it
    in_public: str = ""  # why nobody may narrow it; empty: its author may
    consequence: str = ""  # said before the button: what it will bring about
    help: str = ""  # one sentence for the form and the reference
    takes: Callable[[Own, Act[B]], str] | None = None  # where what it needs depends on what it is about
    for_good: bool = False  # no later act goes back on it: pages ask once more before it is written
    duty: bool = False  # a role may hold it; while one does, its grants alone let anybody write it
    concerns: Callable[[Own, B], tuple[bytes, ...]] = _nobody  # members who have no vote on whether it is done
    prepare: Callable[[View, B, Secrets], B] = unchanged  # where the author's key lies: fills what a person cannot


class Practice(Struct, frozen=True):
    """One practice: everything else is derived from this value."""

    name: str
    title: str
    room: str  # assembly, commons, campaigns, archipelago, memory
    about: str = ""  # one sentence: what belongs here and why
    tables: tuple[Table[Any], ...] = ()
    kinds: tuple[Kind[Any], ...] = ()
    parameters: tuple[Parameter, ...] = ()
    due: Callable[[View, int], Iterable[Due]] = _nothing_due
    figures: Callable[[View, int], Mapping[str, int]] = _no_figures
    state: Callable[[View, int], Mapping[str, Any]] = _no_state  # what the summary says in public, from public rows
    page: Callable[[View, int], Iterable[Block]] = _no_blocks
    record: Callable[[View, bytes, int], Iterable[Block]] = _nothing_more  # a record's own page, instead of its bare fields
