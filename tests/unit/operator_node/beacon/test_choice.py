"""Of several nodes' offers, the newest, fullest or most valuable one is taken."""

from __future__ import annotations

import pytest

from operator_node.beacon.choice import choose_aggregate, choose_block, choose_vote
from operator_node.beacon.production import OfferedAggregate, OfferedBlock
from operator_node.duties.types import BeaconObject
from operator_node.spec import BlockKind, ProposedBlock
from operator_node.wire.values import BeaconVote, Checkpoint
from sdk.types import Epoch, Slot

SLOT = Slot(100)


def vote(head: int, *, source: int = 2, target: int = 3, chain: int = 1) -> BeaconVote:
    """A vote for the block of slot `head`, whose root tells it."""
    return BeaconVote(
        bytes([head]) * 32,
        Checkpoint(Epoch(source), bytes([chain]) * 32),
        Checkpoint(Epoch(target), bytes([chain]) * 32),
    )


def slot_of(root: bytes) -> Slot | None:
    return Slot(root[0]) if root[0] else None


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([vote(99), vote(100)], 1),
        ([vote(100), vote(99)], 0),
        ([vote(100), vote(100)], 0),
        ([vote(100), vote(90, target=4)], 1),
        ([vote(0), vote(50)], 1),
        ([vote(100, chain=2), vote(99), vote(99)], 1),
        ([vote(99, chain=2), vote(98), vote(99), vote(98)], 2),
    ],
)
def test_checkpoints_come_before_the_head(votes: list[BeaconVote], expected: int) -> None:
    assert choose_vote(votes, SLOT, slot_of) is votes[expected]


def test_of_three_nodes_that_all_disagree_none_is_believed() -> None:
    assert choose_vote([vote(99, chain=chain) for chain in (1, 2, 3)], SLOT, slot_of) is None


def test_of_four_nodes_half_is_no_majority() -> None:
    votes = [vote(99, chain=chain) for chain in (1, 1, 2, 2)]
    assert choose_vote(votes, SLOT, slot_of) is None


def test_the_fullest_aggregate_is_taken_and_the_first_of_equals() -> None:
    offers = [
        OfferedAggregate(BeaconObject(6, bytes([place])), n) for place, n in enumerate((3, 7, 7))
    ]
    assert choose_aggregate(offers) is offers[1]


def block(*, pays: int, value: int, kind: BlockKind = BlockKind.FULL) -> OfferedBlock:
    root = bytes(32)
    proposed = ProposedBlock(
        kind=kind,
        version=6,
        slot=SLOT,
        proposer_index=5,
        parent_root=root,
        state_root=root,
        body_root=root,
        root=root,
        fee_recipient=bytes([pays]) * 20,
        randao_reveal=bytes(96),
        data=b"",
        block=memoryview(b""),
    )
    return OfferedBlock(BeaconObject(6, b""), proposed, value)


OWN, OTHER = 1, 2


@pytest.mark.parametrize(
    ("offers", "expected"),
    [
        ([block(pays=OWN, value=1), block(pays=OWN, value=2)], 1),
        ([block(pays=OTHER, value=9), block(pays=OWN, value=2)], 1),
        ([block(pays=OTHER, value=1), block(pays=OTHER, value=2)], 1),
        ([block(pays=OWN, value=1), block(pays=OTHER, value=9, kind=BlockKind.BLINDED)], 1),
        ([block(pays=OWN, value=2), block(pays=OWN, value=2)], 0),
    ],
)
def test_a_block_that_pays_the_recipient_comes_before_value(
    offers: list[OfferedBlock], expected: int
) -> None:
    assert choose_block(offers, {5: bytes([OWN]) * 20}) is offers[expected]


def test_value_decides_where_no_recipient_is_known() -> None:
    offers = [block(pays=OWN, value=1), block(pays=OTHER, value=9)]
    assert choose_block(offers, {}) is offers[1]
