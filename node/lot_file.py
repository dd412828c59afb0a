"""Lists, seeds and results of draws as files: what `archipelago lot` reads when it works offline.

- **A list** has one name a line, and a group behind a tab or a semicolon where there are quotas. Empty lines, and lines that
  begin with ``#``, do not count.
- **The code of a list** is the SHA-256 of its lines as numbered, of its seats and its quotas: published before the chance is
  known, it binds whoever draws.
- **Seeds and results** of RFC 3797 are as its reference program has them: a line of numbers for each source; lines such as
  ``1  990DD0A5...  25  -> 17 <- Lee``, with the name left out or there.

Example::

    read_list("Ada; night\\nBen")       # Listed(names=("Ada", "Ben"), groups={"Ada": "night"})
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from msgspec import Struct

from node.failure import Misuse
from protocol import lot
from protocol.lot import Inputs, Pick, Quota
from protocol.wording import counted

MOST_SEATS = 10_000
MEMBER_BYTES = 32  # of the key by which a space's lot names a member
GROUP = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
_RESULT = re.compile(r"\s*(\d{1,5})\s+([0-9A-Fa-f]{32})\s+(\d{1,5})\s+->\s*(\d{1,5})\s+<-\s*(.*)")


class Listed(Struct, frozen=True):
    """A list of names in order, with the groups of those who have one."""

    names: tuple[str, ...]
    groups: Mapping[str, str] = {}


class Result(Struct, frozen=True):
    """One line of published results."""

    rank: int
    digest: bytes
    left: int
    number: int
    name: str


def read_list(text: str) -> Listed:
    """A list from its text; Misuse names the line."""
    names: dict[str, None] = {}
    groups: dict[str, str] = {}
    for number, line in _lines(text):
        name, group = (" ".join(part.split()) for part in re.split(r"[\t;]", f"{line};", maxsplit=1))
        group = group.rstrip("; ")
        if not name:
            raise Misuse(f"Line {number}: there is a group and no name. Write the name before the semicolon.")
        if name in names:
            raise Misuse(f"Line {number}: “{name}” is on the list twice. Tell the two apart, or take one out.")
        if group and not GROUP.fullmatch(group):
            raise Misuse(f"Line {number}: the group “{group}” has to be in small letters, digits and hyphens.")
        names[name] = None
        if group:
            groups[name] = group
    return Listed(tuple(names), groups)


def read_quotas(given: Sequence[str]) -> tuple[Quota, ...]:
    """Quotas as they are given: ``night:1`` or ``night:1:3``."""
    quotas = []
    for each in given:
        found = re.fullmatch(r"([a-z0-9][a-z0-9-]{0,29}):(\d{1,4})(?::(\d{1,4}))?", each)
        if not found:
            raise Misuse(f"--quota: “{each}” is not a quota. Write GROUP:LEAST or GROUP:LEAST:MOST, such as night:1:3.")
        quota = Quota(found[1], int(found[2]), int(found[3] or 0))
        if quota.most and quota.most < quota.least:
            raise Misuse(f"--quota: “{each}” has more seats at least than at most.")
        quotas.append(quota)
    if len({quota.group for quota in quotas}) != len(quotas):
        raise Misuse("--quota: a group is there twice. Each has one quota.")
    return tuple(quotas)


def inputs_of(listed: Listed, seats: int, quotas: Sequence[Quota], public: str) -> Inputs:
    """What a draw from a list depends on; labels are the names in UTF-8."""
    if not 1 <= seats <= MOST_SEATS:
        raise Misuse(f"--seats: a number from 1 to {MOST_SEATS}.")
    kept = sum(quota.least for quota in quotas)
    if kept > seats:
        raise Misuse(f"--quota: the quotas keep {kept} seats, and there are {seats}.")
    if len(repr(public)) > lot.LONGEST_LITERAL:
        raise Misuse(
            f"--randomness: the value is longer than {lot.LONGEST_LITERAL} characters. Take its SHA-256, and publish both."
        )
    try:
        public.encode()
    except UnicodeEncodeError as error:
        raise Misuse("--randomness: the value is not text in UTF-8. Write it in letters and digits.") from error
    named = set(listed.groups.values())
    for quota in quotas:
        if quota.least and quota.group not in named:
            raise Misuse(f"--quota: nobody on the list is of the group “{quota.group}”. Write it as the list does.")
    if seats > len(listed.names):
        raise Misuse(f"--seats: there are {seats} seats, and {counted(len(listed.names), 'name')} on the list.")
    labels = {name: name.encode() for name in listed.names}
    groups = {labels[name]: group for name, group in listed.groups.items()} if quotas else {}
    code = code_of(tuple(labels.values()), seats, quotas, groups)
    return Inputs(code, seats, tuple(labels.values()), tuple(quotas), groups, (), public)


def code_of(people: Sequence[bytes], seats: int, quotas: Sequence[Quota], groups: Mapping[bytes, str]) -> bytes:
    """The code that binds a list, its seats and quotas."""
    lines = [b"seats %d" % seats]
    lines += [f"quota {quota.group} {quota.least} {quota.most}".encode() for quota in quotas]
    lines += [b"%d %s; %s" % (number, who, groups.get(who, "").encode()) for number, who in enumerate(people, 1)]
    return sha256(b"\n".join(lines)).digest()


def is_bound(inputs: Inputs) -> bool:
    """Whether the code of a draw from a file is that of its list; of a lot of a space the code is its record, so also then."""
    if not inputs.public or inputs.parts or all(len(label) == MEMBER_BYTES for label in inputs.people):
        return True
    return inputs.code == code_of(inputs.people, inputs.seats, inputs.quotas, inputs.groups)


def spoken(label: bytes) -> str:
    """A label as a name, or a member's key as its digits."""
    try:
        name = label.decode()
    except UnicodeDecodeError:
        return label.hex()
    return name if name.isprintable() else label.hex()


