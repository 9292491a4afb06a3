"""The cluster struct that events carry and calls take.

Pure value. Its on-chain commitment is in `sdk.registry.snapshot`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sdk.types import Wei


@dataclass(frozen=True, slots=True)
class ClusterSnapshot:
    """A cluster's struct as last emitted, in ABI order.

    Attributes:
        validator_count: validators registered in the cluster.
        network_fee_index: network index at the last settlement, fee units per 32 ETH.
        index: sum of the operators' indexes at the last settlement, fee units per 32 ETH.
        active: false after a liquidation; then both indexes are 0.
        balance_wei: balance after the last settlement; what was used since is not yet taken.
    """

    validator_count: int
    network_fee_index: int
    index: int
    active: bool
    balance_wei: Wei


EMPTY_SNAPSHOT = ClusterSnapshot(0, 0, 0, True, Wei(0))
"""What a caller passes for a cluster that does not exist yet."""
