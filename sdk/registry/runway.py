"""How long a cluster's balance lasts, and what must be paid in for longer.

Pure. Answers are exact at present fees, counts and effective balances, in blocks; turning blocks
into days is a choice of display. Nothing foresees a fee change. Source: docs/fees.md.
"""

from __future__ import annotations

from sdk.errors import InputError
from sdk.registry.ledger import (
    Parties,
    accrued_per_baseline_units,
    fee_rate_units,
    is_liquidatable,
    liquidation_threshold_wei,
    scale_up,
    settle_cluster,
)
from sdk.registry.records import BASELINE_ETH
from sdk.types import BlockNumber, Wei
from sdk.units import units_down, units_to_wei, units_up


def runway_blocks(parties: Parties, *, at: BlockNumber) -> int | None:
    """Most blocks that can pass after `at` with the cluster still safe from liquidation.

    0 both if it is safe at `at` but not in the next block, and if it is liquidatable already;
    `liquidation_block` tells these apart. None if it never becomes liquidatable: without
    validators, without fees, or inactive.
    """
    if is_liquidatable(parties, at=at):
        return 0
    cluster = parties.cluster
    eth = cluster.effective_balance_eth
    rate_units = fee_rate_units(parties)
    threshold_wei = liquidation_threshold_wei(parties, effective_balance_eth=eth)
    is_burning = cluster.snapshot.active and eth > 0 and rate_units > 0
    if not is_burning or threshold_wei == 0:
        return None
    # Safe after d blocks ⇔ ceil((accrued + d·rate)·eth / 32) ≤ spendable, all integers.
    spendable_units = units_down(cluster.snapshot.balance_wei - threshold_wei)
    affordable_units = spendable_units * BASELINE_ETH // eth
    return (affordable_units - accrued_per_baseline_units(parties, at=at)) // rate_units


def liquidation_block(parties: Parties, *, at: BlockNumber) -> BlockNumber | None:
    """First block, not before `at`, in which anyone may liquidate the cluster; None for never."""
    if is_liquidatable(parties, at=at):
        return at
    blocks = runway_blocks(parties, at=at)
    return None if blocks is None else BlockNumber(at + blocks + 1)


def deposit_needed_wei(
    parties: Parties, *, for_blocks: int, at: BlockNumber, new_validators: int = 0
) -> Wei:
    """Smallest payment at `at`, in whole units, that gives a runway of at least `for_blocks`.

    For an active cluster without new validators it is a plain deposit, with new ones it comes
    with their registration (32 ETH each), for a liquidated cluster with the reactivation.

    Raises:
        InputError: `cluster_liquidated`, new validators for a liquidated cluster, which must be
            reactivated first; `negative`, a negative number.
    """
    if for_blocks < 0 or new_validators < 0:
        raise InputError(
            f"blocks ({for_blocks}) and new validators ({new_validators}) must not be negative",
            code="negative",
        )
    cluster = parties.cluster
    snapshot = cluster.snapshot
    if new_validators and not snapshot.active:
        raise InputError(
            "a liquidated cluster takes no validators",
            code="cluster_liquidated",
            hint="Reactivate it first.",
        )
    if cluster.validator_count + new_validators == 0:
        return Wei(0)
    eth = cluster.effective_balance_eth + new_validators * BASELINE_ETH
    future_units = for_blocks * fee_rate_units(parties)
    settled_units = 0
    if new_validators:
        # Registration settles at the old effective balance, so the two parts round separately.
        settled_units = settle_cluster(parties, at=at).usage_units
    elif snapshot.active:
        future_units += accrued_per_baseline_units(parties, at=at)
    used_units = settled_units + scale_up(future_units, effective_balance_eth=eth)
    threshold_wei = liquidation_threshold_wei(parties, effective_balance_eth=eth)
    if threshold_wei == 0:
        return Wei(0)  # no balance is below it, so the runway has no end
    missing_wei = threshold_wei + units_to_wei(used_units) - snapshot.balance_wei
    return units_to_wei(units_up(max(0, missing_wei)))


def withdrawable_wei(parties: Parties, *, at: BlockNumber) -> Wei:
    """Most that the owner can withdraw at `at`; with validators the threshold must stay."""
    cluster = parties.cluster
    held_wei = settle_cluster(parties, at=at).snapshot.balance_wei
    if not cluster.snapshot.active or cluster.validator_count == 0:
        return held_wei
    kept_wei = liquidation_threshold_wei(
        parties, effective_balance_eth=cluster.effective_balance_eth
    )
    return Wei(max(0, held_wei - kept_wei))
