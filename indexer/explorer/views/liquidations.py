"""Liquidations: clusters that anyone may liquidate now or soon, and the call for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.api import routes_liquidations
from indexer.explorer.funds import DAY_BLOCKS
from indexer.explorer.overhearing import overhear
from indexer.explorer.sheet import Asked
from indexer.queries.reading import View

router = APIRouter()
HORIZONS: Final = {
    "0": "Now",
    "1": "1 day",
    "7": "7 days",
    "30": "30 days",
    "90": "90 days",
    "365": "1 year",
}
"""In days."""
USUAL_DAYS: Final = "30"
SHOWN: Final = 40
"""Each row carries its call, a kilobyte."""


@router.get("/liquidations")
def liquidation_list(request: Request, sheet: Asked) -> Response:
    """Clusters in the order in which anyone may liquidate them."""
    days = sheet.fields.choice("within", HORIZONS) or USUAL_DAYS

    def find(view: View) -> Mapping[str, Any]:
        told = overhear(
            request,
            view,
            lambda ask: routes_liquidations.list_liquidations(
                ask, horizon_blocks=int(days) * DAY_BLOCKS, limit=SHOWN
            ),
        )
        return {
            "due": [each for each in told.clusters if each.is_liquidatable],
            "soon": [each for each in told.clusters if not each.is_liquidatable],
            "total": told.within_horizon,
            "listed": len(told.clusters),
            "horizons": HORIZONS,
            "within": days,
        }

    return sheet.show("liquidations.html", find)
