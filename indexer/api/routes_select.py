"""`/v1/operators/select`: sets of operators that fit a wish, see `selection`."""

from __future__ import annotations

from typing import Literal

from fastapi import HTTPException
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Asked
from indexer.api.branches import Branch
from indexer.api.envelope import Reply
from indexer.api.parameters import MOST_IDS, AddressIn, AmountIn, OperatorIdIn
from indexer.api.routes_tools import MOST_VALIDATORS
from indexer.api.scalars import OperatorIdsText, WeiText
from indexer.api.selection import MOST_SETS, choose
from indexer.queries import operators
from indexer.queries.network import network
from indexer.queries.operators import OperatorFilter
from indexer.queries.reading import View
from indexer.queries.records import PAGE_LIMIT, Cut
from sdk.types import OperatorId, parse_address
from sdk.units import units_down, units_to_wei

router = Branch(prefix="/v1/operators", tags=["tools"])


class SelectIn(BaseModel):
    """What a set of operators must be."""

    size: Literal[4, 7, 10, 13] = 4
    validators: int = Field(default=1, ge=1, le=MOST_VALIDATORS, description="To be registered.")
    max_fee_wei: AmountIn | None = Field(
        default=None, description="Of each of them, wei per block and 32 ETH."
    )
    owner: AddressIn | None = Field(
        default=None, description="Who registers; private operators that list it are allowed, too."
    )
    include: list[OperatorIdIn] = Field(
        default=[], max_length=13, description="Members of every set.", examples=[[]]
    )
    exclude: list[OperatorIdIn] = Field(
        default=[], max_length=MOST_IDS, description="Members of none.", examples=[[]]
    )
    sets: int = Field(default=5, ge=1, le=MOST_SETS, description="Most sets.")


class SetOut(BaseModel):
    """Operators that fit together; no two have one owner."""

    operator_ids: OperatorIdsText
    fee_wei: WeiText = Field(description="Sum of their fees, per block and 32 ETH.")
    most_loaded_validators: int = Field(description="Validators of the busiest of them.")


class SetsOut(BaseModel):
    """The cheapest first."""

    sets: list[SetOut]


@router.post("/select", response_model=Reply[SetsOut])
def select_operators(ask: Asked, body: SelectIn) -> Response:
    """Sets of operators that take so many validators, the cheapest first."""
    owner = None if body.owner is None else parse_address(body.owner, what="owner")
    excluded = set(body.exclude)

    def find(view: View) -> SetsOut:
        limit = network(view).parameters.validators_per_operator_limit
        fee = body.max_fee_wei
        wanted = OperatorFilter(
            is_private=None if owner is not None else False,
            is_removed=False,
            most_validators=limit - body.validators,
            most_fee_units=None if fee is None else units_down(int(fee)),
            allows=owner,
        )
        cheapest = operators.operators(view, wanted, Cut(PAGE_LIMIT), sort="fee").entries
        named = operators.operators(view, _with_ids(wanted, body.include), Cut(PAGE_LIMIT)).entries
        fitting = {each.operator_id: each for each in (*cheapest, *named)}
        found = choose(
            [each for key, each in fitting.items() if key not in excluded],
            size=body.size,
            include=[OperatorId(each) for each in body.include],
            sets=body.sets,
        )
        return SetsOut(
            sets=[
                SetOut(
                    operator_ids=list(each.ids),
                    fee_wei=str(units_to_wei(each.fee_units)),
                    most_loaded_validators=max(one.validator_count for one in each.operators),
                )
                for each in found
            ]
        )

    return ask.answer(find)


@router.get("/select", include_in_schema=False)
def select_by_get() -> Response:
    """Else the word would be taken for an operator's id."""
    raise HTTPException(405, headers={"Allow": "POST"})


def _with_ids(wanted: OperatorFilter, ids: list[int]) -> OperatorFilter:
    return OperatorFilter(
        ids=[OperatorId(each) for each in ids],
        is_private=wanted.is_private,
        is_removed=False,
        most_validators=wanted.most_validators,
        most_fee_units=wanted.most_fee_units,
        allows=wanted.allows,
    )
