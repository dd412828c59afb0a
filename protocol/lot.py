"""Draws that a stranger can recompute: from a list, a code and randomness that nobody chose alone.

- **Randomness.** Each contributor commits to 32 bytes of their own, SHA-256(code + member + value), before anybody reveals;
  what was revealed is hashed together in the order of the members' keys. Or a public value is named in advance and typed later.
- **Order.** HKDF with SHA-256: key = extract(salt=code, randomness); each label is placed by expand(key, label, 32), the
  smallest first, equal ones by label. It is a keyed sort, so it does not matter in which order the list came.
- **Seats.** Down the order. A quota passes over whoever would fill a group beyond its most, or take a seat that another group
  still needs for its least; each one passed over is listed with the reason.
- **Substitutes.** Those without a seat, in the order by the next code of a hash chain (SHA-256 of the code before).

`script` writes a program that needs nothing but Python and holds a draw's data: it prints the same draw.
`rfc3797` is the older draw of the IETF, to check theirs.

    >>> order(b"code", randomness({b"a": b"1", b"b": b"2"}), [b"Ada", b"Ben", b"Cleo"])
    (b'Cleo', b'Ben', b'Ada')

Sources: RFC 5869 (HKDF), sections 2.2 and 2.3; RFC 3797, section 4.
"""

from __future__ import annotations

import hmac
import re
from ast import literal_eval
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import md5, sha256
from itertools import count

from msgspec import Struct

from protocol.wording import counted

MOST_RFC3797 = 65_535
FULL, KEPT = "full", "kept"


class Quota(Struct, frozen=True):
    """How many seats a group has at least and at most; `most` 0 is no limit."""

    group: str
    least: int = 0
    most: int = 0


class Skip(Struct, frozen=True):
    """Somebody passed over for a quota: their own group is full, or the seats left are kept for others."""

    label: bytes
    why: str  # FULL or KEPT
    group: str  # the group that is full, or the groups for which seats are kept, with commas


class Choice(Struct, frozen=True):
    """Who has a seat, in order, and who was passed over on the way."""

    chosen: tuple[bytes, ...]
    skipped: tuple[Skip, ...]


class Draw(Struct, frozen=True):
    """A whole draw: the order, the seats, who was passed over, and the substitutes in their own order."""

    order: tuple[bytes, ...]
    chosen: tuple[bytes, ...]
    skipped: tuple[Skip, ...]
    substitutes: tuple[bytes, ...]

    @property
    def drawn(self) -> tuple[bytes, ...]:
        """Everybody: those with a seat, then the substitutes."""
        return self.chosen + self.substitutes


# Randomness


def commitment(code: bytes, member: bytes, value: bytes) -> bytes:
    """What binds a member to a value without telling it; nobody else can use it, nor for another lot."""
    return sha256(code + member + value).digest()


def randomness(reveals: Mapping[bytes, bytes]) -> bytes:
    """One value from everybody's: SHA-256 of member and value, in the order of members."""
    return sha256(b"".join(member + reveals[member] for member in sorted(reveals))).digest()


def plain(value: str) -> str:
    """A public value as it counts: without spaces at its ends, one between its parts."""
    return " ".join(value.split())


def public_randomness(value: str) -> bytes:
    """Randomness from a value that everybody can look up: SHA-256 of it in UTF-8."""
    return sha256(plain(value).encode()).digest()


# The draw


def next_code(code: bytes) -> bytes:
    """The next code of the chain."""
    return sha256(code).digest()


def order(code: bytes, chance: bytes, labels: Iterable[bytes]) -> tuple[bytes, ...]:
    """The labels as they were drawn, each once."""
    key = hmac.digest(code, chance, "sha256")
    return tuple(sorted(set(labels), key=lambda label: (hmac.digest(key, label + b"\x01", "sha256"), label)))


def choose(
    ordered: Sequence[bytes], seats: int, quotas: Sequence[Quota] = (), groups: Mapping[bytes, str] | None = None
) -> Choice:
    """Fill the seats down an order. A group with fewer people than its least gets as many seats as it has people."""
    of = groups or {}
    there = Counter(of.get(label, "") for label in ordered)
    wanted = {quota.group: min(quota.least, there[quota.group]) for quota in quotas}
    room = {quota.group: quota.most for quota in quotas if quota.most}
    chosen: list[bytes] = []
    skipped: list[Skip] = []
    for label in ordered:
        left = seats - len(chosen)
        if left <= 0:
            break
        group = of.get(label, "")
        if room.get(group) == 0:
            skipped.append(Skip(label, FULL, group))
        elif not wanted.get(group) and left <= sum(wanted.values()):
            skipped.append(Skip(label, KEPT, ", ".join(sorted(name for name, number in wanted.items() if number))))
        else:
            chosen.append(label)
            for limits in (wanted, room):
                if limits.get(group):
                    limits[group] -= 1
    return Choice(tuple(chosen), tuple(skipped))


