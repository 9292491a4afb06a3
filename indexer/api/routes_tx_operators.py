"""`/v1/tx/{action}` on operators: calls ready for their owner to sign. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from indexer.api import drafts_operators as drafts
from indexer.api.asking import Ask, Asked
from indexer.api.branches import Branch
from indexer.api.drafts import DraftCall
from indexer.api.envelope import Reply
from indexer.api.parameters import AddressIn, AmountIn, OperatorIdIn, optional_owner
from indexer.api.routes_operators import required_operators
from indexer.api.transactions import TransactionOut, respond
from indexer.queries import operators
from indexer.queries.network import network
from indexer.queries.reading import View
from sdk.errors import ChainError
from sdk.registry import Operator
from sdk.types import Wei, checksum_address, parse_address

router = Branch(prefix="/v1/tx", tags=["tools"])
MOST_OPERATORS = 100
"""Of one call; more do not fit a block with many addresses."""
MOST_ADDRESSES = 500
MOST_KEY_CHARACTERS = 4_096
"""A key has 612 in its canonical spelling."""


class OperatorIn(BaseModel):
    """Which operator."""

    operator_id: OperatorIdIn


class OperatorFeeIn(OperatorIn):
    """Which operator, and a fee."""

    fee_wei: AmountIn = Field(description="Wei per block and 32 ETH, a multiple of 100,000.")


class EarningsIn(OperatorIn):
    """Which operator, and how much of its earnings."""

    amount_wei: AmountIn | None = Field(default=None, description="All of them if left out.")


class NewOperatorIn(BaseModel):
    """An operator to be."""

    public_key: str = Field(
        max_length=MOST_KEY_CHARACTERS,
        description="RSA-2048 key in any spelling; it is registered in the canonical one.",
        examples=["LS0tLS1CRUdJTiBSU0EgUFVCTElDIEtFWS0tLS0t"],
    )
    fee_wei: AmountIn = Field(description="Wei per block and 32 ETH, a multiple of 100,000.")
    is_private: bool = Field(default=False, description="Only admitted owners may use it.")
    sender: AddressIn | None = Field(
        default=None, description="Who will own it, to estimate the gas."
    )


class OperatorsIn(BaseModel):
    """Which operators, all of one owner."""

    operator_ids: list[OperatorIdIn] = Field(
        min_length=1, max_length=MOST_OPERATORS, examples=[[7, 8]]
    )


class PrivacyIn(OperatorsIn):
    """Which operators, and who may use them."""

    is_private: bool = Field(description="Only admitted owners may use them.", examples=[True])


class AdmissionIn(OperatorsIn):
    """Which operators, and whom they shall admit or no longer admit."""

    addresses: list[AddressIn] = Field(min_length=1, max_length=MOST_ADDRESSES)


class WhitelistingIn(OperatorsIn):
    """Which operators, and the contract that shall admit owners."""

    contract: AddressIn | None = Field(default=None, description="None any more if left out.")


Answer = Reply[TransactionOut]


@router.post("/register_operator", response_model=Answer)
def draft_register_operator(ask: Asked, body: NewOperatorIn) -> Response:
    """A new operator. Its id is in the event `OperatorAdded` of the receipt."""
    key = drafts.public_key_bytes(body.public_key)
    sender = optional_owner(body.sender, what="sender")

    def find(view: View) -> DraftCall:
        same = operators.by_public_key(view, key)
        if any(each.owner == sender for each in same):
            raise ChainError(
                f"{body.sender} has registered this key before", code="operator_already_exists"
            )
        return drafts.register_operator(
            network(view).parameters,
            key=key,
            fee_wei=int(body.fee_wei),
            is_private=body.is_private,
            sender=None,
        )

    return respond(ask, find, sender=body.sender)


@router.post("/remove_operator", response_model=Answer)
def draft_remove_operator(ask: Asked, body: OperatorIn) -> Response:
    """Ends an operator for good."""
    return _of_one(ask, body, lambda found, view: drafts.remove_operator(found, at=view.at))


@router.post("/declare_fee", response_model=Answer)
def draft_declare_fee(ask: Asked, body: OperatorFeeIn) -> Response:
    """Announces a fee."""
    fee_wei = int(body.fee_wei)

    def find(found: Operator, view: View) -> DraftCall:
        return drafts.declare_fee(found, network(view).parameters, fee_wei=fee_wei)

    return _of_one(ask, body, find)


@router.post("/execute_fee", response_model=Answer)
def draft_execute_fee(ask: Asked, body: OperatorIn) -> Response:
    """Puts the declared fee into force, within its window."""

    def find(found: Operator, view: View) -> DraftCall:
        return drafts.execute_fee(found, network(view).parameters, now_s=view.block.timestamp_s)

    return _of_one(ask, body, find)


@router.post("/cancel_fee", response_model=Answer)
def draft_cancel_fee(ask: Asked, body: OperatorIn) -> Response:
    """Takes the declared fee back."""
    return _of_one(ask, body, lambda found, _: drafts.cancel_fee(found))


@router.post("/reduce_fee", response_model=Answer)
def draft_reduce_fee(ask: Asked, body: OperatorFeeIn) -> Response:
    """Lowers the fee at once."""
    fee_wei = int(body.fee_wei)

    def find(found: Operator, view: View) -> DraftCall:
        return drafts.reduce_fee(found, network(view).parameters, fee_wei=fee_wei)

    return _of_one(ask, body, find)


@router.post("/withdraw_earnings", response_model=Answer)
def draft_withdraw_earnings(ask: Asked, body: EarningsIn) -> Response:
    """Pays earnings to the operator's owner."""
    amount_wei = None if body.amount_wei is None else Wei(int(body.amount_wei))

    def find(found: Operator, view: View) -> DraftCall:
        return drafts.withdraw_earnings(found, amount_wei=amount_wei, at=view.at)

    return _of_one(ask, body, find)


