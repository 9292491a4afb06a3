"""The committee that a message claims to be of, from its bytes."""

from __future__ import annotations

from operator_node.p2p.priority import claimed_id
from operator_node.wire import encode_signed
from operator_node.wire.ids import MessageId
from operator_node.wire.messages import Envelope, EnvelopeKind, SignedMessage
from sdk.types import OperatorId

ID = MessageId(bytes(range(56)))


def test_the_id_is_the_one_that_decoding_finds() -> None:
    envelope = Envelope(EnvelopeKind.CONSENSUS, ID, b"content")
    for signatures in (1, 3):
        signers = tuple(OperatorId(each + 1) for each in range(signatures))
        message = SignedMessage((bytes(256),) * signatures, signers, envelope)
        assert claimed_id(encode_signed(message)) == ID


def test_what_is_too_short_or_points_elsewhere_has_none() -> None:
    assert claimed_id(b"") is None
    assert claimed_id(bytes(70)[:60]) is None
    assert claimed_id(b"\xff" * 100) is None
