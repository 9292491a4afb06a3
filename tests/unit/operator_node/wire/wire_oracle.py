"""The protocol's containers in an independent SSZ implementation, to compare bytes and roots with.

Annotations are not postponed here: the library reads a container's fields from them.
"""

from functools import cache
from typing import Any

from remerkleable.basic import uint64
from remerkleable.bitfields import Bitvector
from remerkleable.byte_arrays import ByteList, Bytes4, Bytes32, Bytes48, Bytes96, ByteVector
from remerkleable.complex import Container, List

from operator_node.wire import codec, record_codec, value_codec
from operator_node.wire.generations import Generation
from operator_node.wire.messages import ConsensusMessage, Envelope, PartialSignatures, SignedMessage
from operator_node.wire.records import CommitteeMember, Operator, Share
from operator_node.wire.roots import Encodable
from operator_node.wire.values import (
    AggregatorCommitteeValue,
    BeaconVote,
    ValidatorDuty,
    ValidatorValue,
)


class Partial(Container):  # type: ignore[misc] # the library carries no types
    signature: Bytes96
    root: Bytes32
    signer: uint64
    validator_index: uint64


class Consensus(Container):  # type: ignore[misc]
    kind: uint64
    height: uint64
    round: uint64
    identifier: ByteList[56]
    root: Bytes32
    data_round: uint64
    round_changes: List[ByteList[51852], 13]
    prepares: List[ByteList[3700], 13]


class Checkpoint(Container):  # type: ignore[misc]
    epoch: uint64
    root: Bytes32


class Vote(Container):  # type: ignore[misc]
    block_root: Bytes32
    source: Checkpoint
    target: Checkpoint


class Duty(Container):  # type: ignore[misc]
    kind: uint64
    public_key: Bytes48
    slot: uint64
    validator_index: uint64
    committee_index: uint64
    committee_length: uint64
    committees_at_slot: uint64
    validator_committee_index: uint64
    sync_indices: List[uint64, 13]


class Value(Container):  # type: ignore[misc]
    duty: Duty
    version: uint64
    data: ByteList[8388608]


class Assigned(Container):  # type: ignore[misc]
    validator_index: uint64
    selection_proof: Bytes96
    committee_index: uint64


class Contribution(Container):  # type: ignore[misc]
    slot: uint64
    root: Bytes32
    subcommittee: uint64
    bits: Bitvector[128]
    signature: Bytes96


class Aggregates(Container):  # type: ignore[misc]
    version: uint64
    aggregators: List[Assigned, 3000]
    indexes: List[uint64, 64]
    attestations: List[ByteList[131308], 64]
    contributors: List[Assigned, 2048]
    contributions: List[Contribution, 4]


class Member(Container):  # type: ignore[misc]
    share_key: Bytes48
    signer: uint64


class ShareRecord(Container):  # type: ignore[misc]
    validator_index: uint64
    validator_key: Bytes48
    share_key: Bytes48
    committee: List[Member, 13]
    domain: Bytes4
    fee_recipient: ByteVector[20]
    graffiti: Bytes32


class OperatorRecord(Container):  # type: ignore[misc]
    id: uint64
    key: ByteVector[459]


class CommitteeRecord(Container):  # type: ignore[misc]
    me: uint64
    committee_id: Bytes32
    key: ByteVector[459]
    faulty: uint64
    committee: List[OperatorRecord, 13]
    domain: Bytes4


@cache
def limited(generation: Generation) -> dict[type[Encodable], Any]:
    """The containers whose limits depend on the generation."""
    data_bytes, partials = {
        Generation.ALAN: (722_412, 1512),
        Generation.BOOLE: (726_932, 5048),
    }[generation]

    class EnvelopeOf(Container):  # type: ignore[misc]
        kind: uint64
        id: ByteVector[56]
        data: ByteList[data_bytes]

    class SignedOf(Container):  # type: ignore[misc]
        signatures: List[ByteList[256], 13]
        signers: List[uint64, 13]
        message: EnvelopeOf
        full_data: ByteList[8388836]

    class PartialsOf(Container):  # type: ignore[misc]
        kind: uint64
        slot: uint64
        items: List[Partial, partials]

    return {Envelope: EnvelopeOf, SignedMessage: SignedOf, PartialSignatures: PartialsOf}


ANY_GENERATION: dict[type[Encodable], Any] = {
    ConsensusMessage: Consensus,
    BeaconVote: Vote,
    ValidatorDuty: Duty,
    ValidatorValue: Value,
    AggregatorCommitteeValue: Aggregates,
    Share: ShareRecord,
    Operator: OperatorRecord,
    CommitteeMember: CommitteeRecord,
}


def container(kind: type[Encodable], generation: Generation) -> Any:
    """The library's type for one of ours."""
    return {**ANY_GENERATION, **limited(generation)}[kind]


def encode(value: Encodable) -> bytes:
    """Our encoding."""
    match value:
        case SignedMessage():
            return codec.encode_signed(value)
        case Envelope():
            return codec.encode_envelope(value)
        case ConsensusMessage():
            return codec.encode_consensus(value)
        case PartialSignatures():
            return codec.encode_partials(value)
        case BeaconVote():
            return value_codec.encode_beacon_vote(value)
        case ValidatorDuty():
            return value_codec.encode_duty(value)
        case ValidatorValue():
            return value_codec.encode_validator_value(value)
        case AggregatorCommitteeValue():
            return value_codec.encode_aggregator_committee_value(value)
        case Share():
            return record_codec.encode_share(value)
        case Operator():
            return record_codec.encode_operator(value)
        case CommitteeMember():
            return record_codec.encode_committee_member(value)


def decode(kind: type[Encodable], data: bytes, generation: Generation) -> Encodable:
    """Our decoding."""
    decoders: dict[type[Encodable], Any] = {
        SignedMessage: lambda: codec.decode_signed(data, generation),
        Envelope: lambda: codec.decode_envelope(data, generation),
        ConsensusMessage: lambda: codec.decode_consensus(data),
        PartialSignatures: lambda: codec.decode_partials(data, generation),
        BeaconVote: lambda: value_codec.decode_beacon_vote(data),
        ValidatorDuty: lambda: value_codec.decode_duty(data),
        ValidatorValue: lambda: value_codec.decode_validator_value(data),
        AggregatorCommitteeValue: lambda: value_codec.decode_aggregator_committee_value(data),
        Share: lambda: record_codec.decode_share(data),
        Operator: lambda: record_codec.decode_operator(data),
        CommitteeMember: lambda: record_codec.decode_committee_member(data),
    }
    value: Encodable = decoders[kind]()
    return value


def root(value: Encodable, generation: Generation) -> bytes:
    """The library's root of our encoding."""
    read = container(type(value), generation).decode_bytes(encode(value))
    return bytes(read.hash_tree_root())


def accepts(kind: type[Encodable], data: bytes, generation: Generation) -> bool:
    """Whether the library reads these bytes and would write exactly them.

    It repairs some framing when it reads, so what it writes decides.
    """
    try:
        read = container(kind, generation).decode_bytes(data)
        return bytes(read.encode_bytes()) == data
    except Exception:  # the library raises many kinds for bad bytes
        return False
