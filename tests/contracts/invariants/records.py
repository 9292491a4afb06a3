"""Invariants of fees, keys, nonces and failures, judged after every step."""

from __future__ import annotations

from sdk.events import types
from sdk.registry import Validator, cluster_id
from sdk.types import Address
from tests.contracts.invariants.violation import Violation
from tests.contracts.invariants.world import Step, World
from tests.contracts.registry_in_evm import DEPLOYER

PERCENTAGE_BASE = 10_000


def i12_fee_rules(world: World, step: Step) -> None:
    """No fee rises by more than the limit per declare period; no change acts on past blocks;
    executing outside the window fails.
    """
    executed = {
        event.operator_id for event in step.events if isinstance(event, types.OperatorFeeExecuted)
    }
    for number, before in enumerate(step.before.operators, start=1):
        after = step.books.operator(number)
        if after is before or not after.is_live:
            continue
        if after.block != before.block:
            if after.block != step.block:
                raise Violation("i12", f"operator {number} settled at {after.block}")
            index = before.index_at(step.block)
            if after.index != index:
                raise Violation("i12", f"operator {number}: a fee acts backwards")
        if after.fee != before.fee:
            if number not in executed:
                raise Violation("i12", f"fee of operator {number} moved without a log")
            if after.block != step.block:
                raise Violation("i12", f"operator {number} was not settled")
        if after.fee > before.fee:
            _require_declared(world, step, number, before.fee, after.fee)
    if step.books.network.fee != step.before.network.fee:
        index = step.before.network.index_at(step.block)
        is_now = step.books.network.index == index and step.books.network.block == step.block
        if not is_now:
            raise Violation("i12", "a network fee acts backwards")


def i15_key_uniqueness(world: World, step: Step, *, is_sweep: bool) -> None:
    """A key has at most one record per owner; its cluster and balance match the events."""
    named = {
        (event.owner, event.public_key)
        for event in step.events
        if isinstance(
            event,
            types.ValidatorAdded | types.ValidatorRemoved | types.ValidatorEffectiveBalanceUpdated,
        )
    }
    for owner, key in world.follower.validators if is_sweep else named:
        record = world.follower.validators.get((owner, key))
        found = world.registry.view("getValidatorRecord", owner, key)
        expected = _record(world, owner, record)
        if found != expected:
            raise Violation("i15", f"0x{key.hex()}: {found}, not {expected}")
        answer = world.registry.view("getValidator", owner, key)
        if answer is not (record is not None):
            raise Violation("i15", f"getValidator answers {answer}")
    counts = world.registry.view("getRegistryCounters") if is_sweep else None
    if counts is not None:
        active = step.books.network.validators
        expected_counts = (len(step.books.operators), len(step.books.clusters), active, step.block)
        if counts != expected_counts:
            raise Violation("i15", f"counters {counts}, not {expected_counts}")


def i16_nonce(world: World, step: Step) -> None:
    """Owner nonce = number of ValidatorAdded logs of that owner."""
    owners = world.cast.everyone if step.events else ()
    if not owners:
        return
    data = world.registry.abi.encode("getOwnerWords", [owners])
    outcome = world.registry.chain.call(DEPLOYER, world.registry.address, data)
    (words,) = world.registry.abi.decode("getOwnerWords", outcome.output)
    for owner, word in zip(owners, words, strict=True):
        number = int.from_bytes(word, "big")
        nonce, count = number & 0xFFFFFFFF, world.history.registrations[owner]
        if nonce != count:
            raise Violation("i16", f"0x{owner.hex()}: nonce {nonce} after {count} logs")
        account = world.follower.account(owner)
        recipient = account.fee_recipient or bytes(20)
        found = (number >> 32).to_bytes(28, "big")[-20:]
        if found != recipient:
            raise Violation("i16", f"0x{owner.hex()}: fee recipient 0x{found.hex()}")
        if account.next_nonce != count:
            raise Violation("i16", "the reducer counts otherwise")


def i17_no_panic(world: World, step: Step) -> None:
    """No external call reverts with a panic or empty data."""
    del world
    if step.failure is None:
        return
    is_named = not step.failure.name.startswith("<")
    if not is_named:
        raise Violation("i17", f"the call fails with {step.failure}")


def _require_declared(world: World, step: Step, number: int, old: int, new: int) -> None:
    declared = world.history.declared.get(number)
    if not (declared is not None):
        raise Violation("i12", f"fee of operator {number} rises undeclared")
    assert declared is not None
    if (declared.from_fee, declared.fee) != (old, new):
        raise Violation(
            "i12", f"fee of operator {number} rises from {old} to {new}, declared was {declared}"
        )
    limit = PERCENTAGE_BASE + declared.limit_per_10000
    if not (new <= -(-old * limit // PERCENTAGE_BASE)):
        raise Violation(
            "i12", f"fee of operator {number} rises from {old} to {new}, above the limit"
        )
    in_window = declared.begin_s <= step.timestamp_s <= declared.end_s
    if not in_window:
        raise Violation("i12", f"fee of operator {number} rises outside its window")


def _record(world: World, owner: Address, record: Validator | None) -> tuple[bytes, int, int, int]:
    if record is None:
        return bytes(20), 0, 0, 0
    cluster = world.follower.clusters[record.cluster_id]
    assert cluster.cluster_id == cluster_id(owner, cluster.operator_ids)
    return (
        owner,
        cluster.sequence,
        record.effective_balance_eth,
        record.last_proof_slot,
    )
