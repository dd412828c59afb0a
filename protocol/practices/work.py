"""Work and rest: tasks and shifts, hours in the open, stepping back in time, and what is celebrated.

What is written and whether it holds stands in `protocol.work_records` and `protocol.rest_records`; the rows in
`protocol.working` and `protocol.resting`; what the page says in `protocol.work_blocks` and `protocol.rest_blocks`.

- Nobody is put into a task but by their own record; who signs up can give back, or ask who takes over.
- Hours are coarse, of oneself and in the open. They rank nobody.
- Whoever has held a role for long, or carried most, steps back for one cycle, on a schedule that the record sets and no person.
- After a surge notices are quiet, and there is a day to land together.

Example::

    PRACTICE.figures(view, now_ms)["workload.half"]     # the fewest people who did half of the last cycle's work
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from protocol import rest_blocks, rest_records, work_blocks, work_records
from protocol.page import Block
from protocol.practice import Due, Kind, Practice, View
from protocol.resting import (
    CELEBRATIONS,
    DECOMPRESSIONS,
    DEPENDENCIES,
    LOAD_PERMILLE,
    MENTORS,
    SABBATICAL_CYCLES,
    SABBATICALS,
)
from protocol.working import HOURS, MOST_HOURS, SEATS, SWAPS, TASK_CYCLES, TASKS


def due(view: View, now_ms: int) -> Iterator[Due]:
    """Places of mine that are near, swaps, shifts that lack people; rest that begins, and what hangs on one person."""
    yield from work_blocks.due(view, now_ms)
    yield from rest_blocks.due(view, now_ms)


def figures(view: View, now_ms: int) -> Mapping[str, int]:
    """How the last full cycle's work was shared, what is open now, and who rests."""
    return {**work_blocks.figures(view, now_ms), **rest_blocks.figures(view, now_ms)}


def page(view: View, now_ms: int) -> Iterator[Block]:
    """What is open, the coming shifts, hours; then sabbaticals, what hangs on one person, landing, celebrations."""
    yield from work_blocks.page(view, now_ms)
    yield from rest_blocks.page(view, now_ms)


def record(view: View, digest: bytes, now_ms: int) -> Iterator[Block]:
    """The page of a task or of a sabbatical."""
    yield from work_blocks.record(view, digest, now_ms)
    yield from rest_blocks.record(view, digest, now_ms)


