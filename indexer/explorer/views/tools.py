"""Tools: what validators will cost, calls to sign elsewhere, and what is wrong with a file.

The answers are those of the API's routes. Nothing here takes a key or signs; the file of the
verifier is read by the browser, and only its public parts are sent, to the API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.api import routes_clusters, routes_select, routes_tools, routes_tx
from indexer.api.asking import Ask
from indexer.api.keyshares import MOST_SHARES
from indexer.api.routes_select import SelectIn, SetOut, SetsOut
from indexer.api.routes_tools import MOST_DAYS, MOST_VALIDATORS, QuoteOut
from indexer.api.routes_tx import Action, TransactionIn
from indexer.api.transactions import TransactionOut
from indexer.explorer.fields import Fields
from indexer.explorer.funds import DAY_BLOCKS, funded
from indexer.explorer.overhearing import overhear
from indexer.explorer.sheet import Asked
from indexer.queries.reading import View
from sdk.errors import ChainError, InputError
from sdk.registry import BASELINE_ETH
from sdk.units import WEI_PER_ETHER, WEI_PER_GWEI, parse_ether

router = APIRouter()
USUAL_DAYS: Final = 180
YEAR_DAYS: Final = 365
LEAST_ETH: Final = BASELINE_ETH
MOST_ETH: Final = 2_048
"""Effective balances of one validator since the Pectra upgrade (consensus-specs, electra)."""
MOST_TEXT: Final = 400
"""A cluster's name is its owner and up to 13 ids."""
SETS: Final = 3
"""Suggested at once."""
ACTIONS: Final[dict[Action, str]] = {
    "deposit": "Deposit",
    "withdraw": "Withdraw",
    "reactivate": "Reactivate",
    "liquidate": "Liquidate",
}


@router.get("/tools")
def tool_list(sheet: Asked) -> Response:
    """What tools there are."""
    return sheet.show("tools.html", lambda _: {})


@router.get("/tools/keyshares")
def keyshares_verifier(sheet: Asked) -> Response:
    """The form; the file never comes here."""
    return sheet.show("keyshares.html", lambda _: {"most_validators": MOST_SHARES})


@router.get("/tools/calculator")
def cost_calculator(request: Request, sheet: Asked) -> Response:
    """What validators cost with some operators, and the deposit for so many days."""
    fields = sheet.fields

    def find(view: View) -> Mapping[str, Any]:
        quote, refused = None, None
        sets: list[SetOut] = []
        try:
            ids = committee_text(fields.text("operators", most=MOST_TEXT))
            if ids is None:
                sets = _cheapest(request, view)
            else:
                count = fields.whole("validators", least=1, most=MOST_VALIDATORS)
                eth = fields.whole("eb", least=LEAST_ETH, most=MOST_ETH)
                days = fields.whole("days", most=MOST_DAYS)
                quote = overhear(
                    request,
                    view,
                    lambda ask: routes_tools.quote_fees(
                        ask,
                        ids,
                        validators_count=count or 1,
                        eb=eth or LEAST_ETH,
                        days=USUAL_DAYS if days is None else days,
                    ),
                )
        except (InputError, ChainError) as failure:
            refused = failure
        return {
            "quote": quote,
            "costs": [] if quote is None else costs(quote),
            "sets": sets,
            "refused": refused,
            "usual_days": USUAL_DAYS,
        }

    return sheet.show("calculator.html", find)


@router.get("/tools/builder")
def transaction_builder(request: Request, sheet: Asked) -> Response:
    """A call on a cluster with the snapshot it needs, unsigned."""
    fields = sheet.fields

    def find(view: View) -> Mapping[str, Any]:
        cluster, made, refused = None, None, None
        try:
            action = _action(fields)
            name = fields.text("cluster", most=MOST_TEXT)
            if name is not None:
                cluster = overhear(
                    request, view, lambda ask: routes_clusters.get_cluster(ask, name)
                )
                if action is not None:
                    body = _body(name, action, fields)
                    written = overhear(
                        request,
                        view,
                        lambda ask: routes_tx.draft_transaction(ask, action, body),
                    )
                    made = TransactionOut.model_validate(written)
        except (InputError, ChainError) as failure:
            refused = failure
        return {
            "cluster": cluster,
            "runway": None if cluster is None else funded(cluster).runway,
            "made": made,
            "wallet": None if made is None else wallet_json(made),
            "refused": refused,
            "actions": ACTIONS,
        }

    return sheet.show("builder.html", find)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one receiver gets, in one unit per span so that receivers can be compared.

    Attributes:
        path: of its page, None for the sum.
        wei: per block.
    """

    receiver: str
    path: str | None
    wei: int
    block_gwei: str
    day_eth: str
    year_eth: str


def costs(quote: QuoteOut) -> list[Cost]:
    """The parts of a quote, its sum last."""
    parts = [
        (f"Operator {each.operator_id}", f"/operators/{each.operator_id}", each.fee_wei_per_block)
        for each in quote.operators
    ]
    parts.append(("Network", "/parameters", quote.network_fee_wei_per_block))
    found = [_cost(receiver, path, int(wei)) for receiver, path, wei in parts]
    return [*found, _cost("Together", None, int(quote.total_wei_per_block))]


def _cost(receiver: str, path: str | None, wei: int) -> Cost:
    return Cost(
        receiver,
        path,
        wei,
        fixed_text(wei, WEI_PER_GWEI),
        fixed_text(wei * DAY_BLOCKS, WEI_PER_ETHER),
        fixed_text(wei * DAY_BLOCKS * YEAR_DAYS, WEI_PER_ETHER),
    )


def fixed_text(wei: int, unit_wei: int) -> str:
    """An amount with six decimals, the rest cut off."""
    whole, rest = divmod(wei, unit_wei)
    return f"{whole:,}.{rest * 10**6 // unit_wei:06d}"


def committee_text(text: str | None) -> str | None:
    """Ids as the API takes them, from ids in any order, apart by commas, blanks or hyphens."""
    if text is None:
        return None
    parts = text.replace(",", " ").replace("-", " ").split()
    if all(part.isascii() and part.isdecimal() for part in parts):
        parts.sort(key=int)
    return ",".join(parts)


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


def _cheapest(request: Request, view: View) -> list[SetOut]:
    """Sets to begin with; none where too few operators fit."""

    def ask(api: Ask) -> Response:
        return routes_select.select_operators(api, SelectIn(sets=SETS))

    try:
        found: SetsOut = overhear(request, view, ask)
    except (InputError, ChainError):
        return []
    return found.sets


def _action(fields: Fields) -> Action | None:
    text = fields.choice("action", ACTIONS)
    return next((each for each in ACTIONS if each == text), None)


def _body(cluster: str, action: Action, fields: Fields) -> TransactionIn:
    """What the form says, as the API takes it."""
    amount = fields.text("amount", most=40)
    days = fields.whole("days", most=MOST_DAYS)
    if action in ("withdraw", "liquidate"):
        days = None
    return TransactionIn(
        cluster=cluster,
        amount_wei=None if amount is None or action == "liquidate" else str(parse_ether(amount)),
        runway_days=days,
    )
