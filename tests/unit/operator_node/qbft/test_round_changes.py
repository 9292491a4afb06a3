"""Later rounds: timeouts, jumps, justified proposals. Operator 1 leads by default."""

from __future__ import annotations

from hashlib import sha256

import pytest

from operator_node.qbft import (
    Broadcast,
    Instance,
    StartTimer,
    State,
)
from operator_node.wire.faults import Complain, Fault
from operator_node.wire.messages import ConsensusKind
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    OTHER,
    OTHER_ROOT,
    VALUE,
    ValueRule,
    begun,
    change,
    fault_of,
    feed,
    prepares,
    proposal,
    publish,
    sent,
    setup_of,
    the_proposal,
)

PROPOSAL, PREPARE = ConsensusKind.PROPOSAL, ConsensusKind.PREPARE
COMMIT, ROUND_CHANGE = ConsensusKind.COMMIT, ConsensusKind.ROUND_CHANGE


def test_a_timeout_asks_for_the_next_round_and_begins_it() -> None:
    instance = begun()
    instance.receive(proposal())
    outputs = instance.expire(1)
    assert sent(outputs) == [(ROUND_CHANGE, 2, bytes(32))]
    assert outputs[-1] == StartTimer(HEIGHT, 2)
    assert (instance.state.round, instance.state.proposal) == (2, None)


def test_a_timer_of_another_round_or_of_a_decided_instance_does_nothing() -> None:
    instance = begun()
    assert instance.expire(2) == []
    instance.expire(1)
    assert instance.expire(1) == []
    instance.state.decided = True
    assert instance.expire(2) == []


def test_a_timeout_after_the_end_is_refused() -> None:
    instance = begun()
    instance.stop()
    assert fault_of(instance.expire(1)) is Fault.TIMEOUT_AFTER_STOP


def test_the_last_round_change_is_for_the_cut_off_and_then_nothing() -> None:
    instance = Instance(setup_of(2, cut_off=3), HEIGHT)
    instance.start(None)
    instance.expire(1)
    assert sent(instance.expire(2)) == [(ROUND_CHANGE, 3, bytes(32))]
    assert fault_of(instance.expire(3)) is Fault.TIMEOUT_AFTER_STOP


def test_what_is_prepared_survives_rounds_and_goes_into_every_round_change() -> None:
    instance = begun()
    feed(instance, [proposal(), *prepares([1, 3, 4])])
    for round_ in (1, 2, 3):
        draft = next(each for each in instance.expire(round_) if isinstance(each, Broadcast))
        assert (draft.body.data_round, draft.full_data) == (1, VALUE)
        assert len(draft.body.round_change_justification) == 3


def test_f_plus_1_members_ahead_pull_to_the_lowest_of_their_rounds() -> None:
    instance = begun()
    assert instance.receive(change(3, 5)) == []
    outputs = instance.receive(change(4, 9))
    assert outputs[0] == StartTimer(HEIGHT, 5)
    assert sent(outputs) == [(ROUND_CHANGE, 5, bytes(32))]
    assert instance.state.round == 5


def test_one_member_ahead_in_two_rounds_pulls_nobody() -> None:
    instance = begun()
    assert feed(instance, [change(3, 5), change(3, 9)]) == []
    assert instance.state.round == 1


def test_a_repeated_round_change_brings_no_quorum() -> None:
    instance = begun(1, VALUE)
    instance.expire(1)
    assert feed(instance, [change(1), change(2), change(2), change(1)]) == []
    assert len(instance.state.round_changes[2]) == 2


def test_a_jump_to_the_cut_off_sends_nothing() -> None:
    instance = Instance(setup_of(2, cut_off=3), HEIGHT)
    instance.start(None)
    outputs = feed(instance, [change(3, 3), change(4, 3)])
    assert sent(outputs) == []
    assert [type(each) for each in outputs] == [StartTimer, Complain]


