"""Keystores on disk, and the randomness of new ones.

The shell around `keystore`: reads files, lists folders, draws salts. It never decrypts and never
writes a file; the caller decides where and with which permissions.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID

from sdk.crypto.keystore import (
    KEYSTORE_MAX_BYTES,
    Keystore,
    encrypt,
    looks_like_keystore,
    parse_keystore,
)
from sdk.crypto.password_box import IV_BYTES, Kdf, Scrypt
from sdk.crypto.secret import Password, SecretKey
from sdk.errors import InputError
from sdk.files import read_bounded, unreadable

SALT_BYTES: Final = 32
FOLDER_MAX_FILES: Final = 10_000
"""Twenty times what an operator serves by default; beyond it the wrong folder was given."""


def load_keystore(path: Path) -> Keystore:
    """The keystore in a file, as `parse_keystore`; errors name the file.

    Raises:
        KeystoreError: the content is not a keystore within bounds.
        InputError: `file_unreadable`.
    """
    return parse_keystore(read_bounded(path, limit_bytes=KEYSTORE_MAX_BYTES), source=path.name)


def find_keystores(folder: Path) -> list[Path]:
    """The keystore files directly in `folder`, by file name; nonces follow this order.

    Every `keystore*.json` counts, and every other `*.json` that looks like one. Deposit data and
    the like are left out.

    Raises:
        InputError: `file_unreadable`, or `folder_too_large`.
    """
    files = sorted(path for path in _list(folder) if path.suffix.lower() == ".json")
    return [path for path in files if _is_keystore(path)]


def create_keystore(
    secret: SecretKey,
    password: Password,
    *,
    kdf: Kdf | None = None,
    path: str = "",
    description: str = "",
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """A new keystore as JSON, with fresh salt, iv and uuid; see `keystore.encrypt`.

    Args:
        secret: the key to protect.
        password: UTF-8 text.
        kdf: scrypt with the cost of the deposit tools unless given.
        path: EIP-2334 path of the key, empty if none.
        description: free text for people.
        random_bytes: source of randomness.
    """
    return encrypt(
        secret,
        password,
        kdf=kdf or Scrypt(),
        salt=random_bytes(SALT_BYTES),
        iv=random_bytes(IV_BYTES),
        uuid=UUID(bytes=random_bytes(16), version=4),
        path=path,
        description=description,
    )


def _is_keystore(path: Path) -> bool:
    if path.name.lower().startswith("keystore"):
        return True
    return looks_like_keystore(read_bounded(path, limit_bytes=KEYSTORE_MAX_BYTES))


def _list(folder: Path) -> list[Path]:
    try:
        files = [path for path in folder.iterdir() if path.is_file()]
    except OSError as problem:
        raise unreadable(folder, problem) from problem
    if len(files) > FOLDER_MAX_FILES:
        raise InputError(
            f"{folder} holds {len(files)} files, the limit is {FOLDER_MAX_FILES}",
            code="folder_too_large",
            hint="Give the folder that holds the keystores alone.",
        )
    return files
