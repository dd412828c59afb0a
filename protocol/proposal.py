"""What members write about a decision: the bodies, from the proposal to the judgement at its fuse.

The title and the labels of options are structure and stay for ever; every other word lies in the annex and can be erased. What
a planned act is, is structure too: by it an accepted decision gives leave for exactly that.

Example::

    Proposed("A second key for the shed", why="One was lost", text="We have a copy made")
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from protocol.ballot import SIZE
from protocol.deciding import Criterion, Plan
from protocol.practice import Digest, MemberKey, field
from protocol.voting import MOST_OPTIONS

ProposalId = Annotated[Digest, field("Proposal", "The record by which it was proposed.", widget="record")]
RoundId = Annotated[Digest, field("Round", "The record by which it was called.", widget="record")]
DecisionId = Annotated[Digest, field("Decision", "The record of its outcome.", widget="record")]
OptionLabel = Annotated[str, field("Option", "In a few words.", min_length=1, max_length=80)]
Options = Annotated[
    list[OptionLabel],
    field(
        "Options", "Only if there is something to choose from: one a row, at least two. Leave it empty for yes or no.",
        max_length=MOST_OPTIONS,
    ),
]  # fmt: skip
Plans = Annotated[
    list[Plan],
    field(
        "Planned act",
        "What may be done once it is accepted. It comes from the page of what you propose, by the button there.",
        max_length=MOST_OPTIONS,
    ),
]
Said = Annotated[
    str,
    field(
        "Words of the planned act", "They come along from its form, so that they need not be written twice.",
        widget="said", erasable=True, max_length=16_000,
    ),
]  # fmt: skip
Text = Annotated[
    str,
    field("What is proposed", "Word by word, in Markdown.", widget="text", erasable=True, required=True, max_length=12_000),
]
Cycle = Annotated[int, field("Cycle", widget="cycle", example="333", ge=-1237, le=2484)]


class Proposed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something to decide on, in its first version."""

    title: Annotated[
        str,
        field(
            "Title", "Short, as people will call it. It stays for ever, so name no person.",
            example="A second key for the shed", min_length=3, max_length=100,
        ),
    ]  # fmt: skip
    text: Text = ""
    why: Annotated[
        str,
        field("Why", "What it answers, and why now.", widget="text", erasable=True, required=True, max_length=6000),
    ] = ""
    binds: Annotated[
        str, field("Whom it binds", "Who has to do, or leave, something because of it.", erasable=True, max_length=500)
    ] = ""
    strategic: Annotated[
        bool, field("A strategic shift", "It changes where we are going. Then it takes a theory of change before a call.")
    ] = False
    options: Options = []
    plans: Plans = []
    said: Said = ""
    renews: Annotated[Digest | None, field("Renews", "The decision in whose place it is to come.", widget="record")] = None


class Discussed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A question, a reaction, a concern, an answer, or words on the outcome."""

    proposal: ProposalId
    sort: Annotated[
        Literal["question", "reaction", "concern", "answer", "outcome"],
        field("What it is", "A concern is written down and stops nothing; outcome: words on what was decided."),
    ]
    words: Annotated[
        str, field("In your words", "Members read it.", widget="text", erasable=True, required=True, max_length=6000)
    ] = ""
    about: Annotated[Digest | None, field("About", "The question or concern that you answer.", widget="record")] = None


class Stated(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A theory of change: how a strategic shift is meant to work."""

    proposal: ProposalId
    sought: Annotated[
        str,
        field("Outcome sought", "What will be different.", widget="text", erasable=True, required=True, max_length=3000),
    ] = ""
    path: Annotated[
        str,
        field("Causal path", "What leads to what, step by step.", widget="text", erasable=True, required=True, max_length=4000),
    ] = ""
    assumptions: Annotated[
        str, field("Assumptions", "What has to be true for it.", widget="text", erasable=True, required=True, max_length=3000)
    ] = ""
    wrong_if: Annotated[
        str,
        field(
            "What would prove us wrong", "What we would see, and by when.",
            widget="text", erasable=True, required=True, max_length=3000,
        ),
    ] = ""  # fmt: skip
    gains: Annotated[
        str,
        field("Who gains", "And who carries the cost.", widget="text", erasable=True, required=True, max_length=3000),
    ] = ""
    funds: Annotated[
        str, field("Who funds it", "And what they want for it.", widget="text", erasable=True, required=True, max_length=2000)
    ] = ""
    dissent: Annotated[
        str,
        field("Who sees it otherwise", "What was said against it so far.", widget="text", erasable=True, max_length=4000),
    ] = ""


