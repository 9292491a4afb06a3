"""Decrypts own shares and hands them to the signer, in worker threads.

The secret passes straight from one to the other; nothing here keeps it or names it. A share that
cannot be decrypted is an alarm for that validator, not a failure: the chain takes any bytes.

Source: docs/shares.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

import trio

from operator_node.registry.assignments import Assignment
from sdk.crypto.threshold import carry_key
from sdk.errors import InvalidPoint, KeysharesError
from sdk.types import PublicKey

log = logging.getLogger(__name__)

SHARES_AT_ONCE: Final = 16
"""Per visit to a worker thread, about 20 ms of work, so that a cancellation is soon heard."""

OpenShare: TypeAlias = Callable[[bytes, bytes], Any]
"""The share of a ciphertext and its share public key, as `KeepShare` takes it: the secret itself,
or a name for what the signing process has. Raises KeysharesError as `decrypt_share`."""
KeepShare: TypeAlias = Callable[[PublicKey, Any], None]
"""Takes the share of a validator, as `OpenShare` gave it."""
DropShare: TypeAlias = Callable[[PublicKey, PublicKey], None]
"""Forgets it, unless the validator has another share by now; told validator and share key."""


async def keep_shares(
    assignments: Iterable[Assignment], *, open_share: OpenShare, keep_share: KeepShare
) -> dict[PublicKey, str]:
    """Why not, for each validator whose share could not be handed over."""
    waiting = list(assignments)
    alarms: dict[PublicKey, str] = {}
    for start in range(0, len(waiting), SHARES_AT_ONCE):
        batch = waiting[start : start + SHARES_AT_ONCE]
        alarms |= await trio.to_thread.run_sync(_keep, batch, open_share, keep_share)
    for key, reason in alarms.items():
        log.error("registry: no duties for validator 0x%s: %s", key.hex(), reason)
    return alarms


def recombines(assignment: Assignment) -> bool:
    """Whether any quorum of the share public keys gives the validator's key.

    Share keys and ciphertexts are public: without this, anybody could register those of a validator
    for one of their own, and bind the share to it in the slashing record.
    """
    try:
        return carry_key(
            assignment.share_keys,
            validator_key=assignment.validator_key,
            threshold=assignment.committee.quorum,
        )
    except InvalidPoint:
        return False


def _keep(
    batch: Sequence[Assignment], open_share: OpenShare, keep_share: KeepShare
) -> dict[PublicKey, str]:
    alarms = {}
    for each in batch:
        if not recombines(each):
            alarms[each.validator_key] = "its share public keys do not recombine to its key"
            continue
        try:
            secret = open_share(each.encrypted_share, each.share_key)
        except KeysharesError as failure:
            alarms[each.validator_key] = failure.message
        else:
            keep_share(each.validator_key, secret)
    return alarms