# RFC 3797


def read_seeds(text: str) -> tuple[tuple[int, ...], ...]:
    """The numbers of each source; Misuse names the line."""
    sources = []
    for number, line in _lines(text):
        if not re.fullmatch(r"\d{1,18}(?:[\s,]+\d{1,18})*", line):
            raise Misuse(f"Seeds, line {number}: a source is whole numbers with spaces between them.")
        sources.append(tuple(int(each) for each in re.split(r"[\s,]+", line)))
    return tuple(sources)


def read_results(text: str) -> tuple[Result, ...]:
    """Published results; Misuse names the line."""
    found = []
    for number, line in _lines(text):
        if line.split()[0].lower() == "index":
            continue
        read = _RESULT.fullmatch(line)
        if not read:
            raise Misuse(f"Results, line {number}: not like “1  990DD0A5…  25  -> 17 <- Lee”.")
        found.append(Result(int(read[1]), bytes.fromhex(read[2]), int(read[3]), int(read[4]), read[5].strip()))
    return tuple(found)


def picks(names: Sequence[str], sources: Sequence[Sequence[int]]) -> tuple[Pick, ...]:
    """The whole draw of RFC 3797 from a list."""
    if len(names) > lot.MOST_RFC3797:
        raise Misuse(f"RFC 3797 draws from at most {lot.MOST_RFC3797:,} names.")
    return tuple(lot.rfc3797(len(names), sources))


def contradiction(names: Sequence[str], drawn: Sequence[Pick], results: Sequence[Result]) -> str:
    """Where published results say something else than the draw, in a sentence; "" if nowhere."""
    ranks: set[int] = set()
    for result in results:
        if result.rank in ranks:
            return f"Rank {result.rank}: it is there twice."
        ranks.add(result.rank)
        if not 1 <= result.rank <= len(drawn):
            return f"Rank {result.rank}: the list has {len(drawn)} names."
        pick = drawn[result.rank - 1]
        name = names[pick.number - 1]
        if result.number != pick.number:
            return f"Rank {result.rank}: it is number {pick.number}, {name}, and not number {result.number}."
        if result.digest != pick.digest or result.left != pick.left:
            return f"Rank {result.rank}: the hash or the number of those left is another."
        if result.name and result.name != name:
            return f"Rank {result.rank}: number {pick.number} is {name}, and not {result.name}."
    return ""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """(number, line) of all lines that count."""
    for number, line in enumerate(unicodedata.normalize("NFC", text.removeprefix("\ufeff")).splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()
