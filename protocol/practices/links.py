"""Links: what two spaces are to each other, for how long.

- A link is two rows that name each other: each space stands by the same terms, in its own log, by value. An offer is the
  first of them, an acceptance the second; which came first does not matter, and either side can end it alone.
- Terms say what for, what is shared (public records only, or those for allies too), which duties each has for the other
  (mirror, witness, guardian) and until which new moon. What is not renewed by both has ended then, without anybody acting.
- A renewal is other terms with a later end. Until both stand by them, the old ones hold.
- Whether two spaces are linked is computed from the rows of both when it is read, never stored.

Example::

    allied(view, now_ms)              # ids of spaces that may read what we write for allies
    duties(view, now_ms)[space_id]    # {"mirror", "witness"}: what we owe them and they us
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Struct

from protocol import moon
from protocol.body import canonical, to_flat
from protocol.fuse import fuse_ms
from protocol.membership import title_of
from protocol.page import Action, Block, Cell, Edge, Graph, Grid, Heading, Node, Ref, State, When
from protocol.practice import (
    FOREVER_MS,
    Act,
    Change,
    Digest,
    Due,
    Kind,
    Own,
    Parameter,
    Practice,
    Refused,
    Row,
    SpaceId,
    Table,
    View,
    field,
)
from protocol.wording import listed

LONGEST = Parameter("links.longest-cycles", 13, "Longest fuse of a link, in cycles", 1, 39)
IN_PUBLIC = "A link is public, because the other side has to see it. Leave the audience as it is."
DUTIES = ("mirror", "witness", "guardian")
SHARES = {"allies": "what is for allies", "public": "public records"}

Duty = Literal["guardian", "mirror", "witness"]
Other = Annotated[SpaceId, field("Space", "The other space.", widget="space")]


# What is written


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """What both sides stand by, as one value."""

    purpose: Annotated[
        str,
        field(
            "What for", "What you want to do for each other. These words stay for ever, so name no person.",
            widget="text", example="We carry each other's logs and share tools", min_length=10, max_length=500,
        ),
    ]  # fmt: skip
    shares: Annotated[
        Literal["allies", "public"],
        field("What is shared", "Public: public records only. Allies: public records, and those for allies.", example="allies"),
    ]
    until_cycle: Annotated[
        int,
        field(
            "Fuse",
            "The cycle at whose new moon it ends, unless both renew it.",
            widget="cycle",
            example="333",
            ge=-1237,
            le=2484,
        ),
    ]
    duties: Annotated[
        list[Duty],
        field(
            "Duties", "Each for the other. Mirror: hold the whole log. Witness: cosign heads. Guardian: keep sealed copies.",
            example="mirror, witness", max_length=3,
        ),
    ] = []  # fmt: skip


class Offered(Struct, frozen=True, forbid_unknown_fields=True):
    """A space stands by terms and waits for the other."""

    other: Other
    terms: Annotated[Terms, field("Terms", "The other side accepts exactly these.")]


class Accepted(Struct, frozen=True, forbid_unknown_fields=True):
    """A space stands by terms that the other offered."""

    other: Other
    offer: Annotated[Digest, field("Offer", "The record by which the other side offered it.", widget="record")]
    terms: Annotated[Terms, field("Terms", "As they were offered; the link holds only if they are the same.")]


class Renewed(Struct, frozen=True, forbid_unknown_fields=True):
    """A space stands by terms with a later end."""

    other: Other
    terms: Annotated[Terms, field("Terms", "With a later end; the other side renews or accepts the same.")]


class Ended(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A space no longer stands by any terms with another."""

    other: Other
    reasons: Annotated[
        str,
        field("Reasons", "What you tell the other side.", widget="text", erasable=True, required=True, max_length=2000),
    ] = ""


# What is read


class Link(Row, frozen=True):
    """That this space stands by terms with another; a link if the other does so too."""

    other: bytes
    terms: bytes  # SHA-256 of their canonical bytes
    id: bytes
    said: str  # offered, accepted or renewed
    purpose: str
    shares: str
    duties: str  # in order, with commas
    until_cycle: int
    since_ms: int
    until_ms: int
    ended_ms: int
    why: str

    @property
    def owed(self) -> frozenset[str]:
        """The duties that each has for the other."""
        return frozenset(self.duties.split(",")) - {""}


class Bond(Struct, frozen=True):
    """Two live rows by the same terms: a link, seen from `space`."""

    space: bytes
    other: bytes
    ours: Link
    theirs: Link

    @property
    def since_ms(self) -> int:
        """When the second of the two stood by it."""
        return max(self.ours.since_ms, self.theirs.since_ms)


LINKS = Table("link", Link, ("other", "terms"), shared=(("other",),), erasable=("why",))


