"""Sealed ballots: of one length, bound to round and member, opened by the secret alone, and those of libsodium."""

from __future__ import annotations

import pytest
from nacl.public import PrivateKey, SealedBox

from protocol import ballot
from protocol.practice import Refused
from protocol.voting import ANSWERS, MOST_OPTIONS

SECRET, ROUND, MEMBER = bytes(range(32)), b"r" * 32, b"m" * 32
PUBLIC = ballot.public_of(SECRET)


def sealed(choice: str = "agree", round_: bytes = ROUND, member: bytes = MEMBER, random: bytes = b"x" * 32) -> bytes:
    return ballot.seal(PUBLIC, round_, member, choice, random)


def test_every_answer_there_is_comes_back_and_is_of_one_length() -> None:
    longest = " ".join(str(number) for number in range(1, MOST_OPTIONS + 1))
    words = [answer.word for answers in ANSWERS.values() for answer in answers]
    for choice in (*words, longest, "1", ""):
        box = sealed(choice)
        assert len(box) == ballot.SIZE
        assert ballot.open_(SECRET, ROUND, MEMBER, box) == choice


def test_a_copy_for_another_member_or_round_is_spoiled() -> None:
    box = sealed()
    assert ballot.open_(SECRET, ROUND, b"n" * 32, box) == ""
    assert ballot.open_(SECRET, b"q" * 32, MEMBER, box) == ""


def test_without_the_secret_or_with_a_bit_changed_nothing_opens() -> None:
    box = sealed()
    assert ballot.open_(bytes(32), ROUND, MEMBER, box) == ""
    for at in range(0, ballot.SIZE, 7):
        changed = box[:at] + bytes([box[at] ^ 1]) + box[at + 1 :]
        assert ballot.open_(SECRET, ROUND, MEMBER, changed) == ""
    for wrong in (b"", b"x", box[:-1], box + b"x", bytes(ballot.SIZE)):
        assert ballot.open_(SECRET, ROUND, MEMBER, wrong) == ""


def test_the_same_answer_looks_another_each_time() -> None:
    assert sealed(random=b"1" * 32) != sealed(random=b"2" * 32)


def test_a_box_is_one_that_libsodium_opens_and_the_other_way_round() -> None:
    key = PrivateKey.from_seed(SECRET)
    plain = SealedBox(key).decrypt(sealed("agree"))
    assert plain[32:] == b"agree".ljust(32, b"\0")
    assert ballot.open_(SECRET, ROUND, MEMBER, SealedBox(key.public_key).encrypt(plain)) == "agree"


def test_a_key_that_cannot_seal_is_refused_with_a_sentence() -> None:
    with pytest.raises(Refused, match="cannot seal a ballot"):
        ballot.seal(bytes(32), ROUND, MEMBER, "agree", b"x" * 32)
    with pytest.raises(Refused, match="too long"):
        sealed("x" * 33)


def test_rounds_of_one_proposal_share_no_label() -> None:
    assert ballot.label(ROUND, b"1" * 16) != ballot.label(ROUND, b"2" * 16)
