"""What the chain is taken to say about some validators, on small chains made by hand."""

from __future__ import annotations

from dataclasses import replace

from deploy.devnet.inclusion import (
    AttesterDuty,
    Block,
    EpochDuties,
    IncludedAttestation,
    Report,
    judge,
)

WATCHED = frozenset({10, 11})
# Slot 1 has committees of two: validators 0 and 10 in the first, 11 alone with 10's neighbour 1.
DUTIES = EpochDuties(
    attesters=(
        AttesterDuty(validator=0, slot=1, committee=0, position=0),
        AttesterDuty(validator=10, slot=1, committee=0, position=1),
        AttesterDuty(validator=11, slot=1, committee=1, position=0),
    ),
    proposers={slot: 10 if slot == 2 else 0 for slot in range(8)},
    sync={10: (0, 3), 0: (1,)},
)


def block(slot: int, *attestations: IncludedAttestation, exits: tuple[int, ...] = ()) -> Block:
    return Block(
        slot=slot,
        root=f"root {slot}",
        parent_root=f"root {slot - 1}",
        proposer=DUTIES.proposers[slot],
        attestations=attestations,
        sync_bits=(True, False, True, True),
        exits=exits,
    )


def vote(*bits: bool, committees: tuple[int, ...] = (0,)) -> IncludedAttestation:
    return IncludedAttestation(
        slot=1, committees=committees, bits=bits, head_root="root 1", target_root="root 0"
    )


def report(*blocks: Block, last_slot: int = 2) -> Report:
    return judge(
        blocks,
        {0: DUTIES},
        watched=WATCHED,
        first_slot=1,
        last_slot=last_slot,
        finalized_epoch=4,
    )


def test_bits_of_several_committees_are_told_apart_by_their_sizes() -> None:
    both = vote(True, False, True, committees=(0, 1))
    found = report(block(1), block(2, both), block(3))
    assert [each.included_at for each in found.attestations] == [None, 2]
    assert [each.duty.validator for each in found.attestations] == [10, 11]


def test_first_block_with_a_bit_counts() -> None:
    found = report(block(1), block(2, vote(True, False)), block(3, vote(True, True)))
    assert found.attestations[0].included_at == 3


def test_votes_are_compared_with_the_chain() -> None:
    right = vote(False, True)
    for given, is_head_right, is_target_right in (
        (right, True, True),
        (replace(right, head_root="root 0"), False, True),
        (replace(right, target_root="another"), True, False),
    ):
        found = report(block(1), block(2, given), block(3)).attestations[0]
        assert (found.is_head_right, found.is_target_right) == (is_head_right, is_target_right)


def test_vote_for_an_empty_slot_is_right_with_the_block_before_it() -> None:
    late = replace(block(2, replace(vote(False, True), head_root="root 0")), parent_root="root 0")
    found = report(late, block(3)).attestations[0]
    assert found.is_head_right
    assert not found.is_healthy


def test_duty_is_healthy_if_its_slot_and_the_next_have_blocks() -> None:
    assert len(report(block(1), block(2)).healthy_attestations) == 2
    assert report(block(1), block(3)).healthy_attestations == ()
    assert report(block(2), block(3)).healthy_attestations == ()
    assert report(block(2), block(3)).empty_slots == {1}


def test_proposal_is_canonical_if_the_chain_has_the_block() -> None:
    assert [each.is_canonical for each in report(block(1), block(2)).proposals] == [True]
    assert [each.is_canonical for each in report(block(1), block(3)).proposals] == [False]


def test_sync_messages_are_looked_for_in_the_next_slots_block() -> None:
    found = report(block(1), block(3), last_slot=2)
    assert [(each.slot, each.validator, each.due, each.done) for each in found.sync] == [
        (2, 10, 2, 2)
    ]
    silent = replace(block(3), sync_bits=(True, True, True, False))
    assert [(each.due, each.done) for each in report(silent).sync] == [(2, 1)]


def test_committee_without_others_shows_whether_its_aggregate_came() -> None:
    alone = vote(True, committees=(1,))
    assert [each.is_included for each in report(block(1), block(2, alone)).alone] == [True]
    assert [each.is_included for each in report(block(1), block(2)).alone] == [False]


def test_exits_of_others_are_left_out() -> None:
    assert report(block(1, exits=(0, 11)), block(2)).exits == {11}


def test_closing_line_counts_attestations_proposals_and_sync_messages() -> None:
    found = report(block(1), block(2, vote(False, True)), block(3))
    assert found.closing_line() == "demo: 5 duties due, 4 done, 1 missed, finalized epoch 4"


def test_first_block_that_shows_a_duty_is_told() -> None:
    voted = block(2, vote(False, True))
    assert report(block(1), voted, block(3)).first_done_in == 2
    # Its messages of slot 1 are in the block of slot 2, too; without them there is the vote of 3.
    silent = replace(block(2), sync_bits=(False,) * 4, proposer=0)
    late = replace(block(3, vote(False, True)), sync_bits=(False,) * 4)
    assert report(block(1), silent, late).first_done_in == 3
    assert report(block(1), silent).first_done_in is None


def test_slots_without_a_block_are_told_before_and_after_the_last_slot() -> None:
    found = report(block(1), block(3), block(6), last_slot=3)
    assert (found.empty_slots, found.empty_later) == (frozenset({2}), frozenset({4, 5}))
