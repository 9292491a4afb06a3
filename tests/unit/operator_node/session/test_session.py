"""A duty and its consensus joined: what passes between them, and how a session ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties import VoteDuty
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    AttestationDataQuery,
    CheckpointView,
    Fetch,
    Finish,
    Reached,
    Sign,
    Signed,
    Step,
    SubmissionKind,
)
from operator_node.qbft import StartTimer, State
from operator_node.session import Session
from operator_node.wire.faults import Complain, Fault
from operator_node.wire.messages import (
    ConsensusKind,
    EnvelopeKind,
    PartialKind,
    ReceivedPartials,
)
from operator_node.wire.value_codec import encode_beacon_vote
from operator_node.wire.values import BeaconVote, Checkpoint
from sdk.types import Epoch, Signature
from tests.unit.operator_node.duties.many_validators import SHARES, partials_of
from tests.unit.operator_node.duties.single_validator import OPERATORS
from tests.unit.operator_node.session.operators import (
    DUTY,
    LEADER,
    OTHERS,
    SLOT,
    VIEW,
    VOTE,
    Operator,
    committee_cluster,
    committee_sessions,
    prepare,
    setting_of,
    slot_after,
)
from tests.unit.operator_node.session.telling import (
    PARTS,
    kind_of,
    session_of,
)


def test_beginning_starts_the_first_round_before_any_data_came() -> None:
    operator = Operator(OTHERS[0], committee_sessions(OTHERS[0]))
    session = prepare(operator)
    assert session.begin() == [
        Reached(Step.STARTED),
        StartTimer(SLOT, 1),
        Fetch(AttestationDataQuery(SLOT)),
    ]


def test_committee_carries_its_duty_to_the_end() -> None:
    cluster = committee_cluster()
    cluster.run()
    for operator in cluster.operators.values():
        (outcome,) = operator.outcomes
        assert outcome.reason is Reason.DONE
        assert sorted(item.kind for item in operator.submissions) == [
            SubmissionKind.ATTESTATION,
            SubmissionKind.ATTESTATION,
            SubmissionKind.SYNC_MESSAGE,
        ]
        assert set(operator.faults) <= {Fault.CONSENSUS_FINISHED, Fault.NO_RUNNING_DUTY}


def test_operators_without_data_answer_the_leader_and_sign() -> None:
    cluster = committee_cluster(without_data=OTHERS)
    cluster.run()
    assert [o.outcomes[0].reason for o in cluster.operators.values()] == [Reason.DONE] * 4


def test_next_leader_proposes_when_the_first_has_no_data() -> None:
    cluster = committee_cluster(without_data=[LEADER])
    cluster.run()
    assert not any(operator.outcomes for operator in cluster.operators.values())
    cluster.expire_round(1)
    assert [o.outcomes[0].reason for o in cluster.operators.values()] == [Reason.DONE] * 4


def test_every_later_round_fetches_fresh_data() -> None:
    cluster = committee_cluster(without_data=OPERATORS)
    cluster.run()
    before = [len(operator.queries) for operator in cluster.operators.values()]
    cluster.expire_round(1)
    after = [len(operator.queries) for operator in cluster.operators.values()]
    assert before == [1] * 4
    assert after == [2] * 4


def test_fresh_data_replaces_the_value_of_a_later_round() -> None:
    cluster = committee_cluster()
    fresh = replace(VOTE, block_root=b"\xbb" * 32)
    cluster.is_lost = lambda _from, _to, what: kind_of(what) is ConsensusKind.PROPOSAL
    cluster.run()
    for operator in cluster.operators.values():
        operator.beacon = lambda _query: fresh
    cluster.is_lost = lambda _from, _to, _what: False
    cluster.expire_round(1)
    decided = {session_of(o).duty.decided_value for o in cluster.operators.values()}
    assert decided == {encode_beacon_vote(fresh)}


def test_unvouched_proposal_is_prepared_once_the_view_comes() -> None:
    cluster = committee_cluster(without_data=OTHERS, view=None)
    cluster.run()
    assert not any(operator.outcomes for operator in cluster.operators.values())
    for me in OTHERS:
        operator = cluster.operators[me]
        session = session_of(operator)
        operator.carry_out(session, session.update_view(VIEW))
    cluster.run()
    assert [o.outcomes[0].reason for o in cluster.operators.values()] == [Reason.DONE] * 4


def test_single_blind_operator_prepares_what_an_honest_one_vouches_for() -> None:
    cluster = committee_cluster(without_data=OTHERS[:1], view=None)
    cluster.run()
    assert [o.outcomes[0].reason for o in cluster.operators.values()] == [Reason.DONE] * 4


def test_consensus_message_after_the_decision_is_refused() -> None:
    cluster = committee_cluster()
    cluster.is_lost = lambda _from, _to, what: what.message.kind != EnvelopeKind.CONSENSUS
    cluster.run()
    operator = cluster.operators[OTHERS[0]]
    prepared = next(each for each in cluster.sent if kind_of(each) is ConsensusKind.PREPARE)
    operator.receive(prepared)
    assert operator.faults[-1:] == [Fault.CONSENSUS_FINISHED]


def test_late_operators_round_change_is_answered_with_the_decision() -> None:
    late = OTHERS[0]
    cluster = committee_cluster()
    cluster.is_lost = lambda _from, to, _what: to == late
    cluster.run()
    cluster.is_lost = lambda _from, _to, _what: False
    operator = cluster.operators[late]
    session = session_of(operator)
    operator.carry_out(session, session.expire_round(SLOT, 1))
    cluster.run()
    assert session.duty.decided_value == encode_beacon_vote(VOTE)


def test_round_change_after_the_decision_is_answered_and_refused_at_once() -> None:
    late = OTHERS[0]
    cluster = committee_cluster()
    cluster.is_lost = lambda _from, to, what: (
        to == late or what.message.kind != EnvelopeKind.CONSENSUS
    )
    cluster.run()
    operator = cluster.operators[late]
    session = session_of(operator)
    operator.carry_out(session, session.expire_round(SLOT, 1))
    change = next(signed for signed, _ in operator.out if kind_of(signed))
    helper = cluster.operators[OTHERS[1]]
    helper.receive(change)
    assert [to for _, to in helper.out] == [late]
    assert helper.faults[-1] is Fault.CONSENSUS_FINISHED


def test_partial_signatures_before_the_beginning_find_no_running_duty() -> None:
    operator = Operator(OTHERS[0], committee_sessions(OTHERS[0]))
    session = prepare(operator)
    (complaint,) = session.receive(partials_of(2, [(17, b"\x01" * 32)], slot=SLOT))
    assert isinstance(complaint, Complain)
    assert complaint.fault is Fault.NO_RUNNING_DUTY


def test_partial_signatures_after_the_end_find_no_running_duty() -> None:
    cluster = committee_cluster()
    cluster.run()
    session = session_of(cluster.operators[LEADER])
    (complaint,) = session.receive(partials_of(2, [(17, b"\x01" * 32)], slot=SLOT))
    assert isinstance(complaint, Complain)
    assert complaint.fault is Fault.NO_RUNNING_DUTY


@pytest.mark.parametrize(
    ("message", "fault", "blame"),
    [
        (partials_of(2, PARTS, slot=SLOT, kind=PartialKind.RANDAO), Fault.MESSAGE_TYPE, 2),
        (partials_of(5, PARTS, slot=SLOT), Fault.PARTIAL_SIGNER_NOT_IN_COMMITTEE, None),
        (partials_of(2, PARTS, slot=slot_after(-1)), Fault.PAST_SLOT, None),
        (partials_of(2, PARTS, slot=slot_after(1)), Fault.FUTURE_SLOT, None),
    ],
)
def test_sender_is_blamed_only_for_what_it_signed_beyond_doubt(
    message: ReceivedPartials, fault: Fault, blame: int | None
) -> None:
    """A third party can delay and repeat messages, and this node's registry may lag."""
    cluster = committee_cluster()
    cluster.is_lost = lambda _from, _to, what: what.message.kind != EnvelopeKind.CONSENSUS
    cluster.run()
    session = session_of(cluster.operators[LEADER])
    (complaint,) = session.receive(message)
    assert isinstance(complaint, Complain)
    assert (complaint.fault, complaint.blame) == (fault, blame)


