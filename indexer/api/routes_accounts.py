"""Accounts: `/v1/accounts/{address}`, what an owner has, and its next registration nonce."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Asked, Paged
from indexer.api.branches import Branch
from indexer.api.envelope import ListReply, Reply
from indexer.api.node import Node
from indexer.api.parameters import AddressPath
from indexer.api.routes_clusters import show_clusters
from indexer.api.routes_operators import show_operators
from indexer.api.scalars import AddressText, BlockText, address_text
from indexer.api.schemas import (
    ClusterOut,
    EventOut,
    OperatorOut,
    ValidatorOut,
    event_out,
    validator_out,
)
from indexer.queries import accounts, clusters, events, operators, validators
from indexer.queries.accounts import NonceUse
from indexer.queries.clusters import ClusterFilter
from indexer.queries.events import EventFilter
from indexer.queries.operators import OperatorFilter
from indexer.queries.reading import Position, View
from indexer.queries.validators import ValidatorFilter
from sdk.registry import Account
from sdk.types import parse_address

router = Branch(prefix="/v1/accounts/{address}", tags=["accounts"])
NONCE_WRAPS = 65_536
"""Existing nodes count nonces in 16 bits; no owner should get there."""


class NonceOut(BaseModel):
    """An owner's registration nonce."""

    next: int = Field(description="Nonce for the next registration, at this block.", examples=[17])
    block: BlockText = Field(description="Block that this holds at.")
    last_registration_block: BlockText | None
    burned: int = Field(description="Registrations so far; each used up one, refused ones, too.")
    rejected: int = Field(description="Those of them that nodes do not act on.")
    warning: str | None = Field(description="Set near the end of the range.", examples=[None])
    pending_next: int | None = Field(
        default=None,
        description="With `pending=true`: after what waits in the execution node's pool.",
        examples=[18],
    )
    not_checked: str | None = Field(
        default=None, description="Why the pool could not be looked at.", examples=[None]
    )


class AccountOut(BaseModel):
    """What an address has. One that no event named has nothing, which is an answer, too."""

    address: AddressText
    fee_recipient: AddressText = Field(description="Who receives block rewards of its validators.")
    fee_recipient_is_default: bool = Field(description="Never set, so it is the owner itself.")
    nonce: NonceOut
    operators: int
    clusters: int
    validators: int
    effective_balance_eth: int


@router.get("", response_model=Reply[AccountOut])
def get_account(ask: Asked, address: AddressPath) -> Response:
    """What an address has."""
    owner = parse_address(address)

    def find(view: View) -> AccountOut:
        found = accounts.account(view, owner)
        has, use = accounts.overview(view, owner)
        return AccountOut(
            address=address_text(owner),
            fee_recipient=address_text(found.fee_recipient or owner),
            fee_recipient_is_default=found.fee_recipient is None,
            nonce=_nonce(view, found, use),
            operators=has.operators,
            clusters=has.clusters,
            validators=has.validators,
            effective_balance_eth=has.effective_balance_eth,
        )

    return ask.answer(find)


@router.get("/nonce", response_model=Reply[NonceOut])
def get_nonce(
    ask: Asked,
    address: AddressPath,
    pending: Annotated[
        bool, Query(description="Also ask an execution node what waits in its pool.")
    ] = False,
) -> Response:
    """The nonce for its next registration, and the block at which it holds."""
    owner = parse_address(address)

    def look(node: Node, shown: NonceOut, position: Position) -> NonceOut:
        found = node.pending_nonce(owner, to=position.contract, chain=position.chain_id)
        return shown.model_copy(update={"pending_next": found})

    def find(view: View) -> NonceOut:
        return _nonce(view, accounts.account(view, owner), accounts.nonce_use(view, owner))

    return ask.checked(find, look) if pending else ask.answer(find)


@router.get("/clusters", response_model=ListReply[ClusterOut])
def list_account_clusters(ask: Asked, paging: Paged, address: AddressPath) -> Response:
    """Its clusters, in the order of their creation."""
    wanted = ClusterFilter(owner=parse_address(address))
    return ask.page(
        paging,
        lambda view, cut: clusters.clusters(view, wanted, cut),
        show_clusters,
        lambda view: clusters.count_clusters(view, wanted),
    )


@router.get("/operators", response_model=ListReply[OperatorOut])
def list_account_operators(ask: Asked, paging: Paged, address: AddressPath) -> Response:
    """Operators that it owns, removed ones included."""
    wanted = OperatorFilter(owner=parse_address(address))
    return ask.page(
        paging,
        lambda view, cut: operators.operators(view, wanted, cut),
        show_operators,
        lambda view: operators.count_operators(view, wanted),
    )


@router.get("/validators", response_model=ListReply[ValidatorOut])
def list_account_validators(ask: Asked, paging: Paged, address: AddressPath) -> Response:
    """Its registrations, the newest first."""
    wanted = ValidatorFilter(owner=parse_address(address))
    return ask.page(
        paging,
        lambda view, cut: validators.validators(view, wanted, cut),
        lambda view, found: list(map(validator_out, found)),
        lambda view: validators.count_validators(view, wanted),
    )


@router.get("/events", response_model=ListReply[EventOut])
def list_account_events(
    ask: Asked,
    paging: Paged,
    address: AddressPath,
    ascending: Annotated[bool, Query(alias="asc", description="The oldest first.")] = False,
) -> Response:
    """Events that name it as owner, the newest first."""
    wanted = EventFilter(owner=parse_address(address))
    return ask.page(
        paging,
        lambda view, cut: events.events(view, wanted, cut, descending=not ascending),
        lambda view, found: [event_out(each, view) for each in found],
        lambda view: events.count_events(view, wanted),
    )


def _nonce(view: View, found: Account, use: NonceUse) -> NonceOut:
    upcoming = found.next_nonce
    left = NONCE_WRAPS - upcoming
    return NonceOut(
        next=upcoming,
        block=view.at,
        last_registration_block=use.last_block,
        burned=upcoming,
        rejected=use.refused,
        warning=f"{max(0, left)} registrations are left; then take another owner"
        if left <= NONCE_WRAPS // 16
        else None,
    )
