"""What forms offer to choose from: members, spaces, accounts, currencies, cycles, parameters, roles and what these may write;
and names for ids.

Only what the member may see is offered, and nothing is required to be among it: ids can be pasted in too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from node.forms_html import Option
from node.names import read_record
from node.web.desk import Seen
from protocol import moon
from protocol.body import Field
from protocol.deciding import ROUNDS, VERSIONS, Round, options_of
from protocol.figure import FIGURES
from protocol.keychain import KeyChainError, parse_space
from protocol.membership import Membership, members_at
from protocol.page import Ref
from protocol.practices import KINDS, PARAMETERS, TABLES
from protocol.terms import roles_at
from protocol.voting import RANKED, offered

_CYCLES = 39


class SeenOffers:
    """See `node.forms_html.Offers`; built within the reading thread."""

    def __init__(self, seen: Seen, values: Mapping[str, str] | None = None) -> None:
        self._seen, self._values = seen, values or {}

    def options(self, field: Field) -> Sequence[Option]:
        """Values for a field, the likeliest first."""
        match field.widget:
            case "member":
                return [(row.member.hex(), self._label(row.member, "member")) for row in self._members()]
            case "space" | "spaces":
                return [(space.hex(), self._label(space, "space")) for space in self._spaces()]
            case "account":
                return [(name, name) for name in self._column("account")]
            case "cycle":
                return self._cycles()
            case "duty":
                return [(each.name, each.title) for each in KINDS.values() if each.duty]
            case "role":
                return [(row.role, row.role) for row in roles_at(self._seen.view, self._seen.now_ms)]
            case "answer":
                return self._answers()
            case "figure":
                return [(name, FIGURES[name].label) for name in sorted(FIGURES)]
            case "parameter":
                return [(each.name, f"{each.label} ({each.name})") for each in PARAMETERS.values()]
        return [(name, name) for name in self._column("currency")] if field.name == "currency" else []

    def told(self, field: Field, value: str) -> str:
        """The name of what an id stands for."""
        try:
            known = parse_space(value) if value.startswith("isle:") else bytes.fromhex(value)
        except (ValueError, KeyChainError):
            return ""
        if field.widget == "record":
            read = read_record(self._seen.home, known, self._seen.view.audience)
            return read.title if read else ""
        if field.widget in ("member", "space", "spaces"):
            return self._label(known, "member" if field.widget == "member" else "space")
        return ""

    def hint(self, field: Field) -> str:
        """What helps to fill in a field just here: the options of a round in which they are put into an order."""
        asked = self._round() if field.widget == "answer" else None
        labels = self._options(asked) if asked else ()
        if asked is None or asked.type != RANKED:
            return ""
        named = "; ".join(f"{number} {label}" for number, label in enumerate(labels, 1))
        return f"The numbers of the options, the one you like best first, with spaces between: {named}."

    def _round(self) -> Round | None:
        try:
            return self._seen.view.get(ROUNDS, bytes.fromhex(self._values.get("round", "")))
        except ValueError:
            return None

    def _options(self, asked: Round) -> tuple[str, ...]:
        version = self._seen.view.get(VERSIONS, asked.proposal, asked.version)
        return options_of(version) if version else ()

    def _answers(self) -> list[Option]:
        """What a round can be answered with; nothing where options are put into an order, which is typed."""
        asked = self._round()
        if asked is None or asked.type == RANKED:
            return []
        numbered = [(str(number), label) for number, label in enumerate(self._options(asked), 1)]
        return [*numbered, *((each.word, each.label) for each in offered(asked.type, asked.options))]

    def _label(self, known: bytes, what: str) -> str:
        return self._seen.telling.names.label(Ref(known, what))

    def _members(self) -> Sequence[Membership]:
        return members_at(self._seen.view, self._seen.now_ms)

    def _spaces(self) -> list[bytes]:
        home = self._seen.home
        found = [log.space for log in home.store.logs() if not log.ours]
        return found + [peer.space for peer in home.store.peers() if peer.space not in found]

    def _column(self, name: str) -> list[str]:
        """Values that a column of that name has had in this space, without repeats."""
        found: set[str] = set()
        for table in TABLES:
            for total in table.totals:
                if name in total.by:
                    found |= {str(row[0]) for row in self._seen.view.sums(table, total.column, name)}
        return sorted(found)

    def _cycles(self) -> list[Option]:
        now_ms = self._seen.now_ms
        first = moon.cycle_at(now_ms) + 1
        tell = self._seen.telling
        return [
            (str(cycle), f"{tell.exact(moon.new_moon_ms(cycle)).partition(',')[0]} (cycle {cycle})")
            for cycle in range(first, first + _CYCLES)
        ]
