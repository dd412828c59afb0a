"""Library: protocols that spaces share, adopt with a fuse, change, drop and report on.

- A protocol is a document with settings. Its text is public for good; nothing in it decides but its settings.
- An adoption carries by value what it sets, the name and the hash of the text, and a fuse: at that new moon it ends by
  itself. To adopt the same protocol again is to renew it: the new adoption takes the place of the old.
- Of several adoptions that set one parameter the latest that is alive decides; when it ends, the one before it does.
- A suspension ends by itself at a new moon before the fuse; retiring ends an adoption for good. Both take reasons.
- A setting of a parameter that no practice has (yet) is kept and has no effect. One outside its parameter's bounds is refused
  when it is written (`protocol.lineage.check_choices`) and counts as the nearest bound when a peer's log has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Struct

from protocol.fuse import fuse_ms
from protocol.library_blocks import about, due, figures, page, state
from protocol.lineage import (
    ADOPTIONS,
    IN_FORCE,
    LONGEST,
    PROTOCOLS,
    RENEWED,
    REPORTS,
    RETIRED,
    Adoption,
    Choice,
    Protocol,
    Report,
    hash_of,
    read_choices,
    spell,
)
from protocol.practice import (
    FOREVER_MS,
    PUBLIC,
    SETTINGS,
    Act,
    Change,
    Digest,
    Kind,
    Own,
    Practice,
    Refused,
    Setting,
    SpaceId,
    View,
    field,
)

Name = Annotated[str, field("Name", "Short, as people will call it.", example="Lunar roles", min_length=3, max_length=80)]
Reasons = Annotated[
    str, field("Reasons", "Why, for those who read it later.", widget="text", erasable=True, required=True, max_length=4000)
]
Settings = Annotated[
    list[Choice], field("What it sets", "Parameters of practices; leave it empty for a protocol in words only.", max_length=32)
]
Fuse = Annotated[
    int,
    field(
        "Fuse",
        "The cycle at whose new moon it ends, unless it is adopted anew.",
        widget="cycle",
        example="333",
        ge=-1237,
        le=2484,
    ),
]
AdoptionId = Annotated[Digest, field("Adoption", "The record by which it was adopted here.", widget="record")]


# What is written


class Published(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A protocol is there to be read, adopted and derived from."""

    name: Name
    purpose: Annotated[
        str, field("Purpose", "What it is good for, in a sentence or two.", widget="text", min_length=10, max_length=500)
    ]
    text: Annotated[
        str,
        field(
            "Text", "Markdown. It is public for good and cannot be erased, so name no person.",
            widget="text", example="We meet at each new moon.", min_length=20, max_length=20_000,
        ),
    ]  # fmt: skip
    settings: Settings = []
    fuse_cycles: Annotated[
        int, field("Fuse in cycles", "For how long it is meant to be adopted at a time.", example="13", ge=1, le=39)
    ] = 13
    parent: Annotated[Digest | None, field("Derived from", "The protocol that it was made from.", widget="record")] = None
    parent_space: Annotated[SpaceId | None, field("Whose", "The space that published that one.", widget="space")] = None


