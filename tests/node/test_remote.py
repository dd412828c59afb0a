"""Members with a key on a machine of their own: what they seal there is taken like any other record, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from federation.envelope import REQUEST, Said, seal
from node import lending
from node.clock import Clock, MovedClock
from node.home import Home
from node.sealed import MOST_BYTES, PATH, Unfit, Unknown, take
from protocol import encoding, record
from protocol.deciding import OUTCOMES
from protocol.keys import SigningKey
from protocol.practice import Refused
from protocol.record import MEMBERS, PUBLIC
from tests.node.process import Process, answer, ran

NOW_MS = 1_790_000_000_000


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home.found(tmp_path / "isle", "Harbour House", "Ada", MovedClock(NOW_MS, running=False))
    yield home
    home.close()


def sealed(home: Home, key: SigningKey, *, kind: str = "ledger.transaction-reversed/1", **change: Any) -> bytes:
    """A record of the kind as a member would seal it, or with something changed."""
    body = change.get("body", {"transaction": bytes(32), "date": "2026-03-14"})
    words = change.get("words", {"reasons": "Entered twice"})
    made = record.seal(
        kind, change.get("at_ms", NOW_MS + 60_000), change.get("audience", PUBLIC), body, key, change.get("space", home.space),
        words=words, random=bytes(32),
    )  # fmt: skip
    return encoding.encode([made.raw, change.get("annex", made.annex)])


def named(home: Home, key: SigningKey, name: str = "Ada", **change: Any) -> bytes:
    change = {"body": {}, "words": {"name": name}, "audience": MEMBERS, **change}
    return sealed(home, key, kind="member.named/1", **change)


def test_a_sealed_record_of_a_member_is_taken_once(home: Home) -> None:
    data = named(home, home.key_files.key())
    size = home.log.size
    assert take(home, data).position == size
    with pytest.raises(Refused, match="copy"):
        take(home, data)
    assert home.log.size == size + 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"space": bytes(32)}, "signature"),
        ({"annex": None}, "words"),
        ({"annex": b"\x82\x50" + bytes(16) + b"\xa1\x64name\x61x"}, "words"),
        ({"words": {"name": " "}}, "Name"),
        ({"words": {"name": "x" * 81}}, "80"),
        ({"words": {"name": "Ada", "role": "queen"}}, "role"),
        ({"audience": PUBLIC}, "audience"),
        ({"at_ms": NOW_MS + 3_600_000}, "clock"),
        ({"at_ms": 1}, "later"),
        ({"body": {"more": 1}}, "form"),
    ],
)
def test_what_does_not_hold_is_refused_and_not_written(home: Home, change: dict[str, Any], why: str) -> None:
    size = home.log.size
    with pytest.raises(Refused, match=why):
        take(home, named(home, home.key_files.key(), **change))
    assert home.log.size == size


def test_a_key_that_is_not_known_gets_no_further(home: Home) -> None:
    with pytest.raises(Unknown):
        take(home, named(home, SigningKey(bytes(32))))
    with pytest.raises(Refused, match="no kind"):
        take(home, sealed(home, home.key_files.key(), kind="frob.done/1", words={}, body={}))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x82\x40\xf6", b"\x82\x41a\x01", b"\xff", bytes(MOST_BYTES + 1)])
def test_bytes_that_are_no_record_are_refused(home: Home, data: bytes) -> None:
    with pytest.raises(Unfit):
        take(home, data)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Process]]:
    running: list[Process] = []

    def go() -> Process:
        Home.found(tmp_path / "isle", "Harbour House", "Ada").close()
        running.append(Process(tmp_path / "isle"))
        return running[-1]

    yield go
    for each in running:
        each.end()


def test_somebody_joins_and_writes_from_another_machine(start: Callable[[], Process], tmp_path: Path) -> None:
    node, laptop = start(), tmp_path / "laptop"
    invitation = answer(node.folder, "invite", "--url", node.url)["invitation"]
    joined = answer(laptop, "join", invitation, "--member", "Noor")
    assert (joined["admitted"], joined["space"], joined["url"]) == (True, node.space, node.url)
    assert not (node.folder / "member-keys" / "Noor").exists()
    assert (laptop / "member-keys" / "Noor").stat().st_mode & 0o777 == 0o600
    bread = ["--date", "2026-03-14", "--memo", "Bread"]
    bread += ["--postings", "account=assets:cash amount=-3.00 currency=EUR"]
    bad = ran(
        laptop,
        "record",
        "add",
        "ledger.transaction-booked",
        *bread,
        "--postings",
        "account=expenses:food amount=4 currency=EUR",
    )
    assert (bad.returncode, "sum to zero" in bad.stderr) == (2, True)
    good = ["--postings", "account=expenses:food amount=3.00 currency=EUR"]
    digest = answer(laptop, "record", "add", "ledger.transaction-booked", *bread, *good)["digest"]
    assert answer(node.folder, "record", "show", digest)["author"] == joined["key"]
    assert answer(node.folder, "record", "show", digest)["body"]["memo"] == "Bread"
    assert "Noor" in ran(node.folder, "status").stdout
    elsewhere = ran(laptop, "status")
    assert (elsewhere.returncode, node.url in elsewhere.stderr) == (2, True)
    used = ran(tmp_path / "other", "join", invitation, "--member", "Oto")
    assert used.returncode == 2
    assert "used" in used.stderr
    assert not (tmp_path / "other" / "member-keys" / "Oto").exists()
    stranger = invitation.replace(node.space.removeprefix("isle:"), "a" * 52)
    assert ran(tmp_path / "other", "join", stranger, "--member", "Oto").returncode == 1


def test_a_hidden_round_is_called_and_answered_from_another_machine(start: Callable[[], Process], tmp_path: Path) -> None:
    node, laptop = start(), tmp_path / "laptop"
    answer(laptop, "join", answer(node.folder, "invite", "--url", node.url)["invitation"], "--member", "Noor")
    words = ["--title", "The door", "--text", "We paint it.", "--why", "It is grey."]
    proposal = answer(laptop, "record", "add", "decision.proposed", *words)["digest"]
    call = ["--proposal", proposal, "--version", "1", "--type", "majority", "--hidden", "close"]
    round_ = answer(laptop, "record", "add", "decision.called", *call)["digest"]
    given = answer(laptop, "record", "add", "vote.cast", "--round", round_, "--choice", "yes")["digest"]
    shown = answer(node.folder, "record", "show", given)["body"]
    assert (shown.get("choice", ""), bool(shown["sealed"])) == ("", True)
    wrong = ran(laptop, "record", "add", "vote.cast", "--round", round_, "--choice", "perhaps")
    assert (wrong.returncode, "Answer:" in wrong.stderr) == (2, True)
    answer(node.folder, "record", "add", "vote.cast", "--round", round_, "--choice", "yes")
    closed = ran(laptop, "record", "add", "decision.closed", "--round", round_)
    assert (closed.returncode, "filled in by the node" in closed.stderr) == (2, True)
    answer(node.folder, "record", "add", "decision.closed", "--round", round_)
    node.end()
    home = Home.open(node.folder)
    (outcome,) = home.view().all(OUTCOMES)
    home.close()
    assert (outcome.accepted, outcome.answered, outcome.spoiled) == (True, 2, 0)


def test_over_http_what_is_wrong_has_a_status_and_a_sentence(start: Callable[[], Process]) -> None:
    node = start()

    def post(data: bytes, kind: str = "application/cbor", path: str = PATH) -> tuple[int, bytes]:
        wire = HTTPConnection(urlsplit(node.url).netloc, timeout=10)
        wire.request("POST", path, data, {"Content-Type": kind})
        got = wire.getresponse()
        told = got.status, got.read()
        wire.close()
        return told

    assert post(b"{}", "application/json")[0] == 400
    assert post(b"\x80")[0] == 400
    stranger = SigningKey(bytes(32))
    made = record.seal("ledger.account-closed/1", NOW_MS, PUBLIC, {}, stranger, bytes(32))
    assert post(encoding.encode([made.raw, None]))[0] == 403
    made = record.seal("member.joined/1", NOW_MS, PUBLIC, {"secret": bytes(16)}, stranger, bytes(32))
    assert post(encoding.encode([made.raw, None]))[0] == 400
    assert answer(node.folder, "status")["size"] == 2
    assert post(b"{}", "application/json", lending.PATH)[0] == 400
    assert post(b"\x80", path=lending.PATH)[0] == 400
    assert post(bytes(lending.MOST_BYTES + 1), path=lending.PATH)[0] == 413
    said = Said(Clock().now_ms(), bytes(8), [stranger.public, "shared", b"label"])
    assert post(seal("lend", REQUEST, stranger, stranger.public, bytes(32), said), path=lending.PATH)[0] == 403


def test_words_do_not_travel_in_the_open(tmp_path: Path) -> None:
    for host in ("isle.example", "93.184.216.34"):
        invitation = f"archipelago:join:{'a' * 52}:{'0' * 32}@http://{host}"
        refused = ran(tmp_path / "laptop", "join", invitation, "--member", "Noor")
        assert refused.returncode == 2
        assert "https" in refused.stderr
    assert not (tmp_path / "laptop").exists()