# Rules


def digest_of(terms: Terms) -> bytes:
    """What names a set of terms; the order in which duties are listed means nothing."""
    return sha256(canonical(msgspec.structs.replace(terms, duties=sorted(terms.duties)))).digest()


def stand(own: Own, act: Act[Any], said: str) -> Iterator[Change]:
    """This space stands by these terms."""
    other, terms, at_ms = act.body.other, act.body.terms, act.logged_ms
    if other == own.id:
        raise Refused("Space: a space has no link with itself. Choose another.")
    if len(set(terms.duties)) != len(terms.duties):
        raise Refused("Duties: each is listed once.")
    ends_ms = fuse_ms(terms.until_cycle, at_ms, own.parameter(LONGEST, at_ms))
    digest = digest_of(terms)
    held = own.get(LINKS, other, digest)
    if held and is_live(held, at_ms):
        raise Refused("You stand by exactly these terms already. It is a link as soon as the other side does.")
    yield LINKS.put(
        Link(
            act.space, other, digest, act.digest, said, terms.purpose, terms.shares, ",".join(sorted(terms.duties)),
            terms.until_cycle, at_ms, ends_ms, FOREVER_MS, "",
        )
    )  # fmt: skip


def offer(own: Own, act: Act[Offered]) -> Iterator[Change]:
    """Offer terms to another space."""
    return stand(own, act, "offered")


def accept(own: Own, act: Act[Accepted]) -> Iterator[Change]:
    """Stand by terms that another space offered."""
    return stand(own, act, "accepted")


def renew(own: Own, act: Act[Renewed]) -> Iterator[Change]:
    """Stand by terms that end later than those in force."""
    live = [row for row in own.all(LINKS, other=act.body.other) if is_live(row, act.logged_ms)]
    if not live:
        raise Refused("There is nothing to renew: what was not renewed has ended. Offer a new link.")
    if act.body.terms.until_cycle <= max(row.until_cycle for row in live):
        raise Refused("Fuse: a renewal ends later than what it renews. Choose a later cycle.")
    yield from stand(own, act, "renewed")


def end(own: Own, act: Act[Ended]) -> Iterator[Change]:
    """Stand by nothing any more: one side is enough to end a link."""
    live = [row for row in own.all(LINKS, other=act.body.other) if is_live(row, act.logged_ms)]
    if not live:
        raise Refused("There is no link or offer to end: what was not renewed has ended by itself.")
    for row in live:
        yield LINKS.patch(row.other, row.terms, ended_ms=act.logged_ms, why=act.body.reasons)


def is_live(row: Link, at_ms: int) -> bool:
    """Whether a space stands by these terms at an instant."""
    return row.since_ms <= at_ms < min(row.until_ms, row.ended_ms)


# Advice before a record is written


def advise_offer(view: View, body: Offered) -> str:
    """Whether this node knows the other space."""
    if view.of(body.other) is None:
        return "This node has not met that space. They see the offer only once your nodes are peers."
    return ""


def advise_acceptance(view: View, body: Accepted) -> str:
    """Whether the other side stands by the same."""
    theirs = [row for row in view.everywhere(LINKS, other=view.id) if view.space_id(row.space) == body.other]
    if all(row.id != body.offer for row in theirs):
        return "This node has not seen that offer. Check where you have it from."
    if all(row.terms != digest_of(body.terms) for row in theirs):
        return "These are not the terms that the other side stands by, so there will be no link. Accept theirs, or offer yours."
    return ""


# What holds between spaces


def bonds(view: View, now_ms: int) -> tuple[Bond, ...]:
    """The links of this space at an instant, by the rows of both sides; of one space those that end first come first."""
    theirs = {
        (view.space_id(row.space), row.terms): row for row in view.everywhere(LINKS, other=view.id) if is_live(row, now_ms)
    }
    ours = sorted(
        (row for row in view.all(LINKS) if is_live(row, now_ms)), key=lambda row: (row.other, row.until_ms, row.terms)
    )
    return tuple(
        Bond(view.id, row.other, row, theirs[row.other, row.terms]) for row in ours if (row.other, row.terms) in theirs
    )


def linked(view: View, now_ms: int) -> set[bytes]:
    """The spaces that this one is linked with."""
    return {bond.other for bond in bonds(view, now_ms)}


def allied(view: View, now_ms: int) -> set[bytes]:
    """The spaces linked with this one that may read what it writes for allies."""
    return {bond.other for bond in bonds(view, now_ms) if bond.ours.shares == "allies"}


def duties(view: View, now_ms: int) -> dict[bytes, frozenset[str]]:
    """For each linked space the duties that it and this one have for each other."""
    owed: dict[bytes, frozenset[str]] = {}
    for bond in bonds(view, now_ms):
        owed[bond.other] = owed.get(bond.other, frozenset()) | bond.ours.owed
    return owed


