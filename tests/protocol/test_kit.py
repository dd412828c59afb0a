"""The founding kit: five sheets, any three restore, and each mistake is named."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shamir_mnemonic import combine_mnemonics, generate_mnemonics
from shamir_mnemonic.wordlist import WORDLIST

from protocol import kit
from protocol.kit import Kit, KitError, combine

ENTROPY = bytes(range(kit.ENTROPY_BYTES))


@pytest.fixture(scope="module")
def made() -> Kit:
    return kit.make(ENTROPY)


def _all(made: Kit) -> list[tuple[bytes, tuple[str, ...]]]:
    return [
        (made.root_seed, made.root_lists),
        (made.next_root_seed, made.next_root_lists),
        (made.recovery_seed, made.recovery_lists),
    ]


def test_the_seeds_are_the_given_bytes_and_differ(made: Kit) -> None:
    assert made.root_seed == ENTROPY[:32]
    assert made.next_root_seed == ENTROPY[32:64]
    assert made.recovery_seed == ENTROPY[64:96]


def test_every_three_of_five_lists_restore_the_seed_in_any_order(made: Kit) -> None:
    for seed, lists in _all(made):
        for chosen in combinations(lists, 3):
            assert combine(chosen) == seed
            assert combine(chosen[::-1]) == seed
        assert combine(lists) == seed


def test_no_two_lists_restore_anything(made: Kit) -> None:
    for _, lists in _all(made):
        for chosen in [*combinations(lists, 2), *combinations(lists, 1), ()]:
            with pytest.raises(KitError, match=r"3 word lists of one key are needed and \d of them (is|are) here"):
                combine(chosen)


def test_the_word_lists_are_standard_ones_that_other_programs_read(made: Kit) -> None:
    for seed, lists in _all(made):
        assert combine_mnemonics(lists[1:4]) == seed
        assert all(len(words.split()) == kit.WORDS for words in lists)


def test_a_list_says_its_key_kit_and_sheet(made: Kit) -> None:
    told = [kit.purpose_of(words) for _, lists in _all(made) for words in lists]
    assert [(purpose, sheet) for purpose, _, sheet in told] == [(p, n) for p in kit.PURPOSES for n in range(1, 6)]
    assert len({mark for _, mark, _ in told}) == 1


def test_the_same_seed_cut_twice_gives_lists_that_do_not_go_together(made: Kit) -> None:
    _, mark, _ = kit.purpose_of(made.root_lists[0])
    again = kit.split(made.root_seed, "root", mark)
    assert not set(again) & set(made.root_lists)
    with pytest.raises(KitError, match="do not belong together"):
        combine([made.root_lists[0], made.root_lists[1], again[2]])
    with pytest.raises(KitError, match="do not belong together"):
        combine([*made.root_lists[:3], again[3]])
    with pytest.raises(KitError, match="Lists 1 and 3 are both from a sheet 1, of two cuts"):
        combine([made.root_lists[0], made.root_lists[1], again[0]])


def test_words_are_taken_as_people_write_them(made: Kit) -> None:
    first, *others = made.root_lists[:3]
    for written in (
        first.upper(),
        "\n".join(f"{n}. {word}," for n, word in enumerate(first.split(), 1)),
        " ".join(word[:4] for word in first.split()),
        f"  {first}  ",
    ):
        assert combine([written, *others]) == made.root_seed


def test_a_mistyped_word_is_named_with_its_place_and_the_likely_right_one(made: Kit) -> None:
    words = made.root_lists[1].split()
    right = words[6]
    words[6] = right[:-1] + "z"
    with pytest.raises(KitError) as caught:
        combine([made.root_lists[0], " ".join(words), made.root_lists[2]])
    assert str(caught.value).startswith(f"Word 7 of list 2, “{words[6]}”, is not one of the words used.")
    assert f"“{right}”" in str(caught.value)
    words[6] = "xyzzyx"
    with pytest.raises(KitError, match=r"Word 7 of list 2, “xyzzyx”"):
        combine([made.root_lists[0], " ".join(words), made.root_lists[2]])


@given(st.integers(0, 32), st.integers(1, 1023))
def test_a_wrong_word_that_exists_is_found_by_its_place(place: int, change: int) -> None:
    words = LISTS[0].split()
    right = words[place]
    words[place] = WORDLIST[WORDLIST.index(right) ^ change]
    with pytest.raises(KitError, match="List 1 has a mistake somewhere") as caught:
        combine([" ".join(words), *LISTS[1:3]])
    flag_changed = place == 1 and change >> 4 & 1  # then the other of two check rules is asked
    assert flag_changed or f"Word {place + 1}, “{words[place]}”, may have to be “{right}”" in str(caught.value)


@given(st.integers(0, 31))
def test_two_swapped_words_are_found(place: int) -> None:
    words = LISTS[0].split()
    if words[place] == words[place + 1]:
        return
    words[place], words[place + 1] = words[place + 1], words[place]
    with pytest.raises(KitError, match=rf"Words {place + 1} and {place + 2} may be swapped|mistake somewhere"):
        combine([" ".join(words), *LISTS[1:3]])


LISTS = kit.split(bytes(range(32)), "root", 77)


def test_a_missing_or_doubled_word_is_counted(made: Kit) -> None:
    words = made.root_lists[0].split()
    for wrong, count in ((words[:-1], 32), ([*words, words[-1]], 34), (words[:1], 1)):
        with pytest.raises(KitError, match=rf"List 1 has {count} words?; a list has 33"):
            combine([" ".join(wrong), *made.root_lists[1:3]])


def test_lists_of_different_keys_or_kits_are_told_apart(made: Kit) -> None:
    other = kit.make(bytes(reversed(ENTROPY)))
    with pytest.raises(KitError, match="List 1 is of the root key and list 2 of the recovery key"):
        combine([made.root_lists[0], made.recovery_lists[1], made.root_lists[2]])
    with pytest.raises(KitError, match="Lists 1 and 3 are of two different kits"):
        combine([made.root_lists[0], made.root_lists[1], other.root_lists[2]])
    with pytest.raises(KitError, match="Lists 1 and 2 are the same list"):
        combine([made.root_lists[0], made.root_lists[0], made.root_lists[2]])


def test_a_list_of_another_use_of_the_standard_is_refused() -> None:
    with pytest.raises(KitError, match="List 1 has 20 words; a list has 33"):
        combine(generate_mnemonics(1, [(3, 5)], bytes(16))[0][:3])
    with pytest.raises(KitError, match="List 1 is a SLIP-39 list, but not one of a founding kit"):
        combine(generate_mnemonics(1, [(2, 3)], bytes(32))[0][:3])


def test_each_sheet_holds_its_three_lists_labelled_and_readable_back(made: Kit) -> None:
    sheets = made.sheets("Harbour Kitchen", "isle:abc", "2026-01-04")
    assert len(sheets) == kit.SHEETS
    for number, sheet in enumerate(sheets, 1):
        assert f"SHEET {number} OF 5" in sheet
        assert "Harbour Kitchen" in sheet
        assert "isle:abc" in sheet
        assert all(len(line) <= 80 for line in sheet.splitlines())
        assert len(sheet.splitlines()) <= 66
        for purpose, (_, lists) in zip(kit.PURPOSES, _all(made), strict=True):
            assert f"{purpose.upper()} KEY, word list {number} of 5" in sheet
            for place, word in enumerate(lists[number - 1].split(), 1):
                assert f"{place:2} {word}" in sheet


def test_without_names_the_sheets_leave_lines_to_write_on(made: Kit) -> None:
    assert "Collective:  ____" in made.sheets()[0]


def test_a_kit_does_not_show_its_secrets_when_printed(made: Kit) -> None:
    assert repr(made) == "Kit(…)"
    assert made.root_seed.hex() not in f"{made!r}{made}"


def test_a_kit_needs_exactly_its_random_bytes() -> None:
    with pytest.raises(ValueError, match="exactly 104 random bytes"):
        kit.make(bytes(32))


def test_the_module_draws_no_randomness_of_its_own(made: Kit) -> None:
    again = kit.make(ENTROPY)
    assert (again.root_seed, again.next_root_seed, again.recovery_seed) == (
        made.root_seed,
        made.next_root_seed,
        made.recovery_seed,
    )
    assert "secrets" not in Path(kit.__file__).read_text(encoding="utf-8")
