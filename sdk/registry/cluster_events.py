"""Reducer, part two: events of validators and clusters.

Pure. The struct in the event is the truth. The model predicts it all the same and reports what
differs, because on a complete history nothing does. Three things no struct tells are inferred:
deposits of registrations and reactivations (from the balance), effective balances (32 ETH, then
the proofs), and a shortfall (from usage and balance). docs/fees.md has the formulas.

Two habits of the logs shape the code. All logs of a bulk call carry the same final struct, so its
validator count runs ahead of the records, while indexes and balance are right at the first log
and settling again in the same block changes nothing. And a proof reports each validator before
the struct, so in between the record holds a struct that was computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

from sdk.events import ClusterSnapshot
from sdk.events.types import (
    ClusterBalanceUpdated,
    ClusterDeposited,
    ClusterLiquidated,
    ClusterReactivated,
    ClusterWithdrawn,
    DebtUncovered,
    ValidatorAdded,
    ValidatorEffectiveBalanceUpdated,
    ValidatorExited,
    ValidatorRemoved,
)
from sdk.registry import effects
from sdk.registry.changes import AccountChanged, Change, ValidatorChanged
from sdk.registry.ledger import Parties, settle_cluster, usage_units
from sdk.registry.outcome import (
    Applied,
    Aspect,
    Divergence,
    EventContext,
    Refused,
    SignatureVerdict,
)
from sdk.registry.records import BASELINE_ETH, Account, Cluster, Refusal, Validator
from sdk.registry.registration import refusal
from sdk.registry.snapshot import cluster_id, new_cluster
from sdk.registry.state import RegistryState
from sdk.types import PUBLIC_KEY_BYTES, ClusterId, PublicKey, Slot, Wei
from sdk.units import units_to_wei

ClusterEvent = (
    ValidatorAdded
    | ValidatorRemoved
    | ClusterDeposited
    | ClusterWithdrawn
    | ClusterLiquidated
    | ClusterReactivated
    | ClusterBalanceUpdated
)


def validator_added(
    state: RegistryState, event: ValidatorAdded, at: EventContext, verdict: SignatureVerdict
) -> Applied:
    """Charge the registration, use up a nonce, and record it with the reason if refused."""
    reason = refusal(state, event, verdict)
    before = parties_of(state, event)
    divergences = [*_unknown_operators(state, before), *unfinished_call(before, event)]
    active = before if before.cluster.snapshot.active else _toggled(before, at)
    deposit_wei = inferred_deposit(active, event.cluster, at)
    # The contract rejects a key of another length or a second registration by one owner, so no
    # record can stand for such a log.
    is_recorded = (
        len(event.public_key) == PUBLIC_KEY_BYTES
        and (event.owner, event.public_key) not in state.validators
    )
    after = effects.register(
        active, validators=int(is_recorded), deposit_wei=deposit_wei, at=at.block
    )
    account = state.account(event.owner)
    counted = Account(event.owner, account.next_nonce + 1, account.fee_recipient)
    changes: list[Change] = [AccountChanged(state.accounts.get(event.owner), counted)]
    if is_recorded:
        record = record_of(event, before.cluster.cluster_id, account.next_nonce, reason, at)
        changes.append(ValidatorChanged(None, record))
    else:
        divergences.append(Divergence(Aspect.VALIDATOR, event.public_key, None, event.public_key))
    if not before.cluster.snapshot.active:
        divergences.append(Divergence(Aspect.ACTIVE, before.cluster.cluster_id, False, True))
    applied = adopted(state, event, at, after, divergences, changes)
    refused = Refused(reason) if reason else None
    return Applied(applied.changes, refused, applied.divergences, deposit_wei)


def validator_removed(state: RegistryState, event: ValidatorRemoved, at: EventContext) -> Applied:
    """Delete the record; its effective balance leaves the cluster."""
    before = parties_of(state, event)
    divergences = [*_known_cluster(state, before), *unfinished_call(before, event)]
    record = state.validators.get((event.owner, event.public_key))
    if record is None or record.cluster_id != before.cluster.cluster_id:
        divergences.append(_missing(event.public_key))
        after = effects.remove(before, validators=0, effective_balance_eth=0, at=at.block)
        return adopted(state, event, at, after, divergences, [])
    after = effects.remove(
        before, validators=1, effective_balance_eth=record.effective_balance_eth, at=at.block
    )
    return adopted(state, event, at, after, divergences, [ValidatorChanged(record, None)])


def validator_exited(state: RegistryState, event: ValidatorExited, at: EventContext) -> Applied:
    """Note the first exit request; further ones change nothing."""
    record = state.validators.get((event.owner, event.public_key))
    if record is None or record.cluster_id != cluster_id(event.owner, event.operator_ids):
        return Applied(divergences=(_missing(event.public_key),))
    if record.exit_requested_at is not None:
        return Applied()
    exiting = Validator(
        owner=record.owner,
        public_key=record.public_key,
        cluster_id=record.cluster_id,
        nonce=record.nonce,
        shares_digest=record.shares_digest,
        effective_balance_eth=record.effective_balance_eth,
        last_proof_slot=record.last_proof_slot,
        refusal=record.refusal,
        registered_at=record.registered_at,
        exit_requested_at=at.block,
    )
    return Applied((ValidatorChanged(record, exiting),))


def cluster_deposited(state: RegistryState, event: ClusterDeposited, at: EventContext) -> Applied:
    """Add the value to the balance; nothing is settled."""
    before = parties_of(state, event)
    after = effects.deposit(before, value_wei=event.value_wei)
    return adopted(state, event, at, after, [*_known_cluster(state, before)], [])


def cluster_withdrawn(state: RegistryState, event: ClusterWithdrawn, at: EventContext) -> Applied:
    """Settle the cluster and take the value from its balance."""
    before = parties_of(state, event)
    divergences = [*_known_cluster(state, before)]
    held_wei = settle_cluster(before, at=at.block).snapshot.balance_wei
    value_wei = Wei(min(event.value_wei, held_wei))
    if value_wei != event.value_wei:
        divergences.append(
            Divergence(Aspect.BALANCE, before.cluster.cluster_id, held_wei, event.value_wei)
        )
    after = effects.withdraw(before, value_wei=value_wei, at=at.block)
    return adopted(state, event, at, after, divergences, [])


def cluster_liquidated(state: RegistryState, event: ClusterLiquidated, at: EventContext) -> Applied:
    """Settle everyone, then take the cluster out of the sums. What is left is up to the log."""
    before = parties_of(state, event)
    divergences = [*_known_cluster(state, before)]
    if not before.cluster.snapshot.active:
        divergences.append(Divergence(Aspect.ACTIVE, before.cluster.cluster_id, True, False))
        return adopted(state, event, at, before, divergences, [])
    held_wei = settle_cluster(before, at=at.block).snapshot.balance_wei
    paid_wei = Wei(max(0, held_wei - event.cluster.balance_wei))
    after = effects.liquidate(before, at=at.block, paid_at_most_wei=paid_wei).parties
    return adopted(state, event, at, after, divergences, [])


def cluster_reactivated(
    state: RegistryState, event: ClusterReactivated, at: EventContext
) -> Applied:
    """Put the cluster back into the sums, with today's indexes."""
    before = parties_of(state, event)
    divergences = [*_known_cluster(state, before)]
    if before.cluster.snapshot.active:
        divergences.append(Divergence(Aspect.ACTIVE, before.cluster.cluster_id, False, True))
        return adopted(state, event, at, before, divergences, [])
    deposit_wei = inferred_deposit(before, event.cluster, at)
    after = effects.reactivate(before, deposit_wei=deposit_wei, at=at.block)
    applied = adopted(state, event, at, after, divergences, [])
    return Applied(applied.changes, applied.refused, applied.divergences, deposit_wei)


