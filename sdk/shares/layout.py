"""The bytes of `sharesData`.

Pure. For n operators in ascending id order:

    offset      length   content
    0           96       the validator key's signature over the nonce message
    96          48 n     share public keys
    96 + 48 n   256 n    share private keys, each encrypted to its operator

Nothing binds that signature to a chain, a registry, the operators or the shares; `verify` exists
for that reason. Source: docs/shares.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sdk.committee import ENCRYPTED_SHARE_BYTES, shares_data_length
from sdk.errors import KeysharesError
from sdk.types import (
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    PublicKey,
    Signature,
)


@dataclass(frozen=True, slots=True)
class SharesData:
    """The three parts, in operator order. Their points and ciphertexts are not yet checked."""

    signature: Signature
    share_public_keys: tuple[PublicKey, ...]
    encrypted_shares: tuple[bytes, ...]


def pack(parts: SharesData) -> bytes:
    """`sharesData` as it goes on chain."""
    return b"".join([parts.signature, *parts.share_public_keys, *parts.encrypted_shares])


def unpack(data: bytes, *, operators: int) -> SharesData:
    """The parts of `sharesData` for a known number of operators.

    Raises:
        KeysharesError: `shares_length`; nodes discard a registration of any other length.
    """
    expected = shares_data_length(operators)
    if len(data) != expected:
        raise KeysharesError(
            f"sharesData has {len(data)} bytes, {operators} operators need {expected}",
            code="shares_length",
            hint="The file is cut or padded; make it again.",
        )
    keys_end = SIGNATURE_BYTES + operators * PUBLIC_KEY_BYTES
    keys = _pieces(data[SIGNATURE_BYTES:keys_end], PUBLIC_KEY_BYTES)
    return SharesData(
        signature=Signature(data[:SIGNATURE_BYTES]),
        share_public_keys=tuple(PublicKey(key) for key in keys),
        encrypted_shares=tuple(_pieces(data[keys_end:], ENCRYPTED_SHARE_BYTES)),
    )


def _pieces(data: bytes, size: int) -> Sequence[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]
