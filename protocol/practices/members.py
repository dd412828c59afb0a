"""Members: who belongs, by whose word they came, and under which keys they act.

- A space begins with its founding record. Whoever joins in its first 30 days is of the founding round: no vouch is needed, and
  they hold the founding mandate ("assembly") until the same new moon as the founder, 39 cycles on.
- Anybody else comes by an invitation (a 128-bit secret, once, until it expires) and needs N members who stand for them; the
  invitation is the first. In a small space N is at most the number of members.
- Membership, invitations and vouches are public as keys, so that others can judge what members write. Names and contacts are
  for members only, as words that can be erased; a public name is given only if somebody wants one.
- Removal takes a decision for exactly that, in which the one it is about has no vote: no mandate is enough.
- Who leaves or is removed holds no grant and no key from that minute on; what they did stands.
- A key that was ever known to a space cannot join it again: who comes back comes under a new key.
- An erasure is written for the same audience as what it erases: a narrower one would not reach who holds the words.
  Members erase what they said of themselves; any other record's words are erased by the assembly.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Any

from msgspec import Struct

from protocol.fuse import cycles_later_ms
from protocol.judge import spoken_time
from protocol.keychain import Founded, KeysRotated
from protocol.keys import PublicKeys, valid_point
from protocol.mandate import CLOCK, DECISION
from protocol.member_blocks import due, figures, page, state
from protocol.membership import (
    ASSEMBLY,
    BELONGINGS,
    DAY_MS,
    ERASURES,
    FOUNDINGS,
    INVITATIONS,
    MANDATE_CYCLES,
    MEMBER,
    MEMBERSHIPS,
    NAMINGS,
    ROUND_DAYS,
    VOUCHES,
    WAITING,
    Erasure,
    Founding,
    Invitation,
    Membership,
    Naming,
    Vouch,
    founding_of,
    is_live,
    members_at,
    naming_of,
    said_by,
)
from protocol.practice import (
    ALLIES,
    FOREVER_MS,
    GRANTS,
    KEYS,
    MEMBERS,
    PUBLIC,
    Act,
    Change,
    Digest,
    Grant,
    Key,
    Kind,
    MemberKey,
    Own,
    Parameter,
    Practice,
    Refused,
    View,
    field,
)

NEEDED = Parameter("members.vouches", 2, "Members who have to stand for somebody who joins, the invitation counted", 1, 10)
INVITED_DAYS = Parameter("members.invitation-days", 14, "Days for which an invitation is good, at most", 1, 90)

IN_PUBLIC = "Membership is public as a key, so that others can judge what members do. Leave the audience as it is."
MANDATE = "The founding mandate"
MEMBERSHIP = "Your membership"

Candidate = Annotated[MemberKey, field("Who", "The key of the one who asks to join.", widget="member")]
Words = Annotated[str, field("In your words", "Members may read it.", widget="text", erasable=True, max_length=2000)]


# What is written


class Invited(Struct, frozen=True, forbid_unknown_fields=True):
    """An open door for one person."""

    hash: Annotated[bytes, field("Hash of the secret", "SHA-256 of the invitation's 16 bytes.", min_length=32, max_length=32)]
    expires_ms: Annotated[
        int, field("Good until", "After that nobody can join with it.", widget="instant", example="2026-03-14 18:00", ge=0)
    ]


class Joined(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody comes in, under a key of their own."""

    secret: Annotated[
        bytes, field("Secret of the invitation", "The 16 bytes of your invitation link.", min_length=16, max_length=16)
    ]
    name: Annotated[
        str,
        field(
            "Public name", "Only if the whole archipelago may know you by it; it can be erased for good. Leave it empty else.",
            erasable=True, max_length=80,
        ),
    ] = ""  # fmt: skip


