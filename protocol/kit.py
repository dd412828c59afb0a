"""The founding kit: a space's three most precious keys as word lists on five sheets of paper.

- The keys are root (names the node's keys and replaces stolen ones), next root (its hash is in the founding record; it takes
  the root's place) and recovery (opens what guardians keep sealed). Each is a 32-byte seed.
- Each seed is cut into five lists of 33 words, any three of which restore it and two of which tell nothing
  (Shamir's sharing, by the package `shamir-mnemonic`). Sheet n of the kit holds list n of each key.
- A list's 15-bit SLIP-39 identifier is ``3 * mark + purpose``, where purpose is 0 root, 1 next root, 2 recovery and the
  mark (0 to 10,921) is the same for all lists of a kit: so it can be told which key of which kit a list belongs to.
  One group, no passphrase, extendable, iteration exponent 0 (the seeds are random: there is nothing to stretch).
- The seeds and the mark come from bytes that the caller gives. What hides a seed within its lists does not: the
  package draws it from the operating system each time and reads its own word list from its folder. So the same seed
  cut twice gives other words, and lists of the two cuts do not go together.

Example::

    kit = make(entropy)                      # ENTROPY_BYTES from the operating system
    combine([kit.root_lists[0], kit.root_lists[2], kit.root_lists[4]]) == kit.root_seed

Source: SLIP-0039, Shamir's Secret-Sharing for Mnemonic Codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import combinations

from msgspec import Struct
from shamir_mnemonic import EncryptedMasterSecret, MnemonicError, Share, recover_ems, split_ems
from shamir_mnemonic.constants import CUSTOMIZATION_STRING_EXTENDABLE, CUSTOMIZATION_STRING_ORIG
from shamir_mnemonic.rs1024 import create_checksum
from shamir_mnemonic.shamir import ShareGroup
from shamir_mnemonic.wordlist import WORD_INDEX_MAP, WORDLIST

SHEETS, NEEDED, WORDS, SEED_BYTES = 5, 3, 33, 32
PURPOSES = ("root", "next root", "recovery")
MARKS = 10_922
ENTROPY_BYTES = len(PURPOSES) * SEED_BYTES + 8

_USES = (
    "Proves that our node is ours, after its machine was lost or broken into.",
    "Takes the root key's place after that, or if the root key becomes known.",
    "Opens the sealed copy of our private records that others keep for us.",
)


class KitError(ValueError):
    """Word lists that do not restore a key; the message says which, where, and what to do."""


class Kit(Struct, frozen=True):
    """Three seeds and the five word lists of each. It exists in memory only until the sheets are written."""

    root_seed: bytes
    next_root_seed: bytes
    recovery_seed: bytes
    root_lists: tuple[str, ...]
    next_root_lists: tuple[str, ...]
    recovery_lists: tuple[str, ...]

    def __repr__(self) -> str:
        return "Kit(…)"

    def sheets(self, name: str = "", space: str = "", made_on: str = "") -> tuple[str, ...]:
        """Five sheets of plain text, one for each keeper; what is not given is left as a line to write on."""
        return tuple(self._sheet(number, name, space, made_on) for number in range(1, SHEETS + 1))

    def _sheet(self, number: int, name: str, space: str, made_on: str) -> str:
        blank = "_" * 40
        lines = [
            f"FOUNDING KIT - SHEET {number} OF {SHEETS}",
            "",
            f"Collective:  {name or blank}",
            f"Address:     {space or blank}",
            f"Made on:     {made_on or blank}",
            f"Kept by:     {blank}",
            "",
            *_INSTRUCTIONS,
        ]
        lists = (self.root_lists, self.next_root_lists, self.recovery_lists)
        for purpose, use, words in zip(PURPOSES, _USES, lists, strict=True):
            lines += ["", f"{purpose.upper()} KEY, word list {number} of {SHEETS} (any {NEEDED} restore the key)", use, ""]
            lines += _columns(words[number - 1].split())
        return "\n".join([*lines, ""])


_INSTRUCTIONS = (
    "Three keys of our collective are each cut into five word lists. Any three of",
    "the five sheets bring the keys back; one or two tell nothing about them.",
    "",
    "What to do with this sheet:",
    "- Keep it on paper, where you keep your passport, away from the other sheets",
    "  and from the machine that runs the node. Do not photograph or copy it.",
    "- Bring it only when the assembly has decided to restore a key. Nobody needs",
    "  it for daily work, and nobody who asks for it alone should get it.",
    "- Lost it, had to give it up, or leaving? Say so at once: new sheets can be",
    "  made.",
    "- To restore: type in the words of one key from three sheets, in order. The",
    "  first four letters of a word are enough.",
    "",
    "Who carries our records (fill in by hand; ask them when the node is gone):",
    "  1 ____________________   2 ____________________   3 ____________________",
)


def make(entropy: bytes) -> Kit:
    """A kit from `ENTROPY_BYTES` bytes fresh from the operating system's random source."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a founding kit is made from exactly {ENTROPY_BYTES} random bytes")
    seeds = [entropy[i * SEED_BYTES : (i + 1) * SEED_BYTES] for i in range(len(PURPOSES))]
    mark = int.from_bytes(entropy[-8:], "big") % MARKS
    lists = [split(seed, purpose, mark) for seed, purpose in zip(seeds, PURPOSES, strict=True)]
    return Kit(seeds[0], seeds[1], seeds[2], lists[0], lists[1], lists[2])


