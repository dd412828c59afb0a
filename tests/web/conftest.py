"""A browser and four running nodes for the tests of the pages.

Tests that need a browser are marked `browser` and skip, with a line that says so, where there is no Chromium. The nodes
are started once for all of them. A page that a test opens watches itself: a blocked script, an error on the console or a
failed request fails the test, whatever else it looked at.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.web.isles import Isle, bare, link, running, year

ARGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE, DESK = (390, 844), (1280, 900)
_WATCH = """
window.blocked = [];
document.addEventListener("securitypolicyviolation", (event) => window.blocked.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none."""
    if shutil.which("chromium") is None:
        skip = pytest.mark.skip(reason="Chromium is not on this machine (Debian: apt-get install chromium)")
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def isles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Isle]]:
    """Harbour House, The Lantern and Long Field with a year behind them, and one space without anything."""
    folder = tmp_path_factory.mktemp("isles")
    folders = {key: (folder / key, sessions) for key, sessions in year(folder).items()}
    folders["empty"] = (folder / "empty", bare(folder / "empty", "New Quay", "Bo"))
    with running(folders) as started:
        yield started


@pytest.fixture(scope="session")
def linked(isles: dict[str, Isle]) -> dict[str, Isle]:
    """The same, the three with a year peers of each other."""
    link([isles["harbour"], isles["lantern"], isles["field"]])
    return isles


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a window. One for each module: its loop must not be there while other modules' tests run theirs."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(ARGS))
        yield found
        found.close()


class Visitor:
    """Somebody with a browser of their own: one window at one node, watched for what must never happen."""

    def __init__(self, context: BrowserContext, isle: Isle) -> None:
        self.context, self.isle = context, isle
        self.troubles: list[str] = []
        context.add_init_script(_WATCH)
        context.set_default_timeout(8000)
        self.page: Page = context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("requestfailed", self._failed)

    def _said(self, said: ConsoleMessage) -> None:
        refused = "the server responded with a status of 4" in said.text and said.location["url"] == self.page.url
        if said.type == "error" and not refused:
            self.troubles.append(said.text)

    def _failed(self, request: Request) -> None:
        if "ERR_ABORTED" not in str(request.failure):  # what is not here yet when one goes on to another page
            self.troubles.append(f"failed: {request.url} {request.failure}")

    def go(self, path: str, status: int = 200) -> Page:
        """Open a page of the node."""
        answer = self.page.goto(f"{self.isle.url}{path}")
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page

    def check(self) -> None:
        """Nothing was blocked, nothing failed."""
        assert not self.troubles, self.troubles


Opens = Callable[..., "Visitor"]


@pytest.fixture
def opens(browser: Browser) -> Iterator[Opens]:
    """Opens a window: `opens(isle, login="Ada", size=PHONE, script=True, dark=False)`; checked when the test is over."""
    with ExitStack() as stack:

        def given(
            isle: Isle, login: str = "", size: tuple[int, int] = DESK, *, script: bool = True, dark: bool = False
        ) -> Visitor:
            return stack.enter_context(window(browser, isle, login, size, script=script, dark=dark))

        yield given


@contextmanager
def window(
    browser: Browser, isle: Isle, login: str, size: tuple[int, int], *, script: bool = True, dark: bool = False
) -> Iterator[Visitor]:
    """A window of its own, with nobody's cookies but those of `login`."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=script,
        color_scheme="dark" if dark else "light",
        accept_downloads=True,
        locale="en-GB",
    )
    try:
        if login:
            context.add_cookies([{"name": "session", "value": isle.sessions[login], "url": isle.url}])
        visitor = Visitor(context, isle)
        yield visitor
        visitor.check()
    finally:
        context.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are laid down, for somebody to look at."""
    folder = Path(__file__).parents[2] / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder
