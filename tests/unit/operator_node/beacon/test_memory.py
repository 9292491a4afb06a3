"""Checkpoints by epoch and votes by slot are remembered, and not for ever."""

from __future__ import annotations

import pytest

from operator_node.beacon.memory import (
    BLOCKS_KEPT,
    EPOCHS_KEPT,
    HEADS_KEPT,
    SLOTS_KEPT,
    VOTES_PER_SLOT,
    Builders,
    Checkpoints,
    Heads,
    Votes,
)
from operator_node.duties.types import CheckpointView, Submission
from operator_node.duties.votes import submission_of, votes_of
from operator_node.spec import HOODI, ChainSpec, Fork
from operator_node.spec.presets import Preset
from operator_node.wire.ids import BeaconRole
from operator_node.wire.values import BeaconVote, Checkpoint, ValidatorDuty
from sdk.types import Epoch, PublicKey, Signature, Slot

CAPELLA = ChainSpec(
    preset=Preset.MINIMAL,
    genesis_time=0,
    seconds_per_slot=2,
    slots_per_epoch=8,
    genesis_validators_root=bytes(32),
    genesis_fork_version=bytes(4),
    forks=tuple(Fork(number, Epoch(0), bytes(4)) for number in range(1, 5)),
)


def vote(number: int) -> BeaconVote:
    root = number.to_bytes(32, "big")
    return BeaconVote(root, Checkpoint(Epoch(number), root), Checkpoint(Epoch(number + 1), root))


def view(found: BeaconVote, *, is_stale: bool = False) -> CheckpointView:
    return CheckpointView(found.source, found.target, compare_roots=True, is_stale=is_stale)


def test_an_epoch_has_the_checkpoints_of_its_newest_vote() -> None:
    known = Checkpoints(compare_roots=True)
    assert known.view(Epoch(5), is_stale=False) is None
    assert [known.learn(Epoch(5), each) for each in (vote(1), vote(1), vote(2))] == [
        True,
        False,
        True,
    ]
    assert known.view(Epoch(5), is_stale=False) == view(vote(2))


def test_another_epoch_is_unknown_unless_no_node_answers() -> None:
    known = Checkpoints(compare_roots=True)
    assert known.view(Epoch(6), is_stale=True) is None
    known.learn(Epoch(5), vote(1))
    assert known.view(Epoch(6), is_stale=False) is None
    assert known.view(Epoch(6), is_stale=True) == view(vote(1), is_stale=True)


def test_in_a_held_epoch_nobody_is_agreed_with_until_a_vote_is_learned() -> None:
    known = Checkpoints(compare_roots=True)
    known.learn(Epoch(5), vote(1))
    assert known.hold(Epoch(5))
    assert not known.hold(Epoch(5))
    for is_stale in (False, True):
        held = known.view(Epoch(5), is_stale=is_stale)
        assert held is not None
        assert not held.is_stale
        assert held.source.epoch == held.target.epoch == 2**64 - 1
    assert not known.knows(Epoch(5))
    assert known.learn(Epoch(5), vote(1))
    assert known.view(Epoch(5), is_stale=False) == view(vote(1))


def test_the_networks_own_rule_knows_no_roots_and_holds_nothing() -> None:
    known = Checkpoints(compare_roots=False)
    known.learn(Epoch(5), vote(1))
    assert not known.hold(Epoch(5))
    assert known.knows(Epoch(5))


def test_builders_of_the_last_blocks_are_known() -> None:
    builders = Builders()
    builders.note(bytes([1]) * 32, "a")
    builders.note(bytes([1]) * 32, "b")
    assert [builders.of(bytes([n]) * 32) for n in (1, 2)] == ["a", ""]
    for number in range(BLOCKS_KEPT):
        builders.note(number.to_bytes(32, "big"), "c")
    assert builders.of(bytes([1]) * 32) == ""


def test_few_epochs_are_kept() -> None:
    known = Checkpoints(compare_roots=True)
    for epoch in range(20):
        known.learn(Epoch(epoch), vote(epoch))
    assert [epoch for epoch in range(20) if known.knows(Epoch(epoch))] == list(
        range(20 - EPOCHS_KEPT, 20)
    )


def test_votes_of_a_slot_are_kept_once_newest_first() -> None:
    votes = Votes()
    for number in (1, 2, 1):
        votes.note(Slot(7), vote(number))
    assert votes.of(Slot(7)) == (vote(1), vote(2))
    assert votes.roots_of(Slot(7)) == (vote(1).block_root, vote(2).block_root)
    assert (votes.of(Slot(8)), votes.roots_of(Slot(8))) == ((), ())


def test_votes_and_slots_are_bounded() -> None:
    votes = Votes()
    for number in range(10):
        votes.note(Slot(7), vote(number))
    assert len(votes.of(Slot(7))) == VOTES_PER_SLOT
    for slot in range(1000):
        votes.note(Slot(slot), vote(1))
    assert [slot for slot in range(1000) if votes.of(Slot(slot))] == list(
        range(1000 - SLOTS_KEPT, 1000)
    )


def submission(chain: ChainSpec, role: BeaconRole, slot: Slot) -> Submission:
    duty = ValidatorDuty(role, PublicKey(bytes(48)), slot, 9, 3, 4, 4, 2)
    (ballot,) = votes_of(vote(3), [duty], chain)
    return submission_of(ballot, Signature(bytes(96)), chain)


@pytest.mark.parametrize("chain", [CAPELLA, HOODI])
def test_what_a_committee_voted_for_is_remembered(chain: ChainSpec) -> None:
    votes = Votes()
    slot = Slot(10_000_000)
    votes.note_submission(submission(chain, BeaconRole.ATTESTER, slot), chain.preset)
    assert votes.of(slot) == (vote(3),)
    assert votes.roots_of(slot) == (vote(3).block_root,)


def test_a_sync_message_tells_only_the_head() -> None:
    votes = Votes()
    slot = Slot(10_000_000)
    votes.note_submission(submission(HOODI, BeaconRole.SYNC_COMMITTEE, slot), HOODI.preset)
    assert votes.of(slot) == ()
    assert votes.roots_of(slot) == (vote(3).block_root,)


def test_heads_are_bounded() -> None:
    heads = Heads()
    for slot in range(HEADS_KEPT + 1):
        heads.note(vote(slot).block_root, Slot(slot))
    assert heads.slot_of(vote(0).block_root) is None
    assert heads.slot_of(vote(HEADS_KEPT).block_root) == HEADS_KEPT