def test_the_leader_proposes_at_the_quorum_with_all_round_changes_as_they_came() -> None:
    instance = begun(1, VALUE)
    instance.expire(1)
    assert sent(feed(instance, [change(4), change(1)])) == []
    draft = the_proposal(instance.receive(change(2)))
    messages = [change(4), change(1), change(2)]
    assert draft.body == proposal(round_=2, changes=messages).body


def test_the_quorum_triggers_once() -> None:
    instance = begun(1, VALUE)
    instance.expire(1)
    feed(instance, [change(1), change(2), change(3)])
    assert instance.receive(change(4)) == []


def test_a_leader_that_jumped_proposes_only_with_a_quorum_of_its_new_round() -> None:
    instance = begun(1, VALUE)
    outputs = feed(instance, [change(3, 5), change(4, 6)])
    assert sent(outputs) == [(ROUND_CHANGE, 5, bytes(32))]
    assert sent(feed(instance, [change(1, 5)])) == []
    draft = the_proposal(instance.receive(change(2, 5)))
    assert draft.body.round == 5


def test_a_prepared_value_is_proposed_again_with_its_prepares() -> None:
    instance = begun(1, OTHER)
    instance.expire(1)
    votes = prepares([1, 2, 3])
    prepared = change(4, value=VALUE, prepared_by=votes)
    draft = the_proposal(feed(instance, [change(1), prepared, change(3)]))
    expected = proposal(round_=2, changes=[change(1), prepared, change(3)], prepares=votes)
    assert (draft.body, draft.full_data) == (expected.body, VALUE)


def test_a_prepared_value_that_is_refused_is_not_proposed() -> None:
    instance = begun(1, OTHER, rule=ValueRule(refused={VALUE}))
    instance.expire(1)
    prepared = [change(each, value=VALUE, prepared_by=prepares([1, 2, 3])) for each in (2, 3)]
    (complaint,) = feed(instance, [change(1), *prepared])
    assert isinstance(complaint, Complain)
    assert complaint.fault is Fault.NO_VALUE_TO_PROPOSE


EARLY = change(2, 3, value=VALUE, prepared_by=prepares([1, 2, 3]))
LATE_VOTES = prepares([1, 2, 3], OTHER_ROOT, round_=2)
LATE = change(3, 3, value=OTHER, data_round=2, prepared_by=LATE_VOTES)
"""Round changes to round 3 that contradict each other."""


def leader_of_round_3(value: bytes | None = b"own", rule: ValueRule | None = None) -> Instance:
    instance = begun(1, value, rule=rule)
    instance.expire(1)
    instance.expire(2)
    return instance


def test_two_different_prepared_values_block_the_proposal() -> None:
    assert feed(leader_of_round_3(), [change(1, 3), EARLY, LATE]) == []


def test_a_later_round_change_unblocks_the_round_if_a_quorum_fits_one_value() -> None:
    instance = leader_of_round_3()
    draft = the_proposal(feed(instance, [change(1, 3), EARLY, LATE, change(4, 3)]))
    fitting = [change(1, 3), LATE, change(4, 3)]
    expected = proposal(round_=3, value=OTHER, changes=fitting, prepares=LATE_VOTES)
    assert (draft.body, draft.full_data) == (expected.body, OTHER)
    assert sent(begun(2).receive(publish(1, draft))) == [(PREPARE, 3, OTHER_ROOT)]


@pytest.mark.parametrize("place", range(2))
def test_among_values_that_a_quorum_fits_the_one_prepared_last_is_proposed(place: int) -> None:
    changes = [EARLY, change(4, 3)]
    changes.insert(place, LATE)
    assert the_proposal(feed(leader_of_round_3(), [change(1, 3), *changes])).full_data == OTHER


def test_if_the_value_prepared_last_is_refused_the_one_before_is_proposed() -> None:
    instance = leader_of_round_3(rule=ValueRule(refused={OTHER}))
    draft = the_proposal(feed(instance, [change(1, 3), LATE, EARLY, change(4, 3)]))
    assert draft.full_data == VALUE
    assert len(draft.body.round_change_justification) == 3


