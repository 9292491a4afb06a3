"""Getting about: search with each kind of hit, links, lists page by page, keys alone, errors."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from sdk.types import checksum_address
from tests.explorer.browsing import Visit
from tests.explorer.history import OPERATORS, OWNERS
from tests.explorer.pages import cluster_path, group, groups, model_of
from tests.explorer.serving import Site

pytestmark = [pytest.mark.slow, pytest.mark.realtime]


def search(page: Page, text: str) -> None:
    """Type into the search box and send it, by keys."""
    page.keyboard.press("/")
    page.keyboard.type(text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_each_kind_of_thing_is_found_and_opened(visitor: Visit, grown: Site) -> None:
    rich = group(grown.chain, "long")
    owner, key = checksum_address(OWNERS[0]), f"0x{rich.keys[0].hex()}"
    transaction = next(
        log["transactionHash"] for each in grown.chain.blocks for log in each["logs"]
    )
    cluster_id = _cluster_id(visitor, rich.owner, rich.ids)
    page = visitor.go("/")
    for text, ends in {
        owner.lower(): f"/accounts/{owner}",
        key: f"/validators/{key}",
        key[:12]: f"/validators/{key}",
        cluster_id: f"/clusters/{cluster_id}",
        transaction: f"/events?tx={transaction}",
        "35000": "/events?from_block=35000&to_block=35000",
    }.items():
        search(page, text)
        assert page.url == visitor.address + ends, text
    search(page, "7")  # an operator and a block
    hits = page.locator("main tbody tr").all_inner_texts()
    assert [each.split()[0] for each in hits] == ["Operator", "Block"]
    page.get_by_role("link", name="7", exact=True).first.click()
    expect(page.locator("h1")).to_contain_text("Operator 7")
    search(page, "nothing of ours")
    expect(page.locator("main")).to_contain_text("Nothing is named nothing of ours")


def test_links_lead_from_the_overview_to_a_cluster_and_its_parts(
    visitor: Visit, grown: Site
) -> None:
    page = visitor.go("/")
    nav = page.get_by_role("navigation", name="Pages")
    nav.get_by_role("link", name="Clusters").click()
    expect(page.locator("h1")).to_have_text("Clusters")
    expect(nav.locator("[aria-current]")).to_have_text("Clusters")
    page.locator("tbody th a").first.click()
    expect(page.locator("h1")).to_contain_text("Cluster 0x")
    page.locator("main").get_by_role("link", name=re.compile("^Deposit")).click()
    expect(page.locator("h1")).to_have_text("Transaction builder")
    page.go_back()
    page.locator(".lead a").first.click()
    expect(page.locator("h1")).to_contain_text("Account 0x")
    page.locator("section", has=page.locator("#validators")).locator("tbody th a").first.click()
    expect(page.locator("h1")).to_contain_text("Validator")
    assert "/validators/0x" in page.url


def test_a_list_goes_on_and_back_and_shows_each_entry_once(visitor: Visit, grown: Site) -> None:
    page = visitor.go("/validators")
    first = page.locator("tbody th a").all_inner_texts()
    seen = list(first)
    pages = 1
    while (following := page.get_by_role("link", name="Next →")).count():
        following.click()
        page.wait_for_load_state()
        seen += page.locator("tbody th a").all_inner_texts()
        pages += 1
    assert pages > 2
    assert len(seen) == len(set(seen)) == len(model_of(grown.chain).state.validators)
    for _ in range(pages - 1):
        page.get_by_role("link", name="← Previous").click()
        page.wait_for_load_state()
    assert page.locator("tbody th a").all_inner_texts() == first


def test_filters_stay_in_the_address_and_in_the_form(visitor: Visit, grown: Site) -> None:
    page = visitor.go("/clusters")
    page.get_by_label("With operator").fill("5")
    page.get_by_label("Status").select_option("active")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**operator=5**")
    assert parse_qs(urlsplit(page.url).query)["status"] == ["active"]
    assert page.get_by_label("With operator").input_value() == "5"
    rows = page.locator("tbody tr").all_inner_texts()
    assert rows
    assert all("Liquidated" not in each for each in rows)
    ids = [each.split() for each in page.locator("tbody .ids").all_inner_texts()]
    assert all("5" in each for each in ids)
    page.get_by_role("link", name="Clear").click()
    expect(page.get_by_label("With operator")).to_have_value("")
    visitor.go("/clusters?liquidatable=yes")
    due = page.locator("tbody tr").all_inner_texts()
    assert len(due) == len(groups(grown.chain, "dry"))
    assert all("Liquidatable now" in each for each in due)


def test_the_keyboard_alone_reaches_search_navigation_and_rows(visitor: Visit) -> None:
    page = visitor.go("/operators")
    stops: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate(
                """() => {
                    const each = document.activeElement;
                    if (each.closest("tbody")) return "row";
                    if (each.closest("nav")) return "nav";
                    return each.className === "skip" ? "skip" : each.id === "q" ? "search" : "else";
                }"""
            )
        )
        if stops[-1] == "row":
            break
    assert stops[0] == "skip"
    places = [stops.index(each) for each in ("skip", "search", "nav", "row")]
    assert places == sorted(places)
    page.keyboard.press("j")
    focused = "document.activeElement.closest('tr').rowIndex"
    assert page.evaluate(focused) == 2
    page.keyboard.press("k")
    assert page.evaluate(focused) == 1
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert re.search(r"/operators/\d+$", page.url)
    page.goto(visitor.address + "/operators")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        (f"/operators/{OPERATORS + 4000}", 404, "is not registered"),
        ("/clusters/0x" + "ab" * 32, 404, "no such cluster"),
        ("/nothing/here", 404, "There is no page"),
        ("/clusters?cursor=bm90IG91cnM", 400, "cursor"),
        ("/accounts/0x1234", 400, "address"),
        ("/clusters?operator=many", 400, "whole number"),
        ("/validators?at=9999999", 404, "not indexed"),
    ],
)
def test_what_cannot_be_shown_is_said_in_the_same_dress(
    visitor: Visit, path: str, status: int, says: str
) -> None:
    page = visitor.go(path, expect=status)
    expect(page.locator("main")).to_contain_text(says)
    assert page.get_by_role("navigation", name="Pages").is_visible()
    page.get_by_role("link", name="Go to the overview").click()
    expect(page.locator("h1")).to_be_visible()
    assert urlsplit(page.url).path == "/"


def test_the_past_can_be_walked_through(visitor: Visit, grown: Site) -> None:
    ended = group(grown.chain, "ended")
    page = visitor.go(f"{cluster_path(ended)}?at={ended.since}")
    expect(page.locator(".title")).to_contain_text("Active")
    expect(page.locator(".past")).to_contain_text(f"{ended.since:,}")
    page.locator(".lead a").first.click()
    assert parse_qs(urlsplit(page.url).query)["at"] == [str(ended.since)]
    page.go_back()
    page.get_by_role("link", name="Show the newest").click()
    expect(page.locator(".title")).to_contain_text("Liquidated")


def _cluster_id(visitor: Visit, owner: bytes, ids: tuple[int, ...]) -> str:
    name = "-".join([checksum_address(owner), *map(str, ids)])
    answer = visitor.page.request.get(f"{visitor.address}/v1/clusters/{name}")
    found: str = answer.json()["data"]["id"]
    return found
