"""The many spellings of an operator's RSA public key, and the one canonical spelling.

Pure. Operator keys travel as base64 of a PEM block whose header says PKCS#1 (`RSA PUBLIC KEY`)
while the DER inside is PKIX SubjectPublicKeyInfo. That form is the only one written; PEM, DER and
true PKCS#1 are understood when read.

Source: docs/keyshares.md; RFC 8017 (PKCS#1), RFC 5280 (SubjectPublicKeyInfo).
"""

from __future__ import annotations

import base64
import binascii
import re
import textwrap
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from sdk.errors import InputError

RSA_KEY_BITS: Final = 2048
RSA_EXPONENT: Final = 65_537
PUBLIC_KEY_TEXT_MAX_BYTES: Final = 2048
"""The canonical text has 612 characters; 2048 is also the bound of DKG messages."""

_PEM: Final = re.compile(
    rb"-----BEGIN (RSA )?PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+)-----END \1?PUBLIC KEY-----\s*"
)
_PEM_COLUMNS: Final = 64


def read_public_key(data: str | bytes) -> RSAPublicKey:
    """The RSA key in any accepted spelling.

    Args:
        data: PEM, DER, or base64 of either. The bytes that stand on chain wrap such text once
            more; `sdk.events.operator_public_key_text` unwraps them.

    Raises:
        InputError: `operator_key_malformed`; also for other sizes than 2048 bit, other exponents
            than 65537 and for anything before or after the key.
    """
    raw = data.encode(errors="replace") if isinstance(data, str) else data
    if len(raw) > PUBLIC_KEY_TEXT_MAX_BYTES:
        raise malformed(f"it has {len(raw)} bytes, the limit is {PUBLIC_KEY_TEXT_MAX_BYTES}")
    if not _is_der(raw):
        raw = raw.strip()
        raw = raw if raw.startswith(b"-----BEGIN") else unwrap_base64(raw)
    return _load_der(raw if _is_der(raw) else _pem_content(raw))


def write_public_key(key: RSAPublicKey) -> str:
    """The canonical text: base64 of the PEM block, 64 columns, final newline."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), _PEM_COLUMNS))
    pem = f"-----BEGIN RSA PUBLIC KEY-----\n{body}\n-----END RSA PUBLIC KEY-----\n"
    return base64.b64encode(pem.encode()).decode()


def unwrap_base64(data: bytes) -> bytes:
    """The content of base64 text, which may be broken into lines.

    Raises:
        InputError: `operator_key_malformed`.
    """
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        raise malformed("it is neither PEM nor base64") from None


def check_parameters(*, bits: int, exponent: int) -> None:
    """Return if the key is what the network uses.

    Raises:
        InputError: `operator_key_malformed`.
    """
    if bits != RSA_KEY_BITS or exponent != RSA_EXPONENT:
        raise malformed(
            f"it has {bits} bits and exponent {exponent}, expected {RSA_KEY_BITS} bits and "
            f"{RSA_EXPONENT}"
        )


def malformed(reason: str) -> InputError:
    """The error for a key that cannot be read; `reason` continues 'not usable: '."""
    return InputError(
        f"the operator key is not usable: {reason}",
        code="operator_key_malformed",
        hint="Expected an RSA-2048 key, as base64 of its PEM block.",
    )


def _is_der(data: bytes) -> bool:
    """DER of a key of this size opens with SEQUENCE and a two-byte length, which no text does."""
    return data.startswith(b"\x30\x82")


def _pem_content(pem: bytes) -> bytes:
    block = _PEM.fullmatch(pem)
    if block is None:
        raise malformed("it is not one PEM block of a public key")
    return unwrap_base64(block[2])


def _load_der(der: bytes) -> RSAPublicKey:
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise malformed("its content is no public key") from None
    if not isinstance(key, RSAPublicKey):
        raise malformed("it is no RSA key")
    check_parameters(bits=key.key_size, exponent=key.public_numbers().e)
    forms = (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1)
    if der not in [key.public_bytes(Encoding.DER, form) for form in forms]:
        raise malformed("its DER encoding is not the canonical one")
    return key
