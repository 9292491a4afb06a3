"""Which messages an instance refuses, and with which fault: a named case per rule, and their order.

Operator 1 leads every round here, and operator 2 is the one that receives.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from operator_node.qbft import CUT_OFF_ROUND, Instance
from operator_node.wire.codec import MAX_PREPARE_BYTES, MAX_ROUND_CHANGE_BYTES, encode_signed
from operator_node.wire.faults import Complain, Fault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import MessageId
from operator_node.wire.messages import Received
from tests.unit.operator_node.qbft.acting import (
    HEIGHT,
    IDENTIFIER,
    OTHER,
    OTHER_ROOT,
    ROOT,
    VALUE,
    ValueRule,
    change,
    commit,
    fault_of,
    holds,
    prepare,
    prepares,
    proposal,
    setup_of,
    sign,
)

REFUSED = b"refused"


def fresh(*, cut_off: int = CUT_OFF_ROUND) -> Instance:
    setup = setup_of(2, check_value=ValueRule(refused={REFUSED}), cut_off=cut_off)
    instance = Instance(setup, HEIGHT)
    instance.start(None)
    return instance


def in_round_3() -> Instance:
    instance = fresh()
    instance.expire(1)
    instance.expire(2)
    return instance


def proposed() -> Instance:
    instance = fresh()
    instance.receive(proposal())
    return instance


def with_body(received: Received, *operators: int, **fields: object) -> Received:
    body = replace(received.body, **fields)
    return sign(body, *operators, full_data=received.signed.full_data)


def without_signers(received: Received) -> Received:
    return Received(replace(received.signed, signers=(), signatures=()), received.body)


# --- every kind ----------------------------------------------------------------------------

KINDS: dict[str, Callable[..., Received]] = {
    "proposal": lambda **options: proposal(**options),
    "prepare": lambda **options: prepare(1, **options),
    "commit": lambda **options: commit(1, **options),
    "round change": lambda **options: change(1, **{"round_": 1, **options}),
}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())


@every_kind
def test_a_stopped_instance_refuses_everything_first(make: Callable[..., Received]) -> None:
    instance = proposed()
    instance.stop()
    assert fault_of(instance.receive(without_signers(make()))) is Fault.INSTANCE_STOPPED


@every_kind
def test_an_instance_at_the_cut_off_refuses_everything(make: Callable[..., Received]) -> None:
    instance = fresh(cut_off=2)
    instance.expire(1)
    assert fault_of(instance.receive(make(round_=2))) is Fault.INSTANCE_STOPPED


@every_kind
def test_signers_are_checked_before_rounds(make: Callable[..., Received]) -> None:
    instance = in_round_3()
    assert fault_of(instance.receive(without_signers(make()))) is Fault.NO_SIGNERS
    assert fault_of(instance.receive(with_body(make(), 0))) is Fault.SIGNER_ZERO
    assert fault_of(instance.receive(with_body(make(), 1, 1))) is Fault.SIGNER_REPEATED


@every_kind
def test_content_is_checked_before_rounds(make: Callable[..., Received]) -> None:
    instance = in_round_3()
    short = with_body(make(), 1, identifier=b"short")
    assert fault_of(instance.receive(short)) is Fault.IDENTIFIER
    rubbish = with_body(make(), 1, round_change_justification=(b"rubbish",))
    assert fault_of(instance.receive(rubbish)) is Fault.MALFORMED
    unproven = with_body(make(), 1, prepare_justification=(b"rubbish",))
    assert fault_of(instance.receive(unproven)) is Fault.MALFORMED
    assert fault_of(instance.receive(with_body(make(), 1, round=0))) is Fault.ROUND_ZERO


@every_kind
def test_a_round_that_is_over_comes_before_all_rules_of_the_kind(
    make: Callable[..., Received],
) -> None:
    late = make(height=HEIGHT + 1, round_=2)
    assert fault_of(in_round_3().receive(late)) is Fault.PAST_ROUND


def test_an_unknown_kind_is_refused() -> None:
    assert fault_of(fresh().receive(with_body(prepare(1), 1, kind=4))) is Fault.MESSAGE_TYPE


def test_alan_does_not_look_into_the_envelope() -> None:
    odd = prepare(1)
    envelope = replace(odd.signed.message, id=MessageId(IDENTIFIER[:4] + b"\xff" * 52))
    odd = Received(replace(odd.signed, message=envelope), odd.body)
    boole, alan = proposed(), Instance(setup_of(2, generation=Generation.ALAN), HEIGHT)
    alan.receive(proposal())
    assert fault_of(boole.receive(odd)) is Fault.ROLE_INVALID
    assert alan.receive(odd) == []


# --- proposals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (proposal(height=HEIGHT + 1), Fault.WRONG_HEIGHT),
        (with_body(proposal(), 1, 3), Fault.SEVERAL_SIGNERS),
        (proposal(5), Fault.SIGNER_NOT_IN_COMMITTEE),
        (proposal(3), Fault.NOT_THE_LEADER),
        (with_body(proposal(), 1, root=OTHER_ROOT), Fault.DATA_NOT_OF_ROOT),
        (proposal(value=REFUSED), Fault.VALUE_INVALID),
        (proposal(round_=2), Fault.ROUND_CHANGE_QUORUM),
    ],
)
def test_a_proposal_that_breaks_a_rule_is_refused(wrong: Received, fault: Fault) -> None:
    instance = fresh()
    assert fault_of(instance.receive(wrong)) is fault
    assert instance.state.proposals == {}
    assert instance.state.proposal is None


def test_rules_of_proposals_are_checked_in_order() -> None:
    """All rules are broken; they are mended one by one."""
    instance = fresh()
    broken = with_body(proposal(5, REFUSED, round_=2), 5, 6, height=HEIGHT + 1, root=OTHER_ROOT)
    steps: list[tuple[Fault, dict[str, object], tuple[int, ...]]] = [
        (Fault.WRONG_HEIGHT, {"height": HEIGHT}, (5, 6)),
        (Fault.SEVERAL_SIGNERS, {}, (5,)),
        (Fault.SIGNER_NOT_IN_COMMITTEE, {}, (3,)),
        (Fault.NOT_THE_LEADER, {}, (1,)),
        (Fault.DATA_NOT_OF_ROOT, {"root": proposal(1, REFUSED).body.root}, (1,)),
        (Fault.VALUE_INVALID, {}, (1,)),
    ]
    for fault, mended, signers in steps:
        assert fault_of(instance.receive(broken)) is fault
        broken = with_body(broken, *signers, **mended)


def test_a_second_proposal_of_the_round_is_refused_after_all_other_rules() -> None:
    instance = proposed()
    assert fault_of(instance.receive(proposal(value=REFUSED))) is Fault.VALUE_INVALID
    assert fault_of(instance.receive(proposal(value=OTHER))) is Fault.PROPOSAL_INVALID
    assert fault_of(instance.receive(proposal())) is Fault.PROPOSAL_INVALID


def test_the_leader_is_that_of_the_messages_round() -> None:
    instance = Instance(setup_of(2, leader=lambda _height, round_: [0, 1, 3][round_]), HEIGHT)  # type: ignore[arg-type,return-value]
    changes = [change(1), change(2), change(3)]
    assert fault_of(instance.receive(proposal(1, round_=2, changes=changes))) is (
        Fault.NOT_THE_LEADER
    )
    instance.receive(proposal(3, round_=2, changes=changes))
    assert instance.state.round == 2


# --- votes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (prepare(3, height=HEIGHT + 1), Fault.WRONG_HEIGHT),
        (prepare(3, round_=2), Fault.WRONG_ROUND),
        (prepare(3, OTHER_ROOT), Fault.OTHER_ROOT),
        (with_body(prepare(3), 3, 4), Fault.SEVERAL_SIGNERS),
        (prepare(5), Fault.SIGNER_NOT_IN_COMMITTEE),
        (commit(3, height=HEIGHT + 1), Fault.WRONG_HEIGHT),
        (commit(5), Fault.SIGNER_NOT_IN_COMMITTEE),
        (commit(3, 4), Fault.SEVERAL_SIGNERS),
        (commit(3, round_=2), Fault.WRONG_ROUND),
        (commit(3, value=OTHER), Fault.OTHER_ROOT),
    ],
)
def test_a_vote_that_breaks_a_rule_is_refused(wrong: Received, fault: Fault) -> None:
    instance = proposed()
    assert fault_of(instance.receive(wrong)) is fault
    assert (instance.state.prepares, instance.state.commits) == ({}, {})


@pytest.mark.parametrize("vote", [prepare(3, height=8), commit(3, height=8)])
def test_a_vote_without_a_proposal_is_refused_before_its_other_rules(vote: Received) -> None:
    assert fault_of(fresh().receive(vote)) is Fault.NO_PROPOSAL


def test_rules_of_prepares_are_checked_in_order() -> None:
    instance = proposed()
    broken = with_body(prepare(3), 5, 6, height=8, round=2, root=OTHER_ROOT)
    steps: list[tuple[Fault, dict[str, object], tuple[int, ...]]] = [
        (Fault.WRONG_HEIGHT, {"height": HEIGHT}, (5, 6)),
        (Fault.WRONG_ROUND, {"round": 1}, (5, 6)),
        (Fault.OTHER_ROOT, {"root": ROOT}, (5, 6)),
        (Fault.SEVERAL_SIGNERS, {}, (5,)),
        (Fault.SIGNER_NOT_IN_COMMITTEE, {}, (3,)),
    ]
    for fault, mended, signers in steps:
        assert fault_of(instance.receive(broken)) is fault
        broken = with_body(broken, *signers, **mended)
    assert instance.receive(broken) == []


def test_rules_of_commits_are_checked_in_order() -> None:
    instance = proposed()
    broken = with_body(commit(3), 3, 6, height=8, round=2, root=OTHER_ROOT)
    steps: list[tuple[Fault, dict[str, object], tuple[int, ...]]] = [
        (Fault.WRONG_HEIGHT, {"height": HEIGHT}, (3, 6)),
        (Fault.SIGNER_NOT_IN_COMMITTEE, {}, (3, 4)),
        (Fault.SEVERAL_SIGNERS, {}, (3,)),
        (Fault.WRONG_ROUND, {"round": 1}, (3,)),
        (Fault.OTHER_ROOT, {"root": ROOT}, (3,)),
    ]
    for fault, mended, signers in steps:
        assert fault_of(instance.receive(broken)) is fault
        broken = with_body(broken, *signers, **mended)
    assert instance.receive(broken) == []


# --- round changes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (change(3, height=HEIGHT + 1), Fault.WRONG_HEIGHT),
        (with_body(change(3), 3, 4), Fault.SEVERAL_SIGNERS),
        (change(5), Fault.SIGNER_NOT_IN_COMMITTEE),
        (change(3, value=VALUE, prepared_by=prepares([1, 2])), Fault.JUSTIFICATION_QUORUM),
        (
            with_body(change(3, value=VALUE, prepared_by=prepares([1, 2, 3])), 3, data_round=2),
            Fault.WRONG_ROUND,
        ),
        (
            change(3, value=VALUE, data_round=3, prepared_by=prepares([1, 2, 3], round_=3)),
            Fault.PREPARED_ROUND_AHEAD,
        ),
        (
            sign(change(3, value=VALUE, prepared_by=prepares([1, 2, 3])).body, 3, full_data=OTHER),
            Fault.DATA_NOT_OF_ROOT,
        ),
    ],
)
def test_a_round_change_that_breaks_a_rule_is_refused(wrong: Received, fault: Fault) -> None:
    instance = fresh()
    assert fault_of(instance.receive(wrong)) is fault
    assert instance.state.round_changes == {}


def test_an_unprepared_round_change_may_have_any_root_and_data() -> None:
    instance = fresh()
    odd = sign(replace(change(3).body, root=OTHER_ROOT), 3, full_data=VALUE)
    assert instance.receive(odd) == []
    assert instance.state.round_changes == {2: [odd]}


def test_a_round_beyond_the_cut_off_is_not_stored() -> None:
    instance = fresh()
    assert instance.receive(change(3, 12)) == []
    assert fault_of(instance.receive(change(4, 13))) is Fault.INSTANCE_STOPPED
    assert set(instance.state.round_changes) == {12}


def test_justifications_too_long_for_a_proposal_are_refused() -> None:
    """They pass the network's own rules, but no leader could embed them."""
    padding = (prepare(1).signed.message.data * 400)[: MAX_PREPARE_BYTES - 300]
    long = replace(prepare(1).body, round_change_justification=(wrapped(padding),))
    votes = [sign(long, 1), *prepares([2, 3])]
    changed = change(3, value=VALUE, prepared_by=votes)
    assert fault_of(fresh().receive(changed)) is Fault.TOO_LARGE


