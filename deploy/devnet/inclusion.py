"""What the chain says about some validators: which of their duties are in its blocks.

Pure. Judges by the canonical blocks alone, never by what an operator or a node says it did. What a
block cannot show is left out: who aggregated, and messages of slots whose next slot is empty.

Source: consensus-specs, phase0 to fulu, beacon-chain.md (attestations, sync aggregates).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

SLOTS_PER_EPOCH: Final = 8
"""Of the minimal preset, which the local network runs."""
NOBODY: Final = -1
"""The proposer of the genesis slot, whose block nobody proposes."""


@dataclass(frozen=True, slots=True)
class IncludedAttestation:
    """An attestation of a block, of one committee or, from electra on, of several.

    Attributes:
        bits: who took part, the committees one after another.
    """

    slot: int
    committees: tuple[int, ...]
    bits: tuple[bool, ...]
    head_root: str
    target_root: str


@dataclass(frozen=True, slots=True)
class Block:
    """What is judged of a canonical block; `sync_bits` by position in the sync committee."""

    slot: int
    root: str
    parent_root: str
    proposer: int
    attestations: tuple[IncludedAttestation, ...]
    sync_bits: tuple[bool, ...]
    exits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AttesterDuty:
    """Which bit of which committee is whose."""

    validator: int
    slot: int
    committee: int
    position: int


@dataclass(frozen=True, slots=True)
class EpochDuties:
    """Duties of an epoch, as served while it ran.

    Attributes:
        attesters: of all validators, since committees are told from them.
        proposers: by slot.
        sync: positions in the sync committee by validator, without those who have none.
    """

    attesters: tuple[AttesterDuty, ...]
    proposers: Mapping[int, int]
    sync: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Attested:
    """How an attestation ended; votes are of the first block that has it.

    Attributes:
        included_at: slot of that block, None if there is none.
        is_healthy: the slot and the next one have blocks, so that the duty could end well.
    """

    duty: AttesterDuty
    included_at: int | None
    is_head_right: bool
    is_target_right: bool
    is_healthy: bool

    @property
    def is_included(self) -> bool:
        """Whether some block has it."""
        return self.included_at is not None


@dataclass(frozen=True, slots=True)
class Proposed:
    """Whether a proposer's block is canonical."""

    slot: int
    validator: int
    is_canonical: bool


@dataclass(frozen=True, slots=True)
class SyncSigned:
    """Sync committee messages of a validator at a slot, in the next slot's block.

    Attributes:
        due: its positions in the committee.
        done: how many of their bits are set.
    """

    slot: int
    validator: int
    due: int
    done: int


@dataclass(frozen=True, slots=True)
class AloneCommittee:
    """A committee without any other validator: only their own aggregate can bring it in a block."""

    slot: int
    committee: int
    is_included: bool


@dataclass(frozen=True, slots=True)
class Report:
    """The watched validators' duties from the first slot to the last.

    Attributes:
        empty_slots: among these, slots without a block.
        empty_later: slots without a block between the last one and the newest block.
    """

    first_slot: int
    last_slot: int
    finalized_epoch: int
    attestations: tuple[Attested, ...]
    proposals: tuple[Proposed, ...]
    sync: tuple[SyncSigned, ...]
    alone: tuple[AloneCommittee, ...]
    exits: frozenset[int]
    empty_slots: frozenset[int]
    empty_later: frozenset[int] = frozenset()

    @property
    def healthy_attestations(self) -> tuple[Attested, ...]:
        """Those whose slot and next slot have blocks."""
        return tuple(each for each in self.attestations if each.is_healthy)

    @property
    def due(self) -> int:
        """Attestations, proposals, and sync committee messages, one for a validator and slot."""
        return len(self.attestations) + len(self.proposals) + len(self.sync)

    @property
    def done(self) -> int:
        """Those of them that are in the chain."""
        attested = sum(each.is_included for each in self.attestations)
        proposed = sum(each.is_canonical for each in self.proposals)
        signed = sum(each.done == each.due for each in self.sync)
        return attested + proposed + signed

    @property
    def first_done_in(self) -> int | None:
        """Slot of the first block that shows a duty of theirs; None if there is none."""
        votes = [each.included_at for each in self.attestations if each.included_at is not None]
        blocks = [each.slot for each in self.proposals if each.is_canonical]
        messages = [each.slot + 1 for each in self.sync if each.done]
        return min([*votes, *blocks, *messages], default=None)

    def closing_line(self) -> str:
        """The demo's last line."""
        return (
            f"demo: {self.due} duties due, {self.done} done, {self.due - self.done} missed, "
            f"finalized epoch {self.finalized_epoch}"
        )


