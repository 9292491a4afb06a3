"""The families about values whose beacon objects are read, those of value checks included."""

from __future__ import annotations

from functools import partial
from typing import Any

from operator_node.duties.aggregation import check_value
from operator_node.duties.values import content_of, decode_block
from operator_node.spec.block_shapes import block_shape, withdrawals_shape
from operator_node.spec.blocks import BlockKind
from operator_node.spec.operations import contribution_shape
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import encode, field, hash_tree_root
from operator_node.wire.faults import ProtocolFault
from operator_node.wire.roots import root_of
from operator_node.wire.value_codec import decode_validator_value, encode_validator_value
from operator_node.wire.values import (
    AggregatorCommitteeValue,
    Assigned,
    DataVersion,
    ValidatorValue,
)
from sdk.deposits import deposit_message_root, deposit_signing_root
from tests.vectors.case import expect
from tests.vectors.ssv import reading
from tests.vectors.ssv.archive import Vectors
from tests.vectors.ssv.errors import expected_fault, fault_of
from tests.vectors.ssv.types_families import Data, Family, whole
from tests.vectors.ssv.value_checks import run_several, run_value_check

PRESET = Preset.MAINNET
DEPOSIT_GWEI = 32_000_000_000


def version_named(name: str) -> int:
    """The number of a fork that a case names."""
    return DataVersion[name.upper()]


def _content(vectors: Vectors, data: Data) -> None:
    row = data["ConsensusData"]
    value = ValidatorValue(
        reading.validator_duty(row["Duty"]),
        version_named(row["Version"]),
        reading.raw(row["DataSSZ"]),
    )
    found = fault_of(partial(content_of, value, generation=vectors.generation, preset=PRESET))
    expect(found, expected_fault(data["ExpectedErrorCode"], vectors.generation), "fault")


def _proposal(vectors: Vectors, data: Data) -> None:
    encoded = reading.raw(data["DataCd"])
    value = decode_validator_value(encoded)
    wanted = expected_fault(data["ExpectedErrorCode"], vectors.generation)
    try:
        block = decode_block(value, PRESET)
    except ProtocolFault as problem:
        expect(int(problem.fault), wanted, "fault")
        return
    expect(0, wanted, "fault")
    expect(block.kind is BlockKind.BLINDED, data["Blinded"], "blinded")
    expect(block.data.hex(), reading.raw(data["DataBlk"]).hex(), "block")
    expect(block.root.hex(), data["ExpectedBlkRoot"], "root of the block")
    expect(encode_validator_value(value).hex(), encoded.hex(), "encoded again")
    expect(root_of(value, vectors.generation).hex(), data["ExpectedCdRoot"], "root of the value")


def _withdrawals(vectors: Vectors, data: Data) -> None:
    value = decode_validator_value(reading.raw(data["Data"]))
    block = decode_block(value, PRESET)
    shape = block_shape(block.version, PRESET)
    found = field(shape, block.block, "body", "execution_payload", "withdrawals")
    root = hash_tree_root(withdrawals_shape(PRESET), found)
    expect(root.hex(), data["ExpectedRoot"], "root of the withdrawals")


def _deposit(_vectors: Vectors, data: Data) -> None:
    message_root = deposit_message_root(
        reading.hexed(data["ValidatorPK"]),
        reading.hexed(data["WithdrawalCredentials"]),
        DEPOSIT_GWEI,
    )
    root = deposit_signing_root(message_root, reading.hexed(data["ForkVersion"]))
    expect(root.hex(), data["ExpectedSigningRoot"], "signing root")


def _aggregator_committee(vectors: Vectors, data: Data) -> None:
    value = _aggregator_committee_value(data["AggCommConsensusData"])
    found = fault_of(partial(check_value, value, PRESET))
    expect(found, expected_fault(data["ExpectedErrorCode"], vectors.generation), "fault")


def _aggregator_committee_value(row: Data) -> AggregatorCommitteeValue:
    return AggregatorCommitteeValue(
        version=version_named(row["Version"]),
        aggregators=_assigned(row["Aggregators"]),
        committee_indexes=tuple(
            reading.number(each) for each in reading.rows(row["AggregatorsCommitteeIndexes"])
        ),
        attestations=tuple(
            reading.raw(each) for each in reading.rows(row["AggregatedAttestations"])
        ),
        contributors=_assigned(row["Contributors"]),
        contributions=tuple(
            _contribution(each) for each in reading.rows(row["SyncCommitteeContributions"])
        ),
    )


def _assigned(rows: Any) -> tuple[Assigned, ...]:
    return tuple(
        Assigned(
            reading.number(each["ValidatorIndex"]),
            reading.hexed(each["SelectionProof"]),
            reading.number(each["CommitteeIndex"]),
        )
        for each in reading.rows(rows)
    )


def _contribution(row: Data) -> bytes:
    bits = int.from_bytes(reading.hexed(row["aggregation_bits"]), "little")
    count = PRESET.sizes.sync_subcommittee_size
    return encode(
        contribution_shape(PRESET),
        {
            "slot": reading.number(row["slot"]),
            "beacon_block_root": reading.hexed(row["beacon_block_root"]),
            "subcommittee_index": reading.number(row["subcommittee_index"]),
            "aggregation_bits": tuple(bool(bits >> place & 1) for place in range(count)),
            "signature": reading.hexed(row["signature"]),
        },
    )


FAMILIES: dict[str, Family] = {
    "aggregatorcommitteeconsensusdata.AggregatorCommitteeConsensusDataTest": whole(
        _aggregator_committee
    ),
    "beacon.DepositDataSpecTest": whole(_deposit),
    "consensusdataproposer.ProposerSpecTest": whole(_proposal),
    "proposerconsensusdata.ProposerConsensusDataTest": whole(_content),
    "ssz.SSZSpecTest": whole(_withdrawals),
    "validatorconsensusdata.ValidatorConsensusDataTest": whole(_content),
    "valcheck.MultiSpecTest": run_several,
    "valcheck.SpecTest": whole(run_value_check),
}
