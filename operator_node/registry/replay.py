"""Logs of a step, decoded, checked and applied to the registry's state.

Deterministic; run in a worker thread, because the signatures of many registrations take a while.
Signatures are checked in one batch. A log that is refused or makes no sense is kept with its
reason, and advances nonces as the network's rules say.

Source: docs/shares.md; `sdk.registry.apply`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import Final

from operator_node.registry.binding import Binding
from operator_node.registry.values import Batch, ExitRequest, Oddity
from sdk.chain.follower import Extend
from sdk.committee import nonce_message
from sdk.crypto import bls
from sdk.errors import StorageError
from sdk.events import EVENT_ABIS, Event, Log, Undecodable, decode
from sdk.events.types import (
    FeeRecipientAddressUpdated,
    OperatorAdded,
    OperatorFeeDeclared,
    ValidatorAdded,
    ValidatorExited,
)
from sdk.registry import (
    Applied,
    Change,
    EventContext,
    NonceClaim,
    RegistryState,
    SignatureVerdict,
    apply,
    nonce_claims,
)
from sdk.types import Address, BlockNumber, PublicKey

TIMED: Final = frozenset(
    abi.topic
    for abi in EVENT_ABIS
    if abi.event_class in (FeeRecipientAddressUpdated, OperatorFeeDeclared, ValidatorExited)
)
"""First topics of events whose block's time matters: duties begin so many slots after it."""
_DETAIL_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class FeeRecipient:
    """An owner set its fee recipient, in that block."""

    owner: Address
    recipient: Address
    block: BlockNumber
    time_s: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a step did to the state, which has it already.

    Attributes:
        batch: for the store.
        fee_recipients: in order.
        divergences: events that contradict the ones before; a sign of missing logs.
    """

    batch: Batch
    fee_recipients: tuple[FeeRecipient, ...]
    divergences: int


def replay(state: RegistryState, step: Extend, binding: Binding) -> Replayed:
    """Apply the step's logs and commit their changes.

    Args:
        state: after the step before.
        step: of the chain.
        binding: tells which shares to keep.
    """
    decoded = [(log, decode(log.topics, log.data)) for log in step.logs]
    events = [(log, event) for log, event in decoded if not isinstance(event, Undecodable)]
    verdicts = dict(zip((log.position for log, _ in events), _verdicts(state, events), strict=True))
    changes: list[tuple[BlockNumber, list[Change]]] = []
    shares: dict[bytes, bytes] = {}
    exits: list[ExitRequest] = []
    oddities: list[Oddity] = []
    recipients: list[FeeRecipient] = []
    divergences = 0
    for block, entries in groupby(decoded, key=lambda entry: entry[0].block_number):
        of_block: list[Change] = []
        time_s = step.times.get(block)
        for log, event in entries:
            if isinstance(event, Undecodable):
                oddities.append(_oddity(log, event.reason, event.detail))
                continue
            at = EventContext(log.position, time_s)
            applied = apply(state, event, at, verdicts[log.position])
            state.commit(applied.changes)
            of_block += applied.changes
            divergences += len(applied.divergences)
            oddities += _oddities(log, applied)
            match event:
                case OperatorAdded():
                    binding.meet(event)
                case ValidatorAdded() if applied.refused is None:
                    if binding.concerns(event.operator_ids):
                        shares[sha256(event.shares).digest()] = event.shares
                case ValidatorExited() if not applied.divergences:
                    key = PublicKey(event.public_key)
                    exits.append(ExitRequest(block, log.log_index, key, _known(time_s, block)))
                case FeeRecipientAddressUpdated():
                    seconds = _known(time_s, block)
                    recipients.append(FeeRecipient(event.owner, event.recipient, block, seconds))
                case _:
                    pass
        changes.append((block, of_block))
    batch = Batch(changes, shares, exits, oddities, step.points, step.times)
    return Replayed(batch, tuple(recipients), divergences)


def _verdicts(
    state: RegistryState, events: Sequence[tuple[Log, Event]]
) -> Iterator[SignatureVerdict]:
    """One per event; those that need no check are UNCHECKED."""
    claims = nonce_claims(state, [event for _, event in events])
    checked = [claim for claim in claims if claim is not None]
    held = iter(bls.verify_batch([_claim(claim) for claim in checked]) if checked else ())
    for claim in claims:
        if claim is None:
            yield SignatureVerdict.UNCHECKED
        else:
            yield SignatureVerdict.VALID if next(held) else SignatureVerdict.INVALID


def _claim(claim: NonceClaim) -> bls.Claim:
    message = nonce_message(claim.owner, claim.nonce)
    return bls.Claim(claim.public_key, message, claim.signature)


def _oddities(log: Log, applied: Applied) -> Iterator[Oddity]:
    """At most one per log: why it is refused, else how it contradicts the others."""
    if applied.refused is not None:
        yield _oddity(log, applied.refused.reason, f"transaction 0x{log.transaction_hash.hex()}")
    elif applied.divergences:
        yield _oddity(log, "divergence", "; ".join(map(str, applied.divergences)))


def _oddity(log: Log, reason: str, detail: str) -> Oddity:
    return Oddity(log.block_number, log.log_index, str(reason), detail[:_DETAIL_SHOWN])


def _known(time_s: int | None, block: BlockNumber) -> int:
    if time_s is None:
        raise StorageError(
            f"the time of block {block} is missing", code="block_time", hint="It is read again."
        )
    return time_s
