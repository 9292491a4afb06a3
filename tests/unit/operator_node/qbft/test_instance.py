"""The first round: start, supplied values, votes, decision. Operator 1 leads by default."""

from __future__ import annotations

import pytest

from operator_node.qbft import (
    Decide,
    Instance,
    StartTimer,
)
from operator_node.wire.faults import Complain, Fault
from operator_node.wire.messages import ConsensusKind
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    OTHER,
    OTHER_ROOT,
    ROOT,
    VALUE,
    ValueRule,
    begun,
    by_round,
    change,
    commit,
    fault_of,
    feed,
    holds,
    prepare,
    prepares,
    proposal,
    publish,
    sent,
    setup_of,
    the_proposal,
)

PROPOSAL, PREPARE = ConsensusKind.PROPOSAL, ConsensusKind.PREPARE
COMMIT, ROUND_CHANGE = ConsensusKind.COMMIT, ConsensusKind.ROUND_CHANGE


def test_the_leader_starts_its_timer_and_proposes_without_justification() -> None:
    outputs = Instance(setup_of(1), HEIGHT).start(VALUE)
    assert outputs[0] == StartTimer(HEIGHT, 1)
    draft = the_proposal(outputs[1:])
    assert (draft.full_data, draft.body.round, draft.body.root) == (VALUE, 1, ROOT)
    assert draft.body.round_change_justification == draft.body.prepare_justification == ()


def test_others_start_their_timer_only() -> None:
    assert Instance(setup_of(2), HEIGHT).start(VALUE) == [StartTimer(HEIGHT, 1)]


def test_own_broadcasts_count_only_when_they_come_back() -> None:
    instance = Instance(setup_of(1), HEIGHT)
    draft = the_proposal(instance.start(VALUE)[1:])
    assert instance.state.proposal is None
    assert sent(instance.receive(publish(1, draft))) == [(PREPARE, 1, ROOT)]
    assert instance.state.prepares == {}


def test_a_member_without_a_value_answers_the_proposals_of_others() -> None:
    instance = begun(2, None)
    outputs = feed(instance, [proposal(), *prepares([1, 2, 3])])
    assert sent(outputs) == [(PREPARE, 1, ROOT), (COMMIT, 1, ROOT)]


def test_a_leader_without_a_value_proposes_when_it_is_supplied() -> None:
    instance = Instance(setup_of(1), HEIGHT)
    assert instance.start(None) == [StartTimer(HEIGHT, 1)]
    assert the_proposal(instance.supply(VALUE)).full_data == VALUE


def test_a_second_supply_in_the_round_proposes_nothing_more() -> None:
    instance = begun(1, VALUE)
    assert instance.supply(OTHER) == []
    assert instance.state.start_value == OTHER


def test_a_refused_value_is_not_taken() -> None:
    instance = begun(1, None, rule=ValueRule(refused={OTHER}))
    assert fault_of(instance.supply(OTHER)) is Fault.VALUE_INVALID
    assert instance.state.start_value is None


def test_a_value_that_was_refused_meanwhile_is_not_proposed() -> None:
    rule = ValueRule()
    instance = begun(1, None, rule=rule, leader=by_round)
    instance.expire(1)
    feed(instance, [change(1), change(2), change(3)])
    instance.supply(VALUE)
    rule.refused.add(VALUE)
    changes = [change(operator, 5) for operator in (1, 2, 3)]
    outputs = feed(instance, changes)
    assert Fault.NO_VALUE_TO_PROPOSE in {
        each.fault for each in outputs if isinstance(each, Complain)
    }
    assert PROPOSAL not in {kind for kind, _, _ in sent(outputs)}


def test_supply_after_the_proposal_of_another_leader_waits_for_a_later_round() -> None:
    instance = begun(2, None, leader=by_round)
    instance.receive(proposal())
    assert instance.supply(OTHER) == []


def test_supply_in_a_later_round_needs_the_quorum_of_round_changes() -> None:
    instance = begun(2, None, leader=by_round)
    instance.expire(1)
    feed(instance, [change(2), change(3)])
    assert instance.supply(VALUE) == []
    draft = the_proposal(instance.receive(change(4)))
    assert len(draft.body.round_change_justification) == 3


