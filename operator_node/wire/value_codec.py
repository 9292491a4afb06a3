"""Consensus values, and the duties inside them, to bytes and back.

Pure. Reading is strict, as in `codec`. Beacon objects inside a value stay bytes, bounded only;
whether they are what the duty asks for is judged by `operator_node.duties`.

Source: docs/protocol.md, "Wire containers", consensus values.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from hashlib import sha256
from typing import Final

from operator_node.wire.ssz_lists import (
    fixed,
    malformed,
    read_byte_lists,
    read_uint64s,
    write_byte_lists,
    write_uint64s,
    writes_ssz,
)
from operator_node.wire.values import (
    AggregatorCommitteeValue,
    Assigned,
    BeaconVote,
    Checkpoint,
    ValidatorDuty,
    ValidatorValue,
)
from sdk.types import PUBLIC_KEY_BYTES, SIGNATURE_BYTES

ROOT_BYTES: Final = 32
MAX_SYNC_INDICES: Final = 13
"""Positions of one validator in the sync committee that a duty can name."""
MAX_OBJECT_BYTES: Final = 8_388_608
"""8 MiB: a block with its blobs' commitments, proofs and blobs."""
MAX_AGGREGATORS: Final = 3000
"""Validators of one committee that may aggregate in one slot."""
MAX_BEACON_COMMITTEES: Final = 64
"""Beacon committees in one slot (consensus-specs, phase0/beacon-chain.md)."""
MAX_ATTESTATION_BYTES: Final = 131_308
"""An attestation of Electra with every validator of every committee."""
MAX_CONTRIBUTORS: Final = 2048
"""Positions in the four sync subcommittees: aggregators of one committee of operators."""
MAX_CONTRIBUTIONS: Final = 4
"""Sync subcommittees (consensus-specs, altair/validator.md)."""
CONTRIBUTION_BYTES: Final = 160
"""Of the mainnet preset: slot, root, subcommittee, 128 bits, signature."""

_VOTE: Final = struct.Struct(f"<{ROOT_BYTES}sQ{ROOT_BYTES}sQ{ROOT_BYTES}s")
"""Block root, source, target."""
_DUTY: Final = struct.Struct(f"<Q{PUBLIC_KEY_BYTES}s6QI")
"""Role, key, slot, five indexes and lengths, offset of the sync committee indices."""
_VALUE: Final = struct.Struct("<IQI")
"""Offset of the duty, version, offset of the object."""
_AGGREGATES: Final = struct.Struct("<Q5I")
"""Version, offsets of the five lists."""
_ASSIGNED: Final = struct.Struct(f"<Q{SIGNATURE_BYTES}sQ")
"""Validator index, selection proof, committee index or subnet."""


VOTES_KEPT: Final = 256
"""Votes of 112 bytes that were read last: the committees of a slot vote alike, and each vote is
judged when it is made, proposed and decided."""


def value_root(full_data: bytes) -> bytes:
    """What consensus messages carry in place of the value: SHA-256 of its bytes."""
    return sha256(full_data).digest()


@lru_cache(VOTES_KEPT)
def decode_beacon_vote(data: bytes) -> BeaconVote:
    """The value of a committee duty.

    Raises:
        ProtocolFault: malformed.
    """
    if len(data) != _VOTE.size:
        raise malformed(f"a beacon vote has {_VOTE.size} bytes, got {len(data)}")
    block_root, source, source_root, target, target_root = _VOTE.unpack(data)
    return BeaconVote(block_root, Checkpoint(source, source_root), Checkpoint(target, target_root))


@writes_ssz
def encode_beacon_vote(vote: BeaconVote) -> bytes:
    """The value of a committee duty, 112 bytes.

    Raises:
        UsageError: a field is out of its type's range.
    """
    return _VOTE.pack(
        fixed(vote.block_root, ROOT_BYTES, "a block root"),
        vote.source.epoch,
        fixed(vote.source.root, ROOT_BYTES, "a source root"),
        vote.target.epoch,
        fixed(vote.target.root, ROOT_BYTES, "a target root"),
    )


def decode_duty(data: bytes) -> ValidatorDuty:
    """A duty, as it stands inside a value.

    Raises:
        ProtocolFault: malformed.
    """
    if len(data) < _DUTY.size:
        raise malformed(f"a duty has at least {_DUTY.size} bytes, got {len(data)}")
    fields = _DUTY.unpack_from(data)
    start = fields[-1]
    if start != _DUTY.size:
        raise malformed(f"a duty's list starts at byte {_DUTY.size}, got {start}")
    indices = read_uint64s(data[start:], max_items=MAX_SYNC_INDICES, what="sync committee indices")
    return ValidatorDuty(*(*fields[:-1], indices))


