"""The exception tree. Each error carries facts; its text says what, which values, what to do.

    PhalanxError                code, hint, data
    ├── UsageError              exit 2   the call itself is wrong
    │   └── ConfigError         exit 2   a setting is missing or out of bounds
    ├── InputError              exit 3   a file, key or value given by the user is wrong
    │   ├── KeystoreError                EIP-2335 and operator keystores
    │   ├── KeysharesError               keyshares files
    │   └── InvalidPoint                 bytes that are no valid BLS12-381 point
    ├── ChainError              exit 4   the registry's state forbids it
    ├── NetworkError            exit 5   an upstream did not answer as it should
    │   ├── PeerError
    │   └── BeaconError
    ├── StorageError            exit 5   a disk or database failed
    ├── PartialError            exit 6   some items succeeded, some did not
    └── InvariantBroken         exit 70  a bug of ours; in a signer it means: do not sign

Expected outcomes (a peer sent rubbish, an event is refused) are values, never exceptions.
Secrets never enter an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class PhalanxError(Exception):
    """Base of every exception that this project raises on purpose.

    Args:
        message: what is wrong, with the values.
        code: short stable word a program can test, e.g. `keystore_password`.
        hint: what to do next, one sentence; empty if the message says it all.
        data: facts as plain values, never secrets.
    """

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str = "",
        data: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.data: dict[str, object] = dict(data or {})

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class UsageError(PhalanxError):
    exit_code = 2
    default_code = "usage"


class ConfigError(UsageError):
    default_code = "config"


class InputError(PhalanxError):
    exit_code = 3
    default_code = "input"


class KeystoreError(InputError):
    default_code = "keystore"


class KeysharesError(InputError):
    default_code = "keyshares"


class InvalidPoint(InputError):
    default_code = "invalid_point"


class ChainError(PhalanxError):
    exit_code = 4
    default_code = "chain"


class NetworkError(PhalanxError):
    exit_code = 5
    default_code = "network"


class PeerError(NetworkError):
    default_code = "peer"


class BeaconError(NetworkError):
    default_code = "beacon"


class StorageError(PhalanxError):
    exit_code = 5
    default_code = "storage"


class PartialError(PhalanxError):
    exit_code = 6
    default_code = "partial"


class InvariantBroken(PhalanxError):
    exit_code = 70
    default_code = "bug"
