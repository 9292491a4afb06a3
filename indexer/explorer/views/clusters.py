"""Clusters: the list, and one cluster with its funds, their history and what calls need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.api import routes_clusters
from indexer.api.parameters import ClusterPath, parse_cluster
from indexer.api.routes_clusters import required_cluster, show_clusters
from indexer.api.routes_liquidations import Remembered
from indexer.api.schemas import ClusterOut, operator_out, validator_out
from indexer.explorer.bounties import completed
from indexer.explorer.fields import Fields
from indexer.explorer.figures import column_texts
from indexer.explorer.funds import DAY_BLOCKS, GAUGE_DAYS, Funded, funded
from indexer.explorer.overhearing import first, overhear
from indexer.explorer.sheet import Asked
from indexer.explorer.steps import balance_chart, moves
from indexer.queries import clusters, operators, validators
from indexer.queries.clusters import ClusterFilter
from indexer.queries.network import network
from indexer.queries.reading import View
from indexer.queries.records import Cut, Page
from indexer.queries.validators import ValidatorFilter
from sdk.registry import BASELINE_ETH, Cluster
from sdk.types import MAX_OPERATOR_ID, ClusterId, OperatorId
from sdk.units import WEI_PER_ETHER, units_to_wei

router = APIRouter()
SORTS: Final = {
    "created": "Creation",
    "validators": "Validators",
    "effective_balance": "Effective balance",
}
ORDERS: Final = {"desc": "Descending", "asc": "Ascending"}
STATUSES: Final = {"active": "Active", "liquidated": "Liquidated"}
FILTERS: Final = ("owner", "operator", "status", "liquidatable")
MOST_LIQUIDATABLE: Final = 1_000
"""Looked for by their ids; the page of liquidations has the others."""
SHOWN: Final = 10
"""Entries of each list on a cluster's page; other pages have the rest."""
MOST_STEPS: Final = 200
"""Of the chart; the newest."""


@router.get("/clusters")
def cluster_list(request: Request, sheet: Asked) -> Response:
    """All clusters, the newest first."""
    fields = sheet.fields
    wanted = _wanted(fields)
    is_liquidatable = fields.flag("liquidatable")
    sort = fields.choice("sort", SORTS) or "created"
    order = fields.choice("order", ORDERS) or "desc"
    remembered: Remembered = request.app.state.liquidations

    def find(view: View, cut: Cut, backwards: bool) -> Page[Cluster]:
        chosen = wanted
        if is_liquidatable:
            chosen = ClusterFilter(
                ids=_liquidatable(remembered, view),
                owner=wanted.owner,
                operator_id=wanted.operator_id,
                is_active=wanted.is_active,
            )
        turned = (order == "desc") ^ backwards
        return clusters.clusters(view, chosen, cut, sort=sort, descending=turned)

    return sheet.show_list(
        "clusters.html",
        find,
        lambda view, found: {
            "clusters": shown(view, found),
            "sorts": SORTS,
            "orders": ORDERS,
            "statuses": STATUSES,
            "sort": sort,
            "order": order,
            "filled": fields.count(*FILTERS),
        },
    )


@router.get("/clusters/{cluster}")
def cluster_page(request: Request, sheet: Asked, cluster: ClusterPath) -> Response:
    """One cluster."""
    cluster_id = parse_cluster(cluster)

    def find(view: View) -> Mapping[str, Any]:
        record = required_cluster(view, cluster)
        name = "0x" + cluster_id.hex()
        detail = overhear(request, view, lambda ask: routes_clusters.get_cluster(ask, name))
        steps = overhear(
            request, view, lambda ask: routes_clusters.list_history(ask, first(MOST_STEPS), name)
        )
        steps = completed(view, cluster_id, steps)
        has, network_fee_wei = _operators(view, record), _network_fee_wei(view)
        return {
            "cluster": detail,
            "runway": funded(detail).runway,
            "snapshot": overhear(
                request, view, lambda ask: routes_clusters.get_snapshot(ask, name)
            ),
            "operators": has,
            "network_fee_wei": network_fee_wei,
            "fees": daily_fees(detail, [int(each.fee_wei) for each in has], network_fee_wei),
            "outcomes": outcomes(view, cluster_id),
            "validators": _validators(view, cluster_id),
            "moves": moves(steps)[:SHOWN],
            "balance": balance_chart(steps, detail, at=view.at, now_s=view.block.timestamp_s),
            "shown": SHOWN,
            "day_blocks": DAY_BLOCKS,
            "gauge_days": GAUGE_DAYS,
        }

    return sheet.show("cluster.html", find)


@dataclass(frozen=True, slots=True)
class DailyFees:
    """What a cluster pays a day, in ether, exact, as one column.

    Attributes:
        operators: in their order.
        total: all of it.
    """

    operators: list[str]
    network: str
    total: str


def daily_fees(cluster: ClusterOut, fees_wei: Sequence[int], network_wei: int) -> DailyFees:
    """The parts of what a cluster burns a day, and their sum.

    Args:
        cluster: with its effective balance and burn rate.
        fees_wei: of its operators, per block and 32 ETH.
        network_wei: the network's, likewise.
    """
    eth = cluster.effective_balance_eth
    # Exact: a fee is whole units of 100,000 wei, which 32 divides.
    parts = [each * eth // BASELINE_ETH * DAY_BLOCKS for each in (*fees_wei, network_wei)]
    total = int(cluster.burn_rate_wei) * DAY_BLOCKS
    *operators, network, together = column_texts([*parts, total], WEI_PER_ETHER)
    return DailyFees(operators, network, together)


def shown(view: View, found: Sequence[Cluster]) -> list[Funded]:
    """Clusters with their funds at the page's block."""
    return [funded(each) for each in show_clusters(view, found)]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of a cluster's registrations."""

    accepted: int
    refused: int
    exiting: int


def outcomes(view: View, cluster_id: ClusterId) -> Outcomes:
    """How many of a cluster's present registrations nodes act on."""
    count = partial(validators.count_validators, view)
    return Outcomes(
        accepted=count(ValidatorFilter(cluster_id=cluster_id, is_accepted=True)),
        refused=count(ValidatorFilter(cluster_id=cluster_id, is_accepted=False)),
        exiting=count(ValidatorFilter(cluster_id=cluster_id, is_exiting=True)),
    )


def _wanted(fields: Fields) -> ClusterFilter:
    operator = fields.whole("operator", least=1, most=MAX_OPERATOR_ID)
    status = fields.choice("status", STATUSES)
    return ClusterFilter(
        owner=fields.address("owner"),
        operator_id=None if operator is None else OperatorId(operator),
        is_active=None if status is None else status == "active",
    )


def _liquidatable(remembered: Remembered, view: View) -> list[ClusterId]:
    due = [each.parties.cluster for each in remembered.find(view) if each.block <= view.at]
    return [each.cluster_id for each in due[:MOST_LIQUIDATABLE]]


def _operators(view: View, record: Cluster) -> list[Any]:
    known = operators.by_ids(view, record.operator_ids)
    net = network(view)
    return [
        operator_out(known[each], net, at=view.at) for each in record.operator_ids if each in known
    ]


def _network_fee_wei(view: View) -> int:
    return units_to_wei(network(view).fee_units)


def _validators(view: View, cluster_id: ClusterId) -> list[Any]:
    wanted = ValidatorFilter(cluster_id=cluster_id)
    found = validators.validators(view, wanted, Cut(SHOWN))
    return list(map(validator_out, found.entries))
