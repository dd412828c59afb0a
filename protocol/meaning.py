"""What each figure is called, in which scale it is told, what it says and what it does not, and from which group size on.

Figures are whole numbers; the scale says of what (`PERMILLE`: 400 is 40 %). Small groups first: below `least` members a figure
is not shown, because it would be misread, or would be about one person. `beside` are figures without which one is not shown.

A practice that yields a new figure adds a row here, under the first part of the figure's name; a test asks for it by name. A
figure whose name begins with a collective's own words (``voice.night-shift-proposals``) is known by its ending (`ENDINGS`).
"""

from __future__ import annotations

from msgspec import Struct

COUNT, PERCENT, PERMILLE, TENTHS, HUNDREDTHS, TEN_THOUSANDTHS, MINOR, DAYS, CYCLES, QUARTERS = (
    "count", "percent", "per mille", "tenths", "hundredths", "ten thousandths", "minor units", "days", "cycles",
    "quarter hours",
)  # fmt: skip
SCALES = (COUNT, PERCENT, PERMILLE, TENTHS, HUNDREDTHS, TEN_THOUSANDTHS, MINOR, DAYS, CYCLES, QUARTERS)
MOST = {PERCENT: 100, PERMILLE: 1000, TEN_THOUSANDTHS: 10_000}
UNITS = {PERCENT: "%", PERMILLE: "‰", DAYS: "days", CYCLES: "cycles", QUARTERS: "quarter hours", TENTHS: "tenths"}


class Figure(Struct, frozen=True):
    """The meaning of one figure."""

    name: str
    label: str
    scale: str
    says: str
    not_says: str = ""
    least: int = 1  # members
    beside: tuple[str, ...] = ()
    bounded: bool = True  # a share of a whole, where the scale is one of shares

    @property
    def fewest(self) -> int:
        """The least that it can be, where `most` is a limit."""
        return 0

    @property
    def most(self) -> int | None:
        """The most that it can be, or None."""
        return MOST.get(self.scale) if self.bounded else None

    @property
    def unit(self) -> str:
        """The unit of a chart of it: a sign, a plural word, or the scale in words."""
        return UNITS.get(self.scale, "" if self.scale == COUNT else f"({self.scale})")


def _of(practice: str, *rows: tuple[str, str, str, str, str] | tuple[str, str, str, str, str, int]) -> tuple[Figure, ...]:
    return tuple(Figure(f"{practice}.{row[0]}", *row[1:]) for row in rows)


