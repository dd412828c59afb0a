"""The style sheet: enough contrast by day, night and in every accent, and nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from node.web.desk import ACCENTS

FOLDER = Path(__file__).parents[2] / "node" / "static"
CSS = (FOLDER / "style.css").read_text()
DAY, NIGHT = (
    CSS.split("@media (prefers-color-scheme: dark)")[0],
    CSS.split("@media (prefers-color-scheme: dark)")[1].split("\n*,")[0],
)
WORDS = ("ink", "soft", "accent", "good", "warn", "bad")


def colours(css: str, selector: str) -> dict[str, str]:
    """The variables that a selector sets."""
    found = re.search(re.escape(selector) + r"\s*\{([^}]*)\}", css)
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})", found[1])) if found else {}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("css", [DAY, NIGHT], ids=["day", "night"])
@pytest.mark.parametrize("accent", ACCENTS)
def test_words_stand_out_from_what_they_are_on(css: str, accent: str) -> None:
    held = colours(css, ":root") | colours(css, f'[data-accent="{accent}"]')
    for word in WORDS:
        for ground in ("paper", "raised"):
            assert contrast(held[word], held[ground]) >= 4.5, (word, ground)
    for word in ("good", "warn", "bad", "accent"):
        assert contrast(held[word], held[f"{word}-wash"]) >= 4.5, word
        assert contrast(held["ink"], held[f"{word}-wash"]) >= 4.5, word
    assert contrast(held["on-accent"], held["accent"]) >= 4.5
    assert contrast(held["edge"], held["paper"]) >= 3  # borders of fields and lines of pictures


def test_every_accent_that_can_be_chosen_has_its_colours() -> None:
    assert (
        set(re.findall(r'data-accent="([a-z]+)"', DAY)) == set(ACCENTS[1:]) == set(re.findall(r'data-accent="([a-z]+)"', NIGHT))
    )


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in FOLDER.iterdir():
        assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", path.read_text()), path.name


def test_colours_are_named_in_one_place() -> None:
    rules = re.sub(r":root[^{]*\{[^}]*\}|\[data-accent[^{]*\{[^}]*\}", "", CSS)
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", rules)


def test_style_and_script_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 24_000
