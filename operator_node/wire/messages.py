"""What operators say to each other, as values. Codecs are in `codec`, checks in `structure`.

Pure. Numbers that a sender chooses (`kind`, `round`) stay plain integers until checked. These are
`msgspec.Struct`s because thousands are built each second, eight times faster than as dataclasses.
The garbage collector passes over them: they hold bytes, numbers and each other, in no circles.
Source: docs/protocol.md, "Wire containers".
"""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from operator_node.wire.ids import MessageId
from sdk.types import OperatorId


class EnvelopeKind(IntEnum):
    """What an envelope's data is."""

    CONSENSUS = 0
    PARTIAL_SIGNATURES = 1
    DKG = 2
    """Accepted by structure checks, never processed."""


class ConsensusKind(IntEnum):
    """Which step of consensus a message is."""

    PROPOSAL = 0
    PREPARE = 1
    COMMIT = 2
    ROUND_CHANGE = 3


class PartialKind(IntEnum):
    """What partial signatures are for."""

    POST_CONSENSUS = 0
    RANDAO = 1
    SELECTION_PROOF = 2
    CONTRIBUTION_PROOFS = 3
    VALIDATOR_REGISTRATION = 4
    VOLUNTARY_EXIT = 5
    AGGREGATOR_COMMITTEE = 6


class Envelope(Struct, frozen=True, gc=False):
    """`SSVMessage`: the bytes of one message and whose duty it belongs to."""

    kind: int
    id: MessageId
    data: bytes


class SignedMessage(Struct, frozen=True, gc=False):
    """`SignedSSVMessage`: an envelope with RSA signatures over its encoding.

    `full_data` and `signers` are outside the signed bytes. `signatures[i]` is of `signers[i]`.
    """

    signatures: tuple[bytes, ...]
    signers: tuple[OperatorId, ...]
    message: Envelope
    full_data: bytes = b""


class ConsensusMessage(Struct, frozen=True, gc=False):
    """A message of QBFT. The justifications are encoded `SignedMessage`s without full data.

    Attributes:
        root: SHA-256 of the value.
        data_round: round of the last prepare quorum, 0 for none; round changes only.
    """

    kind: int
    height: int
    round: int
    identifier: bytes
    root: bytes
    data_round: int = 0
    round_change_justification: tuple[bytes, ...] = ()
    prepare_justification: tuple[bytes, ...] = ()


class Received(Struct, frozen=True, gc=False):
    """A consensus message whose outer operator signatures were verified on arrival."""

    signed: SignedMessage
    body: ConsensusMessage


class PartialSignature(Struct, frozen=True, gc=False):
    """One share's signature (96 bytes) over one signing root (32 bytes), not verified."""

    signature: bytes
    root: bytes
    signer: OperatorId
    validator_index: int


class PartialSignatures(Struct, frozen=True, gc=False):
    """All partial signatures of one operator for one phase of one duty."""

    kind: int
    slot: int
    items: tuple[PartialSignature, ...]


class ReceivedPartials(Struct, frozen=True, gc=False):
    """Partial signatures whose envelope's operator signature was verified on arrival."""

    signed: SignedMessage
    body: PartialSignatures
