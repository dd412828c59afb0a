"""What the verb about campaigns does: where each stands, as this node computes it from the records it holds."""

from __future__ import annotations

from typing import Any

from node.home import Home
from protocol.campaign_blocks import name_of
from protocol.keychain import space_name
from protocol.standing import CALLS, standing


def campaigns(home: Home) -> list[dict[str, Any]]:
    """Every campaign that this node knows of, the newest call first."""
    view, now_ms = home.view(), home.clock.now_ms()
    told = []
    for call in sorted(view.everywhere(CALLS), key=lambda call: (-call.logged_ms, call.id)):
        stands = standing(view, call, now_ms)
        told.append(
            {
                "campaign": call.id.hex(),
                "name": name_of(call),
                "caller": space_name(stands.caller),
                "phase": stands.phase,
                "armed": stands.armed,
                "armed_ms": stands.armed_ms,
                "quorum": stands.quorum,
                "terms": stands.terms_digest.hex() if stands.offers else None,
                "opens_ms": stands.terms.opens_ms if stands.offers else None,
                "joined": [space_name(each) for each in stands.joined],
                "silent": [space_name(each) for each in stands.silent],
            }
        )
    return told
