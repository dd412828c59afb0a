"""Every page, with a year in it and with nothing, on a phone and at a desk, by day and by night.

Each is loaded once for a width; what is looked at: nothing sticks out, targets are large enough for a thumb, no grave finding
by axe in either scheme, no script blocked, weight. The pictures are kept in ``screenshots/`` for somebody to look at.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.conftest import DESK, PHONE, Opens
from tests.web.isles import Isle
from tests.web.places import FULL, MEMBERS, PUBLIC, VISITORS, Find, grave, sideways, small, weight

pytestmark = pytest.mark.browser

MOST_BYTES = 60_000
SIZES = {"390": PHONE, "1280": DESK}
CASES: list[tuple[str, str, str, Find]] = [
    *(("harbour", who, name, find) for who, pages in (("Ada", {**PUBLIC, **MEMBERS, **FULL}), ("", VISITORS)) for name, find in pages.items()),
    *(("empty", "Bo", name, find) for name, find in {**PUBLIC, "me": MEMBERS["me"]}.items()),
    *(("harbour", "", f"visitor-{name}", find) for name, find in PUBLIC.items() if name.startswith("room-")),
]  # fmt: skip


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize(("isle", "who", "name", "find"), CASES, ids=[f"{isle}-{name}" for isle, _, name, _ in CASES])
def test_a_page_fits_its_window_is_light_and_has_no_grave_finding(
    isles: dict[str, Isle], opens: Opens, pictures: Path, isle: str, who: str, name: str, find: Find, width: str
) -> None:
    there = isles[isle]
    visitor = opens(there, who, SIZES[width])
    page = visitor.go(find(there))
    page.screenshot(path=pictures / f"{isle}-{name}-{width}-light.png", full_page=True)
    troubles = {
        "sideways": sideways(page),
        "small targets": small(page),
        "axe by day": grave(page),
    }
    assert page.title().strip()
    assert page.get_by_role("heading", level=1).count() == 1
    heavy = weight(page)
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=pictures / f"{isle}-{name}-{width}-dark.png", full_page=True)
    if width == "1280":
        troubles["axe by night"] = grave(page)
    assert not any(troubles.values()), {key: found for key, found in troubles.items() if found}
    assert heavy < MOST_BYTES, f"{heavy} bytes"
