"""Whether nodes act on a registration, and which signatures must be checked to know.

Pure, and without cryptography: the nonce signature's verdict is computed beforehand in batches,
which is possible because the nonces follow from the order of the logs alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from sdk.committee import THRESHOLDS, shares_data_length
from sdk.events import Event
from sdk.events.types import ValidatorAdded
from sdk.registry.outcome import SignatureVerdict
from sdk.registry.records import Refusal
from sdk.registry.state import RegistryState
from sdk.types import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, Address, OperatorId, PublicKey, Signature


@dataclass(frozen=True, slots=True)
class NonceClaim:
    """A signature that must be by `public_key` over `<owner>:<nonce>` (docs/shares.md)."""

    owner: Address
    nonce: int
    public_key: PublicKey
    signature: Signature


def nonce_claim(event: ValidatorAdded, *, nonce: int) -> NonceClaim | None:
    """What to check for this registration; None if its lengths get it refused anyway."""
    if len(event.public_key) != PUBLIC_KEY_BYTES:
        return None
    if len(event.shares) != shares_data_length(len(event.operator_ids)):
        return None
    return NonceClaim(
        owner=event.owner,
        nonce=nonce,
        public_key=PublicKey(event.public_key),
        signature=Signature(event.shares[:SIGNATURE_BYTES]),
    )


def nonce_claims(state: RegistryState, events: Iterable[Event]) -> list[NonceClaim | None]:
    """One entry per event, in order, for events that follow directly on `state`.

    None for whatever needs no check. Every registration uses up a nonce, refused or not.
    """
    next_nonces: dict[Address, int] = {}
    claims: list[NonceClaim | None] = []
    for event in events:
        if not isinstance(event, ValidatorAdded):
            claims.append(None)
            continue
        nonce = next_nonces.get(event.owner, state.account(event.owner).next_nonce)
        next_nonces[event.owner] = nonce + 1
        claims.append(nonce_claim(event, nonce=nonce))
    return claims


def refusal(
    state: RegistryState, event: ValidatorAdded, verdict: SignatureVerdict
) -> Refusal | None:
    """The first reason for which nodes ignore the registration, None if they act on it.

    Points of the share keys are not checked here, as existing nodes do not: the operator whose
    share does not fit finds out when it decrypts it. A registration refused as owned by another
    stays refused when the other one is removed.
    """
    if len(event.public_key) != PUBLIC_KEY_BYTES:
        return Refusal.PUBLIC_KEY_LENGTH
    return operators_refusal(state, event.operator_ids) or registration_refusal(
        state, event, verdict
    )


def operators_refusal(state: RegistryState, operator_ids: tuple[OperatorId, ...]) -> Refusal | None:
    """The part of `refusal` that is the same for all registrations with these operators."""
    if not _is_operator_set(operator_ids):
        return Refusal.OPERATORS_INVALID
    operators = [state.operators.get(operator_id) for operator_id in operator_ids]
    if None in operators:
        return Refusal.OPERATOR_UNKNOWN
    if any(operator is not None and operator.removed_at is not None for operator in operators):
        return Refusal.OPERATOR_REMOVED
    return None


def registration_refusal(
    state: RegistryState, event: ValidatorAdded, verdict: SignatureVerdict
) -> Refusal | None:
    """The part of `refusal` that is about this registration, once key and operators are right."""
    if len(event.shares) != shares_data_length(len(event.operator_ids)):
        return Refusal.SHARES_LENGTH
    if verdict is SignatureVerdict.INVALID:
        return Refusal.NONCE_SIGNATURE_INVALID
    if (event.owner, event.public_key) in state.validators:
        return Refusal.ALREADY_REGISTERED
    if state.accepted_validator(event.public_key) is not None:
        return Refusal.OWNED_BY_ANOTHER
    return None


def _is_operator_set(operator_ids: tuple[int, ...]) -> bool:
    ascending = all(low < high for low, high in pairwise(operator_ids))
    return len(operator_ids) in THRESHOLDS and ascending and operator_ids[0] > 0
