"""Which of several beacon nodes' offers is taken.

Pure. Source: this node's own rules (BN-3, BN-6, DUT-13, FRK-2); consensus-specs,
phase0/validator.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from operator_node.beacon.production import OfferedAggregate, OfferedBlock, is_blinded
from operator_node.wire.values import BeaconVote, Checkpoint
from sdk.types import Slot

MAJORITY_FROM: Final = 3
"""Of so many nodes that answer, most must agree on the checkpoints; of two, nobody can tell."""
STALLED_EPOCHS: Final = 4
"""Justified checkpoints that are older than this mean that the chain has stopped finalising."""

_Pair: TypeAlias = tuple[Checkpoint, Checkpoint]


def choose_vote(
    votes: Sequence[BeaconVote],
    slot: Slot,
    slot_of: Callable[[bytes], Slot | None],
    *,
    families: Sequence[str] = (),
    doubts: Callable[[Sequence[BeaconVote]], bool] = lambda votes: False,
) -> BeaconVote | None:
    """The vote on the newest checkpoints and head; None if most nodes contradict each other.

    A minority's vote is taken only if more client families stand behind its checkpoints than
    behind any others: several nodes of one client share its faults.

    Args:
        votes: at least one, of preferred nodes first, which win ties.
        slot: of the vote.
        slot_of: the slot of a block by its root, as far as head events told.
        families: of the nodes' clients, in the order of the votes, empty for unknown ones; no
            families, if nobody knows any.
        doubts: whether two nodes that differ are not to be believed; see `contradict`.
    """
    best = max(votes, key=lambda vote: _score(vote, slot, slot_of))
    if len(votes) < MAJORITY_FROM:
        return None if doubts(votes) else best
    if is_stalled(votes) and _families_differ(votes, families):
        return None
    counts = Counter(_pair(vote) for vote in votes)
    most, count = counts.most_common(1)[0]
    has_majority = 2 * count > len(votes)
    if (has_majority and _pair(best) == most) or _has_most_families(best, votes, families):
        return best
    if not has_majority:
        return None
    group = [vote for vote in votes if _pair(vote) == most]
    return max(group, key=lambda vote: _score(vote, slot, slot_of))


def contradict(votes: Sequence[BeaconVote], *, is_settled: bool) -> bool:
    """Whether nodes name different roots for one and the same checkpoint.

    Args:
        votes: of one slot.
        is_settled: whether honest nodes agree on the target by now; while the epoch's first block
            is on its way they may not.
    """
    sources = {vote.source for vote in votes}
    targets = {vote.target for vote in votes} if is_settled else set()
    return any(len({each.epoch for each in found}) < len(found) for found in (sources, targets))


def is_stalled(votes: Sequence[BeaconVote]) -> bool:
    """Whether the chain has not finalised for some epochs, by the newest of the votes."""
    newest = max(votes, key=lambda vote: (vote.target.epoch, vote.source.epoch))
    return newest.target.epoch - newest.source.epoch > STALLED_EPOCHS


def _pair(vote: BeaconVote) -> _Pair:
    return vote.source, vote.target


def _by_pair(votes: Sequence[BeaconVote], families: Sequence[str]) -> Mapping[_Pair, set[str]]:
    """Known client families behind each pair of checkpoints."""
    found: dict[_Pair, set[str]] = defaultdict(set)
    for vote, family in zip(votes, families, strict=bool(families)):
        if family:
            found[_pair(vote)].add(family)
    return found


def _has_most_families(
    vote: BeaconVote, votes: Sequence[BeaconVote], families: Sequence[str]
) -> bool:
    found = _by_pair(votes, families)
    own = found.get(_pair(vote), set())
    others = [len(each) for pair, each in found.items() if pair != _pair(vote)]
    return len(own) > max([1, *others])


def _families_differ(votes: Sequence[BeaconVote], families: Sequence[str]) -> bool:
    found = _by_pair(votes, families)
    return len(found) > 1 and len(set().union(*found.values())) > 1


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
