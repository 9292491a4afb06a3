"""Clusters: lists, one by id, with whom they settle, and how their balance came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from indexer.project.records import CLUSTER
from indexer.queries.events import SORTS as EVENT_SORTS
from indexer.queries.events import EventRow, event_of, event_statement
from indexer.queries.network import network
from indexer.queries.operators import by_ids
from indexer.queries.prepared import Prepared
from indexer.queries.reading import View
from indexer.queries.records import (
    Cut,
    Listing,
    Page,
    asked_of,
    cluster_of,
    contains,
    in_order,
    one_of,
)
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
    return _LIST.page(view, asked_of(wanted), cut, sort=sort, descending=descending)


def count_clusters(view: View, wanted: ClusterFilter) -> int:
    """How many there are."""
    return _LIST.count(view, asked_of(wanted))


def cluster(view: View, cluster_id: ClusterId) -> Cluster | None:
    """The cluster, None if nobody had created it by then."""
    return by_cluster_ids(view, [cluster_id]).get(cluster_id)


def by_cluster_ids(view: View, ids: Sequence[ClusterId]) -> dict[ClusterId, Cluster]:
    """Those of some ids that exist."""
    found = map(cluster_of, view.ask(_BY_IDS, ids=sorted(set(ids))))
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
    return _STEPS.page(view, {"cluster_id": cluster_id}, cut, sort="chain", descending=True)


def last_step(view: View, cluster_id: ClusterId) -> EventRow | None:
    """The event whose struct calls must present."""
    return next(iter(steps(view, cluster_id, Cut(limit=1)).entries), None)


_TABLE: Final = cluster_version.c
_BY_IDS: Final = Prepared(
    lambda moment: in_order(
        CLUSTER, moment.holds(cluster_version), one_of(_TABLE.cluster_id, "ids")
    )
)
_LIST: Final = Listing(
    lambda moment: in_order(CLUSTER, moment.holds(cluster_version)),
    cluster_of,
    where={
        "ids": lambda _, ids: one_of(_TABLE.cluster_id, ids.key),
        "owner": lambda _, owner: _TABLE.owner == owner,
        "operator_id": lambda _, number: contains(_TABLE.operator_ids, number),
        "is_active": lambda _, flag: _TABLE.snapshot_active.is_(flag),
        "has_validators": lambda _, flag: (
            _TABLE.validator_count > 0 if flag else _TABLE.validator_count == 0
        ),
    },
    sorts=SORTS,
)
_STEPS: Final = Listing(
    lambda moment: event_statement().where(
        log.c.block_number <= moment.at, log.c.args.has_key("cluster")
    ),
    event_of,
    where={"cluster_id": lambda _, cluster_id: log.c.cluster_id == cluster_id},
    sorts=EVENT_SORTS,
)
