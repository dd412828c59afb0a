"""What is filled in on a machine of one's own: hidden answers, calls for them, and parts of lots; and who is told nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from federation.envelope import ANSWER, REQUEST, EnvelopeError, Said, read, seal
from node import lending
from node.actions import Lent
from node.clock import MovedClock
from node.home import Home
from node.lending import from_afar, lend
from node.sealed import take
from node.store import Placed
from protocol import ballot, encoding, record
from protocol import body as bodies
from protocol.deciding import OUTCOMES, ROUNDS, VOTES
from protocol.drawing import PARTS
from protocol.keys import SigningKey
from protocol.membership import MEMBERSHIPS
from protocol.practice import KEYS, Refused, unchanged
from protocol.practices import KINDS

MINUTE, DAY, NOW_MS = 60_000, 86_400_000, 1_790_000_040_000


class Afar:
    """Noor, whose key lies on her laptop; everything that she and the node say to each other is kept."""

    def __init__(self, home: Home, clock: MovedClock) -> None:
        self.home, self.clock, self.key = home, clock, SigningKey(b"n" * 32)
        self.asked: list[bytes] = []
        self.told: list[bytes] = []
        secret = b"n" * 16
        home.actions.submit(
            "member.invited/1", {"hash": sha256(secret).hexdigest(), "expires_ms": clock.now_ms() + DAY}, home.key_files.key()
        )
        self.write("member.joined/1", {"secret": secret.hex(), "name": ""})
        self.write("member.named/1", {"name": "Noor"})

    def ask(self, data: bytes) -> bytes:
        """The node's answer."""
        self.asked.append(data)
        self.told.append(lend(self.home, data))
        return self.told[-1]

    def prepared(self, kind: str, body: Mapping[str, Any]) -> Any:
        """A body as it is filled in here."""
        known = KINDS[kind]
        view, secrets = from_afar(self.home.space, self.home.keys.identity.public, self.key, self.clock, self.ask)
        return known.prepare(view, bodies.from_json(known.body, body), secrets)

    def write(self, kind: str, body: Mapping[str, Any]) -> Placed:
        """Fill in, seal, send."""
        structure, words = bodies.structure_and_words(self.prepared(kind, body))
        self.clock.move(MINUTE)
        made = record.seal(
            kind, self.clock.now_ms(), KINDS[kind].audience, structure, self.key, self.home.space, words=words,
            random=self.clock.random(32),
        )  # fmt: skip
        return take(self.home, encoding.encode([made.raw, made.annex]))


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(NOW_MS, running=False)


@pytest.fixture
def home(tmp_path: Path, clock: MovedClock) -> Iterator[Home]:
    home = Home.found(tmp_path / "isle", "Harbour House", "Ada", clock)
    yield home
    home.close()


@pytest.fixture
def noor(home: Home, clock: MovedClock) -> Afar:
    return Afar(home, clock)


def proposal(home: Home) -> str:
    said = {"title": "The door", "text": "We paint it.", "why": "It is grey.", "options": ["Red", "Green", "Blue"]}
    return home.actions.submit("decision.proposed/1", said, home.key_files.key()).digest.hex()


@pytest.mark.parametrize("hidden", ["own", "close"])
def test_a_hidden_round_is_called_and_answered_from_afar(home: Home, noor: Afar, clock: MovedClock, hidden: str) -> None:
    called = {"proposal": proposal(home), "version": 1, "type": "ranked", "hidden": hidden}
    round_ = noor.write("decision.called/1", called).digest
    row = home.view().get(ROUNDS, round_)
    assert row is not None
    assert row.key == ballot.public_of(Lent(clock, home.keys.identity.seed, b"").derive(ballot.label(row.proposal, row.salt)))
    noor.write("vote.cast/1", {"round": round_.hex(), "choice": "3 1"})
    cast = home.view().get(VOTES, round_, noor.key.public)
    assert cast is not None
    assert (cast.choice, len(cast.sealed)) == ("", ballot.SIZE)
    assert not any(b"3 1" in data for data in noor.asked), "the answer is sealed before anything is said to the node"
    home.actions.submit("vote.cast/1", {"round": round_.hex(), "choice": "3"}, home.key_files.key())
    home.actions.submit("decision.closed/1", {"round": round_.hex()}, home.key_files.key())
    (outcome,) = home.view().all(OUTCOMES)
    assert (outcome.option, outcome.answered, outcome.spoiled) == (3, 2, 0)


