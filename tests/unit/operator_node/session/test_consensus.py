"""One identifier's instances and the value check of whichever duty is running."""

from __future__ import annotations

import pytest

from operator_node.duties import Duty, VoteDuty
from operator_node.qbft import Broadcast, State, Verdict
from operator_node.session import Consensus
from operator_node.session.consensus import DUTIES_KEPT
from operator_node.wire.faults import Complain, Fault, ProtocolFault
from operator_node.wire.generations import Generation
from sdk.types import Slot
from tests.unit.operator_node.duties.many_validators import SHARES
from tests.unit.operator_node.duties.single_validator import ME
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    IDENTIFIER,
    OTHER,
    VALUE,
    holds,
    led_by,
    proposal,
)
from tests.unit.operator_node.session.operators import COMMITTEE, DUTY, setting_of


class Judge(VoteDuty):
    """A duty that refuses some values and remembers for which rounds it was asked."""

    def __init__(self, *refused: bytes) -> None:
        super().__init__(setting_of(ME), DUTY, SHARES)
        self.refused = refused
        self.rounds: list[int] = []

    def check_value(self, value: bytes, *, round_number: int) -> Verdict:
        self.rounds.append(round_number)
        if value in self.refused:
            raise ProtocolFault(Fault.VALUE_INVALID, "refused")
        return Verdict.VALID


def consensus_led_by(operator: int) -> Consensus:
    return Consensus(
        committee=COMMITTEE,
        me=ME,
        identifier=IDENTIFIER,
        leader=led_by(operator),
        verify=holds,
        generation=Generation.BOOLE,
    )


def judged_by(judge: Duty, operator: int = 2) -> Consensus:
    consensus = consensus_led_by(operator)
    consensus.serve(judge)
    return consensus


def test_without_a_duty_no_value_is_judged() -> None:
    (complaint,) = consensus_led_by(1).start(HEIGHT, VALUE)
    assert isinstance(complaint, Complain)
    assert complaint.fault is Fault.NO_RUNNING_DUTY


def test_value_is_judged_as_one_of_its_round() -> None:
    judge = Judge()
    consensus = judged_by(judge)
    consensus.start(HEIGHT, None)
    consensus.receive(proposal(2, round_=1))
    assert judge.rounds == [1]
    consensus.expire(HEIGHT, 1)
    consensus.supply(HEIGHT, OTHER)
    assert judge.rounds == [1, 2]


def test_refusals_are_remembered_by_round_until_the_next_duty() -> None:
    consensus = judged_by(Judge(VALUE))
    consensus.start(HEIGHT, None)
    consensus.receive(proposal(2, round_=1))
    assert {place: each.fault for place, each in consensus.refusals.items()} == {
        1: Fault.VALUE_INVALID
    }
    consensus.serve(Judge())
    assert consensus.refusals == {}


def test_value_is_judged_by_the_duty_of_its_height_though_another_began_since() -> None:
    mine, later = Judge(), Judge()
    consensus = judged_by(mine)
    mine.slot = Slot(HEIGHT)
    consensus.serve(mine)
    consensus.start(HEIGHT, None)
    later.slot = Slot(HEIGHT + 1)
    consensus.serve(later)
    consensus.receive(proposal(2, round_=1))
    assert (mine.rounds, later.rounds) == ([1], [])


def test_latest_duties_only_are_kept_for_judging() -> None:
    judges = [Judge() for _ in range(DUTIES_KEPT + 1)]
    consensus = consensus_led_by(2)
    for slots, judge in enumerate(judges):
        judge.slot = Slot(HEIGHT + slots)
        consensus.serve(judge)
    consensus.start(HEIGHT, VALUE)
    assert (judges[0].rounds, len(judges[-1].rounds)) == ([], 1)


def test_height_zero_passes_nothing_and_any_other_passes_what_is_not_above() -> None:
    consensus = judged_by(Judge())
    consensus.check_not_passed(0)
    consensus.start(HEIGHT, None)
    consensus.check_not_passed(HEIGHT + 1)
    for slot in (HEIGHT, HEIGHT - 1):
        with pytest.raises(ProtocolFault) as caught:
            consensus.check_not_passed(slot)
        assert caught.value.fault is Fault.DUTY_PASSED


def test_restored_instance_does_not_vote_twice_in_its_round() -> None:
    consensus = judged_by(Judge())
    consensus.start(HEIGHT, None)
    consensus.receive(proposal(2, VALUE))
    before = consensus.state_at(HEIGHT)
    assert before is not None
    again = judged_by(Judge())
    stored = State(HEIGHT, own_prepare_round=before.own_prepare_round)
    again.restore(HEIGHT, [stored])
    outputs = again.receive(proposal(2, OTHER))
    assert not any(isinstance(output, Broadcast) for output in outputs)


def test_what_is_not_open_is_neither_decided_nor_in_a_later_round() -> None:
    consensus = judged_by(Judge())
    assert not consensus.is_open(HEIGHT)
    assert not consensus.is_decided(HEIGHT)
    assert consensus.round_at(HEIGHT) == 1
    consensus.start(HEIGHT, None)
    assert consensus.is_open(HEIGHT)