class Amended(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A new version of a proposal."""

    proposal: ProposalId
    text: Text = ""
    note: Annotated[
        str,
        field("What changed, and why", "In a sentence or two.", widget="text", erasable=True, required=True, max_length=3000),
    ] = ""
    integrates: Annotated[
        list[Digest],
        field("Answers", "The objections and concerns that this version takes up.", widget="record", max_length=50),
    ] = []
    changes_act: Annotated[
        bool, field("Other options or another act", "If set, what stands here takes the place of the options and acts before.")
    ] = False
    options: Options = []
    plans: Plans = []
    said: Said = ""


class Called(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One version is put to all, by rules that are frozen from here on."""

    proposal: ProposalId
    version: Annotated[int, field("Version", "The number of the version that is put to all.", example="1", ge=1, le=1000)]
    type: Annotated[
        Literal["consent", "consensus", "advice", "majority", "gradients", "ranked"],
        field(
            "How it is decided",
            "consent: unless somebody objects. consensus: everybody can live with it. advice: you hear it and decide yourself."
            " majority: more than half. gradients: from a wholehearted yes to a block. ranked: options in order.",
        ),
    ]
    hidden: Annotated[
        Literal["open", "own", "close"],
        field(
            "Answers are",
            "open: read by all at once. own: hidden from those who have not answered. close: hidden until the round is over.",
        ),
    ] = "open"
    closes_ms: Annotated[
        int,
        field(
            "Open until", "Left empty: as many days as the protocol says.",
            widget="instant", example="2026-03-14 18:00", ge=0,
        ),
    ] = 0  # fmt: skip
    quorum_percent: Annotated[
        int, field("Quorum", "In percent of those who may vote; never below what the protocol says.", ge=0, le=100)
    ] = 0
    share_percent: Annotated[
        int, field("Share", "In percent of those who take a side; never below what the protocol says.", ge=0, le=100)
    ] = 0
    review_cycle: Annotated[
        int, field("Review", "The cycle at whose new moon it is looked at again; 0: as the protocol says.", widget="cycle",
                   example="333", ge=0, le=2484)
    ] = 0  # fmt: skip
    sunset_cycle: Annotated[
        int, field("Sunset", "The cycle at whose new moon it ends by itself; 0: as the protocol says.", widget="cycle",
                   example="340", ge=0, le=2484)
    ] = 0  # fmt: skip
    criteria: Annotated[
        list[Criterion], field("Success in figures", "What the figures will show if it works.", max_length=12)
    ] = []
    key: Annotated[
        bytes, field("Key of the ballots", "Filled in by the node if answers are hidden.", widget="sealed", max_length=32)
    ] = b""
    salt: Annotated[
        bytes, field("Salt of the key", "Filled in by the node if answers are hidden.", widget="sealed", max_length=16)
    ] = b""
    measures: Annotated[
        str,
        field("Success in words", "By what we will tell whether it works.", widget="text", erasable=True, max_length=3000),
    ] = ""


class Cast(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A member's answer in a round."""

    round: RoundId
    choice: Annotated[
        str,
        field(
            "Answer", "A word as the round offers it, like “agree”; or numbers of options, best first, like “2 1”.",
            widget="answer", example="agree", max_length=60,
        ),
    ] = ""  # fmt: skip
    for_member: Annotated[
        MemberKey | None,
        field(
            "For somebody else", "Only if they told you and cannot write it themselves; their own answer counts instead of it.",
            widget="member",
        ),
    ] = None  # fmt: skip
    sealed: Annotated[
        bytes, field("Sealed answer", "Filled in by the node if answers are hidden.", widget="sealed", max_length=SIZE)
    ] = b""
    reasons: Annotated[
        str,
        field("Reasons", "An objection says what would be harmed, and how.", widget="text", erasable=True, max_length=4000),
    ] = ""


class Closed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A round is counted."""

    round: RoundId
    secret: Annotated[
        bytes, field("Secret of the ballots", "Filled in by the node if answers were hidden.", widget="sealed", max_length=32)
    ] = b""
    statement: Annotated[
        str,
        field(
            "Outcome in words", "What follows from it, if you want to say so.", widget="text", erasable=True, max_length=4000
        ),
    ] = ""


class Judged(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What members found when they looked at a decision again."""

    decision: DecisionId
    verdict: Annotated[
        Literal["met", "not-met", "end"],
        field("Found", "met: it stands until the next date. not-met: back on the agenda. end: it binds nobody any more."),
    ]
    review_cycle: Annotated[
        int, field("Next review", "If met: the cycle at whose new moon it is looked at again; 0: as the protocol says.",
                   widget="cycle", example="333", ge=0, le=2484)
    ] = 0  # fmt: skip
    sunset_cycle: Annotated[
        int, field("New sunset", "If met: the cycle at whose new moon it ends by itself; 0: as the protocol says.",
                   widget="cycle", example="340", ge=0, le=2484)
    ] = 0  # fmt: skip
    found: Annotated[
        str,
        field("What we saw", "By which signs you tell.", widget="text", erasable=True, required=True, max_length=4000),
    ] = ""


class Withdrawn(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who proposed it does not want it decided."""

    proposal: ProposalId
    reasons: Annotated[
        str, field("Reasons", "What changed your mind.", widget="text", erasable=True, required=True, max_length=3000)
    ] = ""


class Dissented(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody does not share it, and wants that to be readable beside it."""

    proposal: ProposalId
    words: Annotated[
        str,
        field("In your words", "What you see otherwise.", widget="text", erasable=True, required=True, max_length=6000),
    ] = ""
