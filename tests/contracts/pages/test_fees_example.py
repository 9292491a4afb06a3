"""The life of a cluster in docs/fees.md, played on the contracts: every figure, to the wei."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdk.types import BlockNumber
from sdk.units import parse_ether
from tests.contracts.anvil import anvil_chain
from tests.contracts.pages.player import IDS, Player
from tests.unit.docs import fees_example

ADVICE = {
    "owner could withdraw before the proof",
    "deposit for 216,000 more blocks",
    "runway",
    "threshold",
    "first block in which it may be liquidated",
}
"""What no getter answers; the blocks around a first block are tested by calling."""

pytestmark = pytest.mark.toolchain


def test_contracts_show_every_figure_of_the_page() -> None:
    player = Player(fees_example.story())
    claims = {key: text for key, text in fees_example.claims().items() if key[1] not in ADVICE}
    found = player.play()
    assert found == claims


def test_page_names_the_first_block_in_which_a_stranger_can_liquidate() -> None:
    player = Player(fees_example.story())
    player.register()
    first = player.claim_block(0)
    player.require_safe(first - 1)
    player.reach(first)
    assert player.view("isLiquidatable") is True
    assert player.try_liquidation().succeeded


def test_owner_can_withdraw_what_the_page_says_and_not_a_wei_more() -> None:
    player = Player(fees_example.story())
    player.register()
    at = player.told.proof
    player.reach(at)
    claim = fees_example.claims()[at, "owner could withdraw before the proof"]
    amount = parse_ether(claim.removesuffix(" ETH"))
    more = player.registry.abi.encode("withdraw", [IDS, amount + 1, player.struct])
    assert not player.chain.call(player.owner, player.registry.address, more).succeeded
    enough = player.registry.abi.encode("withdraw", [IDS, amount, player.struct])
    assert player.chain.call(player.owner, player.registry.address, enough).succeeded


@pytest.mark.slow
def test_a_real_node_agrees_over_a_shorter_life() -> None:
    """The same calls with less ether, so that the first liquidation comes after 177 blocks."""
    told = replace(
        fees_example.story(),
        deposit_wei=parse_ether("0.00256"),
        proof=BlockNumber(12),
        liquidation=BlockNumber(177),
        reactivation=BlockNumber(200),
    )
    teller = fees_example.Teller(told)
    for tell in (teller.register, teller.prove, teller.liquidate_in_time, teller.reactivate):
        tell()
    with anvil_chain() as chain:
        player = Player(told, chain)
        player.register()
        player.reach(told.proof)
        player.prove()
        player.liquidate(told.liquidation)
        player.reactivate()
    expected = {key: text for key, text in teller.found.items() if key in player.found}
    assert player.found == expected
    assert len(expected) == 10
