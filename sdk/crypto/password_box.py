"""The password-protected box of EIP-2335: key derivation, checksum and cipher.

Pure. Validator keystores and operator keystores both go through this one place. It never derives
before every cost parameter was found within bounds, and never sees a file. The derivations run
in OpenSSL without the interpreter lock, so threads scale.

Source: EIP-2335; docs/keyshares.md.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Final, assert_never

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt as ScryptDerivation

from sdk.crypto.secret import Password, Redacted
from sdk.errors import KeystoreError

SCRYPT_MAX_N: Final = 2**20
"""Four times what the deposit tools write."""
SCRYPT_MAX_R: Final = 1024
"""The p blocks of 128·r bytes come on top of the memory bound; this keeps them at 2 MiB."""
SCRYPT_MAX_P: Final = 16
SCRYPT_MAX_MEMORY_BYTES: Final = 2**30
"""128·r·n. A hostile file must not push the machine into swap."""
PBKDF2_MAX_C: Final = 10**8
"""About half a minute on one core; the deposit tools write 262,144."""
DERIVED_KEY_BYTES: Final = 32
SALT_MAX_BYTES: Final = 64
"""The standard's examples use 32."""
IV_BYTES: Final = 16
CHECKSUM_BYTES: Final = 32
PASSWORD_MAX_BYTES: Final = 4096
"""Longer input is a wrong file given as a password file."""
_SHOWN_DIGITS: Final = 24
"""A hostile number of a thousand digits must not fill the terminal."""


@dataclass(frozen=True, slots=True)
class Scrypt:
    """Cost of scrypt (RFC 7914); the defaults are those of the deposit tools."""

    n: int = 262_144
    r: int = 8
    p: int = 1


@dataclass(frozen=True, slots=True)
class Pbkdf2:
    """Cost of PBKDF2 with HMAC-SHA-256; the default is that of the deposit tools."""

    c: int = 262_144


