"""Validator keystores, EIP-2335 version 4, both ways.

Pure: bytes in, values out. A parsed `Keystore` has every value checked, so decrypting it can only
fail for the password or for what was encrypted. Files and randomness are in `keystore_files`.
Older versions are wallets of the execution layer and are refused.

Source: EIP-2335; docs/keyshares.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from sdk.crypto import bls
from sdk.crypto.eip2335 import Modules, check_modules, write_modules
from sdk.crypto.password_box import Kdf, PasswordForm, Sealed, open_sealed, seal
from sdk.crypto.secret import SECRET_KEY_BYTES, Password, SecretKey
from sdk.errors import InputError, KeystoreError
from sdk.json_documents import read_hex, read_json
from sdk.types import PUBLIC_KEY_BYTES, PublicKey

T = TypeVar("T")

KEYSTORE_VERSION: Final = 4
KEYSTORE_MAX_BYTES: Final = 64 * 1024
"""A real one has about 1 kB."""


@dataclass(frozen=True, slots=True)
class Keystore:
    """One encrypted validator key; `public_key` is None when the file does not name it."""

    sealed: Sealed
    public_key: PublicKey | None
    path: str
    uuid: str
    description: str
    source: str


@dataclass(frozen=True, slots=True)
class Decrypted:
    """A validator key out of its keystore, and how the password had to be read."""

    secret: SecretKey
    public_key: PublicKey
    form: PasswordForm


class _Document(msgspec.Struct, kw_only=True):
    crypto: Modules
    description: str | None = ""
    pubkey: str | None = ""
    path: str = ""
    uuid: str = ""
    version: int


class _Version(msgspec.Struct):
    version: int


def parse_keystore(data: bytes, *, source: str = "keystore") -> Keystore:
    """The keystore in `data`, every field checked and every cost within bounds.

    Args:
        data: JSON, at most 64 kB.
        source: file name for errors, here and on decryption.

    Raises:
        KeystoreError: `keystore_malformed`, `keystore_version` or `keystore_cost`.
    """
    _check_version(data, source=source)
    document = _read(data, _Document, source=source)
    sealed = check_modules(document.crypto, source=source, prefix="crypto.")
    if len(sealed.ciphertext) != SECRET_KEY_BYTES:
        raise KeystoreError(
            f"{source}: crypto.cipher.message has {len(sealed.ciphertext)} bytes, a validator key "
            f"has {SECRET_KEY_BYTES}",
            code="keystore_malformed",
            hint="Check that this is a validator keystore.",
            data={"source": source, "field": "crypto.cipher.message"},
        )
    return Keystore(
        sealed=sealed,
        public_key=_public_key(document.pubkey, source=source),
        path=document.path,
        uuid=document.uuid,
        description=document.description or "",
        source=source,
    )


def decrypt(keystore: Keystore, password: Password) -> Decrypted:
    """The key, proven to belong to the public key that the keystore names, if it names one.

    Raises:
        KeystoreError: `keystore_password`; `keystore_secret_range` if the content is no BLS key;
            `keystore_pubkey_mismatch`.
    """
    source = keystore.source
    opened = open_sealed(keystore.sealed, password, source=source)
    try:
        secret = SecretKey.from_bytes(opened.reveal())
    except InputError:
        raise KeystoreError(
            f"{source}: the decrypted content is no BLS secret key",
            code="keystore_secret_range",
            hint="The keystore was made by a broken tool; export the key again.",
            data={"source": source},
        ) from None
    derived = bls.public_key(secret)
    if keystore.public_key is not None and keystore.public_key != derived:
        raise KeystoreError(
            f"{source}: pubkey says 0x{keystore.public_key.hex()}, the key inside is "
            f"0x{derived.hex()}",
            code="keystore_pubkey_mismatch",
            hint="The file was altered or mixed up; do not use it before you know which is right.",
            data={"source": source},
        )
    return Decrypted(secret=secret, public_key=derived, form=opened.form)


def encrypt(
    secret: SecretKey,
    password: Password,
    *,
    kdf: Kdf,
    salt: bytes,
    iv: bytes,
    uuid: UUID,
    path: str = "",
    description: str = "",
) -> bytes:
    """A version 4 keystore as compact JSON, ending in a newline.

    Args:
        secret: the key to protect.
        password: UTF-8 text, used in its standard form.
        kdf: cost of opening the keystore.
        salt: 32 fresh random bytes.
        iv: 16 fresh random bytes.
        uuid: fresh random (version 4) identifier of this file.
        path: EIP-2334 path the key was derived by, empty if none.
        description: free text for people.

    Raises:
        KeystoreError: `keystore_cost` or `keystore_password_form`.
    """
    document = _Document(
        crypto=write_modules(seal(secret.to_bytes(), password, kdf=kdf, salt=salt, iv=iv)),
        version=KEYSTORE_VERSION,
        description=description,
        pubkey=bls.public_key(secret).hex(),
        path=path,
        uuid=str(uuid),
    )
    return msgspec.json.encode(document) + b"\n"


def looks_like_keystore(data: bytes) -> bool:
    """Whether a file found in a folder is meant as a keystore, damaged or not.

    Deposit data, keyshares and operator keystores are not. A damaged one must not be skipped
    silently: that would shift the nonces of the files after it.
    """
    if len(data) > KEYSTORE_MAX_BYTES:
        return False
    try:
        return "crypto" in _read(data, dict[str, msgspec.Raw], source="")
    except KeystoreError:
        return b'"crypto"' in data


def _check_version(data: bytes, *, source: str) -> None:
    """Judge the version first, since other versions differ in all else."""
    version = _read(data, _Version, source=source).version
    if version != KEYSTORE_VERSION:
        raise KeystoreError(
            f"{source}: version is {str(version)[:24]}, supported is {KEYSTORE_VERSION}",
            code="keystore_version",
            hint="Versions 1 and 3 are wallets of the execution layer, not validator keys.",
            data={"source": source},
        )


def _read(data: bytes, shape: type[T], *, source: str) -> T:
    return read_json(
        data,
        shape,
        source=source,
        limit_bytes=KEYSTORE_MAX_BYTES,
        error=KeystoreError,
        code="keystore_malformed",
    )


def _public_key(text: str | None, *, source: str) -> PublicKey | None:
    if not text:
        return None
    raw = read_hex(
        text,
        field=f"{source}: pubkey",
        length=PUBLIC_KEY_BYTES,
        error=KeystoreError,
        code="keystore_malformed",
    )
    return PublicKey(raw)
