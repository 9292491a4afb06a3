"""The operator's private key under a password, and the drill that proves a backup of it.

The file carries the EIP-2335 modules at top level, with no wrapper, version or uuid; the payload
is the PEM text. Nothing here touches the disk. New files name the public key, so a mixed-up
backup is noticed before a share is lost.

Source: docs/keyshares.md; EIP-2335.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from sdk.crypto.eip2335 import Modules, check_modules, write_modules
from sdk.crypto.operator_keys import (
    OperatorPrivateKey,
    OperatorPublicKey,
    parse_public_key,
)
from sdk.crypto.password_box import IV_BYTES, Kdf, Pbkdf2, Sealed, open_sealed, seal
from sdk.crypto.secret import Password
from sdk.errors import InputError, KeystoreError
from sdk.json_documents import read_json

OPERATOR_KEYSTORE_MAX_BYTES: Final = 64 * 1024
"""A real one has about 5 kB."""
SALT_BYTES: Final = 32
_CHALLENGE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class OperatorKeystore:
    """An encrypted operator key; `public_key` is None when the file does not name it."""

    sealed: Sealed
    public_key: OperatorPublicKey | None
    source: str


class _Document(Modules, kw_only=True):
    pubkey: str | None = None
    old_pubkey: str | None = msgspec.field(default=None, name="pubKey")


class _NewDocument(Modules, kw_only=True):
    pubkey: str


def parse_operator_keystore(data: bytes, *, source: str = "operator keystore") -> OperatorKeystore:
    """The keystore in `data`, every field checked and every cost within bounds.

    Args:
        data: JSON, at most 64 kB; the public key may stand under `pubkey`, `pubKey` or nowhere.
        source: file name for errors, here and on decryption.

    Raises:
        KeystoreError: `keystore_malformed` or `keystore_cost`.
    """
    document = read_json(
        data,
        _Document,
        source=source,
        limit_bytes=OPERATOR_KEYSTORE_MAX_BYTES,
        error=KeystoreError,
        code="keystore_malformed",
    )
    named = [_named_key(text, source) for text in (document.pubkey, document.old_pubkey) if text]
    if len(set(named)) > 1:
        raise KeystoreError(
            f"{source}: pubkey and pubKey name different keys",
            code="keystore_malformed",
            hint="The file was altered; take the keystore from a backup.",
            data={"source": source},
        )
    sealed = check_modules(document, source=source, prefix="")
    return OperatorKeystore(sealed=sealed, public_key=named[0] if named else None, source=source)


def decrypt_operator_key(keystore: OperatorKeystore, password: Password) -> OperatorPrivateKey:
    """The private key, proven to belong to the public key that the keystore names, if any.

    White space around the password is dropped, since password files end in a newline.

    Raises:
        KeystoreError: `keystore_password`, `keystore_pubkey_mismatch`, or `keystore_content` if
            the content is no RSA-2048 private key.
    """
    source = keystore.source
    opened = open_sealed(keystore.sealed, Password(password.reveal().strip()), source=source)
    try:
        key = OperatorPrivateKey.from_text(opened.reveal())
    except InputError as problem:
        raise KeystoreError(
            f"{source}: {problem.message}",
            code="keystore_content",
            hint="The password is right, but the file does not hold an operator key.",
            data={"source": source},
        ) from None
    if keystore.public_key is not None and keystore.public_key != key.public_key:
        raise KeystoreError(
            f"{source}: it names the key {keystore.public_key.fingerprint}, the key inside is "
            f"{key.public_key.fingerprint}",
            code="keystore_pubkey_mismatch",
            hint="The file was altered or mixed up; compare with the key registered on chain.",
            data={"source": source},
        )
    return key


def encrypt_operator_key(
    key: OperatorPrivateKey,
    password: Password,
    *,
    kdf: Kdf | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """A new operator keystore as compact JSON, ending in a newline.

    Args:
        key: the key to protect.
        password: UTF-8 text; white space around it is dropped, as on decryption.
        kdf: PBKDF2 with the usual cost unless given.
        random_bytes: source of salt and iv.

    Raises:
        KeystoreError: `keystore_cost` or `keystore_password_form`.
    """
    sealed = seal(
        key.reveal_pem(),
        Password(password.reveal().strip()),
        kdf=kdf or Pbkdf2(),
        salt=random_bytes(SALT_BYTES),
        iv=random_bytes(IV_BYTES),
    )
    modules = write_modules(sealed)
    document = _NewDocument(
        kdf=modules.kdf,
        checksum=modules.checksum,
        cipher=modules.cipher,
        pubkey=key.public_key.text,
    )
    return msgspec.json.encode(document) + b"\n"


def backup_proves(private_key: OperatorPrivateKey, public_key_text: str | bytes) -> None:
    """Return if the key out of a backup can do an operator's work for the expected public key.

    Encrypts a fresh challenge to the expected key and decrypts it with the backup, then signs
    with the backup and checks with the expected key.

    Raises:
        InputError: `operator_key_malformed` for the expected key.
        KeystoreError: `operator_key_mismatch`.
    """
    expected = parse_public_key(public_key_text)
    if expected == private_key.public_key:
        challenge = secrets.token_bytes(_CHALLENGE_BYTES)
        echo = private_key.decrypt_unchecked(expected.encrypt(challenge))
        if hmac.compare_digest(echo, challenge) and expected.verify(
            challenge, private_key.sign(challenge)
        ):
            return
    raise KeystoreError(
        f"the backup holds the key {private_key.public_key.fingerprint}, expected is "
        f"{expected.fingerprint}",
        code="operator_key_mismatch",
        hint="This backup cannot decrypt the operator's shares; find the right one.",
    )


def _named_key(text: str, source: str) -> OperatorPublicKey:
    try:
        return parse_public_key(text)
    except InputError as problem:
        raise KeystoreError(
            f"{source}: pubkey: {problem.message}",
            code="keystore_malformed",
            hint="Take the keystore from a backup; this copy is damaged.",
            data={"source": source, "field": "pubkey"},
        ) from None
