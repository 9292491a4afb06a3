"""Tools: what validators will cost, and what is wrong with a file; `builder` has the third.

The answers are those of the API's routes. Nothing here takes a key; the file of the verifier is
read by the browser, and only its public parts are sent, to the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.api import routes_select, routes_tools
from indexer.api.asking import Ask
from indexer.api.keyshares import MOST_SHARES
from indexer.api.routes_select import SelectIn, SetOut, SetsOut
from indexer.api.routes_tools import MOST_DAYS, MOST_VALIDATORS, QuoteOut
from indexer.explorer.figures import column_texts
from indexer.explorer.funds import DAY_BLOCKS
from indexer.explorer.overhearing import overhear
from indexer.explorer.sheet import Asked
from indexer.queries.reading import View
from sdk.errors import ChainError, InputError
from sdk.registry import BASELINE_ETH
from sdk.units import WEI_PER_ETHER, WEI_PER_GWEI

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


@dataclass(frozen=True, slots=True)
class Cost:
    """What one receiver gets, exactly, in one unit per span so that receivers can be compared.

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
    parts: list[tuple[str, str | None, int]] = [
        (
            f"Operator {each.operator_id}",
            f"/operators/{each.operator_id}",
            int(each.fee_wei_per_block),
        )
        for each in quote.operators
    ]
    parts.append(("Network", "/parameters", int(quote.network_fee_wei_per_block)))
    parts.append(("Together", None, int(quote.total_wei_per_block)))
    fees_wei = [wei for _, _, wei in parts]
    columns = zip(
        parts,
        column_texts(fees_wei, WEI_PER_GWEI),
        column_texts([wei * DAY_BLOCKS for wei in fees_wei], WEI_PER_ETHER),
        column_texts([wei * DAY_BLOCKS * YEAR_DAYS for wei in fees_wei], WEI_PER_ETHER),
        strict=True,
    )
    return [
        Cost(receiver, path, wei, block, day, year)
        for (receiver, path, wei), block, day, year in columns
    ]


def committee_text(text: str | None) -> str | None:
    """Ids as the API takes them, from ids in any order, apart by commas, blanks or hyphens."""
    if text is None:
        return None
    parts = text.replace(",", " ").replace("-", " ").split()
    if all(part.isascii() and part.isdecimal() for part in parts):
        parts.sort(key=int)
    return ",".join(parts)


def _cheapest(request: Request, view: View) -> list[SetOut]:
    """Sets to begin with; none where too few operators fit."""

    def ask(api: Ask) -> Response:
        return routes_select.select_operators(api, SelectIn(sets=SETS))

    try:
        found: SetsOut = overhear(request, view, ask)
    except (InputError, ChainError):
        return []
    return found.sets
