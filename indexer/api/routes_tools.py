"""Tools: `/v1/fees/quote`, `/v1/keyshares/verify`.

They compute from the tables and what is sent; nothing that is sent is kept.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Asked
from indexer.api.branches import Branch
from indexer.api.envelope import Reply
from indexer.api.keyshares import judge, read_file, turn
from indexer.api.parameters import CommitteeQuery, parse_committee
from indexer.api.scalars import OperatorIdText, WeiText
from indexer.queries import operators
from indexer.queries.errors import NotFound
from indexer.queries.network import network
from indexer.queries.reading import View
from sdk.events import ClusterSnapshot
from sdk.registry import Cluster, Network, Operator, Parties, cluster_id, ledger, runway
from sdk.shares import is_sound
from sdk.types import Address, BlockNumber, Wei
from sdk.units import units_to_wei

router = Branch(prefix="/v1", tags=["tools"])
BLOCKS_PER_DAY: Final = 7_200
MOST_VALIDATORS: Final = 100_000
MOST_DAYS: Final = 3_650


class OperatorFeeOut(BaseModel):
    """An operator's part."""

    operator_id: OperatorIdText
    fee_wei_per_block: WeiText


class QuoteOut(BaseModel):
    """What a cluster would cost at present fees."""

    operators: list[OperatorFeeOut] = Field(description="For all validators together.")
    network_fee_wei_per_block: WeiText
    total_wei_per_block: WeiText
    total_wei_per_day: WeiText
    total_wei_per_year: WeiText
    collateral_wei: WeiText = Field(description="Must stay in the cluster.")
    deposit_wei: WeiText = Field(description="Smallest payment that lasts for the days asked.")
    days: int
    validators: int
    effective_balance_eth: int


class FindingOut(BaseModel):
    """Something about a keyshares file."""

    code: str
    severity: Literal["error", "warning"]
    message: str
    where: str
    hint: str


class VerdictOut(BaseModel):
    """What nodes would make of a keyshares file registered now."""

    sound: bool
    validators: int
    findings: list[FindingOut]


@router.get("/fees/quote", response_model=Reply[QuoteOut])
def quote_fees(
    ask: Asked,
    operators_text: CommitteeQuery,
    validators_count: Annotated[
        int, Query(alias="validators", ge=1, le=MOST_VALIDATORS, description="How many.")
    ] = 1,
    eb: Annotated[
        int, Query(ge=32, le=2048, description="Effective balance of each, whole ETH.")
    ] = 32,
    days: Annotated[
        int, Query(ge=0, le=MOST_DAYS, description="For so many days of 7,200 blocks.")
    ] = 180,
) -> Response:
    """What validators would cost with these operators, and the deposit for so many days."""
    ids = parse_committee(operators_text.split(","))

    def find(view: View) -> QuoteOut:
        known = operators.by_ids(view, ids)
        missing = [each for each in ids if each not in known or known[each].removed_at is not None]
        if missing:
            raise NotFound(
                f"operator {missing[0]} does not exist at block {view.at}", code="operator_unknown"
            )
        parties = _imagined(
            [known[each] for each in ids], network(view), validators_count, eb, at=view.at
        )
        return _quote_out(parties, days, at=view.at)

    return ask.answer(find)


async def _raw(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/keyshares/verify",
    response_model=Reply[VerdictOut],
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "A keyshares file, as tools write it. It holds public parts only.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
def verify_keyshares_file(ask: Asked, raw: Annotated[bytes, Depends(_raw)]) -> Response:
    """What is wrong with a keyshares file, by itself and against the registry at this block."""
    reading = read_file(raw)

    def find(view: View) -> VerdictOut:
        found = judge(view, reading)
        return VerdictOut(
            sound=is_sound(found),
            validators=len(reading.file.shares),
            findings=[
                FindingOut(
                    code=each.code,
                    severity=each.severity,
                    message=each.message,
                    where=each.where,
                    hint=each.hint,
                )
                for each in found
            ],
        )

    with turn():
        return ask.answer(find)


def _imagined(
    chosen: list[Operator], net: Network, count: int, eth: int, *, at: BlockNumber
) -> Parties:
    """A cluster as it would be right after its registration, without a balance."""
    nobody = Address(bytes(20))
    ids = tuple(each.operator_id for each in chosen)
    cluster = Cluster(
        cluster_id=cluster_id(nobody, ids),
        owner=nobody,
        operator_ids=ids,
        sequence=0,
        snapshot=ClusterSnapshot(
            validator_count=count,
            network_fee_index=ledger.network_index(net, at=at),
            index=sum(ledger.operator_index(each, at=at) for each in chosen),
            active=True,
            balance_wei=Wei(0),
        ),
        validator_count=count,
        effective_balance_eth=count * eth,
    )
    return Parties(cluster, tuple(chosen), net)


def _quote_out(parties: Parties, days: int, *, at: BlockNumber) -> QuoteOut:
    eth = parties.cluster.effective_balance_eth
    burn_wei = ledger.burn_rate_wei(parties)

    def share_wei(fee_units: int) -> str:
        return str(units_to_wei(fee_units) * eth // 32)

    return QuoteOut(
        operators=[
            OperatorFeeOut(
                operator_id=each.operator_id, fee_wei_per_block=share_wei(each.fee_units)
            )
            for each in parties.operators
        ],
        network_fee_wei_per_block=share_wei(parties.network.fee_units),
        total_wei_per_block=str(burn_wei),
        total_wei_per_day=str(burn_wei * BLOCKS_PER_DAY),
        total_wei_per_year=str(burn_wei * BLOCKS_PER_DAY * 365),
        collateral_wei=str(ledger.liquidation_threshold_wei(parties, effective_balance_eth=eth)),
        deposit_wei=str(
            runway.deposit_needed_wei(parties, for_blocks=days * BLOCKS_PER_DAY, at=at)
        ),
        days=days,
        validators=parties.cluster.validator_count,
        effective_balance_eth=eth,
    )
