"""Ways to use a page: with a pointer, or with nothing but Tab, Space, Enter and letters. The same story is told by both.

Fields are named as in a body (``terms.builds``), buttons and links by their words.
"""

from __future__ import annotations

import re
from typing import Protocol

from playwright.sync_api import Locator, Page
from playwright.sync_api import TimeoutError as NotInTime

MOST_TABS = 250


class Hand(Protocol):
    """What somebody does on a page."""

    page: Page

    def press(self, words: str) -> None:
        """Use the link or button with these words."""

    def write(self, name: str, text: str) -> None:
        """Put text into a field, instead of what is there."""

    def choose(self, name: str, words: str) -> None:
        """Choose from a list, or mark one of several."""


def pressable(page: Page, words: str) -> Locator:
    """The first link or button that is called so: in the page itself, or else in its header."""
    exact = re.compile(rf"^\s*{re.escape(words)}\s*$")
    parts = [
        part.get_by_role("button", name=exact)
        .or_(part.get_by_role("link", name=exact))
        .or_(part.locator("summary", has_text=exact))
        for part in (page.get_by_role("main"), page.get_by_role("banner"))
    ]
    try:
        parts[0].or_(parts[1]).first.wait_for()
    except NotInTime as error:
        raise AssertionError(f"“{words}” is not to be pressed at {page.url}, which says:\n{page.inner_text('body')}") from error
    return parts[0].first if parts[0].count() else parts[1].first


def field(page: Page, name: str) -> Locator:
    """The field that a flat name means."""
    return page.locator(f'[name="{name}"]:not([type=hidden])').first


class Pointer:
    """With a mouse or a thumb."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, words: str) -> None:
        pressable(self.page, words).click()

    def write(self, name: str, text: str) -> None:
        field(self.page, name).fill(text)

    def choose(self, name: str, words: str) -> None:
        found = field(self.page, name)
        if found.evaluate("e => e.tagName") == "SELECT":
            found.select_option(label=words)
        else:
            self.page.get_by_label(words, exact=True).check()


class Keyboard:
    """By keys alone: what cannot be reached by Tab cannot be used."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, words: str) -> None:
        self._reach(pressable(self.page, words))
        self.page.keyboard.press("Enter")

    def write(self, name: str, text: str) -> None:
        found = field(self.page, name)
        self._reach(found)
        kind = found.get_attribute("type")
        if kind in ("date", "datetime-local"):
            self._write_moment(found, text)
            return
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(text)

    def choose(self, name: str, words: str) -> None:
        found = field(self.page, name)
        if found.evaluate("e => e.tagName") == "SELECT":
            self._reach(found)
            self.page.keyboard.type(words)
            return
        self._reach(self.page.get_by_label(words, exact=True))
        self.page.keyboard.press("Space")

    def _write_moment(self, found: Locator, text: str) -> None:
        """Type the parts of a date in the order that this browser asks for them."""
        date, _, clock = text.partition("T")
        year, month, day = date.split("-")
        hour, minute = clock.split(":") if clock else ("", "")
        half, twelve = ("PM" if int(hour or 0) >= 12 else "AM"), f"{(int(hour or 0) - 1) % 12 + 1:02}"
        for first, second in ((month, day), (day, month)):
            for parts in ((hour, minute), (twelve, minute, half)):
                self.page.keyboard.type(f"{first}{second}{year}")
                if clock:
                    self.page.keyboard.press("ArrowRight")
                    self.page.keyboard.type("".join(parts))
                if found.input_value() == text:
                    return
                for _ in range(6):
                    self.page.keyboard.press("ArrowLeft")
        raise AssertionError(f"could not type {text}: it became {found.input_value()}")

    def _reach(self, wanted: Locator) -> None:
        handle = wanted.element_handle()
        for _ in range(MOST_TABS):
            if handle.evaluate("e => e === document.activeElement"):
                assert handle.evaluate("e => e.matches(':focus-visible')"), "what has the focus does not show it"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {wanted}")
