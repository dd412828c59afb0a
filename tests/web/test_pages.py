"""Every page, with a year in it and with nothing, on a phone and at a desk, by day and by night.

Each is loaded once for a width; what is looked at: nothing sticks out, targets are large enough for a thumb, no grave finding
by axe (by day on the phone, by night at the desk), no script blocked, weight. The pictures are kept in ``screenshots/`` for somebody to look at.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.conftest import DESK, PHONE, Opens
from tests.web.isles import Isle
from tests.web.places import MEMBERS, PUBLIC, VISITORS, WRITTEN, Find, grave, sideways, small, weight

pytestmark = pytest.mark.browser

MOST_BYTES = 60_000
SIZES = {"390": PHONE, "1280": DESK}
CASES: list[tuple[str, str, str, Find]] = [
    *(("harbour", "Ada", name, find) for name, find in {**PUBLIC, **MEMBERS, **WRITTEN}.items()),
    *(("harbour", "", name, find) for name, find in VISITORS.items()),
    *(("harbour", "", f"visitor-{name}", PUBLIC[name]) for name in ("room-today", "room-assembly")),
    *(("empty", "Bo", name, PUBLIC[name]) for name in PUBLIC if name.startswith("room-")),
]


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize(("isle", "who", "name", "find"), CASES, ids=[f"{isle}-{name}" for isle, _, name, _ in CASES])
def test_a_page_fits_its_window_is_light_and_has_no_grave_finding(
    linked: dict[str, Isle], opens: Opens, pictures: Path, isle: str, who: str, name: str, find: Find, width: str
) -> None:
    there = linked[isle]
    visitor = opens(there, who, SIZES[width])
    page = visitor.go(find(there), 404 if name == "missing" else 200)
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
