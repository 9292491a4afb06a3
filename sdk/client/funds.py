"""Whether a cluster can pay after a call, and how much it needs; all figures by `sdk.registry`.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from sdk.client.values import BLOCKS_PER_DAY, ClusterState
from sdk.errors import ChainError, UsageError
from sdk.registry import runway
from sdk.units import format_ether


@dataclass(frozen=True, slots=True)
class Funding:
    """How much to pay in: an amount, or whatever a runway needs."""

    amount_wei: int | None
    runway_blocks: int | None

    @classmethod
    def of(
        cls, *, amount_wei: int | None, runway_days: int | None, default_wei: int | None = None
    ) -> Funding:
        """From the two ways in which a caller may say it.

        Raises:
            UsageError: `funding`, both or neither, or a negative number.
        """
        given = [each for each in (amount_wei, runway_days) if each is not None]
        if not given and default_wei is not None:
            return cls(default_wei, None)
        if len(given) != 1 or given[0] < 0:
            raise UsageError(
                f"the deposit is given as {amount_wei} wei and a runway of {runway_days} days",
                code="funding",
                hint="Give one of the two, not negative.",
            )
        blocks = None if runway_days is None else runway_days * BLOCKS_PER_DAY
        return cls(amount_wei, blocks)


def cluster_name(cluster: ClusterState) -> str:
    """The cluster in words."""
    ids = ", ".join(map(str, cluster.operator_ids))
    return f"the cluster of {cluster.owner} with operators {ids}"


def funded(cluster: ClusterState, funding: Funding, *, new_validators: int = 0) -> int:
    """Wei to pay in, in the next block."""
    if funding.runway_blocks is None:
        return funding.amount_wei or 0
    return runway.deposit_needed_wei(
        cluster.parties,
        for_blocks=funding.runway_blocks,
        at=cluster.next_block,
        new_validators=new_validators,
    )


def require_funds(cluster: ClusterState, deposit_wei: int, *, new_validators: int = 0) -> None:
    """Return if this deposit keeps the cluster from being liquidatable in the next block.

    Raises:
        ChainError: `underfunded`, with what is missing.
    """
    least = runway.deposit_needed_wei(
        cluster.parties, for_blocks=0, at=cluster.next_block, new_validators=new_validators
    )
    if deposit_wei >= least:
        return
    missing = least - deposit_wei
    raise ChainError(
        f"{cluster_name(cluster)} would be liquidatable at once: a deposit of {deposit_wei} wei is "
        f"{missing} wei ({format_ether(missing)} ETH) too small, {least} wei "
        f"({format_ether(least)} ETH) are the least",
        code="underfunded",
        hint="Pay in more, or name a runway in days; the least lasts for a single block.",
        data={"deposit_wei": deposit_wei, "least_wei": least, "missing_wei": missing},
    )


def require_active(cluster: ClusterState) -> None:
    """Return if the cluster is not liquidated.

    Raises:
        ChainError: `cluster_liquidated`.
    """
    if not cluster.snapshot.active:
        raise ChainError(
            f"{cluster_name(cluster)} is liquidated",
            code="cluster_liquidated",
            hint="Reactivate it first.",
            data={"owner": cluster.owner, "operator_ids": list(cluster.operator_ids)},
        )