def split(seed: bytes, purpose: str, mark: int) -> tuple[str, ...]:
    """The five word lists of one seed."""
    if len(seed) != SEED_BYTES or not 0 <= mark < MARKS:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, a mark is from 0 to {MARKS - 1}")
    identifier = mark * len(PURPOSES) + PURPOSES.index(purpose)
    secret = EncryptedMasterSecret.from_master_secret(seed, b"", identifier, True, 0)
    (shares,) = split_ems(1, [(NEEDED, SHEETS)], secret)
    return tuple(str(share.mnemonic()) for share in shares)


def purpose_of(mnemonic: str) -> tuple[str, int, int]:
    """Which key a word list was made for, the mark of its kit, and the number of its sheet (1 to 5)."""
    share = _read(1, mnemonic)
    mark, purpose = divmod(share.identifier, len(PURPOSES))
    return PURPOSES[purpose], mark, share.index + 1


def combine(mnemonics: Sequence[str]) -> bytes:
    """The 32-byte seed that three or more word lists of one key restore.

    Words may be numbered, capitalised or cut to their first four letters. Lists beyond the third must agree.
    """
    shares = [_read(number, mnemonic) for number, mnemonic in enumerate(mnemonics, 1)]
    _refuse_mixed(shares)
    if len(shares) < NEEDED:
        missing = NEEDED - len(shares)
        raise KitError(
            f"{NEEDED} word lists of one key are needed and {len(shares)} of them {'is' if len(shares) == 1 else 'are'} "
            f"here. Add {missing} more from other sheets."
        )
    seeds = {_restore((*shares[: NEEDED - 1], share)) for share in shares[NEEDED - 1 :]}
    if len(seeds) != 1:
        raise KitError(_OTHER_CUT)
    return seeds.pop()


_OTHER_CUT = (
    "These word lists look alike but do not belong together: at least one is of another kit, or of an older set of "
    "sheets for the same key. Compare the dates on the sheets and use those made on one day."
)


def _restore(shares: Sequence[Share]) -> bytes:
    group = ShareGroup()
    for share in shares:
        group.add(share)
    try:
        return bytes(recover_ems({0: group}).decrypt(b""))
    except MnemonicError as error:
        raise KitError(_OTHER_CUT) from error


def _refuse_mixed(shares: Sequence[Share]) -> None:
    """Say how two lists cannot go together, if they cannot."""
    for (i, one), (j, other) in combinations(enumerate(shares, 1), 2):
        (mark, purpose), (other_mark, other_purpose) = (divmod(s.identifier, len(PURPOSES)) for s in (one, other))
        if purpose != other_purpose:
            raise KitError(
                f"List {i} is of the {PURPOSES[purpose]} key and list {j} of the {PURPOSES[other_purpose]} key. "
                "Take the lists of one key only, from different sheets."
            )
        if mark != other_mark:
            raise KitError(
                f"Lists {i} and {j} are of two different kits. Compare the names and dates on the sheets and use "
                "those of one kit."
            )
        if one.index == other.index:
            if one == other:
                raise KitError(f"Lists {i} and {j} are the same list. Each must be from another sheet.")
            raise KitError(f"Lists {i} and {j} are both from a sheet {one.index + 1}, of two cuts. {_OTHER_CUT}")


