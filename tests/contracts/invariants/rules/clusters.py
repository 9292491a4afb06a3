"""Calls on clusters: their checks in the contract's order, then their effect (contracts.md 9)."""

from __future__ import annotations

from sdk.events import ClusterSnapshot
from sdk.registry import Cluster, effects, ledger
from sdk.types import Address, PublicKey, Slot, Wei
from sdk.units import WEI_PER_GWEI
from tests.contracts.invariants.call import Call
from tests.contracts.invariants.model import FuzzModel, operator_ids
from tests.contracts.registry_in_evm import Failure

INSUFFICIENT = Failure("InsufficientBalance")
NOT_PAID = Failure("ETHTransferFailed")
LEAST_ETH, MOST_ETH = 32, 2048
MOST_SLOT = 2**40 - 1


def known(
    model: FuzzModel, owner: Address, ids: tuple[int, ...], struct: ClusterSnapshot
) -> Failure | Cluster:
    """The cluster, if it exists and this is its struct."""
    cluster = model.cluster(owner, ids)
    if cluster is None:
        return Failure("ClusterDoesNotExist")
    return cluster if cluster.snapshot == struct else Failure("IncorrectClusterState")


def deposit(model: FuzzModel, call: Call) -> Failure | None:
    """`deposit(clusterOwner, operatorIds, cluster)`."""
    owner, _, struct = call.arguments
    ids = operator_ids(call, 1)
    found = known(model, owner, ids, struct)
    if isinstance(found, Failure):
        return found
    least_wei = model.state.network.parameters.minimum_collateral_wei
    if call.sender != owner and call.value_wei < least_wei:
        return Failure("DepositTooSmall")
    return done(model.deposit(owner, ids, value_wei=Wei(call.value_wei)))


def withdraw(model: FuzzModel, call: Call) -> Failure | None:
    """`withdraw(operatorIds, amount, cluster)`."""
    _, amount_wei, struct = call.arguments
    ids = operator_ids(call, 0)
    found = known(model, call.sender, ids, struct)
    if isinstance(found, Failure):
        return found
    parties = model.state.parties(found)
    if amount_wei > ledger.settle_cluster(parties, at=model.block).snapshot.balance_wei:
        return INSUFFICIENT
    after = effects.withdraw(parties, value_wei=Wei(amount_wei), at=model.block)
    if ledger.is_liquidatable(after, at=model.block):
        return INSUFFICIENT
    if not model.can_pay(call.sender, amount_wei):
        return NOT_PAID
    return done(model.withdraw(call.sender, ids, value_wei=Wei(amount_wei)))


def liquidate(model: FuzzModel, call: Call) -> Failure | None:
    """`liquidate(clusterOwner, operatorIds, cluster)`."""
    owner, _, struct = call.arguments
    ids = operator_ids(call, 1)
    found = known(model, owner, ids, struct)
    if isinstance(found, Failure):
        return found
    if not struct.active:
        return Failure("ClusterIsLiquidated")
    parties = model.state.parties(found)
    by_owner = call.sender == owner
    if not by_owner and not ledger.is_liquidatable(parties, at=model.block):
        return Failure("ClusterNotLiquidatable")
    if not model.can_pay(call.sender, _reward_wei(model, parties, by_owner=by_owner)):
        return NOT_PAID
    fee = Wei(model.base_fee_wei)
    return done(model.liquidate(owner, ids, by_owner=by_owner, base_fee_wei=fee))


def reactivate(model: FuzzModel, call: Call) -> Failure | None:
    """`reactivate(operatorIds, cluster)`."""
    ids = operator_ids(call, 0)
    found = known(model, call.sender, ids, call.arguments[1])
    if isinstance(found, Failure):
        return found
    if found.snapshot.active:
        return Failure("ClusterAlreadyEnabled")
    parties = model.state.parties(found)
    live = [operator for operator in parties.operators if operator.removed_at is None]
    limit = model.state.network.parameters.validators_per_operator_limit
    for operator in live:
        if found.validator_count and operator.validator_count + found.validator_count > limit:
            return Failure("ExceedValidatorLimitWithData", (operator.operator_id,))
    quorum = 2 * ((len(ids) - 1) // 3) + 1
    if len(live) < quorum:
        return Failure("TooFewOperators", (len(live), quorum))
    after = effects.reactivate(parties, deposit_wei=Wei(call.value_wei), at=model.block)
    if ledger.is_liquidatable(after, at=model.block):
        return INSUFFICIENT
    return done(model.reactivate(call.sender, ids, value_wei=Wei(call.value_wei)))


def prove(model: FuzzModel, call: Call) -> Failure | None:
    """`proveEffectiveBalances(clusterOwner, operatorIds, cluster, beaconTimestamp, …, proofs)`.

    The verifier of these runs takes every proof and answers the timestamp as the slot.
    """
    owner, _, struct, slot, _, _, proofs = call.arguments
    ids = operator_ids(call, 1)
    found = known(model, owner, ids, struct)
    if isinstance(found, Failure):
        return found
    verifier = model.state.network.parameters.beacon_verifier
    if verifier is None:
        return Failure("VerifierNotSet")
    if verifier != model.surroundings.verifier:
        return Failure("FailedCall")
    if slot > MOST_SLOT:
        return Failure("InvalidProof")
    proven = [(PublicKey(proof[0]), _effective_balance_eth(proof[3])) for proof in proofs]
    failure = _records_failure(model, found, proven, slot)
    if failure is not None:
        return failure
    difference = sum(
        eth - model.state.validators[owner, key].effective_balance_eth for key, eth in proven
    )
    after = effects.prove(
        model.state.parties(found),
        deposit_wei=Wei(call.value_wei),
        difference_eth=difference,
        at=model.block,
    )
    by_owner = call.sender == owner
    if ledger.is_liquidatable(after, at=model.block):
        reward_wei = _reward_wei(model, after, by_owner=by_owner)
        if not model.can_pay(call.sender, reward_wei, received_wei=call.value_wei):
            return NOT_PAID
    return done(
        model.prove(
            owner,
            ids,
            proven,
            slot=Slot(slot),
            value_wei=Wei(call.value_wei),
            base_fee_wei=Wei(model.base_fee_wei),
            by_owner=by_owner,
        )
    )


def done(succeeded: bool) -> Failure | None:
    """None: the model's own checks must agree with the rule that let the call pass."""
    return None if succeeded else Failure("<refused by the model registry>")


def _records_failure(
    model: FuzzModel, cluster: Cluster, proven: list[tuple[PublicKey, int]], slot: int
) -> Failure | None:
    changed = False
    seen = set()
    for key, eth in proven:
        record = model.state.validators.get((cluster.owner, key))
        if record is None or record.cluster_id != cluster.cluster_id:
            return Failure("IncorrectValidatorStateWithData", (key,))
        if key in seen or slot <= record.last_proof_slot:
            return Failure("ProofOlderThanRecord", (key,))
        seen.add(key)
        changed |= eth != record.effective_balance_eth
    return None if changed else Failure("NothingChanged")


def _effective_balance_eth(gwei: int) -> int:
    return min(max(gwei // WEI_PER_GWEI, LEAST_ETH), MOST_ETH)


def _reward_wei(model: FuzzModel, parties: ledger.Parties, *, by_owner: bool) -> int:
    balance_wei = ledger.settle_cluster(parties, at=model.block).snapshot.balance_wei
    if by_owner:
        return balance_wei
    return ledger.bounty_wei(
        balance_wei=balance_wei,
        minimum_collateral_wei=parties.network.parameters.minimum_collateral_wei,
        base_fee_wei=Wei(model.base_fee_wei),
    )