@router.post("/set_privacy", response_model=Answer)
def draft_set_privacy(ask: Asked, body: PrivacyIn) -> Response:
    """Lets anyone use the operators, or only those that they admit."""
    name = "Private" if body.is_private else "Public"
    return _of_all(ask, body, f"setOperators{name}Unchecked")


@router.post("/admit", response_model=Answer)
def draft_admit(ask: Asked, body: AdmissionIn) -> Response:
    """Puts addresses on the lists of all of the operators."""
    return _of_all(ask, body, "setOperatorsWhitelists", _addresses(body.addresses))


@router.post("/dismiss", response_model=Answer)
def draft_dismiss(ask: Asked, body: AdmissionIn) -> Response:
    """Takes addresses off the lists; validators that are registered stay."""
    return _of_all(ask, body, "removeOperatorsWhitelists", _addresses(body.addresses))


@router.post("/set_whitelisting_contract", response_model=Answer)
def draft_set_whitelisting_contract(ask: Asked, body: WhitelistingIn) -> Response:
    """Lets a contract admit owners, beside the lists."""
    if body.contract is None:
        return _of_all(ask, body, "removeOperatorsWhitelistingContract")
    contract = _addresses([body.contract])[0]
    return _of_all(ask, body, "setOperatorsWhitelistingContract", contract)


def _of_one(ask: Ask, body: OperatorIn, draft: Callable[[Operator, View], DraftCall]) -> Response:
    return respond(ask, lambda view: draft(required_operators(view, [body.operator_id])[0], view))


def _of_all(ask: Ask, body: OperatorsIn, function: str, *arguments: Any) -> Response:
    ids = sorted(set(body.operator_ids))

    def find(view: View) -> DraftCall:
        return drafts.for_all(function, required_operators(view, ids), *arguments)

    return respond(ask, find)


def _addresses(texts: Sequence[str]) -> list[str]:
    """As the ABI takes them, each once."""
    return [checksum_address(parse_address(each)) for each in dict.fromkeys(texts)]
