"""What docs/security.md says of governance and of a hostile verifier, tried on the contracts."""

from __future__ import annotations

import pytest

from sdk.units import WEI_PER_ETHER
from tests.contracts.pages.player import IDS, Player
from tests.unit.docs import fees_example

LAST_SLOT = 2**40 - 1
HIGHEST_NETWORK_FEE = 38_000_000_000
BOUNTY_WEI = 1_880_000_000_000_000

pytestmark = pytest.mark.toolchain


@pytest.fixture
def player() -> Player:
    """A cluster of the page's size; its verifier believes every claim."""
    player = Player(fees_example.story())
    player.register()
    player.advance(1)
    return player


def failure(player: Player, function: str, *arguments: object) -> str:
    """Name of the error a stranger's call reverts with."""
    call = player.registry.abi.encode(function, arguments)
    outcome = player.chain.call(player.stranger, player.registry.address, call)
    assert not outcome.succeeded
    return str(player.registry.abi.failure(outcome).name)


def test_the_step_rule_is_no_limit_over_time(player: Player) -> None:
    """All steps to the cap in one block, as one batch of a timelock makes them."""
    block, changes = player.chain.block, 0
    while (fee := player.registry.view("getNetworkFee")) < HIGHEST_NETWORK_FEE:
        player.send(player.governor, "updateNetworkFee", min(2 * fee, HIGHEST_NETWORK_FEE))
        changes += 1
    assert (changes, player.chain.block) == (4, block)


def test_hostile_balance_costs_a_bounty_and_leaves_the_rest(player: Player) -> None:
    before = player.view("getBalance")
    held = player.held_wei()
    player.send(player.stranger, "proveEffectiveBalances", *player.proof(2048))
    assert held - player.held_wei() == BOUNTY_WEI
    assert player.struct[3:] == (False, before - BOUNTY_WEI)
    assert player.registry.view("getNetworkAccounting")[6] == 0


def test_hostile_balance_of_a_rich_cluster_is_charged_until_its_owner_leaves(
    player: Player,
) -> None:
    player.send(player.stranger, "deposit", player.owner, IDS, player.struct, value_wei=10**18)
    burn = player.view("getBurnRate")
    player.send(player.stranger, "proveEffectiveBalances", *player.proof(2048))
    assert player.struct[3] is True
    assert player.view("getBurnRate") == burn * (3 * 32 + 2048) // (4 * 32)
    held = player.held_wei()
    player.send(player.owner, "liquidate", player.owner, IDS, player.struct)
    assert held - player.held_wei() > WEI_PER_ETHER
    assert player.struct[4] == 0


def test_a_far_slot_bars_later_proofs_until_the_validator_is_registered_anew(
    player: Player,
) -> None:
    player.send(player.stranger, "deposit", player.owner, IDS, player.struct, value_wei=10**18)
    player.send(player.stranger, "proveEffectiveBalances", *player.proof(64, slot=LAST_SLOT))
    proof = player.proof(32, slot=LAST_SLOT)
    assert failure(player, "proveEffectiveBalances", *proof) == "ProofOlderThanRecord"
    beyond = player.proof(32, slot=LAST_SLOT + 1)
    assert failure(player, "proveEffectiveBalances", *beyond) == "InvalidProof"
    player.send(player.owner, "removeValidator", player.keys[0], IDS, player.struct)
    shares = bytes(96 + 304 * len(IDS))
    player.send(player.owner, "registerValidator", player.keys[0], IDS, shares, player.struct)
    player.send(player.stranger, "proveEffectiveBalances", *player.proof(64))
    assert player.registry.view("getValidatorRecord", player.owner, player.keys[0])[2:] == (64, 1)
