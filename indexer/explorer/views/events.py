"""Events with all their arguments, and the search that leads anywhere."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from indexer.api.parameters import (
    MOST_OPERATOR_ID,
    optional_cluster,
    parse_hash,
    parse_key,
)
from indexer.api.schemas import event_out
from indexer.explorer.fields import MOST_TEXT, Fields
from indexer.explorer.sheet import Asked
from indexer.explorer.words import EVENTS
from indexer.queries import events
from indexer.queries.events import EventFilter
from indexer.queries.search import Hit, HitKind, search
from sdk.types import BlockNumber, OperatorId, checksum_address

router = APIRouter()
EVENT_ROWS: Final = 30
"""An event with all its arguments weighs about 2 kB."""
FILTERS: Final = (
    *("name", "owner", "operator", "cluster", "validator", "tx"),
    *("from_block", "to_block", "refused"),
)


@router.get("/events")
def event_list(sheet: Asked) -> Response:
    """Everything the registry logged, the newest first."""
    fields = sheet.fields
    wanted = _wanted(fields)
    oldest_first = fields.choice("order", ("asc", "desc")) == "asc"
    return sheet.show_list(
        "events.html",
        lambda view, cut, backwards: events.events(
            view, wanted, cut, descending=not (oldest_first ^ backwards)
        ),
        lambda view, found: {
            "events": [event_out(each, view) for each in found],
            "names": dict(sorted(EVENTS.items(), key=lambda item: item[1])),
            "filled": fields.count(*FILTERS),
        },
        limit=EVENT_ROWS,
    )


@router.get("/search")
def search_page(sheet: Asked) -> Response:
    """What a text could mean; the page of it, if that is only one thing."""
    text = sheet.fields.text("q", most=MOST_TEXT) or ""
    with sheet.view() as view:
        hits = search(view, text) if text else []
    if len(hits) == 1:
        return RedirectResponse(address_of(sheet, hits[0]), status_code=303)
    return sheet.show(
        "search.html",
        lambda view: {"text": text, "hits": [(each, address_of(sheet, each)) for each in hits]},
    )


def address_of(sheet: Asked, hit: Hit) -> str:
    """The page of something found."""
    match hit.kind:
        case HitKind.OPERATOR:
            return sheet.link(f"/operators/{hit.id}")
        case HitKind.BLOCK:
            return sheet.link("/events", from_block=hit.id, to_block=hit.id)
        case HitKind.ACCOUNT:
            return sheet.link(f"/accounts/{checksum_address(bytes.fromhex(hit.id[2:]))}")
        case HitKind.CLUSTER:
            return sheet.link(f"/clusters/{hit.id}")
        case HitKind.TRANSACTION:
            return sheet.link("/events", tx=hit.id)
        case HitKind.VALIDATOR:
            return sheet.link(f"/validators/{hit.id}")


def _wanted(fields: Fields) -> EventFilter:
    name = fields.choice("name", EVENTS)
    operator = fields.whole("operator", least=1, most=MOST_OPERATOR_ID)
    key, transaction = fields.text("validator"), fields.text("tx")
    first, last = fields.whole("from_block"), fields.whole("to_block")
    return EventFilter(
        names=None if name is None else [name],
        owner=fields.address("owner"),
        operator_id=None if operator is None else OperatorId(operator),
        cluster_id=optional_cluster(fields.text("cluster", most=400)),
        validator_key=None if key is None else parse_key(key),
        transaction_hash=None if transaction is None else parse_hash(transaction, what="tx"),
        from_block=None if first is None else BlockNumber(first),
        to_block=None if last is None else BlockNumber(last),
        is_refused=fields.flag("refused"),
    )
