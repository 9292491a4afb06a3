"""The interop validators' keys: validator `i` of any development genesis has key `i`.

Pure. Anybody can compute these keys, so none of them may ever guard anything.

Source: ethereum/eth2.0-pm, interop/mocked_start.
"""

from __future__ import annotations

from hashlib import sha256

from sdk.crypto import bls
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.types import PublicKey


def interop_secret(index: int) -> SecretKey:
    """The whole key of a validator: its hashed index, read little-endian, below the group order."""
    digest = sha256(index.to_bytes(32, "little")).digest()
    return SecretKey(int.from_bytes(digest, "little") % CURVE_ORDER)


def interop_key(index: int) -> PublicKey:
    """The public key of a validator, 48 bytes."""
    return bls.public_key(interop_secret(index))