Kdf = Scrypt | Pbkdf2


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted payload and all that its key derivation needs, every bound checked."""

    kdf: Kdf
    salt: bytes
    iv: bytes
    ciphertext: bytes
    checksum: bytes


class PasswordForm(Enum):
    """Which bytes of the password opened the box."""

    STANDARD = "standard"
    """NFKD, control characters dropped, UTF-8, as EIP-2335 says."""
    RAW = "raw"
    """The bytes as they are; the writer of the file did not follow the standard."""


class Opened(Redacted):
    """A decrypted payload."""

    __slots__ = ("_plaintext", "form")

    def __init__(self, plaintext: bytes, form: PasswordForm) -> None:
        self._plaintext = plaintext
        self.form = form

    def reveal(self) -> bytes:
        """The payload itself. Every call is a place to review."""
        return self._plaintext


def check_cost(kdf: Kdf, *, where: str = "kdf.") -> None:
    """Return if a derivation with this cost is safe to run.

    Raises:
        KeystoreError: `keystore_cost`, naming the parameter, its value and the bound.
    """
    match kdf:
        case Scrypt(n=n, r=r, p=p):
            if not 2 <= n <= SCRYPT_MAX_N or n & (n - 1):
                raise _costly(f"{where}n", n, f"a power of two from 2 to {SCRYPT_MAX_N}")
            if not 1 <= r <= SCRYPT_MAX_R:
                raise _costly(f"{where}r", r, f"from 1 to {SCRYPT_MAX_R}")
            if n.bit_length() - 1 >= 16 * r:
                raise _costly(f"{where}n", n, f"below 2**{16 * r} with r = {r} (RFC 7914)")
            if not 1 <= p <= SCRYPT_MAX_P:
                raise _costly(f"{where}p", p, f"from 1 to {SCRYPT_MAX_P}")
            if memory_bytes(kdf) > SCRYPT_MAX_MEMORY_BYTES:
                limit = SCRYPT_MAX_MEMORY_BYTES // (128 * n)
                raise _costly(f"{where}r", r, f"at most {limit} with n = {n} (1 GiB of memory)")
        case Pbkdf2(c=c):
            if not 1 <= c <= PBKDF2_MAX_C:
                raise _costly(f"{where}c", c, f"from 1 to {PBKDF2_MAX_C}")
        case _:
            assert_never(kdf)


def memory_bytes(kdf: Kdf) -> int:
    """Working memory of one derivation, to cap how many run at once; 0 if negligible."""
    match kdf:
        case Scrypt(n=n, r=r):
            return 128 * r * n
        case Pbkdf2():
            return 0
        case _:
            assert_never(kdf)


def standard_password(raw: bytes) -> bytes:
    """The bytes EIP-2335 derives from: NFKD, control characters dropped, UTF-8.

    Raises:
        UnicodeDecodeError: `raw` is not UTF-8, so it has no standard form.
    """
    text = unicodedata.normalize("NFKD", raw.decode("utf-8"))
    return "".join(char for char in text if not _is_control(ord(char))).encode("utf-8")


def open_sealed(sealed: Sealed, password: Password, *, source: str) -> Opened:
    """The payload, opened by the standard form of the password or else by its raw bytes.

    Costs one derivation when both forms are the same bytes, as they are for plain ASCII.

    Raises:
        KeystoreError: `keystore_password` if neither form opens it.
    """
    for form, candidate in _candidates(password.reveal(), source=source):
        key = _derive(candidate, sealed.kdf, sealed.salt, source=source)
        if hmac.compare_digest(_checksum(key, sealed.ciphertext), sealed.checksum):
            return Opened(_aes_ctr(key, sealed.iv, sealed.ciphertext), form)
    raise KeystoreError(
        f"{source}: the password does not open it",
        code="keystore_password",
        hint="Check the password, its keyboard layout, and that it belongs to this file.",
        data={"source": source},
    )


def seal(plaintext: bytes, password: Password, *, kdf: Kdf, salt: bytes, iv: bytes) -> Sealed:
    """The payload encrypted under the standard form of the password.

    Args:
        plaintext: what to protect.
        password: UTF-8, not empty once normalised.
        kdf: cost, within the bounds of `check_cost`.
        salt: 1 to 64 random bytes, never used before.
        iv: 16 random bytes, never used before.

    Raises:
        KeystoreError: cost out of bounds, or a password with no standard form.
    """
    check_cost(kdf)
    if not 1 <= len(salt) <= SALT_MAX_BYTES or len(iv) != IV_BYTES:
        raise KeystoreError(
            f"salt has {len(salt)} bytes (1 to {SALT_MAX_BYTES}), iv has {len(iv)} ({IV_BYTES})",
            code="keystore_malformed",
        )
    form, candidate = _candidates(password.reveal(), source="new keystore")[0]
    if form is not PasswordForm.STANDARD or not candidate:
        raise KeystoreError(
            "the password for a new keystore is empty or no UTF-8 text",
            code="keystore_password_form",
            hint="Choose a password of at least one printable character.",
        )
    key = _derive(candidate, kdf, salt, source="new keystore")
    ciphertext = _aes_ctr(key, iv, plaintext)
    return Sealed(
        kdf=kdf, salt=salt, iv=iv, ciphertext=ciphertext, checksum=_checksum(key, ciphertext)
    )


def _candidates(raw: bytes, *, source: str) -> list[tuple[PasswordForm, bytes]]:
    if len(raw) > PASSWORD_MAX_BYTES:
        raise KeystoreError(
            f"{source}: the password has {len(raw)} bytes, the limit is {PASSWORD_MAX_BYTES}",
            code="keystore_password_form",
            hint="Check that the right file was given as the password file.",
        )
    try:
        standard = standard_password(raw)
    except UnicodeDecodeError:
        return [(PasswordForm.RAW, raw)]
    forms = [(PasswordForm.STANDARD, standard)]
    return forms if standard == raw else [*forms, (PasswordForm.RAW, raw)]


def _is_control(code_point: int) -> bool:
    return code_point <= 0x1F or 0x7F <= code_point <= 0x9F


def _derive(password: bytes, kdf: Kdf, salt: bytes, *, source: str) -> bytes:
    # `cryptography` carries a current OpenSSL; the interpreter's own may be several times slower
    # at SHA-256 (docs/benchmarks.md).
    match kdf:
        case Scrypt(n=n, r=r, p=p):
            try:
                return ScryptDerivation(salt, DERIVED_KEY_BYTES, n, r, p).derive(password)
            except (MemoryError, ValueError):
                raise KeystoreError(
                    f"{source}: scrypt needs {memory_bytes(kdf) // 2**20} MiB of memory and did "
                    "not get them",
                    code="keystore_memory",
                    hint="Use fewer workers or a machine with more memory.",
                ) from None
        case Pbkdf2(c=c):
            return PBKDF2HMAC(SHA256(), DERIVED_KEY_BYTES, salt, c).derive(password)
        case _:
            assert_never(kdf)


def _checksum(key: bytes, ciphertext: bytes) -> bytes:
    return hashlib.sha256(key[16:32] + ciphertext).digest()


def _aes_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    """CTR mode is its own inverse, so one function encrypts and decrypts."""
    stream = Cipher(algorithms.AES(key[:16]), modes.CTR(iv)).encryptor()
    return stream.update(data) + stream.finalize()


def _costly(field: str, found: int, wanted: str) -> KeystoreError:
    return KeystoreError(
        f"{field} is {str(found)[:_SHOWN_DIGITS]}, allowed is {wanted}",
        code="keystore_cost",
        hint="Such a file would exhaust this machine; export the key with usual parameters.",
        data={"field": field},
    )
