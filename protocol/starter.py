"""The starter set: eleven protocols that a new collective can take, change and publish as its own.

They are texts to be argued with, not rules of this program: nothing here is in force anywhere until a space adopts it. Some set
parameters; those of practices that a node does not have yet are kept and have no effect until it has them.
"""

from __future__ import annotations

import re

from msgspec import Struct


class Starter(Struct, frozen=True):
    """A protocol as it ships."""

    name: str
    purpose: str
    wrapped: str  # as it stands in this file
    settings: tuple[tuple[str, int], ...] = ()
    fuse_cycles: int = 13

    @property
    def text(self) -> str:
        """The text with each paragraph and item on one line, as people type it: lines are broken by whoever shows it."""
        return re.sub(r"(?<=[^\n])\n[ ]*(?![ \n#>]|[0-9]+[.] |[-*] )", " ", self.wrapped.strip()) + "\n"


LUNAR_ROLES = """\
## Why

Authority that nobody has to take away is authority that nobody can keep. A role here lasts one moon, ends by itself,
and has to be given again.

## How

1. **A role is written down before anybody holds it**: what it decides alone, what it has to bring to the assembly,
   which records it may write, and up to what amount. What is not written is not part of it.
2. **A term runs from its appointment to the next new moon.** At that minute the permission is gone, whether or not
   anybody is ready. Two weeks of grace are for handing over, not for going on.
3. **Nobody holds the same role twice in a row.** After a pause of one moon they can be chosen again.
4. **Renewal, where we allow it, is decided by others**, before the end, with written reasons and an account of what
   the term achieved. It is never the holder's own click, and silence is a no.
5. **Every role has a shadow, drawn by lot** from those who could hold it. The shadow sees what the holder sees, keeps
   a journal, and is the first who can take over. Who is drawn and does not want to says so; the next in the draw is
   asked.
6. **The shadow has one call a term.** With reasons it pauses one act of the role until the assembly has looked. It is
   not a veto: the assembly resumes or ends what was paused at its next meeting.

## At the end of a term

The holder writes half a page: what is open, who is waiting for an answer, where the keys are, what they would do
differently. The shadow adds what they saw. Both are read aloud at the handover, and thanks are said.

## What to watch

If a role is empty for two moons, ask whether it is needed. If only one person can fill it, that is a dependency:
teach somebody.
"""

CONSENT_DECISIONS = """\
## Why

A majority can be fast and leave a third of the room behind. Consent asks something else: not who likes it best, but
whether anybody sees a reason why it would harm what we are here for.

## How

1. **A proposal says what, why, and whom it binds.** One page is enough. Whoever brings it does not chair it.
2. **Questions first.** Only questions that make it clearer; opinions wait. A round, so that everybody is asked.
3. **Reactions.** A round, each once, no replies. The proposer listens, then may change the text. A change is a new
   version, and the difference is shown.
4. **The call for consent.** Each person says: *consent*, *stand aside*, or *object*. Standing aside means: not mine,
   go on.
5. **An objection has a reason** that speaks of harm to the collective or to people, not of taste. The person who
   objects helps to repair the proposal; nobody argues an objection away.
6. **If an objection cannot be met in two rounds**, the proposal goes to a small group of the proposer, the objector
   and one person drawn by lot, who bring it back changed, or not at all.

## What consent is not

It is not being tired of the subject. If fewer than half of the members were there, the outcome is provisional until
those who were absent have had a week to object in writing.

## Every outcome has an end

Write down with it the date on which we look again and how we shall know whether it worked. At that date it is back on
the agenda by itself. What nobody defends then has ended.

## What to watch

Who proposes, who objects, who is silent in three meetings running. Silence is a question to the collective, not to
the person.
"""

OPEN_LEDGER = """\
## Why

Where money is private, power is. Whoever can see what we have and owe can take part in deciding; whoever cannot is
asked to trust.

## How

1. **Every member sees every line, live.** What the public sees we decide each year; the default is totals by account.
2. **A payment is booked within three days**, by whoever made it, with the receipt and the budget line or decision it
   rests on. A payment without one of these is brought to the next meeting, not hidden.
3. **Nothing is edited.** A mistake is reversed with a reason and booked anew. A ledger without reversals is not a
   careful one but an unread one.
4. **Hours and things count too.** Rides, rooms, tools and food that people give are booked as what they are, never
   turned into money. Nobody is ranked by them.
5. **Restricted money has its strings in words.** Who gave it, what they want for it, what happens if we do something
   else. Before we take a grant that would be more than a quarter of the year's income, the assembly says yes to its
   strings.
6. **Each moon somebody else compares the books with the bank** and with the cash box, in the presence of a second
   person, and writes down what both say. A difference stands there in the open until somebody has found it.

## Budgets

A purpose has a budget for a moon. Whoever acts within it asks nobody. What goes beyond comes to the assembly first,
and a budget that was overdrawn is looked at, not covered up.

## What to watch

How long we could go on if nothing came in. How much comes from the largest source. Fees and interest, as a line of
their own.
"""

