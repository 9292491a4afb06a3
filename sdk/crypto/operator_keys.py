"""Operator identities: RSA-2048 keys that sign messages and receive encrypted shares.

A public key is equal to another by the key, whatever its spelling was. A private key never shows
itself. Generating and encrypting draw randomness from OpenSSL; nothing here reads files.

Source: docs/keyshares.md; RFC 8017 (PKCS#1 v1.5, PSS).
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sdk.crypto import bls
from sdk.crypto.operator_key_text import (
    RSA_EXPONENT,
    RSA_KEY_BITS,
    check_parameters,
    malformed,
    read_public_key,
    unwrap_base64,
    write_public_key,
)
from sdk.crypto.secret import Redacted, SecretKey
from sdk.errors import InputError, KeysharesError

PRIVATE_KEY_TEXT_MAX_BYTES: Final = 8192
"""PEM of RSA-2048 has 1.7 kB, base64 of it 2.3 kB."""
_PARSED_KEYS: Final = 1024
"""Keys kept parsed: a file with many validators names the same few operators again and again."""
_SIGNATURE_PADDING: Final = padding.PKCS1v15()
_SIGNATURE_HASH: Final = SHA256()
_FINGERPRINT_BYTES: Final = 8
"""Enough for people to compare by eye; programs compare whole keys."""
_SHARE_TEXT: Final = re.compile(rb"(?:0x)?([0-9a-fA-F]{64})")
_PRIVATE_PEM: Final = re.compile(
    rb"-----BEGIN (RSA )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]+-----END \1?PRIVATE KEY-----"
)


@dataclass(frozen=True, slots=True)
class OperatorPublicKey:
    """An operator's public key; `text` is its canonical spelling and decides equality."""

    text: str
    _key: RSAPublicKey = field(repr=False, compare=False)

    def encrypt(self, plaintext: bytes) -> bytes:
        """256 bytes, PKCS#1 v1.5 with fresh random padding; at most 245 bytes go in."""
        return self._key.encrypt(plaintext, padding.PKCS1v15())

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is the PKCS#1 v1.5 / SHA-256 signature over `message`."""
        return self._verify(message, signature, _SIGNATURE_PADDING)

    def verify_pss(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is a PSS / SHA-256 signature over `message`, any salt length."""
        scheme = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=padding.PSS.AUTO)
        return self._verify(message, signature, scheme)

    @property
    def fingerprint(self) -> str:
        """16 hex digits of SHA-256 over the SubjectPublicKeyInfo, for people to compare."""
        der = self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).digest()[:_FINGERPRINT_BYTES].hex()

    def _verify(
        self, message: bytes, signature: bytes, scheme: padding.PKCS1v15 | padding.PSS
    ) -> bool:
        try:
            self._key.verify(signature, message, scheme, _SIGNATURE_HASH)
        except InvalidSignature:
            return False
        return True


class OperatorPrivateKey(Redacted):
    """An operator's private key, RSA-2048 with exponent 65537."""

    __slots__ = ("_key", "public_key")

    def __init__(self, key: RSAPrivateKey) -> None:
        check_parameters(bits=key.key_size, exponent=key.public_key().public_numbers().e)
        self._key = key
        self.public_key = _public(key.public_key())

    @classmethod
    def generate(cls) -> OperatorPrivateKey:
        """A fresh key from the operating system's randomness; takes about 0.1 s."""
        return cls(generate_private_key(public_exponent=RSA_EXPONENT, key_size=RSA_KEY_BITS))

    @classmethod
    def from_text(cls, text: str | bytes) -> OperatorPrivateKey:
        """From unencrypted PEM (PKCS#1 or PKCS#8), or from base64 of that PEM.

        Raises:
            InputError: `operator_key_malformed`; the text itself is never quoted.
        """
        raw = text.encode(errors="replace") if isinstance(text, str) else text
        if len(raw) > PRIVATE_KEY_TEXT_MAX_BYTES:
            raise malformed(f"it has {len(raw)} bytes, the limit is {PRIVATE_KEY_TEXT_MAX_BYTES}")
        raw = raw.strip()
        pem = raw if raw.startswith(b"-----BEGIN") else unwrap_base64(raw).strip()
        if _PRIVATE_PEM.fullmatch(pem) is None:
            raise malformed("it is not one unencrypted PEM block of a private key")
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise malformed("its content is no private key") from None
        if not isinstance(key, RSAPrivateKey):
            raise malformed("it is no RSA key")
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """256 bytes, PKCS#1 v1.5 over SHA-256 of `message`; deterministic."""
        return self._key.sign(message, _SIGNATURE_PADDING, _SIGNATURE_HASH)

    def decrypt_unchecked(self, ciphertext: bytes) -> bytes:
        """What PKCS#1 v1.5 decryption returns, which for a wrong ciphertext is random bytes.

        OpenSSL rejects bad padding implicitly, so the caller must prove the result some other
        way, as `decrypt_share` does.

        Raises:
            ValueError: not 256 bytes, or bad padding under an OpenSSL older than 3.2.
        """
        return self._key.decrypt(ciphertext, padding.PKCS1v15())

    def reveal_pem(self) -> bytes:
        """PEM, PKCS#1, unencrypted. Every call is a place to review."""
        return self._key.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )

    def reveal_base64(self) -> str:
        """Base64 of the PEM, as older node settings hold it. Every call is a place to review."""
        return base64.b64encode(self.reveal_pem()).decode()


def parse_public_key(data: str | bytes) -> OperatorPublicKey:
    """The operator key in any accepted spelling.

    Raises:
        InputError: `operator_key_malformed`.
    """
    return _parse(data)


@lru_cache(maxsize=_PARSED_KEYS)
def _parse(data: str | bytes) -> OperatorPublicKey:
    return _public(read_public_key(data))


def encrypt_share(public_key: OperatorPublicKey, secret: SecretKey) -> bytes:
    """The share encrypted to its operator, 256 bytes.

    The plaintext is text, `0x` and 64 lowercase hex digits, as every node expects.
    """
    return public_key.encrypt(b"0x" + secret.to_bytes().hex().encode())


def decrypt_share(
    private_key: OperatorPrivateKey, ciphertext: bytes, share_public_key: bytes
) -> SecretKey:
    """The share, proven by deriving its public key.

    Args:
        private_key: of the operator the share is meant for.
        ciphertext: 256 bytes.
        share_public_key: 48 bytes, as registered next to the ciphertext.

    Raises:
        KeysharesError: `share_undecryptable`, with one text for a wrong length, bad padding, a
            wrong format, a value out of range and a key that does not match: whoever sends
            ciphertexts learns nothing from which check failed.
    """
    try:
        text = _SHARE_TEXT.fullmatch(private_key.decrypt_unchecked(ciphertext))
        secret = None if text is None else SecretKey(int(text[1], 16))
    except (ValueError, InputError):
        secret = None
    if secret is None or bls.public_key(secret) != share_public_key:
        raise KeysharesError(
            "the encrypted share does not decrypt to the key of its share public key",
            code="share_undecryptable",
            hint="It was made for another operator key, or the keyshares are damaged.",
            data={"operator_key_fingerprint": private_key.public_key.fingerprint},
        ) from None
    return secret


def _public(key: RSAPublicKey) -> OperatorPublicKey:
    return OperatorPublicKey(text=write_public_key(key), _key=key)