def test_partial_signatures_before_the_decision_are_too_early() -> None:
    cluster = committee_cluster(without_data=OPERATORS)
    session = session_of(cluster.operators[LEADER])
    (complaint,) = session.receive(partials_of(2, [(17, b"\x01" * 32)], slot=SLOT))
    assert isinstance(complaint, Complain)
    assert (complaint.fault, complaint.blame) == (Fault.NO_DECIDED_VALUE, None)


@pytest.mark.parametrize(
    ("states", "fault"),
    [((), Fault.NO_RUNNING_INSTANCE), ((State(SLOT),), Fault.NOT_DECIDED)],
)
def test_signatures_over_a_decision_need_the_instance_that_decided(
    states: tuple[State, ...], fault: Fault
) -> None:
    cluster = committee_cluster()
    cluster.is_lost = lambda _from, _to, what: what.message.kind != EnvelopeKind.CONSENSUS
    cluster.run()
    session = session_of(cluster.operators[LEADER])
    assert session.consensus is not None
    session.consensus.restore(SLOT, states)
    (complaint,) = session.receive(partials_of(2, [(17, b"\x01" * 32)], slot=SLOT))
    assert isinstance(complaint, Complain)
    assert complaint.fault is fault


def test_session_that_never_began_has_no_outcome() -> None:
    operator = Operator(OTHERS[0], committee_sessions(OTHERS[0]))
    assert prepare(operator).expire() == []


