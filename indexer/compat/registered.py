"""The long record of `isRegisteredValidator`: a registration with its shares taken apart.

Source: docs/compatibility.md, "/api/v4"; docs/shares.md.
"""

from __future__ import annotations

from typing import Any, Final

from indexer.api.scalars import hex_text
from indexer.compat.asking import Asked
from indexer.compat.showing import show_validators
from indexer.queries.v4 import Dated, registration_log
from indexer.queries.validators import shares_of
from sdk.registry import Validator

_SIGNATURE: Final = 96
_KEY: Final = 48
_ENCRYPTED: Final = 256


def registered_shape(asked: Asked, found: Dated[Validator]) -> dict[str, Any]:
    """The record; `memo` says why nodes do not act on it."""
    validator = found.record
    shown = show_validators(asked, [found], "false")[0]
    shares = shares_of(asked.view, validator.owner, validator.nonce) or b""
    keys, encrypted = _parted(shares, len(shown["operators"]))
    place = registration_log(asked.view, validator.owner, validator.nonce)
    block, index, transaction = place or (None, None, None)
    return {
        "id": None,
        "network": shown["network"],
        "version": shown["version"],
        "ownerAddress": shown["owner_address"],
        "publicKey": shown["public_key"],
        "operators": shown["operators"],
        "cluster": shown["cluster"],
        "shares": hex_text(shares),
        "sharesPublicKeys": keys,
        "encryptedKeys": encrypted,
        "memo": None if validator.refusal is None else validator.refusal.value,
        "blockNumber": block,
        "logIndex": index,
        "transactionIndex": transaction,
        "addedAtBlockNumber": block,
        "addedAtLogIndex": index,
        "addedAtTransactionIndex": transaction,
        "isValid": shown["is_valid"],
        "isDeleted": shown["is_deleted"],
        "isLiquidated": shown["is_liquidated"],
        "ignoreOnSync": False,
        "createdAt": shown["created_at"],
        "updatedAt": shown["updated_at"],
        "isDraft": False,
        "isPublicKeyValid": shown["is_public_key_valid"],
        "isSharesValid": shown["is_shares_valid"],
        "isOperatorsValid": shown["is_operators_valid"],
    }


def _parted(shares: bytes, operators: int) -> tuple[list[str], list[str]]:
    """Share public keys and encrypted shares; none if the bytes have another length."""
    if len(shares) != _SIGNATURE + operators * (_KEY + _ENCRYPTED):
        return [], []
    middle = _SIGNATURE + operators * _KEY
    keys = [shares[at : at + _KEY] for at in range(_SIGNATURE, middle, _KEY)]
    encrypted = [shares[at : at + _ENCRYPTED] for at in range(middle, len(shares), _ENCRYPTED)]
    return list(map(hex_text, keys)), list(map(hex_text, encrypted))
