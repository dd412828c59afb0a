"""Members: coming in, being here under several keys, going, and being forgotten."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest

from protocol import moon
from protocol.fuse import cycles_later_ms
from protocol.keychain import Founded, KeysRotated
from protocol.keys import NodeKeys, SigningKey
from protocol.lineage import Choice, hash_of
from protocol.membership import (
    MANDATE_CYCLES,
    MEMBERSHIPS,
    founding_of,
    members_at,
    name_of,
    title_of,
    waiting_at,
    words_of,
)
from protocol.page import Action, Graph, Text
from protocol.practice import GRANTS, KEYS, MEMBERS, PUBLIC
from protocol.practices import PRACTICES, library, members
from tests.laws.world import DAY_MS, MINUTE_MS, Registry, Unready, World

PRACTICE = members.PRACTICE


class House(World):
    """One space, and short ways to say what happens in it."""

    def __init__(self, seed: int = 5) -> None:
        super().__init__(Registry(PRACTICES), {}, seed, spaces=1)
        self.founder = next(iter(self.isle.keys.values()))
        self.second = self.founder

    def later(self, days: float) -> None:
        self.now_ms += int(days * DAY_MS)

    def invite(self, by: SigningKey, days: int = 7) -> bytes:
        secret = self.rng.randbytes(16)
        until = self.now_ms // MINUTE_MS * MINUTE_MS + days * DAY_MS
        said = self.write("member.invited/1", members.Invited(sha256(secret).digest(), until), by)
        assert not said, said
        return secret

    def join(self, by: SigningKey, name: str = "") -> SigningKey:
        key = self.new_key()
        said = self.write("member.joined/1", members.Joined(self.invite(by), name), key)
        assert not said, said
        return key

    def vouch(self, by: SigningKey, who: SigningKey) -> str:
        return self.write("member.vouched/1", members.Vouched(who.public), by)

    def name(self, key: SigningKey, name: str = "Ada") -> str:
        return self.write("member.named/1", members.Named(name, "by the stove", "English"), key)

    def here(self) -> list[bytes]:
        return [row.member for row in members_at(self.view, self.now_ms)]


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def grown() -> House:
    """A space of two, after its founding round."""
    made = House()
    made.second = made.join(made.founder)
    made.later(40)
    return made


# Founding


def test_the_founder_is_a_member_and_holds_the_mandate_for_39_cycles(house: House) -> None:
    space = founding_of(house.view)
    assert space is not None
    assert title_of(house.view, house.isle.id) == space.name == "Isle 1"
    assert house.here() == [house.founder.public]
    assert house.holders("assembly") == [house.founder.public]
    assert space.mandate_ms == moon.new_moon_ms(moon.cycle_at(space.founded_ms) + MANDATE_CYCLES)
    house.now_ms = space.mandate_ms - MINUTE_MS
    assert not house.write("record.erased/1", members.Erased(house.isle.log[0].digest), house.founder)
    house.now_ms = space.mandate_ms
    digest = house.isle.log[1].digest
    refused = house.write("record.erased/1", members.Erased(digest), house.founder)
    assert "The founding mandate ended at" in refused


def test_everybody_of_the_founding_round_holds_it_until_the_same_new_moon(house: House) -> None:
    house.later(29)
    other = house.join(house.founder)
    until = {row.until_ms for row in house.rows(GRANTS, name="assembly")}
    assert len(until) == 1
    assert sorted(house.holders("assembly")) == sorted([house.founder.public, other.public])


def test_a_space_is_founded_once(house: House) -> None:
    root = SigningKey(bytes(32))
    keys = NodeKeys.derive(bytes(32)).public
    body = Founded("Again", house.founder.public, keys, root.public, bytes(32), bytes(32))
    assert "once" in house.write("space.founded/1", body, root)


def test_keys_rotate_by_the_root_or_the_next_root_and_by_nobody_else(house: House) -> None:
    root, after = house.isle.roots.values()

    def turn(epoch: int, signer: SigningKey, following: SigningKey, named: bytes | None = None) -> str:
        keys = NodeKeys.derive(bytes([epoch]) * 32).public
        body = KeysRotated(epoch, keys, named or signer.public, sha256(following.public).digest(), bytes(32), 1, bytes(32))
        return house.write("space.keys-rotated/1", body, signer)

    third = SigningKey(b"3" * 32)
    assert "by the root key" in turn(1, third, third)
    assert "names its signer" in turn(2, root, after)
    assert "names its signer" in turn(1, root, after, third.public)
    assert not turn(1, root, after)
    assert not turn(2, after, third)
    assert "by the root key" in turn(3, root, after)
    assert not turn(3, third, root)
    space = founding_of(house.view)
    assert space is not None
    assert (space.epoch, space.root) == (3, third.public)


# Coming in


def test_in_the_founding_round_an_invitation_is_enough(house: House) -> None:
    other = house.join(house.founder)
    assert house.here() == [house.founder.public, other.public]
    assert not house.name(other)


def test_later_the_invitation_is_the_first_of_two_words(grown: House) -> None:
    newcomer = grown.join(grown.founder)
    assert newcomer.public not in grown.here()
    assert [row.member for row in waiting_at(grown.view, grown.now_ms)] == [newcomer.public]
    assert "not been given" in grown.name(newcomer)
    assert "stand for this person already" in grown.vouch(grown.founder, newcomer)
    assert not grown.vouch(grown.second, newcomer)
    assert newcomer.public in grown.here()
    assert not grown.name(newcomer)
    assert newcomer.public not in grown.holders("assembly")
    assert "admitted already" in grown.vouch(grown.founder, newcomer)


def test_nobody_vouches_for_themselves(grown: House) -> None:
    newcomer = grown.join(grown.founder)
    assert "not been given" in grown.vouch(newcomer, newcomer)
    assert "Nobody vouches for themselves" in grown.vouch(grown.founder, grown.founder)


def test_a_small_space_asks_for_no_more_words_than_it_has_members(house: House) -> None:
    house.later(40)
    newcomer = house.join(house.founder)
    assert newcomer.public in house.here()
    assert newcomer.public not in house.holders("assembly")


def test_an_adopted_protocol_sets_how_many_have_to_stand_for_somebody(grown: House) -> None:
    third = grown.join(grown.founder)
    assert not grown.vouch(grown.second, third)
    until = grown.cycle + 2
    rule = library.Adopted(
        b"p" * 32, b"s" * 32, "Entry", hash_of("x"), until, [Choice("members.vouches", 3)], "Times of trouble"
    )
    assert not grown.write("protocol.adopted/1", rule, grown.founder)
    newcomer = grown.join(grown.founder)
    assert not grown.vouch(grown.second, newcomer)
    assert newcomer.public not in grown.here()
    assert not grown.vouch(third, newcomer)
    assert newcomer.public in grown.here()


def test_the_word_of_somebody_who_left_counts_no_more(grown: House) -> None:
    third = grown.join(grown.founder)
    assert not grown.vouch(grown.second, third)
    newcomer = grown.join(third)
    assert not grown.write("member.left/1", members.Left(), third)
    assert not grown.vouch(grown.founder, newcomer)
    assert newcomer.public not in grown.here()
    assert not grown.vouch(grown.second, newcomer)
    assert newcomer.public in grown.here()


def test_a_request_lapses_when_nobody_stands_for_it(grown: House) -> None:
    newcomer = grown.join(grown.founder)
    assert len(list(PRACTICE.due(grown.view, grown.now_ms))) == 3  # one to vouch for, two to name themselves
    grown.later(30)
    assert "has lapsed" in grown.vouch(grown.second, newcomer)
    assert not waiting_at(grown.view, grown.now_ms)


def test_an_invitation_is_good_once_and_until_it_expires(house: House) -> None:
    one, two, three = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3))
    secret = house.invite(house.founder, 7)
    assert "No invitation has this secret" in house.write("member.joined/1", members.Joined(bytes(16)), one)
    assert not house.write("member.joined/1", members.Joined(secret), one)
    assert "has been used" in house.write("member.joined/1", members.Joined(secret), two)
    secret = house.invite(house.founder, 1)
    house.later(1)
    assert "was good until" in house.write("member.joined/1", members.Joined(secret), three)


def test_an_invitation_of_somebody_who_left_opens_nothing(house: House) -> None:
    other = house.join(house.founder)
    secret = house.invite(other)
    assert not house.write("member.left/1", members.Left(), other)
    refused = house.write("member.joined/1", members.Joined(secret), SigningKey(b"9" * 32))
    assert "no longer a member" in refused


@pytest.mark.parametrize(("days", "said"), [(0, "over already"), (15, "at most 14 days"), (14, "")])
def test_an_invitation_is_good_for_some_days(house: House, days: int, said: str) -> None:
    body = members.Invited(bytes(32), house.now_ms // MINUTE_MS * MINUTE_MS + days * DAY_MS)
    assert said in house.write("member.invited/1", body, house.founder)


def test_a_key_that_was_known_here_cannot_join_again(house: House) -> None:
    other = house.join(house.founder)
    again = members.Joined(house.invite(house.founder))
    assert "known here already" in house.write("member.joined/1", again, other)
    assert not house.write("member.left/1", members.Left(), other)
    assert "retired" in house.write("member.joined/1", again, other)


def test_membership_is_public_and_cannot_be_narrowed(house: House) -> None:
    body = members.Invited(bytes(32), house.now_ms // MINUTE_MS * MINUTE_MS + DAY_MS)
    assert "public as a key" in house.write("member.invited/1", body, house.founder, MEMBERS)


# Devices


def test_another_device_speaks_for_its_member_until_it_is_retired(house: House) -> None:
    laptop, phone = house.founder, SigningKey(b"p" * 32)
    assert not house.write("member.device-added/1", members.DeviceAdded(phone.public), laptop)
    assert not house.name(phone, "Ada")
    assert name_of(house.view, laptop.public) == "Ada"
    assert not house.write("member.device-retired/1", members.DeviceRetired(laptop.public), phone)
    assert "retired" in house.name(laptop)
    assert "only key" in house.write("member.device-retired/1", members.DeviceRetired(phone.public), phone)
    assert house.here() == [laptop.public]


def test_nobody_takes_or_retires_a_key_of_somebody_else(house: House) -> None:
    other = house.join(house.founder)
    assert "known here already" in house.write("member.device-added/1", members.DeviceAdded(other.public), house.founder)
    assert "not one of yours" in house.write("member.device-retired/1", members.DeviceRetired(other.public), house.founder)
    assert "not a key" in house.write("member.device-added/1", members.DeviceAdded(b"\x01" + bytes(31)), house.founder)


# Going


def test_who_leaves_can_write_nothing_more_on_any_device_and_what_they_did_stands(house: House) -> None:
    other, phone = house.join(house.founder), SigningKey(b"p" * 32)
    assert not house.write("member.device-added/1", members.DeviceAdded(phone.public), other)
    assert not house.name(other, "Bo")
    house.later(1)
    assert not house.write("member.left/1", members.Left("Thank you"), phone)
    assert house.here() == [house.founder.public]
    assert house.holders("assembly") == [house.founder.public]
    assert "retired" in house.name(other)
    assert "retired" in house.name(phone)
    assert name_of(house.view, other.public) == "Bo"
    assert all(row.until_ms <= house.now_ms for row in house.rows(KEYS, member=other.public))


def test_removal_takes_a_decision_by_others_and_is_not_for_oneself(grown: House) -> None:
    newcomer = grown.join(grown.founder)
    assert not grown.vouch(grown.second, newcomer)
    body = members.Removed(newcomer.public, "reasons")
    for key in (grown.founder, newcomer):
        assert "takes a decision for exactly this act" in grown.write("member.removed/1", body, key)
    grown.decide("member.removed/1", members.Removed(grown.founder.public))
    assert "Nobody removes themselves" in grown.write("member.removed/1", members.Removed(grown.founder.public), grown.founder)
    grown.decide("member.removed/1", body)
    assert not grown.write("member.removed/1", body, grown.second)
    assert newcomer.public not in grown.here()
    assert "it was used, or lapsed" in grown.write("member.removed/1", members.Removed(newcomer.public, "again"), grown.founder)
    row = grown.view.get(MEMBERSHIPS, newcomer.public)
    assert row is not None
    assert (row.ended, row.why) == ("removed", "reasons")


def test_one_of_two_cannot_remove_the_other(grown: House) -> None:
    with pytest.raises(Unready):
        grown.decide("member.removed/1", members.Removed(grown.second.public))
    assert "takes a decision" in grown.write("member.removed/1", members.Removed(grown.second.public), grown.founder)


def test_a_request_can_be_turned_down(grown: House) -> None:
    newcomer = grown.join(grown.founder)
    body = members.Removed(newcomer.public, "not now")
    grown.decide("member.removed/1", body)
    assert not grown.write("member.removed/1", body, grown.founder)
    assert "turned down" in grown.vouch(grown.second, newcomer)


# Names, and forgetting them


def test_names_are_for_members_and_a_public_name_for_all(house: House) -> None:
    shy, known = house.join(house.founder), house.join(house.founder, "Cleo")
    assert not house.name(shy, "Bo")
    public = house.store.view(house.isle.id, PUBLIC)
    assert (name_of(public, shy.public), name_of(house.view, shy.public)) == ("member 2", "Bo")
    assert name_of(public, known.public) == "Cleo"
    assert name_of(public, b"x" * 32) == "somebody unknown here"


def test_members_erase_what_they_said_of_themselves(house: House) -> None:
    other = house.join(house.founder, "Cleo")
    assert not house.name(other, "Cleo from the bakery")
    joined, named = words_of(house.view, other.public)
    assert "same audience" in house.write("record.erased/1", members.Erased(named), other, PUBLIC)
    assert "more public" in house.write("record.erased/1", members.Erased(joined), other, MEMBERS)
    assert not house.write("record.erased/1", members.Erased(named), other, MEMBERS)
    assert name_of(house.view, other.public) == "Cleo"
    assert not house.write("record.erased/1", members.Erased(joined), other)
    assert name_of(house.view, other.public) == "member 2"
    assert words_of(house.view, other.public) == ()
    assert "erased already" in house.write("record.erased/1", members.Erased(joined), other)
    assert other.public in house.here()


def test_words_of_others_are_erased_by_the_assembly_only(grown: House) -> None:
    newcomer = grown.join(grown.founder)
    assert not grown.vouch(grown.second, newcomer)
    assert not grown.name(grown.founder, "Ada")
    (named,) = words_of(grown.view, grown.founder.public)
    assert "assembly" in grown.write("record.erased/1", members.Erased(named), newcomer, MEMBERS)
    assert not grown.write("record.erased/1", members.Erased(named, "by mistake"), grown.second, MEMBERS)
    assert name_of(grown.view, grown.founder.public) == "member 1"


def test_what_is_not_there_cannot_be_erased(house: House) -> None:
    assert "no such record" in house.write("record.erased/1", members.Erased(bytes(32)), house.founder)


# What it says


def test_the_graph_of_vouches_is_for_members(grown: House) -> None:
    newcomer = grown.join(grown.founder)
    assert not grown.vouch(grown.second, newcomer)
    (graph,) = (block for block in PRACTICE.page(grown.view, grown.now_ms) if isinstance(block, Graph))
    assert {(edge.source, edge.target) for edge in graph.edges} == {
        (grown.founder.public.hex(), grown.second.public.hex()),
        (grown.founder.public.hex(), newcomer.public.hex()),
        (grown.second.public.hex(), newcomer.public.hex()),
    }
    public = grown.store.view(grown.isle.id, PUBLIC)
    assert not [block for block in PRACTICE.page(public, grown.now_ms) if isinstance(block, Graph)]


def test_who_waits_can_be_vouched_for_from_the_page(grown: House) -> None:
    newcomer = grown.join(grown.founder)
    actions = [block for block in PRACTICE.page(grown.view, grown.now_ms) if isinstance(block, Action)]
    assert {"candidate": newcomer.public.hex()} in [dict(action.filled) for action in actions]


def test_figures_count_who_is_here_and_who_let_whom_in(grown: House) -> None:
    newcomer = grown.join(grown.founder)
    figures = PRACTICE.figures(grown.view, grown.now_ms)
    assert (figures["members.count"], figures["members.waiting"], figures["members.assembly"]) == (2, 1, 2)
    assert figures["members.most-vouches-percent"] == 100
    assert not grown.vouch(grown.second, newcomer)
    figures = PRACTICE.figures(grown.view, grown.now_ms)
    assert (figures["members.count"], figures["members.most-vouches-percent"]) == (3, 66)
    assert PRACTICE.state(grown.view, grown.now_ms)["members"] == 3


def test_the_end_of_the_mandate_is_due_two_cycles_before(house: House) -> None:
    space = founding_of(house.view)
    assert space is not None

    def said(now_ms: int) -> bool:
        return any("mandate" in due.what for due in PRACTICE.due(house.view, now_ms))

    begins = cycles_later_ms(space.founded_ms, MANDATE_CYCLES - 2)
    assert [said(at) for at in (begins - 1, begins, space.mandate_ms - 1, space.mandate_ms)] == [False, True, True, False]


def test_a_name_that_somebody_has_is_warned_of(house: House) -> None:
    assert not house.name(house.founder, "Ada")
    advice = next(kind.advise for kind in PRACTICE.kinds if kind.name == "member.named/1")
    assert "called Ada already" in advice(house.view, members.Named(" ada "))
    assert advice(house.view, members.Named("Bo")) == ""


def test_many_let_in_by_few_is_said_in_words_once_there_are_enough(house: House) -> None:
    for _ in range(5):
        house.join(house.founder)
    texts = [block.text for block in PRACTICE.page(house.view, house.now_ms) if isinstance(block, Text)]
    assert any("Of 5 words given, 5 came from member 1." in text for text in texts)
    assert msgspec.json.encode(list(PRACTICE.page(house.view, house.now_ms)))
