"""Ether leaves only to the caller: callers that refuse it, and callers that call back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from sdk.types import keccak256
from tests.contracts.behaviour.abi import Contract, assert_logs, event, reverts
from tests.contracts.behaviour.expected import COLLATERAL_WEI, held
from tests.contracts.behaviour.proofs import proof
from tests.contracts.behaviour.world import (
    ETHER,
    FEE_UNIT,
    NEW_CLUSTER,
    Cluster,
    World,
    shares,
    validator_key,
)

REENTRANCY = keccak256(b"Reentrancy()")[:4]
GUARDED = (
    "withdraw",
    "liquidate",
    "proveEffectiveBalances",
    "withdrawOperatorEarnings",
    "withdrawAllOperatorEarnings",
    "withdrawAllVersionOperatorEarnings",
    "removeOperator",
    "withdrawNetworkEarnings",
)
"""Every function that pays ether."""


@dataclass(frozen=True, slots=True)
class Party:
    """A contract that owns the registry, operators with earnings and a cluster, and is to be paid.

    Attributes:
        calls: a call of each paying function that pays it, by name, with arguments and value.
    """

    world: World
    account: Contract
    ids: list[int]
    calls: dict[str, tuple[tuple[Any, ...], int]]

    @property
    def address(self) -> str:
        return self.account.address

    def call(self, name: str) -> Any:
        """Have it make one of the calls."""
        arguments, value = self.calls[name]
        return self.world.registry.transact(name, *arguments, sender=self.address, value=value)

    def calldata(self, name: str) -> bytes:
        """One of the calls, encoded."""
        return self.world.registry.encode(name, *self.calls[name][0])


def party(world: World, contract: str) -> Party:
    """A contract of that name in every role that is paid."""
    registry, anvil = world.registry, world.anvil
    account = world.create(contract)
    anvil.set_balance(account.address, 100 * ETHER)
    address = anvil.become(account.address)
    world.verifier()
    ids = world.operators(4, owner=address)
    key = world.register(address, ids, value=10 * COLLATERAL_WEI)[0]
    registry.transferOwnership(address, sender=world.governor)
    registry.acceptOwnership(sender=address)
    anvil.mine(3)
    cluster = world.latest(address, ids)
    claim: tuple[Any, ...] = (address, ids, cluster, 5, bytes(32), [], [proof(key, 2048 * 10**9)])
    calls: dict[str, tuple[tuple[Any, ...], int]] = {
        "withdraw": ((ids, FEE_UNIT, cluster), 0),
        "liquidate": ((address, ids, cluster), 0),
        "proveEffectiveBalances": (claim, 0),
        "withdrawOperatorEarnings": ((ids[0], FEE_UNIT), 0),
        "withdrawAllOperatorEarnings": ((ids[1],), 0),
        "withdrawAllVersionOperatorEarnings": ((ids[2],), 0),
        "removeOperator": ((ids[3],), 0),
        "withdrawNetworkEarnings": ((FEE_UNIT,), 0),
    }
    assert tuple(calls) == GUARDED
    return Party(world, account, ids, calls)


def test_every_payment_to_a_caller_that_refuses_it_reverts_and_changes_nothing(
    world: World,
) -> None:
    refuser = party(world, "RefusingReceiver")
    registry = world.registry
    before, words = held(world), registry.getOperatorWords(1, 4)
    for name in GUARDED:
        with reverts("ETHTransferFailed"):
            refuser.call(name)
    assert held(world) == before
    assert registry.getOperatorWords(1, 4) == words
    world.latest(refuser.address, refuser.ids)
    refuser.account.setAccepts(True, sender=world.bob)
    for name in GUARDED:
        with world.anvil.undone():
            refuser.call(name)
            assert held(world) < before


def test_refusing_owner_cannot_stop_a_strangers_liquidation(world: World) -> None:
    refuser = party(world, "RefusingReceiver")
    arguments, _ = refuser.calls["proveEffectiveBalances"]
    world.registry.proveEffectiveBalances(*arguments, sender=world.stranger)
    assert not world.latest(refuser.address, refuser.ids).active


def test_nothing_to_pay_needs_no_acceptance(world: World) -> None:
    refuser = party(world, "RefusingReceiver")
    registry, address, ids = world.registry, refuser.address, refuser.ids
    registry.withdraw(ids, 0, world.latest(address, ids), sender=address)
    registry.withdrawNetworkEarnings(0, sender=address)
    idle = world.operator(address)
    receipt = registry.removeOperator(idle, sender=address)
    assert_logs(receipt, registry.address, event("OperatorRemoved", idle))


@pytest.mark.parametrize("outer", GUARDED)
def test_no_paying_function_can_be_entered_while_another_pays(world: World, outer: str) -> None:
    caller = party(world, "ReentrantReceiver")
    expected = held_after(world, caller, outer)
    for inner in GUARDED:
        with world.anvil.undone():
            data = caller.calldata(inner)
            caller.account.arm(world.registry.address, 0, data, sender=world.bob)
            caller.call(outer)
            assert caller.account.callbacks() == 1
            assert not caller.account.succeeded()
            assert caller.account.answer() == REENTRANCY
            assert held(world) == expected


def held_after(world: World, caller: Party, outer: str) -> int:
    """The registry's ether after the call, when nobody calls back and one more block passed."""
    with world.anvil.undone():
        world.anvil.mine()
        caller.call(outer)
        return held(world)


def test_paid_caller_may_go_on_with_the_struct_it_was_just_given(world: World) -> None:
    caller = party(world, "ReentrantReceiver")
    registry, address, ids = world.registry, caller.address, caller.ids
    with world.anvil.undone():
        world.anvil.mine()
        caller.call("liquidate")
        closed = world.latest(address, ids)
    assert closed == Cluster(1, 0, 0, False, 0)
    data = registry.encode("reactivate", ids, closed)
    caller.account.arm(registry.address, ETHER, data, sender=world.bob)
    receipt = caller.call("liquidate")
    assert caller.account.succeeded()
    assert len(receipt.logs) == 2
    found = world.latest(address, ids)
    assert found.active
    assert found.balance == ETHER
    assert not registry.isLiquidatable(address, ids, found)
    assert registry.getNetworkAccounting()[4:6] == (32, 1)


def test_paid_caller_cannot_use_the_struct_from_before(world: World) -> None:
    caller = party(world, "ReentrantReceiver")
    registry, ids = world.registry, caller.ids
    old = world.latest(caller.address, ids)
    key = validator_key(9_100)
    for data in (
        registry.encode("deposit", caller.address, ids, old),
        registry.encode("registerValidator", key, ids, shares(4), old),
        registry.encode("registerValidator", key, ids, shares(4), NEW_CLUSTER),
        registry.encode("reactivate", ids, old),
    ):
        with world.anvil.undone():
            caller.account.arm(registry.address, ETHER, data, sender=world.bob)
            caller.call("withdraw")
            assert not caller.account.succeeded()
            assert caller.account.answer() == keccak256(b"IncorrectClusterState()")[:4]


def test_guard_opens_again_for_the_next_call_in_the_same_transaction(world: World) -> None:
    caller = party(world, "ReentrantReceiver")
    first = world.registry.encode("withdrawAllOperatorEarnings", caller.ids[0])
    for data in (first, caller.calldata("withdrawAllOperatorEarnings")):
        receipt = caller.account.execute(world.registry.address, data, sender=world.bob)
        assert len(receipt.logs) == 1
    assert caller.account.payments() == 2
