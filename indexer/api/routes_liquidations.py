"""`/v1/liquidations`: clusters that can be liquidated now or soon, soonest first."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Annotated, Final

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Asked
from indexer.api.branches import Branch
from indexer.api.drafts import liquidation_call
from indexer.api.envelope import Reply
from indexer.api.making import made
from indexer.api.scalars import (
    AddressText,
    BlockText,
    HashText,
    HexText,
    OperatorIdsText,
    TimeText,
    WeiText,
    address_text,
    hex_text,
)
from indexer.api.schemas import SnapshotOut, estimated_time, snapshot_out
from indexer.queries.liquidations import Endangered, endangered
from indexer.queries.reading import View
from indexer.queries.records import PAGE_LIMIT
from sdk.registry import ledger
from sdk.types import Wei

router = Branch(prefix="/v1/liquidations", tags=["liquidations"])
MOST_HORIZON: Final = 2_628_000
"""A year of blocks."""
BLOCKS_REMEMBERED: Final = 4
"""Lists of the newest blocks, a few megabytes each."""


class LiquidationOut(BaseModel):
    """A cluster and when anyone may liquidate it, at present fees."""

    cluster_id: HashText
    owner: AddressText
    operator_ids: OperatorIdsText
    liquidation_block: BlockText
    liquidation_time: TimeText | None = Field(description="Estimate, 12 s a block.")
    is_liquidatable: bool
    validators: int
    balance_wei: WeiText = Field(description="Wei at this block.")
    reward_wei: WeiText = Field(
        description="Wei that a liquidator receives at a base fee of 0; more when gas is dear, up "
        "to the price of 300,000 gas."
    )
    snapshot: SnapshotOut
    calldata: HexText = Field(description="Of `liquidate`, ready to send to the registry.")


class LiquidationsOut(BaseModel):
    """The soonest ones within the horizon."""

    horizon_blocks: int
    within_horizon: int = Field(description="How many there are; the list may be shorter.")
    clusters: list[LiquidationOut]


@router.get("", response_model=Reply[LiquidationsOut])
def list_liquidations(
    ask: Asked,
    horizon_blocks: Annotated[
        int,
        Query(ge=0, le=MOST_HORIZON, description="So many blocks ahead; 0: now.", examples=[7200]),
    ] = 7_200,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
) -> Response:
    """Clusters that can be liquidated now or within the horizon, soonest first."""
    remembered: Remembered = ask.request.app.state.liquidations

    def find(view: View) -> LiquidationsOut:
        last = view.at + horizon_blocks
        found = [each for each in remembered.find(view) if each.block <= last]
        return made(
            LiquidationsOut,
            horizon_blocks=horizon_blocks,
            within_horizon=len(found),
            clusters=[_out(each, view) for each in found[:limit]],
        )

    return ask.answer(find)


class Remembered:
    """Lists of the last few blocks: everybody asks for the same one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lists: OrderedDict[bytes, list[Endangered]] = OrderedDict()

    def find(self, view: View) -> list[Endangered]:
        """The list at the view's block."""
        name = view.block.hash
        if name is None:
            return endangered(view)
        key = bytes(view.position.contract) + bytes(name)
        with self._lock:
            if key in self._lists:
                return self._lists[key]
        found = endangered(view)
        with self._lock:
            self._lists[key] = found
            while len(self._lists) > BLOCKS_REMEMBERED:
                self._lists.popitem(last=False)
        return found


def _out(each: Endangered, view: View) -> LiquidationOut:
    parties = each.parties
    cluster = parties.cluster
    balance_wei = ledger.settle_cluster(parties, at=view.at).snapshot.balance_wei
    # What is left by the block in which it becomes possible.
    then_wei = ledger.settle_cluster(parties, at=each.block).snapshot.balance_wei
    reward_wei = ledger.bounty_wei(
        balance_wei=then_wei,
        minimum_collateral_wei=parties.network.parameters.minimum_collateral_wei,
        base_fee_wei=Wei(0),
    )
    return made(
        LiquidationOut,
        cluster_id=hex_text(cluster.cluster_id),
        owner=address_text(cluster.owner),
        operator_ids=list(cluster.operator_ids),
        liquidation_block=each.block,
        liquidation_time=estimated_time(view, each.block),
        is_liquidatable=each.block == view.at,
        validators=cluster.validator_count,
        balance_wei=str(balance_wei),
        reward_wei=str(reward_wei),
        snapshot=snapshot_out(cluster.snapshot),
        calldata=hex_text(liquidation_call(cluster)),
    )
