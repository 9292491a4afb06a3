"""Operators: `/v1/operators` and what belongs to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Asked, Paged
from indexer.api.branches import Branch
from indexer.api.envelope import ListReply, Reply
from indexer.api.metadata import operator_metadata
from indexer.api.parameters import (
    MOST_OPERATOR_ID,
    AllowsQuery,
    DescendingQuery,
    IdsQuery,
    OperatorIdPath,
    OwnerQuery,
    optional_owner,
    parse_ids,
)
from indexer.api.scalars import AddressText, OperatorIdText, WeiText, address_text
from indexer.api.schemas import (
    ClusterOut,
    EventOut,
    OperatorOut,
    ValidatorOut,
    cluster_out,
    event_out,
    operator_out,
    validator_out,
)
from indexer.queries import clusters, events, metadata, operators, validators
from indexer.queries.clusters import ClusterFilter
from indexer.queries.errors import NotFound
from indexer.queries.events import EventFilter
from indexer.queries.network import network
from indexer.queries.operators import OperatorFilter
from indexer.queries.reading import View
from indexer.queries.validators import ValidatorFilter
from sdk.registry import Operator, ledger
from sdk.types import OperatorId
from sdk.units import units_down, units_to_wei

router = Branch(prefix="/v1/operators", tags=["operators"])


class EarningsOut(BaseModel):
    """What an operator earned."""

    operator_id: OperatorIdText
    earnings_wei: WeiText = Field(description="Wei that can be withdrawn at this block.")
    withdrawn_wei: WeiText = Field(description="Wei that was ever paid out.")
    rate_wei_per_block: WeiText = Field(description="Wei per block, rounded down.")


class AddressOut(BaseModel):
    """An address on a list."""

    address: AddressText


@router.get("", response_model=ListReply[OperatorOut])
def list_operators(
    ask: Asked,
    paging: Paged,
    ids: IdsQuery = None,
    owner: OwnerQuery = None,
    private: Annotated[bool | None, Query(description="Private or public ones only.")] = None,
    removed: Annotated[bool | None, Query(description="Removed ones, or the others.")] = None,
    min_free_capacity: Annotated[
        int | None, Query(ge=0, le=MOST_OPERATOR_ID, description="Room for so many validators.")
    ] = None,
    max_fee_wei: Annotated[
        str | None, Query(pattern=r"^[0-9]{1,30}$", description="Fee per block and 32 ETH.")
    ] = None,
    allows: AllowsQuery = None,
    sort: Literal["id", "fee", "validators", "effective_balance"] = "id",
    descending: DescendingQuery = False,
) -> Response:
    """Operators, by id unless asked otherwise."""
    known_ids = None if ids is None else parse_ids(ids.split(","))
    owner_address, admitted = optional_owner(owner), optional_owner(allows, what="allows")

    def wanted(view: View) -> OperatorFilter:
        most = None
        if min_free_capacity is not None:
            limit = network(view).parameters.validators_per_operator_limit
            most = limit - min_free_capacity
        return OperatorFilter(
            ids=known_ids,
            owner=owner_address,
            is_private=private,
            is_removed=removed,
            most_validators=most,
            most_fee_units=None if max_fee_wei is None else units_down(int(max_fee_wei)),
            allows=admitted,
        )

    return ask.page(
        paging,
        lambda view, cut: operators.operators(
            view, wanted(view), cut, sort=sort, descending=descending
        ),
        show_operators,
        lambda view: operators.count_operators(view, wanted(view)),
    )


@router.get("/{operator_id}", response_model=Reply[OperatorOut])
def get_operator(ask: Asked, operator_id: OperatorIdPath) -> Response:
    """One operator."""
    return ask.answer(
        lambda view: show_operators(view, [required_operators(view, [operator_id])[0]])[0]
    )


@router.get("/{operator_id}/fees", response_model=ListReply[EventOut])
def list_fees(ask: Asked, paging: Paged, operator_id: OperatorIdPath) -> Response:
    """Its fee from registration on: announced, executed, cancelled, the newest first."""
    return _event_page(ask, paging, operator_id, operators.FEE_EVENTS)


@router.get("/{operator_id}/events", response_model=ListReply[EventOut])
def list_operator_events(ask: Asked, paging: Paged, operator_id: OperatorIdPath) -> Response:
    """Everything that concerned it, the newest first."""
    return _event_page(ask, paging, operator_id, None)


@router.get("/{operator_id}/validators", response_model=ListReply[ValidatorOut])
def list_operator_validators(ask: Asked, paging: Paged, operator_id: OperatorIdPath) -> Response:
    """Validators in its clusters, the newest first."""
    wanted = ValidatorFilter(operator_id=OperatorId(operator_id))
    return ask.page(
        paging,
        lambda view, cut: validators.validators(view, wanted, cut),
        lambda view, found: list(map(validator_out, found)),
        lambda view: validators.count_validators(view, wanted),
    )


@router.get("/{operator_id}/clusters", response_model=ListReply[ClusterOut])
def list_operator_clusters(ask: Asked, paging: Paged, operator_id: OperatorIdPath) -> Response:
    """Its clusters, in the order of their creation."""
    wanted = ClusterFilter(operator_id=OperatorId(operator_id))
    return ask.page(
        paging,
        lambda view, cut: clusters.clusters(view, wanted, cut),
        lambda view, found: [cluster_out(each, view) for each in clusters.parties(view, found)],
        lambda view: clusters.count_clusters(view, wanted),
    )


@router.get("/{operator_id}/whitelist", response_model=ListReply[AddressOut])
def list_whitelist(ask: Asked, paging: Paged, operator_id: OperatorIdPath) -> Response:
    """Addresses on its own list."""
    return ask.page(
        paging,
        lambda view, cut: operators.whitelist(view, OperatorId(operator_id), cut),
        lambda view, found: [AddressOut(address=address_text(each)) for each in found],
    )


@router.get("/{operator_id}/earnings", response_model=Reply[EarningsOut])
def get_earnings(ask: Asked, operator_id: OperatorIdPath) -> Response:
    """What it earned: as the contract's own view has it, and what was paid out so far."""

    def find(view: View) -> EarningsOut:
        found = required_operators(view, [operator_id])[0]
        rate_wei = units_to_wei(found.fee_units) * found.effective_balance_eth // 32
        return EarningsOut(
            operator_id=operator_id,
            earnings_wei=str(units_to_wei(ledger.settle_operator(found, at=view.at).credit_units)),
            withdrawn_wei=str(operators.withdrawn_wei(view, found.operator_id)),
            rate_wei_per_block=str(rate_wei),
        )

    return ask.answer(find)


def show_operators(view: View, found: Sequence[Operator]) -> list[OperatorOut]:
    """Operators as JSON, with what their owners say of them."""
    if not found:
        return []
    net, said = network(view), metadata.of_operators(view, found)
    return [
        operator_out(each, net, at=view.at, said=operator_metadata(said.get(each.operator_id)))
        for each in found
    ]


def _event_page(ask: Any, paging: Any, operator_id: int, names: tuple[str, ...] | None) -> Response:
    wanted = EventFilter(names=names, operator_id=OperatorId(operator_id))
    result: Response = ask.page(
        paging,
        lambda view, cut: events.events(view, wanted, cut),
        lambda view, found: [event_out(each, view) for each in found],
        lambda view: events.count_events(view, wanted),
    )
    return result


def required_operators(view: View, ids: Sequence[int]) -> list[Operator]:
    """The operators of a request, in its order.

    Raises:
        NotFound: `operator_unknown`, for the first one that is none.
    """
    known = operators.by_ids(view, [OperatorId(each) for each in ids])
    for each in ids:
        if each not in known:
            raise NotFound(
                f"operator {each} is not registered at block {view.at}", code="operator_unknown"
            )
    return [known[OperatorId(each)] for each in ids]
