"""Which votes a committee's duty accepts, by checkpoints and slashing rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from operator_node.duties.types import (
    CheckpointView,
    Review,
)
from operator_node.qbft.types import Verdict
from operator_node.spec.networks import MAINNET
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.values import Checkpoint
from sdk.types import Epoch, Slot
from tests.unit.operator_node.duties.many_validators import (
    duty_for,
    vote_at,
)
from tests.unit.operator_node.duties.voting import (
    ATTEST,
    SLOT,
    SYNC,
    VALUE,
    VIEW,
    VOTE,
    fault_of,
    items_of,
    votes_duty,
)


def test_value_that_is_no_vote_is_refused() -> None:
    with pytest.raises(ProtocolFault) as caught:
        votes_duty().check_value(VALUE + b"\0", round_number=1)
    assert caught.value.fault is Fault.VOTE_MALFORMED


@pytest.mark.parametrize("distance", [0, 1])
def test_source_must_lie_below_the_target(distance: int) -> None:
    source = Checkpoint(Epoch(VOTE.target.epoch + distance), VOTE.source.root)
    assert fault_of(votes_duty(), replace(VOTE, source=source)) is Fault.SOURCE_NOT_BELOW_TARGET


def test_epochs_must_be_those_of_the_view() -> None:
    older = Checkpoint(Epoch(VOTE.source.epoch - 1), VOTE.source.root)
    newer = Checkpoint(Epoch(VOTE.target.epoch + 1), VOTE.target.root)
    assert fault_of(votes_duty(), replace(VOTE, source=older)) is Fault.CHECKPOINT_MISMATCH
    assert fault_of(votes_duty(), replace(VOTE, target=newer)) is Fault.CHECKPOINT_MISMATCH


def test_roots_are_compared_only_where_the_view_says_so() -> None:
    other = Checkpoint(VOTE.source.epoch, b"\x99" * 32)
    strict = structs.replace(VIEW, compare_roots=True)
    assert fault_of(votes_duty(), replace(VOTE, source=other)) is None
    assert fault_of(votes_duty(view=strict), VOTE) is None
    mismatch = fault_of(votes_duty(view=strict), replace(VOTE, source=other))
    assert mismatch is Fault.CHECKPOINT_MISMATCH


@pytest.mark.parametrize(("place", "is_refused"), [(0, False), (1, False), (2, True), (31, True)])
def test_target_roots_are_compared_from_the_third_slot_on(place: int, is_refused: bool) -> None:
    slot = Slot(SLOT - SLOT % MAINNET.slots_per_epoch + place)
    vote = vote_at(slot)
    view = CheckpointView(vote.source, vote.target, compare_roots=True)
    other = Checkpoint(vote.target.epoch, b"\x99" * 32)
    fault = fault_of(votes_duty(slot=slot, view=view), replace(vote, target=other))
    assert fault is (Fault.CHECKPOINT_MISMATCH if is_refused else None)


def test_without_a_view_a_vote_of_the_current_epoch_is_unvouched() -> None:
    duty = votes_duty(view=None)
    assert duty.check_value(VALUE, round_number=1) is Verdict.UNVOUCHED
    newer = Checkpoint(Epoch(VOTE.target.epoch + 1), VOTE.target.root)
    assert fault_of(duty, replace(VOTE, target=newer)) is Fault.CHECKPOINT_MISMATCH


def test_last_known_source_binds_a_node_that_lost_its_beacon_nodes() -> None:
    duty = votes_duty(view=structs.replace(VIEW, is_stale=True))
    assert duty.check_value(VALUE, round_number=1) is Verdict.UNVOUCHED
    other = Checkpoint(VOTE.source.epoch, b"\x99" * 32)
    assert fault_of(duty, replace(VOTE, source=other)) is Fault.CHECKPOINT_MISMATCH


@pytest.mark.parametrize(("epochs", "is_refused"), [(0, False), (1, False), (2, True), (9, True)])
def test_a_node_without_beacon_nodes_helps_for_an_epoch(epochs: int, is_refused: bool) -> None:
    known = Checkpoint(Epoch(VOTE.target.epoch - epochs), VOTE.target.root)
    duty = votes_duty(view=CheckpointView(VOTE.source, known, is_stale=True))
    assert fault_of(duty, VOTE) is (Fault.CHECKPOINT_MISMATCH if is_refused else None)


def test_vote_that_is_slashable_for_one_validator_is_refused() -> None:
    duty = votes_duty(duty_for(ATTEST, 17, SLOT), duty_for(ATTEST, 18, SLOT))
    asked = [item.guard for item in items_of(duty)]
    forbidden = asked[1]
    assert forbidden is not None
    duty = votes_duty(slashable=(forbidden,))
    assert fault_of(duty, VOTE) is Fault.SLASHABLE_ATTESTATION


def test_sync_committee_messages_are_never_slashable() -> None:
    forbidden = items_of(votes_duty(duty_for(ATTEST, 17, SLOT)))[0].guard
    assert forbidden is not None
    duty = votes_duty(duty_for(SYNC, 17, SLOT), slashable=(forbidden,))
    assert duty.check_value(VALUE, round_number=1) is Verdict.VALID


def test_checks_come_in_the_order_of_the_protocol() -> None:
    low = Checkpoint(Epoch(0), b"\x01" * 32)
    upside_down = replace(VOTE, source=VOTE.target, target=low)
    assert fault_of(votes_duty(), upside_down) is Fault.SOURCE_NOT_BELOW_TARGET


def test_new_view_has_the_proposal_judged_again() -> None:
    duty = votes_duty()
    later = CheckpointView(VOTE.target, Checkpoint(Epoch(VOTE.target.epoch + 1), b"\x03" * 32))
    assert duty.update_view(later) == [Review()]
    assert fault_of(duty, VOTE) is Fault.CHECKPOINT_MISMATCH