def effective_balance_updated(
    state: RegistryState, event: ValidatorEffectiveBalanceUpdated, at: EventContext
) -> Applied:
    """Settle at the old effective balance, then record the new one."""
    record = state.validators.get((event.owner, event.public_key))
    cluster = state.clusters.get(event.cluster_id)
    if cluster is None or record is None or record.cluster_id != event.cluster_id:
        return Applied(divergences=(_missing(event.public_key),))
    after = effects.prove(
        state.parties(cluster),
        deposit_wei=Wei(0),
        difference_eth=event.effective_balance_eth - record.effective_balance_eth,
        at=at.block,
    )
    proven = replace(
        record,
        effective_balance_eth=event.effective_balance_eth,
        last_proof_slot=event.slot,
    )
    return Applied((ValidatorChanged(record, proven), *state.changes_to(after)))


def cluster_balance_updated(
    state: RegistryState, event: ClusterBalanceUpdated, at: EventContext
) -> Applied:
    """Adopt the struct that ends a proof, and compare the cluster's effective balance."""
    before = parties_of(state, event)
    key = before.cluster.cluster_id
    divergences = [*_known_cluster(state, before)]
    if event.effective_balance_eth != before.cluster.effective_balance_eth:
        divergences.append(
            Divergence(
                Aspect.EFFECTIVE_BALANCE,
                key,
                before.cluster.effective_balance_eth,
                event.effective_balance_eth,
            )
        )
    if event.block_number != at.block:
        divergences.append(Divergence(Aspect.BLOCK, key, at.block, event.block_number))
    after = effects.prove(before, deposit_wei=Wei(0), difference_eth=0, at=at.block)
    return adopted(state, event, at, after, divergences, [])


def debt_uncovered(state: RegistryState, event: DebtUncovered, at: EventContext) -> Applied:
    """Compare only: the settlement that the next log implies books the shortfall."""
    cluster = state.clusters.get(event.cluster_id)
    if cluster is None:
        missing = Divergence(Aspect.CLUSTER, event.cluster_id, None, event.cluster_id)
        return Applied(divergences=(missing,))
    added = effects.settle(state.parties(cluster), at=at.block).debt_added_units
    expected_wei = units_to_wei(added)
    if expected_wei == event.amount_wei:
        return Applied()
    found = Divergence(Aspect.UNCOVERED_DEBT, event.cluster_id, expected_wei, event.amount_wei)
    return Applied(divergences=(found,))


