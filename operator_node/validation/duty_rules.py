"""Rules that consensus messages and partial signatures share: is there such a duty, is it its time.

Pure. A rule returns None if it is kept, otherwise what is wrong, with the values.

Source: docs/protocol.md, "Gossip validation" (numbers).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from operator_node.validation import timing
from operator_node.validation.arrival import Arrival
from operator_node.wire.ids import COMMITTEE_ROLES, RunnerRole, validator_of
from sdk.types import Epoch, Slot

VALIDATOR_DUTIES_PER_EPOCH: Final = 2
"""One, and one more after a reorganisation gave the validator another slot."""
ATTESTATIONS_PER_VALIDATOR: Final = 2
"""For the same reason."""

_PROPOSER: Final = int(RunnerRole.PROPOSER)
_EXIT: Final = int(RunnerRole.VOLUNTARY_EXIT)
_CONTRIBUTION: Final = int(RunnerRole.SYNC_CONTRIBUTION)
_TWO_DUTIES: Final[frozenset[int]] = frozenset(
    {RunnerRole.AGGREGATOR, RunnerRole.VALIDATOR_REGISTRATION}
)


def slot_advanced(arrival: Arrival, _: object) -> str | None:
    """A validator's duties follow each other; a committee's run side by side."""
    if arrival.role in COMMITTEE_ROLES:
        return None
    for signer in arrival.signed.signers:
        history = arrival.past.signers.get(signer)
        if history is not None and history.newest_slot > arrival.slot:
            return f"slot {arrival.slot}, operator {signer} is at {history.newest_slot}"
    return None


def no_duty(arrival: Arrival, _: object) -> str | None:
    """A proposer proposes in that slot, a contributor sits in the sync committee."""
    index = arrival.validator_index
    if index is None:
        return None
    if arrival.role == _PROPOSER:
        if not arrival.registry.has_proposal(index, Slot(arrival.slot)):
            return f"validator {index} does not propose in slot {arrival.slot}"
    elif arrival.role == _CONTRIBUTION and not arrival.registry.in_sync_committee(
        index, epoch_of(arrival)
    ):
        return f"validator {index} is in no sync committee in slot {arrival.slot}"
    return None


def too_early(arrival: Arrival, _: object) -> str | None:
    """Nothing is sent before its slot begins."""
    since_ms = arrival.since_slot_start_ms
    if timing.is_early(since_ms):
        return f"{-since_ms} ms before slot {arrival.slot}"
    return None


def too_late(arrival: Arrival, _: object) -> str | None:
    """Nothing is sent after its duty is over."""
    since_ms = arrival.since_slot_start_ms
    if timing.is_late(arrival.role, since_ms, slot_ms=arrival.chain.slot_ms):
        return f"{since_ms} ms after the start of slot {arrival.slot}"
    return None


def too_many_duties(arrival: Arrival, _: object) -> str | None:
    """No operator has more duties in an epoch than its validators get."""
    for signer in arrival.signed.signers:
        history = arrival.past.signers.get(signer)
        slots = () if history is None else history.slots
        if arrival.slot in slots:
            continue  # counted when it began
        limit = _duty_limit(arrival, known=len(slots))
        if limit is not None and len(slots) >= limit and _in_epoch(arrival, slots) >= limit:
            return f"operator {signer}, slot {arrival.slot}: more than {limit} in its epoch"
    return None


def epoch_of(arrival: Arrival) -> Epoch:
    """The epoch of the message's slot."""
    return Epoch(arrival.slot // arrival.chain.forks.slots_per_epoch)


def _in_epoch(arrival: Arrival, slots: Iterable[int]) -> int:
    """How many of the slots are in the epoch of the message's slot."""
    first = arrival.slot - arrival.slot % arrival.chain.forks.slots_per_epoch
    epoch = range(first, first + arrival.chain.forks.slots_per_epoch)
    return sum(map(epoch.__contains__, slots))


def _duty_limit(arrival: Arrival, *, known: int) -> int | None:
    """Duties that a signer may have in an epoch; None if every slot may bring one.

    The sync committee is asked only if the `known` slots of the signer reach the lower limit.
    """
    if arrival.role in COMMITTEE_ROLES:
        limit = ATTESTATIONS_PER_VALIDATOR * len(arrival.committee.validators)
        if limit >= arrival.chain.forks.slots_per_epoch or (known >= limit and _syncs(arrival)):
            return None  # an epoch has no more slots than that
        return limit
    if arrival.role in _TWO_DUTIES:
        return VALIDATOR_DUTIES_PER_EPOCH
    if arrival.role == _EXIT:
        key = validator_of(arrival.signed.message.id)
        return arrival.registry.exit_requests(key, Slot(arrival.slot))
    return None


def _syncs(arrival: Arrival) -> bool:
    """Whether one of the committee's validators has a duty in every slot."""
    epoch = epoch_of(arrival)
    syncs = arrival.registry.in_sync_committee
    return any(syncs(index, epoch) for index in arrival.committee.validators)
