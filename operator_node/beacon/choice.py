"""Which of several beacon nodes' offers is taken.

Pure. Source: this node's own rules (BN-3, BN-6, DUT-13); consensus-specs, phase0/validator.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from operator_node.beacon.production import OfferedAggregate, OfferedBlock, is_blinded
from operator_node.wire.values import BeaconVote, Checkpoint
from sdk.types import Slot

MAJORITY_FROM = 3
"""Of so many nodes that answer, most must agree on the checkpoints; of two, nobody can tell."""


def choose_vote(
    votes: Sequence[BeaconVote], slot: Slot, slot_of: Callable[[bytes], Slot | None]
) -> BeaconVote | None:
    """The vote on the newest checkpoints and head; None if most nodes contradict each other.

    Args:
        votes: at least one, of preferred nodes first, which win ties.
        slot: of the vote.
        slot_of: the slot of a block by its root, as far as head events told.
    """
    checkpoints = Counter((vote.source, vote.target) for vote in votes)
    most, count = checkpoints.most_common(1)[0]
    if len(votes) >= MAJORITY_FROM:
        if 2 * count <= len(votes):
            return None
        votes = [vote for vote in votes if (vote.source, vote.target) == most]
    return max(votes, key=lambda vote: _score(vote, slot, slot_of))


def choose_aggregate(offers: Sequence[OfferedAggregate]) -> OfferedAggregate:
    """The one with most participants; the first of equals."""
    return max(offers, key=lambda offer: offer.participants)


def choose_block(offers: Sequence[OfferedBlock], recipients: Mapping[int, bytes]) -> OfferedBlock:
    """The most valuable of those that pay the proposer's recipient, else of all.

    Args:
        offers: at least one; the first of equals is taken.
        recipients: fee recipient by validator index, as the nodes were told. A blinded block
            names its builder, and passes.
    """
    return max(offers, key=lambda offer: (_pays(offer, recipients), offer.value_wei))


def _pays(offer: OfferedBlock, recipients: Mapping[int, bytes]) -> bool:
    expected = recipients.get(offer.block.proposer_index)
    return is_blinded(offer) or expected is None or offer.block.fee_recipient == expected


def _score(
    vote: BeaconVote, slot: Slot, slot_of: Callable[[bytes], Slot | None]
) -> tuple[int, float]:
    head = slot_of(vote.block_root)
    nearness = 0.0 if head is None else 1 / (1 + max(slot - head, 0))
    return _epochs(vote.source, vote.target), nearness


def _epochs(source: Checkpoint, target: Checkpoint) -> int:
    return source.epoch + target.epoch
