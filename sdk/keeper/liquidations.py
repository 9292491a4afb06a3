"""Which clusters can be liquidated, from which block on, and what that brings.

Pure. The block in which a cluster's balance falls below the threshold follows from its last log and
the fees, so it is computed when one of these changes, and nothing is asked about it until then.

Source: docs/fees.md, "Liquidation", "Bounty", "Runway".
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from sdk.events import ClusterSnapshot
from sdk.keeper.bidding import Market
from sdk.registry import (
    AccountChanged,
    Change,
    ClusterChanged,
    NetworkChanged,
    Operator,
    OperatorChanged,
    RegistryState,
    ValidatorChanged,
    WhitelistChanged,
    ledger,
    runway,
)
from sdk.types import Address, BlockNumber, ClusterId, OperatorId, Wei

SPARE_ENTRIES: Final = 64
"""Stale entries that the heap may hold beyond one per cluster before it is made anew."""


@dataclass(frozen=True, slots=True)
class Case:
    """A cluster that can be liquidated in the next block.

    Attributes:
        bounty_wei: what a stranger receives, at least, whatever the base fee does by then.
    """

    cluster_id: ClusterId
    owner: Address
    operator_ids: tuple[OperatorId, ...]
    snapshot: ClusterSnapshot
    bounty_wei: Wei


class Schedule:
    """Blocks from which on clusters can be liquidated, the earliest first.

    It holds one entry per cluster that uses its balance up, and is told of every change.
    """

    def __init__(self, state: RegistryState, *, at: BlockNumber) -> None:
        """All clusters of the registry.

        Args:
            state: of the registry, as of block `at`; `take` looks at it again.
            at: newest block.
        """
        self._state = state
        self._blocks: dict[ClusterId, BlockNumber] = {}
        self._heap: list[tuple[BlockNumber, ClusterId]] = []
        self._due: set[ClusterId] = set()
        self._place(state.clusters, at=at)

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def next_block(self) -> BlockNumber | None:
        """The earliest one; None if no cluster ever can be liquidated."""
        if self._due:
            return min(self._blocks[each] for each in self._due)
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def take(self, changes: Sequence[Change], *, at: BlockNumber) -> None:
        """Compute again what these changes may have moved.

        Args:
            changes: committed since; the state holds their outcome already. After a rollback make
                a new schedule: this one has forgotten from which block on a cluster was due.
            at: newest block.
        """
        moved: set[ClusterId] = set()
        for change in changes:
            match change:
                case ClusterChanged(before=before, after=after):
                    moved |= {each.cluster_id for each in (before, after) if each is not None}
                case OperatorChanged(before=before, after=after):
                    if _price(before) != _price(after):
                        one = before if after is None else after
                        if one is not None:
                            moved |= self._state.clusters_of_operator(one.operator_id)
                case NetworkChanged(before=earlier, after=later):
                    terms = (earlier.fee_units, earlier.parameters)
                    if terms != (later.fee_units, later.parameters):
                        moved |= {*self._state.clusters, *self._blocks}
                case ValidatorChanged() | AccountChanged() | WhitelistChanged():
                    pass
                case _:
                    assert_never(change)
        self._place(moved, at=at)

    def due(self, *, at: BlockNumber) -> list[ClusterId]:
        """Clusters that can be liquidated in block `at`, those longest overdue first."""
        self._drop_stale()
        while self._heap and self._heap[0][0] <= at:
            self._due.add(heapq.heappop(self._heap)[1])
            self._drop_stale()
        return sorted(self._due, key=lambda each: (self._blocks[each], each))

    def _place(self, clusters: Iterable[ClusterId], *, at: BlockNumber) -> None:
        for cluster_id in clusters:
            self._due.discard(cluster_id)
            cluster = self._state.clusters.get(cluster_id)
            block = None
            if cluster is not None:
                block = runway.liquidation_block(self._state.parties(cluster), at=at)
            if block is None:
                self._blocks.pop(cluster_id, None)
                continue
            self._blocks[cluster_id] = block
            heapq.heappush(self._heap, (block, cluster_id))
        if len(self._heap) > 2 * len(self._blocks) + SPARE_ENTRIES:
            self._heap = [(block, each) for each, block in self._blocks.items()]
            heapq.heapify(self._heap)
            self._due.clear()

    def _drop_stale(self) -> None:
        """Take entries off the top that a later change replaced."""
        while self._heap:
            block, cluster_id = self._heap[0]
            if self._blocks.get(cluster_id) == block and cluster_id not in self._due:
                return
            heapq.heappop(self._heap)


def case_of(
    state: RegistryState, cluster_id: ClusterId, *, at: BlockNumber, market: Market
) -> Case | None:
    """The case of a cluster, None if it cannot be liquidated in block `at` after all."""
    cluster = state.clusters.get(cluster_id)
    if cluster is None:
        return None
    parties = state.parties(cluster)
    if not ledger.is_liquidatable(parties, at=at):
        return None
    bounty = ledger.bounty_wei(
        balance_wei=ledger.settle_cluster(parties, at=at).snapshot.balance_wei,
        minimum_collateral_wei=parties.network.parameters.minimum_collateral_wei,
        base_fee_wei=Wei(market.least_base_fee_wei),
    )
    return Case(cluster_id, cluster.owner, cluster.operator_ids, cluster.snapshot, bounty)


def _price(operator: Operator | None) -> tuple[int, bool] | None:
    """What of an operator its clusters' runway depends on; settling it changes nothing."""
    return None if operator is None else (operator.fee_units, operator.removed_at is None)