def test_supply_after_the_quorum_of_round_changes_proposes_at_once() -> None:
    instance = begun(2, None, leader=by_round)
    instance.expire(1)
    assert feed(instance, [change(2), change(3), change(4)]) == []
    draft = the_proposal(instance.supply(VALUE))
    assert (draft.body.round, draft.full_data) == (2, VALUE)


def test_a_round_change_fetches_fresh_data_and_that_is_what_is_proposed() -> None:
    instance = begun(2, OTHER, leader=by_round)
    instance.expire(1)
    instance.supply(VALUE)
    draft = the_proposal(feed(instance, [change(2), change(3), change(4)]))
    assert draft.full_data == VALUE


def test_supply_is_refused_once_stopped_and_ignored_once_decided() -> None:
    stopped, done = begun(1), begun(1)
    stopped.stop()
    assert fault_of(stopped.supply(VALUE)) is Fault.INSTANCE_STOPPED
    done.state.decided = True
    assert done.supply(VALUE) == []


def test_a_round_that_ends_without_the_leaders_value_is_complained_about() -> None:
    complaint, *rest = begun(1, None).expire(1)
    assert isinstance(complaint, Complain)
    assert complaint.fault is Fault.NO_VALUE_TO_PROPOSE
    assert sent(rest) == [(ROUND_CHANGE, 2, bytes(32))]


@pytest.mark.parametrize("instance", [begun(2, None), begun(1, VALUE)])
def test_others_and_leaders_with_a_value_do_not_complain(instance: Instance) -> None:
    assert not any(isinstance(each, Complain) for each in instance.expire(1))


def test_a_proposal_is_answered_with_a_prepare_for_its_hash() -> None:
    instance = begun()
    assert sent(instance.receive(proposal())) == [(PREPARE, 1, ROOT)]
    assert instance.state.proposal == proposal()
    assert instance.state.proposals == {1: [proposal()]}


def test_a_proposal_of_a_later_round_begins_that_round() -> None:
    instance = begun()
    instance.receive(proposal())
    changes = [change(operator, 4) for operator in (1, 3, 4)]
    outputs = instance.receive(proposal(value=OTHER, round_=4, changes=changes))
    assert outputs[0] == StartTimer(HEIGHT, 4)
    assert sent(outputs) == [(PREPARE, 4, OTHER_ROOT)]
    assert instance.state.round == 4


def test_the_message_that_brings_the_prepare_quorum_is_answered_with_a_commit() -> None:
    instance = begun()
    instance.receive(proposal())
    assert feed(instance, prepares([1, 2])) == []
    assert sent(instance.receive(prepare(3))) == [(COMMIT, 1, ROOT)]
    assert (instance.state.prepared_round, instance.state.prepared_value) == (1, VALUE)
    assert instance.receive(prepare(4)) == []
    assert len(instance.state.prepares[1]) == 4


def test_duplicates_are_dropped_without_complaint_and_do_not_count() -> None:
    instance = begun()
    instance.receive(proposal())
    assert feed(instance, [prepare(3), prepare(3), prepare(4), prepare(4)]) == []
    assert feed(instance, [commit(3), commit(3), commit(4), commit(4)]) == []
    assert not instance.state.decided
    assert (instance.state.prepared_round, len(instance.state.prepares[1])) == (0, 2)


def test_a_commit_quorum_decides_on_the_accepted_value_without_any_prepare() -> None:
    instance = begun()
    instance.receive(proposal())
    (decision,) = feed(instance, [commit(4), commit(1), commit(3)])
    assert isinstance(decision, Decide)
    assert (decision.height, decision.round, decision.value) == (HEIGHT, 1, VALUE)
    assert decision.decided.signers == (1, 3, 4)
    assert decision.decided.full_data == VALUE
    assert holds(decision.decided)
    assert instance.state.decided_value == VALUE


def test_a_decision_is_returned_once() -> None:
    instance = begun()
    outputs = feed(instance, [proposal(), *(commit(operator) for operator in (1, 2, 3, 4))])
    assert sum(isinstance(each, Decide) for each in outputs) == 1
    assert len(instance.state.commits[1]) == 4