PRACTICE = Practice(
    name="work",
    title="Work and rest",
    room="commons",
    about="What is to be done and who does it, hours in the open, and rest for those who carried much.",
    tables=(TASKS, SEATS, SWAPS, HOURS, SABBATICALS, MENTORS, DEPENDENCIES, DECOMPRESSIONS, CELEBRATIONS),
    kinds=(
        Kind(
            "task.offered/1", "Offer a task or a shift", work_records.Offered, work_records.offer, work_records.advise_offer,
            consequence="It stands among what is open until somebody has done it or its time is over.",
            help="Say what is to be done, when, and how many people it takes.",
        ),
        Kind(
            "task.taken/1", "Take part", work_records.Taken, work_records.take,
            consequence="The others count on you. You can give your place back or ask who takes it over.",
            help="Take a place in a task or shift.",
        ),
        Kind(
            "task.released/1", "Give a place back", work_records.Released, work_records.release,
            consequence="The place is free again, and the page says so.",
            help="Give back your place in a task. Nobody asks why.",
        ),
        Kind(
            "swap.offered/1", "Ask who takes over", work_records.SwapOffered, work_records.offer_swap,
            consequence="The place stays yours until somebody accepts.",
            help="Ask one person, or anybody, to take over your place in a task.",
        ),
        Kind(
            "swap.accepted/1", "Take over a place", work_records.SwapAccepted, work_records.accept_swap,
            consequence="The place is yours from now on; who asked is free.",
            help="Take over the place of somebody who asked.",
        ),
        Kind(
            "swap.withdrawn/1", "Keep your place", work_records.SwapWithdrawn, work_records.withdraw_swap,
            consequence="Nobody is asked any more; the place stays yours.",
            help="Take back the question who takes over your place.",
        ),
        Kind(
            "task.done/1", "Say that it is done", work_records.Done, work_records.done,
            consequence="Your part is done, and the hours stand with your name in this cycle.",
            help="Say that your part of a task is done, and roughly how long it took; 0 notes no hours.",
        ),
        Kind(
            "task.closed/1", "Close a task", work_records.Closed, work_records.close,
            consequence="Nobody can take part any more. Hours in it can still be noted.",
            help="Close a task that you offered, because it is done or not needed.",
        ),
        Kind(
            "hours.noted/1", "Note hours", work_records.Noted, work_records.note,
            consequence="They stand with your name in this cycle, in the open.",
            help="Note work that had no task: care, listening, driving, what nobody sees.",
        ),
        Kind(
            "hours.corrected/1", "Correct hours", work_records.Corrected, work_records.correct,
            consequence="The sums change in the cycle of those hours; what you wrote first stays readable.",
            help="Correct hours that you noted, and say why.",
        ),
        Kind(
            "sabbatical.planned/1", "Plan a sabbatical for somebody", rest_records.Planned, rest_records.plan, needs="assembly",
            concerns=rest_records.concerns_planned, in_public=rest_records.IN_PUBLIC,
            consequence="If the record says that they held a role for long or carried most, they rest in that cycle, or in "
            "another that they choose. If not, it is a question, and they rest if they say yes.",
            help="Let somebody step back for one cycle, so that others learn what they know.",
        ),
        Kind(
            "sabbatical.wished/1", "Step back for a cycle", rest_records.Wished, rest_records.wish,
            in_public=rest_records.IN_PUBLIC,
            consequence="In that cycle you take no new places in what you rest from, and what a role lets you write rests too. "
            "The members can lift it by a decision.",
            help="Plan a sabbatical of your own.",
        ),
        Kind(
            "sabbatical.accepted/1", "Say yes to your sabbatical", rest_records.Accepted, rest_records.accept,
            in_public=rest_records.IN_PUBLIC,
            consequence="You rest in that cycle; somebody else is drawn to take over.",
            help="Say yes to the sabbatical that was planned for you.",
        ),
        Kind(
            "sabbatical.moved/1", "Choose another cycle for your sabbatical", rest_records.Moved, rest_records.move,
            in_public=rest_records.IN_PUBLIC,
            consequence="You rest in the cycle that you choose. It can be moved once.",
            help="Move the sabbatical that was planned for you, once, before it begins.",
        ),
        Kind(
            "sabbatical.lifted/1", "Lift a sabbatical", rest_records.Lifted, rest_records.lift, needs="decision",
            concerns=rest_records.concerns_lifted, in_public=rest_records.IN_PUBLIC,
            consequence="From this minute they may take part again. Whom it concerns has no vote on it.",
            help="Decide together that somebody need not step back, or comes back sooner.",
        ),
        Kind(
            "sabbatical.taken-over/1", "Take over while somebody rests", rest_records.TakenOver, rest_records.take_over,
            in_public=rest_records.IN_PUBLIC,
            consequence="While they rest you may write what their roles let them write, up to the same amounts, and no longer.",
            help="As the one whom the lot has drawn, take over for the cycle in which somebody steps back.",
        ),
        Kind(
            "mentor.agreed/1", "Agree to be asked", rest_records.MentorAgreed, rest_records.agree_to_mentor,
            in_public=rest_records.IN_PUBLIC,
            consequence="The one who takes over knows that they can ask you. It gives you no say in how they do it.",
            help="As the one who rests, answer the questions of whoever was drawn to take over.",
        ),
        Kind(
            "dependency.found/1", "Write down what hangs on one person", rest_records.DependencyFound,
            rest_records.find_dependency,
            consequence="It stands on the list until it does not hang on one person any more.",
            help="Something turned out to work only with one of us. Say what, without blame.",
        ),
        Kind(
            "dependency.planned/1", "Plan how it hangs on one person no longer", rest_records.DependencyPlanned,
            rest_records.plan_dependency,
            consequence="At that new moon it comes up again, to see whether it worked.",
            help="Teach a second person, write it down, or do without it.",
        ),
        Kind(
            "dependency.resolved/1", "Say that it hangs on nobody alone", rest_records.DependencyResolved,
            rest_records.resolve_dependency,
            consequence="It leaves the list; what helped stays readable.",
            help="Say what helped, so that others can do the same.",
        ),
        Kind(
            "decompression.set/1", "Set a day to land together", rest_records.DecompressionSet, rest_records.set_decompression,
            consequence="Everybody is told of the day. A later one for the same campaign takes its place.",
            help="Say when and how we land together after a campaign, and by which ritual.",
        ),
        Kind(
            "celebration.held/1", "Celebrate what was gained", rest_records.CelebrationHeld, rest_records.celebrate,
            consequence="It is shown with what we have gained, for as long as the collective is there.",
            help="Write down something that was gained, a small one too, and how it was marked.",
        ),
    ),
    parameters=(TASK_CYCLES, MOST_HOURS, SABBATICAL_CYCLES, LOAD_PERMILLE),
    due=due,
    figures=figures,
    state=work_blocks.state,
    page=page,
    record=record,
)  # fmt: skip