FUSES_AND_TRIP_WIRES = """\
## Why

Rules outlive their reasons, and what goes wrong slowly is noticed late. A fuse makes a decision end; a trip wire
makes a number call us.

## Fuses

1. **Every decision, role, protocol and link has an end that was set when it began.** The default is one season for a
   new thing, a year for a proven one.
2. **Before the end somebody asks three questions**: did it do what we said it would, what did it cost, would we begin
   it today?
3. **What is met is renewed in one minute.** What is not met, or what nobody looked at, ends by itself and is on the
   agenda.
4. **Nobody extends a fuse alone**, and never by more than it was long the first time.

## Trip wires

1. **We agree on a figure, a line, and for how long it must be crossed**, while all is calm. For example: one person
   does more than four tenths of the shifts for two moons; the reserve falls below two months of rent; fewer than half
   of us came to three assemblies.
2. **When it trips, a review opens by itself.** Someone whom the matter does not concern is drawn by lot to lead it.
3. **A review asks what happened, not who is to blame.** Its report says what we change, or why we change nothing.
4. **Nobody closes a review alone.** It is closed when the members accept the report.

## Limits

No wire on a person by name. No figure that would point at somebody in a group of eight. At most seven wires at a
time: more, and nobody remembers why they are there.

## What to watch

A wire that never trips in a year may be in the wrong place. One that trips each moon is not a wire any more; it is
how we live.
"""

PULSE = """\
## Why

In a meeting people say what can be said in a meeting. A pulse asks everybody the same few things, where nobody can
see who said what.

## How

1. **After each moon, and after anything large**, four questions on a scale of five and one open one. They stay the
   same for a year, so that answers can be compared.
   - I have what I need to do my part.
   - I can say no here without paying for it.
   - I know how the last important decision was made.
   - I want to be here in a year.
   - In your words: what should we stop, begin or keep?
2. **One person, one answer.** Tokens are drawn by name, answers are given later without it. Nobody asks who answered.
3. **Nothing is shown before the close**, and nothing at all with fewer than five answers. Words are shown from ten
   answers on, shuffled, and with names taken out by whoever is drawn to read them first.
4. **The results are published to all members the same day**, including the answers that hurt, and read aloud at the
   next assembly before anything else. Nobody explains them away; each person may say one sentence about what they
   heard.
5. **One thing follows.** The assembly picks one answer to act on before the next moon, and says then what came of it.

## What it does not protect from

In a group of eight a style of writing can be recognised. Somebody who watches the machine or the wire can see when an
answer came. Whoever would be in danger by an answer should not give it here.

## What to watch

How many draw a token and how many answer. If that falls, ask whether anything ever followed.
"""

REVERSE_SABBATICAL = """\
## Why

Those who do most become those without whom nothing works. Then they cannot leave, and nobody else can learn. So they
go first, on a schedule, while all is well.

## How

1. **Whoever has held coordination for three moons, or does the most hours, steps back for one.** Not as a punishment
   and not only when they are tired: it is how we find out what we depend on.
2. **A newcomer takes over**, chosen by lot from those who are willing. They decide; they do not stand in for
   somebody.
3. **The veteran is a mentor**: they answer when they are asked, and only then. They do not attend the meetings of the
   role, do not read along in its mailbox, and do not repair quietly what goes wrong.
4. **The handover takes an evening.** Keys, passwords, calendars, who is waiting for what, and the three things that
   only the veteran knows. Those three are written down.
5. **Things will go wrong.** What breaks is noted without blame: it hung on one person. Each note gets a plan to teach
   a second person, write it down, or do without it.
6. **After the moon both tell what they learned.** The veteran does not go back to the same place at once; they can be
   chosen again a moon later, like everybody else.

## For the one who steps back

You are not on call. Rest, or do something small with your hands. If you find that you cannot stop looking, tell
somebody whom you trust.

## What to watch

Whether the same few people rotate among themselves. Whether the list of things that hang on one person gets shorter.
"""

