"""One plausible value of every kind, to be changed with `dataclasses.replace`."""

from __future__ import annotations

from operator_node.wire.ids import (
    BeaconRole,
    CommitteeId,
    DomainType,
    RunnerRole,
    committee_id,
    committee_message_id,
    validator_message_id,
)
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    Envelope,
    EnvelopeKind,
    PartialKind,
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
    ValidatorValue,
)
from sdk.types import Address, Epoch, OperatorId, PublicKey, Slot

DOMAIN = DomainType(bytes.fromhex("00000001"))
KEY = PublicKey(b"\x8e" * 48)
OPERATORS = tuple(OperatorId(number) for number in (1, 2, 3, 4))
COMMITTEE: CommitteeId = committee_id(OPERATORS)
COMMITTEE_MESSAGE = committee_message_id(DOMAIN, RunnerRole.COMMITTEE, COMMITTEE)
PROPOSER_MESSAGE = validator_message_id(DOMAIN, RunnerRole.PROPOSER, KEY)

PREPARE = ConsensusMessage(
    kind=ConsensusKind.PREPARE,
    height=12,
    round=1,
    identifier=COMMITTEE_MESSAGE,
    root=b"\x01" * 32,
)
ENVELOPE = Envelope(EnvelopeKind.CONSENSUS, COMMITTEE_MESSAGE, b"content")
SIGNED = SignedMessage((b"\x05" * 256,), (OperatorId(1),), ENVELOPE, b"value")
PARTIAL = PartialSignature(b"\x06" * 96, b"\x07" * 32, OperatorId(1), 5)
PARTIALS = PartialSignatures(PartialKind.POST_CONSENSUS, 12, (PARTIAL,))

VOTE = BeaconVote(
    b"\x01" * 32, Checkpoint(Epoch(3), b"\x02" * 32), Checkpoint(Epoch(4), b"\x03" * 32)
)
DUTY = ValidatorDuty(BeaconRole.PROPOSER, KEY, Slot(12), 5, 1, 128, 64, 7, (3, 130))
VALUE = ValidatorValue(DUTY, DataVersion.ELECTRA, b"block")
ASSIGNED = Assigned(5, b"\x08" * 96, 3)
AGGREGATES = AggregatorCommitteeValue(
    DataVersion.ELECTRA, (ASSIGNED,), (3,), (b"aggregate",), (ASSIGNED,), (b"\x09" * 160,)
)

SHARE = Share(
    validator_index=5,
    validator_key=KEY,
    share_key=PublicKey(b"\x0a" * 48),
    committee=tuple(ShareMember(each, PublicKey(bytes([each] * 48))) for each in OPERATORS),
    domain=DOMAIN,
    fee_recipient=Address(b"\x0b" * 20),
    graffiti=b"phalanx".ljust(32, b"\x00"),
)
OPERATOR = Operator(OperatorId(1), b"k" * 459)
MEMBER = CommitteeMember(
    me=OperatorId(1),
    committee_id=COMMITTEE,
    public_key=b"k" * 459,
    faulty=1,
    committee=tuple(Operator(each, b"k" * 459) for each in OPERATORS),
    domain=DOMAIN,
)
