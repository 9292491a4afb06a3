"""Distinct types for ids, amounts and byte strings, and the checks that make them.

Pure. A value that has one of these types went through the check of that type, so inner code
never checks again. Addresses are held as 20 raw bytes and shown in EIP-55 form.
"""

from __future__ import annotations

from typing import NewType

from Crypto.Hash import keccak

from sdk.errors import InputError

OperatorId = NewType("OperatorId", int)
"""On-chain operator id, 1 to 2**64 - 1. It is also the share's evaluation point."""
Slot = NewType("Slot", int)
Epoch = NewType("Epoch", int)
BlockNumber = NewType("BlockNumber", int)
Wei = NewType("Wei", int)
Gwei = NewType("Gwei", int)
FeeUnits = NewType("FeeUnits", int)
"""Amount in units of 100,000 wei, the registry's accounting unit (docs/fees.md)."""
Address = NewType("Address", bytes)
"""20 bytes."""
PublicKey = NewType("PublicKey", bytes)
"""48 bytes, compressed BLS12-381 G1 point; not yet known to be a valid point."""
Signature = NewType("Signature", bytes)
"""96 bytes, compressed BLS12-381 G2 point; not yet known to be a valid point."""
ClusterId = NewType("ClusterId", bytes)
"""32 bytes, see `sdk.registry.snapshot.cluster_id`."""

MAX_OPERATOR_ID = 2**64 - 1
"""Operator ids are uint64 on chain."""
ADDRESS_BYTES = 20
PUBLIC_KEY_BYTES = 48
SIGNATURE_BYTES = 96


def keccak256(data: bytes) -> bytes:
    """Keccak-256 of `data`, 32 bytes (the Ethereum variant, not NIST SHA-3)."""
    return keccak.new(digest_bits=256, data=data).digest()


def checksum_address(address: bytes) -> str:
    """EIP-55 text of a 20-byte address."""
    if len(address) != ADDRESS_BYTES:
        raise InputError(
            f"an address has {ADDRESS_BYTES} bytes, got {len(address)}", code="address_malformed"
        )
    plain = address.hex()
    digest = keccak256(plain.encode()).hex()
    return "0x" + "".join(
        char.upper() if int(nibble, 16) >= 8 else char
        for char, nibble in zip(plain, digest, strict=False)
    )


def parse_address(text: str, *, strict: bool = True, what: str = "address") -> Address:
    """Parse `0x` + 40 hex digits.

    Args:
        text: all lower case, all upper case, or mixed case.
        strict: refuse mixed case that is not the EIP-55 form. What a user types is strict; what
            a file holds is not, because the existing key tool writes addresses as typed.
        what: name of the field, for the error.

    Raises:
        InputError: `address_malformed` or `address_checksum`.
    """
    raw = parse_hex(text, length=ADDRESS_BYTES, what=what, code="address_malformed")
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    is_mixed = digits not in (digits.lower(), digits.upper())
    if strict and is_mixed and checksum_address(raw)[2:] != digits:
        raise InputError(
            f"{what} {text} has a wrong EIP-55 checksum (correct for these digits: "
            f"{checksum_address(raw)})",
            code="address_checksum",
            hint="Compare every digit with the source; a wrong checksum usually is a typing error.",
        )
    return Address(raw)


def parse_hex(
    text: str, *, what: str, length: int | None = None, code: str = "malformed_hex"
) -> bytes:
    """Bytes of a hex text with or without `0x`, any case; no spaces or underscores.

    Raises:
        InputError: not a text, odd number of digits, a non-hex digit, or not `length` bytes.
    """
    if not isinstance(text, str):
        raise InputError(f"{what} must be a hex text, got {type(text).__name__}", code=code)
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    if not set(digits) <= _HEX_DIGITS:
        raise InputError(
            f"{what} is not hexadecimal: {_shorten(text)}",
            code=code,
            hint="Expected 0x followed by digits 0-9, a-f.",
        )
    if len(digits) % 2:
        wanted = "an even number" if length is None else str(2 * length)
        raise InputError(f"{what} has {len(digits)} hex digits, expected {wanted}", code=code)
    raw = bytes.fromhex(digits)
    if length is not None and len(raw) != length:
        raise InputError(f"{what} must have {length} bytes, got {len(raw)}", code=code)
    return raw


def _shorten(text: str, limit: int = 24) -> str:
    """Safe to print: a hostile file must not send control codes to a terminal."""
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
