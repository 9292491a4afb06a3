"""Addresses, hex and hashes: every accepted spelling, and what must be refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.errors import InputError
from sdk.types import checksum_address, keccak256, parse_address, parse_hex

# EIP-55, test cases.
EIP_55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
ADDRESS = EIP_55[4]


@pytest.mark.parametrize("text", EIP_55)
def test_checksum_is_that_of_eip_55(text: str) -> None:
    assert checksum_address(bytes.fromhex(text[2:])) == text
    assert checksum_address(parse_address(text)) == text


@pytest.mark.parametrize(
    "text", [ADDRESS.lower(), "0x" + ADDRESS[2:].upper(), ADDRESS[2:], "0X" + ADDRESS[2:]]
)
def test_one_case_or_the_right_mix_is_taken(text: str) -> None:
    assert parse_address(text) == bytes.fromhex(ADDRESS[2:])


@pytest.mark.parametrize("at", [i for i, char in enumerate(ADDRESS) if i > 1 and char.isalpha()])
def test_mixed_case_with_one_wrong_letter_is_refused_but_read_from_files(at: int) -> None:
    text = ADDRESS[:at] + ADDRESS[at].swapcase() + ADDRESS[at + 1 :]
    with pytest.raises(InputError, match=ADDRESS) as caught:
        parse_address(text)
    assert caught.value.code == "address_checksum"
    assert parse_address(text, strict=False) == bytes.fromhex(ADDRESS[2:])


@pytest.mark.parametrize(
    "text",
    [
        *("", "0x", ADDRESS[:-1], ADDRESS[:-2], ADDRESS + "00", " " + ADDRESS),
        *("0xzz" + ADDRESS[4:], "vitalik.eth", None, 5, b"0x00"),
    ],
)
def test_what_is_no_address_is_refused(text: Any) -> None:
    with pytest.raises(InputError, match=r"^owner ") as caught:
        parse_address(text, what="owner")
    assert caught.value.code == "address_malformed"


@pytest.mark.parametrize("length", [0, 19, 21])
def test_checksum_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InputError, match=f"got {length}"):
        checksum_address(bytes(length))


@given(st.binary(max_size=100), st.sampled_from(["", "0x", "0X"]), st.booleans())
def test_hex_of_any_bytes_reads_back(data: bytes, prefix: str, is_upper: bool) -> None:
    digits = data.hex().upper() if is_upper else data.hex()
    assert parse_hex(prefix + digits, what="field") == data


@pytest.mark.parametrize(
    "text", ["0", "0x0", "0xg0", "00 11", " 00", "00\n", "0_0_", "0x0x00", "٠٠", "\uff10\uff10"]
)
def test_other_text_is_no_hex(text: str) -> None:
    with pytest.raises(InputError, match=r"field (is not hexadecimal|has 1 hex digits)") as caught:
        parse_hex(text, what="field")
    assert caught.value.code == "malformed_hex"


def test_wrong_length_says_both_lengths() -> None:
    with pytest.raises(InputError, match="field must have 4 bytes, got 2"):
        parse_hex("0x1234", what="field", length=4)


def test_hostile_text_is_shortened_and_cannot_steer_the_terminal() -> None:
    with pytest.raises(InputError) as caught:
        parse_hex("\x1b[2J" + "z" * 100_000, what="field")
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 100


def test_keccak_is_the_ethereum_variant() -> None:
    # The empty code's hash, EIP-1052.
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"").hex() == empty
