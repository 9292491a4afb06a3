"""What each state-changing call does to the accounts.

Pure. The caller made the contract's checks already; here a broken precondition is a bug. Shared
by the reducer (which learns of calls through logs), the accounting replay and the contract's
fuzzing model. Every cluster call settles first, at the old effective balance and the old fees,
then changes. Validator records are not accounts and stay outside. Source: docs/fees.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

from sdk.errors import InvariantBroken
from sdk.events import ClusterSnapshot
from sdk.registry.ledger import (
    Parties,
    book,
    cluster_index,
    network_index,
    settle_cluster,
    settle_network,
    settle_operator,
)
from sdk.registry.records import BASELINE_ETH, Cluster, Network, Operator
from sdk.types import BlockNumber, FeeUnits, Wei
from sdk.units import units_down


@dataclass(frozen=True, slots=True)
class Settled:
    """Parties after settlement.

    Attributes:
        debt_added_units: what the network's credit could not bear of a shortfall; above 0 the
            contract emits `DebtUncovered`, before every other log that follows from the call.
    """

    parties: Parties
    usage_units: FeeUnits
    shortfall_units: FeeUnits
    debt_added_units: FeeUnits


@dataclass(frozen=True, slots=True)
class Liquidated:
    """Parties after a liquidation, and what the caller is paid."""

    parties: Parties
    paid_wei: Wei


def settle(parties: Parties, *, at: BlockNumber) -> Settled:
    """Settle operators, network and cluster, and book a shortfall. Twice in a block is once."""
    settlement = settle_cluster(parties, at=at)
    network = settle_network(parties.network, at=at)
    charged = book(network, FeeUnits(-settlement.shortfall_units))
    settled = Parties(
        cluster=_held(parties.cluster, settlement.snapshot),
        operators=tuple(settle_operator(operator, at=at) for operator in parties.operators),
        network=charged,
    )
    added = FeeUnits(charged.uncovered_debt_units - network.uncovered_debt_units)
    return Settled(settled, settlement.usage_units, settlement.shortfall_units, added)


def register(parties: Parties, *, validators: int, deposit_wei: Wei, at: BlockNumber) -> Parties:
    """`registerValidator`, `bulkRegisterValidator`: the deposit joins before settlement."""
    _require(parties.cluster.snapshot.active, "a liquidated cluster takes no registration")
    settled = settle(deposit(parties, value_wei=deposit_wei), at=at).parties
    return _weigh(settled, validators=validators, eth=validators * BASELINE_ETH)


def remove(
    parties: Parties, *, validators: int, effective_balance_eth: int, at: BlockNumber
) -> Parties:
    """`removeValidator`, `bulkRemoveValidator`; `effective_balance_eth` is that of the removed.

    In a liquidated cluster only its own count and effective balance change.
    """
    settled = parties
    if parties.cluster.snapshot.active:
        settled = settle(parties, at=at).parties
    return _weigh(settled, validators=-validators, eth=-effective_balance_eth)


def deposit(parties: Parties, *, value_wei: Wei) -> Parties:
    """`deposit`: settles nothing."""
    if value_wei == 0:
        return parties
    balance_wei = parties.cluster.snapshot.balance_wei + value_wei
    return with_snapshot(parties, replace(parties.cluster.snapshot, balance_wei=Wei(balance_wei)))


def withdraw(parties: Parties, *, value_wei: Wei, at: BlockNumber) -> Parties:
    """`withdraw`: settles the cluster only.

    A shortfall touches the network too, but only while neither collateral nor fees are required
    can a call with one succeed (`ledger.is_liquidatable`).
    """
    settlement = settle_cluster(parties, at=at)
    rest_wei = settlement.snapshot.balance_wei - value_wei
    _require(rest_wei >= 0, f"withdrawal of {value_wei} wei is {-rest_wei} wei above the balance")
    network = parties.network
    if settlement.shortfall_units:
        network = settle(parties, at=at).parties.network
    after = replace(settlement.snapshot, balance_wei=Wei(rest_wei))
    return replace(with_snapshot(parties, after), network=network)


def liquidate(
    parties: Parties, *, at: BlockNumber, paid_at_most_wei: Wei | None = None
) -> Liquidated:
    """`liquidate`, and the end of a proof that leaves the cluster liquidatable.

    A stranger is paid at most `ledger.bounty_wei`; None pays the whole balance, as the owner gets.
    """
    _require(parties.cluster.snapshot.active, "the cluster is liquidated already")
    settled = settle(parties, at=at).parties
    snapshot = settled.cluster.snapshot
    paid_wei = snapshot.balance_wei
    if paid_at_most_wei is not None:
        paid_wei = min(paid_wei, paid_at_most_wei)
    after = ClusterSnapshot(
        validator_count=snapshot.validator_count,
        network_fee_index=0,
        index=0,
        active=False,
        balance_wei=Wei(snapshot.balance_wei - paid_wei),
    )
    return Liquidated(with_snapshot(_enlist(settled, sign=-1), after), Wei(paid_wei))


def reactivate(parties: Parties, *, deposit_wei: Wei, at: BlockNumber) -> Parties:
    """`reactivate`: nothing was used while inactive, so both indexes start at today's."""
    snapshot = parties.cluster.snapshot
    _require(not snapshot.active, "the cluster is active already")
    settled = settle(parties, at=at).parties
    after = ClusterSnapshot(
        validator_count=snapshot.validator_count,
        network_fee_index=network_index(settled.network, at=at),
        index=cluster_index(settled, at=at),
        active=True,
        balance_wei=Wei(snapshot.balance_wei + deposit_wei),
    )
    return with_snapshot(_enlist(settled, sign=1), after)


