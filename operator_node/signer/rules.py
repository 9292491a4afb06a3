"""Which signatures may follow which: EIP-3076, complete and minimal.

Pure. One key's history and one intended signature in, a verdict out. It never signs, stores or
looks at a clock; `record` joins the histories of share and validator, a store makes them last.

The minimal rule refuses whatever is not above all that was ever signed. It alone decides what is
*newly* signed. The complete rule knows every kept entry: it lets the same data be signed again,
and tells which earlier signature a refused one would contradict.

Source: docs/slashing.md; EIP-3076, "Conditions"; consensus-specs phase0/beacon-chain.md,
`is_slashable_attestation_data` and `process_proposer_slashing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias, assert_never

from msgspec import Struct, field

from operator_node.signer.trail import Trail
from sdk.errors import InvariantBroken
from sdk.types import Epoch, Slot

UINT64_MAX: Final = 2**64 - 1
"""Slots and epochs are uint64 on the beacon chain."""
SIGNING_ROOT_BYTES: Final = 32
SLOTS_AHEAD: Final = 1
"""A vote for the next slot may be asked for when clocks differ; nothing honest is further on."""

_BOUNDS_KEPT: Final = 256
"""All keys that vote in an epoch get the same bound, which is made once: twice per key and duty
it would be a third of the time that recording takes."""


class AttestationGuard(Struct, frozen=True):
    """What the rules need to know of an attestation, signed or to be signed.

    `signing_root` is 32 bytes. Without one it is never the same data as anything, not even as an
    equal guard; a bound has none.
    """

    source_epoch: Epoch
    target_epoch: Epoch
    signing_root: bytes | None = None

    def __post_init__(self) -> None:
        _check_range(self.source_epoch, self.target_epoch, root=self.signing_root)

    @property
    def order(self) -> tuple[int, int, bytes]:
        """By target, then source."""
        return self.target_epoch, self.source_epoch, self.signing_root or b""

    def covering(self, other: AttestationGuard) -> AttestationGuard:
        """The higher source and the higher target, each taken alone."""
        return _vote_bound(
            max(self.source_epoch, other.source_epoch), max(self.target_epoch, other.target_epoch)
        )


class BlockGuard(Struct, frozen=True):
    """What the rules need to know of a block, signed or to be signed; root as above."""

    slot: Slot
    signing_root: bytes | None = None

    def __post_init__(self) -> None:
        _check_range(self.slot, root=self.signing_root)

    @property
    def order(self) -> tuple[int, bytes]:
        """By slot."""
        return self.slot, self.signing_root or b""

    def covering(self, other: BlockGuard) -> BlockGuard:
        """The higher slot."""
        return BlockGuard(max(self.slot, other.slot))


Guard: TypeAlias = AttestationGuard | BlockGuard


class History(Struct, frozen=True):
    """What one key is known to have signed."""

    attestations: Trail[AttestationGuard] = field(default_factory=Trail)
    blocks: Trail[BlockGuard] = field(default_factory=Trail)

    def recording(self, guard: Guard) -> History:
        """With one more signature."""
        if isinstance(guard, AttestationGuard):
            return History(self.attestations.recording(guard), self.blocks)
        return History(self.attestations, self.blocks.recording(guard))

    def merged(self, other: History) -> History:
        """What both know together; never permits more than either."""
        return History(
            self.attestations.merged(other.attestations), self.blocks.merged(other.blocks)
        )

    def raised(self, attestation: AttestationGuard, block: BlockGuard) -> History:
        """As if these had been signed unseen; bounds never fall."""
        return History(self.attestations.raised(attestation), self.blocks.raised(block))


class Reason(StrEnum):
    """Why a signature is refused; a closed list."""

    NO_HISTORY = "no_history"
    OTHER_VALIDATOR = "other_validator"
    SOURCE_ABOVE_TARGET = "source_above_target"
    DOUBLE_VOTE = "double_vote"
    SURROUNDING_VOTE = "surrounding_vote"
    SURROUNDED_VOTE = "surrounded_vote"
    DOUBLE_BLOCK = "double_block"
    TARGET_NOT_ABOVE_BOUND = "target_not_above_bound"
    SOURCE_BELOW_BOUND = "source_below_bound"
    SLOT_NOT_ABOVE_BOUND = "slot_not_above_bound"
    SOURCE_NOT_BELOW_TARGET = "source_not_below_target"
    TARGET_AHEAD = "target_ahead"
    SLOT_AHEAD = "slot_ahead"
    SLOT_NOT_OF_DUTY = "slot_not_of_duty"


@dataclass(frozen=True, slots=True)
class Safe:
    """Nothing recorded speaks against it: record it, then sign."""


_SAFE: Final = Safe()


@dataclass(frozen=True, slots=True)
class SameData:
    """The very same data was signed before: sign again, nothing new is said."""


@dataclass(frozen=True, slots=True)
class NotSafe:
    """Do not sign.

    `previous` is the signature it would contradict, or the bound it is not above (a guard without
    signing root), or None.
    """

    reason: Reason
    previous: Guard | None = None


Verdict: TypeAlias = Safe | SameData | NotSafe


def may_sign(verdict: Verdict) -> bool:
    """Whether the verdict lets a signature out."""
    return not isinstance(verdict, NotSafe)


def judge(history: History, guard: Guard) -> Verdict:
    """The verdict that counts: new data by the minimal rule, a repeat by the complete one.

    Reads the entries only if the highest bounds do not permit the guard already, so a store may
    come with the bounds alone first.
    """
    minimal = judge_minimal(history, guard)
    if isinstance(minimal, Safe):
        return minimal
    complete = judge_complete(history, guard)
    if isinstance(complete, SameData):
        return _distrusted(history, guard) or complete
    # The complete rule knows the earlier signature; where it sees no harm, the bound stands.
    return minimal if isinstance(complete, Safe) else complete


def judge_minimal(history: History, guard: Guard) -> Safe | NotSafe:
    """The minimal rule alone: above everything, or refused. It knows no repeats."""
    match guard:
        case AttestationGuard():
            highest = history.attestations.highest
            return _refuse_vote(guard) or _vote_above(guard, highest) or _SAFE
        case BlockGuard():
            return _block_above(guard, history.blocks.highest) or _SAFE
        case _:
            assert_never(guard)


def judge_complete(history: History, guard: Guard) -> Verdict:
    """The complete rule alone: refused if it contradicts a kept entry, or lies in the unknown."""
    match guard:
        case AttestationGuard():
            return _complete_vote(history.attestations, guard)
        case BlockGuard():
            return _complete_block(history.blocks, guard)
        case _:
            assert_never(guard)


def bounds(
    guard: Guard, *, duty_slot: Slot, current_slot: Slot, current_epoch: Epoch
) -> Safe | NotSafe:
    """Whether the guard lies in the present; without this one absurd vote would silence a key.

    Args:
        guard: what is to be signed.
        duty_slot: slot of the attestation data, or the block's own.
        current_slot: by the node's clock.
        current_epoch: by the node's clock.
    """
    if duty_slot > current_slot + SLOTS_AHEAD:
        return NotSafe(Reason.SLOT_AHEAD)
    match guard:
        case AttestationGuard(source_epoch=source, target_epoch=target):
            if source >= target:
                return NotSafe(Reason.SOURCE_NOT_BELOW_TARGET)
            if target > current_epoch:
                return NotSafe(Reason.TARGET_AHEAD)
        case BlockGuard(slot=slot):
            if slot != duty_slot:
                return NotSafe(Reason.SLOT_NOT_OF_DUTY)
        case _:
            assert_never(guard)
    return Safe()


def _refuse_vote(guard: AttestationGuard) -> NotSafe | None:
    if guard.source_epoch > guard.target_epoch:
        return NotSafe(Reason.SOURCE_ABOVE_TARGET)
    return None


def _vote_above(guard: AttestationGuard, bound: AttestationGuard | None) -> NotSafe | None:
    if bound is None:
        return NotSafe(Reason.NO_HISTORY)
    if guard.target_epoch <= bound.target_epoch:
        return NotSafe(Reason.TARGET_NOT_ABOVE_BOUND, bound)
    if guard.source_epoch < bound.source_epoch:
        return NotSafe(Reason.SOURCE_BELOW_BOUND, bound)
    return None


def _block_above(guard: BlockGuard, bound: BlockGuard | None) -> NotSafe | None:
    if bound is None:
        return NotSafe(Reason.NO_HISTORY)
    if guard.slot <= bound.slot:
        return NotSafe(Reason.SLOT_NOT_ABOVE_BOUND, bound)
    return None


def _complete_vote(trail: Trail[AttestationGuard], guard: AttestationGuard) -> Verdict:
    if refusal := _refuse_vote(guard) or _contradicted_vote(trail, guard):
        return refusal
    if guard in trail:  # with its root; without, it was refused above
        return SameData()
    # Conditions 4 and 5 of EIP-3076. The lowest source of all needs no look of its own: a vote
    # from below it, and to above the first entry's target, surrounds that entry.
    return _vote_above(guard, trail.known_from) or Safe()


def _complete_block(trail: Trail[BlockGuard], guard: BlockGuard) -> Verdict:
    for entry in trail.entries[trail.span(guard.slot)]:
        if not _is_same(guard, entry):
            return NotSafe(Reason.DOUBLE_BLOCK, entry)
    if guard in trail:
        return SameData()
    return _block_above(guard, trail.known_from) or Safe()


def _contradicted_vote(trail: Trail[AttestationGuard], guard: AttestationGuard) -> NotSafe | None:
    """`is_slashable_attestation_data` against every entry, using that targets are in order."""
    entries, source, equal = trail.entries, guard.source_epoch, trail.span(guard.target_epoch)
    for entry in entries[equal]:
        if not _is_same(guard, entry):
            return NotSafe(Reason.DOUBLE_VOTE, entry)
    for entry in entries[: equal.start]:
        if source < entry.source_epoch:
            return NotSafe(Reason.SURROUNDING_VOTE, entry)
    for entry in entries[equal.stop :]:
        if entry.source_epoch < source:
            return NotSafe(Reason.SURROUNDED_VOTE, entry)
    return None


def _distrusted(history: History, guard: Guard) -> NotSafe | None:
    """Refuses a repeat from where not everything that was signed is among the entries.

    The entry may come from a file, and what it contradicts be forgotten.
    """
    if isinstance(guard, AttestationGuard):
        vote = history.attestations.unknown_to
        return None if vote is None else _vote_above(guard, vote)
    block = history.blocks.unknown_to
    return None if block is None else _block_above(guard, block)


def _is_same(guard: Guard, entry: Guard) -> bool:
    """Data without a signing root counts as different from everything."""
    return guard == entry and guard.signing_root is not None


@lru_cache(maxsize=_BOUNDS_KEPT)
def _vote_bound(source: Epoch, target: Epoch) -> AttestationGuard:
    return AttestationGuard(source, target)


def _check_range(*numbers: int, root: bytes | None) -> None:
    if min(numbers) < 0 or max(numbers) > UINT64_MAX:
        raise InvariantBroken(f"slots and epochs are uint64, got {numbers}")
    if root is not None and len(root) != SIGNING_ROOT_BYTES:
        raise InvariantBroken(f"a signing root has 32 bytes, got {len(root)}")
