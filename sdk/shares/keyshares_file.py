"""The keyshares file as values, and writing it as v1.2.0 (or v1.1.0).

Pure. Reading is in `keyshares_reader`, judging in `verify`. Source: docs/keyshares.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from sdk.errors import KeysharesError
from sdk.types import Address, OperatorId, PublicKey, checksum_address

WRITTEN_VERSIONS: Final = ("v1.2.0", "v1.1.0")
"""The first is the default; both have the same shape, some readers insist on the older mark."""
MAX_NONCE: Final = 2**64 - 1
"""No chain gets near it; it keeps a file's numbers within what every reader's integers hold."""


@dataclass(frozen=True, slots=True)
class OperatorEntry:
    """One operator as the file names it; the key is checked by `verify`."""

    id: OperatorId
    operator_key: str


@dataclass(frozen=True, slots=True)
class KeyShare:
    """One validator's entry.

    The payload (`public_key`, `operator_ids`, `shares_data`) is what goes on chain. The rest is
    None or empty in files of third parties that carry the payload alone.
    """

    public_key: PublicKey
    operator_ids: tuple[OperatorId, ...]
    shares_data: bytes
    owner: Address | None
    nonce: int | None
    data_public_key: PublicKey | None
    operators: tuple[OperatorEntry, ...]
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class KeysharesFile:
    """A whole file. `created_at` is ISO-8601 text in UTC, kept as it stands."""

    shares: tuple[KeyShare, ...]
    created_at: str
    version: str = WRITTEN_VERSIONS[0]


def write_keyshares(file: KeysharesFile) -> bytes:
    """The file as UTF-8 JSON.

    Raises:
        KeysharesError: `version`, not one we write; `payload_only`, an entry lacks its data part.
    """
    if file.version not in WRITTEN_VERSIONS:
        raise KeysharesError(
            f"keyshares version {file.version} cannot be written",
            code="version",
            hint=f"Use one of {', '.join(WRITTEN_VERSIONS)}.",
        )
    document = {
        "version": file.version,
        "createdAt": file.created_at,
        "shares": [entry_json(share) for share in file.shares] or None,
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def entry_json(share: KeyShare) -> dict[str, Any]:
    """One entry as plain JSON values.

    Raises:
        KeysharesError: `payload_only`, `pubkey_mismatch`.
    """
    if share.owner is None or share.nonce is None:
        raise KeysharesError(
            f"the entry of 0x{share.public_key.hex()} lacks owner or nonce", code="payload_only"
        )
    if share.data_public_key not in (None, share.public_key):
        raise KeysharesError(
            f"the entry of 0x{share.public_key.hex()} names another validator in its data",
            code="pubkey_mismatch",
        )
    key = "0x" + share.public_key.hex()
    return {
        "data": {
            "ownerNonce": share.nonce,
            "ownerAddress": checksum_address(share.owner),
            "publicKey": key,
            "operators": [
                {"id": operator.id, "operatorKey": operator.operator_key}
                for operator in share.operators
            ],
        },
        "payload": {
            "publicKey": key,
            "operatorIds": list(share.operator_ids),
            "sharesData": "0x" + share.shares_data.hex(),
        },
    }
