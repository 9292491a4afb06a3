"""Chromium as visitors use it, and what every page must hold: nothing from elsewhere, no errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request

CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""It runs as root in containers, and asks nobody for anything."""
DESKTOP: Final = (1280, 900)
PHONE: Final = (390, 844)
PATIENCE_MS: Final = 30_000


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


@dataclass
class Visit:
    """One visitor at one site.

    Attributes:
        page: the tab.
        requests: all addresses that were asked for.
        elsewhere: those of other hosts.
        complaints: errors in the console, except that of answers which a test foresaw.
        foreseen: statuses of answers that are part of the test.
    """

    address: str
    page: Page
    requests: list[Request] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    foreseen: set[int] = field(default_factory=set)

    def go(self, path: str, *, expect: int = 200) -> Page:
        """Open a page of the site, which must answer so."""
        self.foreseen.add(expect)
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.status == expect, (path, answer.status)
        return self.page

    def note(self, request: Request) -> None:
        """A request that the browser makes."""
        self.requests.append(request)
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and (
            f"{parts.scheme}://{parts.netloc}" != self.address
        ):
            self.elsewhere.append(request.url)

    def complain(self, text: str) -> None:
        """A message of the console's error kind."""
        # The browser says so of its own accord when an answer is an error.
        if not any(f"status of {status}" in text for status in self.foreseen):
            self.complaints.append(text)


@contextmanager
def visit(browser: Browser, address: str, **options: Any) -> Iterator[Visit]:
    """A visitor with a fresh profile; options are those of Playwright's `new_context`.

    Raises:
        AssertionError: at the end, if a page asked another host or wrote an error to the console.
    """
    width, height = options.pop("size", DESKTOP)
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, **options
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = context.new_page()
        found = Visit(address, page)
        context.on("request", found.note)
        page.on("console", lambda said: found.complain(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        yield found
    finally:
        context.close()
    if found.elsewhere or found.complaints:
        raise AssertionError(f"asked elsewhere: {found.elsewhere}; errors: {found.complaints}")
