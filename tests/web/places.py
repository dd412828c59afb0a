"""Every page of a node, by the name under which its picture is kept, and what is looked at on each."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.web.isles import Isle, command

Find = Callable[[Isle], str]

ROOMS = ("", "assembly", "commons", "campaigns", "archipelago", "memory")
FORMS = (
    "ledger.transaction-booked/1", "campaign.called/1", "protocol.published/1", "decision.proposed/1", "role.appointed/1",
)  # fmt: skip
SELF_GOVERNED = ("decisions", "roles", "lots", "tripwires", "work", "assemblies")
GRAVE = ("serious", "critical")


def at(path: str) -> Find:
    """A page whose path is the same on every node."""
    return lambda isle: path


def record_of(kind: str) -> Find:
    """The page of the last record of a kind."""
    return lambda isle: f"/record/{last_of(isle, kind)}"


def last_of(isle: Isle, kind: str) -> str:
    """The digest of the last record of a kind."""
    found = [entry for entry in entries(isle.folder) if entry["kind"] == kind]
    assert found, f"{isle.name} has no record of {kind}"
    return str(found[-1]["digest"])


def member_page(isle: Isle) -> str:
    """The page of the member who wrote last when the nodes had just been started."""
    return f"/member/{entries(isle.folder)[-1]['author']}"


@cache
def entries(folder: Path) -> list[dict[str, Any]]:
    """The log as it was when it was first asked for."""
    ran = command(folder, "log", "show", "--limit", "2000", "--json")
    assert ran.returncode == 0, ran.stderr
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


PUBLIC: dict[str, Find] = {
    **{f"room-{name or 'today'}": at(f"/{name}") for name in ROOMS},
    "practice-ledger": at("/practice/ledger"),
    "moon": at("/moon"),
    "agenda": at("/agenda"),
    "space": lambda isle: f"/space/{isle.space}",
    "member": member_page,
}
MEMBERS: dict[str, Find] = {
    "me": at("/me"),
    "invite": at("/invite"),
    **{f"form-{kind.partition('/')[0].replace('.', '-')}": at(f"/record/new/{kind}") for kind in FORMS},
}
PRACTICES: dict[str, Find] = {f"practice-{name}": at(f"/practice/{name}") for name in SELF_GOVERNED}
WRITTEN: dict[str, Find] = {
    f"record-{kind.partition('.')[0]}": record_of(kind)
    for kind in ("ledger.transaction-booked/1", "protocol.published/1", "campaign.called/1", "decision.proposed/1")
}
VISITORS: dict[str, Find] = {"login": at("/login"), "join": at("/join"), "missing": at("/nowhere")}

# What is looked at


def sideways(page: Page) -> list[str]:
    """What sticks out of the page to the side, if the page can be scrolled there."""
    found: list[str] = page.evaluate(
        """() => {
            const root = document.scrollingElement;
            if (root.scrollWidth <= root.clientWidth) return [];
            return [...document.body.querySelectorAll("*")]
                .filter((each) => each.getBoundingClientRect().right > root.clientWidth + 1)
                .map((each) => `${each.tagName}.${each.getAttribute("class")} ${each.textContent.trim().slice(0, 40)}`).slice(0, 5)
                .concat([`${root.scrollWidth} px wide`]);
        }"""
    )
    return found


def small(page: Page) -> list[str]:
    """Buttons, fields, and links of navigation that are less than 44 px high."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(
                "button, .button, summary, header a, nav a, input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea, .choice"
            )]
            .filter((each) => each.checkVisibility() && !each.closest(".unseen, .skip, .default, .strip, svg"))
            .map((each) => [each, each.getBoundingClientRect()])
            .filter(([each, box]) => box.right > 0 && box.height < 43.5)
            .map(([each, box]) => `${each.tagName} “${each.textContent.trim().slice(0, 30)}” ${box.height.toFixed(1)} px`)"""
    )
    return found


def weight(page: Page) -> int:
    """Bytes over the wire of a page, with its style and script."""
    found: int = page.evaluate(
        """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
            .reduce((sum, each) => sum + each.encodedBodySize + 300, 0)"""
    )
    return found


def grave(page: Page) -> list[str]:
    """What the axe rules find that is serious or critical."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['help']} at {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in GRAVE
    ]
