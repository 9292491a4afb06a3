"""The request of EIP-7002 as bytes."""

from __future__ import annotations

from sdk.client.exits import encode_request
from sdk.types import PublicKey

KEY = PublicKey(bytes(range(48)))


def test_full_exit_is_the_key_and_eight_zero_bytes() -> None:
    assert encode_request(KEY) == bytes(range(48)) + bytes(8)


def test_amount_is_big_endian() -> None:
    assert encode_request(KEY, amount_gwei=0x0102)[48:] == bytes([0, 0, 0, 0, 0, 0, 1, 2])