def judge(
    blocks: Sequence[Block],
    duties: Mapping[int, EpochDuties],
    *,
    watched: Set[int],
    first_slot: int,
    last_slot: int,
    finalized_epoch: int,
) -> Report:
    """The report on the watched validators.

    Args:
        blocks: canonical, in order, from the first slot's epoch to some slots beyond the last.
        duties: by epoch, for every epoch of these slots.
        watched: validator indices.
        first_slot: of the duties to judge.
        last_slot: of the duties to judge, included.
        finalized_epoch: as the chain has it, for the report.
    """
    by_slot = {block.slot: block for block in blocks}
    slots = range(first_slot, last_slot + 1)
    attesters = [
        duty for epoch in _epochs(slots) for duty in duties[epoch].attesters if duty.slot in slots
    ]
    votes = _votes(blocks, duties)
    return Report(
        first_slot=first_slot,
        last_slot=last_slot,
        finalized_epoch=finalized_epoch,
        attestations=tuple(
            _attested(duty, votes.get((duty.slot, duty.committee, duty.position)), by_slot)
            for duty in attesters
            if duty.validator in watched
        ),
        proposals=tuple(
            Proposed(slot, validator, _proposer(by_slot, slot) == validator)
            for slot in slots
            if (validator := duties[_epoch(slot)].proposers.get(slot, NOBODY)) in watched
        ),
        sync=tuple(_sync_signed(by_slot, duties, watched, slots)),
        alone=tuple(_alone(attesters, votes, watched)),
        exits=frozenset(index for block in blocks for index in block.exits if index in watched),
        empty_slots=frozenset(slots) - by_slot.keys(),
        empty_later=frozenset(range(last_slot + 1, max(by_slot, default=0))) - by_slot.keys(),
    )


_Votes = dict[tuple[int, int, int], tuple[int, IncludedAttestation]]
"""By slot, committee and position: the first block with that bit, and the attestation."""


def _votes(blocks: Sequence[Block], duties: Mapping[int, EpochDuties]) -> _Votes:
    sizes: dict[tuple[int, int], int] = {}
    for epoch in duties.values():
        for duty in epoch.attesters:
            place = duty.slot, duty.committee
            sizes[place] = max(sizes.get(place, 0), duty.position + 1)
    votes: _Votes = {}
    for block in blocks:
        for attestation in block.attestations:
            first = 0
            for committee in attestation.committees:
                size = sizes.get((attestation.slot, committee), 0)
                for position, bit in enumerate(attestation.bits[first : first + size]):
                    if bit:
                        place3 = attestation.slot, committee, position
                        votes.setdefault(place3, (block.slot, attestation))
                first += size
    return votes


def _attested(
    duty: AttesterDuty,
    vote: tuple[int, IncludedAttestation] | None,
    by_slot: Mapping[int, Block],
) -> Attested:
    is_healthy = duty.slot in by_slot and duty.slot + 1 in by_slot
    if vote is None:
        return Attested(duty, None, False, False, is_healthy)
    included_at, attestation = vote
    target = _epoch(duty.slot) * SLOTS_PER_EPOCH
    return Attested(
        duty,
        included_at,
        is_head_right=attestation.head_root == _root_at(by_slot, duty.slot),
        is_target_right=attestation.target_root == _root_at(by_slot, target),
        is_healthy=is_healthy,
    )


def _sync_signed(
    by_slot: Mapping[int, Block],
    duties: Mapping[int, EpochDuties],
    watched: Set[int],
    slots: range,
) -> list[SyncSigned]:
    found = []
    for slot in slots:
        block = by_slot.get(slot + 1)
        # The members are those of the including block's slot. Nobody signs at genesis.
        epoch = duties.get(_epoch(slot + 1))
        if block is None or epoch is None or slot == 0:
            continue
        for validator in sorted(watched & set(epoch.sync)):
            positions = epoch.sync[validator]
            done = sum(block.sync_bits[position] for position in positions)
            found.append(SyncSigned(slot, validator, len(positions), done))
    return found


def _alone(
    attesters: Sequence[AttesterDuty], votes: _Votes, watched: Set[int]
) -> list[AloneCommittee]:
    members: dict[tuple[int, int], list[AttesterDuty]] = {}
    for duty in attesters:
        members.setdefault((duty.slot, duty.committee), []).append(duty)
    return [
        AloneCommittee(slot, committee, any((slot, committee, d.position) in votes for d in duties))
        for (slot, committee), duties in sorted(members.items())
        if all(duty.validator in watched for duty in duties)
    ]


def _root_at(by_slot: Mapping[int, Block], slot: int) -> str | None:
    """Root of the newest block at the slot or before."""
    for at in range(slot, -1, -1):
        if at in by_slot:
            return by_slot[at].root
    # Older than all that were read, genesis for example: the oldest of these names it.
    return by_slot[min(by_slot)].parent_root if by_slot else None


def _proposer(by_slot: Mapping[int, Block], slot: int) -> int | None:
    return by_slot[slot].proposer if slot in by_slot else None


def _epoch(slot: int) -> int:
    return slot // SLOTS_PER_EPOCH


def _epochs(slots: range) -> range:
    return range(_epoch(slots.start), _epoch(slots.stop - 1) + 1)
