"""What holds of every page: small, nothing from elsewhere, readable on phones, without scripts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page

from tests.explorer.browsing import DESKTOP, PHONE, Visit, visit
from tests.explorer.pages import paths
from tests.explorer.serving import Site

pytestmark = [pytest.mark.slow, pytest.mark.realtime]
MOST_BYTES = 100_000
"""Of a page's HTML, styles, scripts and images together, before compression."""
STATUS = {"missing": 404}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as somebody met it.

    Attributes:
        weight: bytes of all that it loaded.
        overflow: pixels by which it is wider than a phone.
        unnamed: what a reader of screens could not name.
        outline: headings of the page and of its tables.
        rows: of its tables.
    """

    title: str
    frame: str
    weight: int
    overflow: int
    unnamed: list[str]
    outline: list[str]
    rows: int
    headings: int


@pytest.fixture(scope="module")
def seen(browser: Browser, grown: Site) -> dict[str, Seen]:
    """Every page, met with an empty cache at a desk and then on a phone."""
    with visit(browser, grown.address) as visitor:
        visitor.page.context.new_cdp_session(visitor.page).send(
            "Network.setCacheDisabled", {"cacheDisabled": True}
        )
        return {name: look(visitor, name, path) for name, path in paths(grown.chain).items()}


def look(visitor: Visit, name: str, path: str) -> Seen:
    """One page."""
    visitor.requests.clear()
    page = visitor.go(path, expect=STATUS.get(name, 200))
    answers = [each.response() for each in visitor.requests if "/v1/stream" not in each.url]
    unnamed = nameless(page)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    overflow: int = page.evaluate(OVERFLOW)
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    return Seen(
        title=page.title(),
        frame=page.locator("#frame").inner_text() if name not in STATUS else "",
        weight=sum(len(each.body()) for each in answers if each is not None),
        overflow=overflow,
        unnamed=unnamed,
        outline=outline(page),
        rows=page.locator("main tbody tr").count(),
        headings=page.locator("h1").count(),
    )


def test_every_page_weighs_little(seen: dict[str, Seen]) -> None:
    assert all(each.weight for each in seen.values())
    assert {name: each.weight for name, each in seen.items() if each.weight >= MOST_BYTES} == {}


def test_every_page_has_one_heading_a_title_and_what_it_rests_on(seen: dict[str, Seen]) -> None:
    for name, each in seen.items():
        assert each.headings == 1, name
        assert each.title.endswith("Phalanx"), name
        assert each.unnamed == [], name
        if name not in STATUS:
            assert "Block" in each.frame, name
            assert any(word in each.frame for word in ("Latest", "Safe", "Finalized")), name


def test_no_page_scrolls_sideways_on_a_phone(seen: dict[str, Seen]) -> None:
    assert {name: each.overflow for name, each in seen.items() if each.overflow > 0} == {}


def test_every_page_reads_the_same_without_scripts(
    browser: Browser, grown: Site, seen: dict[str, Seen]
) -> None:
    with visit(browser, grown.address, java_script_enabled=False) as visitor:
        for name, path in paths(grown.chain).items():
            page = visitor.go(path, expect=STATUS.get(name, 200))
            assert outline(page) == seen[name].outline, name
            assert page.locator("main tbody tr").count() == seen[name].rows, name


def test_pages_follow_the_system_into_the_dark_and_the_switch_out_of_it(
    browser: Browser, grown: Site
) -> None:
    with visit(browser, grown.address, color_scheme="dark") as visitor:
        page = visitor.go("/clusters")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.get_by_role("button", name="Switch between light and dark").click()
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert brightness(dark) < 60 < 200 < brightness(light)
        page = visitor.go("/operators")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


def brightness(colour: str) -> float:
    """Of `rgb(…)`, from 0 to 255."""
    parts = [float(each) for each in colour.removeprefix("rgb(").rstrip(")").split(",")]
    return sum(parts) / len(parts)


def outline(page: Page) -> list[str]:
    """Headings of the page, its sections and its tables' columns."""
    return page.locator("main").locator("h1, h2, thead th").all_inner_texts()


def nameless(page: Page) -> list[str]:
    """Links, buttons and fields that a reader of screens could not name; tables without a name."""
    found: list[str] = page.evaluate(
        """() => {
            const named = (each) =>
                each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length;
            const nameless = [...document.querySelectorAll("a, button, input, select")]
                .filter((each) => each.type !== "hidden" && !named(each));
            const bare = [...document.querySelectorAll("table")].filter((each) => !each.caption);
            return [...nameless, ...bare].map((each) => each.outerHTML.slice(0, 80));
        }"""
    )
    return found
