"""What every committee of operators shares: sizes, thresholds, and the bytes it is registered with.

Pure. n = 3f + 1 operators tolerate f that fail or lie; t = 2f + 1 = n - f of them sign.
Source: docs/shares.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sdk.errors import InputError
from sdk.types import (
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    Address,
    checksum_address,
    keccak256,
)

THRESHOLDS: Final[Mapping[int, int]] = {4: 3, 7: 5, 10: 7, 13: 9}
"""Committee size n to threshold t."""
ENCRYPTED_SHARE_BYTES: Final = 256
"""One RSA-2048 ciphertext."""


def threshold_of(size: int) -> int:
    """Shares needed to sign in a committee of `size` operators.

    Raises:
        InputError: `operator_count`, the size is not 4, 7, 10 or 13.
    """
    if size not in THRESHOLDS:
        raise InputError(
            f"a committee has 4, 7, 10 or 13 operators, got {size}", code="operator_count"
        )
    return THRESHOLDS[size]


def shares_data_length(operators: int) -> int:
    """Bytes of `sharesData` for so many operators: 96 + 304 n."""
    return SIGNATURE_BYTES + operators * (PUBLIC_KEY_BYTES + ENCRYPTED_SHARE_BYTES)


def nonce_message(owner: Address, nonce: int) -> bytes:
    """The 32 bytes a validator key signs: keccak256 of `<EIP-55 owner>:<nonce in decimal>`."""
    return keccak256(f"{checksum_address(owner)}:{nonce}".encode())
