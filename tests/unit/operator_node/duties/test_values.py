"""What is inside a value, by role and generation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_node.duties.values import (
    MAX_CONTRIBUTIONS,
    Aggregate,
    Contribution,
    content_of,
    decode_contributions,
    decode_value,
    encode_contributions,
)
from operator_node.spec.blocks import BlockKind, ProposedBlock
from operator_node.spec.containers import AggregateAndProof, SyncCommitteeContribution
from operator_node.spec.operations import attestation_shape
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import encode
from operator_node.spec.versions import BELLATRIX, CAPELLA, ELECTRA, FULU, PHASE0
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole
from operator_node.wire.value_codec import encode_validator_value
from operator_node.wire.values import ValidatorValue
from sdk.types import Slot
from tests.unit.operator_node.duties.single_validator import blank, block_bytes, duty_of

ALAN, BOOLE = Generation.ALAN, Generation.BOOLE
PRESET = Preset.MAINNET
SLOT = Slot(77)
ITEM = Contribution(
    b"\x07" * 96, SyncCommitteeContribution(SLOT, bytes(32), 3, bytes(16), bytes(96)).encode()
)


def value(role: int, data: bytes, version: int = FULU) -> ValidatorValue:
    duty = replace(duty_of(BeaconRole.PROPOSER, SLOT), role=role)
    return ValidatorValue(duty, version, data)


def fault_of(role: int, data: bytes, version: int, generation: Generation) -> Fault:
    with pytest.raises(ProtocolFault) as found:
        content_of(value(role, data, version), generation=generation, preset=PRESET)
    return found.value.fault


@pytest.mark.parametrize("generation", list(Generation))
@pytest.mark.parametrize("version", range(CAPELLA, FULU + 1))
@pytest.mark.parametrize("is_blinded", [False, True])
def test_proposers_value_holds_a_block_of_either_kind(
    generation: Generation, version: int, is_blinded: bool
) -> None:
    data = block_bytes(version, slot=SLOT, is_blinded=is_blinded)
    found = content_of(
        value(BeaconRole.PROPOSER, data, version), generation=generation, preset=PRESET
    )
    assert isinstance(found, ProposedBlock)
    assert (found.kind is BlockKind.BLINDED, found.slot) == (is_blinded, SLOT)


@pytest.mark.parametrize("version", [0, BELLATRIX, FULU + 1, 100])
def test_block_of_an_unknown_version_has_its_own_fault(version: int) -> None:
    data = block_bytes(CAPELLA, slot=SLOT)
    assert fault_of(BeaconRole.PROPOSER, data, version, BOOLE) is Fault.UNKNOWN_BLOCK_VERSION


@pytest.mark.parametrize("cut", [0, 1, -1])
def test_bytes_that_are_no_block_are_malformed(cut: int) -> None:
    data = block_bytes(FULU, slot=SLOT)[:cut]
    assert fault_of(BeaconRole.PROPOSER, data, FULU, BOOLE) is Fault.MALFORMED


@pytest.mark.parametrize("version", [PHASE0, CAPELLA, ELECTRA, FULU])
def test_alans_aggregate_is_of_the_values_version(version: int) -> None:
    shape = attestation_shape(version, PRESET)
    data = AggregateAndProof(17, encode(shape, blank(shape)), bytes(96)).encode()
    found = content_of(value(BeaconRole.AGGREGATOR, data, version), generation=ALAN, preset=PRESET)
    assert isinstance(found, Aggregate)
    assert found.data == data
    other = ELECTRA if version < ELECTRA else CAPELLA
    assert fault_of(BeaconRole.AGGREGATOR, data, other, ALAN) is Fault.MALFORMED
    assert fault_of(BeaconRole.AGGREGATOR, data, 0, ALAN) is Fault.UNKNOWN_VERSION


def test_alans_contributions_are_a_list_with_offsets() -> None:
    for count in range(MAX_CONTRIBUTIONS + 1):
        data = encode_contributions([ITEM] * count)
        assert len(data) == count * (4 + 96 + 160)
        assert decode_contributions(data, PRESET).items == (ITEM,) * count


@pytest.mark.parametrize(
    "data",
    [
        encode_contributions([ITEM] * (MAX_CONTRIBUTIONS + 1)),
        encode_contributions([ITEM])[:-1],
        encode_contributions([ITEM]) + b"\0",
        ITEM.selection_proof + ITEM.contribution,
        b"\x0c\0\0\0" + bytes(10),
    ],
    ids=["too many", "cut", "trailing", "without offsets", "wrong offset"],
)
def test_other_bytes_are_no_contributions(data: bytes) -> None:
    role = BeaconRole.SYNC_CONTRIBUTION
    assert fault_of(role, data, FULU, ALAN) is Fault.MALFORMED


@pytest.mark.parametrize(
    ("role", "alan"),
    [
        (BeaconRole.ATTESTER, Fault.UNKNOWN_DUTY),
        (BeaconRole.SYNC_COMMITTEE, Fault.UNKNOWN_DUTY),
        (BeaconRole.VALIDATOR_REGISTRATION, Fault.REGISTRATION_HAS_NO_CONSENSUS),
        (BeaconRole.VOLUNTARY_EXIT, Fault.EXIT_HAS_NO_CONSENSUS),
        (100, Fault.UNKNOWN_DUTY),
    ],
)
def test_other_roles_have_no_value(role: int, alan: Fault) -> None:
    data = block_bytes(FULU, slot=SLOT)
    assert fault_of(role, data, FULU, ALAN) is alan
    assert fault_of(role, data, FULU, BOOLE) is Fault.UNKNOWN_DUTY


@pytest.mark.parametrize("role", [BeaconRole.AGGREGATOR, BeaconRole.SYNC_CONTRIBUTION])
def test_boole_knows_only_proposals(role: int) -> None:
    assert fault_of(role, b"", FULU, BOOLE) is Fault.UNKNOWN_DUTY


def test_frame_that_does_not_decode_is_a_fault_of_its_generation() -> None:
    good = value(BeaconRole.PROPOSER, b"anything")
    assert decode_value(encode_validator_value(good), BOOLE) == good
    for generation, fault in (
        (BOOLE, Fault.BLOCK_VALUE_MALFORMED),
        (ALAN, Fault.MALFORMED),
    ):
        with pytest.raises(ProtocolFault) as found:
            decode_value(bytes(40), generation)
        assert found.value.fault is fault
