"""The operator's RSA key in a running node: opened from a file once, then only used.

Reads a keystore with its password file, or PEM text, or base64 of it; refuses files that others
may read. The key signs and decrypts here and never leaves. Source: docs/keyshares.md.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from sdk.crypto.operator_keys import (
    PRIVATE_KEY_TEXT_MAX_BYTES,
    OperatorPrivateKey,
    OperatorPublicKey,
    decrypt_share,
)
from sdk.crypto.operator_keystore import (
    OPERATOR_KEYSTORE_MAX_BYTES,
    decrypt_operator_key,
    parse_operator_keystore,
)
from sdk.crypto.secret import Password, Redacted, SecretKey
from sdk.errors import ConfigError, InputError, InvariantBroken
from sdk.files import read_bounded, unreadable

PASSWORD_FILE_MAX_BYTES: Final = 4096
"""Longer than any password; a larger file is the wrong file."""
_FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_JSON_STARTS: Final = b"{"


class OperatorKey(Redacted):
    """The operator's key; signs messages and decrypts shares. Safe to use from several threads."""

    __slots__ = ("_key",)

    def __init__(self, key: OperatorPrivateKey) -> None:
        self._key = key

    @classmethod
    def open(cls, path: Path, *, password_file: Path | None = None) -> OperatorKey:
        """The key in a file.

        Args:
            path: a keystore, or the PEM block as text or in base64.
            password_file: opens the keystore; white space around the password does not count.

        Raises:
            ConfigError: `key_file_open`, others than the owner may read or write a file;
                `password_missing`, a keystore without password file.
            InputError: `file_unreadable`, `operator_key_malformed`.
            KeystoreError: see `parse_operator_keystore` and `decrypt_operator_key`.
        """
        limit = max(OPERATOR_KEYSTORE_MAX_BYTES, PRIVATE_KEY_TEXT_MAX_BYTES)
        data = _read_private(path, limit)
        if not data.lstrip().startswith(_JSON_STARTS):
            return cls(OperatorPrivateKey.from_text(data))
        keystore = parse_operator_keystore(data, source=str(path))
        if password_file is None:
            raise ConfigError(
                f"{path} is a keystore, and no password file is named",
                code="password_missing",
                hint="Set KeyStore.PasswordFile or PASSWORD_FILE.",
            )
        password = _read_private(password_file, PASSWORD_FILE_MAX_BYTES)
        return cls(decrypt_operator_key(keystore, Password(password)))

    @classmethod
    def named(
        cls, *, file: Path | None, password_file: Path | None, raw: Password | None
    ) -> OperatorKey:
        """The key that settings name: its own text, else a file; see `from_text` and `open`.

        Raises:
            InvariantBroken: they name none.
        """
        if raw is not None:
            return cls.from_text(raw)
        if file is None:
            raise InvariantBroken("settings without an operator key")
        return cls.open(file, password_file=password_file)

    @classmethod
    def from_text(cls, text: Password) -> OperatorKey:
        """The key out of the settings themselves, which is possible and unwise.

        Raises:
            InputError: `operator_key_malformed`; the text is never quoted.
        """
        return cls(OperatorPrivateKey.from_text(text.reveal()))

    @property
    def public_key(self) -> OperatorPublicKey:
        """What is registered on the chain."""
        return self._key.public_key

    def sign(self, data: bytes) -> bytes:
        """256 bytes: PKCS#1 v1.5 over SHA-256 of `data`."""
        return self._key.sign(data)

    def decrypt(self, ciphertext: bytes, share_key: bytes) -> SecretKey:
        """A share, proven to be the one with this public key.

        Args:
            ciphertext: 256 bytes.
            share_key: 48 bytes, registered next to it.

        Raises:
            KeysharesError: `share_undecryptable`.
        """
        return decrypt_share(self._key, ciphertext, share_key)


def _read_private(path: Path, limit_bytes: int) -> bytes:
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError as problem:
        raise unreadable(path, problem) from problem
    if mode & _FOR_OTHERS:
        raise ConfigError(
            f"{path} has mode {mode:04o}: others than its owner may use it",
            code="key_file_open",
            hint=f"Say: chmod 600 {path}",
            data={"path": str(path), "mode": f"{mode:04o}"},
        )
    data = read_bounded(path, limit_bytes=limit_bytes)
    if len(data) > limit_bytes:
        raise InputError(
            f"{path} has more than {limit_bytes} bytes",
            code="file_too_large",
            hint="Check that the right file is named.",
        )
    return data
