"""The transaction builder: calls on a cluster for somebody's own wallet, unsigned.

The call is that of the API's route. What a form leaves open is said in the words of the form, and
only once it was sent: whoever follows a link to it has not done anything wrong yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.api import routes_clusters, routes_tx
from indexer.api.routes_tools import MOST_DAYS
from indexer.api.routes_tx import Action, TransactionIn
from indexer.api.transactions import NO_SENDER, TransactionOut
from indexer.explorer.fields import Fields
from indexer.explorer.funds import funded
from indexer.explorer.overhearing import overhear
from indexer.explorer.sheet import Asked
from indexer.queries import clusters
from indexer.queries.reading import View
from sdk.errors import ChainError, InputError
from sdk.registry import runway
from sdk.types import BlockNumber
from sdk.units import parse_ether

router = APIRouter()
MOST_TEXT: Final = 400
"""A cluster's name is its owner and up to 13 ids."""
ACTIONS: Final[dict[Action, str]] = {
    "deposit": "Deposit",
    "withdraw": "Withdraw",
    "reactivate": "Reactivate",
    "liquidate": "Liquidate",
}
AMOUNTS: Final = ("amount", "days")
"""Fields that say how much."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the next block allows.

    Attributes:
        least_wei: that reactivates the cluster, None if it is active.
        most_wei: that its owner can withdraw.
    """

    least_wei: int | None
    most_wei: int


@router.get("/tools/builder")
def transaction_builder(request: Request, sheet: Asked) -> Response:
    """A call on a cluster with the snapshot it needs, unsigned."""
    fields = sheet.fields
    is_sent = any(name in request.query_params for name in AMOUNTS)

    def find(view: View) -> Mapping[str, Any]:
        cluster, bounds, made, refused = None, None, None, None
        action: Action | None = None
        try:
            action = _action(fields)
            name = fields.text("cluster", most=MOST_TEXT)
            if name is not None:
                cluster = overhear(
                    request, view, lambda ask: routes_clusters.get_cluster(ask, name)
                )
                bounds = _bounds(view, name)
                if action is not None and (is_sent or action == "liquidate"):
                    made = _made(request, view, action, wanted(name, action, fields))
        except (InputError, ChainError) as failure:
            refused = failure
        return {
            "cluster": cluster,
            "bounds": bounds,
            "action": action,
            "runway": None if cluster is None else funded(cluster).runway,
            "made": made,
            "gas_note": None if made is None else gas_note(made),
            "wallet": None if made is None else wallet_json(made),
            "refused": refused,
            "actions": ACTIONS,
        }

    return sheet.show("builder.html", find)


def wanted(cluster: str, action: Action, fields: Fields) -> TransactionIn:
    """What the form says, as the API takes it.

    Raises:
        InputError: `amount_missing`, `amount_zero`, or a field that cannot be read.
    """
    if action == "liquidate":
        return TransactionIn(cluster=cluster)
    amount = fields.text("amount", most=40)
    days = None if action == "withdraw" else fields.whole("days", most=MOST_DAYS)
    if amount is None and days is None:
        what = "Amount, ETH is empty"
        if action != "withdraw":
            what = "Amount, ETH and the runway of days are both empty"
        raise InputError(what, code="amount_missing", hint="Say above how much it shall be.")
    if amount is not None and days is not None:
        raise InputError(
            "Amount, ETH and the runway of days are both filled in",
            code="amount_missing",
            hint="Leave one of them empty.",
        )
    amount_wei = None if amount is None else parse_ether(amount)
    # What a liquidation left may be enough to reactivate with.
    if amount_wei == 0 and action != "reactivate":
        raise InputError("Amount, ETH is 0", code="amount_zero", hint="Fill in more than that.")
    return TransactionIn(
        cluster=cluster,
        amount_wei=None if amount_wei is None else str(amount_wei),
        runway_days=days,
    )


def gas_note(made: TransactionOut) -> str:
    """Why the gas is not known, for people: the page has no field for a sender."""
    if made.not_checked == NO_SENDER:
        return "it depends on who sends the call"
    return made.not_checked or ""


def wallet_json(made: TransactionOut) -> str:
    """The call as wallets and nodes take it (execution-apis, `eth_sendTransaction`)."""
    call = {
        "chainId": hex(made.chain_id),
        "to": made.to,
        "value": hex(int(made.value_wei)),
        "data": made.data,
    }
    if made.sender is not None:
        call = {"from": made.sender, **call}
    return json.dumps(call, indent=2)


def _made(request: Request, view: View, action: Action, body: TransactionIn) -> TransactionOut:
    written = overhear(request, view, lambda ask: routes_tx.draft_transaction(ask, action, body))
    return TransactionOut.model_validate(written)


def _bounds(view: View, name: str) -> Bounds:
    found = clusters.parties(view, [routes_clusters.required_cluster(view, name)])[0]
    following = BlockNumber(view.at + 1)
    is_active = found.cluster.snapshot.active
    return Bounds(
        least_wei=None
        if is_active
        else runway.deposit_needed_wei(found, for_blocks=0, at=following),
        most_wei=runway.withdrawable_wei(found, at=following),
    )


def _action(fields: Fields) -> Action | None:
    text = fields.choice("action", ACTIONS)
    return next((each for each in ACTIONS if each == text), None)
