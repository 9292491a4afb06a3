"""A single validator's duty under any order of messages, answers and decisions."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from operator_node.duties.proposer import ProposerDuty
from operator_node.duties.reasons import Reason
from operator_node.duties.registration import RegistrationDuty
from operator_node.duties.types import BeaconObject, BlockQuery, Duty, Submitted, Unavailable
from operator_node.spec.blocks import find_block, signed_block
from operator_node.spec.versions import FULU
from operator_node.wire.faults import Complain, ProtocolFault
from operator_node.wire.ids import BeaconRole
from operator_node.wire.messages import PartialKind
from operator_node.wire.value_codec import encode_validator_value
from operator_node.wire.values import ValidatorValue
from tests.unit.operator_node.duties.single_validator import (
    INDEX,
    SHARE,
    Desk,
    block_bytes,
    duty_of,
    first_slot,
    message,
    recovered_signature,
    setting,
)

SLOT = first_slot(FULU)
PROPOSAL = duty_of(BeaconRole.PROPOSER, SLOT)


def _roots(make: Callable[[], Duty]) -> tuple[bytes, ...]:
    return tuple(item.root for item in Desk(make()).begin().published[0].items)


def _proposer() -> ProposerDuty:
    return ProposerDuty(setting(), PROPOSAL, SHARE)


def _registration() -> RegistrationDuty:
    return RegistrationDuty(setting(), duty_of(BeaconRole.VALIDATOR_REGISTRATION, SLOT), SHARE)


RANDAO = _roots(_proposer)
REGISTRATION = _roots(_registration)
BLOCK = block_bytes(FULU, slot=SLOT, reveal=recovered_signature(RANDAO[0]))
VALUE = encode_validator_value(ValidatorValue(PROPOSAL, FULU, BLOCK))
BLOCK_ROOTS = tuple(
    item.root for item in Desk(_proposer()).begin().hear(2, 3).decide(VALUE).published[-1].items
)
QUERY = BlockQuery(SLOT, INDEX, recovered_signature(RANDAO[0]), bytes(32))

FIRST, SECOND = PartialKind.RANDAO, PartialKind.POST_CONSENSUS
HEARD = st.tuples(
    st.just("hear"), st.sampled_from([FIRST, SECOND]), st.integers(2, 4), st.booleans()
)
EVENTS = st.lists(
    st.one_of(
        HEARD,
        st.sampled_from([("decide",), ("block",), ("no block",), ("submitted", ""), ("round",)]),
        st.just(("submitted", "400")),
    ),
    max_size=24,
)


def _act(at: Desk, event: tuple[object, ...], roots: dict[PartialKind, tuple[bytes, ...]]) -> None:
    match event:
        case ("hear", PartialKind() as kind, int(sender), bool(is_good)):
            at.receive(message(sender, roots[kind], slot=SLOT, kind=kind, is_good=is_good))
        case ("decide",) if not at.duty.decided_value:
            at.decide(VALUE)
        case ("block",):
            at.carry_out(at.duty.provide(QUERY, BeaconObject(FULU, BLOCK)))
        case ("no block",):
            at.carry_out(at.duty.provide(QUERY, Unavailable(Reason.BN_DOWN)))
        case ("round",):
            at.carry_out(at.duty.enter_round(2))
        case ("submitted", str(error)) if at.submissions:
            results = tuple(Submitted(each, error) for each in at.submissions)
            at.carry_out(at.duty.submitted(results))


@given(EVENTS)
def test_proposal_ends_once_and_submits_at_most_one_verified_block(
    events: list[tuple[object, ...]],
) -> None:
    at = Desk(_proposer()).begin()
    for event in events:
        if at.duty.finished:
            break
        _act(at, event, {FIRST: RANDAO, SECOND: BLOCK_ROOTS})
    if not at.duty.finished:
        at.expire()
    (outcome,) = at.outcomes
    assert at.duty.finished
    assert at.opened <= 1
    assert len(at.queries) <= 1
    assert [each.data for each in at.submissions] in (
        [],
        [_signed_block()],
    )
    assert outcome.submitted == ((INDEX,) if outcome.reason is Reason.DONE else ())
    assert all(isinstance(each, Complain) for each in at.complaints)


def _signed_block() -> bytes:
    return signed_block(find_block(FULU, BLOCK), recovered_signature(BLOCK_ROOTS[0]))


@given(EVENTS)
def test_registration_ends_once_whatever_comes(events: list[tuple[object, ...]]) -> None:
    at = Desk(_registration()).begin()
    for event in events:
        if at.duty.finished:
            break
        try:
            _act(at, event, {FIRST: REGISTRATION, SECOND: REGISTRATION})
        except ProtocolFault:
            continue
    if not at.duty.finished:
        at.expire()
    (outcome,) = at.outcomes
    assert len(at.submissions) <= 1
    assert outcome.submitted == ((INDEX,) if outcome.reason is Reason.DONE else ())


@given(st.permutations([2, 3, 4]), st.integers(0, 3))
def test_one_bad_operator_never_stops_the_others(order: list[int], bad: int) -> None:
    at = Desk(_registration()).begin()
    for sender in order:
        at.hear(sender, is_good=sender != bad)
    assert len(at.submissions) == 1
    assert {each.blame for each in at.complaints} <= {bad}
