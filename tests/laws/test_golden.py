"""The rules of released kinds do not change: every golden log still gets the verdicts that it got."""

from __future__ import annotations

import json

import pytest

from protocol.practices import KINDS
from protocol.record import genuine
from tests.laws.golden import FOLDER, judged, path_of, read, told


def test_every_kind_has_golden_verdicts_and_every_file_its_kind() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == {path_of(kind).name for kind in KINDS}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_golden_logs_get_the_verdicts_that_they_got(kind: str) -> None:
    held = json.loads(path_of(kind).read_text(encoding="utf-8"))
    assert held["kind"] == kind
    accepted = 0
    for case in held["cases"]:
        space, log, wanted = read(case)
        for position, (verdict, was) in enumerate(zip(judged(space, log), wanted, strict=True)):
            now = told(verdict, kind)
            assert bool(now.pop("refused", "")) == bool(was.pop("refused", "")), f"entry {position}"
            assert now == was, f"entry {position}"
            accepted += "changes" in now and case["log"][position]["kind"] == kind
    assert accepted >= 1


def test_golden_logs_hold_genuine_records_and_refusals_of_many_sorts() -> None:
    reasons = set()
    for kind in KINDS:
        for case in json.loads(path_of(kind).read_text(encoding="utf-8"))["cases"]:
            space, log, verdicts = read(case)
            assert all(genuine(stored.raw, b"" if position == 0 else space) for position, stored in enumerate(log))
            reasons |= {each["refused"] for each in verdicts if "refused" in each}
    in_form = {reason for reason in reasons if not reason.startswith("Not in form")}
    assert len(in_form) > len(KINDS)
