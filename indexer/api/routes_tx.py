"""`/v1/tx/{action}`: calls on the registry, ready for somebody else to sign. Nothing is sent."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api import drafts
from indexer.api.asking import Asked
from indexer.api.drafts import DraftCall
from indexer.api.envelope import Reply
from indexer.api.routes_clusters import required_cluster
from indexer.api.scalars import (
    AddressText,
    BlockText,
    HexText,
    WeiText,
    address_text,
    hex_text,
    optional_address,
)
from indexer.api.schemas import SnapshotOut, snapshot_out
from indexer.queries import clusters
from indexer.queries.reading import View
from sdk.errors import ChainError, InputError
from sdk.registry import Parties, runway
from sdk.types import BlockNumber, Wei

router = APIRouter(prefix="/v1/tx", tags=["tools"])
BLOCKS_PER_DAY = 7_200
Action = Literal["deposit", "withdraw", "liquidate", "reactivate"]


class TransactionIn(BaseModel):
    """What shall be done."""

    cluster: str = Field(max_length=400, description="Its hash, or owner and operators.")
    amount_wei: str | None = Field(
        default=None, pattern=r"^[0-9]{1,30}$", description="To pay in or take out."
    )
    runway_days: int | None = Field(
        default=None, ge=0, le=3650, description="Instead of an amount to pay in."
    )


class TransactionOut(BaseModel):
    """A call to sign elsewhere; gas is for the signer's own node to estimate."""

    function: str
    chain_id: int
    to: AddressText
    data: HexText
    value_wei: WeiText
    sender: AddressText | None = Field(description="Who has to send it; null: anyone.")
    snapshot: SnapshotOut = Field(description="Among the arguments; the call is void without it.")
    as_of_block: BlockText
    balance_after_wei: WeiText | None = Field(description="If it is in the next block.")
    warnings: list[str]


@router.post("/{action}", response_model=Reply[TransactionOut])
def draft(ask: Asked, action: Action, body: TransactionIn) -> Response:
    """An unsigned call on a cluster, with the same checks as the SDK makes."""

    def find(view: View) -> TransactionOut:
        found = required_cluster(view, body.cluster)
        parties = clusters.parties(view, [found])[0]
        made = _draft(action, parties, body, at=view.at)
        return TransactionOut(
            function=made.function,
            chain_id=view.position.chain_id,
            to=address_text(view.position.contract),
            data=hex_text(made.data),
            value_wei=str(made.value_wei),
            sender=optional_address(made.sender),
            snapshot=snapshot_out(found.snapshot),
            as_of_block=view.at,
            balance_after_wei=None
            if made.balance_after_wei is None
            else str(made.balance_after_wei),
            warnings=list(made.warnings),
        )

    return ask.answer(find)


def _draft(action: Action, parties: Parties, body: TransactionIn, *, at: BlockNumber) -> DraftCall:
    match action:
        case "deposit":
            amount_wei = _paid(parties, body, at)
            if amount_wei == 0 and body.runway_days is not None:
                raise ChainError(
                    f"the balance lasts for {body.runway_days} days already",
                    code="nothing_to_do",
                    hint="Give an amount, or a longer runway.",
                )
            return drafts.deposit(parties, amount_wei=amount_wei, at=at)
        case "withdraw":
            if body.amount_wei is None:
                raise InputError("an amount_wei is needed", code="amount_missing")
            return drafts.withdraw(parties, amount_wei=Wei(int(body.amount_wei)), at=at)
        case "liquidate":
            return drafts.liquidate(parties, at=at)
        case "reactivate":
            return drafts.reactivate(parties, amount_wei=_paid(parties, body, at), at=at)


def _paid(parties: Parties, body: TransactionIn, at: BlockNumber) -> Wei:
    """What is to be paid in."""
    if (body.amount_wei is None) == (body.runway_days is None):
        raise InputError("either amount_wei or runway_days is needed", code="amount_missing")
    if body.runway_days is None:
        return Wei(int(body.amount_wei or 0))
    blocks = body.runway_days * BLOCKS_PER_DAY
    return runway.deposit_needed_wei(parties, for_blocks=blocks, at=BlockNumber(at + 1))
