"""The fee arithmetic: settlement, burn rate, liquidation test, bounty.

Pure. Integers throughout. Debits round up, credits round down, so the sum of what clusters pay
is never below the sum of what operators and network receive. It changes no counts; `effects`
does. Mirrors the contract's ledger; docs/fees.md explains the formulas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sdk.errors import InvariantBroken
from sdk.events import ClusterSnapshot
from sdk.registry.records import BASELINE_ETH, Cluster, Network, Operator
from sdk.types import BlockNumber, FeeUnits, Wei
from sdk.units import units_down, units_to_wei

MAX_CREDIT_UNITS = 2**64 - 1
"""Credits have 64 bits on chain and saturate, because an overflow must not stop a liquidation."""
MAX_NETWORK_UNITS = 2**79 - 1
"""The network's credit and the uncovered debt share 80 bits with a sign, which no debt fills."""
BOUNTY_GAS = 300_000
"""Gas whose price at the block's base fee a liquidator may earn, so that liquidating pays even
when gas is dear."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Everyone whose account a call on one cluster touches.

    Attributes:
        operators: the cluster's operators, removed ones included, in the cluster's order.
    """

    cluster: Cluster
    operators: tuple[Operator, ...]
    network: Network


@dataclass(frozen=True, slots=True)
class Settlement:
    """What settling a cluster writes and finds.

    Attributes:
        snapshot: with current indexes and the balance after usage, never below 0.
        usage_units: used since the last settlement, rounded up.
        shortfall_units: part of the usage that the balance did not hold, rounded up.
    """

    snapshot: ClusterSnapshot
    usage_units: FeeUnits
    shortfall_units: FeeUnits


def operator_index(operator: Operator, *, at: BlockNumber) -> FeeUnits:
    """Sum of the operator's fee over all blocks up to `at`; frozen once removed."""
    if operator.removed_at is not None:
        return operator.index_units
    return FeeUnits(operator.index_units + _elapsed(operator.block, at) * operator.fee_units)


def network_index(network: Network, *, at: BlockNumber) -> FeeUnits:
    """Sum of the network fee over all blocks up to `at`."""
    return FeeUnits(network.index_units + _elapsed(network.block, at) * network.fee_units)


def settle_operator(operator: Operator, *, at: BlockNumber) -> Operator:
    """The operator with index, credit and block brought to `at`; a removed one is unchanged."""
    if operator.removed_at is not None or operator.block == at:
        return operator
    earned = _elapsed(operator.block, at) * operator.fee_units * operator.effective_balance_eth
    credit = operator.credit_units + earned // BASELINE_ETH
    # Written out, here as below: `replace` takes five times as long, and this is done for every
    # operator of every call.
    return Operator(
        operator_id=operator.operator_id,
        owner=operator.owner,
        public_key=operator.public_key,
        fee_units=operator.fee_units,
        block=at,
        index_units=operator_index(operator, at=at),
        credit_units=FeeUnits(min(credit, MAX_CREDIT_UNITS)),
        effective_balance_eth=operator.effective_balance_eth,
        validator_count=operator.validator_count,
        is_private=operator.is_private,
        whitelisting_contract=operator.whitelisting_contract,
        declared_fee=operator.declared_fee,
    )