def test_a_round_change_after_the_quorum_is_only_stored_where_nothing_was_blocked() -> None:
    """As the network does. A node that leads and has no value yet waits for it."""
    state = State(HEIGHT, 3, VALUE, round_changes={3: [change(1, 3), change(2, 3), change(3, 3)]})
    restored = Instance(setup_of(1), HEIGHT, state=state)
    assert restored.receive(change(4, 3)) == []
    assert len(state.round_changes[3]) == 4


def test_a_leader_without_a_value_proposes_one_that_a_later_round_change_brings() -> None:
    instance = leader_of_round_3(None)
    assert feed(instance, [change(1, 3), change(2, 3), change(4, 3)]) == []
    assert the_proposal(instance.receive(LATE)).full_data == OTHER


def test_a_member_adopts_another_value_that_was_prepared_in_a_later_round() -> None:
    instance = begun()
    feed(instance, [proposal(), *prepares([1, 2, 3])])
    instance.expire(1)
    instance.expire(2)
    votes = prepares([1, 3, 4], OTHER_ROOT, round_=2)
    late = change(3, 3, value=OTHER, data_round=2, prepared_by=votes)
    assert instance.receive(late) == []
    draft = next(each for each in instance.expire(3) if isinstance(each, Broadcast))
    assert publish(3, draft) == change(3, 4, value=OTHER, data_round=2, prepared_by=votes)


def test_what_was_prepared_in_a_round_that_is_still_ahead_is_adopted_on_the_way_past_it() -> None:
    instance = begun()
    feed(instance, [proposal(), *prepares([1, 2, 3])])
    instance.expire(1)
    votes = prepares([1, 3, 4], OTHER_ROOT, round_=3)
    ahead = [
        change(operator, 4, value=OTHER, data_round=3, prepared_by=votes) for operator in (3, 4)
    ]
    (draft,) = [each for each in feed(instance, ahead) if isinstance(each, Broadcast)]
    assert publish(3, draft) == ahead[0]


def test_the_value_prepared_last_is_adopted_whichever_is_heard_first() -> None:
    votes = prepares([1, 3, 4], OTHER_ROOT, round_=3)
    latest = change(3, 5, value=OTHER, data_round=3, prepared_by=votes)
    third = b"a third value"
    earlier_votes = prepares([1, 3, 4], sha256(third).digest(), round_=2)
    earlier = change(4, 4, value=third, data_round=2, prepared_by=earlier_votes)
    for heard in ([latest, earlier], [earlier, latest]):
        state = State(HEIGHT, 4, None, 1, VALUE)
        instance = Instance(setup_of(2), HEIGHT, state=state)
        feed(instance, heard)
        instance.expire(4)
        assert (state.prepared_round, state.prepared_value) == (3, OTHER)


@pytest.mark.parametrize(
    ("prepared_round", "prepared_value", "data_round"),
    [(0, b"", 2), (2, VALUE, 2), (3, VALUE, 2), (1, OTHER, 2), (1, VALUE, 4)],
    ids=["nothing prepared", "same round", "older", "same value", "not before the new round"],
)
def test_nothing_else_is_adopted(
    prepared_round: int, prepared_value: bytes, data_round: int
) -> None:
    state = State(HEIGHT, 3, None, prepared_round, prepared_value)
    instance = Instance(setup_of(2), HEIGHT, state=state)
    votes = prepares([1, 3, 4], OTHER_ROOT, round_=data_round)
    instance.receive(change(3, 4, value=OTHER, data_round=data_round, prepared_by=votes))
    assert sent(instance.expire(3)) != []
    assert (state.prepared_round, state.prepared_value) == (prepared_round, prepared_value)
    assert state.adopted_proof == ()


def test_a_later_own_quorum_replaces_what_was_adopted() -> None:
    state = State(HEIGHT, 3, None, 2, OTHER, adopted_proof=(b"proof",))
    instance = Instance(setup_of(2), HEIGHT, state=state)
    changes = [change(operator, 3) for operator in (1, 3, 4)]
    feed(instance, [proposal(round_=3, changes=changes), *prepares([1, 2, 3], round_=3)])
    assert (state.prepared_round, state.prepared_value, state.adopted_proof) == (3, VALUE, ())
