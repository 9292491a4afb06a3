"""Of several nodes' offers, the newest, fullest or most valuable one is taken."""

from __future__ import annotations

import pytest

from operator_node.beacon.choice import (
    choose_aggregate,
    choose_block,
    choose_vote,
    contradict,
)
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


L, P, T = "lighthouse", "prysm", "teku"


@pytest.mark.parametrize(
    ("chains", "families", "expected"),
    [
        # Two families behind the newer checkpoints, one behind the others, however many nodes.
        ((2, 2, 1, 1, 1), (L, P, T, T, T), 0),
        ((2, 2, 1, 1, 1), (L, L, T, T, T), 2),
        ((2, 2, 1, 1, 1), (L, P, T, L, T), 2),
        ((2, 2, 1, 1, 1), ("", "", T, T, T), 2),
        ((2, 2, 1, 1), (L, P, T, T), 0),
        ((2, 2, 1, 1), (L, L, T, T), None),
        ((2, 2, 1, 1), (L, P, L, P), None),
        ((2, 1, 1), (L, P, P), 1),
        ((2, 2, 1), (L, L, P), 0),
    ],
)
def test_more_client_families_outweigh_more_nodes_of_one(
    chains: tuple[int, ...], families: tuple[str, ...], expected: int | None
) -> None:
    votes = [vote(99, source=chain, chain=chain) for chain in chains]
    chosen = choose_vote(votes, SLOT, slot_of, families=families)
    assert chosen is (None if expected is None else votes[expected])


@pytest.mark.parametrize(
    ("source", "families", "is_taken"),
    [(3, (L, L, P), True), (2, (L, L, P), False), (2, (L, L, L), True), (2, (L, L, ""), True)],
)
def test_while_nothing_is_final_families_that_differ_are_not_believed(
    source: int, families: tuple[str, ...], is_taken: bool
) -> None:
    votes = [vote(99, source=source, target=7, chain=chain) for chain in (1, 1, 2)]
    chosen = choose_vote(votes, SLOT, slot_of, families=families)
    assert (chosen is votes[0]) is is_taken


def test_two_nodes_in_doubt_are_not_believed() -> None:
    votes = [vote(99, chain=1), vote(99, chain=2)]
    assert choose_vote(votes, SLOT, slot_of) is votes[0]
    assert choose_vote(votes, SLOT, slot_of, doubts=lambda each: len(each) == 2) is None
    assert choose_vote([*votes, votes[0]], SLOT, slot_of, doubts=lambda _: True) is votes[0]


@pytest.mark.parametrize(
    ("other", "before", "after"),
    [
        (vote(99), False, False),
        (vote(90, source=1), False, False),
        (vote(99, target=4), False, False),
        (BeaconVote(bytes(32), vote(9).source, Checkpoint(Epoch(3), bytes(32))), False, True),
        (BeaconVote(bytes(32), Checkpoint(Epoch(2), bytes(32)), vote(9).target), True, True),
    ],
)
def test_one_checkpoint_with_two_roots_is_a_contradiction(
    other: BeaconVote, before: bool, after: bool
) -> None:
    votes = [vote(99), other]
    assert contradict(votes, is_settled=False) is before
    assert contradict(votes, is_settled=True) is after


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
