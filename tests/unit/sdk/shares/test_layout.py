"""The bytes of sharesData and the message that its signature covers."""

from __future__ import annotations

import pytest

from sdk.committee import nonce_message, shares_data_length
from sdk.errors import InputError, KeysharesError
from sdk.shares.layout import SharesData, pack, unpack
from sdk.testing.keys import OWNER
from sdk.types import Address, PublicKey, Signature, keccak256

PARTS = SharesData(
    signature=Signature(b"\x01" * 96),
    share_public_keys=tuple(PublicKey(bytes([10 + at]) * 48) for at in range(4)),
    encrypted_shares=tuple(bytes([20 + at]) * 256 for at in range(4)),
)


@pytest.mark.parametrize(("operators", "length"), [(4, 1312), (7, 2224), (10, 3136), (13, 4048)])
def test_length_is_96_and_304_for_each_operator(operators: int, length: int) -> None:
    assert shares_data_length(operators) == length


def test_signature_comes_first_then_all_keys_then_all_ciphertexts() -> None:
    data = pack(PARTS)
    assert data[:96] == b"\x01" * 96
    assert data[96:144] == b"\x0a" * 48
    assert data[96 + 3 * 48 : 96 + 4 * 48] == b"\x0d" * 48
    assert data[96 + 4 * 48 : 96 + 4 * 48 + 256] == b"\x14" * 256
    assert data[-256:] == b"\x17" * 256
    assert unpack(data, operators=4) == PARTS


@pytest.mark.parametrize("data", [b"", pack(PARTS)[:-1], pack(PARTS) + b"\0", bytes(2224)])
def test_any_other_length_is_refused(data: bytes) -> None:
    with pytest.raises(KeysharesError, match="4 operators need 1312") as caught:
        unpack(data, operators=4)
    assert caught.value.code == "shares_length"
    assert str(len(data)) in caught.value.message


def test_nonce_message_is_the_hash_of_checksummed_owner_colon_decimal_nonce() -> None:
    text = b"0x81592c3DE184A3E2c0DCB5a261BC107Bfa91f494:17"
    assert nonce_message(OWNER, 17) == keccak256(text)


def test_nonce_message_of_a_short_address_is_refused() -> None:
    with pytest.raises(InputError, match="20 bytes"):
        nonce_message(Address(b"\x01" * 19), 0)
