"""What a liquidation took from a balance: fees until then, and what the liquidator was paid.

Its log tells only what is left. The rest follows from the struct before it and from the fees that
were charged at its block, as the ledger computes them. Reads the tables, computes nothing of its
own. Source: docs/fees.md (Liquidation, What the logs tell).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from indexer.api.routes_clusters import StepOut
from indexer.queries import clusters
from indexer.queries.reading import Block, View
from indexer.queries.records import Cut
from sdk.events import ClusterSnapshot
from sdk.registry import Cluster, ledger
from sdk.types import BlockNumber, ClusterId, Wei

MOST_LIQUIDATIONS: Final = 10
"""Of one cluster, the newest; each takes a look at the tables of its block."""
_LIQUIDATED: Final = "ClusterLiquidated"


def completed(view: View, cluster_id: ClusterId, steps: Sequence[StepOut]) -> list[StepOut]:
    """The steps, with what each liquidation charged and paid.

    Args:
        view: of the page.
        cluster_id: whose steps they are.
        steps: the newest first.
    """
    newest = [each for each in steps if each.event == _LIQUIDATED][:MOST_LIQUIDATIONS]
    places = {(each.block, each.log_index) for each in newest}
    return [
        _completed(view, cluster_id, each) if (each.block, each.log_index) in places else each
        for each in steps
    ]


def _completed(view: View, cluster_id: ClusterId, step: StepOut) -> StepOut:
    """One liquidation; unknown stays unknown if the tables contradict the log."""
    before = _struct_before(view, cluster_id, step)
    if before is None:
        return step
    left_wei = int(step.balance_wei)
    settled_wei = _settled_wei(view, cluster_id, before, at=step.block)
    if not left_wei <= settled_wei <= before.balance_wei:
        return step
    return step.model_copy(
        update={
            "out_wei": str(settled_wei - left_wei),
            "fees_wei": str(before.balance_wei - settled_wei),
        }
    )


def _struct_before(view: View, cluster_id: ClusterId, step: StepOut) -> ClusterSnapshot | None:
    """What the liquidation was called with."""
    behind = Cut(1, (step.block, step.log_index))
    found = next(iter(clusters.steps(view, cluster_id, behind).entries), None)
    if found is None:
        return None
    struct = found.args["cluster"]
    return ClusterSnapshot(
        validator_count=int(struct["validatorCount"]),
        network_fee_index=int(struct["networkFeeIndex"]),
        index=int(struct["index"]),
        active=bool(struct["active"]),
        balance_wei=Wei(int(struct["balance"])),
    )


def _settled_wei(view: View, cluster_id: ClusterId, before: ClusterSnapshot, *, at: int) -> Wei:
    """Its balance at the liquidation, before anything was paid."""
    # A block earlier the effective balance was still what fees were charged for: a proof settles
    # first. Fees that changed in the block itself leave the indexes at it as they were.
    number = BlockNumber(max(at - 1, view.position.first_block))
    earlier = replace(view, block=Block(number, None, None))
    record: Cluster | None = clusters.cluster(earlier, cluster_id)
    if record is None:
        # Created in the same block, so nothing was charged.
        return before.balance_wei
    parties = clusters.parties(earlier, [replace(record, snapshot=before)])[0]
    return ledger.settle_cluster(parties, at=BlockNumber(at)).snapshot.balance_wei
