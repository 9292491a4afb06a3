"""The JSON conventions of the specification's cases, read into our values."""

from __future__ import annotations

import base64
from typing import Any

from operator_node.spec.containers import SyncCommitteeContribution
from operator_node.wire.ids import CommitteeId, DomainType, MessageId
from operator_node.wire.messages import (
    ConsensusMessage,
    Envelope,
    PartialSignature,
    PartialSignatures,
    SignedMessage,
)
from operator_node.wire.records import CommitteeMember, Operator, Share, ShareMember
from operator_node.wire.values import (
    AggregatorCommitteeValue,
    Assigned,
    BeaconVote,
    Checkpoint,
    DataVersion,
    ValidatorDuty,
)
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot


def raw(value: Any) -> bytes:
    """Bytes written as base64, or as a list of numbers; null is empty."""
    if value is None:
        return b""
    return bytes(value) if isinstance(value, list) else base64.b64decode(value)


def hexed(value: Any) -> bytes:
    """Bytes written as hex with or without 0x, or as a list of numbers; null is empty."""
    if value is None:
        return b""
    return bytes(value) if isinstance(value, list) else bytes.fromhex(value.removeprefix("0x"))


def number(value: Any) -> int:
    """A number, or a decimal text."""
    return int(value)


def rows(value: Any) -> list[Any]:
    """A list; null is empty."""
    return list(value or [])


def signed_message(data: dict[str, Any]) -> SignedMessage:
    """`SignedSSVMessage`; its inner message is present."""
    inner = data["SSVMessage"]
    return SignedMessage(
        signatures=tuple(raw(each) for each in rows(data["Signatures"])),
        signers=tuple(OperatorId(each) for each in rows(data["OperatorIDs"])),
        message=Envelope(inner["MsgType"], MessageId(hexed(inner["MsgID"])), raw(inner["Data"])),
        full_data=raw(data["FullData"]),
    )


def partial_signatures(data: dict[str, Any]) -> PartialSignatures:
    """`PartialSignatureMessages`."""
    return PartialSignatures(
        kind=number(data["Type"]),
        slot=number(data["Slot"]),
        items=tuple(
            PartialSignature(
                signature=hexed(each["PartialSignature"]),
                root=hexed(each["SigningRoot"]),
                signer=OperatorId(each["Signer"]),
                validator_index=number(each["ValidatorIndex"]),
            )
            for each in rows(data["Messages"])
        ),
    )


def validator_duty(data: dict[str, Any]) -> ValidatorDuty:
    """`ValidatorDuty`."""
    return ValidatorDuty(
        role=number(data["Type"]),
        public_key=PublicKey(hexed(data["PubKey"])),
        slot=Slot(number(data["Slot"])),
        validator_index=number(data["ValidatorIndex"]),
        committee_index=number(data["CommitteeIndex"]),
        committee_length=number(data["CommitteeLength"]),
        committees_at_slot=number(data["CommitteesAtSlot"]),
        validator_committee_index=number(data["ValidatorCommitteeIndex"]),
        sync_committee_indices=tuple(
            number(each) for each in rows(data["ValidatorSyncCommitteeIndices"])
        ),
    )


def share(data: dict[str, Any]) -> Share:
    """`Share`: some byte fields are hex, some base64."""
    return Share(
        validator_index=number(data["ValidatorIndex"]),
        validator_key=PublicKey(hexed(data["ValidatorPubKey"])),
        share_key=PublicKey(raw(data["SharePubKey"])),
        committee=tuple(
            ShareMember(OperatorId(each["Signer"]), PublicKey(raw(each["SharePubKey"])))
            for each in rows(data["Committee"])
        ),
        domain=DomainType(hexed(data["DomainType"])),
        fee_recipient=Address(hexed(data["FeeRecipientAddress"])),
        graffiti=raw(data["Graffiti"]),
    )


def committee_member(data: dict[str, Any]) -> CommitteeMember:
    """`CommitteeMember`."""
    return CommitteeMember(
        me=OperatorId(data["OperatorID"]),
        committee_id=CommitteeId(hexed(data["CommitteeID"])),
        public_key=raw(data["SSVOperatorPubKey"]),
        faulty=number(data["FaultyNodes"]),
        committee=tuple(
            Operator(OperatorId(each["OperatorID"]), raw(each["SSVOperatorPubKey"]))
            for each in rows(data["Committee"])
        ),
        domain=DomainType(hexed(data["DomainType"])),
    )


def consensus_message(data: dict[str, Any]) -> ConsensusMessage:
    """The QBFT `Message`."""
    return ConsensusMessage(
        kind=number(data["MsgType"]),
        height=number(data["Height"]),
        round=number(data["Round"]),
        identifier=raw(data["Identifier"]),
        root=hexed(data["Root"]),
        data_round=number(data["DataRound"]),
        round_change_justification=tuple(map(raw, rows(data["RoundChangeJustification"]))),
        prepare_justification=tuple(map(raw, rows(data["PrepareJustification"]))),
    )


def beacon_vote(data: dict[str, Any]) -> BeaconVote:
    """`BeaconVote`."""
    return BeaconVote(
        block_root=hexed(data["BlockRoot"]),
        source=checkpoint(data["Source"]),
        target=checkpoint(data["Target"]),
    )


def checkpoint(data: dict[str, Any]) -> Checkpoint:
    """A checkpoint of the beacon chain."""
    return Checkpoint(Epoch(number(data["epoch"])), hexed(data["root"]))


def data_version(value: Any) -> int:
    """A fork's name, or already its number."""
    return DataVersion[value.upper()] if isinstance(value, str) else number(value)


def aggregator_committee_value(data: dict[str, Any]) -> AggregatorCommitteeValue:
    """`AggregatorCommitteeConsensusData`."""
    return AggregatorCommitteeValue(
        version=data_version(data["Version"]),
        aggregators=tuple(map(assigned, rows(data["Aggregators"]))),
        committee_indexes=tuple(map(number, rows(data["AggregatorsCommitteeIndexes"]))),
        attestations=tuple(map(raw, rows(data["AggregatedAttestations"]))),
        contributors=tuple(map(assigned, rows(data["Contributors"]))),
        contributions=tuple(
            contribution(each).encode() for each in rows(data["SyncCommitteeContributions"])
        ),
    )


def assigned(data: dict[str, Any]) -> Assigned:
    """`AssignedAggregator`."""
    return Assigned(
        validator_index=number(data["ValidatorIndex"]),
        selection_proof=hexed(data["SelectionProof"]),
        committee_index=number(data["CommitteeIndex"]),
    )


def contribution(data: dict[str, Any]) -> SyncCommitteeContribution:
    """A contribution of the beacon chain."""
    return SyncCommitteeContribution(
        slot=number(data["slot"]),
        beacon_block_root=hexed(data["beacon_block_root"]),
        subcommittee_index=number(data["subcommittee_index"]),
        aggregation_bits=hexed(data["aggregation_bits"]),
        signature=hexed(data["signature"]),
    )
