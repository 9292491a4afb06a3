"""Validators: `/v1/validators`, registrations with what became of them, lookups of many keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import HTTPException, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Asked, Paged
from indexer.api.branches import Branch
from indexer.api.envelope import ListReply, Reply
from indexer.api.making import made
from indexer.api.parameters import (
    ClusterQuery,
    DescendingQuery,
    KeyIn,
    KeyPath,
    OperatorQuery,
    OwnerQuery,
    optional_cluster,
    optional_owner,
    parse_key,
)
from indexer.api.scalars import KeyText, hex_text
from indexer.api.schemas import (
    EventOut,
    SharesOut,
    ValidatorDetail,
    ValidatorOut,
    event_out,
    registration_out,
    validator_out,
)
from indexer.queries import events, validators
from indexer.queries.errors import NotFound
from indexer.queries.events import EventFilter, EventRow
from indexer.queries.reading import View
from indexer.queries.validators import ValidatorFilter
from sdk.committee import shares_data_length
from sdk.registry import Refusal
from sdk.shares.layout import unpack
from sdk.types import OperatorId

router = Branch(prefix="/v1/validators", tags=["validators"])
MOST_KEYS = 1000
"""In one lookup."""


class LookupIn(BaseModel):
    """Keys to look up."""

    public_keys: list[KeyIn] = Field(min_length=1, max_length=MOST_KEYS)


class LookupOut(BaseModel):
    """What is known of one key; no registration means that it is free."""

    public_key: KeyText
    registered: bool = Field(description="Nodes act on a registration of it.")
    registrations: list[ValidatorOut]


class LookupsOut(BaseModel):
    """One entry per key, in the order of the question."""

    validators: list[LookupOut]


@router.get("", response_model=ListReply[ValidatorOut])
def list_validators(
    ask: Asked,
    paging: Paged,
    owner: OwnerQuery = None,
    cluster: ClusterQuery = None,
    operator: OperatorQuery = None,
    accepted: Annotated[
        bool | None, Query(description="Those that nodes act on, or the others.")
    ] = None,
    rejected_reason: Annotated[
        Refusal | None, Query(description="Only those refused for this reason.")
    ] = None,
    exiting: Annotated[bool | None, Query(description="An exit was asked for, or not.")] = None,
    ascending: Annotated[bool, Query(alias="asc", description="The oldest first.")] = False,
) -> Response:
    """Registrations, the newest first; one row per owner and key."""
    wanted = ValidatorFilter(
        owner=optional_owner(owner),
        cluster_id=optional_cluster(cluster),
        operator_id=None if operator is None else OperatorId(operator),
        is_accepted=accepted,
        refusal=rejected_reason,
        is_exiting=exiting,
    )
    return ask.page(
        paging,
        lambda view, cut: validators.validators(view, wanted, cut, descending=not ascending),
        lambda view, found: list(map(validator_out, found)),
        lambda view: validators.count_validators(view, wanted),
    )


@router.post("/lookup", response_model=Reply[LookupsOut])
def look_up_validators(ask: Asked, body: LookupIn) -> Response:
    """Up to a thousand keys at once: who registered them, and do nodes act on it."""
    keys = [parse_key(each) for each in body.public_keys]

    def find(view: View) -> LookupsOut:
        by_key: dict[bytes, list[Any]] = {key: [] for key in keys}
        for found in validators.by_keys(view, keys):
            by_key[found.public_key].append(found)
        return made(
            LookupsOut,
            validators=[
                made(
                    LookupOut,
                    public_key=hex_text(key),
                    registered=any(each.refusal is None for each in by_key[key]),
                    registrations=list(map(validator_out, by_key[key])),
                )
                for key in keys
            ],
        )

    return ask.answer(find)


@router.get("/lookup", include_in_schema=False)
def look_up_by_get() -> Response:
    """Else the word would be taken for a key."""
    raise HTTPException(405, headers={"Allow": "POST"})


@router.get("/{public_key}", response_model=Reply[ValidatorDetail])
def get_validator(
    ask: Asked,
    public_key: KeyPath,
    shares: Annotated[bool, Query(description="With the shares of each registration.")] = False,
) -> Response:
    """Every registration of a key, with what nodes make of it and why."""
    key = parse_key(public_key)

    def find(view: View) -> ValidatorDetail:
        found = validators.registrations(view, key)
        if not found:
            raise NotFound(
                f"the key was never registered up to block {view.at}", code="validator_unknown"
            )
        return made(
            ValidatorDetail,
            public_key=hex_text(key),
            registrations=[
                registration_out(each, _shares(view, each.added) if shares else None)
                for each in found
            ],
        )

    return ask.answer(find)


@router.get("/{public_key}/events", response_model=ListReply[EventOut])
def list_validator_events(
    ask: Asked, paging: Paged, public_key: KeyPath, descending: DescendingQuery = True
) -> Response:
    """Everything that concerned the key, the newest first."""
    wanted = EventFilter(validator_key=parse_key(public_key))
    return ask.page(
        paging,
        lambda view, cut: events.events(view, wanted, cut, descending=descending),
        lambda view, found: [event_out(each, view) for each in found],
    )


def _shares(view: View, added: EventRow) -> SharesOut | None:
    """The shares of a registration, None if they have no readable form."""
    if added.owner is None or added.nonce is None:
        return None
    data = validators.shares_of(view, added.owner, added.nonce)
    count = len(added.operator_ids)
    if data is None or len(data) != shares_data_length(count):
        return None
    parts = unpack(data, operators=count)
    return SharesOut(
        signature=hex_text(parts.signature),
        share_public_keys=list(map(hex_text, parts.share_public_keys)),
        encrypted_shares=list(map(hex_text, parts.encrypted_shares)),
    )
