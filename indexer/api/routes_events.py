"""Events `/v1/events`, what can be liquidated `/v1/liquidations`, and `/v1/search`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import MOST_BLOCK, Asked, Paged
from indexer.api.branches import Branch
from indexer.api.envelope import ListReply, Reply
from indexer.api.parameters import (
    ClusterQuery,
    KeyQuery,
    OperatorQuery,
    OwnerQuery,
    TransactionQuery,
    optional_cluster,
    optional_owner,
    parse_hash,
    parse_key,
)
from indexer.api.scalars import AddressText, optional_address
from indexer.api.schemas import EventOut, event_out
from indexer.queries import events
from indexer.queries.events import EventFilter
from indexer.queries.reading import View
from indexer.queries.search import MOST_TEXT, HitKind, search
from sdk.errors import InputError
from sdk.events import EVENT_ABIS
from sdk.types import BlockNumber, OperatorId

router = Branch(prefix="/v1", tags=["events"])
EVENT_NAMES = frozenset(abi.signature.partition("(")[0] for abi in EVENT_ABIS)
BlockQuery = Annotated[
    int | None, Query(ge=0, le=MOST_BLOCK, description="A block, itself included.")
]


class HitOut(BaseModel):
    """Something found."""

    kind: HitKind
    id: str = Field(description="Id or block number in decimal, else hex.", examples=["7"])
    owner: AddressText | None
    name: str | None = Field(
        default=None, description="What its owner calls it.", examples=["Lighthouse keepers"]
    )


class HitsOut(BaseModel):
    """All that was found, at most twenty validators among it."""

    hits: list[HitOut]


@router.get("/events", response_model=ListReply[EventOut])
def list_events(
    ask: Asked,
    paging: Paged,
    name: Annotated[
        list[str] | None,
        Query(
            description="Only events of these names; may be repeated.",
            max_length=len(EVENT_NAMES),
            examples=[["ValidatorAdded"]],
            json_schema_extra={"items": {"type": "string", "enum": sorted(EVENT_NAMES)}},
        ),
    ] = None,
    owner: OwnerQuery = None,
    operator: OperatorQuery = None,
    cluster: ClusterQuery = None,
    validator: KeyQuery = None,
    tx: TransactionQuery = None,
    from_block: BlockQuery = None,
    to_block: BlockQuery = None,
    rejected: Annotated[
        bool | None,
        Query(description="Only registrations that nodes refuse (true), or all else (false)."),
    ] = None,
    ascending: Annotated[bool, Query(alias="asc", description="The oldest first.")] = False,
) -> Response:
    """Events with all their arguments, the newest first."""
    unknown = sorted(set(name or ()) - EVENT_NAMES)
    if unknown:
        raise InputError(
            f"the registry has no event {unknown[0][:60]!r}",
            code="event_unknown",
            hint=f"It has {', '.join(sorted(EVENT_NAMES))}.",
        )
    wanted = EventFilter(
        names=name,
        owner=optional_owner(owner),
        operator_id=None if operator is None else OperatorId(operator),
        cluster_id=optional_cluster(cluster),
        validator_key=None if validator is None else parse_key(validator),
        transaction_hash=None if tx is None else parse_hash(tx, what="tx"),
        from_block=None if from_block is None else BlockNumber(from_block),
        to_block=None if to_block is None else BlockNumber(to_block),
        is_refused=rejected,
    )
    return ask.page(
        paging,
        lambda view, cut: events.events(view, wanted, cut, descending=not ascending),
        lambda view, found: [event_out(each, view) for each in found],
        lambda view: events.count_events(view, wanted),
    )


@router.get("/search", response_model=Reply[HitsOut])
def find_anything(
    ask: Asked,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=MOST_TEXT,
            description="An operator id, block number, address, public key (its first 6 digits "
            "will do), cluster hash, block hash, transaction hash, or the begin of a name.",
            examples=["7"],
        ),
    ],
) -> Response:
    """What a text could mean, as far as it exists."""

    def find(view: View) -> HitsOut:
        return HitsOut(
            hits=[
                HitOut(kind=hit.kind, id=hit.id, owner=optional_address(hit.owner), name=hit.name)
                for hit in search(view, q)
            ]
        )

    return ask.answer(find)