def parties_of(state: RegistryState, event: ClusterEvent) -> Parties:
    """The event's parties as the state has them, with an empty cluster if it is new."""
    key = cluster_id(event.owner, event.operator_ids)
    cluster = state.clusters.get(key) or new_cluster(
        event.owner, event.operator_ids, sequence=len(state.clusters) + 1
    )
    return state.parties(cluster)


def adopted(
    state: RegistryState,
    event: ClusterEvent,
    at: EventContext,
    predicted: Parties,
    divergences: list[Divergence],
    changes: list[Change],
) -> Applied:
    """Changes to the predicted accounts, with the event's struct in place of the predicted one.

    Whether the cluster counts in its operators' sums follows the struct in any case, so the sums
    stay true even after a log that cannot be.
    """
    found = event.cluster
    differences = [*divergences, *_differences(predicted.cluster, event)]
    if predicted.cluster.snapshot.active != found.active:
        predicted = _toggled(predicted, at)
    after = effects.with_snapshot(predicted, found)
    return Applied((*changes, *state.changes_to(after)), divergences=tuple(differences))


def _toggled(parties: Parties, at: EventContext) -> Parties:
    if parties.cluster.snapshot.active:
        return effects.liquidate(parties, at=at.block).parties
    return effects.reactivate(parties, deposit_wei=Wei(0), at=at.block)


def _differences(predicted: Cluster, event: ClusterEvent) -> Iterator[Divergence]:
    key, expected, found = predicted.cluster_id, predicted.snapshot, event.cluster
    if expected.network_fee_index != found.network_fee_index:
        yield Divergence(
            Aspect.NETWORK_FEE_INDEX,
            key,
            expected.network_fee_index,
            found.network_fee_index,
        )
    if expected.index != found.index:
        yield Divergence(Aspect.INDEX, key, expected.index, found.index)
    if expected.active != found.active:
        yield Divergence(Aspect.ACTIVE, key, expected.active, found.active)
    if expected.balance_wei != found.balance_wei:
        yield Divergence(Aspect.BALANCE, key, expected.balance_wei, found.balance_wei)
    ahead = found.validator_count - predicted.validator_count
    may_be_ahead = isinstance(event, ValidatorAdded) and ahead > 0
    may_be_behind = isinstance(event, ValidatorRemoved) and ahead < 0
    if ahead and not may_be_ahead and not may_be_behind:
        yield Divergence(
            Aspect.VALIDATOR_COUNT, key, predicted.validator_count, found.validator_count
        )


def unfinished_call(
    before: Parties, event: ValidatorAdded | ValidatorRemoved
) -> Iterator[Divergence]:
    """A new struct while logs of the last bulk call are still missing."""
    cluster = before.cluster
    is_new_call = event.cluster != cluster.snapshot
    if is_new_call and cluster.validator_count != cluster.snapshot.validator_count:
        yield Divergence(
            Aspect.VALIDATOR_COUNT,
            cluster.cluster_id,
            cluster.snapshot.validator_count,
            cluster.validator_count,
        )


def inferred_deposit(before: Parties, found: ClusterSnapshot, at: EventContext) -> Wei:
    """What must have been paid in for the event's balance; never below 0.

    A balance of 0 tells nothing about a deposit; then none is assumed. The contract refuses such
    a result wherever a collateral is required.
    """
    if found.balance_wei == 0:
        return Wei(0)
    is_active = before.cluster.snapshot.active
    usage_wei = units_to_wei(usage_units(before, at=at.block)) if is_active else 0
    paid_wei = found.balance_wei + usage_wei - before.cluster.snapshot.balance_wei
    return Wei(max(0, paid_wei))


def record_of(
    event: ValidatorAdded, key: ClusterId, nonce: int, reason: Refusal | None, at: EventContext
) -> Validator:
    """The record of a registration in the cluster of that key."""
    return Validator(
        owner=event.owner,
        public_key=PublicKey(event.public_key),
        cluster_id=key,
        nonce=nonce,
        shares_digest=sha256(event.shares).digest(),
        effective_balance_eth=BASELINE_ETH,
        last_proof_slot=Slot(0),
        refusal=reason,
        registered_at=at.block,
        exit_requested_at=None,
    )


def _known_cluster(state: RegistryState, before: Parties) -> Iterator[Divergence]:
    key = before.cluster.cluster_id
    if key not in state.clusters:
        yield Divergence(Aspect.CLUSTER, key, None, key)
    yield from _unknown_operators(state, before)


def _unknown_operators(state: RegistryState, before: Parties) -> Iterator[Divergence]:
    for operator_id in before.cluster.operator_ids:
        if operator_id not in state.operators:
            yield Divergence(Aspect.OPERATOR, operator_id, None, operator_id)


def _missing(public_key: bytes) -> Divergence:
    return Divergence(Aspect.VALIDATOR, public_key, None, public_key)
