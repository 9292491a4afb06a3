"""`/v1/tx/{action}` on clusters: calls ready for somebody else to sign. Nothing is sent."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api import drafts
from indexer.api.asking import Asked
from indexer.api.branches import Branch
from indexer.api.drafts import DraftCall
from indexer.api.envelope import Reply
from indexer.api.parameters import AddressIn, AmountIn, ClusterIn
from indexer.api.routes_clusters import required_cluster
from indexer.api.transactions import TransactionOut, respond
from indexer.queries import clusters
from indexer.queries.reading import View
from sdk.errors import ChainError, InputError
from sdk.registry import Parties, runway
from sdk.types import BlockNumber, Wei

router = Branch(prefix="/v1/tx", tags=["tools"])
BLOCKS_PER_DAY = 7_200
MOST_DAYS = 3_650
Action = Literal["deposit", "withdraw", "liquidate", "reactivate"]


class TransactionIn(BaseModel):
    """What shall be done."""

    cluster: ClusterIn
    amount_wei: AmountIn | None = Field(default=None, description="To pay in or take out.")
    runway_days: int | None = Field(
        default=None,
        ge=0,
        le=MOST_DAYS,
        description="Instead of an amount to pay in.",
        examples=[None],
    )
    sender: AddressIn | None = Field(
        default=None, description="Who will send a call that anyone may make, to estimate its gas."
    )


@router.post("/{action}", response_model=Reply[TransactionOut])
def draft_transaction(ask: Asked, action: Action, body: TransactionIn) -> Response:
    """An unsigned call on a cluster, with the same checks as the SDK makes."""

    def find(view: View) -> DraftCall:
        found = required_cluster(view, body.cluster)
        return _draft(action, clusters.parties(view, [found])[0], body, at=view.at)

    return respond(ask, find, sender=body.sender)


def paid_in(
    parties: Parties,
    *,
    amount_wei: str | None,
    runway_days: int | None,
    at: BlockNumber,
    new_validators: int = 0,
) -> Wei:
    """What is to be paid in, given as an amount or as days that it shall last.

    Raises:
        InputError: `amount_missing`, not exactly one of the two.
    """
    if (amount_wei is None) == (runway_days is None):
        raise InputError("either amount_wei or runway_days is needed", code="amount_missing")
    if runway_days is None:
        return Wei(int(amount_wei or 0))
    return runway.deposit_needed_wei(
        parties,
        for_blocks=runway_days * BLOCKS_PER_DAY,
        at=BlockNumber(at + 1),
        new_validators=new_validators,
    )


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
    return paid_in(parties, amount_wei=body.amount_wei, runway_days=body.runway_days, at=at)