@writes_ssz
def encode_duty(duty: ValidatorDuty) -> bytes:
    """A duty, as it stands inside a value.

    Raises:
        UsageError: a field is out of its type's range.
    """
    head = _DUTY.pack(
        duty.role,
        fixed(duty.public_key, PUBLIC_KEY_BYTES, "a validator's key"),
        duty.slot,
        duty.validator_index,
        duty.committee_index,
        duty.committee_length,
        duty.committees_at_slot,
        duty.validator_committee_index,
        _DUTY.size,
    )
    return head + write_uint64s(duty.sync_committee_indices)


def decode_validator_value(data: bytes) -> ValidatorValue:
    """The value of a validator's duty: proposals, and in Alan aggregates and contributions.

    Raises:
        ProtocolFault: malformed.
    """
    size = len(data)
    if size < _VALUE.size:
        raise malformed(f"a validator value has at least {_VALUE.size} bytes, got {size}")
    start, version, at_object = _VALUE.unpack_from(data)
    if not _VALUE.size == start <= at_object <= size:
        raise malformed(f"offsets {start}, {at_object} of a validator value with {size} bytes")
    if size - at_object > MAX_OBJECT_BYTES:
        raise malformed(f"an object has {size - at_object} bytes, limit {MAX_OBJECT_BYTES}")
    return ValidatorValue(decode_duty(data[start:at_object]), version, data[at_object:])


@writes_ssz
def encode_validator_value(value: ValidatorValue) -> bytes:
    """The value of a validator's duty.

    Raises:
        UsageError: a field is out of its type's range.
    """
    duty = encode_duty(value.duty)
    return _VALUE.pack(_VALUE.size, value.version, _VALUE.size + len(duty)) + duty + value.data


def decode_aggregator_committee_value(
    data: bytes, *, contribution_bytes: int = CONTRIBUTION_BYTES
) -> AggregatorCommitteeValue:
    """The value of an aggregator committee's duty.

    Args:
        data: the encoding.
        contribution_bytes: size of a contribution in the chain's preset.

    Raises:
        ProtocolFault: malformed.
    """
    if len(data) < _AGGREGATES.size:
        raise malformed(f"an aggregator value has at least {_AGGREGATES.size} bytes")
    version, *offsets = _AGGREGATES.unpack_from(data)
    if offsets[0] != _AGGREGATES.size or [*offsets, len(data)] != sorted([*offsets, len(data)]):
        raise malformed(f"offsets {offsets} of an aggregator value with {len(data)} bytes")
    aggregators, indexes, attestations, contributors, contributions = (
        data[start:end] for start, end in zip(offsets, [*offsets[1:], len(data)], strict=True)
    )
    return AggregatorCommitteeValue(
        version,
        _read_assigned(aggregators, MAX_AGGREGATORS),
        read_uint64s(indexes, max_items=MAX_BEACON_COMMITTEES, what="committee indexes"),
        read_byte_lists(
            attestations,
            max_items=MAX_BEACON_COMMITTEES,
            max_bytes=MAX_ATTESTATION_BYTES,
            what="attestations",
        ),
        _read_assigned(contributors, MAX_CONTRIBUTORS),
        _read_contributions(contributions, contribution_bytes),
    )


@writes_ssz
def encode_aggregator_committee_value(
    value: AggregatorCommitteeValue, *, contribution_bytes: int = CONTRIBUTION_BYTES
) -> bytes:
    """The value of an aggregator committee's duty.

    Args:
        value: to encode.
        contribution_bytes: size of a contribution in the chain's preset.

    Raises:
        UsageError: a field is out of its type's range.
    """
    parts = [
        b"".join(map(_write_assigned, value.aggregators)),
        write_uint64s(value.committee_indexes),
        write_byte_lists(value.attestations),
        b"".join(map(_write_assigned, value.contributors)),
        b"".join(fixed(item, contribution_bytes, "a contribution") for item in value.contributions),
    ]
    offsets = [_AGGREGATES.size]
    for part in parts[:-1]:
        offsets.append(offsets[-1] + len(part))
    return _AGGREGATES.pack(value.version, *offsets) + b"".join(parts)


def _read_assigned(data: bytes, max_items: int) -> tuple[Assigned, ...]:
    if len(data) % _ASSIGNED.size or len(data) > max_items * _ASSIGNED.size:
        raise malformed(f"{len(data)} bytes, at most {max_items} validators of {_ASSIGNED.size}")
    return tuple(Assigned(*fields) for fields in _ASSIGNED.iter_unpack(data))


def _write_assigned(assigned: Assigned) -> bytes:
    proof = fixed(assigned.selection_proof, SIGNATURE_BYTES, "a selection proof")
    return _ASSIGNED.pack(assigned.validator_index, proof, assigned.committee_index)


def _read_contributions(data: bytes, size: int) -> tuple[bytes, ...]:
    if len(data) % size or len(data) > MAX_CONTRIBUTIONS * size:
        raise malformed(f"{len(data)} bytes, at most {MAX_CONTRIBUTIONS} contributions of {size}")
    return tuple(data[at : at + size] for at in range(0, len(data), size))
