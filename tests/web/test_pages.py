"""Every page, with a year in it and with nothing, on a phone and at a desk, by day and by night.

Each is loaded once for a width; what is looked at: nothing sticks out, targets are large enough for a thumb, no grave finding
by axe (by day on the phone, by night at the desk), no script blocked, weight. The pictures are kept in ``screenshots/`` for somebody to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.web.conftest import DESK, PHONE, Visitor, window
from tests.web.isles import Isle
from tests.web.places import MEMBERS, PRACTICES, PUBLIC, VISITORS, WRITTEN, Find, grave, record_of, sideways, small, weight

pytestmark = pytest.mark.browser

MOST_BYTES = 60_000
SIZES = {"390": PHONE, "1280": DESK}
CASES: list[tuple[str, str, str, Find]] = [
    *(("harbour", "Ada", name, find) for name, find in {**PUBLIC, **MEMBERS, **WRITTEN, **PRACTICES}.items()),
    *(("harbour", "", name, find) for name, find in VISITORS.items()),
    *(("harbour", "", f"visitor-{name}", PUBLIC[name]) for name in ("room-today", "room-assembly")),
    ("lantern", "Ines", "record-fork", WRITTEN["record-protocol"]),  # with its difference to what it was made from
    ("lantern", "Ines", "practice-library", lambda isle: "/practice/library"),
    ("field", "Marta", "record-term", record_of("role.appointed/1")),
    ("field", "Marta", "record-lot", record_of("lot.opened/1")),
    ("field", "Marta", "practice-roles", PRACTICES["practice-roles"]),
    ("lantern", "Ines", "record-wire", record_of("tripwire.set/1")),
    ("lantern", "Ines", "practice-work", PRACTICES["practice-work"]),
    ("lantern", "Ines", "practice-tripwires", PRACTICES["practice-tripwires"]),
    ("lantern", "Ines", "assembly-run", lambda isle: "/assembly/run"),
    *(("empty", "Bo", name, PUBLIC[name]) for name in PUBLIC if name.startswith("room-")),
]


@pytest.fixture(scope="module")
def windows(browser: Browser, linked: dict[str, Isle]) -> Iterator[Callable[[str, str, str], Visitor]]:
    """One window for each node, visitor and width."""
    known: dict[tuple[str, str, str], Visitor] = {}
    with ExitStack() as stack:

        def given(isle: str, who: str, width: str) -> Visitor:
            at = (isle, who, width)
            if at not in known:
                known[at] = stack.enter_context(window(browser, linked[isle], who, SIZES[width]))
            return known[at]

        yield given


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize(("isle", "who", "name", "find"), CASES, ids=[f"{isle}-{name}" for isle, _, name, _ in CASES])
def test_a_page_fits_its_window_is_light_and_has_no_grave_finding(
    windows: Callable[[str, str, str], Visitor], pictures: Path, isle: str, who: str, name: str, find: Find, width: str
) -> None:
    visitor = windows(isle, who, width)
    visitor.page.emulate_media(color_scheme="light")
    page = visitor.go(find(visitor.isle), 404 if name == "missing" else 200)
    heavy = weight(page)
    picture = f"{isle}-{name}-{width}"
    page.screenshot(path=pictures / f"{picture}-light.png", full_page=True)
    troubles = {"sideways": sideways(page), "small targets": small(page)}
    if width == "390":
        troubles["axe by day"] = grave(page)
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=pictures / f"{picture}-dark.png", full_page=True)
    if width == "1280":
        troubles["axe by night"] = grave(page)
    assert not any(troubles.values()), {key: found for key, found in troubles.items() if found}
    assert heavy < MOST_BYTES, f"{heavy} bytes"
    assert page.title().strip()
    assert page.get_by_role("heading", level=1).count() == 1
    visitor.check()
