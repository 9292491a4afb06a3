"""What a byzantine operator speaks with: its name, its key, and what it has heard others say.

Source: docs/protocol.md, "Wire containers".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from operator_node.wire.codec import decode_consensus, encode_consensus, encode_signed
from operator_node.wire.committee import Committee
from operator_node.wire.ids import MessageId
from operator_node.wire.messages import (
    ConsensusKind,
    ConsensusMessage,
    Envelope,
    EnvelopeKind,
    Received,
    SignedMessage,
)
from sdk.types import OperatorId

HEARD: Final = 256
"""Messages that a liar keeps for forgeries: some rounds of the largest committee."""


class Utterance(Struct, frozen=True):
    """One message that a liar sends.

    Attributes:
        receivers: None for everybody.
        signed: complete already, with signatures that are another's or nobody's.
    """

    envelope: Envelope
    full_data: bytes = b""
    receivers: tuple[OperatorId, ...] | None = None
    delay_ms: int = 0
    signed: SignedMessage | None = None

    @property
    def consensus(self) -> ConsensusMessage | None:
        """The content, if it is consensus and still to be signed."""
        if self.signed is not None or self.envelope.kind != EnvelopeKind.CONSENSUS:
            return None
        return decode_consensus(self.envelope.data)


@dataclass(frozen=True, slots=True)
class Preparation:
    """A value that a quorum prepared, and the prepares that prove it, encoded."""

    round: int
    value: bytes
    proof: tuple[bytes, ...]


class Mouth:
    """What a liar's habits share.

    Attributes:
        is_stubborn: whether it goes on with what it does once.
        leads: whether it leads a round of a height; set for the duty at hand.
        heard: messages of the committee, newest last.
        own_values: what it proposed itself, by root.
        halves: the committee in two parts; it counts itself to the first.
    """

    def __init__(
        self,
        *,
        me: OperatorId,
        committee: Committee,
        random: Random,
        sign: Callable[[Envelope], bytes],
    ) -> None:
        """A mouth that has heard nothing.

        Args:
            me: the liar.
            committee: whom it lies to.
            random: decides every trick.
            sign: its operator signature over an envelope.
        """
        self.me = me
        self.random = random
        self.sign = sign
        self.committee = committee
        self.is_stubborn = random.random() < 0.5
        self.leads: Callable[[ConsensusMessage], bool] = lambda body: False
        self.heard: deque[Received] = deque(maxlen=HEARD)
        self.own_values: dict[bytes, bytes] = {}
        others = [each for each in committee.operators if each != me]
        random.shuffle(others)
        middle = len(others) // 2
        self.halves = (me, *others[:middle]), tuple(others[middle:])

    def proof(self, body: ConsensusMessage) -> bytes:
        """The body as a justification holds it, under the own signature."""
        envelope = enclose(body)
        return encode_signed(SignedMessage((self.sign(envelope),), (self.me,), envelope))

    def heard_as_proofs(self, kind: ConsensusKind, height: int) -> tuple[bytes, ...]:
        """What others said of a kind at a height, in whatever round and duty, as proofs.

        Of round changes only those that claim nothing: they justify any value.
        """
        return tuple(
            encode_signed(replace(received.signed, full_data=b""))
            for received in self.heard
            if received.body.kind == kind
            and received.body.height == height
            and not received.body.data_round
            and len(received.signed.signers) == 1
        )

    def hear(self, received: Received) -> None:
        """Keep what anybody said, itself too."""
        self.heard.append(received)

    def oldest_preparation(self, height: int, identifier: bytes) -> Preparation | None:
        """The first value that the liar knows a quorum to have prepared in an instance."""
        prepares: dict[tuple[int, bytes], dict[OperatorId, bytes]] = {}
        for received in self.heard:
            body, signed = received.body, received.signed
            if (
                body.kind == ConsensusKind.PREPARE
                and body.height == height
                and body.identifier == identifier
            ):
                votes = prepares.setdefault((body.round, body.root), {})
                votes[signed.signers[0]] = encode_signed(signed)
        for (round_, root), votes in sorted(prepares.items()):
            value = self.proposed_value(root)
            if len(votes) >= self.committee.quorum and value:
                return Preparation(round_, value, tuple(votes.values()))
        return None

    def proposed_value(self, root: bytes) -> bytes:
        """The value of a root that somebody proposed, nothing if it was not heard."""
        if root in self.own_values:
            return self.own_values[root]
        for received in reversed(self.heard):
            if received.body.root == root and received.signed.full_data:
                return received.signed.full_data
        return b""

    def latest_value(self, height: int) -> bytes:
        """What was proposed last at a height, nothing if nothing was."""
        for received in reversed(self.heard):
            if received.body.height == height and received.body.kind == ConsensusKind.PROPOSAL:
                return received.signed.full_data
        return b""


def enclose(body: ConsensusMessage) -> Envelope:
    """The body in an envelope of its own identifier, which is the message id."""
    data = encode_consensus(body)
    return Envelope(EnvelopeKind.CONSENSUS, MessageId(body.identifier), data)
