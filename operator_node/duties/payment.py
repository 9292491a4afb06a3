"""Whom a block on the chain paid: its payload's recipient, or by the builder's last transaction.

Pure. A blinded header names the builder, so that nobody can tell before the block is public what
the proposer gets; this tells it afterwards. A builder that pays by a contract's inner call is not
recognised: the payment is the last transaction of the block, sent straight to the recipient.

Source: docs/security.md, "Proposals"; EIP-2718, EIP-1559, EIP-4844 and EIP-7702 (transactions).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import rlp  # type: ignore[import-untyped]  # no type information upstream

from sdk.types import ADDRESS_BYTES, Address

_LEGACY_FROM: Final = 0xC0
"""First byte of a transaction without a type: the head of an RLP list."""
_PLACES: Final = {1: (4, 5), 2: (5, 6), 3: (5, 6), 4: (5, 6)}
"""Of recipient and value among the fields, by type."""
_LEGACY_PLACES: Final = (3, 4)
_VALUE_BYTES: Final = 32


class Way(StrEnum):
    """How the proposer was paid."""

    PAYLOAD = "payload"
    """All fees went to an accepted recipient."""
    BUILDER = "builder"
    """The block's last transaction paid an accepted recipient."""
    NOBODY = "nobody"
    """Neither."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What became of a proposal's earnings.

    Attributes:
        recipient: who was paid; where it is nobody accepted, the payload's recipient.
        wei: of the builder's transaction, None for fees, which only the chain's state tells.
    """

    way: Way
    recipient: Address
    wei: int | None = None


def payment_of(
    fee_recipient: Address, last_transaction: bytes | None, recipients: Collection[Address]
) -> Payment:
    """Whom a block paid.

    Args:
        fee_recipient: of its payload.
        last_transaction: of its payload as the block has it, None if there is none.
        recipients: who may be paid.
    """
    if fee_recipient in recipients:
        return Payment(Way.PAYLOAD, fee_recipient)
    sent = None if last_transaction is None else read_transfer(last_transaction)
    if sent is not None and sent[0] in recipients and sent[1]:
        return Payment(Way.BUILDER, *sent)
    return Payment(Way.NOBODY, fee_recipient)


def read_transfer(transaction: bytes) -> tuple[Address, int] | None:
    """Recipient and wei of an encoded transaction; None if it has none, or no known form."""
    if not transaction:
        return None
    is_legacy = transaction[0] >= _LEGACY_FROM
    places = _LEGACY_PLACES if is_legacy else _PLACES.get(transaction[0])
    if places is None:
        return None
    try:
        fields = rlp.decode(transaction if is_legacy else transaction[1:])
    except rlp.DecodingError:
        return None
    if not isinstance(fields, list) or len(fields) <= places[1]:
        return None
    to, value = fields[places[0]], fields[places[1]]
    is_transfer = isinstance(to, bytes) and len(to) == ADDRESS_BYTES and isinstance(value, bytes)
    if not is_transfer or len(value) > _VALUE_BYTES:
        return None
    return Address(to), int.from_bytes(value, "big")
