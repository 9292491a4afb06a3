"""The overview: what there is, how it grew, what happened last, who is largest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from indexer.api.routes_operators import show_operators
from indexer.api.schemas import event_out, validator_out
from indexer.explorer import charts
from indexer.explorer.charts import Chart
from indexer.explorer.figures import axis_text, count_text
from indexer.explorer.sheet import Asked
from indexer.queries import events, growth, operators, validators
from indexer.queries.events import EventFilter
from indexer.queries.network import Point, network, series, totals
from indexer.queries.operators import OperatorFilter
from indexer.queries.reading import View
from indexer.queries.records import Cut
from indexer.queries.validators import ValidatorFilter
from sdk.registry import ledger
from sdk.types import BlockNumber
from sdk.units import units_to_wei

router = APIRouter()
POINTS: Final = 60
"""Of the growth charts: enough for a line of 600 pixels, cheap to read."""
NEWEST: Final = 8


@router.get("/")
def overview(sheet: Asked) -> Response:
    """The registry at a glance."""

    def find(view: View) -> dict[str, object]:
        net = network(view)
        found = operators.operators(
            view, OperatorFilter(is_removed=False), Cut(NEWEST), sort="validators", descending=True
        )
        return {
            "net": net,
            "totals": totals(view),
            "fee_wei": units_to_wei(net.fee_units),
            "earnings_wei": units_to_wei(ledger.settle_network(net, at=view.at).credit_units),
            "growth": growth_charts(view),
            "operators": show_operators(view, found.entries),
            "events": [
                event_out(each, view)
                for each in events.events(view, EventFilter(), Cut(NEWEST)).entries
            ],
            "validators": [
                validator_out(each)
                for each in validators.validators(view, ValidatorFilter(), Cut(NEWEST)).entries
            ],
        }

    return sheet.show("overview.html", find)


def growth_charts(view: View) -> list[Chart]:
    """Validators, operators and active clusters from the first block on."""
    first, last = view.position.first_block, view.at
    places = sorted({first + (last - first) * each // POINTS for each in range(POINTS + 1)})
    blocks = [BlockNumber(each) for each in places]
    found = series(view, blocks)
    clusters = dict(zip(blocks, growth.active_clusters(view, blocks), strict=True))
    lines: list[tuple[str, Callable[[Point], int]]] = [
        ("Validators", lambda point: point.network.validator_count),
        ("Operators", lambda point: point.operators),
        ("Active clusters", lambda point: clusters[point.block]),
    ]
    oldest_s = found[0].timestamp_s if found else None
    when = axis_text(oldest_s, view.block.timestamp_s)
    made = (
        charts.chart(
            title,
            [charts.Point(each.block, value(each), when(each.timestamp_s)) for each in found],
            show=count_text,
        )
        for title, value in lines
    )
    return [each for each in made if each is not None]