def prove(parties: Parties, *, deposit_wei: Wei, difference_eth: int, at: BlockNumber) -> Parties:
    """`proveEffectiveBalances` up to its liquidation test.

    `difference_eth` is new minus recorded effective balance, summed over the proven validators.
    """
    funded = deposit(parties, value_wei=deposit_wei)
    if funded.cluster.snapshot.active:
        funded = settle(funded, at=at).parties
    return _weigh(funded, validators=0, eth=difference_eth)


def change_operator_fee(operator: Operator, *, fee_units: FeeUnits, at: BlockNumber) -> Operator:
    """`executeOperatorFee`, `reduceOperatorFee`: the old fee holds up to and including `at`."""
    return replace(settle_operator(operator, at=at), fee_units=fee_units, declared_fee=None)


def remove_operator(operator: Operator, *, at: BlockNumber) -> tuple[Operator, FeeUnits]:
    """`removeOperator`: the operator with a frozen index, and the units paid to its owner."""
    settled = settle_operator(operator, at=at)
    removed = replace(
        settled,
        fee_units=FeeUnits(0),
        credit_units=FeeUnits(0),
        effective_balance_eth=0,
        validator_count=0,
        whitelisting_contract=None,
        declared_fee=None,
        removed_at=at,
    )
    return removed, settled.credit_units


def withdraw_earnings(operator: Operator, *, units: FeeUnits, at: BlockNumber) -> Operator:
    """`withdrawOperatorEarnings`, `withdrawAllOperatorEarnings`."""
    settled = settle_operator(operator, at=at)
    rest = settled.credit_units - units
    _require(rest >= 0, f"operator {operator.operator_id} withdraws {-rest} units above its credit")
    return replace(settled, credit_units=FeeUnits(rest))


def change_network_fee(network: Network, *, fee_units: FeeUnits, at: BlockNumber) -> Network:
    """`updateNetworkFee`: the old fee holds up to and including `at`."""
    return replace(settle_network(network, at=at), fee_units=fee_units)


def withdraw_network_earnings(network: Network, *, units: FeeUnits, at: BlockNumber) -> Network:
    """`withdrawNetworkEarnings`; impossible while debt is uncovered, for then credit is 0."""
    settled = settle_network(network, at=at)
    rest = settled.credit_units - units
    _require(rest >= 0, f"network withdrawal is {-rest} units above the credit")
    return replace(settled, credit_units=FeeUnits(rest))


