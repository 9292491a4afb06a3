"""Heights that help the late: answers to round changes, silence after a restart."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_node.qbft import (
    CUT_OFF_ROUND,
    INSTANCES_KEPT,
    Decide,
    Heights,
    Spread,
    StartTimer,
    State,
)
from operator_node.qbft.rounds import QUICK_ROUNDS
from operator_node.wire.faults import Complain, Fault
from operator_node.wire.messages import ConsensusKind, Received
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    OTHER,
    OTHER_ROOT,
    VALUE,
    change,
    commit,
    decided_message,
    fault_of,
    holds,
    prepare,
    prepares,
    proposal,
    sent,
    setup_of,
    sign,
)
from tests.unit.operator_node.qbft.standing import (
    decided_heights,
    heights_at,
)


def test_a_round_change_for_a_decided_height_is_answered_with_the_decision() -> None:
    complaint, spread = decided_heights().receive(change(4))
    assert isinstance(complaint, Complain)
    assert complaint.fault is Fault.ALREADY_DECIDED
    assert isinstance(spread, Spread)
    assert (spread.to, spread.signed.signers) == (4, (1, 2, 3))
    assert spread.signed.full_data == VALUE
    assert holds(spread.signed)


def test_the_answer_has_the_most_signers_known() -> None:
    heights = decided_heights()
    heights.receive(decided_message(1, 2, 3, 4))
    _, spread = heights.receive(change(4))
    assert isinstance(spread, Spread)
    assert spread.signed.signers == (1, 2, 3, 4)


def test_each_member_is_answered_once_per_round() -> None:
    heights = decided_heights()
    answers = [
        len(heights.receive(change(operator, round_))) - 1
        for operator, round_ in ((4, 2), (4, 2), (1, 2), (4, 3), (4, 2), (4, 3))
    ]
    assert answers == [1, 0, 1, 1, 0, 0]


def test_a_liar_gets_two_answers_in_quick_rounds_and_one_in_each_slow_round() -> None:
    heights = decided_heights()
    asked = [round_ for round_ in range(1, 100) for _ in range(3)]
    answered = [each for each in asked if len(heights.receive(change(4, each))) > 1]
    assert answered == [1, 2, 9, 10, 11, 12]


def test_who_lost_both_answers_of_the_quick_rounds_is_helped_in_a_slow_one() -> None:
    heights = decided_heights()
    for lost in (2, 3):
        heights.receive(change(4, lost))
    assert fault_of(heights.receive(change(4, QUICK_ROUNDS))) is Fault.ALREADY_DECIDED
    _, spread = heights.receive(change(4, QUICK_ROUNDS + 1))
    assert isinstance(spread, Spread)
    assert (spread.to, spread.signed.full_data) == (4, VALUE)


@pytest.mark.parametrize(("size", "answers"), [(4, 2), (7, 3), (13, 5)])
def test_the_f_plus_1_members_that_follow_the_asker_by_id_answer(size: int, answers: int) -> None:
    for asker in range(1, size + 1):
        answering = []
        for me in range(1, size + 1):
            heights = Heights(setup_of(me, size=size))
            heights.receive(decided_message(*range(1, size + 1)))
            if len(heights.receive(change(asker, 2))) > 1:
                answering.append(me)
        assert answering == sorted((asker + step) % size + 1 for step in range(answers))


@pytest.mark.parametrize(
    "message",
    [
        change(2),
        change(5),
        sign(change(3).body, 3, 4),
        sign(replace(change(3).body, round_change_justification=(b"rubbish",)), 3),
        prepare(3, round_=2),
    ],
    ids=["own", "stranger", "two signers", "malformed", "other kind"],
)
def test_nobody_else_is_answered(message: Received) -> None:
    assert fault_of(decided_heights().receive(message)) is Fault.ALREADY_DECIDED


def test_an_earlier_height_still_helps_after_a_later_start() -> None:
    heights = decided_heights()
    heights.start(HEIGHT + 1, None)
    assert len(heights.receive(change(4))) == 2


def test_answers_are_forgotten_with_their_height() -> None:
    heights = decided_heights()
    heights.receive(change(4))
    for height in range(HEIGHT + 1, HEIGHT + 1 + INSTANCES_KEPT):
        heights.start(height, None)
    assert fault_of(heights.receive(change(4))) is Fault.NO_RUNNING_INSTANCE


def test_a_decided_state_without_its_commits_cannot_help() -> None:
    state = State(HEIGHT, decided=True, decided_value=VALUE)
    heights = Heights(setup_of(2), height=HEIGHT, states=[state])
    assert fault_of(heights.receive(change(4))) is Fault.ALREADY_DECIDED


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_silenced_height_sends_nothing_before_the_round_and_takes_part_from_it_on(
    is_begun: bool,
) -> None:
    heights = heights_at(HEIGHT if is_begun else None)
    heights.silence(HEIGHT, 3)
    if not is_begun:
        assert heights.start(HEIGHT, None) == [StartTimer(HEIGHT, 1)]
    outputs = [
        *heights.receive(proposal()),
        *(each for vote in prepares([1, 3, 4]) for each in heights.receive(vote)),
        *heights.expire(HEIGHT, 1),
    ]
    assert outputs == [StartTimer(HEIGHT, 2)]
    assert [kind for kind, _, _ in sent(heights.expire(HEIGHT, 2))] == [ConsensusKind.ROUND_CHANGE]


def test_a_silenced_leader_proposes_nothing() -> None:
    heights = Heights(setup_of(1))
    heights.silence(HEIGHT, 2)
    assert heights.start(HEIGHT, VALUE) == [StartTimer(HEIGHT, 1)]


def test_a_height_that_is_silenced_beyond_the_cut_off_only_listens() -> None:
    heights = heights_at()
    heights.silence(HEIGHT, CUT_OFF_ROUND + 1)
    heights.receive(proposal())
    assert all(sent(heights.expire(HEIGHT, round_)) == [] for round_ in range(1, CUT_OFF_ROUND))


def test_a_silenced_height_is_decided_by_the_others() -> None:
    heights = heights_at()
    heights.silence(HEIGHT, CUT_OFF_ROUND + 1)
    heights.receive(proposal())
    outputs = [each for operator in (1, 3, 4) for each in heights.receive(commit(operator))]
    assert isinstance(outputs[0], Decide)


def test_another_height_is_not_silenced() -> None:
    heights = heights_at(None)
    heights.silence(HEIGHT, CUT_OFF_ROUND + 1)
    heights.start(HEIGHT + 1, None)
    assert sent(heights.receive(proposal(height=HEIGHT + 1))) != []


def test_restored_states_are_gone_on_with() -> None:
    before = heights_at()
    before.receive(proposal(value=OTHER))
    states = [instance.state for instance in before.instances]
    heights = Heights(setup_of(2), height=before.height, states=states)
    outputs = [heights.receive(each) for each in prepares([1, 2, 3], OTHER_ROOT)]
    assert [len(each) for each in outputs] == [0, 0, 1]
