"""Validators: registrations with what nodes make of them, and everything about one key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from indexer.api.beacon import Beacon
from indexer.api.node import NotChecked
from indexer.api.parameters import (
    MOST_OPERATOR_ID,
    KeyPath,
    optional_cluster,
    parse_key,
)
from indexer.api.scalars import hex_text
from indexer.api.schemas import event_out, registration_out, validator_out
from indexer.explorer.fields import Fields
from indexer.explorer.sheet import Asked
from indexer.explorer.words import REFUSALS
from indexer.queries import clusters, events, validators
from indexer.queries.errors import NotFound
from indexer.queries.events import EventFilter
from indexer.queries.reading import View
from indexer.queries.records import Cut
from indexer.queries.validators import ValidatorFilter
from sdk.client.attendance import Attendance
from sdk.registry import Refusal
from sdk.types import OperatorId, PublicKey

router = APIRouter()
ROWS: Final = 40
"""Keys are long: two thirds of what a page may weigh, with what all pages load."""
EVENTS_SHOWN: Final = 10
FILTERS: Final = ("owner", "operator", "cluster", "accepted", "reason", "exiting")


@router.get("/validators")
def validator_list(sheet: Asked) -> Response:
    """Registrations, the newest first."""
    fields = sheet.fields
    wanted = _wanted(fields)
    oldest_first = fields.choice("order", ("asc", "desc")) == "asc"
    return sheet.show_list(
        "validators.html",
        lambda view, cut, backwards: validators.validators(
            view, wanted, cut, descending=not (oldest_first ^ backwards)
        ),
        lambda view, found: {
            "validators": list(map(validator_out, found)),
            "reasons": {reason: reason.replace("_", " ").capitalize() for reason in REFUSALS},
            "filled": fields.count(*FILTERS),
        },
        limit=ROWS,
    )


@router.get("/validators/{public_key}")
def validator_page(request: Request, sheet: Asked, public_key: KeyPath) -> Response:
    """Every registration of a key, present or past."""
    key = parse_key(public_key)
    # Before the tables are read: no connection to them waits for the beacon node.
    seen = _seen(request.app.state.beacon, key)

    def find(view: View) -> dict[str, object]:
        found = validators.registrations(view, key)
        if not found:
            raise NotFound(
                f"The key {hex_text(key)[:18]}… was never registered up to block {view.at}.",
                code="validator_unknown",
                hint="Check the key, or look at a later block.",
            )
        ids = [each.added.cluster_id for each in found if each.added.cluster_id is not None]
        known = clusters.by_cluster_ids(view, ids)
        happened = events.events(view, EventFilter(validator_key=key), Cut(EVENTS_SHOWN))
        return {
            "key": hex_text(key),
            "seen": seen,
            "registrations": [registration_out(each, None) for each in found],
            "acting": next(
                (
                    registration_out(each, None)
                    for each in found
                    if each.record is not None and each.record.refusal is None
                ),
                None,
            ),
            "liquidated": {hex_text(id) for id, each in known.items() if not each.snapshot.active},
            "events": [event_out(each, view) for each in happened.entries],
            "has_more_events": happened.next is not None,
        }

    return sheet.show("validator.html", find)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a beacon node tells of a validator; nothing, and why, if it does not."""

    found: Attendance | None
    unknown: str = ""


def _seen(beacon: Beacon | None, key: PublicKey) -> Seen | None:
    """None if this API has no beacon node."""
    if beacon is None:
        return None
    try:
        return Seen(beacon.attendance(key))
    except NotChecked as problem:
        return Seen(None, problem.reason)


def _wanted(fields: Fields) -> ValidatorFilter:
    operator = fields.whole("operator", least=1, most=MOST_OPERATOR_ID)
    reason = fields.choice("reason", REFUSALS)
    return ValidatorFilter(
        owner=fields.address("owner"),
        cluster_id=optional_cluster(fields.text("cluster", most=400)),
        operator_id=None if operator is None else OperatorId(operator),
        is_accepted=fields.flag("accepted"),
        refusal=None if reason is None else Refusal(reason),
        is_exiting=fields.flag("exiting"),
    )