def offers_to_us(view: View, now_ms: int) -> tuple[tuple[bytes, Link], ...]:
    """(space, row) of terms that others stand by and this space does not."""
    ours = {(row.other, row.terms) for row in view.all(LINKS) if is_live(row, now_ms)}
    found = [(view.space_id(row.space), row) for row in view.everywhere(LINKS, other=view.id) if is_live(row, now_ms)]
    return tuple(sorted((at for at in found if (at[0], at[1].terms) not in ours), key=lambda at: (at[1].since_ms, at[1].id)))


def offers_by_us(view: View, now_ms: int) -> tuple[Link, ...]:
    """Terms that this space stands by and the other does not."""
    met = {(bond.other, bond.ours.terms) for bond in bonds(view, now_ms)}
    waiting = [row for row in view.all(LINKS) if is_live(row, now_ms) and (row.other, row.terms) not in met]
    return tuple(sorted(waiting, key=lambda row: (row.since_ms, row.id)))


def last_bonds(view: View, now_ms: int) -> tuple[Bond, ...]:
    """One for each linked space: the link that ends last."""
    last: dict[bytes, Bond] = {}
    for bond in bonds(view, now_ms):
        last[bond.other] = bond  # they come in order of their ends
    return tuple(last.values())


def ending(view: View, now_ms: int) -> tuple[Bond, ...]:
    """Links within a cycle of their end that this space has not renewed."""
    cycle = moon.cycle_at(now_ms)
    latest: dict[bytes, int] = defaultdict(int)
    for row in view.all(LINKS):
        if is_live(row, now_ms):
            latest[row.other] = max(latest[row.other], row.until_ms)
    return tuple(
        bond
        for bond in last_bonds(view, now_ms)
        if bond.ours.until_cycle <= cycle + 1 and latest[bond.other] <= bond.ours.until_ms
    )