def test_session_of_a_passed_slot_does_not_begin_and_ends_with_a_reason() -> None:
    cluster = committee_cluster()
    cluster.run()
    session = session_of(cluster.operators[LEADER])
    late = Session(VoteDuty(setting_of(LEADER), DUTY, SHARES), session.id, session.consensus)
    complaint, finish = late.begin()
    assert isinstance(complaint, Complain)
    assert complaint.fault is Fault.DUTY_PASSED
    assert isinstance(finish, Finish)
    assert finish.outcome.reason is Reason.LATE_START
    assert not late.has_begun
    assert late.expire() == []


@pytest.mark.parametrize(
    "answer",
    [
        replace(VOTE, block_root=b"\x01" * 31),
        replace(VOTE, target=Checkpoint(Epoch(-1), bytes(32))),
        replace(VOTE, source=Checkpoint(Epoch(2**64), bytes(32))),
    ],
)
def test_answer_that_no_value_can_be_made_of_counts_as_none(answer: BeaconVote) -> None:
    operator = Operator(LEADER, committee_sessions(LEADER))
    operator.beacon = lambda _query: None
    session = operator.begin(prepare(operator))
    assert session.provide(AttestationDataQuery(SLOT), answer) == []
    operator.carry_out(session, session.expire())
    assert operator.outcomes[0].reason is Reason.BN_DOWN


def test_bytes_that_are_no_signature_count_as_withheld() -> None:
    operator = committee_cluster().operators[LEADER]
    session = session_of(operator)
    (sign,) = [
        effect
        for effect in session._continue(lambda: session.duty.decide(encode_beacon_vote(VOTE)))
        if isinstance(effect, Sign)
    ]
    cut = tuple(Signed(item, Signature(bytes(95))) for item in sign.items)
    assert session.signed(cut) == []
    operator.carry_out(session, session.expire())
    assert operator.outcomes[0].reason is Reason.SIGNER_DOWN


def test_decided_value_that_the_check_refuses_is_not_signed() -> None:
    """The others decide what this node's view contradicts; it keeps its signatures to itself."""
    odd = OTHERS[0]
    cluster = committee_cluster()
    elsewhere = CheckpointView(
        Checkpoint(Epoch(VOTE.source.epoch - 1), VOTE.source.root), VOTE.target
    )
    operator = cluster.operators[odd]
    session = session_of(operator)
    operator.carry_out(session, session.update_view(elsewhere))
    cluster.run()
    assert Fault.CHECKPOINT_MISMATCH in operator.faults
    assert session.duty.decided_value == b""
    operator.carry_out(session, session.expire())
    assert operator.outcomes[0].reason is Reason.FORK_HOLD
    assert cluster.operators[LEADER].outcomes[0].reason is Reason.DONE


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2)])
def test_operators_that_begin_in_any_order_finish(order: tuple[int, ...]) -> None:
    cluster = committee_cluster(begin=[OPERATORS[place] for place in order])
    cluster.run()
    assert [o.outcomes[0].reason for o in cluster.operators.values()] == [Reason.DONE] * 4


def test_aggregate_of_the_decision_is_spread() -> None:
    cluster = committee_cluster()
    cluster.run()
    aggregates = [each for each in cluster.sent if len(each.signers) > 1]
    assert len(aggregates) == len(OPERATORS)
    assert all(len(each.signers) >= 3 for each in aggregates)
