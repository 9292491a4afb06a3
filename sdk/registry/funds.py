"""A cluster's funds at a block, all figures at once, for those who show many clusters.

Pure. The same figures as `ledger` and `runway` give one by one, which are the reference; sums that
they have in common are made once here, which takes a tenth of the time. Source: docs/fees.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from sdk.registry import ledger
from sdk.registry.ledger import Parties
from sdk.registry.records import BASELINE_ETH
from sdk.types import BlockNumber, Wei
from sdk.units import units_down, units_to_wei


@dataclass(frozen=True, slots=True)
class Funds:
    """What a cluster has and needs at a block, at present fees.

    Attributes:
        balance_wei: after what was used until the block.
        burn_rate_wei: per block, 0 if inactive.
        collateral_wei: balance below which anyone may liquidate it.
        withdrawable_wei: most that the owner can withdraw.
        liquidation_block: first block, not before this one, in which anyone may liquidate it; None
            for never.
    """

    balance_wei: Wei
    burn_rate_wei: Wei
    collateral_wei: Wei
    withdrawable_wei: Wei
    liquidation_block: BlockNumber | None


def funds(parties: Parties, *, at: BlockNumber) -> Funds:
    """The cluster's funds at a block that is not before any of its accounts' last settlement."""
    cluster = parties.cluster
    snapshot, eth = cluster.snapshot, cluster.effective_balance_eth
    rate_units = ledger.fee_rate_units(parties)
    parameters = parties.network.parameters
    period_units = ledger.scale_up(
        parameters.liquidation_period_blocks * rate_units, effective_balance_eth=eth
    )
    collateral_wei = max(parameters.minimum_collateral_wei, units_to_wei(period_units))
    if not snapshot.active:
        held_wei = snapshot.balance_wei
        return Funds(held_wei, Wei(0), Wei(collateral_wei), held_wei, None)
    accrued_units = ledger.accrued_per_baseline_units(parties, at=at)
    used_units = ledger.scale_up(accrued_units, effective_balance_eth=eth)
    balance_wei = max(0, snapshot.balance_wei - units_to_wei(used_units))
    burn_rate_wei = units_to_wei(rate_units) * eth // BASELINE_ETH
    has_validators = cluster.validator_count > 0
    ends: int | None = None
    if has_validators and balance_wei < collateral_wei:
        ends = at
    elif eth > 0 and rate_units > 0 and collateral_wei > 0:
        # Safe after d blocks ⇔ ceil((accrued + d·rate)·eth / 32) ≤ spendable, all integers.
        spendable_units = units_down(Wei(snapshot.balance_wei - collateral_wei))
        affordable_units = spendable_units * BASELINE_ETH // eth
        ends = at + (affordable_units - accrued_units) // rate_units + 1
    return Funds(
        balance_wei=Wei(balance_wei),
        burn_rate_wei=Wei(burn_rate_wei),
        collateral_wei=Wei(collateral_wei),
        withdrawable_wei=Wei(
            max(0, balance_wei - collateral_wei) if has_validators else balance_wei
        ),
        liquidation_block=None if ends is None else BlockNumber(ends),
    )
