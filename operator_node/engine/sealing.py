"""Own messages: signed for the others, and as they come back to this node.

The signature is made on the event loop: it takes half a millisecond, and a thread for it would cost
a third of that again (`python -m tests.bench engine`).

Source: docs/protocol.md, "Signatures".
"""

from __future__ import annotations

from operator_node.engine.types import Message, MessageKey
from operator_node.session import Send
from operator_node.wire.codec import decode_consensus, decode_partials, encode_envelope
from operator_node.wire.generations import Generation
from operator_node.wire.messages import EnvelopeKind, Received, ReceivedPartials, SignedMessage
from sdk.types import OperatorId


def seal(send: Send, me: OperatorId, key: MessageKey) -> SignedMessage:
    """The message under the own operator signature."""
    signature = key.sign(encode_envelope(send.envelope))
    return SignedMessage((signature,), (me,), send.envelope, send.full_data)


def as_received(signed: SignedMessage, generation: Generation) -> Message:
    """An own message as it comes back; `generation` is that of its slot."""
    data = signed.message.data
    if signed.message.kind == EnvelopeKind.CONSENSUS:
        return Received(signed, decode_consensus(data))
    return ReceivedPartials(signed, decode_partials(data, generation))
