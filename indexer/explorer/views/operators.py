"""Operators: the list, and one operator with its fee, its history and what belongs to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from indexer.api.parameters import OperatorIdPath
from indexer.api.routes_clusters import show_clusters
from indexer.api.routes_operators import required_operators, show_operators
from indexer.api.schemas import event_out, validator_out
from indexer.explorer import charts
from indexer.explorer.charts import Chart
from indexer.explorer.fields import Fields
from indexer.explorer.figures import amount_text, axis_text, yearly_wei
from indexer.explorer.funds import Funded, funded
from indexer.explorer.sheet import Asked
from indexer.queries import clusters, events, operators, validators
from indexer.queries.clusters import ClusterFilter
from indexer.queries.events import EventFilter
from indexer.queries.network import network
from indexer.queries.operators import OperatorFilter
from indexer.queries.reading import View
from indexer.queries.records import Cut, Page
from indexer.queries.validators import ValidatorFilter
from sdk.registry import Operator
from sdk.types import OperatorId, checksum_address
from sdk.units import parse_gwei, units_down

router = APIRouter()
SORTS: Final = {
    "id": "Id",
    "fee": "Fee",
    "validators": "Validators",
    "effective_balance": "Effective balance",
}
ORDERS: Final = {"asc": "Lowest first", "desc": "Highest first"}
STATUSES: Final = {"registered": "Registered", "removed": "Removed", "all": "All"}
MOST_ROOM: Final = 1_000_000
"""Far more than an operator may have."""
SHOWN: Final = 10
"""Entries of each list on an operator's page; other pages have the rest."""
LISTED: Final = 20
"""Addresses of its whitelist that are shown."""
MOST_FEES: Final = 200
"""Changes of the fee in the chart; the newest."""
FEES: Final = ("OperatorAdded", "OperatorFeeExecuted", "OperatorRemoved")
"""Events after which another fee is charged."""
FILTERS: Final = ("owner", "private", "status", "room", "max_fee", "allows")


@router.get("/operators")
def operator_list(sheet: Asked) -> Response:
    """All operators, those with most validators first."""
    fields = sheet.fields
    wanted = _wanted(fields)
    room = fields.whole("room", most=MOST_ROOM)
    sort = fields.choice("sort", SORTS) or "validators"
    # Cheap ones and low ids are looked for first, but the largest.
    order = fields.choice("order", ORDERS) or ("asc" if sort in ("id", "fee") else "desc")

    def find(view: View, cut: Cut, backwards: bool) -> Page[Operator]:
        chosen = wanted
        if room is not None:
            limit = network(view).parameters.validators_per_operator_limit
            chosen = replace(wanted, most_validators=limit - room)
        turned = (order == "desc") ^ backwards
        return operators.operators(view, chosen, cut, sort=sort, descending=turned)

    return sheet.show_list(
        "operators.html",
        find,
        lambda view, found: {
            "operators": show_operators(view, found),
            "sorts": SORTS,
            "orders": ORDERS,
            "statuses": STATUSES,
            "sort": sort,
            "order": order,
            "filled": fields.count(*FILTERS),
        },
    )


@router.get("/operators/{operator_id}")
def operator_page(sheet: Asked, operator_id: OperatorIdPath) -> Response:
    """One operator."""

    def find(view: View) -> dict[str, object]:
        record = required_operators(view, [operator_id])[0]
        id = record.operator_id
        wanted = ValidatorFilter(operator_id=id)
        listed = operators.whitelist(view, id, Cut(LISTED))
        return {
            "operator": show_operators(view, [record])[0],
            "withdrawn_wei": operators.withdrawn_wei(view, id),
            "fees": fee_chart(view, record),
            "whitelist": list(map(checksum_address, listed.entries)),
            "has_more_listed": listed.next is not None,
            "clusters": _clusters(view, id),
            "validators": [
                *map(validator_out, validators.validators(view, wanted, Cut(SHOWN)).entries)
            ],
            "events": [
                event_out(each, view)
                for each in events.events(view, EventFilter(operator_id=id), Cut(SHOWN)).entries
            ],
        }

    return sheet.show("operator.html", find)


def fee_chart(view: View, operator: Operator) -> Chart | None:
    """What an operator asked for, in ETH a year, from registration on."""
    wanted = EventFilter(names=FEES, operator_id=operator.operator_id)
    found = events.events(view, wanted, Cut(MOST_FEES))
    oldest_s = found.entries[-1].timestamp_s if found.entries else None
    when = axis_text(oldest_s, view.block.timestamp_s)
    points = [
        charts.Point(each.block, yearly_wei(each.args.get("fee", 0)), when(each.timestamp_s))
        for each in reversed(found.entries)
    ]
    now = charts.Point(view.at, 0, when(view.block.timestamp_s))
    return charts.chart("Fee per validator of 32 ETH", points, show=_a_year, steps=True, until=now)


def _a_year(wei: int) -> str:
    return f"{' '.join(amount_text(wei))}/yr"


def _clusters(view: View, operator_id: OperatorId) -> list[Funded]:
    wanted = ClusterFilter(operator_id=operator_id)
    page = clusters.clusters(view, wanted, Cut(SHOWN), sort="validators", descending=True)
    return [funded(each) for each in show_clusters(view, page.entries)]


def _wanted(fields: Fields) -> OperatorFilter:
    status = fields.choice("status", STATUSES) or "registered"
    most_fee = fields.text("max_fee", most=30)
    return OperatorFilter(
        owner=fields.address("owner"),
        is_private=fields.flag("private"),
        is_removed=None if status == "all" else status == "removed",
        most_fee_units=None if most_fee is None else units_down(parse_gwei(most_fee)),
        allows=fields.address("allows"),
    )