def draw(
    code: bytes,
    chance: bytes,
    labels: Iterable[bytes],
    seats: int,
    quotas: Sequence[Quota] = (),
    groups: Mapping[bytes, str] | None = None,
) -> Draw:
    """Order, seats, who was passed over, and the substitutes by the next code."""
    ordered = order(code, chance, labels)
    choice = choose(ordered, seats, quotas, groups)
    taken = set(choice.chosen)
    rest = order(next_code(code), chance, (label for label in ordered if label not in taken))
    return Draw(ordered, choice.chosen, choice.skipped, rest)


def reason(skip: Skip) -> str:
    """Why somebody was passed over, in words."""
    if skip.why == FULL:
        return f"the group “{skip.group}” has all the seats that it may have"
    return f"the seats left are kept for: {skip.group}"


# The draw of the IETF


class Pick(Struct, frozen=True):
    """One step of RFC 3797: the digest, how many were left, and the number that was selected (from 1)."""

    digest: bytes
    left: int
    number: int


def seed_string(sources: Sequence[Sequence[int]]) -> bytes:
    """The key of RFC 3797: the numbers of each source, ascending, each with a full stop; a slash after each source."""
    return b"".join(b"".join(b"%d." % number for number in sorted(source)) + b"/" for source in sources)


def rfc3797(size: int, sources: Sequence[Sequence[int]]) -> Iterator[Pick]:
    """Select from the numbers 1 to `size`, one after the other, until none is left."""
    if not 0 <= size <= MOST_RFC3797:
        raise ValueError(f"RFC 3797 draws from at most {counted(MOST_RFC3797, 'person', 'people')}.")
    key = seed_string(sources)
    pool = list(range(1, size + 1))
    for index in count():
        if not pool:
            return
        ends = index.to_bytes(2, "big")
        digest = md5(ends + key + ends, usedforsecurity=False).digest()  # as the RFC has it; its inputs are public
        yield Pick(digest, len(pool), pool.pop(int.from_bytes(digest, "big") % len(pool)))


# The program that recomputes a draw

_HEAD = '''\
# Works out a draw again with nothing but Python's standard library: python3 -I -S draw.py
from hashlib import sha256
from hmac import digest

CODE = "{code}"
SEATS = {seats}
PUBLIC = {public}
QUOTAS = {quotas}
PEOPLE = """{people}"""
PARTS = """{parts}"""
DRAWN = {drawn}
# PUBLIC is a public value, or empty. QUOTAS are group: (at least, at most; 0 is no limit). PEOPLE could be drawn, with their
# groups if there are quotas. PARTS are member, commitment, value (- is missing). DRAWN are the numbers as they were published.
'''
_BODY = """
un, code, given = bytes.fromhex, bytes.fromhex(CODE), []
for member, promise, value in map(str.split, PARTS.strip().splitlines()):
    if value != "-":
        good = sha256(code + un(member) + un(value)).hexdigest() == promise
        assert good, f"{member} revealed another value than the one committed to"
        given.append(un(member) + un(value))
chance = sha256(PUBLIC.encode() if PUBLIC else b"".join(sorted(given))).digest()

def order(code, people):
    key = digest(code, chance, "sha256")
    return sorted(people, key=lambda who: (digest(key, un(who) + b"\\1", "sha256"), who))

group = dict((line.split() + [""])[:2] for line in PEOPLE.strip().splitlines())
number, there = {who: place for place, who in enumerate(group, 1)}, list(group.values())
wanted = {name: min(least, there.count(name)) for name, (least, most) in QUOTAS.items()}
room = {name: most or len(there) for name, (least, most) in QUOTAS.items()}
chosen = []
for who in order(code, group):
    name, left = group[who], SEATS - len(chosen)
    if left and (room.get(name) == 0 or not wanted.get(name) and left <= sum(wanted.values())):
        print("passed over", number[who], who)
    elif left:
        chosen.append(who)
        wanted[name], room[name] = max(0, wanted.get(name, 0) - 1), room.get(name, SEATS) - 1
rest = order(sha256(code).digest(), set(group) - set(chosen))
for place, who in enumerate(chosen + rest):
    print("seat" if place < len(chosen) else "substitute", number[who], who)
print("as published" if [number[who] for who in chosen + rest] == DRAWN else "not as published")
"""
LONGEST_LITERAL = 4000


