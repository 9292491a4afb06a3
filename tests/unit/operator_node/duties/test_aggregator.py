"""Alan's aggregation: a lottery, one aggregate, one signature."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties.aggregator import AggregatorDuty
from operator_node.duties.reasons import Reason
from operator_node.duties.types import (
    AggregateQuery,
    BeaconObject,
    Step,
    SubmissionKind,
    Unavailable,
    ValueCheck,
)
from operator_node.qbft.types import Verdict
from operator_node.spec.containers import AggregateAndProof
from operator_node.spec.networks import MAINNET
from operator_node.spec.operations import (
    aggregate_and_proof_shape,
    attestation_shape,
    signed_aggregate_and_proof_shape,
)
from operator_node.spec.presets import Preset
from operator_node.spec.signing import SigningDomain, signing_root, uint64_root
from operator_node.spec.ssz import encode, field, hash_tree_root
from operator_node.spec.versions import DENEB, FULU
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole
from operator_node.wire.messages import PartialKind
from operator_node.wire.value_codec import encode_validator_value
from operator_node.wire.values import ValidatorDuty, ValidatorValue
from sdk.types import Signature, Slot
from tests.unit.operator_node.duties.single_validator import (
    INDEX,
    SHARE,
    SLOTS_PER_EPOCH,
    Desk,
    blank,
    duty_of,
    first_slot,
    message,
    recovered_signature,
    setting,
)

ALAN = setting(Generation.ALAN)
PRESET = Preset.MAINNET


def duty_in(slot: Slot, *, committee_length: int = 16) -> ValidatorDuty:
    return duty_of(
        BeaconRole.AGGREGATOR, slot, committee_index=5, committee_length=committee_length
    )


def desk(slot: Slot, **more: int) -> Desk:
    return Desk(AggregatorDuty(ALAN, duty_in(slot, **more), SHARE)).begin()


def proof_of(slot: Slot) -> Signature:
    domain = MAINNET.domain(SigningDomain.SELECTION_PROOF, slot // SLOTS_PER_EPOCH)
    return recovered_signature(signing_root(uint64_root(slot), domain))


def attestation(version: int) -> bytes:
    return encode(attestation_shape(version, PRESET), blank(attestation_shape(version, PRESET)))


def value_of(slot: Slot, version: int, data: bytes | None = None) -> bytes:
    proof = AggregateAndProof(INDEX, attestation(version), proof_of(slot)).encode()
    return encode_validator_value(
        ValidatorValue(duty_in(slot), version, proof if data is None else data)
    )


def not_drawn() -> Slot:
    """A slot in which the lottery of a large committee does not choose the validator."""
    start = first_slot(FULU)
    return next(
        Slot(slot)
        for slot in range(start, start + 100)
        if not desk(Slot(slot), committee_length=512).hear(2, 3).queries
    )


def test_slot_is_signed_under_the_selection_domain() -> None:
    slot = first_slot(FULU)
    (body,) = desk(slot).published
    domain = MAINNET.domain(SigningDomain.SELECTION_PROOF, slot // SLOTS_PER_EPOCH)
    assert (body.kind, body.slot) == (PartialKind.SELECTION_PROOF, slot)
    assert [item.root for item in body.items] == [signing_root(uint64_root(slot), domain)]


def test_validator_that_is_not_drawn_is_done_with_nothing_to_do() -> None:
    at = desk(not_drawn(), committee_length=512).hear(2, 3)
    assert [outcome.reason for outcome in at.outcomes] == [Reason.NOTHING_SELECTED]
    assert (at.opened, at.queries) == (0, [])
    assert at.duty.finished


def test_small_committee_draws_everybody() -> None:
    at = desk(not_drawn(), committee_length=16).hear(2, 3)
    assert at.opened == 1


def test_drawn_validator_opens_consensus_and_asks_for_its_aggregate() -> None:
    slot = first_slot(FULU)
    at = desk(slot).hear(2, 3)
    assert at.opened == 1
    assert at.queries == [AggregateQuery(slot, 5, INDEX, proof_of(slot))]


@pytest.mark.parametrize("version", [DENEB, FULU])
def test_aggregate_is_proposed_decided_signed_and_submitted(version: int) -> None:
    slot = first_slot(version)
    at = desk(slot).hear(2, 3).provide(BeaconObject(version, attestation(version)))
    assert at.proposals == [value_of(slot, version)]
    assert at.duty.check_value(at.proposals[0], round_number=1) is Verdict.VALID

    at.decide(at.proposals[0])
    proof = AggregateAndProof(INDEX, attestation(version), proof_of(slot)).encode()
    domain = MAINNET.domain(SigningDomain.AGGREGATE_AND_PROOF, slot // SLOTS_PER_EPOCH)
    root = signing_root(hash_tree_root(aggregate_and_proof_shape(version, PRESET), proof), domain)
    assert [item.root for item in at.published[-1].items] == [root]
    assert at.asked[-1].guard is None

    (submission,) = at.hear(2, 3).submissions
    shape = signed_aggregate_and_proof_shape(version, PRESET)
    assert (submission.kind, submission.version) == (SubmissionKind.AGGREGATE, version)
    assert bytes(field(shape, submission.data, "message")) == proof
    assert bytes(field(shape, submission.data, "signature")) == recovered_signature(root)
    assert submission.root == hash_tree_root(shape, submission.data)
    assert at.submit().outcomes[0].reason is Reason.DONE
    assert at.steps[-1] is Step.SUBMITTED


def test_without_an_aggregate_of_its_own_a_node_follows_a_leader() -> None:
    slot = first_slot(FULU)
    at = desk(slot).hear(2, 3).provide(Unavailable(Reason.BN_DOWN))
    assert not at.proposals
    assert at.duty.check_value(value_of(slot, FULU), round_number=1) is Verdict.VALID


def test_proof_that_comes_after_the_decision_opens_nothing() -> None:
    slot = first_slot(FULU)
    at = desk(slot).hear(2)
    at.decide(value_of(slot, FULU))
    roots = [item.root for item in at.published[0].items]
    at.receive(message(3, roots, slot=slot, kind=PartialKind.SELECTION_PROOF))
    assert (at.opened, at.queries) == (0, [])


@pytest.mark.parametrize(
    ("version", "data", "fault"),
    [
        (FULU, b"", Fault.VALUE_INVALID),
        (DENEB, None, Fault.VALUE_INVALID),
        (99, None, Fault.VALUE_INVALID),
    ],
)
def test_value_without_an_aggregate_of_its_version_is_refused(
    version: int, data: bytes | None, fault: Fault
) -> None:
    slot = first_slot(FULU)
    proof = AggregateAndProof(INDEX, attestation(FULU), proof_of(slot)).encode()
    value = encode_validator_value(
        ValidatorValue(duty_in(slot), version, proof if data is None else data)
    )
    with pytest.raises(ProtocolFault) as refusal:
        desk(slot).duty.check_value(value, round_number=1)
    assert refusal.value.fault is fault


@pytest.mark.parametrize("slots", [-5, 1, 20])
def test_value_of_another_slot_is_refused_by_choice(slots: int) -> None:
    """A leader could else have the committee sign under a slot whose messages peers refuse."""
    slot = first_slot(FULU)
    proof = AggregateAndProof(INDEX, attestation(FULU), proof_of(slot)).encode()
    elsewhere = replace(duty_in(slot), slot=Slot(slot + slots))
    value = encode_validator_value(ValidatorValue(elsewhere, FULU, proof))
    with pytest.raises(ProtocolFault) as refusal:
        desk(slot).duty.check_value(value, round_number=1)
    assert refusal.value.fault is Fault.VALUE_INVALID
    lenient = replace(ALAN, value_check=ValueCheck.NETWORK)
    duty = AggregatorDuty(lenient, duty_in(slot), SHARE)
    assert duty.check_value(value, round_number=1) is Verdict.VALID


def test_value_of_a_proposal_is_the_wrong_role_in_an_aggregators_consensus() -> None:
    slot = first_slot(FULU)
    other = ValidatorValue(
        duty_of(BeaconRole.SYNC_CONTRIBUTION, slot), FULU, b""
    )  # an empty list of contributions
    with pytest.raises(ProtocolFault) as refusal:
        desk(slot).duty.check_value(encode_validator_value(other), round_number=1)
    assert refusal.value.fault is Fault.WRONG_BEACON_ROLE


def test_time_over_without_aggregate_is_the_beacon_nodes_lateness() -> None:
    assert desk(first_slot(FULU)).hear(2, 3).expire().reason is Reason.BN_LATE
