"""Clusters: lists, one by id, with whom they settle, and how their balance came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from sqlalchemy import ColumnElement, func, select

from indexer.project.records import CLUSTER
from indexer.queries.events import EventRow, event_of, event_statement
from indexer.queries.network import network
from indexer.queries.operators import by_ids
from indexer.queries.reading import View
from indexer.queries.records import Cut, Page, cluster_of, contains, in_order, page
from indexer.store.tables import cluster_version, log
from sdk.registry import Cluster, Parties
from sdk.types import Address, ClusterId, OperatorId

SORTS: Final = {
    "created": (cluster_version.c.sequence,),
    "validators": (cluster_version.c.validator_count, cluster_version.c.sequence),
    "effective_balance": (cluster_version.c.effective_balance_eth, cluster_version.c.sequence),
}
"""Orders of the list; the number under which a cluster was created breaks ties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFilter:
    """Which clusters; what is None is not asked."""

    ids: Sequence[ClusterId] | None = None
    owner: Address | None = None
    operator_id: OperatorId | None = None
    is_active: bool | None = None
    has_validators: bool | None = None


def clusters(
    view: View, wanted: ClusterFilter, cut: Cut, *, sort: str = "created", descending: bool = False
) -> Page[Cluster]:
    """One page of the list; `sort` is a key of `SORTS`."""
    return page(
        view,
        in_order(CLUSTER, view.holds(cluster_version), *_conditions(wanted)),
        by=SORTS[sort],
        descending=descending,
        cut=cut,
        read=cluster_of,
    )


def count_clusters(view: View, wanted: ClusterFilter) -> int:
    """How many there are."""
    return view.number(
        select(func.count()).where(view.holds(cluster_version), *_conditions(wanted))
    )


def cluster(view: View, cluster_id: ClusterId) -> Cluster | None:
    """The cluster, None if nobody had created it by then."""
    return next(iter(by_cluster_ids(view, [cluster_id]).values()), None)


def by_cluster_ids(view: View, ids: Sequence[ClusterId]) -> dict[ClusterId, Cluster]:
    """Those of some ids that exist."""
    statement = in_order(
        CLUSTER, view.holds(cluster_version), cluster_version.c.cluster_id.in_(set(ids))
    )
    found = map(cluster_of, view.rows(statement))
    return {each.cluster_id: each for each in found}


def parties(view: View, found: Sequence[Cluster]) -> list[Parties]:
    """Each cluster with its known operators and the network, from which money is computed."""
    if not found:
        return []
    ids = set(chain.from_iterable(each.operator_ids for each in found))
    known = by_ids(view, sorted(ids))
    net = network(view)
    return [
        Parties(
            each,
            # Without repetitions, which the contract excludes but a log could contain.
            tuple(known[id] for id in dict.fromkeys(each.operator_ids) if id in known),
            net,
        )
        for each in found
    ]


def steps(view: View, cluster_id: ClusterId, cut: Cut) -> Page[EventRow]:
    """Events that left the cluster with another struct, the newest first."""
    return page(
        view,
        event_statement().where(
            log.c.cluster_id == cluster_id,
            log.c.block_number <= view.at,
            log.c.args.has_key("cluster"),
        ),
        by=(log.c.block_number, log.c.log_index),
        descending=True,
        cut=cut,
        read=event_of,
    )


def last_step(view: View, cluster_id: ClusterId) -> EventRow | None:
    """The event whose struct calls must present."""
    return next(iter(steps(view, cluster_id, Cut(limit=1)).entries), None)


def _conditions(wanted: ClusterFilter) -> list[ColumnElement[bool]]:
    table = cluster_version.c
    found: list[ColumnElement[bool]] = []
    if wanted.ids is not None:
        found.append(table.cluster_id.in_(set(wanted.ids)))
    if wanted.owner is not None:
        found.append(table.owner == wanted.owner)
    if wanted.operator_id is not None:
        found.append(contains(table.operator_ids, wanted.operator_id))
    if wanted.is_active is not None:
        found.append(table.snapshot_active.is_(wanted.is_active))
    if wanted.has_validators is not None:
        count = table.validator_count
        found.append(count > 0 if wanted.has_validators else count == 0)
    return found
