"""Bodies from forms, arguments and JSON: one typed value whichever way it came, and a sentence that names the field."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from protocol import body, encoding
from protocol.body import decimal, erasable_fields, fields, from_flat, from_json, minor, structure_and_words, to_flat, to_json
from protocol.judge import to_body
from protocol.keychain import space_name
from protocol.practice import Digest, Kind, Refused, SpaceId, field

DIGEST = sha256(b"x").digest()


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """One line."""

    account: Annotated[str, field("Account", "Where it goes", example="assets:cash", min_length=1, max_length=40)]
    amount: Annotated[int, field("Amount", "How much", widget="money", ge=-(10**12), le=10**12)]


class Everything(Struct, frozen=True, forbid_unknown_fields=True):
    """One field of every sort."""

    title: Annotated[str, field("Title", "What it is called", min_length=1, max_length=20)]
    lines: Annotated[list[Line], field("Lines", "What moves", min_length=1, max_length=5)]
    until_ms: Annotated[int, field("Until", "When it ends", widget="instant", ge=0)]
    rounds: Annotated[int, field("Rounds", "How many", ge=1, le=9)] = 1
    share: Annotated[int, field("Share", ge=0)] = 0
    open: Annotated[bool, field("Open", "For all")] = False
    mood: Annotated[Literal["calm", "wild"], field("Mood", "How it was")] = "calm"
    record: Annotated[Digest | None, field("Record", "Which one")] = None
    spaces: Annotated[list[SpaceId], field("Spaces", "Who", widget="spaces", max_length=3)] = []
    code: Annotated[str, field("Code", "Three letters", pattern="^[A-Z]{3}$", example="EUR")] = "EUR"
    words: Annotated[str, field("Words", "In your own words", erasable=True, required=True, max_length=30)] = ""
    note: Annotated[str, field("Note", "If you like", erasable=True, max_length=30)] = ""


MINIMAL: dict[str, Any] = {
    "title": "T", "lines": [{"account": "a", "amount": "1"}], "until_ms": "2026-03-14 18:00", "words": "said",
}  # fmt: skip
KIND: Kind[Any] = Kind("everything.said/1", "Say everything", Everything, lambda own, act: ())

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20).filter(
    lambda each: bool(each.strip())
)
BODIES = st.builds(
    Everything,
    title=TEXTS,
    lines=st.lists(st.builds(Line, account=TEXTS, amount=st.integers(-(10**12), 10**12)), min_size=1, max_size=5),
    until_ms=st.integers(0, 4_000_000_000).map(lambda minutes: minutes * 60_000),
    rounds=st.integers(1, 9),
    share=st.integers(0, 2**53 - 1),
    open=st.booleans(),
    mood=st.sampled_from(("calm", "wild")),
    record=st.none() | st.binary(min_size=32, max_size=32),
    spaces=st.lists(st.binary(min_size=32, max_size=32), max_size=3),
    code=st.from_regex("[A-Z]{3}", fullmatch=True),
    words=TEXTS,
    note=st.just("") | TEXTS,
)


@given(BODIES)
def test_a_body_comes_back_from_json_from_a_form_and_from_record_and_annex(made: Everything) -> None:
    assert from_json(Everything, to_json(made)) == made
    assert from_json(Everything, msgspec.json.decode(msgspec.json.encode(to_json(made)))) == made
    assert from_flat(Everything, to_flat(made)) == made
    structure, words = structure_and_words(made)
    assert not set(structure) & set(erasable_fields(Everything))
    assert set(words) <= set(erasable_fields(Everything))
    read: Any = encoding.decode(encoding.encode(structure))
    assert to_body(KIND, read, words) == made
    assert to_body(KIND, read, {}) == msgspec.structs.replace(made, words="", note="")


def test_fields_carry_what_forms_and_pages_need() -> None:
    by_name = {f.name: f for f in fields(Everything)}
    assert [f.name for f in fields(Everything)] == list(Everything.__struct_fields__)
    lines = by_name["lines"]
    assert (lines.many, [f.name for f in lines.inner], lines.least, lines.most) == (True, ["account", "amount"], 1, 5)
    assert (by_name["rounds"].least, by_name["rounds"].most, by_name["rounds"].default) == (1, 9, 1)
    assert by_name["mood"].choices == ("calm", "wild")
    assert (by_name["record"].widget, by_name["record"].required) == ("record", False)
    assert (by_name["title"].required, by_name["words"].required, by_name["words"].erasable) == (True, True, True)
    assert by_name["code"].pattern == "^[A-Z]{3}$"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no title": ({"title": None}, "Title: this is missing. What it is called"),
    "title is a number": ({"title": 5}, "Title: is text"),
    "title is half a character": ({"title": "\ud800"}, "Title: half of a character"),
    "title too long": ({"title": "x" * 21}, "Title: takes from 1 to 20 characters"),
    "no lines": ({"lines": []}, "Lines: from 1 to 5 rows"),
    "lines are one": ({"lines": {"account": "a", "amount": "1"}}, "Lines: is a list"),
    "six lines": ({"lines": [{"account": "a", "amount": "1"}] * 6}, "Lines: from 1 to 5 rows"),
    "thousands of lines": ({"lines": [{}] * 501}, "Lines: has at most 500 rows"),
    "a line is text": ({"lines": ["a"]}, "Lines: has fields of its own: account, amount"),
    "a line without account": ({"lines": [{"amount": "1"}]}, "Account: this is missing"),
    "a line with an empty account": ({"lines": [{"account": "", "amount": "1"}]}, "Account: takes from 1 to 40 characters. For example: assets:cash."),
    "a line with more": ({"lines": [{"account": "a", "amount": "1", "more": 1}]}, "no field “lines.more”"),
    "an amount in words": ({"lines": [{"account": "a", "amount": "ten"}]}, "Amount: “ten” is not an amount. Write it like 12.50"),
    "an amount as a float": ({"lines": [{"account": "a", "amount": 1.5}]}, "Amount: write amounts as text"),
    "three decimals": ({"lines": [{"account": "a", "amount": "1.005"}]}, "at most two decimals"),
    "an amount too large": ({"lines": [{"account": "a", "amount": "99999999999.00"}]}, "Amount: a whole number from"),
    "a time in words": ({"until_ms": "tomorrow"}, "Until: “tomorrow” is not a time. Write it like 2026-03-14 18:00+00:00 (in UTC)."),
    "a time before all": ({"until_ms": "1960-01-01"}, "Until: a whole number of at least 0"),
    "rounds in words": ({"rounds": "many"}, "Rounds: “many” is not a whole number"),
    "too many rounds": ({"rounds": 10}, "Rounds: a whole number from 1 to 9"),
    "rounds as truth": ({"rounds": True}, "Rounds: is a whole number"),
    "rounds as a list": ({"rounds": [1]}, "Rounds: is a whole number"),
    "a share beyond all": ({"share": 10**30}, "Share: a whole number of at most"),
    "another mood": ({"mood": "odd"}, "Mood: choose one of calm, wild"),
    "half a record": ({"record": DIGEST.hex()[:60]}, "Record: an id of 32 bytes"),
    "no hex": ({"record": "zz"}, "Record: “zz” is not an id"),
    "spaces as text": ({"spaces": "x"}, "Spaces: is a list"),
    "a space cut off": ({"spaces": [space_name(DIGEST)[:-4]]}, "Spaces"),
    "a code in small letters": ({"code": "eur"}, "Code: not in the form it takes. For example: EUR."),
    "no words": ({"words": "  "}, "Words: this is missing. In your own words"),
    "words too long": ({"words": "x" * 31}, "Words: takes from 0 to 30 characters"),
    "an unknown field": ({"colour": "red"}, "There is no field “colour” here. It has: title, lines"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_by_the_fields_label_and_what_to_do(name: str) -> None:
    changes, sentence = REFUSED[name]
    with pytest.raises(Refused) as refused:
        from_json(Everything, {**MINIMAL, **changes})
    assert sentence in str(refused.value)
    assert "$" not in str(refused.value)


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_a_body_is_an_object(value: Any) -> None:
    with pytest.raises(Refused, match="object"):
        from_json(Everything, value)


def test_what_is_quoted_of_somebody_is_cut() -> None:
    with pytest.raises(Refused) as refused:
        from_json(Everything, {**MINIMAL, "x" * 10_000: 1})
    assert len(str(refused.value)) < 500


FORM = {"title": "T", "lines.0.account": "a", "lines.0.amount": "1,50", "until_ms": "2026-03-14T18:00Z", "words": "said"}


def test_a_form_is_read_with_what_was_left_empty_left_out() -> None:
    made = from_flat(
        Everything, {**FORM, "note": "", "rounds": " ", "lines.1.account": "", "lines.1.amount": "", "record": "", "open": "on"}
    )
    assert made == Everything("T", [Line("a", 150)], 1_773_511_200_000, words="said", open=True)
    assert from_flat(Everything, {**FORM, "words": "one\r\ntwo"}).words == "one\ntwo"


def test_rows_of_a_form_keep_the_order_of_their_numbers() -> None:
    flat = {**FORM} | {f"lines.{n}.account": f"a{n}" for n in (10, 2, 0)} | {f"lines.{n}.amount": "1" for n in (10, 2, 0)}
    assert [line.account for line in from_flat(Everything, flat).lines] == ["a0", "a2", "a10"]


def test_several_ids_are_written_into_one_field() -> None:
    other = sha256(b"y").digest()
    made = from_flat(Everything, {**FORM, "spaces": f"{space_name(DIGEST)}, {other.hex()}\n"})
    assert made.spaces == [DIGEST, other]


@pytest.mark.parametrize(
    "path",
    ["colour", "", ".", "lines", "lines.", "lines.x.account", "lines.-1.account", "lines.0", "lines.0.", "lines.0.more", "lines.0.account.more", "lines.².account",
     "lines." + "9" * 5000 + ".account", "title.0", "title.more.0", "words.x", "lines.0.amount.0", "..", "lines..account"],
)  # fmt: skip
def test_a_name_that_no_field_has_is_refused_and_crashes_nothing(path: str) -> None:
    with pytest.raises(Refused):
        from_flat(Everything, {**FORM, path: "x"})


def test_a_name_within_a_name_is_refused_in_both_orders() -> None:
    for flat in ({"title": "T", "title.more": "x"}, {"title.more": "x", "title": "T"}):
        with pytest.raises(Refused):
            from_flat(Everything, {**{k: v for k, v in FORM.items() if k != "title"}, **flat})


@given(
    st.dictionaries(
        st.sampled_from([*FORM, "lines.1", "lines.0.x", "spaces.0", "record", "until_ms.0"]), st.text(max_size=12), max_size=8
    )
)
def test_no_form_crashes_anything(flat: dict[str, str]) -> None:
    try:
        from_flat(Everything, {**FORM, **flat})
    except Refused as refused:
        assert str(refused)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["account", "amount", "x"]), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([f.name for f in fields(Everything)]), JSON, max_size=6))
def test_no_json_crashes_anything(value: dict[str, Any]) -> None:
    try:
        made = from_json(Everything, {**MINIMAL, **value})
    except Refused as refused:
        assert str(refused)
    else:
        encoding.encode(structure_and_words(made)[0])


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12.50", 1250),
        ("12,5", 1250),
        ("12", 1200),
        ("-0.01", -1),
        ("+3", 300),
        (" 7.00 ", 700),
        ("0", 0),
        ("-0", 0),
        ("00012.50", 1250),
    ],
)
def test_amounts_are_read_as_they_are_written(text: str, amount: int) -> None:
    assert minor(text, "Amount") == amount


@pytest.mark.parametrize(
    "text", ["", "-", ".5", "5.", "1.234", "1 000", "1e3", "1.000,00", "--1", "€5", "12.5x", "1" * 13, "nan", "0x10", "1_000"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="Amount"):
        minor(text, "Amount")


@given(st.integers(-(10**13), 10**13))
def test_amounts_come_back_from_their_decimals(amount: int) -> None:
    assert minor(decimal(amount), "Amount") == amount


def test_instants_are_whole_minutes_in_utc_whatever_zone_they_are_written_in() -> None:
    for text in ("2026-03-14 18:00", "2026-03-14T18:00:59Z", "2026-03-14T20:00+02:00", "1773511200000"):
        assert from_json(Everything, {**MINIMAL, "until_ms": text}).until_ms == 1_773_511_200_000
    assert from_json(Everything, {**MINIMAL, "until_ms": 1_773_511_200_000}).until_ms == 1_773_511_200_000


@pytest.mark.parametrize("text", ["0001-01-01T00:00+23:59", "²", "--", "2026-02-30", "2026-03-14 25:00", "9" * 400])
def test_a_time_beyond_the_calendar_crashes_nothing(text: str) -> None:
    with pytest.raises(Refused, match="Until"):
        from_json(Everything, {**MINIMAL, "until_ms": text})


def test_any_number_that_a_record_may_hold_is_shown() -> None:
    made = Everything("T", [Line("a", 2**53 - 1)], 2**53 - 1, words="x")
    assert to_json(made)["until_ms"] == str(2**53 - 1)
    assert to_flat(made)["lines.0.amount"] == "90071992547409.91"


def test_two_values_mean_the_same_by_their_canonical_bytes() -> None:
    assert body.canonical(Line("a", 1)) == encoding.encode({"account": "a", "amount": 1})
    assert body.canonical(Line("a", 1)) != body.canonical(Line("a", 2))
