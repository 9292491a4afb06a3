"""Tools as people use them: figures of the ledger, calls to copy, files judged, secrets refused."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sdk.client.export import decode_call
from sdk.registry import runway
from sdk.testing import keys
from sdk.types import BlockNumber, OperatorId, checksum_address
from sdk.units import FEE_UNIT_WEI, format_ether, parse_ether, units_to_wei
from tests.explorer.browsing import Visit, visit
from tests.explorer.history import BLOCKS, NETWORK_FEE
from tests.explorer.pages import cluster_name, cluster_path, group, groups, model_of
from tests.explorer.serving import Site

pytestmark = [pytest.mark.slow, pytest.mark.realtime]
AT = BlockNumber(BLOCKS - 1)
IDS = tuple(map(OperatorId, (3, 5, 7, 9)))


@pytest.mark.parametrize("scripts", [False, True])
def test_the_calculator_shows_what_the_ledger_asks(
    browser: Browser, grown: Site, *, scripts: bool
) -> None:
    operators = model_of(grown.chain).state.operators
    rate = units_to_wei(sum(operators[each].fee_units for each in IDS) + NETWORK_FEE)
    with visit(browser, grown.address, java_script_enabled=scripts) as visitor:
        page = visitor.go("/tools/calculator")
        page.get_by_label("Operators (").fill("9 3, 7-5")
        page.get_by_label("Validators").fill("4")
        page.get_by_label("To last for days").fill("90")
        if not scripts:
            page.get_by_role("button", name="Apply").click()
        expect(page.locator("#result")).to_contain_text("Deposit")
        assert "operators=" in page.url
        together = page.locator("tfoot td data").get_attribute("value")
        assert together == str(rate * 4)
        deposit = page.locator(".stat", has_text="Deposit").locator("data").get_attribute("value")
        parameters = model_of(grown.chain).state.network.parameters
        threshold = max(
            parameters.minimum_collateral_wei, rate * 4 * parameters.liquidation_period_blocks
        )
        assert deposit == str(threshold + rate * 4 * 90 * 7_200)
        shown = page.locator(".stat", has_text="Deposit").locator("data").inner_text()
        assert shown.removesuffix(" ETH") == format_ether(int(deposit))
        for place in range(1, 4):
            column = page.locator(f"#result table tr > :nth-child({place + 1})").all_inner_texts()
            *parts, total = [Decimal(each.split()[-2]) for each in column[1:]]
            assert sum(parts) == total


def test_the_deposit_that_was_calculated_while_typing_can_be_copied(
    browser: Browser, grown: Site
) -> None:
    with visit(
        browser, grown.address, permissions=["clipboard-read", "clipboard-write"]
    ) as visitor:
        page = visitor.go("/tools/calculator")
        page.get_by_label("Operators (").fill("3, 5, 7, 9")
        deposit = page.locator(".stat", has_text="Deposit")
        deposit.get_by_role("button").click()
        expect(page.locator("#news")).to_have_text("Copied.")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert deposit.locator("data").get_attribute("value") == str(parse_ether(copied))


def test_the_calculator_suggests_sets_and_says_what_is_wrong(visitor: Visit) -> None:
    page = visitor.go("/tools/calculator")
    page.get_by_role("link", name="Calculate with").first.click()
    expect(page.locator("#result")).to_contain_text("Who gets what")
    page.get_by_label("Operators (").fill("1, 2, 3")
    expect(page.get_by_role("alert")).to_contain_text("4, 7, 10 or 13")


@pytest.mark.parametrize("scripts", [False, True])
def test_the_builder_makes_the_call_that_the_sdk_would(
    browser: Browser, grown: Site, *, scripts: bool
) -> None:
    rich = group(grown.chain, "long")
    parties = model_of(grown.chain).parties(rich.owner, rich.ids)
    snapshot = parties.cluster.snapshot
    needed = runway.deposit_needed_wei(parties, for_blocks=720 * 7_200, at=BlockNumber(AT + 1))
    with visit(browser, grown.address, java_script_enabled=scripts) as visitor:
        page = visitor.go("/tools/builder")
        page.get_by_label("Cluster").fill(cluster_name(rich))
        page.get_by_label("Action").select_option("deposit")
        page.get_by_label("or a runway of days").fill("720")
        page.get_by_role("button", name="Apply").click()
        wallet = json.loads(page.get_by_label("The same as JSON").inner_text())
        assert int(wallet["value"], 16) == needed
        function, arguments = decode_call(bytes.fromhex(wallet["data"][2:]), source="the page")
        assert function == "deposit"
        assert arguments[2] == (
            *(snapshot.validator_count, snapshot.network_fee_index, snapshot.index),
            *(snapshot.active, snapshot.balance_wei),
        )
        expect(page.locator("main")).to_contain_text("Void as soon as the cluster changes")
        assert page.get_by_label("Data").inner_text() == wallet["data"]


def test_the_builder_has_only_the_fields_of_an_action_and_copies_its_call(
    browser: Browser, grown: Site
) -> None:
    rich = group(grown.chain, "long")
    with visit(
        browser, grown.address, permissions=["clipboard-read", "clipboard-write"]
    ) as visitor:
        page = visitor.go(f"/tools/builder?cluster={cluster_name(rich)}")
        page.get_by_label("Action").select_option("withdraw")
        assert page.get_by_label("or a runway of days").is_hidden()
        page.get_by_label("Amount").fill("0.001")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator("h2", has_text="Call")).to_have_text("Call withdraw")
        page.locator(".code").first.get_by_role("button").click()
        expect(page.locator("#news")).to_have_text("Copied.")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.get_by_label("Data").inner_text()
        page.get_by_label("Amount").fill("99")
        page.get_by_role("button", name="Apply").click()
        expect(page.get_by_role("alert")).to_contain_text("cannot be withdrawn")
        assert page.locator(".code").count() == 0


def test_a_link_to_the_builder_is_no_error_and_says_how_much_it_may_be(
    visitor: Visit, grown: Site
) -> None:
    ended, rich = group(grown.chain, "ended"), group(grown.chain, "long")
    least = runway.deposit_needed_wei(
        model_of(grown.chain).parties(ended.owner, ended.ids),
        for_blocks=0,
        at=BlockNumber(AT + 1),
    )
    page = visitor.go(cluster_path(ended))
    page.locator("main").get_by_role("link", name="Reactivate").click()
    expect(page.locator("#result")).to_contain_text(f"At least {format_ether(least)} ETH")
    assert page.get_by_role("alert").count() == 0
    page.get_by_label("Amount").fill("0.000000000001")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_contain_text(f"{format_ether(least)} ETH are needed")
    page.get_by_label("Amount").fill("")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_contain_text("Amount, ETH and the runway")
    page = visitor.go(f"/tools/builder?cluster={cluster_name(rich)}&action=withdraw")
    expect(page.locator("#result")).to_contain_text("How much shall be withdrawn?")
    assert page.get_by_role("alert").count() == 0


def test_liquidations_come_soonest_first_with_calls_that_name_the_cluster(
    visitor: Visit, grown: Site
) -> None:
    page = visitor.go("/liquidations?within=365")
    due = page.locator("section", has=page.locator("#due")).locator("tbody tr")
    assert due.count() == len(groups(grown.chain, "dry"))
    soon = page.locator("section", has=page.locator("#soon"))
    blocks = [
        int(each.split()[0].replace(",", ""))
        for each in soon.locator("[data-label='From block']").all_inner_texts()
    ]
    assert blocks == sorted(blocks)
    assert blocks[0] > AT
    # Times ahead are told as the runways of other pages are.
    ahead = soon.locator("[data-label='From block'] time").first.inner_text()
    assert re.fullmatch(r"in [0-9]+ [a-z]+( [0-9]+ (day|hour|minute)s?)?", ahead), ahead
    owners = {each.owner for each in groups(grown.chain, "soon") + groups(grown.chain, "long")}
    for each in soon.locator("tbody [data-copy]").all():
        data = bytes.fromhex((each.get_attribute("data-copy") or "")[2:])
        function, arguments = decode_call(data, source="the page")
        assert function == "liquidate"
        assert bytes.fromhex(str(arguments[0])[2:]) in owners
    page.locator("select[name=within]").select_option("0")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#soon")).to_have_count(0)


def test_a_cluster_shows_what_the_ledger_says_and_the_struct_that_calls_need(
    visitor: Visit, grown: Site
) -> None:
    for demand in ("long", "soon", "dry", "ended"):
        found = group(grown.chain, demand)
        parties = model_of(grown.chain).parties(found.owner, found.ids)
        snapshot = parties.cluster.snapshot
        page = visitor.go(cluster_path(found))
        ends = runway.liquidation_block(parties, at=AT)
        main = page.locator("main")
        if ends is not None and ends > AT:
            expect(main).to_contain_text(f"{ends:,}")
        if ends == AT:
            expect(main).to_contain_text("Anyone may liquidate this cluster now.")
        if not snapshot.active:
            expect(main).to_contain_text("This cluster is liquidated.")
        struct = page.get_by_label("In ABI order").inner_text()
        assert struct == (
            f"({snapshot.validator_count},{snapshot.network_fee_index},{snapshot.index},"
            f"{'true' if snapshot.active else 'false'},{snapshot.balance_wei})"
        )
        assert page.locator("figure.chart svg").count() == 1


def test_a_liquidation_tells_what_was_charged_what_was_paid_and_what_stayed(
    visitor: Visit, grown: Site
) -> None:
    seen = 0
    collateral_wei = model_of(grown.chain).state.network.parameters.minimum_collateral_wei
    for found in groups(grown.chain, "ended"):
        page = visitor.go(cluster_path(found))
        rows = page.locator("section", has=page.locator("#history")).locator("tbody tr")
        place = ["liquidated" in each for each in rows.all_inner_texts()].index(True)
        paid, fees, left = (
            _wei(rows.nth(place), each) for each in ("Out", "Fees until then", "Balance")
        )
        before = _wei(rows.nth(place + 1), "Balance")
        block = int(rows.nth(place).locator("td a").inner_text().replace(",", ""))
        # A block earlier the balance was what one more block of fees takes from it.
        data = visitor.page.request.get(
            f"{visitor.address}/v1/clusters/{cluster_name(found)}?at={block - 1}"
        ).json()["data"]
        settled = int(data["balance_wei"]) - int(data["burn_rate_wei"])
        assert before - fees == paid + left
        assert abs(before - fees - settled) < FEE_UNIT_WEI
        assert paid == min(before - fees, 2 * collateral_wei)
        seen += 1
    assert seen


def test_what_a_cluster_burns_is_the_sum_of_its_rows(visitor: Visit, grown: Site) -> None:
    found = group(grown.chain, "long")
    page = visitor.go(cluster_path(found))
    cells = page.locator("[data-label='Of this cluster, a day']").all_inner_texts()
    *parts, total = [Decimal(each.split()[-2]) for each in cells]
    assert len(parts) == len(found.ids) + 1
    assert sum(parts) == total
    tile = page.locator(".stat", has_text="Burns a day").locator("data").inner_text()
    assert Decimal(tile.split()[0]) == total


def test_an_account_has_the_sum_of_its_balances(visitor: Visit, grown: Site) -> None:
    found = group(grown.chain, "long")
    owner = checksum_address(found.owner)
    page = visitor.go(f"/accounts/{owner}")
    owned = visitor.page.request.get(
        f"{visitor.address}/v1/accounts/{owner}/clusters?limit=500"
    ).json()["data"]
    total = page.locator(".stat", has_text="Balances together").locator("data")
    assert total.get_attribute("value") == str(sum(int(each["balance_wei"]) for each in owned))
    ends = min(each["liquidation_block"] for each in owned if each["liquidation_block"])
    first = next(each["id"] for each in owned if each["liquidation_block"] == ends)
    shortest = page.locator(".stat", has_text="Shortest runway").locator("a")
    assert first in (shortest.get_attribute("href") or "")


def _wei(row: Locator, column: str) -> int:
    return int(row.locator(f"[data-label='{column}'] data").get_attribute("value") or "")


# --- the keyshares verifier ---


def choose(page: Page, folder: Path, content: bytes) -> None:
    """Give the verifier a file."""
    path = folder / "file.json"
    path.write_bytes(content)
    page.get_by_label("Keyshares file").set_input_files(path)


def sent(visitor: Visit) -> list[Any]:
    """What left the browser with a body."""
    return [each.post_data_json for each in visitor.requests if each.method != "GET"]


def test_a_sound_file_is_judged_by_its_public_parts(visitor: Visit, tmp_path: Path) -> None:
    page = visitor.go("/tools/keyshares")
    document = json.loads(keys.keyshares(keys.key_share()))
    choose(page, tmp_path, json.dumps(document | {"note": "mine"}).encode())
    expect(page.locator("#verdict")).to_contain_text("1 validator: sound")
    assert sent(visitor) == [document]


def test_findings_are_shown_with_what_to_do(visitor: Visit, tmp_path: Path) -> None:
    page = visitor.go("/tools/keyshares")
    choose(page, tmp_path, keys.keyshares(keys.key_share(nonce=7)))
    expect(page.locator("#verdict")).to_contain_text("do not register this file")
    expect(page.locator(".findings")).to_contain_text("nonce_mismatch")
    assert page.locator(".findings .badge.bad").count() >= 1


def _nested(value: object) -> dict[str, Any]:
    document = json.loads(keys.keyshares(keys.key_share()))
    document["shares"][0]["data"]["extra"] = value
    found: dict[str, Any] = document
    return found


MNEMONIC = "test test test test test test test test test test test junk"
PEM = "-----BEGIN RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(keys.keystore(1), id="keystore"),
        pytest.param(json.dumps(_nested({"Private_Key": "?"})).encode(), id="named"),
        pytest.param(json.dumps(_nested({"owner-password": ""})).encode(), id="password"),
        pytest.param(json.dumps(_nested("0x" + "5a" * 32)).encode(), id="private key"),
        pytest.param(json.dumps(_nested([MNEMONIC])).encode(), id="mnemonic"),
        pytest.param(json.dumps(_nested(PEM)).encode(), id="pem"),
        pytest.param(json.dumps(_nested({"seed": 1})).encode(), id="seed"),
    ],
)
def test_a_file_with_a_secret_is_refused_before_anything_is_sent(
    visitor: Visit, tmp_path: Path, content: bytes
) -> None:
    page = visitor.go("/tools/keyshares")
    choose(page, tmp_path, content)
    expect(page.locator("#verdict")).to_contain_text("Nothing was sent")
    expect(page.locator("#verdict")).to_contain_text("Refused: the file holds")
    assert sent(visitor) == []


def test_files_that_cannot_be_judged_are_told_apart(visitor: Visit, tmp_path: Path) -> None:
    page = visitor.go("/tools/keyshares")
    choose(page, tmp_path, b"not JSON")
    expect(page.locator("#verdict")).to_contain_text("The file is no JSON.")
    choose(page, tmp_path, b" " * (2 * 1024 * 1024 + 1))
    expect(page.locator("#verdict")).to_contain_text("too large")
    assert sent(visitor) == []


def test_without_scripts_the_verifier_names_the_command(browser: Browser, grown: Site) -> None:
    with visit(browser, grown.address, java_script_enabled=False) as visitor:
        page = visitor.go("/tools/keyshares")
        expect(page.locator("main")).to_contain_text("This tool needs JavaScript")
        expect(page.locator("main")).to_contain_text("phalanx keys verify")
        assert page.get_by_label("Keyshares file").is_hidden()