class Adopted(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A protocol binds this space, by what is written here."""

    protocol: Annotated[Digest, field("Protocol", "The record that published it, here or in another space.", widget="record")]
    origin: Annotated[SpaceId, field("Published by", "The space in whose log it lies.", widget="space")]
    name: Name
    text_hash: Annotated[
        bytes, field("Hash of the text", "SHA-256 of the text that you adopt.", widget="hash", min_length=32, max_length=32)
    ]
    until_cycle: Fuse
    settings: Settings = []
    reasons: Reasons = ""


class Suspended(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An adoption rests for a while."""

    adoption: AdoptionId
    until_cycle: Annotated[
        int,
        field(
            "Until",
            "The cycle at whose new moon it binds again, before its fuse.",
            widget="cycle",
            example="322",
            ge=-1237,
            le=2484,
        ),
    ]
    reasons: Reasons = ""


class Retired(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An adoption ends before its fuse."""

    adoption: AdoptionId
    reasons: Reasons = ""


class Reported(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happened when a protocol was used here."""

    protocol: Annotated[Digest, field("Protocol", "The record that published it.", widget="record")]
    outcome: Annotated[Literal["worked", "partly", "failed"], field("Outcome", "Did it do what it is for?", example="partly")]
    happened: Annotated[
        str,
        field(
            "What happened",
            "When you used it; who felt sidelined; what it cost.",
            widget="text",
            erasable=True,
            required=True,
            max_length=8000,
        ),
    ] = ""
    change: Annotated[
        str, field("What we would change", "For those who adopt it next.", widget="text", erasable=True, max_length=4000)
    ] = ""


# Rules


def publish(own: Own, act: Act[Published]) -> Iterator[Change]:
    """Put a protocol into the library."""
    body = act.body
    _each_once(body.settings)
    if (body.parent is None) != (body.parent_space is None):
        raise Refused("Derived from: give the protocol and the space that published it, or neither.")
    if body.parent and body.parent_space == own.id:
        own.need(PROTOCOLS, body.parent, what="protocol to derive from")
    yield PROTOCOLS.put(
        Protocol(
            act.space, act.digest, act.position, body.name, body.purpose, body.text, hash_of(body.text), spell(body.settings),
            body.fuse_cycles, body.parent, body.parent_space, act.member, act.logged_ms,
        )
    )  # fmt: skip


def adopt(own: Own, act: Act[Adopted]) -> Iterator[Change]:
    """Be bound by a protocol until its fuse; an earlier adoption of the same one gives way."""
    body, at_ms = act.body, act.logged_ms
    _each_once(body.settings)
    if body.settings and act.audience != PUBLIC:
        raise Refused("What a protocol sets binds public records too, so it is adopted in public. Leave the audience as it is.")
    ends_ms = fuse_ms(body.until_cycle, at_ms, own.parameter(LONGEST, at_ms))
    if body.origin == own.id:
        published = own.need(PROTOCOLS, body.protocol, what="protocol in this space's library")
        if published.text_hash != body.text_hash:
            raise Refused(
                "Hash of the text: it is not that of the protocol. Adopt it from its page, or publish the text you mean."
            )
    for row in own.all(ADOPTIONS, protocol=body.protocol):
        if row.is_open(at_ms):
            yield ADOPTIONS.patch(row.id, ended_ms=at_ms, ended=RENEWED)
            yield from _let_go(own, row.source, at_ms)
    yield ADOPTIONS.put(
        Adoption(
            act.space, act.digest, act.position, body.protocol, body.origin, body.name, body.text_hash, spell(body.settings),
            act.digest, at_ms, ends_ms, body.until_cycle, FOREVER_MS, FOREVER_MS, FOREVER_MS, "", body.reasons, "",
        )
    )  # fmt: skip
    for each in body.settings:
        yield SETTINGS.put(Setting(act.space, act.digest, each.name, act.position, each.value, at_ms, ends_ms))


def suspend(own: Own, act: Act[Suspended]) -> Iterator[Change]:
    """Let an adoption rest until a new moon before its fuse."""
    body, at_ms = act.body, act.logged_ms
    row = own.need(ADOPTIONS, body.adoption, what="adoption")
    stands = row.state_at(at_ms)
    if stands != IN_FORCE:
        raise Refused(f"This adoption is {stands}. Only what is in force can be suspended.")
    resumes_ms = fuse_ms(body.until_cycle, at_ms, own.parameter(LONGEST, at_ms))
    if resumes_ms >= row.until_ms:
        raise Refused(f"Until: that is not before its fuse in cycle {row.until_cycle}. Choose an earlier cycle, or retire it.")
    yield ADOPTIONS.patch(
        row.id, source=act.digest, suspended_ms=at_ms, resumes_ms=resumes_ms, why=body.reasons
    )  # fmt: skip
    yield from _let_go(own, row.source, at_ms)
    for each in read_choices(row.settings):
        yield SETTINGS.put(Setting(act.space, act.digest, each.name, row.position, each.value, resumes_ms, row.until_ms))


def retire(own: Own, act: Act[Retired]) -> Iterator[Change]:
    """End an adoption before its fuse."""
    body, at_ms = act.body, act.logged_ms
    row = own.need(ADOPTIONS, body.adoption, what="adoption")
    if not row.is_open(at_ms):
        raise Refused(f"This adoption is {row.state_at(at_ms)} already, and binds nobody.")
    yield ADOPTIONS.patch(row.id, ended_ms=at_ms, ended=RETIRED, why=body.reasons)
    yield from _let_go(own, row.source, at_ms)


def report(own: Own, act: Act[Reported]) -> Iterator[Change]:
    """Tell what happened when it was used here."""
    body = act.body
    if not own.all(ADOPTIONS, protocol=body.protocol, limit=1):
        raise Refused("This space never adopted that protocol, so there is nothing to report. Adopt it first.")
    yield REPORTS.put(
        Report(act.space, act.position, act.digest, body.protocol, body.outcome, act.logged_ms, body.happened, body.change)
    )


def _let_go(own: Own, source: bytes, at_ms: int) -> Iterator[Change]:
    """What stands under a source sets nothing any more."""
    for setting in own.all(SETTINGS, source=source):
        if setting.until_ms > at_ms:
            yield SETTINGS.patch(setting.source, setting.name, until_ms=at_ms)


def _each_once(choices: Sequence[Choice]) -> None:
    names = [each.name for each in choices]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise Refused(f"What it sets: {twice} is there twice. Give each parameter one value.")


# Advice before a record is written


def advise_adoption(view: View, body: Adopted) -> str:
    """Whether it is what was published."""
    found = view.everywhere(PROTOCOLS, id=body.protocol)
    if not found or view.space_id(found[0].space) != body.origin:
        return "This node has not seen that protocol in that space. Check where you have it from."
    if found[0].text_hash != body.text_hash:
        return "The hash of the text is not that of the protocol. Adopt it from its page, or publish the text that you mean."
    if found[0].settings != spell(body.settings):
        return (
            "You set something else than the protocol does. That holds; to let others see why, publish it as derived from this."
        )
    return ""


def advise_publishing(view: View, body: Published) -> str:
    """Whether there is one by that name here."""
    same = [row for row in view.all(PROTOCOLS) if row.name.casefold() == body.name.casefold() and row.id != body.parent]
    return f"There is a protocol called {same[0].name} here already. Derive from it, or choose another name." if same else ""


PRACTICE = Practice(
    name="library",
    title="Protocols",
    room="archipelago",
    about="How we do things, in words and settings that other spaces can read, adopt, change and report on.",
    tables=(PROTOCOLS, ADOPTIONS, REPORTS),
    kinds=(
        Kind(
            "protocol.published/1", "Publish a protocol", Published, publish, advise_publishing, duty=True,
            consequence="Anybody can read, adopt and derive from it, for good. It binds nobody until a space adopts it.",
            help="Write down a way of doing things, and what it sets.",
        ),
        Kind(
            "protocol.adopted/1", "Adopt a protocol", Adopted, adopt, advise_adoption, needs="assembly",
            consequence="What it sets binds all members from this record on, until the new moon of its fuse.",
            help="Be bound by a protocol, of this space or another, for a time that is set now.",
        ),
        Kind(
            "protocol.suspended/1", "Suspend a protocol", Suspended, suspend, needs="assembly",
            consequence="What it sets binds nobody until that new moon; then it does again, by itself.",
            help="Let an adopted protocol rest for a while.",
        ),
        Kind(
            "protocol.retired/1", "Retire a protocol", Retired, retire, needs="assembly",
            consequence="What it sets binds nobody from this record on. Your reasons stand beside it wherever it is offered.",
            help="End an adopted protocol before its fuse, and say why.",
        ),
        Kind(
            "protocol.reported/1", "Report on a protocol", Reported, report,
            consequence="Your report stands beside the protocol in every space that follows this one.",
            help="Tell others what happened when you used it.",
        ),
    ),
    parameters=(LONGEST,),
    due=due,
    figures=figures,
    state=state,
    page=page,
    record=about,
)  # fmt: skip