def settle_network(network: Network, *, at: BlockNumber) -> Network:
    """The network with index and block brought to `at`; income pays the uncovered debt first."""
    if network.block == at:
        return network
    earned = _elapsed(network.block, at) * network.fee_units * network.effective_balance_eth
    settled = replace(network, index_units=network_index(network, at=at), block=at)
    return book(settled, FeeUnits(earned // BASELINE_ETH))


def book(network: Network, units: FeeUnits) -> Network:
    """The network after an income (positive) or a shortfall (negative).

    Credit and debt are two sides of one signed number. Netting them at once makes the outcome
    independent of the order in which incomes and shortfalls arrive.
    """
    if units == 0:
        return network
    net = network.credit_units - network.uncovered_debt_units + units
    return replace(
        network,
        credit_units=FeeUnits(min(max(net, 0), MAX_NETWORK_UNITS)),
        uncovered_debt_units=FeeUnits(min(max(-net, 0), MAX_NETWORK_UNITS)),
    )


def settle_cluster(parties: Parties, *, at: BlockNumber) -> Settlement:
    """The cluster's struct brought to `at`, and what it used on the way.

    Operators and network may be settled or not; their indexes at `at` are the same. An inactive
    cluster uses nothing and keeps its struct.
    """
    snapshot = parties.cluster.snapshot
    if not snapshot.active:
        return Settlement(snapshot, FeeUnits(0), FeeUnits(0))
    usage = usage_units(parties, at=at)
    balance_wei = Wei(max(0, snapshot.balance_wei - units_to_wei(usage)))
    settled = ClusterSnapshot(
        validator_count=snapshot.validator_count,
        network_fee_index=network_index(parties.network, at=at),
        index=cluster_index(parties, at=at),
        active=True,
        balance_wei=balance_wei,
    )
    shortfall = FeeUnits(max(0, usage - units_down(snapshot.balance_wei)))
    return Settlement(settled, usage, shortfall)


def cluster_index(parties: Parties, *, at: BlockNumber) -> FeeUnits:
    """Sum of the operators' indexes; a removed one adds its frozen index."""
    return FeeUnits(sum(operator_index(operator, at=at) for operator in parties.operators))


def accrued_per_baseline_units(parties: Parties, *, at: BlockNumber) -> FeeUnits:
    """What 32 ETH in this active cluster used since its last settlement, exact."""
    snapshot = parties.cluster.snapshot
    operators = cluster_index(parties, at=at) - snapshot.index
    network = network_index(parties.network, at=at) - snapshot.network_fee_index
    return FeeUnits(operators + network)


def usage_units(parties: Parties, *, at: BlockNumber) -> FeeUnits:
    """What the active cluster used since its last settlement, rounded up."""
    accrued = accrued_per_baseline_units(parties, at=at)
    return scale_up(accrued, effective_balance_eth=parties.cluster.effective_balance_eth)


def scale_up(units_per_baseline: int, *, effective_balance_eth: int) -> FeeUnits:
    """An amount quoted per 32 ETH, for this effective balance, rounded up."""
    return FeeUnits(-(-units_per_baseline * effective_balance_eth // BASELINE_ETH))


def fee_rate_units(parties: Parties) -> FeeUnits:
    """All operator fees and the network fee, per block and 32 ETH."""
    return FeeUnits(
        sum(operator.fee_units for operator in parties.operators) + parties.network.fee_units
    )


def burn_rate_wei(parties: Parties) -> Wei:
    """What the cluster uses per block, 0 if inactive. Exact: 32 divides the unit of 100,000."""
    cluster = parties.cluster
    if not cluster.snapshot.active:
        return Wei(0)
    per_baseline_wei = units_to_wei(fee_rate_units(parties))
    return Wei(per_baseline_wei * cluster.effective_balance_eth // BASELINE_ETH)


def liquidation_threshold_wei(parties: Parties, *, effective_balance_eth: int) -> Wei:
    """Balance below which a cluster of this effective balance can be liquidated.

    The minimum collateral, or the liquidation period's fees if they are more.
    """
    parameters = parties.network.parameters
    period_fees = parameters.liquidation_period_blocks * fee_rate_units(parties)
    period = units_to_wei(scale_up(period_fees, effective_balance_eth=effective_balance_eth))
    return Wei(max(parameters.minimum_collateral_wei, period))


def is_liquidatable(parties: Parties, *, at: BlockNumber) -> bool:
    """Whether anyone may liquidate the cluster at `at`; never if inactive or without validators."""
    cluster = parties.cluster
    if not cluster.snapshot.active or cluster.validator_count == 0:
        return False
    threshold = liquidation_threshold_wei(
        parties, effective_balance_eth=cluster.effective_balance_eth
    )
    return settle_cluster(parties, at=at).snapshot.balance_wei < threshold


def bounty_wei(*, balance_wei: Wei, minimum_collateral_wei: Wei, base_fee_wei: Wei) -> Wei:
    """What a liquidator who is not the owner receives; the rest stays with the cluster."""
    return Wei(min(balance_wei, max(2 * minimum_collateral_wei, BOUNTY_GAS * base_fee_wei)))


def _elapsed(since: BlockNumber, until: BlockNumber) -> int:
    if until < since:
        raise InvariantBroken(
            f"an account settled at block {since} cannot be read at block {until}",
            hint="Undo newer blocks before applying or reading an older one.",
        )
    return until - since
