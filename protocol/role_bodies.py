"""What members write about roles: the bodies of the kinds of the practice of roles.

Structure decides and stays for ever; words (what a role is for, reasons, journals, handovers) can be erased and decide nothing.

Example::

    Appointed("treasurer", definition, holder, "consent")
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from protocol.practice import Digest, MemberKey, field
from protocol.terms import ROLE_PATTERN, Permission

Name = Annotated[
    str, field("Role", "One of the roles that there are.", widget="role", example="treasurer", pattern=ROLE_PATTERN)
]
NewName = Annotated[
    str,
    field(
        "Role", "A short name in small letters, digits and hyphens. It stays for ever, so name no person.",
        example="treasurer", pattern=ROLE_PATTERN,
    ),
]  # fmt: skip
TermId = Annotated[Digest, field("Term", "The record by which the term was given.", widget="record")]
Definition = Annotated[
    Digest,
    field("Definition", "The role as it is given. If it is redefined before, this no longer holds.", widget="record"),
]
Reasons = Annotated[
    str,
    field("Reasons", "Anybody who follows this space may read them, so spare people.", widget="text", erasable=True,
          required=True, min_length=20, max_length=2000),
]  # fmt: skip


class Defined(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a role is, from the next term on."""

    role: NewName
    cycles: Annotated[
        int,
        field(
            "Cycles of a term", "Until the new moon so many cycles on. What is not renewed ends then.", example="1", ge=1, le=39
        ),
    ]
    permissions: Annotated[
        list[Permission],
        field("Permissions", "What it may write. A role without any is one of duties alone.", max_length=16),
    ] = []
    domain: Annotated[
        str,
        field("Domain", "What it decides by itself, and what it brings to the assembly.", widget="text", erasable=True,
              required=True, max_length=1000),
    ] = ""  # fmt: skip
    duties: Annotated[str, field("Duties", "What it has to do.", widget="text", erasable=True, max_length=2000)] = ""


class Dissolved(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A role is there no more."""

    role: Name
    reasons: Reasons = ""


class Appointed(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody is given the next term, as decided."""

    role: Name
    definition: Definition
    holder: Annotated[MemberKey, field("Who", "The member who is given the next term.", widget="member")]
    chosen: Annotated[Literal["consent", "vote"], field("How chosen", "By consent, or by a vote.", example="consent")]


class Taken(Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever was drawn takes the next term."""

    role: Name


class Renewed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Others give the holder one more term."""

    term: TermId
    definition: Definition
    achieved: Annotated[
        str,
        field("What the term achieved", "And what it did not.", widget="text", erasable=True, required=True,
              min_length=20, max_length=4000),
    ] = ""  # fmt: skip
    reasons: Reasons = ""


class Recalled(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A term ends before its time, as decided."""

    term: TermId
    reasons: Reasons = ""


class Resigned(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The holder steps down."""

    term: TermId
    reasons: Annotated[str, field("A word", "If you want to say why.", widget="text", erasable=True, max_length=2000)] = ""


class Noted(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a shadow saw."""

    term: TermId
    observations: Annotated[
        str, field("What you saw", "In your own words.", widget="text", erasable=True, required=True, max_length=4000)
    ] = ""
    patterns: Annotated[
        str, field("What comes again", "Patterns, if you see any.", widget="text", erasable=True, max_length=2000)
    ] = ""


class Called(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A shadow asks the assembly to look, and one permission rests until it has."""

    term: TermId
    kind: Annotated[
        str, field("Which permission", "It rests until the assembly has looked.", widget="duty",
                   example="ledger.transaction-booked/1", max_length=60)
    ]  # fmt: skip
    reasons: Reasons = ""


class Answered(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the assembly decided on a shadow's call."""

    call: Annotated[Digest, field("Call", "The record of the shadow's call.", widget="record")]
    outcome: Annotated[
        Literal["resume", "revoke"],
        field("Outcome", "Resume: the permission holds again. Revoke: it is over for this term.", example="resume"),
    ]
    reasons: Reasons = ""


class HandedOver(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What somebody leaves to who comes next."""

    term: TermId
    open_matters: Annotated[
        str,
        field("What is open", "Matters that are not finished.", widget="text", erasable=True, required=True, max_length=4000),
    ] = ""
    waiting: Annotated[
        str, field("Who is waiting", "Who waits for an answer, and from whom.", widget="text", erasable=True, max_length=2000)
    ] = ""
    places: Annotated[
        str,
        field("Where things are", "Keys, papers, accounts. Passwords are handed over in person.", widget="text",
              erasable=True, max_length=2000),
    ] = ""  # fmt: skip
    otherwise: Annotated[
        str, field("What you would do differently", "Half a page is plenty.", widget="text", erasable=True, max_length=2000)
    ] = ""
