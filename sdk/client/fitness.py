"""Whether keyshares and operators are fit for a registration, before anything is sent.

`operator_problems` asks the registry; `keyshares_problems` is pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from eth_typing import ChecksumAddress

from sdk.client.addresses import to_raw
from sdk.client.calls import Deployment, call_one
from sdk.client.operation import Operation
from sdk.client.reads import known_operator
from sdk.crypto.operator_keys import OperatorPublicKey, parse_public_key
from sdk.errors import ChainError, InputError, KeysharesError
from sdk.shares.consistency import Expected
from sdk.shares.keyshares_file import KeyShare, KeysharesFile
from sdk.shares.keyshares_reader import Reading
from sdk.shares.verify import verify_keyshares
from sdk.types import PUBLIC_KEY_BYTES, BlockNumber, OperatorId, PublicKey, parse_hex

MAX_NODE_NONCE = 65_535
"""Nodes written in Go keep the nonce in 16 bits and expect 0 after it."""


def operator_problems(
    deployment: Deployment,
    owner: ChecksumAddress,
    ids: Sequence[OperatorId],
    *,
    added: int,
    block: BlockNumber,
) -> Operation[None]:
    """Return if every operator takes `added` more validators of this owner.

    Raises:
        ChainError: `operator_not_found`, `operator_removed`, `operator_private`, `operator_full`.
    """
    limit = yield from call_one(deployment, "getValidatorsPerOperatorLimit", block=block)
    admitting: set[int] | None = None
    for operator_id in ids:
        state = yield from known_operator(deployment, operator_id, block=block)
        if not state.is_active:
            raise _unfit(operator_id, "operator_removed", "is removed", "Choose another one.")
        if state.is_private and admitting is None:
            admitting = set(
                (
                    yield from call_one(
                        deployment, "getWhitelistedOperators", tuple(ids), owner, block=block
                    )
                )
            )
        if state.is_private and operator_id not in (admitting or ()):
            raise _unfit(
                operator_id,
                "operator_private",
                f"is private and does not admit {owner}",
                f"Ask its owner {state.owner} to be admitted, or choose another one.",
            )
        if state.validator_count + added > limit:
            raise _unfit(
                operator_id,
                "operator_full",
                f"has {state.validator_count} validators; {added} more exceed the limit of {limit}",
                "Choose another one, or register fewer.",
            )


def keyshares_problems(
    shares: Sequence[KeyShare],
    *,
    owner: ChecksumAddress,
    nonce: int,
    operator_keys: Mapping[OperatorId, str | None],
) -> None:
    """Return if nodes will act on the registration of these entries in this order.

    Args:
        shares: entries; those without owner or nonce are checked against the next two arguments.
        owner: account that registers.
        nonce: its next nonce.
        operator_keys: registered keys; an operator without a readable one is not compared.

    Raises:
        KeysharesError: the code is that of the first finding.
        ChainError: `nonce_wraps`.
    """
    last = nonce + len(shares) - 1
    if last > MAX_NODE_NONCE:
        raise ChainError(
            f"nonce {last} of {owner} is above {MAX_NODE_NONCE}, where existing nodes start again",
            code="nonce_wraps",
            hint="Use another owner account.",
            data={"nonce": last, "owner": owner},
        )
    entries = tuple(replace(share, position=place) for place, share in enumerate(shares))
    registered = _keys(operator_keys)
    expected = Expected(
        owner=to_raw(owner),
        nonce=nonce,
        operators=registered if len(registered) == len(shares[0].operator_ids) else None,
    )
    reading = Reading(KeysharesFile(entries, created_at=""), ())
    for finding in verify_keyshares(reading, expected):
        if finding.severity == "error":
            raise KeysharesError(
                f"{finding.where}: {finding.message}",
                code=finding.code,
                hint=finding.hint,
                data={"where": finding.where},
            )


def to_public_key(public_key: bytes | str) -> PublicKey:
    """A validator's public key.

    Raises:
        InputError: `pubkey_length`, `malformed_hex`.
    """
    raw = parse_hex(public_key, what="public key") if isinstance(public_key, str) else public_key
    if len(raw) != PUBLIC_KEY_BYTES:
        raise InputError(
            f"a validator key has {PUBLIC_KEY_BYTES} bytes, this has {len(raw)}",
            code="pubkey_length",
        )
    return PublicKey(bytes(raw))


def _keys(texts: Mapping[OperatorId, str | None]) -> dict[OperatorId, OperatorPublicKey]:
    return {each: parse_public_key(text) for each, text in texts.items() if text is not None}


def _unfit(operator_id: int, code: str, problem: str, hint: str) -> ChainError:
    return ChainError(
        f"operator {operator_id} {problem}",
        code=code,
        hint=hint,
        data={"operator_id": operator_id},
    )
