"""Owner, verifier and the right to replace the code (contracts.md, sections 10, 14, 18)."""

from __future__ import annotations

import pytest

from sdk.toolchain.deploy import NO_ADDRESS
from sdk.types import keccak256
from tests.contracts.behaviour.abi import assert_logs, event, reverts
from tests.contracts.behaviour.world import World

IMPLEMENTATION_SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"


def implementation(world: World) -> str:
    """Where the proxy finds its code."""
    stored = world.anvil.rpc(
        "eth_getStorageAt", world.registry.address, IMPLEMENTATION_SLOT, "latest"
    )
    return f"0x{stored[-40:]}"


# ---------------------------------------------------------------------------------------- ownership


def test_ownership_passes_in_two_steps(world: World) -> None:
    registry = world.registry
    receipt = registry.transferOwnership(world.bob, sender=world.governor)
    started = event("OwnershipTransferStarted", previousOwner=world.governor, newOwner=world.bob)
    assert_logs(receipt, registry.address, started)
    assert (registry.owner(), registry.pendingOwner()) == (world.governor, world.bob)
    receipt = registry.acceptOwnership(sender=world.bob)
    passed = event("OwnershipTransferred", previousOwner=world.governor, newOwner=world.bob)
    assert_logs(receipt, registry.address, passed)
    assert (registry.owner(), registry.pendingOwner()) == (world.bob, NO_ADDRESS)


def test_the_old_owner_governs_until_the_offer_is_accepted_and_not_after(world: World) -> None:
    registry, limit = world.registry, 900
    registry.transferOwnership(world.bob, sender=world.governor)
    with reverts("CallerNotOwner"):
        registry.updateOperatorFeeIncreaseLimit(limit, sender=world.bob)
    registry.updateOperatorFeeIncreaseLimit(limit, sender=world.governor)
    registry.acceptOwnership(sender=world.bob)
    with reverts("CallerNotOwner"):
        registry.updateOperatorFeeIncreaseLimit(limit, sender=world.governor)
    registry.updateOperatorFeeIncreaseLimit(limit, sender=world.bob)


def test_only_the_offered_account_accepts_and_only_once(world: World) -> None:
    for sender in (world.bob, world.governor):
        with reverts("CallerNotOwner"):
            world.registry.acceptOwnership(sender=sender)
    world.registry.transferOwnership(world.bob, sender=world.governor)
    for sender in (world.stranger, world.governor):
        with reverts("CallerNotOwner"):
            world.registry.acceptOwnership(sender=sender)
    world.registry.acceptOwnership(sender=world.bob)
    with reverts("CallerNotOwner"):
        world.registry.acceptOwnership(sender=world.bob)


def test_a_newer_offer_replaces_the_older_and_zero_takes_it_back(world: World) -> None:
    registry = world.registry
    registry.transferOwnership(world.bob, sender=world.governor)
    registry.transferOwnership(world.dave, sender=world.governor)
    with reverts("CallerNotOwner"):
        registry.acceptOwnership(sender=world.bob)
    receipt = registry.transferOwnership(NO_ADDRESS, sender=world.governor)
    taken_back = event("OwnershipTransferStarted", world.governor, NO_ADDRESS)
    assert_logs(receipt, registry.address, taken_back)
    assert registry.pendingOwner() == NO_ADDRESS
    with reverts("CallerNotOwner"):
        registry.acceptOwnership(sender=world.dave)


def test_only_the_owner_offers_ownership(world: World) -> None:
    world.registry.transferOwnership(world.bob, sender=world.governor)
    for sender in (world.stranger, world.bob):
        with reverts("CallerNotOwner"):
            world.registry.transferOwnership(sender, sender=sender)


def test_ownership_cannot_be_renounced(world: World) -> None:
    selector = keccak256(b"renounceOwnership()")[:4]
    with reverts("UnknownFunction", selector):
        world.anvil.transact(world.governor, world.registry.address, selector)


# ----------------------------------------------------------------------------------------- verifier


def test_the_owner_chooses_a_verifier_or_none(world: World) -> None:
    registry, verifier = world.registry, world.create("OpenBeaconVerifier").address
    assert registry.getBeaconVerifier() == (NO_ADDRESS, False)
    for chosen in (verifier, NO_ADDRESS):
        receipt = registry.updateBeaconVerifier(chosen, sender=world.governor)
        assert_logs(receipt, registry.address, event("BeaconVerifierUpdated", chosen))
        assert registry.getBeaconVerifier() == (chosen, False)


def test_a_verifier_must_be_a_contract(world: World) -> None:
    with reverts("NotAContract", world.bob):
        world.registry.updateBeaconVerifier(world.bob, sender=world.governor)


