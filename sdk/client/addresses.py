"""Addresses and block names as callers give them, in the one form that goes on.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from sdk.committee import threshold_of
from sdk.errors import InputError
from sdk.types import MAX_OPERATOR_ID, Address, OperatorId, checksum_address, parse_address

AddressLike = str | bytes
"""`0x` and 40 hex digits (a mixed case must be the EIP-55 one), or 20 bytes."""


def to_checksum(address: AddressLike, *, what: str = "address") -> ChecksumAddress:
    """The EIP-55 text.

    Raises:
        InputError: `address_malformed`, `address_checksum`.
    """
    raw = parse_address(address, what=what) if isinstance(address, str) else address
    return to_checksum_address(checksum_address(raw))


def to_raw(address: AddressLike, *, what: str = "address") -> Address:
    """The 20 bytes.

    Raises:
        InputError: `address_malformed`, `address_checksum`.
    """
    return parse_address(to_checksum(address, what=what))


def to_operator_ids(ids: Sequence[int]) -> tuple[OperatorId, ...]:
    """The ids of a cluster, which must ascend because the shares follow their order.

    Raises:
        InputError: `operator_count`, `operator_id_range`, `operator_ids_not_unique`,
            `operator_ids_not_sorted`.
    """
    threshold_of(len(ids))
    shown = ", ".join(map(str, ids))
    if not all(isinstance(each, int) and 1 <= each <= MAX_OPERATOR_ID for each in ids):
        raise InputError(f"operator ids {shown} are not all positive", code="operator_id_range")
    if len(set(ids)) != len(ids):
        raise InputError(f"operator ids {shown} repeat one", code="operator_ids_not_unique")
    if any(low > high for low, high in pairwise(ids)):
        raise InputError(
            f"operator ids {shown} must ascend",
            code="operator_ids_not_sorted",
            hint=f"Write {', '.join(map(str, sorted(ids)))}; shares follow the order of the ids.",
        )
    return tuple(OperatorId(each) for each in ids)
