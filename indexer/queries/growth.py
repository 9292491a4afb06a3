"""How many clusters were active at past blocks, from their first versions and a few logs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from sqlalchemy import func, select

from indexer.queries.reading import View
from indexer.store.tables import cluster_version, log
from sdk.types import BlockNumber


def active_clusters(view: View, blocks: Sequence[BlockNumber]) -> list[int]:
    """The number of active clusters at the end of each of some ascending blocks.

    All versions of all clusters would be a million rows; creations are one row per cluster, and
    liquidations and reactivations are few.
    """
    if not blocks:
        return []
    until = blocks[-1]
    # A cluster is never forgotten, so each has a current row, and its first is one look-up away.
    each_version = cluster_version.alias("each_version")
    first = (
        select(func.min(each_version.c.valid_from))
        .where(each_version.c.cluster_id == cluster_version.c.cluster_id)
        .scalar_subquery()
        .label("first")
    )
    begun = sorted(
        row.first for row in view.rows(select(first).where(cluster_version.c.valid_to.is_(None)))
    )
    changed = view.rows(
        select(log.c.block_number, log.c.name)
        .where(
            log.c.name.in_(("ClusterLiquidated", "ClusterReactivated")),
            log.c.block_number <= until,
        )
        .order_by(log.c.block_number)
    )
    ended = [row.block_number for row in changed if row.name == "ClusterLiquidated"]
    again = [row.block_number for row in changed if row.name == "ClusterReactivated"]
    return [
        bisect_right(begun, each) - bisect_right(ended, each) + bisect_right(again, each)
        for each in blocks
    ]
