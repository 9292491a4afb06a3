"""Hash tree roots of everything that this room can encode.

Pure. Peers compare bytes and operators sign bytes; roots serve the reference specification's own
cases and whoever compares messages with another implementation. Never on the path of a duty.

Source: docs/protocol.md, "Wire containers".
"""

from __future__ import annotations

from functools import cache
from typing import Final, TypeAlias, assert_never

from operator_node.spec.ssz import (
    Bitvector,
    ByteList,
    ByteVector,
    Container,
    List,
    Uint,
    hash_tree_root,
)
from operator_node.wire import codec, record_codec, value_codec
from operator_node.wire.generations import Generation
from operator_node.wire.ids import MESSAGE_ID_BYTES
from operator_node.wire.messages import (
    ConsensusMessage,
    Envelope,
    PartialSignatures,
    SignedMessage,
)
from operator_node.wire.records import CommitteeMember, Operator, Share
from operator_node.wire.values import (
    AggregatorCommitteeValue,
    BeaconVote,
    ValidatorDuty,
    ValidatorValue,
)
from sdk.types import ADDRESS_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES

Encodable: TypeAlias = (
    SignedMessage
    | Envelope
    | ConsensusMessage
    | PartialSignatures
    | BeaconVote
    | ValidatorDuty
    | ValidatorValue
    | AggregatorCommitteeValue
    | Share
    | Operator
    | CommitteeMember
)

_UINT64: Final = Uint(64)
_ROOT: Final = ByteVector(codec.ROOT_BYTES)
_KEY: Final = ByteVector(PUBLIC_KEY_BYTES)
_SIGNATURE: Final = ByteVector(SIGNATURE_BYTES)
_DOMAIN: Final = ByteVector(record_codec.DOMAIN_BYTES)
_OPERATOR_KEY: Final = ByteVector(record_codec.OPERATOR_KEY_BYTES)
_SUBCOMMITTEE_SEATS: Final = 128
"""consensus-specs, altair/validator.md: SYNC_COMMITTEE_SIZE // SYNC_COMMITTEE_SUBNET_COUNT."""


def root_of(value: Encodable, generation: Generation) -> bytes:
    """The value's hash tree root, 32 bytes; limits, and so the tree, are the generation's.

    Raises:
        UsageError: the value has no encoding.
        MalformedSsz: it is over a limit.
    """
    match value:
        case SignedMessage():
            return hash_tree_root(_signed(generation), codec.encode_signed(value))
        case Envelope():
            return hash_tree_root(_envelope(generation), codec.encode_envelope(value))
        case ConsensusMessage():
            return hash_tree_root(_CONSENSUS, codec.encode_consensus(value))
        case PartialSignatures():
            return hash_tree_root(_partials(generation), codec.encode_partials(value))
        case BeaconVote():
            return hash_tree_root(_VOTE, value_codec.encode_beacon_vote(value))
        case ValidatorDuty():
            return hash_tree_root(_DUTY, value_codec.encode_duty(value))
        case ValidatorValue():
            return hash_tree_root(_VALUE, value_codec.encode_validator_value(value))
        case AggregatorCommitteeValue():
            encoded = value_codec.encode_aggregator_committee_value(value)
            return hash_tree_root(_AGGREGATES, encoded)
        case Share():
            return hash_tree_root(_SHARE, record_codec.encode_share(value))
        case Operator():
            return hash_tree_root(_OPERATOR, record_codec.encode_operator(value))
        case CommitteeMember():
            return hash_tree_root(_COMMITTEE, record_codec.encode_committee_member(value))
        case _:
            assert_never(value)


@cache
def _envelope(generation: Generation) -> Container:
    return Container(
        "SSVMessage",
        (
            ("MsgType", _UINT64),
            ("MsgID", ByteVector(MESSAGE_ID_BYTES)),
            ("Data", ByteList(generation.limits.message_data_bytes)),
        ),
    )


@cache
def _signed(generation: Generation) -> Container:
    return Container(
        "SignedSSVMessage",
        (
            ("Signatures", List(ByteList(codec.MAX_SIGNATURE_BYTES), codec.MAX_OPERATORS)),
            ("OperatorIDs", List(_UINT64, codec.MAX_OPERATORS)),
            ("SSVMessage", _envelope(generation)),
            ("FullData", ByteList(codec.MAX_FULL_DATA_BYTES)),
        ),
    )


@cache
def _partials(generation: Generation) -> Container:
    return Container(
        "PartialSignatureMessages",
        (
            ("Type", _UINT64),
            ("Slot", _UINT64),
            ("Messages", List(_PARTIAL, generation.limits.partial_signatures)),
        ),
    )