# What it says


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Offers that wait for an answer, and links that end within a cycle."""
    for space, row in offers_to_us(view, now_ms):
        said = "has renewed the link with us" if row.said == "renewed" else "offers us a link"
        yield Due(f"{title_of(view, space)} {said}: accept it, or let it lapse", None, row.since_ms, row.until_ms, row.id)
    for bond in ending(view, now_ms):
        since_ms, until_ms = moon.cycle_bounds(moon.cycle_at(now_ms))
        what = f"The link with {title_of(view, bond.other)} ends: renew it, or let it go"
        yield Due(what, None, since_ms, min(until_ms, bond.ours.until_ms), bond.ours.id)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """How many links there are, and how many carry which duty."""
    owed = duties(view, now_ms)
    return {
        "links.count": len(owed),
        "links.allied": len(allied(view, now_ms)),
        **{
            f"links.{duty}{'es' if duty == 'witness' else 's'}": sum(duty in each for each in owed.values())
            for duty in sorted(DUTIES)
        },
        "links.offers-open": len(offers_by_us(view, now_ms)) + len(offers_to_us(view, now_ms)),
        "links.ending": len(ending(view, now_ms)),
    }


def state(view: View, now_ms: int) -> Mapping[str, Any]:
    """What this space stands by: whether it is a link shows on the other side."""
    live = sorted(
        (row for row in view.all(LINKS) if is_live(row, now_ms)), key=lambda row: (row.other, row.until_ms, row.terms)
    )
    return {
        "stands_by": [
            {
                "space": row.other,
                "terms": row.terms,
                "shares": row.shares,
                "duties": sorted(row.owed),
                "until_cycle": row.until_cycle,
            }
            for row in live
        ]
    }


def page(view: View, now_ms: int) -> Iterator[Block]:
    """Our links and what is due, offers each way, and the map of all links that this node knows."""
    yield Heading("Links")
    yield _ours(view, now_ms)
    yield from _renewals(view, now_ms)
    yield from _offers(view, now_ms)
    yield _map(view, now_ms)
    yield Action("link.offered/1", {}, "Offer a link")


def _ours(view: View, now_ms: int) -> Grid:
    soon = {bond.other for bond in ending(view, now_ms)}
    rows: list[list[Cell]] = []
    for bond in last_bonds(view, now_ms):
        mark = State("ends soon", "warn") if bond.other in soon else State("linked", "good")
        rows.append([
            Ref(bond.other, "space", title_of(view, bond.other)), mark, bond.ours.purpose, SHARES[bond.ours.shares],
            listed(sorted(bond.ours.owed)) or "none", When(bond.since_ms), When(bond.ours.until_ms),
        ])  # fmt: skip
    return Grid(
        "Our links", ("Space", "", "What for", "Shared", "Duties", "Since", "Until"), rows,
        "No links yet. Spaces that are linked carry each other's logs, so that none is lost if one machine falls. "
        "Offer a link to a space that you know.",
    )  # fmt: skip


def _renewals(view: View, now_ms: int) -> Iterator[Block]:
    for bond in last_bonds(view, now_ms):
        name = title_of(view, bond.other)
        if any(bond.other == each.other for each in ending(view, now_ms)):
            longer = bond.ours.until_cycle + min(13, view.parameter(LONGEST, now_ms) - 1)
            terms = msgspec.structs.replace(terms_of(bond.ours), until_cycle=longer)
            yield Action("link.renewed/1", to_flat(Renewed(bond.other, terms)), f"Renew the link with {name}")
        yield Action("link.ended/1", {"other": bond.other.hex()}, f"End the link with {name}")


def _offers(view: View, now_ms: int) -> Iterator[Block]:
    rows: list[list[Cell]] = []
    answers: list[Block] = []
    for space, row in offers_to_us(view, now_ms):
        name = title_of(view, space)
        rows.append([Ref(row.id, "record", row.said), Ref(space, "space", name), "ours", *_spoken(row)])
        filled = to_flat(Accepted(space, row.id, terms_of(row)))
        answers.append(Action("link.accepted/1", filled, f"Accept the link with {name}"))
    for row in offers_by_us(view, now_ms):
        name = title_of(view, row.other)
        rows.append([Ref(row.id, "record", row.said), Ref(row.other, "space", name), "theirs", *_spoken(row)])
        answers.append(Action("link.ended/1", {"other": row.other.hex()}, f"Take back the offer to {name}"))
    if rows:
        yield Grid("Waiting for an answer", ("Record", "Space", "Whose answer", "What for", "Shared", "Duties", "Until"), rows)
        yield from answers


def _spoken(row: Link) -> list[Cell]:
    return [row.purpose, SHARES[row.shares], listed(sorted(row.owed)) or "none", When(row.until_ms)]


def terms_of(row: Link) -> Terms:
    """The terms of a row as a value."""
    known: list[Duty] = ["guardian", "mirror", "witness"]
    shares: Literal["allies", "public"] = "allies" if row.shares == "allies" else "public"
    return Terms(row.purpose, shares, row.until_cycle, [duty for duty in known if duty in row.owed])


def _map(view: View, now_ms: int) -> Graph:
    """Every link that this node knows of, among all spaces."""
    live = {(view.space_id(row.space), row.other, row.terms): row for row in view.everywhere(LINKS) if is_live(row, now_ms)}
    between: dict[tuple[bytes, bytes], set[str]] = defaultdict(set)
    for (one, two, terms), row in live.items():
        if one < two and (two, one, terms) in live:
            between[one, two] |= row.owed
    spaces = sorted({view.id, *(each for pair in between for each in pair)})
    nodes = [
        Node(space.hex(), title_of(view, space), "us" if space == view.id else "", tone="good" if space == view.id else "calm")
        for space in spaces
    ]
    edges = [Edge(one.hex(), two.hex(), listed(sorted(owed)) or "linked") for (one, two), owed in sorted(between.items())]
    return Graph("Who is linked with whom, and what they do for each other", nodes, edges)


PRACTICE = Practice(
    name="links",
    title="Links",
    room="archipelago",
    about="Which spaces stand by each other, what they share and do for each other, and until when.",
    tables=(LINKS,),
    kinds=(
        Kind(
            "link.offered/1", "Offer a link", Offered, offer, advise_offer, needs="assembly", in_public=IN_PUBLIC,
            consequence="Your space stands by these terms until their end. It is a link once the other accepts the same.",
            help="Say to another space what you want to share and do for each other, and until when.",
        ),
        Kind(
            "link.accepted/1", "Accept a link", Accepted, accept, advise_acceptance, needs="assembly", in_public=IN_PUBLIC,
            consequence="The link holds from now on: what is named is shared and the duties bind both, until its end.",
            help="Stand by the terms that another space offered.",
        ),
        Kind(
            "link.renewed/1", "Renew a link", Renewed, renew, needs="assembly", in_public=IN_PUBLIC,
            consequence="Your space stands by the later end too. The link goes on once the other side does.",
            help="Stand by terms that end later. What is not renewed by both ends by itself.",
        ),
        Kind(
            "link.ended/1", "End a link", Ended, end, needs="assembly", in_public=IN_PUBLIC,
            consequence="Nothing more is shared and no duty binds, from this minute. What they already hold stays with them.",
            help="Stand by nothing any more, or take back an offer. One side is enough.",
        ),
    ),
    parameters=(LONGEST,),
    due=due,
    figures=figures,
    state=state,
    page=page,
)  # fmt: skip
