"""Clusters: lists, one by id, with whom they settle, and how their balance came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from sqlalchemy import Select, bindparam, exists, func, lateral, select, true

from indexer.project.records import CLUSTER
from indexer.queries.events import SORTS as EVENT_SORTS
from indexer.queries.events import EventRow, event_of, event_statement
from indexer.queries.network import network
from indexer.queries.operators import by_ids
from indexer.queries.prepared import Moment, Prepared, listed
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
from indexer.store.tables import cluster_version, log, suspect, validator_version
from sdk.registry import Cluster, Parties
from sdk.types import Address, BlockNumber, ClusterId, OperatorId

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
    found = map(cluster_of, view.ask(_BY_IDS, ids=listed(set(ids))))
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


@dataclass(frozen=True, slots=True)
class Step:
    """Where an event is that left a cluster with another struct."""

    block: BlockNumber
    log_index: int
    transaction_hash: bytes


def with_last_step(view: View, cluster_id: ClusterId) -> tuple[Cluster, Step | None] | None:
    """The cluster and the event whose struct calls must present; None if there is no cluster."""
    row = view.ask_first(_WITH_STEP, cluster_id=cluster_id)
    if row is None:
        return None
    has_step = row.step_block is not None
    step = Step(BlockNumber(row.step_block), row.step_index, row.step_hash) if has_step else None
    return cluster_of(row), step


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is to be said of a cluster beside its record.

    Attributes:
        refused: registrations that nodes do not act on.
        is_suspect: the contract's view of it differs now.
    """

    refused: int
    is_suspect: bool


def remarks(view: View, cluster_id: ClusterId) -> Remarks:
    """What is to be said of a cluster."""
    named = f"0x{cluster_id.hex()}"
    row = view.ask_first(_REMARKS, cluster_id=cluster_id, named=named)
    return Remarks(row.refused, row.is_suspect)


_TABLE: Final = cluster_version.c
_BY_IDS: Final = Prepared(
    lambda moment: in_order(
        CLUSTER, moment.holds(cluster_version), one_of(_TABLE.cluster_id, "ids")
    )
)


def _with_step(moment: Moment) -> Select[Any]:
    step = lateral(
        select(
            log.c.block_number.label("step_block"),
            log.c.log_index.label("step_index"),
            log.c.transaction_hash.label("step_hash"),
        )
        .where(
            log.c.cluster_id == bindparam("cluster_id"),
            log.c.block_number <= moment.at,
            log.c.args.has_key("cluster"),
        )
        .order_by(log.c.block_number.desc(), log.c.log_index.desc())
        .limit(1)
    ).alias("step")
    wanted = (moment.holds(cluster_version), _TABLE.cluster_id == bindparam("cluster_id"))
    return (
        in_order(CLUSTER, *wanted)
        .add_columns(*step.c)
        .select_from(cluster_version.outerjoin(step, true()))
    )


def _remarks(moment: Moment) -> Select[Any]:
    refused = select(func.count()).where(
        moment.holds(validator_version),
        validator_version.c.cluster_id == bindparam("cluster_id"),
        validator_version.c.refusal.is_not(None),
    )
    doubts = exists().where(suspect.c.subject == bindparam("named"))
    return select(refused.scalar_subquery().label("refused"), doubts.label("is_suspect"))


_WITH_STEP: Final = Prepared(_with_step)
_REMARKS: Final = Prepared(_remarks)
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