KNOWN: tuple[Figure, ...] = (
    *_of(
        "members",
        ("count", "Members", COUNT, "How many people belong to the collective now.", "Not how many of them come."),
        ("waiting", "People at the door", COUNT, "How many ask to join and still need somebody's word.", ""),
        ("assembly", "Holders of the founding mandate", COUNT, "How many can act for the assembly until decisions do.", ""),
        ("came-this-cycle", "Members who came", COUNT, "How many were let in since the last new moon.", ""),
        ("went-this-cycle", "Members who went", COUNT, "How many left or were removed since the last new moon.", "Not why."),
        ("invitations-open", "Open invitations", COUNT, "How many invitations somebody can still use.", ""),
        (
            "most-vouches-percent", "Vouches by the busiest", PERCENT,
            "How many of all vouches come from the one who gave most: whether many were let in by few.",
            "Not that anything is wrong: somebody has to open the door, and in a young group it is often the same person.", 6,
        ),
    ),
    *_of(
        "links",
        ("count", "Links", COUNT, "How many spaces are linked with this one.", "Not how well the link works."),
        ("allied", "Allies", COUNT, "How many spaces may read what is written for allies.", ""),
        ("guardians", "Guardians", COUNT, "How many links keep sealed copies for each other.", ""),
        ("mirrors", "Mirrors", COUNT, "How many links hold each other's whole log.", "Not whether their copy is up to date."),
        ("witnesses", "Witnesses", COUNT, "How many links confirm each other's heads.", ""),
        ("offers-open", "Open offers of links", COUNT, "How many offers wait for an answer, on either side.", ""),
        ("ending", "Links about to end", COUNT, "How many links end within a cycle and are not renewed.", ""),
    ),
    *_of(
        "library",
        ("published", "Protocols published", COUNT, "How many protocols this collective has published.", ""),
        ("in-force", "Protocols in force", COUNT, "How many adopted protocols bind us now.", "Not whether we live by them."),
        ("suspended", "Protocols suspended", COUNT, "How many adopted protocols are set aside for a while.", ""),
        ("from-others", "Protocols from elsewhere", COUNT, "How many of those in use came from other collectives.", ""),
        ("used-elsewhere", "Ours in use elsewhere", COUNT, "How many of our protocols others have in force.", ""),
        ("ending-this-cycle", "Protocols about to end", COUNT, "How many end at the next new moon.", ""),
        ("parameters-set", "Settings changed", COUNT, "How many settings of this node a protocol has set.", ""),
        ("reports", "Reports on protocols", COUNT, "How often we said what happened when we used one.", ""),
    ),
    *_of(
        "campaigns",
        ("called", "Campaigns called", COUNT, "How many near calls count us and are not armed.", ""),
        ("armed", "Campaigns armed", COUNT, "How many have their quorum and wait for their window.", ""),
        ("open", "Campaigns open", COUNT, "How many windows are open now.", ""),
        ("settling", "Campaigns settling", COUNT, "How many are over and call for settling or rest.", "Not who is tired."),
        ("answers-due", "Answers due", COUNT, "How many calls wait for our answer.", ""),
    ),
    *_of(
        "residue",
        ("living", "What stays and lives", COUNT, "How many things that stayed after campaigns live.", "Not how well."),
        ("ended", "What stayed and ended", COUNT, "How many things that stayed have ended.", "An end is no failure."),
        ("checks-overdue", "Looks overdue", COUNT, "How many things nobody has looked at in time.", ""),
    ),
    *_of(
        "ledger",
        (
            "reserve", "Reserve", MINOR, "What we have less what we owe, in the currency of most accounts; 500000 is 5,000.00.",
            "Not what is free to spend: some of it may have strings.",
        ),
        (
            "reserve-unrestricted", "Reserve without strings", MINOR,
            "The reserve less what was given for one purpose only; 500000 is 5,000.00.", "",
        ),
        (
            "strings-percent", "Money with strings", PERCENT, "How much of what we have is for one purpose only.",
            "Not whether the strings hold us back: some were given for just what we do.",
        ),
        (
            "reserve-lasts-tenths", "Reserve lasts, in cycles", TENTHS,
            "For how many cycles the reserve without strings would last at the pace of the last three: 24 is 2.4.",
            "Not what comes in meanwhile, nor what could be spent less.",
        ),
        ("spent-this-cycle", "Spent in this cycle", MINOR, "What was booked as expenses since the last new moon.", ""),
        (
            "largest-funder-percent", "Largest funder's share", PERCENT,
            "How much of the income of the last 13 cycles came by the largest account of income.",
            "Not that they steer us, but what would be missing without them. Two funders in one account look like one.",
        ),
        (
            "effective-funders-tenths", "Effective number of funders", TENTHS,
            "As if by so many funders of equal size: 24 is 2.4. Ten of whom one gives nearly all count little more than 1.",
            "Not how many people give.",
        ),
        ("budgets-overdrawn", "Budgets overdrawn", COUNT, "How many budgets of this cycle have spent more than was set.", ""),
        ("statements-differing", "Statements that differ", COUNT, "How many statements do not say what the ledger says.", ""),
    ),
    *_of(
        "wires",
        ("standing", "Trip wires", COUNT, "How many figures are watched.", "Not that nothing else matters."),
        ("reviews-open", "Reviews open", COUNT, "How many reviews wait for a report that members accept.", ""),
        ("oldest-review-days", "Longest open review", DAYS, "Since how many days the oldest open review waits.", ""),
    ),
    *_of(
        "attendance",
        ("last", "Who came last time", COUNT, "How many were at the last assembly that has a list.", "Not who was heard.", 3),
        (
            "mean-share", "Attendance", PERMILLE, "How much of the collective came to the last three assemblies, on average.",
            "Not why others could not: work, children, tiredness, or nothing to decide.", 5,
        ),
    ),
    *_of(
        "assemblies",
        ("days-since", "Since the last assembly", DAYS, "How many days ago members last met.", "Not how they fare between."),
    ),
    *_of(
        "agenda",
        ("by-hand", "Items put on the agenda", COUNT, "How much members have put on the agenda that is not settled.", ""),
        ("oldest-days", "Oldest item on the agenda", DAYS, "Since how many days an item waits to be talked about.", ""),
    ),
    *_of(
        "lots",
        ("open", "Lots under way", COUNT, "How many draws wait for parts or for the moment of the draw.", ""),
        ("failed", "Lots that failed", COUNT, "How many draws had too few parts to be drawn.", "Not that anybody meant it."),
    ),
    *_of(
        "roles",
        ("held", "Roles held", COUNT, "How many roles somebody holds now.", "Not how well they are held."),
        ("vacant", "Roles vacant", COUNT, "How many roles nobody holds.", "A role may rest for a while on purpose."),
        (
            "most-by-one", "Most roles with one person", COUNT, "How many roles the person with most of them holds.",
            "Not that they wanted them: often nobody else stood.", 4,
        ),
        ("paused", "Acts paused", COUNT, "How many calls of shadows wait for the assembly to look.", ""),
        ("without-shadow", "Roles without a shadow", COUNT, "How many held roles nobody looks over the shoulder of.", ""),
        (
            "longest-held", "Longest with a role", CYCLES, "For how many cycles in a row somebody has held a role, at most.",
            "Not that anything is wrong: it asks whether others could learn it.", 4,
        ),
    ),
    *_of(
        "work",
        ("open-tasks", "Tasks that need people", COUNT, "How many tasks and shifts have a free seat.", "Not how heavy."),
        ("dependencies-open", "Hanging on one person", COUNT, "How many things are known to hang on one person.", "Not whom."),
        ("dependencies-unplanned", "Hanging on one, no plan", COUNT, "How many of these have no plan yet.", ""),
        ("resting", "People who rest", COUNT, "How many step back for a cycle now.", "Rest is part of the work.", 3),
    ),
    *_of(
        "workload",
        ("hours", "Hours of the last cycle", QUARTERS, "How much work was noted in the last full cycle.", "Not all the work."),
        (
            "idle", "People with no hours", COUNT, "How many noted no hours in the last full cycle.",
            "Not that they did nothing: much care is noted nowhere, and rest is needed.", 5,
        ),
        (
            "top-share", "Share of the busiest", PERMILLE, "How much of the noted work the busiest one did.",
            "Not whether they are worn out, or wished it so.", 4,
        ),
        (
            "half", "Fewest people who do half", COUNT, "How few people together did half of the noted work.",
            "Not what would happen if they left.", 4,
        ),
        ("tasks", "Tasks done in the last cycle", COUNT, "How many parts of tasks somebody said were done.", "Not how heavy."),
        (
            "tasks-idle", "People who did no task", COUNT, "How many were there all through the last full cycle and did none.",
            "Not that they did nothing: most work is no task on a list.", 5,
        ),
        (
            "tasks-top-share", "Tasks of the busiest", PERMILLE, "How many of the tasks done one person did.",
            "Not how heavy they were, or whether others were asked.", 4,
        ),
        (
            "tasks-half", "Fewest people who do half of the tasks", COUNT, "How few together did half of the tasks.",
            "Not what would happen if they left.", 4,
        ),
    ),
    *_of(
        "decisions",
        ("open", "Open proposals", COUNT, "How many proposals are neither decided nor withdrawn.", "Not how urgent they are."),
        ("rounds-open", "Calls that wait for answers", COUNT, "How many rounds are open now.", ""),
        ("standing", "Standing decisions", COUNT, "How many decisions bind us now.", "Not whether we live by them."),
        (
            "unjudged", "Decisions back on the agenda", COUNT, "How many passed their date or were not met, and still bind.",
            "Not that they are bad: nobody has said yet whether they did what they were for.",
        ),
        ("lapsed", "Decisions lapsed", COUNT, "How many reached their sunset since the new moon.", "An end is no failure."),
    ),
    *_of(
        "voice",
        ("proposers", "People who proposed", COUNT, "How many proposed in the last three full cycles.", "Not whose idea.", 3),
        ("speakers", "People who spoke", COUNT, "How many wrote on a proposal in that time.", "Not who spoke in the room.", 3),
        (
            "silent", "People not on record", COUNT, "How many neither proposed, wrote nor voted in that time.",
            "Not that they were silent: much is said where nobody writes.", 5,
        ),
        (
            "turnout", "Answers to decisions", PERMILLE, "How many of those asked answered, over three full cycles.",
            "Not why others did not: the question may not have been theirs.", 5,
        ),
        (
            "proposing-top-share", "Proposals by the busiest", PERMILLE, "How much of all proposals came from one person.",
            "Not that others were kept from it.", 5,
        ),
        (
            "proposing-half", "Fewest people who made half of the proposals", COUNT, "How few made half of all proposals.",
            "Not whose ideas they were.", 5,
        ),
        (
            "speaking-top-share", "Words by the busiest", PERMILLE, "How much of what stands there came from one person.",
            "Not that they talk much: somebody may write for a whole table.", 5,
        ),
        (
            "speaking-half", "Fewest people who wrote half of the words", COUNT, "How few wrote half of what stands there.",
            "Not who was listened to.", 5,
        ),
    ),
    Figure(
        "workload.change", "Change of hours", PERMILLE, "How much more, or less, was noted than in the cycle before.",
        "Not whether the work changed, or only the noting.", 3, bounded=False,
    ),
    Figure(
        "workload.tasks-change", "Change of tasks done", PERMILLE, "How many more, or fewer, than in the cycle before.",
        "Not whether the work changed: one large task may have become five small ones.", 3, bounded=False,
    ),
    Figure(
        "workload.gini", "Inequality of work (Gini, corrected for small groups)", TEN_THOUSANDTHS,
        "0 if all did the same, 1 if one did everything; corrected for the size of the group.",
        "Little alone: very different groups have the same, and it rises with every member who noted nothing.", 8,
        ("workload.top-share", "workload.half", "workload.idle"),
    ),
)  # fmt: skip
FIELDS: dict[str, str] = {
    "members": "Members", "attendance": "Assemblies", "assemblies": "Assemblies", "agenda": "Assemblies",
    "decisions": "Decisions", "voice": "Voice", "roles": "Roles", "lots": "Lots", "wires": "Trip wires", "ledger": "Money",
    "work": "Work and rest", "workload": "Work and rest", "campaigns": "Campaigns", "residue": "What stays after campaigns",
    "links": "Links", "library": "Protocols",
}  # fmt: skip
"""Under which heading figures stand, by the first part of their names, in the order of a page."""
ENDINGS: tuple[Figure, ...] = _of(
    "voice",
    (
        "of-members",
        "Share of the members",
        PERMILLE,
        "How many members count themselves to this group.",
        "Not who else might.",
        6,
    ),
    (
        "of-proposals",
        "Share of the proposals",
        PERMILLE,
        "How many proposals came from this group, beside its share of members.",
        "Not whether they were heard.",
        6,
    ),
    (
        "of-words",
        "Share of the words",
        PERMILLE,
        "How much of what stands on proposals this group wrote.",
        "Not who spoke in the room.",
        6,
    ),
    (
        "of-votes",
        "Share of the votes",
        PERMILLE,
        "How many of the votes were this group's.",
        "Not how they voted: nobody is told apart by that.",
        6,
    ),
)
"""Figures whose names begin with words of the collective's own: `name` is ``practice.`` and the ending."""