class Vouched(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A member stands for somebody."""

    candidate: Candidate
    words: Annotated[
        str,
        field(
            "Where you know them from", "Anybody who follows this space may read it.",
            widget="text", erasable=True, max_length=500,
        ),
    ] = ""  # fmt: skip


class Named(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a member says of themselves to the other members."""

    name: Annotated[
        str, field("Name", "What the others call you.", example="Ada", erasable=True, required=True, max_length=80)
    ] = ""
    contact: Annotated[str, field("Contact", "How members reach you.", erasable=True, max_length=200)] = ""
    languages: Annotated[
        str,
        field("Languages", "Those you like to be spoken to in.", example="English, Arabic", erasable=True, max_length=200),
    ] = ""


class Left(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A member goes."""

    words: Annotated[str, field("A word", "If you want to say why.", widget="text", erasable=True, max_length=2000)] = ""


class Removed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A decision ends a membership."""

    member: Annotated[MemberKey, field("Who", "The member whose membership ends.", widget="member")]
    reasons: Annotated[
        str,
        field(
            "Reasons", "What led to it and what was tried before. Anybody who follows this space may read it, so spare people.",
            widget="text", erasable=True, required=True, max_length=4000,
        ),
    ] = ""  # fmt: skip


class DeviceAdded(Struct, frozen=True, forbid_unknown_fields=True):
    """One more key speaks for a member."""

    key: Annotated[MemberKey, field("Key of the device", "The public key that the new device shows.", widget="key")]


class DeviceRetired(Struct, frozen=True, forbid_unknown_fields=True):
    """A key speaks for nobody any more."""

    key: Annotated[MemberKey, field("Key of the device", "Of the device that you no longer use, or have lost.", widget="key")]


class Erased(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The words of a record are gone for good."""

    record: Annotated[Digest, field("Record", "The record whose words are to be erased.", widget="record")]
    reasons: Annotated[str, field("Reasons", "Without repeating what is erased.", erasable=True, max_length=500)] = ""


# Founding and keys of the space


def found(own: Own, act: Act[Founded]) -> Iterator[Change]:
    """The first record: the space, its first member, and their mandate."""
    body = act.body
    if act.position or act.digest != own.id:
        raise Refused("A space is founded by the first record of its log, once.")
    if act.author != body.root or act.audience != PUBLIC:
        raise Refused("A founding record is public and signed by the root key that it names.")
    if not valid_point(body.founder):
        raise Refused("The first member's key is not a key that can sign.")
    at_ms = act.logged_ms
    mandate_ms = cycles_later_ms(at_ms, MANDATE_CYCLES)
    yield FOUNDINGS.put(Founding(act.space, own.id, body.name, body.founder, at_ms, mandate_ms, 0, body.root, body.next_root))
    yield KEYS.put(Key(act.space, body.founder, body.founder, at_ms, FOREVER_MS))
    yield MEMBERSHIPS.put(Membership(act.space, body.founder, 1, act.digest, None, at_ms, at_ms, FOREVER_MS, "", "", ""))
    yield from _grants(act, body.founder, mandate_ms)
    yield _clock(act, body.keys)


def rotate(own: Own, act: Act[KeysRotated]) -> Iterator[Change]:
    """New keys of the node, by the word of the root or of the next root; see `protocol.keychain`."""
    body, space = act.body, founding_of(own)
    if space is None:
        raise Refused("This log has no founding record.")
    if act.author != space.root and sha256(act.author).digest() != space.next_root:
        raise Refused("Keys are rotated by the root key, or by the next root that was named before.")
    if act.audience != PUBLIC or body.root != act.author or body.epoch != space.epoch + 1 or body.size > act.position:
        raise Refused("A rotation is public and names its signer, the next epoch, and a head of this log.")
    yield FOUNDINGS.patch(space.id, epoch=body.epoch, root=body.root, next_root=body.next_root)
    for grant in own.all(GRANTS):
        if grant.name == CLOCK and grant.until_ms > act.logged_ms:
            yield GRANTS.patch(grant.source, grant.name, grant.holder, until_ms=act.logged_ms)
    yield _clock(act, body.keys)


def _clock(act: Act[Any], keys: PublicKeys) -> Change:
    """The node's own key may write down what the clock brings about; no member holds that."""
    return GRANTS.put(
        Grant(act.space, act.digest, CLOCK, keys.identity, act.logged_ms, FOREVER_MS, 0, False, "The node's clock")
    )


# Coming in


def invite(own: Own, act: Act[Invited]) -> Iterator[Change]:
    """Open a door for one person."""
    body, at_ms = act.body, act.logged_ms
    days = own.parameter(INVITED_DAYS, at_ms)
    if body.expires_ms <= at_ms:
        raise Refused("Good until: that is over already. Choose a later time.")
    if body.expires_ms > at_ms + days * DAY_MS:
        raise Refused(f"Good until: an invitation is good for at most {days} {'day' if days == 1 else 'days'} here.")
    if own.get(INVITATIONS, body.hash):
        raise Refused("This invitation was written before. Make a new secret for each.")
    yield INVITATIONS.put(Invitation(act.space, body.hash, act.digest, act.member, at_ms, body.expires_ms, None))


def join(own: Own, act: Act[Joined]) -> Iterator[Change]:
    """Come in by an invitation: at once in the founding round, else when enough members stand for one."""
    body, at_ms = act.body, act.logged_ms
    opened = sha256(body.secret).digest()
    door = own.get(INVITATIONS, opened)
    if door is None:
        raise Refused("No invitation has this secret. Copy the whole link, or ask for a new one.")
    if door.used_by:
        raise Refused("This invitation has been used. Each is for one person; ask for one of your own.")
    if at_ms >= door.expires_ms:
        raise Refused(f"This invitation was good until {spoken_time(door.expires_ms)}. Ask for a new one.")
    if not is_live(own.get(MEMBERSHIPS, door.inviter), at_ms):
        raise Refused("Whoever invited you is no longer a member. Ask somebody else for an invitation.")
    if own.get(KEYS, act.author):
        raise Refused("This key is known here already. Join with a new one.")
    space = founding_of(own)
    number = 1 + len(own.all(MEMBERSHIPS))
    first = space is not None and at_ms < space.founded_ms + ROUND_DAYS * DAY_MS
    now = first or _needed(own, at_ms) <= 1
    yield INVITATIONS.patch(opened, used_by=act.author)
    yield KEYS.put(Key(act.space, act.author, act.author, at_ms, FOREVER_MS))
    yield VOUCHES.put(Vouch(act.space, act.author, door.inviter, door.id, door.since_ms, ""))
    yield MEMBERSHIPS.put(
        Membership(
            act.space, act.author, number, act.digest, door.inviter, at_ms, at_ms if now else None, FOREVER_MS, "",
            body.name, "",
        )
    )  # fmt: skip
    if now:
        yield from _grants(act, act.author, space.mandate_ms if first and space else 0)


def vouch(own: Own, act: Act[Vouched]) -> Iterator[Change]:
    """Stand for somebody; the last word that was needed lets them in."""
    body, at_ms = act.body, act.logged_ms
    if body.candidate == act.member:
        raise Refused("Nobody vouches for themselves. Ask another member.")
    row = own.need(MEMBERSHIPS, body.candidate, what="person who asks to join")
    if row.ended_ms != FOREVER_MS:
        raise Refused("This person has gone, or the request was turned down.")
    if row.admitted_ms is not None:
        raise Refused("This person was admitted already. No further word is needed.")
    days = own.parameter(WAITING, at_ms)
    if at_ms >= row.joined_ms + days * DAY_MS:
        raise Refused(f"They waited for {days} days and the request has lapsed. Invite them anew.")
    given = own.all(VOUCHES, candidate=body.candidate)
    if any(each.voucher == act.member for each in given):
        raise Refused("You stand for this person already: your invitation or an earlier word counts. Another member is needed.")
    yield VOUCHES.put(Vouch(act.space, body.candidate, act.member, act.digest, at_ms, body.words))
    standing = 1 + sum(is_live(own.get(MEMBERSHIPS, each.voucher), at_ms) for each in given)
    if standing >= _needed(own, at_ms):
        yield MEMBERSHIPS.patch(body.candidate, admitted_ms=at_ms)
        yield from _grants(act, body.candidate, 0)


def _needed(own: Own, at_ms: int) -> int:
    """How many have to stand for somebody: as the protocol says, but not more than there are members."""
    return min(own.parameter(NEEDED, at_ms), len(members_at(own, at_ms)))


def _grants(act: Act[Any], member: bytes, mandate_ms: int) -> Iterator[Change]:
    at_ms = act.logged_ms
    yield GRANTS.put(Grant(act.space, act.digest, MEMBER, member, at_ms, FOREVER_MS, 0, False, MEMBERSHIP))
    if mandate_ms:
        yield GRANTS.put(Grant(act.space, act.digest, ASSEMBLY, member, at_ms, mandate_ms, 0, False, MANDATE))


# Being here


def name(own: Own, act: Act[Named]) -> Iterator[Change]:
    """Tell the other members what to call one."""
    body = act.body
    yield NAMINGS.put(Naming(act.space, act.position, act.member, act.digest, body.name, body.contact, body.languages))


def add_device(own: Own, act: Act[DeviceAdded]) -> Iterator[Change]:
    """One more key for oneself, but none of the space's own. Keys are made for one space: naming a stranger's gains nothing."""
    if own.get(KEYS, act.body.key) or _is_of_the_space(own, act.body.key):
        raise Refused("This key is known here already. Make a new one on the device.")
    if not valid_point(act.body.key):
        raise Refused("Key of the device: this is not a key that can sign. Copy it again from the new device.")
    yield KEYS.put(Key(act.space, act.body.key, act.member, act.logged_ms, FOREVER_MS))


def _is_of_the_space(own: Own, key: bytes) -> bool:
    """Whether a key is the node's, or stands above it: one member could stop the clock, or a rotation, by calling it theirs."""
    space = founding_of(own)
    above = space is not None and (key == space.root or sha256(key).digest() == space.next_root)
    return above or bool(own.all(GRANTS, holder=key, limit=1))


def retire_device(own: Own, act: Act[DeviceRetired]) -> Iterator[Change]:
    """End one of one's own keys, but not the last."""
    at_ms = act.logged_ms
    ours = [row for row in own.all(KEYS, member=act.member) if row.since_ms <= at_ms < row.until_ms]
    if all(row.key != act.body.key for row in ours):
        raise Refused("Key of the device: it is not one of yours in use. Look up your devices on your own page.")
    if len(ours) == 1:
        raise Refused("This is your only key. Add another device first, or leave if you want to go.")
    yield KEYS.patch(act.body.key, until_ms=at_ms)


# Going


def leave(own: Own, act: Act[Left]) -> Iterator[Change]:
    """End one's own membership."""
    row = own.need(MEMBERSHIPS, act.member, what="membership")
    yield from _end(own, act, row, "left", act.body.words)


def remove(own: Own, act: Act[Removed]) -> Iterator[Change]:
    """End somebody else's membership, or a request to join."""
    body = act.body
    if body.member == act.member:
        raise Refused("Nobody removes themselves. If you want to go, leave.")
    row = own.need(MEMBERSHIPS, body.member, what="member")
    if row.ended_ms <= act.logged_ms:
        raise Refused("This membership has ended already.")
    yield from _end(own, act, row, "removed", body.reasons)


def _end(own: Own, act: Act[Any], row: Membership, how: str, why: str) -> Iterator[Change]:
    at_ms = act.logged_ms
    yield MEMBERSHIPS.patch(row.member, ended_ms=at_ms, ended=how, why=why)
    for grant in sorted(own.all(GRANTS, holder=row.member), key=lambda each: (each.name, each.source)):
        if grant.until_ms > at_ms:
            yield GRANTS.patch(grant.source, grant.name, grant.holder, until_ms=at_ms)
    for key in sorted(own.all(KEYS, member=row.member), key=lambda each: each.key):
        if key.until_ms > at_ms:
            yield KEYS.patch(key.key, until_ms=at_ms)


# Forgetting


def erase(own: Own, act: Act[Erased]) -> Iterator[Change]:
    """Erase the words of a record; who may is said by `takes`. The store drops the annex."""
    digest = act.body.record
    if own.position_of(digest) is None:
        raise Refused("There is no such record here for this audience. Erase it for the same audience as it was written for.")
    wider = [audience for audience in (PUBLIC, ALLIES) if audience < min(act.audience, MEMBERS + 1)]
    if act.audience > MEMBERS:
        wider = [PUBLIC]
    if any(own.seen_by(audience).position_of(digest) is not None for audience in wider):
        raise Refused("This record is more public than your erasure, which would not reach all who hold it. Use its audience.")
    if own.get(ERASURES, digest):
        raise Refused("The words of this record are erased already.")
    yield ERASURES.put(Erasure(act.space, digest, act.digest, act.member, act.logged_ms, act.body.reasons))


def takes(own: Own, act: Act[Erased]) -> str:
    """What somebody said of themselves they erase themselves; any other words are for the assembly."""
    return MEMBER if said_by(own, act.member, act.body.record) else ASSEMBLY


# Advice before a record is written


def advise_naming(view: View, body: Named) -> str:
    """Whether somebody else goes by that name."""
    for row in members_at(view, FOREVER_MS - 1):
        naming = naming_of(view, row.member)
        if naming and body.name.strip() and naming.name.strip().casefold() == body.name.strip().casefold():
            return f"There is a member called {naming.name} already. If that is not you, choose a name that tells you apart."
    return ""


def whom_removal_concerns(own: Own, body: Removed) -> tuple[bytes, ...]:
    """Whoever is to go has no vote on it."""
    return (body.member,)


KINDS = (
    Kind(
        "space.founded/1", "Found a space", Founded, found, needs="",
        consequence="A space begins, with this name and these keys, for good.",
        help="The first record of a log; the command `found` writes it.",
    ),
    Kind(
        "space.keys-rotated/1", "Rotate the space's keys", KeysRotated, rotate, needs="",
        consequence="The old keys sign nothing any more; a new epoch of the log begins.",
        help="New keys for the node, by the word of the root key.",
    ),
    Kind(
        "member.invited/1", "Invite somebody", Invited, invite, in_public=IN_PUBLIC,
        consequence="Whoever has the secret can ask to join, once. Your invitation counts as your word for them.",
        help="Open the door for one person; only the hash of the secret is written down.",
    ),
    Kind(
        "member.joined/1", "Join", Joined, join, needs="", in_public=IN_PUBLIC,
        consequence="Your key becomes known here. In the founding round you are a member at once; later, others vouch for you.",
        help="Come in with the secret of an invitation, under a new key of your own.",
    ),
    Kind(
        "member.vouched/1", "Stand for somebody", Vouched, vouch, in_public=IN_PUBLIC,
        consequence="It is on the record for good that you stood for this person. The last word that is needed lets them in.",
        help="Say that you know this person and want them here.",
    ),
    Kind(
        "member.named/1", "Say who you are", Named, name, advise_naming, audience=MEMBERS,
        consequence="The other members see it; no other space ever does. You can change it, and erase it for good.",
        help="Name, contact and languages, for the members of this space only.",
    ),
    Kind(
        "member.left/1", "Leave", Left, leave, in_public=IN_PUBLIC, for_good=True,
        consequence="From this minute you can write nothing here. What you did stands. To come back takes a new key.",
        help="End your own membership.",
    ),
    Kind(
        "member.removed/1", "Remove a member", Removed, remove, needs=DECISION, concerns=whom_removal_concerns,
        in_public=IN_PUBLIC,
        consequence="From this minute they can write nothing here. What they did stands. It shows who recorded it.",
        help="End somebody's membership, by a decision in which they have no vote, and with reasons.",
    ),
    Kind(
        "member.device-added/1", "Add a device", DeviceAdded, add_device, in_public=IN_PUBLIC,
        consequence="What is signed on that device counts as yours.",
        help="Let one more key speak for you.",
    ),
    Kind(
        "member.device-retired/1", "Retire a device", DeviceRetired, retire_device, in_public=IN_PUBLIC, for_good=True,
        consequence="From this minute nothing signed on that device counts. What it signed before stands.",
        help="End one of your keys: a device that you no longer use, or have lost.",
    ),
    Kind(
        "record.erased/1", "Erase the words of a record", Erased, erase, takes=takes, for_good=True,
        consequence="The words are dropped for good, here and wherever this log is carried. That there was a record stays.",
        help="Erase names and free text of a record. Your own name you can erase yourself; other words take the assembly.",
    ),
)  # fmt: skip

PRACTICE = Practice(
    name="members",
    title="Members",
    room="assembly",
    about="Who belongs here and by whose word. Membership is public as a key; names are for members only.",
    tables=(FOUNDINGS, MEMBERSHIPS, VOUCHES, INVITATIONS, NAMINGS, BELONGINGS, ERASURES),
    kinds=KINDS,
    parameters=(NEEDED, INVITED_DAYS, WAITING),
    due=due,
    figures=figures,
    state=state,
    page=page,
)