def cover_debt(network: Network, *, value_wei: Wei, at: BlockNumber) -> Network:
    """`coverDebt`: counts as income in whole units, so what exceeds the debt is credit."""
    return book(settle_network(network, at=at), units_down(value_wei))


def _weigh(parties: Parties, *, validators: int, eth: int) -> Parties:
    """Change the cluster's count and effective balance, and its parties' if it is active."""
    cluster = parties.cluster
    held = cluster.snapshot
    snapshot = ClusterSnapshot(
        validator_count=held.validator_count + validators,
        network_fee_index=held.network_fee_index,
        index=held.index,
        active=held.active,
        balance_wei=held.balance_wei,
    )
    if cluster.validator_count + validators < 0 or cluster.effective_balance_eth + eth < 0:
        _break(f"cluster 0x{cluster.cluster_id.hex()} would have a negative count or balance")
    weighed = Cluster(
        cluster_id=cluster.cluster_id,
        owner=cluster.owner,
        operator_ids=cluster.operator_ids,
        sequence=cluster.sequence,
        snapshot=snapshot,
        validator_count=cluster.validator_count + validators,
        effective_balance_eth=cluster.effective_balance_eth + eth,
    )
    if not snapshot.active:
        return Parties(weighed, parties.operators, parties.network)
    added = _add(parties, validators=validators, eth=eth)
    return Parties(weighed, added.operators, added.network)


def _enlist(parties: Parties, *, sign: int) -> Parties:
    """Add the whole cluster to its parties' sums, or take it out."""
    cluster = parties.cluster
    return _add(
        parties,
        validators=sign * cluster.validator_count,
        eth=sign * cluster.effective_balance_eth,
    )


def _add(parties: Parties, *, validators: int, eth: int) -> Parties:
    """Change the sums of the network and of every operator that still exists.

    Removed operators are skipped in both directions: their sums are 0 for ever.
    """
    network = parties.network
    operators = tuple(
        operator if operator.removed_at is not None else _counted(operator, validators, eth)
        for operator in parties.operators
    )
    counted = replace(
        network,
        validator_count=_sum(network.validator_count, validators),
        effective_balance_eth=_sum(network.effective_balance_eth, eth),
    )
    return Parties(parties.cluster, operators, counted)


def _counted(operator: Operator, validators: int, eth: int) -> Operator:
    """The operator with other sums. Written out, as `replace` takes five times as long."""
    return Operator(
        operator_id=operator.operator_id,
        owner=operator.owner,
        public_key=operator.public_key,
        fee_units=operator.fee_units,
        block=operator.block,
        index_units=operator.index_units,
        credit_units=operator.credit_units,
        effective_balance_eth=_sum(operator.effective_balance_eth, eth),
        validator_count=_sum(operator.validator_count, validators),
        is_private=operator.is_private,
        whitelisting_contract=operator.whitelisting_contract,
        declared_fee=operator.declared_fee,
        removed_at=operator.removed_at,
    )


def _sum(total: int, difference: int) -> int:
    if total + difference < 0:
        _break(f"a sum of {total} would become {total + difference}")
    return total + difference


def with_snapshot(parties: Parties, snapshot: ClusterSnapshot) -> Parties:
    """The same accounts with another struct of the cluster."""
    return Parties(_held(parties.cluster, snapshot), parties.operators, parties.network)


def _held(cluster: Cluster, snapshot: ClusterSnapshot) -> Cluster:
    """The cluster with another struct. Written out, as `replace` takes five times as long."""
    return Cluster(
        cluster_id=cluster.cluster_id,
        owner=cluster.owner,
        operator_ids=cluster.operator_ids,
        sequence=cluster.sequence,
        snapshot=snapshot,
        validator_count=cluster.validator_count,
        effective_balance_eth=cluster.effective_balance_eth,
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        _break(message)


def _break(message: str) -> NoReturn:
    raise InvariantBroken(message, hint="The caller must make the contract's checks first.")
