"""What this node lately learned of the chain: checkpoints by epoch, votes by slot, heads by root.

Pure and bounded. Checkpoints come from attestation data of the own beacon nodes: within an epoch
every vote on one chain has the same source, and the same target once the epoch's first block is
there. What validators voted for is remembered so that its aggregates can be asked for.

Source: consensus-specs, phase0/validator.md (attestation data, aggregation); docs/protocol.md,
"Value checks".
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, TypeVar

from operator_node.beacon.types import Candidate
from operator_node.duties.types import CheckpointView, Submission, SubmissionKind
from operator_node.spec.chain import FAR_FUTURE_EPOCH
from operator_node.spec.operations import (
    ATTESTATION_DATA,
    SINGLE_ATTESTATION,
    SYNC_COMMITTEE_MESSAGE,
    attestation_shape,
)
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import field
from operator_node.spec.versions import ELECTRA
from operator_node.wire.values import BeaconVote, Checkpoint
from sdk.types import Epoch, Slot

T = TypeVar("T")

SLOTS_KEPT: Final = 64
"""Committee duties live 32 slots (DUT-7); aggregates of older ones are worth nothing."""
VOTES_PER_SLOT: Final = 4
"""An own view and what committees decided; honest committees rarely differ."""
EPOCHS_KEPT: Final = 4
HEADS_KEPT: Final = 256
BLOCKS_KEPT: Final = 64
"""Offers of all nodes for the last few own proposals."""
_NOBODYS: Final = Checkpoint(FAR_FUTURE_EPOCH, bytes(32))
"""A checkpoint that no vote has: whoever compares with it agrees with nobody (FRK-2)."""


class Checkpoints:
    """Source and target of the votes of an epoch, as the own beacon nodes see them."""

    def __init__(self, *, compare_roots: bool) -> None:
        self._compare_roots = compare_roots
        self._known: OrderedDict[Epoch, tuple[Checkpoint, Checkpoint]] = OrderedDict()
        self._held: list[Epoch] = []

    def learn(self, epoch: Epoch, vote: BeaconVote) -> bool:
        """Takes in attestation data of a slot of the epoch; whether that is news."""
        found = (vote.source, vote.target)
        if epoch in self._held:
            self._held.remove(epoch)
        elif self._known.get(epoch) == found:
            return False
        self._known[epoch] = found
        self._known.move_to_end(epoch)
        if len(self._known) > EPOCHS_KEPT:
            self._known.popitem(last=False)
        return True

    def hold(self, epoch: Epoch) -> bool:
        """No vote of the epoch is agreed with until `learn` brings one; whether that is news.

        The network's own rule knows no roots, and so nothing to hold for (FRK-3).
        """
        if not self._compare_roots or epoch in self._held:
            return False
        self._held.append(epoch)
        del self._held[:-EPOCHS_KEPT]
        return True

    def knows(self, epoch: Epoch) -> bool:
        """Whether there is a view of the epoch that nothing speaks against."""
        return epoch in self._known and epoch not in self._held

    def view(self, epoch: Epoch, *, is_stale: bool) -> CheckpointView | None:
        """The view of an epoch; while stale, the newest that is known for any other epoch."""
        if epoch in self._held:
            return CheckpointView(_NOBODYS, _NOBODYS, self._compare_roots)
        found = self._known.get(epoch)
        if found is None:
            if not is_stale or not self._known:
                return None
            found = self._known[max(self._known)]
        source, target = found
        return CheckpointView(source, target, self._compare_roots, is_stale)


class Votes:
    """What was voted for in each slot, here or by the committees, newest last."""

    def __init__(self) -> None:
        self._votes: OrderedDict[Slot, list[BeaconVote]] = OrderedDict()
        self._roots: OrderedDict[Slot, list[bytes]] = OrderedDict()

    def note(self, slot: Slot, vote: BeaconVote) -> None:
        """A vote, which sync committee members give to the same head."""
        _note(self._votes, slot, vote)
        _note(self._roots, slot, vote.block_root)

    def note_submission(self, item: Submission, preset: Preset) -> None:
        """An attestation or sync message that a committee agreed on.

        Raises:
            PeerError: the data is not what its kind says, or of a fork that is not known.
        """
        if item.kind is SubmissionKind.SYNC_MESSAGE:
            slot = _number(field(SYNC_COMMITTEE_MESSAGE, item.data, "slot"))
            root = field(SYNC_COMMITTEE_MESSAGE, item.data, "beacon_block_root")
            _note(self._roots, Slot(slot), bytes(root))
        elif item.kind is SubmissionKind.ATTESTATION:
            is_single = item.version >= ELECTRA
            shape = SINGLE_ATTESTATION if is_single else attestation_shape(item.version, preset)
            data = field(shape, item.data, "data")
            root = field(ATTESTATION_DATA, data, "beacon_block_root")
            self.note(
                Slot(_number(field(ATTESTATION_DATA, data, "slot"))),
                BeaconVote(
                    bytes(root),
                    _checkpoint(field(ATTESTATION_DATA, data, "source")),
                    _checkpoint(field(ATTESTATION_DATA, data, "target")),
                ),
            )

    def of(self, slot: Slot) -> tuple[BeaconVote, ...]:
        """Votes of a slot, newest first."""
        return tuple(reversed(self._votes.get(slot, ())))

    def roots_of(self, slot: Slot) -> tuple[bytes, ...]:
        """Heads that were voted for in a slot, newest first."""
        return tuple(reversed(self._roots.get(slot, ())))


class Heads:
    """Slots of blocks by their root."""

    def __init__(self) -> None:
        self._slots: OrderedDict[bytes, Slot] = OrderedDict()

    def note(self, root: bytes, slot: Slot) -> None:
        """A block that a beacon node told of."""
        self._slots[root] = slot
        if len(self._slots) > HEADS_KEPT:
            self._slots.popitem(last=False)

    def slot_of(self, root: bytes) -> Slot | None:
        """The slot of a block, None if it is not known."""
        return self._slots.get(root)


class Builders:
    """Which beacon node built a block, by the root that names the block on the chain."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[bytes, str] = OrderedDict()

    def note(self, root: bytes, node: str) -> None:
        """A node offered the block; of two that built the same one, the first."""
        self._nodes.setdefault(root, node)
        if len(self._nodes) > BLOCKS_KEPT:
            self._nodes.popitem(last=False)

    def of(self, root: bytes) -> str:
        """The node's name, empty if none of ours built it."""
        return self._nodes.get(root, "")


class Choices:
    """What the nodes offered to be voted for in each slot, and what was taken of it (BN-6)."""

    def __init__(self) -> None:
        self._candidates: OrderedDict[Slot, tuple[Candidate, ...]] = OrderedDict()

    def note(self, slot: Slot, candidates: Sequence[Candidate]) -> None:
        """The last question of a slot counts: consensus is on its answer."""
        self._candidates[slot] = tuple(candidates)
        while len(self._candidates) > SLOTS_KEPT:
            del self._candidates[min(self._candidates)]

    def of(self, slot: Slot) -> tuple[Candidate, ...]:
        """Preferred nodes first; empty if nothing was asked or answered."""
        return self._candidates.get(slot, ())


def _note(kept: OrderedDict[Slot, list[T]], slot: Slot, item: T) -> None:
    items = kept.setdefault(slot, [])
    if item in items:
        items.remove(item)
    items.append(item)
    del items[:-VOTES_PER_SLOT]
    while len(kept) > SLOTS_KEPT:
        del kept[min(kept)]


def _checkpoint(data: memoryview) -> Checkpoint:
    return Checkpoint(Epoch(_number(data[:8])), bytes(data[8:]))


def _number(data: memoryview) -> int:
    return int.from_bytes(data, "little")