def test_freezing_fixes_the_verifier_for_good(world: World) -> None:
    registry, verifier = world.registry, world.verifier().address
    receipt = registry.freezeVerifier(sender=world.governor)
    assert_logs(receipt, registry.address, event("BeaconVerifierFrozen", verifier))
    assert registry.getBeaconVerifier() == (verifier, True)
    for chosen in (verifier, NO_ADDRESS, world.bob):
        with reverts("VerifierFrozen"):
            registry.updateBeaconVerifier(chosen, sender=world.governor)
    with reverts("VerifierFrozen"):
        registry.freezeVerifier(sender=world.governor)


def test_there_must_be_a_verifier_to_freeze(world: World) -> None:
    with reverts("VerifierNotSet"):
        world.registry.freezeVerifier(sender=world.governor)


def test_only_the_owner_chooses_and_freezes_whatever_the_state(world: World) -> None:
    for name, arguments in (("updateBeaconVerifier", (world.bob,)), ("freezeVerifier", ())):
        with reverts("CallerNotOwner"):
            world.registry.transact(name, *arguments, sender=world.stranger)
    world.verifier()
    world.registry.freezeVerifier(sender=world.governor)
    for name, arguments in (("updateBeaconVerifier", (world.bob,)), ("freezeVerifier", ())):
        with reverts("CallerNotOwner"):
            world.registry.transact(name, *arguments, sender=world.stranger)


# ----------------------------------------------------------------------------------------- upgrades


@pytest.fixture
def newer(world: World) -> str:
    """Another implementation."""
    return world.create("Registry", world.create("RegistryExtension").address).address


def test_the_owner_replaces_the_code_and_keeps_the_state(world: World, newer: str) -> None:
    registry = world.registry
    operators = world.cluster(keys=2)
    cluster = world.latest(world.carol, operators)
    receipt = registry.upgradeToAndCall(newer, b"", sender=world.governor)
    assert_logs(receipt, registry.address, event("Upgraded", implementation=newer))
    assert implementation(world) == newer
    assert registry.owner() == world.governor
    assert registry.getEffectiveBalance(world.carol, operators, cluster) == 64
    registry.withdraw(operators, 1, cluster, sender=world.carol)


def test_the_new_code_can_be_called_in_the_same_transaction(world: World, newer: str) -> None:
    call = world.registry.encode("updateOperatorFeeIncreaseLimit", 900)
    receipt = world.registry.upgradeToAndCall(newer, call, sender=world.governor)
    assert_logs(
        receipt,
        world.registry.address,
        event("Upgraded", newer),
        event("OperatorFeeIncreaseLimitUpdated", 900),
    )


def test_only_the_owner_replaces_the_code(world: World, newer: str) -> None:
    world.registry.transferOwnership(world.bob, sender=world.governor)
    for sender in (world.stranger, world.bob):
        with reverts("CallerNotOwner"):
            world.registry.upgradeToAndCall(newer, b"", sender=sender)
    assert implementation(world) == world.implementation.address


def test_code_that_is_no_upgradable_implementation_is_refused(world: World) -> None:
    for other in (world.extension.address, world.create("RefusingReceiver").address):
        with reverts("ERC1967InvalidImplementation", other):
            world.registry.upgradeToAndCall(other, b"", sender=world.governor)
    with reverts("NotAContract", world.bob):
        world.registry.upgradeToAndCall(world.bob, b"", sender=world.governor)


def test_the_right_to_replace_the_code_is_renounced_for_good(world: World, newer: str) -> None:
    registry = world.registry
    assert registry.getUpgradesRenounced() is False
    receipt = registry.renounceUpgrades(sender=world.governor)
    assert_logs(receipt, registry.address, event("UpgradeRightRenounced"))
    assert registry.getUpgradesRenounced() is True
    with reverts("UpgradesRenounced"):
        registry.upgradeToAndCall(newer, b"", sender=world.governor)
    with reverts("UpgradesRenounced"):
        registry.renounceUpgrades(sender=world.governor)
    registry.transferOwnership(world.bob, sender=world.governor)
    registry.acceptOwnership(sender=world.bob)
    with reverts("UpgradesRenounced"):
        registry.upgradeToAndCall(newer, b"", sender=world.bob)


def test_only_the_owner_renounces_upgrades_before_and_after(world: World, newer: str) -> None:
    with reverts("CallerNotOwner"):
        world.registry.renounceUpgrades(sender=world.stranger)
    world.registry.renounceUpgrades(sender=world.governor)
    with reverts("CallerNotOwner"):
        world.registry.renounceUpgrades(sender=world.stranger)
    with reverts("CallerNotOwner"):
        world.registry.upgradeToAndCall(newer, b"", sender=world.stranger)


def test_the_implementation_alone_cannot_be_upgraded(world: World, newer: str) -> None:
    with reverts("UUPSUnauthorizedCallContext"):
        world.implementation.upgradeToAndCall(newer, b"", sender=world.governor)
    with reverts("UUPSUnauthorizedCallContext"):
        world.registry.proxiableUUID()
    slot = bytes.fromhex(IMPLEMENTATION_SLOT[2:])
    assert world.implementation.proxiableUUID() == slot
