"""What a lying leader can make this node check, and that it changes nothing for an honest one."""

from __future__ import annotations

from operator_node.qbft import Instance
from operator_node.qbft.proposals import REFUSED_VALUES
from operator_node.wire.faults import Complain, Fault
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    OTHER,
    ROOT,
    VALUE,
    ValueRule,
    begun,
    by_round,
    change,
    fault_of,
    proposal,
    sent,
    setup_of,
)

JUNK = [b"junk %d" % number for number in range(20)]
CHANGES = [change(operator) for operator in (1, 3, 4)]


def test_after_an_accepted_proposal_only_few_others_have_their_value_checked() -> None:
    rule = ValueRule()
    instance = begun(rule=rule)
    instance.receive(proposal())
    faults = {fault_of(instance.receive(proposal(value=junk))) for junk in JUNK}
    assert faults == {Fault.PROPOSAL_INVALID}
    assert rule.asked == [VALUE, *JUNK[:REFUSED_VALUES]]


def test_unjustified_proposals_count_together_whatever_their_rounds() -> None:
    rule = ValueRule()
    instance = begun(rule=rule)
    faults = {fault_of(instance.receive(proposal(round_=round_))) for round_ in range(2, 200)}
    assert faults == {Fault.ROUND_CHANGE_QUORUM}
    assert len(rule.asked) == REFUSED_VALUES


def test_unjustified_proposals_spoil_nothing_for_a_justified_one() -> None:
    instance = begun()
    for round_ in range(2, 12):
        instance.receive(proposal(value=JUNK[0], round_=round_))
    assert sent(instance.receive(proposal(round_=2, changes=CHANGES))) != []


def test_a_refused_value_comes_before_a_missing_justification() -> None:
    instance = begun(rule=ValueRule(refused={OTHER}))
    assert fault_of(instance.receive(proposal(value=OTHER, round_=2))) is Fault.VALUE_INVALID
    assert fault_of(instance.receive(proposal(round_=2))) is Fault.ROUND_CHANGE_QUORUM


def test_a_leader_with_many_refused_values_is_not_heard_again_in_that_round() -> None:
    rule = ValueRule(refused={*JUNK})
    instance = begun(rule=rule)
    for junk in JUNK:
        assert fault_of(instance.receive(proposal(value=junk))) is Fault.VALUE_INVALID
    (complaint,) = instance.receive(proposal())
    assert isinstance(complaint, Complain)
    assert (complaint.fault, complaint.blame) == (Fault.VALUE_INVALID, None)
    assert rule.asked == JUNK[:REFUSED_VALUES]
    assert sent(instance.receive(proposal(round_=2, changes=CHANGES))) != []


def test_a_refused_value_does_not_keep_the_leader_from_a_better_one() -> None:
    instance = begun(rule=ValueRule(refused={OTHER}))
    instance.receive(proposal(value=OTHER))
    assert [root for _, _, root in sent(instance.receive(proposal()))] == [ROOT]


def test_one_leaders_junk_spoils_nothing_for_the_next_leader() -> None:
    instance = Instance(
        setup_of(3, leader=by_round, check_value=ValueRule(refused={*JUNK})), HEIGHT
    )
    instance.start(None)
    for junk in JUNK:
        instance.receive(proposal(1, junk))
    assert sent(instance.receive(proposal(2, round_=2, changes=CHANGES))) != []
