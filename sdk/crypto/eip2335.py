"""The JSON form of the EIP-2335 modules `kdf`, `checksum` and `cipher`.

Pure. Validator keystores carry them under `crypto`, operator keystores at top level. Reading ends
in a `Sealed` whose every value is checked; nothing is derived here.

Source: EIP-2335; docs/keyshares.md.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from sdk.crypto.password_box import (
    CHECKSUM_BYTES,
    DERIVED_KEY_BYTES,
    IV_BYTES,
    SALT_MAX_BYTES,
    Kdf,
    Pbkdf2,
    Scrypt,
    Sealed,
    check_cost,
)
from sdk.errors import KeystoreError
from sdk.json_documents import read_hex


class _ScryptParams(msgspec.Struct):
    dklen: int
    n: int
    r: int
    p: int
    salt: str


class _Pbkdf2Params(msgspec.Struct):
    dklen: int
    c: int
    prf: str
    salt: str


class _ScryptModule(msgspec.Struct, tag_field="function", tag="scrypt"):
    params: _ScryptParams
    message: str = ""


class _Pbkdf2Module(msgspec.Struct, tag_field="function", tag="pbkdf2"):
    params: _Pbkdf2Params
    message: str = ""


class _ChecksumModule(msgspec.Struct):
    function: str
    message: str
    params: dict[str, object] = {}


class _CipherParams(msgspec.Struct):
    iv: str


class _CipherModule(msgspec.Struct):
    function: str
    params: _CipherParams
    message: str


class Modules(msgspec.Struct):
    """The three modules as they stand in JSON: shape known, values not yet checked."""

    kdf: _ScryptModule | _Pbkdf2Module
    checksum: _ChecksumModule
    cipher: _CipherModule


def check_modules(modules: Modules, *, source: str, prefix: str) -> Sealed:
    """The modules with every value checked.

    Args:
        modules: as read from JSON.
        source: file name for errors.
        prefix: where the modules stand in the file, `crypto.` or empty.

    Raises:
        KeystoreError: `keystore_malformed`, or `keystore_cost` for a cost out of bounds.
    """
    where = f"{source}: {prefix}"
    params = modules.kdf.params
    kdf: Kdf
    match params:
        case _ScryptParams():
            kdf = Scrypt(n=params.n, r=params.r, p=params.p)
        case _Pbkdf2Params():
            _demand(params.prf, "hmac-sha256", field=f"{where}kdf.params.prf")
            kdf = Pbkdf2(c=params.c)
        case _:
            assert_never(params)
    _demand(params.dklen, DERIVED_KEY_BYTES, field=f"{where}kdf.params.dklen")
    check_cost(kdf, where=f"{where}kdf.params.")
    _demand(modules.checksum.function, "sha256", field=f"{where}checksum.function")
    _demand(modules.cipher.function, "aes-128-ctr", field=f"{where}cipher.function")
    return Sealed(
        kdf=kdf,
        salt=_hex(params.salt, f"{where}kdf.params.salt", at_most=SALT_MAX_BYTES),
        iv=_hex(modules.cipher.params.iv, f"{where}cipher.params.iv", length=IV_BYTES),
        ciphertext=_hex(modules.cipher.message, f"{where}cipher.message"),
        checksum=_hex(modules.checksum.message, f"{where}checksum.message", length=CHECKSUM_BYTES),
    )


def write_modules(sealed: Sealed) -> Modules:
    """The JSON shape of `sealed`."""
    salt = sealed.salt.hex()
    kdf: _ScryptModule | _Pbkdf2Module
    match sealed.kdf:
        case Scrypt(n=n, r=r, p=p):
            kdf = _ScryptModule(
                params=_ScryptParams(dklen=DERIVED_KEY_BYTES, n=n, r=r, p=p, salt=salt)
            )
        case Pbkdf2(c=c):
            kdf = _Pbkdf2Module(
                params=_Pbkdf2Params(dklen=DERIVED_KEY_BYTES, c=c, prf="hmac-sha256", salt=salt)
            )
        case _:
            assert_never(sealed.kdf)
    return Modules(
        kdf=kdf,
        checksum=_ChecksumModule(function="sha256", message=sealed.checksum.hex()),
        cipher=_CipherModule(
            function="aes-128-ctr",
            params=_CipherParams(iv=sealed.iv.hex()),
            message=sealed.ciphertext.hex(),
        ),
    )


def _hex(text: str, field: str, *, length: int | None = None, at_most: int | None = None) -> bytes:
    raw = read_hex(text, field=field, length=length, error=KeystoreError, code="keystore_malformed")
    if at_most is not None and not 1 <= len(raw) <= at_most:
        raise _malformed(field, f"{len(raw)} bytes", f"1 to {at_most} bytes")
    return raw


def _demand(found: object, wanted: object, *, field: str) -> None:
    if found != wanted:
        raise _malformed(field, repr(found)[:40], repr(wanted))


def _malformed(field: str, found: str, wanted: str) -> KeystoreError:
    return KeystoreError(
        f"{field} is {found}, expected {wanted}",
        code="keystore_malformed",
        hint="Only what EIP-2335 defines is supported; export the key again.",
        data={"field": field},
    )
