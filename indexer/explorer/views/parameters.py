"""What governance has set, since when, and every change of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from indexer.api.schemas import event_out
from indexer.explorer.sheet import Asked
from indexer.explorer.words import PARAMETERS
from indexer.queries import events
from indexer.queries.events import EventFilter, EventRow
from indexer.queries.network import SETTERS, network, parameter_blocks
from indexer.queries.reading import View
from sdk.registry import Network
from sdk.types import BlockNumber
from sdk.units import units_to_wei

router = APIRouter()
CHANGES_SHOWN: Final = 25


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as it is.

    Attributes:
        kind: how to show it: fee, wei, blocks, seconds, share, count, address or flag.
        since: block that set it, None: as deployed.
    """

    name: str
    about: str
    kind: str
    value: Any
    since: BlockNumber | None


@router.get("/parameters")
def parameter_page(sheet: Asked) -> Response:
    """All parameters, and the list of their changes."""
    wanted = EventFilter(names=sorted(set(SETTERS.values())))

    def more(view: View, found: list[EventRow]) -> dict[str, object]:
        net, since = network(view), parameter_blocks(view)
        return {
            "parameters": [_parameter(name, net, since.get(name)) for name in PARAMETERS],
            "events": [event_out(each, view) for each in found],
        }

    return sheet.show_list(
        "parameters.html",
        lambda view, cut, backwards: events.events(view, wanted, cut, descending=not backwards),
        more,
        limit=CHANGES_SHOWN,
    )


def _parameter(name: str, net: Network, since: BlockNumber | None) -> Parameter:
    title, about = PARAMETERS[name]
    if name == "fee_wei":
        return Parameter(title, about, "fee", units_to_wei(net.fee_units), since)
    value: Any = getattr(net.parameters, name)
    return Parameter(title, about, _kind(name, value), value, since)


def _kind(name: str, value: Any) -> str:
    """How to show a parameter, by its type and the unit at the end of its name."""
    if isinstance(value, bool):
        return "flag"
    if value is None or isinstance(value, bytes):
        return "address"
    endings = {
        "operator_fee_wei": "fee",
        "_wei": "wei",
        "_blocks": "blocks",
        "_s": "seconds",
        "_per_10000": "share",
    }
    return next((kind for ending, kind in endings.items() if name.endswith(ending)), "count")