def test_a_round_change_too_long_for_a_proposal_is_refused() -> None:
    filling = tuple(wrapped(bytes(MAX_ROUND_CHANGE_BYTES // 2)) for _ in range(3))
    long = sign(replace(change(3).body, round_change_justification=filling), 3)
    assert fault_of(fresh().receive(long)) is Fault.TOO_LARGE


def wrapped(data: bytes) -> bytes:
    """A signed message with any content."""
    signed = prepare(1).signed
    return encode_signed(replace(signed, message=replace(signed.message, data=data)))


# --- blame ---------------------------------------------------------------------------------


def blamed(instance: Instance, received: Received) -> object:
    (complaint,) = instance.receive(received)
    assert isinstance(complaint, Complain)
    return complaint.blame


def test_a_sender_is_blamed_for_what_it_signed_and_nobody_else_did() -> None:
    assert blamed(fresh(), proposal(3)) == 3
    assert blamed(fresh(), proposal(round_=2, changes=[change(1)])) == 1
    assert blamed(fresh(), change(3, value=VALUE, prepared_by=prepares([1]))) == 3


def test_two_values_in_one_round_prove_a_lying_leader() -> None:
    assert blamed(proposed(), proposal(value=OTHER)) == 1
    assert blamed(proposed(), proposal()) is None


@pytest.mark.parametrize(
    "innocent",
    [
        prepare(3, OTHER_ROOT),
        prepare(3, round_=2),
        proposal(value=REFUSED),
        sign(proposal().body, 1, full_data=OTHER),
        with_body(proposal(3), 3, 4),
    ],
    ids=["other leader's value", "early", "own view", "relay's data", "several"],
)
def test_nobody_is_blamed_while_there_is_doubt(innocent: Received) -> None:
    assert blamed(proposed(), innocent) is None


def test_signatures_are_not_looked_at_on_arrival() -> None:
    unsigned = Received(replace(prepare(3).signed, signatures=(b"never checked",)), prepare(3).body)
    assert not holds(unsigned.signed)
    assert proposed().receive(unsigned) == []