class Inputs(Struct, frozen=True):
    """All that a draw depends on. `parts` are (member, commitment, value or b"" if it is missing)."""

    code: bytes
    seats: int
    people: Sequence[bytes]
    quotas: Sequence[Quota] = ()
    groups: Mapping[bytes, str] = {}
    parts: Sequence[tuple[bytes, bytes, bytes]] = ()
    public: str = ""

    def chance(self) -> bytes:
        """The randomness."""
        if self.public:
            return public_randomness(self.public)
        return randomness({member: value for member, _, value in self.parts if value})

    def draw(self) -> Draw:
        """The draw that follows from it."""
        return draw(self.code, self.chance(), self.people, self.seats, self.quotas, self.groups)

    def broken(self) -> tuple[bytes, ...]:
        """Whose value is not the one that they committed to: none, in a lot that was judged."""
        return tuple(
            member for member, promise, value in self.parts if value and commitment(self.code, member, value) != promise
        )

    def numbers(self, labels: Iterable[bytes]) -> tuple[int, ...]:
        """The numbers of these people on the list."""
        number = {label: at for at, label in enumerate(self.people, 1)}
        return tuple(number[label] for label in labels)


def script(inputs: Inputs, drawn: Sequence[bytes]) -> str:
    """A program of the standard library with the draw's data in it; it prints one line a person, see `printed`."""
    people = [f"{who.hex()} {inputs.groups.get(who, '')}".rstrip() for who in inputs.people]
    parts = [f"{who.hex()} {promise.hex()} {value.hex() or '-'}" for who, promise, value in inputs.parts]
    head = _HEAD.format(
        code=inputs.code.hex(),
        seats=inputs.seats,
        public=ascii(plain(inputs.public)),
        quotas={quota.group: (quota.least, quota.most) for quota in inputs.quotas},
        people="\n".join(["", *people, ""]),
        parts="\n".join(["", *parts, ""]),
        drawn=list(inputs.numbers(drawn)),
    )
    return head + _BODY


def read_script(text: str) -> tuple[Inputs, tuple[int, ...]]:
    """The data of such a program, and the numbers that it says were drawn; ValueError if it is none. Nothing in it is run."""
    held: dict[str, str] = {}
    for name in ("CODE", "SEATS", "PUBLIC", "QUOTAS", "DRAWN"):
        held[name] = _found(rf"^{name} = (.*)$", text)
    for name in ("PEOPLE", "PARTS"):
        held[name] = _found(rf'^{name} = """([0-9a-z \n-]*)"""$', text)
    people = [line.split() for line in held["PEOPLE"].strip().splitlines()]
    parts = [line.split() for line in held["PARTS"].strip().splitlines()]
    if any(len(line) not in (1, 2) for line in people) or any(len(line) != 3 for line in parts):
        raise ValueError("a line of the list or of the parts is incomplete")
    public = _read_public(held["PUBLIC"])
    inputs = Inputs(
        bytes.fromhex(held["CODE"].strip('"')),
        int(held["SEATS"]),
        [bytes.fromhex(line[0]) for line in people],
        [Quota(group, int(least), int(most)) for group, least, most in _QUOTA.findall(held["QUOTAS"])],
        {bytes.fromhex(line[0]): line[1] for line in people if len(line) == 2},
        [(bytes.fromhex(who), bytes.fromhex(said), bytes.fromhex(value.strip("-"))) for who, said, value in parts],
        public,
    )
    if len(set(inputs.people)) != len(inputs.people):
        raise ValueError("somebody is on the list twice")
    return inputs, tuple(int(number) for number in re.findall(r"\d+", held["DRAWN"]))


def _read_public(literal: str) -> str:
    if len(literal) > LONGEST_LITERAL or not _LITERAL.fullmatch(literal):
        raise ValueError("the public value cannot be read")
    try:
        value = str(literal_eval(literal))
        value.encode()
        return value
    except (SyntaxError, UnicodeEncodeError) as error:
        raise ValueError("the public value cannot be read") from error


_LITERAL = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
_QUOTA = re.compile(r"'([a-z0-9-]+)': \((\d{1,6}), (\d{1,6})\)")


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise ValueError("it is not a program that works out a draw")
    return found[1]


def printed(inputs: Inputs, published: Sequence[bytes]) -> str:
    """What the program prints."""
    drawn = inputs.draw()
    said: list[tuple[str, bytes]] = [("passed over", skip.label) for skip in drawn.skipped]
    said += [("seat", label) for label in drawn.chosen]
    said += [("substitute", label) for label in drawn.substitutes]
    numbers = inputs.numbers(label for _, label in said)
    lines = [f"{word} {number} {label.hex()}\n" for (word, label), number in zip(said, numbers, strict=True)]
    return "".join(lines) + ("as published\n" if drawn.drawn == tuple(published) else "not as published\n")
