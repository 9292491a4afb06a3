"""What a validator's value holds: the block, aggregate or contributions inside, for its role.

Pure. `operator_node.wire.value_codec` reads the frame, this module what is framed: whether the
bytes are the object that the duty in the value asks for, and what that object is. Whether it is the
object that *this* duty asks for is judged by `value_checks`.

Source: docs/protocol.md, "Consensus values" and "Value checks".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from operator_node.spec.blocks import ProposedBlock, find_block
from operator_node.spec.operations import aggregate_and_proof_shape, contribution_shape
from operator_node.spec.presets import Preset
from operator_node.spec.ssz import MalformedSsz, hash_tree_root
from operator_node.spec.versions import UnknownBlockVersion
from operator_node.wire.faults import Fault, ProtocolFault
from operator_node.wire.generations import Generation
from operator_node.wire.ids import BeaconRole
from operator_node.wire.ssz_lists import malformed, read_byte_lists, write_byte_lists
from operator_node.wire.value_codec import decode_validator_value
from operator_node.wire.values import DataVersion, ValidatorValue
from sdk.types import SIGNATURE_BYTES

MAX_CONTRIBUTIONS: Final = 13
"""As many positions in a sync committee as a duty can name."""
AGGREGATES_KEPT: Final = 16
"""Aggregates hashed last, of 17 kB at most: each is judged when it is supplied, when it is proposed
and when it is decided."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An encoded AggregateAndProof of the value's fork, with its hash tree root."""

    data: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class Contribution:
    """An encoded SyncCommitteeContribution, and the proof that chose the validator for it."""

    selection_proof: bytes
    contribution: bytes


@dataclass(frozen=True, slots=True)
class Contributions:
    """Those of one validator, one per subnet that drew it."""

    items: tuple[Contribution, ...]


Content: TypeAlias = ProposedBlock | Aggregate | Contributions


def decode_value(data: bytes, generation: Generation) -> ValidatorValue:
    """The frame of a value: a duty, a version and an object that stays encoded.

    Raises:
        ProtocolFault: `BLOCK_VALUE_MALFORMED`, in Alan plainly `MALFORMED`.
    """
    try:
        return decode_validator_value(data)
    except ProtocolFault as problem:
        if generation is Generation.ALAN:
            raise
        raise ProtocolFault(Fault.BLOCK_VALUE_MALFORMED, problem.message) from problem


def content_of(value: ValidatorValue, *, generation: Generation, preset: Preset) -> Content:
    """The object that the value's own duty asks for; a block in Boole, any of three in Alan.

    Raises:
        ProtocolFault: `UNKNOWN_DUTY` or a fault of the same meaning for a duty without such an
            object, `UNKNOWN_BLOCK_VERSION` or `UNKNOWN_VERSION`, or `MALFORMED`.
    """
    role = value.duty.role
    if role == BeaconRole.PROPOSER:
        return decode_block(value, preset)
    if generation is Generation.ALAN:
        match role:
            case BeaconRole.AGGREGATOR:
                return decode_aggregate(value, preset)
            case BeaconRole.SYNC_CONTRIBUTION:
                return decode_contributions(value.data, preset)
            case BeaconRole.VALIDATOR_REGISTRATION:
                fault = Fault.REGISTRATION_HAS_NO_CONSENSUS
                raise ProtocolFault(fault, "a validator registration has no value")
            case BeaconRole.VOLUNTARY_EXIT:
                raise ProtocolFault(Fault.EXIT_HAS_NO_CONSENSUS, "a voluntary exit has no value")
    raise ProtocolFault(Fault.UNKNOWN_DUTY, f"no value is of a duty with beacon role {role}")


def decode_block(value: ValidatorValue, preset: Preset) -> ProposedBlock:
    """The block in a value, blinded or full; with its blobs from Deneb on if it is full.

    Raises:
        ProtocolFault: `UNKNOWN_BLOCK_VERSION`, or `MALFORMED` if it is neither.
    """
    try:
        return find_block(value.version, value.data, preset)
    except UnknownBlockVersion as problem:
        raise ProtocolFault(Fault.UNKNOWN_BLOCK_VERSION, problem.message) from problem
    except MalformedSsz as problem:
        raise malformed(problem.message) from problem


def decode_aggregate(value: ValidatorValue, preset: Preset) -> Aggregate:
    """The AggregateAndProof in a value.

    Raises:
        ProtocolFault: `UNKNOWN_VERSION`, or `MALFORMED`.
    """
    if not DataVersion.PHASE0 <= value.version <= DataVersion.FULU:
        raise ProtocolFault(Fault.UNKNOWN_VERSION, f"no aggregate has version {value.version}")
    try:
        return _find_aggregate(value.version, value.data, preset)
    except MalformedSsz as problem:
        raise malformed(problem.message) from problem


@lru_cache(AGGREGATES_KEPT)
def _find_aggregate(version: int, data: bytes, preset: Preset) -> Aggregate:
    return Aggregate(data, hash_tree_root(aggregate_and_proof_shape(version, preset), data))


def decode_contributions(data: bytes, preset: Preset) -> Contributions:
    """The contributions in a value.

    Every item has the same size; the list carries offsets all the same, as nodes of Alan write it.

    Raises:
        ProtocolFault: `MALFORMED`.
    """
    # All bytes of that size encode a contribution: its bits fill whole bytes in every preset.
    size = SIGNATURE_BYTES + (contribution_shape(preset).size or 0)
    items = read_byte_lists(data, max_items=MAX_CONTRIBUTIONS, max_bytes=size, what="contributions")
    if any(len(item) != size for item in items):
        raise malformed(f"a contribution with its proof has {size} bytes, got {len(data)} in all")
    return Contributions(
        tuple(Contribution(item[:SIGNATURE_BYTES], item[SIGNATURE_BYTES:]) for item in items)
    )


def encode_contributions(contributions: Iterable[Contribution]) -> bytes:
    """The list as `decode_contributions` reads it; at most 13 items."""
    return write_byte_lists([each.selection_proof + each.contribution for each in contributions])
