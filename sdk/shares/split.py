"""Splitting a validator key into one encrypted share per operator.

Pure but for the padding that RSA encryption draws inside its library: the polynomial's randomness
comes from the caller. Whoever runs this holds the whole key at this moment.

Source: docs/shares.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sdk.committee import nonce_message, threshold_of
from sdk.crypto import bls, threshold
from sdk.crypto.operator_keys import OperatorPublicKey, encrypt_share
from sdk.crypto.secret import CURVE_ORDER, SecretKey
from sdk.errors import InputError, InvariantBroken
from sdk.shares.keyshares_file import MAX_NONCE, KeyShare, OperatorEntry
from sdk.shares.layout import SharesData, pack
from sdk.types import MAX_OPERATOR_ID, Address, OperatorId


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator as registered: its id and its RSA public key."""

    id: OperatorId
    public_key: OperatorPublicKey


def check_operators(operators: Sequence[Operator]) -> tuple[Operator, ...]:
    """The operators in ascending id order.

    Raises:
        InputError: `operator_count` (not 4, 7, 10 or 13), `operator_ids_not_unique`,
            `operator_id_range`, `operator_keys_not_unique`.
    """
    threshold_of(len(operators))
    ordered = tuple(sorted(operators, key=lambda operator: operator.id))
    for operator in ordered:
        if not 1 <= operator.id <= MAX_OPERATOR_ID:
            raise InputError(
                f"operator id {operator.id} is not between 1 and {MAX_OPERATOR_ID}",
                code="operator_id_range",
            )
    for before, after in pairwise(ordered):
        if before.id == after.id:
            raise InputError(
                f"operator {before.id} is given twice",
                code="operator_ids_not_unique",
                hint="A committee needs different operators; one alone would hold two shares.",
            )
    seen: dict[str, OperatorId] = {}
    for operator in ordered:
        twin = seen.setdefault(operator.public_key.text, operator.id)
        if twin != operator.id:
            raise InputError(
                f"operators {twin} and {operator.id} have the same public key",
                code="operator_keys_not_unique",
                hint="Whoever holds that key would read two shares; compare with the registry.",
            )
    return ordered


def split_key(
    secret: SecretKey,
    operators: Sequence[Operator],
    *,
    owner: Address,
    nonce: int,
    random_below: Callable[[int], int],
) -> KeyShare:
    """The validator's entry of a keyshares file, ready to be registered by `owner`.

    Args:
        secret: the whole validator key.
        operators: 4, 7, 10 or 13 operators, any order.
        owner: the account that will send the registration.
        nonce: that account's registration nonce at that moment; it must be exact.
        random_below: a cryptographic source, uniform from 0 to n - 1, as `secrets.randbelow`.

    Raises:
        InputError: see `check_operators`, or a nonce out of range (`nonce_range`).
        InvariantBroken: the shares do not recombine or the signature is wrong, so the machine or a
            library is faulty.
    """
    ordered = check_operators(operators)
    if not 0 <= nonce <= MAX_NONCE:
        raise InputError(
            f"the owner nonce {nonce} is not between 0 and {MAX_NONCE}", code="nonce_range"
        )
    needed = threshold_of(len(ordered))
    coefficients = [SecretKey(1 + random_below(CURVE_ORDER - 1)) for _ in range(needed - 1)]
    shares = threshold.split(secret, coefficients, [operator.id for operator in ordered])
    public_key = bls.public_key(secret)
    share_keys = {operator: bls.public_key_point(share) for operator, share in shares.items()}
    message = nonce_message(owner, nonce)
    signature = bls.sign(secret, message)
    if not (
        threshold.carry_key(share_keys, validator_key=public_key, threshold=needed)
        and bls.verify(public_key, message, signature)
    ):
        raise InvariantBroken(
            f"the shares or the signature made for 0x{public_key.hex()} are wrong",
            hint="Nothing was written. Check this machine's memory and report this.",
        )
    parts = SharesData(
        signature=signature,
        share_public_keys=tuple(key.data for key in share_keys.values()),
        encrypted_shares=tuple(
            encrypt_share(operator.public_key, shares[operator.id]) for operator in ordered
        ),
    )
    return KeyShare(
        public_key=public_key,
        operator_ids=tuple(operator.id for operator in ordered),
        shares_data=pack(parts),
        owner=owner,
        nonce=nonce,
        data_public_key=public_key,
        operators=tuple(
            OperatorEntry(operator.id, operator.public_key.text) for operator in ordered
        ),
    )
