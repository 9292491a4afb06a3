"""Which height a message belongs to, decided messages, and help for the late."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_node.qbft import (
    EARLY_FAULTS,
    INSTANCES_KEPT,
    Decide,
    Heights,
    Spread,
    StartTimer,
)
from operator_node.wire.faults import Fault
from operator_node.wire.messages import ConsensusKind, Received
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    OTHER,
    VALUE,
    ValueRule,
    change,
    commit,
    decided_message,
    fault_of,
    holds,
    prepare,
    proposal,
    sent,
    setup_of,
    sign,
)
from tests.unit.operator_node.qbft.standing import (
    REFUSED,
    decided_heights,
    heights_at,
)


def test_a_start_begins_round_1_of_the_height() -> None:
    heights = heights_at(None)
    assert heights.start(HEIGHT, VALUE) == [StartTimer(HEIGHT, 1)]
    assert (heights.height, len(heights.instances)) == (HEIGHT, 1)


def test_a_refused_value_starts_nothing() -> None:
    heights = heights_at(None)
    assert fault_of(heights.start(HEIGHT, REFUSED)) is Fault.VALUE_INVALID
    assert (heights.height, heights.instances) == (0, ())


def test_a_refused_value_comes_before_the_height() -> None:
    assert fault_of(heights_at().start(HEIGHT - 1, REFUSED)) is Fault.VALUE_INVALID


def test_a_lower_height_is_not_started() -> None:
    assert fault_of(heights_at().start(HEIGHT - 1, VALUE)) is Fault.START_IN_THE_PAST


def test_a_height_is_started_once() -> None:
    assert fault_of(heights_at().start(HEIGHT, VALUE)) is Fault.INSTANCE_EXISTS


def test_a_height_that_others_decided_already_is_not_started() -> None:
    heights = heights_at(None)
    heights.receive(decided_message(1, 3, 4))
    assert fault_of(heights.start(HEIGHT, VALUE)) is Fault.INSTANCE_EXISTS


def test_a_start_stops_all_other_heights() -> None:
    heights = heights_at()
    heights.start(HEIGHT + 1, VALUE)
    assert fault_of(heights.receive(proposal())) is Fault.INSTANCE_STOPPED
    assert sent(heights.receive(proposal(height=HEIGHT + 1))) != []


def test_height_0_can_be_started() -> None:
    assert heights_at(None).start(0, VALUE) == [StartTimer(0, 1)]


def test_instances_are_listed_highest_first_and_only_the_highest_are_kept() -> None:
    heights = heights_at(None)
    for height in range(INSTANCES_KEPT + 3):
        heights.start(height, None)
    stored = [instance.state.height for instance in heights.instances]
    assert stored == list(range(INSTANCES_KEPT + 2, 2, -1))
    assert heights.instance(2) is None


def test_a_message_of_another_identifier_is_refused_first() -> None:
    body = replace(prepare(1).body, identifier=bytes([9]) * 56, height=HEIGHT + 5)
    assert fault_of(heights_at().receive(sign(body, 1))) is Fault.IDENTIFIER


def test_a_message_of_a_higher_height_is_from_the_future() -> None:
    assert fault_of(heights_at().receive(proposal(height=HEIGHT + 1))) is Fault.FUTURE_MESSAGE
    assert Fault.FUTURE_MESSAGE in EARLY_FAULTS


@pytest.mark.parametrize("height", [0, 3])
def test_before_the_first_start_everything_is_from_the_future(height: int) -> None:
    assert fault_of(heights_at(None).receive(proposal(height=height))) is Fault.FUTURE_MESSAGE


def test_a_lower_height_that_is_not_stored_has_no_instance() -> None:
    refused = heights_at().receive(proposal(height=HEIGHT - 1))
    assert fault_of(refused) is Fault.NO_RUNNING_INSTANCE


def test_votes_before_their_proposal_or_round_are_early() -> None:
    heights = heights_at()
    assert fault_of(heights.receive(prepare(3))) in EARLY_FAULTS
    heights.receive(proposal())
    assert fault_of(heights.receive(prepare(3, round_=2))) in EARLY_FAULTS


@pytest.mark.parametrize("call", ["expire", "review"])
def test_timers_and_reviews_of_unknown_heights_do_nothing(call: str) -> None:
    heights = heights_at()
    outputs = heights.expire(99, 1) if call == "expire" else heights.review(99)
    assert outputs == []


def test_a_value_for_an_unknown_height_is_complained_about() -> None:
    assert fault_of(heights_at().supply(99, VALUE)) is Fault.NO_RUNNING_INSTANCE


def test_values_timers_reviews_and_stops_reach_their_height() -> None:
    rule = ValueRule(unvouched={VALUE})
    heights = Heights(setup_of(1, check_value=rule))
    heights.start(HEIGHT, None)
    assert [kind for kind, _, _ in sent(heights.supply(HEIGHT, OTHER))] == [ConsensusKind.PROPOSAL]
    heights.receive(proposal(value=VALUE))
    rule.unvouched.clear()
    assert [kind for kind, _, _ in sent(heights.review(HEIGHT))] == [ConsensusKind.PREPARE]
    assert StartTimer(HEIGHT, 2) in heights.expire(HEIGHT, 1)
    heights.stop(HEIGHT)
    heights.stop(HEIGHT + 1)
    assert fault_of(heights.receive(change(3))) is Fault.INSTANCE_STOPPED


def test_a_decision_comes_with_the_aggregate_for_everybody() -> None:
    heights = heights_at()
    heights.receive(proposal())
    heights.receive(commit(1))
    heights.receive(commit(3))
    decide, spread = heights.receive(commit(2))
    assert isinstance(decide, Decide)
    assert spread == Spread(decide.decided)
    assert holds(decide.decided)


@pytest.mark.parametrize(
    "late", [proposal(), prepare(3), commit(4), change(2), proposal(value=OTHER)]
)
def test_messages_after_the_decision_are_refused(late: Received) -> None:
    assert fault_of(decided_heights().receive(late)) is Fault.ALREADY_DECIDED


def test_a_decided_message_decides_a_running_height_without_being_spread_again() -> None:
    heights = heights_at()
    message = decided_message(1, 3, 4, round_=5)
    assert heights.receive(message) == [Decide(HEIGHT, 5, VALUE, message.signed)]
    (instance,) = heights.instances
    assert (instance.state.decided, instance.state.round) == (True, 5)
    assert heights.expire(HEIGHT, 5) == []


def test_a_decided_message_decides_a_stopped_height_too() -> None:
    heights = heights_at()
    heights.start(HEIGHT + 1, None)
    assert isinstance(heights.receive(decided_message(1, 3, 4))[0], Decide)
    assert heights.height == HEIGHT + 1


@pytest.mark.parametrize("height", [0, HEIGHT - 1, HEIGHT + 1])
def test_a_decided_message_of_an_unknown_height_is_taken_and_raises_the_height(
    height: int,
) -> None:
    heights = heights_at()
    assert isinstance(heights.receive(decided_message(1, 3, 4, height=height))[0], Decide)
    assert heights.height == max(HEIGHT, height)
    instance = heights.instance(height)
    assert instance is not None
    assert instance.state.decided_value == VALUE


def test_a_running_height_goes_on_when_a_higher_one_is_decided() -> None:
    heights = heights_at()
    heights.receive(decided_message(1, 3, 4, height=HEIGHT + 1))
    assert sent(heights.receive(proposal())) != []


def test_a_decision_is_told_once() -> None:
    heights = heights_at()
    assert len(heights.receive(decided_message(1, 3, 4))) == 1
    assert heights.receive(decided_message(1, 3, 4)) == []
    assert heights.receive(decided_message(1, 2, 3, 4)) == []
    assert decided_heights().receive(decided_message(1, 2, 3, 4)) == []


def commits_of(heights: Heights) -> list[tuple[int, ...]]:
    (instance,) = heights.instances
    return [each.signed.signers for each in instance.state.commits[1]]


def test_only_decided_messages_with_more_signers_are_kept() -> None:
    heights = heights_at()
    for signers in ((1, 2, 3), (1, 2, 4), (2, 3, 4), (1, 2, 3, 4), (1, 3, 4)):
        heights.receive(decided_message(*signers))
    assert commits_of(heights) == [(1, 2, 3), (1, 2, 3, 4)]


def test_single_commits_count_against_decided_messages() -> None:
    heights = decided_heights()
    heights.receive(decided_message(1, 2, 4))
    assert commits_of(heights) == [(1,), (2,), (3,)]
    heights.receive(decided_message(1, 2, 3, 4))
    assert commits_of(heights) == [(1,), (2,), (3,), (1, 2, 3, 4)]


def forged(received: Received) -> Received:
    signed = received.signed
    signatures = (*signed.signatures[:-1], b"forged")
    return Received(replace(signed, signatures=signatures), received.body)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (decided_message(1, 1, 3), Fault.COMMIT_INVALID),
        (decided_message(0, 1, 3), Fault.COMMIT_INVALID),
        (decided_message(1, 3, 4, round_=0), Fault.COMMIT_INVALID),
        (decided_message(1, 3, 5), Fault.SIGNER_NOT_IN_COMMITTEE),
        (forged(decided_message(1, 3, 4)), Fault.JUSTIFICATION_SIGNATURE),
        (forged(commit(1, 3, 4)), Fault.JUSTIFICATION_SIGNATURE),
        (commit(1, 3, 4), Fault.DATA_NOT_OF_ROOT),
        (sign(commit(1).body, 1, 3, 4, full_data=OTHER), Fault.DATA_NOT_OF_ROOT),
    ],
)
def test_a_decided_message_that_proves_nothing_is_refused(message: Received, fault: Fault) -> None:
    heights = heights_at()
    assert fault_of(heights.receive(message)) is fault
    (instance,) = heights.instances
    assert not instance.state.decided


def test_several_signers_below_a_quorum_are_no_decided_message() -> None:
    heights = heights_at()
    heights.receive(proposal())
    assert fault_of(heights.receive(decided_message(1, 3))) is Fault.SEVERAL_SIGNERS


def test_a_quorum_under_another_kind_is_no_decided_message() -> None:
    heights = heights_at()
    heights.receive(proposal())
    refused = heights.receive(sign(prepare(1).body, 1, 3, 4))
    assert fault_of(refused) is Fault.SEVERAL_SIGNERS


def test_a_height_below_all_that_are_kept_is_not_decided_again_and_again() -> None:
    heights = heights_at(None)
    for height in range(10, 10 + INSTANCES_KEPT):
        heights.receive(decided_message(1, 3, 4, height=height))
    refused = heights.receive(decided_message(1, 3, 4, height=9))
    assert fault_of(refused) is Fault.NO_RUNNING_INSTANCE
    assert len(heights.instances) == INSTANCES_KEPT
