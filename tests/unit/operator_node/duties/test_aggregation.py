"""The rules of an aggregator committee's value, what is signed before and after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from operator_node.duties.aggregation import (
    Endorsement,
    check_value,
    endorsements_of,
    read_value,
    selections_of,
    submission_of,
)
from operator_node.duties.types import SubmissionKind
from operator_node.spec.containers import SyncAggregatorSelectionData
from operator_node.spec.networks import MAINNET
from operator_node.spec.operations import (
    attestation_shape,
    contribution_shape,
    signed_aggregate_and_proof_shape,
    signed_contribution_and_proof_shape,
)
from operator_node.spec.presets import Preset
from operator_node.spec.signing import (
    SigningDomain,
    signing_root,
    sync_selection_data_root,
    uint64_root,
)
from operator_node.spec.ssz import decode, encode, hash_tree_root
from operator_node.spec.versions import DENEB, FULU
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.ids import BeaconRole
from operator_node.wire.value_codec import encode_aggregator_committee_value
from operator_node.wire.values import AggregatorCommitteeValue, Assigned
from sdk.types import Signature
from tests.unit.operator_node.duties.many_validators import duty_for
from tests.unit.operator_node.duties.single_validator import blank, first_slot

SLOT = first_slot(FULU)
PRESET = Preset.MAINNET
PROOF = bytes(96)
ATTESTATION = encode(attestation_shape(FULU, PRESET), blank(attestation_shape(FULU, PRESET)))
OLD_ATTESTATION = encode(attestation_shape(DENEB, PRESET), blank(attestation_shape(DENEB, PRESET)))


def contribution(subnet: int) -> bytes:
    shape = contribution_shape(PRESET)
    value = blank(shape)
    assert isinstance(value, dict)
    return encode(shape, {**value, "subcommittee_index": subnet})


VALUE = AggregatorCommitteeValue(
    version=FULU,
    aggregators=(Assigned(17, PROOF, 3), Assigned(18, PROOF, 5), Assigned(19, PROOF, 3)),
    committee_indexes=(3, 5),
    attestations=(ATTESTATION, ATTESTATION),
    contributors=(Assigned(17, PROOF, 0), Assigned(18, PROOF, 2)),
    contributions=(contribution(0), contribution(2)),
)

Change = Callable[[AggregatorCommitteeValue], AggregatorCommitteeValue]
Wanted = Callable[[BeaconRole, Assigned], bool]


def test_consistent_value_is_accepted_in_parts_too() -> None:
    check_value(VALUE, PRESET)
    check_value(replace(VALUE, contributors=(), contributions=()), PRESET)
    check_value(replace(VALUE, aggregators=(), committee_indexes=(), attestations=()), PRESET)
    assert read_value(encode_aggregator_committee_value(VALUE), PRESET) == VALUE


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda v: replace(v, aggregators=(), contributors=()), Fault.NO_VALIDATORS),
        (lambda v: replace(v, attestations=(ATTESTATION,)), Fault.ATTESTATION_COUNT),
        (lambda v: replace(v, committee_indexes=(3, 3)), Fault.COMMITTEE_INDEX_REPEATED),
        (lambda v: replace(v, committee_indexes=(3, 6)), Fault.COMMITTEE_INDEX_MISSING),
        (lambda v: replace(v, aggregators=v.aggregators[:1]), Fault.COMMITTEE_INDEX_UNUSED),
        (lambda v: replace(v, version=0), Fault.UNKNOWN_VERSION),
        (lambda v: replace(v, version=8), Fault.UNKNOWN_VERSION),
        (lambda v: replace(v, version=DENEB), Fault.ATTESTATION_MALFORMED),
        (
            lambda v: replace(v, attestations=(ATTESTATION, ATTESTATION + b"\0" * 20_000)),
            Fault.ATTESTATION_MALFORMED,
        ),
        (
            lambda v: replace(v, contributions=(contribution(0), contribution(0))),
            Fault.SUBNET_REPEATED,
        ),
        (
            lambda v: replace(v, contributions=(contribution(0), contribution(1))),
            Fault.SUBNET_MISSING,
        ),
        (lambda v: replace(v, contributors=v.contributors[:1]), Fault.SUBNET_UNUSED),
    ],
)
def test_first_broken_rule_is_named(change: Change, fault: Fault) -> None:
    with pytest.raises(ProtocolFault) as caught:
        check_value(change(VALUE), PRESET)
    assert caught.value.fault is fault


def test_rules_are_asked_in_the_order_of_the_protocol() -> None:
    """Each of these breaks everything from a rule on; the first of them is named."""
    broken = replace(
        VALUE,
        aggregators=VALUE.aggregators[:1],
        committee_indexes=(7, 7),
        attestations=(b"",),
        contributions=(),
    )
    faults = []
    for fixed in (
        broken,
        replace(broken, attestations=(b"", b"")),
        replace(broken, attestations=(b"", b""), committee_indexes=(7, 8)),
        replace(broken, attestations=(b"", b""), committee_indexes=(3, 8)),
        replace(broken, attestations=(b"",), committee_indexes=(3,)),
        replace(broken, attestations=(ATTESTATION,), committee_indexes=(3,)),
    ):
        with pytest.raises(ProtocolFault) as caught:
            check_value(fixed, PRESET)
        faults.append(caught.value.fault)
    assert faults == [
        Fault.ATTESTATION_COUNT,
        Fault.COMMITTEE_INDEX_REPEATED,
        Fault.COMMITTEE_INDEX_MISSING,
        Fault.COMMITTEE_INDEX_UNUSED,
        Fault.ATTESTATION_MALFORMED,
        Fault.SUBNET_MISSING,
    ]


def test_attestations_of_earlier_forks_have_their_own_form() -> None:
    value = replace(VALUE, version=DENEB, attestations=(OLD_ATTESTATION, OLD_ATTESTATION))
    check_value(value, PRESET)


def test_bytes_that_are_no_value_are_malformed() -> None:
    with pytest.raises(ProtocolFault) as caught:
        read_value(b"\x01", PRESET)
    assert caught.value.fault is Fault.AGGREGATES_MALFORMED


def test_aggregator_signs_the_slot_and_contributor_each_subnet_once() -> None:
    aggregator = duty_for(BeaconRole.AGGREGATOR, 17, SLOT)
    contributor = duty_for(
        BeaconRole.SYNC_CONTRIBUTION, 18, SLOT, sync_committee_indices=(300, 0, 1, 301, 129)
    )
    found = selections_of([contributor, aggregator], MAINNET)
    assert [(each.duty.validator_index, each.place) for each in found] == [
        (18, 2),
        (18, 0),
        (18, 1),
        (17, 3),
    ]
    epoch = MAINNET.epoch_of(SLOT)
    slot_root = signing_root(
        uint64_root(SLOT), MAINNET.domain(SigningDomain.SELECTION_PROOF, epoch)
    )
    subnet_root = signing_root(
        sync_selection_data_root(SyncAggregatorSelectionData(SLOT, 2)),
        MAINNET.domain(SigningDomain.SYNC_SELECTION_PROOF, epoch),
    )
    assert (found[3].root, found[0].root) == (slot_root, subnet_root)


def endorsements(is_wanted: Wanted = lambda _role, _who: True) -> list[Endorsement]:
    return endorsements_of(VALUE, MAINNET, SLOT, is_wanted=is_wanted)


def test_endorsements_follow_the_value_aggregators_first() -> None:
    found = endorsements()
    assert [(each.role, each.validator_index, each.place) for each in found] == [
        (BeaconRole.AGGREGATOR, 17, 3),
        (BeaconRole.AGGREGATOR, 18, 5),
        (BeaconRole.AGGREGATOR, 19, 3),
        (BeaconRole.SYNC_CONTRIBUTION, 17, 0),
        (BeaconRole.SYNC_CONTRIBUTION, 18, 2),
    ]
    assert len({each.root for each in found}) == len(found)


def test_endorsement_signs_the_object_that_is_submitted() -> None:
    for endorsement, kind, shape, domain in (
        (
            endorsements()[0],
            SubmissionKind.AGGREGATE,
            signed_aggregate_and_proof_shape(FULU, PRESET),
            SigningDomain.AGGREGATE_AND_PROOF,
        ),
        (
            endorsements()[3],
            SubmissionKind.CONTRIBUTION,
            signed_contribution_and_proof_shape(PRESET),
            SigningDomain.CONTRIBUTION_AND_PROOF,
        ),
    ):
        item = submission_of(endorsement, Signature(b"\x07" * 96), FULU)
        read = decode(shape, item.data)
        assert isinstance(read, dict)
        message_shape = shape.fields[0][1]
        root = hash_tree_root(message_shape, endorsement.message)
        epoch = MAINNET.epoch_of(SLOT)
        assert endorsement.root == signing_root(root, MAINNET.domain(domain, epoch))
        assert read["signature"] == b"\x07" * 96
        assert (item.kind, item.validator_index) == (kind, 17)
        assert item.root == hash_tree_root(shape, item.data)


def test_only_what_is_wanted_is_endorsed() -> None:
    found = endorsements(
        lambda role, who: role is BeaconRole.AGGREGATOR and who.committee_index == 3
    )
    assert [each.validator_index for each in found] == [17, 19]


def test_objects_that_nobody_here_publishes_are_not_looked_at() -> None:
    """Hashing them would raise; a value names thousands of strangers."""
    spoiled = replace(VALUE, attestations=(ATTESTATION, b"spoiled"), contributors=())
    found = endorsements_of(
        spoiled, MAINNET, SLOT, is_wanted=lambda _role, who: who.committee_index == 3
    )
    assert [each.validator_index for each in found] == [17, 19]