def test_what_would_open_a_ballot_never_leaves_the_node(home: Home, noor: Afar, clock: MovedClock) -> None:
    called = {"proposal": proposal(home), "version": 1, "type": "ranked", "hidden": "close"}
    round_ = noor.write("decision.called/1", called).digest
    row = home.view().get(ROUNDS, round_)
    assert row is not None
    label = ballot.label(row.proposal, row.salt)
    view, secrets = from_afar(home.space, home.keys.identity.public, noor.key, clock, noor.ask)
    assert secrets.shared(label) == row.key
    assert ballot.public_of(secrets.derive(label)) != row.key
    assert view.get(ROUNDS, round_) is not None
    secret = Lent(clock, home.keys.identity.seed, b"").derive(label)
    assert noor.told
    assert not any(secret in data for data in noor.told)
    with pytest.raises(Refused, match="filled in by the node"):
        noor.write("decision.closed/1", {"round": round_.hex()})
    clock.move(8 * DAY)
    with pytest.raises(Refused, match="opened by the node that called the round"):
        noor.write("decision.closed/1", {"round": round_.hex()})


def test_what_is_wrong_with_an_answer_is_said_before_it_is_sealed(home: Home, noor: Afar) -> None:
    called = {"proposal": proposal(home), "version": 1, "type": "ranked", "hidden": "close"}
    round_ = noor.write("decision.called/1", called).digest.hex()
    for answer, why in (
        ({"choice": "7"}, "numbers of options"),
        ({"choice": "1", "reasons": "Red is warm."}, "would give yours away"),
    ):
        with pytest.raises(Refused, match=why):
            noor.write("vote.cast/1", {"round": round_, **answer})
    assert not home.view().all(VOTES)


def test_a_part_of_a_lot_is_made_from_the_members_own_key_and_made_again(home: Home, noor: Afar, clock: MovedClock) -> None:
    ada = home.key_files.key()
    noor.write("member.named/1", {"name": "Noor B"})
    lot = home.actions.submit("lot.opened/1", {"purpose": "other", "subject": home.space.hex()}, ada).digest
    noor.write("lot.committed/1", {"lot": lot.hex()})
    with pytest.raises(Refused, match="too early"):
        noor.write("lot.revealed/1", {"lot": lot.hex()})
    home.actions.submit("lot.committed/1", {"lot": lot.hex()}, ada)
    home.actions.submit("lot.revealed/1", {"lot": lot.hex()}, ada)
    noor.write("lot.revealed/1", {"lot": lot.hex()})
    part = home.view().get(PARTS, lot, noor.key.public)
    assert part is not None
    assert part.value == Lent(clock, noor.key.seed, b"").derive(b"lot" + lot + noor.key.public)


# Who is told nothing


def sealed(noor: Afar, content: object, **change: Any) -> bytes:
    key = change.get("key", noor.key)
    said = Said(change.get("time_ms", noor.clock.now_ms()), bytes(8), content)
    return seal(
        change.get("verb", "lend"), REQUEST, key, change.get("sender", key.public), change.get("space", noor.home.space), said
    )


def question(noor: Afar) -> list[object]:
    return [noor.key.public, "row", KEYS.name, [noor.key.public]]


def test_a_member_is_answered(noor: Afar) -> None:
    assert lend(noor.home, sealed(noor, question(noor)))


