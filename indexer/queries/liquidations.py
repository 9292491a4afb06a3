"""Clusters that can be liquidated now or soon, in the order in which it becomes possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from indexer.project.records import CLUSTER
from indexer.queries.clusters import parties
from indexer.queries.reading import View
from indexer.queries.records import cluster_of, in_order
from indexer.store.tables import cluster_version
from sdk.registry import Parties
from sdk.registry.funds import funds
from sdk.types import BlockNumber

MOST_CLUSTERS: Final = 50_000
"""Looked at for one answer; more than ten times what the network has."""


@dataclass(frozen=True, slots=True)
class Endangered:
    """A cluster and the first block in which anyone may liquidate it, at present fees."""

    parties: Parties
    block: BlockNumber


def endangered(view: View) -> list[Endangered]:
    """All active clusters that ever become liquidatable, soonest first.

    The block depends on fees of all operators, so it is computed and not stored; one answer serves
    until the next block.
    """
    table = cluster_version.c
    rows = view.rows(
        in_order(
            CLUSTER,
            view.holds(cluster_version),
            table.snapshot_active,
            table.validator_count > 0,
        )
        .order_by(table.sequence)
        .limit(MOST_CLUSTERS)
    )
    found = []
    for each in parties(view, list(map(cluster_of, rows))):
        block = funds(each, at=view.at).liquidation_block
        if block is not None:
            found.append(Endangered(each, block))
    return sorted(found, key=lambda each: (each.block, each.parties.cluster.sequence))