FLASH_CAMPAIGN = """\
## Why

Short, dense and over in time: a campaign that begins and ends by its own clock is hard to wear down, and leaves
something that stays. Fourteen days at most, then rest.

## Before the call

1. **A theory of change on one page**: what we want, how one thing is to lead to the next, what would prove us wrong,
   who gains, who pays.
2. **No call without a seed.** It says what it builds that will still be there afterwards: a tool library, a kitchen,
   a fund, a network. If we cannot name it, we wait.
3. **The end is set first.** Opening, height, dispersal, consolidation and rest are dates in the call. To disperse in
   time is no defeat.
4. **A care plan**: food, children, sleep, money for those who lose a day's pay, who looks after whom, who stays at
   home and why that counts as taking part.
5. **Others are invited, not enlisted.** They join these terms, offer other ones, or decline; each answer is a good
   one.

## While it is open

Permissions given for the campaign end with it. Two people are drawn by lot to watch over tempo and moods; they can
ask for an evening off for everybody. What we say in public is what we agreed before; new aims are for the next call.

## After dispersal

- A day of nothing.
- Consolidation: the seed is planted. Somebody keeps it, by name, and it is looked at every third moon.
- Rest: no new call. Notices go quiet.
- A story is written within a moon, with what failed and who felt sidelined.

## What to watch

Whether what was built still lives a year on. A campaign that was lost and left a kitchen is data; so is one that was
won and left nothing.
"""

CONFLICT_ASSEMBLY = """\
## Why

Conflict is how a collective digests. What is not chewed in the open is swallowed by few and comes back as leaving,
gossip or rules.

## Small and early

1. **First the two.** Whoever is bothered says so to the other within a week, with one example and one wish. Either
   may bring a friend who says nothing.
2. **Then a circle of three**, drawn by lot from those who are not concerned and whom neither refuses. They hear both,
   separately and then together, and help to write down what each will do and by when.
3. **Then the assembly**, if both want it or if the matter is the collective's own: a rule, a role, money, a habit.

## The conflict assembly

- Once a season, whether or not there is one. Two hours, food before and after.
- **We draw before we talk**: who asks whom, where decisions wait, where it is tense. Each draws alone, then the
  drawings lie beside each other. A person can correct how they were drawn, on the spot and without giving reasons.
- **A round on what we see**, not on who is right. Then one question: what in how we work makes this likely?
- We end with at most two changes to how we work, each with a date on which we look again.

## Harm

Where somebody is afraid, or was hurt, nobody is asked to sit in a room with the other. The circle speaks for them.
Separation comes first, talk later or never. What breaks the law of the land or a body is not for this protocol alone:
help from outside is sought with the person concerned, never over their head.

## Afterwards

What was agreed has a review date. What is closed is readable only for those concerned, and is not brought up again as
an argument.

## What to watch

How old the oldest open matter is. Whether the same names are in the middle of every drawing: that is a question of
structure.
"""

ENTRY_BY_VOUCHING = """\
## Why

An open door with nobody beside it lets in anyone and welcomes no one. Here somebody says: I know this person, and I
shall be there when they arrive.

## How

1. **A member invites.** The invitation is for one person, good for two weeks, and counts as the member's word. Give
   it from hand to hand, or by a channel that you would trust with your own key.
2. **A second member vouches** within a month, after having met the person, in the flesh where that can be. Two words
   are enough; the assembly may ask for three in times of trouble.
3. **Nobody vouches for themselves, and nobody for somebody whom they only know from a screen** without saying so.
4. **To vouch is a promise**: you show them round, answer questions for the first two moons, and tell us if you were
   wrong. It is not a bond: you do not answer for what they do.
5. **Newcomers decide with us on everything that is asked from then on**, and not on questions that were open before
   they came.
6. **A first month without duties.** Come, eat, look, ask. Then choose one small thing.

## Saying no

A member who has a concern tells it to those who vouched before it is told to all. If it cannot be settled, the
assembly decides, in the absence of the person, with reasons that they get to hear, kindly. Whoever was not let in may
ask again after a season.

## Leaving

Whoever goes says so when they can. What they did stays; their name can be erased if they wish. Keys and devices are
retired the same day.

## What to watch

Who vouched for whom, as a drawing. If many came by the word of few, ask others to invite. It says nothing about those
who came.
"""

