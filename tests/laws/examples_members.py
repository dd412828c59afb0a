"""Examples of what members do: invite, join, vouch, name themselves, add and retire keys, leave, erase."""

from __future__ import annotations

from hashlib import sha256

from protocol.keychain import FOUNDED, ROTATED, Founded, KeysRotated
from protocol.keys import NodeKeys, SigningKey
from protocol.membership import INVITATIONS, NAMINGS, VOUCHES, founding_of, waiting_at, words_of
from protocol.practice import KEYS, MEMBERS
from protocol.practices import members
from protocol.record import parse
from tests.laws.examples_library import let
from tests.laws.world import DAY_MS, MINUTE_MS, Builder, Unready, World


def founded(world: World) -> Founded:
    """A second founding, which is always refused: the first ones are the world's own."""
    root = SigningKey(world.rng.randbytes(32))
    world.author = root
    keys = NodeKeys.derive(world.rng.randbytes(32)).public
    return Founded("Isle", world.new_key().public, keys, root.public, world.rng.randbytes(32), world.rng.randbytes(32))


def rotated(world: World) -> KeysRotated:
    space = founding_of(world.view)
    if space is None or space.epoch > 3:
        raise Unready
    root, after = world.isle.roots[space.root], SigningKey(world.rng.randbytes(32))
    successor = next(key for key in world.isle.roots.values() if sha256(key.public).digest() == space.next_root)
    signer = world.rng.choice([root, successor])
    world.isle.roots[after.public] = after
    world.author = signer if world.chance(0.8) else world.author
    node = NodeKeys.derive(world.rng.randbytes(32))
    world.isle.nodes[node.identity.public] = node.identity
    keys = node.public
    size = len(world.isle.log) + world.rng.choice([0, 0, -1, 5])
    return KeysRotated(
        space.epoch + world.rng.choice([1, 1, 1, 2]), keys, signer.public, sha256(after.public).digest(), bytes(32),
        max(1, size), world.rng.randbytes(32),
    )  # fmt: skip


def invited(world: World) -> members.Invited:
    secret = world.rng.randbytes(16)
    digest = sha256(secret).digest()
    world.isle.secrets[digest] = secret
    days = world.rng.choice([1, 7, 14, 14, 60])
    return members.Invited(digest, world.now_ms // MINUTE_MS * MINUTE_MS + days * DAY_MS)


def joined(world: World) -> members.Joined:
    if len(world.members()) > 12:
        raise Unready
    here = world.members()
    doors = world.rows(INVITATIONS)
    if world.chance(0.9):
        doors = [row for row in doors if not row.used_by and world.now_ms < row.expires_ms and row.inviter in here]
    if not doors:
        author = world.author
        assert author
        world.first("member.invited/1", invited(world), author)
        doors = [row for row in world.rows(INVITATIONS) if not row.used_by and world.now_ms < row.expires_ms]
    world.author = world.new_key()
    return members.Joined(world.isle.secrets[world.pick(doors).hash], world.rng.choice(["", "", world.words(1)]))


def _knock(world: World) -> None:
    """Somebody with an invitation asks to join, where two have to stand for them."""
    let(world, members.NEEDED, 2)
    world.first("member.invited/1", invited(world), world.able("member.invited/1"))
    secret = next(reversed(world.isle.secrets.values()))
    world.first("member.joined/1", members.Joined(secret, world.words(1)), world.new_key())


def vouched(world: World) -> members.Vouched:
    if not waiting_at(world.view, world.now_ms):
        _knock(world)
    candidate = world.pick(waiting_at(world.view, world.now_ms)).member
    given = {row.voucher for row in world.rows(VOUCHES, candidate=candidate)}
    free = [member for member in world.members() if member not in given]
    if free and world.chance(0.9):
        world.act_as(world.pick(free))
    return members.Vouched(candidate, world.rng.choice(["", world.words()]))


def named(world: World) -> members.Named:
    return members.Named(world.words(1), world.words(1), "English")


def left(world: World) -> members.Left:
    if len(world.members()) < 4 or not world.chance(0.5):
        raise Unready
    return members.Left(world.words())


def removed(world: World) -> members.Removed:
    if len(world.members()) < 4 or not world.chance(0.6):
        raise Unready
    return members.Removed(world.pick(world.members()), world.words(6))


def device_added(world: World) -> members.DeviceAdded:
    known = [row.key for row in world.rows(KEYS)]
    return members.DeviceAdded(world.new_key().public if world.chance(0.9) else world.pick(known))


def device_retired(world: World) -> members.DeviceRetired:
    several = [member for member in world.members() if len(world.keys_of(member)) > 1]
    world.act_as(world.pick(several) if world.chance(0.9) else world.member)
    return members.DeviceRetired(world.pick(world.keys_of(world.member)).public)


def erased(world: World) -> members.Erased:
    if world.chance(0.5):
        naming = world.pick(world.rows(NAMINGS))
        if naming.member not in world.members():
            raise Unready
        world.act_as(naming.member)
        world.audience = MEMBERS
        return members.Erased(world.pick(words_of(world.view, naming.member)))
    told = world.pick([stored for stored in world.isle.log if stored.annex])
    world.act_as(world.pick(world.holders("assembly")))
    audience = parse(told.raw).audience
    world.audience = audience if world.chance(0.8) else MEMBERS
    return members.Erased(told.digest, world.words())


EXAMPLES: dict[str, Builder] = {
    FOUNDED: founded,
    ROTATED: rotated,
    "member.invited/1": invited,
    "member.joined/1": joined,
    "member.vouched/1": vouched,
    "member.named/1": named,
    "member.left/1": left,
    "member.removed/1": removed,
    "member.device-added/1": device_added,
    "member.device-retired/1": device_retired,
    "record.erased/1": erased,
}
