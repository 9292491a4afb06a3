"""When the own votes are cast: not for unvouched values, and never twice in a round."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from operator_node.qbft import (
    Instance,
    State,
)
from operator_node.wire.faults import Complain, Fault
from operator_node.wire.messages import ConsensusKind, Received
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    OTHER,
    OTHER_ROOT,
    ROOT,
    VALUE,
    ValueRule,
    begun,
    change,
    commit,
    fault_of,
    feed,
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


def unvouched() -> tuple[Instance, ValueRule]:
    rule = ValueRule(unvouched={VALUE})
    instance = begun(2, None, rule=rule)
    assert instance.receive(proposal()) == []
    return instance, rule


def test_an_unvouched_value_is_prepared_only_after_f_plus_1_others() -> None:
    instance, _rule = unvouched()
    assert instance.receive(prepare(1)) == []
    assert sent(instance.receive(prepare(3))) == [(PREPARE, 1, ROOT)]
    assert sent(instance.receive(prepare(4))) == [(COMMIT, 1, ROOT)]
    assert instance.receive(prepare(2)) == []


def test_own_prepares_vouch_for_nothing() -> None:
    """It was sent before a restart and comes back from the network."""
    instance, _rule = unvouched()
    assert feed(instance, [prepare(2), prepare(1)]) == []


def test_a_held_prepare_is_forgotten_with_its_round() -> None:
    instance, _rule = unvouched()
    instance.receive(prepare(1))
    instance.expire(1)
    assert not instance.state.is_prepare_held
    assert instance.review() == []


def test_a_beacon_node_that_is_back_releases_a_valid_value() -> None:
    instance, rule = unvouched()
    assert instance.review() == []
    rule.unvouched.clear()
    assert sent(instance.review()) == [(PREPARE, 1, ROOT)]
    assert instance.review() == []
    assert feed(instance, prepares([1, 3])) == []


def test_a_beacon_node_that_is_back_may_refuse_the_value_for_good() -> None:
    instance, rule = unvouched()
    instance.receive(prepare(1))
    rule.refused.add(VALUE)
    assert fault_of(instance.review()) is Fault.VALUE_INVALID
    assert fault_of(instance.receive(prepare(3))) is Fault.NO_PROPOSAL
    rule.refused.clear()
    assert instance.review() == []
    assert instance.receive(proposal()) == []


def test_a_vouched_value_is_not_reviewed() -> None:
    rule = ValueRule()
    instance = begun(2, None, rule=rule)
    instance.receive(proposal())
    asked = len(rule.asked)
    assert instance.review() == []
    assert len(rule.asked) == asked


def test_a_leaders_own_unvouched_value_is_never_proposed() -> None:
    rule = ValueRule(unvouched={VALUE})
    instance = Instance(setup_of(1, check_value=rule), HEIGHT)
    _timer, complaint = instance.start(VALUE)
    assert isinstance(complaint, Complain)
    assert complaint.fault is Fault.NO_VALUE_TO_PROPOSE
    assert fault_of(instance.supply(VALUE)) is Fault.NO_VALUE_TO_PROPOSE
    instance.expire(1)
    outputs = feed(instance, [change(1), change(2), change(3)])
    assert sent(outputs) == []
    rule.unvouched.clear()
    assert the_proposal(instance.supply(VALUE)).full_data == VALUE


def test_a_prepared_unvouched_value_is_proposed_since_a_quorum_vouched_for_it() -> None:
    instance = begun(1, OTHER, rule=ValueRule(unvouched={VALUE}))
    instance.expire(1)
    prepared = change(4, value=VALUE, prepared_by=prepares([2, 3, 4]))
    draft = the_proposal(feed(instance, [change(1), prepared, change(3)]))
    assert draft.full_data == VALUE
    assert instance.receive(publish(1, draft)) == []


def test_a_restored_state_goes_on_where_it_was() -> None:
    instance = begun()
    feed(instance, [proposal(), *prepares([1, 3])])
    again = Instance(setup_of(2), HEIGHT, state=deepcopy(instance.state))
    assert sent(again.receive(prepare(4))) == [(COMMIT, 1, ROOT)]


def test_no_second_prepare_in_a_round_after_a_restore() -> None:
    """The messages were lost in the crash, the rounds of the own votes were not."""
    state = State(HEIGHT, round=1, own_prepare_round=1)
    instance = Instance(setup_of(2), HEIGHT, state=state)
    assert instance.receive(proposal(value=OTHER)) == []
    assert state.proposal is not None


def test_no_second_commit_in_a_round_after_a_restore() -> None:
    state = State(HEIGHT, round=1, own_prepare_round=1, own_commit_round=1)
    instance = Instance(setup_of(2), HEIGHT, state=state)
    assert feed(instance, [proposal(value=OTHER), *prepares([1, 3, 4], OTHER_ROOT)]) == []
    assert state.prepared_value == OTHER


def test_no_second_proposal_in_a_round_after_a_restore() -> None:
    state = State(HEIGHT, round=1, own_proposal_round=1)
    assert Instance(setup_of(1), HEIGHT, state=state).supply(OTHER) == []


def test_a_held_prepare_stays_held_after_a_restore() -> None:
    instance, _rule = unvouched()
    rule = ValueRule(unvouched={VALUE})
    again = Instance(setup_of(2, check_value=rule), HEIGHT, state=deepcopy(instance.state))
    assert again.receive(prepare(1)) == []
    assert sent(again.receive(prepare(3))) == [(PREPARE, 1, ROOT)]


def test_a_vote_is_never_cast_for_two_roots_in_one_round() -> None:
    """Proposals of a lying leader for both, in every order and with a restore between."""
    for first, second in ((VALUE, OTHER), (OTHER, VALUE)):
        instance = begun()
        votes = sent(instance.receive(proposal(value=first)))
        restored = replace(instance.state, proposal=None, proposals={})
        again = Instance(setup_of(2), HEIGHT, state=restored)
        votes += sent(again.receive(proposal(value=second)))
        assert len(votes) == 1


def test_received_messages_are_stored_as_they_are() -> None:
    instance = begun()
    messages: list[Received] = [proposal(), prepare(3), commit(4), change(4)]
    feed(instance, messages)
    state = instance.state
    stored = [state.proposals[1], state.prepares[1], state.commits[1], state.round_changes[2]]
    assert [each for (each,) in stored] == messages
    assert all(kept is given for (kept,), given in zip(stored, messages, strict=True))
