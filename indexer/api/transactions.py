"""Unsigned calls as answers: what was drafted from the tables, and what a node says of it."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api.asking import Ask
from indexer.api.drafts import DraftCall
from indexer.api.node import Node, NotChecked
from indexer.api.parameters import optional_owner
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
from indexer.queries.reading import Position, View

NOT_NEWEST = "the answer tells of an older block than the newest"
NO_SENDER = "nobody is named who sends it; name a sender"


class RevertOut(BaseModel):
    """Why the call would revert in the next block, by the execution node."""

    code: str = Field(description="The registry's error.", examples=["incorrect_cluster_state"])
    detail: str = Field(examples=["deposit: the struct is not the cluster's (…)"])
    hint: str = Field(examples=["Read the newest snapshot."])


class TransactionOut(BaseModel):
    """A call to sign elsewhere; nothing is sent from here."""

    function: str = Field(examples=["deposit"])
    chain_id: int = Field(examples=[1])
    to: AddressText = Field(description="The registry.")
    data: HexText
    value_wei: WeiText
    sender: AddressText | None = Field(description="Who has to send it; null: anyone.")
    snapshot: SnapshotOut | None = Field(
        description="Among the arguments, if the call has one; it is void without it."
    )
    nonces: list[int] = Field(description="Registration nonces that it uses up.", examples=[[]])
    as_of_block: BlockText
    balance_after_wei: WeiText | None = Field(
        description="Of the cluster, if it is in the next block."
    )
    gas: int | None = Field(
        description="Estimated by the execution node, without margin.", examples=[180_000]
    )
    would_revert: RevertOut | None = Field(
        description="By the execution node; null: no, or not checked.", examples=[None]
    )
    not_checked: str | None = Field(
        description="Why no execution node was asked about gas and success; null: it was.",
        examples=[None],
    )
    warnings: list[str] = Field(examples=[["Void as soon as the cluster changes."]])


def respond(ask: Ask, draft: Callable[[View], DraftCall], *, sender: str | None = None) -> Response:
    """The answer for a draft.

    Args:
        ask: the request.
        draft: what is asked for, from the tables.
        sender: who will send a call that anyone may make.
    """
    named = optional_address(optional_owner(sender, what="sender"))

    def check(node: Node, shown: TransactionOut, position: Position) -> TransactionOut:
        if shown.as_of_block != position.newest.number:
            raise NotChecked(NOT_NEWEST)
        if (shown.sender or named) is None:
            raise NotChecked(NO_SENDER)
        return _checked(node, shown, str(shown.sender or named), position)

    return ask.checked(lambda view: _shown(draft(view), view), check)


def _shown(made: DraftCall, view: View) -> TransactionOut:
    left = made.balance_after_wei
    return TransactionOut.model_construct(
        function=made.function,
        chain_id=view.position.chain_id,
        to=address_text(view.position.contract),
        data=hex_text(made.data),
        value_wei=str(made.value_wei),
        sender=optional_address(made.sender),
        snapshot=None if made.snapshot is None else snapshot_out(made.snapshot),
        nonces=list(made.nonces),
        as_of_block=view.at,
        balance_after_wei=None if left is None else str(left),
        gas=None,
        would_revert=None,
        not_checked=None,
        warnings=list(made.warnings),
    )


def _checked(node: Node, shown: TransactionOut, sender: str, position: Position) -> TransactionOut:
    """The same with what the node says of it.

    Raises:
        NotChecked: the node does not say.
    """
    found = node.estimate(
        shown.function,
        sender=sender,
        to=position.contract,
        data=shown.data,
        value_wei=int(shown.value_wei),
        chain=position.chain_id,
    )
    revert = None
    if found.revert is not None:
        each = found.revert
        revert = RevertOut(code=each.code, detail=each.message, hint=each.hint)
    return shown.model_copy(update={"gas": found.gas, "would_revert": revert})
