"""Voice: who proposes, speaks and votes; groups that are named by the collective, and that only members themselves join."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from protocol import moon
from protocol.deciding import OUTCOMES, PROPOSALS, SAYINGS, Outcome, Proposal, Saying
from protocol.membership import MEMBERSHIPS, members_at, name_of, said_by
from protocol.page import Bars, Grid
from protocol.practice import EVERYTHING, MEMBERS, PUBLIC, Row
from protocol.practices import PRACTICES, members, voice
from protocol.practices.voice import GroupEnded, GroupNamed, GroupsSaid
from protocol.voicing import MOST_GROUPS, belonging, share, split, voices, window
from tests.laws.examples import EXAMPLES
from tests.laws.world import DAY_MS, Registry, World

PRACTICE = voice.PRACTICE


class House:
    """One space of eight, three cycles old."""

    def __init__(self) -> None:
        self.world = World(Registry(PRACTICES), EXAMPLES, 7, spaces=1)
        while len(self.members) < 8:
            self.world.step_here("member.invited/1")
            self.world.step_here("member.joined/1")
        self.world.now_ms = moon.new_moon_ms(self.world.cycle + 4) + DAY_MS

    @property
    def members(self) -> list[bytes]:
        return [row.member for row in self.world.rows(MEMBERSHIPS) if row.admitted_ms is not None]

    def view(self, audience: int = EVERYTHING) -> Any:
        return self.world.store.view(self.world.isle.id, audience)

    def write(self, kind: str, body: Struct, member: int = 0, audience: int | None = None) -> str:
        return self.world.write(kind, body, self.world.keys_of(self.members[member])[0], audience)

    def put(self, table: Any, row: type[Row], **columns: Any) -> None:
        nothing = {name: columns.get(name, b"") for name in row.__struct_fields__}
        self.world.store.write(1, PUBLIC, (table.put(row(**{**nothing, "space": 1})),))

    def proposal(self, member: int, at_ms: int, number: int) -> None:
        self.put(PROPOSALS, Proposal, id=bytes([number]) * 32, position=number, proposer=self.members[member], since_ms=at_ms)

    def saying(self, member: int, at_ms: int, number: int) -> None:
        self.put(
            SAYINGS, Saying, proposal=b"p" * 32, position=number, id=bytes([number]) * 32, author=self.members[member],
            since_ms=at_ms,
        )  # fmt: skip

    def figures(self, audience: int = EVERYTHING) -> dict[str, int]:
        return dict(PRACTICE.figures(self.view(audience), self.world.now_ms))


def test_only_the_last_three_full_cycles_are_looked_at() -> None:
    house = House()
    since_ms, until_ms = window(house.world.now_ms)
    for number, at_ms in enumerate([since_ms - 1, since_ms, until_ms - 1, until_ms]):
        house.proposal(number, at_ms, number)
    heard = voices(house.view(), house.world.now_ms)
    assert dict(heard.proposals) == {house.members[1]: 1, house.members[2]: 1}
    assert (until_ms, since_ms) == (moon.new_moon_ms(house.world.cycle), moon.new_moon_ms(house.world.cycle - 3))


def test_whatever_was_said_in_that_time_counts_however_much_came_later() -> None:
    house = House()
    since_ms, until_ms = window(house.world.now_ms)
    house.saying(0, since_ms, 0)
    house.proposal(0, since_ms, 0)
    house.put(OUTCOMES, Outcome, id=b"first", since_ms=since_ms, round=b"r", eligible=8, answered=5)
    for number in range(1, 2100):
        at_ms = until_ms + number
        house.put(SAYINGS, Saying, proposal=b"p", position=number, id=b"%d" % number, author=house.members[1], since_ms=at_ms)
        house.put(PROPOSALS, Proposal, id=b"%d" % number, position=number, proposer=house.members[1], since_ms=at_ms)
        house.put(OUTCOMES, Outcome, id=b"%d" % number, since_ms=at_ms, round=b"r", eligible=8, answered=8)
    heard = voices(house.view(), house.world.now_ms)
    assert dict(heard.proposals) == dict(heard.sayings) == {house.members[0]: 1}
    assert (heard.decisions, heard.eligible, heard.answered) == (1, 8, 5)


def test_shares_are_told_only_of_enough_and_those_who_said_nothing_count() -> None:
    house = House()
    at_ms = window(house.world.now_ms)[0]
    for number in range(4):
        house.saying(0, at_ms, number)
    assert not {"voice.speaking-top-share", "voice.speaking-half"} & house.figures().keys()
    house.saying(1, at_ms, 9)
    found = house.figures()
    assert (found["voice.speaking-top-share"], found["voice.speaking-half"]) == (800, 1)
    assert (found["voice.speakers"], found["voice.proposers"], found["voice.silent"]) == (2, 0, 6)
    assert "voice.turnout" not in found


def test_votes_of_ones_own_count_by_the_decisions_of_that_time() -> None:
    world = World(Registry(PRACTICES), EXAMPLES, 3, spaces=1)
    body = members.Removed(world.members()[-1], "as agreed")
    world.decide("member.removed/1", body)
    world.now_ms = moon.new_moon_ms(world.cycle + 2)
    heard = voices(world.view, world.now_ms)
    assert (heard.decisions, heard.answered) == (1, len(heard.votes))
    assert set(heard.votes.values()) == {1}
    assert PRACTICE.figures(world.view, world.now_ms)["voice.turnout"] == heard.answered * 1000 // heard.eligible


def test_groups_are_named_by_the_assembly_once_and_not_without_end() -> None:
    house = House()
    assert not house.write("group.named/1", GroupNamed("night-shift", "Works nights"))
    assert "is named already" in house.write("group.named/1", GroupNamed("night-shift", "Other"))
    for number in range(MOST_GROUPS - 1):
        assert not house.write("group.named/1", GroupNamed(f"group{number}", "Some"))
    assert "End one first" in house.write("group.named/1", GroupNamed("parents", "Have children"))
    assert not house.write("group.ended/1", GroupEnded("group0"))
    assert "was ended" in house.write("group.ended/1", GroupEnded("group0"))
    assert "no such group" in house.write("group.ended/1", GroupEnded("cooks"))
    assert not house.write("group.named/1", GroupNamed("parents", "Have children"))


@pytest.mark.parametrize("name", ["Night", "night shift", "n", "-night", "night-", "night\n", "x" * 25])
def test_a_group_has_a_short_plain_name(name: str) -> None:
    assert House().write("group.named/1", GroupNamed(name, "Some")).startswith("Not in form")


def test_a_member_says_it_alone_for_members_only_and_the_latest_counts() -> None:
    house = House()
    house.write("group.named/1", GroupNamed("north", "Lives north"))
    for member in range(4):
        assert "not for so wide" in house.write("group.said/1", GroupsSaid("north"), member, PUBLIC)
        assert not house.write("group.said/1", GroupsSaid("north, unknown"), member)
    view, now_ms = house.view(), house.world.now_ms
    assert belonging(view, now_ms) == {"north": set(house.members[:4])}
    assert belonging(house.view(PUBLIC), now_ms) == {}
    assert not house.write("group.said/1", GroupsSaid(), 3)
    assert belonging(view, now_ms) == {"north": set(house.members[:3])}
    assert not house.write("group.said/1", GroupsSaid(), 2)
    assert belonging(view, now_ms) == {}, "two people are no group that is told apart"


@pytest.mark.parametrize(("people", "told"), [(2, False), (3, True), (5, True), (6, False)])
def test_a_group_is_told_apart_only_if_no_number_is_about_one_or_two(people: int, told: bool) -> None:
    house = House()
    house.write("group.named/1", GroupNamed("north", "Lives north"))
    for member in range(people):
        house.write("group.said/1", GroupsSaid("north"), member)
    assert any(name.startswith("voice.north-") for name in house.figures()) is told
    if told:
        assert house.figures()["voice.north-of-members"] == people * 1000 // 8
        assert not any(name.startswith("voice.north-") for name in house.figures(PUBLIC))


def test_a_member_erases_for_good_what_they_said_and_nobody_else_does_without_the_assembly() -> None:
    house = House()
    house.write("group.said/1", GroupsSaid("north"), 2)
    digest = house.world.isle.log[-1].digest
    assert said_by(house.view(), house.members[2], digest)
    assert not said_by(house.view(), house.members[1], digest)
    assert not house.write("record.erased/1", members.Erased(digest), 2, MEMBERS)
    assert not any(stored.annex for stored in house.world.isle.log if stored.digest == digest)


def test_advice_names_what_is_no_group() -> None:
    house = House()
    assert "No group is named yet" in voice.advise_groups(house.view(), GroupsSaid("north"))
    house.write("group.named/1", GroupNamed("north", "Lives north"))
    assert voice.advise_groups(house.view(), GroupsSaid("North")) == ""
    assert "You name no group" in voice.advise_groups(house.view(), GroupsSaid(" , "))
    assert "There are: north" in voice.advise_groups(house.view(), GroupsSaid("north, south"))


def test_the_page_shows_people_to_members_only_and_in_the_order_in_which_they_came() -> None:
    house = House()
    house.write("group.named/1", GroupNamed("north", "Lives north"))
    for member in range(3):
        house.write("group.said/1", GroupsSaid("north"), member)
    at_ms = window(house.world.now_ms)[0]
    for number in range(6):
        house.proposal(number % 2 * 5, at_ms, number)

    def captions(audience: int) -> list[str]:
        blocks = PRACTICE.page(house.view(audience), house.world.now_ms)
        return [block.caption for block in blocks if isinstance(block, Grid | Bars)]

    assert captions(MEMBERS) == [
        "Groups",
        "Share of north",
        "Proposals by person",
        "In the order in which they came",
    ]
    pictures = [each for each in PRACTICE.page(house.view(MEMBERS), house.world.now_ms) if isinstance(each, Bars)]
    assert sum(bar.value for bar in pictures[-1].bars) == 6
    assert len(pictures[-1].bars) == 8, "whoever proposed nothing is there too"
    assert captions(PUBLIC) == [], "who may not see members is told nothing of groups"


def pictures_of(house: House) -> dict[str, list[tuple[str, int]]]:
    blocks = PRACTICE.page(house.view(MEMBERS), house.world.now_ms)
    return {each.caption: [(bar.label, bar.value) for bar in each.bars] for each in blocks if isinstance(each, Bars)}


def test_proposals_words_and_votes_are_a_picture_each_by_person(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    here = [row.member for row in members_at(house.view(), house.world.now_ms)]
    assert not pictures_of(house), "where nothing was written down there is nothing to draw"
    at_ms = window(house.world.now_ms)[0]
    house.proposal(1, at_ms, 0)
    for number in range(3):
        house.saying(2, at_ms, number)
    heard = voices(house.view(), house.world.now_ms)
    heard = replace(heard, votes={house.members[4]: 2})
    monkeypatch.setattr(voice, "voices", lambda *_: heard)
    drawn = pictures_of(house)
    assert list(drawn) == ["Proposals by person", "Words on proposals by person", "Votes by person"]
    for caption, number, value in (("Proposals", 1, 1), ("Words on proposals", 2, 3), ("Votes", 4, 2)):
        who = house.members[number]
        wanted = [(name_of(house.view(), member), value if member == who else 0) for member in here]
        assert drawn[f"{caption} by person"] == wanted, "in the order in which they came"


def test_voice_of_a_large_group_is_drawn_in_bands_with_every_number_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "PEOPLE", 7)
    house = House()
    at_ms = window(house.world.now_ms)[0]
    for number, member in enumerate([0, 1, 1, *[2] * 4, *[3] * 5]):
        house.saying(member, at_ms, number)
    assert pictures_of(house) == {
        "How many people spoke on proposals how often": [("not once", 4), ("once", 1), ("2 to 4 times", 2), ("more often", 1)]
    }
    grids = [each for each in PRACTICE.page(house.view(MEMBERS), house.world.now_ms) if isinstance(each, Grid)]
    assert Counter(row[2] for row in grids[-1].rows) == {0: 4, 1: 1, 2: 1, 4: 1, 5: 1}


def test_a_group_can_be_looked_at_among_some_only() -> None:
    house = House()
    house.write("group.named/1", GroupNamed("north", "Lives north"))
    for member in range(4):
        house.write("group.said/1", GroupsSaid("north"), member)
    view, now_ms = house.view(), house.world.now_ms
    assert belonging(view, now_ms, house.members[1:]) == {"north": set(house.members[1:4])}
    assert belonging(view, now_ms, house.members[2:]) == {}
    assert belonging(view, now_ms, house.members[:6]) == {}, "it leaves two out"


def test_shares_and_names_of_groups_in_words() -> None:
    assert share({b"a": 4}, [b"a"]) is None
    assert share({b"a": 4, b"b": 1}, [b"b", b"c"]) == 200
    assert split(" North, night-shift;north\n parents ") == ("north", "night-shift", "parents")