@pytest.mark.parametrize(
    "change", [{"space": bytes(32)}, {"verb": "exchange"}, {"time_ms": NOW_MS + DAY}, {"time_ms": 0}, {"sender": bytes(32)}]
)
def test_a_question_that_is_not_to_this_node_or_not_now_is_refused(noor: Afar, change: dict[str, Any]) -> None:
    with pytest.raises(EnvelopeError):
        lend(noor.home, sealed(noor, question(noor), **change))


def test_only_the_owner_of_a_key_asks_with_it(noor: Afar) -> None:
    stranger = SigningKey(b"s" * 32)
    with pytest.raises(EnvelopeError, match="signature"):
        lend(noor.home, sealed(noor, question(noor), key=stranger, sender=noor.key.public))
    with pytest.raises(Refused, match="does not know the key"):
        lend(noor.home, sealed(noor, [stranger.public, "shared", b"x"], key=stranger))


def test_who_has_left_is_told_nothing_any_more(home: Home, noor: Afar) -> None:
    noor.write("member.left/1", {})
    row = home.view().get(MEMBERSHIPS, noor.key.public)
    assert row is not None
    assert row.ended_ms <= noor.clock.now_ms()
    with pytest.raises(Refused, match="Join first"):
        lend(home, sealed(noor, question(noor)))