_PARTIAL: Final = Container(
    "PartialSignatureMessage",
    (
        ("PartialSignature", _SIGNATURE),
        ("SigningRoot", _ROOT),
        ("Signer", _UINT64),
        ("ValidatorIndex", _UINT64),
    ),
)
_CONSENSUS: Final = Container(
    "Message",
    (
        ("MsgType", _UINT64),
        ("Height", _UINT64),
        ("Round", _UINT64),
        ("Identifier", ByteList(MESSAGE_ID_BYTES)),
        ("Root", _ROOT),
        ("DataRound", _UINT64),
        (
            "RoundChangeJustification",
            List(ByteList(codec.MAX_ROUND_CHANGE_BYTES), codec.MAX_OPERATORS),
        ),
        ("PrepareJustification", List(ByteList(codec.MAX_PREPARE_BYTES), codec.MAX_OPERATORS)),
    ),
)
_CHECKPOINT: Final = Container("Checkpoint", (("Epoch", _UINT64), ("Root", _ROOT)))
_VOTE: Final = Container(
    "BeaconVote", (("BlockRoot", _ROOT), ("Source", _CHECKPOINT), ("Target", _CHECKPOINT))
)
_DUTY: Final = Container(
    "ValidatorDuty",
    (
        ("Type", _UINT64),
        ("PubKey", _KEY),
        ("Slot", _UINT64),
        ("ValidatorIndex", _UINT64),
        ("CommitteeIndex", _UINT64),
        ("CommitteeLength", _UINT64),
        ("CommitteesAtSlot", _UINT64),
        ("ValidatorCommitteeIndex", _UINT64),
        ("ValidatorSyncCommitteeIndices", List(_UINT64, value_codec.MAX_SYNC_INDICES)),
    ),
)
_VALUE: Final = Container(
    "ConsensusData",
    (
        ("Duty", _DUTY),
        ("Version", _UINT64),
        ("DataSSZ", ByteList(value_codec.MAX_OBJECT_BYTES)),
    ),
)
_ASSIGNED: Final = Container(
    "AssignedAggregator",
    (
        ("ValidatorIndex", _UINT64),
        ("SelectionProof", _SIGNATURE),
        ("CommitteeIndex", _UINT64),
    ),
)
_CONTRIBUTION: Final = Container(
    "SyncCommitteeContribution",
    (
        ("Slot", _UINT64),
        ("BeaconBlockRoot", _ROOT),
        ("SubcommitteeIndex", _UINT64),
        ("AggregationBits", Bitvector(_SUBCOMMITTEE_SEATS)),
        ("Signature", _SIGNATURE),
    ),
)
_AGGREGATES: Final = Container(
    "AggregatorCommitteeConsensusData",
    (
        ("Version", _UINT64),
        ("Aggregators", List(_ASSIGNED, value_codec.MAX_AGGREGATORS)),
        ("AggregatorsCommitteeIndexes", List(_UINT64, value_codec.MAX_BEACON_COMMITTEES)),
        (
            "AggregatedAttestations",
            List(ByteList(value_codec.MAX_ATTESTATION_BYTES), value_codec.MAX_BEACON_COMMITTEES),
        ),
        ("Contributors", List(_ASSIGNED, value_codec.MAX_CONTRIBUTORS)),
        ("SyncCommitteeContributions", List(_CONTRIBUTION, value_codec.MAX_CONTRIBUTIONS)),
    ),
)
_MEMBER: Final = Container("ShareMember", (("SharePubKey", _KEY), ("Signer", _UINT64)))
_SHARE: Final = Container(
    "Share",
    (
        ("ValidatorIndex", _UINT64),
        ("ValidatorPubKey", _KEY),
        ("SharePubKey", _KEY),
        ("Committee", List(_MEMBER, record_codec.MAX_MEMBERS)),
        ("DomainType", _DOMAIN),
        ("FeeRecipientAddress", ByteVector(ADDRESS_BYTES)),
        ("Graffiti", ByteVector(record_codec.GRAFFITI_BYTES)),
    ),
)
_OPERATOR: Final = Container(
    "Operator", (("OperatorID", _UINT64), ("SSVOperatorPubKey", _OPERATOR_KEY))
)
_COMMITTEE: Final = Container(
    "CommitteeMember",
    (
        ("OperatorID", _UINT64),
        ("CommitteeID", _ROOT),
        ("SSVOperatorPubKey", _OPERATOR_KEY),
        ("FaultyNodes", _UINT64),
        ("Committee", List(_OPERATOR, record_codec.MAX_MEMBERS)),
        ("DomainType", _DOMAIN),
    ),
)
