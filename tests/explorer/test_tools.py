"""Tools as people use them: figures of the ledger, calls to copy, files judged, secrets refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from sdk.client.export import decode_call
from sdk.registry import runway
from sdk.testing import keys
from sdk.types import BlockNumber, OperatorId
from sdk.units import units_to_wei
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
