"""Campaigns: what a space may write into its own log, and what its pages say about all."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import Struct

from protocol.body import from_flat, structure_and_words
from protocol.campaign_blocks import near
from protocol.page import Action, Block, Facts, Graph, Grid, Heading, Text, Timeline
from protocol.practice import (
    ALLIES,
    EVERYTHING,
    FOREVER_MS,
    MEMBERS,
    PUBLIC,
    SETTINGS,
    Due,
    Kind,
    Refused,
    Setting,
)
from protocol.practices import campaigns
from protocol.practices.campaigns import (
    LONGEST,
    REST_BINDS,
    WINDOWS,
    Called,
    Countered,
    Declined,
    Joined,
    Pledged,
    RestLifted,
    Withdrawn,
)
from protocol.record import scope_of
from protocol.standing import ANSWERS, CALLS, Terms
from tests.protocol.desk import Desk

KINDS: dict[str, Kind[Any]] = {kind.name.split(".")[1].split("/")[0]: kind for kind in campaigns.PRACTICE.kinds}
DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
T0 = 29_500_000 * MINUTE
A, B, C, D = (bytes([letter]) * 32 for letter in b"abcd")
UNTIL = T0 + 5 * DAY
OPENS = UNTIL + DAY
TERMS = Terms(
    OPENS,
    OPENS + 5 * DAY,
    OPENS + 9 * DAY,
    OPENS + 14 * DAY,
    OPENS + 20 * DAY,
    "A tool library that stays",
    ["cooks", "carpenters"],
    "Food twice a day, and somebody to talk to.",
)
CALL_ID = b"#" * 32
CALL = Called(
    name="Spring", why="because " * 6, invited=[B, C], quorum=2, answers_until_ms=UNTIL, terms=TERMS, clears="The old fence"
)


def write(desk: Desk, name: str, body: Struct, space: bytes = A, at_ms: int = T0, **more: Any) -> bytes:
    return desk.write(KINDS[name], body, space=space, logged_ms=at_ms, **more)


def called(desk: Desk | None = None, **more: Any) -> Desk:
    desk = desk or Desk()
    write(desk, "called", CALL, digest=CALL_ID, **more)
    return desk


def changed(**fields: Any) -> Terms:
    return msgspec.structs.replace(TERMS, **fields)


def page(desk: Desk, space: bytes = B, now_ms: int = T0 + HOUR) -> list[Block]:
    return list(campaigns.page(desk.view(space), now_ms))


def actions(blocks: list[Block]) -> dict[str, Action]:
    return {block.label: block for block in blocks if isinstance(block, Action)}


def dues(desk: Desk, space: bytes = B, now_ms: int = T0 + HOUR) -> list[Due]:
    return list(campaigns.due(desk.view(space), now_ms))


# Calling


def test_a_call_is_its_callers_join_of_its_own_terms() -> None:
    desk = called()
    (row,) = desk.view(A).all(CALLS)
    (answer,) = desk.view(A).all(ANSWERS)
    assert (row.invited, row.quorum, row.logged_ms) == (A + B + C, 2, T0)
    assert (answer.said, answer.campaign, answer.caller) == ("call", CALL_ID, A)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"invited": [B, B]}, "invited twice"),
        ({"invited": [A], "quorum": 2}, "quorum is from 2 to 1"),
        ({"quorum": 4}, "quorum is from 2 to 3"),
        ({"answers_until_ms": T0}, "after now and before the window opens"),
        ({"answers_until_ms": OPENS}, "after now and before the window opens"),
        ({"answers_until_ms": UNTIL + 1}, "whole minute"),
        ({"terms": changed(opens_ms=OPENS + 1)}, "whole minutes"),
        ({"terms": changed(crests_ms=OPENS)}, "must follow each other"),
        ({"terms": changed(rests_ms=OPENS + 14 * DAY)}, "must follow each other"),
        ({"terms": changed(opens_ms=T0)}, "which is past"),
        ({"terms": changed(builds=" A tool library that stays")}, "begins and ends with a word"),
        ({"terms": changed(roles=["cooks "])}, "begins and ends with a word"),
        ({"terms": changed(care="a\rb")}, "begins and ends with a word"),
        ({"terms": changed(rests_ms=OPENS + 9 * DAY + 401 * DAY)}, "nearer times"),
    ],
)
def test_a_call_that_is_none_is_refused_in_words(fields: dict[str, Any], sentence: str) -> None:
    desk = Desk()
    with pytest.raises(Refused, match=sentence):
        write(desk, "called", msgspec.structs.replace(CALL, **fields))
    assert not any(desk.kept.values())


def test_a_window_is_at_most_one_cycle_or_what_the_protocol_says() -> None:
    longer = changed(disperses_ms=OPENS + 31 * DAY, consolidates_ms=OPENS + 32 * DAY, rests_ms=OPENS + 33 * DAY)
    with pytest.raises(Refused, match="at most 30 days"):
        write(Desk(), "called", msgspec.structs.replace(CALL, terms=longer))
    desk = Desk()
    desk.put(desk.meet(A), PUBLIC, SETTINGS.put(Setting(1, b"p" * 32, LONGEST.name, 0, 8, 0, FOREVER_MS)))
    with pytest.raises(Refused, match="at most 8 days"):
        write(desk, "called", CALL)


def test_no_call_without_a_seed_in_its_body() -> None:
    body = msgspec.to_builtins(CALL, builtin_types=(bytes,))
    for builds in ("", "too short"):
        body["terms"]["builds"] = builds
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(body, Called, builtin_types=(bytes,))


def test_a_call_is_public_or_for_just_the_spaces_that_it_names() -> None:
    for audience in (ALLIES, MEMBERS, scope_of((A, B)), scope_of((B, C))):
        with pytest.raises(Refused, match="public, or for just the spaces"):
            write(Desk(), "called", CALL, audience=audience)
    called(audience=scope_of((A, B, C)))


def test_names_and_reasons_can_be_erased_and_terms_cannot() -> None:
    structure, words = structure_and_words(CALL)
    assert sorted(words) == ["clears", "name", "why"]
    assert structure["terms"]["builds"] == TERMS.builds


def test_a_call_may_name_one_that_it_changes_even_of_another_space() -> None:
    desk = called()
    body = msgspec.structs.replace(CALL, replaces=CALL_ID, invited=[A, C], name="Spring, later")
    later = write(desk, "called", body, space=B, at_ms=T0 + HOUR)
    facts = [pair for block in page(desk, C) if isinstance(block, Facts) for pair in block.pairs]
    assert any(label == "A later call names this one" and getattr(cell, "id", b"") == later for label, cell in facts)
    assert any(label == "Instead of" and getattr(cell, "id", b"") == CALL_ID for label, cell in facts)


# Answering


def test_answers_follow_what_was_said_before_by_the_same_space() -> None:
    desk = called()
    with pytest.raises(Refused, match="nothing to withdraw"):
        write(desk, "withdrawn", Withdrawn(CALL_ID, A), B)
    write(desk, "declined", Declined(CALL_ID, A), B)
    with pytest.raises(Refused, match="declined already"):
        write(desk, "declined", Declined(CALL_ID, A), B)
    write(desk, "joined", Joined(CALL_ID, A, TERMS), B)
    with pytest.raises(Refused, match="these very terms already"):
        write(desk, "joined", Joined(CALL_ID, A, TERMS), B)
    with pytest.raises(Refused, match="Withdraw instead"):
        write(desk, "declined", Declined(CALL_ID, A), B)
    write(desk, "withdrawn", Withdrawn(CALL_ID, A), B)
    with pytest.raises(Refused, match="nothing to withdraw"):
        write(desk, "withdrawn", Withdrawn(CALL_ID, A), B)
    write(desk, "joined", Joined(CALL_ID, A, TERMS), B)


def test_a_space_can_answer_a_call_that_its_own_node_has_not_seen() -> None:
    desk = Desk()
    write(desk, "joined", Joined(CALL_ID, A, TERMS), B)
    assert len(desk.view(B).all(ANSWERS)) == 1
    assert page(desk, B)


def test_an_answer_to_a_call_of_our_own_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match="no such call of ours"):
        write(Desk(), "joined", Joined(CALL_ID, A, TERMS), A)


def test_a_space_cannot_flood_a_call_with_answers() -> None:
    desk = called()
    for number in range(campaigns.MOST_ANSWERS):
        write(desk, "countered", Countered(CALL_ID, A, changed(builds=f"A tool library, kept {number}")), B)
    with pytest.raises(Refused, match="24 times"):
        write(desk, "countered", Countered(CALL_ID, A, TERMS), B)


def test_advice_says_before_writing_why_an_answer_would_not_count() -> None:
    desk = called(audience=scope_of((A, B, C)))
    advise = campaigns.advise_answer
    join = Joined(CALL_ID, A, TERMS)
    assert "same audience" in advise(desk.view(B), join)
    assert "not among the spaces" in advise(desk.view(D), join)
    assert "open before the answers are in" in advise(desk.view(B), Countered(CALL_ID, A, changed(opens_ms=UNTIL)))
    assert "has not seen that call" in advise(desk.view(B), Joined(b"?" * 32, A, TERMS))
    assert "has not seen that call" in advise(desk.view(B), Joined(CALL_ID, C, TERMS))
    assert not advise(called().view(B), join)


# Rest


def test_no_new_call_from_dispersal_until_the_rest_is_over() -> None:
    desk = called()
    for at_ms, refused in (
        (TERMS.disperses_ms - MINUTE, False),
        (TERMS.disperses_ms, True),
        (TERMS.rests_ms - MINUTE, True),
        (TERMS.rests_ms, False),
    ):
        shift = at_ms - T0 // MINUTE * MINUTE
        terms = changed(**{name: getattr(TERMS, name) + shift for name in TERMS.__struct_fields__[:5]})
        body = msgspec.structs.replace(CALL, terms=terms, answers_until_ms=UNTIL + shift)
        again = Desk()
        again.kept["campaign_window"] = dict(desk.kept["campaign_window"])
        again.meet(A)
        if refused:
            with pytest.raises(Refused, match="consolidate and rest until"):
                write(again, "called", body, at_ms=at_ms)
        else:
            write(again, "called", body, at_ms=at_ms)


def later(at_ms: int) -> Called:
    shift = at_ms - T0
    terms = changed(**{name: getattr(TERMS, name) + shift for name in TERMS.__struct_fields__[:5]})
    return msgspec.structs.replace(CALL, terms=terms, answers_until_ms=UNTIL + shift)


def test_rest_is_lifted_by_the_assembly_by_withdrawal_or_by_the_protocol() -> None:
    at_ms = TERMS.disperses_ms + DAY
    assert KINDS["rest-lifted"].needs == "assembly"
    desk = called()
    write(desk, "rest-lifted", RestLifted(CALL_ID, "it never armed"), at_ms=at_ms)
    write(desk, "called", later(at_ms), at_ms=at_ms)
    with pytest.raises(Refused, match="no rest to lift"):
        write(desk, "rest-lifted", RestLifted(CALL_ID), at_ms=at_ms)
    desk = called()
    write(desk, "withdrawn", Withdrawn(CALL_ID, A))
    write(desk, "called", later(at_ms), at_ms=at_ms)
    desk = called()
    desk.put(desk.meet(A), PUBLIC, SETTINGS.put(Setting(1, b"p" * 32, REST_BINDS.name, 0, 0, 0, FOREVER_MS)))
    write(desk, "called", later(at_ms), at_ms=at_ms)
    with pytest.raises(Refused, match="campaign that we joined"):
        write(Desk(), "rest-lifted", RestLifted(CALL_ID), at_ms=at_ms)


def test_the_terms_that_a_space_joined_last_are_those_that_it_rests_after() -> None:
    desk = called()
    write(desk, "joined", Joined(CALL_ID, A, TERMS), B)
    sooner = changed(disperses_ms=OPENS + 6 * DAY)
    write(desk, "countered", Countered(CALL_ID, A, sooner), B)
    (window,) = desk.view(B).all(WINDOWS)
    assert window.disperses_ms == sooner.disperses_ms


# Pages


def test_an_invited_space_is_asked_until_it_answers_or_answers_are_in() -> None:
    desk = called()
    (asked,) = dues(desk)
    assert asked.what == "Answer the call “Spring”" and (asked.until_ms, asked.link) == (UNTIL, CALL_ID)
    assert not dues(desk, A) and not dues(desk, D)
    assert len(dues(desk, B, UNTIL + MINUTE - 1)) == 1 and not dues(desk, B, UNTIL + MINUTE)
    write(desk, "declined", Declined(CALL_ID, A), B)
    assert not dues(desk)


def test_rest_is_said_to_those_who_joined_an_armed_campaign_only() -> None:
    desk = called()
    at_ms = TERMS.disperses_ms + HOUR
    assert not dues(desk, A, at_ms)  # it never armed
    write(desk, "joined", Joined(CALL_ID, A, TERMS), B)
    assert [due.what for due in dues(desk, B, at_ms)] == ["We settle and rest after “Spring”: no new call of ours until then"]
    assert not dues(desk, C, at_ms)
    assert "Lift the rest" in actions(page(desk, B, at_ms))


def test_the_button_to_join_carries_the_very_terms() -> None:
    desk = called()
    button = actions(page(desk))["Join as it stands"]
    assert button.kind == "campaign.joined/1"
    assert from_flat(Joined, button.filled) == Joined(CALL_ID, A, TERMS)


def test_each_of_several_terms_can_be_joined_and_buttons_go_with_what_was_said() -> None:
    desk = called()
    other = changed(builds="A kitchen that stays open")
    write(desk, "countered", Countered(CALL_ID, A, other, "we cook"), C)
    labels = actions(page(desk))
    assert {"Join terms 1", "Join terms 2", "Offer other terms", "Decline"} <= set(labels)
    assert {from_flat(Joined, labels[f"Join terms {n}"].filled).terms.builds for n in (1, 2)} == {TERMS.builds, other.builds}
    write(desk, "joined", Joined(CALL_ID, A, TERMS), B)
    labels = actions(page(desk))
    assert "Withdraw" in labels and "Decline" not in labels
    assert "Join terms 2" in labels and "Join terms 1" not in labels  # what most joined is first
    assert not {"Join terms 1", "Join terms 2", "Offer other terms"} & set(actions(page(desk, B, UNTIL + HOUR)))


def test_the_page_says_in_words_whether_it_is_armed() -> None:
    desk = called()

    def words(now_ms: int = T0 + HOUR) -> str:
        return " ".join(block.text for block in page(desk, B, now_ms) if isinstance(block, Text))

    assert "not armed yet: 1 of the 3 spaces joined the terms in force, and 2 are needed" in words()
    write(desk, "joined", Joined(CALL_ID, A, TERMS), B)
    assert "It is armed: 2 of the 3 spaces" in words()
    desk = called()
    assert campaigns.figures(desk.view(B), UNTIL + HOUR)["campaigns.called"] == 0
    (past,) = [block for block in page(desk, B, UNTIL + HOUR) if isinstance(block, Grid) and block.caption == "What was"]
    assert len(past.rows) == 1


def test_a_space_that_is_not_counted_has_an_empty_page_that_teaches() -> None:
    blocks = page(called(), D)
    assert not [block for block in blocks if isinstance(block, Timeline)]
    assert any(isinstance(block, Text) and "No campaign is under way" in block.text for block in blocks)


def test_an_erased_name_is_said_to_be_erased() -> None:
    desk = Desk()
    write(desk, "called", msgspec.structs.replace(CALL, name="", why="", clears=""), digest=CALL_ID)
    assert "A campaign whose name was erased" in [block.text for block in page(desk) if isinstance(block, Heading)]


def test_one_space_cannot_crowd_out_the_calls_of_others() -> None:
    desk = called()
    for number in range(60):
        body = msgspec.structs.replace(CALL, invited=[A, B], name=f"noise {number}")
        write(desk, "called", body, space=D, at_ms=T0 + number * MINUTE)
    shown = near(desk.view(B), T0 + HOUR)
    assert CALL_ID in {call.id for call, _ in shown} and len(shown) == 9


def test_what_a_space_answered_is_shown_however_many_were_called_since() -> None:
    desk = called()
    write(desk, "joined", Joined(CALL_ID, A, TERMS), B)
    for number in range(450):
        body = msgspec.structs.replace(CALL, invited=[B], name=f"noise {number}")
        write(desk, "called", body, space=bytes([number % 50]) * 32, at_ms=T0 + HOUR)
    shown = near(desk.view(B), T0 + HOUR)
    assert CALL_ID in {call.id for call, _ in shown} and len(shown) == 40


# Chain reactions


def test_a_pledge_is_due_when_its_moment_has_come_and_the_chain_is_drawn() -> None:
    desk = called()
    write(desk, "joined", Joined(CALL_ID, A, TERMS), C)
    own = write(desk, "called", msgspec.structs.replace(CALL, invited=[C], name="Ours"), B)
    pledged = write(desk, "pledged", Pledged(CALL_ID, A, "crest", own, "we open the depot"), B)
    write(desk, "pledged", Pledged(CALL_ID, A, "over", None, "we tell the story"), B)
    before, at = TERMS.crests_ms - 1, TERMS.crests_ms
    assert not [due for due in dues(desk, B, before) if due.link == pledged]
    (found,) = [due for due in dues(desk, B, at) if due.link == pledged]
    assert (found.what, found.since_ms) == ("We pledged for this moment: we open the depot", at)
    assert any("tell the story" in due.what for due in dues(desk, B, TERMS.rests_ms))
    (graph,) = [block for block in page(desk, B, at) if isinstance(block, Graph)]
    assert [(edge.source, edge.target, edge.label) for edge in graph.edges if edge.label == "when crest"] == [
        (CALL_ID.hex(), own.hex(), "when crest")
    ]
    assert {node.label for node in graph.nodes} == {"Spring", "Ours", "we tell the story"}


def test_a_pledge_opens_only_a_call_of_our_own_that_is_another() -> None:
    desk = called()
    with pytest.raises(Refused, match="no such call of ours"):
        write(desk, "pledged", Pledged(CALL_ID, A, "open", CALL_ID, "x"), B)
    with pytest.raises(Refused, match="cannot open itself"):
        write(desk, "pledged", Pledged(CALL_ID, A, "open", CALL_ID, "x"), A)


def test_a_pledge_on_a_campaign_that_lapsed_never_comes_due() -> None:
    desk = called()
    write(desk, "pledged", Pledged(CALL_ID, A, "armed", None, "x"), B)
    assert not [due for due in dues(desk, B, TERMS.crests_ms) if "pledged" in due.what]


# Summaries and figures


def test_the_summary_says_our_open_calls_and_windows_from_our_own_public_rows() -> None:
    desk = called()
    write(desk, "joined", Joined(CALL_ID, A, TERMS), B)
    told = campaigns.state(desk.view(A, PUBLIC), T0 + HOUR)
    assert [(each["id"], each["spaces"]) for each in told["calls"]] == [(CALL_ID, 3)]
    assert [each["opens_ms"] for each in told["windows"]] == [OPENS]
    assert campaigns.state(desk.view(B, PUBLIC), T0 + HOUR)["calls"] == []
    assert campaigns.state(desk.view(A, PUBLIC), TERMS.rests_ms) == {"calls": [], "windows": []}
    hidden = called(audience=scope_of((A, B, C)))
    assert campaigns.state(hidden.view(A, PUBLIC), T0 + HOUR) == {"calls": [], "windows": []}


def test_figures_count_campaigns_by_phase() -> None:
    desk = called()
    assert campaigns.figures(desk.view(B), T0 + HOUR) == {
        "campaigns.called": 1, "campaigns.armed": 0, "campaigns.open": 0, "campaigns.settling": 0, "campaigns.answers-due": 1,
    }  # fmt: skip
    write(desk, "joined", Joined(CALL_ID, A, TERMS), B)
    assert campaigns.figures(desk.view(B), OPENS)["campaigns.open"] == 1
    assert campaigns.figures(desk.view(B), TERMS.disperses_ms)["campaigns.settling"] == 1


def test_erased_words_change_nothing_else() -> None:
    told = []
    for words in (True, False):
        desk = Desk()
        blank = {} if words else {"name": "", "why": "", "clears": ""}
        write(desk, "called", msgspec.structs.replace(CALL, **blank), digest=CALL_ID)
        write(desk, "countered", Countered(CALL_ID, A, changed(care=""), "w" if words else ""), B, digest=b"1" * 32)
        write(desk, "withdrawn", Withdrawn(CALL_ID, A, "w" if words else ""), B, digest=b"2" * 32)
        write(desk, "pledged", Pledged(CALL_ID, A, "open", None, "w" if words else ""), B, digest=b"3" * 32)
        rows = {}
        for table in campaigns.PRACTICE.tables:
            gone = dict.fromkeys(table.erasable, "")
            found = desk.view(B, EVERYTHING).everywhere(table)
            rows[table.name] = sorted(repr(msgspec.structs.replace(row, **gone)) for row in found)
        told.append(rows)
    assert told[0] == told[1]