DECOMPRESSION = """\
## Why

After a surge the body is still running. People who stop alone fall; people who stop together land.

## The first evening

Within two days of dispersal, everybody who can. Warm food, no screens, no plans, no press. Those who stayed at home
are guests of honour.

1. **Arriving.** Ten minutes of doing something with the hands: peeling, folding, making a fire.
2. **A round with one question**: what is still running in you? A sentence each, or passing. Nobody comments.
3. **In pairs, a quarter of an hour each way.** One tells what they keep seeing; the other only listens. Then the
   other way round.
4. **What we leave here.** Each names one thing that they do not want to take home: a sight, a sentence, a fear. It is
   written on paper and burnt or buried.
5. **What we keep.** One thing each that was good.
6. **Quiet**, or singing. Then those who need it are taken home.

## The days after

- No meeting for three days. Notices are off but for care.
- Each person has one other who asks on the second, fifth and tenth day: have you slept, have you eaten, do you need
  anything?
- Whoever was hurt, arrested or frightened gets a visit, not a message. Costs are paid from the care line without a
  form.
- The story of what happened is written later. Tonight is not an evaluation.

## When more is needed

If after two weeks somebody still does not sleep, startles, drinks more, or feels nothing, their companion says so
gently and helps to find somebody trained. That is care, not failure.

## What to watch

Who never comes to this evening. They may need it most, or may need another kind.
"""

DEMYSTIFICATION = """\
## Why

Every collective tells itself how it began and what it is good at. After a few years the story decides, and nobody
remembers deciding on the story. Once a year we hold it against the record.

## Before

Three people, drawn by lot, at least one of whom has been here for less than a year, collect three things:

- **the stories**: what we say about ourselves on posters, to newcomers, to those who give us money; the anecdotes
  everybody knows;
- **the record**: decisions, ledger, roles held, campaigns and their residue, who joined and who left and what they
  said;
- **the gaps**: what we say and cannot show, what we can show and never say.

They write no judgement. They set the two beside each other on one long sheet of paper.

## The evening

1. **Read a story aloud, then the record.** One at a time, three at most.
2. **A round**: what did this story let us do? Stories are not lies; they hold people together.
3. **A second round**: whom does it leave out, what does it excuse, who is larger in it than they were?
4. **Newcomers speak first** in each round, founders last.
5. **Choose**: keep it as it is, tell it differently, or retire it. A retired story gets a good farewell; its place is
   not filled at once.

## Rules

Nobody is taken down. We speak of what a story does, not of what a person is. Whoever is the hero of one may ask for
another evening. If a figure was wrong for years, it is put right in public on the same day.

## Afterwards

The sheet is kept with the stories of our campaigns. What we tell newcomers is changed within a moon, and the person
who came last reads it before it is published.

## What to watch

The story about why we need no such evening.
"""

STARTER = (
    Starter(
        "Lunar roles",
        "Roles that end by themselves at the new moon, with a shadow drawn by lot.",
        LUNAR_ROLES,
        (("roles.consecutive-terms", 1), ("roles.grace-days", 14), ("roles.shadow-calls", 1), ("roles.term-cycles", 1)),
    ),
    Starter(
        "Consent decisions",
        "Deciding by asking whether anybody sees harm, with rounds, reasons and an end to every outcome.",
        CONSENT_DECISIONS,
        (("decisions.quorum-percent", 50), ("decisions.vote-days", 7)),
    ),
    Starter("Open ledger", "Money and other resources, in the open for every member, with nothing edited.", OPEN_LEDGER),
    Starter(
        "Fuses and trip wires",
        "Decisions that end by themselves, and figures that call us when they cross a line.",
        FUSES_AND_TRIP_WIRES,
        (("decisions.review-cycles", 3), ("decisions.sunset-cycles", 13), ("wires.most", 7)),
    ),
    Starter("Pulse", "A few questions to everybody each moon, answered without a name and acted upon.", PULSE),
    Starter(
        "Reverse sabbatical",
        "Those who do most step back on a schedule, so that nothing hangs on one person.",
        REVERSE_SABBATICAL,
        (("work.sabbatical-cycles", 3),),
    ),
    Starter(
        "Flash campaign",
        "A surge of at most fourteen days that builds something that stays, and then rest.",
        FLASH_CAMPAIGN,
        (("campaigns.longest-days", 14), ("campaigns.rest-binds", 1), ("residue.check-cycles", 3)),
    ),
    Starter(
        "Conflict assembly",
        "Conflict taken up small and early, and once a season all together, by drawing before talking.",
        CONFLICT_ASSEMBLY,
    ),
    Starter(
        "Entry by vouching",
        "People come in by the word of two members who will be there when they arrive.",
        ENTRY_BY_VOUCHING,
        (("members.invitation-days", 14), ("members.vouches", 2), ("members.waiting-days", 30)),
    ),
    Starter("Decompression", "Landing together after a surge: an evening, ten days, and who asks whom.", DECOMPRESSION),
    Starter(
        "Demystification",
        "Once a year the stories we tell about ourselves are read beside the record.",
        DEMYSTIFICATION,
    ),
)
