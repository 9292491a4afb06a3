"""What we build is encoded as the specification says."""

from __future__ import annotations

from typing import Any

import pytest

from operator_node.spec import Preset, containers, ssz
from operator_node.spec import operations as ops
from operator_node.spec.containers import (
    AggregateAndProof,
    Attestation,
    AttestationData,
    AttestationElectra,
    ContributionAndProof,
    SignedAggregateAndProof,
    SignedContributionAndProof,
    SignedValidatorRegistration,
    SignedVoluntaryExit,
    SingleAttestation,
    SyncAggregatorSelectionData,
    SyncCommitteeContribution,
    SyncCommitteeMessage,
    ValidatorRegistration,
    VoluntaryExit,
    bit_list,
    bit_vector,
)
from sdk.errors import UsageError
from tests.unit.operator_node.spec.reference import random_bytes

MAINNET = Preset.MAINNET
SIGNATURE, PROOF = bytes([1]) * 96, bytes([2]) * 96
HEAD, SOURCE, TARGET = (bytes([fill]) * 32 for fill in (3, 4, 5))
DATA = AttestationData(
    slot=6,
    index=7,
    beacon_block_root=HEAD,
    source_epoch=8,
    source_root=SOURCE,
    target_epoch=9,
    target_root=TARGET,
)
DATA_VALUE = {
    "slot": 6,
    "index": 7,
    "beacon_block_root": HEAD,
    "source": {"epoch": 8, "root": SOURCE},
    "target": {"epoch": 9, "root": TARGET},
}


def bits(length: int, *set_bits: int) -> tuple[bool, ...]:
    return tuple(place in set_bits for place in range(length))


@pytest.mark.parametrize(
    ("value", "shape", "expected"),
    [
        (DATA, ops.ATTESTATION_DATA, DATA_VALUE),
        (
            Attestation(bit_list(9, (8,)), DATA.encode(), SIGNATURE),
            ops.attestation_shape(5, MAINNET),
            {"aggregation_bits": bits(9, 8), "data": DATA_VALUE, "signature": SIGNATURE},
        ),
        (
            AttestationElectra(
                bit_list(8, (0, 7)), DATA.encode(), SIGNATURE, bit_vector(64, (63,))
            ),
            ops.attestation_shape(6, MAINNET),
            {
                "aggregation_bits": bits(8, 0, 7),
                "data": DATA_VALUE,
                "signature": SIGNATURE,
                "committee_bits": bits(64, 63),
            },
        ),
        (
            AttestationElectra(bit_list(0), DATA.encode(), SIGNATURE, bit_vector(4, (3,))),
            ops.attestation_shape(7, Preset.MINIMAL),
            {
                "aggregation_bits": (),
                "data": DATA_VALUE,
                "signature": SIGNATURE,
                "committee_bits": bits(4, 3),
            },
        ),
        (
            SingleAttestation(1, 2, DATA.encode(), SIGNATURE),
            ops.SINGLE_ATTESTATION,
            {
                "committee_index": 1,
                "attester_index": 2,
                "data": DATA_VALUE,
                "signature": SIGNATURE,
            },
        ),
        (
            SyncCommitteeMessage(1, HEAD, 2, SIGNATURE),
            ops.SYNC_COMMITTEE_MESSAGE,
            {
                "slot": 1,
                "beacon_block_root": HEAD,
                "validator_index": 2,
                "signature": SIGNATURE,
            },
        ),
        (
            SyncCommitteeContribution(1, HEAD, 3, bit_vector(128, (0, 127)), SIGNATURE),
            ops.contribution_shape(MAINNET),
            {
                "slot": 1,
                "beacon_block_root": HEAD,
                "subcommittee_index": 3,
                "aggregation_bits": bits(128, 0, 127),
                "signature": SIGNATURE,
            },
        ),
        (
            SyncAggregatorSelectionData(1, 3),
            ops.SYNC_AGGREGATOR_SELECTION_DATA,
            {"slot": 1, "subcommittee_index": 3},
        ),
        (
            SignedValidatorRegistration(
                ValidatorRegistration(bytes([1]) * 20, 2, 3, bytes([4]) * 48), SIGNATURE
            ),
            ops.SIGNED_VALIDATOR_REGISTRATION,
            {
                "message": {
                    "fee_recipient": bytes([1]) * 20,
                    "gas_limit": 2,
                    "timestamp": 3,
                    "pubkey": bytes([4]) * 48,
                },
                "signature": SIGNATURE,
            },
        ),
        (
            SignedVoluntaryExit(VoluntaryExit(1, 2), SIGNATURE),
            ops.SIGNED_VOLUNTARY_EXIT,
            {"message": {"epoch": 1, "validator_index": 2}, "signature": SIGNATURE},
        ),
    ],
)
def test_a_value_is_encoded_field_by_field(
    value: Any, shape: ssz.Container, expected: dict[str, ssz.Value]
) -> None:
    assert ssz.decode(shape, value.encode()) == expected


@pytest.mark.parametrize("version", [1, 6])
def test_an_aggregate_is_framed_as_it_came(version: int) -> None:
    aggregate = random_bytes(ops.attestation_shape(version, MAINNET), seed=1)
    message = AggregateAndProof(5, aggregate, PROOF).encode()
    signed = SignedAggregateAndProof(message, SIGNATURE).encode()
    shape = ops.signed_aggregate_and_proof_shape(version, MAINNET)
    ssz.check(shape, signed)
    assert ssz.field(shape, signed, "message") == message
    assert ssz.field(shape, signed, "message", "aggregator_index") == b"\5" + bytes(7)
    assert ssz.field(shape, signed, "message", "aggregate") == aggregate
    assert ssz.field(shape, signed, "message", "selection_proof") == PROOF
    assert ssz.field(shape, signed, "signature") == SIGNATURE


def test_a_contribution_is_framed_as_it_came() -> None:
    contribution = random_bytes(ops.contribution_shape(MAINNET), seed=1)
    message = ContributionAndProof(5, contribution, PROOF).encode()
    signed = SignedContributionAndProof(message, SIGNATURE).encode()
    shape = ops.signed_contribution_and_proof_shape(MAINNET)
    ssz.check(shape, signed)
    assert ssz.field(shape, signed, "message") == message
    assert ssz.field(shape, signed, "message", "aggregator_index") == b"\5" + bytes(7)
    assert ssz.field(shape, signed, "message", "contribution") == contribution
    assert ssz.field(shape, signed, "message", "selection_proof") == PROOF
    assert ssz.field(shape, signed, "signature") == SIGNATURE


@pytest.mark.parametrize("length", [1, 7, 8, 9, 128, 2048])
def test_bits_are_those_of_ssz(length: int) -> None:
    places = {0, length // 2, length - 1}
    expected = bits(length, *places)
    assert ssz.decode(ssz.Bitlist(2048), bit_list(length, places)) == expected
    assert ssz.decode(ssz.Bitvector(length), bit_vector(length, places)) == expected


@pytest.mark.parametrize("place", [-1, 8])
def test_a_bit_outside_its_list_is_refused(place: int) -> None:
    for make in (containers.bit_list, containers.bit_vector):
        with pytest.raises(UsageError):
            make(8, (place,))
