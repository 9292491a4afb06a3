"""Accounts: what an owner has, the nonce of its next registration, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.api import routes_accounts
from indexer.api.parameters import AddressPath
from indexer.explorer.funds import funded, together
from indexer.explorer.overhearing import first, overhear
from indexer.explorer.sheet import Asked
from indexer.queries.reading import View

router = APIRouter()
SHOWN: Final = 10
"""Entries of each list; pages of their own have the rest."""
MOST_SUMMED: Final = 500
"""Clusters whose funds are added up; hardly anybody has more."""


@router.get("/accounts/{address}")
def account_page(request: Request, sheet: Asked, address: AddressPath) -> Response:
    """One owner; an address that nothing names has nothing, which is an answer, too."""

    def find(view: View) -> Mapping[str, Any]:
        def part(route: Any, most: int = SHOWN) -> Any:
            return overhear(request, view, lambda ask: route(ask, first(most), address))

        owned = part(routes_accounts.list_account_clusters, MOST_SUMMED)
        return {
            "account": overhear(
                request, view, lambda ask: routes_accounts.get_account(ask, address)
            ),
            "clusters": [funded(each) for each in owned[:SHOWN]],
            "together": together(owned),
            "summed": len(owned),
            "operators": part(routes_accounts.list_account_operators),
            "validators": part(routes_accounts.list_account_validators),
            "events": part(routes_accounts.list_account_events),
            "shown": SHOWN,
        }

    return sheet.show("account.html", find)