@pytest.mark.parametrize(
    "asked",
    [
        None, [], ["row"], ["row", "no_such", [b""]], ["row", KEYS.name, []], ["row", KEYS.name, [None]],
        ["row", KEYS.name, [[b""]]], ["row", KEYS.name, [True]], ["row", "key; --", [b""]], ["shared"], ["shared", "text"],
        ["shared", b"a", b"b"], ["derive", b"label"], [7, b""],
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused(noor: Afar, asked: list[object] | None) -> None:
    with pytest.raises(EnvelopeError):
        lend(noor.home, sealed(noor, asked if asked is None else [noor.key.public, *asked]))
    for content in (7, [b"short", "shared", b""], ["text", "shared", b""], [7, "shared", b""]):
        with pytest.raises(EnvelopeError):
            lend(noor.home, sealed(noor, content))


@pytest.mark.parametrize("data", [b"", b"\x84", bytes(lending.MOST_BYTES + 1), b"\xff" * 100])
def test_bytes_that_are_no_envelope_are_refused(home: Home, data: bytes) -> None:
    with pytest.raises(EnvelopeError):
        lend(home, data)


def test_a_row_that_is_not_there_is_none_and_nothing_but_rows_by_their_key_is_had(home: Home, noor: Afar) -> None:
    view, _ = from_afar(home.space, home.keys.identity.public, noor.key, noor.clock, noor.ask)
    assert view.get(ROUNDS, bytes(32)) is None
    for more in (
        lambda: view.all(ROUNDS), lambda: view.all(VOTES, round=bytes(32)), lambda: view.everywhere(ROUNDS),
        lambda: view.sums(VOTES, "cast_ms"), lambda: view.position_of(bytes(32)),
    ):  # fmt: skip
        with pytest.raises(Refused, match="filled in by the node"):
            more()


def test_an_answer_of_another_node_or_to_another_question_is_not_used(home: Home, noor: Afar, clock: MovedClock) -> None:
    other = SigningKey(b"o" * 32)

    def forged(data: bytes) -> bytes:
        said = read(data, limit=lending.MOST_BYTES).said
        return seal("lend", ANSWER, other, home.space, noor.key.public, Said(clock.now_ms(), said.nonce, bytes(32)))

    _, secrets = from_afar(home.space, home.keys.identity.public, noor.key, clock, forged)
    with pytest.raises(EnvelopeError, match="not by the node of your space"):
        secrets.shared(b"label")
    earlier = noor.ask(sealed(noor, [noor.key.public, "shared", b"another"]))
    _, secrets = from_afar(home.space, home.keys.identity.public, noor.key, clock, lambda data: earlier)
    with pytest.raises(EnvelopeError, match="not by the node of your space"):
        secrets.shared(b"label")


def test_rows_of_another_version_are_said_to_be_so(home: Home, noor: Afar, clock: MovedClock) -> None:
    def older(data: bytes) -> bytes:
        said = read(data, limit=lending.MOST_BYTES).said
        row = {"space": 1, "id": bytes(32), "more": 1}
        return seal("lend", ANSWER, home.keys.identity, home.space, noor.key.public, Said(clock.now_ms(), said.nonce, row))

    view, _ = from_afar(home.space, home.keys.identity.public, noor.key, clock, older)
    with pytest.raises(Refused, match="another version"):
        view.get(KEYS, noor.key.public)


def test_every_kind_that_is_filled_in_can_be_filled_in_from_afar_or_says_where() -> None:
    """A new kind that is filled in has to be looked at here."""
    filled = {kind.name for kind in KINDS.values() if kind.prepare is not unchanged}
    assert filled == {"decision.called/1", "vote.cast/1", "decision.closed/1", "lot.committed/1", "lot.revealed/1"}


def test_a_device_that_was_retired_is_told_nothing(home: Home, noor: Afar, clock: MovedClock) -> None:
    phone = SigningKey(b"p" * 32)
    noor.write("member.device-added/1", {"key": phone.public.hex()})
    clock.move(2 * MINUTE)

    def asked() -> bytes:
        said = Said(clock.now_ms(), b"12345678", [phone.public, "row", KEYS.name, [noor.key.public]])
        return lend(home, seal("lend", REQUEST, phone, phone.public, home.space, said))

    assert asked()
    noor.write("member.device-retired/1", {"key": phone.public.hex()})
    clock.move(2 * MINUTE)
    with pytest.raises(Refused, match="does not know the key"):
        asked()


@pytest.mark.parametrize(
    ("name", "value"), [("key", 7), ("key", None), ("key", "text"), ("options", "x"), ("type", 3), ("id", bytes(32)), ("id", 9)]
)
def test_a_row_of_another_form_or_of_another_key_is_not_used(
    home: Home, noor: Afar, clock: MovedClock, name: str, value: object
) -> None:
    def lying(data: bytes) -> bytes:
        said = read(data, limit=lending.MOST_BYTES).said
        told = read(lend(home, data), limit=lending.MOST_ANSWER).said.content
        assert isinstance(told, dict)
        answer = Said(clock.now_ms(), said.nonce, {**told, name: value})
        return seal("lend", ANSWER, home.keys.identity, home.space, noor.key.public, answer)

    body = {"title": "A door", "text": "We paint it.", "why": "It is grey."}
    proposal = noor.write("decision.proposed/1", body).digest
    called = {"proposal": proposal.hex(), "version": 1, "type": "majority", "hidden": "close"}
    round_ = noor.write("decision.called/1", called).digest
    view, _ = from_afar(home.space, home.keys.identity.public, noor.key, clock, noor.ask)
    assert view.get(ROUNDS, round_) is not None
    view, _ = from_afar(home.space, home.keys.identity.public, noor.key, clock, lying)
    with pytest.raises(Refused, match="who keeps it"):
        view.get(ROUNDS, round_)


def test_a_sealed_proposal_that_plans_what_its_audience_cannot_do_is_refused_too(
    home: Home, noor: Afar, clock: MovedClock
) -> None:
    known = KINDS["role.dissolved/1"]
    planned, _ = bodies.structure_and_words(
        bodies.from_json(known.body, {"role": "cook", "reasons": "It was talked about at length."})
    )
    plan = {"kind": known.name, "structure": encoding.encode(planned), "concerned": []}
    for audience, fits in ((record.MEMBERS, False), (record.PUBLIC, True)):
        clock.move(MINUTE)
        made = record.seal(
            "decision.proposed/1", clock.now_ms(), audience, {"title": "No cook", "plans": [plan]}, noor.key, home.space,
            words={"text": "t", "why": "w"}, random=clock.random(32),
        )  # fmt: skip
        if fits:
            assert take(home, encoding.encode([made.raw, made.annex]))
        else:
            with pytest.raises(Refused, match="Propose it in public"):
                take(home, encoding.encode([made.raw, made.annex]))
