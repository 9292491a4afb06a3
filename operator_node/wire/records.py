"""Who holds which share and who sits in a committee: local records with a fixed encoding.

Pure; codecs are in `record_codec`. Source: docs/protocol.md, "Local records".
"""

from __future__ import annotations

from dataclasses import dataclass

from operator_node.wire.ids import CommitteeId, DomainType
from sdk.types import Address, OperatorId, PublicKey


@dataclass(frozen=True, slots=True)
class ShareMember:
    """One operator of a validator's committee and the public key of its share."""

    signer: OperatorId
    share_key: PublicKey


@dataclass(frozen=True, slots=True)
class Share:
    """One validator as one operator holds it.

    Attributes:
        share_key: the public key of this operator's own share.
        committee: every operator with the public key of its share.
        graffiti: 32 bytes.
    """

    validator_index: int
    validator_key: PublicKey
    share_key: PublicKey
    committee: tuple[ShareMember, ...]
    domain: DomainType
    fee_recipient: Address
    graffiti: bytes


@dataclass(frozen=True, slots=True)
class Operator:
    """`public_key` is the 459-byte PEM text of the protocol."""

    id: OperatorId
    public_key: bytes


@dataclass(frozen=True, slots=True)
class CommitteeMember:
    """An operator's view of a committee that it sits in."""

    me: OperatorId
    committee_id: CommitteeId
    public_key: bytes
    faulty: int
    committee: tuple[Operator, ...]
    domain: DomainType