def _read(number: int, mnemonic: str) -> Share:
    """One list, with every word known, complete, and matching its own check words."""
    words = [_word(number, place, token) for place, token in enumerate(_tokens(mnemonic), 1)]
    if len(words) != WORDS:
        raise KitError(
            f"List {number} has {len(words)} {'word' if len(words) == 1 else 'words'}; a list has {WORDS}. "
            "Look for words that are missing or written twice."
        )
    try:
        share = Share.from_mnemonic(" ".join(words))
    except MnemonicError as error:
        raise KitError(f"List {number} has a mistake somewhere. {_suspect(words)}") from error
    if (share.group_count, share.member_threshold, share.iteration_exponent) != (1, NEEDED, 0):
        raise KitError(f"List {number} is a SLIP-39 list, but not one of a founding kit. Use the lists on our sheets.")
    return share


def _tokens(mnemonic: str) -> Iterator[str]:
    """The words as written, without the numbers beside them."""
    for token in mnemonic.lower().split():
        bare = token.strip(".,;:()[]-*'\"")
        if bare and not bare.isdigit():
            yield bare


def _word(number: int, place: int, token: str) -> str:
    if token in WORD_INDEX_MAP:
        return token
    starts = [word for word in WORDLIST if len(token) >= 4 and word.startswith(token[:4])]
    if starts and len(token) == 4:
        return str(starts[0])
    near = starts or get_close_matches(token, WORDLIST, 3, 0.6)
    hint = f"Did you mean {' or '.join(f'“{word}”' for word in near)}?" if near else "Look at the sheet again."
    raise KitError(f"Word {place} of list {number}, “{token}”, is not one of the words used. {hint}")


def _suspect(words: Sequence[str]) -> str:
    """Where a list may be wrong, if one wrong word or two swapped neighbours explain it.

    The check words are linear over XOR: what a change at one place does to them is the XOR of what its bits do. Only one
    change at one place can explain a given mismatch there, and two wrong words look like one in 3 of 100,000 cases:
    it is said as a guess for the keeper to compare with the sheet, never applied.
    """
    values = [WORD_INDEX_MAP[word] for word in words]
    swapped = (i for i in range(WORDS - 1) if _mismatch([*values[:i], values[i + 1], values[i], *values[i + 2 :]]) == 0)
    for i in swapped:
        if values[i] != values[i + 1]:
            return f"Words {i + 1} and {i + 2} may be swapped: compare them with the sheet."
    mismatch = _mismatch(values)
    for place in range(WORDS):
        effects = {0: 0}
        for bit in range(10):
            changed = [value ^ (1 << bit if i == place else 0) for i, value in enumerate(values)]
            effect = _mismatch(changed, like=values) ^ mismatch
            effects |= {seen ^ effect: change | 1 << bit for seen, change in effects.items()}
        if mismatch in effects:
            right = WORDLIST[values[place] ^ effects[mismatch]]
            return f"Word {place + 1}, “{words[place]}”, may have to be “{right}”: compare it with the sheet."
    return "More than one word is wrong: compare each with the sheet."


def _mismatch(values: Sequence[int], like: Sequence[int] | None = None) -> int:
    """The given check words XOR the right ones, as one number; `like` fixes which of two check rules holds."""
    extendable = (like or values)[1] >> 4 & 1
    customization = CUSTOMIZATION_STRING_EXTENDABLE if extendable else CUSTOMIZATION_STRING_ORIG
    right = create_checksum(values[:-3], customization)
    high, middle, low = (given ^ due for given, due in zip(values[-3:], right, strict=True))
    return int(high << 20 | middle << 10 | low)


def _columns(words: Sequence[str]) -> list[str]:
    """Numbered words, read down in five columns."""
    rows = -(-len(words) // 5)
    cells = [f"{number:2} {word:<12}" for number, word in enumerate(words, 1)]
    return ["".join(cells[row::rows]).rstrip() for row in range(rows)]
